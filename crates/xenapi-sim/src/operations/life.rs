//! What starting, stopping, moving and suspending a VM does to it, to its host and to its devices.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_codec::xmlrpc::write_value_text;
use xenapi_core::{Failure, NULL, RawRef, Struct, Value};

use crate::Sim;
use crate::operations::{boot, devices, evacuate, replicate};

impl Sim {
    pub(crate) fn new_domid(&mut self) -> i64 {
        self.next_domid += 1;
        self.next_domid
    }
}

/// Leaves a message about a VM.
pub(crate) fn announce(sim: &mut Sim, vm: &RawRef, name: &str, what: &str) {
    let of = vm.as_str();
    let (label, uuid) = (sim.store.text("VM", of, "name_label"), String::from(sim.store.text("VM", of, "uuid")));
    let body = format!("VM '{label}' (uuid: {uuid}) {what}");
    sim.new_message(name, 5, "VM", &uuid, &body);
}

/// The VM's metrics; made anew where they are gone, as those of a former template are.
pub(crate) fn metrics_of(sim: &mut Sim, vm: &RawRef) -> RawRef {
    let metrics = sim.store.reference("VM", vm.as_str(), "metrics");
    if sim.store.contains("VM_metrics", metrics.as_str()) {
        return metrics;
    }
    let metrics = replicate::vm_metrics(sim);
    sim.store.put("VM", vm.as_str(), "metrics", &metrics);
    metrics
}

/// The VM starts on a host, in memory that was taken for it.
pub(crate) fn start(sim: &mut Sim, vm: &RawRef, host: &RawRef, bytes: i64, paused: bool) {
    devices::attach_all(sim, vm);
    let of = vm.as_str();
    settle_on(sim, vm, host, bytes, paused);
    let (metrics, date) = (metrics_of(sim, vm), sim.date());
    sim.store.put("VM_metrics", metrics.as_str(), "start_time", date);
    reset_guest(sim, vm);
    if is_protected(sim, of) {
        sim.store.put("VM", of, "ha_always_run", true);
    }
    let flags: Struct = sim
        .store
        .key("host", host.as_str(), "cpu_info", "vendor")
        .map(|vendor| ("vendor", Value::from(vendor)))
        .into_iter()
        .collect();
    sim.store.put("VM", of, "last_boot_CPU_flags", flags);
    let record = boot_record(sim, vm);
    sim.store.put("VM", of, "last_booted_record", record);
    let (name, uuid) = (sim.store.text("host", host.as_str(), "name_label"), sim.store.text("host", host.as_str(), "uuid"));
    let what = format!("started on host: {name} (uuid: {uuid})");
    announce(sim, vm, "VM_STARTED", &what);
}

fn is_protected(sim: &Sim, vm: &str) -> bool {
    let pool = sim.store.first("pool").unwrap_or_default();
    sim.store.flag("pool", pool.as_str(), "ha_enabled") && sim.store.text("VM", vm, "ha_restart_priority") == "restart"
}

/// The record as text, as of a boot.
pub(crate) fn boot_record(sim: &Sim, vm: &RawRef) -> String {
    let table = sim.store.table("VM");
    let Some(row) = table.get(vm.as_str()) else { return String::new() };
    let mut record = table.record(row);
    if let Some(members) = record.as_struct_mut() {
        members.set("last_booted_record", "");
    }
    write_value_text(&record)
}

/// The VM runs on a host from now on, in memory that was taken for it.
pub(crate) fn settle_on(sim: &mut Sim, vm: &RawRef, host: &RawRef, bytes: i64, paused: bool) {
    let of = vm.as_str();
    let domid = sim.new_domid();
    sim.store.put("VM", of, "scheduled_to_be_resident_on", NULL);
    sim.store.put("VM", of, "resident_on", host);
    sim.store.put("VM", of, "domid", domid);
    sim.store.put("VM", of, "power_state", if paused { "Paused" } else { "Running" });
    let memory = bytes - sim.store.int("VM", of, "memory_overhead");
    sim.store.put("VM", of, "memory_target", memory);
    make_console(sim, vm, host);
    sim.up(vm);
    let (metrics, date) = (metrics_of(sim, vm), sim.date());
    let vcpus = sim.store.int("VM", of, "VCPUs_at_startup");
    let kind = String::from(sim.store.text("VM", of, "domain_type"));
    let of = metrics.as_str();
    sim.store.put("VM_metrics", of, "last_updated", date);
    sim.store.put("VM_metrics", of, "memory_actual", memory);
    sim.store.put("VM_metrics", of, "VCPUs_number", vcpus);
    sim.store.put("VM_metrics", of, "state", Vec::from([Value::from("running")]));
    sim.store.put("VM_metrics", of, "hvm", kind == "hvm");
    sim.store.put("VM_metrics", of, "current_domain_type", kind);
    attach_accelerators(sim, vm, host);
}

