//! Replies, as a client reads them.
#![allow(clippy::unwrap_used, missing_docs)]

use xenapi_codec::Limits;
use xenapi_codec::xmlrpc::{
    Outcome, read_reply, read_result, read_value_as, read_value_text, write_bare, write_failure, write_success,
};
use xenapi_core::{DateTime, Failure, Map, RawRef, ReadErrorKind, Reader, Value, Wire};

fn reply(body: &str) -> Vec<u8> {
    format!("<?xml version=\"1.0\"?><methodResponse>{body}</methodResponse>").into_bytes()
}

fn members(members: &str) -> Vec<u8> {
    reply(&format!("<params><param><value><struct>{members}</struct></value></param></params>"))
}

fn member(name: &str, value: &str) -> String {
    format!("<member><name>{name}</name><value>{value}</value></member>")
}

#[test]
fn success_is_read_as_the_type_that_is_expected() {
    let bytes = write_success(&42_i64.into());
    assert_eq!(read_result(&bytes, &Limits::reply(), i64::read).unwrap(), Ok(42));
    assert_eq!(read_result(&bytes, &Limits::reply(), String::read).unwrap(), Ok("42".to_string()));
    let wrong = read_result(&bytes, &Limits::reply(), bool::read).unwrap_err();
    assert_eq!(wrong.kind(), ReadErrorKind::Mismatch);
    assert_eq!(wrong.offset(), Some(bytes.windows(9).position(|w| w == b"<value>42").unwrap() as u64));
}

#[test]
fn failure_and_fault_are_failures() {
    let failure = Failure::new("HANDLE_INVALID", ["VM", "OpaqueRef:1"]);
    let bytes = write_failure(&failure);
    assert_eq!(read_result(&bytes, &Limits::reply(), i64::read).unwrap(), Err(failure));
    let fault = reply(&format!(
        "<fault><value><struct>{}{}</struct></value></fault>",
        member("faultCode", "<int>4</int>"),
        member("faultString", "Too many parameters.")
    ));
    let Outcome::Fault { code: 4, text } = read_reply(&fault, &Limits::reply()).unwrap() else { panic!("no fault") };
    assert_eq!(text, "Too many parameters.");
    let failure = read_result(&fault, &Limits::reply(), i64::read).unwrap().unwrap_err();
    assert_eq!(failure, Failure::new("Fault", ["Too many parameters.", "4"]));
}

#[test]
fn members_come_in_any_order() {
    let status = member("Status", "Success");
    for body in [
        member("Value", "5") + &status,
        status.clone() + &member("Value", "5"),
        member("Extra", "<struct></struct>") + &member("Value", "5") + &member("Other", "<array/>") + &status,
        status.clone() + &member("Value", "5") + &member("Extra", "x"),
    ] {
        assert_eq!(read_result(&members(&body), &Limits::reply(), i64::read).unwrap(), Ok(5), "{body}");
    }
    let failure = member("ErrorDescription", "<array><data><value>A</value><value><i4>1</i4></value></data></array>");
    let body = failure + &member("Status", "Failure");
    let expected = Failure::new("A", ["1"]);
    assert_eq!(read_result(&members(&body), &Limits::reply(), i64::read).unwrap(), Err(expected));
}

#[test]
fn a_bare_array_is_a_success() {
    let bytes = write_bare(&Value::Array(vec!["a".into(), "b".into()]));
    assert_eq!(read_result(&bytes, &Limits::reply(), Vec::<String>::read).unwrap(), Ok(vec!["a".into(), "b".into()]));
}

#[test]
fn odd_replies_say_what_is_wrong() {
    for (body, part) in [
        (member("Value", "5"), "Status"),
        (member("Status", "Success"), "Value"),
        (member("Status", "Failure"), "ErrorDescription"),
        (member("Status", "Pending") + &member("Value", "5"), "\"Pending\""),
        (member("Status", "<boolean>1</boolean>"), "Status: expected text, found the boolean true"),
        (String::new(), "a struct without"),
    ] {
        let error = read_result(&members(&body), &Limits::reply(), i64::read).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
        assert!(error.offset().is_some(), "{error}");
    }
    for (document, part) in [
        ("<html><body>500</body></html>", "expected <methodResponse>, found <html>"),
        ("<methodResponse/>", "<params> or <fault>"),
        ("<methodCall/>", "found <methodCall>"),
        ("", "the end of the document"),
        ("Internal error", "the text \"Internal error\""),
    ] {
        let error = read_reply(document.as_bytes(), &Limits::reply()).unwrap_err();
        assert!(error.to_string().contains(part), "{document}: {error}");
    }
}

#[test]
fn nothing_may_follow() {
    let mut bytes = write_success(&1_i64.into());
    bytes.extend(b"\n <!-- end -->\n");
    assert_eq!(read_result(&bytes, &Limits::reply(), i64::read).unwrap(), Ok(1));
    bytes.extend(b"x");
    let error = read_result(&bytes, &Limits::reply(), i64::read).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (ReadErrorKind::Syntax, Some(bytes.len() as u64 - 2)));
}

