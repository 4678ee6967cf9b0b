//! Who is in the pool, who is its master, and high availability.

use super::*;
use crate::tests::generated::check_consistent;

impl Pool {
    fn pool(&mut self) -> String {
        self.refs("pool.get_all", &[])[0].clone()
    }

    fn master(&mut self) -> String {
        let pool = self.pool();
        self.text("pool.get_master", &[&pool])
    }

    /// Takes the VMs off a host.
    fn clear(&mut self, host: &str) {
        for vm in self.refs("host.get_resident_VMs", &[host]) {
            if !self.flag("VM.get_is_control_domain", &[&vm]) {
                self.ask("VM.hard_shutdown", &[&vm]).unwrap();
            }
        }
    }

    /// VMs that may run anywhere, and where they run.
    fn agile_vms(&mut self) -> Vec<(String, String)> {
        let expr = "field \"power_state\" = \"Running\" and field \"is_control_domain\" = \"false\"";
        let all = self.refs("VM.get_all_where", &[expr]);
        let agile: Vec<String> = all.into_iter().filter(|vm| self.ask("VM.assert_agile", &[vm]).is_ok()).collect();
        agile.into_iter().map(|vm| (vm.clone(), self.text("VM.get_resident_on", &[&vm]))).collect()
    }

    fn enable_ha(&mut self) -> Result<Value, Failure> {
        self.call("pool.enable_ha", &[Value::Array(Vec::new()), Value::empty_struct()])
    }
}

#[test]
fn another_host_becomes_master() {
    let mut pool = Pool::new();
    let (old, hosts) = (pool.master(), pool.refs("host.get_all", &[]));
    let new = hosts.into_iter().find(|host| *host != old).unwrap();
    pool.ask("pool.designate_new_master", &[&new]).unwrap();
    assert_eq!(pool.ask("VM.get_all", &[]).unwrap_err().code, "SESSION_INVALID");
    pool.session = pool.login("root");
    assert_eq!(pool.master(), new);
    let refused = pool.ask("pool.designate_new_master", &["OpaqueRef:none"]).unwrap_err();
    assert_eq!(refused, failure("HANDLE_INVALID", &["host", "OpaqueRef:none"]));
}

#[test]
fn a_member_takes_over_in_an_emergency() {
    let mut pool = Pool::new();
    let old = pool.master();
    let members: Vec<_> = pool.sim.hosts().into_iter().filter(|host| !host.is_master).collect();
    let now = pool.now;
    pool.sim.host_fails(old.trim(), now);
    let uuid = pool.sim.hosts()[0].uuid.clone();
    pool.sim.host_fails(&uuid, now);
    let origin = Origin::Host(members[0].id);
    let call = |pool: &mut Pool, method: &str, params: &[Value]| {
        let call = RawCall { method: method.into(), params: params.to_vec() };
        match pool.sim.handle(call, origin, pool.now) {
            Handled::Done(outcome) => unwrap(outcome),
            Handled::Pending(pending) => pool.wait(pending),
        }
    };
    let login = ["root".into(), PASSWORD.into()];
    let session = call(&mut pool, "session.slave_local_login_with_password", &login).unwrap();
    call(&mut pool, "pool.emergency_transition_to_master", &[session]).unwrap();
    pool.session = pool.login("root");
    assert_eq!(pool.master(), members[0].reference.as_str());
    let recovered = pool.refs("pool.recover_slaves", &[]);
    assert_eq!(recovered, [members[1].reference.as_str()], "the dead one is not among them");
    assert!(pool.refs("pool.recover_slaves", &[]).is_empty());
}

