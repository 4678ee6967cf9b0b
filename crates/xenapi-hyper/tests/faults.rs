//! What goes wrong on demand, as clients see it; and hosts at their own addresses.
#![allow(clippy::unwrap_used, clippy::std_instead_of_alloc)]

#[path = "common/pool.rs"]
mod pool;

use core::net::SocketAddr;
use std::io::ErrorKind;

use tokio::net::TcpStream;
use xenapi_core::Millis;
use xenapi_hyper::http::{HeaderMap, Method};
use xenapi_hyper::server::SimServer;
use xenapi_sim::faults::parse;

use pool::{ROOT, all, call, login, over_tls, pool, pool_with, post, raw, refusal, spread, value, xml};

fn fault(server: &SimServer, text: &str) {
    server.with(|sim, now| sim.add_faults(&parse(text).unwrap(), now));
}

/// Lets other tasks go on until `holds`.
async fn until(mut holds: impl AsyncFnMut() -> bool) {
    while !holds().await {
        tokio::time::sleep(core::time::Duration::from_millis(1)).await;
    }
}

async fn is_refused(address: SocketAddr) -> bool {
    matches!(TcpStream::connect(address).await, Err(error) if error.kind() == ErrorKind::ConnectionRefused)
}

#[tokio::test]
async fn a_dropped_request_has_no_answer_and_no_effect() {
    let pool = pool().await;
    let at = pool.http().unwrap();
    let session = login(at).await;
    let create = post("/", "", &xml("task.create", &[&session, "lost", ""]));
    let tasks = |pool: &SimServer| {
        let at = pool.http().unwrap();
        let session = session.clone();
        async move { call(at, "task.get_by_name_label", &[&session, "lost"]).await.body.matches("OpaqueRef:").count() }
    };
    fault(&pool, "drop:method=task.create:times=1");
    assert_eq!(all(at, &create).await, "");
    assert_eq!(tasks(&pool).await, 0);
    fault(&pool, "drop=answer:method=task.create:times=1");
    assert_eq!(all(at, &create).await, "");
    assert_eq!(tasks(&pool).await, 1);
    assert!(all(at, &create).await.contains("Success"));
}

#[tokio::test]
async fn answers_are_cut_slowed_and_replaced() {
    let pool = pool().await;
    let at = pool.http().unwrap();
    let request = post("/", "", &xml("session.login_with_password", &["root", "xenoxide"]));
    fault(&pool, "truncate=20:times=1");
    let cut = raw(at, &request).await;
    assert!(cut.body.len() == 20 && cut.header("content-length").unwrap().parse::<usize>().unwrap() > 200, "{cut:?}");
    fault(&pool, "slow=100k:times=1; delay=1ms..5ms:times=1");
    assert!(value(&raw(at, &request).await).starts_with("OpaqueRef:"));
    fault(&pool, "status=503:times=1");
    assert_eq!(raw(at, &request).await.status, "HTTP/1.1 503 Service Unavailable");
    fault(&pool, "host-is-slave=192.0.2.99:times=1");
    assert_eq!(refusal(&raw(at, &request).await), ["HOST_IS_SLAVE", "192.0.2.99"]);
    fault(&pool, "failure=TOO_MANY_PENDING_TASKS:times=1:path=/");
    assert_eq!(refusal(&raw(at, &request).await), ["TOO_MANY_PENDING_TASKS"]);
}

#[tokio::test]
async fn refused_connections_are_reset() {
    let pool = pool_with("refuse:times=1").await;
    let at = pool.http().unwrap();
    assert_eq!(all(at, b"GET / HTTP/1.1\r\n\r\n").await, "");
    assert!(login(at).await.starts_with("OpaqueRef:"));
}

#[tokio::test]
async fn lost_sessions_and_events_are_told_to_those_who_wait() {
    let pool = pool().await;
    let at = pool.http().unwrap();
    let session = login(at).await;
    let from = |token: String| {
        let body = format!(
            "<methodCall><methodName>event.from</methodName><params><param><value>{session}</value></param><param><value><array><data><value>vm\
             </value></data></array></value></param><param><value>{token}</value></param><param><value><double>30</double></value></param>\
             </params></methodCall>"
        );
        async move { raw(at, &post("/", "", body.as_bytes())).await }
    };
    let first = from(String::new()).await;
    let token = first.body.rsplit_once("<name>token</name><value>").unwrap().1.split('<').next().unwrap().to_owned();
    let changed = call(at, "task.create", &[&session, "x", ""]).await;
    assert!(value(&changed).starts_with("OpaqueRef:"));
    fault(&pool, "events-lost:times=1");
    assert_eq!(refusal(&from(token).await), ["EVENTS_LOST"]);
    fault(&pool, "session-loss:method=VM.get_all");
    assert_eq!(refusal(&call(at, "VM.get_all", &[&session]).await)[0], "SESSION_INVALID");
}

