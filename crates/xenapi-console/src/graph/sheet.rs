//! What of a large drawing is painted ahead: a sheet larger than the frame, which is moved and magnified as it is while one moves the
//! drawing, and painted anew before one comes to its end.

use crate::viewport::{Size, Viewport};

/// How much further than the frame a sheet reaches to each side, as a part of the frame: to the left and right, up and down.
const AHEAD: (f64, f64) = (0.25, 0.5);

/// At most so many pixels of the screen to a sheet: 32 MiB.
const PIXELS: f64 = 8_388_608.0;

/// A sheet magnified or reduced beyond this looks bad, even while it moves.
const BLURRED: (f64, f64) = (0.8, 1.3);

/// A part of a drawing, painted.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Sheet {
    /// Where the drawing lies on it.
    pub view: Viewport,
    /// Its size, in pixels of the page.
    pub size: Size,
    /// How much of what should be painted ahead really is: less than 1 where the screen is very fine.
    share: f64,
}

/// From `from` to `to`: what a frame of that length, and a sheet around it, show of a drawing along one axis.
fn reach(from: f64, length: f64, ahead: f64, drawn: (f64, f64)) -> (f64, f64) {
    let (first, last) = ((from - ahead).max(drawn.0), (from + length + ahead).min(drawn.1));
    (first.floor(), last.ceil().max(first.floor() + 1.0))
}

impl Sheet {
    /// The sheet for what a frame shows of a drawing, and its surroundings. `ratio` is how many pixels of the screen one of the page has.
    pub fn around(view: Viewport, frame: Size, drawing: Size, ratio: f64) -> Sheet {
        let room = |share: f64| {
            let ahead = (frame.width * AHEAD.0 * share, frame.height * AHEAD.1 * share);
            let across = reach(0.0, frame.width, ahead.0, (view.x, view.x + drawing.width * view.scale));
            let down = reach(0.0, frame.height, ahead.1, (view.y, view.y + drawing.height * view.scale));
            (across, down)
        };
        let pixels =
            |((left, right), (top, bottom)): ((f64, f64), (f64, f64))| (right - left) * (bottom - top) * ratio * ratio;
        let share = [1.0, 0.5, 0.25].into_iter().find(|share| pixels(room(*share)) <= PIXELS).unwrap_or_default();
        let ((left, right), (top, bottom)) = room(share);
        Sheet {
            view: Viewport { x: view.x - left, y: view.y - top, scale: view.scale },
            size: Size { width: right - left, height: bottom - top },
            share,
        }
    }

    /// How it lies in the frame when one looks at the drawing from there: a point `p` of it at `p * scale + (x, y)`.
    #[must_use]
    pub fn placed(&self, view: Viewport) -> Viewport {
        let scale = view.scale / self.view.scale;
        Viewport { x: view.x - self.view.x * scale, y: view.y - self.view.y * scale, scale }
    }

    /// Whether it has everything that a frame shows of the drawing, with as much room left as a part of what was painted ahead.
    pub fn covers(&self, view: Viewport, frame: Size, drawing: Size, part: f64) -> bool {
        let placed = self.placed(view);
        let covers = |at: f64, length: f64, room: f64, ahead: f64, drawn: (f64, f64)| {
            // The frame goes to whole pixels, and so does the sheet.
            at <= (-ahead).max(drawn.0) + 1.5 && at + length >= (room + ahead).min(drawn.1) - 1.5
        };
        let (width, height) = (self.size.width * placed.scale, self.size.height * placed.scale);
        let across = (view.x, view.x + drawing.width * view.scale);
        let down = (view.y, view.y + drawing.height * view.scale);
        covers(placed.x, width, frame.width, frame.width * AHEAD.0 * self.share * part, across)
            && covers(placed.y, height, frame.height, frame.height * AHEAD.1 * self.share * part, down)
    }

    /// Whether it is as fine as the screen.
    pub fn is_sharp(&self, view: Viewport) -> bool {
        (self.placed(view).scale - 1.0).abs() < 1e-9
    }

    /// Whether it is fine enough while something moves.
    pub fn is_fair(&self, view: Viewport) -> bool {
        (BLURRED.0..BLURRED.1).contains(&self.placed(view).scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Size = Size { width: 1_000.0, height: 700.0 };
    const DRAWING: Size = Size { width: 1_400.0, height: 150_000.0 };

    #[test]
    fn a_sheet_lies_where_the_drawing_lies() {
        let view = Viewport { x: -120.3, y: -9_000.7, scale: 0.7 };
        let sheet = Sheet::around(view, FRAME, DRAWING, 1.0);
        assert!(sheet.is_sharp(view) && sheet.covers(view, FRAME, DRAWING, 1.0));
        for seen in [view, view.panned(33.0, -200.0), view.zoomed(1.2, 400.0, 100.0)] {
            let placed = sheet.placed(seen);
            // A point of the drawing, by way of the sheet and directly.
            let (x, y) = (500.0, 13_000.0);
            let on_sheet = (x * sheet.view.scale + sheet.view.x, y * sheet.view.scale + sheet.view.y);
            let there = (on_sheet.0 * placed.scale + placed.x, on_sheet.1 * placed.scale + placed.y);
            assert!(
                (there.0 - (x * seen.scale + seen.x)).abs() < 1e-6 && (there.1 - (y * seen.scale + seen.y)).abs() < 1e-6
            );
        }
    }

    #[test]
    fn it_reaches_further_than_the_frame_and_has_an_end() {
        let view = Viewport { x: -100.0, y: -9_000.0, scale: 1.0 };
        let sheet = Sheet::around(view, FRAME, DRAWING, 1.0);
        assert!(sheet.covers(view.panned(0.0, 340.0), FRAME, DRAWING, 0.0));
        assert!(!sheet.covers(view.panned(0.0, 340.0), FRAME, DRAWING, 0.5));
        assert!(!sheet.covers(view.panned(0.0, 360.0), FRAME, DRAWING, 0.0));
        assert!(!sheet.covers(view.zoomed(0.4, 500.0, 300.0), FRAME, DRAWING, 0.0));
        assert!(sheet.is_fair(view.zoomed(1.2, 0.0, 0.0)) && !sheet.is_fair(view.zoomed(1.4, 0.0, 0.0)));
    }

    #[test]
    fn beyond_the_drawing_there_is_nothing_to_paint() {
        let small = Size { width: 300.0, height: 200.0 };
        let view = Viewport { x: 350.0, y: 20.0, scale: 1.0 };
        let sheet = Sheet::around(view, FRAME, small, 1.0);
        assert_eq!(sheet.size, small);
        assert!(sheet.covers(view.panned(-300.0, 400.0), FRAME, small, 1.0));
    }

    #[test]
    fn a_fine_screen_does_not_take_all_memory() {
        let (frame, view) = (Size { width: 2_400.0, height: 1_300.0 }, Viewport { x: 0.0, y: -9_000.0, scale: 3.0 });
        let sheet = Sheet::around(view, frame, DRAWING, 2.0);
        assert!(sheet.covers(view, frame, DRAWING, 0.0));
        assert!(sheet.size.width * sheet.size.height * 4.0 <= frame.width * frame.height * 4.0 + 1.0);
    }
}
