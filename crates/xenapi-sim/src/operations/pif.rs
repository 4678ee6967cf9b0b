//! NICs of hosts, physical and not: their addresses, and being up.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};

use xenapi_core::{Failure, RawRef, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::operations::around::Nic;
use crate::operations::steps::{Work, slow};
use crate::operations::{Handler, devices, networks, overlays, vif};
use crate::store::Draft;

pub(crate) fn find(message: &str) -> Option<Handler> {
    Some(match message {
        "plug" => Handler::Job(|_, _, args| {
            slow(Work::quiet("PIF", args.text(0), 1000), check_plug, |sim, pif| {
                sim.store.put("PIF", pif.as_str(), "currently_attached", true);
                Ok(Value::VOID)
            })
        }),
        "unplug" => Handler::Job(|_, _, args| {
            slow(Work::quiet("PIF", args.text(0), 500), check_unplug, |sim, pif| {
                sim.store.put("PIF", pif.as_str(), "currently_attached", false);
                Ok(Value::VOID)
            })
        }),
        "introduce" => Handler::Now(introduce),
        "forget" => Handler::Now(|sim, _, args| {
            let pif = sim.need("PIF", args.text(0))?;
            check_forget(sim, &pif)?;
            let text = |field| String::from(sim.store.text("PIF", pif.as_str(), field));
            let host = sim.store.reference("PIF", pif.as_str(), "host");
            let nic = Nic { host, device: text("device"), mac: text("MAC") };
            sim.around.nics.push(nic);
            devices::remove_pif(sim, &pif);
            Ok(Value::VOID)
        }),
        "scan" => Handler::Now(|sim, _, args| {
            let host = sim.need("host", args.text(0))?;
            let nics = core::mem::take(&mut sim.around.nics);
            let (found, others): (Vec<Nic>, Vec<Nic>) = nics.into_iter().partition(|nic| nic.host == host);
            sim.around.nics = others;
            for nic in found {
                record(sim, &nic, true);
            }
            Ok(Value::VOID)
        }),
        "reconfigure_ip" => Handler::Job(|_, _, args| {
            let wish = Address::of_v4(args);
            let checked = wish.clone();
            reconfigure(args, move |sim, pif| checked.check_v4(sim, pif), move |sim, pif| wish.write_v4(sim, pif))
        }),
        "reconfigure_ipv6" => Handler::Job(|_, _, args| {
            let wish = Address::of_v6(args);
            let checked = wish.clone();
            reconfigure(args, move |sim, pif| checked.check_v6(sim, pif), move |sim, pif| wish.write_v6(sim, pif))
        }),
        "set_primary_address_type" => Handler::Now(|sim, _, args| {
            let pif = sim.need("PIF", args.text(0))?;
            let wanted = args.text(1);
            let field = if wanted == "IPv6" { "ipv6_configuration_mode" } else { "ip_configuration_mode" };
            if sim.store.flag("PIF", pif.as_str(), "management") {
                return Err(Failure::new("PIF_IS_MANAGEMENT_INTERFACE", [pif.as_str()]));
            }
            if sim.store.text("PIF", pif.as_str(), field) == "None" {
                return Err(Failure::new("PIF_INCOMPATIBLE_PRIMARY_ADDRESS_TYPE", [pif.as_str()]));
            }
            let value = args.take(1);
            sim.store.put("PIF", pif.as_str(), "primary_address_type", value);
            Ok(Value::VOID)
        }),
        "set_property" => Handler::Now(set_property),
        "db_introduce" => Handler::Now(db_introduce),
        "db_forget" => Handler::Now(|sim, _, args| {
            let pif = sim.need("PIF", args.text(0))?;
            devices::remove_pif(sim, &pif);
            Ok(Value::VOID)
        }),
        "create_VLAN" => Handler::Now(overlays::create_vlan_by_device),
        "destroy" => Handler::Now(overlays::destroy_vlan_pif),
        _ => return None,
    })
}

fn check_managed(sim: &Sim, pif: &RawRef) -> Result<(), Failure> {
    if sim.store.flag("PIF", pif.as_str(), "managed") {
        return Ok(());
    }
    Err(Failure::new("PIF_UNMANAGED", [pif.as_str()]))
}

fn check_plug(sim: &Sim, pif: &RawRef) -> Result<(), Failure> {
    check_managed(sim, pif)?;
    let of = pif.as_str();
    if !sim.store.reference("PIF", of, "bond_slave_of").is_null() {
        return Err(Failure::new("CANNOT_PLUG_BOND_SLAVE", [of]));
    }
    for tunnel in sim.store.refs("PIF", of, "tunnel_access_PIF_of") {
        let transport = sim.store.reference("tunnel", tunnel.as_str(), "transport_PIF");
        if sim.store.text("PIF", transport.as_str(), "ip_configuration_mode") == "None" {
            return Err(Failure::new("TRANSPORT_PIF_NOT_CONFIGURED", [transport.as_str()]));
        }
    }
    Ok(())
}

fn check_unplug(sim: &Sim, pif: &RawRef) -> Result<(), Failure> {
    check_managed(sim, pif)?;
    let of = pif.as_str();
    if sim.store.flag("PIF", of, "management") {
        return Err(Failure::new("PIF_IS_MANAGEMENT_INTERFACE", [of]));
    }
    if sim.store.flag("PIF", of, "disallow_unplug") {
        return Err(Failure::new("PIF_DOES_NOT_ALLOW_UNPLUG", [of]));
    }
    networks::check_idle(sim, pif)
}

/// What stands on a PIF keeps it from being forgotten.
fn check_forget(sim: &Sim, pif: &RawRef) -> Result<(), Failure> {
    let of = pif.as_str();
    let refuse = |code: &str| Err(Failure::new(code, [of]));
    let refs = |field| !sim.store.refs("PIF", of, field).is_empty();
    if !sim.store.reference("PIF", of, "bond_slave_of").is_null() || refs("bond_master_of") {
        return refuse("PIF_ALREADY_BONDED");
    }
    if refs("VLAN_slave_of") || !sim.store.reference("PIF", of, "VLAN_master_of").is_null() {
        return refuse("PIF_VLAN_STILL_EXISTS");
    }
    if refs("tunnel_transport_PIF_of") || refs("tunnel_access_PIF_of") {
        return refuse("PIF_TUNNEL_STILL_EXISTS");
    }
    if refs("sriov_logical_PIF_of") {
        return refuse("CANNOT_FORGET_SRIOV_LOGICAL");
    }
    if refs("sriov_physical_PIF_of") {
        return refuse("PIF_SRIOV_STILL_EXISTS");
    }
    if sim.store.flag("PIF", of, "management") {
        return refuse("PIF_IS_MANAGEMENT_INTERFACE");
    }
    networks::check_idle(sim, pif)
}

/// `PIF.introduce`: a record for a NIC that is in the host.
fn introduce(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let host = sim.need("host", args.text(0))?;
    let (mac, device) = (args.text(1).to_lowercase(), String::from(args.text(2)));
    if !mac.is_empty() && !vif::is_mac(&mac) {
        return Err(Failure::new("MAC_INVALID", [mac]));
    }
    let pifs = sim.store.refs("host", host.as_str(), "PIFs");
    let has = |field: &str, value: &str| {
        let physical = pifs.iter().filter(|pif| sim.store.flag("PIF", pif.as_str(), "physical"));
        !value.is_empty() && physical.into_iter().any(|pif| sim.store.text("PIF", pif.as_str(), field) == value)
    };
    if has("MAC", &mac) || has("device", &device) {
        return Err(Failure::new("DUPLICATE_PIF_DEVICE_NAME", [device]));
    }
    let is_it = |nic: &Nic| {
        nic.host == host
            && (mac.is_empty() || nic.mac.eq_ignore_ascii_case(&mac))
            && (device.is_empty() || nic.device == device)
    };
    let Some(at) = sim.around.nics.iter().position(is_it) else {
        return Err(Failure::new("MAC_DOES_NOT_EXIST", [mac]));
    };
    let nic = sim.around.nics.remove(at);
    let managed = args.value(3).is_none() || args.flag(3);
    Ok(record(sim, &nic, managed).into())
}

/// Records a NIC that was found, on the network of its device.
fn record(sim: &mut Sim, nic: &Nic, managed: bool) -> RawRef {
    let bridge = format!("xenbr{}", nic.device.trim_start_matches("eth"));
    let network = networks::with_bridge(sim, &bridge).unwrap_or_else(|| {
        let label = format!("Pool-wide network associated with {}", nic.device);
        networks::new_network(sim, &label, &bridge)
    });
    let new = New { host: &nic.host, network: &network, device: &nic.device, mac: &nic.mac, vlan: -1, physical: true };
    let pif = new.insert(sim);
    sim.store.put("PIF", pif.as_str(), "managed", managed);
    pif
}

/// What distinguishes a new PIF.
pub(crate) struct New<'a> {
    pub(crate) host: &'a RawRef,
    pub(crate) network: &'a RawRef,
    pub(crate) device: &'a str,
    pub(crate) mac: &'a str,
    pub(crate) vlan: i64,
    pub(crate) physical: bool,
}

