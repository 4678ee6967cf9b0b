//! Where a VM can boot, and what it takes of a host.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{Failure, NULL, RawRef, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::operations::hosts;

/// No machine has more; what records claim beyond it counts as this, so that sums stay numbers.
const MOST: i64 = 1 << 48;

/// A VM's memory with its overhead.
fn with_overhead(sim: &Sim, vm: &RawRef, memory: i64) -> i64 {
    let overhead = sim.store.int("VM", vm.as_str(), "memory_overhead");
    memory.max(0).saturating_add(overhead.max(0)).min(MOST)
}

/// The least bytes in which a VM starts or is received.
pub(crate) fn memory_needed(sim: &Sim, vm: &RawRef) -> i64 {
    let (store, of) = (&sim.store, vm.as_str());
    let running = store.int("VM_metrics", store.text("VM", of, "metrics"), "memory_actual");
    let least = store.int("VM", of, "memory_dynamic_min").max(store.int("VM", of, "memory_static_min"));
    // A VM that moves brings the memory along that it has.
    with_overhead(sim, vm, if running > 0 { running } else { least })
}

/// The bytes that a VM uses on its host.
pub(crate) fn memory_used(sim: &Sim, vm: &RawRef) -> i64 {
    let (store, of) = (&sim.store, vm.as_str());
    let metrics = store.text("VM", of, "metrics");
    let actual = store.int("VM_metrics", metrics, "memory_actual");
    // Recordings may lack the metrics.
    let memory = if actual > 0 { actual } else { store.int("VM", of, "memory_dynamic_max") };
    with_overhead(sim, vm, memory)
}

/// The bytes that a VM gets that starts on a host: what it wants at most, or what is left.
fn memory_granted(sim: &Sim, vm: &RawRef, host: &RawRef) -> i64 {
    let most = with_overhead(sim, vm, sim.store.int("VM", vm.as_str(), "memory_dynamic_max"));
    let least = memory_needed(sim, vm);
    free_memory(sim, host).clamp(least.min(most), most)
}

/// What a VM's memory management costs beside its memory, in bytes: tables for its pages, and something for each processor.
pub(crate) fn overhead(static_max: i64, vcpus: i64, multiplier: f64, is_paravirtual: bool) -> i64 {
    const MIB: i64 = 1 << 20;
    if is_paravirtual {
        return MIB;
    }
    #[allow(clippy::cast_precision_loss, reason = "mebibytes and processors are small numbers")]
    let shadow = multiplier.clamp(1.0, 1000.0) * (vcpus.clamp(0, 4096) as f64 + (static_max.max(0) / MIB) as f64 / 128.0);
    #[allow(clippy::cast_possible_truncation, reason = "both factors are bounded")]
    let shadow = shadow.ceil() as i64;
    (shadow + 1).saturating_mul(MIB)
}

