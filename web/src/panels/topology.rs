//! The topology through a lens: as a drawing, or as the table that says the same.

use std::collections::BTreeMap;
use std::rc::Rc;

use xenapi_client::Cache;
use xenapi_console::format;
use xenapi_console::object::{Icon, Object};
use xenapi_console::route::View;
use xenapi_console::select::{self, TopologyRow};
use xenapi_console::state::{Action, LensState};
use xenapi_console::text::Text;
use xenapi_console::window::{Window, window};
use xenapi_topology::{Graph, Layout, Lens, Metrics, NodeId, Options};
use yew::prelude::*;

use super::stage::Stage;
use super::tree::space;
use crate::components::{Mark, Segment, empty, icon, mark, segments, state_view};
use crate::dom::measure;
use crate::store::{Same, StoreHandle, use_data, use_store};

/// A drawing, ready to be drawn.
pub(crate) struct Drawing {
    pub(crate) graph: Graph,
    pub(super) layout: Layout,
    /// The uuids of the nodes' objects, where there are any.
    pub(super) uuids: Vec<String>,
    /// In which drawing each node last changed; nodes that never did are not there.
    pub(crate) changed: BTreeMap<NodeId, u32>,
}

#[derive(Properties, PartialEq)]
pub(crate) struct TopologyProps {
    pub(crate) lens: Lens,
}

/// The topology.
#[component]
pub(crate) fn TopologyPanel(props: &TopologyProps) -> Html {
    let (store, data) = (use_store(), use_data());
    let lens = props.lens;
    let shown = store.0.lens(lens).clone();
    let before = use_mut_ref(|| (0_u32, None::<Rc<Drawing>>));
    let drawing = use_memo((data.stamp(OF_TOPOLOGY), shown.clone()), |(_, shown)| {
        let mut before = before.borrow_mut();
        let generation = before.0 + 1;
        let drawing = Rc::new(data.with(|cache| draw(cache, lens, shown, before.1.as_deref(), generation)));
        *before = (generation, Some(drawing.clone()));
        drawing
    });
    let drawing: Rc<Drawing> = (*drawing).clone();
    let focus = store.0.selected.as_ref().and_then(|object| select::node_of(&drawing.graph, object));
    let on_pick = {
        let (dispatcher, drawing) = (store.dispatcher(), drawing.clone());
        Callback::from(move |at: Option<usize>| match at.and_then(|at| drawing.graph.nodes.get(at)) {
            Some(node) if node.is_group() => dispatcher.dispatch(Action::Unfold(lens, node.id.clone())),
            Some(node) => {
                if let Some((class, reference)) = node.object.clone() {
                    dispatcher.dispatch(Action::Select(Some(Object { class, reference })));
                }
            }
            None => dispatcher.dispatch(Action::Select(None)),
        })
    };
    let drawing = Same(drawing);
    html! {
        <>
            { toolbar(&store, lens) }
            { notes(&store, lens, &shown, &drawing.graph) }
            if drawing.graph.nodes.is_empty() {
                { empty("nothing-to-draw", Text::NothingToDraw.get(), Text::NothingToDrawHint.get(), None) }
            } else if store.0.as_table {
                <Table {drawing} {focus} {on_pick} />
            } else {
                <Stage {drawing} {focus} {on_pick} />
            }
        </>
    }
}

