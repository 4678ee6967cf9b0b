//! The lines.

use std::rc::Rc;

use gloo_events::EventListener;
use wasm_bindgen::JsCast as _;
use web_sys::Element;
use xenapi_console::object::Object;
use xenapi_console::route::{Named, View};
use xenapi_console::state::Action;
use xenapi_console::tables::{Columns, Move, Row, Selection, Sort, Spec};
use xenapi_console::text::Text;
use xenapi_console::window::{Window, window};
use yew::prelude::*;

use super::cells::{self, Linking};
use super::heading::Heading;
use super::{testid, tools};
use crate::components::icon;
use crate::dom::{self, measure};
use crate::panels::space;
use crate::store::{Same, StoreHandle, use_data, use_store};

/// The heights of a line, as in the style sheets: in a table, and in the list that it becomes on a phone.
const ROW: u32 = 32;
const NARROW_ROW: u32 = 60;

#[derive(Properties, PartialEq)]
pub(super) struct GridProps {
    pub(super) spec: &'static Spec,
    pub(super) rows: Same<Vec<Rc<Row>>>,
    pub(super) columns: Same<Columns>,
    pub(super) sort: Same<Sort>,
    pub(super) selection: UseStateHandle<Selection>,
}

/// The lines, of which only those in sight are drawn.
#[component]
pub(super) fn Grid(props: &GridProps) -> Html {
    let (store, data) = (use_store(), use_data());
    let GridProps { spec, rows, selection, .. } = props;
    let node = use_node_ref();
    let (size, _) = measure::use_size(&node);
    let is_narrow = measure::is_narrow();
    let height = if is_narrow { NARROW_ROW } else { ROW };
    let scrolled = measure::use_scroll(&node);
    let Window { rows: range, before, after } = ahead(rows.len(), height, scrolled, use_before(scrolled), size.height);
    let drag = use_state_eq(|| None::<(usize, i32)>);
    let columns = match *drag {
        Some((column, width)) => Same(Rc::new(props.columns.resize(column, width))),
        None => props.columns.clone(),
    };
    let order = use_order(spec, &columns, is_narrow);
    let linking = use_linking(&store);
    use_reveal(&store, rows, &node, height);
    use_copy(props, &node);

    let on_click = use_click(&store, props);
    let on_open = {
        let dispatcher = store.dispatcher();
        use_callback((), move |(object, uuid): (Object, String), ()| {
            dispatcher.dispatch(Action::Show(View::Object(Named { class: object.class.into(), uuid })));
        })
    };
    let onkeydown = key_handler(&store, props, &node, height);
    let active = selection.at(rows);
    let is_chosen = |row: &Row| match selection.chosen.len() {
        0 | 1 => store.0.selected.as_ref() == Some(&row.object),
        _ => selection.has(&row.object.reference),
    };
    // What is scrolled out of sight is not there to be named.
    let drawn = range.clone();
    let first = range.start;
    let lines = rows[range].iter().enumerate().map(|(at, row)| {
        let at = first + at;
        html! {
            <Line key={row.object.reference.as_str().to_owned()} {at} {spec} row={Same(row.clone())} order={order.clone()}
                selected={is_chosen(row)} recent={data.driver.recent(&row.object.reference)} active={active == Some(at)} linking={linking.clone()} on_click={on_click.clone()}
                on_open={on_open.clone()} />
        }
    });
    let on_drag = {
        let drag = drag.setter();
        use_callback((), move |to, ()| drag.set(to))
    };
    let headings = order.iter().map(|at| {
        html! {
            <Heading key={spec.columns[*at].id} {spec} column={*at} columns={props.columns.clone()} sort={props.sort.clone()}
                on_drag={on_drag.clone()} />
        }
    });
    let label = Text::RowsLabel.with(&[spec.title.get()]);
    html! {
        <div ref={node} class="scroll">
            <table class="table grid" role="grid" tabindex="0" aria-label={label} aria-rowcount={(rows.len() + 1).to_string()}
                aria-colcount={order.len().to_string()} aria-multiselectable="true" aria-activedescendant={active.filter(|at| drawn.contains(at)).map(line_id)}
                {onkeydown} data-testid={testid(spec, "table")}>
                <colgroup>{ for widths(&columns, &order, spec, size.width) }</colgroup>
                <thead><tr aria-rowindex="1">{ for headings }</tr></thead>
                <tbody>
                    { gap(before, order.len()) }
                    { for lines }
                    { gap(after, order.len()) }
                </tbody>
            </table>
        </div>
    }
}

