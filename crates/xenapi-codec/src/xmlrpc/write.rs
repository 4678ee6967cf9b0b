//! Values, calls and replies to bytes, as xapi writes them: on one line, integers untyped.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use xenapi_core::{DateTime, Failure, RawCall, Value, Wire, Writer};

use super::block::{BLOCK, first_special, specials_in};
use crate::scalar::{encode_base64, write_date_time, write_double, write_int};

const DECLARATION: &[u8] = br#"<?xml version="1.0"?>"#;
const RESPONSE: &[u8] = b"<methodResponse><params><param>";
const RESPONSE_END: &[u8] = b"</param></params></methodResponse>";
const ENVELOPE: &[u8] = b"<value><struct><member><name>Status</name><value>";
/// Between a name and its value.
const NAMED: &[u8] = b"</name><value>";
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

    /// A writer into a buffer that was used before. What it holds goes; its memory stays, so that nothing is allocated where
    /// that is enough.
    pub fn reusing(mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        XmlWriter { out: buffer, open: Vec::new() }
    }

    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// What was written and not yet taken.
    pub fn bytes(&self) -> &[u8] {
        &self.out
    }

    /// Hands what was written to `sink`, and forgets it. Called now and then, the document is never held whole; it may be called
    /// wherever a value may begin or has ended.
    pub fn drain<T>(&mut self, sink: impl FnOnce(&[u8]) -> T) -> T {
        let result = sink(&self.out);
        self.out.clear();
        result
    }

    /// Opens the reply to a call that succeeds. Its result follows, then [`XmlWriter::end_success`].
    ///
    /// ```
    /// use xenapi_codec::xmlrpc::{XmlWriter, write_success};
    /// use xenapi_core::{Value, Writer};
    ///
    /// let mut sent = Vec::new();
    /// let mut writer = XmlWriter::new();
    /// writer.begin_success();
    /// writer.begin_array();
    /// for name in ["a", "b"] {
    ///     writer.text(name);
    ///     writer.drain(|bytes| sent.extend_from_slice(bytes));
    /// }
    /// writer.end_array();
    /// writer.end_success();
    /// writer.drain(|bytes| sent.extend_from_slice(bytes));
    /// assert_eq!(sent, write_success(&Value::Array(vec!["a".into(), "b".into()])));
    /// ```
    pub fn begin_success(&mut self) {
        self.begin_envelope("Success", "Value");
    }

    /// Closes the reply that [`XmlWriter::begin_success`] opened.
    pub fn end_success(&mut self) {
        self.raw(ENVELOPE_END);
        self.raw(RESPONSE_END);
    }

    /// Writes a value that another writer has written: exactly one, which nobody checks.
    ///
    /// ```
    /// use xenapi_codec::xmlrpc::XmlWriter;
    /// use xenapi_core::Writer;
    ///
    /// let mut value = XmlWriter::new();
    /// value.text("kept");
    /// let mut writer = XmlWriter::new();
    /// writer.begin_struct();
    /// writer.member("name");
    /// writer.encoded(value.bytes());
    /// writer.end_struct();
    /// let all = "<value><struct><member><name>name</name><value>kept</value></member></struct></value>";
    /// assert_eq!(writer.into_string(), all);
    /// ```
    pub fn encoded(&mut self, value: &[u8]) {
        // The value of a member was opened with its name.
        let opened = if self.open.last() == Some(&true) { value.strip_prefix(b"<value>") } else { None };
        self.raw(opened.unwrap_or(value));
        if self.open.last() == Some(&true) {
            self.raw(b"</member>");
        }
    }

    fn begin_envelope(&mut self, status: &str, member: &str) {
        for part in [DECLARATION, RESPONSE, ENVELOPE, status.as_bytes(), b"</value></member>"] {
            self.raw(part);
        }
        for part in ["<member><name>", member, "</name>"] {
            self.raw(part.as_bytes());
        }
    }

    /// What was written, as text.
    pub fn into_string(self) -> String {
        // Only whole characters are ever dropped or added, so nothing can be lost here.
        String::from_utf8(self.out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    #[inline]
    fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Opens a value. That of a member was opened with its name.
    #[inline]
    fn begin_value(&mut self) {
        if self.open.last() != Some(&true) {
            self.raw(b"<value>");
        }
    }

    /// After a whole value: closes it, and the member it belongs to.
    #[inline]
    fn end_value(&mut self) {
        if self.open.last() == Some(&true) {
            self.raw(b"</value></member>");
        } else {
            self.raw(b"</value>");
        }
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
        self.begin_value();
        escape(text, &mut self.out);
        self.end_value();
    }

    fn int(&mut self, number: i64) {
        self.begin_value();
        write_int(number, &mut self.out);
        self.end_value();
    }

    fn int32(&mut self, number: i32) {
        self.begin_value();
        self.raw(b"<i4>");
        write_int(number.into(), &mut self.out);
        self.raw(b"</i4>");
        self.end_value();
    }

    fn bool(&mut self, truth: bool) {
        self.begin_value();
        self.raw(if truth { b"<boolean>1</boolean>" } else { b"<boolean>0</boolean>" });
        self.end_value();
    }

    fn double(&mut self, number: f64) {
        self.begin_value();
        self.raw(b"<double>");
        write_double(number, &mut self.out);
        self.raw(b"</double>");
        self.end_value();
    }

    fn date_time(&mut self, time: &DateTime) {
        self.begin_value();
        self.raw(b"<dateTime.iso8601>");
        write_date_time(time, &mut self.out);
        self.raw(b"</dateTime.iso8601>");
        self.end_value();
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.begin_value();
        self.raw(b"<base64>");
        encode_base64(bytes, &mut self.out);
        self.raw(b"</base64>");
        self.end_value();
    }

    fn nil(&mut self) {
        self.begin_value();
        self.raw(b"<nil/>");
        self.end_value();
    }

    fn begin_array(&mut self) {
        self.begin_value();
        self.raw(b"<array><data>");
        self.open.push(false);
    }

    fn end_array(&mut self) {
        self.end_container(b"</data></array>");
    }

    fn begin_struct(&mut self) {
        self.begin_value();
        self.raw(b"<struct>");
        self.open.push(true);
    }

    fn member(&mut self, name: &str) {
        self.raw(b"<member><name>");
        escape_name(name, &mut self.out);
        self.raw(NAMED);
    }

    fn field(&mut self, name: &'static str) {
        self.raw(b"<member><name>");
        self.raw(name.as_bytes());
        self.raw(NAMED);
    }

    fn text_member(&mut self, name: &str, text: &str) {
        self.raw(b"<member><name>");
        escape_name(name, &mut self.out);
        self.raw(NAMED);
        escape(text, &mut self.out);
        self.raw(b"</value></member>");
    }

    fn end_struct(&mut self) {
        self.end_container(b"</struct>");
    }
}

/// Whether a byte may have to be written as something else: `&`, `"`, `<`, `>` or a control character (some of which are not).
#[inline(always)]
fn is_special(byte: u8) -> bool {
    (byte < b' ') | (byte | 4 == b'&') | (byte | 2 == b'>')
}

/// Whether all of a text stands for itself, which holds for nearly all texts. Looks at many bytes at a time; the last ones may be
/// looked at twice.
#[inline]
fn all_plain(bytes: &[u8]) -> bool {
    let has_special = |block: &[u8; BLOCK]| first_special(block).is_some();
    if let Some(last) = bytes.last_chunk::<BLOCK>() {
        return !bytes.as_chunks::<BLOCK>().0.iter().any(has_special) && !has_special(last);
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        return specials_in(u64::from_le_bytes(*first)) | specials_in(u64::from_le_bytes(*last)) == 0;
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        return specials_in(u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))) == 0;
    }
    !bytes.iter().any(|byte| is_special(*byte))
}

