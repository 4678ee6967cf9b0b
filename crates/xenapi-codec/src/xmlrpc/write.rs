//! Values, calls and replies to bytes, as xapi writes them: on one line, integers untyped.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use xenapi_core::{DateTime, Failure, RawCall, Value, Wire, Writer};

use crate::scalar::{encode_base64, format_double};

const DECLARATION: &[u8] = br#"<?xml version="1.0"?>"#;
const RESPONSE: &[u8] = b"<methodResponse><params><param>";
const RESPONSE_END: &[u8] = b"</param></params></methodResponse>";
const ENVELOPE: &[u8] = b"<value><struct><member><name>Status</name><value>";
const ENVELOPE_END: &[u8] = b"</member></struct></value>";

/// Writes values as XML-RPC. Implements [`Writer`], so that typed values go to bytes without a tree between.
///
/// ```
/// use xenapi_codec::xmlrpc::XmlWriter;
/// use xenapi_core::Wire;
///
/// let mut writer = XmlWriter::new();
/// 42_i64.write(&mut writer);
/// assert_eq!(writer.into_bytes(), b"<value>42</value>");
/// ```
#[derive(Default)]
pub struct XmlWriter {
    out: Vec<u8>,
    /// For each open container whether it is a struct, whose values end a member.
    open: Vec<bool>,
}

impl fmt::Debug for XmlWriter {
    /// Without what was written, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("XmlWriter").field("bytes", &self.out.len()).field("open", &self.open.len()).finish()
    }
}

