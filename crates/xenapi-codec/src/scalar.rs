//! The text of numbers and bytes, as OCaml's library reads and writes it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use xenapi_core::{DateTime, Zone};

/// Reads a double as OCaml's `float_of_string` does, but for hexadecimal: leading blanks and `_` are passed over.
pub(crate) fn parse_double(text: &str) -> Option<f64> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\r']);
    if text.contains('_') { xenapi_core::parse_double(&text.replace('_', "")) } else { xenapi_core::parse_double(text) }
}

/// Writes a double as C's `%.16g` does.
#[cfg(test)]
fn format_double(number: f64) -> String {
    let mut out = Vec::new();
    write_double(number, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Writes a double as C's `%.16g` does.
pub(crate) fn write_double(number: f64, out: &mut Vec<u8>) {
    #[allow(clippy::cast_possible_truncation, reason = "those that would be cut are not equal afterwards")]
    let whole = number as i64;
    if number.is_nan() {
        out.extend_from_slice(b"nan");
    } else if number.is_infinite() {
        out.extend_from_slice(if number > 0.0 { b"inf" } else { b"-inf" });
    } else if whole.unsigned_abs() < 1_000_000_000_000_000 && number.to_bits() == (whole as f64).to_bits() {
        // Most of what the API sends, and written in no time.
        write_int(whole, out);
    } else {
        write_general(number, 16, out);
    }
}

/// Writes a finite double as C's `%g` does with that many digits.
pub(crate) fn format_general(number: f64, digits: usize) -> String {
    let mut out = Vec::new();
    write_general(number, digits, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn write_general(number: f64, digits: usize, out: &mut Vec<u8>) {
    let mut scientific = Short::default();
    // Nothing of a double with 17 digits is longer than this text may be.
    let _ = write!(scientific, "{number:.0$e}", digits - 1);
    let (mantissa, exponent) = scientific.as_str().split_once('e').unwrap_or((scientific.as_str(), "0"));
    let exponent: isize = exponent.parse().unwrap_or(0);
    if (-4..digits.cast_signed()).contains(&exponent) {
        let decimals = (digits.cast_signed() - 1 - exponent).unsigned_abs();
        let mut plain = Short::default();
        let _ = write!(plain, "{number:.decimals$}");
        out.extend_from_slice(trim_zeros(plain.as_str()).as_bytes());
        return;
    }
    out.extend_from_slice(trim_zeros(mantissa).as_bytes());
    out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
    if exponent.unsigned_abs() < 10 {
        out.push(b'0');
    }
    write_int(i64::try_from(exponent.unsigned_abs()).unwrap_or(0), out);
}

/// A short text that needs no memory of its own.
struct Short {
    bytes: [u8; 48],
    length: usize,
}

impl Default for Short {
    fn default() -> Self {
        Short { bytes: [0; 48], length: 0 }
    }
}

impl Short {
    fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// Writes an integer in decimal.
pub(crate) fn write_int(number: i64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = number.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

/// Writes a point in time as xapi does.
pub(crate) fn write_date_time(time: &DateTime, out: &mut Vec<u8>) {
    let (year, month, day, hour, minute, second) = time.civil();
    let (Ok(year), Zone::Utc) = (u32::try_from(year), time.zone()) else {
        return write_any_date_time(time, out);
    };
    if year > 9999 {
        return write_any_date_time(time, out);
    }
    let mut text = *b"00000000T00:00:00Z";
    for (at, two) in [(0, year / 100), (2, year % 100), (4, month), (6, day), (9, hour), (12, minute), (15, second)] {
        text[at] += (two / 10) as u8;
        text[at + 1] += (two % 10) as u8;
    }
    out.extend_from_slice(&text);
}

#[cold]
fn write_any_date_time(time: &DateTime, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{time}").as_bytes());
}

fn trim_zeros(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Writes base64 with padding, on one line.
pub(crate) fn encode_base64(bytes: &[u8], out: &mut Vec<u8>) {
    for group in bytes.chunks(3) {
        let (b0, b1, b2) = (group[0], group.get(1).copied(), group.get(2).copied());
        let bits = u32::from(b0) << 16 | u32::from(b1.unwrap_or(0)) << 8 | u32::from(b2.unwrap_or(0));
        let digit = |shift: u32| ALPHABET[(bits >> shift & 63) as usize];
        out.extend([digit(18), digit(12)]);
        out.push(if b1.is_some() { digit(6) } else { b'=' });
        out.push(if b2.is_some() { digit(0) } else { b'=' });
    }
}

/// Reads base64 with padding. It may stand in several lines, and these may be indented: Python and others write lines of 76
/// digits. A blank within a line is an error, as it is to xapi.
pub(crate) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    if !text.contains(['\r', '\n']) {
        return decode_digits(text.as_bytes());
    }
    let mut digits = Vec::with_capacity(text.len());
    for line in text.split(['\r', '\n']) {
        digits.extend_from_slice(line.trim_matches([' ', '\t']).as_bytes());
    }
    decode_digits(&digits)
}

fn decode_digits(bytes: &[u8]) -> Option<Vec<u8>> {
    if !bytes.len().is_multiple_of(4) {
        return None;
    }
    let padding = bytes.iter().rev().take(2).take_while(|byte| **byte == b'=').count();
    let digits = &bytes[..bytes.len() - padding];
    let mut out = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for group in digits.chunks(4) {
        let mut bits: u32 = 0;
        for byte in group {
            bits = bits << 6 | digit_value(*byte)?;
        }
        bits <<= 6 * (4 - group.len());
        out.extend(&bits.to_be_bytes()[1..group.len()]);
    }
    Some(out)
}

fn digit_value(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_written_like_c() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (0.5, "0.5"),
            (0.1, "0.1"),
            (1.0 / 3.0, "0.3333333333333333"),
            (2.0 / 3.0, "0.6666666666666666"),
            (123_456.789, "123456.789"),
            (1e15, "1000000000000000"),
            (1e16, "1e+16"),
            (12_345_678_901_234_567.0, "1.234567890123457e+16"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.5e300, "1.5e+300"),
            (5e-324, "4.940656458412465e-324"),
            (9_999_999_999_999_998.0, "9999999999999998"),
            (0.999_999_999_999_999_99, "1"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
            (-f64::NAN, "nan"),
        ] {
            assert_eq!(format_double(number), text);
        }
    }

    #[test]
    fn doubles_are_read_back() {
        for (text, number) in [("1.5", 1.5), ("-inf", f64::NEG_INFINITY), (" 1_0", 10.0), ("1e5", 100_000.0), ("1.", 1.0)] {
            assert_eq!(parse_double(text), Some(number), "{text}");
        }
        assert!(parse_double("nan").unwrap().is_nan());
        for text in ["", " ", "1.5 ", "x", "1,5"] {
            assert_eq!(parse_double(text), None, "{text:?}");
        }
    }

    #[test]
    fn base64_goes_both_ways() {
        for (bytes, text) in
            [(&b""[..], ""), (b"f", "Zg=="), (b"fo", "Zm8="), (b"foo", "Zm9v"), (b"\xff\xfe\xfd\xfc", "//79/A==")]
        {
            let mut out = Vec::new();
            encode_base64(bytes, &mut out);
            assert_eq!(out, text.as_bytes());
            assert_eq!(decode_base64(text).unwrap(), bytes);
        }
        for text in ["Z", "Zg=", "Zg", "Z===", "Zg= =x", "Z g=", "=Zg=", "Zm9v\x0b", "\nZm 9v\n"] {
            assert_eq!(decode_base64(text), None, "{text:?}");
        }
        for text in ["\nZm9v\n", "Zm\r\n9v", "\r  Zm9v\n\t"] {
            assert_eq!(decode_base64(text).unwrap(), b"foo", "{text:?}");
        }
    }
}
