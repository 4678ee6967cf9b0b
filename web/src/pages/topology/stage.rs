//! The drawing itself: panned and zoomed, walked through with keys; built of elements, or painted where it is large.

use std::cell::RefCell;
use std::rc::Rc;

use gloo_events::{EventListener, EventListenerOptions};
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement, WheelEvent};
use xenapi_console::format;
use xenapi_console::graph::minimap::{Minimap, minimap};
use xenapi_console::graph::scene::{Index, is_painted};
use xenapi_console::graph::{Drawing, said};
use xenapi_console::state::Action;
use xenapi_console::text::Text;
use xenapi_console::viewport::{Size, Viewport};
use xenapi_topology::{Node, Theme, Walk};
use yew::prelude::*;

use super::camera::{Camera, use_camera};
use super::keys::{Command, Cursor, command};
use super::overlay::{MAP, MinimapView, control, legend, place_seen, selection, what_if};
use super::painting::{Content, Painting, Seen};
use super::picture::{Highlight, Picture, node_id};
use super::pointers::Pointers;
use crate::components::Mark;
use crate::dom::{self, measure};
use crate::store::{Same, use_store};

/// How much a click on a magnifier magnifies.
pub(super) const ZOOM: f64 = 1.25;

#[derive(Properties, PartialEq)]
pub(crate) struct StageProps {
    pub(crate) drawing: Same<Drawing>,
    /// The node that is selected.
    pub(crate) focus: Option<usize>,
    pub(crate) on_pick: Callback<Option<usize>>,
    /// Nodes whose paths are lit up while nobody points at another.
    #[prop_or_default]
    pub(crate) lit: Vec<usize>,
}

