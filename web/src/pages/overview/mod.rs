//! The pool at a glance.

mod points;

use xenapi_console::format;
use xenapi_console::object::icon as icon_of;
use xenapi_console::overview::{self, Capacity, Count, Finding, Gauge, Go, Happening, Storage};
use xenapi_console::route::{Kind, Named, Route, View};
use xenapi_console::select;
use xenapi_console::state::{Action, FILTER};
use xenapi_console::tables::Link;
use xenapi_console::text::Text;
use xenapi_core::{DateTime, Millis};
use yew::prelude::*;

use crate::components::{glyph, icon};
use crate::dom;
use crate::pages::tables::{bar, progress as of_progress};
use crate::parts::{Lazy, Part};
use crate::store::{StoreHandle, use_data, use_store};

pub(crate) use points::Points;

/// The page.
#[component]
pub(crate) fn OverviewPage() -> Html {
    let (store, data) = (use_store(), use_data());
    // What is news is told in days: an hour more or less does not matter, and within it nothing is computed anew.
    let hour = dom::clock() / 3600;
    let health = use_memo((data.stamp(overview::OF_HEALTH), hour), |(_, hour)| {
        data.with(|cache| overview::health(cache, hour.saturating_mul(3600)))
    });
    let capacity = use_memo(data.stamp(overview::OF_CAPACITY), |_| data.with(overview::capacity));
    let counts = use_memo(data.stamp(overview::OF_COUNTS), |_| data.with(overview::counts));
    let recent = use_memo(data.stamp(overview::OF_RECENT), |_| data.with(overview::recent));
    let is_loading = |classes: &[&str]| data.with(|cache| select::is_loading(cache, classes));
    html! {
        <div class="overview" data-testid="overview">
            <h1 class="sr-only">{ Text::ViewOverview.get() }</h1>
            <section class="panel health" aria-labelledby="health-title" data-testid="health">
                <h2 id="health-title">{ Text::Health.get() }</h2>
                { health_view(&store, &health, is_loading(overview::OF_HEALTH)) }
            </section>
            <section class="panel inventory" aria-labelledby="inventory-title">
                <h2 id="inventory-title">{ Text::Inventory.get() }</h2>
                <ul class="counts">{ for counts.iter().map(|it| count_view(&store, it, is_loading(overview::OF_COUNTS))) }</ul>
            </section>
            <section class="panel capacity" aria-labelledby="capacity-title">
                <h2 id="capacity-title">{ Text::Capacity.get() }</h2>
                { capacity_view(&store, &capacity) }
            </section>
            <section class="panel single-points" aria-labelledby="points-title">
                <h2 id="points-title">{ Text::PointsTitle.get() }</h2>
                <Lazy part={Part::Points} view={View::Overview} />
            </section>
            <section class="panel recent" aria-labelledby="recent-title">
                <h2 id="recent-title">{ Text::Recent.get() }</h2>
                { recent_view(&store, &recent, is_loading(&["message"])) }
            </section>
        </div>
    }
}

/// A link that stays in the page at a plain click.
fn link_to(store: &StoreHandle, route: Route, class: &'static str, testid: Option<String>, inner: Html) -> Html {
    let (dispatcher, to) = (store.dispatcher(), route.clone());
    let onclick = Callback::from(move |event: MouseEvent| {
        if !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key()) {
            event.prevent_default();
            dispatcher.dispatch(Action::Navigate(to.clone()));
        }
    });
    html! { <a href={route.path()} {class} {onclick} data-testid={testid}>{ inner }</a> }
}

fn go(store: &StoreHandle, go: &Go, class: &'static str, testid: Option<String>, inner: Html) -> Html {
    link_to(store, go.route(store.0.pool.clone()), class, testid, inner)
}

/// A link to an object's page.
fn object_link(store: &StoreHandle, link: &Link) -> Html {
    let pool = store.0.pool.clone();
    let in_table = |kind: Kind| {
        let query = [(FILTER.to_string(), format!("uuid:{}", link.uuid))].into();
        Route { query, ..Route::to(pool.clone(), View::Table(kind)) }
    };
    let route = match link.object.class {
        "task" => in_table(Kind::Tasks),
        "message" => in_table(Kind::Messages),
        "PBD" => in_table(Kind::Pbds),
        class => Route::to(pool.clone(), View::Object(Named { class: class.into(), uuid: link.uuid.clone() })),
    };
    link_to(
        store,
        route,
        "glance-link",
        None,
        html! { <>{ icon(icon_of(link.object.class)) }<span>{ &link.name }</span></> },
    )
}

