//! The descriptor of a class: a line a field, a line a message.

use std::fmt::Write as _;

use super::types::type_desc;
use super::{HEADER, Homes, Schema};
use crate::names::{constant, snake};
use crate::schema::{Changes, Class, Creation, Field, Lifecycle, Message, Param, Type};

pub(super) fn module(schema: &Schema) -> String {
    let mut out = format!("//! The descriptors of all classes.\n{HEADER}pub(crate) mod errors;\n");
    for class in &schema.classes {
        let _ = writeln!(out, "pub(crate) mod {};", snake(&class.name));
    }
    out
}

pub(super) fn file(class: &Class, homes: &Homes) -> String {
    let name = &class.name;
    let mut out = format!(
        "//! The descriptor of `{name}`.\n{HEADER}\
         #[allow(unused_imports, reason = \"what a class needs depends on its fields\")]\nuse crate::support::desc::*;\n\n"
    );
    let has = |part: &str| class.implicit.iter().any(|it| it == part);
    let create = match &class.create {
        Some((create, destroy)) => format!("Some(({}, {}))", role(create), role(destroy)),
        None => "None".into(),
    };
    let path = |name: &str| {
        let home = homes.get(name).copied().unwrap_or_default();
        format!("&crate::{}::{}", snake(home), constant(name))
    };
    let enums: Vec<String> = class.enums.iter().map(|it| path(&it.name)).collect();
    // Messages list themselves by a message of their own.
    let listed = has("get_all") || class.messages.iter().any(|it| it.name == "get_all_records");
    let _ = writeln!(
        out,
        "/// The record of `{name}`.\npub(crate) static RECORD: RecordDesc = RecordDesc {{\nname: {name:?},\nsecret: {},\nfields: FIELDS,\n\
         by_name: &table::<{{ table_size({}) }}>(FIELDS),\nlisted: {listed},\n}};\n\n\
         /// What is known about `{name}`.\npub static CLASS: ClassDesc = ClassDesc {{\nrecord: &RECORD,\nplace: Place::{},\n\
         enums: &[{}],\nmessages: MESSAGES,\n\
         implicit: Implicit {{ get_all: {}, get_record: {}, get_by_name_label: {}, create: {create}, read_role: {} }},\n\
         has_events: {},\nown: own_types!({name:?}),\nlifecycle: {},\ndoc: doc!({:?}),\n}};\n",
        class.secret,
        class.fields.len(),
        capital(&class.place),
        enums.join(", "),
        has("get_all"),
        has("get_record"),
        has("get_by_name_label"),
        role(class.read_role.as_deref().unwrap_or("read-only")),
        class.has_events,
        lifecycle(&class.lifecycle),
        class.doc,
    );
    out.push_str("#[rustfmt::skip] // a line each\nstatic FIELDS: &[FieldDesc] = &[\n");
    for it in &class.fields {
        let _ = writeln!(out, "    FieldDesc {{ {}, ..FieldDesc::PLAIN }},", field(it, homes).join(", "));
    }
    out.push_str("];\n\n#[rustfmt::skip] // a line each\nstatic MESSAGES: &[MessageDesc] = &[\n");
    for it in &class.messages {
        let _ = writeln!(out, "    MessageDesc {{ {}, ..MessageDesc::PLAIN }},", message(it, homes).join(", "));
    }
    out.push_str("];\n");
    out
}

fn field(field: &Field, homes: &Homes) -> Vec<String> {
    let qualifier = match field.qualifier.as_str() {
        "rw" => "ReadWrite",
        "static" => "Static",
        _ => "Dynamic",
    };
    let mut parts = vec![
        format!("name: {:?}", field.name),
        format!("ty: {}", type_desc(&field.ty, homes)),
        format!("qualifier: Qualifier::{qualifier}"),
    ];
    let mut add = |condition: bool, part: String| {
        if condition {
            parts.push(part);
        }
    };
    add(field.default.is_some(), format!("default: {:?}", field.default));
    add(field.read_role != "read-only", format!("read_role: {}", role(&field.read_role)));
    add(field.write_role != "local-superuser", format!("write_role: {}", role(&field.write_role)));
    if let Some((class, other, stored)) = &field.relation {
        add(true, format!("relation: Some(Relation {{ class: {class:?}, field: {other:?}, stored: {stored} }})"));
    }
    add(matches!(field.ty, Type::NullRef(_)), "nullable: true".into());
    add(field.unit.is_some(), format!("unit: {}", unit(field.unit.as_deref())));
    add(field.secret, "secret: true".into());
    add(field.creation == Creation::Needed, "needed: true".into());
    add(field.client_cert, "client_cert: true".into());
    if let Some(declared) = &field.declared {
        add(true, format!("declared: Some({})", type_desc(declared, homes)));
    }
    add(true, format!("lifecycle: {}", lifecycle(&field.lifecycle)));
    add(!field.doc.is_empty(), format!("doc: doc!({:?})", field.doc));
    parts
}

