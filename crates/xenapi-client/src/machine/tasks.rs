//! Tasks: followed through events where there are any, else by asking for their records; found again when the answer that would
//! have named them was lost; taken away at the end.

use alloc::string::ToString;
use alloc::vec::Vec;

use xenapi_core::{Class, Failure, Millis, Records, Ref, Wire, get_all_records, get_record};
use xenapi_model::task::TaskStatusType;
use xenapi_model::{Task, task::Record};

use super::chores::Chore;
use super::job::{Read, Stage, TicketId};
use super::tags::STORED;
use super::{Answer, Client, Output, Purpose, Status};
use crate::cache::{Change, Operation};
use crate::error::Error;

/// The first wait between two looks at a task, and the longest.
const FIRST_LOOK: Millis = Millis(100);
const MOST_BETWEEN: Millis = Millis::from_secs(2);
/// The wait where events tell of every change, so that looking only guards against a lost one.
const GUARD: Millis = Millis::from_secs(5);
const FIRST_BESIDE_EVENTS: Millis = Millis::from_secs(1);
/// How often a task is looked for after its answer was lost: the call itself may still be on its way.
const SEARCHES: u32 = 2;
const BETWEEN_SEARCHES: Millis = Millis::from_secs(1);
/// So many unreadable records in a row are enough.
const UNREADABLE: u32 = 5;

impl Client {
    /// Begins to follow the task of a call.
    pub(super) fn follow(&mut self, id: TicketId, task: Ref<Task>, now: Millis) {
        let by_events = self.status == Status::Live && self.cache.tracks(Task::RECORD.name);
        let first = if by_events { FIRST_BESIDE_EVENTS } else { FIRST_LOOK };
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if job.forgotten || !self.login.wanted {
            self.chores.add(Chore::Destroy(task), now);
            return self.finish(id, Err(Error::LoggedOut));
        }
        let cancel = core::mem::take(&mut job.cancel);
        let tag = job.tag.clone().unwrap_or_default();
        job.stage = Stage::Following { task: task.clone(), due: now + first, wait: FIRST_LOOK };
        self.queue.wake(id, now + first);
        if cancel {
            self.chores.add(Chore::Cancel(task.clone()), now);
        }
        self.clear_others(&tag, Some(&task), now);
        // Events may have been faster than the answer.
        self.see_in_cache(id, &task, now);
    }

    /// At logout: tasks go on, and go when they are over.
    pub(super) fn leave_tasks(&mut self, now: Millis) {
        for job in self.jobs.values() {
            if let Some(task) = job.task() {
                self.chores.add(Chore::Destroy(task.clone()), now);
            }
        }
    }

    /// The answer that would have named the task was lost. If the call carried a tag, so does its task.
    pub(super) fn seek(&mut self, id: TicketId, why: Error, now: Millis) {
        let is_over = !self.login.wanted && self.login.session.is_none();
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if job.tag.is_none() || is_over {
            return self.finish(id, Err(why));
        }
        job.stage = Stage::Seeking { due: now, looks: 0, why };
        job.in_line_since = now;
        self.queue.wake(id, now);
    }

    /// Asks for all tasks.
    pub(super) fn search(&mut self, id: TicketId, now: Millis) {
        let patience = self.config.patience;
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let Stage::Seeking { looks, why, .. } = &job.stage else { return };
        let (looks, why) = (*looks, why.clone());
        if now >= job.in_line_since + patience {
            return self.finish(id, Err(why));
        }
        let Some(session) = self.login.session.as_ref() else {
            return self.queue.wake(id, job.in_line_since + patience);
        };
        let call = get_all_records::<Task>().to_raw(session);
        job.stage = Stage::Searching { looks, why };
        self.send(Purpose::Search(id), call, self.config.read_timeout, now);
    }

