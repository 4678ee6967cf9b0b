//! The schema: its notation, read and written.
//!
//! `crates/xenapi-model/schema/README.md` explains the notation.

use std::fmt::Write as _;

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
    /// Enumerations first used here.
    pub enums: Vec<Enum>,
    /// Fields in the order of the wire.
    pub fields: Vec<Field>,
    /// Explicit messages.
    pub messages: Vec<Message>,
}

/// An enumeration.
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
    /// `rw`, `static` or `dynamic`.
    pub qualifier: String,
    /// The default, as the documentation writes it.
    pub default: Option<String>,
    /// The least role that may read it.
    pub read_role: String,
    /// The least role that may write it.
    pub write_role: String,
    /// Class, field, and whether this side is stored.
    pub relation: Option<(String, String, bool)>,
    /// Its releases.
    pub lifecycle: Lifecycle,
    /// One sentence, or empty.
    pub doc: String,
}

/// An explicit message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Name without the class.
    pub name: String,
    /// Name, type, whether required.
    pub params: Vec<(String, Type, bool)>,
    /// What it answers.
    pub result: Type,
    /// Whether the session comes first.
    pub takes_session: bool,
    /// Whether it has an `Async.` form.
    pub has_async: bool,
    /// Declared errors.
    pub errors: Vec<String>,
    /// The least role.
    pub role: String,
    /// Its releases.
    pub lifecycle: Lifecycle,
    /// One sentence, or empty.
    pub doc: String,
}

/// Writes a class in the notation.
pub fn print(class: &Class) -> String {
    let mut out = String::new();
    let _ = write!(out, "class {}", class.name);
    attribute(&mut out, &lifecycle(&class.lifecycle));
    if !class.implicit.is_empty() {
        attribute(&mut out, &format!("implicit {}", class.implicit.join(" ")));
    }
    if let Some(role) = &class.read_role {
        attribute(&mut out, &format!("read {role}"));
    }
    if let Some((create, destroy)) = &class.create {
        attribute(&mut out, &format!("create {create}, destroy {destroy}"));
    }
    if !class.has_events {
        attribute(&mut out, "no events");
    }
    out.push('\n');
    doc(&mut out, &class.doc);
    for it in &class.enums {
        let _ = writeln!(out, "\nenum {} = {}", it.name, it.values.join(" | "));
    }
    out.push('\n');
    for field in &class.fields {
        print_field(&mut out, field);
    }
    for message in &class.messages {
        print_message(&mut out, message);
    }
    out
}

fn print_field(out: &mut String, field: &Field) {
    let _ = write!(out, "field {}: {}; {}", field.name, field.ty, field.qualifier);
    if field.qualifier == "rw" {
        let _ = write!(out, " {}", field.write_role);
    }
    if field.read_role != "read-only" {
        attribute(out, &format!("read {}", field.read_role));
    }
    if let Some(default) = &field.default {
        attribute(out, &format!("default {default}"));
    }
    if let Some((class, name, stored)) = &field.relation {
        attribute(out, &format!("{} {class}.{name}", if *stored { "mirrored by" } else { "mirrors" }));
    }
    attribute(out, &lifecycle(&field.lifecycle));
    out.push('\n');
    doc(out, &field.doc);
}

fn print_message(out: &mut String, message: &Message) {
    let params: Vec<String> = message
        .params
        .iter()
        .map(|(name, ty, required)| format!("{name}{}: {ty}", if *required { "" } else { "?" }))
        .collect();
    let _ = write!(out, "\nmessage {}({}) -> {}; {}", message.name, params.join(", "), message.result, message.role);
    if !message.takes_session {
        attribute(out, "no session");
    }
    if !message.has_async {
        attribute(out, "sync");
    }
    attribute(out, &lifecycle(&message.lifecycle));
    if !message.errors.is_empty() {
        attribute(out, &format!("errors {}", message.errors.join(" ")));
    }
    out.push('\n');
    doc(out, &message.doc);
}

fn attribute(out: &mut String, text: &str) {
    if !text.is_empty() {
        let _ = write!(out, "; {text}");
    }
}

