//! New VMs out of old ones: clone, copy, snapshot.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{Failure, NULL, RawRef, Struct, Value};

use crate::Sim;
use crate::implicit::handle_invalid;
use crate::operations::{boot, devices, life, vdi};
use crate::store::Draft;

/// What kind of copy.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Copy {
    /// Disks are cloned, MAC addresses are new.
    Clone,
    /// Disks are copied whole, to an SR or, if that is null, to where they are.
    Full(RawRef),
    /// A snapshot: MAC addresses stay.
    Snapshot,
}

/// Checks the target of a full copy.
pub(crate) fn check(sim: &Sim, kind: &Copy) -> Result<(), Failure> {
    let Copy::Full(sr) = kind else { return Ok(()) };
    if sr.is_null() {
        return Ok(());
    }
    if !sim.store.contains("SR", sr.as_str()) {
        return Err(handle_invalid("SR", sr.as_str()));
    }
    if sim.store.text("SR", sr.as_str(), "content_type") == "iso" {
        return Err(Failure::new("OPERATION_NOT_ALLOWED", ["Cannot copy a VM's disks to an ISO SR"]));
    }
    Ok(())
}

/// The values of an object as the start of a new one, with a new uuid.
fn draft_of(sim: &mut Sim, class: &str, reference: &RawRef) -> Draft {
    let mut draft = sim.store.draft(class);
    if let Some(row) = sim.store.row(class, reference.as_str()) {
        draft.fields.clone_from(&row.fields);
    }
    draft.set("uuid", sim.random.uuid());
    for (field, value) in [("current_operations", Value::empty_struct()), ("currently_attached", Value::Bool(false))] {
        if sim.store.table(class).class.field_index(field).is_some() {
            draft.set(field, value);
        }
    }
    draft
}

/// What a snapshot of a VM is like.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Options {
    /// Disks that are left out.
    pub(crate) ignored: Vec<RawRef>,
    /// The guest's memory, for a checkpoint.
    pub(crate) memory: Option<RawRef>,
    /// The guest wrote its data to disk before.
    pub(crate) quiesced: bool,
}

/// Makes the copy and answers its reference.
pub(crate) fn replicate(sim: &mut Sim, vm: &RawRef, name: &str, kind: &Copy) -> RawRef {
    replicate_with(sim, vm, name, kind, &Options::default())
}

/// As [`replicate`], with a say in what becomes part of a snapshot.
pub(crate) fn replicate_with(sim: &mut Sim, vm: &RawRef, name: &str, kind: &Copy, options: &Options) -> RawRef {
    let is_snapshot = *kind == Copy::Snapshot;
    let mut draft = draft_of(sim, "VM", vm);
    let config = new_config(sim, vm, is_snapshot);
    draft.set("name_label", name);
    draft.set("power_state", if options.memory.is_some() { "Suspended" } else { "Halted" });
    draft.set("other_config", config);
    draft.set("is_default_template", false);
    draft.set("domid", -1);
    for field in ["resident_on", "scheduled_to_be_resident_on", "appliance", "protection_policy", "snapshot_schedule"] {
        draft.set(field, NULL);
    }
    draft.set("suspend_VDI", options.memory.as_ref().map_or(NULL, RawRef::as_str));
    // The other ends of relations fill most of these again.
    for field in [
        "VBDs",
        "VIFs",
        "VGPUs",
        "VTPMs",
        "VUSBs",
        "consoles",
        "snapshots",
        "children",
        "crash_dumps",
        "attached_PCIs",
        "groups",
        "pending_guidances",
    ] {
        draft.set(field, Vec::new());
    }
    for field in ["order", "start_delay", "shutdown_delay", "version"] {
        draft.set(field, 0);
    }
    for field in ["ha_always_run", "requires_reboot", "is_snapshot_from_vmpp", "is_vmss_snapshot"] {
        draft.set(field, false);
    }
    draft.set("ha_restart_priority", "");
    draft.set("blobs", Value::empty_struct());
    let metrics = vm_metrics(sim);
    draft.set("metrics", &metrics);
    draft.set("guest_metrics", NULL);
    if is_snapshot {
        mark_snapshot(sim, vm, &mut draft, options.quiesced);
    } else {
        draft.set("is_a_snapshot", false);
        draft.set("snapshot_of", NULL);
        draft.set("snapshot_info", Value::empty_struct());
        draft.set("snapshot_metadata", "");
        draft.set("parent", NULL);
    }
    let new = sim.random.reference();
    sim.store.insert(&new, draft);
    copy_devices_but(sim, vm, &new, kind, &options.ignored);
    if is_snapshot {
        sim.store.put("VM", vm.as_str(), "parent", &new);
    }
    sim.refresh_vm(&new);
    sim.refresh_vm(vm);
    new
}

