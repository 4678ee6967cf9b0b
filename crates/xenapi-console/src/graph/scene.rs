//! Large drawings are painted and not built of elements: which nodes and lines of them are in sight, and as what.

use alloc::vec::Vec;

use xenapi_topology::{EdgeState, Graph, Layout, Path, Point, Segment};

use super::drawing::Drawing;
use crate::viewport::{Size, Viewport};

/// Up to so many nodes a drawing is built of elements, which styles, readers and pointers know by themselves.
pub const FEW_NODES: usize = 700;
/// Up to so many lines.
pub const FEW_LINES: usize = 2_000;
/// Below this magnification labels cannot be read, and are not painted.
pub const LABELS_FROM: f64 = 0.42;
/// Below this magnification details cannot be read, and are not painted.
pub const DETAILS_FROM: f64 = 0.6;
/// Below this magnification it does not matter whether a line bends.
const CURVES_FROM: f64 = 0.25;

/// Whether a drawing is painted.
pub fn is_painted(drawing: &Drawing) -> bool {
    is_large(&drawing.graph)
}

/// Whether the drawing of a graph is painted.
pub(super) fn is_large(graph: &Graph) -> bool {
    graph.nodes.len() > FEW_NODES || graph.edges.len() > FEW_LINES
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
}

impl Look {
    fn of(state: EdgeState, is_quiet: bool) -> Look {
        match state {
            EdgeState::Broken => Look::Broken,
            _ if is_quiet => Look::Quiet,
            EdgeState::Active => Look::Active,
            EdgeState::Inactive => Look::Inactive,
            EdgeState::Unknown => Look::Unknown,
        }
    }
}

/// A point of a frame, in pixels.
pub type Spot = (f32, f32);

/// A piece of a line in a frame.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Stroke {
    /// How it looks.
    pub look: Look,
    /// Where it starts.
    pub from: Spot,
    /// The two points that bend it, unless it is straight.
    pub bent: Option<(Spot, Spot)>,
    /// Where it ends.
    pub to: Spot,
}

impl Stroke {
    /// Pieces with the same one cover the same pixels.
    fn key(&self) -> (Look, [i32; 6]) {
        let half = |at: f32| (at * 2.0) as i32;
        let (a, b) = self.bent.unwrap_or((self.from, self.to));
        // How high the points stand that bend it follows from its ends.
        (self.look, [self.from.0, self.from.1, self.to.0, self.to.1, a.0, b.0].map(half))
    }
}

/// The pieces of lines that a frame shows, by how they look. Pieces that would cover the same pixels are one: of the lines that only pass
/// through, which is most of a large drawing's, few are left then. With a path, its lines only.
pub fn strokes(drawing: &Drawing, view: Viewport, frame: Size, path: Option<&Path>) -> Vec<Stroke> {
    let mut seen = Seen { view, frame, strokes: Vec::new() };
    let mut add = |at: usize| {
        let (Some(line), Some(curve)) = (drawing.lines.get(at), drawing.layout.edges.get(at)) else { return };
        let look = Look::of(line.state, line.is_quiet);
        let mut from = curve.start;
        for segment in &curve.segments {
            from = seen.add(look, from, *segment);
        }
    };
    match path {
        Some(path) => path.edges.iter().copied().for_each(&mut add),
        None => (0..drawing.lines.len()).for_each(&mut add),
    }
    let mut strokes = seen.strokes;
    strokes.sort_by_cached_key(Stroke::key);
    strokes.dedup_by_key(|stroke| stroke.key());
    strokes
}

/// Lines that reach further than this out of a frame are cut off, in pixels.
const BRIM: f64 = 24.0;

struct Seen {
    view: Viewport,
    frame: Size,
    strokes: Vec<Stroke>,
}

impl Seen {
    /// Adds what is seen of a segment, and answers its end.
    fn add(&mut self, look: Look, from: Point, segment: Segment) -> Point {
        let (bent, end) = match segment {
            Segment::Line(end) => (None, end),
            Segment::Cubic(a, b, end) => (Some((a, b)), end),
        };
        let (a, b) = (self.seen(from), self.seen(end));
        let inside = a.y.max(b.y) >= 0.0
            && a.y.min(b.y) <= self.frame.height
            && a.x.max(b.x) >= 0.0
            && a.x.min(b.x) <= self.frame.width;
        if !inside {
            return end;
        }
        let spot = |point: Point| (point.x as f32, point.y as f32);
        let Some((c, d)) = bent.filter(|_| self.view.scale >= CURVES_FROM || (a.y - b.y).abs() > self.frame.height) else {
            self.strokes.push(Stroke { look, from: spot(a), bent: None, to: spot(b) });
            return end;
        };
        let [a, c, d, b] = self.cut([a, self.seen(c), self.seen(d), b]);
        let bent = (self.view.scale >= CURVES_FROM).then(|| (spot(c), spot(d)));
        self.strokes.push(Stroke { look, from: spot(a), bent, to: spot(b) });
        end
    }

    fn seen(&self, point: Point) -> Point {
        Point { x: point.x * self.view.scale + self.view.x, y: point.y * self.view.scale + self.view.y }
    }

    /// The part of a curve between the upper and the lower brim of the frame; of one that stays near the frame, all of it.
    fn cut(&self, curve: [Point; 4]) -> [Point; 4] {
        let (top, bottom) = (-BRIM, self.frame.height + BRIM);
        let (first, last) = (curve[0].y.min(curve[3].y), curve[0].y.max(curve[3].y));
        if first >= 2.0 * top && last <= bottom + BRIM {
            return curve;
        }
        let (upper, lower) = (time_at(&curve, top.max(first)), time_at(&curve, bottom.min(last)));
        part(&curve, upper.min(lower), upper.max(lower))
    }
}

fn between(a: Point, b: Point, time: f64) -> Point {
    Point { x: a.x + (b.x - a.x) * time, y: a.y + (b.y - a.y) * time }
}

/// The curve's blossom: with the same time thrice the point at that time.
fn blossom(curve: &[Point; 4], times: [f64; 3]) -> Point {
    let [a, b, c, d] = *curve;
    let [r, s, t] = times;
    let (ab, bc, cd) = (between(a, b, r), between(b, c, r), between(c, d, r));
    between(between(ab, bc, s), between(bc, cd, s), t)
}

/// The part of a curve between two times.
fn part(curve: &[Point; 4], from: f64, to: f64) -> [Point; 4] {
    [[from; 3], [from, from, to], [from, to, to], [to; 3]].map(|times| blossom(curve, times))
}

/// When a curve that only rises or only falls is at a height.
fn time_at(curve: &[Point; 4], y: f64) -> f64 {
    let rises = curve[3].y >= curve[0].y;
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..18 {
        let middle = (low + high) / 2.0;
        if (blossom(curve, [middle; 3]).y < y) == rises { low = middle } else { high = middle }
    }
    if rises { low } else { high }
}
