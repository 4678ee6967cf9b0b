//! What is known of a pool: typed records by class, reference and uuid.

mod batch;
#[cfg(test)]
mod properties;
mod table;
#[cfg(test)]
mod tests;

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::TypeId;
use core::fmt;

use xenapi_core::{Class, ClassDesc, RawRef, ReadError, Reader, Ref};
use xenapi_model as model;

pub use batch::Batch;
use batch::What;
use table::{Row, Table, uuid_of};

/// How many errors that belong to no object are kept.
const STRAYS: usize = 64;

/// The objects of a pool, as last told by the server. One writer, many readers.
///
/// Only classes that are [tracked](Cache::track) are kept; the decoders of the others are not even linked. Records are shared
/// (`Arc`): a reader may hold one for as long as it likes, and one that did not change keeps its address.
pub struct Cache {
    /// In the order in which they were tracked: few enough to be searched.
    tables: Vec<Table>,
    revision: u64,
    strays: Vec<ReadError>,
    /// Drift that a full load did not cure, by class: it is how this server counts, not a lost event.
    tolerated: BTreeMap<&'static str, i64>,
}

/// What happened to an object in the cache.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Operation {
    /// It is new.
    Added,
    /// Its record is another.
    Modified,
    /// It is gone.
    Deleted,
}

/// A change of one object.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Change {
    /// The class, by its name in the schema: `VM`, `host`.
    pub class: &'static str,
    /// The object.
    pub reference: RawRef,
    /// What happened.
    pub operation: Operation,
}

/// What a load brought.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Loaded {
    /// How many records the cache holds of it now. 0 when the class is not tracked.
    pub records: usize,
    /// One error for each record that could not be read.
    pub wrong: Vec<ReadError>,
}

impl Cache {
    /// A cache that tracks nothing.
    pub const fn new() -> Self {
        Cache { tables: Vec::new(), revision: 0, strays: Vec::new(), tolerated: BTreeMap::new() }
    }

    /// Keeps the objects of a class from now on. Does nothing if it is tracked already.
    pub fn track<C: Class>(&mut self) {
        if self.place_of::<C>().is_none() {
            self.tables.push(Table::new::<C>());
        }
    }

    /// Keeps the classes that a console shows: the pool, its hosts, VMs, storage, networks, tasks and messages.
    pub fn track_console(&mut self) {
        self.track::<model::Pool>();
        self.track::<model::Host>();
        self.track::<model::HostMetrics>();
        self.track::<model::VM>();
        self.track::<model::VMMetrics>();
        self.track::<model::VMGuestMetrics>();
        self.track::<model::VBD>();
        self.track::<model::VDI>();
        self.track::<model::SR>();
        self.track::<model::PBD>();
        self.track::<model::VIF>();
        self.track::<model::Network>();
        self.track::<model::PIF>();
        self.track::<model::PIFMetrics>();
        self.track::<model::Bond>();
        self.track::<model::VLAN>();
        self.track::<model::Console>();
        self.track::<model::Task>();
        self.track::<model::Message>();
    }

    /// The classes that are tracked.
    pub fn classes(&self) -> impl Iterator<Item = &'static ClassDesc> + '_ {
        self.tables.iter().map(|table| table.class)
    }

    /// Whether a class is tracked, by its name in any case.
    pub fn tracks(&self, class: &str) -> bool {
        self.place(class).is_some()
    }

