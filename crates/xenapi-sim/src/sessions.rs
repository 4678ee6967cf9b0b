//! Sessions: who is logged in, and for how long.

use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{Failure, Method, Millis, RawRef, Role, Value};

use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::members::is_emergency_safe;
use crate::operations::Handler;
use crate::queues::Queue;
use crate::{Handled, Origin, Outcome, Sim, rbac};

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

/// How many sessions of a host's own there may be.
const LOCAL: usize = 64;
/// What the server waits before it refuses a user that a directory does not know.
const REFUSAL: Millis = Millis::from_secs(5);
/// A new password must have this many characters.
const PASSWORD_LENGTH: usize = 6;

/// Sessions that are counted together.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Group {
    /// Root's, by originator.
    Originator(String),
    /// Root's without an originator.
    Anonymous,
    /// Those of another user.
    User(String),
}

/// What is known about a session beside its row.
pub(crate) struct Session {
    role: Role,
    group: Group,
    last_active: Millis,
    refreshed: Millis,
    /// Classes registered for `event.next`.
    pub(crate) queue: Option<Queue>,
}

/// The explicit messages of sessions.
pub(crate) fn find(message: &str) -> Option<Handler> {
    Some(match message {
        "login_with_password" => Handler::Wait(Sim::login),
        "slave_local_login_with_password" => Handler::Now(Sim::login_locally),
        "local_logout" => Handler::Now(|sim, caller, _| {
            let gone = sim.local_sessions.remove(&caller.session);
            gone.map(|_| Value::VOID).ok_or_else(|| invalid(caller.session.as_str()))
        }),
        "logout" => Handler::Now(|sim, caller, _| {
            sim.end_session(&caller.session);
            Ok(Value::VOID)
        }),
        "change_password" => Handler::Now(Sim::change_password),
        "get_all_subject_identifiers" => Handler::Now(|sim, _, _| {
            let mut all = sim.subjects_logged_in();
            all.sort();
            all.dedup();
            Ok(Value::Array(all.into_iter().map(Value::from).collect()))
        }),
        "logout_subject_identifier" => Handler::Now(|sim, caller, args| {
            let subject = String::from(args.text(0));
            for session in sim.sessions_of(&subject) {
                if session != caller.session {
                    sim.end_session(&session);
                }
            }
            Ok(Value::VOID)
        }),
        _ => return None,
    })
}

fn invalid(session: &str) -> Failure {
    Failure::new("SESSION_INVALID", [session])
}

impl Sim {
    /// Who calls a method, by the session's reference. Sessions of a host's own are good for emergency calls only.
    pub(crate) fn authenticate_for(&mut self, session: &str, origin: Origin, method: &Method) -> Result<Caller, Failure> {
        if self.local_sessions.contains_key(session) && is_emergency_safe(&method.name()) {
            let role = Role::LocalSuperuser;
            return Ok(Caller { session: RawRef::from(session), role, origin, task: RawRef::null() });
        }
        self.authenticate(session, origin)
    }

    /// Who calls, by the session's reference.
    pub(crate) fn authenticate(&mut self, session: &str, origin: Origin) -> Result<Caller, Failure> {
        let now = self.now;
        if !self.sessions.contains_key(session) {
            return Err(invalid(session));
        }
        if self.is_member(origin) {
            return Err(self.is_slave());
        }
        let Some(state) = self.sessions.get_mut(session) else { return Err(invalid(session)) };
        state.last_active = now;
        let role = state.role;
        if now - state.refreshed >= REFRESH {
            state.refreshed = now;
            let date = self.date();
            self.store.put("session", session, "last_active", date);
        }
        Ok(Caller { session: RawRef::from(session), role, origin, task: RawRef::null() })
    }

    /// The role of a session, for what is served beside calls; `None` if there is no such session.
    pub fn session_role(&self, session: &str) -> Option<Role> {
        self.sessions.get(session).map(|session| session.role)
    }

    /// The role of a user, for what is served beside calls to those who send a name and a password; `None` if they are wrong.
    pub fn user_role(&self, user: &str, password: &str) -> Option<Role> {
        self.check_password(Origin::Tcp, user, password).ok()
    }

    /// `session.login_with_password`.
    fn login(&mut self, caller: &Caller, args: &mut Args) -> Result<Handled, Failure> {
        if self.is_member(caller.origin) {
            return Err(self.is_slave());
        }
        let (user, password, originator) = (args.text(0), args.text(1), args.text(3));
        match self.check_password(caller.origin, user, password) {
            Ok(role) => Ok(Handled::Done(Outcome::Value(self.new_session(role, user, originator).into()))),
            // Only root is known to the host itself; a directory takes its time.
            Err(failure) if user != "root" => {
                let pending = self.new_pending();
                self.after(REFUSAL, move |sim| sim.ready.push((pending, Outcome::Failure(failure))));
                Ok(Handled::Pending(pending))
            }
            Err(failure) => Err(failure),
        }
    }

    pub(crate) fn new_session(&mut self, role: Role, user: &str, originator: &str) -> RawRef {
        let is_root = role == Role::LocalSuperuser;
        let group = match (is_root, originator) {
            (false, _) => Group::User(user.into()),
            (true, "") => Group::Anonymous,
            (true, originator) => Group::Originator(originator.into()),
        };
        self.make_room(&group);
        let (date, master) = (self.date(), self.master());
        let (subject, sid) = if is_root { (RawRef::null(), String::new()) } else { self.subject_of(user) };
        let reference = self.random.reference();
        let draft = self.store.draft("session");
        let draft = draft
            .with("uuid", self.random.uuid())
            .with("this_host", &master)
            .with("last_active", date)
            .with("is_local_superuser", is_root)
            .with("subject", &subject)
            .with("validation_time", date)
            .with("auth_user_sid", sid)
            .with("auth_user_name", user)
            .with("originator", originator);
        self.store.insert(&reference, draft);
        let session = Session { role, group, last_active: self.now, refreshed: self.now, queue: None };
        self.sessions.insert(reference.clone(), session);
        reference
    }

