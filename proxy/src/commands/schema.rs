//! `xenoxide schema`: what the schema knows.

use xenapi_core::{ClassDesc, FieldDesc, Member, Method, Stage, Transition};

use crate::cli::{Exit, Schema};
use crate::output;
use crate::typed::signature::{nearest, signature};

/// Runs the command.
pub(super) fn run(args: &Schema) -> Result<(), Exit> {
    match &args.name {
        None => xenapi_model::CLASSES.iter().try_for_each(|class| output::line(&titled(class.name, class.doc))),
        Some(name) => output::line(describe(name)?.trim_end()),
    }
}

fn describe(name: &str) -> Result<String, Exit> {
    let (class_name, member) = name.split_once('.').map_or((name, None), |(class, member)| (class, Some(member)));
    let class = xenapi_model::class(class_name).ok_or_else(|| {
        unknown("class", class_name, xenapi_model::CLASSES.iter().map(|class| class.name), "`xenoxide schema` lists them")
    })?;
    let Some(member) = member else { return Ok(of_class(class)) };
    if let Some(field) = class.field(member) {
        return Ok(of_field(class, field));
    }
    if let Some(method) = Method::find(class, member) {
        return Ok(of_method(&method));
    }
    let methods: Vec<String> = Method::all(class).iter().map(Method::short_name).collect();
    let names = class.fields.iter().map(|field| field.name).chain(methods.iter().map(String::as_str));
    Err(unknown(
        &format!("field or message of {class_name}"),
        member,
        names,
        &format!("`xenoxide schema {class_name}` lists them"),
    ))
}

fn unknown<'n>(what: &str, name: &str, names: impl Iterator<Item = &'n str>, otherwise: &str) -> Exit {
    let near = nearest(name, names, 3);
    let advice = if near.is_empty() { otherwise.into() } else { format!("did you mean {}?", near.join(", ")) };
    Exit::usage(format!("there is no {what} {name:?}; {advice}"))
}

fn of_class(class: &'static ClassDesc) -> String {
    let mut text = titled(class.name, class.doc) + "\n" + &lifecycle(class.lifecycle) + "\nFields\n";
    for field in class.fields {
        let writable = if field.is_writable() { "  (writable)" } else { "" };
        text += &format!("  {}: {}{writable}\n", field.name, field.ty);
    }
    text += "\nMessages\n";
    for method in Method::all(class) {
        // Those that follow from the fields are seen there.
        let of_field = matches!(
            method.member,
            Member::Get(_) | Member::Set(_) | Member::Add(_) | Member::Remove(_) | Member::AddTo(_) | Member::RemoveFrom(_)
        );
        if !of_field {
            text += &format!("  {}\n", signature(&method));
        }
    }
    text
}

fn of_field(class: &ClassDesc, field: &FieldDesc) -> String {
    let mut text = titled(&format!("{}.{}: {}", class.name, field.name, field.ty), field.doc);
    text += &format!("\n{}; read by {}", field.qualifier.name(), field.read_role);
    if field.is_writable() {
        text += &format!(", written by {}", field.write_role);
    }
    if let Some(relation) = field.relation {
        text += &format!("\nThe other end of {}.{}", relation.class, relation.field);
    }
    text + "\n" + &lifecycle(field.lifecycle)
}

fn of_method(method: &Method) -> String {
    let (doc, lifetime, errors) = match method.member {
        Member::Explicit(message) => (message.doc, message.lifecycle, message.errors),
        _ => ("", method.class.lifecycle, &[][..]),
    };
    let mut text = titled(&signature(method), doc);
    text += &format!("\nLeast role: {}", method.least_role());
    if method.has_async() {
        text += "; may run as a task (--async)";
    }
    if !errors.is_empty() {
        text += &format!("\nErrors: {}", errors.join(", "));
    }
    text + "\n" + &lifecycle(lifetime)
}

fn titled(name: &str, doc: &str) -> String {
    if doc.is_empty() { name.into() } else { format!("{name}: {doc}") }
}

fn lifecycle(transitions: &[Transition]) -> String {
    let word = |stage| match stage {
        Stage::Prototyped => "prototyped",
        Stage::Published => "published",
        Stage::Extended => "extended",
        Stage::Changed => "changed",
        Stage::Deprecated => "deprecated",
        Stage::Removed => "removed",
    };
    let parts: Vec<String> = transitions.iter().map(|(stage, release)| format!("{} in {release}", word(*stage))).collect();
    if parts.is_empty() { String::new() } else { format!("Releases: {}\n", parts.join(", ")) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;

    #[test]
    fn every_class_and_every_member_can_be_described() {
        for class in xenapi_model::CLASSES {
            assert!(describe(class.name).unwrap().contains("Messages"));
            for field in class.fields {
                assert!(describe(&format!("{}.{}", class.name, field.name)).unwrap().contains(&field.ty.to_string()));
            }
            for method in Method::all(class) {
                assert!(describe(&method.name()).is_ok(), "{}", method.name());
            }
        }
    }

    #[test]
    fn what_does_not_exist_brings_the_nearest() {
        let says = |name: &str| describe(name).unwrap_err().message;
        assert!(says("vm").contains("did you mean VM"));
        assert!(says("VM.strat").contains("start"));
        assert!(says("VM.name_lable").contains("name_label"));
        assert!(says("xyzzy").contains("lists them"));
    }
}
