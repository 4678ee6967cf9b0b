//! The last crossings: cells try other places in their columns, one after the other, and stay where fewest lines cross.

use alloc::vec;
use alloc::vec::Vec;

use crate::order::Ranks;

/// How often all columns are gone through.
const ROUNDS: usize = 8;

/// About how many comparisons of neighbours may be made: more is not worth the wait.
const EFFORT: usize = 1_500_000;

/// Moves cells until nothing gets better. The column `still` keeps its order.
pub(crate) fn sift(ranks: &mut Ranks, still: Option<usize>) {
    let mut place = vec![0u32; ranks.cells.len()];
    for column in &ranks.order {
        number(column, &mut place);
    }
    let mut effort = EFFORT;
    let mut near = Near::new(ranks);
    for _ in 0..ROUNDS {
        let mut better = false;
        for column in (0..ranks.order.len()).filter(|column| Some(*column) != still) {
            let mut order = core::mem::take(&mut ranks.order[column]);
            near.sort(&order, &place);
            better |= improve(&mut order, &near, &mut effort);
            number(&order, &mut place);
            ranks.order[column] = order;
            if effort == 0 {
                return;
            }
        }
        if !better {
            return;
        }
    }
}

fn number(column: &[usize], place: &mut [u32]) {
    for (at, cell) in (0..).zip(column) {
        place[*cell] = at;
    }
}

/// The places of what each cell hangs on, on the left and on the right, in order.
struct Near {
    left: Vec<Vec<u32>>,
    right: Vec<Vec<u32>>,
    cells: [Vec<Vec<usize>>; 2],
}

impl Near {
    fn new(ranks: &Ranks) -> Self {
        let only = |side: &[Vec<(usize, f64)>]| -> Vec<Vec<usize>> {
            side.iter().map(|near| near.iter().map(|(cell, _)| *cell).collect()).collect()
        };
        let (left, right) = (only(&ranks.left), only(&ranks.right));
        Near { left: vec![Vec::new(); left.len()], right: vec![Vec::new(); right.len()], cells: [left, right] }
    }

    fn sort(&mut self, order: &[usize], place: &[u32]) {
        for cell in order {
            for (side, cells) in [&mut self.left, &mut self.right].into_iter().zip(&self.cells) {
                let places = &mut side[*cell];
                places.clear();
                places.extend(cells[*cell].iter().map(|near| place[*near]));
                places.sort_unstable();
            }
        }
    }

    /// How many crossings go away if the first of two cells above each other goes below the other.
    fn gain(&self, above: usize, below: usize) -> i64 {
        swap_gain(&self.left[above], &self.left[below]) + swap_gain(&self.right[above], &self.right[below])
    }

    fn degree(&self, cell: usize) -> usize {
        self.left[cell].len() + self.right[cell].len()
    }
}

/// Crossings of lines from a cell above to places `a` and from one below to places `b`, less those after a swap.
fn swap_gain(a: &[u32], b: &[u32]) -> i64 {
    let (mut greater, mut less) = (0i64, 0i64);
    let (mut low, mut high) = (0, 0);
    for place in a {
        while low < b.len() && b[low] < *place {
            low += 1;
        }
        while high < b.len() && b[high] <= *place {
            high += 1;
        }
        greater += low as i64;
        less += (b.len() - high) as i64;
    }
    greater - less
}

fn improve(order: &mut Vec<usize>, near: &Near, effort: &mut usize) -> bool {
    let cells = order.clone();
    let mut better = false;
    for cell in cells {
        let Some(from) = order.iter().position(|at| *at == cell) else { continue };
        let (mut best, mut most) = (from, 0);
        let mut gain = 0;
        for (at, other) in order.iter().enumerate().skip(from + 1) {
            if !spend(effort, near.degree(cell) + near.degree(*other)) {
                break;
            }
            gain += near.gain(cell, *other);
            if gain > most {
                (best, most) = (at, gain);
            }
        }
        gain = 0;
        for (at, other) in order[..from].iter().enumerate().rev() {
            if !spend(effort, near.degree(cell) + near.degree(*other)) {
                break;
            }
            gain += near.gain(*other, cell);
            if gain > most {
                (best, most) = (at, gain);
            }
        }
        if best != from {
            order.remove(from);
            order.insert(best, cell);
            better = true;
        }
    }
    better
}

/// Takes from what effort is left; false if there is none.
fn spend(effort: &mut usize, cost: usize) -> bool {
    *effort = effort.saturating_sub(cost + 1);
    *effort > 0
}

#[cfg(test)]
mod tests {
    use super::swap_gain;

    #[test]
    fn a_swap_gains_what_crossed() {
        assert_eq!(swap_gain(&[1], &[0]), 1);
        assert_eq!(swap_gain(&[0], &[1]), -1);
        assert_eq!(swap_gain(&[1], &[1]), 0);
        assert_eq!(swap_gain(&[0, 3], &[1, 2]), 0);
        assert_eq!(swap_gain(&[2, 3], &[0, 1, 4]), 2);
    }
}
