//! Requests over real sockets.
#![allow(clippy::unwrap_used, clippy::std_instead_of_alloc)]

mod common;

use core::sync::atomic::Ordering;
use core::time::Duration;

use std::sync::Arc;

use http_body_util::BodyExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use xenapi_hyper::server::{ServerConfig, serve};
use xenapi_hyper::{
    Fingerprint, KnownHosts, Request, Target, Transport, TransportConfig, TransportError, TransportErrorKind, Trust, inspect,
};

use common::{Scripted, call, canned, http, https, server, serving, socket_path, until};

const LONG: Duration = Duration::from_secs(60);

fn transport(target: &Target, trust: &Trust) -> Transport {
    Transport::new(target.clone(), trust, TransportConfig::default()).unwrap()
}

async fn echo(transport: &Transport) -> Result<String, TransportError> {
    let reply = transport.rpc(Request::rpc(call("echo", &[7]), LONG)).await?;
    Ok(String::from_utf8(reply.to_vec()).unwrap())
}

#[tokio::test]
async fn http_and_unix_carry_a_call() {
    let path = socket_path("transport");
    let any = Some(([127, 0, 0, 1], 0).into());
    let config = ServerConfig { http: any, unix: Some(path.clone()), ..ServerConfig::default() };
    let server = serve(Scripted::default(), &config).await.unwrap();
    for target in [http(server.http().unwrap().port()), Target::Unix(path)] {
        assert!(echo(&transport(&target, &Trust::System)).await.unwrap().contains("<value>7</value>"));
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_pinned_certificate_is_trusted_and_no_other() {
    let server = server().await;
    let target = https(server.https().unwrap().port());
    let fingerprint = server.fingerprint().unwrap();
    assert!(echo(&transport(&target, &Trust::Pinned(fingerprint))).await.is_ok());

    let wrong = Fingerprint([7; 32]);
    let error = echo(&transport(&target, &Trust::Pinned(wrong))).await.unwrap_err();
    assert_eq!(error.untrusted().unwrap().seen.fingerprint, fingerprint);
    assert!(error.to_string().contains(&wrong.to_string()), "{error}");
    assert_eq!(server.with(|backend, _| backend.calls), 1);
}

/// Shows a certificate without having its key.
async fn impostor(certificate: rcgen::Certificate) -> Target {
    let key = rcgen::KeyPair::generate().unwrap().serialize_der();
    let key = ring::sign::any_supported_type(&key.try_into().unwrap()).unwrap();
    let shown = CertifiedKey::new(vec![certificate.der().clone()], key);
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(shown)));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = https(listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = acceptor.accept(stream).await;
        }
    });
    target
}

#[tokio::test]
async fn a_certificate_without_its_key_is_worth_nothing() {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap().self_signed(&key).unwrap();
    let pin = Fingerprint::of(certificate.der());
    let target = impostor(certificate).await;
    let error = echo(&transport(&target, &Trust::Pinned(pin))).await.unwrap_err();
    assert!(matches!(error.kind(), TransportErrorKind::Tls(why) if why.contains("BadSignature")), "{error:?}");
    assert!(inspect(&target, LONG).await.is_err());
}

#[tokio::test]
async fn an_unknown_certificate_is_refused_with_its_fingerprint() {
    let server = server().await;
    let target = https(server.https().unwrap().port());
    let error = echo(&transport(&target, &Trust::System)).await.unwrap_err();
    let untrusted = error.untrusted().unwrap();
    assert_eq!(untrusted.seen.subject, "localhost");
    assert_eq!(untrusted.seen, inspect(&target, LONG).await.unwrap());
    let text = error.to_string();
    assert!(text.contains(&format!("xenoxide trust {target}")) && text.contains("--fingerprint"), "{text}");
    assert_eq!(server.with(|backend, _| backend.calls), 0);
}

