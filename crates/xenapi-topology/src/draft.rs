//! Everything that a lens sees, before anything is folded.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use xenapi_client::Cache;
use xenapi_core::{Class, RawRef};

use crate::graph::{ColumnKind, NodeKind};
use crate::state::{EdgeState, State};
use crate::text;

/// How readily an object goes into a group with its siblings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fold {
    /// Only when the cap leaves no choice.
    Never,
    /// Above so many times the usual number of siblings.
    Above(usize),
    /// Whenever there are two of them.
    Always,
}

/// An object, or a place that stands for none.
pub(crate) struct Item<'a> {
    pub(crate) kind: NodeKind,
    pub(crate) column: usize,
    pub(crate) label: Cow<'a, str>,
    /// Whether the label is made up, as the object has none.
    pub(crate) is_unnamed: bool,
    pub(crate) state: State,
    pub(crate) class: &'static str,
    pub(crate) reference: RawRef,
    pub(crate) fold: Fold,
    /// Siblings have the same tag …
    pub(crate) tag: u64,
    /// … and the same of these, as they are drawn. They stand in columns that fold earlier.
    pub(crate) with: Vec<usize>,
}

/// A connector.
#[derive(Clone, Copy)]
pub(crate) struct Link {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) state: EdgeState,
    pub(crate) quiet: bool,
}

/// How many connectors an item has, those that matter little left out.
#[derive(Clone, Copy, Default)]
pub(crate) struct Degrees {
    /// To the column on the left.
    pub(crate) left: usize,
    /// To objects in the columns on the right.
    pub(crate) right: usize,
    /// How many of those on the right are active.
    pub(crate) active: usize,
}

/// A rank in the making.
pub(crate) struct DraftColumn {
    pub(crate) kind: ColumnKind,
    pub(crate) unknown: bool,
    /// Whether it is drawn when nothing stands in it.
    pub(crate) needed: bool,
    /// How many nodes it may have before its siblings fold at less than the usual number.
    pub(crate) comfortable: usize,
}

