//! JSON-RPC in both versions, as a server and as a client.
#![allow(clippy::unwrap_used, missing_docs)]
#![allow(clippy::needless_update, reason = "limits may become more")]

use proptest::prelude::*;
use xenapi_codec::Limits;
use xenapi_codec::jsonrpc::{
    Id, JsonCall, Outcome, Version, read_call, read_reply, read_result, read_value, write_call, write_early_failure,
    write_failure, write_success, write_value,
};
use xenapi_core::{DateTime, Failure, Kind, Map, RawCall, ReadErrorKind, Reader, Records, Struct, Value, Wire};
use xenapi_model::vm;

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn call_of(json: &str) -> Result<JsonCall, xenapi_core::ReadError> {
    read_call(json.as_bytes(), &Limits::request())
}

fn result_of<T: Wire>(json: &str) -> Result<Result<T, Failure>, xenapi_core::ReadError> {
    read_result(json.as_bytes(), &Limits::default(), T::read)
}

#[test]
fn replies_have_the_version_of_the_call() {
    let (value, id) = (Value::from("x"), Id::Int(1));
    assert_eq!(text(write_success(&value, Version::V1, &id)), r#"{"result":"x","error":null,"id":1}"#);
    assert_eq!(
        text(write_success(&value, Version::V2, &Id::Text("a".into()))),
        r#"{"jsonrpc":"2.0","result":"x","id":"a"}"#
    );
    let failure = Failure::new("SESSION_INVALID", ["bad"]);
    assert_eq!(
        text(write_failure(&failure, Version::V1, &id)),
        r#"{"result":null,"error":["SESSION_INVALID","bad"],"id":1}"#
    );
    assert_eq!(
        text(write_failure(&failure, Version::V2, &id)),
        r#"{"jsonrpc":"2.0","error":{"code":1,"message":"SESSION_INVALID","data":["bad"]},"id":1}"#
    );
    assert_eq!(text(write_early_failure(&failure)), r#"{"jsonrpc":"2.0","error":["SESSION_INVALID","bad"],"id":0}"#);
}

#[test]
fn values_travel_as_xapi_sends_them() {
    let values = [
        (Value::Int(i64::MAX), "9223372036854775807"),
        (Value::Double(0.0), "0.0"),
        (Value::Double(f64::INFINITY), "Infinity"),
        (Value::VOID, r#""""#),
        (DateTime::from_unix(1_706_696_430).into(), r#""20240131T10:20:30Z""#),
        (Value::Bytes(b"foo".to_vec()), r#""Zm9v""#),
        (Value::empty_struct(), "{}"),
        (Value::Array(vec![Value::Nil, Value::Bool(true)]), "[null,true]"),
        ("\u{1}\u{7f}é\u{2028}</\"\\".into(), "\"\\u0001\\u007fé\u{2028}</\\\"\\\\\""),
    ];
    for (value, json) in values {
        assert_eq!(text(write_value(&value)), json);
    }
}

#[test]
fn calls_of_both_versions_are_read() {
    let call = |params: Vec<Value>, version, id| JsonCall {
        call: RawCall { method: "m".into(), params },
        version,
        id,
        invalid: None,
    };
    let object: Value = Value::Struct([("a", Value::Int(1))].into_iter().collect::<Struct>());
    for (json, expected) in [
        (
            r#"{"method":"m","params":[1,"2",3.5,null],"id":7}"#,
            call(vec![1_i64.into(), "2".into(), 3.5.into(), Value::Nil], Version::V1, Id::Int(7)),
        ),
        (r#" { "id" : "x" , "params" : [ ] , "method" : "m" } "#, call(vec![], Version::V1, Id::Text("x".into()))),
        (r#"{"jsonrpc":"2.0","method":"m","id":7}"#, call(vec![], Version::V2, Id::Int(7))),
        (r#"{"jsonrpc":"2.0","method":"m","params":null,"id":7}"#, call(vec![], Version::V2, Id::Int(7))),
        (r#"{"jsonrpc":"2.0","method":"m","params":{"a":1},"id":7}"#, call(vec![object], Version::V2, Id::Int(7))),
        (r#"{"jsonrpc":"2.0","method":"m","params":[],"id":7,"more":[{}]}"#, call(vec![], Version::V2, Id::Int(7))),
    ] {
        assert_eq!(call_of(json).unwrap(), expected, "{json}");
    }
}

#[test]
fn what_is_no_call_is_refused_with_its_place() {
    for (json, expected) in [
        (r#"[{"method":"m","params":[],"id":1}]"#, "expected a struct, found an array (at byte 0)"),
        (r#"{"method":"m","params":[]}"#, "expected a call with an id, found one without"),
        (r#"{"method":"m","params":[],"id":null}"#, "id: expected a number or text as the id, found nil"),
        (r#"{"method":"m","params":[],"id":1.5}"#, "id: expected a number or text as the id, found a double"),
        (r#"{"params":[],"id":1}"#, "expected a call with a method, found an object without"),
        (r#"{"method":"m","id":1}"#, "expected a call with params, found one without"),
        (r#"{"method":"m","params":{},"id":1}"#, "expected an array of params, found a struct"),
        (r#"{"jsonrpc":"2.0","method":"m","params":1,"id":1}"#, "expected an array of params, found an integer"),
        (
            r#"{"jsonrpc":"2.1","method":"m","params":[],"id":1}"#,
            "expected the version \"2.0\", or none for 1.0, found \"2.1\"",
        ),
        (r#"{"method":5,"params":[],"id":1}"#, "method: expected text, found the integer 5 (at byte 10)"),
        ("{\"method\":\"a\nb\"}", "expected a string of JSON, found the control character 0x0a (at byte 12)"),
        (r#"{"method":"m","params":[01],"id":1}"#, "expected a number of JSON, found \"01\" (at byte 24)"),
        (r#"{"method":"m","params":[1,],"id":1}"#, "expected a value of JSON, found ']' (at byte 26)"),
        (r#"{"method":"m","params":[1 2],"id":1}"#, "expected a comma or ], found \"2\" (at byte 26)"),
        (r#"{"method":"m","params":[],"id":1,}"#, "expected the name of a member, found '}' (at byte 33)"),
        (r#"{"method":"m","params":[],"id":1} x"#, "expected the end of the document, found 'x' (at byte 34)"),
        (r#"{"method":"m","params":[truely],"id":1}"#, "expected a value of JSON, found \"truely\" (at byte 24)"),
        (
            r#"{"method":"m","params":["\ud800"],"id":1}"#,
            "expected a surrogate pair, found half of one, 0xd800 (at byte 25)",
        ),
        (r#"{"method":"m","#, "expected the name of a member, found the end of the document (at byte 14)"),
        ("not json", "expected a value of JSON, found \"not\" (at byte 0)"),
        ("", "expected a value of JSON, found the end of the document (at byte 0)"),
    ] {
        let error = call_of(json).unwrap_err();
        assert!(error.is_fatal(), "{json}");
        assert!(error.to_string().ends_with(expected), "{json}: {error}");
    }
}

#[test]
fn a_text_that_is_not_utf8_is_told_apart() {
    let read =
        read_call(b"{\"method\":\"m\",\"params\":[\"ok\",\"a\xffb\",\"\xfe\"],\"id\":3}", &Limits::request()).unwrap();
    assert_eq!(read.invalid.as_deref(), Some("a\u{fffd}b"));
    assert_eq!(read.id, Id::Int(3));
    read_call(b"{\"method\":\"m\",\"params\":[],\"id\":3}\xff", &Limits::request()).unwrap_err();
    let error = read_reply(b"{\"result\":\"\xff\"}", &Limits::reply()).unwrap_err();
    assert_eq!(error.to_string(), "expected UTF-8, found the byte 0xff (at byte 11)");
}

#[test]
fn replies_are_read_in_any_order() {
    for json in [
        r#"{"result":"5","error":null,"id":1}"#,
        r#"{"id":1,"error":null,"result":"5"}"#,
        r#"{"jsonrpc":"2.0","result":5,"id":1}"#,
        " {\n\t\"jsonrpc\" : \"2.0\", \"result\" : 5 }\r\n",
    ] {
        assert_eq!(result_of::<i64>(json).unwrap(), Ok(5), "{json}");
    }
    assert_eq!(result_of::<Option<i64>>(r#"{"result":null,"id":1}"#).unwrap(), Ok(None));
    assert_eq!(result_of::<()>(r#"{"result":"","error":null,"id":1}"#).unwrap(), Ok(()));
}

#[test]
fn refusals_faults_and_broken_replies_are_different_things() {
    let refused = Failure::new("HANDLE_INVALID", ["VM", "x"]);
    for json in [
        r#"{"result":null,"error":["HANDLE_INVALID","VM","x"],"id":1}"#,
        r#"{"error":["HANDLE_INVALID","VM","x"],"result":null,"id":1}"#,
        r#"{"jsonrpc":"2.0","error":{"code":1,"message":"HANDLE_INVALID","data":["VM","x"]},"id":1}"#,
        r#"{"jsonrpc":"2.0","error":["HANDLE_INVALID","VM","x"],"id":0}"#,
    ] {
        assert_eq!(result_of::<String>(json).unwrap(), Err(refused.clone()), "{json}");
    }
    let fault = br#"{"jsonrpc":"2.0","error":{"code":-32601,"message":"no such method","data":{}},"id":1}"#;
    let Outcome::Fault { code, text } = read_reply(fault, &Limits::reply()).unwrap() else { panic!("no fault") };
    assert_eq!((code, text.as_str()), (-32601, "no such method"));
    for json in [
        r#"{"id":1}"#,
        r#"{"result":1,"error":["X"],"id":1}"#,
        r#"{"error":["X"],"result":1,"id":1}"#,
        r#"{"error":{"message":5},"id":1}"#,
        r#"[]"#,
        r#""text""#,
    ] {
        let error = result_of::<i64>(json).unwrap_err();
        assert_eq!(error.kind(), ReadErrorKind::Syntax, "{json}: {error}");
    }
}

#[test]
fn integers_keep_all_their_digits() {
    let reply = r#"{"result":[9007199254740993,-9223372036854775808],"error":null,"id":1}"#;
    assert_eq!(result_of::<Vec<i64>>(reply).unwrap().unwrap(), [9_007_199_254_740_993, i64::MIN]);
    let long = "{\"result\":92233720368547758070,\"id\":1}";
    assert_eq!(result_of::<String>(long).unwrap().unwrap(), "92233720368547758070");
    assert_eq!(result_of::<f64>(long).unwrap().unwrap(), 92_233_720_368_547_758_070.0);
    let error = result_of::<i64>(long).unwrap_err();
    assert_eq!(error.to_string(), "expected an integer, found text \"92233720368547758070\" (at byte 10)");
}

#[test]
fn bare_words_stand_for_what_json_cannot_say() {
    let numbers = result_of::<Vec<f64>>(r#"{"result":[NaN,Infinity,-Infinity,-1],"id":1}"#).unwrap().unwrap();
    assert!(numbers[0].is_nan());
    assert_eq!(numbers[1..], [f64::INFINITY, f64::NEG_INFINITY, -1.0]);
    for word in ["nan", "NaNs", "+Infinity", "-Inf", "-NaN"] {
        result_of::<f64>(&format!(r#"{{"result":{word},"id":1}}"#)).unwrap_err();
    }
}

#[test]
fn one_wrong_record_does_not_lose_the_others() {
    let json = r#"{"result":{"OpaqueRef:1":{"name_label":"a","VCPUs_max":2},"OpaqueRef:2":{"VCPUs_max":{"x":[1]},"name_label":"b"},
        "OpaqueRef:3":{"name_label":"c","VCPUs_max":"4"}},"error":null,"id":1}"#;
    let all = result_of::<Records<vm::Record>>(json).unwrap().unwrap();
    let names: Vec<_> = all.records.iter().map(|(_, vm)| (vm.name_label.as_str(), vm.vcpus_max)).collect();
    assert_eq!(names, [("a", 2), ("c", 4)]);
    let [wrong] = all.wrong.as_slice() else { panic!("{:?}", all.wrong) };
    assert!(wrong.path().contains("OpaqueRef:2") && wrong.path().ends_with("VCPUs_max"), "{wrong}");
    assert_eq!((wrong.expected(), wrong.found(), wrong.offset()), ("an integer", "a struct", Some(85)));
}

#[test]
fn limits_are_named() {
    let tight = Limits { bytes: 60, depth: 3, members: 4, text: 8, ..Limits::default() };
    let read = |json: &str| read_value(json, &tight, Value::read);
    for (json, expected) in [
        ("[[[1]]]", None),
        ("[[[[1]]]]", Some("over the limit of 3 arrays and structs inside each other: one more (at byte 3)")),
        ("[1,2,3,4]", None),
        ("[1,2,3,{},4]", Some("over the limit of 4 items and members: one more (at byte 10)")),
        ("\"12345678\"", None),
        ("\"123456789\"", Some("over the limit of 8 bytes of text: a longer one (at byte 0)")),
        ("{\"123456789\":1}", Some("over the limit of 8 bytes of text: a longer one (at byte 1)")),
        ("1234567890", Some("over the limit of 8 bytes of text: a longer number (at byte 0)")),
    ] {
        match (read(json), expected) {
            (Ok(_), None) => {}
            (Err(error), Some(expected)) => assert!(error.to_string().ends_with(expected), "{json}: {error}"),
            (read, expected) => panic!("{json}: {read:?} and not {expected:?}"),
        }
    }
    let long = read(&" ".repeat(61)).unwrap_err();
    assert_eq!(long.to_string(), "over the limit of 60 bytes: 61 bytes");
    assert_eq!(long.kind(), ReadErrorKind::Limit);
}

#[test]
fn depth_costs_no_stack_when_passed_over() {
    let deep = format!("{{\"result\":1,\"more\":{}{}}}", "[".repeat(500_000), "]".repeat(500_000));
    let limits = Limits { depth: 1_000_000, ..Limits::default() };
    assert_eq!(read_result(deep.as_bytes(), &limits, i64::read).unwrap(), Ok(1));
}

#[test]
fn a_value_that_nobody_takes_is_passed_over() {
    let reply = br#"{"result":{"a":[1,{"b":2}],"c":3},"error":null,"id":1}"#;
    let Outcome::Success(mut reader) = read_reply(reply, &Limits::reply()).unwrap() else { panic!("no success") };
    reader.begin_struct().unwrap();
    assert_eq!(reader.next_member().unwrap().as_deref(), Some("a"));
    assert_eq!(reader.kind().unwrap(), Kind::Array);
    assert_eq!(reader.next_member().unwrap().as_deref(), Some("c"));
    assert_eq!(i64::read(&mut reader).unwrap(), 3);
    assert!(reader.skip().is_err(), "there is no value here");
    let Outcome::Success(reader) = read_reply(reply, &Limits::reply()).unwrap() else { panic!("no success") };
    reader.finish().unwrap();
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<String>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_filter("NaN is not equal to itself", |number| !number.is_nan()).prop_map(Value::Double),
        Just(Value::Nil),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            proptest::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|members| Value::Struct(members.into_iter().collect::<Struct>())),
        ]
    })
}

/// Pieces of documents, so that random ones get past the first bracket.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => proptest::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u12", "\\ud83d", "null", "true", "NaN", "-", "1", "0", ".5", "e9", "\"result\":",
            "\"error\":", "\"id\":1", "\"method\":\"m\"", "\"params\":", "\"jsonrpc\":\"2.0\"", "{\"result\":", "\"code\":1", "\"data\":[", " ",
        ]).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn values_come_back(value in value()) {
        let json = text(write_value(&value));
        prop_assert_eq!(read_value(&json, &Limits::default(), Value::read).unwrap(), value);
    }

    #[test]
    fn replies_come_back(value in value(), second in any::<bool>()) {
        let version = if second { Version::V2 } else { Version::V1 };
        let reply = write_success(&value, version, &Id::Int(-1));
        prop_assert_eq!(read_result(&reply, &Limits::default(), Value::read).unwrap(), Ok(value));
    }

    #[test]
    fn failures_come_back(code in "[A-Z_]{1,9}", params in proptest::collection::vec(any::<String>(), 0..4), second in any::<bool>()) {
        let failure = Failure { code, params };
        let version = if second { Version::V2 } else { Version::V1 };
        for reply in [write_failure(&failure, version, &Id::Text("x".into())), write_early_failure(&failure)] {
            prop_assert_eq!(read_result(&reply, &Limits::default(), Value::read).unwrap(), Err(failure.clone()));
        }
    }

    #[test]
    fn calls_come_back(method in any::<String>(), params in proptest::collection::vec(value(), 0..4), id in any::<i64>(), second in any::<bool>()) {
        let call = RawCall { method, params };
        let version = if second { Version::V2 } else { Version::V1 };
        let read = read_call(&write_call(&call, version, &Id::Int(id)), &Limits::default()).unwrap();
        prop_assert_eq!(read, JsonCall { call, version, id: Id::Int(id), invalid: None });
    }

    #[test]
    fn maps_keep_their_keys(map in proptest::collection::btree_map(any::<i64>(), any::<String>(), 0..6)) {
        let map: Map<i64, String> = map.into_iter().collect();
        let json = text(write_value(&xenapi_core::to_value(&map)));
        prop_assert_eq!(read_value(&json, &Limits::default(), Map::<i64, String>::read).unwrap(), map);
    }

    #[test]
    fn bytes_never_panic(bytes in soup()) {
        let tight = Limits { bytes: 200, depth: 4, members: 10, text: 20, ..Limits::default() };
        for limits in [Limits::default(), tight] {
            let _ = read_call(&bytes, &limits);
            let _ = read_result(&bytes, &limits, Value::read);
            let _ = read_result(&bytes, &limits, Records::<vm::Record>::read);
            if let Ok(text) = core::str::from_utf8(&bytes) {
                let _ = read_value(text, &limits, Value::read);
            }
        }
    }

    /// What this reads as JSON, a general reader of JSON reads alike; bare words apart, both refuse the same.
    #[test]
    fn agrees_with_serde(bytes in soup()) {
        let Ok(json) = core::str::from_utf8(&bytes) else { return Ok(()) };
        let ours = read_value(json, &Limits::default(), Value::read);
        let theirs = serde_json::from_str::<serde_json::Value>(json);
        // A number too large for a double is infinite here, as for xapi.
        let too_large = theirs.as_ref().is_err_and(|error| error.to_string().contains("out of range"));
        if !json.contains("NaN") && !too_large {
            prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?} {:?}", ours, theirs);
        }
    }
}
