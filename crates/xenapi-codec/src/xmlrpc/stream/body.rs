//! The parts that come out one by one: where each of them ends, and how it is read.

use memchr::memmem::Finder;
use xenapi_core::ReadError;

use super::{Phase, ReplyStream, STEP, Shape};
use crate::limits::Limits;
use crate::xmlrpc::lexer::{Lexer, Mark};
use crate::xmlrpc::reader::{Engine, XmlReader};

/// Whether the end of a part is sought by what stands there before it is sought tag by tag. Where no vector instructions help, that is not
/// quicker, and only makes a program larger.
const SEEKS: bool = cfg!(target_arch = "x86_64") || cfg!(target_arch = "aarch64");

/// The end of a record by xapi with the start of the next one.
const END_OF_MEMBER: &[u8] = b"</struct></value></member><member><name>OpaqueRef:";
const MEMBER: &[u8] = b"<member><name>OpaqueRef:";

/// The end of an event with the start of the next one.
const END_OF_ITEM: &[u8] = b"</struct></value><value><struct>";
const ITEM: &[u8] = b"<value><struct>";

/// Reads a part and keeps it, or what is wrong with it. The error is that of the document.
pub(super) type PartReader<'r> = &'r mut dyn Part;

/// Whoever takes a part.
pub(super) trait Part {
    /// Reads it. The error is that of the document.
    fn read(&mut self, reader: &mut XmlReader<'_>) -> Result<(), ReadError>;

    /// What is wrong with the part that was read.
    fn wrong(&mut self) -> Option<&mut ReadError>;

    /// Whether it may be read a second time, as if it never had been. Forgets it.
    fn again(&mut self) -> bool;
}

/// A part that was read with its name, or what is wrong with it.
pub(super) struct Taken<N, T, F> {
    pub(super) read: F,
    /// Whether reading leaves nothing behind.
    pub(super) is_pure: bool,
    pub(super) part: Option<(N, Result<T, ReadError>)>,
}

impl<N, T, F: FnMut(&mut XmlReader<'_>) -> Result<(N, Result<T, ReadError>), ReadError>> Part for Taken<N, T, F> {
    fn read(&mut self, reader: &mut XmlReader<'_>) -> Result<(), ReadError> {
        self.part = Some((self.read)(reader)?);
        Ok(())
    }

    fn wrong(&mut self) -> Option<&mut ReadError> {
        match &mut self.part {
            Some((_, Err(error))) => Some(error),
            _ => None,
        }
    }

    fn again(&mut self) -> bool {
        self.part = None;
        self.is_pure
    }
}

impl ReplyStream {
    /// Takes the next part, if it is whole.
    pub(super) fn body(&mut self, chunk: &mut &[u8], depth: usize, read: PartReader<'_>) -> Result<bool, ReadError> {
        let all = *chunk;
        let mut taken = 0;
        if SEEKS
            && self.engine != Engine::General
            && !self.is_unusual
            && read.again()
            && let Some(end) = self.likely_end(chunk, &mut taken)
        {
            let kept = core::mem::take(&mut self.kept);
            let part = if kept.is_empty() { all } else { &kept }.get(..end).unwrap_or_default();
            let is_read = self.read_part(part, Engine::Scanner, read).is_ok();
            self.kept = kept;
            if is_read {
                self.taken(end, chunk, all, taken);
                self.lexer = Lexer::within(depth);
                let length = end as u64;
                self.shortest = if self.shortest == 0 { length } else { self.shortest.min(length) };
                return Ok(true);
            }
            read.again();
            // Once a part is enough: it may hold many places that look like its end.
            self.is_unusual = true;
            self.shortest = 0;
        }
        let Some(end) = self.end(chunk, depth, all, taken) else { return Ok(false) };
        let kept = core::mem::take(&mut self.kept);
        let part = if kept.is_empty() { all } else { &kept }.get(..end).unwrap_or_default();
        self.read_part(part, self.engine, read)?;
        self.kept = kept;
        self.taken(end, chunk, all, 0);
        self.lexer.drop_front(end);
        Ok(true)
    }

