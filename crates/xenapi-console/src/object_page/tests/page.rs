//! What pages are about, and what they list.

use alloc::string::ToString;
use alloc::vec::Vec;

use xenapi_core::Ref;
use xenapi_model::{Bond, Host, Network, PIF, Pool as PoolClass, SR, VDI, VM, VmKind};
use xenapi_topology::Lens;

use super::pool::{Pool, change, find_vm};
use crate::object::Object;
use crate::object_page::around::around;
use crate::object_page::page::{Located, impact, locate, table_of, topology};
use crate::object_page::paths::data_paths;
use crate::object_page::tables::{Table, tables};
use crate::route::{Kind, Named, View};

fn named(class: &str, uuid: &str) -> Named {
    Named { class: class.into(), uuid: uuid.into() }
}

fn table<'a>(tables: &'a [Table], id: &str) -> &'a Table {
    tables.iter().find(|table| table.id == id).unwrap_or_else(|| panic!("no {id} in {tables:?}"))
}

#[test]
fn addresses_find_their_objects_or_say_why_not() {
    let cache = Pool::new(2, 4).cache();
    let (vm, record) = cache.iter::<VM>().next().unwrap();
    let here = Located::Here(Object::of(&vm));
    assert_eq!(locate(&cache, &named("VM", record.uuid.as_str())), here);
    assert_eq!(locate(&cache, &named("vm", &record.uuid.as_str().to_uppercase())), here, "people type");
    assert_eq!(locate(&cache, &named("VM", vm.as_str())), here, "a reference will do");
    assert_eq!(locate(&cache, &named("host", record.uuid.as_str())), Located::Missing("host"));
    assert_eq!(locate(&cache, &named("PGPU", "x")), Located::AtServer("PGPU"));
    assert_eq!(locate(&cache, &named("elephant", "x")), Located::NoClass);
    assert_eq!(locate(&cache, &named("VM", "OpaqueRef:NULL")), Located::Missing("VM"));
}

#[test]
fn objects_know_where_else_they_are_seen() {
    let cache = Pool::new(2, 4).cache();
    let (host, record) = cache.iter::<Host>().next().unwrap();
    let object = Object::of(&host);
    let route = impact(&cache, &object, Some("p".into())).unwrap();
    assert_eq!(route.path(), ["#/pools/p/impact?fail=host%2F", record.uuid.as_str()].concat());
    assert_eq!(topology(&cache, &object, None).unwrap().view, View::Topology(Lens::Compute));
    assert_eq!(table_of(&cache, &object), Some(Kind::Hosts));
    let (template, _) = cache.iter::<VM>().find(|(_, vm)| vm.kind() == VmKind::Template).unwrap();
    let template = Object::of(&template);
    assert_eq!((table_of(&cache, &template), impact(&cache, &template, None)), (Some(Kind::Templates), None));
    assert_eq!(topology(&cache, &template, None), None, "no lens draws templates");
    if let Some((bond, record)) = cache.iter::<Bond>().next() {
        let master = cache.get(&record.master).unwrap();
        let route = impact(&cache, &Object::of(&bond), None).unwrap();
        assert_eq!(route.query["fail"], ["PIF/", master.uuid.as_str()].concat());
    }
}

#[test]
fn a_vms_connectors_are_resolved_to_both_ends() {
    let cache = Pool::new(2, 8).cache();
    let vm = find_vm(&cache, |_, vm| !vm.vifs.is_empty() && vm.vbds.len() > 1);
    let record = cache.get(&vm).unwrap();
    let all = tables(&cache, &Object::of(&vm), 50);
    let disks = table(&all, "disks");
    assert_eq!((disks.count, disks.rows.len()), (record.vbds.len(), record.vbds.len()));
    assert!(disks.rows.iter().all(|row| row.cells.len() == disks.headings.len()));
    let srs: Vec<&str> = disks.rows.iter().map(|row| row.cells[3].text.as_str()).collect();
    assert!(cache.iter::<SR>().any(|(_, sr)| srs.contains(&sr.name_label.as_str())), "{srs:?}");
    let nics = table(&all, "interfaces");
    assert!(nics.rows.iter().all(|row| row.cells[1].link.is_some() && row.cells[2].text.contains(':')), "{nics:?}");
}

#[test]
fn snapshots_are_a_tree_whatever_the_records_say() {
    let mut cache = Pool::new(1, 2).cache();
    let vm = find_vm(&cache, |_, _| true);
    let record = (**cache.get(&vm).unwrap()).clone();
    let names = ["first", "second", "third"].map(|name| Ref::<VM>::new(["OpaqueRef:", name].concat()));
    for (at, reference) in names.iter().enumerate() {
        let parent = at.checked_sub(1).map(|before| names[before].clone());
        let snapshot = xenapi_model::vm::Record {
            name_label: ["s", &at.to_string()].concat(),
            is_a_snapshot: true,
            is_a_template: true,
            snapshot_of: Some(vm.clone()),
            parent,
            ..record.clone()
        };
        cache.insert(reference.clone(), snapshot);
    }
    change(&mut cache, &vm, |vm| (vm.snapshots, vm.parent) = (names.to_vec(), Some(names[2].clone())));
    let all = tables(&cache, &Object::of(&vm), 50);
    let depths: Vec<usize> = table(&all, "snapshots").rows.iter().map(|row| row.depth).collect();
    assert_eq!(depths, [0, 1, 2, 3], "the VM itself hangs on the last");
    // A ring, which no server should send, ends.
    change(&mut cache, &names[0], |first| first.parent = Some(names[2].clone()));
    let all = tables(&cache, &Object::of(&vm), 50);
    assert!(table(&all, "snapshots").rows.len() <= 4);
}

