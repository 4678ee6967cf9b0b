//! Events as they come from a pool, and of each record what consoles need, encoded anew.

use alloc::borrow::Cow;
use std::sync::LazyLock;

use xenapi_codec::xmlrpc::XmlWriter;
use xenapi_console::lean;
use xenapi_core::{ClassDesc, DateTime, ReadError, Reader, Scalar, Start, Value, ValueReader, Wire as _, Writer as _};

/// A class of the shared stream, prepared for reading.
pub(super) struct Plan {
    /// What is known of it.
    pub(super) class: &'static ClassDesc,
    /// Its name in events.
    pub(super) event_name: String,
    /// Whether the first picture needs it.
    pub(super) first: bool,
    /// By the places of the fields: how to keep each, if at all.
    fields: Vec<Option<Keep>>,
}

/// How a field is kept.
struct Keep {
    /// What is not written, because its absence means the same.
    default: Vec<u8>,
    /// Whether only some keys of it are kept.
    free_map: bool,
}

/// The classes of the shared stream, in its order.
pub(super) static PLANS: LazyLock<Vec<Plan>> = LazyLock::new(|| {
    let plan = |lean: &lean::Lean| {
        let class = xenapi_model::class(lean.class).filter(|class| !class.secret)?;
        let keep = |field: &xenapi_core::FieldDesc| {
            let kept = lean.keeps(field.name) && !field.secret;
            kept.then(|| Keep { default: encoded(&field.default_value()), free_map: lean::FREE_MAPS.contains(&field.name) })
        };
        Some(Plan {
            class,
            event_name: class.name.to_ascii_lowercase(),
            first: lean.first,
            fields: class.fields.iter().map(keep).collect(),
        })
    };
    lean::CLASSES.iter().filter_map(plan).collect()
});

/// The place of a class in [`PLANS`], by its name in any case.
pub(super) fn place(class: &str) -> Option<usize> {
    PLANS.iter().position(|plan| plan.event_name.eq_ignore_ascii_case(class))
}

fn encoded(value: &Value) -> Vec<u8> {
    let mut writer = XmlWriter::new();
    value.write(&mut writer);
    writer.into_bytes()
}

/// One event of a class of the shared stream.
pub(super) struct LeanEvent {
    /// The place of the class in [`PLANS`].
    pub(super) class: usize,
    /// The object.
    pub(super) reference: String,
    /// Its lean record as a value of XML-RPC; none when it is gone.
    pub(super) record: Option<Box<[u8]>>,
}

/// What stands around the events of a batch.
#[derive(Default)]
pub(super) struct Tail {
    /// Where the next batch begins.
    pub(super) token: String,
    /// How many objects the pool has, by the places of their classes.
    pub(super) counts: Vec<(usize, usize)>,
}

/// Reads what stands around the events. They have been taken out already; others are passed over.
pub(super) fn read_tail(reader: &mut dyn Reader) -> Result<Tail, ReadError> {
    let mut tail = Tail::default();
    let mut has_token = false;
    reader.begin_struct()?;
    while let Some(member) = reader.next_member()?.map(Cow::into_owned) {
        match member.as_str() {
            "token" => {
                tail.token = String::read(reader)?;
                has_token = true;
            }
            "valid_ref_counts" => {
                reader.begin_struct()?;
                while let Some(class) = reader.next_member()?.map(Cow::into_owned) {
                    let count = i64::read(reader)?;
                    tail.counts.extend(place(&class).zip(usize::try_from(count).ok()));
                }
            }
            _ => reader.skip()?,
        }
    }
    if has_token { Ok(tail) } else { Err(ReadError::mismatch("a token behind the events", "none")) }
}