fn message(message: &Message, homes: &Homes) -> Vec<String> {
    let mut parts = vec![format!("name: {:?}", message.name)];
    let mut add = |condition: bool, part: String| {
        if condition {
            parts.push(part);
        }
    };
    add(message.result != Type::Void, format!("result: {}", type_desc(&message.result, homes)));
    let params: Vec<String> = message.params.iter().map(|it| param(it, homes)).collect();
    add(!params.is_empty(), format!("params: &[{}]", params.join(", ")));
    add(!message.takes_session, "takes_session: false".into());
    add(!message.has_async, "has_async: false".into());
    add(!message.errors.is_empty(), format!("errors: &{:?}", message.errors));
    add(message.role != "read-only", format!("least_role: {}", role(&message.role)));
    add(message.client_cert, "client_cert: true".into());
    add(matches!(message.result, Type::NullRef(_)), "nullable: true".into());
    add(message.unit.is_some(), format!("unit: {}", unit(message.unit.as_deref())));
    match &message.changes {
        Changes::Nothing => add(true, "changes: Changes::Nothing".into()),
        Changes::Field(field) => add(true, format!("changes: Changes::Field({field:?})")),
        Changes::Creates => add(true, "changes: Changes::Creates".into()),
        Changes::Destroys => add(true, "changes: Changes::Destroys".into()),
        Changes::Objects => {}
    }
    add(true, format!("lifecycle: {}", lifecycle(&message.lifecycle)));
    add(!message.doc.is_empty(), format!("doc: doc!({:?})", message.doc));
    parts
}

fn param(param: &Param, homes: &Homes) -> String {
    let mut parts = vec![format!("name: {:?}", param.name), format!("ty: {}", type_desc(&param.ty, homes))];
    let mut add = |condition: bool, part: String| {
        if condition {
            parts.push(part);
        }
    };
    add(!param.required, "required: false".into());
    add(matches!(param.ty, Type::NullRef(_)), "nullable: true".into());
    add(param.unit.is_some(), format!("unit: {}", unit(param.unit.as_deref())));
    add(param.secret, "secret: true".into());
    add(param.default.is_some(), format!("default: {:?}", param.default));
    format!("ParamDesc {{ {}, ..ParamDesc::PLAIN }}", parts.join(", "))
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(word.len().min(1));
    first.to_ascii_uppercase() + rest
}

fn unit(name: Option<&str>) -> String {
    let variant = match name {
        Some("bytes") => "Bytes",
        Some("KiB") => "Kibibytes",
        Some("MiB") => "Mebibytes",
        Some("KiB/s") => "KibibytesPerSecond",
        Some("Mb/s") => "MegabitsPerSecond",
        Some("milliseconds") => "Milliseconds",
        Some("seconds") => "Seconds",
        Some("hours") => "Hours",
        Some("fraction") => "Fraction",
        Some("percent") => "Percent",
        Some("MHz") => "Megahertz",
        Some("pixels") => "Pixels",
        _ => return "None".into(),
    };
    format!("Some(Unit::{variant})")
}

fn role(name: &str) -> String {
    let variant = match name {
        "read-only" => "ReadOnly",
        "vm-operator" => "VmOperator",
        "vm-admin" => "VmAdmin",
        "vm-power-admin" => "VmPowerAdmin",
        "pool-operator" => "PoolOperator",
        "pool-admin" => "PoolAdmin",
        _ => "LocalSuperuser",
    };
    format!("LeastRole::{variant}")
}

fn lifecycle(all: &Lifecycle) -> String {
    let parts: Vec<String> =
        all.iter().map(|(stage, release)| format!("(Stage::{}, {release:?})", capital(stage))).collect();
    format!("&[{}]", parts.join(", "))
}
