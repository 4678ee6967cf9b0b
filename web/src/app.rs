//! The page as a whole: which pools there are, which one this is, and the address.

use gloo_events::EventListener;
use wasm_bindgen_futures::spawn_local;
use xenapi_console::explain;
use xenapi_console::route::Route;
use xenapi_console::state::Action;
use xenapi_console::text::Text;
use yew::prelude::*;

use crate::components::empty;
use crate::dom;
use crate::driver::{self, PoolInfo};
use crate::pages::SessionPage;
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
    let (pools, ask_again) = use_pools();
    html! {
        <ContextProvider<StoreHandle> context={store.clone()}>
            { page(&store, &pools, ask_again) }
        </ContextProvider<StoreHandle>>
    }
}

fn page(store: &StoreHandle, pools: &Pools, ask_again: Callback<MouseEvent>) -> Html {
    let pools = match pools {
        Pools::Asking => return html! { <p class="boot" role="status">{ Text::Connecting.get() }</p> },
        Pools::Failed(why) => {
            let hint = Text::PoolsFailedHint.with(&[why]);
            return empty("pools-failed", Text::PoolsFailed.get(), &hint, Some((Text::TryAgain.get().into(), ask_again)));
        }
        Pools::Known(pools) => pools,
    };
    let Some(first) = pools.first() else {
        let remedy = (Text::TryAgain.get().into(), ask_again);
        return empty("no-pools", Text::NoPools.get(), Text::NoPoolsHint.get(), Some(remedy));
    };
    let last = dom::storage::pool();
    let last = last.as_deref().filter(|last| pools.iter().any(|pool| pool.name == **last));
    let wanted = store.0.pool.as_deref().or(last).unwrap_or(&first.name);
    match pools.iter().find(|pool| pool.name == wanted) {
        Some(pool) => {
            html! {
                <ContextProvider<KnownPools> context={KnownPools(pools.as_slice().into())}>
                    <SessionPage key={pool.name.clone()} pool={pool.clone()} pools={pools.clone()} />
                </ContextProvider<KnownPools>>
            }
        }
        None => {
            let go = Route { pool: Some(first.name.clone()), ..Route::default() };
            let store = store.clone();
            let go = Callback::from(move |_| store.dispatch(Action::Navigate(go.clone())));
            let remedy = (Text::LogInTo.with(&[&first.label]), go);
            empty("unknown-pool", &Text::UnknownPool.with(&[wanted]), Text::UnknownPoolHint.get(), Some(remedy))
        }
    }
}

#[hook]
fn use_pools() -> (Pools, Callback<MouseEvent>) {
    let pools = use_state(|| Pools::Asking);
    let round = use_state(|| 0_u32);
    {
        let pools = pools.setter();
        use_effect_with(*round, move |_| {
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
