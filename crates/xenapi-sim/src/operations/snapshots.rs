//! Going back to a snapshot, and making a template into a VM.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_codec::{Limits, xmlrpc::read_value_text};
use xenapi_core::{Failure, NULL, RawRef, Struct, Value};

use crate::Sim;
use crate::operations::replicate::{self, Copy, Options};
use crate::operations::{devices, life, rules};

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
    "scheduled_to_be_resident_on",
    "suspend_VDI",
    "protection_policy",
    "snapshot_schedule",
    "order",
    "start_delay",
    "shutdown_delay",
    "ha_restart_priority",
    "ha_always_run",
    "crash_dumps",
    "blobs",
];

/// The VM that a snapshot goes back to; one that is gone comes back with its old uuid.
pub(crate) fn target(sim: &mut Sim, snapshot: &RawRef) -> Result<RawRef, Failure> {
    sim.need("VM", snapshot.as_str())?;
    let vm = sim.store.reference("VM", snapshot.as_str(), "snapshot_of");
    let is_alive = sim.store.contains("VM", vm.as_str());
    let failed = || Failure::new("VM_REVERT_FAILED", [snapshot.as_str(), vm.as_str()]);
    let remembered = if is_alive { None } else { Some(remembered(sim, snapshot).ok_or_else(failed)?) };
    rules::check(sim, snapshot, "revert")?;
    Ok(match remembered {
        Some(uuid) => recreate(sim, snapshot, &vm, &uuid),
        None => vm,
    })
}

/// The uuid of the VM that a snapshot was made of, if no other VM has it.
fn remembered(sim: &Sim, snapshot: &RawRef) -> Option<String> {
    if !sim.store.flag("VM", snapshot.as_str(), "is_a_snapshot") {
        return None;
    }
    let text = sim.store.text("VM", snapshot.as_str(), "snapshot_metadata");
    let record = read_value_text(text, &Limits::default()).ok()?;
    let uuid = record.as_struct()?.get("uuid")?.as_text()?.to_string();
    let is_free = !uuid.is_empty() && xenapi_model::class("VM").is_some_and(|class| sim.by_uuid(class, &uuid).is_err());
    is_free.then_some(uuid)
}

/// Makes a VM again out of one of its snapshots; all its snapshots are of the new one then.
fn recreate(sim: &mut Sim, snapshot: &RawRef, old: &RawRef, uuid: &str) -> RawRef {
    let siblings = sim.store.all("VM").into_iter();
    let siblings: Vec<RawRef> =
        siblings.filter(|vm| sim.store.reference("VM", vm.as_str(), "snapshot_of") == *old).collect();
    let name = sim.store.text("VM", snapshot.as_str(), "snapshot_metadata");
    let record = read_value_text(name, &Limits::default()).ok();
    let remembered = |field: &str| Some(record.as_ref()?.as_struct()?.get(field)?.as_text()?.to_string());
    let name = remembered("name_label").unwrap_or_default();
    let vm = replicate::replicate(sim, snapshot, &name, &Copy::Clone);
    sim.store.put("VM", vm.as_str(), "uuid", uuid);
    sim.store.put("VM", vm.as_str(), "is_a_template", false);
    for sibling in siblings {
        sim.store.put("VM", sibling.as_str(), "snapshot_of", &vm);
    }
    sim.refresh_vm(&vm);
    vm
}

