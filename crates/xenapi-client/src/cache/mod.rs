//! What is known of a pool: typed records by class, reference and uuid.

mod batch;
mod fields;
#[cfg(test)]
mod properties;
mod snapshot;
#[cfg(test)]
mod snapshot_tests;
mod sweep;
mod table;
#[cfg(test)]
mod tests;
mod tree;

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

use xenapi_core::{Class, RawRef, ReadError, Reader, RecordDesc, Ref};
use xenapi_model as model;

use batch::What;
pub use batch::{Batch, BatchReader, BatchRest};
pub use fields::FieldSet;
pub use snapshot::Snapshot;
pub(crate) use sweep::Seen;
use table::{Row, Staged, Table};

/// From how many events of a class in a batch on it is worth asking how to put them in.
/// Tests have few objects and mean them all.
const MANY: usize = if cfg!(test) { 3 } else { 32 };
/// How many errors that belong to no object are kept.
const STRAYS: usize = 64;

/// The objects of a pool, as last told by the server. One writer, many readers: [`Cache::snapshot`] is what a reader holds, and all
/// that can be read from a snapshot can be read from the cache itself.
///
/// Only classes that are [tracked](Cache::track) are kept; the decoders of the others are not even linked. Records are shared
/// (`Arc`): a reader may hold one for as long as it likes, and one that did not change keeps its address. A copy of a cache is as
/// cheap as a snapshot.
#[derive(Clone, Default)]
pub struct Cache {
    now: Snapshot,
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
    /// Which fields are others now; all of them, unless the object was modified.
    pub fields: FieldSet,
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
    pub fn new() -> Self {
        Cache::default()
    }

    /// What is known now, to be held for as long as one likes. It stays as it is while the cache goes on.
    pub fn snapshot(&self) -> Snapshot {
        self.now.clone()
    }

    /// Keeps the objects of a class from now on. Does nothing if it is tracked already.
    pub fn track<C: Class>(&mut self) {
        if self.place_of::<C>().is_none() {
            self.inner().tables.push(Arc::new(Table::new::<C>()));
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

    /// Puts a record in, and starts to track its class if need be.
    pub fn insert<C: Class>(&mut self, reference: Ref<C>, record: C::Record) {
        self.track::<C>();
        let Some(at) = self.place_of::<C>() else { return };
        let Some(table) = self.table_mut(at) else { return };
        table.known = true;
        if table.insert(reference.into_raw(), Row::new::<C>(record)).is_some() {
            self.touch(at);
        }
    }

    /// Takes a record out. Whether it was there.
    pub fn remove<C: Class>(&mut self, reference: &Ref<C>) -> bool {
        let Some(at) = self.place_of::<C>() else { return false };
        let was_there =
            self.get(reference).is_some() && self.table_mut(at).is_some_and(|table| table.remove(reference.raw()));
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
        let place = self.place(class).and_then(|at| Some((at, self.inner.tables.get(at)?.clone())));
        let Some((at, table)) = place else { return reader.skip().map(|()| Loaded::default()) };
        let mut staged = Staged::default();
        reader.begin_struct()?;
        while let Some(reference) = reader.next_member()?.map(Cow::into_owned) {
            let row = table.read(reader).map_err(|error| error.of_object(reference.as_str()));
            if let Err(error) = &row
                && error.is_fatal()
            {
                return Err(error.clone());
            }
            staged.push(reference.into(), row);
        }
        drop(table);
        self.swap(at, staged, true, changes);
        let Some(table) = self.inner.tables.get(at) else { return Ok(Loaded::default()) };
        Ok(Loaded { records: table.rows().len(), wrong: table.wrong().values().cloned().collect() })
    }

    /// Applies a batch that continues what the cache holds. Answers what changed: of each class in the order of the events, unless they
    /// are so many that they are put in at once.
    pub fn apply(&mut self, mut batch: Batch) -> Vec<Change> {
        let mut changes = self.apply_many(&mut batch);
        let mut touched = alloc::vec![false; self.inner.tables.len()];
        for event in batch.events {
            let Some(table) = self.table_mut(event.table) else { continue };
            // A server that gives everything in several batches tells of some classes later.
            table.known |= matches!(event.what, What::Is(_));
            let gone = |was_there: bool| was_there.then_some((Operation::Deleted, FieldSet::ALL));
            let happened = match event.what {
                What::Is(row) => table.insert(event.reference.clone(), row),
                What::Wrong(error) => gone(table.set_wrong(event.reference.clone(), error)),
                What::Gone => gone(table.remove(&event.reference)),
            };
            if let Some((operation, fields)) = happened {
                let class = table.class.name;
                touched[event.table] = true;
                changes.push(Change { class, reference: event.reference, operation, fields });
            }
        }
        self.keep_strays(batch.strays);
        for (at, _) in touched.iter().enumerate().filter(|(_, touched)| **touched) {
            self.touch(at);
        }
        changes
    }

    /// Takes the events of those classes out of a batch of which it holds so many that building anew is cheaper than putting in one by
    /// one: a server may give everything in several batches.
    fn apply_many(&mut self, batch: &mut Batch) -> Vec<Change> {
        let mut counts = alloc::vec![Some(0usize); self.inner.tables.len()];
        for event in &batch.events {
            if let Some(count) = counts.get_mut(event.table) {
                // Only of objects that are there the order does not matter.
                *count = if matches!(event.what, What::Is(_)) { count.map(|count| count + 1) } else { None };
            }
        }
        let is_many = |(at, count): (usize, Option<usize>)| {
            let rows = self.inner.tables.get(at).map_or(0, |table| table.rows().len());
            count.is_some_and(|count| count >= MANY && count * 2 >= rows)
        };
        let many: Vec<bool> = counts.into_iter().enumerate().map(is_many).collect();
        let mut changes = Vec::new();
        if !many.contains(&true) {
            return changes;
        }
        let mut staged: Vec<Staged> = many.iter().map(|_| Staged::default()).collect();
        let events = core::mem::take(&mut batch.events);
        for event in events {
            match (many.get(event.table), staged.get_mut(event.table), event.what) {
                (Some(true), Some(staged), What::Is(row)) => staged.push(event.reference, Ok(row)),
                (_, _, what) => batch.events.push(batch::Event { what, ..event }),
            }
        }
        for (at, staged) in staged.into_iter().enumerate().filter(|(at, _)| many.get(*at) == Some(&true)) {
            let Some(table) = self.table_mut(at) else { continue };
            let (before, class, was_known) = (changes.len(), table.class.name, table.known);
            table.known = true;
            table.insert_all(staged, &mut |reference, (operation, fields)| {
                changes.push(Change { class, reference, operation, fields });
            });
            if changes.len() > before || !was_known {
                self.touch(at);
            }
        }
        changes
    }

    /// Replaces everything by a batch that holds everything: the answer of `event.from` to an empty token. What is not in it is
    /// gone. Answers what is different now.
    ///
    /// `covers` says whether the batch is about a class at all; the others stay as they are.
    pub fn replace(&mut self, batch: Batch, covers: &dyn Fn(&RecordDesc) -> bool) -> Vec<Change> {
        let counted = |class: &RecordDesc| batch.counts.iter().any(|(name, _)| name.eq_ignore_ascii_case(class.name));
        // A server counts the objects of every class that it has. Messages are kept elsewhere and never counted.
        let is_known = |class: &RecordDesc| batch.counts.is_empty() || counted(class) || class.name == "message";
        let mut sides: Vec<(bool, Staged)> =
            self.inner.tables.iter().map(|table| (is_known(table.class), Staged::default())).collect();
        for event in batch.events {
            let Some((known, staged)) = sides.get_mut(event.table) else { continue };
            *known = true;
            match event.what {
                What::Is(row) => staged.push(event.reference, Ok(row)),
                What::Wrong(error) => staged.push(event.reference, Err(error)),
                What::Gone => staged.push_gone(event.reference),
            }
        }
        let mut changes = Vec::new();
        for (at, (known, staged)) in sides.into_iter().enumerate() {
            if self.inner.tables.get(at).is_some_and(|table| covers(table.class)) {
                self.swap(at, staged, known, &mut changes);
            }
        }
        self.inner().strays = Arc::default();
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
            let table = self.inner.tables.get(self.place(name)?)?;
            let told = i64::try_from(table.told()).ok()?;
            (table.known && told != *count).then(|| (table.class.name, count.saturating_sub(told)))
        })
    }

