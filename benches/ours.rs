//! Our own codec. New ways into it are plugged in here.

use xenapi_codec::xmlrpc::{Engine, ReplyStream, XmlWriter, read_result, read_result_with, read_views, write_success};
use xenapi_codec::{Limits, jsonrpc};
use xenapi_core::{Failure, ReadError, Record, Records, Value, Wire, from_value};
use xenapi_corpus::Content;
use xenapi_model::{EventBatch, VM, event, vbd, vdi, vm};

use crate::document::Document;
use crate::subject::{Subject, Task, Work};

const DECODE: Subject =
    Subject { key: "", name: "", task: Task::Decode, vm_only: false, order_matters: true, prepare: |_| Err(String::new()) };
const ENCODE: Subject = Subject { task: Task::Encode, order_matters: false, ..DECODE };

pub(crate) const SUBJECTS: [Subject; 10] = [
    Subject { key: "typed", name: "**typed records, owned**", prepare: typed, ..DECODE },
    Subject { key: "borrowed", name: "**typed records, borrowed**", prepare: borrowed, vm_only: true, ..DECODE },
    Subject { key: "streamed", name: "**records streamed, 16 KiB chunks**", prepare: streamed, ..DECODE },
    Subject { key: "value", name: "**dynamic value, owned**", prepare: value, ..DECODE },
    Subject { key: "general", name: "typed records, general reader", prepare: general, ..DECODE },
    Subject { key: "json-typed", name: "typed records from JSON-RPC", prepare: json_typed, ..DECODE },
    Subject { key: "skip", name: "passed over", prepare: skip, ..DECODE },
    Subject { key: "encode-reused", name: "**typed records, reused buffer**", prepare: encode_reused, ..ENCODE },
    Subject { key: "encode-typed", name: "typed records, new buffer", prepare: encode_typed, ..ENCODE },
    Subject { key: "encode-value", name: "dynamic value, new buffer", prepare: encode_value, ..ENCODE },
];

fn limits() -> Limits {
    Limits::reply()
}

/// How bytes are read.
#[derive(Clone, Copy)]
enum Way {
    /// As everybody reads XML-RPC.
    Usual,
    /// With the general reader from the start.
    General,
    /// As JSON-RPC.
    Json,
}

impl Way {
    fn read<T: Wire>(self, bytes: &[u8]) -> Result<Result<T, Failure>, ReadError> {
        match self {
            Way::Usual => read_result(bytes, &limits(), T::read),
            Way::General => read_result_with(bytes, &limits(), Engine::General, T::read),
            Way::Json => jsonrpc::read_result(bytes, &limits(), T::read),
        }
    }
}

/// A result that holds objects.
trait Objects: Wire {
    /// How many, without those that could not be read.
    fn count(&self) -> usize;
}

impl<R: Record> Objects for Records<R> {
    fn count(&self) -> usize {
        self.records.len()
    }
}

impl Objects for EventBatch {
    fn count(&self) -> usize {
        self.events.len()
    }
}

fn decode<'d, T: Objects>(document: &'d Document, bytes: &'d [u8], way: Way) -> Result<Work<'d>, String> {
    Work::new(bytes.len(), move || match way.read::<T>(bytes) {
        Ok(Ok(result)) if result.count() == document.count => Ok(result),
        Ok(Ok(result)) => Err(format!("{} objects of {}", result.count(), document.count)),
        Ok(Err(failure)) => Err(format!("{failure:?}")),
        Err(error) => Err(error.to_string()),
    })
}

fn by_content<'d>(document: &'d Document, bytes: &'d [u8], way: Way) -> Result<Work<'d>, String> {
    match document.content {
        Content::Vm => decode::<Records<vm::Record>>(document, bytes, way),
        Content::Vdi => decode::<Records<vdi::Record>>(document, bytes, way),
        Content::Vbd => decode::<Records<vbd::Record>>(document, bytes, way),
        Content::Events => decode::<EventBatch>(document, bytes, way),
    }
}

fn typed(document: &Document) -> Result<Work<'_>, String> {
    by_content(document, document.xml(), Way::Usual)
}

fn general(document: &Document) -> Result<Work<'_>, String> {
    by_content(document, document.xml(), Way::General)
}

fn json_typed(document: &Document) -> Result<Work<'_>, String> {
    by_content(document, document.json(), Way::Json)
}

