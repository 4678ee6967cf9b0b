//! The graph of a pool: what hangs on what, laid out and drawn.
//!
//! [`graph`] looks at a cache through a [`Lens`], folds siblings and answers a [`Graph`]; [`layout`] gives every node its place;
//! [`svg`], [`dot`], [`mermaid`] and [`json`] write it down. All of it is a pure function: the same pool gives the same picture,
//! and a small change moves few nodes. What is not in the data is drawn as unknown, never as absent.
//!
//! [`impact`] answers what stops if something fails, and what are the single points of failure.
//!
//! ```
//! use xenapi_client::Cache;
//! use xenapi_core::Ref;
//! use xenapi_model::{VM, vm, vm::VmPowerState};
//! use xenapi_topology::{Lens, Metrics, Options, State, Theme, graph, layout, svg};
//!
//! let mut cache = Cache::new();
//! let record = vm::Record { name_label: "web".into(), power_state: VmPowerState::Halted, ..Default::default() };
//! cache.insert::<VM>(Ref::new("OpaqueRef:1"), record);
//!
//! let graph = graph(&cache, Lens::Compute, &Options::default());
//! let web = graph.nodes.iter().find(|node| node.label == "web").expect("it was put in");
//! assert_eq!(web.state, State::Halted);
//! assert!(graph.columns[1].unknown, "nobody loaded the hosts");
//!
//! let picture = svg(&graph, &layout(&graph, &Metrics::default()), Theme::Dark);
//! assert!(picture.starts_with("<svg"));
//! ```
//!
//! `no_std` with `alloc`.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod build;
mod detail;
mod draft;
mod export;
mod filter;
mod fold;
mod graph;
pub mod impact;
mod layout;
mod lens;
mod order;
mod path;
mod place;
mod sift;
mod state;
mod svg;
pub mod text;
pub mod theme;
mod walk;
mod words;

pub use build::graph;
pub use export::{dot, json, mermaid};
pub use filter::Filter;
pub use graph::{Column, ColumnKind, Edge, Graph, Lens, Node, NodeId, NodeKind, Options, Tally, UnknownLens};
pub use layout::{
    Curve, LABEL_INDENT, Labels, Layout, Metrics, PADDING, PlacedColumn, Point, Rect, Segment, layout, shown_tally,
    tally_entry_width,
};
pub use path::{Path, path_of, trace, trace_all};
pub use state::{EdgeState, State};
pub use svg::svg;
pub use theme::Theme;
pub use walk::{Direction, Walk};
pub use words::{Counted, English, Language, Name, Word};

#[cfg(test)]
mod tests;
