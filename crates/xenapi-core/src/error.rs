//! What can be wrong with a document, and where.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::reference::NULL;
use crate::secret::REDACTED;

/// Why a value could not be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// A value of another type than the schema says. The rest of the document can be read.
    Mismatch,
    /// The document is not well formed, or not of the expected format.
    Syntax,
    /// The document ends too early.
    Truncated,
    /// The document exceeds a limit of the reader.
    Limit,
}

/// A value that could not be read: what was expected, what was found, and where.
#[derive(Clone, PartialEq, Debug)]
pub struct ReadError(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ReadErrorKind,
    expected: Cow<'static, str>,
    found: Cow<'static, str>,
    /// Innermost first.
    path: Vec<Cow<'static, str>>,
    offset: Option<u64>,
    /// Line and column from 1, in a document of several lines.
    line: Option<(u64, u64)>,
    excerpt: Option<String>,
}

impl PartialEq for Inner {
    /// What is shown to people of the place does not count: it depends on how much of the document was at hand.
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.expected == other.expected
            && self.found == other.found
            && self.path == other.path
            && self.offset == other.offset
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadError")
            .field("kind", &self.kind)
            .field("expected", &self.expected)
            .field("found", &self.found)
            .field("path", &self.path)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

impl ReadError {
    fn new(kind: ReadErrorKind, expected: impl Into<Cow<'static, str>>, found: impl Into<Cow<'static, str>>) -> Self {
        let (expected, found) = (expected.into(), shorten(found.into()));
        ReadError(Box::new(Inner { kind, expected, found, path: Vec::new(), offset: None, line: None, excerpt: None }))
    }

    /// A value of another type than expected.
    pub fn mismatch(expected: impl Into<Cow<'static, str>>, found: impl Into<Cow<'static, str>>) -> Self {
        ReadError::new(ReadErrorKind::Mismatch, expected, found)
    }

    /// A document that is broken, with what was expected and what stands there.
    pub fn syntax(expected: impl Into<Cow<'static, str>>, found: impl Into<Cow<'static, str>>) -> Self {
        ReadError::new(ReadErrorKind::Syntax, expected, found)
    }

    /// A document that ends before what is expected.
    pub fn truncated(expected: impl Into<Cow<'static, str>>) -> Self {
        ReadError::new(ReadErrorKind::Truncated, expected, "the end of the document")
    }

    /// A document over a limit: which limit with its size, and what was found.
    pub fn limit(limit: impl Into<Cow<'static, str>>, found: impl Into<Cow<'static, str>>) -> Self {
        ReadError::new(ReadErrorKind::Limit, limit, found)
    }

    /// Says where: bytes from the start of the document. The first answer stands.
    #[must_use]
    pub fn at(mut self, offset: Option<u64>) -> Self {
        self.0.offset = self.0.offset.or(offset);
        self
    }

    /// Says that what was read is a part of a longer document, which begins that many bytes before.
    #[must_use]
    pub fn moved(mut self, bytes: u64) -> Self {
        self.0.offset = self.0.offset.map(|offset| offset + bytes);
        if bytes > 0 {
            self.0.line = None;
        }
        self
    }

    /// Shows the place to people: line and column from 1, where the document has several lines, and what stands around it. The
    /// first answer stands.
    #[must_use]
    pub fn shown(mut self, line: Option<(u64, u64)>, excerpt: impl Into<String>) -> Self {
        if self.0.excerpt.is_none() {
            (self.0.line, self.0.excerpt) = (line, Some(excerpt.into()));
        }
        self
    }

    /// Says what holds the value: a field, an index, a reference. Called from the inside outwards.
    #[must_use]
    pub fn within(mut self, part: impl Into<Cow<'static, str>>) -> Self {
        self.0.path.push(shorten(part.into()));
        self
    }

    /// Says which object the value is of, behind its class: `VM` becomes `VM[OpaqueRef:1]`. Called where a record has been read.
    #[must_use]
    pub fn of_object(mut self, reference: &str) -> Self {
        let class = match self.0.path.pop() {
            Some(class) if !class.starts_with('[') => class,
            Some(other) => {
                self.0.path.push(other);
                Cow::Borrowed("")
            }
            None => Cow::Borrowed(""),
        };
        self.within(alloc::format!("{class}[{reference}]"))
    }

    /// Says what was expected, where only the type that reads knows.
    #[must_use]
    pub fn expecting(mut self, expected: impl Into<Cow<'static, str>>) -> Self {
        if self.0.kind == ReadErrorKind::Mismatch {
            self.0.expected = expected.into();
        }
        self
    }

    /// What is wrong.
    pub fn kind(&self) -> ReadErrorKind {
        self.0.kind
    }

    /// Whether nothing more can be read from the document.
    pub fn is_fatal(&self) -> bool {
        self.0.kind != ReadErrorKind::Mismatch
    }

    /// Bytes from the start of the document, where known.
    pub fn offset(&self) -> Option<u64> {
        self.0.offset
    }

