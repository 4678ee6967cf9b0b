//! Links within the console: real addresses, so that they can be copied and opened elsewhere; a plain click stays in the page.

use xenapi_console::route::{Named, Route, View};
use xenapi_console::state::Action;
use yew::prelude::*;

use crate::store::{StoreHandle, use_store};

/// Whether the browser is asked for something else than to follow a link here: another tab, another window.
pub(crate) fn is_elsewhere(event: &MouseEvent) -> bool {
    event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key() || event.button() != 0
}

/// The address of a view of the pool that is shown.
pub(crate) fn href(store: &StoreHandle, view: &View) -> String {
    Route::to(store.0.pool.clone(), view.clone()).path()
}

/// The page of an object.
pub(crate) fn page_of(class: &str, uuid: &str) -> View {
    View::Object(Named { class: class.into(), uuid: uuid.into() })
}

#[derive(Properties, PartialEq)]
pub(crate) struct LinkProps {
    pub(crate) view: View,
    #[prop_or_default]
    pub(crate) class: Classes,
    /// Whether it leads to where one is.
    #[prop_or_default]
    pub(crate) current: bool,
    #[prop_or_default]
    pub(crate) testid: Option<AttrValue>,
    #[prop_or_default]
    pub(crate) title: Option<AttrValue>,
    #[prop_or_default]
    pub(crate) children: Html,
}

/// A link to a view of the pool that is shown.
#[component]
pub(crate) fn Link(props: &LinkProps) -> Html {
    let store = use_store();
    let onclick = {
        let (dispatcher, view) = (store.dispatcher(), props.view.clone());
        Callback::from(move |event: MouseEvent| {
            if !is_elsewhere(&event) {
                event.prevent_default();
                dispatcher.dispatch(Action::Show(view.clone()));
            }
        })
    };
    html! {
        <a href={href(&store, &props.view)} class={props.class.clone()} aria-current={props.current.then_some("page")} {onclick}
            title={props.title.clone()} data-testid={props.testid.clone()}>{ props.children.clone() }</a>
    }
}
