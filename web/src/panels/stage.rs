//! The drawing itself: SVG, panned and zoomed.

use std::cell::RefCell;
use std::rc::Rc;

use gloo_events::{EventListener, EventListenerOptions};
use wasm_bindgen::JsCast as _;
use web_sys::{Element, WheelEvent};
use xenapi_console::select::{self, Direction};
use xenapi_console::text::Text;
use xenapi_console::viewport::{Size, Viewport};
use xenapi_topology::{Node, Path, State};
use yew::prelude::*;

use super::topology::Drawing;
use crate::components::{Mark, glyph, mark};
use crate::dom::{self, measure};
use crate::panels::picture::{Picture, node_id};
use crate::store::Same;

/// A pointer that moves less than this, in pixels, clicks.
const CLICK: f64 = 4.0;
/// How much a click on a magnifier magnifies.
const ZOOM: f64 = 1.25;

#[derive(Properties, PartialEq)]
pub(super) struct StageProps {
    pub(super) drawing: Same<Drawing>,
    /// The node that is selected.
    pub(super) focus: Option<usize>,
    pub(super) on_pick: Callback<Option<usize>>,
}

/// A pointer that is down: where it was last, and whether it drags.
#[derive(Clone, Copy, Default)]
struct Pointer {
    last: Option<(f64, f64)>,
    start: (f64, f64),
    drags: bool,
}

/// The drawing and its controls.
#[component]
pub(super) fn Stage(props: &StageProps) -> Html {
    let drawing = props.drawing.clone();
    let node = use_node_ref();
    let (frame, measured) = measure::use_size(&node);
    let size = Size { width: drawing.layout.width, height: drawing.layout.height };
    // None until somebody moves the drawing: then it is placed by itself, whatever happens to the frame.
    let moved = use_state_eq(|| None::<Viewport>);
    let view = moved.unwrap_or_else(|| Viewport::first(size, frame)).kept(size, frame);
    // Several events may come before the next picture; each goes on from where the last one led.
    let latest = use_mut_ref(|| view);
    *latest.borrow_mut() = view;
    let hovered = use_state_eq(|| None::<usize>);
    let cursor = use_state_eq(|| None::<usize>);
    let pointer = use_mut_ref(Pointer::default);
    let attention = hovered.or(props.focus);
    let path = {
        let drawing = drawing.clone();
        use_memo((drawing.clone(), attention), move |(_, attention)| {
            attention.map(|at| Same(Rc::new(xenapi_topology::trace(&drawing.graph, at))))
        })
    };
    use_effect_with((drawing.clone(), measured), |_| dom::mark("xenoxide:topology-drawn"));
    use_wheel(&node, &latest, &moved);
    use_following(&drawing, props.focus, view, frame, &moved);
    let on_pick = use_pick(&drawing, &props.on_pick, view, &moved);
    let on_hover = {
        let hovered = hovered.setter();
        use_callback((), move |at: Option<usize>, ()| hovered.set(at))
    };
    let onkeydown = keys(&drawing, &cursor, &on_pick);
    let drag = Drag { pointer: pointer.clone(), moved: moved.clone(), latest };
    let onclick = {
        let (on_pick, pointer) = (on_pick.clone(), pointer.clone());
        Callback::from(move |_: MouseEvent| {
            // A click at the end of a drag is none.
            if !std::mem::take(&mut pointer.borrow_mut().drags) {
                on_pick.emit(None);
            }
        })
    };
    let zoom = |factor: f64| {
        let moved = moved.clone();
        Callback::from(move |_: MouseEvent| moved.set(Some(view.zoomed(factor, frame.width / 2.0, frame.height / 2.0))))
    };
    let fit = {
        let moved = moved.clone();
        Callback::from(move |_: MouseEvent| moved.set(Some(Viewport::whole(size, frame))))
    };
    let label = Text::Drawing.with(&[drawing.graph.lens.name(), &drawing.graph.total.to_string()]);
    let transform = format!("translate({:.2} {:.2}) scale({:.4})", view.x, view.y, view.scale);
    html! {
        <>
        <div class="stage" ref={node}>
            <svg class={classes!("drawing", path.is_some().then_some("focused"))} role="group" aria-label={label} tabindex="0"
                aria-activedescendant={cursor.map(node_id)} data-testid="topology" data-lens={drawing.graph.lens.name()}
                onpointerdown={drag.down()} onpointermove={drag.moving()} onpointerup={drag.up()} onpointercancel={drag.up()}
                {onclick} {onkeydown}>
                <g {transform}>
                    <Picture drawing={drawing.clone()} selected={props.focus} cursor={*cursor} path={(*path).clone()} {on_pick} {on_hover} />
                </g>
            </svg>
        </div>
        <div class="stage-foot">
            { legend(&drawing.graph.nodes) }
            <div class="zoom" role="group" aria-label={Text::Zoom.get()}>
                { control(Mark::Minus, Text::ZoomOut, zoom(1.0 / ZOOM), "zoom-out") }
                <output>{ xenapi_console::format::percentage((view.scale * 100.0).round() as u64) }</output>
                { control(Mark::Plus, Text::ZoomIn, zoom(ZOOM), "zoom-in") }
                { control(Mark::Fit, Text::FitTitle, fit, "fit") }
            </div>
        </div>
        </>
    }
}

