//! A button that opens a panel below it, and stays open while one chooses in it.

use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement, Node};
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(super) struct MenuProps {
    /// What the button says.
    pub(super) label: Html,
    /// What the panel is, for those who do not see it, and the button where it has no words.
    pub(super) title: String,
    pub(super) testid: String,
    #[prop_or_default]
    pub(super) class: Classes,
    /// Whether something in it is chosen.
    #[prop_or_default]
    pub(super) active: bool,
    /// Makes what is in the panel, while it is open.
    pub(super) panel: Callback<(), Html>,
}

/// The button and its panel. Escape closes it, and so does going elsewhere.
#[component]
pub(super) fn Menu(props: &MenuProps) -> Html {
    let open = use_state_eq(|| false);
    let node = use_node_ref();
    let onclick = {
        let open = open.clone();
        Callback::from(move |_: MouseEvent| open.set(!*open))
    };
    let onfocusout = {
        let (open, node) = (open.setter(), node.clone());
        Callback::from(move |event: FocusEvent| {
            let to = event.related_target().and_then(|it| it.dyn_into::<Node>().ok());
            if !node.cast::<Element>().is_some_and(|it| it.contains(to.as_ref())) {
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
    html! {
        <div ref={node} class={classes!("table-menu", props.class.clone())} {onfocusout} {onkeydown}>
            <button type="button" class={classes!("button", props.active.then_some("active"))} title={props.title.clone()}
                aria-label={props.title.clone()} aria-expanded={open.to_string()} {onclick} data-testid={props.testid.clone()}>
                { props.label.clone() }
            </button>
            if *open {
                // It takes the focus, so that a click on an empty part of it is no going elsewhere.
                <div class="menu-panel" role="group" aria-label={props.title.clone()} tabindex="-1">
                    { props.panel.emit(()) }
                </div>
            }
        </div>
    }
}
