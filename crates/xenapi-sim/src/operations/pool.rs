//! Messages.

use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{DateTime, Failure, RawRef, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::filter::Filter;
use crate::implicit::{handle_invalid, records, references};
use crate::operations::Handler;
use crate::store::Row;

/// More messages than this are not kept; the oldest go.
const MESSAGES: usize = 10_000;

pub(crate) fn find(class: &str, message: &str) -> Option<Handler> {
    match class {
        "message" => messages(message),
        _ => None,
    }
}

fn messages(message: &str) -> Option<Handler> {
    Some(match message {
        "create" => Handler::Now(create_message),
        "destroy" => Handler::Now(|sim, _, args| {
            let (class, reference) = ("message", args.text(0));
            let gone = sim.store.remove(class, reference);
            gone.map(|_| Value::VOID).ok_or_else(|| handle_invalid(class, reference))
        }),
        "destroy_many" => Handler::Now(|sim, _, args| {
            let all = args.value(0).and_then(Value::as_array).unwrap_or_default();
            let all: Vec<RawRef> = all.iter().filter_map(Value::as_text).map(RawRef::from).collect();
            if let Some(unknown) = all.iter().find(|message| !sim.store.contains("message", message.as_str())) {
                return Err(handle_invalid("message", unknown.as_str()));
            }
            for message in all {
                sim.store.remove("message", message.as_str());
            }
            Ok(Value::VOID)
        }),
        "get_all" => Handler::Now(|sim, _, _| Ok(references(sim.store.table("message").rows.values()))),
        "get_all_records" => Handler::Now(|sim, _, _| Ok(chosen(sim, |_| true))),
        "get_all_records_where" => Handler::Now(|sim, _, args| {
            let filter = Filter::parse(sim.store.table("message").class, args.text(0))?;
            Ok(chosen(sim, |row| filter.holds(row)))
        }),
        "get_record" => Handler::Now(|sim, _, args| {
            let table = sim.store.table("message");
            let row = table.get(args.text(0)).ok_or_else(|| handle_invalid("message", args.text(0)))?;
            Ok(table.record(row))
        }),
        "get_by_uuid" => {
            Handler::Now(|sim, _, args| sim.by_uuid(sim.store.table("message").class, args.text(0)).map(Value::from))
        }
        "get_since" => Handler::Now(|sim, _, args| {
            let since = date(args, 0);
            Ok(chosen(sim, |row| is_later(sim, row, since)))
        }),
        "get" => Handler::Now(|sim, _, args| {
            let since = date(args, 2);
            let is = |row: &Row, field, text: &str| sim.store.text("message", row.reference.as_str(), field) == text;
            let about = |row: &Row| is(row, "cls", args.text(0)) && is(row, "obj_uuid", args.text(1));
            Ok(chosen(sim, |row| about(row) && is_later(sim, row, since)))
        }),
        _ => return None,
    })
}

fn date(args: &Args, at: usize) -> DateTime {
    if let Some(Value::DateTime(time)) = args.value(at) { *time } else { DateTime::NEVER }
}

fn is_later(sim: &Sim, row: &Row, since: DateTime) -> bool {
    sim.store.time("message", row.reference.as_str(), "timestamp").unix() > since.unix()
}

fn chosen(sim: &Sim, choose: impl Fn(&Row) -> bool) -> Value {
    let table = sim.store.table("message");
    records(table, table.rows.values().filter(|row| choose(row)))
}

fn create_message(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let (class, uuid) = (String::from(args.text(2)), String::from(args.text(3)));
    let desc = xenapi_model::class_of_event(&class);
    let found = desc.is_some_and(|desc| desc.implicit.get_record && sim.by_uuid(desc, &uuid).is_ok());
    if !found {
        return Err(Failure::new("UUID_INVALID", [class, uuid]));
    }
    let (name, body) = (String::from(args.text(0)), String::from(args.text(4)));
    Ok(sim.new_message(&name, args.int(1), &class, &uuid, &body).into())
}

impl Sim {
    /// Leaves a message for people.
    pub(crate) fn new_message(&mut self, name: &str, priority: i64, class: &str, uuid: &str, body: &str) -> RawRef {
        while self.store.count("message") >= MESSAGES {
            let Some(oldest) = self.store.first("message") else { break };
            self.store.remove("message", oldest.as_str());
        }
        let (reference, own, date) = (self.random.reference(), self.random.uuid(), self.date());
        let draft = self.store.draft("message");
        let draft = draft.with("uuid", own).with("name", name).with("priority", priority).with("cls", class);
        let draft = draft.with("obj_uuid", uuid).with("timestamp", date).with("body", body);
        self.store.insert(&reference, draft);
        reference
    }
}
