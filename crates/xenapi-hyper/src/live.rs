//! A pool that is followed in the background.

mod drive;
mod watch;

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_core::Stream;
use tokio::sync::{Notify, mpsc, oneshot, watch as latest};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use xenapi_client::{CallOptions, Carrier, Client as Machine, Error, Freshness, Snapshot, Status, Ticket, TicketId};
use xenapi_codec::Limits;
use xenapi_core::{Call, Millis, RawRef, ReadError, Wire};

use crate::client::{each, read_task_result};
use crate::target::Target;
use crate::transport::Transport;

use watch::Subscriber;
pub use watch::{Changes, Delta};

/// What a [`Live`] tells whoever waits for news.
#[derive(Clone, PartialEq, Debug)]
pub struct News {
    /// How the conversation stands.
    pub status: Status,
    /// Grows with every change of the cache.
    pub revision: u64,
}

/// A [`Carrier`] that works on several threads: [`Transport`], or one of your own.
pub trait Network:
    Carrier<Document: Send, Error: core::error::Error + Send + Sync + 'static, Delivery: Send + 'static> + Send + Sync + 'static
{
}

impl<C> Network for C where
    C: Carrier<Document: Send, Error: core::error::Error + Send + Sync + 'static, Delivery: Send + 'static>
        + Send
        + Sync
        + 'static
{
}

/// A pool that is followed in the background: it logs in, loads the pool into a cache, keeps it current by events, logs in again when
/// the session dies, and waits with growing pauses for a server that is away. Calls go over the same session.
///
/// When the server is a member of its pool, or becomes one, the conversation goes on with the master: with the same trust, and where hosts
/// are known by their certificates alone, with the certificate for which a trusted host has vouched. Another one ends in an error with both
/// fingerprints.
///
/// Ends with [`Live::logout`]. One that is dropped logs out in the background, as far as the runtime gives it time; a session that was brought
/// from elsewhere ([`Config::session`](xenapi_client::Config)) stays then.
pub struct Live<C: Network = Transport> {
    shared: Arc<Shared<C>>,
    _driver: JoinHandle<()>,
}

pub(crate) struct Shared<C> {
    limits: Limits,
    state: Mutex<State<C>>,
    wake: Notify,
    news: latest::Sender<News>,
    start: Instant,
}

struct State<C> {
    machine: Machine,
    waiting: HashMap<TicketId, Waiter>,
    subscribers: Vec<Subscriber>,
    route: drive::Route<C>,
    /// Nobody needs it any more: it logs out and ends.
    ending: bool,
    /// It ends at once.
    over: bool,
    /// A session from elsewhere, which stays.
    borrowed: Option<RawRef>,
}

/// Who waits for a call.
struct Waiter {
    done: oneshot::Sender<()>,
    progress: mpsc::UnboundedSender<f64>,
}

/// A call that somebody waits for; forgotten when nobody does any more.
struct Waiting<C> {
    shared: Arc<Shared<C>>,
    id: TicketId,
    done: oneshot::Receiver<()>,
    progress: mpsc::UnboundedReceiver<f64>,
}

impl<C> Drop for Waiting<C> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.waiting.remove(&self.id);
        state.machine.forget(self.id);
    }
}

impl<C: Network> Live<C> {
    /// Begins to follow the pool behind `network`. `machine` says who logs in and what its cache tracks. Needs a tokio runtime.
    pub fn start(network: C, mut machine: Machine) -> Self {
        let start = Instant::now();
        let borrowed = machine.config().session.clone();
        machine.heed_addresses();
        machine.login(Millis(0));
        machine.watch(Millis(0));
        let news = News { status: machine.status().clone(), revision: machine.cache().total_revision() };
        let state = State {
            machine,
            waiting: HashMap::new(),
            subscribers: Vec::new(),
            route: drive::Route::new(network),
            ending: false,
            over: false,
            borrowed,
        };
        let shared = Arc::new(Shared {
            limits: Limits::reply(),
            state: Mutex::new(state),
            wake: Notify::new(),
            news: latest::Sender::new(news),
            start,
        });
        let driver = tokio::spawn(drive::drive(shared.clone()));
        Live { shared, _driver: driver }
    }

