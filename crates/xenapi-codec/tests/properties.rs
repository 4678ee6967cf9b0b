//! Properties of reading and writing.
#![allow(clippy::unwrap_used, missing_docs)]

use proptest::prelude::*;
use xenapi_codec::Limits;
use xenapi_codec::xmlrpc::{
    Outcome, read_call, read_reply, read_result, read_value_text, write_bare, write_call, write_failure, write_success,
    write_value_text,
};
use xenapi_core::{DateTime, Failure, Kind, Map, RawCall, Reader, Records, Struct, Value, Wire};
use xenapi_model::{EventBatch, vm};

/// Text that survives the way: control characters are dropped and carriage returns become line feeds.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,12}",
        "[<>&\"'\\]\\t\\n a]{0,12}",
        proptest::collection::vec(any::<char>(), 0..12)
            .prop_map(|chars| { chars.into_iter().filter(|c| *c >= ' ' || matches!(c, '\t' | '\n')).collect() }),
    ]
}

fn name() -> impl Strategy<Value = String> {
    text().prop_filter("xapi reads no empty name", |name| !name.is_empty())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        text().prop_map(Value::from),
        any::<i32>().prop_map(Value::Int32),
        any::<bool>().prop_map(Value::from),
        // Sixteen digits do not always give the same double back; the numbers of the API have fewer.
        (-1_000_000_000_000_000_i64..1_000_000_000_000_000, -30_i32..30)
            .prop_map(|(digits, exponent)| Value::Double(format!("{digits}e{exponent}").parse().unwrap())),
        Just(Value::Double(f64::INFINITY)),
        (-60_000_000_000_i64..250_000_000_000).prop_map(|seconds| DateTime::from_unix(seconds).into()),
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(Value::Bytes),
        Just(Value::Nil),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            proptest::collection::vec((name(), inner), 0..6)
                .prop_map(|members| Value::Struct(members.into_iter().collect::<Struct>())),
        ]
    })
}

/// Pieces of documents, so that random ones get past the first tag.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => proptest::sample::select(vec![
            "<value>", "</value>", "<value/>", "<struct>", "</struct>", "<member>", "</member>", "<name>", "</name>", "<name>a</name>",
            "<array>", "</array>", "<data>", "</data>", "<int>", "</int>", "<i4>7</i4>", "<string>", "</string>", "<nil/>", "<double>",
            "</double>", "<boolean>1</boolean>", "<base64>", "</base64>", "<params>", "</params>", "<param>", "</param>", "<fault>",
            "</fault>", "<methodCall>", "</methodCall>", "<methodName>m</methodName>", "<methodResponse>", "</methodResponse>",
            "<?xml version=\"1.0\"?>", "<!DOCTYPE a>", "<!-- ", " -->", "<![CDATA[", "]]>", "&amp;", "&#x41;", "&", ";", " ", "\n",
            "Status", "Success", "Failure", "<name>Status</name><value>Success</value>", "<name>Value</name>", "<", ">", "\u{feff}",
        ]).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// Reads whatever comes in a way that no schema would, until it ends.
fn wander(reader: &mut dyn Reader, steps: &[u8]) {
    for step in steps {
        let _ = match step % 8 {
            0 => reader.kind().map(drop),
            1 => reader.scalar().map(drop),
            2 => reader.begin_array(),
            3 => reader.next_item().map(drop),
            4 => reader.begin_struct(),
            5 => reader.next_member().map(drop),
            6 => reader.skip(),
            _ => match reader.kind() {
                Ok(Kind::Array) => reader.begin_array(),
                Ok(Kind::Struct) => reader.begin_struct(),
                Ok(_) => reader.scalar().map(drop),
                Err(_) => Ok(()),
            },
        };
        assert!(reader.offset().is_some());
    }
}