#[tokio::test]
async fn the_first_certificate_is_kept_and_a_change_is_refused() {
    let path = socket_path("known-hosts");
    let store = KnownHosts::open(&path).unwrap();
    let server = server().await;
    let port = server.https().unwrap().port();
    let target = https(port);
    assert!(echo(&transport(&target, &Trust::Known(store.clone()))).await.is_err());
    assert!(echo(&transport(&target, &Trust::FirstUse(store.clone()))).await.is_ok());
    assert_eq!(store.get("127.0.0.1", port), server.fingerprint());
    assert!(echo(&transport(&target, &Trust::Known(KnownHosts::open(&path).unwrap()))).await.is_ok());

    store.remember("127.0.0.1", port, Fingerprint([7; 32])).unwrap();
    for trust in [Trust::Known(store.clone()), Trust::FirstUse(store)] {
        let error = echo(&transport(&target, &trust)).await.unwrap_err();
        assert!(error.untrusted().unwrap().why.contains("recorded in"), "{error}");
    }
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn a_server_without_tls_is_said() {
    let server = server().await;
    let error = echo(&transport(&https(server.http().unwrap().port()), &Trust::System)).await.unwrap_err();
    assert!(matches!(error.kind(), TransportErrorKind::Tls(_)), "{error:?}");
    assert!(inspect(&http(1), LONG).await.is_err());
}

#[tokio::test]
async fn a_dead_server_is_said() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = echo(&transport(&http(port), &Trust::System)).await.unwrap_err();
    assert!(matches!(error.kind(), TransportErrorKind::Connect(std::io::ErrorKind::ConnectionRefused, _)), "{error:?}");
    assert!(error.to_string().starts_with(&format!("http://127.0.0.1:{port}: ")), "{error}");

    let error = echo(&transport(&Target::Unix(socket_path("nobody")), &Trust::System)).await.unwrap_err();
    assert!(error.to_string().contains("check that a server listens on this socket"), "{error}");

    let nowhere = Target::Http { host: "nowhere.invalid".into(), port: 80 };
    let error = echo(&transport(&nowhere, &Trust::System)).await.unwrap_err();
    assert!(matches!(error.kind(), TransportErrorKind::Resolve(_)), "{error:?}");
}

#[tokio::test]
async fn a_slow_server_is_given_up() {
    let server = server().await;
    let transport = transport(&http(server.http().unwrap().port()), &Trust::System);
    let short = Duration::from_millis(30);
    let error = transport.rpc(Request::rpc(call("wait", &[]), short)).await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    // The server learns that nobody waits any more.
    until(|| server.with(|backend, _| backend.abandoned) == 1).await;
    assert!(echo(&transport).await.is_ok());
}

#[tokio::test]
async fn a_server_that_never_speaks_tls_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = https(listener.local_addr().unwrap().port());
    let config = TransportConfig { connect_timeout: Duration::from_millis(30), ..TransportConfig::default() };
    let transport = Transport::new(target, &Trust::System, config).unwrap();
    let error = echo(&transport).await.unwrap_err();
    assert!(matches!(error.kind(), TransportErrorKind::Timeout { waiting_for: "a connection", .. }), "{error:?}");
}

#[tokio::test]
async fn a_reply_over_the_limit_is_refused() {
    let server = server().await;
    let target = http(server.http().unwrap().port());
    let config = TransportConfig { reply_limit: 1000, ..TransportConfig::default() };
    let transport = Transport::new(target, &Trust::System, config).unwrap();
    let error = transport.rpc(Request::rpc(call("big", &[2000]), LONG)).await.unwrap_err();
    assert!(matches!(error.kind(), TransportErrorKind::ReplyTooLarge { limit: 1000 }), "{error:?}");
    assert!(transport.rpc(Request::rpc(call("big", &[10]), LONG)).await.is_ok());
    // The same while it streams.
    let streamed = transport.send(Request::rpc(call("big", &[2000]), LONG)).await.unwrap();
    assert!(streamed.into_body().collect().await.is_err());
}

#[tokio::test]
async fn a_page_instead_of_an_answer_is_shown_as_text() {
    let server = server().await;
    let transport = transport(&http(server.http().unwrap().port()), &Trust::System);
    let error = transport.rpc(Request::rpc("no xml", LONG)).await.unwrap_err();
    let TransportErrorKind::Status { code: 500, text } = error.kind() else { panic!("{error:?}") };
    assert!(text.contains("cannot be read") && !text.contains("<h1>"), "{text}");
    assert!(echo(&transport).await.is_ok());
}

