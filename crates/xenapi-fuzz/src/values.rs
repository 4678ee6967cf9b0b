//! Values made from bytes.

use arbitrary::{Result, Unstructured};
use xenapi_core::{DateTime, Failure, RawCall, Struct, Value};

/// The most arrays and structs inside each other that are made.
const DEPTH: usize = 6;

/// Text with many of the characters that matter to a codec.
pub(crate) fn text(u: &mut Unstructured<'_>) -> Result<String> {
    const SPECIAL: [char; 20] = [
        '<',
        '>',
        '&',
        '"',
        '\'',
        ']',
        ';',
        '#',
        ' ',
        '\t',
        '\n',
        '\r',
        '\\',
        '\0',
        '\u{7f}',
        '\u{85}',
        '\u{fffe}',
        '\u{feff}',
        '\u{1f600}',
        '/',
    ];
    let length = if u.ratio(1, 20)? { u.int_in_range(0..=300)? } else { u.int_in_range(0..=12)? };
    (0..length)
        .map(|_| match u.int_in_range(0..=3)? {
            0 => u.choose(&SPECIAL).copied(),
            1 => u.arbitrary::<char>(),
            _ => Ok(char::from(u.int_in_range(b' '..=b'~')?)),
        })
        .collect()
}

pub(crate) fn name(u: &mut Unstructured<'_>) -> Result<String> {
    let name = text(u)?;
    // xapi refuses empty names in calls, so a name must not become empty on the way.
    Ok(if plain(&name).is_empty() { "n".into() } else { name })
}

pub(crate) fn value(u: &mut Unstructured<'_>) -> Result<Value> {
    value_within(u, DEPTH)
}

fn value_within(u: &mut Unstructured<'_>, depth: usize) -> Result<Value> {
    let kinds = if depth == 0 { 7 } else { 9 };
    Ok(match u.int_in_range(0..=kinds)? {
        0 | 1 => Value::Text(text(u)?),
        2 => Value::Int32(u.arbitrary()?),
        3 => Value::Bool(u.arbitrary()?),
        4 => double(u)?,
        5 => DateTime::from_unix(u.int_in_range(-60_000_000_000..=250_000_000_000)?).into(),
        6 => Value::Bytes(u.arbitrary()?),
        7 => Value::Nil,
        8 => {
            let count = u.int_in_range(0..=6)?;
            Value::Array((0..count).map(|_| value_within(u, depth - 1)).collect::<Result<_>>()?)
        }
        _ => {
            let count = u.int_in_range(0..=6)?;
            let members = (0..count).map(|_| Ok((name(u)?, value_within(u, depth - 1)?)));
            Value::Struct(members.collect::<Result<Struct>>()?)
        }
    })
}

/// Doubles of at most fifteen digits, since sixteen do not always come back, and the ones that are no numbers.
fn double(u: &mut Unstructured<'_>) -> Result<Value> {
    let digits = u.int_in_range(-1_000_000_000_000_000_i64..=1_000_000_000_000_000)?;
    let exponent = u.int_in_range(-300_i32..=290)?;
    Ok(Value::Double(match u.int_in_range(0..=9)? {
        0 => f64::INFINITY,
        1 => f64::NEG_INFINITY,
        _ => format!("{digits}e{exponent}").parse().unwrap_or(0.0),
    }))
}

pub(crate) fn call(u: &mut Unstructured<'_>) -> Result<RawCall> {
    let count = u.int_in_range(0..=4)?;
    Ok(RawCall { method: name(u)?, params: (0..count).map(|_| value(u)).collect::<Result<_>>()? })
}

pub(crate) fn failure(u: &mut Unstructured<'_>) -> Result<Failure> {
    let count = u.int_in_range(0..=4)?;
    Ok(Failure { code: text(u)?, params: (0..count).map(|_| text(u)).collect::<Result<_>>()? })
}

/// Text as XML carries it: without control characters, and with line feeds for all ends of lines.
pub(crate) fn plain(text: &str) -> String {
    let kept: String = text.chars().filter(|c| *c >= ' ' || matches!(c, '\t' | '\n' | '\r')).collect();
    kept.replace("\r\n", "\n").replace('\r', "\n")
}

/// A value as XML carries it.
pub(crate) fn plain_value(value: Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(plain(&text)),
        Value::Int(number) => Value::Text(number.to_string()),
        Value::Array(items) => Value::Array(items.into_iter().map(plain_value).collect()),
        Value::Struct(members) => {
            Value::Struct(members.into_iter().map(|(name, value)| (plain(&name), plain_value(value))).collect())
        }
        other => other,
    }
}
