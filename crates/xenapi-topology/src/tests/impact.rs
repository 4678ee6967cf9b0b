//! What stops if this fails?

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::{Class, Ref, TextMap};
use xenapi_model::{
    Bond, Host, HostMetrics, Network, PBD, PIF, PIFMetrics, Pool, SR, VBD, VDI, VIF, VLAN, VM, host, host_metrics, network,
    pbd, pif, pif_metrics, pool, sr, vbd, vdi, vif, vm,
};

use super::sample::{self, Dice, reference};
use crate::impact::{Affected, Component, Impact, Reason, Verdict, impact, single_points};

fn named<C: Class>(name: &str) -> Ref<C> {
    Ref::new(format!("OpaqueRef:{name}"))
}

/// Two hosts, each with a bond for management and VLAN 10, a NIC for storage, and a disk of its own; an NFS repository for both.
fn pool() -> Cache {
    let mut cache = Cache::new();
    cache.track_console();
    cache.insert::<Pool>(named("pool"), pool::Record { master: named("h1"), ..Default::default() });
    for (name, pifs) in [("net0", true), ("net10", true), ("storage", true), ("inside", false)] {
        let pifs = if pifs { vec![named("somewhere")] } else { Vec::new() };
        cache.insert::<Network>(named(name), network::Record { name_label: name.into(), pifs, ..Default::default() });
    }
    add_sr(&mut cache, "nfs");
    add_sr(&mut cache, "iso");
    for host in ["h1", "h2"] {
        add_host(&mut cache, host);
    }
    cache
}

fn add_sr(cache: &mut Cache, name: &str) {
    cache.insert::<SR>(named(name), sr::Record { name_label: name.into(), ..Default::default() });
}

fn add_host(cache: &mut Cache, name: &str) {
    let metrics = host_metrics::Record { live: true, memory_free: 64 << 30, ..Default::default() };
    cache.insert::<HostMetrics>(named(name), metrics);
    let record = host::Record { name_label: name.into(), enabled: true, metrics: named(name), ..Default::default() };
    cache.insert::<Host>(named(name), record);
    let local = format!("{name}-local");
    add_sr(cache, &local);
    let nfs = TextMap::from([("server", "10.0.0.5"), ("serverpath", "/vol")]);
    let iso = TextMap::from([("location", "files.example:/iso")]);
    for (sr, device_config) in [("nfs", nfs), ("iso", iso), (local.as_str(), TextMap::from([("device", "/dev/sda3")]))] {
        let record =
            pbd::Record { sr: named(sr), host: named(name), device_config, currently_attached: true, ..Default::default() };
        cache.insert::<PBD>(named(&format!("{name}-{sr}-pbd")), record);
    }
    let bond: Ref<Bond> = named(&format!("{name}-bond"));
    let vlan: Ref<VLAN> = named(&format!("{name}-vlan"));
    for nic in ["eth0", "eth1"] {
        add_pif(cache, name, nic, "slaves", |pif| (pif.bond_slave_of, pif.currently_attached) = (Some(bond.clone()), false));
    }
    add_pif(cache, name, "bond0", "net0", |pif| {
        pif.bond_master_of = vec![bond.clone()];
        pif.vlan_slave_of = vec![vlan.clone()];
        pif.management = true;
        (pif.ip, pif.netmask) = ("192.168.0.1".into(), "255.255.255.0".into());
    });
    add_pif(cache, name, "vlan10", "net10", |pif| (pif.vlan_master_of, pif.vlan) = (Some(vlan.clone()), 10));
    add_pif(cache, name, "eth2", "storage", |pif| {
        (pif.ip, pif.netmask) = ("10.0.0.1".into(), "255.255.255.0".into());
    });
}

fn add_pif(cache: &mut Cache, host: &str, device: &str, network: &str, change: impl FnOnce(&mut pif::Record)) {
    let name = format!("{host}-{device}");
    let mut record = pif::Record {
        device: device.into(),
        host: named(host),
        network: named(network),
        metrics: Some(named(&name)),
        currently_attached: true,
        vlan: -1,
        ..Default::default()
    };
    change(&mut record);
    cache.insert::<PIF>(named(&name), record);
    cache.insert::<PIFMetrics>(named(&name), pif_metrics::Record { carrier: true, ..Default::default() });
}

