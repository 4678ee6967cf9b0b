//! One file for each page.

mod explorer;
mod impact;
mod login;
mod session;
mod shell;
mod topology;

pub(crate) use session::SessionPage;

#[cfg(test)]
pub(crate) use login::{LoginPage, Message};
#[cfg(test)]
pub(crate) use topology::{Picture, PictureProps};
