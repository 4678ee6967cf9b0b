//! What is known of a pool at one moment.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::TypeId;
use core::fmt;

use xenapi_core::{Class, Field, RawRef, ReadError, RecordDesc, Ref, Uuid};

use super::table::Table;
use super::{Change, Operation};

/// The objects of a pool as they were known at one moment. Costs next to nothing to have and to hold: it shares with the cache, and
/// with the snapshots before and after it, whatever is the same. It never changes.
#[derive(Clone, Default)]
pub struct Snapshot {
    pub(super) inner: Arc<Inner>,
}

#[derive(Clone, Default)]
pub(super) struct Inner {
    /// In the order in which they were tracked: few enough to be searched.
    pub(super) tables: Vec<Arc<Table>>,
    pub(super) revision: u64,
    pub(super) strays: Arc<Vec<ReadError>>,
}

impl Snapshot {
    /// The classes that are tracked.
    pub fn classes(&self) -> impl Iterator<Item = &'static RecordDesc> + '_ {
        self.inner.tables.iter().map(|table| table.class)
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

    /// The reference of the object with that uuid, by the name of the class in any case.
    pub fn reference_of(&self, class: &str, uuid: &str) -> Option<RawRef> {
        self.named(class)?.by_uuid(uuid).map(|(reference, _)| reference.clone())
    }

    /// The uuid of an object, by the name of the class in any case: its lasting identity, while references last as long as the
    /// database that they came from. `None` as well for the classes that have no uuids.
    pub fn uuid_of(&self, class: &str, reference: &RawRef) -> Option<Uuid> {
        let table = self.named(class)?;
        table.uuid_of(table.row(reference.as_str())?).map(Uuid::new)
    }

    /// Whether both references name the same object, the second one in another snapshot, which may be of another time or have come
    /// over another connection: whether their uuids are the same. An object that one of the two does not have is no other's equal.
    pub fn is_same_object<C: Class>(&self, reference: &Ref<C>, other: &Snapshot, theirs: &Ref<C>) -> bool {
        let uuid = |snapshot: &Snapshot, reference: &Ref<C>| {
            let table = snapshot.table::<C>()?;
            table.uuid_of(table.row(reference.as_str())?)
        };
        uuid(self, reference).is_some_and(|uuid_here| uuid(other, theirs) == Some(uuid_here))
    }

    /// Whether there is an object of that class, by the name of the class in any case.
    pub fn contains(&self, class: &str, reference: &RawRef) -> bool {
        self.named(class).is_some_and(|table| table.row(reference.as_str()).is_some())
    }

    /// All objects of a class, ordered by the text of their references.
    pub fn iter<C: Class>(&self) -> impl Iterator<Item = (Ref<C>, &Arc<C::Record>)> {
        let rows = self.table::<C>().into_iter().flat_map(|table| table.rows().iter());
        rows.filter_map(|(reference, row)| Some((reference.clone().typed(), row.record::<C>()?)))
    }

    /// How many objects of a class there are.
    pub fn count<C: Class>(&self) -> usize {
        self.table::<C>().map_or(0, |table| table.rows().len())
    }

    /// The objects at the other end of a relation, ordered by the text of their references: `related(vm::fields::VBDS, &vm)` are
    /// the VBDs of a VM. Found through an index, without a look at any other object, and without the help of the record of `this`,
    /// which need not even be there.
    ///
    /// Where the field is no side of a relation, or the stored one, it is the field itself that is read. Objects that are not in
    /// the cache are passed over.
    pub fn related<C: Class, D: Class>(
        &self,
        field: impl Into<Field<C, Vec<Ref<D>>>>,
        this: &Ref<C>,
    ) -> impl Iterator<Item = (Ref<D>, &Arc<D::Record>)> {
        let at = field.into().index();
        let table = self.table::<D>();
        let rows = table.into_iter().flat_map(move |table| self.ends(C::RECORD, TypeId::of::<C>(), at, this.raw(), table));
        rows.filter_map(move |reference| {
            let (reference, row) = table?.rows().get_key_value(reference.as_str())?;
            Some((reference.clone().typed(), row.record::<D>()?))
        })
    }

    /// [`Snapshot::related`] without types: the class at the other end, and the references, by the names of a class and of its field.
    /// `None` when the class at either end is not tracked, or the field refers to none.
    pub fn related_to(&self, class: &str, field: &str, this: &RawRef) -> Option<(&'static RecordDesc, Vec<RawRef>)> {
        let of = self.named(class)?;
        let at = of.class.field_index(field)?;
        let target = self.named(of.class.fields.get(at)?.ty.ref_class()?)?;
        let ends = self.ends(of.class, of.id, at, this, target);
        Some((target.class, ends.into_iter().filter(|it| target.row(it.as_str()).is_some()).collect()))
    }

    /// What the field at a place names, whether that is stored there or at the other end.
    fn ends(&self, class: &'static RecordDesc, id: TypeId, at: usize, this: &RawRef, target: &Table) -> Vec<RawRef> {
        let relation = class.fields.get(at).and_then(|field| field.relation).filter(|relation| !relation.stored);
        if let Some(other) = relation.and_then(|relation| target.class.field_index(relation.field)) {
            return target.naming(other, this.as_str()).map(|(reference, _)| reference.clone()).collect();
        }
        let Some(table) = self.inner.tables.iter().find(|table| table.id == id) else { return Vec::new() };
        let mut found = Vec::new();
        if let Some(row) = table.row(this.as_str()) {
            table.visit(row, at, &mut |text| found.push(RawRef::from(text)));
        }
        found
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
        self.named(class).map_or(0, |table| table.revision)
    }

    /// A number that grows with every change.
    pub fn total_revision(&self) -> u64 {
        self.inner.revision
    }

    /// Objects that exist but whose last record could not be read, with the reason. They are not in the cache.
    pub fn wrong(&self) -> impl Iterator<Item = (&'static str, &RawRef, &ReadError)> {
        let tables = self.inner.tables.iter();
        tables.flat_map(|table| table.wrong().iter().map(|(it, error)| (table.class.name, it, error)))
    }

    /// Errors since the last full load that belong to no object, such as an event without a class. The first 64.
    pub fn strays(&self) -> &[ReadError] {
        &self.inner.strays
    }

    /// What would have to happen to the objects here to make them those of `other`, by class and reference. Classes that only one of
    /// the two tracks are passed over. Of two snapshots of one cache, only classes that have changed in between cost anything.
    pub fn differences_to(&self, other: &Snapshot) -> Vec<Change> {
        let mut changes = Vec::new();
        for table in &self.inner.tables {
            let Some(others) = other.inner.tables.iter().find(|it| it.id == table.id) else { continue };
            let class = table.class.name;
            table.differences_to(others, &mut |reference, (operation, fields)| {
                changes.push(Change { class, reference: reference.clone(), operation, fields });
            });
        }
        changes
    }

    /// Takes the place of a table among them.
    pub(super) fn place(&self, class: &str) -> Option<usize> {
        self.inner.tables.iter().position(|table| table.class.name.eq_ignore_ascii_case(class))
    }

    pub(super) fn place_of<C: Class>(&self) -> Option<usize> {
        self.inner.tables.iter().position(|table| table.id == TypeId::of::<C>())
    }

    fn named(&self, class: &str) -> Option<&Table> {
        self.place(class).and_then(|at| self.inner.tables.get(at)).map(|table| &**table)
    }

    fn table<C: Class>(&self) -> Option<&Table> {
        self.place_of::<C>().and_then(|at| self.inner.tables.get(at)).map(|table| &**table)
    }
}

impl fmt::Debug for Snapshot {
    /// The number of objects by class.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.inner.tables.iter().map(|table| (table.class.name, table.rows().len()))).finish()
    }
}

impl Change {
    /// The object, if it is of that class.
    pub fn of<C: Class>(&self) -> Option<Ref<C>> {
        (self.class == C::RECORD.name).then(|| self.reference.clone().typed())
    }

    /// Whether that field may be another now: of an object that was added or deleted, every field is.
    pub fn touches<C: Class, T: xenapi_core::Wire>(&self, field: impl Into<Field<C, T>>) -> bool {
        self.class == C::RECORD.name && (self.operation != Operation::Modified || self.fields.has(field))
    }
}
