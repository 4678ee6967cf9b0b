//! The commands as processes: what they print, how they end, and what goes over real sockets.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod calls;
mod harness;
mod proxy;
mod usage;
