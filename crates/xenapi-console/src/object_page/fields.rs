//! Everything that a record says, in words and units: driven by what the schema knows of each field.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::{ClassDesc, DateTime, FieldDesc, Millis, REDACTED, Type, Unit, Value, is_secret_key, redacted};
use xenapi_core::{NULL, RawRef};

pub use super::labels::Group;
use super::labels::{group, label};
use super::{Look, Part};
use crate::format::{age, bytes, date_time, percentage, speed};
use crate::select::{name_of, named};
use crate::text::Text;

/// Texts longer than this are folded.
const LONG: usize = 240;

/// What a field holds.
#[derive(Clone, PartialEq, Debug)]
pub enum Shown {
    /// One thing.
    One(Part),
    /// A set.
    Many(Vec<Part>),
    /// Keys and what they name.
    Map(Vec<(Part, Part)>),
    /// A text too long for a line.
    Long(String),
    /// Nothing: an empty text, set or map, a null reference, a time that never was.
    Empty,
}

/// A field of a record.
#[derive(Clone, PartialEq, Debug)]
pub struct Field {
    /// Its name in the API.
    pub name: String,
    /// What people call it, where they call it something else.
    pub label: Option<Text>,
    /// What it holds.
    pub shown: Shown,
    /// What a search looks at, in lower case.
    haystack: String,
}

/// Fields that belong together.
#[derive(Clone, PartialEq, Debug)]
pub struct Section {
    /// What they are about.
    pub group: Group,
    /// Those that hold something.
    pub fields: Vec<Field>,
    /// The names of those that hold nothing.
    pub empty: Vec<String>,
}

impl Section {
    /// What a search leaves of it: fields that have every word in their name, label or value.
    pub fn matching(&self, words: &str) -> Section {
        let words = words.to_lowercase();
        let has = |text: &str| words.split_whitespace().all(|word| text.contains(word));
        Section {
            group: self.group,
            fields: self.fields.iter().filter(|field| has(&field.haystack)).cloned().collect(),
            empty: self.empty.iter().filter(|name| has(&name.to_lowercase())).cloned().collect(),
        }
    }

    /// Whether nothing is left of it.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.empty.is_empty()
    }
}

/// A whole record in sections. `now` is the time on the clock, in seconds since 1970, for ages.
pub fn sections(cache: &Cache, class: &'static ClassDesc, record: &Value, now: i64) -> Vec<Section> {
    let Some(members) = record.as_struct() else { return Vec::new() };
    let words = Words { cache, now };
    let mut sections: Vec<Section> = Vec::new();
    for (name, value) in members.iter() {
        let desc = class.field(name);
        let group = if desc.is_some() { group(class.name, name) } else { Group::Unknown };
        let at = match sections.binary_search_by_key(&group, |section| section.group) {
            Ok(at) => at,
            Err(at) => {
                sections.insert(at, Section { group, fields: Vec::new(), empty: Vec::new() });
                at
            }
        };
        let section = &mut sections[at];
        match words.field(name, desc, value) {
            Shown::Empty => section.empty.push(name.into()),
            shown => {
                let label = desc.and_then(|_| label(name));
                let haystack = haystack(name, label, &shown);
                section.fields.push(Field { name: name.into(), label, shown, haystack });
            }
        }
    }
    sections
}

/// What of a record belongs at the top of the page, beside what the console keeps of every object: those fields that say something.
pub fn highlights<'a>(class: &str, sections: &'a [Section]) -> Vec<&'a Field> {
    let names: &[&str] = match class {
        "VM" => &[
            "HVM_boot_params",
            "domain_type",
            "affinity",
            "ha_restart_priority",
            "appliance",
            "snapshot_schedule",
            "VGPUs",
            "attached_PCIs",
            "VTPMs",
            "VUSBs",
            "pending_guidances",
            "current_operations",
        ],
        "host" => &[
            "hostname",
            "edition",
            "iscsi_iqn",
            "multipathing",
            "updates",
            "patches",
            "certificates",
            "tls_verification_enabled",
            "last_software_update",
            "pending_guidances",
            "PGPUs",
            "control_domain",
            "current_operations",
        ],
        "pool" => &[
            "suspend_image_SR",
            "crash_dump_SR",
            "ha_host_failures_to_tolerate",
            "ha_plan_exists_for",
            "ha_overcommitted",
            "ha_statefiles",
            "tls_verification_enabled",
            "igmp_snooping_enabled",
            "migration_compression",
            "last_update_sync",
            "current_operations",
        ],
        "SR" => {
            &["sm_config", "clustered", "local_cache_enabled", "is_tools_sr", "introduced_by", "tags", "current_operations"]
        }
        "VDI" => &["location", "on_boot", "cbt_enabled", "is_tools_iso", "sm_config", "tags", "current_operations"],
        "network" => &["purpose", "managed", "default_locking_mode", "tags", "assigned_ips"],
        "PIF" => &[
            "ip_configuration_mode",
            "netmask",
            "gateway",
            "DNS",
            "IPv6",
            "primary_address_type",
            "disallow_unplug",
            "managed",
            "properties",
            "PCI",
        ],
        "Bond" => &["primary_slave", "properties", "auto_update_mac"],
        "VIF" => &["locking_mode", "ipv4_allowed", "ipv6_allowed", "trunks", "qos_algorithm_type", "status_detail"],
        "VBD" => &["unpluggable", "qos_algorithm_type", "status_detail", "current_operations"],
        _ => &[],
    };
    let of_name = |name: &&str| sections.iter().flat_map(|section| &section.fields).find(|field| field.name == **name);
    names.iter().filter_map(of_name).collect()
}

