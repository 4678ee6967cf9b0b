//! Metrics: `/rrd_updates`, `/host_rrd`, `/vm_rrd`, `/sr_rrd`.
//!
//! Nothing is recorded. Every value is a function of the object and the time, so the archives of a year are there from the beginning and cost
//! nothing; only when VMs ran and hosts were up is written down. The parts make up the sums: a host's traffic is that of its
//! guests and its own.

mod archive;
mod probes;
mod signal;
#[cfg(test)]
mod tests;
mod text;
mod updates;
mod uptimes;
mod whole;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::RawRef;

use self::archive::{Archive, Consolidation, STEP};
use self::probes::Meter;
use self::updates::Updates;
use super::{Reply, Request, Served, Visit};
use crate::Sim;

pub(crate) use probes::Probe;
pub(crate) use signal::seed;
pub(super) use text::escaped;
pub(crate) use uptimes::Uptimes;

/// What is measured at an object, with the values of now.
pub(crate) fn now(sim: &Sim, class: &str, of: &RawRef) -> Vec<(Probe, f64)> {
    let meter = meter(sim, class, of);
    let mut values = Vec::new();
    let time = seconds(sim);
    meter.sample(time - time.rem_euclid(STEP), &mut values);
    meter.probes.into_iter().zip(values).collect()
}

fn meter(sim: &Sim, class: &str, of: &RawRef) -> Meter {
    match class {
        "VM" => probes::vm(sim, of),
        "host" => probes::host(sim, of),
        _ => probes::sr(sim, of),
    }
}

fn recorded(sim: &Sim, class: &str, of: &RawRef) -> Meter {
    meter(sim, class, of).without_forgotten(sim, of)
}

fn seconds(sim: &Sim) -> i64 {
    sim.date().unix()
}

/// What is consolidated: minima and maxima only where the pool says so.
fn kinds(sim: &Sim) -> Vec<Consolidation> {
    let pool = sim.store.first("pool").unwrap_or_default();
    let mut kinds = Vec::from([Consolidation::Average]);
    if sim.store.key("pool", pool.as_str(), "other_config", "create_min_max_in_new_VM_RRDs") == Some("true") {
        kinds.extend([Consolidation::Min, Consolidation::Max]);
    }
    kinds
}

/// The hosts that answer at the address that was asked.
fn asked(sim: &Sim, visit: &Visit) -> Vec<RawRef> {
    if visit.asks_only() {
        return Vec::from([visit.host.clone()]);
    }
    let mut hosts = sim.store.all("host");
    hosts.retain(|host| !sim.host_states.down.contains_key(host));
    hosts
}

fn number(request: &Request, key: &str) -> Result<Option<i64>, Reply> {
    let Some(text) = request.query(key) else { return Ok(None) };
    let wrong = || Reply::error(400, &format!("The query's {key} is no number of seconds."));
    // Some clients send `1700000000.123`.
    let whole = text.split('.').next().unwrap_or_default();
    whole.parse().map(Some).map_err(|_| wrong())
}

/// `GET /rrd_updates`
pub(super) fn updates(sim: &mut Sim, request: &Request, visit: &mut Visit) -> Result<Served, Reply> {
    let start = number(request, "start")?.ok_or_else(|| {
        Reply::error(400, "The query has no start: seconds since 1970, or before the last update if negative.")
    })?;
    let interval = number(request, "interval")?.unwrap_or(0);
    let json = text::wants_json(request)?;
    let mut kinds = kinds(sim);
    if let Some(wanted) = request.query("cf") {
        kinds.retain(|kind| kind.name().eq_ignore_ascii_case(wanted));
        if kinds.is_empty() {
            return Err(Reply::error(500, &format!("There is no archive with the consolidation function {wanted}.")));
        }
    }
    let now = seconds(sim);
    let start = if start < 0 { now - now.rem_euclid(STEP) + start } else { start };
    let archive = Archive::choose(now, start, interval);
    let meters = meters(sim, request, &asked(sim, visit));
    let times = archive.times(now, start).collect();
    Ok(Updates { meters, archive, kinds, json, times }.serve(now))
}

