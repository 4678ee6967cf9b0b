//! An HTTP server that answers as xapi does, for whatever has the answers.
//!
//! `POST` to any path is a call: JSON-RPC at `/jsonrpc`, XML-RPC everywhere else. `OPTIONS` is answered for pages from elsewhere. Other
//! requests go to the [`Backend`]'s handlers: metrics, consoles, transfers. What is not known is 404, and methods that xapi does not know are 501.
//! Bodies of calls need a length and have at most 300 KiB. Pages of errors are HTML and close the connection. Headers and replies have time limits
//! ([`ServerTimes`]), so that a slow client does not hold what others need.
//!
//! It listens on plain TCP, with TLS by a certificate made at the start, and on a Unix socket, whose callers are root; at one address for a whole
//! pool, or at one for each host ([`ServerConfig::hosts`]), where members send callers to the master.
//!
//! The [`Backend`] has no clock and never waits; the server tells it the time and keeps those waiting whose calls are pending.

mod certificate;
mod exchange;
mod head;
mod hub;
mod listen;
mod page;
mod rpc;
#[cfg(feature = "sim")]
mod sim;
mod stream;
mod websocket;
mod wire;

use core::fmt;
use core::hash::Hash;
use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use xenapi_core::{Failure, Millis, RawCall, RawRef, Value};
use xenapi_sim::faults::{Effects, Meeting};
use xenapi_sim::handlers::{self, Method, Piece, Reply, Request, Turn};

use crate::certificate::Fingerprint;
use crate::transport::{Transport, TransportConfig};

use hub::Hub;
use listen::{Gate, Listener};

pub use certificate::ShownCertificate;
#[cfg(feature = "sim")]
pub use sim::SimServer;

/// How much a connection without a socket holds that was not read yet.
const LOCAL_BUFFER: usize = 256 << 10;

/// Where a call comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Origin {
    /// The network: credentials are checked.
    #[default]
    Tcp,
    /// The Unix socket: the caller is root.
    UnixSocket,
}

/// Where a request came in.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// Over what.
    pub origin: Origin,
    /// With TLS.
    pub secure: bool,
    /// The host whose own address it is; none where one address stands for the whole pool.
    pub host: Option<RawRef>,
}

impl Place {
    fn sim_origin(&self) -> xenapi_sim::Origin {
        match self.origin {
            Origin::Tcp => xenapi_sim::Origin::Tcp,
            Origin::UnixSocket => xenapi_sim::Origin::UnixSocket,
        }
    }
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
    /// A result that lies in a simulated pool, written from there.
    Shared(xenapi_sim::Shared),
}

/// What became of a call at once.
#[derive(Clone, PartialEq, Debug)]
pub enum Handled<P> {
    /// It is answered.
    Done(Answer),
    /// Its answer comes from [`Backend::poll`] later.
    Pending(P),
}

