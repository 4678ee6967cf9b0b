//! All that the API knows, as the page loads it when somebody wants to learn it.

use alloc::string::String;
use alloc::vec::Vec;

use xenapi_codec::{Limits, jsonrpc};
use xenapi_core::{ReadError, Struct, Value, Wire};

use super::ty::Ty;
use crate::text::Text;

/// The classes with their fields and messages, the errors, the releases.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Catalogue {
    /// In the order of the alphabet.
    pub classes: Vec<Class>,
    /// By code.
    pub errors: Vec<ErrorInfo>,
    /// Code names of releases, and the products that they were.
    pub releases: Vec<(String, String)>,
}

impl Catalogue {
    /// What happened in which release, in words: `published rio, changed 1.257.0` is “since XenServer 4.0 (rio), changed in
    /// 1.257.0”.
    pub fn history(&self, since: &str) -> String {
        let steps = since.split(',').filter_map(|step| {
            let (what, release) = step.trim().split_once(' ')?;
            let product = self.releases.iter().find(|(name, _)| name == release).map(|(_, product)| product);
            let release = match product {
                Some(product) => alloc::format!("{product} ({release})"),
                None => release.into(),
            };
            let text = match what {
                "published" => Text::SincePublished,
                "prototyped" => Text::SincePrototyped,
                "changed" => Text::SinceChanged,
                "extended" => Text::SinceExtended,
                "deprecated" => Text::SinceDeprecated,
                "removed" => Text::SinceRemoved,
                _ => return None,
            };
            Some(text.with(&[&release]))
        });
        let steps: Vec<String> = steps.collect();
        steps.join(", ")
    }
}

/// A class.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Class {
    /// The name on the wire.
    pub name: String,
    /// What it is, in a sentence.
    pub doc: String,
    /// Its place in the model: `core`, `connector`, …
    pub place: String,
    /// `deprecated`, `removed`, `prototyped`; empty for the usual.
    pub state: String,
    /// What happened to it in which release.
    pub since: String,
    /// Whether its changes are no events.
    pub quiet: bool,
    /// Its enumerations: names and words.
    pub enums: Vec<(String, Vec<String>)>,
    /// Its fields, in the order of records.
    pub fields: Vec<Field>,
    /// Its messages: those of its own first.
    pub messages: Vec<Message>,
}

/// A field.
#[derive(Clone, PartialEq, Debug)]
pub struct Field {
    /// The name on the wire.
    pub name: String,
    /// What it is, in a sentence.
    pub doc: String,
    /// What it holds.
    pub ty: Ty,
    /// Whether it may name nothing.
    pub nullable: bool,
    /// What its number counts; may be empty.
    pub unit: String,
    /// `RW`, `RO/constructor`, `RO/runtime`.
    pub access: String,
    /// The least role that may write it; empty where nobody may.
    pub role: String,
    /// The value of a new object, in the notation of the schema.
    pub default: String,
    /// The other end of the relation, `VM.VBDs`; may be empty.
    pub other: String,
    /// Whether it must not reach a log.
    pub secret: bool,
    /// Whether whoever creates an object has to say it.
    pub needed: bool,
    /// See [`Class::state`].
    pub state: String,
    /// See [`Class::since`].
    pub since: String,
}

/// How a message comes to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// It is one of its own.
    Own,
    /// Every class of its sort has it.
    OfClass,
    /// It reads a field.
    Get(String),
    /// It writes a field.
    Set(String),
    /// It adds to a set.
    Add(String),
    /// It takes out of a set.
    Remove(String),
    /// It adds to a map.
    AddTo(String),
    /// It takes out of a map.
    RemoveFrom(String),
}

/// A message.
#[derive(Clone, PartialEq, Debug)]
pub struct Message {
    /// The name without its class.
    pub name: String,
    /// What it does, in a sentence; empty for those that follow from fields.
    pub doc: String,
    /// How it comes to be.
    pub kind: Kind,
    /// What it takes, without the session.
    pub params: Vec<Param>,
    /// What it answers.
    pub result: Ty,
    /// Whether it may answer that there is nothing.
    pub nullable: bool,
    /// What its number counts; may be empty.
    pub unit: String,
    /// The least role that may call it.
    pub role: String,
    /// Whether it takes a session.
    pub session: bool,
    /// Whether it may run as a task.
    pub task: bool,
    /// Whether it changes nothing.
    pub looks: bool,
    /// The errors that it is known to answer.
    pub errors: Vec<String>,
    /// How it is called in Rust.
    pub rust: String,
    /// See [`Class::state`].
    pub state: String,
    /// See [`Class::since`].
    pub since: String,
}

/// A parameter.
#[derive(Clone, PartialEq, Debug)]
pub struct Param {
    /// The name in the documentation.
    pub name: String,
    /// What it is.
    pub ty: Ty,
    /// Whether it may be left out.
    pub optional: bool,
    /// Whether it may name nothing.
    pub nullable: bool,
    /// What its number counts; may be empty.
    pub unit: String,
    /// Whether it must not be shown.
    pub secret: bool,
    /// What the server takes when it is left out.
    pub default: String,
}

