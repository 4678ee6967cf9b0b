//! What callers send, turned into values of the types that the schema says, as leniently as xapi does it.

use alloc::borrow::Cow;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{ClassDesc, DateTime, Failure, FieldDesc, Param, Qualifier, Struct, Type, Value};

/// `INTERNAL_ERROR` with the text of an exception.
pub(crate) fn internal(text: impl core::fmt::Display) -> Failure {
    Failure::new("INTERNAL_ERROR", [format!("{text}")])
}

fn unexpected(expected: &str, found: &Value) -> Failure {
    internal(format_args!("Failure(\"Expected {expected}, got '{}'\")", describe(found)))
}

/// A value as the messages of the server show it.
fn describe(value: &Value) -> String {
    let list = |items: &[Value]| items.iter().map(describe).collect::<Vec<_>>().join(";");
    match value {
        Value::Text(text) => format!("S({text})"),
        Value::Int(number) => format!("I({number})"),
        Value::Int32(number) => format!("I32({number})"),
        Value::Bool(truth) => format!("B({truth})"),
        Value::Double(number) => format!("F({number})"),
        Value::DateTime(time) => format!("D({time})"),
        Value::Bytes(_) => "B64(...)".into(),
        Value::Array(items) => format!("[{}]", list(items)),
        Value::Struct(members) => {
            let members = members.iter().map(|(name, value)| format!("{name}:{}", describe(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(";"))
        }
        Value::Nil => "N".into(),
    }
}

/// An integer as OCaml reads it: a sign, `0x`, `0o`, `0b`, and `_` between digits.
pub(crate) fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let prefixes = [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2)];
    let prefixed = prefixes.iter().find_map(|(prefix, radix)| Some((digits.strip_prefix(prefix)?, *radix)));
    let (digits, radix) = prefixed.unwrap_or((digits, 10));
    if digits.starts_with(['_', '+', '-']) {
        return None;
    }
    let plain: String = digits.chars().filter(|c| *c != '_').collect();
    if radix != 10 {
        // Numbers with a prefix may use all 64 bits.
        let bits = u64::from_str_radix(&plain, radix).ok()?.cast_signed();
        return Some(if negative { bits.wrapping_neg() } else { bits });
    }
    let signed = if negative { format!("-{plain}") } else { plain };
    signed.parse().ok()
}

/// Turns a value that came into one of the type.
pub(crate) fn convert(value: Value, ty: &Type) -> Result<Value, Failure> {
    match (ty, value) {
        (Type::String | Type::Ref(_), Value::Text(text)) => Ok(Value::Text(text)),
        (Type::String | Type::Ref(_), other) => Err(unexpected("string", &other)),
        (Type::Enum(desc), Value::Text(word)) => match desc.values.iter().find(|value| value.eq_ignore_ascii_case(&word)) {
            Some(known) => Ok(Value::from(*known)),
            None => Err(internal(format_args!("Failure(\"Unknown {}: {word}\")", desc.name))),
        },
        (Type::Enum(_), other) => Err(unexpected("string", &other)),
        (Type::Int, value) => match &value {
            Value::Int(number) => Ok(Value::Int(*number)),
            Value::Int32(number) => Ok(Value::Int(i64::from(*number))),
            Value::Text(text) => integer(text).map(Value::Int).ok_or_else(|| internal("Failure(\"Int64.of_string\")")),
            _ => Err(unexpected("int", &value)),
        },
        (Type::Float, value) => match &value {
            Value::Double(number) => Ok(Value::Double(*number)),
            #[allow(clippy::cast_precision_loss, reason = "the caller wrote an integer where a float is due")]
            Value::Int(number) => Ok(Value::Double(*number as f64)),
            Value::Int32(number) => Ok(Value::Double(f64::from(*number))),
            Value::Text(text) => text.parse().map(Value::Double).map_err(|_| internal("Failure(\"float_of_string\")")),
            _ => Err(unexpected("float", &value)),
        },
        (Type::Bool, Value::Bool(truth)) => Ok(Value::Bool(truth)),
        (Type::Bool, other) => Err(unexpected("bool", &other)),
        (Type::DateTime, Value::DateTime(time)) => Ok(Value::DateTime(time)),
        (Type::DateTime, Value::Text(text)) => {
            DateTime::parse(&text).map(Value::DateTime).map_err(|error| internal(format_args!("Failure(\"{error}\")")))
        }
        (Type::DateTime, other) => Err(unexpected("datetime", &other)),
        (Type::Set(item), Value::Array(items)) => set(items, item),
        (Type::Set(_), other) => Err(unexpected("list", &other)),
        (Type::Map(key, of), Value::Struct(members)) => map(members, key, of),
        (Type::Record(_), Value::Struct(members)) => Ok(Value::Struct(members)),
        (Type::Map(..) | Type::Record(_), other) => Err(unexpected("dict", &other)),
        (Type::Option(_), Value::Nil) => Ok(Value::Nil),
        (Type::Option(inner), value) => convert(value, inner),
        (Type::Void | Type::AnyRecord | Type::EventBatch, value) => Ok(value),
    }
}

/// A set holds every item once, where it came first.
fn set(items: Vec<Value>, item: &Type) -> Result<Value, Failure> {
    let mut texts = BTreeSet::new();
    let mut unique: Vec<Value> = Vec::with_capacity(items.len());
    for value in items {
        let value = convert(value, item)?;
        // Long sets are sets of texts, so those are found fast.
        let is_new = match &value {
            Value::Text(text) => texts.insert(text.clone()),
            other => !unique.contains(other),
        };
        if is_new {
            unique.push(value);
        }
    }
    Ok(Value::Array(unique))
}

