//! Which operations a VM allows, and the refusals, in xapi's order.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::OnceCell;

use xenapi_core::{Failure, RawRef, Struct, Value};
use xenapi_model::vm::VM_OPERATIONS;

use crate::Sim;
use crate::implicit::handle_invalid;

/// Operations that `allowed_operations` never lists.
const UNLISTED: &[&str] = &[
    "create_template",
    "power_state_reset",
    "csvm",
    "get_boot_record",
    "send_sysrq",
    "send_trigger",
    "query_services",
    "shutdown",
    "call_plugin",
    "changing_memory_live",
    "awaiting_memory_live",
    "changing_memory_limits",
    "changing_shadow_memory_live",
    "changing_VCPUs",
    "assert_operation_valid",
    "data_source_op",
    "update_allowed_operations",
    "import",
    "reverting",
    // Not simulated, so not offered.
    "sysprep",
];

/// Operations that ask the guest.
const ASKS: &[&str] = &["clean_shutdown", "clean_reboot", "suspend"];

const OF_TEMPLATES: &[&str] = &[
    "changing_dynamic_range",
    "changing_static_range",
    "changing_memory_limits",
    "changing_shadow_memory",
    "changing_VCPUs",
    "changing_NVRAM",
    "clone",
    "copy",
    "export",
    "metadata_export",
    "provision",
];

const OF_SNAPSHOTS: &[&str] = &["revert", "clone", "copy", "export", "destroy", "hard_shutdown", "metadata_export"];

/// Operations that move a VM, or its memory.
const MOVES: &[&str] = &["suspend", "checkpoint", "pool_migrate", "migrate_send"];

/// Operations that go on while a pool is being upgraded host by host.
const DURING_UPGRADE: &[&str] = &[
    "start",
    "start_on",
    "resume",
    "resume_on",
    "suspend",
    "pause",
    "unpause",
    "clean_shutdown",
    "clean_reboot",
    "hard_shutdown",
    "hard_reboot",
    "shutdown",
    "pool_migrate",
    "update_allowed_operations",
    "destroy",
];

/// What decides whether a VM allows an operation.
struct State<'a> {
    sim: &'a Sim,
    vm: &'a str,
    power: &'a str,
    is_template: bool,
    is_snapshot: bool,
    is_control_domain: bool,
    is_default_template: bool,
    clones_suspended: bool,
    /// Whether the guest can be asked to stop: it is paravirtual, or has its tools.
    listens: bool,
    blocked: Option<&'a Struct>,
    current: Option<&'a Struct>,
    is_upgrading: bool,
    /// Whether a disk starts anew with every boot, and whether one that does is cached, too.
    resets: OnceCell<(bool, bool)>,
}

