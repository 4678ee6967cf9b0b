//! Where everything stands.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::graph::{Graph, Node, NodeKind};
use crate::order::{Cell, Ranks, leftmost_first};
use crate::place::place;
use crate::state::State;
use crate::text::{coordinate, fit, fit_name, width};

/// Sizes in pixels.
#[derive(Clone, PartialEq, Debug)]
pub struct Metrics {
    /// Of labels.
    pub font_size: f64,
    /// Of details.
    pub small_size: f64,
    /// The height of a node with one line.
    pub row: f64,
    /// The height of a node with two lines.
    pub tall_row: f64,
    /// Between nodes above each other.
    pub gap: f64,
    /// The least room between columns; edges run here, and steep ones get up to twice as much.
    pub column_gap: f64,
    /// The narrowest node.
    pub min_width: f64,
    /// The widest node.
    pub max_width: f64,
    /// Around everything.
    pub margin: f64,
    /// For the columns' headings, above the nodes.
    pub heading: f64,
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics {
            font_size: 13.0,
            small_size: 11.0,
            row: 28.0,
            tall_row: 42.0,
            gap: 6.0,
            column_gap: 64.0,
            min_width: 128.0,
            max_width: 300.0,
            margin: 24.0,
            heading: 32.0,
        }
    }
}

/// Left of a label: the border, the state's glyph, the room between them.
pub const LABEL_INDENT: f64 = 30.0;
/// Right of the text.
pub const PADDING: f64 = 10.0;
/// Between a label and a detail on one line.
const DETAIL_GAP: f64 = 12.0;
/// The height of the lane in which an edge passes a column.
const LANE: f64 = 10.0;

/// A point, in pixels from the upper left corner.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Down.
    pub y: f64,
}

/// A node's place.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Rect {
    /// The left border.
    pub x: f64,
    /// The upper border.
    pub y: f64,
    /// The width.
    pub width: f64,
    /// The height.
    pub height: f64,
}

impl Rect {
    /// The middle of the right border.
    pub fn right(&self) -> Point {
        Point { x: self.x + self.width, y: self.y + self.height / 2.0 }
    }

    /// The middle of the left border.
    pub fn left(&self) -> Point {
        Point { x: self.x, y: self.y + self.height / 2.0 }
    }
}

/// A piece of a curve, from where the last one ended.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Segment {
    /// Straight on.
    Line(Point),
    /// A cubic Bézier curve by its control points and its end.
    Cubic(Point, Point, Point),
}

/// An edge's way.
#[derive(Clone, PartialEq, Debug)]
pub struct Curve {
    /// Where it starts.
    pub start: Point,
    /// Its pieces.
    pub segments: Vec<Segment>,
}

impl Curve {
    /// Where it ends.
    pub fn end(&self) -> Point {
        match self.segments.last() {
            Some(Segment::Line(end) | Segment::Cubic(_, _, end)) => *end,
            None => self.start,
        }
    }

    /// SVG path data.
    pub fn path(&self) -> String {
        let mut data = String::from("M");
        let mut push = |before: &str, points: &[Point]| {
            data.push_str(before);
            for (at, point) in points.iter().enumerate() {
                data.push_str(if at > 0 { " " } else { "" });
                data.push_str(&coordinate(point.x));
                data.push(' ');
                data.push_str(&coordinate(point.y));
            }
        };
        push("", &[self.start]);
        for segment in &self.segments {
            match segment {
                Segment::Line(end) => push("L", &[*end]),
                Segment::Cubic(a, b, end) => push("C", &[*a, *b, *end]),
            }
        }
        data
    }
}

/// A column's place.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PlacedColumn {
    /// The left border of its nodes.
    pub x: f64,
    /// The width of its nodes.
    pub width: f64,
}

/// A node's texts as far as they have room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Labels {
    /// The name, with `…` in its middle if need be.
    pub label: String,
    /// The detail, cut with `…` if need be. Of a group with a tally: empty, if the tally takes its room.
    pub detail: String,
}

/// A graph's picture without its colours. Its lists have the order of the graph's, and are shared by those who have the same places.
#[derive(Clone, PartialEq, Debug)]
pub struct Layout {
    /// The whole width.
    pub width: f64,
    /// The whole height.
    pub height: f64,
    /// The columns.
    pub columns: Arc<[PlacedColumn]>,
    /// The nodes.
    pub nodes: Arc<[Rect]>,
    /// The nodes' texts.
    pub labels: Vec<Labels>,
    /// The edges.
    pub edges: Arc<[Curve]>,
}

