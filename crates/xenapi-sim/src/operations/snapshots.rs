//! Going back to a snapshot, and making a template into a VM.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{Failure, NULL, RawRef, Struct, Value};

use crate::Sim;
use crate::operations::replicate::{self, Copy};
use crate::operations::{devices, rules};

/// Fields that a VM keeps when it goes back to a snapshot: who it is, and how it stands to others.
const KEPT: &[&str] = &[
    "uuid",
    "name_label",
    "is_a_template",
    "is_default_template",
    "is_a_snapshot",
    "snapshot_of",
    "snapshots",
    "snapshot_time",
    "snapshot_info",
    "snapshot_metadata",
    "parent",
    "children",
    "tags",
    "groups",
    "affinity",
    "appliance",
    "metrics",
    "guest_metrics",
    "power_state",
    "resident_on",
    "domid",
    "VBDs",
    "VIFs",
    "consoles",
    "allowed_operations",
    "current_operations",
    "blocked_operations",
];

/// The VM that a snapshot goes back to.
pub(crate) fn target(sim: &Sim, snapshot: &RawRef) -> Result<RawRef, Failure> {
    sim.need("VM", snapshot.as_str())?;
    let vm = sim.store.reference("VM", snapshot.as_str(), "snapshot_of");
    if !sim.store.contains("VM", vm.as_str()) {
        return Err(Failure::new("VM_REVERT_FAILED", [snapshot.as_str(), vm.as_str()]));
    }
    rules::check(sim, snapshot, "revert")?;
    Ok(vm)
}

/// Goes back: the VM gets the snapshot's settings and clones of its disks.
pub(crate) fn revert(sim: &mut Sim, vm: &RawRef, snapshot: &RawRef) {
    let class = sim.store.table("VM").class;
    for field in class.fields.iter().filter(|field| !KEPT.contains(&field.name)) {
        if let Some(value) = sim.store.value("VM", snapshot.as_str(), field.name).cloned() {
            let is_computed = field.relation.is_some_and(|relation| !relation.stored);
            if !is_computed {
                sim.store.put("VM", vm.as_str(), field.name, value);
            }
        }
    }
    for vbd in sim.store.refs("VM", vm.as_str(), "VBDs") {
        let (is_disk, vdi) = {
            let of = vbd.as_str();
            (sim.store.text("VBD", of, "type") == "Disk", sim.store.reference("VBD", of, "VDI"))
        };
        devices::remove_device(sim, "VBD", &vbd);
        if is_disk && sim.store.contains("VDI", vdi.as_str()) {
            devices::remove_vdi(sim, &vdi);
        }
    }
    for vif in sim.store.refs("VM", vm.as_str(), "VIFs") {
        devices::remove_device(sim, "VIF", &vif);
    }
    replicate::copy_devices(sim, snapshot, vm, &Copy::Snapshot);
    // The copies are disks of a VM that lives, not of a snapshot.
    for vbd in sim.store.refs("VM", vm.as_str(), "VBDs") {
        let vdi = sim.store.reference("VBD", vbd.as_str(), "VDI");
        if sim.store.text("VBD", vbd.as_str(), "type") == "Disk" {
            sim.store.put("VDI", vdi.as_str(), "is_a_snapshot", false);
            sim.store.put("VDI", vdi.as_str(), "snapshot_of", NULL);
        }
    }
    sim.store.put("VM", vm.as_str(), "parent", snapshot);
}

/// A disk that a template wants.
pub(crate) struct Wanted {
    device: String,
    bytes: i64,
    sr: RawRef,
    bootable: bool,
}

/// The disks that `other_config:disks` asks for.
pub(crate) fn wanted_disks(sim: &Sim, vm: &RawRef) -> Result<Vec<Wanted>, Failure> {
    let text = sim.store.key("VM", vm.as_str(), "other_config", "disks").unwrap_or("");
    let mut wanted = Vec::new();
    for disk in text.split("<disk ").skip(1) {
        let disk = disk.split('>').next().unwrap_or("");
        let attribute = |name: &str| {
            let (_, rest) = disk.split_once(&format!("{name}=\""))?;
            rest.split('"').next().map(ToString::to_string)
        };
        let uuid = attribute("sr").unwrap_or_default();
        let sr = xenapi_model::class("SR").and_then(|class| sim.by_uuid(class, &uuid).ok());
        let sr = sr.ok_or_else(|| Failure::new("UUID_INVALID", ["sr", &uuid]))?;
        let bytes = attribute("size").and_then(|size| size.parse().ok()).unwrap_or(0);
        let device = attribute("device").unwrap_or_default();
        wanted.push(Wanted { device, bytes, sr, bootable: attribute("bootable").as_deref() == Some("true") });
    }
    Ok(wanted)
}

/// Makes the disks, and the template a VM.
pub(crate) fn provision(sim: &mut Sim, vm: &RawRef, disks: Vec<Wanted>) {
    for disk in disks {
        let vdi = devices::new_vdi(sim, &disk.sr, &disk.device, disk.bytes, "system");
        let (reference, uuid) = (sim.random.reference(), sim.random.uuid());
        let metrics = devices::metrics(sim, "VBD_metrics");
        let owner: Struct = core::iter::once(("owner", Value::VOID)).collect();
        let draft = sim.store.draft("VBD").with("uuid", uuid).with("VM", vm).with("VDI", &vdi).with("metrics", &metrics);
        let draft = draft.with("userdevice", disk.device).with("bootable", disk.bootable).with("mode", "RW");
        let draft = draft.with("type", "Disk").with("other_config", owner);
        sim.store.insert(&reference, draft);
    }
    let of = vm.as_str();
    sim.store.drop_key("VM", of, "other_config", "disks");
    sim.store.drop_key("VM", of, "other_config", "postinstall");
    sim.store.put("VM", of, "is_a_template", false);
    sim.store.put("VM", of, "is_default_template", false);
    let (metrics, date) = (sim.store.reference("VM", of, "metrics"), sim.date());
    sim.store.put("VM_metrics", metrics.as_str(), "install_time", date);
}
