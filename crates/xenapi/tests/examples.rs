//! Every example, on a simulated pool.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub, reason = "tests, and programs whose `main` nobody calls here")]
#![allow(clippy::duplicate_mod, reason = "the programs share a module, each as its own")]

#[path = "../examples/backup.rs"]
mod backup;
#[path = "../examples/blocking.rs"]
mod blocking;
#[path = "../examples/list.rs"]
mod list;
#[path = "../examples/metrics.rs"]
mod metrics;
#[path = "../examples/offline.rs"]
mod offline;
#[path = "../examples/snapshot_all.rs"]
mod snapshot_all;
#[path = "../examples/start.rs"]
mod start;
#[path = "../examples/tag.rs"]
mod tag;
#[path = "../examples/topology.rs"]
mod topology;
#[path = "../examples/watch.rs"]
mod watch;

use core::time::Duration;
use std::path::PathBuf;

use xenapi::hyper::http::{HeaderMap, HeaderValue, Method};
use xenapi::hyper::server::{ServerConfig, SimServer, serve};
use xenapi::hyper::{Bytes, Request};
use xenapi::sim::{Config, PASSWORD, Sim};
use xenapi::vm::VmPowerState;
use xenapi::{Client, Host, TransportConfig, VM, VmKind, get_all_records, vm};

async fn pool() -> SimServer {
    serve(Sim::new(&Config::default()), &ServerConfig::default()).await.unwrap()
}

async fn client(server: &SimServer) -> Client {
    Client::connect(server.transport(TransportConfig::default()), "root", PASSWORD, "test").await.unwrap()
}

/// What an example is told; each has a type of its own for the same.
macro_rules! task {
    ($example:ident, $server:expr, $out:expr, [$($word:expr),*]) => {
        $example::common::Task {
            transport: $server.transport(TransportConfig::default()),
            user: "root".into(),
            password: PASSWORD.into(),
            rest: vec![$($word.to_string()),*],
            out: $out,
        }
    };
}

/// What an example writes.
macro_rules! written {
    ($example:ident, $server:expr $(, $word:expr)*) => {{
        let mut out = Vec::new();
        $example::run(task!($example, $server, &mut out, [$($word),*])).await.unwrap();
        String::from_utf8(out).unwrap()
    }};
}

async fn vms(client: &Client, state: VmPowerState) -> Vec<(xenapi::Ref<VM>, vm::Record)> {
    let mut vms = client.call(get_all_records::<VM>()).await.unwrap().records;
    vms.retain(|(_, vm)| vm.kind() == VmKind::Vm && vm.power_state == state);
    vms
}

/// A place for a file that no other test uses.
fn place(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("xenapi-examples-{name}-{}", std::process::id()))
}

#[tokio::test]
async fn vms_are_listed_started_and_tagged() {
    let server = pool().await;
    let text = written!(list, server);
    assert_eq!(text.lines().count(), 24, "{text}");
    assert!(text.contains("Running") && text.contains("Halted"), "{text}");

    let client = client(&server).await;
    let down = vms(&client, VmPowerState::Halted).await.remove(0).1.name_label;
    let text = written!(start, server, down);
    assert!(text.contains(&format!("{down}: 100 %")) && text.ends_with(&format!("{down} runs\n")), "{text}");

    let host = client.call(get_all_records::<Host>()).await.unwrap().records.remove(0);
    let text = written!(tag, server, host.1.name_label, "maintenance");
    let there: Vec<_> = vms(&client, VmPowerState::Running).await;
    let there: Vec<_> = there.iter().filter(|(_, vm)| vm.resident_on.as_ref() == Some(&host.0)).collect();
    assert!(!there.is_empty() && there.iter().all(|(_, vm)| vm.tags.contains(&"maintenance".to_owned())), "{text}");
    assert_eq!(text.matches("is tagged").count(), there.len(), "{text}");
    assert!(tag::run(task!(tag, server, &mut Vec::new(), ["nowhere", "x"])).await.is_err());
}

#[tokio::test]
async fn every_running_vm_gets_a_snapshot() {
    let server = pool().await;
    let client = client(&server).await;
    let running = vms(&client, VmPowerState::Running).await.len();
    let text = written!(snapshot_all, server, "before");
    assert_eq!(text.matches(": OpaqueRef:").count(), running, "{text}");
    let all = client.call(get_all_records::<VM>()).await.unwrap().records;
    assert_eq!(all.iter().filter(|(_, vm)| vm.is_a_snapshot && vm.name_label == "before").count(), running);
}

