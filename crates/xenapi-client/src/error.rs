//! Why a call has no result.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::fmt;
use core::ops::Deref;

use xenapi_core::{Failure, Millis, ReadError};

/// Why a call has no result, or why the conversation stands still.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The server refused.
    Failure(Failure),
    /// The server answered something that cannot be read.
    Protocol(ReadError),
    /// There was no answer, with what happened. A call that changes something may have been carried out all the same.
    Unreachable(Unreachable),
    /// The call cannot be made like this, whatever the server.
    Misuse(&'static str),
    /// There is no session, and none is wanted.
    LoggedOut,
    /// The call was cancelled before it was sent.
    Cancelled,
    /// The caller's own limit of time was over. The task was asked to cancel itself, and had not ended by then.
    TimedOut(Millis),
}

/// Whose fault it was that a call has no result.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Culprit {
    /// The server understood and refused, or its own work failed.
    Server,
    /// The server, or something in between, answered what is no answer.
    Protocol,
    /// The caller asked for what cannot be had, or gave up.
    Caller,
    /// The network, or a server that is away.
    Transport,
}

/// What happened to a request that was not answered, and what caused that, if the driver knows.
#[derive(Clone)]
pub struct Unreachable {
    what: Arc<str>,
    source: Option<Arc<dyn core::error::Error + Send + Sync>>,
}

impl Unreachable {
    /// What happened, where, and what to do about it; and the error below.
    pub fn caused_by(what: impl Into<Arc<str>>, source: Arc<dyn core::error::Error + Send + Sync>) -> Self {
        Unreachable { what: what.into(), source: Some(source) }
    }

    /// What happened, where, and what to do about it.
    pub fn as_str(&self) -> &str {
        &self.what
    }
}

impl Deref for Unreachable {
    type Target = str;

    fn deref(&self) -> &str {
        &self.what
    }
}

impl From<String> for Unreachable {
    fn from(what: String) -> Self {
        Unreachable { what: what.into(), source: None }
    }
}

impl From<&str> for Unreachable {
    fn from(what: &str) -> Self {
        Unreachable { what: what.into(), source: None }
    }
}

impl PartialEq for Unreachable {
    /// By what is said.
    fn eq(&self, other: &Self) -> bool {
        self.what == other.what
    }
}

impl fmt::Debug for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.what, f)
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

/// What servers say while they are not ready, and what therefore may go away by itself. They say it before they do anything.
const NOT_READY: &[&str] = &[
    "HOST_STILL_BOOTING",
    "HOST_HAS_NO_MANAGEMENT_IP",
    "HOST_ITS_OWN_SLAVE",
    "HOST_MASTER_CANNOT_TALK_BACK",
    "HOST_UNKNOWN_TO_MASTER",
    "HOST_IS_SLAVE",
    "TOO_MANY_PENDING_TASKS",
    "TOO_BUSY",
];

/// The same, but something may have been done by then.
const MAY_PASS: &[&str] = &["CANNOT_CONTACT_HOST"];

/// What servers say to users who may not do what they want.
const PERMISSION: &[&str] = &["RBAC_PERMISSION_DENIED", "SESSION_AUTHORIZATION_FAILED", "USER_IS_NOT_LOCAL_SUPERUSER"];

impl Error {
    /// Whose fault it was.
    pub fn culprit(&self) -> Culprit {
        match self {
            Error::Failure(_) => Culprit::Server,
            Error::Protocol(_) => Culprit::Protocol,
            Error::Misuse(_) | Error::LoggedOut | Error::Cancelled | Error::TimedOut(_) => Culprit::Caller,
            Error::Unreachable(_) => Culprit::Transport,
        }
    }

    /// Whether the session is gone.
    pub fn is_session_invalid(&self) -> bool {
        self.has_code(&["SESSION_INVALID"])
    }

    /// Whether the user may not do this, and another one might.
    pub fn is_permission(&self) -> bool {
        self.has_code(PERMISSION)
    }

    /// Whether the host is still starting: it answers by itself after some time.
    pub fn is_booting(&self) -> bool {
        self.has_code(&["HOST_STILL_BOOTING"])
    }

    /// Whether the same call may succeed later without anybody doing anything: no connection, or a server that is not ready.
    /// Whether it is safe to send it again is another question: [`xenapi_core::Call::is_read_only`].
    pub fn is_retryable(&self) -> bool {
        matches!(self, Error::Unreachable(_)) || self.has_code(NOT_READY) || self.has_code(MAY_PASS)
    }

    /// Whether the server refused the call before it did anything about it, because it was not ready: it does no harm to send it
    /// again, whatever it is.
    pub(crate) fn is_before_anything(&self) -> bool {
        self.has_code(NOT_READY)
    }

