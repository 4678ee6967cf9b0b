//! Networks: their bridges, purposes, and what may keep them from going.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{Failure, RawRef, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::operations::{Handler, devices};
use crate::store::Draft;

pub(crate) fn find(message: &str) -> Option<Handler> {
    Some(match message {
        "add_purpose" => Handler::Now(add_purpose),
        "remove_purpose" => Handler::Now(|sim, _, args| {
            let network = sim.need("network", args.text(0))?;
            let purposes = purposes(sim, &network);
            let kept: Vec<Value> = purposes.into_iter().filter(|purpose| purpose.as_text() != Some(args.text(1))).collect();
            sim.store.put("network", network.as_str(), "purpose", kept);
            Ok(Value::VOID)
        }),
        "set_default_locking_mode" => Handler::Now(|sim, _, args| {
            let network = sim.need("network", args.text(0))?;
            let vifs = sim.store.refs("network", network.as_str(), "VIFs");
            let follows = |vif: &&RawRef| {
                sim.store.flag("VIF", vif.as_str(), "currently_attached")
                    && sim.store.text("VIF", vif.as_str(), "locking_mode") == "network_default"
            };
            // NICs in use follow the network's mode and would change under their guests.
            if let Some(vif) = vifs.iter().find(follows) {
                return Err(Failure::new("VIF_IN_USE", [network.as_str(), vif.as_str()]));
            }
            let mode = args.take(1);
            sim.store.put("network", network.as_str(), "default_locking_mode", mode);
            Ok(Value::VOID)
        }),
        _ => return None,
    })
}

fn purposes(sim: &Sim, network: &RawRef) -> Vec<Value> {
    sim.store.value("network", network.as_str(), "purpose").and_then(Value::as_array).unwrap_or_default().to_vec()
}

/// `network.add_purpose`: a pool serves disks over NBD with encryption or without, not both.
fn add_purpose(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let network = sim.need("network", args.text(0))?;
    let new = args.take(1);
    let word = new.as_text().unwrap_or("");
    let other = if word == "nbd" { "insecure_nbd" } else { "nbd" };
    let has_other = |network: &RawRef| purposes(sim, network).iter().any(|purpose| purpose.as_text() == Some(other));
    if sim.store.all("network").iter().any(has_other) {
        return Err(Failure::new("NETWORK_INCOMPATIBLE_PURPOSES", [word, other]));
    }
    let mut all = purposes(sim, &network);
    if !all.contains(&new) {
        all.push(new);
        sim.store.put("network", network.as_str(), "purpose", all);
    }
    Ok(Value::VOID)
}

/// A bridge that no network has: `xapi0`, `xapi1` and so on.
pub(crate) fn free_bridge(sim: &Sim) -> String {
    let bridges = bridges(sim);
    let free = (0..).map(|number| format!("xapi{number}")).find(|name| !bridges.contains(&name.as_str()));
    free.unwrap_or_default()
}

fn bridges(sim: &Sim) -> Vec<&str> {
    let table = sim.store.table("network");
    let at = table.class.field_index("bridge").unwrap_or_default();
    table.rows.values().filter_map(|row| row.fields.get(at)?.as_text()).collect()
}

pub(crate) fn before_create(sim: &mut Sim, draft: &mut Draft) -> Result<(), Failure> {
    let bridge = draft.text("bridge").to_string();
    let is_managed = draft.get("managed").as_bool() != Some(false);
    if bridge.is_empty() {
        if !is_managed {
            return Err(Failure::new("INVALID_VALUE", ["bridge", ""]));
        }
        draft.set("bridge", free_bridge(sim));
    } else {
        let reserved = ["xen", "xapi", "vif", "tap", "eth"].iter().any(|prefix| bridge.starts_with(prefix));
        if bridge.len() > 15 || (reserved && is_managed) {
            return Err(Failure::new("INVALID_VALUE", ["bridge", &bridge]));
        }
        if bridges(sim).contains(&bridge.as_str()) {
            return Err(Failure::new("BRIDGE_NAME_EXISTS", [bridge]));
        }
    }
    if draft.get("MTU").as_int().unwrap_or(0) <= 0 {
        draft.set("MTU", 1500);
    }
    Ok(())
}

/// A network that the server makes for a NIC that it found.
pub(crate) fn new_network(sim: &mut Sim, label: &str, bridge: &str) -> RawRef {
    let (reference, uuid) = (sim.random.reference(), sim.random.uuid());
    let draft = sim.store.draft("network").with("uuid", uuid).with("name_label", label).with("bridge", bridge);
    sim.store.insert(&reference, draft);
    reference
}

/// The network with that bridge.
pub(crate) fn with_bridge(sim: &Sim, bridge: &str) -> Option<RawRef> {
    let rows = sim.store.table("network").rows.values();
    let mut found = rows.filter(|row| sim.store.text("network", row.reference.as_str(), "bridge") == bridge);
    found.next().map(|row| row.reference.clone())
}

pub(crate) fn before_destroy(sim: &mut Sim, network: &RawRef) -> Result<(), Failure> {
    let of = network.as_str();
    let text = |reference: &RawRef| String::from(reference.as_str());
    if sim.store.key("network", of, "other_config", "is_host_internal_management_network") == Some("true") {
        return Err(Failure::new("CANNOT_DESTROY_SYSTEM_NETWORK", [of]));
    }
    let vifs = sim.store.refs("network", of, "VIFs");
    let attached: Vec<&RawRef> =
        vifs.iter().filter(|vif| sim.store.flag("VIF", vif.as_str(), "currently_attached")).collect();
    if !attached.is_empty() {
        return Err(Failure::new("NETWORK_CONTAINS_VIF", attached.into_iter().map(text)));
    }
    let pifs = sim.store.refs("network", of, "PIFs");
    if !pifs.is_empty() {
        return Err(Failure::new("NETWORK_CONTAINS_PIF", pifs.iter().map(text)));
    }
    for vif in vifs {
        devices::remove_device(sim, "VIF", &vif);
    }
    Ok(())
}

/// Fails if a VM on the PIF's host uses its network.
pub(crate) fn check_idle(sim: &Sim, pif: &RawRef) -> Result<(), Failure> {
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

/// Fails if a host is connected to a network already: it has one PIF for each.
pub(crate) fn check_unconnected(sim: &Sim, host: &RawRef, network: &RawRef) -> Result<(), Failure> {
    let pifs = sim.store.refs("host", host.as_str(), "PIFs");
    let connected = pifs.iter().find(|pif| sim.store.reference("PIF", pif.as_str(), "network") == *network);
    connected.map_or(Ok(()), |pif| Err(Failure::new("NETWORK_ALREADY_CONNECTED", [host.as_str(), pif.as_str()])))
}
