//! Listeners: where connections come from, and how they end.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::hub::Hub;
use super::wire::Wire;
use super::{Backend, Place, ServeError, ServerTimes, exchange};
use crate::connect::Duplex;

/// How long a connection may take to end when the server stops.
const GRACE: Duration = Duration::from_secs(2);
/// Before something that failed is tried again.
const AGAIN: Duration = Duration::from_millis(50);
/// How many connections there may be at once over TCP. Further ones wait in the system's queue.
const MOST_TCP: usize = 800;
/// And on the Unix socket.
const MOST_UNIX: usize = 1024;
/// How often a port is looked for that is free on all addresses.
const TRIES: usize = 20;

pub(super) async fn bind_tcp(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|error| ServeError::new(format!("listen on {address}"), error))
}

/// Binds all addresses. Those with port 0 get the same port, so that a client finds one host when it knows another.
pub(super) async fn bind_all(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, ServeError> {
    let mut tries = 0;
    loop {
        let failed = match try_bind_all(addresses).await {
            Ok(listeners) => return Ok(listeners),
            Err(failed) => failed,
        };
        tries += 1;
        let any = addresses.iter().any(|address| address.port() == 0);
        if !any || tries == TRIES || failed.kind() != io::ErrorKind::AddrInUse {
            return Err(failed);
        }
    }
}

async fn try_bind_all(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, ServeError> {
    let mut listeners = Vec::with_capacity(addresses.len());
    let mut port = 0;
    for address in addresses {
        let mut address = *address;
        if address.port() == 0 {
            address.set_port(port);
        }
        let listener = bind_tcp(address).await?;
        port = bound(&listener)?.port();
        listeners.push(listener);
    }
    Ok(listeners)
}

/// The address of a listener.
pub(super) fn bound(listener: &TcpListener) -> Result<SocketAddr, ServeError> {
    listener.local_addr().map_err(|error| ServeError::new("learn the address of a listener", error))
}

/// The address of a host that listens beside another one: the next ones after it, on the same port.
pub(super) fn beside(first: SocketAddr, at: usize) -> Option<SocketAddr> {
    let IpAddr::V4(ip) = first.ip() else { return None };
    let next = u32::from(ip).checked_add(u32::try_from(at).ok()?)?;
    Some(SocketAddr::new(IpAddr::V4(next.into()), first.port()))
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

/// What connections come from.
pub(super) enum Listener {
    Tcp(TcpListener, Option<TlsAcceptor>),
    Unix(UnixListener),
}

enum Raw {
    Tcp(TcpStream, Option<TlsAcceptor>),
    Unix(UnixStream),
}

impl Listener {
    async fn next(&self) -> io::Result<Raw> {
        match self {
            Listener::Tcp(listener, tls) => listener.accept().await.map(|(stream, _)| Raw::Tcp(stream, tls.clone())),
            Listener::Unix(listener) => listener.accept().await.map(|(stream, _)| Raw::Unix(stream)),
        }
    }

    fn most(&self) -> usize {
        if matches!(self, Listener::Unix(_)) { MOST_UNIX } else { MOST_TCP }
    }
}

impl Raw {
    /// What makes the connection ready, run beside the others.
    async fn ready(self, times: ServerTimes) -> io::Result<Box<dyn Duplex>> {
        match self {
            Raw::Unix(stream) => Ok(Box::new(stream)),
            Raw::Tcp(stream, tls) => {
                stream.set_nodelay(true)?;
                match tls {
                    None => Ok(Box::new(stream)),
                    Some(tls) => Ok(Box::new(tokio::time::timeout(times.handshake, tls.accept(stream)).await??)),
                }
            }
        }
    }

    /// Ends the connection so that its client notices at once.
    fn refuse(self) {
        if let Raw::Tcp(stream, _) = self {
            // Where that is not possible, it is closed all the same.
            let _ = stream.set_zero_linger();
        }
    }
}

/// One listener with whom it stands for.
pub(super) struct Gate<B: Backend> {
    pub(super) listener: Listener,
    pub(super) place: Place,
    /// The same host answers over TLS, too.
    pub(super) beside_tls: bool,
    pub(super) times: ServerTimes,
    pub(super) hub: Arc<Hub<B>>,
}

/// Accepts until the server stops, then waits for the connections to end. While the host is down, nobody listens at its address.
pub(super) async fn accept<B: Backend>(gate: Gate<B>) {
    let Gate { listener, place, beside_tls, times, hub } = gate;
    let place = Arc::new(place);
    let mut connections = JoinSet::new();
    let mut cuts = hub.changes();
    let mut listener = Some(listener);
    'host: while let Some(open) = listener.take() {
        // It may have gone before this began to listen for news of it.
        let (mut seen, up) = reach(&hub, &place);
        if !up {
            listener = away(open, &place, &hub, &mut cuts).await;
            continue;
        }
        loop {
            tokio::select! {
                () = hub.stopped() => break 'host,
                // Connections that ended, so that the set does not grow.
                Some(_) = connections.join_next() => {}
                () = changed(&mut cuts) => {
                    let (now, up) = reach(&hub, &place);
                    if now != seen || !up {
                        connections.abort_all();
                        seen = now;
                    }
                    if !up {
                        listener = away(open, &place, &hub, &mut cuts).await;
                        continue 'host;
                    }
                }
                next = open.next(), if connections.len() < open.most() => match next {
                    Ok(raw) if refuses(&hub, &place, beside_tls) => raw.refuse(),
                    Ok(raw) => {
                        let (hub, place) = (hub.clone(), place.clone());
                        connections.spawn(async move {
                            // A client that cannot agree on TLS sees the alert; there is nobody else to tell.
                            if let Ok(stream) = raw.ready(times).await {
                                exchange::converse(Wire::new(stream, times), &place, &hub).await;
                            }
                        });
                    }
                    // Out of file descriptors, or the client is gone already: others may still come.
                    Err(_) => tokio::time::sleep(AGAIN).await,
                },
            }
        }
    }
    drop(listener);
    // Handshakes under way have nothing to lose; conversations end within their grace.
    let ended = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, ended).await;
}

fn refuses<B: Backend>(hub: &Hub<B>, place: &Place, beside_tls: bool) -> bool {
    hub.with(|backend, now| beside_tls && backend.is_https_only(place.host.as_ref()) || backend.refuses(place, now))
}

/// How often the host's connections were cut, and whether it answers.
fn reach<B: Backend>(hub: &Hub<B>, place: &Place) -> (u64, bool) {
    hub.with_quietly(|backend| (backend.cuts(place.host.as_ref()), backend.answers(place.host.as_ref())))
}

async fn changed(cuts: &mut watch::Receiver<u64>) {
    // The sender lives as long as the hub, and so as long as this.
    let _ = cuts.changed().await;
}

/// Does not listen until the host answers again. A Unix socket stays where it is, and its clients wait.
async fn away<B: Backend>(open: Listener, place: &Place, hub: &Hub<B>, cuts: &mut watch::Receiver<u64>) -> Option<Listener> {
    let (address, tls) = match open {
        Listener::Tcp(listener, tls) => (listener.local_addr().ok()?, tls),
        unix @ Listener::Unix(_) => {
            until_up(place, hub, cuts).await?;
            return Some(unix);
        }
    };
    until_up(place, hub, cuts).await?;
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return Some(Listener::Tcp(listener, tls)),
            // Somebody took the port meanwhile; it may be given back.
            Err(_) => tokio::select! {
                () = tokio::time::sleep(AGAIN) => {}
                () = hub.stopped() => return None,
            },
        }
    }
}

