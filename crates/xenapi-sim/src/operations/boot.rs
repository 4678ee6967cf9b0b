//! Where a VM can boot.

use alloc::string::ToString;
use alloc::vec::Vec;

use xenapi_core::{Failure, RawRef, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::dispatch::Caller;

/// Bytes that a VM needs to start.
pub(crate) fn memory_needed(sim: &Sim, vm: &RawRef) -> i64 {
    let (store, of) = (&sim.store, vm.as_str());
    store.int("VM", of, "memory_dynamic_max").max(store.int("VM", of, "memory_static_min"))
        + store.int("VM", of, "memory_overhead")
}

fn metrics(sim: &Sim, host: &RawRef) -> RawRef {
    sim.store.reference("host", host.as_str(), "metrics")
}

/// Takes memory of a host, or gives it back.
pub(crate) fn take_memory(sim: &mut Sim, host: &RawRef, bytes: i64) {
    let metrics = metrics(sim, host);
    let of = metrics.as_str();
    let total = sim.store.int("host_metrics", of, "memory_total");
    let free = sim.store.int("host_metrics", of, "memory_free").saturating_sub(bytes).clamp(0, total.max(0));
    sim.store.put("host_metrics", of, "memory_free", free);
    let date = sim.date();
    sim.store.put("host_metrics", of, "last_updated", date);
}

/// Bytes that a host has left.
pub(crate) fn free_memory(sim: &Sim, host: &RawRef) -> i64 {
    sim.store.int("host_metrics", metrics(sim, host).as_str(), "memory_free")
}

/// The SRs that a VM's disks are in.
fn storage(sim: &Sim, vm: &RawRef) -> Vec<RawRef> {
    let mut all: Vec<RawRef> = Vec::new();
    for vbd in sim.store.refs("VM", vm.as_str(), "VBDs") {
        let vdi = sim.store.reference("VBD", vbd.as_str(), "VDI");
        if sim.store.flag("VBD", vbd.as_str(), "empty") || !sim.store.contains("VDI", vdi.as_str()) {
            continue;
        }
        let sr = sim.store.reference("VDI", vdi.as_str(), "SR");
        if !sr.is_null() && !all.contains(&sr) {
            all.push(sr);
        }
    }
    all
}

/// Whether an SR is attached to a host.
pub(crate) fn is_attached(sim: &Sim, sr: &RawRef, host: &RawRef) -> bool {
    sim.store.refs("SR", sr.as_str(), "PBDs").iter().any(|pbd| {
        sim.store.reference("PBD", pbd.as_str(), "host") == *host
            && sim.store.flag("PBD", pbd.as_str(), "currently_attached")
    })
}

/// Whether a host can reach a network: it has a NIC on it, or nobody has.
fn reaches(sim: &Sim, host: &RawRef, network: &RawRef) -> bool {
    let pifs = sim.store.refs("network", network.as_str(), "PIFs");
    pifs.is_empty() || pifs.iter().any(|pif| sim.store.reference("PIF", pif.as_str(), "host") == *host)
}

/// Whether a VM can boot on a host: the first reason why not.
pub(crate) fn can_boot(sim: &Sim, vm: &RawRef, host: &RawRef, with_memory: bool) -> Result<(), Failure> {
    let (store, of) = (&sim.store, host.as_str());
    if store.int("VM", vm.as_str(), "VCPUs_max") < 1 {
        return Err(Failure::new("VM_NO_VCPUS", [vm.as_str()]));
    }
    let metrics = metrics(sim, host);
    if !store.flag("host_metrics", metrics.as_str(), "live") {
        return Err(Failure::new("HOST_NOT_LIVE", [""; 0]));
    }
    if !store.flag("host", of, "enabled") {
        return Err(Failure::new("HOST_DISABLED", [of]));
    }
    let storage = storage(sim, vm);
    if let Some(missing) = storage.iter().find(|sr| !is_attached(sim, sr, host)) {
        return Err(Failure::new("VM_REQUIRES_SR", [vm.as_str(), missing.as_str()]));
    }
    let vifs = store.refs("VM", vm.as_str(), "VIFs");
    let networks: Vec<RawRef> = vifs.iter().map(|vif| store.reference("VIF", vif.as_str(), "network")).collect();
    if let Some(missing) = networks.iter().find(|network| !reaches(sim, host, network)) {
        return Err(Failure::new("VM_REQUIRES_NETWORK", [vm.as_str(), missing.as_str()]));
    }
    let (needed, free) = (memory_needed(sim, vm), store.int("host_metrics", metrics.as_str(), "memory_free"));
    if with_memory && needed > free {
        return Err(Failure::new("HOST_NOT_ENOUGH_FREE_MEMORY", [needed.to_string(), free.to_string()]));
    }
    let (vcpus, pcpus) = (store.int("VM", vm.as_str(), "VCPUs_max"), physical_cpus(sim, host));
    if vcpus > pcpus {
        return Err(Failure::new("HOST_NOT_ENOUGH_PCPUS", [vcpus.to_string(), pcpus.to_string()]));
    }
    Ok(())
}

fn physical_cpus(sim: &Sim, host: &RawRef) -> i64 {
    let count = sim.store.key("host", host.as_str(), "cpu_info", "cpu_count").and_then(|count| count.parse().ok());
    count.unwrap_or(i64::MAX)
}

fn candidates(sim: &Sim, vm: &RawRef, with_memory: bool) -> Vec<RawRef> {
    let hosts = sim.store.all("host");
    hosts.into_iter().filter(|host| can_boot(sim, vm, host, with_memory).is_ok()).collect()
}

/// The host on which a VM starts: the one that it prefers, or the one with the most free memory.
pub(crate) fn choose(sim: &Sim, vm: &RawRef) -> Result<RawRef, Failure> {
    let mut fitting = candidates(sim, vm, true);
    if fitting.is_empty() {
        // A lack of memory alone comes back as the error of the host that would have been.
        let without = candidates(sim, vm, false);
        let Some(host) = without.first() else { return Err(Failure::new("NO_HOSTS_AVAILABLE", [""; 0])) };
        return can_boot(sim, vm, host, true).map(|()| host.clone());
    }
    let affinity = sim.store.reference("VM", vm.as_str(), "affinity");
    if fitting.contains(&affinity) {
        return Ok(affinity);
    }
    // A stable sort: among equals the first one created.
    fitting.sort_by_key(|host| core::cmp::Reverse(free_memory(sim, host)));
    Ok(fitting.swap_remove(0))
}

/// `VM.assert_can_boot_here`.
pub(crate) fn assert_can_boot_here(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let vm = sim.need("VM", args.text(0))?;
    let host = sim.need("host", args.text(1))?;
    can_boot(sim, &vm, &host, true).map(|()| Value::VOID)
}

/// `VM.get_possible_hosts`.
pub(crate) fn possible_hosts(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let vm = sim.need("VM", args.text(0))?;
    let scheduled = sim.store.reference("VM", vm.as_str(), "scheduled_to_be_resident_on");
    let hosts = if scheduled.is_null() { candidates(sim, &vm, true) } else { Vec::from([scheduled]) };
    Ok(Value::Array(hosts.iter().map(Value::from).collect()))
}
