//! Learning the API: its classes, what they are made of, and calls as they go over the wire.

mod call;
mod class;
mod code;
mod diagram;
mod entry;
mod list;
mod member;
mod reply;

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen_futures::spawn_local;
use xenapi_console::explorer::catalogue::Catalogue;
use xenapi_console::route::{Route, View};
use xenapi_console::state::Action;
use xenapi_console::text::Text;
use yew::prelude::*;

use crate::components::empty;
use crate::components::empty::words;
use crate::driver;
use crate::store::{Same, StoreHandle, use_store};

/// The file with all that the API knows, beside the page.
const CATALOGUE: &str = "./api.json";

/// What the address says of the object that calls are to be made on: a uuid.
const ON: &str = "on";

thread_local! {
    /// What was loaded once is not loaded again.
    static LOADED: RefCell<Option<Rc<Catalogue>>> = const { RefCell::new(None) };
}

#[derive(Properties, PartialEq)]
pub(crate) struct ExplorerProps {
    /// The rest of the address: nothing, a class, a class and a message, `VM`, `fields` and a field, `errors` and a code.
    pub(crate) parts: Vec<String>,
}

/// The catalogue, or what keeps it from being here.
#[derive(Clone, PartialEq)]
enum State {
    Loading,
    Failed(String),
    Ready(Same<Catalogue>),
}

/// The page.
#[component]
pub(crate) fn ExplorerPage(props: &ExplorerProps) -> Html {
    let (state, again) = use_catalogue();
    match state {
        State::Loading => empty("api-loading", Text::ApiLoading.get(), Text::ApiLoadingHint.get(), None),
        State::Failed(why) => {
            let again = Callback::from(move |_: MouseEvent| again.emit(()));
            empty("api-failed", Text::ApiFailed.get(), &why, Some((Text::TryAgain.get().into(), again)))
        }
        State::Ready(catalogue) => html! {
            <div class={classes!("explorer", (!props.parts.is_empty()).then_some("inside"))} data-testid="explorer">
                <list::ClassList catalogue={catalogue.clone()} here={props.parts.first().cloned()} />
                <div class="explorer-page">{ page(&catalogue, &props.parts) }</div>
            </div>
        },
    }
}

fn page(catalogue: &Same<Catalogue>, parts: &[String]) -> Html {
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let unknown = || empty("api-unknown", Text::ApiUnknown.get(), Text::ApiUnknownHint.get(), None);
    match parts.as_slice() {
        [] => list::start(catalogue),
        ["errors"] => member::errors(catalogue),
        ["errors", code] => member::error(catalogue, code),
        [class] => match catalogue.class(class) {
            Some(_) => html! { <class::ClassPage key={*class} catalogue={catalogue.clone()} class={(*class).to_owned()} /> },
            None => unknown(),
        },
        [class, "fields", field] => match catalogue.class(class).and_then(|it| Some((it, it.field(field)?))) {
            Some((class, field)) => member::field(catalogue, class, field),
            None => unknown(),
        },
        [class, message, ..] => match catalogue.message(class, message) {
            Some(_) => {
                let key = format!("{class}.{message}");
                html! {
                    <call::CallPage {key} catalogue={catalogue.clone()} class={(*class).to_owned()}
                        message={(*message).to_owned()} />
                }
            }
            None => unknown(),
        },
    }
}

#[hook]
fn use_catalogue() -> (State, Callback<()>) {
    let state = use_state(|| {
        let loaded = LOADED.with_borrow(Clone::clone);
        loaded.map_or(State::Loading, |it| State::Ready(Same(it)))
    });
    let round = use_state(|| 0_u32);
    {
        let state = state.setter();
        use_effect_with(*round, move |_| {
            if LOADED.with_borrow(Option::is_none) {
                state.set(State::Loading);
                spawn_local(async move {
                    state.set(load().await);
                });
            }
        });
    }
    let again = Callback::from(move |()| round.set(*round + 1));
    ((*state).clone(), again)
}

async fn load() -> State {
    let text = match driver::file(CATALOGUE).await {
        Ok(text) => text,
        Err(why) => return State::Failed(why),
    };
    match Catalogue::read(&text) {
        Ok(catalogue) => {
            let catalogue = Rc::new(catalogue);
            LOADED.set(Some(catalogue.clone()));
            State::Ready(Same(catalogue))
        }
        Err(error) => State::Failed(error.to_string()),
    }
}

/// A link within the explorer.
#[derive(Properties, PartialEq)]
pub(crate) struct LinkProps {
    /// Where to.
    pub(crate) parts: Vec<String>,
    #[prop_or_default]
    pub(crate) class: Classes,
    #[prop_or_default]
    pub(crate) here: bool,
    #[prop_or_default]
    pub(crate) title: Option<String>,
    #[prop_or_default]
    pub(crate) testid: Option<String>,
    pub(crate) children: Html,
}

/// A link within the explorer: an address that can be opened elsewhere, too.
#[component]
pub(crate) fn ApiLink(props: &LinkProps) -> Html {
    let store = use_store();
    let view = View::Explorer(props.parts.clone());
    // The object that somebody came from goes along, as long as it is one of the class.
    let View::Explorer(here) = &store.0.view else { return html! {} };
    let kept = store.0.query.get_key_value(ON).filter(|_| here.first() == props.parts.first());
    let query = kept.map(|(key, uuid)| (key.clone(), uuid.clone())).into_iter().collect();
    let route = Route { query, ..Route::to(store.0.pool.clone(), view) };
    let href = route.path();
    let onclick = going(&store, route);
    html! {
        <a {href} class={props.class.clone()} aria-current={props.here.then_some("page")} title={props.title.clone()} {onclick}
            data-testid={props.testid.clone()}>{ props.children.clone() }</a>
    }
}

/// Goes there, unless a key is held: then it is the browser's business, as another tab.
fn going(store: &StoreHandle, route: Route) -> Callback<MouseEvent> {
    let store = store.clone();
    Callback::from(move |event: MouseEvent| {
        if !(event.ctrl_key() || event.meta_key() || event.shift_key()) {
            event.prevent_default();
            store.dispatch(Action::Navigate(route.clone()));
        }
    })
}

/// A link to a class.
fn class_link(name: &str) -> Html {
    html! { <ApiLink parts={vec![name.to_owned()]}><code>{ name }</code></ApiLink> }
}

/// A type, whose class is a link.
fn type_view(ty: &xenapi_console::explorer::ty::Ty) -> Html {
    let text = ty.to_string();
    let Some((class, (before, after))) = ty.class().and_then(|it| Some((it, text.split_once(it)?))) else {
        return html! { <code class="type">{ text }</code> };
    };
    html! {
        <code class="type">{ before }<ApiLink parts={vec![class.to_owned()]}>{ class }</ApiLink>{ after }</code>
    }
}

/// A stage that is worth a word: `deprecated`, `removed`, `prototyped`.
fn stage(state: &str) -> Html {
    let text = match state {
        "deprecated" => Text::StageDeprecated,
        "removed" => Text::StageRemoved,
        "prototyped" => Text::StagePrototyped,
        _ => return html! {},
    };
    html! { <span class="stage">{ text.get() }</span> }
}

/// A sentence of the catalogue, in which names stand between backticks.
fn sentence(text: &str) -> Html {
    words(text)
}
