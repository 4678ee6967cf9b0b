//! The life of VMs: what they allow, what they take of their hosts, where they go.

use super::*;
use crate::tests::generated::check_consistent;
use xenapi_core::Struct;

const GIB: i64 = 1 << 30;

impl Pool {
    fn number(&mut self, method: &str, params: &[&str]) -> i64 {
        self.ask(method, params).unwrap().as_int().unwrap()
    }

    fn free_memory(&mut self, host: &str) -> i64 {
        self.number("host.compute_free_memory", &[host])
    }

    /// A VM that runs, and whose disks all hosts reach.
    fn movable_vm(&mut self) -> String {
        let expr = "field \"power_state\" = \"Running\" and field \"is_control_domain\" = \"false\"";
        let all = self.refs("VM.get_all_where", &[expr]);
        let hosts = self.refs("host.get_all", &[]).len();
        all.into_iter().find(|vm| self.refs("VM.get_possible_hosts", &[vm]).len() == hosts).unwrap()
    }

    fn refuses(&mut self, method: &str, params: &[Value], code: &str, error: &[&str]) {
        assert_eq!(self.call(method, params).unwrap_err(), failure(code, error), "{method}");
    }

    fn message_names(&mut self) -> Vec<String> {
        let all = self.refs("message.get_all", &[]);
        let record = |pool: &mut Pool, message: &str| pool.ask("message.get_record", &[message]).unwrap();
        all.iter().map(|it| record(self, it).as_struct().unwrap().get("name").unwrap().as_text().unwrap().into()).collect()
    }
}

fn flags(vm: &str) -> [Value; 3] {
    [vm.into(), false.into(), false.into()]
}

#[test]
fn a_vm_takes_memory_of_its_host_and_gives_it_back() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let hosts = pool.refs("host.get_all", &[]);
    let before: Vec<i64> = hosts.iter().map(|host| pool.free_memory(host)).collect();
    let (wanted, overhead) =
        (pool.number("VM.get_memory_dynamic_max", &[&vm]), pool.number("VM.get_memory_overhead", &[&vm]));
    assert_eq!(overhead, pool.number("VM.compute_memory_overhead", &[&vm]));
    pool.start(&vm).unwrap();
    let host = pool.text("VM.get_resident_on", &[&vm]);
    let at = hosts.iter().position(|other| *other == host).unwrap();
    assert_eq!(pool.free_memory(&host), before[at] - wanted - overhead);
    let metrics = pool.text("VM.get_metrics", &[&vm]);
    assert_eq!(pool.number("VM_metrics.get_memory_actual", &[&metrics]), wanted);
    pool.ask("VM.suspend", &[&vm]).unwrap();
    assert_eq!(pool.free_memory(&host), before[at]);
    pool.call("VM.resume", &flags(&vm)).unwrap();
    pool.ask("VM.hard_reboot", &[&vm]).unwrap();
    pool.ask("VM.hard_shutdown", &[&vm]).unwrap();
    let after: Vec<i64> = hosts.iter().map(|host| pool.free_memory(host)).collect();
    assert_eq!(after, before);
    check_consistent(&pool.sim);
}

#[test]
fn two_vms_that_start_at_once_do_not_share_their_memory() {
    let mut pool = Pool::with(&Config { hosts: 1, ..Config::default() });
    let host = pool.refs("host.get_all", &[])[0].clone();
    let expr = "field \"power_state\" = \"Halted\" and field \"is_a_template\" = \"false\"";
    let halted = pool.refs("VM.get_all_where", &[expr]);
    let (one, other) = (halted[0].clone(), halted[1].clone());
    let metrics = pool.text("host.get_metrics", &[&host]);
    let needed = pool.number("VM.get_memory_dynamic_max", &[&one]) + pool.number("VM.get_memory_overhead", &[&one]);
    pool.sim.store.put("host_metrics", &metrics, "memory_free", needed + 1000);
    let task = pool.call("Async.VM.start", &flags(&one)).unwrap();
    let refused = pool.start(&other).unwrap_err();
    assert_eq!((refused.code.as_str(), refused.params[1].as_str()), ("HOST_NOT_ENOUGH_FREE_MEMORY", "1000"));
    // One that is cancelled gives back what was set aside.
    pool.ask("task.cancel", &[task.as_text().unwrap()]).unwrap();
    assert_eq!(pool.free_memory(&host), needed + 1000);
    assert_eq!(pool.text("VM.get_scheduled_to_be_resident_on", &[&one]), "OpaqueRef:NULL");
    pool.start(&one).unwrap();
}

