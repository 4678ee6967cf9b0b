//! Reading and writing typed values, whatever the format.
//!
//! A codec implements [`Reader`] and [`Writer`]; a type implements [`Wire`]. Decoding is driven by the type that is
//! expected, never by the data, because XenAPI sends its integers as untyped text. The traits are used as `dyn`, so that the
//! generated model is compiled once and not once per codec.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::class::Class;
use crate::datetime::DateTime;
use crate::error::ReadError;
use crate::integer::parse_int;
use crate::map::{Key, Map};
use crate::reference::{NULL, RawRef, Ref, is_null};
use crate::texts::TextEntries;
use crate::uuid::Uuid;
use crate::value::{Kind, Name, Struct, Value};

/// One value that holds no others, as it stands on the wire.
#[derive(Clone, PartialEq, Debug)]
pub enum Scalar<'a> {
    /// Untyped or string.
    Text(Cow<'a, str>),
    /// An integer by its tag.
    Int(i64),
    /// The 32-bit integer of `<i4>`, kept apart so that it is written as it came.
    Int32(i32),
    /// A truth value.
    Bool(bool),
    /// A floating point number.
    Double(f64),
    /// A point in time by its tag; its text, unchecked.
    DateTime(Cow<'a, str>),
    /// Raw bytes.
    Bytes(Vec<u8>),
    /// Nothing.
    Nil,
}

impl<'a> Scalar<'a> {
    /// The kind, for messages.
    pub fn kind(&self) -> Kind {
        match self {
            Scalar::Text(_) => Kind::Text,
            Scalar::Int(_) | Scalar::Int32(_) => Kind::Int,
            Scalar::Bool(_) => Kind::Bool,
            Scalar::Double(_) => Kind::Double,
            Scalar::DateTime(_) => Kind::DateTime,
            Scalar::Bytes(_) => Kind::Bytes,
            Scalar::Nil => Kind::Nil,
        }
    }

    /// The text, if this is text; otherwise the error that says what was expected.
    ///
    /// # Errors
    /// When this is no text.
    pub fn into_text(self, expected: &'static str) -> Result<Cow<'a, str>, ReadError> {
        match self {
            Scalar::Text(text) => Ok(text),
            found => Err(ReadError::mismatch(expected, found.describe())),
        }
    }

    /// The integer, by its tag or as text.
    ///
    /// # Errors
    /// When this is neither.
    pub fn to_int(&self) -> Result<i64, ReadError> {
        let number = match self {
            Scalar::Int(number) => Some(*number),
            Scalar::Int32(number) => Some(i64::from(*number)),
            Scalar::Text(text) => parse_int(text),
            _ => None,
        };
        number.ok_or_else(|| ReadError::mismatch("an integer", self.describe()))
    }

    /// The truth value.
    ///
    /// # Errors
    /// When this is none.
    pub fn to_bool(&self) -> Result<bool, ReadError> {
        match self {
            Scalar::Bool(truth) => Ok(*truth),
            found => Err(ReadError::mismatch("a boolean", found.describe())),
        }
    }

    /// Nothing, if this is empty text, which stands for an empty array or struct in some old recordings.
    ///
    /// # Errors
    /// When this is anything else.
    pub fn to_void(&self, expected: &'static str) -> Result<(), ReadError> {
        match self {
            Scalar::Text(text) if text.is_empty() => Ok(()),
            found => Err(ReadError::mismatch(expected, found.describe())),
        }
    }

    /// What was found, for messages: the kind and the start of the text.
    pub fn describe(&self) -> String {
        match self {
            Scalar::Text(text) | Scalar::DateTime(text) => {
                let short: String = text.chars().take(40).collect();
                let dots = if short.len() < text.len() { "…" } else { "" };
                format!("{} {short:?}{dots}", self.kind())
            }
            Scalar::Int(number) => format!("the integer {number}"),
            Scalar::Int32(number) => format!("the integer {number}"),
            Scalar::Bool(truth) => format!("the boolean {truth}"),
            Scalar::Double(number) => format!("the double {number}"),
            Scalar::Bytes(_) | Scalar::Nil => self.kind().to_string(),
        }
    }
}

/// How a value begins.
#[derive(Clone, PartialEq, Debug)]
pub enum Start<'a> {
    /// It holds no others, and is taken whole.
    Scalar(Scalar<'a>),
    /// An array, which is entered.
    Array,
    /// A struct, which is entered.
    Struct,
}

/// Pulls one document's values in order.
///
/// A format implements the methods without a body. The others say what types ask for most often, so that a format can answer
/// them in one step; their own bodies do it in terms of the first.
///
/// After an error that is not [fatal](ReadError::is_fatal) the reader stands behind the value that was wrong, so the caller can
/// go on: one bad record does not lose the others. After a fatal error every further call fails.
pub trait Reader {
    /// The kind of the next value, which stays the next.
    ///
    /// # Errors
    /// When the document is broken here or ends.
    fn kind(&mut self) -> Result<Kind, ReadError>;

    /// Takes a value that holds no others.
    ///
    /// # Errors
    /// When the next value is an array or a struct (which is skipped), or the document is broken.
    fn scalar(&mut self) -> Result<Scalar<'_>, ReadError>;

    /// Enters an array. Each item is preceded by [`Reader::next_item`].
    ///
    /// # Errors
    /// When the next value is not an array (it is skipped), or the document is broken.
    fn begin_array(&mut self) -> Result<(), ReadError>;

    /// Whether an item follows in the array entered last. `false` leaves the array.
    ///
    /// # Errors
    /// When the document is broken.
    fn next_item(&mut self) -> Result<bool, ReadError>;

    /// Enters a struct. Each member's value is preceded by [`Reader::next_member`].
    ///
    /// # Errors
    /// When the next value is not a struct (it is skipped), or the document is broken.
    fn begin_struct(&mut self) -> Result<(), ReadError>;

    /// The name of the member that follows in the struct entered last. `None` leaves the struct.
    ///
    /// # Errors
    /// When the document is broken.
    fn next_member(&mut self) -> Result<Option<Cow<'_, str>>, ReadError>;

    /// As [`Reader::next_member`], for whoever keeps the name: a reader may share the names that come again and again.
    ///
    /// # Errors
    /// When the document is broken.
    fn next_name(&mut self) -> Result<Option<Name>, ReadError> {
        Ok(self.next_member()?.map(|name| Name::Owned(name.into_owned())))
    }

    /// Passes over the next value whole.
    ///
    /// # Errors
    /// When the document is broken.
    fn skip(&mut self) -> Result<(), ReadError>;

    /// Where the reader is, in bytes from the start of the document, if there is one.
    fn offset(&self) -> Option<u64> {
        None
    }

    /// Says where an error is that somebody else found: at that offset, or in the value that was taken last, and whatever else
    /// the format knows about the place.
    fn place(&mut self, error: ReadError, offset: Option<u64>) -> ReadError {
        error.at(offset)
    }

    /// Takes a value that holds no others, or enters one that does.
    ///
    /// # Errors
    /// When the document is broken, or the text of a number is none.
    fn start(&mut self) -> Result<Start<'_>, ReadError> {
        match self.kind()? {
            Kind::Array => self.begin_array().map(|()| Start::Array),
            Kind::Struct => self.begin_struct().map(|()| Start::Struct),
            _ => self.scalar().map(Start::Scalar),
        }
    }

    /// Takes text as it is: strings, enums, references.
    ///
    /// # Errors
    /// When the value is not text (it is passed over), with what was expected; when the document is broken.
    fn text(&mut self, expected: &'static str) -> Result<Cow<'_, str>, ReadError> {
        let offset = self.offset();
        let found = self.scalar().map_err(|error| error.expecting(expected).at(offset))?;
        found.into_text(expected).map_err(|error| error.at(offset))
    }

    /// Takes an integer, by its tag or as text.
    ///
    /// # Errors
    /// When the value is no integer (it is passed over); when the document is broken.
    fn int(&mut self) -> Result<i64, ReadError> {
        let offset = self.offset();
        let found = self.scalar().map_err(|error| error.expecting("an integer").at(offset))?;
        found.to_int().map_err(|error| error.at(offset))
    }

    /// Takes a truth value.
    ///
    /// # Errors
    /// When the value is none (it is passed over); when the document is broken.
    fn bool(&mut self) -> Result<bool, ReadError> {
        let offset = self.offset();
        let found = self.scalar().map_err(|error| error.expecting("a boolean").at(offset))?;
        found.to_bool().map_err(|error| error.at(offset))
    }

    /// Enters an array. Empty text, which some old recordings hold instead, is taken, and answers `false`.
    ///
    /// # Errors
    /// As [`Reader::begin_array`].
    fn enter_array(&mut self) -> Result<bool, ReadError> {
        if self.kind()? == Kind::Text {
            let offset = self.offset();
            let found = self.scalar().map_err(|error| error.expecting("an array").at(offset))?;
            return found.to_void("an array").map(|()| false).map_err(|error| error.at(offset));
        }
        self.begin_array().map(|()| true)
    }

    /// Enters a struct. Empty text, which some old recordings hold instead, is taken, and answers `false`.
    ///
    /// # Errors
    /// As [`Reader::begin_struct`].
    fn enter_struct(&mut self) -> Result<bool, ReadError> {
        if self.kind()? == Kind::Text {
            let offset = self.offset();
            let found = self.scalar().map_err(|error| error.expecting("a struct").at(offset))?;
            return found.to_void("a struct").map(|()| false).map_err(|error| error.at(offset));
        }
        self.begin_struct().map(|()| true)
    }

    /// Takes a dynamic value, where the format knows a shorter way than through its parts. `None` takes nothing.
    #[doc(hidden)]
    fn usual_value(&mut self) -> Option<Result<Value, ReadError>> {
        None
    }

    /// Takes members of the struct entered last whole, as many as are text as the format mostly writes it. Those that follow are
    /// [`Reader::next_member`]'s.
    #[doc(hidden)]
    fn text_members(&mut self, entries: &mut TextEntries) {
        let _ = entries;
    }

    /// Memory to gather entries in: empty, and to be given back.
    #[doc(hidden)]
    fn lend_entries(&mut self) -> TextEntries {
        TextEntries::default()
    }

    /// Takes that memory back.
    #[doc(hidden)]
    fn take_entries(&mut self, entries: TextEntries) {
        drop(entries);
    }

    /// How many members the struct entered last is likely to have: as many as the one before it in the same place. 0 says nothing.
    fn likely_members(&self) -> usize {
        0
    }

    /// Takes the name of the member that follows if it is this one. `false` says nothing, and takes nothing:
    /// [`Reader::next_member`] knows.
    ///
    /// # Errors
    /// When the document is broken.
    fn member_is(&mut self, name: &str) -> Result<bool, ReadError> {
        let _ = name;
        Ok(false)
    }
}

/// Takes one document's values in order. Writers collect bytes and do not fail.
pub trait Writer {
    /// Text: a string, enum, reference or uuid.
    fn text(&mut self, text: &str);
    /// An API integer.
    fn int(&mut self, number: i64);
    /// The 32-bit integer of `event.from`.
    fn int32(&mut self, number: i32);
    /// A truth value.
    fn bool(&mut self, truth: bool);
    /// A floating point number.
    fn double(&mut self, number: f64);
    /// A point in time.
    fn date_time(&mut self, time: &DateTime);
    /// Raw bytes.
    fn bytes(&mut self, bytes: &[u8]);
    /// Nothing.
    fn nil(&mut self);
    /// Opens an array.
    fn begin_array(&mut self);
    /// Closes the array opened last.
    fn end_array(&mut self);
    /// Opens a struct.
    fn begin_struct(&mut self);
    /// Names the member whose value follows.
    fn member(&mut self, name: &str);
    /// Names the member whose value follows, by a name of the schema, in which nothing needs to be escaped.
    fn field(&mut self, name: &'static str) {
        self.member(name);
    }
    /// Names a member and writes the text that it is.
    fn text_member(&mut self, name: &str, text: &str) {
        self.member(name);
        self.text(text);
    }
    /// Closes the struct opened last.
    fn end_struct(&mut self);
}

/// A type that can be read from and written to the wire.
pub trait Wire: Sized {
    /// Reads the next value as this type.
    ///
    /// # Errors
    /// When the value has another type, with what was expected and found; when the document is broken.
    fn read(reader: &mut dyn Reader) -> Result<Self, ReadError>;

    /// Writes the value.
    fn write(&self, writer: &mut dyn Writer);

    /// Reads the next value where there may be none: `nil`, and of references the null one.
    ///
    /// # Errors
    /// As [`Wire::read`].
    fn read_option(reader: &mut dyn Reader) -> Result<Option<Self>, ReadError> {
        if reader.kind()? == Kind::Nil {
            return reader.skip().map(|()| None);
        }
        Self::read(reader).map(Some)
    }

    /// Writes that there is none.
    fn write_none(writer: &mut dyn Writer) {
        writer.nil();
    }
}

/// Writes a value into a tree.
pub fn to_value(it: &impl Wire) -> Value {
    let mut writer = crate::tree::ValueWriter::new();
    it.write(&mut writer);
    writer.finish()
}

/// Reads a value out of a tree.
///
/// # Errors
/// When the tree holds another type.
pub fn from_value<T: Wire>(value: &Value) -> Result<T, ReadError> {
    T::read(&mut crate::tree::ValueReader::new(value))
}

/// Reads a scalar and turns it into `T`, or says what was expected.
fn scalar<T>(
    reader: &mut dyn Reader,
    expected: &'static str,
    take: impl FnOnce(&Scalar<'_>) -> Option<T>,
) -> Result<T, ReadError> {
    let offset = reader.offset();
    let error = match reader.scalar() {
        Ok(found) => match take(&found) {
            Some(value) => return Ok(value),
            None => ReadError::mismatch(expected, found.describe()),
        },
        Err(error) => error.expecting(expected),
    };
    Err(reader.place(error, offset))
}

/// Reads text as it is: strings, enums, references.
///
/// # Errors
/// When the value is not text, or the document is broken.
pub fn text<T>(reader: &mut dyn Reader, expected: &'static str, make: impl FnOnce(&str) -> T) -> Result<T, ReadError> {
    reader.text(expected).map(|text| make(&text))
}

impl Wire for String {
    fn read(reader: &mut dyn Reader) -> Result<Self, ReadError> {
        reader.text("text").map(Cow::into_owned)
    }

    fn write(&self, writer: &mut dyn Writer) {
        writer.text(self);
    }
}

impl Wire for Uuid {
    fn read(reader: &mut dyn Reader) -> Result<Self, ReadError> {
        text(reader, "a uuid", |text| Uuid::new(text))
    }

    fn write(&self, writer: &mut dyn Writer) {
        writer.text(self.as_str());
    }
}

impl Wire for RawRef {
    fn read(reader: &mut dyn Reader) -> Result<Self, ReadError> {
        text(reader, "a reference", |text| RawRef::from(text))
    }

    fn write(&self, writer: &mut dyn Writer) {
        writer.text(self.as_str());
    }
}

impl<C: Class> Wire for Ref<C> {
    fn read(reader: &mut dyn Reader) -> Result<Self, ReadError> {
        RawRef::read(reader).map(RawRef::typed)
    }

    fn write(&self, writer: &mut dyn Writer) {
        writer.text(self.as_str());
    }

    fn read_option(reader: &mut dyn Reader) -> Result<Option<Self>, ReadError> {
        if reader.kind()? == Kind::Nil {
            return reader.skip().map(|()| None);
        }
        let read = text(reader, "a reference", |text| (!is_null(text)).then(|| Ref::new(text)))?;
        Ok(read)
    }

    fn write_none(writer: &mut dyn Writer) {
        writer.text(NULL);
    }
}

impl Wire for i64 {
    fn read(reader: &mut dyn Reader) -> Result<Self, ReadError> {
        reader.int()
    }

    fn write(&self, writer: &mut dyn Writer) {
        writer.int(*self);
    }
}

impl Wire for f64 {
    fn read(reader: &mut dyn Reader) -> Result<Self, ReadError> {
        scalar(reader, "a number", |found| match found {
            Scalar::Double(number) => Some(*number),
            #[allow(clippy::cast_precision_loss, reason = "the schema says float; the sender wrote an integer")]
            Scalar::Int(number) => Some(*number as f64),
            Scalar::Int32(number) => Some(f64::from(*number)),
            Scalar::Text(text) => crate::parse_double(text),
            _ => None,
        })
    }

    fn write(&self, writer: &mut dyn Writer) {
        writer.double(*self);
    }
}

impl Wire for bool {
    fn read(reader: &mut dyn Reader) -> Result<Self, ReadError> {
        reader.bool()
    }

    fn write(&self, writer: &mut dyn Writer) {
        writer.bool(*self);
    }
}

impl Wire for DateTime {
    fn read(reader: &mut dyn Reader) -> Result<Self, ReadError> {
        scalar(reader, "a date and time", |found| match found {
            Scalar::DateTime(text) | Scalar::Text(text) => DateTime::parse(text).ok(),
            _ => None,
        })
    }

    fn write(&self, writer: &mut dyn Writer) {
        writer.date_time(self);
    }
}

impl Wire for () {
    /// A void result is empty text; whatever comes is passed over, since nobody wants it.
    fn read(reader: &mut dyn Reader) -> Result<Self, ReadError> {
        reader.skip()
    }

    fn write(&self, writer: &mut dyn Writer) {
        writer.text("");
    }
}

impl<T: Wire> Wire for Option<T> {
    /// `nil` is none, and so is a null reference. An option that is absent from its record never gets here.
    fn read(reader: &mut dyn Reader) -> Result<Self, ReadError> {
        T::read_option(reader)
    }

    fn write(&self, writer: &mut dyn Writer) {
        match self {
            Some(it) => it.write(writer),
            None => T::write_none(writer),
        }
    }
}

/// The items of the array that was entered.
fn items<T: Wire>(reader: &mut dyn Reader) -> Result<Vec<T>, ReadError> {
    let mut items = Vec::new();
    let mut wrong = None;
    while reader.next_item()? {
        match T::read(reader) {
            Ok(item) => items.push(item),
            Err(error) if error.is_fatal() => return Err(error.within(format!("[{}]", items.len()))),
            // Read to the end all the same: the caller may go on behind this array.
            Err(error) => drop(wrong.get_or_insert(error.within(format!("[{}]", items.len())))),
        }
    }
    wrong.map_or(Ok(items), Err)
}

impl<T: Wire> Wire for Vec<T> {
    fn read(reader: &mut dyn Reader) -> Result<Self, ReadError> {
        if !reader.enter_array()? {
            return Ok(Vec::new());
        }
        items(reader)
    }

    fn write(&self, writer: &mut dyn Writer) {
        writer.begin_array();
        for item in self {
            item.write(writer);
        }
        writer.end_array();
    }
}

impl<K: Key, V: Wire> Wire for Map<K, V> {
    fn read(reader: &mut dyn Reader) -> Result<Self, ReadError> {
        if !reader.enter_struct()? {
            return Ok(Map::new());
        }
        let mut map = Map::new();
        let mut wrong = None;
        while let Some(name) = reader.next_member()? {
            let error = match K::from_key(&name) {
                Ok(key) => match V::read(reader) {
                    Ok(value) => {
                        map.push(key, value);
                        continue;
                    }
                    Err(error) => error.within(format!("[{}]", key.to_key())),
                },
                Err(expected) => {
                    let error = ReadError::mismatch(expected, format!("the name {name:?}")).within(format!("[{name}]"));
                    let offset = reader.offset();
                    reader.skip()?;
                    reader.place(error, offset)
                }
            };
            if error.is_fatal() {
                return Err(error);
            }
            wrong.get_or_insert(error);
        }
        wrong.map_or(Ok(map), Err)
    }

    fn write(&self, writer: &mut dyn Writer) {
        writer.begin_struct();
        for (key, value) in self.iter() {
            writer.member(&key.to_key());
            value.write(writer);
        }
        writer.end_struct();
    }
}

impl Value {
    fn of(scalar: Scalar<'_>) -> Result<Self, ReadError> {
        Ok(match scalar {
            Scalar::Text(text) => Value::Text(text.into_owned()),
            Scalar::Int(number) => Value::Int(number),
            Scalar::Int32(number) => Value::Int32(number),
            Scalar::Bool(truth) => Value::Bool(truth),
            Scalar::Double(number) => Value::Double(number),
            Scalar::Bytes(bytes) => Value::Bytes(bytes),
            Scalar::Nil => Value::Nil,
            Scalar::DateTime(text) => match DateTime::parse(&text) {
                Ok(time) => Value::DateTime(time),
                Err(_) => return Err(ReadError::mismatch("a date and time", Scalar::DateTime(text).describe())),
            },
        })
    }
}

/// The members of the struct that was entered.
fn members(reader: &mut dyn Reader) -> Result<Struct, ReadError> {
    // Records are alike. Maps are not, and small.
    let likely = reader.likely_members();
    let mut members = if likely >= 16 { Struct::with_capacity(likely) } else { Struct::new() };
    let mut wrong = None;
    while let Some(name) = reader.next_name()? {
        match Value::read(reader) {
            Ok(value) => members.push_name(name, value),
            Err(error) if error.is_fatal() => return Err(error.within(Cow::from(name))),
            // Read to the end all the same: the caller may go on behind this struct.
            Err(error) => drop(wrong.get_or_insert(error.within(Cow::from(name)))),
        }
    }
    wrong.map_or(Ok(members), Err)
}

impl Wire for Value {
    fn read(reader: &mut dyn Reader) -> Result<Self, ReadError> {
        if let Some(value) = reader.usual_value() {
            return value;
        }
        let error = match reader.start()? {
            Start::Scalar(scalar) => match Value::of(scalar) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            },
            Start::Array => return items(reader).map(Value::Array),
            Start::Struct => return members(reader).map(Value::Struct),
        };
        Err(reader.place(error, None))
    }

    fn write(&self, writer: &mut dyn Writer) {
        match self {
            Value::Text(text) => writer.text(text),
            Value::Int(number) => writer.int(*number),
            Value::Int32(number) => writer.int32(*number),
            Value::Bool(truth) => writer.bool(*truth),
            Value::Double(number) => writer.double(*number),
            Value::DateTime(time) => writer.date_time(time),
            Value::Bytes(bytes) => writer.bytes(bytes),
            Value::Nil => writer.nil(),
            Value::Array(items) => items.write(writer),
            Value::Struct(members) => {
                writer.begin_struct();
                for (name, value) in members.iter() {
                    writer.member(name);
                    value.write(writer);
                }
                writer.end_struct();
            }
        }
    }
}
