#![allow(clippy::unwrap_used)]

use alloc::string::String;
use alloc::vec;

use xenapi_core::{Millis, RawCall};

use super::*;
use crate::{Config, Handled, Origin, Outcome, PASSWORD};

fn sim() -> Sim {
    Sim::new(&Config { vms: 2, ..Config::default() })
}

fn log_in(sim: &mut Sim, user: &str) -> String {
    let call = RawCall { method: "session.login_with_password".into(), params: vec![user.into(), PASSWORD.into()] };
    match sim.handle(call, Origin::Tcp, Millis(0)) {
        Handled::Done(Outcome::Value(session)) => session.as_text().unwrap().into(),
        other => panic!("{other:?}"),
    }
}

fn reply(sim: &mut Sim, request: &Request) -> Reply {
    match sim.http(request, Millis(0)) {
        Answer::Reply(reply) => reply,
        Answer::Upload(None, mut exchange) => exchange.finish(sim, true, Millis(0)),
        other => panic!("{other:?}"),
    }
}

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply.head.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// `root:xenoxide`
const ROOT: &str = "Basic cm9vdDp4ZW5veGlkZQ==";

#[test]
fn credentials_are_looked_for_in_xapis_order() {
    let mut sim = sim();
    let session = log_in(&mut sim, "root");
    let request = Request::new(Method::Get, "/xenoxide/faults");
    let bare = reply(&mut sim, &request);
    assert_eq!(bare.status(), 401);
    assert!(header(&bare, "www-authenticate").unwrap().starts_with("Basic realm=\""));
    let by_query = alloc::format!("/xenoxide/faults?session_id={session}");
    for (request, status) in [
        (request.clone().with("Authorization", ROOT), 200),
        (request.clone().with("Authorization", "Basic cm9vdDp3cm9uZw=="), 401),
        (request.clone().with("Cookie", &alloc::format!("a=b; session_id={session}")), 200),
        (request.clone().with("Cookie", &alloc::format!("a=b&session_id={session}")), 200),
        (Request::new(Method::Get, &by_query), 200),
        (Request::new(Method::Get, &by_query.replace(':', "%3A")), 200),
        // A session that is none is not made good by a password.
        (request.clone().with("Cookie", "session_id=OpaqueRef:none").with("Authorization", ROOT), 401),
        (Request { origin: Origin::UnixSocket, ..request.clone() }, 200),
    ] {
        assert_eq!(reply(&mut sim, &request).status(), status, "{request:?}");
    }
    // The sessions of requests with a password are gone.
    assert_eq!(sim.store.count("session"), 1);
}

#[test]
fn a_role_that_does_not_suffice_is_403() {
    let mut sim = sim();
    let session = log_in(&mut sim, "pool-admin");
    let request = Request::new(Method::Get, &alloc::format!("/xenoxide/faults?session_id={session}"));
    let refused = reply(&mut sim, &request);
    assert_eq!(refused.status(), 403);
    assert!(String::from_utf8(refused.body).unwrap().contains("http/get_xenoxide_faults"));
}

#[test]
fn the_longest_path_wins_and_what_is_not_simulated_says_so() {
    assert_eq!(routes::find(Method::Get, "/rrd_updates").unwrap().action, "get_rrd_updates");
    assert_eq!(routes::find(Method::Put, "/rrd_updates").unwrap().action, "put_rrd");
    assert_eq!(routes::find(Method::Get, "/vm_rrds").unwrap().action, "get_vm_rrd");
    assert!(routes::find(Method::Get, "/nothing").is_none());
    let mut sim = sim();
    let unsimulated = reply(&mut sim, &Request::new(Method::Get, "/host_backup").with("Authorization", ROOT));
    assert_eq!(unsimulated.status(), 501);
    assert!(String::from_utf8(unsimulated.body).unwrap().contains("GET /host_backup"));
}

#[test]
fn pages_need_tls() {
    let mut sim = sim();
    let request = Request::new(Method::Get, "/some/unknown/path");
    assert_eq!(reply(&mut sim, &request).status(), 403);
    assert_eq!(reply(&mut sim, &Request { secure: true, ..request.clone() }).status(), 404);
    assert_eq!(reply(&mut sim, &Request { origin: Origin::UnixSocket, ..request }).status(), 404);
}

#[test]
fn faults_are_changed_while_the_pool_runs() {
    let mut sim = sim();
    let mut send = |method, body: &[u8]| {
        let request = Request::new(method, "/xenoxide/faults").with("Authorization", ROOT);
        match sim.http(&request, Millis(0)) {
            Answer::Reply(reply) => reply,
            Answer::Upload(None, mut exchange) => match exchange.take(&mut sim, body, Millis(0)) {
                Ok(()) => exchange.finish(&mut sim, true, Millis(0)),
                Err(reply) => reply,
            },
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(send(Method::Post, b"drop:method=VM.start; delay=2000ms").body, b"1 0 drop:method=VM.start\n2 0 delay=2s\n");
    assert_eq!(send(Method::Get, b"").body, b"1 0 drop:method=VM.start\n2 0 delay=2s\n");
    let wrong = send(Method::Post, b"fly");
    assert!(wrong.status() == 400 && String::from_utf8(wrong.body).unwrap().contains("no fault"), "it says what is wrong");
    assert_eq!(send(Method::Put, b"status=503").body, b"3 0 status=503\n");
    assert_eq!(send(Method::Put, b"").body, b"");
    assert_eq!(send(Method::Post, &[b' '; 70_000]).status(), 400);
    assert_eq!(sim.store.count("session"), 0);
}

#[test]
fn a_request_is_taken_apart() {
    let request = Request::new(Method::Get, "/a%20b?x=1&y=a+b%2F&x=2&flag&=z").with("Cookie", "k=v%20w");
    assert_eq!((request.path.as_str(), request.query("y"), request.query("flag")), ("/a b", Some("a b/"), Some("")));
    assert_eq!(request.all("x").collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(request.given("k").as_deref(), Some("v w"));
    assert_eq!(Request::new(Method::Get, "https://pool.example/rrd?a=b").path, "/rrd");
    assert_eq!(Request::new(Method::Get, "/%zz%4").path, "/%zz%4");
}
