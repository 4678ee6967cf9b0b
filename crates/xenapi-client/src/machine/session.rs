//! Logging in, losing the session, logging in again, logging out.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{Call, Failure, Millis, RawRef, ReadError, Ref, Wire};
use xenapi_model::{Session, session};

use super::chores::Chore;
use super::job::Stage;
use super::route::session_in;
use super::{Answer, Client, Output, Purpose, RequestId, Status};
use crate::config::Config;
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
    closing: Option<Closing>,
}

/// The session is about to be ended.
struct Closing {
    /// Then at the latest nobody waits for the server any more.
    until: Millis,
    in_flight: bool,
    failures: u32,
    not_before: Millis,
}

impl Login {
    pub(super) fn is_short(&self) -> bool {
        self.short
    }
}

/// How long the end of a session may take, clearing away included: somebody waits for it.
const CLOSING: Millis = Millis::from_secs(10);

/// Refusals that will be the same next time.
const FINAL: &[&str] = &[
    "SESSION_AUTHENTICATION_FAILED",
    "SESSION_AUTHORIZATION_FAILED",
    "RBAC_PERMISSION_DENIED",
    "MESSAGE_PARAMETER_COUNT_MISMATCH",
    "MESSAGE_METHOD_UNKNOWN",
];

/// The call that logs in.
pub(super) fn login_call(config: &Config, short: bool) -> xenapi_core::RawCall {
    let (version, originator) = if short { (None, None) } else { (Some(&*config.version), Some(config.originator())) };
    let call: Call<Ref<Session>> = session::login_with_password(&config.user, &config.password, version, originator);
    call.to_raw(&RawRef::null())
}

