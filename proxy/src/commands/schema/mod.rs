//! `xenoxide schema`: what the schema knows.

mod json;
mod people;

use xenapi_core::{ClassDesc, Method};
use xenapi_model::errors::ERRORS;

use crate::cli::{Exit, Schema};
use crate::output;
use crate::typed::signature::nearest;

/// Runs the command.
pub(super) fn run(args: &Schema) -> Result<(), Exit> {
    match &args.name {
        None if args.json => json::lines().iter().try_for_each(|line| output::line(line)),
        None => xenapi_model::CLASSES.iter().try_for_each(|class| output::line(&people::listed(class))),
        Some(name) if args.json => output::line(&json::of_name(name).map_or_else(|| Err(missing(name)), Ok)?.to_string()),
        Some(name) => output::line(describe(name)?.trim_end()),
    }
}

/// The error for a name that is not there.
fn missing(name: &str) -> Exit {
    describe(name).err().unwrap_or_else(|| Exit::usage(format!("nothing is declared of {name:?}")))
}

fn describe(name: &str) -> Result<String, Exit> {
    // As it goes over the wire; what is said of the message says whether it has that form.
    let name = name.strip_prefix("Async.").unwrap_or(name);
    let (class_name, member) = name.split_once('.').map_or((name, None), |(class, member)| (class, Some(member)));
    let Some(class) = xenapi_model::class(class_name) else {
        return match member {
            None => describe_other(name),
            Some(_) => Err(unknown_class(class_name)),
        };
    };
    let Some(member) = member else { return Ok(people::of_class(class)) };
    if let Some(field) = class.field(member) {
        return Ok(people::of_field(class, field));
    }
    if let Some(method) = Method::find(class, member) {
        return Ok(people::of_method(&method));
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

/// What is no class may be an error or an enumeration.
fn describe_other(name: &str) -> Result<String, Exit> {
    if let Some(error) = ERRORS.iter().find(|error| error.code == name) {
        return Ok(people::of_error(error));
    }
    let enums = || xenapi_model::CLASSES.iter().flat_map(|class| class.enums.iter().map(move |it| (*class, *it)));
    if let Some((_, it)) = enums().find(|(_, it)| it.name == name) {
        let classes: Vec<&ClassDesc> = enums().filter(|(_, other)| other.name == name).map(|(class, _)| class).collect();
        return Ok(people::of_enum(it, &classes));
    }
    let codes = name.contains('_') && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    if codes {
        return Err(unknown("error", name, ERRORS.iter().map(|error| error.code), "`xenoxide schema --json` lists them"));
    }
    Err(unknown_class(name))
}

fn unknown_class(name: &str) -> Exit {
    unknown("class", name, xenapi_model::CLASSES.iter().map(|class| class.name), "`xenoxide schema` lists them")
}

fn unknown<'n>(what: &str, name: &str, names: impl Iterator<Item = &'n str>, otherwise: &str) -> Exit {
    let near = nearest(name, names, 3);
    let advice = if near.is_empty() { otherwise.into() } else { format!("did you mean {}?", near.join(", ")) };
    Exit::usage(format!("there is no {what} {name:?}; {advice}"))
}

#[cfg(test)]
mod tests;
