//! How a client behaves.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use xenapi_core::{Millis, RawRef};

/// The originator of sessions whose configuration names none.
const ORIGINATOR: &str = "xenapi-client";

/// Who logs in, and how patient the client is. [`Config::new`] has defaults that keep the data fresh within 8 seconds.
#[derive(Clone)]
pub struct Config {
    /// The user.
    pub user: String,
    /// The password. Empty for a Unix socket, where none is needed.
    pub password: String,
    /// Who the session is for, as shown in the session's record. The server limits sessions by originator, so that one program
    /// does not push out the sessions of another. Empty means `xenapi-client`.
    pub originator: String,
    /// The API version that the login names; servers ignore it.
    pub version: String,
    /// Whether to log in again by itself when the session has died. If not, the password is forgotten after the login.
    pub relogin: bool,
    /// A session to go on with, instead of logging in at first.
    pub session: Option<RawRef>,
    /// What to watch: classes by name in any case, `*`, or objects as `VM/OpaqueRef:…`. Empty means the classes that the cache tracks.
    /// [`crate::Client::watch_only`] changes it.
    pub classes: Vec<String>,
    /// How long the server holds back an empty batch of events. Short, because an answer is the only sign of life.
    pub event_timeout: Millis,
    /// How much longer than [`Config::event_timeout`] the client waits before it gives up on the request.
    pub event_margin: Millis,
    /// Whether a token says that the answer to an empty one goes on: more of what exists comes with the next answers. XenAPI servers tell
    /// everything at once; one that stands between may tell it in pages. While something is known already, what the pages bring is put
    /// in as they come, and what none of them named goes after the last.
    pub goes_on: fn(&str) -> bool,
    /// When data is called stale: this long after the last sign that it is current.
    pub stale_after: Millis,
    /// How long a full load may take.
    pub load_timeout: Millis,
    /// How long a call that changes nothing may take, and how long any call waits for a connection.
    pub read_timeout: Millis,
    /// How long a call that changes something may take. Servers let calls wait for each other, so this is long; better is to
    /// submit such calls as tasks.
    pub change_timeout: Millis,
    /// How often a call that changes nothing is sent again when there was no answer.
    pub retries: u32,
    /// How long to wait between attempts.
    pub backoff: Backoff,
    /// Whether the client says with each request for which host of the pool it is ([`crate::Request::address`]): it follows
    /// `HOST_IS_SLAVE` to the coordinator, and looks for a new one among all known addresses when the coordinator is gone. For drivers
    /// that heed it, and know which certificates to trust.
    pub follow: bool,
    /// Further addresses of the pool's hosts, as `HOST_IS_SLAVE` names them, for [`Config::follow`]. The driver's own target is tried
    /// first, and addresses that the cache holds come last.
    pub addresses: Vec<String>,
    /// How many calls are on their way at a time; the others wait in line. At least 1.
    pub concurrency: usize,
    /// How many tasks of this client are at work at a time; the others wait in line. At least 1.
    pub tasks: usize,
    /// How long a call is put off that the server refuses because it is not ready, and how long the task of a call is looked for whose
    /// answer was lost.
    pub patience: Millis,
    /// Time between two rounds with a server that has no `event.from`.
    pub poll_interval: Millis,
    /// Where jitter comes from. The same seed gives the same waits; give every client another one.
    pub seed: u64,
}

impl Config {
    /// The defaults: log in again when needed, events held for 5 s and given up after 7 s, stale after 8 s.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Config {
            user: user.into(),
            password: password.into(),
            originator: ORIGINATOR.into(),
            version: "1.0".into(),
            relogin: true,
            session: None,
            classes: Vec::new(),
            event_timeout: Millis::from_secs(5),
            event_margin: Millis::from_secs(2),
            goes_on: |_| false,
            stale_after: Millis::from_secs(8),
            load_timeout: Millis::from_secs(60),
            read_timeout: Millis::from_secs(30),
            change_timeout: Millis::from_secs(15 * 60),
            retries: 2,
            backoff: Backoff::default(),
            follow: false,
            addresses: Vec::new(),
            concurrency: 16,
            tasks: 64,
            patience: Millis::from_secs(60),
            poll_interval: Millis::from_secs(5),
            seed: 0x9e37_79b9_7f4a_7c15,
        }
    }

    pub(crate) fn originator(&self) -> &str {
        if self.originator.is_empty() { ORIGINATOR } else { &self.originator }
    }
}

