//! Points in time as xapi writes them.

use alloc::string::{String, ToString};
use core::cmp::Ordering;
use core::fmt;

/// What a time says about its zone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub enum Zone {
    /// `Z`: coordinated universal time. What xapi stores and sends.
    #[default]
    Utc,
    /// An offset from UTC in minutes, kept as it was given.
    Offset(i16),
    /// None stated: the local time of a host (`host.get_server_localtime`), or UTC in what clients send.
    Unstated,
}

/// A point in time with a resolution of one second.
///
/// Written `YYYYMMDDThh:mm:ss` and the zone, without dashes or fractions; `19700101T00:00:00Z` means "never". Read also from
/// RFC 3339 with dashes, fractions (dropped) and offsets. Times are ordered as they follow each other, whatever their zones;
/// they are equal only if they are written the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct DateTime {
    /// Seconds since 1970-01-01T00:00:00 on the wall clock of the zone.
    wall: i64,
    zone: Zone,
}

impl DateTime {
    /// 1970-01-01T00:00:00Z, which xapi uses for "never".
    pub const NEVER: DateTime = DateTime { wall: 0, zone: Zone::Utc };

    /// A time in UTC from seconds since 1970.
    pub const fn from_unix(seconds: i64) -> Self {
        DateTime { wall: seconds, zone: Zone::Utc }
    }

    /// Seconds since 1970 in UTC. A time without a zone counts as UTC.
    pub fn unix(&self) -> i64 {
        match self.zone {
            Zone::Offset(minutes) => self.wall - i64::from(minutes) * 60,
            Zone::Utc | Zone::Unstated => self.wall,
        }
    }

    /// What the time says about its zone.
    pub fn zone(&self) -> Zone {
        self.zone
    }

    /// Whether this is the epoch, which xapi uses for "never".
    pub fn is_never(&self) -> bool {
        self.unix() == 0
    }

    /// Reads either form.
    ///
    /// # Errors
    /// When the text has another form, or names a day or an hour that does not exist.
    pub fn parse(text: &str) -> Result<Self, InvalidDateTime> {
        parse(text.as_bytes()).ok_or_else(|| InvalidDateTime(text.to_string()))
    }

    /// Year, month, day, hour, minute and second on the wall clock of the zone.
    pub fn civil(&self) -> (i64, u32, u32, u32, u32, u32) {
        let days = self.wall.div_euclid(86_400);
        let second = u32::try_from(self.wall.rem_euclid(86_400)).unwrap_or(0);
        let (year, month, day) = civil_from_days(days);
        (year, month, day, second / 3600, second / 60 % 60, second % 60)
    }
}

/// The proleptic Gregorian calendar by eras of 400 years of 146,097 days, starting on 1 March.
fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, u32::try_from(month).unwrap_or(1), u32::try_from(day).unwrap_or(1))
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn parse(text: &[u8]) -> Option<DateTime> {
    let (year, rest) = digits(text, 4)?;
    let dashed = rest.first() == Some(&b'-');
    let rest = if dashed { &rest[1..] } else { rest };
    let (month, rest) = digits(rest, 2)?;
    let rest = if dashed { rest.strip_prefix(b"-")? } else { rest };
    let (day, rest) = digits(rest, 2)?;
    let rest = rest.strip_prefix(b"T").or_else(|| rest.strip_prefix(b"t")).or_else(|| rest.strip_prefix(b" "))?;
    let (hour, rest) = digits(rest, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(b":")?, 2)?;
    let (second, rest) = digits(rest.strip_prefix(b":")?, 2)?;
    let rest = fraction(rest)?;
    let zone = zone(rest)?;
    let real_day = (1..=12).contains(&month) && day >= 1 && {
        let (y, m) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        day <= days_from_civil(y, m, 1) - days_from_civil(year, month, 1)
    };
    if !real_day || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let wall = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some(DateTime { wall, zone })
}

fn digits(text: &[u8], count: usize) -> Option<(i64, &[u8])> {
    let (head, rest) = text.split_at_checked(count)?;
    let mut number = 0;
    for byte in head {
        number = number * 10 + i64::from(byte.is_ascii_digit().then(|| byte - b'0')?);
    }
    Some((number, rest))
}

fn fraction(text: &[u8]) -> Option<&[u8]> {
    let Some(rest) = text.strip_prefix(b".") else { return Some(text) };
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count > 0).then(|| &rest[count..])
}

fn zone(text: &[u8]) -> Option<Zone> {
    match text {
        [] => return Some(Zone::Unstated),
        [b'Z' | b'z'] => return Some(Zone::Utc),
        _ => {}
    }
    let (sign, rest) = match text.split_first()? {
        (b'+', rest) => (1, rest),
        (b'-', rest) => (-1, rest),
        _ => return None,
    };
    let (hours, rest) = digits(rest, 2)?;
    let rest = rest.strip_prefix(b":").unwrap_or(rest);
    let (minutes, rest) = if rest.is_empty() { (0, rest) } else { digits(rest, 2)? };
    if !rest.is_empty() || hours > 23 || minutes > 59 {
        return None;
    }
    i16::try_from(sign * (hours * 60 + minutes)).ok().map(Zone::Offset)
}

impl Ord for DateTime {
    fn cmp(&self, other: &Self) -> Ordering {
        self.unix().cmp(&other.unix()).then_with(|| self.zone.cmp(&other.zone))
    }
}

impl PartialOrd for DateTime {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day, hour, minute, second) = self.civil();
        write!(f, "{year:04}{month:02}{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match self.zone {
            Zone::Utc => f.write_str("Z"),
            Zone::Unstated => Ok(()),
            Zone::Offset(minutes) => {
                let sign = if minutes < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
            }
        }
    }
}

impl fmt::Debug for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text that is not a date and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidDateTime(String);

impl fmt::Display for InvalidDateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a date and time: {:?} (expected for example 20240131T10:20:30Z)", self.0)
    }
}

impl core::error::Error for InvalidDateTime {}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_both_forms() {
        for (text, unix, written) in [
            ("20240131T10:20:30Z", 1_706_696_430, "20240131T10:20:30Z"),
            ("2024-01-31T10:20:30.123Z", 1_706_696_430, "20240131T10:20:30Z"),
            ("20240131T10:20:30", 1_706_696_430, "20240131T10:20:30"),
            ("2024-01-31T12:20:30+02:00", 1_706_696_430, "20240131T12:20:30+02:00"),
            ("19700101T00:00:00Z", 0, "19700101T00:00:00Z"),
            ("20000229T23:59:59Z", 951_868_799, "20000229T23:59:59Z"),
        ] {
            let time = DateTime::parse(text).unwrap();
            assert_eq!(time.unix(), unix, "{text}");
            assert_eq!(time.to_string(), written);
        }
    }

    #[test]
    fn times_are_ordered_across_zones() {
        let parse = |text| DateTime::parse(text).unwrap();
        let (early, late) = (parse("20240131T10:00:00+02:00"), parse("20240131T09:00:00Z"));
        assert!(early < late && late < parse("20240131T08:00:00-02:00"));
        let same = parse("20240131T08:00:00Z");
        assert_eq!(early.unix(), same.unix());
        assert!(early != same && early.cmp(&same) != Ordering::Equal, "they are written differently");
    }

    #[test]
    fn refuses_what_is_no_time() {
        for bad in
            ["", "0.0", "20240131", "20230229T00:00:00Z", "20241301T00:00:00Z", "20240101T24:00:00Z", "20240101T00:00:00Zx"]
        {
            assert!(DateTime::parse(bad).is_err(), "{bad}");
        }
    }
}