/// Who answers. Time is what the server says, in milliseconds since its start.
///
/// Only calls have to be answered; without more, there are no handlers, no faults, and one address.
pub trait Backend: Send + 'static {
    /// Names a call whose answer comes later.
    type Pending: Copy + Eq + Hash + Send + fmt::Debug;

    /// A transfer or a console under way.
    type Exchange: Send;

    /// Answers a call, or promises to. `request` is the head in which it came.
    fn handle(&mut self, call: RawCall, place: &Place, request: &Request, now: Millis) -> Handled<Self::Pending>;

    /// The promised answers that are due.
    fn poll(&mut self, now: Millis) -> Vec<(Self::Pending, Answer)>;

    /// When [`Backend::poll`] has something to do next, if nothing else happens. A time that is past already means at once.
    fn next_deadline(&self) -> Option<Millis>;

    /// Nobody waits for this answer any more.
    fn abandon(&mut self, pending: Self::Pending);

    /// The calls that will never be answered, because the simulated server went down under them: their connections are closed.
    fn take_hung_up(&mut self) -> Vec<Self::Pending> {
        Vec::new()
    }

    /// Whether a path has a handler for a method; `POST` to others is a call.
    fn serves(&self, _method: Method, _path: &str) -> bool {
        false
    }

    /// Answers a request that is not a call.
    fn http(&mut self, request: &Request, _now: Millis) -> handlers::Answer<Self::Exchange> {
        handlers::Answer::Reply(Reply::error(404, &format!("There is nothing at {}.", request.path)))
    }

    /// A download's next part.
    fn next_piece(&mut self, _exchange: &mut Self::Exchange, _now: Millis) -> Piece {
        Piece::Broken
    }

    /// Gives an upload the next bytes.
    ///
    /// # Errors
    /// The reply that ends it.
    fn take_bytes(&mut self, _exchange: &mut Self::Exchange, _bytes: &[u8], _now: Millis) -> Result<(), Reply> {
        Ok(())
    }

    /// An upload's body ended, with the announced length or before.
    fn finish(&mut self, _exchange: &mut Self::Exchange, _whole: bool, _now: Millis) -> Reply {
        Reply::error(500, "This is no upload.")
    }

    /// What a console says first.
    fn open(&mut self, _exchange: &mut Self::Exchange, _now: Millis) -> Turn {
        Turn { close: true, ..Turn::default() }
    }

    /// What a console answers.
    fn receive(&mut self, _exchange: &mut Self::Exchange, _bytes: &[u8], _now: Millis) -> Turn {
        Turn { close: true, ..Turn::default() }
    }

    /// What a console says at the time that it asked for.
    fn wake(&mut self, _exchange: &mut Self::Exchange, _now: Millis) -> Turn {
        Turn { close: true, ..Turn::default() }
    }

    /// The client of a transfer or a console is gone. Called at the end of every one; after its own end, it does nothing.
    fn abandon_exchange(&mut self, _exchange: &mut Self::Exchange, _now: Millis) {}

    /// Faults that a request meets.
    fn meet(&mut self, _meeting: &Meeting<'_>, _now: Millis) -> Effects {
        Effects::default()
    }

    /// Whether a new connection is cut at once.
    fn refuses(&mut self, _place: &Place, _now: Millis) -> bool {
        false
    }

    /// Whether a host wants nobody over plain TCP. It is asked only where the host answers over TLS, too.
    fn is_https_only(&self, _host: Option<&RawRef>) -> bool {
        false
    }

    /// Whether a host answers at all.
    fn answers(&self, _host: Option<&RawRef>) -> bool {
        true
    }

    /// How often the connections of a host were cut.
    fn cuts(&self, _host: Option<&RawRef>) -> u64 {
        0
    }

    /// Grows whenever [`Backend::answers`] or [`Backend::cuts`] change for any host.
    fn changes(&self) -> u64 {
        0
    }

    /// The fingerprint of the master's certificate, of SHA-256 or SHA-1.
    fn thumbprint(&self, _sha1: bool) -> Option<String> {
        None
    }

    /// A host listens now; none for the whole pool. Told before anybody is answered.
    fn listens(&mut self, _host: Option<&RawRef>, _bound: &BoundHost) {}
}

/// The address of one host of several.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostConfig {
    /// The host.
    pub host: RawRef,
    /// Plain HTTP.
    pub http: Option<SocketAddr>,
    /// TLS, with a certificate made for this host.
    pub https: Option<SocketAddr>,
}

impl HostConfig {
    /// Hosts at consecutive IPv4 addresses, beginning with the given ones; on the same ports. `None` where there are not so many addresses.
    pub fn spread(hosts: &[RawRef], http: Option<SocketAddr>, https: Option<SocketAddr>) -> Option<Vec<HostConfig>> {
        let beside = |first: Option<SocketAddr>, at| match first {
            None => Some(None),
            Some(first) => listen::beside(first, at).map(Some),
        };
        let place = |(at, host): (usize, &RawRef)| {
            Some(HostConfig { host: host.clone(), http: beside(http, at)?, https: beside(https, at)? })
        };
        hosts.iter().enumerate().map(place).collect()
    }
}

