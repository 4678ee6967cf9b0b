//! End-to-end tests: real processes, real clients, a real browser. `cargo xtask test` installs what they need and says where it is.
#![allow(clippy::unwrap_used, clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "tests")]

mod again;
mod axe;
mod bad_input;
mod browser;
mod console;
mod explorer;
mod harness;
mod impact;
mod narrow;
mod node;
mod object;
mod overview;
mod pages;
mod palette;
mod parts;
mod people;
mod recordings;
mod screenshots;
mod sdk;
mod tables;
mod topology;
mod xmlrpc_client;