fn control(image: Mark, text: Text, onclick: Callback<MouseEvent>, testid: &'static str) -> Html {
    html! {
        <button type="button" class="icon-button" title={text.get()} aria-label={text.get()} {onclick} data-testid={testid}>
            { mark(image) }
        </button>
    }
}

/// The states that occur.
fn legend(nodes: &[Node]) -> Html {
    let occurs = |state: &State| nodes.iter().any(|node| node.state == *state || node.tally.iter().any(|it| it.0 == *state));
    let entries = State::ALL.into_iter().filter(occurs);
    let entries = entries
        .map(|state| html! { <span class="state">{ glyph(state) }{ xenapi_console::text::state(state).get() }</span> });
    html! { <div class="legend" aria-hidden="true">{ for entries }</div> }
}

/// The wheel zooms. Not by yew's own listeners: those may not keep the page from scrolling.
#[hook]
fn use_wheel(node: &NodeRef, latest: &Rc<RefCell<Viewport>>, moved: &UseStateHandle<Option<Viewport>>) {
    let (node, latest, moved) = (node.clone(), latest.clone(), moved.setter());
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
                    let pixels =
                        event.delta_y() * if event.delta_mode() == WheelEvent::DOM_DELTA_PIXEL { 1.0 } else { 16.0 };
                    let factor = (-pixels * 0.0015).clamp(-0.5, 0.5).exp();
                    let at = (f64::from(event.client_x()) - bounds.left(), f64::from(event.client_y()) - bounds.top());
                    let zoomed = latest.borrow().zoomed(factor, at.0, at.1);
                    *latest.borrow_mut() = zoomed;
                    moved.set(Some(zoomed));
                },
            )
        });
        move || drop(listener)
    });
}

/// Brings what was selected elsewhere into sight.
#[hook]
fn use_following(
    drawing: &Same<Drawing>,
    focus: Option<usize>,
    view: Viewport,
    frame: Size,
    moved: &UseStateHandle<Option<Viewport>>,
) {
    let (drawing, moved) = (drawing.clone(), moved.setter());
    let id = focus.and_then(|at| drawing.graph.nodes.get(at)).map(|node| node.id.clone());
    use_effect_with(id, move |_| {
        let Some(rect) = focus.and_then(|at| drawing.layout.nodes.get(at)) else { return };
        let x = (rect.x + rect.width / 2.0) * view.scale + view.x;
        let y = (rect.y + rect.height / 2.0) * view.scale + view.y;
        let inside = (0.0..frame.width).contains(&x) && (0.0..frame.height).contains(&y);
        if !inside {
            moved.set(Some(view.panned(frame.width / 2.0 - x, frame.height / 2.0 - y)));
        }
    });
}

