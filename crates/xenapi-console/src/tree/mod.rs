//! The tree of objects beside the page, as the lines of it that are visible.
//!
//! It is made anew whenever one of its classes changes, which in a large pool happens many times a second: so nothing is sorted and no text is
//! copied for what is folded away.

mod groups;
#[cfg(test)]
mod tests;

use alloc::borrow::Cow;
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::{Class, RawRef, Ref, Uuid};
use xenapi_topology::State;

use crate::format;
use crate::object::{Icon, Object};
use crate::text::Text;
use crate::window::WHOLE;

/// The classes that [`tree`] reads.
pub const OF_TREE: &[&str] = &["pool", "host", "host_metrics", "VM", "SR", "PBD", "network", "PIF"];

/// What the tree is grouped by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Grouping {
    /// Where things are: the pool, its hosts, their VMs; storage; networks.
    #[default]
    Places,
    /// Tags.
    Tags,
    /// Folders, which clients keep in `other_config:folder`.
    Folders,
    /// The states of VMs.
    States,
}

impl Grouping {
    /// All, in the order in which they are offered.
    pub const ALL: [Grouping; 4] = [Grouping::Places, Grouping::Tags, Grouping::Folders, Grouping::States];

    /// Its word, for pages.
    pub const fn name(self) -> &'static str {
        match self {
            Grouping::Places => "places",
            Grouping::Tags => "tags",
            Grouping::Folders => "folders",
            Grouping::States => "states",
        }
    }

    /// Reads its word; one that nobody knows is as the first.
    pub fn from_name(name: &str) -> Grouping {
        Grouping::ALL.into_iter().find(|by| by.name() == name).unwrap_or_default()
    }

    /// What it is called.
    pub const fn label(self) -> Text {
        match self {
            Grouping::Places => Text::ByPlace,
            Grouping::Tags => Text::ByTag,
            Grouping::Folders => Text::ByFolder,
            Grouping::States => Text::ByState,
        }
    }
}

/// Which entries somebody has opened or closed, against what they are by themselves.
pub type Toggled = BTreeSet<String>;

/// How the tree is looked at.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Look {
    /// What it is grouped by.
    pub by: Grouping,
    /// Words that all must be in the names of what is shown; what holds something that is shown is shown too.
    pub filter: String,
    /// Opened and closed entries.
    pub toggled: Toggled,
}

/// One visible line of the tree.
#[derive(Clone, PartialEq, Debug)]
pub struct TreeRow {
    /// What tells it from the others, the same after every change.
    pub key: String,
    /// The key of the entry above it; empty at the top.
    pub parent: String,
    /// How deep it is, from one.
    pub level: usize,
    /// Which of its siblings it is, from one.
    pub place: usize,
    /// How many siblings there are, itself included.
    pub siblings: usize,
    /// Whether it is open; none if nothing is below it.
    pub open: Option<bool>,
    /// The picture of its kind.
    pub icon: Icon,
    /// Its name.
    pub label: String,
    /// Its state, where its kind has one.
    pub state: Option<State>,
    /// The object, unless it is a heading.
    pub object: Option<Object>,
    /// Its uuid, where known.
    pub uuid: String,
    /// A number or word behind the name: how many there are, or that nobody knows.
    pub note: String,
}

/// An entry and what is below it. Objects lend their texts.
struct Node<'a> {
    key: Cow<'a, str>,
    icon: Icon,
    label: Cow<'a, str>,
    state: Option<State>,
    object: Option<(&'static str, RawRef)>,
    uuid: &'a str,
    note: Note,
    open: bool,
    children: Vec<Node<'a>>,
}

/// What stands behind a name, not yet written.
enum Note {
    Nothing,
    /// How many are below.
    Count,
    Unknown,
    /// A part of a whole.
    Share(i64, i64),
}

impl<'a> Node<'a> {
    fn object<C: Class>(
        icon: Icon,
        reference: &Ref<C>,
        uuid: &'a Uuid,
        label: impl Into<Cow<'a, str>>,
        state: State,
    ) -> Self {
        Node {
            key: Cow::Borrowed(""),
            icon,
            label: label.into(),
            state: Some(state),
            object: Some((C::RECORD.name, reference.raw().clone())),
            uuid: uuid.as_str(),
            note: Note::Nothing,
            open: true,
            children: Vec::new(),
        }
    }

