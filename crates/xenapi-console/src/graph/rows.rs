//! The topology as a table: what a drawing says, for those who do not see it.

use alloc::string::String;
use alloc::vec::Vec;

use xenapi_topology::{NodeId, State};

use super::drawing::{Drawing, icon_of};
use super::said;
use crate::object::Icon;
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
    /// Its state in words; of a group, how many are in each.
    pub states: String,
    /// The uuid of its object, if it has one.
    pub uuid: String,
    /// The names of the nodes that it is connected with.
    pub connected: Vec<String>,
    /// How many there are beyond those named.
    pub more: usize,
}

/// How many neighbours are named.
const NAMED: usize = 8;

/// The drawing as a table: the same nodes in the same order.
pub fn topology_rows(drawing: &Drawing) -> Vec<TopologyRow> {
    let graph = &drawing.graph;
    let mut neighbours: Vec<Vec<usize>> = alloc::vec![Vec::new(); graph.nodes.len()];
    for edge in &graph.edges {
        neighbours[edge.from].push(edge.to);
        neighbours[edge.to].push(edge.from);
    }
    let rows = graph.nodes.iter().zip(&drawing.shapes).zip(&mut neighbours).map(|((node, shape), others)| {
        others.sort_unstable();
        others.dedup();
        let connected = others.iter().take(NAMED).map(|at| graph.nodes[*at].label.clone()).collect();
        TopologyRow {
            id: node.id.clone(),
            kind: if node.kind.is_place() { Text::Nothing.get() } else { said::kind_name(node.kind).get() },
            icon: icon_of(node),
            label: node.label.clone(),
            detail: node.detail.clone(),
            state: node.state,
            states: said::states(node),
            uuid: shape.uuid.clone(),
            connected,
            more: others.len().saturating_sub(NAMED),
        }
    });
    rows.collect()
}
