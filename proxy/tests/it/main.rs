//! The commands as processes: what they print, how they end, and what goes over real sockets.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod calls;
mod exits;
mod following;
mod golden;
mod harness;
mod passwords;
mod proxy;
mod shells;
mod usage;
