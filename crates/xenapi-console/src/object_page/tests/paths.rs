//! How data travels.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::Ref;
use xenapi_model::vif::VifLockingMode;
use xenapi_model::{Host, HostMetrics, Network, PBD, PIF, PIFMetrics, SR, VBD, VDI, VIF, VM};
use xenapi_topology::State;

use super::pool::{Pool, change, find_vm};
use crate::object_page::paths::{DataPath, DataPaths, Health, Problem, Stage, columns, data_paths};

fn paths(cache: &Cache, vm: &Ref<VM>) -> DataPaths {
    data_paths(cache, vm, None).unwrap()
}

fn stages(path: &DataPath) -> Vec<Stage> {
    path.steps.iter().map(|step| step.stage).collect()
}

fn hop(path: &DataPath, stage: Stage) -> &crate::object_page::paths::Hop {
    &path.steps.iter().find(|step| step.stage == stage).unwrap_or_else(|| panic!("no {stage:?}: {path:#?}")).hops[0]
}

/// A running VM with an interface whose way has that stage, and that interface's place.
fn through(cache: &Cache, stage: Stage) -> (Ref<VM>, usize) {
    let has = |vm: &Ref<VM>| paths(cache, vm).network.iter().position(|path| stages(path).contains(&stage));
    let vm = find_vm(cache, |vm, record| {
        record.resident_on.is_some() && record.power_state == xenapi_model::vm::VmPowerState::Running && has(vm).is_some()
    });
    let at = has(&vm).unwrap();
    (vm, at)
}

/// The interface that realises a path's network on the VM's host.
fn pif_of(cache: &Cache, vm: &Ref<VM>, at: usize) -> Ref<PIF> {
    let record = cache.get(vm).unwrap();
    let device = &paths(cache, vm).network[at].device;
    let vif = cache.get(&device.clone().typed::<VIF>()).unwrap();
    let network = cache.get(&vif.network).unwrap();
    let here = |pif: &&Ref<PIF>| Some(&cache.get(*pif).unwrap().host) == record.resident_on.as_ref();
    network.pifs.iter().find(here).unwrap().clone()
}

#[test]
fn an_interface_goes_over_backend_bridge_bond_and_both_nics_to_the_host() {
    let cache = Pool::new(3, 24).cache();
    let (vm, at) = through(&cache, Stage::Bond);
    let record = cache.get(&vm).unwrap();
    let all = paths(&cache, &vm);
    let path = &all.network[at];
    assert!(!all.would_be && all.candidates.is_empty());
    let vif = cache.get(&path.device.clone().typed::<VIF>()).unwrap();
    assert_eq!(hop(path, Stage::Backend).name, format!("vif{}.{}", record.domid, vif.device));
    assert_eq!(hop(path, Stage::Bridge).name, cache.get(&vif.network).unwrap().bridge);
    let nics = path.steps.iter().find(|step| step.stage == Stage::Nic).unwrap();
    assert!(nics.hops.len() >= 2, "{nics:#?}");
    assert_eq!(stages(path).last(), Some(&Stage::Host));
    let mut order = stages(path);
    order.sort();
    assert_eq!(order, stages(path), "the columns are in the order of the way");
    assert_eq!(path.health, Health::Works, "{path:#?}");
    assert!(path.problems().is_empty());
}

