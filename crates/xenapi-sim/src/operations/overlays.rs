//! Networks over networks: VLANs, tunnels, and NICs split by SR-IOV.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{Failure, RawRef, Struct, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::operations::steps::{Work, slow, steps};
use crate::operations::{Handler, devices, networks, pif};
use crate::tasks::Start;

/// The virtual functions of a simulated NIC.
const FUNCTIONS: usize = 63;

pub(crate) fn find(class: &str, message: &str) -> Option<Handler> {
    Some(match (class, message) {
        ("VLAN", "create") => Handler::Job(|_, _, args| {
            let (pif, tag, network) = (RawRef::from(args.text(0)), args.int(1), RawRef::from(args.text(2)));
            let begin = {
                let (pif, network) = (pif.clone(), network.clone());
                move |sim: &mut Sim| {
                    check_vlan(sim, &pif, tag, &network)?;
                    Ok(Start { duration: xenapi_core::Millis(500), holds: Vec::new() })
                }
            };
            steps(begin, move |sim| make_vlan(sim, &pif, tag, &network).map(|(vlan, _)| vlan.into()))
        }),
        ("VLAN", "destroy") => Handler::Job(|_, _, args| {
            let check =
                |sim: &Sim, vlan: &RawRef| check_overlay(sim, &sim.store.reference("VLAN", vlan.as_str(), "untagged_PIF"));
            slow(Work::quiet("VLAN", args.text(0), 300), check, |sim, vlan| {
                remove_vlan(sim, vlan);
                Ok(Value::VOID)
            })
        }),
        ("tunnel", "create") => Handler::Now(create_tunnel),
        ("tunnel", "destroy") => Handler::Job(|_, _, args| {
            let check = |sim: &Sim, tunnel: &RawRef| {
                check_overlay(sim, &sim.store.reference("tunnel", tunnel.as_str(), "access_PIF"))
            };
            slow(Work::quiet("tunnel", args.text(0), 300), check, |sim, tunnel| {
                let pif = sim.store.reference("tunnel", tunnel.as_str(), "access_PIF");
                sim.store.remove("tunnel", tunnel.as_str());
                devices::remove_pif(sim, &pif);
                Ok(Value::VOID)
            })
        }),
        ("network_sriov", "create") => Handler::Now(create_sriov),
        ("network_sriov", "destroy") => Handler::Job(|_, _, args| {
            let check = |sim: &Sim, sriov: &RawRef| {
                let pif = sim.store.reference("network_sriov", sriov.as_str(), "logical_PIF");
                if !sim.store.refs("PIF", pif.as_str(), "VLAN_slave_of").is_empty() {
                    return Err(Failure::new("PIF_VLAN_STILL_EXISTS", [pif.as_str()]));
                }
                check_overlay(sim, &pif)
            };
            slow(Work::quiet("network_sriov", args.text(0), 500), check, |sim, sriov| {
                let pif = sim.store.reference("network_sriov", sriov.as_str(), "logical_PIF");
                sim.store.remove("network_sriov", sriov.as_str());
                devices::remove_pif(sim, &pif);
                Ok(Value::VOID)
            })
        }),
        ("network_sriov", "get_remaining_capacity") => Handler::Now(|sim, _, args| {
            let sriov = sim.need("network_sriov", args.text(0))?;
            let pif = sim.store.reference("network_sriov", sriov.as_str(), "logical_PIF");
            let (network, host) =
                (sim.store.reference("PIF", pif.as_str(), "network"), sim.store.reference("PIF", pif.as_str(), "host"));
            let vifs = sim.store.refs("network", network.as_str(), "VIFs").into_iter().filter(|vif| {
                let vm = sim.store.reference("VIF", vif.as_str(), "VM");
                sim.store.flag("VIF", vif.as_str(), "currently_attached")
                    && sim.store.reference("VM", vm.as_str(), "resident_on") == host
            });
            let free = FUNCTIONS.saturating_sub(vifs.count());
            Ok(Value::Int(i64::try_from(free).unwrap_or(0)))
        }),
        _ => return None,
    })
}

/// What keeps the PIF of a VLAN or tunnel from going.
fn check_overlay(sim: &Sim, pif: &RawRef) -> Result<(), Failure> {
    if sim.store.flag("PIF", pif.as_str(), "management") {
        return Err(Failure::new("PIF_IS_MANAGEMENT_INTERFACE", [pif.as_str()]));
    }
    networks::check_idle(sim, pif)
}

