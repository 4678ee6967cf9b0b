//! Whole documents: calls, replies, and the lone values of tasks.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{Failure, Kind, RawCall, ReadError, ReadResult, Reader, Scalar, Value, Wire};

use super::reader::{Engine, Role, XmlReader};
use crate::limits::Limits;

/// What a reply says.
#[derive(Debug)]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "there is one in a reply, and it is matched at once")]
pub enum Outcome<'a> {
    /// The call succeeded; the reader stands before the result.
    Success(XmlReader<'a>),
    /// The server refused the call.
    Failure(Failure),
    /// The server sent an XML-RPC fault. xapi never does; what stands before it may.
    Fault {
        /// The number of the fault.
        code: i64,
        /// What it says.
        text: String,
    },
}

/// Reads a call.
///
/// A date that is no date comes as text, since xapi finds out only where a date is wanted.
///
/// # Errors
/// When the bytes are not a call, are not well-formed or exceed the limits. xapi answers all of these with HTTP 500, never with
/// an XML-RPC reply.
pub fn read_call(bytes: &[u8], limits: &Limits) -> Result<RawCall, ReadError> {
    read_call_with(bytes, limits, Engine::Auto)
}

/// Reads a call with that reader. See [`read_call`].
///
/// # Errors
/// As [`read_call`]; also when the scanner alone does not recognise the document.
pub fn read_call_with(bytes: &[u8], limits: &Limits, engine: Engine) -> Result<RawCall, ReadError> {
    let mut reader = XmlReader::new(bytes, limits, Role::Server, engine)?;
    let call = call(&mut reader);
    let call = reader.keep(call)?;
    reader.finish()?;
    Ok(call)
}

fn call(reader: &mut XmlReader<'_>) -> Result<RawCall, ReadError> {
    let method = reader.call_head()?.into_owned();
    let mut params = Vec::new();
    while reader.next_param()? {
        let number = params.len() + 1;
        params.push(Value::read(reader).map_err(|error| error.within(format!("parameter {number}")))?);
    }
    Ok(RawCall { method, params })
}

/// A call as a server reads it.
#[derive(Clone, PartialEq, Debug)]
pub struct Request {
    /// The call, with U+FFFD in the place of bytes that are not UTF-8.
    pub call: RawCall,
    /// The first text of its parameters that is not UTF-8, as it stands in [`Request::call`]. xapi refuses such a call before it
    /// looks at the method, with the failure `INVALID_VALUE` and the parameters `Invalid UTF-8 string in parameter` and this
    /// text, while a call that is not well-formed gets HTTP 500.
    pub invalid: Option<String>,
}

/// Reads a call, and tells text that is not UTF-8 from a document that is broken.
///
/// # Errors
/// As [`read_call`], except that text which is not UTF-8 is none.
pub fn read_request(bytes: &[u8], limits: &Limits) -> Result<Request, ReadError> {
    if core::str::from_utf8(bytes).is_ok() || bytes.len() > limits.bytes {
        return read_call(bytes, limits).map(|call| Request { call, invalid: None });
    }
    // A character that the document does not hold stands for what is wrong, so that it can be told from what is right.
    let marks = ('\u{fdd0}'..='\u{fdef}').map(|mark| alloc::string::ToString::to_string(&mark));
    let mark = marks.into_iter().find(|mark| memchr::memmem::find(bytes, mark.as_bytes()).is_none());
    let mark = mark.unwrap_or_else(|| "\u{fffd}".into());
    let mut text = String::with_capacity(bytes.len() + 64);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push_str(&mark);
        }
    }
    // Each mark may be longer than what it stands for.
    let limits = Limits { bytes: text.len(), text: limits.text.saturating_mul(3), ..*limits };
    let mut call = read_call(text.as_bytes(), &limits)?;
    let invalid = call.params.iter().find_map(|param| first_with(param, &mark)).map(|text| text.replace(&mark, "\u{fffd}"));
    call.method = call.method.replace(&mark, "\u{fffd}");
    call.params.iter_mut().for_each(|param| replace(param, &mark));
    Ok(Request { call, invalid })
}

