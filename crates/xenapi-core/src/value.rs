//! Values without a schema.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::class::Class;
use crate::datetime::DateTime;
use crate::reference::{RawRef, Ref};
use crate::secret::{REDACTED, is_secret_key};
use crate::uuid::Uuid;

/// A value as it stands on the wire, before or without a schema.
///
/// XenAPI sends its integers as untyped text, indistinguishable from strings, so a value read from a server holds
/// [`Value::Text`] where the schema says `int`. Read through a type ([`crate::Wire`]) whenever there is one.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// Text: strings, enums, references, uuids, and what a server sends for its integers.
    Text(String),
    /// An API integer (64 bits). Written as untyped text in XML-RPC, as a number in JSON-RPC.
    Int(i64),
    /// The 32-bit integer that only the counts of `event.from` use, written `<i4>`.
    Int32(i32),
    /// A truth value.
    Bool(bool),
    /// A floating point number.
    Double(f64),
    /// A point in time.
    DateTime(DateTime),
    /// Raw bytes. No field of the API uses them.
    Bytes(Vec<u8>),
    /// A set, in stored order.
    Array(Vec<Value>),
    /// A record or a map.
    Struct(Struct),
    /// Nothing. Not produced by ordinary results; a void result is empty text.
    Nil,
}

impl Value {
    /// What a call that returns nothing answers: empty text.
    pub const VOID: Value = Value::Text(String::new());

    /// An empty record or map.
    pub const fn empty_struct() -> Value {
        Value::Struct(Struct::new())
    }

    /// The kind of the value, for messages.
    pub fn kind(&self) -> Kind {
        match self {
            Value::Text(_) => Kind::Text,
            Value::Int(_) | Value::Int32(_) => Kind::Int,
            Value::Bool(_) => Kind::Bool,
            Value::Double(_) => Kind::Double,
            Value::DateTime(_) => Kind::DateTime,
            Value::Bytes(_) => Kind::Bytes,
            Value::Array(_) => Kind::Array,
            Value::Struct(_) => Kind::Struct,
            Value::Nil => Kind::Nil,
        }
    }

    /// The text, if this is text.
    pub fn as_text(&self) -> Option<&str> {
        if let Value::Text(text) = self { Some(text) } else { None }
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(truth) = self { Some(*truth) } else { None }
    }

    /// The integer, if this is one or text that holds one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(number) => Some(*number),
            Value::Int32(number) => Some(i64::from(*number)),
            Value::Text(text) => crate::integer::parse_int(text),
            _ => None,
        }
    }

    /// The items, if this is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        if let Value::Array(items) = self { Some(items) } else { None }
    }

    /// The members, if this is a struct.
    pub fn as_struct(&self) -> Option<&Struct> {
        if let Value::Struct(members) = self { Some(members) } else { None }
    }

    /// The members, if this is a struct.
    pub fn as_struct_mut(&mut self) -> Option<&mut Struct> {
        if let Value::Struct(members) = self { Some(members) } else { None }
    }
}

impl Default for Value {
    fn default() -> Self {
        Value::VOID
    }
}

/// The members of a record or map, in the order in which they came.
///
/// Names may occur more than once on the wire; [`Struct::get`] answers the last, as xapi does.
#[derive(Clone, PartialEq, Default)]
pub struct Struct(Vec<(Name, Value)>);

/// The name of a member. Records are alike, so a reader may share the names that it meets again and again.
#[derive(Clone)]
pub enum Name {
    /// A name of the program.
    Static(&'static str),
    /// A name that came once.
    Owned(String),
    /// A name that others share.
    Shared(Arc<str>),
}

impl core::ops::Deref for Name {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        match self {
            Name::Static(name) => name,
            Name::Owned(name) => name,
            Name::Shared(name) => name,
        }
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Name {}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl From<Cow<'static, str>> for Name {
    fn from(name: Cow<'static, str>) -> Self {
        match name {
            Cow::Borrowed(name) => Name::Static(name),
            Cow::Owned(name) => Name::Owned(name),
        }
    }
}

impl From<Name> for Cow<'static, str> {
    fn from(name: Name) -> Self {
        match name {
            Name::Static(name) => Cow::Borrowed(name),
            Name::Owned(name) => Cow::Owned(name),
            Name::Shared(name) => Cow::Owned(String::from(&*name)),
        }
    }
}

