//! A simulated pool that answers XenAPI: a call comes in, a reply comes out, at once or later.
//!
//! Nothing in here has a clock, a thread, a file or a socket: the driver says what time it is with every call, and asks with
//! [`Sim::poll`] for what has become ready. So a test drives hours in no time, and the same calls at the same times give the
//! same answers, references included.
//!
//! - The store is driven by the schema: every class of the model has its rows, its implicit messages, its relations and its
//!   events, none of them written by hand.
//! - Written by hand are sessions, tasks, event queues and the operations with their preconditions and effects. A message that is
//!   not simulated answers `NOT_IMPLEMENTED` with its name, never success.
//! - [`Sim::new`] makes a pool from a seed; [`Sim::from_records`] takes recorded replies of a real one.
//!
//! Simulated operations: the life of a VM (start, stop, reboot, pause, suspend, migrate, clone, copy, snapshot, revert, provision,
//! destroy), its memory and processors, disks and drives, NICs, VLANs, storage repositories and their connections, hosts (enable,
//! disable, evacuate), sessions, tasks, messages, `event.from` and the older `event.next` (whose `del` carry no snapshot).
//! Operations take simulated time; one that meets another waits for it, as in xapi.
//!
//! The users are `root`, and one for each role (`read-only`, `vm-operator` and so on); the password of all is [`PASSWORD`].
//!
//! ```
//! use xenapi_core::{Millis, RawCall, Value};
//! use xenapi_sim::{Config, Handled, Origin, Outcome, Sim};
//!
//! let mut sim = Sim::new(&Config::default());
//! let login = RawCall {
//!     method: "session.login_with_password".into(),
//!     params: vec!["root".into(), xenapi_sim::PASSWORD.into()],
//! };
//! let Handled::Done(Outcome::Value(session)) = sim.handle(login, Origin::Tcp, Millis(0)) else { panic!("no session") };
//! let all = RawCall { method: "VM.get_all".into(), params: vec![session] };
//! let Handled::Done(Outcome::Value(Value::Array(vms))) = sim.handle(all, Origin::Tcp, Millis(1)) else { panic!("no VMs") };
//! assert!(vms.len() > 24);
//! ```

extern crate alloc;

mod arguments;
mod dispatch;
mod events;
pub mod faults;
mod filter;
mod generate;
pub mod handlers;
mod implicit;
mod operations;
mod places;
mod random;
mod records;
mod relations;
mod sessions;
mod store;
mod tasks;
#[cfg(test)]
mod tests;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{DateTime, Failure, Millis, RawCall, RawRef, Value};

use crate::random::Random;
use crate::store::{Map, Store};

pub use places::HostCertificate;
pub use records::Error;

/// The password of every simulated user.
pub const PASSWORD: &str = "xenoxide";

/// What kind of pool to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How many hosts, from 1 to 64.
    pub hosts: usize,
    /// How many VMs, up to 5,000: templates, snapshots and control domains come on top.
    pub vms: usize,
    /// The same seed makes the same pool, names, references and all.
    pub seed: u64,
    /// What the clock on the wall shows at `Millis(0)`, in milliseconds since 1970.
    pub wall_clock: u64,
}

impl Config {
    /// The most hosts that a pool can have.
    pub const MAX_HOSTS: usize = 64;
    /// The most VMs that a generated pool can have.
    pub const MAX_VMS: usize = 5000;
}

impl Default for Config {
    /// 3 hosts, 24 VMs, seed 1, on 1 July 2026.
    fn default() -> Self {
        Config { hosts: 3, vms: 24, seed: 1, wall_clock: 1_782_864_000_000 }
    }
}

/// Where a call came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Over the network.
    Tcp,
    /// Over the Unix socket on the host: the caller is root and needs no password.
    UnixSocket,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Handled {
    /// It is answered.
    Done(Outcome),
    /// The answer comes later out of [`Sim::poll`].
    Pending(PendingId),
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Success.
    Value(Value),
    /// A refusal.
    Failure(Failure),
    /// Success, to be written without the envelope (`system.listMethods`).
    Bare(Value),
}

/// Names a call that is not answered yet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PendingId(u64);

/// The pool.
pub struct Sim {
    store: Store,
    random: Random,
    now: Millis,
    wall_clock: u64,
    sessions: Map<RawRef, sessions::Session>,
    jobs: BTreeMap<u64, tasks::Job>,
    waits: BTreeMap<PendingId, events::Wait>,
    ready: Vec<(PendingId, Outcome)>,
    next_id: u64,
    next_domid: i64,
    next_sweep: Millis,
    recorded: Option<Vec<&'static str>>,
    faults: faults::Faults,
    /// Where hosts answer, for those that do not answer at the usual port.
    authorities: Map<RawRef, String>,
}

