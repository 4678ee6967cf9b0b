//! What a table of each kind has: its columns, and the classes that they are made of.

use crate::object::Icon;
use crate::route::Kind;
use crate::text::{Plural, Text};

/// What the cells of a column hold, which says how they are compared and aligned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// The name of the row's own object.
    Name,
    /// A state of the one vocabulary, or a word with the shape of one.
    State,
    /// Text.
    Text,
    /// Text that machines made: uuids, MAC addresses.
    Code,
    /// Other objects.
    Links,
    /// Several words.
    List,
    /// A number.
    Count,
    /// Bytes.
    Bytes,
    /// A share of a whole.
    Share,
    /// How far something is, as a share of the whole.
    Progress,
    /// Megabits per second.
    Speed,
    /// A point in time.
    Date,
    /// A span of time.
    Span,
    /// Yes or no.
    Truth,
}

impl Shape {
    /// Whether more room is of use to it: names and texts are cut off, numbers never are.
    pub fn grows(self) -> bool {
        matches!(self, Shape::Name | Shape::Text | Shape::Code | Shape::Links | Shape::List)
    }

    /// Whether it stands at the end of its cell, as numbers do.
    pub fn is_number(self) -> bool {
        matches!(self, Shape::Count | Shape::Bytes | Shape::Share | Shape::Progress | Shape::Speed | Shape::Span)
    }
}

/// A column.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Column {
    /// Its word in addresses and in the query language.
    pub id: &'static str,
    /// Its heading.
    pub title: Text,
    /// What it holds.
    pub shape: Shape,
    /// Its width in pixels before somebody changes it.
    pub width: u16,
    /// Whether it is shown before somebody chooses.
    pub shown: bool,
}

/// A column that is shown.
pub(super) const fn col(id: &'static str, title: Text, shape: Shape, width: u16) -> Column {
    Column { id, title, shape, width, shown: true }
}

/// A column that waits to be chosen.
pub(super) const fn more(id: &'static str, title: Text, shape: Shape, width: u16) -> Column {
    Column { id, title, shape, width, shown: false }
}

/// What a table of a kind has.
#[derive(Debug)]
pub struct Spec {
    /// The kind.
    pub kind: Kind,
    /// What its objects are called, several of them.
    pub title: Text,
    /// How many there are.
    pub counted: Plural,
    /// The picture of its objects.
    pub icon: Icon,
    /// What its test ids begin with.
    pub testid: &'static str,
    /// Its columns, in the order in which they are shown first.
    pub columns: &'static [Column],
    /// The classes that its rows are made of; a change of any other leaves them alone.
    pub classes: &'static [&'static str],
    /// Columns whose values are offered as chips with counts, the first of them always in sight.
    pub facets: &'static [&'static str],
    /// The order before somebody chooses, as in an address.
    pub sort: &'static str,
    /// On a phone: the two columns of the second line.
    pub narrow: [&'static str; 2],
    /// Queries that show what one can ask of it, separated by commas.
    pub example: &'static str,
    /// What to do where there are none.
    pub none: Text,
}

impl PartialEq for Spec {
    /// There is one of each kind.
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Spec {
    /// The place of a column, by its word.
    pub fn column(&self, id: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.id.eq_ignore_ascii_case(id))
    }

    /// What a table of that kind has.
    pub fn of(kind: Kind) -> &'static Spec {
        super::kinds::spec(kind)
    }
}
