//! The tree of objects.

use xenapi_console::select::{self, TreeRow};
use xenapi_console::state::Action;
use xenapi_console::text::Text;
use xenapi_console::window::{Window, window};
use yew::prelude::*;

use crate::components::{Mark, glyph, icon, mark};
use crate::dom::{self, measure};
use crate::store::{Same, use_data, use_store};

/// The height of a line, as in the style sheets.
const ROW: u32 = 28;

/// The tree.
#[component]
pub(crate) fn TreePanel() -> Html {
    let (store, data) = (use_store(), use_data());
    let tree = use_memo(data.stamp(select::OF_TREE), |_| data.with(select::tree));
    let rows = {
        let tree = tree.clone();
        use_memo((Same(tree.clone()), store.0.toggled.clone()), move |(_, toggled)| select::flatten(&tree, toggled))
    };
    let selected = store.0.selected.clone();
    let focused = use_state(|| None::<String>);
    let node = use_node_ref();
    let (size, _) = measure::use_size(&node);
    let seen = window(rows.len(), ROW, measure::use_scroll(&node), size.height, 12);
    // The line that the keyboard acts on: where one was, else what is selected, else the first.
    let at_focus = focused.as_ref().and_then(|key| rows.iter().position(|row| row.key == *key));
    let at_selected = selected.as_ref().and_then(|object| rows.iter().position(|row| row.object.as_ref() == Some(object)));
    let active = at_focus.or(at_selected).unwrap_or(0);
    {
        let (store, tree) = (store.clone(), tree.clone());
        use_effect_with(selected.clone(), move |selected| {
            let hidden = selected.as_ref().map(|object| select::reveal(&tree, object, &store.0.toggled)).unwrap_or_default();
            if !hidden.is_empty() {
                store.dispatch(Action::Open(hidden));
            }
        });
    }
    let onkeydown = {
        let (store, rows, focused) = (store.clone(), rows.clone(), focused.clone());
        Callback::from(move |event: KeyboardEvent| {
            let Some(row) = rows.get(active) else { return };
            let Some(step) = step(&event.key(), row, active, &rows) else { return };
            event.prevent_default();
            match step {
                Step::Go(at) => {
                    if let Some(row) = rows.get(at) {
                        focused.set(Some(row.key.clone()));
                        dom::reveal(&line_id(at));
                    }
                }
                Step::Toggle => store.dispatch(Action::Toggle(row.key.clone())),
                Step::Choose => match &row.object {
                    Some(object) => store.dispatch(Action::Select(Some(object.clone()))),
                    None => store.dispatch(Action::Toggle(row.key.clone())),
                },
            }
        })
    };
    let on_pick = {
        let (store, focused) = (store.clone(), focused.clone());
        Callback::from(move |(row, toggle): (TreeRow, bool)| {
            focused.set(Some(row.key.clone()));
            match row.object {
                Some(object) if !toggle => store.dispatch(Action::Select(Some(object))),
                _ => store.dispatch(Action::Toggle(row.key)),
            }
        })
    };
    let Window { rows: range, before, after } = seen;
    let lines = range.map(|at| {
        let row = &rows[at];
        let is_selected = row.object.is_some() && row.object == selected;
        html! { <Line key={row.key.clone()} {at} row={row.clone()} {is_selected} is_active={at == active} on_pick={on_pick.clone()} /> }
    });
    html! {
        <div ref={node} class="tree" role="tree" aria-label={Text::TreeLabel.get()} tabindex="0"
            aria-activedescendant={line_id(active)} {onkeydown} data-testid="tree">
            { space(before) }
            { for lines }
            { space(after) }
        </div>
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
}

/// What a key means in a tree, as the ARIA practices have it.
fn step(key: &str, row: &TreeRow, at: usize, rows: &[TreeRow]) -> Option<Step> {
    match key {
        "ArrowDown" => Some(Step::Go((at + 1).min(rows.len() - 1))),
        "ArrowUp" => Some(Step::Go(at.saturating_sub(1))),
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
        "Enter" | " " => Some(Step::Choose),
        _ => None,
    }
}

#[derive(Properties, PartialEq)]
struct LineProps {
    at: usize,
    row: TreeRow,
    is_selected: bool,
    is_active: bool,
    on_pick: Callback<(TreeRow, bool)>,
}

/// A line of the tree.
#[component]
fn Line(props: &LineProps) -> Html {
    let LineProps { at, row, is_selected, is_active, on_pick } = props;
    let pick = |toggle: bool| {
        let (row, on_pick) = (row.clone(), on_pick.clone());
        Callback::from(move |event: MouseEvent| {
            event.stop_propagation();
            on_pick.emit((row.clone(), toggle));
        })
    };
    let class = classes!(
        "tree-row",
        format!("level-{}", row.level.min(3)),
        row.object.is_none().then_some("heading"),
        is_active.then_some("active"),
    );
    html! {
        <div id={line_id(*at)} {class} role="treeitem" aria-level={row.level.to_string()} aria-posinset={row.place.to_string()}
            aria-setsize={row.siblings.to_string()} aria-expanded={row.open.map(|open| open.to_string())}
            aria-selected={is_selected.to_string()} title={row.label.clone()} data-testid="tree-item" data-uuid={row.uuid.clone()}
            data-state={row.state.map(|state| state.name())} onclick={pick(false)}>
            if row.open.is_some() {
                <span class="twist-button" onclick={pick(true)}>{ mark(Mark::Twist) }</span>
            } else {
                <span class="twist-button"></span>
            }
            { icon(row.icon) }
            <span class="label">{ &row.label }</span>
            if !row.note.is_empty() { <span class="tree-note">{ &row.note }</span> }
            if let Some(state) = row.state { { glyph(state) }<span class="sr-only">{ state.name() }</span> }
        </div>
    }
}