impl Default for Config {
    fn default() -> Self {
        Config::new("", "")
    }
}

impl fmt::Debug for Config {
    /// Without the password and the session.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("user", &self.user)
            .field("originator", &self.originator())
            .field("relogin", &self.relogin)
            .field("classes", &self.classes)
            .field("event_timeout", &self.event_timeout)
            .field("stale_after", &self.stale_after)
            .field("follow", &self.follow)
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

/// Waits that double from attempt to attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backoff {
    /// The first wait.
    pub first: Millis,
    /// No wait is longer.
    pub most: Millis,
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff { first: Millis(250), most: Millis::from_secs(3) }
    }
}

impl Backoff {
    /// The wait after so many failures (from 1), between half of the full wait and the whole: many clients of one server must
    /// not come back at the same moment.
    pub(crate) fn delay(&self, failures: u32, jitter: &mut Jitter) -> Millis {
        let doublings = failures.saturating_sub(1).min(20);
        let full = self.first.0.saturating_mul(1 << doublings).min(self.most.0);
        let half = full / 2;
        Millis(half + jitter.next() % (full - half + 1))
    }
}

/// A source of jitter: Marsaglia's xorshift, which needs no more than a seed.
#[derive(Clone, Debug)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) fn new(seed: u64) -> Self {
        // All bits zero is the one state that xorshift never leaves.
        Jitter(seed.max(1))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// How many attempts more than calls there may be, over time: where everything fails, sending everything again only makes it worse.
#[derive(Clone, Debug)]
pub(crate) struct RetryBudget(u32);

impl RetryBudget {
    /// How many repetitions there may be at once.
    const MOST: u32 = 20 * Self::REPETITION;
    const REPETITION: u32 = 10;
    /// Ten calls that succeed pay for one repetition.
    const SUCCESS: u32 = 1;

    pub(crate) const fn new() -> Self {
        RetryBudget(Self::MOST)
    }

    /// Whether there may be one more repetition.
    pub(crate) fn takes(&mut self) -> bool {
        let left = self.0.checked_sub(Self::REPETITION);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }

    pub(crate) fn succeeded(&mut self) {
        self.0 = (self.0 + Self::SUCCESS).min(Self::MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_have_to_be_paid_for() {
        let mut budget = RetryBudget::new();
        assert_eq!((0..100).filter(|_| budget.takes()).count(), 20);
        (0..9).for_each(|_| budget.succeeded());
        assert!(!budget.takes());
        budget.succeeded();
        assert!(budget.takes() && !budget.takes());
    }

    #[test]
    fn waits_double_up_to_the_cap_and_the_seed_decides() {
        let backoff = Backoff::default();
        let waits = |seed| {
            let mut jitter = Jitter::new(seed);
            (1..=40).map(|failures| backoff.delay(failures, &mut jitter).0).collect::<Vec<_>>()
        };
        let first = waits(7);
        for (at, full) in [250, 500, 1000, 2000, 3000, 3000].into_iter().enumerate() {
            assert!((full / 2..=full).contains(&first[at]), "{first:?}");
        }
        assert!(first.iter().all(|wait| *wait <= 3000));
        assert_eq!(first, waits(7));
        assert_ne!(first, waits(8));
        assert_eq!(waits(0), waits(1), "a seed of 0 would give no jitter at all");
    }

    #[test]
    fn secrets_stay_out_of_logs() {
        let config = Config { session: Some("OpaqueRef:s3cret".into()), ..Config::new("root", "hunter2") };
        let shown = alloc::format!("{config:?}");
        assert!(shown.contains("root") && !shown.contains("hunter2") && !shown.contains("s3cret"), "{shown}");
    }
}