/// Why not.
enum Refusal<'a> {
    Blocked(&'a str),
    Power(&'static [&'static str]),
    Busy,
    Template,
    Snapshot,
    OnlyTemplates,
    OnlySnapshots,
    ControlDomain,
    /// A code whose only parameter is the VM.
    Plain(&'static str),
    NotSuspendable(&'a str),
    Resets,
    /// A code, the field that refers to what is in the way.
    Belongs(&'static str, &'static str),
    Upgrade,
    Vtpm,
}

/// The power states in which an operation may start; none: in any.
fn powers(operation: &str, state: &State<'_>) -> Option<&'static [&'static str]> {
    Some(match operation {
        "start"
        | "start_on"
        | "provision"
        | "make_into_template"
        | "changing_NVRAM"
        | "changing_shadow_memory"
        | "create_vtpm" => &["halted"],
        "changing_VCPUs" | "changing_static_range" | "changing_memory_limits" if state.is_control_domain => {
            &["halted", "running"]
        }
        "changing_VCPUs" | "changing_static_range" | "changing_memory_limits" => &["halted"],
        "changing_dynamic_range" => &["halted", "running"],
        "pause"
        | "suspend"
        | "clean_shutdown"
        | "clean_reboot"
        | "pool_migrate"
        | "call_plugin"
        | "sysprep"
        | "data_source_op"
        | "send_sysrq"
        | "send_trigger"
        | "changing_memory_live"
        | "changing_shadow_memory_live"
        | "changing_VCPUs_live"
        | "awaiting_memory_live"
        | "snapshot_with_quiesce" => &["running"],
        "unpause" => &["paused"],
        "resume" | "resume_on" | "csvm" => &["suspended"],
        "clone" | "copy" if state.is_snapshot || state.clones_suspended => &["halted", "suspended"],
        "clone" | "copy" => &["halted"],
        "destroy" | "export" | "create_template" => &["halted", "suspended"],
        "hard_reboot" => &["paused", "running"],
        "hard_shutdown" | "shutdown" | "checkpoint" | "get_boot_record" => &["paused", "suspended", "running"],
        "migrate_send" => &["halted", "suspended", "running"],
        _ => return None,
    })
}

impl State<'_> {
    fn refusal(&self, operation: &str) -> Option<Refusal<'_>> {
        if let Some(reason) = self.blocked.and_then(|blocked| blocked.get(operation)) {
            return Some(Refusal::Blocked(reason.as_text().unwrap_or("")));
        }
        let expected = powers(operation, self);
        if let Some(expected) = expected.filter(|all| !all.iter().any(|power| power.eq_ignore_ascii_case(self.power))) {
            return Some(Refusal::Power(expected));
        }
        if self.current.is_some_and(|current| current.iter().any(|(_, other)| !overlaps(operation, other))) {
            return Some(Refusal::Busy);
        }
        if self.is_template && !self.is_snapshot {
            let more = !self.is_default_template && matches!(operation, "destroy" | "migrate_send");
            if !more && !OF_TEMPLATES.contains(&operation) {
                return Some(Refusal::Template);
            }
        }
        if self.is_snapshot && !OF_SNAPSHOTS.contains(&operation) {
            return Some(Refusal::Snapshot);
        }
        if operation == "provision" && !self.is_template {
            return Some(Refusal::OnlyTemplates);
        }
        if operation == "revert" && !self.is_snapshot {
            return Some(Refusal::OnlySnapshots);
        }
        if MOVES.contains(&operation) && self.is_immobile() {
            return Some(Refusal::Plain("VM_IS_IMMOBILE"));
        }
        if self.is_control_domain
            && !matches!(operation, "changing_VCPUs" | "changing_VCPUs_live" | "changing_dynamic_range" | "metadata_export")
            && !matches!(operation, "changing_static_range" | "changing_memory_limits" | "data_source_op")
        {
            return Some(Refusal::ControlDomain);
        }
        self.guest_refusal(operation).or_else(|| self.device_refusal(operation)).or_else(|| self.other_refusal(operation))
    }

    /// Whether the platform keeps it where it is.
    fn is_immobile(&self) -> bool {
        let metrics = self.sim.store.text("VM", self.vm, "metrics");
        let is_set = |key| self.sim.store.key("VM", self.vm, "platform", key) == Some("true");
        is_set("nomigrate") || is_set("nested-virt") || self.sim.store.flag("VM_metrics", metrics, "nomigrate")
    }

    /// What the guest lacks.
    fn guest_refusal(&self, operation: &str) -> Option<Refusal<'_>> {
        let store = &self.sim.store;
        let guest = store.text("VM", self.vm, "guest_metrics");
        let other = |key| store.key("VM_guest_metrics", guest, "other", key);
        match operation {
            "changing_VCPUs_live" if !self.listens && other("feature-vcpu-hotplug").is_none() => {
                Some(Refusal::Plain("VM_LACKS_FEATURE"))
            }
            "snapshot_with_quiesce" if other("feature-quiesce").is_none() && other("feature-snapshot").is_none() => {
                Some(Refusal::Plain("VM_SNAPSHOT_WITH_QUIESCE_NOT_SUPPORTED"))
            }
            _ if MOVES.contains(&operation) => other("data-cant-suspend-reason").map(Refusal::NotSuspendable),
            _ => None,
        }
    }

    /// What disks and devices of the host do not allow.
    fn device_refusal(&self, operation: &str) -> Option<Refusal<'_>> {
        if matches!(operation, "checkpoint" | "snapshot" | "suspend" | "snapshot_with_quiesce" | "pool_migrate") {
            let (resets, is_cached) = *self.resets.get_or_init(|| resets(self.sim, self.vm));
            if resets && (is_cached || operation != "pool_migrate") {
                return Some(Refusal::Resets);
            }
        }
        let has = |field| {
            let devices = self.sim.store.value("VM", self.vm, field).and_then(Value::as_array);
            devices.is_some_and(|devices| !devices.is_empty())
        };
        let moves = MOVES.contains(&operation);
        if moves && has("attached_PCIs") {
            return Some(Refusal::Plain("VM_HAS_PCI_ATTACHED"));
        }
        if moves && has("VGPUs") {
            return Some(Refusal::Plain("VM_HAS_VGPU"));
        }
        if (moves || matches!(operation, "snapshot" | "snapshot_with_quiesce")) && has("VUSBs") {
            return Some(Refusal::Plain("VM_HAS_VUSBS"));
        }
        (operation == "create_vtpm" && has("VTPMs")).then_some(Refusal::Vtpm)
    }

    /// What the company that it keeps does not allow.
    fn other_refusal(&self, operation: &str) -> Option<Refusal<'_>> {
        if operation == "make_into_template" {
            let places = [
                ("VM_IS_PART_OF_AN_APPLIANCE", "VM_appliance", "appliance"),
                ("VM_ASSIGNED_TO_PROTECTION_POLICY", "VMPP", "protection_policy"),
                ("VM_ASSIGNED_TO_SNAPSHOT_SCHEDULE", "VMSS", "snapshot_schedule"),
            ];
            let belongs = |class: &str, field| self.sim.store.contains(class, self.sim.store.text("VM", self.vm, field));
            if let Some((code, _, field)) = places.into_iter().find(|(_, class, field)| belongs(class, field)) {
                return Some(Refusal::Belongs(code, field));
            }
        }
        (self.is_upgrading && !DURING_UPGRADE.contains(&operation)).then_some(Refusal::Upgrade)
    }

    /// What `allowed_operations` lists.
    pub(crate) fn allowed(&self) -> Value {
        let is_there = |operation: &&&str| !UNLISTED.contains(*operation) && super::is_simulated("VM", operation);
        let listed = VM_OPERATIONS.values.iter().filter(is_there);
        let listed = listed.filter(|operation| {
            // A guest without tools is not refused up front: it just does not listen.
            (self.listens || !ASKS.contains(operation)) && self.refusal(operation).is_none()
        });
        Value::Array(listed.map(|operation| Value::from(*operation)).collect())
    }
}

