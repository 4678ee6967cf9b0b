//! The same calls without async.
//!
//! ```no_run
//! use xenapi_hyper::blocking::Client;
//! use xenapi_hyper::{Target, Transport, TransportConfig, Trust};
//! use xenapi_model::{VM, vm};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let target: Target = "https://xs1.lab".parse()?;
//! let client = Client::new(Transport::new(target, &Trust::System, TransportConfig::default())?)?;
//! client.login("root", "secret", "my-program")?;
//! for (vm, record) in client.call(xenapi_core::get_all_records::<VM>())?.records {
//!     println!("{vm} {}", record.name_label);
//! }
//! client.logout()?;
//! # Ok(())
//! # }
//! ```

use core::time::Duration;
use std::io;

use bytes::Bytes;
use tokio::runtime::{Builder, Runtime};
use xenapi_core::{Call, RawCall, RawRef, Value, Wire};

use crate::call_error::Error;
use crate::certificate::SeenCertificate;
use crate::client::ClientConfig;
use crate::error::{TransportError, TransportErrorKind};
use crate::target::Target;
use crate::transport::Transport;

/// [`crate::Client`] without async: every call waits for its answer on this thread. Not to be used inside a tokio runtime.
#[derive(Debug)]
pub struct Client {
    client: crate::Client,
    runtime: Runtime,
}

/// A runtime for one thread.
fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_io().enable_time().build()
}

/// [`crate::inspect`] without async.
///
/// # Errors
/// When the target has no TLS, or there is no connection.
pub fn inspect(target: &Target, timeout: Duration) -> Result<SeenCertificate, TransportError> {
    let failed = |error: io::Error| TransportError::new(target, TransportErrorKind::Request(error.to_string()));
    runtime().map_err(failed)?.block_on(crate::inspect(target, timeout))
}

impl Client {
    /// A client without a session.
    ///
    /// # Errors
    /// When the system does not let this process watch sockets.
    pub fn new(transport: Transport) -> io::Result<Self> {
        Client::with_config(transport, ClientConfig::default())
    }

    /// A client without a session that waits as it is told.
    ///
    /// # Errors
    /// When the system does not let this process watch sockets.
    pub fn with_config(transport: Transport, config: ClientConfig) -> io::Result<Self> {
        Ok(Client { client: crate::Client::with_config(transport, config), runtime: runtime()? })
    }

    /// The server.
    pub fn target(&self) -> &Target {
        self.client.target()
    }

    /// [`crate::Client::session`].
    pub fn session(&self) -> Option<RawRef> {
        self.client.session()
    }

    /// [`crate::Client::set_session`].
    pub fn set_session(&self, session: Option<RawRef>) {
        self.client.set_session(session);
    }

    /// [`crate::Client::login`].
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub fn login(&self, user: &str, password: &str, originator: &str) -> Result<(), Error> {
        self.runtime.block_on(self.client.login(user, password, originator))
    }

    /// [`crate::Client::logout`].
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub fn logout(&self) -> Result<(), Error> {
        self.runtime.block_on(self.client.logout())
    }

    /// [`crate::Client::call`].
    ///
    /// # Errors
    /// When the server refuses or does not answer, or there is no session for a call that needs one.
    pub fn call<R>(&self, call: Call<R>) -> Result<R, Error> {
        self.runtime.block_on(self.client.call(call))
    }

    /// [`crate::Client::call_raw`].
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub fn call_raw(&self, call: RawCall) -> Result<Value, Error> {
        self.runtime.block_on(self.client.call_raw(call))
    }

    /// [`crate::Client::fetch`].
    ///
    /// # Errors
    /// When there is no reply.
    pub fn fetch(&self, call: &RawCall) -> Result<Bytes, Error> {
        self.runtime.block_on(self.client.fetch(call))
    }

    /// [`crate::Client::run_task`].
    ///
    /// # Errors
    /// When the server refuses, does not answer, or the task fails.
    pub fn run_task<R: Wire>(&self, call: Call<R>, on_progress: impl FnMut(f64)) -> Result<R, Error> {
        self.runtime.block_on(self.client.run_task(call, on_progress))
    }
}