/// A VM with a disk and an interface; running on a host, or halted.
fn add_vm(cache: &mut Cache, name: &str, host: Option<&str>, sr: &str, network: &str) {
    let attached = host.is_some();
    add_disk(cache, name, name, sr, attached, vbd::VbdType::Disk);
    let record = vif::Record {
        vm: named(name),
        network: named(network),
        device: "0".into(),
        currently_attached: attached,
        ..Default::default()
    };
    cache.insert::<VIF>(named(name), record);
    let record = vm::Record {
        name_label: name.into(),
        power_state: if attached { vm::VmPowerState::Running } else { vm::VmPowerState::Halted },
        resident_on: host.map(named),
        memory_dynamic_max: 1 << 30,
        vbds: vec![named(name)],
        vifs: vec![named(name)],
        ..Default::default()
    };
    cache.insert::<VM>(named(name), record);
}

fn add_disk(cache: &mut Cache, vm: &str, name: &str, sr: &str, attached: bool, kind: vbd::VbdType) {
    cache.insert::<VDI>(named(name), vdi::Record { sr: named(sr), ..Default::default() });
    let record = vbd::Record {
        vm: named(vm),
        vdi: Some(named(name)),
        device: "xvda".into(),
        r#type: kind,
        currently_attached: attached,
        ..Default::default()
    };
    cache.insert::<VBD>(named(name), record);
}

fn change_vm(cache: &mut Cache, name: &str, change: impl FnOnce(&mut vm::Record)) {
    let mut record = vm::Record::clone(cache.get::<VM>(&named(name)).unwrap());
    change(&mut record);
    cache.insert::<VM>(named(name), record);
}

fn verdict<'i>(impact: &'i Impact, vm: &str) -> &'i Affected {
    impact.vms.iter().find(|affected| affected.vm == named(vm)).unwrap_or_else(|| panic!("{vm} is not in {impact:?}"))
}

fn host_of(name: &str) -> Component {
    Component::Host(named(name))
}

fn pif_of(name: &str) -> Component {
    Component::Pif(named(name))
}

#[test]
fn a_bond_survives_one_nic_and_not_two() {
    let mut cache = pool();
    add_vm(&mut cache, "web", Some("h1"), "nfs", "net10");
    add_vm(&mut cache, "inner", Some("h1"), "nfs", "inside");
    let one = impact(&cache, &[pif_of("h1-eth0")]);
    let web = verdict(&one, "web");
    assert_eq!(web.verdict, Verdict::Safe);
    assert_eq!(web.reasons, [Reason::BondMemberLeft { bond: named("h1-bond0"), left: 1, of: 2 }]);
    assert_eq!(web.reasons[0].sentence(&cache), "bond0 goes on with 1 of 2 links");
    assert_eq!(one.untouched, 1, "the network inside of the host does not need a NIC");

    let both = impact(&cache, &[pif_of("h1-eth0"), pif_of("h1-eth1")]);
    let web = verdict(&both, "web");
    assert_eq!(web.verdict, Verdict::Degraded);
    assert!(web.is_cut_off() && !web.is_interrupted());
    assert_eq!(web.reasons[0].sentence(&cache), "its interface 0 loses the network net10, and it has no other that works");
    assert_eq!(verdict(&both, "inner").reasons, [Reason::HostUnmanaged { host: named("h1") }]);
    for part in [pif_of("h1-bond0"), pif_of("h1-vlan10"), Component::Pbd(named("h1-iso-pbd"))] {
        assert!(both.brought_down.contains(&part), "{part:?} is not in {:?}", both.brought_down);
    }
    assert!(!both.brought_down.contains(&Component::Pbd(named("h1-nfs-pbd"))), "storage has a NIC of its own");
}