impl New<'_> {
    /// Makes it, with metrics, without an address and down.
    pub(crate) fn insert(&self, sim: &mut Sim) -> RawRef {
        let (metrics, pif) = (sim.random.reference(), sim.random.reference());
        let (uuid_of_metrics, uuid, date) = (sim.random.uuid(), sim.random.uuid(), sim.date());
        let draft = sim.store.draft("PIF_metrics").with("uuid", uuid_of_metrics).with("last_updated", date);
        let draft = draft.with("carrier", true).with("speed", 10_000).with("duplex", true);
        sim.store.insert(&metrics, draft.with("pci_bus_path", "N/A"));
        let mtu = sim.store.int("network", self.network.as_str(), "MTU");
        let draft = sim.store.draft("PIF").with("uuid", uuid).with("device", self.device).with("network", self.network);
        let draft = draft.with("host", self.host).with("MAC", self.mac).with("MTU", mtu).with("VLAN", self.vlan);
        let draft = draft.with("metrics", &metrics).with("physical", self.physical).with("currently_attached", false);
        let draft = draft.with("ip_configuration_mode", "None").with("ipv6_configuration_mode", "None");
        sim.store.insert(&pif, draft);
        pif
    }
}

/// An address that a PIF is to have.
#[derive(Clone)]
struct Address {
    mode: String,
    ip: String,
    netmask: String,
    gateway: String,
    dns: String,
}

