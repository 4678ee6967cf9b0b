//! What hangs together with a node.

use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;

use crate::graph::Graph;

/// What lies on the directed paths through a node, to be highlighted while the rest dims.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Path {
    /// The nodes, the node itself among them.
    pub nodes: BTreeSet<usize>,
    /// The edges.
    pub edges: BTreeSet<usize>,
}

/// The nodes on the paths through a node: everything it leads to and everything that leads to it. Empty for a node that
/// is not there.
pub fn path_of(graph: &Graph, node: usize) -> BTreeSet<usize> {
    trace(graph, node).nodes
}

/// The nodes and edges on the paths through a node.
pub fn trace(graph: &Graph, node: usize) -> Path {
    trace_all(graph, &[node])
}

/// The nodes and edges on the paths through any of several nodes.
pub fn trace_all(graph: &Graph, nodes: &[usize]) -> Path {
    let starts: Vec<usize> = nodes.iter().copied().filter(|node| *node < graph.nodes.len()).collect();
    let ends: Vec<(usize, usize)> = graph.edges.iter().map(|edge| (edge.from, edge.to)).collect();
    let forth = reach(graph.nodes.len(), &ends, &starts, false);
    let back = reach(graph.nodes.len(), &ends, &starts, true);
    let nodes = (0..graph.nodes.len()).filter(|at| forth[*at] || back[*at]).collect();
    // An edge from what leads here to what is led to, past the node, is on no path through it.
    let on = |(from, to): (usize, usize)| (forth[from] && forth[to]) || (back[from] && back[to]);
    let edges = (0..ends.len()).filter(|at| on(ends[*at])).collect();
    Path { nodes, edges }
}

/// For each of `count` nodes, whether it lies on a path through any of `starts`.
pub(crate) fn through(count: usize, ends: &[(usize, usize)], starts: &[usize]) -> Vec<bool> {
    let (forth, back) = (reach(count, ends, starts, false), reach(count, ends, starts, true));
    forth.iter().zip(&back).map(|(a, b)| *a || *b).collect()
}

fn reach(count: usize, ends: &[(usize, usize)], starts: &[usize], reverse: bool) -> Vec<bool> {
    let mut steps: Vec<(usize, usize)> =
        ends.iter().map(|(from, to)| if reverse { (*to, *from) } else { (*from, *to) }).collect();
    steps.sort_unstable();
    let mut reached = vec![false; count];
    starts.iter().for_each(|start| reached[*start] = true);
    let mut todo = starts.to_vec();
    while let Some(at) = todo.pop() {
        let first = steps.partition_point(|(from, _)| *from < at);
        for (_, to) in steps[first..].iter().take_while(|(from, _)| *from == at) {
            if !reached[*to] {
                reached[*to] = true;
                todo.push(*to);
            }
        }
    }
    reached
}
