//! Types of the API as the catalogue writes them: `VM ref set`, `(string -> enum vm_operations) map`.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use core::fmt;

/// A type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ty {
    /// No result.
    Void,
    /// Text.
    Text,
    /// A whole number of 64 bits.
    Int,
    /// A number.
    Float,
    /// Yes or no.
    Bool,
    /// A point in time.
    Time,
    /// One of the words of an enumeration.
    Enum(String),
    /// A reference to an object of a class.
    Ref(String),
    /// The record of a class.
    Record(String),
    /// A set.
    Set(Box<Ty>),
    /// A map.
    Map(Box<Ty>, Box<Ty>),
    /// What may be absent.
    Option(Box<Ty>),
    /// Anything else; its words.
    Other(String),
}

impl Ty {
    /// Reads a type. What is not understood is kept as it is.
    pub fn parse(text: &str) -> Ty {
        let text = text.trim();
        let boxed = |inner: &str| Box::new(Ty::parse(inner));
        match text {
            "void" => return Ty::Void,
            "string" => return Ty::Text,
            "int" => return Ty::Int,
            "float" => return Ty::Float,
            "bool" => return Ty::Bool,
            "datetime" => return Ty::Time,
            _ => {}
        }
        if let Some(inner) = text.strip_suffix(" set") {
            return Ty::Set(boxed(inner));
        }
        if let Some(inner) = text.strip_suffix(" option") {
            return Ty::Option(boxed(inner));
        }
        if let Some((key, value)) = text.strip_suffix(" map").and_then(arrow) {
            return Ty::Map(boxed(key), boxed(value));
        }
        if let Some(name) = text.strip_prefix("enum ") {
            return Ty::Enum(name.into());
        }
        // What is about any class stands in angle brackets.
        let named = |end: &str| text.strip_suffix(end).filter(|name| !name.contains([' ', '<']));
        match (named(" ref"), named(" record")) {
            (Some(class), _) => Ty::Ref(class.into()),
            (_, Some(class)) => Ty::Record(class.into()),
            _ => Ty::Other(text.into()),
        }
    }

    /// The class that it leads to, be it in a set or a map.
    pub fn class(&self) -> Option<&str> {
        match self {
            Ty::Ref(class) | Ty::Record(class) => Some(class),
            Ty::Set(inner) | Ty::Option(inner) => inner.class(),
            Ty::Map(key, value) => value.class().or_else(|| key.class()),
            _ => None,
        }
    }

    /// The enumeration that it holds words of.
    pub fn words_of(&self) -> Option<&str> {
        match self {
            Ty::Enum(name) => Some(name),
            Ty::Set(inner) | Ty::Option(inner) => inner.words_of(),
            Ty::Map(key, value) => value.words_of().or_else(|| key.words_of()),
            _ => None,
        }
    }

    /// Whether its values are written as one word or line.
    pub fn is_plain(&self) -> bool {
        matches!(self, Ty::Text | Ty::Int | Ty::Float | Ty::Bool | Ty::Time | Ty::Enum(_) | Ty::Ref(_))
    }
}

/// The two sides of `(key -> value)`, split at the arrow that stands in no inner brackets.
fn arrow(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('(')?.strip_suffix(')')?;
    let mut depth = 0_u32;
    for (at, c) in inner.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '-' if depth == 0 => {
                if let Some(value) = inner[at..].strip_prefix("->") {
                    return Some((inner[..at].trim(), value.trim()));
                }
            }
            _ => {}
        }
    }
    None
}

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ty::Void => f.write_str("void"),
            Ty::Text => f.write_str("string"),
            Ty::Int => f.write_str("int"),
            Ty::Float => f.write_str("float"),
            Ty::Bool => f.write_str("bool"),
            Ty::Time => f.write_str("datetime"),
            Ty::Enum(name) => write!(f, "enum {name}"),
            Ty::Ref(class) => write!(f, "{class} ref"),
            Ty::Record(class) => write!(f, "{class} record"),
            Ty::Set(inner) => write!(f, "{inner} set"),
            Ty::Map(key, value) => write!(f, "({key} -> {value}) map"),
            Ty::Option(inner) => write!(f, "{inner} option"),
            Ty::Other(text) => f.write_str(text),
        }
    }
}

impl From<&str> for Ty {
    fn from(text: &str) -> Ty {
        Ty::parse(text)
    }
}

impl From<Ty> for String {
    fn from(ty: Ty) -> String {
        ty.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use xenapi_core::Method;

    #[test]
    fn every_type_of_the_model_is_understood_and_written_back() {
        let mut types = BTreeSet::new();
        for class in xenapi_model::CLASSES {
            types.extend(class.fields.iter().map(|it| it.ty.to_string()));
            for method in Method::all(class) {
                types.insert(method.result().to_string());
                types.extend(method.params().iter().map(|it| it.ty.to_string()));
            }
        }
        for text in &types {
            let ty = Ty::parse(text);
            assert_eq!(&ty.to_string(), text);
            let odd = matches!(&ty, Ty::Other(_)) || ty.to_string().contains('<');
            assert_eq!(odd, text.contains("<class>") || text == "an event batch", "{text}: {ty:?}");
        }
        assert!(types.len() > 100);
    }

    #[test]
    fn maps_within_maps_are_split_at_the_right_arrow() {
        let text = "(string -> (VM ref -> string set) map) map";
        let Ty::Map(key, value) = Ty::parse(text) else { panic!("a map is due") };
        assert_eq!((*key, value.to_string().as_str()), (Ty::Text, "(VM ref -> string set) map"));
        assert_eq!(Ty::parse(text).class(), Some("VM"));
    }
}
