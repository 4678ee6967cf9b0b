//! The table of VMs.

use std::rc::Rc;

use web_sys::HtmlInputElement;
use xenapi_console::format;
use xenapi_console::object::{Icon, Object};
use xenapi_console::select::{self, Column, Sort, VmRow, VmRows};
use xenapi_console::state::Action;
use xenapi_console::text::{self, Text};
use xenapi_console::window::{Window, window};
use xenapi_model::VM;
use yew::prelude::*;

use super::tree::space;
use crate::components::{Mark, cell_view, empty, icon, mark, state_view};
use crate::dom::measure;
use crate::store::{Same, StoreHandle, use_data, use_store};

/// The heights of a line, as in the style sheets: in a table, and in the list that it becomes on a phone.
const ROW: u32 = 32;
const NARROW_ROW: u32 = 60;

/// The table.
#[component]
pub(crate) fn VmsPanel() -> Html {
    let (store, data) = (use_store(), use_data());
    let made = use_mut_ref(VmRows::default);
    let all = use_memo(data.stamp(select::OF_VM_ROWS), |_| data.with(|cache| made.borrow_mut().update(cache)));
    let all: Rc<Vec<Rc<VmRow>>> = (*all).clone();
    let rows = {
        let all = all.clone();
        let deps = (Same(all.clone()), store.0.filter.clone(), store.0.sort);
        use_memo(deps, move |(_, filter, sort)| select::arrange(&all, filter, *sort))
    };
    let known = data.with(select::is_known::<VM>);
    html! {
        <>
            { toolbar(&store, rows.len(), all.len()) }
            if !known && all.is_empty() {
                { empty("vms-unknown", Text::VmsUnknown.get(), Text::VmsUnknownHint.get(), None) }
            } else if all.is_empty() {
                { empty("no-vms", Text::NoVms.get(), Text::NoVmsHint.get(), None) }
            } else if rows.is_empty() {
                { no_match(&store) }
            } else {
                <Rows rows={Same(rows)} />
            }
        </>
    }
}

fn no_match(store: &StoreHandle) -> Html {
    let clear = {
        let store = store.clone();
        Callback::from(move |_| store.dispatch(Action::Filter(String::new())))
    };
    let title = Text::NoMatch.with(&[&store.0.filter]);
    empty("no-match", &title, Text::NoMatchHint.get(), Some((Text::ClearFilter.get().into(), clear)))
}

fn toolbar(store: &StoreHandle, shown: usize, all: usize) -> Html {
    let store = store.clone();
    let filter = store.0.filter.clone();
    let oninput = Callback::from(move |event: InputEvent| {
        if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
            store.dispatch(Action::Filter(input.value()));
        }
    });
    let count = if shown == all { text::vms(all) } else { Text::VmsOf.with(&[&format::count(shown), &format::count(all)]) };
    html! {
        <div class="toolbar">
            <input class="field filter" type="search" placeholder={Text::FilterHint.get()} aria-label={Text::Filter.get()}
                value={filter} {oninput} data-testid="vm-filter" />
            <span class="count" role="status" data-testid="vm-count">{ count }</span>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct RowsProps {
    rows: Same<Vec<Rc<VmRow>>>,
}

#[component]
fn Rows(props: &RowsProps) -> Html {
    let store = use_store();
    let node = use_node_ref();
    let (size, _) = measure::use_size(&node);
    let height = if measure::is_narrow() { NARROW_ROW } else { ROW };
    let seen = window(props.rows.len(), height, measure::use_scroll(&node), size.height, 12);
    let on_select = {
        let dispatcher = store.dispatcher();
        use_callback((), move |object: Object, ()| dispatcher.dispatch(Action::Select(Some(object))))
    };
    let Window { rows: range, before, after } = seen;
    let first = range.start;
    let lines = props.rows[range].iter().enumerate().map(|(at, row)| {
        let selected = store.0.selected.as_ref() == Some(&row.object);
        let key = row.object.reference.as_str().to_owned();
        html! { <Line {key} at={first + at + 2} row={Same(row.clone())} {selected} on_select={on_select.clone()} /> }
    });
    html! {
        <div ref={node} class="scroll">
            <table class="table" data-testid="vm-table" aria-rowcount={(props.rows.len() + 1).to_string()}>
                <thead><tr aria-rowindex="1">{ for Column::ALL.iter().map(|column| heading(&store, *column)) }</tr></thead>
                <tbody>
                    { gap(before) }
                    { for lines }
                    { gap(after) }
                </tbody>
            </table>
        </div>
    }
}

fn gap(height: u64) -> Html {
    if height == 0 {
        return html! {};
    }
    html! { <tr class="space" aria-hidden="true"><td colspan="7">{ space(height) }</td></tr> }
}

fn look(column: Column) -> (Text, &'static str) {
    match column {
        Column::Name => (Text::Name, "w-name"),
        Column::State => (Text::State, "w-state"),
        Column::Host => (Text::Host, "w-host"),
        Column::Vcpus => (Text::Vcpus, "w-number number"),
        Column::Memory => (Text::Memory, "w-memory number"),
        Column::Addresses => (Text::Addresses, "w-addresses"),
        Column::Description => (Text::Description, "c-description"),
    }
}

fn heading(store: &StoreHandle, column: Column) -> Html {
    let (text, class) = look(column);
    let Sort { column: sorted, descending } = store.0.sort;
    let (sort, arrow) = match (sorted == column, descending) {
        (false, _) => (None, None),
        (true, false) => (Some("ascending"), Some(Mark::Up)),
        (true, true) => (Some("descending"), Some(Mark::Down)),
    };
    let store = store.clone();
    html! {
        <th scope="col" {class} aria-sort={sort}>
            <button type="button" title={Text::SortBy.with(&[text.get()])}
                onclick={move |_| store.dispatch(Action::SortBy(column))}>
                { text.get() }
                { for arrow.map(mark) }
            </button>
        </th>
    }
}

#[derive(Properties, PartialEq)]
struct LineProps {
    /// Its line in the table, from 1, the heading included.
    at: usize,
    row: Same<VmRow>,
    selected: bool,
    on_select: Callback<Object>,
}

/// A VM.
#[component]
fn Line(props: &LineProps) -> Html {
    let row = &props.row;
    let onclick = {
        let (object, on_select) = (row.object.clone(), props.on_select.clone());
        move |_| on_select.emit(object.clone())
    };
    let vcpus = if row.vcpus > 0 { row.vcpus.to_string() } else { Text::Nothing.get().into() };
    html! {
        <tr class="item" aria-rowindex={props.at.to_string()} aria-selected={props.selected.to_string()} {onclick}
            data-testid="vm-row" data-uuid={row.uuid.clone()} data-state={row.state.name()}>
            <td class="at-1"><button type="button" class="name" title={row.name.clone()}>
                { icon(Icon::Vm) }<span>{ &row.name }</span>
            </button></td>
            <td class="at-2">{ state_view(row.state) }</td>
            <td class="at-3">{ cell_view(&row.host) }</td>
            <td class="number">{ vcpus }</td>
            <td class="number at-4">{ format::bytes(row.memory) }</td>
            <td title={row.addresses.text().map(str::to_owned)}>{ cell_view(&row.addresses) }</td>
            <td class="quiet c-description" title={row.description.clone()}>{ &row.description }</td>
        </tr>
    }
}
