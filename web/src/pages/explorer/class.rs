//! A class: what it is, how it hangs together with others, its fields and messages.

use xenapi_console::explorer::catalogue::{Catalogue, Class, Kind};
use xenapi_console::explorer::relations;
use xenapi_console::format;
use xenapi_console::text::Text;
use yew::prelude::*;

use super::{ApiLink, diagram, stage, type_view};
use crate::store::Same;

#[derive(Properties, PartialEq)]
pub(crate) struct ClassProps {
    pub(crate) catalogue: Same<Catalogue>,
    pub(crate) class: String,
}

/// The page of a class.
#[component]
pub(crate) fn ClassPage(props: &ClassProps) -> Html {
    let Some(class) = props.catalogue.class(&props.class) else { return html! {} };
    let relations = use_memo((props.catalogue.clone(), props.class.clone()), |(catalogue, class)| {
        catalogue.class(class).map(|class| relations::relations(catalogue, class)).unwrap_or_default()
    });
    let follows = use_state(|| false);
    let toggle = {
        let follows = follows.clone();
        Callback::from(move |_: MouseEvent| follows.set(!*follows))
    };
    let own = class.messages.iter().filter(|it| !is_of_field(&it.kind)).count();
    html! {
        <article data-testid="api-class">
            <p class="crumbs"><ApiLink parts={Vec::new()}>{ Text::ApiTitle.get() }</ApiLink></p>
            <h1><code>{ &class.name }</code>{ stage(&class.state) }</h1>
            <p class="explorer-lead">{ super::sentence(&class.doc) }</p>
            <p class="quiet">{ props.catalogue.history(&class.since) }{ if class.quiet { format!(" · {}", Text::NoEvents.get()) } else { String::new() } }</p>
            { diagram::view(class, &relations) }
            <section>
                <h2>{ Text::ApiFields.get() }<span class="quiet">{ format::count(class.fields.len()) }</span></h2>
                { fields(class) }
            </section>
            <section>
                <h2>{ Text::ApiMessages.get() }<span class="quiet">{ format::count(own) }</span></h2>
                <button type="button" class="button" aria-pressed={follows.to_string()} onclick={toggle} data-testid="api-implicit">
                    { Text::ApiImplicit.with(&[&format::count(class.messages.len() - own)]) }
                </button>
                { messages(class, *follows) }
            </section>
            if !class.enums.is_empty() { { enums(class) } }
        </article>
    }
}

fn is_of_field(kind: &Kind) -> bool {
    !matches!(kind, Kind::Own | Kind::OfClass)
}

fn fields(class: &Class) -> Html {
    let rows = class.fields.iter().map(|field| {
        let parts = vec![class.name.clone(), "fields".into(), field.name.clone()];
        html! {
            <tr key={field.name.clone()}>
                <th scope="row"><ApiLink {parts}><code>{ &field.name }</code></ApiLink>{ stage(&field.state) }</th>
                <td>{ type_view(&field.ty) }</td>
                <td class="access">{ access(&field.access) }</td>
                <td>{ super::sentence(&field.doc) }</td>
            </tr>
        }
    });
    html! {
        <div class="explorer-scroll" tabindex="0" role="region" aria-label={Text::ApiFields.get()}>
            <table class="explorer-table">
                <thead>
                    <tr>
                        <th scope="col">{ Text::Name.get() }</th>
                        <th scope="col">{ Text::Kind.get() }</th>
                        <th scope="col">{ Text::Access.get() }</th>
                        <th scope="col">{ Text::Meaning.get() }</th>
                    </tr>
                </thead>
                <tbody>{ for rows }</tbody>
            </table>
        </div>
    }
}

/// Who writes a field.
pub(super) fn access(access: &str) -> &'static str {
    match access {
        "RW" => Text::AccessWritable,
        "RO/constructor" => Text::AccessAtCreation,
        _ => Text::AccessServer,
    }
    .get()
}

fn messages(class: &Class, all: bool) -> Html {
    let items = class.messages.iter().filter(|it| all || !is_of_field(&it.kind)).map(|message| {
        let parts = vec![class.name.clone(), message.name.clone()];
        let takes: Vec<&str> = message.params.iter().map(|it| it.name.as_str()).collect();
        html! {
            <li key={message.name.clone()}>
                <ApiLink {parts} testid={format!("api-message-{}", message.name)}>
                    <code>{ &message.name }<span class="quiet">{ format!("({})", takes.join(", ")) }</span></code>
                </ApiLink>
                { stage(&message.state) }
                if !message.doc.is_empty() { <span class="quiet">{ super::sentence(&message.doc) }</span> }
            </li>
        }
    });
    html! { <ul class="explorer-messages">{ for items }</ul> }
}

fn enums(class: &Class) -> Html {
    let items = class.enums.iter().map(|(name, words)| {
        html! { <><dt><code>{ name }</code></dt><dd class="words">{ for words.iter().map(|it| html! { <code>{ it }</code> }) }</dd></> }
    });
    html! { <section><h2>{ Text::ApiEnums.get() }</h2><dl class="explorer-enums">{ for items }</dl></section> }
}
