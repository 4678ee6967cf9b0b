//! Random records of every class, with words and fields that no schema knows, go through every format and come back unchanged.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use proptest::prelude::*;
use proptest::strategy::Union;
use proptest::test_runner::{Config, TestRunner};
use xenapi_codec::{Limits, jsonrpc, xmlrpc};
use xenapi_core::{
    Class, ClassDesc, DateTime, FieldDesc, NULL, ReadError, Record, Struct, Type, Value, Wire, from_value, to_value,
};

/// How a value is written and read.
trait Format {
    fn encode(value: &Value) -> String;
    fn decode<T: Wire>(text: &str) -> Result<T, ReadError>;
}

struct XmlRpc;

impl Format for XmlRpc {
    fn encode(value: &Value) -> String {
        xmlrpc::write_value_text(value)
    }

    fn decode<T: Wire>(text: &str) -> Result<T, ReadError> {
        xmlrpc::read_value_as(text, &Limits::default(), T::read)
    }
}

struct JsonRpc;

impl Format for JsonRpc {
    fn encode(value: &Value) -> String {
        String::from_utf8(jsonrpc::write_value(value)).unwrap()
    }

    fn decode<T: Wire>(text: &str) -> Result<T, ReadError> {
        jsonrpc::read_value(text, &Limits::default(), T::read)
    }
}

/// Text that XML can hold; XML takes a carriage return for a line's end, and lone spaces are kept.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[ -~äß€\\u{1F600}\n\t]{0,12}", 1 => Just(String::new())]
}

fn reference() -> impl Strategy<Value = String> {
    prop_oneof![3 => "OpaqueRef:[0-9a-f]{8}", 1 => Just(NULL.to_owned()), 1 => Just(String::new())]
}

/// What stands where no type tells how to read it: only what reads as itself.
fn untyped() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![text().prop_map(Value::from), any::<bool>().prop_map(Value::Bool)];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::btree_map("[a-z]{1,6}", inner, 0..3).prop_map(|all| Value::Struct(all.into_iter().collect())),
        ]
    })
    .boxed()
}

fn word(words: &'static [&'static str]) -> BoxedStrategy<String> {
    let known = prop::sample::select(words).prop_map(str::to_owned);
    // None that a schema has, and the empty one.
    prop_oneof![3 => known, 1 => "[a-z]{3,6}_of_tomorrow", 1 => Just(String::new())].boxed()
}

fn key(ty: &Type) -> BoxedStrategy<String> {
    match ty {
        Type::Int => any::<i64>().prop_map(|number| number.to_string()).boxed(),
        Type::Ref(_) => reference().boxed(),
        Type::Enum(it) => word(it.values),
        _ => text().boxed(),
    }
}

/// A value of a type; none for what records leave out.
fn value(ty: &'static Type) -> BoxedStrategy<Option<Value>> {
    let some = match ty {
        Type::Int => any::<i64>().prop_map(Value::Int).boxed(),
        // No more digits than xapi writes, which are 16.
        Type::Float => any::<i32>().prop_map(|eighths| Value::Double(f64::from(eighths) / 8.0)).boxed(),
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::DateTime => (0..4_000_000_000_i64).prop_map(|at| Value::DateTime(DateTime::from_unix(at))).boxed(),
        Type::Enum(it) => word(it.values).prop_map(Value::from).boxed(),
        Type::Ref(_) => reference().prop_map(Value::from).boxed(),
        Type::Set(item) => {
            let items = prop::collection::vec(value(item).prop_filter_map("no holes", |it| it), 0..4);
            items.prop_map(Value::Array).boxed()
        }
        Type::Map(name, item) => {
            let item = value(item).prop_filter_map("no holes", |it| it);
            let entries = prop::collection::btree_map(key(name), item, 0..4);
            entries.prop_map(|all| Value::Struct(all.into_iter().collect())).boxed()
        }
        Type::Record(class) => record(xenapi_model::class(class).unwrap()),
        Type::Option(inner) => return prop_oneof![value(inner), Just(None)].boxed(),
        Type::AnyRecord => {
            let members = prop::collection::btree_map("[a-z]{1,6}", untyped(), 0..3);
            let any = members.prop_map(|all| Some(Value::Struct(all.into_iter().collect())));
            return prop_oneof![any, Just(None)].boxed();
        }
        Type::String | Type::Void | Type::EventBatch => text().prop_map(Value::from).boxed(),
    };
    some.prop_map(Some).boxed()
}

/// A record: every field in its place, then fields that no schema knows.
fn record(class: &'static ClassDesc) -> BoxedStrategy<Value> {
    let field = |field: &'static FieldDesc| value(&field.ty).prop_map(move |value| (field.name, value));
    let fields: Vec<BoxedStrategy<(&str, Option<Value>)>> = class.fields.iter().map(|it| field(it).boxed()).collect();
    let extra = prop::collection::btree_map("tomorrow_[a-z]{1,6}", untyped(), 0..3);
    (fields, extra)
        .prop_map(|(fields, extra)| {
            let known = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
            Value::Struct(known.chain(extra).collect::<Struct>())
        })
        .boxed()
}

/// Brings a value through a format as a record, and answers what is written afterwards.
fn through<F: Format, R: Record>(sent: &Value) -> Result<Value, TestCaseError> {
    let record: R = from_value(sent).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(record.rest().repeated, 0);
    let encoded = F::encode(sent);
    let back: R = F::decode(&encoded).map_err(|error| TestCaseError::fail(format!("{error} in {encoded}")))?;
    prop_assert_eq!(&back, &record);
    prop_assert_eq!(F::encode(&to_value(&back)), encoded);
    Ok(to_value(&back))
}

fn check<R: Record>() {
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let class = <R::Class as Class>::DESC;
    let done = runner.run(&Union::new([record(class)]), |sent| {
        // A format a line.
        prop_assert_eq!(&through::<XmlRpc, R>(&sent)?, &sent);
        prop_assert_eq!(&through::<JsonRpc, R>(&sent)?, &sent);
        Ok(())
    });
    if let Err(error) = done {
        panic!("{}: {error}", class.name);
    }
}

macro_rules! check_all {
    ($($marker:ident)*) => {{
        $(check::<<xenapi_model::$marker as Class>::Record>();)*
        [$(<xenapi_model::$marker as Class>::DESC.name),*]
    }};
}

#[test]
fn records_of_every_class_come_back_unchanged() {
    let checked = xenapi_model::for_each_class!(check_all);
    let all: Vec<&str> = xenapi_model::CLASSES.iter().map(|class| class.name).collect();
    assert_eq!(checked.as_slice(), all);
}
