//! The order of a table, by several columns.

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::rows::Row;
use super::spec::Spec;
use super::value::Value;
use crate::format;

/// A column, and which way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    /// Its place among the columns of the kind.
    pub column: usize,
    /// The greatest first.
    pub descending: bool,
}

/// The order of a table: by the first key, where that is the same by the second, and so on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sort(pub Vec<Key>);

/// More keys than anybody means.
const KEYS: usize = 4;

impl Sort {
    /// Reads `-memory,name`. What is no column of the kind is left out.
    pub fn parse(text: &str, spec: &Spec) -> Sort {
        let mut keys: Vec<Key> = Vec::new();
        for word in text.split(',') {
            let (descending, id) = word.strip_prefix('-').map_or((false, word), |id| (true, id));
            if let Some(column) = spec.column(id)
                && keys.iter().all(|key| key.column != column)
                && keys.len() < KEYS
            {
                keys.push(Key { column, descending });
            }
        }
        Sort(keys)
    }

    /// The order that an address asks for, or the one that the kind begins with.
    pub fn of(text: Option<&str>, spec: &Spec) -> Sort {
        let asked = text.map(|text| Sort::parse(text, spec)).unwrap_or_default();
        if asked.0.is_empty() { Sort::parse(spec.sort, spec) } else { asked }
    }

    /// As in an address.
    pub fn write(&self, spec: &Spec) -> String {
        let mut text = String::new();
        for key in &self.0 {
            if !text.is_empty() {
                text.push(',');
            }
            if key.descending {
                text.push('-');
            }
            text.push_str(spec.columns[key.column].id);
        }
        text
    }

    /// What a click on a heading means: that column, or the other way if it is that one already. With `more`, the column is added
    /// to those by which the table is in order; a third click takes it out again.
    #[must_use]
    pub fn by(&self, column: usize, more: bool) -> Sort {
        let fresh = Key { column, descending: false };
        let turned = |key: &Key| Key { descending: !key.descending, ..*key };
        if !more {
            let key = match self.0.as_slice() {
                [key, ..] if key.column == column => turned(key),
                _ => fresh,
            };
            return Sort([key].into());
        }
        let mut keys = self.0.clone();
        match keys.iter().position(|key| key.column == column) {
            None if keys.len() < KEYS => keys.push(fresh),
            Some(at) if keys[at].descending && keys.len() > 1 => drop(keys.remove(at)),
            Some(at) => keys[at] = turned(&keys[at]),
            None => {}
        }
        Sort(keys)
    }

    /// By how many columns.
    pub fn depth(&self) -> usize {
        self.0.len()
    }

    /// Which key a column is, from 0, and which way.
    pub fn place(&self, column: usize) -> Option<(usize, bool)> {
        self.0.iter().position(|key| key.column == column).map(|at| (at, self.0[at].descending))
    }

    /// The order of two rows. It is total, so that rows do not dance.
    pub fn order(&self, a: &Row, b: &Row) -> Ordering {
        let keys = self.0.iter().map(|key| {
            let (left, right) = (&a.cells[key.column], &b.cells[key.column]);
            let order = left.order(right);
            // What is absent or unknown stands at the end, whichever way.
            let is_last = |value: &Value| matches!(value, Value::Nothing | Value::Unknown);
            if key.descending && !is_last(left) && !is_last(right) { order.reverse() } else { order }
        });
        // Lazily: the second key counts only where the first says nothing.
        let mut order = Ordering::Equal;
        for next in keys {
            order = next;
            if order != Ordering::Equal {
                return order;
            }
        }
        order.then_with(|| format::natural_cmp(&a.name, &b.name)).then_with(|| a.object.cmp(&b.object))
    }
}
