//! One value after the other, as the expected type asks for them.
//!
//! Two readers, one state. What has been entered, what comes next and what was counted is kept here; only the steps from one
//! place of the document to the next are taken twice, by the scanner ([`Scan`]) and by the general reader ([`Source`]). A step
//! of the scanner either succeeds, or changes nothing and leaves the document to the general reader for good: that reads from
//! the start up to the same place without handing anything out, and goes on from there. So no value comes twice, none is
//! taken back, no pass over the document goes ahead of the reading, and whatever is wrong with a document is found and worded
//! by the general reader alone. The replay happens once at most, so a document is read twice at the worst.

mod steps;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

use xenapi_core::{DateTime, Kind, Name, ReadError, Reader, Scalar, Start, TextEntries};

#[cfg(not(feature = "std"))]
use super::absent::Source;
use super::locate::{Lines, excerpt};
use super::names::Names;
use super::scan::Scan;
#[cfg(feature = "std")]
use super::source::Source;
use super::tag::{Stop, Tag, is_blank, parse};
use crate::limits::Limits;

/// Which of the two readers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Engine {
    /// The scanner as long as it recognises the document, then the general reader.
    #[default]
    Auto,
    /// The scanner alone, which is an error where it recognises the document no longer. For tests and benchmarks.
    Scanner,
    /// The general reader alone. For tests and benchmarks.
    General,
}

/// Reads the values of an XML-RPC document in order, without building a tree.
///
/// Stands before one value (see [`super::read_reply`]); [`XmlReader::finish`] checks what follows it. Text is borrowed from the
/// document where nothing in it is escaped. Offsets are bytes from the start of the document.
#[derive(Clone)]
pub struct XmlReader<'a> {
    pub(super) document: &'a [u8],
    /// The scanner, as long as it recognises the document.
    scan: Option<Scan<'a>>,
    /// The general reader, once it has taken over.
    source: Option<Box<Source<'a>>>,
    choice: Engine,
    /// The arrays and structs entered.
    open: Vec<Open>,
    next: Next<'a>,
    /// Where the next value begins.
    value_at: u64,
    /// What stands behind the last value.
    ending: Ending,
    /// How many of the arrays and structs entered stand outside of the document, which is a part of another.
    floor: usize,
    /// Whether a parameter of a call waits for its end.
    in_param: bool,
    limits: Limits,
    members: usize,
    /// How many members the last struct had at each depth.
    last: [u32; 8],
    role: Role,
    /// Names of members that have come.
    names: Names,
    /// Memory in which maps are gathered.
    entries: TextEntries,
    lines: Lines,
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

/// How much has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    /// Items and members in the whole document.
    pub(super) members: usize,
    /// Items or members of the innermost array or struct.
    pub(super) records: usize,
}

/// What is to be closed behind the last value of a document.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ending {
    /// Nothing: a lone value.
    Value,
    Call,
    Reply,
    Fault,
    /// The part of a document is one member of a struct.
    Member,
}

impl Ending {
    /// How many elements.
    fn count(self) -> usize {
        match self {
            Ending::Value => 0,
            Ending::Call | Ending::Member => 1,
            Ending::Fault => 2,
            Ending::Reply => 3,
        }
    }
}

/// An array or struct that was entered.
#[derive(Clone, Copy, Debug)]
struct Open {
    shape: Shape,
    /// How many items or members have come.
    members: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    /// Behind `<data>`.
    Array,
    /// An array without `<data>`, already closed.
    EmptyArray,
    /// Behind `<struct>`.
    Struct,
    /// In a struct, and a `<member>` waits for its end.
    Member,
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
        f.debug_struct("XmlReader")
            .field("engine", &self.engine())
            .field("offset", &self.at())
            .field("open", &self.open)
            .finish_non_exhaustive()
    }
}

const VALUE: u64 = "<value>".len() as u64;

