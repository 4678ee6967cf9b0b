//! Quick filters: the values of a column with how many rows have each, as terms of the query.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_topology::State;

use super::rows::{Row, Rows};
use super::spec::Spec;
use super::value::Value;
use crate::format;
use crate::query::{self, Query};
use crate::text;

/// A value of a column, to filter by.
#[derive(Clone, PartialEq, Debug)]
pub struct Facet {
    /// The value as the query language has it.
    pub word: String,
    /// What it says.
    pub label: String,
    /// The shape beside it.
    pub state: Option<State>,
    /// How many rows have it, of those that everything else in the query lets through.
    pub count: usize,
    /// Whether the query asks for it.
    pub chosen: bool,
}

/// Values beyond these are found by typing.
const LISTED: usize = 40;

/// The values of a column, the most frequent first; states in their own order.
pub fn facet(rows: &Rows, spec: &Spec, id: &str, query: &Query, now: i64) -> Vec<Facet> {
    let Some(column) = spec.column(id) else { return Vec::new() };
    let others = query.without(column);
    of_shown(rows.iter().filter(|row| others.matches(row, now)), column, query)
}

/// The same, of rows that everything else in the query has let through.
pub(super) fn of_shown<'a>(rows: impl Iterator<Item = &'a Rc<Row>>, column: usize, query: &Query) -> Vec<Facet> {
    let chosen = query.words_of(column);
    let mut counts: BTreeMap<String, (usize, String, Option<State>)> = BTreeMap::new();
    for row in rows {
        let mut add = |word: &str, label: &str, state| match counts.get_mut(word) {
            Some(entry) => entry.0 += 1,
            None => drop(counts.insert(word.into(), (1, label.into(), state))),
        };
        match &row.cells[column] {
            Value::State(state) => add(state.name(), text::state(*state).get(), Some(*state)),
            Value::Status(state, word) => add(word.english(), word.get(), Some(*state)),
            Value::Links(links) => links.iter().for_each(|link| add(&link.name, &link.name, None)),
            Value::List(words) => words.iter().for_each(|word| add(word, word, None)),
            Value::Truth(truth) => add(if *truth { "yes" } else { "no" }, &row.cells[column].show(), None),
            Value::Nothing | Value::Unknown => {}
            other => add(&other.show(), &other.show(), None),
        }
    }
    let is_chosen = |word: &str| chosen.iter().any(|it| it.eq_ignore_ascii_case(word));
    // What was chosen stays, so that it can be taken back.
    for word in &chosen {
        if !counts.keys().any(|key| key.eq_ignore_ascii_case(word)) {
            counts.insert(word.clone(), (0, word.clone(), None));
        }
    }
    let facets = counts.into_iter().map(|(word, (count, label, state))| Facet {
        chosen: is_chosen(&word),
        word,
        label,
        state,
        count,
    });
    let mut facets: Vec<Facet> = facets.collect();
    facets.sort_by(|a, b| {
        let by_state = a.state.cmp(&b.state);
        by_state.then_with(|| b.count.cmp(&a.count)).then_with(|| format::natural_cmp(&a.label, &b.label))
    });
    facets.truncate(LISTED);
    facets
}

/// The query with a value added to what is asked of a column, or taken out of it.
pub fn toggle(text: &str, spec: &Spec, id: &str, word: &str) -> String {
    let Some(column) = spec.column(id) else { return text.into() };
    let query = Query::parse(text, spec);
    let mut words = query.words_of(column);
    match words.iter().position(|it| it.eq_ignore_ascii_case(word)) {
        Some(at) => drop(words.remove(at)),
        None => words.push(word.into()),
    }
    query::replace(text, &query, column, &words, spec)
}

/// The values that a query wants a column to have.
pub fn chosen(query: &Query, spec: &Spec, id: &str) -> Vec<String> {
    spec.column(id).map(|column| query.words_of(column)).unwrap_or_default()
}
