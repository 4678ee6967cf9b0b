//! What if this fails?

mod picker;
mod points;

use gloo_timers::callback::Timeout;
use xenapi_console::analysis::Answer;
use xenapi_console::graph::impact::{self, Failing, OF_IMPACT, Outcome, Part};
use xenapi_console::graph::{Wanted, filters};
use xenapi_console::language;
use xenapi_console::route::View;
use xenapi_console::state::{Action, LensState};
use xenapi_console::text::Text;
use xenapi_console::window::{Window, window};
use xenapi_topology::impact::{Component, Verdict};
use xenapi_topology::{Lens, State};
use yew::prelude::*;

use crate::analysis::use_answer;
use crate::components::link::page_of;
use crate::components::{Link, Mark, empty, glyph, icon, mark};
use crate::dom::calm::use_calm;
use crate::dom::measure;
use crate::pages::topology::{Stage, use_drawing};
use crate::panels::space;
use crate::store::{Data, Same, StoreHandle, use_data, use_store};

/// Not more often than this it is looked what the address names, in milliseconds.
const GAP: f64 = 1_000.0;

/// The page.
#[component]
pub(crate) fn ImpactPage() -> Html {
    let (store, data) = (use_store(), use_data());
    let spoken = language::current().code().to_owned();
    let said = store.0.query.get(impact::FAIL).cloned().unwrap_or_default();
    let stamp = use_calm(data.stamp(OF_IMPACT), GAP);
    let failing = use_memo((stamp, spoken.clone(), said), |_| data.with(|cache| impact::failing(cache, &store.0.query)));
    let components: Vec<Component> = failing.parts.iter().map(|part| part.component.clone()).collect();
    let answer = use_answer(&components).map(Same);
    let outcome = use_memo((answer.clone(), spoken), |(answer, _)| {
        let answer = answer.as_ref()?;
        Some(data.with(|cache| impact::outcome(cache, &answer.failing, &answer.impact)))
    });
    let failing = &*failing;
    html! {
        <div class="impact" data-testid="impact">
            <header class="impact-head">
                <h1>{ Text::ImpactTitle.get() }</h1>
                <picker::Picker />
                { chips(&store, failing) }
            </header>
            if let Some((outcome, answer)) = (*outcome).as_ref().zip(answer) {
                { sums(outcome) }
                <div class="impact-body">
                    <Affected {answer} />
                    <div class="impact-side">
                        { brought_down(outcome) }
                        <Afterwards>
                            <Where key={lens_of(failing).name()} parts={failing.parts.clone()} lens={lens_of(failing)} />
                        </Afterwards>
                    </div>
                </div>
            } else if components.is_empty() {
                { empty("impact-none", Text::ImpactNone.get(), Text::ImpactNoneHint.get(), None) }
            } else {
                <p class="quiet" role="status" data-testid="impact-working">{ Text::ImpactWorking.get() }</p>
            }
            <points::Points />
        </div>
    }
}

fn lens_of(failing: &Failing) -> Lens {
    failing.parts.first().map_or(Lens::Compute, |part| impact::lens_of(&part.named.class))
}

/// Lets a part fail, too.
fn add(store: &StoreHandle, part: &Part) {
    let fail = impact::with(&store.0.query, &part.named);
    store.dispatch(Action::Keep(impact::FAIL.into(), Some(fail)));
}