fn is_true(request: &Request, key: &str) -> bool {
    request.query(key).is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1")
}

/// Of which objects updates are wanted.
fn meters(sim: &Sim, request: &Request, hosts: &[RawRef]) -> Vec<Meter> {
    let wanted: Vec<&str> = request.all("vm_uuid").filter(|uuid| !uuid.is_empty()).collect();
    let mut meters = Vec::new();
    for host in hosts {
        for vm in sim.store.refs("host", host.as_str(), "resident_VMs") {
            if wanted.is_empty() || wanted.contains(&sim.store.text("VM", vm.as_str(), "uuid")) {
                meters.push(recorded(sim, "VM", &vm));
            }
        }
    }
    if is_true(request, "host") {
        meters.extend(hosts.iter().map(|host| recorded(sim, "host", host)));
    }
    for uuid in request.all("sr_uuid") {
        let sr = sim.store.table("SR").by_uuid(uuid).map(|row| row.reference.clone());
        if let Some(sr) = sr.filter(|sr| hosts.iter().any(|host| has_repository(sim, host, sr))) {
            meters.push(recorded(sim, "SR", &sr));
        }
    }
    meters
}

fn has_repository(sim: &Sim, host: &RawRef, sr: &RawRef) -> bool {
    sim.store.refs("SR", sr.as_str(), "PBDs").iter().any(|pbd| {
        sim.store.reference("PBD", pbd.as_str(), "host") == *host
            && sim.store.flag("PBD", pbd.as_str(), "currently_attached")
    })
}

/// `GET /host_rrd`
pub(super) fn host(sim: &mut Sim, request: &Request, visit: &mut Visit) -> Result<Served, Reply> {
    let json = text::wants_json(request)?;
    Ok(whole::serve(recorded(sim, "host", &visit.host), &kinds(sim), json, seconds(sim)))
}

/// The object that the query's uuid names.
fn named(sim: &Sim, request: &Request, class: &str) -> Result<RawRef, Reply> {
    let uuid = request.query("uuid").filter(|uuid| !uuid.is_empty());
    let uuid: String = uuid.ok_or_else(|| Reply::error(400, "The query has no uuid."))?.into();
    let found = sim.store.table(class).by_uuid(&uuid).map(|row| row.reference.clone());
    found.ok_or_else(|| Reply::error(404, &format!("There is no archive for {uuid}: no {class} has this uuid.")))
}

/// `GET /vm_rrd`
pub(super) fn vm(sim: &mut Sim, request: &Request, visit: &mut Visit) -> Result<Served, Reply> {
    let vm = named(sim, request, "VM")?;
    let json = text::wants_json(request)?;
    let resident = sim.store.reference("VM", vm.as_str(), "resident_on");
    // The archives of VMs that do not run are with the master.
    let keeper = if sim.store.contains("host", resident.as_str()) { resident } else { sim.master() };
    if visit.asks_only() && keeper != visit.host {
        return Err(sim.redirect(&keeper, request));
    }
    if sim.store.flag("VM", vm.as_str(), "is_a_template") {
        return Err(Reply::error(404, "There is no archive: a template or snapshot does not run."));
    }
    Ok(whole::serve(recorded(sim, "VM", &vm), &kinds(sim), json, seconds(sim)))
}

/// `GET /sr_rrd`
pub(super) fn sr(sim: &mut Sim, request: &Request, visit: &mut Visit) -> Result<Served, Reply> {
    let sr = named(sim, request, "SR")?;
    let json = text::wants_json(request)?;
    let mut hosts = sim.store.all("host");
    hosts.retain(|host| !sim.host_states.down.contains_key(host) && has_repository(sim, host, &sr));
    if visit.asks_only() && !hosts.contains(&visit.host) {
        let Some(other) = hosts.first() else {
            return Err(Reply::error(404, "There is no archive: no host has this repository."));
        };
        return Err(sim.redirect(other, request));
    }
    Ok(whole::serve(recorded(sim, "SR", &sr), &kinds(sim), json, seconds(sim)))
}
