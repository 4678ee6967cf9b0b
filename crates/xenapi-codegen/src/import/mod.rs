//! From a description of xapi's data model in JSON to our schema.
//!
//! Run by a maintainer when a new release of xapi comes out; nobody needs the JSON to build. Where the description is wrong or
//! silent, a named fixup repairs it, and a fixup that finds nothing to repair is an error.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

mod facts;
mod fix;

use crate::emit::Schema;
use crate::schema::{Changes, Class, Creation, Enum, Error, Field, Lifecycle, Message, Param, Release, Type};
use facts::EVENTLESS;

/// Reads the description.
///
/// # Errors
/// What is missing or contradicts itself, and which fixup had nothing to repair.
pub fn import(json: &Value) -> Result<Schema, String> {
    let relations = relations(json)?;
    let mut shared = BTreeMap::new();
    let mut classes = Vec::new();
    for class in list(json, "classes")? {
        let name = text(class, "name")?;
        classes.push(import_class(class, &relations, &mut shared).map_err(|error| format!("{name}: {error}"))?);
    }
    let errors = list(json, "errors")?.iter().map(import_error).collect::<Result<Vec<_>, String>>()?;
    let releases = list(json, "releases")?.iter().map(import_release).collect::<Result<Vec<_>, String>>()?;
    let pairs = list(json, "relations")?.iter().map(|pair| Ok((at(pair, 0)?, at(pair, 1)?)));
    let relations = pairs.collect::<Result<Vec<_>, String>>()?;
    let mut schema = Schema { classes, errors, releases, relations };
    fix::fix(&mut schema)?;
    for (class, json) in schema.classes.iter().zip(list(json, "classes")?) {
        check_implicit(class, json)?;
    }
    Ok(schema)
}

fn import_error(json: &Value) -> Result<Error, String> {
    let declared = strings(&json[1])?;
    let params = declared.iter().map(|name| (name.clone(), Type::String)).collect();
    Ok(Error { code: at(json, 0)?, declared, params, doc: String::new() })
}

fn import_release(json: &Value) -> Result<Release, String> {
    let number = |place: usize| json[place].as_i64().ok_or_else(|| format!("release {json}: no number"));
    Ok(Release { name: at(json, 0)?, api: (number(1)?, number(2)?), product: at(json, 3)?, date: at(json, 4)? })
}

type Relations = BTreeMap<String, (String, String, bool)>;

fn relations(json: &Value) -> Result<Relations, String> {
    let mut all: Relations = BTreeMap::new();
    for relation in list(json, "relations")? {
        let (stored, computed) = (at(relation, 0)?, at(relation, 1)?);
        if stored == computed {
            // A set of the class's own type that mirrors nothing: role.subroles, subject.roles.
            continue;
        }
        let split = |side: &str| -> Result<(String, String), String> {
            side.split_once('.').map(|(a, b)| (a.into(), b.into())).ok_or_else(|| format!("relation side {side:?}"))
        };
        let ((stored_class, stored_field), (class, field)) = (split(&stored)?, split(&computed)?);
        all.insert(stored, (class, field, true));
        all.insert(computed, (stored_class, stored_field, false));
    }
    Ok(all)
}

fn import_class(json: &Value, relations: &Relations, shared: &mut BTreeMap<String, Vec<String>>) -> Result<Class, String> {
    let name = text(json, "name")?;
    let mut class = Class {
        lifecycle: lifecycle(json)?,
        has_events: !EVENTLESS.contains(&name.as_str()),
        name: name.clone(),
        ..Class::default()
    };
    for it in list(json, "enums")? {
        let (name, values) = (text(it, "name")?, strings(&it["values"])?);
        // Some enumerations stand in two classes; the first one keeps them.
        match shared.get(&name) {
            Some(known) if *known == values => class.enums.push(Enum { name, values: Vec::new() }),
            Some(_) => return Err(format!("enum {name} differs from the one of the same name in another class")),
            None => {
                shared.insert(name.clone(), values.clone());
                class.enums.push(Enum { name, values });
            }
        }
    }
    let messages: BTreeMap<String, &Value> = list(json, "messages")?
        .iter()
        .map(|message| Ok((text(message, "name")?, message)))
        .collect::<Result<_, String>>()?;
    let role = |message: &str| messages.get(message).map(|json| least_role(json)).transpose();
    let implicit = |message: &str| messages.get(message).is_some_and(|json| json["implicit"] == Value::Bool(true));
    for message in ["get_all", "get_record", "get_by_name_label"] {
        if implicit(message) {
            class.implicit.push(message.into());
        }
    }
    let mut class_role: Option<Option<String>> = None;
    for message in ["get_all", "get_all_records", "get_by_uuid", "get_record", "get_by_name_label"] {
        let Some(role) = role(message)?.filter(|_| implicit(message)) else { continue };
        let role = Some(role).filter(|role| role != "read-only");
        if *class_role.get_or_insert_with(|| role.clone()) != role {
            return Err(format!("{message} takes another role than the getters before it"));
        }
    }
    class.read_role = class_role.flatten();
    if implicit("create") {
        class.create = role("create")?.zip(role("destroy")?);
    }
    for field in list(json, "fields")? {
        let field_name = text(field, "name")?;
        let qualifier = match text(field, "qualifier")?.as_str() {
            "RW" => "rw",
            "RO/constructor" => "static",
            "RO/runtime" => "dynamic",
            other => return Err(format!("qualifier {other:?}")),
        };
        class.fields.push(Field {
            ty: Type::parse(&text(field, "type")?)?,
            declared: None,
            qualifier: qualifier.into(),
            creation: Creation::Free,
            secret: false,
            unit: None,
            default: field["default"].as_str().map(Into::into),
            read_role: role(&format!("get_{field_name}"))?.unwrap_or_else(|| "read-only".into()),
            write_role: role(&format!("set_{field_name}"))?.unwrap_or_else(|| "local-superuser".into()),
            client_cert: messages.get(&format!("set_{field_name}")).is_some_and(|json| client_cert(json)),
            relation: relations.get(&format!("{name}.{field_name}")).cloned(),
            lifecycle: lifecycle(field)?,
            doc: String::new(),
            name: field_name,
        });
    }
    for message in list(json, "messages")?.iter().filter(|message| message["implicit"] == Value::Bool(false)) {
        class.messages.push(import_message(message)?);
    }
    Ok(class)
}

