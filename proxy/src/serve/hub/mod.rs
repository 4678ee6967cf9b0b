//! One upstream event stream for each pool, however many consoles look at it.
//!
//! The first console that asks makes the proxy follow the pool, with that console's session; when it ends, with another one's that takes
//! part. Every console goes on asking by `event.from`, and gets from here what it has not seen: at first everything, what the eye wants
//! first before the rest, then what changed. Records are [lean](lean). Whoever asks must have a session of his own that the pool
//! accepts; any role may read every object that is shared.
//!
//! An answer that nothing has happened is given only when the pool has shown it after the question: the age that a console shows is
//! that of the pool's word, not of the proxy's.

mod answer;
mod follow;
mod joiners;
mod lean;
mod store;
mod stream;
#[cfg(test)]
mod tests;

use alloc::sync::Arc;
use core::hash::{BuildHasher as _, Hasher as _};
use core::time::Duration;
use std::hash::RandomState;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use xenapi_core::Failure;

use super::errors::{Code, Refusal};
use super::upstream::Upstream;
pub(super) use answer::Ask;
use joiners::Joiners;
use lean::{LeanEvent, PLANS};
pub(super) use store::Pace;
use store::{Page, Store, Token};

/// From when on the pool's last word is too old to begin with.
const TOO_OLD: Duration = Duration::from_secs(3);

/// How long somebody waits for the pool's word beyond the time for which he wanted to wait.
const MARGIN: Duration = Duration::from_millis(1800);

/// How long somebody waits for the first load.
const LOADING: Duration = Duration::from_secs(60);

/// The shared stream of a pool.
pub(super) struct Hub {
    pool: String,
    upstream: Arc<dyn Upstream>,
    state: Mutex<State>,
    /// Changes with every word of the pool, and with every failure to get one.
    pulse: watch::Sender<u64>,
    /// Wakes the follower.
    nudge: Notify,
}

#[derive(Default)]
struct State {
    joiners: Joiners,
    /// What is known, once it was loaded.
    store: Option<Store>,
    is_followed: bool,
    /// When the pool has answered last.
    heard: Option<Instant>,
    /// How often it has.
    words: u64,
    /// Why it does not.
    trouble: Option<Trouble>,
    /// How often it has not.
    failures: u64,
    /// What the pool counts otherwise than it lists, by class.
    tolerated: Vec<(usize, i64)>,
}

/// Why there is no batch.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Trouble {
    /// The pool refuses.
    Failure(Failure),
    /// The pool cannot be asked.
    Refusal(Refusal),
}

/// When somebody began to wait: what had been said by then.
#[derive(Clone, Copy)]
struct Began {
    at: Instant,
    words: u64,
    failures: u64,
}

/// What came of looking whether there is a batch.
enum Look {
    Page(Page),
    Trouble(Trouble),
    Wait,
}

impl Hub {
    /// The stream of a pool, which is not followed yet.
    pub(super) fn new(pool: &str, upstream: Arc<dyn Upstream>) -> Self {
        Hub { pool: pool.into(), upstream, state: Mutex::default(), pulse: watch::Sender::new(0), nudge: Notify::new() }
    }

    /// The next batch for somebody with that session: at once if there is something to tell, otherwise after the time for which he
    /// wants to wait.
    ///
    /// # Errors
    /// The pool's refusal, or why it cannot be asked.
    pub(super) async fn batch(self: &Arc<Self>, session: &str, ask: &Ask) -> Result<Page, Trouble> {
        let lost = || Trouble::Failure(Failure::new(xenapi_model::errors::EVENTS_LOST, [""; 0]));
        let token: Token = ask.token.parse().map_err(|()| lost())?;
        self.admit(session).await?;
        let mut pulse = self.pulse.subscribe();
        let began = self.begin();
        loop {
            pulse.mark_unchanged();
            let patience = match self.look(&token, ask, began).ok_or_else(lost)? {
                Look::Page(page) => return Ok(page),
                Look::Trouble(trouble) => return Err(trouble),
                Look::Wait => began.at + if self.is_loaded() { ask.hold + MARGIN } else { LOADING },
            };
            let deadline = began.at + ask.hold;
            let now = Instant::now();
            if now >= patience {
                let what = format!("pool {}: it has not answered in time", self.pool);
                return Err(Trouble::Refusal(Refusal::new(Code::UpstreamTimeout, what)));
            }
            let until = if now < deadline { deadline.min(patience) } else { patience };
            // Either is a reason to look again.
            let _ = tokio::time::timeout_at(until, pulse.changed()).await;
        }
    }

