//! Records that stay where they are in the document.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use xenapi_core::{
    Class, DateTime, Failure, Field, FieldDesc, Kind, ReadError, Reader, RecordDesc, Type, Value, Wire, from_value,
    parse_int,
};

use super::document::{Outcome, read_reply_with};
use super::reader::{Engine, Role, XmlReader};
use crate::limits::Limits;

/// A record as it stands in the document: every field was looked at and has the type of the schema, and none was copied. A
/// field is read when it is asked for.
///
/// This is for whoever needs a few fields of many records. Who needs all of them reads `C::Record`.
pub struct RecordView<'a, C: Class> {
    reference: Cow<'a, str>,
    document: &'a [u8],
    /// Where the record begins.
    start: usize,
    /// By their places in the class: where the values stand, from the start of the record. Empty for what did not come.
    fields: Box<[Span]>,
    class: PhantomData<fn() -> C>,
}

#[derive(Clone, Copy, Default)]
struct Span {
    start: u32,
    length: u32,
}

/// The records of a reply as they stand in it.
#[derive(Debug)]
pub struct Views<'a, C: Class> {
    /// Those that could be read, in the order in which they came.
    pub records: Vec<RecordView<'a, C>>,
    /// One error for each of the others.
    pub wrong: Vec<ReadError>,
}

impl<C: Class> fmt::Debug for RecordView<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordView").field("class", &C::RECORD.name).field("start", &self.start).finish_non_exhaustive()
    }
}

/// What a field is read with: its type was looked at with the document's own limits.
const FIELD: Limits =
    Limits { bytes: usize::MAX, depth: usize::MAX, members: usize::MAX, records: usize::MAX, text: usize::MAX };

impl<'a, C: Class> RecordView<'a, C> {
    /// The reference of the object, as text.
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// Reads a field: `view.get(vm::NAME_LABEL)`. A field that did not come has the schema's default, as in `C::Record`.
    ///
    /// # Errors
    /// When the field does not have the type that the model says. The schema's types were checked already.
    pub fn get<T: Wire>(&self, field: impl Into<Field<C, T>>) -> Result<T, ReadError> {
        let field = field.into();
        match self.reader(field.index()) {
            Some(reader) => T::read(&mut reader?),
            None => from_value(&field.desc().default_value()),
        }
    }

    /// The text of a field, which is borrowed from the document where nothing in it is escaped. `None` when it did not come.
    ///
    /// # Errors
    /// When the field is no text.
    pub fn text<T: Wire>(&self, field: impl Into<Field<C, T>>) -> Result<Option<Cow<'a, str>>, ReadError> {
        match self.reader(field.into().index()) {
            Some(reader) => reader?.borrowed_text().map(Some),
            None => Ok(None),
        }
    }

    /// Whether the server sent that field.
    pub fn has<T: Wire>(&self, field: impl Into<Field<C, T>>) -> bool {
        self.span(field.into().index()).is_some()
    }

    fn span(&self, at: usize) -> Option<&'a [u8]> {
        let span = self.fields.get(at).filter(|span| span.length > 0)?;
        let start = self.start + span.start as usize;
        self.document.get(start..start + span.length as usize)
    }

    /// The reader before a field's value.
    fn reader(&self, at: usize) -> Option<Result<XmlReader<'a>, ReadError>> {
        self.span(at).map(|bytes| {
            let mut reader = XmlReader::new(bytes, &FIELD, Role::Client, Engine::Auto)?;
            reader.value_head()?;
            Ok(reader)
        })
    }
}

/// Reads the reply to `get_all_records` without copying what it holds.
///
/// # Errors
/// As [`super::read_result`].
pub fn read_views<'a, C: Class>(bytes: &'a [u8], limits: &Limits) -> Result<Result<Views<'a, C>, Failure>, ReadError> {
    read_views_with(bytes, limits, Engine::Auto)
}

/// Reads the reply to `get_all_records` with that reader. See [`read_views`].
///
/// # Errors
/// As [`read_views`]; also when the scanner alone does not recognise the document.
pub fn read_views_with<'a, C: Class>(
    bytes: &'a [u8],
    limits: &Limits,
    engine: Engine,
) -> Result<Result<Views<'a, C>, Failure>, ReadError> {
    let mut reader = match read_reply_with(bytes, limits, engine)? {
        Outcome::Success(reader) => reader,
        Outcome::Failure(failure) => return Ok(Err(failure)),
        Outcome::Fault { code, text } => return Ok(Err(Failure::new("Fault", [text, format!("{code}")]))),
    };
    let mut views = Views { records: Vec::new(), wrong: Vec::new() };
    reader.begin_struct()?;
    while let Some(reference) = reader.borrowed_member()? {
        match view(&mut reader, C::RECORD) {
            Ok((start, fields)) => {
                views.records.push(RecordView { reference, document: bytes, start, fields, class: PhantomData });
            }
            Err(error) => {
                let error = error.of_object(&reference);
                if error.is_fatal() {
                    return Err(error);
                }
                views.wrong.push(error);
            }
        }
    }
    reader.finish()?;
    Ok(Ok(views))
}

/// How many members may be others than expected before a record counts as being in another order.
const MISSES: u32 = 8;

