//! A reply as its bytes arrive.

mod body;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use memchr::memmem::Finder;
use xenapi_core::{Failure, Kind, ReadError, ReadErrorKind, ReadResult, Reader, Record, Ref, TextEntries, Wire};

use self::body::{PartReader, Taken};
use super::document::{Outcome, read_reply_with, read_result_with};
use super::lexer::{Lexer, Mark};
use super::reader::{Counts, Engine, Role, XmlReader};
use crate::limits::Limits;

/// How much may stand before the records, and how much of a chunk is copied at a time.
const HEAD: usize = 64 * 1024;
const STEP: usize = 2 * 1024;

/// Where the parts stand that come out one by one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    /// The members of the result.
    Members,
    /// The items of the result.
    Items,
    /// The items of a member of the result.
    ItemsOf(&'static str),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Before the array or struct that holds the parts.
    Head,
    /// The status stands behind the result, so that all of the document has to come first.
    Held,
    /// In the array or struct that holds the parts, at that depth of elements.
    Body(usize),
    /// Behind it, or in a document that holds no parts.
    Rest,
}

/// Reads a reply as its bytes arrive, in chunks of any size, and hands out what it holds one by one: the records of
/// `get_all_records`, the items of an array, the events of `event.from`. Nothing here waits: feed it what a `fetch`, a socket or a file
/// gives.
///
/// What comes out, and every error, is the same whatever the chunks are.
///
/// # Memory
///
/// A record that is whole within a chunk is read from it, and nothing is copied. Otherwise the part that has come is kept, and at
/// most 16 KiB of what follows it. So the memory is that of the largest record as text, beside the record that was handed out.
/// What stands before and behind the records is kept, too: about 300 bytes of a reply by xapi, and never more than 64 KiB before
/// them. Two kinds of document are kept whole, since nothing can be handed out before their end: those that hold no records
/// (failures and faults), and those whose `Status` stands behind their `Value`, which xapi does not write.
/// [`Limits::bytes`] bounds all of it.
///
/// # Example
///
/// ```
/// use xenapi_codec::{Limits, xmlrpc};
/// use xenapi_core::{Struct, Value, Wire};
///
/// let records: Struct = [("OpaqueRef:1", Value::from("one")), ("OpaqueRef:2", Value::from("two"))].into_iter().collect();
/// let document = xmlrpc::write_success(&records.into());
///
/// let mut reply = xmlrpc::ReplyStream::members(&Limits::reply());
/// let mut seen = Vec::new();
/// for mut chunk in document.chunks(7) {
///     while let Some((name, value)) = reply.next_member(&mut chunk, String::read)? {
///         seen.push((name, value?));
///     }
/// }
/// assert_eq!(reply.finish(<()>::read)?, Ok(()));
/// assert_eq!(seen, [("OpaqueRef:1".into(), "one".into()), ("OpaqueRef:2".into(), "two".into())]);
/// # Ok::<(), xenapi_core::ReadError>(())
/// ```
pub struct ReplyStream {
    shape: Shape,
    limits: Limits,
    engine: Engine,
    phase: Phase,
    lexer: Lexer,
    /// The bytes that are looked at and not yet read.
    kept: Vec<u8>,
    /// What stands around the parts.
    around: Vec<u8>,
    /// How long the parts were that stood in it.
    cut: u64,
    /// Bytes that have come.
    seen: usize,
    /// A document that came whole and is gone through again, and how far.
    held: Vec<u8>,
    held_at: usize,
    /// Whether that document is known to be a success.
    is_success: bool,
    /// Arrays and structs around the parts.
    outside: usize,
    counts: Counts,
    /// Memory in which maps are gathered.
    entries: TextEntries,
    /// What finds the likely end of a part.
    finder: Option<Finder<'static>>,
    /// Up to where it has looked, from the start of the document.
    sought: u64,
    /// How long the shortest part was that ended where it seemed to. No end is sought long before that, and where one was overlooked so,
    /// the part turns out to be none.
    shortest: u64,
    /// Whether the next part did not end where it seemed to.
    is_unusual: bool,
    broken: Option<ReadError>,
}

impl fmt::Debug for ReplyStream {
    /// Without the document, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyStream").field("phase", &self.phase).field("seen", &self.seen).finish_non_exhaustive()
    }
}

/// Whether the array or struct begins here that holds the parts.
enum Entry {
    /// It does.
    Here { outside: usize, counts: Counts },
    /// Not yet.
    Later,
    /// It does, but the status is still to come.
    Held,
    /// There is none.
    Never,
}

