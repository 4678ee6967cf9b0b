//! Printing, where whoever reads may go away.

use std::io::{self, Write as _};

use crate::cli::Exit;

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

/// Says something to people, on standard error.
pub fn say(text: &str) {
    // What servers and files say is part of many messages; it shall not steer the terminal.
    let text = text.replace(|c: char| c.is_control() && c != '\n', " ");
    // Where nobody listens, nothing is lost.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
