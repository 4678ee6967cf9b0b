//! How a VM's data travels: a drawing that is an ordered list, so that everybody gets the same.

use web_sys::HtmlSelectElement;
use xenapi_console::object_page::paths::{Candidate, DataPath, DataPaths, Hop, Stage, Step, columns};
use xenapi_console::text::{self, Text};
use xenapi_topology::State;
use yew::prelude::*;

use super::link::{Go, use_go};
use crate::components::{glyph, icon};
use crate::store::{Same, use_data};

#[derive(Properties, PartialEq)]
pub(super) struct PathsProps {
    /// The VM's name.
    pub(super) name: String,
    pub(super) paths: Same<DataPaths>,
    /// Chooses a host, by its uuid, for a VM that does not run.
    pub(super) on_host: Callback<String>,
}

/// The drawing.
#[component]
pub(super) fn Paths(props: &PathsProps) -> Html {
    let (go, data) = (use_go(), use_data());
    let paths = &props.paths;
    let host = paths.host.as_ref().and_then(|it| data.with(|cache| xenapi_console::select::uuid_of(cache, it)));
    let lead = match (paths.would_be, &paths.host) {
        (false, _) => Text::PathsOf.with(&[&props.name, &paths.host_name]),
        (true, Some(_)) => Text::PathsWould.with(&[&props.name, &paths.host_name]),
        (true, None) => Text::PathsNowhere.with(&[&props.name]),
    };
    html! {
        <section class="object-section paths" aria-labelledby="paths-title" data-testid="data-paths"
            data-would-be={paths.would_be.to_string()}>
            <h2 id="paths-title">{ Text::DataPaths.get() }</h2>
            <p class="quiet">{ lead }</p>
            if paths.candidates.len() > 1 { { hosts(&paths.candidates, host.as_deref(), &props.on_host) } }
            { lanes(&go, paths, "network", Text::PathsNetwork, Text::NoVifs, &paths.network) }
            { lanes(&go, paths, "storage", Text::PathsStorage, Text::NoVbds, &paths.storage) }
        </section>
    }
}

/// A choice of hosts for a VM that does not run.
fn hosts(candidates: &[Candidate], chosen: Option<&str>, on_host: &Callback<String>) -> Html {
    let onchange = {
        let on_host = on_host.clone();
        Callback::from(move |event: yew::Event| {
            if let Some(select) = event.target_dyn_into::<HtmlSelectElement>() {
                on_host.emit(select.value());
            }
        })
    };
    let option = |candidate: &Candidate| {
        let problems: Vec<String> = candidate.problems.iter().map(|problem| problem.words()).collect();
        let label = match problems.is_empty() {
            true => Text::HostFits.with(&[&candidate.name]),
            false => Text::HostMisses.with(&[&candidate.name, &problems.join(", ")]),
        };
        html! { <option value={candidate.uuid.clone()} selected={Some(candidate.uuid.as_str()) == chosen}>{ label }</option> }
    };
    html! {
        <label class="path-host">
            { Text::WouldRunOn.get() }
            <select class="field" {onchange} data-testid="path-host">{ for candidates.iter().map(option) }</select>
        </label>
    }
}

fn lanes(go: &Go, all: &DataPaths, id: &'static str, title: Text, none: Text, paths: &[DataPath]) -> Html {
    let stages = columns(paths);
    let heading = |stage: &Stage| {
        html! { <span class={classes!(stage.is_in_dom0().then_some("in-dom0"))}>{ stage.heading().get() }</span> }
    };
    html! {
        <div class={classes!("lanes", format!("lanes-{}", stages.len().clamp(1, 9)))} data-testid={format!("paths-{id}")}>
            <h3>{ title.get() }</h3>
            if paths.is_empty() {
                <p class="quiet">{ none.get() }</p>
            } else {
                <div class="lane-heads" key="heads" aria-hidden="true">{ for stages.iter().map(heading) }</div>
                { for paths.iter().map(|path| lane(go, all, &stages, path)) }
            }
        </div>
    }
}

fn lane(go: &Go, all: &DataPaths, stages: &[Stage], path: &DataPath) -> Html {
    let health = path.health.words(all.would_be).get();
    let device = path.steps.first().and_then(|step| step.hops.first()).map_or("", |hop| hop.name.as_str());
    let last = path.steps.last().map(|step| step.stage);
    // Behind the first hop that lets nothing through, nothing arrives.
    let mut cut = false;
    let items: Vec<Html> = stages
        .iter()
        .enumerate()
        .map(|(at, stage)| {
            let step = path.steps.iter().find(|step| step.stage == *stage);
            let arrives = !cut;
            cut |= step.is_some_and(|step| step.hops.iter().all(|hop| hop.state == State::Failed) && !step.hops.is_empty());
            let line = if !arrives || cut {
                "line-broken"
            } else if all.would_be {
                "line-would"
            } else {
                "line-works"
            };
            let ends = (at == 0, Some(*stage) >= last);
            item(go, *stage, step, line, ends, (at == 0).then(|| path.health.state(all.would_be)))
        })
        .collect();
    html! {
        <ol class="lane" key={path.device.as_str().to_owned()} aria-label={format!("{device}: {health}")} data-testid="path"
            data-device={device.to_owned()} data-health={path.health.state(all.would_be).name()}>{ items }</ol>
    }
}

fn item(go: &Go, stage: Stage, step: Option<&Step>, line: &'static str, ends: (bool, bool), health: Option<State>) -> Html {
    let class = classes!(
        "step",
        line,
        stage.is_in_dom0().then_some("in-dom0"),
        ends.0.then_some("first"),
        ends.1.then_some("last"),
    );
    let Some(step) = step else {
        // The data passes without stopping; past the end of the path there is not even a line.
        return html! { <li class={classes!(class, "pass")} aria-hidden="true"></li> };
    };
    let fork = step.hops.len() > 1;
    html! {
        <li {class} data-stage={stage_word(stage)}>
            <span class="stage-name">{ stage.heading().get() }</span>
            <span class={classes!("hops", fork.then_some("fork"))}>{ for step.hops.iter().map(|it| hop(go, it, health)) }</span>
        </li>
    }
}

/// A stage's word for tests.
fn stage_word(stage: Stage) -> String {
    format!("{stage:?}").to_lowercase()
}

fn hop(go: &Go, hop: &Hop, health: Option<State>) -> Html {
    let state = health.unwrap_or(hop.state);
    let problem = hop.problem.as_ref().map(|problem| {
        let fatal = problem.is_fatal();
        html! { <span class={classes!("problem", (!fatal).then_some("mild"))}>{ problem.words() }</span> }
    });
    let inside = html! {
        <>
            <span class="hop-name">{ icon(hop.icon) }<span>{ &hop.name }</span>{ glyph(state) }
                <span class="sr-only">{ text::state(state).get() }</span></span>
            if !hop.detail.is_empty() { <span class="hop-detail">{ &hop.detail }</span> }
            { problem }
        </>
    };
    let class = if hop.problem.as_ref().is_some_and(|problem| problem.is_fatal()) { "hop broken" } else { "hop" };
    match &hop.link {
        Some(named) => go.object(named, class, inside),
        None => html! { <span {class}>{ inside }</span> },
    }
}