fn doc(out: &mut String, text: &str) {
    if !text.is_empty() {
        let _ = writeln!(out, "  {text}");
    }
}

fn lifecycle(all: &Lifecycle) -> String {
    all.iter().map(|(stage, release)| format!("{stage} {release}")).collect::<Vec<_>>().join(", ")
}

const STAGES: [&str; 6] = ["prototyped", "published", "extended", "changed", "deprecated", "removed"];

fn parse_lifecycle(text: &str) -> Option<Lifecycle> {
    text.split(", ")
        .map(|part| part.split_once(' ').filter(|(stage, _)| STAGES.contains(stage)).map(|(a, b)| (a.into(), b.into())))
        .collect()
}

/// Reads a class in the notation.
///
/// # Errors
/// The line and what is wrong with it.
pub fn parse(text: &str) -> Result<Class, String> {
    let mut class = Class { has_events: true, ..Class::default() };
    let mut last = Last::Class;
    for (at, line) in text.lines().enumerate() {
        let wrong = |what: String| format!("line {}: {what}", at + 1);
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(sentence) = line.strip_prefix("  ") {
            set_doc(&mut class, last, sentence.trim()).map_err(wrong)?;
            continue;
        }
        let (kind, rest) = line.split_once(' ').ok_or_else(|| wrong(format!("a lone word {line:?}")))?;
        last = match kind {
            "class" => parse_class(&mut class, rest).map(|()| Last::Class),
            "enum" => parse_enum(rest).map(|it| class.enums.push(it)).map(|()| Last::Enum),
            "field" => parse_field(rest).map(|it| class.fields.push(it)).map(|()| Last::Field),
            "message" => parse_message(rest).map(|it| class.messages.push(it)).map(|()| Last::Message),
            _ => Err(format!("{kind:?} is none of class, enum, field, message")),
        }
        .map_err(wrong)?;
    }
    if class.name.is_empty() { Err("no `class` line".into()) } else { Ok(class) }
}

#[derive(Clone, Copy)]
enum Last {
    Class,
    Enum,
    Field,
    Message,
}

fn set_doc(class: &mut Class, last: Last, sentence: &str) -> Result<(), String> {
    let doc = match last {
        Last::Class => Some(&mut class.doc),
        Last::Enum => None,
        Last::Field => class.fields.last_mut().map(|it| &mut it.doc),
        Last::Message => class.messages.last_mut().map(|it| &mut it.doc),
    };
    let doc = doc.ok_or("a sentence that belongs to nothing")?;
    if !doc.is_empty() {
        doc.push(' ');
    }
    doc.push_str(sentence);
    Ok(())
}

fn parse_class(class: &mut Class, text: &str) -> Result<(), String> {
    let mut parts = text.split("; ");
    class.name = parts.next().unwrap_or_default().into();
    for part in parts {
        if let Some(implicit) = part.strip_prefix("implicit ") {
            class.implicit = implicit.split(' ').map(Into::into).collect();
        } else if let Some(role) = part.strip_prefix("read ") {
            class.read_role = Some(role.into());
        } else if let Some(roles) = part.strip_prefix("create ") {
            let (create, destroy) = roles.split_once(", destroy ").ok_or("`create` without `destroy`")?;
            class.create = Some((create.into(), destroy.into()));
        } else if part == "no events" {
            class.has_events = false;
        } else {
            class.lifecycle = parse_lifecycle(part).ok_or_else(|| format!("unknown attribute {part:?}"))?;
        }
    }
    Ok(())
}

fn parse_enum(text: &str) -> Result<Enum, String> {
    let (name, values) = text.split_once(" = ").ok_or("an enum without `=`")?;
    Ok(Enum { name: name.into(), values: values.split(" | ").map(Into::into).collect() })
}

