//! What faults do to the pool.

use alloc::format;
use alloc::string::String;

use xenapi_core::{Failure, Millis, RawRef};

use super::{Fault, FaultSpec, SpecError};
use crate::{Incident, Sim};

impl Sim {
    /// Whether the hosts, NICs and SRs that faults name are there, so that no fault waits for what never comes.
    ///
    /// # Errors
    /// The first fault that names something this pool does not have, with the reason.
    pub fn check_faults(&self, specs: &[FaultSpec]) -> Result<(), SpecError> {
        specs.iter().try_for_each(|spec| {
            self.check_fault(spec).map_err(|why| SpecError { part: format!("{spec}").chars().take(200).collect(), why })
        })
    }

    fn check_fault(&self, spec: &FaultSpec) -> Result<(), String> {
        let host = match &spec.host {
            None => None,
            Some(text) => Some(self.find_host(text).ok_or_else(|| {
                let count = self.store.all("host").len();
                format!("there is no host {text:?}; the pool's hosts have the numbers 1 to {count}")
            })?),
        };
        match (&spec.fault, host) {
            (Fault::CarrierLoss(device) | Fault::CarrierBack(device), Some(host)) => {
                self.nic(&host, device).map(drop).ok_or_else(|| format!("the host has no NIC {device:?}"))
            }
            (Fault::SrDeath(sr) | Fault::SrBack(sr), _) => {
                let why = || format!("there is no SR with the uuid or name {sr:?}");
                self.sr_of_fault(sr).map(drop).ok_or_else(why)
            }
            _ => Ok(()),
        }
    }

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
            Fault::CarrierLoss(device) => self.switch_carrier(&host.ok_or_else(missing)?, device, false)?,
            Fault::CarrierBack(device) => self.switch_carrier(&host.ok_or_else(missing)?, device, true)?,
            Fault::SrDeath(sr) => {
                let sr = self.sr_of_fault(sr).ok_or_else(missing)?;
                self.storage_fails(sr.as_str())?;
            }
            Fault::SrBack(sr) => {
                let sr = self.sr_of_fault(sr).ok_or_else(missing)?;
                self.storage_recovers(sr.as_str())?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Cuts all connections, and answers nobody for a while.
    fn go_down(&mut self, time: Millis) {
        self.faults.cuts += 1;
        self.faults.down = Some(self.now + time).filter(|until| *until > self.now);
    }

    /// The cable of a NIC, by its host and its device.
    fn switch_carrier(&mut self, host: &RawRef, device: &str, up: bool) -> Result<(), Failure> {
        let pif = self.nic(host, device).ok_or_else(|| Failure::new("HANDLE_INVALID", ["PIF", device]))?;
        self.carrier(pif.as_str(), up)
    }

    /// A NIC by its host and its device.
    fn nic(&self, host: &RawRef, device: &str) -> Option<RawRef> {
        let is_it = |pif: &&RawRef| {
            let of = pif.as_str();
            self.store.text("PIF", of, "device") == device && self.store.flag("PIF", of, "physical")
        };
        self.store.refs("host", host.as_str(), "PIFs").iter().find(is_it).cloned()
    }

    /// An SR by its uuid or its name.
    fn sr_of_fault(&self, text: &str) -> Option<RawRef> {
        let all = self.store.all("SR");
        let named = |field: &str| all.iter().find(|sr| self.store.text("SR", sr.as_str(), field) == text).cloned();
        named("uuid").or_else(|| named("name_label"))
    }
}