    /// `session.slave_local_login_with_password`: a session of this host alone, which needs no master.
    fn login_locally(&mut self, caller: &Caller, args: &mut Args) -> Result<Value, Failure> {
        let (user, password) = (args.text(0), args.text(1));
        let is_root = self.check_password(caller.origin, user, password)? == Role::LocalSuperuser;
        if !is_root {
            return Err(Failure::new("SESSION_AUTHENTICATION_FAILED", [user, "Authentication failure"]));
        }
        while self.local_sessions.len() >= LOCAL {
            let oldest = self.local_sessions.iter().min_by_key(|(_, since)| **since).map(|(session, _)| session.clone());
            let Some(oldest) = oldest else { break };
            self.local_sessions.remove(&oldest);
        }
        let session = self.random.reference();
        self.local_sessions.insert(session.clone(), self.now);
        Ok(session.into())
    }

    fn check_password(&self, origin: Origin, user: &str, password: &str) -> Result<Role, Failure> {
        let trusted = origin == Origin::UnixSocket;
        let refused = || Failure::new("SESSION_AUTHENTICATION_FAILED", [user, "Authentication failure"]);
        if user == "root" {
            return if trusted || password == self.password { Ok(Role::LocalSuperuser) } else { Err(refused()) };
        }
        match self.role_of_user(user) {
            Some(role) if trusted || password == crate::PASSWORD => role.ok_or_else(|| {
                let text = "The user has no role: add one to its subject";
                Failure::new("RBAC_PERMISSION_DENIED", ["session.login_with_password", text])
            }),
            None if trusted => Ok(Role::LocalSuperuser),
            _ => Err(refused()),
        }
    }

    /// `session.change_password`: root's.
    fn change_password(&mut self, caller: &Caller, args: &mut Args) -> Result<Value, Failure> {
        if caller.role != Role::LocalSuperuser {
            return Err(Failure::new("USER_IS_NOT_LOCAL_SUPERUSER", ["Only the local root user can change its password"]));
        }
        let (old, new) = (args.text(0), args.text(1));
        let why = if caller.origin != Origin::UnixSocket && old != self.password {
            Some("Authentication failure")
        } else if new.chars().count() < PASSWORD_LENGTH {
            Some("The new password is too short")
        } else {
            None
        };
        if let Some(why) = why {
            return Err(Failure::new("CHANGE_PASSWORD_REJECTED", [why]));
        }
        self.password = new.into();
        Ok(Value::VOID)
    }

    /// What a session may do, by name. Root may do everything, and lists nothing.
    pub(crate) fn permissions_of(&self, session: &RawRef) -> Value {
        let role = self.sessions.get(session).map(|session| session.role).filter(|role| *role != Role::LocalSuperuser);
        let all = role.map(rbac::permissions).unwrap_or_default();
        Value::Array(all.into_iter().map(Value::from).collect())
    }

    fn subjects_logged_in(&self) -> Vec<String> {
        let table = self.store.table("session").rows.values();
        let all = table.map(|row| self.store.text("session", row.reference.as_str(), "auth_user_sid"));
        all.filter(|sid| !sid.is_empty()).map(String::from).collect()
    }

    fn sessions_of(&self, subject: &str) -> Vec<RawRef> {
        let all = self.store.all("session").into_iter();
        let of = |session: &RawRef| self.store.text("session", session.as_str(), "auth_user_sid") == subject;
        all.filter(|session| !subject.is_empty() && of(session)).collect()
    }

    /// Ends the sessions of the group that were idle longest, until there is room for one more.
    fn make_room(&mut self, group: &Group) {
        let limit = if *group == Group::Anonymous { ANONYMOUS } else { PER_ORIGINATOR };
        let mut same: Vec<(Millis, RawRef)> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.group == *group)
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
        self.stop_listening();
        let waiting: Vec<_> = self.waits.iter().filter(|(_, wait)| wait.session == *session).map(|(id, _)| *id).collect();
        for id in waiting {
            self.remove_wait(id);
            self.ready.push((id, Outcome::Failure(invalid(session.as_str()))));
        }
    }

    fn has_pending_task(&self, session: &RawRef) -> bool {
        let tasks = self.store.refs("session", session.as_str(), "tasks");
        tasks.iter().any(|task| self.store.text("task", task.as_str(), "status") == "pending")
    }

    /// Every thirty seconds: ends idle sessions and removes old tasks.
    pub(crate) fn sweep(&mut self) {
        if self.now < self.next_sweep {
            return;
        }
        self.next_sweep = self.now + SWEEP;
        let idle = self.sessions.iter().filter(|(_, session)| self.now - session.last_active > IDLE);
        let mut idle: Vec<RawRef> = idle.map(|(reference, _)| reference.clone()).collect();
        idle.retain(|session| !self.has_pending_task(session));
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
            let is_old = now - since > age || (!is_pending && self.is_doomed(&task));
            if is_old && self.job_of(&task).is_none() {
                self.drop_task(&task);
            } else if !is_pending {
                finished.push((since, task));
            }
        }
        let too_many = self.store.count("task").saturating_sub(TASKS);
        // A stable sort: of those that ended within the same second the first one made goes first.
        finished.sort_by_key(|(since, _)| *since);
        for (_, task) in finished.into_iter().take(too_many) {
            self.drop_task(&task);
        }
    }
}
