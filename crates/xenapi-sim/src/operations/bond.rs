//! Bonds: several NICs that work as one, so that one of them may fail.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{Failure, Millis, RawRef, Struct, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::operations::steps::{Work, slow, steps};
use crate::operations::{Handler, devices, networks, overlays, pif, vif};
use crate::tasks::{Operation, Start};

pub(crate) fn find(message: &str) -> Option<Handler> {
    Some(match message {
        "create" => Handler::Job(create),
        "destroy" => Handler::Job(|_, _, args| {
            slow(
                Work::quiet("Bond", args.text(0), 2000),
                |_, _| Ok(()),
                |sim, bond| {
                    destroy(sim, bond);
                    Ok(Value::VOID)
                },
            )
        }),
        "set_mode" => Handler::Now(|sim, _, args| {
            let bond = sim.need("Bond", args.text(0))?;
            let own = sim.store.value("Bond", bond.as_str(), "properties").and_then(Value::as_struct).cloned();
            // Properties that the new mode does not know go; those that it misses get their defaults.
            let kept: Struct =
                own.unwrap_or_default().into_iter().filter(|(name, _)| property(args.text(1), name).is_some()).collect();
            let properties = complete(args.text(1), kept);
            let mode = args.take(1);
            sim.store.put("Bond", bond.as_str(), "mode", mode);
            sim.store.put("Bond", bond.as_str(), "properties", properties);
            Ok(Value::VOID)
        }),
        "set_property" => Handler::Now(|sim, _, args| {
            let bond = sim.need("Bond", args.text(0))?;
            let (name, value) = (String::from(args.text(1)), String::from(args.text(2)));
            check_property(sim.store.text("Bond", bond.as_str(), "mode"), &name, &value)?;
            sim.store.put_key("Bond", bond.as_str(), "properties", &name, value);
            Ok(Value::VOID)
        }),
        _ => return None,
    })
}

/// A property of bonds: its name, its default, and what it may be.
type Property = (&'static str, &'static str, fn(&str) -> bool);

const LACP: &[Property] = &[
    ("hashing_algorithm", "tcpudp_ports", |value| matches!(value, "src_mac" | "tcpudp_ports")),
    ("lacp-time", "slow", |value| matches!(value, "slow" | "fast")),
    ("lacp-aggregation-key", "0", |value| value.parse::<u16>().is_ok()),
    ("lacp-fallback-ab", "true", |value| matches!(value, "true" | "false")),
];

fn properties(mode: &str) -> &'static [Property] {
    if mode == "lacp" { LACP } else { &[] }
}

fn property(mode: &str, name: &str) -> Option<&'static Property> {
    properties(mode).iter().find(|(known, ..)| *known == name)
}

fn check_property(mode: &str, name: &str, value: &str) -> Result<(), Failure> {
    if property(mode, name).is_some_and(|(_, _, fits)| fits(value)) {
        return Ok(());
    }
    Err(Failure::new("INVALID_VALUE", ["properties".to_string(), format!("{name} = {value}")]))
}

fn complete(mode: &str, mut given: Struct) -> Struct {
    for (name, default, _) in properties(mode) {
        if given.get(name).is_none() {
            given.push(*name, *default);
        }
    }
    given
}

/// What `Bond.create` was asked for.
struct Wish {
    network: RawRef,
    members: Vec<RawRef>,
    mac: String,
    mode: String,
    properties: Struct,
}

impl Wish {
    fn check(&self, sim: &Sim) -> Result<(), Failure> {
        sim.need("network", self.network.as_str())?;
        for (name, value) in self.properties.iter() {
            check_property(&self.mode, name, value.as_text().unwrap_or(""))?;
        }
        if self.members.is_empty() {
            return Err(Failure::new("PIF_BOND_NEEDS_MORE_MEMBERS", [""; 0]));
        }
        self.members.iter().try_for_each(|pif| check_member(sim, pif))?;
        let host = self.host(sim);
        if self.members.iter().any(|pif| sim.store.reference("PIF", pif.as_str(), "host") != host) {
            return Err(Failure::new("PIF_CANNOT_BOND_CROSS_HOST", [""; 0]));
        }
        if let Some(pif) = self.members.iter().find(|pif| !sim.store.flag("PIF", pif.as_str(), "managed")) {
            return Err(Failure::new("PIF_UNMANAGED", [pif.as_str()]));
        }
        let map = |pif: &RawRef| sim.store.value("PIF", pif.as_str(), "properties").cloned();
        if self.members.iter().any(|pif| map(pif) != map(&self.members[0])) {
            return Err(Failure::new("INCOMPATIBLE_PIF_PROPERTIES", [""; 0]));
        }
        if self.members.iter().filter(|pif| has_address(sim, pif)).count() > 1 {
            return Err(Failure::new("PIF_BOND_MORE_THAN_ONE_IP", [""; 0]));
        }
        if !self.mac.is_empty() && !vif::is_mac(&self.mac) {
            return Err(Failure::new("MAC_INVALID", [self.mac.as_str()]));
        }
        networks::check_unconnected(sim, &host, &self.network)
    }

