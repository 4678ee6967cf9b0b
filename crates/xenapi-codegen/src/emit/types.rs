//! Types and defaults as Rust.

use super::Homes;
use crate::names::{constant, snake, type_name, variant};
use crate::schema::{Class, Field, Type};

pub(super) fn field_type(field: &Field, class: &Class, homes: &Homes) -> String {
    match &field.ty {
        Type::String if field.name == "uuid" => "Uuid".into(),
        Type::Option(inner) if field.name == "uuid" && **inner == Type::String => "Option<Uuid>".into(),
        ty => rust_type(ty, class, homes),
    }
}

pub(super) fn enum_path(name: &str, class: &Class, homes: &Homes) -> String {
    match homes.get(name) {
        Some(home) if *home != class.name => format!("crate::{}::{}", snake(home), type_name(name)),
        _ => type_name(name),
    }
}

pub(super) fn rust_type(ty: &Type, class: &Class, homes: &Homes) -> String {
    match ty {
        Type::Void => "()".into(),
        Type::String => "String".into(),
        Type::Int => "i64".into(),
        Type::Float => "f64".into(),
        Type::Bool => "bool".into(),
        Type::DateTime => "DateTime".into(),
        Type::Enum(name) => enum_path(name, class, homes),
        Type::Ref(name) => format!("Ref<crate::{}>", type_name(name)),
        Type::NullRef(name) => format!("Option<Ref<crate::{}>>", type_name(name)),
        Type::Record(name) if *name == class.name => "Record".into(),
        Type::Record(name) => format!("crate::{}::Record", snake(name)),
        Type::Set(inner) => format!("Vec<{}>", rust_type(inner, class, homes)),
        Type::Map(key, value) if **key == Type::String && **value == Type::String => "TextMap".into(),
        Type::Map(key, value) => format!("Map<{}, {}>", rust_type(key, class, homes), rust_type(value, class, homes)),
        Type::Option(inner) => format!("Option<{}>", rust_type(inner, class, homes)),
        Type::AnyRecord => "Option<Value>".into(),
        Type::EventBatch => "crate::EventBatch".into(),
    }
}

pub(super) fn argument_type(ty: &Type, class: &Class, homes: &Homes) -> String {
    match ty {
        Type::String => "&str".into(),
        Type::Int | Type::Float | Type::Bool => rust_type(ty, class, homes),
        Type::NullRef(name) => format!("Option<&Ref<crate::{}>>", type_name(name)),
        Type::Set(inner) => format!("&[{}]", rust_type(inner, class, homes)),
        _ => format!("&{}", rust_type(ty, class, homes)),
    }
}

pub(super) fn type_desc(ty: &Type, homes: &Homes) -> String {
    match ty {
        Type::Void => "Type::Void".into(),
        Type::String => "Type::String".into(),
        Type::Int => "Type::Int".into(),
        Type::Float => "Type::Float".into(),
        Type::Bool => "Type::Bool".into(),
        Type::DateTime => "Type::DateTime".into(),
        Type::Enum(name) => {
            let home = homes.get(name.as_str()).copied().unwrap_or_default();
            format!("Type::Enum(&crate::{}::{})", snake(home), constant(name))
        }
        Type::Ref(name) | Type::NullRef(name) => format!("Type::Ref({name:?})"),
        Type::Record(name) => format!("Type::Record({name:?})"),
        Type::Set(inner) => format!("Type::Set(&{})", type_desc(inner, homes)),
        Type::Map(key, value) => {
            format!("Type::Map(&{}, &{})", type_desc(key, homes), type_desc(value, homes))
        }
        Type::Option(inner) => format!("Type::Option(&{})", type_desc(inner, homes)),
        Type::AnyRecord => "Type::AnyRecord".into(),
        Type::EventBatch => "Type::EventBatch".into(),
    }
}

/// The default of a field as an expression. Whatever is not the type's own default is read from the descriptor's text, so
/// that both say the same.
pub(super) fn default(field: &Field, class: &Class, homes: &Homes) -> String {
    let text = field.default.as_deref().unwrap_or("");
    match (&field.ty, text) {
        (_, "" | "{}" | "\"\"" | "Null" | "OpaqueRef:NULL" | "19700101T00:00:00Z") => "Default::default()".into(),
        (Type::Bool, _) => text.into(),
        (Type::Int, _) => text.into(),
        (Type::Float, _) => {
            if text.ends_with('.') {
                format!("{text}0")
            } else {
                text.into()
            }
        }
        (Type::String, _) if field.name != "uuid" => format!("{:?}.into()", text.trim_matches('"')),
        (Type::Enum(name), word) => format!("{}::{}", enum_path(name, class, homes), variant(word)),
        _ => format!("default_of(&RECORD, {:?})", field.name),
    }
}
