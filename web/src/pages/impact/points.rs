//! The single points of failure, found a few at a time so that the page never waits.

use std::cell::RefCell;
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use xenapi_console::format;
use xenapi_console::graph::impact::{self, OF_IMPACT, PointRow};
use xenapi_console::text::{Plural, Text};
use xenapi_topology::State;
use xenapi_topology::impact::{SinglePoint, Survey};
use yew::prelude::*;

use crate::components::{glyph, icon};
use crate::dom;
use crate::store::{Data, use_data, use_store};

/// For so long the search works at a time, in milliseconds; then the page has its turn.
const WORK: f64 = 8.0;
/// Not more often than this a search begins, in milliseconds.
const GAP: f64 = 10_000.0;

/// What has been found.
#[derive(Clone, Default, PartialEq)]
struct Found {
    points: Option<Rc<Vec<SinglePoint>>>,
    /// How many parts were tried, of how many.
    progress: (usize, usize),
}

/// Searches again whenever the pool has changed, if not too often.
#[hook]
fn use_points(data: &Data) -> Found {
    let stamp = dom::calm::use_calm(data.stamp(OF_IMPACT), GAP);
    let found = use_state_eq(Found::default);
    let data = data.clone();
    let setter = found.setter();
    let last = found.points.clone();
    use_effect_with(stamp, move |_| {
        let survey = Rc::new(RefCell::new(None::<Survey>));
        let timer = Rc::new(RefCell::new(None::<Timeout>));
        work(Work { data, survey, timer: timer.clone(), setter, last });
        move || drop(timer.borrow_mut().take())
    });
    (*found).clone()
}

/// A search under way.
#[derive(Clone)]
struct Work {
    data: Data,
    survey: Rc<RefCell<Option<Survey>>>,
    timer: Rc<RefCell<Option<Timeout>>>,
    setter: UseStateSetter<Found>,
    /// What was found by the last search, which is shown until this one is over.
    last: Option<Rc<Vec<SinglePoint>>>,
}

fn work(work_: Work) {
    let again = work_.clone();
    let timer = Timeout::new(0, move || {
        let mut survey = again.survey.borrow_mut();
        let Some(running) = survey.as_mut() else {
            *survey = Some(again.data.with(Survey::new));
            drop(survey);
            return work(again);
        };
        let start = dom::precise_now();
        let mut more = true;
        while more && dom::precise_now() - start < WORK {
            more = running.step(4);
        }
        let progress = running.progress();
        if more {
            again.setter.set(Found { points: again.last.clone(), progress });
            drop(survey);
            work(again);
        } else if let Some(done) = survey.take() {
            again.setter.set(Found { points: Some(Rc::new(done.points())), progress });
        }
    });
    *work_.timer.borrow_mut() = Some(timer);
}

/// How many are shown at first.
const SHOWN: usize = 50;

/// The list of them.
#[component]
pub(super) fn Points() -> Html {
    let (store, data) = (use_store(), use_data());
    let found = use_points(&data);
    let all = use_state_eq(|| false);
    let rows = use_memo(found.points.clone(), |points| {
        points.as_ref().map(|points| data.with(|cache| impact::points(cache, points)))
    });
    let status = match (&*rows, found.progress) {
        (None, (_, 0)) => String::new(),
        (None, (tried, of)) => Text::PointsSearching.with(&[&format::count(tried), &format::count(of)]),
        (Some(rows), _) if rows.is_empty() => Text::PointsNone.get().into(),
        (Some(rows), _) => Plural::PointsFound.of(rows.len()),
    };
    let line = |row: &PointRow| {
        let onclick = {
            let (store, part) = (store.clone(), row.part.clone());
            move |_| super::add(&store, &part)
        };
        // On a phone the heading stands beside the number, and what is none is left out.
        let number = |count: usize, of: Text| {
            let class = classes!("number", (count == 0).then_some("zero"));
            html! { <td {class} data-label={of.get()}>{ format::count(count) }</td> }
        };
        html! {
            <tr key={row.part.named.uuid.clone()} class="item" data-testid="single-point" data-uuid={row.part.named.uuid.clone()} data-class={row.part.named.class.clone()}>
                <td><button type="button" class="name" {onclick} title={Text::WhatIf.get()}>
                    { icon(row.part.icon) }<span>{ &row.part.label }</span><span class="quiet">{ row.part.kind.get() }</span></button></td>
                { number(row.point.stranded, Text::PointsStranded) }
                { number(row.point.cut_off, Text::PointsCutOff) }
                { number(row.point.stopped, Text::PointsStopped) }
                { number(row.point.degraded, Text::PointsDegraded) }
            </tr>
        }
    };
    let heading = |text: Text, title: Option<Text>| {
        html! { <th scope="col" class="number" title={title.map(Text::get)}><span class="plain">{ text.get() }</span></th> }
    };
    let more = (*rows).as_ref().map_or(0, |rows| rows.len().saturating_sub(SHOWN));
    let unfold = {
        let all = all.setter();
        move |_| all.set(true)
    };
    html! {
        <section class="points" data-testid="single-points">
            <h2>{ glyph(State::Attention) }{ Text::PointsTitle.get() }</h2>
            <p class="quiet">{ Text::PointsHint.get() }</p>
            <p role="status" data-testid="single-points-status" data-done={rows.is_some().then_some("true")}>{ status }</p>
            if let Some(rows) = (*rows).as_ref().filter(|rows| !rows.is_empty()) {
                <table class="table plain-table">
                    <thead><tr>
                        <th scope="col" class="w-name"><span class="plain">{ Text::PointsPart.get() }</span></th>
                        { heading(Text::PointsStranded, Some(Text::PointsStrandedTitle)) }
                        { heading(Text::PointsCutOff, Some(Text::PointsCutOffTitle)) }
                        { heading(Text::PointsStopped, None) }
                        { heading(Text::PointsDegraded, None) }
                    </tr></thead>
                    <tbody>{ for rows.iter().take(if *all { usize::MAX } else { SHOWN }).map(line) }</tbody>
                </table>
                if more > 0 && !*all {
                    <button type="button" class="link" onclick={unfold} data-testid="more-points">{ Text::More.with(&[&format::count(more)]) }</button>
                }
            }
        </section>
    }
}
