//! What stands in a cell, and links.

use xenapi_console::object::Object;
use xenapi_console::route::{Named, Route, View};
use xenapi_console::tables::{Link, Shape, Value};
use xenapi_console::text::{self, Text};
use yew::prelude::*;

use crate::components::{glyph, state_view};

/// The address of an object's page.
pub(super) fn page(pool: Option<&str>, class: &str, uuid: &str) -> String {
    let view = View::Object(Named { class: class.into(), uuid: uuid.into() });
    Route::to(pool.map(str::to_owned), view).path()
}

/// What a line needs to make links.
#[derive(Clone, PartialEq)]
pub(super) struct Linking {
    pub(super) pool: Option<AttrValue>,
    pub(super) select: Callback<Object>,
}

impl Linking {
    fn link(&self, link: &Link) -> Html {
        let (select, object) = (self.select.clone(), link.object.clone());
        let onclick = Callback::from(move |event: MouseEvent| {
            if !(event.ctrl_key() || event.meta_key() || event.shift_key()) {
                event.prevent_default();
                event.stop_propagation();
                select.emit(object.clone());
            }
        });
        let href = page(self.pool.as_deref(), link.object.class, &link.uuid);
        html! { <a class="cell-link" {href} tabindex="-1" {onclick}>{ &link.name }</a> }
    }
}

/// How many names of several are shown.
const NAMED: usize = 3;

/// What stands in a cell.
pub(super) fn view(value: &Value, shape: Shape, linking: &Linking) -> Html {
    match value {
        Value::Nothing => html! { <span class="quiet">{ Text::Nothing.get() }</span> },
        Value::Unknown => html! { <span class="unknown" title={Text::UnknownTitle.get()}>{ Text::Unknown.get() }</span> },
        Value::State(state) => state_view("VM", *state),
        Value::Status(state, word) => {
            html! { <span class="state" data-state={state.name()}>{ glyph(*state) }{ word.get() }</span> }
        }
        Value::Links(links) => {
            let shown = links.iter().take(NAMED).enumerate().map(|(at, link)| {
                let comma = (at > 0).then_some(", ");
                html! { <>{ comma }{ linking.link(link) }</> }
            });
            let rest = links.len().saturating_sub(NAMED);
            html! { <>{ for shown }if rest > 0 { <span class="quiet">{ format!(" +{rest}") }</span> }</> }
        }
        Value::List(words) if shape == Shape::List => {
            html! { <span class="tag-list">{ for words.iter().map(|word| html! { <span class="word-chip">{ word }</span> }) }</span> }
        }
        Value::Share(share) => html! {
            <span class="share">
                { if shape == Shape::Progress { progress(*share) } else { bar(*share) } }<span>{ value.show().into_owned() }</span>
            </span>
        },
        Value::Truth(false) => html! { <span class="quiet">{ Text::No.get() }</span> },
        _ if shape == Shape::Code => html! { <span class="mono">{ value.show().into_owned() }</span> },
        _ => html! { <>{ value.show().into_owned() }</> },
    }
}

/// How full something is, beside the number that says the same.
pub(crate) fn bar(share: u32) -> Html {
    filled(share, classes!("bar", (share >= 850).then_some("full")))
}

/// How far something is: nothing is wrong with what is nearly done.
pub(crate) fn progress(share: u32) -> Html {
    filled(share, classes!("bar"))
}

fn filled(share: u32, class: Classes) -> Html {
    html! {
        <svg {class} viewBox="0 0 1000 6" preserveAspectRatio="none" aria-hidden="true">
            <rect width={share.min(1000).to_string()} height="6" />
        </svg>
    }
}

/// What a cell says at the pointer, where it may be cut off.
pub(super) fn title(value: &Value) -> Option<String> {
    match value {
        Value::Text(_) | Value::Links(_) | Value::List(_) => Some(value.show().into_owned()),
        Value::State(state) => Some(text::state(*state).get().into()),
        _ => None,
    }
}