    /// Notes where somebody begins to wait; if the pool was away, it is asked at once.
    fn begin(&self) -> Began {
        let state = self.lock();
        if state.trouble.is_some() {
            self.nudge.notify_one();
        }
        Began { at: Instant::now(), words: state.words, failures: state.failures }
    }

    /// Whether there is a batch. `None` when the reader has to begin anew.
    fn look(&self, token: &Token, ask: &Ask, began: Began) -> Option<Look> {
        let state = self.lock();
        let Some(store) = &state.store else {
            return Some(state.fresh_trouble(began).map_or(Look::Wait, Look::Trouble));
        };
        let is_recent = state.heard.is_some_and(|heard| heard + TOO_OLD >= began.at);
        let page = match token {
            Token::Start | Token::Within { .. } if !is_recent => None,
            token => store.page(token, &ask.wanted, ask.pace).map(Some)?,
        };
        Some(match page {
            Some(page) if !page.is_empty => Look::Page(page),
            page => match (state.fresh_trouble(began), page) {
                (Some(trouble), _) => Look::Trouble(trouble),
                (None, Some(page)) if Instant::now() >= began.at + ask.hold && state.words > began.words => Look::Page(page),
                _ => Look::Wait,
            },
        })
    }

    /// Lets a session take part, if the pool accepts it, and sees to it that the pool is followed.
    ///
    /// # Errors
    /// The pool's refusal, or why it cannot be asked.
    pub(super) async fn admit(self: &Arc<Self>, session: &str) -> Result<(), Trouble> {
        let is_good = self.lock().joiners.is_good(session, Instant::now());
        if !is_good {
            if let Err(trouble) = follow::check(self, session).await {
                self.leave(session);
                return Err(trouble);
            }
            self.lock().joiners.accept(session, Instant::now());
            self.nudge.notify_one();
        }
        self.start();
        Ok(())
    }

    /// Follows the pool, with a session that it has just given.
    pub(super) fn join(self: &Arc<Self>, session: &str) {
        self.lock().joiners.accept(session, Instant::now());
        self.nudge.notify_one();
        self.start();
    }

    /// A session is no longer good.
    pub(super) fn leave(&self, session: &str) {
        self.lock().joiners.remove(session);
    }

    fn start(self: &Arc<Self>) {
        let was_followed = core::mem::replace(&mut self.lock().is_followed, true);
        if !was_followed {
            tokio::spawn(follow::run(Arc::clone(self)));
        }
    }

    /// Ends, if nobody takes part: what is known goes.
    fn end(&self) -> bool {
        let mut state = self.lock();
        let nobody = state.joiners.pick(Instant::now()).is_none();
        if nobody {
            // Counters go on, for whoever asks at this moment.
            *state = State { words: state.words, failures: state.failures, ..State::default() };
        }
        nobody
    }

    /// Takes over what the pool said. Whether it has another number of objects than are known.
    fn take(&self, events: Vec<LeanEvent>, full: bool, counts: &[(usize, usize)]) -> bool {
        let mut state = self.lock();
        let store = state.store.get_or_insert_with(|| Store::new(RandomState::new().build_hasher().finish()));
        store.apply(events, full);
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        // Messages are not counted by pools.
        let counted = counts.iter().filter(|(class, _)| PLANS[*class].class.name != "message");
        let differences = counted.map(|(class, count)| (*class, number(*count) - number(store.live(*class))));
        let differences: Vec<(usize, i64)> = differences.filter(|(_, difference)| *difference != 0).collect();
        if full {
            state.tolerated.clone_from(&differences);
        }
        let drifted = differences.iter().any(|it| !state.tolerated.contains(it));
        state.heard = Some(Instant::now());
        state.words += 1;
        state.trouble = None;
        drop(state);
        self.pulse.send_modify(|pulse| *pulse += 1);
        drifted
    }

    /// Notes why the pool says nothing.
    fn fail(&self, trouble: Trouble) {
        let mut state = self.lock();
        state.trouble = Some(trouble);
        state.failures += 1;
        drop(state);
        self.pulse.send_modify(|pulse| *pulse += 1);
    }

    fn is_loaded(&self) -> bool {
        self.lock().store.is_some()
    }

    /// Waits until somebody asks for something, but no longer than that.
    async fn nudged_within(&self, time: Duration) {
        // Either is a reason to go on.
        let _ = tokio::time::timeout(time, self.nudge.notified()).await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No step leaves the state half done, so it is good even after a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What went wrong since then.
    fn fresh_trouble(&self, since: Began) -> Option<Trouble> {
        self.trouble.clone().filter(|_| self.failures > since.failures)
    }
}
