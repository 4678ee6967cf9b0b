//! Metrics, consoles, exports and imports against a simulated pool.
#![allow(clippy::unwrap_used, clippy::std_instead_of_alloc)]

mod common;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use xenapi_client::metrics::{Owner, Query};
use xenapi_core::{Class, RawRef, Ref, get_all_records};
use xenapi_hyper::server::{HostConfig, ServerConfig, SimServer, serve};
use xenapi_hyper::{
    Client, Compression, DiskFormat, Export, Import, Transport, TransportConfig, TransportErrorKind, Trust, blocking,
};
use xenapi_model::console::ConsoleProtocol;
use xenapi_model::vm::VmPowerState;
use xenapi_model::{Console, Host, Task, VDI, VM, vm};
use xenapi_sim::{Config, PASSWORD, Sim};

use common::{http, https};

/// A pool whose hosts have addresses and certificates of their own.
async fn spread() -> SimServer {
    let any = Some(([127, 0, 0, 1], 0).into());
    let sim = Sim::new(&Config::default());
    let hosts: Vec<_> = sim.hosts().into_iter().map(|host| host.reference).collect();
    let hosts = HostConfig::spread(&hosts, any, any).unwrap();
    serve(sim, &ServerConfig { hosts, ..ServerConfig::default() }).await.unwrap()
}

/// A client over TLS that was told one certificate.
async fn pinned(server: &SimServer) -> Client {
    let place = &server.hosts()[0];
    let trust = Trust::Pinned(place.certificate.as_ref().unwrap().fingerprint);
    let transport = Transport::new(https(place.https.unwrap().port()), &trust, TransportConfig::default()).unwrap();
    Client::connect(transport, "root", PASSWORD, "test").await.unwrap()
}

/// A client without a socket.
async fn in_memory(server: &SimServer) -> Client {
    Client::connect(server.transport(TransportConfig::default()), "root", PASSWORD, "test").await.unwrap()
}

async fn memory() -> SimServer {
    serve(Sim::new(&Config::default()), &ServerConfig::default()).await.unwrap()
}

async fn all<C: Class>(client: &Client) -> BTreeMap<Ref<C>, C::Record> {
    client.call(get_all_records::<C>()).await.unwrap().records.into_iter().collect()
}

async fn halted(client: &Client) -> Ref<VM> {
    let off = |vm: &vm::Record| vm.power_state == VmPowerState::Halted && !vm.is_a_template && !vm.is_a_snapshot;
    all::<VM>(client).await.into_iter().find(|(_, vm)| off(vm) && !vm.vbds.is_empty()).unwrap().0
}

#[tokio::test]
async fn every_host_tells_what_it_measures_by_the_word_of_the_first() {
    let server = spread().await;
    let client = pinned(&server).await;
    let hosts = all::<Host>(&client).await;
    assert_eq!(hosts.len(), 3);
    for (host, record) in &hosts {
        let updates = client.metrics(host, &Query::last(600)).await.unwrap();
        assert_eq!(updates.step, 5);
        assert!(updates.rows.is_sorted_by_key(|row| row.time) && updates.rows.len() > 50);
        let own = updates.columns.iter().filter(|column| column.owner == Owner::HOST);
        assert!(own.clone().count() > 5 && own.clone().all(|column| column.uuid == record.uuid.to_string()));
    }
    let mut metrics = client.follow_metrics(&hosts.iter().last().unwrap().0.clone(), 600, 0).await.unwrap();
    assert!(metrics.refresh().await.unwrap().rows > 50);
    let again = metrics.refresh().await.unwrap();
    assert!(again.rows < 5 && again.columns == 0 && !again.restarted, "{again:?}");
    assert!(metrics.window().times().len() > 50);
}

#[tokio::test]
async fn the_same_metrics_come_as_xml_and_from_memory() {
    let server = memory().await;
    let client = in_memory(&server).await;
    let host = all::<Host>(&client).await.into_iter().next().unwrap().0;
    let updates = client.metrics(&host, &Query { interval: 3600, ..Query::last(86400) }).await.unwrap();
    assert_eq!(updates.step, 3600);
}

