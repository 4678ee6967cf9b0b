//! Moving VMs with their disks, inside of the pool.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{Failure, Millis, RawRef, Struct, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::operations::boot::{self, Reserved};
use crate::operations::replicate::{self, Copy};
use crate::operations::timed::hold;
use crate::operations::{Handler, devices, hosts, life, rules};
use crate::tasks::{Operation, Start};

pub(crate) fn find(class: &str, message: &str) -> Option<Handler> {
    Some(match (class, message) {
        ("host", "migrate_receive") => Handler::Now(receive),
        ("VM", "assert_can_migrate") => Handler::Now(|sim, _, args| {
            let mut motion = motion(sim, args)?;
            motion.check(sim).map(|_| Value::VOID)
        }),
        ("VM", "migrate_send") => Handler::Job(|sim, _, args| Ok(Box::new(motion(sim, args)?))),
        _ => return None,
    })
}

/// `host.migrate_receive`: where a VM can be sent, and with which session.
fn receive(sim: &mut Sim, caller: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let (host, network) = (sim.need("host", args.text(0))?, sim.need("network", args.text(1))?);
    hosts::check_reachable(sim, &host)?;
    let pifs = sim.store.refs("network", network.as_str(), "PIFs");
    let pif = pifs.into_iter().find(|pif| sim.store.reference("PIF", pif.as_str(), "host") == host);
    let Some(pif) = pif else {
        return Err(Failure::new("HOST_CANNOT_ATTACH_NETWORK", [host.as_str(), network.as_str()]));
    };
    let address = sim.store.text("PIF", pif.as_str(), "IP");
    if address.is_empty() {
        return Err(Failure::new("INTERFACE_HAS_NO_IP", [sim.store.text("PIF", pif.as_str(), "device")]));
    }
    let session = caller.session.as_str();
    let master = sim.store.text("host", sim.master().as_str(), "address");
    let mut target = Struct::new();
    target.push("SM", format!("http://{address}/services/SM?session_id={session}"));
    target.push("host", host.as_str());
    target.push("xenops", format!("http://{address}/services/xenops?session_id={session}"));
    target.push("session_id", session);
    target.push("master", format!("http://{master}/"));
    Ok(target.into())
}

/// A VM, where it goes, and what moves with it.
struct Motion {
    vm: RawRef,
    host: RawRef,
    disks: Vec<(RawRef, RawRef)>,
    nics: Vec<(RawRef, RawRef)>,
    reserved: Option<Reserved>,
}

fn pairs(args: &Args, at: usize) -> Vec<(RawRef, RawRef)> {
    let map = args.value(at).and_then(Value::as_struct);
    let pairs = map.into_iter().flat_map(Struct::iter);
    pairs.map(|(from, to)| (RawRef::from(from), RawRef::from(to.as_text().unwrap_or("")))).collect()
}

/// What a call asks for; only pools of which nothing is simulated but this one are out of reach.
fn motion(sim: &Sim, args: &Args) -> Result<Motion, Failure> {
    let target = args.value(1).and_then(Value::as_struct);
    let part = |key: &str| {
        let value = target.and_then(|target| target.get(key)).and_then(Value::as_text);
        value.ok_or_else(|| Failure::new("INTERNAL_ERROR", [format!("Not_found: no {key} in the destination")]))
    };
    let (session, host) = (part("session_id")?, part("host")?);
    if !sim.store.contains("session", session) {
        return Err(Failure::new("SESSION_INVALID", [session]));
    }
    let host = sim.need("host", host)?;
    let (disks, nics) = (pairs(args, 3), pairs(args, 4));
    Ok(Motion { vm: RawRef::from(args.text(0)), host, disks, nics, reserved: None })
}