/// Reads a member, and makes something of its name.
fn member<N: fmt::Display, T>(
    reader: &mut XmlReader<'_>,
    read: ReadResult<T>,
    make: impl FnOnce(&str) -> N,
) -> Result<(N, Result<T, ReadError>), ReadError> {
    let name = make(&reader.next_member()?.unwrap_or_default());
    let value = match read(reader) {
        Err(error) => Err(error.of_object(&format!("{name}"))),
        value => value,
    };
    Ok((name, value))
}

impl ReplyStream {
    fn new(shape: Shape, limits: &Limits) -> Self {
        ReplyStream {
            shape,
            limits: *limits,
            engine: Engine::Auto,
            phase: Phase::Head,
            lexer: Lexer::default(),
            kept: Vec::new(),
            around: Vec::new(),
            cut: 0,
            seen: 0,
            held: Vec::new(),
            held_at: 0,
            is_success: false,
            outside: 0,
            counts: Counts::default(),
            entries: TextEntries::default(),
            finder: None,
            sought: 0,
            shortest: 0,
            is_unusual: false,
            broken: None,
        }
    }

    /// For a result that is a struct, whose members come out: [`ReplyStream::next_record`], [`ReplyStream::next_member`].
    pub fn members(limits: &Limits) -> Self {
        ReplyStream::new(Shape::Members, limits)
    }

    /// For a result that is an array, whose items come out: [`ReplyStream::next_item`].
    pub fn items(limits: &Limits) -> Self {
        ReplyStream::new(Shape::Items, limits)
    }

    /// For a result that is a struct with a member that is an array, whose items come out: [`ReplyStream::next_item`]. The
    /// events of `event.from` are `items_of("events", …)`. The other members are there at the end ([`ReplyStream::finish`]).
    pub fn items_of(member: &'static str, limits: &Limits) -> Self {
        ReplyStream::new(Shape::ItemsOf(member), limits)
    }

    /// With that reader, for tests and benchmarks.
    #[doc(hidden)]
    #[must_use]
    pub fn with_engine(mut self, engine: Engine) -> Self {
        self.engine = engine;
        self
    }

    /// Takes bytes off the chunk until a record is whole, and reads it. `None` once the chunk is used up: the next one is due,
    /// or [`ReplyStream::finish`].
    ///
    /// The inner error is that of a record which cannot be read; the others come all the same.
    ///
    /// # Errors
    /// When the document is broken, or over a limit. Every further call fails alike.
    #[expect(clippy::type_complexity, reason = "a record or its error, or nothing yet, or the end")]
    pub fn next_record<R: Record>(
        &mut self,
        chunk: &mut &[u8],
    ) -> Result<Option<(Ref<R::Class>, Result<R, ReadError>)>, ReadError> {
        self.next(chunk, true, |reader| member(reader, R::read, |name| Ref::new(name)))
    }

    /// Takes bytes off the chunk until a member is whole, and reads its value. See [`ReplyStream::next_record`].
    ///
    /// # Errors
    /// As [`ReplyStream::next_record`].
    #[expect(clippy::type_complexity, reason = "a value or its error, or nothing yet, or the end")]
    pub fn next_member<T>(
        &mut self,
        chunk: &mut &[u8],
        read: ReadResult<T>,
    ) -> Result<Option<(String, Result<T, ReadError>)>, ReadError> {
        self.next(chunk, true, |reader| member(reader, read, |name| String::from(name)))
    }

    /// Takes bytes off the chunk until an item is whole, and reads it. See [`ReplyStream::next_record`].
    ///
    /// # Errors
    /// As [`ReplyStream::next_record`].
    pub fn next_item<T>(
        &mut self,
        chunk: &mut &[u8],
        read: ReadResult<T>,
    ) -> Result<Option<Result<T, ReadError>>, ReadError> {
        self.next_item_by(chunk, true, &mut |reader| read(reader))
    }

    /// [`ReplyStream::next_item`] for whoever needs more than a function to read an item, which has to be read to its end.
    ///
    /// # Errors
    /// As [`ReplyStream::next_record`].
    pub fn next_item_with<T>(
        &mut self,
        chunk: &mut &[u8],
        read: &mut dyn FnMut(&mut dyn Reader) -> Result<T, ReadError>,
    ) -> Result<Option<Result<T, ReadError>>, ReadError> {
        self.next_item_by(chunk, false, read)
    }

