//! NICs of VMs.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};

use xenapi_core::{Failure, RawRef, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::operations::steps::{Work, slow};
use crate::operations::{Handler, allowed, devices};
use crate::store::Draft;

pub(crate) fn find(message: &str) -> Option<Handler> {
    Some(match message {
        "plug" => Handler::Job(|_, _, args| {
            let check = |sim: &Sim, vif: &RawRef| allowed::check_vif(sim, vif.as_str(), "plug");
            slow(Work::new("VIF", args.text(0), "plug", 500), check, |sim, vif| {
                devices::set_attached(sim, "VIF", vif, true);
                Ok(Value::VOID)
            })
        }),
        "unplug" => Handler::Job(|_, _, args| {
            let check = |sim: &Sim, vif: &RawRef| allowed::check_vif(sim, vif.as_str(), "unplug");
            slow(Work::new("VIF", args.text(0), "unplug", 500), check, unplug)
        }),
        "unplug_force" => Handler::Job(|_, _, args| {
            let check = |sim: &Sim, vif: &RawRef| allowed::check_vif(sim, vif.as_str(), "unplug_force");
            // The schema has no word of its own for it.
            slow(Work::new("VIF", args.text(0), "unplug", 200), check, unplug)
        }),
        "move" => Handler::Now(|sim, _, args| {
            let vif = sim.need("VIF", args.text(0))?;
            let network = sim.need("network", args.text(1))?;
            let vm = sim.store.reference("VIF", vif.as_str(), "VM");
            allowed::check_vm_stays(sim, &vm)?;
            sim.store.put("VIF", vif.as_str(), "network", &network);
            sim.refresh_allowed("VIF", &vif);
            Ok(Value::VOID)
        }),
        "set_locking_mode" => Handler::Now(|sim, _, args| {
            let vif = sim.need("VIF", args.text(0))?;
            check_licence(sim)?;
            let mode = args.take(1);
            sim.store.put("VIF", vif.as_str(), "locking_mode", mode);
            Ok(Value::VOID)
        }),
        "set_ipv4_allowed" => Handler::Now(|sim, _, args| set_allowed(sim, args, "ipv4_allowed")),
        "set_ipv6_allowed" => Handler::Now(|sim, _, args| set_allowed(sim, args, "ipv6_allowed")),
        "add_ipv4_allowed" => Handler::Now(|sim, _, args| add_allowed(sim, args, "ipv4_allowed")),
        "add_ipv6_allowed" => Handler::Now(|sim, _, args| add_allowed(sim, args, "ipv6_allowed")),
        "remove_ipv4_allowed" => Handler::Now(|sim, _, args| remove(sim, args, "ipv4_allowed")),
        "remove_ipv6_allowed" => Handler::Now(|sim, _, args| remove(sim, args, "ipv6_allowed")),
        "set_trunks" => Handler::Now(|sim, _, args| {
            let vif = sim.need("VIF", args.text(0))?;
            let tags = args.value(1).and_then(Value::as_array).unwrap_or_default().to_vec();
            tags.iter().try_for_each(check_tag)?;
            sim.store.put("VIF", vif.as_str(), "trunks", tags);
            Ok(Value::VOID)
        }),
        "add_trunks" => Handler::Now(|sim, _, args| {
            let vif = sim.need("VIF", args.text(0))?;
            let tag = args.take(1);
            check_tag(&tag)?;
            add(sim, &vif, "trunks", tag);
            Ok(Value::VOID)
        }),
        "remove_trunks" => Handler::Now(|sim, _, args| remove(sim, args, "trunks")),
        "configure_ipv4" => Handler::Now(|sim, _, args| configure(sim, args, "ipv4")),
        "configure_ipv6" => Handler::Now(|sim, _, args| configure(sim, args, "ipv6")),
        _ => return None,
    })
}

fn unplug(sim: &mut Sim, vif: &RawRef) -> Result<Value, Failure> {
    devices::set_attached(sim, "VIF", vif, false);
    Ok(Value::VOID)
}

fn check_tag(tag: &Value) -> Result<(), Failure> {
    match tag.as_int() {
        Some(0..=4094) => Ok(()),
        other => Err(Failure::new("VLAN_TAG_INVALID", [other.unwrap_or(-1).to_string()])),
    }
}

/// Locked NICs need a licence: a pool that restricts them says so.
fn check_licence(sim: &Sim) -> Result<(), Failure> {
    let pool = sim.store.first("pool").unwrap_or_default();
    match sim.store.key("pool", pool.as_str(), "restrictions", "restrict_vif_lock") {
        Some("true") => Err(Failure::new("LICENCE_RESTRICTION", ["VIF_lock"])),
        _ => Ok(()),
    }
}

fn is_address(text: &str, field: &str) -> bool {
    if field.starts_with("ipv6") { text.parse::<Ipv6Addr>().is_ok() } else { text.parse::<Ipv4Addr>().is_ok() }
}

fn check_address(value: &Value, field: &str) -> Result<(), Failure> {
    if value.as_text().is_some_and(|text| is_address(text, field)) {
        return Ok(());
    }
    Err(Failure::new("INVALID_IP_ADDRESS_SPECIFIED", [field]))
}

fn set_allowed(sim: &mut Sim, args: &mut Args, field: &str) -> Result<Value, Failure> {
    let vif = sim.need("VIF", args.text(0))?;
    check_licence(sim)?;
    let addresses = args.value(1).and_then(Value::as_array).unwrap_or_default().to_vec();
    addresses.iter().try_for_each(|address| check_address(address, field))?;
    sim.store.put("VIF", vif.as_str(), field, addresses);
    Ok(Value::VOID)
}

fn add_allowed(sim: &mut Sim, args: &mut Args, field: &str) -> Result<Value, Failure> {
    let vif = sim.need("VIF", args.text(0))?;
    check_licence(sim)?;
    let address = args.take(1);
    check_address(&address, field)?;
    add(sim, &vif, field, address);
    Ok(Value::VOID)
}

fn add(sim: &mut Sim, vif: &RawRef, field: &str, item: Value) {
    let mut items = sim.store.value("VIF", vif.as_str(), field).and_then(Value::as_array).unwrap_or_default().to_vec();
    if !items.contains(&item) {
        items.push(item);
        sim.store.put("VIF", vif.as_str(), field, items);
    }
}

fn remove(sim: &mut Sim, args: &mut Args, field: &str) -> Result<Value, Failure> {
    let vif = sim.need("VIF", args.text(0))?;
    let item = args.take(1);
    let items = sim.store.value("VIF", vif.as_str(), field).and_then(Value::as_array).unwrap_or_default();
    let kept: Vec<Value> = items.iter().filter(|other| **other != item).cloned().collect();
    sim.store.put("VIF", vif.as_str(), field, kept);
    Ok(Value::VOID)
}

/// `configure_ipv4` and its twin: an address for the guest to take. A guest that runs has to know how.
fn configure(sim: &mut Sim, args: &Args, family: &str) -> Result<Value, Failure> {
    let vif = sim.need("VIF", args.text(0))?;
    let (mode, address, gateway) = (args.text(1), args.text(2), args.text(3));
    if mode == "Static" {
        let (ip, length) = address.split_once('/').unwrap_or((address, ""));
        let longest = if family == "ipv6" { 128 } else { 32 };
        if !is_address(ip, family) || !length.parse::<u8>().is_ok_and(|length| length <= longest) {
            return Err(Failure::new("INVALID_CIDR_ADDRESS_SPECIFIED", ["address"]));
        }
        if !gateway.is_empty() && !is_address(gateway, family) {
            return Err(Failure::new("INVALID_IP_ADDRESS_SPECIFIED", ["gateway"]));
        }
    }
    let vm = sim.store.reference("VIF", vif.as_str(), "VM");
    let guest = sim.store.reference("VM", vm.as_str(), "guest_metrics");
    let knows = sim.store.key("VM_guest_metrics", guest.as_str(), "other", "feature-static-ip-setting") == Some("1");
    if sim.store.text("VM", vm.as_str(), "power_state") == "Running" && !knows {
        return Err(Failure::new("VM_LACKS_FEATURE", [vm.as_str()]));
    }
    let is_static = mode == "Static";
    let addresses: Vec<Value> = if is_static { Vec::from([address.into()]) } else { Vec::new() };
    let (mode, gateway) = (String::from(mode), String::from(if is_static { gateway } else { "" }));
    let of = vif.as_str();
    sim.store.put("VIF", of, &alloc::format!("{family}_configuration_mode"), mode);
    sim.store.put("VIF", of, &alloc::format!("{family}_addresses"), addresses);
    sim.store.put("VIF", of, &alloc::format!("{family}_gateway"), gateway);
    Ok(Value::VOID)
}

pub(crate) fn before_create(sim: &mut Sim, draft: &mut Draft) -> Result<(), Failure> {
    let vm = sim.need("VM", draft.text("VM"))?;
    sim.need("network", draft.text("network"))?;
    let device = draft.text("device").to_string();
    let number = device.parse::<u32>().ok().filter(|_| device.bytes().all(|byte| byte.is_ascii_digit()));
    let number = number.ok_or_else(|| Failure::new("INVALID_DEVICE", [device.as_str()]))?;
    if devices::taken(sim, vm.as_str(), "VIFs", "VIF").contains(&number) {
        return Err(Failure::new("DEVICE_ALREADY_EXISTS", [device]));
    }
    let mac = draft.text("MAC").to_string();
    if mac.is_empty() {
        let seed = sim.store.key("VM", vm.as_str(), "other_config", "mac_seed").unwrap_or("").to_string();
        draft.set("MAC", devices::mac_of(&seed, &device));
        draft.set("MAC_autogenerated", true);
    } else if !is_mac(&mac) {
        return Err(Failure::new("MAC_INVALID", [mac]));
    }
    if draft.text("locking_mode") != "network_default" {
        check_licence(sim)?;
    }
    for field in ["ipv4_allowed", "ipv6_allowed"] {
        draft.get(field).as_array().unwrap_or_default().iter().try_for_each(|address| check_address(address, field))?;
    }
    allowed::check_vm_stays(sim, &vm)?;
    draft.set("currently_attached", false);
    let metrics = devices::metrics(sim, "VIF_metrics");
    draft.set("metrics", &metrics);
    Ok(())
}

/// Whether a text is a MAC address.
pub(crate) fn is_mac(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    parts.len() == 6 && parts.iter().all(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

pub(crate) fn before_destroy(sim: &mut Sim, vif: &RawRef) -> Result<(), Failure> {
    let of = vif.as_str();
    let vm = sim.store.reference("VIF", of, "VM");
    if sim.store.text("VM", vm.as_str(), "power_state") == "Running" && sim.store.flag("VIF", of, "currently_attached") {
        return Err(Failure::new("OPERATION_NOT_ALLOWED", ["VIF currently attached to a running VM"]));
    }
    devices::drop_metrics(sim, "VIF", "VIF_metrics", vif);
    Ok(())
}
