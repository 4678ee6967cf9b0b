//! Why a call has no result.

use alloc::string::String;
use core::fmt;

use xenapi_core::{Failure, ReadError};

/// Why a call has no result, or why the conversation stands still.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The server refused.
    Failure(Failure),
    /// The server answered something that cannot be read.
    Protocol(ReadError),
    /// There was no answer, with what happened. A call that changes something may have been carried out all the same.
    Unreachable(String),
    /// The call cannot be made like this, whatever the server.
    Misuse(&'static str),
    /// There is no session, and none is wanted.
    LoggedOut,
    /// The call was cancelled before it was sent.
    Cancelled,
}

/// What servers say while they are not ready, and what therefore may go away by itself.
const NOT_READY: &[&str] = &[
    "HOST_STILL_BOOTING",
    "HOST_HAS_NO_MANAGEMENT_IP",
    "HOST_ITS_OWN_SLAVE",
    "HOST_MASTER_CANNOT_TALK_BACK",
    "HOST_UNKNOWN_TO_MASTER",
    "HOST_IS_SLAVE",
    "TOO_MANY_PENDING_TASKS",
    "TOO_BUSY",
    "CANNOT_CONTACT_HOST",
];

impl Error {
    /// Whether the session is gone.
    pub fn is_session_invalid(&self) -> bool {
        matches!(self, Error::Failure(failure) if failure.code == "SESSION_INVALID")
    }

    /// Whether the same call may succeed later without anybody doing anything: no connection, or a server that is not ready.
    /// Whether it is safe to send it again is another question: [`xenapi_core::Call::is_read_only`].
    pub fn is_retryable(&self) -> bool {
        match self {
            Error::Unreachable(_) => true,
            Error::Failure(failure) => NOT_READY.contains(&failure.code.as_str()),
            _ => false,
        }
    }

    /// The refusal, if it is one.
    pub fn failure(&self) -> Option<&Failure> {
        if let Error::Failure(failure) = self { Some(failure) } else { None }
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
        }
    }
}

impl core::error::Error for Error {}

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