/// The overhead that follows from a VM's settings.
pub(crate) fn overhead_of(sim: &Sim, vm: &RawRef) -> i64 {
    let (store, of) = (&sim.store, vm.as_str());
    let multiplier = match store.value("VM", of, "HVM_shadow_multiplier") {
        Some(Value::Double(multiplier)) => *multiplier,
        _ => 1.0,
    };
    let is_paravirtual = store.text("VM", of, "domain_type") == "pv";
    overhead(store.int("VM", of, "memory_static_max"), store.int("VM", of, "VCPUs_max"), multiplier, is_paravirtual)
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

/// Memory of a host that is set aside for a VM on its way there.
#[derive(Clone, Debug)]
pub(crate) struct Reserved {
    pub(crate) host: RawRef,
    pub(crate) bytes: i64,
}

/// Sets memory aside for a VM that starts on a host or moves to it.
pub(crate) fn reserve(sim: &mut Sim, vm: &RawRef, host: &RawRef) -> Reserved {
    let from = sim.store.reference("VM", vm.as_str(), "resident_on");
    let bytes = match from {
        // It has what it needs there.
        _ if from == *host => 0,
        _ if from.is_null() => memory_granted(sim, vm, host),
        _ => memory_used(sim, vm),
    };
    take_memory(sim, host, bytes);
    sim.store.put("VM", vm.as_str(), "scheduled_to_be_resident_on", host);
    Reserved { host: host.clone(), bytes }
}

/// Gives memory back that was set aside for a VM that does not come.
pub(crate) fn release(sim: &mut Sim, vm: &RawRef, reserved: &Reserved) {
    take_memory(sim, &reserved.host, -reserved.bytes);
    sim.store.put("VM", vm.as_str(), "scheduled_to_be_resident_on", NULL);
}

/// Bytes that a host has left.
pub(crate) fn free_memory(sim: &Sim, host: &RawRef) -> i64 {
    sim.store.int("host_metrics", metrics(sim, host).as_str(), "memory_free")
}

/// Bytes that a repository has left; one whose size is unknown has no end.
pub(crate) fn room(sim: &Sim, sr: &RawRef) -> i64 {
    let size = sim.store.int("SR", sr.as_str(), "physical_size");
    if size <= 0 {
        return i64::MAX;
    }
    size.saturating_sub(sim.store.int("SR", sr.as_str(), "physical_utilisation")).max(0)
}

/// The SRs that a VM's disks are in, its memory image included.
pub(crate) fn storage(sim: &Sim, vm: &RawRef) -> Vec<RawRef> {
    let mut all: Vec<RawRef> = Vec::new();
    let mut add = |vdi: &RawRef| {
        let sr = sim.store.reference("VDI", vdi.as_str(), "SR");
        if sim.store.contains("VDI", vdi.as_str()) && !sr.is_null() && !all.contains(&sr) {
            all.push(sr);
        }
    };
    for vbd in sim.store.refs("VM", vm.as_str(), "VBDs") {
        if !sim.store.flag("VBD", vbd.as_str(), "empty") {
            add(&sim.store.reference("VBD", vbd.as_str(), "VDI"));
        }
    }
    add(&sim.store.reference("VM", vm.as_str(), "suspend_VDI"));
    all
}

/// The disks of a VM, without what is in its drives.
pub(crate) fn disks(sim: &Sim, vm: &RawRef) -> Vec<RawRef> {
    let vbds = sim.store.refs("VM", vm.as_str(), "VBDs").into_iter();
    let vbds = vbds.filter(|vbd| sim.store.text("VBD", vbd.as_str(), "type") == "Disk");
    let vdis = vbds.map(|vbd| sim.store.reference("VBD", vbd.as_str(), "VDI"));
    vdis.filter(|vdi| sim.store.contains("VDI", vdi.as_str())).collect()
}

/// The networks that a VM's NICs are on.
pub(crate) fn networks(sim: &Sim, vm: &RawRef) -> Vec<RawRef> {
    let vifs = sim.store.refs("VM", vm.as_str(), "VIFs");
    vifs.iter().map(|vif| sim.store.reference("VIF", vif.as_str(), "network")).collect()
}

/// Whether an SR is attached to a host.
pub(crate) fn is_attached(sim: &Sim, sr: &RawRef, host: &RawRef) -> bool {
    sim.store.refs("SR", sr.as_str(), "PBDs").iter().any(|pbd| {
        sim.store.reference("PBD", pbd.as_str(), "host") == *host
            && sim.store.flag("PBD", pbd.as_str(), "currently_attached")
    })
}

/// Whether a host can reach a network: it has a NIC on it, or nobody has.
pub(crate) fn reaches(sim: &Sim, host: &RawRef, network: &RawRef) -> bool {
    let pifs = sim.store.refs("network", network.as_str(), "PIFs");
    pifs.is_empty() || pifs.iter().any(|pif| sim.store.reference("PIF", pif.as_str(), "host") == *host)
}

/// Whether a host is up and lets VMs start: the first reason why not.
pub(crate) fn check_host(sim: &Sim, host: &RawRef) -> Result<(), Failure> {
    if !sim.is_live(host) {
        return Err(Failure::new("HOST_NOT_LIVE", [""; 0]));
    }
    if !sim.store.flag("host", host.as_str(), "enabled") {
        return Err(Failure::new("HOST_DISABLED", [host.as_str()]));
    }
    Ok(())
}

/// Whether the virtual hardware is one that the host offers.
fn check_platform(sim: &Sim, vm: &RawRef, host: &RawRef) -> Result<(), Failure> {
    let wanted = sim.store.int("VM", vm.as_str(), "hardware_platform_version");
    let offered = sim.store.value("host", host.as_str(), "virtual_hardware_platform_versions").and_then(Value::as_array);
    let offered: Vec<i64> = offered.unwrap_or_default().iter().filter_map(Value::as_int).collect();
    if offered.is_empty() || offered.contains(&wanted) {
        return Ok(());
    }
    let offered = offered.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let params = [host.as_str().to_string(), format!("[{offered}]"), vm.as_str().to_string(), wanted.to_string()];
    Err(Failure::new("VM_HOST_INCOMPATIBLE_VIRTUAL_HARDWARE_PLATFORM_VERSION", params))
}

/// Whether the numbers in a VM's record make sense.
fn check_numbers(sim: &Sim, vm: &RawRef) -> Result<(), Failure> {
    let (store, of) = (&sim.store, vm.as_str());
    if store.int("VM", of, "VCPUs_max") < 1 {
        return Err(Failure::new("VM_NO_VCPUS", [of]));
    }
    let [static_min, static_max, dynamic_min, dynamic_max] =
        ["memory_static_min", "memory_static_max", "memory_dynamic_min", "memory_dynamic_max"]
            .map(|field| store.int("VM", of, field));
    if !(static_min <= dynamic_min && dynamic_min <= dynamic_max && dynamic_max <= static_max) {
        return Err(Failure::new("MEMORY_CONSTRAINT_VIOLATION_ORDER", [""; 0]));
    }
    Ok(())
}

/// Whether a VM that has started once finds the processors that it knows.
fn check_processors(sim: &Sim, vm: &RawRef, host: &RawRef) -> Result<(), Failure> {
    let is_up = sim.store.text("VM", vm.as_str(), "power_state") != "Halted";
    let known = sim.store.key("VM", vm.as_str(), "last_boot_CPU_flags", "vendor");
    let offered = sim.store.key("host", host.as_str(), "cpu_info", "vendor");
    match (known, offered) {
        (Some(known), Some(offered)) if is_up && known != offered => {
            let reason = "VM last booted on a CPU of a vendor different from this host's CPU.";
            Err(Failure::new("VM_INCOMPATIBLE_WITH_THIS_HOST", [vm.as_str(), host.as_str(), reason]))
        }
        _ => Ok(()),
    }
}

/// Whether a host reaches what a VM needs: repositories, networks, GPUs, USB devices.
pub(crate) fn check_reach(sim: &Sim, vm: &RawRef, host: &RawRef) -> Result<(), Failure> {
    let store = &sim.store;
    if let Some(missing) = storage(sim, vm).iter().find(|sr| !is_attached(sim, sr, host)) {
        return Err(Failure::new("VM_REQUIRES_SR", [vm.as_str(), missing.as_str()]));
    }
    if let Some(missing) = networks(sim, vm).iter().find(|network| !reaches(sim, host, network)) {
        return Err(Failure::new("VM_REQUIRES_NETWORK", [vm.as_str(), missing.as_str()]));
    }
    let on_host =
        |class: &str, items: Vec<RawRef>| items.iter().any(|item| store.reference(class, item.as_str(), "host") == *host);
    for vgpu in store.refs("VM", vm.as_str(), "VGPUs") {
        let group = store.reference("VGPU", vgpu.as_str(), "GPU_group");
        if !on_host("PGPU", store.refs("GPU_group", group.as_str(), "PGPUs")) {
            return Err(Failure::new("VM_REQUIRES_GPU", [vm.as_str(), group.as_str()]));
        }
    }
    for vusb in store.refs("VM", vm.as_str(), "VUSBs") {
        let group = store.reference("VUSB", vusb.as_str(), "USB_group");
        if !on_host("PUSB", store.refs("USB_group", group.as_str(), "PUSBs")) {
            return Err(Failure::new("VM_REQUIRES_VUSB", [vm.as_str(), group.as_str()]));
        }
    }
    let can_hvm = |capability: &Value| capability.as_text().is_some_and(|text| text.starts_with("hvm"));
    let capabilities = store.value("host", host.as_str(), "capabilities").and_then(Value::as_array).unwrap_or_default();
    let is_pv = store.text("VM", vm.as_str(), "domain_type") == "pv";
    if !is_pv && !capabilities.is_empty() && !capabilities.iter().any(can_hvm) {
        return Err(Failure::new("VM_HVM_REQUIRED", [vm.as_str()]));
    }
    Ok(())
}

/// Whether a VM can boot on a host: the first reason why not.
pub(crate) fn can_boot(sim: &Sim, vm: &RawRef, host: &RawRef, with_memory: bool) -> Result<(), Failure> {
    check_platform(sim, vm, host)?;
    check_numbers(sim, vm)?;
    check_host(sim, host)?;
    check_processors(sim, vm, host)?;
    check_reach(sim, vm, host)?;
    let (needed, free) = (memory_needed(sim, vm), free_memory(sim, host));
    if with_memory && needed > free {
        return Err(Failure::new("HOST_NOT_ENOUGH_FREE_MEMORY", [needed.to_string(), free.to_string()]));
    }
    let (vcpus, pcpus) = (sim.store.int("VM", vm.as_str(), "VCPUs_max"), physical_cpus(sim, host));
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
    let hosts = sim.store.all("host").into_iter();
    hosts
        .filter(|host| !hosts::has_operation(sim, host, "evacuate") && can_boot(sim, vm, host, with_memory).is_ok())
        .collect()
}

/// The host on which a VM starts: the one that it prefers, or the one with the most free memory.
pub(crate) fn choose(sim: &Sim, vm: &RawRef) -> Result<RawRef, Failure> {
    // What is wrong with the VM itself is told as it is, whatever the hosts are like.
    check_numbers(sim, vm)?;
    let mut fitting = candidates(sim, vm, true);
    if fitting.is_empty() {
        // A lack of memory alone comes back as the error of the host that would have been.
        let mut without = candidates(sim, vm, false);
        without.sort_by_key(|host| core::cmp::Reverse(free_memory(sim, host)));
        let Some(host) = without.first() else { return Err(Failure::new("NO_HOSTS_AVAILABLE", [""; 0])) };
        return can_boot(sim, vm, host, true).map(|()| host.clone());
    }
    let affinity = sim.store.reference("VM", vm.as_str(), "affinity");
    if fitting.contains(&affinity) {
        return Ok(affinity);
    }
    // A stable sort: among equals the first one created.
    fitting.sort_by_key(|host| core::cmp::Reverse((spread(sim, vm, host), free_memory(sim, host))));
    Ok(fitting.swap_remove(0))
}

/// How well a host keeps a VM apart from others of its anti-affinity group: minus the number of those there.
fn spread(sim: &Sim, vm: &RawRef, host: &RawRef) -> i64 {
    let groups = sim.store.refs("VM", vm.as_str(), "groups").into_iter();
    let groups = groups.filter(|group| sim.store.text("VM_group", group.as_str(), "placement") == "anti_affinity");
    let peers = groups.flat_map(|group| sim.store.refs("VM_group", group.as_str(), "VMs"));
    let there = peers.filter(|peer| sim.store.reference("VM", peer.as_str(), "resident_on") == *host);
    -i64::try_from(there.count()).unwrap_or(i64::MAX)
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

/// `SR_BACKEND_FAILURE_44`, unless the repositories have room for what is wanted of each.
pub(crate) fn check_room(sim: &Sim, wanted: &[(RawRef, i64)]) -> Result<(), Failure> {
    for (sr, _) in wanted {
        let bytes = wanted.iter().filter(|(other, _)| other == sr).fold(0_i64, |sum, (_, bytes)| sum.saturating_add(*bytes));
        if bytes > room(sim, sr) {
            let text = String::from("There is insufficient space");
            return Err(Failure::new("SR_BACKEND_FAILURE_44", [String::new(), text, String::new()]));
        }
    }
    Ok(())
}
