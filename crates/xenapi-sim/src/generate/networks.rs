//! Networks and NICs: on every host four NICs, two of them bonded, VLANs on the bond.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{RawRef, Value};

use super::hosts::Host;
use super::names::VLANS;
use super::scenario::Style;
use super::{map, set};
use crate::Sim;

pub(crate) struct Networks {
    pub(crate) bond: RawRef,
    pub(crate) vlans: Vec<RawRef>,
    /// Without NICs.
    pub(crate) isolated: RawRef,
    /// The tags of the VLANs.
    tags: Vec<i64>,
}

/// What distinguishes one PIF from another.
struct Pif<'a> {
    device: &'a str,
    network: &'a RawRef,
    mac: String,
    vlan: i64,
    physical: bool,
    attached: bool,
    carrier: bool,
    /// Set if it has an address.
    address: Option<String>,
    management: bool,
}

pub(crate) fn make(sim: &mut Sim, hosts: &[Host], style: &Style) -> Networks {
    let internal = make_network(sim, "Host internal management network", "xenapi");
    let config = map([
        ("is_guest_installer_network", "true"),
        ("is_host_internal_management_network", "true"),
        ("ip_begin", "169.254.0.1"),
        ("ip_end", "169.254.255.254"),
        ("netmask", "255.255.0.0"),
    ]);
    sim.store.put("network", internal.as_str(), "other_config", config);
    let labels = match style.bond {
        Some(_) => ["Management", "Bond slave 1", "Bond slave 2", "Storage"],
        None => ["Management", "Guests", "Spare", "Storage"],
    };
    let physical: Vec<RawRef> =
        (0..).zip(labels).map(|(at, label): (usize, _)| make_network(sim, label, &format!("xenbr{at}"))).collect();
    let bond = match style.bond {
        Some(_) => make_network(sim, "Bond 1+2", "xapi0"),
        None => physical[1].clone(),
    };
    let tags: Vec<i64> = (0..style.vlans).map(tag_of).collect();
    let vlans = tags.iter().enumerate().map(|(at, tag)| {
        let label = match VLANS.get(at) {
            Some((name, _)) => format!("{name} (VLAN {tag})"),
            None => format!("Tenant {:02} (VLAN {tag})", at + 1 - VLANS.len()),
        };
        // xapi9 is the one without NICs.
        make_network(sim, &label, &format!("xapi{}", if at < 8 { at + 1 } else { at + 2 }))
    });
    let vlans: Vec<RawRef> = vlans.collect();
    let isolated = make_network(sim, "Isolated lab", "xapi9");
    let networks = Networks { bond, vlans, isolated, tags };
    for (at, host) in hosts.iter().enumerate() {
        let has_broken_link = style.has_worries && at + 1 == hosts.len();
        make_nics(sim, host, &physical, &networks, style.bond, has_broken_link);
    }
    networks
}

/// The tag of a VLAN by its place.
fn tag_of(at: usize) -> i64 {
    VLANS.get(at).map_or_else(|| 200 + i64::try_from(at).unwrap_or(0), |(_, tag)| *tag)
}

fn make_network(sim: &mut Sim, label: &str, bridge: &str) -> RawRef {
    let (reference, uuid) = (sim.random.reference(), sim.random.uuid());
    let draft = sim.store.draft("network").with("uuid", uuid).with("name_label", label).with("bridge", bridge);
    sim.store.insert(&reference, draft);
    reference
}

