//! What each lens sees.

use alloc::vec;

use xenapi_client::Cache;
use xenapi_core::TextMap;
use xenapi_model::{
    Bond, Host, HostMetrics, Network, NetworkSriov, PBD, PIF, PIFMetrics, Pool, SR, Tunnel, VBD, VDI, VIF, VLAN, VM, host,
    host_metrics, network, pbd, pif, pif_metrics, pool, sr, vbd, vdi, vif, vm, vm::VmPowerState,
};

use super::{edge, has, named, sample::reference};
use crate::{ColumnKind, EdgeState, Graph, Lens, NodeKind, Options, State, graph};

fn draw(cache: &Cache, lens: Lens) -> Graph {
    graph(cache, lens, &Options::default())
}

/// A pool of two hosts: `one` is the master, `two` is what the test makes of it.
fn two_hosts(change: impl Fn(&mut host::Record, &mut host_metrics::Record)) -> Cache {
    let mut cache = Cache::new();
    cache
        .insert::<Pool>(reference(0), pool::Record { name_label: "lab".into(), master: reference(1), ..Default::default() });
    for (at, name) in [(1, "one"), (2, "two")] {
        let mut metrics =
            host_metrics::Record { live: true, memory_total: 64 << 30, memory_free: 16 << 30, ..Default::default() };
        let mut host = host::Record { name_label: name.into(), enabled: true, metrics: reference(at), ..Default::default() };
        if at == 2 {
            change(&mut host, &mut metrics);
        }
        cache.insert::<Host>(reference(at), host);
        cache.insert::<HostMetrics>(reference(at), metrics);
    }
    cache
}

fn vm(name: &str, power_state: VmPowerState, host: usize) -> vm::Record {
    let resident_on = (host > 0).then(|| reference(host));
    vm::Record { name_label: name.into(), power_state, resident_on, ..Default::default() }
}

#[test]
fn vms_stand_at_their_hosts_and_halted_ones_apart() {
    let mut cache = two_hosts(|_, _| {});
    cache.insert::<VM>(reference(1), vm("web", VmPowerState::Running, 1));
    cache.insert::<VM>(reference(2), vm("db", VmPowerState::Halted, 0));
    cache.insert::<VM>(reference(3), vm("cache", VmPowerState::Suspended, 0));
    cache.insert::<VM>(reference(4), vm("odd", VmPowerState::Unrecognised("Crashed".into()), 0));
    cache.insert::<VM>(reference(5), vm("lost", VmPowerState::Running, 9));
    let graph = draw(&cache, Lens::Compute);
    assert_eq!(edge(&graph, "lab", "one"), Some(EdgeState::Active));
    assert_eq!(edge(&graph, "one", "web"), Some(EdgeState::Active));
    assert_eq!(edge(&graph, "Not running", "db"), Some(EdgeState::Inactive));
    assert_eq!(edge(&graph, "Not running", "cache"), Some(EdgeState::Inactive));
    assert_eq!(edge(&graph, "Host unknown", "odd"), Some(EdgeState::Unknown));
    // A host that is not in the data is an unknown node, named by its reference.
    assert_eq!(edge(&graph, "host 00000009", "lost"), Some(EdgeState::Unknown));
    assert_eq!(named(&graph, "host 00000009").state, State::Unknown);
    assert_eq!(named(&graph, "db").state, State::Halted);
    assert_eq!(named(&graph, "cache").state, State::Suspended);
    assert_eq!(named(&graph, "Not running").kind, NodeKind::NotRunning);
    assert_eq!(named(&graph, "Not running").object, None);
    assert_eq!(named(&graph, "one").detail, "1 VM · 16 GiB free");
    assert_eq!(named(&graph, "lab").detail, "3 hosts");
    assert_eq!(graph.total, 9, "places are no objects");
}

