//! A pool that is followed in the background.

use core::fmt;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;
use xenapi_client::{Client as Machine, Error, Freshness, Output, Reply, RequestId, Status, TicketId};
use xenapi_codec::{Limits, xmlrpc};
use xenapi_core::{Call, Failure, Millis, ReadError, Wire};

use crate::client::{is_repeatable, read_task_result};
use crate::error::TransportError;
use crate::target::Target;
use crate::transport::{Request, Transport};

/// What a [`Live`] tells whoever waits for news.
#[derive(Clone, PartialEq, Debug)]
pub struct News {
    /// How the conversation stands.
    pub status: Status,
    /// Grows with every change of the cache.
    pub revision: u64,
}

/// A pool that is followed in the background: it logs in, loads the pool into a cache, keeps it current by events, logs in again when
/// the session dies, and waits with growing pauses for a server that is away. Calls go over the same session.
///
/// Ends with [`Live::logout`]; a `Live` that is dropped stops, and leaves its session to the server's timeout. A server that is
/// not the master of its pool is not left for its master, which may have another certificate: its status says where the master is.
pub struct Live {
    shared: Arc<Shared>,
    driver: JoinHandle<()>,
}

struct Shared {
    transport: Transport,
    limits: Limits,
    state: Mutex<State>,
    wake: Notify,
    news: watch::Sender<News>,
    start: Instant,
}

struct State {
    machine: Machine,
    waiting: HashMap<TicketId, Waiter>,
}

/// Who waits for a call.
struct Waiter {
    done: oneshot::Sender<()>,
    progress: mpsc::UnboundedSender<f64>,
}

/// A call that somebody waits for; forgotten when nobody does any more.
struct Waiting<'a> {
    shared: &'a Shared,
    id: TicketId,
    done: oneshot::Receiver<()>,
    progress: mpsc::UnboundedReceiver<f64>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.waiting.remove(&self.id);
        state.machine.forget(self.id);
    }
}

impl Live {
    /// Begins to follow the pool behind `transport`. `machine` says who logs in and what its cache tracks. Needs a tokio runtime.
    pub fn start(transport: Transport, mut machine: Machine) -> Self {
        let start = Instant::now();
        machine.login(Millis(0));
        machine.watch(Millis(0));
        let news = News { status: machine.status().clone(), revision: machine.cache().total_revision() };
        let shared = Arc::new(Shared {
            transport,
            limits: Limits::reply(),
            state: Mutex::new(State { machine, waiting: HashMap::new() }),
            wake: Notify::new(),
            news: watch::Sender::new(news),
            start,
        });
        let driver = tokio::spawn(drive(shared.clone()));
        Live { shared, driver }
    }

    /// The server.
    pub fn target(&self) -> &Target {
        self.shared.transport.target()
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
    pub fn news(&self) -> watch::Receiver<News> {
        self.shared.news.subscribe()
    }

    /// Waits until the pool is loaded and followed.
    ///
    /// # Errors
    /// When the server refuses, and when it cannot be reached. In the second case it is tried again and again in the background, and
    /// this may be called again.
    pub async fn loaded(&self) -> Result<(), Error> {
        let settled = |news: &News| matches!(news.status, Status::Live | Status::Waiting { .. } | Status::Refused(_));
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
        let (ticket, mut waiting) = {
            let mut state = self.shared.lock();
            let ticket = state.machine.submit(call, self.shared.now());
            let waiting = self.wait_for(&mut state, ticket.id());
            (ticket, waiting)
        };
        self.shared.wake.notify_one();
        // An error means that the driver is gone: then there is no result to take, either.
        let _ = (&mut waiting.done).await;
        self.shared.lock().machine.take(&ticket).unwrap_or(Err(Error::LoggedOut))
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
        let (ticket, mut waiting) = {
            let mut state = self.shared.lock();
            let ticket = state.machine.submit_task(call, read_text::<R>, self.shared.now());
            let waiting = self.wait_for(&mut state, ticket.id());
            (ticket, waiting)
        };
        self.shared.wake.notify_one();
        loop {
            tokio::select! {
                biased;
                Some(progress) = waiting.progress.recv() => on_progress(progress),
                _ = &mut waiting.done => break,
            }
        }
        self.shared.lock().machine.take(&ticket).unwrap_or(Err(Error::LoggedOut))
    }

    /// Ends the session and stops. Waits for the server's answer to that, or until it is clear that there is none.
    pub async fn logout(self) {
        self.shared.lock().machine.logout(self.shared.now());
        self.shared.wake.notify_one();
        let ended = |news: &News| matches!(news.status, Status::LoggedOut | Status::Refused(_));
        // The sender lives in `self`.
        let _ = self.news().wait_for(ended).await;
    }

    fn wait_for(&self, state: &mut State, id: TicketId) -> Waiting<'_> {
        let (sender, done) = oneshot::channel();
        let (to_progress, progress) = mpsc::unbounded_channel();
        state.waiting.insert(id, Waiter { done: sender, progress: to_progress });
        Waiting { shared: &self.shared, id, done, progress }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Live({}, {:?})", self.target(), self.shared.lock().machine)
    }
}

