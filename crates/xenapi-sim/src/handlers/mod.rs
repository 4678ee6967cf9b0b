//! What a host answers over HTTP beside calls: metrics, consoles, screenshots, export and import, the pool's database.
//!
//! A server reads the head of a request and asks [`Sim::http`]. Nothing in here reads from a socket or a clock: a handler is a
//! function of the pool, the request and the time, and what takes longer than one answer is a small machine that the server feeds
//! and drains. The order of checks is xapi's: route, credentials (401), role (403), and then the handler's own.
//!
//! # How to write one
//!
//! 1. A module of this folder with a function of the type [`Serve`](routes::Serve):
//!
//!    ```ignore
//!    pub(crate) fn host_rrd(sim: &mut Sim, request: &Request, visit: &mut Visit) -> Result<Served, Reply> {
//!        let as_json = request.query("json").is_some();
//!        Ok(Served::Reply(Reply::ok("text/xml", document)))
//!    }
//!    ```
//!
//!    `sim.now` is the time. `visit` says who asks (`visit.session`, `visit.role`), which host was asked (`visit.host`), whether that
//!    address is this host's alone ([`Visit::asks_only`]; only then a redirect makes sense: [`Sim::redirect`]), and the task to fill
//!    (`visit.task`, for routes that have one). Refusals are [`Reply::error`] pages.
//! 2. Its line in the table of [`routes`], in the place of `unsimulated`. The route says the permission `http/<action>` and its least role,
//!    and the name of the task that the transfer makes, if it makes one.
//!
//! What it serves is one of four:
//!
//! - [`Served::Reply`]: an answer as a whole, with its length.
//! - [`Served::Download`]: a stream without a length, HTTP/1.0 as xapi has it; the server asks the [`Download`] for the next [`Piece`] whenever
//!   the client took the one before, so what is not read is not made. Make pieces of some 64 KiB.
//! - [`Served::Upload`]: the request has a body; the [`Upload`] gets it piece by piece. With a head, that is sent at once, before the body,
//!   as `/import` does; without one, the reply that it makes at the end is sent.
//! - [`Served::Duplex`]: bytes both ways until one side ends, for `/console`. The handler does not care for framing: the same machine
//!   serves `CONNECT` and a websocket (a `GET` with the upgrade headers; without them the server answers 501 before it asks). The [`Duplex`] speaks
//!   first in [`Duplex::open`], answers bytes in [`Duplex::receive`], and is called again at the time that it asked for in [`Duplex::wake`].
//!
//! The task of a transfer is pending from its start. It succeeds with [`Visit::result`] when the machine ended well, or fails: when the reply's
//! status is 400 or above, when the machine breaks off ([`Piece::Broken`], or an error of [`Upload::take`] or [`Upload::finish`]), or when the client
//! hung up. Set `visit.failure` first to say how; [`Sim::set_progress`] moves its progress. The session of a request with a password lives as
//! long as the request; the machinery ends it.

mod admin;
mod auth;
mod console;
mod dump;
mod exchange;
mod http;
mod metrics;
mod routes;
#[cfg(test)]
mod tests;
mod transfer;

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use xenapi_core::{Failure, Millis, RawRef, Role, Value};

use crate::Sim;

pub(crate) use console::Screens;
pub(crate) use metrics::{Probe, Uptimes, now as measured, seed as metrics_seed};
pub(crate) use transfer::Contents;

pub use exchange::{Answer, Exchange};
pub use http::{Head, Method, Reply, Request, reason};

/// Whether a path has a handler for a method. A `POST` to any other is a call.
pub fn serves(method: Method, path: &str) -> bool {
    routes::find(method, path).is_some()
}

/// Who sent a request, and what it has.
pub struct Visit {
    /// The session: the one that the request named, or one of its own. Null on the Unix socket and where no login is needed.
    pub session: RawRef,
    /// What the user may do.
    pub role: Role,
    /// The host that was asked: the one at whose address the request came, or the master.
    pub host: RawRef,
    /// The task that the transfer fills, for routes that have one.
    pub task: Option<RawRef>,
    /// What the task's result is when all went well.
    pub result: Value,
    /// Why it failed, where the handler knows better than the machinery.
    pub failure: Option<Failure>,
    only: bool,
    temporary: bool,
}

