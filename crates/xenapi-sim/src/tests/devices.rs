//! Disks, drives and NICs of VMs; blobs, messages by the heap, data sources, hardware.

use xenapi_core::{NULL, Struct};

use super::*;
use crate::tests::generated::{check_consistent, check_types};

impl Pool {
    fn new_vbd(&mut self, vm: &str, vdi: &str, changes: &[(&'static str, Value)]) -> Result<String, Failure> {
        let members = [
            ("VM", vm.into()),
            ("VDI", vdi.into()),
            ("userdevice", "autodetect".into()),
            ("bootable", false.into()),
            ("mode", "RW".into()),
            ("type", "Disk".into()),
            ("unpluggable", true.into()),
            ("empty", false.into()),
            ("other_config", Value::empty_struct()),
            ("qos_algorithm_type", "".into()),
            ("qos_algorithm_params", Value::empty_struct()),
        ];
        let mut record: Struct = members.into_iter().collect();
        for (name, value) in changes {
            record.set(*name, value.clone());
        }
        self.call("VBD.create", &[Value::Struct(record)]).map(|vbd| vbd.as_text().unwrap().into())
    }

    fn new_vif(&mut self, vm: &str, device: &str, mac: &str) -> Result<String, Failure> {
        let network = self.refs("network.get_all", &[])[0].clone();
        let members = [
            ("VM", vm.into()),
            ("network", network.into()),
            ("device", device.into()),
            ("MAC", mac.into()),
            ("MTU", Value::Int(1500)),
            ("other_config", Value::empty_struct()),
            ("qos_algorithm_type", "".into()),
            ("qos_algorithm_params", Value::empty_struct()),
        ];
        let record: Struct = members.into_iter().collect();
        self.call("VIF.create", &[Value::Struct(record)]).map(|vif| vif.as_text().unwrap().into())
    }

    /// A disk that no VM has.
    fn spare_disk(&mut self) -> String {
        let store = &self.sim.store;
        let sr = store.all("SR").into_iter().find(|sr| store.text("SR", sr.as_str(), "type") == "nfs").unwrap();
        let vdi = crate::operations::new_vdi(&mut self.sim, &sr, "spare", 1 << 30, "user");
        vdi.as_str().into()
    }

    /// What an object says that it allows.
    fn allows(&mut self, class: &str, of: &str, operation: &str) -> bool {
        let allowed = self.ask(&alloc::format!("{class}.get_allowed_operations"), &[of]).unwrap();
        allowed.as_array().unwrap().contains(&operation.into())
    }

    /// A running VM that listens.
    fn guest(&mut self) -> String {
        let store = &self.sim.store;
        let runs = |vm: &&xenapi_core::RawRef| {
            let guest = store.reference("VM", vm.as_str(), "guest_metrics");
            store.text("VM", vm.as_str(), "power_state") == "Running"
                && !store.flag("VM", vm.as_str(), "is_control_domain")
                && store.flag("VM_guest_metrics", guest.as_str(), "PV_drivers_detected")
        };
        store.all("VM").iter().find(runs).unwrap().as_str().into()
    }
}

#[test]
fn check_55_disks() {
    let mut pool = Pool::new();
    let (vm, disk) = (pool.vm("Halted"), pool.spare_disk());
    let vbd = pool.new_vbd(&vm, &disk, &[]).unwrap();
    let bad = failure("VM_BAD_POWER_STATE", &[&vm, "running", "halted"]);
    for operation in ["plug", "unplug", "unplug_force"] {
        assert_eq!(pool.ask(&alloc::format!("VBD.{operation}"), &[&vbd]).unwrap_err(), bad);
        assert!(!pool.allows("VBD", &vbd, operation));
    }
    let slot = pool.text("VBD.get_userdevice", &[&vbd]);
    let taken = pool.new_vbd(&vm, &disk, &[("userdevice", slot.as_str().into())]).unwrap_err();
    assert_eq!(taken, failure("DEVICE_ALREADY_EXISTS", &[&slot]));
    let named = device_of(&slot);
    let taken = pool.new_vbd(&vm, &disk, &[("userdevice", named.as_str().into())]).unwrap_err();
    assert_eq!(taken, failure("DEVICE_ALREADY_EXISTS", &[&named]), "all spellings name the same slots");
    let wrong = pool.new_vbd(&vm, &disk, &[("userdevice", "zzz9".into())]).unwrap_err();
    assert_eq!(wrong, failure("INVALID_DEVICE", &["zzz9"]));
    let cd = [("type", "CD".into())];
    assert_eq!(pool.new_vbd(&vm, &disk, &cd).unwrap_err(), failure("VBD_CDS_MUST_BE_READONLY", &[]));
    let empty = pool.new_vbd(&vm, NULL, &[("empty", true.into())]).unwrap_err();
    assert_eq!(empty, failure("VBD_NOT_REMOVABLE_MEDIA", &["in constructor"]));
    assert_eq!(pool.new_vbd(&vm, "x", &[]).unwrap_err(), failure("HANDLE_INVALID", &["VDI", "x"]));
    pool.ask("VBD.set_mode", &[&vbd, "RO"]).unwrap();
    pool.ask("VBD.destroy", &[&vbd]).unwrap();
    assert!(pool.ask("VBD.get_uuid", &[&vbd]).is_err());
    check_consistent(&pool.sim);
}

fn device_of(slot: &str) -> String {
    crate::operations::device_name(slot)
}

#[test]
fn drives_take_images_and_give_them_back() {
    let mut pool = Pool::new();
    let (vm, image) = (pool.vm("Halted"), pool.refs("VDI.get_all_where", &["field \"read_only\" = \"true\""])[0].clone());
    let disk = pool.refs("VM.get_VBDs", &[&vm])[0].clone();
    let changes = [("type", "CD".into()), ("mode", "RO".into()), ("empty", true.into())];
    let drive = pool.new_vbd(&vm, NULL, &changes).unwrap();
    assert_eq!(pool.ask("VBD.eject", &[&drive]).unwrap_err(), failure("VBD_IS_EMPTY", &[&drive]));
    assert!(pool.allows("VBD", &drive, "insert") && !pool.allows("VBD", &drive, "eject"));
    pool.ask("VBD.insert", &[&drive, &image]).unwrap();
    assert!(!pool.allows("VBD", &drive, "insert") && pool.allows("VBD", &drive, "eject"));
    assert_eq!(pool.text("VBD.get_VDI", &[&drive]), image);
    assert!(pool.refs("VDI.get_VBDs", &[&image]).contains(&drive));
    assert_eq!(pool.ask("VBD.insert", &[&drive, &image]).unwrap_err(), failure("VBD_NOT_EMPTY", &[&drive]));
    assert_eq!(pool.ask("VBD.set_mode", &[&drive, "RW"]).unwrap_err(), failure("VBD_CDS_MUST_BE_READONLY", &[]));
    pool.ask("VBD.eject", &[&drive]).unwrap();
    assert!(pool.flag("VBD.get_empty", &[&drive]) && !pool.refs("VDI.get_VBDs", &[&image]).contains(&drive));
    if pool.text("VBD.get_type", &[&disk]) == "Disk" {
        let no_drive = failure("VBD_NOT_REMOVABLE_MEDIA", &[&disk]);
        assert_eq!(pool.ask("VBD.eject", &[&disk]).unwrap_err(), no_drive);
    }
    // A disk that is forgotten leaves its drives empty.
    pool.ask("VBD.insert", &[&drive, &image]).unwrap();
    pool.ask("VDI.forget", &[&image]).unwrap();
    assert!(pool.flag("VBD.get_empty", &[&drive]));
    assert_eq!(pool.text("VBD.get_VDI", &[&drive]), NULL);
    check_consistent(&pool.sim);
}

#[test]
fn disks_are_plugged_while_the_guest_runs() {
    let mut pool = Pool::new();
    let (vm, disk) = (pool.guest(), pool.spare_disk());
    let vbd = pool.new_vbd(&vm, &disk, &[]).unwrap();
    assert!(!pool.flag("VBD.get_currently_attached", &[&vbd]) && pool.allows("VBD", &vbd, "plug"));
    assert_eq!(pool.ask("VBD.unplug", &[&vbd]).unwrap_err(), failure("DEVICE_ALREADY_DETACHED", &[&vbd]));
    let task = pool.text("Async.VBD.plug", &[&vbd]);
    let current = pool.ask("VBD.get_current_operations", &[&vbd]).unwrap();
    assert_eq!(current.as_struct().unwrap().get(&task), Some(&"plug".into()));
    pool.pass(10_000);
    assert!(pool.flag("VBD.get_currently_attached", &[&vbd]) && pool.allows("VBD", &vbd, "unplug"));
    assert_eq!(pool.ask("VBD.get_current_operations", &[&vbd]), Ok(Value::empty_struct()));
    assert!(pool.text("VBD.get_device", &[&vbd]).starts_with("xvd"));
    assert!(!pool.allows("VDI", &disk, "destroy"));
    assert_eq!(pool.ask("VBD.plug", &[&vbd]).unwrap_err(), failure("DEVICE_ALREADY_ATTACHED", &[&vbd]));
    let refused = pool.ask("VBD.destroy", &[&vbd]).unwrap_err();
    let (own, other) = (pool.text("VBD.get_uuid", &[&vbd]), pool.text("VM.get_uuid", &[&vm]));
    let text = alloc::format!("VBD '{own}' still attached to '{other}'");
    assert_eq!(refused, failure("OPERATION_NOT_ALLOWED", &[&text]));
    // Another VM cannot write to it meanwhile.
    let other = pool.vm("Halted");
    let second = pool.new_vbd(&other, &disk, &[]).unwrap();
    let busy = pool.ask("VBD.assert_attachable", &[&second]).unwrap_err();
    assert_eq!((busy.code.as_str(), busy.param(0)), ("VDI_IN_USE", disk.as_str()));
    pool.ask("VBD.unplug", &[&vbd]).unwrap();
    assert_eq!(pool.text("VBD.get_device", &[&vbd]), "");
    pool.ask("VBD.assert_attachable", &[&second]).unwrap();
    assert!(pool.allows("VDI", &disk, "destroy"));
    check_consistent(&pool.sim);
}

#[test]
fn disks_that_cannot_be_unplugged_stay() {
    let mut pool = Pool::new();
    let (vm, disk) = (pool.guest(), pool.spare_disk());
    let vbd = pool.new_vbd(&vm, &disk, &[("unpluggable", false.into())]).unwrap();
    pool.ask("VBD.plug", &[&vbd]).unwrap();
    for method in ["VBD.unplug", "VBD.unplug_force"] {
        assert_eq!(pool.ask(method, &[&vbd]).unwrap_err(), failure("VBD_NOT_UNPLUGGABLE", &[&vbd]));
    }
    let mode = pool.ask("VBD.set_mode", &[&vbd, "RO"]).unwrap_err();
    assert_eq!(mode, failure("VM_BAD_POWER_STATE", &[&vm, "halted", "running"]));
}

#[test]
fn check_56_nics() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    pool.ask("VM.add_to_other_config", &[&vm, "mac_seed", "11111111-2222-3333-4444-555555555555"]).ok();
    assert_eq!(pool.new_vif(&vm, "x", "").unwrap_err(), failure("INVALID_DEVICE", &["x"]));
    assert_eq!(pool.new_vif(&vm, "9", "zz").unwrap_err(), failure("MAC_INVALID", &["zz"]));
    let vif = pool.new_vif(&vm, "9", "").unwrap();
    let mac = pool.text("VIF.get_MAC", &[&vif]);
    let first = u8::from_str_radix(&mac[..2], 16).unwrap();
    assert_eq!((first & 1, first & 2), (0, 2), "unicast, locally administered");
    assert!(pool.flag("VIF.get_MAC_autogenerated", &[&vif]));
    assert_eq!(pool.new_vif(&vm, "9", "").unwrap_err(), failure("DEVICE_ALREADY_EXISTS", &["9"]));
    pool.ask("VIF.destroy", &[&vif]).unwrap();
    let again = pool.new_vif(&vm, "9", "").unwrap();
    assert_eq!(pool.text("VIF.get_MAC", &[&again]), mac, "the same seed and device, the same address");
    let given = pool.new_vif(&vm, "8", "02:00:00:00:00:09").unwrap();
    assert!(!pool.flag("VIF.get_MAC_autogenerated", &[&given]));
    let plug = pool.ask("VIF.plug", &[&given]).unwrap_err();
    assert_eq!(plug, failure("VM_BAD_POWER_STATE", &[&vm, "running", "halted"]));
    check_consistent(&pool.sim);
}

#[test]
fn nics_move_plug_and_lock() {
    let mut pool = Pool::new();
    let vm = pool.guest();
    let vif = pool.new_vif(&vm, "7", "").unwrap();
    pool.ask("VIF.plug", &[&vif]).unwrap();
    assert!(pool.allows("VIF", &vif, "unplug") && !pool.allows("VIF", &vif, "plug"));
    let attached = failure("OPERATION_NOT_ALLOWED", &["VIF currently attached to a running VM"]);
    assert_eq!(pool.ask("VIF.destroy", &[&vif]).unwrap_err(), attached);
    let other = pool.refs("network.get_all", &[])[3].clone();
    pool.ask("VIF.move", &[&vif, &other]).unwrap();
    assert!(pool.refs("network.get_VIFs", &[&other]).contains(&vif));
    assert!(pool.flag("VIF.get_currently_attached", &[&vif]));
    pool.ask("VIF.set_locking_mode", &[&vif, "locked"]).unwrap();
    let wrong = pool.ask("VIF.add_ipv4_allowed", &[&vif, "2001:db8::1"]).unwrap_err();
    assert_eq!(wrong, failure("INVALID_IP_ADDRESS_SPECIFIED", &["ipv4_allowed"]));
    pool.ask("VIF.add_ipv4_allowed", &[&vif, "192.0.2.7"]).unwrap();
    pool.ask("VIF.add_ipv4_allowed", &[&vif, "192.0.2.7"]).unwrap();
    pool.ask("VIF.add_ipv6_allowed", &[&vif, "2001:db8::1"]).unwrap();
    assert_eq!(pool.refs("VIF.get_ipv4_allowed", &[&vif]), ["192.0.2.7"]);
    pool.ask("VIF.remove_ipv4_allowed", &[&vif, "192.0.2.7"]).unwrap();
    assert!(pool.refs("VIF.get_ipv4_allowed", &[&vif]).is_empty());
    pool.ask("VIF.unplug_force", &[&vif]).unwrap();
    pool.ask("VIF.destroy", &[&vif]).unwrap();
    check_consistent(&pool.sim);
}

#[test]
fn addresses_for_guests_to_take() {
    let mut pool = Pool::new();
    let (halted, running) = (pool.vm("Halted"), pool.guest());
    let (vif, other) = (pool.new_vif(&halted, "7", "").unwrap(), pool.new_vif(&running, "7", "").unwrap());
    let wrong = pool.ask("VIF.configure_ipv4", &[&vif, "Static", "192.0.2.9"]).unwrap_err();
    assert_eq!(wrong, failure("INVALID_CIDR_ADDRESS_SPECIFIED", &["address"]));
    let gateway = pool.ask("VIF.configure_ipv4", &[&vif, "Static", "192.0.2.9/24", "x"]).unwrap_err();
    assert_eq!(gateway, failure("INVALID_IP_ADDRESS_SPECIFIED", &["gateway"]));
    pool.ask("VIF.configure_ipv4", &[&vif, "Static", "192.0.2.9/24", "192.0.2.1"]).unwrap();
    pool.ask("VIF.configure_ipv6", &[&vif, "Static", "2001:db8::9/64"]).unwrap();
    assert_eq!(pool.refs("VIF.get_ipv4_addresses", &[&vif]), ["192.0.2.9/24"]);
    assert_eq!(pool.text("VIF.get_ipv4_gateway", &[&vif]), "192.0.2.1");
    pool.ask("VIF.configure_ipv4", &[&vif, "None"]).unwrap();
    assert_eq!(pool.refs("VIF.get_ipv4_addresses", &[&vif]), [""; 0]);
    let guest = pool.sim.store.reference("VM", &running, "guest_metrics");
    let can = |pool: &mut Pool, can: bool| {
        let value = if can { "1" } else { "0" };
        pool.sim.store.put_key("VM_guest_metrics", guest.as_str(), "other", "feature-static-ip-setting", value);
        pool.ask("VIF.configure_ipv4", &[&other, "Static", "192.0.2.9/24"])
    };
    assert_eq!(can(&mut pool, false).unwrap_err(), failure("VM_LACKS_FEATURE", &[&running]));
    can(&mut pool, true).unwrap();
}

#[test]
fn what_devices_allow_follows_their_vm() {
    let mut pool = Pool::new();
    let vm = pool.guest();
    let vbd = pool.refs("VM.get_VBDs", &[&vm])[0].clone();
    let vif = pool.new_vif(&vm, "7", "").unwrap();
    assert!(pool.allows("VIF", &vif, "plug"));
    pool.ask("VM.pause", &[&vm]).unwrap();
    assert!(!pool.allows("VIF", &vif, "plug") && !pool.allows("VBD", &vbd, "unplug"));
    pool.ask("VM.unpause", &[&vm]).unwrap();
    assert!(pool.allows("VIF", &vif, "plug"));
    pool.ask("VM.hard_shutdown", &[&vm]).unwrap();
    assert!(!pool.allows("VIF", &vif, "plug"));
    let disk = pool.text("VBD.get_VDI", &[&vbd]);
    assert!(pool.allows("VDI", &disk, "resize"));
    check_types(&pool.sim);
}

#[test]
fn blobs_hang_on_objects() {
    let mut pool = Pool::new();
    for class in ["VM", "host", "network", "pool", "SR"] {
        let owner = pool.sim.store.first(class).unwrap();
        let create = |pool: &mut Pool| {
            let params = [owner.as_str().into(), "notes".into(), "text/plain".into(), true.into()];
            pool.call(&alloc::format!("{class}.create_new_blob"), &params)
        };
        let blob: String = create(&mut pool).unwrap().as_text().unwrap().into();
        assert_eq!(pool.text("blob.get_mime_type", &[&blob]), "text/plain");
        assert!(pool.flag("blob.get_public", &[&blob]));
        assert_eq!(pool.sim.store.key(class, owner.as_str(), "blobs", "notes"), Some(blob.as_str()));
        assert_eq!(create(&mut pool).unwrap_err().code, "MAP_DUPLICATE_KEY");
        pool.ask("blob.destroy", &[&blob]).unwrap();
        assert_eq!(pool.sim.store.key(class, owner.as_str(), "blobs", "notes"), None);
        assert_eq!(pool.ask("blob.destroy", &[&blob]).unwrap_err(), failure("HANDLE_INVALID", &["blob", &blob]));
    }
    let blob = pool.text("blob.create", &[""]);
    assert_eq!(pool.text("blob.get_mime_type", &[&blob]), "application/octet-stream");
}

#[test]
fn messages_go_by_the_heap() {
    let mut pool = Pool::new();
    let uuid = String::from(pool.sim.store.text("VM", pool.sim.store.first("VM").unwrap().as_str(), "uuid"));
    for priority in [1, 4, 4] {
        let params = ["N".into(), Value::Int(priority), "VM".into(), uuid.as_str().into(), "b".into()];
        pool.call("message.create", &params).unwrap();
        pool.pass(5000);
    }
    let destroy = |pool: &mut Pool, key: &'static str, value: &str| {
        let filters: Struct = [(key, Value::from(value))].into_iter().collect();
        pool.call("message.destroy_all", &[Value::Struct(filters)])
    };
    let before = pool.refs("message.get_all", &[]).len();
    assert_eq!(destroy(&mut pool, "colour", "red").unwrap_err(), failure("INVALID_VALUE", &["colour", "red"]));
    assert_eq!(destroy(&mut pool, "priority", "x").unwrap_err(), failure("INVALID_VALUE", &["priority", "x"]));
    destroy(&mut pool, "priority", "4").unwrap();
    assert_eq!(pool.refs("message.get_all", &[]).len(), before - 2);
    destroy(&mut pool, "before", "20000101T00:00:00Z").unwrap();
    assert_eq!(pool.refs("message.get_all", &[]).len(), before - 2);
    destroy(&mut pool, "after", "20000101T00:00:00Z").unwrap();
    assert_eq!(pool.refs("message.get_all", &[]).len(), 0);
}

