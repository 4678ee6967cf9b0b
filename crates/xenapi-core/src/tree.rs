//! Reading from and writing to a [`Value`] tree.

use alloc::borrow::Cow;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::slice;

use crate::datetime::DateTime;
use crate::error::ReadError;
use crate::value::{Kind, Struct, Value};
use crate::wire::{Reader, Scalar, Writer};

/// Reads a tree.
#[derive(Debug)]
pub struct ValueReader<'a> {
    next: Option<&'a Value>,
    open: Vec<Open<'a>>,
}

#[derive(Debug)]
enum Open<'a> {
    Array(slice::Iter<'a, Value>),
    Struct(&'a Struct, usize),
}

impl<'a> ValueReader<'a> {
    /// A reader that stands before `value`.
    pub fn new(value: &'a Value) -> Self {
        ValueReader { next: Some(value), open: Vec::new() }
    }

    fn take(&mut self) -> Result<&'a Value, ReadError> {
        self.next.take().ok_or_else(|| ReadError::truncated("a value"))
    }
}

impl Reader for ValueReader<'_> {
    fn kind(&mut self) -> Result<Kind, ReadError> {
        self.next.map(Value::kind).ok_or_else(|| ReadError::truncated("a value"))
    }

    fn scalar(&mut self) -> Result<Scalar<'_>, ReadError> {
        Ok(match self.take()? {
            Value::Text(text) => Scalar::Text(Cow::Borrowed(text)),
            Value::Int(number) => Scalar::Int(*number),
            Value::Int32(number) => Scalar::Int32(*number),
            Value::Bool(truth) => Scalar::Bool(*truth),
            Value::Double(number) => Scalar::Double(*number),
            Value::DateTime(time) => Scalar::DateTime(Cow::Owned(time.to_string())),
            Value::Bytes(bytes) => Scalar::Bytes(bytes.clone()),
            Value::Nil => Scalar::Nil,
            other => return Err(ReadError::mismatch("a simple value", other.kind().to_string())),
        })
    }

    fn begin_array(&mut self) -> Result<(), ReadError> {
        match self.take()? {
            Value::Array(items) => self.open.push(Open::Array(items.iter())),
            other => return Err(ReadError::mismatch("an array", other.kind().to_string())),
        }
        Ok(())
    }

    fn next_item(&mut self) -> Result<bool, ReadError> {
        let Some(Open::Array(items)) = self.open.last_mut() else {
            return Err(ReadError::syntax("an array to be open", "none"));
        };
        self.next = items.next();
        if self.next.is_none() {
            self.open.pop();
        }
        Ok(self.next.is_some())
    }

    fn begin_struct(&mut self) -> Result<(), ReadError> {
        match self.take()? {
            Value::Struct(members) => self.open.push(Open::Struct(members, 0)),
            other => return Err(ReadError::mismatch("a struct", other.kind().to_string())),
        }
        Ok(())
    }

    fn next_member(&mut self) -> Result<Option<Cow<'_, str>>, ReadError> {
        let Some(Open::Struct(members, at)) = self.open.last_mut() else {
            return Err(ReadError::syntax("a struct to be open", "none"));
        };
        let Some((name, value)) = members.nth(*at) else {
            self.open.pop();
            return Ok(None);
        };
        *at += 1;
        self.next = Some(value);
        Ok(Some(Cow::Borrowed(name)))
    }

    fn skip(&mut self) -> Result<(), ReadError> {
        self.take().map(drop)
    }
}

/// Writes a tree.
#[derive(Debug, Default)]
pub struct ValueWriter {
    open: Vec<Building>,
    done: Option<Value>,
}

#[derive(Debug)]
enum Building {
    Array(Vec<Value>),
    Struct(Struct, Option<alloc::string::String>),
}

impl ValueWriter {
    /// An empty writer.
    pub fn new() -> Self {
        ValueWriter::default()
    }

    /// The value that was written; void if there was none.
    pub fn finish(self) -> Value {
        self.done.unwrap_or(Value::VOID)
    }

    fn put(&mut self, value: Value) {
        match self.open.last_mut() {
            None => self.done = Some(value),
            Some(Building::Array(items)) => items.push(value),
            Some(Building::Struct(members, name)) => members.push(name.take().unwrap_or_default(), value),
        }
    }

    fn close(&mut self) {
        let closed = match self.open.pop() {
            Some(Building::Array(items)) => Value::Array(items),
            Some(Building::Struct(members, _)) => Value::Struct(members),
            None => return,
        };
        self.put(closed);
    }
}

impl Writer for ValueWriter {
    fn text(&mut self, text: &str) {
        self.put(Value::from(text));
    }

    fn int(&mut self, number: i64) {
        self.put(Value::Int(number));
    }

    fn int32(&mut self, number: i32) {
        self.put(Value::Int32(number));
    }

    fn bool(&mut self, truth: bool) {
        self.put(Value::Bool(truth));
    }

    fn double(&mut self, number: f64) {
        self.put(Value::Double(number));
    }

    fn date_time(&mut self, time: &DateTime) {
        self.put(Value::DateTime(*time));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.put(Value::Bytes(bytes.to_vec()));
    }

    fn nil(&mut self) {
        self.put(Value::Nil);
    }

    fn begin_array(&mut self) {
        self.open.push(Building::Array(Vec::new()));
    }

    fn end_array(&mut self) {
        self.close();
    }

    fn begin_struct(&mut self) {
        self.open.push(Building::Struct(Struct::new(), None));
    }

    fn member(&mut self, name: &str) {
        if let Some(Building::Struct(_, slot)) = self.open.last_mut() {
            *slot = Some(name.into());
        }
    }

    fn end_struct(&mut self) {
        self.close();
    }
}
