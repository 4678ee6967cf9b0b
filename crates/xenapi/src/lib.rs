//! XenAPI for Rust: talk to XenServer and XCP-ng pools.
//!
//! ```
//! use xenapi::{Client, Transport, TransportConfig, Trust, VM, VmKind, get_all_records, vm};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = xenapi::hyper::server::serve(xenapi::sim::Sim::new(&Default::default()), &Default::default()).await?;
//! let transport = Transport::new("https://pool.example".parse()?, &Trust::System, TransportConfig::default())?;
//! # let transport = server.transport(TransportConfig::default());
//! let client = Client::connect(transport, "root", "xenoxide", "my tool").await?;
//!
//! for (vm, record) in client.call(get_all_records::<VM>()).await?.records {
//!     if record.kind() == VmKind::Vm && record.power_state == vm::VmPowerState::Halted {
//!         client.run_task(vm::start(&vm, false, false), |progress| println!("{progress:.2}")).await?;
//!         println!("{} runs", record.name_label);
//! #       break;
//!     }
//! }
//! client.logout().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is where
//!
//! - **Classes.** Each is a module (`vm`, `host`) with a `Record`, field constants, functions for its messages, and a marker (`VM`, `Host`) for
//!   references: `Ref<VM>`. Messages that follow from fields come from the constants: `vm::fields::NAME_LABEL.set(&vm, &name)`.
//! - **Calls** are values: `vm::start(&vm, false, false)` is a [`Call<()>`](Call). Nothing is sent until a client gets it.
//! - **Clients** ([`hyper`], feature `hyper`, on by default): [`Client`] makes calls one by one; [`Live`] follows a pool and keeps a cache of it. Feature
//!   `blocking` has the same without async.
//! - **Networks**: [`Transport`] over HTTPS, HTTP and Unix sockets, and to a simulated pool in memory; any other is a [`client::Carrier`].
//! - **Machines.** [`client`] is all of that without I/O, for other runtimes and for the browser; [`codec`] is the wire.
//! - **A pool to test against**: feature `sim` ([`xenapi_sim`](https://docs.rs/xenapi-sim)) in memory, feature `server` over HTTP.
//!
//! The programs in `examples/` are complete: `list`, `start`, `watch`, `tag`, `snapshot_all`, `topology`,
//! `metrics`, `backup`, `offline`, `blocking`.
//!
//! # Finding objects
//!
//! ```
//! use xenapi::{Host, VM, get_all_records_where, get_by_name_label, get_by_uuid, get_record, vm};
//! # use xenapi::{Client, TransportConfig};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = xenapi::hyper::server::serve(xenapi::sim::Sim::new(&Default::default()), &Default::default()).await?;
//! # let client = Client::connect(server.transport(TransportConfig::default()), "root", "xenoxide", "my tool").await?;
//!
//! let running = client.call(get_all_records_where::<VM>("field \"power_state\" = \"Running\"")).await?;
//! let (vm, record) = running.records.first().ok_or("nothing runs")?;
//! assert_eq!(client.call(get_by_uuid::<VM>(&record.uuid)).await?, *vm);
//! assert!(client.call(get_by_name_label::<VM>(&record.name_label)).await?.contains(vm));
//! // One field, or many at once: at most eight calls at the same time.
//! let host = client.call(vm::fields::RESIDENT_ON.get(vm)).await?.ok_or("it moved")?;
//! println!("{} is on {}", record.name_label, client.call(get_record::<Host>(&host)).await?.name_label);
//! let names = client.call_each(running.records.iter().map(|(vm, _)| vm::fields::NAME_LABEL.get(vm)), 8).await;
//! assert!(names.iter().all(Result::is_ok));
//! # Ok(())
//! # }
//! ```
//!
//! # Following a pool
//!
//! A [`Live`] logs in, loads, follows events, logs in again after a lost session, and goes on with the pool's master wherever that is.
//!
//! ```
//! use xenapi::client::{Client as Machine, Config};
//! use xenapi::{Delta, Live, VM, vm};
//! # use xenapi::{Client, TransportConfig};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = xenapi::hyper::server::serve(xenapi::sim::Sim::new(&Default::default()), &Default::default()).await?;
//! # let transport = server.transport(TransportConfig::default());
//!
//! let mut machine = Machine::new(Config::new("root", "xenoxide"));
//! machine.track::<VM>();
//! let live = Live::start(transport, machine);
//! live.loaded().await?;
//! let (vm, name) = live
//!     .with(|machine| machine.cache().iter::<VM>().map(|(vm, record)| (vm, record.name_label.clone())).next())
//!     .ok_or("there is no VM")?;
//!
//! let mut changes = live.changes();
//! live.call(vm::fields::NAME_LABEL.set(&vm, &format!("{name} (old)"))).await?;
//! while let Some(Delta::Changed(batch)) = changes.next().await {
//!     if batch.iter().any(|change| change.reference == *vm.raw() && change.fields.has(vm::fields::NAME_LABEL)) {
//!         break;
//!     }
//! }
//! live.logout().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Trust
//!
//! Servers have certificates that they signed themselves, and none is accepted silently. [`Trust`] says which one is: what the system's roots or a
//! [file of roots](Roots) vouch for, one that is [pinned](Trust::Pinned), one that a [store](KnownHosts) has, or the first that is seen. After one such decision,
//! [`Client::trust_pool`] knows the other hosts of the pool by the word of the first. One that changed is an error with both fingerprints.
//!
//! ```no_run
//! use core::time::Duration;
//! use xenapi::hyper::inspect;
//! use xenapi::{Client, KnownHosts, Target, Transport, TransportConfig, Trust};
//!
//! # async fn trust() -> Result<(), Box<dyn std::error::Error>> {
//! let target: Target = "https://xs1.lab".parse()?;
//! let seen = inspect(&target, Duration::from_secs(10)).await?;
//! println!("compare with the host's own console: {}", seen.fingerprint);
//! let store = KnownHosts::open("known_hosts")?;
//! store.remember("xs1.lab", 443, seen.fingerprint)?;
//! let transport = Transport::new(target, &Trust::Known(store), TransportConfig::default())?;
//! let client = Client::connect(transport, "root", "the password", "my tool").await?;
//! client.trust_pool().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Beyond calls
//!
//! [`Client::metrics`] and [`Client::follow_metrics`] read what hosts measure; [`Client::console`] opens a console as a stream of bytes;
//! [`Client::screenshot`] takes a picture of one; [`Client::export_to`] and [`Client::import`] carry VMs and disks.
//!
//! ```
//! use xenapi::{Export, Import, VM, VmKind, get_all_records, vm};
//! # use xenapi::{Client, TransportConfig};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = xenapi::hyper::server::serve(xenapi::sim::Sim::new(&Default::default()), &Default::default()).await?;
//! # let client = Client::connect(server.transport(TransportConfig::default()), "root", "xenoxide", "my tool").await?;
//!
//! let halted = |vm: &vm::Record| vm.kind() == VmKind::Vm && vm.power_state == vm::VmPowerState::Halted;
//! let vms = client.call(get_all_records::<VM>()).await?.records;
//! let (vm, _) = vms.iter().find(|(_, vm)| halted(vm)).ok_or("everything runs")?;
//! let mut file = Vec::new();
//! client.export_to(&Export::vm(vm), &mut file, |progress| println!("{progress:.2}")).await?;
//! let copies = client.import(&Import::vm(), &mut file.as_slice(), Some(file.len() as u64), |_| ()).await?;
//! assert_eq!(copies.len(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Errors
//!
//! A [`Failure`] is the server's refusal, with its code and parameters; a [`ReadError`] is a document that cannot be read, and where. A record that
//! cannot be read never loses the others: see [`Records`]. Words and fields that a newer server sends are kept; those that an older one does
//! not send are named by [`Record::missing`].

pub use xenapi_client as client;
pub use xenapi_codec as codec;
pub use xenapi_core as core;
#[cfg(feature = "hyper")]
pub use xenapi_hyper as hyper;
pub use xenapi_model as model;
#[cfg(feature = "sim")]
pub use xenapi_sim as sim;
#[cfg(feature = "topology")]
pub use xenapi_topology as topology;

// The descriptor of a role stays `xenapi::core::Role`: `xenapi::Role` is the class.
pub use xenapi_core::{
    Call, Class, DateTime, Failure, Map, RawCall, RawRef, ReadError, Record, Records, Ref, Uuid, Value, create, destroy,
    get_all, get_all_records, get_all_records_where, get_all_where, get_by_name_label, get_by_uuid, get_record,
};
#[cfg(feature = "hyper")]
pub use xenapi_hyper::{
    ByteStream, Client, Compression, Delta, DiskFormat, Download, Error, Export, Fingerprint, Import, KnownHosts, Live,
    Roots, Target, Transport, TransportConfig, Trust,
};
pub use xenapi_model::*;
