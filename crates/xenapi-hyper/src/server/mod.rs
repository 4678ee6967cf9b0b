//! An HTTP server that answers XML-RPC as xapi does, for whatever has the answers.
//!
//! `POST` to any path is a call; `GET` finds nothing; `OPTIONS` is answered for pages from elsewhere; other methods are 501. Bodies
//! need a length and have at most 300 KiB. Pages of errors are HTML and close the connection. Plain TCP, TLS with a certificate
//! made at the start, and a Unix socket, whose callers are root.
//!
//! The [`Backend`] has no clock and never waits; the server tells it the time and keeps those waiting whose calls are pending.

mod exchange;
mod hub;
mod listen;
mod page;
#[cfg(feature = "sim")]
mod sim;

use core::fmt;
use core::hash::Hash;
use core::net::SocketAddr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::task::JoinHandle;
use xenapi_core::{Failure, Millis, RawCall, Value};

use crate::certificate::Fingerprint;

use hub::Hub;

#[cfg(feature = "sim")]
pub use sim::SimServer;

/// Where a call comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// The network: credentials are checked.
    Tcp,
    /// The Unix socket: the caller is root.
    UnixSocket,
}

/// The answer to a call.
#[derive(Clone, PartialEq, Debug)]
pub enum Answer {
    /// A result, in the envelope.
    Value(Value),
    /// A refusal, in the envelope.
    Failure(Failure),
    /// A result without the envelope, as the `system` methods answer.
    Bare(Value),
}

/// What became of a call at once.
#[derive(Clone, PartialEq, Debug)]
pub enum Handled<P> {
    /// It is answered.
    Done(Answer),
    /// Its answer comes from [`Backend::poll`] later.
    Pending(P),
}

/// Who answers the calls. Time is what the server says, in milliseconds since its start.
pub trait Backend: Send + 'static {
    /// Names a call whose answer comes later.
    type Pending: Copy + Eq + Hash + Send + fmt::Debug;

    /// Answers a call, or promises to.
    fn handle(&mut self, call: RawCall, origin: Origin, now: Millis) -> Handled<Self::Pending>;

    /// The promised answers that are due.
    fn poll(&mut self, now: Millis) -> Vec<(Self::Pending, Answer)>;

    /// When [`Backend::poll`] has something to do next, if nothing else happens.
    fn next_deadline(&self) -> Option<Millis>;

    /// Nobody waits for this answer any more.
    fn abandon(&mut self, pending: Self::Pending);
}

/// Where to listen. Port 0 is any free port.
#[derive(Clone, Debug, Default)]
pub struct ServerConfig {
    /// Plain HTTP.
    pub http: Option<SocketAddr>,
    /// TLS, with a certificate made for this server.
    pub https: Option<SocketAddr>,
    /// A Unix socket. One that a dead server left behind is replaced.
    pub unix: Option<PathBuf>,
}

/// A server cannot begin: at what, and why.
#[derive(Debug)]
pub struct ServeError {
    what: String,
    why: io::Error,
}

impl ServeError {
    pub(crate) fn new(what: impl Into<String>, why: impl Into<io::Error>) -> Self {
        ServeError { what: what.into(), why: why.into() }
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.what, self.why)?;
        match self.why.kind() {
            io::ErrorKind::AddrInUse => f.write_str("; stop the other server or choose another address (port 0 is any)"),
            io::ErrorKind::AddrNotAvailable => f.write_str("; this machine has no such address"),
            io::ErrorKind::NotFound => f.write_str("; make its folder first, or choose another"),
            io::ErrorKind::PermissionDenied => f.write_str("; choose a place where this user may listen"),
            _ => Ok(()),
        }
    }
}

impl core::error::Error for ServeError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.why)
    }
}

/// A server that runs until [`Server::shutdown`], or until it is dropped, which breaks off what is under way.
pub struct Server<B: Backend> {
    hub: Arc<Hub<B>>,
    tasks: Vec<JoinHandle<()>>,
    http: Option<SocketAddr>,
    https: Option<(SocketAddr, Fingerprint)>,
    unix: Option<listen::SocketFile>,
}

/// Begins to listen and to answer. Returns when every listener is bound.
///
/// # Errors
/// When an address cannot be bound or no certificate can be made; then nothing listens.
pub async fn serve<B: Backend>(backend: B, config: &ServerConfig) -> Result<Server<B>, ServeError> {
    let hub = Arc::new(Hub::new(backend));
    let mut server = Server { hub: hub.clone(), tasks: Vec::new(), http: None, https: None, unix: None };
    // All are bound before the first one accepts: a server that fails half-way has answered nobody.
    let http = listen::bind_tcp(config.http).await?;
    let https = match listen::bind_tcp(config.https).await? {
        Some((listener, address)) => Some((listener, address, listen::make_certificate(address)?)),
        None => None,
    };
    let unix = config.unix.as_deref().map(listen::bind_unix).transpose()?;
    server.tasks.push(tokio::spawn(hub::drive(hub.clone())));
    if let Some((listener, address)) = http {
        server.http = Some(address);
        server.tasks.push(tokio::spawn(listen::accept(listen::Plain(listener), hub.clone())));
    }
    if let Some((listener, address, made)) = https {
        server.https = Some((address, made.fingerprint));
        server.tasks.push(tokio::spawn(listen::accept(listen::Secure(listener, made.acceptor), hub.clone())));
    }
    if let Some((listener, file)) = unix {
        server.unix = Some(file);
        server.tasks.push(tokio::spawn(listen::accept(listen::Socket(listener), hub)));
    }
    Ok(server)
}

impl<B: Backend> Server<B> {
    /// Where it answers plain HTTP.
    pub fn http(&self) -> Option<SocketAddr> {
        self.http
    }

    /// Where it answers over TLS.
    pub fn https(&self) -> Option<SocketAddr> {
        self.https.map(|(address, _)| address)
    }

    /// The fingerprint of its certificate, if it has one.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.https.map(|(_, fingerprint)| fingerprint)
    }

    /// Its Unix socket.
    pub fn unix(&self) -> Option<&Path> {
        self.unix.as_ref().map(listen::SocketFile::path)
    }

    /// Looks at the backend or changes it, at the server's present time. What becomes due by that is answered.
    pub fn with<R>(&self, work: impl FnOnce(&mut B, Millis) -> R) -> R {
        self.hub.with(work)
    }

    /// Stops listening, answers what is under way, gives up pending calls (503), and returns when all connections are closed, at the
    /// latest after two seconds.
    pub async fn shutdown(mut self) {
        self.hub.stop();
        for task in core::mem::take(&mut self.tasks) {
            // A task that panicked has nothing left to close.
            let _ = task.await;
        }
    }
}

impl<B: Backend> fmt::Debug for Server<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Server { hub, http, https, unix, .. } = self;
        f.debug_struct("Server").field("hub", hub).field("http", http).field("https", https).field("unix", unix).finish()
    }
}

impl<B: Backend> Drop for Server<B> {
    fn drop(&mut self) {
        self.hub.stop();
        for task in &self.tasks {
            task.abort();
        }
    }
}