#[test]
fn a_host_takes_its_vms_with_it() {
    let mut cache = pool();
    add_vm(&mut cache, "shared", Some("h1"), "nfs", "net10");
    add_vm(&mut cache, "local", Some("h1"), "h1-local", "net10");
    add_vm(&mut cache, "other", Some("h2"), "nfs", "net10");
    add_vm(&mut cache, "resting", None, "nfs", "net10");
    let lost = impact(&cache, &[host_of("h1")]);
    assert!(lost.coordinator_fails);
    let names: Vec<_> = lost.vms.iter().map(|vm| (vm.vm.as_str(), vm.verdict)).collect();
    assert_eq!(
        names,
        [
            ("OpaqueRef:local", Verdict::Stopped),
            ("OpaqueRef:shared", Verdict::Stopped),
            ("OpaqueRef:resting", Verdict::Safe)
        ]
    );
    assert!(verdict(&lost, "local").is_stranded());
    assert_eq!(verdict(&lost, "shared").reasons[1], Reason::OtherHosts { hosts: 1 });
    assert_eq!(verdict(&lost, "resting").reasons, [Reason::StartsElsewhere { hosts: 1 }]);
    assert_eq!(lost.untouched, 1);

    let everything = impact(&cache, &[host_of("h1"), host_of("h2")]);
    assert_eq!(everything.count(Verdict::Stopped), 3);
    assert_eq!(verdict(&everything, "resting").reasons, [Reason::CannotStart]);
}

#[test]
fn high_availability_starts_protected_vms_again_where_they_fit() {
    let mut cache = pool();
    let ha = pool::Record { ha_enabled: true, master: named("h2"), ..Default::default() };
    cache.insert::<Pool>(named("pool"), ha);
    for name in ["protected", "best-effort", "huge", "passthrough"] {
        add_vm(&mut cache, name, Some("h1"), "nfs", "net10");
        change_vm(&mut cache, name, |vm| vm.ha_restart_priority = "restart".into());
    }
    change_vm(&mut cache, "best-effort", |vm| vm.ha_restart_priority = "best-effort".into());
    change_vm(&mut cache, "huge", |vm| vm.memory_dynamic_max = 65 << 30);
    change_vm(&mut cache, "passthrough", |vm| vm.attached_pcis = vec![named("gpu")]);
    let lost = impact(&cache, &[host_of("h1")]);
    assert!(!lost.coordinator_fails);
    assert_eq!(verdict(&lost, "protected").verdict, Verdict::Degraded);
    assert_eq!(verdict(&lost, "protected").reasons[1], Reason::RestartsByHa { hosts: 1 });
    assert_eq!(verdict(&lost, "best-effort").reasons[1], Reason::OtherHosts { hosts: 1 });
    assert!(verdict(&lost, "huge").is_stranded() && verdict(&lost, "passthrough").is_stranded());
}

#[test]
fn storage_fails_on_one_host_or_on_all() {
    let mut cache = pool();
    add_vm(&mut cache, "a", Some("h1"), "nfs", "net10");
    add_vm(&mut cache, "b", Some("h2"), "nfs", "net10");
    add_vm(&mut cache, "resting", None, "nfs", "net10");
    // The NIC of the subnet in which the server is, and the PBD that hangs on it, come to the same.
    for failing in [Component::Pbd(named("h1-nfs-pbd")), pif_of("h1-eth2")] {
        let one = impact(&cache, &[failing]);
        let a = verdict(&one, "a");
        assert_eq!(a.verdict, Verdict::Stopped);
        assert!(matches!(&a.reasons[0], Reason::DiskLost { pbd: Some(pbd), .. } if *pbd == named("h1-nfs-pbd")));
        assert_eq!(a.reasons[0].sentence(&cache), "its disk xvda on nfs cannot be reached");
        assert_eq!(a.reasons[1], Reason::OtherHosts { hosts: 1 });
        assert_eq!((one.vms.len(), one.untouched), (2, 1), "b is on another host");
        assert!(one.brought_down.contains(&Component::Pbd(named("h1-nfs-pbd"))));
    }
    let all = impact(&cache, &[Component::Sr(named("nfs"))]);
    assert_eq!((all.count(Verdict::Stopped), all.count(Verdict::Degraded)), (2, 1));
    assert!(verdict(&all, "a").is_stranded());
}

