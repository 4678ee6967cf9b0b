//! Templates, VMs and snapshots, with their disks, drives, NICs, metrics and consoles.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{DateTime, RawRef, Struct, Value};

use super::names::{ABROAD, APPLIANCES, LINUX, ROLES, TEAMS};
use super::templates::{TEMPLATES, Template, WINDOWS, recommendations};
use super::{GIB, Plan, map, set, storage};
use crate::Sim;
use crate::operations::{self, Copy};

/// What a VM is made like.
struct Shape {
    name: String,
    power: &'static str,
    /// The place of its host in the plan, if it runs.
    host: Option<usize>,
    vcpus: i64,
    memory: i64,
    disk: i64,
    is_windows: bool,
}

pub(crate) fn make(sim: &mut Sim, plan: &mut Plan, count: usize) {
    for template in TEMPLATES {
        make_template(sim, template);
    }
    let mut numbers = [0_usize; 64];
    for at in 0..count {
        let role = at % ROLES.len();
        numbers[role] += 1;
        let (word, vcpus, gib, disk, is_windows) = ROLES[role];
        let shape = Shape {
            name: match ABROAD.get(at / 50) {
                // Large pools have names from all over the world.
                Some(name) if at % 50 == 33 => (*name).into(),
                _ => format!("{word}-{:02}", numbers[role]),
            },
            power: power_of(at),
            host: None,
            vcpus,
            memory: gib * GIB,
            disk: disk * GIB,
            is_windows,
        };
        let vm = make_vm(sim, plan, shape, at);
        if at % 16 == 15 {
            group(sim, &vm, at);
        }
        if at % 12 == 2 {
            let name = format!("Before update {}", at / 12 + 1);
            operations::replicate(sim, &vm, &name, &Copy::Snapshot);
        }
    }
}

/// Puts a VM and two made before it into an appliance, which starts them in order.
fn group(sim: &mut Sim, vm: &RawRef, at: usize) {
    let (reference, uuid) = (sim.random.reference(), sim.random.uuid());
    let name = format!("{} {}", APPLIANCES[at / 16 % APPLIANCES.len()], at / 16 + 1);
    let draft = sim.store.draft("VM_appliance").with("uuid", uuid).with("name_label", name);
    sim.store
        .insert(&reference, draft.with("allowed_operations", set(["start", "clean_shutdown", "hard_shutdown", "shutdown"])));
    let guests: Vec<RawRef> = sim
        .store
        .all("VM")
        .into_iter()
        .rev()
        .filter(|other| {
            let of = other.as_str();
            !sim.store.flag("VM", of, "is_a_snapshot") && !sim.store.flag("VM", of, "is_a_template")
        })
        .filter(|other| other != vm)
        .take(2)
        .collect();
    for (order, member) in (0_i64..).zip(core::iter::once(vm).chain(&guests)) {
        sim.store.put("VM", member.as_str(), "appliance", &reference);
        sim.store.put("VM", member.as_str(), "order", order);
    }
}

/// Most run. The pattern repeats, so that small pools have one of each.
fn power_of(at: usize) -> &'static str {
    match at % 24 {
        3 | 8 | 14 | 17 | 22 => "Halted",
        10 => "Suspended",
        19 => "Paused",
        _ => "Running",
    }
}

/// The host for a VM that runs: in turn, where there is memory left.
fn place(plan: &mut Plan, at: usize, memory: i64) -> Option<usize> {
    let count = plan.hosts.len();
    let found = (0..count).map(|step| (at + step) % count).find(|host| plan.hosts[*host].free >= memory)?;
    plan.hosts[found].free -= memory;
    Some(found)
}

fn overhead(shape: &Shape) -> i64 {
    operations::memory_overhead(shape.memory, shape.vcpus, 1.0, false)
}

