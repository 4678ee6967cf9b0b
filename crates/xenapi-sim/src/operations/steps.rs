//! Operations that take time, put together from what they check and what they do.

use alloc::boxed::Box;
use alloc::vec::Vec;

use xenapi_core::{Failure, Millis, RawRef, Value};

use crate::Sim;
use crate::tasks::{Hold, Operation, Start};

/// An operation made of two closures.
struct Steps<B, F> {
    begin: B,
    finish: F,
}

impl<B, F> Operation for Steps<B, F>
where
    B: FnMut(&mut Sim) -> Result<Start, Failure> + Send,
    F: FnMut(&mut Sim) -> Result<Value, Failure> + Send,
{
    fn begin(&mut self, sim: &mut Sim) -> Result<Start, Failure> {
        (self.begin)(sim)
    }

    fn finish(&mut self, sim: &mut Sim) -> Result<Value, Failure> {
        (self.finish)(sim)
    }
}

/// An operation that checks, takes its time, and does.
pub(crate) fn steps(
    begin: impl FnMut(&mut Sim) -> Result<Start, Failure> + Send + 'static,
    finish: impl FnMut(&mut Sim) -> Result<Value, Failure> + Send + 'static,
) -> Result<Box<dyn Operation>, Failure> {
    Ok(Box::new(Steps { begin, finish }))
}

/// What an operation works on, what it is called there, and how long it takes.
pub(crate) struct Work {
    pub(crate) class: &'static str,
    pub(crate) reference: RawRef,
    /// What `current_operations` says; none where the class has no such field.
    pub(crate) operation: Option<&'static str>,
    pub(crate) duration: Millis,
}

impl Work {
    pub(crate) fn new(class: &'static str, reference: &str, operation: &'static str, milliseconds: u64) -> Work {
        Work { class, reference: reference.into(), operation: Some(operation), duration: Millis(milliseconds) }
    }

    /// Work on an object without `current_operations`.
    pub(crate) fn quiet(class: &'static str, reference: &str, milliseconds: u64) -> Work {
        Work { class, reference: reference.into(), operation: None, duration: Millis(milliseconds) }
    }

    fn start(&self, reference: RawRef) -> Start {
        let hold = self.operation.map(|operation| Hold { class: self.class, reference, operation });
        Start { duration: self.duration, holds: hold.into_iter().collect::<Vec<_>>() }
    }
}

/// An operation on one object. What it checks has to hold at its end, too: the world goes on while it works.
pub(crate) fn slow(
    work: Work,
    check: impl Fn(&Sim, &RawRef) -> Result<(), Failure> + Send + Copy + 'static,
    mut finish: impl FnMut(&mut Sim, &RawRef) -> Result<Value, Failure> + Send + 'static,
) -> Result<Box<dyn Operation>, Failure> {
    let (class, of) = (work.class, work.reference.clone());
    let begin = move |sim: &mut Sim| {
        let reference = sim.need(work.class, work.reference.as_str())?;
        check(sim, &reference)?;
        Ok(work.start(reference))
    };
    let finish = move |sim: &mut Sim| {
        let reference = sim.need(class, of.as_str())?;
        check(sim, &reference)?;
        finish(sim, &reference)
    };
    steps(begin, finish)
}