/// So many lines are drawn beyond what is seen where one is scrolling to, and so many where one comes from.
const AHEAD: usize = 12;
const BEHIND: usize = 3;

/// The lines to draw, more of them where one is scrolling to.
fn ahead(count: usize, height: u32, scrolled: f64, before: f64, visible: f64) -> Window {
    let lines = |lines: usize| f64::from(height) * f64::from(u32::try_from(lines).unwrap_or(0));
    let back = if scrolled < before { AHEAD - BEHIND } else { 0 };
    window(count, height, (scrolled - lines(back)).max(0.0), visible + lines(AHEAD - BEHIND), BEHIND)
}

/// Where one was scrolled to before.
#[hook]
fn use_before(scrolled: f64) -> f64 {
    let last = use_mut_ref(|| (scrolled, scrolled));
    let mut last = last.borrow_mut();
    if last.1 != scrolled {
        *last = (last.1, scrolled);
    }
    last.0
}

fn line_id(at: usize) -> String {
    format!("line-{at}")
}

fn gap(height: u64, columns: usize) -> Html {
    if height == 0 {
        return html! {};
    }
    html! { <tr class="space" aria-hidden="true"><td colspan={columns.to_string()}>{ space(height) }</td></tr> }
}

/// The columns that are drawn, by their places: the chosen ones, or on a phone the four of the list.
#[hook]
fn use_order(spec: &'static Spec, columns: &Columns, is_narrow: bool) -> Same<Vec<usize>> {
    let order: Vec<usize> = if is_narrow {
        let state = spec.facets.first().and_then(|id| spec.column(id)).filter(|at| !spec.columns[*at].shape.is_number());
        let more = spec.narrow.iter().filter_map(|id| spec.column(id));
        let mut order: Vec<usize> = std::iter::once(0).chain(state).collect();
        order.extend(more.filter(|at| Some(*at) != state));
        order
    } else {
        columns.shown().iter().map(|it| it.column).collect()
    };
    Same(use_memo(order, Clone::clone))
}

/// The widths, which take all of the room.
fn widths(columns: &Columns, order: &[usize], spec: &Spec, room: f64) -> Vec<Html> {
    #[allow(clippy::cast_possible_truncation, reason = "the width of a page is small")]
    let room = room as i64;
    let widths = columns.spread(spec, room);
    let width = |at: usize| {
        let place = columns.shown().iter().position(|it| it.column == at)?;
        widths.get(place).map(ToString::to_string)
    };
    order.iter().map(|at| html! { <col width={width(*at)} /> }).collect()
}

#[hook]
fn use_linking(store: &StoreHandle) -> Linking {
    let select = {
        let dispatcher = store.dispatcher();
        use_callback((), move |object: Object, ()| dispatcher.dispatch(Action::Select(Some(object))))
    };
    Linking { pool: store.0.pool.clone().map(AttrValue::from), select }
}

/// Scrolls to what is selected when something else than this table selected it.
#[hook]
fn use_reveal(store: &StoreHandle, rows: &Same<Vec<Rc<Row>>>, node: &NodeRef, height: u32) {
    let (rows, node) = (rows.clone(), node.clone());
    use_effect_with(store.0.selected.clone(), move |selected| {
        let at = selected.as_ref().and_then(|object| rows.iter().position(|row| row.object == *object));
        if let (Some(at), Some(element)) = (at, node.cast::<Element>()) {
            scroll_to(&element, at, height);
        }
    });
}

