//! A drawing, made anew as little as possible.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_topology::{
    Edge, EdgeState, Filter, Graph, Labels, Layout, Lens, Metrics, Node, NodeId, Options, Rect, State, shown_tally,
};

use super::said::{self, Spoken};
use super::scene::is_large;
use crate::object::{Icon, Object};
use crate::select;
use crate::state::LensState;

/// The classes that drawings are made of.
pub const OF_TOPOLOGY: &[&str] = &[
    "pool",
    "host",
    "host_metrics",
    "VM",
    "VM_guest_metrics",
    "VBD",
    "VDI",
    "SR",
    "PBD",
    "VIF",
    "network",
    "PIF",
    "PIF_metrics",
    "Bond",
    "VLAN",
];

/// A node as it is drawn. Equal ones look alike and stand at the same place.
#[derive(Clone, PartialEq, Debug)]
pub struct Shape {
    /// What tells it from the others.
    pub id: NodeId,
    /// Its place.
    pub rect: Rect,
    /// Its texts, as far as they have room.
    pub labels: Labels,
    /// Its state.
    pub state: State,
    /// Of a group, the states that are shown with their numbers.
    pub tally: Vec<(State, usize)>,
    /// The uuid of its object, if it has one.
    pub uuid: String,
    /// What it is, in English as in the code: for styles and tests.
    pub kind: &'static str,
    /// How many objects a group stands for; 0 for no group.
    pub folded: usize,
    /// Whether it stands for a place and not for an object.
    pub is_place: bool,
    /// Whether it has two lines.
    pub is_tall: bool,
    /// What it is, in one line. Empty in a drawing that is [painted](super::scene::is_painted), of whose nodes only one is named at a time:
    /// by [`Drawing::title`].
    pub title: String,
    /// In which drawing its state last changed; 0 for never.
    pub changed: u32,
}

/// A line as it is drawn.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// Its ends, by their ids: what tells it from the others.
    pub ends: (NodeId, NodeId),
    /// SVG path data. Empty in a drawing that is painted.
    pub way: String,
    /// What it does.
    pub state: EdgeState,
    /// How many connectors it stands for.
    pub weight: usize,
    /// Whether it matters little.
    pub is_quiet: bool,
}

impl Line {
    fn is_like(&self, edge: &Edge) -> bool {
        (self.state, self.weight, self.is_quiet) == (edge.state, edge.weight, edge.quiet)
    }
}

/// What a drawing is made of besides the pool.
#[derive(Clone, PartialEq, Debug)]
pub struct Wanted {
    /// The lens.
    pub lens: Lens,
    /// What is unfolded.
    pub shown: LensState,
    /// What is left out.
    pub filter: Filter,
    /// The language, by its code.
    pub language: String,
}

impl Wanted {
    /// The options of the graph.
    pub fn options(&self) -> Options {
        let filter = self.filter.clone();
        if self.shown.draw_all {
            return Options { filter, ..Options::everything() };
        }
        Options { expanded: self.shown.expanded.clone(), filter, ..Options::default() }
    }
}

/// A drawing, ready to be drawn. What did not change since the last one is shared with it.
#[derive(Debug)]
pub struct Drawing {
    /// What it is made of.
    pub wanted: Wanted,
    /// The graph, in the reader's language.
    pub graph: Graph,
    /// Where everything stands.
    pub layout: Layout,
    /// The nodes, in the graph's order.
    pub shapes: Vec<Rc<Shape>>,
    /// The lines, in the graph's order.
    pub lines: Rc<Vec<Rc<Line>>>,
    /// Counts drawings.
    pub generation: u32,
    /// Counts layouts: the same as long as everything stands where it stood.
    pub placement: u32,
}

