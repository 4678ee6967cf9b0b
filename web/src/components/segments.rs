//! One of a few, side by side.

use xenapi_console::object::Icon;
use yew::prelude::*;

use super::icon;

/// A choice.
pub(crate) struct Segment {
    pub(crate) label: &'static str,
    pub(crate) testid: String,
    pub(crate) icon: Icon,
    pub(crate) chosen: bool,
    pub(crate) choose: Callback<MouseEvent>,
}

/// A segmented control; `label` tells screen readers what is chosen.
pub(crate) fn segments(label: &'static str, segments: impl IntoIterator<Item = Segment>) -> Html {
    let segments = segments.into_iter().map(|segment| {
        html! {
            <button type="button" data-testid={segment.testid} aria-pressed={segment.chosen.to_string()} onclick={segment.choose}>
                { icon(segment.icon) }
                { segment.label }
            </button>
        }
    });
    html! { <div class="segments" role="group" aria-label={label}>{ for segments }</div> }
}
