//! Records of ordinary objects.

use xenapi_core::{Class, ClassDesc, DateTime, Struct, Value};
use xenapi_model::{Event, VBD, VDI, VM};

use crate::dice::Dice;

/// The record of an object with these fields, and the defaults of the schema for all others.
fn record(class: &ClassDesc, mut fields: Vec<(&'static str, Value)>) -> Value {
    let members = class.fields.iter().map(|field| {
        let given = fields.iter().position(|(name, _)| *name == field.name);
        let value = given.map_or_else(|| field.default_value(), |at| fields.swap_remove(at).1);
        (field.name, value)
    });
    let whole: Struct = members.collect();
    debug_assert!(fields.is_empty(), "{} has no fields {fields:?}", class.name);
    Value::Struct(whole)
}

fn map(pairs: &[(&'static str, &str)]) -> Value {
    Value::Struct(pairs.iter().map(|(name, value)| (*name, Value::from(*value))).collect())
}

fn words(words: &[&str]) -> Value {
    Value::Array(words.iter().map(|word| Value::from(*word)).collect())
}

fn references(dice: &mut Dice, count: usize) -> Value {
    Value::Array((0..count).map(|_| dice.reference().into()).collect())
}

/// Moments of a few years around 2025.
fn moment(dice: &mut Dice) -> Value {
    DateTime::from_unix(1_700_000_000 + dice.number(60_000_000)).into()
}

const NAMES: [&str; 8] =
    ["web", "db <primary>", "Büro-Druckserver", "数据库", "почта", "R&D build", "naïve-café", "monitoring \"east\""];

fn name(dice: &mut Dice, number: usize) -> Value {
    format!("{}-{number:04}", dice.pick(&NAMES)).into()
}

/// What templates say about themselves: XML as text, so that every bracket and quote of it is escaped on the wire.
fn recommendations(dice: &mut Dice) -> Value {
    let mut text = String::from("<restrictions>");
    for (field, max) in [("memory-static-max", "1649267441664"), ("vcpus-max", "32"), ("vcpus-min", "1")] {
        text.push_str(&format!("<restriction field=\"{field}\" max=\"{max}\"/>"));
    }
    for (property, max) in [("number-of-vbds", 255), ("number-of-vifs", 7)] {
        text.push_str(&format!("<restriction property=\"{property}\" max=\"{max}\"/>"));
    }
    for field in ["has-vendor-device", "allow-gpu-passthrough", "allow-vgpu", "allow-network-sriov", "supports-bios"] {
        text.push_str(&format!("<restriction field=\"{field}\" value=\"{}\"/>", dice.below(2)));
    }
    text.push_str(
        "<restriction field=\"supports-uefi\" value=\"yes\"/><restriction field=\"supports-secure-boot\" value=\"yes\"/>",
    );
    text.push_str("</restrictions>");
    text.into()
}

pub(crate) fn vm(dice: &mut Dice, number: usize) -> Value {
    let mut fields = identity(dice, number);
    fields.extend(resources(dice));
    fields.extend(devices(dice));
    fields.extend(settings(dice));
    record(VM::DESC, fields)
}

fn identity(dice: &mut Dice, number: usize) -> Vec<(&'static str, Value)> {
    let halted = dice.once_in(4);
    vec![
        ("uuid", dice.uuid().into()),
        ("name_label", name(dice, number)),
        ("name_description", "Answers the shop's customers; rebuilt every night from the template \"Debian 12\"".into()),
        ("power_state", if halted { "Halted" } else { "Running" }.into()),
        ("resident_on", dice.reference().into()),
        ("affinity", dice.reference().into()),
        ("metrics", dice.reference().into()),
        ("guest_metrics", dice.reference().into()),
        ("reference_label", "debian-12".into()),
        ("generation_id", format!("{}:{}", dice.roll(), dice.roll()).into()),
        ("snapshot_time", DateTime::NEVER.into()),
        ("tags", words(&["production", &format!("rack-{}", dice.below(40))])),
        ("domain_type", "hvm".into()),
        ("is_a_template", false.into()),
    ]
}

fn resources(dice: &mut Dice) -> Vec<(&'static str, Value)> {
    let memory = Value::Int((1 + dice.number(64)) << 30);
    let cpus = Value::Int(1 + dice.number(16));
    vec![
        ("memory_overhead", Value::Int(11_534_336)),
        ("memory_target", memory.clone()),
        ("memory_static_max", memory.clone()),
        ("memory_dynamic_max", memory.clone()),
        ("memory_dynamic_min", memory),
        ("memory_static_min", Value::Int(1 << 30)),
        ("VCPUs_max", cpus.clone()),
        ("VCPUs_at_startup", cpus),
        ("VCPUs_params", map(&[("weight", "256"), ("cap", "0")])),
        ("HVM_shadow_multiplier", Value::Double(1.0)),
        ("domid", Value::Int(dice.number(65_535))),
    ]
}

fn devices(dice: &mut Dice) -> Vec<(&'static str, Value)> {
    const OPERATIONS: [&str; 12] = [
        "changing_dynamic_range",
        "migrate_send",
        "pool_migrate",
        "changing_VCPUs_live",
        "suspend",
        "hard_reboot",
        "hard_shutdown",
        "clean_reboot",
        "clean_shutdown",
        "pause",
        "checkpoint",
        "snapshot",
    ];
    let (snapshots, blocked) = (dice.below(3), dice.once_in(10));
    vec![
        ("consoles", references(dice, 1)),
        ("VIFs", references(dice, 2)),
        ("VBDs", references(dice, 3)),
        ("snapshots", references(dice, snapshots)),
        ("allowed_operations", words(&OPERATIONS)),
        ("blocked_operations", if blocked { map(&[("destroy", "true")]) } else { map(&[]) }),
    ]
}

fn settings(dice: &mut Dice) -> Vec<(&'static str, Value)> {
    let mac_seed = dice.uuid();
    let features = "1fcbfbff-f7fa3223-2d93fbff-00000423-00000001-000007ab-00000000-00000000-00001000-0c000000";
    let certificate = "MS_VM_CERT/SHA1/bdbeb6e0a816d43fa6d3fe8aaef04c2bad9d3e3d";
    vec![
        ("HVM_boot_policy", "BIOS order".into()),
        ("HVM_boot_params", map(&[("firmware", "uefi"), ("order", "cdn")])),
        ("platform", platform()),
        ("other_config", other_config(&mac_seed)),
        ("xenstore_data", map(&[("vm-data", ""), ("vm-data/mmio-hole-size", "268435456")])),
        ("recommendations", recommendations(dice)),
        (
            "bios_strings",
            map(&[
                ("bios-vendor", "Xen"),
                ("bios-version", ""),
                ("system-manufacturer", "Xen"),
                ("system-product-name", "HVM domU"),
                ("system-version", ""),
                ("system-serial-number", ""),
                ("baseboard-manufacturer", ""),
                ("baseboard-product-name", ""),
                ("enclosure-asset-tag", ""),
                ("hp-rombios", ""),
                ("oem-1", "Xen"),
                ("oem-2", certificate),
            ]),
        ),
        ("last_boot_CPU_flags", map(&[("vendor", "GenuineIntel"), ("features", features)])),
    ]
}

fn platform() -> Value {
    map(&[
        ("timeoffset", "0"),
        ("videoram", "8"),
        ("hpet", "true"),
        ("secureboot", "false"),
        ("device-model", "qemu-upstream-uefi"),
        ("apic", "true"),
        ("acpi", "1"),
        ("pae", "true"),
        ("nx", "true"),
        ("viridian", "false"),
        ("cores-per-socket", "2"),
        ("vga", "std"),
    ])
}

fn other_config(mac_seed: &str) -> Value {
    map(&[
        ("base_template_name", "Debian Bookworm 12"),
        ("import_task", "OpaqueRef:NULL"),
        ("mac_seed", mac_seed),
        ("install-methods", "cdrom,nfs,http,ftp"),
        ("linux_template", "true"),
        ("folder", "/shop/web"),
        ("auto_poweron", "true"),
        ("xo:backup:schedule", "every night & every <Sunday>"),
    ])
}

pub(crate) fn vdi(dice: &mut Dice, number: usize) -> Value {
    let size = (1 + dice.number(400)) << 30;
    let uuid = dice.uuid();
    let fields = vec![
        ("uuid", Value::from(uuid.as_str())),
        ("name_label", name(dice, number)),
        ("name_description", "Created by template provisioner".into()),
        ("allowed_operations", words(&["generate_config", "force_unlock", "forget", "snapshot", "resize", "copy", "clone"])),
        ("SR", dice.reference().into()),
        ("VBDs", references(dice, 1)),
        ("virtual_size", Value::Int(size)),
        ("physical_utilisation", Value::Int(size / 3)),
        ("type", "user".into()),
        ("location", uuid.into()),
        ("managed", true.into()),
        ("sm_config", map(&[("image-format", "vhd"), ("vhd-parent", &dice.uuid()), ("host_OpaqueRef", "RW")])),
        ("snapshot_time", moment(dice)),
        ("other_config", map(&[("content_id", &dice.uuid())])),
        ("is_tools_iso", false.into()),
    ];
    record(VDI::DESC, fields)
}

pub(crate) fn vbd(dice: &mut Dice, number: usize) -> Value {
    let device = number % 4;
    let fields = vec![
        ("uuid", dice.uuid().into()),
        ("allowed_operations", words(&["attach", "unpause", "unplug", "unplug_force", "pause"])),
        ("VM", dice.reference().into()),
        ("VDI", dice.reference().into()),
        ("device", format!("xvd{}", dice.pick(&["a", "b", "c", "d"])).into()),
        ("userdevice", device.to_string().into()),
        ("bootable", (device == 0).into()),
        ("mode", "RW".into()),
        ("type", "Disk".into()),
        ("unpluggable", true.into()),
        ("other_config", map(&[("owner", "")])),
        ("currently_attached", true.into()),
        ("qos_algorithm_params", map(&[])),
        ("metrics", dice.reference().into()),
    ];
    record(VBD::DESC, fields)
}

/// A batch of events: of each six objects one VM, two VDIs and three VBDs, each with its record.
pub(crate) fn events(dice: &mut Dice, count: usize, mut ordered: impl FnMut(Value) -> Value) -> Value {
    let events = (0..count).map(|number| {
        let (class, snapshot) = match number % 6 {
            0 => ("vm", vm(dice, number)),
            1 | 2 => ("vdi", vdi(dice, number)),
            _ => ("vbd", vbd(dice, number)),
        };
        let uuid = snapshot.as_struct().and_then(|it| it.get("uuid")).cloned().unwrap_or_default();
        let fields = vec![
            ("id", Value::Int(7_000_000 + i64::try_from(number).unwrap_or(0))),
            ("timestamp", format!("1700000000.{:06}", dice.below(1_000_000)).into()),
            ("class", class.into()),
            ("operation", dice.pick(&["add", "mod"]).into()),
            ("ref", dice.reference().into()),
            ("obj_uuid", uuid),
            ("snapshot", snapshot),
        ];
        ordered(record(Event::DESC, fields))
    });
    let events = Value::Array(events.collect());
    let counts = [("vm", 1000), ("vdi", 4000), ("vbd", 3000), ("host", 16)];
    let counts = counts.into_iter().map(|(class, count)| (class, Value::Int32(count)));
    let members: [(&'static str, Value); 3] = [
        ("events", events),
        ("valid_ref_counts", Value::Struct(counts.collect::<Struct>())),
        ("token", "00000000000017000123,00000000000000000042".into()),
    ];
    Value::Struct(members.into_iter().collect())
}
