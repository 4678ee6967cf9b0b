//! Which siblings are drawn as one.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use crate::draft::{Draft, Fold, Hash, Item};
use crate::graph::{NodeId, Options};
use crate::text;

/// A node in the making.
pub(crate) struct Drawn {
    /// One item, or several in a group.
    pub(crate) items: Vec<usize>,
    pub(crate) column: usize,
    /// Names it among all nodes.
    pub(crate) key: u64,
    /// The expanded group that it came out of.
    pub(crate) group: Option<u64>,
    /// Whether it stands for what the cap cut off.
    pub(crate) rest: bool,
}

/// What is drawn.
pub(crate) struct Folded {
    pub(crate) drawn: Vec<Drawn>,
    pub(crate) capped: bool,
}

/// The id of a group.
pub(crate) fn group_id(key: u64) -> NodeId {
    NodeId::new(format!("group/{key:016x}"))
}

/// Folds siblings, and then more of them until the picture is within its cap.
pub(crate) fn fold(draft: &Draft<'_>, options: &Options) -> Folded {
    let mut drawn = at_threshold(draft, options, options.fold_above);
    let mut capped = false;
    for threshold in [5, 2, 1].into_iter().filter(|threshold| *threshold < options.fold_above) {
        if drawn.len() > options.cap {
            capped = true;
            drawn = at_threshold(draft, options, threshold);
        }
    }
    if drawn.len() > options.cap {
        capped = true;
        drawn = cut(draft, drawn, options.cap);
    }
    Folded { drawn, capped }
}

/// A sibling: its family, its item.
type Sibling = (u64, usize);

fn at_threshold(draft: &Draft<'_>, options: &Options, threshold: usize) -> Vec<Drawn> {
    let mut keys = vec![0; draft.items.len()];
    let mut of_column = vec![Vec::new(); draft.columns.len()];
    for (at, item) in draft.items.iter().enumerate() {
        of_column[item.column].push(at);
    }
    let mut drawn = Vec::new();
    for &column in &draft.folding {
        let siblings = families(draft, &of_column[column], &keys);
        let comfortable = draft.columns[column].comfortable.max(threshold);
        let mut limit = threshold;
        for lower in [5, 2, 1].into_iter().filter(|lower| *lower < threshold) {
            if count(draft, &siblings, limit) > comfortable {
                limit = lower;
            }
        }
        let first = drawn.len();
        for family in siblings.chunk_by(|a, b| a.0 == b.0) {
            draw_family(draft, options, column, family, limit, &mut drawn);
        }
        for node in &drawn[first..] {
            node.items.iter().for_each(|item| keys[*item] = node.key);
        }
    }
    drawn
}

/// The items of a column by family. Those that somebody should look at are a family of their own.
fn families(draft: &Draft<'_>, items: &[usize], keys: &[u64]) -> Vec<Sibling> {
    let mut scratch = Vec::new();
    let mut siblings: Vec<Sibling> = items
        .iter()
        .map(|&at| {
            let item = &draft.items[at];
            scratch.clear();
            scratch.extend(item.with.iter().map(|with| keys[*with]));
            scratch.sort_unstable();
            scratch.dedup();
            let family =
                Hash::new().number(draft.columns[item.column].kind as u64).number(item.tag).number(item.kind as u64);
            let family = scratch.iter().fold(family, |family, key| family.number(*key));
            (family.number(u64::from(item.state.is_trouble())).finish(), at)
        })
        .collect();
    siblings.sort_unstable();
    siblings
}

/// Above which number of siblings this family folds.
fn limit_of(item: &Item<'_>, threshold: usize) -> usize {
    match item.fold {
        Fold::Never => usize::MAX,
        // Trouble is not folded away as readily as the rest.
        _ if item.state.is_trouble() => threshold.saturating_mul(2),
        Fold::Above(times) if threshold > 2 => threshold.saturating_mul(times),
        Fold::Above(_) => threshold,
        Fold::Always if threshold == usize::MAX => usize::MAX,
        Fold::Always => 1,
    }
}

/// How many nodes the families make.
fn count(draft: &Draft<'_>, siblings: &[Sibling], threshold: usize) -> usize {
    let nodes = |family: &[Sibling]| {
        if family.len() > limit_of(&draft.items[family[0].1], threshold) { 1 } else { family.len() }
    };
    siblings.chunk_by(|a, b| a.0 == b.0).map(nodes).sum()
}

fn draw_family(
    draft: &Draft<'_>,
    options: &Options,
    column: usize,
    family: &[Sibling],
    limit: usize,
    drawn: &mut Vec<Drawn>,
) {
    let (key, first) = family[0];
    let folds = family.len() > limit_of(&draft.items[first], limit);
    let expanded = folds && !options.expanded.is_empty() && options.expanded.contains(&group_id(key));
    if folds && !expanded {
        let items = family.iter().map(|sibling| sibling.1).collect();
        drawn.push(Drawn { items, column, key, group: None, rest: false });
        return;
    }
    for (_, at) in family {
        let item = &draft.items[*at];
        let own = Hash::new().bytes(item.class.as_bytes()).bytes(b"/").bytes(item.reference.as_str().as_bytes()).finish();
        drawn.push(Drawn { items: vec![*at], column, key: own, group: expanded.then_some(key), rest: false });
    }
}

/// Cuts every column to its share of the cap; what is cut off becomes one group at its end.
fn cut(draft: &Draft<'_>, drawn: Vec<Drawn>, cap: usize) -> Vec<Drawn> {
    let mut columns: Vec<Vec<Drawn>> = draft.columns.iter().map(|_| Vec::new()).collect();
    for node in drawn {
        columns[node.column].push(node);
    }
    // Small columns leave what they do not need to the larger ones.
    let mut order: Vec<usize> = (0..columns.len()).filter(|column| !columns[*column].is_empty()).collect();
    order.sort_by_key(|column| (columns[*column].len(), *column));
    let (mut left, mut shares) = (cap, BTreeSet::new());
    for (done, column) in order.iter().enumerate() {
        let share = (left / (order.len() - done)).max(1).min(columns[*column].len());
        left = left.saturating_sub(share);
        shares.insert((*column, share));
    }
    let mut kept = Vec::with_capacity(cap);
    for (column, share) in shares {
        let mut nodes = core::mem::take(&mut columns[column]);
        if nodes.len() > share {
            nodes.sort_by(|a, b| rank(draft, a).cmp(&rank(draft, b)).then_with(|| by_name(draft, a, b)));
            let rest = nodes.split_off(share - 1);
            nodes.push(merge(draft, rest, column));
        }
        kept.append(&mut nodes);
    }
    kept
}

/// Trouble stays, then what stands for no object, then groups, for these stand for many.
fn rank(draft: &Draft<'_>, node: &Drawn) -> (bool, bool, bool) {
    let item = &draft.items[node.items[0]];
    (!item.state.is_trouble(), !item.kind.is_place(), node.items.len() < 2)
}

fn by_name(draft: &Draft<'_>, a: &Drawn, b: &Drawn) -> core::cmp::Ordering {
    let (a, b) = (&draft.items[a.items[0]], &draft.items[b.items[0]]);
    text::natural(&a.label, &b.label).then_with(|| a.reference.cmp(&b.reference))
}

fn merge(draft: &Draft<'_>, rest: Vec<Drawn>, column: usize) -> Drawn {
    let mut items: Vec<usize> = rest.into_iter().flat_map(|node| node.items).collect();
    items.sort_unstable();
    let key = Hash::new().bytes(b"rest").number(draft.columns[column].kind as u64).finish();
    Drawn { items, column, key, group: None, rest: true }
}
