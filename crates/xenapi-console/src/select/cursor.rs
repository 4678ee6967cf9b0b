//! Moving through a drawing with the arrow keys.

use xenapi_topology::{Graph, Layout};

/// Where to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// To the node above, in the same column.
    Up,
    /// To the node below, in the same column.
    Down,
    /// To the nearest node of the column to the left.
    Left,
    /// To the nearest node of the column to the right.
    Right,
}

/// The node that an arrow key leads to. The node itself where there is none in that direction; the first where one stands on
/// none. None in an empty drawing.
pub fn step(graph: &Graph, layout: &Layout, from: Option<usize>, direction: Direction) -> Option<usize> {
    let Some(from) = from.filter(|at| *at < graph.nodes.len()) else {
        return (!graph.nodes.is_empty()).then_some(0);
    };
    let middle = |at: usize| layout.nodes[at].left().y;
    let (column, here) = (graph.nodes[from].column, middle(from));
    let wanted = |at: &usize| match direction {
        Direction::Up => graph.nodes[*at].column == column && middle(*at) < here,
        Direction::Down => graph.nodes[*at].column == column && middle(*at) > here,
        Direction::Left => graph.nodes[*at].column < column,
        Direction::Right => graph.nodes[*at].column > column,
    };
    // Columns may be empty, so the nearest one with nodes counts, and in it the nearest node.
    let far = |at: &usize| (graph.nodes[*at].column.abs_diff(column), (middle(*at) - here).abs());
    let nearest = (0..graph.nodes.len()).filter(wanted).min_by(|a, b| {
        let (a, b) = (far(a), far(b));
        a.0.cmp(&b.0).then_with(|| a.1.total_cmp(&b.1))
    });
    Some(nearest.unwrap_or(from))
}
