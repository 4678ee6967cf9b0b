//! What faults do to the pool.

use xenapi_core::{Failure, Millis, RawRef};

use super::Fault;
use crate::{Incident, Sim};

impl Sim {
    /// Does what a fault of the pool does. One that names something that is not there, or not in that state, does nothing.
    pub(super) fn happen(&mut self, fault: &Fault, host: Option<&str>, session: Option<&str>) {
        let host = host.and_then(|host| self.find_host(host));
        // What cannot happen does not: there is nobody to tell while the pool runs.
        let _ = self.try_happen(fault, host, session);
    }

    fn try_happen(&mut self, fault: &Fault, host: Option<RawRef>, session: Option<&str>) -> Result<(), Failure> {
        let now = self.now;
        let missing = || Failure::new("HANDLE_INVALID", ["host", ""]);
        match fault {
            Fault::SessionLoss => match session {
                Some(session) => self.end_session(&RawRef::from(session)),
                None => self.befall(Incident::LoseSessions, now)?,
            },
            Fault::EventsLost => self.befall(Incident::ForgetEvents, now)?,
            Fault::Restart(time) => {
                self.befall(Incident::Restart { boots_for: *time }, now)?;
                self.go_down(Millis(time.0 / 2));
            }
            Fault::Master => self.befall(Incident::ChangeMaster(host.ok_or_else(missing)?), now)?,
            Fault::HostDeath => self.befall(Incident::KillHost(host.ok_or_else(missing)?), now)?,
            Fault::HostBack => crate::operations::host_returned(self, &host.ok_or_else(missing)?),
            _ => {}
        }
        Ok(())
    }

    /// Cuts all connections, and answers nobody for a while.
    fn go_down(&mut self, time: Millis) {
        self.faults.cuts += 1;
        self.faults.down = Some(self.now + time).filter(|until| *until > self.now);
    }
}
