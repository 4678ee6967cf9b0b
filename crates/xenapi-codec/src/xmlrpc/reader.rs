//! One value after the other, as the expected type asks for them.
//!
//! Two readers, one state. What has been entered, what comes next and what was counted is kept here; only the steps from one
//! place of the document to the next are taken twice, by the scanner ([`Scan`]) and by the general reader ([`Source`]). A step
//! of the scanner either succeeds, or changes nothing and leaves the document to the general reader for good: that reads from
//! the start up to the same place without handing anything out, and goes on from there. So no value comes twice, none is
//! taken back, no pass over the document goes ahead of the reading, and whatever is wrong with a document is found and worded
//! by the general reader alone. The replay happens once at most, so a document is read twice at the worst.

mod frame;
mod pull;
mod steps;
mod values;
mod walk;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use core::fmt;

use xenapi_core::{ReadError, TextEntries};

#[cfg(not(feature = "std"))]
use super::absent::Source;
use super::locate::{Lines, excerpt};
use super::names::Names;
use super::scan::Scan;
#[cfg(feature = "std")]
use super::source::Source;
use super::tag::Tag;
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
    pub(super) entries: TextEntries,
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
}
