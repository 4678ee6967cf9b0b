//! Which rows of a table are chosen, and where the keyboard is.

use alloc::collections::BTreeSet;
use alloc::rc::Rc;

use xenapi_core::RawRef;

use super::rows::Row;

/// The chosen rows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Selection {
    /// The rows, by their references.
    pub chosen: BTreeSet<RawRef>,
    /// The row on which the keyboard is.
    pub cursor: Option<RawRef>,
    /// Where a range begins.
    anchor: Option<RawRef>,
}

/// A step of the keyboard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Move {
    /// So many rows up or down.
    By(isize),
    /// To the first row.
    First,
    /// To the last row.
    Last,
}

impl Selection {
    /// Where the keyboard is among the rows; none if its row is not shown.
    pub fn at(&self, rows: &[Rc<Row>]) -> Option<usize> {
        let cursor = self.cursor.as_ref()?;
        rows.iter().position(|row| row.object.reference == *cursor)
    }

    /// Whether a row is chosen.
    pub fn has(&self, reference: &RawRef) -> bool {
        self.chosen.contains(reference)
    }

    /// One row alone.
    #[must_use]
    pub fn one(reference: &RawRef) -> Selection {
        Selection { chosen: [reference.clone()].into(), cursor: Some(reference.clone()), anchor: Some(reference.clone()) }
    }

    /// Adds a row to the chosen ones, or takes it out.
    #[must_use]
    pub fn toggle(mut self, reference: &RawRef) -> Selection {
        if !self.chosen.remove(reference) {
            self.chosen.insert(reference.clone());
        }
        self.cursor = Some(reference.clone());
        self.anchor = Some(reference.clone());
        self
    }

    /// The rows from where the range began to this one.
    #[must_use]
    pub fn extend(mut self, reference: &RawRef, rows: &[Rc<Row>]) -> Selection {
        let place = |reference: &RawRef| rows.iter().position(|row| row.object.reference == *reference);
        let Some(to) = place(reference) else { return self };
        let from = self.anchor.as_ref().or(self.cursor.as_ref()).and_then(place).unwrap_or(to);
        let range = from.min(to)..=from.max(to);
        self.chosen = rows[range].iter().map(|row| row.object.reference.clone()).collect();
        self.anchor = rows.get(from).map(|row| row.object.reference.clone());
        self.cursor = Some(reference.clone());
        self
    }

    /// Moves the keyboard; with `extend` the range goes with it, otherwise the row becomes the chosen one.
    #[must_use]
    pub fn step(self, step: Move, extend: bool, rows: &[Rc<Row>]) -> Selection {
        let Some(last) = rows.len().checked_sub(1) else { return self };
        let at = self.at(rows);
        let to = match (step, at) {
            (Move::First, _) => 0,
            (Move::Last, _) => last,
            // The first step goes to where the keyboard would be.
            (Move::By(_), None) => 0,
            (Move::By(by), Some(at)) => at.saturating_add_signed(by).min(last),
        };
        let reference = &rows[to].object.reference;
        if extend { self.extend(reference, rows) } else { Selection::one(reference) }
    }

    /// All rows.
    #[must_use]
    pub fn all(self, rows: &[Rc<Row>]) -> Selection {
        Selection { chosen: rows.iter().map(|row| row.object.reference.clone()).collect(), ..self }
    }

    /// No row; the keyboard stays where it is.
    #[must_use]
    pub fn none(self) -> Selection {
        Selection { chosen: BTreeSet::new(), anchor: None, ..self }
    }

    /// The rows to copy: the chosen ones as they are shown, or all if none is chosen.
    pub fn of<'a>(&'a self, rows: &'a [Rc<Row>]) -> impl Iterator<Item = &'a Rc<Row>> {
        let is_any = rows.iter().any(|row| self.has(&row.object.reference));
        rows.iter().filter(move |row| !is_any || self.has(&row.object.reference))
    }
}