    /// Line and column (in bytes), both from 1, where the document has several lines.
    pub fn line(&self) -> Option<(u64, u64)> {
        self.0.line
    }

    /// What stands around the place in the document, with references and, in calls, all text left out.
    pub fn excerpt(&self) -> Option<&str> {
        self.0.excerpt.as_deref()
    }

    /// What was expected.
    pub fn expected(&self) -> &str {
        &self.0.expected
    }

    /// What was found.
    pub fn found(&self) -> &str {
        &self.0.found
    }

    /// Where in the value, outermost first: `VM[OpaqueRef:1].VCPUs_max`. Empty at the top.
    pub fn path(&self) -> String {
        let mut path = String::new();
        for part in self.0.path.iter().rev() {
            if !path.is_empty() && !part.starts_with('[') {
                path.push('.');
            }
            path.push_str(part);
        }
        path
    }
}

/// How much of what a document holds an error repeats: longer than any reference or name of the API.
const MOST_SHOWN: usize = 120;

/// A name may be as long as the document, and must not make a message of that length.
fn shorten(text: Cow<'static, str>) -> Cow<'static, str> {
    if text.len() <= MOST_SHOWN {
        return text;
    }
    // No character is longer than 4 bytes.
    let end = (MOST_SHOWN - 3..=MOST_SHOWN).rfind(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let mut short = String::from(&text[..end]);
    short.push_str(if text.ends_with(']') { "…]" } else { "…" });
    Cow::Owned(short)
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path();
        if !path.is_empty() {
            write!(f, "{path}: ")?;
        }
        match self.0.kind {
            ReadErrorKind::Limit => write!(f, "over the limit of {}: {}", self.0.expected, self.0.found)?,
            _ => write!(f, "expected {}, found {}", self.0.expected, self.0.found)?,
        }
        match (self.0.offset, self.0.line) {
            (Some(offset), Some((line, column))) => write!(f, " (at byte {offset}, line {line}, column {column})")?,
            (Some(offset), None) => write!(f, " (at byte {offset})")?,
            (None, _) => {}
        }
        match &self.0.excerpt {
            Some(excerpt) => write!(f, " near {excerpt}"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for ReadError {}

/// A refusal by the server: `Status: Failure` with its `ErrorDescription`.
///
/// What is shown of it, by `Debug` and by `Display`, leaves out session references, which `SESSION_INVALID` repeats.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure {
    /// The error code, for example `HANDLE_INVALID`. The set is open: storage drivers and plugins add their own.
    pub code: String,
    /// The parameters. There may be fewer or more than the schema declares.
    pub params: Vec<String>,
}

impl Failure {
    /// A refusal with its parameters.
    pub fn new<P: Into<String>>(code: impl Into<String>, params: impl IntoIterator<Item = P>) -> Self {
        Failure { code: code.into(), params: params.into_iter().map(Into::into).collect() }
    }

    /// A refusal as it stands on the wire: the code, then the parameters. An empty description, which no server should
    /// send, becomes the code `UNKNOWN`.
    pub fn from_description(description: Vec<String>) -> Self {
        let mut all = description.into_iter();
        Failure { code: all.next().unwrap_or_else(|| "UNKNOWN".into()), params: all.collect() }
    }

    /// The code and the parameters in one list, as on the wire.
    pub fn description(&self) -> impl Iterator<Item = &str> {
        core::iter::once(self.code.as_str()).chain(self.params.iter().map(String::as_str))
    }

    /// The parameter at that place, or empty text.
    pub fn param(&self, at: usize) -> &str {
        self.params.get(at).map_or("", String::as_str)
    }
}

/// The failure has another code than the view that was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OtherError;

impl fmt::Display for OtherError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the failure has another code")
    }
}

impl core::error::Error for OtherError {}

impl Failure {
    /// Its parameters by name and type, if its code is that of the view: see `xenapi_model::errors`.
    pub fn view<'f, V: TryFrom<&'f Failure>>(&'f self) -> Option<V> {
        V::try_from(self).ok()
    }
}

impl Failure {
    /// The parameters without session references: one that a host refuses may be good on another, as when a client has asked the
    /// wrong pool.
    fn shown(&self) -> impl Iterator<Item = &str> {
        let of_session = match self.code.as_str() {
            "SESSION_INVALID" => true,
            // Whose first parameter is a class.
            "HANDLE_INVALID" | "UUID_INVALID" => self.param(0).eq_ignore_ascii_case("session"),
            _ => false,
        };
        let hide = move |param: &str| of_session && param.starts_with("OpaqueRef:") && param != NULL;
        self.params.iter().map(move |param| if hide(param) { REDACTED } else { param.as_str() })
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let params: Vec<&str> = self.shown().collect();
        f.debug_struct("Failure").field("code", &self.code).field("params", &params).finish()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)?;
        for (at, param) in self.shown().enumerate() {
            write!(f, "{}{param}", if at == 0 { ": " } else { ", " })?;
        }
        Ok(())
    }
}

impl core::error::Error for Failure {}
