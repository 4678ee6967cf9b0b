//! The XML below XML-RPC: tags and text, with everything else checked and passed over.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};

use quick_xml::Reader;
use quick_xml::encoding::EncodingError;
use quick_xml::errors::{Error, IllFormedError};
use quick_xml::events::{BytesDecl, BytesStart, Event};
use xenapi_core::ReadError;

use crate::limits::Limits;

/// The elements of XML-RPC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tag {
    MethodCall,
    MethodName,
    MethodResponse,
    Params,
    Param,
    Fault,
    Value,
    Array,
    Data,
    Struct,
    Member,
    Name,
    String,
    /// `int` and `i8`.
    Int,
    /// `i4`.
    Int32,
    Boolean,
    Double,
    DateTime,
    Base64,
    Nil,
    /// Any other; [`Source::found`] knows which.
    Other,
}

impl Tag {
    fn of(name: &str) -> Tag {
        match name {
            "value" => Tag::Value,
            "member" => Tag::Member,
            "name" => Tag::Name,
            "struct" => Tag::Struct,
            "array" => Tag::Array,
            "data" => Tag::Data,
            "boolean" => Tag::Boolean,
            "double" => Tag::Double,
            "dateTime.iso8601" => Tag::DateTime,
            "string" => Tag::String,
            "int" | "i8" => Tag::Int,
            "i4" => Tag::Int32,
            "base64" => Tag::Base64,
            "nil" => Tag::Nil,
            "param" => Tag::Param,
            "params" => Tag::Params,
            "methodCall" => Tag::MethodCall,
            "methodName" => Tag::MethodName,
            "methodResponse" => Tag::MethodResponse,
            "fault" => Tag::Fault,
            _ => Tag::Other,
        }
    }

    /// As it is written, for messages.
    pub(super) fn text(self) -> &'static str {
        match self {
            Tag::MethodCall => "<methodCall>",
            Tag::MethodName => "<methodName>",
            Tag::MethodResponse => "<methodResponse>",
            Tag::Params => "<params>",
            Tag::Param => "<param>",
            Tag::Fault => "<fault>",
            Tag::Value => "<value>",
            Tag::Array => "<array>",
            Tag::Data => "<data>",
            Tag::Struct => "<struct>",
            Tag::Member => "<member>",
            Tag::Name => "<name>",
            Tag::String => "<string>",
            Tag::Int => "<int>",
            Tag::Int32 => "<i4>",
            Tag::Boolean => "<boolean>",
            Tag::Double => "<double>",
            Tag::DateTime => "<dateTime.iso8601>",
            Tag::Base64 => "<base64>",
            Tag::Nil => "<nil>",
            Tag::Other => "another element",
        }
    }
}

/// What stands next. An empty element is an opening and a closing.
#[derive(Debug)]
pub(super) enum Token<'a> {
    Open(Tag),
    /// Closes the element opened last: that the names agree is already checked.
    Close,
    Text(Cow<'a, str>),
    End,
}

/// What ends a run of text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stop {
    Open(Tag),
    Close,
}

/// The tokens of a document.
#[derive(Clone)]
pub(super) struct Source<'a> {
    xml: Reader<&'a [u8]>,
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
    /// The tokens of these bytes, if there are not too many of them.
    pub(super) fn new(bytes: &'a [u8], limits: &Limits) -> Result<Self, ReadError> {
        if bytes.len() > limits.bytes {
            return Err(ReadError::limit(format!("{} bytes", limits.bytes), format!("{} bytes", bytes.len())));
        }
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
        Ok(Source { xml, before, at: 0, text_limit: limits.text, in_root: false, other: String::new() })
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

/// Space, tab and line end: what may stand between elements.
pub(super) fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
}

/// Whether XML allows the character. U+FFFE and U+FFFF are let through because xapi writes them.
fn is_allowed(byte: u8) -> bool {
    byte >= 0x20 || matches!(byte, b'\t' | b'\n' | b'\r')
}

fn allowed(text: Cow<'_, str>) -> Result<Cow<'_, str>, ReadError> {
    // Without a way out of the loop, so that it goes by many bytes at a time.
    if text.bytes().fold(true, |all, byte| all & is_allowed(byte)) {
        return Ok(text);
    }
    let byte = text.bytes().find(|byte| !is_allowed(*byte)).unwrap_or(0);
    Err(ReadError::syntax("characters of XML", format!("the control character 0x{byte:02x}")))
}

/// What a reference stands for.
fn resolve(reference: &str) -> Result<Cow<'static, str>, ReadError> {
    Ok(Cow::Borrowed(match reference {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "quot" => "\"",
        "apos" => "'",
        _ => return character(reference).map(|character| Cow::Owned(character.to_string())),
    }))
}

/// The character that a numeric reference stands for.
fn character(reference: &str) -> Result<char, ReadError> {
    let unknown = || {
        let short: String = reference.chars().take(40).collect();
        ReadError::syntax("one of XML's own references", format!("&{short};"))
    };
    let number = reference.strip_prefix('#').ok_or_else(unknown)?;
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
    // Rust would also take a sign.
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(unknown());
    }
    let code = u32::from_str_radix(digits, radix).map_err(|_| unknown())?;
    let character = char::from_u32(code).ok_or_else(unknown)?;
    if u8::try_from(code).is_ok_and(|byte| !is_allowed(byte)) {
        return Err(ReadError::syntax("characters of XML", format!("the control character 0x{code:02x}")));
    }
    Ok(character)
}
