//! The rows of one class, with the class known only through function pointers.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::{Any, TypeId};

use xenapi_core::{Class, ClassDesc, RawRef, ReadError, Reader, Record, Wire, Writer};

use super::Operation;
use super::fields::{FieldSet, Texts, Trace};
use super::tree::Tree;

/// A record behind a type that only its table's functions know. What is shared holds an `Arc<C::Record>`, so that a reference
/// to that `Arc` can be had without unsafe code.
#[derive(Clone)]
pub(super) struct Row(Arc<dyn Any + Send + Sync>);

impl Row {
    pub(super) fn new<C: Class>(record: C::Record) -> Row {
        Row(Arc::new(Arc::new(record)))
    }

    pub(super) fn record<C: Class>(&self) -> Option<&Arc<C::Record>> {
        self.0.downcast_ref()
    }

    pub(super) fn is_identical(&self, other: &Row) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

pub(super) type Rows = Tree<RawRef, Row>;

/// A uuid in 16 bytes, so that an index needs no texts. What is no uuid gets a number that it may have to share.
fn packed(uuid: &str) -> u128 {
    let mut number = 0_u128;
    let mut digits = 0;
    for byte in uuid.bytes() {
        let Some(digit) = char::from(byte).to_digit(16) else { continue };
        number = (number << 4) | u128::from(digit);
        digits += 1;
    }
    if digits == 32 && uuid.len() == 36 {
        return number;
    }
    // FNV-1a.
    uuid.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash: u128, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    })
}

/// A field that is the stored side of a relation, and the index of its other side.
#[derive(Clone)]
pub(super) struct Link {
    /// The place of the field.
    at: usize,
    /// What it names, and which object does.
    pairs: Tree<(RawRef, RawRef), ()>,
}

impl Link {
    fn insert(&mut self, target: &str, source: &RawRef) {
        // All that name the same object share its text.
        let known = self.pairs.iter_from(|(it, _)| it.as_str() < target).next().map(|((it, _), ())| it);
        let target = known.filter(|it| it.as_str() == target).cloned().unwrap_or_else(|| RawRef::from(target));
        self.pairs.insert((target, source.clone()), ());
    }

    fn remove(&mut self, target: &str, source: &RawRef) {
        self.pairs.remove(&(RawRef::from(target), source.clone()));
    }
}

/// What happened to a row, and which of its fields are others now.
pub(super) type Happened = (Operation, FieldSet);

/// Everything of one class. A copy shares all rows.
#[derive(Clone)]
pub(super) struct Table {
    pub(super) class: &'static ClassDesc,
    /// The class as a type. Descriptors are constants, which may have several addresses.
    pub(super) id: TypeId,
    /// The place of `uuid` among the fields.
    uuid_at: Option<usize>,
    read: fn(&mut dyn Reader) -> Result<Row, ReadError>,
    write: fn(&Row, usize, &mut dyn Writer),
    same: fn(&Row, &Row) -> bool,
    same_unknown: fn(&Row, &Row) -> bool,
    rows: Rows,
    /// More than one of a uuid only where a server is wrong, or uuids are none.
    by_uuid: Tree<(u128, RawRef), ()>,
    links: Vec<Link>,
    /// What the server sent last of an object and could not be read.
    wrong: Arc<BTreeMap<RawRef, ReadError>>,
    pub(super) known: bool,
    pub(super) revision: u64,
}

impl Table {
    pub(super) fn new<C: Class>() -> Table {
        let stored = |(at, field): (usize, &xenapi_core::FieldDesc)| {
            let is_stored = field.relation.is_some_and(|relation| relation.stored);
            is_stored.then(|| Link { at, pairs: Tree::default() })
        };
        Table {
            class: C::DESC,
            id: TypeId::of::<C>(),
            uuid_at: C::DESC.field_index("uuid"),
            read: |reader| C::Record::read(reader).map(Row::new::<C>),
            write: |row, at, writer| {
                if let Some(record) = row.record::<C>() {
                    record.write_field(at, writer);
                }
            },
            same: |one, other| one.is_identical(other) || both::<C>(one, other, |one, other| one == other),
            same_unknown: |one, other| both::<C>(one, other, |one, other| one.rest() == other.rest()),
            rows: Rows::default(),
            by_uuid: Tree::default(),
            links: C::DESC.fields.iter().enumerate().filter_map(stored).collect(),
            wrong: Arc::default(),
            known: false,
            revision: 0,
        }
    }

