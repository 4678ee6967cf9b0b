//! One value after the other, as the expected type asks for them.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use xenapi_core::{DateTime, Kind, ReadError, Reader, Scalar, parse_int};

use super::source::{Source, Stop, Tag, is_blank};
use crate::limits::Limits;
use crate::scalar::{decode_base64, parse_double};

/// Reads the values of an XML-RPC document in order, without building a tree.
///
/// Stands before one value (see [`super::read_reply`]); [`XmlReader::finish`] checks what follows it. Text is borrowed from the
/// document where nothing in it is escaped. Offsets are bytes from the start of the document.
#[derive(Clone)]
pub struct XmlReader<'a> {
    pub(super) source: Source<'a>,
    /// The arrays and structs entered.
    open: Vec<Open>,
    next: Next<'a>,
    /// Where the next value begins.
    value_at: u64,
    /// How many elements are to be closed behind the last value.
    pub(super) closing: usize,
    depth_limit: usize,
    members_limit: usize,
    members: usize,
    role: Role,
    /// The error that ended the reading.
    broken: Option<ReadError>,
}

/// Who reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    /// Reads what xapi reads: no member without a name; a date that is no date is left to whoever wants one.
    Server,
    /// Reads what xapi writes, members without a name included.
    Client,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Open {
    /// Behind `<data>`.
    Array,
    /// An array without `<data>`, already closed.
    EmptyArray,
    /// Behind `<struct>`; whether a `<member>` waits for its end.
    Struct(bool),
}

/// The value that comes next.
#[derive(Clone, Debug)]
enum Next<'a> {
    /// None: behind a value.
    Nothing,
    /// Its `<value>` is taken.
    Value,
    /// A value without others in it, read whole: its type and its text.
    Leaf(Tag, Cow<'a, str>),
    /// Its `<array>` is taken.
    Array,
    /// Its `<struct>` is taken.
    Struct,
}

impl fmt::Debug for XmlReader<'_> {
    /// Without the document, which is long and may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("XmlReader").field("offset", &self.source.at()).field("open", &self.open).finish_non_exhaustive()
    }
}

impl<'a> XmlReader<'a> {
    pub(super) fn new(source: Source<'a>, limits: &Limits, role: Role) -> Self {
        XmlReader {
            source,
            open: Vec::new(),
            next: Next::Nothing,
            value_at: 0,
            closing: 0,
            depth_limit: limits.depth,
            members_limit: limits.members,
            members: 0,
            role,
            broken: None,
        }
    }

