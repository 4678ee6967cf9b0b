//! The order of nodes within their columns: few crossings, and the same order for the same graph.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use crate::graph::{ColumnKind, Graph, NodeKind};

/// What takes room in a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cell {
    /// A node, by its place in the graph.
    Node(usize),
    /// Where edges from the same node pass by together.
    Lane,
}

/// A piece of an edge between cells of neighbouring columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) weight: f64,
}

/// Where the sweeps begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Start {
    Anchor,
    Left,
    Right,
}

impl Start {
    const ALL: [Start; 3] = [Start::Anchor, Start::Left, Start::Right];
}

/// Columns of at most so many cells exchange neighbours.
const FEW_CELLS: usize = 24;

/// How many exchanges are tried, times the number of pieces that each of them moves.
const TRIALS: usize = 12_000;

/// Above so many pieces of lines one beginning has to do: nobody follows single lines then, and everybody waits.
const MANY_PIECES: usize = 3_000;

/// Nodes and lanes by column.
pub(crate) struct Ranks {
    pub(crate) cells: Vec<Cell>,
    pub(crate) column_of: Vec<usize>,
    /// The cells of each column from the top.
    pub(crate) order: Vec<Vec<usize>>,
    pub(crate) pieces: Vec<Piece>,
    /// The cells on the left and on the right of each cell, beside the weight.
    pub(crate) left: Vec<Vec<(usize, f64)>>,
    pub(crate) right: Vec<Vec<(usize, f64)>>,
    /// For each edge the cells that it goes through, from the left.
    pub(crate) routes: Vec<Vec<usize>>,
    /// The cells that stand at the end of their column, by name.
    pub(crate) last: Vec<bool>,
}

/// How often the columns are gone through. Few sweeps suffice, and each could move what stood well.
const SWEEPS: usize = 8;

impl Ranks {
    /// Splits edges at the columns that they pass, and orders every column.
    pub(crate) fn new(graph: &Graph) -> Ranks {
        let mut cells: Vec<Cell> = (0..graph.nodes.len()).map(Cell::Node).collect();
        let mut column_of: Vec<usize> = graph.nodes.iter().map(|node| node.column).collect();
        let (mut pieces, mut routes) = (Vec::new(), Vec::with_capacity(graph.edges.len()));
        let mut lanes: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for edge in &graph.edges {
            let (from, to) = leftmost_first(graph, edge.from, edge.to);
            // What matters little bends nothing else.
            let weight = if edge.quiet { 0.05 } else { 1.0 + f64::from(edge.weight.min(1 << 20).ilog2()) };
            let mut route = vec![from];
            for column in graph.nodes[from].column + 1..graph.nodes[to].column {
                let lane = *lanes.entry((from, column)).or_insert_with(|| {
                    cells.push(Cell::Lane);
                    column_of.push(column);
                    cells.len() - 1
                });
                route.push(lane);
            }
            route.push(to);
            if graph.nodes[from].column != graph.nodes[to].column {
                pieces.extend(route.windows(2).map(|ends| Piece { from: ends[0], to: ends[1], weight }));
            }
            routes.push(route);
        }
        let (mut left, mut right) = (vec![Vec::new(); cells.len()], vec![Vec::new(); cells.len()]);
        for piece in &pieces {
            right[piece.from].push((piece.to, piece.weight));
            left[piece.to].push((piece.from, piece.weight));
        }
        let mut order = vec![Vec::new(); graph.columns.len()];
        for (cell, column) in column_of.iter().enumerate() {
            order[*column].push(cell);
        }
        // What hangs on nothing, disks that no VM has, and CDs.
        let is_disk = |cell: usize| graph.columns[column_of[cell]].kind == ColumnKind::Vdis;
        let is_iso = |cell: usize| matches!(cells[cell], Cell::Node(at) if graph.nodes[at].kind == NodeKind::Iso);
        let hangs = |cell: usize| !left[cell].is_empty() || !(right[cell].is_empty() || is_disk(cell));
        let last = (0..cells.len()).map(|cell| !hangs(cell) || is_iso(cell)).collect();
        let mut ranks = Ranks { cells, column_of, order, pieces, left, right, routes, last };
        let anchor = anchor(graph);
        // Where hosts are folded their names tell no order any more.
        let is_folded = graph.nodes.iter().any(|node| node.column == anchor && node.is_group());
        ranks.arrange(anchor, (!is_folded).then_some(anchor));
        ranks
    }

