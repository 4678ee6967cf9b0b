//! Data sources: what hosts, VMs and repositories measure of themselves.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{Failure, RawRef, Struct, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::handlers::{self, Probe};
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

/// The data sources of an object now; those that are not recorded are listed, too.
pub(crate) fn sources(sim: &Sim, class: &str, of: &RawRef) -> Vec<Source> {
    let source = |(probe, value): (Probe, f64)| Source {
        name: probe.name,
        description: probe.text,
        units: probe.units,
        most: probe.most,
        value,
    };
    handlers::measured(sim, class, of).into_iter().map(source).collect()
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
