//! Which rows of a long list are worth drawing.

use core::ops::Range;

/// The rows to draw, and the empty space that stands for the others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Window {
    /// The rows to draw.
    pub rows: Range<usize>,
    /// Height of the space above them, in pixels.
    pub before: u64,
    /// Height of the space below them, in pixels.
    pub after: u64,
}

/// Lists up to this long may be unfolded by themselves: an eye still finds its way in them.
pub const WHOLE: usize = 200;

/// Lists up to this long are drawn whole, so that the browser's own search finds everything in them. Longer ones would take it more than a
/// moment.
pub const DRAWN: usize = 80;

/// Chooses the rows of a list of `count` rows, each `height` pixels high, that are seen in a viewport of `visible` pixels
/// scrolled down by `scrolled` pixels, and `margin` rows around them.
pub fn window(count: usize, height: u32, scrolled: f64, visible: f64, margin: usize) -> Window {
    let height = u64::from(height.max(1));
    if count <= DRAWN {
        return Window { rows: 0..count, before: 0, after: 0 };
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates, and NaN becomes zero")]
    let (top, visible) = (scrolled.max(0.0) as u64, visible.max(0.0) as u64);
    let row_at = |pixel: u64| usize::try_from(pixel / height).unwrap_or(usize::MAX).min(count);
    let last = row_at(top.saturating_add(visible)).saturating_add(1 + margin).min(count);
    // Even when scrolled past the end, something is drawn.
    let first = row_at(top).saturating_sub(margin).min(last.saturating_sub(1));
    let pixels = |rows: usize| rows as u64 * height;
    Window { rows: first..last, before: pixels(first), after: pixels(count - last) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_lists_are_drawn_whole() {
        assert_eq!(window(DRAWN, 32, 500.0, 100.0, 4), Window { rows: 0..DRAWN, before: 0, after: 0 });
        assert_eq!(window(0, 32, 0.0, 0.0, 4).rows, 0..0);
    }

    #[test]
    fn long_lists_keep_their_height() {
        for scrolled in [0.0, 1.0, 31.9, 32.0, 4_000.0, 159_000.0, 160_000.0, 9e9, -5.0, f64::NAN, f64::INFINITY] {
            let seen = window(5_000, 32, scrolled, 700.0, 8);
            assert!(!seen.rows.is_empty(), "{scrolled}");
            assert!(seen.rows.len() <= 700 / 32 + 2 + 16, "{scrolled}: {:?}", seen.rows);
            assert_eq!(seen.before + seen.rows.len() as u64 * 32 + seen.after, 5_000 * 32, "{scrolled}");
        }
    }

    #[test]
    fn what_is_seen_is_drawn() {
        let seen = window(5_000, 32, 3_205.0, 320.0, 0);
        assert_eq!(seen.rows, 100..111);
    }
}
