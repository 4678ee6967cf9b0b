//! One entry of the schema, for people.

use xenapi_core::{
    ClassDesc, EnumDesc, ErrorDesc, FieldDesc, Member, Method, Param, Qualifier, Stage, Transition, Type, Unit,
};

use crate::typed::signature::signature;
use xenapi_model::in_rust;

/// A class in the list of all.
pub(super) fn listed(class: &ClassDesc) -> String {
    let note = match class.state() {
        Stage::Deprecated | Stage::Removed | Stage::Prototyped => format!(" ({})", class.state().name()),
        _ => String::new(),
    };
    format!("{:<20} {:<10} {}{note}", class.name, class.place, class.doc)
}

pub(super) fn of_class(class: &'static ClassDesc) -> String {
    let mut text = titled(class.name, class.doc) + "\n";
    text += &format!("Place in the model: {}\n", class.place);
    if !class.has_events {
        text += "Its changes are no events\n";
    }
    if class.secret {
        text += "Its references are secrets\n";
    }
    text += &lifecycle(class.lifecycle);
    text += "\nFields\n";
    for field in class.fields {
        let note = if field.is_writable() { "  (writable)" } else { "" };
        text += &format!("  {}: {}{note}\n", field.name, measured(&field.ty, field.nullable, field.unit));
    }
    text += "\nMessages\n";
    for method in Method::all(class).iter().filter(|method| !follows_from_field(method)) {
        text += &format!("  {}\n", signature(method));
    }
    text += &format!("  and those of its fields: `xenoxide schema {}.FIELD`\n", class.name);
    if !class.enums.is_empty() {
        text += "\nEnumerations\n";
        for it in class.enums {
            text += &format!("  {}: {}\n", it.name, it.values.join(", "));
        }
    }
    text
}

fn follows_from_field(method: &Method) -> bool {
    matches!(
        method.member,
        Member::Get(_) | Member::Set(_) | Member::Add(_) | Member::Remove(_) | Member::AddTo(_) | Member::RemoveFrom(_)
    )
}

pub(super) fn of_field(class: &'static ClassDesc, field: &'static FieldDesc) -> String {
    let name = format!("{}.{}: {}", class.name, field.name, measured(&field.ty, field.nullable, field.unit));
    let mut text = titled(&name, field.doc);
    let written = match field.qualifier {
        Qualifier::ReadWrite => format!("written by {} and above, at any time", field.write_role),
        Qualifier::Static => "set at creation; later only by a message of its own, if there is one".into(),
        Qualifier::Dynamic => "written by the server".into(),
    };
    text += &format!("\n{}: read by {} and above; {written}", field.qualifier.name(), field.read_role);
    if let Some(default) = field.default {
        text += &format!("\nDefault: {default}");
    }
    if field.needed {
        text += "\nNeeded to create an object";
    }
    if field.secret {
        text += "\nKept out of logs";
    }
    if let Some(declared) = field.declared {
        text += &format!("\nDeclared as {declared}");
    }
    if let Some(relation) = field.relation {
        let kind = if relation.stored { "stored here" } else { "computed from there" };
        text += &format!("\nThe other end is {}.{} ({kind})", relation.class, relation.field);
    }
    if let Type::Enum(it) = field.ty {
        text += &format!("\nWords: {}", it.values.join(", "));
    }
    text += &format!("\n{}", lifecycle(field.lifecycle));
    for method in Method::all(class).iter().filter(|method| is_of(method, field)) {
        text += &format!("  {}\n    {}\n", signature(method), in_rust::call(method));
    }
    text
}

/// Whether the message follows from the field.
fn is_of(method: &Method, field: &FieldDesc) -> bool {
    match method.member {
        Member::Get(of)
        | Member::Set(of)
        | Member::Add(of)
        | Member::Remove(of)
        | Member::AddTo(of)
        | Member::RemoveFrom(of) => of.name == field.name,
        _ => false,
    }
}

