//! Classes as types, and their records.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Debug};

use crate::descriptor::{ClassDesc, FieldDesc, RecordDesc, Type};
use crate::error::ReadError;
use crate::reference::is_null;
use crate::secret::{REDACTED, is_secret_key};
use crate::tree::ValueWriter;
use crate::value::{Kind, Value};
use crate::wire::{Reader, Scalar, Start, Wire, Writer};

/// A class of the API, as a type without values: what `VM` in `Ref<VM>` is.
pub trait Class: Copy + Debug + 'static {
    /// Its record.
    type Record: Record<Class = Self>;
    /// Everything that is known about it.
    const DESC: &'static ClassDesc;
    /// Its name and its fields. Who needs no more names this one, and stays small.
    const RECORD: &'static RecordDesc;
}

/// The record of a class: all fields of an object at one moment.
pub trait Record: Wire + Clone + Debug + Default + PartialEq + Send + Sync + 'static {
    /// The class.
    type Class: Class<Record = Self>;
    /// The class's name and fields.
    const DESC: &'static RecordDesc = <Self::Class as Class>::RECORD;

    /// Reads one field, by its place in [`RecordDesc::fields`].
    ///
    /// # Errors
    /// When the value has another type, or the document is broken.
    fn read_field(&mut self, at: usize, reader: &mut dyn Reader) -> Result<(), ReadError>;

    /// Writes one field, by its place in [`RecordDesc::fields`].
    fn write_field(&self, at: usize, writer: &mut dyn Writer);

    /// What came beside the known fields.
    fn rest(&self) -> &Rest;

    /// What came beside the known fields.
    fn rest_mut(&mut self) -> &mut Rest;

    /// The fields that the server did not send, which hold their defaults.
    fn missing(&self) -> impl Iterator<Item = &'static FieldDesc> {
        self.rest().missing.iter().map(|at| &Self::DESC.fields[usize::from(*at)])
    }

    /// Whether the server sent a value for that field.
    fn has(&self, field: &str) -> bool {
        Self::DESC
            .field_index(field)
            .is_some_and(|at| !self.rest().missing.iter().any(|missing| usize::from(*missing) == at))
    }
}

/// What a record's document held beside the fields that the schema knows, and what it lacked.
#[derive(Clone, PartialEq, Default)]
pub struct Rest {
    /// Members that the schema does not know: the server is newer, or older. Written back at the end.
    pub unknown: Vec<(String, Value)>,
    /// Places of the fields that did not come.
    missing: Vec<u16>,
    /// Places of the fields whose null reference came as empty text, to be written back like that.
    blank: Vec<u16>,
    /// How often a member came again. The last one counts.
    pub repeated: u32,
}

impl fmt::Debug for Rest {
    /// Of the members that the schema does not know, those that [look like](is_secret_key) a secret without their values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |(name, value): &(String, Value)| {
            (name.clone(), if is_secret_key(name) { Value::from(REDACTED) } else { value.clone() })
        };
        let unknown: Vec<(String, Value)> = self.unknown.iter().map(show).collect();
        f.debug_struct("Rest")
            .field("unknown", &unknown)
            .field("missing", &self.missing)
            .field("blank", &self.blank)
            .field("repeated", &self.repeated)
            .finish()
    }
}

impl Rest {
    /// Reads the reference at that place, which may be null, and notes if its null is empty text. Only records call this.
    ///
    /// # Errors
    /// When the value is no reference, or the document is broken.
    #[doc(hidden)]
    pub fn read_nullable<C: Class>(&mut self, at: u16, reader: &mut dyn Reader) -> Result<Option<crate::Ref<C>>, ReadError> {
        if !self.blank.is_empty() {
            self.blank.retain(|blank| *blank != at);
        }
        let error = match reader.start()? {
            // Most references are null, so nothing is allocated for those.
            Start::Scalar(Scalar::Text(text)) if is_null(&text) => {
                if text.is_empty() {
                    self.blank.push(at);
                }
                return Ok(None);
            }
            Start::Scalar(Scalar::Text(text)) => return Ok(Some(crate::Ref::new(&*text))),
            Start::Scalar(Scalar::Nil) => return Ok(None),
            Start::Scalar(found) => ReadError::mismatch("a reference", found.describe()),
            Start::Array => pass_mismatch(reader, Kind::Array)?,
            Start::Struct => pass_mismatch(reader, Kind::Struct)?,
        };
        Err(reader.place(error, None))
    }