#[test]
fn a_guest_gives_memory_back_and_takes_more() {
    let mut pool = Pool::new();
    let vm = pool.movable_vm();
    let host = pool.text("VM.get_resident_on", &[&vm]);
    let (free, max) = (pool.free_memory(&host), pool.number("VM.get_memory_static_max", &[&vm]));
    let range = |min: i64, max: i64| [vm.as_str().into(), Value::Int(min), Value::Int(max)];
    pool.call("VM.set_memory_dynamic_range", &range(max / 2, max / 2)).unwrap();
    assert_eq!(pool.number("VM.get_memory_target", &[&vm]), max / 2);
    pool.ask("VM.wait_memory_target_live", &[&vm]).unwrap();
    let metrics = pool.text("VM.get_metrics", &[&vm]);
    assert_eq!(pool.number("VM_metrics.get_memory_actual", &[&metrics]), max / 2);
    assert_eq!(pool.free_memory(&host), free + max / 2);
    pool.refuses("VM.set_memory_dynamic_range", &range(max, max / 2), "MEMORY_CONSTRAINT_VIOLATION_ORDER", &[]);
    pool.call("VM.set_memory_target_live", &[vm.as_str().into(), Value::Int(max)]).unwrap();
    pool.pass(5000);
    assert_eq!(pool.free_memory(&host), free);
    let halted = pool.vm("Halted");
    let refused = pool.call("VM.set_memory_target_live", &[halted.as_str().into(), Value::Int(max)]).unwrap_err();
    assert_eq!(refused, failure("VM_BAD_POWER_STATE", &[&halted, "running", "halted"]));
    let static_limit = pool.call("VM.set_memory_static_max", &[vm.as_str().into(), Value::Int(GIB)]).unwrap_err();
    assert_eq!(static_limit, failure("VM_BAD_POWER_STATE", &[&vm, "halted", "running"]));
}

#[test]
fn the_most_memory_is_what_fits_with_its_overhead() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let most = |pool: &mut Pool, total: i64| {
        let params = [vm.as_str().into(), Value::Int(total), true.into()];
        pool.call("VM.maximise_memory", &params).unwrap().as_int().unwrap()
    };
    let answer = most(&mut pool, 8 * GIB);
    assert!(answer < 8 * GIB && answer > 7 * GIB, "{answer}");
    pool.call("VM.set_memory", &[vm.as_str().into(), Value::Int(answer)]).unwrap();
    let overhead = pool.number("VM.get_memory_overhead", &[&vm]);
    assert!(answer + overhead <= 8 * GIB && answer + overhead > 8 * GIB - 3 * (1 << 20));
    assert_eq!(most(&mut pool, 0), 0);
}

#[test]
fn processors_come_and_go() {
    let mut pool = Pool::new();
    let (vm, halted) = (pool.vm("Running"), pool.vm("Halted"));
    let max = pool.number("VM.get_VCPUs_max", &[&vm]);
    let to = |vm: &str, number: i64| [Value::from(vm), Value::Int(number)];
    pool.call("VM.set_VCPUs_number_live", &to(&vm, 1)).unwrap();
    let metrics = pool.text("VM.get_metrics", &[&vm]);
    assert_eq!(pool.number("VM_metrics.get_VCPUs_number", &[&metrics]), 1);
    assert_eq!(pool.number("VM.get_VCPUs_at_startup", &[&vm]), 1);
    assert_eq!(pool.call("VM.set_VCPUs_number_live", &to(&vm, max + 1)).unwrap_err().code, "INVALID_VALUE");
    pool.refuses("VM.set_VCPUs_number_live", &to(&halted, 1), "VM_BAD_POWER_STATE", &[&halted, "running", "halted"]);
    pool.ask("VM.add_to_VCPUs_params_live", &[&vm, "weight", "512"]).unwrap();
    let params = pool.ask("VM.get_VCPUs_params", &[&vm]).unwrap();
    assert_eq!(params.as_struct().unwrap().get("weight"), Some(&"512".into()));
    let refused = pool.ask("VM.add_to_VCPUs_params_live", &[&vm, "speed", "1"]).unwrap_err();
    assert_eq!(refused, failure("INVALID_VALUE", &["speed", "1"]));
    pool.sim.store.put("VM", &vm, "guest_metrics", "OpaqueRef:NULL");
    pool.refuses("VM.set_VCPUs_number_live", &to(&vm, 1), "VM_LACKS_FEATURE", &[&vm]);
}

