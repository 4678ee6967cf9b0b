//! Relations: one side is stored, the other is a set that mirrors it.

use xenapi_core::{NULL, Value};

use crate::store::{Link, Row, Store};

/// The references in the stored side of a relation: one, or a set of them.
fn targets(value: &Value) -> impl Iterator<Item = &str> {
    let one = value.as_text();
    let many = value.as_array().unwrap_or_default().iter().filter_map(Value::as_text);
    one.into_iter().chain(many).filter(|reference| !reference.is_empty() && *reference != NULL)
}

impl Store {
    /// Tells the other ends that a new object points to them.
    pub(crate) fn link_all(&mut self, table: usize, reference: &str) {
        for field in 0..self.tables[table].links.len() {
            let Some(link) = self.tables[table].links[field] else { continue };
            let Some(value) = self.tables[table].get(reference).and_then(|row| row.fields.get(field)).cloned() else {
                continue;
            };
            for target in targets(&value) {
                self.link(link, target, reference, true);
            }
        }
    }

    /// Tells the other ends that an object is gone.
    pub(crate) fn unlink_all(&mut self, table: usize, row: &Row) {
        for (field, value) in row.fields.iter().enumerate() {
            let Some(link) = self.tables[table].links.get(field).copied().flatten() else { continue };
            for target in targets(value) {
                self.unlink(link, target, row.reference.as_str());
            }
        }
    }

    /// Tells the other ends about a changed field, given its old value.
    pub(crate) fn relink(&mut self, table: usize, reference: &str, field: usize, old: &Value) {
        let Some(link) = self.tables[table].links.get(field).copied().flatten() else { return };
        let Some(new) = self.tables[table].get(reference).and_then(|row| row.fields.get(field)).cloned() else { return };
        for target in targets(old).filter(|target| targets(&new).all(|kept| kept != *target)) {
            self.unlink(link, target, reference);
        }
        for target in targets(&new).filter(|target| targets(old).all(|known| known != *target)) {
            self.link(link, target, reference, false);
        }
    }

    fn link(&mut self, link: Link, target: &str, reference: &str, is_new: bool) {
        let Some(Value::Array(items)) = self.slot(link.table, target, link.field) else { return };
        // Nobody can know a new object yet, and the sets of a big pool are long.
        if !is_new && items.iter().any(|item| item.as_text() == Some(reference)) {
            return;
        }
        items.push(reference.into());
        self.stamp(link.table, target);
    }

    fn unlink(&mut self, link: Link, target: &str, reference: &str) {
        let Some(Value::Array(items)) = self.slot(link.table, target, link.field) else { return };
        let before = items.len();
        items.retain(|item| item.as_text() != Some(reference));
        if items.len() != before {
            self.stamp(link.table, target);
        }
    }
}
