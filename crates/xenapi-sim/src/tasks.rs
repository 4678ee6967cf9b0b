//! Tasks, and the operations that take time.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{DateTime, Failure, Method, Millis, RawRef, Value};

use crate::dispatch::Caller;
use crate::operations;
use crate::{Handled, Outcome, PendingId, Sim};

/// How often the progress of an operation moves before it ends.
pub(crate) const STEPS: u64 = 5;
/// An operation that meets another one waits this long before it looks again; then twice as long, and so on.
const FIRST_WAIT: Millis = Millis::from_secs(1);
const LONGEST_WAIT: Millis = Millis::from_secs(20);
/// After this long it gives up.
const PATIENCE: Millis = Millis::from_secs(2 * 3600);
/// The error that makes an operation wait.
const BUSY: &str = "OTHER_OPERATION_IN_PROGRESS";

/// An operation that takes time.
pub(crate) trait Operation: Send {
    /// Checks what has to be so, in xapi's order, and says how long it takes and what it holds meanwhile. May be called again
    /// after it answered [`BUSY`].
    fn begin(&mut self, sim: &mut Sim) -> Result<Start, Failure>;

    /// A part of the way is done: `step` of [`STEPS`].
    fn step(&mut self, _sim: &mut Sim, _step: u64) {}

    /// Does it.
    fn finish(&mut self, sim: &mut Sim) -> Result<Value, Failure>;

    /// It was cancelled after its beginning.
    fn undo(&mut self, _sim: &mut Sim) {}
}

/// How an operation starts.
#[derive(Default)]
pub(crate) struct Start {
    pub(crate) duration: Millis,
    pub(crate) holds: Vec<Hold>,
}

/// An object that an operation works on: it has the operation in its `current_operations`.
#[derive(Clone)]
pub(crate) struct Hold {
    pub(crate) class: &'static str,
    pub(crate) reference: RawRef,
    pub(crate) operation: &'static str,
}

enum Phase {
    /// Another operation is in the way.
    Waiting { next: Millis, delay: Millis, until: Millis },
    /// Under way; `step` of [`STEPS`] are done.
    Running { started: Millis, duration: Millis, step: u64 },
}

/// An operation under way, and its task.
pub(crate) struct Job {
    task: RawRef,
    is_async: bool,
    waiter: Option<PendingId>,
    operation: Box<dyn Operation>,
    phase: Phase,
    holds: Vec<Hold>,
}

impl Job {
    /// When it goes on.
    pub(crate) fn due(&self) -> Millis {
        match self.phase {
            Phase::Waiting { next, .. } => next,
            Phase::Running { started, duration, step } => started + Millis(duration.0.saturating_mul(step + 1) / STEPS),
        }
    }

    pub(crate) fn abandon(&mut self, pending: PendingId) {
        if self.waiter == Some(pending) {
            self.waiter = None;
        }
    }
}

impl Sim {
    /// Starts an operation with its task. A caller of the `Async.` form gets the task, the others wait.
    pub(crate) fn start_job(
        &mut self,
        method: &Method,
        is_async: bool,
        caller: &Caller,
        operation: Result<Box<dyn Operation>, Failure>,
    ) -> Handled {
        let name = method.name();
        let task = self.new_task(&if is_async { format!("Async.{name}") } else { name }, &caller.session);
        let operation = match operation {
            Ok(operation) => operation,
            Err(failure) => return self.refuse_job(task, is_async, failure),
        };
        self.store.put("task", task.as_str(), "allowed_operations", Vec::from([Value::from("cancel")]));
        let until = self.now + PATIENCE;
        let phase = Phase::Waiting { next: self.now, delay: FIRST_WAIT, until };
        let mut job = Job { task: task.clone(), is_async, waiter: None, operation, phase, holds: Vec::new() };
        if let Err(failure) = self.try_begin(&mut job) {
            return self.refuse_job(task, is_async, failure);
        }
        let id = self.new_id();
        let handled = if is_async {
            Handled::Done(Outcome::Value(task.into()))
        } else {
            let pending = self.new_pending();
            job.waiter = Some(pending);
            Handled::Pending(pending)
        };
        self.jobs.insert(id, job);
        handled
    }

    fn refuse_job(&mut self, task: RawRef, is_async: bool, failure: Failure) -> Handled {
        if is_async {
            self.settle_task(&task, &Err(failure));
            return Handled::Done(Outcome::Value(task.into()));
        }
        self.drop_task(&task);
        Handled::Done(Outcome::Failure(failure))
    }

