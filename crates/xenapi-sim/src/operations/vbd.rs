//! Disks and drives of VMs.

use alloc::format;
use alloc::string::ToString;

use xenapi_core::{Failure, NULL, RawRef, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::operations::steps::{Work, slow};
use crate::operations::{Handler, allowed, devices, rules, storage};
use crate::store::Draft;

pub(crate) fn find(message: &str) -> Option<Handler> {
    Some(match message {
        "plug" => Handler::Job(|_, _, args| {
            slow(Work::new("VBD", args.text(0), "plug", 500), check_plug, |sim, vbd| {
                devices::set_attached(sim, "VBD", vbd, true);
                Ok(Value::VOID)
            })
        }),
        "unplug" => Handler::Job(|_, _, args| {
            let check = |sim: &Sim, vbd: &RawRef| allowed::check_vbd(sim, vbd.as_str(), "unplug");
            slow(Work::new("VBD", args.text(0), "unplug", 500), check, unplug)
        }),
        "unplug_force" => Handler::Job(|_, _, args| {
            let check = |sim: &Sim, vbd: &RawRef| allowed::check_vbd(sim, vbd.as_str(), "unplug_force");
            slow(Work::new("VBD", args.text(0), "unplug_force", 200), check, unplug)
        }),
        "insert" => Handler::Job(|_, _, args| {
            let vdi = RawRef::from(args.text(1));
            let check = |sim: &Sim, vbd: &RawRef| allowed::check_vbd(sim, vbd.as_str(), "insert");
            slow(Work::new("VBD", args.text(0), "insert", 200), check, move |sim, vbd| insert(sim, vbd, &vdi))
        }),
        "eject" => Handler::Job(|_, _, args| {
            let check = |sim: &Sim, vbd: &RawRef| allowed::check_vbd(sim, vbd.as_str(), "eject");
            slow(Work::new("VBD", args.text(0), "eject", 200), check, |sim, vbd| {
                let vdi = sim.store.reference("VBD", vbd.as_str(), "VDI");
                sim.store.put("VBD", vbd.as_str(), "VDI", NULL);
                sim.store.put("VBD", vbd.as_str(), "empty", true);
                sim.refresh_allowed("VBD", vbd);
                sim.refresh_allowed("VDI", &vdi);
                Ok(Value::VOID)
            })
        }),
        "set_mode" => Handler::Now(set_mode),
        "assert_attachable" => Handler::Now(|sim, _, args| {
            let vbd = sim.need("VBD", args.text(0))?;
            check_attachable(sim, &vbd).map(|()| Value::VOID)
        }),
        _ => return None,
    })
}

/// Whether the disk behind a VBD can be used where its VM runs.
fn check_attachable(sim: &Sim, vbd: &RawRef) -> Result<(), Failure> {
    let vdi = sim.store.reference("VBD", vbd.as_str(), "VDI");
    if sim.store.flag("VBD", vbd.as_str(), "empty") {
        return Ok(());
    }
    sim.need("VDI", vdi.as_str())?;
    if sim.store.flag("VDI", vdi.as_str(), "missing") {
        let sr = sim.store.reference("VDI", vdi.as_str(), "SR");
        return Err(Failure::new("VDI_MISSING", [sr.as_str(), vdi.as_str()]));
    }
    if sim.store.text("VBD", vbd.as_str(), "mode") == "RW" && sim.store.flag("VDI", vdi.as_str(), "read_only") {
        return Err(Failure::new("VDI_READONLY", [vdi.as_str()]));
    }
    devices::check_disk(sim, vbd)
}

/// Fails with `VM_REQUIRES_SR` where a VM's host has no connection to the repository of a disk.
fn check_reachable(sim: &Sim, vm: &RawRef, vdi: &RawRef) -> Result<(), Failure> {
    let sr = sim.store.reference("VDI", vdi.as_str(), "SR");
    let host = sim.store.reference("VM", vm.as_str(), "resident_on");
    if host.is_null() || !sim.store.contains("SR", sr.as_str()) {
        return Ok(());
    }
    let connects = |pbd: &RawRef| {
        sim.store.reference("PBD", pbd.as_str(), "host") == host && sim.store.flag("PBD", pbd.as_str(), "currently_attached")
    };
    if sim.store.refs("SR", sr.as_str(), "PBDs").iter().any(connects) {
        return storage::check_alive(sim, &sr);
    }
    Err(Failure::new("VM_REQUIRES_SR", [vm.as_str(), sr.as_str()]))
}

fn check_plug(sim: &Sim, vbd: &RawRef) -> Result<(), Failure> {
    allowed::check_vbd(sim, vbd.as_str(), "plug")?;
    check_attachable(sim, vbd)?;
    let (vm, vdi) = (sim.store.reference("VBD", vbd.as_str(), "VM"), sim.store.reference("VBD", vbd.as_str(), "VDI"));
    check_reachable(sim, &vm, &vdi)
}

fn unplug(sim: &mut Sim, vbd: &RawRef) -> Result<Value, Failure> {
    devices::set_attached(sim, "VBD", vbd, false);
    Ok(Value::VOID)
}

fn insert(sim: &mut Sim, vbd: &RawRef, vdi: &RawRef) -> Result<Value, Failure> {
    let vdi = sim.need("VDI", vdi.as_str())?;
    if !sim.store.flag("VDI", vdi.as_str(), "managed") {
        return Err(Failure::new("VDI_NOT_MANAGED", [vdi.as_str()]));
    }
    let vm = sim.store.reference("VBD", vbd.as_str(), "VM");
    if sim.store.flag("VBD", vbd.as_str(), "currently_attached") {
        check_reachable(sim, &vm, &vdi)?;
    }
    sim.store.put("VBD", vbd.as_str(), "VDI", &vdi);
    sim.store.put("VBD", vbd.as_str(), "empty", false);
    sim.refresh_allowed("VBD", vbd);
    sim.refresh_allowed("VDI", &vdi);
    Ok(Value::VOID)
}

fn set_mode(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let vbd = sim.need("VBD", args.text(0))?;
    let vm = sim.store.reference("VBD", vbd.as_str(), "VM");
    let power = sim.store.text("VM", vm.as_str(), "power_state");
    if power != "Halted" {
        return Err(rules::bad_power(vm.as_str(), &["halted"], power));
    }
    if args.text(1) == "RW" && sim.store.text("VBD", vbd.as_str(), "type") == "CD" {
        return Err(Failure::new("VBD_CDS_MUST_BE_READONLY", [""; 0]));
    }
    let value = args.take(1);
    sim.store.put("VBD", vbd.as_str(), "mode", value);
    Ok(Value::VOID)
}

pub(crate) fn before_create(sim: &mut Sim, draft: &mut Draft) -> Result<(), Failure> {
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
    allowed::check_vm_stays(sim, &vm)?;
    choose_slot(sim, &vm, draft)?;
    if empty {
        draft.set("VDI", NULL);
    }
    if sim.store.text("VM", vm.as_str(), "power_state") != "Suspended" {
        draft.set("currently_attached", false);
        draft.set("device", "");
    }
    let metrics = devices::metrics(sim, "VBD_metrics");
    draft.set("metrics", &metrics);
    Ok(())
}

fn choose_slot(sim: &Sim, vm: &RawRef, draft: &mut Draft) -> Result<(), Failure> {
    let taken = devices::taken(sim, vm.as_str(), "VBDs", "VBD");
    let wanted = draft.text("userdevice").to_string();
    let invalid = || Failure::new("INVALID_DEVICE", [wanted.as_str()]);
    if wanted == "autodetect" {
        let slot = (0..255).find(|slot| !taken.contains(slot)).ok_or_else(invalid)?;
        draft.set("userdevice", slot.to_string());
        return Ok(());
    }
    let slot = devices::slot_of(&wanted).filter(|slot| *slot < 255).ok_or_else(invalid)?;
    if taken.contains(&slot) {
        return Err(Failure::new("DEVICE_ALREADY_EXISTS", [wanted]));
    }
    Ok(())
}

pub(crate) fn after_create(sim: &mut Sim, vbd: &RawRef) {
    let attached = sim.store.flag("VBD", vbd.as_str(), "currently_attached");
    devices::set_attached(sim, "VBD", vbd, attached);
}

pub(crate) fn before_destroy(sim: &mut Sim, vbd: &RawRef) -> Result<(), Failure> {
    let of = vbd.as_str();
    if sim.store.flag("VBD", of, "currently_attached") {
        let vm = sim.store.reference("VBD", of, "VM");
        let (own, other) = (sim.store.text("VBD", of, "uuid"), sim.store.text("VM", vm.as_str(), "uuid"));
        let text = format!("VBD '{own}' still attached to '{other}'");
        return Err(Failure::new("OPERATION_NOT_ALLOWED", [text]));
    }
    devices::drop_metrics(sim, "VBD", "VBD_metrics", vbd);
    Ok(())
}