/// The first text or name that holds the mark.
fn first_with<'v>(value: &'v Value, mark: &str) -> Option<&'v str> {
    match value {
        Value::Array(items) => items.iter().find_map(|item| first_with(item, mark)),
        Value::Struct(members) => {
            members.iter().find_map(|(name, value)| if name.contains(mark) { Some(name) } else { first_with(value, mark) })
        }
        other => other.as_text().filter(|text| text.contains(mark)),
    }
}

fn replace(value: &mut Value, mark: &str) {
    match value {
        Value::Text(text) if text.contains(mark) => *text = text.replace(mark, "\u{fffd}"),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, mark)),
        Value::Struct(members) => {
            let replaced = core::mem::take(members).into_iter().map(|(name, mut value)| {
                replace(&mut value, mark);
                (name.replace(mark, "\u{fffd}"), value)
            });
            *members = replaced.collect();
        }
        _ => {}
    }
}

/// Reads a reply as far as its result, which the reader in [`Outcome::Success`] then reads.
///
/// The members may come in any order. A result without the envelope of status and value, which only `system.listMethods` and
/// its kind send, counts as success.
///
/// # Errors
/// When the bytes are not a reply, are not well-formed or exceed the limits.
pub fn read_reply<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Outcome<'a>, ReadError> {
    read_reply_with(bytes, limits, Engine::Auto)
}

/// Reads a reply as far as its result with that reader. See [`read_reply`].
///
/// # Errors
/// As [`read_reply`]; also when the scanner alone does not recognise the document.
pub fn read_reply_with<'a>(bytes: &'a [u8], limits: &Limits, engine: Engine) -> Result<Outcome<'a>, ReadError> {
    let mut reader = XmlReader::new(bytes, limits, Role::Client, engine)?;
    let outcome = reply(&mut reader);
    match reader.keep(outcome)? {
        Reply::Result(result) => Ok(Outcome::Success(result.map_or(reader, |saved| *saved))),
        Reply::Failure(failure) => reader.finish().map(|()| Outcome::Failure(failure)),
        Reply::Fault { code, text } => reader.finish().map(|()| Outcome::Fault { code, text }),
    }
}

enum Reply<'a> {
    /// The reader before the result, if it is not the one at hand.
    Result(Option<alloc::boxed::Box<XmlReader<'a>>>),
    Failure(Failure),
    Fault {
        code: i64,
        text: String,
    },
}

fn reply<'a>(reader: &mut XmlReader<'a>) -> Result<Reply<'a>, ReadError> {
    if reader.reply_head()? {
        return fault(reader);
    }
    if reader.kind()? == Kind::Struct { envelope(reader) } else { Ok(Reply::Result(None)) }
}

fn envelope<'a>(reader: &mut XmlReader<'a>) -> Result<Reply<'a>, ReadError> {
    let (mut status, mut result, mut description) = (None, None, None);
    reader.begin_struct()?;
    while let Some(name) = reader.next_member()? {
        match &*name {
            "Status" => status = Some(String::read(reader).map_err(|error| error.within("Status"))?),
            "Value" if status.as_deref() == Some("Success") => return Ok(Reply::Result(None)),
            "Value" => {
                result = Some(alloc::boxed::Box::new(reader.clone()));
                reader.skip()?;
            }
            "ErrorDescription" => {
                description = Some(texts(reader).map_err(|error| error.within("ErrorDescription"))?);
            }
            _ => reader.skip()?,
        }
    }
    match (status.as_deref(), result, description) {
        (Some("Success"), Some(result), _) => Ok(Reply::Result(Some(result))),
        (Some("Success"), None, _) => Err(ReadError::syntax("Value beside the Status Success", "none")),
        (Some("Failure"), _, Some(description)) => Ok(Reply::Failure(Failure::from_description(description))),
        (Some("Failure"), ..) => Err(ReadError::syntax("ErrorDescription beside the Status Failure", "none")),
        (Some(other), ..) => {
            let short: String = other.chars().take(40).collect();
            Err(ReadError::syntax("the Status Success or Failure", format!("{short:?}")))
        }
        (None, ..) => Err(ReadError::syntax("a reply with a Status", "a struct without")),
    }
}