/// Scrolls just as far as it takes to see a line.
fn scroll_to(element: &Element, at: usize, height: u32) {
    let height = i32::try_from(height).unwrap_or(i32::MAX);
    let heading = if height == i32::try_from(ROW).unwrap_or(0) { height } else { 0 };
    let top = i32::try_from(at).unwrap_or(i32::MAX).saturating_mul(height);
    let (above, seen) = (element.scroll_top(), element.client_height() - heading);
    if top < above {
        element.set_scroll_top(top);
    } else if top + height > above + seen {
        element.set_scroll_top(top + height - seen);
    }
}

/// Ctrl+C in the table copies its rows, unless some text is marked.
#[hook]
fn use_copy(props: &GridProps, node: &NodeRef) {
    let latest = use_mut_ref(|| None);
    *latest.borrow_mut() = Some((props.rows.clone(), props.columns.clone(), (*props.selection).clone()));
    let (node, spec) = (node.clone(), props.spec);
    use_effect_with((), move |()| {
        let listener = node.cast::<Element>().map(|element| {
            EventListener::new_with_options(
                &element,
                "copy",
                gloo_events::EventListenerOptions::enable_prevent_default(),
                move |event| {
                    let kept = latest.borrow();
                    let Some((rows, columns, selection)) = &*kept else { return };
                    if !dom::transfer::is_text_marked() {
                        let text = xenapi_console::tables::tsv(selection.of(rows), columns, spec);
                        dom::transfer::answer_copy(event, &text);
                    }
                },
            )
        });
        move || drop(listener)
    });
}

/// What a click on a line means. The handler stays the same one, so that lines are not drawn anew for it.
#[hook]
fn use_click(store: &StoreHandle, props: &GridProps) -> Callback<(usize, MouseEvent)> {
    let latest = use_mut_ref(|| None);
    *latest.borrow_mut() = Some((props.rows.clone(), props.selection.clone()));
    let dispatcher = store.dispatcher();
    use_callback((), move |(at, event): (usize, MouseEvent), ()| {
        let Some((rows, selection)) = latest.borrow().clone() else { return };
        let Some(row) = rows.get(at) else { return };
        let reference = &row.object.reference;
        let before = (*selection).clone();
        if event.shift_key() {
            selection.set(before.extend(reference, &rows));
        } else if event.ctrl_key() || event.meta_key() {
            selection.set(before.toggle(reference));
        } else {
            selection.set(Selection::one(reference));
            dispatcher.dispatch(Action::Select(Some(row.object.clone())));
        }
    })
}

