//! Connections of hosts to storage repositories.

use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{Failure, RawRef, Struct, Value};

use crate::Sim;
use crate::operations::steps::{Work, slow};
use crate::operations::{Handler, secrets, storage};
use crate::store::Draft;

pub(crate) fn find(message: &str) -> Option<Handler> {
    Some(match message {
        "plug" => Handler::Job(|_, _, args| {
            slow(Work::quiet("PBD", args.text(0), 1000), check_plug, |sim, pbd| {
                plug(sim, pbd);
                let sr = sim.store.reference("PBD", pbd.as_str(), "SR");
                sim.measure_repository(&sr);
                sim.find_disks(&sr);
                Ok(Value::VOID)
            })
        }),
        "unplug" => Handler::Job(|_, _, args| {
            slow(Work::quiet("PBD", args.text(0), 500), check_unplug, |sim, pbd| {
                unplug(sim, pbd);
                Ok(Value::VOID)
            })
        }),
        "set_device_config" => Handler::Now(|sim, _, args| {
            let pbd = sim.need("PBD", args.text(0))?;
            let config = args.value(1).and_then(Value::as_struct).cloned().unwrap_or_default();
            check_config(&config)?;
            let config = secrets::hide(sim, config);
            sim.store.put("PBD", pbd.as_str(), "device_config", config);
            Ok(Value::VOID)
        }),
        _ => return None,
    })
}

fn check_plug(sim: &Sim, pbd: &RawRef) -> Result<(), Failure> {
    let of = pbd.as_str();
    if sim.store.flag("PBD", of, "currently_attached") {
        return Ok(());
    }
    let (sr, host) = (sim.store.reference("PBD", of, "SR"), sim.store.reference("PBD", of, "host"));
    let kind = sim.store.text("SR", sr.as_str(), "type");
    if sim.store.count("SM") > 0 && storage::driver_of(sim, kind).is_none() {
        return Err(Failure::new("SR_UNKNOWN_DRIVER", [kind]));
    }
    if !sim.store.flag("SR", sr.as_str(), "shared") && storage::need_attached(sim, &sr).is_ok() {
        return Err(Failure::new("SR_NOT_SHARABLE", [sr.as_str(), host.as_str()]));
    }
    storage::check_alive(sim, &sr)
}

/// Connects a host.
pub(crate) fn plug(sim: &mut Sim, pbd: &RawRef) {
    write(sim, pbd, true);
}

/// Writes whether a host is connected. What the repository allows changes with the first connection and the last one.
fn write(sim: &mut Sim, pbd: &RawRef, attached: bool) {
    let sr = sim.store.reference("PBD", pbd.as_str(), "SR");
    let before = storage::need_attached(sim, &sr).is_ok();
    sim.store.put("PBD", pbd.as_str(), "currently_attached", attached);
    if storage::need_attached(sim, &sr).is_ok() != before {
        sim.refresh_repository(&sr);
    }
}

/// The disks that VMs on a connection's host use.
pub(crate) fn disks_in_use(sim: &Sim, pbd: &RawRef) -> Vec<RawRef> {
    let (sr, host) = (sim.store.reference("PBD", pbd.as_str(), "SR"), sim.store.reference("PBD", pbd.as_str(), "host"));
    let used = |vdi: &RawRef| {
        sim.store.refs("VDI", vdi.as_str(), "VBDs").iter().any(|vbd| {
            let vm = sim.store.reference("VBD", vbd.as_str(), "VM");
            sim.store.flag("VBD", vbd.as_str(), "currently_attached")
                && sim.store.reference("VM", vm.as_str(), "resident_on") == host
        })
    };
    sim.store.refs("SR", sr.as_str(), "VDIs").into_iter().filter(used).collect()
}

fn check_unplug(sim: &Sim, pbd: &RawRef) -> Result<(), Failure> {
    if !sim.store.flag("PBD", pbd.as_str(), "currently_attached") {
        return Ok(());
    }
    let busy = disks_in_use(sim, pbd);
    if busy.is_empty() { Ok(()) } else { Err(Failure::new("VDI_IN_USE", busy.iter().map(|vdi| String::from(vdi.as_str())))) }
}

/// Disconnects a host.
pub(crate) fn unplug(sim: &mut Sim, pbd: &RawRef) {
    write(sim, pbd, false);
}

fn check_config(config: &Struct) -> Result<(), Failure> {
    if let Some(value) = config.get("SRmaster").and_then(Value::as_text) {
        let reason = "SRmaster is set by the server";
        return Err(Failure::new("VALUE_NOT_SUPPORTED", ["device_config:SRmaster", value, reason]));
    }
    Ok(())
}

pub(crate) fn before_create(sim: &mut Sim, draft: &mut Draft) -> Result<(), Failure> {
    let (host, sr) = (sim.need("host", draft.text("host"))?, sim.need("SR", draft.text("SR"))?);
    let existing = sim.store.refs("SR", sr.as_str(), "PBDs");
    let same = existing.iter().find(|pbd| sim.store.reference("PBD", pbd.as_str(), "host") == host);
    if let Some(same) = same {
        return Err(Failure::new("PBD_EXISTS", [sr.as_str(), host.as_str(), same.as_str()]));
    }
    let config = draft.get("device_config").as_struct().cloned().unwrap_or_default();
    check_config(&config)?;
    let config = secrets::hide(sim, config);
    draft.set("device_config", config);
    draft.set("currently_attached", false);
    Ok(())
}

pub(crate) fn before_destroy(sim: &mut Sim, pbd: &RawRef) -> Result<(), Failure> {
    if sim.store.flag("PBD", pbd.as_str(), "currently_attached") {
        return Err(Failure::new("OPERATION_NOT_ALLOWED", ["PBD is currently attached"]));
    }
    secrets::forget(sim, pbd);
    Ok(())
}

/// A connection that the server makes itself.
pub(crate) fn new_pbd(sim: &mut Sim, host: &RawRef, sr: &RawRef, config: &Struct) -> RawRef {
    let (pbd, uuid) = (sim.random.reference(), sim.random.uuid());
    let config = secrets::hide(sim, config.clone());
    let draft = sim.store.draft("PBD").with("uuid", uuid).with("host", host).with("SR", sr);
    sim.store.insert(&pbd, draft.with("device_config", config).with("currently_attached", false));
    pbd
}