fn health_view(store: &StoreHandle, findings: &[Finding], is_loading: bool) -> Html {
    if findings.is_empty() && is_loading {
        return html! {
            <div class="all-well" data-testid="well-so-far">
                { glyph(xenapi_topology::State::Unknown) }
                <p><strong>{ Text::SoFarWell.get() }</strong><span class="quiet">{ Text::MoreLoading.get() }</span></p>
            </div>
        };
    }
    if findings.is_empty() {
        return html! {
            <div class="all-well" data-testid="all-is-well">
                { glyph(xenapi_topology::State::Running) }
                <p><strong>{ Text::AllIsWell.get() }</strong><span class="quiet">{ Text::AllIsWellHint.get() }</span></p>
            </div>
        };
    }
    let findings = findings.iter().map(|finding| {
        let links = finding.links.iter().map(|link| html! { <li>{ object_link(store, link) }</li> });
        let more = (finding.more > 0).then(|| Text::AndMore.with(&[&format::count(finding.more)]));
        let all = finding
            .go
            .as_ref()
            .map(|it| go(store, it, "all", Some(format!("finding-{}-all", finding.id)), html! { Text::AllFindings.get() }));
        html! {
            <li key={finding.id} class={classes!("finding", format!("is-{}", finding.state.name()))}
                data-testid={format!("finding-{}", finding.id)} data-state={finding.state.name()}>
                { glyph(finding.state) }
                <div>
                    <p class="what"><strong>{ &finding.text }</strong>{ all }</p>
                    <ul class="objects">
                        { for links }
                        if let Some(more) = more { <li class="quiet">{ more }</li> }
                    </ul>
                </div>
            </li>
        }
    });
    html! {
        <>
            <ul class="findings">{ for findings }</ul>
            if is_loading { <p class="quiet">{ Text::MoreLoading.get() }</p> }
        </>
    }
}

fn count_view(store: &StoreHandle, count: &Count, is_loading: bool) -> Html {
    let unknown = if is_loading { Text::NotYet } else { Text::Unknown };
    let number = count.number.map_or_else(|| unknown.get().into(), format::count);
    let picture = match count.state {
        Some(state) => glyph(state),
        None => icon(count.icon),
    };
    let testid =
        format!("count-{}{}", count.go.kind.path(), count.state.map(|it| format!("-{}", it.name())).unwrap_or_default());
    let label = match count.state {
        Some(_) => format!("{} {}", Text::Vms.get(), count.label),
        None => count.label.to_string(),
    };
    let inner = html! { <>{ picture }<span class="label">{ label }</span><strong>{ number }</strong></> };
    html! { <li>{ go(store, &count.go, "count-link", Some(testid), inner) }</li> }
}

fn gauge(label: Html, name: &str, gauge: &Gauge) -> Html {
    let share = gauge.share.unwrap_or(0);
    let said = format::percentage(u64::from((share + 5) / 10));
    html! {
        <div class="gauge">
            <div class="gauge-head"><span class="gauge-label">{ label }</span><span class="number">{ said }</span></div>
            <div class="gauge-bar" role="meter" aria-label={Text::CapacityOf.with(&[name])} aria-valuemin="0" aria-valuemax="1000"
                aria-valuenow={share.min(1000).to_string()} aria-valuetext={gauge.text.clone()}>{ bar(share) }</div>
            <div class="gauge-foot"><span>{ &gauge.text }</span><span class="quiet">{ &gauge.note }</span></div>
        </div>
    }
}

fn capacity_view(store: &StoreHandle, capacity: &Capacity) -> Html {
    let whole = [(Text::Vcpus, &capacity.cpu), (Text::Memory, &capacity.memory), (Text::CapacityAll, &capacity.storage)];
    let whole = whole.into_iter().filter_map(|(label, it)| {
        let it = it.as_ref()?;
        Some(gauge(html! { <strong>{ label.get() }</strong> }, label.get(), it))
    });
    let srs = capacity.srs.iter().map(|Storage { link, gauge: it }| gauge(object_link(store, link), &link.name, it));
    let all = Go { kind: Kind::Srs, filter: "" };
    html! {
        <>
            <div class="gauges">{ for whole }</div>
            if capacity.srs.len() > 1 { <div class="gauges srs">{ for srs }</div> }
            if capacity.more_srs > 0 {
                <p>{ go(store, &all, "all", None, html! { Text::AndMore.with(&[&format::count(capacity.more_srs)]) }) }</p>
            }
        </>
    }
}

fn recent_view(store: &StoreHandle, recent: &[Happening], is_loading: bool) -> Html {
    if recent.is_empty() {
        let text = if is_loading { Text::MoreLoading } else { Text::RecentNothing };
        return html! { <p class="quiet">{ text.get() }</p> };
    }
    let now = dom::clock();
    let lines = recent.iter().map(|it| {
        let age = u64::try_from(now - it.at).ok().filter(|_| now > 0).map(|seconds| format::age(Millis::from_secs(seconds)));
        let when = format::date_time(&DateTime::from_unix(it.at));
        html! {
            <li key={it.key.clone()}>
                { glyph(it.state) }
                <span class="text">{ &it.text }<span class="sr-only">{ format!(" ({})", it.note) }</span></span>
                <span class="about">{ for it.about.as_ref().map(|about| object_link(store, about)) }</span>
                if let Some(progress) = it.progress { <span class="share">{ of_progress(progress) }</span> }
                <span class="quiet when" title={when}>{ for age.map(|age| Text::AgeAgo.with(&[&age])) }</span>
            </li>
        }
    });
    let all = Go { kind: Kind::Messages, filter: "" };
    html! {
        <>
            <ul class="happenings">{ for lines }</ul>
            <p>{ go(store, &all, "all", None, html! { Text::RecentAll.get() }) }</p>
        </>
    }
}