    /// The connections in use: to the server that was named, or to the master of its pool.
    ///
    /// # Errors
    /// When the master cannot be reached like the server that was named.
    pub fn network(&self) -> Result<C, C::Error> {
        let mut state = self.shared.lock();
        let State { machine, route, .. } = &mut *state;
        route.to(machine.address())
    }

    /// What is known of the pool now, to be held for as long as one likes.
    pub fn snapshot(&self) -> Snapshot {
        self.shared.lock().machine.cache().snapshot()
    }

    /// Waits until the cache has everything that had happened at the server by now: what was written is read then.
    ///
    /// # Errors
    /// When the pool is followed no more, and when the server refuses or does not answer.
    pub async fn barrier(&self) -> Result<(), Error> {
        let shared = &self.shared;
        let (ticket, waiting) = {
            let mut state = shared.lock();
            let ticket = state.machine.barrier(shared.now());
            let waiting = shared.clone().wait_for(&mut state, ticket.id());
            (ticket, waiting)
        };
        shared.wake.notify_one();
        shared.result(ticket, waiting).await
    }

    /// Follows other classes or objects from now on: classes by name, `*`, or objects as `VM/OpaqueRef:…`.
    pub fn watch_only(&self, classes: Vec<String>) {
        self.shared.lock().machine.watch_only(classes);
        self.shared.wake.notify_one();
    }

    /// Makes the next attempt at a server that is away now instead of when it is due.
    pub fn hurry(&self) {
        self.shared.lock().machine.hurry(self.shared.now());
        self.shared.wake.notify_one();
    }

    /// Looks at the cache, the status and all else that the machine knows. Nothing goes on meanwhile, so be quick.
    pub fn with<R>(&self, look: impl FnOnce(&Machine) -> R) -> R {
        look(&self.shared.lock().machine)
    }

    /// How current the cache is.
    pub fn freshness(&self) -> Freshness {
        self.shared.lock().machine.freshness(self.shared.now())
    }

    /// Tells of every change of the status and the cache; only the latest counts, for those who are slow.
    pub fn news(&self) -> latest::Receiver<News> {
        self.shared.news.subscribe()
    }

    /// Every change of the cache from now on, in order.
    pub fn changes(&self) -> Changes {
        let (subscriber, changes) = watch::channel();
        self.shared.lock().subscribers.push(subscriber);
        changes
    }

    /// Waits until the pool is loaded and followed.
    ///
    /// # Errors
    /// When the server refuses, and when it cannot be reached. In the second case it is tried again and again in the background, and
    /// this may be called again.
    pub async fn loaded(&self) -> Result<(), Error> {
        // On the way to the master there is nothing to wait for yet.
        let moving = |why: &Error| why.failure().is_some_and(|failure| failure.code == "HOST_IS_SLAVE");
        let settled = |news: &News| match &news.status {
            Status::Waiting { why, .. } => !moving(why),
            Status::Live | Status::Refused(_) => true,
            _ => false,
        };
        let status = match self.news().wait_for(settled).await {
            Ok(news) => news.status.clone(),
            // The sender lives in `self`.
            Err(_) => return Err(Error::LoggedOut),
        };
        match status {
            Status::Waiting { why, .. } => Err(why),
            Status::Refused(failure) => Err(failure.into()),
            _ => Ok(()),
        }
    }

