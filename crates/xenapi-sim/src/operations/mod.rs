//! What is simulated by hand: explicit messages with a body of their own, and what creating, writing and destroying objects of some
//! classes entails.

mod allowed;
mod appliances;
pub(crate) mod around;
mod bond;
mod boot;
mod breakage;
mod cbt;
mod clusters;
pub(crate) mod devices;
mod evacuate;
mod ha;
mod hardware;
mod host_power;
mod hosts;
mod life;
mod members;
mod memory;
mod messages;
mod motion;
mod networks;
mod overlays;
mod pbd;
mod pif;
mod pool;
mod pool_settings;
mod probes;
pub(crate) mod replicate;
pub(crate) mod rules;
mod schedules;
mod secrets;
mod sites;
mod snapshots;
mod sources;
mod sr;
mod steps;
mod storage;
mod timed;
mod vbd;
pub(crate) mod vdi;
mod vif;
mod vm;
mod vm_settings;

use alloc::boxed::Box;

use xenapi_core::{ClassDesc, Failure, FieldDesc, Member, MessageDesc, RawRef, Type, Value};

use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::store::Draft;
use crate::tasks::Operation;
use crate::{Handled, Sim, queues, sessions, tasks, users};

pub(crate) use boot::overhead as memory_overhead;
pub(crate) use devices::{DISK_OPERATIONS, device_name};
pub(crate) use ha::{enable as enable_ha, is_agile};
pub(crate) use host_power::{HostStates, host_died, host_returned};
pub(crate) use hosts::{is_down, set_enabled};
pub(crate) use replicate::{Copy, guest_metrics, replicate};
pub(crate) use storage::DRIVERS;
#[cfg(test)]
pub(crate) use {allowed::is_allowed, devices::new_vdi};

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
    let common = messages::find(class.name, message.name).or_else(|| sources::find(class.name, message.name));
    if common.is_some() {
        return common;
    }
    match class.name {
        "event" => queues::find(message.name),
        "session" => sessions::find(message.name),
        "task" => tasks::find(message.name),
        "auth" | "role" | "subject" => users::find(class.name, message.name),
        "VM" => vm::find(message.name)
            .or_else(|| memory::find(message.name))
            .or_else(|| vm_settings::find(message.name))
            .or_else(|| motion::find(class.name, message.name)),
        "VM_appliance" => appliances::find(message.name),
        "VMSS" => schedules::find(message.name),
        "SR" => sr::find(message.name),
        "VDI" => vdi::find(message.name),
        "PBD" => pbd::find(message.name),
        "VBD" => vbd::find(message.name),
        "VIF" => vif::find(message.name),
        "Cluster" | "Cluster_host" => clusters::find(class.name, message.name),
        "network" => networks::find(message.name),
        "PIF" => pif::find(message.name),
        "Bond" => bond::find(message.name),
        "VLAN" | "tunnel" | "network_sriov" => overlays::find(class.name, message.name),
        "VTPM" | "VUSB" | "PUSB" | "USB_group" | "VGPU" | "PGPU" | "GPU_group" => hardware::find(class.name, message.name),
        "PVS_site" | "PVS_server" | "PVS_proxy" | "SDN_controller" | "Repository" | "crashdump" | "host_crashdump"
        | "Rate_limit" | "Caller" => sites::find(class.name, message.name),
        "host" => evacuate::find(message.name)
            .or_else(|| hosts::find(message.name))
            .or_else(|| host_power::find(message.name))
            .or_else(|| motion::find(class.name, message.name)),
        "pool" => {
            members::find(message.name).or_else(|| ha::find(message.name)).or_else(|| pool_settings::find(message.name))
        }
        _ => pool::find(class.name, message.name),
    }
}