#[test]
fn checkpoints_hold_the_memory() {
    let mut pool = Pool::new();
    let vm = pool.vm("Running");
    let checkpoint = pool.text("VM.checkpoint", &[&vm, "point"]);
    assert_eq!(pool.text("VM.get_power_state", &[&checkpoint]), "Suspended");
    assert_eq!(pool.text("VM.get_power_state", &[&vm]), "Running");
    let image = pool.text("VM.get_suspend_VDI", &[&checkpoint]);
    assert_eq!(pool.text("VDI.get_type", &[&image]), "suspend");
    assert!(pool.message_names().contains(&"VM_CHECKPOINTED".into()));
    pool.ask("VM.revert", &[&checkpoint]).unwrap();
    assert_eq!(pool.text("VM.get_power_state", &[&vm]), "Suspended");
    assert_ne!(pool.text("VM.get_suspend_VDI", &[&vm]), image, "the checkpoint keeps its own");
    pool.call("VM.resume", &flags(&vm)).unwrap();
    assert_eq!(pool.text("VDI.get_type", &[&image]), "suspend");
    let halted = pool.vm("Halted");
    let refused = pool.ask("VM.checkpoint", &[&halted, "x"]).unwrap_err();
    assert_eq!(refused, failure("VM_BAD_POWER_STATE", &[&halted, "paused, suspended, running", "halted"]));
    pool.ask("VM.destroy", &[&checkpoint]).unwrap();
    assert!(pool.ask("VDI.get_type", &[&image]).is_err());
    check_consistent(&pool.sim);
}

#[test]
fn a_dead_vm_comes_back_from_its_snapshot() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let (uuid, name) = (pool.text("VM.get_uuid", &[&vm]), pool.text("VM.get_name_label", &[&vm]));
    let (snapshot, other) = (pool.text("VM.snapshot", &[&vm, "one"]), pool.text("VM.snapshot", &[&vm, "two"]));
    pool.ask("VM.destroy", &[&vm]).unwrap();
    pool.ask("VM.revert", &[&snapshot]).unwrap();
    let again = pool.text("VM.get_by_uuid", &[&uuid]);
    assert_ne!(again, vm);
    assert_eq!(pool.text("VM.get_name_label", &[&again]), name);
    assert_eq!(pool.text("VM.get_snapshot_of", &[&other]), again);
    assert!(!pool.flag("VM.get_is_a_template", &[&again]) && !pool.flag("VM.get_is_a_snapshot", &[&again]));
    pool.start(&again).unwrap();
}

#[test]
fn a_snapshot_can_leave_disks_out_and_be_quiet() {
    let mut pool = Pool::new();
    let vm = pool.vm("Running");
    let vbds = pool.refs("VM.get_VBDs", &[&vm]);
    let left_out = pool.text("VBD.get_VDI", &[&vbds[0]]);
    let ignored = Value::Array(Vec::from([Value::from(left_out.as_str())]));
    let snapshot = pool.call("VM.snapshot", &[vm.as_str().into(), "less".into(), ignored]).unwrap();
    assert_eq!(pool.refs("VM.get_VBDs", &[snapshot.as_text().unwrap()]).len(), vbds.len() - 1);
    assert!(pool.refs("VDI.get_snapshots", &[&left_out]).is_empty());
    let refused = pool.ask("VM.snapshot_with_quiesce", &[&vm, "quiet"]).unwrap_err();
    assert_eq!(refused, failure("VM_SNAPSHOT_WITH_QUIESCE_NOT_SUPPORTED", &[&vm]));
    let guest = pool.text("VM.get_guest_metrics", &[&vm]);
    pool.sim.store.put_key("VM_guest_metrics", &guest, "other", "feature-quiesce", "1");
    let quiet = pool.text("VM.snapshot_with_quiesce", &[&vm, "quiet"]);
    let info = pool.ask("VM.get_snapshot_info", &[&quiet]).unwrap();
    assert_eq!(info.as_struct().unwrap().get("disk-snapshot-type"), Some(&"quiesced".into()));
}

