//! The database: rows of values for every class of the model, with generations that tell what changed when.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hash::BuildHasherDefault;
use std::collections::HashMap;
use std::hash::DefaultHasher;

use xenapi_core::{ClassDesc, DateTime, NULL, RawRef, Struct, Value};

use crate::reply::Snapshot;

/// Hash maps without randomness from the system: the same calls give the same answers.
pub(crate) type Map<K, V> = HashMap<K, V, BuildHasherDefault<DefaultHasher>>;

/// Each class remembers at least half as many deletions as this.
const DELETIONS: usize = 512;

/// An object: one value for each field of its class, in the schema's order.
pub(crate) struct Row {
    pub(crate) reference: RawRef,
    /// Shared with the answers that show it; a write while one is under way copies.
    pub(crate) fields: Arc<Vec<Value>>,
    /// Members that the schema does not know, from recordings.
    pub(crate) extra: Option<Arc<Struct>>,
    pub(crate) created: u64,
    pub(crate) modified: u64,
}

/// A deleted object.
pub(crate) struct Tombstone {
    pub(crate) reference: RawRef,
    pub(crate) created: u64,
    pub(crate) deleted: u64,
}

/// What happened to an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Change {
    Added,
    Modified,
    Deleted,
}

impl Change {
    /// The word in events.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Change::Added => "add",
            Change::Modified => "mod",
            Change::Deleted => "del",
        }
    }
}

/// A change as the older `event.next` tells it: with the record as it was then.
pub(crate) struct Entry {
    pub(crate) id: u64,
    pub(crate) table: usize,
    pub(crate) change: Change,
    pub(crate) reference: RawRef,
    pub(crate) snapshot: Snapshot,
}

/// The other end of a relation whose stored side is a field of this class.
#[derive(Clone, Copy)]
pub(crate) struct Link {
    pub(crate) table: usize,
    pub(crate) field: usize,
}

/// All objects of a class.
pub(crate) struct Table {
    pub(crate) class: &'static ClassDesc,
    defaults: Vec<Value>,
    /// By field: where the stored side of a relation is mirrored.
    pub(crate) links: Vec<Option<Link>>,
    /// By serial number, so in the order of creation.
    pub(crate) rows: BTreeMap<u64, Row>,
    index: Map<RawRef, u64>,
    /// Serial numbers by uuid.
    uuids: Map<Box<str>, u64>,
    uuid_at: Option<usize>,
    /// Serial numbers by the generation of the last change.
    changes: BTreeMap<u64, u64>,
    pub(crate) deletions: VecDeque<Tombstone>,
    /// The generation of the last change of anything in here.
    pub(crate) last_change: u64,
}

impl Table {
    pub(crate) fn get(&self, reference: &str) -> Option<&Row> {
        self.rows.get(self.index.get(reference)?)
    }

    fn get_mut(&mut self, reference: &str) -> Option<&mut Row> {
        self.rows.get_mut(self.index.get(reference)?)
    }

    /// The rows that changed after a generation, in the order of their last changes.
    pub(crate) fn changed_since(&self, generation: u64) -> impl Iterator<Item = &Row> {
        let later = self.changes.range(generation.saturating_add(1)..);
        later.filter_map(|(_, serial)| self.rows.get(serial))
    }

    /// The row of that serial number.
    pub(crate) fn nth(&self, serial: u64) -> Option<&Row> {
        self.rows.get(&serial)
    }

    /// The serial number of an object, which it keeps for its life.
    pub(crate) fn serial(&self, reference: &str) -> Option<u64> {
        self.index.get(reference).copied()
    }

    pub(crate) fn by_uuid(&self, uuid: &str) -> Option<&Row> {
        self.rows.get(self.uuids.get(uuid)?)
    }

    /// The whole record of a row, without a copy.
    pub(crate) fn snapshot(&self, row: &Row) -> Snapshot {
        Snapshot { class: self.class, fields: row.fields.clone(), extra: row.extra.clone() }
    }

    /// The whole record of a row.
    pub(crate) fn record(&self, row: &Row) -> Value {
        self.snapshot(row).to_value()
    }

    fn learn_uuid(&mut self, uuid: Option<&Value>, serial: u64) {
        if let Some(uuid) = uuid.and_then(Value::as_text).filter(|uuid| !uuid.is_empty()) {
            self.uuids.insert(uuid.into(), serial);
        }
    }

