//! Values, calls and replies to JSON, as xapi writes it: without blanks, members in the order of the schema.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use xenapi_core::{DateTime, Failure, RawCall, Value, Wire, Writer};

use super::document::{Id, Version};
use super::text::{format_double, write_string};
use crate::scalar::encode_base64;

/// Writes values as JSON. Implements [`Writer`], so that typed values go to bytes without a tree between.
///
/// ```
/// use xenapi_codec::jsonrpc::JsonWriter;
/// use xenapi_core::Wire;
///
/// let mut writer = JsonWriter::new();
/// vec![1.0, 0.5].write(&mut writer);
/// assert_eq!(writer.into_bytes(), b"[1.0,0.5]");
/// ```
#[derive(Default)]
pub struct JsonWriter {
    out: Vec<u8>,
    /// For each open container whether anything is in it yet.
    open: Vec<bool>,
    /// Whether a name was written whose value comes next.
    named: bool,
}

impl fmt::Debug for JsonWriter {
    /// Without what was written, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonWriter").field("bytes", &self.out.len()).field("open", &self.open.len()).finish()
    }
}

impl JsonWriter {
    /// An empty writer.
    pub fn new() -> Self {
        JsonWriter::default()
    }

    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Before a value or the name of a member: the comma, if something stands before it.
    fn separate(&mut self) {
        if core::mem::take(&mut self.named) {
            return;
        }
        if let Some(begun) = self.open.last_mut()
            && core::mem::replace(begun, true)
        {
            self.out.push(b',');
        }
    }

    fn plain(&mut self, text: &str) {
        self.separate();
        self.raw(text.as_bytes());
    }

    fn begin(&mut self, bracket: u8) {
        self.separate();
        self.out.push(bracket);
        self.open.push(false);
    }

    fn end(&mut self, bracket: u8) {
        // A close without an open is the caller's mistake; nothing sensible can be written.
        if self.open.pop().is_some() {
            self.named = false;
            self.out.push(bracket);
        }
    }
}

impl Writer for JsonWriter {
    fn text(&mut self, text: &str) {
        self.separate();
        write_string(text, &mut self.out);
    }

    fn int(&mut self, number: i64) {
        self.plain(&format!("{number}"));
    }

    fn int32(&mut self, number: i32) {
        self.int(number.into());
    }

    fn bool(&mut self, truth: bool) {
        self.plain(if truth { "true" } else { "false" });
    }

    fn double(&mut self, number: f64) {
        self.plain(&format_double(number));
    }

    fn date_time(&mut self, time: &DateTime) {
        self.text(&format!("{time}"));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.separate();
        self.out.push(b'"');
        encode_base64(bytes, &mut self.out);
        self.out.push(b'"');
    }

    fn nil(&mut self) {
        self.plain("null");
    }

    fn begin_array(&mut self) {
        self.begin(b'[');
    }

    fn end_array(&mut self) {
        self.end(b']');
    }

    fn begin_struct(&mut self) {
        self.begin(b'{');
    }

    fn member(&mut self, name: &str) {
        self.text(name);
        self.out.push(b':');
        self.named = true;
    }

    fn end_struct(&mut self) {
        self.end(b'}');
    }
}

impl Id {
    fn write(&self, writer: &mut JsonWriter) {
        match self {
            Id::Int(number) => writer.int(*number),
            Id::Text(text) => writer.text(text),
        }
    }
}

/// A call.
pub fn write_call(call: &RawCall, version: Version, id: &Id) -> Vec<u8> {
    reply_or_call(version, |writer| {
        writer.member("method");
        writer.text(&call.method);
        writer.member("params");
        call.params.write(writer);
        writer.member("id");
        id.write(writer);
    })
}

/// The reply to a call that succeeded.
pub fn write_success(value: &Value, version: Version, id: &Id) -> Vec<u8> {
    write_success_with(|writer| value.write(writer), version, id)
}

/// The reply to a call that succeeded, with a result that writes itself: exactly one value.
pub fn write_success_with(write: impl FnOnce(&mut dyn Writer), version: Version, id: &Id) -> Vec<u8> {
    reply_or_call(version, |writer| {
        writer.member("result");
        write(writer);
        if version == Version::V1 {
            writer.member("error");
            writer.nil();
        }
        writer.member("id");
        id.write(writer);
    })
}

/// The reply to a call that was refused: in version 1.0 the error's code and parameters as one array, in 2.0 an object whose number is
/// always 1.
pub fn write_failure(failure: &Failure, version: Version, id: &Id) -> Vec<u8> {
    reply_or_call(version, |writer| {
        if version == Version::V1 {
            writer.member("result");
            writer.nil();
        }
        writer.member("error");
        match version {
            Version::V1 => texts(failure.description(), writer),
            Version::V2 => {
                writer.begin_struct();
                writer.member("code");
                writer.int(1);
                writer.member("message");
                writer.text(&failure.code);
                writer.member("data");
                texts(failure.params.iter().map(String::as_str), writer);
                writer.end_struct();
            }
        }
        writer.member("id");
        id.write(writer);
    })
}

/// The reply to a call that was refused before anybody looked at it, as in emergency mode or for text that is not UTF-8. Whatever the
/// call, xapi answers with the envelope of version 2.0, the error as a bare array and the id 0.
pub fn write_early_failure(failure: &Failure) -> Vec<u8> {
    reply_or_call(Version::V2, |writer| {
        writer.member("error");
        texts(failure.description(), writer);
        writer.member("id");
        writer.int(0);
    })
}

/// A lone value.
pub fn write_value(value: &Value) -> Vec<u8> {
    let mut writer = JsonWriter::new();
    value.write(&mut writer);
    writer.into_bytes()
}

fn reply_or_call(version: Version, write: impl FnOnce(&mut JsonWriter)) -> Vec<u8> {
    let mut writer = JsonWriter::new();
    writer.begin_struct();
    if version == Version::V2 {
        writer.member("jsonrpc");
        writer.text("2.0");
    }
    write(&mut writer);
    writer.end_struct();
    writer.into_bytes()
}

fn texts<'a>(texts: impl Iterator<Item = &'a str>, writer: &mut JsonWriter) {
    writer.begin_array();
    for text in texts {
        writer.text(text);
    }
    writer.end_array();
}