#[test]
fn what_is_in_the_way_of_an_operation() {
    let mut pool = Pool::new();
    let vm = pool.movable_vm();
    let listed = |pool: &mut Pool, operation: &str| {
        pool.ask("VM.update_allowed_operations", &[&vm]).unwrap();
        pool.refs("VM.get_allowed_operations", &[&vm]).contains(&operation.into())
    };
    let refused = |pool: &mut Pool, operation: &str| {
        assert!(!listed(pool, operation), "{operation} is listed");
        pool.ask("VM.assert_operation_valid", &[&vm, operation]).unwrap_err()
    };
    assert!(listed(&mut pool, "suspend") && !listed(&mut pool, "revert"));
    assert_eq!(refused(&mut pool, "revert"), failure("REVERT_ONLY_ALLOWED_ON_SNAPSHOT", &[]));
    pool.ask("VM.add_to_platform", &[&vm, "nomigrate", "true"]).unwrap();
    for operation in ["suspend", "checkpoint", "pool_migrate", "migrate_send"] {
        assert_eq!(refused(&mut pool, operation), failure("VM_IS_IMMOBILE", &[&vm]));
    }
    pool.ask("VM.remove_from_platform", &[&vm, "nomigrate"]).unwrap();
    let guest = pool.text("VM.get_guest_metrics", &[&vm]);
    pool.sim.store.put_key("VM_guest_metrics", &guest, "other", "data-cant-suspend-reason", "busy");
    assert_eq!(refused(&mut pool, "suspend"), failure("VM_NON_SUSPENDABLE", &[&vm, "busy"]));
    pool.sim.store.drop_key("VM_guest_metrics", &guest, "other", "data-cant-suspend-reason");
    let vbd = pool.refs("VM.get_VBDs", &[&vm])[0].clone();
    let vdi = pool.text("VBD.get_VDI", &[&vbd]);
    pool.sim.store.put("VDI", &vdi, "on_boot", "reset");
    assert_eq!(refused(&mut pool, "snapshot"), failure("VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION", &[]));
    assert!(listed(&mut pool, "pool_migrate"));
    pool.sim.store.put("VDI", &vdi, "on_boot", "persist");
    let of_pool = pool.refs("pool.get_all", &[])[0].clone();
    pool.ask("pool.add_to_other_config", &[&of_pool, "rolling_upgrade_in_progress", ""]).unwrap();
    assert_eq!(refused(&mut pool, "snapshot"), failure("NOT_SUPPORTED_DURING_UPGRADE", &[]));
    assert!(listed(&mut pool, "pool_migrate"));
}

#[test]
fn what_a_host_lacks_keeps_a_vm_from_booting_there() {
    let mut pool = Pool::with(&Config { hosts: 1, ..Config::default() });
    let (vm, host) = (pool.vm("Halted"), pool.refs("host.get_all", &[])[0].clone());
    let refused = |pool: &mut Pool| pool.ask("VM.assert_can_boot_here", &[&vm, &host]).unwrap_err();
    pool.call("VM.set_hardware_platform_version", &[vm.as_str().into(), Value::Int(9)]).unwrap();
    assert_eq!(refused(&mut pool).code, "VM_HOST_INCOMPATIBLE_VIRTUAL_HARDWARE_PLATFORM_VERSION");
    pool.call("VM.set_hardware_platform_version", &[vm.as_str().into(), Value::Int(0)]).unwrap();
    pool.sim.store.put("host", &host, "capabilities", Vec::from([Value::from("xen-3.0-x86_64")]));
    assert_eq!(refused(&mut pool), failure("VM_HVM_REQUIRED", &[&vm]));
    pool.sim.store.put("host", &host, "capabilities", Vec::from([Value::from("hvm-3.0-x86_64")]));
    pool.call("VM.set_VCPUs_max", &[vm.as_str().into(), Value::Int(1000)]).unwrap();
    assert_eq!(refused(&mut pool).code, "HOST_NOT_ENOUGH_PCPUS");
    assert_eq!(pool.start(&vm).unwrap_err(), failure("NO_HOSTS_AVAILABLE", &[]));
}