#[test]
fn hosts_leave_and_join() {
    let mut pool = Pool::new();
    let master = pool.master();
    let host = pool.refs("host.get_all", &[]).into_iter().find(|host| *host != master).unwrap();
    assert_eq!(pool.ask("pool.eject", &[&master]).unwrap_err().code, "INTERNAL_ERROR");
    let busy = failure("OPERATION_NOT_ALLOWED", &["VM resident on host"]);
    assert_eq!(pool.ask("pool.eject", &[&host]).unwrap_err(), busy);
    pool.clear(&host);
    let (uuid, name) = (pool.text("host.get_uuid", &[&host]), pool.text("host.get_name_label", &[&host]));
    let pifs = pool.refs("host.get_PIFs", &[&host]).len();
    let address = pool.text("host.get_address", &[&master]);
    let params = [address.as_str(), "root", PASSWORD];
    let refused = pool.ask("pool.join", &params).unwrap_err();
    assert_eq!(refused, failure("JOINING_HOST_CANNOT_BE_MASTER_OF_OTHER_HOSTS", &[]));
    pool.ask("pool.eject", &[&host]).unwrap();
    assert_eq!(pool.refs("host.get_all", &[]).len(), 2);
    check_consistent(&pool.sim);
    let refused = pool.ask("pool.join", &["192.0.2.200", "root", PASSWORD]).unwrap_err();
    assert_eq!(refused, failure("JOINING_HOST_CONNECTION_FAILED", &[]));
    let refused = pool.ask("pool.join", &[&address, "root", "wrong"]).unwrap_err();
    assert_eq!(refused.code, "SESSION_AUTHENTICATION_FAILED");
    pool.ask("pool.join", &params).unwrap();
    let back = pool.text("host.get_by_uuid", &[&uuid]);
    assert_ne!(back, host);
    assert_eq!(pool.text("host.get_name_label", &[&back]), name);
    assert!(pool.flag("host.get_enabled", &[&back]));
    let physical = pool.refs("host.get_PIFs", &[&back]);
    assert!(!physical.is_empty() && physical.len() <= pifs);
    let dom0 = pool.text("host.get_control_domain", &[&back]);
    assert_eq!(pool.text("VM.get_resident_on", &[&dom0]), back);
    let shared = pool.refs("SR.get_all_where", &["field \"shared\" = \"true\""]).len();
    assert_eq!(pool.refs("host.get_PBDs", &[&back]).len(), shared + 1, "and one of its own");
    check_consistent(&pool.sim);
}

#[test]
fn protected_vms_start_elsewhere() {
    let mut pool = Pool::new();
    assert_eq!(pool.ask("pool.disable_ha", &[]).unwrap_err(), failure("HA_NOT_ENABLED", &[]));
    pool.enable_ha().unwrap();
    assert_eq!(pool.enable_ha().unwrap_err(), failure("HA_IS_ENABLED", &[]));
    let of_pool = pool.pool();
    assert!(pool.flag("pool.get_ha_enabled", &[&of_pool]));
    let files = pool.refs("pool.get_ha_statefiles", &[&of_pool]);
    assert_eq!(pool.text("VDI.get_type", &[&files[0]]), "ha_statefile");
    let master = pool.master();
    let agile = pool.agile_vms();
    let (vm, host) = agile.iter().find(|(_, host)| *host != master).unwrap().clone();
    let refused = pool.ask("VM.set_ha_restart_priority", &[&vm, "always"]).unwrap_err();
    assert_eq!(refused, failure("INVALID_VALUE", &["ha_restart_priority", "always"]));
    pool.ask("VM.set_ha_restart_priority", &[&vm, "restart"]).unwrap();
    assert!(pool.flag("VM.get_ha_always_run", &[&vm]));
    let most = pool.ask("pool.ha_compute_max_host_failures_to_tolerate", &[]).unwrap().as_int().unwrap();
    assert_eq!(most, 2);
    pool.call("pool.set_ha_host_failures_to_tolerate", &[of_pool.as_str().into(), Value::Int(1)]).unwrap();
    let too_many = pool.call("pool.set_ha_host_failures_to_tolerate", &[of_pool.as_str().into(), Value::Int(3)]);
    assert_eq!(too_many.unwrap_err(), failure("HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN", &[]));
    assert_eq!(pool.ask("pool.ha_failover_plan_exists", &["2"]), Ok(Value::Bool(true)));
    assert_eq!(pool.ask("pool.ha_failover_plan_exists", &["3"]), Ok(Value::Bool(false)));
    assert_eq!(pool.ask("pool.eject", &[&host]).unwrap_err(), failure("HA_IS_ENABLED", &[]));
    let (uuid, now) = (pool.text("host.get_uuid", &[&host]), pool.now);
    pool.sim.host_fails(&uuid, now);
    pool.pass(61_000);
    let metrics = pool.text("host.get_metrics", &[&host]);
    assert!(!pool.flag("host_metrics.get_live", &[&metrics]), "a minute is enough");
    pool.pass(10_000);
    assert_eq!(pool.text("VM.get_power_state", &[&vm]), "Running");
    assert_ne!(pool.text("VM.get_resident_on", &[&vm]), host);
    let other = agile.iter().find(|(other, on)| *on == host && *other != vm).unwrap().0.clone();
    assert_eq!(pool.text("VM.get_power_state", &[&other]), "Halted");
    let messages = pool.ask("message.get_all_records_where", &["field \"name\" = \"HA_HOST_FAILED\""]).unwrap();
    assert_eq!(messages.as_struct().unwrap().len(), 1);
    check_consistent(&pool.sim);
}

