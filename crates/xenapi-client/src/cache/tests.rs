#![allow(clippy::unwrap_used)]

use alloc::string::ToString;
use alloc::vec;

use xenapi_core::{Struct, Uuid, Value, ValueReader, to_value};
use xenapi_model::{VLAN, VM, vlan, vm};

use super::*;

fn vm(name: &str, uuid: &str) -> vm::Record {
    vm::Record { name_label: name.into(), uuid: Uuid::new(uuid), ..Default::default() }
}

fn members<const N: usize>(members: [(&'static str, Value); N]) -> Value {
    Value::Struct(members.into_iter().collect())
}

fn event(class: &str, operation: &str, reference: &str, snapshot: Option<Value>) -> Value {
    let mut event = Struct::new();
    event.push("id", "1");
    event.push("timestamp", "0.0");
    event.push("class", class);
    event.push("operation", operation);
    event.push("ref", reference);
    if let Some(snapshot) = snapshot {
        event.push("snapshot", snapshot);
    }
    Value::Struct(event)
}

fn batch(events: Vec<Value>, counts: &[(&'static str, i32)], token: &str) -> Value {
    let counts = counts.iter().map(|(class, count)| (*class, Value::Int32(*count)));
    members([
        ("events", Value::Array(events)),
        ("valid_ref_counts", Value::Struct(counts.collect())),
        ("token", token.into()),
    ])
}

fn read(cache: &Cache, value: &Value) -> Batch {
    cache.read_batch(&mut ValueReader::new(value)).unwrap()
}

fn cache() -> Cache {
    let mut cache = Cache::new();
    cache.track_console();
    cache
}

fn all(_: &RecordDesc) -> bool {
    true
}

#[test]
fn finds_by_reference_and_by_uuid() {
    let mut cache = Cache::new();
    assert!(!cache.is_known::<VM>());
    cache.insert(Ref::<VM>::new("OpaqueRef:1"), vm("one", "u1"));
    assert!(cache.is_known::<VM>() && !cache.is_known::<VLAN>());
    assert_eq!(cache.get(&Ref::<VM>::new("OpaqueRef:1")).unwrap().name_label, "one");
    assert!(cache.get(&Ref::<VLAN>::new("OpaqueRef:1")).is_none());
    let (reference, record) = cache.by_uuid::<VM>("u1").unwrap();
    assert_eq!((reference.as_str(), record.name_label.as_str()), ("OpaqueRef:1", "one"));

    cache.insert(Ref::<VM>::new("OpaqueRef:1"), vm("one", "u2"));
    assert!(cache.by_uuid::<VM>("u1").is_none(), "the old uuid still leads somewhere");
    assert!(cache.by_uuid::<VM>("u2").is_some());
    assert!(cache.remove(&Ref::<VM>::new("OpaqueRef:1")));
    assert!(cache.by_uuid::<VM>("u2").is_none());
    assert!(!cache.remove(&Ref::<VM>::new("OpaqueRef:1")));
}

#[test]
fn a_uuid_that_occurs_twice_survives_one_removal() {
    let mut cache = Cache::new();
    for reference in ["OpaqueRef:2", "OpaqueRef:1"] {
        cache.insert(Ref::<VM>::new(reference), vm("twin", "u"));
    }
    assert_eq!(cache.by_uuid::<VM>("u").unwrap().0.as_str(), "OpaqueRef:1");
    cache.remove(&Ref::<VM>::new("OpaqueRef:1"));
    assert_eq!(cache.by_uuid::<VM>("u").unwrap().0.as_str(), "OpaqueRef:2");
}

#[test]
fn iterates_in_the_order_of_references() {
    let mut cache = Cache::new();
    for reference in ["OpaqueRef:c", "OpaqueRef:a", "OpaqueRef:b"] {
        cache.insert(Ref::<VM>::new(reference), vm(reference, reference));
    }
    let order: Vec<_> = cache.iter::<VM>().map(|(reference, _)| reference.as_str().to_string()).collect();
    assert_eq!(order, ["OpaqueRef:a", "OpaqueRef:b", "OpaqueRef:c"]);
}

#[test]
fn revisions_grow_by_class_and_only_with_changes() {
    let mut cache = cache();
    let (vms, vlans) = (cache.revision::<VM>(), cache.revision::<VLAN>());
    cache.insert(Ref::<VM>::new("OpaqueRef:1"), vm("one", "u1"));
    assert!(cache.revision::<VM>() > vms);
    assert_eq!(cache.revision::<VLAN>(), vlans);
    let (vms, total) = (cache.revision_of("vm"), cache.total_revision());
    let held = cache.get(&Ref::<VM>::new("OpaqueRef:1")).unwrap().clone();
    cache.insert(Ref::<VM>::new("OpaqueRef:1"), vm("one", "u1"));
    assert_eq!((cache.revision::<VM>(), cache.total_revision()), (vms, total));
    assert!(Arc::ptr_eq(&held, cache.get(&Ref::<VM>::new("OpaqueRef:1")).unwrap()));
}

#[test]
fn applies_events_and_tells_what_changed() {
    let mut cache = cache();
    let first = batch(
        vec![
            event("vm", "add", "OpaqueRef:1", Some(to_value(&vm("one", "u1")))),
            event("vm", "add", "OpaqueRef:2", Some(to_value(&vm("two", "u2")))),
            event("sr_stat", "add", "OpaqueRef:9", Some(Value::empty_struct())),
        ],
        &[("vm", 2)],
        "t1",
    );
    let first = read(&cache, &first);
    assert_eq!((first.token(), first.len()), ("t1", 2));
    assert_eq!(cache.replace(first, &all).len(), 2);
    let second = batch(
        vec![
            event("vm", "mod", "OpaqueRef:1", Some(to_value(&vm("uno", "u1")))),
            event("vm", "mod", "OpaqueRef:2", Some(to_value(&vm("two", "u2")))),
            event("vm", "del", "OpaqueRef:3", None),
            event("vm", "del", "OpaqueRef:2", None),
        ],
        &[("vm", 1)],
        "t2",
    );
    let changes = cache.apply(read(&cache, &second));
    let told: Vec<_> = changes.iter().map(|it| (it.class, it.reference.as_str(), it.operation)).collect();
    assert_eq!(told, [("VM", "OpaqueRef:1", Operation::Modified), ("VM", "OpaqueRef:2", Operation::Deleted)]);
    assert_eq!(cache.count::<VM>(), 1);
}

#[test]
fn tolerates_any_order_of_members() {
    let cache = cache();
    let odd = members([
        ("snapshot", to_value(&vm("one", "u1"))),
        ("ref", "OpaqueRef:1".into()),
        ("new_in_some_release", Value::Array(vec![Value::Nil])),
        ("operation", "add".into()),
        ("class", "VM".into()),
    ]);
    let value = members([("token", "t".into()), ("events", Value::Array(vec![odd]))]);
    let mut cache = cache;
    cache.apply(read(&cache, &value));
    assert_eq!(cache.by_uuid::<VM>("u1").unwrap().1.name_label, "one");
}

#[test]
fn one_bad_record_loses_no_other_and_is_listed() {
    let mut cache = cache();
    let bad = members([("uuid", "u1".into()), ("VCPUs_max", "many".into()), ("name_label", "x".into())]);
    let events = vec![
        event("vm", "add", "OpaqueRef:1", Some(bad.clone())),
        members([("operation", "add".into()), ("class", Value::Nil)]),
        event("vm", "explode", "OpaqueRef:5", None),
        event("vm", "add", "OpaqueRef:3", None),
        event("vm", "add", "OpaqueRef:2", Some(to_value(&vm("two", "u2")))),
    ];
    let value = batch(events, &[("vm", 3)], "t1");
    let changes = cache.replace(read(&cache, &value), &all);
    assert_eq!(changes.len(), 1);
    assert_eq!(cache.count::<VM>(), 1);
    let wrong: Vec<_> = cache.wrong().map(|(class, it, error)| (class, it.as_str(), error.path())).collect();
    assert_eq!(wrong[0], ("VM", "OpaqueRef:1", "VM[OpaqueRef:1].VCPUs_max".to_string()));
    assert_eq!(wrong.len(), 2);
    assert_eq!(cache.strays().len(), 2);
    assert_eq!(cache.drift(&[("vm".into(), 3)]), None, "a record that cannot be read is no drift");

    // A good record heals it.
    let value = batch(vec![event("vm", "mod", "OpaqueRef:1", Some(to_value(&vm("one", "u1"))))], &[], "t2");
    cache.apply(read(&cache, &value));
    assert_eq!((cache.count::<VM>(), cache.wrong().count()), (2, 1));

    // And a bad one takes the object out again: what it was is no longer true.
    let value = batch(vec![event("vm", "mod", "OpaqueRef:1", Some(bad))], &[], "t3");
    let changes = cache.apply(read(&cache, &value));
    assert_eq!(changes[0].operation, Operation::Deleted);
    assert!(cache.by_uuid::<VM>("u1").is_none());
}

#[test]
fn a_broken_document_changes_nothing() {
    let mut cache = cache();
    cache.insert(Ref::<VM>::new("OpaqueRef:1"), vm("one", "u1"));
    let no_token = members([("events", Value::Array(vec![event("vm", "del", "OpaqueRef:1", None)]))]);
    for value in [no_token, Value::from("no batch"), members([("events", "x".into()), ("token", "t".into())])] {
        assert!(cache.read_batch(&mut ValueReader::new(&value)).is_err(), "{value:?}");
    }
    assert!(cache.load_records("VM", &mut ValueReader::new(&Value::from("x"))).is_err());
    assert_eq!(cache.count::<VM>(), 1);
}

#[test]
fn a_full_load_leaves_no_ghosts_and_keeps_what_is_the_same() {
    let mut cache = cache();
    for (reference, name) in [("OpaqueRef:1", "one"), ("OpaqueRef:2", "two"), ("OpaqueRef:3", "three")] {
        cache.insert(Ref::<VM>::new(reference), vm(name, name));
    }
    cache.insert(Ref::<VLAN>::new("OpaqueRef:v"), vlan::Record::default());
    let held = cache.get(&Ref::<VM>::new("OpaqueRef:2")).unwrap().clone();
    let value = batch(
        vec![
            event("vm", "add", "OpaqueRef:2", Some(to_value(&vm("two", "two")))),
            event("vm", "add", "OpaqueRef:3", Some(to_value(&vm("drei", "three")))),
            event("vm", "add", "OpaqueRef:4", Some(to_value(&vm("four", "four")))),
        ],
        &[("vm", 3), ("vlan", 0)],
        "t",
    );
    let mut changes = cache.replace(read(&cache, &value), &all);
    changes.sort();
    let told: Vec<_> = changes.iter().map(|it| (it.class, it.reference.as_str(), it.operation)).collect();
    assert_eq!(
        told,
        [
            ("VLAN", "OpaqueRef:v", Operation::Deleted),
            ("VM", "OpaqueRef:1", Operation::Deleted),
            ("VM", "OpaqueRef:3", Operation::Modified),
            ("VM", "OpaqueRef:4", Operation::Added),
        ]
    );
    assert!(Arc::ptr_eq(&held, cache.get(&Ref::<VM>::new("OpaqueRef:2")).unwrap()));
    assert!(cache.by_uuid::<VM>("one").is_none() && cache.by_uuid::<VM>("four").is_some());
    assert!(cache.is_known::<VLAN>());
}

#[test]
fn a_class_that_the_server_does_not_count_is_unknown() {
    let mut cache = cache();
    let value = batch(vec![], &[("vm", 0)], "t");
    cache.replace(read(&cache, &value), &all);
    assert!(cache.is_known::<VM>() && !cache.is_known::<VLAN>());
    let value = members([("events", Value::Array(vec![])), ("token", "t".into())]);
    cache.replace(read(&cache, &value), &all);
    assert!(cache.is_known::<VLAN>(), "a server that counts nothing has every class");
}

#[test]
fn a_full_load_covers_only_what_it_is_about() {
    let mut cache = cache();
    cache.insert(Ref::<VLAN>::new("OpaqueRef:v"), vlan::Record::default());
    let value = batch(vec![], &[("vm", 0), ("vlan", 1)], "t");
    assert!(cache.replace(read(&cache, &value), &|class| class.name == "VM").is_empty());
    assert_eq!(cache.count::<VLAN>(), 1);
}

#[test]
fn counts_tell_drift_unless_a_full_load_had_it_too() {
    let mut cache = cache();
    let one = event("vm", "add", "OpaqueRef:1", Some(to_value(&vm("one", "u1"))));
    let value = batch(vec![one], &[("vm", 1), ("vlan", 4)], "t");
    cache.replace(read(&cache, &value), &all);
    assert_eq!(cache.drift(&[("vm".into(), 1), ("vlan".into(), 4), ("nothing_known".into(), 7)]), None);
    assert_eq!(cache.drift(&[("vm".into(), 2), ("vlan".into(), 4)]), Some("VM"));
    assert_eq!(cache.drift(&[("vm".into(), 1), ("vlan".into(), 5)]), Some("VLAN"));
}

#[test]
fn loads_recorded_classes_in_any_case_and_partially() {
    let mut cache = cache();
    let good = to_value(&vm("one", "u1"));
    let bad = members([("power_state", Value::Bool(true))]);
    let records: Value = Value::Struct([("OpaqueRef:1", good), ("OpaqueRef:2", bad)].into_iter().collect::<Struct>());
    let loaded = cache.load_records("vm", &mut ValueReader::new(&records)).unwrap();
    assert_eq!((loaded.records, loaded.wrong.len()), (1, 1));
    assert!(cache.is_known::<VM>() && !cache.is_known::<VLAN>());
    let loaded = cache.load_records("SR_stat", &mut ValueReader::new(&records)).unwrap();
    assert_eq!(loaded, Loaded::default());
}
