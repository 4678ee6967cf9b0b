//! The panel about the selected object.

use xenapi_console::object::Object;
use xenapi_console::object_page::around::lens_of;
use xenapi_console::route::{Kind, View};
use xenapi_console::select::{self, Details, Fact, Link, Related};
use xenapi_console::state::Action;
use xenapi_console::text::Text;
use xenapi_console::{format, object};
use yew::prelude::*;

use crate::components::{Mark, cell_view, glyph, icon, mark, state_view};
use crate::pages::object::{Go, object_route, use_go};
use crate::store::{StoreHandle, use_data, use_store};

/// The panel.
#[component]
pub(crate) fn DetailsPanel() -> Html {
    let (store, data, go) = (use_store(), use_data(), use_go());
    let Some(selected) = store.0.selected.clone() else { return html! {} };
    let details = data.with(|cache| select::details(cache, &selected));
    let close = {
        let store = store.clone();
        move |_| store.dispatch(Action::Select(None))
    };
    let close = html! {
        <button type="button" class="icon-button" aria-label={Text::Close.get()} title={Text::Close.get()} onclick={close}
            data-testid="details-close">{ mark(Mark::Close) }</button>
    };
    let Some(details) = details else {
        return html! {
            <aside class="details" aria-label={Text::Details.get()} data-testid="details">
                <header>
                    { icon(object::icon(selected.class)) }
                    <div><h2>{ Text::Gone.get() }</h2><p class="quiet">{ Text::GoneHint.get() }</p></div>
                    { close }
                </header>
            </aside>
        };
    };
    html! {
        <aside class="details" aria-label={Text::Details.get()} data-testid="details">
            <header>
                { icon(details.icon) }
                <div>
                    <h2 data-testid="details-title">{ &details.title }</h2>
                    <div class="subtitle">
                        <span>{ details.class.get() }</span>
                        if let Some(state) = details.state { { state_view(details.object.class, state) } }
                    </div>
                </div>
                { close }
            </header>
            { actions(&store, &go, &details) }
            <section>
                <dl class="facts">{ for details.facts.iter().map(|it| fact(&store, it)) }</dl>
            </section>
            { for details.related.iter().map(|it| related(&store, it)) }
        </aside>
    }
}

/// Where else the object can be seen.
fn actions(store: &StoreHandle, go: &Go, details: &Details) -> Html {
    let target = &details.object;
    let page = open_page(go, details);
    let in_table = store.0.view == View::Table(Kind::Vms);
    let button = |view: View, text: Text, testid: &'static str| {
        let (store, object) = (store.clone(), target.clone());
        let onclick = move |_| {
            store.dispatch(Action::Filter(String::new()));
            store.dispatch(Action::ShowIn(view.clone(), object.clone()));
        };
        html! { <button type="button" class="button" {onclick} data-testid={testid}>{ text.get() }</button> }
    };
    let table =
        (target.class == "VM" && !in_table).then(|| button(View::Table(Kind::Vms), Text::ShowInTable, "show-in-table"));
    let drawing = in_table.then(|| button(View::Topology(lens_of(target.class)), Text::ShowInTopology, "show-in-topology"));
    let elsewhere = details.is_shown().then_some(html! { <>{ table }{ drawing }</> });
    html! { <section class="actions">{ page }{ elsewhere }</section> }
}

/// The object's own page, which says all that there is to say.
fn open_page(go: &Go, details: &Details) -> Html {
    let target = &details.object;
    let Some(named) = go.named(target) else { return html! {} };
    let route = object_route(go.pool.clone(), &named);
    html! {
        <a class="button" href={route.path()} onclick={go.on_click(&route)} title={Text::OpenPageTitle.with(&[&details.title])}
            data-testid="open-page">{ Text::OpenPage.get() }</a>
    }
}

fn select_callback(store: &StoreHandle, object: &Object) -> Callback<MouseEvent> {
    let (store, object) = (store.clone(), object.clone());
    Callback::from(move |_| store.dispatch(Action::Select(Some(object.clone()))))
}

fn fact(store: &StoreHandle, fact: &Fact) -> Html {
    let value = match &fact.link {
        Some(object) => {
            let onclick = select_callback(store, object);
            html! { <button type="button" class="link" {onclick}>{ fact.value.show() }</button> }
        }
        None => html! { { cell_view(&fact.value) } },
    };
    let meter = fact.meter.map(|meter| {
        let class = classes!("meter", (meter.permille >= 900).then_some("full"));
        html! {
            <svg {class} viewBox="0 0 1000 4" preserveAspectRatio="none" aria-hidden="true">
                <rect width={meter.permille.to_string()} height="4" />
            </svg>
        }
    });
    let is_mono = matches!(fact.label, Text::Uuid | Text::Mac);
    html! {
        <>
            <dt>{ fact.label.get() }</dt>
            <dd class={classes!(is_mono.then_some("mono"))}>{ value }{ meter }</dd>
        </>
    }
}

fn related(store: &StoreHandle, related: &Related) -> Html {
    let note = if related.known { format::count(related.count) } else { Text::Unknown.get().into() };
    let links = related.links.iter().map(|it| link(store, it));
    let more = related.count.saturating_sub(related.links.len());
    html! {
        <section class="related">
            <h3><span>{ related.title.get() }</span><span>{ note }</span></h3>
            <ul>{ for links }</ul>
            if more > 0 && !related.links.is_empty() { <p class="quiet">{ Text::More.with(&[&format::count(more)]) }</p> }
        </section>
    }
}

fn link(store: &StoreHandle, link: &Link) -> Html {
    let onclick = select_callback(store, &link.object);
    html! {
        <li key={link.object.reference.as_str().to_owned()}>
            <button type="button" {onclick}>
                { glyph(link.state) }<span class="sr-only">{ xenapi_console::text::state_of(link.object.class, link.state).get() }</span>
                <span class="label">{ &link.name }</span>
                <span class="quiet">{ &link.note }</span>
            </button>
        </li>
    }
}