impl Layout {
    /// The layout of a graph that has the same nodes and connections as the one that this layout was made for: everything keeps its place
    /// and its size, and only texts that changed are fitted again. None if something came, went or moved.
    pub fn again(&self, before: &Graph, after: &Graph, metrics: &Metrics) -> Option<Layout> {
        let is_same = before.columns.len() == after.columns.len()
            && before.columns.iter().zip(&after.columns).all(|(a, b)| a.kind == b.kind)
            && before.nodes.len() == after.nodes.len()
            && before.nodes.iter().zip(&after.nodes).all(|(a, b)| a.id == b.id && a.column == b.column)
            && before.edges.len() == after.edges.len()
            && before.edges.iter().zip(&after.edges).all(|(a, b)| (a.from, a.to) == (b.from, b.to));
        if !is_same || self.nodes.len() != after.nodes.len() {
            return None;
        }
        let said = |a: &Node, b: &Node| a.label == b.label && a.detail == b.detail && shown_tally(a) == shown_tally(b);
        let label = |at: usize| {
            let node = &after.nodes[at];
            if said(&before.nodes[at], node) {
                return self.labels[at].clone();
            }
            labels(after, node, self.nodes[at].width, metrics)
        };
        Some(Layout { labels: (0..after.nodes.len()).map(label).collect(), ..self.clone() })
    }
}

/// Gives everything its place. The same graph gets the same layout.
pub fn layout(graph: &Graph, metrics: &Metrics) -> Layout {
    let ranks = Ranks::new(graph);
    let node_height = |node: &Node| if is_tall(graph, node) { metrics.tall_row } else { metrics.row };
    let height_of = |cell: &Cell| match cell {
        Cell::Node(at) => node_height(&graph.nodes[*at]),
        Cell::Lane => LANE,
    };
    let heights: Vec<f64> = ranks.cells.iter().map(height_of).collect();
    let middles = place(&ranks, &heights, metrics.gap);
    let columns = columns(graph, metrics, &gaps(&ranks, &middles, metrics));
    let top = metrics.margin + metrics.heading;
    let rect = |(at, node): (usize, &Node)| Rect {
        x: columns[node.column].x,
        y: top + middles[at] - heights[at] / 2.0,
        width: columns[node.column].width,
        height: heights[at],
    };
    let nodes: Vec<Rect> = graph.nodes.iter().enumerate().map(rect).collect();
    let bottom = middles.iter().zip(&heights).map(|(middle, height)| middle + height / 2.0).fold(metrics.row, f64::max);
    let labels = graph.nodes.iter().map(|node| labels(graph, node, columns[node.column].width, metrics)).collect();
    let lanes: Vec<f64> = middles.iter().map(|middle| top + middle).collect();
    let edges: Arc<[Curve]> =
        (0..graph.edges.len()).map(|at| curve(graph, at, &ranks.routes[at], &nodes, &lanes, &columns)).collect();
    Layout {
        width: columns.last().map_or(0.0, |column| column.x + column.width) + metrics.margin,
        height: top + bottom + metrics.margin,
        columns: columns.into(),
        nodes: nodes.into(),
        labels,
        edges,
    }
}

/// Whether a node has two lines.
pub(crate) fn is_tall(graph: &Graph, node: &Node) -> bool {
    graph.columns[node.column].kind.is_tall()
}

/// Every column as wide as its widest node wants, within limits.
fn columns(graph: &Graph, metrics: &Metrics, gaps: &[f64]) -> Vec<PlacedColumn> {
    let mut widths: Vec<f64> = graph.columns.iter().map(|_| metrics.min_width).collect();
    for node in &graph.nodes {
        let wanted = wanted_width(graph, node, metrics).min(metrics.max_width);
        widths[node.column] = widths[node.column].max(wanted);
    }
    let mut x = metrics.margin;
    let place = |(width, gap): (f64, &f64)| {
        // Whole pixels, on the grid of four.
        let width = (width / 4.0 + 0.999) as i64 as f64 * 4.0;
        let column = PlacedColumn { x, width };
        x += width + gap;
        column
    };
    widths.into_iter().zip(gaps).map(place).collect()
}

