//! Settings of VMs that are more than a written field, and questions about VMs.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_codec::{Limits, xmlrpc::read_value_text};
use xenapi_core::{Failure, NULL, RawRef, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::operations::{Handler, boot, ha, hosts, life, refresh, rules};

pub(crate) fn find(message: &str) -> Option<Handler> {
    Some(match message {
        "set_appliance" => Handler::Now(set_appliance),
        "set_groups" => Handler::Now(set_groups),
        "set_snapshot_schedule" => Handler::Now(set_schedule),
        "set_suspend_VDI" => Handler::Now(set_suspend_image),
        "set_has_vendor_device" => Handler::Now(|sim, _, args| {
            let vm = sim.need("VM", args.text(0))?;
            need_power(sim, &vm, "Halted")?;
            sim.store.put("VM", vm.as_str(), "has_vendor_device", args.flag(1));
            Ok(Value::VOID)
        }),
        "set_domain_type" => Handler::Now(|sim, _, args| {
            let vm = sim.need("VM", args.text(0))?;
            rules::check_power(sim, &vm, "changing_shadow_memory")?;
            let kind = String::from(args.text(1));
            let policy = sim.store.text("VM", vm.as_str(), "HVM_boot_policy");
            let policy = match kind.as_str() {
                "hvm" if policy.is_empty() => "BIOS order".into(),
                "hvm" => policy.to_string(),
                _ => String::new(),
            };
            set_kind(sim, &vm, &kind, &policy);
            Ok(Value::VOID)
        }),
        "set_HVM_boot_policy" => Handler::Now(|sim, _, args| {
            let vm = sim.need("VM", args.text(0))?;
            rules::check_power(sim, &vm, "changing_shadow_memory")?;
            let policy = String::from(args.text(1));
            set_kind(sim, &vm, if policy.is_empty() { "pv" } else { "hvm" }, &policy);
            Ok(Value::VOID)
        }),
        "set_ha_always_run" => Handler::Now(|sim, _, args| {
            let vm = sim.need("VM", args.text(0))?;
            sim.store.put("VM", vm.as_str(), "ha_always_run", args.flag(1));
            Ok(Value::VOID)
        }),
        "set_ha_restart_priority" => Handler::Now(ha::set_restart_priority),
        "copy_bios_strings" => Handler::Now(|sim, _, args| {
            let (vm, host) = (sim.need("VM", args.text(0))?, sim.need("host", args.text(1))?);
            check_no_bios_strings(sim, &vm)?;
            let strings = sim.store.value("host", host.as_str(), "bios_strings").cloned().unwrap_or_default();
            sim.store.put("VM", vm.as_str(), "bios_strings", strings);
            Ok(Value::VOID)
        }),
        "set_bios_strings" => Handler::Now(set_bios_strings),
        "assert_agile" => Handler::Now(|sim, _, args| {
            let vm = sim.need("VM", args.text(0))?;
            ha::check_agile(sim, &vm).map(|()| Value::VOID)
        }),
        "power_state_reset" => Handler::Now(reset_power),
        "get_boot_record" => Handler::Now(boot_record),
        "get_secureboot_readiness" => Handler::Now(secure_boot),
        "assert_can_be_recovered" => Handler::Now(|sim, _, args| {
            let vm = sim.need("VM", args.text(0))?;
            sim.need("session", args.text(1))?;
            check_recoverable(sim, &vm).map(|()| Value::VOID)
        }),
        "get_SRs_required_for_recovery" => Handler::Now(|sim, _, args| {
            let vm = sim.need("VM", args.text(0))?;
            sim.need("session", args.text(1))?;
            Ok(Value::Array(boot::storage(sim, &vm).iter().map(Value::from).collect()))
        }),
        "create_new_blob" => Handler::Now(|sim, _, args| create_blob(sim, "VM", args)),
        _ => return None,
    })
}

fn need_power(sim: &Sim, vm: &RawRef, power: &str) -> Result<(), Failure> {
    let actual = sim.store.text("VM", vm.as_str(), "power_state");
    if actual == power {
        return Ok(());
    }
    Err(rules::bad_power(vm.as_str(), &[power.to_lowercase().as_str()], actual))
}

fn set_kind(sim: &mut Sim, vm: &RawRef, kind: &str, policy: &str) {
    sim.store.put("VM", vm.as_str(), "domain_type", kind);
    sim.store.put("VM", vm.as_str(), "HVM_boot_policy", policy);
    let overhead = boot::overhead_of(sim, vm);
    sim.store.put("VM", vm.as_str(), "memory_overhead", overhead);
    sim.refresh_vm(vm);
}

/// Control domains, templates and snapshots belong to no appliance and to no group.
fn check_ordinary(sim: &Sim, vm: &RawRef, what: &str) -> Result<(), Failure> {
    let is = |field| sim.store.flag("VM", vm.as_str(), field);
    if is("is_control_domain") || is("is_a_template") || is("is_a_snapshot") {
        let text = alloc::format!("Control domains, templates and snapshots cannot be added to {what}.");
        return Err(Failure::new("OPERATION_NOT_ALLOWED", [text]));
    }
    Ok(())
}

fn set_appliance(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let (vm, new) = (sim.need("VM", args.text(0))?, RawRef::from(args.text(1)));
    check_ordinary(sim, &vm, "appliances")?;
    if !new.is_null() {
        sim.need("VM_appliance", new.as_str())?;
    }
    let old = sim.store.reference("VM", vm.as_str(), "appliance");
    sim.store.put("VM", vm.as_str(), "appliance", if new.is_null() { NULL } else { new.as_str() });
    sim.refresh_vm(&vm);
    for appliance in [&old, &new] {
        refresh(sim, "VM_appliance", appliance);
    }
    Ok(Value::VOID)
}

fn set_groups(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let vm = sim.need("VM", args.text(0))?;
    check_ordinary(sim, &vm, "VM groups")?;
    let groups: Vec<Value> = args.value(1).and_then(Value::as_array).unwrap_or_default().to_vec();
    if groups.len() > 1 {
        return Err(Failure::new("TOO_MANY_GROUPS", [""; 0]));
    }
    for group in &groups {
        sim.need("VM_group", group.as_text().unwrap_or(""))?;
    }
    sim.store.put("VM", vm.as_str(), "groups", groups);
    Ok(Value::VOID)
}

fn set_schedule(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let (vm, schedule) = (sim.need("VM", args.text(0))?, RawRef::from(args.text(1)));
    check_ordinary(sim, &vm, "snapshot schedules")?;
    if !schedule.is_null() {
        sim.need("VMSS", schedule.as_str())?;
        let policy = sim.store.reference("VM", vm.as_str(), "protection_policy");
        if sim.store.contains("VMPP", policy.as_str()) {
            return Err(Failure::new("VM_ASSIGNED_TO_PROTECTION_POLICY", [vm.as_str(), policy.as_str()]));
        }
        if sim.store.text("VMSS", schedule.as_str(), "type") == "snapshot_with_quiesce" {
            rules::check(sim, &vm, "snapshot_with_quiesce")?;
        }
    }
    sim.store.put("VM", vm.as_str(), "snapshot_schedule", if schedule.is_null() { NULL } else { schedule.as_str() });
    sim.refresh_vm(&vm);
    Ok(Value::VOID)
}

fn set_suspend_image(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let vm = sim.need("VM", args.text(0))?;
    need_power(sim, &vm, "Suspended")?;
    let new = sim.need("VDI", args.text(1))?;
    let old = sim.store.reference("VM", vm.as_str(), "suspend_VDI");
    let size = |vdi: &RawRef| sim.store.int("VDI", vdi.as_str(), "virtual_size");
    if old != new && sim.store.contains("VDI", old.as_str()) && size(&old) != size(&new) {
        let checksums = [size(&old).to_string(), size(&new).to_string()];
        let [of_old, of_new] = checksums;
        let params = [String::from(old.as_str()), of_old, String::from(new.as_str()), of_new];
        return Err(Failure::new("SUSPEND_VDI_REPLACEMENT_IS_NOT_IDENTICAL", params));
    }
    sim.store.put("VM", vm.as_str(), "suspend_VDI", &new);
    Ok(Value::VOID)
}

fn check_no_bios_strings(sim: &Sim, vm: &RawRef) -> Result<(), Failure> {
    let old = sim.store.value("VM", vm.as_str(), "bios_strings").and_then(Value::as_struct);
    if old.is_some_and(|strings| !strings.is_empty()) {
        return Err(Failure::new("VM_BIOS_STRINGS_ALREADY_SET", [""; 0]));
    }
    Ok(())
}

/// The BIOS strings that a VM can be given.
const BIOS_STRINGS: &[&str] = &[
    "bios-vendor",
    "bios-version",
    "system-manufacturer",
    "system-product-name",
    "system-version",
    "system-serial-number",
    "baseboard-manufacturer",
    "baseboard-product-name",
    "baseboard-version",
    "baseboard-serial-number",
    "baseboard-asset-tag",
    "baseboard-location-in-chassis",
    "enclosure-asset-tag",
];

fn set_bios_strings(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let vm = sim.need("VM", args.text(0))?;
    check_no_bios_strings(sim, &vm)?;
    let new = args.take(1);
    for (key, value) in new.as_struct().into_iter().flat_map(|strings| strings.iter()) {
        let text = value.as_text().unwrap_or("");
        let is_plain = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        if !BIOS_STRINGS.contains(&key) {
            return Err(Failure::new("INVALID_VALUE", [key, "Unknown key"]));
        }
        if text.is_empty() || text.len() > 512 || !is_plain {
            return Err(Failure::new("INVALID_VALUE", [key, text]));
        }
    }
    sim.store.put("VM", vm.as_str(), "bios_strings", new);
    Ok(Value::VOID)
}

/// `VM.power_state_reset`: for a VM whose host is gone.
fn reset_power(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let vm = sim.need("VM", args.text(0))?;
    let of = vm.as_str();
    // Before the rules for all operations, which would say no more than that control domains allow few.
    if sim.store.flag("VM", of, "is_control_domain") {
        return Err(Failure::new("CANNOT_RESET_CONTROL_DOMAIN", [of]));
    }
    rules::check(sim, &vm, "power_state_reset")?;
    let host = sim.store.reference("VM", of, "resident_on");
    if !host.is_null() && sim.is_live(&host) {
        if hosts::is_down(sim, &host) {
            return Err(Failure::new("HOST_IS_LIVE", [host.as_str()]));
        }
        let domid = sim.store.int("VM", of, "domid").to_string();
        return Err(Failure::new("DOMAIN_EXISTS", [of, &domid]));
    }
    life::halt(sim, &vm);
    sim.refresh_vm(&vm);
    Ok(Value::VOID)
}

/// `VM.get_boot_record`: the record as of the last boot.
fn boot_record(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let vm = sim.need("VM", args.text(0))?;
    rules::check(sim, &vm, "get_boot_record")?;
    let text = sim.store.text("VM", vm.as_str(), "last_booted_record");
    if let Ok(record @ Value::Struct(_)) = read_value_text(text, &Limits::default()) {
        return Ok(record);
    }
    // It has run since before anything was recorded: it is as it was.
    let table = sim.store.table("VM");
    Ok(table.get(vm.as_str()).map(|row| table.record(row)).unwrap_or_default())
}

/// `VM.get_secureboot_readiness`.
fn secure_boot(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let vm = sim.need("VM", args.text(0))?;
    let of = vm.as_str();
    let is_uefi = sim.store.key("VM", of, "HVM_boot_params", "firmware") == Some("uefi");
    let is_on = sim.store.key("VM", of, "platform", "secureboot").is_some_and(|on| on == "true" || on == "auto");
    let has_variables = sim.store.key("VM", of, "NVRAM", "EFI-variables").is_some();
    Ok(Value::from(match (is_uefi, is_on, has_variables) {
        (false, ..) => "not_supported",
        (true, false, _) => "disabled",
        (true, true, false) => "first_boot",
        (true, true, true) => "ready",
    }))
}

/// Fails unless every repository with a disk of the VM is in reach.
pub(crate) fn check_recoverable(sim: &Sim, vm: &RawRef) -> Result<(), Failure> {
    let is_lost = |sr: &&RawRef| {
        let pbds = sim.store.refs("SR", sr.as_str(), "PBDs");
        !pbds.iter().any(|pbd| sim.store.flag("PBD", pbd.as_str(), "currently_attached"))
    };
    match boot::storage(sim, vm).iter().find(is_lost) {
        Some(sr) => Err(Failure::new("VM_REQUIRES_SR", [vm.as_str(), sr.as_str()])),
        None => Ok(()),
    }
}

/// `create_new_blob` of a class: an empty blob, under a name in the object's map.
pub(crate) fn create_blob(sim: &mut Sim, class: &'static str, args: &mut Args) -> Result<Value, Failure> {
    let owner = sim.need(class, args.text(0))?;
    let (name, kind) = (args.text(1), args.text(2));
    if sim.store.key(class, owner.as_str(), "blobs", name).is_some() {
        return Err(Failure::new("MAP_DUPLICATE_KEY", [class, "blobs", owner.as_str(), name]));
    }
    let kind = if kind.is_empty() { "application/octet-stream" } else { kind };
    let (blob, uuid, date) = (sim.random.reference(), sim.random.uuid(), sim.date());
    let draft = sim.store.draft("blob").with("uuid", uuid).with("mime_type", kind).with("last_updated", date);
    sim.store.insert(&blob, draft.with("public", args.flag(3)));
    sim.store.put_key(class, owner.as_str(), "blobs", name, &blob);
    Ok(blob.into())
}

/// A VM has become a template, or a template a VM.
pub(crate) fn after_template_change(sim: &mut Sim, vm: &RawRef) {
    let of = vm.as_str();
    if sim.store.flag("VM", of, "is_a_template") {
        let metrics = sim.store.reference("VM", of, "metrics");
        sim.store.remove("VM_metrics", metrics.as_str());
        sim.store.put("VM", of, "metrics", NULL);
        sim.store.put("VM", of, "groups", Vec::new());
    } else {
        sim.store.put("VM", of, "is_default_template", false);
        life::metrics_of(sim, vm);
    }
    sim.refresh_vm(vm);
}
