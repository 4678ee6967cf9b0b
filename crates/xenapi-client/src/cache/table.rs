//! The rows of one class, with the class known only through function pointers.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::{Any, TypeId};

use xenapi_core::{
    Class, ClassDesc, RawRef, ReadError, Reader, Record, Rest, Uuid, Value, ValueReader, ValueWriter, Wire, read_members,
};

use super::Operation;

/// A record behind a type that only its table's functions know. The box holds an `Arc<C::Record>`, so that a reference to
/// that `Arc` can be had without unsafe code.
pub(super) struct Row {
    record: Box<dyn Any + Send + Sync>,
    uuid: Uuid,
}

impl Row {
    pub(super) fn new<C: Class>(record: C::Record, uuid: Uuid) -> Row {
        Row { record: Box::new(Arc::new(record)), uuid }
    }

    pub(super) fn record<C: Class>(&self) -> Option<&Arc<C::Record>> {
        self.record.downcast_ref()
    }
}

pub(super) type Rows = BTreeMap<RawRef, Row>;

/// Everything of one class.
pub(super) struct Table {
    pub(super) class: &'static ClassDesc,
    /// The class as a type. Descriptors are constants, which may have several addresses.
    pub(super) id: TypeId,
    /// The place of `uuid` among the fields.
    uuid_at: Option<usize>,
    read: fn(&mut dyn Reader, Option<usize>) -> Result<Row, ReadError>,
    same: fn(&Row, &Row) -> bool,
    rows: Rows,
    /// Sorted by reference. More than one only where a server is wrong.
    by_uuid: BTreeMap<Uuid, Vec<RawRef>>,
    /// What the server sent last of an object and could not be read.
    wrong: BTreeMap<RawRef, ReadError>,
    pub(super) known: bool,
    pub(super) revision: u64,
}

impl Table {
    pub(super) fn new<C: Class>() -> Table {
        Table {
            class: C::DESC,
            id: TypeId::of::<C>(),
            uuid_at: C::DESC.field_index("uuid"),
            read: read::<C>,
            same: same::<C>,
            rows: Rows::new(),
            by_uuid: BTreeMap::new(),
            wrong: BTreeMap::new(),
            known: false,
            revision: 0,
        }
    }

    /// An empty table of the same class, to load into.
    pub(super) fn side(&self) -> Table {
        Table {
            class: self.class,
            id: self.id,
            uuid_at: self.uuid_at,
            read: self.read,
            same: self.same,
            rows: Rows::new(),
            by_uuid: BTreeMap::new(),
            wrong: BTreeMap::new(),
            known: true,
            revision: self.revision,
        }
    }

    pub(super) fn read(&self, reader: &mut dyn Reader) -> Result<Row, ReadError> {
        (self.read)(reader, self.uuid_at)
    }

    pub(super) fn row(&self, reference: &str) -> Option<&Row> {
        self.rows.get(reference)
    }

    pub(super) fn rows(&self) -> &Rows {
        &self.rows
    }

    pub(super) fn by_uuid(&self, uuid: &str) -> Option<(&RawRef, &Row)> {
        let reference = self.by_uuid.get(uuid)?.first()?;
        self.rows.get_key_value(reference)
    }

    pub(super) fn wrong(&self) -> &BTreeMap<RawRef, ReadError> {
        &self.wrong
    }

    /// How many objects the server has told of, those that could not be read included.
    pub(super) fn told(&self) -> usize {
        self.rows.len() + self.wrong.len()
    }

    /// Puts a row in. `None` when the same was there: then the old one stays, so that whoever holds it sees no change.
    pub(super) fn insert(&mut self, reference: RawRef, row: Row) -> Option<Operation> {
        self.wrong.remove(&reference);
        if let Some(old) = self.rows.get(&reference) {
            if (self.same)(old, &row) {
                return None;
            }
            unindex(&mut self.by_uuid, &old.uuid, &reference);
        }
        if !row.uuid.is_empty() {
            let of_uuid = self.by_uuid.entry(row.uuid.clone()).or_default();
            if let Err(at) = of_uuid.binary_search(&reference) {
                of_uuid.insert(at, reference.clone());
            }
        }
        match self.rows.insert(reference, row) {
            Some(_) => Some(Operation::Modified),
            None => Some(Operation::Added),
        }
    }

