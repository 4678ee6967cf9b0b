//! The topology through a lens: as a drawing, or as the table that says the same.

mod camera;
mod canvas;
mod export;
mod keys;
mod overlay;
mod painting;
mod picture;
mod pointers;
mod stage;
mod table;
mod toolbar;

pub(crate) use stage::Stage;

#[cfg(test)]
pub(crate) use picture::{Picture, PictureProps};

use std::rc::Rc;

use xenapi_console::graph::{Drawing, OF_TOPOLOGY, Wanted, draw, filters};
use xenapi_console::object::Object;
use xenapi_console::state::{Action, LensState};
use xenapi_console::text::Text;
use xenapi_console::{format, language};
use xenapi_topology::{Graph, Lens};
use yew::prelude::*;

use crate::components::empty;
use crate::dom::calm::use_calmer;
use crate::store::{Data, Same, StoreHandle, use_data, use_store};

#[derive(Properties, PartialEq)]
pub(crate) struct TopologyProps {
    pub(crate) lens: Lens,
}

/// The topology.
#[component]
pub(crate) fn TopologyPage(props: &TopologyProps) -> Html {
    let (store, data) = (use_store(), use_data());
    let lens = props.lens;
    let wanted = Wanted {
        lens,
        shown: store.0.lens(lens).clone(),
        filter: data.with(|cache| filters::filter(cache, &store.0.query)),
        language: language::current().code().into(),
    };
    let drawing = use_drawing(&data, &wanted);
    let focus = store.0.selected.as_ref().and_then(|object| drawing.node_of(object));
    let on_pick = {
        let (dispatcher, drawing) = (store.dispatcher(), drawing.clone());
        Callback::from(move |at: Option<usize>| match at.and_then(|at| drawing.graph.nodes.get(at)) {
            Some(node) if node.is_group() => dispatcher.dispatch(Action::Unfold(lens, node.id.clone())),
            Some(node) => {
                if let Some((class, reference)) = node.object.clone() {
                    dispatcher.dispatch(Action::Select(Some(Object { class, reference })));
                }
            }
            None => dispatcher.dispatch(Action::Select(None)),
        })
    };
    let shown = &wanted.shown;
    html! {
        <>
            <toolbar::Toolbar {lens} drawing={drawing.clone()} />
            { notes(&store, lens, shown, &drawing.graph) }
            if drawing.graph.nodes.is_empty() {
                if wanted.filter.is_open() {
                    { empty("nothing-to-draw", Text::NothingToDraw.get(), Text::NothingToDrawHint.get(), None) }
                } else {
                    { empty("nothing-left", Text::NothingLeft.get(), Text::NothingLeftHint.get(), Some((Text::ClearFilters.get().into(), toolbar::clear(&store)))) }
                }
            } else if store.0.as_table {
                <table::Table {drawing} {focus} {on_pick} />
            } else {
                <Stage {drawing} {focus} {on_pick} />
            }
        </>
    }
}

/// How long making a drawing may take while it is moved, in milliseconds.
const LONG: f64 = 12.0;

/// The drawing of the pool as it is now, made from the last one, and not more often than leaves time for everything else.
#[hook]
pub(crate) fn use_drawing(data: &Data, wanted: &Wanted) -> Same<Drawing> {
    let before = use_mut_ref(|| None::<Rc<Drawing>>);
    let cost = use_mut_ref(|| 0.0_f64);
    let last = *cost.borrow();
    // Most of the time is left to everything else, and the more of it the longer it takes at a time.
    let gap = last * if last > LONG * 4.0 { 8.0 } else { 3.0 };
    // What takes longer than a picture of the screen waits until nobody moves the drawing.
    let hold = last > LONG && camera::moves();
    let stamp = use_calmer(data.stamp(OF_TOPOLOGY), gap, hold);
    let drawing = use_memo((stamp, wanted.clone()), |(_, wanted)| {
        let start = crate::dom::precise_now();
        let mut before = before.borrow_mut();
        let drawing = Rc::new(data.with(|cache| draw(cache, wanted, before.as_deref())));
        *before = Some(drawing.clone());
        *cost.borrow_mut() = crate::dom::precise_now() - start;
        drawing
    });
    Same((*drawing).clone())
}

/// What is folded, and how to see it.
fn notes(store: &StoreHandle, lens: Lens, shown: &LensState, graph: &Graph) -> Html {
    let folded = graph.capped || graph.nodes.iter().any(xenapi_topology::Node::is_group);
    let unfolded = shown.draw_all || !shown.expanded.is_empty();
    if !folded && !unfolded {
        return html! {};
    }
    let total = format::count(graph.total);
    let button = |action: Action, text: String, testid: &'static str| {
        let store = store.clone();
        let onclick = move |_| store.dispatch(action.clone());
        html! { <button type="button" class="link" {onclick} data-testid={testid}>{ text }</button> }
    };
    html! {
        <div class="capped">
            if folded { <span>{ Text::Capped.with(&[&total]) }</span> }
            if folded { { button(Action::DrawAll(lens), Text::DrawAll.with(&[&total]), "draw-all") } }
            if unfolded { { button(Action::FoldAll(lens), Text::FoldAll.get().into(), "fold-all") } }
        </div>
    }
}
