//! What is found, and in which order.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::{Ref, Uuid};
use xenapi_model::vm::VmPowerState;
use xenapi_model::{Network, PIF, VIF, VM, VMGuestMetrics, network, pif, vif, vm};

use super::*;
use crate::route::{Kind, View};
use crate::tests::{cache, guest, vm as a_vm};
use crate::theme::Theme;

fn pool() -> Cache {
    let mut cache = cache();
    cache.insert(Ref::<VMGuestMetrics>::new("g-db"), guest(&[("0/ip", "192.168.7.4")]));
    let tagged = vm::Record { tags: ["production".into()].into(), ..a_vm("mail", VmPowerState::Running, "h1") };
    cache.insert(Ref::<VM>::new("v4"), vm::Record { name_description: "the web of letters".into(), ..tagged });
    let network =
        network::Record { uuid: Uuid::new("net-1"), name_label: "DMZ".into(), bridge: "xapi7".into(), ..Default::default() };
    cache.insert(Ref::<Network>::new("n1"), network);
    let pif = pif::Record {
        uuid: Uuid::new("pif-1"),
        device: "eth1".into(),
        vlan: 120,
        host: Ref::new("h1"),
        ..Default::default()
    };
    cache.insert(Ref::<PIF>::new("pif1"), pif);
    let vif = vif::Record {
        uuid: Uuid::new("vif-1"),
        device: "0".into(),
        mac: "aa:bb:cc:00:11:22".into(),
        vm: Ref::new("v1"),
        ..Default::default()
    };
    cache.insert(Ref::<VIF>::new("vif1"), vif);
    cache
}

fn index(cache: &Cache) -> Index {
    let mut index = Index::new();
    while index.update(cache, 3) {}
    index
}

fn titles(typed: &str) -> Vec<String> {
    let cache = pool();
    let choices = search(&cache, &index(&cache), typed, None);
    choices.into_iter().filter(|choice| matches!(choice.what, What::Object(..))).map(|choice| choice.title).collect()
}

fn first(typed: &str) -> String {
    titles(typed).into_iter().next().unwrap_or_default()
}

#[test]
fn whatever_people_know_of_an_object_finds_it() {
    for (typed, expected) in [
        ("web 10", "web 10"),
        ("WEB", "Web 2"),
        ("10", "web 10"),
        ("192.168.7.4", "db"),
        ("168.7", "db"),
        ("aa:bb:cc:00:11:22", "VIF 0"),
        ("vlan 120", "eth1.120"),
        ("production", "mail"),
        ("letters", "mail"),
        ("xapi7", "DMZ"),
        ("uuid-db", "db"),
        ("10.0.0.1", "host 1"),
        ("nfs", "NFS"),
        ("mial", "mail"),
        ("wb10", "web 10"),
        ("west", "West"),
    ] {
        assert_eq!(first(typed), expected, "{typed}: {:?}", titles(typed));
    }
    assert!(titles("zzzzzz").is_empty());
    assert!(titles("  ").is_empty());
}

#[test]
fn the_whole_comes_before_its_beginning_and_that_before_the_rest() {
    let mut cache = Cache::new();
    cache.track_console();
    for name in ["web", "web-1", "my web", "cobweb", "wbe", "other"] {
        let record = vm::Record {
            name_description: if name == "other" { "a web" } else { "" }.into(),
            ..a_vm(name, VmPowerState::Halted, "OpaqueRef:NULL")
        };
        cache.insert(Ref::<VM>::new(name), record);
    }
    let found = search(&cache, &index(&cache), "web", None);
    let names: Vec<&str> =
        found.iter().filter(|it| matches!(it.what, What::Object(..))).map(|it| it.title.as_str()).collect();
    assert_eq!(names, ["web", "web-1", "my web", "cobweb", "other"]);
}

#[test]
fn choices_say_where_they_are_and_what_was_found() {
    let cache = pool();
    let one = |typed: &str| {
        search(&cache, &index(&cache), typed, None).into_iter().find(|it| matches!(it.what, What::Object(..))).unwrap()
    };
    let db = one("192.168.7");
    assert_eq!((db.note.as_str(), db.state, db.group), ("host 1 · address: 192.168.7.4", Some(State::Paused), Text::Vms));
    assert_eq!(one("aa:bb").note, "web 10 · MAC: aa:bb:cc:00:11:22");
    assert_eq!(one("debian").group, Text::Templates);
}

#[test]
fn a_reference_or_uuid_names_what_is_not_searched_by_name() {
    let mut cache = pool();
    let uuid = "0b1a7c1e-0000-4000-8000-000000000001";
    let record =
        xenapi_model::vbd::Record { uuid: Uuid::new(uuid), vm: Ref::new("v1"), device: "xvda".into(), ..Default::default() };
    cache.insert(Ref::<VBD>::new("OpaqueRef:9"), record);
    for typed in ["OpaqueRef:9", uuid, &uuid.to_uppercase()] {
        let found = search(&cache, &index(&cache), typed, None);
        assert_eq!((found[0].title.as_str(), found[0].note.as_str()), ("xvda", "web 10"), "{typed}");
    }
}