#[test]
fn a_vlan_stands_on_what_carries_it() {
    let cache = Pool::new(3, 40).cache();
    let (vm, at) = through(&cache, Stage::Vlan);
    let all = paths(&cache, &vm);
    let path = &all.network[at];
    let order = stages(path);
    let vlan = order.iter().position(|stage| *stage == Stage::Vlan).unwrap();
    assert!(matches!(order[vlan + 1], Stage::Bond | Stage::Nic), "{order:?}");
    assert!(hop(path, Stage::Vlan).name.starts_with("VLAN "));
    assert!(columns(&all.network).windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn what_is_wrong_on_the_way_is_told_at_its_hop() {
    let clean = Pool::new(3, 24).cache();
    let (vm, at) = through(&clean, Stage::Bond);
    let bond = pif_of(&clean, &vm, at);
    let host = clean.get(&vm).unwrap().resident_on.clone().unwrap();
    let load = || Pool::new(3, 24).cache();
    let carried: Vec<Ref<PIF>> =
        clean.iter::<PIF>().filter(|(_, pif)| pif.host == host && pif.bond_slave_of.is_some()).map(|(it, _)| it).collect();
    let cut = |cache: &mut Cache, pif: &Ref<PIF>| {
        let metrics = cache.get(pif).unwrap().metrics.clone().unwrap();
        change::<PIFMetrics>(cache, &metrics, |metrics| metrics.carrier = false);
    };

    // One member of a bond without a link is less; all of them are nothing.
    let mut cache = load();
    cut(&mut cache, &carried[0]);
    let path = &paths(&cache, &vm).network[at];
    assert_eq!(path.health, Health::Degraded, "{path:#?}");
    assert!(path.problems().iter().any(|problem| matches!(problem, Problem::LinksDown(up, all) if up < all)));
    carried.iter().for_each(|pif| cut(&mut cache, pif));
    let path = &paths(&cache, &vm).network[at];
    assert_eq!((path.health, hop(path, Stage::Bond).problem.clone()), (Health::Broken, Some(Problem::NoCarrier)));

    // An interface of the host that is not brought up; one that is not there.
    let mut cache = load();
    change(&mut cache, &bond, |pif| pif.currently_attached = false);
    assert!(paths(&cache, &vm).network[at].problems().contains(&&Problem::Detached));
    let mut cache = load();
    cache.remove(&bond);
    let path = &paths(&cache, &vm).network[at];
    assert_eq!(hop(path, Stage::Bridge).problem, Some(Problem::NoInterface));
    assert_eq!(stages(path).last(), Some(&Stage::Host));

    // The VM's own end.
    let mut cache = load();
    let vif = paths(&cache, &vm).network[at].device.clone().typed::<VIF>();
    change(&mut cache, &vif, |vif| vif.currently_attached = false);
    let path = &paths(&cache, &vm).network[at];
    assert_eq!(hop(path, Stage::Device).problem, Some(Problem::Unplugged));
    assert_eq!((hop(path, Stage::Backend).state, path.health), (State::Halted, Health::Broken));
    change(&mut cache, &vif, |vif| vif.locking_mode = VifLockingMode::Disabled);
    change(&mut cache, &vif, |vif| vif.currently_attached = true);
    assert!(paths(&cache, &vm).network[at].problems().contains(&&Problem::Locked));

    // The host's.
    let mut cache = load();
    let metrics = cache.get(&host).unwrap().metrics.clone();
    change::<HostMetrics>(&mut cache, &metrics, |metrics| metrics.live = false);
    let all = paths(&cache, &vm);
    assert!(
        all.network
            .iter()
            .chain(&all.storage)
            .filter(|path| path.health != Health::Empty)
            .all(|path| path.health == Health::Broken)
    );
    assert!(all.network[at].problems().contains(&&Problem::HostDown));
}

/// A running VM with a disk, and the disk's place among its devices.
fn with_disk(cache: &Cache) -> (Ref<VM>, usize) {
    let disk = |vm: &Ref<VM>| paths(cache, vm).storage.iter().position(|path| stages(path).contains(&Stage::Connection));
    let vm = find_vm(cache, |vm, record| record.resident_on.is_some() && disk(vm).is_some());
    let at = disk(&vm).unwrap();
    (vm, at)
}

fn parts_of(cache: &Cache, path: &DataPath) -> (Ref<VBD>, Ref<VDI>, Ref<SR>) {
    let vbd = path.device.clone().typed::<VBD>();
    let vdi = cache.get(&vbd).unwrap().vdi.clone().unwrap();
    let sr = cache.get(&vdi).unwrap().sr.clone();
    (vbd, vdi, sr)
}

#[test]
fn a_disk_goes_over_tapdisk_vdi_sr_and_the_hosts_own_connection() {
    let mut cache = Pool::new(3, 24).cache();
    let (vm, at) = with_disk(&cache);
    let path = paths(&cache, &vm).storage[at].clone();
    let expected = [Stage::Device, Stage::Backend, Stage::Disk, Stage::Storage, Stage::Connection, Stage::Host];
    assert_eq!((stages(&path).as_slice(), path.health), (expected.as_slice(), Health::Works), "{path:#?}");
    let domid = cache.get(&vm).unwrap().domid;
    assert!(hop(&path, Stage::Backend).name.starts_with(&format!("vbd/{domid}/")), "{path:#?}");

    let (vbd, vdi, sr) = parts_of(&cache, &path);
    let host = cache.get(&vm).unwrap().resident_on.clone().unwrap();
    let of_host = |cache: &Cache| cache.iter::<PBD>().find(|(_, pbd)| pbd.sr == sr && pbd.host == host).unwrap().0;
    let pbd = of_host(&cache);
    change(&mut cache, &pbd, |pbd| pbd.currently_attached = false);
    assert_eq!(paths(&cache, &vm).storage[at].problems(), [&Problem::ConnectionUnplugged]);
    cache.remove(&pbd);
    assert_eq!(paths(&cache, &vm).storage[at].problems(), [&Problem::NoConnection]);
    change(&mut cache, &vdi, |vdi| vdi.missing = true);
    assert!(paths(&cache, &vm).storage[at].problems().contains(&&Problem::DiskMissing));
    change(&mut cache, &vbd, |vbd| vbd.currently_attached = false);
    assert!(paths(&cache, &vm).storage[at].problems().contains(&&Problem::Unplugged));
    cache.remove(&vdi);
    assert_eq!(hop(&paths(&cache, &vm).storage[at], Stage::Disk).problem, Some(Problem::DiskMissing));
    // What tells where storage is, tells no password.
    assert!(!format!("{path:?}").contains("password"));
}

#[test]
fn an_empty_drive_is_no_trouble() {
    let mut cache = Pool::new(2, 12).cache();
    let (vm, at) = with_disk(&cache);
    let vbd = paths(&cache, &vm).storage[at].device.clone().typed::<VBD>();
    change(&mut cache, &vbd, |vbd| (vbd.empty, vbd.vdi, vbd.r#type) = (true, None, xenapi_model::vbd::VbdType::CD));
    let path = &paths(&cache, &vm).storage[at];
    assert_eq!((path.health, path.problems().len()), (Health::Empty, 0));
    assert_eq!(path.health.state(false), State::Halted);
}

#[test]
fn a_vm_that_rests_has_the_ways_that_it_would_have_on_a_host() {
    let mut cache = Pool::sound().cache();
    let everywhere = |vm: &Ref<VM>| paths(&cache, vm).candidates.iter().all(|it| it.problems.is_empty());
    let vm = find_vm(&cache, |it, vm| vm.resident_on.is_none() && !vm.vifs.is_empty() && everywhere(it));
    let all = paths(&cache, &vm);
    assert!(all.would_be && all.candidates.len() == 3, "{:?}", all.candidates);
    let chosen = all.host.clone().unwrap();
    assert!(hop(&all.network[0], Stage::Backend).name.starts_with("vifN."));
    assert!(!all.network[0].problems().contains(&&Problem::Unplugged), "it is not plugged because nothing runs");

    // Another host on request; a disabled one says why not, and goes to the end.
    let other = all.candidates.iter().find(|it| it.object != chosen).unwrap().clone();
    assert_eq!(data_paths(&cache, &vm, Some(&other.uuid)).unwrap().host, Some(other.object));
    assert_eq!(data_paths(&cache, &vm, Some("no such host")).unwrap().host, Some(chosen.clone()));
    change::<Host>(&mut cache, &chosen.reference.clone().typed(), |host| host.enabled = false);
    let all = paths(&cache, &vm);
    assert_ne!(all.host, Some(chosen.clone()));
    let last = all.candidates.iter().find(|it| it.object == chosen).unwrap();
    assert!(last.problems.contains(&Problem::HostDisabled));
    assert!(all.candidates[0].problems.iter().all(|problem| !problem.is_fatal()));
}

#[test]
fn local_storage_leaves_one_host() {
    let mut cache = Pool::sound().cache();
    let (vm, at) = with_disk(&cache);
    let (_, vdi, _) = parts_of(&cache, &paths(&cache, &vm).storage[at]);
    let local = cache.iter::<SR>().find(|(_, sr)| !sr.shared && sr.r#type != "udev" && sr.pbds.len() == 1).unwrap();
    let (local, home) = (local.0.clone(), cache.get(&cache.get(&local.1.pbds[0]).unwrap().host).unwrap().name_label.clone());
    change(&mut cache, &vdi, |vdi| vdi.sr = local);
    change(&mut cache, &vm, |vm| (vm.resident_on, vm.affinity) = (None, None));
    let all = paths(&cache, &vm);
    assert_eq!(all.host_name, home);
    let elsewhere: Vec<&String> =
        all.candidates.iter().filter(|it| !it.problems.contains(&Problem::NoConnection)).map(|it| &it.name).collect();
    assert_eq!(elsewhere, [&home]);
}

#[test]
fn a_network_without_nics_ends_at_its_bridge() {
    let mut cache = Pool::new(2, 12).cache();
    let (vm, at) = through(&cache, Stage::Nic);
    let vif = paths(&cache, &vm).network[at].device.clone().typed::<VIF>();
    let inner = Ref::<Network>::new("OpaqueRef:inner");
    let record = xenapi_model::network::Record { bridge: "xapi99".into(), ..Default::default() };
    cache.insert(inner.clone(), record);
    change(&mut cache, &vif, |vif| vif.network = inner);
    let path = &paths(&cache, &vm).network[at];
    assert_eq!(stages(path), [Stage::Device, Stage::Backend, Stage::Bridge, Stage::Host]);
    assert_eq!((path.health, hop(path, Stage::Bridge).name.as_str()), (Health::Works, "xapi99"));
}

#[test]
fn what_is_not_in_the_data_is_unknown_and_not_broken() {
    let whole = Pool::new(2, 6).cache();
    let (vm, _) = through(&whole, Stage::Nic);
    let mut cache = Cache::new();
    cache.track_console();
    cache.insert(vm.clone(), (**whole.get(&vm).unwrap()).clone());
    let all = paths(&cache, &vm);
    assert!(all.network.iter().chain(&all.storage).all(|path| path.health == Health::Unknown), "{all:#?}");
    assert_eq!(data_paths(&cache, &Ref::new("nobody"), None), None);
    for (reference, _) in whole.iter::<VM>().filter(|(_, vm)| vm.is_a_template) {
        assert_eq!(data_paths(&whole, &reference, None), None);
    }
    // Nothing of it makes a pool of any size panic.
    for (reference, _) in whole.iter::<VM>() {
        let _ = data_paths(&whole, &reference, Some("x")).map(|paths| format!("{paths:?}"));
    }
}