/// An error.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ErrorInfo {
    /// The code.
    pub code: String,
    /// What it says, in a sentence.
    pub doc: String,
    /// The names of its parameters.
    pub params: Vec<String>,
}

impl Catalogue {
    /// Reads the catalogue's JSON.
    ///
    /// # Errors
    /// When it is no JSON, or not of this shape at all. Members that are missing are empty.
    pub fn read(text: &str) -> Result<Catalogue, ReadError> {
        let value = jsonrpc::read_value(text, &Limits::reply(), Value::read)?;
        let top = value.as_struct().ok_or_else(|| ReadError::syntax("a catalogue", "something else"))?;
        Ok(Catalogue {
            classes: each(top, "classes", class),
            errors: each(top, "errors", error),
            releases: each(top, "releases", |it| (text_of(it, "name"), text_of(it, "product"))),
        })
    }

    /// A class by its name.
    pub fn class(&self, name: &str) -> Option<&Class> {
        self.classes.iter().find(|it| it.name == name)
    }

    /// A class and one of its messages, by `VM.start`.
    pub fn message(&self, class: &str, name: &str) -> Option<(&Class, &Message)> {
        let class = self.class(class)?;
        class.messages.iter().find(|it| it.name == name).map(|it| (class, it))
    }

    /// The words of an enumeration, which may stand with another class.
    pub fn words(&self, name: &str) -> &[String] {
        let mut all = self.classes.iter().flat_map(|class| &class.enums);
        all.find(|it| it.0 == name).map_or(&[], |it| &it.1)
    }
}

impl Class {
    /// A field by its name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|it| it.name == name)
    }

    /// Whether one can have a reference of it from a name.
    pub fn has_names(&self) -> bool {
        self.messages.iter().any(|it| it.name == "get_by_name_label")
    }
}

fn class(it: &Struct) -> Class {
    Class {
        name: text_of(it, "name"),
        doc: text_of(it, "doc"),
        place: text_of(it, "place"),
        state: text_of(it, "state"),
        since: text_of(it, "since"),
        quiet: flag(it, "quiet"),
        enums: each(it, "enums", |it| (text_of(it, "name"), texts(it, "words"))),
        fields: each(it, "fields", field),
        messages: each(it, "messages", message),
    }
}

fn field(it: &Struct) -> Field {
    Field {
        name: text_of(it, "name"),
        doc: text_of(it, "doc"),
        ty: Ty::parse(&text_of(it, "type")),
        nullable: flag(it, "nullable"),
        unit: text_of(it, "unit"),
        access: text_of(it, "access"),
        role: text_of(it, "role"),
        default: text_of(it, "default"),
        other: text_of(it, "other"),
        secret: flag(it, "secret"),
        needed: flag(it, "needed"),
        state: text_of(it, "state"),
        since: text_of(it, "since"),
    }
}

fn message(it: &Struct) -> Message {
    let of = text_of(it, "of");
    let kind = match text_of(it, "kind").as_str() {
        "" => Kind::Own,
        "get" => Kind::Get(of),
        "set" => Kind::Set(of),
        "add" => Kind::Add(of),
        "remove" => Kind::Remove(of),
        "add_to" => Kind::AddTo(of),
        "remove_from" => Kind::RemoveFrom(of),
        _ => Kind::OfClass,
    };
    Message {
        name: text_of(it, "name"),
        doc: text_of(it, "doc"),
        kind,
        params: each(it, "params", param),
        result: Ty::parse(&text_of(it, "result")),
        nullable: flag(it, "nullable"),
        unit: text_of(it, "unit"),
        role: text_of(it, "role"),
        session: !flag(it, "no_session"),
        task: flag(it, "task"),
        looks: flag(it, "looks"),
        errors: texts(it, "errors"),
        rust: text_of(it, "rust"),
        state: text_of(it, "state"),
        since: text_of(it, "since"),
    }
}

fn param(it: &Struct) -> Param {
    Param {
        name: text_of(it, "name"),
        ty: Ty::parse(&text_of(it, "type")),
        optional: flag(it, "optional"),
        nullable: flag(it, "nullable"),
        unit: text_of(it, "unit"),
        secret: flag(it, "secret"),
        default: text_of(it, "default"),
    }
}

fn error(it: &Struct) -> ErrorInfo {
    ErrorInfo { code: text_of(it, "code"), doc: text_of(it, "doc"), params: texts(it, "params") }
}

fn text_of(it: &Struct, name: &str) -> String {
    it.get(name).and_then(Value::as_text).unwrap_or_default().into()
}

fn flag(it: &Struct, name: &str) -> bool {
    it.get(name).and_then(Value::as_bool).unwrap_or_default()
}

fn texts(it: &Struct, name: &str) -> Vec<String> {
    let items = it.get(name).and_then(Value::as_array).unwrap_or_default();
    items.iter().filter_map(|it| it.as_text().map(String::from)).collect()
}

fn each<T>(it: &Struct, name: &str, read: impl Fn(&Struct) -> T) -> Vec<T> {
    let items = it.get(name).and_then(Value::as_array).unwrap_or_default();
    items.iter().filter_map(|it| it.as_struct().map(&read)).collect()
}
