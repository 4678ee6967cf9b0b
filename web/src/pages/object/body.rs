//! What stands on the page: its head, its three parts, and one of them.

use std::rc::Rc;

use xenapi_console::object::Object;
use xenapi_console::object_page::around::{Around, around};
use xenapi_console::object_page::fields::{Field, highlights, sections};
use xenapi_console::object_page::paths::{DataPaths, data_paths};
use xenapi_console::object_page::tables::{Table, tables};
use xenapi_console::object_page::{OF_OBJECT, page};
use xenapi_console::route::Named;
use xenapi_console::select::{Details, Fact};
use xenapi_console::state::Action;
use xenapi_console::text::Text;
use yew::prelude::*;

use super::around::Surroundings;
use super::fields::{Fields, shown};
use super::head::Head;
use super::link::{Go, meter, use_go};
use super::paths::Paths;
use super::raw::Raw;
use super::record::Fetched;
use super::tables::TableView;
use crate::components::cell_view;
use crate::dom;
use crate::store::{Same, use_data, use_store};

/// How many lines a table has until somebody asks for more, and then.
const FEW: usize = 40;
const MANY: usize = 1000;

/// The keys under which the page keeps its state in the address.
pub(super) const PART: &str = "part";
const ON: &str = "on";

#[derive(Properties, PartialEq)]
pub(super) struct BodyProps {
    /// The object, where it is in the cache.
    pub(super) object: Option<Object>,
    pub(super) class: &'static str,
    pub(super) details: Option<Rc<Details>>,
    pub(super) named: Named,
    pub(super) fetched: Fetched,
    pub(super) gone: bool,
}

/// A part of the page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Overview,
    Fields,
    Raw,
}

impl Part {
    pub(super) const ALL: [Part; 3] = [Part::Overview, Part::Fields, Part::Raw];

    pub(super) fn word(self) -> &'static str {
        match self {
            Part::Overview => "overview",
            Part::Fields => "fields",
            Part::Raw => "raw",
        }
    }

    pub(super) fn text(self) -> Text {
        match self {
            Part::Overview => Text::PartOverview,
            Part::Fields => Text::PartFields,
            Part::Raw => Text::PartRaw,
        }
    }
}

