//! Hosts that come into the pool, leave it, or become its master.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{Failure, NULL, RawRef, Struct, Value};

use crate::operations::timed::{hold, timed};
use crate::operations::{Handler, boot, devices, ha, hosts, vm};
use crate::tasks::Hold;
use crate::{PASSWORD, Sim};

/// A host that was taken out of the pool, for the day on which it joins again: values of its rows.
pub(crate) struct Spare {
    host: Vec<Value>,
    metrics: Vec<Value>,
    control_domain: Vec<Value>,
    /// Of its physical NICs, with the names of their networks.
    pifs: Vec<(Vec<Value>, String)>,
}

pub(crate) fn find(message: &str) -> Option<Handler> {
    Some(match message {
        "join" | "join_force" => Handler::Job(|_, _, args| {
            let (address, user, password) = (args.text(0), args.text(1), args.text(2));
            let state = [address, user, password].map(String::from);
            timed(state, 5000, begin_join, |sim, _| {
                join(sim);
                Ok(Value::VOID)
            })
        }),
        "eject" => Handler::Job(|_, _, args| {
            timed(RawRef::from(args.text(0)), 3000, begin_eject, |sim, host| {
                let spare = spare_of(sim, host);
                sim.host_states.spares.push(spare);
                forget_host(sim, host);
                ha::update_status(sim);
                Ok(Value::VOID)
            })
        }),
        "designate_new_master" => Handler::Job(|_, _, args| {
            timed(
                RawRef::from(args.text(0)),
                3000,
                |sim, host| {
                    sim.need("host", host.as_str())?;
                    hosts::check_reachable(sim, host)?;
                    Ok(pool_hold(sim, "designate_new_master"))
                },
                |sim, host| {
                    if *host != sim.master() {
                        sim.change_master(host);
                    }
                    Ok(Value::VOID)
                },
            )
        }),
        "emergency_transition_to_master" => Handler::Now(|sim, caller, _| {
            ha::check_off(sim)?;
            let host = sim.need("host", sim.host_of(caller.origin).as_str())?;
            if host != sim.master() {
                let members = sim.store.all("host").into_iter().filter(|other| *other != host);
                sim.host_states.astray = members.collect();
                sim.change_master(&host);
            }
            Ok(Value::VOID)
        }),
        "emergency_reset_master" => Handler::Now(|sim, caller, args| {
            ha::check_off(sim)?;
            let host = sim.host_of(caller.origin);
            if sim.store.text("host", host.as_str(), "address") == args.text(0) {
                return Err(Failure::new("HOST_ITS_OWN_SLAVE", [""; 0]));
            }
            let is_known = sim.store.text("host", sim.master().as_str(), "address") == args.text(0);
            if !is_known {
                return Err(Failure::new("HOST_UNKNOWN_TO_MASTER", [host.as_str()]));
            }
            sim.host_states.astray.remove(&host);
            Ok(Value::VOID)
        }),
        "recover_slaves" => Handler::Now(|sim, _, _| {
            let (found, lost): (BTreeSet<RawRef>, BTreeSet<RawRef>) =
                core::mem::take(&mut sim.host_states.astray).into_iter().partition(|host| {
                    sim.store.contains("host", host.as_str()) && sim.is_live(host) && !hosts::is_down(sim, host)
                });
            sim.host_states.astray = lost;
            Ok(Value::Array(found.iter().map(Value::from).collect()))
        }),
        _ => return None,
    })
}

fn pool_hold(sim: &Sim, operation: &'static str) -> Vec<Hold> {
    sim.store.first("pool").iter().map(|pool| hold("pool", pool, operation)).collect()
}

/// Another host becomes master because the old one is dead.
pub(crate) fn elect(sim: &mut Sim) {
    let fit = |host: &RawRef| boot::check_host(sim, host).is_ok() && !hosts::is_down(sim, host);
    if let Some(host) = sim.store.all("host").into_iter().find(fit) {
        sim.change_master(&host);
    }
}

fn check_credentials(user: &str, password: &str) -> Result<(), Failure> {
    if user == "root" && password == PASSWORD {
        return Ok(());
    }
    Err(Failure::new("SESSION_AUTHENTICATION_FAILED", [user, "Authentication failure"]))
}

/// The hosts that were taken out stand beside the pool, without addresses of their own. So the call is taken for theirs: the last
/// one that left joins the master whose address is given.
fn begin_join(sim: &mut Sim, [address, user, password]: &mut [String; 3]) -> Result<Vec<Hold>, Failure> {
    ha::check_off(sim)?;
    if sim.host_states.spares.is_empty() && sim.store.count("host") > 1 {
        return Err(Failure::new("JOINING_HOST_CANNOT_BE_MASTER_OF_OTHER_HOSTS", [""; 0]));
    }
    let is_ours = sim.store.text("host", sim.master().as_str(), "address") == address;
    if !is_ours || sim.host_states.spares.is_empty() {
        return Err(Failure::new("JOINING_HOST_CONNECTION_FAILED", [""; 0]));
    }
    check_credentials(user, password)?;
    Ok(Vec::new())
}

