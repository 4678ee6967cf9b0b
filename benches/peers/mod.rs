//! What our codec is measured against.

mod serde_types;
mod serde_vm;

use core::fmt::Display;

use quick_xml::events::Event;
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::subject::{Subject, Task, Work};
use serde_types::{Pairs, TextInt};
use serde_vm::Vm;

const DECODE: Subject =
    Subject { key: "", name: "", task: Task::Decode, vm_only: true, order_matters: true, prepare: |_| Err(String::new()) };
const ANY: Subject = Subject { vm_only: false, order_matters: false, ..DECODE };
const ENCODE: Subject = Subject { task: Task::Encode, order_matters: false, ..DECODE };

/// What the others are compared to.
pub(crate) const BASELINES: [Subject; 3] = [
    Subject { key: "events", name: "bare quick-xml events", prepare: events, ..ANY },
    Subject { key: "memchr", name: "memchr visit of every `<`", prepare: visit, ..ANY },
    Subject { key: "memcpy", name: "memcpy", prepare: copy, vm_only: false, ..ENCODE },
];

pub(crate) const SUBJECTS: [Subject; 13] = [
    Subject { key: "dxr", name: "dxr, value (dates without `Z`)", prepare: dxr_value, order_matters: false, ..DECODE },
    Subject { key: "serde_xmlrpc", name: "serde_xmlrpc, typed", prepare: serde_xmlrpc_typed, ..DECODE },
    Subject { key: "serde_xmlrpc-value", name: "serde_xmlrpc, value", prepare: serde_xmlrpc_value, ..DECODE },
    Subject { key: "xmlrpc", name: "xmlrpc, value", prepare: xmlrpc_value, order_matters: false, ..DECODE },
    Subject { key: "sonic-rs", name: "JSON: sonic-rs, typed", prepare: sonic_typed, ..DECODE },
    Subject { key: "sonic-rs-value", name: "JSON: sonic-rs, value", prepare: sonic_value, order_matters: false, ..DECODE },
    Subject { key: "simd-json", name: "JSON: simd-json, typed (copy included)", prepare: simd_typed, ..DECODE },
    Subject {
        key: "simd-json-value",
        name: "JSON: simd-json, value (copy included)",
        prepare: simd_value,
        order_matters: false,
        ..DECODE
    },
    Subject { key: "serde_json", name: "JSON: serde_json, typed", prepare: json_typed, ..DECODE },
    Subject {
        key: "serde_json-value",
        name: "JSON: serde_json, value",
        prepare: json_value,
        order_matters: false,
        ..DECODE
    },
    Subject { key: "encode-serde_xmlrpc", name: "serde_xmlrpc, typed", prepare: encode_serde_xmlrpc, ..ENCODE },
    Subject { key: "encode-dxr", name: "dxr, value", prepare: encode_dxr, ..ENCODE },
    Subject { key: "encode-serde_json", name: "JSON: serde_json, typed", prepare: encode_serde_json, ..ENCODE },
];

/// What any reader on quick-xml pays at least.
fn events(document: &Document) -> Result<Work<'_>, String> {
    let bytes = document.xml();
    Work::new(bytes.len(), move || {
        let mut reader = quick_xml::Reader::from_reader(bytes);
        let mut count = 0_usize;
        loop {
            match reader.read_event()? {
                Event::Eof => return Ok::<_, quick_xml::Error>(count),
                _ => count += 1,
            }
        }
    })
}

/// What any reader pays that looks at every tag, however little it does there.
fn visit(document: &Document) -> Result<Work<'_>, String> {
    let bytes = document.xml();
    Work::new(bytes.len(), move || {
        let places = memchr::memchr_iter(b'<', bytes).fold(0_usize, |sum, at| sum ^ at);
        Ok::<_, String>(places)
    })
}

fn copy(document: &Document) -> Result<Work<'_>, String> {
    let bytes = document.xml();
    let mut buffer = Vec::with_capacity(bytes.len());
    Work::new(bytes.len(), move || {
        buffer.clear();
        buffer.extend_from_slice(core::hint::black_box(bytes));
        Ok::<_, String>(buffer.len())
    })
}

/// The reply of xapi as serde sees it.
#[derive(Deserialize)]
struct Reply<T> {
    #[serde(rename = "Value")]
    value: T,
}

#[derive(Deserialize)]
struct JsonReply<T> {
    result: T,
}

type Vms<I> = Pairs<String, Vm<I>>;

/// Work that reads all VMs.
fn all<'d, I: 'd, E: Display>(
    document: &'d Document,
    bytes: usize,
    mut read: impl FnMut() -> Result<Vms<I>, E> + 'd,
) -> Result<Work<'d>, String> {
    Work::new(bytes, move || match read() {
        Ok(vms) if vms.0.len() == document.count => Ok(vms),
        Ok(vms) => Err(format!("{} records of {}", vms.0.len(), document.count)),
        Err(error) => Err(error.to_string()),
    })
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    core::str::from_utf8(bytes).map_err(|error| error.to_string())
}

fn dxr_value(document: &Document) -> Result<Work<'_>, String> {
    let xml = document.without_zones();
    Work::new(xml.len(), move || dxr::MethodResponse::from_xml(xml))
}

fn serde_xmlrpc_typed(document: &Document) -> Result<Work<'_>, String> {
    let xml = text(document.xml())?;
    all(document, xml.len(), move || serde_xmlrpc::response_from_str::<Reply<Vms<TextInt>>>(xml).map(|it| it.value))
}

fn serde_xmlrpc_value(document: &Document) -> Result<Work<'_>, String> {
    let xml = text(document.xml())?;
    Work::new(xml.len(), move || serde_xmlrpc::response_from_str::<serde_xmlrpc::Value>(xml))
}

