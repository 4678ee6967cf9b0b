//! Data sources: what hosts, VMs and repositories measure of themselves.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{Failure, RawRef, Struct, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::operations::{Handler, rules};

pub(crate) fn find(class: &str, message: &str) -> Option<Handler> {
    match class {
        "VM" => of_vms(message),
        "host" => of_hosts(message),
        "SR" => of_repositories(message),
        _ => None,
    }
}

fn of_vms(message: &str) -> Option<Handler> {
    Some(match message {
        "get_data_sources" => Handler::Now(|sim, _, args| list(sim, "VM", args)),
        "query_data_source" => Handler::Now(|sim, _, args| query(sim, "VM", args)),
        "record_data_source" => Handler::Now(|sim, _, args| record(sim, "VM", args, true)),
        "forget_data_source_archives" => Handler::Now(|sim, _, args| record(sim, "VM", args, false)),
        _ => return None,
    })
}

fn of_hosts(message: &str) -> Option<Handler> {
    Some(match message {
        "get_data_sources" => Handler::Now(|sim, _, args| list(sim, "host", args)),
        "query_data_source" => Handler::Now(|sim, _, args| query(sim, "host", args)),
        "record_data_source" => Handler::Now(|sim, _, args| record(sim, "host", args, true)),
        "forget_data_source_archives" => Handler::Now(|sim, _, args| record(sim, "host", args, false)),
        _ => return None,
    })
}

fn of_repositories(message: &str) -> Option<Handler> {
    Some(match message {
        "get_data_sources" => Handler::Now(|sim, _, args| list(sim, "SR", args)),
        "query_data_source" => Handler::Now(|sim, _, args| query(sim, "SR", args)),
        "record_data_source" => Handler::Now(|sim, _, args| record(sim, "SR", args, true)),
        "forget_data_source_archives" => Handler::Now(|sim, _, args| record(sim, "SR", args, false)),
        _ => return None,
    })
}

/// One thing that is measured.
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) units: &'static str,
    /// The most that it can be, if there is a limit.
    pub(crate) most: f64,
    pub(crate) value: f64,
}

fn source(name: impl Into<String>, description: impl Into<String>, units: &'static str, most: f64, value: f64) -> Source {
    Source { name: name.into(), description: description.into(), units, most, value }
}

#[allow(clippy::cast_precision_loss, reason = "measured values are rough")]
fn float(number: i64) -> f64 {
    number as f64
}

/// A value between 0 and 1 that moves in the course of minutes, each object and source in its own way.
fn wave(sim: &Sim, uuid: &str, name: &str) -> f64 {
    let hash = uuid.bytes().chain(name.bytes());
    let hash = hash.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let period = 120 + hash % 600;
    let phase = (sim.wall_clock.saturating_add(sim.now.0) / 1000).wrapping_add(hash >> 32) % period;
    // A triangle is wave enough, and the same on every machine.
    let part = float(i64::try_from(phase).unwrap_or(0)) / float(i64::try_from(period).unwrap_or(1));
    let triangle = if part < 0.5 { part * 2.0 } else { 2.0 - part * 2.0 };
    let floor = float(i64::try_from(hash % 40).unwrap_or(0)) / 100.0;
    floor + triangle * (1.0 - floor) * 0.6
}

/// The data sources of an object now.
pub(crate) fn sources(sim: &Sim, class: &str, of: &RawRef) -> Vec<Source> {
    match class {
        "VM" => vm_sources(sim, of.as_str()),
        "host" => host_sources(sim, of.as_str()),
        "SR" => sr_sources(sim, of.as_str()),
        _ => Vec::new(),
    }
}

fn vm_sources(sim: &Sim, vm: &str) -> Vec<Source> {
    let uuid = sim.store.text("VM", vm, "uuid");
    let wave = |name: &str| wave(sim, uuid, name);
    let mut all = Vec::new();
    for cpu in 0..sim.store.int("VM", vm, "VCPUs_at_startup").clamp(0, 128) {
        let name = format!("cpu{cpu}");
        all.push(source(name.as_str(), format!("CPU{cpu} usage"), "(fraction)", 1.0, wave(&name)));
    }
    let memory = float(sim.store.int("VM", vm, "memory_dynamic_max"));
    all.push(source("memory", "Memory currently allocated to VM", "B", f64::INFINITY, memory));
    all.push(source("memory_target", "Target of VM balloon driver", "B", f64::INFINITY, memory));
    let free = memory / 1024.0 * (1.0 - wave("memory_internal_free"));
    all.push(source("memory_internal_free", "Memory free as reported by the guest", "KiB", f64::INFINITY, free));
    for vif in sim.store.refs("VM", vm, "VIFs") {
        let device = sim.store.text("VIF", vif.as_str(), "device");
        for (kind, text) in [("rx", "received"), ("tx", "transmitted")] {
            let name = format!("vif_{device}_{kind}");
            let value = wave(&name) * 2_000_000.0;
            all.push(source(
                name,
                format!("Bytes per second {text} on virtual interface {device}"),
                "B/s",
                f64::INFINITY,
                value,
            ));
        }
    }
    for vbd in sim.store.refs("VM", vm, "VBDs") {
        let device = sim.store.text("VBD", vbd.as_str(), "device");
        if device.is_empty() {
            continue;
        }
        for (kind, text) in [("read", "Reads from"), ("write", "Writes to")] {
            let name = format!("vbd_{device}_{kind}");
            let value = wave(&name) * 5_000_000.0;
            all.push(source(name, format!("{text} device {device} in bytes per second"), "B/s", f64::INFINITY, value));
        }
    }
    all
}