#[test]
fn vms_move_with_their_disks() {
    let mut pool = Pool::new();
    let vm = pool.movable_vm();
    let from = pool.text("VM.get_resident_on", &[&vm]);
    let to = pool.refs("host.get_all", &[]).into_iter().find(|host| *host != from).unwrap();
    let management = pool.text("host.get_management_interface", &[&to]);
    let network = pool.text("PIF.get_network", &[&management]);
    let target = pool.call("host.migrate_receive", &[to.as_str().into(), network.into(), Value::empty_struct()]).unwrap();
    assert_eq!(target.as_struct().unwrap().get("host"), Some(&to.as_str().into()));
    let free = (pool.free_memory(&from), pool.free_memory(&to));
    let vbd = pool.refs("VM.get_VBDs", &[&vm])[0].clone();
    let vdi = pool.text("VBD.get_VDI", &[&vbd]);
    let old = pool.text("VDI.get_SR", &[&vdi]);
    let pbds = pool.refs("host.get_PBDs", &[&to]);
    let mut srs = pbds.iter().map(|pbd| pool.text("PBD.get_SR", &[pbd])).collect::<Vec<_>>();
    srs.retain(|sr| *sr != old && pool.text("SR.get_content_type", &[sr]) == "user");
    let new = srs[0].clone();
    let maps = |disks: &[(&str, &str)]| -> Vec<Value> {
        let disks: Struct = disks.iter().map(|(vdi, sr)| (String::from(*vdi), Value::from(*sr))).collect();
        let none = Value::empty_struct;
        Vec::from([vm.as_str().into(), target.clone(), true.into(), disks.into(), none(), none(), none()])
    };
    assert_eq!(pool.call("VM.assert_can_migrate", &maps(&[(&vdi, &new)])), Ok(Value::VOID));
    assert_eq!(pool.call("VM.migrate_send", &maps(&[(&vdi, &new)])), Ok(vm.as_str().into()));
    assert_eq!(pool.text("VM.get_resident_on", &[&vm]), to);
    let moved = pool.text("VBD.get_VDI", &[&vbd]);
    assert_eq!(pool.text("VDI.get_SR", &[&moved]), new);
    assert!(pool.ask("VDI.get_uuid", &[&vdi]).is_err());
    let used = free.1 - pool.free_memory(&to);
    assert!(used > 0 && pool.free_memory(&from) == free.0 + used);
    for name in ["a", "b"] {
        pool.ask("VM.snapshot", &[&vm, name]).unwrap();
    }
    pool.refuses("VM.migrate_send", &maps(&[(&moved, &old)]), "VM_HAS_TOO_MANY_SNAPSHOTS", &[&vm]);
    // A disk that stays where its host cannot reach it has to be mapped.
    for pbd in pool.refs("SR.get_PBDs", &[&new]) {
        pool.sim.store.put("PBD", &pbd, "currently_attached", false);
    }
    pool.refuses("VM.assert_can_migrate", &maps(&[]), "VDI_NOT_IN_MAP", &[&moved]);
    pool.refuses("VM.assert_can_migrate", &maps(&[(&moved, &new)]), "VDI_NOT_IN_MAP", &[&moved]);
    check_consistent(&pool.sim);
}

#[test]
fn a_template_has_no_metrics_and_a_vm_has() {
    let mut pool = Pool::new();
    let (vm, running) = (pool.vm("Halted"), pool.vm("Running"));
    let as_template = |vm: &str, is: bool| [Value::from(vm), is.into()];
    pool.refuses(
        "VM.set_is_a_template",
        &as_template(&running, true),
        "VM_BAD_POWER_STATE",
        &[&running, "halted", "running"],
    );
    pool.call("VM.set_is_a_template", &as_template(&vm, true)).unwrap();
    assert_eq!(pool.text("VM.get_metrics", &[&vm]), "OpaqueRef:NULL");
    assert_eq!(pool.start(&vm).unwrap_err(), failure("VM_IS_TEMPLATE", &[&vm, "start"]));
    pool.call("VM.set_is_a_template", &as_template(&vm, false)).unwrap();
    pool.start(&vm).unwrap();
    let appliance = pool.call("VM_appliance.create", &[appliance("app")]).unwrap();
    pool.ask("VM.clean_shutdown", &[&vm]).unwrap();
    let appliance = appliance.as_text().unwrap();
    pool.ask("VM.set_appliance", &[&vm, appliance]).unwrap();
    pool.refuses("VM.set_is_a_template", &as_template(&vm, true), "VM_IS_PART_OF_AN_APPLIANCE", &[&vm, appliance]);
}

