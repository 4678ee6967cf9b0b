//! Sessions, users and roles.

use super::*;
use crate::HostId;

impl Pool {
    fn at(&mut self, origin: Origin, method: &str, params: &[Value]) -> Result<Value, Failure> {
        let call = RawCall { method: method.into(), params: params.to_vec() };
        match self.sim.handle(call, origin, self.now) {
            Handled::Done(outcome) => unwrap(outcome),
            Handled::Pending(pending) => self.wait(pending),
        }
    }

    fn as_user<R>(&mut self, user: &str, act: impl FnOnce(&mut Pool) -> R) -> R {
        let session = self.login(user);
        let old = core::mem::replace(&mut self.session, session);
        let result = act(self);
        self.session = old;
        result
    }

    /// A member's way in, and the master's address.
    fn a_member(&self) -> (Origin, String) {
        let hosts = self.sim.hosts();
        let member = hosts.iter().find(|host| !host.is_master).unwrap();
        let master = hosts.iter().find(|host| host.is_master).unwrap();
        (Origin::Host(member.id), master.address.clone())
    }
}

#[test]
fn a_session_tells_who_it_is_of() {
    let mut pool = Pool::new();
    let params = ["root", PASSWORD, "1.0", "a test"].map(Value::from);
    let session = pool.raw("session.login_with_password", &params).unwrap();
    let record = pool.raw("session.get_record", &[session.clone(), session.clone()]).unwrap();
    let record = record.as_struct().unwrap();
    let names: Vec<&str> = record.iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "uuid",
            "this_host",
            "this_user",
            "last_active",
            "pool",
            "other_config",
            "is_local_superuser",
            "subject",
            "validation_time",
            "auth_user_sid",
            "auth_user_name",
            "rbac_permissions",
            "tasks",
            "parent",
            "originator",
            "client_certificate"
        ]
    );
    assert_eq!(record.get("auth_user_name"), Some(&"root".into()));
    assert_eq!(record.get("originator"), Some(&"a test".into()));
    assert_eq!(record.get("is_local_superuser"), Some(&true.into()));
    for null in ["this_user", "subject", "parent"] {
        assert_eq!(record.get(null), Some(&"OpaqueRef:NULL".into()), "{null}");
    }
    assert_eq!(record.get("rbac_permissions"), Some(&Value::Array(vec![])));
    let one = pool.raw("session.get_this_host", core::slice::from_ref(&session)).unwrap_err();
    assert_eq!(one, failure("MESSAGE_PARAMETER_COUNT_MISMATCH", &["session.get_this_host", "1", "0"]));
    assert!(pool.raw("session.get_this_host", &[session.clone(), session]).is_ok());
}

#[test]
fn a_user_of_a_role_has_a_subject_and_its_permissions() {
    let mut pool = Pool::new();
    pool.as_user("vm-operator", |pool| {
        let session = pool.session.clone();
        let record = pool.ask("session.get_record", &[&session]).unwrap();
        let record = record.as_struct().unwrap().clone();
        assert_eq!(record.get("is_local_superuser"), Some(&false.into()));
        let permissions = record.get("rbac_permissions").unwrap().as_array().unwrap();
        assert!(permissions.contains(&"vm.start".into()) && !permissions.contains(&"vm.clone".into()));
        assert!(permissions.contains(&"vm.add_to_other_config/key:folder".into()));
        assert_eq!(
            pool.ask("session.get_rbac_permissions", &[&session]).as_ref(),
            Ok(record.get("rbac_permissions").unwrap())
        );
        let subject = record.get("subject").unwrap().as_text().unwrap();
        let roles = pool.refs("subject.get_roles", &[subject]);
        assert_eq!(pool.text("role.get_name_label", &[&roles[0]]), "vm-operator");
        let sid = record.get("auth_user_sid").unwrap().as_text().unwrap();
        assert_eq!(pool.text("auth.get_subject_identifier", &["vm-operator"]), sid);
    });
}

