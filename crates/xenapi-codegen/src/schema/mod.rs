//! The schema: its notation, read and written.
//!
//! `crates/xenapi-model/schema/README.md` explains the notation.

mod parse;
mod print;

pub use parse::{parse, parse_errors, parse_relations, parse_releases};
pub use print::{print, print_errors, print_relations, print_releases};

/// A type, in the notation of xapi's documentation.
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs, reason = "the variants are the types of the notation")]
pub enum Type {
    Void,
    String,
    Int,
    Float,
    Bool,
    DateTime,
    Enum(String),
    Ref(String),
    /// A reference that may name nothing: `host ref?`.
    NullRef(String),
    Record(String),
    Set(Box<Type>),
    Map(Box<Type>, Box<Type>),
    Option(Box<Type>),
    AnyRecord,
    EventBatch,
}

impl Type {
    /// Reads `VM ref set`, `(string -> string) map`, `enum vbd_mode`.
    ///
    /// # Errors
    /// When the text is none of them.
    pub fn parse(text: &str) -> Result<Type, String> {
        let text = text.trim();
        match text {
            "void" => return Ok(Type::Void),
            "string" => return Ok(Type::String),
            "int" => return Ok(Type::Int),
            "float" => return Ok(Type::Float),
            "bool" => return Ok(Type::Bool),
            "datetime" => return Ok(Type::DateTime),
            "<class> record" => return Ok(Type::AnyRecord),
            "an event batch" => return Ok(Type::EventBatch),
            _ => {}
        }
        if let Some(inner) = text.strip_suffix('?') {
            return match Type::parse(inner)? {
                Type::Ref(class) => Ok(Type::NullRef(class)),
                _ => Err(format!("{text:?}: only references may name nothing")),
            };
        }
        if let Some(inner) = text.strip_suffix(" set") {
            return Type::parse(inner).map(|inner| Type::Set(Box::new(inner)));
        }
        if let Some(inner) = text.strip_suffix(" option") {
            return Type::parse(inner).map(|inner| Type::Option(Box::new(inner)));
        }
        if let Some(inner) = text.strip_suffix(") map").and_then(|rest| rest.strip_prefix('(')) {
            let (key, value) = inner.split_once(" -> ").ok_or_else(|| format!("no `->` in the map type {text:?}"))?;
            return Ok(Type::Map(Box::new(Type::parse(key)?), Box::new(Type::parse(value)?)));
        }
        let word = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !text.is_empty();
        let named = [
            (text.strip_suffix(" ref"), Type::Ref as fn(String) -> Type),
            (text.strip_suffix(" record"), Type::Record),
            (text.strip_prefix("enum "), Type::Enum),
        ];
        let found = named.into_iter().find_map(|(name, make)| name.filter(|name| word(name)).map(|name| make(name.into())));
        found.ok_or_else(|| format!("unknown type {text:?}"))
    }
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Type::Void => f.write_str("void"),
            Type::String => f.write_str("string"),
            Type::Int => f.write_str("int"),
            Type::Float => f.write_str("float"),
            Type::Bool => f.write_str("bool"),
            Type::DateTime => f.write_str("datetime"),
            Type::Enum(name) => write!(f, "enum {name}"),
            Type::Ref(class) => write!(f, "{class} ref"),
            Type::NullRef(class) => write!(f, "{class} ref?"),
            Type::Record(class) => write!(f, "{class} record"),
            Type::Set(inner) => write!(f, "{inner} set"),
            Type::Map(key, value) => write!(f, "({key} -> {value}) map"),
            Type::Option(inner) => write!(f, "{inner} option"),
            Type::AnyRecord => f.write_str("<class> record"),
            Type::EventBatch => f.write_str("an event batch"),
        }
    }
}

/// What happened in which release: `published rio`.
pub type Lifecycle = Vec<(String, String)>;

/// A class with all that belongs to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Class {
    /// Name on the wire.
    pub name: String,
    /// One sentence, or empty.
    pub doc: String,
    /// Its place in the model: one of [`PLACES`].
    pub place: String,
    /// Whether its references are secrets.
    pub secret: bool,
    /// Its releases.
    pub lifecycle: Lifecycle,
    /// `get_all`, `get_record`, `get_by_name_label`.
    pub implicit: Vec<String>,
    /// The least role for those; none where it is `read-only`.
    pub read_role: Option<String>,
    /// The least roles for `create` from a record and `destroy`.
    pub create: Option<(String, String)>,
    /// Whether changes of its objects are events.
    pub has_events: bool,
    /// Enumerations that the documentation lists with it.
    pub enums: Vec<Enum>,
    /// Fields in the order of the wire.
    pub fields: Vec<Field>,
    /// Explicit messages.
    pub messages: Vec<Message>,
}

