//! Trust in a pool of several servers, each with a certificate of its own.
#![allow(clippy::unwrap_used, clippy::std_instead_of_alloc)]

mod common;

use core::time::Duration;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use futures_core::Stream as _;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls;
use tokio_rustls::rustls::crypto::ring;
use xenapi_client::{Cache, Client as Machine, Config, Status};
use xenapi_core::get_all_records;
use xenapi_hyper::server::{HostConfig, ServerConfig, SimServer, serve};
use xenapi_hyper::{
    Client, Delta, Fingerprint, KnownHosts, Live, Request, Roots, Target, Transport, TransportConfig, Trust,
};
use xenapi_model::vm::VmPowerState;
use xenapi_model::{Task, VM, vm};
use xenapi_sim::{PASSWORD, Sim};

use common::{call, https, socket_path};

const LONG: Duration = Duration::from_secs(60);

/// A pool whose hosts have addresses and certificates of their own; the first one is the master.
async fn spread() -> SimServer {
    let any = Some(([127, 0, 0, 1], 0).into());
    let sim = Sim::new(&xenapi_sim::Config { vms: 8, ..xenapi_sim::Config::default() });
    let hosts: Vec<_> = sim.hosts().into_iter().map(|host| host.reference).collect();
    let hosts = HostConfig::spread(&hosts, any, any).unwrap();
    serve(sim, &ServerConfig { hosts, ..ServerConfig::default() }).await.unwrap()
}

fn target(server: &SimServer, at: usize) -> Target {
    let address = server.hosts()[at].https.unwrap();
    Target::Https { host: address.ip().to_string(), port: address.port() }
}

fn shown(server: &SimServer, at: usize) -> Fingerprint {
    server.hosts()[at].certificate.as_ref().unwrap().fingerprint
}

fn transport(target: Target, trust: &Trust) -> Transport {
    Transport::new(target, trust, TransportConfig::default()).unwrap()
}

fn machine() -> Machine {
    let mut cache = Cache::new();
    cache.track::<VM>();
    cache.track::<Task>();
    Machine::with_cache(Config::new("root", PASSWORD), cache)
}

#[tokio::test]
async fn a_member_sends_to_its_master_and_vouches_for_it() {
    let server = spread().await;
    let pinned = Trust::Pinned(shown(&server, 1));
    let client = Client::connect(transport(target(&server, 1), &pinned), "root", PASSWORD, "test").await.unwrap();
    assert_eq!(*client.target(), target(&server, 0));
    assert!(!client.call(get_all_records::<VM>()).await.unwrap().records.is_empty());

    let live = Live::start(transport(target(&server, 2), &Trust::Pinned(shown(&server, 2))), machine());
    live.loaded().await.unwrap();
    assert_eq!(live.target(), target(&server, 0));
    // Each of the three certificates is another one, so what was pinned alone would not do.
    assert_ne!(shown(&server, 0), shown(&server, 2));
    live.logout().await;
}

#[tokio::test]
async fn when_the_master_dies_its_successor_is_found_and_trusted() {
    let server = spread().await;
    let mut machine = machine();
    machine.track::<xenapi_model::Pool>();
    machine.track::<xenapi_model::Host>();
    let start = transport(target(&server, 0), &Trust::Pinned(shown(&server, 0)));
    let live = Live::start(start.clone(), machine);
    live.loaded().await.unwrap();
    let successor = server.hosts()[1].https.unwrap().ip().to_string();
    let learned = async {
        while start.beside(&successor, None).unwrap().rpc(Request::rpc(call("system.listMethods", &[]), LONG)).await.is_err()
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LONG, learned).await.unwrap();
    let faults = xenapi_sim::faults::parse("host-death:host=1;master:host=2").unwrap();
    server.with(|sim, now| sim.add_faults(&faults, now));
    let mut news = live.news();
    let moved = async {
        while live.target() != target(&server, 1) || live.news().borrow().status != Status::Live {
            live.hurry();
            tokio::select! { _ = news.changed() => {}, () = tokio::time::sleep(Duration::from_millis(50)) => {} }
        }
    };
    tokio::time::timeout(LONG, moved).await.unwrap();
    assert!(live.call(get_all_records::<VM>()).await.is_ok());
    live.barrier().await.unwrap();
    live.logout().await;
}

