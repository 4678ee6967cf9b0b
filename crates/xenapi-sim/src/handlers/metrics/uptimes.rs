//! When VMs ran and hosts were up, so that their metrics have gaps where they were not.

use alloc::sync::Arc;
use alloc::vec::Vec;

use xenapi_core::{DateTime, RawRef};

use super::signal::Span;
use crate::Sim;
use crate::store::Map;

/// Times before the last of so many are forgotten.
const MOST: usize = 64;

/// What is known of an object beside its records.
#[derive(Default)]
struct Life {
    /// Since when it runs, where its records do not say so.
    since: Option<i64>,
    past: Vec<Span>,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Uptimes(Map<RawRef, Life>);

impl Sim {
    fn seconds(&self) -> i64 {
        self.date().unix()
    }

    /// A VM or host runs from now on. Nothing changes for one that runs.
    pub(crate) fn up(&mut self, of: &RawRef) {
        let now = self.seconds();
        let objects = self.store.count("VM") + self.store.count("host");
        if self.uptimes.0.len() > 2 * objects + 64 {
            let store = &self.store;
            self.uptimes.0.retain(|of, _| store.contains("VM", of.as_str()) || store.contains("host", of.as_str()));
        }
        self.uptimes.0.entry(of.clone()).or_default().since.get_or_insert(now);
    }

    /// A VM or host does not run any more.
    pub(crate) fn down(&mut self, of: &RawRef) {
        let now = self.seconds();
        let recorded = self.recorded_start(of);
        let life = self.uptimes.0.entry(of.clone()).or_default();
        let last = life.past.last().map_or(i64::MIN, |(_, to)| *to);
        // Of one that was down already, the records still tell the old start.
        let since = life.since.take().or(recorded).filter(|since| *since >= last);
        if let Some(since) = since.filter(|since| *since < now) {
            life.past.push((since, now));
            if life.past.len() > MOST {
                life.past.remove(0);
            }
        }
    }

    /// The start that the records of a VM or host tell.
    fn recorded_start(&self, of: &RawRef) -> Option<i64> {
        if self.store.contains("host", of.as_str()) {
            let boot = self.store.key("host", of.as_str(), "other_config", "boot_time")?;
            return boot.split('.').next()?.parse().ok();
        }
        let metrics = self.store.reference("VM", of.as_str(), "metrics");
        let start = self.store.time("VM_metrics", metrics.as_str(), "start_time");
        (start != DateTime::NEVER).then(|| start.unix())
    }

    /// When a VM or host ran, to this day.
    pub(crate) fn uptimes_of(&self, of: &RawRef) -> Arc<[Span]> {
        let life = self.uptimes.0.get(of);
        let mut spans = life.map(|life| life.past.clone()).unwrap_or_default();
        let is_up = if self.store.contains("host", of.as_str()) {
            !self.host_states.down.contains_key(of)
        } else {
            matches!(self.store.text("VM", of.as_str(), "power_state"), "Running" | "Paused")
        };
        if is_up {
            let since = life.and_then(|life| life.since).or_else(|| self.recorded_start(of));
            let last = spans.last().map_or(i64::MIN, |(_, to)| *to);
            spans.push((since.unwrap_or(i64::MIN).max(last), i64::MAX));
        }
        spans.into()
    }
}