impl Address {
    fn of_v4(args: &Args) -> Address {
        let text = |at| String::from(args.text(at));
        Address { mode: text(1), ip: text(2), netmask: text(3), gateway: text(4), dns: text(5) }
    }

    fn of_v6(args: &Args) -> Address {
        let text = |at| String::from(args.text(at));
        Address { mode: text(1), ip: text(2), netmask: String::new(), gateway: text(3), dns: text(4) }
    }

    fn check_common(&self, sim: &Sim, pif: &RawRef) -> Result<(), Failure> {
        check_managed(sim, pif)?;
        let of = pif.as_str();
        if !sim.store.reference("PIF", of, "bond_slave_of").is_null() && self.mode != "None" {
            return Err(Failure::new("PIF_ALREADY_BONDED", [of]));
        }
        Ok(())
    }

    /// A management interface without any address could not be reached again.
    fn check_management(&self, sim: &Sim, pif: &RawRef, other: &str) -> Result<(), Failure> {
        let of = pif.as_str();
        if self.mode == "None" && sim.store.flag("PIF", of, "management") && sim.store.text("PIF", of, other) == "None" {
            return Err(Failure::new("PIF_IS_MANAGEMENT_INTERFACE", [of]));
        }
        Ok(())
    }

    fn check_names(&self, is_address: impl Fn(&str) -> bool) -> Result<(), Failure> {
        let servers = self.dns.split(',').filter(|server| !server.is_empty());
        if servers.into_iter().any(|server| !is_address(server.trim())) {
            return Err(Failure::new("INVALID_IP_ADDRESS_SPECIFIED", ["DNS"]));
        }
        Ok(())
    }

