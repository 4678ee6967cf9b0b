//! What a class, a field and a message are, as constant data.
//!
//! The model fills these in from its schema; simulators, command lines, policies and forms read them.

use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

use crate::datetime::DateTime;
use crate::double::parse_double;
use crate::reference::NULL;
use crate::value::{Struct, Value};

/// A role, from the least to the most mighty. Each may do what the ones before it may.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// May look at everything, and end its own session.
    ReadOnly,
    /// May start and stop VMs and use their consoles.
    VmOperator,
    /// May make, change and destroy VMs.
    VmAdmin,
    /// May also migrate and snapshot VMs.
    VmPowerAdmin,
    /// May operate hosts, storage, networks and the pool.
    PoolOperator,
    /// May do everything, roles included.
    PoolAdmin,
    /// Not a role: only root on the host itself, or xapi.
    LocalSuperuser,
}

impl Role {
    /// The roles that a user can have, from the least.
    pub const ASSIGNABLE: [Role; 6] =
        [Role::ReadOnly, Role::VmOperator, Role::VmAdmin, Role::VmPowerAdmin, Role::PoolOperator, Role::PoolAdmin];

    /// The name as xapi writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Role::ReadOnly => "read-only",
            Role::VmOperator => "vm-operator",
            Role::VmAdmin => "vm-admin",
            Role::VmPowerAdmin => "vm-power-admin",
            Role::PoolOperator => "pool-operator",
            Role::PoolAdmin => "pool-admin",
            Role::LocalSuperuser => "local-superuser",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who writes a field.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Qualifier {
    /// Clients, at creation and later: there is a setter.
    ReadWrite,
    /// Clients at creation, later at most through a message of its own. `RO/constructor` in xapi.
    Static,
    /// The server only. `RO/runtime` in xapi.
    Dynamic,
}

impl Qualifier {
    /// The name as xapi's documentation writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Qualifier::ReadWrite => "RW",
            Qualifier::Static => "RO/constructor",
            Qualifier::Dynamic => "RO/runtime",
        }
    }
}

/// What happened to a class, field or message in a release.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stage {
    /// Seen first, without a promise.
    Prototyped,
    /// Became part of the API.
    Published,
    /// Extended.
    Extended,
    /// Changed.
    Changed,
    /// Still works, not to be used.
    Deprecated,
    /// Gone.
    Removed,
}

/// A change and the code name of its release, for example `(Published, "rio")`.
pub type Transition = (Stage, &'static str);

/// What a number counts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// 1,024 bytes.
    Kibibytes,
    /// 1,048,576 bytes.
    Mebibytes,
    /// 1,024 bytes in a second.
    KibibytesPerSecond,
    /// 1,000,000 bits in a second.
    MegabitsPerSecond,
    /// Thousandths of a second.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Hours.
    Hours,
    /// A part of the whole, from 0 to 1.
    Fraction,
    /// Hundredths.
    Percent,
    /// 1,000,000 cycles in a second.
    Megahertz,
    /// Points of a screen.
    Pixels,
}

impl Unit {
    /// All of them.
    pub const ALL: [Unit; 12] = [
        Unit::Bytes,
        Unit::Kibibytes,
        Unit::Mebibytes,
        Unit::KibibytesPerSecond,
        Unit::MegabitsPerSecond,
        Unit::Milliseconds,
        Unit::Seconds,
        Unit::Hours,
        Unit::Fraction,
        Unit::Percent,
        Unit::Megahertz,
        Unit::Pixels,
    ];

