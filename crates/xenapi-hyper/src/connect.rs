//! Making a connection.

use core::time::Duration;
use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::error::{TransportError, TransportErrorKind};
use crate::target::Target;
use crate::tls::{Tls, handshake_error};

/// Bytes both ways.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection to `target`, TLS included, within `timeout`.
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

/// The first of the host's addresses that answers.
async fn tcp(host: &str, port: u16) -> Result<TcpStream, TransportErrorKind> {
    let addresses = tokio::net::lookup_host((host, port)).await;
    let addresses = addresses.map_err(|error| TransportErrorKind::Resolve(error.to_string()))?;
    let mut failed = None;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // A call is one small write; waiting to fill a packet only delays it. A socket that cannot do it still works.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => failed = Some(refused(&error)),
        }
    }
    Err(failed.unwrap_or_else(|| TransportErrorKind::Resolve("the list of its addresses is empty".into())))
}

fn refused(error: &io::Error) -> TransportErrorKind {
    TransportErrorKind::Connect(error.kind(), error.to_string())
}
