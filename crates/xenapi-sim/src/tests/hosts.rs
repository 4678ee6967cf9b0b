//! Hosts that are switched off, die and come back; the pool's members and their master.

use super::*;
use crate::tests::generated::check_consistent;

impl Pool {
    fn guests(&mut self, host: &str) -> Vec<String> {
        let all = self.refs("host.get_resident_VMs", &[host]);
        all.into_iter().filter(|vm| !self.flag("VM.get_is_control_domain", &[vm])).collect()
    }

    fn is_live(&mut self, host: &str) -> bool {
        let metrics = self.text("host.get_metrics", &[host]);
        self.flag("host_metrics.get_live", &[&metrics])
    }

    /// A host that is not the master.
    fn member(&mut self) -> String {
        let of_pool = self.refs("pool.get_all", &[])[0].clone();
        let master = self.text("pool.get_master", &[&of_pool]);
        self.refs("host.get_all", &[]).into_iter().find(|host| *host != master).unwrap()
    }
}

#[test]
fn a_host_reboots_after_its_answer() {
    let mut pool = Pool::new();
    let host = pool.member();
    let guest = pool.guests(&host)[0].clone();
    assert_eq!(pool.ask("host.reboot", &[&host]).unwrap_err(), failure("HOST_NOT_DISABLED", &[]));
    pool.ask("host.disable", &[&host]).unwrap();
    assert!(pool.refs("host.get_allowed_operations", &[&host]).contains(&"reboot".into()));
    pool.ask("host.reboot", &[&host]).unwrap();
    assert!(pool.is_live(&host), "the answer comes first");
    let refused = pool.ask("host.enable", &[&host]).unwrap_err();
    assert_eq!(refused, failure("HOST_DISABLED_UNTIL_REBOOT", &[&host]));
    let tasks = pool.refs("task.get_by_name_label", &["Host is rebooting"]);
    assert_eq!(pool.text("task.get_status", &[&tasks[0]]), "pending");
    pool.pass(15_000);
    assert!(!pool.is_live(&host));
    assert_eq!(pool.text("VM.get_power_state", &[&guest]), "Halted");
    assert_eq!(pool.ask("host.disable", &[&host]).unwrap_err(), failure("HOST_OFFLINE", &[&host]));
    let old = pool.ask("host.get_other_config", &[&host]).unwrap();
    pool.pass(300_000);
    assert!(pool.is_live(&host) && pool.flag("host.get_enabled", &[&host]));
    let new = pool.ask("host.get_other_config", &[&host]).unwrap();
    assert_ne!(old.as_struct().unwrap().get("boot_time"), new.as_struct().unwrap().get("boot_time"));
    check_consistent(&pool.sim);
}

#[test]
fn a_host_that_was_switched_off_stays_off_until_it_is_switched_on() {
    let mut pool = Pool::new();
    let host = pool.member();
    assert_eq!(pool.ask("host.destroy", &[&host]).unwrap_err(), failure("HOST_IS_LIVE", &[&host]));
    assert_eq!(pool.ask("host.declare_dead", &[&host]).unwrap_err(), failure("HOST_IS_LIVE", &[&host]));
    pool.call("host.disable", &[host.as_str().into(), false.into()]).unwrap();
    pool.ask("host.shutdown", &[&host]).unwrap();
    pool.pass(3_600_000);
    assert!(!pool.is_live(&host));
    assert_eq!(pool.ask("host.power_on", &[&host]).unwrap_err(), failure("HOST_POWER_ON_MODE_DISABLED", &[]));
    pool.call("host.set_power_on_mode", &[host.as_str().into(), "wake-on-lan".into(), Value::empty_struct()]).unwrap();
    assert_eq!(pool.refs("host.get_allowed_operations", &[&host]), ["power_on"]);
    pool.ask("host.power_on", &[&host]).unwrap();
    pool.pass(300_000);
    assert!(pool.is_live(&host));
    assert!(!pool.flag("host.get_enabled", &[&host]), "it was not to be enabled by itself");
    assert_eq!(pool.ask("host.power_on", &[&host]).unwrap_err(), failure("HOST_IS_LIVE", &[&host]));
}

