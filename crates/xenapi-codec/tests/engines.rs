//! The scanner against the general reader: the same values, the same errors, whatever the document.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::{change, changed, document};
use proptest::prelude::*;
use xenapi_codec::Limits;
use xenapi_codec::xmlrpc::{
    Engine, Outcome, read_call_with, read_reply_with, read_result_with, read_value_with, write_success,
};
use xenapi_core::{DateTime, Map, Reader, Records, Struct, Value, Wire, to_value};
use xenapi_model::{EventBatch, vm};

fn limits() -> Limits {
    Limits { depth: 12, members: 400, records: 60, text: 300, ..Limits::default() }
}

/// What a document gives as that type: the result or the error, with every detail.
fn outcome<R: Wire + core::fmt::Debug>(bytes: &[u8], engine: Engine) -> String {
    format!("{:?}", read_result_with(bytes, &limits(), engine, R::read))
}

#[track_caller]
fn same<R: Wire + core::fmt::Debug>(bytes: &[u8]) {
    let general = outcome::<R>(bytes, Engine::General);
    let shown = String::from_utf8_lossy(bytes);
    assert_eq!(outcome::<R>(bytes, Engine::Auto), general, "{shown}");
    let scanner = outcome::<R>(bytes, Engine::Scanner);
    assert!(scanner == general || scanner.contains("XML-RPC as xapi writes it"), "{scanner}\n{general}\n{shown}");
}

#[track_caller]
fn all_agree(bytes: &[u8]) {
    same::<Value>(bytes);
    same::<Records<vm::Record>>(bytes);
    same::<EventBatch>(bytes);
    same::<Map<String, Option<Vec<DateTime>>>>(bytes);
    same::<Vec<f64>>(bytes);
    same::<()>(bytes);
    let general = format!("{:?}", read_call_with(bytes, &limits(), Engine::General));
    let shown = String::from_utf8_lossy(bytes);
    assert_eq!(format!("{:?}", read_call_with(bytes, &limits(), Engine::Auto)), general, "{shown}");
    let scanner = format!("{:?}", read_call_with(bytes, &limits(), Engine::Scanner));
    assert!(scanner == general || scanner.contains("XML-RPC as xapi writes it"), "{scanner}\n{general}\n{shown}");
    if let Ok(text) = core::str::from_utf8(bytes) {
        let general = format!("{:?}", read_value_with(text, &limits(), Engine::General, Value::read));
        assert_eq!(format!("{:?}", read_value_with(text, &limits(), Engine::Auto, Value::read)), general, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn documents_read_alike(document in document()) {
        all_agree(&document.0);
    }

    #[test]
    fn changed_documents_read_alike(document in document(), changes in proptest::collection::vec(change(), 1..4)) {
        all_agree(&changed(document.0, &changes));
    }
}

#[test]
fn what_xapi_writes_needs_the_scanner_alone() {
    let record = to_value(&vm::Record::default());
    let reply = write_success(&Value::Struct([("OpaqueRef:1", record)].into_iter().collect()));
    let Outcome::Success(mut reader) = read_reply_with(&reply, &Limits::reply(), Engine::Auto).unwrap() else {
        panic!("no success")
    };
    assert_eq!(reader.engine(), Engine::Scanner);
    Records::<vm::Record>::read(&mut reader).unwrap();
    assert_eq!(reader.engine(), Engine::Scanner);
    reader.finish().unwrap();
}

#[test]
fn what_is_pretty_printed_needs_the_scanner_alone() {
    let call = "<?xml version='1.0'?>\n<methodCall>\n\t<methodName>VM.start</methodName>\n<params>\r\n <param>\n  <value>\n \
                <struct>\n <member>\n <name>a</name>\n <value><i4>5</i4>\n</value>\n</member>\n</struct>\n</value>\n</param>\
                <param>\n <value> <array> <data>\n <value> <string>x</string> </value>\n</data> </array> </value> </param>\n\
                </params>\n</methodCall>\n";
    let scanner = read_call_with(call.as_bytes(), &Limits::request(), Engine::Scanner).unwrap();
    assert_eq!(scanner, read_call_with(call.as_bytes(), &Limits::request(), Engine::General).unwrap());
}

#[test]
fn the_general_reader_takes_over_in_the_middle_and_says_so() {
    let records: Struct = (0..3).map(|at| (format!("OpaqueRef:{at}"), Value::from("x"))).collect();
    let text = String::from_utf8(write_success(&Value::Struct(records))).unwrap();
    let odd = text.replace("<name>OpaqueRef:2</name>", "<name>OpaqueRef:2</name><!-- c -->");
    let Outcome::Success(mut reader) = read_reply_with(odd.as_bytes(), &Limits::reply(), Engine::Auto).unwrap() else {
        panic!("no success")
    };
    reader.begin_struct().unwrap();
    for at in 0..3 {
        assert_eq!(reader.next_member().unwrap().unwrap(), format!("OpaqueRef:{at}"));
        assert_eq!(reader.engine(), if at < 2 { Engine::Scanner } else { Engine::General });
        assert_eq!(String::read(&mut reader).unwrap(), "x");
    }
    assert!(reader.next_member().unwrap().is_none());
    reader.finish().unwrap();
}

#[test]
fn a_document_longer_than_a_window_reads_alike() {
    let long: String = "<&é\r\n网 ".repeat(20_000);
    let items: Vec<Value> = (0..3000_i64)
        .map(|at| if at % 1000 == 500 { Value::from(long.clone()) } else { Value::from(format!("{at} é")) })
        .collect();
    for value in [Value::Array(items.clone()), Value::Array(items[..400].to_vec())] {
        let bytes = write_success(&value);
        let limits = Limits::reply();
        let scanner = read_result_with(&bytes, &limits, Engine::Scanner, Value::read).unwrap();
        assert_eq!(scanner, read_result_with(&bytes, &limits, Engine::General, Value::read).unwrap());
    }
}