impl<'a> XmlReader<'a> {
    /// The start of a document.
    pub(super) fn new(document: &'a [u8], limits: &Limits, role: Role, choice: Engine) -> Result<Self, ReadError> {
        if document.len() > limits.bytes {
            return Err(ReadError::limit(format!("{} bytes", limits.bytes), format!("{} bytes", document.len())));
        }
        let (scan, source) = match choice {
            Engine::General => (None, Some(Box::new(Source::new(document, limits.text)?))),
            Engine::Auto | Engine::Scanner => (Some(Scan::new(document, limits.text)), None),
        };
        Ok(XmlReader {
            document,
            scan,
            source,
            choice,
            open: Vec::new(),
            next: Next::Nothing,
            value_at: 0,
            ending: Ending::Value,
            floor: 0,
            in_param: false,
            limits: *limits,
            members: 0,
            last: [0; 8],
            role,
            names: Names::default(),
            entries: TextEntries::default(),
            lines: Lines::default(),
            broken: None,
        })
    }

    /// The start of a part of a document: one item of an array or one member of a struct, with that many arrays and structs
    /// around it, of which the innermost has had that many others, as has the whole document.
    pub(super) fn part(
        part: &'a [u8],
        limits: &Limits,
        choice: Engine,
        in_struct: bool,
        outside: usize,
        before: &Counts,
    ) -> Result<Self, ReadError> {
        let mut reader = XmlReader::new(part, limits, Role::Client, choice)?;
        let shape = if in_struct { Shape::Struct } else { Shape::Array };
        reader.open = alloc::vec![Open { shape, members: before.records }; outside];
        reader.floor = outside;
        reader.members = before.members;
        reader.ending = if in_struct { Ending::Member } else { Ending::Value };
        Ok(reader)
    }

    /// What was counted so far.
    pub(super) fn counts(&self) -> Counts {
        Counts { members: self.members, records: self.open.last().map_or(0, |open| open.members) }
    }

    /// Where the value begins that is next or was the last, in bytes from the start of the document.
    pub(super) fn value_at(&self) -> u64 {
        self.value_at
    }

    /// Up to where the document was taken.
    pub(super) fn end(&self) -> u64 {
        match (&self.scan, &self.source) {
            (Some(scan), _) => scan.offset(),
            (None, Some(source)) => source.end(),
            (None, None) => 0,
        }
    }

