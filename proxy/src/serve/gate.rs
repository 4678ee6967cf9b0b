//! Passwords for a pool that asks for none: on its Unix socket a server takes every caller for root. Behind a proxy that would be
//! everyone, so the proxy asks in its place.

use core::fmt;

use ring::hmac;
use ring::rand::SystemRandom;
use xenapi_core::{Failure, RawCall};
use xenapi_model::errors;

use super::policy::{self, Known};
use super::seal::SealError;

/// The only user that a Unix socket has.
const USER: &str = "root";

/// Lets those in who know the password.
pub struct Gate {
    // A tag under a key that nobody has compares in the same time wherever the first difference is.
    key: hmac::Key,
    expected: hmac::Tag,
}

impl Gate {
    /// A gate that `root` passes with that password.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn new(password: &str) -> Result<Self, SealError> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map_err(|_| SealError)?;
        let expected = hmac::sign(&key, password.as_bytes());
        Ok(Gate { key, expected })
    }

    /// Refuses a call that would get a session, or might, without the password. Calls within a session are none of its business.
    ///
    /// Messages that the schema does not know are refused: some of xapi's own need no session.
    pub(super) fn refusal(&self, call: &RawCall, known: Option<&Known>) -> Option<Failure> {
        let Some(known) = known else {
            let harmless = call.method.starts_with("system.");
            return (!harmless).then(|| Failure::new(errors::MESSAGE_METHOD_UNKNOWN, [call.method.as_str()]));
        };
        if known.method.takes_session() && !policy::makes_session(known) {
            return None;
        }
        let text = |at: usize| call.params.get(at).and_then(|value| value.as_text()).unwrap_or_default();
        let (user, password) = (text(0), text(1));
        let admitted = policy::is_login(known) && user == USER && self.knows(password);
        (!admitted).then(|| {
            let why = "The proxy asks for the password of this pool, and this is not it.";
            Failure::new(errors::SESSION_AUTHENTICATION_FAILED, [user, why])
        })
    }

    fn knows(&self, password: &str) -> bool {
        hmac::verify(&self.key, password.as_bytes(), self.expected.as_ref()).is_ok()
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;

    fn refused(method: &str, params: &[&str]) -> Option<String> {
        let call = RawCall { method: method.into(), params: params.iter().map(|it| (*it).into()).collect() };
        let known = policy::look_up(method);
        Gate::new("right").unwrap().refusal(&call, known.as_ref()).map(|failure| failure.code)
    }

    #[test]
    fn only_root_with_the_password_gets_a_session() {
        for method in
            ["session.login_with_password", "session.slave_local_login_with_password", "session_login_with_password"]
        {
            assert_eq!(refused(method, &["root", "right"]), None, "{method}");
            for wrong in [&["root", "wrong"][..], &["root", ""], &["admin", "right"], &["root"], &[]] {
                assert_eq!(refused(method, wrong).as_deref(), Some("SESSION_AUTHENTICATION_FAILED"), "{method} {wrong:?}");
            }
        }
        assert_eq!(refused("session.create_from_db_file", &["s", "f"]).as_deref(), Some("SESSION_AUTHENTICATION_FAILED"));
    }

    #[test]
    fn what_the_schema_does_not_know_is_refused() {
        for method in ["session.slave_login", "pool.hello", "InternalAsync.VM.start", "Async.session.login_with_password"] {
            assert!(refused(method, &["root", "wrong"]).is_some(), "{method}");
        }
        for method in ["VM.get_all", "Async.VM.start", "session.logout", "event.from", "system.listMethods"] {
            assert_eq!(refused(method, &["OpaqueRef:x"]), None, "{method}");
        }
    }
}