#[test]
fn with_high_availability_another_master_is_found() {
    let mut pool = Pool::new();
    pool.enable_ha().unwrap();
    let old = pool.master();
    let (uuid, now) = (pool.text("host.get_uuid", &[&old]), pool.now);
    pool.sim.host_fails(&uuid, now);
    pool.pass(61_000);
    pool.session = pool.login("root");
    assert_ne!(pool.master(), old);
    pool.ask("pool.disable_ha", &[]).unwrap();
    let of_pool = pool.pool();
    assert!(!pool.flag("pool.get_ha_enabled", &[&of_pool]));
    assert!(pool.refs("VDI.get_all_where", &["field \"type\" = \"ha_statefile\""]).is_empty());
}

#[test]
fn only_agile_vms_are_protected() {
    let mut pool = Pool::new();
    pool.enable_ha().unwrap();
    let sr = pool.refs("SR.get_by_name_label", &["Local storage"])[0].clone();
    let given = [Value::Array(Vec::from([Value::from(sr.as_str())])), Value::empty_struct()];
    pool.ask("pool.disable_ha", &[]).unwrap();
    let refused = pool.call("pool.enable_ha", &given).unwrap_err();
    assert_eq!(refused, failure("HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED", &[&sr]));
    pool.enable_ha().unwrap();
    let expr = "field \"power_state\" = \"Running\" and field \"is_control_domain\" = \"false\"";
    let all = pool.refs("VM.get_all_where", &[expr]);
    let bound = all.into_iter().find(|vm| pool.ask("VM.assert_agile", &[vm]).is_err()).unwrap();
    let refused = pool.ask("VM.set_ha_restart_priority", &[&bound, "restart"]).unwrap_err();
    assert!(refused.code.starts_with("HA_CONSTRAINT_VIOLATION_"), "{refused}");
    let params = [Value::Array(Vec::new()), Value::Array(Vec::from([Value::from(bound.as_str())]))];
    let plan = pool.call("pool.ha_compute_vm_failover_plan", &params).unwrap();
    let entry = plan.as_struct().unwrap().get(&bound).unwrap().as_struct().unwrap();
    assert_eq!(entry.get("error_code"), Some(&"VM_IS_NOT_AGILE".into()));
}

#[test]
fn a_lack_of_room_breaks_the_plan() {
    let mut pool = Pool::with(&Config { hosts: 2, ..Config::default() });
    pool.enable_ha().unwrap();
    let of_pool = pool.pool();
    // The second host lacks a repository, so only VMs elsewhere are agile.
    let Some((vm, host)) = pool.agile_vms().first().cloned() else { panic!("no agile VM") };
    pool.ask("VM.set_ha_restart_priority", &[&vm, "restart"]).unwrap();
    pool.call("pool.set_ha_host_failures_to_tolerate", &[of_pool.as_str().into(), Value::Int(1)]).unwrap();
    let other = pool.refs("host.get_all", &[]).into_iter().find(|other| *other != host).unwrap();
    // Without the other host nothing could fail any more.
    assert_eq!(pool.ask("host.disable", &[&other]).unwrap_err(), failure("HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN", &[]));
    let metrics = pool.text("host.get_metrics", &[&other]);
    pool.sim.store.put("host_metrics", &metrics, "memory_free", 1000);
    assert_eq!(pool.ask("pool.ha_compute_max_host_failures_to_tolerate", &[]).unwrap(), Value::Int(0));
    let halted = pool.vm("Halted");
    assert_eq!(pool.start(&halted).unwrap_err(), failure("HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN", &[]));
    pool.call("pool.set_ha_allow_overcommit", &[of_pool.as_str().into(), true.into()]).unwrap();
    assert!(pool.flag("pool.get_ha_overcommitted", &[&of_pool]));
    pool.ask("host.disable", &[&other]).unwrap();
}
