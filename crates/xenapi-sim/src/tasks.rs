//! Tasks, and the operations that take time.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{DateTime, Failure, Method, Millis, RawRef, Role, Value};

use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::operations::{self, Handler};
use crate::timers::Timer;
use crate::{Handled, Outcome, PendingId, Sim, rbac};

/// How often the progress of an operation moves before it ends.
pub(crate) const STEPS: u64 = 5;
/// An operation that meets another one waits this long before it looks again; then twice as long, and so on.
const FIRST_WAIT: Millis = Millis::from_secs(1);
const LONGEST_WAIT: Millis = Millis::from_secs(20);
/// More operations than this do not wait: the server is overloaded.
const WAITING: usize = 100;
/// After this long it gives up.
const PATIENCE: Millis = Millis::from_secs(2 * 3600);
/// The error that makes an operation wait.
pub(crate) const BUSY: &str = "OTHER_OPERATION_IN_PROGRESS";

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

    /// Whether `task.cancel` stops it. Asked again whenever somebody cancels.
    fn is_cancellable(&self) -> bool {
        true
    }

    /// The host that does it, for the task's `resident_on`; asked after a beginning that succeeded.
    fn host(&self) -> Option<RawRef> {
        None
    }
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
    /// Another operation is in the way, on the object named if it is known.
    Waiting { next: Millis, delay: Millis, until: Millis, blocked_on: Option<RawRef> },
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

/// Whose a task is.
pub(crate) struct Owner {
    session: RawRef,
    /// The subject identifier of the user; empty for root.
    subject: String,
}

impl Job {
    /// When it goes on.
    fn due(&self) -> Millis {
        match self.phase {
            Phase::Waiting { next, .. } => next,
            Phase::Running { started, duration, step } => started + Millis(duration.0.saturating_mul(step + 1) / STEPS),
        }
    }

    fn is_waiting(&self) -> bool {
        matches!(self.phase, Phase::Waiting { .. })
    }

    pub(crate) fn abandon(&mut self, pending: PendingId) {
        if self.waiter == Some(pending) {
            self.waiter = None;
        }
    }
}

impl Sim {
    /// Starts the operation of a call. A caller of the `Async.` form gets the task, the others wait.
    pub(crate) fn start_job(
        &mut self,
        is_async: bool,
        caller: &Caller,
        operation: Result<Box<dyn Operation>, Failure>,
    ) -> Handled {
        let waiter = if is_async { None } else { Some(self.new_pending()) };
        let launched = operation.and_then(|operation| self.launch(caller.task.clone(), is_async, waiter, operation));
        match (launched, waiter) {
            (Err(failure), _) => self.conclude(is_async, caller, Err(failure)),
            (Ok(()), Some(pending)) => Handled::Pending(pending),
            (Ok(()), None) => Handled::Done(Outcome::Value((&caller.task).into())),
        }
    }

    /// Starts an operation that no call asked for, with a task that stays.
    ///
    /// # Errors
    /// What it answers that keeps it from beginning; the task goes then.
    pub(crate) fn start_own_job(&mut self, label: &str, operation: Box<dyn Operation>) -> Result<RawRef, Failure> {
        let task = self.new_task(label, &RawRef::null());
        match self.launch(task.clone(), true, None, operation) {
            Ok(()) => Ok(task),
            Err(failure) => {
                self.drop_task(&task);
                Err(failure)
            }
        }
    }

    fn launch(
        &mut self,
        task: RawRef,
        is_async: bool,
        waiter: Option<PendingId>,
        operation: Box<dyn Operation>,
    ) -> Result<(), Failure> {
        let until = self.now + PATIENCE;
        let phase = Phase::Waiting { next: self.now, delay: FIRST_WAIT, until, blocked_on: None };
        let mut job = Job { task, is_async, waiter, operation, phase, holds: Vec::new() };
        self.try_begin(&mut job)?;
        if job.is_waiting() && self.jobs.values().filter(|job| job.is_waiting()).count() >= WAITING {
            return Err(Failure::new("TOO_MANY_PENDING_TASKS", [""; 0]));
        }
        if job.operation.is_cancellable() {
            self.store.put("task", job.task.as_str(), "allowed_operations", Vec::from([Value::from("cancel")]));
        }
        let id = self.new_id();
        if !job.task.is_null() {
            self.job_of_task.insert(job.task.clone(), id);
        }
        self.keep_job(id, job);
        Ok(())
    }

    fn keep_job(&mut self, id: u64, job: Job) {
        self.timers.insert((job.due(), id), Timer::Job(id));
        self.jobs.insert(id, job);
    }

