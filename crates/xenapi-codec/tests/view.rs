//! Records that stay in the document, against those that are read whole.
#![allow(clippy::unwrap_used, clippy::std_instead_of_alloc, missing_docs)]

mod common;

use std::borrow::Cow;

use common::{change, changed, records};
use proptest::prelude::*;
use xenapi_codec::Limits;
use xenapi_codec::xmlrpc::{Engine, read_result, read_views, read_views_with, write_failure, write_success};
use xenapi_core::{Failure, Records, Struct, Value, Wire, to_value};
use xenapi_model::{VM, vm};

fn limits() -> Limits {
    Limits { depth: 12, members: 400, records: 60, text: 300, ..Limits::default() }
}

#[track_caller]
fn same_as_records(bytes: &[u8]) {
    let whole = read_result(bytes, &limits(), Records::<vm::Record>::read);
    for engine in [Engine::Auto, Engine::General] {
        let views = read_views_with::<VM>(bytes, &limits(), engine);
        match (&whole, views) {
            (Ok(Ok(whole)), Ok(Ok(views))) => {
                assert_eq!(views.wrong, whole.wrong);
                assert_eq!(views.records.len(), whole.records.len());
                for (view, (reference, record)) in views.records.iter().zip(&whole.records) {
                    assert_eq!(view.reference(), reference.as_str());
                    assert_eq!(view.get(vm::fields::NAME_LABEL).unwrap(), record.name_label);
                    assert_eq!(view.get(vm::fields::VCPUS_MAX).unwrap(), record.vcpus_max);
                    assert_eq!(view.get(vm::fields::OTHER_CONFIG).unwrap(), record.other_config);
                    assert_eq!(view.get(vm::fields::TAGS).unwrap(), record.tags);
                    assert_eq!(view.get(vm::fields::POWER_STATE).unwrap(), record.power_state);
                    assert_eq!(view.has(vm::fields::TAGS), xenapi_core::Record::has(record, "tags"));
                }
            }
            (Ok(Err(failure)), Ok(Err(found))) => assert_eq!(found, *failure),
            (Err(error), Err(found)) => assert_eq!(format!("{found:?}"), format!("{error:?}"), "{}", bytes.escape_ascii()),
            (whole, views) => panic!("{whole:?}\n{views:?}\n{}", bytes.escape_ascii()),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn views_hold_what_records_hold(records in records(), changes in prop_oneof![
        Just(vec![]),
        proptest::collection::vec(change(), 1..3),
    ]) {
        same_as_records(&changed(write_success(&records), &changes));
    }
}

#[test]
fn a_field_of_another_type_is_told_in_the_words_of_records() {
    let texts = || Value::Array(vec![Value::from("x")]);
    let others = [Value::Array(vec![]), Value::Array(vec![texts()]), Value::Struct([("x", texts())].into_iter().collect())];
    for field in <VM as xenapi_core::Class>::DESC.fields {
        for other in &others {
            let record = Value::Struct([(field.name, other.clone())].into_iter().collect::<Struct>());
            same_as_records(&write_success(&Value::Struct([("OpaqueRef:1", record)].into_iter().collect::<Struct>())));
        }
    }
}

#[test]
fn text_is_borrowed_unless_it_is_escaped() {
    let record = |name: &str| to_value(&vm::Record { name_label: name.into(), ..vm::Record::default() });
    let records: Struct = [("OpaqueRef:1", record("plain")), ("OpaqueRef:2", record("a<b"))].into_iter().collect();
    let bytes = write_success(&Value::Struct(records));
    let views = read_views::<VM>(&bytes, &Limits::reply()).unwrap().unwrap();
    assert!(matches!(views.records[0].text(vm::fields::NAME_LABEL), Ok(Some(Cow::Borrowed("plain")))));
    assert!(matches!(views.records[1].text(vm::fields::NAME_LABEL), Ok(Some(Cow::Owned(name))) if name == "a<b"));
}

#[test]
fn what_did_not_come_has_its_default() {
    let bytes = write_success(&Value::Struct([("OpaqueRef:1", Value::empty_struct())].into_iter().collect::<Struct>()));
    let views = read_views::<VM>(&bytes, &Limits::reply()).unwrap().unwrap();
    let view = &views.records[0];
    assert!(!view.has(vm::fields::NAME_LABEL));
    assert_eq!(view.get(vm::fields::NAME_LABEL).unwrap(), vm::Record::default().name_label);
    assert_eq!(view.text(vm::fields::NAME_LABEL), Ok(None));
}

#[test]
fn a_failure_is_a_failure() {
    let failure = Failure::new("SESSION_INVALID", ["OpaqueRef:1"]);
    assert_eq!(read_views::<VM>(&write_failure(&failure), &Limits::reply()).unwrap().unwrap_err(), failure);
}

#[test]
fn an_error_in_a_field_that_nobody_knows_has_the_path_of_that_field() {
    let reply = |field: &str| {
        let record = format!("<value><struct><member><name>newer</name>{field}</member></struct></value>");
        let result = format!("<value><struct><member><name>OpaqueRef:1</name>{record}</member></struct></value>");
        let envelope = "<member><name>Status</name><value>Success</value></member><member><name>Value</name>";
        let envelope = format!("<value><struct>{envelope}{result}</member></struct></value>");
        format!("<methodResponse><params><param>{envelope}</param></params></methodResponse>")
    };
    for field in
        ["<value><base64>?</base64></value>", "<value>a</v></value>", "<value><int>x</int></value>", "<value>b</value>"]
    {
        same_as_records(reply(field).as_bytes());
    }
    let broken = reply("<value>a</v></value>");
    let error = read_views::<VM>(broken.as_bytes(), &limits()).unwrap_err();
    assert!(error.to_string().contains("newer"), "{error}");
}
