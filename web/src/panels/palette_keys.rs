//! What opens the command palette, before any of it is here.

use gloo_events::{EventListener, EventListenerOptions};
use wasm_bindgen::JsCast as _;
use web_sys::Element;
use xenapi_console::state::Action;
use yew::prelude::*;

use crate::dom;
use crate::parts::{Lazy, Part};
use crate::store::use_store;

/// Opens the palette with Ctrl+K, or with a slash where nothing is typed. From then on it stays, with what it has found out.
#[component]
pub(crate) fn PaletteKeys() -> Html {
    let store = use_store();
    let wanted = use_mut_ref(|| false);
    {
        let (dispatcher, open) = (store.dispatcher(), store.0.palette);
        use_effect_with(open, move |open| {
            let open = *open;
            let listener = dom::window().map(|window| {
                let options = EventListenerOptions::enable_prevent_default();
                EventListener::new_with_options(&window, "keydown", options, move |event| {
                    let Some(key) = event.dyn_ref::<web_sys::KeyboardEvent>() else { return };
                    if opens(key) {
                        event.prevent_default();
                        dispatcher.dispatch(Action::Palette(!open));
                    }
                })
            });
            move || drop(listener)
        });
    }
    *wanted.borrow_mut() |= store.0.palette;
    if !*wanted.borrow() {
        return html! {};
    }
    html! { <Lazy part={Part::Palette} view={store.0.view.clone()} /> }
}

/// Whether a key opens or closes the palette.
fn opens(key: &web_sys::KeyboardEvent) -> bool {
    let held = key.ctrl_key() || key.meta_key();
    if held && !key.shift_key() && !key.alt_key() && key.key().eq_ignore_ascii_case("k") {
        return true;
    }
    let types = key.target().and_then(|it| it.dyn_into::<Element>().ok()).is_some_and(|element| {
        matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT") || element.has_attribute("contenteditable")
    });
    key.key() == "/" && !held && !key.alt_key() && !types
}