/// Where a host answers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BoundHost {
    /// The host; none for a whole pool.
    pub host: Option<RawRef>,
    /// Plain HTTP.
    pub http: Option<SocketAddr>,
    /// TLS.
    pub https: Option<SocketAddr>,
    /// What it shows there.
    pub certificate: Option<ShownCertificate>,
}

/// How long clients may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ServerTimes {
    /// The handshake of TLS.
    pub handshake: Duration,
    /// Each piece of a request's head.
    pub head_read: Duration,
    /// The whole head.
    pub head: Duration,
    /// The body of a call.
    pub body: Duration,
    /// Nothing, between two requests.
    pub idle: Duration,
    /// To take a piece of a reply. Over longer replies, 16 KiB a second on average.
    pub stall: Duration,
}

impl Default for ServerTimes {
    /// 10 seconds for a handshake and each piece of a head, a minute for heads, bodies and pieces of replies, ten minutes between requests.
    fn default() -> Self {
        let seconds = Duration::from_secs;
        ServerTimes {
            handshake: seconds(10),
            head_read: seconds(10),
            head: seconds(60),
            body: seconds(60),
            idle: seconds(600),
            stall: seconds(60),
        }
    }
}

/// Where to listen. Port 0 is any free port.
#[derive(Clone, Debug, Default)]
pub struct ServerConfig {
    /// Plain HTTP, for the whole pool.
    pub http: Option<SocketAddr>,
    /// TLS, with a certificate made for this server, for the whole pool.
    pub https: Option<SocketAddr>,
    /// A Unix socket. One that a dead server left behind is replaced.
    pub unix: Option<PathBuf>,
    /// Hosts with addresses of their own. Where the port is 0, all get the same.
    pub hosts: Vec<HostConfig>,
    /// How long clients may take.
    pub times: ServerTimes,
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

    pub(crate) fn kind(&self) -> io::ErrorKind {
        self.why.kind()
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
    hosts: Vec<BoundHost>,
    unix: Option<listen::SocketFile>,
    times: ServerTimes,
}

/// Listeners that are bound, each with whom it stands for.
struct Bound {
    /// With whether TLS is beside it.
    listeners: Vec<(Listener, Place, bool)>,
    hosts: Vec<BoundHost>,
}

/// Binds plain and TLS listeners of all hosts, and makes the certificates.
async fn bind(config: &ServerConfig) -> Result<Bound, ServeError> {
    let whole = HostConfig { host: RawRef::null(), http: config.http, https: config.https };
    let own = config.hosts.iter().map(|host| (Some(host.host.clone()), host));
    let all: Vec<_> =
        core::iter::once((None, &whole)).chain(own).filter(|(_, host)| host.http.or(host.https).is_some()).collect();
    let mut bound = Bound { listeners: Vec::new(), hosts: Vec::new() };
    let (mut plain, mut secure) = (
        bind_some(all.iter().map(|(_, host)| host.http)).await?.into_iter(),
        bind_some(all.iter().map(|(_, host)| host.https)).await?.into_iter(),
    );
    for (host, config) in all {
        let mut place = BoundHost { host: host.clone(), ..BoundHost::default() };
        if let Some(listener) = plain.next().flatten() {
            place.http = Some(listen::bound(&listener)?);
            let at = Place { origin: Origin::Tcp, secure: false, host: host.clone() };
            bound.listeners.push((Listener::Tcp(listener, None), at, config.https.is_some()));
        }
        if let Some(listener) = secure.next().flatten() {
            let address = listen::bound(&listener)?;
            let made = certificate::make(address.ip())?;
            (place.https, place.certificate) = (Some(address), Some(made.shown));
            let at = Place { origin: Origin::Tcp, secure: true, host };
            bound.listeners.push((Listener::Tcp(listener, Some(made.acceptor)), at, false));
        }
        bound.hosts.push(place);
    }
    Ok(bound)
}

/// Binds the addresses that there are; what is not there stays so.
async fn bind_some(addresses: impl Iterator<Item = Option<SocketAddr>>) -> Result<Vec<Option<TcpListener>>, ServeError> {
    let addresses: Vec<_> = addresses.collect();
    let given: Vec<SocketAddr> = addresses.iter().flatten().copied().collect();
    let mut listeners = listen::bind_all(&given).await?.into_iter();
    Ok(addresses.iter().map(|address| address.and_then(|_| listeners.next())).collect())
}

/// Begins to listen and to answer. Returns when every listener is bound.
///
/// # Errors
/// When an address cannot be bound or no certificate can be made; then nothing listens.
pub async fn serve<B: Backend>(mut backend: B, config: &ServerConfig) -> Result<Server<B>, ServeError> {
    // All are bound before the first one accepts: a server that fails half-way has answered nobody.
    let mut bound = bind(config).await?;
    let unix = config.unix.as_deref().map(listen::bind_unix).transpose()?;
    for host in &bound.hosts {
        backend.listens(host.host.as_ref(), host);
    }
    let hub = Arc::new(Hub::new(backend));
    let mut server = Server { hub: hub.clone(), tasks: Vec::new(), hosts: bound.hosts, unix: None, times: config.times };
    if let Some((listener, file)) = unix {
        server.unix = Some(file);
        let place = Place { origin: Origin::UnixSocket, ..Place::default() };
        bound.listeners.push((Listener::Unix(listener), place, false));
    }
    server.tasks.push(tokio::spawn(hub::drive(hub.clone())));
    for (listener, place, beside_tls) in bound.listeners {
        let gate = Gate { listener, place, beside_tls, times: config.times, hub: hub.clone() };
        server.tasks.push(tokio::spawn(listen::accept(gate)));
    }
    Ok(server)
}

impl<B: Backend> Server<B> {
    /// Where it answers plain HTTP: for the whole pool, or the first host.
    pub fn http(&self) -> Option<SocketAddr> {
        self.hosts.first()?.http
    }