#[test]
fn data_sources_tell_what_is_measured() {
    let mut pool = Pool::new();
    let (vm, halted) = (pool.guest(), pool.vm("Halted"));
    let all = pool.ask("VM.get_data_sources", &[&vm]).unwrap();
    let names: Vec<&str> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record.as_struct().unwrap().get("name_label").unwrap().as_text().unwrap())
        .collect();
    assert!(names.contains(&"cpu0") && names.contains(&"memory") && names.iter().any(|name| name.starts_with("vif_")));
    let value = pool.ask("VM.query_data_source", &[&vm, "cpu0"]).unwrap();
    assert!(matches!(value, Value::Double(part) if (0.0..=1.0).contains(&part)), "{value:?}");
    assert_eq!(pool.ask("VM.query_data_source", &[&vm, "x"]).unwrap_err().code, "INVALID_VALUE");
    assert_eq!(pool.ask("VM.get_data_sources", &[&halted]).unwrap_err().code, "VM_BAD_POWER_STATE");
    let host = pool.text("VM.get_resident_on", &[&vm]);
    let enabled = |pool: &mut Pool| {
        let all = pool.ask("host.get_data_sources", &[&host]).unwrap();
        let all = all.as_array().unwrap().to_vec();
        let is_it = |record: &&Value| record.as_struct().unwrap().get("name_label") == Some(&"cpu_avg".into());
        all.iter().find(is_it).unwrap().as_struct().unwrap().get("enabled").unwrap().as_bool().unwrap()
    };
    pool.ask("host.forget_data_source_archives", &[&host, "cpu_avg"]).unwrap();
    assert!(!enabled(&mut pool));
    pool.ask("host.record_data_source", &[&host, "cpu_avg"]).unwrap();
    assert!(enabled(&mut pool));
}

