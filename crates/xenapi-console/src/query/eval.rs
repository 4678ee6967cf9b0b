//! Whether a row matches.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Op, Query, Term, Test};
use crate::format;
use crate::tables::{Row, Value};

/// What a field is compared with.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Operand {
    /// That there is none.
    Nothing,
    /// Text, in lower case.
    Text(String),
    /// A number in the unit of the column, or a span of them: a day has many seconds.
    Number {
        /// The least.
        low: i64,
        /// The greatest.
        high: i64,
    },
    /// So many seconds ago.
    Age(i64),
    /// Yes or no.
    Truth(bool),
    /// A pattern.
    Pattern(Pattern),
}

/// A pattern: `^` is the beginning, `$` the end, `*` anything.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Pattern {
    parts: Vec<String>,
    from_start: bool,
    to_end: bool,
}

impl Pattern {
    pub(super) fn new(text: &str) -> Pattern {
        let (from_start, text) = text.strip_prefix('^').map_or((false, text), |text| (true, text));
        let (to_end, text) = text.strip_suffix('$').map_or((false, text), |text| (true, text));
        Pattern { parts: text.split('*').map(str::to_lowercase).collect(), from_start, to_end }
    }

    /// Whether text in lower case matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        let mut rest = text;
        let last = self.parts.len() - 1;
        for (at, part) in self.parts.iter().enumerate() {
            let (is_first, is_last) = (at == 0, at == last);
            if is_last && self.to_end {
                // The first part of one alone has both ends to keep to.
                let starts = !(is_first && self.from_start) || rest.len() == part.len();
                return starts && rest.ends_with(part.as_str());
            }
            let found = if is_first && self.from_start {
                rest.starts_with(part.as_str()).then_some(0)
            } else {
                rest.find(part.as_str())
            };
            match found {
                Some(from) => rest = &rest[from + part.len()..],
                None => return false,
            }
        }
        true
    }
}

impl Query {
    /// Whether a row is to be shown; `now` in seconds since 1970, for ages.
    pub fn matches(&self, row: &Row, now: i64) -> bool {
        self.terms.iter().all(|term| term.holds(row, now))
    }

    /// Whether it depends on what time it is.
    pub fn asks_for_ages(&self) -> bool {
        let is_age = |operand: &Operand| matches!(operand, Operand::Age(_));
        self.terms.iter().any(|term| matches!(&term.test, Test::Field { operands, .. } if operands.iter().any(is_age)))
    }
}

impl Term {
    fn holds(&self, row: &Row, now: i64) -> bool {
        let holds = match &self.test {
            Test::Word(word) => row.haystack().contains(word.as_str()),
            Test::Holds(column) => row.cells[*column].is_something(),
            Test::Field { column, op: Op::IsNot, operands, .. } => !any(&row.cells[*column], Op::Is, operands, now),
            Test::Field { column, op: Op::Unlike, operands, .. } => !any(&row.cells[*column], Op::Like, operands, now),
            Test::Field { column, op, operands, .. } => any(&row.cells[*column], *op, operands, now),
        };
        holds != self.negated
    }
}

fn any(value: &Value, op: Op, operands: &[Operand], now: i64) -> bool {
    operands.iter().any(|operand| compare(value, op, operand, now))
}

fn compare(value: &Value, op: Op, operand: &Operand, now: i64) -> bool {
    match (value, operand) {
        (Value::Nothing, operand) => *operand == Operand::Nothing,
        (_, Operand::Nothing) | (Value::Unknown, _) => false,
        (Value::Truth(truth), Operand::Truth(wanted)) => truth == wanted,
        (Value::Date(at), Operand::Age(age)) => {
            // A greater age is an earlier time.
            let passed = now.saturating_sub(*at);
            in_order(passed, op, *age, age.saturating_add(59))
        }
        (
            Value::Count(number) | Value::Bytes(number) | Value::Speed(number) | Value::Span(number) | Value::Date(number),
            Operand::Number { low, high },
        ) => in_order(*number, op, *low, *high),
        // A share is shown without decimals, and is what it shows.
        (Value::Share(share), Operand::Number { low, high }) => {
            in_order(i64::from(share.saturating_add(5) / 10) * 10, op, *low, *high)
        }
        (Value::Links(links), operand) => links.iter().any(|link| text(&link.name, op, operand)),
        (Value::List(words), operand) => words.iter().any(|word| text(word, op, operand)),
        (Value::State(_) | Value::Status(..), Operand::Text(wanted)) => {
            let (shown, name) = (value.show().to_lowercase(), value.plain().to_lowercase());
            let is = |word: &str| if op == Op::Has { word.starts_with(wanted.as_str()) } else { word == wanted };
            // Whatever a class calls it, the one vocabulary of states means it, too.
            is(&shown) || is(&name) || value.state().is_some_and(|state| is(state.name()))
        }
        (value, operand) => text(&value.show(), op, operand),
    }
}

fn in_order(number: i64, op: Op, low: i64, high: i64) -> bool {
    match op {
        Op::Above => number > high,
        Op::AtLeast => number >= low,
        Op::Below => number < low,
        Op::AtMost => number <= high,
        _ => (low..=high).contains(&number),
    }
}

fn text(text: &str, op: Op, operand: &Operand) -> bool {
    let text = text.to_lowercase();
    match operand {
        Operand::Pattern(pattern) => pattern.matches(&text),
        Operand::Text(wanted) => match op {
            Op::Has => text.contains(wanted.as_str()),
            Op::Above => format::natural_cmp(&text, wanted).is_gt(),
            Op::AtLeast => format::natural_cmp(&text, wanted).is_ge(),
            Op::Below => format::natural_cmp(&text, wanted).is_lt(),
            Op::AtMost => format::natural_cmp(&text, wanted).is_le(),
            _ => text == *wanted,
        },
        _ => false,
    }
}
