#![allow(clippy::unwrap_used)]

use alloc::vec;

use xenapi_core::{Ref, Uuid};
use xenapi_model::{Host, PBD, SR, VBD, VDI, VM, host, pbd, sr, vbd, vdi, vm};

use super::*;

fn vbd(vm: &str, vdi: Option<&str>) -> vbd::Record {
    vbd::Record { vm: Ref::new(vm), vdi: vdi.map(Ref::new), ..Default::default() }
}

fn names<C: Class>(found: impl Iterator<Item = (Ref<C>, impl Sized)>) -> Vec<alloc::string::String> {
    found.map(|(reference, _)| reference.as_str().into()).collect()
}

#[test]
fn a_snapshot_stays_while_the_cache_goes_on() {
    let mut cache = Cache::new();
    let one = Ref::<VM>::new("OpaqueRef:1");
    cache.insert(one.clone(), vm::Record { name_label: "one".into(), ..Default::default() });
    cache.insert(Ref::<SR>::new("OpaqueRef:s"), sr::Record::default());
    let before = cache.snapshot();
    cache.insert(one.clone(), vm::Record { name_label: "uno".into(), ..Default::default() });
    cache.insert(Ref::<VM>::new("OpaqueRef:2"), vm::Record::default());
    assert_eq!((before.get(&one).unwrap().name_label.as_str(), before.count::<VM>()), ("one", 1));
    assert_eq!((cache.get(&one).unwrap().name_label.as_str(), cache.count::<VM>()), ("uno", 2));
    assert!(cache.revision::<VM>() > before.revision::<VM>());

    let told: Vec<_> = before.differences_to(&cache).into_iter().map(|it| (it.reference, it.operation)).collect();
    assert_eq!(told, [("OpaqueRef:1".into(), Operation::Modified), ("OpaqueRef:2".into(), Operation::Added)]);
    assert_eq!(cache.snapshot().differences_to(&cache), []);

    let mut again = Cache::from(before.clone());
    again.remove(&one);
    assert!(again.get(&one).is_none() && before.get(&one).is_some() && cache.get(&one).is_some());
}

#[test]
fn a_change_names_the_fields_that_changed() {
    let mut cache = Cache::new();
    let this = Ref::<VM>::new("OpaqueRef:1");
    cache.insert(this.clone(), vm::Record { name_label: "one".into(), memory_target: 1, ..Default::default() });
    let before = cache.snapshot();
    cache.insert(this.clone(), vm::Record { name_label: "one".into(), memory_target: 2, ..Default::default() });
    let changes = before.differences_to(&cache);
    let [change] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!(change.fields.of(VM::DESC).map(|field| field.name).collect::<Vec<_>>(), ["memory_target"]);
    assert_eq!((change.of::<VM>(), change.of::<Host>()), (Some(this), None));
    assert!(change.touches(vm::fields::MEMORY_TARGET) && !change.touches(vm::fields::NAME_LABEL));
    assert!(!change.touches(host::fields::NAME_LABEL) && !change.fields.has_unknown());
}

#[test]
fn relations_are_followed_from_either_end_and_through_changes() {
    let mut cache = Cache::new();
    cache.track::<VM>();
    let (vm, other, disk) =
        (Ref::<VM>::new("OpaqueRef:vm"), Ref::<VM>::new("OpaqueRef:vm2"), Ref::<VDI>::new("OpaqueRef:d"));
    cache.insert(Ref::<VBD>::new("OpaqueRef:b2"), vbd(vm.as_str(), Some("OpaqueRef:d")));
    cache.insert(Ref::<VBD>::new("OpaqueRef:b1"), vbd(vm.as_str(), None));
    assert_eq!(names(cache.related(vm::fields::VBDS, &vm)), ["OpaqueRef:b1", "OpaqueRef:b2"]);
    assert_eq!(names(cache.related(vdi::fields::VBDS, &disk)), ["OpaqueRef:b2"]);
    assert_eq!(names(cache.related(vm::fields::VBDS, &other)), [""; 0]);
    let (class, found) = cache.related_to("vm", "VBDs", vm.raw()).unwrap();
    assert_eq!((class.name, found), ("VBD", vec!["OpaqueRef:b1".into(), "OpaqueRef:b2".into()]));

    let held = cache.snapshot();
    cache.insert(Ref::<VBD>::new("OpaqueRef:b2"), vbd(other.as_str(), None));
    cache.remove(&Ref::<VBD>::new("OpaqueRef:b1"));
    assert_eq!(names(cache.related(vm::fields::VBDS, &vm)), [""; 0]);
    assert_eq!(names(cache.related(vm::fields::VBDS, &other)), ["OpaqueRef:b2"]);
    assert_eq!(names(cache.related(vdi::fields::VBDS, &disk)), [""; 0]);
    assert_eq!(names(held.related(vm::fields::VBDS, &vm)), ["OpaqueRef:b1", "OpaqueRef:b2"]);

    // A field that is no computed side: what it holds, as far as it is there.
    cache.insert(other.clone(), vm::Record::default());
    assert_eq!(cache.related_to("VBD", "VM", &"OpaqueRef:b2".into()).unwrap().1, [other.raw().clone()]);
    assert!(cache.related_to("VBD", "VDI", &"OpaqueRef:b2".into()).is_none(), "VDIs are not tracked");
    assert!(cache.related_to("VBD", "device", &"OpaqueRef:b2".into()).is_none());
}

#[test]
fn references_and_uuids_lead_to_each_other() {
    let mut cache = Cache::new();
    let uuid = "0a1b2c3d-0000-1111-2222-333344445555";
    let this = Ref::<PBD>::new("OpaqueRef:p");
    cache.insert(this.clone(), pbd::Record { uuid: Uuid::new(uuid), ..Default::default() });
    assert_eq!(cache.reference_of("pbd", uuid).unwrap(), *this.raw());
    assert_eq!(cache.uuid_of("PBD", this.raw()).unwrap().as_str(), uuid);
    assert!(cache.reference_of("VM", uuid).is_none() && cache.reference_of("PBD", "x").is_none());

    // After a restore of the database the same object has another reference.
    let mut later = Cache::new();
    let theirs = Ref::<PBD>::new("OpaqueRef:q");
    later.insert(theirs.clone(), pbd::Record { uuid: Uuid::new(uuid), ..Default::default() });
    later.insert(Ref::<PBD>::new("OpaqueRef:r"), pbd::Record::default());
    assert!(cache.is_same_object(&this, &later, &theirs));
    assert!(!cache.is_same_object(&this, &later, &this));
    let blank = Ref::<PBD>::new("OpaqueRef:r");
    assert!(!later.is_same_object(&blank, &later, &blank), "without a uuid nobody can tell");
}
