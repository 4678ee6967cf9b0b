//! The XML below XML-RPC: tags and text, with everything else checked and passed over.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};

use quick_xml::Reader;
use quick_xml::encoding::EncodingError;
use quick_xml::errors::{Error, IllFormedError};
use quick_xml::events::{BytesDecl, BytesStart, Event};
use xenapi_core::ReadError;

use super::tag::{Stop, Tag, Token, is_allowed, is_blank, resolve};

/// The tokens of a document.
#[derive(Clone)]
pub(super) struct Source<'a> {
    xml: Reader<&'a [u8]>,
    /// What `xml` reads.
    bytes: &'a [u8],
    /// Bytes before what `xml` reads: a byte order mark.
    before: u64,
    /// Where the last token begins.
    at: u64,
    text_limit: usize,
    /// Whether the root element has begun.
    in_root: bool,
    /// The name of the last element that is none of XML-RPC.
    other: String,
}

const BOM: &[u8] = b"\xef\xbb\xbf";

impl<'a> Source<'a> {
    /// The tokens of these bytes.
    pub(super) fn new(bytes: &'a [u8], text_limit: usize) -> Result<Self, ReadError> {
        if let [0xfe, 0xff, ..] | [0xff, 0xfe, ..] = bytes {
            return Err(ReadError::syntax("UTF-8", "the byte order mark of UTF-16").at(Some(0)));
        }
        let rest = bytes.strip_prefix(BOM).unwrap_or(bytes);
        if rest.starts_with(BOM) {
            return Err(ReadError::syntax("one byte order mark at most", "two").at(Some(0)));
        }
        let mut xml = Reader::from_reader(rest);
        xml.config_mut().expand_empty_elements = true;
        let before = if rest.len() < bytes.len() { BOM.len() as u64 } else { 0 };
        Ok(Source { xml, bytes: rest, before, at: 0, text_limit, in_root: false, other: String::new() })
    }

    /// Passes over everything before that offset, where a token begins.
    ///
    /// This is how a reader that has begun in another way goes on in this one: the check that every closing tag has its
    /// opening tag needs all of them.
    pub(super) fn replay(&mut self, to: u64) -> Result<(), ReadError> {
        let mut empty = false;
        while self.before + self.xml.buffer_position() < to || empty {
            match self.token()? {
                Token::End => return Err(ReadError::truncated("what was read before")),
                // An empty element comes as two tokens, the second of which stands nowhere.
                token => empty = matches!(token, Token::Open(_)) && self.last_was_empty(),
            }
        }
        Ok(())
    }

    /// Up to where the bytes were taken.
    pub(super) fn end(&self) -> u64 {
        self.before + self.xml.buffer_position()
    }

    fn last_was_empty(&self) -> bool {
        let end = usize::try_from(self.xml.buffer_position()).unwrap_or(usize::MAX);
        end.checked_sub(2).and_then(|start| self.bytes.get(start..end)) == Some(b"/>")
    }