/// Goes through a record, and notes where its fields are. As strict as reading it, and in the same order.
fn view(reader: &mut XmlReader<'_>, class: &'static RecordDesc) -> Result<(usize, Box<[Span]>), ReadError> {
    let start = reader.value_at();
    reader.begin_struct().map_err(|error| error.within(class.name))?;
    let mut fields = alloc::vec![Span::default(); class.fields.len()].into_boxed_slice();
    let (mut expected, mut misses, mut wrong) = (0, 0_u32, None);
    loop {
        // As where records are read: members in another order are asked for in vain, and no more after a few times.
        let is_expected = misses < MISSES
            && match class.fields.get(expected) {
                Some(field) => reader.scan_member_is(field.name).is_some(),
                None => false,
            };
        let member = if is_expected {
            misses = misses.saturating_sub(1);
            Ok(expected)
        } else {
            misses += 1;
            match reader.borrowed_member().map_err(|error| error.within(class.name))? {
                None => break,
                Some(name) => class.field_index(&name).ok_or(name),
            }
        };
        let value = reader.value_at();
        let result = match &member {
            Ok(at) => check_field(&class.fields[*at], reader).map_err(|error| error.within(class.fields[*at].name)),
            // Nobody can ask for it, but a date in it must be one.
            Err(name) => Value::read(reader).map(drop).map_err(|error| error.within(name.clone().into_owned())),
        };
        match result {
            Ok(()) => {}
            Err(error) if error.is_fatal() => return Err(error.within(class.name)),
            Err(error) => drop(wrong.get_or_insert(error)),
        }
        if let Ok(at) = member {
            expected = at + 1;
            if let Some(field) = fields.get_mut(at) {
                *field = span(start, value, reader.end())?;
            }
        }
    }
    match wrong {
        Some(error) => Err(error.within(class.name)),
        None => Ok((usize::try_from(start).unwrap_or(usize::MAX), fields)),
    }
}

fn span(record: u64, start: u64, end: u64) -> Result<Span, ReadError> {
    match (u32::try_from(start - record), u32::try_from(end - start)) {
        (Ok(start), Ok(length)) => Ok(Span { start, length }),
        _ => Err(ReadError::limit("4 GiB in a record", "more").at(Some(start))),
    }
}

/// That a field has its type. Uuids are text in the schema, and have a type of their own in records; references that may name
/// nothing may also be nil.
fn check_field(field: &FieldDesc, reader: &mut XmlReader<'_>) -> Result<(), ReadError> {
    match field.ty {
        Type::Ref(_) if field.nullable => match reader.scan_pass() {
            Some(()) => Ok(()),
            None if reader.kind()? == Kind::Nil => reader.skip(),
            None => check(&field.ty, reader),
        },
        Type::String if field.name == "uuid" => reader.pass_text().map_err(|error| error.expecting("a uuid")),
        _ => check(&field.ty, reader),
    }
}

/// That a value has that type. Errors say what reading it as a record says.
fn check(ty: &Type, reader: &mut XmlReader<'_>) -> Result<(), ReadError> {
    match ty {
        Type::String => reader.pass_text(),
        Type::Enum(desc) => reader.pass_text().map_err(|error| error.expecting(format!("a word of {}", desc.name))),
        Type::Ref(_) => reader.pass_text().map_err(|error| error.expecting("a reference")),
        Type::Int => reader.int().map(drop),
        Type::Bool => reader.bool().map(drop),
        Type::Float => f64::read(reader).map(drop),
        Type::DateTime => DateTime::read(reader).map(drop),
        Type::Set(of) => check_set(of, reader),
        Type::Map(key, of) => check_map(key, of, reader),
        Type::Option(of) => match reader.kind()? {
            Kind::Nil => reader.skip(),
            _ => check(of, reader),
        },
        Type::Void => reader.skip(),
        _ => Value::read(reader).map(drop),
    }
}

/// Whether any text is a value of that type.
fn is_text(ty: &Type) -> bool {
    matches!(ty, Type::String | Type::Enum(_) | Type::Ref(_))
}

fn check_set(of: &Type, reader: &mut XmlReader<'_>) -> Result<(), ReadError> {
    let (mut number, mut wrong) = (0, None);
    if reader.enter_array()? {
        loop {
            // Texts that are as they should be need no more than that.
            while is_text(of) && reader.scan_pass_item().is_some() {
                number += 1;
            }
            if !reader.next_item()? {
                break;
            }
            match check(of, reader).map_err(|error| error.within(format!("[{number}]"))) {
                Ok(()) => number += 1,
                Err(error) if error.is_fatal() => return Err(error),
                Err(error) => drop(wrong.get_or_insert(error)),
            }
        }
    }
    wrong.map_or(Ok(()), Err)
}

fn check_map(key: &Type, of: &Type, reader: &mut XmlReader<'_>) -> Result<(), ReadError> {
    let mut wrong = None;
    let is_plain = is_text(of) && !matches!(key, Type::Int);
    if reader.enter_struct()? {
        loop {
            while is_plain && reader.scan_pass_member().is_some() {}
            let Some(name) = reader.borrowed_member()? else { break };
            let result = if matches!(key, Type::Int) && parse_int(&name).is_none() {
                let offset = reader.offset();
                reader.skip()?;
                Err(reader.place(ReadError::mismatch("an integer as the name", format!("the name {name:?}")), offset))
            } else {
                check(of, reader)
            };
            match result.map_err(|error| error.within(format!("[{name}]"))) {
                Ok(()) => {}
                Err(error) if error.is_fatal() => return Err(error),
                Err(error) => drop(wrong.get_or_insert(error)),
            }
        }
    }
    wrong.map_or(Ok(()), Err)
}
