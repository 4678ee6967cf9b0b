//! What the proxy itself answers when a request does not get through: a status and a JSON text.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};

use super::{Body, upstream::UpstreamError};

/// Why a request was not forwarded, or what became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Code {
    /// The request is not one that the route understands.
    BadRequest,
    /// There is no such page or file.
    NotFound,
    /// The route exists, with another method.
    MethodNotAllowed,
    /// The configuration has no pool of that name.
    UnknownPool,
    /// The request's body is over the limit.
    BodyTooLarge,
    /// The request's body did not arrive in time.
    BodyTooSlow,
    /// A page of another site sent the request.
    ForeignOrigin,
    /// There is no session, or the pool does not accept it.
    NoSession,
    /// No connection to the pool.
    UpstreamUnreachable,
    /// The pool did not answer in time.
    UpstreamTimeout,
    /// The pool shows a certificate that is not trusted.
    UpstreamUntrusted,
    /// The pool answered something that is not XenAPI.
    UpstreamBroken,
}

impl Code {
    /// The word in the JSON text. Programs may rely on it.
    pub const fn word(self) -> &'static str {
        match self {
            Code::BadRequest => "bad-request",
            Code::NotFound => "not-found",
            Code::MethodNotAllowed => "method-not-allowed",
            Code::UnknownPool => "unknown-pool",
            Code::BodyTooLarge => "body-too-large",
            Code::BodyTooSlow => "body-too-slow",
            Code::ForeignOrigin => "foreign-origin",
            Code::NoSession => "no-session",
            Code::UpstreamUnreachable => "upstream-unreachable",
            Code::UpstreamTimeout => "upstream-timeout",
            Code::UpstreamUntrusted => "upstream-untrusted",
            Code::UpstreamBroken => "upstream-broken",
        }
    }

    /// The status of the answer.
    pub const fn status(self) -> StatusCode {
        match self {
            Code::BadRequest => StatusCode::BAD_REQUEST,
            Code::NotFound | Code::UnknownPool => StatusCode::NOT_FOUND,
            Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Code::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Code::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Code::ForeignOrigin => StatusCode::FORBIDDEN,
            Code::NoSession => StatusCode::UNAUTHORIZED,
            Code::UpstreamTimeout => StatusCode::GATEWAY_TIMEOUT,
            Code::UpstreamUnreachable | Code::UpstreamUntrusted | Code::UpstreamBroken => StatusCode::BAD_GATEWAY,
        }
    }
}

/// An answer of the proxy's own: what happened, and in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// What happened.
    pub code: Code,
    /// What happened, where, and what to do, for people.
    pub message: String,
}

impl Refusal {
    /// An answer of the proxy's own.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Refusal { code, message: message.into() }
    }

    /// The same for what went wrong on the way to a pool.
    pub fn upstream(pool: &str, error: &UpstreamError) -> Self {
        let (code, what) = match error {
            UpstreamError::Unreachable(what) => (Code::UpstreamUnreachable, what),
            UpstreamError::Timeout(what) => (Code::UpstreamTimeout, what),
            UpstreamError::Untrusted(what) => (Code::UpstreamUntrusted, what),
            UpstreamError::Broken(what) => (Code::UpstreamBroken, what),
        };
        Refusal::new(code, format!("pool {pool}: {what}"))
    }

    /// The answer as it goes to the browser.
    pub fn into_response(self) -> Response<Body> {
        let text = serde_json::json!({ "error": { "code": self.code.word(), "message": self.message } }).to_string();
        let mut response = Response::new(Full::new(Bytes::from(text)).map_err(Into::into).boxed_unsync());
        *response.status_mut() = self.code.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}
