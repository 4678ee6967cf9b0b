//! Calls, and what comes of them when a server is old, odd or absent.
#![allow(clippy::unwrap_used, clippy::std_instead_of_alloc)]

mod common;

use core::time::Duration;

use xenapi_core::{RawCall, RawRef, Ref, Value, get_all_records};
use xenapi_hyper::{Client, ClientConfig, ErrorKind, Target, Transport, TransportConfig, Trust};
use xenapi_model::{VM, vm};

use common::{canned, http, server};

fn client(target: Target) -> Client {
    let transport = Transport::new(target, &Trust::System, TransportConfig::default()).unwrap();
    let config = ClientConfig { poll_interval: Duration::ZERO, ..ClientConfig::default() };
    Client::with_config(transport, config)
}

fn this() -> Ref<VM> {
    Ref::new("OpaqueRef:vm")
}

#[tokio::test]
async fn a_call_without_a_session_is_not_sent() {
    let server = server().await;
    let client = client(http(server.http().unwrap().port()));
    let error = client.call(get_all_records::<VM>()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::LoggedOut), "{error:?}");
    assert!(error.to_string().starts_with("VM.get_all_records: there is no session"), "{error}");
    client.logout().await.unwrap();
    assert_eq!(server.with(|backend, _| backend.calls), 0);
}

#[tokio::test]
async fn a_login_does_not_wait_as_long_as_a_change() {
    // Its queue takes the connection, and nobody ever answers.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let target = http(listener.local_addr().unwrap().port());
    let transport = Transport::new(target, &Trust::System, TransportConfig::default()).unwrap();
    let config = ClientConfig { read_timeout: Duration::from_millis(50), ..ClientConfig::default() };
    let error = Client::with_config(transport, config).login("root", "secret", "test").await.unwrap_err();
    assert!(error.transport().unwrap().is_timeout(), "{error}");
}

#[tokio::test]
async fn an_old_server_is_logged_in_to_with_two_parameters() {
    let server = server().await;
    let client = client(http(server.http().unwrap().port()));
    client.login("root", "secret", "test").await.unwrap();
    assert_eq!(client.session(), Some(RawRef::new("OpaqueRef:session")));
    let session = client.session().unwrap();
    assert!(!format!("{client:?}").contains(session.as_str()));
    client.logout().await.unwrap();
    assert_eq!(client.session(), None);
}

#[tokio::test]
async fn a_task_is_looked_at_where_there_are_no_events() {
    let server = server().await;
    let client = client(http(server.http().unwrap().port()));
    client.login("root", "secret", "test").await.unwrap();
    let mut progress = Vec::new();
    let made = client.run_task(vm::clone(&this(), "copy"), |done| progress.push(done)).await.unwrap();
    assert_eq!(made.as_str(), "OpaqueRef:new");
    assert_eq!(progress, [0.5, 1.0]);
    assert_eq!(server.with(|backend, _| (backend.looks, backend.destroyed)), (3, 1));

    // A result of another type than the call's.
    let error = client.run_task(vm::maximise_memory(&this(), 1, true), drop).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unreadable(_)), "{error:?}");
}

#[tokio::test]
async fn what_has_no_async_form_is_no_task() {
    let server = server().await;
    let client = client(http(server.http().unwrap().port()));
    let error = client.run_task(vm::fields::NAME_LABEL.get(&this()), drop).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NoTask), "{error:?}");
    assert_eq!(server.with(|backend, _| backend.calls), 0);
}

#[tokio::test]
async fn a_call_without_a_schema_is_answered_or_refused() {
    let server = server().await;
    let client = client(http(server.http().unwrap().port()));
    let raw = |method: &str| RawCall { method: method.into(), params: vec!["a<b".into()] };
    assert_eq!(client.call_raw(raw("echo")).await.unwrap(), Value::Array(vec!["a<b".into()]));
    assert_eq!(client.call_raw(raw("bare")).await.unwrap(), Value::Array(vec!["bare".into()]));
    let error = client.call_raw(raw("VM.fly")).await.unwrap_err();
    assert_eq!(error.failure().unwrap().code, "MESSAGE_METHOD_UNKNOWN");
    let reply = client.fetch(&raw("VM.fly")).await.unwrap();
    assert!(String::from_utf8_lossy(&reply).contains("MESSAGE_METHOD_UNKNOWN"));
}

#[tokio::test]
async fn what_is_no_reply_is_said() {
    for (reply, says) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n<html/>", "cannot be read"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "cannot be read"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 26\r\n\r\n<methodResponse><params><p", "cannot be read"),
        (
            "HTTP/1.1 404 Not Found\r\ncontent-length: 14\r\n\r\n<p>nothing</p>",
            "HTTP status 404 instead of an answer: nothing",
        ),
    ] {
        let (target, _) = canned(reply, 1).await;
        let error = client(target.clone()).login("root", "", "test").await.unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        assert!(error.starts_with("session.login_with_password: ") && error.contains(&target.to_string()), "{error}");
        assert!(error.contains("check that this is a XenAPI server"), "{error}");
    }
}
