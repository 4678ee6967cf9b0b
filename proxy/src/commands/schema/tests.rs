//! Tests of what the schema says.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use serde_json::Value;

use super::*;

#[test]
fn every_class_and_every_member_can_be_described() {
    for class in xenapi_model::CLASSES {
        assert!(describe(class.name).unwrap().contains("Messages"));
        for field in class.fields {
            assert!(describe(&format!("{}.{}", class.name, field.name)).unwrap().contains(&field.ty.to_string()));
        }
        for method in Method::all(class) {
            assert!(describe(&method.name()).is_ok(), "{}", method.name());
        }
        for it in class.enums {
            assert!(describe(it.name).unwrap().contains(it.values[0]), "{}", it.name);
        }
    }
    for error in ERRORS {
        assert!(describe(error.code).unwrap().starts_with(error.code), "{}", error.code);
    }
}

#[test]
fn an_entry_says_what_people_ask() {
    let says = |name: &str, all: &[&str]| {
        let text = describe(name).unwrap();
        for part in all {
            assert!(text.contains(part), "{name} does not say {part:?}:\n{text}");
        }
    };
    says("VM.memory_static_max", &["int, in bytes", "set at creation", "Needed to create", "rio (XenServer 4.0)"]);
    says("VM.memory_static_max", &["vm::fields::MEMORY_STATIC_MAX.get(&vm)"]);
    says("VM.resident_on", &["host ref or null", "host.resident_VMs (stored here)"]);
    says("VM.start", &["Least role: vm-operator", "VM_BAD_POWER_STATE", "vm::start(&vm, start_paused, force)", "--async"]);
    says("Async.VM.start", &["VM.start(vm: VM ref", "May run as a task"]);
    says("VM.create", &["vm::New::new(memory_static_max"]);
    says("host.disable", &["true where it is not given", "Some(auto_enable)", "clients by certificate"]);
    says("session.login_with_password", &["Takes no session", "pwd: string; kept out of logs"]);
    says("VM_HAS_NO_SUSPEND_VDI", &["class: string, vm: VM ref", "Declared with other parameters: vm", "VmHasNoSuspendVdi"]);
    says("secret", &["access", "Its references are secrets"]);
}

#[test]
fn what_does_not_exist_brings_the_nearest() {
    let says = |name: &str| describe(name).unwrap_err().message;
    assert!(says("vm").contains("did you mean VM"));
    assert!(says("VM.strat").contains("start"));
    assert!(says("VM.name_lable").contains("name_label"));
    assert!(says("VM_BAD_POWERSTATE").contains("VM_BAD_POWER_STATE"));
    assert!(says("xyzzy").contains("lists them"));
    assert!(says("xyzzy.start").contains("lists them"));
}

fn document() -> Value {
    serde_json::from_str(&json::lines().join("\n")).unwrap()
}

fn count(document: &Value, what: &str) -> usize {
    document["classes"].as_array().unwrap().iter().map(|class| class[what].as_array().unwrap().len()).sum()
}

/// FNV-1a, which changes when any name, type, role or release does.
fn checksum(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn the_whole_schema_is_what_it_was() {
    let document = document();
    let lists = ["releases", "errors", "relations", "classes"].map(|list| document[list].as_array().unwrap().len());
    assert_eq!(lists, [33, 603, 63, 72]);
    assert_eq!(["fields", "messages", "enums"].map(|what| count(&document, what)), [922, 2007, 77]);
    assert_eq!(checksum(&document.to_string()), CHECKSUM, "a fact of the schema changed; if that is meant, say so here");
}

/// Of the document without white space.
const CHECKSUM: u64 = 11_242_788_626_966_770_786;

#[test]
fn the_whole_schema_equals_its_source() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference/xenapi-datamodel.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: {} is not there", path.display());
        return;
    };
    let mut source: Value = serde_json::from_str(&text).unwrap();
    source.as_object_mut().unwrap().shift_remove("source");
    let ours = document();
    for list in ["releases", "errors", "relations"] {
        assert_eq!(ours[list], source[list]);
    }
    let (ours, theirs) = (ours["classes"].as_array().unwrap(), source["classes"].as_array().unwrap());
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        let name = &theirs["name"];
        for member in ["name", "lifecycle", "enums", "fields"] {
            assert_eq!(ours[member], theirs[member], "{name}.{member}");
        }
        for (ours, theirs) in ours["messages"].as_array().unwrap().iter().zip(theirs["messages"].as_array().unwrap()) {
            assert_eq!(ours, theirs, "{name}");
        }
        assert_eq!(ours, theirs, "{name}");
    }
}
