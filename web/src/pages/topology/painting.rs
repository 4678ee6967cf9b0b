//! A large drawing as sheets of paint. While one moves it, its sheets are moved and magnified as they are; new ones are painted beside them, a
//! little with each picture of the screen, and take their place when they are done.
//!
//! There are two layers: the whole drawing, and over it what is in focus. So nothing of the whole is painted again while a pointer passes
//! over the nodes: it only dims.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use gloo_render::{AnimationFrame, request_animation_frame};
use wasm_bindgen::JsCast as _;
use web_sys::{HtmlCanvasElement, HtmlElement};
use xenapi_console::graph::Drawing;
use xenapi_console::graph::plan::{Part, Plan, plan};
use xenapi_console::graph::scene::Index;
use xenapi_console::graph::sheet::Sheet;
use xenapi_console::viewport::{Size, Viewport};
use xenapi_topology::Theme;

use super::canvas::{Glyphs, Paint, Painter};
use super::picture::Highlight;
use crate::dom;
use crate::store::Same;

/// How long painting may take for each picture of the screen, in milliseconds, and how long where nothing is shown yet. What is counted is
/// telling the browser what to paint; painting it takes the browser about as long again.
const SLICE: f64 = 4.0;
const FIRST: f64 = 20.0;

/// What is painted.
#[derive(Clone, PartialEq)]
pub(super) struct Content {
    pub(super) drawing: Same<Drawing>,
    pub(super) index: Same<Index>,
    /// The path in focus.
    pub(super) path: Highlight,
    /// The node that is selected, and the one at which the keyboard stands.
    pub(super) chosen: [Option<usize>; 2],
    pub(super) theme: Theme,
}

/// Where one looks from.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Seen {
    pub(super) view: Viewport,
    pub(super) frame: Size,
    pub(super) moves: bool,
}

/// The sheets of a drawing, in an element of their own.
#[derive(Clone, Default)]
pub(super) struct Painting(Rc<RefCell<Inner>>);

#[derive(Default)]
struct Inner {
    host: Option<HtmlElement>,
    content: Option<Content>,
    seen: Option<Seen>,
    layers: [Layer; 2],
    glyphs: Option<Glyphs>,
    next: Option<AnimationFrame>,
}

/// The whole drawing, or what is in focus.
#[derive(Default)]
struct Layer {
    /// Counts what it is to show.
    wanted: u32,
    front: Option<Painted>,
    /// The canvas that is not seen.
    spare: Option<HtmlCanvasElement>,
    job: Option<Job>,
}

/// A sheet that is seen.
struct Painted {
    canvas: HtmlCanvasElement,
    sheet: Sheet,
    ratio: f64,
    shows: u32,
}

/// A sheet that is being painted.
struct Job {
    painter: Painter,
    canvas: HtmlCanvasElement,
    content: Content,
    plan: Plan,
    done: usize,
    sheet: Sheet,
    ratio: f64,
    shows: u32,
}

const WHOLE: usize = 0;
const FOCUS: usize = 1;

impl Content {
    fn has_focus(&self) -> bool {
        self.path.is_some() || self.chosen.iter().any(Option::is_some)
    }
}

impl Painting {
    /// Paints in that element from now on; nothing, if there is none.
    pub(super) fn within(&self, host: Option<HtmlElement>) {
        let mut inner = self.0.borrow_mut();
        if inner.host != host {
            *inner = Inner { host, ..Inner::default() };
        }
    }

    /// Shows something else.
    pub(super) fn show(&self, content: Content, seen: Seen) {
        {
            let mut inner = self.0.borrow_mut();
            let Inner { content: before, layers, .. } = &mut *inner;
            let is_same =
                |same: fn(&Content, &Content) -> bool| before.as_ref().is_some_and(|before| same(before, &content));
            if !is_same(|a, b| (&a.drawing, a.theme) == (&b.drawing, b.theme)) {
                layers[WHOLE].wanted = layers[WHOLE].wanted.wrapping_add(1);
            }
            if !is_same(|a, b| a == b) {
                layers[FOCUS].wanted = layers[FOCUS].wanted.wrapping_add(1);
            }
            inner.content = Some(content);
            inner.seen = Some(seen);
        }
        self.work();
    }