/// Whether an operation may run beside another one.
fn overlaps(operation: &str, other: &Value) -> bool {
    let other = other.as_text().unwrap_or("");
    let copies = ["clone", "copy", "export"];
    match operation {
        "hard_shutdown" => other != "hard_shutdown",
        "hard_reboot" => !matches!(other, "hard_shutdown" | "hard_reboot"),
        "snapshot" => other == "checkpoint",
        "metadata_export" | "clean_shutdown" | "clean_reboot" => other == "migrate_send",
        _ => copies.contains(&operation) && copies.contains(&other),
    }
}

fn state<'a>(sim: &'a Sim, vm: &'a str) -> State<'a> {
    let store = &sim.store;
    let map = |field| store.value("VM", vm, field).and_then(Value::as_struct).filter(|map| !map.is_empty());
    let pool = store.first("pool");
    let of_pool = |key| store.key("pool", pool.as_ref()?.as_str(), "other_config", key);
    State {
        sim,
        vm,
        power: store.text("VM", vm, "power_state"),
        is_template: store.flag("VM", vm, "is_a_template"),
        is_snapshot: store.flag("VM", vm, "is_a_snapshot"),
        is_control_domain: store.flag("VM", vm, "is_control_domain"),
        is_default_template: is_default(sim, vm),
        clones_suspended: of_pool("allow_clone_suspended_vm") == Some("true"),
        listens: listens(sim, vm),
        blocked: map("blocked_operations"),
        current: map("current_operations"),
        is_upgrading: of_pool("rolling_upgrade_in_progress").is_some(),
        resets: OnceCell::new(),
    }
}

/// Whether a VM has a disk that starts anew with every boot, and one that does and is cached.
fn resets(sim: &Sim, vm: &str) -> (bool, bool) {
    let vdis = sim.store.refs("VM", vm, "VBDs").into_iter().map(|vbd| sim.store.reference("VBD", vbd.as_str(), "VDI"));
    let mut found = (false, false);
    for vdi in vdis.filter(|vdi| sim.store.text("VDI", vdi.as_str(), "on_boot") == "reset") {
        found.0 = true;
        found.1 |= sim.store.flag("VDI", vdi.as_str(), "allow_caching");
    }
    found
}

/// Whether a guest can be asked to stop. One about which nothing was recorded gets the benefit of the doubt.
pub(crate) fn listens(sim: &Sim, vm: &str) -> bool {
    let store = &sim.store;
    let guest = store.reference("VM", vm, "guest_metrics");
    let is_known = store.contains("VM_guest_metrics", guest.as_str());
    store.text("VM", vm, "HVM_boot_policy").is_empty()
        || (!guest.is_null() && !is_known)
        || store.flag("VM_guest_metrics", guest.as_str(), "PV_drivers_detected")
}

