//! The topology and the impact pages without a DOM: what is drawn, what is said, what is painted.
//!
//! - [`drawing`]: from the cache to shapes and lines, sharing what did not change; [`rows`]: the same as a table.
//! - [`said`]: names and details in the reader's language.
//! - [`filters`]: what the address leaves out.
//! - [`scene`]: what of a large drawing is in sight; [`sheet`]: which part of it is painted ahead; [`plan`]: in which steps.
//! - [`minimap`]: all of it, small.
//! - [`impact`]: what fails, as it stands in the address, and what follows from it in words.

pub mod drawing;
pub mod filters;
pub mod impact;
pub mod minimap;
pub mod plan;
pub mod rows;
pub mod said;
pub mod scene;
pub mod sheet;

pub use drawing::{Drawing, Line, OF_TOPOLOGY, Shape, Wanted, draw, icon_of};
pub use rows::{TopologyRow, topology_rows};
