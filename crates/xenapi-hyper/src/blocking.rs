//! The same without async: calls, tasks, metrics, consoles, transfers, and a pool that is followed on a thread of its own.
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

mod live;
mod streams;

use core::time::Duration;
use std::io::{self, Read, Write};
use std::sync::Arc;

use bytes::Bytes;
use tokio::runtime::{Builder, Runtime};
use xenapi_client::metrics::{Follower, Merged, Query, Updates};
use xenapi_core::{Call, Class, RawCall, RawRef, ReadError, Ref, Value, Wire};
use xenapi_model::{Console, Host, Task, VM};

use crate::call_error::Error;
use crate::certificate::SeenCertificate;
use crate::client::ClientConfig;
use crate::error::{TransportError, TransportErrorKind};
use crate::pool::PoolHost;
use crate::target::Target;
use crate::transfer::{Export, Import};
use crate::transport::Transport;

pub use live::{Changes, Live, LiveTask};
pub use streams::{ByteStream, Download};

/// [`crate::Client`] without async: every call waits for its answer on this thread. Not to be used inside a tokio runtime. Clones share the
/// session and the connections.
#[derive(Clone, Debug)]
pub struct Client {
    client: crate::Client,
    runtime: Arc<Ending>,
}

/// A runtime on which a client's session is ended when the last clone goes.
#[derive(Debug)]
struct Ending {
    runtime: Runtime,
}

impl Drop for Client {
    fn drop(&mut self) {
        // The session ends with its last client, and that needs the runtime for a moment.
        if Arc::strong_count(&self.runtime) == 1 {
            let client = self.client.clone();
            // A server that does not answer ends the session by itself after a while.
            let _ = self.runtime.runtime.block_on(async { tokio::time::timeout(FAREWELL, client.end_own()).await });
        }
    }
}

/// How long the end of a session may take that nobody waits for.
const FAREWELL: Duration = Duration::from_secs(2);

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
        Ok(Client {
            client: crate::Client::with_config(transport.apart(), config),
            runtime: Arc::new(Ending { runtime: runtime()? }),
        })
    }

    /// [`crate::Client::connect`].
    ///
    /// # Errors
    /// When the system does not let this process watch sockets, and as [`Client::login`].
    pub fn connect(
        transport: Transport,
        user: &str,
        password: &str,
        originator: &str,
    ) -> Result<Self, Box<dyn core::error::Error + Send + Sync>> {
        let runtime = runtime()?;
        let client = runtime.block_on(crate::Client::connect(transport.apart(), user, password, originator))?;
        Ok(Client { client, runtime: Arc::new(Ending { runtime }) })
    }

    fn wait<T>(&self, what: impl Future<Output = T>) -> T {
        self.runtime.runtime.block_on(what)
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
        self.wait(self.client.login(user, password, originator))
    }

    /// [`crate::Client::logout`].
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub fn logout(&self) -> Result<(), Error> {
        self.wait(self.client.logout())
    }

    /// [`crate::Client::call`].
    ///
    /// # Errors
    /// When the server refuses or does not answer, or there is no session for a call that needs one.
    pub fn call<R>(&self, call: Call<R>) -> Result<R, Error> {
        self.wait(self.client.call(call))
    }

    /// [`crate::Client::call_raw`].
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub fn call_raw(&self, call: RawCall) -> Result<Value, Error> {
        self.wait(self.client.call_raw(call))
    }

    /// [`crate::Client::fetch`].
    ///
    /// # Errors
    /// When there is no reply.
    pub fn fetch(&self, call: &RawCall) -> Result<Bytes, Error> {
        self.wait(self.client.fetch(call))
    }

    /// [`crate::Client::run_task`].
    ///
    /// # Errors
    /// When the server refuses, does not answer, or the task fails.
    pub fn run_task<R: Wire>(&self, call: Call<R>, on_progress: impl FnMut(f64)) -> Result<R, Error> {
        self.wait(self.client.run_task(call, on_progress))
    }

    /// [`crate::Client::each_record`].
    ///
    /// # Errors
    /// When the server refuses, does not answer or breaks off.
    pub fn each_record<C: Class>(&self, tell: impl FnMut(Ref<C>, Result<C::Record, ReadError>)) -> Result<(), Error> {
        self.wait(self.client.each_record(tell))
    }

    /// [`crate::Client::call_each`].
    pub fn call_each<R: Send + 'static>(
        &self,
        calls: impl IntoIterator<Item = Call<R>>,
        at_once: usize,
    ) -> Vec<Result<R, Error>> {
        self.wait(self.client.call_each(calls, at_once))
    }

    /// [`crate::Client::run_each`].
    pub fn run_each<R: Wire + Send + 'static>(
        &self,
        calls: impl IntoIterator<Item = Call<R>>,
        at_once: usize,
    ) -> Vec<Result<R, Error>> {
        self.wait(self.client.run_each(calls, at_once))
    }

    /// [`crate::Client::start_task`].
    ///
    /// # Errors
    /// When the server refuses or does not answer; when the call has no `Async.` form.
    pub fn start_task<R: Wire>(&self, call: Call<R>) -> Result<RunningTask<R>, Error> {
        let task = self.wait(self.client.start_task(call))?;
        Ok(RunningTask { task, client: self.clone() })
    }

    /// [`crate::Client::pool_hosts`].
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub fn pool_hosts(&self) -> Result<Vec<PoolHost>, Error> {
        self.wait(self.client.pool_hosts())
    }

    /// [`crate::Client::trust_pool`].
    ///
    /// # Errors
    /// When the server refuses or does not answer, or the store cannot be written.
    pub fn trust_pool(&self) -> Result<Vec<PoolHost>, Error> {
        self.wait(self.client.trust_pool())
    }

    /// [`crate::Client::metrics`].
    ///
    /// # Errors
    /// When the server or that host refuses or does not answer, or what it answers cannot be read.
    pub fn metrics(&self, host: &Ref<Host>, query: &Query) -> Result<Updates, Error> {
        self.wait(self.client.metrics(host, query))
    }

    /// [`crate::Client::follow_metrics`].
    ///
    /// # Errors
    /// When the host is not known, or its certificate is not.
    pub fn follow_metrics(&self, host: &Ref<Host>, span: u32, interval: u32) -> Result<HostMetrics, Error> {
        let metrics = self.wait(self.client.follow_metrics(host, span, interval))?;
        Ok(HostMetrics { metrics, client: self.clone() })
    }

    /// [`crate::Client::console`].
    ///
    /// # Errors
    /// When the server refuses or does not answer, or the host of the VM does not.
    pub fn console(&self, console: &Ref<Console>) -> Result<ByteStream, Error> {
        let stream = self.wait(self.client.console(console))?;
        Ok(ByteStream::new(stream, self.clone()))
    }

    /// [`crate::Client::screenshot`].
    ///
    /// # Errors
    /// When the VM does not run, and when the server or the VM's host refuses or does not answer.
    pub fn screenshot(&self, vm: &Ref<VM>) -> Result<Bytes, Error> {
        self.wait(self.client.screenshot(vm))
    }

    /// [`crate::Client::export`].
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub fn export(&self, export: &Export) -> Result<Download, Error> {
        let download = self.wait(self.client.export(export))?;
        Ok(Download::new(download, self.clone()))
    }

    /// [`crate::Client::export_to`].
    ///
    /// # Errors
    /// When the server refuses, breaks off or fails, or the writer does.
    pub fn export_to(&self, export: &Export, to: &mut impl Write, on_progress: impl FnMut(f64)) -> Result<u64, Error> {
        self.wait(self.client.export_to(export, &mut streams::Waiting(to), on_progress))
    }

    /// [`crate::Client::import`]. While `from` waits, nothing is told of the progress.
    ///
    /// # Errors
    /// When the server refuses, fails or does not answer, or `from` cannot be read.
    pub fn import(
        &self,
        import: &Import,
        from: &mut impl Read,
        length: Option<u64>,
        on_progress: impl FnMut(f64),
    ) -> Result<Vec<Ref<VM>>, Error> {
        self.wait(self.client.import(import, &mut streams::Waiting(from), length, on_progress))
    }
}

