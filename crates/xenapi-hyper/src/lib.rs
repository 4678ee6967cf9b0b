//! XenAPI over HTTPS, HTTP and Unix sockets, on hyper and tokio.
//!
//! - [`Target`] says where a server is, [`Trust`] which certificate it may show.
//! - [`Transport`] keeps connections to one target and carries requests, whole or streamed.
//! - [`Client`] makes calls: log in, call, run a task, many at once. Beside calls it reads what hosts measure ([`Client::metrics`]), opens consoles
//!   ([`Client::console`]), and carries VMs and disks ([`Client::export`], [`Client::import`]). [`Client::trust_pool`] knows all hosts by the word of one.
//! - [`Live`] follows a pool in the background and keeps a cache of it, wherever its master is.
//! - `blocking` (feature) is the same without async.
//! - `server` (feature) answers XML-RPC over HTTP for a `server::Backend`, with feature `sim` for a simulated pool.
//!
//! Nothing here knows a class by name or keeps state of the pool; that is in `xenapi-client`.
#![allow(clippy::std_instead_of_alloc, reason = "sockets need std, and so does everything here")]

#[cfg(feature = "blocking")]
pub mod blocking;
mod body;
mod call_error;
mod certificate;
mod client;
mod connect;
mod console;
mod error;
mod live;
mod measure;
mod pool;
#[cfg(feature = "server")]
pub mod server;
mod stream;
mod target;
mod tasks;
mod tls;
mod transfer;
mod transport;
mod trust;

pub use bytes::Bytes;
pub use http;

pub use body::ReplyBody;
pub use call_error::{Error, ErrorKind};
pub use certificate::{Fingerprint, InvalidFingerprint, SeenCertificate};
pub use client::{Client, ClientConfig};
pub use error::{TransportError, TransportErrorKind, Untrusted};
pub use live::{Changes, Delta, Live, LiveTask, Network, News};
pub use measure::HostMetrics;
pub use pool::PoolHost;
pub use stream::ByteStream;
pub use target::{InvalidTarget, Target};
pub use tasks::RunningTask;
pub use tls::inspect;
pub use transfer::{Compression, DiskFormat, Download, Export, Import};
pub use transport::{Request, Transport, TransportConfig};
pub use trust::{KnownHosts, Roots, StoreError, Trust};
