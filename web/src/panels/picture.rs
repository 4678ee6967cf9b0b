//! What is drawn: headings, edges, nodes. Where everything stands and what it says comes from `xenapi-topology`.

use std::rc::Rc;

use xenapi_console::object::Icon;
use xenapi_console::text::Text;
use xenapi_console::{format, select};
use xenapi_topology::{
    ColumnKind, Edge, LABEL_INDENT, Metrics, Node, PADDING, Rect, State, shown_tally, tally_entry_width, theme,
};
use yew::prelude::*;

use super::stage::Highlight;
use super::topology::Drawing;
use crate::components::icons::icon_path;
use crate::store::Same;

/// The id of a node's element.
pub(super) fn node_id(at: usize) -> String {
    format!("node-{at}")
}

#[derive(Properties, PartialEq)]
pub(crate) struct PictureProps {
    pub(crate) drawing: Same<Drawing>,
    pub(crate) selected: Option<usize>,
    pub(crate) cursor: Option<usize>,
    pub(crate) path: Highlight,
    pub(crate) on_pick: Callback<Option<usize>>,
    pub(crate) on_hover: Callback<Option<usize>>,
}

/// Everything. It is not drawn anew while it is only moved.
#[component]
pub(crate) fn Picture(props: &PictureProps) -> Html {
    let drawing = &props.drawing;
    let nodes = drawing.graph.nodes.iter().enumerate().map(|(at, node)| {
        let on_path = props.path.as_ref().is_some_and(|path| path.nodes.contains(&at));
        html! {
            <NodeView key={node.id.as_str().to_owned()} drawing={drawing.clone()} {at} selected={props.selected == Some(at)}
                cursor={props.cursor == Some(at)} {on_path} on_pick={props.on_pick.clone()} on_hover={props.on_hover.clone()} />
        }
    });
    html! {
        <>
            { headings(drawing) }
            <Edges drawing={drawing.clone()} path={props.path.clone()} />
            <g>{ for nodes }</g>
        </>
    }
}

fn headings(drawing: &Drawing) -> Html {
    let metrics = Metrics::default();
    let base = metrics.margin + metrics.heading - 13.0;
    let columns = drawing.graph.columns.iter().zip(&drawing.layout.columns);
    let headings = columns.map(|(column, placed)| {
        let note = match (column.unknown, column.count) {
            (false, count) => format::count(count),
            (true, _) => Text::ColumnUnknown.get().into(),
        };
        let icon = format!("translate({} {}) scale(0.875)", placed.x, base - 11.5);
        html! {
            <g class="column-heading">
                <path transform={icon} d={icon_path(heading_icon(column.kind))} />
                <text x={(placed.x + 20.0).to_string()} y={base.to_string()}>{ column.kind.heading() }</text>
                <text class="note-text" x={(placed.x + placed.width).to_string()} y={base.to_string()} text-anchor="end">{ note }</text>
            </g>
        }
    });
    html! { <g aria-hidden="true">{ for headings }</g> }
}

fn heading_icon(kind: ColumnKind) -> Icon {
    match kind {
        ColumnKind::Pool => Icon::Pool,
        ColumnKind::Hosts => Icon::Host,
        ColumnKind::Vms => Icon::Vm,
        ColumnKind::Vdis => Icon::Vdi,
        ColumnKind::Srs => Icon::Sr,
        ColumnKind::Networks => Icon::Network,
        ColumnKind::Bonds => Icon::Bond,
        ColumnKind::Vlans | ColumnKind::Tunnels => Icon::Vlan,
        ColumnKind::Nics | ColumnKind::Sriovs => Icon::Nic,
        _ => Icon::Group,
    }
}

#[derive(Properties, PartialEq)]
struct EdgesProps {
    drawing: Same<Drawing>,
    path: Highlight,
}

/// The lines: those in focus last, so that they lie on top.
#[component]
fn Edges(props: &EdgesProps) -> Html {
    let drawing = props.drawing.clone();
    let ways: Rc<Vec<AttrValue>> = use_memo(drawing.clone(), |drawing| {
        drawing.layout.edges.iter().map(|curve| AttrValue::from(curve.path())).collect()
    });
    let on_path = |at: usize| props.path.as_ref().is_some_and(|path| path.edges.contains(&at));
    let edge = |at: usize| {
        let edge: &Edge = &drawing.graph.edges[at];
        let class = classes!(
            "edge",
            format!("is-{}", edge.state.name()),
            edge.quiet.then_some("quiet-edge"),
            on_path(at).then_some("on-path"),
        );
        let ends = (&drawing.graph.nodes[edge.from].id, &drawing.graph.nodes[edge.to].id);
        let key = format!("{} {}", ends.0, ends.1);
        html! { <path {key} {class} d={ways[at].clone()} stroke-width={format!("{:.2}", theme::stroke_width(edge.weight))} /> }
    };
    let (above, below): (Vec<usize>, Vec<usize>) = (0..drawing.graph.edges.len()).partition(|at| on_path(*at));
    html! { <g aria-hidden="true">{ for below.into_iter().map(edge) }{ for above.into_iter().map(edge) }</g> }
}

