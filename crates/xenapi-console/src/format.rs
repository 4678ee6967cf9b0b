//! Numbers, sizes, ages and names as people read them, in the forms of the current [`crate::language`].

use alloc::format;
use alloc::string::{String, ToString};
use core::cell::Cell;
use core::cmp::Ordering;

use xenapi_core::{DateTime, Millis};

use crate::language;
use crate::text::{Text, fill};

const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// A number of bytes with at most three digits that matter: `512 MiB`, `1.5 GiB`, `120 GiB`. A negative number, which
/// means that the server does not know, is an en dash.
pub fn bytes(bytes: i64) -> String {
    let Ok(bytes) = u64::try_from(bytes) else {
        return "–".into();
    };
    let mut unit = 0;
    // Tenths of the unit, so that no floating point number is needed.
    let mut tenths = u128::from(bytes) * 10;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths = (tenths + 512) / 1024;
        unit += 1;
    }
    let (whole, tenth) = (tenths / 10, tenths % 10);
    if tenth == 0 || whole >= 100 {
        format!("{} {}", (tenths + 5) / 10, UNITS[unit])
    } else {
        format!("{whole}{}{tenth} {}", language::with(|it| it.forms().decimal), UNITS[unit])
    }
}

/// How long ago: `0 s`, `59 s`, `2 min`, `3 h`, `4 d`. Rounded down, since an age that has not passed is not an age.
pub fn age(age: Millis) -> String {
    let (unit, number) = match age.as_secs() {
        seconds @ 0..60 => (Text::AgeSeconds, seconds),
        seconds @ 60..3600 => (Text::AgeMinutes, seconds / 60),
        seconds @ 3600..86_400 => (Text::AgeHours, seconds / 3600),
        seconds => (Text::AgeDays, seconds / 86_400),
    };
    unit.with(&[&grouped(number)])
}

/// A share of a whole in percent, without decimals: `0 %`, `37 %`. None when there is no whole.
pub fn percent(part: i64, whole: i64) -> Option<String> {
    permille(part, whole).map(|share| percentage(((share + 5) / 10).into()))
}

/// A number of percent: `37 %`.
pub fn percentage(percent: u64) -> String {
    fill(language::with(|it| it.forms().percent), &[&grouped(percent)])
}

/// A number with one decimal, given in tenths: `1.5` for 15, `2` for 20.
pub fn tenths(tenths: u64) -> String {
    let (whole, tenth) = (grouped(tenths / 10), tenths % 10);
    if tenth == 0 { whole } else { format!("{whole}{}{tenth}", language::with(|it| it.forms().decimal)) }
}

/// A share of a whole in thousandths, between 0 and 1000. None when there is no whole or the part is negative.
pub fn permille(part: i64, whole: i64) -> Option<u32> {
    if whole <= 0 || part < 0 {
        return None;
    }
    let share = i128::from(part) * 1000 / i128::from(whole);
    u32::try_from(share.min(1000)).ok()
}

/// A count with its thousands apart: `5,000`.
pub fn count(count: usize) -> String {
    grouped(count as u64)
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    if digits.len() < 4 {
        return digits;
    }
    let group = language::with(|it| it.forms().group);
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push_str(group);
        }
        text.push(digit);
    }
    text
}

/// Minutes by which the clock on the reader's wall is ahead of UTC, at a time in seconds since 1970.
pub type Zone = fn(i64) -> i64;

std::thread_local! {
    static ZONE: Cell<Option<Zone>> = const { Cell::new(None) };
}

/// Says times as the reader's clock shows them from now on, in this thread; without it they are said in UTC.
pub fn set_zone(zone: Option<Zone>) {
    ZONE.with(|it| it.set(zone));
}

/// A point in time, to the minute: `2026-11-22 11:48` by the reader's clock, or `2026-11-22 10:48 UTC`. None for one that never was.
pub fn date_time(time: &DateTime) -> Option<String> {
    let seconds = time.unix();
    let zone = ZONE.with(Cell::get);
    let local = seconds.saturating_add(zone.map_or(0, |zone| zone(seconds).saturating_mul(60)));
    if seconds <= 0 || local <= 0 {
        return None;
    }
    // As on the wire: `20261122T10:48:33Z`.
    let text = DateTime::from_unix(local).to_string();
    let parts = [
        ("{year}", text.get(0..4)?),
        ("{month}", text.get(4..6)?),
        ("{day}", text.get(6..8)?),
        ("{hour}", text.get(9..11)?),
        ("{minute}", text.get(12..14)?),
        ("{second}", text.get(15..17)?),
    ];
    let said = language::with(|it| {
        let forms = it.forms();
        let whole = forms.date_time.replace("{date}", forms.date).replace("{time}", forms.time);
        parts.iter().fold(whole, |said, (name, value)| said.replace(name, value))
    });
    Some(if zone.is_some() { said } else { Text::InUtc.with(&[&said]) })
}