    /// The name in the schema and in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Unit::Bytes => "bytes",
            Unit::Kibibytes => "KiB",
            Unit::Mebibytes => "MiB",
            Unit::KibibytesPerSecond => "KiB/s",
            Unit::MegabitsPerSecond => "Mb/s",
            Unit::Milliseconds => "milliseconds",
            Unit::Seconds => "seconds",
            Unit::Hours => "hours",
            Unit::Fraction => "fraction",
            Unit::Percent => "percent",
            Unit::Megahertz => "MHz",
            Unit::Pixels => "pixels",
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The place of a class in the model.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Place {
    /// What people run a pool for: pool, host, VM, SR, VDI, network.
    Core,
    /// Joins two others, as a VBD joins a VM and a VDI.
    Connector,
    /// A device of a host, and the groups and drivers of such devices.
    Hardware,
    /// Measurements of another object.
    Metrics,
    /// Rules that apply to many objects: schedules, groups, appliances.
    Policy,
    /// Who may do what, and the keys to it.
    Access,
    /// What the API itself works with: tasks, events, messages, updates.
    Service,
    /// Only ever part of an answer; no object of it exists.
    Value,
    /// Kept for old clients.
    Legacy,
}

impl Place {
    /// All of them.
    pub const ALL: [Place; 9] = [
        Place::Core,
        Place::Connector,
        Place::Hardware,
        Place::Metrics,
        Place::Policy,
        Place::Access,
        Place::Service,
        Place::Value,
        Place::Legacy,
    ];

