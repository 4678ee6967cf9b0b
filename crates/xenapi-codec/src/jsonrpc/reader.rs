//! One value after the other, as the expected type asks for them.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use xenapi_core::{Kind, ReadError, Reader, Scalar, TextEntries};

use super::text::{number_end, string_end, unescape};
use crate::limits::Limits;

/// Reads the values of a JSON document in order, without building a tree.
///
/// Stands before one value (see [`super::read_reply`]); [`JsonReader::finish`] checks what follows it. Text is borrowed from the
/// document where nothing in it is escaped. Offsets are bytes from the start of the document.
#[derive(Clone)]
pub struct JsonReader<'a> {
    text: &'a str,
    at: usize,
    /// The arrays and objects entered.
    open: Vec<Open>,
    /// Whether a value comes next that was not taken yet.
    pending: bool,
    /// How many arrays and objects around the value belong to the envelope.
    pub(super) envelope: usize,
    limits: Limits,
    members: usize,
    /// The place of the first byte that is not UTF-8 in what was sent, and the string that held it, once it is read.
    pub(super) mark: Option<usize>,
    pub(super) marked: Option<String>,
    /// Memory in which maps are gathered.
    entries: TextEntries,
    /// The error that ended the reading.
    broken: Option<ReadError>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Open {
    /// Whether anything was in it yet.
    Array(bool),
    Object(bool),
}

impl fmt::Debug for JsonReader<'_> {
    /// Without the document, which is long and may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonReader").field("offset", &self.at).field("open", &self.open).finish_non_exhaustive()
    }
}

/// The text of a document, which has to be UTF-8 and within the limit of bytes.
pub(super) fn check_size(bytes: &[u8], limits: &Limits) -> Result<(), ReadError> {
    if bytes.len() > limits.bytes {
        return Err(ReadError::limit(format!("{} bytes", limits.bytes), format!("{} bytes", bytes.len())));
    }
    Ok(())
}

impl<'a> JsonReader<'a> {
    /// A reader that stands before the only value of a document.
    pub(super) fn new(text: &'a str, limits: &Limits) -> Self {
        JsonReader {
            text,
            at: 0,
            open: Vec::new(),
            pending: true,
            envelope: 0,
            limits: *limits,
            members: 0,
            mark: None,
            marked: None,
            entries: TextEntries::default(),
            broken: None,
        }
    }

    /// Checks that the document is complete behind the value, and that nothing follows. A value that was not read is passed over.
    ///
    /// # Errors
    /// When the document is broken, ends too early or goes on; when the envelope holds an error beside the result.
    pub fn finish(mut self) -> Result<(), ReadError> {
        self.run(Self::finish_inner)
    }

    fn finish_inner(&mut self) -> Result<(), ReadError> {
        self.pass_pending()?;
        self.leave(self.envelope)?;
        while let Some(name) = if self.open.is_empty() { None } else { self.member()?.map(Cow::into_owned) } {
            if name == "error" && self.look()? != Kind::Nil {
                return Err(ReadError::syntax("no error beside the result", "one"));
            }
            self.pass_pending()?;
        }
        self.blanks();
        match self.text[self.at..].chars().next() {
            None => Ok(()),
            Some(c) => Err(ReadError::syntax("the end of the document", format!("{c:?}"))),
        }
    }

