//! Operations made of functions: what has to be so, and what is done after a while.

use alloc::boxed::Box;
use alloc::vec::Vec;

use xenapi_core::{Failure, Millis, RawRef, Value};

use crate::Sim;
use crate::tasks::{Hold, Operation, Start};

/// What has to be so before it starts, and what it holds.
type Check<T> = fn(&mut Sim, &mut T) -> Result<Vec<Hold>, Failure>;
/// What it does in the end.
type Done<T> = fn(&mut Sim, &mut T) -> Result<Value, Failure>;

/// An operation whose parts are functions of a state.
struct Timed<T> {
    state: T,
    duration: Millis,
    check: Check<T>,
    done: Done<T>,
}

impl<T: Send> Operation for Timed<T> {
    fn begin(&mut self, sim: &mut Sim) -> Result<Start, Failure> {
        let holds = (self.check)(sim, &mut self.state)?;
        Ok(Start { duration: self.duration, holds })
    }

    fn finish(&mut self, sim: &mut Sim) -> Result<Value, Failure> {
        (self.done)(sim, &mut self.state)
    }
}

/// An operation that takes so many simulated milliseconds.
pub(crate) fn timed<T: Send + 'static>(
    state: T,
    milliseconds: u64,
    check: Check<T>,
    done: Done<T>,
) -> Result<Box<dyn Operation>, Failure> {
    Ok(Box::new(Timed { state, duration: Millis(milliseconds), check, done }))
}

/// Something to do when its time comes, with [`Sim::later`].
struct Deferred<T> {
    state: T,
    done: fn(&mut Sim, &T),
}

impl<T: Send> Operation for Deferred<T> {
    fn begin(&mut self, _: &mut Sim) -> Result<Start, Failure> {
        Ok(Start::default())
    }

    fn finish(&mut self, sim: &mut Sim) -> Result<Value, Failure> {
        (self.done)(sim, &self.state);
        Ok(Value::VOID)
    }
}

impl Sim {
    /// Calls a function after a while.
    pub(crate) fn defer<T: Send + 'static>(&mut self, delay: Millis, state: T, done: fn(&mut Sim, &T)) {
        self.later(delay, Box::new(Deferred { state, done }));
    }
}

/// A hold on one object.
pub(crate) fn hold(class: &'static str, reference: &RawRef, operation: &'static str) -> Hold {
    Hold { class, reference: reference.clone(), operation }
}
