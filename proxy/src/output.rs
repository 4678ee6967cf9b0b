//! Printing, where whoever reads may go away, or be a program.

mod paint;
mod progress;

use std::io::{self, Write as _};

pub use paint::{Paint, Style};
pub use progress::Progress;

use crate::cli::{Exit, When};

/// Prints a line on standard output at once.
///
/// # Errors
/// When nobody reads it any more, or it cannot be written.
pub fn line(text: &str) -> Result<(), Exit> {
    let mut out = io::stdout().lock();
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    written.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Exit::enough(),
        _ => Exit::failure(format!("cannot write to standard output: {error}")),
    })
}

/// Prints bytes on standard output.
///
/// # Errors
/// As [`line`].
pub fn bytes(bytes: &[u8]) -> Result<(), Exit> {
    line(String::from_utf8_lossy(bytes).trim_end())
}

/// Says something to people, on standard error.
pub fn say(text: &str) {
    // What servers and files say is part of many messages; it shall not steer the terminal.
    let text = text.replace(|c: char| c.is_control() && c != '\n', " ");
    // Where nobody listens, nothing is lost.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Says how a command failed: to people, or to programs as a line of JSON.
pub fn complain(exit: &Exit, color: When, is_for_programs: bool) {
    if exit.message.is_empty() {
        return;
    }
    if is_for_programs {
        let _ = writeln!(io::stderr().lock(), "{}", exit.to_json());
        return;
    }
    let name = Paint::stderr(color).paint(Style::Bad, "xenoxide:");
    let text = exit.message.replace(|c: char| c.is_control() && c != '\n', " ");
    let _ = writeln!(io::stderr().lock(), "{name} {text}");
}

/// Text of a server in one line that does not steer the terminal.
pub fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}