/// The crate reads replies through a transport only.
struct Loopback<'d>(&'d [u8]);

impl<'d> xmlrpc::Transport for Loopback<'d> {
    type Stream = &'d [u8];

    fn transmit(self, _: &xmlrpc::Request<'_>) -> Result<&'d [u8], Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.0)
    }
}

fn xmlrpc_value(document: &Document) -> Result<Work<'_>, String> {
    let bytes = document.xml();
    Work::new(bytes.len(), move || xmlrpc::Request::new("VM.get_all_records").call(Loopback(bytes)))
}

fn sonic_typed(document: &Document) -> Result<Work<'_>, String> {
    let json = document.json();
    all(document, json.len(), move || sonic_rs::from_slice::<JsonReply<Vms<i64>>>(json).map(|it| it.result))
}

fn sonic_value(document: &Document) -> Result<Work<'_>, String> {
    let json = document.json();
    Work::new(json.len(), move || sonic_rs::from_slice::<sonic_rs::Value>(json))
}

/// simd-json unescapes in place, so every run needs a copy.
fn fresh<'a>(buffer: &'a mut Vec<u8>, json: &[u8]) -> &'a mut [u8] {
    buffer.clear();
    buffer.extend_from_slice(json);
    buffer
}

fn simd_typed(document: &Document) -> Result<Work<'_>, String> {
    let json = document.json();
    let mut buffer = Vec::new();
    all(document, json.len(), move || {
        simd_json::from_slice::<JsonReply<Vms<i64>>>(fresh(&mut buffer, json)).map(|it| it.result)
    })
}

fn simd_value(document: &Document) -> Result<Work<'_>, String> {
    let json = document.json();
    let mut buffer = Vec::new();
    Work::new(json.len(), move || simd_json::to_owned_value(fresh(&mut buffer, json)))
}

fn json_typed(document: &Document) -> Result<Work<'_>, String> {
    let json = document.json();
    all(document, json.len(), move || serde_json::from_slice::<JsonReply<Vms<i64>>>(json).map(|it| it.result))
}

fn json_value(document: &Document) -> Result<Work<'_>, String> {
    let json = document.json();
    Work::new(json.len(), move || serde_json::from_slice::<serde_json::Value>(json))
}

/// The VMs in serde's types, to be written.
fn vms<I: for<'de> Deserialize<'de>>(
    document: &Document,
    read: fn(&Document) -> Result<Vms<I>, String>,
) -> Result<Vms<I>, String> {
    read(document)
}

fn encode_serde_xmlrpc(document: &Document) -> Result<Work<'_>, String> {
    let vms = vms::<TextInt>(document, |document| {
        let xml = text(document.xml())?;
        serde_xmlrpc::response_from_str::<Reply<_>>(xml).map(|it| it.value).map_err(|error| error.to_string())
    })?;
    Work::new(document.xml().len(), move || serde_xmlrpc::value_to_string(&vms))
}

fn encode_dxr(document: &Document) -> Result<Work<'_>, String> {
    let xml = document.without_zones();
    let reply = dxr::MethodResponse::from_xml(xml).map_err(|error| error.to_string())?;
    Work::new(xml.len(), move || reply.to_xml())
}

fn encode_serde_json(document: &Document) -> Result<Work<'_>, String> {
    let vms = vms::<i64>(document, |document| {
        serde_json::from_slice::<JsonReply<_>>(document.json()).map(|it| it.result).map_err(|error| error.to_string())
    })?;
    let mut buffer = Vec::with_capacity(document.json().len());
    Work::new(document.json().len(), move || {
        buffer.clear();
        write_json(&mut buffer, &vms)
    })
}

fn write_json(buffer: &mut Vec<u8>, it: &impl Serialize) -> Result<usize, serde_json::Error> {
    serde_json::to_writer(&mut *buffer, it)?;
    Ok(buffer.len())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;
    use xenapi_codec::Limits;
    use xenapi_codec::xmlrpc::{read_result, write_success};
    use xenapi_core::{DateTime, Value, Wire};

    /// What others get wrong about xapi's replies is what ours is tested for. Should one of them be mended, this says so.
    #[test]
    fn dates_of_xapi_have_a_zone_that_dxr_refuses() {
        let bytes = write_success(&DateTime::from_unix(1_700_000_000).into());
        let ours = read_result(&bytes, &Limits::reply(), DateTime::read).unwrap().unwrap();
        assert_eq!(ours.to_string(), "20231114T22:13:20Z");
        assert!(dxr::MethodResponse::from_xml(text(&bytes).unwrap()).is_err());
    }

    #[test]
    fn text_keeps_the_blanks_that_serde_xmlrpc_trims() {
        let bytes = write_success(&Value::from("  two blanks \n"));
        assert_eq!(read_result(&bytes, &Limits::reply(), String::read).unwrap().unwrap(), "  two blanks \n");
        let other: Reply<String> = serde_xmlrpc::response_from_str(text(&bytes).unwrap()).unwrap();
        assert_eq!(other.value, "two blanks");
    }

    #[test]
    fn typed_text_is_unescaped_which_serde_xmlrpc_leaves_undone() {
        let xml = "<methodResponse><params><param><value><string>a &lt;b&gt; &amp;amp;</string></value></param></params></methodResponse>";
        assert_eq!(read_result(xml.as_bytes(), &Limits::reply(), String::read).unwrap().unwrap(), "a <b> &amp;");
        assert_eq!(serde_xmlrpc::response_from_str::<String>(xml).unwrap(), "a &lt;b&gt; &amp;amp;");
    }
}