#[tokio::test]
async fn a_console_speaks_wherever_its_vm_runs() {
    let server = spread().await;
    let client = pinned(&server).await;
    let vms = all::<VM>(&client).await;
    let consoles = all::<Console>(&client).await;
    let mut greeted = std::collections::BTreeSet::new();
    for (console, record) in &consoles {
        let Some(vm) = vms.get(&record.vm) else { continue };
        if record.protocol != ConsoleProtocol::Rfb || vm.is_control_domain || vm.power_state != VmPowerState::Running {
            continue;
        }
        let mut stream = client.console(console).await.unwrap();
        let mut version = [0; 12];
        stream.read_exact(&mut version).await.unwrap();
        assert_eq!(&version, b"RFB 003.008\n");
        stream.write_all(&version).await.unwrap();
        let mut security = [0; 2];
        stream.read_exact(&mut security).await.unwrap();
        assert_eq!(security, [1, 1]);
        greeted.insert(vm.resident_on.clone());
    }
    assert_eq!(greeted.len(), 3, "consoles on all hosts were met");
    let (running, _) = vms.iter().find(|(_, vm)| vm.power_state == VmPowerState::Running && !vm.is_control_domain).unwrap();
    let picture = client.screenshot(running).await.unwrap();
    assert!(picture.starts_with(b"\xff\xd8\xff"), "a JPEG");
    let error = client.screenshot(&halted(&client).await).await.unwrap_err();
    assert!(error.to_string().contains("does not run"), "{error}");
}

#[tokio::test]
async fn what_is_exported_can_be_imported() {
    let server = spread().await;
    let client = pinned(&server).await;
    let vm = halted(&client).await;
    let name = client.call(vm::fields::NAME_LABEL.get(&vm)).await.unwrap();
    let mut file = Vec::new();
    let mut progress = Vec::new();
    let export = Export::vm(&vm).compressed(Compression::Gzip);
    let length = client.export_to(&export, &mut file, |done| progress.push(done)).await.unwrap();
    assert_eq!(length, file.len() as u64);
    assert_eq!(progress.last(), Some(&1.0));

    for known in [Some(length), None] {
        let mut from = file.as_slice();
        let made = client.import(&Import::vm(), &mut from, known, |_| ()).await.unwrap();
        let [copy] = made.as_slice() else { panic!("{made:?}") };
        assert_ne!(*copy, vm);
        assert_eq!(client.call(vm::fields::NAME_LABEL.get(copy)).await.unwrap(), name);
    }
    let error = client.import(&Import::vm(), &mut &file[..file.len() / 2], None, |_| ()).await.unwrap_err();
    assert!(error.failure().is_some_and(|failure| failure.code.starts_with("IMPORT_ERROR")), "{error}");
    let error = client.import(&Import::vm(), &mut &file[..10], Some(length), |_| ()).await.unwrap_err();
    assert!(error.to_string().contains("before its length"), "{error}");
    assert!(all::<Task>(&client).await.iter().all(|(_, task)| task.finished.unix() > 0), "no task is left pending");
}

#[tokio::test]
async fn a_disk_is_carried_byte_by_byte() {
    let server = memory().await;
    let client = in_memory(&server).await;
    let vm = halted(&client).await;
    let disks: Vec<_> = all::<VDI>(&client).await.into_iter().filter(|(_, vdi)| vdi.virtual_size < 64 << 30).collect();
    let of_vm = all::<xenapi_model::VBD>(&client).await;
    let vbd = of_vm.iter().find(|(_, vbd)| vbd.vm == vm && vbd.vdi.is_some()).unwrap().1;
    let disk = vbd.vdi.clone().unwrap();
    assert!(disks.iter().any(|(vdi, _)| *vdi == disk));
    // Enough to see that it is a stream and stays one: the whole disk is large.
    let mut download = client.export(&Export::disk(&disk, DiskFormat::Raw)).await.unwrap();
    let mut start = vec![0; 1 << 20];
    download.read_exact(&mut start).await.unwrap();
    let error = download.finish().await.unwrap_err();
    assert!(error.to_string().contains("not read to its end"), "{error}");

    let mut from = start.as_slice();
    assert!(
        client.import(&Import::disk(&disk, DiskFormat::Raw), &mut from, Some(1 << 20), |_| ()).await.unwrap().is_empty()
    );
    let error = client.export(&Export::disk(&RawRef::from("OpaqueRef:none").typed(), DiskFormat::Raw)).await.unwrap_err();
    let status = error.transport().map(|error| error.kind().clone());
    assert!(matches!(status, Some(TransportErrorKind::Status { code: 404, .. })) || error.failure().is_some(), "{error}");
}

