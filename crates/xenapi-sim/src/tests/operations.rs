//! What operations check and do.

use super::*;
use crate::tests::generated::check_consistent;

impl Pool {
    fn set(&mut self, class: &str, reference: &str, field: &str, value: impl Into<Value>) {
        self.sim.store.put(class, reference, field, value);
    }
}

#[test]
fn check_48_and_49_power_states() {
    let mut pool = Pool::new();
    let (halted, running, template) = (pool.vm("Halted"), pool.vm("Running"), pool.template());
    assert_eq!(pool.start(&template).unwrap_err(), failure("VM_IS_TEMPLATE", &[&template, "start"]));
    let bad = |vm: &str, expected: &str, actual: &str| failure("VM_BAD_POWER_STATE", &[vm, expected, actual]);
    assert_eq!(pool.ask("VM.unpause", &[&halted]).unwrap_err(), bad(&halted, "paused", "halted"));
    assert_eq!(pool.ask("VM.hard_reboot", &[&halted]).unwrap_err(), bad(&halted, "paused, running", "halted"));
    let expected = "paused, suspended, running";
    assert_eq!(pool.ask("VM.hard_shutdown", &[&halted]).unwrap_err(), bad(&halted, expected, "halted"));
    assert_eq!(pool.ask("VM.shutdown", &[&halted]).unwrap_err(), bad(&halted, expected, "halted"));
    assert_eq!(pool.ask("VM.destroy", &[&running]).unwrap_err(), bad(&running, "halted, suspended", "running"));
    assert_eq!(pool.ask("VM.clean_shutdown", &[&halted]).unwrap_err(), bad(&halted, "running", "halted"));
}

#[test]
fn check_50_blocked_operations_come_first() {
    let mut pool = Pool::new();
    let vm = pool.vm("Running");
    pool.ask("VM.add_to_blocked_operations", &[&vm, "start", "x"]).unwrap();
    assert_eq!(pool.start(&vm).unwrap_err(), failure("OPERATION_BLOCKED", &[&vm, "x"]));
}

#[test]
fn check_51_start_and_what_it_does() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let before = pool.refs("message.get_all", &[]).len();
    assert_eq!(pool.start(&vm), Ok(Value::VOID));
    assert_eq!(pool.text("VM.get_power_state", &[&vm]), "Running");
    let host = pool.text("VM.get_resident_on", &[&vm]);
    assert!(pool.refs("host.get_resident_VMs", &[&host]).contains(&vm));
    assert!(pool.ask("VM.get_domid", &[&vm]).unwrap().as_int().unwrap() > 0);
    for vbd in pool.refs("VM.get_VBDs", &[&vm]) {
        assert!(pool.flag("VBD.get_currently_attached", &[&vbd]));
        assert!(pool.text("VBD.get_device", &[&vbd]).starts_with("xvd"));
        assert_eq!(pool.ask("VBD.get_current_operations", &[&vbd]), Ok(Value::empty_struct()));
    }
    let console = pool.refs("VM.get_consoles", &[&vm])[0].clone();
    let location = pool.text("console.get_location", &[&console]);
    assert!(location.starts_with("https://") && location.contains("/console?uuid="), "{location}");
    let messages = pool.refs("message.get_all", &[]);
    assert_eq!(messages.len(), before + 1);
    let record = pool.ask("message.get_record", &[messages.last().unwrap()]).unwrap();
    let record = record.as_struct().unwrap();
    let (uuid, name) = (pool.text("VM.get_uuid", &[&vm]), pool.text("VM.get_name_label", &[&vm]));
    assert_eq!(record.get("name"), Some(&"VM_STARTED".into()));
    assert_eq!((record.get("cls"), record.get("obj_uuid")), (Some(&"VM".into()), Some(&uuid.as_str().into())));
    let host_name = pool.text("host.get_name_label", &[&host]);
    let host_uuid = pool.text("host.get_uuid", &[&host]);
    let body = alloc::format!("VM '{name}' (uuid: {uuid}) started on host: {host_name} (uuid: {host_uuid})");
    assert_eq!(record.get("body"), Some(&body.into()));
    let guest = pool.text("VM.get_guest_metrics", &[&vm]);
    let networks = pool.ask("VM_guest_metrics.get_networks", &[&guest]).unwrap();
    assert!(networks.as_struct().unwrap().get("0/ip").is_some());

    assert_eq!(pool.ask("VM.clean_shutdown", &[&vm]), Ok(Value::VOID));
    assert_eq!(pool.text("VM.get_power_state", &[&vm]), "Halted");
    assert_eq!(pool.text("VM.get_resident_on", &[&vm]), "OpaqueRef:NULL");
    assert_eq!(pool.ask("VM.get_domid", &[&vm]), Ok(Value::Int(-1)));
    assert!(pool.refs("VM.get_consoles", &[&vm]).is_empty());
    assert!(pool.ask("console.get_location", &[&console]).is_err());
    for vif in pool.refs("VM.get_VIFs", &[&vm]) {
        assert!(!pool.flag("VIF.get_currently_attached", &[&vif]));
    }
}