/// The classes that drawings are made of.
const OF_TOPOLOGY: &[&str] = &[
    "pool",
    "host",
    "host_metrics",
    "VM",
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

pub(crate) fn draw(cache: &Cache, lens: Lens, shown: &LensState, before: Option<&Drawing>, generation: u32) -> Drawing {
    let options = if shown.draw_all {
        Options::everything()
    } else {
        Options { expanded: shown.expanded.clone(), ..Options::default() }
    };
    let graph = xenapi_topology::graph(cache, lens, &options);
    let layout = xenapi_topology::layout(&graph, &Metrics::default());
    let uuid = |node: &xenapi_topology::Node| {
        let (class, reference) = node.object.clone()?;
        select::uuid_of(cache, &Object { class, reference })
    };
    let uuids = graph.nodes.iter().map(|node| uuid(node).unwrap_or_default()).collect();
    let mut changed = before.map(|before| before.changed.clone()).unwrap_or_default();
    if let Some(before) = before {
        let old: BTreeMap<&NodeId, _> =
            before.graph.nodes.iter().map(|node| (&node.id, (node.state, &node.tally))).collect();
        let moved = graph.nodes.iter().filter(|node| old.get(&node.id).is_some_and(|it| *it != (node.state, &node.tally)));
        changed.extend(moved.map(|node| (node.id.clone(), generation)));
    }
    Drawing { graph, layout, uuids, changed }
}

fn toolbar(store: &StoreHandle, lens: Lens) -> Html {
    let segment = |one: &Lens| {
        let (label, icon) = match one {
            Lens::Compute => (Text::LensCompute, Icon::Vm),
            Lens::Storage => (Text::LensStorage, Icon::Sr),
            Lens::Network => (Text::LensNetwork, Icon::Network),
        };
        let (store, one) = (store.clone(), *one);
        let choose = Callback::from(move |_| store.dispatch(Action::Show(View::Topology(one))));
        Segment { label: label.get(), testid: format!("lens-{one}"), icon, chosen: one == lens, choose }
    };
    let as_table = store.0.as_table;
    let toggle = {
        let store = store.clone();
        move |_| store.dispatch(Action::ToggleTable)
    };
    html! {
        <div class="toolbar">
            { segments(Text::Lenses.get(), Lens::ALL.iter().map(segment)) }
            <div class="spacer"></div>
            <button type="button" class="button" aria-pressed={as_table.to_string()} title={Text::AsTableTitle.get()} aria-label={Text::AsTableTitle.get()}
                onclick={toggle} data-testid="as-table">{ mark(Mark::Rows) }<span class="word">{ Text::AsTable.get() }</span></button>
        </div>
    }
}

/// What is folded, and how to see it.
fn notes(store: &StoreHandle, lens: Lens, shown: &LensState, graph: &Graph) -> Html {
    let folded = graph.capped || graph.nodes.iter().any(xenapi_topology::Node::is_group);
    let unfolded = shown.draw_all || !shown.expanded.is_empty();
    if !folded && !unfolded {
        return html! {};
    }
    let total = format::count(graph.total);
    let button = |action: Action, text: String, testid: &'static str| {
        let store = store.clone();
        let onclick = move |_| store.dispatch(action.clone());
        html! { <button type="button" class="link" {onclick} data-testid={testid}>{ text }</button> }
    };
    html! {
        <div class="capped">
            <span>{ Text::Capped.with(&[&total]) }</span>
            if folded { { button(Action::DrawAll(lens), Text::DrawAll.with(&[&total]), "draw-all") } }
            if unfolded { { button(Action::FoldAll(lens), Text::FoldAll.get().into(), "fold-all") } }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct TableProps {
    drawing: Same<Drawing>,
    focus: Option<usize>,
    on_pick: Callback<Option<usize>>,
}

/// The heights of a line, as in the style sheets.
const ROW: u32 = 32;
const NARROW_ROW: u32 = 60;

/// The drawing as a table.
#[component]
fn Table(props: &TableProps) -> Html {
    let drawing = props.drawing.clone();
    let rows = use_memo(drawing.clone(), |drawing| select::topology_rows(&drawing.graph));
    use_effect_with(drawing.clone(), |_| crate::dom::mark("xenoxide:topology-drawn"));
    let node = use_node_ref();
    let (size, _) = measure::use_size(&node);
    let height = if measure::is_narrow() { NARROW_ROW } else { ROW };
    let Window { rows: range, before, after } = window(rows.len(), height, measure::use_scroll(&node), size.height, 12);
    let gap = |height: u64| match height {
        0 => html! {},
        height => html! { <tr class="space" aria-hidden="true"><td colspan="5">{ space(height) }</td></tr> },
    };
    let lines = range.map(|at| line(&rows[at], at, &drawing, props));
    let heading =
        |text: Text, class: &'static str| html! { <th scope="col" {class}><span class="plain">{ text.get() }</span></th> };
    html! {
        <div ref={node} class="scroll">
            <table class="table" data-testid="topology-table" aria-rowcount={(rows.len() + 1).to_string()}>
                <thead><tr>
                    { heading(Text::Name, "w-name") }
                    { heading(Text::State, "w-state") }
                    { heading(Text::Kind, "w-kind") }
                    { heading(Text::Fields, "w-detail") }
                    { heading(Text::Connected, "") }
                </tr></thead>
                <tbody>{ gap(before) }{ for lines }{ gap(after) }</tbody>
            </table>
        </div>
    }
}

fn line(row: &TopologyRow, at: usize, drawing: &Drawing, props: &TableProps) -> Html {
    let on_pick = props.on_pick.clone();
    let mut connected = row.connected.join(", ");
    if row.more > 0 {
        connected = format!("{connected} {}", Text::More.with(&[&format::count(row.more)]));
    }
    let selected = (props.focus == Some(at)).to_string();
    let key = row.id.as_str().to_owned();
    html! {
        <tr {key} class="item" aria-selected={selected} aria-rowindex={(at + 2).to_string()} onclick={move |_| on_pick.emit(Some(at))}
            data-testid="topology-row" data-uuid={drawing.uuids[at].clone()} data-state={row.state.name()}>
            <td class="at-1"><button type="button" class="name" title={row.label.clone()}>
                { icon(row.icon) }<span>{ &row.label }</span>
            </button></td>
            <td class="at-2">{ state_view(row.state) }</td>
            <td class="at-3">{ row.kind }</td>
            <td class="at-4">{ &row.detail }</td>
            <td class="quiet" title={connected.clone()}>{ connected.clone() }</td>
        </tr>
    }
}
