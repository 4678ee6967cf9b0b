//! Single points of failure, searched a little at a time while nobody waits.

use std::cell::RefCell;
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use xenapi_console::overview::{self, Point, Survey};
use xenapi_console::route::{Route, View};
use xenapi_console::text::Text;
use yew::prelude::*;

use super::{link_to, object_link};
use crate::dom;
use crate::store::{Data, use_data, use_store};

/// How long one step may take, in milliseconds: well below what somebody notices.
const STEP: u64 = 8;
/// The pause between two steps, in milliseconds.
const PAUSE: u32 = 24;
/// How long the pool is left alone after a change before the search begins again, in milliseconds.
const REST: u32 = 5_000;
/// How many points are named.
const NAMED: usize = 6;

/// How the search stands.
#[derive(Clone, PartialEq)]
enum Search {
    Going(usize, usize),
    Done(Rc<Vec<Point>>),
}

/// Goes on with a survey until it is done, telling how it stands.
fn go_on(mut survey: Survey, data: Data, timer: Rc<RefCell<Option<Timeout>>>, tell: Callback<Search>) {
    let begun = dom::now();
    let mut more = true;
    while more && dom::now().0.saturating_sub(begun.0) < STEP {
        more = survey.step(1);
    }
    if !more {
        let points = survey.points();
        return tell.emit(Search::Done(Rc::new(data.with(|cache| overview::name_points(cache, &points)))));
    }
    let (tried, all) = survey.progress();
    tell.emit(Search::Going(tried, all));
    let again = timer.clone();
    *timer.borrow_mut() = Some(Timeout::new(PAUSE, move || go_on(survey, data, again, tell)));
}

/// The points.
#[component]
pub(super) fn Points() -> Html {
    let (store, data) = (use_store(), use_data());
    let search = use_state_eq(|| None::<Search>);
    let timer: Rc<RefCell<Option<Timeout>>> = use_mut_ref(|| None);
    let is_first = search.is_none();
    {
        let (search, timer, data) = (search.clone(), timer.clone(), data.clone());
        use_effect_with(data.stamp(overview::OF_POINTS), move |_| {
            // One that goes on is not disturbed by every event: what it tells is of a moment ago.
            let is_going = matches!(&*search, Some(Search::Going(..))) && timer.borrow().is_some();
            if cfg!(target_arch = "wasm32") && !is_going {
                let known = matches!(&*search, Some(Search::Done(_)));
                let setter = search.setter();
                // What was found stays in sight while it is looked for again.
                let tell = Callback::from(move |now: Search| match now {
                    Search::Going(..) if known => {}
                    now => setter.set(Some(now)),
                });
                let again = timer.clone();
                let wait = if is_first { PAUSE } else { REST };
                *timer.borrow_mut() = Some(Timeout::new(wait, move || {
                    let survey = data.with(Survey::new);
                    go_on(survey, data, again, tell);
                }));
            }
        });
    }
    {
        let timer = timer.clone();
        use_effect_with((), move |()| move || drop(timer.borrow_mut().take()));
    }
    match &*search {
        None => html! { <p class="quiet">{ Text::PointsSearching.with(&["0", "…"]) }</p> },
        Some(Search::Going(tried, all)) => {
            html! { <p class="quiet">{ Text::PointsSearching.with(&[&tried.to_string(), &all.to_string()]) }</p> }
        }
        Some(Search::Done(points)) if points.is_empty() => {
            html! { <p class="quiet" data-testid="no-points">{ Text::PointsNone.get() }</p> }
        }
        Some(Search::Done(points)) => {
            let lines = points.iter().take(NAMED).map(|point| {
                let route = point.route(store.0.pool.clone());
                html! {
                    <li key={point.fail.clone()}>
                        { object_link(&store, &point.link) }
                        { link_to(&store, route, "all", None, html! { &point.text }) }
                    </li>
                }
            });
            let more = points.len().saturating_sub(NAMED);
            let all = Route::to(store.0.pool.clone(), View::Impact);
            let label = if more > 0 { Text::AndMore.with(&[&more.to_string()]) } else { Text::PointsAll.get().into() };
            html! {
                <>
                    <ul class="point-list" data-testid="points">{ for lines }</ul>
                    <p>{ link_to(&store, all, "all", None, html! { label }) }</p>
                </>
            }
        }
    }
}
