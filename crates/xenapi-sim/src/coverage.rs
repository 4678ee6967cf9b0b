//! Which messages are simulated, as the tables that answer them have it.

use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{ClassDesc, Failure, MessageDesc, Stage};

use crate::operations;

/// What a caller of a message meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Coverage {
    /// It does what xapi does, or refuses as xapi does.
    Simulated,
    /// It was removed, and answers so, as in xapi: `MESSAGE_REMOVED` or `MESSAGE_DEPRECATED`.
    Removed,
    /// It answers `NOT_IMPLEMENTED` with its name.
    NotImplemented,
}

impl Coverage {
    /// A word for it, as the command line prints it.
    pub fn name(self) -> &'static str {
        match self {
            Coverage::Simulated => "simulated",
            Coverage::Removed => "removed",
            Coverage::NotImplemented => "not-implemented",
        }
    }
}

/// A message, and what a caller of it meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoveredMessage {
    /// Its class.
    pub class: &'static str,
    /// Its name within the class.
    pub message: &'static str,
    /// What a caller meets.
    pub coverage: Coverage,
}

/// Every explicit message of the schema, by class in the schema's order. The implicit ones (getters, setters, `create` and `destroy`
/// that follow from the fields) are not listed: they are simulated for every class.
pub fn coverage() -> Vec<CoveredMessage> {
    let mut all = Vec::new();
    for class in xenapi_model::CLASSES {
        for message in class.messages {
            let coverage = if is_simulated(class, message) {
                Coverage::Simulated
            } else if refusal(class, message).code == "NOT_IMPLEMENTED" {
                Coverage::NotImplemented
            } else {
                Coverage::Removed
            };
            all.push(CoveredMessage { class: class.name, message: message.name, coverage });
        }
    }
    all
}

/// Whether a message has a body, or only writes a field.
fn is_simulated(class: &'static ClassDesc, message: &'static MessageDesc) -> bool {
    operations::find(class, message).is_some() || operations::plain_setter(class, message.name).is_some()
}

/// What a message without a body answers.
pub(crate) fn refusal(class: &ClassDesc, message: &MessageDesc) -> Failure {
    let not_implemented = || {
        let name: String = alloc::format!("{}.{}", class.name, message.name);
        Failure::new("NOT_IMPLEMENTED", [name])
    };
    match (class.name, message.name) {
        // This one was removed from the documentation, but its body still answers for itself.
        ("VM", "set_protection_policy") => not_implemented(),
        ("SR", "make") => Failure::new("MESSAGE_DEPRECATED", [""; 0]),
        _ if message.lifecycle.last().is_some_and(|(stage, _)| *stage == Stage::Removed) => {
            Failure::new("MESSAGE_REMOVED", [""; 0])
        }
        _ => not_implemented(),
    }
}
