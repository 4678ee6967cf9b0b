//! What must hold for every document, as functions of bytes.
//!
//! A [`Target`] panics when it finds a fault. [`mutate`] runs targets for a short time, the same way every time, inside `cargo
//! test`; `cargo xtask fuzz TARGET SECONDS` lets libFuzzer search where the coverage leads it, for as long as one likes.

#![allow(
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    reason = "a tool that always has std: two crate roots for one import say nothing here"
)]

mod checks;
mod chunks;
mod json;
pub mod mutate;
mod readers;
mod seeds;
mod values;

pub use seeds::generated;

/// Something that must hold for every input.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name on the command line.
    pub name: &'static str,
    /// What holds, in a sentence.
    pub about: &'static str,
    /// Panics when it does not hold for these bytes.
    pub run: fn(&[u8]),
    /// What its inputs are.
    pub input: Input,
}

/// What the bytes are that a target takes: tells which seeds help.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input {
    /// A document.
    Xml,
    /// A document of JSON.
    Json,
    /// Bytes that decide what document is made.
    Choices,
    /// A few bytes that decide, then a document.
    ChoicesThenXml,
}

/// All targets.
pub const TARGETS: [Target; 11] = [
    Target {
        name: "bytes",
        about: "no bytes make the XML reader panic, loop or read past a limit",
        run: checks::bytes,
        input: Input::Xml,
    },
    Target {
        name: "readers",
        about: "the scanner and the general reader read the same, errors included",
        run: readers::agree,
        input: Input::Xml,
    },
    Target {
        name: "typed",
        about: "reading bytes as records never panics, and goes on behind what is wrong",
        run: checks::typed,
        input: Input::Xml,
    },
    Target {
        name: "rewritten",
        about: "what was read is written, and read again as the same",
        run: checks::rewritten,
        input: Input::Xml,
    },
    Target {
        name: "values",
        about: "values, calls and failures come back from their bytes, in both roles",
        run: checks::values,
        input: Input::Choices,
    },
    Target {
        name: "wander",
        about: "no order of questions to a reader does harm",
        run: checks::wander,
        input: Input::ChoicesThenXml,
    },
    Target {
        name: "limits",
        about: "what is read keeps the limits, and costs a bounded multiple of the document",
        run: checks::limits,
        input: Input::ChoicesThenXml,
    },
    Target {
        name: "chunks",
        about: "a streamed reply gives the same in whatever chunks it comes, and the same as one that is read whole",
        run: chunks::same,
        input: Input::ChoicesThenXml,
    },
    Target {
        name: "views",
        about: "records that stay in the document hold what records that are read hold",
        run: readers::views,
        input: Input::Xml,
    },
    Target {
        name: "json",
        about: "no bytes make the reader of JSON-RPC panic, and what was read is written and read again as the same",
        run: json::bytes,
        input: Input::Json,
    },
    Target {
        name: "json-values",
        about: "values, calls and failures come back from their JSON, in both roles and versions",
        run: json::values,
        input: Input::Choices,
    },
];

/// The target of that name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
