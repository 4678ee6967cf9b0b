//! The pool at a glance: what is wrong with it first, then what it is made of and how full it is, then what happened last.
//!
//! Each part is a function of the cache with the classes that it reads beside it, so that a change of others costs nothing.

mod capacity;
mod health;
mod points;
mod recent;
#[cfg(test)]
mod tests;

pub use capacity::{Capacity, Gauge, OF_CAPACITY, Storage, capacity};
pub use health::{FULL, Finding, OF_HEALTH, health};
pub use points::{Point, name_points};
pub use recent::{Count, Happening, OF_COUNTS, OF_RECENT, counts, recent};

use alloc::string::String;

use crate::route::{Kind, Query, Route, View};
use crate::state::FILTER;

/// Where a finding or a number leads: a table, and what of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Go {
    /// The table.
    pub kind: Kind,
    /// What of it, in the language of its query box.
    pub filter: &'static str,
}

impl Go {
    /// The address.
    pub fn route(&self, pool: Option<String>) -> Route {
        let mut query = Query::new();
        if !self.filter.is_empty() {
            query.insert(FILTER.into(), self.filter.into());
        }
        Route { query, ..Route::to(pool, View::Table(self.kind)) }
    }
}
