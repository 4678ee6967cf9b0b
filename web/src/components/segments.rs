//! One of a few, side by side.

use xenapi_console::object::Icon;
use yew::prelude::*;

use super::IconView;

/// A choice.
#[derive(Clone, PartialEq)]
pub(crate) struct Segment {
    pub(crate) label: AttrValue,
    pub(crate) testid: AttrValue,
    pub(crate) icon: Option<Icon>,
}

#[derive(Properties, PartialEq)]
pub(crate) struct SegmentsProps {
    /// What is chosen, for screen readers.
    pub(crate) label: AttrValue,
    pub(crate) segments: Vec<Segment>,
    /// Which is chosen.
    pub(crate) chosen: usize,
    pub(crate) on_choose: Callback<usize>,
}

/// A segmented control.
#[component]
pub(crate) fn Segments(props: &SegmentsProps) -> Html {
    let segments = props.segments.iter().enumerate().map(|(at, segment)| {
        let on_choose = props.on_choose.clone();
        html! {
            <button type="button" data-testid={segment.testid.clone()} aria-pressed={(at == props.chosen).to_string()}
                onclick={move |_| on_choose.emit(at)}>
                if segment.icon.is_some() { <IconView icon={segment.icon} /> }
                { &segment.label }
            </button>
        }
    });
    html! { <div class="segments" role="group" aria-label={props.label.clone()}>{ for segments }</div> }
}
