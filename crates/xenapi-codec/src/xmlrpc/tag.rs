//! The vocabulary of XML-RPC, and what both readers make of it.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};

use xenapi_core::{ReadError, Scalar, parse_int};

use crate::scalar::{decode_base64, parse_double};

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
    pub(super) fn of(name: &str) -> Tag {
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

/// Space, tab and line end: what may stand between elements.
pub(super) fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
}

/// Whether XML allows the character. U+FFFE and U+FFFF are let through because xapi writes them.
pub(super) fn is_allowed(byte: u8) -> bool {
    byte >= 0x20 || matches!(byte, b'\t' | b'\n' | b'\r')
}

/// What a reference stands for.
pub(super) fn resolve(reference: &str) -> Result<Cow<'static, str>, ReadError> {
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
pub(super) fn character(reference: &str) -> Result<char, ReadError> {
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

/// The value of a leaf.
pub(super) fn parse(tag: Tag, text: Cow<'_, str>) -> Result<Scalar<'_>, ReadError> {
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
