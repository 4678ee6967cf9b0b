//! One request and its response.

use core::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ACCESS_CONTROL_REQUEST_HEADERS, CONNECTION, CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use http::{Method, Request, StatusCode, Version};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use xenapi_codec::{Limits, xmlrpc};
use xenapi_core::RawCall;

use super::hub::Hub;
use super::page::{self, Reply};
use super::{Answer, Backend, Origin};

/// What a body may have.
const BODY_LIMIT: u64 = 300 * 1024;
/// What request line and headers may have together over TCP.
const HEAD_LIMIT: usize = 1024 - 18;
/// How much of a refused body is read so that its sender gets to see the page: closing with unread bytes would reset the
/// connection under it.
const DRAIN_LIMIT: u64 = 64 << 20;
/// How long a body may take.
const BODY_TIME: Duration = Duration::from_secs(60);

/// Answers one request.
pub(super) async fn respond<B: Backend>(hub: &Hub<B>, origin: Origin, request: Request<Incoming>) -> Reply {
    if origin == Origin::Tcp && head_size(&request) > HEAD_LIMIT {
        return page::error(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers of the request are too long.");
    }
    let keep = keeps(request.version(), request.headers());
    match *request.method() {
        Method::POST => match call(request).await {
            Ok(call) => answer(hub, origin, call, keep).await,
            Err(page) => page,
        },
        Method::OPTIONS => page::options(request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS), keep),
        Method::GET | Method::PUT | Method::CONNECT => {
            page::error(StatusCode::NOT_FOUND, &format!("There is nothing at {}.", request.uri().path()))
        }
        ref other => page::error(StatusCode::NOT_IMPLEMENTED, &format!("The method {other} is not supported.")),
    }
}

async fn answer<B: Backend>(hub: &Hub<B>, origin: Origin, call: RawCall, keep: bool) -> Reply {
    match hub.answer(call, origin).await {
        Some(Answer::Value(value)) => page::answer(xmlrpc::write_success(&value), keep),
        Some(Answer::Failure(failure)) => page::answer(xmlrpc::write_failure(&failure), keep),
        Some(Answer::Bare(value)) => page::answer(xmlrpc::write_bare(&value), keep),
        None => page::error(StatusCode::SERVICE_UNAVAILABLE, "The server is stopping."),
    }
}

/// The call in a request, or the page that refuses it.
async fn call(request: Request<Incoming>) -> Result<RawCall, Reply> {
    let internal = |why: &str| page::error(StatusCode::INTERNAL_SERVER_ERROR, why);
    let headers = request.headers();
    let refused = if headers.contains_key(TRANSFER_ENCODING) {
        Some("Chunked request bodies are not supported: send Content-Length.".into())
    } else {
        match length(headers) {
            None => Some("The request has no Content-Length.".into()),
            Some(length) if length > BODY_LIMIT => Some(format!("The body has {length} bytes; {BODY_LIMIT} are allowed.")),
            Some(_) => None,
        }
    };
    let limit = if refused.is_some() { 0 } else { BODY_LIMIT };
    let body = tokio::time::timeout(BODY_TIME, read(request.into_body(), limit)).await;
    let body =
        body.map_err(|_| page::error(StatusCode::REQUEST_TIMEOUT, "The body of the request did not come in time."))?;
    if let Some(why) = refused {
        return Err(internal(&why));
    }
    let body = body.map_err(|why| internal(&why))?;
    xmlrpc::read_call(&body, &Limits::request())
        .map_err(|error| internal(&format!("The XML-RPC call cannot be read: {error}")))
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads a body, of which at most `keep` bytes are kept.
async fn read(mut body: Incoming, keep: u64) -> Result<Bytes, String> {
    let mut kept = BytesMut::new();
    let mut seen = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| format!("The body of the request is broken: {error}"))?;
        let Ok(data) = frame.into_data() else { continue };
        seen += data.len() as u64;
        if seen <= keep {
            kept.extend_from_slice(&data);
        }
        if seen > DRAIN_LIMIT {
            break;
        }
    }
    Ok(kept.freeze())
}

/// Whether the connection stays open after the answer.
fn keeps(version: Version, headers: &HeaderMap) -> bool {
    let said = headers.get(CONNECTION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let says = |word: &str| said.split(',').any(|part| part.trim().eq_ignore_ascii_case(word));
    if version == Version::HTTP_10 { says("keep-alive") } else { !says("close") }
}

fn head_size(request: &Request<Incoming>) -> usize {
    let path = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    let line = request.method().as_str().len() + path + " HTTP/1.1".len() + 1 + 2;
    let lines = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    line + lines.sum::<usize>() + 2
}