    /// Notes that the object exists but came in a form that cannot be read. Its last readable form goes: it is no longer true,
    /// and a reload would not bring it. Whether there was one.
    pub(super) fn set_wrong(&mut self, reference: RawRef, error: ReadError) -> bool {
        let had = self.remove(&reference);
        self.wrong.insert(reference, error);
        had
    }

    /// Takes a row out. Whether it was there.
    pub(super) fn remove(&mut self, reference: &RawRef) -> bool {
        self.wrong.remove(reference);
        let Some(old) = self.rows.remove(reference) else { return false };
        unindex(&mut self.by_uuid, &old.uuid, reference);
        true
    }

    /// What would have to happen to the rows here to make them those of `other`.
    pub(super) fn differences_to(&self, other: &Table, tell: &mut dyn FnMut(&RawRef, Operation)) {
        for (reference, row) in &self.rows {
            match other.rows.get(reference) {
                Some(new) if (self.same)(row, new) => {}
                Some(_) => tell(reference, Operation::Modified),
                None => tell(reference, Operation::Deleted),
            }
        }
        for reference in other.rows.keys().filter(|reference| !self.rows.contains_key(*reference)) {
            tell(reference, Operation::Added);
        }
    }

    /// Takes over the content of `new` whole, and tells the difference. Rows that are the same stay the old ones.
    pub(super) fn replace_with(&mut self, mut new: Table, tell: &mut dyn FnMut(RawRef, Operation)) {
        for reference in new.rows.keys().filter(|reference| !self.rows.contains_key(*reference)) {
            tell(reference.clone(), Operation::Added);
        }
        for (reference, old) in core::mem::take(&mut self.rows) {
            match new.rows.get_mut(&reference) {
                Some(row) if (self.same)(&old, row) => *row = old,
                Some(_) => tell(reference, Operation::Modified),
                None => tell(reference, Operation::Deleted),
            }
        }
        self.rows = new.rows;
        self.by_uuid = new.by_uuid;
        self.wrong = new.wrong;
        self.known = new.known;
    }
}

fn unindex(by_uuid: &mut BTreeMap<Uuid, Vec<RawRef>>, uuid: &Uuid, reference: &RawRef) {
    let Some(of_uuid) = by_uuid.get_mut(uuid) else { return };
    of_uuid.retain(|it| it != reference);
    if of_uuid.is_empty() {
        by_uuid.remove(uuid);
    }
}

/// Reads a record and keeps its uuid aside, so that indexing needs no writer for the class.
fn read<C: Class>(reader: &mut dyn Reader, uuid_at: Option<usize>) -> Result<Row, ReadError> {
    let (mut record, mut rest, mut uuid) = (C::Record::default(), Rest::default(), Uuid::default());
    read_members(C::DESC, &mut rest, reader, &mut |at, reader| {
        if Some(at) != uuid_at {
            return record.read_field(at, reader);
        }
        uuid = Uuid::read(reader)?;
        record.read_field(at, &mut ValueReader::new(&Value::from(&uuid)))
    })?;
    *record.rest_mut() = rest;
    Ok(Row::new::<C>(record, uuid))
}

fn same<C: Class>(one: &Row, other: &Row) -> bool {
    match (one.record::<C>(), other.record::<C>()) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

/// The uuid of a record that did not come through a reader.
pub(super) fn uuid_of<C: Class>(record: &C::Record) -> Uuid {
    let mut writer = ValueWriter::new();
    if let Some(at) = C::DESC.field_index("uuid") {
        record.write_field(at, &mut writer);
    }
    writer.finish().as_text().map(Uuid::new).unwrap_or_default()
}
