//! The targets for XML-RPC.

use std::hint::black_box;

use arbitrary::Unstructured;
use xenapi_codec::Limits;
use xenapi_codec::xmlrpc::{
    Outcome, XmlReader, read_call, read_reply, read_result, read_value_as, read_value_text, write_bare, write_call,
    write_failure, write_success, write_value_text,
};
use xenapi_core::{DateTime, Kind, Map, ReadError, Reader, Records, Value, Wire};
use xenapi_model::{EventBatch, vm};

use crate::values;

/// Small, so that inputs of a few kilobytes come to each of them.
fn small() -> Limits {
    Limits { depth: 12, members: 200, text: 2000, ..Limits::default() }
}

/// An error must be one for people, and say where it is.
pub(crate) fn sound(error: &ReadError) {
    let text = error.to_string();
    assert!(!text.is_empty());
    assert!(text.len() < 4000, "an error of {} bytes: {:.300}", text.len(), text);
}

pub(crate) fn bytes(bytes: &[u8]) {
    let limits = small();
    for limits in [&limits, &Limits::default()] {
        if let Err(error) = read_call(bytes, limits) {
            sound(&error);
        }
        if let Err(error) = read_result(bytes, limits, Value::read) {
            sound(&error);
        }
        if let Err(error) = read_result(bytes, limits, <()>::read) {
            sound(&error);
        }
        if let Ok(text) = std::str::from_utf8(bytes)
            && let Err(error) = read_value_text(text, limits)
        {
            sound(&error);
        }
    }
}

/// Reads the result of a reply as a type, which it need not be; whatever is wrong, reading goes on behind it.
fn as_type<T: Wire>(bytes: &[u8]) {
    let Ok(Outcome::Success(mut reader)) = read_reply(bytes, &Limits::default()) else { return };
    match T::read(&mut reader) {
        Ok(value) => {
            black_box(value);
        }
        Err(error) => {
            sound(&error);
            if error.is_fatal() {
                assert!(reader.skip().is_err(), "went on behind {error}");
                return;
            }
        }
    }
    // Behind the result stands only the end of the document, which may be broken in its turn.
    let whole = read_result(bytes, &Limits::default(), <()>::read).is_ok();
    assert_eq!(reader.finish().is_ok(), whole, "the reader does not stand behind the value");
}

pub(crate) fn typed(bytes: &[u8]) {
    as_type::<Records<vm::Record>>(bytes);
    as_type::<vm::Record>(bytes);
    as_type::<EventBatch>(bytes);
    as_type::<Vec<Map<i64, Vec<bool>>>>(bytes);
    as_type::<Map<String, Option<DateTime>>>(bytes);
    as_type::<i64>(bytes);
    as_type::<f64>(bytes);
    as_type::<()>(bytes);
}

pub(crate) fn rewritten(bytes: &[u8]) {
    let limits = Limits::default();
    if let Ok(Ok(value)) = read_result(bytes, &limits, Value::read) {
        for again in [write_success(&value), write_bare(&Value::Array(vec![value.clone()]))] {
            let read =
                read_result(&again, &limits, Value::read).expect("what was written is read").expect("it is a success");
            let read = if again.windows(8).any(|part| part == b">Status<") { read } else { first(read) };
            same(&read, &value);
        }
    }
    if let Ok(call) = read_call(bytes, &limits) {
        let again = read_call(&write_call(&call), &limits).expect("what was written is read");
        assert_eq!(values::plain(&call.method), again.method);
        same(&Value::Array(again.params), &Value::Array(call.params));
    }
}

fn first(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().next().unwrap_or_default(),
        other => other,
    }
}

/// Equal but for what XML cannot carry: the tag of an integer, carriage returns, and the last of seventeen digits.
fn same(read: &Value, was: &Value) {
    let (read, was) = (rounded(values::plain_value(read.clone())), rounded(values::plain_value(was.clone())));
    assert_eq!(read, was);
}

fn rounded(value: Value) -> Value {
    match value {
        Value::Double(number) => Value::Text(format!("{number:.14e}")),
        Value::Array(items) => Value::Array(items.into_iter().map(rounded).collect()),
        Value::Struct(members) => Value::Struct(members.into_iter().map(|(name, value)| (name, rounded(value))).collect()),
        other => other,
    }
}