    /// Orders all columns, from several beginnings where the first one leaves crossings: the fewest crossings win, the first of equals.
    fn arrange(&mut self, anchor: usize, still: Option<usize>) {
        if self.order.len() < 2 {
            return;
        }
        for column in &mut self.order {
            column.sort_by_key(|cell| self.last[*cell]);
        }
        let by_name = self.order.clone();
        let mut best: Option<(u64, Vec<Vec<usize>>)> = None;
        for start in Start::ALL {
            self.order.clone_from(&by_name);
            self.sweep(anchor, start);
            if self.crossings() > 0 {
                crate::sift::sift(self, still);
            }
            let crossings = self.crossings();
            if best.as_ref().is_none_or(|(fewest, _)| crossings < *fewest) {
                best = Some((crossings, core::mem::take(&mut self.order)));
            }
            let enough = best.as_ref().is_some_and(|(fewest, _)| *fewest == 0);
            if enough || self.pieces.len() > MANY_PIECES {
                break;
            }
        }
        if let Some((_, order)) = best {
            self.order = order;
        }
        self.exchange(still);
    }

    /// In columns of few cells neighbours change places, and all others follow them: what hangs together moves together, which it never
    /// does cell by cell.
    fn exchange(&mut self, still: Option<usize>) {
        let mut fewest = self.crossings();
        let few = |column: &usize| (2..=FEW_CELLS).contains(&self.order[*column].len());
        let columns: Vec<usize> = (0..self.order.len()).filter(|at| Some(*at) != still).filter(few).collect();
        let mut trials = TRIALS / self.pieces.len().max(1);
        let mut place = vec![0.0; self.cells.len()];
        for column in columns {
            for above in 0..self.order[column].len() - 1 {
                if fewest == 0 || trials == 0 {
                    return;
                }
                let cells = &self.order[column];
                if self.last[cells[above]] != self.last[cells[above + 1]] {
                    continue;
                }
                trials -= 1;
                let before = self.order.clone();
                self.order[column].swap(above, above + 1);
                self.follow(column, still, &mut place);
                crate::sift::sift(self, still);
                let crossings = self.crossings();
                if crossings < fewest {
                    fewest = crossings;
                } else {
                    self.order = before;
                }
            }
        }
    }

    /// Sorts all other columns by what they hang on, outward from one, and on its left back again.
    fn follow(&mut self, column: usize, still: Option<usize>, place: &mut [f64]) {
        (0..self.order.len()).for_each(|at| self.number(at, place));
        let free = |at: &usize| Some(*at) != still;
        (0..column).rev().filter(free).for_each(|at| self.sort(at, false, place));
        (1..column).filter(free).for_each(|at| self.sort(at, true, place));
        (column + 1..self.order.len()).filter(free).for_each(|at| self.sort(at, true, place));
    }

    /// Goes through the columns to and fro, sorting each by what its cells hang on.
    fn sweep(&mut self, anchor: usize, start: Start) {
        let columns = self.order.len();
        let mut place = vec![0.0; self.cells.len()];
        (0..columns).for_each(|column| self.number(column, &mut place));
        match start {
            // Outward from the column whose names people know.
            Start::Anchor => {
                (anchor + 1..columns).for_each(|column| self.sort(column, true, &mut place));
                (0..anchor).rev().for_each(|column| self.sort(column, false, &mut place));
            }
            Start::Left => (1..columns).filter(|column| *column != anchor).for_each(|at| self.sort(at, true, &mut place)),
            Start::Right => {
                (0..columns - 1).rev().filter(|column| *column != anchor).for_each(|at| self.sort(at, false, &mut place));
            }
        }
        let (mut best, mut fewest) = (self.order.clone(), self.crossings());
        // The anchor keeps its order: whoever looks for a name finds it where names are looked for.
        for sweep in 0..SWEEPS {
            if fewest == 0 {
                break;
            }
            if (sweep % 2 == 0) == (start != Start::Left) {
                (1..columns).filter(|column| *column != anchor).for_each(|column| self.sort(column, true, &mut place));
            } else {
                (0..columns - 1)
                    .rev()
                    .filter(|column| *column != anchor)
                    .for_each(|column| self.sort(column, false, &mut place));
            }
            let crossings = self.crossings();
            if crossings < fewest {
                (best, fewest) = (self.order.clone(), crossings);
            }
        }
        self.order = best;
    }