    /// Empties the cache; nothing is known any more. Answers what was there.
    pub(crate) fn clear(&mut self) -> Vec<Change> {
        let changes = self.forget(&|_| true);
        self.inner().strays = Arc::default();
        self.tolerated.clear();
        changes
    }

    /// Forgets what is known of some classes. Answers what was there.
    pub(crate) fn forget(&mut self, which: &dyn Fn(&RecordDesc) -> bool) -> Vec<Change> {
        let mut changes = Vec::new();
        for at in 0..self.inner.tables.len() {
            if self.inner.tables.get(at).is_some_and(|table| which(table.class)) {
                self.swap(at, Staged::default(), false, &mut changes);
            }
        }
        changes
    }

    fn swap(&mut self, at: usize, staged: Staged, known: bool, changes: &mut Vec<Change>) {
        let Some(table) = self.table_mut(at) else { return };
        let (before, was_known, class) = (changes.len(), table.known, table.class.name);
        table.known = known;
        table.replace_with(staged, &mut |reference, (operation, fields)| {
            changes.push(Change { class, reference, operation, fields });
        });
        if changes.len() > before || was_known != known {
            self.touch(at);
        }
    }

    fn touch(&mut self, at: usize) {
        let inner = self.inner();
        inner.revision += 1;
        let revision = inner.revision;
        if let Some(table) = self.table_mut(at) {
            table.revision = revision;
        }
    }

    fn keep_strays(&mut self, strays: Vec<ReadError>) {
        if !strays.is_empty() {
            let kept = Arc::make_mut(&mut self.inner().strays);
            let room = STRAYS.saturating_sub(kept.len());
            kept.extend(strays.into_iter().take(room));
        }
    }

    /// What is known, to be changed. If somebody holds a snapshot, a copy of what does not change is made first, by the class.
    fn inner(&mut self) -> &mut snapshot::Inner {
        Arc::make_mut(&mut self.now.inner)
    }

    fn table_mut(&mut self, at: usize) -> Option<&mut Table> {
        self.inner().tables.get_mut(at).map(Arc::make_mut)
    }
}

impl Deref for Cache {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        &self.now
    }
}

impl From<Snapshot> for Cache {
    /// A cache that begins with what a snapshot holds.
    fn from(now: Snapshot) -> Self {
        Cache { now, tolerated: BTreeMap::new() }
    }
}

impl AsRef<Snapshot> for Cache {
    fn as_ref(&self) -> &Snapshot {
        &self.now
    }
}

impl fmt::Debug for Cache {
    /// The number of objects by class.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.now.fmt(f)
    }
}
