//! Whole documents: calls and replies.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{Failure, Kind, RawCall, ReadError, ReadResult, Reader, Scalar, Value, Wire};

use super::reader::{JsonReader, check_size};
use crate::limits::Limits;

/// The version of a call, which its reply has, too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// 1.0: no member `jsonrpc`.
    V1,
    /// 2.0: `"jsonrpc":"2.0"`.
    V2,
}

/// What joins a reply to its call. xapi takes no others, and answers none without.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Id {
    /// A number.
    Int(i64),
    /// Text.
    Text(String),
}

/// A call with what its reply needs.
#[derive(Clone, PartialEq, Debug)]
pub struct JsonCall {
    /// The method and its parameters.
    pub call: RawCall,
    /// The version to answer in.
    pub version: Version,
    /// The id to answer with.
    pub id: Id,
    /// The first text that was not UTF-8, with replacement characters, if there was one. xapi refuses such a call with
    /// `INVALID_VALUE`, before it looks at the method (see [`super::write_early_failure`]).
    pub invalid: Option<String>,
}

/// What a reply says.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome<'a> {
    /// The call succeeded; the reader stands before the result.
    Success(JsonReader<'a>),
    /// The server refused the call.
    Failure(Failure),
    /// The server sent an error that is not one of xapi's: what stands before it may.
    Fault {
        /// The number of the error.
        code: i64,
        /// What it says.
        text: String,
    },
}

/// Reads a call. In version 2.0 parameters may be absent, and an object stands for one parameter, since there are no named ones.
///
/// # Errors
/// When the bytes are not a call with an id, or exceed the limits. xapi answers all of these with HTTP 500, and so it does to an
/// array of calls.
pub fn read_call(bytes: &[u8], limits: &Limits) -> Result<JsonCall, ReadError> {
    check_size(bytes, limits)?;
    let (text, mark) = match core::str::from_utf8(bytes) {
        Ok(text) => (Cow::Borrowed(text), None),
        Err(error) => (String::from_utf8_lossy(bytes), Some(error.valid_up_to())),
    };
    let mut reader = JsonReader::new(&text, limits);
    reader.mark = mark;
    let (call, version, id) = call(&mut reader)?;
    let invalid = reader.marked.take();
    reader.finish()?;
    Ok(JsonCall { call, version, id, invalid })
}

fn call(reader: &mut JsonReader<'_>) -> Result<(RawCall, Version, Id), ReadError> {
    let (mut method, mut params, mut version, mut id) = (None, None, Version::V1, None);
    reader.begin_struct().map_err(|error| fatal(&error))?;
    while let Some(name) = reader.next_member()?.map(Cow::into_owned) {
        match name.as_str() {
            "method" => method = Some(String::read(reader).map_err(|error| fatal(&error.within(name)))?),
            "params" => params = Some(Value::read(reader).map_err(|error| fatal(&error.within(name)))?),
            "id" => id = Some(read_id(reader).map_err(|error| fatal(&error.within(name)))?),
            "jsonrpc" => {
                let said = String::read(reader).map_err(|error| fatal(&error.within("jsonrpc")))?;
                if said != "2.0" {
                    return Err(ReadError::syntax("the version \"2.0\", or none for 1.0", format!("{said:?}")));
                }
                version = Version::V2;
            }
            _ => reader.skip()?,
        }
    }
    let method = method.ok_or_else(|| ReadError::syntax("a call with a method", "an object without"))?;
    let id = id.ok_or_else(|| ReadError::syntax("a call with an id", "one without"))?;
    let params = match (params, version) {
        (Some(Value::Array(params)), _) => params,
        (Some(Value::Nil) | None, Version::V2) => Vec::new(),
        (Some(object @ Value::Struct(_)), Version::V2) => Vec::from([object]),
        (None, Version::V1) => return Err(ReadError::syntax("a call with params", "one without")),
        (Some(other), _) => return Err(ReadError::syntax("an array of params", other.kind().to_string())),
    };
    Ok((RawCall { method, params }, version, id))
}

/// A value of the wrong kind in an envelope makes the whole document unusable.
fn fatal(error: &ReadError) -> ReadError {
    if error.is_fatal() {
        return error.clone();
    }
    let syntax = ReadError::syntax(error.expected().to_string(), error.found().to_string()).at(error.offset());
    let path = error.path();
    if path.is_empty() { syntax } else { syntax.within(path) }
}

fn read_id(reader: &mut JsonReader<'_>) -> Result<Id, ReadError> {
    match reader.scalar()? {
        Scalar::Int(number) => Ok(Id::Int(number)),
        Scalar::Text(text) => Ok(Id::Text(text.into_owned())),
        other => Err(ReadError::syntax("a number or text as the id", other.kind().to_string())),
    }
}

