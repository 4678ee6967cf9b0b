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

pub(crate) use open::{DropVeil, OpenLocal, Opening, What, use_opening};
pub(crate) use session::SessionPage;

#[cfg(test)]
pub(crate) use login::{LoginPage, Message};
#[cfg(test)]
pub(crate) use topology::{Picture, PictureProps};
