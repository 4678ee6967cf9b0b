//! What can go wrong between here and a server, before an answer of the API.

use core::fmt;
use core::time::Duration;
use std::io;

use crate::certificate::{Fingerprint, SeenCertificate};
use crate::target::{Target, bracketed};

/// A request that got no usable answer: what happened, at which target, what to do.
#[derive(Clone, Debug)]
pub struct TransportError(Box<(Target, TransportErrorKind)>);

/// What happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The host's name has no address.
    Resolve(String),
    /// No connection: refused, unreachable, no such socket, no permission.
    Connect(io::ErrorKind, String),
    /// TLS could not be agreed on, or cannot be set up here.
    Tls(String),
    /// The server's certificate is not trusted.
    Untrusted(Box<Untrusted>),
    /// Nothing came in time.
    Timeout {
        /// What was waited for: `a connection`, `the answer`.
        waiting_for: &'static str,
        /// How long.
        after: Duration,
    },
    /// The reply is larger than the caller allows.
    ReplyTooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The server answered with a page instead of a reply.
    Status {
        /// The HTTP status.
        code: u16,
        /// The text of the page, shortened.
        text: String,
    },
    /// The connection broke, or what came is not HTTP.
    Broken(String),
    /// The request cannot be sent as it is.
    Request(String),
}

/// A certificate that is not trusted, and why.
#[derive(Clone, Debug)]
pub struct Untrusted {
    /// The host that showed it.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What it showed.
    pub seen: SeenCertificate,
    /// The certificate that was expected instead, where one is pinned or recorded: the server has a new one, or somebody stands in between.
    pub expected: Option<Fingerprint>,
    /// Why it is not trusted, for people.
    pub why: String,
}

impl TransportError {
    pub(crate) fn new(target: &Target, kind: TransportErrorKind) -> Self {
        TransportError(Box::new((target.clone(), kind)))
    }

    /// The error for an answer with another status than the caller needs.
    pub fn status(target: &Target, code: u16, page: &[u8]) -> Self {
        TransportError::new(target, TransportErrorKind::Status { code, text: page_text(page) })
    }

    /// Which server.
    pub fn target(&self) -> &Target {
        &self.0.0
    }

    /// What happened.
    pub fn kind(&self) -> &TransportErrorKind {
        &self.0.1
    }

    /// The certificate that is not trusted, if that is the reason.
    pub fn untrusted(&self) -> Option<&Untrusted> {
        if let TransportErrorKind::Untrusted(untrusted) = self.kind() { Some(untrusted) } else { None }
    }

    /// Whether nothing came in time.
    pub fn is_timeout(&self) -> bool {
        matches!(self.kind(), TransportErrorKind::Timeout { .. })
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SeenCertificate { subject, fingerprint } = &self.seen;
        let place = format!("{}:{}", bracketed(&self.host), self.port);
        write!(
            f,
            "the certificate of {place} is not trusted: {}. It names {subject:?} and has the SHA-256 {fingerprint}",
            self.why
        )
    }
}

impl core::error::Error for Untrusted {}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (target, kind) = &*self.0;
        match kind {
            TransportErrorKind::Resolve(why) => {
                write!(f, "{target}: the host has no address ({why}); check its name, or write its address")
            }
            TransportErrorKind::Connect(kind, why) => {
                write!(f, "{target}: no connection ({why}); {}", advice(target, *kind))
            }
            TransportErrorKind::Tls(why) => {
                write!(
                    f,
                    "{target}: no TLS ({why}); check that this is the server's TLS port and that it speaks TLS 1.2 or 1.3"
                )
            }
            TransportErrorKind::Untrusted(untrusted) => {
                let fingerprint = untrusted.seen.fingerprint.to_hex();
                write!(
                    f,
                    "{untrusted}. Compare it with the server's own (Certificate.fingerprint, or on its console); if they are \
                    equal, run `xenoxide trust {target}` or give `--fingerprint {fingerprint}`"
                )
            }
            TransportErrorKind::Timeout { waiting_for, after } => {
                write!(
                    f,
                    "{target}: {waiting_for} did not come within {after:?}; check that the server is up and not overloaded"
                )
            }
            TransportErrorKind::ReplyTooLarge { limit } => {
                write!(f, "{target}: the reply is larger than {limit} bytes; ask for less at once, or raise the limit")
            }
            TransportErrorKind::Status { code, text } => {
                let dash = if text.is_empty() { "" } else { ": " };
                write!(
                    f,
                    "{target}: HTTP status {code} instead of an answer{dash}{text}; check that this is a XenAPI server"
                )
            }
            TransportErrorKind::Broken(why) => {
                write!(
                    f,
                    "{target}: the connection broke before the whole answer came ({why}); the call may or may not have been done"
                )
            }
            TransportErrorKind::Request(why) => write!(f, "{target}: the request cannot be sent: {why}"),
        }
    }
}

impl core::error::Error for TransportError {}

fn advice(target: &Target, kind: io::ErrorKind) -> &'static str {
    match (target, kind) {
        (Target::Unix(_), io::ErrorKind::PermissionDenied) => "only root may use the socket of a server",
        (Target::Unix(_), _) => "check that a server listens on this socket",
        (_, io::ErrorKind::ConnectionRefused) => "check that a server listens on this port",
        _ => "check that the server is up and can be reached from here",
    }
}

/// The text of an HTML page without its marks, spaces folded, at most about 300 characters.
fn page_text(page: &[u8]) -> String {
    const MOST: usize = 300;
    let page = String::from_utf8_lossy(&page[..page.len().min(8192)]);
    let mut text = String::new();
    let mut inside = false;
    for c in page.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                text.push(' ');
            }
            _ if inside => {}
            c if c.is_whitespace() || c.is_control() => text.push(' '),
            c => text.push(c),
        }
    }
    let text = text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_page_becomes_a_line() {
        assert_eq!(
            page_text(b"<html><body>\n<h1>HTTP 500</h1>it &lt;broke&gt; &amp;\tso</body></html>"),
            "HTTP 500 it <broke> & so"
        );
        assert_eq!(page_text(b"\xff\x1b[0m"), "\u{fffd} [0m");
        assert_eq!(page_text(&[b'x'; 10_000]).chars().count(), 301);
    }

    #[test]
    fn an_error_says_what_where_and_what_to_do() {
        let target: Target = "https://xs1:8443".parse().unwrap();
        let seen = SeenCertificate::of(b"");
        let untrusted =
            Untrusted { host: "xs1".into(), port: 8443, seen, expected: None, why: "nobody vouches for it".into() };
        let text = TransportError::new(&target, TransportErrorKind::Untrusted(Box::new(untrusted))).to_string();
        for part in ["xs1:8443", "nobody vouches", "E3:B0:C4", "xenoxide trust https://xs1:8443", "--fingerprint e3b0c4"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let refused = TransportErrorKind::Connect(io::ErrorKind::ConnectionRefused, "connection refused".into());
        let text = TransportError::new(&target, refused).to_string();
        assert_eq!(text, "https://xs1:8443: no connection (connection refused); check that a server listens on this port");
    }
}
