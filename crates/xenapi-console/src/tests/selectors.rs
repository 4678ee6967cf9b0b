//! The tree, the details, the table beside the drawing.

use xenapi_client::Cache;
use xenapi_core::{RawRef, Ref};
use xenapi_model::{Bond, PBD, VM};
use xenapi_topology::State;

use super::{cache, forget_all_but};
use crate::object::Object;
use crate::select::{Cell, Details, details, find, name_of, stamp, uuid_of};
use crate::text::Text;
use crate::tree::OF_TREE;

fn object(class: &'static str, reference: &str) -> Object {
    Object { class, reference: RawRef::from(reference) }
}

#[test]
fn an_empty_cache_is_no_reason_to_panic() {
    let cache = Cache::new();
    assert_eq!(details(&cache, &object("VM", "v1")), None);
}

fn fact(details: &Details, label: Text) -> &Cell {
    &details.facts.iter().find(|fact| fact.label == label).unwrap().value
}

#[test]
fn details_say_what_an_object_is_and_what_belongs_to_it() {
    let cache = cache();
    let web = details(&cache, &object("VM", "v1")).unwrap();
    assert_eq!((web.title.as_str(), web.state), ("web 10", Some(State::Running)));
    assert_eq!(fact(&web, Text::Host).show(), "host 1");
    assert_eq!(fact(&web, Text::Memory).show(), "2 GiB");
    assert_eq!(fact(&web, Text::Uuid).show(), "uuid-web-10");
    let disks = web.related.iter().find(|related| related.title == Text::Disks).unwrap();
    assert_eq!((disks.links[0].name.as_str(), disks.links[0].note.as_str(), disks.count), ("disk", "8 GiB", 1));

    let host = details(&cache, &object("host", "h1")).unwrap();
    assert_eq!(fact(&host, Text::Memory).show(), "48 GiB of 64 GiB");
    let sr = details(&cache, &object("SR", "s1")).unwrap();
    assert_eq!((sr.state, fact(&sr, Text::Used).show()), (Some(State::Running), "512 GiB of 1 TiB"));
    assert_eq!(details(&cache, &object("VM", "gone")), None);
    assert_eq!(details(&cache, &object("blob", "v1")), None);
}

#[test]
fn details_keep_secrets_to_themselves() {
    let told = alloc::format!("{:?}", details(&cache(), &object("PBD", "pbd1")).unwrap());
    assert!(told.contains("10.0.0.9") && !told.contains("hunter2"), "{told}");
}

#[test]
fn details_of_a_partial_pool_are_unknown() {
    let mut cache = cache();
    forget_all_but(&mut cache, "pool,VM,SR");
    cache.remove(&Ref::<PBD>::new("pbd1"));
    let web = details(&cache, &object("VM", "v1")).unwrap();
    assert_eq!(fact(&web, Text::Addresses), &Cell::Unknown);
    let disks = web.related.iter().find(|related| related.title == Text::Disks).unwrap();
    assert!(!disks.known);
    assert_eq!(details(&cache, &object("SR", "s1")).unwrap().state, Some(State::Unknown));
}

#[test]
fn objects_are_found_by_their_lasting_identity() {
    let cache = cache();
    let found = find(&cache, "VM", "uuid-web-2").unwrap();
    assert_eq!(found, object("VM", "v2"));
    assert_eq!(uuid_of(&cache, &found).as_deref(), Some("uuid-web-2"));
    assert_eq!(name_of(&cache, "host", &RawRef::from("h2")).as_deref(), Some("host 2"));
    assert_eq!(find(&cache, "VM", "host-1"), None);
    assert_eq!(find(&cache, "secret", "uuid-web-2"), None);
}

#[test]
fn stamps_change_with_their_classes_only() {
    let mut cache = cache();
    let before = stamp(&cache, OF_TREE);
    cache.insert(Ref::<Bond>::new("b"), Default::default());
    assert_eq!(stamp(&cache, OF_TREE), before);
    cache.insert(Ref::<VM>::new("v9"), Default::default());
    assert_ne!(stamp(&cache, OF_TREE), before);
}
