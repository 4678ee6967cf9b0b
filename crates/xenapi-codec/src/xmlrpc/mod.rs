//! XML-RPC: the calls, replies and values of xapi as bytes.
//!
//! As a server: [`read_call`], then [`write_success`] or [`write_failure`]. As a client: [`write_call`], then [`read_result`], or
//! [`read_reply`] for a result that is streamed. The result of a task is a lone value: [`read_value_as`].

mod write;

#[cfg(feature = "std")]
mod document;
#[cfg(feature = "std")]
mod reader;
#[cfg(feature = "std")]
mod source;

pub use write::{XmlWriter, write_bare, write_call, write_failure, write_success, write_value_text};

#[cfg(feature = "std")]
pub use document::{Outcome, read_call, read_reply, read_result, read_value_as, read_value_text};
#[cfg(feature = "std")]
pub use reader::XmlReader;
