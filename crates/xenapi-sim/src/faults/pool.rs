//! What faults do to the pool.

use alloc::vec::Vec;

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
            Fault::Restart(time) => self.go_down(*time),
            _ => self.happen_to(fault, host),
        }
    }

    fn happen_to(&mut self, fault: &Fault, host: Option<&str>) {
        let _ = (fault, host);
    }

    fn lose_sessions(&mut self) {
        let mut sessions: Vec<RawRef> = self.sessions.keys().cloned().collect();
        sessions.sort();
        for session in sessions {
            self.end_session(&session);
        }
    }

    /// Cuts all connections, and answers nobody for a while.
    fn go_down(&mut self, time: Millis) {
        self.faults.cuts += 1;
        self.faults.down.retain(|down| down.host.is_some());
        if time > Millis(0) {
            self.faults.down.push(Down { host: None, until: Some(self.now + time) });
        }
    }
}
