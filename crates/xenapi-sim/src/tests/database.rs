//! Pools out of xapi's database.

use xenapi_core::DateTime;

use super::*;
use crate::Error;

const DATABASE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<database><manifest><pair key="schema_major_vsn" value="5"/><pair key="generation_count" value="4711"/></manifest>
<table name="pool"><row ref="OpaqueRef:p" __ctime="1" __mtime="2" _ref="OpaqueRef:p" uuid="up" name__label="Lab%.pool" master="OpaqueRef:h"
 other_config="(('a%.key' 'it\'s') ('memory-ratio-hvm' '0.25'))" ha_enabled="false"/></table>
<table name="host"><row ref="OpaqueRef:h" uuid="uh" name__label="xs1" hostname="xs1" resident_VMs="()" API_version__major="2"/></table>
<table name="VM"><row ref="OpaqueRef:v" __ctime="3" uuid="uv" name__label="web &amp; db" name__description="100%%%nsure" power_state="Running" resident_on="OpaqueRef:h"
 VCPUs__max="4" memory__static_max="4294967296" is_a_template="false" tags="('prod' 'eu%.west')" HVM__shadow_multiplier="1.5" VBDs="()"
 snapshot_time="20240131T10:20:30Z" ancient="kept" start_delay="soon"/></table>
<table name="VBD"><row ref="OpaqueRef:b" uuid="ub" VM="OpaqueRef:v" VDI="OpaqueRef:gone" currently_attached="true"/></table>
<table name="Internal_thing"><row ref="OpaqueRef:i" x="y"/></table>
<table name="SR"/></database>"#;

fn load(database: &str) -> (Pool, Vec<String>) {
    let (sim, notes) = Sim::from_database(database.as_bytes(), 0).unwrap();
    let mut pool = Pool { sim, session: String::new(), now: Millis(0) };
    pool.session = pool.login("root");
    (pool, notes)
}

#[test]
fn a_database_becomes_a_pool() {
    let (mut pool, notes) = load(DATABASE);
    assert_eq!(pool.text("pool.get_name_label", &["OpaqueRef:p"]), "Lab pool");
    assert_eq!(pool.text("VM.get_name_label", &["OpaqueRef:v"]), "web & db");
    assert_eq!(pool.text("VM.get_name_description", &["OpaqueRef:v"]), "100%\nsure");
    assert!(!pool.flag("VM.get_is_a_template", &["OpaqueRef:v"]));
    assert!(pool.flag("VBD.get_currently_attached", &["OpaqueRef:b"]));
    assert_eq!(pool.refs("VM.get_tags", &["OpaqueRef:v"]), ["prod", "eu west"]);
    assert_eq!(pool.refs("SR.get_all", &[]).len(), 0);
    for (method, object, expected) in [
        ("VM.get_VCPUs_max", "OpaqueRef:v", Value::Int(4)),
        ("VM.get_memory_static_max", "OpaqueRef:v", Value::Int(4 << 30)),
        ("VM.get_HVM_shadow_multiplier", "OpaqueRef:v", Value::Double(1.5)),
        ("VM.get_snapshot_time", "OpaqueRef:v", Value::from(DateTime::from_unix(1_706_696_430))),
        ("host.get_API_version_major", "OpaqueRef:h", Value::Int(2)),
    ] {
        assert_eq!(pool.ask(method, &[object]).unwrap(), expected, "{method}");
    }
    let config = pool.ask("pool.get_other_config", &["OpaqueRef:p"]).unwrap();
    assert_eq!(config.as_struct().unwrap().get("a key"), Some(&Value::from("it's")));
    let notes = notes.join("\n");
    for part in [
        "start_delay has another type",
        "fields that are not in the schema are kept: ancient",
        "referred to but not recorded: 1 VDI",
    ] {
        assert!(notes.contains(part), "{part} is not in {notes}");
    }
}

#[test]
fn both_sides_of_relations_are_there() {
    let (mut pool, _) = load(DATABASE);
    assert_eq!(pool.refs("VM.get_VBDs", &["OpaqueRef:v"]), ["OpaqueRef:b"]);
    assert_eq!(pool.refs("host.get_resident_VMs", &["OpaqueRef:h"]), ["OpaqueRef:v"]);
}

#[test]
fn what_is_no_database_is_told_with_its_place() {
    for (file, expected) in [
        ("", "no element <database>"),
        ("<html/>", "<database> is expected, found <html> (at byte 0)"),
        ("<database/>", "it has no rows"),
        ("<database><table name=\"VM\"><row ref=\"a\"/></table>", "ends too early"),
        ("<database><table name=\"VM\"><row uuid=\"a\"/></table></database>", "a row of VM has no ref (at byte 27)"),
        ("<database><table name=\"VM\"><row ref=\"&x;\"/></table></database>", "an attribute is broken at byte 27"),
        ("<database><table></database>", "the XML is broken at byte"),
        ("<!DOCTYPE d [<!ENTITY x \"y\">]><database/>", "a document type declaration is not taken (at byte 0)"),
    ] {
        let error = Sim::from_database(file.as_bytes(), 0).err().unwrap();
        assert!(matches!(&error, Error::NoDatabase(what) if what.contains(expected)), "{file}: {error}");
    }
    let error = Sim::from_database(b"\xff\xfe", 0).err().unwrap();
    assert!(error.to_string().contains("at byte 0"), "{error}");
}
