//! One file for each page.

mod explorer;
mod impact;
mod login;
pub(crate) mod object;
mod open;
mod overview;
mod palette;
mod session;
mod shell;
pub(crate) mod tables;
mod topology;

pub(crate) use explorer::ExplorerPage;
pub(crate) use impact::ImpactPage;
pub(crate) use object::ObjectPage;
pub(crate) use open::{DropVeil, OpenLocal, Opening, What, use_opening};
pub(crate) use overview::Points;
pub(crate) use palette::Palette;
pub(crate) use session::SessionPage;
pub(crate) use tables::TablePage;
pub(crate) use topology::TopologyPage;

#[cfg(test)]
pub(crate) use login::{LoginPage, Message};
#[cfg(test)]
pub(crate) use topology::{Picture, PictureProps};
