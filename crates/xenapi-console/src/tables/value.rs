//! What stands in a cell: typed, so that it sorts, filters and exports as what it is.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cmp::Ordering;

use xenapi_core::{DateTime, Millis};
use xenapi_topology::State;

use crate::format;
use crate::object::Object;
use crate::text::{self, Text};

/// An object that a cell names.
#[derive(Clone, PartialEq, Debug)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// The object.
    pub object: Object,
    /// Its uuid, for its address.
    pub uuid: String,
}

/// What stands in a cell.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// There is none.
    Nothing,
    /// Nobody knows: what would say so was not loaded.
    Unknown,
    /// Text as it came.
    Text(String),
    /// A number of things.
    Count(i64),
    /// A number of bytes.
    Bytes(i64),
    /// A share of a whole, in thousandths.
    Share(u32),
    /// Megabits per second.
    Speed(i64),
    /// A point in time, in seconds since 1970.
    Date(i64),
    /// A span of time, in seconds.
    Span(i64),
    /// Yes or no.
    Truth(bool),
    /// A state of the one vocabulary.
    State(State),
    /// A word of the console's with the shape of a state beside it.
    Status(State, Text),
    /// Other objects.
    Links(Vec<Link>),
    /// Several words: tags, addresses.
    List(Vec<String>),
}

impl Value {
    /// Text, or nothing if it is blank.
    pub fn text(text: impl AsRef<str>) -> Value {
        let text = text.as_ref();
        if text.trim().is_empty() { Value::Nothing } else { Value::Text(text.into()) }
    }

    /// A number of bytes; nothing if it is negative, which means that the server does not know.
    pub fn bytes(bytes: i64) -> Value {
        if bytes < 0 { Value::Nothing } else { Value::Bytes(bytes) }
    }

    /// A share of a whole; nothing if there is no whole.
    pub fn share(part: i64, whole: i64) -> Value {
        format::permille(part, whole).map_or(Value::Nothing, Value::Share)
    }

    /// A point in time; nothing for one that never was.
    pub fn date(time: &DateTime) -> Value {
        let unix = time.unix();
        if unix <= 0 { Value::Nothing } else { Value::Date(unix) }
    }

    /// Several words; nothing if there are none.
    pub fn list<'a>(words: impl IntoIterator<Item = &'a String>) -> Value {
        let words: Vec<String> = words.into_iter().filter(|word| !word.trim().is_empty()).cloned().collect();
        if words.is_empty() { Value::Nothing } else { Value::List(words) }
    }

    /// How many; none is nothing.
    pub fn count(count: usize) -> Value {
        Value::Count(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// Whether there is something, and it is not a no.
    pub fn is_something(&self) -> bool {
        !matches!(self, Value::Nothing | Value::Unknown | Value::Truth(false))
    }

    /// The state of the one vocabulary, for a state and a word with the shape of one.
    pub fn state(&self) -> Option<State> {
        match self {
            Value::State(state) | Value::Status(state, _) => Some(*state),
            _ => None,
        }
    }

    /// What is shown.
    pub fn show(&self) -> Cow<'_, str> {
        match self {
            Value::Nothing => Text::Nothing.get().into(),
            Value::Unknown => Text::Unknown.get().into(),
            Value::Text(text) => text.as_str().into(),
            Value::Count(count) => count_text(*count).into(),
            Value::Bytes(bytes) => format::bytes(*bytes).into(),
            Value::Share(share) => format::percentage(u64::from((share + 5) / 10)).into(),
            Value::Speed(speed) => format::speed(*speed).into(),
            Value::Date(unix) => format::date_time(&DateTime::from_unix(*unix)).unwrap_or_default().into(),
            Value::Span(seconds) => format::age(Millis::from_secs(seconds.unsigned_abs())).into(),
            Value::Truth(truth) => if *truth { Text::Yes } else { Text::No }.get().into(),
            Value::State(state) => text::state(*state).get().into(),
            Value::Status(_, word) => word.get().into(),
            Value::Links(links) => match links.as_slice() {
                [link] => link.name.as_str().into(),
                links => join(links.iter().map(|link| link.name.as_str())).into(),
            },
            Value::List(words) => join(words.iter().map(String::as_str)).into(),
        }
    }

    /// What a file for other programs gets: numbers without units, times as RFC 3339, nothing where there is nothing.
    pub fn plain(&self) -> Cow<'_, str> {
        match self {
            Value::Nothing | Value::Unknown => "".into(),
            Value::Count(number) | Value::Bytes(number) | Value::Speed(number) | Value::Span(number) => {
                number.to_string().into()
            }
            Value::Share(share) => alloc::format!("{}.{}", share / 10, share % 10).into(),
            Value::Date(unix) => rfc3339(*unix).into(),
            Value::Truth(truth) => if *truth { "true" } else { "false" }.into(),
            Value::State(state) => state.name().into(),
            Value::Status(_, word) => word.english().into(),
            other => other.show(),
        }
    }

    /// The order of two values of a column; what is absent or unknown comes last.
    pub fn order(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Text(a), Value::Text(b)) => format::natural_cmp(a, b),
            (Value::Count(a), Value::Count(b))
            | (Value::Bytes(a), Value::Bytes(b))
            | (Value::Speed(a), Value::Speed(b))
            | (Value::Span(a), Value::Span(b))
            | (Value::Date(a), Value::Date(b)) => a.cmp(b),
            (Value::Share(a), Value::Share(b)) => a.cmp(b),
            (Value::Truth(a), Value::Truth(b)) => b.cmp(a),
            (Value::State(a) | Value::Status(a, _), Value::State(b) | Value::Status(b, _)) => {
                a.cmp(b).then_with(|| self.show().cmp(&other.show()))
            }
            (Value::Links(a), Value::Links(b)) => lists(a, b, |link| &link.name),
            (Value::List(a), Value::List(b)) => lists(a, b, |word| word),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Value::Nothing => 1,
            Value::Unknown => 2,
            _ => 0,
        }
    }
}

fn lists<T>(a: &[T], b: &[T], name: impl Fn(&T) -> &str) -> Ordering {
    let pairs = a.iter().zip(b).map(|(a, b)| format::natural_cmp(name(a), name(b)));
    pairs.fold(Ordering::Equal, Ordering::then).then(a.len().cmp(&b.len()))
}

fn join<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for word in words {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(word);
    }
    text
}

fn count_text(count: i64) -> String {
    match usize::try_from(count) {
        Ok(count) => format::count(count),
        Err(_) => count.to_string(),
    }
}

/// A point in time as files have it: `2026-11-22T10:48:33Z`.
pub fn rfc3339(unix: i64) -> String {
    let (year, month, day, hour, minute, second) = DateTime::from_unix(unix).civil();
    alloc::format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}