/// The drawing and its controls.
#[component]
pub(crate) fn Stage(props: &StageProps) -> Html {
    let store = use_store();
    let drawing = props.drawing.clone();
    let node = use_node_ref();
    let (frame, measured) = measure::use_size(&node);
    let size = Size { width: drawing.layout.width, height: drawing.layout.height };
    let camera = use_camera(size, frame);
    let view = camera.view();
    let hovered = use_state_eq(|| None::<usize>);
    let cursor = use_state_eq(Cursor::default);
    let walk = cursor.walk(&drawing);
    let pointers = use_mut_ref(Pointers::default);
    let path = use_path(&drawing, (*hovered).or(props.focus), &props.lit);
    let painted = is_painted(&drawing);
    use_effect_with((drawing.clone(), measured), |_| dom::mark("xenoxide:topology-drawn"));
    use_wheel(&node, &camera);
    use_following(&drawing, props.focus.or(props.lit.first().copied()), frame, &camera);
    let on_pick = use_pick(&drawing, &props.on_pick, &camera);
    let on_hover = {
        let hovered = hovered.setter();
        use_callback((), move |at: Option<usize>, ()| hovered.set(at))
    };
    let index =
        use_memo((drawing.clone(), painted), |(drawing, painted)| painted.then(|| Same(Rc::new(Index::new(drawing)))));
    let index = (*index).clone();
    let moved =
        Moved { layer: use_node_ref(), sheets: use_node_ref(), seen: use_node_ref(), zoom: use_node_ref(), ..use_moved() };
    let map = use_memo(drawing.clone(), |drawing| Same(Rc::new(minimap(drawing, MAP))));
    let map = (*map).clone();
    camera.followed({
        let (moved, map) = (moved.clone(), map.clone());
        move |view, moves| moved.go(view, frame, moves, &map)
    });
    let content = index.clone().map(|index| Content {
        drawing: drawing.clone(),
        index,
        path: path.clone(),
        chosen: [props.focus, walk.map(|walk| walk.at)],
        theme: if dom::is_dark() { Theme::Dark } else { Theme::Light },
    });
    {
        let (moved, seen) = (moved.clone(), Seen { view, frame, moves: camera.moves() });
        use_effect_with((content, seen), move |(content, seen)| moved.show(content.as_ref(), *seen));
    }
    let onkeydown = {
        let keyboard = Keyboard {
            drawing: drawing.clone(),
            cursor: cursor.setter(),
            walk,
            on_pick: on_pick.clone(),
            camera: camera.clone(),
        };
        let (store, focus) = (store.clone(), props.focus);
        Callback::from(move |event: KeyboardEvent| {
            let Some(command) = command(&event) else { return };
            event.prevent_default();
            let keyboard = keyboard.at(&event);
            match command {
                Command::WhatIf => {
                    let at = keyboard.walk.map(|walk| walk.at).or(focus);
                    if let Some(route) = at.and_then(|at| what_if(&store, &keyboard.drawing, at)) {
                        store.dispatch(Action::Navigate(route));
                    }
                }
                command => keyboard.does(command, size, frame, painted),
            }
        })
    };
    let pointing = Pointing {
        node: node.clone(),
        pointers: pointers.clone(),
        camera: camera.clone(),
        hover: on_hover.clone(),
        drawing: drawing.clone(),
        index,
    };
    let zoom = |factor: f64| {
        let camera = camera.clone();
        Callback::from(move |_: MouseEvent| camera.change(|view| view.zoomed(factor, frame.width / 2.0, frame.height / 2.0)))
    };
    let fit = {
        let camera = camera.clone();
        Callback::from(move |_: MouseEvent| camera.go(Viewport::whole(size, frame)))
    };
    let label = Text::Drawing.with(&[said::lens(drawing.graph.lens).get(), &format::count(drawing.graph.total)]);
    let is_large = size.width * view.scale > frame.width * 1.15 || size.height * view.scale > frame.height * 1.6;
    let heard = walk.filter(|_| painted).and_then(|walk| drawing.title(walk.at));
    let class = classes!("topology-stage", camera.moves().then_some("moving"), painted.then_some("painted"));
    html! {
        <>
        <div class="stage-frame">
        <div {class} ref={node} role="application" aria-label={label} aria-describedby="drawing-hint" tabindex={if painted { "0" } else { "-1" }}
            data-testid="topology" data-lens={drawing.graph.lens.name()} data-painted={painted.then_some("true")}
            data-drawn={drawing.shapes.len().to_string()}
            onpointerdown={pointing.down()} onpointermove={pointing.moving()} onpointerup={pointing.up()} onpointercancel={pointing.up()}
            onclick={pointing.click(&on_pick)} {onkeydown}>
            if painted {
                <div class="sheets" ref={moved.sheets.clone()} aria-hidden="true"></div>
            } else {
                <div class="layer" ref={moved.layer.clone()}>
                    <svg class={classes!("drawing", path.is_some().then_some("focused"))} role="group" aria-labelledby="drawing-hint"
                        width={size.width.to_string()} height={size.height.to_string()}>
                        <Picture drawing={drawing.clone()} selected={props.focus} cursor={walk.map(|walk| walk.at)} path={path.clone()} {on_pick} {on_hover} />
                    </svg>
                </div>
            }
            <p id="drawing-hint" class="only-heard">{ Text::DrawingHint.get() }</p>
            <p class="only-heard" role="status" data-testid="drawing-heard">{ heard }</p>
            if is_large && drawing.shapes.len() > 24 && frame.width > 600.0 && frame.height > 360.0 {
                <MinimapView {map} {view} {frame} camera={camera.clone()} seen={moved.seen.clone()} />
            }
        </div>
        if let Some(at) = props.focus { { selection(&store, &drawing, at) } }
        </div>
        <div class="stage-foot">
            { legend(&drawing) }
            <div class="zoom" role="group" aria-label={Text::Zoom.get()}>
                { control(Mark::Minus, Text::ZoomOut, zoom(1.0 / ZOOM), "zoom-out") }
                <output ref={moved.zoom.clone()} data-testid="zoom">{ magnification(view) }</output>
                { control(Mark::Plus, Text::ZoomIn, zoom(ZOOM), "zoom-in") }
                { control(Mark::Fit, Text::FitTitle, fit, "fit") }
            </div>
        </div>
        </>
    }
}

/// What follows the camera.
#[derive(Clone, Default)]
struct Moved {
    /// The layer of a drawing that is built of elements.
    layer: NodeRef,
    /// Where one is painted.
    sheets: NodeRef,
    /// The frame on the minimap.
    seen: NodeRef,
    /// What says how large it is.
    zoom: NodeRef,
    painting: Painting,
}

#[hook]
fn use_moved() -> Moved {
    let painting = use_memo((), |()| Painting::default());
    Moved { painting: (*painting).clone(), ..Moved::default() }
}

impl Moved {
    /// Shows a drawing: painted, if it has a content.
    fn show(&self, content: Option<&Content>, seen: Seen) {
        self.painting.within(content.and_then(|_| self.sheets.cast()));
        match content {
            Some(content) => self.painting.show(content.clone(), seen),
            None => self.place_layer(seen.view),
        }
    }

    /// Follows the camera.
    fn go(&self, view: Viewport, frame: Size, moves: bool, map: &Minimap) {
        self.place_layer(view);
        self.painting.look(Seen { view, frame, moves });
        if let Some(seen) = self.seen.cast::<HtmlElement>() {
            place_seen(&seen, map, view, frame);
        }
        // The text itself stays the one that was rendered.
        if let Some(text) = self.zoom.cast::<Element>().and_then(|zoom| zoom.first_child()) {
            text.set_node_value(Some(&magnification(view)));
        }
    }