/// Copies the disks and NICs of one VM to another.
pub(crate) fn copy_devices(sim: &mut Sim, from: &RawRef, to: &RawRef, kind: &Copy) {
    copy_devices_but(sim, from, to, kind, &[]);
}

fn copy_devices_but(sim: &mut Sim, from: &RawRef, to: &RawRef, kind: &Copy, ignored: &[RawRef]) {
    for vbd in sim.store.refs("VM", from.as_str(), "VBDs") {
        if !ignored.contains(&sim.store.reference("VBD", vbd.as_str(), "VDI")) {
            copy_disk(sim, &vbd, to, kind);
        }
    }
    for vif in sim.store.refs("VM", from.as_str(), "VIFs") {
        copy_vif(sim, &vif, to, *kind == Copy::Snapshot);
    }
}

/// The bytes that copies of a VM's disks need, by repository.
pub(crate) fn space_wanted(sim: &Sim, vm: &RawRef, kind: &Copy) -> Vec<(RawRef, i64)> {
    // Clones and snapshots share what they have in common.
    let Copy::Full(to) = kind else { return Vec::new() };
    let vdis = boot::disks(sim, vm).into_iter();
    vdis.map(|vdi| {
        let sr = if to.is_null() { sim.store.reference("VDI", vdi.as_str(), "SR") } else { to.clone() };
        (sr, sim.store.int("VDI", vdi.as_str(), "physical_utilisation"))
    })
    .collect()
}

fn new_config(sim: &mut Sim, vm: &RawRef, is_snapshot: bool) -> Struct {
    let of = vm.as_str();
    let config = sim.store.value("VM", of, "other_config").and_then(Value::as_struct).cloned().unwrap_or_default();
    if is_snapshot {
        return config;
    }
    let dropped = ["default_template", "xensource_internal", "mac_seed", "base_template_name"];
    let kept = config.iter().filter(|(key, _)| !dropped.contains(key));
    let mut new: Struct = kept.map(|(key, value)| (key.to_string(), value.clone())).collect();
    if sim.store.flag("VM", of, "is_a_template") {
        new.push("base_template_name", sim.store.text("VM", of, "name_label"));
    } else if let Some(base) = config.get("base_template_name") {
        new.push("base_template_name", base.clone());
    }
    new.push("mac_seed", sim.random.uuid());
    new
}

fn mark_snapshot(sim: &mut Sim, vm: &RawRef, draft: &mut Draft, quiesced: bool) {
    let of = vm.as_str();
    let mut info = Struct::new();
    info.push("power-state-at-snapshot", sim.store.text("VM", of, "power_state"));
    info.push("disk-snapshot-type", if quiesced { "quiesced" } else { "crash_consistent" });
    draft.set("is_a_snapshot", true);
    draft.set("is_a_template", true);
    draft.set("snapshot_of", vm);
    draft.set("snapshot_time", sim.date());
    draft.set("snapshot_info", info);
    draft.set("snapshot_metadata", life::boot_record(sim, vm));
    let parent = sim.store.reference("VM", of, "parent");
    draft.set("parent", &parent);
}

