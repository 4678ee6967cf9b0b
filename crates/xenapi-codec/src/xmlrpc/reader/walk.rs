//! From value to value. Each step is taken by the scanner where it can, else by the general reader.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::ToString;

use xenapi_core::{DateTime, Kind, ReadError, Scalar};

use super::{Next, Open, Role, Shape, XmlReader};
use crate::xmlrpc::tag::{Stop, Tag, is_blank, parse};

impl<'a> XmlReader<'a> {
    /// Takes the opening tag of a value, in the general reader.
    pub(super) fn enter_value(&mut self) -> Result<(), ReadError> {
        self.source()?.expect_open(Tag::Value)?;
        self.value_begun();
        Ok(())
    }

    pub(super) fn value_begun(&mut self) {
        self.value_at = self.at();
        self.next = Next::Value;
    }

    /// Finds out what the next value is.
    pub(super) fn look(&mut self) -> Result<Kind, ReadError> {
        if let Next::Value = self.next {
            self.next = match self.scanned(Self::scan_begin)? {
                Some(next) => next,
                None => self.begin()?,
            };
        }
        Ok(match &self.next {
            Next::Leaf(tag, _) => match tag {
                Tag::Int | Tag::Int32 => Kind::Int,
                Tag::Boolean => Kind::Bool,
                Tag::Double => Kind::Double,
                Tag::DateTime => Kind::DateTime,
                Tag::Base64 => Kind::Bytes,
                Tag::Nil => Kind::Nil,
                _ => Kind::Text,
            },
            Next::Array => Kind::Array,
            Next::Struct => Kind::Struct,
            Next::Nothing | Next::Value => return Err(ReadError::syntax("a value", "none here")),
        })
    }

