//! VMs, templates, snapshots, hosts.

use alloc::string::String;

use xenapi_core::DateTime;
use xenapi_model::{Host, HostMetrics, Pool, VM, VMGuestMetrics, VMMetrics, VmKind, host, vm, vm_guest_metrics};
use xenapi_topology::State;

use crate::object::Icon;
use crate::route::Kind;
use crate::select;
use crate::tables::rows::{Look, Made, Pass};
use crate::tables::spec::{Shape, Spec, col, more};
use crate::tables::value::Value;
use crate::text::{self, Plural, Text};

pub(super) fn collect(kind: Kind, pass: &mut Pass<'_>) {
    let uuid: fn(&vm::Record) -> &str = |it| it.uuid.as_str();
    match kind {
        Kind::Templates => pass.each::<VM>(|it| it.kind() == VmKind::Template, uuid, template),
        Kind::Snapshots => pass.each::<VM>(|it| it.kind() == VmKind::Snapshot, uuid, snapshot),
        Kind::Hosts => pass.each::<Host>(|_| true, |it| it.uuid.as_str(), host),
        _ => pass.each::<VM>(|it| it.kind() == VmKind::Vm, uuid, vm),
    }
}

pub(super) static VMS: Spec = Spec {
    kind: Kind::Vms,
    title: Text::Vms,
    counted: Plural::VmCount,
    icon: Icon::Vm,
    testid: "vm",
    columns: &[
        col("name", Text::Name, Shape::Name, 230),
        col("state", Text::State, Shape::State, 124),
        col("host", Text::Host, Shape::Links, 140),
        col("vcpus", Text::Vcpus, Shape::Count, 72),
        col("memory", Text::Memory, Shape::Bytes, 92),
        col("ip", Text::Addresses, Shape::Code, 170),
        col("os", Text::Os, Shape::Text, 180),
        col("tags", Text::Tags, Shape::List, 130),
        more("agent", Text::ColAgent, Shape::Text, 120),
        more("disks", Text::ColDrives, Shape::Count, 80),
        more("nics", Text::ColVifs, Shape::Count, 80),
        more("started", Text::Started, Shape::Date, 188),
        more("ha", Text::ColHaPriority, Shape::Text, 110),
        more("snapshots", Text::ColSnapshots, Shape::Count, 100),
        more("uuid", Text::Uuid, Shape::Code, 270),
        more("description", Text::Description, Shape::Text, 240),
    ],
    classes: &["VM", "VM_guest_metrics", "VM_metrics", "host", "pool"],
    facets: &["state", "host", "tags", "os"],
    sort: "name",
    narrow: ["host", "memory"],
    example: "web, state:running, memory>4GiB",
    none: Text::NoVmsHint,
};

fn vm(look: &mut Look<'_>, vm: &vm::Record) -> Made {
    let state = State::of_vm(vm);
    let guest = look.get(&vm.guest_metrics);
    let told = guest.is_some() || vm.guest_metrics.is_none();
    let of_guest = |tell: &dyn Fn(&vm_guest_metrics::Record) -> Value, look: &Look<'_>| match guest {
        Some(guest) => tell(guest),
        // The reference may dangle for a moment, which says nothing; but a class that was left out says "unknown".
        None if told => Value::Nothing,
        None => look.absent::<VMGuestMetrics>(),
    };
    let runs = matches!(state, State::Running | State::Paused);
    let started = match look.get(&vm.metrics) {
        Some(metrics) if runs => Value::date(&metrics.start_time),
        None if runs && vm.metrics.is_some() => look.absent::<VMMetrics>(),
        _ => Value::Nothing,
    };
    let cells = [
        Value::text(&vm.name_label),
        Value::State(state),
        look.link(&vm.resident_on),
        Value::Count(select::vcpus(vm)),
        Value::bytes(select::memory(vm)),
        of_guest(&|guest| Value::list(&select::addresses(guest)), look),
        of_guest(&|guest| Value::text(select::os_name(guest)), look),
        Value::list(&vm.tags),
        of_guest(&|guest| Value::text(agent(guest)), look),
        Value::count(vm.vbds.len()),
        Value::count(vm.vifs.len()),
        started,
        Value::text(&vm.ha_restart_priority),
        Value::count(vm.snapshots.len()),
        Value::text(vm.uuid.as_str()),
        Value::text(&vm.name_description),
    ];
    Made { name: vm.name_label.clone(), state: Some(state), cells: cells.into() }
}

