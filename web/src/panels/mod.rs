//! Pieces that know what a pool is.

mod details;
mod freshness;
mod picture;
mod stage;
mod switches;
mod tasks;
mod topbar;
mod topology;
mod tree;

pub(crate) use details::DetailsPanel;
pub(crate) use freshness::StaleNote;
pub(crate) use switches::{LanguageSwitch, ThemeSwitch};
pub(crate) use topbar::{Kinds, TopBar};
pub(crate) use topology::TopologyPanel;
pub(crate) use tree::{TreePanel, space};

#[cfg(test)]
pub(crate) use picture::{Picture, PictureProps};
#[cfg(test)]
pub(crate) use topology::draw;