    /// Behind `<value>`: takes a leaf whole, of a container the opening tag.
    pub(super) fn begin(&mut self) -> Result<Next<'a>, ReadError> {
        let source = self.source()?;
        let (text, stop) = source.text()?;
        let Stop::Open(tag) = stop else { return Ok(Next::Leaf(Tag::String, text)) };
        if !is_blank(&text) {
            let found = source.found(tag);
            return Err(ReadError::syntax("text or an element in <value>", format!("both text and {found}")));
        }
        let text = match tag {
            Tag::Array => return Ok(Next::Array),
            Tag::Struct => return Ok(Next::Struct),
            Tag::String | Tag::Int | Tag::Int32 | Tag::Boolean | Tag::Double | Tag::DateTime | Tag::Base64 | Tag::Nil => {
                source.text_to_close(tag)?
            }
            _ => return Err(ReadError::syntax("a type of XML-RPC", source.found(tag))),
        };
        source.expect_close("</value>")?;
        Ok(Next::Leaf(tag, text))
    }

    pub(super) fn scalar_inner(&mut self) -> Result<Scalar<'a>, ReadError> {
        let kind = self.look()?;
        let at = self.value_at;
        match core::mem::replace(&mut self.next, Next::Nothing) {
            Next::Leaf(Tag::DateTime, text) if self.role == Role::Server && DateTime::parse(&text).is_err() => {
                Ok(Scalar::Text(text))
            }
            Next::Leaf(tag, text) => parse(tag, text).map_err(|error| error.at(Some(at))),
            container => Err(self.pass_mismatch(container, "a simple value", kind)),
        }
    }

    /// Passes over a value of the wrong kind, and says so.
    pub(super) fn pass_mismatch(&mut self, value: Next<'a>, expected: &'static str, kind: Kind) -> ReadError {
        let at = self.value_at;
        self.next = value;
        match self.pass_pending() {
            Ok(()) => ReadError::mismatch(expected, kind.to_string()).at(Some(at)),
            Err(error) => error,
        }
    }

    pub(super) fn push(&mut self, shape: Shape) -> Result<(), ReadError> {
        if self.open.len() >= self.limits.depth {
            let limit = format!("{} arrays and structs inside each other", self.limits.depth);
            return Err(ReadError::limit(limit, "one more"));
        }
        self.open.push(Open { shape, members: 0 });
        Ok(())
    }

    /// Whether one more item or member is within the limits.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.members < self.limits.members && self.open.last().is_none_or(|open| open.members < self.limits.records)
    }

    #[inline]
    pub(super) fn counted(&mut self) {
        self.members += 1;
        if let Some(open) = self.open.last_mut() {
            open.members += 1;
        }
    }

    pub(super) fn count_member(&mut self) -> Result<(), ReadError> {
        if !self.has_room() {
            let limit = if self.members < self.limits.members {
                format!("{} records, items or members in one place", self.limits.records)
            } else {
                format!("{} items and members", self.limits.members)
            };
            return Err(ReadError::limit(limit, "one more"));
        }
        self.counted();
        Ok(())
    }

    /// Behind `<array>`.
    pub(super) fn enter_array_inner(&mut self) -> Result<(), ReadError> {
        self.next = Next::Nothing;
        if self.scanned(Self::scan_data)?.is_some() {
            return Ok(());
        }
        let source = self.source()?;
        match source.structure("<data>")? {
            Stop::Open(Tag::Data) => self.push(Shape::Array),
            Stop::Open(tag) => Err(ReadError::syntax("<data>", source.found(tag))),
            Stop::Close => {
                source.expect_close("</value>")?;
                self.push(Shape::EmptyArray)
            }
        }
    }

    /// Behind `<struct>`.
    pub(super) fn enter_struct_inner(&mut self) -> Result<(), ReadError> {
        self.next = Next::Nothing;
        if self.scanned(Self::scan_struct)?.is_some() {
            return Ok(());
        }
        self.push(Shape::Struct)
    }

    pub(super) fn next_item_inner(&mut self) -> Result<bool, ReadError> {
        self.pass_pending()?;
        match self.open.last().map(|open| open.shape) {
            Some(Shape::Array) => {}
            Some(Shape::EmptyArray) => {
                self.open.pop();
                return Ok(false);
            }
            _ => return Err(ReadError::syntax("an array to be open", "none")),
        }
        if let Some(more) = self.scanned(Self::scan_item)? {
            return Ok(more);
        }
        let source = self.source()?;
        match source.structure("<value> or </data>")? {
            Stop::Open(Tag::Value) => {
                self.count_member()?;
                self.value_begun();
                Ok(true)
            }
            Stop::Open(tag) => Err(ReadError::syntax("<value> or </data>", source.found(tag))),
            Stop::Close => {
                source.expect_close("</array>")?;
                source.expect_close("</value>")?;
                self.open.pop();
                Ok(false)
            }
        }
    }

    pub(super) fn next_member_inner(&mut self) -> Result<Option<Cow<'a, str>>, ReadError> {
        self.pass_pending()?;
        let Some(Open { shape: Shape::Struct | Shape::Member, .. }) = self.open.last() else {
            return Err(ReadError::syntax("a struct to be open", "none"));
        };
        if let Some(name) = self.scanned(Self::scan_member)? {
            return Ok(name);
        }
        let source = match &mut self.source {
            Some(source) => source,
            None => return Err(ReadError::syntax("a document", "none")),
        };
        if let Some(open) = self.open.last_mut()
            && core::mem::replace(&mut open.shape, Shape::Member) == Shape::Member
        {
            source.expect_close("</member>")?;
        }
        match source.structure("<member> or </struct>")? {
            Stop::Open(Tag::Member) => {}
            Stop::Open(tag) => return Err(ReadError::syntax("<member> or </struct>", source.found(tag))),
            Stop::Close => {
                source.expect_close("</value>")?;
                self.open.pop();
                return Ok(None);
            }
        }
        self.count_member()?;
        let source = self.source()?;
        source.expect_open(Tag::Name)?;
        let name = source.text_to_close(Tag::Name)?;
        if self.role == Role::Server && name.is_empty() {
            return Err(ReadError::syntax("a name", "an empty one"));
        }
        self.enter_value()?;
        Ok(Some(name))
    }

    /// Passes over the next value, if one waits.
    pub(super) fn pass_pending(&mut self) -> Result<(), ReadError> {
        if let Next::Nothing = self.next {
            return Ok(());
        }
        let outside = self.open.len();
        self.pass_start()?;
        self.leave(outside)
    }

    /// Takes a leaf, or enters a container.
    pub(super) fn pass_start(&mut self) -> Result<(), ReadError> {
        if self.scan_pass().is_some() {
            return Ok(());
        }
        match self.look()? {
            Kind::Array => self.enter_array_inner(),
            Kind::Struct => self.enter_struct_inner(),
            _ => {
                self.next = Next::Nothing;
                Ok(())
            }
        }
    }

    /// Passes over the rest of what is open, down to that depth. A loop, so that depth costs no stack.
    pub(super) fn leave(&mut self, depth: usize) -> Result<(), ReadError> {
        while self.open.len() > depth {
            let more = match self.open.last().map(|open| open.shape) {
                Some(Shape::Struct | Shape::Member) => match self.scan_member_at_once() {
                    Some(member) => member.is_some(),
                    None => self.next_member_inner()?.is_some(),
                },
                _ => self.next_item_inner()?,
            };
            if more {
                self.pass_start()?;
            }
        }
        Ok(())
    }

    /// Takes a scalar and makes something of it.
    #[inline(never)]
    pub(super) fn expect<T>(
        &mut self,
        expected: &'static str,
        make: impl FnOnce(Scalar<'a>) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        self.guard()?;
        let result = self.scalar_inner().map_err(|error| error.expecting(expected));
        let at = self.value_at;
        let result = result.and_then(|found| make(found).map_err(|error| error.at(Some(at))));
        self.keep(result)
    }

    /// Enters an array or struct, or takes the empty text that stands for one.
    pub(super) fn enter(&mut self, kind: Kind, expected: &'static str) -> Result<bool, ReadError> {
        self.guard()?;
        let result = match self.look() {
            Ok(Kind::Text) => self.scalar_inner().and_then(|found| {
                found.to_void(expected).map_err(|error| error.at(Some(self.value_at)))?;
                Ok(false)
            }),
            Ok(found) if found == kind => match kind {
                Kind::Array => self.enter_array_inner().map(|()| true),
                _ => self.enter_struct_inner().map(|()| true),
            },
            Ok(found) => {
                let value = core::mem::replace(&mut self.next, Next::Nothing);
                Err(self.pass_mismatch(value, expected, found))
            }
            Err(error) => Err(error),
        };
        self.keep(result)
    }

    pub(super) fn begin_container(&mut self, kind: Kind, expected: &'static str) -> Result<(), ReadError> {
        self.guard()?;
        let result = match self.look() {
            Ok(Kind::Array) if kind == Kind::Array => self.enter_array_inner(),
            Ok(Kind::Struct) if kind == Kind::Struct => self.enter_struct_inner(),
            Ok(found) => {
                let value = core::mem::replace(&mut self.next, Next::Nothing);
                Err(self.pass_mismatch(value, expected, found))
            }
            Err(error) => Err(error),
        };
        self.keep(result)
    }
}