/// Goes back: the VM gets the snapshot's settings and clones of its disks, and its memory if it was a checkpoint.
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
    let mut replaced: Vec<(String, RawRef)> = Vec::new();
    for vbd in sim.store.refs("VM", vm.as_str(), "VBDs") {
        let of = vbd.as_str();
        let (is_disk, vdi) = (sim.store.text("VBD", of, "type") == "Disk", sim.store.reference("VBD", of, "VDI"));
        if is_disk {
            replaced.push((sim.store.text("VBD", of, "userdevice").into(), vdi.clone()));
        }
        devices::remove_device(sim, "VBD", &vbd);
        if is_disk && sim.store.contains("VDI", vdi.as_str()) {
            devices::remove_vdi(sim, &vdi);
        }
    }
    for vif in sim.store.refs("VM", vm.as_str(), "VIFs") {
        devices::remove_device(sim, "VIF", &vif);
    }
    replicate::copy_devices(sim, snapshot, vm, &Copy::Snapshot);
    // The copies are disks of a VM that lives, not of a snapshot; the snapshots of the disks that they replace are theirs now.
    for vbd in sim.store.refs("VM", vm.as_str(), "VBDs") {
        let vdi = sim.store.reference("VBD", vbd.as_str(), "VDI");
        if sim.store.text("VBD", vbd.as_str(), "type") == "Disk" {
            sim.store.put("VDI", vdi.as_str(), "is_a_snapshot", false);
            sim.store.put("VDI", vdi.as_str(), "snapshot_of", NULL);
            let slot = sim.store.text("VBD", vbd.as_str(), "userdevice");
            let old = replaced.iter().find(|(other, _)| other == slot).map(|(_, old)| old.clone());
            for orphan in old.map(|old| snapshots_of(sim, snapshot, &old)).unwrap_or_default() {
                sim.store.put("VDI", orphan.as_str(), "snapshot_of", &vdi);
            }
        }
    }
    let image = sim.store.reference("VM", snapshot.as_str(), "suspend_VDI");
    if sim.store.contains("VDI", image.as_str()) {
        let copy = replicate::copy_vdi(sim, &image, &Copy::Clone);
        sim.store.put("VM", vm.as_str(), "suspend_VDI", &copy);
        sim.store.put("VM", vm.as_str(), "power_state", "Suspended");
    }
    sim.store.put("VM", vm.as_str(), "parent", snapshot);
}

/// The disks of a snapshot and its siblings that were made of a disk.
fn snapshots_of(sim: &Sim, snapshot: &RawRef, disk: &RawRef) -> Vec<RawRef> {
    let vm = sim.store.reference("VM", snapshot.as_str(), "snapshot_of");
    let vbds =
        sim.store.refs("VM", vm.as_str(), "snapshots").into_iter().flat_map(|vm| sim.store.refs("VM", vm.as_str(), "VBDs"));
    let vdis = vbds.map(|vbd| sim.store.reference("VBD", vbd.as_str(), "VDI"));
    vdis.filter(|vdi| sim.store.reference("VDI", vdi.as_str(), "snapshot_of") == *disk).collect()
}

/// Makes a checkpoint: a snapshot with the guest's memory.
pub(crate) fn checkpoint(sim: &mut Sim, vm: &RawRef, name: &str) -> Result<RawRef, Failure> {
    let image = sim.store.reference("VM", vm.as_str(), "suspend_VDI");
    let memory = if sim.store.contains("VDI", image.as_str()) {
        replicate::copy_vdi(sim, &image, &Copy::Clone)
    } else {
        life::save_memory(sim, vm)?
    };
    let options = Options { memory: Some(memory), ..Options::default() };
    let new = replicate::replicate_with(sim, vm, name, &Copy::Snapshot, &options);
    if sim.store.text("VM", vm.as_str(), "power_state") == "Running" {
        // It was suspended and resumed meanwhile.
        let domid = sim.new_domid();
        sim.store.put("VM", vm.as_str(), "domid", domid);
    }
    Ok(new)
}

/// A disk that a template wants.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    device: String,
    pub(crate) bytes: i64,
    pub(crate) sr: RawRef,
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
        let bytes = attribute("size").and_then(|size| size.parse().ok()).map_or(0, |size: i64| size.max(0));
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
    let (metrics, date) = (life::metrics_of(sim, vm), sim.date());
    sim.store.put("VM_metrics", metrics.as_str(), "install_time", date);
}
