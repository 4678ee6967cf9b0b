//! How old the data is, what is being tried, and what can be done about it.

use gloo_timers::callback::Interval;
use xenapi_client::{Error, Freshness, Status};
use xenapi_console::badge::{self, Badge, badge};
use xenapi_console::explain;
use xenapi_console::text::Text;
use xenapi_topology::State;
use yew::prelude::*;

use crate::components::glyph;
use crate::dom;
use crate::store::use_data;

#[derive(Properties, PartialEq)]
pub(crate) struct StatusProps {
    pub(crate) status: Status,
}

/// What keeps the pool from answering, as a sentence.
fn why(status: &Status) -> Option<String> {
    match status {
        Status::Waiting { why: Error::Unreachable(what), .. } => Some(explain::sentence(what)),
        Status::Waiting { why, .. } => Some(explain::error(why).line()),
        _ => None,
    }
}

/// Draws a component anew each second.
#[hook]
fn use_each_second() {
    let redraw = use_force_update();
    use_effect_with((), move |()| {
        let interval = cfg!(target_arch = "wasm32").then(|| Interval::new(1000, move || redraw.force_update()));
        move || drop(interval)
    });
}

/// How old the data is. It counts by itself, so that it is right even when nothing comes any more.
#[component]
pub(crate) fn FreshnessBadge(props: &StatusProps) -> Html {
    use_each_second();
    let data = use_data();
    let freshness = data.driver.freshness();
    let Badge { state, text, title, .. } = match data.driver.place() {
        Some(place) => badge::local(place),
        None => {
            let badge = badge(&freshness, why(&props.status).as_deref());
            if props.status == Status::Loading { badge::reloading(badge, &freshness) } else { badge }
        }
    };
    let shape = match state {
        "live" | "demo" => State::Running,
        "stale" | "retrying" => State::Attention,
        "offline" => State::Halted,
        _ => State::Unknown,
    };
    html! {
        <div class="freshness" data-testid="freshness" data-state={state} {title}>
            { glyph(shape) }
            <span>{ text }</span>
        </div>
    }
}

/// A line across the page while the data may be out of date: why, when it is tried again, and a way not to wait. Screen readers hear why, once;
/// the count is not for them.
#[component]
pub(crate) fn StaleNote(props: &StatusProps) -> Html {
    use_each_second();
    let data = use_data();
    // Old data alone is no trouble: the badge says it, and while a large inventory is read it is so for a moment.
    let stale = matches!(data.driver.freshness(), Freshness::Stale { .. });
    let why = why(&props.status).filter(|_| stale);
    let left = match &props.status {
        Status::Waiting { until, .. } => until.0.saturating_sub(dom::now().0),
        _ => 0,
    };
    let hurry = {
        let driver = data.driver.clone();
        move |_| driver.hurry()
    };
    html! {
        // A landmark, so that whoever goes from one to the next does not miss it.
        <div class={classes!(why.is_some().then_some("note"))} role={why.is_some().then_some("region")}
            aria-label={why.is_some().then(|| Text::FreshnessLabel.get())}>
            <span role="status">
                if let Some(why) = &why { <span data-testid="stale-note">{ Text::StaleNote.with(&[why]) }</span> }
            </span>
            if why.is_some() {
                <span class="attempt" data-testid="next-attempt">{ badge::next_attempt(left) }</span>
                <button type="button" class="button" onclick={hurry} data-testid="try-now">{ Text::TryNow.get() }</button>
            }
        </div>
    }
}