fn read_text<R: Wire>(text: &str) -> Result<R, ReadError> {
    read_task_result(text, R::read)
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Millis {
        Millis(u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Does what the machine wants, and says what to send and when to come back.
    fn advance(&self) -> (Vec<xenapi_client::Request>, Option<Instant>) {
        let mut state = self.lock();
        let state = &mut *state;
        let mut requests = Vec::new();
        loop {
            match state.machine.poll(self.now()) {
                Output::Transmit(request) => requests.push(request),
                Output::Done(id) => {
                    if let Some(waiter) = state.waiting.remove(&id) {
                        // Who gave up meanwhile needs no word.
                        let _ = waiter.done.send(());
                    }
                }
                Output::Progress(id, progress) => {
                    if let Some(waiter) = state.waiting.get(&id) {
                        let _ = waiter.progress.send(progress);
                    }
                }
                Output::Changed(_) | Output::Status(_) | Output::Redirect(_) => self.tell(&state.machine),
                Output::Wait(until) => {
                    let at = until.and_then(|until| self.start.checked_add(Duration::from_millis(until.0)));
                    return (requests, at);
                }
            }
        }
    }

    fn tell(&self, machine: &Machine) {
        let news = News { status: machine.status().clone(), revision: machine.cache().total_revision() };
        self.news.send_if_modified(|old| {
            let changed = *old != news;
            *old = news;
            changed
        });
    }

    fn answered(&self, id: RequestId, reply: Result<Bytes, TransportError>) {
        let mut state = self.lock();
        let machine = &mut state.machine;
        let bytes = match reply {
            Ok(bytes) => bytes,
            Err(error) => return machine.handle(id, Reply::Unreachable(error.to_string()), self.now()),
        };
        match xmlrpc::read_reply(&bytes, &self.limits) {
            Ok(xmlrpc::Outcome::Success(mut reader)) => machine.handle(id, Reply::Success(&mut reader), self.now()),
            Ok(xmlrpc::Outcome::Failure(failure)) => machine.handle(id, Reply::Failure(failure), self.now()),
            Ok(xmlrpc::Outcome::Fault { code, text }) => {
                machine.handle(id, Reply::Failure(Failure::new("Fault", [text, code.to_string()])), self.now());
            }
            Ok(_) => {
                machine.handle(id, Reply::Broken(ReadError::syntax("a result or a failure", "another reply")), self.now())
            }
            Err(error) => machine.handle(id, Reply::Broken(error), self.now()),
        }
    }
}

/// Sends what the machine wants sent, and hands it the answers.
async fn drive(shared: Arc<Shared>) {
    let mut replies = JoinSet::new();
    loop {
        let (requests, until) = shared.advance();
        for request in requests {
            let transport = shared.transport.clone();
            replies.spawn(async move { (request.id, send(&transport, request).await) });
        }
        let due = async {
            match until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => core::future::pending().await,
            }
        };
        tokio::select! {
            // A request that panicked is given up by the machine when its time is over.
            Some(Ok((id, reply))) = replies.join_next() => shared.answered(id, reply),
            () = shared.wake.notified() => {}
            () = due => {}
        }
    }
}

async fn send(transport: &Transport, request: xenapi_client::Request) -> Result<Bytes, TransportError> {
    let document = xmlrpc::write_call(&request.call);
    let timeout = Duration::from_millis(request.timeout.0);
    transport.rpc(Request { repeatable: is_repeatable(&request.call), ..Request::rpc(document, timeout) }).await
}
