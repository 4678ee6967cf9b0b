//! What is drawn of elements: headings, lines, nodes. Where everything stands and what it says comes from `xenapi-console`.

use std::rc::Rc;

use xenapi_console::format;
use xenapi_console::graph::{Drawing, Line, Shape, said};
use xenapi_console::object::Icon;
use xenapi_console::text::Text;
use xenapi_topology::{ColumnKind, LABEL_INDENT, Metrics, PADDING, Path, State, tally_entry_width, theme};
use yew::prelude::*;

use crate::components::icons::icon_path;
use crate::store::Same;

/// The nodes and lines to highlight.
pub(crate) type Highlight = Option<Same<Path>>;

/// The id of a node's element.
pub(super) fn node_id(at: usize) -> String {
    format!("node-{at}")
}

#[derive(Properties, PartialEq)]
pub(crate) struct PictureProps {
    pub(crate) drawing: Same<Drawing>,
    pub(crate) selected: Option<usize>,
    /// The node at which the keyboard stands.
    pub(crate) cursor: Option<usize>,
    pub(crate) path: Highlight,
    pub(crate) on_pick: Callback<Option<usize>>,
    pub(crate) on_hover: Callback<Option<usize>>,
}

/// Everything. It is not drawn anew while it is only moved.
#[component]
pub(crate) fn Picture(props: &PictureProps) -> Html {
    let drawing = &props.drawing;
    let nodes = drawing.shapes.iter().enumerate().map(|(at, shape)| {
        let on_path = props.path.as_ref().is_some_and(|path| path.nodes.contains(&at));
        html! {
            <NodeView key={shape.id.as_str().to_owned()} shape={Same(shape.clone())} {at} selected={props.selected == Some(at)}
                is_stop={props.cursor.unwrap_or(0) == at} {on_path} on_pick={props.on_pick.clone()} on_hover={props.on_hover.clone()} />
        }
    });
    html! {
        <>
            { headings(drawing) }
            <Lines lines={Same(drawing.lines.clone())} path={props.path.clone()} />
            <g>{ for nodes }</g>
        </>
    }
}

fn headings(drawing: &Drawing) -> Html {
    let metrics = Metrics::default();
    let base = metrics.margin + metrics.heading - 13.0;
    let columns = drawing.graph.columns.iter().zip(drawing.layout.columns.iter());
    let headings = columns.map(|(column, placed)| {
        let note = match (column.unknown, column.count) {
            (false, count) => format::count(count),
            (true, _) => Text::ColumnUnknown.get().into(),
        };
        let icon = format!("translate({} {}) scale(0.875)", placed.x, base - 11.5);
        html! {
            <g class="column-heading">
                <path transform={icon} d={icon_path(heading_icon(column.kind))} />
                <text x={(placed.x + 20.0).to_string()} y={base.to_string()}>{ said::heading(column.kind).get() }</text>
                <text class="note-text" x={(placed.x + placed.width).to_string()} y={base.to_string()} text-anchor="end">{ note }</text>
            </g>
        }
    });
    html! { <g aria-hidden="true">{ for headings }</g> }
}

