//! Calls on their way.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::any::Any;
use core::fmt;
use core::marker::PhantomData;

use xenapi_core::{Call, Millis, RawCall, RawRef, ReadError, Reader, Ref, Value};
use xenapi_model::Task;

use crate::error::Error;

/// Which submitted call. Never used twice by a client.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TicketId(pub u64);

/// The claim to the result of a submitted call.
pub struct Ticket<R> {
    id: TicketId,
    result: PhantomData<fn() -> R>,
}

impl<R> Ticket<R> {
    pub(super) fn new(id: TicketId) -> Self {
        Ticket { id, result: PhantomData }
    }

    /// Which call; what [`crate::Output::Done`] names.
    pub fn id(&self) -> TicketId {
        self.id
    }
}

impl<R> fmt::Debug for Ticket<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({})", self.id.0)
    }
}

/// A result whose type only the ticket knows.
pub(super) type AnyResult = Box<dyn Any + Send>;

/// A call without the type of its result.
pub(super) struct Sendable {
    method: String,
    params: Vec<Value>,
    pub(super) takes_session: bool,
    pub(super) read_only: bool,
}

impl Sendable {
    pub(super) fn new<R>(call: &Call<R>) -> Self {
        Sendable {
            method: call.name(),
            params: call.params().to_vec(),
            takes_session: call.method().takes_session(),
            read_only: call.is_read_only(),
        }
    }

    pub(super) fn to_raw(&self, session: Option<&RawRef>) -> RawCall {
        let session = session.filter(|_| self.takes_session).map(Value::from);
        RawCall { method: self.method.clone(), params: session.into_iter().chain(self.params.iter().cloned()).collect() }
    }
}

type ReadAnswer = dyn Fn(&mut dyn Reader) -> Result<AnyResult, ReadError> + Send;
type ReadText = dyn Fn(&str) -> Result<AnyResult, ReadError> + Send;

/// How the result is read.
pub(super) enum Read {
    /// From the answer itself.
    Answer(Box<ReadAnswer>),
    /// From the text in the record of the task that the answer names.
    Task(Box<ReadText>),
}

impl Read {
    pub(super) fn answer<R: Send + 'static>(read: fn(&mut dyn Reader) -> Result<R, ReadError>) -> Self {
        Read::Answer(Box::new(move |reader| Ok(Box::new(read(reader)?))))
    }

    pub(super) fn task<R: Send + 'static>(read: fn(&str) -> Result<R, ReadError>) -> Self {
        Read::Task(Box::new(move |text| Ok(Box::new(read(text)?))))
    }
}

/// How far a call has come.
pub(super) enum Stage {
    /// To be sent, not before that time.
    Queued(Millis),
    /// On its way.
    Sent,
    /// A task is at work. Look at it at `due`; each look lets the next wait longer.
    Following { task: Ref<Task>, due: Millis, wait: Millis },
    /// Its record is asked for.
    Looking { task: Ref<Task>, wait: Millis },
    /// To be taken.
    Done(Result<AnyResult, Error>),
}

pub(super) struct Job {
    pub(super) call: Sendable,
    pub(super) read: Read,
    pub(super) stage: Stage,
    pub(super) submitted: Millis,
    /// How often it was sent.
    pub(super) attempts: u32,
    /// How far its task is, from 0 to 1.
    pub(super) progress: f64,
    /// Whether to cancel the task as soon as there is one.
    pub(super) cancel: bool,
}

impl Job {
    pub(super) fn new(call: Sendable, read: Read, now: Millis) -> Self {
        Job { call, read, stage: Stage::Queued(now), submitted: now, attempts: 0, progress: 0.0, cancel: false }
    }

    pub(super) fn is_task(&self) -> bool {
        matches!(self.read, Read::Task(_))
    }
}
