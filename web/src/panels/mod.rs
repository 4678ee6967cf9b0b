//! Pieces that know what a pool is.

mod details;
mod freshness;
mod palette_keys;
mod switches;
mod tasks;
mod topbar;
mod tree;

pub(crate) use details::DetailsPanel;
pub(crate) use freshness::StaleNote;
pub(crate) use palette_keys::PaletteKeys;
pub(crate) use switches::{LanguageSwitch, ThemeSwitch, speak};
pub(crate) use topbar::{Kinds, TopBar};
pub(crate) use tree::{TreePanel, space};
