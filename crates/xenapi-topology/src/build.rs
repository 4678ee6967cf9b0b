//! From a cache to a graph.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use xenapi_client::Cache;

use crate::detail;
use crate::draft::{Degrees, Draft, Item, pool_name};
use crate::fold::{Drawn, fold, group_id};
use crate::graph::{Column, Edge, Graph, Lens, Node, NodeId, Options, Tally};
use crate::lens;
use crate::state::{EdgeState, State};
use crate::text;
use crate::words::{self, English, Name};

/// The picture of a cache through a lens. The same content gives the same picture, in whatever order it came.
pub fn graph(cache: &Cache, lens: Lens, options: &Options) -> Graph {
    let draft = lens::draft(cache, lens, options);
    let folded = fold(&draft, options);
    let degrees = draft.degrees();
    let columns = columns(&draft);
    let place_of: Vec<Option<usize>> = columns.1;
    let mut nodes: Vec<(Node, Vec<usize>)> = folded
        .drawn
        .into_iter()
        .filter_map(|drawn| {
            let column = place_of[drawn.column]?;
            Some((node(&draft, lens, &drawn, column, &degrees), drawn.items))
        })
        .collect();
    // What stands for many, or for no object, goes to the end. NICs of the same name are told apart by their hosts, which the
    // details name.
    let class = |node: &Node| (node.column, node.kind.is_place(), node.is_group());
    nodes.sort_by(|(a, _), (b, _)| {
        let names = text::natural(&a.label, &b.label).then_with(|| text::natural(&a.detail, &b.detail));
        class(a).cmp(&class(b)).then(names).then_with(|| a.id.cmp(&b.id))
    });
    let mut drawn_as = vec![usize::MAX; draft.items.len()];
    for (at, (_, items)) in nodes.iter().enumerate() {
        items.iter().for_each(|item| drawn_as[*item] = at);
    }
    Graph {
        lens,
        pool: pool_name(cache),
        columns: columns.0,
        nodes: nodes.into_iter().map(|(node, _)| node).collect(),
        edges: edges(&draft, &drawn_as),
        total: draft.items.iter().filter(|item| !item.kind.is_place()).count(),
        capped: folded.capped,
    }
}

/// The columns that are drawn, and for each column of the draft its place among them.
fn columns(draft: &Draft<'_>) -> (Vec<Column>, Vec<Option<usize>>) {
    let mut counts = vec![(0, 0); draft.columns.len()];
    for item in &draft.items {
        counts[item.column].0 += 1;
        counts[item.column].1 += usize::from(!item.kind.is_place() && !item.kind.is_connector());
    }
    let (mut columns, mut places) = (Vec::new(), Vec::new());
    for (column, (items, count)) in draft.columns.iter().zip(counts) {
        if column.needed || items > 0 {
            places.push(Some(columns.len()));
            columns.push(Column { kind: column.kind, unknown: column.unknown, count });
        } else {
            places.push(None);
        }
    }
    (columns, places)
}

fn node(draft: &Draft<'_>, lens: Lens, drawn: &Drawn, column: usize, degrees: &[Degrees]) -> Node {
    let first = &draft.items[drawn.items[0]];
    let single = drawn.items.len() == 1 && !drawn.rest;
    let tally = tally(draft, &drawn.items);
    let object = (single && !first.kind.is_place()).then(|| (first.class, first.reference.clone()));
    let id = match (single, first.kind.is_place()) {
        (false, _) => group_id(drawn.key),
        (true, true) => NodeId::new(format!("place/{}", first.label)),
        (true, false) => NodeId::object(first.class, &first.reference),
    };
    let name = if single { name(first) } else { group_name(draft, drawn) };
    let words = detail::detail(draft, lens, &drawn.items, degrees);
    let members = |item: &usize| (draft.items[*item].class, draft.items[*item].reference.clone());
    Node {
        id,
        kind: first.kind,
        column,
        label: name.english(),
        detail: words::line(&words, &English),
        name,
        words,
        state: state(&tally),
        object,
        folded: if single { 0 } else { drawn.items.len() },
        members: if single { Vec::new() } else { drawn.items.iter().map(members).collect() },
        tally: if single { Vec::new() } else { tally },
        group: drawn.group.map(group_id),
    }
}

fn tally(draft: &Draft<'_>, items: &[usize]) -> Tally {
    let mut order = State::ALL;
    order.sort_by_key(|state| state.urgency());
    let mut counts = [0; State::ALL.len()];
    items.iter().for_each(|item| counts[draft.items[*item].state as usize] += 1);
    let counted = order.map(|state| (state, counts[state as usize]));
    counted.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// What stands for a group: trouble, or else what most of its members are in.
fn state(tally: &[(State, usize)]) -> State {
    let most = tally.iter().rev().max_by_key(|(state, count)| (state.is_trouble(), *count));
    match tally.first() {
        Some((first, _)) if first.is_trouble() => *first,
        _ => most.map_or(State::Unknown, |(state, _)| *state),
    }
}

fn name(item: &Item<'_>) -> Name {
    match () {
        () if item.kind.is_place() => Name::Place(item.kind),
        () if item.is_unnamed => Name::Unnamed(item.kind, text::short(item.reference.as_str())),
        () => Name::Own(item.label.clone().into_owned()),
    }
}

/// A name that all members share, or their number.
fn group_name(draft: &Draft<'_>, drawn: &Drawn) -> Name {
    let first = &draft.items[drawn.items[0]];
    let count = drawn.items.len();
    let same_name = drawn.items.iter().all(|item| draft.items[*item].label == first.label);
    if !drawn.rest && same_name && count > 1 {
        return Name::Alike(first.label.clone().into_owned(), count);
    }
    let same_kind = drawn.items.iter().all(|item| draft.items[*item].kind == first.kind);
    Name::Group { kind: same_kind.then_some(first.kind), count, rest: drawn.rest }
}

/// The connectors as they are drawn: those between the same two nodes are one edge.
fn edges(draft: &Draft<'_>, drawn_as: &[usize]) -> Vec<Edge> {
    let mut is_quiet = vec![false; draft.items.len()];
    draft.quiet.iter().for_each(|item| is_quiet[*item] = true);
    let mut links: Vec<(usize, usize, EdgeState, bool)> = draft
        .links
        .iter()
        .map(|link| {
            let quiet = link.quiet || is_quiet[link.from];
            (drawn_as[link.from], drawn_as[link.to], link.state, quiet)
        })
        .filter(|(from, to, ..)| from != to && *from != usize::MAX && *to != usize::MAX)
        .collect();
    links.sort_unstable();
    let one = |same: &[(usize, usize, EdgeState, bool)]| Edge {
        from: same[0].0,
        to: same[0].1,
        state: same.iter().fold(same[0].2, |state, link| state.merged(link.2)),
        weight: same.len(),
        active: same.iter().filter(|link| link.2 == EdgeState::Active).count(),
        quiet: same.iter().all(|link| link.3),
    };
    links.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).map(one).collect()
}