fn begin_eject(sim: &mut Sim, host: &mut RawRef) -> Result<Vec<Hold>, Failure> {
    sim.need("host", host.as_str())?;
    ha::check_off(sim)?;
    if *host == sim.master() {
        return Err(Failure::new("INTERNAL_ERROR", ["Failure(\"Pool.eject: cannot eject the master\")"]));
    }
    let guests = sim.store.refs("host", host.as_str(), "resident_VMs");
    if guests.iter().any(|vm| !sim.store.flag("VM", vm.as_str(), "is_control_domain")) {
        return Err(Failure::new("OPERATION_NOT_ALLOWED", ["VM resident on host"]));
    }
    hosts::check_reachable(sim, host)?;
    Ok(Vec::new())
}

fn fields(sim: &Sim, class: &str, reference: &str) -> Vec<Value> {
    sim.store.row(class, reference).map(|row| row.fields.to_vec()).unwrap_or_default()
}

fn spare_of(sim: &Sim, host: &RawRef) -> Spare {
    let of = host.as_str();
    let physical = sim.store.refs("host", of, "PIFs").into_iter();
    let physical = physical
        .filter(|pif| sim.store.flag("PIF", pif.as_str(), "physical") && sim.store.int("PIF", pif.as_str(), "VLAN") < 0);
    let pifs = physical.map(|pif| {
        let network = sim.store.reference("PIF", pif.as_str(), "network");
        (fields(sim, "PIF", pif.as_str()), sim.store.text("network", network.as_str(), "name_label").to_string())
    });
    Spare {
        host: fields(sim, "host", of),
        metrics: fields(sim, "host_metrics", sim.store.text("host", of, "metrics")),
        control_domain: fields(sim, "VM", sim.store.text("host", of, "control_domain")),
        pifs: pifs.collect(),
    }
}

/// A new object with the values of an old one, but for its relations.
fn revive(sim: &mut Sim, class: &'static str, values: Vec<Value>, changed: &[(&str, Value)]) -> RawRef {
    let mut draft = sim.store.draft(class);
    let table = sim.store.table(class).class;
    for ((slot, value), field) in draft.fields.iter_mut().zip(values).zip(table.fields) {
        if field.relation.is_none() {
            *slot = value;
        }
    }
    for (field, value) in changed {
        draft.set(field, value.clone());
    }
    let reference = sim.random.reference();
    sim.store.insert(&reference, draft);
    reference
}

/// The host that left last comes back, with new references and the uuid that it had.
fn join(sim: &mut Sim) {
    let Some(spare) = sim.host_states.spares.pop() else { return };
    let date = sim.date();
    let metrics = revive(sim, "host_metrics", spare.metrics, &[("live", true.into()), ("last_updated", date.into())]);
    let empty = || Value::Array(Vec::new());
    let changed = [
        ("metrics", (&metrics).into()),
        ("current_operations", Value::empty_struct()),
        ("blobs", Value::empty_struct()),
        ("tags", empty()),
        ("local_cache_sr", NULL.into()),
        ("control_domain", NULL.into()),
    ];
    let host = revive(sim, "host", spare.host, &changed);
    let of_dom0 = replicate_metrics(sim);
    let changed = [
        ("resident_on", (&host).into()),
        ("affinity", (&host).into()),
        ("metrics", of_dom0),
        ("guest_metrics", NULL.into()),
    ];
    let dom0 = revive(sim, "VM", spare.control_domain, &changed);
    sim.refresh_vm(&dom0);
    sim.store.put("host", host.as_str(), "control_domain", &dom0);
    for (values, network) in spare.pifs {
        connect(sim, &host, values, &network);
    }
    attach_storage(sim, &host);
    let pool = sim.store.first("pool").unwrap_or_default();
    for field in ["suspend_image_SR", "crash_dump_SR"] {
        let sr = sim.store.reference("pool", pool.as_str(), field);
        let of_host = if field == "crash_dump_SR" { "crash_dump_sr" } else { "suspend_image_sr" };
        sim.store.put("host", host.as_str(), of_host, &sr);
    }
    hosts::set_enabled(sim, &host, true);
}

fn replicate_metrics(sim: &mut Sim) -> Value {
    let metrics = crate::operations::replicate::vm_metrics(sim);
    sim.store.put("VM_metrics", metrics.as_str(), "state", Vec::from([Value::from("running")]));
    Value::from(metrics)
}

