//! What is written, byte for byte.
#![allow(clippy::unwrap_used, missing_docs)]

use xenapi_codec::xmlrpc::{write_bare, write_call, write_failure, write_success, write_value_text};
use xenapi_core::{DateTime, Failure, RawCall, Struct, Value};

fn text(value: impl Into<Value>) -> String {
    write_value_text(&value.into())
}

#[test]
fn success_has_the_envelope() {
    assert_eq!(
        String::from_utf8(write_success(&"OpaqueRef:1".into())).unwrap(),
        "<?xml version=\"1.0\"?><methodResponse><params><param><value><struct><member><name>Status</name><value>Success</value>\
         </member><member><name>Value</name><value>OpaqueRef:1</value></member></struct></value></param></params></methodResponse>"
    );
}

#[test]
fn failure_has_the_code_first() {
    assert_eq!(
        String::from_utf8(write_failure(&Failure::new("VM_BAD_POWER_STATE", ["OpaqueRef:1", "a<b"]))).unwrap(),
        "<?xml version=\"1.0\"?><methodResponse><params><param><value><struct><member><name>Status</name><value>Failure</value>\
         </member><member><name>ErrorDescription</name><value><array><data><value>VM_BAD_POWER_STATE</value>\
         <value>OpaqueRef:1</value><value>a&lt;b</value></data></array></value></member></struct></value></param></params>\
         </methodResponse>"
    );
}

#[test]
fn list_methods_has_no_envelope() {
    assert_eq!(
        String::from_utf8(write_bare(&Value::Array(vec!["VM.start".into()]))).unwrap(),
        "<?xml version=\"1.0\"?><methodResponse><params><param><value><array><data><value>VM.start</value></data></array></value>\
         </param></params></methodResponse>"
    );
}

#[test]
fn a_call_is_untyped() {
    let call = RawCall { method: "VM.set_VCPUs_max".into(), params: vec!["OpaqueRef:s".into(), Value::Int(4)] };
    assert_eq!(
        String::from_utf8(write_call(&call)).unwrap(),
        "<?xml version=\"1.0\"?><methodCall><methodName>VM.set_VCPUs_max</methodName><params><param><value>OpaqueRef:s</value>\
         </param><param><value>4</value></param></params></methodCall>"
    );
    let bare = RawCall { method: "system.listMethods".into(), params: vec![] };
    assert_eq!(
        String::from_utf8(write_call(&bare)).unwrap(),
        "<?xml version=\"1.0\"?><methodCall><methodName>system.listMethods</methodName><params></params></methodCall>"
    );
}

#[test]
fn every_kind_of_value() {
    assert_eq!(text("text"), "<value>text</value>");
    assert_eq!(text(""), "<value></value>");
    assert_eq!(text(Value::VOID), "<value></value>");
    assert_eq!(text(42_i64), "<value>42</value>");
    assert_eq!(text(i64::MIN), "<value>-9223372036854775808</value>");
    assert_eq!(text(Value::Int32(7)), "<value><i4>7</i4></value>");
    assert_eq!(text(true), "<value><boolean>1</boolean></value>");
    assert_eq!(text(false), "<value><boolean>0</boolean></value>");
    assert_eq!(text(0.1), "<value><double>0.1</double></value>");
    assert_eq!(text(1.0), "<value><double>1</double></value>");
    let time = DateTime::parse("20240131T10:20:30Z").unwrap();
    assert_eq!(text(time), "<value><dateTime.iso8601>20240131T10:20:30Z</dateTime.iso8601></value>");
    assert_eq!(text(DateTime::NEVER), "<value><dateTime.iso8601>19700101T00:00:00Z</dateTime.iso8601></value>");
    let local = DateTime::parse("20240131T10:20:30").unwrap();
    assert_eq!(text(local), "<value><dateTime.iso8601>20240131T10:20:30</dateTime.iso8601></value>");
    let zoned = DateTime::parse("20240131T10:20:30+02:00").unwrap();
    assert_eq!(text(zoned), "<value><dateTime.iso8601>20240131T10:20:30+02:00</dateTime.iso8601></value>");
    assert_eq!(text(Value::Nil), "<value><nil/></value>");
    assert_eq!(text(Value::Bytes(b"hi".to_vec())), "<value><base64>aGk=</base64></value>");
    assert_eq!(text(Value::Array(vec![])), "<value><array><data></data></array></value>");
    assert_eq!(text(Value::empty_struct()), "<value><struct></struct></value>");
    let nested: Struct = [("a", Value::Array(vec![1_i64.into()])), ("b", Value::empty_struct())].into_iter().collect();
    assert_eq!(
        text(nested),
        "<value><struct><member><name>a</name><value><array><data><value>1</value></data></array></value></member>\
         <member><name>b</name><value><struct></struct></value></member></struct></value>"
    );
}

#[test]
fn text_is_escaped_and_cleaned() {
    assert_eq!(text("a<b>&\"c'"), "<value>a&lt;b&gt;&amp;&quot;c'</value>");
    assert_eq!(text("\0a\u{1}b\u{1f}\t\n\r\u{7f}é网"), "<value>ab\t\n\r\u{7f}é网</value>");
}

#[test]
fn names_are_escaped_only_where_they_would_break_the_document() {
    let members: Struct =
        [("a>\"'b", Value::VOID), ("<&\u{1}", Value::VOID), ("]]\u{1}>]>", Value::VOID)].into_iter().collect();
    assert_eq!(
        text(members),
        "<value><struct><member><name>a>\"'b</name><value></value></member>\
         <member><name>&lt;&amp;</name><value></value></member>\
         <member><name>]]&gt;]></name><value></value></member></struct></value>"
    );
}
