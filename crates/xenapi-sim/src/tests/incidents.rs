//! What happens when something goes wrong with the pool as a whole.

use alloc::format;

use super::*;
use crate::{Incident, PendingId};

impl Pool {
    fn befall(&mut self, incident: Incident) {
        self.sim.befall(incident, self.now).unwrap();
    }

    fn follow(&mut self, token: &str) -> PendingId {
        let params = [self.session.as_str().into(), Value::Array(vec!["pool_patch".into()]), token.into(), 3600.0.into()];
        match self.handle("event.from", &params) {
            Handled::Pending(pending) => pending,
            Handled::Done(outcome) => panic!("answered at once: {outcome:?}"),
        }
    }

    fn newest_token(&mut self) -> String {
        let params = [Value::Array(vec!["user".into()]), "".into(), 0.0.into()];
        let batch = self.call("event.from", &params).unwrap();
        batch.as_struct().unwrap().get("token").unwrap().as_text().unwrap().into()
    }
}

fn text(value: &Value) -> &str {
    value.as_text().unwrap()
}

#[test]
fn lost_sessions_tell_those_who_wait() {
    let mut pool = Pool::new();
    let session = pool.session.clone();
    let token = pool.newest_token();
    let waiting = pool.follow(&token);
    pool.befall(Incident::LoseSessions);
    let invalid = failure("SESSION_INVALID", &[&session]);
    assert_eq!(pool.sim.poll(pool.now), [(waiting, Outcome::Failure(invalid.clone()))]);
    assert_eq!(pool.ask("VM.get_all", &[]).unwrap_err(), invalid);
    assert!(pool.sim.take_hung_up().is_empty());
}

#[test]
fn a_restart_breaks_connections_tasks_and_tokens() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    for round in 0..500 {
        pool.ask("VM.set_name_label", &[&vm, &format!("{round}")]).unwrap();
    }
    let token = pool.newest_token();
    let waiting = pool.follow(&token);
    let params = [pool.session.as_str().into(), vm.as_str().into(), false.into(), false.into()];
    let Handled::Pending(starting) = pool.handle("VM.start", &params) else { panic!("it takes time") };
    pool.text("task.create", &["mine", ""]);
    pool.pass(500);
    pool.befall(Incident::Restart { boots_for: Millis(2000) });
    let mut hung_up = pool.sim.take_hung_up();
    hung_up.sort();
    assert_eq!(hung_up, [waiting, starting]);
    assert!(pool.sim.poll(pool.now).is_empty());
    let login = ["root", PASSWORD].map(Value::from);
    let booting = pool.raw("session.login_with_password", &login).unwrap_err();
    assert_eq!(booting, failure("HOST_STILL_BOOTING", &[]));
    assert_eq!(pool.raw("system.isAlive", &["x".into()]).unwrap_err(), booting);
    pool.pass(2000);
    assert_eq!(pool.ask("VM.get_all", &[]).unwrap_err().code, "SESSION_INVALID");
    pool.session = pool.login("root");
    assert!(pool.refs("task.get_all", &[]).is_empty());
    assert_eq!(pool.ask("VM.get_current_operations", &[&vm]), Ok(Value::empty_struct()));
    assert_eq!(pool.text("VM.get_power_state", &[&vm]), "Halted");
    assert!(pool.refs("VM.get_allowed_operations", &[&vm]).contains(&"start".into()));
    let later = pool.newest_token();
    assert!(later < token, "generations start anew: {later} is not before {token}");
}

#[test]
fn forgotten_events_are_lost() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let token = pool.newest_token();
    pool.ask("VM.set_name_label", &[&vm, "changed"]).unwrap();
    pool.call("event.register", &[Value::Array(vec!["vm".into()])]).unwrap();
    let newest = pool.newest_token();
    let waiting = pool.follow(&newest);
    pool.befall(Incident::ForgetEvents);
    let lost = failure("EVENTS_LOST", &[]);
    assert_eq!(pool.sim.poll(pool.now), [(waiting, Outcome::Failure(lost.clone()))]);
    let params = [Value::Array(vec!["vm".into()]), token.as_str().into(), 1.0.into()];
    assert_eq!(pool.call("event.from", &params).unwrap_err(), lost);
    assert_eq!(pool.ask("event.next", &[]).unwrap_err(), lost);
    let all = pool.newest_token();
    pool.ask("VM.set_name_label", &[&vm, "again"]).unwrap();
    let params = [Value::Array(vec!["vm".into()]), all.as_str().into(), 1.0.into()];
    let batch = pool.call("event.from", &params).unwrap();
    assert_eq!(batch.as_struct().unwrap().get("events").unwrap().as_array().unwrap().len(), 1);
}

