//! In which order the pieces of a large drawing are painted: everything that looks alike at once, and in steps so small that the browser
//! can breathe in between.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Range;

use xenapi_topology::{Path, State};

use super::drawing::{Drawing, Shape};
use super::scene::{DETAILS_FROM, Index, LABELS_FROM, Look, Stroke, strokes};
use super::sheet::Sheet;

/// So many lines are one path: of very long ones browsers are slow to find the outline.
const LINES: usize = 64;
/// So many cards, shapes or words are one step.
const PIECES: usize = 96;

/// The border of a card.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Border {
    /// Of a node that is well.
    Plain,
    /// Of a node that somebody should look at.
    Trouble(State),
    /// Of the node that is selected, or at which the keyboard stands.
    Chosen,
}

/// Cards that look alike.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Card {
    /// Whether they are the lower ones of groups. These come first.
    pub is_upper: bool,
    /// Whether they stand for places.
    pub is_place: bool,
    /// Their border.
    pub border: Border,
}

/// What a word says of its node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Word {
    /// Its name.
    Label,
    /// The name of a node that is not at work.
    QuietLabel,
    /// The number of members in one of its states.
    Tally(usize),
    /// Its detail.
    Detail,
}

/// A step of painting.
#[derive(Clone, PartialEq, Debug)]
pub enum Step {
    /// Lines that look alike.
    Lines(Look, Range<usize>),
    /// Nodes from so far away that nothing in them can be read: their states as coloured bars.
    Specks(State, Vec<usize>),
    /// Cards of nodes.
    Cards(Card, Vec<usize>),
    /// The shapes of a state: of nodes, and of entries of their tallies.
    Glyphs(State, Vec<(usize, Option<usize>)>),
    /// Words that look alike.
    Words(Vec<(Word, usize)>),
    /// What stands above the columns.
    Headings,
}

/// What of a drawing is painted.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// All of it, as if nothing were in focus.
    Whole,
    /// What is in focus, to lie over the rest: a path, and single nodes.
    Focus(Option<&'a Path>, [Option<usize>; 2]),
}

/// How a sheet is painted.
#[derive(Debug, Default)]
pub struct Plan {
    /// The lines of which the steps speak.
    pub strokes: Vec<Stroke>,
    /// What to do, one after the other.
    pub steps: Vec<Step>,
}

/// How a part of a drawing is painted on a sheet.
pub fn plan(drawing: &Drawing, index: &Index, sheet: &Sheet, part: Part<'_>) -> Plan {
    let mut steps = Vec::new();
    let lines = match part {
        Part::Whole => strokes(drawing, sheet.view, sheet.size, None),
        Part::Focus(Some(path), _) => strokes(drawing, sheet.view, sheet.size, Some(path)),
        Part::Focus(None, _) => Vec::new(),
    };
    let mut from = 0;
    for alike in lines.chunk_by(|a, b| a.look == b.look) {
        for batch in alike.chunks(LINES) {
            steps.push(Step::Lines(alike[0].look, from..from + batch.len()));
            from += batch.len();
        }
    }
    let wanted = |at: &usize| match part {
        Part::Whole => true,
        Part::Focus(path, chosen) => chosen.contains(&Some(*at)) || path.is_some_and(|path| path.nodes.contains(at)),
    };
    let chosen = |at: usize| matches!(part, Part::Focus(_, chosen) if chosen.contains(&Some(at)));
    let seen: Vec<usize> = index.visible(&drawing.layout, sheet.view, sheet.size).filter(wanted).collect();
    if sheet.view.scale < LABELS_FROM {
        specks(drawing, &seen, &mut steps);
        // What was chosen is found again.
        let framed = seen.iter().copied().filter(|at| chosen(*at)).map(|at| (frame(&drawing.shapes[at], true, true), at));
        push(&mut steps, framed, Step::Cards);
    } else {
        nodes(drawing, &seen, chosen, sheet.view.scale >= DETAILS_FROM, &mut steps);
    }
    if matches!(part, Part::Whole | Part::Focus(Some(_), _)) {
        // These do not dim.
        steps.push(Step::Headings);
    }
    Plan { strokes: lines, steps }
}

/// Pushes steps of what has the same key, in the order of the keys.
fn push<K: Ord + Copy, V>(steps: &mut Vec<Step>, all: impl Iterator<Item = (K, V)>, step: impl Fn(K, Vec<V>) -> Step) {
    let mut by_key: BTreeMap<K, Vec<V>> = BTreeMap::new();
    for (key, value) in all {
        by_key.entry(key).or_default().push(value);
    }
    for (key, values) in by_key {
        let mut values = values.into_iter().peekable();
        while values.peek().is_some() {
            steps.push(step(key, values.by_ref().take(PIECES).collect()));
        }
    }
}

fn specks(drawing: &Drawing, seen: &[usize], steps: &mut Vec<Step>) {
    push(steps, seen.iter().map(|at| (drawing.shapes[*at].state, *at)), Step::Specks);
}

fn frame(shape: &Shape, is_upper: bool, is_chosen: bool) -> Card {
    let border = match shape.state {
        _ if is_chosen => Border::Chosen,
        state if state.is_trouble() => Border::Trouble(state),
        _ => Border::Plain,
    };
    Card { is_upper, is_place: shape.is_place, border }
}

fn nodes(drawing: &Drawing, seen: &[usize], chosen: impl Fn(usize) -> bool, details: bool, steps: &mut Vec<Step>) {
    let shape = |at: usize| &*drawing.shapes[at];
    let groups = seen.iter().filter(|at| shape(**at).folded > 0).map(|at| (frame(shape(*at), false, chosen(*at)), *at));
    let cards = groups.chain(seen.iter().map(|at| (frame(shape(*at), true, chosen(*at)), *at)));
    push(steps, cards, Step::Cards);
    let tallies = |at: usize| shape(at).tally.iter().enumerate().filter(move |_| details);
    let entries = seen.iter().flat_map(|at| tallies(*at).map(|(entry, (state, _))| (*state, (*at, Some(entry)))));
    push(steps, seen.iter().map(|at| (shape(*at).state, (*at, None))).chain(entries), Step::Glyphs);
    let label = |at: usize| if is_quiet(shape(at).state) { Word::QuietLabel } else { Word::Label };
    let labels = seen.iter().map(|at| (label(*at), *at)).filter(|(_, at)| !shape(*at).labels.label.is_empty());
    let numbers = seen.iter().flat_map(|at| tallies(*at).map(|(entry, _)| (Word::Tally(entry), *at)));
    let said = seen.iter().filter(|at| details && !shape(**at).labels.detail.is_empty()).map(|at| (Word::Detail, *at));
    push(steps, labels.chain(numbers).chain(said).map(|it| (Type::of(it.0), it)), |_, words| Step::Words(words));
}

/// How words are set: what differs is told to the canvas as seldom as possible.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Type {
    Label,
    Quiet,
    Tally,
    Detail,
}

impl Type {
    fn of(word: Word) -> Type {
        match word {
            Word::Label => Type::Label,
            Word::QuietLabel => Type::Quiet,
            Word::Tally(_) => Type::Tally,
            Word::Detail => Type::Detail,
        }
    }
}

/// Whether the name of a node in that state steps back.
fn is_quiet(state: State) -> bool {
    matches!(state, State::Halted | State::Suspended | State::Unplugged | State::Unknown)
}
