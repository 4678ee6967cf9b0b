//! Logging in, losing the session, logging in again, logging out.

use alloc::string::ToString;
use alloc::vec::Vec;

use xenapi_core::{Failure, Millis, RawRef, ReadError, Wire};
use xenapi_model::session;

use super::{Client, Output, Purpose, Reply, RequestId, Status};
use crate::error::Error;

/// What is known about the session.
#[derive(Default)]
pub(super) struct Login {
    /// Whether there should be a session.
    pub(super) wanted: bool,
    pub(super) session: Option<RawRef>,
    /// Counts the sessions, so that late answers to an old one do not end the new one.
    pub(super) epoch: u64,
    /// Attempts without success, a session that died before it was of any use included.
    pub(super) failures: u32,
    /// The login that is on its way.
    in_flight: Option<RequestId>,
    pub(super) not_before: Millis,
    /// Whether there was a session since [`Client::login`] was called: then the user is known to be right.
    succeeded: bool,
    /// Whether the server takes a name and a password only, as the oldest ones do.
    short: bool,
}

/// Refusals that will be the same next time.
const FINAL: &[&str] = &[
    "SESSION_AUTHENTICATION_FAILED",
    "SESSION_AUTHORIZATION_FAILED",
    "RBAC_PERMISSION_DENIED",
    "MESSAGE_PARAMETER_COUNT_MISMATCH",
    "MESSAGE_METHOD_UNKNOWN",
];

impl Client {
    /// Begins to log in, or to go on with the session that the configuration brings. After a refusal, tries again; a client that may
    /// not log in again by itself has forgotten the password by then, so give it with [`Client::set_credentials`]. Does nothing while
    /// there is a session.
    pub fn login(&mut self, now: Millis) {
        let refused = matches!(self.status, Status::Refused(_));
        if self.login.wanted && !refused {
            return;
        }
        self.login.wanted = true;
        self.login.failures = 0;
        self.login.succeeded = false;
        self.login.not_before = now;
        if let Some(session) = self.config.session.take() {
            self.adopt(session, now);
        } else {
            self.set_status(Status::LoggingIn);
        }
    }

    /// Changes who logs in next time. A session that there is stays.
    pub fn set_credentials(&mut self, user: impl Into<alloc::string::String>, password: impl Into<alloc::string::String>) {
        self.config.user = user.into();
        self.config.password = password.into();
    }

    /// Ends the session and forgets everything: calls that wait fail with [`Error::LoggedOut`], the cache is emptied.
    pub fn logout(&mut self, now: Millis) {
        self.login.wanted = false;
        self.login.in_flight = None;
        self.watch.stop();
        self.fresh_at = None;
        let changes = self.cache.clear();
        if !changes.is_empty() {
            self.outputs.push_back(Output::Changed(changes));
        }
        self.fail_jobs(&Error::LoggedOut);
        match self.login.session.take() {
            Some(session) => {
                let call = session::logout().to_raw(&session);
                self.send(Purpose::Logout, call, self.config.read_timeout, now);
                self.login.epoch += 1;
            }
            None => self.set_status(Status::LoggedOut),
        }
    }

    pub(super) fn logged_out(&mut self) {
        if !self.login.wanted {
            self.set_status(Status::LoggedOut);
        }
    }

    pub(super) fn advance_login(&mut self, now: Millis) {
        let login = &self.login;
        if !login.wanted || login.session.is_some() || login.in_flight.is_some() || login.not_before > now {
            return;
        }
        if login.failures == 0 {
            self.set_status(Status::LoggingIn);
        }
        let config = &self.config;
        let (version, originator) =
            if self.login.short { (None, None) } else { (Some(&*config.version), Some(config.originator())) };
        let call = session::login_with_password(&config.user, &config.password, version, originator);
        let (call, timeout) = (call.to_raw(&RawRef::null()), config.read_timeout);
        self.login.in_flight = Some(self.send(Purpose::Login, call, timeout, now));
    }

    pub(super) fn login_due(&self) -> Option<Millis> {
        let login = &self.login;
        (login.wanted && login.session.is_none() && login.in_flight.is_none()).then_some(login.not_before)
    }

