//! The small language of the query box.
//!
//! A query is a list of terms; a row is shown if all of them hold. A term is
//!
//! - a word, or several in quotes, that has to be somewhere in the row: `web`, `"host 1"`;
//! - `field:value`: the field contains the text, is the number, or has the state that begins so; `state:running`, `tags:web`;
//! - `field=value` and `field!=value`: exactly, whatever the case;
//! - `field>value`, `>=`, `<`, `<=`: numbers with units (`memory>4GiB`, `used>=85%`, `speed<10G`), dates (`created>2026-11-01`) and
//!   ages (`started<2h`: less than two hours ago);
//! - `field~pattern`: `^` is the beginning, `$` the end, `*` anything; `name~^db`, `name~^db*01$`;
//! - the name of a field alone, where it says yes or no: `shared`;
//! - any of these with `!` or `-` in front, which turns it round; `!agent` also finds what has no value there.
//!
//! Several values are separated by commas: `state:paused,suspended`. `none` as a value is nothing. A term that cannot be understood is
//! left out and told as a [`Problem`].

mod complete;
mod eval;
mod quantity;
#[cfg(test)]
mod tests;

pub use complete::{Completion, Suggestion, complete};

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::Range;

use crate::tables::{Shape, Spec};
use crate::text::Text;
use eval::{Operand, Pattern};

/// How a field is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    /// `:`
    Has,
    /// `=`
    Is,
    /// `!=`
    IsNot,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `~`
    Like,
    /// `!~`
    Unlike,
}

/// The longer ones first, so that they win.
const OPS: [(&str, Op); 9] = [
    ("!=", Op::IsNot),
    ("!~", Op::Unlike),
    (">=", Op::AtLeast),
    ("<=", Op::AtMost),
    (":", Op::Has),
    ("=", Op::Is),
    (">", Op::Above),
    ("<", Op::Below),
    ("~", Op::Like),
];

/// What a term asks.
#[derive(Clone, PartialEq, Debug)]
enum Test {
    /// The row has the word somewhere.
    Word(String),
    /// The field says yes, or has a value.
    Holds(usize),
    /// The field compares so with one of the values.
    Field { column: usize, op: Op, operands: Vec<Operand>, written: Vec<String> },
}

/// A part of a query.
#[derive(Clone, Debug)]
struct Term {
    /// Where it stands in the text.
    range: Range<usize>,
    negated: bool,
    test: Test,
}

impl PartialEq for Term {
    /// Where it stands says nothing about what it means.
    fn eq(&self, other: &Self) -> bool {
        self.negated == other.negated && self.test == other.test
    }
}

/// Something in a query that cannot be understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Where, in bytes.
    pub range: Range<usize>,
    /// What, and what to do.
    pub text: String,
}

/// A query, ready to be asked.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Query {
    terms: Vec<Term>,
    /// What could not be understood.
    pub problems: Vec<Problem>,
}

/// More terms than anybody types: what comes behind is left out.
const TERMS: usize = 50;

impl Query {
    /// Reads a query. It never fails: what cannot be understood is told beside it.
    pub fn parse(text: &str, spec: &Spec) -> Query {
        let mut query = Query::default();
        for token in tokens(text).into_iter().take(TERMS) {
            match term(text, &token, spec) {
                Ok(term) => query.terms.extend(term),
                Err(problem) => query.problems.push(Problem { range: token.range, text: problem }),
            }
        }
        query
    }

    /// Whether everything matches.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The same without what it asks of a column, as far as facets can be chosen there.
    pub(crate) fn without(&self, column: usize) -> Query {
        let terms = self.terms.iter().filter(|term| !term.chooses(column)).cloned().collect();
        Query { terms, problems: Vec::new() }
    }

    /// The values that it wants a column to have.
    pub(crate) fn words_of(&self, column: usize) -> Vec<String> {
        let words = self.terms.iter().filter(|term| term.chooses(column)).flat_map(|term| match &term.test {
            Test::Field { written, .. } => written.as_slice(),
            _ => &[],
        });
        words.cloned().collect()
    }
}