fn haystack(name: &str, label: Option<Text>, shown: &Shown) -> String {
    let mut text = name.to_lowercase();
    let mut add = |more: &str| {
        text.push('\n');
        text.push_str(&more.to_lowercase());
    };
    if let Some(label) = label {
        add(label.get());
    }
    match shown {
        Shown::One(part) => add(&part.text),
        Shown::Many(parts) => parts.iter().for_each(|part| add(&part.text)),
        Shown::Map(entries) => entries.iter().for_each(|(key, value)| {
            add(&key.text);
            add(&value.text);
        }),
        Shown::Long(long) => add(long),
        Shown::Empty => {}
    }
    text
}

/// How values become words.
struct Words<'a> {
    cache: &'a Cache,
    now: i64,
}

impl Words<'_> {
    fn field(&self, name: &str, desc: Option<&FieldDesc>, value: &Value) -> Shown {
        let Some(desc) = desc else { return self.untyped(name, value) };
        if desc.secret && !is_nothing(value) {
            return Shown::One(hidden());
        }
        match (&desc.ty, value) {
            (Type::Set(item), Value::Array(items)) if !items.is_empty() => {
                Shown::Many(items.iter().map(|it| self.part(item, desc.unit, it)).collect())
            }
            (Type::Map(key, item), Value::Struct(members)) if !members.is_empty() => {
                let entry = |(name, value): (&str, &Value)| {
                    let shown =
                        if is_secret_key(name) && !is_nothing(value) { hidden() } else { self.part(item, None, value) };
                    (self.part(key, None, &Value::from(name)), shown)
                };
                Shown::Map(members.iter().map(entry).collect())
            }
            (Type::Set(_) | Type::Map(..), _) => Shown::Empty,
            _ if is_nothing(value) => Shown::Empty,
            (Type::String, Value::Text(text)) if text.len() > LONG || text.contains('\n') => Shown::Long(text.clone()),
            (Type::DateTime, Value::DateTime(time)) if time.unix() <= 0 => Shown::Empty,
            (ty, value) => match self.part(ty, desc.unit, value) {
                part if name == "uuid" || name == "MAC" => Shown::One(Part { look: Look::Mono, ..part }),
                part => Shown::One(part),
            },
        }
    }

    /// One value of a type.
    fn part(&self, ty: &Type, unit: Option<Unit>, value: &Value) -> Part {
        match (ty, value) {
            (Type::Option(inner), value) => self.part(inner, unit, value),
            (Type::Ref(class), Value::Text(reference)) => self.reference(class, reference),
            (Type::Bool, Value::Bool(truth)) => Part::truth(*truth),
            (Type::Int, value) => match value.as_int() {
                Some(number) => Part::text(quantity(number, unit)),
                None => Part::text(plain(value)),
            },
            (Type::Float, Value::Double(number)) => Part::text(float(*number, unit)),
            (Type::DateTime, Value::DateTime(time)) => self.time(time),
            (Type::Enum(_), Value::Text(word)) => Part::text(word.replace('_', " ")),
            (Type::String, Value::Text(text)) => Part::text(text.as_str()),
            _ => Part::text(plain(value)),
        }
    }

    /// A reference by the name of what it names, as a link.
    fn reference(&self, class: &str, reference: &str) -> Part {
        if reference.is_empty() || reference == NULL {
            return Part::nothing();
        }
        let secret = xenapi_model::class(class).is_some_and(|class| class.secret);
        if secret {
            return hidden();
        }
        let raw = RawRef::from(reference);
        let link = named(self.cache, class, &raw);
        match name_of(self.cache, class, &raw) {
            Some(name) => Part { link, ..Part::text(name) },
            // Classes that are not kept have pages of their own all the same.
            None => Part { link, ..Part::mono(short(reference)) },
        }
    }

    fn time(&self, time: &DateTime) -> Part {
        let Some(text) = date_time(time) else { return Part::nothing() };
        let passed = self.now.saturating_sub(time.unix());
        if self.now <= 0 || passed < 0 {
            return Part::text(text);
        }
        let age = age(Millis::from_secs(u64::try_from(passed).unwrap_or(0)));
        Part::text(Text::TimeAgo.with(&[&text, &age]))
    }

    /// A member that the schema does not know.
    fn untyped(&self, name: &str, value: &Value) -> Shown {
        match value {
            _ if is_secret_key(name) && !is_nothing(value) => Shown::One(hidden()),
            Value::Array(items) if !items.is_empty() => Shown::Many(items.iter().map(|it| Part::text(plain(it))).collect()),
            Value::Struct(members) if !members.is_empty() => {
                let entry = |(key, value): (&str, &Value)| {
                    (Part::text(key), if is_secret_key(key) { hidden() } else { Part::text(plain(value)) })
                };
                Shown::Map(members.iter().map(entry).collect())
            }
            _ if is_nothing(value) => Shown::Empty,
            Value::DateTime(time) => Shown::One(self.time(time)),
            _ => Shown::One(Part::text(plain(value))),
        }
    }
}