fn common(sim: &mut Sim, shape: &Shape) -> crate::store::Draft {
    let (uuid, seed) = (sim.random.uuid(), sim.random.uuid());
    let firmware = if shape.is_windows { "uefi" } else { "bios" };
    let draft = sim.store.draft("VM");
    draft
        .with("uuid", uuid)
        .with("name_label", shape.name.as_str())
        .with("power_state", shape.power)
        .with("VCPUs_max", shape.vcpus)
        .with("VCPUs_at_startup", shape.vcpus)
        .with("memory_overhead", overhead(shape))
        .with("memory_target", shape.memory)
        .with("memory_static_min", shape.memory / 4)
        .with("memory_static_max", shape.memory)
        .with("memory_dynamic_min", shape.memory)
        .with("memory_dynamic_max", shape.memory)
        .with("actions_after_shutdown", "destroy")
        .with("actions_after_reboot", "restart")
        .with("actions_after_crash", "restart")
        .with("HVM_boot_policy", "BIOS order")
        .with("HVM_boot_params", map([("order", "cdn"), ("firmware", firmware)]))
        .with("domain_type", "hvm")
        .with("domid", -1)
        .with(
            "platform",
            map([
                ("acpi", "1"),
                ("apic", "true"),
                ("pae", "true"),
                ("nx", "true"),
                ("vga", "std"),
                ("videoram", "8"),
                ("viridian", if shape.is_windows { "true" } else { "false" }),
            ]),
        )
        .with("has_vendor_device", shape.is_windows)
        .with("other_config", map([("mac_seed", Value::from(seed))]))
}

fn make_template(sim: &mut Sim, template: &Template) {
    let Template { name, label, is_windows, .. } = *template;
    let memory = if is_windows { 4 } else { 2 } * GIB;
    let shape = Shape { name: name.into(), power: "Halted", host: None, vcpus: 2, memory, disk: 0, is_windows };
    let reference = sim.random.reference();
    let size = if is_windows { 32 * GIB } else { 10 * GIB };
    let disks =
        format!("<provision><disk device=\"0\" size=\"{size}\" sr=\"\" bootable=\"true\" type=\"system\"/></provision>");
    let config = map([
        ("default_template", "true"),
        ("linux_template", if is_windows { "false" } else { "true" }),
        ("install-methods", if is_windows || label.is_empty() { "cdrom" } else { "cdrom,nfs,http,ftp" }),
        ("disks", &disks),
    ]);
    let draft = common(sim, &shape);
    let draft = draft
        .with("name_description", format!("Template for new VMs with {name}"))
        .with("reference_label", label)
        .with("recommendations", recommendations(template))
        .with("is_a_template", true)
        .with("is_default_template", true)
        .with("other_config", config);
    sim.store.insert(&reference, draft);
    sim.refresh_vm(&reference);
}

fn make_vm(sim: &mut Sim, plan: &mut Plan, mut shape: Shape, at: usize) -> RawRef {
    if matches!(shape.power, "Running" | "Paused") {
        shape.host = place(plan, at, shape.memory + overhead(&shape));
        if shape.host.is_none() {
            shape.power = "Halted";
        }
    }
    let team = TEAMS[(at / ROLES.len() + at / 7) % TEAMS.len()];
    let metrics = make_metrics(sim, &shape);
    let reference = sim.random.reference();
    let description = format!("{} of {team}", if shape.is_windows { "Windows server" } else { "Linux server" });
    let mut draft =
        common(sim, &shape).with("name_description", description).with("metrics", &metrics).with("tags", set([team]));
    let template = if shape.is_windows { &TEMPLATES[WINDOWS] } else { &TEMPLATES[at % WINDOWS] };
    draft.set("reference_label", template.label);
    draft.set("recommendations", recommendations(template));
    let mut config = draft.get("other_config").as_struct().cloned().unwrap_or_default();
    config.push("base_template_name", template.name);
    config.push("folder", format!("/{team}/{}", if shape.is_windows { "Windows" } else { "Linux" }));
    if at.is_multiple_of(3) {
        config.push("XenCenter.CustomFields.owner", format!("{team}@example.com"));
    }
    draft.set("other_config", config);
    if let Some(host) = shape.host {
        draft.set("resident_on", &plan.hosts[host].reference);
        let domid = sim.next_domid;
        sim.next_domid += 1;
        draft.set("domid", domid);
    }
    if at % 9 == 4 {
        draft.set("affinity", &plan.hosts[at % plan.hosts.len()].reference);
    }
    sim.store.insert(&reference, draft);
    make_disks(sim, plan, &reference, &shape, at);
    make_nics(sim, plan, &reference, &shape, at);
    if let Some(host) = shape.host {
        make_console(sim, plan, &reference, host);
    }
    // Some guests have no tools; those cannot be suspended.
    if shape.power == "Suspended" || (shape.host.is_some() && at % 11 != 5) {
        let guest = make_guest(sim, &reference, &shape);
        sim.store.put("VM", reference.as_str(), "guest_metrics", &guest);
    }
    sim.refresh_vm(&reference);
    reference
}

