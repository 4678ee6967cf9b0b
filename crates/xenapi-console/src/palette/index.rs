//! What can be found, and by which words: made once, and kept up to date object by object.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;

use xenapi_client::{Cache, Snapshot};
use xenapi_core::{Class, RawRef};
use xenapi_model::{Bond, Host, Network, PIF, Pool, SR, VDI, VIF, VLAN, VM, VmKind, vm};

use super::rank::{Why, Words};
use crate::object::Object;
use crate::select;
use crate::text::Text;

/// The classes that the index reads.
pub const OF_INDEX: &[&str] =
    &["pool", "host", "VM", "VM_guest_metrics", "SR", "network", "PIF", "Bond", "VLAN", "VDI", "VIF"];

/// What a line of an entry is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    Name,
    Description,
    Tag,
    Address,
    Mac,
    Vlan,
    Uuid,
    Reference,
}

impl Field {
    fn text(self) -> Option<Text> {
        match self {
            Field::Name => None,
            Field::Description => Some(Text::MatchDescription),
            Field::Tag => Some(Text::MatchTag),
            Field::Address => Some(Text::MatchAddress),
            Field::Mac => Some(Text::MatchMac),
            Field::Vlan => Some(Text::MatchVlan),
            Field::Uuid => Some(Text::MatchUuid),
            Field::Reference => Some(Text::MatchReference),
        }
    }
}

/// An object and its words.
struct Entry {
    own: Arc<dyn Any>,
    /// What else its words come from.
    also: Option<Arc<dyn Any>>,
    /// All words in lower case, a line for each; the name first, the uuid and the reference last.
    lines: Box<str>,
    /// Where those two begin: a letter or two of them say nothing.
    plain: usize,
    fields: Box<[Field]>,
}

/// The entries of one class.
struct Shelf {
    class: &'static str,
    /// Where among equals its objects stand.
    weight: u32,
    /// The objects that are to be looked at.
    left: alloc::vec::IntoIter<RawRef>,
    entries: BTreeMap<RawRef, Entry>,
    fill: Fill,
    /// Whether names that are nearly right are looked for.
    forgives: bool,
}

