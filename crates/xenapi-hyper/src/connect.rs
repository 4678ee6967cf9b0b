//! Making a connection.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;

use crate::error::{TransportError, TransportErrorKind};
use crate::target::Target;
use crate::tls::{Tls, handshake_error};

/// Bytes both ways.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Connections that are made without a network.
pub(crate) type Local = Arc<dyn Fn() -> Result<Box<dyn Duplex>, String> + Send + Sync>;

/// How connections to a target are made.
#[derive(Clone)]
pub(crate) enum Dial {
    /// Over a socket, with TLS where the target has it.
    Socket(Option<Tls>),
    /// Within this process.
    Local(Local),
}

/// A connection to `target`, TLS included, within `timeout`.
pub(crate) async fn dial(target: &Target, how: &Dial, timeout: Duration) -> Result<Box<dyn Duplex>, TransportError> {
    match how {
        Dial::Socket(tls) => connect(target, tls.as_ref(), timeout).await,
        Dial::Local(make) => make()
            .map_err(|why| TransportError::new(target, TransportErrorKind::Connect(io::ErrorKind::ConnectionRefused, why))),
    }
}

/// A connection to `target` over a socket, TLS included, within `timeout`.
pub(crate) async fn connect(
    target: &Target,
    tls: Option<&Tls>,
    timeout: Duration,
) -> Result<Box<dyn Duplex>, TransportError> {
    let connected = tokio::time::timeout(timeout, open(target, tls)).await;
    let late = TransportErrorKind::Timeout { waiting_for: "a connection", after: timeout };
    connected.unwrap_or(Err(late)).map_err(|kind| TransportError::new(target, kind))
}

async fn open(target: &Target, tls: Option<&Tls>) -> Result<Box<dyn Duplex>, TransportErrorKind> {
    match target {
        Target::Unix(path) => match UnixStream::connect(path).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(refused(&error)),
        },
        Target::Http { host, port } | Target::Https { host, port } => {
            let stream = tcp(host, *port).await?;
            match tls {
                None => Ok(Box::new(stream)),
                Some(tls) => {
                    let secured = tls.connector.connect(tls.name.clone(), stream).await;
                    secured.map(|stream| Box::new(stream) as _).map_err(|error| handshake_error(&error))
                }
            }
        }
    }
}

/// How long an address may keep silent before the next one is tried beside it (RFC 8305).
const HEAD_START: Duration = Duration::from_millis(250);

/// The first of the host's addresses that answers. Those that keep silent do not hold up the others.
async fn tcp(host: &str, port: u16) -> Result<TcpStream, TransportErrorKind> {
    let addresses = tokio::net::lookup_host((host, port)).await;
    let addresses = addresses.map_err(|error| TransportErrorKind::Resolve(error.to_string()))?;
    race(alternating(addresses), HEAD_START).await
}

/// Addresses of the two families by turns, beginning with the first one: the resolver puts the better family first, and the
/// other one is tried before all of it has failed.
fn alternating(addresses: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let addresses: Vec<SocketAddr> = addresses.collect();
    let Some(first) = addresses.first().map(SocketAddr::is_ipv6) else { return addresses };
    let (mut these, mut others) = (VecDeque::new(), VecDeque::new());
    for address in addresses {
        if address.is_ipv6() == first { these.push_back(address) } else { others.push_back(address) }
    }
    let mut order = Vec::with_capacity(these.len() + others.len());
    while !(these.is_empty() && others.is_empty()) {
        order.extend(these.pop_front());
        order.extend(others.pop_front());
    }
    order
}

/// Tries one address after the other, each `head_start` after the one before or as soon as that failed; who comes first, counts.
async fn race(addresses: Vec<SocketAddr>, head_start: Duration) -> Result<TcpStream, TransportErrorKind> {
    let mut left = addresses.into_iter();
    // What is still under way is given up with it.
    let mut attempts = JoinSet::new();
    let mut failed = None;
    loop {
        match left.next() {
            Some(address) => drop(attempts.spawn(TcpStream::connect(address))),
            None if attempts.is_empty() => {
                let none = || TransportErrorKind::Resolve("the list of its addresses is empty".into());
                return Err(failed.unwrap_or_else(none));
            }
            None => {}
        }
        let wait =
            async { if left.len() == 0 { core::future::pending().await } else { tokio::time::sleep(head_start).await } };
        tokio::select! {
            Some(attempt) = attempts.join_next() => match attempt {
                Ok(Ok(stream)) => {
                    // A call is one small write; waiting to fill a packet only delays it. A socket that cannot do it still works.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                // The first reason is that of the address that the resolver prefers.
                Ok(Err(error)) => drop(failed.get_or_insert(refused(&error))),
                Err(_) => {}
            },
            () = wait => {}
        }
    }
}

fn refused(error: &io::Error) -> TransportErrorKind {
    TransportErrorKind::Connect(error.kind(), error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn families_take_turns() {
        let addresses = ["[::1]:1", "[::2]:1", "[::3]:1", "1.0.0.1:1", "1.0.0.2:1"].map(|text| text.parse().unwrap());
        let order: Vec<String> = alternating(addresses.into_iter()).iter().map(ToString::to_string).collect();
        assert_eq!(order, ["[::1]:1", "1.0.0.1:1", "[::2]:1", "1.0.0.2:1", "[::3]:1"]);
        assert!(alternating(core::iter::empty()).is_empty());
    }

    #[tokio::test]
    async fn addresses_that_refuse_or_keep_silent_do_not_hold_up_the_one_that_answers() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let answers = listener.local_addr().unwrap();
        // Nobody listens there any more.
        let refuses = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        // A queue that is full: the system answers nothing to a further connection, as a firewall that drops packets.
        let silent = tokio::net::TcpSocket::new_v4().unwrap();
        silent.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let silent = silent.listen(1).unwrap();
        let address = silent.local_addr().unwrap();
        let mut queue = Vec::new();
        while let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
            queue.push(stream);
        }
        let stream = race(vec![refuses, address, answers], Duration::from_millis(1)).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), answers);
        let error = race(vec![refuses], HEAD_START).await.unwrap_err();
        assert!(matches!(error, TransportErrorKind::Connect(io::ErrorKind::ConnectionRefused, _)), "{error:?}");
        assert!(matches!(race(Vec::new(), HEAD_START).await.unwrap_err(), TransportErrorKind::Resolve(_)));
    }
}