/// The version of the drivers in the guest.
fn agent(guest: &vm_guest_metrics::Record) -> String {
    let part = |key: &str| guest.pv_drivers_version.get(key).filter(|part| !part.is_empty());
    match (part("major"), part("minor"), part("micro")) {
        (Some(major), Some(minor), Some(micro)) => alloc::format!("{major}.{minor}.{micro}"),
        (Some(major), Some(minor), None) => alloc::format!("{major}.{minor}"),
        _ if guest.pv_drivers_detected => Text::Yes.get().into(),
        _ => String::new(),
    }
}

pub(super) static TEMPLATES: Spec = Spec {
    kind: Kind::Templates,
    title: Text::Templates,
    counted: Plural::CountTemplates,
    icon: Icon::Vm,
    testid: "template",
    columns: &[
        col("name", Text::Name, Shape::Name, 320),
        col("default", Text::ColDefault, Shape::Truth, 90),
        col("vcpus", Text::Vcpus, Shape::Count, 72),
        col("memory", Text::Memory, Shape::Bytes, 92),
        col("disks", Text::ColDrives, Shape::Count, 80),
        col("nics", Text::ColVifs, Shape::Count, 80),
        col("tags", Text::Tags, Shape::List, 120),
        col("description", Text::Description, Shape::Text, 320),
        more("uuid", Text::Uuid, Shape::Code, 270),
    ],
    classes: &["VM", "pool"],
    facets: &["default", "tags"],
    sort: "name",
    narrow: ["description", "memory"],
    example: "debian, vcpus>=4, !default",
    none: Text::NoTemplatesHint,
};

fn template(_: &mut Look<'_>, vm: &vm::Record) -> Made {
    let cells = [
        Value::text(&vm.name_label),
        Value::Truth(vm.is_default_template),
        Value::Count(select::vcpus(vm)),
        Value::bytes(select::memory(vm)),
        Value::count(vm.vbds.len()),
        Value::count(vm.vifs.len()),
        Value::list(&vm.tags),
        Value::text(&vm.name_description),
        Value::text(vm.uuid.as_str()),
    ];
    Made { name: vm.name_label.clone(), state: None, cells: cells.into() }
}

pub(super) static SNAPSHOTS: Spec = Spec {
    kind: Kind::Snapshots,
    title: Text::ColSnapshots,
    counted: Plural::CountSnapshots,
    icon: Icon::Vm,
    testid: "snapshot",
    columns: &[
        col("name", Text::Name, Shape::Name, 260),
        col("vm", Text::ColSnapshotOf, Shape::Links, 220),
        col("taken", Text::ColTaken, Shape::Date, 188),
        col("memory-kept", Text::ColMemoryKept, Shape::Truth, 130),
        col("memory", Text::Memory, Shape::Bytes, 92),
        col("disks", Text::ColDrives, Shape::Count, 80),
        col("tags", Text::Tags, Shape::List, 120),
        more("scheduled", Text::ColScheduled, Shape::Truth, 100),
        more("uuid", Text::Uuid, Shape::Code, 270),
        more("description", Text::Description, Shape::Text, 240),
    ],
    classes: &["VM", "pool"],
    facets: &["vm", "memory-kept", "tags"],
    sort: "-taken",
    narrow: ["vm", "taken"],
    example: "web, taken<7d, memory-kept",
    none: Text::NoSnapshotsHint,
};

