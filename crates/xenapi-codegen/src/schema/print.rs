//! Writes the notation.

use std::fmt::Write as _;

use super::{Changes, Class, Creation, Error, Field, Lifecycle, Message, Param, Relation, Release, Type};

/// Writes a class in the notation.
pub fn print(class: &Class) -> String {
    let mut out = String::new();
    let _ = write!(out, "class {}", class.name);
    attribute(&mut out, &class.place);
    flag(&mut out, class.secret, "secret");
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
    flag(&mut out, !class.has_events, "no events");
    out.push('\n');
    doc(&mut out, &class.doc);
    for it in &class.enums {
        match it.values.is_empty() {
            true => drop(writeln!(out, "\nenum {}", it.name)),
            false => drop(writeln!(out, "\nenum {} = {}", it.name, it.values.join(" | "))),
        }
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
        let _ = write!(out, " {}{}", field.write_role, if field.client_cert { " client-cert" } else { "" });
    }
    match &field.creation {
        Creation::Free => {}
        Creation::Needed => attribute(out, "needed"),
        Creation::With(value) => attribute(out, &format!("created with {value}")),
    }
    flag(out, field.secret, "secret");
    if field.read_role != "read-only" {
        attribute(out, &format!("read {}", field.read_role));
    }
    if let Some(unit) = &field.unit {
        attribute(out, &format!("in {unit}"));
    }
    if let Some(default) = &field.default {
        attribute(out, &format!("default {default}"));
    }
    if let Some((class, name, stored)) = &field.relation {
        attribute(out, &format!("{} {class}.{name}", if *stored { "mirrored by" } else { "mirrors" }));
    }
    if let Some(declared) = &field.declared {
        attribute(out, &format!("declared {declared}"));
    }
    attribute(out, &lifecycle(&field.lifecycle));
    out.push('\n');
    doc(out, &field.doc);
}

fn print_param(param: &Param) -> String {
    let mut out = format!(
        "{}{}{}: {}",
        if param.secret { "secret " } else { "" },
        param.name,
        if param.required { "" } else { "?" },
        param.ty
    );
    if let Some(unit) = &param.unit {
        let _ = write!(out, " in {unit}");
    }
    if let Some(default) = &param.default {
        let _ = write!(out, " = {default}");
    }
    out
}

fn print_message(out: &mut String, message: &Message) {
    let params: Vec<String> = message.params.iter().map(print_param).collect();
    let _ = write!(out, "\nmessage {}({}) -> {}", message.name, params.join(", "), message.result);
    if let Some(unit) = &message.unit {
        let _ = write!(out, " in {unit}");
    }
    let _ = write!(out, "; {}{}", message.role, if message.client_cert { " client-cert" } else { "" });
    flag(out, !message.takes_session, "no session");
    flag(out, !message.has_async, "sync");
    match &message.changes {
        Changes::Nothing => attribute(out, "looks"),
        Changes::Field(field) => attribute(out, &format!("changes {field}")),
        Changes::Creates => attribute(out, "creates"),
        Changes::Destroys => attribute(out, "destroys"),
        Changes::Objects => {}
    }
    attribute(out, &lifecycle(&message.lifecycle));
    if !message.errors.is_empty() {
        attribute(out, &format!("errors {}", message.errors.join(" ")));
    }
    out.push('\n');
    doc(out, &message.doc);
}

/// Writes the errors, a line each.
pub fn print_errors(errors: &[Error]) -> String {
    let mut out = String::new();
    for error in errors {
        let params: Vec<String> = error.params.iter().map(print_error_param).collect();
        let names: Vec<&str> = error.params.iter().map(|(name, _)| name.as_str()).collect();
        if names == error.declared {
            let _ = write!(out, "{}({})", error.code, params.join(", "));
        } else {
            let _ = write!(out, "{}({}); raised ({})", error.code, error.declared.join(", "), params.join(", "));
        }
        out.push('\n');
        doc(&mut out, &error.doc);
    }
    out
}

fn print_error_param((name, ty): &(String, Type)) -> String {
    if *ty == Type::String { name.clone() } else { format!("{name}: {ty}") }
}

/// Writes the relations, a line each.
pub fn print_relations(relations: &[Relation]) -> String {
    relations.iter().map(|(stored, computed)| format!("{stored} mirrored by {computed}\n")).collect()
}

/// Writes the releases, a line each.
pub fn print_releases(releases: &[Release]) -> String {
    let line = |release: &Release| {
        let end = if release.date.is_empty() { String::new() } else { format!("; {}", release.date) };
        format!("{}; {}.{}; {}{end}\n", release.name, release.api.0, release.api.1, release.product)
    };
    releases.iter().map(line).collect()
}

fn attribute(out: &mut String, text: &str) {
    if !text.is_empty() {
        let _ = write!(out, "; {text}");
    }
}

fn flag(out: &mut String, set: bool, text: &str) {
    if set {
        attribute(out, text);
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
