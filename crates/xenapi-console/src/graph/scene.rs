//! Large drawings are painted and not built of elements: which nodes and lines of them are in sight, and as what.

use alloc::vec::Vec;

use xenapi_topology::{EdgeState, Layout, Path, Point, Segment};

use super::drawing::Drawing;
use crate::viewport::{Size, Viewport};

/// Up to so many nodes a drawing is built of elements, which styles, readers and pointers know by themselves.
pub const FEW_NODES: usize = 700;
/// Up to so many lines.
pub const FEW_LINES: usize = 2_000;
/// Below this magnification labels cannot be read, and are not painted.
pub const LABELS_FROM: f64 = 0.42;
/// Below this magnification lines are straight: nobody sees the difference.
const CURVES_FROM: f64 = 0.25;

/// Whether a drawing is painted.
pub fn is_painted(drawing: &Drawing) -> bool {
    drawing.shapes.len() > FEW_NODES || drawing.lines.len() > FEW_LINES
}

/// The nodes of a drawing by column and height, to find those in sight and those under a pointer.
#[derive(Debug)]
pub struct Index(Vec<Vec<usize>>);

impl Index {
    /// The index of a drawing.
    pub fn new(drawing: &Drawing) -> Self {
        let mut columns = alloc::vec![Vec::new(); drawing.graph.columns.len()];
        for (at, node) in drawing.graph.nodes.iter().enumerate() {
            columns[node.column].push(at);
        }
        for column in &mut columns {
            column.sort_by(|a: &usize, b| drawing.layout.nodes[*a].y.total_cmp(&drawing.layout.nodes[*b].y));
        }
        Index(columns)
    }

    /// The nodes that a frame shows.
    pub fn visible<'a>(&'a self, layout: &'a Layout, view: Viewport, frame: Size) -> impl Iterator<Item = usize> + 'a {
        let (left, top) = (-view.x / view.scale, -view.y / view.scale);
        let (right, bottom) = (left + frame.width / view.scale, top + frame.height / view.scale);
        let columns = self.0.iter().zip(layout.columns.iter());
        let seen = columns.filter(move |(_, placed)| placed.x < right && placed.x + placed.width > left);
        seen.flat_map(move |(column, _)| {
            let first = column.partition_point(|at| layout.nodes[*at].y + layout.nodes[*at].height < top);
            column[first..].iter().copied().take_while(move |at| layout.nodes[*at].y < bottom)
        })
    }

    /// The node under a point of the frame.
    pub fn hit(&self, layout: &Layout, view: Viewport, x: f64, y: f64) -> Option<usize> {
        let point = Point { x: (x - view.x) / view.scale, y: (y - view.y) / view.scale };
        let column = layout.columns.iter().position(|it| it.x <= point.x && point.x <= it.x + it.width)?;
        let column = self.0.get(column)?;
        let after = column.partition_point(|at| layout.nodes[*at].y <= point.y);
        let at = *column.get(after.checked_sub(1)?)?;
        (point.y <= layout.nodes[at].y + layout.nodes[at].height).then_some(at)
    }
}

/// How a line looks; later ones are painted on top of earlier ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Look {
    /// It matters little.
    Quiet,
    /// It is not known.
    Unknown,
    /// It is detached.
    Inactive,
    /// It is attached.
    Active,
    /// It is attached to something that failed.
    Broken,
    /// It lies on the path in focus.
    OnPath,
}

/// A piece of a line in a frame, in pixels.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Stroke {
    /// How it looks.
    pub look: Look,
    /// Where it starts.
    pub from: (f32, f32),
    /// Where it ends.
    pub to: (f32, f32),
    /// Whether it is a soft step and not straight.
    pub is_curve: bool,
}

/// The pieces of lines that a frame shows, by how they look. Pieces that would cover the same pixels are one. Of more than `most` only every
/// second, third, … is there, which is enough while something moves.
pub fn strokes(drawing: &Drawing, view: Viewport, frame: Size, path: Option<&Path>, most: usize) -> Vec<Stroke> {
    let mut strokes = Vec::new();
    let curves = view.scale >= CURVES_FROM;
    for (at, (line, curve)) in drawing.lines.iter().zip(drawing.layout.edges.iter()).enumerate() {
        let on_path = path.is_some_and(|path| path.edges.contains(&at));
        if path.is_some() && !on_path && !curves {
            continue;
        }
        let look = match line.state {
            _ if on_path => Look::OnPath,
            EdgeState::Broken => Look::Broken,
            _ if line.is_quiet => Look::Quiet,
            EdgeState::Active => Look::Active,
            EdgeState::Inactive => Look::Inactive,
            EdgeState::Unknown => Look::Unknown,
        };
        let mut from = curve.start;
        for segment in &curve.segments {
            let (to, is_curve) = match segment {
                Segment::Line(end) => (*end, false),
                Segment::Cubic(_, _, end) => (*end, curves),
            };
            let (a, b) = (seen(view, from), seen(view, to));
            let inside = a.1.max(b.1) >= 0.0
                && f64::from(a.1.min(b.1)) <= frame.height
                && a.0.max(b.0) >= 0.0
                && f64::from(a.0.min(b.0)) <= frame.width;
            if inside {
                strokes.push(Stroke { look, from: a, to: b, is_curve });
            }
            from = to;
        }
    }
    let key = |it: &Stroke| (it.look, it.from.0 as i32, it.from.1 as i32, it.to.1 as i32, it.to.0 as i32);
    strokes.sort_unstable_by_key(key);
    if !curves {
        strokes.dedup_by_key(|it| key(it));
    }
    if strokes.len() > most.max(1) {
        let step = strokes.len().div_ceil(most.max(1));
        let mut at = 0;
        strokes.retain(|it| {
            at += 1;
            it.look >= Look::Broken || at % step == 0
        });
    }
    strokes
}

fn seen(view: Viewport, point: Point) -> (f32, f32) {
    ((point.x * view.scale + view.x) as f32, (point.y * view.scale + view.y) as f32)
}