fn borrowed(document: &Document) -> Result<Work<'_>, String> {
    let bytes = document.xml();
    Work::new(bytes.len(), move || match read_views::<VM>(bytes, &limits()) {
        Ok(Ok(views)) if views.records.len() == document.count => Ok(views),
        Ok(Ok(views)) => Err(format!("{} records of {}", views.records.len(), document.count)),
        Ok(Err(failure)) => Err(format!("{failure:?}")),
        Err(error) => Err(error.to_string()),
    })
}

/// How much a socket or a `fetch` gives at a time.
const CHUNK: usize = 16 * 1024;

fn streamed(document: &Document) -> Result<Work<'_>, String> {
    match document.content {
        Content::Vm => stream(document, stream_records::<vm::Record>),
        Content::Vdi => stream(document, stream_records::<vdi::Record>),
        Content::Vbd => stream(document, stream_records::<vbd::Record>),
        Content::Events => stream(document, stream_events),
    }
}

fn stream<'d>(document: &'d Document, read: fn(&[u8]) -> Result<usize, ReadError>) -> Result<Work<'d>, String> {
    let bytes = document.xml();
    Work::new(bytes.len(), move || match read(bytes) {
        Ok(count) if count == document.count => Ok(()),
        Ok(count) => Err(format!("{count} objects of {}", document.count)),
        Err(error) => Err(error.to_string()),
    })
}

fn stream_records<R: Record>(bytes: &[u8]) -> Result<usize, ReadError> {
    let (mut reply, mut count) = (ReplyStream::members(&limits()), 0);
    for mut chunk in bytes.chunks(CHUNK) {
        while let Some((reference, record)) = reply.next_record::<R>(&mut chunk)? {
            core::hint::black_box((reference, record?));
            count += 1;
        }
    }
    reply.finish(<()>::read)?.ok();
    Ok(count)
}

fn stream_events(bytes: &[u8]) -> Result<usize, ReadError> {
    let (mut reply, mut count) = (ReplyStream::items_of("events", &limits()), 0);
    for mut chunk in bytes.chunks(CHUNK) {
        while let Some(event) = reply.next_item(&mut chunk, event::Record::read)? {
            core::hint::black_box(event?);
            count += 1;
        }
    }
    reply.finish(EventBatch::read)?.ok();
    Ok(count)
}

fn value(document: &Document) -> Result<Work<'_>, String> {
    let bytes = document.xml();
    Work::new(bytes.len(), move || Way::Usual.read::<Value>(bytes))
}

fn skip(document: &Document) -> Result<Work<'_>, String> {
    let bytes = document.xml();
    Work::new(bytes.len(), move || Way::Usual.read::<()>(bytes))
}

fn encode<'d, T: Wire + 'd>(document: &'d Document) -> Result<Work<'d>, String> {
    let typed: T = from_value(document.value()).map_err(|error| error.to_string())?;
    Work::new(document.xml().len(), move || {
        let mut writer = XmlWriter::new();
        typed.write(&mut writer);
        Ok::<_, String>(writer.into_bytes())
    })
}

fn reuse<'d, T: Wire + 'd>(document: &'d Document) -> Result<Work<'d>, String> {
    let typed: T = from_value(document.value()).map_err(|error| error.to_string())?;
    let mut buffer = Vec::with_capacity(document.xml().len());
    Work::new(document.xml().len(), move || {
        let mut writer = XmlWriter::reusing(core::mem::take(&mut buffer));
        typed.write(&mut writer);
        buffer = writer.into_bytes();
        Ok::<_, String>(buffer.len())
    })
}

fn encode_reused(document: &Document) -> Result<Work<'_>, String> {
    match document.content {
        Content::Vm => reuse::<Records<vm::Record>>(document),
        Content::Vdi => reuse::<Records<vdi::Record>>(document),
        Content::Vbd => reuse::<Records<vbd::Record>>(document),
        Content::Events => reuse::<EventBatch>(document),
    }
}

fn encode_typed(document: &Document) -> Result<Work<'_>, String> {
    match document.content {
        Content::Vm => encode::<Records<vm::Record>>(document),
        Content::Vdi => encode::<Records<vdi::Record>>(document),
        Content::Vbd => encode::<Records<vbd::Record>>(document),
        Content::Events => encode::<EventBatch>(document),
    }
}

fn encode_value(document: &Document) -> Result<Work<'_>, String> {
    let value = document.value();
    Work::new(document.xml().len(), move || Ok::<_, String>(write_success(value)))
}
