//! How something of the schema is written in Rust, for whoever explains it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{ErrorDesc, FieldDesc, Member, Method, Param, Type};

/// A call: `vm::start(&vm, start_paused, force)`.
///
/// ```
/// use xenapi_model::in_rust;
/// use xenapi_core::Method;
///
/// let vm = xenapi_model::class("VM").expect("the model has VMs");
/// let start = Method::find(vm, "start").expect("VMs are started");
/// assert_eq!(in_rust::call(&start), "vm::start(&vm, start_paused, force)");
/// ```
pub fn call(method: &Method) -> String {
    let module = lower(method.class.name);
    let class = camel(method.class.name);
    let this = format!("&{}", module.trim_start_matches("r#"));
    let of_field = |field: &FieldDesc, action: &str, rest: &str| {
        format!("{module}::fields::{}.{action}({this}{rest})", field.name.to_ascii_uppercase())
    };
    match method.member {
        Member::Explicit(message) => {
            let given: Vec<String> = method.params().iter().map(argument).collect();
            format!("{module}::{}({})", lower(message.name), given.join(", "))
        }
        Member::GetAll => format!("get_all::<{class}>()"),
        Member::GetAllRecords => format!("get_all_records::<{class}>()"),
        Member::GetAllRecordsWhere => format!("get_all_records_where::<{class}>(expr)"),
        Member::GetAllWhere => format!("get_all_where::<{class}>(expr)"),
        Member::GetByUuid => format!("get_by_uuid::<{class}>(&uuid)"),
        Member::GetByNameLabel => format!("get_by_name_label::<{class}>(label)"),
        Member::GetRecord => format!("get_record({this})"),
        Member::Create => {
            let needed: Vec<String> =
                method.class.fields.iter().filter(|field| field.needed).map(|field| lower(field.name)).collect();
            format!("{module}::New::new({}).into_call()", needed.join(", "))
        }
        Member::Destroy => format!("destroy({this})"),
        Member::Get(field) => of_field(field, "get", ""),
        Member::Set(field) => of_field(field, "set", ", &value"),
        Member::Add(field) => of_field(field, "add", ", &value"),
        Member::Remove(field) => of_field(field, "remove", ", &value"),
        Member::AddTo(field) => of_field(field, "add_to", ", &key, &value"),
        Member::RemoveFrom(field) => of_field(field, "remove_from", ", &key"),
    }
}

/// How an error is told from others: `failure.view::<errors::VmBadPowerState>()`, or by its code where it has no parameters.
pub fn error(error: &ErrorDesc) -> String {
    match error.params.is_empty() {
        true => format!("failure.code == errors::{}", error.code),
        false => format!("failure.view::<errors::{}>()", camel(&error.code.to_ascii_lowercase())),
    }
}

fn argument(param: &Param) -> String {
    let name = lower(param.name);
    let borrowed = match param.ty {
        Type::Int | Type::Float | Type::Bool | Type::String => name,
        _ => format!("&{}", name.trim_start_matches("r#")),
    };
    match (param.required, param.nullable) {
        (true, false) => borrowed,
        _ => format!("Some({borrowed})"),
    }
}

/// A class, message or parameter as a module, function or argument.
fn lower(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        "self" => "this".into(),
        "type" | "ref" | "fn" | "move" | "match" | "enum" | "use" | "static" => format!("r#{name}"),
        _ => name,
    }
}

/// A class or an error as a type.
fn camel(name: &str) -> String {
    let parts = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (first, rest) = part.split_at(1);
            first.to_ascii_uppercase() + rest
        })
        .collect()
}
