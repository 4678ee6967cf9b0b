//! The bar: where one is, how old the data is, the theme, the way out.

use std::cell::RefCell;

use gloo_timers::callback::Interval;
use xenapi_client::{Error, Status};
use xenapi_console::badge::badge;
use xenapi_console::explain;
use xenapi_console::object::Icon;
use xenapi_console::route::{Kind, Route, View};
use xenapi_console::select;
use xenapi_console::state::Action;
use xenapi_console::text::Text;
use xenapi_model::Pool;
use xenapi_topology::{Lens, State};
use yew::prelude::*;

use crate::components::{Mark, glyph, icon, mark};
use crate::driver::PoolInfo;
use crate::panels::{LanguageSwitch, ThemeSwitch};
use crate::store::{StoreHandle, use_data, use_store};

#[derive(Properties, PartialEq)]
pub(crate) struct BarProps {
    pub(crate) pool: PoolInfo,
    pub(crate) status: Status,
}

/// The bar.
#[component]
pub(crate) fn TopBar(props: &BarProps) -> Html {
    let (store, data) = (use_store(), use_data());
    let name = use_memo((data.stamp(&["pool", "host"]), props.pool.label.clone()), |(_, label)| {
        data.with(|cache| {
            let pool = cache.iter::<Pool>().next();
            pool.and_then(|(reference, _)| select::name_of(cache, "pool", reference.raw())).unwrap_or_else(|| label.clone())
        })
    });
    // The topology comes back through the lens that was open last.
    let last_lens = use_mut_ref(Lens::default);
    let drawer = store.0.drawer;
    let toggle = {
        let store = store.clone();
        move |_| store.dispatch(Action::Drawer(!drawer))
    };
    let label = if drawer { Text::CloseTree } else { Text::OpenTree }.get();
    let log_out = {
        let driver = data.driver.clone();
        move |_| driver.log_out()
    };
    html! {
        <header class="topbar">
            <button type="button" class="icon-button drawer-button" aria-label={label} aria-expanded={drawer.to_string()}
                aria-controls="objects" onclick={toggle} data-testid="drawer">{ mark(Mark::Menu) }</button>
            <div class="brand">{ mark(Mark::Brand) }<span>{ Text::Product.get() }</span></div>
            <div class="pool-name">{ icon(Icon::Pool) }<span data-testid="pool-name">{ &*name }</span></div>
            { views(&store, &last_lens) }
            <div class="spacer"></div>
            <FreshnessBadge status={props.status.clone()} />
            <LanguageSwitch />
            <ThemeSwitch />
            <button type="button" class="icon-button" title={Text::LogOut.get()} aria-label={Text::LogOut.get()}
                onclick={log_out} data-testid="logout">{ mark(Mark::Leave) }</button>
        </header>
    }
}

/// The views, as links that look like tabs.
fn views(store: &StoreHandle, last_lens: &RefCell<Lens>) -> Html {
    if let View::Topology(lens) = store.0.view {
        *last_lens.borrow_mut() = lens;
    }
    let topology = View::Topology(*last_lens.borrow());
    let link = |view: View, here: bool, text: Text, testid: &'static str| {
        let route = Route::to(store.0.pool.clone(), view.clone());
        let store = store.clone();
        let onclick = Callback::from(move |event: MouseEvent| {
            // With a key held it is the browser's business: another tab, another window.
            if !(event.ctrl_key() || event.meta_key() || event.shift_key()) {
                event.prevent_default();
                store.dispatch(Action::Show(view.clone()));
            }
        });
        html! { <a href={route.path()} aria-current={here.then_some("page")} {onclick} data-testid={testid}>{ text.get() }</a> }
    };
    html! {
        <nav class="views" aria-label={Text::Views.get()}>
            { link(View::Table(Kind::Vms), matches!(store.0.view, View::Table(_)), Text::ViewVms, "view-vms") }
            { link(topology, matches!(store.0.view, View::Topology(_)), Text::ViewTopology, "view-topology") }
        </nav>
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct StatusProps {
    pub(crate) status: Status,
}

/// What keeps the pool from answering, as a sentence.
fn why(status: &Status) -> Option<String> {
    match status {
        Status::Waiting { why: Error::Unreachable(what), .. } => Some(explain::sentence(what)),
        Status::Waiting { why, .. } => Some(explain::error(why).line()),
        _ => None,
    }
}

/// Draws a component anew each second.
#[hook]
fn use_each_second() {
    let redraw = use_force_update();
    use_effect_with((), move |()| {
        let interval = cfg!(target_arch = "wasm32").then(|| Interval::new(1000, move || redraw.force_update()));
        move || drop(interval)
    });
}

/// How old the data is. It counts by itself, so that it is right even when nothing comes any more.
#[component]
fn FreshnessBadge(props: &StatusProps) -> Html {
    use_each_second();
    let data = use_data();
    let badge = badge(&data.driver.freshness(), why(&props.status).as_deref());
    let shape = match badge.state {
        "live" => State::Running,
        "stale" => State::Attention,
        _ => State::Unknown,
    };
    html! {
        <div class="freshness" data-testid="freshness" data-state={badge.state} title={badge.title}>
            { glyph(shape) }
            <span>{ badge.text }</span>
        </div>
    }
}

/// A line across the page while the data may be out of date. It is there once and does not count, for screen readers.
#[component]
pub(crate) fn StaleNote(props: &StatusProps) -> Html {
    use_each_second();
    let data = use_data();
    // Old data alone is no trouble: the badge says it, and while a large inventory is read it is so for a moment.
    let stale = badge(&data.driver.freshness(), None).is_stale;
    let why = why(&props.status).filter(|_| stale);
    html! {
        <div role="status" class={classes!(why.is_some().then_some("note"))}>
            if let Some(why) = why { <span data-testid="stale-note">{ Text::StaleNote.with(&[&why]) }</span> }
        </div>
    }
}
