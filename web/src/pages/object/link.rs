//! Links to objects and pages: real addresses, followed within the page.

use xenapi_console::object::Object;
use xenapi_console::object_page::Part;
use xenapi_console::route::{Named, Route, View};
use xenapi_console::select;
use xenapi_console::state::Action;
use yew::prelude::*;

use crate::components::glyph;
use crate::dom;
use crate::store::{Data, StoreHandle, use_data, use_store};

/// What links need: where they lead from.
#[derive(Clone, PartialEq)]
pub(crate) struct Go {
    store: StoreHandle,
    data: Data,
    /// The pool's name in addresses.
    pub(crate) pool: Option<String>,
}

/// What links need, from a component within the shell.
#[hook]
pub(crate) fn use_go() -> Go {
    let (store, data) = (use_store(), use_data());
    // The first pool is shown without being named; the address names it.
    let pool = store.0.pool.clone().or_else(|| Route::parse(&dom::hash()).pool);
    Go { store, data, pool }
}

/// The address of an object's page.
pub(crate) fn object_route(pool: Option<String>, named: &Named) -> Route {
    Route::to(pool, View::Object(named.clone()))
}

impl Go {
    /// How addresses name an object.
    pub(crate) fn named(&self, object: &Object) -> Option<Named> {
        self.data.with(|cache| select::named(cache, object.class, &object.reference))
    }

    /// Goes somewhere, as if the address had been typed in.
    pub(crate) fn to(&self, route: &Route) {
        self.store.dispatch(Action::Show(route.view.clone()));
        for (key, value) in &route.query {
            self.store.dispatch(Action::Keep(key.clone(), Some(value.clone())));
        }
        let selected =
            route.selected.as_ref().and_then(|it| self.data.with(|cache| select::find(cache, &it.class, &it.uuid)));
        match (selected, &route.view) {
            (Some(object), _) => self.store.dispatch(Action::Select(Some(object))),
            // A page about an object says more than the panel beside it.
            (None, View::Object(_)) => self.store.dispatch(Action::Select(None)),
            (None, _) => {}
        }
    }

    /// What a click on a link does. With a key held it is the browser's business: another tab, another window.
    pub(crate) fn on_click(&self, route: &Route) -> Callback<MouseEvent> {
        let (go, route) = (self.clone(), route.clone());
        Callback::from(move |event: MouseEvent| {
            if !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key()) {
                event.prevent_default();
                go.to(&route);
            }
        })
    }

    /// A link to an object's page.
    pub(crate) fn object(&self, named: &Named, class: &'static str, inside: Html) -> Html {
        let route = object_route(self.pool.clone(), named);
        html! {
            <a class={classes!("object-link", class)} href={route.path()} onclick={self.on_click(&route)}
                data-class={named.class.clone()} data-uuid={named.uuid.clone()}>{ inside }</a>
        }
    }

    /// A few words, with their state and link.
    pub(crate) fn part(&self, part: &Part) -> Html {
        use xenapi_console::object_page::Look;
        let look = match part.look {
            Look::Plain | Look::Number => "",
            Look::Mono => "mono",
            Look::Quiet => "quiet",
            Look::Unknown => "unknown",
        };
        let words = html! { <span class={look}>{ &part.text }</span> };
        let words = match &part.link {
            Some(named) => self.object(named, "", words),
            None => words,
        };
        let state = part.state.map(|state| {
            let word = xenapi_console::text::state(state).get();
            // Where the words are the state's own, saying it twice helps nobody.
            let told = part.text.starts_with(word);
            html! { <>{ glyph(state) }if !told { <span class="sr-only">{ word }{ " " }</span> }</> }
        });
        let meter = part.permille.map(meter);
        html! { <span class="part">{ state }{ words }{ meter }</span> }
    }
}

/// How full something is, as a bar.
pub(super) fn meter(permille: u32) -> Html {
    html! {
        <svg class={classes!("meter", (permille >= 850).then_some("full"))} viewBox="0 0 1000 4" preserveAspectRatio="none"
            aria-hidden="true"><rect width={permille.to_string()} height="4" /></svg>
    }
}