/// Virtual GPUs and USB devices find their counterparts on the host.
fn attach_accelerators(sim: &mut Sim, vm: &RawRef, host: &RawRef) {
    for vgpu in sim.store.refs("VM", vm.as_str(), "VGPUs") {
        let group = sim.store.reference("VGPU", vgpu.as_str(), "GPU_group");
        let gpus = sim.store.refs("GPU_group", group.as_str(), "PGPUs");
        let gpu = gpus.into_iter().find(|gpu| sim.store.reference("PGPU", gpu.as_str(), "host") == *host);
        sim.store.put("VGPU", vgpu.as_str(), "resident_on", gpu.unwrap_or_default());
        sim.store.put("VGPU", vgpu.as_str(), "currently_attached", true);
    }
    for vusb in sim.store.refs("VM", vm.as_str(), "VUSBs") {
        sim.store.put("VUSB", vusb.as_str(), "currently_attached", true);
    }
}

/// What the guest tells about itself starts anew; the simulated guest has its tools, and the system that it had before.
pub(crate) fn reset_guest(sim: &mut Sim, vm: &RawRef) {
    let old = sim.store.reference("VM", vm.as_str(), "guest_metrics");
    let system = sim.store.value("VM_guest_metrics", old.as_str(), "os_version").cloned();
    sim.store.remove("VM_guest_metrics", old.as_str());
    let metrics = replicate::guest_metrics(sim, vm);
    let is_windows = sim.store.key("VM", vm.as_str(), "platform", "viridian") == Some("true");
    let windows = || {
        let name = "Microsoft Windows Server 2022 Standard|C:\\Windows";
        let about = [("name", name), ("distro", "windows"), ("major", "10"), ("minor", "0")];
        Value::Struct(about.into_iter().map(|(key, value)| (key, Value::from(value))).collect::<Struct>())
    };
    if let Some(system) = system.or_else(|| is_windows.then(windows)) {
        sim.store.put("VM_guest_metrics", metrics.as_str(), "os_version", system);
    }
    sim.store.put("VM", vm.as_str(), "guest_metrics", &metrics);
}

fn make_console(sim: &mut Sim, vm: &RawRef, host: &RawRef) {
    drop_consoles(sim, vm);
    let (reference, uuid) = (sim.random.reference(), sim.random.uuid());
    let address = sim.store.text("host", host.as_str(), "address");
    let location = format!("https://{address}/console?uuid={uuid}");
    let draft = sim.store.draft("console").with("uuid", uuid).with("protocol", "rfb");
    let draft = draft.with("location", location).with("VM", vm);
    sim.store.insert(&reference, draft);
}

pub(crate) fn drop_consoles(sim: &mut Sim, vm: &RawRef) {
    for console in sim.store.refs("VM", vm.as_str(), "consoles") {
        sim.store.remove("console", console.as_str());
    }
}

/// Moves a VM to another host, into memory that was taken for it there.
pub(crate) fn migrate(sim: &mut Sim, vm: &RawRef, to: &RawRef) {
    let of = vm.as_str();
    let from = sim.store.reference("VM", of, "resident_on");
    if from != *to {
        boot::take_memory(sim, &from, -boot::memory_used(sim, vm));
    }
    sim.store.put("VM", of, "scheduled_to_be_resident_on", NULL);
    sim.store.put("VM", of, "resident_on", to);
    let domid = sim.new_domid();
    sim.store.put("VM", of, "domid", domid);
    // A new device model came with the new domain.
    let mut guidances = sim.store.refs("VM", of, "pending_guidances");
    guidances.retain(|guidance| guidance.as_str() != "restart_device_model");
    let guidances: Vec<Value> = guidances.iter().map(Value::from).collect();
    sim.store.put("VM", of, "pending_guidances", guidances);
    make_console(sim, vm, to);
    let (from, to) = (evacuate::describe(sim, &from), evacuate::describe(sim, to));
    announce(sim, vm, "VM_MIGRATED", &format!("migrated from host {from} to host {to}"));
}

/// The VM no longer runs anywhere.
fn leave_host(sim: &mut Sim, vm: &RawRef) {
    let of = vm.as_str();
    let host = sim.store.reference("VM", of, "resident_on");
    if !host.is_null() {
        boot::take_memory(sim, &host, -boot::memory_used(sim, vm));
    }
    sim.store.put("VM", of, "resident_on", NULL);
    sim.store.put("VM", of, "scheduled_to_be_resident_on", NULL);
    sim.store.put("VM", of, "domid", -1);
    drop_consoles(sim, vm);
    sim.down(vm);
    let (metrics, date) = (metrics_of(sim, vm), sim.date());
    let of = metrics.as_str();
    sim.store.put("VM_metrics", of, "memory_actual", 0);
    sim.store.put("VM_metrics", of, "VCPUs_number", 0);
    sim.store.put("VM_metrics", of, "state", Vec::new());
    sim.store.put("VM_metrics", of, "last_updated", date);
}

