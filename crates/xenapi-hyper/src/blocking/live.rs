//! A pool that is followed on a thread of its own.

use core::fmt;
use core::time::Duration;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use xenapi_client::{CallOptions, Client as Machine, Error, Freshness, Snapshot};
use xenapi_core::{Call, Wire};

use super::FAREWELL;
use crate::live::{Delta, News};
use crate::target::Target;
use crate::transport::Transport;

/// [`crate::Live`] without async: it follows the pool on a thread of its own. Not to be used inside a tokio runtime. Dropped, it logs out,
/// and waits up to two seconds for that.
pub struct Live {
    /// There until it is dropped.
    live: Option<crate::Live>,
    thread: Arc<Thread>,
}

/// A thread with a runtime.
struct Thread {
    runtime: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Thread {
    fn start() -> io::Result<Self> {
        let runtime = super::runtime()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("xenapi-live".into()).spawn(move || {
            // The sender says it, or is gone: both mean the end.
            let _ = runtime.block_on(stopped);
        })?;
        Ok(Thread { runtime: handle, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It has nothing to say.
            let _ = thread.join();
        }
    }
}

impl Live {
    /// Begins to follow the pool behind `transport`. `machine` says who logs in and what its cache tracks.
    ///
    /// # Errors
    /// When the system gives no thread, or does not let this process watch sockets.
    pub fn start(transport: Transport, machine: Machine) -> io::Result<Self> {
        let thread = Thread::start()?;
        let live = {
            let _inside = thread.runtime.enter();
            crate::Live::start(transport.apart(), machine)
        };
        Ok(Live { live: Some(live), thread: Arc::new(thread) })
    }

    fn live(&self) -> &crate::Live {
        self.live.as_ref().expect("it is taken out by the drop alone")
    }

    /// The server: the one that was named, or the master of its pool.
    pub fn target(&self) -> Target {
        self.live().target()
    }

    /// Looks at the cache, the status and all else that the machine knows. Nothing goes on meanwhile, so be quick.
    pub fn with<R>(&self, look: impl FnOnce(&Machine) -> R) -> R {
        self.live().with(look)
    }

    /// How current the cache is.
    pub fn freshness(&self) -> Freshness {
        self.live().freshness()
    }

    /// The latest news.
    pub fn news(&self) -> News {
        self.live().news().borrow().clone()
    }

    /// Every change of the cache from now on, in order.
    pub fn changes(&self) -> Changes {
        Changes { changes: self.live().changes(), thread: self.thread.clone() }
    }

    /// [`crate::Live::loaded`].
    ///
    /// # Errors
    /// When the server refuses, and when it cannot be reached.
    pub fn loaded(&self) -> Result<(), Error> {
        self.thread.runtime.block_on(self.live().loaded())
    }

    /// [`crate::Live::call`].
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub fn call<R: Send + 'static>(&self, call: Call<R>) -> Result<R, Error> {
        self.thread.runtime.block_on(self.live().call(call))
    }

    /// [`crate::Live::call_with`].
    ///
    /// # Errors
    /// When the server refuses or does not answer, or the time is over.
    pub fn call_with<R: Send + 'static>(&self, call: Call<R>, options: CallOptions) -> Result<R, Error> {
        self.thread.runtime.block_on(self.live().call_with(call, options))
    }

    /// [`crate::Live::barrier`].
    ///
    /// # Errors
    /// When the pool is followed no more, and when the server refuses or does not answer.
    pub fn barrier(&self) -> Result<(), Error> {
        self.thread.runtime.block_on(self.live().barrier())
    }

    /// What is known of the pool now, to be held for as long as one likes.
    pub fn snapshot(&self) -> Snapshot {
        self.live().snapshot()
    }

    /// [`crate::Live::watch_only`].
    pub fn watch_only(&self, classes: Vec<String>) {
        self.live().watch_only(classes);
    }

    /// [`crate::Live::hurry`].
    pub fn hurry(&self) {
        self.live().hurry();
    }

    /// [`crate::Live::call_each`].
    pub fn call_each<R: Send + 'static>(
        &self,
        calls: impl IntoIterator<Item = Call<R>>,
        at_once: usize,
    ) -> Vec<Result<R, Error>> {
        self.thread.runtime.block_on(self.live().call_each(calls, at_once))
    }

    /// [`crate::Live::run_each`].
    pub fn run_each<R: Wire + Send + 'static>(
        &self,
        calls: impl IntoIterator<Item = Call<R>>,
        at_once: usize,
    ) -> Vec<Result<R, Error>> {
        self.thread.runtime.block_on(self.live().run_each(calls, at_once))
    }

    /// [`crate::Live::start_task`].
    pub fn start_task<R: Wire + Send + 'static>(&self, call: Call<R>) -> LiveTask<R> {
        LiveTask { task: self.live().start_task(call), thread: self.thread.clone() }
    }

    /// [`crate::Live::run_task`].
    ///
    /// # Errors
    /// When the server refuses, the task fails, or the call has no `Async.` form.
    pub fn run_task<R: Wire + Send + 'static>(&self, call: Call<R>, on_progress: impl FnMut(f64)) -> Result<R, Error> {
        self.thread.runtime.block_on(self.live().run_task(call, on_progress))
    }

    /// Ends the session and stops, as dropping it does.
    pub fn logout(self) {}
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(live) = self.live.take() {
            // A server that does not answer ends the session by itself after a while.
            let _ = self.thread.runtime.block_on(async { tokio::time::timeout(FAREWELL, live.logout()).await });
        }
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.live().fmt(f)
    }
}

/// [`crate::Changes`] without async: an iterator that waits, and ends with its [`Live`].
pub struct Changes {
    changes: crate::Changes,
    thread: Arc<Thread>,
}

impl Changes {
    /// The next change within that time; `None` when there is none.
    pub fn next_within(&mut self, limit: Duration) -> Option<Delta> {
        let next = async { tokio::time::timeout(limit, self.changes.next()).await };
        self.thread.runtime.block_on(next).ok().flatten()
    }
}

impl Iterator for Changes {
    type Item = Delta;

    fn next(&mut self) -> Option<Delta> {
        self.thread.runtime.block_on(self.changes.next())
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.changes.fmt(f)
    }
}

/// [`crate::LiveTask`] without async.
pub struct LiveTask<R> {
    task: crate::LiveTask<R>,
    thread: Arc<Thread>,
}

impl<R: 'static> LiveTask<R> {
    /// Waits until the task is further, from 0 to 1; `None` at its end.
    pub fn progress(&mut self) -> Option<f64> {
        self.thread.runtime.block_on(self.task.progress())
    }

    /// Asks the task to stop.
    pub fn cancel(&self) {
        self.task.cancel();
    }

    /// [`crate::LiveTask::finish`].
    ///
    /// # Errors
    /// When the server refuses, the task fails or was cancelled, or the call has no `Async.` form.
    pub fn finish(self) -> Result<R, Error> {
        self.thread.runtime.block_on(self.task.finish())
    }

    /// [`crate::LiveTask::finish_within`].
    ///
    /// # Errors
    /// As [`LiveTask::finish`].
    pub fn finish_within(self, limit: Duration) -> Result<R, Error> {
        self.thread.runtime.block_on(self.task.finish_within(limit))
    }
}

impl<R> fmt::Debug for LiveTask<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.task.fmt(f)
    }
}
