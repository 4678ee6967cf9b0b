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
//! - [`Sim::new`] makes a pool from a seed; [`Sim::from_records`] takes recorded replies of a real one, [`Sim::from_database`] its
//!   database out of a support bundle. A [`Scenario`] says what kind of pool the seed makes, and [`Sim::live`] lets its guests live.
//!
//! Simulated operations: the life of VMs, their memory and processors, disks, drives and NICs; storage repositories that fill up, are
//! forgotten and found again; networks, VLANs, bonds, tunnels; hosts and pools; sessions, tasks, messages, `event.from` and the older
//! `event.next`; metrics, consoles, export and import ([`handlers`]). [`coverage()`] lists message by message what is simulated. Cables can be pulled
//! ([`Sim::carrier`]) and storage can fail ([`Sim::storage_fails`]).
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
#[cfg(feature = "bundles")]
mod bundle;
mod coverage;
mod database;
mod dispatch;
mod events;
pub mod faults;
mod filter;
mod generate;
pub mod handlers;
mod implicit;
mod incidents;
pub mod life;
mod members;
mod operations;
mod places;
mod queues;
mod random;
mod rbac;
mod records;
mod relations;
mod reply;
mod sessions;
mod store;
mod tasks;
#[cfg(test)]
mod tests;
mod timers;
mod users;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{DateTime, Failure, Millis, RawCall, RawRef, Value};

use crate::random::Random;
use crate::store::{Map, Store};
use crate::timers::Timer;

pub use coverage::{Coverage, CoveredMessage, coverage};
pub use generate::scenario::{Scenario, UnknownScenario};
pub use incidents::Incident;
pub use members::{HostId, HostInfo};
pub use places::HostCertificate;
pub use records::Error;
pub use reply::Shared;

/// The password of every simulated user.
pub const PASSWORD: &str = "xenoxide";

/// What kind of pool to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How many hosts, from 1 to 64.
    pub hosts: usize,
    /// How many VMs, up to 10,000: templates, snapshots and control domains come on top.
    pub vms: usize,
    /// The same seed makes the same pool, names, references and all.
    pub seed: u64,
    /// What the clock on the wall shows at `Millis(0)`, in milliseconds since 1970.
    pub wall_clock: u64,
    /// What kind of pool. It does not change the numbers above.
    pub scenario: Scenario,
}

impl Config {
    /// A scenario as large as it is usually.
    pub fn of(scenario: Scenario) -> Self {
        Config { hosts: scenario.hosts(), vms: scenario.vms(), scenario, ..Config::default() }
    }

    /// The most hosts that a pool can have.
    pub const MAX_HOSTS: usize = 64;
    /// The most VMs that a generated pool can have.
    pub const MAX_VMS: usize = 10_000;
}

impl Default for Config {
    /// 3 hosts, 24 VMs, seed 1, on 1 July 2026.
    fn default() -> Self {
        Config { hosts: 3, vms: 24, seed: 1, wall_clock: 1_782_864_000_000, scenario: Scenario::Standard }
    }
}

/// Where a call came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Over the network, to the master, whichever host that is.
    Tcp,
    /// Over the Unix socket on the host: the caller is root and needs no password.
    UnixSocket,
    /// Over the network to the address of one of the hosts, see [`Sim::hosts`]. Members send callers on to the master.
    Host(HostId),
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
    /// Success: records, which are written as they lie in the pool.
    Shared(Shared),
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
    /// Sessions of [`Origin::Host`] alone, made by `slave_local_login_with_password`, and when they were made.
    local_sessions: BTreeMap<RawRef, Millis>,
    /// Root's password.
    password: String,
    jobs: BTreeMap<u64, tasks::Job>,
    /// Which job works for a task.
    job_of_task: Map<RawRef, u64>,
    /// Whose a task is.
    owners: Map<RawRef, tasks::Owner>,
    waits: BTreeMap<PendingId, events::Wait>,
    /// What has been looked at by those who wait for events.
    noticed: events::Token,
    /// Events older than this are forgotten.
    forgotten: events::Token,
    memo: Option<events::Memo>,
    has_heartbeat: bool,
    timers: BTreeMap<(Millis, u64), Timer>,
    ready: Vec<(PendingId, Outcome)>,
    hung_up: Vec<PendingId>,
    /// Why only emergency calls are answered.
    emergency: Option<Failure>,
    /// The host starts, and answers nothing yet.
    booting_until: Millis,
    next_id: u64,
    next_domid: i64,
    next_sweep: Millis,
    recorded: Option<Vec<&'static str>>,
    around: operations::around::Around,
    faults: faults::Faults,
    /// What is known of hosts beside their rows.
    host_states: operations::HostStates,
    life: Option<life::Life>,
    /// When VMs ran and hosts were up.
    uptimes: handlers::Uptimes,
    /// What is on disks.
    contents: handlers::Contents,
    /// What is on the screens of guests.
    screens: handlers::Screens,
    /// Where hosts answer, for those that do not answer at the usual port.
    authorities: Map<RawRef, String>,
}