    /// Makes a call and reads its result. One that changes nothing is repeated when there is no answer.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn call<R: Send + 'static>(&self, call: Call<R>) -> Result<R, Error> {
        self.shared.clone().call(call).await
    }

    /// As [`Live::call`], with a limit of time, or with leave to send a change again.
    ///
    /// # Errors
    /// When the server refuses or does not answer, or the time is over.
    pub async fn call_with<R: Send + 'static>(&self, call: Call<R>, options: CallOptions) -> Result<R, Error> {
        self.shared.clone().call_with(call, options).await
    }

    /// Makes many calls, at most `at_once` at the same time, and answers their results in the order of the calls. One that fails does not
    /// keep the others from being made.
    pub async fn call_each<R: Send + 'static>(
        &self,
        calls: impl IntoIterator<Item = Call<R>>,
        at_once: usize,
    ) -> Vec<Result<R, Error>> {
        each(calls, at_once, |call| self.shared.clone().call(call)).await
    }

    /// Starts a call as a task, to be watched, cancelled or waited for. Needs the call's `Async.` form; without one, the handle's result
    /// says so.
    pub fn start_task<R>(&self, call: Call<R>) -> LiveTask<R, C>
    where
        R: Wire + Send + 'static,
    {
        self.shared.clone().start_task(call)
    }

    /// Runs many calls as tasks, at most `at_once` at the same time, and answers their results in the order of the calls. One that fails does
    /// not keep the others from being run.
    pub async fn run_each<R>(&self, calls: impl IntoIterator<Item = Call<R>>, at_once: usize) -> Vec<Result<R, Error>>
    where
        R: Wire + Send + 'static,
    {
        each(calls, at_once, |call| self.shared.clone().start_task(call).finish()).await
    }

    /// Starts a call as a task, waits for it and reads its result. `on_progress` hears from 0 to 1 how far it is. Who drops the future
    /// leaves the task running.
    ///
    /// # Errors
    /// When the server refuses, the task fails, or the call has no `Async.` form.
    pub async fn run_task<R>(&self, call: Call<R>, mut on_progress: impl FnMut(f64)) -> Result<R, Error>
    where
        R: Wire + Send + 'static,
    {
        let mut task = self.start_task(call);
        while let Some(progress) = task.progress().await {
            on_progress(progress);
        }
        task.finish().await
    }

    /// Ends the session and stops. Waits for the server's answer to that, or until it is clear that there is none.
    pub async fn logout(self) {
        self.shared.end();
        let ended = |news: &News| matches!(news.status, Status::LoggedOut | Status::Refused(_));
        // The sender lives in `self`.
        let _ = self.news().wait_for(ended).await;
    }
}

impl Live<Transport> {
    /// The server: the one that was named, or the master of its pool.
    pub fn target(&self) -> Target {
        match self.network() {
            Ok(transport) => transport.target().clone(),
            Err(error) => error.target().clone(),
        }
    }
}

impl<C: Network> Drop for Live<C> {
    fn drop(&mut self) {
        {
            let mut state = self.shared.lock();
            let borrowed = state.borrowed.is_some() && state.borrowed.as_ref() == state.machine.session();
            if borrowed && !state.ending {
                state.over = true;
                return self.shared.wake.notify_one();
            }
        }
        self.shared.end();
    }
}

impl<C: Network> fmt::Debug for Live<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Live({:?})", self.shared.lock().machine)
    }
}

/// A task that was started. Its progress is a [`Stream`] of numbers from 0 to 1 that ends with the task. Dropped before its end, the task
/// goes on at the server.
pub struct LiveTask<R, C: Network = Transport> {
    ticket: Ticket<R>,
    waiting: Waiting<C>,
}

