//! Storage repositories and disks.

use alloc::boxed::Box;
use alloc::vec::Vec;

use xenapi_core::{Failure, Millis, RawRef, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::operations::replicate::{self, Copy};
use crate::operations::{Handler, devices};
use crate::tasks::{Hold, Operation, Start};

pub(crate) fn find(class: &str, message: &str) -> Option<Handler> {
    Some(match (class, message) {
        ("SR", "get_supported_types") => Handler::Now(|sim, _, _| {
            let drivers = sim.store.table("SM").rows.values();
            let at = sim.store.table("SM").class.field_index("type");
            Ok(Value::Array(drivers.filter_map(|row| at.map(|at| row.fields[at].clone())).collect()))
        }),
        ("SR", "scan") => Handler::Now(|sim, _, args| {
            let sr = sim.need("SR", args.text(0))?;
            need_attached(sim, &sr).map(|()| Value::VOID)
        }),
        ("SR", "set_shared") => Handler::Now(|sim, _, args| {
            let sr = sim.need("SR", args.text(0))?;
            sim.store.put("SR", sr.as_str(), "shared", args.flag(1));
            Ok(Value::VOID)
        }),
        ("SR", "forget") => Handler::Now(|sim, _, args| {
            let sr = sim.need("SR", args.text(0))?;
            check_detached(sim, &sr)?;
            remove_sr(sim, &sr);
            Ok(Value::VOID)
        }),
        ("SR", "destroy") => Handler::Now(destroy_sr),
        ("VDI", "snapshot") => Handler::Job(|_, _, args| copy(args, Copy::Snapshot, "snapshot")),
        ("VDI", "clone") => Handler::Job(|_, _, args| copy(args, Copy::Clone, "clone")),
        ("VDI", "copy") => Handler::Job(|_, _, args| copy(args, Copy::Full(RawRef::from(args.text(1))), "copy")),
        ("VDI", "resize" | "resize_online") => Handler::Now(resize),
        ("VDI", "forget") => Handler::Now(|sim, _, args| {
            let vdi = sim.need("VDI", args.text(0))?;
            check_unused(sim, &vdi, "forget")?;
            devices::remove_vdi(sim, &vdi);
            Ok(Value::VOID)
        }),
        _ => return None,
    })
}

/// Fails unless a host is connected to the repository.
fn need_attached(sim: &Sim, sr: &RawRef) -> Result<(), Failure> {
    let pbds = sim.store.refs("SR", sr.as_str(), "PBDs");
    if pbds.iter().any(|pbd| sim.store.flag("PBD", pbd.as_str(), "currently_attached")) {
        return Ok(());
    }
    Err(Failure::new("SR_HAS_NO_PBDS", [sr.as_str()]))
}

fn check_detached(sim: &Sim, sr: &RawRef) -> Result<(), Failure> {
    if need_attached(sim, sr).is_ok() {
        return Err(Failure::new("SR_HAS_PBD", [sr.as_str()]));
    }
    Ok(())
}

fn destroy_sr(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let sr = sim.need("SR", args.text(0))?;
    let of = sr.as_str();
    if sim.store.key("SR", of, "other_config", "indestructible") == Some("true") {
        return Err(Failure::new("SR_INDESTRUCTIBLE", [of]));
    }
    check_detached(sim, &sr)?;
    if sim.store.refs("SR", of, "PBDs").is_empty() {
        return Err(Failure::new("SR_HAS_NO_PBDS", [of]));
    }
    if sim.store.refs("SR", of, "VDIs").iter().any(|vdi| sim.store.flag("VDI", vdi.as_str(), "managed")) {
        return Err(Failure::new("SR_NOT_EMPTY", [""; 0]));
    }
    remove_sr(sim, &sr);
    Ok(Value::VOID)
}

fn remove_sr(sim: &mut Sim, sr: &RawRef) {
    for pbd in sim.store.refs("SR", sr.as_str(), "PBDs") {
        sim.store.remove("PBD", pbd.as_str());
    }
    for vdi in sim.store.refs("SR", sr.as_str(), "VDIs") {
        devices::remove_vdi(sim, &vdi);
    }
    sim.store.remove("SR", sr.as_str());
}

fn check_unused(sim: &Sim, vdi: &RawRef, operation: &str) -> Result<(), Failure> {
    let vbds = sim.store.refs("VDI", vdi.as_str(), "VBDs");
    if vbds.iter().any(|vbd| sim.store.flag("VBD", vbd.as_str(), "currently_attached")) {
        return Err(Failure::new("VDI_IN_USE", [vdi.as_str(), operation]));
    }
    Ok(())
}

fn resize(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let (vdi, size) = (sim.need("VDI", args.text(0))?, args.int(1));
    let of = vdi.as_str();
    check_unused(sim, &vdi, "resize")?;
    let (sr, old) = (sim.store.reference("VDI", of, "SR"), sim.store.int("VDI", of, "virtual_size"));
    need_attached(sim, &sr)?;
    if size < old {
        let text = alloc::format!("VDI Invalid size [opterr=shrinking from {old} to {size} is not possible]");
        return Err(Failure::new("SR_BACKEND_FAILURE_79", ["", text.as_str(), ""]));
    }
    sim.store.put("VDI", of, "virtual_size", size);
    let allocated = sim.store.int("SR", sr.as_str(), "virtual_allocation") + (size - old);
    sim.store.put("SR", sr.as_str(), "virtual_allocation", allocated);
    Ok(Value::VOID)
}

/// A disk that is being copied.
struct DiskCopy {
    vdi: RawRef,
    kind: Copy,
    operation: &'static str,
}

fn copy(args: &Args, kind: Copy, operation: &'static str) -> Result<Box<dyn Operation>, Failure> {
    Ok(Box::new(DiskCopy { vdi: RawRef::from(args.text(0)), kind, operation }))
}

impl Operation for DiskCopy {
    fn begin(&mut self, sim: &mut Sim) -> Result<Start, Failure> {
        let of = sim.need("VDI", self.vdi.as_str())?;
        let current = sim.store.value("VDI", of.as_str(), "current_operations").and_then(Value::as_struct);
        if let Some((task, operation)) = current.and_then(|current| current.nth(0)) {
            let params = ["VDI", of.as_str(), operation.as_text().unwrap_or(""), task];
            return Err(Failure::new("OTHER_OPERATION_IN_PROGRESS", params));
        }
        need_attached(sim, &sim.store.reference("VDI", of.as_str(), "SR"))?;
        if let Copy::Full(sr) = &self.kind {
            let vbds = sim.store.refs("VDI", of.as_str(), "VBDs");
            let written = vbds.iter().any(|vbd| {
                sim.store.flag("VBD", vbd.as_str(), "currently_attached")
                    && sim.store.text("VBD", vbd.as_str(), "mode") == "RW"
            });
            if written {
                return Err(Failure::new("VDI_IN_USE", [of.as_str(), self.operation]));
            }
            if !sr.is_null() {
                sim.need("SR", sr.as_str())?;
                need_attached(sim, sr)?;
            }
        }
        let hold = Hold { class: "VDI", reference: of, operation: self.operation };
        Ok(Start { duration: Millis(800), holds: Vec::from([hold]) })
    }

    fn finish(&mut self, sim: &mut Sim) -> Result<Value, Failure> {
        sim.need("VDI", self.vdi.as_str())?;
        Ok(replicate::copy_vdi(sim, &self.vdi, &self.kind).into())
    }
}
