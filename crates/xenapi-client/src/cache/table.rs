//! The rows of one class, with the class known only through function pointers.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::{Any, TypeId};

use xenapi_core::{Class, RawRef, ReadError, Reader, Record, RecordDesc, Wire, Writer};

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

/// What a full load brings of a class, in the order in which it came.
#[derive(Default)]
pub(super) struct Staged(Vec<(RawRef, Option<Result<Row, ReadError>>)>);

impl Staged {
    /// An object is there: its row, or why it cannot be read.
    pub(super) fn push(&mut self, reference: RawRef, row: Result<Row, ReadError>) {
        self.0.push((reference, Some(row)));
    }

    /// An object is gone after all.
    pub(super) fn push_gone(&mut self, reference: RawRef) {
        self.0.push((reference, None));
    }

    /// By reference; of each object, what came last.
    fn sorted(mut self) -> (Vec<(RawRef, Row)>, BTreeMap<RawRef, ReadError>) {
        self.0.sort_by(|(one, _), (other, _)| one.cmp(other));
        let (mut rows, mut wrong) = (Vec::with_capacity(self.0.len()), BTreeMap::new());
        let mut all = self.0.into_iter().peekable();
        while let Some((reference, row)) = all.next() {
            if all.peek().is_some_and(|(next, _)| *next == reference) {
                continue;
            }
            match row {
                Some(Ok(row)) => rows.push((reference, row)),
                Some(Err(error)) => drop(wrong.insert(reference, error)),
                None => {}
            }
        }
        (rows, wrong)
    }
}

/// What happened to a row, and which of its fields are others now.
pub(super) type Happened = (Operation, FieldSet);

