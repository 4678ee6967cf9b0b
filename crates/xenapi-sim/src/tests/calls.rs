//! Dispatch, sessions, implicit messages.

use super::*;

fn is_reference(text: &str) -> bool {
    let uuid = text.strip_prefix("OpaqueRef:").unwrap_or("");
    uuid.len() == 36 && uuid.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[test]
fn check_1_login_answers_a_reference() {
    let mut pool = Pool::new();
    let session = pool.login("root");
    assert!(is_reference(&session), "{session}");
    assert_ne!(session, pool.session);
}

#[test]
fn check_3_a_wrong_password_is_refused_with_two_parameters() {
    let mut pool = Pool::new();
    let refused = pool.raw("session.login_with_password", &["root".into(), "wrong".into()]).unwrap_err();
    assert_eq!(refused.code, "SESSION_AUTHENTICATION_FAILED");
    assert_eq!(refused.params[0], "root");
    assert_eq!(refused.params.len(), 2);
    assert!(pool.raw("session.login_with_password", &["nobody".into(), PASSWORD.into()]).is_err());
}

#[test]
fn check_4_login_takes_two_to_four_parameters_and_ignores_more() {
    let mut pool = Pool::new();
    let all: [Value; 5] = ["root".into(), PASSWORD.into(), "1.1".into(), "me".into(), "more".into()];
    for count in 2..=5 {
        assert!(pool.raw("session.login_with_password", &all[..count]).is_ok(), "{count}");
    }
    let refused = pool.raw("session.login_with_password", &all[..1]).unwrap_err();
    assert_eq!(refused, failure("MESSAGE_PARAMETER_COUNT_MISMATCH", &["session.login_with_password", "2", "1"]));
}

#[test]
fn the_unix_socket_needs_no_password() {
    let mut pool = Pool::new();
    let call = RawCall { method: "session.login_with_password".into(), params: vec!["root".into(), "".into()] };
    let handled = pool.sim.handle(call, Origin::UnixSocket, Millis(0));
    assert!(matches!(handled, Handled::Done(Outcome::Value(_))), "{handled:?}");
}

#[test]
fn check_7_a_false_stays_false() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    assert_eq!(pool.ask("VM.get_is_a_template", &[&vm]), Ok(Value::Bool(false)));
    assert_eq!(pool.call("VM.set_is_a_template", &[vm.as_str().into(), false.into()]), Ok(Value::VOID));
    let refused = pool.ask("VM.set_is_a_template", &[&vm, "true"]).unwrap_err();
    assert_eq!(refused, failure("INTERNAL_ERROR", &["Failure(\"Expected bool, got 'S(true)'\")"]));
}

#[test]
fn check_9_the_host_tells_the_time() {
    let mut pool = Pool::new();
    let host = pool.refs("host.get_all", &[])[0].clone();
    pool.pass(5000);
    let time = pool.ask("host.get_servertime", &[&host]).unwrap();
    let Value::DateTime(time) = time else { panic!("{time:?}") };
    assert_eq!(time.unix(), 1_782_864_005);
    let local = pool.ask("host.get_server_localtime", &[&host]).unwrap();
    assert!(matches!(local, Value::DateTime(time) if !time.to_string().ends_with('Z')), "{local:?}");
}

#[test]
fn check_10_and_13_texts_are_stored_as_they_came() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    for name in ["a<b&\"c'", " x "] {
        assert_eq!(pool.ask("VM.set_name_label", &[&vm, name]), Ok(Value::VOID));
        assert_eq!(pool.text("VM.get_name_label", &[&vm]), name);
    }
    assert_eq!(pool.ask("VM.set_name_label", &[&vm, "a\u{1}b"]).unwrap_err().code, "INTERNAL_ERROR");
    assert_eq!(pool.ask("VM.add_to_xenstore_data", &[&vm, "k", "a\u{1}b"]), Ok(Value::VOID));
    assert_eq!(pool.ask("VM.get_xenstore_data", &[&vm]).unwrap().as_struct().unwrap().get("k"), Some(&"a".into()));
}

