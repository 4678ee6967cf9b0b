//! The conversation with a server, with no I/O.
//!
//! `no_std` with `alloc`.
#![no_std]

extern crate alloc;

mod cache;

pub use cache::{Batch, Cache, Change, Loaded, Operation};
