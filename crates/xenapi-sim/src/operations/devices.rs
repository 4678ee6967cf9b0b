//! Disks, NICs, storage connections and networks: what creating, plugging and destroying them entails.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{Failure, NULL, RawRef, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::operations::{Handler, rules};
use crate::store::Draft;

pub(crate) fn find(class: &str, message: &str) -> Option<Handler> {
    Some(match (class, message) {
        ("VBD", "plug") => Handler::Now(|sim, _, args| plug(sim, "VBD", args, true)),
        ("VBD", "unplug" | "unplug_force") => Handler::Now(|sim, _, args| plug(sim, "VBD", args, false)),
        ("VIF", "plug") => Handler::Now(|sim, _, args| plug(sim, "VIF", args, true)),
        ("VIF", "unplug" | "unplug_force") => Handler::Now(|sim, _, args| plug(sim, "VIF", args, false)),
        ("VIF", "move") => Handler::Now(|sim, _, args| {
            let vif = sim.need("VIF", args.text(0))?;
            let network = sim.need("network", args.text(1))?;
            sim.store.put("VIF", vif.as_str(), "network", &network);
            Ok(Value::VOID)
        }),
        ("VBD", "insert") => Handler::Now(insert),
        ("VBD", "eject") => Handler::Now(eject),
        ("PBD", "plug") => Handler::Now(|sim, _, args| {
            let pbd = sim.need("PBD", args.text(0))?;
            sim.store.put("PBD", pbd.as_str(), "currently_attached", true);
            Ok(Value::VOID)
        }),
        ("PBD", "unplug") => Handler::Now(unplug_pbd),
        _ => return None,
    })
}

/// `plug` and `unplug` of a disk or NIC.
fn plug(sim: &mut Sim, class: &'static str, args: &Args, wanted: bool) -> Result<Value, Failure> {
    let device = sim.need(class, args.text(0))?;
    let of = device.as_str();
    let vm = sim.store.reference(class, of, "VM");
    let power = sim.store.text("VM", vm.as_str(), "power_state");
    if power != "Running" {
        return Err(rules::bad_power(vm.as_str(), &["running"], power));
    }
    let attached = sim.store.flag(class, of, "currently_attached");
    if attached == wanted {
        let code = if wanted { "DEVICE_ALREADY_ATTACHED" } else { "DEVICE_ALREADY_DETACHED" };
        return Err(Failure::new(code, [of]));
    }
    if class == "VBD" && !sim.store.flag(class, of, "unpluggable") && !wanted {
        return Err(Failure::new("VBD_NOT_UNPLUGGABLE", [of]));
    }
    if class == "VBD" && wanted {
        check_disk(sim, &device)?;
    }
    set_attached(sim, class, &device, wanted);
    Ok(Value::VOID)
}

fn set_attached(sim: &mut Sim, class: &str, device: &RawRef, attached: bool) {
    let of = device.as_str();
    sim.store.put(class, of, "currently_attached", attached);
    if class == "VBD" {
        let name = device_name(sim.store.text("VBD", of, "userdevice"));
        sim.store.put("VBD", of, "device", if attached { name } else { String::new() });
    }
    let operations: &[&str] = match (class, attached) {
        ("VBD", true) => &["attach", "unpause", "pause", "unplug", "unplug_force"],
        ("VBD", false) => &["attach", "unpause", "insert", "eject", "plug", "pause"],
        (_, true) => &["attach", "unplug"],
        (_, false) => &["attach", "plug"],
    };
    let operations: Vec<Value> = operations.iter().map(|operation| Value::from(*operation)).collect();
    sim.store.put(class, of, "allowed_operations", operations);
}

/// What a new device allows.
pub(crate) fn after_create(sim: &mut Sim, class: &str, device: &RawRef) {
    let attached = sim.store.flag(class, device.as_str(), "currently_attached");
    set_attached(sim, class, device, attached);
}

/// What a disk allows.
pub(crate) const DISK_OPERATIONS: [&str; 7] = ["snapshot", "clone", "copy", "resize", "destroy", "forget", "update"];

