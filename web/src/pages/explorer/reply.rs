//! What comes of a call: the reply as it came, what it means, and the task that it began.

use wasm_bindgen_futures::spawn_local;
use xenapi_codec::{Limits, xmlrpc};
use xenapi_console::explorer::wire;
use xenapi_console::text::Text;
use xenapi_console::{explain, format};
use xenapi_core::{Failure, Millis, RawCall, Ref, Value, Wire};
use xenapi_model::Task;
use xenapi_model::task::TaskStatusType;
use yew::prelude::*;

use super::code::Code;
use crate::store::use_data;

/// How much of a reply is shown, in bytes.
const MOST: usize = 128 * 1024;

/// A reply.
#[derive(Clone, PartialEq)]
pub(crate) enum Reply {
    /// Not there yet.
    Waiting,
    /// There is none, and why.
    None(String),
    /// It came.
    Came { text: String, bytes: usize, took: Millis, meaning: Meaning },
}

/// What it says.
#[derive(Clone, PartialEq)]
pub(crate) enum Meaning {
    /// The call succeeded.
    Success,
    /// It goes on as a task.
    Task(String),
    /// The pool refused.
    Refused(Failure),
    /// It is no reply, and why.
    Unreadable(String),
}

impl Reply {
    /// Reads a reply.
    pub(crate) fn of(answer: Result<Vec<u8>, String>, is_async: bool, took: Millis) -> Reply {
        let bytes = match answer {
            Ok(bytes) => bytes,
            Err(why) => return Reply::None(why),
        };
        let meaning = match xmlrpc::read_reply(&bytes, &Limits::reply()) {
            Ok(xmlrpc::Outcome::Success(mut reader)) => match (is_async, Value::read(&mut reader)) {
                (true, Ok(Value::Text(task))) => Meaning::Task(task),
                (_, Ok(_)) => Meaning::Success,
                (_, Err(error)) => Meaning::Unreadable(error.to_string()),
            },
            Ok(xmlrpc::Outcome::Failure(failure)) => Meaning::Refused(failure),
            Ok(xmlrpc::Outcome::Fault { code, text }) => Meaning::Refused(Failure::new("Fault", [code.to_string(), text])),
            Ok(_) => Meaning::Unreadable(Text::Unreadable.get().into()),
            Err(error) => Meaning::Unreadable(error.to_string()),
        };
        let text = wire::pretty_xml(&String::from_utf8_lossy(&bytes[..bytes.len().min(MOST)]), MOST);
        Reply::Came { text, bytes: bytes.len(), took, meaning }
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct ReplyProps {
    pub(crate) reply: Reply,
}

/// The reply.
#[component]
pub(crate) fn ReplyView(props: &ReplyProps) -> Html {
    let inside = match &props.reply {
        Reply::Waiting => html! { <p role="status">{ Text::ApiWaiting.get() }</p> },
        Reply::None(why) => html! { <p class="message" role="alert">{ why }</p> },
        Reply::Came { text, bytes, took, meaning } => {
            let size = format::bytes(i64::try_from(*bytes).unwrap_or(i64::MAX));
            html! {
                <>
                    { meant(meaning) }
                    <p class="quiet">{ Text::ApiReplyFacts.with(&[&size, &took.0.to_string()]) }</p>
                    <Code text={text.clone()} testid="api-reply-text" />
                </>
            }
        }
    };
    html! { <section class="explorer-reply" data-testid="api-reply"><h2>{ Text::ApiReply.get() }</h2>{ inside }</section> }
}

fn meant(meaning: &Meaning) -> Html {
    match meaning {
        Meaning::Success => html! { <p role="status" data-testid="api-success">{ Text::ApiSuccess.get() }</p> },
        Meaning::Task(task) => html! { <TaskView task={task.clone()} /> },
        Meaning::Refused(failure) => refusal(failure),
        Meaning::Unreadable(why) => html! { <p class="message" role="alert">{ why }</p> },
    }
}

fn refusal(failure: &Failure) -> Html {
    let told = explain::failure(failure);
    html! {
        <div class="message" role="alert" data-testid="api-refused">
            <strong>{ told.title }</strong><span>{ told.hint }</span>
            <div class="mono">{ failure.to_string() }</div>
        </div>
    }
}

/// Whether a task answered more than that it is done.
fn says_something(result: &str) -> bool {
    !matches!(result, "" | "<value></value>" | "<value/>")
}

#[derive(Properties, PartialEq)]
struct TaskProps {
    task: String,
}

/// The task that a call began, as the pool tells of it.
#[component]
fn TaskView(props: &TaskProps) -> Html {
    let data = use_data();
    let record = data.with(|cache| cache.get(&Ref::<Task>::new(props.task.as_str())).cloned());
    // What is gone at the end was there before: it is removed below, or by somebody else.
    let seen = use_mut_ref(|| false);
    let Some(record) = record else {
        let text = if *seen.borrow() { Text::TaskRemoved } else { Text::TaskBegun };
        return html! { <p role="status" data-testid="api-task">{ text.get() }</p> };
    };
    *seen.borrow_mut() = true;
    let remove = {
        let (driver, task) = (data.driver.clone(), props.task.clone());
        Callback::from(move |_: MouseEvent| {
            let call = RawCall {
                method: "task.destroy".into(),
                params: vec![Value::from(wire::SESSION), Value::from(task.as_str())],
            };
            let driver = driver.clone();
            spawn_local(async move {
                // Whether it is gone shows by itself.
                let _ = driver.exchange(wire::xml(&call)).await;
            });
        })
    };
    let is_over = !matches!(record.status, TaskStatusType::Pending | TaskStatusType::Cancelling);
    let failed = (!record.error_info.is_empty()).then(|| Failure::from_description(record.error_info.to_vec()));
    html! {
        <div data-testid="api-task" data-status={record.status.to_string()}>
            <p role="status">
                { Text::TaskIs.with(&[&record.name_label, &record.status.to_string()]) }
                <progress max="1" value={record.progress.to_string()} aria-label={Text::TaskProgress.get()}></progress>
            </p>
            if let Some(failure) = failed.filter(|_| is_over) { { refusal(&failure) } }
            if is_over && says_something(&record.result) { <Code text={record.result.clone()} /> }
            if is_over {
                <button type="button" class="button" onclick={remove} data-testid="api-task-remove">{ Text::StepTaskEnd.get() }</button>
            }
        </div>
    }
}
