//! What is simulated by hand: explicit messages with a body of their own, and what creating, writing and destroying objects of some
//! classes entails.

mod boot;
mod devices;
mod evacuate;
mod memory;
mod networks;
mod pool;
mod replicate;
mod rules;
mod snapshots;
mod storage;
mod timed;
mod vm;

use alloc::boxed::Box;

use xenapi_core::{ClassDesc, Failure, FieldDesc, Member, MessageDesc, RawRef, Type, Value};

use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::store::Draft;
use crate::tasks::Operation;
use crate::{Handled, Sim, queues, sessions, tasks, users};

pub(crate) use devices::{DISK_OPERATIONS, device_name};
pub(crate) use pool::set_enabled;
pub(crate) use replicate::{Copy, guest_metrics, replicate};

/// A body that answers at once.
type Now = fn(&mut Sim, &Caller, &mut Args) -> Result<Value, Failure>;
/// A body that takes time.
type Job = fn(&mut Sim, &Caller, &mut Args) -> Result<Box<dyn Operation>, Failure>;
/// A body that may wait without a task.
type Wait = fn(&mut Sim, &Caller, &mut Args) -> Result<Handled, Failure>;

/// The body of an explicit message.
#[derive(Clone, Copy)]
pub(crate) enum Handler {
    Now(Now),
    Job(Job),
    Wait(Wait),
}

/// The body of an explicit message, if it is simulated.
pub(crate) fn find(class: &ClassDesc, message: &MessageDesc) -> Option<Handler> {
    match class.name {
        "event" => queues::find(message.name),
        "session" => sessions::find(message.name),
        "task" => tasks::find(message.name),
        "auth" | "role" | "subject" => users::find(class.name, message.name),
        "VM" => vm::find(message.name).or_else(|| memory::find(message.name)),
        "SR" | "VDI" => storage::find(class.name, message.name),
        "VLAN" | "PIF" => networks::find(class.name, message.name),
        "VBD" | "VIF" | "PBD" => devices::find(class.name, message.name),
        "host" => evacuate::find(message.name).or_else(|| pool::find(class.name, message.name)),
        _ => pool::find(class.name, message.name),
    }
}

/// Explicit messages that only write a field that has no implicit setter, class and field.
const PLAIN: &[(&str, &[&str])] = &[
    (
        "VM",
        &[
            "other_config",
            "platform",
            "blocked_operations",
            "actions_after_crash",
            "HVM_boot_policy",
            "HVM_shadow_multiplier",
            "NVRAM",
            "domain_type",
            "order",
            "start_delay",
            "shutdown_delay",
            "ha_restart_priority",
            "bios_strings",
        ],
    ),
    ("task", &["other_config"]),
    ("SR", &["name_label", "name_description", "physical_size"]),
    ("VDI", &["name_label", "name_description", "read_only", "sharable", "on_boot", "allow_caching"]),
    ("network", &["purpose", "default_locking_mode"]),
    ("PIF", &["disallow_unplug"]),
    ("pool", &["guest_agent_config", "igmp_snooping_enabled"]),
    ("host", &["iscsi_iqn", "multipathing", "numa_affinity_policy", "max_cstate"]),
    ("VIF", &["locking_mode", "ipv4_allowed", "ipv6_allowed"]),
];

