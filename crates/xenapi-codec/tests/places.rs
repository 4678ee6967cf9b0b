//! What errors say to people, and what a server says of text that is not UTF-8.
#![allow(clippy::unwrap_used, missing_docs)]

use xenapi_codec::Limits;
use xenapi_codec::xmlrpc::{Request, read_call, read_request, read_result, write_call, write_success};
use xenapi_core::{RawCall, Records, Struct, Value, Wire, to_value};
use xenapi_model::vm;

#[test]
fn a_mismatch_says_where_in_the_record_and_in_the_document() {
    let mut record = to_value(&vm::Record::default());
    record.as_struct_mut().unwrap().set("VCPUs_max", "many");
    let bytes = write_success(&Value::Struct([("OpaqueRef:1", record)].into_iter().collect::<Struct>()));
    let records = read_result(&bytes, &Limits::reply(), Records::<vm::Record>::read).unwrap().unwrap();
    let error = &records.wrong[0];
    assert_eq!(error.path(), "VM[OpaqueRef:1].VCPUs_max");
    assert_eq!((error.expected(), error.found()), ("an integer", "text \"many\""));
    assert_eq!(error.line(), None, "all of it is on one line");
    assert!(error.excerpt().unwrap().contains("<value>many</value></member>"), "{error}");
    let at = error.offset().unwrap();
    let shown = error.to_string();
    assert!(shown.starts_with("VM[OpaqueRef:1].VCPUs_max: expected an integer, found text \"many\""), "{shown}");
    assert!(shown.contains(&format!("(at byte {at}) near `…")), "{shown}");
}

#[test]
fn a_document_of_several_lines_has_lines_and_columns() {
    let call = "<methodCall>\n <methodName>m</methodName>\n <params>\n  <param><wrong/></param>\n </params>\n</methodCall>";
    let error = read_call(call.as_bytes(), &Limits::request()).unwrap_err();
    assert_eq!((error.offset(), error.line()), (Some(call.find("<wrong").unwrap() as u64), Some((4, 10))));
    assert!(error.to_string().contains("line 4, column 10"), "{error}");
    let reply = "<methodResponse>\n<params>\n<param>\n<value><array><data>\n<value>x</value>\n</data></array></value>\n</param>\n</params>\n</methodResponse>";
    let error = read_result(reply.as_bytes(), &Limits::reply(), Vec::<i64>::read).unwrap_err();
    assert_eq!((error.line(), error.path().as_str()), (Some((5, 1)), "[0]"));
}

#[test]
fn no_secret_of_a_call_gets_into_an_error() {
    let params = vec!["root".into(), "hunter2".into()];
    let call = String::from_utf8(write_call(&RawCall { method: "session.login_with_password".into(), params })).unwrap();
    for broken in [call.replace("</params>", ""), call.replace("hunter2</value>", "hunter2</string>"), call + "x"] {
        let error = read_call(broken.as_bytes(), &Limits::request()).unwrap_err();
        assert!(error.excerpt().is_some(), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

fn request(params: &str) -> Request {
    let mut bytes = b"<methodCall><methodName>VM.set_name_label</methodName><params>".to_vec();
    bytes.extend(params.bytes());
    bytes.extend(b"</params></methodCall>");
    // In the text above, a tilde stands for a byte that is not UTF-8.
    bytes.iter_mut().filter(|byte| **byte == b'~').for_each(|byte| *byte = 0xff);
    read_request(&bytes, &Limits::request()).unwrap()
}

#[test]
fn text_that_is_not_utf8_is_named() {
    let right = request("<param><value>\u{fffd}</value></param>");
    assert_eq!((right.invalid, right.call.params), (None, vec!["\u{fffd}".into()]));
    let wrong = request("<param><value>\u{fffd}</value></param><param><value>a~b</value></param>");
    assert_eq!(wrong.invalid.as_deref(), Some("a\u{fffd}b"), "not the first, which is right");
    assert_eq!(wrong.call.params, vec!["\u{fffd}".into(), "a\u{fffd}b".into()]);
    let inner = request(
        "<param><value><struct><member><name>n</name><value><array><data><value>~</value></data></array></value></member></struct></value></param>",
    );
    assert_eq!(inner.invalid.as_deref(), Some("\u{fffd}"));
    let name = request("<param><value><struct><member><name>k~</name><value>v</value></member></struct></value></param>");
    assert_eq!(name.invalid.as_deref(), Some("k\u{fffd}"));
    assert!(read_request(b"<methodCall><methodName>m\xff", &Limits::request()).is_err());
    assert!(read_call(b"<methodCall><methodName>m\xff</methodName><params/></methodCall>", &Limits::request()).is_err());
}
