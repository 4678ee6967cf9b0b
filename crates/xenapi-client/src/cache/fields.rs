//! Sets of fields, and what fields hold, without knowing the record's type.

use alloc::vec::Vec;
use core::fmt;

use xenapi_core::{Class, DateTime, Field, FieldDesc, Writer};

/// How many fields a set can tell apart. No class of the API has more; all behind count as one.
const MOST: usize = 192;

/// Some fields of a class, by their places in its descriptor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FieldSet([u64; MOST / 64]);

impl FieldSet {
    /// No field.
    pub const EMPTY: FieldSet = FieldSet([0; MOST / 64]);
    /// Every field, and whatever a newer server sends beside them.
    pub const ALL: FieldSet = FieldSet([u64::MAX; MOST / 64]);
    /// The place that stands for members that the schema does not know.
    const UNKNOWN: usize = MOST - 1;

    /// Whether the field at that place is one of them.
    pub fn contains(&self, at: usize) -> bool {
        let at = at.min(Self::UNKNOWN);
        self.0.get(at / 64).is_some_and(|word| word & (1 << (at % 64)) != 0)
    }

    /// Whether that field is one of them.
    pub fn has<C: Class, T: xenapi_core::Wire>(&self, field: impl Into<Field<C, T>>) -> bool {
        self.contains(field.into().index())
    }

    /// Whether members that the schema does not know are among them.
    pub fn has_unknown(&self) -> bool {
        self.contains(Self::UNKNOWN)
    }

    /// Puts the field at that place in.
    pub fn insert(&mut self, at: usize) {
        let at = at.min(Self::UNKNOWN);
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    pub(super) fn insert_unknown(&mut self) {
        self.insert(Self::UNKNOWN);
    }

    /// All that are in one or the other.
    #[must_use]
    pub fn union(mut self, other: FieldSet) -> FieldSet {
        for (word, more) in self.0.iter_mut().zip(other.0) {
            *word |= more;
        }
        self
    }

    /// Whether none is in it.
    pub fn is_empty(&self) -> bool {
        *self == Self::EMPTY
    }

    /// The places, from the first.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..Self::UNKNOWN).filter(|at| self.contains(*at))
    }

    /// The fields of a class that are in it.
    pub fn of(&self, class: &'static xenapi_core::RecordDesc) -> impl Iterator<Item = &'static FieldDesc> + '_ {
        class.fields.iter().enumerate().filter(|(at, _)| self.contains(*at)).map(|(_, field)| field)
    }
}

impl fmt::Debug for FieldSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ALL { f.write_str("all") } else { f.debug_set().entries(self.iter()).finish() }
    }
}

/// Writes values as bytes that are the same only for the same values. To compare fields of which only the record knows the type.
#[derive(Default)]
pub(super) struct Trace(Vec<u8>);

impl Trace {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn bytes_so_far(&self) -> &[u8] {
        &self.0
    }

    fn put(&mut self, kind: u8, bytes: &[u8]) {
        self.0.push(kind);
        self.0.extend_from_slice(&bytes.len().to_le_bytes());
        self.0.extend_from_slice(bytes);
    }
}

impl Writer for Trace {
    fn text(&mut self, text: &str) {
        self.put(0, text.as_bytes());
    }
    fn int(&mut self, number: i64) {
        self.put(1, &number.to_le_bytes());
    }
    fn int32(&mut self, number: i32) {
        self.put(2, &number.to_le_bytes());
    }
    fn bool(&mut self, truth: bool) {
        self.put(3, &[u8::from(truth)]);
    }
    fn double(&mut self, number: f64) {
        self.put(4, &number.to_bits().to_le_bytes());
    }
    fn date_time(&mut self, time: &DateTime) {
        self.put(5, alloc::string::ToString::to_string(time).as_bytes());
    }
    fn bytes(&mut self, bytes: &[u8]) {
        self.put(6, bytes);
    }
    fn nil(&mut self) {
        self.0.push(7);
    }
    fn begin_array(&mut self) {
        self.0.push(8);
    }
    fn end_array(&mut self) {
        self.0.push(9);
    }
    fn begin_struct(&mut self) {
        self.0.push(10);
    }
    fn member(&mut self, name: &str) {
        self.put(11, name.as_bytes());
    }
    fn end_struct(&mut self) {
        self.0.push(12);
    }
}

/// Hands on the texts in a value, be it one or an array of them: what a uuid or a reference is.
pub(super) struct Texts<'a>(pub(super) &'a mut dyn FnMut(&str));

impl Writer for Texts<'_> {
    fn text(&mut self, text: &str) {
        (self.0)(text);
    }
    fn int(&mut self, _: i64) {}
    fn int32(&mut self, _: i32) {}
    fn bool(&mut self, _: bool) {}
    fn double(&mut self, _: f64) {}
    fn date_time(&mut self, _: &DateTime) {}
    fn bytes(&mut self, _: &[u8]) {}
    fn nil(&mut self) {}
    fn begin_array(&mut self) {}
    fn end_array(&mut self) {}
    fn begin_struct(&mut self) {}
    /// References are keys where a map goes from them.
    fn member(&mut self, name: &str) {
        (self.0)(name);
    }
    fn end_struct(&mut self) {}
}