impl XmlWriter {
    /// An empty writer.
    pub fn new() -> Self {
        XmlWriter::default()
    }

    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// What was written, as text.
    pub fn into_string(self) -> String {
        // Only whole characters are ever dropped or added, so nothing can be lost here.
        String::from_utf8(self.out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// What was written and not taken yet.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// After a whole value: closes the member it belongs to.
    fn end_value(&mut self) {
        self.raw(b"</value>");
        if self.open.last() == Some(&true) {
            self.raw(b"</member>");
        }
    }

    fn tagged(&mut self, tag: &str, text: &str) {
        for part in ["<value><", tag, ">", text, "</", tag, ">"] {
            self.raw(part.as_bytes());
        }
        self.end_value();
    }

    fn end_container(&mut self, end: &[u8]) {
        // A close without an open is the caller's mistake; nothing sensible can be written.
        if self.open.pop().is_some() {
            self.raw(end);
            self.end_value();
        }
    }
}

impl Writer for XmlWriter {
    fn text(&mut self, text: &str) {
        self.raw(b"<value>");
        escape(text, &mut self.out);
        self.end_value();
    }

    fn int(&mut self, number: i64) {
        self.text(&alloc::format!("{number}"));
    }

    fn int32(&mut self, number: i32) {
        self.tagged("i4", &alloc::format!("{number}"));
    }

    fn bool(&mut self, truth: bool) {
        self.tagged("boolean", if truth { "1" } else { "0" });
    }

    fn double(&mut self, number: f64) {
        self.tagged("double", &format_double(number));
    }

    fn date_time(&mut self, time: &DateTime) {
        self.tagged("dateTime.iso8601", &alloc::format!("{time}"));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.raw(b"<value><base64>");
        encode_base64(bytes, &mut self.out);
        self.raw(b"</base64>");
        self.end_value();
    }

    fn nil(&mut self) {
        self.raw(b"<value><nil/>");
        self.end_value();
    }

    fn begin_array(&mut self) {
        self.raw(b"<value><array><data>");
        self.open.push(false);
    }

    fn end_array(&mut self) {
        self.end_container(b"</data></array>");
    }

    fn begin_struct(&mut self) {
        self.raw(b"<value><struct>");
        self.open.push(true);
    }

    fn member(&mut self, name: &str) {
        self.raw(b"<member><name>");
        escape_name(name, &mut self.out);
        self.raw(b"</name>");
    }

    fn end_struct(&mut self) {
        self.end_container(b"</struct>");
    }
}

/// Text as xapi escapes it: four entities, control characters dropped.
fn escape(text: &str, out: &mut Vec<u8>) {
    escape_with(text, out, |byte| match byte {
        b'&' => Some(b"&amp;"),
        b'<' => Some(b"&lt;"),
        b'>' => Some(b"&gt;"),
        b'"' => Some(b"&quot;"),
        0x00..=0x08 | 0x0b | 0x0c | 0x0e..=0x1f => Some(b""),
        _ => None,
    });
}

/// The name of a member. xapi escapes nothing here, so only what no reader could make sense of is changed.
fn escape_name(name: &str, out: &mut Vec<u8>) {
    escape_with(name, out, |byte| match byte {
        b'&' => Some(b"&amp;"),
        b'<' => Some(b"&lt;"),
        0x00..=0x08 | 0x0b | 0x0c | 0x0e..=0x1f => Some(b""),
        _ => None,
    });
}

fn escape_with(text: &str, out: &mut Vec<u8>, replace: impl Fn(u8) -> Option<&'static [u8]>) {
    let bytes = text.as_bytes();
    let mut written = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if let Some(instead) = replace(*byte) {
            out.extend_from_slice(&bytes[written..at]);
            out.extend_from_slice(instead);
            written = at + 1;
        }
    }
    out.extend_from_slice(&bytes[written..]);
}

/// The reply to a call that succeeded: `Status` is `Success`, and the result is `Value`.
pub fn write_success(value: &Value) -> Vec<u8> {
    write_success_with(|writer| value.write(writer))
}

/// The reply to a call that succeeded, with a result that writes itself: exactly one value.
pub fn write_success_with(write: impl FnOnce(&mut dyn Writer)) -> Vec<u8> {
    envelope("Success", "Value", |writer| write(writer))
}

/// The reply to a call that was refused: `Status` is `Failure`, and the error is `ErrorDescription`.
pub fn write_failure(failure: &Failure) -> Vec<u8> {
    envelope("Failure", "ErrorDescription", |writer| {
        writer.begin_array();
        for part in failure.description() {
            writer.text(part);
        }
        writer.end_array();
    })
}

fn envelope(status: &str, member: &str, write: impl FnOnce(&mut XmlWriter)) -> Vec<u8> {
    let mut writer = XmlWriter::new();
    begin_envelope(&mut writer, status, member);
    write(&mut writer);
    end_envelope(&mut writer);
    writer.into_bytes()
}

pub(super) fn begin_envelope(writer: &mut XmlWriter, status: &str, member: &str) {
    for part in [DECLARATION, RESPONSE, ENVELOPE, status.as_bytes(), b"</value></member>"] {
        writer.raw(part);
    }
    writer.member(member);
}

pub(super) fn end_envelope(writer: &mut XmlWriter) {
    writer.raw(ENVELOPE_END);
    writer.raw(RESPONSE_END);
}

/// A reply without the envelope of status and value, which only `system.listMethods` and its kind send.
pub fn write_bare(value: &Value) -> Vec<u8> {
    let mut writer = XmlWriter::new();
    writer.raw(DECLARATION);
    writer.raw(RESPONSE);
    value.write(&mut writer);
    writer.raw(RESPONSE_END);
    writer.into_bytes()
}

/// A call, in the form that every release of xapi takes: integers and strings untyped.
pub fn write_call(call: &RawCall) -> Vec<u8> {
    let mut writer = XmlWriter::new();
    writer.raw(DECLARATION);
    writer.raw(b"<methodCall><methodName>");
    escape(&call.method, &mut writer.out);
    writer.raw(b"</methodName><params>");
    for param in &call.params {
        writer.raw(b"<param>");
        param.write(&mut writer);
        writer.raw(b"</param>");
    }
    writer.raw(b"</params></methodCall>");
    writer.into_bytes()
}

/// A lone `<value>…</value>`, which is how a task keeps its result.
pub fn write_value_text(value: &Value) -> String {
    let mut writer = XmlWriter::new();
    value.write(&mut writer);
    writer.into_string()
}