#[test]
fn things_to_do_are_found_by_their_words() {
    let cache = pool();
    let index = index(&cache);
    let selected = Object { class: "host", reference: RawRef::from("h1") };
    let acts = |typed: &str| -> Vec<Act> {
        let found = search(&cache, &index, typed, Some(&selected));
        found
            .into_iter()
            .filter_map(|it| match it.what {
                What::Act(act) => Some(act),
                What::Object(..) => None,
            })
            .collect()
    };
    assert!(acts("dark").contains(&Act::Theme(Theme::Dark)));
    assert!(acts("snapshots").contains(&Act::Show(View::Table(Kind::Snapshots))));
    assert_eq!(acts("log out"), [Act::LogOut]);
    assert!(acts("fails").contains(&Act::Impact("host/host-1".into())));
    assert!(acts("copy uuid").contains(&Act::CopyUuid("host-1".into())));
    // Before anything is typed, all of it is offered.
    let offered = idle(&cache, &Recent::default(), Some(&selected));
    assert!(offered.iter().any(|it| it.what == What::Act(Act::LogOut)));
}

#[test]
fn what_was_chosen_comes_first_the_next_time() {
    let cache = pool();
    let vm = search(&cache, &index(&cache), "db", None).into_iter().find(|it| it.title == "db").unwrap();
    let recent = Recent::default().with(&vm.what).with(&What::Act(Act::LogOut)).with(&vm.what);
    let read = Recent::parse(&recent.write());
    assert_eq!(read, recent);
    let offered: Vec<String> =
        idle(&cache, &read, None).into_iter().take_while(|it| it.group == Text::PaletteRecent).map(|it| it.title).collect();
    assert_eq!(offered, ["db".to_string(), "Log out".to_string()]);
    // What is gone is not offered, and nothing that was kept makes it fail.
    assert_eq!(
        idle(&cache, &Recent::parse("VM/gone\nnonsense\nact/none\n/\n"), None)
            .iter()
            .filter(|it| it.group == Text::PaletteRecent)
            .count(),
        0
    );
    let many = (0..20).fold(Recent::default(), |recent, at| recent.with(&What::Act(Act::CopyUuid(at.to_string()))));
    assert_eq!(many.iter().count(), 6);
}

#[test]
fn an_index_kept_up_to_date_is_one_made_anew() {
    let mut cache = pool();
    let mut kept = index(&cache);
    cache.insert(Ref::<VM>::new("v2"), a_vm("renamed", VmPowerState::Running, "h1"));
    cache.remove(&Ref::<VM>::new("v3"));
    cache.insert(Ref::<VMGuestMetrics>::new("g-web-10"), guest(&[("0/ip", "10.9.9.9")]));
    while kept.update(&cache, 1) {}
    let fresh = index(&cache);
    assert_eq!(kept.len(), fresh.len());
    for typed in ["renamed", "web", "db", "10.9.9.9", "192.168", "h1", "e"] {
        assert_eq!(search(&cache, &kept, typed, None), search(&cache, &fresh, typed, None), "{typed}");
    }
    let generation = kept.generation();
    assert!(!kept.update(&cache, 1), "nothing is left to do");
    assert_eq!(kept.generation(), generation);
}

#[test]
fn what_changes_while_it_is_made_is_found_afterwards() {
    let mut cache = pool();
    let mut kept = Index::new();
    assert!(kept.update(&cache, 1));
    cache.insert(Ref::<VM>::new("v2"), a_vm("renamed", VmPowerState::Running, "h1"));
    cache.remove(&Ref::<VM>::new("v1"));
    kept.update(&cache, 2);
    cache.insert(Ref::<VM>::new("v9"), a_vm("added", VmPowerState::Running, "h1"));
    cache.insert(Ref::<VM>::new("v9"), a_vm("added twice", VmPowerState::Running, "h1"));
    while kept.update(&cache, 1) {}
    let fresh = index(&cache);
    assert_eq!(kept.len(), fresh.len());
    for typed in ["renamed", "web", "added", "twice", "v1"] {
        assert_eq!(search(&cache, &kept, typed, None), search(&cache, &fresh, typed, None), "{typed}");
    }
}

#[test]
fn the_best_of_many_are_the_same_as_of_few() {
    let mut cache = Cache::new();
    cache.track_console();
    for at in 0..1_000 {
        let name = alloc::format!("vm-{at}");
        cache.insert(Ref::<VM>::new(name.as_str()), a_vm(&name, VmPowerState::Halted, "OpaqueRef:NULL"));
    }
    let names = |typed: &str| -> Vec<String> {
        let found = search(&cache, &index(&cache), typed, None);
        found.into_iter().filter(|it| matches!(it.what, What::Object(..))).map(|it| it.title).take(3).collect()
    };
    assert_eq!(names("vm-"), ["vm-0", "vm-1", "vm-2"]);
    assert_eq!(names("v"), ["vm-0", "vm-1", "vm-2"]);
    assert_eq!(names("vm-99"), ["vm-99", "vm-990", "vm-991"]);
}
