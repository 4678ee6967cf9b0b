//! Numbers with units, dates, ages, yes and no, as people type them.

use xenapi_core::DateTime;

use super::eval::Operand;
use crate::tables::Shape;
use crate::text::Text;

/// What to type instead, with `{0}` for what was typed.
pub(super) fn hint(shape: Shape) -> Text {
    match shape {
        Shape::Bytes => Text::QueryBytes,
        Shape::Share | Shape::Progress => Text::QueryShare,
        Shape::Speed => Text::QuerySpeed,
        Shape::Span => Text::QuerySpan,
        Shape::Date => Text::QueryDate,
        _ => Text::QueryNumber,
    }
}

/// A number in the unit of the column.
pub(super) fn read(shape: Shape, word: &str) -> Option<Operand> {
    if shape == Shape::Date {
        return age(word).map(Operand::Age).or_else(|| day(word));
    }
    let (number, unit) = parts(word)?;
    let unit = unit.to_ascii_lowercase();
    let factor = match shape {
        Shape::Bytes => match unit.trim_end_matches("ib").trim_end_matches('b') {
            "" if unit == "b" || number == 0.0 => 1.0,
            "k" => 1024.0,
            "m" => 1024.0 * 1024.0,
            "g" => 1024.0 * 1024.0 * 1024.0,
            "t" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
            "p" => 1024.0 * 1024.0 * 1024.0 * 1024.0 * 1024.0,
            _ => return None,
        },
        Shape::Share | Shape::Progress if unit.is_empty() || unit == "%" => 10.0,
        Shape::Speed => match unit.trim_end_matches("b/s").trim_end_matches("bit/s").trim_end_matches('b') {
            "" | "m" => 1.0,
            "g" => 1000.0,
            _ => return None,
        },
        Shape::Span => return age(word).map(|seconds| Operand::Number { low: seconds, high: seconds }),
        Shape::Count if unit.is_empty() => 1.0,
        _ => return None,
    };
    let number = whole(number * factor)?;
    Some(Operand::Number { low: number, high: number })
}

/// The number, and what stands behind it.
fn parts(word: &str) -> Option<(f64, &str)> {
    let end = word.find(|letter: char| !(letter.is_ascii_digit() || letter == '.')).unwrap_or(word.len());
    let number = xenapi_core::parse_double(&word[..end])?;
    Some((number, word[end..].trim()))
}

#[allow(clippy::cast_possible_truncation, reason = "the range was looked at")]
fn whole(number: f64) -> Option<i64> {
    (number.is_finite() && number.abs() < 9.0e18).then_some(number as i64)
}

/// `90s`, `15m`, `2h`, `3d`, `2w`, in seconds.
fn age(word: &str) -> Option<i64> {
    let (number, unit) = parts(word)?;
    let factor = match unit {
        "s" | "sec" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        "w" => 604_800.0,
        _ => return None,
    };
    whole(number * factor)
}

/// `2026-11-22`, `2026-11-22T10:48`, in UTC: from its first to its last second.
fn day(word: &str) -> Option<Operand> {
    let (date, time) = word.split_once(['T', ' ']).map_or((word, None), |(date, time)| (date, Some(time)));
    let mut numbers = date.splitn(3, '-');
    let (year, month, day) = (numbers.next()?, numbers.next()?, numbers.next()?);
    let mut compact = alloc::format!("{year:0>4}{month:0>2}{day:0>2}T");
    let length = match time.map(|time| time.trim_end_matches('Z')) {
        None => {
            compact.push_str("00:00:00Z");
            86_400
        }
        Some(time) if time.len() == 5 => {
            compact.push_str(time);
            compact.push_str(":00Z");
            60
        }
        Some(time) => {
            compact.push_str(time);
            compact.push('Z');
            1
        }
    };
    let low = DateTime::parse(&compact).ok()?.unix();
    Some(Operand::Number { low, high: low + length - 1 })
}

/// Yes or no.
pub(super) fn truth(word: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|it| it.eq_ignore_ascii_case(word));
    if is(&["yes", "true", "1", "y", Text::Yes.get()]) {
        Some(true)
    } else if is(&["no", "false", "0", "n", Text::No.get()]) {
        Some(false)
    } else {
        None
    }
}
