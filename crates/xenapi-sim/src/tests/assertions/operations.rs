//! What operations check and do.

use super::*;

fn power(vm: &str, expected: &str, actual: &str) -> Failure {
    failure("VM_BAD_POWER_STATE", &[vm, expected, actual])
}

impl Pool {
    /// The VBDs of a VM of that type.
    fn vbds(&mut self, vm: &str, kind: &str) -> Vec<String> {
        let all = self.refs("VM.get_VBDs", &[vm]);
        all.into_iter().filter(|vbd| self.text("VBD.get_type", &[vbd]) == kind).collect()
    }

    /// A VM in that state that has a disk.
    fn with_disk(&mut self, state: &str) -> (String, String) {
        let vms = self.find(
            "VM",
            &format!(
                "field \"power_state\" = \"{state}\" and field \"is_a_template\" = \"false\" \
                 and field \"is_control_domain\" = \"false\""
            ),
        );
        for vm in vms {
            if let Some(disk) = self.vbds(&vm, "Disk").first() {
                return (vm, disk.clone());
            }
        }
        panic!("no {state} VM has a disk");
    }

    fn vif(&mut self, given: &[(&'static str, Value)]) -> Result<Value, Failure> {
        let network = self.refs("network.get_all", &[])[0].clone();
        let mut all: Vec<(&'static str, Value)> = given.to_vec();
        if given.iter().all(|(name, _)| *name != "network") {
            all.push(("network", network.into()));
        }
        self.make("VIF", &all)
    }
}

#[test]
fn a48_templates_do_not_start_and_states_are_checked() {
    let mut pool = Pool::new();
    let (template, vm) = (pool.template(), pool.vm("Halted"));
    assert_eq!(pool.start(&template).unwrap_err(), failure("VM_IS_TEMPLATE", &[&template, "start"]));
    assert_eq!(pool.ask("VM.unpause", &[&vm]).unwrap_err(), power(&vm, "paused", "halted"));
    assert_eq!(pool.ask("VM.hard_reboot", &[&vm]).unwrap_err(), power(&vm, "paused, running", "halted"));
}

#[test]
fn a49_shutdown_and_destroy_check_states() {
    let mut pool = Pool::new();
    let (halted, running) = (pool.vm("Halted"), pool.running());
    let refused = pool.ask("VM.hard_shutdown", &[&halted]).unwrap_err();
    assert_eq!(refused, power(&halted, "paused, suspended, running", "halted"));
    assert_eq!(pool.ask("VM.destroy", &[&running]).unwrap_err(), power(&running, "halted, suspended", "running"));
}

#[test]
fn a50_what_is_blocked_says_why_before_anything_else() {
    let mut pool = Pool::new();
    let vm = pool.running();
    pool.ask("VM.add_to_blocked_operations", &[&vm, "start", "x"]).unwrap();
    assert_eq!(pool.start(&vm).unwrap_err(), failure("OPERATION_BLOCKED", &[&vm, "x"]));
}

#[test]
fn a51_a_vm_that_starts_has_all_it_needs() {
    let mut pool = Pool::new();
    let (vm, _) = pool.with_disk("Halted");
    let uuid = pool.text("VM.get_uuid", &[&vm]);
    let before = pool.refs("message.get_all", &[]).len();
    pool.start(&vm).unwrap();
    assert_eq!(pool.text("VM.get_power_state", &[&vm]), "Running");
    let host = pool.text("VM.get_resident_on", &[&vm]);
    assert!(pool.refs("host.get_resident_VMs", &[&host]).contains(&vm));
    assert!(pool.ask("VM.get_domid", &[&vm]).unwrap().as_int().unwrap() > 0);
    for vbd in pool.refs("VM.get_VBDs", &[&vm]) {
        assert!(pool.flag("VBD.get_currently_attached", &[&vbd]), "{vbd}");
    }
    let console = pool.refs("VM.get_consoles", &[&vm])[0].clone();
    let location = pool.text("console.get_location", &[&console]);
    let of = pool.text("console.get_uuid", &[&console]);
    assert!(location.starts_with("https://") && location.ends_with(&format!("/console?uuid={of}")), "{location}");
    let messages = pool.ask("message.get_all_records", &[]).unwrap();
    let messages = messages.as_struct().unwrap();
    let is = |message: &Value, field: &str, text: &str| message.as_struct().unwrap().get(field) == Some(&text.into());
    let started = messages.iter().filter(|(_, it)| is(it, "name", "VM_STARTED") && is(it, "obj_uuid", &uuid));
    let started: Vec<&Value> = started.map(|(_, message)| message).collect();
    assert!(started.len() == 1 && is(started[0], "cls", "VM"), "{started:?}");
    assert_eq!(messages.len(), before + 1);
}

#[test]
fn a52_a_suspended_vm_keeps_its_devices_and_an_image() {
    let mut pool = Pool::new();
    let (vm, disk) = pool.with_disk("Running");
    pool.ask("VM.suspend", &[&vm]).unwrap();
    assert_eq!(pool.text("VM.get_resident_on", &[&vm]), "OpaqueRef:NULL");
    assert_eq!(pool.ask("VM.get_domid", &[&vm]).unwrap().as_int(), Some(-1));
    let image = pool.text("VM.get_suspend_VDI", &[&vm]);
    assert!(pool.ask("VDI.get_record", &[&image]).is_ok());
    assert!(pool.flag("VBD.get_currently_attached", &[&disk]));
    pool.ask("VM.hard_shutdown", &[&vm]).unwrap();
    assert_eq!(pool.ask("VDI.get_record", &[&image]).unwrap_err(), failure("HANDLE_INVALID", &["VDI", &image]));
    assert!(!pool.flag("VBD.get_currently_attached", &[&disk]));
}

#[test]
fn a53_snapshots_know_their_vm_and_only_they_are_reverted_to() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let snapshot = pool.text("VM.snapshot", &[&vm, "snap"]);
    assert!(pool.flag("VM.get_is_a_snapshot", &[&snapshot]) && pool.flag("VM.get_is_a_template", &[&snapshot]));
    assert_eq!(pool.text("VM.get_snapshot_of", &[&snapshot]), vm);
    assert_eq!(pool.text("VM.get_parent", &[&vm]), snapshot);
    let refused = pool.ask("VM.revert", &[&vm]).unwrap_err();
    assert_eq!(refused, failure("VM_REVERT_FAILED", &[&vm, "OpaqueRef:NULL"]));
}

#[test]
fn a54_destroying_a_vm_leaves_its_disks() {
    let mut pool = Pool::new();
    let (vm, disk) = pool.with_disk("Halted");
    let vdi = pool.text("VBD.get_VDI", &[&disk]);
    let vifs = pool.refs("VM.get_VIFs", &[&vm]);
    assert_eq!(pool.ask("VM.destroy", &[&vm]), Ok(Value::VOID));
    assert!(pool.ask("VDI.get_record", &[&vdi]).is_ok());
    assert_eq!(pool.ask("VBD.get_record", &[&disk]).unwrap_err().code, "HANDLE_INVALID");
    for vif in vifs {
        assert_eq!(pool.ask("VIF.get_record", &[&vif]).unwrap_err().code, "HANDLE_INVALID");
    }
    let template = pool.template();
    let refused = pool.ask("VM.destroy", &[&template]).unwrap_err();
    assert_eq!(refused, failure("VM_IS_TEMPLATE", &[&template, "destroy"]));
}

#[test]
fn a55_disks_and_drives_check_states() {
    let mut pool = Pool::new();
    let (vm, disk) = pool.with_disk("Halted");
    assert_eq!(pool.ask("VBD.plug", &[&disk]).unwrap_err(), power(&vm, "running", "halted"));
    let vdi = pool.text("VBD.get_VDI", &[&disk]);
    let free = pool.refs("VM.get_allowed_VBD_devices", &[&vm])[0].clone();
    let drive = |device: &str| {
        vec![
            ("VM", vm.as_str().into()),
            ("VDI", "OpaqueRef:NULL".into()),
            ("userdevice", device.into()),
            ("mode", "RO".into()),
            ("type", "CD".into()),
            ("empty", true.into()),
        ]
    };
    let made = pool.make("VBD", &drive(&free)).unwrap();
    let made = made.as_text().unwrap();
    assert_eq!(pool.ask("VBD.eject", &[made]).unwrap_err(), failure("VBD_IS_EMPTY", &[made]));
    let used = pool.text("VBD.get_userdevice", &[&disk]);
    let again = [
        ("VM", vm.as_str().into()),
        ("VDI", vdi.into()),
        ("userdevice", used.as_str().into()),
        ("mode", "RW".into()),
        ("type", "Disk".into()),
    ];
    assert_eq!(pool.make("VBD", &again).unwrap_err(), failure("DEVICE_ALREADY_EXISTS", &[&used]));
}

#[test]
fn a56_nics_check_devices_and_addresses() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    pool.ask("VM.remove_from_other_config", &[&vm, "mac_seed"]).unwrap();
    pool.ask("VM.add_to_other_config", &[&vm, "mac_seed", "b1d5bb1c-4bd0-4c0c-94ab-ba8a4d1a0e7e"]).unwrap();
    let this: Value = vm.as_str().into();
    let refused = pool.vif(&[("VM", this.clone()), ("device", "x".into())]).unwrap_err();
    assert_eq!(refused, failure("INVALID_DEVICE", &["x"]));
    let free = pool.refs("VM.get_allowed_VIF_devices", &[&vm])[0].clone();
    let with = |mac: &str| vec![("VM", this.clone()), ("device", Value::from(free.as_str())), ("MAC", mac.into())];
    assert_eq!(pool.vif(&with("zz")).unwrap_err(), failure("MAC_INVALID", &["zz"]));
    let vif = pool.vif(&with("")).unwrap();
    let vif = vif.as_text().unwrap();
    let mac = pool.text("VIF.get_MAC", &[vif]);
    let first = u8::from_str_radix(&mac[..2], 16).unwrap();
    assert!(mac.len() == 17 && first & 0b11 == 0b10, "{mac} is not a locally administered unicast address");
    assert!(pool.flag("VIF.get_MAC_autogenerated", &[vif]));
}

#[test]
fn a57_disks_and_storage_in_use_stay() {
    let mut pool = Pool::new();
    let (_, disk) = pool.with_disk("Running");
    let vdi = pool.text("VBD.get_VDI", &[&disk]);
    assert_eq!(pool.ask("VDI.destroy", &[&vdi]).unwrap_err(), failure("VDI_IN_USE", &[&vdi, "destroy"]));
    let sr = pool.text("VDI.get_SR", &[&vdi]);
    assert_eq!(pool.ask("SR.destroy", &[&sr]).unwrap_err(), failure("SR_HAS_PBD", &[&sr]));
    // Everybody off it, and it still holds disks.
    let vms = pool.find("VM", "field \"is_control_domain\" = \"false\" and field \"is_a_template\" = \"false\"");
    for vm in vms {
        if pool.text("VM.get_power_state", &[&vm]) != "Halted" {
            pool.ask("VM.hard_shutdown", &[&vm]).unwrap();
        }
    }
    for pbd in pool.refs("SR.get_PBDs", &[&sr]) {
        pool.ask("PBD.unplug", &[&pbd]).unwrap();
    }
    assert_eq!(pool.ask("SR.destroy", &[&sr]).unwrap_err(), failure("SR_NOT_EMPTY", &[]));
}

#[test]
fn a58_connections_are_made_once_and_plugged_any_time() {
    let mut pool = Pool::new();
    let pbd = pool.find("PBD", "field \"currently_attached\" = \"true\"")[0].clone();
    let (sr, host) = (pool.text("PBD.get_SR", &[&pbd]), pool.text("PBD.get_host", &[&pbd]));
    let again = [("SR", sr.as_str().into()), ("host", host.as_str().into())];
    assert_eq!(pool.make("PBD", &again).unwrap_err(), failure("PBD_EXISTS", &[&sr, &host, &pbd]));
    assert_eq!(pool.ask("PBD.plug", &[&pbd]), Ok(Value::VOID));
    assert_eq!(pool.ask("PBD.plug", &[&pbd]), Ok(Value::VOID));
    let refused = pool.ask("PBD.destroy", &[&pbd]).unwrap_err();
    assert_eq!(refused, failure("OPERATION_NOT_ALLOWED", &["PBD is currently attached"]));
}

#[test]
fn a59_networks_name_their_bridges_and_go_when_nobody_uses_them() {
    let mut pool = Pool::new();
    let network = pool.make("network", &[("bridge", "".into())]).unwrap();
    let network = network.as_text().unwrap();
    let bridge = pool.text("network.get_bridge", &[network]);
    assert!(bridge.strip_prefix("xapi").is_some_and(|number| number.parse::<u32>().is_ok()), "{bridge}");
    let halted = pool.vm("Halted");
    let device = pool.refs("VM.get_allowed_VIF_devices", &[&halted])[0].clone();
    let vif = pool.vif(&[("VM", halted.into()), ("device", device.into()), ("network", network.into())]).unwrap();
    let vif = vif.as_text().unwrap();
    assert_eq!(pool.ask("network.destroy", &[network]), Ok(Value::VOID));
    assert_eq!(pool.ask("VIF.get_record", &[vif]).unwrap_err(), failure("HANDLE_INVALID", &["VIF", vif]));

    let network = pool.make("network", &[]).unwrap();
    let network = network.as_text().unwrap();
    let running = pool.running();
    let device = pool.refs("VM.get_allowed_VIF_devices", &[&running])[0].clone();
    let vif = pool.vif(&[("VM", running.into()), ("device", device.into()), ("network", network.into())]).unwrap();
    let vif = vif.as_text().unwrap();
    pool.ask("VIF.plug", &[vif]).unwrap();
    assert_eq!(pool.ask("network.destroy", &[network]).unwrap_err(), failure("NETWORK_CONTAINS_VIF", &[vif]));

    let internal = pool.find("network", "field \"bridge\" = \"xenapi\"")[0].clone();
    let refused = pool.ask("network.destroy", &[&internal]).unwrap_err();
    assert_eq!(refused, failure("CANNOT_DESTROY_SYSTEM_NETWORK", &[&internal]));
}

#[test]
fn a60_vlans_check_their_tags_and_hosts_their_state() {
    let mut pool = Pool::new();
    let pif = pool.find("PIF", "field \"physical\" = \"true\" and field \"management\" = \"true\"");
    let pif =
        pif.first().cloned().unwrap_or_else(|| pool.find("PIF", "field \"bond_slave_of\" = \"OpaqueRef:NULL\"")[0].clone());
    let host = pool.text("PIF.get_host", &[&pif]);
    let device = pool.text("PIF.get_device", &[&pif]);
    let mut network = || pool.make("network", &[]).unwrap().as_text().unwrap().to_string();
    let (one, two) = (network(), network());
    let vlan = |pif: &str, tag: i64, network: &str| [pif.into(), Value::Int(tag), network.into()];
    let refused = pool.call("VLAN.create", &vlan(&pif, 4095, &one)).unwrap_err();
    assert_eq!(refused, failure("VLAN_TAG_INVALID", &["4095"]));
    let made = pool.call("VLAN.create", &vlan(&pif, 3777, &one)).unwrap();
    let untagged = pool.text("VLAN.get_untagged_PIF", &[made.as_text().unwrap()]);
    let refused = pool.call("VLAN.create", &vlan(&pif, 3777, &two)).unwrap_err();
    assert_eq!(refused, failure("PIF_VLAN_EXISTS", &[&device]));
    let refused = pool.call("VLAN.create", &vlan(&pif, 3777, &one)).unwrap_err();
    assert_eq!(refused, failure("NETWORK_ALREADY_CONNECTED", &[&host, &untagged]));
    assert_eq!(pool.ask("host.reboot", &[&host]).unwrap_err(), failure("HOST_NOT_DISABLED", &[]));
}
