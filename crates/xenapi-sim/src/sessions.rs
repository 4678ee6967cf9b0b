//! Sessions: who is logged in, and for how long.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{Failure, Millis, RawRef, Role, Value};

use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::events::Queue;
use crate::{Origin, Outcome, PASSWORD, Sim};

/// How often the sweeper looks for old sessions and tasks.
pub(crate) const SWEEP: Millis = Millis::from_secs(30);
/// `last_active` is not written more often than this.
const REFRESH: Millis = Millis::from_secs(600);
/// A session that is idle for longer is ended.
const IDLE: Millis = Millis::from_secs(24 * 3600);
/// How many sessions may have the same originator (or, for others than root, the same user).
const PER_ORIGINATOR: usize = 500;
/// How many sessions without an originator there may be.
const ANONYMOUS: usize = 400;
/// Finished tasks are removed after this.
const TASK_AGE: i64 = 65 * 60;
/// Pending tasks are removed after this.
const PENDING_TASK_AGE: i64 = 24 * 3600;
/// With more tasks than this, the oldest finished ones go.
const TASKS: usize = 200;

/// What is known about a session beside its row.
pub(crate) struct Session {
    role: Role,
    /// The originator of root's sessions, the user's name of others'.
    group: String,
    last_active: Millis,
    refreshed: Millis,
    /// Classes registered for `event.next`.
    pub(crate) queue: Option<Queue>,
}

impl Sim {
    /// Who calls, by the session's reference.
    pub(crate) fn authenticate(&mut self, session: &str, origin: Origin) -> Result<Caller, Failure> {
        let now = self.now;
        let Some(state) = self.sessions.get_mut(session) else {
            return Err(Failure::new("SESSION_INVALID", [session]));
        };
        state.last_active = now;
        let role = state.role;
        if now - state.refreshed >= REFRESH {
            state.refreshed = now;
            let date = self.date();
            self.store.put("session", session, "last_active", date);
        }
        Ok(Caller { session: RawRef::from(session), role, origin })
    }

    /// `session.login_with_password`.
    pub(crate) fn login(&mut self, caller: &Caller, args: &Args) -> Result<Value, Failure> {
        let (user, password, originator) = (args.text(0), args.text(1), args.text(3));
        let role = self.check_password(caller.origin, user, password)?;
        let is_root = role == Role::LocalSuperuser;
        let group = if is_root { String::from(originator) } else { user.to_string() };
        self.make_room(&group);
        let (date, master) = (self.date(), self.master());
        let reference = self.random.reference();
        let draft = self.store.draft("session");
        let draft = draft
            .with("uuid", self.random.uuid())
            .with("this_host", &master)
            .with("last_active", date)
            .with("is_local_superuser", is_root)
            .with("validation_time", date)
            .with("auth_user_name", user)
            .with("originator", originator);
        self.store.insert(&reference, draft);
        let session = Session { role, group, last_active: self.now, refreshed: self.now, queue: None };
        self.sessions.insert(reference.clone(), session);
        Ok(reference.into())
    }

    fn check_password(&self, origin: Origin, user: &str, password: &str) -> Result<Role, Failure> {
        let role = match user {
            "root" => Some(Role::LocalSuperuser),
            _ => Role::ASSIGNABLE.into_iter().find(|role| role.name() == user),
        };
        let trusted = origin == Origin::UnixSocket;
        match role {
            Some(role) if trusted || password == PASSWORD => Ok(role),
            None if trusted => Ok(Role::LocalSuperuser),
            _ => Err(Failure::new("SESSION_AUTHENTICATION_FAILED", [user, "Authentication failure"])),
        }
    }

    /// Ends the sessions of the group that were idle longest, until there is room for one more.
    fn make_room(&mut self, group: &str) {
        let limit = if group.is_empty() { ANONYMOUS } else { PER_ORIGINATOR };
        let mut same: Vec<(Millis, RawRef)> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.group == group)
            .map(|(reference, session)| (session.last_active, reference.clone()))
            .collect();
        if same.len() < limit {
            return;
        }
        same.sort();
        for (_, reference) in same.drain(..=same.len() - limit) {
            self.end_session(&reference);
        }
    }

    /// Ends a session; whoever waits for events with it learns so.
    pub(crate) fn end_session(&mut self, session: &RawRef) {
        self.sessions.remove(session);
        self.store.remove("session", session.as_str());
        let waiting: Vec<_> = self.waits.iter().filter(|(_, wait)| wait.session == *session).map(|(id, _)| *id).collect();
        for id in waiting {
            self.waits.remove(&id);
            let failure = Failure::new("SESSION_INVALID", [session.as_str()]);
            self.ready.push((id, Outcome::Failure(failure)));
        }
    }

    /// Every thirty seconds: ends idle sessions and removes old tasks.
    pub(crate) fn sweep(&mut self) {
        if self.now < self.next_sweep {
            return;
        }
        self.next_sweep = self.now + SWEEP;
        let idle = self.sessions.iter().filter(|(_, session)| self.now - session.last_active > IDLE);
        let mut idle: Vec<RawRef> = idle.map(|(reference, _)| reference.clone()).collect();
        idle.sort();
        for session in idle {
            self.end_session(&session);
        }
        self.sweep_tasks();
    }

    fn sweep_tasks(&mut self) {
        let now = self.date().unix();
        let mut finished = Vec::new();
        for task in self.store.all("task") {
            let of = task.as_str();
            let is_pending = self.store.text("task", of, "status") == "pending";
            let since = self.store.time("task", of, if is_pending { "created" } else { "finished" }).unix();
            let age = if is_pending { PENDING_TASK_AGE } else { TASK_AGE };
            if now - since > age && self.job_of(&task).is_none() {
                self.drop_task(&task);
            } else if !is_pending {
                finished.push((since, task));
            }
        }
        let too_many = self.store.count("task").saturating_sub(TASKS);
        finished.sort();
        for (_, task) in finished.into_iter().take(too_many) {
            self.drop_task(&task);
        }
    }
}