    fn forget_uuid(&mut self, uuid: Option<&Value>, serial: u64) {
        if let Some(uuid) = uuid.and_then(Value::as_text)
            && self.uuids.get(uuid) == Some(&serial)
        {
            self.uuids.remove(uuid);
        }
    }

    fn stamp(&mut self, reference: &str, generation: u64) {
        let Some(serial) = self.index.get(reference) else { return };
        let Some(row) = self.rows.get_mut(serial) else { return };
        self.changes.remove(&row.modified);
        row.modified = generation;
        self.changes.insert(generation, *serial);
        self.last_change = generation;
    }
}

/// Values of a new object, set by field name.
pub(crate) struct Draft {
    class: &'static ClassDesc,
    pub(crate) fields: Vec<Value>,
}

impl Draft {
    /// Sets a field. Names come from this crate, so a name that the schema lacks is a mistake in it.
    pub(crate) fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.set(field, value);
        self
    }

    pub(crate) fn set(&mut self, field: &str, value: impl Into<Value>) {
        let at = self.class.field_index(field);
        debug_assert!(at.is_some(), "{} has no field {field}", self.class.name);
        if let Some(slot) = at.and_then(|at| self.fields.get_mut(at)) {
            *slot = value.into();
        }
    }

    pub(crate) fn get(&self, field: &str) -> &Value {
        self.class.field_index(field).and_then(|at| self.fields.get(at)).unwrap_or(&Value::Nil)
    }

    pub(crate) fn text(&self, field: &str) -> &str {
        self.get(field).as_text().unwrap_or("")
    }
}

/// The database.
pub(crate) struct Store {
    pub(crate) tables: Vec<Table>,
    by_name: Map<&'static str, usize>,
    /// Of the last change of a row.
    pub(crate) generation: u64,
    /// Of the last change of a message; messages are not rows in xapi and count on their own.
    pub(crate) message_generation: u64,
    /// How many changes there were at all: the ids of the older events.
    pub(crate) changes: u64,
    /// Every change since it was last taken, while somebody listens with `event.next`.
    pub(crate) journal: Option<Vec<Entry>>,
    next_serial: u64,
}

impl Store {
    /// An empty database of all classes of the model.
    pub(crate) fn new() -> Self {
        let classes = xenapi_model::CLASSES;
        let by_name: Map<&'static str, usize> = classes.iter().enumerate().map(|(at, class)| (class.name, at)).collect();
        let tables = classes.iter().map(|class| {
            let links = class.fields.iter().map(|field| {
                let relation = field.relation.filter(|relation| relation.stored)?;
                let table = *by_name.get(relation.class)?;
                Some(Link { table, field: classes[table].field_index(relation.field)? })
            });
            Table {
                class,
                defaults: class.fields.iter().map(xenapi_core::FieldDesc::default_value).collect(),
                links: links.collect(),
                rows: BTreeMap::new(),
                index: Map::default(),
                uuids: Map::default(),
                uuid_at: class.field_index("uuid"),
                changes: BTreeMap::new(),
                deletions: VecDeque::new(),
                last_change: 0,
            }
        });
        Store {
            tables: tables.collect(),
            by_name,
            generation: 0,
            message_generation: 0,
            changes: 0,
            journal: None,
            next_serial: 0,
        }
    }

    /// The place of a class.
    pub(crate) fn place(&self, class: &str) -> Option<usize> {
        self.by_name.get(class).copied()
    }

    /// The objects of a class. Class names come from this crate or the model.
    pub(crate) fn table(&self, class: &str) -> &Table {
        &self.tables[self.place(class).unwrap_or_default()]
    }

    pub(crate) fn row(&self, class: &str, reference: &str) -> Option<&Row> {
        self.tables.get(self.place(class)?)?.get(reference)
    }

    pub(crate) fn contains(&self, class: &str, reference: &str) -> bool {
        self.row(class, reference).is_some()
    }

    pub(crate) fn count(&self, class: &str) -> usize {
        self.table(class).rows.len()
    }

    /// All references of a class in the order of creation.
    pub(crate) fn all(&self, class: &str) -> Vec<RawRef> {
        self.table(class).rows.values().map(|row| row.reference.clone()).collect()
    }

    /// The first object of a class: the pool, where there is one of it.
    pub(crate) fn first(&self, class: &str) -> Option<RawRef> {
        self.table(class).rows.values().next().map(|row| row.reference.clone())
    }

    /// The default values of a new object.
    pub(crate) fn draft(&self, class: &str) -> Draft {
        let table = self.table(class);
        Draft { class: table.class, fields: table.defaults.clone() }
    }

