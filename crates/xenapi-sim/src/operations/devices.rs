//! What disks and NICs have in common: slots, names, addresses, and being plugged.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{Failure, RawRef, Value};

use crate::Sim;
use crate::operations::storage;

pub(crate) use crate::operations::storage::account;

/// Writes whether a disk or NIC is in use, and what follows from it.
pub(crate) fn set_attached(sim: &mut Sim, class: &str, device: &RawRef, attached: bool) {
    let of = device.as_str();
    sim.store.put(class, of, "currently_attached", attached);
    if class == "VBD" {
        let name = device_name(sim.store.text("VBD", of, "userdevice"));
        sim.store.put("VBD", of, "device", if attached { name } else { String::new() });
        let vdi = sim.store.reference("VBD", of, "VDI");
        sim.refresh_allowed("VDI", &vdi);
    }
    sim.refresh_allowed(class, device);
}

/// What a disk allows that nobody uses, in a repository whose driver can do everything.
pub(crate) const DISK_OPERATIONS: [&str; 7] = ["snapshot", "clone", "copy", "resize", "destroy", "forget", "update"];

/// What a guest calls the disk in that slot.
pub(crate) fn device_name(userdevice: &str) -> String {
    let letter = |at: u32| char::from_u32(u32::from(b'a') + at).unwrap_or('a');
    match userdevice.parse::<u32>() {
        Ok(at) if at < 26 => format!("xvd{}", letter(at)),
        Ok(at) if at < 702 => format!("xvd{}{}", letter(at / 26 - 1), letter(at % 26)),
        _ => userdevice.to_string(),
    }
}

/// All disks and NICs of a VM are in use from now on.
pub(crate) fn attach_all(sim: &mut Sim, vm: &RawRef) {
    for (class, field) in [("VBD", "VBDs"), ("VIF", "VIFs")] {
        for device in sim.store.refs("VM", vm.as_str(), field) {
            set_attached(sim, class, &device, true);
        }
    }
}

/// No disk or NIC of a VM is in use any more.
pub(crate) fn detach_all(sim: &mut Sim, vm: &RawRef) {
    for (class, field) in [("VBD", "VBDs"), ("VIF", "VIFs")] {
        for device in sim.store.refs("VM", vm.as_str(), field) {
            set_attached(sim, class, &device, false);
            sim.store.put(class, device.as_str(), "current_operations", Value::empty_struct());
        }
    }
}

/// Whether every disk of a VM is free.
pub(crate) fn check_disks(sim: &Sim, vm: &RawRef) -> Result<(), Failure> {
    sim.store.refs("VM", vm.as_str(), "VBDs").iter().try_for_each(|vbd| check_disk(sim, vbd))
}

/// Whether a disk is free: nobody else writes to it, or it may be shared.
pub(crate) fn check_disk(sim: &Sim, vbd: &RawRef) -> Result<(), Failure> {
    let vdi = sim.store.reference("VBD", vbd.as_str(), "VDI");
    if !sim.store.contains("VDI", vdi.as_str()) || sim.store.flag("VDI", vdi.as_str(), "sharable") {
        return Ok(());
    }
    let writes = |vbd: &RawRef| sim.store.text("VBD", vbd.as_str(), "mode") == "RW";
    let others = sim.store.refs("VDI", vdi.as_str(), "VBDs").into_iter().filter(|other| other != vbd);
    let mut others = others.filter(|other| sim.store.flag("VBD", other.as_str(), "currently_attached"));
    if others.any(|other| writes(vbd) || writes(&other)) {
        return Err(Failure::new("VDI_IN_USE", [vdi.as_str()]));
    }
    Ok(())
}

/// The slots of a VM that are taken.
pub(crate) fn taken(sim: &Sim, vm: &str, field: &str, class: &str) -> Vec<u32> {
    let slot = if class == "VBD" { "userdevice" } else { "device" };
    let devices = sim.store.refs("VM", vm, field);
    devices.iter().filter_map(|device| slot_of(sim.store.text(class, device.as_str(), slot))).collect()
}