#[test]
fn a_drive_stops_nobody() {
    let mut cache = pool();
    add_vm(&mut cache, "a", Some("h1"), "nfs", "net10");
    add_disk(&mut cache, "a", "cd", "iso", true, vbd::VbdType::CD);
    change_vm(&mut cache, "a", |vm| vm.vbds.push(named("cd")));
    let lost = impact(&cache, &[Component::Sr(named("iso"))]);
    let a = verdict(&lost, "a");
    assert_eq!(a.verdict, Verdict::Safe);
    assert_eq!(a.reasons, [Reason::DriveLost { vbd: named("cd"), sr: named("iso") }]);
    let host = impact(&cache, &[host_of("h1"), Component::Sr(named("iso"))]);
    assert_eq!(verdict(&host, "a").reasons[1], Reason::OtherHosts { hosts: 1 }, "it can start without the image");
}

#[test]
fn what_is_broken_already_costs_nothing_more() {
    let mut cache = pool();
    add_vm(&mut cache, "a", Some("h1"), "nfs", "net10");
    let dead = host_metrics::Record { live: false, ..Default::default() };
    cache.insert::<HostMetrics>(named("h1"), dead);
    let again = impact(&cache, &[host_of("h1")]);
    assert_eq!((again.vms.len(), again.untouched), (0, 1));
    assert_eq!(impact(&cache, &[]).vms, []);
    assert_eq!(impact(&cache, &[Component::Sr(named("unheard-of"))]).vms, []);
}

#[test]
fn what_is_not_in_the_data_is_said() {
    let mut cache = Cache::new();
    cache.track_console();
    cache.insert::<VM>(named("a"), vm::Record::default());
    let unknown = impact(&cache, &[]).unknown;
    assert!(unknown.contains(&"PBD") && unknown.contains(&"PIF") && !unknown.contains(&"VM"), "{unknown:?}");
}

#[test]
fn a_pif_that_carries_itself_ends_nothing() {
    let mut cache = pool();
    add_vm(&mut cache, "a", Some("h1"), "nfs", "net10");
    let mut record = pif::Record::clone(cache.get::<PIF>(&named("h1-vlan10")).unwrap());
    record.vlan_slave_of = vec![named("h1-vlan")];
    cache.insert::<PIF>(named("h1-vlan10"), record);
    let mut record = pif::Record::clone(cache.get::<PIF>(&named("h1-bond0")).unwrap());
    record.vlan_slave_of = Vec::new();
    cache.insert::<PIF>(named("h1-bond0"), record);
    assert_eq!(impact(&cache, &[pif_of("h1-eth0")]).vms.len(), 0, "VLAN 10 hangs on nothing, so nothing was there to lose");
}

#[test]
fn single_points_of_failure_are_found() {
    let mut cache = pool();
    add_vm(&mut cache, "a", Some("h1"), "nfs", "net10");
    add_vm(&mut cache, "b", Some("h2"), "nfs", "net10");
    add_vm(&mut cache, "local", Some("h1"), "h1-local", "net10");
    let points = single_points(&cache);
    let found: Vec<_> = points.iter().map(|point| (point.component.label(&cache), point.stranded, point.cut_off)).collect();
    let expected = [
        ("net10", 0, 3),
        ("nfs", 2, 0),
        ("bond0 of h1", 0, 2),
        ("vlan10 VLAN 10 of h1", 0, 2),
        ("h1", 1, 0),
        ("h1-local", 1, 0),
        ("h1-local on h1", 1, 0),
        ("bond0 of h2", 0, 1),
        ("vlan10 VLAN 10 of h2", 0, 1),
    ];
    let found: BTreeSet<_> = found.iter().map(|(label, stranded, cut)| (label.as_str(), *stranded, *cut)).collect();
    assert_eq!(found, BTreeSet::from(expected));
    assert_eq!(points[0].component, Component::Network(named("net10")), "the one that takes most comes first");
}

