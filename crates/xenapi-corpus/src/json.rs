//! The same content as JSON, for a comparison with JSON parsers.

use xenapi_core::{DateTime, Value, Wire, Writer};

/// The reply to a call that succeeded, as JSON-RPC 2.0.
pub fn json_reply(result: &Value) -> Vec<u8> {
    let mut out = br#"{"jsonrpc":"2.0","result":"#.to_vec();
    out.extend_from_slice(&json_text(result));
    out.extend_from_slice(br#","id":1}"#);
    out
}

/// The value alone.
pub fn json_text(value: &Value) -> Vec<u8> {
    let mut writer = JsonWriter { out: Vec::new(), open: Vec::new(), after_name: false };
    value.write(&mut writer);
    writer.out
}

struct JsonWriter {
    out: Vec<u8>,
    /// For each open container whether it holds something already.
    open: Vec<bool>,
    after_name: bool,
}

impl JsonWriter {
    /// What has to stand before a value or a name.
    fn separate(&mut self) {
        if std::mem::take(&mut self.after_name) {
            return;
        }
        if let Some(filled) = self.open.last_mut()
            && std::mem::replace(filled, true)
        {
            self.out.push(b',');
        }
    }

    fn put(&mut self, text: &str) {
        self.separate();
        self.out.extend_from_slice(text.as_bytes());
    }

    fn quoted(&mut self, text: &str) {
        self.separate();
        self.out.push(b'"');
        for byte in text.bytes() {
            match byte {
                b'"' => self.out.extend_from_slice(b"\\\""),
                b'\\' => self.out.extend_from_slice(b"\\\\"),
                b'\n' => self.out.extend_from_slice(b"\\n"),
                0..0x20 => self.out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
                _ => self.out.push(byte),
            }
        }
        self.out.push(b'"');
    }

    fn begin(&mut self, with: u8) {
        self.separate();
        self.out.push(with);
        self.open.push(false);
    }

    fn end(&mut self, with: u8) {
        self.open.pop();
        self.out.push(with);
    }
}

impl Writer for JsonWriter {
    fn text(&mut self, text: &str) {
        self.quoted(text);
    }
    fn int(&mut self, number: i64) {
        self.put(&number.to_string());
    }
    fn int32(&mut self, number: i32) {
        self.put(&number.to_string());
    }
    fn bool(&mut self, truth: bool) {
        self.put(if truth { "true" } else { "false" });
    }
    fn double(&mut self, number: f64) {
        self.put(&format!("{number:?}"));
    }
    fn date_time(&mut self, time: &DateTime) {
        self.quoted(&time.to_string());
    }
    fn bytes(&mut self, bytes: &[u8]) {
        self.begin(b'[');
        for byte in bytes {
            self.put(&byte.to_string());
        }
        self.end(b']');
    }
    fn nil(&mut self) {
        self.put("null");
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
        self.quoted(name);
        self.out.push(b':');
        self.after_name = true;
    }
    fn end_struct(&mut self) {
        self.end(b'}');
    }
}
