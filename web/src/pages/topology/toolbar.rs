//! Above the drawing: lenses, filters, how it is shown and saved.

use xenapi_console::graph::filters::{self, key};
use xenapi_console::graph::{Drawing, said};
use xenapi_console::object::Icon;
use xenapi_console::route::View;
use xenapi_console::state::Action;
use xenapi_console::text::{self, Text};
use xenapi_topology::{Lens, State};
use yew::prelude::*;

use super::export;
use crate::components::{Disclosure, Mark, Segment, icon, mark, segments};
use crate::dom;
use crate::store::{Same, StoreHandle, use_data, use_store};

#[derive(Properties, PartialEq)]
pub(super) struct ToolbarProps {
    pub(super) lens: Lens,
    pub(super) drawing: Same<Drawing>,
}

/// The classes that the choices of filters are made of.
const OF_FILTERS: &[&str] = &["VM", "host", "SR", "VDI", "network", "pool"];

#[component]
pub(super) fn Toolbar(props: &ToolbarProps) -> Html {
    let (store, data) = (use_store(), use_data());
    let stamp = dom::calm::use_calm(data.stamp(OF_FILTERS), 2_000.0);
    let choices = use_memo(stamp, |_| data.with(|cache| (filters::tags(cache), filters::hosts(cache))));
    let lens = props.lens;
    let segment = |one: &Lens| {
        let icon = match one {
            Lens::Compute => Icon::Vm,
            Lens::Storage => Icon::Sr,
            Lens::Network => Icon::Network,
        };
        let (store, one) = (store.clone(), *one);
        let choose = Callback::from(move |_| go(&store, one));
        Segment { label: said::lens(one).get(), testid: format!("lens-{one}"), icon, chosen: one == lens, choose }
    };
    let toggle = {
        let store = store.clone();
        move |_| store.dispatch(Action::ToggleTable)
    };
    let saving = {
        let (data, drawing) = (data.clone(), props.drawing.clone());
        Callback::from(move |()| {
            let formats = export::FORMATS.iter().map(|(format, text)| {
                let onclick = export::save(format, &data, &drawing);
                html! { <button type="button" class="menu-item" {onclick} data-testid={format!("export-{format}")}>{ text.get() }</button> }
            });
            html! { <div class="menu">{ for formats }</div> }
        })
    };
    html! {
        <div class="toolbar topology-toolbar">
            { segments(Text::Lenses.get(), Lens::ALL.iter().map(segment)) }
            <div class="filters" role="group" aria-label={Text::Filters.get()}>
                if !choices.0.is_empty() {
                    { choice(&store, key::TAG, Text::FilterTag, choices.0.iter().map(|tag| (tag.clone(), tag.clone()))) }
                }
                { choice(&store, key::HOST, Text::FilterHost, choices.1.iter().cloned()) }
                { choice(&store, key::STATE, Text::FilterState, State::ALL.iter().map(|it| (it.name().into(), text::state(*it).get().into()))) }
                { problems(&store) }
                if is_filtered(&store) {
                    <button type="button" class="icon-button" title={Text::ClearFilters.get()} aria-label={Text::ClearFilters.get()}
                        onclick={clear(&store)} data-testid="clear-filters">{ mark(Mark::Close) }</button>
                }
            </div>
            <div class="spacer"></div>
            <Disclosure id="export" label={Text::ExportTitle.get()} class="wide" panel={saving}
                button={html! { <>{ icon(Icon::Vdi) }<span class="word">{ Text::Export.get() }</span></> }} />
            <button type="button" class="button" aria-pressed={store.0.as_table.to_string()} title={Text::AsTableTitle.get()} aria-label={Text::AsTableTitle.get()}
                onclick={toggle} data-testid="as-table">{ mark(Mark::Rows) }<span class="word">{ Text::AsTable.get() }</span></button>
        </div>
    }
}

/// Another lens, with the same filters.
fn go(store: &StoreHandle, lens: Lens) {
    let kept: Vec<(String, String)> = store.0.query.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    store.dispatch(Action::Show(View::Topology(lens)));
    kept.into_iter().for_each(|(key, value)| store.dispatch(Action::Keep(key, Some(value))));
}

fn is_filtered(store: &StoreHandle) -> bool {
    key::ALL.iter().any(|key| store.0.query.contains_key(*key))
}

/// Takes all filters away.
pub(super) fn clear(store: &StoreHandle) -> Callback<MouseEvent> {
    let store = store.clone();
    Callback::from(move |_| key::ALL.iter().for_each(|key| store.dispatch(Action::Keep((*key).into(), None))))
}

/// One of several, or any.
fn choice(store: &StoreHandle, key: &'static str, label: Text, options: impl Iterator<Item = (String, String)>) -> Html {
    let chosen = store.0.query.get(key).cloned().unwrap_or_default();
    let mut known = chosen.is_empty();
    let options: Vec<Html> = options
        .map(|(value, label)| {
            known |= value == chosen;
            html! { <option value={value.clone()} selected={value == chosen}>{ label }</option> }
        })
        .collect();
    let onchange = {
        let store = store.clone();
        Callback::from(move |event: Event| {
            let value = event.target_dyn_into::<web_sys::HtmlSelectElement>().map(|it| it.value()).unwrap_or_default();
            store.dispatch(Action::Keep(key.into(), (!value.is_empty()).then_some(value)));
        })
    };
    html! {
        <label class={classes!("choice", (!chosen.is_empty()).then_some("chosen"))}>
            <span>{ label.get() }</span>
            <select {onchange} data-testid={format!("filter-{key}")}>
                <option value="" selected={chosen.is_empty()}>{ Text::FilterAny.get() }</option>
                { for options }
                // Several states, or what is not in the pool any more: only an address says that.
                if !known { <option value={chosen.clone()} selected={true}>{ chosen.clone() }</option> }
            </select>
        </label>
    }
}

fn problems(store: &StoreHandle) -> Html {
    let on = store.0.query.get(key::PROBLEMS).is_some_and(|value| value == "1");
    let store = store.clone();
    let onclick = move |_| store.dispatch(Action::Keep(key::PROBLEMS.into(), (!on).then(|| "1".into())));
    html! {
        <button type="button" class="button" aria-pressed={on.to_string()} title={Text::FilterProblemsTitle.get()} {onclick}
            data-testid="filter-problems">{ crate::components::glyph(State::Attention) }<span class="word">{ Text::FilterProblems.get() }</span></button>
    }
}
