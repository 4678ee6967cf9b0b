//! What `index.html` calls: the codec, compiled as the console is; and what `../layout` calls: the topology's layout.

mod layout;

use wasm_bindgen::prelude::wasm_bindgen;
use xenapi_codec::Limits;
use xenapi_codec::xmlrpc::{ReplyStream, read_result};
use xenapi_core::{ReadError, Records, Value, Wire};
use xenapi_model::vm;

/// A page calls the functions below; there is nothing to do before.
fn main() {}

/// Reads the reply to `VM.get_all_records` into records, and answers how many there are; none if it cannot be read.
#[wasm_bindgen]
pub fn typed(bytes: &[u8]) -> usize {
    match read_result(bytes, &Limits::reply(), Records::<vm::Record>::read) {
        Ok(Ok(records)) if records.wrong.is_empty() => records.records.len(),
        _ => 0,
    }
}

/// Reads the records one by one, in chunks as a `fetch` gives them.
#[wasm_bindgen]
pub fn streamed(bytes: &[u8]) -> usize {
    stream(bytes).unwrap_or(0)
}

fn stream(bytes: &[u8]) -> Result<usize, ReadError> {
    let (mut reply, mut count) = (ReplyStream::members(&Limits::reply()), 0);
    for mut chunk in bytes.chunks(64 * 1024) {
        while let Some((_, record)) = reply.next_record::<vm::Record>(&mut chunk)? {
            record?;
            count += 1;
        }
    }
    reply.finish(<()>::read)?.ok();
    Ok(count)
}

/// Reads the reply into a tree of values, and answers how many members it has.
#[wasm_bindgen]
pub fn dynamic(bytes: &[u8]) -> usize {
    match read_result(bytes, &Limits::reply(), Value::read) {
        Ok(Ok(value)) => value.as_struct().map_or(0, |members| members.len()),
        _ => 0,
    }
}
