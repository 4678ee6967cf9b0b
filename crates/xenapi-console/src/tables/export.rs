//! What is shown, for other programs.

use alloc::rc::Rc;
use alloc::string::String;
use core::fmt::Write as _;

use super::columns::Columns;
use super::rows::Row;
use super::spec::Spec;
use super::value::Value;

/// The rows as CSV after RFC 4180, a heading line first: the words of the columns, numbers without units.
///
/// A cell that a spreadsheet would take for a formula gets an apostrophe in front: names of VMs are not code.
pub fn csv<'a>(rows: impl Iterator<Item = &'a Rc<Row>>, columns: &Columns, spec: &Spec) -> String {
    let mut text = String::new();
    for (at, chosen) in columns.0.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(spec.columns[chosen.column].id);
    }
    text.push_str("\r\n");
    for row in rows {
        for (at, chosen) in columns.0.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            quote(&mut text, &row.cells[chosen.column]);
        }
        text.push_str("\r\n");
    }
    text
}

fn quote(text: &mut String, value: &Value) {
    let plain = value.plain();
    let is_number = matches!(value, Value::Count(_) | Value::Bytes(_) | Value::Share(_) | Value::Speed(_) | Value::Span(_));
    let is_formula = !is_number && plain.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let needs_quotes =
        is_formula || plain.contains(['"', ',', '\r', '\n']) || plain.starts_with(' ') || plain.ends_with(' ');
    if !needs_quotes {
        text.push_str(&plain);
        return;
    }
    text.push('"');
    if is_formula {
        text.push('\'');
    }
    text.push_str(&plain.replace('"', "\"\""));
    text.push('"');
}

/// The rows as text with tabs, as spreadsheets paste it: what the cells show, a heading line first.
pub fn tsv<'a>(rows: impl Iterator<Item = &'a Rc<Row>>, columns: &Columns, spec: &Spec) -> String {
    let mut text = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = String>| {
        for (at, cell) in cells.enumerate() {
            if at > 0 {
                text.push('\t');
            }
            let is_formula = cell.starts_with(['=', '+', '-', '@']) && xenapi_core::parse_double(&cell).is_none();
            if is_formula {
                text.push('\'');
            }
            text.push_str(&cell.replace(['\t', '\r', '\n'], " "));
        }
        text.push('\n');
    };
    line(&mut columns.0.iter().map(|chosen| String::from(spec.columns[chosen.column].title.get())));
    for row in rows {
        line(&mut columns.0.iter().map(|chosen| match &row.cells[chosen.column] {
            Value::Nothing | Value::Unknown => String::new(),
            value => value.show().into_owned(),
        }));
    }
    text
}

/// The rows as a JSON array of objects: the uuid, and a member for each column, typed. What is absent or unknown is null.
pub fn json<'a>(rows: impl Iterator<Item = &'a Rc<Row>>, columns: &Columns, spec: &Spec) -> String {
    let mut text = String::from("[");
    for (at, row) in rows.enumerate() {
        text.push_str(if at == 0 { "\n  {" } else { ",\n  {" });
        text.push_str("\"uuid\": ");
        string(&mut text, &row.uuid);
        for chosen in &columns.0 {
            let column = &spec.columns[chosen.column];
            if column.id != "uuid" {
                let _ = write!(text, ", \"{}\": ", column.id);
                value(&mut text, &row.cells[chosen.column], column.id.ends_with('s'));
            }
        }
        text.push('}');
    }
    text.push_str("\n]\n");
    text
}

/// Where several may stand, there is a list even of one.
fn value(text: &mut String, value: &Value, several: bool) {
    match value {
        Value::Nothing | Value::Unknown => text.push_str("null"),
        Value::Count(_) | Value::Bytes(_) | Value::Share(_) | Value::Speed(_) | Value::Span(_) | Value::Truth(_) => {
            text.push_str(&value.plain());
        }
        Value::Links(links) if several || links.len() != 1 => list(text, links.iter().map(|link| link.name.as_str())),
        Value::List(words) => list(text, words.iter().map(String::as_str)),
        _ => string(text, &value.plain()),
    }
}

fn list<'a>(text: &mut String, words: impl Iterator<Item = &'a str>) {
    text.push('[');
    for (at, word) in words.enumerate() {
        if at > 0 {
            text.push_str(", ");
        }
        string(text, word);
    }
    text.push(']');
}

fn string(text: &mut String, value: &str) {
    text.push('"');
    for letter in value.chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            letter if letter.is_control() => {
                let _ = write!(text, "\\u{:04x}", u32::from(letter));
            }
            letter => text.push(letter),
        }
    }
    text.push('"');
}