fn snapshot(look: &mut Look<'_>, vm: &vm::Record) -> Made {
    let cells = [
        Value::text(&vm.name_label),
        match look.link(&vm.snapshot_of) {
            // The VM may have been deleted since, and its snapshots be kept.
            Value::Unknown => Value::Nothing,
            known => known,
        },
        Value::date(&vm.snapshot_time),
        Value::Truth(State::of_vm(vm) == State::Suspended),
        Value::bytes(select::memory(vm)),
        Value::count(vm.vbds.len()),
        Value::list(&vm.tags),
        Value::Truth(vm.is_vmss_snapshot || vm.is_snapshot_from_vmpp),
        Value::text(vm.uuid.as_str()),
        Value::text(&vm.name_description),
    ];
    Made { name: vm.name_label.clone(), state: None, cells: cells.into() }
}

pub(super) static HOSTS: Spec = Spec {
    kind: Kind::Hosts,
    title: Text::Hosts,
    counted: Plural::CountHosts,
    icon: Icon::Host,
    testid: "host",
    columns: &[
        col("name", Text::Name, Shape::Name, 200),
        col("state", Text::State, Shape::State, 124),
        col("address", Text::Address, Shape::Code, 130),
        col("coordinator", Text::Master, Shape::Truth, 116),
        col("vms", Text::Vms, Shape::Count, 72),
        col("cpus", Text::Cpus, Shape::Count, 72),
        col("used", Text::ColMemoryUsed, Shape::Share, 128),
        col("memory", Text::Memory, Shape::Bytes, 92),
        col("free", Text::ColMemoryFree, Shape::Bytes, 116),
        col("version", Text::Version, Shape::Text, 90),
        more("enabled", Text::Enabled, Shape::Truth, 90),
        more("tags", Text::Tags, Shape::List, 120),
        more("edition", Text::ColEdition, Shape::Text, 110),
        more("cpu", Text::CpuModel, Shape::Text, 260),
        more("started", Text::Started, Shape::Date, 188),
        more("nics", Text::Nics, Shape::Count, 130),
        more("uuid", Text::Uuid, Shape::Code, 270),
        more("description", Text::Description, Shape::Text, 240),
    ],
    classes: &["host", "host_metrics", "pool", "VM"],
    facets: &["state", "version", "tags"],
    sort: "name",
    narrow: ["address", "used"],
    example: "host-01, state:disabled, used>80%",
    none: Text::NothingLoadedHint,
};

fn host(look: &mut Look<'_>, host: &host::Record) -> Made {
    let metrics = look.get(&host.metrics);
    let state = State::of_host(host, metrics);
    let memory = |tell: fn(i64, i64) -> Value, look: &Look<'_>| match metrics {
        Some(metrics) => tell(metrics.memory_total, metrics.memory_free),
        None => look.absent::<HostMetrics>(),
    };
    let info = |key: &str| host.cpu_info.get(key).unwrap_or_default();
    let cpus = info("cpu_count").parse().map_or(Value::Nothing, Value::Count);
    let booted = host.other_config.get("boot_time").and_then(|time| time.split('.').next()?.parse().ok());
    let resident = look.related::<VM>("host", "resident_VMs");
    let running = resident.iter().filter(|vm| look.get(*vm).is_none_or(|vm| vm.kind() == VmKind::Vm)).count();
    let pool = look.cache.iter::<Pool>().next().map(|(reference, _)| reference);
    let master = look.get(&pool).and_then(|pool| look.get(&pool.master));
    let cells = [
        Value::text(&host.name_label),
        Value::Status(state, text::state_of("host", state)),
        Value::text(&host.address),
        Value::Truth(master.is_some_and(|master| master.uuid == host.uuid)),
        Value::count(running),
        cpus,
        memory(|total, free| Value::share(total.saturating_sub(free), total), look),
        memory(|total, _| Value::bytes(total), look),
        memory(|_, free| Value::bytes(free), look),
        Value::text(host.software_version.get("product_version").unwrap_or_default()),
        Value::Truth(host.enabled),
        Value::list(&host.tags),
        Value::text(&host.edition),
        Value::text(info("modelname")),
        booted.map_or(Value::Nothing, |unix| Value::date(&DateTime::from_unix(unix))),
        Value::count(host.pifs.len()),
        Value::text(host.uuid.as_str()),
        Value::text(&host.name_description),
    ];
    Made { name: host.name_label.clone(), state: Some(state), cells: cells.into() }
}