/// What looks like a batch of events of VMs, so that the types that are most deeply nested are gone through.
fn batch(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    inner.prop_map(move |inner| {
        let with = |names: &[&'static str], name: &'static str, value: Value| -> Value {
            let others = names.iter().map(|name| (*name, inner.clone()));
            Value::Struct(others.chain([(name, value)]).collect::<Struct>())
        };
        let record = with(&["uuid", "VCPUs_max", "tags", "snapshot_time", "new"], "other_config", inner.clone());
        let event = with(&["id", "class"], "snapshot", record);
        with(&["token", "OpaqueRef:1"], "events", Value::Array(vec![event, inner.clone()]))
    })
}

/// Reads a value as that type, which it need not be, and goes on behind it.
fn ends_behind<T: Wire>(value: &Value) {
    let bytes = write_bare(&Value::Array(vec![value.clone(), "behind".into()]));
    let Ok(Outcome::Success(mut reader)) = read_reply(&bytes, &Limits::default()) else { panic!("no success") };
    reader.begin_array().unwrap();
    assert!(reader.next_item().unwrap());
    if let Err(error) = T::read(&mut reader) {
        assert!(!error.is_fatal(), "{error}");
    }
    assert!(reader.next_item().unwrap());
    assert_eq!(String::read(&mut reader).unwrap(), "behind");
    assert!(!reader.next_item().unwrap());
    reader.finish().unwrap();
}

proptest! {
    #[test]
    fn a_value_comes_back(value in value()) {
        let limits = Limits::default();
        prop_assert_eq!(&read_value_text(&write_value_text(&value), &limits).unwrap(), &value);
        prop_assert_eq!(&read_result(&write_success(&value), &limits, Value::read).unwrap().unwrap(), &value);
        if value.as_struct().is_none() {
            prop_assert_eq!(&read_result(&write_bare(&value), &limits, Value::read).unwrap().unwrap(), &value);
        }
    }

    #[test]
    fn a_call_comes_back(method in name(), params in proptest::collection::vec(value(), 0..4)) {
        let call = RawCall { method, params };
        prop_assert_eq!(read_call(&write_call(&call), &Limits::default()).unwrap(), call);
    }

    #[test]
    fn a_failure_comes_back(code in text(), params in proptest::collection::vec(text(), 0..4)) {
        let failure = Failure { code, params };
        let read = read_result(&write_failure(&failure), &Limits::default(), Value::read).unwrap();
        prop_assert_eq!(read, Err(failure));
    }

    #[test]
    fn whatever_is_written_can_be_read(text in any::<String>(), name in any::<String>()) {
        let value = Value::Struct([(name, Value::from(text))].into_iter().collect::<Struct>());
        let once = read_value_text(&write_value_text(&value), &Limits::default()).unwrap();
        // What is lost (control characters, carriage returns) is lost at the first time.
        prop_assert_eq!(&read_value_text(&write_value_text(&once), &Limits::default()).unwrap(), &once);
    }

    #[test]
    fn an_integer_comes_back_as_text(number in any::<i64>()) {
        let text = write_value_text(&Value::Int(number));
        prop_assert_eq!(read_value_text(&text, &Limits::default()).unwrap(), Value::Text(number.to_string()));
        let bytes = write_success(&Value::Int(number));
        prop_assert_eq!(read_result(&bytes, &Limits::default(), i64::read).unwrap(), Ok(number));
        let tagged = format!("<value><int>{number}</int></value>");
        prop_assert_eq!(read_value_text(&tagged, &Limits::default()).unwrap(), Value::Int(number));
    }

    #[test]
    fn no_bytes_do_harm(bytes in prop_oneof![proptest::collection::vec(any::<u8>(), 0..200), soup()], steps in any::<Vec<u8>>()) {
        let limits = Limits { depth: 8, members: 40, ..Limits::default() };
        let _ = read_call(&bytes, &limits);
        let _ = read_result(&bytes, &limits, Value::read);
        if let Ok(Outcome::Success(mut reader)) = read_reply(&bytes, &limits) {
            wander(&mut reader, &steps);
            let _ = reader.finish();
        }
    }

    #[test]
    fn no_order_of_questions_does_harm(value in value(), steps in any::<Vec<u8>>()) {
        let bytes = write_bare(&Value::Array(vec![value]));
        let Ok(Outcome::Success(mut reader)) = read_reply(&bytes, &Limits::default()) else { panic!("no success") };
        wander(&mut reader, &steps);
        let _ = reader.finish();
    }

    #[test]
    fn reading_and_passing_over_agree(value in value()) {
        let bytes = write_bare(&Value::Array(vec![value, "behind".into()]));
        let Ok(Outcome::Success(mut reader)) = read_reply(&bytes, &Limits::default()) else { panic!("no success") };
        reader.begin_array().unwrap();
        prop_assert!(reader.next_item().unwrap());
        reader.skip().unwrap();
        prop_assert!(reader.next_item().unwrap());
        prop_assert_eq!(String::read(&mut reader).unwrap(), "behind");
        prop_assert!(!reader.next_item().unwrap());
        reader.finish().unwrap();
    }

    #[test]
    fn whatever_type_is_expected_the_reader_ends_behind_the_value(value in prop_oneof![value(), batch(value())]) {
        ends_behind::<Vec<Map<i64, Vec<bool>>>>(&value);
        ends_behind::<Map<String, Option<Vec<DateTime>>>>(&value);
        ends_behind::<Records<vm::Record>>(&value);
        ends_behind::<vm::Record>(&value);
        ends_behind::<EventBatch>(&value);
        ends_behind::<f64>(&value);
        ends_behind::<()>(&value);
    }

    #[test]
    fn pretty_printing_changes_nothing(value in value()) {
        fn pretty(value: &Value, out: &mut String) {
            match value {
                Value::Array(items) => {
                    out.push_str("\n <value> <!-- a -->\r\n<array>\t<data>");
                    items.iter().for_each(|item| pretty(item, out));
                    out.push_str("\n</data> </array>\n</value> ");
                }
                Value::Struct(members) => {
                    out.push_str("\n <value>\n <struct>");
                    for (name, value) in members.iter() {
                        let cdata = name.replace("]]>", "]]]]><![CDATA[>");
                        out.push_str(&format!("\n <member><?p q?>\n  <name><![CDATA[{cdata}]]></name>"));
                        pretty(value, out);
                        out.push_str("</member>");
                    }
                    out.push_str("</struct>\n</value>");
                }
                Value::Text(_) => {
                    let text = write_value_text(value).replace("<value>", "<value> <string >").replace("</value>", "</string>\n</value >");
                    out.push_str(&text);
                }
                leaf => out.push_str(&write_value_text(leaf)),
            }
        }
        let mut text = String::from("<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\"?>\n");
        pretty(&value, &mut text);
        prop_assert_eq!(read_value_text(&text, &Limits::default()).unwrap(), value);
    }
}