fn make_metrics(sim: &mut Sim, shape: &Shape) -> RawRef {
    let (reference, uuid, date) = (sim.random.reference(), sim.random.uuid(), sim.date());
    let runs = shape.host.is_some();
    let ago = |sim: &mut Sim, days: usize| {
        let seconds = i64::try_from(sim.random.below(days * 86_400)).unwrap_or(0);
        DateTime::from_unix(date.unix() - seconds)
    };
    let installed = ago(sim, 900);
    let started = if runs { ago(sim, 60) } else { DateTime::NEVER };
    let draft = sim.store.draft("VM_metrics");
    let draft = draft
        .with("uuid", uuid)
        .with("memory_actual", if runs { shape.memory } else { 0 })
        .with("VCPUs_number", if runs { shape.vcpus } else { 0 })
        .with("state", if runs { set(["running"]) } else { Vec::new() })
        .with("start_time", started)
        .with("install_time", installed)
        .with("last_updated", date)
        .with("hvm", runs)
        .with("current_domain_type", if runs { "hvm" } else { "unspecified" });
    sim.store.insert(&reference, draft);
    reference
}

/// Where a VM's disks are: mostly shared, a few on its host, never where its host cannot see them.
fn repository(sim: &mut Sim, plan: &Plan, shape: &Shape, at: usize) -> RawRef {
    if at % 10 == 7 {
        let host = shape.host.unwrap_or(at % plan.hosts.len());
        return plan.storage.local[host].clone();
    }
    if plan.storage.shared.is_empty() {
        let host = shape.host.unwrap_or(at % plan.hosts.len());
        return plan.storage.local[host].clone();
    }
    let sr = sim.random.pick(&plan.storage.shared).clone();
    let on_last = shape.host == Some(plan.hosts.len() - 1);
    if on_last && sr == plan.storage.detached { plan.storage.default().clone() } else { sr }
}

fn make_disks(sim: &mut Sim, plan: &Plan, vm: &RawRef, shape: &Shape, at: usize) {
    let sr = repository(sim, plan, shape, at);
    let attached = shape.host.is_some() || shape.power == "Suspended";
    let disks = 1 + at % 3;
    for slot in 0..disks {
        let size = if slot == 0 { shape.disk } else { shape.disk / 2 + 8 * GIB };
        let used = size / 100 * i64::try_from(15 + sim.random.below(70)).unwrap_or(50);
        let label = if slot == 0 { format!("{} system", shape.name) } else { format!("{} data {slot}", shape.name) };
        let vdi = storage::make_vdi(sim, &sr, &label, size, used);
        make_vbd(sim, vm, Some(&vdi), slot, "Disk", attached);
    }
    let image = if at % 15 == 6 { plan.storage.images.get(at % plan.storage.images.len()).cloned() } else { None };
    make_vbd(sim, vm, image.as_ref(), 3, "CD", attached);
    if shape.power == "Suspended" {
        let sr = plan.storage.default().clone();
        let image = storage::make_vdi(sim, &sr, "Suspend image", shape.memory, shape.memory);
        sim.store.put("VDI", image.as_str(), "type", "suspend");
        sim.store.put("VM", vm.as_str(), "suspend_VDI", &image);
    }
}

