//! Pools out of recorded replies, which may be old, partial and odd.

use alloc::borrow::{Cow, ToOwned};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use xenapi_codec::{Limits, xmlrpc};
use xenapi_core::{ClassDesc, DateTime, NULL, RawRef, Struct, Type, Value, Wire};

use crate::Sim;
use crate::arguments::integer;

/// The key of the pool's `other_config` that lists the classes that were recorded.
pub(crate) const RECORDED: &str = "xenoxide:recorded-classes";

/// Nothing could be made of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// No file could be read as recorded replies.
    NoRecords {
        /// What is wrong with each file; empty if there was none.
        notes: Vec<String>,
    },
    /// A file is not the database of a pool, and holds none.
    NoDatabase(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoRecords { notes } => {
                f.write_str(
                    "no recorded records found: files named <class>.get_all_records.xml or <class>.get_record.xml are needed",
                )?;
                notes.iter().try_for_each(|note| write!(f, "; {note}"))
            }
            Error::NoDatabase(what) => write!(f, "no database of a pool: {what}"),
        }
    }
}

impl core::error::Error for Error {}

/// A file that holds records.
struct Recording<'a> {
    file: &'a str,
    class: &'static ClassDesc,
    /// All objects of the class, or one.
    is_whole: bool,
    value: Value,
}

/// What was odd in the records of a class, to be told in a line.
#[derive(Default)]
struct Oddities {
    records: usize,
    missing: BTreeSet<&'static str>,
    unknown: BTreeSet<String>,
    wrong: BTreeMap<&'static str, usize>,
    odd: usize,
}

/// Makes a pool of the files.
pub(crate) fn load(files: &[(String, Vec<u8>)], wall_clock: u64) -> Result<(Sim, Vec<String>), Error> {
    let mut notes = Vec::new();
    let mut recordings = read_all(files, &mut notes);
    if recordings.is_empty() {
        return Err(Error::NoRecords { notes });
    }
    // Whole classes first, so that single records find what they are about.
    recordings.sort_by_key(|recording| (!recording.is_whole, recording.file));
    let mut loader = Loader::new(wall_clock, notes);
    for recording in recordings {
        loader.take(recording);
    }
    Ok(loader.finish())
}

/// Makes a pool of records, class by class.
pub(crate) struct Loader {
    sim: Sim,
    oddities: BTreeMap<&'static str, Oddities>,
    /// The classes of which all objects are there.
    whole: BTreeSet<&'static str>,
    notes: Vec<String>,
}

impl Loader {
    pub(crate) fn new(wall_clock: u64, notes: Vec<String>) -> Self {
        Loader { sim: Sim::empty(1, wall_clock), oddities: BTreeMap::new(), whole: BTreeSet::new(), notes }
    }

    fn take(&mut self, recording: Recording<'_>) {
        if recording.is_whole {
            self.all_of(recording.class);
        }
        let odd = self.oddities.entry(recording.class.name).or_default();
        take(&mut self.sim, recording, odd, &mut self.notes);
    }

    /// Notes that all objects of a class are there.
    pub(crate) fn all_of(&mut self, class: &'static ClassDesc) {
        self.whole.insert(class.name);
        self.oddities.entry(class.name).or_default();
    }

    /// Takes one object.
    pub(crate) fn record(&mut self, class: &'static ClassDesc, reference: RawRef, members: Struct) {
        let odd = self.oddities.entry(class.name).or_default();
        take_record(&mut self.sim, class, reference, members, odd);
    }

    /// The pool, and notes for people.
    pub(crate) fn finish(self) -> (Sim, Vec<String>) {
        let Loader { mut sim, oddities, whole, mut notes } = self;
        notes.extend(oddities.iter().filter_map(|(class, odd)| odd.tell(class)));
        let partial: Vec<&str> = oddities.keys().copied().filter(|class| !whole.contains(class)).collect();
        if !partial.is_empty() {
            notes.push(format!("only single records were recorded of {}: there may be more", partial.join(", ")));
        }
        mend(&mut sim);
        notes.extend(dangling(&sim));
        let recorded: Vec<&'static str> = whole.into_iter().collect();
        ensure_pool(&mut sim, &recorded, &mut notes);
        sim.next_domid =
            1 + sim.store.all("VM").iter().map(|vm| sim.store.int("VM", vm.as_str(), "domid")).max().unwrap_or(0).max(0);
        sim.recorded = Some(recorded);
        (sim, notes)
    }
}

fn read_all<'a>(files: &'a [(String, Vec<u8>)], notes: &mut Vec<String>) -> Vec<Recording<'a>> {
    let mut all = Vec::new();
    for (file, bytes) in files {
        let Some((class, is_whole)) = parse_name(file) else {
            if file.to_ascii_lowercase().ends_with(".xml") {
                notes.push(format!(
                    "{file}: passed over, the name is not <class>.get_all_records.xml or <class>.get_record.xml"
                ));
            }
            continue;
        };
        match xmlrpc::read_result(bytes, &Limits::reply(), Value::read) {
            Ok(Ok(value)) => all.push(Recording { file, class, is_whole, value }),
            Ok(Err(failure)) => notes.push(format!("{file}: the server had refused: {failure}")),
            Err(error) => notes.push(format!("{file}: cannot be read: {error}")),
        }
    }
    all
}