#[tokio::test]
async fn faults_change_while_the_pool_runs_for_root_alone() {
    let pool = pool().await;
    let at = pool.http().unwrap();
    let body = b"status=500:method=VM.get_all";
    assert_eq!(raw(at, &post("/xenoxide/faults", "", body)).await.status, "HTTP/1.1 401 Unauthorized");
    let added = raw(at, &post("/xenoxide/faults", ROOT, body)).await;
    assert_eq!((added.status.as_str(), added.body.as_str()), ("HTTP/1.1 200 OK", "1 0 status=500:method=VM.get_all\n"));
    let session = login(at).await;
    assert_eq!(call(at, "VM.get_all", &[&session]).await.status, "HTTP/1.1 500 Internal Server Error");
    let wrong = raw(at, &post("/xenoxide/faults", ROOT, b"fly")).await;
    assert!(wrong.status.starts_with("HTTP/1.1 400") && wrong.body.contains("there is no fault"), "{wrong:?}");
    let put = format!("PUT /xenoxide/faults HTTP/1.1\r\nconnection: close\r\ncontent-length: 0\r\n{ROOT}\r\n");
    assert_eq!(raw(at, put.as_bytes()).await.body, "");
    assert_eq!(call(at, "VM.get_all", &[&session]).await.status, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn a_restart_cuts_everything_and_comes_back() {
    let pool = pool().await;
    let at = pool.http().unwrap();
    let session = login(at).await;
    fault(&pool, "restart=200ms");
    until(async || is_refused(at).await).await;
    until(async || !is_refused(at).await).await;
    until(async || !call(at, "VM.get_all", &[&session]).await.body.contains("HOST_STILL_BOOTING")).await;
    assert_eq!(refusal(&call(at, "VM.get_all", &[&session]).await), ["SESSION_INVALID", &session]);
    assert!(login(at).await.starts_with("OpaqueRef:"));
}

#[tokio::test]
async fn each_host_has_its_address_and_its_certificate() {
    let pool = spread().await;
    let at = pool.http().unwrap();
    let session = login(at).await;
    let addresses = call(at, "host.get_all_records", &[&session]).await;
    let certificates = call(at, "Certificate.get_all_records", &[&session]).await;
    assert_eq!(pool.hosts().len(), 3);
    for (number, host) in pool.hosts().iter().enumerate() {
        let address = host.https.unwrap();
        assert_eq!(address.ip().to_string(), format!("127.0.0.{}", number + 1));
        assert_eq!(address.port(), pool.https().unwrap().port());
        assert!(addresses.body.contains(&format!("<name>address</name><value>{}</value>", address.ip())));
        let shown = host.certificate.as_ref().unwrap();
        assert!(certificates.body.contains(&format!("<name>fingerprint_sha256</name><value>{}</value>", shown.fingerprint)));
        // The one that is known from the records is the one that is shown.
        let reply = over_tls(&pool, number, Method::GET, "/nothing", HeaderMap::new()).await;
        assert_eq!(reply.status(), 404);
    }
    let consoles = call(at, "console.get_all_records", &[&session]).await;
    let port = pool.https().unwrap().port();
    for location in consoles.body.split("<name>location</name><value>").skip(1) {
        assert!(
            location.starts_with("https://127.0.0.") && location.contains(&format!(":{port}/console?")),
            "{location:.60}"
        );
    }
}

#[tokio::test]
async fn a_dead_host_does_not_listen_and_another_one_becomes_master() {
    let pool = spread().await;
    let [one, two, three] = [0, 1, 2].map(|at| pool.hosts()[at].http.unwrap());
    fault(&pool, "host-death:host=3");
    until(async || is_refused(three).await).await;
    fault(&pool, "host-back:host=3");
    until(async || !is_refused(three).await).await;
    fault(&pool, "master:host=2");
    let lead = login(two).await;
    assert!(call(two, "VM.get_all", &[&lead]).await.body.contains("Success"));
    assert_eq!(refusal(&call(one, "VM.get_all", &[&lead]).await), ["HOST_IS_SLAVE", "127.0.0.2"]);
}

#[tokio::test]
async fn https_only_closes_the_plain_port() {
    let pool = spread().await;
    let at = pool.http().unwrap();
    let session = login(at).await;
    let set = |of: &str| {
        let params = format!(
            "<methodCall><methodName>pool.set_https_only</methodName><params><param><value>{session}</value></param><param><value>{of}</value>\
             </param><param><value><boolean>1</boolean></value></param></params></methodCall>"
        );
        async move { raw(at, &post("/", "", params.as_bytes())).await }
    };
    let all_pools = call(at, "pool.get_all", &[&session]).await;
    let of = format!("OpaqueRef:{}", all_pools.body.split("OpaqueRef:").nth(1).unwrap().split('<').next().unwrap());
    let reply = set(&of).await;
    if reply.body.contains("NOT_IMPLEMENTED") {
        return;
    }
    assert!(reply.body.contains("Success"), "{reply:?}");
    assert_eq!(all(at, &xml("VM.get_all", &[])).await, "");
    assert_eq!(over_tls(&pool, 0, Method::GET, "/nothing", HeaderMap::new()).await.status(), 404);
}

#[tokio::test]
async fn the_same_seed_makes_the_same_faults() {
    let mut seen = Vec::new();
    for _ in 0..2 {
        let pool = pool_with("status=500:p=0.5:seed=9").await;
        let mut drawn = Vec::new();
        for _ in 0..20 {
            drawn.push(call(pool.http().unwrap(), "system.isAlive", &["x"]).await.status);
        }
        seen.push(drawn);
        pool.with(|sim, now: Millis| {
            assert!(now >= Millis(0));
            assert_eq!(sim.faults().count(), 1);
        });
    }
    assert_eq!(seen[0], seen[1]);
    assert!(seen[0].iter().any(|status| status.contains("500")) && seen[0].iter().any(|status| status.contains("200")));
}