    fn next_item_by<T>(
        &mut self,
        chunk: &mut &[u8],
        is_pure: bool,
        read: &mut dyn FnMut(&mut dyn Reader) -> Result<T, ReadError>,
    ) -> Result<Option<Result<T, ReadError>>, ReadError> {
        let (number, shape) = (self.counts.records, self.shape);
        let next = self.next(chunk, is_pure, |reader| {
            reader.next_item()?;
            let value = read(reader).map_err(|error| {
                let error = error.within(format!("[{number}]"));
                if let Shape::ItemsOf(member) = shape { error.within(member) } else { error }
            });
            Ok(((), value))
        })?;
        Ok(next.map(|((), value)| value))
    }

    /// Says that no more bytes come, and reads the document around the records: as `()`, or for `event.from` as the batch,
    /// which then has a token and no events.
    ///
    /// # Errors
    /// When the document is broken, cut off, or over a limit, or its result has another type.
    pub fn finish<R>(mut self, read: ReadResult<R>) -> Result<Result<R, Failure>, ReadError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        // What was cut out stood between the two; where nothing was, one of them is empty.
        let (before, cut) = (self.around.len() as u64, self.cut);
        self.around.append(&mut self.kept);
        let limits = Limits { bytes: usize::MAX, ..self.limits };
        read_result_with(&self.around, &limits, self.engine, read)
            .map_err(|error| if error.offset().is_some_and(|at| at >= before) { error.moved(cut) } else { error })
    }

    #[expect(clippy::type_complexity, reason = "a part or its error, or nothing yet")]
    fn next<N, T>(
        &mut self,
        chunk: &mut &[u8],
        is_pure: bool,
        read: impl FnMut(&mut XmlReader<'_>) -> Result<(N, Result<T, ReadError>), ReadError>,
    ) -> Result<Option<(N, Result<T, ReadError>)>, ReadError> {
        let mut taken = Taken { read, is_pure, part: None };
        self.next_part(chunk, &mut taken)?;
        Ok(taken.part)
    }

    /// Lets the reader take the next part, if it is whole.
    fn next_part(&mut self, chunk: &mut &[u8], read: PartReader<'_>) -> Result<bool, ReadError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let result = self.advance(chunk, read);
        if let Err(error) = &result {
            self.broken = Some(error.clone());
        }
        result
    }

    fn advance(&mut self, chunk: &mut &[u8], read: PartReader<'_>) -> Result<bool, ReadError> {
        loop {
            // A document that was held comes once more, in front of the chunk.
            while self.held_at < self.held.len() {
                let held = core::mem::take(&mut self.held);
                let mut rest = held.get(self.held_at..).unwrap_or_default();
                let next = self.take(&mut rest, read);
                self.held_at = held.len() - rest.len();
                self.held = held;
                if next? {
                    return Ok(true);
                }
            }
            self.held = Vec::new();
            let length = chunk.len();
            let next = self.take(chunk, read);
            self.count(length - chunk.len())?;
            let next = next?;
            if next || self.held.is_empty() {
                return Ok(next);
            }
        }
    }

    fn count(&mut self, taken: usize) -> Result<(), ReadError> {
        self.seen = self.seen.saturating_add(taken);
        if self.seen > self.limits.bytes {
            let limit = format!("{} bytes", self.limits.bytes);
            return Err(ReadError::limit(limit, "more").at(Some(self.limits.bytes as u64)));
        }
        Ok(())
    }

    /// Takes bytes until a part is whole, a document is to be gone through again, or none are left.
    fn take(&mut self, chunk: &mut &[u8], read: PartReader<'_>) -> Result<bool, ReadError> {
        while !chunk.is_empty() {
            match self.phase {
                Phase::Rest => {
                    self.kept.extend_from_slice(chunk);
                    *chunk = &[];
                }
                Phase::Body(depth) => {
                    if self.body(chunk, depth, read)? {
                        return Ok(true);
                    }
                }
                Phase::Head => self.head(chunk)?,
                Phase::Held => self.hold(chunk),
            }
            if !self.held.is_empty() {
                break;
            }
        }
        Ok(false)
    }

    /// Takes the document up to the array or struct that holds the parts.
    fn head(&mut self, chunk: &mut &[u8]) -> Result<(), ReadError> {
        let all = *chunk;
        let step = self.keep_step(chunk);
        while let Some(mark) = self.lexer.next(&self.kept) {
            if mark != Mark::Open || !self.is_likely() {
                continue;
            }
            let end = self.lexer.end();
            match self.entry(self.kept.get(..end).unwrap_or_default())? {
                Entry::Later => {}
                Entry::Held => {
                    self.phase = Phase::Held;
                    self.hold(chunk);
                    return Ok(());
                }
                Entry::Never => {
                    self.phase = Phase::Rest;
                    return Ok(());
                }
                Entry::Here { outside, counts } => {
                    (self.outside, self.counts) = (outside, counts);
                    self.phase = Phase::Body(self.lexer.depth);
                    self.give_back(end, chunk, all, step);
                    core::mem::swap(&mut self.around, &mut self.kept);
                    self.lexer.drop_front(end);
                    return Ok(());
                }
            }
        }
        if self.kept.len() > HEAD && !self.is_success {
            self.phase = Phase::Held;
            self.hold(chunk);
        }
        Ok(())
    }

    /// Takes a document whole, and finds out whether there are parts to hand out.
    fn hold(&mut self, chunk: &mut &[u8]) {
        self.keep_step(chunk);
        while self.lexer.next(&self.kept).is_some() {
            if self.lexer.depth > 0 {
                continue;
            }
            // Something may follow, which is found out at the end.
            let document = self.kept.get(..self.lexer.end()).unwrap_or_default();
            let limits = Limits { bytes: usize::MAX, ..self.limits };
            let reply = read_reply_with(document, &limits, self.engine);
            if let Ok(Outcome::Success(mut reader)) = reply
                && reader.skip().is_ok()
                && reader.finish().is_ok()
            {
                self.is_success = true;
                self.phase = Phase::Head;
                self.lexer = Lexer::default();
                (self.held, self.held_at) = (core::mem::take(&mut self.kept), 0);
            } else {
                self.phase = Phase::Rest;
            }
            return;
        }
    }

    /// Keeps some of the chunk, and says how much.
    fn keep_step(&mut self, chunk: &mut &[u8]) -> usize {
        let (step, later) = chunk.split_at(chunk.len().min(STEP));
        self.kept.extend_from_slice(step);
        *chunk = later;
        step.len()
    }

    /// Gives back to the chunk, which was `all`, what was kept of it in the last step behind `end`.
    fn give_back<'c>(&mut self, end: usize, chunk: &mut &'c [u8], all: &'c [u8], step: usize) {
        let back = self.kept.len().saturating_sub(end);
        self.kept.truncate(end);
        *chunk = all.get(step.saturating_sub(back)..).unwrap_or_default();
    }

    /// Whether elements are as deep here as in the documents that hold parts.
    fn is_likely(&self) -> bool {
        match self.shape {
            // methodResponse, params, param, value, struct, member, value, struct
            Shape::Members => self.lexer.depth == 8,
            // … value, array, data; or, without status, methodResponse, params, param, value, array, data
            Shape::Items => matches!(self.lexer.depth, 6 | 9),
            // … value, struct, member, value, array, data
            Shape::ItemsOf(_) => self.lexer.depth == 12,
        }
    }

    /// Whether the array or struct that holds the parts begins at the end of that start of a document.
    fn entry(&self, head: &[u8]) -> Result<Entry, ReadError> {
        let limits = Limits { bytes: usize::MAX, ..self.limits };
        match XmlReader::new(head, &limits, Role::Client, self.engine).and_then(|mut reader| self.enter(&mut reader)) {
            Err(error) if error.kind() == ReadErrorKind::Truncated => Ok(Entry::Later),
            // Another type than is expected; the end tells.
            Err(error) if !error.is_fatal() => Ok(Entry::Never),
            entry => entry,
        }
    }

    fn enter(&self, reader: &mut XmlReader<'_>) -> Result<Entry, ReadError> {
        if reader.reply_head()? {
            return Ok(Entry::Never);
        }
        if reader.kind()? != Kind::Struct {
            return self.enter_result(reader);
        }
        reader.begin_struct()?;
        let mut status = None;
        while let Some(name) = reader.next_member()? {
            match &*name {
                "Status" => status = Some(String::read(reader)?),
                "Value" => {
                    let entry = self.enter_result(reader)?;
                    return match status.as_deref() {
                        Some("Success") => Ok(entry),
                        None if self.is_success => Ok(entry),
                        None => Ok(Entry::Held),
                        Some(_) => Ok(Entry::Never),
                    };
                }
                _ => reader.skip()?,
            }
        }
        Ok(Entry::Never)
    }

    fn enter_result(&self, reader: &mut XmlReader<'_>) -> Result<Entry, ReadError> {
        match self.shape {
            Shape::Members => reader.begin_struct()?,
            Shape::Items => reader.begin_array()?,
            Shape::ItemsOf(member) => {
                reader.begin_struct()?;
                loop {
                    match reader.next_member()? {
                        None => return Ok(Entry::Never),
                        Some(name) if *name == *member => break,
                        Some(_) => reader.skip()?,
                    }
                }
                reader.begin_array()?;
            }
        }
        Ok(Entry::Here { outside: reader.depth(), counts: reader.counts() })
    }
}
