//! Everything that the record says.

use web_sys::HtmlInputElement;
use xenapi_console::format;
use xenapi_console::object_page::fields::{Field, Section, Shown, sections};
use xenapi_console::state::Action;
use xenapi_console::text::Text;
use yew::prelude::*;

use super::link::{Go, use_go};
use super::record::Fetched;
use crate::components::empty;
use crate::dom;
use crate::store::{use_data, use_store};

/// The key under which the search stands in the address.
const FIND: &str = "find";

/// How many members of a set are shown before the others are folded.
const MEMBERS: usize = 24;

#[derive(Properties, PartialEq)]
pub(super) struct FieldsProps {
    pub(super) class: &'static str,
    pub(super) fetched: Fetched,
}

/// The fields, in groups, and a search through them.
#[component]
pub(super) fn Fields(props: &FieldsProps) -> Html {
    let (go, store, data) = (use_go(), use_store(), use_data());
    let stamp = data.stamp(xenapi_console::object_page::OF_OBJECT);
    let class = props.class;
    let all = use_memo((props.fetched.clone(), stamp), |(fetched, _)| match fetched {
        Fetched::Known(record) => xenapi_model::class(class)
            .map(|class| data.with(|cache| sections(cache, class, record, dom::clock())))
            .unwrap_or_default(),
        _ => Vec::new(),
    });
    let words = store.0.query.get(FIND).cloned().unwrap_or_default();
    let found: Vec<Section> =
        all.iter().map(|section| section.matching(&words)).filter(|section| !section.is_empty()).collect();
    let oninput = {
        let store = store.clone();
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                let value = Some(input.value()).filter(|value| !value.is_empty());
                store.dispatch(Action::Keep(FIND.into(), value));
            }
        })
    };
    match &props.fetched {
        Fetched::Asking => empty("record-loading", Text::RecordLoading.get(), "", None),
        Fetched::Failed(why) => empty("record-failed", Text::RecordFailed.get(), why, None),
        Fetched::Known(_) => html! {
            <div class="object-fields">
                <input class="field filter" type="search" placeholder={Text::FindFieldHint.get()}
                    aria-label={Text::FindField.get()} value={words.clone()} {oninput} data-testid="find-field" />
                // In an element of their own: what is searched in must not take the field's place while somebody types.
                <div>
                    { for found.iter().map(|it| section(&go, it)) }
                </div>
                <p class="quiet" role="status">{ for found.is_empty().then(|| Text::NoFieldMatches.with(&[&words])) }</p>
            </div>
        },
    }
}

fn section(go: &Go, section: &Section) -> Html {
    let group = format!("{:?}", section.group).to_lowercase();
    let id = format!("group-{group}");
    html! {
        <section class="object-section" key={group.clone()} aria-labelledby={id.clone()} data-testid="field-group"
            data-group={group}>
            <h2 {id}>{ section.group.title().get() }</h2>
            if !section.fields.is_empty() {
                <dl class="record-fields">{ for section.fields.iter().map(|it| field(go, it)) }</dl>
            }
            if !section.empty.is_empty() {
                <p class="quiet empty-fields">{ Text::EmptyFields.with(&[&section.empty.join(", ")]) }</p>
            }
        </section>
    }
}

fn field(go: &Go, field: &Field) -> Html {
    let name = html! { <span class="mono quiet">{ &field.name }</span> };
    let label = match field.label {
        Some(label) => html! { <><span>{ label.get() }</span>{ name }</> },
        None => html! { <span class="mono">{ &field.name }</span> },
    };
    html! {
        <div class="record-field" key={field.name.clone()} data-field={field.name.clone()}>
            <dt>{ label }</dt>
            <dd>{ shown(go, &field.shown) }</dd>
        </div>
    }
}

pub(super) fn shown(go: &Go, shown: &Shown) -> Html {
    match shown {
        Shown::One(part) => go.part(part),
        Shown::Many(parts) => {
            let item = |part| html! { <li>{ go.part(part) }</li> };
            let (first, rest) = parts.split_at(parts.len().min(MEMBERS));
            html! {
                <>
                    <ul class="members">{ for first.iter().map(item) }</ul>
                    if !rest.is_empty() {
                        <details>
                            <summary>{ Text::More.with(&[&format::count(rest.len())]) }</summary>
                            <ul class="members">{ for rest.iter().map(item) }</ul>
                        </details>
                    }
                </>
            }
        }
        Shown::Map(entries) => {
            let entry = |(key, value): &(_, _)| html! { <div><dt>{ go.part(key) }</dt><dd>{ go.part(value) }</dd></div> };
            html! { <dl class="entries">{ for entries.iter().map(entry) }</dl> }
        }
        Shown::Long(text) => {
            let length = format::count(text.chars().count());
            html! {
                <details>
                    <summary>{ Text::ShowLong.with(&[&length]) }</summary>
                    <pre tabindex="0">{ text }</pre>
                </details>
            }
        }
        Shown::Empty => html! { <span class="quiet">{ Text::Nothing.get() }</span> },
    }
}
