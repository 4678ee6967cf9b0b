//! The single points of failure.

use xenapi_console::format;
use xenapi_console::graph::impact::{self, PointRow};
use xenapi_console::text::{Plural, Text};
use xenapi_topology::State;
use yew::prelude::*;

use crate::analysis::use_points;
use crate::components::{glyph, icon};
use crate::store::{use_data, use_store};

/// How many are shown at first.
const SHOWN: usize = 50;

/// The list of them.
#[component]
pub(super) fn Points() -> Html {
    let (store, data) = (use_store(), use_data());
    let found = use_points();
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
