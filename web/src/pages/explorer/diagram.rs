//! A class between those that refer to it and those that it refers to.

use xenapi_console::explorer::catalogue::Class;
use xenapi_console::explorer::relations::{Neighbour, Relations};
use xenapi_console::text::Text;
use yew::prelude::*;

use super::{ApiLink, class_link};

/// The drawing: three columns of boxes, lines between them.
pub(super) fn view(class: &Class, relations: &Relations) -> Html {
    if relations.from.is_empty() && relations.to.is_empty() {
        return html! { <p class="quiet">{ Text::ApiAlone.get() }</p> };
    }
    html! {
        <section aria-label={Text::ApiRelations.get()} data-testid="api-relations">
            <h2>{ Text::ApiRelations.get() }</h2>
            <div class="relations">
                { column(&relations.from, Text::ApiRefersHere, "from") }
                <div class="relations-this"><code>{ &class.name }</code></div>
                { column(&relations.to, Text::ApiRefersTo, "to") }
            </div>
        </section>
    }
}

fn column(neighbours: &[Neighbour], title: Text, side: &'static str) -> Html {
    let items = neighbours.iter().map(|neighbour| {
        // The fields stand with the class that has them.
        let fields = neighbour.fields.iter().map(|field| html! { <code class="quiet">{ field }</code> });
        html! {
            <li key={neighbour.class.clone()}>
                <ApiLink parts={vec![neighbour.class.clone()]}><code>{ &neighbour.class }</code></ApiLink>
                <span class="fields">{ for fields }</span>
            </li>
        }
    });
    html! {
        <div class={classes!("relations-side", side)}>
            <h3>{ title.get() }</h3>
            if neighbours.is_empty() { <p class="quiet">{ Text::Nothing.get() }</p> } else { <ul>{ for items }</ul> }
        </div>
    }
}

/// The other end of a relation: `VM.VIFs`, with its class as a link.
pub(super) fn other_end(other: &str) -> Html {
    match other.split_once('.') {
        Some((class, field)) => html! { <>{ class_link(class) }<code>{ format!(".{field}") }</code></> },
        None => html! { <code>{ other }</code> },
    }
}
