//! Where one looks at a drawing from. While it moves, nothing is rendered: what follows it is moved directly, once for each picture of the
//! screen.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_render::{AnimationFrame, request_animation_frame};
use gloo_timers::callback::Timeout;
use xenapi_console::viewport::{Size, Viewport};
use yew::prelude::*;

/// For so long after a movement the next one is expected, in milliseconds: until then nothing is drawn as finely as it could be.
const REST: u32 = 160;

/// Follows the camera; gets where it looks from, and whether it moves.
type Follow = Box<dyn Fn(Viewport, bool)>;

#[derive(Clone)]
pub(super) struct Camera(Rc<Inner>);

impl PartialEq for Camera {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

struct Inner {
    view: Cell<Viewport>,
    /// What it looks at, and through what.
    sizes: Cell<(Size, Size)>,
    /// Whether somebody moved it. Until then the drawing is placed by itself, whatever happens to the frame.
    by_hand: Cell<bool>,
    moves: Cell<bool>,
    follow: RefCell<Option<Follow>>,
    pending: RefCell<(Option<AnimationFrame>, Option<Timeout>)>,
    update: UseForceUpdateHandle,
}

/// The camera of a drawing of that size, in a frame of that size.
#[hook]
pub(super) fn use_camera(drawing: Size, frame: Size) -> Camera {
    let update = use_force_update();
    let camera = use_memo((), |()| {
        Camera(Rc::new(Inner {
            view: Cell::default(),
            sizes: Cell::default(),
            by_hand: Cell::default(),
            moves: Cell::default(),
            follow: RefCell::default(),
            pending: RefCell::default(),
            update,
        }))
    });
    let inner = &camera.0;
    inner.sizes.set((drawing, frame));
    let view = if inner.by_hand.get() { inner.view.get() } else { Viewport::first(drawing, frame) };
    inner.view.set(view.kept(drawing, frame));
    (*camera).clone()
}

thread_local! {
    static MOVES: Cell<bool> = const { Cell::new(false) };
}

/// Whether somebody moves a drawing.
pub(super) fn moves() -> bool {
    MOVES.get()
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.moves.get() {
            MOVES.set(false);
        }
    }
}

impl Camera {
    /// Where it looks from.
    pub(super) fn view(&self) -> Viewport {
        self.0.view.get()
    }

    /// Whether it moves.
    pub(super) fn moves(&self) -> bool {
        self.0.moves.get()
    }

    /// What follows it from now on.
    pub(super) fn followed(&self, by: impl Fn(Viewport, bool) + 'static) {
        *self.0.follow.borrow_mut() = Some(Box::new(by));
    }

    /// Stays where it is, even if the drawing becomes another one.
    pub(super) fn stay(&self) {
        self.0.by_hand.set(true);
    }

    pub(super) fn go(&self, view: Viewport) {
        let inner = &self.0;
        let (drawing, frame) = inner.sizes.get();
        inner.view.set(view.kept(drawing, frame));
        inner.by_hand.set(true);
        let mut pending = inner.pending.borrow_mut();
        if pending.0.is_none() {
            let me = Rc::downgrade(inner);
            pending.0 = Some(request_animation_frame(move |_| {
                let Some(inner) = me.upgrade() else { return };
                // Not dropped within itself.
                let _over = inner.pending.borrow_mut().0.take();
                if let Some(follow) = &*inner.follow.borrow() {
                    follow(inner.view.get(), inner.moves.get());
                }
            }));
        }
        let me = Rc::downgrade(inner);
        pending.1 = Some(Timeout::new(REST, move || {
            let Some(inner) = me.upgrade() else { return };
            inner.moves.set(false);
            MOVES.set(false);
            inner.update.force_update();
        }));
        MOVES.set(true);
        if !inner.moves.replace(true) {
            inner.update.force_update();
        }
    }

    pub(super) fn change(&self, change: impl FnOnce(Viewport) -> Viewport) {
        self.go(change(self.view()));
    }
}