#[test]
fn hardware_for_guests() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let vtpm: String = pool.call("VTPM.create", &[vm.as_str().into(), false.into()]).unwrap().as_text().unwrap().into();
    assert_eq!(pool.refs("VM.get_VTPMs", &[&vm]), [vtpm.as_str()]);
    let second = pool.call("VTPM.create", &[vm.as_str().into(), false.into()]).unwrap_err();
    assert_eq!(second, failure("VTPM_MAX_AMOUNT_REACHED", &["1"]));
    pool.ask("VTPM.destroy", &[&vtpm]).unwrap();
    let group = pool.text("USB_group.create", &["usb"]);
    let none = pool.ask("VUSB.create", &[&vm, &group]).unwrap_err();
    assert_eq!(none, failure("USB_GROUP_CONTAINS_NO_PUSBS", &[&group]));
    let (pusb, uuid) = (pool.sim.random.reference(), pool.sim.random.uuid());
    let draft = pool.sim.store.draft("PUSB").with("uuid", uuid).with("USB_group", group.as_str());
    pool.sim.store.insert(&pusb, draft);
    let vusb = pool.text("VUSB.create", &[&vm, &group]);
    assert_eq!(pool.ask("VUSB.create", &[&vm, &group]).unwrap_err(), failure("USB_GROUP_CONFLICT", &[&group]));
    assert_eq!(pool.ask("USB_group.destroy", &[&group]).unwrap_err(), failure("USB_GROUP_CONTAINS_VUSB", &[&vusb]));
    pool.ask("VUSB.destroy", &[&vusb]).unwrap();
    let still = failure("USB_GROUP_CONTAINS_PUSB", &[pusb.as_str()]);
    assert_eq!(pool.ask("USB_group.destroy", &[&group]).unwrap_err(), still);
    let cards = pool.text("GPU_group.create", &["gpu"]);
    let vgpu = pool.text("VGPU.create", &[&vm, &cards]);
    let twice = pool.ask("VGPU.create", &[&vm, &cards, "0"]).unwrap_err();
    assert_eq!(twice, failure("DEVICE_ALREADY_EXISTS", &["0"]));
    assert_eq!(pool.ask("GPU_group.destroy", &[&cards]).unwrap_err(), failure("GPU_GROUP_CONTAINS_VGPU", &[&vgpu]));
    pool.ask("VGPU.destroy", &[&vgpu]).unwrap();
    pool.ask("GPU_group.destroy", &[&cards]).unwrap();
    check_consistent(&pool.sim);
}
