//! Quick filters.

use std::cell::RefCell;

use xenapi_console::format;
use xenapi_console::query::Query;
use xenapi_console::state::Action;
use xenapi_console::tables::{self, Facet, Spec, Table};
use xenapi_console::text::Text;
use yew::prelude::*;

use super::menu::Menu;
use crate::components::{Mark, glyph, mark};
use crate::store::{Same, StoreHandle, use_store};

#[derive(Properties, PartialEq)]
pub(super) struct FacetProps {
    pub(super) spec: &'static Spec,
    pub(super) text: String,
    pub(super) query: Same<Query>,
    pub(super) table: Same<RefCell<Table>>,
    /// The revision of what the rows are made of.
    pub(super) stamp: u64,
    pub(super) now: i64,
}

/// The values of the first facet as chips, those of the others in menus.
#[component]
pub(super) fn FacetBar(props: &FacetProps) -> Html {
    let store = use_store();
    let spec = props.spec;
    let Some((first, others)) = spec.facets.split_first() else { return html! {} };
    let facets = props.table.borrow().facet(first);
    let chips = facets.iter().map(|facet| chip(&store, spec, &props.text, first, facet, "facet-chip"));
    let menus = others.iter().filter_map(|id| {
        let column = spec.columns.get(spec.column(id)?)?;
        let chosen = !tables::chosen(&props.query, spec, id).is_empty();
        let (query, table, text, now) = (props.query.clone(), props.table.clone(), props.text.clone(), props.now);
        let store = store.clone();
        let panel = Callback::from(move |()| {
            let facets = tables::facet(table.borrow().all(), spec, id, &query, now);
            let values = facets.iter().map(
                |facet| html! { <li key={facet.word.clone()}>{ chip(&store, spec, &text, id, facet, "facet-check") }</li> },
            );
            if facets.is_empty() {
                return html! { <p class="quiet">{ Text::Nothing.get() }</p> };
            }
            html! { <ul class="column-list">{ for values }</ul> }
        });
        let title = Text::FilterMore.with(&[column.title.get()]);
        let label = html! { <><span>{ column.title.get() }</span>{ mark(Mark::Down) }</> };
        Some(html! { <Menu key={*id} {label} {title} active={chosen} testid={format!("facet-{id}")} {panel} /> })
    });
    html! { <div class="facets" role="group" aria-label={Text::Filter.get()}>{ for chips }{ for menus }</div> }
}

fn chip(store: &StoreHandle, spec: &'static Spec, text: &str, id: &str, facet: &Facet, class: &'static str) -> Html {
    let onclick = {
        let dispatcher = store.dispatcher();
        let next = tables::toggle(text, spec, id, &facet.word);
        Callback::from(move |_: MouseEvent| dispatcher.dispatch(Action::Filter(next.clone())))
    };
    html! {
        <button type="button" key={facet.word.clone()} {class} aria-pressed={facet.chosen.to_string()} {onclick}
            data-testid={format!("facet-{id}-{}", facet.word)}>
            if class == "facet-check" { <span class="tick" aria-hidden="true"></span> }
            { for facet.state.map(glyph) }
            <span class="chip-label">{ &facet.label }</span>
            <span class="quiet number">{ format::count(facet.count) }</span>
        </button>
    }
}