#[tokio::test]
async fn changes_are_told_by_their_fields() {
    let server = pool().await;
    let client = client(&server).await;
    let (vm, record) = vms(&client, VmPowerState::Running).await.remove(0);
    let (send, ended) = tokio::sync::oneshot::channel();
    let transport = server.transport(TransportConfig::default());
    let watching = tokio::spawn(async move {
        let mut out = Vec::new();
        let (user, password) = ("root".into(), PASSWORD.into());
        watch::run(watch::common::Task { transport, user, password, rest: vec!["1".into()], out: &mut out }).await.unwrap();
        // The test waits for it.
        send.send(()).unwrap();
        String::from_utf8(out).unwrap()
    });
    let changing = async {
        for round in 0u32.. {
            client.call(vm::fields::NAME_DESCRIPTION.set(&vm, &round.to_string())).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    tokio::select! { _ = ended => {}, () = changing => {} }
    let text = watching.await.unwrap();
    assert!(text.contains(&format!("{}: name_description", record.name_label)), "{text}");
}

#[tokio::test]
async fn a_pool_is_drawn_and_measured() {
    let server = pool().await;
    for lens in ["compute", "storage", "network"] {
        let text = written!(topology, server, lens);
        assert!(text.starts_with("<svg") && text.trim_end().ends_with("</svg>"), "{text}");
    }
    assert!(topology::run(task!(topology, server, &mut Vec::new(), ["x"])).await.is_err());
    let text = written!(metrics, server);
    assert!(text.contains("% on average"), "{text}");
}

#[tokio::test]
async fn a_vm_is_backed_up() {
    let server = pool().await;
    let down = vms(&client(&server).await, VmPowerState::Halted).await.remove(0).1.name_label;
    let file = place("backup");
    let text = written!(backup, server, down, file.display());
    let bytes = std::fs::metadata(&file).unwrap().len();
    assert!(bytes > 1000 && text.starts_with(&format!("{bytes} bytes")), "{text}");
    std::fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn records_and_databases_need_no_server() {
    let server = pool().await;
    let client = client(&server).await;
    let running = vms(&client, VmPowerState::Running).await.len();
    let folder = place("records");
    std::fs::create_dir_all(&folder).unwrap();
    let session = client.session().unwrap();
    let reply = client.fetch(&get_all_records::<VM>().to_raw(&session)).await.unwrap();
    std::fs::write(folder.join("VM.get_all_records.xml"), &reply).unwrap();
    let mut out = Vec::new();
    offline::run(&folder, &mut out).await.unwrap();
    assert!(String::from_utf8(out).unwrap().contains(&format!("Running: {running}\n")));
    std::fs::remove_dir_all(folder).unwrap();

    let cookie = HeaderValue::try_from(format!("session_id={}", session.as_str())).unwrap();
    let headers = HeaderMap::from_iter([(xenapi::hyper::http::header::COOKIE, cookie)]);
    let (method, path, body) = (Method::GET, "/pool/xmldbdump".into(), Bytes::new());
    let request = Request { method, path, headers, body, timeout: Duration::from_secs(60), repeatable: false };
    let database = place("database");
    std::fs::write(&database, client.transport().rpc(request).await.unwrap()).unwrap();
    let mut out = Vec::new();
    offline::run(&database, &mut out).await.unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("Running: ") && text.contains("Halted: "), "{text}");
    std::fs::remove_file(database).unwrap();
}

#[test]
fn all_of_it_works_without_async() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let config = ServerConfig { http: Some(([127, 0, 0, 1], 0).into()), ..ServerConfig::default() };
    let server = runtime.block_on(serve(Sim::new(&Config::default()), &config)).unwrap();
    let target = xenapi::Target::Http { host: "127.0.0.1".into(), port: server.http().unwrap().port() };
    let transport = xenapi::Transport::new(target, &xenapi::Trust::System, TransportConfig::default()).unwrap();
    let mut out = Vec::new();
    let (user, password) = ("root".into(), PASSWORD.into());
    blocking::run(blocking::common::Task { transport, user, password, rest: Vec::new(), out: &mut out }).unwrap();
    assert!(String::from_utf8(out).unwrap().contains("VMs, templates and snapshots"));
}
