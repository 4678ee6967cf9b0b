//! What people type into the form of a message, as values by the types of its parameters.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_codec::{Limits, jsonrpc};
use xenapi_core::{DateTime, NULL, RawRef, Struct, Uuid, Value, Wire};

use super::catalogue::{Catalogue, Message, Param};
use super::ty::Ty;
use crate::text::Text;

/// How a value is entered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Editor {
    /// A line of text.
    Line,
    /// A number.
    Number,
    /// Yes or no.
    Switch,
    /// One of some words.
    Choice(Vec<String>),
    /// An object of a class, by name, uuid or reference.
    Object(String),
    /// One item a line.
    Lines,
    /// `key = value`, one a line.
    Pairs,
    /// JSON.
    Json,
}

/// What stands in the way of a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Problem {
    /// Nothing was entered.
    Missing,
    /// Not a whole number.
    NotInt,
    /// Not a number.
    NotFloat,
    /// Neither `true` nor `false`.
    NotBool,
    /// Not a time.
    NotTime,
    /// Not one of the words of the enumeration; a newer server may know it, but nobody here does.
    NotOneOf(String),
    /// There is no object of that class.
    NoSuchObject(String),
    /// Several objects have that name.
    Ambiguous(String),
    /// A line without `=`.
    NotPair(String),
    /// Not JSON, and where.
    NotJson(String),
    /// JSON, but not of that type.
    NotOfType(String),
}

impl Problem {
    /// The problem as a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Problem::Missing => Text::EntryMissing.get().into(),
            Problem::NotInt => Text::EntryNotInt.get().into(),
            Problem::NotFloat => Text::EntryNotFloat.get().into(),
            Problem::NotBool => Text::EntryNotBool.get().into(),
            Problem::NotTime => Text::EntryNotTime.get().into(),
            Problem::NotOneOf(word) => Text::EntryNotOneOf.with(&[word]),
            Problem::NoSuchObject(class) => Text::EntryNoSuchObject.with(&[class]),
            Problem::Ambiguous(class) => Text::EntryAmbiguous.with(&[class]),
            Problem::NotPair(line) => Text::EntryNotPair.with(&[line]),
            Problem::NotJson(why) => Text::EntryNotJson.with(&[why]),
            Problem::NotOfType(ty) => Text::EntryNotOfType.with(&[ty]),
        }
    }
}

/// Finds the objects of a class that a word names: by reference, uuid or name.
pub type Find<'a> = dyn Fn(&str, &str) -> Vec<RawRef> + 'a;

/// How values of a type are entered.
pub fn editor(ty: &Ty, catalogue: &Catalogue) -> Editor {
    match ty {
        Ty::Int | Ty::Float => Editor::Number,
        Ty::Bool => Editor::Switch,
        Ty::Enum(name) => Editor::Choice(catalogue.words(name).to_vec()),
        Ty::Ref(class) => Editor::Object(class.clone()),
        Ty::Option(inner) => editor(inner, catalogue),
        Ty::Set(item) if item.is_plain() => Editor::Lines,
        Ty::Map(key, value) if key.is_plain() && value.is_plain() => Editor::Pairs,
        Ty::Set(_) | Ty::Map(..) | Ty::Record(_) | Ty::Other(_) => Editor::Json,
        Ty::Void | Ty::Text | Ty::Time => Editor::Line,
    }
}

/// What a form starts with: what the server takes where nothing is said, or what is plainest.
pub fn initial(param: &Param) -> String {
    let default = param.default.trim_matches('"');
    match &param.ty {
        Ty::Bool if default.is_empty() => "false".into(),
        Ty::Map(..) | Ty::Set(_) if default == "{}" => String::new(),
        Ty::Record(_) => "{}".into(),
        _ if default == NULL => String::new(),
        _ => default.into(),
    }
}

