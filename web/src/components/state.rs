//! States and cells.

use xenapi_console::select::Cell;
use xenapi_console::text::Text;
use xenapi_topology::State;
use yew::prelude::*;

use super::Glyph;

#[derive(Properties, PartialEq)]
pub(crate) struct StateProps {
    pub(crate) state: State,
}

/// A state: its shape and its word.
#[component]
pub(crate) fn StateView(props: &StateProps) -> Html {
    html! {
        <span class="state" data-state={props.state.name()}>
            <Glyph state={props.state} />
            { props.state.name() }
        </span>
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct CellProps {
    pub(crate) value: Cell,
}

/// A value, or that there is none, or that nobody knows.
#[component]
pub(crate) fn CellView(props: &CellProps) -> Html {
    match &props.value {
        Cell::Text(text) => html! { <>{ text }</> },
        Cell::Nothing => html! { <span class="quiet">{ Text::Nothing.get() }</span> },
        Cell::Unknown => html! { <span class="unknown" title={Text::UnknownTitle.get()}>{ Text::Unknown.get() }</span> },
    }
}