fn appliance(name: &str) -> Value {
    let members = [("name_label", Value::from(name)), ("name_description", "".into())];
    Value::Struct(members.into_iter().collect())
}

#[test]
fn the_vms_of_an_appliance_start_and_stop_together() {
    let mut pool = Pool::new();
    let made = pool.call("VM_appliance.create", &[appliance("shop")]).unwrap();
    let made = made.as_text().unwrap();
    let start = [made.into(), false.into()];
    pool.refuses("VM_appliance.start", &start, "OPERATION_NOT_ALLOWED", &["Appliance has no VMs."]);
    let expr = "field \"power_state\" = \"Halted\" and field \"is_a_template\" = \"false\"";
    let vms: Vec<String> = pool.refs("VM.get_all_where", &[expr]).into_iter().take(2).collect();
    for (at, vm) in vms.iter().enumerate() {
        pool.ask("VM.set_appliance", &[vm, made]).unwrap();
        pool.call("VM.set_order", &[vm.as_str().into(), Value::Int(i64::try_from(at).unwrap())]).unwrap();
    }
    assert_eq!(pool.refs("VM_appliance.get_VMs", &[made]), vms);
    assert_eq!(pool.refs("VM_appliance.get_allowed_operations", &[made]), ["start"]);
    let before = pool.now;
    pool.call("VM_appliance.start", &start).unwrap();
    assert!(pool.now - before >= Millis(3000), "one after the other");
    for vm in &vms {
        assert_eq!(pool.text("VM.get_power_state", &[vm]), "Running");
        assert_eq!(pool.ask("VM.get_current_operations", &[vm]), Ok(Value::empty_struct()));
    }
    let allowed = pool.refs("VM_appliance.get_allowed_operations", &[made]);
    assert_eq!(allowed, ["clean_shutdown", "hard_shutdown", "shutdown"]);
    let template = pool.template();
    let refused = pool.ask("VM.set_appliance", &[&template, made]).unwrap_err();
    assert_eq!(refused.code, "OPERATION_NOT_ALLOWED");
    // One that cannot be stopped makes the whole a failure, and the others stop.
    pool.ask("VM.add_to_blocked_operations", &[&vms[0], "clean_shutdown", "x"]).unwrap();
    let refused = pool.ask("VM_appliance.clean_shutdown", &[made]).unwrap_err();
    assert_eq!(refused, failure("OPERATION_PARTIALLY_FAILED", &["clean_shutdown"]));
    assert_eq!(pool.text("VM.get_power_state", &[&vms[1]]), "Halted");
    pool.ask("VM_appliance.hard_shutdown", &[made]).unwrap();
    assert_eq!(pool.text("VM.get_power_state", &[&vms[0]]), "Halted");
    let session = pool.session.clone();
    pool.ask("VM_appliance.assert_can_be_recovered", &[made, &session]).unwrap();
    assert!(!pool.refs("VM_appliance.get_SRs_required_for_recovery", &[made, &session]).is_empty());
    pool.ask("VM_appliance.destroy", &[made]).unwrap();
    assert_eq!(pool.text("VM.get_appliance", &[&vms[0]]), "OpaqueRef:NULL");
    check_consistent(&pool.sim);
}

