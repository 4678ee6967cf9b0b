//! Replies in chunks.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::{change, changed, document, records, value};
use proptest::prelude::*;
use xenapi_codec::Limits;
use xenapi_codec::xmlrpc::{Engine, ReplyStream, read_result, write_bare, write_failure, write_success};
use xenapi_core::{Failure, ReadErrorKind, Records, Struct, Value, Wire, to_value};
use xenapi_model::{EventBatch, event, vm};

fn limits() -> Limits {
    Limits { depth: 12, members: 400, records: 60, text: 300, ..Limits::default() }
}

/// Bytes in chunks of those sizes, over and over.
fn chunks<'a>(bytes: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let (mut rest, mut chunks) = (bytes, Vec::new());
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, later) = rest.split_at((*size).clamp(1, rest.len()));
        chunks.push(chunk);
        rest = later;
    }
    chunks
}

/// Everything that comes out of a document: the parts, then the end or the error.
fn parts(mut stream: ReplyStream, bytes: &[u8], sizes: &[usize], is_struct: bool) -> Vec<String> {
    let mut out = Vec::new();
    for mut chunk in chunks(bytes, sizes) {
        loop {
            let part = match is_struct {
                true => stream.next_member(&mut chunk, Value::read).map(|it| it.map(|it| format!("{it:?}"))),
                false => stream.next_item(&mut chunk, Value::read).map(|it| it.map(|it| format!("{it:?}"))),
            };
            match part {
                Ok(Some(part)) => out.push(part),
                Ok(None) => break,
                Err(error) => {
                    out.push(format!("{error:?}"));
                    return out;
                }
            }
        }
        assert!(chunk.is_empty());
    }
    out.push(format!("{:?}", stream.finish(Value::read)));
    out
}

#[track_caller]
fn chunking_changes_nothing(bytes: &[u8], sizes: &[usize]) {
    for engine in [Engine::Auto, Engine::General] {
        for (stream, is_struct) in [
            (ReplyStream::members as fn(&Limits) -> ReplyStream, true),
            (ReplyStream::items, false),
            (|limits| ReplyStream::items_of("events", limits), false),
        ] {
            let read = |sizes: &[usize]| parts(stream(&limits()).with_engine(engine), bytes, sizes, is_struct);
            let whole = read(&[usize::MAX]);
            assert_eq!(read(sizes), whole, "{}", bytes.escape_ascii());
            assert_eq!(read(&[1]), whole, "{}", bytes.escape_ascii());
        }
    }
}

