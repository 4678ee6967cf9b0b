//! Two readers, one meaning.

use std::fmt::Debug;

use xenapi_codec::Limits;
use xenapi_codec::xmlrpc::{
    Engine, RecordView, read_call_with, read_result, read_result_with, read_value_with, read_views_with,
};
use xenapi_core::{DateTime, Map, ReadError, Record, Records, Value, Wire};
use xenapi_model::{EventBatch, VM, vm};

pub(crate) fn agree(bytes: &[u8]) {
    for limits in [Limits::default(), Limits { depth: 12, members: 200, text: 2000, ..Limits::default() }] {
        three(bytes, |engine| read_call_with(bytes, &limits, engine));
        three(bytes, |engine| read_result_with(bytes, &limits, engine, Value::read));
        three(bytes, |engine| read_result_with(bytes, &limits, engine, <()>::read));
        if let Ok(text) = std::str::from_utf8(bytes) {
            three(bytes, |engine| read_value_with(text, &limits, engine, Value::read));
        }
    }
    typed::<Records<vm::Record>>(bytes);
    typed::<vm::Record>(bytes);
    typed::<EventBatch>(bytes);
    typed::<Map<String, Option<DateTime>>>(bytes);
    typed::<Vec<Map<i64, Vec<f64>>>>(bytes);
}

fn typed<T: Wire + Debug>(bytes: &[u8]) {
    three(bytes, |engine| read_result_with(bytes, &Limits::default(), engine, T::read));
}

/// The choice of readers that everybody has must answer what the general reader answers, errors included. The scanner alone
/// may give up, but must not read anything else.
fn three<T: Debug>(bytes: &[u8], read: impl Fn(Engine) -> Result<T, ReadError>) {
    // As text, because no number is equal to NaN.
    let general = format!("{:?}", read(Engine::General));
    let usual = format!("{:?}", read(Engine::Auto));
    assert_eq!(usual, general, "on b\"{}\"", bytes.escape_ascii());
    if let Ok(value) = read(Engine::Scanner) {
        assert_eq!(format!("{:?}", Ok::<_, ReadError>(value)), general, "the scanner on b\"{}\"", bytes.escape_ascii());
    }
}

/// Views and records of the same bytes: the same records, the same fields, the same errors.
pub(crate) fn views(bytes: &[u8]) {
    let limits = Limits::default();
    let owned = read_result(bytes, &limits, Records::<vm::Record>::read);
    for engine in [Engine::Auto, Engine::General] {
        match (&owned, read_views_with::<VM>(bytes, &limits, engine)) {
            (Ok(Ok(owned)), Ok(Ok(views))) => {
                assert_eq!(format!("{:?}", views.wrong), format!("{:?}", owned.wrong), "{engine:?}");
                assert_eq!(views.records.len(), owned.records.len(), "{engine:?}");
                for (view, (reference, record)) in views.records.iter().zip(&owned.records) {
                    assert_eq!(view.reference(), reference.as_str());
                    fields(view, record);
                }
            }
            (Ok(Err(owned)), Ok(Err(views))) => assert_eq!(&views, owned),
            (Err(owned), Err(views)) => assert_eq!(format!("{views:?}"), format!("{owned:?}"), "{engine:?}"),
            (owned, views) => panic!("{engine:?}: {owned:?}, but in views {views:?}"),
        }
    }
}

fn fields(view: &RecordView<'_, VM>, record: &vm::Record) {
    assert_eq!(view.get(vm::fields::NAME_LABEL).as_ref(), Ok(&record.name_label));
    assert_eq!(view.text(vm::fields::NAME_LABEL).expect("it is text").unwrap_or_default(), record.name_label);
    assert_eq!(view.has(vm::fields::NAME_LABEL), !record.missing().any(|field| field.name == "name_label"));
    assert_eq!(view.get(vm::fields::VCPUS_MAX).as_ref(), Ok(&record.vcpus_max));
    assert_eq!(view.get(vm::fields::OTHER_CONFIG).as_ref(), Ok(&record.other_config));
    assert_eq!(view.get(vm::fields::ALLOWED_OPERATIONS).as_ref(), Ok(&record.allowed_operations));
    assert_eq!(view.get(vm::fields::VBDS).as_ref(), Ok(&record.vbds));
    assert_eq!(view.get(vm::fields::SNAPSHOT_TIME).as_ref(), Ok(&record.snapshot_time));
    assert_eq!(view.get(vm::fields::IS_A_TEMPLATE).as_ref(), Ok(&record.is_a_template));
    let multiplier = view.get(vm::fields::HVM_SHADOW_MULTIPLIER).map(f64::to_bits);
    assert_eq!(multiplier, Ok(record.hvm_shadow_multiplier.to_bits()));
}