    /// Runs a step; adds where it failed, and remembers the error if the document cannot be read any further.
    fn run<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T, ReadError>) -> Result<T, ReadError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let result = step(self);
        result.map_err(|error| {
            let error = error.at(Some(self.at as u64));
            if error.is_fatal() {
                self.broken = Some(error.clone());
            }
            error
        })
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// What stands here, for messages.
    fn found(&self) -> String {
        let rest = &self.text[self.at..];
        let word: String = rest.chars().take_while(char::is_ascii_alphanumeric).take(12).collect();
        match rest.chars().next() {
            None => "the end of the document".into(),
            Some(c) if word.is_empty() => format!("{c:?}"),
            Some(_) => format!("{word:?}"),
        }
    }

    fn expected(&self, what: &'static str) -> ReadError {
        if self.at >= self.text.len() { ReadError::truncated(what) } else { ReadError::syntax(what, self.found()) }
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), ReadError> {
        self.blanks();
        if self.peek() != Some(byte) {
            return Err(self.expected(what));
        }
        self.at += 1;
        Ok(())
    }

    /// The kind of the value that stands here.
    fn look(&mut self) -> Result<Kind, ReadError> {
        if !self.pending {
            return Err(ReadError::syntax("a value", "none here"));
        }
        self.blanks();
        Ok(match self.peek() {
            Some(b'"') => Kind::Text,
            Some(b'{') => Kind::Struct,
            Some(b'[') => Kind::Array,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'n') => Kind::Nil,
            Some(b'N' | b'I') => Kind::Double,
            Some(b'-') if self.text[self.at..].starts_with("-I") => Kind::Double,
            Some(b'-' | b'0'..=b'9') => match number_end(self.text.as_bytes(), self.at) {
                Some((_, true)) => Kind::Double,
                Some((_, false)) => Kind::Int,
                None => return Err(self.expected("a number of JSON")),
            },
            _ => return Err(self.expected("a value of JSON")),
        })
    }

    /// Takes a string of which the opening quote comes next.
    fn string(&mut self) -> Result<Cow<'a, str>, ReadError> {
        let start = self.at + 1;
        let (end, escaped) = string_end(self.text, start)?;
        if end - start > self.limits.text {
            return Err(ReadError::limit(format!("{} bytes of text", self.limits.text), "a longer one"));
        }
        let text = if escaped { unescape(self.text, start, end)? } else { Cow::Borrowed(&self.text[start..end]) };
        if self.mark.is_some_and(|mark| (start..end).contains(&mark)) {
            self.mark = None;
            self.marked = Some(text.clone().into_owned());
        }
        self.at = end + 1;
        Ok(text)
    }

    fn word(&mut self, word: &str, scalar: Scalar<'static>) -> Result<Scalar<'a>, ReadError> {
        let rest = &self.text[self.at..];
        let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !rest.starts_with(word) || rest[word.len()..].starts_with(goes_on) {
            return Err(self.expected("a value of JSON"));
        }
        self.at += word.len();
        Ok(scalar)
    }

    fn number(&mut self) -> Result<Scalar<'a>, ReadError> {
        let Some((end, float)) = number_end(self.text.as_bytes(), self.at) else {
            return Err(self.expected("a number of JSON"));
        };
        let digits = &self.text[self.at..end];
        if digits.len() > self.limits.text {
            return Err(ReadError::limit(format!("{} bytes of text", self.limits.text), "a longer number"));
        }
        self.at = end;
        Ok(match (float, digits.parse()) {
            (false, Ok(number)) => Scalar::Int(number),
            // Too long for an integer: whoever wants text or a double gets it.
            (false, Err(_)) => Scalar::Text(Cow::Borrowed(digits)),
            (true, _) => {
                Scalar::Double(digits.parse().map_err(|_| ReadError::syntax("a number of JSON", digits.to_string()))?)
            }
        })
    }

    /// Takes a value that holds no others.
    fn take_scalar(&mut self) -> Result<Scalar<'a>, ReadError> {
        let kind = self.look()?;
        let start = self.at;
        let scalar = match self.peek() {
            Some(b'"') => self.string().map(Scalar::Text),
            Some(b't') => self.word("true", Scalar::Bool(true)),
            Some(b'f') => self.word("false", Scalar::Bool(false)),
            Some(b'n') => self.word("null", Scalar::Nil),
            Some(b'N') => self.word("NaN", Scalar::Double(f64::NAN)),
            Some(b'I') => self.word("Infinity", Scalar::Double(f64::INFINITY)),
            Some(b'{' | b'[') => {
                self.pass_pending()?;
                return Err(ReadError::mismatch("a simple value", kind.to_string()).at(Some(start as u64)));
            }
            _ if kind == Kind::Double && self.text[self.at..].starts_with("-I") => {
                self.word("-Infinity", Scalar::Double(f64::NEG_INFINITY))
            }
            _ => self.number(),
        }?;
        self.pending = false;
        Ok(scalar)
    }

    fn enter(&mut self, open: Open, kind: Kind, expected: &'static str) -> Result<(), ReadError> {
        let found = self.look()?;
        if found != kind {
            let start = self.at as u64;
            self.pass_pending()?;
            return Err(ReadError::mismatch(expected, found.to_string()).at(Some(start)));
        }
        if self.open.len() >= self.limits.depth {
            let limit = format!("{} arrays and structs inside each other", self.limits.depth);
            return Err(ReadError::limit(limit, "one more"));
        }
        self.at += 1;
        self.pending = false;
        self.open.push(open);
        Ok(())
    }

    /// Before the next part of the container entered last: takes the comma, or the closing bracket and answers `false`.
    fn separator(&mut self, close: u8, what: &'static str) -> Result<bool, ReadError> {
        self.pass_pending()?;
        self.blanks();
        let begun = match self.open.last_mut() {
            Some(Open::Array(begun) | Open::Object(begun)) => core::mem::replace(begun, true),
            None => return Err(ReadError::syntax("an array or a struct to be open", "none")),
        };
        if self.peek() == Some(close) {
            self.at += 1;
            self.open.pop();
            return Ok(false);
        }
        if begun {
            self.expect(b',', what)?;
            self.blanks();
        }
        self.members += 1;
        if self.members > self.limits.members {
            return Err(ReadError::limit(format!("{} items and members", self.limits.members), "one more"));
        }
        Ok(true)
    }

    fn item(&mut self) -> Result<bool, ReadError> {
        if !matches!(self.open.last(), Some(Open::Array(_))) {
            return Err(ReadError::syntax("an array to be open", "none"));
        }
        let more = self.separator(b']', "a comma or ]")?;
        self.pending = more;
        Ok(more)
    }

    pub(super) fn member(&mut self) -> Result<Option<Cow<'a, str>>, ReadError> {
        if !matches!(self.open.last(), Some(Open::Object(_))) {
            return Err(ReadError::syntax("a struct to be open", "none"));
        }
        if !self.separator(b'}', "a comma or }")? {
            return Ok(None);
        }
        if self.peek() != Some(b'"') {
            return Err(self.expected("the name of a member"));
        }
        let name = self.string()?;
        self.expect(b':', "a colon behind the name of a member")?;
        self.pending = true;
        Ok(Some(name))
    }

    /// Passes over the next value, if it was not taken. Without recursion, since the depth is the sender's choice.
    fn pass_pending(&mut self) -> Result<(), ReadError> {
        if !self.pending {
            return Ok(());
        }
        let depth = self.open.len();
        loop {
            if self.pending {
                match self.look()? {
                    Kind::Array => self.enter(Open::Array(false), Kind::Array, "an array")?,
                    Kind::Struct => self.enter(Open::Object(false), Kind::Struct, "a struct")?,
                    _ => drop(self.take_scalar()?),
                }
            }
            if self.open.len() <= depth {
                return Ok(());
            }
            match self.open.last() {
                Some(Open::Array(_)) => drop(self.item()?),
                _ => drop(self.member()?),
            }
        }
    }

    /// Passes over what is left of the containers deeper than `depth`.
    fn leave(&mut self, depth: usize) -> Result<(), ReadError> {
        while self.open.len() > depth {
            match self.open.last() {
                Some(Open::Array(_)) => drop(self.item()?),
                _ => drop(self.member()?),
            }
            self.pass_pending()?;
        }
        Ok(())
    }
}