#[test]
fn a_dead_host_runs_nothing() {
    let mut pool = Pool::new();
    let vms = "field \"power_state\" = \"Running\" and field \"is_control_domain\" = \"false\"";
    let master = pool.sim.hosts().into_iter().find(|host| host.is_master).unwrap();
    let running = pool.refs("VM.get_all_where", &[vms]);
    let on = |pool: &mut Pool, vm: &String| pool.text("VM.get_resident_on", &[vm]);
    let victim = running.iter().map(|vm| on(&mut pool, vm)).find(|host| host != master.reference.as_str());
    let victim = victim.expect("a member runs a VM");
    let there: Vec<String> = running.into_iter().filter(|vm| on(&mut pool, vm) == victim).collect();
    let host = xenapi_core::RawRef::from(victim.as_str());
    pool.befall(Incident::KillHost(host));
    let info = pool.sim.hosts().into_iter().find(|host| host.reference.as_str() == victim).unwrap();
    assert!(!info.is_live && !info.is_master);
    pool.pass(600_000 * 2);
    for vm in there {
        assert_ne!(pool.text("VM.get_resident_on", &[&vm]), victim);
    }
    let nobody = xenapi_core::RawRef::from("OpaqueRef:nobody");
    let refused = pool.sim.befall(Incident::KillHost(nobody), pool.now).unwrap_err();
    assert_eq!(refused, failure("HANDLE_INVALID", &["host", "OpaqueRef:nobody"]));
}

#[test]
fn a_new_master_sends_callers_of_the_old_one_to_itself() {
    let mut pool = Pool::new();
    let hosts = pool.sim.hosts();
    let (old, new) = (hosts.iter().find(|host| host.is_master).unwrap(), hosts.iter().find(|host| !host.is_master).unwrap());
    pool.befall(Incident::ChangeMaster(new.reference.clone()));
    let login = |origin| {
        let params = ["root", PASSWORD].map(Value::from).to_vec();
        (RawCall { method: "session.login_with_password".into(), params }, origin)
    };
    let (call, origin) = login(Origin::Host(old.id));
    let is_slave = Outcome::Failure(failure("HOST_IS_SLAVE", &[&new.address]));
    assert_eq!(pool.sim.handle(call, origin, pool.now), Handled::Done(is_slave));
    let (call, origin) = login(Origin::Host(new.id));
    assert!(matches!(pool.sim.handle(call, origin, pool.now), Handled::Done(Outcome::Value(_))));
    pool.session = pool.login("root");
    let one = pool.refs("pool.get_all", &[])[0].clone();
    assert_eq!(pool.text("pool.get_master", &[&one]), new.reference.as_str());
}

#[test]
fn an_emergency_leaves_the_calls_for_emergencies() {
    let mut pool = Pool::new();
    let why = failure("HOST_HAS_NO_MANAGEMENT_IP", &[]);
    pool.befall(Incident::Emergency(Some(why.clone())));
    assert_eq!(pool.ask("VM.get_all", &[]).unwrap_err(), why);
    assert_eq!(pool.raw("session.login_with_password", &["root", PASSWORD].map(Value::from)).unwrap_err(), why);
    let local = pool.raw("session.slave_local_login_with_password", &["root", PASSWORD].map(Value::from)).unwrap();
    assert!(text(&local).starts_with("OpaqueRef:"));
    assert_eq!(pool.raw("session.local_logout", &[local]), Ok(Value::VOID));
    pool.befall(Incident::Emergency(None));
    assert!(pool.ask("VM.get_all", &[]).is_ok());
}
