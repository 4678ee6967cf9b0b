//! Widths of text without a font, and how numbers and references are written.

use alloc::format;
use alloc::string::{String, ToString};
use core::cmp::Ordering;

/// An estimate of how wide a text is drawn, in pixels. On the safe side for the usual system fonts.
pub fn width(text: &str, font_size: f64) -> f64 {
    text.chars().map(em).sum::<f64>() * font_size * BREADTH
}

/// The table below is of a wide font; most system fonts are narrower than even this share of it.
const BREADTH: f64 = 0.95;

/// The width of a character in units of the font size.
fn em(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '\'' | '|' => 0.30,
        '.' | ',' | ':' | ';' | '!' | ' ' | 'I' | '·' => 0.35,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '\\' | '-' | '"' => 0.43,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' | '—' => 0.96,
        'A'..='Z' | '&' | '+' | '=' | '<' | '>' | '#' | '~' => 0.74,
        ' '..='~' => 0.62,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => 0.62,
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' => 0.0,
        _ if is_wide(c) => 1.05,
        _ => 0.74,
    }
}

/// Whether East Asian typography gives the character a full square.
fn is_wide(c: char) -> bool {
    matches!(u32::from(c),
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xa960..=0xa97f | 0xac00..=0xd7ff | 0xf900..=0xfaff | 0xfe30..=0xfe6f
        | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f000..=0x1faff | 0x20000..=0x3fffd)
}