fn hidden() -> Part {
    Part { look: Look::Quiet, ..Part::text(Text::Hidden.get()) }
}

/// A reference without what all references begin with, and only so much of it that it can be told from others.
fn short(reference: &str) -> String {
    let text = reference.strip_prefix("OpaqueRef:").unwrap_or(reference);
    match text.char_indices().nth(13) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_string(),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Text(text) => text.trim().is_empty() || text == NULL,
        Value::Array(items) => items.is_empty(),
        Value::Struct(members) => members.is_empty(),
        Value::Bytes(bytes) => bytes.is_empty(),
        Value::Nil => true,
        _ => false,
    }
}

/// A number with what it counts.
fn quantity(number: i64, unit: Option<Unit>) -> String {
    match unit {
        Some(Unit::Bytes) => bytes(number),
        Some(Unit::Kibibytes) => bytes(number.saturating_mul(1 << 10)),
        Some(Unit::Mebibytes) => bytes(number.saturating_mul(1 << 20)),
        Some(Unit::MegabitsPerSecond) => speed(number),
        Some(Unit::Percent) => u64::try_from(number).map_or_else(|_| number.to_string(), percentage),
        Some(Unit::Megahertz) => format!("{number} MHz"),
        Some(Unit::Seconds) if number >= 0 => format!("{number} s"),
        Some(Unit::Milliseconds) => format!("{number} ms"),
        Some(Unit::Hours) => format!("{number} h"),
        Some(Unit::Pixels) => format!("{number} px"),
        Some(unit) => format!("{number} {unit}"),
        None => number.to_string(),
    }
}

fn float(number: f64, unit: Option<Unit>) -> String {
    match unit {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates, and NaN becomes zero")]
        Some(Unit::Fraction) => percentage((number * 100.0 + 0.5).max(0.0) as u64),
        Some(unit) => format!("{} {unit}", trimmed(number)),
        None => trimmed(number),
    }
}

/// At most two decimals, and none that are zero.
fn trimmed(number: f64) -> String {
    let text = format!("{number:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() || text == "-0" { "0".into() } else { text.into() }
}

/// A value without a schema.
fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        Value::Int32(number) => number.to_string(),
        Value::Bool(truth) => if *truth { Text::Yes } else { Text::No }.get().into(),
        Value::Double(number) => trimmed(*number),
        Value::DateTime(time) => date_time(time).unwrap_or_default(),
        Value::Bytes(bytes) => format!("{} B", bytes.len()),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Struct(members) => {
            let entries: Vec<String> = members.iter().map(|(key, value)| format!("{key}={}", plain(value))).collect();
            entries.join(", ")
        }
        Value::Nil => String::new(),
    }
}

/// The record without its secrets, for showing it as it is.
pub fn without_secrets(class: &'static ClassDesc, record: &Value) -> Value {
    let Some(members) = record.as_struct() else { return record.clone() };
    let entry = |(name, value): (&str, &Value)| {
        let shown = match class.field(name) {
            Some(field) => redacted(value, &field.ty, field.secret && !is_nothing(value), xenapi_model::class),
            None if is_secret_key(name) => Value::from(REDACTED),
            None => value.clone(),
        };
        (name.to_string(), shown)
    };
    Value::Struct(members.iter().map(entry).collect())
}