/// What a lens makes of a cache.
pub(crate) struct Draft<'a> {
    pub(crate) cache: &'a Cache,
    pub(crate) columns: Vec<DraftColumn>,
    /// The columns in the order in which they fold.
    pub(crate) folding: Vec<usize>,
    pub(crate) items: Vec<Item<'a>>,
    pub(crate) links: Vec<Link>,
    /// Places by class and reference. Only looked up, never gone through, so its order does not matter. There are so few classes that
    /// going through them is faster than hashing their names.
    index: Vec<(&'static str, HashMap<RawRef, usize>)>,
    /// Removable drives and the like, whose connectors are drawn quietly.
    pub(crate) quiet: Vec<usize>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(cache: &'a Cache) -> Self {
        Draft {
            cache,
            columns: Vec::new(),
            folding: Vec::new(),
            items: Vec::new(),
            links: Vec::new(),
            index: Vec::new(),
            quiet: Vec::new(),
        }
    }

    /// Adds a rank that is always there. Answers its place.
    pub(crate) fn column<C: Class>(&mut self, kind: ColumnKind) -> usize {
        let unknown = !self.cache.is_known::<C>();
        self.columns.push(DraftColumn { kind, unknown, needed: true, comfortable: usize::MAX });
        self.columns.len() - 1
    }

    /// Adds an object of a class. Answers its place, which is the old one if it is there already.
    pub(crate) fn add<C: Class>(
        &mut self,
        reference: &RawRef,
        kind: NodeKind,
        column: usize,
        label: Cow<'a, str>,
        state: State,
    ) -> usize {
        let class = C::RECORD.name;
        let at = self.items.len();
        let room = self.cache.count::<C>();
        match self.of_class(class, room).entry(reference.clone()) {
            Entry::Occupied(known) => return *known.get(),
            Entry::Vacant(place) => place.insert(at),
        };
        let is_unnamed = label.is_empty();
        let label =
            if is_unnamed { Cow::Owned(format!("{} {}", kind.name(), text::short(reference.as_str()))) } else { label };
        let (tag, with) = (0, Vec::new());
        self.items.push(Item {
            kind,
            column,
            label,
            is_unnamed,
            state,
            class,
            reference: reference.clone(),
            fold: Fold::Above(1),
            tag,
            with,
        });
        at
    }

    /// Adds a place that stands for no object, named by its label.
    pub(crate) fn place(&mut self, kind: NodeKind, column: usize, label: &'static str, state: State) -> usize {
        let reference = RawRef::new(label);
        let (tag, with) = (0, Vec::new());
        self.items.push(Item {
            kind,
            column,
            label: label.into(),
            is_unnamed: false,
            state,
            class: "",
            reference,
            fold: Fold::Never,
            tag,
            with,
        });
        self.items.len() - 1
    }

    /// The place of an object.
    pub(crate) fn find<C: Class>(&self, reference: &RawRef) -> Option<usize> {
        self.at(C::RECORD.name, reference)
    }

    fn at(&self, class: &str, reference: &RawRef) -> Option<usize> {
        self.index.iter().find(|(name, _)| *name == class)?.1.get(reference).copied()
    }

    /// The places of a class, with room for so many.
    fn of_class(&mut self, class: &'static str, room: usize) -> &mut HashMap<RawRef, usize> {
        let at = self.index.iter().position(|(name, _)| *name == class).unwrap_or_else(|| {
            self.index.push((class, HashMap::with_capacity(room)));
            self.index.len() - 1
        });
        &mut self.index[at].1
    }

    /// The place of an object that something refers to. What is not in the data becomes an unknown node.
    pub(crate) fn referred<C: Class>(&mut self, reference: &RawRef, kind: NodeKind, column: usize) -> usize {
        match self.find::<C>(reference) {
            Some(at) => at,
            None => self.add::<C>(reference, kind, column, Cow::Borrowed(""), State::Unknown),
        }
    }

    pub(crate) fn link(&mut self, from: usize, to: usize, state: EdgeState) {
        let unknown = |at: usize| self.items[at].state == State::Unknown && !self.items[at].kind.is_place();
        let state = if unknown(from) || unknown(to) { EdgeState::Unknown } else { state };
        self.links.push(Link { from, to, state, quiet: false });
    }

    /// Keeps only what lies on a path through one object. Nothing happens when the object is not there.
    pub(crate) fn focus(&mut self, class: &str, reference: &RawRef) {
        if let Some(start) = self.at(class, reference) {
            self.keep(&self.through(&[start]));
        }
    }

    /// For each item, whether it lies on a path through one of these.
    pub(crate) fn through(&self, starts: &[usize]) -> Vec<bool> {
        let ends: Vec<(usize, usize)> = self.links.iter().map(|link| (link.from, link.to)).collect();
        crate::path::through(self.items.len(), &ends, starts)
    }

    /// Drops all other items.
    pub(crate) fn keep(&mut self, kept: &[bool]) {
        let mut moved = Vec::with_capacity(kept.len());
        let mut left = 0;
        for keep in kept {
            moved.push(left);
            left += usize::from(*keep);
        }
        let mut at = 0;
        self.items.retain(|_| {
            at += 1;
            kept[at - 1]
        });
        for item in &mut self.items {
            item.with.retain(|parent| kept[*parent]);
            item.with.iter_mut().for_each(|parent| *parent = moved[*parent]);
        }
        self.links.retain(|link| kept[link.from] && kept[link.to]);
        self.links.iter_mut().for_each(|link| (link.from, link.to) = (moved[link.from], moved[link.to]));
        self.quiet.retain(|item| kept[*item]);
        self.quiet.iter_mut().for_each(|item| *item = moved[*item]);
        self.index.clear();
        for at in 0..self.items.len() {
            let (class, reference) = (self.items[at].class, self.items[at].reference.clone());
            if !class.is_empty() {
                self.of_class(class, 0).insert(reference, at);
            }
        }
    }

    /// How many connectors each item has.
    pub(crate) fn degrees(&self) -> Vec<Degrees> {
        let mut degrees = alloc::vec![Degrees::default(); self.items.len()];
        for link in self.links.iter().filter(|link| !link.quiet) {
            degrees[link.to].left += 1;
            if !self.items[link.to].kind.is_place() {
                degrees[link.from].right += 1;
                degrees[link.from].active += usize::from(link.state == EdgeState::Active);
            }
        }
        degrees
    }
}

/// The pool's name: its own, or its master's, as an unnamed pool is one host by itself.
pub(crate) fn pool_name(cache: &Cache) -> String {
    let Some((_, pool)) = cache.iter::<xenapi_model::Pool>().next() else { return String::new() };
    if !pool.name_label.is_empty() {
        return pool.name_label.clone();
    }
    cache.get(&pool.master).map(|host| host.name_label.clone()).unwrap_or_default()
}

/// FNV-1a, to name what has no name of its own. The same on every machine.
pub(crate) struct Hash(u64);

impl Hash {
    pub(crate) fn new() -> Self {
        Hash(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        self
    }

    pub(crate) fn number(self, number: u64) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    pub(crate) fn finish(self) -> u64 {
        self.0
    }
}
