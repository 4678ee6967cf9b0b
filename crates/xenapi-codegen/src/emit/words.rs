//! What the documentation of generated items says.

use crate::schema::{Changes, Class, Field, Lifecycle, Message, Type};

pub(super) fn lifecycle_words(all: &Lifecycle) -> String {
    let parts: Vec<String> = all.iter().map(|(stage, release)| format!("{stage} in {release}")).collect();
    let mut words = parts.join(", ");
    if let Some(first) = words.get(..1).map(str::to_ascii_uppercase) {
        words.replace_range(..1, &first);
        words.push('.');
    }
    words
}

/// ` A sentence.` or nothing.
pub(super) fn sentence(doc: &str) -> String {
    if doc.is_empty() { String::new() } else { format!("{doc} ") }
}

/// ``int`, in bytes`.
fn measured(ty: &Type, unit: Option<&str>) -> String {
    let ty = if matches!(ty, Type::NullRef(_)) {
        format!("{}, or null", ty.to_string().trim_end_matches('?'))
    } else {
        ty.to_string().replace('<', "\\<")
    };
    match unit {
        Some("fraction") => format!("{ty}, a fraction from 0 to 1"),
        Some(unit) => format!("{ty}, in {unit}"),
        None => ty,
    }
}

/// Name, type, unit, who may, since when.
pub(super) fn field_facts(class: &Class, field: &Field) -> String {
    let reads = if field.read_role == "read-only" { String::new() } else { format!(" Read by {}.", field.read_role) };
    let writes = match field.qualifier.as_str() {
        "rw" => format!(" Written by {}.", field.write_role),
        "static" => " Set at creation.".into(),
        _ => " Written by the server.".into(),
    };
    let relation = match &field.relation {
        Some((class, field, _)) => format!(" The other end is `{class}.{field}`."),
        None => String::new(),
    };
    let secret = if field.secret { " Kept out of logs." } else { "" };
    format!(
        "`{}.{}`: {}.{reads}{writes}{relation}{secret} {}",
        class.name,
        field.name,
        measured(&field.ty, field.unit.as_deref()),
        lifecycle_words(&field.lifecycle)
    )
}

/// The documentation of a call, a line each.
pub(super) fn call_lines(class: &Class, message: &Message) -> Vec<String> {
    let mut lines = vec![format!("{}`{}.{}`.", sentence(&message.doc), class.name, message.name), String::new()];
    let kind = if message.has_async { " May run as a task." } else { "" };
    let changes = match &message.changes {
        Changes::Nothing => " Changes nothing.".into(),
        Changes::Field(field) => format!(" Changes `{field}`."),
        _ => String::new(),
    };
    let by_certificate = if message.client_cert { " and clients by certificate" } else { "" };
    lines.push(format!(
        "Least role: {}{by_certificate}.{kind}{changes} {}",
        message.role,
        lifecycle_words(&message.lifecycle)
    ));
    let mut notes = Vec::new();
    for param in &message.params {
        let unit = param.unit.as_ref().map(|unit| format!(" in {unit}"));
        let null = matches!(param.ty, Type::NullRef(_)).then(|| " may be null".to_string());
        let without = param.default.as_ref().map(|default| format!(" is {default} where it is not given"));
        if unit.is_some() || null.is_some() || without.is_some() {
            let parts: Vec<String> = [unit, null, without].into_iter().flatten().collect();
            notes.push(format!("`{}`{}", param.name, parts.join(",")));
        }
    }
    if let Some(unit) = &message.unit {
        notes.push(format!("the answer is in {unit}"));
    }
    if !notes.is_empty() {
        lines.extend([String::new(), format!("Parameters: {}.", notes.join("; "))]);
    }
    if !message.errors.is_empty() {
        let errors: Vec<String> = message.errors.iter().map(|error| format!("`{error}`")).collect();
        lines.extend([String::new(), format!("Declared errors: {}.", errors.join(", "))]);
    }
    lines
}

/// By the sound of the name: letters that are spoken one by one, as in `SR` and `sr_stat`, have their own.
pub(super) fn article(name: &str) -> &'static str {
    let spelled = name.starts_with("sr_") || name.chars().take(2).all(|c| c.is_ascii_uppercase());
    let vowels = if spelled { "aefhilmnorsxAEFHILMNORSX" } else { "aeioAEIO" };
    if name.starts_with(|first| vowels.contains(first)) { "an" } else { "a" }
}