    /// Shows the same from somewhere else.
    pub(super) fn look(&self, seen: Seen) {
        let mut inner = self.0.borrow_mut();
        if inner.seen.replace(seen) == Some(seen) {
            return;
        }
        inner.place();
        inner.plan_next(&Rc::downgrade(&self.0));
    }

    fn work(&self) {
        let mut inner = self.0.borrow_mut();
        inner.work();
        inner.plan_next(&Rc::downgrade(&self.0));
    }
}

impl Inner {
    /// Goes on with the next picture of the screen, if there is anything to do.
    fn plan_next(&mut self, me: &Weak<RefCell<Inner>>) {
        if self.next.is_some() || !self.is_busy() {
            return;
        }
        let me = me.clone();
        self.next = Some(request_animation_frame(move |_| {
            let Some(inner) = me.upgrade() else { return };
            // Not dropped within itself.
            let _over = inner.borrow_mut().next.take();
            Painting(inner).work();
        }));
    }

    fn is_busy(&self) -> bool {
        let (Some(content), Some(seen)) = (&self.content, self.seen) else { return false };
        self.host.is_some() && (0..self.layers.len()).any(|at| self.layers[at].is_busy(at, content, seen))
    }

    /// Paints for a moment, and shows what is done.
    fn work(&mut self) {
        let (Some(content), Some(seen), Some(host)) = (&self.content, self.seen, &self.host) else { return };
        if self.glyphs.is_none() {
            self.glyphs = Glyphs::new().ok();
        }
        let Some(glyphs) = &self.glyphs else { return };
        let time = if self.layers[WHOLE].front.is_none() { FIRST } else { SLICE };
        let end = dom::precise_now() + time;
        let is_dim = content.path.is_some();
        for (at, layer) in self.layers.iter_mut().enumerate() {
            if at == FOCUS && !content.has_focus() {
                layer.clear();
            } else {
                layer.work(at, content, seen, host, glyphs, end);
            }
        }
        host.set_class_name(if is_dim { "sheets focused" } else { "sheets" });
        self.place();
    }

    /// Moves the sheets to where they belong.
    fn place(&self) {
        let Some(seen) = self.seen else { return };
        for front in self.layers.iter().filter_map(|layer| layer.front.as_ref()) {
            let Viewport { mut x, mut y, scale } = front.sheet.placed(seen.view);
            if front.sheet.is_sharp(seen.view) {
                // Where pixels lie on pixels nothing blurs.
                (x, y) = ((x * front.ratio).round() / front.ratio, (y * front.ratio).round() / front.ratio);
            }
            // A property that the browser does not know leaves the drawing where it is.
            let _ = front.canvas.style().set_property("transform", &format!("translate({x}px, {y}px) scale({scale})"));
        }
    }
}

fn size_of(content: &Content) -> Size {
    Size { width: content.drawing.layout.width, height: content.drawing.layout.height }
}

impl Layer {
    /// Whether a sheet serves to be looked at from there: not for ever, while something moves, but until the next one is done.
    fn serves(sheet: &Sheet, ratio: f64, content: &Content, seen: Seen) -> bool {
        let covers = |part: f64| sheet.covers(seen.view, seen.frame, size_of(content), part);
        ratio == ratio_now()
            && if seen.moves { covers(0.5) && sheet.is_fair(seen.view) } else { covers(0.2) && sheet.is_sharp(seen.view) }
    }

    fn is_busy(&self, at: usize, content: &Content, seen: Seen) -> bool {
        if at == FOCUS && !content.has_focus() {
            return self.front.is_some();
        }
        self.job.is_some()
            || self
                .front
                .as_ref()
                .is_none_or(|it| it.shows != self.wanted || !Self::serves(&it.sheet, it.ratio, content, seen))
    }

