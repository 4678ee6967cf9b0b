//! What the benchmarks share: documents, what is measured on them, and the table of results.
//!
//! `cargo xtask bench codec` prints the table. `README.md` here holds one, with what it means.

#![allow(
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    reason = "programs that always have std: two crate roots for one import say nothing here"
)]

mod document;
mod goals;
mod ours;
pub mod outside;
mod peers;
mod subject;
mod table;
mod timing;

pub use document::Document;
pub use goals::goals;
pub use subject::{Subject, Task, Work, find, subjects};
pub use table::{Row, markdown};
pub use timing::{Samples, interleaved};
pub use xenapi_corpus::{Content, Order};