    /// The name in the schema and in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Place::Core => "core",
            Place::Connector => "connector",
            Place::Hardware => "hardware",
            Place::Metrics => "metrics",
            Place::Policy => "policy",
            Place::Access => "access",
            Place::Service => "service",
            Place::Value => "value",
            Place::Legacy => "legacy",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a message changes, as far as the schema can tell.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Changes {
    /// Nothing: it only looks.
    Nothing,
    /// A field of the object that it is called on.
    Field(&'static str),
    /// Makes objects of its class.
    Creates,
    /// Takes objects of its class away.
    Destroys,
    /// The object that it is called on or others, in ways that only the server knows.
    Objects,
}

/// A type of the API.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Type {
    /// No result.
    Void,
    /// Text.
    String,
    /// 64-bit integer.
    Int,
    /// Floating point number.
    Float,
    /// Truth value.
    Bool,
    /// Point in time.
    DateTime,
    /// One of a set of words.
    Enum(&'static EnumDesc),
    /// A reference to an object of the class named.
    Ref(&'static str),
    /// A record of the class named.
    Record(&'static str),
    /// A set, ordered as stored.
    Set(&'static Type),
    /// A map.
    Map(&'static Type, &'static Type),
    /// A value that may be absent from its record.
    Option(&'static Type),
    /// The record of whatever class an event is about.
    AnyRecord,
    /// What `event.from` answers.
    EventBatch,
}

impl Type {
    /// The class that the type refers to, be it directly, in a set, or as the key of a map.
    pub const fn ref_class(&self) -> Option<&'static str> {
        match self {
            Type::Ref(class) => Some(class),
            Type::Set(inner) | Type::Option(inner) | Type::Map(inner, _) => inner.ref_class(),
            _ => None,
        }
    }
}

impl Type {
    /// The value that a type has when nobody says otherwise: empty, zero, false, null, never.
    pub fn empty_value(&self) -> Value {
        empty(self)
    }
}

impl fmt::Display for Type {
    /// In the notation of xapi's documentation: `VM ref set`, `(string -> string) map`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Void => f.write_str("void"),
            Type::String => f.write_str("string"),
            Type::Int => f.write_str("int"),
            Type::Float => f.write_str("float"),
            Type::Bool => f.write_str("bool"),
            Type::DateTime => f.write_str("datetime"),
            Type::Enum(desc) => write!(f, "enum {}", desc.name),
            Type::Ref(class) => write!(f, "{class} ref"),
            Type::Record(class) => write!(f, "{class} record"),
            Type::Set(inner) => write!(f, "{inner} set"),
            Type::Map(key, value) => write!(f, "({key} -> {value}) map"),
            Type::Option(inner) => write!(f, "{inner} option"),
            Type::AnyRecord => f.write_str("<class> record"),
            Type::EventBatch => f.write_str("an event batch"),
        }
    }
}

/// An enumeration. Servers newer than the schema may send other words.
#[derive(PartialEq, Debug)]
pub struct EnumDesc {
    /// The name, for example `vm_power_state`.
    pub name: &'static str,
    /// The words, exactly as on the wire.
    pub values: &'static [&'static str],
}

/// A field of a class.
#[derive(Debug)]
pub struct FieldDesc {
    /// The name on the wire, for example `VCPUs_max`.
    pub name: &'static str,
    /// What it holds.
    pub ty: Type,
    /// Who writes it.
    pub qualifier: Qualifier,
    /// The value of a new object and of a record that lacks the field, in the notation of the schema. None: the type's own.
    pub default: Option<&'static str>,
    /// The least role that may read it by `get_…`.
    pub read_role: Role,
    /// The least role that may write it, where there is a setter.
    pub write_role: Role,
    /// The other end, where the field is one side of a relation.
    pub relation: Option<Relation>,
    /// Whether it may name nothing: a reference that is `Option<Ref<…>>` in Rust.
    pub nullable: bool,
    /// What its numbers count.
    pub unit: Option<Unit>,
    /// Whether its value must not reach a log.
    pub secret: bool,
    /// Whether whoever creates an object from a record has to say it.
    pub needed: bool,
    /// Whether clients that log in by certificate may write it, too.
    pub client_cert: bool,
    /// The type that the documentation declares, where servers send another one.
    pub declared: Option<Type>,
    /// Its releases.
    pub lifecycle: &'static [Transition],
    /// What it is, in a sentence; empty where nobody has written one, and without the feature `docs` of the model.
    pub doc: &'static str,
}

impl FieldDesc {
    /// A field without anything particular, to be completed by `..FieldDesc::PLAIN`.
    pub const PLAIN: FieldDesc = FieldDesc {
        name: "",
        ty: Type::String,
        qualifier: Qualifier::Dynamic,
        default: None,
        read_role: Role::ReadOnly,
        write_role: Role::LocalSuperuser,
        relation: None,
        nullable: false,
        unit: None,
        secret: false,
        needed: false,
        client_cert: false,
        declared: None,
        lifecycle: &[],
        doc: "",
    };

    /// The value of a new object, and of a record that lacks the field.
    pub fn default_value(&self) -> Value {
        default_value(self.default, &self.ty)
    }

    /// Whether a client may set it at any time.
    pub fn is_writable(&self) -> bool {
        self.qualifier == Qualifier::ReadWrite
    }

    /// Whether `add_…` and `remove_…` exist: writable sets that are not one side of a relation.
    pub fn is_set(&self) -> bool {
        self.is_writable() && matches!(self.ty, Type::Set(_))
    }

    /// Whether `add_to_…` and `remove_from_…` exist.
    pub fn is_map(&self) -> bool {
        self.is_writable() && matches!(self.ty, Type::Map(..))
    }
}

/// One side of a relation between two fields that mirror each other, for example `VBD.VM` and `VM.VBDs`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Relation {
    /// The class at the other end.
    pub class: &'static str,
    /// The field at the other end.
    pub field: &'static str,
    /// Whether this side is stored; the other is computed from it.
    pub stored: bool,
}

/// A parameter of a message.
#[derive(Debug)]
pub struct ParamDesc {
    /// The name in the documentation. On the wire, parameters go by position.
    pub name: &'static str,
    /// What it is.
    pub ty: Type,
    /// Whether it must be given. Parameters that need not are the last ones.
    pub required: bool,
    /// Whether it may name nothing: a reference that is `Option<&Ref<…>>` in Rust.
    pub nullable: bool,
    /// What its number counts.
    pub unit: Option<Unit>,
    /// Whether its value must not reach a log.
    pub secret: bool,
    /// What the server takes when it is not given, in the notation of the schema. None: the type's own.
    pub default: Option<&'static str>,
}

impl ParamDesc {
    /// A parameter without anything particular, to be completed by `..ParamDesc::PLAIN`.
    pub const PLAIN: ParamDesc =
        ParamDesc { name: "", ty: Type::String, required: true, nullable: false, unit: None, secret: false, default: None };

