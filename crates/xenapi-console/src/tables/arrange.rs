//! The rows that a query lets through, in order; after a change, only what changed is looked at again.

use alloc::rc::Rc;
use alloc::vec::Vec;

use xenapi_client::Cache;

use super::facets::{self, Facet};
use super::rows::{Delta, Row, Rows};
use super::sort::Sort;
use super::spec::Spec;
use crate::query::Query;
use crate::route::Kind;

/// What is asked of a table.
#[derive(Clone, PartialEq, Debug)]
pub struct Ask {
    /// Which rows.
    pub query: Query,
    /// In which order.
    pub sort: Sort,
    /// What time it is, in seconds since 1970, for queries about ages. Only those look at it.
    pub now: i64,
}

/// A table that follows a cache.
pub struct Table {
    rows: Rows,
    asked: Option<Ask>,
    /// All rows in the order that was asked for, so that a query need not put them in order.
    ordered: Vec<Rc<Row>>,
    shown: Rc<Vec<Rc<Row>>>,
    /// Whether rows are still made for the first time.
    filling: bool,
    /// How many of those in order have been made ready for queries.
    ready: usize,
}

/// More changes than this are cheaper to arrange all at once.
const FEW: usize = 64;

/// Fewer rows than this are put in order in no time.
const MANY: usize = 1_000;

impl Table {
    /// An empty table.
    pub fn new(kind: Kind) -> Self {
        Table { rows: Rows::new(kind), asked: None, ordered: Vec::new(), shown: Rc::default(), filling: false, ready: 0 }
    }

    /// All rows, whatever was asked.
    pub fn all(&self) -> &Rows {
        &self.rows
    }

    /// What the table has.
    pub fn spec(kind: Kind) -> &'static Spec {
        Spec::of(kind)
    }

    /// What is to be shown now. The same `Rc` as before if nothing of it changed.
    pub fn update(&mut self, cache: &Cache, ask: &Ask) -> Rc<Vec<Rc<Row>>> {
        loop {
            if let Some(shown) = self.step(cache, ask, usize::MAX) {
                return shown;
            }
        }
    }

    /// The same, but while rows are made for the first time, at most so many of them; nothing as long as there are more to be made.
    pub fn step(&mut self, cache: &Cache, ask: &Ask, most: usize) -> Option<Rc<Vec<Rc<Row>>>> {
        let was_filling = self.filling;
        let (delta, more) = self.rows.step(cache, most);
        self.filling = more;
        // Putting thousands of rows in order deserves a turn of its own.
        if more || (was_filling && self.rows.len() > MANY) {
            return None;
        }
        let same_order = self.asked.as_ref().is_some_and(|asked| asked.sort == ask.sort);
        let same_query = self
            .asked
            .as_ref()
            .is_some_and(|asked| asked.query == ask.query && (asked.now == ask.now || !ask.query.asks_for_ages()));
        let many = delta.new.len() + delta.gone.len() > FEW;
        if !same_order || many {
            self.ordered = self.rows.iter().cloned().collect();
            // The order is total, so it need not be stable.
            self.ordered.sort_unstable_by(|a, b| ask.sort.order(a, b));
            self.ready = 0;
        } else {
            patch(&mut self.ordered, &delta, ask, |_| true);
        }
        if !same_order || many || !same_query {
            let shown = self.ordered.iter().filter(|row| ask.query.matches(row, ask.now));
            self.shown = Rc::new(shown.cloned().collect());
        } else if concerns(&self.shown, &delta, ask) {
            let mut shown = (*self.shown).clone();
            patch(&mut shown, &delta, ask, |row| ask.query.matches(row, ask.now));
            self.shown = Rc::new(shown);
        }
        self.asked = Some(ask.clone());
        Some(self.shown.clone())
    }

    /// Makes so many rows ready to be asked for words, before somebody types them. Whether there are more.
    pub fn prepare(&mut self, rows: usize) -> bool {
        let end = self.ready.saturating_add(rows).min(self.ordered.len());
        for row in self.ordered.get(self.ready..end).unwrap_or_default() {
            row.haystack();
        }
        self.ready = end;
        end < self.ordered.len()
    }

    /// The values of a column, as [`facet`] has them, after what was asked last.
    pub fn facet(&self, id: &str) -> Vec<Facet> {
        let Some(Ask { query, now, .. }) = &self.asked else { return Vec::new() };
        let spec = self.rows.spec();
        match spec.column(id) {
            // What the rest of the query lets through is what is shown.
            Some(column) if query.without(column) == *query => facets::of_shown(self.shown.iter(), column, query),
            _ => facets::facet(&self.rows, spec, id, query, *now),
        }
    }
}

/// Whether any of the rows that are gone is shown, or any new one is to be.
fn concerns(shown: &[Rc<Row>], delta: &Delta, ask: &Ask) -> bool {
    let is_gone = |row: &Rc<Row>| delta.gone.contains(&row.object.reference);
    (!delta.gone.is_empty() && shown.iter().any(is_gone)) || delta.new.iter().any(|row| ask.query.matches(row, ask.now))
}

/// Takes out of rows in order what is gone, and puts in what is new.
fn patch(rows: &mut Vec<Rc<Row>>, delta: &Delta, ask: &Ask, fits: impl Fn(&Row) -> bool) {
    if !delta.gone.is_empty() {
        rows.retain(|row| !delta.gone.contains(&row.object.reference));
    }
    for row in delta.new.iter().filter(|row| fits(row)) {
        let at = rows.partition_point(|other| ask.sort.order(other, row).is_lt());
        rows.insert(at, row.clone());
    }
}