impl fmt::Debug for Struct {
    /// Without what [looks like](is_secret_key) a secret, which must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self.iter() {
            match is_secret_key(name) {
                true => map.entry(&name, &format_args!("{REDACTED}")),
                false => map.entry(&name, value),
            };
        }
        map.finish()
    }
}

impl Struct {
    /// No members.
    pub const fn new() -> Self {
        Struct(Vec::new())
    }

    /// No members yet, room for `count`.
    pub fn with_capacity(count: usize) -> Self {
        Struct(Vec::with_capacity(count))
    }

    /// How many members there are, repeated names included.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The last member of that name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().rev().find(|(n, _)| **n == *name).map(|(_, value)| value)
    }

    /// The last member of that name.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.0.iter_mut().rev().find(|(n, _)| **n == *name).map(|(_, value)| value)
    }

    /// Adds a member at the end, without looking for one of the same name.
    pub fn push(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        self.push_name(name.into().into(), value.into());
    }

    /// Adds a member at the end, as [`Struct::push`] does.
    #[inline]
    pub fn push_name(&mut self, name: Name, value: Value) {
        self.0.push((name, value));
    }

    /// Adds a member at the front, where xapi puts a key added by `add_to_…`.
    pub fn push_front(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        self.0.insert(0, (name.into().into(), value.into()));
    }

    /// Replaces the member of that name or adds it at the end.
    pub fn set(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        let (name, value) = (Name::from(name.into()), value.into());
        match self.0.iter_mut().rev().find(|(n, _)| *n == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// Takes every member of that name out, and answers the last.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let mut last = None;
        self.0.retain_mut(|(n, value)| {
            let keep = **n != *name;
            if !keep {
                last = Some(core::mem::take(value));
            }
            keep
        });
        last
    }

    /// The member at that place.
    pub fn nth(&self, at: usize) -> Option<(&str, &Value)> {
        self.0.get(at).map(|(name, value)| (&**name, value))
    }

    /// The members in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &Value)> + ExactSizeIterator {
        self.0.iter().map(|(name, value)| (&**name, value))
    }
}

impl<N: Into<Cow<'static, str>>> FromIterator<(N, Value)> for Struct {
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(members: I) -> Self {
        Struct(members.into_iter().map(|(name, value)| (name.into().into(), value)).collect())
    }
}

impl IntoIterator for Struct {
    type Item = (Cow<'static, str>, Value);
    type IntoIter = core::iter::Map<alloc::vec::IntoIter<(Name, Value)>, fn((Name, Value)) -> Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().map(|(name, value)| (name.into(), value))
    }
}

/// What stands on the wire, by its tag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Untyped or string.
    Text,
    /// `int`, `i4`, `i8`, or a JSON number without a point.
    Int,
    /// A truth value.
    Bool,
    /// A floating point number.
    Double,
    /// A point in time.
    DateTime,
    /// Base64.
    Bytes,
    /// A set.
    Array,
    /// A record or map.
    Struct,
    /// Nothing.
    Nil,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Text => "text",
            Kind::Int => "an integer",
            Kind::Bool => "a boolean",
            Kind::Double => "a double",
            Kind::DateTime => "a date",
            Kind::Bytes => "base64",
            Kind::Array => "an array",
            Kind::Struct => "a struct",
            Kind::Nil => "nil",
        })
    }
}

macro_rules! from {
    ($($from:ty => |$it:ident| $make:expr),* $(,)?) => {
        $(impl From<$from> for Value {
            fn from($it: $from) -> Self {
                $make
            }
        })*
    };
}

from! {
    &str => |it| Value::Text(it.into()),
    String => |it| Value::Text(it),
    Cow<'_, str> => |it| Value::Text(it.into_owned()),
    i64 => |it| Value::Int(it),
    i32 => |it| Value::Int(i64::from(it)),
    u32 => |it| Value::Int(i64::from(it)),
    bool => |it| Value::Bool(it),
    f64 => |it| Value::Double(it),
    DateTime => |it| Value::DateTime(it),
    &RawRef => |it| Value::Text(it.as_str().into()),
    RawRef => |it| Value::Text(it.as_str().into()),
    &Uuid => |it| Value::Text(it.as_str().into()),
    Uuid => |it| Value::Text(it.as_str().into()),
    Struct => |it| Value::Struct(it),
    Vec<Value> => |it| Value::Array(it),
}

impl<C: Class> From<&Ref<C>> for Value {
    fn from(reference: &Ref<C>) -> Self {
        Value::Text(reference.as_str().into())
    }
}
