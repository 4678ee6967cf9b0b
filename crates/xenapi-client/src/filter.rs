//! The expressions of `get_all_records_where`, typed.
//!
//! The language of the server has its traps: `and` and `or` bind equally, `not` binds loosest of all, strings know no escapes, and
//! values are compared as the database stores them. What is built here means what it says: everything is put into parentheses.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use core::ops::{BitAnd, BitOr, Not};

use xenapi_core::{Call, Class, Field, Record, Records, Ref, Value, Wire, get_all_records_where, get_all_where, to_value};

use crate::error::Error;

/// A condition on the objects of class `C`, made by [`field`]; joined by `&`, `|` and `!`.
///
/// ```
/// use xenapi_client::field;
/// use xenapi_model::{VM, vm};
///
/// let running = field(vm::fields::POWER_STATE).eq(&vm::VmPowerState::Running);
/// let template = field(vm::fields::IS_A_TEMPLATE).eq(&true);
/// let wanted = running & !template;
/// assert_eq!(
///     wanted.to_string(),
///     r#"(field "power_state" = "Running") and (not (field "is_a_template" = "true"))"#
/// );
/// let call = wanted.records()?;
/// assert_eq!(call.name(), "VM.get_all_records_where");
/// # Ok::<(), xenapi_client::Error>(())
/// ```
#[must_use = "a condition does nothing until it is sent"]
pub struct Condition<C> {
    text: String,
    /// Why it cannot be said in the server's language.
    wrong: Option<&'static str>,
    class: PhantomData<fn() -> C>,
}

/// A field to compare.
pub struct Comparable<C, T>(Field<C, T>);

/// Begins a condition on a field: `field(vm::fields::POWER_STATE).eq(&VmPowerState::Running)`.
pub fn field<C, T>(field: impl Into<Field<C, T>>) -> Comparable<C, T> {
    Comparable(field.into())
}

impl<C: Class, T: Wire> Comparable<C, T> {
    /// The field holds exactly this value, as the database stores it.
    #[allow(clippy::should_implement_trait, reason = "it does not compare, it says what the server compares")]
    pub fn eq(&self, value: &T) -> Condition<C> {
        let column = column(self.0.desc().name);
        Condition::equal(&column, &stored(&to_value(value)))
    }

    /// The field holds another value.
    pub fn ne(&self, value: &T) -> Condition<C> {
        !self.eq(value)
    }

    /// The field holds one of these values; never, if there is none.
    pub fn is_one_of<'v>(&self, values: impl IntoIterator<Item = &'v T>) -> Condition<C>
    where
        T: 'v,
    {
        let all = values.into_iter().map(|value| self.eq(value));
        all.reduce(|one, other| one | other).unwrap_or_else(Condition::never)
    }
}

impl<C: Class> Condition<C> {
    fn new(text: impl Into<String>, wrong: Option<&'static str>) -> Self {
        Condition { text: text.into(), wrong, class: PhantomData }
    }

    /// Holds for every object.
    pub fn always() -> Self {
        Condition::new("true", None)
    }

    /// Holds for no object.
    pub fn never() -> Self {
        Condition::new("false", None)
    }

    fn equal(column: &str, value: &str) -> Self {
        // Strings end at the next quote of their kind, and nothing can be done about that.
        let quote = match (value.contains('"'), value.contains('\'')) {
            (false, _) => '"',
            (true, false) => '\'',
            (true, true) => {
                let wrong = "a value with both kinds of quotes cannot be written in the server's language: compare at home";
                return Condition::new(format!("field \"{column}\" = \"\""), Some(wrong));
            }
        };
        Condition::new(format!("field \"{column}\" = {quote}{value}{quote}"), None)
    }

    /// The records for which it holds.
    ///
    /// # Errors
    /// [`Error::Misuse`] when a value cannot be written in the server's language.
    pub fn records(&self) -> Result<Call<Records<C::Record>>, Error>
    where
        C::Record: Record<Class = C>,
    {
        self.checked().map(get_all_records_where::<C>)
    }

    /// References to the objects for which it holds. Old servers lack that call: prefer [`Condition::records`].
    ///
    /// # Errors
    /// [`Error::Misuse`] when a value cannot be written in the server's language.
    pub fn references(&self) -> Result<Call<Vec<Ref<C>>>, Error> {
        self.checked().map(get_all_where::<C>)
    }

    fn checked(&self) -> Result<&str, Error> {
        self.wrong.map_or(Ok(&self.text), |wrong| Err(Error::Misuse(wrong)))
    }

    fn join(self, word: &str, other: Self) -> Self {
        Condition::new(format!("({}) {word} ({})", self.text, other.text), self.wrong.or(other.wrong))
    }
}

impl<C: Class> BitAnd for Condition<C> {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        self.join("and", other)
    }
}

impl<C: Class> BitOr for Condition<C> {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.join("or", other)
    }
}

impl<C: Class> Not for Condition<C> {
    type Output = Self;

    fn not(self) -> Self {
        Condition::new(format!("not ({})", self.text), self.wrong)
    }
}