pub(crate) fn values(choices: &[u8]) {
    let mut u = Unstructured::new(choices);
    let limits = Limits::default();
    if let Ok(value) = values::value(&mut u) {
        let plain = values::plain_value(value.clone());
        assert_eq!(read_value_text(&write_value_text(&value), &limits).as_ref(), Ok(&plain));
        assert_eq!(read_result(&write_success(&value), &limits, Value::read), Ok(Ok(plain.clone())));
        if !matches!(value, Value::Struct(_)) {
            assert_eq!(read_result(&write_bare(&value), &limits, Value::read), Ok(Ok(plain)));
        }
    }
    if let Ok(number) = u.arbitrary::<i64>() {
        assert_eq!(read_value_as(&write_value_text(&number.into()), &limits, i64::read), Ok(number));
    }
    if let Ok(mut call) = values::call(&mut u) {
        let read = read_call(&write_call(&call), &limits).expect("a call that was written is read");
        call.method = values::plain(&call.method);
        call.params = call.params.into_iter().map(values::plain_value).collect();
        assert_eq!(read, call);
    }
    if let Ok(mut failure) = values::failure(&mut u) {
        let read = read_result(&write_failure(&failure), &limits, Value::read);
        failure.code = values::plain(&failure.code);
        failure.params = failure.params.iter().map(|text| values::plain(text)).collect();
        assert_eq!(read, Ok(Err(failure)));
    }
}

/// Splits an input into the bytes that decide and the document.
pub(crate) fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.split_at(bytes.len().min(16))
}

pub(crate) fn wander(bytes: &[u8]) {
    let (steps, document) = split(bytes);
    let Ok(Outcome::Success(mut reader)) = read_reply(document, &small()) else { return };
    for step in steps.iter().flat_map(|step| [step % 8, step / 8 % 8, step / 64]) {
        ask(&mut reader, step);
        assert!(reader.offset().is_none_or(|offset| offset <= document.len() as u64));
    }
    _ = reader.finish();
}

fn ask(reader: &mut XmlReader<'_>, step: u8) {
    let answer = match step {
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
            Err(error) => Err(error),
        },
    };
    if let Err(error) = answer {
        sound(&error);
    }
}

/// What a document may cost, in bytes of memory for each byte of it, when it becomes a tree of values.
const TREE_MULTIPLE: u64 = 32;
/// And beside that, for errors and buffers.
const FIXED: u64 = 64 * 1024;

pub(crate) fn limits(bytes: &[u8]) {
    let (choices, document) = split(bytes);
    let at = |n: usize| usize::from(*choices.get(n).unwrap_or(&0));
    let limits = Limits {
        bytes: 16 + at(0) * 64,
        depth: 1 + at(1) % 16,
        members: 1 + at(2),
        records: 1 + at(4),
        text: 1 + at(3) * 4,
    };
    let mut read = None;
    let cost = allocation_counter::measure(|| read = Some(read_result(document, &limits, Value::read)));
    let most = document.len() as u64 * TREE_MULTIPLE + FIXED;
    assert!(cost.bytes_max <= most, "{} bytes of memory for a document of {}", cost.bytes_max, document.len());
    if let Some(Ok(Ok(value))) = read {
        assert!(document.len() <= limits.bytes, "{} bytes over the limit of {}", document.len(), limits.bytes);
        let mut sizes = Sizes::default();
        sizes.add(&value, 1);
        // The envelope counts as well, so these are what must hold at least.
        assert!(sizes.depth <= limits.depth, "{} deep over the limit of {}", sizes.depth, limits.depth);
        assert!(sizes.members <= limits.members, "{} members over the limit of {}", sizes.members, limits.members);
        assert!(sizes.records <= limits.records, "{} records over the limit of {}", sizes.records, limits.records);
        assert!(sizes.text <= limits.text, "a text of {} over the limit of {}", sizes.text, limits.text);
    }
}

#[derive(Default)]
struct Sizes {
    depth: usize,
    members: usize,
    records: usize,
    text: usize,
}

impl Sizes {
    fn add(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Text(text) => self.text = self.text.max(text.len()),
            Value::Array(items) => {
                self.depth = self.depth.max(depth);
                self.members += items.len();
                self.records = self.records.max(items.len());
                items.iter().for_each(|item| self.add(item, depth + 1));
            }
            Value::Struct(members) => {
                self.depth = self.depth.max(depth);
                self.members += members.len();
                self.records = self.records.max(members.len());
                for (name, value) in members.iter() {
                    self.text = self.text.max(name.len());
                    self.add(value, depth + 1);
                }
            }
            _ => {}
        }
    }
}