#[test]
fn a_wrong_value_leaves_the_reader_behind_it() {
    let bytes = write_success(&Value::Array(vec![
        Value::Array(vec![Value::Array(vec![]), "x".into()]),
        [("k", Value::from("v"))].into_iter().collect::<xenapi_core::Struct>().into(),
        "plain".into(),
        "last".into(),
    ]));
    let Outcome::Success(mut reader) = read_reply(&bytes, &Limits::reply()).unwrap() else { panic!("no success") };
    reader.begin_array().unwrap();
    assert!(reader.next_item().unwrap());
    assert!(!String::read(&mut reader).unwrap_err().is_fatal());
    assert!(reader.next_item().unwrap());
    assert!(!Vec::<String>::read(&mut reader).unwrap_err().is_fatal());
    assert!(reader.next_item().unwrap());
    assert!(!Map::<String, String>::read(&mut reader).unwrap_err().is_fatal());
    assert!(reader.next_item().unwrap());
    assert_eq!(String::read(&mut reader).unwrap(), "last");
    assert!(!reader.next_item().unwrap());
    reader.finish().unwrap();
}

#[test]
fn after_a_fatal_error_everything_fails() {
    let Outcome::Success(mut reader) = read_reply(
        b"<methodResponse><params><param><value><array><data><value><foo/></value><value>1</value>",
        &Limits::reply(),
    )
    .unwrap() else {
        panic!("no success")
    };
    reader.begin_array().unwrap();
    assert!(reader.next_item().unwrap());
    let error = reader.kind().unwrap_err();
    assert!(error.is_fatal() && error.to_string().contains("<foo>"), "{error}");
    assert_eq!(reader.skip().unwrap_err(), error);
    assert_eq!(reader.next_item().unwrap_err(), error);
    assert_eq!(reader.next_member().unwrap_err(), error);
    assert_eq!(reader.begin_array().unwrap_err(), error);
    assert_eq!(reader.finish().unwrap_err(), error);
}

#[test]
fn values_that_are_not_read_are_passed_over() {
    let bytes = write_success(&Value::Array(vec![Value::Array(vec!["deep".into()]), "b".into()]));
    let Outcome::Success(mut reader) = read_reply(&bytes, &Limits::reply()).unwrap() else { panic!("no success") };
    reader.begin_array().unwrap();
    assert!(reader.next_item().unwrap());
    assert!(reader.next_item().unwrap());
    assert_eq!(String::read(&mut reader).unwrap(), "b");
    reader.finish().unwrap();
    let Outcome::Success(reader) = read_reply(&bytes, &Limits::reply()).unwrap() else { panic!("no success") };
    reader.finish().unwrap();
}

#[test]
fn the_result_of_a_task_is_a_lone_value() {
    let limits = Limits::default();
    assert_eq!(read_value_text("<value></value>", &limits).unwrap(), Value::VOID);
    let reference = read_value_as("<value>OpaqueRef:1</value>", &limits, RawRef::read).unwrap();
    assert_eq!(reference.as_str(), "OpaqueRef:1");
    read_value_as("<value></value>", &limits, <()>::read).unwrap();
    assert_eq!(read_value_text("", &limits).unwrap_err().kind(), ReadErrorKind::Truncated);
    assert_eq!(read_value_text("<value>1</value><value/>", &limits).unwrap_err().kind(), ReadErrorKind::Syntax);
    assert_eq!(read_value_text("<string>1</string>", &limits).unwrap_err().kind(), ReadErrorKind::Syntax);
}

#[test]
fn a_map_with_an_empty_key_is_read() {
    let body = member("Status", "Success") + &member("Value", &format!("<struct>{}</struct>", member("", "x")));
    let map = read_result(&members(&body), &Limits::reply(), Map::<String, String>::read).unwrap().unwrap();
    assert_eq!(map.get(""), Some(&"x".to_string()));
}

#[test]
fn a_wrong_date_loses_nothing_around_it() {
    let date = "<dateTime.iso8601>x</dateTime.iso8601>";
    let body = member("Status", "Success")
        + &member("Value", &format!("<array><data><value>{date}</value><value>b</value></data></array>"));
    let bytes = members(&body);
    let Outcome::Success(mut reader) = read_reply(&bytes, &Limits::reply()).unwrap() else { panic!("no success") };
    reader.begin_array().unwrap();
    assert!(reader.next_item().unwrap());
    let error = DateTime::read(&mut reader).unwrap_err();
    assert_eq!(error.kind(), ReadErrorKind::Mismatch);
    assert!(reader.next_item().unwrap());
    assert_eq!(String::read(&mut reader).unwrap(), "b");
}

#[test]
fn secrets_do_not_show_when_debugged() {
    let bytes = write_success(&"OpaqueRef:secret".into());
    let outcome = read_reply(&bytes, &Limits::reply()).unwrap();
    assert!(!format!("{outcome:?}").contains("secret"));
    let mut writer = xenapi_codec::xmlrpc::XmlWriter::new();
    "secret".to_string().write(&mut writer);
    assert!(!format!("{writer:?}").contains("secret"));
    // Bytes as numbers are no better.
    assert!(!format!("{outcome:?}{writer:?}").contains("115, 101, 99"));
}
