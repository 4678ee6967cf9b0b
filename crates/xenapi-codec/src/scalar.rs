//! The text of numbers and bytes, as OCaml's library reads and writes it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Reads a double as OCaml's `float_of_string` does, but for hexadecimal: leading blanks and `_` are passed over.
pub(crate) fn parse_double(text: &str) -> Option<f64> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\r']);
    if text.contains('_') { text.replace('_', "").parse().ok() } else { text.parse().ok() }
}

/// Writes a double as C's `%.16g` does.
pub(crate) fn format_double(number: f64) -> String {
    if number.is_nan() {
        return "nan".into();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf".into() } else { "-inf".into() };
    }
    format_general(number, 16)
}

/// Writes a finite double as C's `%g` does with that many digits.
pub(crate) fn format_general(number: f64, digits: usize) -> String {
    let scientific = format!("{number:.0$e}", digits - 1);
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: isize = exponent.parse().unwrap_or(0);
    if (-4..digits.cast_signed()).contains(&exponent) {
        let decimals = (digits.cast_signed() - 1 - exponent).unsigned_abs();
        return trim_zeros(&format!("{number:.decimals$}")).into();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trim_zeros(mantissa), exponent.unsigned_abs())
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
