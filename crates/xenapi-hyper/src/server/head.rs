//! Heads of requests, as xapi reads them.

use xenapi_sim::handlers::{Method, Request};

use super::Place;

/// A request's head, and what it says of the connection.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) request: Request,
    /// HTTP/1.0: so is the reply.
    pub(super) old: bool,
    /// The connection stays open after the reply.
    pub(super) keep: bool,
    pub(super) length: Option<u64>,
    /// The body has another form than its length's.
    pub(super) chunked: bool,
}

/// Why a head is refused: the status, and what to say.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadHead(pub(super) u16, pub(super) String);

fn bad(why: impl Into<String>) -> BadHead {
    BadHead(400, why.into())
}

/// Reads a head that came whole.
pub(super) fn parse(bytes: &[u8], place: &Place) -> Result<Head, BadHead> {
    let text = core::str::from_utf8(bytes).map_err(|_| bad("The head of the request is not UTF-8."))?;
    let mut lines = text.lines();
    let line = lines.next().unwrap_or_default();
    let mut fields = line.split_ascii_whitespace();
    let (Some(name), Some(target), Some(version), None) = (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(bad("The request line does not have three fields."));
    };
    let old = match version {
        "HTTP/1.0" => true,
        "HTTP/1.1" => false,
        _ => return Err(bad("The version of HTTP is neither 1.0 nor 1.1.")),
    };
    let Some(method) = Method::parse(name) else {
        let name: String = name.chars().take(40).collect();
        return Err(BadHead(501, format!("The method {name} is not supported.")));
    };
    let mut request = Request::new(method, target);
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').ok_or_else(|| bad("A header has no colon."))?;
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(bad("A header has no proper name."));
        }
        request = request.with(name, value.trim());
    }
    (request.origin, request.secure, request.via) = (place.sim_origin(), place.secure, place.host.clone());
    let length = length(&request)?;
    let chunked = request.header("transfer-encoding").is_some();
    let keep = keeps(old, request.header("connection").unwrap_or_default());
    Ok(Head { request, old, keep, length, chunked })
}

/// Two lengths that differ would let one request look like two.
fn length(request: &Request) -> Result<Option<u64>, BadHead> {
    let mut length = None;
    for (_, value) in request.headers.iter().filter(|(name, _)| name == "content-length") {
        let digits = value.bytes().all(|byte| byte.is_ascii_digit());
        let number = value.parse().ok().filter(|_| digits).ok_or_else(|| bad("Content-Length is no number."))?;
        if length.is_some_and(|other| other != number) {
            return Err(bad("Content-Length is given twice."));
        }
        length = Some(number);
    }
    Ok(length)
}

/// Whether the connection stays open after the answer.
fn keeps(old: bool, said: &str) -> bool {
    let says = |word: &str| said.split(',').any(|part| part.trim().eq_ignore_ascii_case(word));
    if old { says("keep-alive") } else { !says("close") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &str) -> Result<Head, BadHead> {
        parse(text.as_bytes(), &Place::default())
    }

    #[test]
    fn a_head_says_what_it_asks_for() {
        let head =
            read("POST  /RPC2?a=b\tHTTP/1.0\r\nContent-Length: 7\r\nX-A:b \r\nconnection: Keep-Alive\r\n\r\n").unwrap();
        assert!(head.old && head.keep && !head.chunked);
        assert_eq!((head.length, head.request.header("x-a"), head.request.query("a")), (Some(7), Some("b"), Some("b")));
        let head = read("GET / HTTP/1.1\n\n").unwrap();
        assert!(!head.old && head.keep && head.length.is_none());
        assert!(!read("GET / HTTP/1.1\r\nConnection: close, x\r\n\r\n").unwrap().keep);
        assert!(!read("GET / HTTP/1.0\r\n\r\n").unwrap().keep);
    }

    #[test]
    fn what_is_none_is_refused() {
        for (text, status) in [
            ("GET /\r\n\r\n", 400),
            ("GET / x HTTP/1.1\r\n\r\n", 400),
            ("GET / HTTP/2.0\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\na b: c\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\n: c\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\ncontent-length: +3\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\ncontent-length: 99999999999999999999\r\n\r\n", 400),
            ("HEAD / HTTP/1.1\r\n\r\n", 501),
            ("get / HTTP/1.1\r\n\r\n", 501),
        ] {
            assert_eq!(read(text).unwrap_err().0, status, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_a_head_or_refused(bytes: Vec<u8>, text in "(GET|POST|x)? ?/[a-z%?&=0-9]* (HTTP/1.[01])?\r\n([a-zA-Z-]*:? ?[a-z0-9]*\r\n){0,3}") {
            let _ = parse(&bytes, &Place::default());
            let _ = parse(text.as_bytes(), &Place::default());
        }
    }
}