/// A click on a node. When a group unfolds, what is seen stays where it is although the drawing becomes larger.
#[hook]
fn use_pick(
    drawing: &Same<Drawing>,
    on_pick: &Callback<Option<usize>>,
    view: Viewport,
    moved: &UseStateHandle<Option<Viewport>>,
) -> Callback<Option<usize>> {
    // The same callback as long as the drawing is the same: the nodes compare it.
    let latest = use_mut_ref(|| (drawing.clone(), on_pick.clone(), view));
    *latest.borrow_mut() = (drawing.clone(), on_pick.clone(), view);
    let moved = moved.setter();
    use_callback((), move |at: Option<usize>, ()| {
        let (drawing, on_pick, view) = latest.borrow().clone();
        if at.and_then(|at| drawing.graph.nodes.get(at)).is_some_and(Node::is_group) {
            moved.set(Some(view));
        }
        on_pick.emit(at);
    })
}

fn keys(
    drawing: &Same<Drawing>,
    cursor: &UseStateHandle<Option<usize>>,
    on_pick: &Callback<Option<usize>>,
) -> Callback<KeyboardEvent> {
    let (drawing, cursor, on_pick) = (drawing.clone(), cursor.clone(), on_pick.clone());
    Callback::from(move |event: KeyboardEvent| {
        let direction = match event.key().as_str() {
            "ArrowUp" => Direction::Up,
            "ArrowDown" => Direction::Down,
            "ArrowLeft" => Direction::Left,
            "ArrowRight" => Direction::Right,
            "Enter" | " " => {
                event.prevent_default();
                return on_pick.emit(*cursor);
            }
            "Escape" => return on_pick.emit(None),
            _ => return,
        };
        event.prevent_default();
        cursor.set(select::step(&drawing.graph, &drawing.layout, *cursor, direction));
    })
}

/// Dragging the drawing with a pointer.
struct Drag {
    pointer: Rc<RefCell<Pointer>>,
    moved: UseStateHandle<Option<Viewport>>,
    latest: Rc<RefCell<Viewport>>,
}

impl Drag {
    fn down(&self) -> Callback<PointerEvent> {
        let pointer = self.pointer.clone();
        Callback::from(move |event: PointerEvent| {
            if event.button() == 0 {
                let at = (f64::from(event.client_x()), f64::from(event.client_y()));
                *pointer.borrow_mut() = Pointer { last: Some(at), start: at, drags: false };
            }
        })
    }

    fn moving(&self) -> Callback<PointerEvent> {
        let (pointer, moved, latest) = (self.pointer.clone(), self.moved.clone(), self.latest.clone());
        Callback::from(move |event: PointerEvent| {
            let mut pointer = pointer.borrow_mut();
            let Some(last) = pointer.last else { return };
            let at = (f64::from(event.client_x()), f64::from(event.client_y()));
            let far = (at.0 - pointer.start.0).abs().max((at.1 - pointer.start.1).abs());
            if !pointer.drags && far < CLICK {
                return;
            }
            if !pointer.drags {
                pointer.drags = true;
                // From now on the pointer belongs to the drawing, even outside of it; where that fails it ends at the border.
                if let Some(stage) = event.current_target().and_then(|it| it.dyn_into::<Element>().ok()) {
                    let _ = stage.set_pointer_capture(event.pointer_id());
                }
            }
            pointer.last = Some(at);
            let panned = latest.borrow().panned(at.0 - last.0, at.1 - last.1);
            *latest.borrow_mut() = panned;
            moved.set(Some(panned));
        })
    }

    fn up(&self) -> Callback<PointerEvent> {
        let pointer = self.pointer.clone();
        Callback::from(move |_: PointerEvent| pointer.borrow_mut().last = None)
    }
}

/// The nodes and edges to highlight.
pub(crate) type Highlight = Option<Same<Path>>;
