//! The tree, grouped, filtered, opened.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::{RawRef, Ref};
use xenapi_model::vm::VmPowerState;
use xenapi_model::{Host, SR, VM, vm as vms};
use xenapi_topology::State;

use super::*;
use crate::select::is_known;
use crate::tests::{cache, forget_all_but, vm};

fn object(class: &'static str, reference: &str) -> Object {
    Object { class, reference: RawRef::from(reference) }
}

fn rows(cache: &Cache, toggled: &Toggled) -> Vec<TreeRow> {
    tree(cache, &Look { toggled: toggled.clone(), ..Look::default() })
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
    let mut own = cache();
    let nfs = own.get(&Ref::<SR>::new("s1")).unwrap();
    let local = xenapi_model::sr::Record { shared: false, name_label: "Local storage".into(), ..(**nfs).clone() };
    own.insert(Ref::<SR>::new("s1"), xenapi_model::sr::Record { content_type: "iso".into(), ..local });
    let local = &self::rows(&own, &Toggled::new())[8];
    assert_eq!((local.label.as_str(), local.note.as_str()), ("Local storage on host 1", ""), "and images fill nothing");
    let templates = ["templates".to_string()].into();
    let opened = self::rows(&cache(), &templates);
    let template = opened.last().expect("it is open");
    assert_eq!((template.label.as_str(), template.level, template.state), ("Debian", 2, None));
}

#[test]
fn closed_entries_hide_what_is_below_and_can_be_opened_for_it() {
    let cache = cache();
    let toggled: Toggled = ["h1".to_string(), "p".to_string()].into();
    assert_eq!(outline(&rows(&cache, &toggled)), ["West", "Storage", "  NFS", "Networks", "Templates"]);
    let look = Look { toggled, ..Look::default() };
    let hidden = reveal(&cache, &object("VM", "v1"), &look);
    assert_eq!(hidden, ["p", "h1"]);
    assert!(reveal(&cache, &object("VM", "v2"), &Look::default()).is_empty());
    assert!(reveal(&cache, &object("VM", "nowhere"), &look).is_empty());
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
}

fn look(by: Grouping, filter: &str) -> Look {
    Look { by, filter: filter.into(), ..Look::default() }
}

#[test]
fn a_filter_shows_what_has_its_words_and_what_that_is_in() {
    let cache = cache();
    assert_eq!(
        outline(&tree(&cache, &look(Grouping::Places, "WEB"))),
        ["West", "  host 1", "    web 10", "  Not running", "    Web 2"]
    );
    // A host that is looked for keeps what is on it.
    assert_eq!(outline(&tree(&cache, &look(Grouping::Places, "host 1"))), ["West", "  host 1", "    db", "    web 10"]);
    // What is folded away by itself opens.
    assert_eq!(outline(&tree(&cache, &look(Grouping::Places, "deb"))), ["Templates", "  Debian"]);
    assert!(tree(&cache, &look(Grouping::Places, "nothing like it")).is_empty());
}

#[test]
fn by_tag_each_thing_stands_in_all_its_groups() {
    let mut cache = cache();
    let tagged =
        vms::Record { tags: ["web".to_string(), "prod 2".to_string()].into(), ..vm("a", VmPowerState::Running, "h1") };
    cache.insert(Ref::<VM>::new("a"), tagged);
    let host = cache.get(&Ref::<Host>::new("h1")).unwrap().as_ref().clone();
    cache.insert(Ref::<Host>::new("h1"), xenapi_model::host::Record { tags: ["prod 2".to_string()].into(), ..host });
    let rows = tree(&cache, &look(Grouping::Tags, ""));
    assert_eq!(outline(&rows), ["prod 2", "  a", "  host 1", "web", "  a", "Untagged"]);
    let keys: BTreeSet<&str> = rows.iter().map(|row| row.key.as_str()).collect();
    assert_eq!(keys.len(), rows.len(), "an entry is told from the same object's in another group");
    assert_eq!(rows[5].note, "3");
}

#[test]
fn folders_stand_in_folders() {
    let mut cache = cache();
    for (name, folder) in [("a", "/prod/web"), ("b", "prod"), ("c", "/"), ("d", "/lab")] {
        let other_config = [("folder".to_string(), folder.to_string())].into_iter().collect();
        cache.insert(Ref::<VM>::new(name), vms::Record { other_config, ..vm(name, VmPowerState::Halted, "OpaqueRef:NULL") });
    }
    let expected = ["lab", "  d", "prod", "  web", "    a", "  b", "Without folder"];
    assert_eq!(outline(&tree(&cache, &look(Grouping::Folders, ""))), expected);
    let closed = Look { toggled: ["folder:/prod".to_string()].into(), ..look(Grouping::Folders, "") };
    assert_eq!(reveal(&cache, &object("VM", "a"), &closed), ["folder:/prod"]);
}

#[test]
fn states_are_groups_in_their_own_order() {
    let rows = tree(&cache(), &look(Grouping::States, ""));
    assert_eq!(outline(&rows), ["running", "  web 10", "halted", "  Web 2", "paused", "  db"]);
    assert_eq!(rows[0].state, Some(State::Running));
}