#[test]
fn check_52_suspend_keeps_devices_and_a_hard_shutdown_drops_the_image() {
    let mut pool = Pool::new();
    let vm = pool.vm("Running");
    pool.ask("VM.suspend", &[&vm]).unwrap();
    assert_eq!(pool.text("VM.get_power_state", &[&vm]), "Suspended");
    assert_eq!(pool.text("VM.get_resident_on", &[&vm]), "OpaqueRef:NULL");
    assert_eq!(pool.ask("VM.get_domid", &[&vm]), Ok(Value::Int(-1)));
    let image = pool.text("VM.get_suspend_VDI", &[&vm]);
    assert_eq!(pool.text("VDI.get_type", &[&image]), "suspend");
    for vbd in pool.refs("VM.get_VBDs", &[&vm]) {
        assert!(pool.flag("VBD.get_currently_attached", &[&vbd]));
    }
    pool.ask("VM.hard_shutdown", &[&vm]).unwrap();
    assert!(pool.ask("VDI.get_type", &[&image]).is_err());
    assert_eq!(pool.text("VM.get_power_state", &[&vm]), "Halted");
}

#[test]
fn suspended_vms_resume() {
    let mut pool = Pool::new();
    let vm = pool.vm("Suspended");
    let image = pool.text("VM.get_suspend_VDI", &[&vm]);
    pool.call("VM.resume", &[vm.as_str().into(), false.into(), false.into()]).unwrap();
    assert_eq!(pool.text("VM.get_power_state", &[&vm]), "Running");
    assert!(pool.ask("VDI.get_uuid", &[&image]).is_err());
    pool.ask("VM.pause", &[&vm]).unwrap();
    assert_eq!(pool.text("VM.get_power_state", &[&vm]), "Paused");
    pool.ask("VM.unpause", &[&vm]).unwrap();
    pool.ask("VM.clean_reboot", &[&vm]).unwrap();
    assert_eq!(pool.text("VM.get_power_state", &[&vm]), "Running");
}

#[test]
fn check_53_snapshots() {
    let mut pool = Pool::new();
    let vm = pool.vm("Running");
    let snapshot = pool.text("VM.snapshot", &[&vm, "snap"]);
    assert!(pool.flag("VM.get_is_a_snapshot", &[&snapshot]) && pool.flag("VM.get_is_a_template", &[&snapshot]));
    assert_eq!(pool.text("VM.get_snapshot_of", &[&snapshot]), vm);
    assert_eq!(pool.text("VM.get_parent", &[&vm]), snapshot);
    assert!(pool.refs("VM.get_snapshots", &[&vm]).contains(&snapshot));
    assert_eq!(pool.start(&snapshot).unwrap_err(), failure("VM_IS_SNAPSHOT", &[&snapshot, "start"]));
    let info = pool.ask("VM.get_snapshot_info", &[&snapshot]).unwrap();
    assert_eq!(info.as_struct().unwrap().get("power-state-at-snapshot"), Some(&"Running".into()));
    let refused = pool.ask("VM.revert", &[&vm]).unwrap_err();
    assert_eq!(refused, failure("VM_REVERT_FAILED", &[&vm, "OpaqueRef:NULL"]));
    let disks = |pool: &mut Pool| pool.refs("VM.get_VBDs", &[&vm]).len();
    let before = disks(&mut pool);
    pool.ask("VM.set_name_description", &[&vm, "changed"]).unwrap();
    pool.ask("VM.revert", &[&snapshot]).unwrap();
    assert_ne!(pool.text("VM.get_name_description", &[&vm]), "changed");
    assert_eq!(pool.text("VM.get_power_state", &[&vm]), "Halted");
    assert_eq!(disks(&mut pool), before);
    assert!(!pool.flag("VM.get_is_a_template", &[&vm]));
    assert!(pool.refs("VM.get_snapshots", &[&vm]).contains(&snapshot));
    pool.start(&vm).unwrap();
}