pub(crate) fn check_vlan(sim: &Sim, tagged: &RawRef, tag: i64, network: &RawRef) -> Result<(), Failure> {
    let of = tagged.as_str();
    sim.need("PIF", of)?;
    sim.need("network", network.as_str())?;
    if !sim.store.flag("PIF", of, "managed") {
        return Err(Failure::new("PIF_UNMANAGED", [of]));
    }
    if !(0..=4094).contains(&tag) {
        return Err(Failure::new("VLAN_TAG_INVALID", [tag.to_string()]));
    }
    if sim.store.int("PIF", of, "VLAN") >= 0 {
        return Err(Failure::new("PIF_IS_VLAN", [of]));
    }
    if !sim.store.refs("PIF", of, "tunnel_access_PIF_of").is_empty() {
        return Err(Failure::new("IS_TUNNEL_ACCESS_PIF", [of]));
    }
    if !sim.store.reference("PIF", of, "bond_slave_of").is_null() {
        return Err(Failure::new("CANNOT_ADD_VLAN_TO_BOND_SLAVE", [of]));
    }
    let host = sim.store.reference("PIF", of, "host");
    networks::check_unconnected(sim, &host, network)?;
    let device = sim.store.text("PIF", of, "device");
    let same = |pif: &RawRef| {
        sim.store.text("PIF", pif.as_str(), "device") == device && sim.store.int("PIF", pif.as_str(), "VLAN") == tag
    };
    if sim.store.refs("host", host.as_str(), "PIFs").iter().any(same) {
        return Err(Failure::new("PIF_VLAN_EXISTS", [device]));
    }
    Ok(())
}

/// Makes a VLAN, and a PIF of its own for the tag.
pub(crate) fn make_vlan(sim: &mut Sim, tagged: &RawRef, tag: i64, network: &RawRef) -> Result<(RawRef, RawRef), Failure> {
    check_vlan(sim, tagged, tag, network)?;
    let host = sim.store.reference("PIF", tagged.as_str(), "host");
    let device = String::from(sim.store.text("PIF", tagged.as_str(), "device"));
    let new = pif::New { host: &host, network, device: &device, mac: "fe:ff:ff:ff:ff:ff", vlan: tag, physical: false };
    let pif = new.insert(sim);
    let (vlan, uuid) = (sim.random.reference(), sim.random.uuid());
    let draft = sim.store.draft("VLAN").with("uuid", uuid).with("tagged_PIF", tagged);
    sim.store.insert(&vlan, draft.with("untagged_PIF", &pif).with("tag", tag));
    sim.store.put("PIF", pif.as_str(), "VLAN_master_of", &vlan);
    // It comes up with the NIC below it.
    let is_up = sim.store.flag("PIF", tagged.as_str(), "currently_attached");
    sim.store.put("PIF", pif.as_str(), "currently_attached", is_up);
    let carrier = sim.carrier_of(tagged);
    sim.write_carrier(&pif, carrier);
    Ok((vlan, pif))
}

/// Takes a VLAN out, and its PIF.
pub(crate) fn remove_vlan(sim: &mut Sim, vlan: &RawRef) {
    let pif = sim.store.reference("VLAN", vlan.as_str(), "untagged_PIF");
    sim.store.remove("VLAN", vlan.as_str());
    devices::remove_pif(sim, &pif);
}

/// `PIF.create_VLAN`: the same by the name of the NIC; answers the new PIF.
pub(crate) fn create_vlan_by_device(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let (network, host) = (sim.need("network", args.text(1))?, sim.need("host", args.text(2))?);
    let tagged = sim.store.refs("host", host.as_str(), "PIFs").into_iter().find(|pif| {
        sim.store.text("PIF", pif.as_str(), "device") == args.text(0) && sim.store.int("PIF", pif.as_str(), "VLAN") < 0
    });
    let Some(tagged) = tagged else { return Err(Failure::new("PIF_DEVICE_NOT_FOUND", [""; 0])) };
    make_vlan(sim, &tagged, args.int(3), &network).map(|(_, pif)| pif.into())
}

/// `PIF.destroy`: only for the PIF of a VLAN.
pub(crate) fn destroy_vlan_pif(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let pif = sim.need("PIF", args.text(0))?;
    let vlan = sim.store.reference("PIF", pif.as_str(), "VLAN_master_of");
    if !sim.store.contains("VLAN", vlan.as_str()) {
        return Err(Failure::new("PIF_IS_PHYSICAL", [pif.as_str()]));
    }
    check_overlay(sim, &pif)?;
    remove_vlan(sim, &vlan);
    Ok(Value::VOID)
}

