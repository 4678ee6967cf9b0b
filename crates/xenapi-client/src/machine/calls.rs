//! Submitted calls: in line, sent, sent again where that is safe, answered.

use alloc::boxed::Box;
use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;

use xenapi_core::{Call, Class, Failure, Millis, RawRef, ReadError, Ref, Wire};
use xenapi_model::{Pool, Task, event, task};

use super::chores::Chore;
use super::job::{AnyResult, CallOptions, Job, Read, Sendable, Stage, Ticket, TicketId};
use super::{Answer, Client, Output, Purpose, RequestId, Status};
use crate::error::Error;

/// How often a call is sent again because its session had died before it was carried out.
const MOST_SESSIONS: u32 = 3;
/// How long a task may take to cancel itself after its time was over.
const GRACE: Millis = Millis::from_secs(10);

/// Where a call waits. Those that wait are served in turn, so that none of them keeps the others out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lane {
    /// Calls that need no session.
    Free,
    /// Calls that change nothing.
    Looks,
    /// Calls that change something, and may take long.
    Changes,
    /// Tasks.
    Tasks,
}

impl Lane {
    const ALL: [Lane; 4] = [Lane::Free, Lane::Looks, Lane::Changes, Lane::Tasks];

    fn of(job: &Job) -> Lane {
        match () {
            () if !job.call.takes_session => Lane::Free,
            () if job.is_task() => Lane::Tasks,
            () if job.call.read_only => Lane::Looks,
            () => Lane::Changes,
        }
    }
}

/// The calls that wait, and how many are on their way.
#[derive(Default)]
pub(super) struct Queue {
    lanes: [VecDeque<TicketId>; Lane::ALL.len()],
    on_way: [usize; Lane::ALL.len()],
    /// The lane whose turn it is.
    turn: usize,
    /// When to look at which call. A call may have been there since; then nothing happens.
    timers: BTreeSet<(Millis, TicketId)>,
}

impl Queue {
    fn is_full(&self, most: usize) -> bool {
        self.on_way.iter().sum::<usize>() >= most.max(1)
    }

    fn returned(&mut self, lane: Lane) {
        if let Some(count) = self.on_way.get_mut(lane as usize) {
            *count = count.saturating_sub(1);
        }
    }

    pub(super) fn wake(&mut self, id: TicketId, at: Millis) {
        self.timers.insert((at, id));
    }

    fn take_due(&mut self, now: Millis) -> Option<TicketId> {
        let first = self.timers.first().filter(|(at, _)| *at <= now)?.1;
        self.timers.pop_first();
        Some(first)
    }
}

