//! Opening a pool without a server: by dropping files on the page, by choosing them, or a simulated one.

use gloo_events::{EventListener, EventListenerOptions};
use js_sys::{Array, Function, Reflect};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlInputElement;
use xenapi_console::explain;
use xenapi_console::route::Route;
use xenapi_console::state::Action;
use xenapi_console::text::Text;
use yew::prelude::*;

use crate::driver::PoolInfo;
use crate::store::StoreHandle;
use crate::{dom, local, parts};

/// What somebody wants to open.
#[derive(Clone)]
pub(crate) enum What {
    Demo,
    /// The entries of a drop, and the files of a field.
    Files(Array, Array),
}

/// How it stands with pools in the page itself, as a context.
#[derive(Clone, PartialEq, Default)]
pub(crate) struct Opening {
    /// Those that are open.
    pub(crate) pools: Vec<PoolInfo>,
    pub(crate) busy: bool,
    /// Why the last one could not be opened.
    pub(crate) trouble: Option<String>,
    /// Whether files are over the page.
    over: bool,
    /// Opens another.
    pub(crate) open: Callback<What>,
    /// The trouble was read.
    dismiss: Callback<()>,
}

impl PartialEq for What {
    fn eq(&self, _: &Self) -> bool {
        false
    }
}

/// Opens pools, and listens to what is dropped on the page.
#[hook]
pub(crate) fn use_opening(store: &StoreHandle) -> Opening {
    let state = use_state(Opening::default);
    let open = {
        let (setter, dispatcher) = (state.setter(), store.dispatcher());
        use_callback((), move |what: What, ()| {
            let (setter, dispatcher) = (setter.clone(), dispatcher.clone());
            setter.set(Opening { pools: local::pools(), busy: true, ..Opening::default() });
            spawn_local(async move {
                let opened = match parts::open(what).await {
                    Ok(opening) => opening.await,
                    Err(why) => Err(why.0),
                };
                let trouble = opened.as_ref().err().map(|why| why.trim_end_matches('.').to_owned());
                setter.set(Opening { pools: local::pools(), trouble, ..Opening::default() });
                if let Ok(info) = opened {
                    go_to(&dispatcher, info);
                }
            });
        })
    };
    {
        let (open, setter) = (open.clone(), state.setter());
        use_effect_with((), move |()| {
            let listeners = dom::window().map(|window| {
                let may_prevent = EventListenerOptions::enable_prevent_default();
                let over = setter.clone();
                let dragged = EventListener::new_with_options(&window, "dragover", may_prevent, move |event| {
                    if carries_files(event) {
                        event.prevent_default();
                        over.set(Opening { pools: local::pools(), over: true, ..Opening::default() });
                    }
                });
                let left = setter.clone();
                let gone = EventListener::new(&window, "dragleave", move |event| {
                    // Only whoever leaves the page, and not a part of it, has changed their mind.
                    if member(event, "relatedTarget").is_null() {
                        left.set(Opening { pools: local::pools(), ..Opening::default() });
                    }
                });
                let dropped = EventListener::new_with_options(&window, "drop", may_prevent, move |event| {
                    if carries_files(event) {
                        event.prevent_default();
                        open.emit(What::Files(entries(event), Array::new()));
                    }
                });
                [dragged, gone, dropped]
            });
            move || drop(listeners)
        });
    }
    let dismiss = {
        let setter = state.setter();
        use_callback((), move |(), ()| setter.set(Opening { pools: local::pools(), ..Opening::default() }))
    };
    Opening { open, dismiss, ..(*state).clone() }
}

/// A copy that was opened is what one wants to see; an address that names something in it stays.
fn go_to(dispatcher: &UseReducerDispatcher<crate::store::Store>, info: PoolInfo) {
    let here = Route::parse(&dom::hash());
    let route = if here.pool.as_deref() == Some(info.name.as_str()) {
        here
    } else {
        Route { pool: Some(info.name), ..Route::default() }
    };
    dom::set_hash(&route.path(), false);
    dispatcher.dispatch(Action::Navigate(route));
}

fn member(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

fn carries_files(event: &web_sys::Event) -> bool {
    let types = member(&member(event, "dataTransfer"), "types");
    Array::from(&types).iter().any(|it| it.as_string().as_deref() == Some("Files"))
}

/// The files and folders of a drop. They can be had only while it is told.
fn entries(event: &web_sys::Event) -> Array {
    let items = member(&member(event, "dataTransfer"), "items");
    let entry = |item: JsValue| {
        let get = member(&item, "webkitGetAsEntry");
        let entry = get.dyn_ref::<Function>()?.call0(&item).ok()?;
        (!entry.is_null()).then_some(entry)
    };
    Array::from(&items).iter().filter_map(entry).collect()
}

/// What lies over the page while files are, and what became of them.
#[component]
pub(crate) fn DropVeil() -> Html {
    let opening = use_context::<Opening>().unwrap_or_default();
    if opening.busy {
        return html! { <div class="drop" role="status"><p>{ Text::Opening.get() }</p></div> };
    }
    if let Some(why) = &opening.trouble {
        let close = {
            let open = opening.dismiss.clone();
            move |_| open.emit(())
        };
        return html! {
            <div class="toast message" role="alert" data-testid="open-error">
                <strong>{ Text::CannotOpen.get() }</strong>
                <span>{ explain::sentence(&Text::CannotOpenHint.with(&[why])) }</span>
                <button type="button" class="button" onclick={close}>{ Text::Close.get() }</button>
            </div>
        };
    }
    if !opening.over {
        return html! {};
    }
    html! { <div class="drop" data-testid="drop"><p>{ Text::DropHere.get() }</p></div> }
}

/// Ways to a pool without a server.
#[component]
pub(crate) fn OpenLocal() -> Html {
    let opening = use_context::<Opening>().unwrap_or_default();
    let picked = |folder: bool| {
        let open = opening.open.clone();
        let onchange = Callback::from(move |event: Event| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                let files = Array::from(&member(&input, "files"));
                // So that the same files can be chosen once more.
                input.set_value("");
                if files.length() > 0 {
                    open.emit(What::Files(Array::new(), files));
                }
            }
        });
        let (text, testid) = if folder { (Text::OpenFolder, "open-folder") } else { (Text::OpenFile, "open-file") };
        html! {
            <label class="button file-button">
                { text.get() }
                <input type="file" multiple={!folder} webkitdirectory={folder} {onchange} data-testid={testid} />
            </label>
        }
    };
    let demo = {
        let open = opening.open.clone();
        move |_| open.emit(What::Demo)
    };
    html! {
        <section class="login-more" aria-label={Text::OpenTitle.get()}>
            <p>{ Text::OpenHint.get() }</p>
            <div class="ways">
                { picked(false) }
                { picked(true) }
                <button type="button" class="button" onclick={demo} data-testid="open-demo">{ Text::TryDemo.get() }</button>
            </div>
        </section>
    }
}