    /// Checks that the document is complete behind the value, and that nothing follows. A value that was not read is passed over.
    ///
    /// # Errors
    /// When the document is broken, ends too early or goes on.
    pub fn finish(mut self) -> Result<(), ReadError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        let result = self.finish_inner();
        self.keep(result)
    }

    fn finish_inner(&mut self) -> Result<(), ReadError> {
        self.pass_pending()?;
        self.leave(0)?;
        for _ in 0..self.closing {
            self.source.expect_close("a closing tag")?;
        }
        self.source.expect_end()
    }

    /// Runs a step, and remembers its error if the document cannot be read any further.
    fn keep<T>(&mut self, result: Result<T, ReadError>) -> Result<T, ReadError> {
        result.map_err(|error| {
            let error = error.at(Some(self.source.at()));
            if error.is_fatal() {
                self.broken = Some(error.clone());
            }
            error
        })
    }

    fn guard(&self) -> Result<(), ReadError> {
        self.broken.clone().map_or(Ok(()), Err)
    }

    /// Takes the opening tag of a value.
    pub(super) fn enter_value(&mut self) -> Result<(), ReadError> {
        self.source.expect_open(Tag::Value)?;
        self.value_begun();
        Ok(())
    }

    fn value_begun(&mut self) {
        self.value_at = self.source.at();
        self.next = Next::Value;
    }

    /// Finds out what the next value is.
    fn look(&mut self) -> Result<Kind, ReadError> {
        if let Next::Value = self.next {
            self.next = self.begin()?;
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
    fn begin(&mut self) -> Result<Next<'a>, ReadError> {
        let (text, stop) = self.source.text()?;
        let Stop::Open(tag) = stop else { return Ok(Next::Leaf(Tag::String, text)) };
        if !is_blank(&text) {
            let found = self.source.found(tag);
            return Err(ReadError::syntax("text or an element in <value>", format!("both text and {found}")));
        }
        let text = match tag {
            Tag::Array => return Ok(Next::Array),
            Tag::Struct => return Ok(Next::Struct),
            Tag::String | Tag::Int | Tag::Int32 | Tag::Boolean | Tag::Double | Tag::DateTime | Tag::Base64 | Tag::Nil => {
                self.source.text_to_close(tag)?
            }
            _ => return Err(ReadError::syntax("a type of XML-RPC", self.source.found(tag))),
        };
        self.source.expect_close("</value>")?;
        Ok(Next::Leaf(tag, text))
    }

    fn scalar_inner(&mut self) -> Result<Scalar<'a>, ReadError> {
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
    fn pass_mismatch(&mut self, value: Next<'a>, expected: &'static str, kind: Kind) -> ReadError {
        let at = self.value_at;
        self.next = value;
        match self.pass_pending() {
            Ok(()) => ReadError::mismatch(expected, kind.to_string()).at(Some(at)),
            Err(error) => error,
        }
    }

    fn push(&mut self, open: Open) -> Result<(), ReadError> {
        if self.open.len() >= self.depth_limit {
            let limit = format!("{} arrays and structs inside each other", self.depth_limit);
            return Err(ReadError::limit(limit, "one more"));
        }
        self.open.push(open);
        Ok(())
    }

    pub(super) fn count_member(&mut self) -> Result<(), ReadError> {
        self.members += 1;
        if self.members > self.members_limit {
            return Err(ReadError::limit(format!("{} items and members", self.members_limit), "one more"));
        }
        Ok(())
    }

    /// Behind `<array>`.
    fn enter_array(&mut self) -> Result<(), ReadError> {
        self.next = Next::Nothing;
        match self.source.structure("<data>")? {
            Stop::Open(Tag::Data) => self.push(Open::Array),
            Stop::Open(tag) => Err(ReadError::syntax("<data>", self.source.found(tag))),
            Stop::Close => {
                self.source.expect_close("</value>")?;
                self.push(Open::EmptyArray)
            }
        }
    }

    fn next_item_inner(&mut self) -> Result<bool, ReadError> {
        self.pass_pending()?;
        match self.open.last() {
            Some(Open::Array) => {}
            Some(Open::EmptyArray) => {
                self.open.pop();
                return Ok(false);
            }
            _ => return Err(ReadError::syntax("an array to be open", "none")),
        }
        match self.source.structure("<value> or </data>")? {
            Stop::Open(Tag::Value) => {
                self.count_member()?;
                self.value_begun();
                Ok(true)
            }
            Stop::Open(tag) => Err(ReadError::syntax("<value> or </data>", self.source.found(tag))),
            Stop::Close => {
                self.source.expect_close("</array>")?;
                self.source.expect_close("</value>")?;
                self.open.pop();
                Ok(false)
            }
        }
    }

    fn next_member_inner(&mut self) -> Result<Option<Cow<'a, str>>, ReadError> {
        self.pass_pending()?;
        let Some(Open::Struct(in_member)) = self.open.last_mut() else {
            return Err(ReadError::syntax("a struct to be open", "none"));
        };
        if core::mem::replace(in_member, true) {
            self.source.expect_close("</member>")?;
        }
        match self.source.structure("<member> or </struct>")? {
            Stop::Open(Tag::Member) => {}
            Stop::Open(tag) => return Err(ReadError::syntax("<member> or </struct>", self.source.found(tag))),
            Stop::Close => {
                self.source.expect_close("</value>")?;
                self.open.pop();
                return Ok(None);
            }
        }
        self.count_member()?;
        self.source.expect_open(Tag::Name)?;
        let name = self.source.text_to_close(Tag::Name)?;
        if self.role == Role::Server && name.is_empty() {
            return Err(ReadError::syntax("a name", "an empty one"));
        }
        self.enter_value()?;
        Ok(Some(name))
    }

    /// Passes over the next value, if one waits.
    fn pass_pending(&mut self) -> Result<(), ReadError> {
        if let Next::Nothing = self.next {
            return Ok(());
        }
        let outside = self.open.len();
        self.pass_start()?;
        self.leave(outside)
    }

    /// Takes a leaf, or enters a container.
    fn pass_start(&mut self) -> Result<(), ReadError> {
        match self.look()? {
            Kind::Array => self.enter_array(),
            Kind::Struct => self.enter_struct(),
            _ => {
                self.next = Next::Nothing;
                Ok(())
            }
        }
    }

    fn enter_struct(&mut self) -> Result<(), ReadError> {
        self.next = Next::Nothing;
        self.push(Open::Struct(false))
    }

    /// Passes over the rest of what is open, down to that depth. A loop, so that depth costs no stack.
    fn leave(&mut self, depth: usize) -> Result<(), ReadError> {
        while self.open.len() > depth {
            let more = match self.open.last() {
                Some(Open::Struct(_)) => self.next_member_inner()?.is_some(),
                _ => self.next_item_inner()?,
            };
            if more {
                self.pass_start()?;
            }
        }
        Ok(())
    }
}

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
        self.guard()?;
        let result = match self.look() {
            Ok(Kind::Array) => self.enter_array(),
            Ok(kind) => {
                let value = core::mem::replace(&mut self.next, Next::Nothing);
                Err(self.pass_mismatch(value, "an array", kind))
            }
            Err(error) => Err(error),
        };
        self.keep(result)
    }

    fn next_item(&mut self) -> Result<bool, ReadError> {
        self.guard()?;
        let item = self.next_item_inner();
        self.keep(item)
    }

    fn begin_struct(&mut self) -> Result<(), ReadError> {
        self.guard()?;
        let result = match self.look() {
            Ok(Kind::Struct) => self.enter_struct(),
            Ok(kind) => {
                let value = core::mem::replace(&mut self.next, Next::Nothing);
                Err(self.pass_mismatch(value, "a struct", kind))
            }
            Err(error) => Err(error),
        };
        self.keep(result)
    }

    fn next_member(&mut self) -> Result<Option<Cow<'_, str>>, ReadError> {
        self.guard()?;
        let name = self.next_member_inner();
        self.keep(name)
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
        Some(if let Next::Nothing = self.next { self.source.at() } else { self.value_at })
    }
}