/// Megabits per second: `1 Gb/s`, `100 Mb/s`. Zero, which means that the server does not know, is an en dash.
pub fn speed(mbits: i64) -> String {
    match u64::try_from(mbits).unwrap_or(0) {
        0 => "–".into(),
        mbits if mbits.is_multiple_of(1000) => Text::Gigabits.with(&[&grouped(mbits / 1000)]),
        mbits => Text::Megabits.with(&[&mbits.to_string()]),
    }
}

/// Orders names as people do: letters regardless of case, and `vm-2` before `vm-10`. Names that differ only in case or in
/// leading zeros are ordered by their bytes, so that the order is total.
pub fn natural_cmp(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        match (left.as_bytes().first(), right.as_bytes().first()) {
            (None, None) => return a.cmp(b),
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(l), Some(r)) if l.is_ascii_digit() && r.is_ascii_digit() => {
                let (l, l_rest) = take_number(left);
                let (r, r_rest) = take_number(right);
                let order = l.len().cmp(&r.len()).then_with(|| l.cmp(r));
                if order != Ordering::Equal {
                    return order;
                }
                (left, right) = (l_rest, r_rest);
            }
            // Most names are of these letters, and tables compare them by the hundred thousand.
            (Some(l), Some(r)) if l.is_ascii() && r.is_ascii() => {
                let order = l.to_ascii_lowercase().cmp(&r.to_ascii_lowercase());
                if order != Ordering::Equal {
                    return order;
                }
                (left, right) = (&left[1..], &right[1..]);
            }
            _ => {
                let (mut l_rest, mut r_rest) = (left.chars(), right.chars());
                let (l, r) = (l_rest.next(), r_rest.next());
                let order = l.into_iter().flat_map(char::to_lowercase).cmp(r.into_iter().flat_map(char::to_lowercase));
                if order != Ordering::Equal {
                    return order;
                }
                (left, right) = (l_rest.as_str(), r_rest.as_str());
            }
        }
    }
}

/// The digits at the start without leading zeros, and what follows.
fn take_number(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    (text[..end].trim_start_matches('0'), &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn bytes_have_three_digits_at_most() {
        let cases = [
            (0, "0 B"),
            (1, "1 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            (512 << 20, "512 MiB"),
            (4 << 30, "4 GiB"),
            ((4 << 30) + (700 << 20), "4.7 GiB"),
            (120 << 30, "120 GiB"),
            ((120 << 30) + (600 << 20), "121 GiB"),
            (3 << 40, "3 TiB"),
            (i64::MAX, "8 EiB"),
            (-1, "–"),
        ];
        for (input, expected) in cases {
            assert_eq!(bytes(input), expected, "{input}");
        }
    }

    #[test]
    fn ages_round_down() {
        for (input, expected) in
            [(0, "0 s"), (999, "0 s"), (59_999, "59 s"), (60_000, "1 min"), (7_200_000, "2 h"), (172_800_000, "2 d")]
        {
            assert_eq!(age(Millis(input)), expected);
        }
    }

    #[test]
    fn shares_need_a_whole() {
        assert_eq!(percent(1, 3).as_deref(), Some("33 %"));
        assert_eq!(percent(2, 3).as_deref(), Some("67 %"));
        assert_eq!(percent(5, 3).as_deref(), Some("100 %"));
        assert_eq!(percent(i64::MAX, i64::MAX).as_deref(), Some("100 %"));
        assert_eq!(percent(1, 0), None);
        assert_eq!(percent(-1, 10), None);
    }

    #[test]
    fn times_are_for_people() {
        let time = DateTime::parse("20261117T04:32:04Z").unwrap_or_default();
        assert_eq!(date_time(&time).as_deref(), Some("2026-11-17 04:32 UTC"));
        assert_eq!(date_time(&DateTime::NEVER), None);
        set_zone(Some(|_| -9 * 60 - 30));
        assert_eq!(date_time(&time).as_deref(), Some("2026-11-16 19:02"));
        set_zone(None);
    }

    #[test]
    fn counts_and_speeds() {
        assert_eq!([count(0), count(999), count(1000), count(1_234_567)], ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([tenths(0), tenths(15), tenths(20), tenths(12_345)], ["0", "1.5", "2", "1,234.5"]);
        assert_eq!([speed(0), speed(100), speed(10_000), speed(2500)], ["–", "100 Mb/s", "10 Gb/s", "2500 Mb/s"]);
    }

    #[test]
    fn names_are_ordered_as_people_do() {
        let mut names = vec!["vm-10", "VM-2", "vm-1", "web", "Ärger", "vm-02", "", "vm"];
        names.sort_by(|a, b| natural_cmp(a, b));
        assert_eq!(names, ["", "vm", "vm-1", "VM-2", "vm-02", "vm-10", "web", "Ärger"]);
    }
}
