//! Tests of reading, writing and calling, on two small classes.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use proptest::prelude::*;

use crate::test_classes::{Apple, AppleRecord};
use crate::{
    Call, DateTime, Map, Method, Record, Records, Ref, Struct, Value, ValueReader, Wire, create, from_value,
    get_all_records, to_value,
};

fn members(list: &[(&'static str, Value)]) -> Value {
    Value::Struct(list.iter().cloned().collect())
}

#[test]
fn integers_come_as_text_and_as_integers() {
    for value in [Value::from("42"), Value::Int(42), Value::Int32(42)] {
        assert_eq!(from_value::<i64>(&value), Ok(42));
    }
    for (value, says) in [
        (Value::from("forty"), "expected an integer, found text \"forty\""),
        (Value::Bool(true), "expected an integer, found the boolean true"),
        (Value::Array(Vec::new()), "expected an integer, found an array"),
    ] {
        assert_eq!(from_value::<i64>(&value).map_err(|e| e.to_string()), Err(says.into()));
    }
    // Only a boolean is one, however much the text looks like it.
    assert!(from_value::<bool>(&Value::from("1")).is_err());
}

#[test]
fn the_last_of_repeated_members_counts() {
    let value = members(&[
        ("size", Value::from("1")),
        ("new", Value::from("a")),
        ("size", Value::from("2")),
        ("new", Value::from("b")),
    ]);
    let record: AppleRecord = from_value(&value).expect("it reads");
    assert_eq!((record.size, record.rest().repeated), (2, 2));
    assert_eq!(record.rest().unknown, [("new".to_string(), Value::from("b"))]);
    assert_eq!(record.missing().map(|field| field.name).collect::<Vec<_>>(), ["uuid", "tags", "other_config"]);
}

#[test]
fn unknown_members_keep_their_order_and_however_many_there_are_cost_little() {
    let names = (0..100_000_usize).map(|at| alloc::borrow::Cow::Owned(format!("new {}", at % 99_999)));
    let value = Value::Struct(names.zip(0..).map(|(name, at)| (name, Value::Int(at))).collect());
    let record: AppleRecord = from_value(&value).expect("it reads");
    let rest = record.rest();
    assert_eq!((rest.unknown.len(), rest.repeated), (99_999, 1));
    assert_eq!(rest.unknown[0], ("new 0".into(), Value::Int(99_999)));
    assert!(rest.unknown.iter().skip(1).zip(1..).all(|((_, value), at)| *value == Value::Int(at)));
}

#[test]
fn a_wrong_field_is_named_and_the_next_record_is_read() {
    let bad = members(&[("tags", Value::Array(Vec::from([Value::from("ok"), Value::Bool(true)]))), ("size", Value::Int(3))]);
    let good = members(&[("size", Value::Int(4))]);
    let all: Records<AppleRecord> =
        from_value(&members(&[("OpaqueRef:1", bad), ("OpaqueRef:2", good), ("OpaqueRef:3", Value::from("?"))]))
            .expect("a struct");
    assert_eq!(all.records.iter().map(|(_, apple)| apple.size).collect::<Vec<_>>(), [4]);
    let says: Vec<String> = all.wrong.iter().map(ToString::to_string).collect();
    assert_eq!(
        says,
        [
            "Apple[OpaqueRef:1].tags[1]: expected text, found the boolean true",
            "Apple[OpaqueRef:3]: expected a struct, found text"
        ]
    );
}

#[test]
fn what_failures_and_unknown_members_hold_in_secret_is_not_shown() {
    use crate::{Failure, Rest};
    for failure in [
        Failure::new("SESSION_INVALID", ["OpaqueRef:s3cret"]),
        Failure::new("HANDLE_INVALID", ["session", "OpaqueRef:s3cret"]),
    ] {
        let shown = format!("{failure} {failure:?}");
        assert!(shown.contains(&failure.code) && !shown.contains("s3cret"), "{shown}");
    }
    let harmless = Failure::new("HANDLE_INVALID", ["VM", "OpaqueRef:v"]);
    assert_eq!(harmless.to_string(), "HANDLE_INVALID: VM, OpaqueRef:v");
    assert_eq!(Failure::new("SESSION_INVALID", ["OpaqueRef:NULL"]).to_string(), "SESSION_INVALID: OpaqueRef:NULL");
    let mut rest = Rest::default();
    rest.unknown.push(("new_password".into(), Value::from("s3cret")));
    rest.unknown.push(("colour".into(), Value::from("green")));
    let shown = format!("{rest:?}");
    assert!(shown.contains("new_password") && shown.contains("green") && !shown.contains("s3cret"), "{shown}");
}

#[test]
fn a_name_of_any_length_makes_a_short_message() {
    let long = "\u{e9}".repeat(100_000);
    let entry = |value: Value| Value::Struct([(long.clone(), value)].into_iter().collect());
    for error in [
        from_value::<Map<i64, i64>>(&entry(Value::Int(1))).expect_err("no integer as the name"),
        from_value::<Map<String, i64>>(&entry(Value::Nil)).expect_err("no integer as the value"),
    ] {
        let says = error.to_string();
        assert!(says.len() < 400 && says.contains("\u{e9}…]: expected an integer"), "{says}");
    }
}

#[test]
fn empty_text_stands_for_an_empty_map_or_set() {
    let record: AppleRecord =
        from_value(&members(&[("tags", Value::VOID), ("other_config", Value::VOID)])).expect("it reads");
    assert!(record.tags.is_empty() && record.other_config.is_empty());
    let wrong = from_value::<AppleRecord>(&members(&[("tags", Value::from("x"))]));
    assert_eq!(wrong.map_err(|e| e.path()), Err("Apple.tags".into()));
}

#[test]
fn a_record_is_created_without_what_only_the_server_writes() {
    let call = create::<Apple>(&AppleRecord { uuid: "u".into(), size: 7, ..AppleRecord::default() });
    let names: Vec<_> = call.params()[0].as_struct().expect("a struct").iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(names, ["size", "tags", "other_config"]);
}

#[test]
fn messages_follow_from_fields() {
    use crate::Class;
    let find =
        |name| Method::find(Apple::DESC, name).map(|method| (method.name(), method.is_read_only(), method.has_async()));
    assert_eq!(find("get_size"), Some(("Apple.get_size".into(), true, false)));
    assert_eq!(find("set_tags"), Some(("Apple.set_tags".into(), false, false)));
    assert_eq!(find("destroy"), Some(("Apple.destroy".into(), false, true)));
    for none in ["set_size", "add_to_tags", "add_other_config", "get_by_name_label", "get_", "remove_from_size"] {
        assert_eq!(find(none), None, "{none}");
    }
    let params =
        |name| Method::find(Apple::DESC, name).map(|m| m.params().iter().map(|p| p.ty.to_string()).collect::<Vec<_>>());
    assert_eq!(params("add_to_other_config"), Some(["Apple ref", "string", "string"].map(String::from).into()));
    let call: Call<Records<AppleRecord>> = get_all_records::<Apple>();
    assert_eq!(call.method().result().to_string(), "(Apple ref -> Apple record) map");
}

#[test]
fn structs_replace_and_remove_by_name() {
    let mut it = Struct::new();
    it.push("a", "1");
    it.push("a", "2");
    it.set("a", "3");
    it.push_front("b", "0");
    assert_eq!(
        it.iter().map(|(name, value)| format!("{name}{}", value.as_text().unwrap_or("?"))).collect::<Vec<_>>(),
        ["b0", "a1", "a3"]
    );
    assert_eq!(it.remove("a"), Some(Value::from("3")));
    assert_eq!((it.len(), it.get("a")), (1, None));
}

#[test]
fn null_references_are_known_by_their_text() {
    assert!(Ref::<Apple>::null().is_null() && Ref::<Apple>::new("").is_null());
    let kept: Ref<Apple> = from_value(&Value::from("")).expect("it reads");
    assert_eq!(to_value(&kept), Value::from(""), "written back as it came");
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        ".*".prop_map(Value::Text),
        any::<i64>().prop_map(Value::Int),
        any::<i32>().prop_map(Value::Int32),
        any::<bool>().prop_map(Value::Bool),
        any::<f64>().prop_filter("equal to itself", |it| !it.is_nan()).prop_map(Value::Double),
        (-60_000_000_000_i64..200_000_000_000).prop_map(|it| Value::DateTime(DateTime::from_unix(it))),
        any::<Vec<u8>>().prop_map(Value::Bytes),
        Just(Value::Nil),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            prop::collection::vec((".*", inner), 0..8).prop_map(|all| Value::Struct(all.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn a_tree_survives_being_written_and_read(value in values()) {
        prop_assert_eq!(to_value(&value), value.clone());
        prop_assert_eq!(from_value::<Value>(&value), Ok(value));
    }

    #[test]
    fn reading_any_tree_as_a_record_never_panics_and_ends_behind_it(value in values()) {
        let pair = Value::Array(Vec::from([value, Value::from("next")]));
        let mut reader = ValueReader::new(&pair);
        use crate::Reader;
        reader.begin_array().expect("an array");
        prop_assert!(reader.next_item().expect("the value"));
        let _ = AppleRecord::read(&mut reader);
        prop_assert!(reader.next_item().expect("the text behind it"));
        prop_assert_eq!(String::read(&mut reader), Ok("next".into()));
    }

    #[test]
    fn times_survive_being_written_and_read(unix in -60_000_000_000_i64..200_000_000_000) {
        let time = DateTime::from_unix(unix);
        prop_assert_eq!(DateTime::parse(&time.to_string()), Ok(time));
    }

    #[test]
    fn maps_answer_the_last_value_of_a_key(entries in prop::collection::vec(("[ab]", any::<i64>()), 0..6)) {
        let map: Map<String, i64> = entries.iter().cloned().collect();
        let last = entries.iter().rev().find(|(key, _)| key == "a").map(|(_, value)| value);
        prop_assert_eq!(map.get("a"), last);
    }
}