#[test]
fn check_54_destroy_leaves_disks() {
    let mut pool = Pool::new();
    let (vm, template) = (pool.vm("Halted"), pool.template());
    let (vbds, vifs) = (pool.refs("VM.get_VBDs", &[&vm]), pool.refs("VM.get_VIFs", &[&vm]));
    let disk = pool.text("VBD.get_VDI", &[&vbds[0]]);
    pool.ask("VM.destroy", &[&vm]).unwrap();
    assert!(pool.ask("VM.get_uuid", &[&vm]).is_err());
    assert!(vbds.iter().all(|vbd| pool.ask("VBD.get_uuid", &[vbd]).is_err()));
    assert!(vifs.iter().all(|vif| pool.ask("VIF.get_uuid", &[vif]).is_err()));
    assert!(pool.refs("VDI.get_VBDs", &[&disk]).is_empty());
    assert_eq!(pool.ask("VM.destroy", &[&template]).unwrap_err(), failure("VM_IS_TEMPLATE", &[&template, "destroy"]));
}

fn vbd(vm: &str, vdi: &str, userdevice: &str, kind: &str, mode: &str) -> Value {
    let empty = Value::empty_struct;
    let members: [(&str, Value); 10] = [
        ("VM", vm.into()),
        ("VDI", vdi.into()),
        ("userdevice", userdevice.into()),
        ("bootable", false.into()),
        ("mode", mode.into()),
        ("type", kind.into()),
        ("empty", kind.eq_ignore_ascii_case("cd").into()),
        ("other_config", empty()),
        ("qos_algorithm_type", "".into()),
        ("qos_algorithm_params", empty()),
    ];
    Value::Struct(members.into_iter().map(|(name, value)| (name.to_string(), value)).collect())
}

#[test]
fn check_55_disks() {
    let mut pool = Pool::new();
    let (vm, running) = (pool.vm("Halted"), pool.vm("Running"));
    let vbds = pool.refs("VM.get_VBDs", &[&vm]);
    let refused = pool.ask("VBD.plug", &[&vbds[0]]).unwrap_err();
    assert_eq!(refused, failure("VM_BAD_POWER_STATE", &[&vm, "running", "halted"]));
    let used = pool.call("VBD.create", &[vbd(&vm, "OpaqueRef:NULL", "0", "CD", "RO")]).unwrap_err();
    assert_eq!(used, failure("DEVICE_ALREADY_EXISTS", &["0"]));
    let used = pool.call("VBD.create", &[vbd(&vm, "OpaqueRef:NULL", "hda", "CD", "RO")]).unwrap_err();
    assert_eq!(used, failure("DEVICE_ALREADY_EXISTS", &["hda"]));
    let bad = pool.call("VBD.create", &[vbd(&vm, "OpaqueRef:NULL", "zz", "CD", "RO")]).unwrap_err();
    assert_eq!(bad, failure("INVALID_DEVICE", &["zz"]));
    let writable = pool.call("VBD.create", &[vbd(&vm, "OpaqueRef:NULL", "9", "CD", "RW")]).unwrap_err();
    assert_eq!(writable, failure("VBD_CDS_MUST_BE_READONLY", &[]));
    let drive = pool.call("VBD.create", &[vbd(&vm, "OpaqueRef:NULL", "autodetect", "cd", "ro")]).unwrap();
    let drive: String = drive.as_text().unwrap().into();
    assert_eq!(pool.ask("VBD.eject", &[&drive]).unwrap_err(), failure("VBD_IS_EMPTY", &[&drive]));
    let iso = pool.refs("VDI.get_all_where", &["field \"is_tools_iso\" = \"true\""])[0].clone();
    pool.ask("VBD.insert", &[&drive, &iso]).unwrap();
    assert_eq!(pool.ask("VBD.insert", &[&drive, &iso]).unwrap_err(), failure("VBD_NOT_EMPTY", &[&drive]));
    assert!(pool.refs("VDI.get_VBDs", &[&iso]).contains(&drive));
    pool.ask("VBD.eject", &[&drive]).unwrap();
    assert!(pool.flag("VBD.get_empty", &[&drive]));
    let attached = pool.refs("VM.get_VBDs", &[&running])[0].clone();
    assert_eq!(pool.ask("VBD.plug", &[&attached]).unwrap_err(), failure("DEVICE_ALREADY_ATTACHED", &[&attached]));
    assert_eq!(pool.ask("VBD.destroy", &[&attached]).unwrap_err().code, "OPERATION_NOT_ALLOWED");
}