impl<R: 'static, C: Network> LiveTask<R, C> {
    /// Waits until the task is further; `None` at its end. May be given up and called again.
    pub async fn progress(&mut self) -> Option<f64> {
        core::future::poll_fn(|context| self.poll_progress(context)).await
    }

    fn poll_progress(&mut self, context: &mut Context<'_>) -> Poll<Option<f64>> {
        // The sender goes with the end of the task, after the last word.
        self.waiting.progress.poll_recv(context)
    }

    /// Asks the task to stop. [`LiveTask::finish`] tells whether it did.
    pub fn cancel(&self) {
        let shared = &self.waiting.shared;
        shared.lock().machine.cancel(self.ticket.id(), shared.now());
        shared.wake.notify_one();
    }

    /// Waits for the end and reads the result. The task is destroyed.
    ///
    /// # Errors
    /// When the server refuses, the task fails or was cancelled, or the call has no `Async.` form.
    pub async fn finish(mut self) -> Result<R, Error> {
        // An error means that the driver is gone: then there is no result to take, either.
        let _ = (&mut self.waiting.done).await;
        self.waiting.shared.lock().machine.take(&self.ticket).unwrap_or(Err(Error::LoggedOut))
    }

    /// As [`LiveTask::finish`], but asks the task to stop when it takes longer, and then waits for that.
    ///
    /// # Errors
    /// As [`LiveTask::finish`].
    pub async fn finish_within(mut self, limit: Duration) -> Result<R, Error> {
        if timeout_at(Instant::now() + limit, &mut self.waiting.done).await.is_err() {
            self.cancel();
            return self.finish().await;
        }
        self.waiting.shared.lock().machine.take(&self.ticket).unwrap_or(Err(Error::LoggedOut))
    }
}

impl<R: 'static, C: Network> Stream for LiveTask<R, C> {
    type Item = f64;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<f64>> {
        self.get_mut().poll_progress(context)
    }
}

impl<R, C: Network> Unpin for LiveTask<R, C> {}

impl<R, C: Network> fmt::Debug for LiveTask<R, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LiveTask({:?})", self.ticket)
    }
}

fn read_text<R: Wire>(text: &str) -> Result<R, ReadError> {
    read_task_result(text, R::read)
}

impl<C: Network> Shared<C> {
    fn start_task<R: Wire + Send + 'static>(self: Arc<Self>, call: Call<R>) -> LiveTask<R, C> {
        let (ticket, waiting) = {
            let mut state = self.lock();
            let ticket = state.machine.submit_task(call, read_text::<R>, self.now());
            let waiting = self.clone().wait_for(&mut state, ticket.id());
            (ticket, waiting)
        };
        self.wake.notify_one();
        LiveTask { ticket, waiting }
    }
}

impl<C> Shared<C> {
    fn lock(&self) -> MutexGuard<'_, State<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Millis {
        Millis(u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Logs out and lets the driver end.
    fn end(&self) {
        let mut state = self.lock();
        if !core::mem::replace(&mut state.ending, true) {
            state.machine.logout(self.now());
            self.wake.notify_one();
        }
    }

    fn wait_for(self: Arc<Self>, state: &mut State<C>, id: TicketId) -> Waiting<C> {
        let (sender, done) = oneshot::channel();
        let (to_progress, progress) = mpsc::unbounded_channel();
        state.waiting.insert(id, Waiter { done: sender, progress: to_progress });
        Waiting { shared: self, id, done, progress }
    }

    pub(crate) async fn call<R: Send + 'static>(self: Arc<Self>, call: Call<R>) -> Result<R, Error> {
        self.call_with(call, CallOptions::default()).await
    }

    async fn call_with<R: Send + 'static>(self: Arc<Self>, call: Call<R>, options: CallOptions) -> Result<R, Error> {
        let (ticket, waiting) = {
            let mut state = self.lock();
            let ticket = state.machine.submit_with(call, options, self.now());
            let waiting = self.clone().wait_for(&mut state, ticket.id());
            (ticket, waiting)
        };
        self.wake.notify_one();
        self.result(ticket, waiting).await
    }

    async fn result<R: 'static>(&self, ticket: Ticket<R>, mut waiting: Waiting<C>) -> Result<R, Error> {
        // An error means that the driver is gone: then there is no result to take, either.
        let _ = (&mut waiting.done).await;
        self.lock().machine.take(&ticket).unwrap_or(Err(Error::LoggedOut))
    }

    fn tell(&self, machine: &Machine) {
        let news = News { status: machine.status().clone(), revision: machine.cache().total_revision() };
        self.news.send_if_modified(|old| {
            let changed = *old != news;
            *old = news;
            changed
        });
    }
}
