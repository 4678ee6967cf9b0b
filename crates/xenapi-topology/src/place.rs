//! How high every cell stands: near what it hangs on, in the column's order, without overlap.

use alloc::vec;
use alloc::vec::Vec;

use crate::order::{Cell, Ranks};

/// What a cell wants.
struct Wish {
    /// The middle it would like.
    middle: f64,
    /// How much.
    weight: f64,
}

/// Answers the middle of every cell, in pixels from the first cell's upper border, on a grid of half pixels.
pub(crate) fn place(ranks: &Ranks, heights: &[f64], gap: f64) -> Vec<f64> {
    let offsets: Vec<Vec<f64>> = ranks.order.iter().map(|column| stack(ranks, column, heights, gap)).collect();
    let mut middle = vec![0.0; ranks.cells.len()];
    for (column, offsets) in ranks.order.iter().zip(&offsets) {
        column.iter().zip(offsets).for_each(|(cell, offset)| middle[*cell] = *offset);
    }
    let extent = |column: usize| offsets[column].last().copied().unwrap_or(0.0);
    // The longest column stands still and the others arrange themselves around it.
    let mut still = 0;
    for column in 1..ranks.order.len() {
        if extent(column) > extent(still) {
            still = column;
        }
    }
    let mut placed = vec![false; ranks.order.len()];
    if let Some(first) = placed.get_mut(still) {
        *first = true;
    }
    let outward: Vec<usize> = (still + 1..ranks.order.len()).chain((0..still).rev()).collect();
    for _ in 0..3 {
        for &column in &outward {
            settle(ranks, column, &offsets[column], &placed, &mut middle);
            placed[column] = true;
        }
    }
    let top = ranks.order.iter().filter_map(|column| column.first()).map(|cell| middle[*cell] - heights[*cell] / 2.0);
    let top = top.fold(f64::INFINITY, f64::min);
    middle.iter_mut().for_each(|middle| *middle -= if top.is_finite() { top } else { 0.0 });
    middle
}

/// The middles of a column's cells when they stand as close as they may.
fn stack(ranks: &Ranks, column: &[usize], heights: &[f64], gap: f64) -> Vec<f64> {
    let mut bottom = 0.0;
    let mut offsets = Vec::with_capacity(column.len());
    let mut last: Option<usize> = None;
    for &cell in column {
        if let Some(last) = last {
            bottom += between(ranks, last, cell, gap);
        }
        offsets.push(bottom + heights[cell] / 2.0);
        bottom += heights[cell];
        last = Some(cell);
    }
    offsets
}

/// The room between two cells: more between families than within one, less beside a lane.
fn between(ranks: &Ranks, above: usize, below: usize, gap: f64) -> f64 {
    if matches!(ranks.cells[above], Cell::Lane) || matches!(ranks.cells[below], Cell::Lane) {
        return gap;
    }
    let parent = |cell: usize| match ranks.left[cell].as_slice() {
        [(only, _)] => Some(*only),
        _ => None,
    };
    let has_children = |cell: usize| ranks.right[cell].iter().filter(|(_, weight)| *weight >= 1.0).count() > 1;
    match (parent(above), parent(below)) {
        (Some(a), Some(b)) if a != b && (has_children(a) || has_children(b)) => gap * 2.5,
        _ => gap,
    }
}

/// Moves a column's cells as near as possible to the middle of what they hang on in the columns placed so far: the least
/// sum of squared distances, by pooling neighbours that would overlap.
fn settle(ranks: &Ranks, column: usize, offsets: &[f64], placed: &[bool], middle: &mut [f64]) {
    struct Block {
        wish: Wish,
        cells: usize,
    }
    let mut blocks: Vec<Block> = Vec::new();
    for (cell, offset) in ranks.order[column].iter().zip(offsets) {
        let mut wish = wish(ranks, *cell, placed, middle);
        wish.middle -= offset;
        let mut block = Block { wish, cells: 1 };
        while let Some(last) = blocks.pop_if(|last| last.wish.middle >= block.wish.middle) {
            let weight = last.wish.weight + block.wish.weight;
            let middle = (last.wish.middle * last.wish.weight + block.wish.middle * block.wish.weight) / weight;
            block = Block { wish: Wish { middle, weight }, cells: last.cells + block.cells };
        }
        blocks.push(block);
    }
    let starts = blocks.iter().flat_map(|block| core::iter::repeat_n(block.wish.middle, block.cells));
    for ((cell, offset), start) in ranks.order[column].iter().zip(offsets).zip(starts) {
        middle[*cell] = half(start) + offset;
    }
}

fn wish(ranks: &Ranks, cell: usize, placed: &[bool], middle: &[f64]) -> Wish {
    let near = || ranks.left[cell].iter().chain(&ranks.right[cell]).filter(|(other, _)| placed[ranks.column_of[*other]]);
    // What matters little pulls only where nothing else does.
    let least = if near().any(|(_, weight)| *weight >= 1.0) { 1.0 } else { 0.0 };
    let (sum, weight) = near()
        .filter(|(_, weight)| *weight >= least)
        .fold((0.0, 0.0), |(sum, all), (other, weight)| (sum + middle[*other] * weight, all + weight));
    // Straight lanes are worth more than anything: a bent edge catches the eye.
    let worth = if matches!(ranks.cells[cell], Cell::Lane) { 4.0 } else { 1.0 };
    if weight > 0.0 {
        Wish { middle: sum / weight, weight: weight * worth }
    } else {
        Wish { middle: middle[cell], weight: 0.001 }
    }
}

/// Rounds down to half a pixel, so that sums are exact and nothing overlaps by rounding.
fn half(value: f64) -> f64 {
    let doubled = value * 2.0;
    let whole = doubled as i64 as f64;
    (if whole > doubled { whole - 1.0 } else { whole }) / 2.0
}