/// [`crate::RunningTask`] without async.
#[derive(Debug)]
pub struct RunningTask<R> {
    task: crate::RunningTask<R>,
    client: Client,
}

impl<R> RunningTask<R> {
    /// The task.
    pub fn reference(&self) -> &Ref<Task> {
        self.task.reference()
    }

    /// [`crate::RunningTask::progress`].
    ///
    /// # Errors
    /// When the server does not tell; the task may go on.
    pub fn progress(&mut self) -> Result<Option<f64>, Error> {
        self.client.wait(self.task.progress())
    }

    /// [`crate::RunningTask::cancel`].
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub fn cancel(&self) -> Result<(), Error> {
        self.client.wait(self.task.cancel())
    }

    /// [`crate::RunningTask::finish`].
    ///
    /// # Errors
    /// When the task fails or was cancelled, and when the server does not tell.
    pub fn finish(self) -> Result<R, Error> {
        self.client.wait(self.task.finish())
    }

    /// [`crate::RunningTask::finish_within`].
    ///
    /// # Errors
    /// As [`RunningTask::finish`], and when it takes longer.
    pub fn finish_within(self, limit: Duration) -> Result<R, Error> {
        self.client.wait(self.task.finish_within(limit))
    }
}

/// [`crate::HostMetrics`] without async.
#[derive(Debug)]
pub struct HostMetrics {
    metrics: crate::HostMetrics,
    client: Client,
}

impl HostMetrics {
    /// [`crate::HostMetrics::refresh`].
    ///
    /// # Errors
    /// When the host refuses or does not answer, or what it answers cannot be read.
    pub fn refresh(&mut self) -> Result<Merged, Error> {
        self.client.wait(self.metrics.refresh())
    }

    /// What is known.
    pub fn window(&self) -> &Follower {
        self.metrics.window()
    }
}
