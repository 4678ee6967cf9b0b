//! Messages by the heap, and blobs.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{DateTime, Failure, RawRef, Struct, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::operations::Handler;

pub(crate) fn find(class: &'static str, message: &str) -> Option<Handler> {
    Some(match (class, message) {
        ("message", "destroy_all") => Handler::Now(destroy_all),
        ("blob", "create") => Handler::Now(|sim, _, args| {
            let (kind, public) = (String::from(args.text(0)), args.flag(1));
            Ok(new_blob(sim, "", &kind, public).into())
        }),
        ("blob", "destroy") => Handler::Now(|sim, _, args| {
            let blob = sim.need("blob", args.text(0))?;
            for (class, field) in OWNERS {
                drop_blob(sim, class, field, &blob);
            }
            sim.store.remove("blob", blob.as_str());
            Ok(Value::VOID)
        }),
        ("VM", "create_new_blob") => Handler::Now(|sim, _, args| create_on(sim, "VM", args)),
        ("host", "create_new_blob") => Handler::Now(|sim, _, args| create_on(sim, "host", args)),
        ("pool", "create_new_blob") => Handler::Now(|sim, _, args| create_on(sim, "pool", args)),
        ("network", "create_new_blob") => Handler::Now(|sim, _, args| create_on(sim, "network", args)),
        ("SR", "create_new_blob") => Handler::Now(|sim, _, args| create_on(sim, "SR", args)),
        _ => return None,
    })
}

/// The classes whose objects have blobs.
const OWNERS: [(&str, &str); 5] =
    [("VM", "blobs"), ("host", "blobs"), ("pool", "blobs"), ("network", "blobs"), ("SR", "blobs")];

fn new_blob(sim: &mut Sim, name: &str, kind: &str, public: bool) -> RawRef {
    let (reference, uuid, date) = (sim.random.reference(), sim.random.uuid(), sim.date());
    let kind = if kind.is_empty() { "application/octet-stream" } else { kind };
    let draft = sim.store.draft("blob").with("uuid", uuid).with("name_label", name).with("mime_type", kind);
    sim.store.insert(&reference, draft.with("public", public).with("last_updated", date).with("size", 0));
    reference
}

/// `create_new_blob`: a place for data on an object, by name.
fn create_on(sim: &mut Sim, class: &'static str, args: &Args) -> Result<Value, Failure> {
    let owner = sim.need(class, args.text(0))?;
    let (name, kind) = (String::from(args.text(1)), String::from(args.text(2)));
    if sim.store.key(class, owner.as_str(), "blobs", &name).is_some() {
        return Err(Failure::new("MAP_DUPLICATE_KEY", [class, "blobs", owner.as_str(), &name]));
    }
    let blob = new_blob(sim, &name, &kind, args.flag(3));
    sim.store.put_key(class, owner.as_str(), "blobs", &name, &blob);
    Ok(blob.into())
}

fn drop_blob(sim: &mut Sim, class: &str, field: &str, blob: &RawRef) {
    let holds = |owner: &RawRef| {
        let map = sim.store.value(class, owner.as_str(), field).and_then(Value::as_struct)?;
        let name = map.iter().find(|(_, value)| value.as_text() == Some(blob.as_str()))?.0;
        Some((owner.clone(), name.to_string()))
    };
    let found: Vec<(RawRef, String)> = sim.store.all(class).iter().filter_map(holds).collect();
    for (owner, name) in found {
        sim.store.drop_key(class, owner.as_str(), field, &name);
    }
}

/// What `message.destroy_all` is to find.
#[derive(Default)]
struct Filters {
    before: Option<DateTime>,
    after: Option<DateTime>,
    priority: Option<i64>,
}

impl Filters {
    fn parse(given: &Struct) -> Result<Filters, Failure> {
        let mut filters = Filters::default();
        for (name, value) in given.iter() {
            let text = value.as_text().unwrap_or("");
            let known = match name {
                "before" => DateTime::parse(text).ok().map(|time| filters.before = Some(time)),
                "after" => DateTime::parse(text).ok().map(|time| filters.after = Some(time)),
                "priority" => text.parse().ok().map(|priority| filters.priority = Some(priority)),
                _ => None,
            };
            known.ok_or_else(|| Failure::new("INVALID_VALUE", [name, text]))?;
        }
        Ok(filters)
    }

    fn fits(&self, sim: &Sim, message: &RawRef) -> bool {
        let time = sim.store.time("message", message.as_str(), "timestamp").unix();
        self.before.is_none_or(|before| time < before.unix())
            && self.after.is_none_or(|after| time > after.unix())
            && self.priority.is_none_or(|priority| sim.store.int("message", message.as_str(), "priority") == priority)
    }
}

fn destroy_all(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let filters = Filters::parse(&args.value(0).and_then(Value::as_struct).cloned().unwrap_or_default())?;
    for message in sim.store.all("message") {
        if filters.fits(sim, &message) {
            sim.store.remove("message", message.as_str());
        }
    }
    Ok(Value::VOID)
}