/// What fails, each with a way to take it away.
fn chips(store: &StoreHandle, failing: &Failing) -> Html {
    if failing.parts.is_empty() && failing.gone.is_empty() {
        return html! {};
    }
    let remove = |word: String, label: &str| {
        let store = store.clone();
        let title = Text::ImpactRemove.with(&[label]);
        let onclick = move |_| {
            let left = impact::without(&store.0.query, &word);
            store.dispatch(Action::Keep(impact::FAIL.into(), left));
        };
        html! {
            <button type="button" class="icon-button" title={title.clone()} aria-label={title} {onclick}
                data-testid="impact-remove">{ mark(Mark::Close) }</button>
        }
    };
    let parts = failing.parts.iter().map(|part| {
        let word = format!("{}/{}", part.named.class, part.named.uuid);
        html! {
            <li key={word.clone()} class="chip" data-testid="impact-part" data-uuid={part.named.uuid.clone()}>
                { icon(part.icon) }
                <span class="quiet">{ part.kind.get() }</span>
                <Link view={page_of(&part.named.class, &part.named.uuid)}>{ &part.label }</Link>
                { remove(word, &part.label) }
            </li>
        }
    });
    let gone = failing.gone.iter().map(|word| {
        html! { <li key={word.clone()} class="chip gone">{ Text::ImpactGone.with(&[word]) }{ remove(word.clone(), word) }</li> }
    });
    let clear = {
        let store = store.clone();
        move |_| store.dispatch(Action::Keep(impact::FAIL.into(), None))
    };
    html! {
        <ul class="chips" aria-label={Text::ImpactPick.get()}>
            { for parts }{ for gone }
            <li><button type="button" class="link" onclick={clear} data-testid="impact-clear">{ Text::ImpactClear.get() }</button></li>
        </ul>
    }
}

/// The shape of what becomes of a VM: the same ones as of states.
fn verdict_state(verdict: Verdict) -> State {
    match verdict {
        Verdict::Stopped => State::Failed,
        Verdict::Degraded => State::Attention,
        Verdict::Safe => State::Running,
    }
}

fn sums(outcome: &Outcome) -> Html {
    let sums = outcome.sums.iter().map(|(verdict, count, words)| {
        let (state, name) = verdict.map_or((State::Halted, "untouched"), |it| (verdict_state(it), it.name()));
        html! {
            <li class={classes!("sum", format!("is-{}", state.name()), (*count == 0).then_some("none"))}
                data-testid={format!("impact-{name}")} data-count={count.to_string()}>{ glyph(state) }<span>{ words }</span></li>
        }
    });
    let notes = outcome.notes.iter().map(|note| html! { <p class="impact-note">{ glyph(State::Attention) }{ note }</p> });
    html! { <div role="status"><ul class="sums">{ for sums }</ul>{ for notes }</div> }
}

#[derive(Properties, PartialEq)]
struct AffectedProps {
    answer: Same<Answer>,
}

/// The heights of a line, as in the style sheets.
const ROW: u32 = 48;
const NARROW_ROW: u32 = 76;

/// What becomes of each VM, and why.
#[component]
fn Affected(props: &AffectedProps) -> Html {
    let (data, vms) = (use_data(), &props.answer.impact.vms);
    let node = use_node_ref();
    let (size, _) = measure::use_size(&node);
    let height = if measure::is_narrow() { NARROW_ROW } else { ROW };
    let Window { rows, before, after } = window(vms.len(), height, measure::use_scroll(&node), size.height, 12);
    let gap = |height: u64| match height {
        0 => html! {},
        height => html! { <tr class="space" aria-hidden="true"><td colspan="3">{ space(height) }</td></tr> },
    };
    let lines = rows.map(|at| {
        let row = data.with(|cache| impact::affected(cache, &vms[at]));
        let why = row.reasons.join("; ");
        html! {
            <tr key={row.vm.as_str().to_owned()} class="item" data-testid="impact-vm" data-uuid={row.uuid.clone()}
                data-verdict={row.verdict.name()} aria-rowindex={(at + 2).to_string()}>
                <td><Link view={page_of("VM", &row.uuid)} class="name">{ icon(xenapi_console::object::Icon::Vm) }<span>{ &row.name }</span></Link></td>
                <td><span class="state" data-state={verdict_state(row.verdict).name()}>{ glyph(verdict_state(row.verdict)) }
                    { impact::verdict(row.verdict).get() }</span></td>
                <td class="why" title={why.clone()}><span>{ why.clone() }</span></td>
            </tr>
        }
    });
    let heading =
        |text: Text, class: &'static str| html! { <th scope="col" {class}><span class="plain">{ text.get() }</span></th> };
    html! {
        <div ref={node} class="scroll impact-vms" tabindex="0">
            if vms.is_empty() {
                { empty("impact-nothing", Text::ImpactNothing.get(), "", None) }
            } else {
                <table class="table" aria-rowcount={(vms.len() + 1).to_string()}>
                    <thead><tr>
                        { heading(Text::ImpactVm, "w-name") }
                        { heading(Text::ImpactVerdict, "w-state") }
                        { heading(Text::ImpactWhy, "") }
                    </tr></thead>
                    <tbody>{ gap(before) }{ for lines }{ gap(after) }</tbody>
                </table>
            }
        </div>
    }
}

