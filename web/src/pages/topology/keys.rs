//! The keyboard within a drawing.

use xenapi_console::graph::Drawing;
use xenapi_topology::{Direction, NodeId, Walk};
use yew::prelude::*;

/// Where the keyboard stands: by names, so that it stays there in the next drawing.
#[derive(Clone, PartialEq, Default)]
pub(super) struct Cursor {
    at: Option<NodeId>,
    from: Option<NodeId>,
}

impl Cursor {
    pub(super) fn of(drawing: &Drawing, walk: Walk) -> Self {
        let id = |at: usize| drawing.graph.nodes.get(at).map(|node| node.id.clone());
        Cursor { at: id(walk.at), from: walk.from.and_then(id) }
    }

    /// Where that is in a drawing.
    pub(super) fn walk(&self, drawing: &Drawing) -> Option<Walk> {
        let find = |id: &Option<NodeId>| id.as_ref().and_then(|id| drawing.graph.find(id));
        Some(Walk { at: find(&self.at)?, from: find(&self.from) })
    }
}

/// What a key means.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Command {
    Walk(Direction),
    Pick,
    Nothing,
    Zoom(f64),
    Fit,
    WhatIf,
}

/// What a key means in a drawing, if it means anything there.
pub(super) fn command(event: &KeyboardEvent) -> Option<Command> {
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return None;
    }
    Some(match event.key().as_str() {
        "ArrowUp" => Command::Walk(Direction::Up),
        "ArrowDown" => Command::Walk(Direction::Down),
        "ArrowLeft" => Command::Walk(Direction::Left),
        "ArrowRight" => Command::Walk(Direction::Right),
        "Home" => Command::Walk(Direction::First),
        "End" => Command::Walk(Direction::Last),
        "Enter" | " " => Command::Pick,
        "Escape" => Command::Nothing,
        "+" | "=" => Command::Zoom(super::stage::ZOOM),
        "-" => Command::Zoom(1.0 / super::stage::ZOOM),
        "0" => Command::Fit,
        "i" => Command::WhatIf,
        _ => return None,
    })
}
