//! Two readers, one meaning.

use std::fmt::Debug;

use xenapi_codec::Limits;
use xenapi_codec::xmlrpc::{Engine, read_call_with, read_result_with, read_value_with};
use xenapi_core::{DateTime, Map, ReadError, Records, Value, Wire};
use xenapi_model::{EventBatch, vm};

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
