//! `xenoxide impact`: what stops if something fails.

use serde_json::{Value, json};
use xenapi_client::Cache;
use xenapi_core::{Class, Ref};
use xenapi_model::{Host, Network, PBD, PIF, SR};
use xenapi_topology::impact::{Affected, Component, Impact, SinglePoint, Verdict, impact, single_points};

use super::connection::Connection;
use super::topology;
use crate::cli::{self, Exit};
use crate::output;

/// Runs the command.
pub(super) async fn run(args: &cli::Impact) -> Result<(), Exit> {
    if !args.objects.len().is_multiple_of(2) {
        return Err(Exit::usage("write what fails in pairs: CLASS UUID, for example host 5f3c… or PIF 01d2…"));
    }
    let connection = Connection::open(&args.connection).await?;
    let cache = topology::load(&connection).await;
    connection.close().await;
    let cache = cache?;
    if args.spof {
        return show_points(&cache, &single_points(&cache), args.json);
    }
    let failing = args.objects.chunks(2).map(|pair| find(&cache, &pair[0], &pair[1])).collect::<Result<Vec<_>, _>>()?;
    if failing.is_empty() {
        return Err(Exit::usage("say what fails: CLASS UUID, or --spof for the single points of failure"));
    }
    let found = impact(&cache, &failing);
    if args.json {
        return output::line(&as_json(&cache, &failing, &found).to_string());
    }
    show(&cache, &failing, &found)
}

/// The component of that class with that uuid or reference.
fn find(cache: &Cache, class: &str, name: &str) -> Result<Component, Exit> {
    fn known<C: Class>(cache: &Cache, name: &str) -> Option<Ref<C>> {
        let by_uuid = cache.by_uuid::<C>(name).map(|(reference, _)| reference);
        by_uuid.or_else(|| Some(Ref::new(name)).filter(|reference| cache.get(reference).is_some()))
    }
    let found = match class {
        "host" => known::<Host>(cache, name).map(Component::Host),
        "PIF" => known::<PIF>(cache, name).map(Component::Pif),
        "network" => known::<Network>(cache, name).map(Component::Network),
        "SR" => known::<SR>(cache, name).map(Component::Sr),
        "PBD" => known::<PBD>(cache, name).map(Component::Pbd),
        _ => {
            return Err(Exit::usage(format!("{class:?} is nothing that can fail here: take host, PIF, network, SR or PBD")));
        }
    };
    found.ok_or_else(|| Exit::failure(format!("there is no {class} with the uuid or reference {name:?}")))
}

fn name_of(cache: &Cache, vm: &Affected) -> String {
    cache.get(&vm.vm).map_or_else(|| vm.vm.as_str().into(), |record| record.name_label.clone())
}

fn labels(cache: &Cache, parts: &[Component]) -> String {
    parts.iter().map(|part| format!("{} {}", part.class(), part.label(cache))).collect::<Vec<_>>().join(", ")
}

fn show(cache: &Cache, failing: &[Component], found: &Impact) -> Result<(), Exit> {
    for class in &found.unknown {
        output::say(&format!("note: {class} is not in the data, so more may stop than is said here"));
    }
    output::line(&format!("If {} fails:", labels(cache, failing)))?;
    if found.coordinator_fails {
        output::line("The pool loses its coordinator.")?;
    }
    for verdict in [Verdict::Stopped, Verdict::Degraded, Verdict::Safe] {
        output::line(&format!("\n{} {}", found.count(verdict), verdict.name()))?;
        for vm in found.of(verdict) {
            let why: Vec<String> = vm.reasons.iter().map(|reason| reason.sentence(cache)).collect();
            output::line(&format!("  {}: {}", name_of(cache, vm), why.join("; ")))?;
        }
    }
    output::line(&format!("\n{} VMs have nothing to do with it", found.untouched))
}

fn as_json(cache: &Cache, failing: &[Component], found: &Impact) -> Value {
    let part =
        |part: &Component| json!({ "class": part.class(), "ref": part.reference().as_str(), "name": part.label(cache) });
    let vm = |vm: &Affected| {
        let why: Vec<String> = vm.reasons.iter().map(|reason| reason.sentence(cache)).collect();
        let uuid = cache.get(&vm.vm).map(|record| record.uuid.as_str().to_owned()).unwrap_or_default();
        json!({
            "ref": vm.vm.as_str(), "uuid": uuid, "name": name_of(cache, vm), "running": vm.is_running,
            "verdict": vm.verdict.name(), "cut_off": vm.is_cut_off(), "stranded": vm.is_stranded(), "reasons": why,
        })
    };
    json!({
        "failing": failing.iter().map(part).collect::<Vec<_>>(),
        "vms": found.vms.iter().map(vm).collect::<Vec<_>>(),
        "stopped": found.count(Verdict::Stopped),
        "degraded": found.count(Verdict::Degraded),
        "safe": found.count(Verdict::Safe),
        "untouched": found.untouched,
        "brought_down": found.brought_down.iter().map(part).collect::<Vec<_>>(),
        "coordinator_fails": found.coordinator_fails,
        "unknown": found.unknown,
    })
}

fn show_points(cache: &Cache, points: &[SinglePoint], is_json: bool) -> Result<(), Exit> {
    if is_json {
        let all = points.iter().map(|point| {
            json!({
                "class": point.component.class(), "ref": point.component.reference().as_str(),
                "name": point.component.label(cache), "stranded": point.stranded, "cut_off": point.cut_off,
                "stopped": point.stopped, "degraded": point.degraded,
            })
        });
        return output::line(&Value::from(all.collect::<Vec<_>>()).to_string());
    }
    if points.is_empty() {
        return output::line("Nothing that fails alone takes a VM away for good.");
    }
    for point in points {
        output::line(&format!(
            "{} {}: {} VMs without a host that could run them, {} that nobody reaches, {} stopped, {} degraded",
            point.component.class(),
            point.component.label(cache),
            point.stranded,
            point.cut_off,
            point.stopped,
            point.degraded
        ))?;
    }
    Ok(())
}
