//! A message: what it is, a form for it, the same call in other words, and what comes of it.

use std::collections::BTreeSet;

use wasm_bindgen_futures::spawn_local;
use xenapi_console::explorer::catalogue::{Catalogue, Class, Message};
use xenapi_console::explorer::code::{Language, Said};
use xenapi_console::explorer::form::{self, Problem};
use xenapi_console::explorer::objects::{self, Uuids};
use xenapi_console::explorer::ty::Ty;
use xenapi_console::explorer::{flow, wire};
use xenapi_console::text::Text;
use xenapi_core::Value;
use yew::prelude::*;

use super::code::Code;
use super::entry::Entry;
use super::reply::{Reply, ReplyView};
use super::{ApiLink, ON, class_link, stage, type_view};
use crate::dom;
use crate::driver::PoolInfo;
use crate::store::{Pools, Same, use_data, use_store};

#[derive(Properties, PartialEq)]
pub(crate) struct CallProps {
    pub(crate) catalogue: Same<Catalogue>,
    pub(crate) class: String,
    pub(crate) message: String,
}

/// What was entered, as arguments; or what is wrong with it.
type Entered = Result<Vec<Value>, Vec<(usize, Problem)>>;

/// The page of a message.
#[component]
pub(crate) fn CallPage(props: &CallProps) -> Html {
    let (store, data) = (use_store(), use_data());
    let pools = use_context::<Pools>().unwrap_or_default();
    let entries = {
        let on = store.0.query.get(ON).cloned();
        use_state(|| {
            props
                .catalogue
                .message(&props.class, &props.message)
                .map(|it| initial(it.0, it.1, on, &props.catalogue))
                .unwrap_or_default()
        })
    };
    let as_task = use_state(|| true);
    let sent = use_state(|| None::<Reply>);
    // What is wrong is said once somebody has tried, not while the form is still empty.
    let tried = use_state(|| false);
    let Some((class, message)) = props.catalogue.message(&props.class, &props.message) else { return html! {} };
    // A copy, or a pool that the server only shows, takes nothing that changes it.
    let is_this = |pool: &&PoolInfo| Some(&pool.name) == store.0.pool.as_ref();
    let forbidden = !message.looks && pools.0.iter().find(is_this).is_some_and(|pool| pool.read_only);
    let find = |class: &str, word: &str| data.with(|cache| objects::named(cache, class, word));
    let entered: Entered = form::arguments(message, &entries, &props.catalogue, &find);
    // What only looks is over at once; a task for it would be left behind for nothing.
    let is_async = message.task && !message.looks && *as_task;
    let onsubmit = {
        let call = entered.as_ref().ok().map(|arguments| wire::call(class, message, is_async, arguments));
        let (data, sent, tried) = (data.clone(), sent.setter(), tried.setter());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            tried.set(true);
            let Some(body) = call.as_ref().map(wire::xml) else { return };
            let (sent, driver, started) = (sent.clone(), data.driver.clone(), dom::now());
            sent.set(Some(Reply::Waiting));
            spawn_local(async move {
                let answer = driver.exchange(body).await;
                sent.set(Some(Reply::of(answer, is_async, dom::now() - started)));
            });
        })
    };
    let problems = if *tried { entered.as_ref().err().cloned().unwrap_or_default() } else { Vec::new() };
    let fields = message.params.iter().enumerate().map(|(at, param)| {
        let set = entries.clone();
        let on_entry = Callback::from(move |text: String| {
            let mut all = (*set).clone();
            if let Some(entry) = all.get_mut(at) {
                *entry = text;
            }
            set.set(all);
        });
        html! {
            <Entry {at} catalogue={props.catalogue.clone()} param={param.clone()} {on_entry}
                text={entries.get(at).cloned().unwrap_or_default()}
                problem={problems.iter().find(|it| it.0 == at).map(|it| it.1.sentence())} />
        }
    });
    let uuids = Uuids(data.with(|cache| cache.snapshot()));
    let said = Said { class, message, is_async, arguments: entered.as_deref().unwrap_or(&[]), uuids: &uuids };
    html! {
        <article data-testid="api-call">
            { head(class, message, &props.catalogue) }
            <div class="explorer-call"><div>
            <form class="explorer-form" {onsubmit} novalidate=true aria-label={Text::ApiForm.get()}>
                { for fields }
                if message.task && !message.looks { { task_choice(&as_task) } }
                <div class="explorer-send">
                    <button type="submit" class="button primary" disabled={forbidden || matches!(&*sent, Some(Reply::Waiting))} data-testid="api-send">
                        { if message.looks { Text::ApiSend } else { Text::ApiSendChange }.get() }
                    </button>
                    if forbidden {
                        <span class="quiet" data-testid="api-read-only">{ Text::ReadOnlyTitle.get() }</span>
                    } else if !message.looks {
                        <span class="quiet">{ Text::ApiChanges.get() }</span>
                    }
                </div>
            </form>
            if let Some(reply) = &*sent { <ReplyView reply={reply.clone()} /> }
            </div>
            <CodeView texts={Language::ALL.map(|it| said.text(it)).to_vec()} ready={entered.is_ok()} />
            </div>
            { steps(&said) }
        </article>
    }
}

