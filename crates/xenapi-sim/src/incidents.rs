//! What goes wrong with a pool as a whole, on demand.

use alloc::vec::Vec;

use xenapi_core::{Failure, Millis, RawRef, Value};

use crate::events::Token;
use crate::{Outcome, Sim, operations};

/// Something that befalls the pool, see [`Sim::befall`].
#[derive(Clone, Debug, PartialEq)]
pub enum Incident {
    /// All sessions are gone; who waits for events with one learns it (`SESSION_INVALID`).
    LoseSessions,
    /// The toolstack restarts. Sessions and tasks are gone, what was under way is broken off, and who waited for an answer gets none
    /// (see [`Sim::take_hung_up`]). Changes are numbered anew, so that tokens from before may lie in the future.
    Restart {
        /// For so long only emergency calls are answered, the others with `HOST_STILL_BOOTING`.
        boots_for: Millis,
    },
    /// The server no longer knows what happened: `EVENTS_LOST` for whoever asks with a token from before, and for the queues of
    /// `event.next`.
    ForgetEvents,
    /// A host dies without warning, as by [`Sim::host_fails`]. Named by its reference.
    KillHost(RawRef),
    /// Another host becomes the master. Sessions do not move with it. Named by its reference.
    ChangeMaster(RawRef),
    /// From now on all calls but emergency calls fail with this; `None` ends it.
    Emergency(Option<Failure>),
}

impl Sim {
    /// Lets something go wrong. Hosts and calls are afterwards as after the real thing; [`Sim::take_hung_up`] says whose connections
    /// broke.
    ///
    /// # Errors
    /// `HANDLE_INVALID` when the host named does not exist; `HOST_OFFLINE` when one that is down is to become the master.
    pub fn befall(&mut self, incident: Incident, now: Millis) -> Result<(), Failure> {
        self.advance(now);
        match incident {
            Incident::LoseSessions => self.lose_sessions(),
            Incident::Restart { boots_for } => self.restart(boots_for),
            Incident::ForgetEvents => self.forget_events(),
            Incident::KillHost(host) => {
                let host = self.need("host", host.as_str())?;
                operations::host_died(self, &host);
            }
            Incident::ChangeMaster(host) => {
                let host = self.need("host", host.as_str())?;
                if !self.is_live(&host) {
                    return Err(Failure::new("HOST_OFFLINE", [host.as_str()]));
                }
                self.change_master(&host);
            }
            Incident::Emergency(failure) => self.emergency = failure,
        }
        self.notice_changes();
        Ok(())
    }

    pub(crate) fn lose_sessions(&mut self) {
        let mut all: Vec<RawRef> = self.sessions.keys().cloned().collect();
        all.sort();
        for session in all {
            self.end_session(&session);
        }
        self.local_sessions.clear();
    }

    /// The toolstack starts anew.
    pub(crate) fn restart(&mut self, boots_for: Millis) {
        self.hung_up.extend(self.ready.drain(..).map(|(id, _)| id));
        let waiting: Vec<_> = self.waits.keys().copied().collect();
        for id in waiting {
            self.remove_wait(id);
            self.hung_up.push(id);
        }
        self.break_off_jobs();
        self.lose_sessions();
        for task in self.store.all("task") {
            self.drop_task(&task);
        }
        self.hung_up.extend(self.ready.drain(..).map(|(id, _)| id));
        self.store.renumber();
        self.noticed = self.token();
        self.forgotten = Token::default();
        self.memo = None;
        self.booting_until = self.now + boots_for;
    }

    pub(crate) fn forget_events(&mut self) {
        self.forgotten = self.token();
        for table in &mut self.store.tables {
            table.deletions.clear();
        }
        self.lose_queues();
        self.wake_next();
        let lost = Failure::new("EVENTS_LOST", [""; 0]);
        let waiting: Vec<_> = self.waits.iter().filter(|(_, wait)| wait.is_from()).map(|(id, _)| *id).collect();
        for id in waiting {
            self.remove_wait(id);
            self.ready.push((id, Outcome::Failure(lost.clone())));
        }
    }

    /// Another host becomes the master; every toolstack restarts.
    pub(crate) fn change_master(&mut self, host: &RawRef) {
        if let Some(pool) = self.store.first("pool") {
            self.store.put("pool", pool.as_str(), "master", Value::from(host));
        }
        self.restart(Millis(0));
    }
}
