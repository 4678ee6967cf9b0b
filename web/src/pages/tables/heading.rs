//! The headings: sorting, and how wide columns are.

use wasm_bindgen::JsCast as _;
use web_sys::{Element, PointerEvent};
use xenapi_console::state::Action;
use xenapi_console::tables::{Columns, Sort, Spec};
use xenapi_console::text::Text;
use yew::prelude::*;

use super::{SORT, keep_columns};
use crate::components::{Mark, mark};
use crate::store::{Same, StoreHandle, use_store};

/// By how much a key changes a width, in pixels.
const STEP: i32 = 16;

#[derive(Properties, PartialEq)]
pub(super) struct HeadingProps {
    pub(super) spec: &'static Spec,
    /// The place of the column among those of the kind.
    pub(super) column: usize,
    pub(super) columns: Same<Columns>,
    pub(super) sort: Same<Sort>,
    /// Tells how wide the column is while it is dragged; none when that is over.
    pub(super) on_drag: Callback<Option<(usize, i32)>>,
}

/// A heading. A click sorts, with Shift also by this column; Alt and the arrows move it, Shift and the arrows make it wider.
#[component]
pub(super) fn Heading(props: &HeadingProps) -> Html {
    let store = use_store();
    let HeadingProps { spec, column, .. } = *props;
    let shown = &spec.columns[column];
    let title = shown.title.get();
    let place = props.sort.place(column);
    let sort = match place {
        // Only the first key is told as the order of the table, as the ARIA practices have it.
        Some((0, descending)) => Some(if descending { "descending" } else { "ascending" }),
        _ => None,
    };
    let onclick = {
        let (store, sort) = (store.clone(), props.sort.clone());
        Callback::from(move |event: MouseEvent| {
            let next = sort.by(column, event.shift_key()).write(spec);
            let kept = (next != spec.sort).then_some(next);
            store.dispatch(Action::Keep(SORT.into(), kept));
        })
    };
    let onkeydown = key_handler(&store, props);
    let arrow = place.map(|(_, descending)| mark(if descending { Mark::Down } else { Mark::Up }));
    let rank = place.filter(|_| props.sort.depth() > 1).map(|(at, _)| at + 1);
    let label = rank.map(|rank| Text::SortedPlace.with(&[title, &rank.to_string()]));
    html! {
        <th scope="col" class={classes!(shown.shape.is_number().then_some("number"))} aria-sort={sort}>
            <button type="button" title={Text::SortHint.with(&[title])} aria-label={label} {onclick} {onkeydown}
                data-testid={format!("sort-{}", shown.id)}>
                <span>{ title }</span>{ for arrow }
                if let Some(rank) = rank { <span class="rank" aria-hidden="true">{ rank }</span> }
            </button>
            { handle(&store, props) }
        </th>
    }
}

fn key_handler(store: &StoreHandle, props: &HeadingProps) -> Callback<KeyboardEvent> {
    let (store, columns, spec, column) = (store.clone(), props.columns.clone(), props.spec, props.column);
    Callback::from(move |event: KeyboardEvent| {
        let right = match event.key().as_str() {
            "ArrowRight" => true,
            "ArrowLeft" => false,
            _ => return,
        };
        // It may be drawn wider than it was chosen to be.
        let heading = event.target_dyn_into::<Element>().and_then(|it| it.closest("th").ok().flatten());
        let Some(now) = heading.map(|it| rounded(it.get_bounding_client_rect().width())) else { return };
        let next = if event.alt_key() {
            columns.shift(column, right)
        } else if event.shift_key() {
            columns.resize(column, now + if right { STEP } else { -STEP })
        } else {
            return;
        };
        event.prevent_default();
        keep_columns(&store, spec, &next);
    })
}

/// The edge of a column, to be dragged. The keyboard has its own way, and screen readers do not need this one.
fn handle(store: &StoreHandle, props: &HeadingProps) -> Html {
    let column = props.column;
    let width = |event: &PointerEvent| -> Option<i32> {
        let heading = event.target_dyn_into::<Element>()?.closest("th").ok()??;
        Some(event.client_x() - rounded(heading.get_bounding_client_rect().left()))
    };
    let onpointerdown = Callback::from(move |event: PointerEvent| {
        event.prevent_default();
        if let Some(element) = event.target().and_then(|it| it.dyn_into::<Element>().ok()) {
            // Without it the drag ends where the pointer leaves the edge, which is no harm.
            let _ = element.set_pointer_capture(event.pointer_id());
        }
    });
    let onpointermove = {
        let on_drag = props.on_drag.clone();
        Callback::from(move |event: PointerEvent| {
            if event.buttons() & 1 == 1
                && let Some(width) = width(&event)
            {
                on_drag.emit(Some((column, width)));
            }
        })
    };
    let onpointerup = {
        let (on_drag, store, columns, spec) = (props.on_drag.clone(), store.clone(), props.columns.clone(), props.spec);
        Callback::from(move |event: PointerEvent| {
            on_drag.emit(None);
            if let Some(width) = width(&event) {
                keep_columns(&store, spec, &columns.resize(column, width));
            }
        })
    };
    html! { <span class="edge-handle" aria-hidden="true" {onpointerdown} {onpointermove} {onpointerup}></span> }
}

#[allow(clippy::cast_possible_truncation, reason = "a place on the screen is small, and a cast saturates")]
fn rounded(pixels: f64) -> i32 {
    pixels.round() as i32
}