/// What makes the entries of a class.
type Fill = fn(&mut Filler<'_>);

/// What else the words of an object come from.
type Also<R> = fn(&Cache, &R) -> Option<Arc<dyn Any>>;

/// A shelf in words: the class, its weight, what fills it, and whether it forgives mistakes.
type Made = (&'static str, u32, Fill, bool);

/// Everything that can be found.
pub struct Index {
    shelves: Vec<Shelf>,
    /// What it was made of, with what is still to be looked at.
    seen: Option<Snapshot>,
    generation: u64,
}

impl Shelf {
    fn look_at_all(&mut self, cache: &Cache) {
        let mut all = Vec::new();
        (self.fill)(&mut Filler { cache, walk: Walk::List(&mut all) });
        self.left = all.into_iter();
    }
}

impl Default for Index {
    fn default() -> Self {
        Index::new()
    }
}

/// Entries that are made.
struct Filler<'c> {
    cache: &'c Cache,
    walk: Walk<'c>,
}

/// Which objects are looked at.
enum Walk<'a> {
    /// All, to say which there are.
    List(&'a mut Vec<RawRef>),
    /// These.
    These(Vec<RawRef>, &'a mut BTreeMap<RawRef, Entry>),
    /// All whose words come from something else, too: those where that is another one now.
    Also(&'a mut Vec<RawRef>, &'a BTreeMap<RawRef, Entry>),
}

/// The lines of an entry.
#[derive(Default)]
struct Lines {
    text: String,
    fields: Vec<Field>,
}

impl Lines {
    fn add(&mut self, field: Field, text: &str) {
        if text.is_empty() && field != Field::Name {
            return;
        }
        if !self.fields.is_empty() {
            self.text.push('\n');
        }
        // A line break within would end the line.
        if text.is_ascii() && !text.contains('\n') {
            let from = self.text.len();
            self.text.push_str(text);
            if let Some(added) = self.text.get_mut(from..) {
                added.make_ascii_lowercase();
            }
            return self.fields.push(field);
        }
        self.text.extend(text.chars().flat_map(char::to_lowercase).map(|letter| if letter == '\n' { ' ' } else { letter }));
        self.fields.push(field);
    }
}

fn same(a: &Arc<dyn Any>, b: *const ()) -> bool {
    core::ptr::addr_eq(Arc::as_ptr(a), b)
}

impl Filler<'_> {
    fn each<C: Class>(
        &mut self,
        belongs: fn(&C::Record) -> bool,
        also: Also<C::Record>,
        uuid: fn(&C::Record) -> &str,
        write: fn(&Cache, &C::Record, &mut Lines),
    ) {
        let cache = self.cache;
        match &mut self.walk {
            Walk::List(all) => {
                let own = cache.iter::<C>().filter(|(_, record)| belongs(record));
                all.extend(own.map(|(reference, _)| reference.into_raw()));
            }
            Walk::Also(stale, entries) => {
                for (reference, entry) in entries.iter() {
                    let now = cache.get(&reference.clone().typed::<C>()).and_then(|record| also(cache, record));
                    if !is_same_also(&entry.also, &now) {
                        stale.push(reference.clone());
                    }
                }
            }
            Walk::These(these, entries) => {
                for reference in core::mem::take(these) {
                    let Some(record) = cache.get(&reference.clone().typed::<C>()).filter(|record| belongs(record)) else {
                        entries.remove(&reference);
                        continue;
                    };
                    let also = also(cache, record);
                    let is_current = entries.get(&reference).is_some_and(|entry| {
                        same(&entry.own, Arc::as_ptr(record).cast()) && is_same_also(&entry.also, &also)
                    });
                    if is_current {
                        continue;
                    }
                    let mut lines = Lines::default();
                    write(cache, record, &mut lines);
                    let plain = lines.text.len();
                    lines.add(Field::Uuid, uuid(record));
                    lines.add(Field::Reference, reference.as_str());
                    let (lines, fields) = (lines.text.into(), lines.fields.into());
                    entries.insert(reference, Entry { own: record.clone(), also, lines, plain, fields });
                }
            }
        }
    }
}

fn is_same_also(before: &Option<Arc<dyn Any>>, now: &Option<Arc<dyn Any>>) -> bool {
    match (before, now) {
        (None, None) => true,
        (Some(before), Some(now)) => same(before, Arc::as_ptr(now).cast()),
        _ => false,
    }
}

fn nothing<R>(_: &Cache, _: &R) -> Option<Arc<dyn Any>> {
    None
}

fn vm_lines(cache: &Cache, vm: &vm::Record, lines: &mut Lines) {
    lines.add(Field::Name, &vm.name_label);
    lines.add(Field::Description, &vm.name_description);
    vm.tags.iter().for_each(|tag| lines.add(Field::Tag, tag));
    if let Some(guest) = cache.get(&vm.guest_metrics) {
        select::addresses(guest).iter().for_each(|address| lines.add(Field::Address, address));
    }
}

const SHELVES: [Made; 10] = [
    (
        "pool",
        0,
        |it| {
            it.each::<Pool>(
                |_| true,
                nothing,
                |it| it.uuid.as_str(),
                |cache, it, lines| {
                    lines.add(Field::Name, &select::lookup::pool_name(cache, it));
                    lines.add(Field::Description, &it.name_description);
                    it.tags.iter().for_each(|tag| lines.add(Field::Tag, tag));
                },
            )
        },
        true,
    ),
    (
        "host",
        1,
        |it| {
            it.each::<Host>(
                |_| true,
                nothing,
                |it| it.uuid.as_str(),
                |_, it, lines| {
                    lines.add(Field::Name, &it.name_label);
                    lines.add(Field::Address, &it.address);
                    lines.add(Field::Description, &it.name_description);
                    it.tags.iter().for_each(|tag| lines.add(Field::Tag, tag));
                },
            )
        },
        true,
    ),
    (
        "VM",
        2,
        |it| {
            it.each::<VM>(
                |it| it.kind() != VmKind::ControlDomain,
                |cache, it| cache.get(&it.guest_metrics).map(|guest| guest.clone() as Arc<dyn Any>),
                |it| it.uuid.as_str(),
                vm_lines,
            )
        },
        true,
    ),
    (
        "SR",
        3,
        |it| {
            it.each::<SR>(
                |_| true,
                nothing,
                |it| it.uuid.as_str(),
                |_, it, lines| {
                    lines.add(Field::Name, &it.name_label);
                    lines.add(Field::Description, &it.name_description);
                    it.tags.iter().for_each(|tag| lines.add(Field::Tag, tag));
                },
            )
        },
        true,
    ),
    (
        "network",
        4,
        |it| {
            it.each::<Network>(
                |_| true,
                nothing,
                |it| it.uuid.as_str(),
                |_, it, lines| {
                    lines.add(Field::Name, &select::either(&it.name_label, &it.bridge));
                    lines.add(Field::Name, &it.bridge);
                    lines.add(Field::Description, &it.name_description);
                    it.tags.iter().for_each(|tag| lines.add(Field::Tag, tag));
                },
            )
        },
        true,
    ),
    (
        "PIF",
        5,
        |it| {
            it.each::<PIF>(
                |_| true,
                nothing,
                |it| it.uuid.as_str(),
                |_, it, lines| {
                    lines.add(Field::Name, &select::pif_name(it));
                    lines.add(Field::Address, &it.ip);
                    lines.add(Field::Mac, &it.mac);
                    if it.vlan >= 0 {
                        lines.add(Field::Vlan, &alloc::format!("{}", it.vlan));
                        lines.add(Field::Vlan, &alloc::format!("vlan {}", it.vlan));
                    }
                },
            )
        },
        false,
    ),
    (
        "Bond",
        6,
        |it| {
            it.each::<Bond>(
                |_| true,
                nothing,
                |it| it.uuid.as_str(),
                |cache, it, lines| {
                    lines.add(Field::Name, cache.get(&it.master).map_or("bond", |pif| pif.device.as_str()));
                },
            )
        },
        false,
    ),
    (
        "VLAN",
        6,
        |it| {
            it.each::<VLAN>(
                |_| true,
                nothing,
                |it| it.uuid.as_str(),
                |_, it, lines| {
                    lines.add(Field::Name, &alloc::format!("VLAN {}", it.tag));
                    lines.add(Field::Vlan, &alloc::format!("{}", it.tag));
                },
            )
        },
        false,
    ),
    (
        "VDI",
        7,
        |it| {
            it.each::<VDI>(
                |_| true,
                nothing,
                |it| it.uuid.as_str(),
                |_, it, lines| {
                    lines.add(Field::Name, &it.name_label);
                    lines.add(Field::Description, &it.name_description);
                    it.tags.iter().for_each(|tag| lines.add(Field::Tag, tag));
                },
            )
        },
        false,
    ),
    (
        "VIF",
        8,
        |it| {
            it.each::<VIF>(
                |_| true,
                nothing,
                |it| it.uuid.as_str(),
                |_, it, lines| {
                    lines.add(Field::Name, "");
                    lines.add(Field::Mac, &it.mac);
                    it.ipv4_allowed.iter().chain(&it.ipv6_allowed).for_each(|address| lines.add(Field::Address, address));
                },
            )
        },
        false,
    ),
];

/// Fewer results than this make it worth while to look for names that are nearly right.
const FEW: usize = 5;

/// So many of the best are told.
const BEST: usize = 200;

impl Index {
    /// An index that knows nothing yet.
    pub fn new() -> Self {
        let shelf = |(class, weight, fill, forgives): Made| Shelf {
            class,
            weight,
            left: Vec::new().into_iter(),
            entries: BTreeMap::new(),
            fill,
            forgives,
        };
        Index { shelves: SHELVES.into_iter().map(shelf).collect(), seen: None, generation: 0 }
    }

    /// A number that grows whenever what can be found may be something else.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Follows the cache by a look at so many objects. Answers whether there are more to be looked at.
    pub fn update(&mut self, cache: &Cache, mut budget: usize) -> bool {
        self.note(cache);
        for shelf in self.shelves.iter_mut().filter(|shelf| shelf.left.len() > 0) {
            if budget == 0 {
                return true;
            }
            let these: Vec<RawRef> = shelf.left.by_ref().take(budget).collect();
            budget -= these.len();
            self.generation += 1;
            (shelf.fill)(&mut Filler { cache, walk: Walk::These(these, &mut shelf.entries) });
        }
        self.shelves.iter().any(|shelf| shelf.left.len() > 0)
    }

    /// Takes note of what has changed since the last time.
    fn note(&mut self, cache: &Cache) {
        let Some(seen) = &self.seen else {
            self.shelves.iter_mut().for_each(|shelf| shelf.look_at_all(cache));
            self.seen = Some(cache.snapshot());
            return;
        };
        if !OF_INDEX.iter().any(|class| seen.revision_of(class) != cache.revision_of(class)) {
            return;
        }
        let now = cache.snapshot();
        let mut changed: BTreeMap<&str, Vec<RawRef>> = BTreeMap::new();
        for change in seen.differences_to(&now) {
            changed.entry(change.class).or_default().push(change.reference);
        }
        self.seen = Some(now);
        let guests = changed.contains_key("VM_guest_metrics");
        for shelf in &mut self.shelves {
            let mut stale = changed.remove(shelf.class).unwrap_or_default();
            if guests && shelf.class == "VM" {
                (shelf.fill)(&mut Filler { cache, walk: Walk::Also(&mut stale, &shelf.entries) });
            }
            if !stale.is_empty() {
                stale.extend(core::mem::take(&mut shelf.left));
                shelf.left = stale.into_iter();
            }
        }
    }

    /// How many objects it knows.
    pub fn len(&self) -> usize {
        self.shelves.iter().map(|shelf| shelf.entries.len()).sum()
    }

    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it knows an object.
    pub(super) fn has(&self, object: &Object) -> bool {
        self.shelves.iter().any(|shelf| shelf.class == object.class && shelf.entries.contains_key(&object.reference))
    }

    /// What fits, the best first.
    pub(super) fn find(&self, words: &Words) -> Vec<(u32, Object, Option<Why>)> {
        let mut found = Vec::new();
        for shelf in &self.shelves {
            for (reference, entry) in &shelf.entries {
                let lines =
                    if words.are_short() { entry.lines.get(..entry.plain).unwrap_or_default() } else { &entry.lines };
                if words.are_in(lines) {
                    let (rank, line) = words.rank(lines.split('\n'));
                    found.push((key(rank, shelf, entry), shelf, reference, entry, Some(line)));
                }
            }
        }
        if found.len() < FEW {
            for shelf in self.shelves.iter().filter(|shelf| shelf.forgives) {
                for (reference, entry) in &shelf.entries {
                    let name = entry.lines.split('\n').next().unwrap_or_default();
                    if let Some(rank) = words.are_nearly(name).filter(|_| !words.are_in(&entry.lines)) {
                        found.push((key(rank, shelf, entry), shelf, reference, entry, None));
                    }
                }
            }
        }
        type Found<'a> = (u32, &'a Shelf, &'a RawRef, &'a Entry, Option<usize>);
        let order = |a: &Found<'_>, b: &Found<'_>| {
            a.0.cmp(&b.0).then_with(|| crate::format::natural_cmp(name(a.3), name(b.3)).then_with(|| a.2.cmp(b.2)))
        };
        // Of thousands that fit, only the best need be in order.
        if found.len() > BEST {
            found.select_nth_unstable_by(BEST, order);
            found.truncate(BEST);
        }
        found.sort_unstable_by(order);
        let told = found.into_iter().map(|(key, shelf, reference, entry, line)| {
            let why = line.and_then(|at| {
                let field = entry.fields.get(at)?.text();
                Some(Why { field, text: entry.lines.split('\n').nth(at)?.chars().take(80).collect() })
            });
            (key, Object { class: shelf.class, reference: reference.clone() }, why)
        });
        told.collect()
    }
}

fn name(entry: &Entry) -> &str {
    entry.lines.split('\n').next().unwrap_or_default()
}

/// The better, the lower: how well it fits, then the class, then the shorter name.
fn key(rank: u32, shelf: &Shelf, entry: &Entry) -> u32 {
    let length = u32::try_from(name(entry).len().min(255)).unwrap_or(255);
    rank << 16 | shelf.weight << 8 | length
}
