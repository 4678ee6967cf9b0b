//! Faults by name: what goes wrong, when, for whom, and how often; the same for the same seed.
//!
//! A fault is written `NAME[=VALUE][:KEY=VALUE]…`; several are joined by `;`. [`GRAMMAR`] is the whole language, as `--help` shows it.
//!
//! - Faults of the wire (`refuse`, `drop`, `delay`, `truncate`, `slow`, `status`) and of answers (`host-is-slave`, `failure`) meet requests. The
//!   server asks [`Sim::meet`] what happens to each one.
//! - Faults of the pool (`session-loss`, `events-lost`, `restart`, `host-death`, …) happen to the pool: at a time (`after`, `every`), or before a
//!   request that they meet (`method`, `path`); with none of these, at once.
//!
//! Requests below `/xenoxide/` never meet one, so that the way out is always open.

mod pool;
mod rule;
mod spec;
#[cfg(test)]
mod tests;

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use xenapi_core::{Failure, Millis, RawRef};

use crate::Sim;
use rule::Rule;

pub use spec::{Fault, FaultSpec, GRAMMAR, SpecError, parse};

/// The faults of a pool, each with its state.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<Rule>,
    next_id: u64,
    /// Nobody answers until then.
    pub(crate) down: Option<Millis>,
    /// How often all connections were cut.
    pub(crate) cuts: u64,
    /// How often hosts went or came.
    pub(crate) changes: u64,
}

/// A request that may meet a fault.
#[derive(Clone, Copy, Debug)]
pub struct Meeting<'a> {
    /// The path, without the query.
    pub path: &'a str,
    /// The method of a call.
    pub method: Option<&'a str>,
    /// The session of a call.
    pub session: Option<&'a str>,
    /// At which host's own address it came, if hosts have their own.
    pub via: Option<&'a RawRef>,
}

/// What happens to a request.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Effects {
    /// It has to wait for so long before it is looked at.
    pub delay: Millis,
    /// It ends in this way.
    pub end: Option<Ending>,
    /// Only so much of the reply's body is sent, then the connection is closed: a number of bytes, or (none) half of them.
    pub truncate: Option<Option<u64>>,
    /// The reply's body is sent at so many bytes a second.
    pub slow: Option<u64>,
}

/// How a request ends before its time.
#[derive(Clone, PartialEq, Debug)]
pub enum Ending {
    /// The connection is closed, and nothing happens.
    Drop,
    /// It is done, and the connection is closed in the place of an answer.
    DropAnswer,
    /// A page with this status.
    Status(u16),
    /// A refusal. For requests that are not calls, a page with status 500.
    Failure(Failure),
}

impl Sim {
    /// Adds faults; answers the number of each, which [`Sim::remove_fault`] takes. Times in them count from `now`. What names nothing in the pool
    /// never happens: [`Sim::check_faults`] finds it.
    pub fn add_faults(&mut self, specs: &[FaultSpec], now: Millis) -> Vec<u64> {
        self.advance(now);
        let now = self.now;
        let faults = &mut self.faults;
        let mut ids = Vec::with_capacity(specs.len());
        for spec in specs {
            faults.next_id += 1;
            faults.rules.push(Rule::new(faults.next_id, spec.clone(), now));
            ids.push(faults.next_id);
        }
        self.run_faults();
        self.notice_changes();
        ids
    }

    /// Takes a fault back. What it did stays. Whether there was one of that number.
    pub fn remove_fault(&mut self, id: u64) -> bool {
        let before = self.faults.rules.len();
        self.faults.rules.retain(|rule| rule.id != id);
        self.faults.rules.len() != before
    }

    /// Takes all faults back, and lets everybody answer again. Hosts that died stay dead.
    pub fn clear_faults(&mut self) {
        self.faults.rules.clear();
        self.faults.down = None;
        self.faults.changes += 1;
    }

    /// The faults as they are: number, how often it happened, and how it is written.
    pub fn faults(&self) -> impl Iterator<Item = (u64, u64, &FaultSpec)> {
        self.faults.rules.iter().map(|rule| (rule.id, rule.happened, &rule.spec))
    }

    /// What happens to a request. Faults of the pool that it sets off happen before this returns.
    pub fn meet(&mut self, meeting: &Meeting<'_>, now: Millis) -> Effects {
        if self.faults.rules.is_empty() || meeting.path.starts_with("/xenoxide/") {
            return Effects::default();
        }
        self.advance(now);
        let mut effects = Effects::default();
        let mut rules = core::mem::take(&mut self.faults.rules);
        for rule in &mut rules {
            if rule.spec.fault.is_of_connections() || !rule.meets(self, meeting) {
                continue;
            }
            match &rule.spec.fault {
                fault if fault.is_of_the_pool() => self.happen(&fault.clone(), rule.spec.host.as_deref(), meeting.session),
                fault => effects.add(fault, &mut rule.random, || self.master_address()),
            }
        }
        rules.append(&mut self.faults.rules);
        self.faults.rules = rules;
        self.notice_changes();
        effects
    }

