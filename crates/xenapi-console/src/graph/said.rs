//! Names, details and headings of a drawing in the reader's language.

use alloc::string::String;

use xenapi_topology::{ColumnKind, Counted, EdgeState, Language, Lens, Name, Node, NodeKind, Word};

use crate::format;
use crate::text::{self, Plural, Text};

/// The language in which the console speaks now.
#[derive(Clone, Copy, Default, Debug)]
pub struct Spoken;

impl Language for Spoken {
    fn name(&self, name: &Name) -> String {
        match name {
            Name::Own(name) => name.clone(),
            Name::Unnamed(kind, reference) => Text::NodeUnnamed.with(&[kind_name(*kind).get(), reference]),
            Name::Place(NodeKind::NotRunning) => Text::PlaceNotRunning.get().into(),
            Name::Place(NodeKind::Nowhere) => Text::PlaceNowhere.get().into(),
            Name::Place(_) => Text::PlaceShelf.get().into(),
            Name::Alike(name, count) => Text::NodeAlike.with(&[name, &format::count(*count)]),
            Name::Group { rest: true, count, .. } => Plural::GroupRest.of(*count),
            Name::Group { kind, count, .. } => several(*kind, *count),
        }
    }

    fn word(&self, word: &Word) -> String {
        match word {
            Word::Text(text) => text.clone(),
            Word::Count(what, number) => counted(*what).of(*number),
            Word::Size(size) => format::bytes(*size),
            Word::Free(free) => Text::WordFree.with(&[&format::bytes(*free)]),
            Word::FreeOf(free, size) => Text::WordFreeOf.with(&[&format::bytes(*free), &format::bytes(*size)]),
            Word::Vcpus(number) => Text::WordVcpus.with(&[&number_of(*number)]),
            Word::Speed(megabits) => xenapi_topology::text::speed(*megabits),
            Word::Mtu(mtu) => Text::WordMtu.with(&[&number_of(*mtu)]),
            Word::OnHosts(on, of) => Text::WordOnHosts.with(&[&format::count(*on), &format::count(*of)]),
            Word::OnNoHost => Text::WordOnNoHost.get().into(),
            Word::Range(first, last) => Text::WordRange.with(&[first, last]),
            Word::NotLive => Text::WordNotLive.get().into(),
            Word::Disabled => Text::WordDisabled.get().into(),
            Word::Unknown => Text::WordUnknown.get().into(),
            Word::Missing => Text::WordMissing.get().into(),
            Word::Unused => Text::WordUnused.get().into(),
            Word::Internal => Text::WordInternal.get().into(),
            Word::NoLink => Text::WordNoLink.get().into(),
            Word::Management => Text::WordManagement.get().into(),
            other => other.english(),
        }
    }
}

fn number_of(number: i64) -> String {
    format::count(usize::try_from(number).unwrap_or(0))
}

fn counted(what: Counted) -> Plural {
    match what {
        Counted::Hosts => Plural::GroupHosts,
        Counted::Vms => Plural::GroupVms,
        Counted::Disks => Plural::CountDisks,
        Counted::Vbds => Plural::GroupVbds,
        Counted::Vifs => Plural::GroupVifs,
        _ => Plural::GroupObjects,
    }
}

/// How many of a kind, in words.
pub fn several(kind: Option<NodeKind>, count: usize) -> String {
    let plural = match kind {
        Some(NodeKind::Pool) => Plural::GroupPools,
        Some(NodeKind::Host) => Plural::GroupHosts,
        Some(NodeKind::Vm) => Plural::GroupVms,
        Some(NodeKind::Template) => Plural::GroupTemplates,
        Some(NodeKind::Snapshot) => Plural::GroupSnapshots,
        Some(NodeKind::ControlDomain) => Plural::GroupControlDomains,
        Some(NodeKind::Vdi) => Plural::GroupVdis,
        Some(NodeKind::Iso) => Plural::GroupIsos,
        Some(NodeKind::Vbd) => Plural::GroupVbds,
        Some(NodeKind::Sr) => Plural::GroupSrs,
        Some(NodeKind::Pbd) => Plural::GroupPbds,
        Some(NodeKind::Vif) => Plural::GroupVifs,
        Some(NodeKind::Network) => Plural::GroupNetworks,
        Some(NodeKind::Pif) => Plural::GroupPifs,
        Some(NodeKind::Bond) => Plural::GroupBonds,
        Some(NodeKind::Vlan) => Plural::GroupVlans,
        Some(NodeKind::Tunnel) => Plural::GroupTunnels,
        Some(NodeKind::Sriov) => Plural::GroupSriovs,
        _ => Plural::GroupObjects,
    };
    plural.of(count)
}

