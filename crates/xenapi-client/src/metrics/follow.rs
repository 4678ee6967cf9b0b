//! Asking for what is new, and putting it together.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use super::{Column, Owner, Query, Updates};

/// Follows the measurements of one host: says what to ask for, merges what came, and keeps a window of it.
///
/// Answers may overlap, come twice or in any order: a value counts for its time, and what is known is not replaced by NaN. When the host
/// chooses another step (because the start lies further back), the window begins anew.
#[derive(Clone, Debug)]
pub struct Follower {
    /// How long the window is, in seconds.
    span: i64,
    interval: u32,
    step: i64,
    times: VecDeque<i64>,
    index: BTreeMap<Column, usize>,
    /// One value a time each.
    columns: Vec<VecDeque<f64>>,
}

/// What a merge brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Merged {
    /// Times that were not known before.
    pub rows: usize,
    /// Columns that were not known before.
    pub columns: usize,
    /// Whether the host answered with another step, so that what was there before is gone.
    pub restarted: bool,
}

/// The values of one column.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    times: &'a VecDeque<i64>,
    values: &'a VecDeque<f64>,
    step: i64,
}

impl Follower {
    /// Keeps the last `span` seconds, in steps of at least `interval` seconds; 0 is the finest that reaches so far.
    pub fn new(span: u32, interval: u32) -> Self {
        Follower {
            span: i64::from(span),
            interval,
            step: 0,
            times: VecDeque::new(),
            index: BTreeMap::new(),
            columns: Vec::new(),
        }
    }

    /// What to ask for now: the whole window at first, then what follows the last row that is known.
    pub fn query(&self) -> Query {
        // Without a clock of its own, since the host's may differ. The last row comes again: it may have been half known.
        let start =
            self.times.back().copied().unwrap_or_else(|| Query::last(u32::try_from(self.span).unwrap_or(u32::MAX)).start);
        // Without an interval, a recent start would get finer steps than the window has.
        let interval = if self.step > 0 { u32::try_from(self.step).unwrap_or(self.interval) } else { self.interval };
        Query { start, interval, ..Query::last(0) }
    }

    /// Takes what came.
    pub fn merge(&mut self, updates: &Updates) -> Merged {
        let mut merged = Merged::default();
        if updates.step > 0 && updates.step != self.step {
            merged.restarted = self.step != 0;
            let empty = Follower { span: self.span, interval: self.interval, step: updates.step, ..Follower::new(0, 0) };
            *self = empty;
        }
        let places: Vec<usize> = updates.columns.iter().map(|column| self.place(column, &mut merged)).collect();
        for row in &updates.rows {
            let at = match self.times.binary_search(&row.time) {
                Ok(at) => at,
                Err(at) => {
                    self.times.insert(at, row.time);
                    self.columns.iter_mut().for_each(|column| column.insert(at, f64::NAN));
                    merged.rows += 1;
                    at
                }
            };
            for (place, value) in places.iter().zip(&row.values) {
                match self.columns.get_mut(*place).and_then(|column| column.get_mut(at)) {
                    Some(known) if !value.is_nan() => *known = *value,
                    _ => {}
                }
            }
        }
        self.trim();
        merged
    }

    fn place(&mut self, column: &Column, merged: &mut Merged) -> usize {
        if let Some(place) = self.index.get(column) {
            return *place;
        }
        merged.columns += 1;
        self.index.insert(column.clone(), self.columns.len());
        self.columns.push(self.times.iter().map(|_| f64::NAN).collect());
        self.columns.len() - 1
    }

    /// Lets go of what is older than the window, and of columns that hold nothing any more.
    fn trim(&mut self) {
        let Some(oldest) = self.times.back().map(|last| last.saturating_sub(self.span)) else { return };
        while self.times.front().is_some_and(|time| *time < oldest) {
            self.times.pop_front();
            for column in &mut self.columns {
                column.pop_front();
            }
        }
        let is_empty = |column: &VecDeque<f64>| column.iter().all(|value| value.is_nan());
        if self.columns.iter().any(is_empty) {
            let mut old: Vec<Option<VecDeque<f64>>> = core::mem::take(&mut self.columns).into_iter().map(Some).collect();
            let columns = &mut self.columns;
            self.index.retain(|_, place| match old.get_mut(*place).and_then(Option::take) {
                Some(column) if !is_empty(&column) => {
                    *place = columns.len();
                    columns.push(column);
                    true
                }
                _ => false,
            });
        }
    }

    /// Seconds between two rows; 0 before anything came.
    pub fn step(&self) -> i64 {
        self.step
    }

    /// The times of the rows, oldest first.
    pub fn times(&self) -> impl ExactSizeIterator<Item = i64> + '_ {
        self.times.iter().copied()
    }

    /// All columns in which something was measured within the window, ordered by object and name.
    pub fn columns(&self) -> impl Iterator<Item = (&Column, Series<'_>)> {
        self.index.iter().filter_map(|(column, place)| Some((column, self.at(*place)?)))
    }

    /// The columns of one object.
    pub fn of<'a>(&'a self, owner: Owner, uuid: &'a str) -> impl Iterator<Item = (&'a Column, Series<'a>)> {
        self.columns().filter(move |(column, _)| column.owner == owner && column.uuid == uuid)
    }

    /// One column.
    pub fn series(&self, column: &Column) -> Option<Series<'_>> {
        self.at(*self.index.get(column)?)
    }

    fn at(&self, place: usize) -> Option<Series<'_>> {
        Some(Series { times: &self.times, values: self.columns.get(place)?, step: self.step })
    }
}

impl<'a> Series<'a> {
    /// Time and value of each row, oldest first, NaN where nothing is known. A gap between rows is shown by one NaN a step behind its
    /// beginning, so that a line that is drawn breaks there.
    pub fn points(self) -> impl Iterator<Item = (i64, f64)> + 'a {
        let Series { times, values, step } = self;
        let known = times.iter().copied().zip(values.iter().copied());
        let mut last = None::<i64>;
        known.flat_map(move |(time, value)| {
            let broken = last.filter(|last| step > 0 && time - last > step).map(|last| (last + step, f64::NAN));
            last = Some(time);
            broken.into_iter().chain([(time, value)])
        })
    }

    /// The last value that is known, with its time.
    pub fn last(self) -> Option<(i64, f64)> {
        self.times.iter().copied().zip(self.values.iter().copied()).rfind(|(_, value)| !value.is_nan())
    }

    /// The mean of what is known, and the largest value.
    pub fn summary(self) -> Option<(f64, f64)> {
        let known = || self.values.iter().copied().filter(|value| value.is_finite());
        let count = known().count();
        #[expect(clippy::cast_precision_loss, reason = "windows have thousands of rows")]
        let mean = known().sum::<f64>() / count as f64;
        known().reduce(f64::max).map(|most| (mean, most))
    }
}
