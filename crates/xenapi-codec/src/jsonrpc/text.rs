//! Strings and numbers of JSON.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::ReadError;

use crate::scalar::format_general;

/// Where a string ends that begins behind its opening quote, and whether anything in it is escaped.
///
/// # Errors
/// When the string does not end, or holds a control character.
pub(super) fn string_end(text: &str, start: usize) -> Result<(usize, bool), ReadError> {
    let bytes = text.as_bytes();
    let (mut at, mut escaped) = (start, false);
    loop {
        match bytes.get(at) {
            Some(b'"') => return Ok((at, escaped)),
            Some(b'\\') => {
                escaped = true;
                // What is escaped is looked at when the string is unescaped; here only an escaped quote matters.
                at += 2;
            }
            Some(0..=0x1f) => {
                let found = format!("the control character {:#04x}", bytes[at]);
                return Err(ReadError::syntax("a string of JSON", found).at(Some(at as u64)));
            }
            Some(_) => at += 1,
            None => return Err(ReadError::truncated("the end of a string").at(Some(bytes.len() as u64))),
        }
    }
}

/// Resolves the escapes of a string that begins at `start` of the document.
///
/// # Errors
/// When an escape is none of JSON's, or half of a surrogate pair.
pub(super) fn unescape(text: &str, start: usize, end: usize) -> Result<Cow<'_, str>, ReadError> {
    let mut out = String::with_capacity(end - start);
    let mut at = start;
    while let Some(next) = text[at..end].find('\\').map(|found| at + found) {
        out.push_str(&text[at..next]);
        let (c, length) = escape(&text[next..end]).map_err(|error| error.at(Some(next as u64)))?;
        out.push(c);
        at = next + length;
    }
    out.push_str(&text[at..end]);
    Ok(Cow::Owned(out))
}

/// The character that an escape stands for, and the length of the escape.
fn escape(text: &str) -> Result<(char, usize), ReadError> {
    let unknown = || ReadError::syntax("an escape of JSON", text.chars().take(6).collect::<String>());
    Ok(match text.as_bytes().get(1) {
        Some(b'"') => ('"', 2),
        Some(b'\\') => ('\\', 2),
        Some(b'/') => ('/', 2),
        Some(b'b') => ('\u{8}', 2),
        Some(b'f') => ('\u{c}', 2),
        Some(b'n') => ('\n', 2),
        Some(b'r') => ('\r', 2),
        Some(b't') => ('\t', 2),
        Some(b'u') => {
            let unit = unit(text).ok_or_else(unknown)?;
            if let Some(c) = char::from_u32(unit) {
                return Ok((c, 6));
            }
            let low = text.get(6..).and_then(unit_of_escape).filter(|low| (0xdc00..0xe000).contains(low));
            let pair = low.filter(|_| unit < 0xdc00).map(|low| 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
            (
                pair.and_then(char::from_u32)
                    .ok_or_else(|| ReadError::syntax("a surrogate pair", format!("half of one, {unit:#06x}")))?,
                12,
            )
        }
        _ => return Err(unknown()),
    })
}

fn unit_of_escape(text: &str) -> Option<u32> {
    text.starts_with("\\u").then(|| unit(text)).flatten()
}

/// The four hexadecimal digits behind `\u`.
fn unit(text: &str) -> Option<u32> {
    let digits = text.get(2..6)?;
    // `from_str_radix` would take a sign.
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

/// A number: where it ends, and whether it has a point or an exponent.
pub(super) fn number_end(bytes: &[u8], start: usize) -> Option<(usize, bool)> {
    let digits = |mut at: usize| {
        let first = at;
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        (at > first).then_some(at)
    };
    let start = if bytes.get(start) == Some(&b'-') { start + 1 } else { start };
    let mut end = digits(start)?;
    if bytes[start] == b'0' && end > start + 1 {
        return None;
    }
    let mut float = false;
    if bytes.get(end) == Some(&b'.') {
        (end, float) = (digits(end + 1)?, true);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let signed = matches!(bytes.get(end + 1), Some(b'+' | b'-'));
        (end, float) = (digits(end + 1 + usize::from(signed))?, true);
    }
    Some((end, float))
}

/// Writes a string with its quotes, escaped as xapi does it.
pub(super) fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut written = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let instead: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0x08 => b"\\b",
            0x0c => b"\\f",
            0x00..=0x1f | 0x7f => b"\\u00",
            _ => continue,
        };
        out.extend_from_slice(&bytes[written..at]);
        out.extend_from_slice(instead);
        if instead.len() == 4 {
            out.extend([byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)]));
        }
        written = at + 1;
    }
    out.extend_from_slice(&bytes[written..]);
    out.push(b'"');
}

/// A floating point number as xapi writes it: 16 digits where they are enough to read the same number back, else 17; always
/// with a point or an exponent.
pub(super) fn format_double(number: f64) -> String {
    if number.is_nan() {
        return "NaN".into();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity".into() } else { "-Infinity".into() };
    }
    let mut text = format_general(number, 16);
    if text.parse() != Ok(number) {
        text = format_general(number, 17);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        text.push_str(".0");
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn doubles_have_a_point_or_an_exponent() {
        for (number, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1, "0.1"),
            (100.0, "100.0"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1e-5, "1e-05"),
            (0.1 + 0.2, "0.30000000000000004"),
            (5e-324, "4.940656458412465e-324"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(format_double(number), text);
        }
    }

    #[test]
    fn numbers_end_where_json_says() {
        for (text, end) in [
            ("0", Some((1, false))),
            ("-12,", Some((3, false))),
            ("1.5]", Some((3, true))),
            ("1e+16", Some((5, true))),
            ("1E5", Some((3, true))),
            ("01", None),
            ("-", None),
            ("1.", None),
            ("1e", None),
            (".5", None),
            ("+1", None),
        ] {
            assert_eq!(number_end(text.as_bytes(), 0), end, "{text}");
        }
    }

    #[test]
    fn escapes_are_resolved() {
        let text = r#"a\"\\\/\b\f\n\r\té\ud83d\ude00z"#;
        assert_eq!(unescape(text, 0, text.len()).unwrap(), "a\"\\/\u{8}\u{c}\n\r\té😀z");
        for text in [r"\x", r"\u12", r"\u12g4", r"\u+123", r"\ud83d", r"\ud83dA", r"\ud83d\ud83d", r"\udc00\ud800"] {
            let error = unescape(text, 0, text.len()).unwrap_err();
            assert_eq!(error.offset(), Some(0), "{text}: {error}");
        }
    }
}