/// Whether a VM is marked as a default template.
pub(crate) fn is_default(sim: &Sim, vm: &str) -> bool {
    sim.store.key("VM", vm, "other_config", "default_template") == Some("true")
}

/// `VM_BAD_POWER_STATE`.
pub(crate) fn bad_power(vm: &str, expected: &[&str], actual: &str) -> Failure {
    Failure::new("VM_BAD_POWER_STATE", [String::from(vm), expected.join(", "), actual.to_lowercase()])
}

/// `OTHER_OPERATION_IN_PROGRESS`.
pub(crate) fn busy(class: &str, reference: &str, current: Option<&Struct>) -> Failure {
    let all = || current.into_iter().flat_map(Struct::iter);
    let list = |items: Vec<String>| if items.len() == 1 { items[0].clone() } else { format!("{{{}}}", items.join(",")) };
    let operations = list(all().map(|(_, operation)| operation.as_text().unwrap_or("").to_string()).collect());
    let tasks = list(all().map(|(task, _)| task.to_string()).collect());
    Failure::new("OTHER_OPERATION_IN_PROGRESS", [String::from(class), reference.into(), operations, tasks])
}

/// Checks whether a VM allows an operation now.
pub(crate) fn check(sim: &Sim, vm: &RawRef, operation: &str) -> Result<(), Failure> {
    if !sim.store.contains("VM", vm.as_str()) {
        return Err(handle_invalid("VM", vm.as_str()));
    }
    let state = state(sim, vm.as_str());
    let vm = vm.as_str();
    let failure = match state.refusal(operation) {
        None => return Ok(()),
        Some(Refusal::Blocked(reason)) => Failure::new("OPERATION_BLOCKED", [vm, reason]),
        Some(Refusal::Power(expected)) => bad_power(vm, expected, state.power),
        Some(Refusal::Busy) => busy("VM", vm, state.current),
        Some(Refusal::Template) => Failure::new("VM_IS_TEMPLATE", [vm, operation]),
        Some(Refusal::Snapshot) => Failure::new("VM_IS_SNAPSHOT", [vm, operation]),
        Some(Refusal::OnlyTemplates) => Failure::new("PROVISION_ONLY_ALLOWED_ON_TEMPLATE", [""; 0]),
        Some(Refusal::OnlySnapshots) => Failure::new("REVERT_ONLY_ALLOWED_ON_SNAPSHOT", [""; 0]),
        Some(Refusal::Plain(code)) => Failure::new(code, [vm]),
        Some(Refusal::NotSuspendable(reason)) => Failure::new("VM_NON_SUSPENDABLE", [vm, reason]),
        Some(Refusal::Resets) => Failure::new("VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION", [""; 0]),
        Some(Refusal::Belongs(code, field)) => Failure::new(code, [vm, sim.store.text("VM", vm, field)]),
        Some(Refusal::Upgrade) => Failure::new("NOT_SUPPORTED_DURING_UPGRADE", [""; 0]),
        Some(Refusal::Vtpm) => Failure::new("VTPM_MAX_AMOUNT_REACHED", ["1"]),
        Some(Refusal::ControlDomain) => {
            let on_dom0 = matches!(operation, "destroy" | "changing_VCPUs");
            let text = format!("This operation is not allowed on {}", if on_dom0 { "dom0" } else { "a control domain" });
            Failure::new("OPERATION_NOT_ALLOWED", [text])
        }
    };
    Err(failure)
}

/// Checks only the power state.
pub(crate) fn check_power(sim: &Sim, vm: &RawRef, operation: &str) -> Result<(), Failure> {
    let state = state(sim, vm.as_str());
    match powers(operation, &state) {
        Some(allowed) if !allowed.iter().any(|power| power.eq_ignore_ascii_case(state.power)) => {
            Err(bad_power(vm.as_str(), allowed, state.power))
        }
        _ => Ok(()),
    }
}

impl Sim {
    /// Computes `allowed_operations` of a VM anew.
    pub(crate) fn refresh_vm(&mut self, vm: &RawRef) {
        if !self.store.contains("VM", vm.as_str()) {
            return;
        }
        let allowed = state(self, vm.as_str()).allowed();
        self.store.put("VM", vm.as_str(), "allowed_operations", allowed);
        self.refresh_devices(vm);
    }
}