#[tokio::test]
async fn one_decision_is_enough_for_the_whole_pool() {
    let server = spread().await;
    let path = socket_path("whole-pool");
    let store = KnownHosts::open(&path).unwrap();
    let first = transport(target(&server, 0), &Trust::FirstUse(store.clone()));
    let client = Client::connect(first, "root", PASSWORD, "test").await.unwrap();
    let hosts = client.trust_pool().await.unwrap();
    assert_eq!(hosts.len(), 3);
    for (at, host) in server.hosts().iter().enumerate() {
        let address = host.https.unwrap();
        assert_eq!(store.get(&address.ip().to_string(), address.port()), Some(shown(&server, at)));
        // From now on the store alone is enough.
        let known = transport(target(&server, at), &Trust::Known(KnownHosts::open(&path).unwrap()));
        assert!(known.rpc(Request::rpc(call("system.listMethods", &[]), LONG)).await.is_ok());
    }
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn another_certificate_than_the_recorded_one_stops_with_both() {
    let server = spread().await;
    let path = socket_path("another");
    let store = KnownHosts::open(&path).unwrap();
    let master = server.hosts()[0].https.unwrap();
    let old = Fingerprint([7; 32]);
    store.remember(&master.ip().to_string(), master.port(), old).unwrap();
    let trust = Trust::FirstUse(store.clone());
    // What the member says of its master does not replace what was recorded before.
    let error = Client::connect(transport(target(&server, 1), &trust), "root", PASSWORD, "test").await.unwrap_err();
    let untrusted = error.transport().unwrap().untrusted().unwrap();
    assert_eq!((untrusted.expected, untrusted.seen.fingerprint), (Some(old), shown(&server, 0)));
    let text = error.to_string();
    assert!(text.contains(&old.to_string()) && text.contains(&shown(&server, 0).to_string()), "{text}");
    assert_eq!(store.get(&master.ip().to_string(), master.port()), Some(old));

    let live = Live::start(transport(target(&server, 1), &trust), machine());
    let mut news = live.news();
    let stopped = |status: &Status| matches!(status, Status::Waiting { why, .. } if why.to_string().contains("07:07:07"));
    tokio::time::timeout(LONG, news.wait_for(|news| stopped(&news.status))).await.unwrap().unwrap();
    std::fs::remove_file(path).unwrap();
}

fn pem(der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

/// An authority, and a server whose certificate it has signed for that name.
async fn signed(name: &str) -> (PathBuf, Target) {
    let mut root = CertificateParams::new(Vec::new()).unwrap();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = CertifiedIssuer::self_signed(root, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &root).unwrap();
    let file = socket_path(&format!("authority-{}", leaf.der().len() + name.len())).with_extension(name);
    std::fs::write(&file, pem(root.as_ref().der())).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key.serialize_der().try_into().unwrap())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = https(listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
        }
    });
    (file, target)
}

/// A server of the years before TLS 1.3, too.
#[tokio::test]
async fn an_authority_of_ones_own_vouches_for_names_and_for_nothing_else() {
    let (file, target) = signed("127.0.0.1").await;
    let (other_file, other) = signed("xs1.example").await;
    let (ours, others) = (Roots::from_file(&file).unwrap(), Roots::from_file(&other_file).unwrap());
    let ask = |target: &Target, roots: &Roots| {
        let transport = transport(target.clone(), &Trust::Authority(roots.clone()));
        async move { transport.rpc(Request::rpc(call("x", &[]), LONG)).await }
    };
    assert_eq!(ask(&target, &ours).await.unwrap(), "ok");
    let error = ask(&target, &others).await.unwrap_err().to_string();
    assert!(error.contains(&format!("no certificate in {} vouches for it", other_file.display())), "{error}");
    let error = ask(&other, &others).await.unwrap_err();
    assert!(error.untrusted().unwrap().why.contains("not valid for name"), "{error}");

    std::fs::write(&file, "no certificate").unwrap();
    assert!(Roots::from_file(&file).unwrap_err().to_string().contains("holds no certificate"));
    assert!(Roots::from_pem(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "x").is_err());
    for file in [file, other_file] {
        std::fs::remove_file(file).unwrap();
    }
}

#[tokio::test]
async fn who_is_dropped_logs_out() {
    let server = spread().await;
    let client = Client::connect(server.transport(TransportConfig::default()), "root", PASSWORD, "dropped").await.unwrap();
    let other = Client::new(server.transport(TransportConfig::default()));
    other.set_session(client.session());
    assert!(other.call(get_all_records::<VM>()).await.is_ok());
    drop(client);
    let gone = async {
        while other.call(get_all_records::<VM>()).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, gone).await.unwrap();

    let live = Live::start(server.transport(TransportConfig::default()), machine());
    live.loaded().await.unwrap();
    let session = live.with(|machine| machine.session().cloned());
    other.set_session(session);
    assert!(other.call(get_all_records::<VM>()).await.is_ok());
    drop(live);
    let gone = async {
        while other.call(get_all_records::<VM>()).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, gone).await.unwrap();
}

#[tokio::test]
async fn many_calls_tasks_and_changes_go_over_memory() {
    let server = spread().await;
    let live = Live::start(server.transport(TransportConfig::default()), machine());
    live.loaded().await.unwrap();
    let mut changes = live.changes();
    let vms: Vec<_> = live.with(|machine| machine.cache().iter::<VM>().map(|(vm, _)| vm).collect());
    let names = live.call_each(vms.iter().map(|vm| vm::fields::NAME_LABEL.get(vm)), 4).await;
    let cached: Vec<_> = live.with(|machine| machine.cache().iter::<VM>().map(|(_, vm)| vm.name_label.clone()).collect());
    assert_eq!(names.into_iter().map(Result::unwrap).collect::<Vec<_>>(), cached);

    let off = |vm: &vm::Record| vm.power_state == VmPowerState::Halted && !vm.is_a_template && !vm.is_a_snapshot;
    let down = live.with(|machine| machine.cache().iter::<VM>().find(|(_, vm)| off(vm)).map(|(vm, _)| vm)).unwrap();
    let mut task = live.start_task(vm::start(&down, false, false));
    let mut last = 0.0;
    while let Some(progress) = core::future::poll_fn(|context| core::pin::Pin::new(&mut task).poll_next(context)).await {
        assert!(progress >= last);
        last = progress;
    }
    task.finish().await.unwrap();
    let seen = async {
        loop {
            match changes.next().await {
                Some(Delta::Changed(batch)) if batch.iter().any(|change| change.reference == *down.raw()) => return,
                Some(_) => {}
                None => panic!("the stream ended"),
            }
        }
    };
    tokio::time::timeout(LONG, seen).await.unwrap();
    live.logout().await;
    while changes.next().await.is_some() {}
}