#[test]
fn check_12_integers_are_taken_in_any_dress() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let dressed: [(Value, i64); 6] = [
        ("5".into(), 5),
        (Value::Int(6), 6),
        (Value::Int32(7), 7),
        ("0x10".into(), 16),
        ("-1_0".into(), -10),
        ("0b11".into(), 3),
    ];
    for (value, number) in dressed {
        assert_eq!(pool.call("VM.set_user_version", &[vm.as_str().into(), value.clone()]), Ok(Value::VOID), "{value:?}");
        assert_eq!(pool.ask("VM.get_user_version", &[&vm]), Ok(Value::Int(number)));
    }
    let refused = pool.call("VM.set_name_label", &[vm.as_str().into(), Value::Int(5)]).unwrap_err();
    assert_eq!(refused, failure("INTERNAL_ERROR", &["Failure(\"Expected string, got 'I(5)'\")"]));
    assert_eq!(pool.ask("VM.set_user_version", &[&vm, "five"]).unwrap_err().code, "INTERNAL_ERROR");
}

#[test]
fn check_15_unknown_methods() {
    let mut pool = Pool::new();
    assert_eq!(pool.raw("VM.no_such", &[]).unwrap_err(), failure("MESSAGE_METHOD_UNKNOWN", &["VM.no_such"]));
    assert_eq!(pool.raw("VM.no_such", &["bad".into()]).unwrap_err(), failure("SESSION_INVALID", &["bad"]));
    assert_eq!(pool.ask("vm.start", &["x"]).unwrap_err(), failure("MESSAGE_METHOD_UNKNOWN", &["vm.start"]));
    assert_eq!(pool.ask("", &[]).unwrap_err(), failure("MESSAGE_METHOD_UNKNOWN", &[""]));
}

#[test]
fn check_16_underscores_will_do() {
    let mut pool = Pool::new();
    assert_eq!(pool.ask("VM_get_all", &[]), pool.ask("VM.get_all", &[]));
    assert_eq!(pool.ask("VM_metrics_get_all", &[]), pool.ask("VM_metrics.get_all", &[]));
    assert_eq!(pool.ask("VM_guest_metrics_get_all", &[]), pool.ask("VM_guest_metrics.get_all", &[]));
    assert_eq!(pool.ask("Async.VM_get_all", &[]).unwrap_err().code, "MESSAGE_METHOD_UNKNOWN");
}

#[test]
fn check_17_and_18_the_count_is_checked_before_the_session() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let params: [Value; 4] = ["bad".into(), vm.as_str().into(), false.into(), false.into()];
    assert_eq!(pool.raw("VM.start", &params).unwrap_err(), failure("SESSION_INVALID", &["bad"]));
    let count = failure("MESSAGE_PARAMETER_COUNT_MISMATCH", &["VM.start", "3", "0"]);
    assert_eq!(pool.raw("VM.start", &params[..1]).unwrap_err(), count);
    let count = failure("MESSAGE_PARAMETER_COUNT_MISMATCH", &["VM.get_all", "0", "-1"]);
    assert_eq!(pool.raw("VM.get_all", &[]).unwrap_err(), count);
    // Types come before the session too.
    assert_eq!(
        pool.raw("VM.start", &["bad".into(), 1.into(), false.into(), false.into()]).unwrap_err().code,
        "INTERNAL_ERROR"
    );
}

#[test]
fn check_19_logout_ends_the_session_and_its_waiting() {
    let mut pool = Pool::new();
    let session = pool.session.clone();
    let waiting =
        pool.handle("event.from", &[session.as_str().into(), Value::Array(vec!["user".into()]), "".into(), 60.0.into()]);
    let Handled::Pending(waiting) = waiting else { panic!("{waiting:?}") };
    pool.pass(100);
    assert_eq!(pool.ask("session.logout", &[]), Ok(Value::VOID));
    let answered = pool.sim.poll(pool.now);
    assert_eq!(answered, [(waiting, Outcome::Failure(failure("SESSION_INVALID", &[&session])))]);
    assert_eq!(pool.ask("session.logout", &[]).unwrap_err(), failure("SESSION_INVALID", &[&session]));
}

#[test]
fn check_21_and_22_unknown_references_and_uuids() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let uuid = pool.text("VM.get_uuid", &[&vm]);
    for bad in ["OpaqueRef:none", &uuid] {
        assert_eq!(pool.ask("VM.get_record", &[bad]).unwrap_err(), failure("HANDLE_INVALID", &["VM", bad]));
        assert_eq!(pool.ask("VM.get_name_label", &[bad]).unwrap_err(), failure("HANDLE_INVALID", &["VM", bad]));
        assert_eq!(pool.ask("VM.set_name_label", &[bad, "x"]).unwrap_err(), failure("HANDLE_INVALID", &["VM", bad]));
        assert_eq!(pool.start(bad).unwrap_err(), failure("HANDLE_INVALID", &["VM", bad]));
    }
    assert_eq!(pool.text("VM.get_by_uuid", &[&uuid]), vm);
    let sr = pool.refs("SR.get_all", &[])[0].clone();
    let of_sr = pool.text("SR.get_uuid", &[&sr]);
    for bad in ["x", &of_sr] {
        assert_eq!(pool.ask("VM.get_by_uuid", &[bad]).unwrap_err(), failure("UUID_INVALID", &["VM", bad]));
    }
}

