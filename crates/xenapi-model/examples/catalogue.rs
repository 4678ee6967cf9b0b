//! Writes all that the model knows, with its sentences, as JSON: what the console's explorer loads when somebody opens it, so that
//! the page itself need not hold it. `cargo run -p xenapi-model --example catalogue -- FILE`.
//!
//! What is as usual is left out: a member that is missing is empty, false or zero.

use std::process::ExitCode;

use serde_json::{Map, Value, json};
use xenapi_core::{ClassDesc, FieldDesc, Member, Method, Param, Transition, Unit, state};
use xenapi_model::errors::ERRORS;
use xenapi_model::{CLASSES, RELEASES, in_rust};

fn main() -> ExitCode {
    let Some(file) = std::env::args_os().nth(1) else {
        eprintln!("usage: catalogue FILE");
        return ExitCode::from(2);
    };
    match std::fs::write(&file, catalogue().to_string()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: write {}: {error}", file.display());
            ExitCode::FAILURE
        }
    }
}

pub(crate) fn catalogue() -> Value {
    let releases: Vec<Value> = RELEASES.iter().map(|it| json!({"name": it.name, "product": it.product})).collect();
    let errors: Vec<Value> = ERRORS
        .iter()
        .map(|it| {
            let params: Vec<&str> = it.params.iter().map(|param| param.name).collect();
            sparse(json!({"code": it.code, "doc": it.doc, "params": params}))
        })
        .collect();
    let classes: Vec<Value> = CLASSES.iter().map(|it| class(it)).collect();
    json!({"classes": classes, "errors": errors, "releases": releases})
}

fn class(class: &'static ClassDesc) -> Value {
    let enums: Vec<Value> = class.enums.iter().map(|it| json!({"name": it.name, "words": it.values})).collect();
    let fields: Vec<Value> = class.fields.iter().map(field).collect();
    let messages: Vec<Value> = Method::all(class).iter().filter(|it| !it.is_hidden()).map(message).collect();
    sparse(json!({
        "name": class.name,
        "doc": class.doc,
        "place": class.place.name(),
        "state": stage(class.lifecycle),
        "since": releases(class.lifecycle),
        "quiet": !class.has_events,
        "enums": enums,
        "fields": fields,
        "messages": messages,
    }))
}

fn field(field: &FieldDesc) -> Value {
    sparse(json!({
        "name": field.name,
        "doc": field.doc,
        "type": field.ty.to_string(),
        "nullable": field.nullable,
        "unit": unit(field.unit),
        "access": field.qualifier.name(),
        "role": if field.is_writable() { field.write_role.name() } else { "" },
        "default": field.default,
        "other": field.relation.map(|it| format!("{}.{}", it.class, it.field)),
        "secret": field.secret,
        "needed": field.needed,
        "state": stage(field.lifecycle),
        "since": releases(field.lifecycle),
    }))
}

fn message(method: &Method) -> Value {
    let (doc, errors) = match method.member {
        Member::Explicit(message) => (message.doc, message.errors),
        _ => ("", &[][..]),
    };
    let defaults = |at: usize| match method.member {
        Member::Explicit(message) => message.params.get(at).and_then(|it| it.default),
        _ => None,
    };
    let params: Vec<Value> = method.params().iter().enumerate().map(|(at, it)| param(it, defaults(at))).collect();
    let (kind, of) = kind(method);
    sparse(json!({
        "name": method.short_name(),
        "doc": doc,
        "kind": kind,
        "of": of,
        "params": params,
        "result": method.result().to_string(),
        "nullable": method.is_nullable(),
        "unit": unit(method.unit()),
        "role": method.least_role().name(),
        "no_session": !method.takes_session(),
        "task": method.has_async(),
        "looks": method.is_read_only(),
        "errors": errors,
        "rust": in_rust::call(method),
        "state": stage(method.lifecycle()),
        "since": releases(method.lifecycle()),
    }))
}

fn param(param: &Param, default: Option<&str>) -> Value {
    sparse(json!({
        "name": param.name,
        "type": param.ty.to_string(),
        "optional": !param.required,
        "nullable": param.nullable,
        "unit": unit(param.unit),
        "secret": param.secret,
        "default": default,
    }))
}

/// How a message follows from its class or a field, and from which field; none of it for a message of its own.
fn kind(method: &Method) -> (&'static str, &'static str) {
    match method.member {
        Member::Explicit(_) => ("", ""),
        Member::Get(field) => ("get", field.name),
        Member::Set(field) => ("set", field.name),
        Member::Add(field) => ("add", field.name),
        Member::Remove(field) => ("remove", field.name),
        Member::AddTo(field) => ("add_to", field.name),
        Member::RemoveFrom(field) => ("remove_from", field.name),
        _ => ("class", ""),
    }
}

fn unit(unit: Option<Unit>) -> &'static str {
    unit.map_or("", Unit::name)
}

/// The stage, unless it is the usual one.
fn stage(lifecycle: &[Transition]) -> &'static str {
    match state(lifecycle).name() {
        "published" => "",
        name => name,
    }
}

/// What happened when: `published rio, changed 1.257.0`.
fn releases(lifecycle: &[Transition]) -> String {
    let parts: Vec<String> = lifecycle.iter().map(|(stage, release)| format!("{} {release}", stage.name())).collect();
    parts.join(", ")
}

/// Without the members that say nothing.
fn sparse(value: Value) -> Value {
    let Value::Object(members) = value else { return value };
    let says = |value: &Value| match value {
        Value::Null => false,
        Value::Bool(it) => *it,
        Value::String(it) => !it.is_empty(),
        Value::Array(it) => !it.is_empty(),
        _ => true,
    };
    Value::Object(members.into_iter().filter(|(_, value)| says(value)).collect::<Map<_, _>>())
}