#[tokio::test]
async fn headers_that_a_server_refuses_are_not_sent() {
    let server = server().await;
    let transport = transport(&http(server.http().unwrap().port()), &Trust::System);
    let mut request = Request::rpc(call("echo", &[]), LONG);
    request.headers.insert("x-padding", "x".repeat(1000).parse().unwrap());
    let error = transport.rpc(request).await.unwrap_err();
    assert!(matches!(error.kind(), TransportErrorKind::Request(_)), "{error:?}");
    assert_eq!(server.with(|backend, _| backend.calls), 0);
}

const FINE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine";

#[tokio::test]
async fn a_connection_is_used_again() {
    let (target, connections) = canned(FINE, 100).await;
    let transport = transport(&target, &Trust::System);
    for _ in 0..5 {
        assert_eq!(&*transport.rpc(Request::rpc("x", LONG)).await.unwrap(), b"fine");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_idle_connection_grows_old() {
    let (target, connections) = canned(FINE, 100).await;
    let config = TransportConfig { idle_timeout: Duration::ZERO, ..TransportConfig::default() };
    let transport = Transport::new(target, &Trust::System, config).unwrap();
    for _ in 0..3 {
        transport.rpc(Request::rpc("x", LONG)).await.unwrap();
    }
    assert_eq!(connections.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn only_a_repeatable_request_is_sent_again() {
    // The second request on a connection is read and left unanswered.
    let (target, connections) = canned(FINE, 1).await;
    let transport = transport(&target, &Trust::System);
    transport.rpc(Request::rpc("x", LONG)).await.unwrap();
    let error = transport.rpc(Request::rpc("x", LONG)).await.unwrap_err();
    assert!(matches!(error.kind(), TransportErrorKind::Broken(_)), "{error:?}");
    assert!(error.to_string().contains("may or may not have been done"), "{error}");
    assert_eq!(connections.load(Ordering::SeqCst), 1);

    transport.rpc(Request::rpc("x", LONG)).await.unwrap();
    let again = Request { repeatable: true, ..Request::rpc("x", LONG) };
    assert_eq!(&*transport.rpc(again).await.unwrap(), b"fine");
    assert_eq!(connections.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_replaced_unnoticed() {
    const LAST: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\nfine";
    let (target, connections) = canned(LAST, 1).await;
    let transport = transport(&target, &Trust::System);
    for _ in 0..3 {
        transport.rpc(Request::rpc("x", LONG)).await.unwrap();
    }
    assert_eq!(connections.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_reply_that_breaks_off_is_an_error() {
    for reply in ["HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\nfine", "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 200 OK\r\n"] {
        let (target, _) = serving(reply, 1, false).await;
        let error = transport(&target, &Trust::System).rpc(Request::rpc("x", LONG)).await.unwrap_err();
        assert!(matches!(error.kind(), TransportErrorKind::Broken(_)), "{reply}: {error:?}");
    }
}

#[tokio::test]
async fn calls_go_side_by_side() {
    let server = server().await;
    let transport = transport(&http(server.http().unwrap().port()), &Trust::System);
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let transport = transport.clone();
            tokio::spawn(async move { transport.rpc(Request::rpc(call("wait", &[]), LONG)).await })
        })
        .collect();
    until(|| server.with(|backend, _| backend.waiting()) == 20).await;
    server.with(|backend, _| backend.released = true);
    for call in calls {
        assert!(call.await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn a_body_streams() {
    let server = server().await;
    let transport = transport(&https(server.https().unwrap().port()), &Trust::Pinned(server.fingerprint().unwrap()));
    for _ in 0..2 {
        let reply = transport.send(Request::rpc(call("big", &[3_000_000]), LONG)).await.unwrap();
        let whole = reply.into_body().collect().await.unwrap().to_bytes();
        assert!(whole.len() > 3_000_000);
    }
}

#[test]
fn what_is_shown_of_a_request_is_no_secret() {
    let mut request = Request::rpc("<value>hunter2</value>", LONG);
    request.path = "/export?session_id=hunter2".into();
    request.headers.insert("authorization", "Basic hunter2".parse().unwrap());
    let shown = format!("{request:?}");
    assert!(shown.contains("/export") && shown.contains("authorization") && !shown.contains("hunter2"), "{shown}");
}