impl Sim {
    /// Makes a pool. Numbers out of range are brought into it.
    pub fn new(config: &Config) -> Self {
        let mut sim = Sim::empty(config.seed, config.wall_clock);
        generate::generate(&mut sim, config);
        sim
    }

    fn empty(seed: u64, wall_clock: u64) -> Self {
        Sim {
            store: Store::new(),
            random: Random::new(seed),
            now: Millis(0),
            wall_clock,
            sessions: Map::default(),
            jobs: BTreeMap::new(),
            waits: BTreeMap::new(),
            ready: Vec::new(),
            next_id: 1,
            next_domid: 1,
            next_sweep: sessions::SWEEP,
            recorded: None,
            faults: faults::Faults::default(),
            authorities: Map::default(),
        }
    }

    /// Makes a pool out of recorded replies, given as pairs of file name and content: `<class>.get_all_records[.anything].xml` and
    /// `<class>.get_record[.anything].xml`. Several files of a class are merged. Answers the pool and notes for people on what is
    /// missing or odd.
    ///
    /// # Errors
    /// When no file at all can be read as records.
    pub fn from_records(files: &[(String, Vec<u8>)], wall_clock: u64) -> Result<(Self, Vec<String>), Error> {
        records::load(files, wall_clock)
    }

    /// The classes that were recorded whole (`get_all_records`), sorted by name; none for a generated pool, which has all.
    ///
    /// Clients find the same list, joined by commas, in the pool's `other_config` under `xenoxide:recorded-classes`.
    pub fn recorded_classes(&self) -> Option<Vec<&'static str>> {
        self.recorded.clone()
    }

    /// Answers a call. Time does not go back: an earlier `now` than before counts as the time before.
    pub fn handle(&mut self, call: RawCall, origin: Origin, now: Millis) -> Handled {
        self.advance(now);
        let handled = self.dispatch(call, origin);
        self.notice_changes();
        handled
    }

    /// Lets time pass and answers what has become ready, in the order in which it did.
    pub fn poll(&mut self, now: Millis) -> Vec<(PendingId, Outcome)> {
        self.advance(now);
        core::mem::take(&mut self.ready)
    }

    /// When something happens by itself next; the driver calls [`Sim::poll`] then.
    pub fn next_deadline(&self) -> Option<Millis> {
        if !self.ready.is_empty() {
            return Some(self.now);
        }
        let jobs = self.jobs.values().map(tasks::Job::due);
        let waits = self.waits.values().map(events::Wait::due);
        jobs.chain(waits).chain(self.next_fault()).min()
    }

    /// The caller hung up: nobody wants that answer any more. What the call started goes on.
    pub fn abandon(&mut self, pending: PendingId) {
        self.waits.remove(&pending);
        self.ready.retain(|(id, _)| *id != pending);
        for job in self.jobs.values_mut() {
            job.abandon(pending);
        }
    }

    /// Everything that is due up to `now`, each at its own time.
    fn advance(&mut self, now: Millis) {
        loop {
            let job = self.jobs.iter().map(|(id, job)| (job.due(), *id)).min().filter(|(due, _)| *due <= now);
            let wait = self.waits.iter().map(|(id, wait)| (wait.due(), *id)).min().filter(|(due, _)| *due <= now);
            match (job, wait) {
                (None, None) => break,
                (Some((due, id)), wait) if wait.is_none_or(|(other, _)| due <= other) => {
                    self.now = self.now.max(due);
                    self.step_job(id);
                }
                (_, Some((due, id))) => {
                    self.now = self.now.max(due);
                    self.step_wait(id);
                }
                (Some(_), None) => break,
            }
            self.notice_changes();
        }
        self.now = self.now.max(now);
        self.run_faults();
        self.sweep();
        self.notice_changes();
    }

    /// The time on the wall.
    fn date(&self) -> DateTime {
        let milliseconds = self.wall_clock.saturating_add(self.now.0);
        DateTime::from_unix(i64::try_from(milliseconds / 1000).unwrap_or(i64::MAX))
    }

    fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// The pool's master, or null where no host is known.
    fn master(&self) -> RawRef {
        let pool = self.store.first("pool");
        pool.map_or_else(RawRef::null, |pool| self.store.reference("pool", pool.as_str(), "master"))
    }
}
