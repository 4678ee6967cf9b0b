//! The conversation with a XenAPI server, with no I/O: sessions, calls, tasks, events, and a cache of the pool.
//!
//! - [`Client`] says what to send and takes what came of it. It logs in, logs in again when the session dies, sends calls and
//!   follows their tasks, and keeps a [`Cache`] current by `event.from`. It has no clock and no socket: a driver brings both.
//! - [`Cache`] holds typed records by class, reference and uuid. It always knows how current it is ([`Client::freshness`]).
//!
//! `no_std` with `alloc`.
#![no_std]

extern crate alloc;

mod cache;
mod config;
mod error;
mod filter;
mod machine;

pub use cache::{Batch, Cache, Change, FieldSet, Loaded, Operation, Snapshot};
pub use config::{Backoff, Config};
pub use error::{Culprit, Error, Unreachable};
pub use filter::{Comparable, Condition, field};
pub use machine::{CallOptions, Client, Freshness, Output, Reply, Request, RequestId, Status, TASK_TAG, Ticket, TicketId};
