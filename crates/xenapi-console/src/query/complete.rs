//! What could come next in the query box.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::Range;

use super::{OPS, Query, quoted, split, tokens};
use crate::tables::{self, Rows, Shape, Spec};
use crate::text::Text;

/// Something that could stand there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Suggestion {
    /// What is put in.
    pub insert: String,
    /// What it says.
    pub label: String,
    /// A few words more: what a field is, how many rows have a value.
    pub note: String,
}

/// What could come next, and what it would take the place of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Completion {
    /// The part of the text, in bytes.
    pub range: Range<usize>,
    /// The most fitting first.
    pub suggestions: Vec<Suggestion>,
}

impl Completion {
    /// The text with a suggestion in its place, and where the cursor is then, in bytes.
    pub fn apply(&self, text: &str, at: usize) -> Option<(String, usize)> {
        let suggestion = self.suggestions.get(at)?;
        let before = text.get(..self.range.start)?;
        let after = text.get(self.range.end..)?;
        Some((alloc::format!("{before}{}{after}", suggestion.insert), before.len() + suggestion.insert.len()))
    }
}

/// So many suggestions fit a glance.
const LISTED: usize = 10;

/// What could come where the cursor is (`at`, in bytes). Fields are offered once a letter of them was typed, or with `eager`.
pub fn complete(text: &str, at: usize, spec: &Spec, rows: &Rows, eager: bool) -> Option<Completion> {
    let before = text.get(..at)?;
    let token = tokens(before).pop().filter(|token| token.range.end == at);
    let start = token.map_or(at, |token| token.range.start);
    let typed = &before[start..];
    let sign = usize::from(typed.starts_with(['!', '-']) && typed.len() > 1);
    let start = start + sign;
    let typed = &typed[sign..];
    let completion = match split(typed) {
        Some((id, op, values)) => {
            let column = spec.column(id)?;
            let last = values.rfind(',').map_or(0, |comma| comma + 1);
            let partial = &values[last..];
            let range = at - partial.len()..at;
            let exact = !matches!(op, super::Op::Like | super::Op::Unlike);
            Completion { range, suggestions: if exact { of_values(spec, column, partial, rows) } else { Vec::new() } }
        }
        None if typed.is_empty() && !eager => return None,
        None => Completion { range: start..at, suggestions: of_fields(spec, typed) },
    };
    (!completion.suggestions.is_empty()).then_some(completion)
}

fn of_fields(spec: &Spec, typed: &str) -> Vec<Suggestion> {
    let typed = typed.to_lowercase();
    let ranked = spec.columns.iter().filter_map(|column| {
        let title = column.title.get().to_lowercase();
        match (column.id.starts_with(&typed), title.starts_with(&typed)) {
            (true, _) => Some((0, column)),
            (false, true) => Some((1, column)),
            _ => None,
        }
    });
    let mut ranked: Vec<(u8, &tables::Column)> = ranked.collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    let suggestions = ranked.into_iter().map(|(_, column)| {
        let op = match column.shape {
            shape if shape.is_number() || shape == Shape::Date => ">",
            Shape::Truth => "",
            _ => OPS[4].0,
        };
        Suggestion {
            insert: [column.id, op].concat(),
            label: [column.id, op].concat(),
            note: column.title.get().to_string(),
        }
    });
    suggestions.take(LISTED).collect()
}

fn of_values(spec: &Spec, column: usize, partial: &str, rows: &Rows) -> Vec<Suggestion> {
    let wanted = partial.trim_matches('"').to_lowercase();
    let shape = spec.columns[column].shape;
    if matches!(shape, Shape::Truth) {
        let words = ["yes", "no"].into_iter().filter(|word| word.starts_with(&wanted));
        return words.map(|word| Suggestion { insert: word.into(), label: word.into(), note: String::new() }).collect();
    }
    if shape.is_number() || shape == Shape::Date {
        if !partial.is_empty() {
            return Vec::new();
        }
        let examples: &[&str] = match shape {
            Shape::Bytes => &["512MiB", "4GiB", "1TiB"],
            Shape::Share | Shape::Progress => &["50%", "85%"],
            Shape::Speed => &["1G", "10G"],
            Shape::Span => &["10s", "5m"],
            Shape::Date => &["1h", "1d", "1w"],
            _ => &[],
        };
        let note = if shape == Shape::Date { Text::QueryAgo } else { Text::QueryExample };
        let example = |word: &&str| Suggestion { insert: (*word).into(), label: (*word).into(), note: note.get().into() };
        return examples.iter().map(example).collect();
    }
    let facets = tables::facet(rows, spec, spec.columns[column].id, &Query::default(), 0);
    let fitting = facets
        .into_iter()
        .filter(|facet| facet.word.to_lowercase().contains(&wanted) && facet.word.to_lowercase() != wanted);
    let mut fitting: Vec<_> = fitting.collect();
    // What begins so comes before what merely has it.
    fitting.sort_by_key(|facet| !facet.word.to_lowercase().starts_with(&wanted));
    let suggestion = |facet: tables::Facet| Suggestion {
        insert: quoted(&facet.word),
        label: facet.label,
        note: crate::format::count(facet.count),
    };
    fitting.into_iter().take(LISTED).map(suggestion).collect()
}
