//! The conversation with a XenAPI server, with no I/O: sessions, calls, tasks, events, and a cache of the pool.
//!
//! - [`Client`] says what to send and takes what came of it. It logs in, logs in again when the session dies, sends calls and
//!   follows their tasks, and keeps a [`Cache`] current by `event.from`. It has no clock and no socket: a driver brings both.
//! - [`Client::submit`] sends a call, [`Client::submit_task`] runs it as a task, with progress, a limit of time, and everything cleared away at the
//!   end; [`Client::barrier`] waits until the cache has what was written. A call is sent again only where that is safe; a task whose
//!   answer was lost is found by its tag.
//! - [`field`] begins a typed condition for `get_all_records_where`.
//! - [`Cache`] holds typed records by class, reference and uuid. It always knows how current it is ([`Client::freshness`]).
//! - [`Carrier`] is what a driver needs of a network, whichever it is.
//! - [`metrics`] reads what hosts measure, and follows it.
//!
//!   A [`Snapshot`] of it costs next to nothing; [`Change`]s tell what has become of which object, field by field.
//!
//! `no_std` with `alloc`.
#![no_std]

extern crate alloc;

mod cache;
mod carrier;
mod config;
mod error;
mod filter;
mod machine;
pub mod metrics;

pub use cache::{Batch, BatchReader, BatchRest, Cache, Change, FieldSet, Loaded, Operation, Snapshot};
pub use carrier::{Carrier, Delivered, Parcel, Tap};
pub use config::{Backoff, Config};
pub use error::{Culprit, Error, Unreachable};
pub use filter::{Comparable, Condition, field};
pub use machine::{CallOptions, Client, Freshness, Output, Reply, Request, RequestId, Status, TASK_TAG, Ticket, TicketId};
