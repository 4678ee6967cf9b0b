//! What XenAPI is made of, with no I/O: references and uuids, values, calls, refusals, and the descriptors of classes.
//!
//! This crate knows neither XML nor HTTP nor any class by name. The classes are in `xenapi-model`, the wire format in
//! `xenapi-codec`, the conversation in `xenapi-client`.
//!
//! - A [`Ref`] names an object while a session lasts; a [`Uuid`] is its lasting identity.
//! - A [`Call`] is a value: a message, its parameters, and how to read its result. Nothing is sent.
//! - Decoding is driven by the expected type ([`Wire`]) because XenAPI sends integers as untyped text.
//! - A [`Failure`] is the server's refusal; a [`ReadError`] is a document that cannot be read, and where.
//!
//! `no_std` with `alloc`.
#![no_std]

extern crate alloc;

mod call;
mod class;
mod datetime;
mod descriptor;
mod double;
mod error;
mod integer;
mod lifecycle;
mod map;
mod method;
mod places;
mod reference;
mod secret;
#[doc(hidden)]
pub mod test_classes;
mod texts;
mod time;
mod tree;
mod uuid;
mod value;
mod wire;

pub use call::{
    Argument, Call, Field, RawCall, ReadResult, RwField, create, destroy, get_all, get_all_records, get_all_records_where,
    get_all_where, get_by_name_label, get_by_uuid, get_record,
};
pub use class::{Class, Record, Records, Rest, read_members, write_members};
pub use datetime::{DateTime, InvalidDateTime, Zone};
pub use descriptor::{
    Changes, ClassDesc, EnumDesc, ErrorDesc, ErrorParam, FieldDesc, Implicit, MessageDesc, OwnTypes, ParamDesc, Place,
    Qualifier, RecordDesc, Relation, RelationDesc, Role, Stage, Transition, Type, Unit,
};
pub use double::parse_double;
pub use error::{Failure, OtherError, ReadError, ReadErrorKind};
pub use integer::parse_int;
pub use lifecycle::{release_of, state};
pub use map::{Key, Map};
pub use method::{Member, Method, Param};
pub use reference::{NULL, RawRef, Ref};
pub use secret::{REDACTED, is_secret_key, redacted};
pub use texts::{TextEntries, TextMap, TextMapIter};
pub use time::Millis;
pub use tree::{ValueReader, ValueWriter};
pub use uuid::{InvalidUuid, Uuid};
pub use value::{Kind, Name, Struct, Value};
pub use wire::{Reader, Scalar, Start, Wire, Writer, from_value, to_value};

#[doc(hidden)]
pub mod generated {
    //! What the generated model needs and nobody else.
    pub use crate::call::create_from;
    pub use crate::places::{table, table_size};
    pub use crate::wire::text;
}

#[cfg(test)]
mod tests;
