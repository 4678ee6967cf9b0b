//! The backend with those who wait for its answers.

use core::fmt;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot, watch};
use tokio::time::Instant;
use xenapi_core::{Millis, RawCall};

use super::{Answer, Backend, Handled, Origin};

/// The backend with those who wait for its answers, shared by all connections.
pub(super) struct Hub<B: Backend> {
    state: Mutex<State<B>>,
    /// Something happened that may make pending calls due or change the deadline.
    changed: Notify,
    stopping: watch::Sender<bool>,
    start: Instant,
}

struct State<B: Backend> {
    backend: B,
    waiting: HashMap<B::Pending, oneshot::Sender<Answer>>,
}

impl<B: Backend> fmt::Debug for Hub<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hub({} waiting)", self.lock().waiting.len())
    }
}

/// Takes the call back when its caller hangs up.
struct Waiting<'a, B: Backend> {
    hub: &'a Hub<B>,
    pending: B::Pending,
}

impl<B: Backend> Drop for Waiting<'_, B> {
    fn drop(&mut self) {
        let mut state = self.hub.lock();
        // Gone already when it was answered.
        if state.waiting.remove(&self.pending).is_some() {
            state.backend.abandon(self.pending);
        }
    }
}

impl<B: Backend> Hub<B> {
    pub(super) fn new(backend: B) -> Self {
        let state = State { backend, waiting: HashMap::new() };
        Hub { state: Mutex::new(state), changed: Notify::new(), stopping: watch::Sender::new(false), start: Instant::now() }
    }

    fn lock(&self) -> MutexGuard<'_, State<B>> {
        // A backend that panicked in one call still answers the others.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Millis {
        Millis(u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn with<R>(&self, work: impl FnOnce(&mut B, Millis) -> R) -> R {
        let now = self.now();
        let result = work(&mut self.lock().backend, now);
        self.changed.notify_one();
        result
    }

    /// The answer to a call, or `None` when the server stops before there is one.
    pub(super) async fn answer(&self, call: RawCall, origin: Origin) -> Option<Answer> {
        let (pending, answered) = {
            let mut state = self.lock();
            let handled = state.backend.handle(call, origin, self.now());
            self.changed.notify_one();
            match handled {
                Handled::Done(answer) => return Some(answer),
                Handled::Pending(pending) => {
                    let (sender, answered) = oneshot::channel();
                    state.waiting.insert(pending, sender);
                    (pending, answered)
                }
            }
        };
        let _waiting = Waiting { hub: self, pending };
        tokio::select! {
            answer = answered => answer.ok(),
            () = self.stopped() => None,
        }
    }

    /// Tells everybody to come to an end.
    pub(super) fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Returns when the server stops.
    pub(super) async fn stopped(&self) {
        // The sender lives as long as `self`, so this waits for nothing but the word.
        let _ = self.stopping.subscribe().wait_for(|stopping| *stopping).await;
    }

    /// Hands out the answers that are due; says when the next ones are.
    fn deliver(&self) -> Option<Instant> {
        let mut state = self.lock();
        let state = &mut *state;
        for (pending, answer) in state.backend.poll(self.now()) {
            if let Some(waiting) = state.waiting.remove(&pending) {
                // Who hung up at this very moment misses nothing.
                let _ = waiting.send(answer);
            }
        }
        let deadline = state.backend.next_deadline()?;
        // A deadline too far away to be told apart from none is none.
        self.start.checked_add(Duration::from_millis(deadline.0))
    }
}

/// Polls the backend whenever something happened or its deadline comes, until the server stops.
pub(super) async fn drive<B: Backend>(hub: Arc<Hub<B>>) {
    loop {
        let deadline = hub.deliver();
        let due = async {
            match deadline {
                // A whole millisecond later at least, so that a deadline that is not met by its poll does not spin.
                Some(deadline) => tokio::time::sleep_until(deadline.max(Instant::now() + Duration::from_millis(1))).await,
                None => core::future::pending().await,
            }
        };
        tokio::select! {
            () = hub.changed.notified() => {}
            () = due => {}
            () = hub.stopped() => return,
        }
    }
}
