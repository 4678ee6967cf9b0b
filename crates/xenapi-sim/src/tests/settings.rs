//! Settings of VMs, hosts and the pool that are more than a written field.

use super::*;
use crate::tests::generated::check_consistent;
use xenapi_core::Struct;

impl Pool {
    fn pool_and_host(&mut self) -> (String, String) {
        (self.refs("pool.get_all", &[])[0].clone(), self.refs("host.get_all", &[])[0].clone())
    }

    fn refused(&mut self, method: &str, params: &[&str]) -> Failure {
        self.ask(method, params).unwrap_err()
    }
}

fn texts(members: &[(&'static str, &str)]) -> Value {
    Value::Struct(members.iter().map(|(key, value)| (*key, Value::from(*value))).collect::<Struct>())
}

#[test]
fn bios_strings_are_set_once() {
    let mut pool = Pool::new();
    let (vm, other) = (pool.vm("Halted"), pool.template());
    let (_, host) = pool.pool_and_host();
    pool.ask("VM.copy_bios_strings", &[&vm, &host]).unwrap();
    let of_host = pool.ask("host.get_bios_strings", &[&host]).unwrap();
    assert_eq!(pool.ask("VM.get_bios_strings", &[&vm]).unwrap(), of_host);
    assert_eq!(pool.refused("VM.copy_bios_strings", &[&vm, &host]), failure("VM_BIOS_STRINGS_ALREADY_SET", &[]));
    let wrong = pool.call("VM.set_bios_strings", &[other.as_str().into(), texts(&[("colour", "red")])]).unwrap_err();
    assert_eq!(wrong, failure("INVALID_VALUE", &["colour", "Unknown key"]));
    pool.call("VM.set_bios_strings", &[other.as_str().into(), texts(&[("bios-vendor", "ACME")])]).unwrap();
}

#[test]
fn the_kind_of_a_domain_follows_its_boot_policy() {
    let mut pool = Pool::new();
    let (vm, running) = (pool.vm("Halted"), pool.vm("Running"));
    let overhead = pool.ask("VM.get_memory_overhead", &[&vm]).unwrap().as_int().unwrap();
    pool.ask("VM.set_HVM_boot_policy", &[&vm, ""]).unwrap();
    assert_eq!(pool.text("VM.get_domain_type", &[&vm]), "pv");
    assert!(pool.ask("VM.get_memory_overhead", &[&vm]).unwrap().as_int().unwrap() < overhead);
    pool.ask("VM.set_domain_type", &[&vm, "hvm"]).unwrap();
    assert_eq!(pool.text("VM.get_HVM_boot_policy", &[&vm]), "BIOS order");
    let refused = pool.refused("VM.set_domain_type", &[&running, "pv"]);
    assert_eq!(refused, failure("VM_BAD_POWER_STATE", &[&running, "halted", "running"]));
    let refused = pool.call("VM.set_has_vendor_device", &[running.as_str().into(), true.into()]).unwrap_err();
    assert_eq!(refused, failure("VM_BAD_POWER_STATE", &[&running, "halted", "running"]));
    pool.call("VM.set_HVM_shadow_multiplier", &[vm.as_str().into(), Value::Double(4.0)]).unwrap();
    assert!(pool.ask("VM.get_memory_overhead", &[&vm]).unwrap().as_int().unwrap() > overhead);
    let refused = pool.call("VM.set_HVM_shadow_multiplier", &[vm.as_str().into(), Value::Double(0.5)]).unwrap_err();
    assert_eq!(refused.code, "INVALID_VALUE");
    assert_eq!(pool.text("VM.get_secureboot_readiness", &[&vm]), "not_supported");
}

#[test]
fn the_record_of_the_last_boot_is_kept() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let refused = pool.refused("VM.get_boot_record", &[&vm]);
    assert_eq!(refused, failure("VM_BAD_POWER_STATE", &[&vm, "paused, suspended, running", "halted"]));
    pool.start(&vm).unwrap();
    let name = pool.text("VM.get_name_label", &[&vm]);
    pool.ask("VM.set_name_label", &[&vm, "renamed"]).unwrap();
    let record = pool.ask("VM.get_boot_record", &[&vm]).unwrap();
    assert_eq!(record.as_struct().unwrap().get("name_label"), Some(&name.as_str().into()));
}

#[test]
fn suspended_vms_can_be_given_another_image() {
    let mut pool = Pool::new();
    let (vm, running) = (pool.vm("Suspended"), pool.vm("Running"));
    let image = pool.text("VM.get_suspend_VDI", &[&vm]);
    let refused = pool.refused("VM.set_suspend_VDI", &[&running, &image]);
    assert_eq!(refused, failure("VM_BAD_POWER_STATE", &[&running, "suspended", "running"]));
    let copy = pool.text("VDI.clone", &[&image]);
    pool.ask("VM.set_suspend_VDI", &[&vm, &copy]).unwrap();
    let vbd = pool.refs("VM.get_VBDs", &[&running])[0].clone();
    let disk = pool.text("VBD.get_VDI", &[&vbd]);
    let refused = pool.refused("VM.set_suspend_VDI", &[&vm, &disk]);
    assert_eq!(refused.code, "SUSPEND_VDI_REPLACEMENT_IS_NOT_IDENTICAL");
}

#[test]
fn only_what_runs_nowhere_is_reset() {
    let mut pool = Pool::new();
    let vm = pool.vm("Running");
    let domid = pool.ask("VM.get_domid", &[&vm]).unwrap().as_int().unwrap();
    let domid = alloc::format!("{domid}");
    assert_eq!(pool.refused("VM.power_state_reset", &[&vm]), failure("DOMAIN_EXISTS", &[&vm, &domid]));
    let dom0 = pool.refs("VM.get_all_where", &["field \"is_control_domain\" = \"true\""])[0].clone();
    assert_eq!(pool.refused("VM.power_state_reset", &[&dom0]), failure("CANNOT_RESET_CONTROL_DOMAIN", &[&dom0]));
    let suspended = pool.vm("Suspended");
    pool.ask("VM.power_state_reset", &[&suspended]).unwrap();
    assert_eq!(pool.text("VM.get_power_state", &[&suspended]), "Halted");
}

#[test]
fn groups_keep_vms_apart() {
    let mut pool = Pool::new();
    let members =
        [("name_label", Value::from("apart")), ("name_description", "".into()), ("placement", "anti_affinity".into())];
    let group = pool.call("VM_group.create", &[Value::Struct(members.into_iter().collect())]).unwrap();
    let expr = "field \"power_state\" = \"Halted\" and field \"is_a_template\" = \"false\"";
    let all = pool.refs("VM.get_all_where", &[expr]);
    let hosts = pool.refs("host.get_all", &[]).len();
    let one = all.into_iter().find(|vm| pool.refs("VM.get_possible_hosts", &[vm]).len() == hosts).unwrap();
    let other = pool.text("VM.clone", &[&one, "other"]);
    let vms = [one, other];
    for vm in &vms {
        pool.call("VM.set_groups", &[vm.as_str().into(), Value::Array(Vec::from([group.clone()]))]).unwrap();
        pool.ask("VM.set_affinity", &[vm, "OpaqueRef:NULL"]).unwrap();
        pool.start(vm).unwrap();
    }
    assert_ne!(pool.text("VM.get_resident_on", &[&vms[0]]), pool.text("VM.get_resident_on", &[&vms[1]]));
    let template = pool.template();
    let refused = pool.call("VM.set_groups", &[template.as_str().into(), Value::Array(Vec::from([group.clone()]))]);
    assert_eq!(refused.unwrap_err().code, "OPERATION_NOT_ALLOWED");
    let two = Value::Array(Vec::from([group, "OpaqueRef:other".into()]));
    assert_eq!(pool.call("VM.set_groups", &[vms[0].as_str().into(), two]).unwrap_err(), failure("TOO_MANY_GROUPS", &[]));
}

#[test]
fn blobs_belong_to_objects() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let (of_pool, host) = pool.pool_and_host();
    for (class, object) in [("VM", &vm), ("host", &host), ("pool", &of_pool)] {
        let method = alloc::format!("{class}.create_new_blob");
        let blob = pool.text(&method, &[object, "notes", ""]);
        assert_eq!(pool.text("blob.get_mime_type", &[&blob]), "application/octet-stream");
        let again = pool.refused(&method, &[object, "notes", ""]);
        assert_eq!(again, failure("MAP_DUPLICATE_KEY", &[class, "blobs", object, "notes"]));
    }
    let blobs = pool.ask("VM.get_blobs", &[&vm]).unwrap();
    let blob = blobs.as_struct().unwrap().get("notes").unwrap().as_text().unwrap().to_string();
    pool.ask("VM.destroy", &[&vm]).unwrap();
    assert!(pool.ask("blob.get_uuid", &[&blob]).is_err());
}

