//! What the benchmarks share: generated pools, and tables of results.

mod corpus;
mod table;

pub use corpus::{reply_with_vms, vms};
pub use table::Table;
