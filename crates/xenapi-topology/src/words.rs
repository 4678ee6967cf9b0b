//! What a node is called and what is said of it, as data, so that it can be said in any language; and the English of it.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::graph::{Graph, NodeKind};
use crate::text::{bytes, count, join, speed};

/// What a node is called.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Name {
    /// Its own name.
    Own(String),
    /// An object without a name, or one that is not in the data: what it is, and the part of its reference that people can tell apart.
    Unnamed(NodeKind, String),
    /// A place that stands for no object.
    Place(NodeKind),
    /// A group of objects that all have this name, and how many they are.
    Alike(String, usize),
    /// A group.
    Group {
        /// What its members are, if they are all of one kind.
        kind: Option<NodeKind>,
        /// How many they are.
        count: usize,
        /// Whether it stands for those that the cap left no room for.
        rest: bool,
    },
}

/// What a number counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Counted {
    /// Hosts.
    Hosts,
    /// VMs.
    Vms,
    /// Disks of a VM.
    Disks,
    /// VBDs of a VM, where it is not known whether they are disks.
    Vbds,
    /// VIFs.
    Vifs,
}

impl Counted {
    /// The English word for one and for several.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Counted::Hosts => ("host", "hosts"),
            Counted::Vms => ("VM", "VMs"),
            Counted::Disks => ("disk", "disks"),
            Counted::Vbds => ("VBD", "VBDs"),
            Counted::Vifs => ("VIF", "VIFs"),
        }
    }
}

/// A piece of what is said of a node beside its name.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Word {
    /// Something that stands in the pool's data: a name, a type, a bridge, an address.
    Text(String),
    /// A number of things.
    Count(Counted, usize),
    /// A size in bytes.
    Size(i64),
    /// Free bytes.
    Free(i64),
    /// Free bytes, of a size in bytes.
    FreeOf(i64, i64),
    /// A number of virtual CPUs.
    Vcpus(i64),
    /// A speed in Mb/s.
    Speed(i64),
    /// An MTU in bytes that is not the usual one.
    Mtu(i64),
    /// On so many of so many hosts.
    OnHosts(usize, usize),
    /// On no host, though it should be.
    OnNoHost,
    /// From the first to the last name.
    Range(String, String),
    /// A host that does not live.
    NotLive,
    /// A host that is disabled.
    Disabled,
    /// Not in the data.
    Unknown,
    /// A disk that is gone.
    Missing,
    /// A disk that no VM has.
    Unused,
    /// A network without PIFs.
    Internal,
    /// A NIC without a link.
    NoLink,
    /// A PIF by which the host is managed.
    Management,
}

impl Word {
    /// The words in English.
    pub fn english(&self) -> String {
        match self {
            Word::Text(text) => text.clone(),
            Word::Count(what, number) => count(*number, what.names().0, what.names().1),
            Word::Size(size) => bytes(*size),
            Word::Free(free) => bytes(*free) + " free",
            Word::FreeOf(free, size) => bytes(*free) + " free of " + &bytes(*size),
            Word::Vcpus(number) => format!("{number} vCPU"),
            Word::Speed(megabits) => speed(*megabits),
            Word::Mtu(mtu) => format!("MTU {mtu}"),
            Word::OnHosts(on, of) => format!("on {on} of {of} hosts"),
            Word::OnNoHost => "on no host".to_string(),
            Word::Range(first, last) => format!("{first} … {last}"),
            Word::NotLive => "not live".to_string(),
            Word::Disabled => "disabled".to_string(),
            Word::Unknown => "unknown".to_string(),
            Word::Missing => "missing".to_string(),
            Word::Unused => "unused".to_string(),
            Word::Internal => "internal".to_string(),
            Word::NoLink => "no link".to_string(),
            Word::Management => "mgmt".to_string(),
        }
    }
}

impl Name {
    /// The name in English.
    pub fn english(&self) -> String {
        match self {
            Name::Own(name) => name.clone(),
            Name::Unnamed(kind, reference) => format!("{} {reference}", kind.name()),
            Name::Place(NodeKind::NotRunning) => "Not running".to_string(),
            Name::Place(NodeKind::Nowhere) => "Host unknown".to_string(),
            Name::Place(_) => "Templates and snapshots".to_string(),
            Name::Alike(name, count) => format!("{name} × {count}"),
            Name::Group { kind, count, rest } => {
                let things = match (kind, count) {
                    (Some(kind), 1) => kind.name(),
                    (Some(kind), _) => kind.plural(),
                    (None, _) => "objects",
                };
                if *rest { format!("{count} more {things}") } else { format!("{count} {things}") }
            }
        }
    }
}

/// How names and words are said in a language.
pub trait Language {
    /// A node's name.
    fn name(&self, name: &Name) -> String;

    /// A piece of what is said of a node.
    fn word(&self, word: &Word) -> String;
}

/// English, as every graph comes.
#[derive(Clone, Copy, Default, Debug)]
pub struct English;

impl Language for English {
    fn name(&self, name: &Name) -> String {
        name.english()
    }

    fn word(&self, word: &Word) -> String {
        word.english()
    }
}

/// The words of a node on one line.
pub(crate) fn line(words: &[Word], language: &dyn Language) -> String {
    let parts: Vec<String> = words.iter().map(|word| language.word(word)).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    join(&parts)
}

impl Graph {
    /// Says the names and details of all nodes in another language. The order of the nodes stays, and so do their places.
    pub fn say_in(&mut self, language: &dyn Language) {
        for node in &mut self.nodes {
            if !matches!(node.name, Name::Own(_)) {
                node.label = language.name(&node.name);
            }
            if node.words.iter().any(|word| !matches!(word, Word::Text(_))) {
                node.detail = line(&node.words, language);
            }
        }
    }
}
