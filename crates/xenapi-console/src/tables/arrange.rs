//! The rows that a query lets through, in order; after a change, only what changed is looked at again.

use alloc::rc::Rc;
use alloc::vec::Vec;

use xenapi_client::Cache;

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
    shown: Rc<Vec<Rc<Row>>>,
}

/// More changes than this are cheaper to arrange all at once.
const FEW: usize = 64;

impl Table {
    /// An empty table.
    pub fn new(kind: Kind) -> Self {
        Table { rows: Rows::new(kind), asked: None, shown: Rc::default() }
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
        let delta = self.rows.update(cache);
        let same = self.asked.as_ref().is_some_and(|asked| {
            asked.query == ask.query && asked.sort == ask.sort && (asked.now == ask.now || !ask.query.asks_for_ages())
        });
        if !same || delta.new.len() + delta.gone.len() > FEW {
            self.shown = Rc::new(arrange(&self.rows, ask));
        } else if !delta.new.is_empty() || !delta.gone.is_empty() {
            self.patch(&delta, ask);
        }
        self.asked = Some(ask.clone());
        self.shown.clone()
    }

    fn patch(&mut self, delta: &Delta, ask: &Ask) {
        let kept = self.shown.iter().filter(|row| !delta.gone.contains(&row.object.reference));
        let mut shown: Vec<Rc<Row>> = kept.cloned().collect();
        let mut is_same = shown.len() == self.shown.len();
        for row in delta.new.iter().filter(|row| ask.query.matches(row, ask.now)) {
            let at = shown.partition_point(|other| ask.sort.order(other, row).is_lt());
            shown.insert(at, row.clone());
            is_same = false;
        }
        if !is_same {
            self.shown = Rc::new(shown);
        }
    }
}

fn arrange(rows: &Rows, ask: &Ask) -> Vec<Rc<Row>> {
    let mut shown: Vec<Rc<Row>> = rows.iter().filter(|row| ask.query.matches(row, ask.now)).cloned().collect();
    // The order is total, so it need not be stable.
    shown.sort_unstable_by(|a, b| ask.sort.order(a, b));
    shown
}
