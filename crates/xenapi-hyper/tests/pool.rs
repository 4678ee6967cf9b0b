//! Clients against a simulated pool, over real sockets.
#![allow(clippy::unwrap_used, clippy::std_instead_of_alloc)]

mod common;

use core::time::Duration;

use xenapi_client::{Cache, Client as Machine, Config, Error, Freshness};
use xenapi_core::{Ref, get_all_records};
use xenapi_hyper::server::{ServerConfig, SimServer, serve};
use xenapi_hyper::{Client, Delta, Live, Target, Transport, TransportConfig, Trust, blocking};
use xenapi_model::vm::VmPowerState;
use xenapi_model::{Task, VM, vm};
use xenapi_sim::{PASSWORD, Sim};

use common::{http, https, socket_path};

const LONG: Duration = Duration::from_secs(60);

async fn simulator() -> SimServer {
    let any = Some(([127, 0, 0, 1], 0).into());
    serve(Sim::new(&xenapi_sim::Config::default()), &ServerConfig { http: any, https: any, ..ServerConfig::default() })
        .await
        .unwrap()
}

fn transport(target: Target, trust: &Trust) -> Transport {
    Transport::new(target, trust, TransportConfig::default()).unwrap()
}

async fn client(server: &SimServer) -> Client {
    let client = Client::new(transport(http(server.http().unwrap().port()), &Trust::System));
    client.login("root", PASSWORD, "test").await.unwrap();
    client
}

/// A VM that can be started.
async fn halted(client: &Client) -> Ref<VM> {
    let all = client.call(get_all_records::<VM>()).await.unwrap();
    assert!(all.wrong.is_empty(), "{:?}", all.wrong);
    let startable = |vm: &vm::Record| vm.power_state == VmPowerState::Halted && !vm.is_a_template && !vm.is_a_snapshot;
    all.records.into_iter().find(|(_, vm)| startable(vm)).unwrap().0
}

#[tokio::test]
async fn a_pool_is_listed_over_tls() {
    let server = simulator().await;
    let trust = Trust::Pinned(server.fingerprint().unwrap());
    let client = Client::new(transport(https(server.https().unwrap().port()), &trust));
    let error = client.login("root", "wrong", "test").await.unwrap_err();
    assert!(error.to_string().contains("check user and password"), "{error}");
    client.login("root", PASSWORD, "test").await.unwrap();
    assert!(client.call(get_all_records::<VM>()).await.unwrap().records.len() >= 24);
    client.logout().await.unwrap();
    server.shutdown().await;
}

#[tokio::test]
async fn what_is_too_big_to_be_held_is_sent_in_pieces_with_its_length() {
    let any = Some(([127, 0, 0, 1], 0).into());
    let config = xenapi_sim::Config { hosts: 4, vms: 1400, ..xenapi_sim::Config::default() };
    let server = serve(Sim::new(&config), &ServerConfig { http: any, ..ServerConfig::default() }).await.unwrap();
    let client = client(&server).await;
    // Twice, because the connection goes on behind it.
    for _ in 0..2 {
        let all = client.call(get_all_records::<VM>()).await.unwrap();
        assert!(all.wrong.is_empty() && all.records.len() > 1000, "{}", all.records.len());
        // One by one, they are the same.
        let mut one_by_one = Vec::new();
        client.each_record::<VM>(|vm, record| one_by_one.push((vm, record.unwrap()))).await.unwrap();
        assert!(one_by_one == all.records);
    }
    let session = client.session();
    client.set_session(Some("OpaqueRef:none".into()));
    let refused = client.each_record::<VM>(|_, _| panic!("there is none")).await.unwrap_err();
    assert!(refused.is_session_invalid(), "{refused}");
    client.set_session(session);
    client.logout().await.unwrap();
    server.shutdown().await;
}

#[tokio::test]
async fn root_needs_no_password_on_the_socket() {
    let path = socket_path("pool");
    let config = ServerConfig { unix: Some(path.clone()), ..ServerConfig::default() };
    let server = serve(Sim::new(&xenapi_sim::Config::default()), &config).await.unwrap();
    let client = Client::new(transport(Target::Unix(path), &Trust::System));
    client.login("", "", "test").await.unwrap();
    assert!(!client.call(get_all_records::<VM>()).await.unwrap().records.is_empty());
    server.shutdown().await;
}

#[tokio::test]
async fn a_task_runs_to_its_end() {
    let server = simulator().await;
    let client = client(&server).await;
    let this = halted(&client).await;
    let mut progress = Vec::new();
    client.run_task(vm::start(&this, false, false), |done| progress.push(done)).await.unwrap();
    assert!(progress.is_sorted(), "{progress:?}");
    assert_eq!(progress.last(), Some(&1.0));
    assert_eq!(client.call(vm::fields::POWER_STATE.get(&this)).await.unwrap(), VmPowerState::Running);
    assert!(client.call(get_all_records::<Task>()).await.unwrap().records.is_empty());

    let error = client.run_task(vm::start(&this, false, false), drop).await.unwrap_err();
    assert_eq!(error.failure().unwrap().code, "VM_BAD_POWER_STATE");
}

#[tokio::test]
async fn a_session_that_was_ended_is_said() {
    let server = simulator().await;
    let client = client(&server).await;
    let session = client.session();
    client.logout().await.unwrap();
    client.set_session(session);
    let error = client.call(get_all_records::<VM>()).await.unwrap_err();
    assert!(error.is_session_invalid() && error.to_string().contains("log in again"), "{error}");
}

