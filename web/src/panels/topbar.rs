//! The bar: where one is, where one can go, how old the data is, what runs, who one is.

use std::cell::RefCell;

use xenapi_client::{Freshness, Status};
use xenapi_console::object::{Icon, class_name};
use xenapi_console::route::{Kind, Route, View};
use xenapi_console::select;
use xenapi_console::state::Action;
use xenapi_console::text::Text;
use xenapi_model::Pool;
use xenapi_topology::Lens;
use yew::prelude::*;

use crate::components::{Disclosure, Link, Mark, icon, mark};
use crate::driver::PoolInfo;
use crate::panels::freshness::FreshnessBadge;
use crate::panels::{LanguageSwitch, ThemeSwitch};
use crate::parts::{Lazy, Part};
use crate::store::{Pools, StoreHandle, use_data, use_store};

#[derive(Properties, PartialEq)]
pub(crate) struct BarProps {
    pub(crate) pool: PoolInfo,
    pub(crate) status: Status,
}

/// Where one was last, to come back to.
#[derive(Clone, Copy)]
struct Last {
    kind: Kind,
    lens: Lens,
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
    let last = use_mut_ref(|| Last { kind: Kind::Vms, lens: Lens::default() });
    let drawer = store.0.drawer;
    let toggle = {
        let store = store.clone();
        move |_| store.dispatch(Action::Drawer(!drawer))
    };
    // Before the first inventory nothing comes that could wait, unless there will be none.
    let settled = data.driver.freshness() != Freshness::Never || matches!(props.status, Status::Waiting { .. });
    let label = if drawer { Text::CloseTree } else { Text::OpenTree }.get();
    html! {
        <header class="topbar">
            <button type="button" class="icon-button drawer-button" aria-label={label} aria-expanded={drawer.to_string()}
                aria-controls="objects" onclick={toggle} data-testid="drawer">{ mark(Mark::Menu) }</button>
            <Link view={View::Overview} class="brand" title={Text::Product.get()} testid="home">
                { mark(Mark::Brand) }<span>{ Text::Product.get() }</span>
            </Link>
            <h1 class="sr-only">{ format!("{} · {}", *name, here(&store.0.view).get()) }</h1>
            <PoolName current={props.pool.clone()} name={(*name).clone()} />
            { views(&store, &last) }
            <div class="spacer"></div>
            { search(&store) }
            if props.pool.read_only {
                <span class="read-only" title={Text::ReadOnlyTitle.get()} data-testid="read-only">{ Text::ReadOnlyPool.get() }</span>
            }
            <FreshnessBadge status={props.status.clone()} />
            if settled { <Lazy part={Part::Tasks} view={View::Overview} /> }
            <LanguageSwitch />
            <ThemeSwitch />
            if settled { <Lazy part={Part::Account} view={View::Overview} /> }
        </header>
    }
}

#[derive(Properties, PartialEq)]
struct PoolNameProps {
    current: PoolInfo,
    name: String,
}

/// The pool; where there are several, the way to the others.
#[component]
fn PoolName(props: &PoolNameProps) -> Html {
    let pools = use_context::<Pools>().unwrap_or_default();
    let name = html! { <>{ icon(Icon::Pool) }<span data-testid="pool-name">{ &props.name }</span></> };
    if pools.0.len() < 2 {
        return html! { <div class="pool-name" title={props.name.clone()}>{ name }</div> };
    }
    let others: Vec<PoolInfo> = pools.0.iter().filter(|pool| pool.name != props.current.name).cloned().collect();
    let panel = Callback::from(move |()| {
        let links = others.iter().map(|pool| {
            let route = Route { pool: Some(pool.name.clone()), ..Route::default() };
            html! { <li><a class="line" href={route.path()}>{ icon(Icon::Pool) }<span>{ &pool.label }</span></a></li> }
        });
        html! { <><h2>{ Text::OtherPools.get() }</h2><ul>{ for links }</ul></> }
    });
    html! {
        <Disclosure id="pools" class="pool-name" label={format!("{} · {}", props.name, Text::OtherPools.get())}
            button={html! { <>{ name }{ mark(Mark::Down) }</> }} {panel} />
    }
}

/// The views, as links that look like tabs.
fn views(store: &StoreHandle, last: &RefCell<Last>) -> Html {
    match store.0.view {
        View::Topology(lens) => last.borrow_mut().lens = lens,
        View::Table(kind) => last.borrow_mut().kind = kind,
        _ => {}
    }
    let Last { kind, lens } = *last.borrow();
    let here = &store.0.view;
    let link = |view: View, current: bool, text: Text, testid: &'static str| {
        html! { <Link {view} {current} {testid}>{ text.get() }</Link> }
    };
    html! {
        <nav class="views" aria-label={Text::Views.get()}>
            { link(View::Overview, matches!(here, View::Overview), Text::ViewOverview, "view-overview") }
            { link(View::Table(kind), matches!(here, View::Table(_)), Text::ViewTables, "view-vms") }
            { link(View::Topology(lens), matches!(here, View::Topology(_)), Text::ViewTopology, "view-topology") }
            { link(View::Impact, matches!(here, View::Impact), Text::ViewImpact, "view-impact") }
            { link(View::Explorer(Vec::new()), matches!(here, View::Explorer(_)), Text::ViewApi, "view-api") }
        </nav>
    }
}

/// What is shown, in a word.
fn here(view: &View) -> Text {
    match view {
        View::Overview => Text::ViewOverview,
        View::Table(kind) => kind.label(),
        View::Topology(_) => Text::ViewTopology,
        View::Object(named) => class_name(&named.class),
        View::Impact => Text::ViewImpact,
        View::Explorer(_) => Text::ViewApi,
    }
}

/// Opens the palette, which finds everything.
fn search(store: &StoreHandle) -> Html {
    let store = store.clone();
    let onclick = Callback::from(move |_: MouseEvent| store.dispatch(Action::Palette(true)));
    html! {
        <button type="button" class="search-button" aria-label={Text::Search.get()} title={Text::Search.get()} aria-keyshortcuts="Control+K" aria-haspopup="dialog" {onclick} data-testid="search">
            { mark(Mark::Search) }<span>{ Text::Search.get() }</span><kbd>{ Text::SearchKeys.get() }</kbd>
        </button>
    }
}
