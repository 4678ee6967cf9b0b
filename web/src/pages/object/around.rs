//! The object between what uses it and what it needs.

use xenapi_console::format;
use xenapi_console::object::Icon;
use xenapi_console::object_page::around::{Around, Card, Kin};
use xenapi_console::text::{self, Text};
use xenapi_topology::State;
use yew::prelude::*;

use super::link::{Go, use_go};
use crate::components::{glyph, icon};
use crate::store::Same;

#[derive(Properties, PartialEq)]
pub(super) struct AroundProps {
    pub(super) title: String,
    pub(super) icon: Icon,
    pub(super) state: Option<State>,
    pub(super) around: Same<Around>,
}

/// The drawing, which is two lists and a card.
#[component]
pub(super) fn Surroundings(props: &AroundProps) -> Html {
    let go = use_go();
    let label = Text::SurroundingsTitle.with(&[&props.title]);
    html! {
        <section class="object-section" aria-label={label} data-testid="surroundings">
            <h2>{ Text::Surroundings.get() }</h2>
            <div class={classes!("around", props.around.users.is_empty().then_some("no-users"))}>
                { side(&go, "users", Text::UsedBy, &props.around.users) }
                <div class="hub">
                    <span class="hop-name">{ icon(props.icon) }<span>{ &props.title }</span>
                        { for props.state.map(glyph) }</span>
                </div>
                { side(&go, "needs", Text::Needs, &props.around.needs) }
            </div>
        </section>
    }
}

fn side(go: &Go, class: &'static str, title: Text, kins: &[Kin]) -> Html {
    if kins.is_empty() {
        return html! {};
    }
    html! {
        <div class={classes!("side", class)}>
            <h3>{ title.get() }</h3>
            <div class="kins">{ for kins.iter().map(|it| kin(go, it)) }</div>
        </div>
    }
}

fn kin(go: &Go, kin: &Kin) -> Html {
    let note = if kin.known { format::count(kin.count) } else { Text::Unknown.get().into() };
    html! {
        <div class="kin">
            <h4>{ kin.title.get() }<span class="count">{ note }</span></h4>
            <ul>{ for kin.cards.iter().map(|it| card(go, it)) }</ul>
        </div>
    }
}

fn card(go: &Go, card: &Card) -> Html {
    let inside = html! {
        <span class="hop-name">
            { icon(card.icon) }<span>{ &card.label }</span>
            if !card.detail.is_empty() { <span class="hop-detail">{ &card.detail }</span> }
            { glyph(card.state) }<span class="sr-only">{ text::state(card.state).get() }</span>
        </span>
    };
    let class = classes!("edge-to", format!("edge-{}", card.edge.name()));
    let inside = match &card.link {
        Some(named) => go.object(named, "hop", inside),
        None => html! { <span class="hop several">{ inside }</span> },
    };
    html! { <li {class}>{ inside }</li> }
}