/// Makes a drawing, after another one if there was one.
pub fn draw(cache: &Cache, wanted: &Wanted, before: Option<&Drawing>) -> Drawing {
    let mut graph = xenapi_topology::graph(cache, wanted.lens, &wanted.options());
    graph.say_in(&Spoken);
    let metrics = Metrics::default();
    let before = before.filter(|before| before.wanted.lens == wanted.lens);
    let again = before.and_then(|before| before.layout.again(&before.graph, &graph, &metrics));
    let stays = again.is_some();
    let layout = again.unwrap_or_else(|| xenapi_topology::layout(&graph, &metrics));
    let generation = before.map_or(1, |before| before.generation.wrapping_add(1));
    let placement = before.map_or(1, |before| before.placement.wrapping_add(u32::from(!stays)));
    let old: BTreeMap<&NodeId, &Rc<Shape>> = match before {
        Some(before) if !stays => before.shapes.iter().map(|shape| (&shape.id, shape)).collect(),
        _ => BTreeMap::new(),
    };
    let shape = |(at, node): (usize, &Node)| {
        let old = match before {
            Some(before) if stays => before.shapes.get(at),
            _ => old.get(&node.id).copied(),
        };
        // What is said and shown of it is all that its title and its looks are made of.
        if let (Some(before), Some(old), true) = (before, old, stays)
            && before.graph.nodes.get(at) == Some(node)
        {
            return old.clone();
        }
        let mut shape = shape(cache, &graph, &layout, at);
        shape.changed = match old {
            Some(old) if (old.state, &old.tally) != (shape.state, &shape.tally) => generation,
            Some(old) => old.changed,
            None => 0,
        };
        match old {
            Some(old) if **old == shape => old.clone(),
            _ => Rc::new(shape),
        }
    };
    let shapes = graph.nodes.iter().enumerate().map(shape).collect();
    let lines = lines(&graph, &layout, before.filter(|_| stays));
    Drawing { wanted: wanted.clone(), graph, layout, shapes, lines, generation, placement }
}

fn shape(cache: &Cache, graph: &Graph, layout: &Layout, at: usize) -> Shape {
    let node = &graph.nodes[at];
    let object = node.object.clone().map(|(class, reference)| Object { class, reference });
    Shape {
        id: node.id.clone(),
        rect: layout.nodes[at],
        labels: layout.labels[at].clone(),
        state: node.state,
        tally: shown_tally(node).to_vec(),
        uuid: object.and_then(|object| select::uuid_of(cache, &object)).unwrap_or_default(),
        kind: node.kind.name(),
        folded: node.folded,
        is_place: node.kind.is_place(),
        is_tall: graph.columns[node.column].kind.is_tall(),
        title: if is_large(graph) { String::new() } else { said::title(node) },
        changed: 0,
    }
}

fn lines(graph: &Graph, layout: &Layout, before: Option<&Drawing>) -> Rc<Vec<Rc<Line>>> {
    if let Some(before) = before
        && before.lines.iter().zip(&graph.edges).all(|(line, edge)| line.is_like(edge))
    {
        return before.lines.clone();
    }
    let line = |(at, edge): (usize, &Edge)| {
        if let Some(old) = before.and_then(|before| before.lines.get(at)).filter(|old| old.is_like(edge)) {
            return old.clone();
        }
        Rc::new(Line {
            ends: (graph.nodes[edge.from].id.clone(), graph.nodes[edge.to].id.clone()),
            way: if is_large(graph) { String::new() } else { layout.edges[at].path() },
            state: edge.state,
            weight: edge.weight,
            is_quiet: edge.quiet,
        })
    };
    Rc::new(graph.edges.iter().enumerate().map(line).collect())
}

impl Drawing {
    /// What a node is, in one line.
    pub fn title(&self, at: usize) -> Option<String> {
        self.graph.nodes.get(at).map(said::title)
    }

    /// The object of a node.
    pub fn object(&self, at: usize) -> Option<Object> {
        let (class, reference) = self.graph.nodes.get(at)?.object.clone()?;
        Some(Object { class, reference })
    }

    /// The place of the node that shows an object, alone or within a group.
    pub fn node_of(&self, object: &Object) -> Option<usize> {
        self.graph.find_object(object.class, &object.reference)
    }

    /// The states of nodes and connections that occur, in the order of a legend.
    pub fn legend(&self) -> (Vec<State>, Vec<EdgeState>) {
        let occurs =
            |state: &State| self.shapes.iter().any(|it| it.state == *state || it.tally.iter().any(|(one, _)| one == state));
        let edges = [EdgeState::Active, EdgeState::Inactive, EdgeState::Broken, EdgeState::Unknown];
        let drawn = |state: &EdgeState| self.graph.edges.iter().any(|edge| edge.state == *state);
        (State::ALL.into_iter().filter(occurs).collect(), edges.into_iter().filter(drawn).collect())
    }
}

/// The picture for a node.
pub fn icon_of(node: &Node) -> Icon {
    use xenapi_topology::NodeKind;
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
