//! Where there is nothing to show: why, and what to do.

use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct EmptyProps {
    pub(crate) title: AttrValue,
    pub(crate) hint: AttrValue,
    /// What can be done about it here: a word, and what it does.
    #[prop_or_default]
    pub(crate) action: Option<(AttrValue, Callback<()>)>,
    #[prop_or("empty".into())]
    pub(crate) testid: AttrValue,
}

/// An empty state.
#[component]
pub(crate) fn Empty(props: &EmptyProps) -> Html {
    let button = props.action.clone().map(|(word, act)| {
        html! { <button type="button" class="button" onclick={move |_| act.emit(())}>{ word }</button> }
    });
    html! {
        <div class="empty" data-testid={props.testid.clone()}>
            <h2>{ &props.title }</h2>
            <p>{ &props.hint }</p>
            { button }
        </div>
    }
}