    /// Goes on with a sheet until that time, or begins one.
    fn work(&mut self, at: usize, content: &Content, seen: Seen, host: &HtmlElement, glyphs: &Glyphs, end: f64) {
        // While something moves, a sheet of where one was a moment ago is better than the one before it. Later it helps nobody.
        let is_late = |job: &Job| !seen.moves && !Self::serves(&job.sheet, job.ratio, content, seen);
        if self.job.as_ref().is_some_and(is_late) {
            self.spare = self.job.take().map(|job| job.canvas);
        }
        if self.job.is_none() && self.is_busy(at, content, seen) {
            self.job = self.begin(at, content, seen, host);
        }
        let Some(job) = &mut self.job else { return };
        while dom::precise_now() < end && job.step(glyphs) {}
        if job.done < job.plan.steps.len() {
            return;
        }
        let Some(job) = self.job.take() else { return };
        let Job { canvas, sheet, ratio, shows, .. } = job;
        let before = self.front.replace(Painted { canvas, sheet, ratio, shows });
        self.show_front();
        self.spare = before.map(|it| it.canvas);
        if let Some(spare) = &self.spare {
            hide(spare);
        }
    }

    fn begin(&mut self, at: usize, content: &Content, seen: Seen, host: &HtmlElement) -> Option<Job> {
        let canvas = match self.spare.take() {
            Some(canvas) => canvas,
            None => new_canvas(host, at)?,
        };
        let ratio = ratio_now();
        let sheet = Sheet::around(seen.view, seen.frame, size_of(content), ratio);
        let part = match at {
            WHOLE => Part::Whole,
            _ => Part::Focus(content.path.as_deref(), content.chosen),
        };
        let plan = plan(&content.drawing, &content.index, &sheet, part);
        let paint = Paint { theme: content.theme, ratio, is_focus: at == FOCUS };
        let painter = Painter::begin(&canvas, sheet, paint)?;
        Some(Job { painter, canvas, content: content.clone(), plan, done: 0, sheet, ratio, shows: self.wanted })
    }

    fn show_front(&self) {
        if let Some(Painted { canvas, sheet, .. }) = &self.front {
            let style = canvas.style();
            // These are properties that every browser knows.
            let _ = style.set_property("width", &format!("{}px", sheet.size.width));
            let _ = style.set_property("height", &format!("{}px", sheet.size.height));
            let _ = style.remove_property("display");
        }
    }

    fn clear(&mut self) {
        self.spare = self.job.take().map(|job| job.canvas).or_else(|| self.spare.take());
        let front = self.front.take().map(|front| front.canvas);
        for canvas in self.spare.iter().chain(&front) {
            hide(canvas);
            canvas.set_width(0);
            canvas.set_height(0);
        }
        if self.spare.is_none() {
            self.spare = front;
        } else if let Some(front) = front {
            front.remove();
        }
    }
}

impl Job {
    /// Does the next step. Whether there was one.
    fn step(&mut self, glyphs: &Glyphs) -> bool {
        let Some(step) = self.plan.steps.get(self.done) else { return false };
        // What a canvas refuses is a point out of all bounds, which nobody sees.
        let _ = self.painter.step(&self.content.drawing, &self.plan, step, glyphs);
        self.done += 1;
        true
    }
}

fn ratio_now() -> f64 {
    dom::window().map_or(1.0, |window| window.device_pixel_ratio()).clamp(1.0, 2.0)
}

fn hide(canvas: &HtmlCanvasElement) {
    // A property that every browser knows.
    let _ = canvas.style().set_property("display", "none");
}

fn new_canvas(host: &HtmlElement, at: usize) -> Option<HtmlCanvasElement> {
    let canvas = host.owner_document()?.create_element("canvas").ok()?.dyn_into::<HtmlCanvasElement>().ok()?;
    canvas.set_class_name(if at == WHOLE { "painting" } else { "painting in-focus" });
    hide(&canvas);
    host.append_child(&canvas).ok()?;
    Some(canvas)
}
