//! Values as JSON, by the types of the schema: XenAPI sends its integers as text, here they are numbers.

use serde_json::{Map, Number, Value as Json};
use xenapi_core::{ClassDesc, Struct, Type, Value};

/// A value as JSON. What is not of its type, as newer servers may send it, is shown as it came.
pub fn to_json(ty: &Type, value: &Value) -> Json {
    match (ty, value) {
        (Type::Void, _) => Json::Null,
        (Type::Int, value) => value.as_int().map_or_else(|| untyped(value), Json::from),
        (Type::Float, Value::Text(text)) => text.parse().map_or_else(|_| Json::from(text.as_str()), number),
        (Type::Option(inner), value) if *value != Value::Nil => to_json(inner, value),
        (Type::Set(item), Value::Array(items)) => items.iter().map(|value| to_json(item, value)).collect(),
        (Type::Map(_, item), Value::Struct(members)) => object(members, |_| Some(item)),
        (Type::Record("event"), Value::Struct(members)) => event(members),
        (Type::Record(class), Value::Struct(members)) => record(xenapi_model::class(class), members),
        (Type::EventBatch, Value::Struct(members)) => object(members, |name| match name {
            "events" => Some(&Type::Set(&Type::Record("event"))),
            "valid_ref_counts" => Some(&Type::Map(&Type::String, &Type::Int)),
            _ => Some(&Type::String),
        }),
        (_, value) => untyped(value),
    }
}

/// An event: what its snapshot holds depends on its class.
fn event(members: &Struct) -> Json {
    let class = members.get("class").and_then(Value::as_text).and_then(xenapi_model::class_of_event);
    let Some(class) = class else { return record(xenapi_model::class("event"), members) };
    let event = xenapi_model::class("event");
    object(members, |name| if name == "snapshot" { Some(&class.own.record) } else { field(event, name) })
}

fn record(class: Option<&'static ClassDesc>, members: &Struct) -> Json {
    object(members, |name| field(class, name))
}

fn field(class: Option<&'static ClassDesc>, name: &str) -> Option<&'static Type> {
    Some(&class?.field(name)?.ty)
}

fn object<'t>(members: &Struct, ty: impl Fn(&str) -> Option<&'t Type>) -> Json {
    let member = |(name, value): (&str, &Value)| {
        let json = ty(name).map_or_else(|| untyped(value), |ty| to_json(ty, value));
        (name.to_owned(), json)
    };
    Json::Object(members.iter().map(member).collect::<Map<_, _>>())
}

/// A value as it came, without a schema.
fn untyped(value: &Value) -> Json {
    match value {
        Value::Text(text) => Json::from(text.as_str()),
        Value::Int(number) => Json::from(*number),
        Value::Int32(number) => Json::from(*number),
        Value::Bool(truth) => Json::from(*truth),
        Value::Double(it) => number(*it),
        Value::DateTime(time) => Json::from(time.to_string()),
        Value::Bytes(bytes) => {
            use base64::Engine as _;
            Json::from(base64::engine::general_purpose::STANDARD.encode(bytes))
        }
        Value::Array(items) => items.iter().map(untyped).collect(),
        Value::Struct(members) => object(members, |_| None),
        Value::Nil => Json::Null,
    }
}

/// JSON has no word for what is not a number.
fn number(it: f64) -> Json {
    Number::from_f64(it).map_or_else(|| Json::from(it.to_string()), Json::Number)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use serde_json::json;

    use super::*;

    fn members(of: &[(&'static str, Value)]) -> Value {
        Value::Struct(of.iter().cloned().collect())
    }

    #[test]
    fn integers_that_come_as_text_are_numbers_and_texts_are_not() {
        let vm = members(&[
            ("name_label", "42".into()),
            ("VCPUs_max", "42".into()),
            ("is_a_template", true.into()),
            ("VBDs", Value::Array(vec!["OpaqueRef:1".into()])),
            ("other_config", members(&[("a", "1".into())])),
            ("field_of_tomorrow", "7".into()),
        ]);
        let expected = json!({
            "name_label": "42", "VCPUs_max": 42, "is_a_template": true, "VBDs": ["OpaqueRef:1"],
            "other_config": {"a": "1"}, "field_of_tomorrow": "7",
        });
        assert_eq!(to_json(&Type::Record("VM"), &vm), expected);
    }

    #[test]
    fn fields_keep_the_order_in_which_they_came() {
        let text = to_json(&Type::Record("VM"), &members(&[("uuid", "x".into()), ("name_label", "a".into())])).to_string();
        assert_eq!(text, r#"{"uuid":"x","name_label":"a"}"#);
    }

    #[test]
    fn what_is_not_of_its_type_is_shown_as_it_came() {
        assert_eq!(to_json(&Type::Int, &"many".into()), json!("many"));
        assert_eq!(to_json(&Type::Set(&Type::Int), &"x".into()), json!("x"));
        assert_eq!(to_json(&Type::Float, &Value::Double(f64::NAN)), json!("NaN"));
        assert_eq!(to_json(&Type::Float, &"0.5".into()), json!(0.5));
        assert_eq!(to_json(&Type::Void, &Value::VOID), Json::Null);
    }

    #[test]
    fn the_snapshot_of_an_event_has_the_types_of_its_class() {
        let event =
            members(&[("class", "vm".into()), ("id", "3".into()), ("snapshot", members(&[("VCPUs_max", "2".into())]))]);
        let batch = members(&[("events", Value::Array(vec![event])), ("token", "00".into())]);
        let json = to_json(&Type::EventBatch, &batch);
        assert_eq!(json["events"][0]["snapshot"]["VCPUs_max"], json!(2));
        assert_eq!(json["events"][0]["id"], json!(3));
    }
}
