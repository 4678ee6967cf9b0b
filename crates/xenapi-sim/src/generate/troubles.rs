//! What is wrong with a pool, and what it says about it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{DateTime, RawRef, Value};

use super::{GIB, Plan, set};
use crate::Sim;
use crate::operations;

/// What a message is about.
pub(super) struct About<'a> {
    pub(super) class: &'static str,
    pub(super) uuid: &'a str,
}

/// Leaves a message as of so many seconds ago. Older ones have to be left first.
pub(super) fn message(sim: &mut Sim, name: &str, priority: i64, about: &About<'_>, body: &str, ago: i64) {
    let message = sim.new_message(name, priority, about.class, about.uuid, body);
    let time = DateTime::from_unix(sim.date().unix() - ago);
    sim.store.put("message", message.as_str(), "timestamp", Value::from(time));
}

/// An alarm as the metrics daemon words it.
pub(crate) fn alarm(value: f64, source: &str, level: f64, seconds: i64) -> String {
    format!(
        "value: {value:.6}\nconfig:\n<variable>\n\t<name value=\"{source}\"/>\n\t<alarm_trigger_level value=\"{level}\"/>\n\t\
         <alarm_trigger_period value=\"{seconds}\"/>\n</variable>\n"
    )
}

fn uuid(sim: &Sim, class: &str, reference: &RawRef) -> String {
    sim.store.text(class, reference.as_str(), "uuid").into()
}

/// What every pool has to tell: what its VMs did lately, and the alarms of the busiest.
pub(super) fn history(sim: &mut Sim, seed: u64) {
    let running: Vec<RawRef> = sim
        .store
        .all("VM")
        .into_iter()
        .filter(|vm| sim.store.text("VM", vm.as_str(), "power_state") == "Running")
        .filter(|vm| !sim.store.flag("VM", vm.as_str(), "is_control_domain"))
        .collect();
    let starts = running.len().min(12);
    for (at, vm) in running.iter().take(starts).enumerate() {
        let (uuid, name) = (uuid(sim, "VM", vm), String::from(sim.store.text("VM", vm.as_str(), "name_label")));
        let body = format!("VM '{name}' started on the host that it ran on before (uuid: {uuid})");
        let ago = 86_400 * (14 - i64::try_from(at).unwrap_or(0)) + i64::try_from(seed % 3600).unwrap_or(0);
        message(sim, "VM_STARTED", 5, &About { class: "VM", uuid: &uuid }, &body, ago);
    }
    for (at, vm) in running.iter().skip(starts / 2).step_by(17).take(6).enumerate() {
        let uuid = uuid(sim, "VM", vm);
        let body = alarm(0.91 + f64::from(u8::try_from(at).unwrap_or(0)) / 100.0, "cpu_usage", 0.9, 300);
        message(sim, "ALARM", 3, &About { class: "VM", uuid: &uuid }, &body, 7200 - 600 * i64::try_from(at).unwrap_or(0));
    }
}

/// One thing or two to worry about: what the last host of a standard pool has lost.
pub(super) fn worries(sim: &mut Sim, plan: &Plan) {
    let Some(last) = plan.hosts.last() else { return };
    let (name, uuid) = (last.name.clone(), last.uuid.clone());
    let about = About { class: "Host", uuid: &uuid };
    let body = format!("<body><host>{name}</host><bond>bond0</bond><up>1</up><total>2</total></body>");
    message(sim, "BOND_STATUS_CHANGED", 3, &about, &body, 0);
    let sr = String::from(sim.store.text("SR", plan.storage.detached.as_str(), "name_label"));
    if !sr.is_empty() {
        let body = format!("The storage repository '{sr}' is not connected to host '{name}'.");
        message(sim, "PBD_PLUG_FAILED_ON_SERVER_START", 2, &about, &body, 0);
    }
}