impl Motion {
    /// Whether it can go there; answers how many bytes of disks move.
    fn check(&mut self, sim: &Sim) -> Result<u64, Failure> {
        rules::check(sim, &self.vm, "migrate_send")?;
        hosts::check_reachable(sim, &self.host)?;
        boot::check_host(sim, &self.host)?;
        for (vdi, sr) in &self.disks {
            sim.need("VDI", vdi.as_str())?;
            sim.need("SR", sr.as_str())?;
        }
        for (vif, network) in &self.nics {
            sim.need("VIF", vif.as_str())?;
            sim.need("network", network.as_str())?;
        }
        // A disk that goes to where it is stays.
        self.disks.retain(|(vdi, sr)| sim.store.reference("VDI", vdi.as_str(), "SR") != *sr);
        for vbd in sim.store.refs("VM", self.vm.as_str(), "VBDs") {
            self.check_disk(sim, &vbd)?;
        }
        if !self.disks.is_empty() {
            let snapshots = sim.store.refs("VM", self.vm.as_str(), "snapshots");
            if snapshots.len() > 1 {
                return Err(Failure::new("VM_HAS_TOO_MANY_SNAPSHOTS", [self.vm.as_str()]));
            }
            if snapshots.iter().any(|vm| sim.store.text("VM", vm.as_str(), "power_state") == "Suspended") {
                return Err(Failure::new("VM_HAS_CHECKPOINT", [self.vm.as_str()]));
            }
        }
        for vif in sim.store.refs("VM", self.vm.as_str(), "VIFs") {
            let mapped = self.nics.iter().find(|(own, _)| *own == vif).map(|(_, network)| network.clone());
            let network = mapped.unwrap_or_else(|| sim.store.reference("VIF", vif.as_str(), "network"));
            if !boot::reaches(sim, &self.host, &network) {
                return Err(Failure::new("VM_REQUIRES_NETWORK", [self.vm.as_str(), network.as_str()]));
            }
        }
        let is_up = matches!(sim.store.text("VM", self.vm.as_str(), "power_state"), "Running" | "Paused");
        let (needed, free) = (boot::memory_used(sim, &self.vm), boot::free_memory(sim, &self.host));
        if is_up && sim.store.reference("VM", self.vm.as_str(), "resident_on") != self.host && needed > free {
            let params = [needed, free].map(|bytes| format!("{bytes}"));
            return Err(Failure::new("HOST_NOT_ENOUGH_FREE_MEMORY", params));
        }
        let used = |vdi: &RawRef| sim.store.int("VDI", vdi.as_str(), "physical_utilisation");
        let wanted: Vec<(RawRef, i64)> = self.disks.iter().map(|(vdi, sr)| (sr.clone(), used(vdi))).collect();
        boot::check_room(sim, &wanted)?;
        Ok(wanted.iter().fold(0, |sum: u64, (_, bytes)| sum.saturating_add(u64::try_from(*bytes).unwrap_or(0))))
    }

    /// Whether a disk is within reach there: where it goes, or where it is.
    fn check_disk(&self, sim: &Sim, vbd: &RawRef) -> Result<(), Failure> {
        let vdi = sim.store.reference("VBD", vbd.as_str(), "VDI");
        if sim.store.flag("VBD", vbd.as_str(), "empty") || !sim.store.contains("VDI", vdi.as_str()) {
            return Ok(());
        }
        match self.disks.iter().find(|(own, _)| *own == vdi) {
            Some((_, sr)) if boot::is_attached(sim, sr, &self.host) => Ok(()),
            Some((_, sr)) => Err(Failure::new("VM_REQUIRES_SR", [self.vm.as_str(), sr.as_str()])),
            None if boot::is_attached(sim, &sim.store.reference("VDI", vdi.as_str(), "SR"), &self.host) => Ok(()),
            None => Err(Failure::new("VDI_NOT_IN_MAP", [vdi.as_str()])),
        }
    }
}

impl Operation for Motion {
    fn begin(&mut self, sim: &mut Sim) -> Result<Start, Failure> {
        let bytes = self.check(sim)?;
        hosts::check_operation(sim, &self.host, "vm_migrate")?;
        if !sim.store.reference("VM", self.vm.as_str(), "resident_on").is_null() {
            self.reserved = Some(boot::reserve(sim, &self.vm, &self.host));
        }
        let mut holds = Vec::from([hold("VM", &self.vm, "migrate_send"), hold("host", &self.host, "vm_migrate")]);
        holds.extend(self.disks.iter().map(|(vdi, _)| hold("VDI", vdi, "mirror")));
        // A gigabyte in half a second.
        Ok(Start { duration: Millis(3000 + (bytes >> 21)), holds })
    }

    fn finish(&mut self, sim: &mut Sim) -> Result<Value, Failure> {
        for (vdi, sr) in &self.disks {
            let new = replicate::copy_vdi(sim, vdi, &Copy::Full(sr.clone()));
            let attached = sim.store.refs("VDI", vdi.as_str(), "VBDs");
            for vbd in attached {
                sim.store.put("VBD", vbd.as_str(), "VDI", &new);
            }
            for snapshot in sim.store.refs("VDI", vdi.as_str(), "snapshots") {
                sim.store.put("VDI", snapshot.as_str(), "snapshot_of", &new);
            }
            devices::remove_vdi(sim, vdi);
        }
        for (vif, network) in &self.nics {
            sim.store.put("VIF", vif.as_str(), "network", network);
        }
        if let Some(reserved) = self.reserved.take() {
            life::migrate(sim, &self.vm, &reserved.host);
        } else {
            sim.store.put("VM", self.vm.as_str(), "affinity", &self.host);
        }
        sim.refresh_vm(&self.vm);
        Ok(Value::from(String::from(self.vm.as_str())))
    }

    fn undo(&mut self, sim: &mut Sim) {
        if let Some(reserved) = self.reserved.take() {
            boot::release(sim, &self.vm, &reserved);
        }
    }
}