    /// An empty table of the same class, to load into.
    pub(super) fn side(&self) -> Table {
        Table {
            rows: Rows::default(),
            by_uuid: Tree::default(),
            links: self.links.iter().map(|link| Link { at: link.at, pairs: Tree::default() }).collect(),
            wrong: Arc::default(),
            known: true,
            ..*self
        }
    }

    pub(super) fn read(&self, reader: &mut dyn Reader) -> Result<Row, ReadError> {
        (self.read)(reader)
    }

    pub(super) fn row(&self, reference: &str) -> Option<&Row> {
        self.rows.get(reference)
    }

    pub(super) fn rows(&self) -> &Rows {
        &self.rows
    }

    pub(super) fn by_uuid(&self, uuid: &str) -> Option<(&RawRef, &Row)> {
        let number = packed(uuid);
        let found = self.by_uuid.iter_from(|(it, _)| *it < number).take_while(|((it, _), ())| *it == number);
        let rows = found.filter_map(|((_, reference), ())| self.rows.get_key_value(reference.as_str()));
        rows.into_iter().find(|(_, row)| self.uuid_of(row).is_some_and(|it| it == uuid))
    }

    /// The uuid of a row, unless it is empty.
    pub(super) fn uuid_of(&self, row: &Row) -> Option<alloc::string::String> {
        self.texts(row, self.uuid_at?).pop().filter(|uuid| !uuid.is_empty())
    }

    /// The texts that a field holds.
    pub(super) fn texts(&self, row: &Row, at: usize) -> Vec<alloc::string::String> {
        let mut texts = Texts::default();
        (self.write)(row, at, &mut texts);
        texts.0
    }

