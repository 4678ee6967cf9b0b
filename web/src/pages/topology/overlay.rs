//! What lies over a drawing: what can be done with what is selected, the legend, the minimap.

use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement};
use xenapi_console::graph::minimap::Minimap;
use xenapi_console::graph::{Drawing, icon_of, impact, said};
use xenapi_console::route::{Named, Query, Route, View};
use xenapi_console::state::Action;
use xenapi_console::text::{self, Text};
use xenapi_console::viewport::{Size, Viewport};
use xenapi_topology::impact::Component;
use xenapi_topology::{EdgeState, theme};
use yew::prelude::*;

use super::camera::Camera;
use crate::components::link::page_of;
use crate::components::{Link, Mark, glyph, icon, mark};
use crate::store::{Same, StoreHandle};

/// Where the question is asked what happens if a node's object fails, if it can fail.
pub(super) fn what_if(store: &StoreHandle, drawing: &Drawing, at: usize) -> Option<Route> {
    let object = drawing.object(at)?;
    let shape = drawing.shapes.get(at)?;
    Component::new(object.class, &object.reference)?;
    let named = Named { class: object.class.into(), uuid: shape.uuid.clone() };
    let query = Query::from([(impact::FAIL.to_owned(), impact::with(&Query::new(), &named))]);
    Some(Route { query, ..Route::to(store.0.pool.clone(), View::Impact) })
}

/// What is selected, and what can be done with it.
pub(super) fn selection(store: &StoreHandle, drawing: &Drawing, at: usize) -> Html {
    let (Some(node), Some(shape)) = (drawing.graph.nodes.get(at), drawing.shapes.get(at)) else { return html! {} };
    let what_if = what_if(store, drawing, at).map(|route| {
        let href = route.path();
        let store = store.clone();
        let onclick = Callback::from(move |event: MouseEvent| {
            if !crate::components::link::is_elsewhere(&event) {
                event.prevent_default();
                store.dispatch(Action::Navigate(route.clone()));
            }
        });
        html! { <a {href} class="button" {onclick} aria-keyshortcuts="i" data-testid="what-if">{ Text::WhatIf.get() }</a> }
    });
    let open = node.object.as_ref().filter(|_| !shape.uuid.is_empty()).map(|(class, _)| {
        html! { <Link view={page_of(class, &shape.uuid)} class="button" testid="open-page">{ Text::OpenPage.get() }</Link> }
    });
    let fold = node.group.clone().map(|group| {
        let (store, lens) = (store.clone(), drawing.graph.lens);
        let onclick = move |_| store.dispatch(Action::Unfold(lens, group.clone()));
        html! { <button type="button" class="button" {onclick} data-testid="fold-back">{ Text::FoldBack.get() }</button> }
    });
    html! {
        <div class="selection" data-testid="selection">
            { icon(icon_of(node)) }<strong>{ &node.label }</strong>
            { open }{ what_if }{ fold }
        </div>
    }
}

/// The states and connections that occur, each with its shape.
pub(super) fn legend(drawing: &Drawing) -> Html {
    let (states, edges) = drawing.legend();
    let states = states.into_iter().map(|state| {
        html! { <li class="state">{ glyph(state) }{ text::state(state).get() }</li> }
    });
    let edges = edges.into_iter().map(|edge| html! { <li class="state">{ sample(edge) }{ said::edge(edge).get() }</li> });
    html! { <ul class="legend" tabindex="0" aria-label={Text::Legend.get()} data-testid="legend">{ for states }{ for edges }</ul> }
}

fn sample(edge: EdgeState) -> Html {
    let class = classes!("edge", format!("is-{}", edge.name()));
    html! {
        <svg class="edge-sample" viewBox="0 0 26 8" aria-hidden="true">
            <path {class} d="M1 4h24" stroke-width={theme::stroke_width(1).to_string()} />
        </svg>
    }
}

#[derive(Properties, PartialEq)]
pub(super) struct MinimapProps {
    pub(super) map: Same<Minimap>,
    /// Where one looks from while nothing moves.
    pub(super) view: Viewport,
    pub(super) frame: Size,
    pub(super) camera: Camera,
    /// The frame around what is seen.
    pub(super) seen: NodeRef,
}

/// The size of the map.
pub(super) const MAP: Size = Size { width: 132.0, height: 168.0 };

/// The whole of a large drawing, small, with a frame around what is seen. Those who do not see it have the table.
#[component]
pub(super) fn MinimapView(props: &MinimapProps) -> Html {
    let MinimapProps { map, view, frame, camera, seen } = props;
    let held = use_mut_ref(|| false);
    let go = {
        let (map, camera, frame) = (map.clone(), camera.clone(), *frame);
        move |event: &PointerEvent| {
            let Some(element) = event.current_target().and_then(|it| it.dyn_into::<Element>().ok()) else { return };
            let bounds = element.get_bounding_client_rect();
            let at = (f64::from(event.client_x()) - bounds.left(), f64::from(event.client_y()) - bounds.top());
            camera.change(|view| map.go(view, frame, at.0, at.1));
        }
    };
    let down = {
        let (held, go) = (held.clone(), go.clone());
        Callback::from(move |event: PointerEvent| {
            event.stop_propagation();
            *held.borrow_mut() = true;
            go(&event);
        })
    };
    let moving = {
        let held = held.clone();
        Callback::from(move |event: PointerEvent| {
            if *held.borrow() && event.buttons() != 0 {
                event.stop_propagation();
                go(&event);
            }
        })
    };
    let up = Callback::from(move |_: PointerEvent| *held.borrow_mut() = false);
    {
        let (map, seen) = (map.clone(), seen.clone());
        use_effect_with((map.clone(), *view, *frame), move |(_, view, frame)| {
            if let Some(seen) = seen.cast::<HtmlElement>() {
                place_seen(&seen, &map, *view, *frame);
            }
        });
    }
    let picture = use_memo(map.clone(), |map| {
        html! {
            <svg width={map.size.width.to_string()} height={map.size.height.to_string()}>
                <path class="well" d={map.well.clone()} />
                <path class="trouble" d={map.trouble.clone()} />
            </svg>
        }
    });
    html! {
        <div class="minimap" aria-hidden="true" data-testid="minimap"
            onpointerdown={down} onpointermove={moving} onpointerup={up} onclick={|event: MouseEvent| event.stop_propagation()}>
            { (*picture).clone() }
            <div class="seen" ref={seen.clone()}></div>
        </div>
    }
}

/// Puts the frame on a map around what is seen.
pub(super) fn place_seen(seen: &HtmlElement, map: &Minimap, view: Viewport, frame: Size) {
    let (x, y, width, height) = map.seen(view, frame);
    let style = seen.style();
    // These are properties that every browser knows.
    let _ = style.set_property("transform", &format!("translate({x:.1}px, {y:.1}px)"));
    let _ = style.set_property("width", &format!("{width:.1}px"));
    let _ = style.set_property("height", &format!("{height:.1}px"));
}

/// A button over the drawing.
pub(super) fn control(image: Mark, text: Text, onclick: Callback<MouseEvent>, testid: &'static str) -> Html {
    html! {
        <button type="button" class="icon-button" title={text.get()} aria-label={text.get()} {onclick} data-testid={testid}>
            { mark(image) }
        </button>
    }
}
