//! The picture as data: columns, nodes, edges.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use xenapi_core::RawRef;

use crate::filter::Filter;
use crate::state::{EdgeState, State};
use crate::words::{Name, Word};

/// From which side a pool is looked at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Lens {
    /// Where VMs run: pool, host, VM.
    #[default]
    Compute,
    /// Where disks lie: VM, VDI, SR, host.
    Storage,
    /// How VMs reach the world: VM, network, PIF, host.
    Network,
}

impl Lens {
    /// All lenses.
    pub const ALL: [Lens; 3] = [Lens::Compute, Lens::Storage, Lens::Network];

    /// The word in commands and addresses.
    pub fn name(self) -> &'static str {
        match self {
            Lens::Compute => "compute",
            Lens::Storage => "storage",
            Lens::Network => "network",
        }
    }
}

impl fmt::Display for Lens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no lens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownLens(pub String);

impl fmt::Display for UnknownLens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no lens: use compute, storage or network", self.0)
    }
}

impl core::error::Error for UnknownLens {}

impl FromStr for Lens {
    type Err = UnknownLens;

    fn from_str(text: &str) -> Result<Self, UnknownLens> {
        Lens::ALL.into_iter().find(|lens| lens.name().eq_ignore_ascii_case(text)).ok_or_else(|| UnknownLens(text.into()))
    }
}

/// Names a node from one picture to the next: `VM/<reference>` for an object, `group/…` for a group. Opaque otherwise.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(Arc<str>);

impl NodeId {
    /// Takes the text of an id, as [`NodeId::as_str`] gave it.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        NodeId(text.into())
    }

    /// The id of an object's own node.
    pub fn object(class: &str, reference: &RawRef) -> Self {
        NodeId(alloc::format!("{class}/{reference}").into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a node is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum NodeKind {
    /// A pool.
    Pool,
    /// A host.
    Host,
    /// A VM.
    Vm,
    /// A template.
    Template,
    /// A snapshot of a VM.
    Snapshot,
    /// A control domain.
    ControlDomain,
    /// Stands where the host would, for VMs that are on none.
    NotRunning,
    /// Stands where the host would, for VMs that run somewhere unknown.
    Nowhere,
    /// Stands where the host would, for templates and snapshots.
    Shelf,
    /// A virtual disk.
    Vdi,
    /// A VDI of an ISO library.
    Iso,
    /// A VBD that is not in the data; known ones are edges.
    Vbd,
    /// A storage repository.
    Sr,
    /// A PBD that is not in the data; known ones are edges.
    Pbd,
    /// A VIF that is not in the data; known ones are edges.
    Vif,
    /// A network.
    Network,
    /// A physical NIC.
    Pif,
    /// The master PIF of a bond.
    Bond,
    /// A PIF that carries one VLAN.
    Vlan,
    /// The access PIF of a tunnel.
    Tunnel,
    /// The logical PIF of an SR-IOV network.
    Sriov,
}

impl NodeKind {
    /// The English name of one.
    pub fn name(self) -> &'static str {
        self.names().0
    }

    /// The English name of several.
    pub fn plural(self) -> &'static str {
        self.names().1
    }

    fn names(self) -> (&'static str, &'static str) {
        match self {
            NodeKind::Pool => ("pool", "pools"),
            NodeKind::Host => ("host", "hosts"),
            NodeKind::Vm => ("VM", "VMs"),
            NodeKind::Template => ("template", "templates"),
            NodeKind::Snapshot => ("snapshot", "snapshots"),
            NodeKind::ControlDomain => ("control domain", "control domains"),
            NodeKind::NotRunning | NodeKind::Nowhere | NodeKind::Shelf => ("place", "places"),
            NodeKind::Vdi => ("VDI", "VDIs"),
            NodeKind::Iso => ("ISO", "ISOs"),
            NodeKind::Vbd => ("VBD", "VBDs"),
            NodeKind::Sr => ("SR", "SRs"),
            NodeKind::Pbd => ("PBD", "PBDs"),
            NodeKind::Vif => ("VIF", "VIFs"),
            NodeKind::Network => ("network", "networks"),
            NodeKind::Pif => ("NIC", "NICs"),
            NodeKind::Bond => ("bond", "bonds"),
            NodeKind::Vlan => ("VLAN", "VLANs"),
            NodeKind::Tunnel => ("tunnel", "tunnels"),
            NodeKind::Sriov => ("SR-IOV", "SR-IOVs"),
        }
    }

    /// Whether the node stands in for a connector that is not in the data, and so for whatever is behind it.
    pub fn is_connector(self) -> bool {
        matches!(self, NodeKind::Vbd | NodeKind::Pbd | NodeKind::Vif)
    }

    /// Whether the node stands for a place and not for an object.
    pub fn is_place(self) -> bool {
        matches!(self, NodeKind::NotRunning | NodeKind::Nowhere | NodeKind::Shelf)
    }
}

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum ColumnKind {
    /// The pool.
    Pool,
    /// Hosts.
    Hosts,
    /// VMs.
    Vms,
    /// VDIs.
    Vdis,
    /// SRs.
    Srs,
    /// Networks.
    Networks,
    /// Access PIFs of tunnels.
    Tunnels,
    /// VLAN PIFs.
    Vlans,
    /// SR-IOV logical PIFs.
    Sriovs,
    /// Bond masters.
    Bonds,
    /// Physical NICs.
    Nics,
}