fn make_vbd(sim: &mut Sim, vm: &RawRef, vdi: Option<&RawRef>, slot: usize, kind: &str, attached: bool) {
    let (reference, uuid) = (sim.random.reference(), sim.random.uuid());
    let slot = format!("{slot}");
    let is_cd = kind == "CD";
    let operations: &[&str] =
        if attached { &["attach", "unpause", "pause", "unplug"] } else { &["attach", "unpause", "plug", "pause"] };
    let mut draft = sim.store.draft("VBD");
    draft = draft
        .with("uuid", uuid)
        .with("VM", vm)
        .with("userdevice", slot.as_str())
        .with("device", if attached { operations::device_name(&slot) } else { String::new() })
        .with("bootable", slot == "0")
        .with("mode", if is_cd { "RO" } else { "RW" })
        .with("type", kind)
        .with("empty", vdi.is_none())
        .with("unpluggable", !is_cd && slot != "0")
        .with("currently_attached", attached)
        .with("allowed_operations", set(operations.iter().copied()));
    if let Some(vdi) = vdi {
        draft.set("VDI", vdi);
    }
    if !is_cd {
        draft.set("other_config", map([("owner", "")]));
    }
    sim.store.insert(&reference, draft);
}

fn make_nics(sim: &mut Sim, plan: &Plan, vm: &RawRef, shape: &Shape, at: usize) {
    let networks = &plan.networks;
    let mut wanted = Vec::from([match at % 8 {
        7 => networks.bond.clone(),
        5 if at % 3 == 2 => networks.isolated.clone(),
        other if networks.vlans.len() > 8 => networks.vlans[(at + other) % networks.vlans.len()].clone(),
        other => networks.vlans[other % networks.vlans.len()].clone(),
    }]);
    if at % 4 == 1 {
        wanted.push(networks.vlans[3 % networks.vlans.len()].clone());
    }
    for (device, network) in wanted.iter().enumerate() {
        let (reference, uuid, mac) = (sim.random.reference(), sim.random.uuid(), sim.random.mac());
        let attached = shape.host.is_some() || shape.power == "Suspended";
        let operations: &[&str] = if attached { &["attach", "unplug"] } else { &["attach", "plug"] };
        let draft = sim.store.draft("VIF");
        let draft = draft
            .with("uuid", uuid)
            .with("VM", vm)
            .with("network", network)
            .with("device", format!("{device}"))
            .with("MAC", mac)
            .with("MAC_autogenerated", true)
            .with("MTU", 1500)
            .with("currently_attached", attached)
            .with("ipv4_configuration_mode", "None")
            .with("ipv6_configuration_mode", "None")
            .with("allowed_operations", set(operations.iter().copied()));
        sim.store.insert(&reference, draft);
    }
}

fn make_console(sim: &mut Sim, plan: &Plan, vm: &RawRef, host: usize) {
    let (reference, uuid) = (sim.random.reference(), sim.random.uuid());
    let location = format!("https://{}/console?uuid={uuid}", plan.hosts[host].address);
    let draft = sim.store.draft("console").with("uuid", uuid).with("protocol", "rfb");
    sim.store.insert(&reference, draft.with("location", location).with("VM", vm));
}

fn make_guest(sim: &mut Sim, vm: &RawRef, shape: &Shape) -> RawRef {
    let guest = operations::guest_metrics(sim, vm);
    let system: Struct = if shape.is_windows {
        map([
            ("name", "Microsoft Windows Server 2022 Standard|C:\\Windows"),
            ("distro", "windows"),
            ("major", "10"),
            ("minor", "0"),
        ])
    } else {
        let (name, distro, major, kernel) = *sim.random.pick(LINUX);
        map([("name", name), ("distro", distro), ("major", major), ("minor", "0"), ("uname", kernel)])
    };
    sim.store.put("VM_guest_metrics", guest.as_str(), "os_version", system);
    guest
}