    fn take_job(&mut self, id: u64) -> Option<Job> {
        let job = self.jobs.remove(&id)?;
        self.timers.remove(&(job.due(), id));
        Some(job)
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
                if let Some(host) = job.operation.host() {
                    self.store.put("task", job.task.as_str(), "resident_on", host);
                }
                self.refresh_held(&job.holds);
                Ok(())
            }
            Err(failure) if failure.code == BUSY && self.now < until => {
                let next = self.now + delay;
                let blocked_on = failure.params.get(1).map(|reference| RawRef::from(reference.as_str()));
                job.phase = Phase::Waiting { next, delay: LONGEST_WAIT.min(delay + delay), until, blocked_on };
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }

    /// Lets an operation go on that is due.
    pub(crate) fn step_job(&mut self, id: u64) {
        let Some(mut job) = self.take_job(id) else { return };
        match job.phase {
            Phase::Waiting { .. } => match self.try_begin(&mut job) {
                Ok(()) => self.keep_job(id, job),
                Err(failure) => self.end_job(job, Err(failure)),
            },
            Phase::Running { started, duration, step } if step + 1 < STEPS => {
                #[allow(clippy::cast_precision_loss, reason = "a handful of steps")]
                let progress = (step + 1) as f64 / STEPS as f64;
                self.store.put("task", job.task.as_str(), "progress", progress);
                job.phase = Phase::Running { started, duration, step: step + 1 };
                job.operation.step(self, step + 1);
                self.keep_job(id, job);
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

    /// Those that wait for one of these objects try again at once.
    fn wake_waiting(&mut self, holds: &[Hold]) {
        let now = self.now;
        let is_free = |reference: &RawRef| holds.iter().any(|hold| hold.reference == *reference);
        for (id, job) in &mut self.jobs {
            let old = job.due();
            if let Phase::Waiting { next, blocked_on: Some(blocked_on), .. } = &mut job.phase
                && is_free(blocked_on)
                && *next > now
            {
                *next = now;
                if let Some(timer) = self.timers.remove(&(old, *id)) {
                    self.timers.insert((now, *id), timer);
                }
            }
        }
    }

    fn end_job(&mut self, job: Job, result: Result<Value, Failure>) {
        self.job_of_task.remove(&job.task);
        self.refresh_held(&job.holds);
        self.wake_waiting(&job.holds);
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
        self.keep_job(id, job);
    }

    /// Cancels an operation: it is undone, and its task ends as cancelled.
    fn cancel_job(&mut self, id: u64) {
        let Some(job) = self.jobs.get(&id) else { return };
        let failure = Failure::new("TASK_CANCELLED", [job.task.as_str()]);
        self.break_job(id, failure);
    }

    /// Ends an operation with a failure from outside: it is undone.
    fn break_job(&mut self, id: u64, failure: Failure) {
        let Some(mut job) = self.take_job(id) else { return };
        if !job.is_waiting() {
            self.release(&job);
            job.operation.undo(self);
        }
        self.end_job(job, Err(failure));
    }

    /// The server goes down: whatever calls started is broken off, and nobody gets an answer. What was put off comes all the same.
    pub(crate) fn break_off_jobs(&mut self) {
        let is_of_call = |job: &Job| !job.task.is_null() || job.waiter.is_some();
        let all: Vec<u64> = self.jobs.iter().filter(|(_, job)| is_of_call(job)).map(|(id, _)| *id).collect();
        for mut job in all.into_iter().filter_map(|id| self.take_job(id)).collect::<Vec<_>>() {
            if !job.is_waiting() {
                self.release(&job);
                job.operation.undo(self);
            }
            self.refresh_held(&job.holds);
            self.hung_up.extend(job.waiter);
        }
        self.job_of_task.clear();
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
        self.job_of_task.get(task).copied()
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
            .with("backtrace", "()")
            .with("type", "<none/>");
        self.store.insert(&reference, draft);
        let subject = String::from(self.store.text("session", session.as_str(), "auth_user_sid"));
        self.owners.insert(reference.clone(), Owner { session: session.clone(), subject });
        self.set_session_task(session, |tasks| tasks.push((&reference).into()));
        reference
    }

    /// Keeps what the headers of the request said in the task.
    pub(crate) fn tag_task(&mut self, task: &RawRef, tags: &[(String, String)]) {
        for (key, value) in tags {
            self.store.put_key("task", task.as_str(), "other_config", &format!("http:{key}"), value.as_str());
        }
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
        if let Some(owner) = self.owners.remove(task) {
            let of_task = |value: &Value| value.as_text() == Some(task.as_str());
            self.set_session_task(&owner.session, |tasks| tasks.retain(|value| !of_task(value)));
        }
    }

    /// Whether somebody asked for a task to go when it is over.
    pub(crate) fn is_doomed(&self, task: &RawRef) -> bool {
        let operations = self.store.value("task", task.as_str(), "current_operations").and_then(Value::as_struct);
        operations.is_some_and(|all| all.iter().any(|(_, name)| name.as_text() == Some("destroy")))
    }

    /// Ends a task with a result. One that was to be destroyed meanwhile goes.
    pub(crate) fn settle_task(&mut self, task: &RawRef, result: &Result<Value, Failure>) {
        let of = task.as_str();
        let (date, is_doomed) = (self.date(), self.is_doomed(task));
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
    fn cancel_task(&mut self, task: &RawRef) {
        let request = format!("DummyRef:|{}|task.cancel", self.random.uuid());
        self.store.put_key("task", task.as_str(), "current_operations", &request, "cancel");
        if let Some(id) = self.job_of(task)
            && self.jobs.get(&id).is_some_and(|job| job.operation.is_cancellable())
        {
            self.cancel_job(id);
        }
    }

    /// `task.destroy`: a pending task goes when it is over.
    fn destroy_task(&mut self, task: &RawRef) {
        if self.store.text("task", task.as_str(), "status") == "pending" {
            self.store.put_key("task", task.as_str(), "current_operations", &String::from(task.as_str()), "destroy");
        } else {
            self.drop_task(task);
        }
    }

    /// A task that the caller may act on: one of his session or his user, or any if his role suffices.
    fn own_task(&self, caller: &Caller, args: &Args) -> Result<RawRef, Failure> {
        let task = self.need("task", args.text(0))?;
        let subject = self.store.text("session", caller.session.as_str(), "auth_user_sid");
        let is_own = self
            .owners
            .get(&task)
            .is_some_and(|owner| owner.session == caller.session || (!subject.is_empty() && owner.subject == subject));
        if is_own || caller.role >= Role::PoolOperator {
            return Ok(task);
        }
        Err(rbac::denied("task.destroy/any", Role::PoolOperator))
    }

    fn set_task(&mut self, caller: &Caller, args: &mut Args, field: &str) -> Result<Value, Failure> {
        let task = self.own_task(caller, args)?;
        self.store.put("task", task.as_str(), field, args.take(1));
        Ok(Value::VOID)
    }
}

impl Sim {
    /// A setter of the model on a task of the caller.
    fn change_task(&mut self, caller: &Caller, args: &mut Args, method: &str) -> Result<Value, Failure> {
        self.own_task(caller, args)?;
        let setter = xenapi_model::method(method).and_then(|method| {
            let member = operations::plain_setter(method.class, &method.short_name())?;
            Some(Method { class: method.class, member })
        });
        setter.map_or_else(|| Err(Failure::new("NOT_IMPLEMENTED", [method])), |setter| self.implicit(&setter, args))
    }
}

/// The explicit messages of tasks.
pub(crate) fn find(message: &str) -> Option<Handler> {
    Some(match message {
        "create" => Handler::Now(|sim, caller, args| {
            let task = sim.new_task(args.text(0), &caller.session);
            sim.store.put("task", task.as_str(), "name_description", args.text(1));
            Ok(task.into())
        }),
        "cancel" => Handler::Now(|sim, caller, args| {
            let task = sim.own_task(caller, args)?;
            sim.cancel_task(&task);
            Ok(Value::VOID)
        }),
        "destroy" => Handler::Now(|sim, caller, args| {
            let task = sim.own_task(caller, args)?;
            sim.destroy_task(&task);
            Ok(Value::VOID)
        }),
        "set_status" => Handler::Now(|sim, caller, args| {
            let task = sim.own_task(caller, args)?;
            let status = args.take(1);
            let is_over = status.as_text() != Some("pending");
            let date = if is_over { sim.date() } else { DateTime::NEVER };
            sim.store.put("task", task.as_str(), "finished", date);
            sim.store.put("task", task.as_str(), "status", status);
            Ok(Value::VOID)
        }),
        "set_progress" => Handler::Now(|sim, caller, args| sim.set_task(caller, args, "progress")),
        "set_result" => Handler::Now(|sim, caller, args| sim.set_task(caller, args, "result")),
        "set_error_info" => Handler::Now(|sim, caller, args| sim.set_task(caller, args, "error_info")),
        "set_other_config" => Handler::Now(|sim, caller, args| sim.change_task(caller, args, "task.set_other_config")),
        "add_to_other_config" => Handler::Now(|sim, caller, args| sim.change_task(caller, args, "task.add_to_other_config")),
        "remove_from_other_config" => {
            Handler::Now(|sim, caller, args| sim.change_task(caller, args, "task.remove_from_other_config"))
        }
        _ => return None,
    })
}