    /// Where the last token begins, in bytes from the start of the document.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The opening tag as it is written, for messages.
    pub(super) fn found(&self, tag: Tag) -> Cow<'static, str> {
        if tag == Tag::Other { Cow::Owned(format!("<{}>", self.other)) } else { Cow::Borrowed(tag.text()) }
    }

    /// The next tag or text, however empty.
    pub(super) fn token(&mut self) -> Result<Token<'a>, ReadError> {
        loop {
            self.at = self.before + self.xml.buffer_position();
            let event = match self.xml.read_event() {
                Ok(event) => event,
                Err(error) => return Err(self.broken(&error)),
            };
            return Ok(match event {
                Event::Start(start) => Token::Open(self.open(&start)?),
                Event::End(_) => Token::Close,
                Event::Text(text) => Token::Text(allowed(text.xml10_content())?),
                Event::CData(text) => Token::Text(allowed(text.xml10_content())?),
                Event::GeneralRef(reference) => Token::Text(resolve(&reference)?),
                Event::Comment(_) | Event::PI(_) => continue,
                Event::Decl(declaration) => {
                    self.declared(&declaration)?;
                    continue;
                }
                Event::DocType(text) => {
                    self.doctype(&text)?;
                    continue;
                }
                Event::Eof => Token::End,
                // Cannot be, since empty elements come as two events.
                Event::Empty(_) => return Err(ReadError::syntax("an opening tag", "an empty element")),
            });
        }
    }

    fn open(&mut self, start: &BytesStart<'_>) -> Result<Tag, ReadError> {
        self.in_root = true;
        if !start.attributes_raw().is_empty() {
            for attribute in start.attributes() {
                attribute.map_err(|error| ReadError::syntax("attributes of XML", error.to_string()))?;
            }
        }
        let name = start.local_name().into_inner();
        let tag = Tag::of(name);
        if tag == Tag::Other {
            self.other = name.chars().take(40).collect();
        }
        Ok(tag)
    }

    fn declared(&self, declaration: &BytesDecl<'_>) -> Result<(), ReadError> {
        if self.at != self.before {
            return Err(ReadError::syntax("the XML declaration at the very start", "one behind other things"));
        }
        if let Err(error) = declaration.xml_version() {
            return Err(ReadError::syntax("an XML declaration", error.to_string()));
        }
        match declaration.encoding() {
            None => Ok(()),
            Some(Ok(name)) if name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("us-ascii") => Ok(()),
            Some(Ok(name)) => {
                let name: String = name.chars().take(40).collect();
                Err(ReadError::syntax("the encoding UTF-8", format!("the encoding {name:?}")))
            }
            Some(Err(error)) => Err(ReadError::syntax("an XML declaration", error.to_string())),
        }
    }

    /// Lets a bare name pass. Anything more could define entities, here or elsewhere.
    fn doctype(&self, text: &str) -> Result<(), ReadError> {
        if self.in_root {
            return Err(ReadError::syntax("a tag or text", "a document type declaration"));
        }
        if text.contains('[') {
            return Err(ReadError::syntax("no entity definitions", "a document type declaration with an internal subset"));
        }
        if text.split_ascii_whitespace().nth(1).is_some() {
            return Err(ReadError::syntax(
                "no external entities",
                "a document type declaration with an external identifier",
            ));
        }
        Ok(())
    }

    fn broken(&self, error: &Error) -> ReadError {
        match error {
            // All of these are constructs that the end of the document cuts off.
            Error::Syntax(_) => ReadError::truncated("the end of a tag, comment or section"),
            Error::IllFormed(IllFormedError::UnclosedReference) => {
                ReadError::syntax("a reference like &amp;", "an & without its ;")
            }
            Error::IllFormed(error) => ReadError::syntax("well-formed XML", error.to_string()),
            Error::Encoding(EncodingError::Utf8(error)) => {
                ReadError::syntax("UTF-8", "bytes that are none").at(Some(self.at + error.valid_up_to() as u64))
            }
            error => ReadError::syntax("XML", error.to_string()),
        }
    }

    /// The next token that is not blank text.
    pub(super) fn structure(&mut self, expected: &'static str) -> Result<Stop, ReadError> {
        loop {
            match self.token()? {
                Token::Open(tag) => return Ok(Stop::Open(tag)),
                Token::Close => return Ok(Stop::Close),
                Token::Text(text) if is_blank(&text) => {}
                Token::Text(text) => {
                    let start: String = text.chars().take(40).collect();
                    return Err(ReadError::syntax(expected, format!("the text {start:?}")));
                }
                Token::End => return Err(ReadError::truncated(expected)),
            }
        }
    }

    /// Takes the opening tag of that element.
    pub(super) fn expect_open(&mut self, tag: Tag) -> Result<(), ReadError> {
        match self.structure(tag.text())? {
            Stop::Open(found) if found == tag => Ok(()),
            Stop::Open(found) => Err(ReadError::syntax(tag.text(), self.found(found))),
            Stop::Close => Err(ReadError::syntax(tag.text(), "a closing tag")),
        }
    }

    /// Takes a closing tag.
    pub(super) fn expect_close(&mut self, expected: &'static str) -> Result<(), ReadError> {
        match self.structure(expected)? {
            Stop::Close => Ok(()),
            Stop::Open(found) => Err(ReadError::syntax(expected, self.found(found))),
        }
    }

    /// Takes text up to the next tag, and that tag.
    pub(super) fn text(&mut self) -> Result<(Cow<'a, str>, Stop), ReadError> {
        let mut all = Cow::Borrowed("");
        loop {
            match self.token()? {
                Token::Open(tag) => return Ok((all, Stop::Open(tag))),
                Token::Close => return Ok((all, Stop::Close)),
                Token::End => return Err(ReadError::truncated("a closing tag")),
                Token::Text(text) => {
                    if all.len() + text.len() > self.text_limit {
                        let limit = format!("{} bytes of text", self.text_limit);
                        return Err(ReadError::limit(limit, "a longer one"));
                    }
                    if all.is_empty() {
                        all = text;
                    } else {
                        all.to_mut().push_str(&text);
                    }
                }
            }
        }
    }

    /// Takes text and the closing tag behind it.
    pub(super) fn text_to_close(&mut self, tag: Tag) -> Result<Cow<'a, str>, ReadError> {
        match self.text()? {
            (text, Stop::Close) => Ok(text),
            (_, Stop::Open(found)) => {
                Err(ReadError::syntax(format!("nothing but text in {}", tag.text()), self.found(found)))
            }
        }
    }

    /// Checks that nothing follows but blanks and comments.
    pub(super) fn expect_end(&mut self) -> Result<(), ReadError> {
        loop {
            let found = match self.token()? {
                Token::End => return Ok(()),
                Token::Text(text) if is_blank(&text) => continue,
                Token::Text(_) => Cow::Borrowed("text"),
                Token::Open(tag) => self.found(tag),
                Token::Close => Cow::Borrowed("a closing tag"),
            };
            return Err(ReadError::syntax("the end of the document", found));
        }
    }
}

fn allowed(text: Cow<'_, str>) -> Result<Cow<'_, str>, ReadError> {
    // Without a way out of the loop, so that it goes by many bytes at a time.
    if text.bytes().fold(true, |all, byte| all & is_allowed(byte)) {
        return Ok(text);
    }
    let byte = text.bytes().find(|byte| !is_allowed(*byte)).unwrap_or(0);
    Err(ReadError::syntax("characters of XML", format!("the control character 0x{byte:02x}")))
}