/// The page below its address.
#[component]
pub(super) fn Body(props: &BodyProps) -> Html {
    let store = use_store();
    let asked = store.0.query.get(PART).map(String::as_str);
    // Of an object that the console does not keep there are only its fields.
    let first = if props.details.is_some() { Part::Overview } else { Part::Fields };
    let part = Part::ALL.into_iter().find(|part| Some(part.word()) == asked).unwrap_or(first);
    let title = match (&props.details, &props.fetched) {
        (Some(details), _) => details.title.clone(),
        (None, Fetched::Known(record)) => page::title(record, &props.named.uuid),
        (None, _) => props.named.uuid.clone(),
    };
    let inside = match (part, &props.object, &props.details) {
        (Part::Overview, Some(object), Some(details)) => html! {
            <Overview object={object.clone()} details={details.clone()} fetched={props.fetched.clone()} gone={props.gone} />
        },
        (Part::Raw, ..) => html! { <Raw class={props.class} fetched={props.fetched.clone()} /> },
        _ => html! { <Fields class={props.class} fetched={props.fetched.clone()} /> },
    };
    if props.gone {
        return inside;
    }
    html! {
        <div class="object-page" data-testid="object-page" data-class={props.class} data-uuid={props.named.uuid.clone()}
            tabindex="-1">
            <Head object={props.object.clone()} class={props.class} details={props.details.clone()} {title} {part}
                has_overview={props.details.is_some()} named={props.named.clone()} />
            { inside }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct OverviewProps {
    object: Object,
    details: Rc<Details>,
    fetched: Fetched,
    gone: bool,
}

/// What matters most: facts, how its data travels, what it is connected with.
#[component]
fn Overview(props: &OverviewProps) -> Html {
    let (go, data, store) = (use_go(), use_data(), use_store());
    let limit = use_state_eq(|| FEW);
    let host = store.0.query.get(ON).cloned();
    let stamp = data.stamp(OF_OBJECT);
    let key = (stamp, props.object.clone(), *limit, host);
    let seen = use_memo(key, |(_, object, limit, host)| {
        data.with(|cache| Seen {
            paths: (object.class == "VM")
                .then(|| data_paths(cache, &object.reference.clone().typed(), host.as_deref()))
                .flatten()
                .map(|paths| Same(Rc::new(paths))),
            tables: tables(cache, object, *limit).into_iter().map(|table| Same(Rc::new(table))).collect(),
            around: Same(Rc::new(around(cache, object))),
        })
    });
    // Equal things keep their address, so that what has not changed is not drawn again.
    let kept = use_mut_ref(Seen::default);
    let seen = {
        let mut kept = kept.borrow_mut();
        kept.take_over(&seen);
        kept.clone()
    };
    let on_host = {
        let store = store.clone();
        Callback::from(move |uuid: String| store.dispatch(Action::Keep(ON.into(), Some(uuid))))
    };
    let more = {
        let limit = limit.setter();
        Callback::from(move |()| limit.set(MANY))
    };
    let told = {
        let (data, class) = (data.clone(), props.object.class);
        use_memo((props.fetched.clone(), stamp), move |(fetched, _)| match (fetched, xenapi_model::class(class)) {
            (Fetched::Known(record), Some(class)) => data.with(|cache| sections(cache, class, record, dom::clock())),
            _ => Vec::new(),
        })
    };
    let title = props.details.title.clone();
    // The head of the page has it.
    let facts = props.details.facts.iter().filter(|fact| fact.label != Text::Uuid);
    html! {
        <>
            <section class="object-section summary" aria-labelledby="summary-title">
                <h2 id="summary-title">{ Text::Summary.get() }</h2>
                <dl class="fact-grid">{ for facts.map(|it| html! { <FactView key={it.label.key()} fact={it.clone()} /> }) }
                    { for highlights(props.object.class, &told).into_iter().map(|it| highlight(&go, it)) }</dl>
            </section>
            if let Some(paths) = seen.paths.clone() {
                <Paths name={title.clone()} {paths} {on_host} />
            }
            if !props.gone {
                { for seen.tables.iter().map(|table| html! {
                    <TableView key={table.id} table={table.clone()} more={more.clone()} can_more={*limit < MANY} />
                }) }
                if !seen.around.is_empty() {
                    <Surroundings {title} icon={props.details.icon} state={props.details.state} around={seen.around.clone()} />
                }
            }
        </>
    }
}

/// What the overview is made of.
#[derive(Clone, Default, PartialEq)]
struct Seen {
    paths: Option<Same<DataPaths>>,
    tables: Vec<Same<Table>>,
    around: Same<Around>,
}

impl Default for Same<Around> {
    fn default() -> Self {
        Same(Rc::default())
    }
}

impl Seen {
    /// Takes over what is different.
    fn take_over(&mut self, new: &Seen) {
        match (&self.paths, &new.paths) {
            (Some(old), Some(new)) if *old.0 == *new.0 => {}
            _ => self.paths.clone_from(&new.paths),
        }
        if *self.around.0 != *new.around.0 {
            self.around = new.around.clone();
        }
        let kept = |table: &Same<Table>| self.tables.iter().find(|old| *old.0 == *table.0).cloned();
        self.tables = new.tables.iter().map(|table| kept(table).unwrap_or_else(|| table.clone())).collect();
    }
}

#[derive(Properties, PartialEq)]
struct FactProps {
    fact: Fact,
}

/// A label and its value.
#[component]
fn FactView(props: &FactProps) -> Html {
    let go = use_go();
    let fact = &props.fact;
    let named = fact.link.as_ref().and_then(|it| go.named(it));
    let value = match &named {
        Some(named) => go.object(named, "", html! { { fact.value.show() } }),
        None => cell_view(&fact.value),
    };
    let is_mono = matches!(fact.label, Text::Uuid | Text::Mac);
    html! {
        <div class="fact">
            <dt>{ fact.label.get() }</dt>
            <dd class={classes!(is_mono.then_some("mono"))}>{ value }{ for fact.meter.map(|it| meter(it.permille)) }</dd>
        </div>
    }
}

/// A field of the record among the facts.
fn highlight(go: &Go, field: &Field) -> Html {
    let label = match field.label {
        Some(label) => html! { { label.get() } },
        None => html! { <span class="mono">{ &field.name }</span> },
    };
    html! {
        <div class="fact" key={format!("field-{}", field.name)} data-field={field.name.clone()}>
            <dt>{ label }</dt>
            <dd>{ shown(go, &field.shown) }</dd>
        </div>
    }
}
