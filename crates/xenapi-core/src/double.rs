//! Doubles from their text.

/// Reads a decimal double, to the nearest that there is: digits with or without a point and an exponent, `inf`, `infinity` or `nan`,
/// with or without a sign. The same as [`str::parse`], without its tables of ten kilobytes, which is a lot for programs that are
/// downloaded.
///
/// ```
/// assert_eq!(xenapi_core::parse_double("1.5e3"), Some(1500.0));
/// assert_eq!(xenapi_core::parse_double("1,5"), None);
/// ```
pub fn parse_double(text: &str) -> Option<f64> {
    let (negative, text) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    let number = if is("inf") || is("infinity") {
        f64::INFINITY
    } else if is("nan") {
        f64::NAN
    } else {
        decimal(text.as_bytes())?
    };
    Some(if negative { -number } else { number })
}

fn decimal(text: &[u8]) -> Option<f64> {
    let (whole, rest) = digits(text);
    let (fraction, rest) = match rest.split_first() {
        Some((b'.', rest)) => digits(rest),
        _ => (&[][..], rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let exponent = match rest.split_first() {
        None => 0,
        Some((b'e' | b'E', rest)) => exponent(rest)?,
        Some(_) => return None,
    };
    // The library wants no zeros that mean nothing.
    let first = whole.iter().position(|it| *it != b'0').unwrap_or(whole.len());
    let last = fraction.iter().rposition(|it| *it != b'0').map_or(0, |at| at + 1);
    Some(minimal_lexical::parse_float(whole[first..].iter(), fraction[..last].iter(), exponent))
}

/// The digits at the beginning, and what follows.
fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|it| !it.is_ascii_digit()).unwrap_or(text.len()))
}

/// An exponent. Far beyond what a double can hold it does not matter by how much.
fn exponent(text: &[u8]) -> Option<i32> {
    const MOST: i32 = 1 << 24;
    let (negative, text) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    let (digits, rest) = digits(text);
    if digits.is_empty() || !rest.is_empty() {
        return None;
    }
    let number = digits.iter().fold(0, |number: i32, digit| (number * 10 + i32::from(digit - b'0')).min(MOST));
    Some(if negative { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::String;

    fn same(text: &str) {
        let (ours, theirs) = (parse_double(text), text.parse::<f64>().ok());
        assert_eq!(ours.map(f64::to_bits), theirs.map(f64::to_bits), "{text:?}: {ours:?} and {theirs:?}");
    }

    #[test]
    fn it_reads_what_the_standard_library_reads() {
        for text in [
            "0",
            "-0",
            "1",
            "+1.5",
            "1.",
            ".5",
            "00012.3400",
            "1e5",
            "1E-5",
            "1e+5",
            "1.7976931348623157e308",
            "1.8e308",
            "-1.8e308",
            "4.9e-324",
            "2.4e-324",
            "2.5e-324",
            "2.2250738585072011e-308",
            "9007199254740993",
            "9007199254740992.999999999999999999",
            "0.1",
            "123456789012345678901234567890",
            "1e99999999999",
            "1e-99999999999",
            "0e99999999999",
            "inf",
            "-Infinity",
            "INF",
            "",
            ".",
            "+",
            "-",
            "e5",
            ".e5",
            "1e",
            "1e+",
            "1 ",
            " 1",
            "1,5",
            "0x10",
            "1_0",
            "--1",
            "1e5.0",
            "infinit",
            "nano",
            "1é",
        ] {
            same(text);
        }
        assert!(parse_double("-NaN").is_some_and(f64::is_nan));
    }

    #[test]
    fn halves_are_rounded_as_the_standard_library_does() {
        // Numbers halfway between two doubles, and a little beside: where a wrong digit far behind decides.
        for bits in [0x3ff0_0000_0000_0000_u64, 0x4340_0000_0000_0001, 0x0010_0000_0000_0000, 0x7fe0_1234_5678_9abc, 1, 2, 3]
        {
            let (low, high) = (f64::from_bits(bits), f64::from_bits(bits + 1));
            for number in [low, high] {
                for digits in [1, 15, 16, 17, 18, 30, 60, 200, 800] {
                    same(&format!("{number:.digits$e}"));
                }
            }
            let exact = format!("{:.1100}", low / 2.0 + high / 2.0);
            for tail in ["", "1", "0000000001"] {
                same(&format!("{exact}{tail}"));
            }
        }
    }

    #[test]
    fn random_numbers_come_back() {
        // A linear congruence is random enough, and the same each time.
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for round in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let number = f64::from_bits(state ^ (state >> 29));
            if number.is_finite() {
                let digits = round % 25;
                let text: String = if round % 2 == 0 { format!("{number:e}") } else { format!("{number:.digits$e}") };
                same(&text);
            }
        }
    }
}