    /// The record of an object. Takes a reference, or the `Option` of one that a field holds.
    pub fn get<'r, C: Class>(&self, reference: impl Into<Option<&'r Ref<C>>>) -> Option<&Arc<C::Record>> {
        let reference = reference.into()?;
        self.table::<C>()?.row(reference.as_str())?.record::<C>()
    }

    /// The object with that uuid, as the server writes uuids: lower case.
    pub fn by_uuid<C: Class>(&self, uuid: &str) -> Option<(Ref<C>, &Arc<C::Record>)> {
        let (reference, row) = self.table::<C>()?.by_uuid(uuid)?;
        Some((reference.clone().typed(), row.record::<C>()?))
    }

    /// Whether there is an object of that class, by the name of the class in any case.
    pub fn contains(&self, class: &str, reference: &RawRef) -> bool {
        self.place(class).is_some_and(|at| self.tables[at].row(reference.as_str()).is_some())
    }

    /// All objects of a class, ordered by the text of their references.
    pub fn iter<C: Class>(&self) -> impl Iterator<Item = (Ref<C>, &Arc<C::Record>)> {
        let rows = self.table::<C>().into_iter().flat_map(|table| table.rows());
        rows.filter_map(|(reference, row)| Some((reference.clone().typed(), row.record::<C>()?)))
    }

    /// How many objects of a class there are.
    pub fn count<C: Class>(&self) -> usize {
        self.table::<C>().map_or(0, |table| table.rows().len())
    }

    /// Whether the class was loaded at all. If not, that nothing of it is here means "unknown", not "none".
    pub fn is_known<C: Class>(&self) -> bool {
        self.table::<C>().is_some_and(|table| table.known)
    }

    /// A number that grows with every change of the class.
    pub fn revision<C: Class>(&self) -> u64 {
        self.table::<C>().map_or(0, |table| table.revision)
    }

    /// A number that grows with every change of the class of that name, in any case.
    pub fn revision_of(&self, class: &str) -> u64 {
        self.place(class).map_or(0, |at| self.tables[at].revision)
    }

    /// A number that grows with every change.
    pub fn total_revision(&self) -> u64 {
        self.revision
    }

    /// Objects that exist but whose last record could not be read, with the reason. They are not in the cache.
    pub fn wrong(&self) -> impl Iterator<Item = (&'static str, &RawRef, &ReadError)> {
        self.tables.iter().flat_map(|table| table.wrong().iter().map(|(it, error)| (table.class.name, it, error)))
    }

    /// Errors since the last full load that belong to no object, such as an event without a class. The first 64.
    pub fn strays(&self) -> &[ReadError] {
        &self.strays
    }

    /// Puts a record in, and starts to track its class if need be.
    pub fn insert<C: Class>(&mut self, reference: Ref<C>, record: C::Record) {
        self.track::<C>();
        let Some(at) = self.place_of::<C>() else { return };
        let uuid = uuid_of::<C>(&record);
        self.tables[at].known = true;
        if self.tables[at].insert(reference.into_raw(), Row::new::<C>(record, uuid)).is_some() {
            self.touch(at);
        }
    }

    /// Takes a record out. Whether it was there.
    pub fn remove<C: Class>(&mut self, reference: &Ref<C>) -> bool {
        let Some(at) = self.place_of::<C>() else { return false };
        let was_there = self.tables[at].remove(reference.raw());
        if was_there {
            self.touch(at);
        }
        was_there
    }

    /// Replaces the objects of one class by those of a `get_all_records`. The name of the class may be in any case; a class
    /// that is not tracked is passed over.
    ///
    /// # Errors
    /// When the document is broken or holds something else; then the cache stays as it was. A single record that cannot be
    /// read is no error: it is in [`Loaded::wrong`].
    pub fn load_records(&mut self, class: &str, reader: &mut dyn Reader) -> Result<Loaded, ReadError> {
        self.load_class(class, reader, &mut Vec::new())
    }

    pub(crate) fn load_class(
        &mut self,
        class: &str,
        reader: &mut dyn Reader,
        changes: &mut Vec<Change>,
    ) -> Result<Loaded, ReadError> {
        let Some(at) = self.place(class) else { return reader.skip().map(|()| Loaded::default()) };
        let mut side = self.tables[at].side();
        reader.begin_struct()?;
        while let Some(reference) = reader.next_member()?.map(Cow::into_owned) {
            match side.read(reader) {
                Ok(row) => drop(side.insert(reference.into(), row)),
                Err(error) if error.is_fatal() => return Err(error.of_object(reference.as_str())),
                Err(error) => {
                    let error = error.of_object(reference.as_str());
                    side.set_wrong(reference.into(), error);
                }
            }
        }
        let loaded = Loaded { records: side.rows().len(), wrong: side.wrong().values().cloned().collect() };
        self.swap(at, side, changes);
        Ok(loaded)
    }

    /// Applies a batch that continues what the cache holds. Answers what changed, in the order of the events.
    pub fn apply(&mut self, batch: Batch) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut touched = alloc::vec![false; self.tables.len()];
        for event in batch.events {
            let Some(table) = self.tables.get_mut(event.table) else { continue };
            // A server that gives everything in several batches tells of some classes later.
            table.known |= matches!(event.what, What::Is(_));
            let gone = |was_there: bool| was_there.then_some(Operation::Deleted);
            let operation = match event.what {
                What::Is(row) => table.insert(event.reference.clone(), row),
                What::Wrong(error) => gone(table.set_wrong(event.reference.clone(), error)),
                What::Gone => gone(table.remove(&event.reference)),
            };
            if let Some(operation) = operation {
                touched[event.table] = true;
                changes.push(Change { class: table.class.name, reference: event.reference, operation });
            }
        }
        self.keep_strays(batch.strays);
        for (at, _) in touched.iter().enumerate().filter(|(_, touched)| **touched) {
            self.touch(at);
        }
        changes
    }

    /// Replaces everything by a batch that holds everything: the answer of `event.from` to an empty token. What is not in it is
    /// gone. Answers what is different now.
    ///
    /// `covers` says whether the batch is about a class at all; the others stay as they are.
    pub fn replace(&mut self, batch: Batch, covers: &dyn Fn(&ClassDesc) -> bool) -> Vec<Change> {
        let counted = |class: &ClassDesc| batch.counts.iter().any(|(name, _)| name.eq_ignore_ascii_case(class.name));
        let mut sides: Vec<Table> = self.tables.iter().map(Table::side).collect();
        for side in &mut sides {
            // A server counts the objects of every class that it has. Messages are kept elsewhere and never counted.
            side.known = batch.counts.is_empty() || counted(side.class) || side.class.name == "message";
        }
        for event in batch.events {
            let Some(side) = sides.get_mut(event.table) else { continue };
            side.known = true;
            match event.what {
                What::Is(row) => drop(side.insert(event.reference, row)),
                What::Wrong(error) => drop(side.set_wrong(event.reference, error)),
                What::Gone => drop(side.remove(&event.reference)),
            }
        }
        let mut changes = Vec::new();
        for (at, side) in sides.into_iter().enumerate().filter(|(_, side)| covers(side.class)) {
            self.swap(at, side, &mut changes);
        }
        self.strays.clear();
        self.keep_strays(batch.strays);
        self.tolerated.clear();
        self.tolerated = self.differences(&batch.counts).collect();
        changes
    }

    /// The first class of which the server has more or fewer objects than the cache: events were lost. To be asked with the counts
    /// of the batch that was applied last.
    pub(crate) fn drift(&self, counts: &[(String, i64)]) -> Option<&'static str> {
        let tolerated = |class: &'static str| self.tolerated.get(class).copied().unwrap_or(0);
        self.differences(counts).find(|(class, difference)| *difference != tolerated(class)).map(|(class, _)| class)
    }

    /// For each class that is known and counted: how many objects more the server has, where that is not 0.
    fn differences<'a>(&'a self, counts: &'a [(String, i64)]) -> impl Iterator<Item = (&'static str, i64)> + 'a {
        counts.iter().filter_map(|(name, count)| {
            let table = &self.tables[self.place(name)?];
            let told = i64::try_from(table.told()).ok()?;
            (table.known && told != *count).then(|| (table.class.name, count.saturating_sub(told)))
        })
    }

    /// What would have to happen to the objects here to make them those of `other`, by class and reference. Classes that only one of
    /// the two tracks are passed over.
    pub fn differences_to(&self, other: &Cache) -> Vec<Change> {
        let mut changes = Vec::new();
        for table in &self.tables {
            let Some(others) = other.tables.iter().find(|it| it.id == table.id) else { continue };
            let class = table.class.name;
            table.differences_to(others, &mut |reference, operation| {
                changes.push(Change { class, reference: reference.clone(), operation });
            });
        }
        changes
    }

    /// Empties the cache; nothing is known any more. Answers what was there.
    pub(crate) fn clear(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        for at in 0..self.tables.len() {
            let mut side = self.tables[at].side();
            side.known = false;
            self.swap(at, side, &mut changes);
        }
        self.strays.clear();
        self.tolerated.clear();
        changes
    }

    fn swap(&mut self, at: usize, side: Table, changes: &mut Vec<Change>) {
        let (before, known) = (changes.len(), self.tables[at].known);
        let class = side.class.name;
        self.tables[at].replace_with(side, &mut |reference, operation| changes.push(Change { class, reference, operation }));
        if changes.len() > before || self.tables[at].known != known {
            self.touch(at);
        }
    }

    fn touch(&mut self, at: usize) {
        self.revision += 1;
        self.tables[at].revision = self.revision;
    }

    fn keep_strays(&mut self, strays: Vec<ReadError>) {
        let room = STRAYS.saturating_sub(self.strays.len());
        self.strays.extend(strays.into_iter().take(room));
    }

    fn place(&self, class: &str) -> Option<usize> {
        self.tables.iter().position(|table| table.class.name.eq_ignore_ascii_case(class))
    }

    fn place_of<C: Class>(&self) -> Option<usize> {
        self.tables.iter().position(|table| table.id == TypeId::of::<C>())
    }

    fn table<C: Class>(&self) -> Option<&Table> {
        self.place_of::<C>().map(|at| &self.tables[at])
    }
}

impl Default for Cache {
    fn default() -> Self {
        Cache::new()
    }
}

impl fmt::Debug for Cache {
    /// The number of objects by class.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.tables.iter().map(|table| (table.class.name, table.rows().len()))).finish()
    }
}