#[test]
fn check_23_names_find_sets() {
    let mut pool = Pool::new();
    assert_eq!(pool.ask("VM.get_by_name_label", &["none"]), Ok(Value::Array(vec![])));
    let vm = pool.vm("Halted");
    let name = pool.text("VM.get_name_label", &[&vm]);
    assert_eq!(pool.refs("VM.get_by_name_label", &[&name]), [vm]);
    assert_eq!(pool.ask("pool.get_by_name_label", &["x"]).unwrap_err().code, "MESSAGE_METHOD_UNKNOWN");
}

#[test]
fn check_24_maps_refuse_keys_twice() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    assert_eq!(pool.ask("VM.add_to_other_config", &[&vm, "k", "v"]), Ok(Value::VOID));
    let config = pool.ask("VM.get_other_config", &[&vm]).unwrap();
    assert_eq!(config.as_struct().unwrap().nth(0), Some(("k", &"v".into())), "a new key stands in front");
    let twice = pool.ask("VM.add_to_other_config", &[&vm, "k", "v"]).unwrap_err();
    assert_eq!(twice, failure("MAP_DUPLICATE_KEY", &["VM", "other_config", &vm, "k"]));
    assert_eq!(pool.ask("VM.remove_from_other_config", &[&vm, "absent"]), Ok(Value::VOID));
    assert_eq!(pool.ask("VM.remove_from_other_config", &[&vm, "k"]), Ok(Value::VOID));
    assert_eq!(pool.ask("VM.add_to_VCPUs_params", &[&vm, "weight", "1"]), Ok(Value::VOID));
    let twice = pool.ask("VM.add_to_VCPUs_params", &[&vm, "weight", "1"]).unwrap_err();
    assert_eq!(twice, failure("MAP_DUPLICATE_KEY", &["VM", "VCPUs__params", &vm, "weight"]));
    assert_eq!(pool.ask("VM.add_to_other_config", &[&vm, "", "v"]).unwrap_err().code, "INTERNAL_ERROR");
}

#[test]
fn check_25_sets_hold_things_once() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    for _ in 0..2 {
        assert_eq!(pool.ask("VM.add_tags", &[&vm, "t"]), Ok(Value::VOID));
    }
    let tags = pool.refs("VM.get_tags", &[&vm]);
    assert_eq!(tags.iter().filter(|tag| *tag == "t").count(), 1);
    assert_eq!(pool.ask("VM.remove_tags", &[&vm, "t"]), Ok(Value::VOID));
    assert!(!pool.refs("VM.get_tags", &[&vm]).contains(&"t".into()));
}

#[test]
fn check_26_what_has_no_setter_is_unknown() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    assert_eq!(pool.ask("VM.set_power_state", &[&vm, "Running"]).unwrap_err().code, "MESSAGE_METHOD_UNKNOWN");
    assert_eq!(pool.ask("VM.add_VBDs", &[&vm, "x"]).unwrap_err().code, "MESSAGE_METHOD_UNKNOWN");
}