/// A physical NIC of a host that joins goes to the network on which it was, or to a new one.
fn connect(sim: &mut Sim, host: &RawRef, values: Vec<Value>, network: &str) {
    let is = |other: &RawRef| sim.store.text("network", other.as_str(), "name_label") == network;
    let known = sim.store.all("network").into_iter().find(is);
    let network = known.unwrap_or_else(|| {
        let (reference, uuid) = (sim.random.reference(), sim.random.uuid());
        let bridge = format!("xapi{}", sim.store.count("network"));
        let draft = sim.store.draft("network").with("uuid", uuid).with("name_label", network).with("bridge", bridge);
        sim.store.insert(&reference, draft.with("MTU", 1500));
        reference
    });
    let metrics = devices::metrics(sim, "PIF_metrics");
    sim.store.put("PIF_metrics", metrics.as_str(), "carrier", true);
    let changed = [("host", host.into()), ("network", (&network).into()), ("metrics", (&metrics).into())];
    let pif = revive(sim, "PIF", values, &changed);
    sim.store.put("PIF", pif.as_str(), "currently_attached", true);
}

/// A host that joins is connected to all shared repositories, and brings an empty one of its own.
fn attach_storage(sim: &mut Sim, host: &RawRef) {
    for sr in sim.store.all("SR").into_iter().filter(|sr| sim.store.flag("SR", sr.as_str(), "shared")).collect::<Vec<_>>() {
        let other = sim.store.refs("SR", sr.as_str(), "PBDs");
        let config = other.first().and_then(|pbd| sim.store.value("PBD", pbd.as_str(), "device_config")).cloned();
        plug(sim, host, &sr, config.unwrap_or_else(Value::empty_struct));
    }
    let (sr, uuid) = (sim.random.reference(), sim.random.uuid());
    let draft = sim.store.draft("SR").with("uuid", uuid).with("name_label", "Local storage").with("type", "lvm");
    sim.store.insert(&sr, draft.with("content_type", "user").with("physical_size", 512_i64 << 30));
    let config: Struct = core::iter::once(("device", Value::from("/dev/sda3"))).collect();
    plug(sim, host, &sr, config.into());
    crate::operations::refresh(sim, "SR", &sr);
}

fn plug(sim: &mut Sim, host: &RawRef, sr: &RawRef, config: Value) {
    let (pbd, uuid) = (sim.random.reference(), sim.random.uuid());
    let draft = sim.store.draft("PBD").with("uuid", uuid).with("host", host).with("SR", sr);
    sim.store.insert(&pbd, draft.with("device_config", config).with("currently_attached", true));
}

/// Takes a host out with all that is its own: NICs, connections, local repositories and their disks, its control domain.
pub(crate) fn forget_host(sim: &mut Sim, host: &RawRef) {
    let of = host.as_str();
    for pbd in sim.store.refs("host", of, "PBDs") {
        let sr = sim.store.reference("PBD", pbd.as_str(), "SR");
        sim.store.remove("PBD", pbd.as_str());
        if !sim.store.flag("SR", sr.as_str(), "shared") && sim.store.refs("SR", sr.as_str(), "PBDs").is_empty() {
            for vdi in sim.store.refs("SR", sr.as_str(), "VDIs") {
                devices::remove_vdi(sim, &vdi);
            }
            sim.store.remove("SR", sr.as_str());
        }
    }
    for pif in sim.store.refs("host", of, "PIFs") {
        let own = [("VLAN", "VLAN_master_of"), ("Bond", "bond_slave_of")];
        for (class, field) in own {
            let owner = sim.store.reference("PIF", pif.as_str(), field);
            sim.store.remove(class, owner.as_str());
        }
        for tunnel in sim.store.refs("PIF", pif.as_str(), "tunnel_access_PIF_of") {
            sim.store.remove("tunnel", tunnel.as_str());
        }
        devices::remove_pif(sim, &pif);
    }
    let parts = [
        ("host_cpu", "host_CPUs"),
        ("host_crashdump", "crashdumps"),
        ("host_patch", "patches"),
        ("PGPU", "PGPUs"),
        ("PUSB", "PUSBs"),
        ("PCI", "PCIs"),
        ("Feature", "features"),
        ("Certificate", "certificates"),
    ];
    for (class, field) in parts {
        for part in sim.store.refs("host", of, field) {
            sim.store.remove(class, part.as_str());
        }
    }
    let dom0 = sim.store.reference("host", of, "control_domain");
    if sim.store.contains("VM", dom0.as_str()) {
        vm::remove_parts(sim, &dom0);
        sim.store.remove("VM", dom0.as_str());
    }
    for guest in sim.store.all("VM") {
        if sim.store.text("VM", guest.as_str(), "affinity") == of {
            sim.store.put("VM", guest.as_str(), "affinity", NULL);
        }
    }
    let metrics = sim.store.reference("host", of, "metrics");
    sim.store.remove("host_metrics", metrics.as_str());
    sim.store.remove("host", of);
    sim.host_states.forget(host);
}