    /// What the server takes when it is not given.
    pub fn default_value(&self) -> Value {
        default_value(self.default, &self.ty)
    }
}

/// An explicit message of a class. The implicit ones follow from the fields, see [`crate::Method`].
#[derive(Debug)]
pub struct MessageDesc {
    /// The name without its class, for example `clean_shutdown`.
    pub name: &'static str,
    /// What it answers.
    pub result: Type,
    /// The parameters, without the session.
    pub params: &'static [ParamDesc],
    /// Whether the first parameter on the wire is the session.
    pub takes_session: bool,
    /// Whether it has an `Async.` form, which answers a task.
    pub has_async: bool,
    /// The error codes that the documentation names.
    pub errors: &'static [&'static str],
    /// The least role that may call it.
    pub least_role: Role,
    /// Whether clients that log in by certificate may call it, too.
    pub client_cert: bool,
    /// Whether it may answer that there is nothing: a reference that is `Option<Ref<…>>` in Rust.
    pub nullable: bool,
    /// What the number that it answers counts.
    pub unit: Option<Unit>,
    /// What it changes.
    pub changes: Changes,
    /// Its releases.
    pub lifecycle: &'static [Transition],
    /// What it does, in a sentence; empty where nobody has written one, and without the feature `docs` of the model.
    pub doc: &'static str,
}

impl MessageDesc {
    /// A message without anything particular, to be completed by `..MessageDesc::PLAIN`.
    pub const PLAIN: MessageDesc = MessageDesc {
        name: "",
        result: Type::Void,
        params: &[],
        takes_session: true,
        has_async: true,
        errors: &[],
        least_role: Role::ReadOnly,
        client_cert: false,
        nullable: false,
        unit: None,
        changes: Changes::Objects,
        lifecycle: &[],
        doc: "",
    };
}

/// Which implicit messages a class has, beside those of its fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Implicit {
    /// `get_all`, `get_all_records`, `get_all_records_where`, `get_all_where`.
    pub get_all: bool,
    /// `get_by_uuid` and `get_record`.
    pub get_record: bool,
    /// `get_by_name_label`.
    pub get_by_name_label: bool,
    /// `create` from a record and `destroy`: the least role for each.
    pub create: Option<(Role, Role)>,
    /// The least role for the getters above.
    pub read_role: Role,
}

/// What reading and writing records takes of a class: its name and its fields.
///
/// Apart from the rest of [`ClassDesc`], so that programs that only read records do not carry every message of their classes.
#[derive(Debug)]
pub struct RecordDesc {
    /// The name on the wire, for example `VM_guest_metrics`.
    pub name: &'static str,
    /// Whether whoever holds a reference of this class holds a secret.
    pub secret: bool,
    /// The fields, in the order in which records list them.
    pub fields: &'static [FieldDesc],
    /// Places in [`RecordDesc::fields`] by name. The generated model fills it; ask [`RecordDesc::field_index`].
    #[doc(hidden)]
    pub by_name: &'static [u8],
    /// Whether its `get_all_records` lists them.
    pub listed: bool,
}

impl RecordDesc {
    /// The place of a field in [`RecordDesc::fields`].
    pub fn field_index(&self, name: &str) -> Option<usize> {
        crate::places::find(self.by_name, self.fields, name)
    }

    /// A field by its name on the wire.
    pub fn field(&self, name: &str) -> Option<&'static FieldDesc> {
        self.field_index(name).map(|at| &self.fields[at])
    }
}

impl Deref for ClassDesc {
    type Target = RecordDesc;

    fn deref(&self) -> &RecordDesc {
        self.record
    }
}

/// A class.
#[derive(Debug)]
pub struct ClassDesc {
    /// Its name and its fields, which can be had from this as well.
    pub record: &'static RecordDesc,
    /// Its place in the model.
    pub place: Place,
    /// The enumerations that the documentation lists with it. Some stand with two classes.
    pub enums: &'static [&'static EnumDesc],
    /// The explicit messages.
    pub messages: &'static [MessageDesc],
    /// The implicit messages beside those of the fields.
    pub implicit: Implicit,
    /// Whether changes of its objects are events. Sessions and secrets, for example, have none.
    pub has_events: bool,
    /// `… ref`, `… ref set` and `(… ref -> … record) map` of the class itself.
    pub own: OwnTypes,
    /// Its releases.
    pub lifecycle: &'static [Transition],
    /// What it is, in a sentence; empty where nobody has written one, and without the feature `docs` of the model.
    pub doc: &'static str,
}