/// Whether an operation of `allowed_operations` can be done: not when it is a message that is not simulated.
pub(crate) fn is_simulated(class: &str, operation: &str) -> bool {
    let Some(class) = xenapi_model::class(class) else { return false };
    let message = class.message(operation);
    message.is_none_or(|message| find(class, message).is_some() || plain_setter(class, message.name).is_some())
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
            "NVRAM",
            "order",
            "start_delay",
            "shutdown_delay",
        ],
    ),
    ("task", &["other_config"]),
    ("SR", &["name_label", "name_description", "physical_size"]),
    ("VDI", &["name_label", "name_description", "read_only", "sharable", "allow_caching"]),
    ("PIF", &["disallow_unplug"]),
    ("PVS_site", &["PVS_uuid"]),
    ("Repository", &["gpgkey_path"]),
    ("VMSS", &["schedule", "last_run_time"]),
    ("Observer", &["components", "endpoints", "attributes", "enabled", "hosts"]),
    ("Rate_limit", &["fill_rate", "burst_size"]),
    ("pool", pool_settings::PLAIN),
    ("host", &["numa_affinity_policy", "max_cstate"]),
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
        ("VM", "NVRAM") => rules::check_power(sim, &RawRef::from(reference), "changing_NVRAM"),
        _ => Ok(()),
    }
}

/// What a client's write entails.
pub(crate) fn after_write(sim: &mut Sim, class: &ClassDesc, field: &FieldDesc, reference: &str) {
    match (class.name, field.name) {
        ("VM", "is_a_template") => vm_settings::after_template_change(sim, &RawRef::from(reference)),
        ("VM", "blocked_operations" | "other_config" | "platform") | ("pool", "other_config") => {
            refresh(sim, class.name, &RawRef::from(reference));
        }
        ("pool", "ha_allow_overcommit") => ha::update_status(sim),
        _ => {}
    }
}

/// Checks a new object and fills in what the server decides.
pub(crate) fn before_create(sim: &mut Sim, class: &ClassDesc, draft: &mut Draft) -> Result<(), Failure> {
    match class.name {
        "VM" => vm::before_create(sim, draft),
        "VBD" => vbd::before_create(sim, draft),
        "VIF" => vif::before_create(sim, draft),
        "VDI" => vdi::before_create(sim, draft),
        "PBD" => pbd::before_create(sim, draft),
        "network" => networks::before_create(sim, draft),
        "VMSS" => schedules::before_create(draft),
        "console" => Err(Failure::new("NOT_IMPLEMENTED", ["console.create"])),
        _ => Ok(()),
    }
}

/// Computes anew what an object allows.
pub(crate) fn refresh(sim: &mut Sim, class: &str, reference: &RawRef) {
    match class {
        "VM" => sim.refresh_vm(reference),
        "host" => hosts::refresh_host(sim, reference),
        "pool" => pool_settings::refresh_pool(sim, reference),
        "VM_appliance" => appliances::refresh_appliance(sim, reference),
        _ => sim.refresh_allowed(class, reference),
    }
}

/// What a new object entails.
pub(crate) fn after_create(sim: &mut Sim, class: &ClassDesc, reference: &RawRef) {
    match class.name {
        "VM" => vm::after_create(sim, reference),
        "VM_appliance" => refresh(sim, class.name, reference),
        "VBD" => vbd::after_create(sim, reference),
        "VIF" => sim.refresh_allowed("VIF", reference),
        "VDI" => vdi::after_create(sim, reference),
        _ => {}
    }
}

/// Checks whether an object may go, and takes with it what goes too.
pub(crate) fn before_destroy(sim: &mut Sim, class: &ClassDesc, reference: &RawRef) -> Result<(), Failure> {
    match class.name {
        "VM" => vm::before_destroy(sim, reference),
        "VM_appliance" => appliances::before_destroy(sim, reference),
        "VMSS" => {
            schedules::before_destroy(sim, reference);
            Ok(())
        }
        "VBD" => vbd::before_destroy(sim, reference),
        "VIF" => vif::before_destroy(sim, reference),
        "VDI" => vdi::before_destroy(sim, reference),
        "PBD" => pbd::before_destroy(sim, reference),
        "network" => networks::before_destroy(sim, reference),
        _ => Ok(()),
    }
}
