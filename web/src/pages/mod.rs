//! One file for each page.

mod login;
mod session;
mod shell;
pub(crate) mod tables;

pub(crate) use session::SessionPage;

#[cfg(test)]
pub(crate) use login::{LoginPage, Message};
