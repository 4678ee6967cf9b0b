//! One file for each page.

mod login;
mod open;
mod session;
mod shell;

pub(crate) use open::{DropVeil, OpenLocal, Opening, What, use_opening};
pub(crate) use session::SessionPage;

#[cfg(test)]
pub(crate) use login::{LoginPage, Message};
