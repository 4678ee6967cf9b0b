//! The database: rows of values for every class of the model, with generations that tell what changed when.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::hash::BuildHasherDefault;
use std::collections::HashMap;
use std::hash::DefaultHasher;

use xenapi_core::{ClassDesc, DateTime, NULL, RawRef, Struct, Type, Value};

/// Hash maps without randomness from the system: the same calls give the same answers.
pub(crate) type Map<K, V> = HashMap<K, V, BuildHasherDefault<DefaultHasher>>;

/// Each class remembers at least half as many deletions as this.
const DELETIONS: usize = 512;

/// An object: one value for each field of its class, in the schema's order.
pub(crate) struct Row {
    pub(crate) reference: RawRef,
    pub(crate) fields: Vec<Value>,
    /// Members that the schema does not know, from recordings.
    pub(crate) extra: Option<Box<Struct>>,
    pub(crate) created: u64,
    pub(crate) modified: u64,
}

/// A deleted object.
pub(crate) struct Tombstone {
    pub(crate) reference: RawRef,
    pub(crate) created: u64,
    pub(crate) deleted: u64,
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

    /// The whole record of a row.
    pub(crate) fn record(&self, row: &Row) -> Value {
        let mut members = Struct::with_capacity(self.class.fields.len());
        for (field, value) in self.class.fields.iter().zip(&row.fields) {
            // An option without a value is left out.
            if *value != Value::Nil || !matches!(field.ty, Type::Option(_)) {
                members.push(field.name, value.clone());
            }
        }
        for (name, value) in row.extra.iter().flat_map(|extra| extra.iter()) {
            members.push(Cow::Owned(String::from(name)), value.clone());
        }
        Value::Struct(members)
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
                changes: BTreeMap::new(),
                deletions: VecDeque::new(),
                last_change: 0,
            }
        });
        Store { tables: tables.collect(), by_name, generation: 0, message_generation: 0, next_serial: 0 }
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
        *counter
    }

    /// Adds an object and tells the other ends of its relations.
    pub(crate) fn insert(&mut self, reference: &RawRef, draft: Draft) {
        let Some(table) = self.place(draft.class.name) else { return };
        self.insert_raw(table, reference.clone(), draft.fields, None);
        self.link_all(table, reference.as_str());
    }

    /// Adds an object as it is, without a look at its relations.
    pub(crate) fn insert_raw(&mut self, table: usize, reference: RawRef, fields: Vec<Value>, extra: Option<Box<Struct>>) {
        let generation = self.tick(table);
        self.next_serial += 1;
        let serial = self.next_serial;
        let table = &mut self.tables[table];
        if let Some(old) = table.index.insert(reference.clone(), serial).and_then(|old| table.rows.remove(&old)) {
            table.changes.remove(&old.modified);
        }
        table.changes.insert(generation, serial);
        table.last_change = generation;
        table.rows.insert(serial, Row { reference, fields, extra, created: generation, modified: generation });
    }

    /// Takes an object out and tells the other ends of its relations. References to it stay and dangle, as in xapi.
    pub(crate) fn remove(&mut self, class: &str, reference: &str) -> Option<Row> {
        let at = self.place(class)?;
        let serial = self.tables[at].index.remove(reference)?;
        let row = self.tables[at].rows.remove(&serial)?;
        let generation = self.tick(at);
        let table = &mut self.tables[at];
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
        let Some(slot) = self.tables[table].get_mut(reference).and_then(|row| row.fields.get_mut(field)) else {
            return false;
        };
        if *slot == value {
            return false;
        }
        let old = core::mem::replace(slot, value);
        self.stamp(table, reference);
        self.relink(table, reference, field, &old);
        true
    }

    /// Puts a `mod` event on the way for an object.
    pub(crate) fn stamp(&mut self, table: usize, reference: &str) {
        let generation = self.tick(table);
        self.tables[table].stamp(reference, generation);
    }

    /// Changes a value in place, without a look at relations. The caller stamps the row.
    pub(crate) fn slot(&mut self, table: usize, reference: &str, field: usize) -> Option<&mut Value> {
        self.tables.get_mut(table)?.get_mut(reference)?.fields.get_mut(field)
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
