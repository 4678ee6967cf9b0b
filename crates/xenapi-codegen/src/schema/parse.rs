//! Reads the notation.

use super::{
    Changes, Class, Creation, Enum, Error, Field, Lifecycle, Message, PLACES, Param, Relation, Release, STAGES, Type, UNITS,
};

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
    append(doc.ok_or("a sentence that belongs to nothing")?, sentence);
    Ok(())
}

fn append(doc: &mut String, sentence: &str) {
    if !doc.is_empty() {
        doc.push(' ');
    }
    doc.push_str(sentence);
}

fn parse_lifecycle(text: &str) -> Option<Lifecycle> {
    text.split(", ")
        .map(|part| part.split_once(' ').filter(|(stage, _)| STAGES.contains(stage)).map(|(a, b)| (a.into(), b.into())))
        .collect()
}

fn parse_unit(text: &str) -> Result<Option<String>, String> {
    if UNITS.contains(&text) { Ok(Some(text.into())) } else { Err(format!("{text:?} is none of {}", UNITS.join(", "))) }
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
        } else if part == "secret" {
            class.secret = true;
        } else if PLACES.contains(&part) {
            class.place = part.into();
        } else {
            class.lifecycle = parse_lifecycle(part).ok_or_else(|| format!("unknown attribute {part:?}"))?;
        }
    }
    Ok(())
}

fn parse_enum(text: &str) -> Result<Enum, String> {
    match text.split_once(" = ") {
        Some((name, values)) => Ok(Enum { name: name.into(), values: values.split(" | ").map(Into::into).collect() }),
        None if text.contains(' ') => Err("an enum without `=`".into()),
        None => Ok(Enum { name: text.into(), values: Vec::new() }),
    }
}

/// `pool-operator` or `pool-operator client-cert`.
fn parse_role(text: &str) -> (String, bool) {
    text.strip_suffix(" client-cert").map_or((text.into(), false), |role| (role.into(), true))
}

fn parse_field(text: &str) -> Result<Field, String> {
    let mut parts = text.split("; ");
    let (name, ty) = parts.next().and_then(|head| head.split_once(": ")).ok_or("a field without a type")?;
    let qualifier = parts.next().ok_or("a field without a qualifier")?;
    let (qualifier, roles) = qualifier.split_once(' ').unwrap_or((qualifier, "local-superuser"));
    if !["rw", "static", "dynamic"].contains(&qualifier) {
        return Err(format!("{qualifier:?} is none of rw, static, dynamic"));
    }
    let (write_role, client_cert) = parse_role(roles);
    let mut field = Field {
        name: name.into(),
        ty: Type::parse(ty)?,
        declared: None,
        qualifier: qualifier.into(),
        creation: Creation::Free,
        secret: false,
        unit: None,
        default: None,
        read_role: "read-only".into(),
        write_role,
        client_cert,
        relation: None,
        lifecycle: Vec::new(),
        doc: String::new(),
    };
    for part in parts {
        parse_field_attribute(&mut field, part)?;
    }
    Ok(field)
}

fn parse_field_attribute(field: &mut Field, part: &str) -> Result<(), String> {
    match part {
        "needed" => field.creation = Creation::Needed,
        "secret" => field.secret = true,
        _ => match part.split_once(' ') {
            Some(("created", rest)) => {
                field.creation = Creation::With(rest.strip_prefix("with ").ok_or("`created` without `with`")?.into());
            }
            Some(("in", unit)) => field.unit = parse_unit(unit)?,
            Some(("default", default)) => field.default = Some(default.into()),
            Some(("read", role)) => field.read_role = role.into(),
            Some(("declared", ty)) => field.declared = Some(Type::parse(ty)?),
            Some(("mirrored", other)) => {
                field.relation = Some(parse_end(other.strip_prefix("by ").ok_or("`mirrored` without `by`")?, true)?);
            }
            Some(("mirrors", other)) => field.relation = Some(parse_end(other, false)?),
            _ => field.lifecycle = parse_lifecycle(part).ok_or_else(|| format!("unknown attribute {part:?}"))?,
        },
    }
    Ok(())
}

fn parse_end(text: &str, stored: bool) -> Result<(String, String, bool), String> {
    let (class, field) = text.split_once('.').ok_or("a relation is `class.field`")?;
    Ok((class.into(), field.into(), stored))
}