/// The class and whether the file holds all of it.
fn parse_name(file: &str) -> Option<(&'static ClassDesc, bool)> {
    let name = file.rsplit(['/', '\\']).next()?;
    let mut parts = name.strip_suffix(".xml")?.split('.');
    let class = xenapi_model::class_of_event(parts.next()?)?;
    match parts.next()? {
        "get_all_records" => Some((class, true)),
        message if message.starts_with("get_record") => Some((class, false)),
        _ => None,
    }
}

fn take(sim: &mut Sim, recording: Recording<'_>, odd: &mut Oddities, notes: &mut Vec<String>) {
    let Recording { file, class, is_whole, value } = recording;
    let Value::Struct(members) = value else {
        notes.push(format!("{file}: holds {} where records are due", value.kind()));
        return;
    };
    if !is_whole {
        let uuid = members.get("uuid").and_then(Value::as_text).unwrap_or("");
        let known = sim.by_uuid(class, uuid).ok();
        if known.is_none() {
            notes.push(format!("{file}: a single record has no reference, so it got a made one"));
        }
        let reference = known.unwrap_or_else(|| sim.random.reference());
        take_record(sim, class, reference, members, odd);
        return;
    }
    for (reference, record) in members {
        match record {
            Value::Struct(members) => take_record(sim, class, RawRef::from(reference.into_owned()), members, odd),
            other => notes.push(format!("{file}: {reference} is {} where a record is due; passed over", other.kind())),
        }
    }
}

fn take_record(sim: &mut Sim, class: &'static ClassDesc, reference: RawRef, mut members: Struct, odd: &mut Oddities) {
    odd.records += 1;
    odd.odd += usize::from(!reference.as_str().starts_with("OpaqueRef:"));
    let mut draft = sim.store.draft(class.name);
    for (field, slot) in class.fields.iter().zip(&mut draft.fields) {
        match members.remove(field.name) {
            None => drop(odd.missing.insert(field.name)),
            Some(value) => match adopt(value, &field.ty) {
                Some(value) => *slot = value,
                None => *odd.wrong.entry(field.name).or_default() += 1,
            },
        }
    }
    if draft.text("uuid").is_empty() && class.field_index("uuid").is_some() {
        draft.set("uuid", sim.random.uuid());
    }
    odd.unknown.extend(members.iter().map(|(name, _)| name.to_owned()));
    let extra = (!members.is_empty()).then(|| Arc::new(members));
    if let Some(table) = sim.store.place(class.name) {
        sim.store.insert_raw(table, reference, draft.fields, extra);
    }
}

/// Takes a recorded value for a field, more leniently than a server would.
pub(crate) fn adopt(value: Value, ty: &Type) -> Option<Value> {
    match (ty, value) {
        (Type::String | Type::Enum(_) | Type::Ref(_), Value::Text(text)) => Some(Value::Text(text)),
        (Type::String, Value::Int(number)) => Some(Value::Text(format!("{number}"))),
        (Type::Int, Value::Int(number)) => Some(Value::Int(number)),
        (Type::Int, Value::Int32(number)) => Some(Value::Int(i64::from(number))),
        (Type::Int, Value::Text(text)) => integer(&text).map(Value::Int),
        (Type::Float, Value::Double(number)) => Some(Value::Double(number)),
        #[allow(clippy::cast_precision_loss, reason = "the field is a float")]
        (Type::Float, Value::Int(number)) => Some(Value::Double(number as f64)),
        (Type::Float, Value::Text(text)) => text.parse().ok().map(Value::Double),
        (Type::Bool, Value::Bool(truth)) => Some(Value::Bool(truth)),
        (Type::Bool, Value::Text(text)) => match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(Value::Bool(true)),
            "false" | "0" => Some(Value::Bool(false)),
            _ => None,
        },
        (Type::DateTime, Value::DateTime(time)) => Some(Value::DateTime(time)),
        (Type::DateTime, Value::Text(text)) => DateTime::parse(&text).ok().map(Value::DateTime),
        // Some recorders wrote empty text for an empty set or map.
        (Type::Set(_) | Type::Map(..) | Type::Record(_), Value::Text(text)) if text.is_empty() => Some(ty.empty_value()),
        (Type::Set(item), Value::Array(items)) => {
            items.into_iter().map(|value| adopt(value, item)).collect::<Option<Vec<_>>>().map(Value::Array)
        }
        (Type::Map(_, of), Value::Struct(members)) => {
            let members = members.into_iter().map(|(name, value)| Some((name, adopt(value, of)?)));
            members.collect::<Option<Struct>>().map(Value::Struct)
        }
        (Type::Record(_) | Type::AnyRecord, Value::Struct(members)) => Some(Value::Struct(members)),
        (Type::Option(inner), value) => adopt(value, inner),
        _ => None,
    }
}

