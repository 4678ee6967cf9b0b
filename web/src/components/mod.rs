//! Pieces that know no pool.

pub(crate) mod empty;
pub(crate) mod icons;
pub(crate) mod segments;
pub(crate) mod state;

pub(crate) use empty::empty;
pub(crate) use icons::{Mark, glyph, icon, mark};
pub(crate) use segments::{Segment, segments};
pub(crate) use state::{cell_view, state_view};
