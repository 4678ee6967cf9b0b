//! States and cells.

use xenapi_console::select::Cell;
use xenapi_console::text::{self, Text};
use xenapi_topology::State;
use yew::prelude::*;

use super::glyph;

/// A state: its shape and its word.
pub(crate) fn state_view(state: State) -> Html {
    html! { <span class="state" data-state={state.name()}>{ glyph(state) }{ text::state(state).get() }</span> }
}

/// A value, or that there is none, or that nobody knows.
pub(crate) fn cell_view(value: &Cell) -> Html {
    match value {
        Cell::Text(text) => html! { <>{ text }</> },
        Cell::Nothing => html! { <span class="quiet">{ Text::Nothing.get() }</span> },
        Cell::Unknown => html! { <span class="unknown" title={Text::UnknownTitle.get()}>{ Text::Unknown.get() }</span> },
    }
}