/// The types in which implicit messages speak of their own class.
#[derive(Debug)]
pub struct OwnTypes {
    /// A reference.
    pub reference: Type,
    /// A set of references.
    pub references: Type,
    /// A record.
    pub record: Type,
    /// All records by reference.
    pub records: Type,
}

impl ClassDesc {
    /// An explicit message by its name.
    pub fn message(&self, name: &str) -> Option<&'static MessageDesc> {
        self.messages.iter().find(|message| message.name == name)
    }
}

/// Two fields that mirror each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RelationDesc {
    /// Class and field of the side that is stored. Some are known to the server alone.
    pub stored: (&'static str, &'static str),
    /// Class and field of the side that is computed.
    pub computed: (&'static str, &'static str),
}

/// An error code and its parameters.
#[derive(Debug, PartialEq)]
pub struct ErrorDesc {
    /// The code.
    pub code: &'static str,
    /// The parameters' names as the documentation declares them.
    pub declared: &'static [&'static str],
    /// The parameters as servers send them. There may be fewer or more at times.
    pub params: &'static [ErrorParam],
    /// What it means, in a sentence; empty where nobody has written one, and without the feature `docs` of the model.
    pub doc: &'static str,
}

/// A parameter of an error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErrorParam {
    /// The name.
    pub name: &'static str,
    /// What its text stands for: text, an integer, or a reference.
    pub ty: Type,
}

fn default_value(default: Option<&'static str>, ty: &Type) -> Value {
    default.and_then(|text| literal(text, ty)).unwrap_or_else(|| empty(ty))
}

/// The value that a type has when nobody says otherwise.
fn empty(ty: &Type) -> Value {
    match ty {
        Type::Int => Value::Int(0),
        Type::Float => Value::Double(0.0),
        Type::Bool => Value::Bool(false),
        Type::DateTime => Value::DateTime(DateTime::NEVER),
        Type::Ref(_) => Value::from(NULL),
        Type::Set(_) => Value::Array(Vec::new()),
        Type::Map(..) | Type::Record(_) => Value::empty_struct(),
        Type::Option(_) | Type::AnyRecord | Type::EventBatch => Value::Nil,
        Type::Void | Type::String | Type::Enum(_) => Value::VOID,
    }
}

/// Reads a default as the schema writes it: `""`, `0.`, `{}`, `{a, b}`, `{"k" -> "v"}`, `Null`, a bare word.
fn literal(text: &str, ty: &Type) -> Option<Value> {
    let unquoted = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    match ty {
        Type::Int => text.parse().ok().map(Value::Int),
        Type::Float => parse_double(text).map(Value::Double),
        Type::Bool => text.parse().ok().map(Value::Bool),
        Type::DateTime => DateTime::parse(text).ok().map(Value::DateTime),
        Type::Ref(_) if text == "Null" => Some(Value::from(NULL)),
        Type::String | Type::Enum(_) | Type::Ref(_) => Some(Value::from(unquoted)),
        Type::Set(item) => {
            let items = braced(text)?.map(|part| literal(part, item));
            items.collect::<Option<Vec<_>>>().map(Value::Array)
        }
        Type::Map(_, value) => {
            let mut members = Struct::new();
            for part in braced(text)? {
                let (name, it) = part.split_once(" -> ")?;
                members.push(alloc::string::String::from(name.trim_matches('"')), literal(it, value)?);
            }
            Some(Value::Struct(members))
        }
        _ => None,
    }
}

/// The parts between braces.
fn braced(text: &str) -> Option<impl Iterator<Item = &str>> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    Some(inner.split(',').map(str::trim).filter(|part| !part.is_empty()))
}