#[test]
fn a_dead_host_takes_its_vms_along() {
    let mut pool = Pool::new();
    let host = pool.member();
    let guests = pool.guests(&host);
    let uuid = pool.text("host.get_uuid", &[&host]);
    let task = pool.text("Async.VM.clean_reboot", &[&guests[0]]);
    let now = pool.now;
    assert!(pool.sim.host_fails(&uuid, now));
    assert!(!pool.sim.host_fails("no such host", now));
    assert_eq!(pool.refs("task.get_error_info", &[&task]), ["CANNOT_CONTACT_HOST", &host]);
    assert!(pool.is_live(&host), "nobody knows yet");
    let refused = pool.ask("VM.pause", &[&guests[0]]).unwrap_err();
    assert_eq!(refused, failure("CANNOT_CONTACT_HOST", &[&host]));
    let refused = pool.ask("VM.power_state_reset", &[&guests[0]]).unwrap_err();
    assert_eq!(refused, failure("HOST_IS_LIVE", &[&host]));
    pool.pass(599_000);
    assert!(pool.is_live(&host));
    pool.pass(2_000);
    assert!(!pool.is_live(&host));
    for vm in &guests {
        assert_eq!(pool.text("VM.get_power_state", &[vm]), "Halted");
        assert_eq!(pool.text("VM.get_resident_on", &[vm]), "OpaqueRef:NULL");
        assert!(pool.refs("VM.get_consoles", &[vm]).is_empty());
    }
    let metrics = pool.text("host.get_metrics", &[&host]);
    let total = pool.ask("host_metrics.get_memory_total", &[&metrics]).unwrap().as_int().unwrap();
    let free = pool.ask("host_metrics.get_memory_free", &[&metrics]).unwrap().as_int().unwrap();
    assert_eq!(total - free, 5 << 30, "only what the host itself uses");
    let refused = pool.ask("VM.assert_can_boot_here", &[&guests[0], &host]).unwrap_err();
    assert_eq!(refused, failure("HOST_NOT_LIVE", &[]));
    let now = pool.now;
    assert!(pool.sim.host_returns(&uuid, now));
    assert!(pool.is_live(&host));
    check_consistent(&pool.sim);
}

#[test]
fn a_host_that_returns_soon_has_lost_its_vms_all_the_same() {
    let mut pool = Pool::new();
    let host = pool.member();
    let guests = pool.guests(&host);
    pool.sim.store.put_key("VM", &guests[0], "other_config", "auto_poweron", "true");
    let (uuid, now) = (pool.text("host.get_uuid", &[&host]), pool.now);
    pool.sim.host_fails(&uuid, now);
    pool.pass(60_000);
    let now = pool.now;
    pool.sim.host_returns(&uuid, now);
    assert_eq!(pool.text("VM.get_power_state", &[&guests[1]]), "Halted");
    pool.pass(10_000);
    assert_eq!(pool.text("VM.get_power_state", &[&guests[0]]), "Running", "it starts with its host");
    // The old failure is forgotten.
    pool.pass(700_000);
    assert!(pool.is_live(&host));
}

#[test]
fn a_dead_host_can_be_declared_so_and_destroyed() {
    let mut pool = Pool::new();
    let host = pool.member();
    let guest = pool.guests(&host)[0].clone();
    let (uuid, now) = (pool.text("host.get_uuid", &[&host]), pool.now);
    pool.sim.host_fails(&uuid, now);
    assert_eq!(pool.ask("host.destroy", &[&host]).unwrap_err(), failure("HOST_HAS_RESIDENT_VMS", &[&host]));
    pool.ask("host.declare_dead", &[&host]).unwrap();
    assert_eq!(pool.text("VM.get_power_state", &[&guest]), "Halted");
    let dom0 = pool.text("host.get_control_domain", &[&host]);
    pool.ask("host.destroy", &[&host]).unwrap();
    assert!(pool.ask("host.get_uuid", &[&host]).is_err());
    assert!(pool.ask("VM.get_uuid", &[&dom0]).is_err());
    check_consistent(&pool.sim);
}