fn live(target: Target, password: &str) -> Live {
    let mut cache = Cache::new();
    cache.track::<VM>();
    cache.track::<Task>();
    Live::start(transport(target, &Trust::System), Machine::with_cache(Config::new("root", password), cache))
}

#[tokio::test]
async fn a_change_made_elsewhere_reaches_the_cache() {
    let server = simulator().await;
    let live = live(http(server.http().unwrap().port()), PASSWORD);
    live.loaded().await.unwrap();
    assert!(matches!(live.freshness(), Freshness::Live { .. }));
    assert!(live.with(|machine| machine.cache().count::<VM>()) >= 24);

    let other = client(&server).await;
    let this = halted(&other).await;
    let mut news = live.news();
    other.call(vm::start(&this, false, false)).await.unwrap();
    let running =
        || live.with(|machine| machine.cache().get(&this).is_some_and(|vm| vm.power_state == VmPowerState::Running));
    let seen = async {
        while !running() {
            news.changed().await.unwrap();
        }
    };
    tokio::time::timeout(LONG, seen).await.unwrap();
    live.logout().await;
    assert!(other.call(get_all_records::<VM>()).await.is_ok());
}

#[tokio::test]
async fn a_load_that_breaks_off_is_made_again_and_nothing_half_is_seen() {
    let mut sim = Sim::new(&xenapi_sim::Config::default());
    // The first answer is cut in its head, the second in the middle of a record.
    let faults = "truncate=30:method=event.from:times=1;truncate=50000:method=event.from:times=2";
    sim.add_faults(&xenapi_sim::faults::parse(faults).unwrap(), xenapi_core::Millis(0));
    let any = Some(([127, 0, 0, 1], 0).into());
    let server = serve(sim, &ServerConfig { http: any, ..ServerConfig::default() }).await.unwrap();
    let live = live(http(server.http().unwrap().port()), PASSWORD);
    let mut changes = live.changes();
    let loaded = async {
        while live.loaded().await.is_err() {
            assert_eq!(live.snapshot().count::<VM>(), 0);
            live.hurry();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LONG, loaded).await.unwrap();
    let all = client(&server).await.call(get_all_records::<VM>()).await.unwrap().records;
    let Some(Delta::Changed(first)) = changes.next().await else { panic!("no change") };
    assert_eq!(first.iter().filter(|change| change.class == "VM").count(), all.len());
    for (vm, record) in &all {
        assert_eq!(live.snapshot().get(vm).map(|cached| &**cached), Some(record));
    }
    live.logout().await;
}

#[tokio::test]
async fn calls_and_tasks_go_beside_the_events() {
    let server = simulator().await;
    let live = live(http(server.http().unwrap().port()), PASSWORD);
    live.loaded().await.unwrap();
    let this = halted(&client(&server).await).await;
    assert!(!live.call(vm::fields::NAME_LABEL.get(&this)).await.unwrap().is_empty());
    let mut progress = Vec::new();
    live.run_task(vm::start(&this, false, false), |done| progress.push(done)).await.unwrap();
    assert!(progress.is_sorted(), "{progress:?}");
    let again = live.call(vm::start(&this, false, false)).await.unwrap_err();
    assert_eq!(again.failure().unwrap().code, "VM_BAD_POWER_STATE");
    live.logout().await;
}

#[tokio::test]
async fn a_server_that_is_away_is_waited_for_and_a_refusal_is_final() {
    let server = simulator().await;
    let refused = live(http(server.http().unwrap().port()), "wrong").loaded().await.unwrap_err();
    assert_eq!(refused.failure().unwrap().code, "SESSION_AUTHENTICATION_FAILED");

    let address = server.http().unwrap();
    server.shutdown().await;
    let live = live(http(address.port()), PASSWORD);
    let away = live.loaded().await.unwrap_err();
    assert!(matches!(&away, Error::Unreachable(why) if why.contains("check that a server listens")), "{away:?}");

    let config = ServerConfig { http: Some(address), ..ServerConfig::default() };
    let back = serve(Sim::new(&xenapi_sim::Config::default()), &config).await.unwrap();
    let recovered = async {
        while live.loaded().await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LONG, recovered).await.unwrap();
    live.logout().await;
    back.shutdown().await;
}

#[test]
fn the_same_without_async() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(simulator());
    let target = https(server.https().unwrap().port());
    assert_eq!(blocking::inspect(&target, LONG).unwrap().fingerprint, server.fingerprint().unwrap());
    let client = blocking::Client::new(transport(target, &Trust::Pinned(server.fingerprint().unwrap()))).unwrap();
    client.login("root", PASSWORD, "test").unwrap();
    let all = client.call(get_all_records::<VM>()).unwrap().records;
    let off = |vm: &vm::Record| vm.power_state == VmPowerState::Halted && !vm.is_a_template && !vm.is_a_snapshot;
    let (this, _) = all.iter().find(|(_, vm)| off(vm)).unwrap();
    client.run_task(vm::start(this, false, false), drop).unwrap();
    assert_eq!(client.call(vm::fields::POWER_STATE.get(this)).unwrap(), VmPowerState::Running);
    client.logout().unwrap();
    assert_eq!(client.session(), None);
}