#[test]
fn a_suspended_vm_needs_its_memory_image() {
    let mut cache = pool();
    add_vm(&mut cache, "a", None, "nfs", "net10");
    cache.insert::<VDI>(named("image"), vdi::Record { sr: named("h1-local"), ..Default::default() });
    change_vm(&mut cache, "a", |vm| {
        (vm.power_state, vm.suspend_vdi) = (vm::VmPowerState::Suspended, Some(named("image")));
    });
    let lost = impact(&cache, &[Component::Sr(named("h1-local"))]);
    assert_eq!(verdict(&lost, "a").reasons, [Reason::CannotStart]);
    change_vm(&mut cache, "a", |vm| vm.power_state = vm::VmPowerState::Halted);
    assert_eq!(impact(&cache, &[Component::Sr(named("h1-local"))]).untouched, 1, "what is halted starts without it");
}

#[test]
fn a_pool_whose_coordinator_is_out_of_reach_has_lost_it() {
    let cache = pool();
    assert!(impact(&cache, &[pif_of("h1-bond0")]).coordinator_fails);
    assert!(!impact(&cache, &[pif_of("h1-eth0")]).coordinator_fails && !impact(&cache, &[host_of("h2")]).coordinator_fails);
}

/// The PBD of a host to the NFS repository, reached as the pairs say.
fn reach(cache: &mut Cache, host: &str, pairs: &[(&str, &str)]) {
    let pbd = named(&format!("{host}-nfs-pbd"));
    let mut record = pbd::Record::clone(cache.get::<PBD>(&pbd).unwrap());
    record.device_config = pairs.iter().map(|(key, value)| (String::from(*key), String::from(*value))).collect();
    cache.insert::<PBD>(pbd, record);
}

#[test]
fn with_multipathing_one_of_the_ways_to_storage_is_enough() {
    let mut cache = pool();
    add_vm(&mut cache, "a", Some("h1"), "nfs", "net10");
    for config in [("target", "10.0.0.5,192.168.0.5"), ("multiSession", "10.0.0.5,3260,iqn.a|192.168.0.5,3260,iqn.b|")] {
        reach(&mut cache, "h1", &[config]);
        let mut host = host::Record::clone(cache.get::<Host>(&named("h1")).unwrap());
        host.multipathing = false;
        cache.insert::<Host>(named("h1"), host.clone());
        assert_eq!(impact(&cache, &[pif_of("h1-eth2")]).count(Verdict::Stopped), 1, "{config:?}: the first address is used");
        host.multipathing = true;
        cache.insert::<Host>(named("h1"), host);
        assert_eq!(impact(&cache, &[pif_of("h1-eth2")]).vms, [], "{config:?}");
        let both = impact(&cache, &[pif_of("h1-eth2"), pif_of("h1-bond0")]);
        assert_eq!(both.count(Verdict::Stopped), 1, "{config:?}");
    }
}

#[test]
fn the_way_to_storage_is_read_from_every_kind_of_address() {
    let mut cache = pool();
    add_vm(&mut cache, "a", Some("h1"), "nfs", "net10");
    let mut pif = pif::Record::clone(cache.get::<PIF>(&named("h1-eth2")).unwrap());
    pif.ipv6 = vec!["nonsense".into(), "fd00:1::9/64".into()];
    cache.insert::<PIF>(named("h1-eth2"), pif);
    let stops = |cache: &Cache, nic: &str| impact(cache, &[pif_of(nic)]).count(Verdict::Stopped) == 1;
    for (key, value) in [
        ("server", "10.0.0.5"),
        ("server", "//10.0.0.5/share"),
        ("server", "\\\\10.0.0.5\\share"),
        ("server", "10.0.0.5:/volume"),
        ("server", "10.0.0.5:6789,10.0.0.6:6789"),
        ("server", "fd00:1::5"),
        ("location", "10.0.0.5:/iso"),
        ("location", "//10.0.0.5/iso"),
        ("location", "[fd00:1::5]:/iso"),
        ("target", "10.0.0.5:3260"),
    ] {
        reach(&mut cache, "h1", &[(key, value)]);
        assert!(stops(&cache, "h1-eth2") && !stops(&cache, "h1-bond0"), "{key}={value}");
    }
    for (key, value) in [("server", "filer.example"), ("server", "fd00:2::5"), ("location", "filer.example:/iso")] {
        reach(&mut cache, "h1", &[(key, value)]);
        assert!(!stops(&cache, "h1-eth2") && stops(&cache, "h1-bond0"), "{key}={value}");
    }
    for (key, value) in [("location", "/opt/isos"), ("device", "/dev/sdb"), ("target", ""), ("SCSIid", "3600")] {
        reach(&mut cache, "h1", &[(key, value)]);
        assert!(!stops(&cache, "h1-eth2") && !stops(&cache, "h1-bond0"), "{key}={value}");
    }
}

