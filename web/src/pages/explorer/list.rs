//! The classes, and finding anything among them.

use web_sys::HtmlInputElement;
use xenapi_console::explorer::catalogue::{Catalogue, Class};
use xenapi_console::explorer::find::{self, Hit, Sort};
use xenapi_console::text::Text;
use yew::prelude::*;

use super::ApiLink;
use crate::store::Same;

/// How many hits are shown.
const MOST: usize = 60;

/// The places of classes in the model, in the order in which people meet them.
const PLACES: [(&str, Text); 9] = [
    ("core", Text::PlaceCore),
    ("connector", Text::PlaceConnector),
    ("service", Text::PlaceService),
    ("hardware", Text::PlaceHardware),
    ("metrics", Text::PlaceMetrics),
    ("policy", Text::PlacePolicy),
    ("access", Text::PlaceAccess),
    ("value", Text::PlaceValue),
    ("legacy", Text::PlaceLegacy),
];

#[derive(Properties, PartialEq)]
pub(crate) struct ListProps {
    pub(crate) catalogue: Same<Catalogue>,
    pub(crate) here: Option<String>,
}

/// The list at the side.
#[component]
pub(crate) fn ClassList(props: &ListProps) -> Html {
    let words = use_state(String::new);
    let oninput = {
        let words = words.setter();
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                words.set(input.value());
            }
        })
    };
    let hits =
        use_memo(((*words).clone(), props.catalogue.clone()), |(words, catalogue)| find::find(catalogue, words, MOST));
    let here = props.here.as_deref();
    html! {
        <nav class="explorer-list" aria-label={Text::ApiClasses.get()}>
            <input class="field" type="search" placeholder={Text::ApiSearchHint.get()} aria-label={Text::ApiSearch.get()}
                value={(*words).clone()} {oninput} data-testid="api-search" />
            if words.trim().is_empty() {
                { for PLACES.iter().map(|(place, title)| group(&props.catalogue, place, *title, here)) }
                <ApiLink class="explorer-errors" parts={vec!["errors".to_owned()]} here={here == Some("errors")}>
                    { Text::ApiErrors.get() }
                </ApiLink>
            } else if hits.is_empty() {
                <p class="quiet" role="status">{ Text::ApiNothingFound.with(&[words.trim()]) }</p>
            } else {
                <ul class="explorer-hits" data-testid="api-hits">{ for hits.iter().map(hit) }</ul>
            }
        </nav>
    }
}

fn of_place<'a>(catalogue: &'a Catalogue, place: &'a str) -> impl Iterator<Item = &'a Class> {
    catalogue.classes.iter().filter(move |it| it.place == place)
}

fn group(catalogue: &Catalogue, place: &str, title: Text, here: Option<&str>) -> Html {
    let links = of_place(catalogue, place).map(|class| {
        html! {
            <li key={class.name.clone()}>
                <ApiLink parts={vec![class.name.clone()]} here={here == Some(class.name.as_str())}>{ &class.name }</ApiLink>
            </li>
        }
    });
    html! { <section><h2>{ title.get() }</h2><ul>{ for links }</ul></section> }
}

fn hit(hit: &Hit) -> Html {
    let (parts, name, word) = match hit.sort {
        Sort::Class => (vec![hit.class.clone()], hit.class.clone(), Text::SortClass),
        Sort::Message => {
            (vec![hit.class.clone(), hit.name.clone()], format!("{}.{}", hit.class, hit.name), Text::SortMessage)
        }
        Sort::Field => (
            vec![hit.class.clone(), "fields".into(), hit.name.clone()],
            format!("{}.{}", hit.class, hit.name),
            Text::SortField,
        ),
        Sort::Error => (vec!["errors".into(), hit.name.clone()], hit.name.clone(), Text::SortError),
    };
    html! {
        <li key={parts.join("/")}>
            <ApiLink {parts} title={(!hit.doc.is_empty()).then(|| hit.doc.clone())}>
                <span class="label">{ name }</span><span class="quiet">{ word.get() }</span>
            </ApiLink>
        </li>
    }
}

/// The page with all classes.
pub(super) fn start(catalogue: &Catalogue) -> Html {
    let groups = PLACES.iter().map(|(place, title)| {
        let cards = of_place(catalogue, place).map(|class| {
            html! {
                <li key={class.name.clone()}>
                    <ApiLink parts={vec![class.name.clone()]}>
                        <strong>{ &class.name }</strong>{ super::stage(&class.state) }<span class="quiet">{ super::sentence(&class.doc) }</span>
                    </ApiLink>
                </li>
            }
        });
        html! { <section><h2>{ title.get() }</h2><ul class="explorer-cards">{ for cards }</ul></section> }
    });
    html! {
        <article data-testid="api-start">
            <h1>{ Text::ApiTitle.get() }</h1>
            <p class="explorer-lead">{ Text::ApiLead.get() }</p>
            { for groups }
        </article>
    }
}
