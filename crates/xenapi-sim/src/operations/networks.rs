//! NICs and VLANs.

use alloc::string::ToString;

use xenapi_core::{Failure, RawRef, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::operations::{Handler, devices};

pub(crate) fn find(class: &str, message: &str) -> Option<Handler> {
    Some(match (class, message) {
        ("VLAN", "create") => Handler::Now(create_vlan),
        ("VLAN", "destroy") => Handler::Now(|sim, _, args| {
            let vlan = sim.need("VLAN", args.text(0))?;
            let pif = sim.store.reference("VLAN", vlan.as_str(), "untagged_PIF");
            check_idle(sim, &pif)?;
            devices::remove_pif(sim, &pif);
            sim.store.remove("VLAN", vlan.as_str());
            Ok(Value::VOID)
        }),
        ("PIF", "plug") => Handler::Now(|sim, _, args| {
            let pif = sim.need("PIF", args.text(0))?;
            if !sim.store.reference("PIF", pif.as_str(), "bond_slave_of").is_null() {
                return Err(Failure::new("CANNOT_PLUG_BOND_SLAVE", [pif.as_str()]));
            }
            sim.store.put("PIF", pif.as_str(), "currently_attached", true);
            Ok(Value::VOID)
        }),
        ("PIF", "unplug") => Handler::Now(|sim, _, args| {
            let pif = sim.need("PIF", args.text(0))?;
            if sim.store.flag("PIF", pif.as_str(), "management") {
                return Err(Failure::new("PIF_IS_MANAGEMENT_INTERFACE", [pif.as_str()]));
            }
            if sim.store.flag("PIF", pif.as_str(), "disallow_unplug") {
                return Err(Failure::new("PIF_DOES_NOT_ALLOW_UNPLUG", [pif.as_str()]));
            }
            check_idle(sim, &pif)?;
            sim.store.put("PIF", pif.as_str(), "currently_attached", false);
            Ok(Value::VOID)
        }),
        _ => return None,
    })
}

/// Fails if a VM on the PIF's host uses its network.
fn check_idle(sim: &Sim, pif: &RawRef) -> Result<(), Failure> {
    let (network, host) =
        (sim.store.reference("PIF", pif.as_str(), "network"), sim.store.reference("PIF", pif.as_str(), "host"));
    let vifs = sim.store.refs("network", network.as_str(), "VIFs");
    let busy = vifs.into_iter().find(|vif| {
        let vm = sim.store.reference("VIF", vif.as_str(), "VM");
        sim.store.flag("VIF", vif.as_str(), "currently_attached")
            && sim.store.reference("VM", vm.as_str(), "resident_on") == host
    });
    busy.map_or(Ok(()), |vif| Err(Failure::new("VIF_IN_USE", [network.as_str(), vif.as_str()])))
}

/// `VLAN.create`: a PIF of its own for the tag, on the network.
fn create_vlan(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let tagged = sim.need("PIF", args.text(0))?;
    let (tag, network) = (args.int(1), sim.need("network", args.text(2))?);
    if !(0..=4094).contains(&tag) {
        return Err(Failure::new("VLAN_TAG_INVALID", [tag.to_string()]));
    }
    let host = sim.store.reference("PIF", tagged.as_str(), "host");
    let device = sim.store.text("PIF", tagged.as_str(), "device").to_string();
    let pifs = sim.store.refs("host", host.as_str(), "PIFs");
    let connected = pifs.iter().find(|pif| sim.store.reference("PIF", pif.as_str(), "network") == network);
    if let Some(pif) = connected {
        return Err(Failure::new("NETWORK_ALREADY_CONNECTED", [host.as_str(), pif.as_str()]));
    }
    let same = |pif: &&RawRef| {
        sim.store.text("PIF", pif.as_str(), "device") == device && sim.store.int("PIF", pif.as_str(), "VLAN") == tag
    };
    if pifs.iter().any(|pif| same(&pif)) {
        return Err(Failure::new("PIF_VLAN_EXISTS", [device]));
    }
    let metrics = devices::metrics(sim, "PIF_metrics");
    let (pif, vlan) = (sim.random.reference(), sim.random.reference());
    let (uuid_of_pif, uuid_of_vlan) = (sim.random.uuid(), sim.random.uuid());
    let mtu = sim.store.int("network", network.as_str(), "MTU");
    let draft = sim.store.draft("PIF").with("uuid", uuid_of_pif).with("device", device).with("network", &network);
    let draft = draft.with("host", &host).with("MAC", "fe:ff:ff:ff:ff:ff").with("MTU", mtu).with("VLAN", tag);
    let draft =
        draft.with("metrics", &metrics).with("ip_configuration_mode", "None").with("ipv6_configuration_mode", "None");
    sim.store.insert(&pif, draft);
    let draft = sim.store.draft("VLAN").with("uuid", uuid_of_vlan).with("tagged_PIF", &tagged);
    sim.store.insert(&vlan, draft.with("untagged_PIF", &pif).with("tag", tag));
    sim.store.put("PIF", pif.as_str(), "VLAN_master_of", &vlan);
    Ok(vlan.into())
}