/// The number of a slot: `2`, `xvdc`, `hdc` and `sdc` are the same.
pub(crate) fn slot_of(text: &str) -> Option<u32> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    let letters = ["xvd", "hd", "sd"].iter().find_map(|prefix| text.strip_prefix(prefix))?;
    let mut number = 0_u32;
    for byte in letters.bytes() {
        if !byte.is_ascii_lowercase() {
            return None;
        }
        number = number.checked_mul(26)?.checked_add(u32::from(byte - b'a') + 1)?;
    }
    number.checked_sub(1)
}

/// `VM.get_allowed_VBD_devices` and its like: the free slots.
pub(crate) fn free(sim: &Sim, vm: &str, field: &str, class: &str, count: u32) -> Result<Value, Failure> {
    sim.need("VM", vm)?;
    let taken = taken(sim, vm, field, class);
    let free = (0..count).filter(|slot| !taken.contains(slot));
    Ok(Value::Array(free.map(|slot| Value::from(slot.to_string())).collect()))
}

/// A number out of a text (FNV-1a), the same on every machine.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The MAC address of a NIC: locally administered, the same for the same seed and device.
pub(crate) fn mac_of(seed: &str, device: &str) -> String {
    let b = hash(&format!("{seed}/{device}")).to_le_bytes();
    let first = (b[0] & 0xfc) | 0x02;
    format!("{first:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", b[1], b[2], b[3], b[4], b[5])
}

/// The address that a guest got for its MAC address.
pub(crate) fn address_of(mac: &str) -> String {
    let b = hash(mac).to_le_bytes();
    format!("10.{}.{}.{}", 16 + b[0] % 16, b[1], 1 + b[2] % 254)
}

/// Metrics of a device that has moved nothing yet.
pub(crate) fn metrics(sim: &mut Sim, class: &str) -> RawRef {
    let (reference, uuid) = (sim.random.reference(), sim.random.uuid());
    let draft = sim.store.draft(class).with("uuid", uuid);
    sim.store.insert(&reference, draft);
    reference
}

/// A disk that the server makes for itself.
pub(crate) fn new_vdi(sim: &mut Sim, sr: &RawRef, name: &str, bytes: i64, kind: &str) -> RawRef {
    let (reference, uuid) = (sim.random.reference(), sim.random.uuid());
    // What the server writes itself is written at once; a guest's disk starts empty.
    let used = if matches!(kind, "user" | "system") { storage::initial_use(sim, sr, bytes) } else { bytes };
    let draft = sim.store.draft("VDI").with("location", &uuid).with("uuid", uuid).with("name_label", name);
    let draft = draft.with("SR", sr).with("virtual_size", bytes).with("physical_utilisation", used);
    sim.store.insert(&reference, draft.with("type", kind).with("managed", true));
    account(sim, &reference, 1);
    sim.refresh_allowed("VDI", &reference);
    reference
}

/// Takes a disk out, and its VBDs.
pub(crate) fn remove_vdi(sim: &mut Sim, vdi: &RawRef) {
    account(sim, vdi, -1);
    for vbd in sim.store.refs("VDI", vdi.as_str(), "VBDs") {
        remove_device(sim, "VBD", &vbd);
    }
    sim.store.remove("VDI", vdi.as_str());
}

/// Takes a device out, and its metrics.
pub(crate) fn remove_device(sim: &mut Sim, class: &str, device: &RawRef) {
    let of_metrics = match class {
        "VBD" => Some("VBD_metrics"),
        "VIF" => Some("VIF_metrics"),
        _ => None,
    };
    if let Some(of_metrics) = of_metrics {
        let metrics = sim.store.reference(class, device.as_str(), "metrics");
        sim.store.remove(of_metrics, metrics.as_str());
    }
    let vdi = if class == "VBD" { sim.store.reference(class, device.as_str(), "VDI") } else { RawRef::null() };
    sim.store.remove(class, device.as_str());
    sim.refresh_allowed("VDI", &vdi);
}

pub(crate) fn drop_metrics(sim: &mut Sim, class: &str, of_metrics: &str, device: &RawRef) {
    let metrics = sim.store.reference(class, device.as_str(), "metrics");
    sim.store.remove(of_metrics, metrics.as_str());
}

/// Takes a PIF out, and its metrics.
pub(crate) fn remove_pif(sim: &mut Sim, pif: &RawRef) {
    drop_metrics(sim, "PIF", "PIF_metrics", pif);
    sim.store.remove("PIF", pif.as_str());
}
