//! Who takes part in a stream: sessions that the pool has accepted a short while ago.

use core::time::Duration;
use std::collections::HashMap;

use tokio::time::Instant;

/// How long the pool's word that a session is good counts.
const CHECKED_FOR: Duration = Duration::from_secs(30);

/// How long a session takes part after its last request. Also how long a stream goes on after the last one has gone: who reloads the
/// page is back within it.
pub(super) const LEAVES_AFTER: Duration = Duration::from_secs(60);

/// More sessions than this take part only while they are asked for.
const MOST: usize = 10_000;

struct Joiner {
    checked: Instant,
    used: Instant,
}

/// The sessions that take part.
#[derive(Default)]
pub(super) struct Joiners(HashMap<String, Joiner>);

impl Joiners {
    /// Notes a request within a session. Whether the pool need not be asked about it.
    pub(super) fn is_good(&mut self, session: &str, now: Instant) -> bool {
        let Some(joiner) = self.0.get_mut(session) else { return false };
        joiner.used = now;
        now < joiner.checked + CHECKED_FOR
    }

    /// Notes that the pool accepts a session.
    pub(super) fn accept(&mut self, session: &str, now: Instant) {
        self.expire(now);
        if self.0.len() < MOST || self.0.contains_key(session) {
            self.0.insert(session.into(), Joiner { checked: now, used: now });
        }
    }

    /// Forgets a session: it has logged out, or the pool refuses it.
    pub(super) fn remove(&mut self, session: &str) {
        self.0.remove(session);
    }

    /// A session to go on with: the one that was used last, because it will live longest.
    pub(super) fn pick(&mut self, now: Instant) -> Option<String> {
        self.expire(now);
        self.0.iter().max_by_key(|(_, joiner)| joiner.used).map(|(session, _)| session.clone())
    }

    fn expire(&mut self, now: Instant) {
        self.0.retain(|_, joiner| now < joiner.used + LEAVES_AFTER);
    }
}

impl core::fmt::Debug for Joiners {
    /// Without the sessions.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Joiners({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn sessions_are_asked_about_again_and_leave() {
        let mut joiners = Joiners::default();
        let start = Instant::now();
        assert!(!joiners.is_good("one", start));
        joiners.accept("one", start);
        assert!(joiners.is_good("one", start + Duration::from_secs(29)));
        assert!(!joiners.is_good("one", start + Duration::from_secs(30)), "too long ago");
        assert_eq!(joiners.pick(start + Duration::from_secs(80)).as_deref(), Some("one"), "it was used at 30");
        assert_eq!(joiners.pick(start + Duration::from_secs(90)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn another_session_takes_over() {
        let mut joiners = Joiners::default();
        let start = Instant::now();
        joiners.accept("one", start);
        joiners.accept("two", start + Duration::from_secs(1));
        assert_eq!(joiners.pick(start).as_deref(), Some("two"));
        joiners.remove("two");
        assert_eq!(joiners.pick(start).as_deref(), Some("one"));
        assert!(!joiners.is_good("two", start));
    }
}
