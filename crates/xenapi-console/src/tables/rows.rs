//! Rows, made anew only where a record that they were made of has changed.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::cell::OnceCell;

use xenapi_client::{Cache, Snapshot};
use xenapi_core::{Class, RawRef, Ref};
use xenapi_model::{Host, Network, PBD, PIF, Pool, SR, Task, VBD, VDI, VIF, VM};
use xenapi_topology::State;

use super::kinds;
use super::spec::Spec;
use super::value::{Link, Value};
use crate::object::Object;
use crate::route::Kind;
use crate::select;

/// One line of a table.
#[derive(Debug)]
pub struct Row {
    /// The object.
    pub object: Object,
    /// Its lasting identity.
    pub uuid: String,
    /// Its name.
    pub name: String,
    /// Its state, where its class has one.
    pub state: Option<State>,
    /// A cell for every column of the kind, shown or not.
    pub cells: Vec<Value>,
    haystack: OnceCell<Box<str>>,
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        self.object == other.object && self.uuid == other.uuid && self.name == other.name && self.cells == other.cells
    }
}

impl Row {
    /// What free words are looked for in, in lower case: whatever the cells show.
    pub fn haystack(&self) -> &str {
        self.haystack.get_or_init(|| {
            let mut text = self.name.to_lowercase();
            for cell in self.cells.iter().filter(|cell| !matches!(cell, Value::Nothing | Value::Truth(_))) {
                text.push('\n');
                text.push_str(&cell.show().to_lowercase());
            }
            text.into()
        })
    }
}

/// A record that a row was made of, and how to tell whether the cache still has that very one.
enum Source {
    Record {
        class: &'static str,
        reference: RawRef,
        held: Option<Arc<dyn Any>>,
        is_current: fn(&Cache, &RawRef, Option<&Arc<dyn Any>>) -> bool,
    },
    /// The objects at the other end of a relation.
    Relation {
        /// The class at the other end, whose changes matter.
        class: &'static str,
        of: &'static str,
        field: &'static str,
        reference: RawRef,
        held: Vec<RawRef>,
    },
}

impl Source {
    /// Whether the row may be another one after these changes.
    fn is_hit(&self, cache: &Cache, changes: &Changes) -> bool {
        match self {
            Source::Record { class, reference, .. } => changes.has(class, reference),
            Source::Relation { class, .. } => changes.of(class).is_some() && !self.is_current(cache),
        }
    }

    fn is_current(&self, cache: &Cache) -> bool {
        match self {
            Source::Record { reference, held, is_current, .. } => is_current(cache, reference, held.as_ref()),
            Source::Relation { of, field, reference, held, .. } => {
                cache.related_to(of, field, reference).is_some_and(|(_, now)| now == *held)
            }
        }
    }
}

