//! Pieces that know what a pool is.

mod details;
mod picture;
mod stage;
mod switches;
mod topbar;
mod topology;
mod tree;
mod vms;

pub(crate) use details::DetailsPanel;
pub(crate) use switches::{LanguageSwitch, ThemeSwitch};
pub(crate) use topbar::{StaleNote, TopBar};
pub(crate) use topology::TopologyPanel;
pub(crate) use tree::TreePanel;
pub(crate) use vms::VmsPanel;

#[cfg(test)]
pub(crate) use picture::{Picture, PictureProps};
#[cfg(test)]
pub(crate) use topology::draw;
