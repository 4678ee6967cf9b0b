//! How a command ends.

use core::fmt;

use serde_json::{Value as Json, json};
use xenapi_core::Failure;

/// What an exit code means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code {
    /// The number.
    pub number: u8,
    /// The word for programs, in the JSON of an error.
    pub name: &'static str,
    /// When a command ends so, as a clause.
    pub about: &'static str,
}

/// It did what was asked.
pub const DONE: Code = Code { number: 0, name: "done", about: "it did what was asked" };
/// Something here stood in the way.
pub const FAILED: Code =
    Code { number: 1, name: "failed", about: "something on this machine stood in the way: a file, a port, the output" };
/// The command was typed wrongly.
pub const USAGE: Code = Code { number: 2, name: "usage", about: "the command was typed wrongly; nobody was asked" };
/// The server refused.
pub const REFUSED: Code = Code {
    number: 3,
    name: "refused",
    about: "the server refused the call or the login, the task failed, or there is no such object",
};
/// The server was not reached.
pub const UNREACHABLE: Code = Code {
    number: 4,
    name: "unreachable",
    about: "the server was not reached, or did not answer in time: no address, no connection, no TLS",
};
/// The certificate is not trusted.
pub const UNTRUSTED: Code = Code {
    number: 5,
    name: "untrusted",
    about: "the server's certificate is not trusted, or not the one that was expected",
};
/// The server answered something else than XenAPI.
pub const PROTOCOL: Code = Code {
    number: 6,
    name: "protocol",
    about: "the answer cannot be read: cut off, too large, or no XenAPI; a change may have been made nevertheless",
};
/// Ctrl-C.
pub const INTERRUPTED: Code =
    Code { number: 130, name: "interrupted", about: "it was interrupted by Ctrl-C or SIGTERM before it was done" };

/// All of them, by number.
pub const CODES: [Code; 8] = [DONE, FAILED, USAGE, REFUSED, UNREACHABLE, UNTRUSTED, PROTOCOL, INTERRUPTED];

/// A command that failed: the exit code, and what is said about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exit {
    /// One of [`CODES`]; 0 where the reader of the output has gone away.
    pub code: u8,
    /// What happened, where, and what to do: one to three lines, without the name of the program.
    pub message: String,
    /// The server's refusal, if it is one.
    refusal: Option<Box<Failure>>,
}

impl Exit {
    /// The end with a code.
    pub fn new(code: Code, message: impl fmt::Display) -> Self {
        Exit { code: code.number, message: message.to_string(), refusal: None }
    }

    /// The command did not succeed.
    pub fn failure(message: impl fmt::Display) -> Self {
        Exit::new(FAILED, message)
    }

    /// The command was typed wrongly.
    pub fn usage(message: impl fmt::Display) -> Self {
        Exit::new(USAGE, message)
    }

    /// The server refused; the message says what.
    pub fn refused(message: impl fmt::Display, failure: &Failure) -> Self {
        Exit { refusal: Some(Box::new(failure.clone())), ..Exit::new(REFUSED, message) }
    }

    /// There is no such object.
    pub fn no_such_object(message: impl fmt::Display) -> Self {
        Exit::new(REFUSED, message)
    }

    /// Somebody ended the program before it was done.
    pub fn interrupted(message: impl fmt::Display) -> Self {
        Exit::new(INTERRUPTED, message)
    }

    /// Whoever reads the output has enough, as `head` does. Not a failure.
    pub fn enough() -> Self {
        Exit::new(DONE, "")
    }

    /// The end for programs: `{"error": {"exit": 3, "kind": "refused", "message": …, "code": …, "params": […]}}`, the last two for what
    /// the server refused.
    pub fn to_json(&self) -> Json {
        let kind = CODES.iter().find(|code| code.number == self.code).map_or("failed", |code| code.name);
        let mut error = json!({ "exit": self.code, "kind": kind, "message": self.message });
        if let Some(failure) = &self.refusal {
            error["code"] = failure.code.as_str().into();
            error["params"] = failure.params.clone().into();
        }
        json!({ "error": error })
    }
}

/// The codes in lines, for the help.
pub(super) fn listed() -> String {
    let line = |code: &Code| format!("  {:>3}  {}\n", code.number, code.about);
    CODES.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_for_programs_says_its_kind() {
        let refused = Exit::refused("no", &Failure::new("VM_BAD_POWER_STATE", ["OpaqueRef:1", "halted", "running"]));
        let expected = json!({"error": {
            "exit": 3, "kind": "refused", "message": "no",
            "code": "VM_BAD_POWER_STATE", "params": ["OpaqueRef:1", "halted", "running"],
        }});
        assert_eq!(refused.to_json(), expected);
        assert_eq!(Exit::usage("x").to_json(), json!({"error": {"exit": 2, "kind": "usage", "message": "x"}}));
    }

    #[test]
    fn the_readme_has_every_code() {
        let readme = include_str!("../../../README.md");
        for code in CODES {
            let row = format!("| {} | {} |", code.number, code.about);
            assert!(readme.contains(&row), "README.md does not have the row {row}");
        }
    }
}