    /// Where it answers over TLS: for the whole pool, or the first host.
    pub fn https(&self) -> Option<SocketAddr> {
        self.hosts.first()?.https
    }

    /// The fingerprint of the certificate there, if it has one.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        Some(self.hosts.first()?.certificate.as_ref()?.fingerprint)
    }

    /// All addresses: that of the whole pool, if there is one, then those of hosts.
    pub fn hosts(&self) -> &[BoundHost] {
        &self.hosts
    }

    /// Its Unix socket.
    pub fn unix(&self) -> Option<&Path> {
        self.unix.as_ref().map(listen::SocketFile::path)
    }

    /// Looks at the backend or changes it, at the server's present time. What becomes due by that is answered.
    pub fn with<R>(&self, work: impl FnOnce(&mut B, Millis) -> R) -> R {
        self.hub.with(work)
    }

    /// Requests straight to it, over no socket: for tests and for pools within a program. They count as coming over the network, without
    /// TLS, to the whole pool. After the server's end they are refused.
    pub fn transport(&self, config: TransportConfig) -> Transport {
        let (hub, times) = (Arc::downgrade(&self.hub), self.times);
        let make = move || {
            let hub = hub.upgrade().filter(|hub| !hub.is_stopping()).ok_or("the server has ended")?;
            let runtime = tokio::runtime::Handle::try_current().map_err(|_| "there is no tokio runtime")?;
            let (ours, theirs) = tokio::io::duplex(LOCAL_BUFFER);
            drop(runtime.spawn(async move {
                exchange::converse(wire::Wire::new(Box::new(theirs), times), &Place::default(), &hub).await;
            }));
            Ok(Box::new(ours) as Box<dyn crate::connect::Duplex>)
        };
        Transport::local(Arc::new(make), config)
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
        let Server { hub, hosts, unix, .. } = self;
        f.debug_struct("Server").field("hub", hub).field("hosts", hosts).field("unix", unix).finish()
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
