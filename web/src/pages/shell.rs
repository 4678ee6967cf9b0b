//! The page behind the login: bar, tree, view, details.

use gloo_timers::callback::Timeout;
use xenapi_client::Status;
use xenapi_console::route::View;
use xenapi_console::select;
use xenapi_console::state::Action;
use xenapi_console::text::Text;
use xenapi_console::title;
use yew::prelude::*;

use crate::components::empty;
use crate::dom;
use crate::driver::PoolInfo;
use crate::pages::overview::OverviewPage;
use crate::panels::{PaletteKeys, StaleNote, TopBar, TreePanel};
use crate::parts::{self, Lazy, Part};
use crate::store::{Data, Later, StoreHandle, use_data, use_store};

/// How long after the first picture of the pool the parts are loaded that are not shown yet, in milliseconds.
const AHEAD: u32 = 1_500;

#[derive(Properties, PartialEq)]
pub(crate) struct ShellProps {
    pub(crate) pool: PoolInfo,
    pub(crate) status: Status,
}

/// The page behind the login.
#[component]
pub(crate) fn Shell(props: &ShellProps) -> Html {
    let (store, data) = (use_store(), use_data());
    // What was loaded once is shown whatever happens afterwards.
    let loaded = data.revision > 0 && data.driver.freshness() != xenapi_client::Freshness::Never;
    use_marks(&data, loaded);
    use_route(&store, &data, &props.pool, loaded);
    {
        let pool = props.pool.name.clone();
        use_effect_with((), move |()| dom::storage::set_pool(&pool));
    }
    {
        let driver = data.driver.clone();
        use_effect_with((), move |()| {
            let listener = dom::on_hidden(move |hidden| driver.hide(hidden));
            move || drop(listener)
        });
    }
    {
        let title = data.with(|cache| title::title(cache, &store.0.view, &props.pool.label));
        use_effect_with(title, |title| dom::set_title(title));
    }
    use_effect_with(loaded, |loaded| {
        let timer = loaded.then(|| Timeout::new(AHEAD, parts::load_ahead));
        move || drop(timer)
    });
    use_focus(&store.0.view);
    let drawer = store.0.drawer;
    let close = {
        let store = store.clone();
        move |_| store.dispatch(Action::Drawer(false))
    };
    html! {
        <div key={store.0.language.clone()} class="shell" data-drawer={if drawer { "open" } else { "closed" }} data-testid="shell">
            { skip_link() }
            <TopBar pool={props.pool.clone()} status={props.status.clone()} />
            <StaleNote status={props.status.clone()} />
            <nav id="objects" class="sidebar" aria-label={Text::Objects.get()}>
                if loaded { <Later><TreePanel /></Later> }
            </nav>
            <button type="button" class="scrim" tabindex="-1" aria-label={Text::CloseTree.get()} onclick={close}></button>
            <main id="main" class="main" tabindex="-1">
                if loaded { { view(&store.0.view) } } else { { not_loaded(&props.status) } }
            </main>
            if loaded && has_panel(&store, &data) { { lazy(Part::Details, &store.0.view) } }
            if loaded { <PaletteKeys /> }
        </div>
    }
}

/// When what had the keyboard went away with the page before, it is on the new page.
#[hook]
fn use_focus(view: &View) {
    let first = use_mut_ref(|| true);
    use_effect_with(view.clone(), move |_| {
        let timer = (!first.replace(false)).then(|| {
            Timeout::new(0, || {
                if dom::focused().is_none_or(|it| it.tag_name() == "BODY") {
                    dom::focus("main");
                }
            })
        });
        move || drop(timer)
    });
}

/// Whether there is something to say beside the page: a page about an object says it all.
fn has_panel(store: &StoreHandle, data: &Data) -> bool {
    let Some(selected) = &store.0.selected else { return false };
    let View::Object(named) = &store.0.view else { return true };
    let is_own = || data.with(|cache| select::uuid_of(cache, selected)).as_deref() == Some(named.uuid.as_str());
    named.class != selected.class || !is_own()
}

fn view(view: &View) -> Html {
    match Part::of(view) {
        Some(part) => lazy(part, view),
        None => html! { <OverviewPage /> },
    }
}

fn lazy(part: Part, view: &View) -> Html {
    html! { <Lazy key={part as usize} {part} view={view.clone()} /> }
}

/// Before the first inventory.
fn not_loaded(status: &Status) -> Html {
    match status {
        Status::Waiting { why, .. } => {
            let told = xenapi_console::explain::error(why);
            empty("not-loaded", &told.title, &told.hint, None)
        }
        _ => empty("loading", Text::Loading.get(), Text::LoadingHint.get(), None),
    }
}

/// The first thing that the keyboard reaches: past the tree, to what the page is about.
fn skip_link() -> Html {
    let onclick = Callback::from(|event: MouseEvent| {
        // The part behind # is the address of a view, so the browser must not go there.
        event.prevent_default();
        dom::focus("main");
    });
    html! { <a class="skip" href="#main" {onclick}>{ Text::SkipToContent.get() }</a> }
}

/// Marks for those who measure.
#[hook]
fn use_marks(data: &Data, loaded: bool) {
    let drawn = use_mut_ref(|| false);
    use_effect_with((data.revision, loaded), move |(_, loaded)| {
        if *loaded {
            let first = !drawn.replace(true);
            dom::mark(if first { "xenoxide:inventory-ready" } else { "xenoxide:event-drawn" });
        }
    });
}

/// Keeps the address and what is shown the same.
#[hook]
fn use_route(store: &StoreHandle, data: &Data, pool: &PoolInfo, loaded: bool) {
    // What an address names is looked up once there is something to look in.
    {
        let (dispatcher, data) = (store.dispatcher(), data.clone());
        use_effect_with((store.0.wanted.clone(), loaded), move |(wanted, loaded)| {
            if let (Some(wanted), true) = (wanted, loaded) {
                let found = data.with(|cache| select::find(cache, &wanted.class, &wanted.uuid));
                dispatcher.dispatch(Action::Found(found));
            }
        });
    }
    let mut route = store.0.route(|object| data.with(|cache| select::uuid_of(cache, object)));
    route.pool = Some(pool.name.clone());
    let before = use_mut_ref(|| None);
    let (known, dispatcher) = (store.0.pool.is_some(), store.dispatcher());
    use_effect_with(route, move |route| {
        // An address without a pool is one of the pool that is shown.
        if !known {
            dispatcher.dispatch(Action::Navigate(route.clone()));
        }
        // Only another view is a step worth going back to; a selection is not.
        let replace = before.replace(Some(route.view.clone())).is_none_or(|before| before == route.view);
        dom::set_hash(&route.path(), replace);
    });
}
