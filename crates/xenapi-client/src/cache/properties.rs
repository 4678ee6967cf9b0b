#![allow(clippy::unwrap_used)]

//! Whatever events came, the cache holds what a full load would bring, and its indexes agree.

extern crate std;

use alloc::string::ToString;
use alloc::vec;

use proptest::prelude::*;
use xenapi_core::{Struct, Uuid, Value, ValueReader, to_value};
use xenapi_model::{PIF, VLAN, VM, pif, vlan, vm};

use super::*;

/// Something that happens at the server.
#[derive(Clone, Debug)]
enum Happening {
    /// An object is there, with that content, whether it was before or not.
    Is {
        class: usize,
        object: u8,
        uuid: u8,
        content: i64,
    },
    /// An object is there in a form that cannot be read.
    IsWrong {
        class: usize,
        object: u8,
    },
    Gone {
        class: usize,
        object: u8,
    },
    /// A batch ends here.
    Answered,
    /// The client lost its place and loads everything.
    Reloaded,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        6 => (0..2usize, 0..6u8, 0..4u8, 0..4i64)
            .prop_map(|(class, object, uuid, content)| Happening::Is { class, object, uuid, content }),
        1 => (0..2usize, 0..6u8).prop_map(|(class, object)| Happening::IsWrong { class, object }),
        3 => (0..2usize, 0..6u8).prop_map(|(class, object)| Happening::Gone { class, object }),
        4 => Just(Happening::Answered),
        1 => Just(Happening::Reloaded),
    ]
}

const CLASSES: [&str; 2] = ["vm", "vlan"];

fn record(class: usize, uuid: u8, content: i64) -> Value {
    let uuid = Uuid::new(["u", &uuid.to_string()].concat());
    match class {
        0 => to_value(&vm::Record { uuid, vcpus_max: content, ..Default::default() }),
        _ => {
            let tagged_pif = Ref::new(["OpaqueRef:p", &content.to_string()].concat());
            to_value(&vlan::Record { uuid, tagged_pif, ..Default::default() })
        }
    }
}

fn wrong() -> Value {
    Value::Struct([("uuid", Value::Bool(true)), ("other_config", "x".into())].into_iter().collect())
}

/// The server: its objects, and the events since the last answer.
#[derive(Default)]
struct Server {
    objects: BTreeMap<(usize, u8), Value>,
    events: Vec<Value>,
}

impl Server {
    fn tell(&mut self, operation: &'static str, (class, object): (usize, u8), snapshot: Option<Value>) {
        let mut event = Struct::new();
        event.push("class", CLASSES[class]);
        event.push("operation", operation);
        event.push("ref", ["OpaqueRef:", &object.to_string()].concat());
        if let Some(snapshot) = snapshot {
            event.push("snapshot", snapshot);
        }
        self.events.push(event.into());
    }

    fn set(&mut self, which: (usize, u8), value: Value) {
        let operation = if self.objects.insert(which, value.clone()).is_some() { "mod" } else { "add" };
        self.tell(operation, which, Some(value));
    }

    fn remove(&mut self, which: (usize, u8)) {
        // A deletion of what nobody knows is told as well: it may have come and gone between two answers.
        self.objects.remove(&which);
        self.tell("del", which, None);
    }

    fn batch(&self, events: Vec<Value>) -> Value {
        let count = |class| self.objects.keys().filter(|(of, _)| *of == class).count();
        let count = |class: usize| (CLASSES[class], Value::Int32(i32::try_from(count(class)).unwrap()));
        let mut batch = Struct::new();
        batch.push("events", events);
        batch.push("valid_ref_counts", [count(0), count(1)].into_iter().collect::<Struct>());
        batch.push("token", "t");
        batch.into()
    }

    fn answer(&mut self, cache: &mut Cache) -> Vec<Change> {
        let events = core::mem::take(&mut self.events);
        let batch = cache.read_batch(&mut ValueReader::new(&self.batch(events))).unwrap();
        cache.apply(batch)
    }