    /// The answer to [`Client::search`].
    pub(super) fn tasks_seen(&mut self, id: TicketId, answer: Answer<'_>, now: Millis) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let Stage::Searching { looks, why } = &job.stage else { return };
        let (mut looks, why, tag) = (*looks, why.clone(), job.tag.clone());
        if let Answer::Success(reader) = answer
            && let Ok(all) = Records::<Record>::read(reader)
        {
            let carries = |record: &Record| record.other_config.get(STORED).is_some_and(|it| Some(it) == tag.as_deref());
            if let Some((task, _)) = all.records.into_iter().find(|(_, record)| carries(record)) {
                return self.follow(id, task, now);
            }
            looks += 1;
        }
        if looks >= SEARCHES {
            return self.finish(id, Err(why));
        }
        let due = now + BETWEEN_SEARCHES;
        if let Some(job) = self.jobs.get_mut(&id) {
            job.stage = Stage::Seeking { due, looks, why };
        }
        self.queue.wake(id, due);
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
    pub(super) fn task_seen(&mut self, id: TicketId, answer: Answer<'_>, now: Millis) {
        let Some(Stage::Looking { task, wait }) = self.jobs.get(&id).map(|job| &job.stage) else { return };
        let (task, wait) = (task.clone(), *wait);
        let error = match answer {
            Answer::Success(reader) => match Record::read(reader) {
                Ok(record) => {
                    if !self.saw(id, &task, &record, now) {
                        self.look_later(id, task, wait, now);
                    }
                    return;
                }
                Err(error) => Error::from(error),
            },
            Answer::Broken(error) => error.into(),
            // The task itself goes on, whatever happens to the session.
            Answer::Failure(failure) if matches!(failure.code.as_str(), "SESSION_INVALID" | "HOST_IS_SLAVE") => {
                return self.look_later(id, task, wait, now);
            }
            Answer::Failure(failure) if failure.code == "HANDLE_INVALID" => {
                return self.finish(id, Err(failure.into()));
            }
            Answer::Failure(failure) => failure.into(),
            Answer::Lost(_) => return self.look_later(id, task, wait, now),
        };
        let Some(job) = self.jobs.get_mut(&id) else { return };
        job.unreadable += 1;
        if error.is_retryable() || job.unreadable < UNREADABLE {
            return self.look_later(id, task, wait, now);
        }
        self.chores.add(Chore::Destroy(task), now);
        self.finish(id, Err(error));
    }

    fn look_later(&mut self, id: TicketId, task: Ref<Task>, wait: Millis, now: Millis) {
        let by_events = self.status == Status::Live && self.watch.waits_for_events() && self.cache.tracks(Task::RECORD.name);
        let due = now + if by_events { GUARD } else { wait };
        let longer = Millis(wait.0.saturating_mul(2)).min(MOST_BETWEEN);
        if !self.login.wanted {
            return self.finish(id, Err(Error::LoggedOut));
        }
        if let Some(job) = self.jobs.get_mut(&id) {
            job.stage = Stage::Following { task, due, wait: longer };
            self.queue.wake(id, due);
        }
    }

    /// Looks for followed tasks among the changes that events brought, and for tasks of this client that nobody waits for.
    pub(super) fn follow_changes(&mut self, changes: &[Change], now: Millis) {
        let of_tasks: Vec<_> = changes.iter().filter_map(|change| Some((change.of::<Task>()?, change.operation))).collect();
        for (task, operation) in of_tasks {
            let working = self.jobs.iter().find(|(_, job)| job.task() == Some(&task)).map(|(id, _)| *id);
            match (working, operation) {
                // Gone: the server says best what that means.
                (Some(id), Operation::Deleted) => self.look_at_once(id, now),
                (Some(id), _) => self.see_in_cache(id, &task, now),
                (None, Operation::Deleted) => {}
                (None, _) => self.meet(&task, now),
            }
        }
    }

    /// A task that no call is known to have started: it may be the one that a call looks for, or what remains of one.
    fn meet(&mut self, task: &Ref<Task>, now: Millis) {
        let Some(record) = self.cache.get(task) else { return };
        let Some(tag) = record.other_config.get(STORED).map(alloc::string::String::from) else { return };
        let Some(id) = self.tags.ticket(&tag) else { return };
        let job = self.jobs.get(&id).filter(|job| !job.is_done() && job.tag.as_ref() == Some(&tag));
        match job.map(|job| &job.stage) {
            Some(Stage::Seeking { .. }) => self.follow(id, task.clone(), now),
            // The answer will name it.
            Some(Stage::Sent | Stage::Searching { .. }) => {}
            _ => self.chores.add(Chore::Destroy(task.clone()), now),
        }
    }

    /// Takes away what a call has started beside the task that it follows: a connection that broke may have carried it twice.
    pub(super) fn clear_others(&mut self, tag: &str, kept: Option<&Ref<Task>>, now: Millis) {
        let is_other = |task: &Ref<Task>, record: &Record| {
            Some(task) != kept && record.other_config.get(STORED).is_some_and(|it| it == tag)
        };
        let all = self.cache.iter::<Task>();
        let others: Vec<_> = all.filter(|(task, record)| is_other(task, record)).map(|(task, _)| task).collect();
        for task in others {
            self.chores.add(Chore::Destroy(task), now);
        }
    }

    fn look_at_once(&mut self, id: TicketId, now: Millis) {
        if let Some(Stage::Following { due, .. }) = self.jobs.get_mut(&id).map(|job| &mut job.stage) {
            *due = now;
            self.queue.wake(id, now);
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
        let given_up = job.given_up_at.and(job.options.timeout);
        let result = match (&record.status, given_up) {
            (TaskStatusType::Success, _) => match &job.read {
                Read::Task(read) => read(&record.result).map_err(Error::Protocol),
                Read::Answer(_) | Read::Barrier => Err(Error::Misuse("not a task")),
            },
            (TaskStatusType::Failure, _) => Err(Failure::from_description(record.error_info.clone()).into()),
            (TaskStatusType::Cancelled, Some(limit)) => Err(Error::TimedOut(limit)),
            (TaskStatusType::Cancelled, None) if record.error_info.is_empty() => {
                Err(Failure::new("TASK_CANCELLED", [task.to_string()]).into())
            }
            (TaskStatusType::Cancelled, None) => Err(Failure::from_description(record.error_info.clone()).into()),
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
        self.chores.add(Chore::Destroy(task.clone()), now);
        true
    }
}