#[test]
fn a_dead_host_is_failed_and_a_disabled_one_wants_attention() {
    let mut cache = two_hosts(|_, metrics| metrics.live = false);
    cache.insert::<VM>(reference(1), vm("web", VmPowerState::Running, 2));
    let graph = draw(&cache, Lens::Compute);
    assert_eq!(named(&graph, "two").state, State::Failed);
    assert_eq!(named(&graph, "lab").state, State::Attention);
    assert_eq!(edge(&graph, "two", "web"), Some(EdgeState::Broken));
    let graph = draw(&two_hosts(|host, _| host.enabled = false), Lens::Compute);
    assert_eq!(named(&graph, "two").state, State::Attention);
    assert_eq!(named(&graph, "lab").state, State::Running);
}

#[test]
fn templates_snapshots_and_control_domains_are_hidden_unless_asked_for() {
    let mut cache = two_hosts(|_, _| {});
    let flagged = |name: &str, change: &dyn Fn(&mut vm::Record)| {
        let mut record = vm(name, VmPowerState::Halted, 0);
        change(&mut record);
        record
    };
    cache.insert::<VM>(reference(1), flagged("template", &|vm| vm.is_a_template = true));
    cache.insert::<VM>(reference(2), flagged("snapshot", &|vm| (vm.is_a_template, vm.is_a_snapshot) = (true, true)));
    cache.insert::<VM>(reference(3), flagged("dom0", &|vm| vm.is_control_domain = true));
    for lens in Lens::ALL {
        let graph = draw(&cache, lens);
        assert!(!has(&graph, "template") && !has(&graph, "snapshot") && !has(&graph, "dom0"), "{lens}");
    }
    let options = Options { show_templates: true, show_control_domains: true, ..Options::default() };
    let graph = graph(&cache, Lens::Compute, &options);
    assert_eq!(named(&graph, "template").kind, NodeKind::Template);
    assert_eq!(named(&graph, "snapshot").kind, NodeKind::Snapshot);
    assert_eq!(named(&graph, "dom0").kind, NodeKind::ControlDomain);
}