/// What the keys mean in the table.
fn key_handler(store: &StoreHandle, props: &GridProps, node: &NodeRef, height: u32) -> Callback<KeyboardEvent> {
    let (store, rows, selection, node) = (store.clone(), props.rows.clone(), props.selection.clone(), node.clone());
    Callback::from(move |event: KeyboardEvent| {
        // Only those of the table itself, not those of a heading's button in it.
        let is_own = event.target_dyn_into::<Element>().is_some_and(|element| element.tag_name() == "TABLE");
        if !is_own || event.alt_key() {
            return;
        }
        let element = node.cast::<Element>();
        let page = element.as_ref().map_or(10, |it| (it.client_height() / i32::try_from(height).unwrap_or(32) - 2).max(1));
        let page = isize::try_from(page).unwrap_or(10);
        let held = event.ctrl_key() || event.meta_key();
        let before = (*selection).clone();
        let row = before.at(&rows).and_then(|at| rows.get(at));
        let step = match event.key().as_str() {
            "ArrowDown" => Move::By(1),
            "ArrowUp" => Move::By(-1),
            "PageDown" => Move::By(page),
            "PageUp" => Move::By(-page),
            "Home" => Move::First,
            "End" => Move::Last,
            " " => {
                event.prevent_default();
                match row {
                    Some(row) if held || before.chosen.len() > 1 => {
                        selection.set(before.clone().toggle(&row.object.reference))
                    }
                    Some(row) => store.dispatch(Action::Select(Some(row.object.clone()))),
                    None => {}
                }
                return;
            }
            "Enter" => {
                if let Some(row) = row {
                    event.prevent_default();
                    let named = Named { class: row.object.class.into(), uuid: row.uuid.clone() };
                    store.dispatch(Action::Show(View::Object(named)));
                }
                return;
            }
            "Escape" => {
                if before.chosen.is_empty() {
                    store.dispatch(Action::Select(None));
                }
                return selection.set(before.none());
            }
            "a" if held => {
                event.prevent_default();
                return selection.set(before.all(&rows));
            }
            _ => return,
        };
        event.prevent_default();
        let after = before.step(step, event.shift_key(), &rows);
        if let (Some(at), Some(element)) = (after.at(&rows), element) {
            scroll_to(&element, at, height);
            // An open panel beside the table follows the keyboard.
            if let Some(row) = rows.get(at).filter(|_| store.0.selected.is_some() && !event.shift_key()) {
                store.dispatch(Action::Select(Some(row.object.clone())));
            }
        }
        selection.set(after);
    })
}

#[derive(Properties, PartialEq)]
struct LineProps {
    /// Its place among the rows, from 0.
    at: usize,
    spec: &'static Spec,
    row: Same<Row>,
    order: Same<Vec<usize>>,
    selected: bool,
    /// The mark of a change that has just happened.
    recent: Option<&'static str>,
    /// Whether the keyboard is on it.
    active: bool,
    linking: Linking,
    on_click: Callback<(usize, MouseEvent)>,
    on_open: Callback<(Object, String)>,
}

/// A line.
#[component]
fn Line(props: &LineProps) -> Html {
    let LineProps { at, spec, row, order, linking, .. } = props;
    let at = *at;
    let onclick = {
        let on_click = props.on_click.clone();
        move |event: MouseEvent| {
            // A link with a key held is the browser's business.
            let held = event.ctrl_key() || event.meta_key() || event.shift_key();
            let link =
                event.target().and_then(|it| it.dyn_into::<Element>().ok()).and_then(|it| it.closest("a").ok().flatten());
            if !(held && link.is_some()) {
                on_click.emit((at, event));
            }
        }
    };
    let ondblclick = {
        let (on_open, object, uuid) = (props.on_open.clone(), row.object.clone(), row.uuid.clone());
        move |_| on_open.emit((object.clone(), uuid.clone()))
    };
    let drawn = order.iter().enumerate().map(|(place, column)| {
        let (value, shape) = (&row.cells[*column], spec.columns[*column].shape);
        let class = classes!(format!("at-{}", place + 1), tools::is_number(shape).then_some("number"));
        if *column == 0 {
            let href = cells::page(linking.pool.as_deref(), row.object.class, &row.uuid);
            // The line's own click selects; the address is for those who want it elsewhere.
            let onclick = |event: MouseEvent| {
                if !(event.ctrl_key() || event.meta_key() || event.shift_key()) {
                    event.prevent_default();
                }
            };
            return html! {
                <td {class}><a class="name" {href} tabindex="-1" {onclick} title={row.name.clone()}>
                    { icon(spec.icon) }<span>{ &row.name }</span>
                </a></td>
            };
        }
        html! { <td {class} title={cells::title(value)}>{ cells::view(value, shape, linking) }</td> }
    });
    html! {
        <tr id={line_id(at)} class={classes!("item", props.active.then_some("active"), props.recent)} aria-rowindex={(at + 2).to_string()}
            aria-selected={props.selected.to_string()} {onclick} {ondblclick} data-testid={testid(spec, "row")}
            data-uuid={row.uuid.clone()} data-state={row.state.map(|state| state.name())}>
            { for drawn }
        </tr>
    }
}
