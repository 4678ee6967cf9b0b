//! Changed block tracking: switching it on and off, and snapshots that keep nothing else.

use xenapi_core::{RawRef, Value};

use crate::Sim;
use crate::operations::steps::{Work, slow};
use crate::operations::{Handler, allowed, devices, storage};

pub(crate) fn find(message: &str) -> Option<Handler> {
    Some(match message {
        "enable_cbt" => Handler::Job(|_, _, args| {
            let check = |sim: &Sim, vdi: &RawRef| allowed::check_vdi(sim, vdi.as_str(), "enable_cbt");
            slow(Work::new("VDI", args.text(0), "enable_cbt", 300), check, |sim, vdi| Ok(track(sim, vdi, true)))
        }),
        "disable_cbt" => Handler::Job(|_, _, args| {
            let check = |sim: &Sim, vdi: &RawRef| allowed::check_vdi(sim, vdi.as_str(), "disable_cbt");
            slow(Work::new("VDI", args.text(0), "disable_cbt", 300), check, |sim, vdi| Ok(track(sim, vdi, false)))
        }),
        "data_destroy" => Handler::Job(|_, _, args| {
            let check = |sim: &Sim, vdi: &RawRef| match sim.store.text("VDI", vdi.as_str(), "type") {
                // There is nothing left to destroy.
                "cbt_metadata" => Ok(()),
                _ => allowed::check_vdi(sim, vdi.as_str(), "data_destroy"),
            };
            slow(Work::new("VDI", args.text(0), "data_destroy", 500), check, |sim, vdi| {
                let used = sim.store.int("VDI", vdi.as_str(), "physical_utilisation");
                let sr = sim.store.reference("VDI", vdi.as_str(), "SR");
                for vbd in sim.store.refs("VDI", vdi.as_str(), "VBDs") {
                    devices::remove_device(sim, "VBD", &vbd);
                }
                sim.store.put("VDI", vdi.as_str(), "type", "cbt_metadata");
                sim.store.put("VDI", vdi.as_str(), "physical_utilisation", 0);
                storage::grow(sim, &sr, 0, -used);
                sim.refresh_allowed("VDI", vdi);
                Ok(Value::VOID)
            })
        }),
        _ => return None,
    })
}

fn track(sim: &mut Sim, vdi: &RawRef, wanted: bool) -> Value {
    sim.store.put("VDI", vdi.as_str(), "cbt_enabled", wanted);
    sim.refresh_allowed("VDI", vdi);
    Value::VOID
}