/// The text if it fits, or its start with `…`. Control characters become spaces; the answer is one line.
pub fn fit(text: &str, font_size: f64, room: f64) -> String {
    let clean = || text.chars().map(|c| if c.is_control() { ' ' } else { c });
    if width(text, font_size) <= room {
        return clean().collect();
    }
    let mut short = start(clean(), font_size, room - width("…", font_size));
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

/// Like [`fit`], but what is cut out is in the middle: names of siblings often differ at their ends.
pub fn fit_name(text: &str, font_size: f64, room: f64) -> String {
    if width(text, font_size) <= room {
        return fit(text, font_size, room);
    }
    let clean = || text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let room = room - width("…", font_size);
    let tail: String = start(clean().rev(), font_size, room * 0.4).chars().rev().collect();
    let head = start(clean(), font_size, room - width(&tail, font_size));
    format!("{}…{}", head.trim_end(), tail.trim_start())
}

/// As many characters as have room.
fn start(chars: impl Iterator<Item = char>, font_size: f64, room: f64) -> String {
    let mut used = 0.0;
    let fits = |c: &char| {
        used += em(*c) * font_size * BREADTH;
        used <= room
    };
    chars.take_while(fits).collect()
}

/// Orders names as people do: `host-2` before `host-10`, upper and lower case alike; equal only when the same.
pub fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.chars().peekable(), b.chars().peekable());
    loop {
        let (l, r) = match (left.peek().copied(), right.peek().copied()) {
            (Some(l), Some(r)) => (l, r),
            (None, None) => return a.cmp(b),
            (l, r) => return l.is_some().cmp(&r.is_some()),
        };
        let order = if l.is_ascii_digit() && r.is_ascii_digit() {
            let (l, r) = (digits(&mut left), digits(&mut right));
            l.len().cmp(&r.len()).then_with(|| l.cmp(&r))
        } else {
            left.next();
            right.next();
            l.to_lowercase().cmp(r.to_lowercase())
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Takes a run of digits, without leading zeros.
fn digits(chars: &mut core::iter::Peekable<core::str::Chars<'_>>) -> String {
    let mut run = String::new();
    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
        if digit != '0' || !run.is_empty() {
            run.push(digit);
        }
    }
    run
}

/// The part of a reference that people can tell apart: `OpaqueRef:1e6f2442-…` is `1e6f2442`.
pub fn short(reference: &str) -> String {
    let body = reference.strip_prefix("OpaqueRef:").unwrap_or(reference);
    body.chars().take(8).collect()
}

/// Bytes in binary units, three digits at most where that is enough: `512 MiB`, `1.5 TiB`.
pub fn bytes(count: i64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut unit = 0;
    let mut scale: i64 = 1;
    while unit + 1 < UNITS.len() && count / scale >= 1000 {
        scale <<= 10;
        unit += 1;
    }
    // Tenths, rounded half up, without going through floating point.
    let tenths = (i128::from(count.max(0)) * 10 + i128::from(scale / 2)) / i128::from(scale);
    if tenths % 10 == 0 || tenths >= 100 {
        format!("{} {}", (tenths + 5) / 10, UNITS[unit])
    } else {
        format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
    }
}

/// The speed of a NIC, which the server tells in Mb/s.
pub fn speed(megabits: i64) -> String {
    match megabits {
        ..=0 => String::new(),
        m if m >= 1000 && m % 1000 == 0 => format!("{} Gb/s", m / 1000),
        m if m >= 1000 && m % 100 == 0 => format!("{}.{} Gb/s", m / 1000, m % 1000 / 100),
        m => format!("{m} Mb/s"),
    }
}

/// A number and what it counts.
pub fn count(number: usize, one: &str, several: &str) -> String {
    if number == 0 {
        return format!("no {several}");
    }
    format!("{number} {}", if number == 1 { one } else { several })
}

/// Joins the parts that are not empty by a middle dot.
pub fn join(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts.iter().filter(|part| !part.is_empty()) {
        if !text.is_empty() {
            text.push_str(" · ");
        }
        text.push_str(part);
    }
    text
}

/// A coordinate as short as it can be, on a grid of a hundredth.
pub fn coordinate(value: f64) -> String {
    let hundredths = (value * 100.0 + if value < 0.0 { -0.5 } else { 0.5 }) as i64;
    (hundredths as f64 / 100.0).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ordered_as_people_do() {
        let mut names = ["host-10", "Host-9", "host-2", "alpha", "host", "host-02"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["alpha", "host", "host-02", "host-2", "Host-9", "host-10"]);
        assert_eq!(natural("a", "a"), Ordering::Equal);
        assert_ne!(natural("01", "1"), Ordering::Equal);
    }

    #[test]
    fn what_does_not_fit_is_cut_and_says_so() {
        assert_eq!(fit("short", 13.0, 100.0), "short");
        let cut = fit("a name that is far too long for its box", 13.0, 100.0);
        assert!(cut.ends_with('…') && width(&cut, 13.0) <= 100.0, "{cut}");
        let wide = fit("上海数据中心生产数据库主节点", 13.0, 100.0);
        assert!(wide.ends_with('…') && width(&wide, 13.0) <= 100.0, "{wide}");
        assert!(wide.chars().count() < 8);
        assert_eq!(fit("two\nlines", 13.0, 100.0), "two lines");
        assert_eq!(fit("x", 13.0, 0.0), "…");
        let name = fit_name("windows-terminal-server-2471", 13.0, 120.0);
        assert!(name.starts_with("windows") && name.ends_with("2471") && width(&name, 13.0) <= 120.0, "{name}");
        assert_eq!(fit_name("短", 13.0, 100.0), "短");
        assert_eq!(fit_name("xyz", 13.0, 0.0), "…");
    }

    #[test]
    fn numbers_carry_units() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1 << 30), "1 GiB");
        assert_eq!(bytes(3 << 29), "1.5 GiB");
        assert_eq!(bytes(1000 << 30), "1 TiB");
        assert_eq!(bytes(-5), "0 B");
        assert_eq!(bytes(i64::MAX), "8192 PiB");
        assert_eq!(speed(10_000), "10 Gb/s");
        assert_eq!(speed(2_500), "2.5 Gb/s");
        assert_eq!(speed(100), "100 Mb/s");
        assert_eq!(speed(-1), "");
        assert_eq!(count(1, "VM", "VMs"), "1 VM");
        assert_eq!(join(&["a", "", "b"]), "a · b");
        assert_eq!(short("OpaqueRef:1e6f2442-f6c3"), "1e6f2442");
        assert_eq!(short("日本"), "日本");
        assert_eq!(coordinate(-1.126), "-1.13");
        assert_eq!(coordinate(12.50), "12.5");
    }
}
