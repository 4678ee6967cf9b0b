//! Documents that mean harm, or that were cut off.
#![allow(clippy::unwrap_used, missing_docs)]

use xenapi_codec::Limits;
use xenapi_codec::xmlrpc::{Outcome, read_call, read_reply, read_result, read_value_text, write_call, write_success};
use xenapi_core::{RawCall, ReadError, ReadErrorKind, Reader, Struct, Value, Wire};

fn nested(open: &str, close: &str, depth: usize) -> String {
    format!("<value>{}{}</value>", open.repeat(depth), close.repeat(depth))
}

#[track_caller]
fn over(error: &ReadError, limit: &str) {
    assert_eq!(error.kind(), ReadErrorKind::Limit, "{error}");
    assert!(error.to_string().contains(&format!("over the limit of {limit}")), "{error}");
}

#[test]
fn depth_is_bounded_and_costs_no_stack() {
    let arrays = nested("<array><data><value>", "</value></data></array>", 200_000);
    let structs = nested("<struct><member><name>a</name><value>", "</value></member></struct>", 100_000);
    for text in [&arrays, &structs] {
        over(&read_value_text(text, &Limits::reply()).unwrap_err(), "64 arrays and structs inside each other");
    }
    // With the limit lifted, passing over the value still uses no stack.
    let limits = Limits { depth: usize::MAX, ..Limits::reply() };
    for text in [&arrays, &structs] {
        let bytes = format!("<methodResponse><params><param>{text}</param></params></methodResponse>");
        let reply = read_reply(bytes.as_bytes(), &limits);
        if text.starts_with("<value><struct>") {
            assert!(reply.unwrap_err().to_string().contains("Status"));
            continue;
        }
        let Outcome::Success(mut reader) = reply.unwrap() else { panic!("no success") };
        reader.skip().unwrap();
        reader.finish().unwrap();
    }
    let allowed = nested("<array><data><value>", "</value></data></array>", 64);
    assert!(read_value_text(&allowed, &Limits::reply()).is_ok());
    let unclosed = "<value><array><data>".repeat(100_000);
    over(&read_value_text(&unclosed, &Limits::reply()).unwrap_err(), "64 arrays");
    let unknown = "<a>".repeat(100_000);
    assert_eq!(read_value_text(&unknown, &Limits::reply()).unwrap_err().kind(), ReadErrorKind::Syntax);
}

#[test]
fn every_limit_is_named() {
    let limits = Limits { bytes: 400, depth: 2, members: 3, records: 100, text: 5 };
    let array = |items: &str| read_value_text(&format!("<value><array><data>{items}</data></array></value>"), &limits);
    assert!(array(&"<value/>".repeat(3)).is_ok());
    over(&array(&"<value/>".repeat(4)).unwrap_err(), "3 items and members");
    over(&array(&"<value/>".repeat(100)).unwrap_err(), "400 bytes");
    assert!(array("<value>12345</value>").is_ok());
    over(&array("<value>123456</value>").unwrap_err(), "5 bytes of text");
    over(&array("<value>12<!-- -->3&#52;56</value>").unwrap_err(), "5 bytes of text");
    let member = |name: &str| format!("<value><struct><member><name>{name}</name><value/></member></struct></value>");
    assert!(read_value_text(&member("12345"), &limits).is_ok());
    over(&read_value_text(&member("123456"), &limits).unwrap_err(), "5 bytes of text");
    let four = format!("<value><struct>{}</struct></value>", "<member><name>a</name><value/></member>".repeat(4));
    over(&read_value_text(&four, &limits).unwrap_err(), "3 items and members");
    over(&read_value_text(&nested("<array><data><value>", "</value></data></array>", 3), &limits).unwrap_err(), "2 arrays");

    let call = RawCall { method: "m".into(), params: vec![Value::VOID; 4] };
    over(&read_call(&write_call(&call), &limits).unwrap_err(), "3 items and members");
    over(&read_call(&vec![b' '; 300 * 1024 + 1], &Limits::request()).unwrap_err(), "307200 bytes");
}

#[test]
fn entities_do_not_grow() {
    let laughs = "<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol1 \"&lol;&lol;&lol;&lol;\">]>\
                  <methodCall><methodName>&lol1;</methodName><params/></methodCall>";
    let error = read_call(laughs.as_bytes(), &Limits::request()).unwrap_err();
    assert!(error.to_string().contains("internal subset"), "{error}");
    let external =
        "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><methodCall><methodName>&x;</methodName><params/></methodCall>";
    let error = read_call(external.as_bytes(), &Limits::request()).unwrap_err();
    assert!(error.to_string().contains("external identifier"), "{error}");
}

#[test]
fn huge_numbers_are_wrong_and_nothing_worse() {
    let digits = "9".repeat(100_000);
    for text in [
        format!("<int>{digits}</int>"),
        format!("<i4>-{digits}</i4>"),
        format!("<int>0x{digits}</int>"),
        format!("<dateTime.iso8601>{digits}</dateTime.iso8601>"),
        format!("&#{digits};"),
    ] {
        let error = read_value_text(&format!("<value>{text}</value>"), &Limits::reply()).unwrap_err();
        assert!(error.to_string().len() < 300, "{error}");
    }
    let long = read_value_text(&format!("<value><double>{digits}</double></value>"), &Limits::reply()).unwrap();
    assert_eq!(long, Value::Double(f64::INFINITY));
}

fn sample() -> Value {
    let inner: Struct =
        [("é&<", Value::from("a<b>&\"c'網")), ("list", Value::Array(vec![Value::Int32(1), Value::Nil, 1.5.into()]))]
            .into_iter()
            .collect();
    Value::Array(vec![
        inner.into(),
        Value::empty_struct(),
        true.into(),
        Value::Bytes(vec![1, 2, 3]),
        xenapi_core::DateTime::NEVER.into(),
    ])
}

#[test]
fn a_document_cut_at_any_byte_is_an_error() {
    let reply = write_success(&sample());
    assert_eq!(read_result(&reply, &Limits::reply(), Value::read).unwrap(), Ok(sample()));
    let call = write_call(&RawCall { method: "VM.start".into(), params: vec![sample()] });
    assert!(read_call(&call, &Limits::request()).is_ok());
    let cdata = b"<?xml version='1.0'?><!DOCTYPE a><!-- b --><methodCall><methodName>m</methodName><params><?c d?><param><value><![CDATA[x]]></value></param></params></methodCall>";
    assert!(read_call(cdata, &Limits::request()).is_ok());
    for end in 0..reply.len() {
        let error = read_result(&reply[..end], &Limits::reply(), Value::read).unwrap_err();
        assert!(error.is_fatal() && error.offset().is_some_and(|at| at <= end as u64), "{end}: {error}");
    }
    for document in [&call[..], cdata] {
        for end in 0..document.len() {
            let error = read_call(&document[..end], &Limits::request()).unwrap_err();
            assert!(error.is_fatal() && error.offset().is_some_and(|at| at <= end as u64), "{end}: {error}");
        }
    }
}

#[test]
fn a_byte_changed_anywhere_does_no_harm() {
    let call = write_call(&RawCall { method: "VM.start".into(), params: vec![sample()] });
    for at in 0..call.len() {
        for byte in [0, b'<', b'>', b'&', b';', b'/', b'"', b'[', 0x80, 0xff] {
            let mut changed = call.clone();
            changed[at] = byte;
            if let Err(error) = read_call(&changed, &Limits::request()) {
                assert!(error.offset().is_some_and(|at| at <= changed.len() as u64), "{error}");
            }
        }
    }
}