    /// The objects of this class whose field at that place, the stored side of a relation, names `target`.
    pub(super) fn naming<'a>(&'a self, at: usize, target: &'a str) -> impl Iterator<Item = (&'a RawRef, &'a Row)> {
        let link = self.links.iter().find(move |link| link.at == at);
        let from = link.into_iter().flat_map(move |link| link.pairs.iter_from(move |(it, _)| it.as_str() < target));
        from.take_while(move |((it, _), ())| it.as_str() == target)
            .filter_map(|((_, source), ())| self.rows.get_key_value(source.as_str()))
    }

    pub(super) fn wrong(&self) -> &BTreeMap<RawRef, ReadError> {
        &self.wrong
    }

    /// How many objects the server has told of, those that could not be read included.
    pub(super) fn told(&self) -> usize {
        self.rows.len() + self.wrong.len()
    }

    /// Puts a row in. `None` when the same was there: then the old one stays, so that whoever holds it sees no change.
    pub(super) fn insert(&mut self, reference: RawRef, row: Row) -> Option<Happened> {
        self.clear_wrong(&reference);
        let Some((key, old)) = self.rows.get_key_value(reference.as_str()).map(|(key, row)| (key.clone(), row.clone()))
        else {
            self.index(&reference, &row, None);
            self.rows.insert(reference, row);
            return Some((Operation::Added, FieldSet::ALL));
        };
        if (self.same)(&old, &row) {
            return None;
        }
        let changed = self.changed(&old, &row);
        self.unindex(&key, &old, Some(&changed));
        self.index(&key, &row, Some(&changed));
        self.rows.insert(key, row);
        Some((Operation::Modified, changed))
    }

    /// Which fields are others.
    fn changed(&self, old: &Row, new: &Row) -> FieldSet {
        let (mut one, mut other) = (Trace::default(), Trace::default());
        let mut changed = FieldSet::EMPTY;
        for at in 0..self.class.fields.len() {
            one.clear();
            other.clear();
            (self.write)(old, at, &mut one);
            (self.write)(new, at, &mut other);
            if one.bytes_so_far() != other.bytes_so_far() {
                changed.insert(at);
            }
        }
        if !(self.same_unknown)(old, new) {
            changed.insert_unknown();
        }
        changed
    }

    fn index(&mut self, reference: &RawRef, row: &Row, changed: Option<&FieldSet>) {
        let is_due = |at: usize| changed.is_none_or(|changed| changed.contains(at));
        if self.uuid_at.is_some_and(is_due)
            && let Some(uuid) = self.uuid_of(row)
        {
            self.by_uuid.insert((packed(&uuid), reference.clone()), ());
        }
        let mut texts = Texts::default();
        for link in self.links.iter_mut().filter(|link| is_due(link.at)) {
            (self.write)(row, link.at, &mut texts);
            for target in texts.0.drain(..).filter(|target| !is_nothing(target)) {
                link.insert(&target, reference);
            }
        }
    }

    fn unindex(&mut self, reference: &RawRef, row: &Row, changed: Option<&FieldSet>) {
        let is_due = |at: usize| changed.is_none_or(|changed| changed.contains(at));
        if self.uuid_at.is_some_and(is_due)
            && let Some(uuid) = self.uuid_of(row)
        {
            self.by_uuid.remove(&(packed(&uuid), reference.clone()));
        }
        let mut texts = Texts::default();
        for link in self.links.iter_mut().filter(|link| is_due(link.at)) {
            (self.write)(row, link.at, &mut texts);
            for target in texts.0.drain(..) {
                link.remove(&target, reference);
            }
        }
    }

    /// Notes that the object exists but came in a form that cannot be read. Its last readable form goes: it is no longer true,
    /// and a reload would not bring it. Whether there was one.
    pub(super) fn set_wrong(&mut self, reference: RawRef, error: ReadError) -> bool {
        let had = self.remove(&reference);
        Arc::make_mut(&mut self.wrong).insert(reference, error);
        had
    }

    fn clear_wrong(&mut self, reference: &RawRef) {
        if self.wrong.contains_key(reference) {
            Arc::make_mut(&mut self.wrong).remove(reference);
        }
    }

    /// Takes a row out. Whether it was there.
    pub(super) fn remove(&mut self, reference: &RawRef) -> bool {
        self.clear_wrong(reference);
        let Some(old) = self.rows.remove(reference.as_str()) else { return false };
        self.unindex(reference, &old, None);
        true
    }

    /// What would have to happen to the rows here to make them those of `other`.
    pub(super) fn differences_to(&self, other: &Table, tell: &mut dyn FnMut(&RawRef, Happened)) {
        if self.rows.is_same(&other.rows) {
            return;
        }
        let (mut mine, mut theirs) = (self.rows.iter().peekable(), other.rows.iter().peekable());
        loop {
            match (mine.peek(), theirs.peek()) {
                (None, None) => return,
                (Some((reference, _)), their) if their.is_none_or(|(it, _)| reference < it) => {
                    tell(reference, (Operation::Deleted, FieldSet::ALL));
                    mine.next();
                }
                (my, Some((reference, _))) if my.is_none_or(|(it, _)| reference < it) => {
                    tell(reference, (Operation::Added, FieldSet::ALL));
                    theirs.next();
                }
                (Some((reference, old)), Some((_, new))) => {
                    if !(self.same)(old, new) {
                        tell(reference, (Operation::Modified, self.changed(old, new)));
                    }
                    mine.next();
                    theirs.next();
                }
                _ => return,
            }
        }
    }

    /// Takes over the content of `new` whole, and tells the difference. Rows that are the same stay the old ones.
    pub(super) fn replace_with(&mut self, mut new: Table, tell: &mut dyn FnMut(RawRef, Happened)) {
        self.differences_to(&new, &mut |reference, happened| tell(reference.clone(), happened));
        for (reference, old) in self.rows.iter() {
            if let Some(row) = new.rows.get(reference.as_str())
                && (self.same)(old, row)
            {
                new.rows.insert(reference.clone(), old.clone());
            }
        }
        new.revision = self.revision;
        *self = new;
    }
}

fn is_nothing(reference: &str) -> bool {
    reference.is_empty() || reference == xenapi_core::NULL
}

fn both<C: Class>(one: &Row, other: &Row, holds: impl Fn(&C::Record, &C::Record) -> bool) -> bool {
    match (one.record::<C>(), other.record::<C>()) {
        (Some(one), Some(other)) => holds(one, other),
        _ => false,
    }
}