/// Reads one event; `None` for a class that is not shared.
pub(super) fn read_event(reader: &mut dyn Reader) -> Result<Option<LeanEvent>, ReadError> {
    let (mut class, mut reference, mut operation) = (None::<String>, None::<String>, None::<String>);
    let mut record = None;
    // A snapshot that came before its class was known.
    let mut early = None::<Value>;
    reader.begin_struct()?;
    while let Some(member) = reader.next_member()?.map(Cow::into_owned) {
        match member.as_str() {
            "class" => class = Some(String::read(reader)?),
            "ref" => reference = Some(String::read(reader)?),
            "operation" => operation = Some(String::read(reader)?),
            "snapshot" => match class.as_deref().map(place) {
                Some(Some(at)) => record = Some(slim(&PLANS[at], reader)?),
                Some(None) => reader.skip()?,
                None => early = Some(Value::read(reader)?),
            },
            _ => reader.skip()?,
        }
    }
    let Some(at) = class.as_deref().and_then(place) else { return Ok(None) };
    let reference = reference.ok_or_else(|| ReadError::mismatch("an event with a ref", "none"))?;
    if operation.as_deref() == Some("del") {
        return Ok(Some(LeanEvent { class: at, reference, record: None }));
    }
    if let (None, Some(early)) = (&record, &early) {
        record = Some(slim(&PLANS[at], &mut ValueReader::new(early))?);
    }
    let record = record.ok_or_else(|| ReadError::mismatch("a snapshot", "none"))?;
    Ok(Some(LeanEvent { class: at, reference, record: Some(record) }))
}

/// Reads a record and writes what is kept of it.
fn slim(plan: &Plan, reader: &mut dyn Reader) -> Result<Box<[u8]>, ReadError> {
    let mut out = XmlWriter::new();
    let mut one = XmlWriter::new();
    let mut wrong = None;
    let mut expected = 0;
    reader.begin_struct()?;
    out.begin_struct();
    loop {
        // Records list their fields in the schema's order.
        let place = match plan.class.fields.get(expected) {
            Some(field) if reader.member_is(field.name)? => Some(expected),
            _ => match reader.next_member()? {
                None => break,
                Some(name) => plan.class.field_index(&name),
            },
        };
        if let Some(place) = place {
            expected = place + 1;
        }
        let Some((place, keep)) = place.and_then(|place| plan.fields[place].as_ref().map(|keep| (place, keep))) else {
            reader.skip()?;
            continue;
        };
        let copied = if keep.free_map { copy_known_keys(reader, &mut one) } else { copy(reader, &mut one) };
        match copied {
            Ok(()) if one.bytes() == keep.default => {}
            Ok(()) => {
                out.field(plan.class.fields[place].name);
                out.encoded(one.bytes());
            }
            Err(error) if error.is_fatal() => return Err(error),
            Err(error) => drop(wrong.get_or_insert(error)),
        }
        // What was written of a value that turned out to be wrong goes, too.
        one = XmlWriter::reusing(one.into_bytes());
    }
    out.end_struct();
    wrong.map_or(Ok(out.into_bytes().into_boxed_slice()), Err)
}

/// Copies a value as it is. Reads it to its end even when something in it is wrong.
fn copy(reader: &mut dyn Reader, writer: &mut XmlWriter) -> Result<(), ReadError> {
    let mut wrong = None;
    match reader.start()? {
        Start::Scalar(scalar) => return write_scalar(&scalar, writer),
        Start::Array => {
            writer.begin_array();
            while reader.next_item()? {
                keep_first(copy(reader, writer), &mut wrong)?;
            }
            writer.end_array();
        }
        Start::Struct => {
            writer.begin_struct();
            while let Some(name) = reader.next_member()? {
                writer.member(&name);
                drop(name);
                keep_first(copy(reader, writer), &mut wrong)?;
            }
            writer.end_struct();
        }
    }
    wrong.map_or(Ok(()), Err)
}

/// Copies of a map the members that mean something to consoles.
fn copy_known_keys(reader: &mut dyn Reader, writer: &mut XmlWriter) -> Result<(), ReadError> {
    let mut wrong = None;
    writer.begin_struct();
    if reader.enter_struct()? {
        while let Some(name) = reader.next_member()? {
            if !lean::keeps_key(&name) {
                drop(name);
                reader.skip()?;
                continue;
            }
            writer.member(&name);
            drop(name);
            keep_first(copy(reader, writer), &mut wrong)?;
        }
    }
    writer.end_struct();
    wrong.map_or(Ok(()), Err)
}

