//! The kinds of tables.

use wasm_bindgen::JsCast as _;
use web_sys::HtmlElement;
use xenapi_console::route::{Kind, View};
use xenapi_console::text::Text;
use yew::prelude::*;

use crate::components::Link;
use crate::store::use_store;

/// Every kind of table, while one is shown.
#[component]
pub(crate) fn Kinds() -> Html {
    let store = use_store();
    let node = use_node_ref();
    {
        let node = node.clone();
        use_effect_with(store.0.view.clone(), move |_| reveal_current(&node));
    }
    let View::Table(here) = store.0.view else { return html! {} };
    let links = Kind::ALL.into_iter().map(|kind| {
        let testid = format!("table-{}", kind.path());
        html! { <Link view={View::Table(kind)} current={kind == here} {testid}>{ kind.label().get() }</Link> }
    });
    html! { <nav ref={node} class="kinds" aria-label={Text::Tables.get()}>{ for links }</nav> }
}

/// Where not all kinds have room, scrolls to the one that is shown.
fn reveal_current(node: &NodeRef) {
    let Some(nav) = node.cast::<HtmlElement>() else { return };
    let current = nav.query_selector("[aria-current]").ok().flatten().and_then(|it| it.dyn_into::<HtmlElement>().ok());
    if let Some(link) = current {
        let middle = link.offset_left() - nav.offset_left() + link.offset_width() / 2;
        nav.set_scroll_left(middle - nav.client_width() / 2);
    }
}