fn batch() -> impl Strategy<Value = Vec<u8>> {
    (proptest::collection::vec(value(), 0..4), 0_usize..4).prop_map(|(events, variant)| {
        let mut members = vec![("events", Value::Array(events)), ("valid_ref_counts", Value::empty_struct())];
        members.push(("token", "1,2".into()));
        members.rotate_left(variant % 3);
        write_success(&Value::Struct(members.into_iter().collect::<Struct>()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(120) })]

    #[test]
    fn chunks_change_nothing(
        bytes in prop_oneof![document().prop_map(|it| it.0), batch()],
        changes in prop_oneof![Just(vec![]), proptest::collection::vec(change(), 1..3)],
        sizes in proptest::collection::vec(1_usize..200, 1..5),
    ) {
        chunking_changes_nothing(&changed(bytes, &changes), &sizes);
    }

    #[test]
    fn records_come_as_from_the_whole(records in records(), sizes in proptest::collection::vec(1_usize..5000, 1..5)) {
        let bytes = write_success(&records);
        let whole = read_result(&bytes, &limits(), Records::<vm::Record>::read);
        let (mut stream, mut streamed) = (ReplyStream::members(&limits()), Records { records: vec![], wrong: vec![] });
        for mut chunk in chunks(&bytes, &sizes) {
            while let Some((reference, record)) = match stream.next_record::<vm::Record>(&mut chunk) {
                Ok(next) => next,
                Err(error) => {
                    prop_assert_eq!(Some(&error), whole.as_ref().err());
                    return Ok(());
                }
            } {
                match record {
                    Ok(record) => streamed.records.push((reference, record)),
                    Err(error) => streamed.wrong.push(error),
                }
            }
        }
        prop_assert_eq!(stream.finish(<()>::read).unwrap(), Ok(()));
        let whole = whole.unwrap().unwrap();
        prop_assert_eq!(streamed.records, whole.records);
        prop_assert_eq!(streamed.wrong, whole.wrong);
    }
}

fn strings(stream: ReplyStream, bytes: &[u8]) -> Vec<String> {
    let all = parts(stream, bytes, &[usize::MAX], false);
    assert_eq!(parts(ReplyStream::items(&Limits::reply()), bytes, &[3], false), all);
    all
}

#[test]
fn items_of_an_array_with_and_without_a_status() {
    let value = Value::Array(vec!["a".into(), Value::Array(vec!["b".into()]), Value::VOID]);
    for bytes in [write_success(&value), write_bare(&value)] {
        let all = strings(ReplyStream::items(&Limits::reply()), &bytes);
        assert_eq!(
            all,
            [r#"Ok(Text("a"))"#, r#"Ok(Array([Text("b")]))"#, r#"Ok(Text(""))"#, "Ok(Ok(Array([])))"],
            "the parts are not there again at the end"
        );
    }
}

#[test]
fn events_come_one_by_one_and_the_token_at_the_end() {
    let events = (0..3_i64).map(|id| event::Record { id, class: "vm".into(), ..event::Record::default() });
    let batch = EventBatch {
        events: events.collect(),
        valid_ref_counts: [("vm".to_owned(), 3)].into_iter().collect(),
        token: "5,6".into(),
    };
    let bytes = write_success(&to_value(&batch));
    let batch = read_result(&bytes, &Limits::reply(), EventBatch::read).unwrap().unwrap();
    for size in [1, 10, 100, 10_000] {
        let (mut stream, mut events) = (ReplyStream::items_of("events", &Limits::reply()), Vec::new());
        for mut chunk in bytes.chunks(size) {
            while let Some(event) = stream.next_item(&mut chunk, event::Record::read).unwrap() {
                events.push(event.unwrap());
            }
        }
        let rest = stream.finish(EventBatch::read).unwrap().unwrap();
        assert_eq!(EventBatch { events, ..rest }, batch);
    }
}

#[test]
fn a_failure_comes_at_the_end() {
    let failure = Failure::new("SESSION_INVALID", ["OpaqueRef:1"]);
    let bytes = write_failure(&failure);
    for size in [1, 1000] {
        let mut stream = ReplyStream::members(&Limits::reply());
        for mut chunk in bytes.chunks(size) {
            assert!(stream.next_record::<vm::Record>(&mut chunk).unwrap().is_none());
        }
        assert_eq!(stream.finish(<()>::read).unwrap(), Err(failure.clone()));
    }
}

#[test]
fn a_status_behind_the_value_is_waited_for() {
    let member = |name: &str, value: &str| format!("<member><name>{name}</name><value>{value}</value></member>");
    let items = "<array><data><value>a</value><value>b</value></data></array>";
    let reply = |members: String| {
        format!(
            "<methodResponse><params><param><value><struct>{members}</struct></value></param></params></methodResponse>\n"
        )
    };
    let success = reply(member("Value", items) + &member("Status", "Success"));
    let all = strings(ReplyStream::items(&Limits::reply()), success.as_bytes());
    assert_eq!(all, [r#"Ok(Text("a"))"#, r#"Ok(Text("b"))"#, "Ok(Ok(Array([])))"]);
    let error = member("ErrorDescription", "<array><data><value>E</value></data></array>");
    let failure = reply(member("Value", items) + &error + &member("Status", "Failure"));
    let all = strings(ReplyStream::items(&Limits::reply()), failure.as_bytes());
    assert_eq!(all.len(), 1);
    assert!(all[0].contains("code: \"E\""), "{all:?}");
}

#[test]
fn a_record_that_is_wrong_loses_no_other() {
    let good = to_value(&vm::Record::default());
    let mut bad = good.clone();
    bad.as_struct_mut().unwrap().set("VCPUs_max", "many");
    let named = [("OpaqueRef:1", good.clone()), ("OpaqueRef:2", bad), ("OpaqueRef:3", good)];
    let bytes = write_success(&Value::Struct(named.into_iter().collect::<Struct>()));
    let whole = read_result(&bytes, &Limits::reply(), Records::<vm::Record>::read).unwrap().unwrap();
    for size in [1, 100, 100_000] {
        let (mut stream, mut right, mut wrong) = (ReplyStream::members(&Limits::reply()), 0, Vec::new());
        for mut chunk in bytes.chunks(size) {
            while let Some((_, record)) = stream.next_record::<vm::Record>(&mut chunk).unwrap() {
                match record {
                    Ok(_) => right += 1,
                    Err(error) => wrong.push(error),
                }
            }
        }
        assert_eq!(stream.finish(<()>::read).unwrap(), Ok(()));
        assert_eq!((right, &wrong), (2, &whole.wrong));
        assert_eq!(wrong[0].path(), "VM[OpaqueRef:2].VCPUs_max");
        let found = bytes.windows(17).position(|window| window == b"<value>many</valu").unwrap();
        assert_eq!(wrong[0].offset(), Some(found as u64));
    }
}

#[test]
fn limits_hold_over_all_parts() {
    let bytes = write_success(&Value::Array(vec![Value::Array(vec!["abcd".into(); 3]); 5]));
    let fails = |limits: Limits, part: &str| {
        for size in [1, 50, 10_000] {
            let mut stream = ReplyStream::items(&limits);
            let mut error = None;
            'all: for mut chunk in bytes.chunks(size) {
                loop {
                    match stream.next_item(&mut chunk, Value::read) {
                        Ok(Some(item)) => drop(item.unwrap()),
                        Ok(None) => break,
                        Err(found) => {
                            error = Some(found);
                            break 'all;
                        }
                    }
                }
            }
            let error = error.unwrap();
            assert_eq!(error.kind(), ReadErrorKind::Limit, "{error}");
            assert!(error.to_string().contains(part), "{error}");
            assert!(error.offset().is_some_and(|at| at <= bytes.len() as u64), "{error}");
        }
    };
    let all = Limits::reply();
    fails(Limits { bytes: 200, ..all }, "200 bytes");
    fails(Limits { members: 10, ..all }, "10 items and members");
    fails(Limits { records: 4, ..all }, "4 records");
    fails(Limits { depth: 2, ..all }, "2 arrays and structs");
    fails(Limits { text: 3, ..all }, "3 bytes of text");
}

/// Records of which some look as if they ended before they do, and some do not end as xapi writes it.
const RECORDS: [&str; 10] = [
    "<struct><member><name>a</name><value>1</value></member></struct>",
    "<struct><member><name>m</name><value><struct><member><name>k</name><value>v</value></member></struct></value></member></struct>",
    // Records in a record, by reference.
    "<struct><member><name>m</name><value><struct><member><name>OpaqueRef:a</name><value><struct></struct></value></member>\
     <member><name>OpaqueRef:b</name><value><struct><member><name>c</name><value>d &amp; e</value></member></struct></value></member>\
     <member><name>OpaqueRef:c</name><value></value></member></struct></value></member></struct>",
    "<struct><member><name>l</name><value><array><data><value><struct></struct></value><value><struct></struct></value><value>\
     <struct><member><name>OpaqueRef:z</name><value><boolean>1</boolean></value></member></struct></value></data></array></value>\
     </member></struct>",
    "<struct>\n  <member>\n<name>a</name>\n<value>1</value>\n</member>\n</struct>",
    "<struct><member><name>a</name><value><!-- </struct></value></member><member><name>OpaqueRef:no -->1</value></member></struct>",
    "<struct><member><name>a</name><value><![CDATA[</struct></value><value><struct>]]></value></member></struct>",
    "<string>text</string>",
    "<struct><member><name>when</name><value><dateTime.iso8601>never</dateTime.iso8601></value></member></struct>",
    "<array><data></data></array>",
];

fn of_records() -> impl Strategy<Value = Vec<u8>> {
    let separator = prop_oneof![8 => Just(""), 1 => Just("\n"), 1 => Just("<!-- OpaqueRef: -->")];
    let all = proptest::collection::vec((0..RECORDS.len(), separator), 0..9);
    (all, any::<bool>(), prop_oneof![3 => Just(1.0), 1 => 0.3..1.0]).prop_map(|(all, is_struct, shown)| {
        let record = |(at, (record, separator)): (usize, &(usize, &str))| match is_struct {
            true => format!("<member><name>OpaqueRef:{at}</name><value>{}</value></member>{separator}", RECORDS[*record]),
            false => format!("<value>{}</value>{separator}", RECORDS[*record]),
        };
        let records: String = all.iter().enumerate().map(record).collect();
        let result = if is_struct { format!("<struct>{records}</struct>") } else { format!("<array><data>{records}</data></array>") };
        let mut bytes = format!(
            "<methodResponse><params><param><value><struct><member><name>Status</name><value>Success</value></member><member>\
             <name>Value</name><value>{result}</value></member></struct></value></param></params></methodResponse>"
        )
        .into_bytes();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a part of it")]
        bytes.truncate((bytes.len() as f64 * shown) as usize);
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn what_looks_like_an_end_is_none(bytes in of_records(), sizes in proptest::collection::vec(1_usize..700, 1..4)) {
        chunking_changes_nothing(&bytes, &sizes);
    }
}
