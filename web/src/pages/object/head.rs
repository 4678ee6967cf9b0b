//! The head of the page: what it is about, where else it is, and which part is open.

use std::rc::Rc;

use wasm_bindgen_futures::spawn_local;
use xenapi_console::object::{self, Object};
use xenapi_console::object_page::page;
use xenapi_console::route::{Named, Route, View};
use xenapi_console::select::{self, Details};
use xenapi_console::state::Action;
use xenapi_console::text::Text;
use yew::prelude::*;

use super::body::{PART, Part};
use super::link::{Go, object_route, use_go};
use crate::components::{icon, state_view};
use crate::dom;
use crate::store::{use_data, use_store};

#[derive(Properties, PartialEq)]
pub(super) struct HeadProps {
    pub(super) object: Option<Object>,
    pub(super) class: &'static str,
    pub(super) details: Option<Rc<Details>>,
    pub(super) title: String,
    pub(super) part: Part,
    pub(super) has_overview: bool,
    pub(super) named: Named,
}

/// The head.
#[component]
pub(super) fn Head(props: &HeadProps) -> Html {
    let go = use_go();
    let (picture, state) = match &props.details {
        Some(details) => (details.icon, details.state),
        None => (object::icon(props.class), None),
    };
    let class = match &props.details {
        Some(details) => html! { <span>{ details.class.get() }</span> },
        None => html! { <span class="mono">{ props.class }</span> },
    };
    html! {
        <header class="object-head">
            { icon(picture) }
            <div class="object-title">
                <h1 data-testid="object-title">{ &props.title }</h1>
                <div class="subtitle">
                    { class }
                    if let Some(state) = state { { state_view(props.class, state) } }
                    <CopyText text={props.named.uuid.clone()} title={Text::CopyUuid} />
                </div>
            </div>
            <Elsewhere object={props.object.clone()} class={props.class} />
            { parts(props, &go) }
        </header>
    }
}

fn parts(props: &HeadProps, go: &Go) -> Html {
    let shown = Part::ALL.into_iter().filter(|part| props.has_overview || *part != Part::Overview);
    let link = |part: Part| {
        let mut route = object_route(go.pool.clone(), &props.named);
        route.query.insert(PART.into(), part.word().into());
        html! { <PartLink {part} href={route.path()} here={part == props.part} /> }
    };
    html! { <nav class="object-parts" aria-label={Text::Parts.get()}>{ for shown.map(link) }</nav> }
}

#[derive(Properties, PartialEq)]
struct PartProps {
    part: Part,
    href: String,
    here: bool,
}

#[component]
fn PartLink(props: &PartProps) -> Html {
    let store = use_store();
    let part = props.part;
    let onclick = Callback::from(move |event: MouseEvent| {
        if !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key()) {
            event.prevent_default();
            store.dispatch(Action::Keep(PART.into(), Some(part.word().into())));
        }
    });
    html! {
        <a href={props.href.clone()} aria-current={props.here.then_some("true")} {onclick}
            data-testid={format!("part-{}", part.word())}>{ part.text().get() }</a>
    }
}

#[derive(Properties, PartialEq)]
struct ElsewhereProps {
    object: Option<Object>,
    class: &'static str,
}

/// Where else the object is to be seen, and what would follow if it failed.
#[component]
fn Elsewhere(props: &ElsewhereProps) -> Html {
    let (go, data) = (use_go(), use_data());
    let link = |route: Route, text: Text, testid: &'static str| {
        let onclick = go.on_click(&route);
        html! { <a class="button" href={route.path()} {onclick} data-testid={testid}>{ text.get() }</a> }
    };
    let pool = || go.pool.clone();
    let (impact, topology, table) = match &props.object {
        Some(object) => data.with(|cache| {
            (
                page::impact(cache, object, pool()),
                page::topology(cache, object, pool()),
                page::table_of(cache, object).map(|kind| {
                    let selected = select::named(cache, object.class, &object.reference);
                    Route { selected, ..Route::to(pool(), View::Table(kind)) }
                }),
            )
        }),
        None => (None, None, None),
    };
    // The explorer's forms begin with this object.
    let uuid = props.object.as_ref().and_then(|object| data.with(|cache| select::uuid_of(cache, object)));
    let query = uuid.map(|uuid| ("on".to_owned(), uuid)).into_iter().collect();
    let api = Route { query, ..Route::to(pool(), View::Explorer(vec![props.class.into()])) };
    html! {
        <div class="object-actions">
            { for impact.map(|route| link(route, Text::WhatIfFails, "what-if")) }
            { for topology.map(|route| link(route, Text::InTopology, "show-in-topology")) }
            { for table.map(|route| link(route, Text::AllOfKind, "all-of-kind")) }
            { link(api, Text::ClassInApi, "class-in-api") }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct CopyProps {
    text: String,
    title: Text,
}

/// Something that machines read, to be copied by a click.
#[component]
fn CopyText(props: &CopyProps) -> Html {
    let told = use_state_eq(|| None::<Text>);
    let onclick = {
        let (text, told) = (props.text.clone(), told.setter());
        Callback::from(move |_| {
            let (text, told) = (text.clone(), told.clone());
            spawn_local(async move {
                told.set(Some(if dom::copy(&text).await { Text::Copied } else { Text::CopyFailed }));
            });
        })
    };
    let title = props.title.get();
    html! {
        <>
            <button type="button" class="copy mono" {title} aria-label={format!("{title} {}", props.text)} {onclick}
                data-testid="copy-uuid">{ &props.text }</button>
            <span class="quiet" role="status">{ for told.map(Text::get) }</span>
        </>
    }
}