    /// The generation of the next change in a class.
    fn tick(&mut self, table: usize) -> u64 {
        let counter =
            if self.tables[table].class.name == "message" { &mut self.message_generation } else { &mut self.generation };
        *counter += 1;
        self.changes += 1;
        *counter
    }

    /// Notes a change of a row that is in its table.
    pub(crate) fn note_row(&mut self, table: usize, change: Change, reference: &str) {
        if self.journal.is_some() {
            let id = self.changes;
            let of = &self.tables[table];
            let entry = of.get(reference).map(|row| {
                let (reference, snapshot) = (row.reference.clone(), of.snapshot(row));
                Entry { id, table, change, reference, snapshot }
            });
            if let Some(journal) = &mut self.journal {
                journal.extend(entry);
            }
        }
    }

    /// Adds an object and tells the other ends of its relations.
    pub(crate) fn insert(&mut self, reference: &RawRef, draft: Draft) {
        let Some(table) = self.place(draft.class.name) else { return };
        self.insert_raw(table, reference.clone(), draft.fields, None);
        self.link_all(table, reference.as_str());
    }

    /// Adds an object as it is, without a look at its relations.
    pub(crate) fn insert_raw(&mut self, at: usize, reference: RawRef, fields: Vec<Value>, extra: Option<Arc<Struct>>) {
        let generation = self.tick(at);
        self.next_serial += 1;
        let serial = self.next_serial;
        let table = &mut self.tables[at];
        if let Some(old) = table.index.insert(reference.clone(), serial)
            && let Some(row) = table.rows.remove(&old)
        {
            table.changes.remove(&row.modified);
            table.forget_uuid(table.uuid_at.and_then(|at| row.fields.get(at)), old);
        }
        table.learn_uuid(table.uuid_at.and_then(|at| fields.get(at)), serial);
        table.changes.insert(generation, serial);
        table.last_change = generation;
        let row =
            Row { reference: reference.clone(), fields: fields.into(), extra, created: generation, modified: generation };
        table.rows.insert(serial, row);
        self.note_row(at, Change::Added, reference.as_str());
    }

    /// Takes an object out and tells the other ends of its relations. References to it stay and dangle, as in xapi.
    pub(crate) fn remove(&mut self, class: &str, reference: &str) -> Option<Row> {
        let at = self.place(class)?;
        if !self.tables[at].index.contains_key(reference) {
            return None;
        }
        let generation = self.tick(at);
        self.note_row(at, Change::Deleted, reference);
        let table = &mut self.tables[at];
        let serial = table.index.remove(reference)?;
        let row = table.rows.remove(&serial)?;
        table.forget_uuid(table.uuid_at.and_then(|at| row.fields.get(at)), serial);
        table.changes.remove(&row.modified);
        table.last_change = generation;
        let tombstone = Tombstone { reference: row.reference.clone(), created: row.created, deleted: generation };
        table.deletions.push_back(tombstone);
        if table.deletions.len() > DELETIONS {
            table.deletions.drain(..DELETIONS / 2);
        }
        self.unlink_all(at, &row);
        Some(row)
    }

    /// Writes a field. A value equal to the stored one changes nothing and makes no event.
    pub(crate) fn write(&mut self, table: usize, reference: &str, field: usize, value: Value) -> bool {
        let Some(old) = self.tables[table].get(reference).and_then(|row| row.fields.get(field)) else { return false };
        // Told apart from itself, a number that is none would change with every write.
        if *old == value || matches!((old, &value), (Value::Double(a), Value::Double(b)) if a.to_bits() == b.to_bits()) {
            return false;
        }
        let Some(slot) = self.slot(table, reference, field) else { return false };
        let old = core::mem::replace(slot, value);
        if self.tables[table].uuid_at == Some(field) {
            self.move_uuid(table, reference, field, &old);
        }
        self.stamp(table, reference);
        self.relink(table, reference, field, &old);
        true
    }

    /// Puts a `mod` event on the way for an object.
    pub(crate) fn stamp(&mut self, table: usize, reference: &str) {
        let generation = self.tick(table);
        self.tables[table].stamp(reference, generation);
        self.note_row(table, Change::Modified, reference);
    }

    fn move_uuid(&mut self, table: usize, reference: &str, field: usize, old: &Value) {
        let table = &mut self.tables[table];
        let Some(serial) = table.serial(reference) else { return };
        let new = table.rows.get(&serial).and_then(|row| row.fields.get(field)).cloned();
        table.forget_uuid(Some(old), serial);
        table.learn_uuid(new.as_ref(), serial);
    }