    fn check_v4(&self, sim: &Sim, pif: &RawRef) -> Result<(), Failure> {
        self.check_common(sim, pif)?;
        let is_address = |text: &str| text.parse::<Ipv4Addr>().is_ok();
        if self.mode == "Static" {
            for (value, name) in [(&self.ip, "IP"), (&self.netmask, "netmask")] {
                if !is_address(value) {
                    return Err(Failure::new("INVALID_IP_ADDRESS_SPECIFIED", [name]));
                }
            }
        }
        if !self.gateway.is_empty() && !is_address(&self.gateway) {
            return Err(Failure::new("INVALID_IP_ADDRESS_SPECIFIED", ["gateway"]));
        }
        self.check_names(|text| is_address(text) || text.parse::<Ipv6Addr>().is_ok())?;
        self.check_management(sim, pif, "ipv6_configuration_mode")
    }

    fn write_v4(&self, sim: &mut Sim, pif: &RawRef) {
        let of = pif.as_str();
        let leased = devices::address_of(sim.store.text("PIF", of, "MAC"));
        let (ip, netmask, gateway, dns) = match self.mode.as_str() {
            "Static" => (self.ip.clone(), self.netmask.clone(), self.gateway.clone(), self.dns.clone()),
            "DHCP" => (leased, "255.240.0.0".into(), "10.16.0.1".into(), "10.16.0.2".into()),
            _ => Default::default(),
        };
        sim.store.put("PIF", of, "ip_configuration_mode", self.mode.as_str());
        sim.store.put("PIF", of, "IP", ip.as_str());
        sim.store.put("PIF", of, "netmask", netmask);
        sim.store.put("PIF", of, "gateway", gateway);
        sim.store.put("PIF", of, "DNS", dns);
        if self.mode != "None" {
            sim.store.put("PIF", of, "currently_attached", true);
        }
        if sim.store.flag("PIF", of, "management") && sim.store.text("PIF", of, "primary_address_type") == "IPv4" {
            let host = sim.store.reference("PIF", of, "host");
            sim.store.put("host", host.as_str(), "address", ip);
        }
    }

    fn check_v6(&self, sim: &Sim, pif: &RawRef) -> Result<(), Failure> {
        self.check_common(sim, pif)?;
        let is_address = |text: &str| text.parse::<Ipv6Addr>().is_ok();
        if self.mode == "Static" {
            let (ip, length) = self.ip.split_once('/').unwrap_or((&self.ip, ""));
            if !is_address(ip) || !length.parse::<u8>().is_ok_and(|length| length <= 128) {
                return Err(Failure::new("INVALID_CIDR_ADDRESS_SPECIFIED", ["IPv6"]));
            }
        }
        if !self.gateway.is_empty() && !is_address(&self.gateway) {
            return Err(Failure::new("INVALID_IP_ADDRESS_SPECIFIED", ["gateway"]));
        }
        self.check_names(|text| is_address(text) || text.parse::<Ipv4Addr>().is_ok())?;
        self.check_management(sim, pif, "ip_configuration_mode")
    }

    fn write_v6(&self, sim: &mut Sim, pif: &RawRef) {
        let of = pif.as_str();
        let is_static = self.mode == "Static";
        let addresses: Vec<Value> = if is_static { Vec::from([self.ip.as_str().into()]) } else { Vec::new() };
        sim.store.put("PIF", of, "ipv6_configuration_mode", self.mode.as_str());
        sim.store.put("PIF", of, "IPv6", addresses);
        sim.store.put("PIF", of, "ipv6_gateway", if is_static { self.gateway.as_str() } else { "" });
        if is_static && !self.dns.is_empty() {
            sim.store.put("PIF", of, "DNS", self.dns.as_str());
        }
    }
}

fn reconfigure(
    args: &Args,
    check: impl Fn(&Sim, &RawRef) -> Result<(), Failure> + Send + Sync + 'static,
    write: impl Fn(&mut Sim, &RawRef) + Send + 'static,
) -> Result<alloc::boxed::Box<dyn crate::tasks::Operation>, Failure> {
    // Shared by the beginning and the end of the operation.
    let check = alloc::sync::Arc::new(check);
    let (first, last) = (check.clone(), check);
    let (pif, again) = (RawRef::from(args.text(0)), RawRef::from(args.text(0)));
    let begin = move |sim: &mut Sim| {
        let pif = sim.need("PIF", pif.as_str())?;
        first(sim, &pif)?;
        Ok(crate::tasks::Start { duration: xenapi_core::Millis(1500), holds: Vec::new() })
    };
    crate::operations::steps::steps(begin, move |sim| {
        let pif = sim.need("PIF", again.as_str())?;
        last(sim, &pif)?;
        write(sim, &pif);
        Ok(Value::VOID)
    })
}