    fn reload(&mut self, cache: &mut Cache) -> Vec<Change> {
        self.events.clear();
        for (which, value) in self.objects.clone() {
            self.tell("add", which, Some(value));
        }
        let events = core::mem::take(&mut self.events);
        let batch = cache.read_batch(&mut ValueReader::new(&self.batch(events))).unwrap();
        cache.replace(batch, &|_| true)
    }

    fn counts(&self) -> Vec<(String, i64)> {
        let count = |class| self.objects.keys().filter(|(of, _)| *of == class).count();
        (0..2).map(|class| (CLASSES[class].into(), i64::try_from(count(class)).unwrap())).collect()
    }
}

fn cache() -> Cache {
    let mut cache = Cache::new();
    cache.track::<VM>();
    cache.track::<VLAN>();
    cache
}

/// What the index says of a relation is what a look at every object says.
fn relations(cache: &Cache) -> Result<(), TestCaseError> {
    for content in 0..4 {
        let pif = Ref::<PIF>::new(["OpaqueRef:p", &content.to_string()].concat());
        let scanned = cache.iter::<VLAN>().filter(|(_, vlan)| vlan.tagged_pif == pif).map(|(it, _)| it);
        let found = cache.related(pif::fields::VLAN_SLAVE_OF, &pif).map(|(it, _)| it);
        prop_assert_eq!(found.collect::<Vec<_>>(), scanned.collect::<Vec<_>>());
    }
    Ok(())
}

/// Objects of a class by reference, and what each uuid leads to.
fn uuids<C: Class>(cache: &Cache, uuid: impl Fn(&C::Record) -> &Uuid) -> Result<(), TestCaseError> {
    for number in 0..4 {
        let text = ["u", &number.to_string()].concat();
        let first = cache.iter::<C>().find(|(_, record)| uuid(record).as_str() == text).map(|(reference, _)| reference);
        prop_assert_eq!(cache.by_uuid::<C>(&text).map(|(reference, _)| reference), first);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn events_and_full_loads_lead_to_the_same(happenings in prop::collection::vec(happening(), 0..60)) {
        let (mut server, mut live) = (Server::default(), cache());
        server.reload(&mut live);
        for happening in happenings {
            let revision = live.total_revision();
            let (held, mut changes) = (live.snapshot(), Vec::new());
            let before = live.iter::<VM>().map(|(it, record)| (it, record.clone())).collect::<Vec<_>>();
            match happening {
                Happening::Is { class, object, uuid, content } => server.set((class, object), record(class, uuid, content)),
                Happening::IsWrong { class, object } => server.set((class, object), wrong()),
                Happening::Gone { class, object } => server.remove((class, object)),
                Happening::Answered => changes = server.answer(&mut live),
                Happening::Reloaded => changes = server.reload(&mut live),
            }
            // Changes tell the whole difference between two snapshots, and each object that is different once or more.
            let differences = held.differences_to(&live);
            for difference in &differences {
                let same = |it: &&Change| it.class == difference.class && it.reference == difference.reference;
                let told = changes.iter().filter(same).fold(FieldSet::EMPTY, |all, it| all.union(it.fields));
                prop_assert!(difference.fields.iter().all(|at| told.contains(at)), "{:?} {:?}", difference, changes);
            }
            let after = live.iter::<VM>().map(|(it, record)| (it, record.clone())).collect::<Vec<_>>();
            prop_assert!(before == after || live.total_revision() > revision, "a change without a new revision");
        }
        server.answer(&mut live);
        prop_assert_eq!(live.drift(&server.counts()), None);

        let mut fresh = cache();
        server.reload(&mut fresh);
        prop_assert_eq!(live.differences_to(&fresh), vec![]);
        let wrong = |cache: &Cache| cache.wrong().map(|(class, it, _)| (class, it.clone())).collect::<Vec<_>>();
        prop_assert_eq!(wrong(&live), wrong(&fresh));
        relations(&live)?;
        uuids::<VM>(&live, |record| &record.uuid)?;
        uuids::<VLAN>(&live, |record| &record.uuid)?;
    }
}
