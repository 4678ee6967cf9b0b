//! Tests of the model as a whole.

use alloc::collections::BTreeSet;
use alloc::string::ToString;
use alloc::vec::Vec;
use xenapi_core::{Member, Method, Record, Ref, Type, Value, Wire, from_value, to_value};

use crate::{CLASSES, VM, class, errors, method, vm};

#[test]
fn a_class_is_listed_if_it_has_the_message() {
    for class in CLASSES {
        assert_eq!(class.listed, Method::find(class, "get_all_records").is_some(), "{}", class.name);
    }
}

#[test]
fn every_class_is_known_by_its_name_alone() {
    for class in CLASSES {
        assert_eq!(crate::class_name(class.name), Some(class.name));
    }
    assert_eq!(crate::class_name("vm"), None);
}

#[test]
fn everything_is_reachable_through_the_descriptors() {
    assert_eq!(CLASSES.len(), 72);
    assert_eq!(CLASSES.iter().map(|class| class.fields.len()).sum::<usize>(), 922);
    assert_eq!(CLASSES.iter().map(|class| class.messages.len()).sum::<usize>(), 551);
    assert_eq!(errors::ERRORS.len(), 603);
    // `get_all_where` and `get_all_records_where` are hidden from the documentation, which counts 1,456 implicit messages.
    let hidden = |m: &&Method| matches!(m.member, Member::Explicit(_) | Member::GetAllWhere | Member::GetAllRecordsWhere);
    let implicit: usize = CLASSES.iter().map(|class| Method::all(class).iter().filter(|m| !hidden(m)).count()).sum();
    assert_eq!(implicit, 1456);
}

#[test]
fn every_message_is_found_by_its_name() {
    for class in CLASSES {
        for each in Method::all(class) {
            let found = method(&each.name()).map(|m| m.name());
            assert_eq!(found, Some(each.name()));
        }
    }
    for wrong in ["vm.start", "VM.set_power_state", "pool.get_by_name_label", "VM.get_no_such", "VM", "session.get_all"] {
        assert!(method(wrong).is_none(), "{wrong}");
    }
}

#[test]
fn fields_are_found_by_their_names_and_defaults_are_of_their_types() {
    for class in CLASSES {
        for (at, field) in class.fields.iter().enumerate() {
            assert_eq!(class.field_index(field.name), Some(at), "{}.{}", class.name, field.name);
            let value = field.default_value();
            let fits = match field.ty {
                Type::Int => matches!(value, Value::Int(_)),
                Type::Bool => matches!(value, Value::Bool(_)),
                Type::Float => matches!(value, Value::Double(_)),
                Type::DateTime => matches!(value, Value::DateTime(_)),
                Type::Set(_) => matches!(value, Value::Array(_)),
                Type::Map(..) => matches!(value, Value::Struct(_)),
                Type::String | Type::Enum(_) | Type::Ref(_) => matches!(value, Value::Text(_)),
                _ => true,
            };
            assert!(fits, "{}.{} = {value:?}", class.name, field.name);
            if let (Some(text), Value::Int(number)) = (field.default, &value) {
                assert_eq!(text, number.to_string(), "{}.{}", class.name, field.name);
            }
        }
    }
}

#[test]
fn relations_have_two_ends() {
    const INTERNAL: [(&str, &str); 2] = [("PCI", "attached_VMs"), ("task", "session")];
    let (mut ends, mut internal) = (BTreeSet::new(), BTreeSet::new());
    for class in CLASSES {
        for field in class.fields {
            let Some(relation) = field.relation else { continue };
            ends.insert((class.name, field.name));
            let other = crate::class(relation.class).and_then(|class| class.field(relation.field));
            match other.and_then(|field| field.relation) {
                Some(back) => assert_eq!((back.class, back.field, back.stored), (class.name, field.name, !relation.stored)),
                None => drop(internal.insert((relation.class, relation.field))),
            }
        }
    }
    // xapi keeps these ends to itself, and both ends of `PCI.physical_function` and `PCI.virtual_functions`.
    assert_eq!(internal, BTreeSet::from(INTERNAL));
    assert_eq!(ends.len() + internal.len(), 2 * 60);
}

#[test]
fn a_record_round_trips_with_unknown_words_and_members() {
    let mut value = to_value(&vm::Record { name_label: "web".into(), vcpus_max: 4, ..vm::Record::default() });
    let members = value.as_struct_mut().expect("a record is a struct");
    members.set("power_state", "Levitating");
    members.push("future_field", "kept");
    let record: vm::Record = from_value(&value).expect("it reads");
    assert_eq!(record.power_state, vm::VmPowerState::Unrecognised("Levitating".into()));
    assert_eq!(record.missing().count(), 0);
    assert_eq!(to_value(&record), value);
}