fn disk_operations() -> Vec<Value> {
    DISK_OPERATIONS.iter().map(|operation| Value::from(*operation)).collect()
}

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
fn check_disk(sim: &Sim, vbd: &RawRef) -> Result<(), Failure> {
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

fn need_drive(sim: &Sim, args: &Args) -> Result<RawRef, Failure> {
    let vbd = sim.need("VBD", args.text(0))?;
    if sim.store.text("VBD", vbd.as_str(), "type") != "CD" {
        return Err(Failure::new("VBD_NOT_REMOVABLE_MEDIA", [vbd.as_str()]));
    }
    let vm = sim.store.reference("VBD", vbd.as_str(), "VM");
    match sim.store.text("VM", vm.as_str(), "power_state") {
        power @ ("Suspended" | "Paused") => Err(rules::bad_power(vm.as_str(), &["halted", "running"], power)),
        _ => Ok(vbd),
    }
}

fn insert(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let vbd = need_drive(sim, args)?;
    let vdi = sim.need("VDI", args.text(1))?;
    if !sim.store.flag("VBD", vbd.as_str(), "empty") {
        return Err(Failure::new("VBD_NOT_EMPTY", [vbd.as_str()]));
    }
    if !sim.store.flag("VDI", vdi.as_str(), "managed") {
        return Err(Failure::new("VDI_NOT_MANAGED", [vdi.as_str()]));
    }
    sim.store.put("VBD", vbd.as_str(), "VDI", &vdi);
    sim.store.put("VBD", vbd.as_str(), "empty", false);
    Ok(Value::VOID)
}

fn eject(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let vbd = need_drive(sim, args)?;
    if sim.store.flag("VBD", vbd.as_str(), "empty") {
        return Err(Failure::new("VBD_IS_EMPTY", [vbd.as_str()]));
    }
    sim.store.put("VBD", vbd.as_str(), "VDI", NULL);
    sim.store.put("VBD", vbd.as_str(), "empty", true);
    Ok(Value::VOID)
}

fn unplug_pbd(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let pbd = sim.need("PBD", args.text(0))?;
    let (sr, host) = (sim.store.reference("PBD", pbd.as_str(), "SR"), sim.store.reference("PBD", pbd.as_str(), "host"));
    let mut busy = Vec::new();
    for vdi in sim.store.refs("SR", sr.as_str(), "VDIs") {
        let used = sim.store.refs("VDI", vdi.as_str(), "VBDs").iter().any(|vbd| {
            let vm = sim.store.reference("VBD", vbd.as_str(), "VM");
            sim.store.flag("VBD", vbd.as_str(), "currently_attached")
                && sim.store.reference("VM", vm.as_str(), "resident_on") == host
        });
        if used {
            busy.push(String::from(vdi.as_str()));
        }
    }
    if !busy.is_empty() {
        return Err(Failure::new("VDI_IN_USE", busy));
    }
    sim.store.put("PBD", pbd.as_str(), "currently_attached", false);
    Ok(Value::VOID)
}

/// The slots of a VM that are taken.
fn taken(sim: &Sim, vm: &str, field: &str, class: &str) -> Vec<u32> {
    let slot = if class == "VBD" { "userdevice" } else { "device" };
    let devices = sim.store.refs("VM", vm, field);
    devices.iter().filter_map(|device| slot_of(sim.store.text(class, device.as_str(), slot))).collect()
}

/// The number of a slot: `2`, `xvdc`, `hdc` and `sdc` are the same.
fn slot_of(text: &str) -> Option<u32> {
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

pub(crate) fn before_create_vbd(sim: &mut Sim, draft: &mut Draft) -> Result<(), Failure> {
    let vm = sim.need("VM", draft.text("VM"))?;
    let (vdi, is_cd) = (RawRef::from(draft.text("VDI")), draft.text("type") == "CD");
    let empty = draft.get("empty").as_bool() == Some(true);
    if !empty {
        sim.need("VDI", vdi.as_str())?;
        let kind = sim.store.text("VDI", vdi.as_str(), "type");
        if matches!(kind, "cbt_metadata" | "ha_statefile" | "metadata" | "redo_log" | "rrd" | "pvs_cache") {
            return Err(Failure::new("VDI_INCOMPATIBLE_TYPE", [vdi.as_str(), kind]));
        }
    }
    if is_cd && draft.text("mode") != "RO" {
        return Err(Failure::new("VBD_CDS_MUST_BE_READONLY", [""; 0]));
    }
    if empty && !is_cd {
        return Err(Failure::new("VBD_NOT_REMOVABLE_MEDIA", ["in constructor"]));
    }
    if draft.text("mode") == "RW" && sim.store.flag("VDI", vdi.as_str(), "read_only") {
        return Err(Failure::new("VDI_READONLY", [vdi.as_str()]));
    }
    let taken = taken(sim, vm.as_str(), "VBDs", "VBD");
    let wanted = draft.text("userdevice").to_string();
    if wanted == "autodetect" {
        let slot = (0..255).find(|slot| !taken.contains(slot));
        let slot = slot.ok_or_else(|| Failure::new("INVALID_DEVICE", [wanted.as_str()]))?;
        draft.set("userdevice", slot.to_string());
    } else {
        let slot = slot_of(&wanted).filter(|slot| *slot < 255);
        let slot = slot.ok_or_else(|| Failure::new("INVALID_DEVICE", [wanted.as_str()]))?;
        if taken.contains(&slot) {
            return Err(Failure::new("DEVICE_ALREADY_EXISTS", [wanted]));
        }
    }
    if sim.store.text("VM", vm.as_str(), "power_state") != "Suspended" {
        draft.set("currently_attached", false);
        draft.set("device", "");
    }
    let metrics = metrics(sim, "VBD_metrics");
    draft.set("metrics", &metrics);
    Ok(())
}

pub(crate) fn before_create_vif(sim: &mut Sim, draft: &mut Draft) -> Result<(), Failure> {
    let vm = sim.need("VM", draft.text("VM"))?;
    sim.need("network", draft.text("network"))?;
    let device = draft.text("device").to_string();
    let number = device.parse::<u32>().ok().filter(|_| device.bytes().all(|byte| byte.is_ascii_digit()));
    let number = number.ok_or_else(|| Failure::new("INVALID_DEVICE", [device.as_str()]))?;
    if taken(sim, vm.as_str(), "VIFs", "VIF").contains(&number) {
        return Err(Failure::new("DEVICE_ALREADY_EXISTS", [device]));
    }
    let mac = draft.text("MAC").to_string();
    if mac.is_empty() {
        let seed = sim.store.key("VM", vm.as_str(), "other_config", "mac_seed").unwrap_or("").to_string();
        draft.set("MAC", mac_of(&seed, &device));
        draft.set("MAC_autogenerated", true);
    } else if !is_mac(&mac) {
        return Err(Failure::new("MAC_INVALID", [mac]));
    }
    if draft.text("locking_mode") != "network_default" {
        return Err(Failure::new("LICENCE_RESTRICTION", ["VIF_lock"]));
    }
    draft.set("currently_attached", false);
    let metrics = metrics(sim, "VIF_metrics");
    draft.set("metrics", &metrics);
    Ok(())
}

fn is_mac(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    parts.len() == 6 && parts.iter().all(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
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

pub(crate) fn before_create_vdi(sim: &mut Sim, draft: &mut Draft) -> Result<(), Failure> {
    let sr = sim.need("SR", draft.text("SR"))?;
    let pbds = sim.store.refs("SR", sr.as_str(), "PBDs");
    if !pbds.iter().any(|pbd| sim.store.flag("PBD", pbd.as_str(), "currently_attached")) {
        return Err(Failure::new("SR_HAS_NO_PBDS", [sr.as_str()]));
    }
    if draft.text("type") == "cbt_metadata" {
        return Err(Failure::new("VDI_INCOMPATIBLE_TYPE", [NULL, "cbt_metadata"]));
    }
    let (size, used) =
        (sim.store.int("SR", sr.as_str(), "physical_size"), sim.store.int("SR", sr.as_str(), "physical_utilisation"));
    let wanted = draft.get("virtual_size").as_int().unwrap_or(0);
    if size > 0 && used.saturating_add(wanted) > size {
        return Err(Failure::new("SR_FULL", [wanted.to_string(), (size - used).to_string()]));
    }
    let location = sim.random.uuid();
    draft.set("location", location);
    draft.set("managed", true);
    draft.set("allowed_operations", disk_operations());
    draft.set("physical_utilisation", wanted);
    sim.store.put("SR", sr.as_str(), "physical_utilisation", used + wanted);
    let allocated = sim.store.int("SR", sr.as_str(), "virtual_allocation");
    sim.store.put("SR", sr.as_str(), "virtual_allocation", allocated + wanted);
    Ok(())
}

/// Counts a disk into its SR (`sign` 1) or out of it (-1).
pub(crate) fn account(sim: &mut Sim, vdi: &RawRef, sign: i64) {
    let of = vdi.as_str();
    let sr = sim.store.reference("VDI", of, "SR");
    for (field, of_disk) in [("physical_utilisation", "physical_utilisation"), ("virtual_allocation", "virtual_size")] {
        let bytes = sim.store.int("SR", sr.as_str(), field) + sign * sim.store.int("VDI", of, of_disk);
        sim.store.put("SR", sr.as_str(), field, bytes.max(0));
    }
}

/// A disk that the server makes for itself.
pub(crate) fn new_vdi(sim: &mut Sim, sr: &RawRef, name: &str, bytes: i64, kind: &str) -> RawRef {
    let (reference, uuid) = (sim.random.reference(), sim.random.uuid());
    let draft = sim.store.draft("VDI").with("location", &uuid).with("uuid", uuid).with("name_label", name);
    let draft = draft.with("SR", sr).with("virtual_size", bytes).with("physical_utilisation", bytes);
    let draft = draft.with("type", kind).with("managed", true).with("allowed_operations", disk_operations());
    sim.store.insert(&reference, draft);
    account(sim, &reference, 1);
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
    sim.store.remove(class, device.as_str());
}

fn drop_metrics(sim: &mut Sim, class: &str, of_metrics: &str, device: &RawRef) {
    let metrics = sim.store.reference(class, device.as_str(), "metrics");
    sim.store.remove(of_metrics, metrics.as_str());
}

pub(crate) fn before_destroy_vbd(sim: &mut Sim, vbd: &RawRef) -> Result<(), Failure> {
    let of = vbd.as_str();
    if sim.store.flag("VBD", of, "currently_attached") {
        let vm = sim.store.reference("VBD", of, "VM");
        let (own, other) = (sim.store.text("VBD", of, "uuid"), sim.store.text("VM", vm.as_str(), "uuid"));
        let text = format!("VBD '{own}' still attached to '{other}'");
        return Err(Failure::new("OPERATION_NOT_ALLOWED", [text]));
    }
    drop_metrics(sim, "VBD", "VBD_metrics", vbd);
    Ok(())
}

pub(crate) fn before_destroy_vif(sim: &mut Sim, vif: &RawRef) -> Result<(), Failure> {
    let of = vif.as_str();
    let vm = sim.store.reference("VIF", of, "VM");
    if sim.store.text("VM", vm.as_str(), "power_state") == "Running" && sim.store.flag("VIF", of, "currently_attached") {
        return Err(Failure::new("OPERATION_NOT_ALLOWED", ["VIF currently attached to a running VM"]));
    }
    drop_metrics(sim, "VIF", "VIF_metrics", vif);
    Ok(())
}

pub(crate) fn before_destroy_vdi(sim: &mut Sim, vdi: &RawRef) -> Result<(), Failure> {
    let of = vdi.as_str();
    let vbds = sim.store.refs("VDI", of, "VBDs");
    if vbds.iter().any(|vbd| sim.store.flag("VBD", vbd.as_str(), "currently_attached")) {
        return Err(Failure::new("VDI_IN_USE", [of, "destroy"]));
    }
    let sr = sim.store.reference("VDI", of, "SR");
    if sim.store.text("SR", sr.as_str(), "type") == "udev" {
        return Err(Failure::new("VDI_IS_A_PHYSICAL_DEVICE", [of]));
    }
    if sim.store.flag("SR", sr.as_str(), "is_tools_sr") {
        return Err(Failure::new("SR_OPERATION_NOT_SUPPORTED", [sr.as_str()]));
    }
    if sim.store.text("VDI", of, "type") == "rrd" {
        return Err(Failure::new("VDI_HAS_RRDS", [of]));
    }
    account(sim, vdi, -1);
    for vbd in vbds {
        remove_device(sim, "VBD", &vbd);
    }
    Ok(())
}

pub(crate) fn before_create_pbd(sim: &mut Sim, draft: &mut Draft) -> Result<(), Failure> {
    let (host, sr) = (sim.need("host", draft.text("host"))?, sim.need("SR", draft.text("SR"))?);
    let existing = sim.store.refs("SR", sr.as_str(), "PBDs");
    let same = existing.iter().find(|pbd| sim.store.reference("PBD", pbd.as_str(), "host") == host);
    if let Some(same) = same {
        return Err(Failure::new("PBD_EXISTS", [sr.as_str(), host.as_str(), same.as_str()]));
    }
    let config = draft.get("device_config").as_struct();
    if let Some(value) = config.and_then(|config| config.get("SRmaster")).and_then(Value::as_text) {
        let reason = "SRmaster is set by the server";
        return Err(Failure::new("VALUE_NOT_SUPPORTED", ["device_config:SRmaster", value, reason]));
    }
    draft.set("currently_attached", false);
    Ok(())
}

pub(crate) fn before_destroy_pbd(sim: &mut Sim, pbd: &RawRef) -> Result<(), Failure> {
    if sim.store.flag("PBD", pbd.as_str(), "currently_attached") {
        return Err(Failure::new("OPERATION_NOT_ALLOWED", ["PBD is currently attached"]));
    }
    Ok(())
}

pub(crate) fn before_create_network(sim: &mut Sim, draft: &mut Draft) -> Result<(), Failure> {
    let bridges: Vec<&str> = {
        let table = sim.store.table("network");
        let at = table.class.field_index("bridge").unwrap_or_default();
        table.rows.values().filter_map(|row| row.fields.get(at)?.as_text()).collect()
    };
    let bridge = draft.text("bridge").to_string();
    if bridge.is_empty() {
        let free = (0..).map(|number| format!("xapi{number}")).find(|name| !bridges.contains(&name.as_str()));
        draft.set("bridge", free.unwrap_or_default());
    } else {
        let reserved = ["xen", "xapi", "vif", "tap", "eth"].iter().any(|prefix| bridge.starts_with(prefix));
        if bridge.len() > 15 || reserved {
            return Err(Failure::new("INVALID_VALUE", ["bridge", &bridge]));
        }
        if bridges.contains(&bridge.as_str()) {
            return Err(Failure::new("BRIDGE_NAME_EXISTS", [bridge]));
        }
    }
    if draft.get("MTU").as_int().unwrap_or(0) <= 0 {
        draft.set("MTU", 1500);
    }
    Ok(())
}

pub(crate) fn before_destroy_network(sim: &mut Sim, network: &RawRef) -> Result<(), Failure> {
    let of = network.as_str();
    let text = |reference: &RawRef| String::from(reference.as_str());
    if sim.store.key("network", of, "other_config", "is_host_internal_management_network") == Some("true") {
        return Err(Failure::new("CANNOT_DESTROY_SYSTEM_NETWORK", [of]));
    }
    let vifs = sim.store.refs("network", of, "VIFs");
    let attached: Vec<&RawRef> =
        vifs.iter().filter(|vif| sim.store.flag("VIF", vif.as_str(), "currently_attached")).collect();
    if !attached.is_empty() {
        return Err(Failure::new("NETWORK_CONTAINS_VIF", attached.into_iter().map(text)));
    }
    let pifs = sim.store.refs("network", of, "PIFs");
    if !pifs.is_empty() {
        return Err(Failure::new("NETWORK_CONTAINS_PIF", pifs.iter().map(text)));
    }
    for vif in vifs {
        remove_device(sim, "VIF", &vif);
    }
    Ok(())
}

/// Takes a PIF out, and its metrics.
pub(crate) fn remove_pif(sim: &mut Sim, pif: &RawRef) {
    drop_metrics(sim, "PIF", "PIF_metrics", pif);
    sim.store.remove("PIF", pif.as_str());
}