#[tokio::test]
async fn an_export_that_breaks_off_is_an_error() {
    let mut sim = Sim::new(&Config::default());
    sim.add_faults(&xenapi_sim::faults::parse("truncate=20000:path=/export").unwrap(), xenapi_core::Millis(0));
    let server = serve(sim, &ServerConfig::default()).await.unwrap();
    let client = in_memory(&server).await;
    let mut sink = tokio::io::sink();
    let error = client.export_to(&Export::vm(&halted(&client).await), &mut sink, |_| ()).await;
    assert!(error.is_err(), "{error:?}");
}

#[tokio::test]
async fn answers_that_are_none_are_errors() {
    for (reply, says) in [
        ("HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nlate", "503"),
        ("SSH-2.0-OpenSSH\r\n\r\n", "not HTTP"),
        ("HTTP/1.1 200", "closed it before"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = [0; 1024];
                let _ = stream.read(&mut request).await;
                stream.write_all(reply.as_bytes()).await.unwrap();
            }
        });
        let client = Client::new(Transport::new(http(port), &Trust::System, TransportConfig::default()).unwrap());
        let error = client.console_at("https://127.0.0.1/console?uuid=x").await.unwrap_err();
        assert!(error.to_string().contains(says), "{says}: {error}");
    }
    let client = Client::new(Transport::new(http(1), &Trust::System, TransportConfig::default()).unwrap());
    let error = client.console_at("").await.unwrap_err();
    assert!(error.to_string().contains("may not run"), "{error}");
}

#[test]
fn all_of_it_without_async() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let any = Some(([127, 0, 0, 1], 0).into());
    let config = ServerConfig { http: any, ..ServerConfig::default() };
    let server = runtime.block_on(serve(Sim::new(&Config::default()), &config)).unwrap();
    let target = http(server.http().unwrap().port());
    let transport = Transport::new(target, &Trust::System, TransportConfig::default()).unwrap();
    let client = blocking::Client::connect(transport, "root", PASSWORD, "test").unwrap();
    let vms = client.call(get_all_records::<VM>()).unwrap().records;
    let running = |vm: &vm::Record| vm.power_state == VmPowerState::Running && !vm.is_control_domain;
    let (up, record) = vms.iter().find(|(_, vm)| running(vm)).unwrap();
    let consoles: BTreeMap<_, _> = client.call(get_all_records::<Console>()).unwrap().records.into_iter().collect();
    let rfb = record.consoles.iter().find(|it| consoles.get(it).is_some_and(|it| it.protocol == ConsoleProtocol::Rfb));
    let mut console = client.console(rfb.unwrap()).unwrap();
    let mut version = [0; 12];
    console.read_exact(&mut version).unwrap();
    console.write_all(&version).unwrap();
    assert!(client.screenshot(up).unwrap().len() > 100);
    let off = |vm: &vm::Record| vm.power_state == VmPowerState::Halted && !vm.is_a_template && !vm.is_a_snapshot;
    let (down, _) = vms.iter().find(|(_, vm)| off(vm)).unwrap();
    let mut file = Vec::new();
    client.export_to(&Export::vm_metadata(down), &mut file, |_| ()).unwrap();
    let made = client.import(&Import::vm_metadata(), &mut file.as_slice(), None, |_| ()).unwrap();
    assert_eq!(made.len(), 1);
    let host = client.pool_hosts().unwrap().remove(0).host;
    let hosts = client.call(get_all_records::<xenapi_model::Pool>()).unwrap().records;
    let master = hosts.first().unwrap().1.master.clone();
    assert!(client.metrics(&master, &Query::last(60)).is_ok(), "{host:?}");
    let session = client.session().unwrap();
    drop((console, client));
    let transport = Transport::new(http(server.http().unwrap().port()), &Trust::System, TransportConfig::default()).unwrap();
    let other = blocking::Client::new(transport).unwrap();
    other.set_session(Some(session));
    assert!(other.call(get_all_records::<VM>()).unwrap_err().is_session_invalid());
}