impl core::fmt::Debug for Visit {
    /// Without the session, which must not reach a log.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Visit")
            .field("role", &self.role)
            .field("host", &self.host)
            .field("task", &self.task)
            .finish_non_exhaustive()
    }
}

impl Visit {
    /// Whether the address that was asked is this host's alone, so that another host has to be asked for what is there. A pool that answers at
    /// one address for all its hosts never redirects.
    pub fn asks_only(&self) -> bool {
        self.only
    }
}

/// What a handler gives.
pub(crate) enum Served {
    /// An answer.
    Reply(Reply),
    /// A stream to the client.
    Download(Head, Box<dyn Download>),
    /// A stream from the client, and the head that is sent before it is read, if any.
    Upload(Option<Head>, Box<dyn Upload>),
    /// Bytes both ways.
    Duplex(Head, Box<dyn Duplex>),
}

/// The next part of a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// Bytes.
    Bytes(Vec<u8>),
    /// Nothing before this time.
    Wait(Millis),
    /// There is no more.
    End,
    /// It cannot go on: the connection is closed, which is all that a client of a stream without a length sees.
    Broken,
}

/// A stream to the client.
pub(crate) trait Download: Send {
    /// What comes next.
    fn next(&mut self, sim: &mut Sim, visit: &mut Visit) -> Piece;

    /// The client hung up.
    fn abandon(&mut self, _sim: &mut Sim) {}
}

/// A stream from the client.
pub(crate) trait Upload: Send {
    /// Takes the next bytes. An error ends the exchange with this reply, where none was sent yet.
    fn take(&mut self, sim: &mut Sim, visit: &mut Visit, bytes: &[u8]) -> Result<(), Reply>;

    /// The body ended. `whole` says that it had the length that the client announced: some clients announce a huge one and close the
    /// connection at the end, so a format that knows its own end decides for itself. The reply is sent where no head was.
    fn finish(&mut self, sim: &mut Sim, visit: &mut Visit, whole: bool) -> Result<Reply, Reply>;

    /// The client hung up before the end, by an error of the connection.
    fn abandon(&mut self, _sim: &mut Sim) {}
}

/// Bytes both ways.
pub(crate) trait Duplex: Send {
    /// What the server says first.
    fn open(&mut self, sim: &mut Sim, visit: &mut Visit) -> Turn;

    /// Answers bytes of the client.
    fn receive(&mut self, sim: &mut Sim, visit: &mut Visit, bytes: &[u8]) -> Turn;

    /// Its time has come. One that shows something of the pool asks for a time soon enough.
    fn wake(&mut self, sim: &mut Sim, visit: &mut Visit) -> Turn;

    /// The client is gone.
    fn close(&mut self, _sim: &mut Sim) {}
}

/// What a [`Duplex`] does now.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Turn {
    /// Bytes to the client.
    pub bytes: Vec<u8>,
    /// When it wants to be woken, if nothing comes before.
    pub wake: Option<Millis>,
    /// It is over: the connection is closed after the bytes.
    pub close: bool,
}

impl Sim {
    /// Answers a request that is not a call. `request.via` says at which host's address it came.
    pub fn http(&mut self, request: &Request, now: Millis) -> Answer {
        self.advance(now);
        let answer = exchange::begin(self, request);
        self.notice_changes();
        answer
    }

    /// Writes down how a transfer gets on, from 0 to 1.
    pub fn set_progress(&mut self, visit: &Visit, progress: f64) {
        if let Some(task) = &visit.task {
            self.store.put("task", task.as_str(), "progress", progress.clamp(0.0, 1.0));
        }
    }

    /// Sends the client to another host for the same thing.
    pub(crate) fn redirect(&self, host: &RawRef, request: &Request) -> Reply {
        let location = format!("https://{}{}", self.authority(host), request.target);
        Reply::new(302, Vec::new()).with("location", location)
    }
}
