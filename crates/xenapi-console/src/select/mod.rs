//! From the cache to what is shown: plain data, computed again only when the classes it is made of have changed.

mod details;
pub(crate) mod guest;
pub(crate) mod lookup;
pub(crate) mod states;

pub(crate) use details::os_name;
pub use details::{Details, Fact, Link, Meter, Related, details};
pub(crate) use guest::{addresses, memory, vcpus};
pub(crate) use lookup::{either, fills, pif_name, sr_name};
pub use lookup::{find, full_name_of, is_known, is_known_class, is_loading, name_of, named, named_ref, record_of, uuid_of};

use alloc::string::String;

use xenapi_client::Cache;

use crate::text::Text;

/// A number that changes whenever one of these classes does: what memoised selectors compare.
pub fn stamp(cache: &Cache, classes: &[&str]) -> u64 {
    // Revisions only grow, so their sum changes with every one of them.
    classes.iter().fold(0, |sum: u64, class| sum.wrapping_add(cache.revision_of(class)))
}

/// A value in a table or a list of facts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cell {
    /// There is one.
    Text(String),
    /// There is none.
    Nothing,
    /// Nobody knows: what would say so was not loaded.
    Unknown,
}

impl Cell {
    /// Text, or nothing if it is empty.
    pub fn of(text: impl Into<String>) -> Cell {
        let text = text.into();
        if text.trim().is_empty() { Cell::Nothing } else { Cell::Text(text) }
    }

    /// Yes or no.
    pub fn truth(truth: bool) -> Cell {
        Cell::Text(if truth { Text::Yes } else { Text::No }.get().into())
    }

    /// What is shown.
    pub fn show(&self) -> &str {
        match self {
            Cell::Text(text) => text,
            Cell::Nothing => Text::Nothing.get(),
            Cell::Unknown => Text::Unknown.get(),
        }
    }

    /// The text, if there is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Cell::Text(text) => Some(text),
            Cell::Nothing | Cell::Unknown => None,
        }
    }
}
