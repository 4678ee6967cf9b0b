//! What is left over after everything was told in pages.

use alloc::vec::Vec;

use xenapi_core::{RawRef, RecordDesc};

use super::batch::{Batch, What};
use super::fields::FieldSet;
use super::{Cache, Change, Operation};

/// The objects that the pages of a load have named, by the places of their classes.
#[derive(Default)]
pub(crate) struct Seen(Vec<Vec<RawRef>>);

impl Seen {
    /// Takes note of a page, before it is applied.
    pub(crate) fn note(&mut self, page: &Batch) {
        for event in page.events.iter().filter(|event| !matches!(event.what, What::Gone)) {
            if self.0.len() <= event.table {
                self.0.resize_with(event.table + 1, Vec::new);
            }
            if let Some(named) = self.0.get_mut(event.table) {
                named.push(event.reference.clone());
            }
        }
    }
}

impl Cache {
    /// Takes out what no page has named: it was deleted while nobody told. Classes that the pages are not about stay as they are.
    /// Answers what went.
    pub(crate) fn sweep(&mut self, mut seen: Seen, covers: &dyn Fn(&RecordDesc) -> bool) -> Vec<Change> {
        let mut changes = Vec::new();
        seen.0.resize_with(self.inner.tables.len(), Vec::new);
        for (at, mut named) in seen.0.into_iter().enumerate() {
            let Some(table) = self.inner.tables.get(at).filter(|table| covers(table.class)) else { continue };
            // Pages come in the order of references, mostly.
            named.sort_unstable();
            let mut left = named.iter().peekable();
            let mut is_named = |reference: &RawRef| {
                while left.next_if(|it| *it < reference).is_some() {}
                left.peek().is_some_and(|it| *it == reference)
            };
            let rows = table.rows().iter().map(|(reference, _)| reference);
            let mut gone: Vec<RawRef> = rows.filter(|reference| !is_named(reference)).cloned().collect();
            gone.extend(table.wrong().keys().filter(|it| named.binary_search(it).is_err()).cloned());
            let was_known = table.known;
            if gone.is_empty() && was_known {
                continue;
            }
            let Some(table) = self.table_mut(at) else { continue };
            table.known = true;
            let class = table.class.name;
            for reference in gone {
                if table.remove(&reference) {
                    changes.push(Change { class, reference, operation: Operation::Deleted, fields: FieldSet::ALL });
                }
            }
            self.touch(at);
        }
        self.inner().strays = alloc::sync::Arc::default();
        self.tolerated.clear();
        changes
    }
}