fn keep_first(result: Result<(), ReadError>, wrong: &mut Option<ReadError>) -> Result<(), ReadError> {
    match result {
        Err(error) if error.is_fatal() => return Err(error),
        Err(error) => drop(wrong.get_or_insert(error)),
        Ok(()) => {}
    }
    Ok(())
}

fn write_scalar(scalar: &Scalar<'_>, writer: &mut XmlWriter) -> Result<(), ReadError> {
    match scalar {
        Scalar::Text(text) => writer.text(text),
        Scalar::Int(number) => writer.int(*number),
        Scalar::Int32(number) => writer.int32(*number),
        Scalar::Bool(truth) => writer.bool(*truth),
        Scalar::Double(number) => writer.double(*number),
        Scalar::Bytes(bytes) => writer.bytes(bytes),
        Scalar::Nil => writer.nil(),
        Scalar::DateTime(text) => match DateTime::parse(text) {
            Ok(time) => writer.date_time(&time),
            Err(_) => return Err(ReadError::mismatch("a date and time", scalar.describe())),
        },
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use xenapi_codec::{Limits, xmlrpc};
    use xenapi_core::{Struct, to_value};

    use super::*;

    fn event(class: &str, operation: &str, snapshot: Option<Value>) -> Value {
        let texts = [("class", class), ("operation", operation), ("ref", "OpaqueRef:1")];
        let texts = texts.into_iter().map(|(name, text)| (name, Value::from(text)));
        Value::Struct(texts.chain(snapshot.map(|snapshot| ("snapshot", snapshot))).collect::<Struct>())
    }

    fn read(event: &Value) -> Result<Option<LeanEvent>, ReadError> {
        let bytes = xmlrpc::write_success(event);
        xmlrpc::read_result(&bytes, &Limits::default(), read_event).map(|event| event.unwrap())
    }

    fn record(event: &LeanEvent) -> Struct {
        let text = core::str::from_utf8(event.record.as_deref().unwrap()).unwrap();
        let value = xmlrpc::read_value_as(text, &Limits::default(), Value::read).unwrap();
        value.as_struct().unwrap().clone()
    }

    #[test]
    fn what_is_at_its_default_or_of_no_interest_is_left_out() {
        let vm = xenapi_model::vm::Record {
            name_label: "web <1>".into(),
            recommendations: "<very long/>".into(),
            other_config: [("folder", "/a"), ("mac_seed", "x")].into(),
            ..Default::default()
        };
        let lean = read(&event("vm", "add", Some(to_value(&vm)))).unwrap().unwrap();
        let record = record(&lean);
        let names: Vec<&str> = record.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["name_label", "other_config"]);
        assert_eq!(record.get("name_label").unwrap().as_text(), Some("web <1>"));
        assert_eq!(record.get("other_config").unwrap().as_struct().unwrap().len(), 1);
    }

    #[test]
    fn deletions_need_no_record_and_other_classes_are_passed_over() {
        let gone = read(&event("vm", "del", None)).unwrap().unwrap();
        assert!(gone.record.is_none() && gone.reference == "OpaqueRef:1");
        assert!(read(&event("session", "add", Some(Value::Struct(Struct::new())))).unwrap().is_none());
        assert!(read(&event("vm", "mod", None)).is_err());
    }

    #[test]
    fn a_snapshot_may_stand_before_its_class() {
        let vm = xenapi_model::vm::Record { name_label: "early".into(), ..Default::default() };
        let event: Struct = [
            ("snapshot", to_value(&vm)),
            ("ref", "OpaqueRef:1".into()),
            ("class", "vm".into()),
            ("operation", "mod".into()),
        ]
        .into_iter()
        .collect();
        assert_eq!(record(&read(&Value::Struct(event)).unwrap().unwrap()).len(), 1);
    }
}
