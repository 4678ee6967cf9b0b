//! Numbered steps on standard error, so that standard output stays free for what a command is asked to print.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

/// Counts steps and the time since the first.
pub(crate) struct Progress {
    total: usize,
    done: usize,
    started: Instant,
    bold: bool,
}

impl Progress {
    pub(crate) fn new(total: usize) -> Self {
        let bold = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { total, done: 0, started: Instant::now(), bold }
    }

    /// Announces the next step.
    pub(crate) fn step(&mut self, title: &str) {
        self.done += 1;
        let line = format!("[{}/{}] {}  {title}", self.done, self.total, clock(self.started.elapsed()));
        if self.bold {
            eprintln!("\n\x1b[1m{line}\x1b[0m");
        } else {
            eprintln!("\n{line}");
        }
    }

    /// Says something about the step under way.
    pub(crate) fn note(&self, text: &str) {
        eprintln!("      {}  {text}", clock(self.started.elapsed()));
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Minutes and seconds: `0:07`, `12:30`.
pub(crate) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_counts_minutes_beyond_an_hour() {
        assert_eq!(clock(Duration::from_millis(7_900)), "0:07");
        assert_eq!(clock(Duration::from_secs(3_725)), "62:05");
    }
}
