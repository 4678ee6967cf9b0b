//! A field, an error.

use xenapi_console::explorer::catalogue::{Catalogue, Class, Field, Kind};
use xenapi_console::text::Text;
use yew::prelude::*;

use super::{ApiLink, class_link, diagram, stage, type_view};
use crate::components::empty;

/// The page of a field.
pub(super) fn field(catalogue: &Catalogue, class: &Class, field: &Field) -> Html {
    let of_field = |kind: &Kind| match kind {
        Kind::Get(of) | Kind::Set(of) | Kind::Add(of) | Kind::Remove(of) | Kind::AddTo(of) | Kind::RemoveFrom(of) => {
            *of == field.name
        }
        Kind::Own | Kind::OfClass => false,
    };
    let messages = class.messages.iter().filter(|it| of_field(&it.kind)).map(|it| {
        let parts = vec![class.name.clone(), it.name.clone()];
        html! { <li><ApiLink {parts}><code>{ format!("{}.{}", class.name, it.name) }</code></ApiLink></li> }
    });
    let words = field.ty.words_of().map(|name| catalogue.words(name));
    html! {
        <article data-testid="api-field">
            <p class="crumbs">{ class_link(&class.name) }</p>
            <h1><code>{ &field.name }</code>{ stage(&field.state) }</h1>
            <p class="explorer-lead">{ super::sentence(&field.doc) }</p>
            <dl class="facts">
                <dt>{ Text::Kind.get() }</dt>
                <dd>{ type_view(&field.ty) }if field.nullable { { format!(" {}", Text::OrNull.get()) } }</dd>
                if !field.unit.is_empty() { <dt>{ Text::Unit.get() }</dt><dd>{ &field.unit }</dd> }
                <dt>{ Text::Access.get() }</dt>
                <dd>{ super::class::access(&field.access) }</dd>
                if !field.role.is_empty() { <dt>{ Text::WriteRole.get() }</dt><dd><code>{ &field.role }</code></dd> }
                if !field.default.is_empty() { <dt>{ Text::Default.get() }</dt><dd><code>{ &field.default }</code></dd> }
                if !field.other.is_empty() { <dt>{ Text::OtherEnd.get() }</dt><dd>{ diagram::other_end(&field.other) }</dd> }
                if let Some(words) = words {
                    <dt>{ Text::Words.get() }</dt>
                    <dd class="words">{ for words.iter().map(|it| html! { <code>{ it }</code> }) }</dd>
                }
                <dt>{ Text::Releases.get() }</dt>
                <dd>{ catalogue.history(&field.since) }</dd>
            </dl>
            <h2>{ Text::ApiMessages.get() }</h2>
            <ul class="explorer-messages">{ for messages }</ul>
        </article>
    }
}

/// The list of errors.
pub(super) fn errors(catalogue: &Catalogue) -> Html {
    let items = catalogue.errors.iter().map(|it| {
        let parts = vec!["errors".to_owned(), it.code.clone()];
        html! {
            <li key={it.code.clone()}>
                <ApiLink {parts}><code>{ &it.code }</code></ApiLink><span class="quiet">{ super::sentence(&it.doc) }</span>
            </li>
        }
    });
    html! {
        <article data-testid="api-errors">
            <h1>{ Text::ApiErrors.get() }</h1>
            <p class="explorer-lead">{ Text::ApiErrorsLead.get() }</p>
            <ul class="explorer-messages">{ for items }</ul>
        </article>
    }
}

/// The page of an error.
pub(super) fn error(catalogue: &Catalogue, code: &str) -> Html {
    let Some(error) = catalogue.errors.iter().find(|it| it.code == code) else {
        return empty("api-unknown", Text::ApiUnknown.get(), Text::ApiUnknownHint.get(), None);
    };
    let raised = catalogue.classes.iter().flat_map(|class| class.messages.iter().map(move |it| (class, it)));
    let raised = raised.filter(|(_, it)| it.errors.iter().any(|it| it == code)).map(|(class, it)| {
        let parts = vec![class.name.clone(), it.name.clone()];
        html! { <li><ApiLink {parts}><code>{ format!("{}.{}", class.name, it.name) }</code></ApiLink></li> }
    });
    let raised: Vec<Html> = raised.collect();
    html! {
        <article data-testid="api-error">
            <p class="crumbs"><ApiLink parts={vec!["errors".to_owned()]}>{ Text::ApiErrors.get() }</ApiLink></p>
            <h1><code>{ &error.code }</code></h1>
            <p class="explorer-lead">{ super::sentence(&error.doc) }</p>
            if !error.params.is_empty() {
                <dl class="facts">
                    <dt>{ Text::Parameters.get() }</dt>
                    <dd class="words">{ for error.params.iter().map(|it| html! { <code>{ it }</code> }) }</dd>
                </dl>
            }
            if !raised.is_empty() {
                <h2>{ Text::RaisedBy.get() }</h2>
                <ul class="explorer-messages">{ raised }</ul>
            }
        </article>
    }
}