#[test]
fn check_56_nics() {
    let mut pool = Pool::new();
    let (vm, network) = (pool.vm("Halted"), pool.refs("network.get_all", &[])[1].clone());
    let vif = |device: &str, mac: &str| {
        let members: [(&str, Value); 8] = [
            ("VM", vm.as_str().into()),
            ("network", network.as_str().into()),
            ("device", device.into()),
            ("MAC", mac.into()),
            ("MTU", 1500.into()),
            ("other_config", Value::empty_struct()),
            ("qos_algorithm_type", "".into()),
            ("qos_algorithm_params", Value::empty_struct()),
        ];
        Value::Struct(members.into_iter().map(|(name, value)| (name.to_string(), value)).collect())
    };
    assert_eq!(pool.call("VIF.create", &[vif("x", "")]).unwrap_err(), failure("INVALID_DEVICE", &["x"]));
    assert_eq!(pool.call("VIF.create", &[vif("0", "")]).unwrap_err(), failure("DEVICE_ALREADY_EXISTS", &["0"]));
    assert_eq!(pool.call("VIF.create", &[vif("7", "zz")]).unwrap_err(), failure("MAC_INVALID", &["zz"]));
    let new = pool.call("VIF.create", &[vif("7", "")]).unwrap();
    let new: String = new.as_text().unwrap().into();
    assert!(pool.flag("VIF.get_MAC_autogenerated", &[&new]));
    let mac = pool.text("VIF.get_MAC", &[&new]);
    let first = u8::from_str_radix(&mac[..2], 16).unwrap();
    assert_eq!(first & 3, 2, "locally administered, unicast: {mac}");
    assert!(!pool.refs("VM.get_allowed_VIF_devices", &[&vm]).contains(&"7".into()));
}

#[test]
fn check_57_and_58_disks_and_connections() {
    let mut pool = Pool::new();
    let running = pool.vm("Running");
    let disk = pool.refs("VM.get_VBDs", &[&running])[0].clone();
    let disk = pool.text("VBD.get_VDI", &[&disk]);
    assert_eq!(pool.ask("VDI.destroy", &[&disk]).unwrap_err(), failure("VDI_IN_USE", &[&disk, "destroy"]));
    let pbd = pool.refs("PBD.get_all_where", &["field \"currently_attached\" = \"false\""])[0].clone();
    let (sr, host) = (pool.text("PBD.get_SR", &[&pbd]), pool.text("PBD.get_host", &[&pbd]));
    let members: [(&str, Value); 3] =
        [("SR", sr.as_str().into()), ("host", host.as_str().into()), ("device_config", Value::empty_struct())];
    let record = Value::Struct(members.into_iter().collect());
    let again = pool.call("PBD.create", &[record]).unwrap_err();
    assert_eq!(again, failure("PBD_EXISTS", &[&sr, &host, &pbd]));
    for _ in 0..2 {
        assert_eq!(pool.ask("PBD.plug", &[&pbd]), Ok(Value::VOID));
    }
    assert_eq!(pool.ask("SR.destroy", &[&sr]).unwrap_err(), failure("SR_HAS_PBD", &[&sr]));
    let attached = failure("OPERATION_NOT_ALLOWED", &["PBD is currently attached"]);
    assert_eq!(pool.ask("PBD.destroy", &[&pbd]).unwrap_err(), attached);
}

