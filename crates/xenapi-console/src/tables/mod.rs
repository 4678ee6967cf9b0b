//! Tables of every kind of object: what they show, in which order, and what of it.
//!
//! A kind is data ([`Spec`]): its columns, and a function that makes cells of a record. [`Table`] follows the cache row by row: an
//! event costs what it changes, not what there is.

mod arrange;
mod columns;
mod export;
mod facets;
mod kinds;
mod rows;
mod select;
mod sort;
mod spec;
#[cfg(test)]
mod tests;
mod value;

pub use arrange::{Ask, Table};
pub use columns::{Chosen, Columns};
pub use export::{csv, json, tsv};
pub use facets::{Facet, chosen, facet, toggle};
pub use rows::{Row, Rows};
pub use select::{Move, Selection};
pub use sort::{Key, Sort};
pub use spec::{Column, Shape, Spec};
pub use value::{Link, Value, rfc3339};

pub(crate) use kinds::{about, severity, short};
