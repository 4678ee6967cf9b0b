//! The bar: where one is, where one can go, how old the data is, what runs, who one is.

use std::cell::RefCell;

use wasm_bindgen::JsCast as _;
use web_sys::HtmlElement;

use xenapi_client::Status;
use xenapi_console::object::{Icon, class_name};
use xenapi_console::route::{Kind, Route, View};
use xenapi_console::select;
use xenapi_console::state::Action;
use xenapi_console::text::Text;
use xenapi_core::RawRef;
use xenapi_model::{Pool, Session, role, session, subject};
use xenapi_topology::Lens;
use yew::prelude::*;

use crate::components::{Disclosure, Link, Mark, icon, mark};
use crate::driver::{Driver, PoolInfo};
use crate::panels::freshness::FreshnessBadge;
use crate::panels::tasks::TasksButton;
use crate::panels::{LanguageSwitch, ThemeSwitch};
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
            <TasksButton />
            <LanguageSwitch />
            <ThemeSwitch />
            <Account label={props.pool.label.clone()} />
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

#[derive(Properties, PartialEq)]
struct AccountProps {
    label: String,
}

/// Who one is, and the way out.
#[component]
fn Account(props: &AccountProps) -> Html {
    let data = use_data();
    let log_out = {
        let driver = data.driver.clone();
        Callback::from(move |_: MouseEvent| driver.log_out())
    };
    // In a pool in the page itself one is nobody in particular.
    let user = crate::dom::storage::user().filter(|_| data.driver.place().is_none()).unwrap_or_default();
    let role = use_role(&data.driver);
    let panel = {
        let (user, label) = (user.clone(), props.label.clone());
        Callback::from(move |()| {
            html! {
                <dl class="account">
                    <dt>{ Text::UserName.get() }</dt><dd data-testid="account-user">{ &user }</dd>
                    if let Some(role) = &role { <dt>{ Text::Role.get() }</dt><dd data-testid="account-role">{ role }</dd> }
                    <dt>{ Text::Pool.get() }</dt><dd>{ &label }</dd>
                </dl>
            }
        })
    };
    let button = html! { <>{ mark(Mark::User) }<span class="who">{ &user }</span></> };
    html! {
        <>
            if !user.is_empty() {
                <Disclosure id="account" class="account-button" label={Text::LoggedInAs.with(&[&user])} {button} {panel} />
            }
            <button type="button" class="icon-button" title={Text::LogOut.get()} aria-label={Text::LogOut.get()}
                onclick={log_out} data-testid="logout">{ mark(Mark::Leave) }</button>
        </>
    }
}

/// The role of whoever is logged in, as the pool names it; none until it is known.
#[hook]
fn use_role(driver: &Driver) -> Option<String> {
    let role = use_state(|| None::<String>);
    {
        let (driver, role) = (driver.clone(), role.setter());
        use_effect_with(driver.clone(), move |_| ask_role(driver, role));
    }
    (*role).clone()
}

/// A local superuser has every right; anybody else has the roles of their subject.
fn ask_role(driver: Driver, role: UseStateSetter<Option<String>>) {
    // What cannot be learned is left out: it is a courtesy.
    let Some(session) = driver.session().map(RawRef::typed::<Session>) else { return };
    let (then, of) = (driver.clone(), session.clone());
    driver.call(session::fields::IS_LOCAL_SUPERUSER.get(&session), move |is_root| match is_root {
        Ok(true) => role.set(Some(Text::LocalSuperuser.get().into())),
        Ok(false) => {
            let next = then.clone();
            then.call(session::fields::SUBJECT.get(&of), move |subject| {
                let Ok(Some(subject)) = subject else { return };
                let last = next.clone();
                next.call(subject::fields::ROLES.get(&subject), move |roles| {
                    let Some(first) = roles.ok().and_then(|roles| roles.into_iter().next()) else { return };
                    last.call(role::fields::NAME_LABEL.get(&first), move |name| role.set(name.ok()));
                });
            });
        }
        Err(_) => {}
    });
}