#[test]
fn check_57_a_repository_with_disks_stays() {
    let mut pool = Pool::new();
    let sr = pool.refs("SR.get_by_name_label", &["ISO library"])[0].clone();
    for pbd in pool.refs("SR.get_PBDs", &[&sr]) {
        pool.set("PBD", &pbd, "currently_attached", false);
    }
    assert_eq!(pool.ask("SR.destroy", &[&sr]).unwrap_err(), failure("SR_NOT_EMPTY", &[]));
    assert_eq!(pool.ask("SR.forget", &[&sr]), Ok(Value::VOID));
    assert!(pool.ask("SR.get_uuid", &[&sr]).is_err());
    check_consistent(&pool.sim);
}

#[test]
fn disks_are_copied_and_grow() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let vbd = pool.refs("VM.get_VBDs", &[&vm])[0].clone();
    let vdi = pool.text("VBD.get_VDI", &[&vbd]);
    let snapshot = pool.ask("VDI.snapshot", &[&vdi]).unwrap();
    assert_eq!(pool.text("VDI.get_snapshot_of", &[snapshot.as_text().unwrap()]), vdi);
    let size = pool.ask("VDI.get_virtual_size", &[&vdi]).unwrap().as_int().unwrap();
    pool.call("VDI.resize", &[vdi.as_str().into(), Value::Int(size * 2)]).unwrap();
    let refused = pool.call("VDI.resize", &[vdi.as_str().into(), Value::Int(size)]).unwrap_err();
    assert!(refused.code.starts_with("SR_BACKEND_FAILURE"), "{refused}");
    let copy = pool.text("VDI.copy", &[&vdi]);
    assert_eq!(pool.ask("VDI.get_virtual_size", &[&copy]), Ok(Value::Int(size * 2)));
}

#[test]
fn check_60_vlans() {
    let mut pool = Pool::new();
    let bond = pool.refs("Bond.get_all", &[])[0].clone();
    let pif = pool.text("Bond.get_master", &[&bond]);
    let networks = pool.refs("network.get_by_name_label", &["Isolated lab"]);
    let (network, other) =
        (networks[0].clone(), pool.refs("network.get_by_name_label", &["Host internal management network"])[0].clone());
    let refused = pool.ask("VLAN.create", &[&pif, "4095", &network]).unwrap_err();
    assert_eq!(refused, failure("VLAN_TAG_INVALID", &["4095"]));
    let vlan = pool.text("VLAN.create", &[&pif, "7", &network]);
    let untagged = pool.text("VLAN.get_untagged_PIF", &[&vlan]);
    assert_eq!(pool.text("PIF.get_VLAN_master_of", &[&untagged]), vlan);
    assert!(pool.refs("PIF.get_VLAN_slave_of", &[&pif]).contains(&vlan));
    let again = pool.ask("VLAN.create", &[&pif, "7", &other]).unwrap_err();
    assert_eq!(again, failure("PIF_VLAN_EXISTS", &["bond0"]));
    let host = pool.text("PIF.get_host", &[&pif]);
    let again = pool.ask("VLAN.create", &[&pif, "7", &network]).unwrap_err();
    assert_eq!(again, failure("NETWORK_ALREADY_CONNECTED", &[&host, &untagged]));
    pool.ask("VLAN.destroy", &[&vlan]).unwrap();
    assert!(pool.ask("PIF.get_uuid", &[&untagged]).is_err());
    assert_eq!(pool.ask("host.reboot", &[&host]).unwrap_err(), failure("HOST_NOT_DISABLED", &[]));
    check_consistent(&pool.sim);
}