#[test]
fn a_full_repository_takes_no_memory_and_no_disks() {
    let mut pool = Pool::new();
    let vm = pool.movable_vm();
    let of_pool = pool.refs("pool.get_all", &[])[0].clone();
    let sr = pool.text("pool.get_suspend_image_SR", &[&of_pool]);
    let used = pool.number("SR.get_physical_utilisation", &[&sr]);
    pool.sim.store.put("SR", &sr, "physical_size", used + 1000);
    let refused = pool.ask("VM.suspend", &[&vm]).unwrap_err();
    assert_eq!(refused, failure("SR_SUSPEND_SPACE_INSUFFICIENT", &[&sr]));
    let halted = pool.vm("Halted");
    let refused = pool.ask("VM.copy", &[&halted, "copy", &sr]).unwrap_err();
    assert_eq!(refused.code, "SR_BACKEND_FAILURE_44");
    pool.ask("pool.set_suspend_image_SR", &[&of_pool, "OpaqueRef:NULL"]).unwrap();
    let host = pool.text("VM.get_resident_on", &[&vm]);
    pool.ask("host.set_suspend_image_sr", &[&host, "OpaqueRef:NULL"]).unwrap();
    assert_eq!(pool.ask("VM.suspend", &[&vm]).unwrap_err(), failure("VM_NO_SUSPEND_SR", &[&vm]));
}

#[test]
fn a_vm_on_a_full_host_gets_a_new_device_model() {
    let mut pool = Pool::new();
    let vm = pool.movable_vm();
    let host = pool.text("VM.get_resident_on", &[&vm]);
    let metrics = pool.text("host.get_metrics", &[&host]);
    pool.sim.store.put("host_metrics", &metrics, "memory_free", 1000);
    pool.sim.store.put("VM", &vm, "pending_guidances", Vec::from([Value::from("restart_device_model")]));
    let domid = pool.number("VM.get_domid", &[&vm]);
    pool.ask("VM.restart_device_models", &[&vm]).unwrap();
    assert_eq!(pool.free_memory(&host), 1000);
    assert!(pool.refs("VM.get_pending_guidances", &[&vm]).is_empty());
    assert_ne!(pool.number("VM.get_domid", &[&vm]), domid);
}

#[test]
fn a_copy_of_a_checkpoint_can_be_resumed() {
    let mut pool = Pool::new();
    let vm = pool.movable_vm();
    let checkpoint = pool.text("VM.checkpoint", &[&vm, "point"]);
    let copy = pool.text("VM.clone", &[&checkpoint, "copy"]);
    assert_eq!(pool.text("VM.get_power_state", &[&copy]), "Suspended");
    pool.call("VM.set_is_a_template", &[copy.as_str().into(), false.into()]).unwrap();
    pool.call("VM.resume", &flags(&copy)).unwrap();
    assert_eq!(pool.text("VM.get_power_state", &[&copy]), "Running");
    check_consistent(&pool.sim);
}

#[test]
fn a_template_wants_disks_where_there_is_storage() {
    let mut pool = Pool::new();
    let (template, sr) = (pool.template(), pool.refs("SR.get_by_name_label", &["NFS volume 1"])[0].clone());
    let vm = pool.text("VM.clone", &[&template, "fresh"]);
    let uuid = pool.text("SR.get_uuid", &[&sr]);
    let disks = |bytes: i64| {
        alloc::format!(
            "<provision><disk device=\"0\" size=\"{bytes}\" sr=\"{uuid}\" bootable=\"true\" type=\"system\"/></provision>"
        )
    };
    let want = |pool: &mut Pool, bytes: i64| {
        pool.ask("VM.remove_from_other_config", &[&vm, "disks"]).unwrap();
        pool.ask("VM.add_to_other_config", &[&vm, "disks", &disks(bytes)]).unwrap();
    };
    want(&mut pool, 1 << 60);
    assert_eq!(pool.ask("VM.provision", &[&vm]).unwrap_err().code, "SR_BACKEND_FAILURE_44");
    want(&mut pool, GIB);
    for pbd in pool.refs("SR.get_PBDs", &[&sr]) {
        pool.sim.store.put("PBD", &pbd, "currently_attached", false);
    }
    assert_eq!(pool.ask("VM.provision", &[&vm]).unwrap_err(), failure("SR_HAS_NO_PBDS", &[&sr]));
    assert!(pool.flag("VM.get_is_a_template", &[&vm]) && pool.refs("VM.get_VBDs", &[&vm]).is_empty());
    let ordinary = pool.vm("Halted");
    assert_eq!(pool.ask("VM.provision", &[&ordinary]).unwrap_err(), failure("PROVISION_ONLY_ALLOWED_ON_TEMPLATE", &[]));
}
