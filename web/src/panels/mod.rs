//! Pieces that know what a pool is.

mod account;
mod details;
mod freshness;
mod kinds;
mod palette_keys;
mod switches;
mod tasks;
mod topbar;
mod tree;

pub(crate) use account::Account;
pub(crate) use details::DetailsPanel;
pub(crate) use freshness::StaleNote;
pub(crate) use kinds::Kinds;
pub(crate) use palette_keys::PaletteKeys;
pub(crate) use switches::{LanguageSwitch, ThemeSwitch, speak};
pub(crate) use tasks::TasksButton;
pub(crate) use topbar::TopBar;
pub(crate) use tree::{TreePanel, space};