    fn heading(key: impl Into<Cow<'a, str>>, icon: Icon, label: impl Into<Cow<'a, str>>, children: Vec<Node<'a>>) -> Self {
        Node {
            key: key.into(),
            icon,
            label: label.into(),
            state: None,
            object: None,
            uuid: "",
            note: Note::Count,
            open: children.len() <= WHOLE,
            children,
        }
    }

    /// An object may stand in several groups, so what is above it tells it from itself.
    fn key(&self, parent: &str, several: bool) -> String {
        match &self.object {
            Some((_, reference)) if several => [parent, "/", reference.as_str()].concat(),
            Some((_, reference)) => reference.as_str().to_string(),
            None => self.key.to_string(),
        }
    }

    fn note(&self) -> String {
        match self.note {
            Note::Nothing => String::new(),
            Note::Count => format::count(self.children.len()),
            Note::Unknown => Text::Unknown.get().into(),
            Note::Share(part, whole) => format::percent(part, whole).unwrap_or_default(),
        }
    }
}

/// The visible lines.
pub fn tree(cache: &Cache, look: &Look) -> Vec<TreeRow> {
    let mut top = groups::groups(cache, look.by);
    let words: Vec<String> = look.filter.split_whitespace().map(str::to_lowercase).collect();
    if !words.is_empty() {
        top.retain_mut(|node| keep(node, &words));
    }
    let mut lines = Lines { look, filtered: !words.is_empty(), rows: Vec::new() };
    lines.push(top, 1, "");
    lines.rows
}

/// Drops what is not looked for. What is below an entry that is stays.
fn keep(node: &mut Node<'_>, words: &[String]) -> bool {
    let label = node.label.to_lowercase();
    if node.object.is_some() && words.iter().all(|word| label.contains(word.as_str())) {
        return true;
    }
    node.children.retain_mut(|child| keep(child, words));
    !node.children.is_empty()
}

struct Lines<'a> {
    look: &'a Look,
    /// Whether only what was looked for is left: then all of it is shown.
    filtered: bool,
    rows: Vec<TreeRow>,
}

impl Lines<'_> {
    fn push(&mut self, nodes: Vec<Node<'_>>, level: usize, parent: &str) {
        let siblings = nodes.len();
        for (at, mut node) in nodes.into_iter().enumerate() {
            let key = node.key(parent, matches!(self.look.by, Grouping::Tags));
            let open_by_itself = self.filtered || node.open;
            let open = !node.children.is_empty() && open_by_itself != self.look.toggled.contains(&key);
            let note = node.note();
            let mut children = core::mem::take(&mut node.children);
            self.rows.push(TreeRow {
                parent: parent.to_string(),
                level,
                place: at + 1,
                siblings,
                open: (!children.is_empty()).then_some(open),
                icon: node.icon,
                label: node.label.into_owned(),
                state: node.state,
                object: node.object.map(|(class, reference)| Object { class, reference }),
                uuid: node.uuid.to_string(),
                note,
                key: key.clone(),
            });
            if open {
                groups::sort(&mut children);
                self.push(children, level + 1, &key);
            }
        }
    }
}

/// The closed entries that hide the one of an object, to be opened when it is to be shown.
pub fn reveal(cache: &Cache, object: &Object, look: &Look) -> Vec<String> {
    fn path(nodes: &[Node<'_>], object: &Object, parent: &str, look: &Look, above: &mut Vec<(String, bool)>) -> bool {
        nodes.iter().any(|node| {
            if node.object.as_ref().is_some_and(|(class, it)| *class == object.class && *it == object.reference) {
                return true;
            }
            if node.children.is_empty() {
                return false;
            }
            let key = node.key(parent, matches!(look.by, Grouping::Tags));
            let open = node.open != look.toggled.contains(&key);
            above.push((key.clone(), open));
            let found = path(&node.children, object, &key, look, above);
            if !found {
                above.pop();
            }
            found
        })
    }
    let mut above = Vec::new();
    path(&groups::groups(cache, look.by), object, "", look, &mut above);
    above.into_iter().filter(|(_, open)| !open).map(|(key, _)| key).collect()
}