#[test]
fn long_lists_are_cut_and_say_where_the_rest_is() {
    let cache = Pool::new(2, 30).cache();
    let (sr, record) = cache.iter::<SR>().max_by_key(|(_, sr)| sr.vdis.len()).unwrap();
    let all = tables(&cache, &Object::of(&sr), 3);
    let vdis = table(&all, "vdis");
    assert_eq!((vdis.rows.len(), vdis.count), (3, record.vdis.len()));
    let mut whole = table(&tables(&cache, &Object::of(&sr), 10_000), "vdis").rows.clone();
    whole.truncate(3);
    assert_eq!(whole, vdis.rows, "the first ones are those that are first in all");
    let route = vdis.route(Some("p".into())).unwrap();
    assert_eq!(route.view, View::Table(Kind::Vdis));
    assert!(route.query["q"].contains(&record.name_label));
}

#[test]
fn every_object_has_tables_and_surroundings_that_fit() {
    let cache = Pool::new(3, 24).cache();
    let mut objects: Vec<Object> = Vec::new();
    objects.extend(cache.iter::<VM>().map(|(it, _)| Object::of(&it)));
    objects.extend(cache.iter::<Host>().map(|(it, _)| Object::of(&it)));
    objects.extend(cache.iter::<SR>().map(|(it, _)| Object::of(&it)));
    objects.extend(cache.iter::<VDI>().map(|(it, _)| Object::of(&it)));
    objects.extend(cache.iter::<Network>().map(|(it, _)| Object::of(&it)));
    objects.extend(cache.iter::<PIF>().map(|(it, _)| Object::of(&it)));
    objects.extend(cache.iter::<Bond>().map(|(it, _)| Object::of(&it)));
    objects.extend(cache.iter::<PoolClass>().map(|(it, _)| Object::of(&it)));
    for object in &objects {
        for table in tables(&cache, object, 20) {
            assert!(table.rows.iter().all(|row| row.cells.len() == table.headings.len()), "{object:?}: {table:?}");
            assert!(table.rows.len() <= table.count.max(1) + 1, "{object:?}");
        }
        let around = around(&cache, object);
        for kin in around.users.iter().chain(&around.needs) {
            assert_eq!(kin.cards.iter().map(|card| card.weight).sum::<usize>(), kin.count, "{object:?}: {kin:?}");
            assert!(kin.cards.len() <= 6, "{kin:?}");
        }
    }
}

#[test]
fn pages_say_the_same_of_lean_records() {
    let mut pool = Pool::new(3, 24);
    let (whole, lean) = (pool.cache(), pool.lean_cache());
    let mut objects: Vec<Object> = Vec::new();
    objects.extend(whole.iter::<VM>().map(|(it, _)| Object::of(&it)));
    objects.extend(whole.iter::<Host>().map(|(it, _)| Object::of(&it)));
    objects.extend(whole.iter::<SR>().map(|(it, _)| Object::of(&it)));
    objects.extend(whole.iter::<VDI>().map(|(it, _)| Object::of(&it)));
    objects.extend(whole.iter::<Network>().map(|(it, _)| Object::of(&it)));
    objects.extend(whole.iter::<PIF>().map(|(it, _)| Object::of(&it)));
    objects.extend(whole.iter::<PoolClass>().map(|(it, _)| Object::of(&it)));
    for object in &objects {
        assert_eq!(tables(&whole, object, 20), tables(&lean, object, 20), "{object:?}");
        assert_eq!(around(&whole, object), around(&lean, object), "{object:?}");
        assert_eq!(crate::select::details(&whole, object), crate::select::details(&lean, object), "{object:?}");
        if object.class == "VM" {
            let vm = object.reference.clone().typed();
            assert_eq!(data_paths(&whole, &vm, None), data_paths(&lean, &vm, None), "{object:?}");
        }
    }
}

#[test]
fn what_is_folded_away_is_well() {
    let mut cache = Pool::new(1, 24).cache();
    let (host, record) = cache.iter::<Host>().next().map(|(it, host)| (it, (**host).clone())).unwrap();
    // Of many storages the one that is broken stands first.
    let mut pbds = record.pbds.clone();
    for at in 0..12 {
        let sr = Ref::<SR>::new(["OpaqueRef:sr", &at.to_string()].concat());
        let pbd = Ref::<xenapi_model::PBD>::new(["OpaqueRef:pbd", &at.to_string()].concat());
        let attached = at != 11;
        let connection = xenapi_model::pbd::Record {
            host: host.clone(),
            sr: sr.clone(),
            currently_attached: attached,
            ..Default::default()
        };
        cache.insert(pbd.clone(), connection);
        let storage = xenapi_model::sr::Record {
            name_label: ["z", &at.to_string()].concat(),
            pbds: [pbd.clone()].into(),
            ..Default::default()
        };
        cache.insert(sr, storage);
        pbds.push(pbd);
    }
    change(&mut cache, &host, |host| host.pbds = pbds);
    let around = around(&cache, &Object::of(&host));
    let srs = around.needs.iter().find(|kin| kin.count >= 12).unwrap();
    assert_eq!(srs.cards[0].label, "z11 on host-01", "{srs:?}");
}