impl Sim {
    /// Makes a pool. Numbers out of range are brought into it.
    pub fn new(config: &Config) -> Self {
        let mut sim = Sim::empty(config.seed, config.wall_clock);
        generate::generate(&mut sim, config);
        sim.make_subjects(config.seed);
        sim
    }

    fn empty(seed: u64, wall_clock: u64) -> Self {
        Sim {
            store: Store::new(),
            random: Random::new(seed),
            now: Millis(0),
            wall_clock,
            sessions: Map::default(),
            local_sessions: BTreeMap::new(),
            password: PASSWORD.into(),
            jobs: BTreeMap::new(),
            job_of_task: Map::default(),
            owners: Map::default(),
            waits: BTreeMap::new(),
            noticed: events::Token::default(),
            forgotten: events::Token::default(),
            memo: None,
            has_heartbeat: false,
            timers: BTreeMap::new(),
            ready: Vec::new(),
            hung_up: Vec::new(),
            emergency: None,
            booting_until: Millis(0),
            next_id: 1,
            next_domid: 1,
            next_sweep: sessions::SWEEP,
            recorded: None,
            around: operations::around::Around::default(),
            faults: faults::Faults::default(),
            host_states: operations::HostStates::default(),
            life: None,
            uptimes: handlers::Uptimes::default(),
            contents: handlers::Contents::default(),
            screens: handlers::Screens::default(),
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

    /// Makes a pool out of xapi's database, as found in support bundles: `xapi-db.xml` itself, or, with the feature `bundles`, compressed
    /// (`.gz`, `.bz2`), or inside of the bundle's archive (`.tar`, `.tar.gz`, `.tar.bz2`, `.zip`). Answers the pool and notes for people on
    /// what is missing or odd.
    ///
    /// # Errors
    /// When the file is not such a database and holds none.
    pub fn from_database(file: &[u8], wall_clock: u64) -> Result<(Self, Vec<String>), Error> {
        database::load(file, wall_clock)
    }

    /// The classes that were recorded whole (`get_all_records`), sorted by name; none for a generated pool, which has all.
    ///
    /// Clients find the same list, joined by commas, in the pool's `other_config` under `xenoxide:recorded-classes`.
    pub fn recorded_classes(&self) -> Option<Vec<&'static str>> {
        self.recorded.clone()
    }

    /// Answers a call. Time does not go back: an earlier `now` than before counts as the time before.
    pub fn handle(&mut self, call: RawCall, origin: Origin, now: Millis) -> Handled {
        self.handle_tagged(call, origin, &[], now)
    }

    /// Answers a call that came with HTTP headers `x-http-other-config-<key>`, given as pairs of key and value: the task of the
    /// call carries them in its `other_config` as `http:<key>`.
    pub fn handle_tagged(&mut self, call: RawCall, origin: Origin, tags: &[(String, String)], now: Millis) -> Handled {
        self.advance(now);
        let handled = self.dispatch_tagged(call, origin, tags);
        self.notice_changes();
        handled
    }

    /// Lets time pass and answers what has become ready, in the order in which it did.
    pub fn poll(&mut self, now: Millis) -> Vec<(PendingId, Outcome)> {
        self.advance(now);
        core::mem::take(&mut self.ready)
    }

    /// The calls that will never be answered, because the server went down under them: the driver breaks off their connections.
    pub fn take_hung_up(&mut self) -> Vec<PendingId> {
        core::mem::take(&mut self.hung_up)
    }

    /// When something happens by itself next; the driver calls [`Sim::poll`] then.
    pub fn next_deadline(&self) -> Option<Millis> {
        if !self.ready.is_empty() {
            return Some(self.now);
        }
        self.timers.keys().next().map(|(due, _)| *due).into_iter().chain(self.next_fault()).min()
    }

    /// The caller hung up: nobody wants that answer any more. What the call started goes on.
    pub fn abandon(&mut self, pending: PendingId) {
        self.remove_wait(pending);
        self.ready.retain(|(id, _)| *id != pending);
        for job in self.jobs.values_mut() {
            job.abandon(pending);
        }
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