impl ColumnKind {
    /// The English heading.
    pub fn heading(self) -> &'static str {
        match self {
            ColumnKind::Pool => "Pool",
            ColumnKind::Hosts => "Hosts",
            ColumnKind::Vms => "VMs",
            ColumnKind::Vdis => "Disks",
            ColumnKind::Srs => "Storage",
            ColumnKind::Networks => "Networks",
            ColumnKind::Tunnels => "Tunnels",
            ColumnKind::Vlans => "VLANs",
            ColumnKind::Sriovs => "SR-IOV",
            ColumnKind::Bonds => "Bonds",
            ColumnKind::Nics => "NICs",
        }
    }

    /// What the column counts, in English: one and several.
    pub fn unit(self) -> (&'static str, &'static str) {
        match self {
            ColumnKind::Pool => ("pool", "pools"),
            ColumnKind::Hosts => ("host", "hosts"),
            ColumnKind::Vms => ("VM", "VMs"),
            ColumnKind::Vdis => ("VDI", "VDIs"),
            ColumnKind::Srs => ("SR", "SRs"),
            ColumnKind::Networks => ("network", "networks"),
            ColumnKind::Tunnels => ("tunnel", "tunnels"),
            ColumnKind::Vlans => ("VLAN", "VLANs"),
            ColumnKind::Sriovs => ("SR-IOV", "SR-IOV"),
            ColumnKind::Bonds => ("bond", "bonds"),
            ColumnKind::Nics => ("NIC", "NICs"),
        }
    }

    /// Whether nodes of the column have two lines of text.
    pub fn is_tall(self) -> bool {
        matches!(self, ColumnKind::Pool | ColumnKind::Hosts | ColumnKind::Srs | ColumnKind::Networks)
    }
}

/// A rank of the picture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    /// What it holds.
    pub kind: ColumnKind,
    /// Whether the class it shows is not in the data, so that what stands here is only what others refer to.
    pub unknown: bool,
    /// How many objects of its own kind it stands for, folded ones included; connectors and places do not count.
    pub count: usize,
}

/// How many objects are in a state.
pub type Tally = Vec<(State, usize)>;