/// Objects that have changed, by class.
#[derive(Default)]
struct Changes(Vec<(&'static str, BTreeSet<RawRef>)>);

impl Changes {
    fn of(&self, class: &str) -> Option<&BTreeSet<RawRef>> {
        self.0.iter().find(|(name, _)| *name == class).map(|(_, objects)| objects)
    }

    fn has(&self, class: &str, reference: &RawRef) -> bool {
        self.of(class).is_some_and(|objects| objects.contains(reference))
    }

    fn add(&mut self, class: &'static str, reference: RawRef) {
        match self.0.iter_mut().find(|(name, _)| *name == class) {
            Some((_, objects)) => drop(objects.insert(reference)),
            None => self.0.push((class, BTreeSet::from([reference]))),
        }
    }
}

fn is_current<C: Class>(cache: &Cache, reference: &RawRef, held: Option<&Arc<dyn Any>>) -> bool {
    match (cache.get(&reference.clone().typed::<C>()), held) {
        (None, None) => true,
        (Some(now), Some(held)) => core::ptr::addr_eq(Arc::as_ptr(now), Arc::as_ptr(held)),
        _ => false,
    }
}

/// The cache, while a row is made: it notes what was looked at.
pub(super) struct Look<'c> {
    pub(super) cache: &'c Cache,
    /// The object that the row is about.
    own: RawRef,
    sources: Vec<Source>,
}

impl<'c> Look<'c> {
    /// The record of an object, on which the row depends from now on.
    pub(super) fn get<'r, C: Class>(&mut self, reference: impl Into<Option<&'r Ref<C>>>) -> Option<&'c C::Record> {
        let reference = reference.into().and_then(Ref::non_null)?;
        let found = self.cache.get(reference);
        let seen = |source: &Source| matches!(source, Source::Record { class, reference: it, .. } if *class == C::RECORD.name && it == reference.raw());
        // Few rows look twice at the same, and those with many sources never do.
        if self.sources.len() > 8 || !self.sources.iter().any(seen) {
            self.sources.push(Source::Record {
                class: C::RECORD.name,
                reference: reference.raw().clone(),
                held: found.map(|record| record.clone() as Arc<dyn Any>),
                is_current: is_current::<C>,
            });
        }
        found.map(|record| &**record)
    }

    /// The objects at the other end of a relation of the row's own object: those of `C` that refer to it, found without the help of a
    /// field of its own, which a shared stream may leave out.
    pub(super) fn related<C: Class>(&mut self, of: &'static str, field: &'static str) -> Vec<Ref<C>> {
        let related = self.cache.related_to(of, field, &self.own).map(|(_, related)| related).unwrap_or_default();
        let typed = related.iter().map(|reference| reference.clone().typed()).collect();
        let reference = self.own.clone();
        self.sources.push(Source::Relation { class: C::RECORD.name, of, field, reference, held: related });
        typed
    }

    /// Makes the row depend on an object of any class that messages are about.
    pub(super) fn depend(&mut self, object: &Object) {
        let reference = object.reference.clone();
        match object.class {
            "VM" => drop(self.get(&reference.typed::<VM>())),
            "host" => drop(self.get(&reference.typed::<Host>())),
            "SR" => drop(self.get(&reference.typed::<SR>())),
            "VDI" => drop(self.get(&reference.typed::<VDI>())),
            _ => drop(self.get(&reference.typed::<Pool>())),
        }
    }

    /// A cell that names another object.
    pub(super) fn link<'r, C: Named>(&mut self, reference: impl Into<Option<&'r Ref<C>>>) -> Value {
        let Some(reference) = reference.into().and_then(Ref::non_null) else { return Value::Nothing };
        match self.one(reference) {
            Some(link) => Value::Links(Vec::from([link])),
            None => Value::Unknown,
        }
    }

    /// A cell that names an SR, with its host if several may be called so.
    pub(super) fn link_sr(&mut self, reference: &Ref<SR>) -> Value {
        let Some(mut link) = reference.non_null().and_then(|reference| self.one(reference)) else {
            return if reference.is_null() { Value::Nothing } else { Value::Unknown };
        };
        if let Some(sr) = self.get(reference) {
            if let ([pbd], false) = (sr.pbds.as_slice(), sr.shared) {
                // So that a new name of the host is seen.
                let host = self.get(pbd).map(|pbd| pbd.host.clone());
                let _ = self.get(host.as_ref());
            }
            link.name = select::sr_name(self.cache, sr);
        }
        Value::Links(Vec::from([link]))
    }

    /// A cell that names other objects.
    pub(super) fn links<C: Named>(&mut self, references: &[Ref<C>]) -> Value {
        let links: Vec<Link> = references.iter().filter_map(|reference| self.one(reference)).collect();
        if links.is_empty() { Value::Nothing } else { Value::Links(links) }
    }

    fn one<C: Named>(&mut self, reference: &Ref<C>) -> Option<Link> {
        let record = self.get(reference)?;
        let (name, uuid) = C::name(record);
        Some(Link {
            name: if name.trim().is_empty() { uuid.into() } else { name },
            object: Object::of(reference),
            uuid: uuid.into(),
        })
    }

    /// Nothing, or unknown if the class was not loaded.
    pub(super) fn absent<C: Class>(&self) -> Value {
        if select::is_known::<C>(self.cache) { Value::Nothing } else { Value::Unknown }
    }
}

/// A class whose objects cells name.
pub(super) trait Named: Class {
    /// Its name, and its uuid.
    fn name(record: &Self::Record) -> (String, &str);
}

macro_rules! named {
    ($($class:ident($it:ident) $name:expr;)*) => {
        $(impl Named for $class {
            fn name($it: &Self::Record) -> (String, &str) {
                ($name, $it.uuid.as_str())
            }
        })*
    };
}

named! {
    VM(it) it.name_label.clone();
    Host(it) it.name_label.clone();
    SR(it) it.name_label.clone();
    VDI(it) it.name_label.clone();
    Network(it) select::either(&it.name_label, &it.bridge);
    PIF(it) select::pif_name(it);
}

