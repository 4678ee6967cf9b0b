//! Something that is measured.

use crate::document::Document;
use crate::{ours, peers};

/// The direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Task {
    /// Bytes to values.
    Decode,
    /// Values to bytes.
    Encode,
}

/// A way to read or write documents.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// The name on the command line.
    pub key: &'static str,
    /// The name in the table.
    pub name: &'static str,
    /// The direction.
    pub task: Task,
    /// Whether it goes with documents about VMs only.
    pub vm_only: bool,
    /// Whether the order of the members can make a difference.
    pub order_matters: bool,
    /// Makes ready, runs once to see that it works, and gives what is to be measured; or says why it does not work.
    pub prepare: for<'d> fn(&'d Document) -> Result<Work<'d>, String>,
}

/// What is measured.
pub struct Work<'d> {
    /// The bytes that one run goes through.
    pub bytes: usize,
    /// One run. What it makes is dropped in it.
    pub run: Box<dyn FnMut() + 'd>,
}

impl<'d> Work<'d> {
    /// Runs once, and gives the work if that succeeds.
    pub(crate) fn new<T, E: core::fmt::Display>(
        bytes: usize,
        mut work: impl FnMut() -> Result<T, E> + 'd,
    ) -> Result<Self, String> {
        work().map_err(|error| error.to_string())?;
        Ok(Work {
            bytes,
            run: Box::new(move || {
                _ = core::hint::black_box(work());
            }),
        })
    }
}

/// All of them: what the others are compared to comes first in each direction.
pub fn subjects() -> Vec<Subject> {
    [peers::BASELINES.as_slice(), &ours::SUBJECTS, &peers::SUBJECTS].concat()
}

/// The subject of that key.
pub fn find(key: &str) -> Option<Subject> {
    subjects().into_iter().find(|subject| subject.key == key)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;
    use xenapi_corpus::{Content, Order};

    #[test]
    fn every_subject_reads_and_writes_the_documents_that_it_is_for() {
        for content in Content::ALL {
            for order in [Order::Datamodel, Order::Shuffled] {
                let document = Document::new(content, 2, order);
                for subject in subjects() {
                    if subject.vm_only && content != Content::Vm {
                        continue;
                    }
                    let work = (subject.prepare)(&document);
                    assert!(work.is_ok(), "{} on {}: {}", subject.name, document.title(), work.err().unwrap());
                }
            }
        }
    }

    #[test]
    fn keys_are_unique() {
        let mut keys: Vec<&str> = subjects().iter().map(|subject| subject.key).collect();
        let all = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), all);
        assert!(find("typed").is_some());
    }
}