#[test]
fn snapshots_are_made_by_schedules() {
    let mut pool = Pool::new();
    let schedule = |frequency: &str, times: &[(&'static str, &str)], retained: i64| {
        let members = [
            ("name_label", Value::from("nightly")),
            ("name_description", "".into()),
            ("enabled", true.into()),
            ("type", "snapshot".into()),
            ("retained_snapshots", Value::Int(retained)),
            ("frequency", frequency.into()),
            ("schedule", texts(times)),
        ];
        Value::Struct(members.into_iter().collect())
    };
    let refused = pool.call("VMSS.create", &[schedule("daily", &[], 11)]).unwrap_err();
    assert_eq!(refused, failure("INVALID_VALUE", &["retained_snapshots", "11"]));
    let refused = pool.call("VMSS.create", &[schedule("daily", &[("min", "7")], 2)]).unwrap_err();
    assert_eq!(refused, failure("INVALID_VALUE", &["schedule:min", "7"]));
    let made = pool.call("VMSS.create", &[schedule("daily", &[("hour", "3")], 2)]).unwrap();
    let made = made.as_text().unwrap();
    let times = pool.ask("VMSS.get_schedule", &[made]).unwrap();
    assert_eq!(times, texts(&[("hour", "3"), ("min", "0")]));
    pool.ask("VMSS.set_frequency", &[made, "weekly"]).unwrap();
    pool.call("VMSS.set_retained_snapshots", &[made.into(), Value::Int(1)]).unwrap();
    let vm = pool.vm("Running");
    pool.ask("VM.set_snapshot_schedule", &[&vm, made]).unwrap();
    let before = pool.refs("VM.get_snapshots", &[&vm]).len();
    let disks = pool.refs("VDI.get_all", &[]).len();
    for _ in 0..3 {
        pool.ask("VMSS.snapshot_now", &[made]).unwrap();
    }
    assert_eq!(pool.refs("VM.get_snapshots", &[&vm]).len(), before + 1, "the older ones are gone");
    let own = pool.refs("VM.get_VBDs", &[&vm]).len();
    assert!(pool.refs("VDI.get_all", &[]).len() < disks + own + 1);
    assert_eq!(
        pool.refused("VMSS.set_type", &[made, "snapshot_with_quiesce"]).code,
        "VM_SNAPSHOT_WITH_QUIESCE_NOT_SUPPORTED"
    );
    pool.ask("VMSS.destroy", &[made]).unwrap();
    assert_eq!(pool.text("VM.get_snapshot_schedule", &[&vm]), "OpaqueRef:NULL");
    check_consistent(&pool.sim);
}

#[test]
fn hosts_are_told_many_things() {
    let mut pool = Pool::new();
    let (_, host) = pool.pool_and_host();
    pool.ask("host.set_hostname_live", &[&host, "renamed-01"]).unwrap();
    assert_eq!(pool.text("host.get_hostname", &[&host]), "renamed-01");
    let refused = pool.refused("host.set_hostname_live", &[&host, "bad name"]);
    assert_eq!(refused, failure("HOST_NAME_INVALID", &["hostname contains invalid characters"]));
    assert_eq!(pool.refused("host.set_iscsi_iqn", &[&host, ""]), failure("INVALID_VALUE", &["value", ""]));
    assert_eq!(pool.text("host.disable_display", &[&host]), "disable_on_reboot");
    assert_eq!(pool.text("host.enable_display", &[&host]), "enabled");
    assert_eq!(pool.refused("host.apply_edition", &[&host, "golden"]), failure("INVALID_EDITION", &["golden"]));
    pool.ask("host.apply_edition", &[&host, "premium"]).unwrap();
    assert_eq!(pool.text("host.get_edition", &[&host]), "premium");
    assert_eq!(pool.refused("host.set_ntp_mode", &[&host, "Custom"]).code, "INVALID_NTP_CONFIG");
    assert_eq!(pool.refused("host.set_timezone", &[&host, "Moon"]), failure("INVALID_VALUE", &["timezone", "Moon"]));
    pool.ask("host.set_timezone", &[&host, "Asia/Shanghai"]).unwrap();
    assert!(pool.text("host.dmesg", &[&host]).contains("Xen version"));
    pool.ask("host.dmesg_clear", &[&host]).unwrap();
    assert_eq!(pool.text("host.dmesg", &[&host]), "");
    assert!(!pool.flag("host.has_extension", &[&host, "any"]));
    let local = pool.refs("SR.get_by_name_label", &["Local storage"])[0].clone();
    assert_eq!(pool.refused("host.enable_local_storage_caching", &[&host, &local]), failure("HOST_NOT_DISABLED", &[]));
    let refused = pool.call("host.set_ssl_legacy", &[host.as_str().into(), true.into()]).unwrap_err();
    assert_eq!(refused.code, "VALUE_NOT_SUPPORTED");
}

#[test]
fn ssh_ends_by_itself() {
    let mut pool = Pool::new();
    let (of_pool, host) = pool.pool_and_host();
    let timeout = |pool: &mut Pool, seconds: i64| {
        pool.call("pool.set_ssh_enabled_timeout", &[of_pool.as_str().into(), Value::Int(seconds)])
    };
    assert_eq!(timeout(&mut pool, 200_000).unwrap_err().code, "VALUE_NOT_SUPPORTED");
    timeout(&mut pool, 60).unwrap();
    pool.ask("pool.enable_ssh", &[&of_pool]).unwrap();
    assert!(pool.flag("host.get_ssh_enabled", &[&host]));
    pool.pass(59_000);
    assert!(pool.flag("host.get_ssh_enabled", &[&host]));
    pool.pass(2_000);
    assert!(!pool.flag("host.get_ssh_enabled", &[&host]));
}

#[test]
fn the_pool_is_told_many_things() {
    let mut pool = Pool::new();
    let (of_pool, host) = pool.pool_and_host();
    pool.call("pool.set_https_only", &[of_pool.as_str().into(), true.into()]).unwrap();
    assert!(pool.flag("host.get_https_only", &[&host]));
    pool.ask("pool.apply_edition", &[&of_pool, "standard"]).unwrap();
    let state = pool.ask("pool.get_license_state", &[&of_pool]).unwrap();
    assert_eq!(state.as_struct().unwrap().get("edition"), Some(&"standard".into()));
    let day = |day: i64| [of_pool.as_str().into(), "daily".into(), Value::Int(day)];
    assert_eq!(pool.call("pool.configure_update_sync", &day(3)).unwrap_err(), failure("INVALID_UPDATE_SYNC_DAY", &["3"]));
    pool.call("pool.configure_update_sync", &day(0)).unwrap();
    let enable = [of_pool.as_str().into(), true.into()];
    let refused = pool.call("pool.set_update_sync_enabled", &enable).unwrap_err();
    assert_eq!(refused, failure("NO_REPOSITORIES_CONFIGURED", &[]));
    let proxy = |url: &str, user: &str, password: &str| -> Vec<Value> {
        [of_pool.as_str(), url, user, password].map(Value::from).to_vec()
    };
    let refused = pool.call("pool.configure_repository_proxy", &proxy("ftp://x", "", "")).unwrap_err();
    assert_eq!(refused, failure("INVALID_REPOSITORY_PROXY_URL", &["ftp://x"]));
    pool.call("pool.configure_repository_proxy", &proxy("http://192.0.2.80:3128", "me", "secret")).unwrap();
    let secret = pool.text("pool.get_repository_proxy_password", &[&of_pool]);
    assert_eq!(pool.text("secret.get_value", &[&secret]), "secret");
    pool.ask("pool.disable_repository_proxy", &[&of_pool]).unwrap();
    assert!(pool.ask("secret.get_value", &[&secret]).is_err());
    let sr = pool.refs("SR.get_by_name_label", &["NFS volume 1"])[0].clone();
    pool.ask("pool.enable_redo_log", &[&sr]).unwrap();
    assert_eq!(pool.refused("pool.enable_redo_log", &[&sr]), failure("REDO_LOG_IS_ENABLED", &[]));
    pool.ask("pool.disable_redo_log", &[]).unwrap();
    assert_eq!(pool.text("pool.get_redo_log_vdi", &[&of_pool]), "OpaqueRef:NULL");
    let local = pool.refs("SR.get_by_name_label", &["Local storage"])[0].clone();
    assert_eq!(pool.refused("pool.enable_redo_log", &[&local]).code, "CANNOT_ENABLE_REDO_LOG");
    let list = "-----BEGIN X509 CRL-----\n-----END X509 CRL-----";
    assert_eq!(pool.refused("pool.crl_install", &["../x", list]), failure("CRL_NAME_INVALID", &["../x"]));
    pool.ask("pool.crl_install", &["x.pem", list]).unwrap();
    assert_eq!(pool.refs("pool.crl_list", &[]), ["x.pem"]);
    assert_eq!(pool.refused("pool.crl_uninstall", &["y"]), failure("CRL_DOES_NOT_EXIST", &["y"]));
    check_consistent(&pool.sim);
}

#[test]
fn a_vlan_on_every_host() {
    let mut pool = Pool::new();
    let network = pool.refs("network.get_by_name_label", &["Isolated lab"])[0].clone();
    let bond = pool.refs("Bond.get_all", &[])[0].clone();
    let pif = pool.text("Bond.get_master", &[&bond]);
    let made = pool.refs("pool.create_VLAN_from_PIF", &[&pif, &network, "77"]);
    assert_eq!(made.len(), pool.refs("host.get_all", &[]).len());
    for pif in &made {
        assert_eq!(pool.ask("PIF.get_VLAN", &[pif]), Ok(Value::Int(77)));
    }
    assert_eq!(pool.refused("pool.create_VLAN_from_PIF", &[&pif, &network, "78"]).code, "NETWORK_ALREADY_CONNECTED");
    assert_eq!(pool.refused("pool.create_VLAN", &["eth99", &network, "5"]), failure("PIF_DEVICE_NOT_FOUND", &[]));
    check_consistent(&pool.sim);
}

#[test]
fn a_host_is_managed_over_another_interface() {
    let mut pool = Pool::new();
    let (_, host) = pool.pool_and_host();
    let old = pool.text("host.get_management_interface", &[&host]);
    let pifs = pool.refs("host.get_PIFs", &[&host]);
    let bare = pifs.iter().find(|pif| pool.text("PIF.get_ip_configuration_mode", &[pif]) == "None").unwrap().clone();
    let refused = pool.refused("host.management_reconfigure", &[&bare]);
    assert_eq!(refused, failure("PIF_HAS_NO_NETWORK_CONFIGURATION", &[&bare]));
    pool.sim.store.put("PIF", &bare, "ip_configuration_mode", "Static");
    pool.sim.store.put("PIF", &bare, "IP", "198.51.100.77");
    pool.ask("host.management_reconfigure", &[&bare]).unwrap();
    assert_eq!(pool.text("host.get_management_interface", &[&host]), bare);
    assert_eq!(pool.text("host.get_address", &[&host]), "198.51.100.77");
    assert!(!pool.flag("PIF.get_management", &[&old]));
}
