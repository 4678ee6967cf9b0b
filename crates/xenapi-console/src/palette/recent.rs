//! What was chosen last.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// What was chosen last, the latest first: `VM/<uuid>`, or `act/` and the lasting name of something to do.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recent(Vec<String>);

/// So many are remembered.
const KEPT: usize = 6;

impl Recent {
    /// Reads what [`Recent::write`] wrote.
    pub fn parse(text: &str) -> Recent {
        Recent(text.lines().filter(|line| line.contains('/')).take(KEPT).map(ToString::to_string).collect())
    }

    /// As it is kept for the next visit.
    pub fn write(&self) -> String {
        self.0.join("\n")
    }

    /// Remembers a choice.
    #[must_use]
    pub fn with(mut self, what: &super::What) -> Recent {
        let word = match what {
            super::What::Object(_, named) => [named.class.as_str(), "/", &named.uuid].concat(),
            super::What::Act(act) => ["act/", &act.id()].concat(),
        };
        self.0.retain(|it| *it != word);
        self.0.insert(0, word);
        self.0.truncate(KEPT);
        self
    }

    /// The choices, the latest first.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}
