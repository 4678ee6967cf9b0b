//! Calls on their way.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::any::Any;
use core::fmt;
use core::marker::PhantomData;

use xenapi_core::{Call, Millis, RawCall, RawRef, ReadError, Reader, Ref, Value};
use xenapi_model::Task;

use super::RequestId;
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

/// How one call is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CallOptions {
    /// How long it may take, its wait in line included; none: as the configuration says, and a task as long as it needs. A task that
    /// takes longer is cancelled.
    pub timeout: Option<Millis>,
    /// Whether a call that changes something may be sent again after an answer was lost, if the schema says that twice is as good as
    /// once ([`xenapi_core::Call::is_retryable`]). What somebody else did in between is undone then.
    pub repeat: bool,
}

/// A result whose type only the ticket knows.
pub(super) type AnyResult = Box<dyn Any + Send>;

/// A call without the type of its result.
pub(super) struct Sendable {
    method: String,
    params: Vec<Value>,
    pub(super) takes_session: bool,
    pub(super) read_only: bool,
    pub(super) retryable: bool,
}

impl Sendable {
    pub(super) fn new<R>(call: &Call<R>) -> Self {
        Sendable {
            method: call.name(),
            params: call.params().to_vec(),
            takes_session: call.method().takes_session(),
            read_only: call.is_read_only(),
            retryable: call.is_retryable(),
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
    /// The answer only says that the server has touched an object: from now on, events tell everything that was before.
    Barrier,
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
    /// It was sent, and its answer was lost: its task, if there is one, is looked for by its tag.
    Seeking {
        due: Millis,
        looks: u32,
        /// Why there was no answer.
        why: Error,
    },
    /// The tasks are asked for.
    Searching { looks: u32, why: Error },
    /// A task is at work. Look at it at `due`; each look lets the next wait longer.
    Following { task: Ref<Task>, due: Millis, wait: Millis },
    /// Its record is asked for.
    Looking { task: Ref<Task>, wait: Millis },
    /// A barrier: settled by the answer to a request for events that is later than this one.
    Settling(RequestId),
    /// To be taken.
    Done(Result<AnyResult, Error>),
}

pub(super) struct Job {
    pub(super) call: Sendable,
    pub(super) read: Read,
    pub(super) options: CallOptions,
    pub(super) stage: Stage,
    pub(super) submitted: Millis,
    /// Since when it waits in line, or is sought.
    pub(super) in_line_since: Millis,
    /// Since when the server says that it is not ready.
    pub(super) refused_since: Option<Millis>,
    /// How often the record of its task could not be read.
    pub(super) unreadable: u32,
    /// How often it was sent.
    pub(super) attempts: u32,
    /// How far its task is, from 0 to 1.
    pub(super) progress: f64,
    /// Whether to cancel the task as soon as there is one.
    pub(super) cancel: bool,
    /// The caller's limit is over: the task was asked to cancel itself, and is given up at that time.
    pub(super) given_up_at: Option<Millis>,
    /// Nobody wants the result any more, but the task has to go.
    pub(super) forgotten: bool,
    /// What its task carries, so that it is found when the answer is lost.
    pub(super) tag: Option<String>,
}

impl Job {
    pub(super) fn new(call: Sendable, read: Read, options: CallOptions, now: Millis) -> Self {
        Job {
            call,
            read,
            options,
            stage: Stage::Queued(now),
            submitted: now,
            in_line_since: now,
            refused_since: None,
            unreadable: 0,
            attempts: 0,
            progress: 0.0,
            cancel: false,
            given_up_at: None,
            forgotten: false,
            tag: None,
        }
    }

    pub(super) fn is_task(&self) -> bool {
        matches!(self.read, Read::Task(_))
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Done(_))
    }

    /// The task that works for it.
    pub(super) fn task(&self) -> Option<&Ref<Task>> {
        match &self.stage {
            Stage::Following { task, .. } | Stage::Looking { task, .. } => Some(task),
            _ => None,
        }
    }

    /// Whether it has or may have a task at work.
    pub(super) fn is_at_work(&self) -> bool {
        self.is_task() && !matches!(self.stage, Stage::Queued(_) | Stage::Done(_))
    }

    /// When the caller's limit of time is over.
    pub(super) fn deadline(&self) -> Option<Millis> {
        self.options.timeout.map(|timeout| self.submitted + timeout)
    }
}
