//! The console without its page: what it remembers, what it shows, and how it says it.
//!
//! It knows no DOM, no fetch and no clock: everything here runs in ordinary tests. `xenoxide-web` draws what comes out.
//!
//! - [`state`]: what the console remembers, and a pure function that changes it.
//! - [`select`]: from the cache to rows, trees and facts, memoised by the revisions of the classes they are made of.
//! - [`recent`]: what has just changed.
//! - [`running`]: the tasks that run.
//! - [`tree`]: the objects beside the page, grouped and filtered.
//! - [`route`], [`format`], [`text`], [`explain`], [`badge`], [`theme`]: addresses, numbers, words, failures, ages, colours.
//! - [`language`]: English in the source, other languages as files.
//! - [`window`], [`viewport`]: the arithmetic of long lists and of large drawings.
#![no_std]

extern crate alloc;
// For what belongs to a thread: the language.
extern crate std;

pub mod analysis;
pub mod badge;
pub mod explain;
pub mod explorer;
pub mod format;
pub mod graph;
pub mod language;
pub mod lean;
pub mod object;
pub mod object_page;
pub mod overview;
pub mod palette;
pub mod query;
pub mod recent;
pub mod route;
pub mod running;
pub mod select;
pub mod state;
pub mod tables;
pub mod text;
pub mod theme;
pub mod title;
pub mod tree;
pub mod viewport;
pub mod window;

#[cfg(test)]
mod tests;