impl<C> Clone for Condition<C> {
    fn clone(&self) -> Self {
        Condition { text: self.text.clone(), wrong: self.wrong, class: PhantomData }
    }
}

impl<C> fmt::Display for Condition<C> {
    /// In the server's language.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<C> fmt::Debug for Condition<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Condition({})", self.text)
    }
}

/// The groups of fields, whose columns have two underscores behind the group. Not every field that begins like a group is in it.
const GROUPS: &[(&str, &[&str])] = &[
    ("name", &["label", "description"]),
    ("VCPUs", &["params", "max", "at_startup", "number", "utilisation", "CPU", "flags"]),
    ("memory", &["overhead", "target", "static_max", "dynamic_max", "dynamic_min", "static_min", "actual", "total", "free"]),
    ("actions", &["after_softreboot", "after_shutdown", "after_reboot", "after_crash"]),
    ("PV", &["bootloader", "kernel", "ramdisk", "args", "bootloader_args", "legacy_args"]),
    ("HVM", &["boot_policy", "boot_params", "shadow_multiplier"]),
    ("PCI", &["bus"]),
    ("qos", &["algorithm_type", "algorithm_params", "supported_algorithms"]),
    ("io", &["read_kbs", "write_kbs"]),
    ("API_version", &["major", "minor", "vendor", "vendor_implementation"]),
];

/// A field's name as the database spells it: `name__label`.
fn column(field: &str) -> String {
    for (group, names) in GROUPS {
        let rest = field.strip_prefix(group).and_then(|rest| rest.strip_prefix('_'));
        if let Some(rest) = rest.filter(|rest| names.contains(rest)) {
            return format!("{group}__{rest}");
        }
    }
    field.into()
}

/// A value as the database stores it.
fn stored(value: &Value) -> String {
    let quoted = |value: &Value| format!("'{}'", escaped(&stored(value)));
    match value {
        Value::Text(text) => text.clone(),
        Value::Int(number) => format!("{number}"),
        Value::Int32(number) => format!("{number}"),
        Value::Bool(truth) => format!("{truth}"),
        Value::Double(number) => format!("{number}"),
        Value::DateTime(time) => format!("{time}"),
        Value::Array(items) => format!("({})", items.iter().map(quoted).collect::<Vec<_>>().join(" ")),
        Value::Struct(members) => {
            let members = members.iter().map(|(name, value)| format!("('{}' {})", escaped(name), quoted(value)));
            format!("({})", members.collect::<Vec<_>>().join(" "))
        }
        Value::Bytes(_) | Value::Nil => String::new(),
    }
}

/// Texts inside of sets and maps do have escapes.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use alloc::string::ToString;
    use alloc::vec;

    use xenapi_model::{VM, sr, vbd, vm};

    use super::*;

    #[test]
    fn everything_stands_in_parentheses() {
        let name = field(vm::fields::NAME_LABEL).eq(&"a".into());
        let cpus = field(vm::fields::VCPUS_MAX).eq(&2);
        let text = (!name.clone() & cpus.clone() | !cpus).to_string();
        assert_eq!(
            text,
            r#"((not (field "name__label" = "a")) and (field "VCPUs__max" = "2")) or (not (field "VCPUs__max" = "2"))"#
        );
        assert_eq!((!name.clone()).to_string(), field(vm::fields::NAME_LABEL).ne(&"a".into()).to_string());
        assert_eq!((Condition::<VM>::always() & name).to_string(), r#"(true) and (field "name__label" = "a")"#);
    }

    #[test]
    fn values_are_written_as_they_are_stored() {
        let tags = field(vm::fields::TAGS);
        assert_eq!(tags.eq(&vec![]).to_string(), r#"field "tags" = "()""#);
        assert_eq!(tags.eq(&vec!["a b".into(), "c".into()]).to_string(), r#"field "tags" = "('a b' 'c')""#);
        assert_eq!(field(vbd::fields::VDI).eq(&None).to_string(), r#"field "VDI" = "OpaqueRef:NULL""#);
        let one = field(sr::fields::TYPE).is_one_of(&["nfs".into(), "iso".into()]);
        assert_eq!(one.to_string(), r#"(field "type" = "nfs") or (field "type" = "iso")"#);
        assert_eq!(field(sr::fields::TYPE).is_one_of(&[]).to_string(), "false");
    }

    #[test]
    fn quotes_are_said_in_the_other_kind_or_not_at_all() {
        let name = |text: &str| field(vm::fields::NAME_LABEL).eq(&text.into());
        assert_eq!(name("5\" disk").to_string(), r#"field "name__label" = '5" disk'"#);
        assert_eq!(name("it's").to_string(), r#"field "name__label" = "it's""#);
        assert!(name("x\" or true or field 'a' = \"").records().is_err());
        let both = !(name("5\" it's") & name("x"));
        assert!(matches!(both.records(), Err(Error::Misuse(_))) && both.references().is_err());
        assert!(name("x").references().is_ok());
    }
}