#[test]
fn what_is_missing_takes_the_default_and_is_named() {
    let record: vm::Record =
        from_value(&Value::Struct([("uuid", Value::from("u"))].into_iter().collect())).expect("it reads");
    assert_eq!(record.missing().count(), vm::CLASS.fields.len() - 1);
    assert!(record.has("uuid") && !record.has("name_label"));
    assert_eq!(record.power_state, vm::VmPowerState::Halted);
    assert_eq!(record.vcpus_max, 0);
}

#[test]
fn a_wrong_field_has_a_path_and_loses_only_its_record() {
    let good = to_value(&vm::Record::default());
    let mut bad = good.clone();
    bad.as_struct_mut().expect("a struct").set("VCPUs_max", "four");
    let all: Value = Value::Struct([("OpaqueRef:1", bad), ("OpaqueRef:2", good)].into_iter().collect());
    let all: xenapi_core::Records<vm::Record> = from_value(&all).expect("the struct itself is right");
    assert_eq!(all.records.len(), 1);
    let messages: Vec<_> = all.wrong.iter().map(ToString::to_string).collect();
    assert_eq!(messages, ["VM[OpaqueRef:1].VCPUs_max: expected an integer, found text \"four\""]);
}

#[test]
fn calls_are_values() {
    let this = Ref::<VM>::new("OpaqueRef:1");
    let call = vm::start(&this, true, false);
    let raw = call.to_raw(&"OpaqueRef:s".into());
    assert_eq!(raw.method, "VM.start");
    assert_eq!(raw.params, [Value::from("OpaqueRef:s"), Value::from("OpaqueRef:1"), Value::Bool(true), Value::Bool(false)]);
    let task = call.into_task::<crate::Task>().expect("VM.start has an Async form");
    assert_eq!(task.name(), "Async.VM.start");
    assert!(vm::fields::NAME_LABEL.get(&this).into_task::<crate::Task>().is_none());
    let login = crate::session::login_with_password("root", "secret", None, Some("tests"));
    let raw = login.to_raw(&"OpaqueRef:s".into());
    assert_eq!(raw.params, ["root", "secret", "", "tests"].map(Value::from));
    assert!(!alloc::format!("{raw:?} {login:?}").contains("secret"));
    assert_eq!(class("VM").map(|class| class.name), Some("VM"));
}

#[test]
fn secrets_stay_out_of_logs() {
    let record = crate::secret::Record { uuid: "u1".into(), value: "hunter2".into(), ..crate::secret::Record::default() };
    let session = crate::session::Record { parent: Some(Ref::new("OpaqueRef:s3cret")), ..Default::default() };
    let shown = alloc::format!("{record:?} {session:?}");
    assert!(shown.contains("u1") && !shown.contains("hunter2") && !shown.contains("s3cret"), "{shown}");
}

#[test]
fn secrets_stay_out_of_calls_that_are_shown() {
    use xenapi_core::{Call, TextMap};
    fn shown<R>(call: &Call<R>) -> alloc::string::String {
        alloc::format!("{call:?} {:?}", crate::redacted_params(call.method(), call.params()))
    }
    let secret = "hunter2";
    let config = TextMap::from([("target", "t"), ("chappassword", secret)]);
    let (host, sr) = (Ref::new("OpaqueRef:h"), Ref::new("OpaqueRef:s"));
    let pbd = crate::pbd::New { device_config: config.clone(), ..crate::pbd::New::new(host.clone(), sr) };
    assert!(!alloc::format!("{pbd:?}").contains(secret));
    for text in [
        shown(&crate::session::login_with_password("root", secret, None, None)),
        shown(&crate::session::change_password(secret, secret)),
        shown(&crate::pool::join("address", "root", secret)),
        shown(&crate::secret::New::new(secret).into_call()),
        shown(&crate::secret::fields::VALUE.set(&Ref::new("OpaqueRef:x"), &secret.to_string())),
        shown(&pbd.into_call()),
        shown(&crate::sr::create(&host, &config, 0, "n", "", "iso", "", true, None)),
        shown(&vm::fields::XENSTORE_DATA.add_to(&Ref::new("v"), "vm-data/password", secret)),
        shown(&crate::session::fields::ORIGINATOR.get(&Ref::new("OpaqueRef:hunter2"))),
    ] {
        assert!(!text.contains(secret), "{text}");
    }
    let harmless = shown(&vm::start(&Ref::new("OpaqueRef:v"), true, false));
    assert!(harmless.contains("OpaqueRef:v") && harmless.contains("true"), "{harmless}");
    // In records, too, and in values that no type describes.
    let record = crate::pbd::Record { device_config: config, ..Default::default() };
    let shown = alloc::format!("{record:?} {:?}", to_value(&record));
    assert!(!shown.contains(secret) && shown.contains("target"), "{shown}");
}