/// The room behind each column: the higher its edges climb, the more, so that they do not become walls.
fn gaps(ranks: &Ranks, middles: &[f64], metrics: &Metrics) -> Vec<f64> {
    let mut climbs = alloc::vec![0.0f64; ranks.order.len()];
    for piece in &ranks.pieces {
        let climb = &mut climbs[ranks.column_of[piece.from]];
        let this = middles[piece.to] - middles[piece.from];
        *climb = climb.max(this).max(-this);
    }
    let steps = |climb: f64| (climb / 64.0) as i64 as f64;
    climbs.into_iter().map(|climb| (metrics.column_gap + steps(climb) * 8.0).min(metrics.column_gap * 2.0)).collect()
}

fn wanted_width(graph: &Graph, node: &Node, metrics: &Metrics) -> f64 {
    let label = width(&node.label, metrics.font_size);
    let detail = width(&node.detail, metrics.small_size) + tally_width(node, metrics);
    let text = match (is_tall(graph, node), detail > 0.0) {
        (true, _) => label.max(detail),
        (false, true) => label + DETAIL_GAP + detail,
        (false, false) => label,
    };
    LABEL_INDENT + text + PADDING
}

/// The states that a group's tally shows: none when the group's own glyph says it all, and none for disks that are all well,
/// whose size is worth more.
pub fn shown_tally(node: &Node) -> &[(State, usize)] {
    let disks = matches!(node.kind, NodeKind::Vdi | NodeKind::Iso) && !node.state.is_trouble();
    if node.tally.len() > 1 && !disks { &node.tally } else { &[] }
}

/// How wide one entry of a tally is: a small glyph and a number.
pub fn tally_entry_width(count: usize, metrics: &Metrics) -> f64 {
    14.0 + width(&alloc::format!("{count}"), metrics.small_size) + 8.0
}

fn tally_width(node: &Node, metrics: &Metrics) -> f64 {
    shown_tally(node).iter().map(|(_, count)| tally_entry_width(*count, metrics)).sum()
}

fn labels(graph: &Graph, node: &Node, node_width: f64, metrics: &Metrics) -> Labels {
    let room = node_width - LABEL_INDENT - PADDING;
    let tally = tally_width(node, metrics);
    if is_tall(graph, node) {
        let label = fit_name(&node.label, metrics.font_size, room);
        let left = room - tally;
        let detail = if left >= 40.0 { fit(&node.detail, metrics.small_size, left) } else { String::new() };
        return Labels { label, detail };
    }
    // On one line the tally goes first, then the name, then the detail, which may not take more than half.
    let room = room - if tally > 0.0 { tally + DETAIL_GAP } else { 0.0 };
    let label_width = width(&node.label, metrics.font_size);
    let wanted = width(&node.detail, metrics.small_size);
    let left = (room - label_width - DETAIL_GAP).max(room * 0.45);
    let detail = if wanted > 0.0 && tally == 0.0 { fit(&node.detail, metrics.small_size, left) } else { String::new() };
    let taken = if detail.is_empty() { 0.0 } else { width(&detail, metrics.small_size) + DETAIL_GAP };
    Labels { label: fit_name(&node.label, metrics.font_size, room - taken), detail }
}

/// The way of an edge through the lanes of the columns that it passes.
fn curve(graph: &Graph, at: usize, route: &[usize], nodes: &[Rect], lanes: &[f64], columns: &[PlacedColumn]) -> Curve {
    let edge = &graph.edges[at];
    let (from, to) = leftmost_first(graph, edge.from, edge.to);
    let start = nodes[from].right();
    if graph.nodes[from].column == graph.nodes[to].column {
        return around(start, nodes[to].right());
    }
    let mut segments = Vec::new();
    let mut last = start;
    let first_column = graph.nodes[from].column;
    for (step, lane) in route[1..route.len() - 1].iter().enumerate() {
        let column = columns[first_column + 1 + step];
        let y = lanes[*lane];
        segments.push(between(last, Point { x: column.x, y }));
        last = Point { x: column.x + column.width, y };
        segments.push(Segment::Line(last));
    }
    segments.push(between(last, nodes[to].left()));
    Curve { start, segments }
}

/// A soft step from one column to the next.
fn between(from: Point, to: Point) -> Segment {
    if from.y == to.y {
        return Segment::Line(to);
    }
    let middle = (from.x + to.x) / 2.0;
    Segment::Cubic(Point { x: middle, y: from.y }, Point { x: middle, y: to.y }, to)
}

/// From one node to another of the same column. No lens makes such an edge of a sound pool.
fn around(from: Point, to: Point) -> Curve {
    let out = from.x + 24.0;
    let segment = Segment::Cubic(Point { x: out, y: from.y }, Point { x: out, y: to.y }, to);
    Curve { start: from, segments: alloc::vec![segment] }
}
