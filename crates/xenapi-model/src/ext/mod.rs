//! What is written by hand beside the generated modules.

mod event;
pub mod vm_kind;

pub use event::EventBatch;