    /// Begins, or goes on waiting for its turn.
    fn try_begin(&mut self, job: &mut Job) -> Result<(), Failure> {
        let Phase::Waiting { delay, until, .. } = job.phase else { return Ok(()) };
        match job.operation.begin(self) {
            Ok(start) => {
                for hold in &start.holds {
                    let key = job.task.as_str();
                    self.store.put_key(hold.class, hold.reference.as_str(), "current_operations", key, hold.operation);
                }
                job.holds = start.holds;
                job.phase = Phase::Running { started: self.now, duration: start.duration, step: 0 };
                self.refresh_held(&job.holds);
                Ok(())
            }
            Err(failure) if failure.code == BUSY && self.now < until => {
                let next = self.now + delay;
                job.phase = Phase::Waiting { next, delay: LONGEST_WAIT.min(delay + delay), until };
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }

    /// Lets an operation go on that is due.
    pub(crate) fn step_job(&mut self, id: u64) {
        let Some(mut job) = self.jobs.remove(&id) else { return };
        match job.phase {
            Phase::Waiting { .. } => match self.try_begin(&mut job) {
                Ok(()) => drop(self.jobs.insert(id, job)),
                Err(failure) => self.end_job(job, Err(failure)),
            },
            Phase::Running { started, duration, step } if step + 1 < STEPS => {
                #[allow(clippy::cast_precision_loss, reason = "a handful of steps")]
                let progress = (step + 1) as f64 / STEPS as f64;
                self.store.put("task", job.task.as_str(), "progress", progress);
                job.phase = Phase::Running { started, duration, step: step + 1 };
                job.operation.step(self, step + 1);
                self.jobs.insert(id, job);
            }
            Phase::Running { .. } => {
                self.release(&job);
                let result = job.operation.finish(self);
                self.end_job(job, result);
            }
        }
    }

    fn release(&mut self, job: &Job) {
        for hold in &job.holds {
            self.store.drop_key(hold.class, hold.reference.as_str(), "current_operations", job.task.as_str());
        }
    }

    fn end_job(&mut self, job: Job, result: Result<Value, Failure>) {
        self.refresh_held(&job.holds);
        if job.is_async {
            self.settle_task(&job.task, &result);
            return;
        }
        self.drop_task(&job.task);
        if let Some(waiter) = job.waiter {
            self.ready.push((waiter, result.map_or_else(Outcome::Failure, Outcome::Value)));
        }
    }

    fn refresh_held(&mut self, holds: &[Hold]) {
        for hold in holds {
            operations::refresh(self, hold.class, &hold.reference);
        }
    }

    /// Does something by itself after a while, without a task that anybody sees.
    pub(crate) fn later(&mut self, delay: Millis, operation: Box<dyn Operation>) {
        let phase = Phase::Running { started: self.now, duration: delay, step: 0 };
        let task = RawRef::null();
        let job = Job { task, is_async: false, waiter: None, operation, phase, holds: Vec::new() };
        let id = self.new_id();
        self.jobs.insert(id, job);
    }

    /// Cancels an operation: it is undone, and its task ends as cancelled.
    fn cancel_job(&mut self, id: u64) {
        let Some(job) = self.jobs.get(&id) else { return };
        let failure = Failure::new("TASK_CANCELLED", [job.task.as_str()]);
        self.break_job(id, failure);
    }

    /// Ends an operation with a failure from outside: it is undone.
    fn break_job(&mut self, id: u64, failure: Failure) {
        let Some(mut job) = self.jobs.remove(&id) else { return };
        if matches!(job.phase, Phase::Running { .. }) {
            self.release(&job);
            job.operation.undo(self);
        }
        self.end_job(job, Err(failure));
    }

    fn jobs_on(&self, class: &str, reference: &RawRef) -> Vec<u64> {
        let holds = |job: &Job| job.holds.iter().any(|hold| hold.class == class && hold.reference == *reference);
        self.jobs.iter().filter(|(_, job)| holds(job)).map(|(id, _)| *id).collect()
    }

    /// Cancels whatever works on an object, as a hard shutdown does.
    pub(crate) fn cancel_jobs_on(&mut self, class: &str, reference: &RawRef) {
        for id in self.jobs_on(class, reference) {
            self.cancel_job(id);
        }
    }

    /// Lets whatever works on an object fail.
    pub(crate) fn break_jobs_on(&mut self, class: &str, reference: &RawRef, failure: &Failure) {
        for id in self.jobs_on(class, reference) {
            self.break_job(id, failure.clone());
        }
    }

    pub(crate) fn job_of(&self, task: &RawRef) -> Option<u64> {
        self.jobs.iter().find(|(_, job)| job.task == *task).map(|(id, _)| *id)
    }

    /// A pending task of a session.
    pub(crate) fn new_task(&mut self, label: &str, session: &RawRef) -> RawRef {
        let (reference, uuid, date, host) = (self.random.reference(), self.random.uuid(), self.date(), self.master());
        let draft = self.store.draft("task");
        let draft = draft
            .with("uuid", uuid)
            .with("name_label", label)
            .with("created", date)
            .with("status", "pending")
            .with("resident_on", &host)
            .with("type", "<none/>");
        self.store.insert(&reference, draft);
        self.set_session_task(session, |tasks| tasks.push((&reference).into()));
        reference
    }

    /// Changes a session's list of tasks; the other end of that relation is a secret of the server.
    fn set_session_task(&mut self, session: &RawRef, change: impl FnOnce(&mut Vec<Value>)) {
        if let Some(Value::Array(tasks)) = self.store.value("session", session.as_str(), "tasks") {
            let mut tasks = tasks.clone();
            change(&mut tasks);
            self.store.put("session", session.as_str(), "tasks", tasks);
        }
    }

    /// Removes a task.
    pub(crate) fn drop_task(&mut self, task: &RawRef) {
        self.store.remove("task", task.as_str());
        let of_task = |value: &Value| value.as_text() == Some(task.as_str());
        let has = |store: &crate::store::Store, session: &RawRef| {
            let tasks = store.value("session", session.as_str(), "tasks").and_then(Value::as_array);
            tasks.is_some_and(|tasks| tasks.iter().any(of_task))
        };
        let session = self.sessions.keys().find(|session| has(&self.store, session)).cloned();
        if let Some(session) = session {
            self.set_session_task(&session, |tasks| tasks.retain(|value| !of_task(value)));
        }
    }

    /// Ends a task with a result. One that was to be destroyed meanwhile goes.
    pub(crate) fn settle_task(&mut self, task: &RawRef, result: &Result<Value, Failure>) {
        let of = task.as_str();
        let date = self.date();
        let operations = self.store.value("task", of, "current_operations").and_then(Value::as_struct);
        let is_doomed = operations.is_some_and(|all| all.iter().any(|(_, name)| name.as_text() == Some("destroy")));
        self.store.put("task", of, "allowed_operations", Vec::new());
        self.store.put("task", of, "current_operations", Value::empty_struct());
        self.store.put("task", of, "progress", 1.0);
        match result {
            Ok(value) => {
                self.store.put("task", of, "result", xenapi_codec::xmlrpc::write_value_text(value));
                self.finish_task(task, "success", date);
            }
            Err(failure) => {
                let info: Vec<Value> = failure.description().map(Value::from).collect();
                self.store.put("task", of, "error_info", info);
                let trace = format!("(((process xapi)(filename simulator)(line 0)(error {})))", failure.code);
                self.store.put("task", of, "backtrace", trace);
                self.finish_task(task, if failure.code == "TASK_CANCELLED" { "cancelled" } else { "failure" }, date);
            }
        }
        if is_doomed {
            self.drop_task(task);
        }
    }

    fn finish_task(&mut self, task: &RawRef, status: &str, date: DateTime) {
        self.store.put("task", task.as_str(), "finished", date);
        self.store.put("task", task.as_str(), "status", status);
    }

    /// `task.cancel`: what cannot be cancelled, or is over, only has the request recorded.
    pub(crate) fn cancel_task(&mut self, task: &RawRef) {
        let request = format!("DummyRef:|{}|task.cancel", self.random.uuid());
        self.store.put_key("task", task.as_str(), "current_operations", &request, "cancel");
        if let Some(id) = self.job_of(task) {
            self.cancel_job(id);
        }
    }

    /// `task.destroy`: a pending task goes when it is over.
    pub(crate) fn destroy_task(&mut self, task: &RawRef) {
        if self.job_of(task).is_some() {
            self.store.put_key("task", task.as_str(), "current_operations", &String::from(task.as_str()), "destroy");
        } else {
            self.drop_task(task);
        }
    }
}