    fn host(&self, sim: &Sim) -> RawRef {
        self.members.first().map_or_else(RawRef::null, |pif| sim.store.reference("PIF", pif.as_str(), "host"))
    }

    /// The member that lends its address: the management interface, else the one with an address, else the first by name.
    fn primary(&self, sim: &Sim) -> RawRef {
        let mut members = self.members.clone();
        members.sort_by_key(|pif| {
            let is_management = sim.store.flag("PIF", pif.as_str(), "management");
            (!is_management, !has_address(sim, pif), String::from(sim.store.text("PIF", pif.as_str(), "device")))
        });
        members.into_iter().next().unwrap_or_default()
    }

    fn make(&self, sim: &mut Sim) -> RawRef {
        let (host, primary) = (self.host(sim), self.primary(sim));
        let mac = if self.mac.is_empty() {
            String::from(sim.store.text("PIF", primary.as_str(), "MAC"))
        } else {
            self.mac.to_lowercase()
        };
        let device = overlays::free_device(sim, &host, "bond");
        let new = pif::New { host: &host, network: &self.network, device: &device, mac: &mac, vlan: -1, physical: false };
        let master = new.insert(sim);
        let inherited = sim.store.value("PIF", primary.as_str(), "properties").cloned().unwrap_or_default();
        sim.store.put("PIF", master.as_str(), "properties", inherited);
        let (bond, uuid) = (sim.random.reference(), sim.random.uuid());
        let draft = sim.store.draft("Bond").with("uuid", uuid).with("master", &master);
        let draft = draft.with("mode", self.mode.as_str()).with("primary_slave", &primary);
        let draft = draft.with("properties", complete(&self.mode, self.properties.clone()));
        sim.store.insert(&bond, draft.with("auto_update_mac", self.mac.is_empty()));
        for slave in &self.members {
            sim.store.put("PIF", slave.as_str(), "bond_slave_of", &bond);
        }
        pif::move_address(sim, &primary, &master);
        sim.store.put("PIF", master.as_str(), "currently_attached", true);
        for slave in &self.members {
            move_overlays(sim, slave, &master);
            move_vifs(sim, &host, slave, &master);
            sim.store.put("PIF", slave.as_str(), "currently_attached", false);
            sim.store.put("PIF", slave.as_str(), "ip_configuration_mode", "None");
        }
        sim.follow_carrier(&bond);
        bond
    }
}

fn has_address(sim: &Sim, pif: &RawRef) -> bool {
    let is_set = |field| !matches!(sim.store.text("PIF", pif.as_str(), field), "" | "None");
    is_set("ip_configuration_mode") || is_set("ipv6_configuration_mode")
}

fn check_member(sim: &Sim, pif: &RawRef) -> Result<(), Failure> {
    let pif = sim.need("PIF", pif.as_str())?;
    let of = pif.as_str();
    let refuse = |code: &str| Err(Failure::new(code, [of]));
    if !sim.store.reference("PIF", of, "bond_slave_of").is_null() || !sim.store.refs("PIF", of, "bond_master_of").is_empty()
    {
        return refuse("PIF_ALREADY_BONDED");
    }
    if sim.store.int("PIF", of, "VLAN") >= 0 {
        return Err(Failure::new("PIF_VLAN_EXISTS", [sim.store.text("PIF", of, "device")]));
    }
    if !sim.store.refs("PIF", of, "tunnel_access_PIF_of").is_empty() {
        return refuse("IS_TUNNEL_ACCESS_PIF");
    }
    if !sim.store.refs("PIF", of, "sriov_logical_PIF_of").is_empty() {
        return refuse("PIF_IS_SRIOV_LOGICAL");
    }
    Ok(())
}

