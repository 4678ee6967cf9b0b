//! What disks, NICs, virtual disks and storage repositories allow now, and why not, in xapi's order.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{Failure, RawRef, Struct, Type, Value};

use crate::Sim;
use crate::operations::{rules, storage};

/// Operations of a VM during which its devices stay as they are.
const VM_IS_BUSY: &[&str] =
    &["clean_shutdown", "hard_shutdown", "clean_reboot", "hard_reboot", "suspend", "snapshot", "checkpoint", "pool_migrate"];

/// Operations that a virtual disk takes while it is in use.
const WHILE_IN_USE: &[&str] = &[
    "snapshot",
    "clone",
    "resize_online",
    "enable_cbt",
    "disable_cbt",
    "data_destroy",
    "list_changed_blocks",
    "mirror",
    "revert_to",
    "blocked",
    "set_on_boot",
];

fn current<'a>(sim: &'a Sim, class: &str, reference: &str) -> Option<&'a Struct> {
    let map = sim.store.value(class, reference, "current_operations").and_then(Value::as_struct);
    map.filter(|map| !map.is_empty())
}

/// `OTHER_OPERATION_IN_PROGRESS`, which makes a call wait for its turn.
pub(crate) fn in_progress(class: &str, reference: &str, (task, operation): (&str, &Value)) -> Failure {
    Failure::new("OTHER_OPERATION_IN_PROGRESS", [class, reference, operation.as_text().unwrap_or(""), task])
}

fn not_allowed(text: impl Into<String>) -> Failure {
    Failure::new("OPERATION_NOT_ALLOWED", [text.into()])
}

fn is_hvm(sim: &Sim, vm: &str) -> bool {
    match sim.store.text("VM", vm, "domain_type") {
        "hvm" => true,
        "pv" | "pvh" | "pv_in_pvh" => false,
        _ => !sim.store.text("VM", vm, "HVM_boot_policy").is_empty(),
    }
}

/// The checks that disks and NICs share: nothing else is under way, the VM runs, and plugged is what it has to be.
fn check_hotplug(sim: &Sim, class: &str, device: &str, operation: &str) -> Result<(), Failure> {
    if let Some(first) = current(sim, class, device).and_then(|all| all.nth(0)) {
        return Err(in_progress(class, device, first));
    }
    if !matches!(operation, "plug" | "unplug" | "unplug_force") {
        return Ok(());
    }
    let vm = sim.store.reference(class, device, "VM");
    let vm = vm.as_str();
    let power = sim.store.text("VM", vm, "power_state");
    if power != "Running" {
        return Err(rules::bad_power(vm, &["running"], power));
    }
    match (sim.store.flag(class, device, "currently_attached"), operation) {
        (true, "plug") => return Err(Failure::new("DEVICE_ALREADY_ATTACHED", [device])),
        (false, "unplug" | "unplug_force") => return Err(Failure::new("DEVICE_ALREADY_DETACHED", [device])),
        _ => {}
    }
    let in_the_way = current(sim, "VM", vm).and_then(|all| {
        all.iter().find(|(_, operation)| operation.as_text().is_some_and(|operation| VM_IS_BUSY.contains(&operation)))
    });
    in_the_way.map_or(Ok(()), |first| Err(in_progress("VM", vm, first)))
}

/// Fails while a VM is on its way to another host: its devices stay as they are then.
pub(crate) fn check_vm_stays(sim: &Sim, vm: &RawRef) -> Result<(), Failure> {
    let moves = |operation: &Value| matches!(operation.as_text(), Some("pool_migrate" | "migrate_send"));
    let found = current(sim, "VM", vm.as_str()).and_then(|all| all.iter().find(|(_, operation)| moves(operation)));
    found.map_or(Ok(()), |found| Err(in_progress("VM", vm.as_str(), found)))
}