    /// Takes over what another one noted while the fields were read. Only records call this.
    #[doc(hidden)]
    pub fn take_notes(&mut self, other: &mut Rest) {
        self.blank = core::mem::take(&mut other.blank);
    }

    fn is_blank(&self, at: usize) -> bool {
        self.blank.iter().any(|blank| usize::from(*blank) == at)
    }
}

/// Passes over the array or struct that was entered where a reference is due, and says so.
#[cold]
fn pass_mismatch(reader: &mut dyn Reader, kind: Kind) -> Result<ReadError, ReadError> {
    // Placed before it is passed over: afterwards the reader is elsewhere.
    let offset = reader.offset();
    let error = reader.place(ReadError::mismatch("a reference", alloc::format!("{kind}")), None).at(offset);
    while match kind {
        Kind::Array => reader.next_item()?,
        _ => reader.next_member()?.is_some(),
    } {
        reader.skip()?;
    }
    Ok(error)
}

/// Reads a record's members and hands the known ones to `read_field`. Not generic, so that it is compiled once.
///
/// A field of a wrong type does not stop the reading: the reader ends behind the record, and the first error is answered.
///
/// # Errors
/// When a field has another type than the schema says, or the document is broken.
pub fn read_members(
    class: &'static RecordDesc,
    rest: &mut Rest,
    reader: &mut dyn Reader,
    read_field: &mut dyn FnMut(usize, &mut dyn Reader) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    reader.begin_struct().map_err(|error| error.within(class.name))?;
    let mut seen = Seen::new(class.fields.len());
    let (mut expected, mut misses) = (0, 0_u32);
    let mut wrong = None;
    loop {
        // Records list their fields in the schema's order, so the one behind the last is asked for by name. In another order that
        // is in vain, and asked no more after a few times.
        let is_expected = misses < MISSES
            && match class.fields.get(expected) {
                Some(field) => reader.member_is(field.name).map_err(|error| error.within(class.name))?,
                None => false,
            };
        let member = if is_expected {
            misses = misses.saturating_sub(1);
            Ok(expected)
        } else {
            match reader.next_member() {
                Ok(Some(name)) => {
                    misses += 1;
                    place(class, expected, &name).ok_or_else(|| name.into_owned())
                }
                Ok(None) => break,
                Err(error) => return Err(error.within(class.name)),
            }
        };
        let result = match member {
            Ok(at) => {
                expected = at + 1;
                rest.repeated += u32::from(!seen.insert(at));
                read_field(at, reader).map_err(|error| error.within(class.fields[at].name))
            }
            Err(name) => read_unknown(rest, name, reader),
        };
        match result {
            Ok(()) => {}
            Err(error) if error.is_fatal() => return Err(error.within(class.name)),
            Err(error) => drop(wrong.get_or_insert(error)),
        }
    }
    rest.missing = seen.absent();
    rest.repeated += keep_last(&mut rest.unknown);
    wrong.map_or(Ok(()), |error| Err(error.within(class.name)))
}

fn read_unknown(rest: &mut Rest, name: String, reader: &mut dyn Reader) -> Result<(), ReadError> {
    match Value::read(reader) {
        Ok(value) => {
            rest.unknown.push((name, value));
            Ok(())
        }
        Err(error) => Err(error.within(name)),
    }
}

/// Of members with the same name keeps the last value, in the place of the first. How many there were too many.
///
/// By sorting, because whoever sends a million unknown members must not make a search of a million for each.
fn keep_last(members: &mut Vec<(String, Value)>) -> u32 {
    if members.is_empty() {
        return 0;
    }
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by(|one, other| members[*one].0.cmp(&members[*other].0));
    let mut extra = alloc::vec![false; members.len()];
    let mut repeated = 0;
    for pair in order.windows(2).rev() {
        let (earlier, later) = (pair[0], pair[1]);
        if members[earlier].0 == members[later].0 {
            members[earlier].1 = core::mem::take(&mut members[later].1);
            extra[later] = true;
            repeated += 1;
        }
    }
    if repeated > 0 {
        let mut extra = extra.into_iter();
        members.retain(|_| !extra.next().unwrap_or(false));
    }
    repeated
}