#[test]
fn a_template_becomes_a_vm() {
    let mut pool = Pool::new();
    let (template, sr) = (pool.template(), pool.refs("SR.get_by_name_label", &["NFS volume 1"])[0].clone());
    let vm = pool.text("VM.clone", &[&template, "fresh"]);
    let refused = pool.ask("VM.provision", &[&vm]).unwrap_err();
    assert_eq!(refused, failure("UUID_INVALID", &["sr", ""]));
    let config = pool.ask("VM.get_other_config", &[&vm]).unwrap();
    let disks = config.as_struct().unwrap().get("disks").unwrap().as_text().unwrap().to_string();
    let uuid = pool.text("SR.get_uuid", &[&sr]);
    pool.ask("VM.remove_from_other_config", &[&vm, "disks"]).unwrap();
    let disks = disks.replace("sr=\"\"", &alloc::format!("sr=\"{uuid}\""));
    pool.ask("VM.add_to_other_config", &[&vm, "disks", &disks]).unwrap();
    pool.ask("VM.provision", &[&vm]).unwrap();
    assert!(!pool.flag("VM.get_is_a_template", &[&vm]));
    let vbd = pool.refs("VM.get_VBDs", &[&vm])[0].clone();
    let vdi = pool.text("VBD.get_VDI", &[&vbd]);
    assert_eq!(pool.text("VDI.get_SR", &[&vdi]), sr);
    pool.start(&vm).unwrap();
    assert_eq!(pool.text("VM.get_power_state", &[&vm]), "Running");
}

#[test]
fn a_guest_without_tools_does_not_listen() {
    let mut pool = Pool::new();
    let vm = pool.vm("Running");
    assert!(pool.refs("VM.get_allowed_operations", &[&vm]).contains(&"clean_shutdown".into()));
    pool.set("VM", &vm, "guest_metrics", "OpaqueRef:NULL");
    pool.ask("VM.update_allowed_operations", &[&vm]).unwrap();
    let allowed = pool.refs("VM.get_allowed_operations", &[&vm]);
    assert!(!allowed.contains(&"clean_shutdown".into()) && allowed.contains(&"hard_shutdown".into()));
    let before = pool.now;
    let refused = pool.ask("VM.clean_shutdown", &[&vm]).unwrap_err();
    assert_eq!(refused, failure("VM_SHUTDOWN_TIMEOUT", &[&vm, "1200."]));
    assert_eq!(pool.now - before, Millis::from_secs(1200));
    pool.ask("VM.shutdown", &[&vm]).unwrap();
    assert_eq!(pool.text("VM.get_power_state", &[&vm]), "Halted");
}

#[test]
fn check_59_networks() {
    let mut pool = Pool::new();
    let running = pool.vm("Running");
    let vif = pool.refs("VM.get_VIFs", &[&running])[0].clone();
    let used = pool.text("VIF.get_network", &[&vif]);
    assert_eq!(pool.ask("network.destroy", &[&used]).unwrap_err().code, "NETWORK_CONTAINS_VIF");
    let management = pool.refs("network.get_by_name_label", &["Host internal management network"])[0].clone();
    let refused = pool.ask("network.destroy", &[&management]).unwrap_err();
    assert_eq!(refused, failure("CANNOT_DESTROY_SYSTEM_NETWORK", &[&management]));
}

#[test]
fn a_disabled_host_starts_nothing() {
    let mut pool = Pool::with(&Config { hosts: 1, ..Config::default() });
    let (vm, host) = (pool.vm("Halted"), pool.refs("host.get_all", &[])[0].clone());
    assert_eq!(pool.refs("VM.get_possible_hosts", &[&vm]), core::slice::from_ref(&host));
    pool.ask("host.disable", &[&host]).unwrap();
    let refused = pool.ask("VM.assert_can_boot_here", &[&vm, &host]).unwrap_err();
    assert_eq!(refused, failure("HOST_DISABLED", &[&host]));
    assert_eq!(pool.start(&vm).unwrap_err(), failure("NO_HOSTS_AVAILABLE", &[]));
    let on = [vm.as_str().into(), host.as_str().into(), false.into(), false.into()];
    assert_eq!(pool.call("VM.start_on", &on).unwrap_err(), failure("HOST_DISABLED", &[&host]));
    pool.ask("host.enable", &[&host]).unwrap();
    assert_eq!(pool.call("VM.start_on", &on), Ok(Value::VOID));
    assert_eq!(pool.text("VM.get_resident_on", &[&vm]), host);
}