impl Term {
    fn chooses(&self, of: usize) -> bool {
        matches!(&self.test, Test::Field { column, op: Op::Has | Op::Is, .. } if *column == of) && !self.negated
    }
}

/// The text of a query with other values asked of a column: what it asked before goes, and one term for all comes.
pub(crate) fn replace(text: &str, query: &Query, column: usize, words: &[String], spec: &Spec) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut place = None;
    let mut from = 0;
    for term in query.terms.iter().filter(|term| term.chooses(column)) {
        let before = text[from..term.range.start].trim();
        if !before.is_empty() {
            parts.push(before.to_string());
        }
        place.get_or_insert(parts.len());
        from = term.range.end;
    }
    let rest = text[from..].trim();
    if !rest.is_empty() {
        parts.push(rest.to_string());
    }
    if !words.is_empty() {
        let column = &spec.columns[column];
        let op = if column.shape == Shape::State { ':' } else { '=' };
        let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        let at = place.unwrap_or(parts.len());
        parts.insert(at, alloc::format!("{}{op}{}", column.id, words.join(",")));
    }
    parts.join(" ")
}

/// A value as it is written: in quotes where it has to be.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |letter: char| !letter.is_whitespace() && !matches!(letter, '"' | ',' | '\\');
    if !word.is_empty() && word.chars().all(is_plain) && !word.eq_ignore_ascii_case("none") {
        return word.to_string();
    }
    alloc::format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A piece of the text between blanks that are not in quotes.
#[derive(Debug)]
struct Token {
    range: Range<usize>,
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut start = None;
    let mut scan = Scan::default();
    for (at, letter) in text.char_indices() {
        let blank = letter.is_whitespace() && !scan.in_quotes;
        match (start, blank) {
            (Some(from), true) => {
                tokens.push(Token { range: from..at });
                start = None;
            }
            (None, false) => start = Some(at),
            _ => {}
        }
        scan.step(letter);
    }
    if let Some(from) = start {
        tokens.push(Token { range: from..text.len() });
    }
    tokens
}

/// Whether one is within quotes.
#[derive(Default)]
struct Scan {
    in_quotes: bool,
    escaped: bool,
}

impl Scan {
    fn step(&mut self, letter: char) {
        match letter {
            _ if self.escaped => self.escaped = false,
            '\\' if self.in_quotes => self.escaped = true,
            '"' => self.in_quotes = !self.in_quotes,
            _ => {}
        }
    }
}

fn term(text: &str, token: &Token, spec: &Spec) -> Result<Option<Term>, String> {
    let whole = &text[token.range.clone()];
    let (negated, body) = match whole.strip_prefix(['!', '-']) {
        Some(body) if !body.is_empty() => (true, body),
        _ => (false, whole),
    };
    let made = |test| Ok(Some(Term { range: token.range.clone(), negated, test }));
    let Some((id, op, values)) = split(body) else {
        let word = unquoted(body);
        let column = spec.column(body).filter(|at| negated || spec.columns[*at].shape == Shape::Truth);
        return match column {
            Some(column) => made(Test::Holds(column)),
            None if word.trim().is_empty() => Ok(None),
            None => made(Test::Word(word.to_lowercase())),
        };
    };
    let Some(column) = spec.column(id) else {
        // The beginning of a MAC address, not a field.
        if id.len() == 2 && op == Op::Has && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return made(Test::Word(unquoted(body).to_lowercase()));
        }
        return Err(unknown_field(id, spec));
    };
    let written: Vec<(String, bool)> = items(values);
    if written.iter().all(|(word, quoted)| word.is_empty() && !quoted) {
        return Err(Text::QueryNoValue.with(&[spec.columns[column].id]));
    }
    let shape = spec.columns[column].shape;
    let operands = written.iter().filter(|(word, quoted)| *quoted || !word.is_empty());
    let operands: Result<Vec<Operand>, String> = operands.map(|(word, quoted)| operand(shape, op, word, *quoted)).collect();
    let words = written.into_iter().map(|(word, _)| word).filter(|word| !word.is_empty()).collect();
    made(Test::Field { column, op, operands: operands?, written: words })
}

