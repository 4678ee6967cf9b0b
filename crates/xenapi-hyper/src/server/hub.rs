//! The backend with those who wait for its answers.

use core::fmt;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot, watch};
use tokio::time::Instant;
use xenapi_core::{Millis, RawCall};
use xenapi_sim::faults::{Effects, Meeting};
use xenapi_sim::handlers::Request;

use super::{Answer, Backend, Handled, Place};

/// The backend with those who wait for its answers, shared by all connections.
pub(super) struct Hub<B: Backend> {
    state: Mutex<State<B>>,
    /// Something happened that may make pending calls due or change the deadline.
    changed: Notify,
    stopping: watch::Sender<bool>,
    /// Grows when hosts go or come, or connections are cut.
    cuts: watch::Sender<u64>,
    start: Instant,
}

struct State<B: Backend> {
    backend: B,
    waiting: HashMap<B::Pending, oneshot::Sender<Answer>>,
    /// When the driver wakes by itself.
    planned: Option<Millis>,
}

impl<B: Backend> fmt::Debug for Hub<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hub({} waiting)", self.lock().waiting.len())
    }
}

/// A call whose answer comes later. Takes the call back when its caller hangs up.
pub(super) struct Waiting<'a, B: Backend> {
    hub: &'a Hub<B>,
    pending: B::Pending,
    answered: oneshot::Receiver<Answer>,
}

/// How the wait for an answer ended.
pub(super) enum Answered {
    With(Answer),
    /// There will be none: the connection breaks.
    Never,
    /// The server stops.
    Stopping,
}

impl<B: Backend> Waiting<'_, B> {
    /// Waits for the answer.
    pub(super) async fn answer(mut self) -> Answered {
        tokio::select! {
            answer = &mut self.answered => answer.map_or(Answered::Never, Answered::With),
            () = self.hub.stopped() => Answered::Stopping,
        }
    }
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
        let state = State { backend, waiting: HashMap::new(), planned: None };
        Hub {
            state: Mutex::new(state),
            changed: Notify::new(),
            stopping: watch::Sender::new(false),
            cuts: watch::Sender::new(0),
            start: Instant::now(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<B>> {
        // A backend that panicked in one call still answers the others.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Millis {
        Millis(u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// When a time of the backend is; one too far away to be told apart from never is never.
    pub(super) fn instant(&self, time: Millis) -> Option<Instant> {
        self.start.checked_add(Duration::from_millis(time.0))
    }

    pub(super) fn with<R>(&self, work: impl FnOnce(&mut B, Millis) -> R) -> R {
        let now = self.now();
        let mut state = self.lock();
        let result = work(&mut state.backend, now);
        self.nudge(&state);
        result
    }

    /// For what changes nothing.
    pub(super) fn with_quietly<R>(&self, work: impl FnOnce(&B) -> R) -> R {
        work(&self.lock().backend)
    }

    /// Wakes the driver, if there is something for it to do before it wakes by itself.
    fn nudge(&self, state: &State<B>) {
        let due = state.backend.next_deadline();
        let earlier = due.is_some_and(|due| state.planned.is_none_or(|planned| due < planned));
        if earlier || state.backend.changes() != *self.cuts.borrow() {
            self.changed.notify_one();
        }
    }

    /// What happens to a request.
    pub(super) fn meet(&self, meeting: &Meeting<'_>) -> Effects {
        self.with(|backend, now| backend.meet(meeting, now))
    }

    /// Begins a call: its answer, or the promise of one.
    pub(super) fn begin(&self, call: RawCall, place: &Place, request: &Request) -> Result<Answer, Waiting<'_, B>> {
        let now = self.now();
        let mut state = self.lock();
        let handled = state.backend.handle(call, place, request, now);
        self.nudge(&state);
        match handled {
            Handled::Done(answer) => Ok(answer),
            Handled::Pending(pending) => {
                let (sender, answered) = oneshot::channel();
                state.waiting.insert(pending, sender);
                Err(Waiting { hub: self, pending, answered })
            }
        }
    }

    pub(super) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
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

    /// Told when hosts go or come, or connections are cut.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.cuts.subscribe()
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
        for pending in state.backend.take_hung_up() {
            // Whoever waits learns by the loss of the sender.
            state.waiting.remove(&pending);
        }
        let cuts = state.backend.changes();
        self.cuts.send_if_modified(|known| core::mem::replace(known, cuts) != cuts);
        state.planned = state.backend.next_deadline();
        self.instant(state.planned?)
    }
}

/// Polls the backend whenever something is due, until the server stops.
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
