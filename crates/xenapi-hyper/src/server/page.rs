//! Heads of replies, in xapi's order and spelling.

use core::fmt::Write as _;
use std::borrow::Cow;

use xenapi_sim::handlers::{Head, Reply, reason};

/// The status line.
fn status_line(old: bool, status: u16) -> String {
    let mut head = String::with_capacity(256);
    head.push_str(if old { "HTTP/1.0 " } else { "HTTP/1.1 " });
    // Writing to a string does not fail.
    let _ = write!(head, "{status} {}\r\n", reason(status));
    head
}

fn line(head: &mut String, name: &str, value: &str) {
    head.push_str(name);
    head.push_str(": ");
    head.push_str(value);
    head.push_str("\r\n");
}

fn connection(keep: bool) -> &'static str {
    if keep { "keep-alive" } else { "close" }
}

fn ended(mut head: String, more: &[(Cow<'static, str>, String)]) -> Vec<u8> {
    for (name, value) in more {
        line(&mut head, name, value);
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// Length, connection, cache: what every reply with a length has first.
fn usual(old: bool, status: u16, length: usize, keep: bool) -> String {
    let mut head = status_line(old, status);
    line(&mut head, "content-length", &length.to_string());
    line(&mut head, "connection", connection(keep));
    line(&mut head, "cache-control", "no-cache, no-store");
    head
}

/// The head of an answer of the API, failures included.
pub(super) fn answer(old: bool, keep: bool, length: usize, content_type: &str, thumbprint: Option<&str>) -> Vec<u8> {
    let mut head = usual(old, 200, length, keep);
    line(&mut head, "content-type", content_type);
    line(&mut head, "Access-Control-Allow-Origin", "*");
    line(&mut head, "Access-Control-Allow-Headers", "X-Requested-With");
    if let Some(thumbprint) = thumbprint {
        line(&mut head, "x-xenapi-response-host-certificate-thumbprint", thumbprint);
    }
    ended(head, &[])
}

/// The answer to a browser that asks whether a page from elsewhere may call.
pub(super) fn options(old: bool, keep: bool, asked: Option<&str>) -> Vec<u8> {
    let mut head = usual(old, 200, 0, keep);
    line(&mut head, "Access-Control-Allow-Origin", "*");
    let allowed = asked.map(|asked| format!("{asked}, ")).unwrap_or_default();
    line(&mut head, "Access-Control-Allow-Headers", &format!("{allowed}X-Requested-With"));
    line(&mut head, "Access-Control-Allow-Methods", "PUT");
    ended(head, &[])
}

/// The head of a handler's reply.
pub(super) fn reply(old: bool, keep: bool, reply: &Reply) -> Vec<u8> {
    ended(usual(old, reply.head.status, reply.body.len(), keep), &reply.head.headers)
}

/// The head of a stream: HTTP/1.0 without a length, whatever was asked.
pub(super) fn stream(head: &Head) -> Vec<u8> {
    let mut text = status_line(true, head.status);
    line(&mut text, "connection", connection(false));
    line(&mut text, "cache-control", "no-cache, no-store");
    ended(text, &head.headers)
}

/// The head before a connection is handed over to a console: HTTP/1.1 even where 1.0 asked.
pub(super) fn connected(head: &Head) -> Vec<u8> {
    let mut text = status_line(false, head.status);
    line(&mut text, "Connection", "keep-alive");
    line(&mut text, "cache-control", "no-cache, no-store");
    ended(text, &head.headers)
}

/// The head before a websocket.
pub(super) fn switching(accept: &str) -> Vec<u8> {
    let mut text = status_line(false, 101);
    line(&mut text, "Upgrade", "websocket");
    line(&mut text, "Connection", "Upgrade");
    line(&mut text, "Sec-WebSocket-Accept", accept);
    line(&mut text, "Sec-WebSocket-Protocol", "binary");
    ended(text, &[])
}