#[test]
fn a_new_subject_can_log_in_with_its_role() {
    let mut pool = Pool::new();
    let mut record = xenapi_core::Struct::new();
    let mut config = xenapi_core::Struct::new();
    config.push("subject-name", "bob");
    record.push("subject_identifier", "S-1-5-21-9");
    record.push("other_config", config);
    let subject = pool.call("subject.create", &[record.into()]).unwrap();
    let refused = pool.raw("session.login_with_password", &["bob".into(), PASSWORD.into()]).unwrap_err();
    assert_eq!((refused.code.as_str(), &*refused.params[0]), ("RBAC_PERMISSION_DENIED", "session.login_with_password"));
    let role = pool.refs("role.get_by_name_label", &["read-only"])[0].clone();
    pool.call("subject.add_to_roles", &[subject.clone(), role.as_str().into()]).unwrap();
    let again = pool.call("subject.add_to_roles", &[subject, role.into()]).unwrap_err();
    assert_eq!(again, failure("ROLE_ALREADY_EXISTS", &[]));
    let vm = pool.vm("Halted");
    pool.as_user("bob", |pool| assert_eq!(pool.start(&vm).unwrap_err().code, "RBAC_PERMISSION_DENIED"));
}

#[test]
fn who_is_not_known_to_the_host_waits_for_his_refusal() {
    let mut pool = Pool::new();
    let params = ["nobody", PASSWORD].map(Value::from);
    let Handled::Pending(pending) = pool.handle("session.login_with_password", &params) else { panic!("at once") };
    assert_eq!(pool.wait(pending).unwrap_err().code, "SESSION_AUTHENTICATION_FAILED");
    assert_eq!(pool.now, Millis(5000));
    let params = ["root", "wrong"].map(Value::from);
    assert!(matches!(pool.handle("session.login_with_password", &params), Handled::Done(Outcome::Failure(_))));
}

#[test]
fn each_group_of_sessions_has_its_own_room() {
    let mut pool = Pool::new();
    let originator =
        pool.raw("session.login_with_password", &["root", PASSWORD, "1", "read-only"].map(Value::from)).unwrap();
    let user = pool.login("read-only");
    for _ in 0..500 {
        pool.now = pool.now + Millis(1);
        pool.login("read-only");
    }
    assert_eq!(pool.raw("VM.get_all", &[user.as_str().into()]).unwrap_err(), failure("SESSION_INVALID", &[&user]));
    assert!(pool.raw("VM.get_all", &[originator]).is_ok(), "root's originator of the same name is another group");
    assert!(pool.ask("VM.get_all", &[]).is_ok());
}

#[test]
fn a_session_with_a_pending_task_is_not_idle() {
    let mut pool = Pool::new();
    let (with, without) = (pool.session.clone(), pool.login("root"));
    pool.text("task.create", &["mine", ""]);
    let mut are_there = |seconds: u64| {
        pool.now = Millis::from_secs(seconds);
        assert!(pool.sim.poll(pool.now).is_empty());
        (pool.sim.session_role(&with).is_some(), pool.sim.session_role(&without).is_some())
    };
    assert_eq!(are_there(24 * 3600), (true, true));
    assert_eq!(are_there(24 * 3600 + 31), (true, false), "the task holds its session, and then goes itself");
    assert_eq!(are_there(24 * 3600 + 62), (false, false));
}

#[test]
fn subjects_are_logged_out_together() {
    let mut pool = Pool::new();
    let (one, two, other) = (pool.login("vm-admin"), pool.login("vm-admin"), pool.login("read-only"));
    let all = pool.refs("session.get_all_subject_identifiers", &[]);
    assert_eq!(all.len(), 2);
    let sid = pool.text("auth.get_subject_identifier", &["vm-admin"]);
    assert!(all.contains(&sid));
    pool.ask("session.logout_subject_identifier", &[&sid]).unwrap();
    for gone in [one, two] {
        assert_eq!(pool.raw("VM.get_all", &[gone.as_str().into()]).unwrap_err(), failure("SESSION_INVALID", &[&gone]));
    }
    assert!(pool.raw("VM.get_all", &[other.into()]).is_ok());
    assert_eq!(pool.refs("session.get_all_subject_identifiers", &[]).len(), 1);
}

