//! The page as a whole: which pools there are, which one this is, and the address.

use gloo_events::EventListener;
use wasm_bindgen_futures::spawn_local;
use xenapi_console::explain;
use xenapi_console::route::Route;
use xenapi_console::state::Action;
use xenapi_console::text::Text;
use yew::prelude::*;

use crate::components::empty;
use crate::components::empty::Remedy;
use crate::dom;
use crate::driver::{self, PoolInfo};
use crate::pages::{DropVeil, OpenLocal, Opening, SessionPage, What, use_opening};
use crate::store::{Pools as KnownPools, Store, StoreHandle};

/// What is known of the pools.
#[derive(Clone, PartialEq)]
enum Pools {
    Asking,
    Failed(String),
    Known(Vec<PoolInfo>),
}

/// The console.
#[component]
pub(crate) fn App() -> Html {
    let store = use_reducer(Store::load);
    use_address(&store);
    use_theme(&store);
    let opening = use_opening(&store);
    let (pools, ask_again) = use_pools();
    {
        let open = opening.open.clone();
        use_effect_with((), move |()| {
            if dom::asks_for("demo") {
                open.emit(What::Demo);
            }
        });
    }
    html! {
        <ContextProvider<StoreHandle> context={store.clone()}>
            <ContextProvider<Opening> context={opening.clone()}>
                { page(&store, &pools, &opening, ask_again) }
                <DropVeil />
            </ContextProvider<Opening>>
        </ContextProvider<StoreHandle>>
    }
}

fn page(store: &StoreHandle, pools: &Pools, opening: &Opening, ask_again: Callback<MouseEvent>) -> Html {
    // A pool in the page itself needs nobody's answer.
    let here = opening.pools.iter().find(|pool| store.0.pool.as_ref() == Some(&pool.name));
    let known: Vec<PoolInfo> = match pools {
        Pools::Known(known) => known.iter().chain(&opening.pools).cloned().collect(),
        Pools::Asking | Pools::Failed(_) => opening.pools.clone(),
    };
    if let Some(pool) = here {
        return session(pool, &known);
    }
    match pools {
        Pools::Asking => return html! { <p class="boot" role="status">{ Text::Connecting.get() }</p> },
        Pools::Failed(why) => {
            let hint = Text::PoolsFailedHint.with(&[why]);
            return without_pool("pools-failed", Text::PoolsFailed.get(), &hint, (Text::TryAgain.get().into(), ask_again));
        }
        Pools::Known(_) => {}
    }
    let Some(first) = known.first() else {
        let remedy = (Text::TryAgain.get().into(), ask_again);
        return without_pool("no-pools", Text::NoPools.get(), Text::NoPoolsHint.get(), remedy);
    };
    let last = dom::storage::pool();
    let last = last.as_deref().filter(|last| known.iter().any(|pool| pool.name == **last));
    let wanted = store.0.pool.as_deref().or(last).unwrap_or(&first.name);
    match known.iter().find(|pool| pool.name == wanted) {
        Some(pool) => session(pool, &known),
        None => {
            let go = Route { pool: Some(first.name.clone()), ..Route::default() };
            let store = store.clone();
            let go = Callback::from(move |_| store.dispatch(Action::Navigate(go.clone())));
            let remedy = (Text::LogInTo.with(&[&first.label]), go);
            let hint = [Text::UnknownPoolHint.get(), Text::LocalGone.get()].join(" ");
            without_pool("unknown-pool", &Text::UnknownPool.with(&[wanted]), &hint, remedy)
        }
    }
}

fn session(pool: &PoolInfo, known: &[PoolInfo]) -> Html {
    html! {
        <ContextProvider<KnownPools> context={KnownPools(known.into())}>
            <SessionPage key={pool.name.clone()} pool={pool.clone()} pools={known.to_vec()} />
        </ContextProvider<KnownPools>>
    }
}

/// There is no pool to show: why, what to do, and what can be seen without one.
fn without_pool(testid: &'static str, title: &str, hint: &str, remedy: Remedy) -> Html {
    html! {
        <main class="without-pool">
            { empty(testid, title, hint, Some(remedy)) }
            <OpenLocal />
        </main>
    }
}

#[hook]
fn use_pools() -> (Pools, Callback<MouseEvent>) {
    let pools = use_state(|| Pools::Asking);
    let round = use_state(|| 0_u32);
    {
        let pools = pools.setter();
        use_effect_with(*round, move |_| {
            // Somebody who asked for a simulated pool may well have no server.
            if dom::asks_for("demo") {
                pools.set(Pools::Known(Vec::new()));
                return;
            }
            pools.set(Pools::Asking);
            spawn_local(async move {
                match driver::pools().await {
                    Ok(known) => pools.set(Pools::Known(known)),
                    Err(why) => pools.set(Pools::Failed(explain::sentence(&why))),
                }
            });
        });
    }
    let again = Callback::from(move |_| round.set(*round + 1));
    ((*pools).clone(), again)
}

/// Goes where the address says when somebody changes it.
#[hook]
fn use_address(store: &StoreHandle) {
    let dispatcher = store.dispatcher();
    use_effect_with((), move |()| {
        let listener = dom::window().map(|window| {
            EventListener::new(&window, "popstate", move |_| {
                dispatcher.dispatch(Action::Navigate(Route::parse(&dom::hash())));
            })
        });
        move || drop(listener)
    });
}

#[hook]
fn use_theme(store: &StoreHandle) {
    use_effect_with(store.0.theme, |theme| {
        dom::set_theme(theme.name());
        dom::storage::set_theme(theme.name());
    });
}
