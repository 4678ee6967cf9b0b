//! What users get wrong, and what they are told. The words are not fixed; the code, the place and the advice are.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};

use crate::harness::{Server, fails, read_all, run, xenoxide};

/// Asserts that a command fails with that exit code and says all those things.
fn refused(code: i32, arguments: &[&str], says: &[&str]) {
    refused_with(code, arguments, "xenoxide", says);
}

fn refused_with(code: i32, arguments: &[&str], password: &str, says: &[&str]) {
    let (exit, message) = fails(xenoxide(arguments).env("XENOXIDE_PASSWORD", password));
    for part in says {
        assert!(message.contains(part), "xenoxide {arguments:?} does not say {part:?}: {message}");
    }
    assert_eq!(exit, code, "xenoxide {arguments:?}: {message}");
    assert!(!message.contains("panicked"), "{message}");
}

/// Sends one request as it stands and answers the whole reply.
fn http(url: &str, request: &str) -> String {
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).expect("it listens");
    stream.write_all(request.as_bytes()).expect("it takes the request");
    read_all(stream)
}

fn post(path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// A port on which nobody listens.
fn dead_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it has an address").port()
}

#[test]
fn of_the_command_line() {
    let sim = Server::sim(&["--tls-listen", "127.0.0.1:0"]);
    let (http, https) = (sim.get("http"), sim.get("https"));
    refused_with(3, &["call", http, "VM.get_all"], "wrong", &["SESSION_AUTHENTICATION_FAILED", "root"]);
    refused(2, &["call", http, "VM.strat", "x"], &["VM.strat", "VM.start"]);
    refused(2, &["call", http, "VM.start"], &["VM.start", "start_paused"]);
    refused(2, &["call", http, "task.set_progress", "OpaqueRef:x", "fast"], &["fast"]);
    refused(3, &["call", http, "VM.get_record", "OpaqueRef:none"], &["HANDLE_INVALID", "VM", "OpaqueRef:none"]);
    refused(5, &["call", https, "VM.get_all"], &["certificate", sim.get("fingerprint")]);
    refused(2, &["call", "ftp://pool", "VM.get_all"], &["ftp://pool", "https://"]);
    refused(4, &["call", "https://no-such-host.invalid", "VM.get_all"], &["no-such-host.invalid"]);
    let dead = format!("http://127.0.0.1:{}", dead_port());
    refused(4, &["call", &dead, "VM.get_all"], &[dead.trim_start_matches("http://"), "refused"]);
    refused(4, &["call", "unix:/no/such/socket", "VM.get_all"], &["/no/such/socket"]);
    refused(1, &["demo", "--records", "/no/such/folder"], &["/no/such/folder"]);
    refused(1, &["sim", "--listen", http.trim_start_matches("http://").trim_end_matches('/')], &["in use"]);
    refused(2, &["frobnicate"], &["frobnicate"]);
    // After all that, the pool answers as before.
    assert!(run(&["call", http, "pool.get_all"]).contains("OpaqueRef:"));
}

#[test]
fn of_the_wire_does_not_touch_other_sessions() {
    let sim = Server::sim(&[]);
    let login = "<methodCall><methodName>session.login_with_password</methodName><params><param><value>root</value></param>\
                 <param><value>xenoxide</value></param></params></methodCall>";
    let reply = http(sim.get("http"), &post("/", login));
    let session = reply.split("<value>").find(|part| part.starts_with("OpaqueRef:")).and_then(|part| part.split('<').next());
    let session = session.unwrap_or_else(|| panic!("no session in {reply}"));
    let list = format!(
        "<methodCall><methodName>VM.get_all</methodName><params><param><value>{session}</value></param></params></methodCall>"
    );
    for (request, status) in [
        (post("/", "not xml"), "500"),
        (post("/", "<methodCall><methodName>VM.get_all</methodName>"), "500"),
        (post("/", &"x".repeat(307_201)), "500"),
        ("BREW / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".into(), "501"),
        (post("/", "<!DOCTYPE a [<!ENTITY b \"c\">]><methodCall><methodName>&b;</methodName><params/></methodCall>"), "500"),
    ] {
        let reply = http(sim.get("http"), &request);
        let first = reply.lines().next().unwrap_or_default();
        assert!(first.contains(status), "{first} to {:.80}", request);
        assert!(http(sim.get("http"), &post("/", &list)).contains("<name>Status</name><value>Success</value>"));
    }
}

#[test]
fn of_the_proxy() {
    let dead = format!("http://127.0.0.1:{}", dead_port());
    let serve = Server::serve(&dead, &[]);
    let url = serve.get("url");
    for (request, status, code) in [
        (post("/pools/nowhere/rpc", "x"), "404", "unknown-pool"),
        (post("/pools/test/rpc", &"x".repeat(400_000)), "413", "body-too-large"),
        (
            post("/pools/test/rpc", "<methodCall><methodName>pool.get_all</methodName><params/></methodCall>"),
            "502",
            "upstream-unreachable",
        ),
    ] {
        let reply = http(url, &request);
        let first = reply.lines().next().unwrap_or_default();
        assert!(first.contains(status), "{first} to {:.60}", request);
        assert!(reply.contains(code), "{reply}");
    }
    let page = http(url, "GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert!(!page.contains("root:"), "{page}");
}