    /// Whether a new connection is refused.
    pub fn refuses(&mut self, via: Option<&RawRef>, now: Millis) -> bool {
        if self.faults.rules.is_empty() {
            return false;
        }
        self.advance(now);
        let meeting = Meeting { path: "", method: None, session: None, via };
        let mut rules = core::mem::take(&mut self.faults.rules);
        let mut refused = false;
        for rule in rules.iter_mut().filter(|rule| rule.spec.fault.is_of_connections()) {
            refused |= rule.meets(self, &meeting);
        }
        self.faults.rules = rules;
        refused
    }

    /// Whether a host answers at all at its own address; none asks for the one address of a whole pool.
    pub fn answers(&self, via: Option<&RawRef>) -> bool {
        self.faults.down.is_none() && via.is_none_or(|host| self.is_live(host) && !crate::operations::is_down(self, host))
    }

    /// How often the connections of a host were cut at once.
    pub fn cuts(&self, _via: Option<&RawRef>) -> u64 {
        self.faults.cuts
    }

    /// Changes whenever [`Sim::answers`] or [`Sim::cuts`] may say something else.
    pub fn reach_changes(&self) -> u64 {
        let hosts = self.store.table("host").last_change + self.store.table("host_metrics").last_change;
        self.faults.cuts + self.faults.changes + hosts
    }

    /// When a fault happens by itself next.
    pub(crate) fn next_fault(&self) -> Option<Millis> {
        let rules = self.faults.rules.iter().filter_map(Rule::due);
        rules.chain(self.faults.down).min()
    }

    /// Lets the faults happen whose time has come.
    pub(crate) fn run_faults(&mut self) {
        let now = self.now;
        if self.next_fault().is_none_or(|due| due > now) {
            return;
        }
        if self.faults.down.take_if(|until| *until <= now).is_some() {
            self.faults.changes += 1;
        }
        let mut rules = core::mem::take(&mut self.faults.rules);
        for rule in &mut rules {
            if rule.comes(now) {
                self.happen(&rule.spec.fault.clone(), rule.spec.host.as_deref(), None);
            }
        }
        rules.append(&mut self.faults.rules);
        self.faults.rules = rules;
    }

    fn master_address(&self) -> String {
        self.store.text("host", self.master().as_str(), "address").to_string()
    }

    /// A host by its number in the order of creation (from 1), its reference, its uuid, its name or its address.
    pub(crate) fn find_host(&self, text: &str) -> Option<RawRef> {
        if self.store.contains("host", text) {
            return Some(RawRef::from(text));
        }
        let hosts = self.store.all("host");
        if let Some(host) = text.parse::<usize>().ok().and_then(|number| hosts.get(number.checked_sub(1)?)) {
            return Some(host.clone());
        }
        let named = |field: &str| {
            let is = |host: &&RawRef| self.store.text("host", host.as_str(), field) == text;
            hosts.iter().find(is).cloned()
        };
        named("uuid").or_else(|| named("name_label")).or_else(|| named("address"))
    }
}

impl Effects {
    fn add(&mut self, fault: &Fault, random: &mut crate::random::Random, master: impl FnOnce() -> String) {
        match fault {
            Fault::Delay(least, most) => {
                let range = usize::try_from(most.0.saturating_sub(least.0)).unwrap_or(usize::MAX - 1);
                self.delay = self.delay + *least + Millis(random.below(range + 1) as u64);
            }
            Fault::Truncate(bytes) => self.truncate = Some(*bytes),
            Fault::Slow(rate) => self.slow = Some(self.slow.map_or(*rate, |slow| slow.min(*rate))),
            // Of several endings, the first one is it.
            Fault::Drop { answered } => self.finish(if *answered { Ending::DropAnswer } else { Ending::Drop }),
            Fault::Status(status) => self.finish(Ending::Status(*status)),
            Fault::HostIsSlave(address) => {
                let address = address.clone().unwrap_or_else(master);
                self.finish(Ending::Failure(Failure::new("HOST_IS_SLAVE", [address])));
            }
            Fault::Failure(words) => {
                let (code, params) =
                    words.split_first().map_or(("", [].as_slice()), |(code, params)| (code.as_str(), params));
                self.finish(Ending::Failure(Failure::new(code, params.iter().map(String::as_str))));
            }
            _ => {}
        }
    }

    fn finish(&mut self, ending: Ending) {
        self.end.get_or_insert(ending);
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending::Drop => f.write_str("drop"),
            Ending::DropAnswer => f.write_str("drop=answer"),
            Ending::Status(status) => write!(f, "status={status}"),
            Ending::Failure(failure) => write!(f, "failure={failure}"),
        }
    }
}
