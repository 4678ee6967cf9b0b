//! Events for people: when, which object, and what of it changed to what.

use core::hash::BuildHasher as _;
use std::collections::HashMap;
use std::hash::RandomState;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value as Json;

use crate::output::{Paint, Style, plain};

/// The most characters of a value that are shown.
const LONGEST_VALUE: usize = 60;

/// Remembers the objects of a pool well enough to say what changes.
pub(super) struct Teller {
    paint: Paint,
    known: HashMap<String, Known>,
    hasher: RandomState,
}

/// An object: what it is called, and a number for each field, which is much smaller than the values and changes with them.
struct Known {
    name: String,
    fields: Vec<(String, u64)>,
}

impl Teller {
    pub(super) fn new(paint: Paint) -> Self {
        Teller { paint, known: HashMap::new(), hasher: RandomState::new() }
    }

    /// A line for an event.
    pub(super) fn tell(&mut self, event: &Json) -> String {
        let text = |key: &str| event.get(key).and_then(Json::as_str).unwrap_or_default();
        let (reference, operation) = (text("ref"), text("operation"));
        let class = xenapi_model::class_of_event(text("class")).map_or_else(|| text("class"), |class| class.name);
        let snapshot = event.get("snapshot").and_then(Json::as_object);
        let before = self.known.remove(reference);
        let (name, changes) = match snapshot {
            Some(record) => {
                let name = name_of(record, reference);
                let fields = self.numbers(record);
                let changed = before.as_ref().map(|before| changes(&before.fields, &fields, record));
                self.known.insert(reference.into(), Known { name: name.clone(), fields });
                (name, changed.unwrap_or_default())
            }
            None => (before.map_or_else(|| reference.to_owned(), |before| before.name), Vec::new()),
        };
        let style = match operation {
            "add" => Style::Good,
            "del" => Style::Bad,
            _ => Style::Warn,
        };
        let head = format!(
            "{} {} {class} {}",
            self.paint.paint(Style::Quiet, &clock()),
            self.paint.paint(style, &plain(operation)),
            self.paint.paint(Style::Strong, &plain(&name))
        );
        if changes.is_empty() { head } else { format!("{head}: {}", plain(&changes.join(", "))) }
    }

    fn numbers(&self, record: &serde_json::Map<String, Json>) -> Vec<(String, u64)> {
        record.iter().map(|(field, value)| (field.clone(), self.hasher.hash_one(value.to_string()))).collect()
    }
}

/// The fields that are other than before, with what they are now.
fn changes(before: &[(String, u64)], now: &[(String, u64)], record: &serde_json::Map<String, Json>) -> Vec<String> {
    let is_same = |field: &(String, u64)| before.iter().any(|other| other == field);
    let changed = now.iter().filter(|field| !is_same(field));
    changed.filter_map(|(field, _)| Some(format!("{field} = {}", shown(record.get(field)?)))).collect()
}

fn shown(value: &Json) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// What people call an object: its name, or the device that it is, or its uuid.
fn name_of(record: &serde_json::Map<String, Json>, reference: &str) -> String {
    let text = |key: &str| record.get(key).and_then(Json::as_str).filter(|text| !text.is_empty());
    text("name_label").or(text("device")).or(text("name")).or(text("uuid")).unwrap_or(reference).to_owned()
}

/// The time of day, in UTC as all of a server's times are.
fn clock() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() % 86_400;
    format!("{:02}:{:02}:{:02}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::When;

    fn event(operation: &str, snapshot: Option<Json>) -> Json {
        let mut event = json!({"class": "vm", "operation": operation, "ref": "OpaqueRef:1"});
        if let Some(snapshot) = snapshot {
            event["snapshot"] = snapshot;
        }
        event
    }

    #[test]
    fn what_changed_is_told_with_what_it_is_now() {
        let mut teller = Teller::new(Paint::stdout(When::Never));
        let mut told = |operation: &str, snapshot: Option<Json>| {
            let line = teller.tell(&event(operation, snapshot));
            line.split_once("Z ").map(|(_, rest)| rest.to_owned()).unwrap_or_default()
        };
        let record =
            |state: &str, tags: &[&str]| Some(json!({"name_label": "web\u{1b}[2J", "power_state": state, "tags": tags}));
        assert_eq!(told("add", record("Halted", &[])), "add VM web [2J");
        assert_eq!(told("mod", record("Running", &["a"])), "mod VM web [2J: power_state = Running, tags = [\"a\"]");
        assert_eq!(told("mod", record("Running", &["a"])), "mod VM web [2J");
        assert_eq!(told("del", None), "del VM web [2J");
        assert_eq!(told("del", None), "del VM OpaqueRef:1");
    }

    #[test]
    fn long_values_are_cut() {
        assert_eq!(shown(&json!("é".repeat(100))), format!("{}…", "é".repeat(LONGEST_VALUE)));
    }

    #[test]
    fn colours_show_the_kind_of_change() {
        let mut teller = Teller::new(Paint::stdout(When::Always));
        let line = teller.tell(&event("del", None));
        assert!(line.contains("\u{1b}[31mdel\u{1b}[0m"), "{line:?}");
    }
}