fn make_pif(sim: &mut Sim, host: &Host, pif: Pif<'_>) -> RawRef {
    let (reference, metrics) = (sim.random.reference(), sim.random.reference());
    let (uuid, uuid_of_metrics, date) = (sim.random.uuid(), sim.random.uuid(), sim.date());
    let draft = sim.store.draft("PIF_metrics").with("uuid", uuid_of_metrics);
    let speed = if pif.carrier { 10_000 } else { 0 };
    let draft = draft
        .with("carrier", pif.carrier)
        .with("speed", speed)
        .with("duplex", pif.carrier)
        .with("vendor_id", if pif.physical { "8086" } else { "" })
        .with("vendor_name", if pif.physical { "Intel Corporation" } else { "" })
        .with("device_id", if pif.physical { "1572" } else { "" })
        .with("device_name", if pif.physical { "Ethernet Controller X710 for 10GbE SFP+" } else { "" })
        .with("pci_bus_path", if pif.physical { "0000:3b:00.0" } else { "N/A" })
        .with("last_updated", date);
    sim.store.insert(&metrics, draft);
    let has_address = pif.address.is_some();
    let draft = sim.store.draft("PIF");
    let draft = draft
        .with("uuid", uuid)
        .with("device", pif.device)
        .with("network", pif.network)
        .with("host", &host.reference)
        .with("MAC", pif.mac)
        .with("MTU", 1500)
        .with("VLAN", pif.vlan)
        .with("metrics", &metrics)
        .with("physical", pif.physical)
        .with("currently_attached", pif.attached)
        .with("ip_configuration_mode", if has_address { "Static" } else { "None" })
        .with("IP", pif.address.unwrap_or_default())
        .with("netmask", if has_address { "255.255.255.0" } else { "" })
        .with("gateway", if pif.management { "192.0.2.1" } else { "" })
        .with("DNS", if pif.management { "192.0.2.2" } else { "" })
        .with("management", pif.management)
        .with("ipv6_configuration_mode", "None")
        .with("capabilities", if pif.physical { set(["sriov"]) } else { Vec::new() });
    sim.store.insert(&reference, draft);
    reference
}

fn make_nics(
    sim: &mut Sim,
    host: &Host,
    physical: &[RawRef],
    networks: &Networks,
    mode: Option<&str>,
    has_broken_link: bool,
) {
    let mut guests = RawRef::null();
    let (mut slaves, mut bond_mac) = (Vec::new(), String::new());
    let storage_address = host.address.replace("192.0.2.", "198.51.100.");
    for (at, network) in physical.iter().enumerate() {
        let is_slave = mode.is_some() && (at == 1 || at == 2);
        let mac = sim.random.mac();
        if at == 1 {
            bond_mac.clone_from(&mac);
        }
        let address = match at {
            0 => Some(host.address.clone()),
            3 => Some(storage_address.clone()),
            _ => None,
        };
        let device = format!("eth{at}");
        let pif = Pif {
            device: &device,
            network,
            mac,
            vlan: -1,
            physical: true,
            // Members of a bond are not attached themselves.
            attached: !is_slave,
            carrier: !(has_broken_link && at == 2),
            address,
            management: at == 0,
        };
        let pif = make_pif(sim, host, pif);
        if is_slave {
            slaves.push(pif);
        } else if at == 1 {
            guests = pif;
        }
    }
    let pif = |network, mac: String, vlan| Pif {
        device: if mode.is_some() { "bond0" } else { "eth1" },
        network,
        mac,
        vlan,
        physical: false,
        attached: true,
        carrier: true,
        address: None,
        management: false,
    };
    let master = match mode {
        Some(mode) => {
            let master = make_pif(sim, host, pif(&networks.bond, bond_mac, -1));
            make_bond(sim, &master, &slaves, mode, if has_broken_link { 1 } else { 2 });
            master
        }
        None => guests,
    };
    for (tag, network) in networks.tags.iter().zip(&networks.vlans) {
        let untagged = make_pif(sim, host, pif(network, "fe:ff:ff:ff:ff:ff".into(), *tag));
        let (vlan, uuid) = (sim.random.reference(), sim.random.uuid());
        let draft = sim.store.draft("VLAN").with("uuid", uuid).with("tagged_PIF", &master);
        sim.store.insert(&vlan, draft.with("untagged_PIF", &untagged).with("tag", *tag));
        sim.store.put("PIF", untagged.as_str(), "VLAN_master_of", &vlan);
    }
}

fn make_bond(sim: &mut Sim, master: &RawRef, slaves: &[RawRef], mode: &str, links_up: i64) {
    let (bond, uuid) = (sim.random.reference(), sim.random.uuid());
    let draft = sim.store.draft("Bond").with("uuid", uuid).with("master", master).with("mode", mode);
    let draft = draft.with("links_up", links_up).with("primary_slave", slaves.first().map_or(Value::VOID, Value::from));
    sim.store.insert(&bond, draft);
    for slave in slaves {
        sim.store.put("PIF", slave.as_str(), "bond_slave_of", &bond);
    }
}
