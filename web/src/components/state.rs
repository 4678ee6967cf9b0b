//! States and cells.

use xenapi_console::select::Cell;
use xenapi_console::text::{self, Text};
use xenapi_topology::State;
use yew::prelude::*;

use super::glyph;

/// A state: its shape, and the word that the class has for it.
pub(crate) fn state_view(class: &str, state: State) -> Html {
    html! { <span class="state" data-state={state.name()}>{ glyph(state) }{ text::state_of(class, state).get() }</span> }
}

/// A value, or that there is none, or that nobody knows.
pub(crate) fn cell_view(value: &Cell) -> Html {
    match value {
        Cell::Text(text) => html! { <>{ text }</> },
        Cell::Nothing => html! { <span class="quiet">{ Text::Nothing.get() }</span> },
        Cell::Unknown => html! { <span class="unknown" title={Text::UnknownTitle.get()}>{ Text::Unknown.get() }</span> },
    }
}