/// What a form starts with for a parameter that is a record: the fields that whoever creates an object has to say.
pub fn template(param: &Param, catalogue: &Catalogue) -> String {
    let Ty::Record(name) = &param.ty else { return initial(param) };
    let Some(class) = catalogue.class(name) else { return initial(param) };
    let mut text = String::from("{");
    for field in class.fields.iter().filter(|field| field.needed) {
        let value = match &field.ty {
            Ty::Int | Ty::Float => "0",
            Ty::Bool => "false",
            Ty::Set(_) => "[]",
            Ty::Map(..) => "{}",
            Ty::Ref(_) if field.nullable => "null",
            _ => "\"\"",
        };
        let comma = if text.len() > 1 { "," } else { "" };
        text.push_str(&alloc::format!("{comma}\n  \"{}\": {value}", field.name));
    }
    if text.len() > 1 {
        text.push('\n');
    }
    text.push('}');
    text
}

/// What was entered for a message as its arguments, without the session. Parameters at the end that need not be given and were
/// not are left out.
///
/// # Errors
/// The parameters that something is wrong with, by their places.
pub fn arguments(
    message: &Message,
    entries: &[String],
    catalogue: &Catalogue,
    find: &Find<'_>,
) -> Result<Vec<Value>, Vec<(usize, Problem)>> {
    let entry = |at: usize| entries.get(at).map(|it| it.trim()).unwrap_or_default();
    let given = (0..message.params.len()).rev().find(|at| !(message.params[*at].optional && entry(*at).is_empty()));
    let mut values = Vec::new();
    let mut problems = Vec::new();
    for (at, param) in message.params.iter().take(given.map_or(0, |at| at + 1)).enumerate() {
        let text = if entry(at).is_empty() && param.optional { initial(param) } else { entry(at).to_string() };
        match value(&param.ty, param.nullable || param.optional, &text, catalogue, find) {
            Ok(value) => values.push(value),
            Err(problem) => problems.push((at, problem)),
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(problems) }
}

/// What was entered, as a value of a type.
fn value(ty: &Ty, nullable: bool, text: &str, catalogue: &Catalogue, find: &Find<'_>) -> Result<Value, Problem> {
    match ty {
        Ty::Option(inner) => value(inner, true, text, catalogue, find),
        Ty::Set(item) if item.is_plain() => {
            let items = text.lines().map(str::trim).filter(|line| !line.is_empty());
            let items: Result<Vec<Value>, Problem> = items.map(|line| word(item, false, line, catalogue, find)).collect();
            Ok(Value::Array(items?))
        }
        Ty::Map(key, item) if key.is_plain() && item.is_plain() => {
            let mut members = Struct::new();
            for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
                let (name, it) = line.split_once('=').ok_or_else(|| Problem::NotPair(line.into()))?;
                let Value::Text(name) = as_text(word(key, false, name.trim(), catalogue, find)?) else {
                    return Err(Problem::NotPair(line.into()));
                };
                members.set(name, word(item, true, it.trim(), catalogue, find)?);
            }
            Ok(Value::Struct(members))
        }
        Ty::Set(_) | Ty::Map(..) | Ty::Record(_) | Ty::Other(_) => {
            let limits = Limits::request();
            let json = jsonrpc::read_value(text, &limits, Value::read).map_err(|it| Problem::NotJson(it.to_string()))?;
            of_json(ty, json, catalogue, find)
        }
        _ => word(ty, nullable, text, catalogue, find),
    }
}

fn word(ty: &Ty, nullable: bool, text: &str, catalogue: &Catalogue, find: &Find<'_>) -> Result<Value, Problem> {
    match ty {
        Ty::Int => text.parse().map(Value::Int).map_err(|_| Problem::NotInt),
        Ty::Float => text.parse().map(Value::Double).map_err(|_| Problem::NotFloat),
        Ty::Bool => text.parse().map(Value::Bool).map_err(|_| Problem::NotBool),
        Ty::Time => DateTime::parse(text).map(Value::DateTime).map_err(|_| Problem::NotTime),
        Ty::Enum(name) => {
            let words = catalogue.words(name);
            let known = words.iter().find(|word| word.eq_ignore_ascii_case(text));
            known.map(|word| Value::Text(word.clone())).ok_or_else(|| Problem::NotOneOf(text.into()))
        }
        Ty::Ref(class) => reference(class, nullable, text, find),
        _ => Ok(Value::Text(text.into())),
    }
}