/// Reads a reply of either version as far as its result, which the reader in [`Outcome::Success`] then reads.
///
/// The members may come in any order. The id is not looked at: over HTTP a reply belongs to its request.
///
/// # Errors
/// When the bytes are not a reply, are not JSON in UTF-8 or exceed the limits.
pub fn read_reply<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Outcome<'a>, ReadError> {
    check_size(bytes, limits)?;
    let text = core::str::from_utf8(bytes).map_err(|error| {
        let found = format!("the byte {:#04x}", bytes.get(error.valid_up_to()).copied().unwrap_or_default());
        ReadError::syntax("UTF-8", found).at(Some(error.valid_up_to() as u64))
    })?;
    let mut reader = JsonReader::new(text, limits);
    reader.begin_struct().map_err(|error| fatal(&error))?;
    reader.envelope = 1;
    let mut null = None;
    while let Some(name) = reader.next_member()?.map(Cow::into_owned) {
        match name.as_str() {
            // Version 1.0 has a result of null beside an error.
            "result" if reader.kind()? == Kind::Nil => {
                null = Some(reader.clone());
                reader.skip()?;
            }
            "result" => return Ok(Outcome::Success(reader)),
            "error" if reader.kind()? != Kind::Nil => {
                let outcome = refusal(&mut reader).map_err(|error| fatal(&error.within("error")))?;
                finish_refusal(reader)?;
                return Ok(outcome);
            }
            _ => reader.skip()?,
        }
    }
    match null {
        Some(before_null) => Ok(Outcome::Success(before_null)),
        None => Err(ReadError::syntax("a reply with a result or an error", "an object without").at(reader.offset())),
    }
}

/// Checks what stands behind an error. A result of null is no contradiction there.
fn finish_refusal(mut reader: JsonReader<'_>) -> Result<(), ReadError> {
    while let Some(name) = reader.next_member()?.map(Cow::into_owned) {
        if name == "result" && reader.kind()? != Kind::Nil {
            return Err(ReadError::syntax("no result beside the error", "one").at(reader.offset()));
        }
        reader.skip()?;
    }
    reader.finish()
}

fn refusal<'a>(reader: &mut JsonReader<'_>) -> Result<Outcome<'a>, ReadError> {
    match reader.kind()? {
        Kind::Array => Ok(Outcome::Failure(Failure::from_description(texts(reader)?))),
        Kind::Struct => error_object(reader),
        _ => Ok(Outcome::Fault { code: 0, text: String::read(reader)? }),
    }
}

/// The error of version 2.0. Its number is 1 where xapi speaks of an error of its own; other servers have other numbers.
fn error_object<'a>(reader: &mut JsonReader<'_>) -> Result<Outcome<'a>, ReadError> {
    let (mut code, mut message, mut data) = (0, String::new(), None);
    reader.begin_struct()?;
    while let Some(name) = reader.next_member()?.map(Cow::into_owned) {
        match name.as_str() {
            "code" => code = i64::read(reader).map_err(|error| error.within(name))?,
            "message" => message = String::read(reader).map_err(|error| error.within(name))?,
            "data" if reader.kind()? == Kind::Array => data = Some(texts(reader).map_err(|error| error.within(name))?),
            _ => reader.skip()?,
        }
    }
    Ok(match data {
        Some(params) if code == 1 => Outcome::Failure(Failure { code: message, params }),
        _ => Outcome::Fault { code, text: message },
    })
}

/// The parts of an error. All should be text; what is not is written as text rather than lost.
fn texts(reader: &mut JsonReader<'_>) -> Result<Vec<String>, ReadError> {
    reader.begin_array()?;
    let mut texts = Vec::new();
    while reader.next_item()? {
        let kind = reader.kind()?;
        if matches!(kind, Kind::Array | Kind::Struct) {
            reader.skip()?;
            texts.push(format!("({kind})"));
            continue;
        }
        texts.push(match reader.scalar()? {
            Scalar::Text(text) => text.into_owned(),
            Scalar::Int(number) => format!("{number}"),
            Scalar::Bool(truth) => format!("{truth}"),
            Scalar::Double(number) => format!("{number}"),
            other => format!("({})", other.kind()),
        });
    }
    Ok(texts)
}

/// Reads a reply and its whole result, and checks that nothing follows. An error that is not one of xapi's becomes the failure
/// `Fault`, with its text and number.
///
/// # Errors
/// When the bytes are not a reply, the result has another type, something follows, or a limit is exceeded.
pub fn read_result<R>(bytes: &[u8], limits: &Limits, read: ReadResult<R>) -> Result<Result<R, Failure>, ReadError> {
    match read_reply(bytes, limits)? {
        Outcome::Success(reader) => whole(reader, read).map(Ok),
        Outcome::Failure(failure) => Ok(Err(failure)),
        Outcome::Fault { code, text } => Ok(Err(Failure::new("Fault", [text, format!("{code}")]))),
    }
}

fn whole<R>(mut reader: JsonReader<'_>, read: ReadResult<R>) -> Result<R, ReadError> {
    let result = read(&mut reader)?;
    reader.finish()?;
    Ok(result)
}

/// Reads a lone value as a type.
///
/// # Errors
/// When the text is not one value of that type, or exceeds the limits.
pub fn read_value<R>(text: &str, limits: &Limits, read: ReadResult<R>) -> Result<R, ReadError> {
    check_size(text.as_bytes(), limits)?;
    whole(JsonReader::new(text, limits), read)
}