fn host_sources(sim: &Sim, host: &str) -> Vec<Source> {
    let uuid = sim.store.text("host", host, "uuid");
    let wave = |name: &str| wave(sim, uuid, name);
    let metrics = sim.store.reference("host", host, "metrics");
    let kib = |field| float(sim.store.int("host_metrics", metrics.as_str(), field) / 1024);
    let mut all = Vec::new();
    let cpus = sim.store.key("host", host, "cpu_info", "cpu_count").and_then(|count| count.parse().ok()).unwrap_or(0_u32);
    let (mut sum, count) = (0.0, cpus.min(512));
    for cpu in 0..count {
        let name = format!("cpu{cpu}");
        let value = wave(&name);
        sum += value;
        all.push(source(name, format!("Physical cpu usage for cpu {cpu}"), "(fraction)", 1.0, value));
    }
    all.push(source("cpu_avg", "Average physical cpu usage", "(fraction)", 1.0, sum / f64::from(count.max(1))));
    all.push(source("loadavg", "Domain0 loadavg", "(fraction)", f64::INFINITY, wave("loadavg")));
    all.push(source("memory_total_kib", "Total amount of memory on the host", "KiB", f64::INFINITY, kib("memory_total")));
    all.push(source("memory_free_kib", "Total amount of free memory", "KiB", f64::INFINITY, kib("memory_free")));
    for pif in sim.store.refs("host", host, "PIFs") {
        let device = sim.store.text("PIF", pif.as_str(), "device");
        if !sim.store.flag("PIF", pif.as_str(), "physical") {
            continue;
        }
        for (kind, text) in [("rx", "received"), ("tx", "sent")] {
            let name = format!("pif_{device}_{kind}");
            let value = if sim.carrier_of(&pif) { wave(&name) * 20_000_000.0 } else { 0.0 };
            let text = format!("Bytes per second {text} on physical interface {device}");
            all.push(source(name, text, "B/s", f64::INFINITY, value));
        }
    }
    all
}

fn sr_sources(sim: &Sim, sr: &str) -> Vec<Source> {
    let (size, used) = (sim.store.int("SR", sr, "physical_size"), sim.store.int("SR", sr, "physical_utilisation"));
    Vec::from([
        source("size", "Size of the storage", "B", f64::INFINITY, float(size)),
        source("physical_utilisation", "Used room of the storage", "B", float(size), float(used)),
    ])
}

fn check(sim: &Sim, class: &'static str, args: &Args) -> Result<RawRef, Failure> {
    let of = sim.need(class, args.text(0))?;
    if class == "VM" && !sim.store.flag("VM", of.as_str(), "is_control_domain") {
        rules::check_power(sim, &of, "data_source_op")?;
    }
    Ok(of)
}

fn list(sim: &Sim, class: &'static str, args: &Args) -> Result<Value, Failure> {
    let of = check(sim, class, args)?;
    let off = &sim.around.forgotten_sources;
    let records = sources(sim, class, &of).into_iter().map(|source| {
        let mut record = Struct::new();
        let enabled = !off.contains(&(of.clone(), source.name.clone()));
        record.push("name_label", source.name);
        record.push("name_description", source.description);
        record.push("enabled", enabled);
        record.push("standard", true);
        record.push("units", source.units);
        record.push("min", 0.0);
        record.push("max", source.most);
        record.push("value", source.value);
        Value::Struct(record)
    });
    Ok(Value::Array(records.collect()))
}

fn named(sim: &Sim, class: &'static str, args: &Args) -> Result<(RawRef, Source), Failure> {
    let of = check(sim, class, args)?;
    let name = args.text(1);
    let found = sources(sim, class, &of).into_iter().find(|source| source.name == name);
    let found = found.ok_or_else(|| Failure::new("INVALID_VALUE", ["data_source".to_string(), name.to_string()]))?;
    Ok((of, found))
}

fn query(sim: &Sim, class: &'static str, args: &Args) -> Result<Value, Failure> {
    let (_, source) = named(sim, class, args)?;
    Ok(source.value.into())
}

fn record(sim: &mut Sim, class: &'static str, args: &Args, wanted: bool) -> Result<Value, Failure> {
    let (of, source) = named(sim, class, args)?;
    let key = (of, source.name);
    if wanted {
        sim.around.forgotten_sources.remove(&key);
    } else {
        sim.around.forgotten_sources.insert(key);
    }
    Ok(Value::VOID)
}
