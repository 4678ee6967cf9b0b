//! The way to a pool, as the proxy sees it.

use core::fmt;
use core::future::Future;
use core::pin::Pin;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use super::{Body, stream};

/// A pool that takes XML-RPC calls: a server over the network, or in tests a function.
pub trait Upstream: Send + Sync {
    /// Sends one call and gives the head of the answer as soon as it is there; the body follows as it arrives. A `repeatable` one
    /// changes nothing, so that it may be sent again when a kept connection turns out to be dead.
    fn post(&self, body: Bytes, repeatable: bool) -> Answering<'_>;
}

/// An answer on its way.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Result<Answer, UpstreamError>> + Send + 'a>>;

/// What a pool answered. Headers that are not listed stay behind.
pub struct Answer {
    /// The status; refusals of the API are 200 as well.
    pub status: StatusCode,
    /// What kind of document it is.
    pub content_type: Option<HeaderValue>,
    /// Bytes of the document as the pool announced it: a hint whether compressing is worth it.
    pub length: Option<u64>,
    /// The document.
    pub body: Body,
}

impl Answer {
    /// An answer that the proxy has written itself, in pieces, so that the first can be read while the last are compressed.
    pub(super) fn xml(document: Vec<u8>) -> Self {
        let length = document.len();
        Answer {
            status: StatusCode::OK,
            content_type: Some(HeaderValue::from_static("text/xml")),
            length: u64::try_from(length).ok(),
            body: stream::in_pieces(document.into()),
        }
    }
}

/// Why there is no answer: each says what happened, at which address, and what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UpstreamError {
    /// No connection.
    Unreachable(String),
    /// A connection, and no answer in time.
    Timeout(String),
    /// The server's certificate is not trusted.
    Untrusted(String),
    /// An answer that is not HTTP, or a connection that broke in the middle.
    Broken(String),
}

impl fmt::Display for UpstreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UpstreamError::Unreachable(what)
            | UpstreamError::Timeout(what)
            | UpstreamError::Untrusted(what)
            | UpstreamError::Broken(what) => f.write_str(what),
        }
    }
}

impl core::error::Error for UpstreamError {}
