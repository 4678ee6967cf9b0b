//! The tree of objects.

use web_sys::{HtmlInputElement, HtmlSelectElement};
use xenapi_console::object::Object;
use xenapi_console::route::{Named, View};
use xenapi_console::select;
use xenapi_console::state::Action;
use xenapi_console::text::{self, Text};
use xenapi_console::tree::{self, Grouping, OF_TREE, TreeRow};
use xenapi_console::window::{Window, window};
use xenapi_topology::State;
use yew::prelude::*;

use crate::components::link::{href, is_elsewhere};
use crate::components::{Mark, glyph, icon, mark};
use crate::dom::{self, measure};
use crate::store::{Data, StoreHandle, use_data, use_store};

/// The height of a line, as in the style sheets.
const ROW: u32 = 28;

/// The tree, and what it is grouped and filtered by.
#[component]
pub(crate) fn TreePanel() -> Html {
    let store = use_store();
    let oninput = {
        let dispatcher = store.dispatcher();
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                dispatcher.dispatch(Action::FilterTree(input.value()));
            }
        })
    };
    let onchange = {
        let dispatcher = store.dispatcher();
        Callback::from(move |event: Event| {
            if let Some(select) = event.target_dyn_into::<HtmlSelectElement>() {
                let by = Grouping::from_name(&select.value());
                dom::storage::set_grouping(by.name());
                dispatcher.dispatch(Action::GroupTree(by));
            }
        })
    };
    let options = Grouping::ALL.into_iter().map(|by| {
        html! { <option value={by.name()} selected={by == store.0.tree.by}>{ by.label().get() }</option> }
    });
    html! {
        <>
            <div class="tree-tools">
                <input class="field" type="search" placeholder={Text::TreeFilter.get()} aria-label={Text::TreeFilter.get()}
                    value={store.0.tree.filter.clone()} {oninput} data-testid="tree-filter" />
                <select class="field" aria-label={Text::GroupBy.get()} {onchange} data-testid="tree-by">{ for options }</select>
            </div>
            <Lines />
        </>
    }
}

