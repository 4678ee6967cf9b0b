//! The screens of VMs: consoles as bytes, and screenshots.

use core::time::Duration;

use bytes::Bytes;
use http::header::{COOKIE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use xenapi_core::{Ref, get_record};
use xenapi_model::{Console, VM, vm};

use crate::call_error::{Error, ErrorKind};
use crate::client::Client;
use crate::error::{TransportError, TransportErrorKind};
use crate::pool::Location;
use crate::stream::{ByteStream, Connection};
use crate::transport::{Request, Transport};

/// How long a host may take to answer for a console, and to take a picture.
const PATIENCE: Duration = Duration::from_secs(30);

impl Client {
    /// Opens a console. What comes is what its `protocol` says: RFB, where the server speaks first, or the bytes of a terminal. The VM has
    /// to run.
    ///
    /// # Errors
    /// When the server refuses or does not answer, or the host of the VM does not.
    pub async fn console(&self, console: &Ref<Console>) -> Result<ByteStream, Error> {
        let record = self.call(get_record(console)).await?;
        self.console_at(&record.location).await
    }

    /// Opens the console at a `console.location`.
    ///
    /// # Errors
    /// When the location is none, or the host there refuses or does not answer.
    pub async fn console_at(&self, location: &str) -> Result<ByteStream, Error> {
        let place = Location::parse(location).ok_or_else(|| {
            let why = format!("the console's location {location:?} cannot be connected to; the VM may not run");
            self.error("CONNECT /console", ErrorKind::Unusable(why))
        })?;
        let here = self.connect_to(self.transport(), place.path).await;
        let refused = match here {
            Err(error) if is_refusal(&error) => error,
            done => return done.map_err(|error| self.failed("CONNECT /console", error)),
        };
        // Only the host on which the VM runs has its console.
        let there = self.host_at(place.host, place.port).await?;
        if there.target() == self.target() {
            return Err(self.failed("CONNECT /console", refused));
        }
        self.connect_to(&there, place.path).await.map_err(|error| self.failed("CONNECT /console", error))
    }

    async fn connect_to(&self, transport: &Transport, path: &str) -> Result<ByteStream, TransportError> {
        let headers: Vec<_> = self.cookie().into_iter().collect();
        let mut connection = Connection::begin(transport, &Method::CONNECT, path, &headers).await?;
        let head = connection.head(PATIENCE).await?;
        if head.status == StatusCode::OK { Ok(connection.into_stream()) } else { Err(connection.refused(&head).await) }
    }

    /// A picture of a running VM's screen, as JPEG.
    ///
    /// # Errors
    /// When the VM does not run, and when the server or the VM's host refuses or does not answer.
    pub async fn screenshot(&self, vm: &Ref<VM>) -> Result<Bytes, Error> {
        const WHAT: &str = "GET /vncsnapshot";
        let host = self.call(vm::fields::RESIDENT_ON.get(vm)).await?;
        let Some(host) = host else {
            return Err(self.error(WHAT, ErrorKind::Unusable("the VM does not run, so it has no screen: start it".into())));
        };
        let path = format!("/vncsnapshot?ref={}", vm.as_str());
        let refused = match self.get(self.transport(), &path).await {
            Err(error) if is_refusal(&error) => error,
            done => return done.map_err(|error| self.failed(WHAT, error)),
        };
        let there = self.host(&host).await?;
        if there.target() == self.target() {
            return Err(self.failed(WHAT, refused));
        }
        self.get(&there, &path).await.map_err(|error| self.failed(WHAT, error))
    }

    /// A page, whole.
    pub(crate) async fn get(&self, transport: &Transport, path: &str) -> Result<Bytes, TransportError> {
        let headers = HeaderMap::from_iter(self.cookie());
        let body = Bytes::new();
        let path = path.to_owned();
        let request = Request { method: Method::GET, path, headers, body, timeout: PATIENCE, repeatable: true };
        transport.rpc(request).await
    }

    /// The session as handlers want it: not in the address, which servers write down.
    pub(crate) fn cookie(&self) -> Option<(HeaderName, HeaderValue)> {
        let session = self.session()?;
        let mut value = HeaderValue::try_from(format!("session_id={}", session.as_str())).ok()?;
        value.set_sensitive(true);
        Some((COOKIE, value))
    }
}

/// The host answered that it does not have it: another one may.
fn is_refusal(error: &TransportError) -> bool {
    matches!(error.kind(), TransportErrorKind::Status { code: 404 | 500, .. })
}
