//! Every colour, in one table.

use crate::state::{EdgeState, State};

/// The fonts of drawings, the first one that there is: those of the system.
pub const FONTS: &str =
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', 'Noto Sans CJK SC', sans-serif";

/// Which of the two tables.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Theme {
    /// Dark on light.
    #[default]
    Light,
    /// Light on dark.
    Dark,
}

/// The colours of a theme, as `#rrggbb`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Palette {
    /// Behind everything.
    pub surface: &'static str,
    /// Inside a node.
    pub node: &'static str,
    /// A node's border.
    pub border: &'static str,
    /// Names.
    pub text: &'static str,
    /// Details and headings.
    pub muted: &'static str,
    /// Lines between nodes.
    pub edge: &'static str,
    /// Lines that matter little.
    pub edge_quiet: &'static str,
    /// What is in focus.
    pub accent: &'static str,
    /// In the order of [`State::ALL`].
    pub states: [&'static str; 9],
}

const LIGHT: Palette = Palette {
    surface: "#f7f8fa",
    node: "#ffffff",
    border: "#d3d9e0",
    text: "#1b232e",
    muted: "#566273",
    edge: "#a3afbd",
    edge_quiet: "#d5dbe2",
    accent: "#1f5fbf",
    states: ["#17794a", "#667181", "#1c6e9c", "#6a54b8", "#667181", "#945700", "#bf2f2b", "#bf2f2b", "#667181"],
};

const DARK: Palette = Palette {
    surface: "#12161c",
    node: "#1a2028",
    border: "#323b47",
    text: "#e4e9ef",
    muted: "#9aa6b5",
    edge: "#56626f",
    edge_quiet: "#2e3742",
    accent: "#77abf5",
    states: ["#4bc588", "#93a0b0", "#66b5e6", "#aa9cf2", "#93a0b0", "#e3a645", "#f27d75", "#f27d75", "#93a0b0"],
};

impl Theme {
    /// Both.
    pub const ALL: [Theme; 2] = [Theme::Light, Theme::Dark];

    /// Its colours.
    pub fn palette(self) -> &'static Palette {
        match self {
            Theme::Light => &LIGHT,
            Theme::Dark => &DARK,
        }
    }
}

impl Palette {
    /// The colour of a state.
    pub fn state(&self, state: State) -> &'static str {
        let at = State::ALL.iter().position(|known| *known == state).unwrap_or(0);
        self.states[at]
    }

    /// The colour of an edge.
    pub fn edge(&self, state: EdgeState, quiet: bool) -> &'static str {
        match state {
            _ if quiet => self.edge_quiet,
            EdgeState::Broken => self.state(State::Failed),
            _ => self.edge,
        }
    }
}

/// How lines are broken up, as `stroke-dasharray`; empty for a whole line.
pub fn dashes(state: EdgeState) -> &'static str {
    match state {
        EdgeState::Active => "",
        EdgeState::Inactive => "5 4",
        EdgeState::Broken => "2 3",
        EdgeState::Unknown => "1 4",
    }
}

/// How wide an edge is drawn, in pixels: it grows with the logarithm of what it stands for.
pub fn stroke_width(weight: usize) -> f64 {
    1.25 + (f64::from(weight.max(1).ilog2()) * 0.2).min(2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance as the accessibility guidelines define it.
    fn luminance(colour: &str) -> f64 {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).expect("colours are hexadecimal")) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn everything_that_is_read_has_enough_contrast() {
        assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 0.01);
        for theme in Theme::ALL {
            let palette = theme.palette();
            let read = palette.states.iter().chain([&palette.text, &palette.muted, &palette.accent]);
            for colour in read {
                for ground in [palette.surface, palette.node] {
                    let ratio = contrast(colour, ground);
                    assert!(ratio >= 4.5, "{theme:?}: {colour} on {ground} has {ratio:.2}");
                }
            }
        }
    }

    #[test]
    fn states_differ_in_colour_or_shape() {
        for (at, a) in State::ALL.iter().enumerate() {
            for b in &State::ALL[at + 1..] {
                assert_ne!(a.glyph(), b.glyph());
            }
        }
    }

    #[test]
    fn heavy_edges_are_wider_within_reason() {
        assert!(stroke_width(1) < stroke_width(64));
        assert_eq!(stroke_width(usize::MAX), 3.25);
        assert_eq!(stroke_width(0), stroke_width(1));
    }
}