fn reference(class: &str, nullable: bool, text: &str, find: &Find<'_>) -> Result<Value, Problem> {
    if text.is_empty() || text == NULL {
        return if nullable { Ok(Value::Text(NULL.into())) } else { Err(Problem::Missing) };
    }
    // A reference is taken as it is: the server says whether it is one.
    if text.starts_with("OpaqueRef:") || text.starts_with("Ref:") {
        return Ok(Value::Text(text.into()));
    }
    match find(class, text).as_slice() {
        [one] => Ok(Value::Text(one.as_str().into())),
        [] => Err(Problem::NoSuchObject(class.into())),
        _ => Err(Problem::Ambiguous(class.into())),
    }
}

/// What came as JSON, as a value of a type: whole numbers stay whole, words become times and references.
fn of_json(ty: &Ty, json: Value, catalogue: &Catalogue, find: &Find<'_>) -> Result<Value, Problem> {
    let wrong = || Problem::NotOfType(ty.to_string());
    match (ty, json) {
        (Ty::Option(inner), json) => of_json(inner, json, catalogue, find),
        (Ty::Set(item), Value::Array(items)) => {
            let items: Result<Vec<Value>, Problem> =
                items.into_iter().map(|it| of_json(item, it, catalogue, find)).collect();
            items.map(Value::Array)
        }
        (Ty::Map(_, item), Value::Struct(members)) => object(&members, catalogue, find, |_| Some(item)),
        (Ty::Record(class), Value::Struct(members)) => {
            let class = catalogue.class(class);
            object(&members, catalogue, find, |name| class?.field(name).map(|it| &it.ty))
        }
        (Ty::Set(_) | Ty::Map(..) | Ty::Record(_), _) => Err(wrong()),
        (Ty::Int, Value::Int(it)) => Ok(Value::Int(it)),
        (Ty::Float, Value::Int(it)) => it.to_string().parse().map(Value::Double).map_err(|_| wrong()),
        (Ty::Float, Value::Double(it)) => Ok(Value::Double(it)),
        (Ty::Bool, Value::Bool(it)) => Ok(Value::Bool(it)),
        (Ty::Other(_), json) => Ok(json),
        (ty, Value::Text(text)) => word(ty, true, &text, catalogue, find),
        (Ty::Ref(_), Value::Nil) => Ok(Value::Text(NULL.into())),
        _ => Err(wrong()),
    }
}

fn object<'t>(
    members: &Struct,
    catalogue: &Catalogue,
    find: &Find<'_>,
    ty: impl Fn(&str) -> Option<&'t Ty>,
) -> Result<Value, Problem> {
    let mut typed = Struct::with_capacity(members.len());
    for (name, value) in members.iter() {
        let value = match ty(name) {
            Some(ty) => of_json(ty, value.clone(), catalogue, find)?,
            None => value.clone(),
        };
        typed.set(name.to_string(), value);
    }
    Ok(Value::Struct(typed))
}

/// The keys of maps are texts, whatever they mean.
fn as_text(value: Value) -> Value {
    match value {
        Value::Int(it) => Value::Text(it.to_string()),
        Value::Double(it) => Value::Text(it.to_string()),
        Value::Bool(it) => Value::Text(it.to_string()),
        other => other,
    }
}

/// Whether a text has the form of a uuid.
pub fn is_uuid(text: &str) -> bool {
    text.len() == 36 && Uuid::parse(text).is_ok()
}
