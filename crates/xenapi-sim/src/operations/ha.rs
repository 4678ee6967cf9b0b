//! High availability: which VMs come back when hosts fail, and what may not be done because of it.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cmp::Reverse;

use xenapi_core::{Failure, Millis, RawRef, Struct, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::operations::timed::{hold, timed};
use crate::operations::vm::{Action, VmJob};
use crate::operations::{Handler, boot, devices, hosts, life, refresh};
use crate::tasks::Hold;

pub(crate) fn find(message: &str) -> Option<Handler> {
    Some(match message {
        "enable_ha" => Handler::Job(|_, _, args| {
            let srs = args.value(0).and_then(Value::as_array).unwrap_or_default();
            let srs: Vec<RawRef> = srs.iter().filter_map(Value::as_text).map(RawRef::from).collect();
            timed((srs, args.take(1)), 5000, begin_enable, |sim, (srs, configuration)| {
                enable(sim, srs, core::mem::take(configuration));
                Ok(Value::VOID)
            })
        }),
        "disable_ha" => Handler::Job(|_, _, _| {
            timed(
                (),
                3000,
                |sim, ()| {
                    check_on(sim)?;
                    Ok(pool_hold(sim, "ha_disable"))
                },
                |sim, ()| {
                    disable(sim);
                    Ok(Value::VOID)
                },
            )
        }),
        "set_ha_host_failures_to_tolerate" => Handler::Now(|sim, _, args| {
            let pool = sim.need("pool", args.text(0))?;
            let wanted = args.int(1);
            if wanted < 0 {
                return Err(Failure::new("INVALID_VALUE", ["ha_host_failures_to_tolerate", &wanted.to_string()]));
            }
            let (of, most) = (pool.as_str(), most_failures(sim, &BTreeMap::new()));
            let strict = sim.store.flag("pool", of, "ha_enabled") && !sim.store.flag("pool", of, "ha_allow_overcommit");
            if strict && wanted > most {
                return Err(would_break());
            }
            sim.store.put("pool", of, "ha_host_failures_to_tolerate", wanted);
            update_status(sim);
            Ok(Value::VOID)
        }),
        "ha_compute_max_host_failures_to_tolerate" => {
            Handler::Now(|sim, _, _| Ok(Value::Int(most_failures(sim, &BTreeMap::new()))))
        }
        "ha_compute_hypothetical_max_host_failures_to_tolerate" => Handler::Now(|sim, _, args| {
            let wanted = args.value(0).and_then(Value::as_struct).cloned().unwrap_or_default();
            let mut priorities = BTreeMap::new();
            for (vm, priority) in wanted.iter() {
                let vm = sim.need("VM", vm)?;
                check_priority(priority.as_text().unwrap_or(""))?;
                priorities.insert(vm, priority.as_text() == Some("restart"));
            }
            Ok(Value::Int(most_failures(sim, &priorities)))
        }),
        "ha_failover_plan_exists" => {
            Handler::Now(|sim, _, args| Ok(Value::Bool(args.int(0) <= most_failures(sim, &BTreeMap::new()))))
        }
        "ha_compute_vm_failover_plan" => Handler::Now(failover_plan),
        "ha_prevent_restarts_for" => Handler::Now(|sim, _, args| {
            check_on(sim)?;
            sim.host_states.no_restarts_until = sim.now + Millis::from_secs(args.int(0).clamp(0, 86_400).unsigned_abs());
            Ok(Value::VOID)
        }),
        _ => return None,
    })
}

fn pool_hold(sim: &Sim, operation: &'static str) -> Vec<Hold> {
    sim.store.first("pool").iter().map(|pool| hold("pool", pool, operation)).collect()
}

fn would_break() -> Failure {
    Failure::new("HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN", [""; 0])
}

pub(crate) fn is_on(sim: &Sim) -> bool {
    sim.store.first("pool").is_some_and(|pool| sim.store.flag("pool", pool.as_str(), "ha_enabled"))
}

fn check_on(sim: &Sim) -> Result<(), Failure> {
    if is_on(sim) { Ok(()) } else { Err(Failure::new("HA_NOT_ENABLED", [""; 0])) }
}

/// Fails with `HA_IS_ENABLED` where something cannot be done with high availability.
pub(crate) fn check_off(sim: &Sim) -> Result<(), Failure> {
    if is_on(sim) { Err(Failure::new("HA_IS_ENABLED", [""; 0])) } else { Ok(()) }
}

fn check_priority(priority: &str) -> Result<(), Failure> {
    if matches!(priority, "" | "restart" | "best-effort") {
        return Ok(());
    }
    Err(Failure::new("INVALID_VALUE", ["ha_restart_priority", priority]))
}

/// The hosts that count: up, and letting VMs start.
fn hosts_up(sim: &Sim) -> Vec<RawRef> {
    let hosts = sim.store.all("host").into_iter();
    hosts.filter(|host| boot::check_host(sim, host).is_ok() && !hosts::is_down(sim, host)).collect()
}

/// Whether a VM can run on every host.
pub(crate) fn is_agile(sim: &Sim, vm: &RawRef) -> bool {
    check_agile(sim, vm).is_ok()
}

/// Whether every host reaches a VM's disks and networks, and nothing of a host is built into it.
pub(crate) fn check_agile(sim: &Sim, vm: &RawRef) -> Result<(), Failure> {
    let (store, of) = (&sim.store, vm.as_str());
    for (field, code) in [("attached_PCIs", "VM_HAS_PCI_ATTACHED"), ("VGPUs", "VM_HAS_VGPU"), ("VUSBs", "VM_HAS_VUSBS")] {
        if !store.refs("VM", of, field).is_empty() {
            return Err(Failure::new(code, [of]));
        }
    }
    let all = store.all("host");
    let is_everywhere = |sr: &RawRef| all.iter().all(|host| boot::is_attached(sim, sr, host));
    let shared = |sr: &RawRef| store.flag("SR", sr.as_str(), "shared") && is_everywhere(sr);
    if let Some(sr) = boot::storage(sim, vm).iter().find(|sr| !shared(sr)) {
        return Err(Failure::new("HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED", [sr.as_str()]));
    }
    let reached = |network: &RawRef| {
        let is_internal = store.refs("network", network.as_str(), "PIFs").is_empty();
        !is_internal && all.iter().all(|host| boot::reaches(sim, host, network))
    };
    if let Some(network) = boot::networks(sim, vm).iter().find(|network| !reached(network)) {
        return Err(Failure::new("HA_CONSTRAINT_VIOLATION_NETWORK_NOT_SHARED", [network.as_str()]));
    }
    Ok(())
}

/// `VM.set_ha_restart_priority`: a protected VM must be able to run anywhere.
pub(crate) fn set_restart_priority(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let vm = sim.need("VM", args.text(0))?;
    let (of, priority) = (vm.as_str(), String::from(args.text(1)));
    check_priority(&priority)?;
    let protects = priority == "restart" && sim.store.text("VM", of, "ha_restart_priority") != "restart";
    let is_up = !sim.store.reference("VM", of, "resident_on").is_null();
    if protects && is_on(sim) {
        check_agile(sim, &vm)?;
        let pool = sim.store.first("pool").unwrap_or_default();
        let wanted = BTreeMap::from([(vm.clone(), true)]);
        let strict = !sim.store.flag("pool", pool.as_str(), "ha_allow_overcommit");
        if strict && is_up && most_failures(sim, &wanted) < tolerated(sim) {
            return Err(would_break());
        }
    }
    sim.store.put("VM", of, "ha_restart_priority", priority.as_str());
    sim.store.put("VM", of, "ha_always_run", priority == "restart" && is_up);
    update_status(sim);
    Ok(Value::VOID)
}

fn tolerated(sim: &Sim) -> i64 {
    sim.store.first("pool").map_or(0, |pool| sim.store.int("pool", pool.as_str(), "ha_host_failures_to_tolerate"))
}

/// The running VMs of a host that have to come back if it fails, the biggest first.
fn protected(sim: &Sim, host: &RawRef, changed: &BTreeMap<RawRef, bool>) -> Vec<(i64, RawRef)> {
    let guests = sim.store.refs("host", host.as_str(), "resident_VMs").into_iter();
    let is_protected = |vm: &RawRef| {
        let own = sim.store.text("VM", vm.as_str(), "ha_restart_priority") == "restart";
        changed.get(vm).copied().unwrap_or(own)
    };
    let guests = guests.filter(is_protected).map(|vm| (boot::memory_used(sim, &vm), vm));
    guests.collect()
}

/// Places VMs on hosts with so much memory left, the biggest VM first, always where most is left.
fn pack(mut vms: Vec<(i64, RawRef)>, free: &mut BTreeMap<RawRef, i64>) -> Vec<(RawRef, Option<RawRef>)> {
    vms.sort_by(|one, other| (Reverse(one.0), &one.1).cmp(&(Reverse(other.0), &other.1)));
    let places = vms.into_iter().map(|(bytes, vm)| {
        let best = free.iter().max_by_key(|(host, room)| (**room, Reverse((*host).clone())));
        let host = best.filter(|(_, room)| **room >= bytes).map(|(host, _)| host.clone());
        if let Some(room) = host.as_ref().and_then(|host| free.get_mut(host)) {
            *room -= bytes;
        }
        (vm, host)
    });
    places.collect()
}

/// How many hosts may fail, the worst ones, so that all protected VMs still find a place; with other priorities than they have.
fn most_failures(sim: &Sim, changed: &BTreeMap<RawRef, bool>) -> i64 {
    let hosts = hosts_up(sim).into_iter().map(|host| {
        let vms = protected(sim, &host, changed);
        let used: i64 = vms.iter().map(|(bytes, _)| bytes).sum();
        (used + boot::free_memory(sim, &host), host, vms)
    });
    let mut hosts: Vec<_> = hosts.collect();
    hosts.sort_by(|one, other| (Reverse(one.0), &one.1).cmp(&(Reverse(other.0), &other.1)));
    let mut most = 0;
    for failed in 1..hosts.len() {
        let (gone, left) = hosts.split_at(failed);
        let mut free: BTreeMap<RawRef, i64> =
            left.iter().map(|(_, host, _)| (host.clone(), boot::free_memory(sim, host))).collect();
        let homeless: Vec<_> = gone.iter().flat_map(|(_, _, vms)| vms.iter().cloned()).collect();
        if pack(homeless, &mut free).iter().any(|(_, place)| place.is_none()) {
            break;
        }
        most = failed;
    }
    i64::try_from(most).unwrap_or(i64::MAX)
}

/// Fails if a VM that starts would take the room that others need after failures.
pub(crate) fn check_start(sim: &Sim, vm: &RawRef) -> Result<(), Failure> {
    let Some(pool) = sim.store.first("pool") else { return Ok(()) };
    let strict = is_on(sim) && !sim.store.flag("pool", pool.as_str(), "ha_allow_overcommit");
    let tolerated = tolerated(sim);
    if !strict || tolerated == 0 {
        return Ok(());
    }
    let needed = boot::memory_needed(sim, vm);
    let hosts = hosts_up(sim);
    let total: i64 = hosts.iter().map(|host| boot::free_memory(sim, host)).sum();
    let mut sizes: Vec<i64> = hosts.iter().map(|host| boot::free_memory(sim, host)).collect();
    sizes.sort_unstable_by_key(|size| Reverse(*size));
    let lost: i64 = sizes.iter().take(usize::try_from(tolerated).unwrap_or(0)).sum();
    let homeless: i64 = hosts.iter().flat_map(|host| protected(sim, host, &BTreeMap::new())).map(|(bytes, _)| bytes).sum();
    let share = homeless / i64::try_from(hosts.len().max(1)).unwrap_or(1) * tolerated;
    if total - lost - share < needed { Err(would_break()) } else { Ok(()) }
}

/// Fails if the pool could not do without a host and still bear the failures that it has to.
pub(crate) fn check_loss(sim: &Sim, host: &RawRef) -> Result<(), Failure> {
    let Some(pool) = sim.store.first("pool") else { return Ok(()) };
    let strict = is_on(sim) && !sim.store.flag("pool", pool.as_str(), "ha_allow_overcommit");
    let counts = hosts_up(sim).contains(host);
    if strict && counts && tolerated(sim) > 0 && most_failures(sim, &BTreeMap::new()) <= tolerated(sim) {
        return Err(would_break());
    }
    Ok(())
}

/// Writes how many failures the pool can bear.
pub(crate) fn update_status(sim: &mut Sim) {
    let Some(pool) = sim.store.first("pool").filter(|_| is_on(sim)) else { return };
    let (most, wanted, of) = (most_failures(sim, &BTreeMap::new()), tolerated(sim), pool.as_str());
    sim.store.put("pool", of, "ha_plan_exists_for", most.min(wanted));
    if sim.store.put("pool", of, "ha_overcommitted", most < wanted) && most < wanted {
        let uuid = String::from(sim.store.text("pool", of, "uuid"));
        let body = "The failover tolerance for the pool has dropped below the number of failures to tolerate";
        sim.new_message("HA_POOL_OVERCOMMITTED", 3, "Pool", &uuid, body);
    }
}

fn begin_enable(sim: &mut Sim, (srs, _): &mut (Vec<RawRef>, Value)) -> Result<Vec<Hold>, Failure> {
    check_off(sim)?;
    let hosts = sim.store.all("host");
    for host in &hosts {
        hosts::check_reachable(sim, host)?;
    }
    let fits = |sr: &RawRef| {
        sim.store.flag("SR", sr.as_str(), "shared")
            && sim.store.text("SR", sr.as_str(), "content_type") != "iso"
            && hosts.iter().all(|host| boot::is_attached(sim, sr, host))
    };
    if srs.is_empty() {
        let found = sim.store.all("SR").into_iter().find(fits);
        srs.push(found.ok_or_else(|| Failure::new("CANNOT_CREATE_STATE_FILE", [""; 0]))?);
    }
    for sr in srs.iter() {
        sim.need("SR", sr.as_str())?;
        if !fits(sr) {
            return Err(Failure::new("HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED", [sr.as_str()]));
        }
    }
    for host in &hosts {
        for (_, vm) in protected(sim, host, &BTreeMap::new()) {
            check_agile(sim, &vm)?;
        }
    }
    Ok(pool_hold(sim, "ha_enable"))
}

pub(crate) fn enable(sim: &mut Sim, srs: &[RawRef], configuration: Value) {
    const SIZE: i64 = 256 << 20;
    let files: Vec<RawRef> =
        srs.iter().map(|sr| devices::new_vdi(sim, sr, "Statefile for HA", SIZE, "ha_statefile")).collect();
    if let Some(sr) = srs.first() {
        devices::new_vdi(sim, sr, "Metadata for HA", SIZE, "redo_log");
    }
    let files: Vec<Value> = files.iter().map(Value::from).collect();
    let hosts = sim.store.all("host");
    let uuids: Vec<Value> = hosts.iter().map(|host| sim.store.text("host", host.as_str(), "uuid").into()).collect();
    for host in &hosts {
        sim.store.put("host", host.as_str(), "ha_statefiles", files.clone());
        sim.store.put("host", host.as_str(), "ha_network_peers", uuids.clone());
        for (_, vm) in protected(sim, host, &BTreeMap::new()) {
            sim.store.put("VM", vm.as_str(), "ha_always_run", true);
        }
    }
    let pool = sim.store.first("pool").unwrap_or_default();
    sim.store.put("pool", pool.as_str(), "ha_statefiles", files);
    sim.store.put("pool", pool.as_str(), "ha_configuration", configuration);
    sim.store.put("pool", pool.as_str(), "ha_enabled", true);
    refresh(sim, "pool", &pool);
    update_status(sim);
}

fn disable(sim: &mut Sim) {
    let pool = sim.store.first("pool").unwrap_or_default();
    let of = pool.as_str();
    let files = sim.store.refs("pool", of, "ha_statefiles");
    let srs: Vec<RawRef> = files.iter().map(|file| sim.store.reference("VDI", file.as_str(), "SR")).collect();
    for sr in srs {
        for vdi in sim.store.refs("SR", sr.as_str(), "VDIs") {
            if matches!(sim.store.text("VDI", vdi.as_str(), "type"), "ha_statefile" | "redo_log") {
                devices::remove_vdi(sim, &vdi);
            }
        }
    }
    for (field, value) in [
        ("ha_statefiles", Value::Array(Vec::new())),
        ("ha_configuration", Value::empty_struct()),
        ("ha_enabled", Value::Bool(false)),
        ("ha_overcommitted", Value::Bool(false)),
        ("ha_plan_exists_for", Value::Int(0)),
    ] {
        sim.store.put("pool", of, field, value);
    }
    for host in sim.store.all("host") {
        sim.store.put("host", host.as_str(), "ha_statefiles", Vec::new());
        sim.store.put("host", host.as_str(), "ha_network_peers", Vec::new());
    }
    refresh(sim, "pool", &pool);
}

/// `host.emergency_ha_disable`.
pub(crate) fn emergency_disable(sim: &mut Sim) -> Result<(), Failure> {
    check_on(sim)?;
    disable(sim);
    Ok(())
}

/// `pool.ha_compute_vm_failover_plan`: where each VM would go, or why nowhere.
fn failover_plan(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let listed = |at: usize, class: &str| -> Result<Vec<RawRef>, Failure> {
        let items = args.value(at).and_then(Value::as_array).unwrap_or_default();
        items.iter().map(|item| sim.need(class, item.as_text().unwrap_or(""))).collect()
    };
    let (failed, vms) = (listed(0, "host")?, listed(1, "VM")?);
    let left = hosts_up(sim).into_iter().filter(|host| !failed.contains(host));
    let mut free: BTreeMap<RawRef, i64> = left.map(|host| (host.clone(), boot::free_memory(sim, &host))).collect();
    let (agile, bound): (Vec<RawRef>, Vec<RawRef>) = vms.into_iter().partition(|vm| check_agile(sim, vm).is_ok());
    let mut plan = Struct::new();
    let text = |vm: &RawRef| String::from(vm.as_str());
    let entry = |key: &'static str, value: &str| core::iter::once((key, Value::from(value))).collect::<Struct>();
    for vm in bound {
        plan.push(text(&vm), entry("error_code", "VM_IS_NOT_AGILE"));
    }
    let agile: Vec<(i64, RawRef)> = agile.into_iter().map(|vm| (boot::memory_used(sim, &vm), vm)).collect();
    for (vm, place) in pack(agile, &mut free) {
        let place =
            place.map_or_else(|| entry("error_code", "HOST_NOT_ENOUGH_FREE_MEMORY"), |host| entry("host", host.as_str()));
        plan.push(text(&vm), place);
    }
    Ok(plan.into())
}

/// Starts VMs again whose host has failed: the protected ones in their order, then the others that are worth a try.
pub(crate) fn restart(sim: &mut Sim, lost: &[RawRef]) {
    if sim.now < sim.host_states.no_restarts_until {
        return;
    }
    let mut wanted: Vec<(bool, i64, RawRef)> = Vec::new();
    for vm in lost {
        let of = vm.as_str();
        let priority = sim.store.text("VM", of, "ha_restart_priority");
        if priority == "restart" || priority == "best-effort" {
            wanted.push((priority != "restart", sim.store.int("VM", of, "order"), vm.clone()));
        }
    }
    wanted.sort();
    for (is_best_effort, _, vm) in wanted {
        let job = VmJob::new(vm.clone(), "start", Action::Start { paused: false });
        let started = sim.start_own_job("VM.start", alloc::boxed::Box::new(job));
        if started.is_err() && !is_best_effort {
            let uuid = String::from(sim.store.text("VM", vm.as_str(), "uuid"));
            let name = sim.store.text("VM", vm.as_str(), "name_label");
            let body = alloc::format!("VM '{name}' (uuid: {uuid}) could not be restarted after its host failed");
            sim.new_message("HA_PROTECTED_VM_RESTART_FAILED", 2, "VM", &uuid, &body);
        }
    }
}

/// What the failure of a host means to its VMs: they are gone.
pub(crate) fn stop_guests(sim: &mut Sim, host: &RawRef) -> Vec<RawRef> {
    let guests = sim.store.refs("host", host.as_str(), "resident_VMs").into_iter();
    let guests: Vec<RawRef> = guests.filter(|vm| !sim.store.flag("VM", vm.as_str(), "is_control_domain")).collect();
    for vm in &guests {
        life::halt(sim, vm);
        sim.refresh_vm(vm);
    }
    guests
}