fn parse_message(text: &str) -> Result<Message, String> {
    let (name, rest) = text.split_once('(').ok_or("a message without parameters")?;
    let (params, rest) = rest.rsplit_once(") -> ").ok_or("a message without a result")?;
    let mut parts = rest.split("; ");
    let (result, unit) = parse_measured(parts.next().unwrap_or_default())?;
    let (role, client_cert) = parse_role(parts.next().ok_or("a message without a role")?);
    let mut message = Message {
        name: name.into(),
        params: Vec::new(),
        result,
        unit,
        takes_session: true,
        has_async: true,
        errors: Vec::new(),
        role,
        client_cert,
        changes: Changes::Objects,
        lifecycle: Vec::new(),
        doc: String::new(),
    };
    for param in params.split(", ").filter(|param| !param.is_empty()) {
        message.params.push(parse_param(param)?);
    }
    for part in parts {
        match part {
            "no session" => message.takes_session = false,
            "sync" => message.has_async = false,
            "looks" => message.changes = Changes::Nothing,
            "creates" => message.changes = Changes::Creates,
            "destroys" => message.changes = Changes::Destroys,
            _ => match part.split_once(' ') {
                Some(("errors", errors)) => message.errors = errors.split(' ').map(Into::into).collect(),
                Some(("changes", field)) => message.changes = Changes::Field(field.into()),
                _ => message.lifecycle = parse_lifecycle(part).ok_or_else(|| format!("unknown attribute {part:?}"))?,
            },
        }
    }
    Ok(message)
}

/// A type, and perhaps ` in ` and a unit.
fn parse_measured(text: &str) -> Result<(Type, Option<String>), String> {
    match text.split_once(" in ") {
        Some((ty, unit)) => Ok((Type::parse(ty)?, parse_unit(unit)?)),
        None => Ok((Type::parse(text)?, None)),
    }
}

/// `secret pwd: string`, `timeout?: float in seconds = 0.`
fn parse_param(text: &str) -> Result<Param, String> {
    let (name, ty) = text.split_once(": ").ok_or_else(|| format!("the parameter {text:?} has no type"))?;
    let (ty, default) = ty.split_once(" = ").map_or((ty, None), |(ty, default)| (ty, Some(default.into())));
    let (ty, unit) = parse_measured(ty)?;
    let (secret, name) = name.strip_prefix("secret ").map_or((false, name), |name| (true, name));
    let required = !name.ends_with('?');
    Ok(Param { name: name.trim_end_matches('?').into(), ty, required, default, unit, secret })
}

/// Reads the errors: `HANDLE_INVALID(class, handle)`, `A(vm); raised (class, vm: VM ref)`.
///
/// # Errors
/// The line and what is wrong with it.
pub fn parse_errors(text: &str) -> Result<Vec<Error>, String> {
    let mut all: Vec<Error> = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#')) {
        let wrong = |what: String| format!("line {}: {what}", at + 1);
        if let Some(sentence) = line.strip_prefix("  ") {
            let last = all.last_mut().ok_or_else(|| wrong("a sentence that belongs to nothing".into()))?;
            append(&mut last.doc, sentence.trim());
            continue;
        }
        all.push(parse_error(line).map_err(wrong)?);
    }
    Ok(all)
}

fn parse_error(line: &str) -> Result<Error, String> {
    let (code, rest) = line.split_once('(').ok_or("an error without parameters")?;
    let rest = rest.strip_suffix(')').ok_or("an error without `)`")?;
    let (declared, raised) = rest.split_once("); raised (").map_or((rest, None), |(a, b)| (a, Some(b)));
    let params = |text: &str| -> Result<Vec<(String, Type)>, String> {
        let parts = text.split(", ").filter(|param| !param.is_empty());
        let one = |part: &str| match part.split_once(": ") {
            Some((name, ty)) => Ok((name.to_string(), Type::parse(ty)?)),
            None => Ok((part.to_string(), Type::String)),
        };
        parts.map(one).collect()
    };
    let declared = params(declared)?;
    let names = declared.iter().map(|(name, _)| name.clone()).collect();
    let params = raised.map(params).transpose()?.unwrap_or(declared);
    Ok(Error { code: code.into(), declared: names, params, doc: String::new() })
}

/// Reads the relations: `VBD.VM mirrored by VM.VBDs`.
///
/// # Errors
/// The line and what is wrong with it.
pub fn parse_relations(text: &str) -> Result<Vec<Relation>, String> {
    let line = |(at, line): (usize, &str)| {
        let sides = line.split_once(" mirrored by ").ok_or_else(|| format!("line {}: no `mirrored by`", at + 1))?;
        Ok((sides.0.to_string(), sides.1.to_string()))
    };
    text.lines().enumerate().map(line).collect()
}

/// Reads the releases: `rio; 1.1; XenServer 4.0; August 2007`.
///
/// # Errors
/// The line that is none.
pub fn parse_releases(text: &str) -> Result<Vec<Release>, String> {
    let line = |line: &str| {
        let mut parts = line.split("; ");
        let (name, api) = (parts.next()?, parts.next()?);
        let (major, minor) = api.split_once('.')?;
        let api = (major.parse().ok()?, minor.parse().ok()?);
        let product = parts.next()?.into();
        Some(Release { name: name.into(), api, product, date: parts.next().unwrap_or_default().into() })
    };
    text.lines().map(|text| line(text).ok_or_else(|| format!("{text:?} is no release"))).collect()
}