impl Client {
    /// Begins to log in, or to go on with the session that the configuration brings. After a refusal, tries again; a client that may
    /// not log in again by itself has forgotten the password by then, so give it with [`Client::set_credentials`]. Does nothing while
    /// there is a session.
    pub fn login(&mut self, now: Millis) {
        let refused = matches!(self.status, Status::Refused(_));
        if self.login.wanted && !refused {
            return;
        }
        if self.login.closing.take().is_some() && self.login.session.is_some() {
            // It is being ended, and may be gone already.
            self.leave_session(now);
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
    pub fn set_credentials(&mut self, user: impl Into<String>, password: impl Into<String>) {
        self.config.user = user.into();
        self.config.password = password.into();
    }

    /// Ends the session and forgets everything: calls that wait fail with [`Error::LoggedOut`], the cache is emptied. Tasks go on, but
    /// are taken away at the server when they are over. [`Output::Status`] tells when the server has ended the session, or, after
    /// 10 seconds or the time that an attempt takes, that it could not be told to.
    pub fn logout(&mut self, now: Millis) {
        self.login.wanted = false;
        self.login.in_flight = None;
        self.watch.stop();
        self.fresh_at = None;
        let changes = self.cache.clear();
        if !changes.is_empty() {
            self.outputs.push_back(Output::Changed(changes));
        }
        self.leave_tasks(now);
        self.fail_jobs(&Error::LoggedOut);
        if self.login.session.is_some() {
            self.close(now);
        } else {
            self.set_status(Status::LoggedOut);
        }
    }

    fn close(&mut self, now: Millis) {
        let until = now + CLOSING;
        self.login.closing = Some(Closing { until, in_flight: false, failures: 0, not_before: now });
    }

    /// Ends the session, once everything is cleared away.
    pub(super) fn advance_closing(&mut self, now: Millis) {
        let is_clear = self.chores.is_empty() && !self.jobs.values().any(|job| job.is_at_work());
        let Some(closing) = &mut self.login.closing else { return };
        let Some(session) = self.login.session.clone() else { return self.closed() };
        let is_over = closing.until <= now;
        if closing.in_flight || !(is_clear || is_over) || (closing.not_before > now && !is_over) {
            return;
        }
        if is_over && closing.failures > 0 {
            return self.closed();
        }
        closing.in_flight = true;
        let call = session::logout().to_raw(&session);
        self.send(Purpose::Logout, call, self.config.read_timeout.min(CLOSING), now);
    }

    pub(super) fn closing_due(&self) -> Option<Millis> {
        let closing = self.login.closing.as_ref().filter(|closing| !closing.in_flight)?;
        Some(if closing.failures > 0 { closing.not_before.min(closing.until) } else { closing.until })
    }

    pub(super) fn logout_answered(&mut self, answer: Answer<'_>, now: Millis) {
        let Some(closing) = &mut self.login.closing else { return };
        let again = match answer {
            Answer::Success(_) => false,
            Answer::Failure(failure) => Error::Failure(failure).is_retryable(),
            Answer::Broken(_) | Answer::Lost(_) => true,
        };
        closing.in_flight = false;
        if !again || closing.until <= now {
            return self.closed();
        }
        closing.failures += 1;
        closing.not_before = now + self.config.backoff.delay(closing.failures, &mut self.jitter);
    }

    fn closed(&mut self) {
        self.login.closing = None;
        self.chores.clear();
        self.end_session();
        if !self.login.wanted && !matches!(self.status, Status::Refused(_)) {
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
        let call = login_call(&self.config, self.login.short);
        let timeout = self.login_timeout();
        self.login.in_flight = Some(self.send(Purpose::Login, call, timeout, now));
    }

    pub(super) fn login_due(&self) -> Option<Millis> {
        let login = &self.login;
        (login.wanted && login.session.is_none() && login.in_flight.is_none()).then_some(login.not_before)
    }

    pub(super) fn logged_in(&mut self, id: RequestId, answer: Answer<'_>, now: Millis) {
        if self.login.in_flight != Some(id) {
            if let Answer::Success(reader) = answer
                && let Some(session) = session_in(reader)
            {
                self.end_other_session(session, now);
            }
            return;
        }
        self.login.in_flight = None;
        let error = match answer {
            Answer::Success(reader) => match RawRef::read(reader) {
                Ok(session) if session.is_null() => ReadError::mismatch("a session", session.to_string()).into(),
                Ok(session) => return self.adopt(session, now),
                Err(error) => error.into(),
            },
            Answer::Failure(failure) if failure.code == "HOST_IS_SLAVE" => return self.redirected(&failure, now),
            Answer::Failure(failure) if failure.code == "MESSAGE_PARAMETER_COUNT_MISMATCH" && !self.login.short => {
                self.login.short = true;
                return;
            }
            Answer::Failure(failure) => failure.into(),
            Answer::Broken(error) => error.into(),
            Answer::Lost(what) => Error::Unreachable(what),
        };
        match error {
            Error::Failure(failure) if FINAL.contains(&failure.code.as_str()) => self.refused(failure),
            Error::Failure(failure) if !self.login.succeeded && !Error::Failure(failure.clone()).is_retryable() => {
                self.refused(failure);
            }
            error => {
                self.try_elsewhere();
                self.login_later(error, now);
            }
        }
    }

    /// A login that was answered too late leaves a session behind.
    pub(super) fn end_other_session(&mut self, session: RawRef, now: Millis) {
        if self.login.wanted || self.login.session.is_some() {
            return self.chores.add(Chore::EndSession(session), now);
        }
        self.login.session = Some(session);
        self.login.epoch += 1;
        self.close(now);
    }

    pub(super) fn adopt(&mut self, session: RawRef, now: Millis) {
        self.tags.begin(&session, self.config.originator(), self.config.seed);
        self.login.session = Some(session);
        self.login.epoch += 1;
        self.login.succeeded = true;
        self.route.answered();
        if !self.config.relogin {
            // It has served its purpose, and must not lie in memory for longer.
            self.config.password.clear();
        }
        self.chores.restart(now);
        self.restart_jobs(now);
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
        if !self.login.wanted {
            return;
        }
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
        if !self.login.wanted {
            return;
        }
        let first = self.login.failures == 0;
        self.leave_session(now);
        self.outputs.push_back(Output::Redirect(failure.param(0).into()));
        self.go_to(failure.param(0));
        let why = Error::Failure(failure.clone());
        if first {
            self.login.failures = 1;
            self.login.not_before = now;
            self.interrupted(now, why);
        } else {
            self.login_later(why, now);
        }
    }

    /// Goes on without this session. Should it be alive after all, it is ended later.
    pub(super) fn leave_session(&mut self, now: Millis) {
        if let Some(session) = self.login.session.clone() {
            self.chores.add(Chore::EndSession(session), now);
        }
        self.end_session();
    }

    fn end_session(&mut self) {
        if self.login.session.take().is_some() {
            self.login.epoch += 1;
        }
        self.watch.forget();
    }

    /// Ends the calls that wait for a session, there being none to come.
    fn fail_jobs(&mut self, error: &Error) {
        let waits = |stage: &Stage| match stage {
            Stage::Queued(_) | Stage::Following { .. } | Stage::Settling(_) => true,
            // As long as there is a session, what was begun is looked for, to be cleared away.
            Stage::Seeking { .. } => self.login.session.is_none(),
            _ => false,
        };
        let ids: Vec<_> = self.jobs.iter().filter(|(_, job)| waits(&job.stage)).map(|(id, _)| *id).collect();
        for id in ids {
            self.finish(id, Err(error.clone()));
        }
    }
}
