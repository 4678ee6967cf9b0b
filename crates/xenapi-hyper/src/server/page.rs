//! Responses: answers of the API, and pages.

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONNECTION,
    CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue,
};
use http::{Response, StatusCode};
use http_body_util::Full;

pub(super) type Reply = Response<Full<Bytes>>;

/// The word for the `connection` header.
fn connection(keep: bool) -> HeaderValue {
    HeaderValue::from_static(if keep { "keep-alive" } else { "close" })
}

/// An answer of the API, failures included: always 200.
pub(super) fn answer(body: Vec<u8>, keep: bool) -> Reply {
    let mut reply = Response::new(Full::from(body));
    let length = http_body::Body::size_hint(reply.body()).lower();
    // In xapi's order.
    let headers = reply.headers_mut();
    headers.insert(CONTENT_LENGTH, length.into());
    headers.insert(CONNECTION, connection(keep));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("X-Requested-With"));
    reply
}

/// The answer to a browser that asks whether a page from elsewhere may call.
pub(super) fn options(asked: Option<&HeaderValue>, keep: bool) -> Reply {
    let mut allowed = asked.map(|asked| [asked.as_bytes(), b", "].concat()).unwrap_or_default();
    allowed.extend(b"X-Requested-With");
    let mut reply = Response::new(Full::default());
    let headers = reply.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    headers.insert(CONNECTION, connection(keep));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store"));
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if let Ok(allowed) = HeaderValue::from_bytes(&allowed) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    }
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("PUT"));
    reply
}

/// A page that says what went wrong. The connection closes after it.
pub(super) fn error(status: StatusCode, detail: &str) -> Reply {
    let title = format!("HTTP {} {}", status.as_u16(), status.canonical_reason().unwrap_or_default());
    let detail = detail.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let page = format!("<html><body><h1>{title}</h1><p>{detail}</p></body></html>");
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(CONTENT_LENGTH, page.len().into());
    headers.insert(CONNECTION, connection(false));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    let mut reply = Response::new(Full::from(page));
    *reply.status_mut() = status;
    *reply.headers_mut() = headers;
    reply
}