    /// Numbers all changes anew, from 1, in the order in which they happened, and forgets what was deleted.
    pub(crate) fn renumber(&mut self) {
        let mut last = [0_u64; 2];
        let mut order: Vec<(u64, usize, u64)> = Vec::new();
        for (at, table) in self.tables.iter_mut().enumerate() {
            table.deletions.clear();
            table.last_change = 0;
            order.extend(table.changes.iter().map(|(generation, serial)| (*generation, at, *serial)));
            table.changes.clear();
        }
        order.sort_unstable();
        for (_, at, serial) in order {
            let table = &mut self.tables[at];
            let Some(row) = table.rows.get_mut(&serial) else { continue };
            let counter = &mut last[usize::from(table.class.name == "message")];
            *counter += 1;
            (row.created, row.modified) = (*counter, *counter);
            table.changes.insert(*counter, serial);
            table.last_change = *counter;
        }
        [self.generation, self.message_generation] = last;
    }

    /// Changes a value in place, without a look at relations. The caller stamps the row.
    pub(crate) fn slot(&mut self, table: usize, reference: &str, field: usize) -> Option<&mut Value> {
        Arc::make_mut(&mut self.tables.get_mut(table)?.get_mut(reference)?.fields).get_mut(field)
    }

    fn place_of(&self, class: &str, field: &str) -> Option<(usize, usize)> {
        let table = self.place(class)?;
        let at = self.tables[table].class.field_index(field);
        debug_assert!(at.is_some(), "{class} has no field {field}");
        Some((table, at?))
    }

    /// Writes a field by name.
    pub(crate) fn put(&mut self, class: &str, reference: &str, field: &str, value: impl Into<Value>) -> bool {
        self.place_of(class, field).is_some_and(|(table, field)| self.write(table, reference, field, value.into()))
    }

    /// The value of a field, if the object exists.
    pub(crate) fn value(&self, class: &str, reference: &str, field: &str) -> Option<&Value> {
        let (table, field) = self.place_of(class, field)?;
        self.tables[table].get(reference)?.fields.get(field)
    }

    /// Text, or empty text.
    pub(crate) fn text(&self, class: &str, reference: &str, field: &str) -> &str {
        self.value(class, reference, field).and_then(Value::as_text).unwrap_or("")
    }

    /// A reference; null if there is none.
    pub(crate) fn reference(&self, class: &str, reference: &str, field: &str) -> RawRef {
        match self.text(class, reference, field) {
            "" => RawRef::from(NULL),
            text => RawRef::from(text),
        }
    }

    pub(crate) fn int(&self, class: &str, reference: &str, field: &str) -> i64 {
        self.value(class, reference, field).and_then(Value::as_int).unwrap_or(0)
    }

    pub(crate) fn flag(&self, class: &str, reference: &str, field: &str) -> bool {
        self.value(class, reference, field).and_then(Value::as_bool).unwrap_or(false)
    }

    pub(crate) fn time(&self, class: &str, reference: &str, field: &str) -> DateTime {
        match self.value(class, reference, field) {
            Some(Value::DateTime(time)) => *time,
            _ => DateTime::NEVER,
        }
    }

    /// The references of a set.
    pub(crate) fn refs(&self, class: &str, reference: &str, field: &str) -> Vec<RawRef> {
        let items = self.value(class, reference, field).and_then(Value::as_array).unwrap_or_default();
        items.iter().filter_map(Value::as_text).map(RawRef::from).collect()
    }

    /// The text of a key of a map.
    pub(crate) fn key(&self, class: &str, reference: &str, field: &str, key: &str) -> Option<&str> {
        self.value(class, reference, field)?.as_struct()?.get(key)?.as_text()
    }

    /// Sets a key of a map.
    pub(crate) fn put_key(&mut self, class: &str, reference: &str, field: &str, key: &str, value: impl Into<Value>) -> bool {
        let Some(mut map) = self.value(class, reference, field).and_then(Value::as_struct).cloned() else { return false };
        map.set(Cow::Owned(String::from(key)), value);
        self.put(class, reference, field, map)
    }

    /// Takes a key out of a map.
    pub(crate) fn drop_key(&mut self, class: &str, reference: &str, field: &str, key: &str) -> bool {
        let Some(mut map) = self.value(class, reference, field).and_then(Value::as_struct).cloned() else { return false };
        map.remove(key);
        self.put(class, reference, field, map)
    }
}