/// Everything at once.
pub(super) fn degrade(sim: &mut Sim, plan: &Plan) {
    fill(sim, plan);
    overcommit(sim, plan);
    break_chain(sim);
    fail_tasks(sim);
    if let Some(host) = plan.hosts.get(plan.hosts.len() / 2) {
        for pif in sim.store.refs("host", host.reference.as_str(), "PIFs") {
            if sim.store.text("PIF", pif.as_str(), "device") == "eth3" {
                // The only NIC for storage: nothing takes its place.
                drop(sim.carrier(pif.as_str(), false));
            }
        }
    }
    if let Some(sr) = plan.storage.shared.last().filter(|_| plan.storage.shared.len() > 2) {
        drop(sim.storage_fails(sr.as_str()));
    }
    // The master answers for the pool, so another one dies.
    if let Some(host) = plan.hosts.get(1) {
        operations::host_died(sim, &host.reference);
    }
}

/// The default repository has little room left.
fn fill(sim: &mut Sim, plan: &Plan) {
    let sr = plan.storage.default().as_str();
    let used = sim.store.int("SR", sr, "physical_utilisation");
    sim.store.put("SR", sr, "physical_size", used / 92 * 100);
    let (uuid, body) = (String::from(sim.store.text("SR", sr, "uuid")), alarm(0.92, "physical_utilisation", 0.9, 300));
    message(sim, "ALARM", 3, &About { class: "SR", uuid: &uuid }, &body, 1800);
}

/// The first host has hardly any memory left.
fn overcommit(sim: &mut Sim, plan: &Plan) {
    let Some(host) = plan.hosts.first() else { return };
    let metrics = sim.store.reference("host", host.reference.as_str(), "metrics");
    let free = sim.store.int("host_metrics", metrics.as_str(), "memory_free");
    let total = sim.store.int("host_metrics", metrics.as_str(), "memory_total");
    sim.store.put("host_metrics", metrics.as_str(), "memory_total", total - free + GIB / 2);
    sim.store.put("host_metrics", metrics.as_str(), "memory_free", GIB / 2);
    let body = alarm(0.5, "memory_free_kib", 1.0, 60);
    message(sim, "ALARM", 3, &About { class: "Host", uuid: &host.uuid }, &body, 900);
}

/// A disk of a snapshot is gone from its repository.
fn break_chain(sim: &mut Sim) {
    let all = sim.store.all("VDI");
    let snapshot = all.iter().find(|vdi| sim.store.flag("VDI", vdi.as_str(), "is_a_snapshot"));
    if let Some(vdi) = snapshot {
        sim.store.put("VDI", vdi.as_str(), "missing", true);
    }
}

/// Tasks of the last hours that came to nothing.
fn fail_tasks(sim: &mut Sim) {
    let halted = sim.store.all("VM").into_iter().find(|vm| sim.store.text("VM", vm.as_str(), "power_state") == "Halted");
    let vm = halted.unwrap_or_else(RawRef::null);
    let sr = sim.store.all("SR").into_iter().next().unwrap_or_else(RawRef::null);
    let failures: [(&str, &[&str]); 3] = [
        ("Async.VM.start", &["NO_HOSTS_AVAILABLE"]),
        ("Async.SR.scan", &["SR_BACKEND_FAILURE_47", "", "The SR is not available", sr.as_str()]),
        ("Async.VM.pool_migrate", &["VM_MIGRATE_FAILED", vm.as_str(), "", "", "the host went away"]),
    ];
    for (name, error) in failures {
        let (reference, uuid, date) = (sim.random.reference(), sim.random.uuid(), sim.date());
        let begun = DateTime::from_unix(date.unix() - 1200);
        let draft = sim.store.draft("task").with("uuid", uuid).with("name_label", name).with("status", "failure");
        let draft = draft.with("created", begun).with("finished", date).with("progress", 1.0).with("type", "<none/>");
        sim.store.insert(&reference, draft.with("error_info", set(error.iter().copied())));
    }
}