/// An enumeration. Without words where another class declares it.
#[derive(Clone, Debug, PartialEq)]
pub struct Enum {
    /// Name in the documentation.
    pub name: String,
    /// The words.
    pub values: Vec<String>,
}

/// A field.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Name on the wire.
    pub name: String,
    /// What it holds.
    pub ty: Type,
    /// The type that the documentation declares, where servers send another one.
    pub declared: Option<Type>,
    /// `rw`, `static` or `dynamic`.
    pub qualifier: String,
    /// What whoever creates an object has to say, or need not.
    pub creation: Creation,
    /// Whether its value is a secret.
    pub secret: bool,
    /// What its number counts: one of [`UNITS`].
    pub unit: Option<String>,
    /// The default, as the documentation writes it.
    pub default: Option<String>,
    /// The least role that may read it.
    pub read_role: String,
    /// The least role that may write it.
    pub write_role: String,
    /// Whether clients by certificate may write it.
    pub client_cert: bool,
    /// Class, field, and whether this side is stored.
    pub relation: Option<(String, String, bool)>,
    /// Its releases.
    pub lifecycle: Lifecycle,
    /// One sentence, or empty.
    pub doc: String,
}

/// What whoever creates an object has to say about a field.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Creation {
    /// Nothing: there is a default, or the type's own value will do.
    #[default]
    Free,
    /// Its value.
    Needed,
    /// Nothing: without a word it is this.
    With(String),
}

/// An explicit message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Name without the class.
    pub name: String,
    /// The parameters, without the session.
    pub params: Vec<Param>,
    /// What it answers.
    pub result: Type,
    /// What the number that it answers counts.
    pub unit: Option<String>,
    /// Whether the session comes first.
    pub takes_session: bool,
    /// Whether it has an `Async.` form.
    pub has_async: bool,
    /// Declared errors.
    pub errors: Vec<String>,
    /// The least role.
    pub role: String,
    /// Whether clients by certificate may call it.
    pub client_cert: bool,
    /// What it changes.
    pub changes: Changes,
    /// Its releases.
    pub lifecycle: Lifecycle,
    /// One sentence, or empty.
    pub doc: String,
}

/// A parameter of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// The name.
    pub name: String,
    /// What it is.
    pub ty: Type,
    /// Whether it must be given.
    pub required: bool,
    /// What the server takes where it is not given.
    pub default: Option<String>,
    /// What its number counts.
    pub unit: Option<String>,
    /// Whether its value is a secret.
    pub secret: bool,
}

/// What a message changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Changes {
    /// Nothing.
    Nothing,
    /// A field of its object.
    Field(String),
    /// It makes objects of its class.
    Creates,
    /// It takes objects of its class away.
    Destroys,
    /// What only the server knows.
    #[default]
    Objects,
}

/// An error.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    /// The code.
    pub code: String,
    /// The parameters' names as the documentation declares them.
    pub declared: Vec<String>,
    /// The parameters as servers send them, with what their text stands for.
    pub params: Vec<(String, Type)>,
    /// One sentence, or empty.
    pub doc: String,
}

/// A release.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    /// The code name.
    pub name: String,
    /// The API version, major and minor.
    pub api: (i64, i64),
    /// The product.
    pub product: String,
    /// Month and year, or empty.
    pub date: String,
}

/// Two fields that mirror each other: the stored one and the computed one, each `CLASS.FIELD`.
pub type Relation = (String, String);

/// The places of classes in the model.
pub const PLACES: [&str; 9] = ["core", "connector", "hardware", "metrics", "policy", "access", "service", "value", "legacy"];

/// What numbers count.
pub const UNITS: [&str; 12] =
    ["bytes", "KiB", "MiB", "KiB/s", "Mb/s", "milliseconds", "seconds", "hours", "fraction", "percent", "MHz", "pixels"];

const STAGES: [&str; 6] = ["prototyped", "published", "extended", "changed", "deprecated", "removed"];

#[cfg(test)]
mod tests;
