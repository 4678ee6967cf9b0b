//! To which host of the pool requests go.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use xenapi_core::{Millis, RawRef, Reader, Wire};
use xenapi_model::{Host, Pool};

use super::session::login_call;
use super::{Answer, Client, Output, Purpose};

/// After so many requests without an answer, other hosts are asked whether they are the coordinator.
const PATIENCE: u32 = 2;
/// How many addresses are kept in mind.
const MOST: usize = 128;
/// How long a login may take while others could be asked instead: a host that is dead does not refuse, it is silent.
const LOGIN: Millis = Millis::from_secs(10);

/// The address that requests are for. None is the driver's own target.
pub(super) type Address = Option<Arc<str>>;

#[derive(Default)]
pub(super) struct Route {
    /// Where the coordinator is, as far as is known.
    pub(super) current: Address,
    /// Addresses that the cache held when it was last good: it is emptied, and may be wrong, when they are needed.
    learned: Vec<Arc<str>>,
    /// How many requests in a row were not answered.
    unanswered: u32,
    /// Which of the others comes next.
    turn: usize,
    /// The other host that is being asked.
    probing: bool,
    not_before: Millis,
}

impl Route {
    /// Somebody answered.
    pub(super) fn answered(&mut self) {
        self.unanswered = 0;
    }
}

impl Client {
    /// The host of the pool that requests are for, as `HOST_IS_SLAVE` or the records of the hosts name it; none is the driver's own
    /// target. Always none without [`crate::Config::follow`].
    pub fn address(&self) -> Option<&str> {
        self.route.current.as_deref()
    }

    /// Says from now on with each request for which host it is: [`crate::Config::follow`], decided by the driver, which knows best whether it
    /// heeds that.
    pub fn heed_addresses(&mut self) {
        self.config.follow = true;
    }

    /// A request was not answered.
    pub(super) fn unanswered(&mut self) {
        self.route.unanswered = self.route.unanswered.saturating_add(1);
    }

    /// Keeps the addresses of the pool's hosts in mind, for the day when they are needed.
    pub(super) fn learn_addresses(&mut self) {
        if !self.config.follow || self.cache.count::<Host>() == 0 {
            return;
        }
        let coordinator = self.cache.iter::<Pool>().next().map(|(_, pool)| pool.master.clone());
        let mut hosts: Vec<_> = self.cache.iter::<Host>().filter(|(_, host)| !host.address.is_empty()).collect();
        hosts.sort_by_key(|(reference, _)| coordinator.as_ref() != Some(reference));
        self.route.learned = hosts.iter().take(MOST).map(|(_, host)| Arc::from(host.address.as_str())).collect();
    }

    /// All hosts that could be the coordinator, without the one that is asked now.
    fn others(&self) -> Vec<Address> {
        let configured = self.config.addresses.iter().map(|address| Arc::from(address.as_str()));
        let all = core::iter::once(None).chain(configured.chain(self.route.learned.iter().cloned()).map(Some));
        let mut others: Vec<Address> = Vec::new();
        for address in all {
            if address != self.route.current && !others.contains(&address) {
                others.push(address);
            }
        }
        others
    }

    fn next_other(&mut self) -> Option<Address> {
        let others = self.others();
        let at = self.route.turn.checked_rem(others.len())?;
        self.route.turn = at + 1;
        others.into_iter().nth(at)
    }

    /// How long a login may take.
    pub(super) fn login_timeout(&self) -> Millis {
        let is_alone = !self.config.follow || self.others().is_empty();
        if is_alone { self.config.read_timeout } else { self.config.read_timeout.min(LOGIN) }
    }

    /// A login was not answered, or by a host that cannot: the next one is tried elsewhere.
    pub(super) fn try_elsewhere(&mut self) {
        if self.config.follow
            && let Some(address) = self.next_other()
        {
            self.route.current = address;
        }
    }

    /// The coordinator is there.
    pub(super) fn go_to(&mut self, address: &str) {
        if self.config.follow && !address.is_empty() {
            self.route.current = Some(Arc::from(address));
        }
    }

    /// Asks another host, while the session may still be good but nobody answers. What it says decides: a member that names the same
    /// coordinator changes nothing.
    pub(super) fn advance_route(&mut self, now: Millis) {
        if !self.must_probe() || self.route.not_before > now {
            return;
        }
        let Some(address) = self.next_other() else { return };
        self.route.probing = true;
        let call = login_call(&self.config, self.login.is_short());
        let timeout = self.login_timeout();
        self.send_to(address, Purpose::Probe, call, timeout, now);
    }

    fn must_probe(&self) -> bool {
        let route = &self.route;
        let in_session = self.login.session.is_some() && self.login.wanted;
        self.config.follow
            && self.config.relogin
            && in_session
            && !route.probing
            && route.unanswered >= PATIENCE
            && !self.others().is_empty()
    }

    pub(super) fn route_due(&self) -> Option<Millis> {
        self.must_probe().then_some(self.route.not_before)
    }

    /// What another host said.
    pub(super) fn probed(&mut self, address: Address, reply: Answer<'_>, now: Millis) {
        self.route.probing = false;
        self.route.not_before = now + self.config.backoff.delay(self.route.unanswered, &mut self.jitter);
        match reply {
            Answer::Success(reader) => {
                let Some(session) = session_in(reader) else { return };
                // Only a coordinator logs somebody in. If the old one has come back meanwhile, there may be two who think so; the one
                // that answers is as good as any.
                if self.login.session.is_some() && self.login.wanted && self.route.unanswered > 0 {
                    self.leave_session(now);
                    self.route.current = address;
                    self.adopt(session, now);
                } else {
                    self.end_other_session(session, now);
                }
            }
            Answer::Failure(failure) if failure.code == "HOST_IS_SLAVE" => {
                let coordinator = String::from(failure.param(0));
                let is_same = self.route.current.as_deref() == Some(coordinator.as_str());
                if !is_same && !coordinator.is_empty() && self.route.unanswered > 0 && self.login.session.is_some() {
                    self.outputs.push_back(Output::Redirect(coordinator.clone()));
                    self.leave_session(now);
                    self.go_to(&coordinator);
                    self.login.not_before = now;
                }
            }
            _ => {}
        }
    }
}

/// The session that a login answered, if it is one.
pub(super) fn session_in(reader: &mut dyn Reader) -> Option<RawRef> {
    RawRef::read(reader).ok().filter(|session| !session.is_null())
}
