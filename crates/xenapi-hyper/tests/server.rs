//! The server as its clients see it, byte for byte.
#![allow(clippy::unwrap_used, clippy::std_instead_of_alloc)]

mod common;

use core::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use xenapi_hyper::server::{ServerConfig, serve};

use common::{Scripted, call, server, socket_path, until};

/// Sends bytes and reads to the end of the connection.
async fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    reply
}

fn post(version: &str, more: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("POST /RPC2 HTTP/{version}\r\nhost: x\r\ncontent-length: {}\r\n{more}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// The head's lines and the body.
fn parts(reply: &str) -> (Vec<&str>, &str) {
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    (head.split("\r\n").collect(), body)
}

#[tokio::test]
async fn an_answer_has_xapis_headers_in_xapis_order() {
    let server = server().await;
    let reply = raw(server.http().unwrap(), &post("1.1", "connection: close\r\n", &call("echo", &[7]))).await;
    let (head, body) = parts(&reply);
    let length = format!("content-length: {}", body.len());
    assert_eq!(
        head,
        [
            "HTTP/1.1 200 OK",
            length.as_str(),
            "connection: close",
            "cache-control: no-cache, no-store",
            "content-type: text/xml",
            "Access-Control-Allow-Origin: *",
            "Access-Control-Allow-Headers: X-Requested-With",
        ]
    );
    assert!(body.contains("<name>Status</name><value>Success</value>"), "{body}");
}

#[tokio::test]
async fn http_1_0_closes_unless_asked() {
    let server = server().await;
    let reply = raw(server.http().unwrap(), &post("1.0", "", &call("echo", &[]))).await;
    let (head, _) = parts(&reply);
    assert_eq!((head[0], head[2]), ("HTTP/1.0 200 OK", "connection: close"));

    let two = [post("1.0", "connection: Keep-Alive\r\n", &call("echo", &[])), post("1.0", "", &call("echo", &[]))].concat();
    let reply = raw(server.http().unwrap(), &two).await;
    assert_eq!(reply.matches("HTTP/1.0 200 OK").count(), 2, "{reply}");
    assert_eq!(reply.matches("connection: keep-alive").count(), 1, "{reply}");
}

#[tokio::test]
async fn a_refusal_is_200_and_bare_answers_have_no_envelope() {
    let server = server().await;
    let refused = raw(server.http().unwrap(), &post("1.0", "", &call("VM.fly", &[]))).await;
    assert!(refused.starts_with("HTTP/1.0 200 OK") && refused.contains("MESSAGE_METHOD_UNKNOWN"), "{refused}");
    let bare = raw(server.http().unwrap(), &post("1.0", "", &call("bare", &[]))).await;
    assert!(bare.contains("bare") && !bare.contains("Status"), "{bare}");
}

#[tokio::test]
async fn what_is_no_call_gets_a_page() {
    let server = server().await;
    let big = vec![b' '; 307_201];
    let padding = format!("x-padding: {}\r\n", "x".repeat(1000));
    for (bytes, status, says) in [
        (b"GET /index.html HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(), "404 Not Found", "/index.html"),
        (b"DELETE / HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(), "501 Not Implemented", "DELETE"),
        (post("1.1", "", b"<html>"), "500 Internal Server Error", "cannot be read"),
        (post("1.1", "", b"no xml"), "500 Internal Server Error", "cannot be read"),
        (post("1.1", "", &big), "500 Internal Server Error", "307201 bytes"),
        (post("1.1", &padding, &call("echo", &[])), "431 Request Header Fields Too Large", "too long"),
        (
            b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".to_vec(),
            "500 Internal Server Error",
            "Chunked",
        ),
        (b"POST / HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(), "500 Internal Server Error", "no Content-Length"),
    ] {
        let reply = raw(server.http().unwrap(), &bytes).await;
        let (head, body) = parts(&reply);
        assert_eq!(head[0], format!("HTTP/1.1 {status}"));
        assert!(body.contains(says) && body.starts_with("<html>"), "{body}");
        for header in
            ["connection: close", "content-type: text/html; charset=utf-8", &format!("content-length: {}", body.len())]
        {
            assert!(head.contains(&header), "{header}: {head:?}");
        }
    }
    assert_eq!(server.with(|backend, _| backend.calls), 0);
}

#[tokio::test]
async fn a_body_at_the_limit_is_read() {
    let server = server().await;
    let mut body = call("echo", &[]);
    body.resize(307_200, b' ');
    let reply = raw(server.http().unwrap(), &post("1.0", "", &body)).await;
    assert!(reply.starts_with("HTTP/1.0 200 OK"), "{reply}");
}

#[tokio::test]
async fn options_allow_pages_from_elsewhere() {
    let server = server().await;
    let asked =
        b"OPTIONS /jsonrpc HTTP/1.1\r\nhost: x\r\nconnection: close\r\naccess-control-request-headers: content-type\r\n\r\n";
    let reply = raw(server.http().unwrap(), asked).await;
    let (head, body) = parts(&reply);
    assert_eq!(body, "");
    for header in [
        "HTTP/1.1 200 OK",
        "content-length: 0",
        "Access-Control-Allow-Origin: *",
        "Access-Control-Allow-Headers: content-type, X-Requested-With",
        "Access-Control-Allow-Methods: PUT",
    ] {
        assert!(head.contains(&header), "{header}: {head:?}");
    }
}

#[tokio::test]
async fn what_is_not_http_does_no_harm() {
    let server = server().await;
    let reply = raw(server.http().unwrap(), b"\x16\x03\x01\x02\x00\r\n\r\n").await;
    assert!(reply.starts_with("HTTP/1.1 400"), "{reply}");
    let reply = raw(server.http().unwrap(), &post("1.0", "", &call("echo", &[]))).await;
    assert!(reply.starts_with("HTTP/1.0 200"), "{reply}");
}

#[tokio::test]
async fn a_pending_call_is_answered_when_it_is_due() {
    let server = server().await;
    let reply = raw(server.http().unwrap(), &post("1.0", "", &call("later", &[20]))).await;
    assert!(reply.contains("done"), "{reply}");

    let address = server.http().unwrap();
    let waiting = tokio::spawn(async move { raw(address, &post("1.0", "", &call("wait", &[]))).await });
    until(|| server.with(|backend, _| backend.waiting()) == 1).await;
    server.with(|backend, _| backend.released = true);
    assert!(waiting.await.unwrap().contains("done"));
    assert_eq!(server.with(|backend, _| backend.abandoned), 0);
}

#[tokio::test]
async fn a_client_that_hangs_up_gives_its_call_up() {
    let server = server().await;
    let mut stream = TcpStream::connect(server.http().unwrap()).await.unwrap();
    stream.write_all(&post("1.1", "", &call("wait", &[]))).await.unwrap();
    until(|| server.with(|backend, _| backend.waiting()) == 1).await;
    drop(stream);
    until(|| server.with(|backend, _| backend.abandoned) == 1).await;
    assert_eq!(server.with(|backend, _| backend.waiting()), 0);
}

#[tokio::test]
async fn a_unix_socket_is_roots_and_goes_with_its_server() {
    let path = socket_path("server");
    // What a killed server leaves behind.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let config = ServerConfig { unix: Some(path.clone()), ..ServerConfig::default() };
    let server = serve(Scripted::default(), &config).await.unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions()) & 0o777, 0o600);
    let mut stream = UnixStream::connect(&path).await.unwrap();
    stream.write_all(&post("1.0", "", &call("origin", &[]))).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    assert!(reply.contains("UnixSocket"), "{reply}");

    let second = serve(Scripted::default(), &config).await.unwrap_err().to_string();
    assert!(second.contains("stop the other server"), "{second}");
    server.shutdown().await;
    assert!(!path.exists());

    std::fs::write(&path, "precious").unwrap();
    let third = serve(Scripted::default(), &config).await.unwrap_err().to_string();
    assert!(third.contains("no socket"), "{third}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn shutdown_answers_those_who_wait_and_stops_listening() {
    let server = server().await;
    let address = server.http().unwrap();
    let idle = TcpStream::connect(address).await.unwrap();
    let waiting = tokio::spawn(async move { raw(address, &post("1.1", "", &call("wait", &[]))).await });
    until(|| server.with(|backend, _| backend.waiting()) == 1).await;
    server.shutdown().await;
    assert!(waiting.await.unwrap().starts_with("HTTP/1.1 503"));
    assert!(TcpStream::connect(address).await.is_err());
    drop(idle);
}

#[tokio::test]
async fn an_address_in_use_is_said() {
    let server = server().await;
    let config = ServerConfig { http: server.http(), ..ServerConfig::default() };
    let error = serve(Scripted::default(), &config).await.unwrap_err().to_string();
    assert!(error.contains(&server.http().unwrap().to_string()) && error.contains("port 0 is any"), "{error}");
}
