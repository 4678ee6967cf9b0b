//! How large elements are, and how far they are scrolled, as hooks.

use gloo_events::EventListener;
use web_sys::Element;
use xenapi_console::viewport::Size;
use yew::prelude::*;

/// Taken before anything was measured, so that the first picture is not empty.
const GUESS: Size = Size { width: 900.0, height: 700.0 };

fn size_of(element: &Element) -> Size {
    Size { width: f64::from(element.client_width()), height: f64::from(element.client_height()) }
}

/// The size of an element, kept current.
#[hook]
pub(crate) fn use_size(node: &NodeRef) -> (Size, bool) {
    let size = use_state_eq(|| (GUESS, false));
    {
        let (node, size) = (node.clone(), size.clone());
        use_effect_with((), move |()| {
            let element = node.cast::<Element>();
            let observer = element.map(|element| {
                let setter = size.setter();
                setter.set((size_of(&element), true));
                let seen = element.clone();
                let callback = wasm_bindgen::closure::Closure::<dyn FnMut()>::new(move || {
                    setter.set((size_of(&seen), true));
                });
                let observer = web_sys::ResizeObserver::new(wasm_bindgen::JsCast::unchecked_ref(callback.as_ref()));
                if let Ok(observer) = &observer {
                    observer.observe(&element);
                }
                (observer, callback)
            });
            move || {
                if let Some((Ok(observer), _callback)) = observer {
                    observer.disconnect();
                }
            }
        });
    }
    *size
}

/// How far an element is scrolled down, and what to call when it is scrolled.
#[hook]
pub(crate) fn use_scroll(node: &NodeRef) -> f64 {
    let scrolled = use_state_eq(|| 0.0_f64);
    {
        let (node, scrolled) = (node.clone(), scrolled.setter());
        use_effect_with((), move |()| {
            let listener = node.cast::<Element>().map(|element| {
                let seen = element.clone();
                EventListener::new(&element, "scroll", move |_| scrolled.set(f64::from(seen.scroll_top())))
            });
            move || drop(listener)
        });
    }
    *scrolled
}

/// Scrolls a list of lines just far enough to show one of them, drawn or not.
pub(crate) fn scroll_to_row(node: &NodeRef, at: usize, height: u32) {
    let Some(element) = node.cast::<Element>() else { return };
    let (height, at) = (i32::try_from(height).unwrap_or(28), i32::try_from(at).unwrap_or(i32::MAX / 64));
    let (top, visible) = (element.scroll_top(), element.client_height());
    // The list has a little space above its first line.
    let line = at.saturating_mul(height) + 8;
    if line < top {
        element.set_scroll_top(line - 8);
    } else if line + height > top + visible {
        element.set_scroll_top(line + height - visible + 8);
    }
}

/// Whether the page is as narrow as a phone's, where tables are lists: the same width as in the style sheets.
pub(crate) fn is_narrow() -> bool {
    let query = super::window().and_then(|window| window.match_media("(max-width: 720px)").ok().flatten());
    query.is_some_and(|query| query.matches())
}
