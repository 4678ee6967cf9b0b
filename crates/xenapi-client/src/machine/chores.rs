//! What has to be cleared away at the server, though nobody waits for it: tasks that are over, and sessions that were left.

use alloc::collections::BTreeMap;

use xenapi_core::{Millis, RawRef, Ref};
use xenapi_model::{Task, session, task};

use super::{Answer, Client, Purpose};
use crate::error::Error;

/// How many there may be. Beyond that the oldest are left to the server, which sweeps up by itself after hours.
const MOST: usize = 1000;
/// How many are on their way at a time.
const AT_ONCE: usize = 4;
/// After so many attempts it is left to the server.
const ATTEMPTS: u32 = 40;

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Chore {
    /// Take a task away. One that is still at work goes when it is over.
    Destroy(Ref<Task>),
    /// Ask a task to stop.
    Cancel(Ref<Task>),
    /// End a session that is not used any more.
    EndSession(RawRef),
}

struct Due {
    chore: Chore,
    attempts: u32,
    /// None while it is on its way.
    at: Option<Millis>,
}

#[derive(Default)]
pub(super) struct Chores {
    list: BTreeMap<u64, Due>,
    last: u64,
}

impl Chores {
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Leaves everything to the server.
    pub(super) fn clear(&mut self) {
        self.list.clear();
    }

    /// Whether it is done with the client's own session.
    pub(super) fn uses_session(&self, id: u64) -> bool {
        self.list.get(&id).is_some_and(|due| !matches!(due.chore, Chore::EndSession(_)))
    }

    /// Puts a chore on the list, unless it is there.
    pub(super) fn add(&mut self, chore: Chore, now: Millis) {
        if self.list.values().any(|due| due.chore == chore) {
            return;
        }
        self.last += 1;
        self.list.insert(self.last, Due { chore, attempts: 0, at: Some(now) });
        if self.list.len() > MOST {
            self.list.pop_first();
        }
    }

    /// There is a new session: what was put off, or was under way with the old one, is done at once.
    pub(super) fn restart(&mut self, now: Millis) {
        for due in self.list.values_mut() {
            due.at = Some(now);
        }
    }

    pub(super) fn next_due(&self) -> Option<Millis> {
        let under_way = self.list.values().filter(|due| due.at.is_none()).count();
        if under_way >= AT_ONCE {
            return None;
        }
        self.list.values().filter_map(|due| due.at).min()
    }

    fn take_due(&mut self, now: Millis) -> Option<(u64, Chore)> {
        if self.next_due().is_none_or(|at| at > now) {
            return None;
        }
        let (id, due) = self.list.iter_mut().find(|(_, due)| due.at.is_some_and(|at| at <= now))?;
        due.at = None;
        due.attempts += 1;
        Some((*id, due.chore.clone()))
    }
}

impl Client {
    pub(super) fn advance_chores(&mut self, now: Millis) {
        let Some(session) = self.login.session.clone() else { return };
        while let Some((id, chore)) = self.chores.take_due(now) {
            let call = match chore {
                Chore::Destroy(task) => task::destroy(&task).to_raw(&session),
                Chore::Cancel(task) => task::cancel(&task).to_raw(&session),
                Chore::EndSession(old) => session::logout().to_raw(&old),
            };
            self.send(Purpose::Chore(id), call, self.config.read_timeout, now);
        }
    }

    pub(super) fn chores_due(&self) -> Option<Millis> {
        self.login.session.as_ref().and_then(|_| self.chores.next_due())
    }

    /// What came of a chore. A refusal means that there is nothing to do any more, or that nothing can be done.
    pub(super) fn chore_answered(&mut self, id: u64, epoch: u64, reply: Answer<'_>, now: Millis) {
        let again = match reply {
            Answer::Success(_) => false,
            Answer::Failure(failure) => {
                let is_own = self.chores.uses_session(id);
                (is_own && failure.code == "SESSION_INVALID") || Error::Failure(failure).is_retryable()
            }
            // It was done, but nobody knows how it went: the second time tells.
            Answer::Broken(_) | Answer::Lost(_) => true,
        };
        let Some(due) = self.chores.list.get_mut(&id) else { return };
        if !again || due.attempts >= ATTEMPTS {
            self.chores.list.remove(&id);
        } else if due.at.is_none() {
            let is_current = epoch == self.login.epoch;
            let wait = self.config.backoff.delay(due.attempts, &mut self.jitter);
            due.at = Some(if is_current { now + wait } else { now });
        }
    }
}