/// A field, how it is compared, and with what; none if it is something else.
fn split(body: &str) -> Option<(&str, Op, &str)> {
    let end = body.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-' || letter == '_'))?;
    let (id, rest) = body.split_at(end);
    if !id.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
        return None;
    }
    let (word, op) = OPS.into_iter().find(|(word, _)| rest.starts_with(word))?;
    // Two colons are an address, not a field.
    (!rest.starts_with("::")).then(|| (id, op, &rest[word.len()..]))
}

/// The values between commas that are not in quotes, and whether they were in quotes.
fn items(values: &str) -> Vec<(String, bool)> {
    let mut items = Vec::new();
    let mut scan = Scan::default();
    let mut from = 0;
    for (at, letter) in values.char_indices() {
        if letter == ',' && !scan.in_quotes {
            items.push(&values[from..at]);
            from = at + 1;
        }
        scan.step(letter);
    }
    items.push(&values[from..]);
    items.into_iter().map(|item| (unquoted(item), item.starts_with('"'))).collect()
}

/// The text without its quotes.
fn unquoted(text: &str) -> String {
    if !text.contains('"') {
        return text.to_string();
    }
    let mut plain = String::new();
    let mut scan = Scan::default();
    for letter in text.chars() {
        let (was_in, was_escaped) = (scan.in_quotes, scan.escaped);
        scan.step(letter);
        let is_mark = !was_escaped && (letter == '"' || (letter == '\\' && was_in));
        if !is_mark {
            plain.push(letter);
        }
    }
    plain
}

fn operand(shape: Shape, op: Op, word: &str, quoted: bool) -> Result<Operand, String> {
    if !quoted && word.eq_ignore_ascii_case("none") || word.is_empty() {
        return Ok(Operand::Nothing);
    }
    if matches!(op, Op::Like | Op::Unlike) {
        return Ok(Operand::Pattern(Pattern::new(word)));
    }
    match shape {
        Shape::Count | Shape::Bytes | Shape::Share | Shape::Progress | Shape::Speed | Shape::Span | Shape::Date => {
            quantity::read(shape, word).ok_or_else(|| quantity::hint(shape).with(&[word]))
        }
        Shape::Truth => quantity::truth(word).map(Operand::Truth).ok_or_else(|| Text::QueryTruth.with(&[word])),
        Shape::Name | Shape::State | Shape::Text | Shape::Code | Shape::Links | Shape::List => {
            Ok(Operand::Text(word.to_lowercase()))
        }
    }
}

fn unknown_field(id: &str, spec: &Spec) -> String {
    let id_lower = id.to_ascii_lowercase();
    let near = spec.columns.iter().map(|column| column.id).find(|known| {
        known.starts_with(&id_lower) || id_lower.starts_with(known) || (known.len() > 2 && distance(known, &id_lower) <= 2)
    });
    match near {
        Some(near) => Text::QueryDidYouMean.with(&[id, near]),
        None => Text::QueryNoField.with(&[id]),
    }
}

/// How many letters have to change, come, go or change places with their neighbours to make one word of another.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(64).collect();
    let b: Vec<char> = b.chars().take(64).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (at, letter) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(at + 1);
        for (column, other) in b.iter().enumerate() {
            let mut cost = (last[column] + usize::from(letter != other)).min(last[column + 1] + 1).min(row[column] + 1);
            let is_swapped = at > 0 && column > 0 && a[at - 1] == *other && b[column - 1] == *letter;
            if is_swapped && letter != other {
                cost = cost.min(before[column - 1] + 1);
            }
            row.push(cost);
        }
        before = core::mem::replace(&mut last, row);
    }
    last[b.len()]
}