/// Text as xapi escapes it: four entities, control characters dropped.
#[inline]
fn escape(text: &str, out: &mut Vec<u8>) {
    if all_plain(text.as_bytes()) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    escape_special(text.as_bytes(), out);
}

/// The name of a member. xapi escapes nothing here, so only what no reader could make sense of is changed.
#[inline]
fn escape_name(name: &str, out: &mut Vec<u8>) {
    if all_plain(name.as_bytes()) {
        return out.extend_from_slice(name.as_bytes());
    }
    for byte in name.bytes() {
        match byte {
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            // XML forbids the end of a section that was never begun, and Python for one insists on that.
            b'>' if out.ends_with(b"]]") => out.extend_from_slice(b"&gt;"),
            0x00..=0x08 | 0x0b | 0x0c | 0x0e..=0x1f => {}
            _ => out.push(byte),
        }
    }
}

/// What stands for each byte below `@` that may be special, and in the last byte its length.
const INSTEAD: [[u8; 8]; 64] = {
    let mut all = [[0; 8]; 64];
    all[b'\t' as usize] = *b"\t\0\0\0\0\0\0\x01";
    all[b'\n' as usize] = *b"\n\0\0\0\0\0\0\x01";
    all[b'\r' as usize] = *b"\r\0\0\0\0\0\0\x01";
    all[b'&' as usize] = *b"&amp;\0\0\x05";
    all[b'<' as usize] = *b"&lt;\0\0\0\x04";
    all[b'>' as usize] = *b"&gt;\0\0\0\x04";
    all[b'"' as usize] = *b"&quot;\0\x06";
    all
};