/// A map holds every key once; the last one counts.
fn map(members: Struct, key: &Type, of: &Type) -> Result<Value, Failure> {
    let mut seen = BTreeSet::new();
    let mut map = Vec::with_capacity(members.len());
    let members: Vec<(Cow<'static, str>, Value)> = members.into_iter().collect();
    for (name, value) in members.into_iter().rev() {
        let name = map_key(name, key)?;
        let value = convert(value, of)?;
        if seen.insert(name.clone()) {
            map.push((name, value));
        }
    }
    Ok(Value::Struct(map.into_iter().rev().collect()))
}

fn map_key(name: Cow<'static, str>, key: &Type) -> Result<Cow<'static, str>, Failure> {
    match key {
        Type::Int | Type::Enum(_) => match convert(Value::Text(name.into_owned()), key)? {
            Value::Int(number) => Ok(Cow::Owned(format!("{number}"))),
            Value::Text(word) => Ok(Cow::Owned(word)),
            _ => Err(internal("Failure(\"map key\")")),
        },
        _ => Ok(name),
    }
}

/// Turns the parameters that came (without the session) into values of their types. What goes beyond `params` is dropped.
pub(crate) fn convert_all(values: Vec<Value>, params: &[Param]) -> Result<Args, Failure> {
    let values = values.into_iter().zip(params).map(|(value, param)| convert(value, &param.ty));
    values.collect::<Result<Vec<_>, _>>().map(Args)
}

/// The parameters of a call, of the types that the schema says.
#[derive(Clone, Default)]
pub(crate) struct Args(Vec<Value>);

impl Args {
    pub(crate) fn value(&self, at: usize) -> Option<&Value> {
        self.0.get(at)
    }

    pub(crate) fn take(&mut self, at: usize) -> Value {
        self.0.get_mut(at).map(core::mem::take).unwrap_or_default()
    }

    /// Text, or empty text where nothing was given.
    pub(crate) fn text(&self, at: usize) -> &str {
        self.value(at).and_then(Value::as_text).unwrap_or("")
    }

    pub(crate) fn flag(&self, at: usize) -> bool {
        self.value(at).and_then(Value::as_bool).unwrap_or(false)
    }

    pub(crate) fn int(&self, at: usize) -> i64 {
        self.value(at).and_then(Value::as_int).unwrap_or(0)
    }

    pub(crate) fn float(&self, at: usize) -> f64 {
        if let Some(Value::Double(number)) = self.value(at) { *number } else { 0.0 }
    }
}

/// The fields of a new object out of what a caller sent: unknown members and those that only the server writes are passed over.
pub(crate) fn constructor(class: &ClassDesc, defaults: &mut [Value], mut sent: Struct) -> Result<(), Failure> {
    for (field, slot) in class.fields.iter().zip(defaults) {
        if field.qualifier == Qualifier::Dynamic {
            continue;
        }
        match sent.remove(field.name) {
            Some(value) => {
                let value = convert(value, &field.ty)?;
                *slot = clean(value);
            }
            None if is_required(field) => {
                return Err(internal(format_args!(
                    "Failure(\"Undefined field '{}' in record '{}'\")",
                    field.name, class.name
                )));
            }
            None => {}
        }
    }
    Ok(())
}

fn is_required(field: &FieldDesc) -> bool {
    field.default.is_none() && field.relation.is_none_or(|relation| relation.stored)
}

fn is_bad(c: char) -> bool {
    c < ' ' && !matches!(c, '\t' | '\n' | '\r')
}

/// Cuts texts at the first control character, as the database does with new values.
pub(crate) fn clean(value: Value) -> Value {
    match value {
        Value::Text(mut text) => {
            if let Some(at) = text.find(is_bad) {
                text.truncate(at);
            }
            Value::Text(text)
        }
        Value::Array(items) => Value::Array(items.into_iter().map(clean).collect()),
        Value::Struct(members) => Value::Struct(members.into_iter().map(|(name, value)| (name, clean(value))).collect()),
        other => other,
    }
}

/// Refuses texts with control characters, as setters do.
pub(crate) fn check_clean(value: &Value) -> Result<(), Failure> {
    match value {
        Value::Text(text) if text.contains(is_bad) => {
            Err(internal("Failure(\"Invalid character in a string for the database\")"))
        }
        Value::Array(items) => items.iter().try_for_each(check_clean),
        Value::Struct(members) => members.iter().try_for_each(|(_, value)| check_clean(value)),
        _ => Ok(()),
    }
}

/// A field's name as the database spells it: `name__label` for `name_label`, `VCPUs__params` for `VCPUs_params`.
pub(crate) fn stored_name(field: &str) -> String {
    const SPACES: &[(&str, &[&str])] = &[
        ("name", &["label", "description"]),
        ("VCPUs", &["params", "max", "at_startup", "number", "utilisation", "CPU", "flags"]),
        (
            "memory",
            &["overhead", "target", "static_max", "dynamic_max", "dynamic_min", "static_min", "actual", "total", "free"],
        ),
        ("actions", &["after_softreboot", "after_shutdown", "after_reboot", "after_crash"]),
        ("PV", &["bootloader", "kernel", "ramdisk", "args", "bootloader_args", "legacy_args"]),
        ("HVM", &["boot_policy", "boot_params", "shadow_multiplier"]),
        ("PCI", &["bus"]),
        ("qos", &["algorithm_type", "algorithm_params", "supported_algorithms"]),
        ("io", &["read_kbs", "write_kbs"]),
        ("API_version", &["major", "minor", "vendor", "vendor_implementation"]),
    ];
    let spaced = SPACES.iter().find_map(|(space, names)| {
        let rest = field.strip_prefix(space)?.strip_prefix('_')?;
        names.contains(&rest).then(|| format!("{space}__{rest}"))
    });
    spaced.unwrap_or_else(|| field.into())
}