/// The lines.
#[component]
fn Lines() -> Html {
    let (store, data) = (use_store(), use_data());
    let look = store.0.tree.clone();
    let rows = use_memo((data.stamp(OF_TREE), look.clone()), |(_, look)| data.with(|cache| tree::tree(cache, look)));
    let selected = shown(&store, &data);
    let focused = use_state(|| None::<String>);
    let node = use_node_ref();
    let (size, _) = measure::use_size(&node);
    let seen = window(rows.len(), ROW, measure::use_scroll(&node), size.height, 12);
    // The line that the keyboard acts on: where one was, else what is selected, else the first.
    let at_focus = focused.as_ref().and_then(|key| rows.iter().position(|row| row.key == *key));
    let at_selected = selected.as_ref().and_then(|object| rows.iter().position(|row| row.object.as_ref() == Some(object)));
    let active = at_focus.or(at_selected).unwrap_or(0);
    {
        let (store, data) = (store.clone(), data.clone());
        use_effect_with(selected.clone(), move |selected| {
            let look = &store.0.tree;
            let hidden = selected.as_ref().map(|object| data.with(|cache| tree::reveal(cache, object, look)));
            if let Some(hidden) = hidden.filter(|hidden| !hidden.is_empty()) {
                store.dispatch(Action::Open(hidden));
            }
        });
    }
    {
        // What was chosen elsewhere comes into sight, once its line is there.
        let node = node.clone();
        use_effect_with((selected.clone(), at_selected.is_some()), move |_| {
            if let Some(at) = at_selected {
                measure::scroll_to_row(&node, at, ROW);
            }
        });
    }
    let onkeydown = {
        let (store, rows, focused, node) = (store.clone(), rows.clone(), focused.clone(), node.clone());
        Callback::from(move |event: KeyboardEvent| {
            let Some(row) = rows.get(active) else { return };
            let Some(step) = step(&event, row, active, &rows) else { return };
            event.prevent_default();
            match step {
                Step::Go(at) => {
                    if let Some(row) = rows.get(at) {
                        focused.set(Some(row.key.clone()));
                        measure::scroll_to_row(&node, at, ROW);
                    }
                }
                Step::Toggle => store.dispatch(Action::Toggle(row.key.clone())),
                Step::Choose => choose(&store, row),
                Step::Open => open(&store, row),
            }
        })
    };
    let on_pick = {
        let (store, focused) = (store.clone(), focused.clone());
        Callback::from(move |(row, what): (TreeRow, Pick)| {
            focused.set(Some(row.key.clone()));
            match what {
                Pick::Choose => choose(&store, &row),
                Pick::Toggle => store.dispatch(Action::Toggle(row.key)),
                Pick::Open => open(&store, &row),
            }
        })
    };
    if rows.is_empty() && !look.filter.is_empty() {
        return html! { <p class="tree-none" role="status" data-testid="tree-none">{ Text::TreeNothing.with(&[look.filter.trim()]) }</p> };
    }
    let Window { rows: range, before, after } = seen;
    // What is scrolled out of sight is not there to be named.
    let is_drawn = range.contains(&active);
    let lines = range.map(|at| {
        let row = &rows[at];
        let is_selected = row.object.is_some() && row.object == selected;
        let recent = row.object.as_ref().and_then(|object| data.driver.recent(&object.reference));
        let link = page(row).map(|view| AttrValue::from(href(&store, &view)));
        html! {
            <Line key={row.key.clone()} {at} row={row.clone()} {link} {recent} {is_selected} is_active={at == active} on_pick={on_pick.clone()} />
        }
    });
    html! {
        <div ref={node} class="tree" role="tree" aria-label={Text::TreeLabel.get()} tabindex="0"
            aria-activedescendant={is_drawn.then(|| line_id(active))} {onkeydown} data-testid="tree">
            { space(before) }
            { for lines }
            { space(after) }
        </div>
    }
}

/// What the tree points at: what the page is about, or what is selected.
fn shown(store: &StoreHandle, data: &Data) -> Option<Object> {
    match &store.0.view {
        View::Object(named) => data.with(|cache| select::find(cache, &named.class, &named.uuid)),
        _ => store.0.selected.clone(),
    }
}

/// The word for the state of a line.
fn state_word(row: &TreeRow, state: State) -> Text {
    row.object.as_ref().map_or_else(|| text::state(state), |object| text::state_of(object.class, state))
}

/// The page of the object of a line.
fn page(row: &TreeRow) -> Option<View> {
    let object = row.object.as_ref().filter(|_| !row.uuid.is_empty())?;
    Some(View::Object(Named { class: object.class.into(), uuid: row.uuid.clone() }))
}

/// Shows what a line stands for: beside a table or drawing that stays, or in the place of another object's page.
fn choose(store: &StoreHandle, row: &TreeRow) {
    match (&row.object, page(row)) {
        (Some(object), Some(page)) if matches!(store.0.view, View::Object(_)) => {
            store.dispatch(Action::ShowIn(page, object.clone()));
        }
        (Some(object), _) => store.dispatch(Action::Select(Some(object.clone()))),
        (None, _) => store.dispatch(Action::Toggle(row.key.clone())),
    }
}

/// Goes to the page of what a line stands for.
fn open(store: &StoreHandle, row: &TreeRow) {
    if let (Some(object), Some(page)) = (&row.object, page(row)) {
        store.dispatch(Action::ShowIn(page, object.clone()));
    }
}

fn line_id(at: usize) -> String {
    format!("tree-{at}")
}

/// Empty space without a style: the page's policy allows none within the page.
pub(crate) fn space(height: u64) -> Html {
    if height == 0 {
        return html! {};
    }
    html! { <svg class="space" width="1" height={height.to_string()} aria-hidden="true"></svg> }
}

enum Step {
    Go(usize),
    Toggle,
    Choose,
    Open,
}