impl Client {
    /// Sends a call as soon as there is a session. The result is there when [`Output::Done`] names the ticket.
    ///
    /// A call that changes nothing is sent again when there was no answer. One that changes something is not, because it may
    /// have been carried out: it fails with [`Error::Unreachable`]. When the session has died, either is sent again with the
    /// next one; when the server is not ready, either is put off for [`crate::Config::patience`].
    pub fn submit<R: Send + 'static>(&mut self, call: Call<R>, now: Millis) -> Ticket<R> {
        self.submit_with(call, CallOptions::default(), now)
    }

    /// [`Client::submit`] with a limit of time, or with leave to send a change again.
    pub fn submit_with<R: Send + 'static>(&mut self, call: Call<R>, options: CallOptions, now: Millis) -> Ticket<R> {
        let job = Job::new(Sendable::new(&call), Read::answer(call.reader()), options, now);
        Ticket::new(self.enqueue(job, now))
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
        self.submit_task_with(call, read, CallOptions::default(), now)
    }

    /// [`Client::submit_task`] with a limit of time: a task that takes longer is cancelled, and the call ends with
    /// [`Error::TimedOut`].
    pub fn submit_task_with<R: Wire + Send + 'static>(
        &mut self,
        call: Call<R>,
        read: fn(&str) -> Result<R, ReadError>,
        options: CallOptions,
        now: Millis,
    ) -> Ticket<R> {
        match call.into_task::<Task>() {
            Some(call) => {
                let job = Job::new(Sendable::new(&call), Read::task(read), options, now);
                Ticket::new(self.enqueue(job, now))
            }
            None => self.failed(Error::Misuse("this message cannot run as a task: call it directly"), now),
        }
    }

    /// A barrier for reading what was written: it is done when the cache holds everything that had happened at the server when
    /// this was called, the effects of all calls that were answered by then included.
    pub fn barrier(&mut self, now: Millis) -> Ticket<()> {
        if !self.watch.wanted {
            return self.failed(Error::Misuse("nothing is watched, so the cache will not change: watch first"), now);
        }
        let pool = self.cache.iter::<Pool>().next().map(|(reference, _)| reference.into_raw());
        // Touching an object makes the server answer at once who waits for events about it. Without one it works as well, but
        // takes up to the time for which the server holds back its answer.
        let reference = pool.unwrap_or_else(RawRef::null);
        let call = Sendable::new(&event::inject(Pool::RECORD.name, reference.as_str()));
        Ticket::new(self.enqueue(Job::new(call, Read::Barrier, CallOptions::default(), now), now))
    }

    /// Takes the result of a call, once, when there is one.
    pub fn take<R: 'static>(&mut self, ticket: &Ticket<R>) -> Option<Result<R, Error>> {
        if !self.jobs.get(&ticket.id())?.is_done() {
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
        match &job.stage {
            Stage::Queued(_) | Stage::Settling(_) => self.finish(id, Err(Error::Cancelled)),
            Stage::Following { task, .. } | Stage::Looking { task, .. } => {
                self.chores.add(Chore::Cancel(task.clone()), now);
            }
            Stage::Sent | Stage::Seeking { .. } | Stage::Searching { .. } => job.cancel = true,
            Stage::Done(_) => {}
        }
    }

    /// Gives up interest in a result. What is under way at the server goes on; its task is taken away when it is over.
    pub fn forget(&mut self, id: TicketId) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        match job.task().cloned() {
            Some(task) => self.chores.add(Chore::Destroy(task), Millis(0)),
            // Its task may be on its way: it is waited for, and then taken away.
            None if job.is_at_work() => {
                job.forgotten = true;
                return;
            }
            None => {}
        }
        self.jobs.remove(&id);
    }

    /// How far the task of a call is, from 0 to 1; `None` for a call that is none.
    pub fn progress(&self, id: TicketId) -> Option<f64> {
        self.jobs.get(&id).filter(|job| job.is_task()).map(|job| job.progress)
    }

    /// The task that works for a call, while there is one.
    pub fn task_of(&self, id: TicketId) -> Option<&Ref<Task>> {
        self.jobs.get(&id)?.task()
    }

    /// How many calls have been submitted and not answered.
    pub fn unanswered_calls(&self) -> usize {
        self.jobs.values().filter(|job| !job.is_done()).count()
    }

    /// A ticket for what cannot be.
    fn failed<R>(&mut self, why: Error, now: Millis) -> Ticket<R> {
        let id = self.next_ticket();
        let nothing = Sendable::new(&task::create("", ""));
        self.jobs.insert(id, Job::new(nothing, Read::Barrier, CallOptions::default(), now));
        self.finish(id, Err(why));
        Ticket::new(id)
    }

    fn next_ticket(&mut self) -> TicketId {
        self.last_ticket += 1;
        TicketId(self.last_ticket)
    }

    fn enqueue(&mut self, job: Job, now: Millis) -> TicketId {
        let id = self.next_ticket();
        let needs_session = job.call.takes_session;
        if let Some(deadline) = job.deadline() {
            self.queue.wake(id, deadline);
        }
        self.jobs.insert(id, job);
        if needs_session && !self.login.wanted {
            let why = if let Status::Refused(failure) = &self.status { failure.clone().into() } else { Error::LoggedOut };
            self.finish(id, Err(why));
        } else {
            self.put_in_line(id, now, now);
        }
        id
    }

    /// Puts a call in line, from `not_before` on.
    fn put_in_line(&mut self, id: TicketId, not_before: Millis, now: Millis) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        job.stage = Stage::Queued(not_before);
        job.in_line_since = now;
        if not_before > now {
            return self.queue.wake(id, not_before);
        }
        let lane = Lane::of(job);
        if let Some(line) = self.queue.lanes.get_mut(lane as usize) {
            line.push_back(id);
        }
        self.queue.wake(id, now + self.config.read_timeout);
    }

    pub(super) fn finish(&mut self, id: TicketId, result: Result<AnyResult, Error>) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if let Some(tag) = job.tag.take() {
            // Events may have told of what it has started while its own answer was waited for.
            let kept = job.task().cloned();
            self.clear_others(&tag, kept.as_ref(), Millis(0));
        }
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if job.forgotten {
            self.jobs.remove(&id);
        } else if !job.is_done() {
            job.stage = Stage::Done(result);
            self.outputs.push_back(Output::Done(id));
        }
    }

    pub(super) fn advance_jobs(&mut self, now: Millis) {
        while let Some(id) = self.queue.take_due(now) {
            self.wake_job(id, now);
        }
        while let Some(id) = self.next_in_line() {
            self.send_job(id, now);
        }
    }

    /// Something about a call may be due.
    fn wake_job(&mut self, id: TicketId, now: Millis) {
        let Some(job) = self.jobs.get_mut(&id).filter(|job| !job.is_done()) else { return };
        if job.given_up_at.is_some_and(|at| at <= now) {
            return self.give_up(id, now);
        }
        if job.given_up_at.is_none() && job.deadline().is_some_and(|at| at <= now) {
            return self.time_is_over(id, now);
        }
        match &job.stage {
            Stage::Queued(not_before) if *not_before <= now => self.wake_in_line(id, now),
            Stage::Following { task, due, wait } if *due <= now => {
                let (task, wait) = (task.clone(), *wait);
                self.look(id, task, wait, now);
            }
            Stage::Seeking { due, .. } if *due <= now => self.search(id, now),
            _ => {}
        }
    }

    fn wake_in_line(&mut self, id: TicketId, now: Millis) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if matches!(job.stage, Stage::Queued(not_before) if not_before > job.in_line_since) {
            return self.put_in_line(id, now, now);
        }
        let has_waited = now >= job.in_line_since + self.config.read_timeout;
        if !has_waited {
            return;
        }
        if !job.call.takes_session || self.login.session.is_some() {
            // Others were before it; should the session be lost, it waits for the next one from now on.
            job.in_line_since = now;
            return self.queue.wake(id, now + self.config.read_timeout);
        }
        let why = match &self.status {
            Status::Waiting { why, .. } => why.clone(),
            _ => Error::Unreachable("there was no session in time".into()),
        };
        self.finish(id, Err(why));
    }

    /// The next call to send, if one may be sent now.
    fn next_in_line(&mut self) -> Option<TicketId> {
        let count = Lane::ALL.len();
        for step in 0..count {
            let lane = Lane::ALL[(self.queue.turn + step) % count];
            while self.may_send(lane) {
                let Some(id) = self.queue.lanes.get_mut(lane as usize).and_then(VecDeque::pop_front) else { break };
                // It may have been cancelled meanwhile.
                if self.jobs.get(&id).is_some_and(|job| matches!(job.stage, Stage::Queued(_))) {
                    self.queue.turn = (lane as usize + 1) % count;
                    return Some(id);
                }
            }
        }
        None
    }

    fn may_send(&self, lane: Lane) -> bool {
        let (queue, most) = (&self.queue, self.config.concurrency.max(1));
        if queue.lanes.get(lane as usize).is_none_or(VecDeque::is_empty) || queue.is_full(most) {
            return false;
        }
        if lane != Lane::Free && self.login.session.is_none() {
            return false;
        }
        match lane {
            Lane::Free | Lane::Looks => true,
            // Servers let changes wait for each other, for minutes: a part is kept free for those who only look.
            Lane::Changes => queue.on_way.get(lane as usize).is_some_and(|count| *count < (most - most / 4).max(1)),
            Lane::Tasks => self.jobs.values().filter(|job| job.is_at_work()).count() < self.config.tasks.max(1),
        }
    }

    fn send_job(&mut self, id: TicketId, now: Millis) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        job.attempts += 1;
        job.stage = Stage::Sent;
        let config = &self.config;
        // A task answers at once, and is found again if it does not.
        let is_short = job.call.read_only || job.is_task();
        let usual = if is_short { config.read_timeout } else { config.change_timeout };
        let left = job.deadline().filter(|_| !job.is_task()).map(|deadline| deadline - now);
        let timeout = left.map_or(usual, |left| left.max(Millis(1)));
        if job.is_task() {
            job.tag = self.tags.tag(id);
        }
        let lane = Lane::of(job);
        if let Some(count) = self.queue.on_way.get_mut(lane as usize) {
            *count += 1;
        }
        let call = job.call.to_raw(self.login.session.as_ref());
        self.send(Purpose::Call(id, lane), call, timeout, now);
    }

    pub(super) fn jobs_due(&self, now: Millis) -> Option<Millis> {
        self.queue.timers.iter().map(|(at, _)| *at).find(|at| *at > now)
    }

    /// There is a new session: what is at work is looked after at once.
    pub(super) fn restart_jobs(&mut self, now: Millis) {
        for (id, job) in &mut self.jobs {
            if let Stage::Following { due, .. } | Stage::Seeking { due, .. } = &mut job.stage {
                *due = now;
                self.queue.wake(*id, now);
            }
        }
    }

    pub(super) fn call_answered(&mut self, id: TicketId, lane: Lane, answer: Answer<'_>, now: Millis) {
        self.queue.returned(lane);
        let job = self.jobs.get_mut(&id).filter(|job| !job.is_done());
        let Some(job) = job else { return self.answered_too_late(lane, answer, now) };
        let result = match (answer, &job.read) {
            (Answer::Success(reader), Read::Answer(read)) => read(reader).map_err(Error::Protocol),
            (Answer::Success(reader), Read::Task(_)) => match Ref::<Task>::read(reader) {
                Ok(task) => return self.follow(id, task, now),
                Err(error) => return self.seek(id, error.into(), now),
            },
            (Answer::Failure(failure), _) => match self.again_after_refusal(id, &failure, now) {
                true => return,
                false => Err(failure.into()),
            },
            (Answer::Broken(error), Read::Task(_)) => return self.seek(id, error.into(), now),
            (Answer::Lost(what), Read::Task(_)) => return self.seek(id, what.into(), now),
            (Answer::Broken(error), _) => Err(error.into()),
            (Answer::Lost(what), _) => match self.again_after_silence(id, now) {
                true => return,
                false => Err(Error::Unreachable(what)),
            },
            (Answer::Success(_), Read::Barrier) => Ok(Box::new(()) as AnyResult),
        };
        if self.jobs.get(&id).is_some_and(|job| matches!(job.read, Read::Barrier)) {
            // Whether the touch has worked or not only decides how soon the server answers.
            return self.settle_later(id);
        }
        if result.is_ok() {
            self.budget.succeeded();
        }
        self.finish(id, result);
    }

    /// Nobody waits for the call any more. A task that it has started has to go.
    fn answered_too_late(&mut self, lane: Lane, answer: Answer<'_>, now: Millis) {
        if let (Lane::Tasks, Answer::Success(reader)) = (lane, answer)
            && let Ok(task) = Ref::<Task>::read(reader)
        {
            self.chores.add(Chore::Destroy(task), now);
        }
    }

    fn settle_later(&mut self, id: TicketId) {
        if !self.login.wanted || !self.watch.wanted {
            return self.finish(id, Err(Error::LoggedOut));
        }
        if let Some(job) = self.jobs.get_mut(&id) {
            job.stage = Stage::Settling(RequestId(self.last_request));
        }
    }

    /// Whether somebody waits for the cache to have caught up.
    pub(super) fn is_settling(&self) -> bool {
        self.jobs.values().any(|job| matches!(job.stage, Stage::Settling(_)))
    }

    /// The cache holds what the server had when that request was sent.
    pub(super) fn settle(&mut self, request: RequestId) {
        for id in self.barriers(|mark| mark < request) {
            self.finish(id, Ok(Box::new(())));
        }
    }

    /// The cache will not catch up any more.
    pub(super) fn give_up_barriers(&mut self) {
        for id in self.barriers(|_| true) {
            self.finish(id, Err(Error::Cancelled));
        }
    }

    fn barriers(&self, which: impl Fn(RequestId) -> bool) -> Vec<TicketId> {
        let is_due = |job: &Job| matches!(job.stage, Stage::Settling(mark) if which(mark));
        self.jobs.iter().filter(|(_, job)| is_due(job)).map(|(id, _)| *id).collect()
    }

    /// Whether the call was put back into the line: it was refused before it was looked at, for the sake of its session, or because
    /// the server is not ready for anything.
    fn again_after_refusal(&mut self, id: TicketId, failure: &Failure, now: Millis) -> bool {
        let wanted = self.login.wanted;
        let patience = self.config.patience;
        let Some(job) = self.jobs.get_mut(&id).filter(|job| wanted && job.call.takes_session) else { return false };
        if matches!(failure.code.as_str(), "SESSION_INVALID" | "HOST_IS_SLAVE") {
            let again = job.attempts <= MOST_SESSIONS;
            if again {
                self.put_in_line(id, now, now);
            }
            return again;
        }
        let since = *job.refused_since.get_or_insert(now);
        if !Error::Failure(failure.clone()).is_before_anything() || now >= since + patience || !self.budget.takes() {
            return false;
        }
        let wait = self.config.backoff.delay(job.attempts, &mut self.jitter);
        self.put_in_line(id, now + wait, now);
        true
    }

    /// Whether the call was put back into the line: it changes nothing, or may be repeated, so it does no harm twice.
    fn again_after_silence(&mut self, id: TicketId, now: Millis) -> bool {
        let (retries, wanted) = (self.config.retries, self.login.wanted);
        let Some(job) = self.jobs.get_mut(&id) else { return false };
        let is_safe = job.call.read_only || (job.options.repeat && job.call.retryable);
        let has_time = job.deadline().is_none_or(|deadline| now < deadline);
        if !is_safe || !wanted || !has_time || job.attempts > retries || !self.budget.takes() {
            return false;
        }
        let wait = self.config.backoff.delay(job.attempts, &mut self.jitter);
        self.put_in_line(id, now + wait, now);
        true
    }

    /// The caller's limit is over. A task gets some time to cancel itself.
    fn time_is_over(&mut self, id: TicketId, now: Millis) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let limit = job.options.timeout.unwrap_or_default();
        if !job.is_task() && matches!(job.stage, Stage::Sent) {
            // The driver gives it up, if it has not done so already.
            return;
        }
        if !job.is_at_work() {
            return self.finish(id, Err(Error::TimedOut(limit)));
        }
        job.given_up_at = Some(now + GRACE);
        self.queue.wake(id, now + GRACE);
        self.cancel(id, now);
    }

    fn give_up(&mut self, id: TicketId, now: Millis) {
        let Some(job) = self.jobs.get(&id) else { return };
        let limit = job.options.timeout.unwrap_or_default();
        if let Some(task) = job.task().cloned() {
            self.chores.add(Chore::Destroy(task), now);
        }
        self.finish(id, Err(Error::TimedOut(limit)));
    }
}
