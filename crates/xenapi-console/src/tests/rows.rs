//! The table of VMs.

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::Ref;
use xenapi_model::vm::VmPowerState;
use xenapi_model::{VM, VMGuestMetrics};
use xenapi_topology::State;

use super::{cache, forget_all_but, guest, vm};
use crate::select::{Cell, Column, Sort, VmRow, VmRows, arrange};

fn names(rows: &[Rc<VmRow>]) -> Vec<&str> {
    rows.iter().map(|row| row.name.as_str()).collect()
}

fn row<'a>(rows: &'a [Rc<VmRow>], name: &str) -> &'a Rc<VmRow> {
    rows.iter().find(|row| row.name == name).unwrap()
}

fn all(cache: &Cache) -> Rc<Vec<Rc<VmRow>>> {
    VmRows::default().update(cache)
}

#[test]
fn rows_are_vms_and_not_templates() {
    let rows = all(&cache());
    assert_eq!(names(&arrange(&rows, "", Sort::default())), ["db", "Web 2", "web 10"]);
    let web = row(&rows, "web 10");
    assert_eq!((web.state, &web.host, web.vcpus, web.memory), (State::Running, &Cell::Text("host 1".into()), 2, 2 << 30));
    assert_eq!(row(&rows, "Web 2").host, Cell::Nothing);
}

#[test]
fn columns_sort_both_ways_and_ties_by_name() {
    let rows = all(&cache());
    let sorted = |column, descending| {
        let rows = arrange(&rows, "", Sort { column, descending });
        rows.iter().map(|row| row.name.clone()).collect::<Vec<String>>()
    };
    assert_eq!(sorted(Column::Name, true), ["web 10", "Web 2", "db"]);
    assert_eq!(sorted(Column::State, false), ["web 10", "Web 2", "db"]);
    assert_eq!(sorted(Column::Vcpus, false), ["db", "Web 2", "web 10"]);
    // A host that is none stands at the end.
    assert_eq!(sorted(Column::Host, false), ["db", "web 10", "Web 2"]);
}

#[test]
fn every_word_of_the_filter_counts() {
    let mut cache = cache();
    cache.insert(Ref::<VMGuestMetrics>::new("g-db"), guest(&[("0/ip", "192.168.7.4")]));
    let rows = all(&cache);
    let found = |filter| names(&arrange(&rows, filter, Sort::default())).join(" ");
    assert_eq!(found("WEB"), "Web 2 web 10");
    assert_eq!(found("web halted"), "Web 2");
    assert_eq!(found("host 1 paused"), "db");
    assert_eq!(found("168.7"), "db");
    assert_eq!(found("  "), "db Web 2 web 10");
    assert_eq!(found("nothing like this"), "");
}

#[test]
fn addresses_come_once_ipv4_first_without_link_local_ones() {
    let mut cache = cache();
    let told = [
        ("0/ipv6/0", "2001:db8::1"),
        ("0/ipv6/1", "FE80::1"),
        ("1/ip", "10.0.0.20"),
        ("0/ip", "10.0.0.3"),
        ("0/ipv4/0", "10.0.0.3"),
        ("0/mac", "00:16:3e:00:00:01"),
    ];
    cache.insert(Ref::<VMGuestMetrics>::new("g-web-10"), guest(&told));
    assert_eq!(row(&all(&cache), "web 10").addresses.show(), "10.0.0.3, 10.0.0.20, 2001:db8::1");
}

#[test]
fn what_was_not_loaded_is_unknown_and_not_nothing() {
    let mut cache = cache();
    assert_eq!(row(&all(&cache), "web 10").addresses, Cell::Nothing);
    forget_all_but(&mut cache, "pool,VM");
    let rows = all(&cache);
    assert_eq!(row(&rows, "web 10").addresses, Cell::Unknown);
    assert_eq!(row(&rows, "web 10").host, Cell::Unknown);
    // That it runs nowhere is known.
    assert_eq!(row(&rows, "Web 2").host, Cell::Nothing);
}

#[test]
fn only_what_changed_is_made_anew() {
    let (mut cache, mut made) = (cache(), VmRows::default());
    let before = made.update(&cache);
    cache.insert(Ref::<VM>::new("v2"), vm("Web 2", VmPowerState::Running, "h1"));
    cache.remove(&Ref::<VM>::new("v3"));
    let after = made.update(&cache);
    assert!(Rc::ptr_eq(row(&before, "web 10"), row(&after, "web 10")));
    assert!(!Rc::ptr_eq(row(&before, "Web 2"), row(&after, "Web 2")));
    assert_eq!(row(&after, "Web 2").state, State::Running);
    assert_eq!(after.len(), 2);
}

#[test]
fn rows_made_step_by_step_are_those_made_at_once() {
    let (mut cache, mut made) = (cache(), VmRows::default());
    // A small generator of pseudo-random numbers, so that the sequence is the same on every machine.
    let mut seed = 7_u64;
    for _ in 0..300 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let pick = seed >> 33;
        let name = ["v1", "v2", "v3", "v4", "v5"][usize::try_from(pick % 5).unwrap()];
        match (pick / 5) % 4 {
            0 => {
                cache.remove(&Ref::<VM>::new(name));
            }
            1 => cache.insert(Ref::<VM>::new(name), vm(name, VmPowerState::Running, "h2")),
            2 => cache.insert(Ref::<VM>::new(name), vm(name, VmPowerState::Halted, "OpaqueRef:NULL")),
            _ => cache.insert(Ref::<VMGuestMetrics>::new(["g-", name].concat()), guest(&[("0/ip", "10.1.1.1")])),
        }
        assert_eq!(made.update(&cache), all(&cache));
    }
}
