//! What is written by hand beside the generated modules.

mod event;
#[cfg(feature = "docs")]
pub mod in_rust;
pub mod vm_kind;

pub use event::EventBatch;
