//! Tests over made-up pools.
#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

mod chaos;
mod export;
mod folding;
mod geometry;
mod impact;
mod lenses;
mod recordings;
mod sample;
mod survey;
mod views;

use crate::{EdgeState, Graph, Node};

/// The node of that name.
fn named<'g>(graph: &'g Graph, label: &str) -> &'g Node {
    let mut found = graph.nodes.iter().filter(|node| node.label == label);
    let node = found.next().unwrap_or_else(|| panic!("{label:?} is not in {:?}", labels(graph)));
    assert!(found.next().is_none(), "{label:?} is there twice");
    node
}

fn labels(graph: &Graph) -> alloc::vec::Vec<&str> {
    graph.nodes.iter().map(|node| node.label.as_str()).collect()
}

fn has(graph: &Graph, label: &str) -> bool {
    graph.nodes.iter().any(|node| node.label == label)
}

/// The state of the edge between two nodes.
fn edge(graph: &Graph, from: &str, to: &str) -> Option<EdgeState> {
    let (from, to) = (named(graph, from), named(graph, to));
    let is = |at: usize, node: &Node| graph.nodes[at].id == node.id;
    graph.edges.iter().find(|edge| is(edge.from, from) && is(edge.to, to)).map(|edge| edge.state)
}