    /// The name of the next member, which outlives the reader.
    #[inline]
    pub(super) fn borrowed_member(&mut self) -> Result<Option<Cow<'a, str>>, ReadError> {
        if let Some(name) = self.scan_member_at_once() {
            return Ok(name);
        }
        self.guard()?;
        let name = self.next_member_inner();
        self.keep(name)
    }

    /// Passes over text.
    pub(super) fn pass_text(&mut self) -> Result<(), ReadError> {
        match self.scan_pass() {
            Some(()) => Ok(()),
            None => self.borrowed_text().map(drop),
        }
    }

    /// Text, which outlives the reader.
    pub(super) fn borrowed_text(&mut self) -> Result<Cow<'a, str>, ReadError> {
        match self.scan_text() {
            Some(text) => Ok(text),
            None => self.expect("text", |found| found.into_text("text")),
        }
    }

    /// How many arrays and structs are entered.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Which reader is at work: [`Engine::Scanner`] as long as it recognises the document, then [`Engine::General`].
    pub fn engine(&self) -> Engine {
        if self.source.is_none() { Engine::Scanner } else { Engine::General }
    }

    /// Checks that the document is complete behind the value, and that nothing follows. A value that was not read is passed over.
    ///
    /// # Errors
    /// When the document is broken, ends too early or goes on.
    pub fn finish(mut self) -> Result<(), ReadError> {
        self.guard()?;
        let result = self.finish_inner();
        self.keep(result)
    }

    /// Checks that a part of a document is complete, and says what has been counted with it.
    pub(super) fn finish_part(&mut self) -> Result<Counts, ReadError> {
        self.guard()?;
        let result = self.finish_inner();
        self.keep(result)?;
        Ok(self.counts())
    }

    fn finish_inner(&mut self) -> Result<(), ReadError> {
        self.pass_pending()?;
        self.leave(self.floor)?;
        if self.scanned(Self::scan_finish)?.is_some() {
            return Ok(());
        }
        for _ in 0..self.ending.count() {
            self.source()?.expect_close("a closing tag")?;
        }
        self.source()?.expect_end()
    }

    /// Where the tag or text begins that was taken last, in bytes from the start of the document.
    pub(super) fn at(&self) -> u64 {
        match (&self.scan, &self.source) {
            (Some(scan), _) => scan.last_tag(),
            (None, Some(source)) => source.at(),
            (None, None) => 0,
        }
    }

    /// Shows where the error is.
    fn located(&mut self, error: ReadError) -> ReadError {
        let Some(offset) = error.offset().and_then(|at| usize::try_from(at).ok()) else { return error };
        if error.excerpt().is_some() {
            return error;
        }
        let line = self.lines.at(self.document, offset);
        error.shown(line, excerpt(self.document, offset, self.role == Role::Server))
    }

    /// Runs a step, and remembers its error if the document cannot be read any further.
    pub(super) fn keep<T>(&mut self, result: Result<T, ReadError>) -> Result<T, ReadError> {
        result.map_err(|error| {
            let at = if error.offset().is_none() { Some(self.at()) } else { None };
            let error = self.located(error.at(at));
            if error.is_fatal() {
                self.broken = Some(error.clone());
                self.scan = None;
            }
            error
        })
    }

    fn guard(&self) -> Result<(), ReadError> {
        self.broken.clone().map_or(Ok(()), Err)
    }

    /// The general reader, which has taken over.
    fn source(&mut self) -> Result<&mut Source<'a>, ReadError> {
        match &mut self.source {
            Some(source) => Ok(source),
            None => Err(self.broken.clone().unwrap_or_else(|| ReadError::syntax("a document", "none"))),
        }
    }

    /// Lets the scanner take a step. Once it cannot, the general reader is in its place, and `None` the answer.
    #[inline]
    fn scanned<T>(&mut self, step: impl Fn(&mut Self) -> Option<T>) -> Result<Option<T>, ReadError> {
        while self.scan.is_some() {
            if let Some(done) = step(self) {
                return Ok(Some(done));
            }
            if !self.scan.as_mut().is_some_and(Scan::slide) {
                self.fall_back()?;
            }
        }
        Ok(None)
    }

    #[cold]
    fn fall_back(&mut self) -> Result<(), ReadError> {
        let at = self.scan.as_ref().map_or(0, Scan::offset);
        if self.choice == Engine::Scanner {
            return Err(ReadError::syntax("XML-RPC as xapi writes it", "something else").at(Some(at)));
        }
        let mut source = Source::new(self.document, self.limits.text).map_err(|error| error.at(Some(at)))?;
        source.replay(at).map_err(|error| error.at(Some(source.at())))?;
        self.scan = None;
        self.source = Some(Box::new(source));
        Ok(())
    }

    /// Takes the start of a call up to its parameters, and answers the method.
    pub(super) fn call_head(&mut self) -> Result<Cow<'a, str>, ReadError> {
        let method = match self.scanned(Self::scan_call_head)? {
            Some(method) => method,
            None => {
                let source = self.source()?;
                source.expect_open(Tag::MethodCall)?;
                source.expect_open(Tag::MethodName)?;
                let method = source.text_to_close(Tag::MethodName)?;
                if method.is_empty() {
                    return Err(ReadError::syntax("the name of a method", "an empty <methodName>"));
                }
                source.expect_open(Tag::Params)?;
                method
            }
        };
        self.ending = Ending::Call;
        Ok(method)
    }

    /// Enters the next parameter of a call, if there is one.
    pub(super) fn next_param(&mut self) -> Result<bool, ReadError> {
        self.pass_pending()?;
        if let Some(more) = self.scanned(Self::scan_param)? {
            return Ok(more);
        }
        if core::mem::take(&mut self.in_param) {
            self.source()?.expect_close("</param>")?;
        }
        let source = self.source()?;
        match source.structure("<param> or </params>")? {
            Stop::Open(Tag::Param) => {}
            Stop::Open(tag) => return Err(ReadError::syntax("<param> or </params>", source.found(tag))),
            Stop::Close => return Ok(false),
        }
        self.count_member()?;
        self.enter_value()?;
        self.in_param = true;
        Ok(true)
    }

    /// Takes the start of a reply up to its value. Whether that is the value of a fault.
    pub(super) fn reply_head(&mut self) -> Result<bool, ReadError> {
        if self.scanned(Self::scan_reply_head)?.is_some() {
            self.ending = Ending::Reply;
            return Ok(false);
        }
        let source = self.source()?;
        source.expect_open(Tag::MethodResponse)?;
        let is_fault = match source.structure("<params> or <fault>")? {
            Stop::Open(Tag::Params) => {
                source.expect_open(Tag::Param)?;
                false
            }
            Stop::Open(Tag::Fault) => true,
            Stop::Open(tag) => return Err(ReadError::syntax("<params> or <fault>", source.found(tag))),
            Stop::Close => return Err(ReadError::syntax("<params> or <fault>", "</methodResponse>")),
        };
        self.ending = if is_fault { Ending::Fault } else { Ending::Reply };
        self.enter_value()?;
        Ok(is_fault)
    }

    /// Takes the opening tag of a lone value.
    pub(super) fn value_head(&mut self) -> Result<(), ReadError> {
        match self.scanned(Self::scan_value)? {
            Some(()) => Ok(()),
            None => self.enter_value(),
        }
    }

    /// Takes the opening tag of a value, in the general reader.
    fn enter_value(&mut self) -> Result<(), ReadError> {
        self.source()?.expect_open(Tag::Value)?;
        self.value_begun();
        Ok(())
    }

    fn value_begun(&mut self) {
        self.value_at = self.at();
        self.next = Next::Value;
    }

    /// Finds out what the next value is.
    fn look(&mut self) -> Result<Kind, ReadError> {
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
    fn begin(&mut self) -> Result<Next<'a>, ReadError> {
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

    fn push(&mut self, shape: Shape) -> Result<(), ReadError> {
        if self.open.len() >= self.limits.depth {
            let limit = format!("{} arrays and structs inside each other", self.limits.depth);
            return Err(ReadError::limit(limit, "one more"));
        }
        self.open.push(Open { shape, members: 0 });
        Ok(())
    }

    /// Whether one more item or member is within the limits.
    #[inline]
    fn has_room(&self) -> bool {
        self.members < self.limits.members && self.open.last().is_none_or(|open| open.members < self.limits.records)
    }

    #[inline]
    fn counted(&mut self) {
        self.members += 1;
        if let Some(open) = self.open.last_mut() {
            open.members += 1;
        }
    }

    fn count_member(&mut self) -> Result<(), ReadError> {
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
    fn enter_array_inner(&mut self) -> Result<(), ReadError> {
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
    fn enter_struct_inner(&mut self) -> Result<(), ReadError> {
        self.next = Next::Nothing;
        if self.scanned(Self::scan_struct)?.is_some() {
            return Ok(());
        }
        self.push(Shape::Struct)
    }

    fn next_item_inner(&mut self) -> Result<bool, ReadError> {
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

    fn next_member_inner(&mut self) -> Result<Option<Cow<'a, str>>, ReadError> {
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
    fn leave(&mut self, depth: usize) -> Result<(), ReadError> {
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
    fn expect<T>(
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
    fn enter(&mut self, kind: Kind, expected: &'static str) -> Result<bool, ReadError> {
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

    fn begin_container(&mut self, kind: Kind, expected: &'static str) -> Result<(), ReadError> {
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
        if let Next::Nothing = self.next
            && self.open.last().is_some_and(|open| open.shape == Shape::Array)
            && let Some(more) = self.scan_item()
        {
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
        Ok(Some(self.names.keep(name, self.document.len())))
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
