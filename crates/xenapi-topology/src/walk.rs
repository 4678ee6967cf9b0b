//! Walking through a drawing with the arrow keys.

use alloc::vec::Vec;

use crate::graph::Graph;
use crate::layout::Layout;

/// Where to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// To the next one above.
    Up,
    /// To the next one below.
    Down,
    /// Along a connection to the left.
    Left,
    /// Along a connection to the right.
    Right,
    /// To the first of the column.
    First,
    /// To the last of the column.
    Last,
}

/// Where one stands in a drawing, and along which connection one came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Walk {
    /// The node.
    pub at: usize,
    /// The node that one came from by a connection: up and down go through its other neighbours first.
    pub from: Option<usize>,
}

impl Walk {
    /// Begins at a node.
    pub fn at(node: usize) -> Self {
        Walk { at: node, from: None }
    }

    /// Where a step leads. Where it leads nowhere one stays; one who stands nowhere begins at the first node. None in an empty drawing.
    pub fn step(graph: &Graph, layout: &Layout, walk: Option<Walk>, direction: Direction) -> Option<Walk> {
        let Some(walk) = walk.filter(|walk| walk.at < graph.nodes.len()) else {
            return (!graph.nodes.is_empty()).then_some(Walk::at(0));
        };
        let next = match direction {
            Direction::Up | Direction::Down => vertically(graph, layout, walk, direction),
            Direction::Left | Direction::Right => along(graph, layout, walk, direction),
            Direction::First | Direction::Last => Walk::at(end(graph, layout, walk.at, direction)),
        };
        Some(next)
    }
}

fn middle(layout: &Layout, at: usize) -> f64 {
    layout.nodes[at].left().y
}

/// What a node is connected with.
fn neighbours(graph: &Graph, node: usize) -> impl Iterator<Item = usize> {
    graph.edges.iter().filter_map(move |edge| match (edge.from == node, edge.to == node) {
        (true, _) => Some(edge.to),
        (_, true) => Some(edge.from),
        _ => None,
    })
}

/// The nearest of some nodes by height, the upper of two that are equally near.
fn nearest(layout: &Layout, from: usize, nodes: impl Iterator<Item = usize>) -> Option<usize> {
    let here = middle(layout, from);
    let far = |at: usize| (middle(layout, at) - here).abs();
    nodes.min_by(|a, b| far(*a).total_cmp(&far(*b)).then_with(|| middle(layout, *a).total_cmp(&middle(layout, *b))))
}

fn vertically(graph: &Graph, layout: &Layout, walk: Walk, direction: Direction) -> Walk {
    let (column, here) = (graph.nodes[walk.at].column, middle(layout, walk.at));
    let beyond = |at: &usize| {
        let there = middle(layout, *at);
        graph.nodes[*at].column == column && if direction == Direction::Up { there < here } else { there > here }
    };
    if let Some(from) = walk.from.filter(|from| *from < graph.nodes.len()) {
        let next = nearest(layout, walk.at, neighbours(graph, from).filter(beyond));
        if let Some(at) = next {
            return Walk { at, from: walk.from };
        }
    }
    match nearest(layout, walk.at, (0..graph.nodes.len()).filter(beyond)) {
        Some(at) => Walk::at(at),
        None => walk,
    }
}

fn along(graph: &Graph, layout: &Layout, walk: Walk, direction: Direction) -> Walk {
    let column = graph.nodes[walk.at].column;
    let beyond = |at: &usize| {
        let there = graph.nodes[*at].column;
        if direction == Direction::Left { there < column } else { there > column }
    };
    // Back the way one came, to where one came from and not to some neighbour of it.
    if let Some(from) = walk.from.filter(|from| *from < graph.nodes.len() && beyond(from)) {
        return Walk { at: from, from: Some(walk.at) };
    }
    let connected: Vec<usize> = neighbours(graph, walk.at).filter(beyond).collect();
    let distance = |at: usize| graph.nodes[at].column.abs_diff(column);
    let closest = connected.iter().map(|at| distance(*at)).min();
    if let Some(at) = nearest(layout, walk.at, connected.iter().copied().filter(|at| Some(distance(*at)) == closest)) {
        return Walk { at, from: Some(walk.at) };
    }
    // What hangs on nothing must not be a trap.
    let all = || (0..graph.nodes.len()).filter(beyond);
    let closest = all().map(distance).min();
    match nearest(layout, walk.at, all().filter(|at| Some(distance(*at)) == closest)) {
        Some(at) => Walk::at(at),
        None => walk,
    }
}

fn end(graph: &Graph, layout: &Layout, from: usize, direction: Direction) -> usize {
    let column = (0..graph.nodes.len()).filter(|at| graph.nodes[*at].column == graph.nodes[from].column);
    let order = |a: &usize, b: &usize| middle(layout, *a).total_cmp(&middle(layout, *b));
    let end = if direction == Direction::First { column.min_by(order) } else { column.max_by(order) };
    end.unwrap_or(from)
}
