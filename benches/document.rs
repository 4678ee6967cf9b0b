//! A document in every form in which it is read or written.

use std::sync::OnceLock;

use xenapi_core::Value;
use xenapi_corpus::{Content, Order, json_reply, xml_reply};

/// A reply, its result as a tree, and the same as JSON. What is not asked for is not made.
#[derive(Debug)]
pub struct Document {
    /// What it holds.
    pub content: Content,
    /// How many objects.
    pub count: usize,
    /// The order of the members.
    pub order: Order,
    value: OnceLock<Value>,
    xml: OnceLock<Vec<u8>>,
    json: OnceLock<Vec<u8>>,
    no_zone: OnceLock<String>,
}

impl Document {
    /// The reply about that many objects.
    pub fn new(content: Content, count: usize, order: Order) -> Self {
        Document {
            content,
            count,
            order,
            value: OnceLock::new(),
            xml: OnceLock::new(),
            json: OnceLock::new(),
            no_zone: OnceLock::new(),
        }
    }

    /// What it is, for a table: `VM × 1000`.
    pub fn title(&self) -> String {
        format!("{} × {}", self.content.name(), self.count)
    }

    /// The result as a tree.
    pub fn value(&self) -> &Value {
        self.value.get_or_init(|| self.content.value(self.count, self.order))
    }

    /// The reply as XML-RPC.
    pub fn xml(&self) -> &[u8] {
        self.xml.get_or_init(|| xml_reply(self.value()))
    }

    /// The reply as JSON-RPC.
    pub fn json(&self) -> &[u8] {
        self.json.get_or_init(|| json_reply(self.value()))
    }

    /// The reply as XML-RPC with dates that have no zone, for readers that refuse xapi's `Z`.
    pub fn without_zones(&self) -> &str {
        self.no_zone
            .get_or_init(|| String::from_utf8_lossy(self.xml()).replace("Z</dateTime.iso8601>", "</dateTime.iso8601>"))
    }
}