/// The value of a leaf.
fn parse(tag: Tag, text: Cow<'_, str>) -> Result<Scalar<'_>, ReadError> {
    let wrong = |expected| {
        let start: String = text.chars().take(40).collect();
        ReadError::mismatch(expected, format!("{} that holds {start:?}", tag.text()))
    };
    match tag {
        Tag::Int => parse_int(&text).map(Scalar::Int).ok_or_else(|| wrong("an integer")),
        Tag::Int32 => {
            let number = parse_int(&text).ok_or_else(|| wrong("an integer"))?;
            // xapi takes 64 bits here too.
            Ok(i32::try_from(number).map_or(Scalar::Int(number), Scalar::Int32))
        }
        // Only 1 is true, and nothing else is wrong but nothing.
        Tag::Boolean if text.is_empty() => Err(wrong("a boolean")),
        Tag::Boolean => Ok(Scalar::Bool(text == "1")),
        Tag::Double => parse_double(&text).map(Scalar::Double).ok_or_else(|| wrong("a number")),
        Tag::Base64 => decode_base64(&text).map(Scalar::Bytes).ok_or_else(|| wrong("base64")),
        Tag::DateTime => Ok(Scalar::DateTime(text)),
        Tag::Nil if is_blank(&text) => Ok(Scalar::Nil),
        Tag::Nil => Err(wrong("nothing")),
        _ => Ok(Scalar::Text(text)),
    }
}