/// Checks whether a VBD allows an operation now.
pub(crate) fn check_vbd(sim: &Sim, vbd: &str, operation: &str) -> Result<(), Failure> {
    check_hotplug(sim, "VBD", vbd, operation)?;
    let vm = sim.store.reference("VBD", vbd, "VM");
    let vm = vm.as_str();
    let is_drive = sim.store.text("VBD", vbd, "type") == "CD";
    match operation {
        "insert" | "eject" => {
            if !is_drive {
                return Err(Failure::new("VBD_NOT_REMOVABLE_MEDIA", [vbd]));
            }
            if let power @ ("Suspended" | "Paused") = sim.store.text("VM", vm, "power_state") {
                return Err(rules::bad_power(vm, &["halted", "running"], power));
            }
            match (sim.store.flag("VBD", vbd, "empty"), operation) {
                (true, "eject") => Err(Failure::new("VBD_IS_EMPTY", [vbd])),
                (false, "insert") => Err(Failure::new("VBD_NOT_EMPTY", [vbd])),
                _ => Ok(()),
            }
        }
        "plug" | "unplug" | "unplug_force" => {
            let is_hvm = is_hvm(sim, vm);
            if is_hvm && is_drive {
                return Err(not_allowed("HVM CDROMs cannot be hotplugged/unplugged; use insert or eject instead"));
            }
            if operation != "plug" && !sim.store.flag("VBD", vbd, "unpluggable") {
                return Err(Failure::new("VBD_NOT_UNPLUGGABLE", [vbd]));
            }
            if is_hvm && !rules::listens(sim, vm) {
                return Err(Failure::new("VM_MISSING_PV_DRIVERS", [vm]));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Checks whether a VIF allows an operation now.
pub(crate) fn check_vif(sim: &Sim, vif: &str, operation: &str) -> Result<(), Failure> {
    check_hotplug(sim, "VIF", vif, operation)?;
    if !matches!(operation, "plug" | "unplug" | "unplug_force") {
        return Ok(());
    }
    let network = sim.store.reference("VIF", vif, "network");
    let pifs = sim.store.refs("network", network.as_str(), "PIFs");
    if pifs.iter().any(|pif| !sim.store.refs("PIF", pif.as_str(), "sriov_logical_PIF_of").is_empty()) {
        return Err(not_allowed("A network SR-IOV VIF cannot be plugged or unplugged while the VM runs"));
    }
    let vm = sim.store.reference("VIF", vif, "VM");
    if is_hvm(sim, vm.as_str()) && !rules::listens(sim, vm.as_str()) {
        return Err(Failure::new("VM_MISSING_PV_DRIVERS", [vm.as_str()]));
    }
    Ok(())
}

/// The feature of a driver that an operation on a virtual disk needs.
fn feature_of(operation: &str) -> Option<&'static str> {
    Some(match operation {
        "snapshot" => "VDI_SNAPSHOT",
        "clone" => "VDI_CLONE",
        "resize" => "VDI_RESIZE",
        "resize_online" => "VDI_RESIZE_ONLINE",
        "destroy" => "VDI_DELETE",
        "update" => "VDI_UPDATE",
        "mirror" => "VDI_MIRROR",
        "generate_config" => "VDI_GENERATE_CONFIG",
        "enable_cbt" | "disable_cbt" | "data_destroy" | "list_changed_blocks" => "VDI_CONFIG_CBT",
        "set_on_boot" => "VDI_RESET_ON_BOOT",
        _ => return None,
    })
}

/// Fails if another operation is under way on a virtual disk, or one of its VBDs uses it in the way of this one.
fn check_vdi_idle(sim: &Sim, vdi: &str, operation: &str) -> Result<(), Failure> {
    let is_copy = |other: &Value| operation == "copy" && other.as_text() == Some("copy");
    let other = current(sim, "VDI", vdi).and_then(|all| all.iter().find(|(_, other)| !is_copy(other)));
    if let Some(other) = other {
        return Err(in_progress("VDI", vdi, other));
    }
    let blocks = |vbd: &RawRef| {
        sim.store.flag("VBD", vbd.as_str(), "currently_attached")
            && (operation != "copy" || sim.store.text("VBD", vbd.as_str(), "mode") != "RO")
    };
    if !WHILE_IN_USE.contains(&operation) && sim.store.refs("VDI", vdi, "VBDs").iter().any(blocks) {
        return Err(Failure::new("VDI_IN_USE", [vdi, operation]));
    }
    Ok(())
}

/// Checks whether a virtual disk allows an operation now.
pub(crate) fn check_vdi(sim: &Sim, vdi: &str, operation: &str) -> Result<(), Failure> {
    check_vdi_idle(sim, vdi, operation)?;
    let sr = sim.store.reference("VDI", vdi, "SR");
    if !matches!(operation, "forget" | "destroy") {
        storage::need_attached(sim, &sr)?;
    }
    let kind = sim.store.text("VDI", vdi, "type");
    if operation == "destroy" {
        // These reasons say more than that the driver cannot do it.
        check_vdi_removable(sim, vdi, sr.as_str())?;
    }
    if let Some(feature) = feature_of(operation)
        && !storage::has_feature(sim, &sr, feature)
    {
        return Err(Failure::new("SR_OPERATION_NOT_SUPPORTED", [sr.as_str()]));
    }
    let resets = sim.store.text("VDI", vdi, "on_boot") == "reset";
    let is_snapshot = sim.store.flag("VDI", vdi, "is_a_snapshot");
    match operation {
        "forget" if kind == "rrd" => Err(Failure::new("VDI_HAS_RRDS", [vdi])),
        "snapshot" | "mirror" if resets => Err(Failure::new("VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION", [""; 0])),
        "copy" if matches!(kind, "ha_statefile" | "redo_log") => Err(not_allowed(
            "VDI containing HA statefile or redo log cannot be copied (check the VDI's allowed operations).",
        )),
        "enable_cbt" | "disable_cbt" if is_snapshot => Err(not_allowed(format!("VDI is a snapshot: {vdi}"))),
        "enable_cbt" | "disable_cbt" if !matches!(kind, "user" | "system") => {
            Err(Failure::new("VDI_INCOMPATIBLE_TYPE", [vdi, kind]))
        }
        "enable_cbt" | "disable_cbt" if resets => Err(Failure::new("VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION", [""; 0])),
        "data_destroy" if !is_snapshot => Err(not_allowed(format!("VDI is not a snapshot: {vdi}"))),
        "data_destroy" if !sim.store.flag("VDI", vdi, "cbt_enabled") => Err(Failure::new("VDI_NO_CBT_METADATA", [vdi])),
        _ if kind == "cbt_metadata" && !matches!(operation, "forget" | "destroy" | "list_changed_blocks") => {
            Err(Failure::new("VDI_INCOMPATIBLE_TYPE", [vdi, kind]))
        }
        _ => Ok(()),
    }
}

fn check_vdi_removable(sim: &Sim, vdi: &str, sr: &str) -> Result<(), Failure> {
    if sim.store.text("SR", sr, "type") == "udev" {
        return Err(Failure::new("VDI_IS_A_PHYSICAL_DEVICE", [vdi]));
    }
    if sim.store.flag("SR", sr, "is_tools_sr") {
        return Err(Failure::new("SR_OPERATION_NOT_SUPPORTED", [sr]));
    }
    if sim.store.text("VDI", vdi, "type") == "rrd" {
        return Err(Failure::new("VDI_HAS_RRDS", [vdi]));
    }
    Ok(())
}

/// The feature of a driver that an operation on a repository needs.
fn feature_of_sr(operation: &str) -> Option<&'static str> {
    Some(match operation {
        "vdi_create" => "VDI_CREATE",
        "vdi_introduce" => "VDI_INTRODUCE",
        "update" => "SR_UPDATE",
        _ => return feature_of(operation.strip_prefix("vdi_")?),
    })
}

/// Checks whether a repository allows an operation now.
pub(crate) fn check_sr(sim: &Sim, sr: &str, operation: &str) -> Result<(), Failure> {
    let reference = RawRef::from(sr);
    if let Some(feature) = feature_of_sr(operation)
        && !storage::has_feature(sim, &reference, feature)
    {
        return Err(Failure::new("SR_OPERATION_NOT_SUPPORTED", [sr]));
    }
    if matches!(operation, "forget" | "destroy") && storage::need_attached(sim, &reference).is_ok() {
        return Err(Failure::new("SR_HAS_PBD", [sr]));
    }
    if operation == "destroy" {
        if sim.store.refs("SR", sr, "PBDs").is_empty() {
            return Err(Failure::new("SR_HAS_NO_PBDS", [sr]));
        }
        let managed = |vdi: &RawRef| {
            sim.store.flag("VDI", vdi.as_str(), "managed") && sim.store.text("VDI", vdi.as_str(), "type") != "rrd"
        };
        if sim.store.refs("SR", sr, "VDIs").iter().any(managed) {
            return Err(Failure::new("SR_NOT_EMPTY", [""; 0]));
        }
    }
    // Work on single disks and connections goes on side by side; the rest wants the repository for itself.
    let is_shared = |operation: &str| matches!(operation, "plug" | "unplug" | "update") || operation.starts_with("vdi_");
    let other = current(sim, "SR", sr)
        .and_then(|all| all.iter().find(|(_, other)| !(is_shared(operation) && other.as_text().is_some_and(is_shared))));
    other.map_or(Ok(()), |other| Err(in_progress("SR", sr, other)))
}

/// Operations that stand in the schema, but that no message starts here.
fn is_listed(class: &str, operation: &str) -> bool {
    match class {
        "VDI" => !matches!(
            operation,
            "force_unlock" | "generate_config" | "blocked" | "revert_to" | "revert_from" | "list_changed_blocks"
        ),
        "SR" => !matches!(operation, "vdi_blocked" | "vdi_force_unlock" | "vdi_generate_config" | "vdi_list_changed_blocks"),
        _ => true,
    }
}

fn check(sim: &Sim, class: &str, reference: &str, operation: &str) -> Result<(), Failure> {
    match class {
        "VBD" => check_vbd(sim, reference, operation),
        "VIF" => check_vif(sim, reference, operation),
        "VDI" => check_vdi(sim, reference, operation),
        "SR" => check_sr(sim, reference, operation),
        _ => Ok(()),
    }
}

/// Whether an object allows an operation now.
#[cfg(test)]
pub(crate) fn is_allowed(sim: &Sim, class: &str, reference: &RawRef, operation: &str) -> bool {
    check(sim, class, reference.as_str(), operation).is_ok()
}

/// What `allowed_operations` of a disk, NIC, virtual disk or repository lists.
fn allowed(sim: &Sim, class: &str, reference: &str) -> Option<Value> {
    let field = sim.store.table(class).class.field("allowed_operations")?;
    let Type::Set(Type::Enum(desc)) = &field.ty else { return None };
    let listed = desc.values.iter().filter(|operation| is_listed(class, operation));
    let listed = listed.filter(|operation| check(sim, class, reference, operation).is_ok());
    Some(Value::Array(listed.map(|operation| Value::from(*operation)).collect()))
}

impl Sim {
    /// Computes `allowed_operations` of an object anew, where its class has rules.
    pub(crate) fn refresh_allowed(&mut self, class: &str, reference: &RawRef) {
        match class {
            "VM" => self.refresh_vm(reference),
            "VBD" | "VIF" | "VDI" | "SR" if !self.around.is_under_construction => {
                if !self.store.contains(class, reference.as_str()) {
                    return;
                }
                if let Some(allowed) = allowed(self, class, reference.as_str()) {
                    self.store.put(class, reference.as_str(), "allowed_operations", allowed);
                }
            }
            _ => {}
        }
    }

    /// The same for the disks and NICs of a VM: what they allow depends on its state.
    pub(crate) fn refresh_devices(&mut self, vm: &RawRef) {
        if self.around.is_under_construction {
            return;
        }
        for (class, field) in [("VBD", "VBDs"), ("VIF", "VIFs")] {
            for device in self.store.refs("VM", vm.as_str(), field) {
                self.refresh_allowed(class, &device);
            }
        }
    }

    /// The same for every disk of a repository and for the repository itself.
    pub(crate) fn refresh_repository(&mut self, sr: &RawRef) {
        self.refresh_allowed("SR", sr);
        for vdi in self.store.refs("SR", sr.as_str(), "VDIs") {
            self.refresh_allowed("VDI", &vdi);
        }
    }

    /// The same for all objects of the classes that have such rules here, in a pool that was just made. Most are alike, so each
    /// state is worked out once.
    pub(crate) fn refresh_everything(&mut self) {
        self.around.is_under_construction = false;
        for class in ["VBD", "VIF", "VDI", "SR"] {
            let mut known: BTreeMap<Vec<String>, Value> = BTreeMap::new();
            for reference in self.store.all(class) {
                let state = state_of(self, class, reference.as_str());
                if !known.contains_key(&state) {
                    let Some(value) = allowed(self, class, reference.as_str()) else { continue };
                    known.insert(state.clone(), value);
                }
                if let Some(value) = known.get(&state) {
                    self.store.put(class, reference.as_str(), "allowed_operations", value.clone());
                }
            }
        }
        for pool in self.store.all("pool") {
            super::refresh(self, "pool", &pool);
        }
    }
}

/// All that decides what an idle object allows.
fn state_of(sim: &Sim, class: &str, of: &str) -> Vec<String> {
    let store = &sim.store;
    let flag = |class: &str, of: &str, field: &str| String::from(if store.flag(class, of, field) { "1" } else { "0" });
    let text = |field: &str| String::from(store.text(class, of, field));
    match class {
        "VBD" | "VIF" => {
            let vm = store.reference(class, of, "VM");
            let vm = vm.as_str();
            let mut state = alloc::vec![
                store.text("VM", vm, "power_state").into(),
                flag(class, of, "currently_attached"),
                alloc::format!("{}{}", is_hvm(sim, vm), rules::listens(sim, vm)),
            ];
            if class == "VIF" {
                state.push(text("network"));
            } else {
                state.extend([text("type"), flag(class, of, "empty"), flag(class, of, "unpluggable")]);
            }
            state
        }
        "VDI" => {
            let used = store
                .refs(class, of, "VBDs")
                .into_iter()
                .filter(|vbd| store.flag("VBD", vbd.as_str(), "currently_attached"));
            let modes = used.map(|vbd| store.text("VBD", vbd.as_str(), "mode"));
            let modes: Vec<&str> = modes.collect();
            let used = if modes.is_empty() {
                ""
            } else if modes.contains(&"RW") {
                "RW"
            } else {
                "RO"
            };
            alloc::vec![
                used.into(),
                text("SR"),
                text("type"),
                text("on_boot"),
                flag(class, of, "is_a_snapshot"),
                flag(class, of, "cbt_enabled"),
            ]
        }
        _ => alloc::vec![of.into()],
    }
}