    /// Writes down where the cells of a column are, from 0 at the top to 1.
    fn number(&self, column: usize, place: &mut [f64]) {
        let count = self.order[column].len() as f64;
        for (at, cell) in self.order[column].iter().enumerate() {
            place[*cell] = (at as f64 + 0.5) / count;
        }
    }

    /// Sorts a column by the middle of what its cells hang on, on one side. Ties are broken by name and reference, which is
    /// the order of the nodes in the graph.
    fn sort(&mut self, column: usize, by_left: bool, place: &mut [f64]) {
        let side = if by_left { &self.left } else { &self.right };
        let mut keys: Vec<(bool, f64, usize)> = self.order[column]
            .iter()
            .map(|cell| {
                let near = &side[*cell];
                let weight: f64 = near.iter().map(|(_, weight)| weight).sum();
                let middle = near.iter().map(|(other, weight)| place[*other] * weight).sum::<f64>() / weight;
                let last = self.last[*cell];
                (last, if near.is_empty() || last { place[*cell] } else { middle }, *cell)
            })
            .collect();
        keys.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.total_cmp(&b.1)).then_with(|| a.2.cmp(&b.2)));
        self.order[column] = keys.into_iter().map(|(_, _, cell)| cell).collect();
        self.number(column, place);
    }

    /// How often pieces cross.
    fn crossings(&self) -> u64 {
        let mut position = vec![0; self.cells.len()];
        for column in &self.order {
            column.iter().enumerate().for_each(|(at, cell)| position[*cell] = at);
        }
        let mut of_column: Vec<Vec<(usize, usize)>> = vec![Vec::new(); self.order.len()];
        for piece in &self.pieces {
            of_column[self.column_of[piece.from]].push((position[piece.from], position[piece.to]));
        }
        let count = |(column, mut ends): (usize, Vec<(usize, usize)>)| {
            ends.sort_unstable();
            inversions(&ends, self.order.get(column + 1).map_or(0, Vec::len))
        };
        of_column.into_iter().enumerate().map(count).sum()
    }
}

/// How many pairs, sorted by their first number, are in the wrong order by their second.
fn inversions(ends: &[(usize, usize)], size: usize) -> u64 {
    // A Fenwick tree of how many ends were seen up to each position.
    let mut tree = vec![0u64; size + 1];
    let mut crossings = 0;
    for (seen, (_, to)) in ends.iter().enumerate() {
        let mut above = 0;
        let mut at = to + 1;
        while at > 0 {
            above += tree[at];
            at &= at - 1;
        }
        crossings += seen as u64 - above;
        at = to + 1;
        while at <= size {
            tree[at] += 1;
            at += at & at.wrapping_neg();
        }
    }
    crossings
}

/// The ends of an edge, the one in the column further left first.
pub(crate) fn leftmost_first(graph: &Graph, from: usize, to: usize) -> (usize, usize) {
    if graph.nodes[to].column < graph.nodes[from].column { (to, from) } else { (from, to) }
}

/// The column from which the order of the others follows: hosts, as everybody knows their names.
fn anchor(graph: &Graph) -> usize {
    graph.columns.iter().position(|column| column.kind == ColumnKind::Hosts).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::inversions;

    #[test]
    fn crossings_are_counted() {
        assert_eq!(inversions(&[(0, 0), (1, 1)], 2), 0);
        assert_eq!(inversions(&[(0, 1), (1, 0)], 2), 1);
        // Ends at the same place do not cross.
        assert_eq!(inversions(&[(0, 0), (0, 1), (1, 1), (2, 1)], 2), 0);
        assert_eq!(inversions(&[(0, 2), (1, 1), (2, 0)], 3), 3);
    }
}