    pub(super) fn logged_in(&mut self, id: RequestId, reply: Reply<'_>, now: Millis) {
        if self.login.in_flight != Some(id) {
            return self.end_late_login(reply, now);
        }
        self.login.in_flight = None;
        let error = match reply {
            Reply::Success(reader) => match RawRef::read(reader) {
                Ok(session) if session.is_null() => ReadError::mismatch("a session", session.to_string()).into(),
                Ok(session) => return self.adopt(session, now),
                Err(error) => error.into(),
            },
            Reply::Failure(failure) if failure.code == "HOST_IS_SLAVE" => return self.redirected(&failure, now),
            Reply::Failure(failure) if failure.code == "MESSAGE_PARAMETER_COUNT_MISMATCH" && !self.login.short => {
                self.login.short = true;
                return;
            }
            Reply::Failure(failure) => failure.into(),
            Reply::Broken(error) => error.into(),
            Reply::Unreachable(what) => Error::Unreachable(what),
        };
        match error {
            Error::Failure(failure) if FINAL.contains(&failure.code.as_str()) => self.refused(failure),
            Error::Failure(failure) if !self.login.succeeded && !Error::Failure(failure.clone()).is_retryable() => {
                self.refused(failure);
            }
            error => self.login_later(error, now),
        }
    }

    /// A login that was answered after [`Client::logout`] leaves a session behind: it is ended at once.
    fn end_late_login(&mut self, reply: Reply<'_>, now: Millis) {
        let Reply::Success(reader) = reply else { return };
        if let Ok(session) = RawRef::read(reader) {
            let call = session::logout().to_raw(&session);
            self.send(Purpose::Forget, call, self.config.read_timeout, now);
        }
    }

    fn adopt(&mut self, session: RawRef, now: Millis) {
        self.login.session = Some(session);
        self.login.epoch += 1;
        self.login.succeeded = true;
        if !self.config.relogin {
            // It has served its purpose, and must not lie in memory for longer.
            self.config.password.clear();
        }
        self.watch.restart(now);
        if !self.watch.wanted {
            self.set_status(Status::LoggedIn);
        }
    }

    fn login_later(&mut self, why: Error, now: Millis) {
        self.login.failures += 1;
        let until = now + self.config.backoff.delay(self.login.failures, &mut self.jitter);
        self.login.not_before = until;
        self.interrupted(until, why);
    }

    fn refused(&mut self, failure: Failure) {
        self.login.wanted = false;
        self.fail_jobs(&Error::Failure(failure.clone()));
        self.set_status(Status::Refused(failure));
    }

    /// The session has died: by the server's timeout, by somebody else's hand, or because the server was restarted.
    pub(super) fn session_lost(&mut self, failure: &Failure, now: Millis) {
        self.end_session();
        if !self.config.relogin {
            return self.refused(failure.clone());
        }
        if self.login.failures == 0 {
            // It was of use, so the next one probably will be, too.
            self.login.not_before = now;
            self.login.failures = 1;
            self.interrupted(now, Error::Failure(failure.clone()));
        } else {
            self.login_later(Error::Failure(failure.clone()), now);
        }
    }

    /// The server is a member, or has become one. Sessions do not move, so a new one is needed.
    pub(super) fn redirected(&mut self, failure: &Failure, now: Millis) {
        let first = self.login.failures == 0;
        self.end_session();
        self.outputs.push_back(Output::Redirect(failure.param(0).into()));
        let why = Error::Failure(failure.clone());
        if first {
            self.login.failures = 1;
            self.login.not_before = now;
            self.interrupted(now, why);
        } else {
            self.login_later(why, now);
        }
    }

    fn end_session(&mut self) {
        if self.login.session.take().is_some() {
            self.login.epoch += 1;
        }
        self.watch.forget();
    }

    /// Ends the calls that wait for a session, there being none to come.
    fn fail_jobs(&mut self, error: &Error) {
        let ids: Vec<_> = self.jobs.iter().filter(|(_, job)| job.is_waiting()).map(|(id, _)| *id).collect();
        for id in ids {
            self.finish(id, Err(error.clone()));
        }
    }
}
