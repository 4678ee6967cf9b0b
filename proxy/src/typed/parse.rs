//! Arguments of the command line, read by the types of the schema.

use serde_json::Value as Json;
use xenapi_core::{ClassDesc, DateTime, NULL, Struct, Type, Uuid, Value};

use super::signature::nearest;

/// An argument whose objects may still have to be looked up.
#[derive(Clone, PartialEq, Debug)]
pub enum Arg {
    /// Ready to be sent.
    Ready(Value),
    /// The session of the call itself.
    OwnSession,
    /// An object by its uuid.
    ByUuid(&'static str, String),
    /// The one object of that name.
    ByName(&'static str, String),
    /// A set.
    Set(Vec<Arg>),
    /// A map, or a record.
    Map(Vec<(Arg, Arg)>),
}

/// Reads one argument.
///
/// Objects are given by reference, by uuid or by a name that only one object has; sets, maps and records as JSON.
///
/// # Errors
/// What is wrong with it, in words that continue "the argument …".
pub fn parse(ty: &Type, text: &str) -> Result<Arg, String> {
    match ty {
        Type::Int => text.parse().map(ready::<i64>).map_err(|_| format!("{text:?} is not a whole number")),
        Type::Float => text.parse().map(ready::<f64>).map_err(|_| format!("{text:?} is not a number")),
        Type::Bool => text.parse().map(ready::<bool>).map_err(|_| format!("{text:?} is neither true nor false")),
        Type::Option(inner) => parse(inner, text),
        Type::Set(_) | Type::Map(..) | Type::Record(_) | Type::AnyRecord | Type::EventBatch => {
            let json: Json =
                serde_json::from_str(text).map_err(|error| format!("{text:?} is not JSON ({error}); {}", shape(ty)))?;
            from_json(ty, &json)
        }
        Type::Void | Type::String | Type::Enum(_) | Type::Ref(_) | Type::DateTime => word(ty, text),
    }
}

fn word(ty: &Type, text: &str) -> Result<Arg, String> {
    match ty {
        Type::Enum(desc) => match desc.values.iter().find(|value| value.eq_ignore_ascii_case(text)) {
            Some(value) => Ok(ready(*value)),
            None => Err(format!("{text:?} is not one of {}", desc.values.join(", "))),
        },
        Type::DateTime => {
            DateTime::parse(text).map(ready).map_err(|_| format!("{text:?} is not a time like 20260131T10:20:30Z"))
        }
        Type::Ref(class) => reference(class, text),
        _ => Ok(ready(text)),
    }
}

fn reference(class: &'static str, text: &str) -> Result<Arg, String> {
    let is_reference = ["OpaqueRef:", "Ref:"].iter().any(|start| text.starts_with(start));
    let has_names = xenapi_model::class(class).is_some_and(|class| class.implicit.get_by_name_label);
    Ok(match text {
        "session" if class == "session" => Arg::OwnSession,
        "" | "null" | "NULL" => ready(NULL),
        _ if is_reference => ready(text),
        _ if is_uuid(text) => Arg::ByUuid(class, text.into()),
        _ if has_names => Arg::ByName(class, text.into()),
        _ => return Err(format!("{text:?} is neither a reference nor a uuid, and objects of class {class} have no names")),
    })
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && Uuid::parse(text).is_ok()
}

fn from_json(ty: &Type, json: &Json) -> Result<Arg, String> {
    match (ty, json) {
        (Type::Option(inner), json) => from_json(inner, json),
        (Type::Int, Json::Number(number)) if number.is_i64() => Ok(ready(number.as_i64().unwrap_or_default())),
        (Type::Float, Json::Number(number)) => Ok(ready(number.as_f64().unwrap_or_default())),
        (Type::Bool, Json::Bool(truth)) => Ok(ready(*truth)),
        (Type::Ref(_), Json::Null) => Ok(ready(NULL)),
        (Type::Int | Type::Float, Json::String(text)) => parse(ty, text),
        (Type::Void | Type::String | Type::Enum(_) | Type::Ref(_) | Type::DateTime, Json::String(text)) => word(ty, text),
        (Type::Set(item), Json::Array(items)) => {
            items.iter().map(|json| from_json(item, json)).collect::<Result<_, _>>().map(Arg::Set)
        }
        (Type::Map(key, value), Json::Object(members)) => {
            let members = members.iter().map(|(name, json)| Ok((parse(key, name)?, from_json(value, json)?)));
            members.collect::<Result<_, String>>().map(Arg::Map)
        }
        (Type::Record(class), Json::Object(members)) => {
            let class = xenapi_model::class(class).ok_or_else(|| format!("the schema has no class {class}"))?;
            let members = members.iter().map(|(name, json)| {
                let ty = field(class, name)?;
                let value = from_json(ty, json).map_err(|what| format!("in {name}: {what}"))?;
                Ok((ready(name.as_str()), value))
            });
            members.collect::<Result<_, String>>().map(Arg::Map)
        }
        (Type::AnyRecord | Type::EventBatch, _) => Err("cannot be given here".into()),
        _ => Err(format!("{json} is not a {ty}; {}", shape(ty))),
    }
}

fn field(class: &'static ClassDesc, name: &str) -> Result<&'static Type, String> {
    class.field(name).map(|field| &field.ty).ok_or_else(|| {
        let near = nearest(name, class.fields.iter().map(|field| field.name), 1);
        let near = near.first().map_or(String::new(), |near| format!("; did you mean {near}?"));
        format!("{} has no field {name}{near}", class.name)
    })
}

fn shape(ty: &Type) -> &'static str {
    match ty {
        Type::Set(_) => "give a set as JSON: '[\"a\", \"b\"]'",
        Type::Map(..) | Type::Record(_) => "give a map or record as JSON: '{\"key\": \"value\"}'",
        _ => "see `xenoxide schema` for the types",
    }
}

fn ready<T: Into<Value>>(it: T) -> Arg {
    Arg::Ready(it.into())
}

/// Looks objects up while an argument becomes a value.
pub trait LookUp {
    /// Why an object was not found.
    type Error;
    /// The reference of the object with that uuid.
    fn by_uuid(&mut self, class: &'static str, uuid: &str) -> impl Future<Output = Result<Value, Self::Error>>;
    /// The reference of the one object of that name.
    fn by_name(&mut self, class: &'static str, name: &str) -> impl Future<Output = Result<Value, Self::Error>>;
    /// The session of the call itself.
    fn session(&self) -> Value;
}

impl Arg {
    /// The value, with every object looked up.
    ///
    /// # Errors
    /// Those of the looking up.
    pub async fn resolve<L: LookUp>(self, look_up: &mut L) -> Result<Value, L::Error> {
        match self {
            Arg::Ready(value) => Ok(value),
            Arg::OwnSession => Ok(look_up.session()),
            Arg::ByUuid(class, uuid) => look_up.by_uuid(class, &uuid).await,
            Arg::ByName(class, name) => look_up.by_name(class, &name).await,
            Arg::Set(items) => {
                let mut values = Vec::with_capacity(items.len());
                for item in items {
                    values.push(Box::pin(item.resolve(look_up)).await?);
                }
                Ok(Value::Array(values))
            }
            Arg::Map(members) => {
                let mut values = Struct::with_capacity(members.len());
                for (key, value) in members {
                    let key = key_text(Box::pin(key.resolve(look_up)).await?);
                    values.push(key, Box::pin(value.resolve(look_up)).await?);
                }
                Ok(Value::Struct(values))
            }
        }
    }
}

/// Keys go over the wire as names of members, so as text.
fn key_text(key: Value) -> String {
    match key {
        Value::Text(text) => text,
        Value::Int(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Double(number) => number.to_string(),
        Value::DateTime(time) => time.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_an_argument_or_an_explained_mistake(text in "\\PC{0,40}|[\\[\\]{}\":,a0-9]{0,20}") {
            for class in xenapi_model::CLASSES {
                for ty in class.fields.iter().map(|field| &field.ty).chain([&class.own.record, &class.own.records]) {
                    if let Err(what) = parse(ty, &text) {
                        prop_assert!(!what.is_empty());
                    }
                }
            }
        }

        #[test]
        fn integers_and_booleans_come_back_as_they_were(number: i64, truth: bool) {
            prop_assert_eq!(parse(&Type::Int, &number.to_string()), Ok(ready(number)));
            prop_assert_eq!(parse(&Type::Set(&Type::Int), &format!("[{number}]")), Ok(Arg::Set(vec![ready(number)])));
            prop_assert_eq!(parse(&Type::Bool, &truth.to_string()), Ok(ready(truth)));
        }
    }

    #[test]
    fn simple_arguments_are_read_by_their_types() {
        assert_eq!(parse(&Type::Int, "-42"), Ok(ready(-42_i64)));
        assert_eq!(parse(&Type::String, "42"), Ok(ready("42")));
        assert_eq!(parse(&Type::Bool, "true"), Ok(ready(true)));
        assert_eq!(parse(&Type::Float, "0.5"), Ok(ready(0.5)));
        for (ty, text) in
            [(Type::Int, "4.2"), (Type::Int, ""), (Type::Bool, "yes"), (Type::Float, "x"), (Type::DateTime, "now")]
        {
            assert!(parse(&ty, text).unwrap_err().contains(&format!("{text:?}")));
        }
    }

    #[test]
    fn objects_go_by_reference_uuid_and_name() {
        let vm = Type::Ref("VM");
        let uuid = "8a5cbb5e-7f3b-4d2a-9a79-8d3f0f1ec5a1";
        assert_eq!(parse(&vm, "OpaqueRef:1"), Ok(ready("OpaqueRef:1")));
        assert_eq!(parse(&vm, "null"), Ok(ready(NULL)));
        assert_eq!(parse(&vm, uuid), Ok(Arg::ByUuid("VM", uuid.into())));
        assert_eq!(parse(&vm, "web 1"), Ok(Arg::ByName("VM", "web 1".into())));
        assert_eq!(parse(&Type::Ref("session"), "session"), Ok(Arg::OwnSession));
        assert!(parse(&Type::Ref("VBD"), "disk 0").unwrap_err().contains("neither a reference nor a uuid"));
    }

    #[test]
    fn sets_and_maps_are_json_and_typed_inside() {
        let refs = Type::Set(&Type::Ref("VM"));
        assert_eq!(
            parse(&refs, r#"["OpaqueRef:1", "web"]"#),
            Ok(Arg::Set(vec![ready("OpaqueRef:1"), Arg::ByName("VM", "web".into())]))
        );
        let map = Type::Map(&Type::Ref("VDI"), &Type::Int);
        assert_eq!(parse(&map, r#"{"a": 3}"#), Ok(Arg::Map(vec![(Arg::ByName("VDI", "a".into()), ready(3_i64))])));
        assert!(parse(&refs, "web").unwrap_err().contains("as JSON"));
        assert!(parse(&refs, "[1]").unwrap_err().contains("VM ref"));
        assert!(parse(&map, r#"{"a": "x"}"#).is_err());
    }

    #[test]
    fn a_record_knows_its_fields() {
        let ok = parse(&Type::Record("VM"), r#"{"name_label": "a", "VCPUs_max": 2}"#).unwrap();
        assert_eq!(ok, Arg::Map(vec![(ready("name_label"), ready("a")), (ready("VCPUs_max"), ready(2_i64))]));
        let wrong = parse(&Type::Record("VM"), r#"{"name_lable": "a"}"#).unwrap_err();
        assert_eq!(wrong, "VM has no field name_lable; did you mean name_label?");
        let wrong = parse(&Type::Record("VM"), r#"{"VCPUs_max": "many"}"#).unwrap_err();
        assert!(wrong.starts_with("in VCPUs_max: "), "{wrong}");
    }

    #[test]
    fn words_of_an_enumeration_are_checked_and_spelt_as_the_server_does() {
        let ty = xenapi_model::class("VM").unwrap().field("power_state").unwrap().ty;
        assert_eq!(parse(&ty, "running"), Ok(ready("Running")));
        assert!(parse(&ty, "dancing").unwrap_err().contains("Halted"));
    }
}
