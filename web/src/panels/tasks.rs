//! What runs.

use std::rc::Rc;

use xenapi_console::format;
use xenapi_console::route::{Kind, View};
use xenapi_console::running::{OF_RUNNING, Running, running};
use xenapi_console::text::{Plural, Text};
use yew::prelude::*;

use crate::components::link::page_of;
use crate::components::{Disclosure, Link, Mark, mark};
use crate::store::{Same, use_data};

/// More than this is a table's business.
const SHOWN: usize = 12;

/// How many tasks run, and which.
#[component]
pub(crate) fn TasksButton() -> Html {
    let data = use_data();
    let tasks = use_memo(data.stamp(OF_RUNNING), |_| data.with(running));
    let count = tasks.len();
    let label = if count == 0 { Text::RunningNone.get().into() } else { Plural::RunningCount.of(count) };
    let button = html! {
        <>
            { mark(Mark::Tasks) }
            if count > 0 { <span class="badge" data-testid="tasks-count">{ format::count(count) }</span> }
        </>
    };
    let panel = {
        let tasks = tasks.clone();
        Callback::from(move |()| html! { <List tasks={Same(tasks.clone())} /> })
    };
    html! { <Disclosure id="tasks" class={classes!("tasks", (count > 0).then_some("busy"))} {label} {button} {panel} /> }
}

#[derive(Properties, PartialEq)]
struct ListProps {
    tasks: Same<Vec<Running>>,
}

#[component]
fn List(props: &ListProps) -> Html {
    let tasks: &Rc<Vec<Running>> = &props.tasks.0;
    html! {
        <>
            <h2>{ Text::RunningTitle.get() }</h2>
            if tasks.is_empty() { <p class="quiet">{ Text::RunningNone.get() }</p> }
            <ul>{ for tasks.iter().take(SHOWN).map(line) }</ul>
            if tasks.len() > SHOWN { <p class="quiet">{ Text::More.with(&[&format::count(tasks.len() - SHOWN)]) }</p> }
            <p><Link view={View::Table(Kind::Tasks)}>{ Text::RunningAll.get() }</Link></p>
        </>
    }
}

fn line(task: &Running) -> Html {
    let percent = format::percentage(task.percent);
    html! {
        <li key={task.uuid.clone()} class="task">
            <Link view={page_of("task", &task.uuid)}>{ &task.name }</Link>
            <span class="quiet number">{ if task.cancelling { Text::TaskCancelling.get().into() } else { percent.clone() } }</span>
            <progress max="100" value={task.percent.to_string()} aria-label={task.name.clone()}>{ percent }</progress>
            if !task.host.is_empty() { <span class="quiet">{ &task.host }</span> }
        </li>
    }
}
