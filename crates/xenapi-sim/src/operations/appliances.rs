//! Appliances: VMs that start and stop together, in their order.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{Failure, Millis, NULL, RawRef, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::operations::timed::hold;
use crate::operations::vm::{Action, VmJob};
use crate::operations::{Handler, boot, rules, vm_settings};
use crate::tasks::{Operation, Start};

const OPERATIONS: [&str; 4] = ["start", "clean_shutdown", "hard_shutdown", "shutdown"];

pub(crate) fn find(message: &str) -> Option<Handler> {
    Some(match message {
        "start" => Handler::Job(|_, _, args| job(args, "start", args.flag(1))),
        "clean_shutdown" => Handler::Job(|_, _, args| job(args, "clean_shutdown", false)),
        "hard_shutdown" => Handler::Job(|_, _, args| job(args, "hard_shutdown", false)),
        "shutdown" => Handler::Job(|_, _, args| job(args, "shutdown", false)),
        "assert_can_be_recovered" => Handler::Now(|sim, _, args| {
            let appliance = sim.need("VM_appliance", args.text(0))?;
            sim.need("session", args.text(1))?;
            let vms = sim.store.refs("VM_appliance", appliance.as_str(), "VMs");
            vms.iter().try_for_each(|vm| vm_settings::check_recoverable(sim, vm)).map(|()| Value::VOID)
        }),
        "get_SRs_required_for_recovery" => Handler::Now(|sim, _, args| {
            let appliance = sim.need("VM_appliance", args.text(0))?;
            sim.need("session", args.text(1))?;
            let vms = sim.store.refs("VM_appliance", appliance.as_str(), "VMs");
            let mut all: Vec<RawRef> = vms.iter().flat_map(|vm| boot::storage(sim, vm)).collect();
            all.sort();
            all.dedup();
            Ok(Value::Array(all.iter().map(Value::from).collect()))
        }),
        _ => return None,
    })
}

fn job(args: &Args, operation: &'static str, paused: bool) -> Result<Box<dyn Operation>, Failure> {
    let appliance = RawRef::from(args.text(0));
    Ok(Box::new(ApplianceJob { appliance, operation, paused, parts: Vec::new(), has_failed: false }))
}

/// Whether an operation makes sense for a VM.
fn concerns(operation: &str, power: &str) -> bool {
    match operation {
        "start" => power == "Halted",
        "clean_shutdown" => power == "Running",
        _ => power != "Halted",
    }
}

/// The VMs for which an operation makes sense, or why the appliance does not allow it.
fn concerned(sim: &Sim, appliance: &RawRef, operation: &str) -> Result<Vec<RawRef>, Failure> {
    let of = sim.need("VM_appliance", appliance.as_str())?;
    let current = sim.store.value("VM_appliance", of.as_str(), "current_operations").and_then(Value::as_struct);
    if current.is_some_and(|current| !current.is_empty()) {
        return Err(rules::busy("VM_appliance", of.as_str(), current));
    }
    let mut vms = sim.store.refs("VM_appliance", of.as_str(), "VMs");
    if vms.is_empty() {
        return Err(Failure::new("OPERATION_NOT_ALLOWED", ["Appliance has no VMs."]));
    }
    vms.retain(|vm| concerns(operation, sim.store.text("VM", vm.as_str(), "power_state")));
    if vms.is_empty() {
        let text = "Could not find any VMs in the required power state for this operation";
        return Err(Failure::new("OPERATION_NOT_ALLOWED", [text]));
    }
    Ok(vms)
}

/// Computes `allowed_operations` of an appliance anew.
pub(crate) fn refresh_appliance(sim: &mut Sim, appliance: &RawRef) {
    if !sim.store.contains("VM_appliance", appliance.as_str()) {
        return;
    }
    let allowed = OPERATIONS.iter().filter(|operation| concerned(sim, appliance, operation).is_ok());
    let allowed: Vec<Value> = allowed.map(|operation| Value::from(*operation)).collect();
    sim.store.put("VM_appliance", appliance.as_str(), "allowed_operations", allowed);
}

/// `VM_appliance.destroy`: its VMs stay.
pub(crate) fn before_destroy(sim: &mut Sim, appliance: &RawRef) -> Result<(), Failure> {
    for vm in sim.store.refs("VM_appliance", appliance.as_str(), "VMs") {
        sim.store.put("VM", vm.as_str(), "appliance", NULL);
        sim.refresh_vm(&vm);
    }
    Ok(())
}

/// The VMs of an appliance on their way.
struct ApplianceJob {
    appliance: RawRef,
    operation: &'static str,
    paused: bool,
    /// In the order in which they go, and when each is done.
    parts: Vec<VmJob>,
    has_failed: bool,
}

impl ApplianceJob {
    fn part(&self, vm: &RawRef) -> VmJob {
        let action = match self.operation {
            "start" => Action::Start { paused: self.paused },
            "clean_shutdown" => Action::CleanShutdown,
            "hard_shutdown" => Action::HardShutdown,
            _ => Action::Shutdown,
        };
        VmJob::new(vm.clone(), self.operation, action)
    }
}

impl Operation for ApplianceJob {
    fn begin(&mut self, sim: &mut Sim) -> Result<Start, Failure> {
        let starts = self.operation == "start";
        let mut vms = concerned(sim, &self.appliance, self.operation)?;
        let order = |vm: &RawRef| sim.store.int("VM", vm.as_str(), "order");
        // Stopped in the reverse order of starting.
        vms.sort_by_key(|vm| if starts { order(vm) } else { order(vm).saturating_neg() });
        let mut holds = Vec::from([hold("VM_appliance", &self.appliance, self.operation)]);
        // VMs of the same order go together; the next wait for them, and for their delays.
        let mut rounds: BTreeMap<i64, u64> = BTreeMap::new();
        for vm in vms {
            let mut part = self.part(&vm);
            let Ok(start) = part.begin(sim) else {
                self.has_failed = true;
                continue;
            };
            let delay = sim.store.int("VM", vm.as_str(), if starts { "start_delay" } else { "shutdown_delay" });
            let delay = u64::try_from(delay).unwrap_or(0).min(3600) * 1000;
            let round = rounds.entry(sim.store.int("VM", vm.as_str(), "order")).or_default();
            *round = (*round).max(start.duration.0 + delay);
            holds.extend(start.holds);
            self.parts.push(part);
        }
        Ok(Start { duration: Millis(rounds.values().sum()), holds })
    }

    fn finish(&mut self, sim: &mut Sim) -> Result<Value, Failure> {
        for mut part in core::mem::take(&mut self.parts) {
            self.has_failed |= part.finish(sim).is_err();
        }
        if self.has_failed {
            return Err(Failure::new("OPERATION_PARTIALLY_FAILED", [String::from(self.operation)]));
        }
        Ok(Value::VOID)
    }

    fn undo(&mut self, sim: &mut Sim) {
        for mut part in core::mem::take(&mut self.parts) {
            part.undo(sim);
        }
    }
}