/// What else does not work any more; a click lets it fail by itself, too.
fn brought_down(outcome: &Outcome) -> Html {
    const SHOWN: usize = 24;
    if outcome.brought_down.is_empty() {
        return html! {};
    }
    let parts = outcome.brought_down.iter().take(SHOWN).map(|part| {
        let view = page_of(&part.named.class, &part.named.uuid);
        html! { <li class="chip"><span class="quiet">{ icon(part.icon) }{ part.kind.get() }</span><Link {view}>{ &part.label }</Link></li> }
    });
    let more = outcome.brought_down.len().saturating_sub(SHOWN);
    let more = (more > 0).then(|| Text::More.with(&[&xenapi_console::format::count(more)]));
    html! {
        <section class="brought" data-testid="impact-brought">
            <h2>{ Text::ImpactBrought.get() }</h2>
            <ul class="chips">{ for parts }if let Some(more) = more { <li class="quiet">{ more }</li> }</ul>
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct AfterwardsProps {
    children: Html,
}

/// How much later, in milliseconds: the answer is painted by then.
const AFTERWARDS: u32 = 40;

/// What nobody waits for comes into the page in a task of its own.
#[component]
fn Afterwards(props: &AfterwardsProps) -> Html {
    let is_time = use_state_eq(|| false);
    {
        let is_time = is_time.setter();
        use_effect_with((), move |()| {
            let waiting = Timeout::new(AFTERWARDS, move || is_time.set(true));
            move || drop(waiting)
        });
    }
    if *is_time {
        props.children.clone()
    } else {
        html! {}
    }
}

#[derive(Properties, PartialEq)]
struct WhereProps {
    parts: Vec<Part>,
    lens: Lens,
}

/// Where what fails is, in the topology, with everything that hangs on it lit up.
#[component]
fn Where(props: &WhereProps) -> Html {
    let (store, data) = (use_store(), use_data());
    let wanted = Wanted {
        lens: props.lens,
        shown: LensState::default(),
        filter: data.with(|cache| filters::filter(cache, &Default::default())),
        language: language::current().code().into(),
    };
    let drawing = use_drawing(&data, &wanted);
    let lit = lit(&data, &props.parts, &drawing);
    let on_pick = {
        let (store, drawing, data) = (store.clone(), drawing.clone(), data.clone());
        Callback::from(move |at: Option<usize>| {
            let object = at.and_then(|at| drawing.object(at));
            let component = object.and_then(|object| Component::new(object.class, &object.reference));
            if let Some(part) = component.and_then(|component| data.with(|cache| Part::of(cache, component))) {
                add(&store, &part);
            }
        })
    };
    html! {
        <section class="where">
            <h2>{ Text::ImpactDrawing.get() }<Link view={View::Topology(props.lens)} class="link">{ Text::ImpactShow.get() }</Link></h2>
            <Stage {drawing} focus={None::<usize>} {on_pick} {lit} />
        </section>
    }
}

/// The nodes of what fails. A PBD is a line: its SR stands for it.
fn lit(data: &Data, parts: &[Part], drawing: &xenapi_console::graph::Drawing) -> Vec<usize> {
    let node = |part: &Part| {
        let object = match &part.component {
            Component::Pbd(pbd) => {
                data.with(|cache| cache.get(pbd).map(|pbd| xenapi_console::object::Object::of(&pbd.sr)))?
            }
            _ => part.object(),
        };
        drawing.node_of(&object)
    };
    parts.iter().filter_map(node).collect()
}
