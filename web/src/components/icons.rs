//! Pictures, drawn for this console on a grid of 16 by 16 with a stroke of 1.3.

use xenapi_console::object::Icon;
use xenapi_topology::State;
use yew::prelude::*;

/// A picture that is not an object's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mark {
    /// The product.
    Brand,
    /// Opens what is below.
    Twist,
    /// Closes.
    Close,
    /// The drawer.
    Menu,
    /// A light theme.
    Sun,
    /// A dark theme.
    Moon,
    /// The system's theme.
    Screen,
    /// The language.
    Language,
    /// Ends the session.
    Leave,
    /// Shows everything.
    Fit,
    /// Larger.
    Plus,
    /// Smaller.
    Minus,
    /// As a table.
    Rows,
    /// Sorted upwards.
    Up,
    /// Sorted downwards.
    Down,
    /// Looks for something.
    Search,
    /// Tasks.
    Tasks,
    /// The user.
    User,
    /// Saves something as a file.
    Save,
}

/// The outline of an object's picture.
pub(crate) fn icon_path(icon: Icon) -> &'static str {
    match icon {
        Icon::Pool => "M8 1.8l5.5 3.1v6.2L8 14.2l-5.5-3.1V4.9zM8 8l5.5-3.1M8 8v6.2M8 8L2.5 4.9",
        Icon::Host => "M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.01M5 11h.01M8.5 5h3M8.5 11h3",
        Icon::Vm => "M2 3h12v8H2zM5.5 13.5h5M8 11v2.5",
        Icon::Sr => {
            "M2.8 4c0-1.2 2.3-2.1 5.2-2.1s5.2.9 5.2 2.1-2.3 2.1-5.2 2.1S2.8 5.2 2.8 4zM2.8 4v8c0 1.2 2.3 2.1 5.2 2.1s5.2-.9 5.2-2.1V4M2.8 8c0 1.2 2.3 2.1 5.2 2.1s5.2-.9 5.2-2.1"
        }
        Icon::Vdi => "M3 2.5h10v11H3zM8 5.2a2.3 2.3 0 1 1 0 4.6a2.3 2.3 0 1 1 0-4.6M8 7.5h.01M5.5 11.5h2",
        Icon::Plug => "M5.5 2v3.5M10.5 2v3.5M4 5.5h8V8a4 4 0 0 1-8 0zM8 12v2.5",
        Icon::Network => "M8 2v3.5M3.5 10.5V8h9v2.5M8 5.5V8M1.8 10.5h3.4v3H1.8zM10.8 10.5h3.4v3h-3.4zM6.3 2h3.4v3H6.3z",
        Icon::Nic => "M2 4h12v8.5H2zM5 12.5V9.5h6v3M6.7 9.5v1.5M9.3 9.5v1.5M5 6.5h.01M7.5 6.5h.01",
        Icon::Bond => "M6.5 9.5l3-3M7.2 4.8l1.5-1.5a2.8 2.8 0 0 1 4 4l-1.5 1.5M8.8 11.2l-1.5 1.5a2.8 2.8 0 0 1-4-4l1.5-1.5",
        Icon::Vlan => "M2.5 3h5l6 6-4.5 4.5-6.5-6.5zM5.3 5.8h.01",
        Icon::Group => "M5 2.5h8.5v8.5M2.5 5h8.5v8.5H2.5z",
    }
}

/// The outline of a picture that is not an object's.
fn mark_path(mark: Mark) -> &'static str {
    match mark {
        Mark::Brand => {
            "M4.4 3h4a2.6 2.6 0 0 1 2.6 2.6v4.8a2.6 2.6 0 0 1-2.6 2.6h-4M4.4 8h6.6M3 3h.01M3 8h.01M3 13h.01M13 8h.01"
        }
        Mark::Twist => "M6 4l4 4-4 4",
        Mark::Close => "M4 4l8 8M12 4l-8 8",
        Mark::Menu => "M2.5 4h11M2.5 8h11M2.5 12h11",
        Mark::Sun => {
            "M8 5a3 3 0 1 1 0 6a3 3 0 1 1 0-6M8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M12.6 3.4l-.7.7M4.1 11.9l-.7.7"
        }
        Mark::Moon => "M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z",
        Mark::Screen => "M2 3h12v8.5H2zM5.5 14h5",
        Mark::Language => {
            "M8 2a6 6 0 1 1 0 12a6 6 0 1 1 0-12M2 8h12M8 2c2 1.6 2.6 3.6 2.6 6S10 12.4 8 14c-2-1.6-2.6-3.6-2.6-6S6 3.6 8 2"
        }
        Mark::Leave => "M6.5 2.5h-4v11h4M10 5l3 3-3 3M13 8H6.5",
        Mark::Fit => "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
        Mark::Plus => "M8 3v10M3 8h10",
        Mark::Minus => "M3 8h10",
        Mark::Rows => "M2.5 3h11v10h-11zM2.5 6.5h11M2.5 9.8h11M6.5 6.5V13",
        Mark::Up => "M4 10l4-4 4 4",
        Mark::Search => "M7 2.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 1 1 0-9M10.3 10.3l3.2 3.2",
        Mark::Tasks => "M2.5 4l1.2 1.2L6 3M2.5 8.3l1.2 1.2L6 7.2M2.8 13h.01M8 4.2h5.5M8 8.4h5.5M8 13h5.5",
        Mark::User => "M8 2.2a2.8 2.8 0 1 1 0 5.6a2.8 2.8 0 1 1 0-5.6M2.8 13.8c.4-2.7 2.5-4.3 5.2-4.3s4.8 1.6 5.2 4.3",
        Mark::Down => "M4 6l4 4 4-4",
        Mark::Save => "M8 2v8M4.8 6.8L8 10l3.2-3.2M2.5 11.5v2h11v-2",
    }
}

fn drawn(path: &'static str, class: &'static str, width: &'static str) -> Html {
    html! {
        <svg {class} viewBox="0 0 16 16" aria-hidden="true" fill="none" stroke="currentColor" stroke-width={width}
            stroke-linecap="round" stroke-linejoin="round">
            <path d={path} />
        </svg>
    }
}

/// An object's picture, beside words that say the same; screen readers pass over it.
pub(crate) fn icon(icon: Icon) -> Html {
    drawn(icon_path(icon), "icon", "1.3")
}

/// Another picture.
pub(crate) fn mark(mark: Mark) -> Html {
    match mark {
        Mark::Brand => drawn(mark_path(mark), "icon", "1.8"),
        Mark::Twist => drawn(mark_path(mark), "icon twist", "1.3"),
        _ => drawn(mark_path(mark), "icon", "1.3"),
    }
}

/// The shape of a state, in its colour.
pub(crate) fn glyph(state: State) -> Html {
    html! {
        <svg class={classes!("glyph", format!("is-{}", state.name()))} viewBox="0 0 12 12" aria-hidden="true">
            <path d={state.glyph()} />
        </svg>
    }
}
