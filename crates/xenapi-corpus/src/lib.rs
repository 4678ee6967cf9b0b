//! Replies as a server would send them, the same at every run: what benchmarks read, and where fuzzing starts.
//!
//! A document is made from the descriptors of the model, so its records hold every field in the order of the datamodel. The
//! content is that of an ordinary pool: long, escaped `recommendations` as templates have them, names in several scripts,
//! maps of platform settings, references and uuids.
//!
//! ```
//! use xenapi_corpus::{Content, Order, json_reply, xml_reply};
//!
//! let vms = Content::Vm.value(3, Order::Datamodel);
//! assert!(xml_reply(&vms).starts_with(b"<?xml version=\"1.0\"?><methodResponse>"));
//! assert!(json_reply(&vms).starts_with(br#"{"jsonrpc":"2.0","result":{"OpaqueRef:"#));
//! ```

#![allow(
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    reason = "generated documents are for programs that have std: two crate roots for one import say nothing here"
)]

mod dice;
mod json;
mod objects;

pub use dice::Dice;
pub use json::json_reply;

use xenapi_core::{Struct, Value};

/// What a document holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Content {
    /// What `VM.get_all_records` answers.
    Vm,
    /// What `VDI.get_all_records` answers.
    Vdi,
    /// What `VBD.get_all_records` answers.
    Vbd,
    /// What `event.from` answers: one event for each object, with its record.
    Events,
}

/// The order of the members of records and maps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// That of the datamodel, as xapi sends them.
    Datamodel,
    /// Another in every record, as a server with hash tables might send them.
    Shuffled,
}

impl Content {
    /// All of them.
    pub const ALL: [Content; 4] = [Content::Vm, Content::Vdi, Content::Vbd, Content::Events];

    /// The name of the content, for example `VM`.
    pub const fn name(self) -> &'static str {
        match self {
            Content::Vm => "VM",
            Content::Vdi => "VDI",
            Content::Vbd => "VBD",
            Content::Events => "event",
        }
    }

    /// The result of the call in a pool of `count` such objects.
    pub fn value(self, count: usize, order: Order) -> Value {
        let mut dice = Dice::new(0x5eed);
        let mut order_dice = Dice::new(0x0d1ce);
        let mut ordered = |value: Value| match order {
            Order::Datamodel => value,
            Order::Shuffled => shuffled(value, &mut order_dice),
        };
        if self == Content::Events {
            return objects::events(&mut dice, count, ordered);
        }
        let records = (0..count).map(|number| {
            let record = match self {
                Content::Vm => objects::vm(&mut dice, number),
                Content::Vdi => objects::vdi(&mut dice, number),
                Content::Vbd | Content::Events => objects::vbd(&mut dice, number),
            };
            (dice.reference(), ordered(record))
        });
        Value::Struct(records.collect::<Struct>())
    }
}

/// The value with the members of every struct in it in an order that the dice say.
pub fn shuffled(value: Value, dice: &mut Dice) -> Value {
    match value {
        Value::Struct(members) => {
            let mut members: Vec<_> = members.into_iter().map(|(name, value)| (name, shuffled(value, dice))).collect();
            for at in (1..members.len()).rev() {
                members.swap(at, dice.below(at + 1));
            }
            Value::Struct(members.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(|item| shuffled(item, dice)).collect()),
        leaf => leaf,
    }
}

/// The reply to a call that succeeded, as XML-RPC.
pub fn xml_reply(result: &Value) -> Vec<u8> {
    xenapi_codec::xmlrpc::write_success(result)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;
    use xenapi_codec::Limits;
    use xenapi_codec::xmlrpc::read_result;
    use xenapi_core::{Record, Records, Wire, from_value};
    use xenapi_model::{EventBatch, vbd, vdi, vm};

    fn records<R: Record>(content: Content, order: Order) -> Vec<R> {
        let bytes = xml_reply(&content.value(20, order));
        let read = read_result(&bytes, &Limits::reply(), Records::<R>::read).unwrap().unwrap();
        assert!(read.wrong.is_empty(), "{:?}", read.wrong);
        for (_, record) in &read.records {
            assert_eq!(record.missing().count(), 0, "a field lacks in {content:?}");
            assert!(record.rest().unknown.is_empty());
        }
        read.records.into_iter().map(|(_, record)| record).collect()
    }

    #[test]
    fn the_records_are_whole_in_either_order() {
        assert_eq!(records::<vm::Record>(Content::Vm, Order::Datamodel).len(), 20);
        assert_eq!(
            records::<vm::Record>(Content::Vm, Order::Datamodel)[7].uuid,
            records::<vm::Record>(Content::Vm, Order::Shuffled)[7].uuid
        );
        assert_eq!(records::<vdi::Record>(Content::Vdi, Order::Datamodel).len(), 20);
        assert_eq!(records::<vbd::Record>(Content::Vbd, Order::Shuffled).len(), 20);
    }

    #[test]
    fn every_event_has_the_record_of_its_object() {
        let batch: EventBatch = from_value(&Content::Events.value(30, Order::Datamodel)).unwrap();
        assert_eq!(batch.events.len(), 30);
        assert!(!batch.token.is_empty());
        let bytes = xml_reply(&Content::Events.value(30, Order::Shuffled));
        let read = read_result(&bytes, &Limits::reply(), EventBatch::read).unwrap().unwrap();
        assert_eq!(read.events.len(), 30);
        assert!(read.events.iter().all(|event| event.snapshot.is_some()));
    }

    #[test]
    fn a_vm_is_as_long_as_a_real_one() {
        let bytes = xml_reply(&Content::Vm.value(200, Order::Datamodel));
        let each = bytes.len() / 200;
        assert!((11_300..12_300).contains(&each), "{each} bytes a VM");
    }

    #[test]
    fn a_document_is_the_same_at_every_run() {
        for content in Content::ALL {
            for order in [Order::Datamodel, Order::Shuffled] {
                assert_eq!(xml_reply(&content.value(5, order)), xml_reply(&content.value(5, order)));
            }
        }
        assert_ne!(xml_reply(&Content::Vm.value(5, Order::Datamodel)), xml_reply(&Content::Vm.value(5, Order::Shuffled)));
    }

    #[test]
    fn the_json_is_json_with_the_same_content() {
        let value = Content::Vm.value(2, Order::Datamodel);
        let json: serde_json::Value = serde_json::from_slice(&json_reply(&value)).unwrap();
        let (reference, record) = json["result"].as_object().unwrap().iter().next().unwrap();
        let same = value.as_struct().unwrap().get(reference).unwrap().as_struct().unwrap();
        assert_eq!(record["name_label"], same.get("name_label").unwrap().as_text().unwrap());
        assert_eq!(record["VCPUs_max"], same.get("VCPUs_max").unwrap().as_int().unwrap());
        assert_eq!(record["recommendations"], same.get("recommendations").unwrap().as_text().unwrap());
        assert!(record["HVM_shadow_multiplier"].is_f64());
    }
}