#[test]
fn check_27_filters() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    pool.ask("VM.set_name_label", &[&vm, "x"]).unwrap();
    let all = pool.refs("VM.get_all", &[]).len();
    let mut count = |expr: &str| match pool.ask("VM.get_all_records_where", &[expr]) {
        Ok(found) => found.as_struct().unwrap().len(),
        Err(failure) => panic!("{expr}: {failure}"),
    };
    assert_eq!(count("field \"name__label\" = \"x\""), 1);
    assert_eq!(count("\"x\" = field \"name__label\""), 1);
    assert_eq!(count("true"), all);
    assert_eq!(count("false"), 0);
    assert_eq!(count("not field \"name__label\" = \"x\" and true"), all - 1);
    // `not` takes all to its right: not (x and false) holds for everything.
    assert_eq!(count("not field \"name__label\" = \"x\" and false"), all);
    // `and` and `or` bind equally, from the left: (true or x) and false.
    assert_eq!(count("true or field \"name__label\" = \"x\" and false"), 0);
    assert_eq!(count("true or (field \"name__label\" = \"x\" and false)"), all);
    assert_eq!(count("field \"tags\" = \"()\" and field \"name__label\" = \"x\""), 0);
    assert_eq!(count("field 'blobs' = \"()\""), all);
    assert_eq!(count("(field \"is_a_template\" = \"false\") and field \"name__label\" = \"x\""), 1);
    let long = alloc::format!("true{}", " and true or false".repeat(20_000));
    assert_eq!(count(&long), all);
    for garbage in ["", "field", "field \"uuid\" =", "true true", "(true", "%", "\"x", "name = \"x\""] {
        let refused = pool.ask("VM.get_all_records_where", &[garbage]).unwrap_err();
        assert_eq!((refused.code.as_str(), refused.params[0].as_str()), ("INVALID_VALUE", garbage));
    }
    let deep = "(".repeat(100_000);
    assert_eq!(pool.ask("VM.get_all_records_where", &[&deep]).unwrap_err().code, "INVALID_VALUE");
    let missing = pool.ask("VM.get_all_where", &["field \"no\" = \"x\""]).unwrap_err();
    assert_eq!(missing, failure("INTERNAL_ERROR", &["missing field", "no", ""]));
}

#[test]
fn check_61_a_role_that_is_too_low_is_refused() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    pool.session = pool.login("read-only");
    let refused = pool.start(&vm).unwrap_err();
    assert_eq!((refused.code.as_str(), refused.params[0].as_str()), ("RBAC_PERMISSION_DENIED", "vm.start"));
    assert!(refused.params[1].contains("Roles with this permission"));
    let task = pool.call("Async.VM.start", &[vm.as_str().into(), false.into(), false.into()]).unwrap();
    let info = pool.refs("task.get_error_info", &[task.as_text().unwrap()]);
    assert_eq!(info[..2], ["RBAC_PERMISSION_DENIED", "vm.start"]);
    assert!(pool.ask("VM.get_all", &[]).is_ok());
}

#[test]
fn what_is_not_simulated_says_so() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let refused = pool.ask("VM.query_services", &[&vm]).unwrap_err();
    assert_eq!(refused, failure("NOT_IMPLEMENTED", &["VM.query_services"]));
    let task = pool.text("Async.VM.query_services", &[&vm]);
    assert_eq!(pool.refs("task.get_error_info", &[&task]), ["NOT_IMPLEMENTED", "VM.query_services"]);
}

#[test]
fn the_names_of_all_methods_are_bare() {
    let mut pool = Pool::new();
    let Handled::Done(Outcome::Bare(Value::Array(names))) = pool.handle("system.listMethods", &[]) else {
        panic!("not bare")
    };
    assert!(names.len() > 2000 && names.contains(&"VM.get_all_records_where".into()), "{}", names.len());
    assert_eq!(pool.raw("system.isAlive:1", &["yes".into()]), Ok("yes".into()));
}

#[test]
fn every_class_answers_its_implicit_messages() {
    let mut pool = Pool::new();
    for class in xenapi_model::CLASSES {
        let name = |message: &str| alloc::format!("{}.{message}", class.name);
        if !class.implicit.get_all {
            assert!(class.name == "message" || pool.ask(&name("get_all"), &[]).is_err(), "{}", class.name);
            continue;
        }
        let all = pool.refs(&name("get_all"), &[]);
        let records = pool.ask(&name("get_all_records"), &[]).unwrap();
        assert_eq!(records.as_struct().unwrap().len(), all.len(), "{}", class.name);
        for reference in all.iter().take(3) {
            let record = pool.ask(&name("get_record"), &[reference]).unwrap();
            let fields: Vec<&str> = record.as_struct().unwrap().iter().map(|(name, _)| name).collect();
            let expected: Vec<&str> = class.fields.iter().map(|field| field.name).collect();
            assert_eq!(fields, expected, "{}", class.name);
            for field in class.fields {
                let value = pool.ask(&name(&alloc::format!("get_{}", field.name)), &[reference]).unwrap();
                assert_eq!(Some(&value), record.as_struct().unwrap().get(field.name), "{}.{}", class.name, field.name);
            }
        }
    }
}