#[test]
fn root_alone_changes_its_password() {
    let mut pool = Pool::new();
    let refused = pool.ask("session.change_password", &["wrong", "a longer one"]).unwrap_err();
    assert_eq!((refused.code.as_str(), refused.params.len()), ("CHANGE_PASSWORD_REJECTED", 1));
    assert_eq!(pool.ask("session.change_password", &[PASSWORD, "short"]).unwrap_err().code, "CHANGE_PASSWORD_REJECTED");
    pool.as_user("pool-admin", |pool| {
        let refused = pool.ask("session.change_password", &[PASSWORD, "a longer one"]).unwrap_err();
        assert_eq!((refused.code.as_str(), refused.params.len()), ("USER_IS_NOT_LOCAL_SUPERUSER", 1));
    });
    pool.ask("session.change_password", &[PASSWORD, "a longer one"]).unwrap();
    assert!(pool.raw("session.login_with_password", &["root", PASSWORD].map(Value::from)).is_err());
    assert!(pool.raw("session.login_with_password", &["root", "a longer one"].map(Value::from)).is_ok());
}

#[test]
fn last_active_is_written_every_ten_minutes() {
    let mut pool = Pool::new();
    let session = pool.session.clone();
    let first = pool.ask("session.get_last_active", &[&session]).unwrap();
    pool.pass(599_000);
    assert_eq!(pool.ask("session.get_last_active", &[&session]).unwrap(), first);
    pool.pass(2000);
    assert_ne!(pool.ask("session.get_last_active", &[&session]).unwrap(), first);
}

#[test]
fn members_send_everybody_to_the_master() {
    let mut pool = Pool::new();
    let (member, master) = pool.a_member();
    let is_slave = failure("HOST_IS_SLAVE", &[&master]);
    let session: Value = pool.session.as_str().into();
    let login = ["root", PASSWORD].map(Value::from);
    assert_eq!(pool.at(member, "session.login_with_password", &login).unwrap_err(), is_slave);
    assert_eq!(pool.at(member, "VM.get_all", core::slice::from_ref(&session)).unwrap_err(), is_slave);
    assert_eq!(pool.at(member, "VM.no_such", core::slice::from_ref(&session)).unwrap_err(), is_slave);
    let bad = pool.at(member, "VM.get_all", &["bad".into()]).unwrap_err();
    assert_eq!(bad, failure("SESSION_INVALID", &["bad"]));
    let own = pool.sim.hosts().iter().find(|host| host.is_master).unwrap().id;
    assert!(pool.at(Origin::Host(own), "VM.get_all", &[session]).is_ok());
    let same = pool.sim.hosts()[1].clone();
    assert_eq!(pool.sim.origin_at(&same.reference), Origin::Host(same.id));
    let _: HostId = same.id;
}

#[test]
fn local_sessions_are_good_for_emergencies_only() {
    let mut pool = Pool::new();
    let (member, _) = pool.a_member();
    let login = ["root", PASSWORD].map(Value::from);
    let session = pool.at(member, "session.slave_local_login_with_password", &login).unwrap();
    let text = session.as_text().unwrap().to_string();
    let refused = pool.at(member, "VM.get_all", core::slice::from_ref(&session)).unwrap_err();
    assert_eq!(refused, failure("SESSION_INVALID", &[&text]));
    assert_eq!(pool.at(member, "session.local_logout", core::slice::from_ref(&session)), Ok(Value::VOID));
    let gone = pool.at(member, "session.local_logout", &[session]).unwrap_err();
    assert_eq!(gone, failure("SESSION_INVALID", &[&text]));
    let wrong = pool.at(member, "session.slave_local_login_with_password", &["root".into(), "x".into()]).unwrap_err();
    assert_eq!(wrong.code, "SESSION_AUTHENTICATION_FAILED");
}

