//! One parameter of a form.

use web_sys::{HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement};
use xenapi_console::explorer::catalogue::{Catalogue, Param};
use xenapi_console::explorer::form::{self, Editor};
use xenapi_console::explorer::objects;
use xenapi_console::text::Text;
use yew::prelude::*;

use super::type_view;
use crate::store::{Same, use_data};

/// How many objects are offered to choose from.
const MOST: usize = 500;

#[derive(Properties, PartialEq)]
pub(crate) struct EntryProps {
    pub(crate) catalogue: Same<Catalogue>,
    pub(crate) at: usize,
    pub(crate) param: Param,
    pub(crate) text: String,
    pub(crate) problem: Option<String>,
    pub(crate) on_entry: Callback<String>,
}

/// A parameter: its name and type, where it is entered, and what is wrong with it.
#[component]
pub(crate) fn Entry(props: &EntryProps) -> Html {
    let param = &props.param;
    let id = format!("api-entry-{}", props.at);
    let editor = form::editor(&param.ty, &props.catalogue);
    let hint = match &editor {
        Editor::Object(_) => Some(Text::HintObject),
        Editor::Lines => Some(Text::HintLines),
        Editor::Pairs => Some(Text::HintPairs),
        Editor::Json => Some(Text::HintJson),
        _ => None,
    };
    let described = format!("{id}-note");
    html! {
        <div class={classes!("explorer-entry", props.problem.is_some().then_some("wrong"))}>
            <label for={id.clone()}>
                <code>{ &param.name }</code>{ type_view(&param.ty) }
                if !param.unit.is_empty() { <span class="quiet">{ &param.unit }</span> }
                if param.optional { <span class="quiet">{ Text::Optional.get() }</span> }
            </label>
            { control(props, &editor, &id, &described) }
            <p id={described} class="explorer-note">
                if let Some(problem) = &props.problem {
                    <span role="alert">{ problem }</span>
                } else if let Some(hint) = hint {
                    <span class="quiet">{ hint.get() }</span>
                }
            </p>
        </div>
    }
}

fn control(props: &EntryProps, editor: &Editor, id: &str, described: &str) -> Html {
    let (id, described) = (id.to_owned(), described.to_owned());
    let testid = format!("api-param-{}", props.param.name);
    let wrong = props.problem.is_some().then_some("true");
    match editor {
        Editor::Switch => choice(props, ["true", "false"].map(String::from).to_vec(), id, described, testid),
        Editor::Choice(words) => {
            // Before anything is chosen nothing is.
            let first = if props.text.is_empty() { vec![String::new()] } else { Vec::new() };
            choice(props, first.into_iter().chain(words.iter().cloned()).collect(), id, described, testid)
        }
        Editor::Lines | Editor::Pairs | Editor::Json => {
            let on_entry = props.on_entry.clone();
            let oninput = Callback::from(move |event: InputEvent| {
                if let Some(area) = event.target_dyn_into::<HtmlTextAreaElement>() {
                    on_entry.emit(area.value());
                }
            });
            html! {
                <textarea {id} class="field" rows="4" spellcheck="false" value={props.text.clone()} {oninput}
                    aria-describedby={described} aria-invalid={wrong} data-testid={testid} />
            }
        }
        Editor::Object(class) => {
            html! {
                <ObjectEntry {id} {described} {testid} class={class.clone()} text={props.text.clone()} wrong={props.problem.is_some()}
                    on_entry={props.on_entry.clone()} />
            }
        }
        Editor::Number | Editor::Line => {
            let kind = if props.param.secret { "password" } else { "text" };
            let mode = if *editor == Editor::Number { "decimal" } else { "text" };
            html! {
                <input {id} class="field" type={kind} inputmode={mode} autocomplete="off" spellcheck="false" value={props.text.clone()}
                    oninput={from_input(&props.on_entry)} aria-describedby={described} aria-invalid={wrong} data-testid={testid} />
            }
        }
    }
}

fn from_input(on_entry: &Callback<String>) -> Callback<InputEvent> {
    let on_entry = on_entry.clone();
    Callback::from(move |event: InputEvent| {
        if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
            on_entry.emit(input.value());
        }
    })
}

fn choice(props: &EntryProps, words: Vec<String>, id: String, described: String, testid: String) -> Html {
    let on_entry = props.on_entry.clone();
    let onchange = Callback::from(move |event: Event| {
        if let Some(select) = event.target_dyn_into::<HtmlSelectElement>() {
            on_entry.emit(select.value());
        }
    });
    let options = words.into_iter().map(|word| {
        html! { <option value={word.clone()} selected={word == props.text}>{ word }</option> }
    });
    html! {
        <select {id} class="field" {onchange} aria-describedby={described} data-testid={testid}>{ for options }</select>
    }
}

#[derive(Properties, PartialEq)]
struct ObjectProps {
    id: String,
    described: String,
    testid: String,
    class: String,
    text: String,
    wrong: bool,
    on_entry: Callback<String>,
}

/// An object: its name, uuid or reference, with those that there are to choose from.
#[component]
fn ObjectEntry(props: &ObjectProps) -> Html {
    let data = use_data();
    // The list is made once, when the form is opened: it only helps to choose.
    let options = use_memo(props.class.clone(), |class| data.with(|cache| objects::candidates(cache, class, MOST)));
    let list = format!("{}-list", props.id);
    let options = options.iter().map(|(uuid, name)| html! { <option value={uuid.clone()}>{ name }</option> });
    html! {
        <>
            <input id={props.id.clone()} class="field" list={list.clone()} autocomplete="off" spellcheck="false" value={props.text.clone()}
                oninput={from_input(&props.on_entry)} aria-describedby={props.described.clone()}
                aria-invalid={props.wrong.then_some("true")} data-testid={props.testid.clone()} />
            <datalist id={list}>{ for options }</datalist>
        </>
    }
}