fn copy_disk(sim: &mut Sim, vbd: &RawRef, new: &RawRef, kind: &Copy) {
    let mut draft = draft_of(sim, "VBD", vbd);
    draft.set("VM", new);
    draft.set("device", "");
    let metrics = devices::metrics(sim, "VBD_metrics");
    draft.set("metrics", &metrics);
    let vdi = sim.store.reference("VBD", vbd.as_str(), "VDI");
    let is_disk = draft.text("type") == "Disk" && sim.store.contains("VDI", vdi.as_str());
    if is_disk {
        let disk = copy_vdi(sim, &vdi, kind);
        draft.set("VDI", &disk);
        let mut config = draft.get("other_config").as_struct().cloned().unwrap_or_default();
        config.set("owner", "");
        draft.set("other_config", config);
    }
    let reference = sim.random.reference();
    sim.store.insert(&reference, draft);
}

/// A disk made out of another one.
pub(crate) fn copy_vdi(sim: &mut Sim, vdi: &RawRef, kind: &Copy) -> RawRef {
    vdi::duplicate(sim, vdi, kind)
}

fn copy_vif(sim: &mut Sim, vif: &RawRef, new: &RawRef, keep_mac: bool) {
    let mut draft = draft_of(sim, "VIF", vif);
    draft.set("VM", new);
    let metrics = devices::metrics(sim, "VIF_metrics");
    draft.set("metrics", &metrics);
    if !keep_mac {
        let seed = sim.store.key("VM", new.as_str(), "other_config", "mac_seed").unwrap_or("").to_string();
        draft.set("MAC", devices::mac_of(&seed, draft.text("device")));
        draft.set("MAC_autogenerated", true);
    }
    let reference = sim.random.reference();
    sim.store.insert(&reference, draft);
}

/// Metrics of a VM that does not run.
pub(crate) fn vm_metrics(sim: &mut Sim) -> RawRef {
    let (reference, uuid, date) = (sim.random.reference(), sim.random.uuid(), sim.date());
    let draft = sim.store.draft("VM_metrics").with("uuid", uuid).with("last_updated", date);
    sim.store.insert(&reference, draft);
    reference
}

/// What a guest with its tools tells about itself.
pub(crate) fn guest_metrics(sim: &mut Sim, vm: &RawRef) -> RawRef {
    let (reference, uuid, date) = (sim.random.reference(), sim.random.uuid(), sim.date());
    let mut networks = Struct::new();
    for vif in sim.store.refs("VM", vm.as_str(), "VIFs") {
        let device: String = sim.store.text("VIF", vif.as_str(), "device").into();
        let mac = sim.store.text("VIF", vif.as_str(), "MAC");
        let ip = devices::address_of(mac);
        networks.push(format!("{device}/ip"), ip.as_str());
        networks.push(format!("{device}/ipv4/0"), ip);
    }
    let strings = |pairs: &[(&'static str, &'static str)]| -> Struct {
        pairs.iter().map(|(key, value)| (*key, Value::from(*value))).collect()
    };
    let draft = sim.store.draft("VM_guest_metrics");
    let draft = draft
        .with("uuid", uuid)
        .with(
            "os_version",
            strings(&[
                ("name", "Debian GNU/Linux 12 (bookworm)"),
                ("distro", "debian"),
                ("major", "12"),
                ("minor", "0"),
                ("uname", "6.1.0-21-amd64"),
            ]),
        )
        .with("PV_drivers_version", strings(&[("major", "8"), ("minor", "4"), ("micro", "0"), ("build", "1")]))
        .with("PV_drivers_up_to_date", true)
        .with("PV_drivers_detected", true)
        .with(
            "other",
            strings(&[
                ("feature-shutdown", "1"),
                ("feature-reboot", "1"),
                ("feature-suspend", "1"),
                ("feature-balloon", "1"),
                ("feature-static-ip-setting", "1"),
                ("feature-vcpu-hotplug", "1"),
            ]),
        )
        .with("networks", networks)
        .with("last_updated", date)
        .with("live", true)
        .with("can_use_hotplug_vbd", "yes")
        .with("can_use_hotplug_vif", "yes");
    sim.store.insert(&reference, draft);
    reference
}
