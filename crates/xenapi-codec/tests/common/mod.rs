//! Documents for tests, right and wrong.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, dead_code, reason = "each test uses some of it")]

use proptest::prelude::*;
use xenapi_codec::xmlrpc::{write_bare, write_call, write_failure, write_success, write_value_text};
use xenapi_core::{DateTime, Failure, RawCall, Struct, Value, to_value};
use xenapi_model::vm;

pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,12}",
        "[<>&\"'\\]\\t\\r\\n a]{0,12}",
        "-?[0-9]{1,20}",
        "[a-z ]{200,310}",
        proptest::collection::vec(any::<char>(), 0..12).prop_map(|chars| chars.into_iter().collect()),
    ]
}

pub fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => text().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::Int),
        1 => any::<i32>().prop_map(Value::Int32),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::Double),
        1 => (-60_000_000_000_i64..250_000_000_000).prop_map(|seconds| DateTime::from_unix(seconds).into()),
        1 => proptest::collection::vec(any::<u8>(), 0..20).prop_map(Value::Bytes),
        1 => Just(Value::Nil),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            proptest::collection::vec((text(), inner), 0..6)
                .prop_map(|members| Value::Struct(members.into_iter().collect::<Struct>())),
        ]
    })
}

/// Records of VMs with some fields set, some wrong and some unknown.
pub fn records() -> impl Strategy<Value = Value> {
    let record = (value(), text(), any::<i64>(), 0_usize..8).prop_map(|(value, text, number, variant)| {
        let record = vm::Record {
            name_label: text.clone(),
            vcpus_max: number,
            tags: vec![text.clone(), String::new()],
            other_config: [("a".to_owned(), text)].into_iter().collect(),
            ..vm::Record::default()
        };
        let mut tree = to_value(&record);
        let members = tree.as_struct_mut().unwrap();
        match variant {
            0 => members.push("new_field", value),
            1 => members.set("power_state", value),
            2 => members.set("other_config", value),
            3 => members.push_front("tags", value),
            4 => *members = members.clone().into_iter().rev().collect(),
            _ => {}
        }
        tree
    });
    proptest::collection::vec(record, 0..3).prop_map(|records| {
        let named = records.into_iter().enumerate().map(|(at, record)| (format!("OpaqueRef:{at}"), record));
        Value::Struct(named.collect::<Struct>())
    })
}

/// A document, shown as text where a test fails.
#[derive(Clone)]
pub struct Document(pub Vec<u8>);

impl core::fmt::Debug for Document {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

/// Documents that are right, in the forms that servers, clients and tasks write.
pub fn document() -> impl Strategy<Value = Document> {
    let bytes = prop_oneof![
        value().prop_map(|value| write_success(&value)),
        records().prop_map(|value| write_success(&value)),
        value().prop_map(|value| write_bare(&value)),
        value().prop_map(|value| write_value_text(&value).into_bytes()),
        (text(), proptest::collection::vec(value(), 0..4))
            .prop_map(|(method, params)| write_call(&RawCall { method, params })),
        (text(), proptest::collection::vec(text(), 0..4))
            .prop_map(|(code, params)| write_failure(&Failure { code, params })),
    ];
    bytes.prop_map(Document)
}

/// What may stand in a document that xapi does not write, and what breaks one.
const PIECES: [&str; 34] = [
    "<!-- c -->",
    "<![CDATA[<x>]]>",
    "<?pi x?>",
    " ",
    "\n",
    "\r\n",
    "\r",
    "&amp;",
    "&#65;",
    "&#x0;",
    "&lt;",
    "&",
    ";",
    "<",
    ">",
    "<value/>",
    "<value>",
    "</value>",
    "<string>",
    "</string>",
    "<int>7</int>",
    "<i8>7</i8>",
    "<nil/>",
    "<nil></nil>",
    "<array/>",
    "<struct/>",
    "<data/>",
    "</member>",
    "<member>",
    "<name></name>",
    "\u{feff}",
    "<!DOCTYPE a>",
    "é",
    "\u{1}",
];

#[derive(Clone, Debug)]
pub enum Change {
    Flip(prop::sample::Index, u8),
    Delete(prop::sample::Index, usize),
    Repeat(prop::sample::Index, usize, prop::sample::Index),
    Insert(prop::sample::Index, &'static str),
    /// Inserts at a place between two tags, where it is most likely to be let through.
    Between(prop::sample::Index, &'static str),
    /// In front of everything.
    Front(&'static str),
}

pub fn change() -> impl Strategy<Value = Change> {
    let index = any::<prop::sample::Index>;
    let piece = || prop::sample::select(PIECES.to_vec());
    prop_oneof![
        1 => (index(), any::<u8>()).prop_map(|(at, bits)| Change::Flip(at, bits)),
        1 => (index(), 1_usize..20).prop_map(|(at, count)| Change::Delete(at, count)),
        1 => (index(), 1_usize..60, index()).prop_map(|(at, count, to)| Change::Repeat(at, count, to)),
        1 => (index(), piece()).prop_map(|(at, piece)| Change::Insert(at, piece)),
        4 => (index(), piece()).prop_map(|(at, piece)| Change::Between(at, piece)),
        1 => piece().prop_map(Change::Front),
    ]
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    bytes.splice(at..at, piece.iter().copied());
}

pub fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len();
        match change {
            Change::Flip(at, bits) => bytes[at.index(length)] ^= bits,
            Change::Delete(at, count) => drop(bytes.drain(at.index(length)..(at.index(length) + count).min(length))),
            Change::Repeat(at, count, to) => {
                let slice = bytes[at.index(length)..(at.index(length) + count).min(length)].to_vec();
                insert(&mut bytes, to.index(length), &slice);
            }
            Change::Insert(at, piece) => insert(&mut bytes, at.index(length), piece.as_bytes()),
            Change::Between(at, piece) => {
                let ends: Vec<usize> = (0..length).filter(|at| bytes[*at] == b'>').collect();
                if !ends.is_empty() {
                    insert(&mut bytes, ends[at.index(ends.len())] + 1, piece.as_bytes());
                }
            }
            Change::Front(piece) => insert(&mut bytes, 0, piece.as_bytes()),
        }
    }
    bytes
}
