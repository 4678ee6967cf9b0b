//! The topology as a table, and where objects are in it.

use alloc::string::String;
use alloc::vec::Vec;

use xenapi_topology::{Graph, Node, NodeId, NodeKind, State};

use crate::format;
use crate::object::{Icon, Object};
use crate::text::Text;

/// A node of the drawing as a line of a table.
#[derive(Clone, PartialEq, Debug)]
pub struct TopologyRow {
    /// What tells it from the others.
    pub id: NodeId,
    /// What it is.
    pub kind: &'static str,
    /// The picture of its kind.
    pub icon: Icon,
    /// Its name.
    pub label: String,
    /// A few words more.
    pub detail: String,
    /// Its state.
    pub state: State,
    /// The object, unless it is a group.
    pub object: Option<Object>,
    /// The names of the nodes that it is connected with.
    pub connected: Vec<String>,
    /// How many there are beyond those named.
    pub more: usize,
}

/// How many neighbours are named.
const NAMED: usize = 8;

/// The drawing as a table: the same nodes in the same order.
pub fn topology_rows(graph: &Graph) -> Vec<TopologyRow> {
    let mut neighbours: Vec<Vec<usize>> = alloc::vec![Vec::new(); graph.nodes.len()];
    for edge in &graph.edges {
        neighbours[edge.from].push(edge.to);
        neighbours[edge.to].push(edge.from);
    }
    let rows = graph.nodes.iter().zip(&mut neighbours).map(|(node, others)| {
        others.sort_unstable();
        others.dedup();
        let connected = others.iter().take(NAMED).map(|at| graph.nodes[*at].label.clone()).collect();
        TopologyRow {
            id: node.id.clone(),
            kind: if node.kind.is_place() { Text::Nothing.get() } else { node.kind.name() },
            icon: icon_of(node),
            label: node.label.clone(),
            detail: node.detail.clone(),
            state: node.state,
            object: object_of(node),
            connected,
            more: others.len().saturating_sub(NAMED),
        }
    });
    rows.collect()
}

fn object_of(node: &Node) -> Option<Object> {
    node.object.as_ref().map(|(class, reference)| Object { class, reference: reference.clone() })
}

/// The picture for a node.
pub fn icon_of(node: &Node) -> Icon {
    match node.kind {
        NodeKind::Pool => Icon::Pool,
        NodeKind::Host => Icon::Host,
        NodeKind::Vm | NodeKind::Template | NodeKind::Snapshot | NodeKind::ControlDomain => Icon::Vm,
        NodeKind::Vdi => Icon::Vdi,
        NodeKind::Vbd | NodeKind::Pbd => Icon::Plug,
        NodeKind::Sr => Icon::Sr,
        NodeKind::Vif | NodeKind::Pif | NodeKind::Sriov => Icon::Nic,
        NodeKind::Network => Icon::Network,
        NodeKind::Bond => Icon::Bond,
        NodeKind::Vlan | NodeKind::Tunnel => Icon::Vlan,
        _ => Icon::Group,
    }
}

/// The place of the node that shows an object, alone or within a group.
pub fn node_of(graph: &Graph, object: &Object) -> Option<usize> {
    graph.find_object(object.class, &object.reference)
}

/// What a group holds, in a word or two: `12 VMs`.
pub fn group_members(node: &Node) -> String {
    alloc::format!("{} {}", format::count(node.folded), if node.folded == 1 { node.kind.name() } else { node.kind.plural() })
}
