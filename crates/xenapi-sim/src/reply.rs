//! Answers that share what they show with the store, so that a big one costs no copy of the pool.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use xenapi_core::{ClassDesc, RawRef, Struct, Type, Value, Writer};

use crate::store::Change;

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
        self.members().map(|(name, value)| 30 + name.len() + weight(value)).sum()
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

/// What happened to an object, as it is told. Big subscriptions hold many of them, so they are small.
#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) id: u64,
    /// Seconds since 1970, or 0 where xapi tells no time.
    pub(crate) time: i64,
    pub(crate) class: &'static str,
    pub(crate) change: Change,
    pub(crate) reference: RawRef,
    pub(crate) snapshot: Option<Snapshot>,
}

impl Event {
    fn to_value(&self) -> Value {
        let mut members = Struct::with_capacity(6);
        members.push("id", format!("{}", self.id));
        members.push("timestamp", format!("{}.0", self.time));
        members.push("class", self.class);
        members.push("operation", self.change.word());
        members.push("ref", &self.reference);
        if let Some(snapshot) = &self.snapshot {
            members.push("snapshot", snapshot.to_value());
        }
        Value::Struct(members)
    }

    fn write(&self, writer: &mut dyn Writer) {
        let (id, time) = (format!("{}", self.id), format!("{}.0", self.time));
        writer.begin_struct();
        let words = [("id", &*id), ("timestamp", &time), ("class", self.class), ("operation", self.change.word())];
        for (name, text) in words.into_iter().chain([("ref", self.reference.as_str())]) {
            writer.member(name);
            writer.text(text);
        }
        if let Some(snapshot) = &self.snapshot {
            writer.member("snapshot");
            snapshot.write(writer);
        }
        writer.end_struct();
    }
}

/// A part of an answer.
#[derive(Clone)]
pub(crate) enum Node {
    Value(Value),
    Record(Snapshot),
    Events(Vec<Event>),
    Struct(Vec<(Name, Node)>),
}

impl Node {
    fn to_value(&self) -> Value {
        match self {
            Node::Value(value) => value.clone(),
            Node::Record(snapshot) => snapshot.to_value(),
            Node::Events(events) => Value::Array(events.iter().map(Event::to_value).collect()),
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

    fn weight(&self) -> usize {
        match self {
            Node::Value(value) => weight(value),
            Node::Record(snapshot) => snapshot.weight(),
            Node::Events(events) => {
                events.iter().map(|event| 400 + event.snapshot.as_ref().map_or(0, Snapshot::weight)).sum()
            }
            Node::Struct(members) => members.iter().map(|(name, node)| 40 + name.as_str().len() + node.weight()).sum(),
        }
    }

    fn write(&self, writer: &mut dyn Writer) {
        match self {
            Node::Value(value) => write_value(value, writer),
            Node::Record(snapshot) => snapshot.write(writer),
            Node::Events(events) => {
                writer.begin_array();
                events.iter().for_each(|event| event.write(writer));
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
pub struct Shared(Arc<Node>);

impl Shared {
    pub(crate) fn new(node: Node) -> Self {
        Shared(Arc::new(node))
    }

    /// Writes the result, without a tree of values between.
    pub fn write(&self, writer: &mut dyn Writer) {
        self.0.write(writer);
    }

    /// About how many bytes it takes on the wire; more rather than less.
    pub fn weight(&self) -> usize {
        self.0.weight()
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
        let (kind, count) = match &*self.0 {
            Node::Struct(members) => ("a struct", members.len()),
            Node::Events(events) => ("an array", events.len()),
            _ => ("a value", 1),
        };
        write!(f, "Shared({kind} of {count})")
    }
}
