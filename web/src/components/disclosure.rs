//! A button that opens a small panel below it.

use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement, Node};
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct DisclosureProps {
    /// What tells it from the others of the page.
    pub(crate) id: &'static str,
    /// What it is called, for those who do not see the button, and for those who point at it.
    pub(crate) label: String,
    /// What the button shows.
    pub(crate) button: Html,
    #[prop_or_default]
    pub(crate) class: Classes,
    /// What the panel holds, drawn while it is open.
    pub(crate) panel: Callback<(), Html>,
}

/// The button and its panel. Escape closes it, and so does leaving it.
#[component]
pub(crate) fn Disclosure(props: &DisclosureProps) -> Html {
    let open = use_state_eq(|| false);
    let node = use_node_ref();
    let panel = format!("{}-panel", props.id);
    let onclick = {
        let open = open.clone();
        Callback::from(move |_: MouseEvent| open.set(!*open))
    };
    let onfocusout = {
        let (open, node) = (open.setter(), node.clone());
        Callback::from(move |event: FocusEvent| {
            let to = event.related_target().and_then(|it| it.dyn_into::<Node>().ok());
            let within = node.cast::<Element>().is_some_and(|it| it.contains(to.as_ref()));
            // A click on something that takes no focus within the panel leaves it open.
            if to.is_some() && !within {
                open.set(false);
            }
        })
    };
    let onkeydown = {
        let (open, node) = (open.clone(), node.clone());
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" && *open {
                event.prevent_default();
                event.stop_propagation();
                open.set(false);
                let button = node.cast::<Element>().and_then(|it| it.query_selector("button").ok().flatten());
                if let Some(button) = button.and_then(|it| it.dyn_into::<HtmlElement>().ok()) {
                    // The button takes the focus, or nothing does.
                    let _ = button.focus();
                }
            }
        })
    };
    let veil = {
        let open = open.setter();
        Callback::from(move |_: MouseEvent| open.set(false))
    };
    // A link within leads away: then the panel is in the way.
    let onclick_panel = {
        let open = open.setter();
        Callback::from(move |event: MouseEvent| {
            let link = event.target_dyn_into::<Element>().and_then(|it| it.closest("a, button").ok().flatten());
            if link.is_some() {
                open.set(false);
            }
        })
    };
    html! {
        <div ref={node} class={classes!("disclosure", props.class.clone())} {onfocusout} {onkeydown}>
            <button type="button" class="icon-button" title={props.label.clone()} aria-label={props.label.clone()}
                aria-expanded={open.to_string()} aria-controls={panel.clone()} {onclick} data-testid={props.id}>
                { props.button.clone() }
            </button>
            if *open {
                <div class="veil" onclick={veil} aria-hidden="true"></div>
                <div id={panel.clone()} class="popover" role="group" aria-label={props.label.clone()} onclick={onclick_panel}
                    data-testid={panel}>{ props.panel.emit(()) }</div>
            }
        </div>
    }
}