/// How many members may be others than expected before a record counts as being in another order.
const MISSES: u32 = 8;

/// The place of a field. Records list their fields in the schema's order, so the one behind the last is tried first.
fn place(class: &RecordDesc, expected: usize, name: &str) -> Option<usize> {
    match class.fields.get(expected) {
        Some(field) if field.name == name => Some(expected),
        _ => class.field_index(name),
    }
}

/// Which fields have come: one bit each. No class of the API has as many fields as fit without allocating.
struct Seen {
    bits: [u64; 4],
    more: Vec<u64>,
    count: usize,
}

impl Seen {
    fn new(count: usize) -> Self {
        let more = count.div_ceil(64).saturating_sub(4);
        Seen { bits: [0; 4], more: alloc::vec![0; more], count }
    }

    fn word(&mut self, at: usize) -> &mut u64 {
        match self.bits.get_mut(at / 64) {
            Some(word) => word,
            None => &mut self.more[at / 64 - 4],
        }
    }

    /// Whether the place is new.
    fn insert(&mut self, at: usize) -> bool {
        let (word, bit) = (self.word(at), 1 << (at % 64));
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    fn absent(mut self) -> Vec<u16> {
        let mut absent = Vec::new();
        for first in (0..self.count).step_by(64) {
            let length = (self.count - first).min(64);
            let all = u64::MAX >> (64 - length);
            let mut missing = !*self.word(first) & all;
            while missing != 0 {
                absent.extend(u16::try_from(first + missing.trailing_zeros() as usize));
                missing &= missing - 1;
            }
        }
        absent
    }
}

/// Writes a record: the known fields in the schema's order, then whatever else came.
pub fn write_members<R: Record>(record: &R, writer: &mut dyn Writer) {
    writer.begin_struct();
    for (at, field) in R::DESC.fields.iter().enumerate() {
        if matches!(field.ty, Type::Option(_) | Type::AnyRecord) {
            // An option without a value is left out of its record.
            let mut value = ValueWriter::new();
            record.write_field(at, &mut value);
            let value = value.finish();
            if value != Value::Nil {
                writer.field(field.name);
                value.write(writer);
            }
            continue;
        }
        writer.field(field.name);
        if record.rest().is_blank(at) {
            let mut value = ValueWriter::new();
            record.write_field(at, &mut value);
            match value.finish() {
                Value::Text(text) if text == crate::NULL => writer.text(""),
                other => other.write(writer),
            }
            continue;
        }
        record.write_field(at, writer);
    }
    for (name, value) in &record.rest().unknown {
        writer.member(name);
        value.write(writer);
    }
    writer.end_struct();
}

/// All records of a class that could be read, and what was wrong with the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Records<R: Record> {
    /// By reference, in the order in which they came.
    pub records: Vec<(crate::Ref<R::Class>, R)>,
    /// One error for each record that could not be read.
    pub wrong: Vec<ReadError>,
}

impl<R: Record> Wire for Records<R> {
    fn read(reader: &mut dyn Reader) -> Result<Self, ReadError> {
        reader.begin_struct()?;
        let mut all = Records { records: Vec::new(), wrong: Vec::new() };
        while let Some(name) = reader.next_member()? {
            let reference = crate::Ref::new(&*name);
            match R::read(reader) {
                Ok(record) => all.records.push((reference, record)),
                Err(error) => {
                    let error = error.of_object(reference.as_str());
                    if error.is_fatal() {
                        return Err(error);
                    }
                    all.wrong.push(error);
                }
            }
        }
        Ok(all)
    }

    fn write(&self, writer: &mut dyn Writer) {
        writer.begin_struct();
        for (reference, record) in &self.records {
            writer.member(reference.as_str());
            record.write(writer);
        }
        writer.end_struct();
    }
}