    fn has_code(&self, codes: &[&str]) -> bool {
        matches!(self, Error::Failure(failure) if codes.contains(&failure.code.as_str()))
    }

    /// The refusal, if it is one.
    pub fn failure(&self) -> Option<&Failure> {
        if let Error::Failure(failure) = self { Some(failure) } else { None }
    }

    /// A sentence for people: what happened, and what they can do about it. With the feature `docs` of `xenapi-model`, it says of every
    /// error code of the API what it means.
    pub fn sentence(&self) -> String {
        match self {
            Error::Failure(failure) => {
                let doc = xenapi_model::error_doc(&failure.code);
                if self.is_permission() {
                    return format!("The server does not let this user do that: {failure}.");
                }
                if self.is_session_invalid() {
                    return "The session has ended at the server: log in again.".into();
                }
                if self.is_booting() {
                    return "The host is still starting, and answers when it is up.".into();
                }
                if doc.is_empty() { format!("The server refused: {failure}.") } else { format!("{doc} ({failure})") }
            }
            Error::Protocol(error) => {
                format!(
                    "What came back is no answer of a XenAPI server: {error}. Check the address, and what stands in between."
                )
            }
            Error::Unreachable(what) => {
                let mut text = what.to_string();
                if !text.ends_with(['.', '!', '?']) {
                    text.push('.');
                }
                text
            }
            Error::Misuse(what) => format!("This cannot be asked for: {what}."),
            Error::LoggedOut => "Nobody is logged in: log in first.".into(),
            Error::Cancelled => "It was cancelled before it was sent; nothing has happened.".into(),
            Error::TimedOut(limit) => {
                format!("It was not done within {limit}. It was asked to stop, and may still be at work at the server.")
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Failure(failure) => write!(f, "the server refused: {failure}"),
            Error::Protocol(error) => write!(f, "the server's answer cannot be read: {error}"),
            Error::Unreachable(what) => write!(f, "no answer from the server: {what}"),
            Error::Misuse(what) => f.write_str(what),
            Error::LoggedOut => f.write_str("not logged in: log in first"),
            Error::Cancelled => f.write_str("cancelled before it was sent"),
            Error::TimedOut(limit) => write!(f, "not done within {limit}, and asked to stop"),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Error::Failure(failure) => Some(failure),
            Error::Protocol(error) => Some(error),
            Error::Unreachable(what) => what.source.as_deref().map(|source| source as _),
            _ => None,
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Error::Failure(failure)
    }
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        Error::Protocol(error)
    }
}

impl From<Unreachable> for Error {
    fn from(what: Unreachable) -> Self {
        Error::Unreachable(what)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use core::error::Error as _;

    use super::*;

    #[test]
    fn every_error_has_a_culprit_a_sentence_and_a_source_where_there_is_one() {
        let refused = Error::from(Failure::new("RBAC_PERMISSION_DENIED", ["vm.start", "x"]));
        assert!(refused.is_permission() && !refused.is_retryable() && refused.culprit() == Culprit::Server);
        assert!(refused.source().unwrap().to_string().starts_with("RBAC_PERMISSION_DENIED"));

        let cause: Arc<dyn core::error::Error + Send + Sync> = Arc::new(Failure::new("reset", [""; 0]));
        let lost = Error::from(Unreachable::caused_by("the connection broke", cause));
        assert!(lost.is_retryable() && lost.culprit() == Culprit::Transport);
        assert_eq!(lost.source().unwrap().to_string(), "reset");
        assert_eq!(lost.sentence(), "the connection broke.");
        assert!(Error::Unreachable("x".into()).source().is_none());

        let booting = Error::from(Failure::new("HOST_STILL_BOOTING", [""; 0]));
        assert!(booting.is_booting() && booting.is_retryable() && booting.is_before_anything());
        let broken = Error::from(ReadError::mismatch("an answer", "a page"));
        assert_eq!((broken.culprit(), Error::LoggedOut.culprit()), (Culprit::Protocol, Culprit::Caller));
        for error in [refused, lost, booting, broken, Error::Misuse("x"), Error::LoggedOut, Error::Cancelled] {
            let sentence = error.sentence();
            assert!(sentence.ends_with(['.', ')']), "{sentence}");
        }
        assert!(Error::TimedOut(Millis(5)).sentence().contains("asked to stop"));
    }

    #[test]
    fn a_session_does_not_reach_a_sentence() {
        let error = Error::from(Failure::new("SESSION_INVALID", ["OpaqueRef:s3cret"]));
        assert!(!error.sentence().contains("s3cret") && !format!("{error} {error:?}").contains("s3cret"));
    }
}