#[test]
fn records_of_any_class_can_be_made_and_destroyed() {
    let mut pool = Pool::new();
    let mut record = xenapi_core::Struct::new();
    record.push("name_label", "n");
    record.push("unheard_of", "ignored");
    record.push("uuid", "ignored as well");
    let missing = pool.call("network.create", &[record.clone().into()]).unwrap_err();
    assert_eq!(missing.code, "INTERNAL_ERROR");
    assert!(missing.params[0].contains("other_config"), "{missing}");
    record.push("other_config", Value::empty_struct());
    let network = pool.call("network.create", &[record.into()]).unwrap();
    let network = network.as_text().unwrap();
    assert!(pool.text("network.get_bridge", &[network]).starts_with("xapi"));
    assert_eq!(pool.text("network.get_uuid", &[network]).len(), 36);
    assert_eq!(pool.ask("network.destroy", &[network]), Ok(Value::VOID));
    assert_eq!(pool.ask("network.destroy", &[network]).unwrap_err(), failure("HANDLE_INVALID", &["network", network]));
}

#[test]
fn relations_hold_on_both_sides() {
    let mut pool = Pool::new();
    let vif = pool.refs("VIF.get_all", &[])[0].clone();
    let old = pool.text("VIF.get_network", &[&vif]);
    let networks = pool.refs("network.get_all", &[]);
    let new = networks.iter().find(|network| **network != old).unwrap().clone();
    assert!(pool.refs("network.get_VIFs", &[&old]).contains(&vif));
    pool.ask("VIF.move", &[&vif, &new]).unwrap();
    assert!(!pool.refs("network.get_VIFs", &[&old]).contains(&vif));
    assert!(pool.refs("network.get_VIFs", &[&new]).contains(&vif));
}

#[test]
fn old_sessions_make_room() {
    let mut pool = Pool::new();
    for _ in 0..400 {
        pool.now = pool.now + Millis(1);
        pool.login("root");
    }
    // The first session of the pool was the oldest.
    assert_eq!(pool.ask("VM.get_all", &[]).unwrap_err().code, "SESSION_INVALID");
}

#[test]
fn idle_sessions_end_after_a_day() {
    let mut pool = Pool::new();
    pool.pass(23 * 3600 * 1000);
    assert!(pool.ask("VM.get_all", &[]).is_ok());
    pool.pass(25 * 3600 * 1000);
    assert_eq!(pool.ask("VM.get_all", &[]).unwrap_err().code, "SESSION_INVALID");
}

#[test]
fn check_5_6_7_and_11_values_on_the_wire() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    pool.call("VM.set_tags", &[vm.as_str().into(), Value::Array(vec![])]).unwrap();
    let mut wire = |method: &str| {
        let value = pool.ask(method, &[&vm]).unwrap();
        String::from_utf8(xenapi_codec::xmlrpc::write_success(&value)).unwrap()
    };
    let expected = [
        ("VM.get_VCPUs_max", "<value>2</value>"),
        ("VM.get_is_a_template", "<value><boolean>0</boolean></value>"),
        ("VM.get_tags", "<value><array><data></data></array></value>"),
        ("VM.get_current_operations", "<value><struct></struct></value>"),
    ];
    for (method, value) in expected {
        let text = wire(method);
        assert!(text.contains(&alloc::format!("<name>Value</name>{value}")), "{method}: {text}");
    }
}

#[test]
fn a_pool_can_move_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Sim>();
}

#[test]
fn repeated_items_and_keys_count_once() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let tags = Value::Array(vec!["b".into(), "a".into(), "b".into()]);
    pool.call("VM.set_tags", &[vm.as_str().into(), tags]).unwrap();
    assert_eq!(pool.refs("VM.get_tags", &[&vm]), ["b", "a"]);
    let mut map = xenapi_core::Struct::new();
    for (key, value) in [("k", "1"), ("l", "2"), ("k", "3")] {
        map.push(key, value);
    }
    pool.call("VM.set_xenstore_data", &[vm.as_str().into(), map.into()]).unwrap();
    let map = pool.ask("VM.get_xenstore_data", &[&vm]).unwrap();
    let map = map.as_struct().unwrap();
    assert_eq!((map.len(), map.get("k")), (2, Some(&"3".into())));
}

#[test]
fn allowed_operations_list_nothing_that_is_not_simulated() {
    let pool = Pool::with(&Config { hosts: 4, vms: 60, ..Config::default() });
    for table in &pool.sim.store.tables {
        let Some(at) = table.class.field_index("allowed_operations") else { continue };
        for row in table.rows.values() {
            for operation in row.fields[at].as_array().unwrap().iter().filter_map(Value::as_text) {
                let is_simulated = crate::operations::is_simulated(table.class.name, operation);
                assert!(is_simulated, "{} {} allows {operation}", table.class.name, row.reference);
            }
        }
    }
}
