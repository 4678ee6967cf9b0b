//! The whole schema as JSON, in the shape in which descriptions of xapi's data model come: everything that is declared, in the
//! order of its documentation. What Xenoxide knows beyond that, and where it knows better, stands beside it in the descriptors.

use serde_json::{Map, Value, json};
use xenapi_core::{ClassDesc, FieldDesc, Member, Method, Role, Transition, state};
use xenapi_model::errors::ERRORS;
use xenapi_model::{CLASSES, RELATIONS, RELEASES};

/// The document, an entry a line.
pub(super) fn lines() -> Vec<String> {
    let mut lines = vec!["{".to_owned()];
    for (at, (name, entries)) in sections().into_iter().enumerate() {
        lines.push(format!("{}\"{name}\": [", if at > 0 { ", " } else { "" }));
        let last = entries.len().saturating_sub(1);
        lines.extend(entries.iter().enumerate().map(|(at, entry)| format!("{entry}{}", if at < last { "," } else { "" })));
        lines.push("]".into());
    }
    lines.push("}".into());
    lines
}

/// What is declared of a class, a field, a message, an error or an enumeration, as it stands in the document.
pub(super) fn of_name(name: &str) -> Option<Value> {
    let name = name.strip_prefix("Async.").unwrap_or(name);
    let Some((class, member)) = name.split_once('.') else {
        let class = xenapi_model::class(name).map(of_class);
        let error = || ERRORS.iter().find(|error| error.code == name).map(|error| json!([error.code, error.declared]));
        let it = || CLASSES.iter().flat_map(|class| class.enums).find(|it| it.name == name);
        return class.or_else(error).or_else(|| it().map(|it| json!({"name": it.name, "values": it.values})));
    };
    let class = xenapi_model::class(class)?;
    let method = || Method::find(class, member).map(|method| of_method(&method));
    class.field(member).map(of_field).or_else(method)
}

fn sections() -> [(&'static str, Vec<Value>); 4] {
    let releases = RELEASES.iter().map(|it| json!([it.name, it.api.0, it.api.1, it.product, it.date])).collect();
    let errors = ERRORS.iter().map(|error| json!([error.code, error.declared])).collect();
    let end = |(class, field): (&str, &str)| format!("{class}.{field}");
    let relations = RELATIONS.iter().map(|it| json!([end(it.stored), end(it.computed)])).collect();
    let classes = CLASSES.iter().map(|class| of_class(class)).collect();
    [("releases", releases), ("errors", errors), ("relations", relations), ("classes", classes)]
}

fn of_class(class: &'static ClassDesc) -> Value {
    let enums: Vec<Value> = class.enums.iter().map(|it| json!({"name": it.name, "values": it.values})).collect();
    let fields: Vec<Value> = class.fields.iter().map(of_field).collect();
    let messages: Vec<Value> = documented(class).iter().map(of_method).collect();
    json!({
        "name": class.name,
        "lifecycle": lifecycle(class.lifecycle),
        "enums": enums,
        "fields": fields,
        "messages": messages,
    })
}

fn of_field(field: &FieldDesc) -> Value {
    let mut members = Map::new();
    members.insert("name".into(), field.name.into());
    members.insert("type".into(), field.declared.unwrap_or(field.ty).to_string().into());
    members.insert("qualifier".into(), field.qualifier.name().into());
    if let Some(default) = field.default {
        members.insert("default".into(), default.into());
    }
    members.insert("lifecycle".into(), lifecycle(field.lifecycle));
    Value::Object(members)
}

fn of_method(method: &Method) -> Value {
    let session = method.takes_session().then(|| json!(["session_id", "session ref", true]));
    let params = method.params().into_iter().map(|param| json!([param.name, param.ty.to_string(), param.required]));
    let (result, errors) = match method.member {
        Member::Explicit(message) => (message.result, message.errors),
        Member::Get(field) => (field.declared.unwrap_or(field.ty), &[][..]),
        _ => (method.result(), &[][..]),
    };
    json!({
        "name": method.short_name(),
        "result": result.to_string(),
        "params": session.into_iter().chain(params).collect::<Vec<_>>(),
        "errors": errors,
        "roles": roles(method),
        "implicit": !matches!(method.member, Member::Explicit(_)),
        "lifecycle": lifecycle(method.lifecycle()),
    })
}

/// Who may call it, from the mightiest; clients by certificate stand before those who only look.
fn roles(method: &Method) -> Vec<&'static str> {
    let least = method.least_role();
    let may = Role::ASSIGNABLE.iter().rev().filter(|role| **role >= least && **role != Role::ReadOnly);
    let mut names: Vec<&str> = may.map(|role| role.name()).collect();
    if method.for_client_cert() {
        names.push("client-cert");
    }
    if least == Role::ReadOnly {
        names.push(Role::ReadOnly.name());
    }
    names
}

fn lifecycle(transitions: &[Transition]) -> Value {
    let all: Vec<Value> = transitions.iter().map(|(stage, release)| json!([stage.name(), release])).collect();
    json!({"state": state(transitions).name(), "transitions": all})
}

/// The messages in the order of the documentation: those of all objects, the explicit ones, those that write fields and those
/// that read them from the last to the first, then those of one object.
fn documented(class: &'static ClassDesc) -> Vec<Method> {
    let find = |name: &str| {
        let method = Method::find(class, name)?;
        (!matches!(method.member, Member::Explicit(_))).then_some(method)
    };
    let mut names: Vec<String> = vec!["get_all_records".into(), "get_all".into()];
    let explicit = class.messages.iter().map(|message| Method { class, member: Member::Explicit(message) });
    let mut all: Vec<Method> = names.drain(..).filter_map(|name| find(&name)).chain(explicit).collect();
    for field in class.fields.iter().rev() {
        let starts = ["remove_from", "add_to", "remove", "add", "set"];
        names.extend(starts.iter().map(|start| format!("{start}_{}", field.name)));
    }
    names.extend(class.fields.iter().rev().map(|field| format!("get_{}", field.name)));
    names.extend(["get_by_name_label", "destroy", "create", "get_by_uuid", "get_record"].map(String::from));
    all.extend(names.iter().filter_map(|name| find(name)));
    all
}
