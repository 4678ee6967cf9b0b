//! XenAPI for Rust: talk to XenServer and XCP-ng pools.
//!
//! ```no_run
//! use xenapi::{Client, Target, Transport, TransportConfig, Trust, VM, VmKind, get_all_records, vm};
//!
//! # async fn tour() -> Result<(), Box<dyn std::error::Error>> {
//! let target: Target = "https://pool.example".parse()?;
//! let client = Client::new(Transport::new(target, &Trust::System, TransportConfig::default())?);
//! client.login("root", "the password", "my tool").await?;
//!
//! for (vm, record) in client.call(get_all_records::<VM>()).await?.records {
//!     if record.kind() == VmKind::Vm && record.power_state == vm::VmPowerState::Halted {
//!         client.run_task(vm::start(&vm, false, false), |progress| println!("{progress:.2}")).await?;
//!         println!("{} runs", record.name_label);
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
//! - **Clients** ([`hyper`], feature `hyper`, on by default): [`Client`] makes calls one by one; `Live` follows a pool and keeps a cache of it; [`Trust`]
//!   says which certificate is accepted. Feature `blocking` has the same without async.
//! - **Machines.** [`client`] is all of that without I/O, for other runtimes and for the browser; [`codec`] is the wire.
//! - **A pool to test against**: feature `sim` ([`xenapi_sim`](https://docs.rs/xenapi-sim)) in memory, feature `server` over HTTP.
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
pub use xenapi_hyper::{Client, Error, Target, Transport, TransportConfig, Trust};
pub use xenapi_model::*;
