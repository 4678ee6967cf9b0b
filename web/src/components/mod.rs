//! Pieces that know no pool.

pub(crate) mod empty;
pub(crate) mod icons;
pub(crate) mod segments;
pub(crate) mod state;

pub(crate) use empty::Empty;
pub(crate) use icons::{Glyph, IconView, Mark};
pub(crate) use segments::Segments;
pub(crate) use state::{CellView, StateView};
