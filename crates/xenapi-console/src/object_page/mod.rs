//! The page about one object: what its record says, what it is connected with, how its data travels, what hangs on it.
//!
//! What stands in the cache is enough for names, connectors and paths. What the record says beside that comes with the full record
//! ([`fields`]), which the page fetches for this one object.

pub mod around;
pub mod fields;
mod labels;
pub mod page;
pub mod paths;
pub mod raw;
pub mod tables;

#[cfg(test)]
mod tests;

use alloc::string::String;

use xenapi_client::Cache;
use xenapi_core::{Class, Ref};
use xenapi_topology::State;

use crate::route::Named;
use crate::select::{Cell, is_known, name_of, named_ref};
use crate::text::Text;

/// How a piece of text looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Look {
    /// As text.
    #[default]
    Plain,
    /// As something that machines read: addresses, identities.
    Mono,
    /// As a number, at the end of its column.
    Number,
    /// Beside other things.
    Quiet,
    /// Nobody knows.
    Unknown,
}

/// A few words, perhaps with a link, a state or a measure.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Part {
    /// The words.
    pub text: String,
    /// What they name.
    pub link: Option<Named>,
    /// The state of what they name.
    pub state: Option<State>,
    /// How they look.
    pub look: Look,
    /// How full it is, in thousandths.
    pub permille: Option<u32>,
}

impl Part {
    /// Words.
    pub fn text(text: impl Into<String>) -> Part {
        Part { text: text.into(), ..Part::default() }
    }

    /// Words that machines read.
    pub fn mono(text: impl Into<String>) -> Part {
        Part { look: Look::Mono, ..Part::text(text) }
    }

    /// A number with its unit.
    pub fn number(text: impl Into<String>) -> Part {
        Part { look: Look::Number, ..Part::text(text) }
    }

    /// Yes or no.
    pub fn truth(truth: bool) -> Part {
        Part::text(if truth { Text::Yes } else { Text::No }.get())
    }

    /// Nobody knows.
    pub fn unknown() -> Part {
        Part { look: Look::Unknown, ..Part::text(Text::Unknown.get()) }
    }

    /// There is none.
    pub fn nothing() -> Part {
        Part { look: Look::Quiet, ..Part::text(Text::Nothing.get()) }
    }

    /// As a cell of other tables says it.
    pub fn cell(cell: &Cell) -> Part {
        match cell {
            Cell::Text(text) => Part::text(text.as_str()),
            Cell::Nothing => Part::nothing(),
            Cell::Unknown => Part::unknown(),
        }
    }

    /// The name of an object, as a link; nothing for none; "unknown" for one that is not in the data.
    pub fn object<'r, C: Class>(cache: &Cache, reference: impl Into<Option<&'r Ref<C>>>) -> Part {
        let Some(reference) = reference.into().and_then(Ref::non_null) else { return Part::nothing() };
        match name_of(cache, C::RECORD.name, reference.raw()) {
            Some(name) => Part { link: named_ref(cache, reference), ..Part::text(name) },
            None if is_known::<C>(cache) => Part { look: Look::Mono, ..Part::text(reference.as_str()) },
            None => Part::unknown(),
        }
    }

    /// With a state.
    #[must_use]
    pub fn in_state(self, state: State) -> Part {
        Part { state: Some(state), ..self }
    }

    /// Text, or that there is none.
    pub fn of(text: &str) -> Part {
        if text.trim().is_empty() { Part::nothing() } else { Part::text(text) }
    }

    /// The same as something that machines read, or that there is none.
    pub fn mono_of(text: &str) -> Part {
        if text.trim().is_empty() { Part::nothing() } else { Part::mono(text) }
    }
}

/// The classes that the page reads: when none of them changes, nothing on it does.
pub const OF_OBJECT: &[&str] = &[
    "pool",
    "host",
    "host_metrics",
    "VM",
    "VM_guest_metrics",
    "VM_metrics",
    "VBD",
    "VDI",
    "SR",
    "PBD",
    "VIF",
    "network",
    "PIF",
    "PIF_metrics",
    "Bond",
    "VLAN",
    "task",
    "message",
    "console",
];
