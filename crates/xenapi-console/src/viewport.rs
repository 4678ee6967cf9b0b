//! Panning and zooming: which part of a drawing is seen, and how large.

/// The smallest and largest magnification.
const SCALES: (f64, f64) = (0.05, 3.0);

/// Below this magnification labels cannot be read, so a drawing is not made to fit at that price.
const READABLE: f64 = 0.68;

/// A part of a drawing in a frame: a point `p` of the drawing is at `p * scale + (x, y)` of the frame.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Viewport {
    /// Where the drawing's left edge is in the frame, in pixels.
    pub x: f64,
    /// Where the drawing's upper edge is in the frame, in pixels.
    pub y: f64,
    /// Pixels of the frame to a unit of the drawing.
    pub scale: f64,
}

/// Width and height.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Size {
    /// Width in pixels.
    pub width: f64,
    /// Height in pixels.
    pub height: f64,
}

impl Default for Viewport {
    fn default() -> Self {
        Viewport { x: 0.0, y: 0.0, scale: 1.0 }
    }
}

impl Viewport {
    /// Shows the whole of a drawing in the middle of a frame, never larger than it is.
    #[must_use]
    pub fn whole(drawing: Size, frame: Size) -> Self {
        if !drawn(drawing) || !drawn(frame) {
            return Viewport::default();
        }
        let fitting = (frame.width / drawing.width).min(frame.height / drawing.height);
        Viewport::centred(drawing, frame, fitting.clamp(SCALES.0, 1.0))
    }

    /// How a drawing is shown first: whole if its labels can be read then, else from its upper left corner, as large as the
    /// width allows.
    #[must_use]
    pub fn first(drawing: Size, frame: Size) -> Self {
        let whole = Viewport::whole(drawing, frame);
        if whole.scale >= READABLE || !drawn(drawing) || !drawn(frame) {
            return whole;
        }
        let scale = (frame.width / drawing.width).clamp(READABLE, 1.0);
        let centred = Viewport::centred(drawing, frame, scale);
        Viewport { x: centred.x.max(0.0), y: 0.0, scale }
    }

    fn centred(drawing: Size, frame: Size, scale: f64) -> Self {
        let x = (frame.width - drawing.width * scale) / 2.0;
        let y = (frame.height - drawing.height * scale) / 2.0;
        // A small drawing in a high frame stands in its upper third, where one begins to look.
        Viewport { x, y: y.max(0.0) / 2.0, scale }
    }

    /// Moves the drawing by so many pixels of the frame.
    #[must_use]
    pub fn panned(self, dx: f64, dy: f64) -> Self {
        Viewport { x: self.x + dx, y: self.y + dy, ..self }
    }

    /// Magnifies by a factor around a point of the frame, which stays where it is.
    #[must_use]
    pub fn zoomed(self, factor: f64, at_x: f64, at_y: f64) -> Self {
        if !factor.is_finite() || factor <= 0.0 {
            return self;
        }
        let scale = (self.scale * factor).clamp(SCALES.0, SCALES.1);
        let ratio = scale / self.scale;
        Viewport { x: at_x - (at_x - self.x) * ratio, y: at_y - (at_y - self.y) * ratio, scale }
    }

    /// Keeps at least a part of the drawing in the frame: nobody loses it by dragging.
    #[must_use]
    pub fn kept(self, drawing: Size, frame: Size) -> Self {
        const PART: f64 = 80.0;
        let keep = |at: f64, length: f64, room: f64| at.clamp((PART - length).min(0.0), (room - PART).max(0.0));
        Viewport {
            x: keep(self.x, drawing.width * self.scale, frame.width),
            y: keep(self.y, drawing.height * self.scale, frame.height),
            scale: self.scale,
        }
    }
}

fn drawn(size: Size) -> bool {
    size.width > 0.0 && size.height > 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(width: f64, height: f64) -> Size {
        Size { width, height }
    }

    #[test]
    fn a_small_drawing_keeps_its_size() {
        let seen = Viewport::whole(size(400.0, 300.0), size(800.0, 600.0));
        assert_eq!(seen, Viewport { x: 200.0, y: 75.0, scale: 1.0 });
        assert_eq!(Viewport::first(size(400.0, 300.0), size(800.0, 600.0)), seen);
    }

    #[test]
    fn a_long_drawing_starts_at_its_top_and_can_be_read() {
        let seen = Viewport::first(size(800.0, 9_000.0), size(800.0, 600.0));
        assert_eq!((seen.y, seen.scale), (0.0, 1.0));
        let whole = Viewport::whole(size(800.0, 9_000.0), size(800.0, 600.0));
        assert!(whole.scale * 9_000.0 <= 600.0 + 1e-9);
    }

    #[test]
    fn the_point_under_the_pointer_stays() {
        let before = Viewport { x: 12.0, y: -40.0, scale: 0.8 };
        let after = before.zoomed(1.7, 300.0, 200.0);
        let under = |view: Viewport| ((300.0 - view.x) / view.scale, (200.0 - view.y) / view.scale);
        let (a, b) = (under(before), under(after));
        assert!((a.0 - b.0).abs() < 1e-9 && (a.1 - b.1).abs() < 1e-9);
    }

    #[test]
    fn zooming_has_ends() {
        let mut view = Viewport::default();
        for _ in 0..100 {
            view = view.zoomed(1.5, 10.0, 10.0);
        }
        assert_eq!(view.scale, SCALES.1);
        assert_eq!(view.zoomed(f64::NAN, 0.0, 0.0), view);
        assert_eq!(view.zoomed(0.0, 0.0, 0.0), view);
    }

    #[test]
    fn a_drawing_cannot_be_dragged_away() {
        let (drawing, frame) = (size(500.0, 500.0), size(800.0, 600.0));
        let right = Viewport::default().panned(5_000.0, 5_000.0).kept(drawing, frame);
        assert!(right.x < frame.width && right.y < frame.height);
        let left = Viewport::default().panned(-5_000.0, -5_000.0).kept(drawing, frame);
        assert!(left.x + 500.0 > 0.0 && left.y + 500.0 > 0.0);
    }

    #[test]
    fn nothing_to_draw_is_no_reason_to_divide_by_zero() {
        assert_eq!(Viewport::first(size(0.0, 0.0), size(800.0, 600.0)), Viewport::default());
        assert_eq!(Viewport::whole(size(10.0, 10.0), size(0.0, 0.0)), Viewport::default());
    }
}
