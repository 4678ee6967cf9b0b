//! One fault with its state.

use xenapi_core::Millis;

use super::Meeting;
use super::spec::FaultSpec;
use crate::Sim;
use crate::random::Random;

/// One fault with its state.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) id: u64,
    pub(super) spec: FaultSpec,
    pub(super) random: Random,
    pub(super) happened: u64,
    /// It does nothing before.
    from: Millis,
    /// It does nothing from here on.
    until: Option<Millis>,
    /// When it happens by itself.
    due: Option<Millis>,
}

impl Rule {
    pub(super) fn new(id: u64, spec: FaultSpec, now: Millis) -> Self {
        let from = now + spec.after.unwrap_or_default();
        let by_itself = spec.fault.is_of_the_pool() && spec.path.is_none() && spec.method.is_none();
        Rule {
            id,
            random: Random::new(spec.seed.unwrap_or(id)),
            happened: 0,
            from,
            until: spec.duration.map(|duration| from + duration),
            due: by_itself.then_some(from),
            spec,
        }
    }

    /// When it happens by itself next.
    pub(super) fn due(&self) -> Option<Millis> {
        self.due
    }

    /// Whether it happens to a request.
    pub(super) fn meets(&mut self, sim: &Sim, meeting: &Meeting<'_>) -> bool {
        let spec = &self.spec;
        let asked_for = !spec.fault.is_of_the_pool() || spec.path.is_some() || spec.method.is_some();
        let in_time = sim.now >= self.from && self.until.is_none_or(|until| sim.now < until);
        let has_path = spec.path.as_ref().is_none_or(|path| meeting.path.starts_with(path.as_str()));
        let has_method =
            spec.method.as_ref().is_none_or(|wanted| meeting.method.is_some_and(|method| is_method(wanted, method)));
        if !(asked_for && in_time && has_path && has_method && self.has_host(sim, meeting)) {
            return false;
        }
        self.happens()
    }

    /// For faults of the pool, the host is whom it happens to, not where the request came.
    fn has_host(&self, sim: &Sim, meeting: &Meeting<'_>) -> bool {
        let Some(wanted) = self.spec.host.as_ref().filter(|_| !self.spec.fault.is_of_the_pool()) else { return true };
        let asked = meeting.via.cloned().unwrap_or_else(|| sim.master());
        sim.find_host(wanted).is_some_and(|host| host == asked)
    }

    /// Whether it happens by itself now. Moves on to the next time.
    pub(super) fn comes(&mut self, now: Millis) -> bool {
        let Some(due) = self.due.filter(|due| *due <= now) else { return false };
        let over = self.until.is_some_and(|until| due >= until);
        // Times that passed unseen are not made up for.
        self.due = self.spec.every.filter(|every| every.0 > 0 && !over).map(|every| {
            let missed = (now - due).0 / every.0;
            due + Millis(every.0.saturating_mul(missed + 1))
        });
        !over && self.happens()
    }

    /// Throws the dice, and counts.
    fn happens(&mut self) -> bool {
        if self.spec.times.is_some_and(|times| self.happened >= times) {
            return false;
        }
        // Drawn in any case, so that the same requests meet the same numbers.
        let drawn = self.random.next() >> 11;
        #[allow(clippy::cast_precision_loss, reason = "53 bits fit")]
        let drawn = drawn as f64 / (1_u64 << 53) as f64;
        let happens = self.spec.probability.is_none_or(|probability| drawn < probability);
        self.happened += u64::from(happens);
        happens
    }
}

/// `VM.start` is also `Async.VM.start`; `VM.*` is every method of VM; `*` is every call.
fn is_method(wanted: &str, method: &str) -> bool {
    let plain = ["Async.", "InternalAsync."].iter().find_map(|prefix| method.strip_prefix(prefix)).unwrap_or(method);
    match wanted.strip_suffix('*') {
        Some(prefix) => method.starts_with(prefix) || plain.starts_with(prefix),
        None => wanted == method || wanted == plain,
    }
}