/// Stops a VM and lets go of everything.
pub(crate) fn halt(sim: &mut Sim, vm: &RawRef) {
    let of = vm.as_str();
    drop_suspend_image(sim, vm);
    leave_host(sim, vm);
    devices::detach_all(sim, vm);
    for vgpu in sim.store.refs("VM", of, "VGPUs") {
        sim.store.put("VGPU", vgpu.as_str(), "resident_on", NULL);
        sim.store.put("VGPU", vgpu.as_str(), "currently_attached", false);
    }
    for vusb in sim.store.refs("VM", of, "VUSBs") {
        sim.store.put("VUSB", vusb.as_str(), "currently_attached", false);
    }
    for pci in sim.store.refs("VM", of, "attached_PCIs") {
        let mut users = sim.store.refs("PCI", pci.as_str(), "attached_VMs");
        users.retain(|user| user != vm);
        let users: Vec<Value> = users.iter().map(Value::from).collect();
        sim.store.put("PCI", pci.as_str(), "attached_VMs", users);
    }
    sim.store.put("VM", of, "requires_reboot", false);
    sim.store.put("VM", of, "pending_guidances", Vec::new());
    sim.store.put("VM", of, "power_state", "Halted");
    let metrics = sim.store.reference("VM", of, "metrics");
    sim.store.put("VM_metrics", metrics.as_str(), "current_domain_type", "unspecified");
}

/// A new domain in the place of the old one.
pub(crate) fn reboot(sim: &mut Sim, vm: &RawRef) {
    let (of, date, domid) = (vm.as_str(), sim.date(), sim.new_domid());
    sim.store.put("VM", of, "domid", domid);
    sim.store.put("VM", of, "power_state", "Running");
    sim.store.put("VM", of, "requires_reboot", false);
    sim.store.put("VM", of, "pending_guidances", Vec::new());
    sim.down(vm);
    sim.up(vm);
    let metrics = metrics_of(sim, vm);
    let vcpus = sim.store.int("VM", of, "VCPUs_at_startup");
    sim.store.put("VM_metrics", metrics.as_str(), "VCPUs_number", vcpus);
    sim.store.put("VM_metrics", metrics.as_str(), "start_time", date);
    sim.store.put("VM_metrics", metrics.as_str(), "last_updated", date);
    let host = sim.store.reference("VM", of, "resident_on");
    make_console(sim, vm, &host);
    reset_guest(sim, vm);
    let record = boot_record(sim, vm);
    sim.store.put("VM", of, "last_booted_record", record);
}

/// Where a VM's memory goes when it is suspended.
pub(crate) fn suspend_sr(sim: &Sim, vm: &RawRef) -> Result<RawRef, Failure> {
    let pool = sim.store.first("pool").unwrap_or_default();
    let host = sim.store.reference("VM", vm.as_str(), "resident_on");
    let places = [
        sim.store.reference("VM", vm.as_str(), "suspend_SR"),
        sim.store.reference("pool", pool.as_str(), "suspend_image_SR"),
        sim.store.reference("host", host.as_str(), "suspend_image_sr"),
    ];
    let sr = places.into_iter().find(|sr| sim.store.contains("SR", sr.as_str()));
    let sr = sr.ok_or_else(|| Failure::new("VM_NO_SUSPEND_SR", [vm.as_str()]))?;
    if boot::room(sim, &sr) < boot::memory_used(sim, vm) {
        return Err(Failure::new("SR_SUSPEND_SPACE_INSUFFICIENT", [sr.as_str()]));
    }
    Ok(sr)
}

/// Writes a VM's memory to a disk and answers it.
pub(crate) fn save_memory(sim: &mut Sim, vm: &RawRef) -> Result<RawRef, Failure> {
    let sr = suspend_sr(sim, vm)?;
    let bytes = boot::memory_used(sim, vm);
    Ok(devices::new_vdi(sim, &sr, "Suspend image", bytes, "suspend"))
}

/// Suspends a VM: its devices stay attached.
pub(crate) fn suspend(sim: &mut Sim, vm: &RawRef) -> Result<(), Failure> {
    let vdi = save_memory(sim, vm)?;
    sim.store.put("VM", vm.as_str(), "suspend_VDI", &vdi);
    leave_host(sim, vm);
    sim.store.put("VM", vm.as_str(), "power_state", "Suspended");
    announce(sim, vm, "VM_SUSPENDED", "suspended");
    Ok(())
}

/// Goes on where a VM was suspended, on a host, in memory that was taken for it.
pub(crate) fn resume(sim: &mut Sim, vm: &RawRef, host: &RawRef, bytes: i64, paused: bool) {
    drop_suspend_image(sim, vm);
    settle_on(sim, vm, host, bytes, paused);
    announce(sim, vm, "VM_RESUMED", "resumed");
}

pub(crate) fn drop_suspend_image(sim: &mut Sim, vm: &RawRef) {
    let vdi = sim.store.reference("VM", vm.as_str(), "suspend_VDI");
    if sim.store.contains("VDI", vdi.as_str()) {
        devices::remove_vdi(sim, &vdi);
    }
    sim.store.put("VM", vm.as_str(), "suspend_VDI", NULL);
}