fn create_tunnel(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let (transport, network) = (sim.need("PIF", args.text(0))?, sim.need("network", args.text(1))?);
    let of = transport.as_str();
    let host = sim.store.reference("PIF", of, "host");
    networks::check_unconnected(sim, &host, &network)?;
    let backend = sim.store.key("host", host.as_str(), "software_version", "network_backend");
    if backend.is_some_and(|backend| backend != "openvswitch") {
        return Err(Failure::new("OPENVSWITCH_NOT_ACTIVE", [""; 0]));
    }
    if !sim.store.refs("PIF", of, "tunnel_access_PIF_of").is_empty() {
        return Err(Failure::new("IS_TUNNEL_ACCESS_PIF", [of]));
    }
    if !sim.store.refs("PIF", of, "sriov_logical_PIF_of").is_empty() {
        return Err(Failure::new("CANNOT_ADD_TUNNEL_TO_SRIOV_LOGICAL", [of]));
    }
    if !sim.store.reference("PIF", of, "bond_slave_of").is_null() {
        return Err(Failure::new("CANNOT_ADD_TUNNEL_TO_BOND_SLAVE", [of]));
    }
    if sim.store.text("PIF", of, "ip_configuration_mode") == "None" {
        return Err(Failure::new("TRANSPORT_PIF_NOT_CONFIGURED", [of]));
    }
    let device = free_device(sim, &host, "tunnel");
    let mac = sim.random.mac();
    let new = pif::New { host: &host, network: &network, device: &device, mac: &mac, vlan: -1, physical: false };
    let access = new.insert(sim);
    let (tunnel, uuid) = (sim.random.reference(), sim.random.uuid());
    let mut status = Struct::new();
    status.push("active", "false");
    let draft = sim.store.draft("tunnel").with("uuid", uuid).with("access_PIF", &access);
    let mut draft = draft.with("transport_PIF", &transport).with("status", status);
    if args.value(2).is_some() {
        draft.set("protocol", args.take(2));
    }
    sim.store.insert(&tunnel, draft);
    Ok(tunnel.into())
}

/// The first free name of a device on a host: `bond0`, `tunnel1`.
pub(crate) fn free_device(sim: &Sim, host: &RawRef, prefix: &str) -> String {
    let pifs = sim.store.refs("host", host.as_str(), "PIFs");
    let taken: Vec<&str> = pifs.iter().map(|pif| sim.store.text("PIF", pif.as_str(), "device")).collect();
    let free = (0..).map(|number| format!("{prefix}{number}")).find(|name| !taken.contains(&name.as_str()));
    free.unwrap_or_default()
}

fn create_sriov(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let (physical, network) = (sim.need("PIF", args.text(0))?, sim.need("network", args.text(1))?);
    let of = physical.as_str();
    if !sim.store.flag("PIF", of, "physical") {
        return Err(Failure::new("PIF_IS_NOT_PHYSICAL", [of]));
    }
    if !sim.store.flag("PIF", of, "managed") {
        return Err(Failure::new("PIF_UNMANAGED", [of]));
    }
    let capabilities = sim.store.value("PIF", of, "capabilities").and_then(Value::as_array).unwrap_or_default();
    if !capabilities.iter().any(|capability| capability.as_text() == Some("sriov")) {
        return Err(Failure::new("PIF_IS_NOT_SRIOV_CAPABLE", [of]));
    }
    if !sim.store.refs("PIF", of, "sriov_physical_PIF_of").is_empty() {
        return Err(Failure::new("NETWORK_SRIOV_ALREADY_ENABLED", [of]));
    }
    let host = sim.store.reference("PIF", of, "host");
    networks::check_unconnected(sim, &host, &network)?;
    let is_plain = |pif: &RawRef| sim.store.refs("PIF", pif.as_str(), "sriov_logical_PIF_of").is_empty();
    if sim.store.refs("network", network.as_str(), "PIFs").iter().any(is_plain) {
        return Err(Failure::new("NETWORK_INCOMPATIBLE_WITH_SRIOV", [network.as_str()]));
    }
    let (device, mac) = (String::from(sim.store.text("PIF", of, "device")), String::from(sim.store.text("PIF", of, "MAC")));
    let new = pif::New { host: &host, network: &network, device: &device, mac: &mac, vlan: -1, physical: false };
    let logical = new.insert(sim);
    sim.store.put("PIF", logical.as_str(), "currently_attached", true);
    let (sriov, uuid) = (sim.random.reference(), sim.random.uuid());
    let draft = sim.store.draft("network_sriov").with("uuid", uuid).with("physical_PIF", &physical);
    sim.store.insert(&sriov, draft.with("logical_PIF", &logical).with("configuration_mode", "sysfs"));
    Ok(sriov.into())
}