#[derive(Properties, PartialEq)]
struct NodeProps {
    drawing: Same<Drawing>,
    at: usize,
    selected: bool,
    cursor: bool,
    on_path: bool,
    on_pick: Callback<Option<usize>>,
    on_hover: Callback<Option<usize>>,
}

/// A node: its card, its state's shape, its words.
#[component]
fn NodeView(props: &NodeProps) -> Html {
    let NodeProps { drawing, at, selected, cursor, on_path, on_pick, on_hover } = props;
    let at = *at;
    let (node, rect) = (&drawing.graph.nodes[at], drawing.layout.nodes[at]);
    let changed = drawing.changed.get(&node.id).copied();
    let class = classes!(
        "node",
        format!("is-{}", node.state.name()),
        node.kind.is_place().then_some("place"),
        selected.then_some("selected"),
        cursor.then_some("cursor"),
        on_path.then_some("on-path"),
        changed.is_some().then_some("changed"),
    );
    let onclick = {
        let on_pick = on_pick.clone();
        Callback::from(move |event: MouseEvent| {
            event.stop_propagation();
            on_pick.emit(Some(at));
        })
    };
    let (enter, leave) = (on_hover.clone(), on_hover.clone());
    let title = title(node);
    html! {
        <g id={node_id(at)} {class} transform={format!("translate({} {})", rect.x, rect.y)} role="button" aria-label={title.clone()}
            data-testid="node" data-uuid={drawing.uuids[at].clone()} data-state={node.state.name()} data-kind={node.kind.name()}
            data-folded={node.is_group().then(|| node.folded.to_string())}
            {onclick} onmouseenter={move |_| enter.emit(Some(at))} onmouseleave={move |_| leave.emit(None)}>
            <title>{ title }</title>
            if node.is_group() { { card("deck", rect, 3.5, 0) } }
            { card("box", rect, 0.5, changed.unwrap_or(0)) }
            { words(drawing, at) }
        </g>
    }
}

/// What a node is, in one line.
fn title(node: &Node) -> String {
    let tally: Vec<String> = node.tally.iter().map(|(state, count)| format!("{count} {}", state.name())).collect();
    let state = if tally.len() > 1 { tally.join(", ") } else { node.state.name().into() };
    let words = [node.kind.name(), node.label.as_str(), node.detail.as_str(), &state];
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let words = words.join(" · ");
    if node.is_group() { Text::Expandable.with(&[&format!("{words} ({})", select::group_members(node))]) } else { words }
}

/// A card, its hairline on whole pixels. Another `generation` makes another element, which moves for a moment.
fn card(class: &'static str, rect: Rect, offset: f64, generation: u32) -> Html {
    html! {
        <rect key={format!("{class}-{generation}")} {class} x={offset.to_string()} y={offset.to_string()} rx="4"
            width={(rect.width - 1.0).to_string()} height={(rect.height - 1.0).to_string()} />
    }
}

fn words(drawing: &Drawing, at: usize) -> Html {
    let (node, rect, labels) = (&drawing.graph.nodes[at], drawing.layout.nodes[at], &drawing.layout.labels[at]);
    let metrics = Metrics::default();
    let tall = drawing.graph.columns[node.column].kind.is_tall();
    let (middle, line) = if tall { (14.0, 30.0) } else { (rect.height / 2.0, rect.height / 2.0) };
    let tally = shown_tally(node);
    let tally_width: f64 = tally.iter().map(|(_, count)| tally_entry_width(*count, &metrics)).sum();
    let mut from = if tall { LABEL_INDENT } else { rect.width - PADDING - tally_width + 8.0 };
    let mut entries = Vec::with_capacity(tally.len());
    for (state, count) in tally {
        entries.push(glyph(*state, from, line - 5.0, 0.8));
        entries.push(text("node-detail", from + 13.0, line + 4.0, "start", &count.to_string()));
        from += tally_entry_width(*count, &metrics);
    }
    let detail = if tall {
        text("node-detail", from, line + 4.0, "start", &labels.detail)
    } else {
        text("node-detail", rect.width - PADDING, line + 4.0, "end", &labels.detail)
    };
    html! {
        <>
            { glyph(node.state, 10.0, if tall { 8.0 } else { middle - 6.0 }, 1.0) }
            { text("node-label", LABEL_INDENT, middle + 4.5, "start", &labels.label) }
            { for entries }
            { detail }
        </>
    }
}

fn glyph(state: State, x: f64, y: f64, scale: f64) -> Html {
    let class = classes!("glyph-path", format!("is-{}", state.name()));
    html! { <path {class} transform={format!("translate({x} {y}) scale({scale})")} d={state.glyph()} /> }
}

fn text(class: &'static str, x: f64, y: f64, anchor: &'static str, words: &str) -> Html {
    if words.is_empty() {
        return html! {};
    }
    html! { <text {class} x={x.to_string()} y={y.to_string()} text-anchor={anchor}>{ words }</text> }
}
