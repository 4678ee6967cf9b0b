//! Servers older and newer than the schema, as they write XML-RPC: nothing is lost, and what is wrong is said.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use xenapi_codec::{Limits, xmlrpc};
use xenapi_core::{ReadErrorKind, Record, Records, Value, Wire, to_value};
use xenapi_model::{vbd, vm};

fn document(members: &str) -> String {
    format!("<value><struct>{members}</struct></value>")
}

fn member(name: &str, value: &str) -> String {
    format!("<member><name>{name}</name><value>{value}</value></member>")
}

fn read<T: Wire>(text: &str) -> Result<T, xenapi_core::ReadError> {
    xmlrpc::read_value_as(text, &Limits::default(), T::read)
}

#[test]
fn words_of_tomorrow_survive() {
    let record: vm::Record = read(&document(&member("power_state", "Levitating"))).unwrap();
    assert_eq!(record.power_state, vm::VmPowerState::Unrecognised("Levitating".into()));
    let again: vm::Record = read(&xmlrpc::write_value_text(&to_value(&record))).unwrap();
    assert_eq!(again.power_state.as_str(), "Levitating");
}

#[test]
fn what_an_old_server_lacks_takes_the_default_and_is_named() {
    let record: vm::Record = read(&document(&(member("uuid", "u") + &member("name_label", "old")))).unwrap();
    let missing: Vec<&str> = record.missing().map(|field| field.name).collect();
    assert_eq!(missing.len(), vm::CLASS.fields.len() - 2);
    assert!(missing.contains(&"generation_id") && record.has("name_label") && !record.has("resident_on"));
    // As the schema says, be it a word, a truth or a text; and null where it says nothing of a reference.
    assert_eq!(record.domain_type, vm::DomainType::Unspecified);
    assert_eq!((record.has_vendor_device, record.generation_id.as_str()), (true, "0:0"));
    assert_eq!((record.resident_on, record.is_a_template), (None, false));
}

#[test]
fn fields_of_tomorrow_are_kept_and_written_back() {
    let text = document(
        &(member("levitation", "<struct><member><name>height</name><value>3</value></member></struct>")
            + &member("name_label", "new")
            + &member("mass", "<double>1.5</double>")),
    );
    let record: vm::Record = read(&text).unwrap();
    let names: Vec<&str> = record.rest().unknown.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["levitation", "mass"]);
    let written = xmlrpc::write_value_text(&to_value(&record));
    let again: vm::Record = read(&written).unwrap();
    assert_eq!(again.rest().unknown, record.rest().unknown);
    assert!(written.contains("<name>height</name><value>3</value>"), "{written}");
}

#[test]
fn of_members_that_come_twice_the_last_counts() {
    let text =
        document(&(member("name_label", "one") + &member("new", "a") + &member("name_label", "two") + &member("new", "b")));
    let record: vm::Record = read(&text).unwrap();
    assert_eq!((record.name_label.as_str(), record.rest().repeated), ("two", 2));
    assert_eq!(record.rest().unknown, [("new".into(), Value::from("b"))]);
}

#[test]
fn a_wrong_type_has_a_path_and_says_what_was_expected_and_found() {
    for (name, value, path, expected, found) in [
        ("VCPUs_max", "four", "VM.VCPUs_max", "an integer", "four"),
        ("is_a_template", "1", "VM.is_a_template", "a boolean", "1"),
        ("tags", "<array><data><value><boolean>1</boolean></value></data></array>", "VM.tags[0]", "text", "boolean"),
        ("snapshot_time", "<dateTime.iso8601>noon</dateTime.iso8601>", "VM.snapshot_time", "a date and time", "noon"),
        ("other_config", "<int>3</int>", "VM.other_config", "a struct", "integer"),
    ] {
        let error = read::<vm::Record>(&document(&member(name, value))).unwrap_err();
        assert_eq!((error.kind(), error.path().as_str()), (ReadErrorKind::Mismatch, path), "{error}");
        assert!(error.expected().contains(expected) && error.found().contains(found), "{error}");
        assert!(error.offset().is_some(), "{error}");
    }
}

#[test]
fn one_bad_record_among_a_thousand_loses_only_itself() {
    let entry = |at: usize| {
        let cpus = if at == 617 { "many" } else { "4" };
        let fields = member("name_label", &format!("vm {at}")) + &member("VCPUs_max", cpus) + &member("user_version", "1");
        member(&format!("OpaqueRef:{at}"), &format!("<struct>{fields}</struct>"))
    };
    let all: Records<vm::Record> = read(&document(&(0..1000).map(entry).collect::<String>())).unwrap();
    assert_eq!((all.records.len(), all.wrong.len()), (999, 1));
    assert_eq!(all.wrong[0].path(), "VM[OpaqueRef:617].VCPUs_max");
    let (reference, after) = &all.records[617];
    assert_eq!((reference.as_str(), after.name_label.as_str()), ("OpaqueRef:618", "vm 618"));
}

#[test]
fn null_references_go_back_as_they_came() {
    for null in ["OpaqueRef:NULL", ""] {
        let record: vbd::Record = read(&document(&(member("VDI", null) + &member("metrics", "OpaqueRef:m")))).unwrap();
        assert_eq!(record.vdi, None);
        let value = to_value(&record);
        let members = value.as_struct().unwrap();
        assert_eq!(members.get("VDI"), Some(&Value::from(null)));
        assert_eq!(members.get("metrics"), Some(&Value::from("OpaqueRef:m")));
    }
}