pub(super) fn heading_icon(kind: ColumnKind) -> Icon {
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
struct LinesProps {
    lines: Same<Vec<Rc<Line>>>,
    path: Highlight,
}

/// The lines: those in focus last, so that they lie on top.
#[component]
fn Lines(props: &LinesProps) -> Html {
    let on_path = |at: usize| props.path.as_ref().is_some_and(|path| path.edges.contains(&at));
    let line = |at: usize| {
        let line = &props.lines[at];
        let key = format!("{} {}", line.ends.0, line.ends.1);
        html! { <LineView {key} line={Same(line.clone())} on_path={on_path(at)} /> }
    };
    let (above, below): (Vec<usize>, Vec<usize>) = (0..props.lines.len()).partition(|at| on_path(*at));
    html! { <g aria-hidden="true">{ for below.into_iter().map(line) }{ for above.into_iter().map(line) }</g> }
}

#[derive(Properties, PartialEq)]
struct LineProps {
    line: Same<Line>,
    on_path: bool,
}

#[component]
fn LineView(props: &LineProps) -> Html {
    let line = &props.line;
    let class = classes!(
        "edge",
        format!("is-{}", line.state.name()),
        line.is_quiet.then_some("quiet-edge"),
        props.on_path.then_some("on-path"),
    );
    html! { <path {class} d={line.way.clone()} stroke-width={format!("{:.2}", theme::stroke_width(line.weight))} /> }
}

#[derive(Properties, PartialEq)]
struct NodeProps {
    shape: Same<Shape>,
    at: usize,
    selected: bool,
    /// Whether the keyboard stands here, or comes here first.
    is_stop: bool,
    on_path: bool,
    on_pick: Callback<Option<usize>>,
    on_hover: Callback<Option<usize>>,
}

/// A node: its card, its state's shape, its words.
#[component]
fn NodeView(props: &NodeProps) -> Html {
    let NodeProps { shape, at, selected, is_stop, on_path, on_pick, on_hover } = props;
    let at = *at;
    let class = classes!(
        "node",
        format!("is-{}", shape.state.name()),
        shape.is_place.then_some("place"),
        selected.then_some("selected"),
        on_path.then_some("on-path"),
        (shape.changed > 0).then_some("changed"),
    );
    let onclick = {
        let on_pick = on_pick.clone();
        Callback::from(move |event: MouseEvent| {
            event.stop_propagation();
            on_pick.emit(Some(at));
        })
    };
    let (enter, leave) = (on_hover.clone(), on_hover.clone());
    let is_group = shape.folded > 0;
    html! {
        <g id={node_id(at)} {class} transform={format!("translate({} {})", shape.rect.x, shape.rect.y)} role="button" aria-label={shape.title.clone()}
            tabindex={if *is_stop { "0" } else { "-1" }} aria-pressed={(!is_group).then(|| selected.to_string())}
            aria-expanded={is_group.then_some("false")}
            data-testid="node" data-uuid={shape.uuid.clone()} data-state={shape.state.name()} data-kind={shape.kind}
            data-folded={is_group.then(|| shape.folded.to_string())}
            {onclick} onmouseenter={move |_| enter.emit(Some(at))} onmouseleave={move |_| leave.emit(None)}>
            <title>{ shape.title.clone() }</title>
            if is_group { { card("deck", shape, 3.5, 0) } }
            { card("box", shape, 0.5, shape.changed) }
            { words(shape) }
        </g>
    }
}

/// A card, its hairline on whole pixels. Another `generation` makes another element, which moves for a moment.
fn card(class: &'static str, shape: &Shape, offset: f64, generation: u32) -> Html {
    html! {
        <rect key={format!("{class}-{generation}")} {class} x={offset.to_string()} y={offset.to_string()} rx="4"
            width={(shape.rect.width - 1.0).to_string()} height={(shape.rect.height - 1.0).to_string()} />
    }
}

/// Where the words of a node stand within it.
pub(super) struct Places {
    /// The middle of the label's line.
    pub(super) label: f64,
    /// The middle of the detail's line.
    pub(super) detail: f64,
    /// Where the tally, or after it the detail, begins.
    pub(super) tally: f64,
    /// The upper border of the state's shape.
    pub(super) glyph: f64,
}

pub(super) fn places(shape: &Shape) -> Places {
    let metrics = Metrics::default();
    let tally_width: f64 = shape.tally.iter().map(|(_, count)| tally_entry_width(*count, &metrics)).sum();
    let middle = shape.rect.height / 2.0;
    // A high node with one line has it in its middle.
    if shape.is_tall && (!shape.labels.detail.is_empty() || !shape.tally.is_empty()) {
        return Places { label: 14.0, detail: 30.0, tally: LABEL_INDENT, glyph: 8.0 };
    }
    let tally = if shape.is_tall { LABEL_INDENT } else { shape.rect.width - PADDING - tally_width + 8.0 };
    Places { label: middle, detail: middle, tally, glyph: middle - 6.0 }
}

fn words(shape: &Shape) -> Html {
    let metrics = Metrics::default();
    let at = places(shape);
    let mut from = at.tally;
    let mut entries = Vec::with_capacity(shape.tally.len());
    for (state, count) in &shape.tally {
        entries.push(glyph(*state, from, at.detail - 5.0, 0.8));
        entries.push(text("node-detail", from + 13.0, at.detail + 4.0, "start", &count.to_string()));
        from += tally_entry_width(*count, &metrics);
    }
    let detail = if shape.is_tall {
        text("node-detail", from, at.detail + 4.0, "start", &shape.labels.detail)
    } else {
        text("node-detail", shape.rect.width - PADDING, at.detail + 4.0, "end", &shape.labels.detail)
    };
    html! {
        <>
            { glyph(shape.state, 10.0, at.glyph, 1.0) }
            { text("node-label", LABEL_INDENT, at.label + 4.5, "start", &shape.labels.label) }
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
