//! The whole of a large drawing, small.

use alloc::collections::BTreeSet;
use alloc::string::String;
use core::fmt::Write as _;

use super::drawing::Drawing;
use crate::viewport::{Size, Viewport};

/// A drawing as small as a stamp. Its height is pressed together more than its width: what counts is where one is.
#[derive(Clone, PartialEq, Debug)]
pub struct Minimap {
    /// Its size.
    pub size: Size,
    /// SVG path data of the nodes that are well.
    pub well: String,
    /// SVG path data of those that somebody should look at.
    pub trouble: String,
    scale: (f64, f64),
}

/// A small picture of a drawing, of this size.
pub fn minimap(drawing: &Drawing, size: Size) -> Minimap {
    let scale = (size.width / drawing.layout.width.max(1.0), size.height / drawing.layout.height.max(1.0));
    let mut marks = BTreeSet::new();
    for (shape, node) in drawing.shapes.iter().zip(&drawing.graph.nodes) {
        let row = (shape.rect.y * scale.1 * 2.0) as i64;
        marks.insert((shape.state.is_trouble(), node.column, row, (shape.rect.height * scale.1 * 2.0) as i64));
    }
    let (mut well, mut trouble) = (String::new(), String::new());
    for (is_trouble, column, row, height) in marks {
        let placed = drawing.layout.columns[column];
        let out = if is_trouble { &mut trouble } else { &mut well };
        // Half pixels up and down, whole ones to the right: writing into a string cannot fail.
        let (x, width) = ((placed.x * scale.0) as i64, ((placed.width * scale.0) as i64).max(2));
        let (y, height) = (row as f64 / 2.0, (height.max(1) as f64 / 2.0).max(0.5));
        let _ = write!(out, "M{x} {y}h{width}v{height}h-{width}z");
    }
    Minimap { size, well, trouble, scale }
}

impl Minimap {
    /// What of it a frame shows: x, y, width, height.
    pub fn seen(&self, view: Viewport, frame: Size) -> (f64, f64, f64, f64) {
        let clamp = |from: f64, length: f64, room: f64| {
            let start = from.clamp(0.0, room);
            (start, (from + length).clamp(start, room) - start)
        };
        let (x, width) =
            clamp(-view.x / view.scale * self.scale.0, frame.width / view.scale * self.scale.0, self.size.width);
        let (y, height) =
            clamp(-view.y / view.scale * self.scale.1, frame.height / view.scale * self.scale.1, self.size.height);
        (x, y, width.max(3.0), height.max(3.0))
    }

    /// The view with a point of the map in the middle of the frame.
    #[must_use]
    pub fn go(&self, view: Viewport, frame: Size, x: f64, y: f64) -> Viewport {
        let (x, y) = (x / self.scale.0, y / self.scale.1);
        Viewport { x: frame.width / 2.0 - x * view.scale, y: frame.height / 2.0 - y * view.scale, scale: view.scale }
    }
}
