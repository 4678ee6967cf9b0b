//! Pieces that know no pool.

pub(crate) mod disclosure;
pub(crate) mod empty;
pub(crate) mod icons;
pub(crate) mod link;
pub(crate) mod segments;
pub(crate) mod state;

pub(crate) use disclosure::Disclosure;
pub(crate) use empty::empty;
pub(crate) use icons::{Mark, glyph, icon, mark};
pub(crate) use link::Link;
pub(crate) use segments::{Segment, segments};
pub(crate) use state::{cell_view, state_view};
