//! The targets for JSON-RPC.

use arbitrary::Unstructured;
use xenapi_codec::Limits;
use xenapi_codec::jsonrpc::{
    Id, Version, read_call, read_result, read_value, write_call, write_early_failure, write_failure, write_success,
    write_value,
};
use xenapi_core::{Records, Value, Wire};
use xenapi_model::{EventBatch, vm};

use crate::checks::sound;
use crate::values;

pub(crate) fn bytes(bytes: &[u8]) {
    let small = Limits { depth: 12, members: 200, text: 2000, ..Limits::default() };
    for limits in [&small, &Limits::default()] {
        let errors = [
            read_call(bytes, limits).map(drop).err(),
            read_result(bytes, limits, Value::read).map(drop).err(),
            read_result(bytes, limits, <()>::read).map(drop).err(),
            read_result(bytes, limits, Records::<vm::Record>::read).map(drop).err(),
            read_result(bytes, limits, EventBatch::read).map(drop).err(),
        ];
        errors.iter().flatten().for_each(sound);
    }
    let limits = Limits::default();
    if let Ok(Ok(value)) = read_result(bytes, &limits, Value::read) {
        let again = write_success(&value, Version::V2, &Id::Int(1));
        let read = read_result(&again, &limits, Value::read).expect("what was written is read").expect("it is a success");
        // As text, because no number is equal to NaN.
        assert_eq!(format!("{read:?}"), format!("{value:?}"));
    }
    if let Ok(call) = read_call(bytes, &limits)
        && call.invalid.is_none()
    {
        let again = read_call(&write_call(&call.call, call.version, &call.id), &limits).expect("what was written is read");
        assert_eq!(format!("{again:?}"), format!("{call:?}"));
    }
}

/// A value as JSON carries it: dates and bytes are text, and all integers are alike.
fn carried(value: Value) -> Value {
    match value {
        Value::Int32(number) => Value::Int(number.into()),
        Value::DateTime(time) => Value::Text(time.to_string()),
        Value::Array(items) => Value::Array(items.into_iter().map(carried).collect()),
        Value::Struct(members) => Value::Struct(members.into_iter().map(|(name, value)| (name, carried(value))).collect()),
        other => other,
    }
}

fn without_bytes(value: Value) -> Value {
    match value {
        Value::Bytes(_) => Value::Nil,
        Value::Array(items) => Value::Array(items.into_iter().map(without_bytes).collect()),
        Value::Struct(members) => {
            Value::Struct(members.into_iter().map(|(name, value)| (name, without_bytes(value))).collect())
        }
        other => other,
    }
}

pub(crate) fn values(choices: &[u8]) {
    let mut u = Unstructured::new(choices);
    let limits = Limits::default();
    let version = if u.arbitrary().unwrap_or(false) { Version::V1 } else { Version::V2 };
    let id = match u.arbitrary().unwrap_or(true) {
        true => Id::Int(u.arbitrary().unwrap_or(1)),
        false => Id::Text(values::text(&mut u).unwrap_or_default()),
    };
    if let Ok(number) = u.arbitrary::<i64>() {
        assert_eq!(read_result(&write_success(&number.into(), version, &id), &limits, i64::read), Ok(Ok(number)));
    }
    if let Ok(value) = values::value(&mut u).map(without_bytes) {
        let text = String::from_utf8(write_value(&value)).expect("JSON is text");
        assert_eq!(read_value(&text, &limits, Value::read).as_ref(), Ok(&carried(value.clone())));
        // A result of null is what a failure has in version 1.0.
        if value != Value::Nil {
            assert_eq!(read_result(&write_success(&value, version, &id), &limits, Value::read), Ok(Ok(carried(value))));
        }
    }
    if let Ok(mut call) = values::call(&mut u) {
        call.params = call.params.into_iter().map(without_bytes).collect();
        let read = read_call(&write_call(&call, version, &id), &limits).expect("a call that was written is read");
        call.params = call.params.into_iter().map(carried).collect();
        assert_eq!((read.call, read.version, read.id, read.invalid), (call, version, id.clone(), None));
    }
    if let Ok(failure) = values::failure(&mut u) {
        for bytes in [write_failure(&failure, version, &id), write_early_failure(&failure)] {
            assert_eq!(read_result(&bytes, &limits, Value::read), Ok(Err(failure.clone())));
        }
    }
}