#[test]
fn every_parameter_and_field_that_sounds_secret_is_marked() {
    for class in CLASSES {
        let fields = class.fields.iter().map(|field| (field.name, field.ty, field.secret));
        let params = class.messages.iter().flat_map(|message| message.params.iter().map(|p| (p.name, p.ty, p.secret)));
        for (name, ty, secret) in fields.chain(params) {
            let sounds = ["password", "pwd", "private_key"].iter().any(|word| name.contains(word));
            assert!(!sounds || ty != Type::String || secret, "{}.{name}", class.name);
        }
    }
}

#[test]
fn what_a_message_changes_is_known() {
    use xenapi_core::Changes;
    for (name, changes, twice) in [
        ("VM.get_all", Changes::Nothing, true),
        ("VM.set_name_label", Changes::Field("name_label"), true),
        ("VM.add_tags", Changes::Field("tags"), true),
        ("VM.add_to_xenstore_data", Changes::Field("xenstore_data"), false),
        ("VM.remove_from_xenstore_data", Changes::Field("xenstore_data"), true),
        ("VM.set_VCPUs_max", Changes::Field("VCPUs_max"), false),
        ("VM.clone", Changes::Creates, false),
        ("VM.migrate_send", Changes::Objects, false),
        ("VM.start", Changes::Objects, false),
        ("VBD.create", Changes::Creates, false),
        ("SR.forget", Changes::Destroys, false),
        ("session.logout", Changes::Destroys, false),
        ("message.get", Changes::Nothing, true),
        ("host.compute_free_memory", Changes::Nothing, true),
        ("pool.ha_failover_plan_exists", Changes::Nothing, true),
    ] {
        let method = method(name).expect(name);
        assert_eq!((method.changes(), method.is_retryable()), (changes, twice), "{name}");
        assert_eq!(method.is_read_only(), changes == Changes::Nothing, "{name}");
    }
}

#[test]
fn places_units_and_releases_are_data() {
    use xenapi_core::{Place, Stage, Unit};
    let place = |name: &str| class(name).map(|class| class.place);
    assert_eq!([place("VM"), place("VBD"), place("VM_metrics")], [Place::Core, Place::Connector, Place::Metrics].map(Some));
    for place in Place::ALL {
        assert!(CLASSES.iter().any(|class| class.place == place), "{place}");
    }
    let unit =
        |class: &str, field: &str| crate::class(class).and_then(|class| class.field(field)).and_then(|field| field.unit);
    assert_eq!(unit("VDI", "virtual_size"), Some(Unit::Bytes));
    assert_eq!(unit("task", "progress"), Some(Unit::Fraction));
    assert_eq!(unit("PIF_metrics", "speed"), Some(Unit::MegabitsPerSecond));
    assert_eq!(method("VDI.resize").map(|method| method.params()[1].unit), Some(Some(Unit::Bytes)));
    assert_eq!(method("VM.maximise_memory").and_then(|method| method.unit()), Some(Unit::Bytes));
    for class in CLASSES {
        for field in class.fields {
            // What is named by its size has a unit.
            let sized = field.name.ends_with("_size") && matches!(field.ty, Type::Int);
            let counts = ["burst_size", "ext_auth_cache_size"].contains(&field.name);
            assert!(!sized || counts || field.unit.is_some(), "{}.{}", class.name, field.name);
        }
        assert!(class.since().is_some() && class.lifecycle.iter().all(|(_, release)| !release.is_empty()), "{}", class.name);
    }
    let vmpp = class("VMPP").expect("it exists");
    assert_eq!((vmpp.state(), vmpp.removed_in().is_some()), (Stage::Removed, true));
    let target = class("VM").and_then(|vm| vm.field("memory_target")).expect("it exists");
    assert_eq!((target.since(), target.deprecated_in()), (Some("rio"), Some("midnight-ride")));
}