/// The word for a kind of node.
pub fn kind_name(kind: NodeKind) -> Text {
    match kind {
        NodeKind::Pool => Text::NodePool,
        NodeKind::Host => Text::NodeHost,
        NodeKind::Vm => Text::NodeVm,
        NodeKind::Template => Text::NodeTemplate,
        NodeKind::Snapshot => Text::NodeSnapshot,
        NodeKind::ControlDomain => Text::NodeControlDomain,
        NodeKind::Vdi => Text::NodeVdi,
        NodeKind::Iso => Text::NodeIso,
        NodeKind::Vbd => Text::NodeVbd,
        NodeKind::Sr => Text::NodeSr,
        NodeKind::Pbd => Text::NodePbd,
        NodeKind::Vif => Text::NodeVif,
        NodeKind::Network => Text::NodeNetwork,
        NodeKind::Pif => Text::NodePif,
        NodeKind::Bond => Text::NodeBond,
        NodeKind::Vlan => Text::NodeVlan,
        NodeKind::Tunnel => Text::NodeTunnel,
        NodeKind::Sriov => Text::NodeSriov,
        _ => Text::NodePlace,
    }
}

/// The heading of a column.
pub fn heading(kind: ColumnKind) -> Text {
    match kind {
        ColumnKind::Pool => Text::ColumnPool,
        ColumnKind::Hosts => Text::ColumnHosts,
        ColumnKind::Vms => Text::ColumnVms,
        ColumnKind::Vdis => Text::ColumnVdis,
        ColumnKind::Srs => Text::ColumnSrs,
        ColumnKind::Networks => Text::ColumnNetworks,
        ColumnKind::Tunnels => Text::ColumnTunnels,
        ColumnKind::Vlans => Text::ColumnVlans,
        ColumnKind::Sriovs => Text::ColumnSriovs,
        ColumnKind::Bonds => Text::ColumnBonds,
        _ => Text::ColumnNics,
    }
}

/// The name of a lens.
pub fn lens(lens: Lens) -> Text {
    match lens {
        Lens::Compute => Text::LensCompute,
        Lens::Storage => Text::LensStorage,
        Lens::Network => Text::LensNetwork,
    }
}

/// The word for what a connection does.
pub fn edge(state: EdgeState) -> Text {
    match state {
        EdgeState::Active => Text::EdgeActive,
        EdgeState::Inactive => Text::EdgeInactive,
        EdgeState::Broken => Text::EdgeBroken,
        EdgeState::Unknown => Text::EdgeUnknown,
    }
}

/// A node's states: its own, or of a group how many of its members are in each.
pub fn states(node: &Node) -> String {
    if node.tally.len() < 2 {
        return text::state(node.state).get().into();
    }
    let mut all = String::new();
    for (state, count) in &node.tally {
        if !all.is_empty() {
            all.push_str(", ");
        }
        all.push_str(&format::count(*count));
        all.push(' ');
        all.push_str(text::state(*state).get());
    }
    all
}

/// What a node is, in one line: for those who hear it, and for those who point at it.
pub fn title(node: &Node) -> String {
    let states = states(node);
    let kind = if node.kind.is_place() { "" } else { kind_name(node.kind).get() };
    let mut words = String::new();
    for word in [kind, &node.label, &node.detail, &states] {
        if !word.is_empty() {
            if !words.is_empty() {
                words.push_str(" · ");
            }
            words.push_str(word);
        }
    }
    if node.is_group() { Text::Expandable.with(&[&words]) } else { words }
}