fn import_message(json: &Value) -> Result<Message, String> {
    let mut params = Vec::new();
    for param in list(json, "params")? {
        params.push(Param {
            name: at(param, 0)?,
            ty: Type::parse(&at(param, 1)?)?,
            required: param[2] == Value::Bool(true),
            default: None,
            unit: None,
            secret: false,
        });
    }
    let takes_session =
        params.first().is_some_and(|param| param.name == "session_id" && param.ty == Type::Ref("session".into()));
    Ok(Message {
        name: text(json, "name")?,
        params: params.split_off(usize::from(takes_session)),
        result: Type::parse(&text(json, "result")?)?,
        unit: None,
        takes_session,
        has_async: true,
        errors: strings(&json["errors"])?,
        role: least_role(json)?,
        client_cert: client_cert(json),
        changes: Changes::Objects,
        lifecycle: lifecycle(json)?,
        doc: String::new(),
    })
}

/// Whether clients by certificate may call it although the least role may not.
fn client_cert(json: &Value) -> bool {
    let has = |role: &str| json["roles"].as_array().is_some_and(|roles| roles.iter().any(|it| it == role));
    has("client-cert") && !has("read-only")
}

/// The implicit messages that follow from our reading must be those that the description lists.
fn check_implicit(class: &Class, json: &Value) -> Result<(), String> {
    let listed: BTreeSet<String> = list(json, "messages")?
        .iter()
        .filter(|message| message["implicit"] == Value::Bool(true))
        .map(|message| text(message, "name"))
        .collect::<Result<_, String>>()?;
    let explicit: BTreeSet<&str> = class.messages.iter().map(|message| message.name.as_str()).collect();
    let mut derived = BTreeSet::new();
    for part in &class.implicit {
        derived.insert(part.clone());
        match part.as_str() {
            "get_all" => drop(derived.insert("get_all_records".into())),
            "get_record" => drop(derived.insert("get_by_uuid".into())),
            _ => {}
        }
    }
    if class.create.is_some() {
        derived.extend(["create".to_string(), "destroy".to_string()]);
    }
    let has_getters = class.implicit.iter().any(|part| part == "get_all" || part == "get_record");
    for field in &class.fields {
        if has_getters {
            derived.insert(format!("get_{}", field.name));
        }
        if field.qualifier == "rw" {
            derived.insert(format!("set_{}", field.name));
            let pairs = match &field.ty {
                Type::Set(_) => Some(("add", "remove")),
                Type::Map(..) => Some(("add_to", "remove_from")),
                _ => None,
            };
            if let Some((add, remove)) = pairs {
                derived.extend([format!("{add}_{}", field.name), format!("{remove}_{}", field.name)]);
            }
        }
    }
    derived.retain(|name| !explicit.contains(name.as_str()));
    match derived.symmetric_difference(&listed).next() {
        Some(name) => Err(format!("{}.{name}: derived and listed implicit messages differ", class.name)),
        None => Ok(()),
    }
}

fn least_role(json: &Value) -> Result<String, String> {
    const FROM_LEAST: [&str; 6] = ["read-only", "vm-operator", "vm-admin", "vm-power-admin", "pool-operator", "pool-admin"];
    let roles = strings(&json["roles"])?;
    let least = FROM_LEAST.iter().find(|role| roles.iter().any(|it| it == *role));
    Ok((*least.unwrap_or(&"local-superuser")).into())
}

fn lifecycle(json: &Value) -> Result<Lifecycle, String> {
    let transitions = &json["lifecycle"]["transitions"];
    transitions.as_array().ok_or("no transitions")?.iter().map(|it| Ok((at(it, 0)?, at(it, 1)?))).collect()
}

fn list<'a>(json: &'a Value, key: &str) -> Result<&'a Vec<Value>, String> {
    json[key].as_array().ok_or_else(|| format!("no list `{key}`"))
}

fn text(json: &Value, key: &str) -> Result<String, String> {
    json[key].as_str().map(Into::into).ok_or_else(|| format!("no text `{key}`"))
}

fn at(json: &Value, place: usize) -> Result<String, String> {
    json[place].as_str().map(Into::into).ok_or_else(|| format!("no text at {place} of {json}"))
}

fn strings(json: &Value) -> Result<Vec<String>, String> {
    let items = json.as_array().ok_or_else(|| format!("not a list: {json}"))?;
    items.iter().map(|item| item.as_str().map(Into::into).ok_or_else(|| format!("not text: {item}"))).collect()
}
