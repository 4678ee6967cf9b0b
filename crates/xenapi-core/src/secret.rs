//! What must not reach a log.

use alloc::string::String;
use alloc::vec::Vec;

use crate::descriptor::{ClassDesc, Type};
use crate::value::{Struct, Value};

/// What stands in the place of a secret.
pub const REDACTED: &str = "(secret)";

/// Whether the value of a map's entry is a secret, by the name of its key: passwords of storage (`chappassword`, `password`,
/// `cifspassword_secret`), tokens, private keys, and the sessions that migrations hand over.
pub fn is_secret_key(key: &str) -> bool {
    const WORDS: [&str; 8] =
        ["password", "passwd", "passphrase", "secret", "credential", "private_key", "session_id", "auth_token"];
    let key = key.to_ascii_lowercase();
    WORDS.iter().any(|word| key.contains(word)) || key == "pwd" || key == "token"
}

/// The same value without its secrets, for logs and for people.
pub fn redacted(value: &Value, ty: &Type, secret: bool, class: impl Fn(&str) -> Option<&'static ClassDesc> + Copy) -> Value {
    if secret {
        return Value::from(REDACTED);
    }
    match (value, ty) {
        (Value::Text(_), Type::Ref(name)) if class(name).is_some_and(|class| class.secret) => Value::from(REDACTED),
        (Value::Array(items), Type::Set(item)) => {
            Value::Array(items.iter().map(|it| redacted(it, item, false, class)).collect::<Vec<_>>())
        }
        (Value::Struct(members), Type::Record(name)) => {
            let desc = class(name);
            let entry = |(name, value): (&str, &Value)| {
                let field = desc.and_then(|desc| desc.field(name));
                let value = match field {
                    Some(field) => redacted(value, &field.ty, field.secret, class),
                    None if is_secret_key(name) => Value::from(REDACTED),
                    None => value.clone(),
                };
                (String::from(name), value)
            };
            Value::Struct(members.iter().map(entry).collect::<Struct>())
        }
        (Value::Struct(members), Type::Map(_, inner)) => {
            let entry =
                |(name, value): (&str, &Value)| (String::from(name), redacted(value, inner, is_secret_key(name), class));
            Value::Struct(members.iter().map(entry).collect::<Struct>())
        }
        _ => value.clone(),
    }
}