impl Reader for JsonReader<'_> {
    fn kind(&mut self) -> Result<Kind, ReadError> {
        self.run(Self::look)
    }

    fn scalar(&mut self) -> Result<Scalar<'_>, ReadError> {
        self.run(Self::take_scalar)
    }

    fn lend_entries(&mut self) -> TextEntries {
        core::mem::take(&mut self.entries)
    }

    fn take_entries(&mut self, entries: TextEntries) {
        self.entries = entries;
    }

    fn begin_array(&mut self) -> Result<(), ReadError> {
        self.run(|this| this.enter(Open::Array(false), Kind::Array, "an array"))
    }

    fn next_item(&mut self) -> Result<bool, ReadError> {
        self.run(Self::item)
    }

    fn begin_struct(&mut self) -> Result<(), ReadError> {
        self.run(|this| this.enter(Open::Object(false), Kind::Struct, "a struct"))
    }

    fn next_member(&mut self) -> Result<Option<Cow<'_, str>>, ReadError> {
        self.run(Self::member)
    }

    fn skip(&mut self) -> Result<(), ReadError> {
        self.run(|this| {
            this.look()?;
            this.pass_pending()
        })
    }

    fn offset(&self) -> Option<u64> {
        let rest = &self.text.as_bytes()[self.at..];
        let blank = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        Some((self.at + blank) as u64)
    }
}