/// What somebody wants of a line.
#[derive(Clone, Copy, PartialEq)]
enum Pick {
    Choose,
    Toggle,
    Open,
}

/// What a key means in a tree, as the ARIA practices have it; a letter leads to the next name that begins with it.
fn step(event: &KeyboardEvent, row: &TreeRow, at: usize, rows: &[TreeRow]) -> Option<Step> {
    let key = event.key();
    match key.as_str() {
        "ArrowDown" => Some(Step::Go((at + 1).min(rows.len() - 1))),
        "ArrowUp" => Some(Step::Go(at.saturating_sub(1))),
        "PageDown" => Some(Step::Go((at + 12).min(rows.len() - 1))),
        "PageUp" => Some(Step::Go(at.saturating_sub(12))),
        "Home" => Some(Step::Go(0)),
        "End" => Some(Step::Go(rows.len() - 1)),
        "ArrowRight" => match row.open {
            Some(false) => Some(Step::Toggle),
            Some(true) => Some(Step::Go(at + 1)),
            None => None,
        },
        "ArrowLeft" => match row.open {
            Some(true) => Some(Step::Toggle),
            _ => rows.iter().position(|above| above.key == row.parent).map(Step::Go),
        },
        "Enter" if event.ctrl_key() => Some(Step::Open),
        "Enter" | " " => Some(Step::Choose),
        letter if letter.chars().count() == 1 && !event.ctrl_key() && !event.meta_key() && !event.alt_key() => {
            let letter = letter.to_lowercase();
            let order = (at + 1..rows.len()).chain(0..=at);
            let found = order.into_iter().find(|at| rows[*at].label.to_lowercase().starts_with(&letter));
            // The slash opens the palette, wherever one is.
            found.filter(|_| letter != "/").map(Step::Go)
        }
        _ => None,
    }
}

#[derive(Properties, PartialEq)]
struct LineProps {
    at: usize,
    row: TreeRow,
    link: Option<AttrValue>,
    /// The mark of a change that has just happened.
    recent: Option<&'static str>,
    is_selected: bool,
    is_active: bool,
    on_pick: Callback<(TreeRow, Pick)>,
}

/// A line of the tree.
#[component]
fn Line(props: &LineProps) -> Html {
    let LineProps { at, row, link, recent, is_selected, is_active, on_pick } = props;
    let pick = |what: Pick| {
        let (row, on_pick) = (row.clone(), on_pick.clone());
        Callback::from(move |event: MouseEvent| {
            if !is_elsewhere(&event) {
                event.prevent_default();
                event.stop_propagation();
                on_pick.emit((row.clone(), what));
            }
        })
    };
    let class = classes!(
        "tree-row",
        format!("level-{}", row.level.min(8)),
        row.object.is_none().then_some("heading"),
        is_active.then_some("active"),
        *recent,
    );
    let label = match link {
        // Within the tree the keyboard goes from line to line.
        Some(link) => html! { <a class="label" href={link} tabindex="-1">{ &row.label }</a> },
        None => html! { <span class="label">{ &row.label }</span> },
    };
    html! {
        <div id={line_id(*at)} {class} role="treeitem" aria-level={row.level.to_string()} aria-posinset={row.place.to_string()}
            aria-setsize={row.siblings.to_string()} aria-expanded={row.open.map(|open| open.to_string())}
            aria-selected={is_selected.to_string()} title={row.label.clone()} data-testid="tree-item" data-uuid={row.uuid.clone()}
            data-state={row.state.map(|state| state.name())} onclick={pick(Pick::Choose)} ondblclick={pick(Pick::Open)}>
            if row.open.is_some() {
                <span class="twist-button" onclick={pick(Pick::Toggle)}>{ mark(Mark::Twist) }</span>
            } else {
                <span class="twist-button"></span>
            }
            { icon(row.icon) }
            { label }
            if !row.note.is_empty() { <span class="tree-note">{ &row.note }</span> }
            if let Some(state) = row.state { { glyph(state) }<span class="sr-only">{ state_word(row, state).get() }</span> }
        </div>
    }
}
