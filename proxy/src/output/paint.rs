//! Colours.

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _};

use crate::cli::When;

/// What a colour means. None carries a meaning alone: there is always a word as well.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// It is well, or there is more than before.
    Good,
    /// It is less well, or other than before.
    Warn,
    /// It is lost.
    Bad,
    /// What is looked for.
    Strong,
    /// What can be skipped.
    Quiet,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Style::Good => "32",
            Style::Warn => "33",
            Style::Bad => "31",
            Style::Strong => "1",
            Style::Quiet => "2",
        }
    }
}

/// Whether a stream gets colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Paint {
    is_on: bool,
}

impl Paint {
    /// For standard output.
    pub fn stdout(when: When) -> Self {
        Paint::of(when, io::stdout().is_terminal(), env::var_os("NO_COLOR"), env::var_os("TERM"))
    }

    /// For standard error.
    pub fn stderr(when: When) -> Self {
        Paint::of(when, io::stderr().is_terminal(), env::var_os("NO_COLOR"), env::var_os("TERM"))
    }

    fn of(when: When, is_terminal: bool, no_color: Option<OsString>, term: Option<OsString>) -> Self {
        let is_on = match when {
            When::Always => true,
            When::Never => false,
            When::Auto => {
                let is_refused = no_color.is_some_and(|value| !value.is_empty());
                is_terminal && !is_refused && term.is_some_and(|term| !term.is_empty() && term != "dumb")
            }
        };
        Paint { is_on }
    }

    /// The text, in colour if this stream gets any.
    pub fn paint(self, style: Style, text: &str) -> String {
        if self.is_on { format!("\u{1b}[{}m{text}\u{1b}[0m", style.code()) } else { text.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_unless_somebody_says_otherwise() {
        let of = |when, is_terminal, no_color: Option<&str>, term: &str| {
            Paint::of(when, is_terminal, no_color.map(OsString::from), Some(term.into())).is_on
        };
        assert!(of(When::Auto, true, None, "xterm"));
        assert!(of(When::Auto, true, Some(""), "xterm"), "an empty NO_COLOR says nothing");
        assert!(!of(When::Auto, false, None, "xterm"));
        assert!(!of(When::Auto, true, Some("1"), "xterm"));
        assert!(!of(When::Auto, true, None, "dumb"));
        assert!(of(When::Always, false, Some("1"), "dumb"));
        assert!(!of(When::Never, true, None, "xterm"));
    }

    #[test]
    fn painted_text_ends_plain() {
        assert_eq!(Paint { is_on: true }.paint(Style::Bad, "x"), "\u{1b}[31mx\u{1b}[0m");
        assert_eq!(Paint { is_on: false }.paint(Style::Bad, "x"), "x");
    }
}