/// None when the server stops.
async fn until_up<B: Backend>(place: &Place, hub: &Hub<B>, cuts: &mut watch::Receiver<u64>) -> Option<()> {
    loop {
        if hub.with_quietly(|backend| backend.answers(place.host.as_ref())) {
            return Some(());
        }
        tokio::select! {
            () = changed(cuts) => {}
            () = hub.stopped() => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn hosts_listen_at_the_next_addresses() {
        let first = "127.0.0.1:8443".parse().unwrap();
        assert_eq!(beside(first, 0), Some(first));
        assert_eq!(beside(first, 3), Some("127.0.0.4:8443".parse().unwrap()));
        assert_eq!(beside("127.0.0.255:1".parse().unwrap(), 1), Some("127.0.1.0:1".parse().unwrap()));
        assert_eq!(beside("[::1]:1".parse().unwrap(), 1), None);
    }

    #[tokio::test]
    async fn any_port_is_the_same_one_for_all() {
        let listeners =
            bind_all(&["127.0.0.1:0", "127.0.0.2:0", "127.0.0.3:0"].map(|text| text.parse().unwrap())).await.unwrap();
        let ports: Vec<u16> = listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        assert!(ports.iter().all(|port| *port == ports[0] && *port != 0), "{ports:?}");
    }
}
