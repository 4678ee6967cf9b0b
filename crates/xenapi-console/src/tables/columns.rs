//! Which columns are shown, in which order and how wide.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use super::spec::Spec;

/// A column that is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chosen {
    /// Its place among the columns of the kind.
    pub column: usize,
    /// Its width in pixels.
    pub width: u16,
}

/// The columns that are shown, from left to right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Columns(pub Vec<Chosen>);

/// Narrower is no column, wider no screen.
const WIDTHS: core::ops::RangeInclusive<u16> = 48..=900;

impl Columns {
    /// Those that the kind begins with.
    pub fn standard(spec: &Spec) -> Columns {
        let columns = spec.columns.iter().enumerate().filter(|(_, column)| column.shown);
        Columns(columns.map(|(at, column)| Chosen { column: at, width: column.width }).collect())
    }

    /// Reads `name,state.90,memory`: the columns, with the width of those that somebody changed. Without a column that exists, those
    /// that the kind begins with.
    pub fn parse(text: &str, spec: &Spec) -> Columns {
        let mut chosen: Vec<Chosen> = Vec::new();
        for word in text.split(',') {
            let (id, width) = word.split_once('.').map_or((word, None), |(id, width)| (id, width.parse::<u16>().ok()));
            let Some(column) = spec.column(id) else { continue };
            if chosen.iter().all(|it| it.column != column) {
                let width = width.unwrap_or(spec.columns[column].width);
                chosen.push(Chosen { column, width: width.clamp(*WIDTHS.start(), *WIDTHS.end()) });
            }
        }
        if chosen.is_empty() { Columns::standard(spec) } else { Columns(chosen) }
    }

    /// As in an address; none if they are those that the kind begins with.
    pub fn write(&self, spec: &Spec) -> Option<String> {
        if *self == Columns::standard(spec) {
            return None;
        }
        let mut text = String::new();
        for Chosen { column, width } in &self.0 {
            let column = &spec.columns[*column];
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(column.id);
            if *width != column.width {
                let _ = write!(text, ".{width}");
            }
        }
        Some(text)
    }

    /// Those that are shown.
    pub fn shown(&self) -> &[Chosen] {
        &self.0
    }

    /// How wide each of the shown columns is drawn where there is so much room: what is left of it goes to those that are cut off
    /// otherwise and whose width nobody has chosen, in proportion; without any, to the last.
    pub fn spread(&self, spec: &Spec, room: i64) -> Vec<i64> {
        let grows = |it: &Chosen| {
            let column = &spec.columns[it.column];
            column.shape.grows() && it.width == column.width
        };
        let sum = |it: &mut dyn Iterator<Item = &Chosen>| it.map(|it| i64::from(it.width)).sum::<i64>();
        let spare = (room - sum(&mut self.0.iter())).max(0);
        let whole = sum(&mut self.0.iter().filter(|it| grows(it)));
        let mut left = spare;
        let mut widths: Vec<i64> = Vec::with_capacity(self.0.len());
        for it in &self.0 {
            let more = if whole > 0 && grows(it) { spare * i64::from(it.width) / whole } else { 0 };
            left -= more;
            widths.push(i64::from(it.width) + more);
        }
        // What division leaves over, or all of it.
        let last = if whole > 0 { self.0.iter().rposition(grows) } else { self.0.len().checked_sub(1) };
        if let Some(width) = last.and_then(|at| widths.get_mut(at)) {
            *width += left;
        }
        widths
    }

    /// Whether a column is shown.
    pub fn has(&self, column: usize) -> bool {
        self.0.iter().any(|it| it.column == column)
    }

    /// Shows a column, or hides it. The last one stays.
    #[must_use]
    pub fn toggle(&self, column: usize, spec: &Spec) -> Columns {
        let mut chosen = self.0.clone();
        match chosen.iter().position(|it| it.column == column) {
            Some(_) if chosen.len() == 1 => {}
            Some(at) => drop(chosen.remove(at)),
            None => {
                // Where it stands among the columns of the kind, as far as these are in that order.
                let at = chosen.iter().rposition(|it| it.column < column).map_or(0, |at| at + 1);
                chosen.insert(at, Chosen { column, width: spec.columns[column].width });
            }
        }
        Columns(chosen)
    }

    /// Moves a column to the left or to the right by one.
    #[must_use]
    pub fn shift(&self, column: usize, right: bool) -> Columns {
        let mut chosen = self.0.clone();
        if let Some(at) = chosen.iter().position(|it| it.column == column) {
            let to = if right { (at + 1).min(chosen.len() - 1) } else { at.saturating_sub(1) };
            chosen.swap(at, to);
        }
        Columns(chosen)
    }

    /// Makes a column that wide, within reason.
    #[must_use]
    pub fn resize(&self, column: usize, width: i32) -> Columns {
        let width =
            u16::try_from(width.clamp(i32::from(*WIDTHS.start()), i32::from(*WIDTHS.end()))).unwrap_or(*WIDTHS.start());
        let resized = self.0.iter().map(|it| if it.column == column { Chosen { width, ..*it } } else { *it });
        Columns(resized.collect())
    }
}