    fn place_layer(&self, view: Viewport) {
        if let Some(layer) = self.layer.cast::<HtmlElement>() {
            let transform = format!("translate({:.2}px, {:.2}px) scale({:.4})", view.x, view.y, view.scale);
            // A property that the browser does not know leaves the drawing where it is.
            let _ = layer.style().set_property("transform", &transform);
        }
    }
}

fn magnification(view: Viewport) -> String {
    format::percentage(percent(view.scale))
}

fn percent(scale: f64) -> u64 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a magnification is small and positive")]
    let percent = (scale * 100.0).round() as u64;
    percent
}

/// The path in focus: of the node that is pointed at or selected, or else of those that are lit.
#[hook]
fn use_path(drawing: &Same<Drawing>, attention: Option<usize>, lit: &[usize]) -> Highlight {
    let key = (drawing.clone(), attention.map_or_else(|| lit.to_vec(), |at| vec![at]));
    let path = use_memo(key, |(drawing, nodes)| {
        (!nodes.is_empty()).then(|| Same(Rc::new(xenapi_topology::trace_all(&drawing.graph, nodes))))
    });
    (*path).clone()
}

/// The wheel zooms. Not by yew's own listeners: those may not keep the page from scrolling.
#[hook]
fn use_wheel(node: &NodeRef, camera: &Camera) {
    let (node, camera) = (node.clone(), camera.clone());
    use_effect_with((), move |()| {
        let listener = node.cast::<Element>().map(|element| {
            let frame = element.clone();
            EventListener::new_with_options(
                &element,
                "wheel",
                EventListenerOptions::enable_prevent_default(),
                move |event| {
                    let Some(event) = event.dyn_ref::<WheelEvent>() else { return };
                    event.prevent_default();
                    let bounds = frame.get_bounding_client_rect();
                    // Lines count as sixteen pixels.
                    let unit = if event.delta_mode() == WheelEvent::DOM_DELTA_PIXEL { 1.0 } else { 16.0 };
                    let (across, down) = (event.delta_x() * unit, event.delta_y() * unit);
                    if event.shift_key() || across.abs() > down.abs() {
                        let across = if across == 0.0 { down } else { across };
                        return camera.change(|view| view.panned(-across, 0.0));
                    }
                    let factor = (-down * 0.0015).clamp(-0.5, 0.5).exp();
                    let at = (f64::from(event.client_x()) - bounds.left(), f64::from(event.client_y()) - bounds.top());
                    camera.change(|view| view.zoomed(factor, at.0, at.1));
                },
            )
        });
        move || drop(listener)
    });
}

/// The view that shows a node, unless it is shown already.
fn reveal(drawing: &Drawing, at: usize, view: Viewport, frame: Size) -> Option<Viewport> {
    let rect = drawing.layout.nodes.get(at)?;
    let (x, y) = (rect.x * view.scale + view.x, rect.y * view.scale + view.y);
    let (width, height) = (rect.width * view.scale, rect.height * view.scale);
    // As far as needed, and a little further, so that one sees what comes next.
    let shift = |from: f64, length: f64, room: f64| {
        let margin = 40.0_f64.min(room / 4.0);
        if from < margin { margin - from } else { (room - margin - from - length).min(0.0) }
    };
    let by = (shift(x, width, frame.width), shift(y, height, frame.height));
    (by != (0.0, 0.0)).then(|| view.panned(by.0, by.1))
}

/// Brings what was selected elsewhere into sight.
#[hook]
fn use_following(drawing: &Same<Drawing>, focus: Option<usize>, frame: Size, camera: &Camera) {
    let (drawing, camera) = (drawing.clone(), camera.clone());
    let id = focus.and_then(|at| drawing.graph.nodes.get(at)).map(|node| node.id.clone());
    use_effect_with(id, move |_| {
        let Some(rect) = focus.and_then(|at| drawing.layout.nodes.get(at)) else { return };
        let view = camera.view();
        let x = (rect.x + rect.width / 2.0) * view.scale + view.x;
        let y = (rect.y + rect.height / 2.0) * view.scale + view.y;
        let inside = (0.0..frame.width).contains(&x) && (0.0..frame.height).contains(&y);
        if !inside {
            camera.go(view.panned(frame.width / 2.0 - x, frame.height / 2.0 - y));
        }
    });
}

/// A click on a node. When a group unfolds, what is seen stays where it is although the drawing becomes larger.
#[hook]
fn use_pick(drawing: &Same<Drawing>, on_pick: &Callback<Option<usize>>, camera: &Camera) -> Callback<Option<usize>> {
    // The same callback as long as the drawing is the same: the nodes compare it.
    let latest = use_mut_ref(|| (drawing.clone(), on_pick.clone(), camera.clone()));
    *latest.borrow_mut() = (drawing.clone(), on_pick.clone(), camera.clone());
    use_callback((), move |at: Option<usize>, ()| {
        let (drawing, on_pick, camera) = latest.borrow().clone();
        if at.and_then(|at| drawing.graph.nodes.get(at)).is_some_and(Node::is_group) {
            camera.stay();
        }
        on_pick.emit(at);
    })
}

