//! Listening for browsers and programs.

use alloc::sync::Arc;
use core::convert::Infallible;
use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;
use std::io;

use http::Request;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

use super::patient::Patient;
use super::router::Router;

/// How long a client may take to send the head of a request.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// How long a client may take none of what is sent to it.
const READ_TIME: Duration = Duration::from_secs(60);

/// How long running requests may take to end when the server stops. Long polls do not end by themselves.
const GRACE: Duration = Duration::from_secs(2);

/// A server that takes requests until it is stopped.
pub struct Running {
    address: SocketAddr,
    router: Arc<Router>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    /// The address that it really listens on, where the port was left to the system.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where a browser on this machine finds it.
    pub fn url(&self) -> String {
        local_url("http", self.address)
    }

    /// Takes no more requests, gives the running ones two seconds, and ends.
    pub async fn stop(self) {
        self.router.drain();
        // The other end is gone only when the task has ended already.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

/// The address of a listener as a link: one that listens everywhere is reached at this machine's own address.
pub fn local_url(scheme: &str, address: SocketAddr) -> String {
    let mut address = address;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { core::net::Ipv6Addr::LOCALHOST.into() });
    }
    format!("{scheme}://{address}/")
}

/// An address that cannot be listened on.
#[derive(Debug)]
pub struct ListenError {
    address: SocketAddr,
    error: io::Error,
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ListenError { address, error } = self;
        match error.kind() {
            io::ErrorKind::AddrInUse => {
                write!(
                    f,
                    "cannot listen on {address}: it is in use by another program; choose another port, or 0 for any free one"
                )
            }
            io::ErrorKind::PermissionDenied => {
                write!(f, "cannot listen on {address}: not permitted; choose a port from 1024 upwards")
            }
            io::ErrorKind::AddrNotAvailable => write!(f, "cannot listen on {address}: this machine has no such address"),
            _ => write!(f, "cannot listen on {address}: {error}"),
        }
    }
}

impl core::error::Error for ListenError {}

/// Opens a listener; port 0 leaves the port to the system.
///
/// # Errors
/// When the address is not this machine's, not permitted, or taken.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|error| ListenError { address, error })
}

/// Takes requests from a listener.
pub struct Server {
    /// What answers.
    pub router: Arc<Router>,
    /// How many connections may be open; further ones wait.
    pub connections: usize,
}

impl Server {
    /// Starts to take requests.
    ///
    /// # Errors
    /// When the system does not tell the listener's address.
    pub fn start(self, listener: TcpListener) -> io::Result<Running> {
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let router = Arc::clone(&self.router);
        let task = tokio::spawn(self.run(listener, stopped));
        Ok(Running { address, router, stop, task })
    }

    async fn run(self, listener: TcpListener, mut stopped: oneshot::Receiver<()>) {
        let graceful = GracefulShutdown::new();
        let places = Arc::new(Semaphore::new(self.connections.max(1)));
        loop {
            let next = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (place, listener.accept().await)
            };
            let (place, accepted) = tokio::select! {
                _ = &mut stopped => break,
                next = next => next,
            };
            match accepted {
                Ok((stream, _)) => {
                    let connection = graceful.watch(connection(stream, Arc::clone(&self.router)));
                    tokio::spawn(async move {
                        // A connection that breaks concerns its client only.
                        let _ = connection.await;
                        drop(place);
                    });
                }
                // Out of descriptors, most likely: some become free when connections end.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
        drop(listener);
        let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
    }
}

fn connection(
    stream: TcpStream,
    router: Arc<Router>,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + Send {
    // Answers are written whole; waiting for more to send would only delay them.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let router = Arc::clone(&router);
        let request = request.map(|body| body.map_err(Into::into).boxed_unsync());
        async move { Ok::<_, Infallible>(router.respond(request).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .serve_connection(TokioIo::new(Patient::new(stream, READ_TIME)), service)
}
