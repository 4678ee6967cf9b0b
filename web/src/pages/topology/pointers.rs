//! Dragging with one pointer, pinching with two.

use std::collections::BTreeMap;

use wasm_bindgen::JsCast as _;
use web_sys::Element;
use xenapi_console::viewport::Viewport;
use yew::prelude::*;

/// A pointer that moves less than this, in pixels, clicks.
const CLICK: f64 = 4.0;

/// The pointers that are down.
#[derive(Default)]
pub(super) struct Pointers {
    down: BTreeMap<i32, (f64, f64)>,
    start: (f64, f64),
    /// Whether they move the drawing: then their going up is no click.
    pub(super) drags: bool,
}

fn at(event: &PointerEvent) -> (f64, f64) {
    (f64::from(event.client_x()), f64::from(event.client_y()))
}

impl Pointers {
    pub(super) fn down(&mut self, event: &PointerEvent) {
        if event.button() != 0 {
            return;
        }
        if self.down.is_empty() {
            (self.start, self.drags) = (at(event), false);
        }
        self.down.insert(event.pointer_id(), at(event));
    }

    /// The view after a pointer moved, if that moves the drawing. `corner` tells where the frame begins in the window; to ask costs, since the
    /// browser must finish its layout for the answer.
    pub(super) fn moved(
        &mut self,
        event: &PointerEvent,
        view: Viewport,
        corner: impl Fn() -> (f64, f64),
    ) -> Option<Viewport> {
        let last = *self.down.get(&event.pointer_id())?;
        let here = at(event);
        let far = (here.0 - self.start.0).abs().max((here.1 - self.start.1).abs());
        if !self.drags && far < CLICK && self.down.len() < 2 {
            return None;
        }
        if !self.drags {
            self.drags = true;
            // From now on the pointer belongs to the drawing, even outside of it; where that fails it ends at the border.
            if let Some(stage) = event.current_target().and_then(|it| it.dyn_into::<Element>().ok()) {
                let _ = stage.set_pointer_capture(event.pointer_id());
            }
        }
        self.down.insert(event.pointer_id(), here);
        let other = self.down.iter().find(|(id, _)| **id != event.pointer_id()).map(|(_, at)| *at);
        let Some(other) = other else {
            return Some(view.panned(here.0 - last.0, here.1 - last.1));
        };
        // What lies under the two fingers stays under them.
        let corner = corner();
        let apart = |point: (f64, f64)| (point.0 - other.0).hypot(point.1 - other.1).max(1.0);
        let middle = |point: (f64, f64)| ((point.0 + other.0) / 2.0 - corner.0, (point.1 + other.1) / 2.0 - corner.1);
        let (before, after) = (middle(last), middle(here));
        let view = view.panned(after.0 - before.0, after.1 - before.1);
        Some(view.zoomed(apart(here) / apart(last), after.0, after.1))
    }

    pub(super) fn up(&mut self, event: &PointerEvent) {
        self.down.remove(&event.pointer_id());
    }
}
