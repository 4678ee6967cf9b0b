//! Answers that share what they show with the store, so that a big one costs no copy of the pool.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use xenapi_core::{ClassDesc, RawRef, Struct, Type, Value, Writer};

/// The record of an object as it was when it was taken.
#[derive(Clone)]
pub(crate) struct Snapshot {
    pub(crate) class: &'static ClassDesc,
    pub(crate) fields: Arc<Vec<Value>>,
    pub(crate) extra: Option<Arc<Struct>>,
}

impl Snapshot {
    fn members(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        // An option without a value is left out.
        let is_there = |(ty, value): (&Type, &Value)| *value != Value::Nil || !matches!(ty, Type::Option(_));
        let members = self.class.fields.iter().zip(self.fields.iter());
        members.filter(move |(field, value)| is_there((&field.ty, value))).map(|(field, value)| (field.name, value))
    }

    fn extra(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.extra.iter().flat_map(|extra| extra.iter())
    }

    pub(crate) fn to_value(&self) -> Value {
        let mut members = Struct::with_capacity(self.class.fields.len());
        self.members().for_each(|(name, value)| members.push(name, value.clone()));
        self.extra().for_each(|(name, value)| members.push(Cow::Owned(String::from(name)), value.clone()));
        Value::Struct(members)
    }

    fn write(&self, writer: &mut dyn Writer) {
        writer.begin_struct();
        for (name, value) in self.members() {
            writer.member(name);
            write_value(value, writer);
        }
        for (name, value) in self.extra() {
            writer.member(name);
            write_value(value, writer);
        }
        writer.end_struct();
    }

    /// About how many bytes it takes on the wire.
    pub(crate) fn weight(&self) -> usize {
        self.members().map(|(name, value)| name.len() + 2 * weight(value)).sum()
    }
}

fn weight(value: &Value) -> usize {
    match value {
        Value::Text(text) => 20 + text.len(),
        Value::Array(items) => 40 + items.iter().map(weight).sum::<usize>(),
        Value::Struct(members) => 40 + members.iter().map(|(name, value)| 30 + name.len() + weight(value)).sum::<usize>(),
        _ => 30,
    }
}

fn write_value(value: &Value, writer: &mut dyn Writer) {
    xenapi_core::Wire::write(value, writer);
}

/// The name of a member.
#[derive(Clone)]
pub(crate) enum Name {
    Word(&'static str),
    Reference(RawRef),
}

impl Name {
    fn as_str(&self) -> &str {
        match self {
            Name::Word(word) => word,
            Name::Reference(reference) => reference.as_str(),
        }
    }
}

/// A part of an answer.
#[derive(Clone)]
pub(crate) enum Node {
    Value(Value),
    Word(&'static str),
    Reference(RawRef),
    Record(Snapshot),
    Struct(Vec<(Name, Node)>),
    Array(Vec<Node>),
}

impl Node {
    fn to_value(&self) -> Value {
        match self {
            Node::Value(value) => value.clone(),
            Node::Word(word) => Value::from(*word),
            Node::Reference(reference) => Value::from(reference),
            Node::Record(snapshot) => snapshot.to_value(),
            Node::Array(items) => Value::Array(items.iter().map(Node::to_value).collect()),
            Node::Struct(members) => {
                let members = members.iter().map(|(name, node)| {
                    let name = match name {
                        Name::Word(word) => Cow::Borrowed(*word),
                        Name::Reference(reference) => Cow::Owned(String::from(reference.as_str())),
                    };
                    (name, node.to_value())
                });
                Value::Struct(members.collect())
            }
        }
    }

    fn write(&self, writer: &mut dyn Writer) {
        match self {
            Node::Value(value) => write_value(value, writer),
            Node::Word(word) => writer.text(word),
            Node::Reference(reference) => writer.text(reference.as_str()),
            Node::Record(snapshot) => snapshot.write(writer),
            Node::Array(items) => {
                writer.begin_array();
                items.iter().for_each(|item| item.write(writer));
                writer.end_array();
            }
            Node::Struct(members) => {
                writer.begin_struct();
                for (name, node) in members {
                    writer.member(name.as_str());
                    node.write(writer);
                }
                writer.end_struct();
            }
        }
    }
}

/// A result made of records that it shares with the pool: cheap to make and to keep, however big it is on the wire.
///
/// It is what it was when it was made; later changes of the pool do not show in it.
#[derive(Clone)]
pub struct Shared(pub(crate) Node);

impl Shared {
    /// Writes the result, without a tree of values between.
    pub fn write(&self, writer: &mut dyn Writer) {
        self.0.write(writer);
    }

    /// The result as a tree of values: a copy of everything.
    pub fn to_value(&self) -> Value {
        self.0.to_value()
    }
}

impl PartialEq for Shared {
    fn eq(&self, other: &Self) -> bool {
        self.to_value() == other.to_value()
    }
}

impl fmt::Debug for Shared {
    /// Only what kind of result it is: the records of a pool are too long to be read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, count) = match &self.0 {
            Node::Struct(members) => ("a struct", members.len()),
            Node::Array(items) => ("an array", items.len()),
            _ => ("a value", 1),
        };
        write!(f, "Shared({kind} of {count})")
    }
}