/// A drawn object, or a group of them.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    /// Its name from one picture to the next.
    pub id: NodeId,
    /// What it is; of a group, what its members are.
    pub kind: NodeKind,
    /// Its column's place in [`Graph::columns`].
    pub column: usize,
    /// Its name, in English unless [`Graph::say_in`] said otherwise.
    pub label: String,
    /// A few words more, with numbers and units; in English, too.
    pub detail: String,
    /// What [`Node::label`] says, as data.
    pub name: Name,
    /// What [`Node::detail`] says, as data.
    pub words: Vec<Word>,
    /// Its state; of a group, the worst trouble, or else what most of its members are in.
    pub state: State,
    /// Its class and reference, unless it is a group or a place.
    pub object: Option<(&'static str, RawRef)>,
    /// How many objects the group stands for; 0 for no group.
    pub folded: usize,
    /// The group's members by class and reference, in the order of references.
    pub members: Vec<(&'static str, RawRef)>,
    /// The group's members by state, the most urgent first.
    pub tally: Tally,
    /// The group that this node came out of, when its group is expanded. Folding it back is taking it out of
    /// [`Options::expanded`].
    pub group: Option<NodeId>,
}

impl Node {
    /// Whether this is a group.
    pub fn is_group(&self) -> bool {
        self.folded > 0
    }
}

/// A connection between two nodes, from the left to the right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edge {
    /// Where it starts, in [`Graph::nodes`].
    pub from: usize,
    /// Where it ends, in [`Graph::nodes`].
    pub to: usize,
    /// What it does; the most telling of those that it stands for.
    pub state: EdgeState,
    /// How many connectors it stands for.
    pub weight: usize,
    /// How many of them are active.
    pub active: usize,
    /// Whether it matters little: inserted CDs, for instance.
    pub quiet: bool,
}

/// A lens' picture of a cache.
#[derive(Clone, PartialEq, Debug)]
pub struct Graph {
    /// The lens.
    pub lens: Lens,
    /// The pool's name, for titles. Empty when it is not known.
    pub pool: String,
    /// The ranks from left to right.
    pub columns: Vec<Column>,
    /// The nodes: by column, there objects before groups before places, then by name, then by detail, then by id.
    pub nodes: Vec<Node>,
    /// The edges, by their ends.
    pub edges: Vec<Edge>,
    /// How many objects the picture stands for, folded ones included.
    pub total: usize,
    /// Whether more would have been drawn if [`Options::cap`] had let it.
    pub capped: bool,
}

impl Graph {
    /// The place of a node in [`Graph::nodes`].
    pub fn find(&self, id: &NodeId) -> Option<usize> {
        self.nodes.iter().position(|node| node.id == *id)
    }

    /// The place of the node that shows an object, alone or within a group.
    pub fn find_object(&self, class: &str, reference: &RawRef) -> Option<usize> {
        let is = |object: &(&'static str, RawRef)| object.0 == class && object.1 == *reference;
        self.nodes.iter().position(|node| node.object.as_ref().is_some_and(is) || node.members.iter().any(is))
    }
}

/// What to draw.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Siblings above this number become one group.
    pub fold_above: usize,
    /// At most so many nodes are drawn. [`usize::MAX`] draws all.
    pub cap: usize,
    /// Groups whose members are drawn.
    pub expanded: BTreeSet<NodeId>,
    /// Draw templates and snapshots too.
    pub show_templates: bool,
    /// Draw control domains too.
    pub show_control_domains: bool,
    /// Draw only what lies on a path through this object: its class and reference.
    pub focus: Option<(&'static str, RawRef)>,
    /// Draw only what this lets through.
    pub filter: Filter,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            fold_above: 10,
            cap: 400,
            expanded: BTreeSet::new(),
            show_templates: false,
            show_control_domains: false,
            focus: None,
            filter: Filter::default(),
        }
    }
}

impl Options {
    /// Everything by itself: nothing folded, no cap.
    pub fn everything() -> Self {
        Options { fold_above: usize::MAX, cap: usize::MAX, ..Options::default() }
    }
}
