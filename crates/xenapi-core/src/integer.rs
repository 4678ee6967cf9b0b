//! The text of integers. XenAPI sends them as untyped text, and xapi reads that text with OCaml's library.

/// Reads an integer as OCaml's `Int64.of_string` does: a sign, a base (`0x`, `0o`, `0b`, or `0u` for unsigned decimal), and
/// digits with `_` between them. Numbers with a base take all 64 bits, so that `0xffffffffffffffff` is -1.
pub fn parse_int(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let (negative, rest) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, bytes),
    };
    let (base, digits, unsigned) = match rest {
        [b'0', b'x' | b'X', digits @ ..] => (16, digits, true),
        [b'0', b'o' | b'O', digits @ ..] => (8, digits, true),
        [b'0', b'b' | b'B', digits @ ..] => (2, digits, true),
        [b'0', b'u' | b'U', digits @ ..] => (10, digits, true),
        _ => (10, rest, false),
    };
    let magnitude = parse_digits(digits, base)?;
    let largest = match (unsigned, negative) {
        (true, _) => u64::MAX,
        (false, true) => i64::MIN.unsigned_abs(),
        (false, false) => i64::MAX.unsigned_abs(),
    };
    let number = magnitude.cast_signed();
    (magnitude <= largest).then(|| if negative { number.wrapping_neg() } else { number })
}

fn parse_digits(digits: &[u8], base: u32) -> Option<u64> {
    if !digits.first().is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let mut number: u64 = 0;
    for byte in digits.iter().filter(|byte| **byte != b'_') {
        let digit = char::from(*byte).to_digit(base)?;
        number = number.checked_mul(u64::from(base))?.checked_add(u64::from(digit))?;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_ocaml_reads_them() {
        for (text, number) in [
            ("0", Some(0)),
            ("-5", Some(-5)),
            ("+5", Some(5)),
            ("007", Some(7)),
            ("1_000_", Some(1000)),
            ("0x1f", Some(31)),
            ("0X1F", Some(31)),
            ("-0x10", Some(-16)),
            ("0o17", Some(15)),
            ("0b101", Some(5)),
            ("0u42", Some(42)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("-9223372036854775809", None),
            ("0xffffffffffffffff", Some(-1)),
            ("0u18446744073709551615", Some(-1)),
            ("0x10000000000000000", None),
            ("", None),
            ("-", None),
            ("_1", None),
            ("0x", None),
            ("0x_1", None),
            (" 5", None),
            ("5 ", None),
            ("5.0", None),
            ("0b2", None),
            ("٣", None),
        ] {
            assert_eq!(parse_int(text), number, "{text:?}");
        }
    }
}