#[test]
fn secrets_take_a_higher_role_to_read() {
    use xenapi_core::Role;
    for (name, least) in [
        ("secret.get_record", Role::PoolOperator),
        ("secret.get_all_records", Role::PoolOperator),
        ("secret.get_value", Role::PoolOperator),
        ("VM.get_record", Role::ReadOnly),
    ] {
        assert_eq!(method(name).map(|method| method.least_role()), Some(least), "{name}");
    }
}

#[test]
fn only_what_may_be_sent_twice_is_read_only() {
    let read_only = |name: &str| method(name).map(|method| method.is_read_only());
    for name in
        ["VM.get_all", "VM.get_name_label", "VM.get_boot_record", "VM.assert_agile", "event.from", "pool.get_all_where"]
    {
        assert_eq!(read_only(name), Some(true), "{name}");
    }
    for name in ["VM.start", "VM.set_name_label", "VBD.create", "event.next", "event.register", "VM.query_services"] {
        assert_eq!(read_only(name), Some(false), "{name}");
    }
}

#[test]
fn a_batch_with_something_wrong_is_read_to_its_end() {
    use xenapi_core::{Reader, Struct, ValueReader};
    let wrong = |name: &'static str, value: Value| {
        let mut members = Struct::new();
        for known in ["events", "valid_ref_counts", "token"] {
            members.push(known, if known == name { value.clone() } else { Value::VOID });
        }
        Value::Struct(members)
    };
    let bad_event = Value::Array([Value::Struct([("id", Value::from("x"))].into_iter().collect())].into());
    for (name, value) in [("events", bad_event), ("valid_ref_counts", Value::Nil), ("token", Value::Bool(true))] {
        let pair = Value::Array([wrong(name, value), Value::from("next")].into());
        let mut reader = ValueReader::new(&pair);
        reader.begin_array().expect("an array");
        assert_eq!(reader.next_item(), Ok(true));
        let error = crate::EventBatch::read(&mut reader).expect_err("something is wrong");
        assert!(error.path().starts_with(name) && !error.is_fatal(), "{error}");
        assert_eq!(reader.next_item(), Ok(true), "{name}");
        assert_eq!(alloc::string::String::read(&mut reader).as_deref(), Ok("next"), "{name}");
    }
    let error = from_value::<crate::EventBatch>(&Value::empty_struct()).expect_err("there is no token");
    assert!(error.expected().contains("token"), "{error}");
}

#[test]
fn an_event_batch_round_trips() {
    let batch = crate::EventBatch {
        events: [crate::event::Record { class: "vm".into(), snapshot: None, ..Default::default() }].into(),
        valid_ref_counts: [("vm".to_string(), 3)].into_iter().collect(),
        token: "1,2".into(),
    };
    let value = to_value(&batch);
    let event = &value.as_struct().and_then(|s| s.get("events")).and_then(Value::as_array).expect("events")[0];
    assert!(event.as_struct().expect("a struct").get("snapshot").is_none());
    let back = crate::EventBatch::read(&mut xenapi_core::ValueReader::new(&value)).expect("it reads");
    assert_eq!(back.token, batch.token);
    assert_eq!(back.events[0].class, "vm");
}

#[test]
fn a_reference_that_may_be_null_is_an_option_and_is_written_back_as_it_came() {
    let mut value = to_value(&vm::Record::default());
    let members = value.as_struct_mut().expect("a record is a struct");
    assert_eq!(members.get("resident_on"), Some(&Value::from("OpaqueRef:NULL")));
    members.set("resident_on", "");
    members.set("affinity", "OpaqueRef:h");
    members.set("metrics", "OpaqueRef:NULL");
    let record: vm::Record = from_value(&value).expect("it reads");
    assert_eq!((&record.resident_on, &record.metrics), (&None, &None));
    assert_eq!(record.affinity.as_ref().map(Ref::as_str), Some("OpaqueRef:h"));
    assert_eq!(to_value(&record), value);
    // What somebody put there since counts more than how the null came.
    let moved = vm::Record { resident_on: Some(Ref::new("OpaqueRef:h2")), ..record };
    let moved = to_value(&moved);
    assert_eq!(moved.as_struct().and_then(|it| it.get("resident_on")), Some(&Value::from("OpaqueRef:h2")));
    // A field that always names something loses nothing, either.
    let host = crate::host::Record { metrics: Ref::new(""), ..Default::default() };
    assert_eq!(to_value(&host).as_struct().and_then(|it| it.get("metrics")), Some(&Value::from("")));
}

