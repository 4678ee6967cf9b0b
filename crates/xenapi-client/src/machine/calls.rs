//! Submitted calls: sent, sent again where that is safe, answered.

use xenapi_core::{Call, Failure, Millis, ReadError, Wire};
use xenapi_model::{Task, task};

use super::job::{AnyResult, Job, Read, Sendable, Stage, Ticket, TicketId};
use super::{Client, Output, Purpose, Reply, Status};
use crate::error::Error;

/// How often a call is sent again because its session had died before it was carried out.
const MOST_SESSIONS: u32 = 3;

impl Job {
    /// Whether it goes no further without a session, no answer being under way.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::Queued(_) | Stage::Following { .. })
    }
}

impl Client {
    /// Sends a call as soon as there is a session. The result is there when [`Output::Done`] names the ticket.
    ///
    /// A call that changes nothing is sent again when there was no answer. One that changes something never is, because it may
    /// have been carried out: it fails with [`Error::Unreachable`]. When the session has died, either is sent again with the
    /// next one.
    pub fn submit<R: Send + 'static>(&mut self, call: Call<R>, now: Millis) -> Ticket<R> {
        let job = Job::new(Sendable::new(&call), Read::answer(call.reader()), now);
        Ticket::new(self.enqueue(job))
    }

    /// Sends the `Async.` form of a call, follows its task, and destroys the task at the end.
    ///
    /// The result stands in the task's record as the text of a value; `read` reads it, so that the client needs no codec.
    /// A message without an `Async.` form fails with [`Error::Misuse`].
    pub fn submit_task<R: Wire + Send + 'static>(
        &mut self,
        call: Call<R>,
        read: fn(&str) -> Result<R, ReadError>,
        now: Millis,
    ) -> Ticket<R> {
        let call = call.into_task::<Task>().map(|call| Sendable::new(&call));
        match call {
            Some(call) => Ticket::new(self.enqueue(Job::new(call, Read::task(read), now))),
            None => {
                let id = self.next_ticket();
                let call = Sendable::new(&task::create("", ""));
                self.jobs.insert(id, Job::new(call, Read::task(read), now));
                self.finish(id, Err(Error::Misuse("this message cannot run as a task: call it directly")));
                Ticket::new(id)
            }
        }
    }

    /// Takes the result of a call, once, when there is one.
    pub fn take<R: 'static>(&mut self, ticket: &Ticket<R>) -> Option<Result<R, Error>> {
        if !matches!(self.jobs.get(&ticket.id())?.stage, Stage::Done(_)) {
            return None;
        }
        let Stage::Done(result) = self.jobs.remove(&ticket.id())?.stage else { return None };
        Some(result.and_then(|it| match it.downcast::<R>() {
            Ok(it) => Ok(*it),
            Err(_) => Err(Error::Misuse("the ticket is of another client")),
        }))
    }

    /// Asks to stop. A call that was not sent is not sent any more; a task is asked to cancel itself, and the result tells whether
    /// it did. A call that is on its way cannot be stopped.
    pub fn cancel(&mut self, id: TicketId, now: Millis) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let task = match &job.stage {
            Stage::Queued(_) => return self.finish(id, Err(Error::Cancelled)),
            Stage::Following { task, .. } | Stage::Looking { task, .. } => task.clone(),
            Stage::Sent => {
                job.cancel = true;
                return;
            }
            Stage::Done(_) => return,
        };
        self.cancel_task(&task, now);
    }

    /// Gives up interest in a result. What is under way at the server goes on.
    pub fn forget(&mut self, id: TicketId) {
        self.jobs.remove(&id);
    }

    /// How far the task of a call is, from 0 to 1; `None` for a call that is none.
    pub fn progress(&self, id: TicketId) -> Option<f64> {
        self.jobs.get(&id).filter(|job| job.is_task()).map(|job| job.progress)
    }

    fn next_ticket(&mut self) -> TicketId {
        self.last_ticket += 1;
        TicketId(self.last_ticket)
    }

    fn enqueue(&mut self, job: Job) -> TicketId {
        let id = self.next_ticket();
        let needs_session = job.call.takes_session;
        self.jobs.insert(id, job);
        if needs_session && !self.login.wanted {
            let why = if let Status::Refused(failure) = &self.status { failure.clone().into() } else { Error::LoggedOut };
            self.finish(id, Err(why));
        }
        id
    }

    pub(super) fn finish(&mut self, id: TicketId, result: Result<AnyResult, Error>) {
        if let Some(job) = self.jobs.get_mut(&id) {
            job.stage = Stage::Done(result);
            self.outputs.push_back(Output::Done(id));
        }
    }

    pub(super) fn advance_jobs(&mut self, now: Millis) {
        let mut next = TicketId(0);
        while let Some((&id, job)) = self.jobs.range(next..).next() {
            next = TicketId(id.0 + 1);
            match &job.stage {
                Stage::Queued(not_before) if *not_before <= now => self.send_job(id, now),
                Stage::Following { task, due, wait } if *due <= now => {
                    let (task, wait) = (task.clone(), *wait);
                    self.look(id, task, wait, now);
                }
                _ => {}
            }
        }
    }

    /// Sends a call, if there is a session or it needs none; gives it up when it has waited too long for one.
    fn send_job(&mut self, id: TicketId, now: Millis) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if job.call.takes_session && self.login.session.is_none() {
            if now >= job.submitted + self.config.read_timeout {
                let why = match &self.status {
                    Status::Waiting { why, .. } => why.clone(),
                    _ => Error::Unreachable("there was no session in time".into()),
                };
                self.finish(id, Err(why));
            }
            return;
        }
        job.attempts += 1;
        job.stage = Stage::Sent;
        let config = &self.config;
        let timeout = if job.call.read_only { config.read_timeout } else { config.change_timeout };
        let call = job.call.to_raw(self.login.session.as_ref());
        self.send(Purpose::Call(id), call, timeout, now);
    }

    pub(super) fn jobs_due(&self) -> impl Iterator<Item = Millis> + '_ {
        let connected = self.login.session.is_some();
        self.jobs.values().filter_map(move |job| match &job.stage {
            Stage::Queued(_) if job.call.takes_session && !connected => Some(job.submitted + self.config.read_timeout),
            Stage::Queued(not_before) => Some(*not_before),
            Stage::Following { due, .. } if connected => Some(*due),
            _ => None,
        })
    }

    pub(super) fn call_answered(&mut self, id: TicketId, reply: Reply<'_>, now: Millis) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let result = match (reply, &job.read) {
            (Reply::Success(reader), Read::Answer(read)) => read(reader).map_err(Error::Protocol),
            (Reply::Success(reader), Read::Task(_)) => match xenapi_core::Ref::<Task>::read(reader) {
                Ok(task) => return self.follow(id, task, now),
                Err(error) => Err(error.into()),
            },
            (Reply::Failure(failure), _) => match self.again_after_refusal(id, &failure, now) {
                true => return,
                false => Err(failure.into()),
            },
            (Reply::Broken(error), _) => Err(error.into()),
            (Reply::Unreachable(what), _) => match self.again_after_silence(id, now) {
                true => return,
                false => Err(Error::Unreachable(what)),
            },
        };
        self.finish(id, result);
    }

    /// Whether the call was put back into the queue: it was refused before it was looked at, for the sake of its session.
    fn again_after_refusal(&mut self, id: TicketId, failure: &Failure, now: Millis) -> bool {
        let before = matches!(failure.code.as_str(), "SESSION_INVALID" | "HOST_IS_SLAVE");
        let wanted = self.login.wanted;
        match self.jobs.get_mut(&id) {
            Some(job) if before && wanted && job.call.takes_session && job.attempts <= MOST_SESSIONS => {
                job.stage = Stage::Queued(now);
                true
            }
            _ => false,
        }
    }

    /// Whether the call was put back into the queue: it changes nothing, so it does no harm twice.
    fn again_after_silence(&mut self, id: TicketId, now: Millis) -> bool {
        let retries = self.config.retries;
        let wanted = self.login.wanted;
        match self.jobs.get_mut(&id) {
            Some(job) if job.call.read_only && wanted && job.attempts <= retries => {
                let wait = self.config.backoff.delay(job.attempts, &mut self.jitter);
                job.stage = Stage::Queued(now + wait);
                true
            }
            _ => false,
        }
    }
}