/// Text in which something is to be escaped, by so many bytes at a time. What is made of them is gathered, because a text like that
/// of `recommendations` has something to escape every few bytes, and small pieces are dear to append one by one.
#[inline(never)]
fn escape_special(mut rest: &[u8], out: &mut Vec<u8>) {
    const ENOUGH: usize = 480;
    let mut gathered = [0; ENOUGH + 2 * BLOCK];
    let mut filled = 0;
    while let Some((block, behind)) = rest.split_first_chunk::<BLOCK>() {
        if filled > ENOUGH {
            out.extend_from_slice(gathered.get(..filled).unwrap_or_default());
            filled = 0;
        }
        let Some(room) = gathered.get_mut(filled..).and_then(<[u8]>::first_chunk_mut::<{ BLOCK + 8 }>) else { break };
        room[..BLOCK].copy_from_slice(block);
        let Some(plain) = first_special(block) else {
            filled += BLOCK;
            rest = behind;
            continue;
        };
        let plain = plain % BLOCK;
        let instead = &INSTEAD[usize::from(block[plain] & 63)];
        room[plain..plain + 8].copy_from_slice(instead);
        filled += plain + usize::from(instead[7]);
        rest = rest.get(plain + 1..).unwrap_or_default();
    }
    out.extend_from_slice(gathered.get(..filled).unwrap_or_default());
    for byte in rest {
        if is_special(*byte) {
            let instead = &INSTEAD[usize::from(byte & 63)];
            out.extend_from_slice(instead.get(..usize::from(instead[7])).unwrap_or_default());
        } else {
            out.push(*byte);
        }
    }
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
    writer.begin_envelope(status, member);
    write(&mut writer);
    writer.end_success();
    writer.into_bytes()
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

/// The reply to `get_all_records` in chunks of about that many bytes, made one after the other as they are asked for: what is
/// held is one chunk and one record, however many there are.
///
/// ```
/// use xenapi_codec::xmlrpc::{success_in_chunks, write_success};
/// use xenapi_core::{Struct, Value};
///
/// let records = || [("OpaqueRef:1", Value::from("a")), ("OpaqueRef:2", Value::from("b"))];
/// let sent: Vec<u8> = success_in_chunks(records(), 100).flatten().collect();
/// assert_eq!(sent, write_success(&Value::Struct(records().into_iter().collect::<Struct>())));
/// ```
pub fn success_in_chunks<N: AsRef<str>, T: Wire>(
    records: impl IntoIterator<Item = (N, T)>,
    size: usize,
) -> impl Iterator<Item = Vec<u8>> {
    let mut writer = XmlWriter::new();
    writer.begin_success();
    writer.begin_struct();
    let mut records = records.into_iter();
    let mut is_done = false;
    core::iter::from_fn(move || {
        while !is_done && writer.out.len() < size {
            match records.next() {
                Some((name, record)) => {
                    writer.member(name.as_ref());
                    record.write(&mut writer);
                }
                None => {
                    writer.end_struct();
                    writer.end_success();
                    is_done = true;
                }
            }
        }
        (!writer.out.is_empty()).then(|| core::mem::take(&mut writer.out))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One byte after the other, as the rule says.
    fn plainly(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        for byte in text.bytes() {
            match byte {
                b'&' => out.extend_from_slice(b"&amp;"),
                b'<' => out.extend_from_slice(b"&lt;"),
                b'>' => out.extend_from_slice(b"&gt;"),
                b'"' => out.extend_from_slice(b"&quot;"),
                0x00..=0x08 | 0x0b | 0x0c | 0x0e..=0x1f => {}
                _ => out.push(byte),
            }
        }
        out
    }

    #[test]
    fn text_is_escaped_by_words_as_by_bytes() {
        for length in 1..40 {
            for at in 0..length {
                for special in ["<", "&", "\"", ">", "\u{1}", "\n", "\u{7f}", "é"] {
                    let text = ["a".repeat(at).as_str(), special, &"z".repeat(length - at - 1)].concat();
                    let mut out = Vec::new();
                    escape(&text, &mut out);
                    assert_eq!(out, plainly(&text), "{text:?}");
                }
            }
        }
        let ascii: String = (0..128_u8).map(char::from).collect();
        for special in ["<", "\"", "\u{1}", "\t", "&>", "\u{7f}&", "é<", "'%;=?", &ascii] {
            for before in 0..20 {
                for behind in [0, 1, 7, 8, 9, 250] {
                    let text = ["a".repeat(before), special.repeat(3), "ü".repeat(behind), special.repeat(70)].concat();
                    let mut out = Vec::new();
                    escape(&text, &mut out);
                    assert_eq!(out, plainly(&text), "{text:?}");
                }
            }
        }
    }
}