/// The setter that an explicit message amounts to, for those that only write a field.
pub(crate) fn plain_setter(class: &'static ClassDesc, message: &str) -> Option<Member> {
    type Make = fn(&'static FieldDesc) -> Member;
    let prefixes: [(&str, Make); 5] = [
        ("set_", Member::Set),
        ("add_to_", Member::AddTo),
        ("remove_from_", Member::RemoveFrom),
        ("add_", Member::Add),
        ("remove_", Member::Remove),
    ];
    let (_, fields) = PLAIN.iter().find(|(name, _)| *name == class.name)?;
    prefixes.iter().find_map(|(prefix, make)| {
        let field = class.field(message.strip_prefix(prefix)?)?;
        let fits = match *prefix {
            "set_" => true,
            "add_to_" | "remove_from_" => matches!(field.ty, Type::Map(..)),
            _ => matches!(field.ty, Type::Set(_)),
        };
        (fits && fields.contains(&field.name)).then(|| make(field))
    })
}

/// Whether a client may write that value.
pub(crate) fn check_write(
    sim: &Sim,
    class: &ClassDesc,
    field: &FieldDesc,
    reference: &str,
    value: &Value,
) -> Result<(), Failure> {
    match (class.name, field.name) {
        ("VM", "is_a_template") if value.as_bool() == Some(true) => {
            rules::check(sim, &RawRef::from(reference), "make_into_template")
        }
        ("VM", "order" | "start_delay" | "shutdown_delay") if value.as_int().is_some_and(|number| number < 0) => {
            let text = alloc::format!("{} must be non-negative", field.name);
            let number = alloc::format!("{}", value.as_int().unwrap_or(0));
            Err(Failure::new("INVALID_VALUE", [text, number]))
        }
        ("VM", "ha_restart_priority") if !matches!(value.as_text(), Some("" | "restart" | "best-effort")) => {
            Err(Failure::new("INVALID_VALUE", ["ha_restart_priority", value.as_text().unwrap_or("")]))
        }
        ("VM", "HVM_boot_policy" | "domain_type" | "NVRAM" | "HVM_shadow_multiplier") => {
            let operation = if field.name == "NVRAM" { "changing_NVRAM" } else { "changing_shadow_memory" };
            rules::check_power(sim, &RawRef::from(reference), operation)
        }
        _ => Ok(()),
    }
}

/// What a client's write entails.
pub(crate) fn after_write(sim: &mut Sim, class: &ClassDesc, field: &FieldDesc, reference: &str) {
    if class.name == "VM" && matches!(field.name, "is_a_template" | "blocked_operations" | "other_config") {
        sim.refresh_vm(&RawRef::from(reference));
    }
}

/// A host died: it is not live, and nothing runs on it any more.
pub(crate) fn host_died(sim: &mut Sim, host: &RawRef) {
    let metrics = sim.store.reference("host", host.as_str(), "metrics");
    sim.store.put("host_metrics", metrics.as_str(), "live", false);
    for guest in sim.store.refs("host", host.as_str(), "resident_VMs") {
        sim.cancel_jobs_on("VM", &guest);
        vm::halt(sim, &guest);
        sim.refresh_vm(&guest);
    }
}

/// Checks a new object and fills in what the server decides.
pub(crate) fn before_create(sim: &mut Sim, class: &ClassDesc, draft: &mut Draft) -> Result<(), Failure> {
    match class.name {
        "VM" => vm::before_create(sim, draft),
        "VBD" => devices::before_create_vbd(sim, draft),
        "VIF" => devices::before_create_vif(sim, draft),
        "VDI" => devices::before_create_vdi(sim, draft),
        "PBD" => devices::before_create_pbd(sim, draft),
        "network" => devices::before_create_network(sim, draft),
        "console" => Err(Failure::new("NOT_IMPLEMENTED", ["console.create"])),
        _ => Ok(()),
    }
}

/// Computes anew what an object allows.
pub(crate) fn refresh(sim: &mut Sim, class: &str, reference: &RawRef) {
    if class == "VM" {
        sim.refresh_vm(reference);
    }
}

/// What a new object entails.
pub(crate) fn after_create(sim: &mut Sim, class: &ClassDesc, reference: &RawRef) {
    match class.name {
        "VM" => sim.refresh_vm(reference),
        "VBD" | "VIF" => devices::after_create(sim, class.name, reference),
        _ => {}
    }
}

/// Checks whether an object may go, and takes with it what goes too.
pub(crate) fn before_destroy(sim: &mut Sim, class: &ClassDesc, reference: &RawRef) -> Result<(), Failure> {
    match class.name {
        "VM" => vm::before_destroy(sim, reference),
        "VBD" => devices::before_destroy_vbd(sim, reference),
        "VIF" => devices::before_destroy_vif(sim, reference),
        "VDI" => devices::before_destroy_vdi(sim, reference),
        "PBD" => devices::before_destroy_pbd(sim, reference),
        "network" => devices::before_destroy_network(sim, reference),
        _ => Ok(()),
    }
}
