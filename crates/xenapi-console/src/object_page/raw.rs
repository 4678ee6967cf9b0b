//! A record as it is: as JSON, and as it goes over the wire.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_codec::xmlrpc;
use xenapi_core::{ClassDesc, Type, Value};

use super::fields::without_secrets;

/// In which form a record is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Form {
    /// JSON, with numbers where the schema has them.
    #[default]
    Json,
    /// XML-RPC, as the server sends it.
    Xml,
}

impl Form {
    /// Its word in addresses.
    pub const fn word(self) -> &'static str {
        match self {
            Form::Json => "json",
            Form::Xml => "xml",
        }
    }

    /// The form of that word.
    pub fn from_word(word: &str) -> Form {
        if word == "xml" { Form::Xml } else { Form::Json }
    }
}

/// A record as text. Secrets are left out.
pub fn text(class: &'static ClassDesc, record: &Value, form: Form) -> String {
    let record = without_secrets(class, record);
    match form {
        Form::Json => json(class, &record),
        Form::Xml => indented(&xmlrpc::write_value_text(&record)),
    }
}

fn json(class: &'static ClassDesc, record: &Value) -> String {
    let Some(members) = record.as_struct() else { return json_value(record, None, 0) };
    if members.is_empty() {
        return "{}".into();
    }
    let line = |(name, value): (&str, &Value)| {
        let ty = class.field(name).map(|field| &field.ty);
        format!("  {}: {}", quoted(name), json_value(value, ty, 1))
    };
    let lines: Vec<String> = members.iter().map(line).collect();
    format!("{{\n{}\n}}", lines.join(",\n"))
}

fn json_value(value: &Value, ty: Option<&Type>, depth: usize) -> String {
    let inner = "  ".repeat(depth + 1);
    let outer = "  ".repeat(depth);
    match (value, ty) {
        (Value::Text(text), Some(Type::Int)) => value.as_int().map_or_else(|| quoted(text), |number| number.to_string()),
        (Value::Text(text), _) => quoted(text),
        (Value::Int(number), _) => number.to_string(),
        (Value::Int32(number), _) => number.to_string(),
        (Value::Bool(truth), _) => truth.to_string(),
        // JSON knows no infinity.
        (Value::Double(number), _) if number.is_finite() => format!("{number:?}"),
        (Value::Double(number), _) => quoted(&number.to_string()),
        (Value::DateTime(time), _) => quoted(&time.to_string()),
        (Value::Bytes(bytes), _) => quoted(&format!("{} bytes", bytes.len())),
        (Value::Nil, _) => "null".into(),
        (Value::Array(items), _) if items.is_empty() => "[]".into(),
        (Value::Struct(members), _) if members.is_empty() => "{}".into(),
        (Value::Array(items), ty) => {
            let of = if let Some(Type::Set(of)) = ty { Some(*of) } else { None };
            let lines: Vec<String> = items.iter().map(|it| format!("{inner}{}", json_value(it, of, depth + 1))).collect();
            format!("[\n{}\n{outer}]", lines.join(",\n"))
        }
        (Value::Struct(members), ty) => {
            let of = if let Some(Type::Map(_, of)) = ty { Some(*of) } else { None };
            let line =
                |(name, value): (&str, &Value)| format!("{inner}{}: {}", quoted(name), json_value(value, of, depth + 1));
            let lines: Vec<String> = members.iter().map(line).collect();
            format!("{{\n{}\n{outer}}}", lines.join(",\n"))
        }
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if u32::from(control) < 0x20 => quoted.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// The same XML with a line for each member. Nothing is changed but the space between tags, of which XML-RPC takes no notice.
fn indented(xml: &str) -> String {
    const OPEN: [&str; 4] = ["<struct>", "<member>", "<array>", "<data>"];
    const CLOSE: [&str; 4] = ["</struct>", "</member>", "</array>", "</data>"];
    let mut text = String::with_capacity(xml.len() * 2);
    let mut depth = 0_usize;
    let mut rest = xml;
    let newline = |text: &mut String, depth: usize| {
        text.push('\n');
        (0..depth).for_each(|_| text.push_str("  "));
    };
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find('>').map_or(rest.len(), |end| end + 1);
        let tag = &rest[..end];
        rest = &rest[end..];
        if CLOSE.contains(&tag) {
            depth = depth.saturating_sub(1);
            if !text.ends_with('>') || !OPEN.iter().any(|open| text.ends_with(open)) {
                newline(&mut text, depth);
            }
        } else if is_line(&text, tag) {
            newline(&mut text, depth);
        }
        text.push_str(tag);
        if OPEN.contains(&tag) {
            depth += 1;
            if tag == "<member>" && rest.starts_with("<name>") {
                newline(&mut text, depth);
            }
        }
    }
    text.push_str(rest);
    text
}

/// Whether a tag begins a line: a member, an array's content, one of its values.
fn is_line(before: &str, tag: &str) -> bool {
    let value_of_array = tag == "<value>" && before.ends_with("</value>");
    value_of_array || matches!(tag, "<member>" | "<data>") || before.ends_with("<data>")
}
