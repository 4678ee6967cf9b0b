//! Listeners: where connections come from, and how they end.

use core::convert::Infallible;
use core::net::SocketAddr;
use core::pin::pin;
use core::time::Duration;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer, version::TLS12};

use super::hub::Hub;
use super::{Backend, Origin, ServeError, exchange};
use crate::certificate::Fingerprint;
use crate::connect::Duplex;

/// How long the handshake of TLS may take.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// How long the headers of a request may take, counted from the end of the one before.
const HEAD_TIME: Duration = Duration::from_secs(60);
/// How long a connection may take to end when the server stops.
const GRACE: Duration = Duration::from_secs(2);

pub(super) async fn bind_tcp(address: Option<SocketAddr>) -> Result<Option<(TcpListener, SocketAddr)>, ServeError> {
    let Some(address) = address else { return Ok(None) };
    let failed = |error: io::Error| ServeError::new(format!("listen on {address}"), error);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok(Some((listener, bound)))
}

/// The file of a Unix socket, removed with its server.
#[derive(Debug)]
pub(super) struct SocketFile(PathBuf);

impl SocketFile {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Somebody may have removed it already.
        let _ = std::fs::remove_file(&self.0);
    }
}

pub(super) fn bind_unix(path: &Path) -> Result<(UnixListener, SocketFile), ServeError> {
    let failed = |error: io::Error| ServeError::new(format!("listen on the socket {}", path.display()), error);
    match std::fs::symlink_metadata(path) {
        Ok(file) if !file.file_type().is_socket() => {
            return Err(failed(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "a file of this name exists, and it is no socket",
            )));
        }
        Ok(_) if std::os::unix::net::UnixStream::connect(path).is_ok() => {
            return Err(failed(io::ErrorKind::AddrInUse.into()));
        }
        // Left behind by a server that was killed.
        Ok(_) => std::fs::remove_file(path).map_err(failed)?,
        Err(_) => {}
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    let file = SocketFile(path.to_owned());
    // Whoever may write to it is root, so nobody but its owner may.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok((listener, file))
}

/// A certificate made for one server, ready to be shown.
pub(super) struct Made {
    pub(super) acceptor: TlsAcceptor,
    pub(super) fingerprint: Fingerprint,
}

/// A self-signed certificate for localhost and the address, and the TLS that xapi speaks with one: 1.2 only.
pub(super) fn make_certificate(address: SocketAddr) -> Result<Made, ServeError> {
    let failed = |error: &dyn core::fmt::Display| ServeError::new("make a certificate", io::Error::other(error.to_string()));
    let mut names = Vec::from(["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()]);
    if !address.ip().is_unspecified() && !address.ip().is_loopback() {
        names.push(address.ip().to_string());
    }
    let made = rcgen::KeyPair::generate().and_then(|key| {
        let mut params = rcgen::CertificateParams::new(names)?;
        params.distinguished_name.push(rcgen::DnType::CommonName, "localhost");
        Ok((params.self_signed(&key)?, key))
    });
    let (certificate, key) = made.map_err(|error| failed(&error))?;
    let fingerprint = Fingerprint::of(certificate.der());
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(|error| failed(&error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS12])
        .and_then(|config| config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key))
        .map_err(|error| failed(&error))?;
    Ok(Made { acceptor: TlsAcceptor::from(Arc::new(config)), fingerprint })
}

/// What connections come from.
pub(super) trait Listen: Send + 'static {
    type Raw: Send + 'static;
    const ORIGIN: Origin;
    /// How many connections there may be at once. Further ones wait in the system's queue.
    const MOST: usize = 800;

    /// The next connection, before any handshake.
    fn next(&self) -> impl Future<Output = io::Result<Self::Raw>> + Send;

    /// What makes the connection ready, run beside the others.
    fn ready(&self, raw: Self::Raw) -> impl Future<Output = io::Result<Box<dyn Duplex>>> + Send + 'static;
}

pub(super) struct Plain(pub(super) TcpListener);
pub(super) struct Secure(pub(super) TcpListener, pub(super) TlsAcceptor);
pub(super) struct Socket(pub(super) UnixListener);

impl Listen for Plain {
    type Raw = TcpStream;
    const ORIGIN: Origin = Origin::Tcp;

    async fn next(&self) -> io::Result<TcpStream> {
        self.0.accept().await.map(|(stream, _)| stream)
    }

    fn ready(&self, stream: TcpStream) -> impl Future<Output = io::Result<Box<dyn Duplex>>> + Send + 'static {
        core::future::ready(stream.set_nodelay(true).map(|()| Box::new(stream) as _))
    }
}

impl Listen for Secure {
    type Raw = TcpStream;
    const ORIGIN: Origin = Origin::Tcp;

    async fn next(&self) -> io::Result<TcpStream> {
        self.0.accept().await.map(|(stream, _)| stream)
    }

    fn ready(&self, stream: TcpStream) -> impl Future<Output = io::Result<Box<dyn Duplex>>> + Send + 'static {
        let acceptor = self.1.clone();
        async move {
            stream.set_nodelay(true)?;
            let secured = tokio::time::timeout(HANDSHAKE_TIME, acceptor.accept(stream)).await??;
            Ok(Box::new(secured) as _)
        }
    }
}

impl Listen for Socket {
    type Raw = UnixStream;
    const ORIGIN: Origin = Origin::UnixSocket;
    const MOST: usize = 1024;

    async fn next(&self) -> io::Result<UnixStream> {
        self.0.accept().await.map(|(stream, _)| stream)
    }

    fn ready(&self, stream: UnixStream) -> impl Future<Output = io::Result<Box<dyn Duplex>>> + Send + 'static {
        core::future::ready(Ok(Box::new(stream) as _))
    }
}

/// Accepts until the server stops, then waits for the connections to end.
pub(super) async fn accept<L: Listen, B: Backend>(listener: L, hub: Arc<Hub<B>>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = hub.stopped() => break,
            // Connections that ended, so that the set does not grow.
            Some(_) = connections.join_next() => {}
            next = listener.next(), if connections.len() < L::MOST => match next {
                Ok(raw) => {
                    let ready = listener.ready(raw);
                    let hub = hub.clone();
                    connections.spawn(async move {
                        // A client that cannot agree on TLS sees the alert; there is nobody else to tell.
                        if let Ok(stream) = ready.await {
                            converse(stream, L::ORIGIN, &hub).await;
                        }
                    });
                }
                // Out of file descriptors, or the client is gone already: others may still come.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
    drop(listener);
    // Handshakes under way have nothing to lose; conversations end within their grace.
    let ended = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, ended).await;
}

/// Serves one connection to its end.
async fn converse<B: Backend>(stream: Box<dyn Duplex>, origin: Origin, hub: &Hub<B>) {
    let service = service_fn(|request| async move { Ok::<_, Infallible>(exchange::respond(hub, origin, request).await) });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = hub.stopped() => None,
    };
    if ended.is_none() {
        connection.as_mut().graceful_shutdown();
        // What went wrong is the client's affair: it hung up, or did not speak HTTP.
        let _ = connection.await;
    }
}
