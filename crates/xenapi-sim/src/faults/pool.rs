//! What faults do to the pool.

use xenapi_core::{Millis, RawRef};

use super::{Down, Fault};
use crate::Sim;

impl Sim {
    /// Does what a fault of the pool does. One that names something that is not there does nothing.
    pub(super) fn happen(&mut self, fault: &Fault, host: Option<&str>, session: Option<&str>) {
        match fault {
            Fault::SessionLoss => match session {
                Some(session) => self.end_session(&RawRef::from(session)),
                None => self.lose_sessions(),
            },
            _ => self.happen_to(fault, host),
        }
    }

    fn happen_to(&mut self, fault: &Fault, host: Option<&str>) {
        let _ = (fault, host);
    }

    /// Cuts all connections, and answers nobody for a while.
    pub(super) fn go_down(&mut self, host: Option<RawRef>, time: Option<Millis>) {
        self.faults.cuts += 1;
        self.faults.down.retain(|down| down.host != host);
        if time != Some(Millis(0)) {
            let until = time.map(|time| self.now + time);
            self.faults.down.push(Down { host, until });
        }
    }

    /// A host answers again.
    pub(super) fn come_back(&mut self, host: &RawRef) {
        self.faults.cuts += 1;
        self.faults.down.retain(|down| down.host.as_ref() != Some(host));
    }
}
