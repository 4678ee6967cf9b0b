//! Where there is nothing to show: why, and what to do.

use yew::prelude::*;

/// Something to do about it: a word, and what it does.
pub(crate) type Remedy = (String, Callback<MouseEvent>);

/// A sentence in which what is typed stands between backticks.
pub(crate) fn words(text: &str) -> Html {
    let parts = text.split('`').enumerate().map(|(at, part)| match at % 2 {
        1 => html! { <code>{ part.to_owned() }</code> },
        _ => html! { <>{ part.to_owned() }</> },
    });
    html! { <>{ for parts }</> }
}

/// An empty state.
pub(crate) fn empty(testid: &'static str, title: &str, hint: &str, remedy: Option<Remedy>) -> Html {
    let button = remedy.map(|(word, onclick)| html! { <button type="button" class="button" {onclick}>{ word }</button> });
    html! {
        <div class="empty" data-testid={testid}>
            <h2>{ title }</h2>
            <p>{ words(hint) }</p>
            { button }
        </div>
    }
}