#[test]
fn getters_and_setters_know_null_references() {
    let this = Ref::<VM>::new("OpaqueRef:1");
    let read = vm::fields::RESIDENT_ON.get(&this).reader();
    for (text, is) in [("OpaqueRef:NULL", None), ("", None), ("OpaqueRef:h", Some("OpaqueRef:h"))] {
        let value = Value::from(text);
        let host = read(&mut xenapi_core::ValueReader::new(&value)).expect("a reference");
        assert_eq!(host.as_ref().map(Ref::as_str), is);
    }
    let set = vm::fields::AFFINITY.set(&this, &None);
    assert_eq!(set.params()[1], Value::from("OpaqueRef:NULL"));
    assert_eq!(vm::set_appliance(&this, None).params()[1], Value::from("OpaqueRef:NULL"));
    assert!(method("VM.get_resident_on").is_some_and(|get| get.is_nullable()));
}

#[test]
fn what_is_not_given_before_what_is_takes_the_servers_default() {
    let (host, network) = (Ref::<crate::Host>::new("h"), Ref::<crate::Network>::new("n"));
    assert_eq!(crate::host::evacuate(&host, None, None).params(), ["h"].map(Value::from));
    let batches = crate::host::evacuate(&host, None, Some(5));
    assert_eq!(batches.params(), [Value::from("h"), Value::from("OpaqueRef:NULL"), Value::Int(5)]);
    let bond = crate::bond::create(&network, &[], "", None, Some(&xenapi_core::TextMap::new()));
    assert_eq!(bond.params()[3], Value::from("balance-slb"));
    let cluster = crate::cluster::pool_create(&network, "corosync", None, Some(2.0));
    assert_eq!(cluster.params()[2..], [Value::Double(20.0), Value::Double(2.0)]);
    for class in CLASSES {
        for message in class.messages {
            for param in message.params {
                assert_eq!(param.required, param.default.is_none(), "{}.{}.{}", class.name, message.name, param.name);
            }
        }
    }
}

#[test]
fn constructor_records_take_what_create_takes() {
    let (vm, network) = (Ref::<VM>::new("v"), Ref::<crate::Network>::new("n"));
    let new = crate::vif::New { mac: "02:00:00:00:00:01".into(), ..crate::vif::New::new("0", network, vm) };
    let call = new.into_call();
    assert_eq!(call.name(), "VIF.create");
    let record = call.params()[0].as_struct().expect("a record").clone();
    let names: BTreeSet<&str> = record.iter().map(|(name, _)| name).collect();
    let fields = crate::vif::CLASS.fields.iter().filter(|field| field.qualifier != xenapi_core::Qualifier::Dynamic);
    assert_eq!(names, fields.map(|field| field.name).collect());
    assert_eq!(record.get("MTU"), Some(&Value::Int(1500)));
    assert_eq!(record.get("locking_mode"), Some(&Value::from("network_default")));
    let secret = crate::secret::New::new("hunter2");
    assert!(!alloc::format!("{secret:?}").contains("hunter2"));
    assert_eq!(crate::network::New::default().mtu, 1500);
}

#[test]
fn failures_have_typed_views() {
    use xenapi_core::Failure;
    let failure = Failure::new("VM_BAD_POWER_STATE", ["OpaqueRef:v", "halted", "running", "new"]);
    let errors::VmBadPowerState { vm, expected, actual, more } = failure.view().expect("it is that");
    assert_eq!((vm.as_str(), expected, actual, more), ("OpaqueRef:v", "halted", "running", &["new".to_string()][..]));
    assert!(failure.view::<errors::HostOffline<'_>>().is_none());
    let few = Failure::new("HOST_NOT_ENOUGH_FREE_MEMORY", ["4096"]);
    let view: errors::HostNotEnoughFreeMemory<'_> = few.view().expect("it is that");
    assert_eq!((view.needed, view.available, view.more.len()), (Some(4096), None, 0));
    // Raised with the class first, whatever is declared.
    let raised = Failure::new("VM_HAS_NO_SUSPEND_VDI", ["VM", "OpaqueRef:v"]);
    assert_eq!(raised.view::<errors::VmHasNoSuspendVdi<'_>>().expect("it is that").vm.as_str(), "OpaqueRef:v");
    let declared = errors::ERRORS.iter().find(|error| error.code == raised.code).expect("it is declared");
    assert_eq!((declared.declared, declared.params.len()), (&["vm"][..], 2));
}