#[test]
fn a_lack_of_memory_is_told_apart() {
    let mut pool = Pool::with(&Config { hosts: 1, ..Config::default() });
    let (vm, host) = (pool.vm("Halted"), pool.refs("host.get_all", &[])[0].clone());
    let metrics = pool.text("host.get_metrics", &[&host]);
    pool.set("host_metrics", &metrics, "memory_free", 1000);
    let refused = pool.start(&vm).unwrap_err();
    assert_eq!((refused.code.as_str(), refused.params[1].as_str()), ("HOST_NOT_ENOUGH_FREE_MEMORY", "1000"));
    pool.set("host_metrics", &metrics, "live", false);
    let refused = pool.ask("VM.assert_can_boot_here", &[&vm, &host]).unwrap_err();
    assert_eq!(refused, failure("HOST_NOT_LIVE", &[]));
}

#[test]
fn storage_and_networks_must_be_in_reach() {
    let mut pool = Pool::with(&Config { hosts: 1, ..Config::default() });
    let (vm, host) = (pool.vm("Halted"), pool.refs("host.get_all", &[])[0].clone());
    let vbd = pool.refs("VM.get_VBDs", &[&vm])[0].clone();
    let vdi = pool.text("VBD.get_VDI", &[&vbd]);
    let sr = pool.text("VDI.get_SR", &[&vdi]);
    for pbd in pool.refs("SR.get_PBDs", &[&sr]) {
        pool.set("PBD", &pbd, "currently_attached", false);
    }
    let refused = pool.ask("VM.assert_can_boot_here", &[&vm, &host]).unwrap_err();
    assert_eq!(refused, failure("VM_REQUIRES_SR", &[&vm, &sr]));
    assert_eq!(pool.start(&vm).unwrap_err(), failure("NO_HOSTS_AVAILABLE", &[]));
}

#[test]
fn migration_moves_a_vm() {
    let mut pool = Pool::new();
    let vm = pool.vm("Running");
    let from = pool.text("VM.get_resident_on", &[&vm]);
    let possible = pool.refs("VM.get_possible_hosts", &[&vm]);
    let to = possible.into_iter().find(|host| *host != from).unwrap();
    pool.call("VM.pool_migrate", &[vm.as_str().into(), to.as_str().into(), Value::empty_struct()]).unwrap();
    assert_eq!(pool.text("VM.get_resident_on", &[&vm]), to);
    assert!(!pool.refs("host.get_resident_VMs", &[&from]).contains(&vm));
}

#[test]
fn a_hard_shutdown_cancels_what_runs() {
    let mut pool = Pool::new();
    let vm = pool.vm("Running");
    let suspend = pool.text("Async.VM.suspend", &[&vm]);
    pool.pass(100);
    pool.ask("VM.hard_shutdown", &[&vm]).unwrap();
    assert_eq!(pool.text("task.get_status", &[&suspend]), "cancelled");
    assert_eq!(pool.text("VM.get_power_state", &[&vm]), "Halted");
}

#[test]
fn control_domains_are_left_alone() {
    let mut pool = Pool::new();
    let dom0 = pool.refs("VM.get_all_where", &["field \"is_control_domain\" = \"true\""])[0].clone();
    let refused = pool.ask("VM.clean_shutdown", &[&dom0]).unwrap_err();
    assert_eq!(refused, failure("OPERATION_NOT_ALLOWED", &["This operation is not allowed on a control domain"]));
}

#[test]
fn memory_limits_stay_in_order() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let limits = |numbers: [i64; 4]| {
        let mut params = Vec::from([Value::from(vm.as_str())]);
        params.extend(numbers.map(Value::Int));
        params
    };
    pool.call("VM.set_memory_limits", &limits([1, 4, 2, 3])).unwrap();
    assert_eq!(pool.ask("VM.get_memory_dynamic_max", &[&vm]), Ok(Value::Int(3)));
    let refused = pool.call("VM.set_memory_limits", &limits([1, 2, 2, 3])).unwrap_err();
    assert_eq!(refused, failure("MEMORY_CONSTRAINT_VIOLATION_ORDER", &[]));
    pool.ask("VM.set_VCPUs_max", &[&vm, "16"]).unwrap();
    pool.ask("VM.set_VCPUs_at_startup", &[&vm, "16"]).unwrap();
    assert_eq!(pool.ask("VM.set_VCPUs_max", &[&vm, "8"]).unwrap_err().code, "INVALID_VALUE");
    assert_eq!(
        pool.ask("VM.set_order", &[&vm, "-1"]).unwrap_err(),
        failure("INVALID_VALUE", &["order must be non-negative", "-1"])
    );
}