#[test]
fn without_its_master_the_pool_is_silent() {
    let mut pool = Pool::new();
    let of_pool = pool.refs("pool.get_all", &[])[0].clone();
    let master = pool.text("pool.get_master", &[&of_pool]);
    let (uuid, now) = (pool.text("host.get_uuid", &[&master]), pool.now);
    pool.sim.host_fails(&uuid, now);
    let login = ["root".into(), PASSWORD.into()];
    let silent = pool.raw("session.login_with_password", &login).unwrap_err();
    assert_eq!(silent, failure("HOST_STILL_BOOTING", &[]));
    pool.pass(60_000);
    let now = pool.now;
    pool.sim.host_returns(&uuid, now);
    assert_eq!(pool.ask("VM.get_all", &[]).unwrap_err().code, "SESSION_INVALID");
    pool.session = pool.login("root");
    assert!(pool.is_live(&master));
    // Switched off, it is back when somebody has pressed the button.
    pool.ask("host.disable", &[&master]).unwrap();
    pool.ask("host.shutdown", &[&master]).unwrap();
    pool.pass(20_000);
    assert!(pool.raw("session.login_with_password", &login).is_err());
    pool.pass(600_000);
    pool.session = pool.login("root");
    assert!(pool.is_live(&master));
}

#[test]
fn the_toolstack_restarts_and_forgets_sessions() {
    let mut pool = Pool::new();
    let (member, of_pool) = (pool.member(), pool.refs("pool.get_all", &[])[0].clone());
    pool.ask("host.restart_agent", &[&member]).unwrap();
    pool.pass(20_000);
    assert!(pool.ask("VM.get_all", &[]).is_ok(), "a member's toolstack holds no sessions");
    let master = pool.text("pool.get_master", &[&of_pool]);
    pool.ask("host.restart_agent", &[&master]).unwrap();
    pool.pass(20_000);
    assert_eq!(pool.ask("VM.get_all", &[]).unwrap_err().code, "SESSION_INVALID");
}

#[test]
fn an_evacuation_moves_vms_one_after_the_other() {
    let mut pool = Pool::with(&Config { vms: 72, ..Config::default() });
    let host = pool.member();
    for vm in pool.guests(&host) {
        // Only what can move is left.
        let power = pool.text("VM.get_power_state", &[&vm]);
        if power == "Paused" || pool.refs("VM.get_possible_hosts", &[&vm]).len() < 3 {
            pool.ask("VM.hard_shutdown", &[&vm]).unwrap();
        }
    }
    let guests = pool.guests(&host);
    assert!(guests.len() > 2, "too few VMs to see an order");
    pool.ask("host.disable", &[&host]).unwrap();
    let params = [host.as_str().into(), "OpaqueRef:NULL".into(), Value::Int(1)];
    let task = pool.call("Async.host.evacuate", &params).unwrap();
    let allowed = pool.refs("host.get_allowed_operations", &[&host]);
    assert!(!allowed.contains(&"reboot".into()), "{allowed:?}");
    let halfway = 3000 * u64::try_from(guests.len()).unwrap() / 2;
    pool.pass(halfway);
    let left = pool.guests(&host).len();
    assert!(left > 0 && left < guests.len(), "{left} of {}", guests.len());
    pool.pass(halfway + 3000);
    assert_eq!(pool.text("task.get_status", &[task.as_text().unwrap()]), "success");
    assert!(pool.guests(&host).is_empty());
    let metrics = pool.text("host.get_metrics", &[&host]);
    let total = pool.ask("host_metrics.get_memory_total", &[&metrics]).unwrap().as_int().unwrap();
    let free = pool.ask("host_metrics.get_memory_free", &[&metrics]).unwrap().as_int().unwrap();
    assert_eq!(total - free, 5 << 30);
    check_consistent(&pool.sim);
}

#[test]
fn no_vm_starts_on_a_host_that_is_being_emptied() {
    let mut pool = Pool::new();
    let host = pool.member();
    for vm in pool.guests(&host) {
        if pool.text("VM.get_power_state", &[&vm]) == "Paused" || pool.refs("VM.get_possible_hosts", &[&vm]).len() < 3 {
            pool.ask("VM.hard_shutdown", &[&vm]).unwrap();
        }
    }
    pool.ask("Async.host.evacuate", &[&host]).unwrap();
    let vm = pool.vm("Halted");
    let on = [vm.as_str().into(), host.as_str().into(), false.into(), false.into()];
    assert_eq!(pool.call("VM.start_on", &on).unwrap_err(), failure("HOST_EVACUATE_IN_PROGRESS", &[&host]));
    assert_eq!(pool.start(&vm), Ok(Value::VOID));
    assert_ne!(pool.text("VM.get_resident_on", &[&vm]), host);
}