impl Oddities {
    /// One line about a class, if there is something to tell.
    fn tell(&self, class: &str) -> Option<String> {
        let mut parts = Vec::new();
        if !self.missing.is_empty() {
            parts.push(format!("{} fields are absent somewhere and got their defaults", self.missing.len()));
        }
        if !self.unknown.is_empty() {
            let names: Vec<&str> = self.unknown.iter().map(String::as_str).collect();
            parts.push(format!("fields that are not in the schema are kept: {}", names.join(", ")));
        }
        for (field, count) in &self.wrong {
            parts.push(format!("{field} has another type than the schema says in {count} records and got its default"));
        }
        if self.odd > 0 {
            parts.push(format!("{} references do not begin with OpaqueRef:", self.odd));
        }
        (!parts.is_empty()).then(|| format!("{class} ({} records): {}", self.records, parts.join("; ")))
    }
}

/// Makes both sides of every relation tell the same, as far as both ends were recorded.
fn mend(sim: &mut Sim) {
    let stored: Vec<(usize, usize)> = (0..sim.store.tables.len())
        .flat_map(|table| (0..sim.store.tables[table].links.len()).map(move |field| (table, field)))
        .filter(|(table, field)| sim.store.tables[*table].links[*field].is_some())
        .collect();
    for (table, field) in stored {
        fill_stored(sim, table, field);
        let rows: Vec<RawRef> = sim.store.tables[table].rows.values().map(|row| row.reference.clone()).collect();
        for row in rows {
            sim.store.relink(table, row.as_str(), field, &Value::Nil);
        }
    }
}

/// Where the stored side is null but the other end lists the object, the other end is believed.
fn fill_stored(sim: &mut Sim, table: usize, field: usize) {
    let Some(link) = sim.store.tables[table].links[field] else { return };
    let mut found = Vec::new();
    for owner in sim.store.tables[link.table].rows.values() {
        let listed = owner.fields.get(link.field).and_then(Value::as_array).unwrap_or_default();
        for item in listed.iter().filter_map(Value::as_text) {
            let row = sim.store.tables[table].get(item);
            let stored = row.and_then(|row| row.fields.get(field)).and_then(Value::as_text);
            if stored.is_some_and(|text| text.is_empty() || text == NULL) {
                found.push((String::from(item), owner.reference.clone()));
            }
        }
    }
    for (item, owner) in found {
        sim.store.write(table, &item, field, owner.into());
    }
}

/// What the records refer to that was not recorded, by class.
fn dangling(sim: &Sim) -> Option<String> {
    let mut missing: BTreeMap<&'static str, BTreeSet<&str>> = BTreeMap::new();
    for table in &sim.store.tables {
        for row in table.rows.values() {
            for (field, value) in table.class.fields.iter().zip(row.fields.iter()) {
                let Some(class) = field.ty.ref_class() else { continue };
                let one = value.as_text();
                let many = value.as_array().unwrap_or_default().iter().filter_map(Value::as_text);
                for reference in one.into_iter().chain(many).filter(|it| !it.is_empty() && *it != NULL) {
                    if !sim.store.contains(class, reference) {
                        missing.entry(class).or_default().insert(reference);
                    }
                }
            }
        }
    }
    let list: Vec<String> = missing.iter().map(|(class, all)| format!("{} {class}", all.len())).collect();
    (!list.is_empty()).then(|| format!("referred to but not recorded: {}", list.join(", ")))
}

/// Clients need one pool object; it also tells which classes were recorded.
fn ensure_pool(sim: &mut Sim, recorded: &[&'static str], notes: &mut Vec<String>) {
    let pools = sim.store.all("pool");
    for surplus in pools.iter().skip(1) {
        notes.push(format!("pool: more than one was recorded; {surplus} is left out"));
        sim.store.remove("pool", surplus.as_str());
    }
    let pool = pools.first().cloned().unwrap_or_else(|| {
        notes.push("no pool was recorded: one was made, without a master".into());
        let (reference, uuid) = (sim.random.reference(), sim.random.uuid());
        let draft = sim.store.draft("pool").with("uuid", uuid).with("name_label", "Recorded pool");
        let master = sim.store.first("host").unwrap_or_default();
        sim.store.insert(&reference, draft.with("master", &master));
        reference
    });
    let mut config =
        sim.store.value("pool", pool.as_str(), "other_config").and_then(Value::as_struct).cloned().unwrap_or_default();
    config.set(Cow::Borrowed(RECORDED), recorded.join(","));
    sim.store.put("pool", pool.as_str(), "other_config", config);
}