#[test]
fn messages() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let uuid = pool.text("VM.get_uuid", &[&vm]);
    let message = pool.text("message.create", &["HELLO", "5", "vm", &uuid, "body"]);
    assert_eq!(pool.text("message.create", &["HELLO", "5", "VM", &uuid, "body"]).len(), message.len());
    let refused = pool.ask("message.create", &["HELLO", "5", "VM", "x", "body"]).unwrap_err();
    assert_eq!(refused, failure("UUID_INVALID", &["VM", "x"]));
    let about = pool.ask("message.get", &["VM", &uuid, "19700101T00:00:00Z"]).unwrap();
    assert_eq!(about.as_struct().unwrap().len(), 2);
    pool.ask("message.destroy", &[&message]).unwrap();
    assert_eq!(pool.ask("message.destroy", &[&message]).unwrap_err(), failure("HANDLE_INVALID", &["message", &message]));
}

#[test]
fn a_vm_is_made_from_the_record_of_another() {
    let mut pool = Pool::new();
    let model = pool.vm("Running");
    let record = pool.ask("VM.get_record", &[&model]).unwrap();
    let new = pool.call("VM.create", core::slice::from_ref(&record)).unwrap();
    let new = new.as_text().unwrap();
    assert_eq!(pool.text("VM.get_power_state", &[new]), "Halted");
    assert_eq!(pool.text("VM.get_guest_metrics", &[new]), "OpaqueRef:NULL");
    assert!(pool.refs("VM.get_VBDs", &[new]).is_empty());
    assert_ne!(pool.text("VM.get_uuid", &[new]), pool.text("VM.get_uuid", &[&model]));
    assert!(pool.refs("VM.get_allowed_operations", &[new]).contains(&"start".into()));
    let Value::Struct(mut record) = record else { panic!("not a record") };
    record.remove("VCPUs_max");
    let missing = pool.call("VM.create", &[record.into()]).unwrap_err();
    assert!(missing.code == "INTERNAL_ERROR" && missing.params[0].contains("VCPUs_max"), "{missing}");
}

#[test]
fn removed_messages_say_so() {
    let mut pool = Pool::new();
    let host = pool.refs("host.get_all", &[])[0].clone();
    assert_eq!(pool.ask("host.license_apply", &[&host, ""]).unwrap_err(), failure("MESSAGE_REMOVED", &[]));
}

#[test]
fn a_host_is_emptied() {
    let mut pool = Pool::new();
    let host = pool.refs("host.get_all", &[])[0].clone();
    let guests = |pool: &mut Pool| -> Vec<String> {
        let all = pool.refs("host.get_resident_VMs", &[&host]);
        all.into_iter().filter(|vm| !pool.flag("VM.get_is_control_domain", &[vm])).collect()
    };
    for vm in guests(&mut pool) {
        if pool.text("VM.get_power_state", &[&vm]) == "Paused" {
            pool.ask("VM.unpause", &[&vm]).unwrap();
        }
    }
    // Disks on the host itself hold a VM back.
    let stuck = pool.ask("host.get_vms_which_prevent_evacuation", &[&host]).unwrap();
    for (vm, why) in stuck.as_struct().unwrap().iter() {
        assert_eq!(why.as_array().unwrap()[0], "VM_REQUIRES_SR".into());
        assert_eq!(pool.ask("host.assert_can_evacuate", &[&host]).unwrap_err().code, "CANNOT_EVACUATE_HOST");
        assert_eq!(pool.ask("host.evacuate", &[&host]).unwrap_err().code, "VM_REQUIRES_SR");
        pool.ask("VM.hard_shutdown", &[vm]).unwrap();
    }
    assert!(!guests(&mut pool).is_empty());
    assert_eq!(pool.ask("host.assert_can_evacuate", &[&host]), Ok(Value::VOID));
    assert_eq!(pool.ask("host.evacuate", &[&host]), Ok(Value::VOID));
    assert!(guests(&mut pool).is_empty());
    assert!(pool.flag("host.get_enabled", &[&host]), "emptying does not disable");
    check_consistent(&pool.sim);
}
