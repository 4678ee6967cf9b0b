//! Why a call has no result.

use core::fmt;
use core::time::Duration;

use xenapi_core::{Failure, ReadError};

use crate::error::TransportError;
use crate::target::Target;

/// A call that has no result: which call, at which server, why.
#[derive(Clone, Debug)]
pub struct Error(Box<(String, Target, ErrorKind)>);

/// Why a call has no result.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There was no answer of the API.
    Transport(TransportError),
    /// The server refused, or the task failed.
    Failure(Failure),
    /// The answer cannot be read.
    Unreadable(ReadError),
    /// The call has no form that runs as a task.
    NoTask,
    /// There is no session, and the call needs one.
    LoggedOut,
    /// The server answered, but not with what can be gone on with: what, and what to do about it.
    Unusable(String),
    /// The task did not end in time. It was asked to cancel itself.
    TaskTooLong(Duration),
    /// A stream of the caller's own failed, from which was sent or to which was written.
    Local(String),
}

impl Error {
    pub(crate) fn new(method: impl Into<String>, target: &Target, kind: ErrorKind) -> Self {
        Error(Box::new((method.into(), target.clone(), kind)))
    }

    /// The method that was called.
    pub fn method(&self) -> &str {
        &self.0.0
    }

    /// The server.
    pub fn target(&self) -> &Target {
        &self.0.1
    }

    /// Why.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.2
    }

    /// The refusal, if it is one.
    pub fn failure(&self) -> Option<&Failure> {
        if let ErrorKind::Failure(failure) = self.kind() { Some(failure) } else { None }
    }

    /// What happened on the way, if there was no answer.
    pub fn transport(&self) -> Option<&TransportError> {
        if let ErrorKind::Transport(error) = self.kind() { Some(error) } else { None }
    }

    /// Whether the session is gone.
    pub fn is_session_invalid(&self) -> bool {
        self.failure().is_some_and(|failure| failure.code == "SESSION_INVALID")
    }

    /// Whether the user's role does not allow it.
    pub fn is_permission(&self) -> bool {
        self.failure().is_some_and(|failure| failure.code == "RBAC_PERMISSION_DENIED")
    }

    /// Whether the server is a pool member, and the master's address.
    pub fn master(&self) -> Option<&str> {
        self.failure().filter(|failure| failure.code == "HOST_IS_SLAVE").map(|failure| failure.param(0))
    }

    /// Whether the server does not know the method.
    pub(crate) fn is_unknown_method(&self) -> bool {
        self.failure().is_some_and(|failure| failure.code == "MESSAGE_METHOD_UNKNOWN")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (method, target, kind) = &*self.0;
        match kind {
            ErrorKind::Transport(error) => write!(f, "{method}: {error}"),
            ErrorKind::Failure(failure) => {
                write!(f, "{method}: {target} refused: {failure}")?;
                advice(f, failure)
            }
            ErrorKind::Unreadable(error) => {
                write!(f, "{method}: the answer of {target} cannot be read: {error}; check that this is a XenAPI server")
            }
            ErrorKind::NoTask => write!(f, "{method} has no Async. form: call it directly"),
            ErrorKind::Unusable(why) => write!(f, "{method}: {target}: {why}"),
            ErrorKind::TaskTooLong(limit) => {
                write!(f, "{method}: the task at {target} did not end within {limit:?}, and was asked to cancel itself")
            }
            ErrorKind::Local(why) => write!(f, "{method}: {why}"),
            ErrorKind::LoggedOut => write!(f, "{method}: there is no session at {target}: log in first"),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self.kind() {
            ErrorKind::Transport(error) => Some(error),
            ErrorKind::Failure(failure) => Some(failure),
            ErrorKind::Unreadable(error) => Some(error),
            _ => None,
        }
    }
}

/// What to do about the refusals that everybody meets.
fn advice(f: &mut fmt::Formatter<'_>, failure: &Failure) -> fmt::Result {
    match failure.code.as_str() {
        "SESSION_AUTHENTICATION_FAILED" => f.write_str("; check user and password"),
        "SESSION_INVALID" => f.write_str("; the session has ended, log in again"),
        "HOST_IS_SLAVE" => write!(f, "; it is a member of a pool, call its master at {}", failure.param(0)),
        "RBAC_PERMISSION_DENIED" => f.write_str("; log in as a user with a higher role"),
        "MESSAGE_METHOD_UNKNOWN" => f.write_str("; check the name, or the server is too old for it"),
        "MESSAGE_PARAMETER_COUNT_MISMATCH" => {
            write!(f, "; the message takes {} parameters with the session, {} came", failure.param(1), failure.param(2))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_refusal_says_what_where_and_what_to_do() {
        let target: Target = "http://xs2".parse().unwrap();
        let slave = ErrorKind::Failure(Failure::new("HOST_IS_SLAVE", ["10.0.0.1"]));
        assert_eq!(
            Error::new("VM.get_all", &target, slave).to_string(),
            "VM.get_all: http://xs2 refused: HOST_IS_SLAVE: 10.0.0.1; it is a member of a pool, call its master at 10.0.0.1"
        );
    }
}
