//! What is no call: streams, uploads, consoles, and the time that clients may take.
#![allow(clippy::unwrap_used, clippy::std_instead_of_alloc)]

mod common;

use core::net::SocketAddr;
use core::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use xenapi_hyper::server::{Server, ServerConfig, ServerTimes, serve};

use common::{Scripted, call, server, until};

async fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    reply
}

/// Reads until the bytes end so.
async fn read_to(stream: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
    while !all.ends_with(end) {
        let read = stream.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "it ends with {:?}", String::from_utf8_lossy(&all));
        all.extend_from_slice(&buffer[..read]);
    }
    all
}

/// A server whose clients have little time.
async fn hasty() -> Server<Scripted> {
    let short = Duration::from_millis(100);
    let times =
        ServerTimes { head_read: short, head: short, body: short, idle: short, stall: short, ..ServerTimes::default() };
    let http = Some(([127, 0, 0, 1], 0).into());
    serve(Scripted::default(), &ServerConfig { http, times, ..ServerConfig::default() }).await.unwrap()
}

#[tokio::test]
async fn a_stream_is_http_1_0_without_a_length() {
    let server = server().await;
    let reply = raw(server.http().unwrap(), b"GET /pieces?n=3 HTTP/1.1\r\n\r\n").await;
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.0 200 OK\r\nconnection: close\r\n") && !head.contains("content-length"), "{head}");
    assert_eq!(body.len(), 3 * 65_536);
    assert_eq!(server.with(|backend, _| backend.broken), 0);
}

#[tokio::test]
async fn what_is_not_read_is_not_made_and_a_slow_reader_is_left() {
    let server = hasty().await;
    let mut stream = TcpStream::connect(server.http().unwrap()).await.unwrap();
    stream.write_all(b"GET /pieces?n=100000 HTTP/1.1\r\n\r\n").await.unwrap();
    until(|| server.with(|backend, _| backend.broken) == 1).await;
    // What fits into the buffers of the system, and no more.
    assert!(server.with(|backend, _| backend.pieces) < 1000);
}

#[tokio::test]
async fn an_upload_comes_in_pieces() {
    let server = server().await;
    let address = server.http().unwrap();
    let put =
        |path: &str, length: usize| format!("PUT {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    let body = vec![b'x'; 500_000];
    let whole = raw(address, &[put("/sum", body.len()).as_bytes(), &body].concat()).await;
    assert!(whole.ends_with("\r\n\r\n500000 true"), "{whole}");
    let refused = raw(address, &[put("/sum", 4).as_bytes(), b"abc!"].concat()).await;
    assert!(refused.starts_with("HTTP/1.1 400 Bad Request") && refused.contains("no exclamations"), "{refused}");
    // A client that announces too much and closes its side.
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&[put("/early", 1 << 40).as_bytes(), b"abc"].concat()).await.unwrap();
    let head = read_to(&mut stream, b"\r\n\r\n").await;
    assert!(head.starts_with(b"HTTP/1.0 200 OK"), "the head comes first");
    stream.shutdown().await.unwrap();
    assert_eq!(stream.read(&mut [0; 10]).await.unwrap(), 0);
    assert_eq!(server.with(|backend, _| backend.sums.clone()), [(500_000, true), (3, false)]);
}

#[tokio::test]
async fn a_console_speaks_first_and_answers() {
    let server = server().await;
    let mut stream = TcpStream::connect(server.http().unwrap()).await.unwrap();
    stream.write_all(b"CONNECT /echo HTTP/1.0\r\n\r\n").await.unwrap();
    let head = read_to(&mut stream, b"hello\n").await;
    assert!(head.starts_with(b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n"), "{}", String::from_utf8_lossy(&head));
    assert_eq!(read_to(&mut stream, b"awake\n").await, b"awake\n");
    stream.write_all(b"abc").await.unwrap();
    assert_eq!(read_to(&mut stream, b"ABC").await, b"ABC");
    stream.write_all(b"bye").await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"BYE");
    assert_eq!(server.with(|backend, _| backend.broken), 0);
}

#[tokio::test]
async fn a_console_whose_client_goes_is_told() {
    let server = server().await;
    let mut stream = TcpStream::connect(server.http().unwrap()).await.unwrap();
    stream.write_all(b"CONNECT /echo HTTP/1.0\r\n\r\n").await.unwrap();
    read_to(&mut stream, b"hello\n").await;
    drop(stream);
    until(|| server.with(|backend, _| backend.broken) == 1).await;
}

#[tokio::test]
async fn a_websocket_carries_the_same_console() {
    let server = server().await;
    let refused = raw(server.http().unwrap(), b"GET /echo HTTP/1.1\r\n\r\n").await;
    assert!(refused.starts_with("HTTP/1.1 501 "), "{refused}");
    let mut stream = TcpStream::connect(server.http().unwrap()).await.unwrap();
    let request = b"GET /echo HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let head = read_to(&mut stream, b"\x82\x06hello\n").await;
    let head = String::from_utf8_lossy(&head);
    assert!(head.starts_with("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"), "{head}");
    assert!(
        head.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: binary\r\n"),
        "{head}"
    );
    assert_eq!(read_to(&mut stream, b"awake\n").await, b"\x82\x06awake\n");
    // `ab`, masked by 1 2 3 4, in two pieces; then a close.
    stream.write_all(&[0x82, 0x82, 1, 2, 3]).await.unwrap();
    stream.write_all(&[4, b'a' ^ 1, b'b' ^ 2]).await.unwrap();
    assert_eq!(read_to(&mut stream, b"AB").await, b"\x82\x02AB");
    stream.write_all(&[0x88, 0x80, 0, 0, 0, 0]).await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, [0x88, 0]);
}

#[tokio::test]
async fn slow_clients_are_told_once_and_left() {
    let server = hasty().await;
    let address = server.http().unwrap();
    let late = raw(address, b"POST / HT").await;
    assert!(late.starts_with("HTTP/1.1 408 Request Timeout\r\n") && late.contains("<html>"), "{late}");
    let nothing = raw(address, b"").await;
    assert!(nothing.starts_with("HTTP/1.1 408 "), "{nothing}");
    let body = raw(address, b"POST / HTTP/1.1\r\ncontent-length: 10\r\n\r\nabc").await;
    assert!(body.starts_with("HTTP/1.1 408 "), "{body}");
    // After a request, a client may be silent; it is left without a word.
    let echo = call("echo", &[]);
    let head = format!("POST / HTTP/1.1\r\ncontent-length: {}\r\n\r\n", echo.len());
    let idle = raw(address, &[head.as_bytes(), &echo].concat()).await;
    assert!(idle.starts_with("HTTP/1.1 200 OK\r\n") && idle.ends_with("</methodResponse>"), "{idle}");
}
