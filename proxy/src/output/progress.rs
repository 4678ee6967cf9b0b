//! How far something is: a bar on a terminal, lines elsewhere.

use std::io::{self, IsTerminal as _, Write};

use crate::cli::When;

const CELLS: usize = 30;

/// The longest label that fits beside the bar on a terminal of 80 columns.
const LONGEST_LABEL: usize = 38;

/// Back to the first column, and the rest of the line gone.
const CLEAR: &str = "\r\u{1b}[K";

/// Shows how far something is, on standard error. Nothing is left of a bar when this is dropped.
pub struct Progress {
    form: Form,
    label: String,
    told: Option<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Bar,
    Lines,
    None,
}

impl Progress {
    /// Begins, without showing anything yet.
    pub fn new(when: When, label: &str) -> Self {
        let form = match (when, io::stderr().is_terminal()) {
            (When::Never, _) | (When::Auto, false) => Form::None,
            (_, true) => Form::Bar,
            (When::Always, false) => Form::Lines,
        };
        Progress { form, label: super::plain(label), told: None }
    }

    /// From 0 to 1, how far it is.
    pub fn at(&mut self, part: f64) {
        // In between there is nothing to be seen; what is no number is no progress.
        let percent = (part.clamp(0.0, 1.0) * 100.0) as u8;
        if self.told == Some(percent) || self.form == Form::None {
            return;
        }
        self.told = Some(percent);
        let mut out = io::stderr().lock();
        // Where nobody looks, nothing is lost.
        let _ = match self.form {
            Form::Bar => write!(out, "{CLEAR}{}", bar(&self.label, percent)),
            _ => writeln!(out, "{}: {percent} %", self.label),
        }
        .and_then(|()| out.flush());
    }

    /// So many of so many are done, and this is next.
    pub fn step(&mut self, done: usize, of: usize, next: &str) {
        if self.form != Form::Lines {
            self.label = super::plain(next);
            self.told = None;
        }
        self.at(if of == 0 { 1.0 } else { done as f64 / of as f64 });
    }

    /// Says something to people, above the bar.
    pub fn say(&mut self, text: &str) {
        self.clear();
        super::say(text);
    }

    fn clear(&mut self) {
        if self.form == Form::Bar && self.told.take().is_some() {
            let mut out = io::stderr().lock();
            let _ = write!(out, "{CLEAR}").and_then(|()| out.flush());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

fn bar(label: &str, percent: u8) -> String {
    let full = usize::from(percent) * CELLS / 100;
    let tip = if full < CELLS { ">" } else { "" };
    let label: String = label.chars().take(LONGEST_LABEL).collect();
    format!("{label} [{:=<full$}{tip}{: <empty$}] {percent:>3} %", "", "", empty = CELLS - full - tip.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_has_the_same_length_at_every_point() {
        assert_eq!(bar("VM.start", 0), "VM.start [>                             ]   0 %");
        assert_eq!(bar("VM.start", 50), "VM.start [===============>              ]  50 %");
        assert_eq!(bar("VM.start", 100), "VM.start [==============================] 100 %");
        assert!((0..=100).all(|percent| bar(&"x".repeat(99), percent).chars().count() < 80));
    }
}