/// `PIF.set_property`: `gro` is the one that there is, for NICs and bonds.
fn set_property(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let pif = sim.need("PIF", args.text(0))?;
    let (name, value) = (String::from(args.text(1)), String::from(args.text(2)));
    let of = pif.as_str();
    let is_bond = !sim.store.refs("PIF", of, "bond_master_of").is_empty();
    let is_slave = !sim.store.reference("PIF", of, "bond_slave_of").is_null();
    if is_slave || !(is_bond || sim.store.flag("PIF", of, "physical")) {
        return Err(Failure::new("CANNOT_CHANGE_PIF_PROPERTIES", [of]));
    }
    if name != "gro" || !matches!(value.as_str(), "on" | "off") {
        return Err(Failure::new("INVALID_VALUE", ["properties".to_string(), format!("{name} = {value}")]));
    }
    sim.store.put_key("PIF", of, "properties", &name, value.as_str());
    for bond in sim.store.refs("PIF", of, "bond_master_of") {
        for slave in sim.store.refs("Bond", bond.as_str(), "slaves") {
            sim.store.put_key("PIF", slave.as_str(), "properties", &name, value.as_str());
        }
    }
    Ok(Value::VOID)
}

/// `PIF.db_introduce`: a record as it is given.
fn db_introduce(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    const FIELDS: [&str; 23] = [
        "device",
        "network",
        "host",
        "MAC",
        "MTU",
        "VLAN",
        "physical",
        "ip_configuration_mode",
        "IP",
        "netmask",
        "gateway",
        "DNS",
        "bond_slave_of",
        "VLAN_master_of",
        "management",
        "other_config",
        "disallow_unplug",
        "ipv6_configuration_mode",
        "IPv6",
        "ipv6_gateway",
        "primary_address_type",
        "managed",
        "properties",
    ];
    sim.need("network", args.text(1))?;
    sim.need("host", args.text(2))?;
    for (at, class) in [(12, "Bond"), (13, "VLAN")] {
        if !RawRef::from(args.text(at)).is_null() {
            sim.need(class, args.text(at))?;
        }
    }
    let metrics = devices::metrics(sim, "PIF_metrics");
    let (pif, uuid) = (sim.random.reference(), sim.random.uuid());
    let mut draft: Draft = sim.store.draft("PIF").with("uuid", uuid).with("metrics", &metrics);
    for (at, field) in FIELDS.into_iter().enumerate() {
        if args.value(at).is_some() {
            draft.set(field, args.take(at));
        }
    }
    draft.set("currently_attached", false);
    sim.store.insert(&pif, draft);
    Ok(pif.into())
}

/// The fields of a PIF's address, for another to take over.
pub(crate) const ADDRESS: &[&str] = &[
    "ip_configuration_mode",
    "IP",
    "netmask",
    "gateway",
    "DNS",
    "ipv6_configuration_mode",
    "IPv6",
    "ipv6_gateway",
    "primary_address_type",
    "management",
    "disallow_unplug",
];

/// Moves the address of a PIF to another one, and being the management interface.
pub(crate) fn move_address(sim: &mut Sim, from: &RawRef, to: &RawRef) {
    let class = sim.store.table("PIF").class;
    for name in ADDRESS {
        let Some(value) = sim.store.value("PIF", from.as_str(), name).cloned() else { continue };
        sim.store.put("PIF", to.as_str(), name, value);
        let Some(field) = class.field(name) else { continue };
        let empty = match *name {
            "ip_configuration_mode" | "ipv6_configuration_mode" => Value::from("None"),
            _ => field.default_value(),
        };
        sim.store.put("PIF", from.as_str(), name, empty);
    }
}