#[test]
fn the_list_of_single_points_says_what_each_alone_does() {
    for seed in 0..8 {
        let cache = sample::pool(3, 40, seed);
        let points = single_points(&cache);
        let mut all = Vec::new();
        all.extend(cache.iter::<Host>().map(|(it, _)| Component::Host(it)));
        all.extend(cache.iter::<PIF>().map(|(it, _)| Component::Pif(it)));
        all.extend(cache.iter::<SR>().map(|(it, _)| Component::Sr(it)));
        all.extend(cache.iter::<PBD>().map(|(it, _)| Component::Pbd(it)));
        for component in all {
            let alone = impact(&cache, core::slice::from_ref(&component));
            let stranded = alone.vms.iter().filter(|vm| vm.is_stranded()).count();
            let cut_off = alone.vms.iter().filter(|vm| vm.is_cut_off()).count();
            let point = points.iter().find(|point| point.component == component);
            let counts = point.map_or((0, 0), |point| (point.stranded, point.cut_off));
            assert_eq!(counts, (stranded, cut_off), "seed {seed}: {component:?}");
        }
    }
}

/// Any component of a made-up pool.
fn any(cache: &Cache, dice: &mut Dice) -> Component {
    fn pick<C: Class>(cache: &Cache, dice: &mut Dice) -> Ref<C> {
        let count = cache.count::<C>() as u64;
        let at = usize::try_from(dice.roll(count)).unwrap();
        cache.iter::<C>().nth(at).map(|(reference, _)| reference).unwrap_or_else(|| reference(0))
    }
    match dice.roll(5) {
        0 => Component::Host(pick(cache, dice)),
        1 => Component::Pif(pick(cache, dice)),
        2 => Component::Network(pick(cache, dice)),
        3 => Component::Sr(pick(cache, dice)),
        _ => Component::Pbd(pick(cache, dice)),
    }
}

#[test]
fn more_failures_never_interrupt_less() {
    for seed in 0..60 {
        let cache = sample::pool(2 + seed as usize % 5, 40, seed);
        let mut dice = Dice(seed * 2 + 1);
        let mut failing = Vec::new();
        let mut before = BTreeSet::new();
        for _ in 0..6 {
            failing.push(any(&cache, &mut dice));
            let now = impact(&cache, &failing);
            let interrupted: BTreeSet<_> = now.vms.iter().filter(|vm| vm.is_interrupted()).map(|vm| vm.vm.clone()).collect();
            assert!(before.is_subset(&interrupted), "seed {seed}, {failing:?}");
            let listed: BTreeSet<_> = now.vms.iter().map(|vm| &vm.vm).collect();
            assert_eq!(listed.len(), now.vms.len(), "no VM is listed twice");
            assert_eq!(listed.len() + now.untouched, cache.count::<VM>(), "and none is lost");
            assert!(now.vms.iter().all(|vm| !vm.reasons.is_empty()), "each has a reason");
            assert!(failing.iter().all(|part| now.brought_down.contains(part)));
            before = interrupted;
        }
    }
}

#[test]
fn the_order_of_failures_does_not_matter() {
    let cache = sample::pool(4, 60, 7);
    let mut dice = Dice(11);
    let mut failing: Vec<Component> = (0..5).map(|_| any(&cache, &mut dice)).collect();
    let one = impact(&cache, &failing);
    failing.reverse();
    assert_eq!(impact(&cache, &failing), one);
}