fn create(_: &mut Sim, _: &Caller, args: &mut Args) -> Result<Box<dyn Operation>, Failure> {
    let members = args.value(1).and_then(Value::as_array).unwrap_or_default();
    let wish = Wish {
        network: RawRef::from(args.text(0)),
        members: members.iter().filter_map(Value::as_text).map(RawRef::from).collect(),
        mac: args.text(2).into(),
        mode: if args.value(3).is_some() { args.text(3).into() } else { "balance-slb".into() },
        properties: args.value(4).and_then(Value::as_struct).cloned().unwrap_or_default(),
    };
    let wish = alloc::sync::Arc::new(wish);
    let begin = {
        let wish = wish.clone();
        move |sim: &mut Sim| wish.check(sim).map(|()| Start { duration: Millis(2000), holds: Vec::new() })
    };
    steps(begin, move |sim| {
        wish.check(sim)?;
        Ok(wish.make(sim).into())
    })
}

/// VLANs and tunnels of one PIF stand on another from now on. One whose tag is there already lends its guests and goes.
fn move_overlays(sim: &mut Sim, from: &RawRef, to: &RawRef) {
    let device = String::from(sim.store.text("PIF", to.as_str(), "device"));
    for vlan in sim.store.refs("PIF", from.as_str(), "VLAN_slave_of") {
        let tag = sim.store.int("VLAN", vlan.as_str(), "tag");
        let same = |other: &RawRef| sim.store.int("VLAN", other.as_str(), "tag") == tag;
        let untagged = sim.store.reference("VLAN", vlan.as_str(), "untagged_PIF");
        if let Some(other) = sim.store.refs("PIF", to.as_str(), "VLAN_slave_of").into_iter().find(same) {
            let host = sim.store.reference("PIF", to.as_str(), "host");
            let kept = sim.store.reference("VLAN", other.as_str(), "untagged_PIF");
            if has_address(sim, &untagged) && !has_address(sim, &kept) {
                pif::move_address(sim, &untagged, &kept);
            }
            move_vifs(sim, &host, &untagged, &kept);
            overlays::remove_vlan(sim, &vlan);
            continue;
        }
        sim.store.put("VLAN", vlan.as_str(), "tagged_PIF", to);
        sim.store.put("PIF", untagged.as_str(), "device", device.as_str());
    }
    for tunnel in sim.store.refs("PIF", from.as_str(), "tunnel_transport_PIF_of") {
        sim.store.put("tunnel", tunnel.as_str(), "transport_PIF", to);
    }
}

/// NICs of VMs of a host on the network of one PIF are on that of another from now on.
fn move_vifs(sim: &mut Sim, host: &RawRef, from: &RawRef, to: &RawRef) {
    let old = sim.store.reference("PIF", from.as_str(), "network");
    let new = sim.store.reference("PIF", to.as_str(), "network");
    let is_alone = sim.store.count("host") == 1;
    for vif in sim.store.refs("network", old.as_str(), "VIFs") {
        let vm = sim.store.reference("VIF", vif.as_str(), "VM");
        if is_alone || sim.store.reference("VM", vm.as_str(), "resident_on") == *host {
            sim.store.put("VIF", vif.as_str(), "network", &new);
        }
    }
}

/// `Bond.destroy`: its first member takes over what stands on the bond.
fn destroy(sim: &mut Sim, bond: &RawRef) {
    let master = sim.store.reference("Bond", bond.as_str(), "master");
    let primary = sim.store.reference("Bond", bond.as_str(), "primary_slave");
    let slaves = sim.store.refs("Bond", bond.as_str(), "slaves");
    let primary = if slaves.contains(&primary) { primary } else { slaves.first().cloned().unwrap_or_default() };
    let host = sim.store.reference("PIF", master.as_str(), "host");
    let is_up = sim.store.flag("PIF", master.as_str(), "currently_attached");
    pif::move_address(sim, &master, &primary);
    move_overlays(sim, &master, &primary);
    move_vifs(sim, &host, &master, &primary);
    for slave in &slaves {
        sim.store.put("PIF", slave.as_str(), "bond_slave_of", RawRef::null());
    }
    sim.store.put("PIF", primary.as_str(), "currently_attached", is_up);
    sim.store.remove("Bond", bond.as_str());
    devices::remove_pif(sim, &master);
    sim.follow_overlays(&primary);
}
