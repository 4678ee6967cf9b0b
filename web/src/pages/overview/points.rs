//! Single points of failure, searched a little at a time while nobody waits.

use std::cell::{Cell, RefCell};
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
/// After which time it is looked again whether all of the inventory is there, in milliseconds.
const FILLING: u32 = 100;
/// How many points are named.
const NAMED: usize = 6;

/// How the search stands.
#[derive(Clone, PartialEq)]
enum Search {
    Going(usize, usize),
    Done(Rc<Vec<Point>>),
}

/// What a search needs from one step to the next.
#[derive(Clone)]
struct Work {
    data: Data,
    timer: Rc<RefCell<Option<Timeout>>>,
    /// Whether a search goes on, which no event disturbs: what it tells is of a moment ago.
    going: Rc<Cell<bool>>,
    tell: Callback<Search>,
}

impl Work {
    fn begin(self, wait: u32) {
        self.going.set(true);
        let timer = self.timer.clone();
        *timer.borrow_mut() = Some(Timeout::new(wait, move || {
            if self.data.driver.is_filling() {
                return self.begin(FILLING);
            }
            let survey = self.data.with(Survey::new);
            let stamp = self.data.stamp(overview::OF_POINTS);
            self.go_on(survey, stamp);
        }));
    }

    /// Goes on until it is done, telling how it stands. `stamp` is of the moment that the survey is about.
    fn go_on(self, mut survey: Survey, stamp: u64) {
        let begun = dom::now();
        let mut more = true;
        while more && dom::now().0.saturating_sub(begun.0) < STEP {
            more = survey.step(1);
        }
        if !more {
            let points = survey.points();
            self.going.set(false);
            let named = self.data.with(|cache| overview::name_points(cache, &points));
            let has_changed = self.data.stamp(overview::OF_POINTS) != stamp;
            // That there are none is not said of what was only half loaded.
            let is_partial = has_changed && named.is_empty();
            if !is_partial {
                self.tell.emit(Search::Done(Rc::new(named)));
            }
            if has_changed {
                self.begin(if is_partial { PAUSE } else { REST });
            }
            return;
        }
        let (tried, all) = survey.progress();
        self.tell.emit(Search::Going(tried, all));
        let timer = self.timer.clone();
        *timer.borrow_mut() = Some(Timeout::new(PAUSE, move || self.go_on(survey, stamp)));
    }
}

/// The points.
#[component]
pub(super) fn Points() -> Html {
    let (store, data) = (use_store(), use_data());
    let search = use_state_eq(|| None::<Search>);
    let timer: Rc<RefCell<Option<Timeout>>> = use_mut_ref(|| None);
    let going: Rc<Cell<bool>> = (*use_memo((), |()| Rc::new(Cell::new(false)))).clone();
    {
        let (setter, timer, data) = (search.setter(), timer.clone(), data.clone());
        let known = matches!(&*search, Some(Search::Done(_)));
        use_effect_with(data.stamp(overview::OF_POINTS), move |_| {
            if cfg!(target_arch = "wasm32") && !going.get() {
                // What was found stays in sight while it is looked for again.
                let tell = Callback::from(move |now: Search| match now {
                    Search::Going(..) if known => {}
                    now => setter.set(Some(now)),
                });
                let wait = if known { REST } else { PAUSE };
                Work { data, timer, going, tell }.begin(wait);
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