pub(super) fn of_method(method: &Method) -> String {
    let (doc, errors) = match method.member {
        Member::Explicit(message) => (message.doc, message.errors),
        _ => ("", &[][..]),
    };
    let mut text = titled(&signature(method), doc);
    let mut may = format!("\nLeast role: {}", method.least_role());
    if method.for_client_cert() && method.least_role() != xenapi_core::Role::ReadOnly {
        may += ", and clients by certificate";
    }
    text += &may;
    if !method.takes_session() {
        text += "\nTakes no session";
    }
    text += match (method.is_read_only(), method.has_async()) {
        (true, true) => "\nChanges nothing; may run as a task (--async)",
        (true, false) => "\nChanges nothing",
        (false, true) => "\nMay run as a task (--async)",
        (false, false) => "\nHas no Async. form",
    };
    if let Member::Explicit(message) = method.member {
        for (param, desc) in method.params().iter().zip(message.params) {
            text += &of_param(param, desc.default);
        }
    }
    if let Some(unit) = method.unit() {
        text += &format!("\nAnswers {}", measured(&method.result(), method.is_nullable(), Some(unit)));
    }
    if !errors.is_empty() {
        text += &format!("\nErrors: {}", errors.join(", "));
    }
    text += &format!("\nIn Rust: {}\n", in_rust::call(method));
    text + &lifecycle(method.lifecycle())
}

fn of_param(param: &Param, default: Option<&str>) -> String {
    let mut text = format!("\n  {}: {}", param.name, measured(&param.ty, param.nullable, param.unit));
    if let Some(default) = default {
        text += &format!("; {default} where it is not given");
    }
    if param.secret {
        text += "; kept out of logs";
    }
    text
}

pub(super) fn of_error(error: &ErrorDesc) -> String {
    let params: Vec<String> = error.params.iter().map(|param| format!("{}: {}", param.name, param.ty)).collect();
    let mut text = titled(&format!("{}({})", error.code, params.join(", ")), error.doc);
    let names: Vec<&str> = error.params.iter().map(|param| param.name).collect();
    if names != error.declared {
        text += &format!("\nDeclared with other parameters: {}", list(error.declared));
    }
    let raised = |method: &Method| match method.member {
        Member::Explicit(message) => message.errors.contains(&error.code),
        _ => false,
    };
    let methods: Vec<String> = xenapi_model::CLASSES
        .iter()
        .flat_map(|class| Method::all(class))
        .filter(raised)
        .map(|method| method.name())
        .collect();
    if !methods.is_empty() {
        text += &format!("\nDeclared by: {}", methods.join(", "));
    }
    text + "\n" + &format!("In Rust: {}\n", in_rust::error(error))
}

pub(super) fn of_enum(it: &EnumDesc, classes: &[&ClassDesc]) -> String {
    let classes: Vec<&str> = classes.iter().map(|class| class.name).collect();
    format!("enum {}, of {}\n  {}\n", it.name, classes.join(" and "), it.values.join("\n  "))
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

fn measured(ty: &Type, nullable: bool, unit: Option<Unit>) -> String {
    let null = if nullable { " or null" } else { "" };
    let unit = match unit {
        Some(Unit::Fraction) => ", a fraction from 0 to 1".into(),
        Some(unit) => format!(", in {unit}"),
        None => String::new(),
    };
    format!("{ty}{null}{unit}")
}

fn titled(name: &str, doc: &str) -> String {
    if doc.is_empty() { name.into() } else { format!("{name}\n{doc}") }
}

/// The releases in a line, by code name and product.
fn lifecycle(transitions: &[Transition]) -> String {
    let product = |name: &str| {
        let release = xenapi_model::RELEASES.iter().find(|release| release.name == name);
        release.map(|release| format!(" ({})", release.product)).unwrap_or_default()
    };
    let parts: Vec<String> =
        transitions.iter().map(|(stage, release)| format!("{} in {release}{}", stage.name(), product(release))).collect();
    if parts.is_empty() { String::new() } else { format!("Releases: {}\n", parts.join(", ")) }
}
