//! The drawing as a table.

use xenapi_console::graph::{Drawing, TopologyRow, topology_rows};
use xenapi_console::text::Text;
use xenapi_console::window::{Window, window};
use xenapi_console::{format, language};
use yew::prelude::*;

use crate::components::{glyph, icon};
use crate::dom::measure;
use crate::panels::space;
use crate::store::Same;

#[derive(Properties, PartialEq)]
pub(super) struct TableProps {
    pub(super) drawing: Same<Drawing>,
    pub(super) focus: Option<usize>,
    pub(super) on_pick: Callback<Option<usize>>,
}

/// The heights of a line, as in the style sheets.
const ROW: u32 = 32;
const NARROW_ROW: u32 = 60;

/// The drawing as a table.
#[component]
pub(super) fn Table(props: &TableProps) -> Html {
    let drawing = props.drawing.clone();
    let rows = use_memo((drawing.clone(), language::current().code().to_owned()), |(drawing, _)| topology_rows(drawing));
    use_effect_with(drawing, |_| crate::dom::mark("xenoxide:topology-drawn"));
    let node = use_node_ref();
    let (size, _) = measure::use_size(&node);
    let height = if measure::is_narrow() { NARROW_ROW } else { ROW };
    let Window { rows: range, before, after } = window(rows.len(), height, measure::use_scroll(&node), size.height, 12);
    let gap = |height: u64| match height {
        0 => html! {},
        height => html! { <tr class="space" aria-hidden="true"><td colspan="5">{ space(height) }</td></tr> },
    };
    let lines = range.map(|at| line(&rows[at], at, props));
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

fn line(row: &TopologyRow, at: usize, props: &TableProps) -> Html {
    let on_pick = props.on_pick.clone();
    let mut connected = row.connected.join(", ");
    if row.more > 0 {
        connected = format!("{connected} {}", Text::More.with(&[&format::count(row.more)]));
    }
    let selected = (props.focus == Some(at)).to_string();
    let key = row.id.as_str().to_owned();
    html! {
        <tr {key} class="item" aria-selected={selected} aria-rowindex={(at + 2).to_string()} onclick={move |_| on_pick.emit(Some(at))}
            data-testid="topology-row" data-uuid={row.uuid.clone()} data-state={row.state.name()}>
            <td class="at-1"><button type="button" class="name" title={row.label.clone()}>
                { icon(row.icon) }<span>{ &row.label }</span>
            </button></td>
            <td class="at-2"><span class="state" data-state={row.state.name()}>{ glyph(row.state) }{ &row.states }</span></td>
            <td class="at-3">{ row.kind }</td>
            <td class="at-4">{ &row.detail }</td>
            <td class="quiet" title={connected.clone()}>{ connected.clone() }</td>
        </tr>
    }
}