/// What keys do.
#[derive(Clone)]
struct Keyboard {
    drawing: Same<Drawing>,
    cursor: UseStateSetter<Cursor>,
    walk: Option<Walk>,
    on_pick: Callback<Option<usize>>,
    camera: Camera,
}

impl Keyboard {
    /// The same, standing at the node that has the focus, however it came there: by walking, a click, or a reader.
    fn at(&self, event: &KeyboardEvent) -> Keyboard {
        let node = event.target_dyn_into::<Element>().and_then(|element| element.closest(".node").ok().flatten());
        let at = node.and_then(|node| node.id().strip_prefix("node-")?.parse::<usize>().ok());
        match at {
            Some(at) if self.walk.is_none_or(|walk| walk.at != at) => Keyboard { walk: Some(Walk::at(at)), ..self.clone() },
            _ => self.clone(),
        }
    }

    fn does(&self, command: Command, size: Size, frame: Size, painted: bool) {
        match command {
            Command::Walk(direction) => {
                let step = Walk::step(&self.drawing.graph, &self.drawing.layout, self.walk, direction);
                let Some(step) = step else { return };
                self.cursor.set(Cursor::of(&self.drawing, step));
                if let Some(view) = reveal(&self.drawing, step.at, self.camera.view(), frame) {
                    self.camera.go(view);
                }
                if !painted {
                    dom::focus_quietly(&node_id(step.at));
                }
            }
            // The first node is where the keyboard comes first.
            Command::Pick => self.on_pick.emit(Some(self.walk.map_or(0, |walk| walk.at))),
            Command::Nothing => self.on_pick.emit(None),
            Command::Zoom(factor) => {
                self.camera.change(|view| view.zoomed(factor, frame.width / 2.0, frame.height / 2.0));
            }
            Command::Fit => self.camera.go(Viewport::whole(size, frame)),
            Command::WhatIf => {}
        }
    }
}

/// What pointers do.
struct Pointing {
    node: NodeRef,
    pointers: Rc<RefCell<Pointers>>,
    camera: Camera,
    hover: Callback<Option<usize>>,
    drawing: Same<Drawing>,
    index: Option<Same<Index>>,
}

/// Where the frame begins in the window.
fn corner(node: &NodeRef) -> (f64, f64) {
    node.cast::<Element>().map_or((0.0, 0.0), |element| {
        let bounds = element.get_bounding_client_rect();
        (bounds.left(), bounds.top())
    })
}

impl Pointing {
    fn down(&self) -> Callback<PointerEvent> {
        let pointers = self.pointers.clone();
        Callback::from(move |event: PointerEvent| pointers.borrow_mut().down(&event))
    }

    fn moving(&self) -> Callback<PointerEvent> {
        let (pointers, camera, node) = (self.pointers.clone(), self.camera.clone(), self.node.clone());
        let (hover, drawing, index) = (self.hover.clone(), self.drawing.clone(), self.index.clone());
        Callback::from(move |event: PointerEvent| {
            if let Some(view) = pointers.borrow_mut().moved(&event, camera.view(), || corner(&node)) {
                return camera.go(view);
            }
            // A painting has no elements that the pointer could enter.
            if let Some(index) = &index {
                let corner = corner(&node);
                let at = (f64::from(event.client_x()) - corner.0, f64::from(event.client_y()) - corner.1);
                hover.emit(index.hit(&drawing.layout, camera.view(), at.0, at.1));
            }
        })
    }

    fn up(&self) -> Callback<PointerEvent> {
        let pointers = self.pointers.clone();
        Callback::from(move |event: PointerEvent| pointers.borrow_mut().up(&event))
    }

    fn click(&self, on_pick: &Callback<Option<usize>>) -> Callback<MouseEvent> {
        let (on_pick, pointers, node) = (on_pick.clone(), self.pointers.clone(), self.node.clone());
        let (drawing, index, camera) = (self.drawing.clone(), self.index.clone(), self.camera.clone());
        Callback::from(move |event: MouseEvent| {
            // A click at the end of a drag is none.
            if std::mem::take(&mut pointers.borrow_mut().drags) {
                return;
            }
            let corner = corner(&node);
            let at = (f64::from(event.client_x()) - corner.0, f64::from(event.client_y()) - corner.1);
            on_pick.emit(index.as_ref().and_then(|index| index.hit(&drawing.layout, camera.view(), at.0, at.1)));
        })
    }
}