/// What a kind makes of a record: the name, the state, and a cell for every column.
pub(super) struct Made {
    pub(super) name: String,
    pub(super) state: Option<State>,
    pub(super) cells: Vec<Value>,
}

struct Kept {
    own: Arc<dyn Any>,
    sources: Vec<Source>,
    row: Rc<Row>,
}

/// What changed since the last time.
#[derive(Default, Debug)]
pub(super) struct Delta {
    /// Rows that are gone or were made anew.
    pub(super) gone: BTreeSet<RawRef>,
    /// Rows that are new or were made anew.
    pub(super) new: Vec<Rc<Row>>,
}

/// More objects than this have changed: then every row is looked at.
const MANY: usize = 256;

/// All rows of a kind, up to date with a cache.
pub struct Rows {
    spec: &'static Spec,
    kept: BTreeMap<RawRef, Kept>,
    /// What they were made of.
    seen: Option<Snapshot>,
    /// The objects of which there are no rows yet, the first time.
    left: alloc::vec::IntoIter<RawRef>,
    known: u32,
}

impl Rows {
    /// None yet.
    pub fn new(kind: Kind) -> Self {
        Rows { spec: Spec::of(kind), kept: BTreeMap::new(), seen: None, left: Vec::new().into_iter(), known: 0 }
    }

    /// What the kind has.
    pub(super) fn spec(&self) -> &'static Spec {
        self.spec
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// All of them, in the order of their references.
    pub fn iter(&self) -> impl Iterator<Item = &Rc<Row>> {
        self.kept.values().map(|kept| &kept.row)
    }

    /// The row of an object.
    pub fn get(&self, reference: &RawRef) -> Option<&Rc<Row>> {
        self.kept.get(reference).map(|kept| &kept.row)
    }

    /// Follows the cache. A row that stays the same stays the same `Rc`. The first time it makes at most so many rows, and tells
    /// nothing of them; whether others are left.
    pub(super) fn step(&mut self, cache: &Cache, most: usize) -> (Delta, bool) {
        if self.seen.is_none() {
            self.known = known(cache);
            self.seen = Some(cache.snapshot());
            let mut all = Vec::new();
            self.pass(cache, Walk::List(&mut all));
            self.left = all.into_iter();
        }
        if self.left.len() > 0 {
            let some: Vec<RawRef> = self.left.by_ref().take(most).collect();
            self.pass(cache, Walk::These(some, Changes::default()));
            if self.left.len() > 0 {
                return (Delta::default(), true);
            }
            // What has changed meanwhile.
            self.follow(cache);
            return (Delta::default(), false);
        }
        (self.follow(cache), false)
    }

    fn follow(&mut self, cache: &Cache) -> Delta {
        let Some(seen) = &self.seen else { return Delta::default() };
        let has_changed = |class: &&str| seen.revision_of(class) != cache.revision_of(class);
        if !self.spec.classes.iter().any(has_changed) {
            return Delta::default();
        }
        let now = cache.snapshot();
        let differences = seen.differences_to(&now);
        self.seen = Some(now);
        let known = known(cache);
        if core::mem::replace(&mut self.known, known) != known {
            // What was unknown is nothing now, or the other way round: in any row.
            for kept in self.kept.values_mut() {
                kept.own = Arc::new(());
            }
            return self.pass(cache, Walk::All);
        }
        if differences.len() > MANY {
            return self.pass(cache, Walk::All);
        }
        let mut changes = Changes::default();
        for change in differences.into_iter().filter(|change| self.spec.classes.contains(&change.class)) {
            changes.add(change.class, change.reference);
        }
        let is_hit = |kept: &Kept| kept.sources.iter().any(|source| source.is_hit(cache, &changes));
        let hit = self.kept.iter().filter(|(_, kept)| is_hit(kept)).map(|(reference, _)| reference.clone()).collect();
        self.pass(cache, Walk::These(hit, changes))
    }

    fn pass(&mut self, cache: &Cache, walk: Walk<'_>) -> Delta {
        let mut pass = Pass { cache, walk, kept: core::mem::take(&mut self.kept), delta: Delta::default() };
        kinds::collect(self.spec.kind, &mut pass);
        let Pass { kept, delta, .. } = pass;
        self.kept = kept;
        delta
    }
}

