//! Tasks: followed through events where there are any, else by asking for their records.

use alloc::string::ToString;

use xenapi_core::{Class, Failure, Millis, Ref, Wire, get_record};
use xenapi_model::task::{self, TaskStatusType};
use xenapi_model::{Task, task::Record};

use super::job::{Read, Stage, TicketId};
use super::{Client, Output, Purpose, Reply, Status};
use crate::cache::{Change, Operation};
use crate::error::Error;

/// The first wait between two looks at a task, and the longest.
const FIRST_LOOK: Millis = Millis(100);
const MOST_BETWEEN: Millis = Millis::from_secs(2);
/// The wait where events tell of every change, so that looking only guards against a lost one.
const GUARD: Millis = Millis::from_secs(5);
const FIRST_BESIDE_EVENTS: Millis = Millis::from_secs(1);

impl Client {
    /// Begins to follow the task of a call.
    pub(super) fn follow(&mut self, id: TicketId, task: Ref<Task>, now: Millis) {
        let by_events = self.status == Status::Live && self.cache.tracks(Task::DESC.name);
        let first = if by_events { FIRST_BESIDE_EVENTS } else { FIRST_LOOK };
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let cancel = core::mem::take(&mut job.cancel);
        job.stage = Stage::Following { task: task.clone(), due: now + first, wait: FIRST_LOOK };
        if cancel {
            self.cancel_task(&task, now);
        }
        if !self.login.wanted {
            return self.finish(id, Err(Error::LoggedOut));
        }
        // Events may have been faster than the answer.
        self.see_in_cache(id, &task, now);
    }

    pub(super) fn cancel_task(&mut self, task: &Ref<Task>, now: Millis) {
        if let Some(session) = self.login.session.as_ref() {
            let call = task::cancel(task).to_raw(session);
            self.send(Purpose::Forget, call, self.config.read_timeout, now);
        }
    }

    /// Asks for the record of a task.
    pub(super) fn look(&mut self, id: TicketId, task: Ref<Task>, wait: Millis, now: Millis) {
        let Some(session) = self.login.session.as_ref() else { return };
        let call = get_record::<Task>(&task).to_raw(session);
        if let Some(job) = self.jobs.get_mut(&id) {
            job.stage = Stage::Looking { task, wait };
            self.send(Purpose::Look(id), call, self.config.read_timeout, now);
        }
    }

    /// The answer to [`Client::look`].
    pub(super) fn task_seen(&mut self, id: TicketId, reply: Reply<'_>, now: Millis) {
        let Some(Stage::Looking { task, wait }) = self.jobs.get(&id).map(|job| &job.stage) else { return };
        let (task, wait) = (task.clone(), *wait);
        match reply {
            Reply::Success(reader) => match Record::read(reader) {
                Ok(record) => {
                    if !self.saw(id, &task, &record, now) {
                        self.look_later(id, task, wait, now);
                    }
                }
                Err(error) => self.finish(id, Err(error.into())),
            },
            // The task itself goes on, whatever happens to the session.
            Reply::Failure(failure)
                if self.login.wanted && matches!(failure.code.as_str(), "SESSION_INVALID" | "HOST_IS_SLAVE") =>
            {
                self.look_later(id, task, wait, now);
            }
            Reply::Failure(failure) => {
                let error = Error::Failure(failure);
                if error.is_retryable() { self.look_later(id, task, wait, now) } else { self.finish(id, Err(error)) }
            }
            Reply::Unreachable(_) if self.login.wanted => self.look_later(id, task, wait, now),
            Reply::Unreachable(what) => self.finish(id, Err(Error::Unreachable(what))),
            Reply::Broken(error) => self.finish(id, Err(error.into())),
        }
    }

    fn look_later(&mut self, id: TicketId, task: Ref<Task>, wait: Millis, now: Millis) {
        let by_events = self.status == Status::Live && self.cache.get(&task).is_some();
        let longer = Millis(wait.0.saturating_mul(2)).min(MOST_BETWEEN);
        let due = now + if by_events { GUARD } else { longer };
        if let Some(job) = self.jobs.get_mut(&id) {
            job.stage = Stage::Following { task, due, wait: longer };
        }
        if !self.login.wanted {
            self.finish(id, Err(Error::LoggedOut));
        }
    }

    /// Looks for followed tasks among the changes that events brought.
    pub(super) fn follow_changes(&mut self, changes: &[Change], now: Millis) {
        if !changes.iter().any(|change| change.class == "task") {
            return;
        }
        let mut next = TicketId(0);
        while let Some((&id, job)) = self.jobs.range(next..).next() {
            next = TicketId(id.0 + 1);
            let (Stage::Following { task, .. } | Stage::Looking { task, .. }) = &job.stage else { continue };
            let of_task = |change: &&Change| change.class == "task" && change.reference == *task.raw();
            let Some(change) = changes.iter().rfind(of_task) else { continue };
            let task = task.clone();
            match change.operation {
                // Gone: the server says best what that means.
                Operation::Deleted => self.look_at_once(id, now),
                _ => self.see_in_cache(id, &task, now),
            }
        }
    }

    fn look_at_once(&mut self, id: TicketId, now: Millis) {
        if let Some(Stage::Following { due, .. }) = self.jobs.get_mut(&id).map(|job| &mut job.stage) {
            *due = now;
        }
    }

    fn see_in_cache(&mut self, id: TicketId, task: &Ref<Task>, now: Millis) {
        if let Some(record) = self.cache.get(task).cloned() {
            self.saw(id, task, &record, now);
        }
    }

    /// Takes note of the state of a task. Whether that was its end.
    fn saw(&mut self, id: TicketId, task: &Ref<Task>, record: &Record, now: Millis) -> bool {
        let Some(job) = self.jobs.get_mut(&id) else { return true };
        let result = match record.status {
            TaskStatusType::Success => match &job.read {
                Read::Task(read) => read(&record.result).map_err(Error::Protocol),
                Read::Answer(_) => Err(Error::Misuse("not a task")),
            },
            TaskStatusType::Failure => Err(Failure::from_description(record.error_info.clone()).into()),
            TaskStatusType::Cancelled if record.error_info.is_empty() => {
                Err(Failure::new("TASK_CANCELLED", [task.to_string()]).into())
            }
            TaskStatusType::Cancelled => Err(Failure::from_description(record.error_info.clone()).into()),
            // Pending, cancelling, or a word of a later release: not finished.
            _ => {
                if job.progress != record.progress {
                    job.progress = record.progress;
                    self.outputs.push_back(Output::Progress(id, record.progress));
                }
                return false;
            }
        };
        job.progress = 1.0;
        self.finish(id, result);
        self.destroy_task(task, now);
        true
    }

    fn destroy_task(&mut self, task: &Ref<Task>, now: Millis) {
        if let Some(session) = self.login.session.as_ref() {
            let call = task::destroy(task).to_raw(session);
            self.send(Purpose::Forget, call, self.config.read_timeout, now);
        }
    }
}