/// Everything of one class. A copy shares all rows.
#[derive(Clone)]
pub(super) struct Table {
    pub(super) class: &'static RecordDesc,
    /// The class as a type. Descriptors are constants, which may have several addresses.
    pub(super) id: TypeId,
    /// The place of `uuid` among the fields.
    uuid_at: Option<usize>,
    read: fn(&mut dyn Reader) -> Result<Row, ReadError>,
    write: fn(&Row, usize, &mut dyn Writer),
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
            class: C::RECORD,
            id: TypeId::of::<C>(),
            uuid_at: C::RECORD.field_index("uuid"),
            read: |reader| C::Record::read(reader).map(Row::new::<C>),
            write: |row, at, writer| {
                if let Some(record) = row.record::<C>() {
                    record.write_field(at, writer);
                }
            },
            same_unknown: |one, other| both::<C>(one, other, |one, other| one.rest() == other.rest()),
            rows: Rows::default(),
            by_uuid: Tree::default(),
            links: C::RECORD.fields.iter().enumerate().filter_map(stored).collect(),
            wrong: Arc::default(),
            known: false,
            revision: 0,
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
        rows.into_iter().find(|(_, row)| self.has_uuid(row, uuid))
    }

    /// The uuid of a row, unless it is empty.
    pub(super) fn uuid_of(&self, row: &Row) -> Option<String> {
        let mut uuid = None;
        self.visit(row, self.uuid_at?, &mut |text| uuid = Some(text.into()));
        uuid.filter(|uuid: &String| !uuid.is_empty())
    }

    fn has_uuid(&self, row: &Row, uuid: &str) -> bool {
        let mut has = false;
        if let Some(at) = self.uuid_at {
            self.visit(row, at, &mut |text| has = text == uuid);
        }
        has
    }

    fn packed_uuid(&self, row: &Row) -> Option<u128> {
        let mut number = None;
        self.visit(row, self.uuid_at?, &mut |text| number = (!text.is_empty()).then(|| packed(text)));
        number
    }

    /// Hands on the texts that a field holds.
    pub(super) fn visit(&self, row: &Row, at: usize, take: &mut dyn FnMut(&str)) {
        (self.write)(row, at, &mut Texts(take));
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
        self.put_in(reference, row)
    }

    fn put_in(&mut self, reference: RawRef, row: Row) -> Option<Happened> {
        let Some((key, old)) = self.rows.get_key_value(reference.as_str()).map(|(key, row)| (key.clone(), row.clone()))
        else {
            self.index(&reference, &row, None);
            self.rows.insert(reference, row);
            return Some((Operation::Added, FieldSet::ALL));
        };
        let changed = self.changed(&old, &row);
        if changed.is_empty() {
            return None;
        }
        self.unindex(&key, &old, Some(&changed));
        self.index(&key, &row, Some(&changed));
        self.rows.insert(key, row);
        Some((Operation::Modified, changed))
    }

    /// Which fields are others. None if both are the same: then both would be written the same.
    fn changed(&self, old: &Row, new: &Row) -> FieldSet {
        if old.is_identical(new) {
            return FieldSet::EMPTY;
        }
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
            && let Some(uuid) = self.packed_uuid(row)
        {
            self.by_uuid.insert((uuid, reference.clone()), ());
        }
        for link in self.links.iter_mut().filter(|link| is_due(link.at)) {
            let at = link.at;
            let mut take = |target: &str| {
                if !is_nothing(target) {
                    link.insert(target, reference);
                }
            };
            (self.write)(row, at, &mut Texts(&mut take));
        }
    }

    fn unindex(&mut self, reference: &RawRef, row: &Row, changed: Option<&FieldSet>) {
        let is_due = |at: usize| changed.is_none_or(|changed| changed.contains(at));
        if self.uuid_at.is_some_and(is_due)
            && let Some(uuid) = self.packed_uuid(row)
        {
            self.by_uuid.remove(&(uuid, reference.clone()));
        }
        for link in self.links.iter_mut().filter(|link| is_due(link.at)) {
            let at = link.at;
            (self.write)(row, at, &mut Texts(&mut |target| link.remove(target, reference)));
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
        self.take_out(reference)
    }

    fn take_out(&mut self, reference: &RawRef) -> bool {
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
                    let changed = self.changed(old, new);
                    if !changed.is_empty() {
                        tell(reference, (Operation::Modified, changed));
                    }
                    mine.next();
                    theirs.next();
                }
                _ => return,
            }
        }
    }

    /// Takes over what a full load has brought, and tells the difference. Rows that are the same stay the old ones.
    pub(super) fn replace_with(&mut self, staged: Staged, tell: &mut dyn FnMut(RawRef, Happened)) {
        let (rows, wrong) = staged.sorted();
        self.wrong = Arc::new(wrong);
        self.take_over(rows, false, tell);
    }

    /// Puts many rows in at once. What is not among them stays as it is.
    pub(super) fn insert_all(&mut self, staged: Staged, tell: &mut dyn FnMut(RawRef, Happened)) {
        let (rows, _) = staged.sorted();
        for (reference, _) in &rows {
            self.clear_wrong(reference);
        }
        self.take_over(rows, true, tell);
    }

    fn take_over(&mut self, rows: Vec<(RawRef, Row)>, keep: bool, tell: &mut dyn FnMut(RawRef, Happened)) {
        let mut differences = Vec::new();
        let merged = self.merge(rows, keep, &mut differences);
        if differences.len() * 4 > merged.len() {
            self.rebuild(merged);
        } else {
            self.change(&merged, &differences);
        }
        for (reference, happened) in differences {
            tell(reference, happened);
        }
    }

    /// The new rows, with the old ones in the place of those that are the same; and what is different. Old rows that are not among
    /// the new ones are kept, or they are gone.
    fn merge(&self, rows: Vec<(RawRef, Row)>, keep: bool, differences: &mut Vec<(RawRef, Happened)>) -> Vec<(RawRef, Row)> {
        let mut old = self.rows.iter().peekable();
        let mut merged = Vec::with_capacity(rows.len());
        let pass = |merged: &mut Vec<(RawRef, Row)>, differences: &mut Vec<_>, (reference, row): (&RawRef, &Row)| {
            if keep {
                merged.push((reference.clone(), row.clone()));
            } else {
                differences.push((reference.clone(), (Operation::Deleted, FieldSet::ALL)));
            }
        };
        for (reference, row) in rows {
            while let Some(passed) = old.next_if(|(it, _)| **it < reference) {
                pass(&mut merged, differences, passed);
            }
            let Some((key, before)) = old.next_if(|(it, _)| **it == reference) else {
                differences.push((reference.clone(), (Operation::Added, FieldSet::ALL)));
                merged.push((reference, row));
                continue;
            };
            let changed = self.changed(before, &row);
            if changed.is_empty() {
                merged.push((key.clone(), before.clone()));
            } else {
                differences.push((key.clone(), (Operation::Modified, changed)));
                merged.push((key.clone(), row));
            }
        }
        for passed in old {
            pass(&mut merged, differences, passed);
        }
        merged
    }

    /// Makes a few changes. `rows` is what there is in the end.
    fn change(&mut self, rows: &[(RawRef, Row)], differences: &[(RawRef, Happened)]) {
        for (reference, (operation, _)) in differences {
            let row = rows.binary_search_by(|(it, _)| it.cmp(reference)).ok().and_then(|at| rows.get(at));
            match (operation, row) {
                (Operation::Deleted, _) | (_, None) => drop(self.take_out(reference)),
                (_, Some((_, row))) => drop(self.put_in(reference.clone(), row.clone())),
            }
        }
    }

    /// Builds everything anew. Much cheaper than to put in one row after the other.
    fn rebuild(&mut self, rows: Vec<(RawRef, Row)>) {
        let uuids = rows.iter().filter_map(|(reference, row)| Some(((self.packed_uuid(row)?, reference.clone()), ())));
        let mut uuids: Vec<_> = uuids.collect();
        uuids.sort_unstable();
        self.by_uuid = Tree::from_sorted(uuids);
        for link in &mut self.links {
            let mut pairs: Vec<((RawRef, RawRef), ())> = Vec::new();
            for (reference, row) in &rows {
                let mut take = |target: &str| {
                    if !is_nothing(target) {
                        pairs.push(((RawRef::from(target), reference.clone()), ()));
                    }
                };
                (self.write)(row, link.at, &mut Texts(&mut take));
            }
            // Those of one target are in the order of their references already, as the rows are.
            pairs.sort_by(|((one, _), ()), ((other, _), ())| one.cmp(other));
            pairs.dedup();
            let mut last: Option<RawRef> = None;
            for ((target, _), ()) in &mut pairs {
                match &last {
                    // All that name the same object share its text.
                    Some(last) if last == target => *target = last.clone(),
                    _ => last = Some(target.clone()),
                }
            }
            pairs.shrink_to_fit();
            link.pairs = Tree::from_sorted(pairs);
        }
        self.rows = Tree::from_sorted(rows);
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
