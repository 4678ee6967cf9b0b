//! What pages say, on pools that the simulator makes.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod fields;
mod page;
mod paths;
mod pool;
