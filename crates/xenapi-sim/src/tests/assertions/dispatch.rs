//! Names, parameters, sessions, implicit messages, roles.

use super::*;

#[test]
fn a15_unknown_methods_say_their_name() {
    let mut pool = Pool::new();
    assert_eq!(pool.raw("VM.no_such", &[]).unwrap_err(), failure("MESSAGE_METHOD_UNKNOWN", &["VM.no_such"]));
    let vm = pool.vm("Halted");
    let refused = pool.call("vm.start", &[vm.as_str().into(), false.into(), false.into()]).unwrap_err();
    assert_eq!(refused, failure("MESSAGE_METHOD_UNKNOWN", &["vm.start"]));
}

#[test]
fn a16_an_underscore_does_for_the_point() {
    let mut pool = Pool::new();
    let all = pool.ask("VM.get_all", &[]);
    assert!(all.is_ok());
    assert_eq!(pool.ask("VM_get_all", &[]), all);
}

#[test]
fn a17_a_bad_session_is_named_unless_the_count_is_wrong() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let params: [Value; 4] = ["bad".into(), vm.as_str().into(), false.into(), false.into()];
    assert_eq!(pool.raw("VM.start", &params).unwrap_err(), failure("SESSION_INVALID", &["bad"]));
    assert_eq!(pool.raw("VM.start", &params[..1]).unwrap_err().code, "MESSAGE_PARAMETER_COUNT_MISMATCH");
}

#[test]
fn a18_nothing_at_all_counts_as_minus_one() {
    let mut pool = Pool::new();
    let refused = pool.raw("VM.get_all", &[]).unwrap_err();
    assert_eq!(refused, failure("MESSAGE_PARAMETER_COUNT_MISMATCH", &["VM.get_all", "0", "-1"]));
}

#[test]
fn a19_logout_ends_the_session_and_its_event_from() {
    let mut pool = Pool::new();
    let session = pool.session.clone();
    let classes = Value::Array(vec!["user".into()]);
    let waiting = pool.handle("event.from", &[session.as_str().into(), classes, "".into(), 60.0.into()]);
    let Handled::Pending(waiting) = waiting else { panic!("{waiting:?}") };
    pool.pass(100);
    assert_eq!(pool.ask("session.logout", &[]), Ok(Value::VOID));
    let invalid = failure("SESSION_INVALID", &[&session]);
    assert_eq!(pool.sim.poll(pool.now), [(waiting, Outcome::Failure(invalid.clone()))]);
    assert_eq!(pool.ask("session.logout", &[]).unwrap_err(), invalid);
}

#[test]
fn a21_unknown_references_and_uuids_in_their_place() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let uuid = pool.text("VM.get_uuid", &[&vm]);
    for bad in ["OpaqueRef:none", &uuid] {
        assert_eq!(pool.ask("VM.get_record", &[bad]).unwrap_err(), failure("HANDLE_INVALID", &["VM", bad]));
    }
}

#[test]
fn a22_unknown_uuids_and_those_of_other_classes() {
    let mut pool = Pool::new();
    let sr = pool.refs("SR.get_all", &[])[0].clone();
    let of_sr = pool.text("SR.get_uuid", &[&sr]);
    for bad in ["x", &of_sr] {
        assert_eq!(pool.ask("VM.get_by_uuid", &[bad]).unwrap_err(), failure("UUID_INVALID", &["VM", bad]));
    }
    assert_eq!(pool.text("SR.get_by_uuid", &[&of_sr]), sr);
}

#[test]
fn a23_names_find_sets_and_pools_have_none() {
    let mut pool = Pool::new();
    assert_eq!(pool.ask("VM.get_by_name_label", &["none"]), Ok(Value::Array(vec![])));
    let refused = pool.ask("pool.get_by_name_label", &["x"]).unwrap_err();
    assert_eq!(refused, failure("MESSAGE_METHOD_UNKNOWN", &["pool.get_by_name_label"]));
}

#[test]
fn a24_a_key_is_added_once_and_removed_any_time() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    assert_eq!(pool.ask("VM.add_to_other_config", &[&vm, "k", "v"]), Ok(Value::VOID));
    let twice = pool.ask("VM.add_to_other_config", &[&vm, "k", "v"]).unwrap_err();
    assert_eq!(twice, failure("MAP_DUPLICATE_KEY", &["VM", "other_config", &vm, "k"]));
    assert_eq!(pool.ask("VM.remove_from_other_config", &[&vm, "absent"]), Ok(Value::VOID));
}

#[test]
fn a25_a_tag_is_there_once() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    assert_eq!(pool.ask("VM.add_tags", &[&vm, "t"]), Ok(Value::VOID));
    assert_eq!(pool.ask("VM.add_tags", &[&vm, "t"]), Ok(Value::VOID));
    let tags = pool.refs("VM.get_tags", &[&vm]);
    assert_eq!(tags.iter().filter(|tag| *tag == "t").count(), 1);
}

#[test]
fn a26_what_the_server_writes_has_no_setter() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let refused = pool.ask("VM.set_power_state", &[&vm, "Running"]).unwrap_err();
    assert_eq!(refused, failure("MESSAGE_METHOD_UNKNOWN", &["VM.set_power_state"]));
}

#[test]
fn a27_filters_bind_as_xapi_does() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    pool.ask("VM.set_name_label", &[&vm, "x"]).unwrap();
    let all = pool.refs("VM.get_all", &[]).len();
    let found = pool.ask("VM.get_all_records_where", &["field \"name__label\" = \"x\""]).unwrap();
    let names: Vec<&str> = found.as_struct().unwrap().iter().map(|(name, _)| name).collect();
    assert_eq!(names, [vm.as_str()]);
    let others = pool.ask("VM.get_all_records_where", &["not field \"name__label\" = \"x\" and true"]).unwrap();
    assert_eq!(others.as_struct().unwrap().len(), all - 1);
    let none = pool.ask("VM.get_all_records_where", &["not field \"name__label\" = \"x\" and false"]).unwrap();
    assert_eq!(none.as_struct().unwrap().len(), all, "the conjunction as a whole is negated");
    let refused = pool.ask("VM.get_all_records_where", &["garbage"]).unwrap_err();
    assert_eq!((refused.code.as_str(), refused.params[0].as_str()), ("INVALID_VALUE", "garbage"));
}

#[test]
fn a61_a_role_that_is_too_low_is_refused() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    pool.session = pool.login("read-only");
    let refused = pool.start(&vm).unwrap_err();
    assert_eq!((refused.code.as_str(), refused.params[0].as_str()), ("RBAC_PERMISSION_DENIED", "vm.start"));
    assert_eq!(refused.params.len(), 2);
    let task = pool.text_of("Async.VM.start", &[vm.as_str().into(), false.into(), false.into()]);
    let info = pool.refs("task.get_error_info", &[&task]);
    assert_eq!(info, [refused.code, refused.params[0].clone(), refused.params[1].clone()]);
}

impl Pool {
    /// A call that answers text.
    pub(super) fn text_of(&mut self, method: &str, params: &[Value]) -> String {
        self.call(method, params).unwrap().as_text().unwrap().into()
    }
}