/// What a form starts with; the object that the address names is there already.
fn initial(class: &Class, message: &Message, on: Option<String>, catalogue: &Catalogue) -> Vec<String> {
    let mut entries: Vec<String> = message.params.iter().map(|it| form::template(it, catalogue)).collect();
    let this = message.params.iter().position(|it| it.ty == Ty::Ref(class.name.clone()));
    if let (Some(uuid), Some(entry)) = (on, this.and_then(|at| entries.get_mut(at))) {
        *entry = uuid;
    }
    entries
}

fn head(class: &Class, message: &Message, catalogue: &Catalogue) -> Html {
    // The schema names some twice, with other parameters.
    let codes: BTreeSet<&String> = message.errors.iter().collect();
    let errors = codes.into_iter().map(|code| {
        html! { <ApiLink parts={vec!["errors".to_owned(), code.clone()]}><code>{ code }</code></ApiLink> }
    });
    html! {
        <>
            <p class="crumbs">{ class_link(&class.name) }</p>
            <h1><code>{ format!("{}.{}", class.name, message.name) }</code>{ stage(&message.state) }</h1>
            if !message.doc.is_empty() { <p class="explorer-lead">{ super::sentence(&message.doc) }</p> }
            <dl class="facts">
                <dt>{ Text::Answers.get() }</dt>
                <dd>{ type_view(&message.result) }if message.nullable { { format!(" {}", Text::OrNull.get()) } }</dd>
                <dt>{ Text::LeastRole.get() }</dt>
                <dd><code>{ &message.role }</code></dd>
                if !message.errors.is_empty() { <dt>{ Text::Errors.get() }</dt><dd class="words">{ for errors }</dd> }
                <dt>{ Text::Releases.get() }</dt>
                <dd>{ catalogue.history(&message.since) }</dd>
            </dl>
        </>
    }
}

fn task_choice(as_task: &UseStateHandle<bool>) -> Html {
    let choose = {
        let as_task = as_task.clone();
        Callback::from(move |_: MouseEvent| as_task.set(!*as_task))
    };
    html! {
        <label class="check">
            <input type="checkbox" checked={**as_task} onclick={choose} data-testid="api-async" />
            <span>{ Text::ApiAsTask.get() }</span>
        </label>
    }
}

#[derive(Properties, PartialEq)]
struct CodeProps {
    /// The call in each language.
    texts: Vec<Option<String>>,
    /// Whether the form is filled in: what is shown otherwise lacks arguments.
    ready: bool,
}

/// The call in other words.
#[component]
fn CodeView(props: &CodeProps) -> Html {
    let chosen = use_state(Language::default);
    let tabs = Language::ALL.into_iter().map(|language| {
        let set = chosen.setter();
        let onclick = Callback::from(move |_: MouseEvent| set.set(language));
        html! {
            <button type="button" aria-pressed={(*chosen == language).to_string()} {onclick}
                data-testid={format!("api-code-{}", language.name())}>{ language.name() }</button>
        }
    });
    let text = Language::ALL.iter().position(|it| it == &*chosen).and_then(|at| props.texts.get(at)).cloned().flatten();
    html! {
        <section>
            <h2>{ Text::ApiWords.get() }</h2>
            <div class="segments" role="group" aria-label={Text::ApiWords.get()}>{ for tabs }</div>
            if !props.ready { <p class="quiet">{ Text::ApiUnfilled.get() }</p> }
            if let Some(text) = text {
                <Code {text} testid="api-code" />
            } else {
                <p class="quiet" data-testid="api-code-none">{ Text::ApiNoXe.get() }</p>
            }
        </section>
    }
}

/// The way of the call, step by step.
fn steps(said: &Said<'_>) -> Html {
    let items = flow::steps(said, false).into_iter().map(|step| {
        html! {
            <li>
                <details>
                    <summary><strong>{ step.title.get() }</strong> <span class="quiet">{ step.note.get() }</span></summary>
                    if let Some(sent) = step.sent { <Code text={sent} /> }
                </details>
            </li>
        }
    });
    html! {
        <section data-testid="api-flow">
            <h2>{ Text::ApiFlow.get() }</h2>
            <ol class="explorer-flow">{ for items }</ol>
        </section>
    }
}