fn parse_field(text: &str) -> Result<Field, String> {
    let mut parts = text.split("; ");
    let (name, ty) = parts.next().and_then(|head| head.split_once(": ")).ok_or("a field without a type")?;
    let qualifier = parts.next().ok_or("a field without a qualifier")?;
    let (qualifier, write_role) = qualifier.split_once(' ').unwrap_or((qualifier, "local-superuser"));
    if !["rw", "static", "dynamic"].contains(&qualifier) {
        return Err(format!("{qualifier:?} is none of rw, static, dynamic"));
    }
    let mut field = Field {
        name: name.into(),
        ty: Type::parse(ty)?,
        qualifier: qualifier.into(),
        default: None,
        read_role: "read-only".into(),
        write_role: write_role.into(),
        relation: None,
        lifecycle: Vec::new(),
        doc: String::new(),
    };
    for part in parts {
        if let Some(default) = part.strip_prefix("default ") {
            field.default = Some(default.into());
        } else if let Some(role) = part.strip_prefix("read ") {
            field.read_role = role.into();
        } else if let Some((stored, other)) = part
            .strip_prefix("mirrored by ")
            .map(|other| (true, other))
            .or(part.strip_prefix("mirrors ").map(|other| (false, other)))
        {
            let (class, other) = other.split_once('.').ok_or("a relation is `class.field`")?;
            field.relation = Some((class.into(), other.into(), stored));
        } else {
            field.lifecycle = parse_lifecycle(part).ok_or_else(|| format!("unknown attribute {part:?}"))?;
        }
    }
    Ok(field)
}

fn parse_message(text: &str) -> Result<Message, String> {
    let (name, rest) = text.split_once('(').ok_or("a message without parameters")?;
    let (params, rest) = rest.rsplit_once(") -> ").ok_or("a message without a result")?;
    let mut parts = rest.split("; ");
    let result = Type::parse(parts.next().unwrap_or_default())?;
    let role = parts.next().ok_or("a message without a role")?;
    let mut message = Message {
        name: name.into(),
        params: Vec::new(),
        result,
        takes_session: true,
        has_async: true,
        errors: Vec::new(),
        role: role.into(),
        lifecycle: Vec::new(),
        doc: String::new(),
    };
    for param in params.split(", ").filter(|param| !param.is_empty()) {
        let (name, ty) = param.split_once(": ").ok_or_else(|| format!("the parameter {param:?} has no type"))?;
        let required = !name.ends_with('?');
        message.params.push((name.trim_end_matches('?').into(), Type::parse(ty)?, required));
    }
    for part in parts {
        match part {
            "no session" => message.takes_session = false,
            "sync" => message.has_async = false,
            _ => match part.strip_prefix("errors ") {
                Some(errors) => message.errors = errors.split(' ').map(Into::into).collect(),
                None => message.lifecycle = parse_lifecycle(part).ok_or_else(|| format!("unknown attribute {part:?}"))?,
            },
        }
    }
    Ok(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "\
class Thing; published rio; implicit get_all get_record; read vm-operator; create vm-admin, destroy pool-admin; no events
  What it is.

enum thing_kind = a | b-c

field uuid: string; dynamic; published rio
field tags: string set; rw vm-operator; default {}; published rio, deprecated boston
  Words.
field parts: Part ref set; dynamic; mirrors Part.thing; published rio

message poke(self: Thing ref, how: enum thing_kind, often?: int) -> (Thing ref -> string) map; vm-admin; sync; published rio; errors A B
  Pokes it.
";

    #[test]
    fn what_is_printed_reads_back() {
        let class = parse(SAMPLE).expect("the sample is right");
        assert_eq!(class.fields.len(), 3);
        assert!(!class.messages[0].params[2].2);
        assert_eq!(print(&class), SAMPLE);
    }

    #[test]
    fn mistakes_name_their_line() {
        for (bad, says) in [
            ("class A\nfield x: strin; rw", "line 2: unknown type \"strin\""),
            ("class A\nfield x: string; wr", "line 2: \"wr\" is none of"),
            ("class A; sometimes", "line 1: unknown attribute"),
            ("fields x", "line 1: \"fields\" is none of"),
            ("", "no `class` line"),
        ] {
            let error = parse(bad).expect_err("it is wrong");
            assert!(error.contains(says), "{error}");
        }
    }
}
