//! The gravest single points of failure.

use xenapi_console::overview;
use xenapi_console::route::{Route, View};
use xenapi_console::text::Text;
use yew::prelude::*;

use super::{link_to, object_link};
use crate::analysis::use_points;
use crate::store::{use_data, use_store};

/// How many points are named.
const NAMED: usize = 6;

/// The points.
#[component]
pub(crate) fn Points() -> Html {
    let (store, data) = (use_store(), use_data());
    let found = use_points();
    let Some(points) = found.points else {
        let (tried, all) = found.progress;
        let all = if all == 0 { "…".into() } else { all.to_string() };
        return html! { <p class="quiet">{ Text::PointsSearching.with(&[&tried.to_string(), &all]) }</p> };
    };
    if points.is_empty() {
        return html! { <p class="quiet" data-testid="no-points">{ Text::PointsNone.get() }</p> };
    }
    let named = data.with(|cache| overview::name_points(cache, &points[..points.len().min(NAMED)]));
    let lines = named.iter().map(|point| {
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