    /// Where the next part ends in the chunk or, where it began before, in what was kept: if it is as xapi writes it, and another one
    /// follows. Whoever reads the part finds out whether that is so. Of the chunk, `taken` bytes are kept then.
    fn likely_end(&mut self, chunk: &mut &[u8], taken: &mut usize) -> Option<usize> {
        if self.kept.is_empty() {
            return self.seek(chunk);
        }
        while !chunk.is_empty() && *taken < 8 * STEP {
            *taken += self.keep_step(chunk);
            let kept = core::mem::take(&mut self.kept);
            let found = self.seek(&kept);
            self.kept = kept;
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Looks for the likely end of the part that begins with those bytes, in those that have not been looked at.
    fn seek(&mut self, bytes: &[u8]) -> Option<usize> {
        let (end, next) = match self.shape {
            Shape::Members => (END_OF_MEMBER, MEMBER),
            Shape::Items | Shape::ItemsOf(_) => (END_OF_ITEM, ITEM),
        };
        let start = self.around.len() as u64 + self.cut;
        let from = self.sought.max(start + self.shortest / 4 * 3) - start;
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let fresh = bytes.get(from..)?;
        let finder = self.finder.get_or_insert_with(|| Finder::new(end));
        let found = finder.find(fresh);
        let clear = found.map_or(fresh.len().saturating_sub(end.len() - 1), |at| at + 1);
        self.sought = start + (from + clear) as u64;
        found.map(|at| from + at + end.len() - next.len())
    }

    /// Finds the end of the next part, in the chunk or, where it began before, in what was kept. Of the chunk, which was `all`, `taken`
    /// bytes are kept already.
    fn end<'c>(&mut self, chunk: &mut &'c [u8], depth: usize, all: &'c [u8], taken: usize) -> Option<usize> {
        let direct = self.kept.is_empty();
        let step = if direct || taken > 0 { taken } else { self.keep_step(chunk) };
        loop {
            let bytes = if direct { all } else { &self.kept };
            // Nothing but the end of the part is sought.
            self.lexer.pass_usual(bytes, depth);
            let Some(mark) = self.lexer.next(bytes) else { break };
            if mark == Mark::Open || self.lexer.depth > depth {
                continue;
            }
            if self.lexer.depth < depth {
                self.phase = Phase::Rest;
                return None;
            }
            let end = self.lexer.end();
            if !direct {
                self.give_back(end, chunk, all, step);
            }
            return Some(end);
        }
        while direct && !chunk.is_empty() {
            self.keep_step(chunk);
        }
        None
    }

    /// The part was taken that ended there, in what was kept or else in the chunk, which was `all` and of which `step` bytes were kept.
    fn taken<'c>(&mut self, end: usize, chunk: &mut &'c [u8], all: &'c [u8], step: usize) {
        if self.kept.is_empty() {
            *chunk = all.get(end..).unwrap_or_default();
        } else {
            if step > 0 {
                self.give_back(end, chunk, all, step);
            }
            self.kept.clear();
        }
        self.cut += end as u64;
        self.is_unusual = false;
    }

    /// Reads a part. Where that fails, nothing has changed.
    fn read_part(&mut self, part: &[u8], engine: Engine, read: PartReader<'_>) -> Result<(), ReadError> {
        let at = self.around.len() as u64 + self.cut;
        let moved = |error: ReadError| error.moved(at);
        let limits = Limits { bytes: usize::MAX, ..self.limits };
        let in_struct = self.shape == Shape::Members;
        let mut reader = XmlReader::part(part, &limits, engine, in_struct, self.outside, &self.counts)?;
        reader.entries = core::mem::take(&mut self.entries);
        read.read(&mut reader).map_err(moved)?;
        if let Some(wrong) = read.wrong() {
            *wrong = wrong.clone().moved(at);
            if wrong.is_fatal() {
                return Err(wrong.clone());
            }
        }
        self.counts = reader.finish_part().map_err(moved)?;
        self.entries = core::mem::take(&mut reader.entries);
        Ok(())
    }
}
