//! Requests and replies without a connection.

use alloc::borrow::{Cow, ToOwned as _};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use xenapi_core::RawRef;

use crate::Origin;

/// The methods that xapi knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub enum Method {
    /// `GET`
    Get,
    /// `PUT`
    Put,
    /// `POST`
    Post,
    /// `CONNECT`
    Connect,
    /// `OPTIONS`
    Options,
}

impl Method {
    /// The method of that name, in capitals.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "GET" => Method::Get,
            "PUT" => Method::Put,
            "POST" => Method::Post,
            "CONNECT" => Method::Connect,
            "OPTIONS" => Method::Options,
            _ => return None,
        })
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Method::Get => "GET",
            Method::Put => "PUT",
            Method::Post => "POST",
            Method::Connect => "CONNECT",
            Method::Options => "OPTIONS",
        })
    }
}

/// The head of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// `GET` and so on.
    pub method: Method,
    /// As in the request's line: the path with the query.
    pub target: String,
    /// Without the query, decoded.
    pub path: String,
    /// The query's keys with their values, decoded, in their order.
    pub queries: Vec<(String, String)>,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Where it came from.
    pub origin: Origin,
    /// Came over TLS.
    pub secure: bool,
    /// The host at whose own address it came; none where one address answers for the whole pool.
    pub via: Option<RawRef>,
}

impl Request {
    /// A request over TCP without headers.
    pub fn new(method: Method, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        // A client that speaks to a proxy sends the whole address.
        let path = match path.find("://").map(|at| &path[at + 3..]) {
            Some(rest) => rest.find('/').map_or("/", |at| &rest[at..]),
            None => path,
        };
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let queries = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(k, v)| (decode(k), decode(v)));
        Request {
            method,
            target: target.to_owned(),
            path: decode_percent(path),
            queries: queries.collect(),
            headers: Vec::new(),
            origin: Origin::Tcp,
            secure: false,
            via: None,
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The value of a key of the query.
    pub fn query<'a>(&'a self, key: &'a str) -> Option<&'a str> {
        self.all(key).next()
    }

    /// All values of a key of the query.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.queries.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// The value of a cookie. xapi takes `;` and `&` between two of them.
    pub fn cookie(&self, key: &str) -> Option<String> {
        let cookies = self.headers.iter().filter(|(name, _)| name == "cookie");
        let mut pairs =
            cookies.flat_map(|(_, value)| value.split([';', '&'])).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == key).map(|(_, value)| decode_percent(value))
    }

    /// What the client gave by a cookie, or else in the query.
    pub fn given(&self, key: &str) -> Option<String> {
        self.cookie(key).or_else(|| self.query(key).map(ToOwned::to_owned))
    }
}

/// The text of a part of a query: `+` is a blank.
fn decode(text: &str) -> String {
    decode_percent(&text.replace('+', " "))
}

/// `%41` is `A`. What is not such a code stays as it is.
fn decode_percent(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let digit =
        |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16)).and_then(|digit| u8::try_from(digit).ok());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(high << 4 | low);
                at += 3;
            }
            _ => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Status and headers of a reply. The server adds length and connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// For example 200.
    pub status: u16,
    /// In their order.
    pub headers: Vec<(Cow<'static, str>, String)>,
}

impl Head {
    /// 200 with a type of content.
    pub fn ok(content_type: &str) -> Self {
        Head { status: 200, headers: Vec::new() }.with("content-type", content_type)
    }

    /// Adds a header. Characters that would end it are left out.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let mut value: String = value.into();
        value.retain(|c| !c.is_control());
        self.headers.push((Cow::Borrowed(name), value));
        self
    }
}

/// A whole reply.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// Status and headers.
    pub head: Head,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A reply without headers of its own.
    pub fn new(status: u16, body: Vec<u8>) -> Self {
        Reply { head: Head { status, headers: Vec::new() }, body }
    }

    /// 200 with a body.
    pub fn ok(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Reply { head: Head::ok(content_type), body: body.into() }
    }

    /// A page that says what went wrong. The connection closes after it.
    pub fn error(status: u16, detail: &str) -> Self {
        let title = format!("HTTP {status} {}", reason(status));
        let mut shown = String::with_capacity(detail.len());
        for c in detail.chars() {
            match c {
                '&' => shown += "&amp;",
                '<' => shown += "&lt;",
                '>' => shown += "&gt;",
                _ => shown.push(c),
            }
        }
        let page = format!("<html><body><h1>{title}</h1><p>{shown}</p></body></html>");
        Reply {
            head: Head { status, headers: Vec::new() }.with("content-type", "text/html; charset=utf-8"),
            body: page.into(),
        }
    }

    /// The page for a request without credentials, or with wrong ones.
    pub(crate) fn unauthorised(realm: &str) -> Self {
        Reply::error(401, "Please log in: send a session reference as cookie or query `session_id`, or user and password.")
            .with("www-authenticate", format!("Basic realm=\"{realm}\""))
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.head = self.head.with(name, value);
        self
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.head.status
    }
}

/// The words for a status.
pub fn reason(status: u16) -> Cow<'static, str> {
    Cow::Borrowed(match status {
        101 => "Switching Protocols",
        200 => "OK",
        301 => "Moved Permanently",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        other => return Cow::Owned(other.to_string()),
    })
}