#[test]
fn keys_of_maps_have_roles_of_their_own() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    pool.as_user("vm-operator", |pool| {
        assert_eq!(pool.ask("VM.remove_from_other_config", &[&vm, "folder"]), Ok(Value::VOID));
        assert_eq!(pool.ask("VM.add_to_other_config", &[&vm, "folder", "/x"]), Ok(Value::VOID));
        assert_eq!(pool.ask("VM.add_to_other_config", &[&vm, "XenCenter.CustomFields.a", "1"]), Ok(Value::VOID));
        assert_eq!(pool.ask("VM.remove_from_other_config", &[&vm, "folder"]), Ok(Value::VOID));
        let refused = pool.ask("VM.add_to_other_config", &[&vm, "other", "1"]).unwrap_err();
        assert_eq!(refused.params[0], "vm.add_to_other_config");
    });
    pool.as_user("vm-admin", |pool| {
        assert_eq!(pool.ask("VM.add_to_other_config", &[&vm, "other", "1"]), Ok(Value::VOID));
        let refused = pool.ask("VM.add_to_other_config", &[&vm, "pci", "0/0"]).unwrap_err();
        let text = "No permission in user session. (Roles with this permission: pool-admin)";
        assert_eq!(refused, failure("RBAC_PERMISSION_DENIED", &["vm.add_to_other_config/key:pci", text]));
    });
    pool.as_user("read-only", |pool| {
        let refused = pool.ask("VM.add_to_other_config", &[&vm, "XenCenter.CustomFields.b", "1"]).unwrap_err();
        assert_eq!(refused.params[0], "vm.add_to_other_config/key:xencenter.customfields.*");
    });
}

#[test]
fn unknown_methods_need_the_right_to_call_extensions() {
    let mut pool = Pool::new();
    assert_eq!(pool.ask("My.extension", &[]).unwrap_err(), failure("MESSAGE_METHOD_UNKNOWN", &["My.extension"]));
    pool.as_user("vm-admin", |pool| {
        let refused = pool.ask("My.extension", &[]).unwrap_err();
        assert_eq!((refused.code.as_str(), &*refused.params[0]), ("RBAC_PERMISSION_DENIED", "host.call_extension"));
    });
}

#[test]
fn secrets_are_for_operators() {
    let mut pool = Pool::new();
    let mut record = xenapi_core::Struct::new();
    record.push("value", "hunter2");
    record.push("other_config", Value::empty_struct());
    let secret = pool.call("secret.create", &[record.into()]).unwrap();
    let secret = secret.as_text().unwrap();
    assert_eq!(pool.text("secret.get_value", &[secret]), "hunter2");
    pool.as_user("vm-power-admin", |pool| {
        for method in ["secret.get_value", "secret.get_record"] {
            let refused = pool.ask(method, &[secret]).unwrap_err();
            assert_eq!((refused.code.as_str(), &*refused.params[0]), ("RBAC_PERMISSION_DENIED", method));
        }
    });
}

#[test]
fn every_message_has_a_role_that_may_call_it_and_lower_ones_may_not() {
    let mut pool = Pool::new();
    let users: Vec<(xenapi_core::Role, String)> =
        xenapi_core::Role::ASSIGNABLE.into_iter().map(|role| (role, pool.login(role.name()))).collect();
    for method in xenapi_model::CLASSES.iter().flat_map(|class| xenapi_core::Method::all(class)) {
        let name = method.name();
        if !method.takes_session() || matches!(name.as_str(), "session.logout" | "session.change_password") {
            continue;
        }
        let below = users.iter().rev().find(|(role, _)| *role < method.least_role());
        let Some((_, session)) = below else { continue };
        // A key that no role guards; references of nothing.
        let params = method.params().into_iter().map(|param| param.ty.empty_value());
        let params: Vec<Value> = core::iter::once(session.as_str().into()).chain(params).collect();
        let refused = match pool.handle(&name, &params) {
            Handled::Done(Outcome::Failure(refused)) => refused,
            other => panic!("{name}: {other:?}"),
        };
        let is_denied = refused.code == "RBAC_PERMISSION_DENIED" && refused.params[0] == name.to_lowercase();
        // Enumerations have no empty word; types come before roles.
        assert!(is_denied || refused.code == "INTERNAL_ERROR", "{name}: {refused}");
    }
}