/// A VM with a disk, a CD and an empty drive; the SR is plugged to the first host only.
fn with_storage() -> Cache {
    let mut cache = two_hosts(|_, _| {});
    cache.insert::<VM>(
        reference(1),
        vm::Record { vbds: vec![reference(1), reference(2), reference(3)], ..vm("web", VmPowerState::Running, 1) },
    );
    for (at, name, kind) in [(1, "shared", "nfs"), (2, "isos", "iso")] {
        let content_type = if kind == "iso" { "iso".into() } else { "user".into() };
        let sizes = (100 << 30, 40 << 30);
        let record =
            sr::Record { name_label: name.into(), r#type: kind.into(), content_type, shared: true, ..Default::default() };
        cache.insert::<SR>(reference(at), sr::Record { physical_size: sizes.0, physical_utilisation: sizes.1, ..record });
        for host in 1..=2 {
            let attached = host == 1 || at == 2;
            let record =
                pbd::Record { sr: reference(at), host: reference(host), currently_attached: attached, ..Default::default() };
            cache.insert::<PBD>(reference(at * 10 + host), record);
        }
    }
    for (at, name, sr) in [(1, "root", 1), (2, "tools.iso", 2), (3, "left over", 1), (4, "hidden", 1)] {
        let record = vdi::Record { name_label: name.into(), sr: reference(sr), virtual_size: 8 << 30, ..Default::default() };
        cache.insert::<VDI>(reference(at), vdi::Record { managed: name != "hidden", ..record });
    }
    for (at, vdi, kind, empty) in
        [(1, 1, vbd::VbdType::Disk, false), (2, 2, vbd::VbdType::CD, false), (3, 0, vbd::VbdType::CD, true)]
    {
        let vdi = (vdi > 0).then(|| reference(vdi));
        let record =
            vbd::Record { vm: reference(1), vdi, r#type: kind, empty, currently_attached: true, ..Default::default() };
        cache.insert::<VBD>(reference(at), record);
    }
    cache
}

#[test]
fn disks_lead_to_the_hosts_that_can_reach_them() {
    let graph = draw(&with_storage(), Lens::Storage);
    assert_eq!(edge(&graph, "web", "root"), Some(EdgeState::Active));
    assert_eq!(edge(&graph, "root", "shared"), Some(EdgeState::Active));
    assert_eq!(edge(&graph, "shared", "one"), Some(EdgeState::Active));
    assert_eq!(edge(&graph, "shared", "two"), Some(EdgeState::Inactive));
    assert_eq!(named(&graph, "shared").state, State::Attention);
    assert_eq!(named(&graph, "shared").detail, "nfs · on 1 of 2 hosts");
    assert_eq!(named(&graph, "isos").detail, "iso · 60 GiB free of 100 GiB");
    assert_eq!(named(&graph, "left over").detail, "unused · 8 GiB");
    assert_eq!(named(&graph, "left over").state, State::Halted);
    assert!(!has(&graph, "hidden"), "what only the storage manager sees");
    // CDs are there, quietly, and do not count as disks.
    let cd = graph.edges.iter().find(|edge| graph.nodes[edge.to].label == "tools.iso").unwrap();
    assert!(cd.quiet);
    assert_eq!(named(&graph, "tools.iso").kind, NodeKind::Iso);
    assert_eq!(named(&graph, "web").detail, "1 disk");
}

#[test]
fn a_local_sr_names_its_host() {
    let mut cache = with_storage();
    cache.insert::<PBD>(
        reference(31),
        pbd::Record { sr: reference(3), host: reference(2), currently_attached: true, ..Default::default() },
    );
    let record = sr::Record {
        name_label: "Local storage".into(),
        r#type: "lvm".into(),
        pbds: vec![reference(31)],
        ..Default::default()
    };
    cache.insert::<SR>(reference(3), sr::Record { physical_size: 10 << 30, physical_utilisation: 4 << 30, ..record });
    let graph = draw(&cache, Lens::Storage);
    assert_eq!(named(&graph, "Local storage").detail, "two · lvm · 6 GiB free");
    assert_eq!(named(&graph, "Local storage").state, State::Running);
}

#[test]
fn an_sr_without_a_path_is_failed_and_a_missing_vdi_too() {
    let mut cache = with_storage();
    let unplugged = pbd::Record { sr: reference(1), host: reference(1), ..Default::default() };
    cache.insert::<PBD>(reference(11), unplugged);
    let mut root = (**cache.get::<VDI>(&reference(1)).unwrap()).clone();
    root.missing = true;
    cache.insert::<VDI>(reference(1), root);
    let graph = draw(&cache, Lens::Storage);
    assert_eq!(named(&graph, "shared").state, State::Failed);
    assert_eq!(named(&graph, "root").state, State::Failed);
    assert_eq!(edge(&graph, "web", "root"), Some(EdgeState::Broken));
    assert_eq!(edge(&graph, "root", "shared"), Some(EdgeState::Broken));
}

#[test]
fn what_dangles_is_unknown_and_not_absent() {
    let mut cache = with_storage();
    cache.remove::<VDI>(&reference(1));
    cache.remove::<SR>(&reference(2));
    let mut web = (**cache.get::<VM>(&reference(1)).unwrap()).clone();
    web.vbds.push(reference(77));
    cache.insert::<VM>(reference(1), web);
    let graph = draw(&cache, Lens::Storage);
    assert_eq!(edge(&graph, "web", "VDI 00000001"), Some(EdgeState::Unknown));
    assert_eq!(edge(&graph, "tools.iso", "SR 00000002"), Some(EdgeState::Unknown));
    assert_eq!(edge(&graph, "SR 00000002", "one"), Some(EdgeState::Unknown));
    assert_eq!(edge(&graph, "web", "VBD 0000004d"), Some(EdgeState::Unknown));
    assert_eq!(named(&graph, "VDI 00000001").detail, "unknown");
}

#[test]
fn classes_that_were_not_loaded_make_unknown_columns() {
    let mut cache = Cache::new();
    let record = vm::Record { vbds: vec![reference(5)], vifs: vec![reference(6)], ..vm("web", VmPowerState::Running, 1) };
    cache.insert::<VM>(reference(1), record);
    let unknown = |graph: &Graph, kind: ColumnKind| graph.columns.iter().find(|column| column.kind == kind).unwrap().unknown;
    let compute = draw(&cache, Lens::Compute);
    assert!(
        unknown(&compute, ColumnKind::Hosts) && unknown(&compute, ColumnKind::Pool) && !unknown(&compute, ColumnKind::Vms)
    );
    assert_eq!(edge(&compute, "host 00000001", "web"), Some(EdgeState::Unknown));
    let storage = draw(&cache, Lens::Storage);
    assert!(unknown(&storage, ColumnKind::Vdis) && unknown(&storage, ColumnKind::Srs));
    assert_eq!(edge(&storage, "web", "VBD 00000005"), Some(EdgeState::Unknown));
    assert_eq!(storage.columns[1].count, 0, "a VBD is no VDI");
    let network = draw(&cache, Lens::Network);
    assert!(unknown(&network, ColumnKind::Networks) && unknown(&network, ColumnKind::Nics));
    assert_eq!(edge(&network, "web", "VIF 00000006"), Some(EdgeState::Unknown));
}

/// A NIC as xapi would record it.
fn nic(device: &str, host: usize, network: usize) -> pif::Record {
    pif::Record {
        device: device.into(),
        physical: true,
        vlan: -1,
        host: reference(host),
        network: reference(network),
        currently_attached: true,
        ..Default::default()
    }
}

fn with_network(name: &str, at: usize, cache: &mut Cache) {
    let pifs = vec![reference(at)];
    cache.insert::<Network>(
        reference(at),
        network::Record { name_label: name.into(), bridge: "xenbr0".into(), pifs, ..Default::default() },
    );
}

#[test]
fn a_vlan_over_a_bond_leads_to_its_slaves() {
    let mut cache = two_hosts(|_, _| {});
    (1..=4).for_each(|at| with_network(["slave a", "slave b", "bonded", "tagged"][at - 1], at, &mut cache));
    for (at, device) in [(1, "eth0"), (2, "eth1")] {
        let slave = pif::Record {
            bond_slave_of: Some(reference::<Bond>(1)),
            currently_attached: false,
            metrics: Some(reference(at)),
            ..nic(device, 1, at)
        };
        cache.insert::<PIF>(reference(at), slave);
        let metrics = pif_metrics::Record { carrier: at == 1, speed: 10_000, ..Default::default() };
        cache.insert::<PIFMetrics>(reference(at), metrics);
    }
    let master =
        pif::Record { bond_master_of: vec![reference(1)], vlan_slave_of: vec![reference::<VLAN>(1)], ..nic("bond0", 1, 3) };
    cache.insert::<PIF>(reference(3), master);
    let tagged = pif::Record { vlan: 42, vlan_master_of: Some(reference::<VLAN>(1)), physical: false, ..nic("bond0", 1, 4) };
    cache.insert::<PIF>(reference(4), tagged);
    cache.insert::<VM>(reference(1), vm("web", VmPowerState::Running, 1));
    for (at, network, attached) in [(1, 4, true), (2, 3, false)] {
        let record = vif::Record {
            vm: reference(1),
            network: reference(network),
            currently_attached: attached,
            ..Default::default()
        };
        cache.insert::<VIF>(reference(at), record);
    }
    let graph = draw(&cache, Lens::Network);
    assert_eq!(edge(&graph, "web", "tagged"), Some(EdgeState::Active));
    assert_eq!(edge(&graph, "web", "bonded"), Some(EdgeState::Inactive));
    assert_eq!(edge(&graph, "tagged", "VLAN 42"), Some(EdgeState::Active));
    assert_eq!(edge(&graph, "VLAN 42", "bond0"), Some(EdgeState::Active));
    assert_eq!(edge(&graph, "bonded", "bond0"), Some(EdgeState::Active));
    assert_eq!(edge(&graph, "bond0", "eth0"), Some(EdgeState::Active));
    assert_eq!(edge(&graph, "bond0", "eth1"), Some(EdgeState::Broken));
    assert_eq!(edge(&graph, "eth0", "one"), Some(EdgeState::Active));
    assert_eq!(named(&graph, "eth1").state, State::NoCarrier);
    assert_eq!(named(&graph, "eth0").detail, "10 Gb/s · one");
    assert!(!has(&graph, "slave a"), "the networks of bonded NICs serve nobody");
    let kinds = graph.columns.iter().map(|column| column.kind);
    let expected =
        [ColumnKind::Vms, ColumnKind::Networks, ColumnKind::Vlans, ColumnKind::Bonds, ColumnKind::Nics, ColumnKind::Hosts];
    assert!(kinds.eq(expected), "columns without anything are left out");
}

#[test]
fn tunnels_and_sriov_lead_to_their_nics() {
    let mut cache = two_hosts(|_, _| {});
    (1..=3).for_each(|at| with_network(["wire", "tunnelled", "virtual functions"][at - 1], at, &mut cache));
    let carrier = pif::Record {
        tunnel_transport_pif_of: vec![reference::<Tunnel>(1)],
        sriov_physical_pif_of: vec![reference::<NetworkSriov>(1)],
        ..nic("eth0", 1, 1)
    };
    cache.insert::<PIF>(reference(1), carrier);
    let tunnel = pif::Record { tunnel_access_pif_of: vec![reference(1)], physical: false, ..nic("tunnel0", 1, 2) };
    cache.insert::<PIF>(reference(2), tunnel);
    let sriov = pif::Record { sriov_logical_pif_of: vec![reference(1)], physical: false, ..nic("sriov0", 1, 3) };
    cache.insert::<PIF>(reference(3), sriov);
    let graph = draw(&cache, Lens::Network);
    assert_eq!(edge(&graph, "tunnelled", "tunnel0"), Some(EdgeState::Active));
    assert_eq!(edge(&graph, "tunnel0", "eth0"), Some(EdgeState::Active));
    assert_eq!(edge(&graph, "sriov0", "eth0"), Some(EdgeState::Active));
    assert_eq!(edge(&graph, "eth0", "one"), Some(EdgeState::Active));
    assert_eq!(edge(&graph, "wire", "eth0"), Some(EdgeState::Active));
}

#[test]
fn the_internal_management_network_is_hidden_and_private_networks_are_not() {
    let mut cache = two_hosts(|_, _| {});
    let internal = TextMap::from([("is_host_internal_management_network", "true")]);
    let record = network::Record { name_label: "management".into(), other_config: internal, ..Default::default() };
    cache.insert::<Network>(reference(1), record);
    cache.insert::<Network>(
        reference(2),
        network::Record { name_label: "by bridge".into(), bridge: "xenapi".into(), ..Default::default() },
    );
    cache.insert::<Network>(
        reference(3),
        network::Record { name_label: "private".into(), bridge: "xapi3".into(), ..Default::default() },
    );
    cache.insert::<PIF>(reference(1), nic("eth0", 1, 1));
    cache.insert::<VM>(reference(1), vm("web", VmPowerState::Running, 1));
    for at in 1..=3 {
        cache.insert::<VIF>(reference(at), vif::Record { vm: reference(1), network: reference(at), ..Default::default() });
    }
    let graph = draw(&cache, Lens::Network);
    assert!(!has(&graph, "management") && !has(&graph, "by bridge"));
    assert_eq!(named(&graph, "private").detail, "internal · xapi3 · 1 VIF");
    assert_eq!(named(&graph, "private").state, State::Running);
}
