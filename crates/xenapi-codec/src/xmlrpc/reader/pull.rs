//! What types ask of a reader.

use alloc::borrow::Cow;

use xenapi_core::{Kind, Name, ReadError, Reader, Scalar, Start, TextEntries, Value};

use super::{Next, Shape, XmlReader};
use crate::xmlrpc::names::Place;

impl Reader for XmlReader<'_> {
    fn kind(&mut self) -> Result<Kind, ReadError> {
        self.guard()?;
        let kind = self.look();
        self.keep(kind)
    }

    fn scalar(&mut self) -> Result<Scalar<'_>, ReadError> {
        self.guard()?;
        let scalar = self.scalar_inner();
        self.keep(scalar)
    }

    fn begin_array(&mut self) -> Result<(), ReadError> {
        self.begin_container(Kind::Array, "an array")
    }

    fn next_item(&mut self) -> Result<bool, ReadError> {
        if let Some(more) = self.scan_item_at_once() {
            return Ok(more);
        }
        self.guard()?;
        let item = self.next_item_inner();
        self.keep(item)
    }

    fn begin_struct(&mut self) -> Result<(), ReadError> {
        self.begin_container(Kind::Struct, "a struct")
    }

    fn next_member(&mut self) -> Result<Option<Cow<'_, str>>, ReadError> {
        self.borrowed_member()
    }

    fn next_name(&mut self) -> Result<Option<Name>, ReadError> {
        let Some(name) = self.borrowed_member()? else { return Ok(None) };
        Ok(Some(self.names.keep(name, self.document.len()).0))
    }

    fn skip(&mut self) -> Result<(), ReadError> {
        self.guard()?;
        let result = match self.next {
            Next::Nothing => Err(ReadError::syntax("a value", "none here")),
            _ => self.pass_pending(),
        };
        self.keep(result)
    }

    fn offset(&self) -> Option<u64> {
        Some(if let Next::Nothing = self.next { self.at() } else { self.value_at })
    }

    fn place(&mut self, error: ReadError, offset: Option<u64>) -> ReadError {
        self.located(error.at(Some(offset.unwrap_or(self.value_at))))
    }

    fn start(&mut self) -> Result<Start<'_>, ReadError> {
        if let Some(text) = self.scan_text() {
            return Ok(Start::Scalar(Scalar::Text(text)));
        }
        if let Some(true) = self.scan_enter(b"<struct>", Shape::Struct) {
            return Ok(Start::Struct);
        }
        if let Some(true) = self.scan_enter(b"<array><data>", Shape::Array) {
            return Ok(Start::Array);
        }
        if let Some(truth) = self.scan_bool() {
            return Ok(Start::Scalar(Scalar::Bool(truth)));
        }
        match self.kind()? {
            Kind::Array => self.begin_array().map(|()| Start::Array),
            Kind::Struct => self.begin_struct().map(|()| Start::Struct),
            _ => self.scalar().map(Start::Scalar),
        }
    }

    #[inline]
    fn text(&mut self, expected: &'static str) -> Result<Cow<'_, str>, ReadError> {
        match self.scan_text() {
            Some(text) => Ok(text),
            None => self.expect(expected, |found| found.into_text(expected)),
        }
    }

    #[inline]
    fn int(&mut self) -> Result<i64, ReadError> {
        match self.scan_int() {
            Some(number) => Ok(number),
            None => self.expect("an integer", |found| found.to_int()),
        }
    }

    #[inline]
    fn bool(&mut self) -> Result<bool, ReadError> {
        match self.scan_bool() {
            Some(truth) => Ok(truth),
            None => self.expect("a boolean", |found| found.to_bool()),
        }
    }

    fn enter_array(&mut self) -> Result<bool, ReadError> {
        match self.scan_enter(b"<array><data>", Shape::Array) {
            Some(entered) => Ok(entered),
            None => self.enter(Kind::Array, "an array"),
        }
    }

    fn enter_struct(&mut self) -> Result<bool, ReadError> {
        match self.scan_enter(b"<struct>", Shape::Struct) {
            Some(entered) => Ok(entered),
            None => self.enter(Kind::Struct, "a struct"),
        }
    }

    fn usual_value(&mut self) -> Option<Result<Value, ReadError>> {
        self.usual(Place::UNKNOWN)
    }

    fn text_members(&mut self, entries: &mut TextEntries) {
        // Where it does not know what comes, somebody else does.
        let _ = self.scan_text_members(entries);
    }

    fn lend_entries(&mut self) -> TextEntries {
        core::mem::take(&mut self.entries)
    }

    fn take_entries(&mut self, entries: TextEntries) {
        self.entries = entries;
    }

    fn likely_members(&self) -> usize {
        self.open.len().checked_sub(1).and_then(|depth| self.last.get(depth)).map_or(0, |last| *last as usize)
    }

    #[inline]
    fn member_is(&mut self, name: &str) -> Result<bool, ReadError> {
        Ok(self.scan_member_is(name).is_some())
    }
}
