//! The tree, the details, the table beside the drawing.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::{RawRef, Ref};
use xenapi_model::vm::VmPowerState;
use xenapi_model::{Bond, Host, PBD, SR, VM};
use xenapi_topology::State;

use super::{cache, forget_all_but, vm};
use crate::object::Object;
use crate::select::{
    Cell, Details, OF_TREE, Toggled, TreeRow, details, find, flatten, is_known, name_of, reveal, stamp, tree, uuid_of,
};
use crate::text::Text;

fn object(class: &'static str, reference: &str) -> Object {
    Object { class, reference: RawRef::from(reference) }
}

fn rows(cache: &Cache, toggled: &Toggled) -> Vec<TreeRow> {
    flatten(&tree(cache), toggled)
}

fn outline(rows: &[TreeRow]) -> Vec<String> {
    rows.iter().map(|row| [&"  ".repeat(row.level - 1), row.label.as_str()].concat()).collect()
}

#[test]
fn the_tree_shows_where_everything_is() {
    let rows = rows(&cache(), &Toggled::new());
    let expected = [
        "West",
        "  host 1",
        "    db",
        "    web 10",
        "  host 2",
        "  Not running",
        "    Web 2",
        "Storage",
        "  NFS",
        "Networks",
        "Templates",
    ];
    assert_eq!(outline(&rows), expected);
    let host = &rows[1];
    assert_eq!((host.note.as_str(), host.state, host.open), ("2", Some(State::Running), Some(true)));
    assert_eq!((host.place, host.siblings, host.parent.as_str()), (1, 3, "p"));
    assert_eq!(rows[4].state, Some(State::Failed), "a host whose metrics are not live is down");
    assert_eq!(rows[8].note, "50 %");
    let templates = ["templates".to_string()].into();
    let opened = flatten(&tree(&cache()), &templates);
    let template = opened.last().expect("it is open");
    assert_eq!((template.label.as_str(), template.level, template.state), ("Debian", 2, None));
    let shown = |object: &Object| details(&cache(), object).map(|details| details.is_shown());
    assert_eq!(template.object.as_ref().and_then(shown), Some(false), "no view has it");
    assert_eq!(shown(&object("VM", "v1")), Some(true));
}

#[test]
fn closed_entries_hide_what_is_below_and_can_be_opened_for_it() {
    let cache = cache();
    let toggled: Toggled = ["h1".to_string(), "p".to_string()].into();
    assert_eq!(outline(&rows(&cache, &toggled)), ["West", "Storage", "  NFS", "Networks", "Templates"]);
    let hidden = reveal(&tree(&cache), &object("VM", "v1"), &toggled);
    assert_eq!(hidden, ["p", "h1"]);
    assert!(reveal(&tree(&cache), &object("VM", "v2"), &Toggled::new()).is_empty());
    assert!(reveal(&tree(&cache), &object("VM", "nowhere"), &toggled).is_empty());
}

#[test]
fn what_was_not_recorded_is_called_unknown_in_the_tree() {
    let mut cache = cache();
    forget_all_but(&mut cache, "pool,VM");
    for host in ["h1", "h2"] {
        cache.remove(&Ref::<Host>::new(host));
    }
    cache.remove(&Ref::<SR>::new("s1"));
    let rows = rows(&cache, &Toggled::new());
    let expected =
        ["West", "  Host unknown", "    db", "    web 10", "  Not running", "    Web 2", "Storage", "Networks", "Templates"];
    assert_eq!(outline(&rows), expected);
    assert_eq!((rows[6].note.as_str(), rows[7].note.as_str()), ("unknown", "unknown"));
    assert!(is_known::<VM>(&cache) && !is_known::<SR>(&cache));
}

#[test]
fn large_pools_start_closed() {
    let mut cache = cache();
    for at in 0..300 {
        let name = ["vm ", &at.to_string()].concat();
        cache.insert(Ref::<VM>::new(name.clone()), vm(&name, VmPowerState::Running, "h1"));
    }
    let rows = rows(&cache, &Toggled::new());
    assert_eq!(rows[1].open, Some(false));
    assert!(rows.len() < 20);
}

#[test]
fn an_empty_cache_is_no_reason_to_panic() {
    let cache = Cache::new();
    assert_eq!(outline(&rows(&cache, &Toggled::new())), ["Pool", "  Not running", "Storage", "Networks"]);
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
