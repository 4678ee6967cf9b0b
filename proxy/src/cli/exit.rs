//! How a command ends.

use core::fmt;

/// A command that failed: the exit code, and what is said about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exit {
    /// 1 for a failure, 2 for a command that was typed wrongly, 0 where the reader of the output has gone away.
    pub code: u8,
    /// What happened, where, and what to do: one to three lines, without the name of the program.
    pub message: String,
}

impl Exit {
    /// The command did not succeed.
    pub fn failure(message: impl fmt::Display) -> Self {
        Exit { code: 1, message: message.to_string() }
    }

    /// The command was typed wrongly.
    pub fn usage(message: impl fmt::Display) -> Self {
        Exit { code: 2, message: message.to_string() }
    }

    /// Whoever reads the output has enough, as `head` does. Not a failure.
    pub fn enough() -> Self {
        Exit { code: 0, message: String::new() }
    }
}