/// The parts of an error. All should be text; what is not is written as text rather than lost.
fn texts(reader: &mut XmlReader<'_>) -> Result<Vec<String>, ReadError> {
    reader.begin_array()?;
    let mut texts = Vec::new();
    while reader.next_item()? {
        if matches!(reader.kind()?, Kind::Array | Kind::Struct) {
            texts.push(format!("({})", reader.kind()?));
            reader.skip()?;
            continue;
        }
        texts.push(match reader.scalar()? {
            Scalar::Text(text) | Scalar::DateTime(text) => text.into_owned(),
            Scalar::Int(number) => format!("{number}"),
            Scalar::Int32(number) => format!("{number}"),
            Scalar::Bool(truth) => format!("{truth}"),
            Scalar::Double(number) => format!("{number}"),
            other => format!("({})", other.kind()),
        });
    }
    Ok(texts)
}

fn fault<'a>(reader: &mut XmlReader<'_>) -> Result<Reply<'a>, ReadError> {
    let (mut code, mut text) = (0, String::new());
    reader.begin_struct()?;
    while let Some(name) = reader.next_member()? {
        match &*name {
            "faultCode" => code = i64::read(reader).map_err(|error| error.within("faultCode"))?,
            "faultString" => text = String::read(reader).map_err(|error| error.within("faultString"))?,
            _ => reader.skip()?,
        }
    }
    Ok(Reply::Fault { code, text })
}

/// Reads a reply and its whole result, and checks that nothing follows. A fault becomes the failure `Fault`, which is how xapi
/// words what would be one.
///
/// # Errors
/// When the bytes are not a reply, the result has another type, something follows, or a limit is exceeded.
pub fn read_result<R>(bytes: &[u8], limits: &Limits, read: ReadResult<R>) -> Result<Result<R, Failure>, ReadError> {
    read_result_with(bytes, limits, Engine::Auto, read)
}

/// Reads a reply and its whole result with that reader. See [`read_result`].
///
/// # Errors
/// As [`read_result`]; also when the scanner alone does not recognise the document.
pub fn read_result_with<R>(
    bytes: &[u8],
    limits: &Limits,
    engine: Engine,
    read: ReadResult<R>,
) -> Result<Result<R, Failure>, ReadError> {
    match read_reply_with(bytes, limits, engine)? {
        Outcome::Success(reader) => whole(reader, read).map(Ok),
        Outcome::Failure(failure) => Ok(Err(failure)),
        Outcome::Fault { code, text } => Ok(Err(Failure::new("Fault", [text, format!("{code}")]))),
    }
}

fn whole<R>(mut reader: XmlReader<'_>, read: ReadResult<R>) -> Result<R, ReadError> {
    let result = read(&mut reader)?;
    reader.finish()?;
    Ok(result)
}

/// Reads a lone `<value>…</value>`: the result of a task.
///
/// # Errors
/// When the text is not one value, or exceeds the limits.
pub fn read_value_text(text: &str, limits: &Limits) -> Result<Value, ReadError> {
    read_value_as(text, limits, Value::read)
}

/// Reads a lone `<value>…</value>` as a type: the result of a task.
///
/// # Errors
/// When the text is not one value of that type, or exceeds the limits.
pub fn read_value_as<R>(text: &str, limits: &Limits, read: ReadResult<R>) -> Result<R, ReadError> {
    read_value_with(text, limits, Engine::Auto, read)
}

/// Reads a lone `<value>…</value>` with that reader. See [`read_value_as`].
///
/// # Errors
/// As [`read_value_as`]; also when the scanner alone does not recognise the text.
pub fn read_value_with<R>(text: &str, limits: &Limits, engine: Engine, read: ReadResult<R>) -> Result<R, ReadError> {
    let mut reader = XmlReader::new(text.as_bytes(), limits, Role::Client, engine)?;
    let head = reader.value_head();
    reader.keep(head)?;
    whole(reader, read)
}