/// Which classes are known, a bit each.
fn known(cache: &Cache) -> u32 {
    let bits = [
        select::is_known::<VM>(cache),
        select::is_known::<Host>(cache),
        select::is_known::<SR>(cache),
        select::is_known::<VDI>(cache),
        select::is_known::<VBD>(cache),
        select::is_known::<PBD>(cache),
        select::is_known::<Network>(cache),
        select::is_known::<PIF>(cache),
        select::is_known::<VIF>(cache),
        select::is_known::<Task>(cache),
        select::is_known::<xenapi_model::VMGuestMetrics>(cache),
        select::is_known::<xenapi_model::VMMetrics>(cache),
        select::is_known::<xenapi_model::HostMetrics>(cache),
        select::is_known::<xenapi_model::PIFMetrics>(cache),
    ];
    bits.iter().enumerate().fold(1, |bits, (at, known)| bits | u32::from(*known) << (at + 1))
}

/// Which records are looked at.
enum Walk<'a> {
    /// All, to say which there are.
    List(&'a mut Vec<RawRef>),
    /// All; what is current stays.
    All,
    /// These, and those of the kind's own class among the changes.
    These(Vec<RawRef>, Changes),
}

/// One walk over the records of a kind.
pub(super) struct Pass<'c> {
    cache: &'c Cache,
    walk: Walk<'c>,
    kept: BTreeMap<RawRef, Kept>,
    delta: Delta,
}

impl Pass<'_> {
    /// Takes the objects of a class that belong to the kind, and makes the rows that are not current.
    pub(super) fn each<C: Class>(
        &mut self,
        belongs: fn(&C::Record) -> bool,
        uuid: fn(&C::Record) -> &str,
        make: fn(&mut Look<'_>, &C::Record) -> Made,
    ) {
        let cache = self.cache;
        match &mut self.walk {
            Walk::List(all) => {
                let own = cache.iter::<C>().filter(|(_, record)| belongs(record));
                all.extend(own.map(|(reference, _)| reference.into_raw()));
            }
            Walk::These(these, changes) => {
                let mut these: BTreeSet<RawRef> = core::mem::take(these).into_iter().collect();
                these.extend(changes.of(C::DESC.name).into_iter().flatten().cloned());
                for reference in these {
                    let old = self.kept.remove(&reference);
                    let reference = reference.typed::<C>();
                    match cache.get(&reference).filter(|record| belongs(record)) {
                        Some(record) => self.make(reference, record, old, uuid, make),
                        None if old.is_some() => drop(self.delta.gone.insert(reference.into_raw())),
                        None => {}
                    }
                }
            }
            Walk::All => {
                let mut before = core::mem::take(&mut self.kept);
                for (reference, record) in cache.iter::<C>().filter(|(_, record)| belongs(record)) {
                    match before.remove(reference.raw()) {
                        Some(kept) if is_current_row(&kept, cache, record) => {
                            self.kept.insert(reference.into_raw(), kept);
                        }
                        old => self.make(reference, record, old, uuid, make),
                    }
                }
                self.delta.gone.extend(before.into_keys());
            }
        }
    }

    fn make<C: Class>(
        &mut self,
        reference: Ref<C>,
        record: &Arc<C::Record>,
        old: Option<Kept>,
        uuid: fn(&C::Record) -> &str,
        make: fn(&mut Look<'_>, &C::Record) -> Made,
    ) {
        let mut look = Look { cache: self.cache, own: reference.raw().clone(), sources: Vec::new() };
        let made = make(&mut look, record);
        let row = Row {
            object: Object::of(&reference),
            uuid: uuid(record).to_string(),
            name: made.name,
            state: made.state,
            cells: made.cells,
            haystack: OnceCell::new(),
        };
        self.keep(reference.into_raw(), record.clone(), look.sources, row, old);
    }

    fn keep(&mut self, reference: RawRef, own: Arc<dyn Any>, sources: Vec<Source>, row: Row, old: Option<Kept>) {
        let row = match old {
            // The record is another one, but nothing of it shows.
            Some(old) if *old.row == row => old.row,
            old => {
                if old.is_some() {
                    self.delta.gone.insert(reference.clone());
                }
                let row = Rc::new(row);
                self.delta.new.push(row.clone());
                row
            }
        };
        self.kept.insert(reference, Kept { own, sources, row });
    }
}

fn is_current_row<R: 'static>(kept: &Kept, cache: &Cache, record: &Arc<R>) -> bool {
    core::ptr::addr_eq(Arc::as_ptr(&kept.own), Arc::as_ptr(record))
        && kept.sources.iter().all(|source| source.is_current(cache))
}
