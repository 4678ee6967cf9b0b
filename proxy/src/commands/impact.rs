//! `xenoxide impact`: what stops if something fails.

use serde_json::{Value, json};
use xenapi_client::Cache;
use xenapi_core::{Class, Ref};
use xenapi_model::{Host, Network, PBD, PIF, SR};
use xenapi_topology::impact::{Affected, Component, Impact, SinglePoint, Verdict, impact, single_points};

use super::connection::Connection;
use super::topology;
use crate::cli::{self, Exit, When};
use crate::output::{self, Paint, Style, plain};

/// What can fail.
const CLASSES: [&str; 5] = ["host", "PIF", "network", "SR", "PBD"];

/// Runs the command.
pub(super) async fn run(args: &cli::Impact, color: When) -> Result<(), Exit> {
    let named = named(&args.objects)?;
    if named.is_empty() && !args.spof {
        return Err(Exit::usage("say what fails: CLASS UUID, or --spof for the single points of failure"));
    }
    let cache = Connection::within(&args.connection, topology::load).await?;
    let paint = Paint::stdout(color);
    if args.spof {
        return show_points(&cache, &single_points(&cache), args.json, paint);
    }
    let failing = named.iter().map(|(class, name)| find(&cache, class, name)).collect::<Result<Vec<_>, _>>()?;
    let found = impact(&cache, &failing);
    if args.json {
        return output::line(&as_json(&cache, &failing, &found).to_string());
    }
    show(&cache, &failing, &found, paint)
}

/// Each object with its class: `host A B SR C` are the hosts A and B and the SR C.
fn named(words: &[String]) -> Result<Vec<(&'static str, &str)>, Exit> {
    let mut class = None;
    let mut all = Vec::new();
    for word in words {
        let named = CLASSES.iter().find(|class| *class == word);
        match (named, class) {
            (Some(named), _) => class = Some(*named),
            (None, Some(class)) => all.push((class, word.as_str())),
            (None, None) => {
                return Err(Exit::usage(format!(
                    "{word:?} is nothing that can fail here: begin with one of {}",
                    CLASSES.join(", ")
                )));
            }
        }
    }
    let last = words.last().filter(|last| CLASSES.contains(&last.as_str()));
    match last {
        Some(last) => Err(Exit::usage(format!("say which {last} fails: after a class comes a uuid, a reference or a name"))),
        None => Ok(all),
    }
}

/// The component of that class with that uuid or reference, or with that name if no other has it.
fn find(cache: &Cache, class: &str, name: &str) -> Result<Component, Exit> {
    fn known<C: Class>(cache: &Cache, name: &str, label: impl Fn(&C::Record) -> &str) -> Vec<Ref<C>> {
        let by_uuid = cache.by_uuid::<C>(name).map(|(reference, _)| reference);
        let by_either = by_uuid.or_else(|| Some(Ref::new(name)).filter(|reference| cache.get(reference).is_some()));
        match by_either {
            Some(found) => vec![found],
            None => cache.iter::<C>().filter(|(_, record)| label(record) == name).map(|(it, _)| it).collect(),
        }
    }
    let all: Vec<Component> = match class {
        "host" => known::<Host>(cache, name, |it| &it.name_label).into_iter().map(Component::Host).collect(),
        "PIF" => known::<PIF>(cache, name, |_| "").into_iter().map(Component::Pif).collect(),
        "network" => known::<Network>(cache, name, |it| &it.name_label).into_iter().map(Component::Network).collect(),
        "SR" => known::<SR>(cache, name, |it| &it.name_label).into_iter().map(Component::Sr).collect(),
        _ => known::<PBD>(cache, name, |_| "").into_iter().map(Component::Pbd).collect(),
    };
    match (all.len(), all.into_iter().next()) {
        (1, Some(one)) => Ok(one),
        (0, _) | (_, None) => {
            let by_name = if matches!(class, "PIF" | "PBD") { "" } else { ", nor one with that name" };
            Err(Exit::no_such_object(format!("there is no {class} with the uuid or reference {name:?}{by_name}")))
        }
        (count, _) => Err(Exit::no_such_object(format!(
            "{count} objects of class {class} have the name {name:?}; give the uuid of the one that is meant"
        ))),
    }
}

fn name_of(cache: &Cache, vm: &Affected) -> String {
    cache.get(&vm.vm).map_or_else(|| vm.vm.as_str().into(), |record| record.name_label.clone())
}

fn labels(cache: &Cache, parts: &[Component]) -> String {
    let label = |part: &Component| plain(&format!("{} {}", part.class(), part.label(cache)));
    parts.iter().map(label).collect::<Vec<_>>().join(", ")
}

fn show(cache: &Cache, failing: &[Component], found: &Impact, paint: Paint) -> Result<(), Exit> {
    for class in &found.unknown {
        output::say(&format!("note: {class} is not in the data, so more may stop than is said here"));
    }
    let verb = if failing.len() == 1 { "fails" } else { "fail" };
    output::line(&format!("If {} {verb}:", labels(cache, failing)))?;
    if found.coordinator_fails {
        output::line(&paint.paint(Style::Bad, "The pool loses its coordinator."))?;
    }
    for (verdict, style) in [(Verdict::Stopped, Style::Bad), (Verdict::Degraded, Style::Warn), (Verdict::Safe, Style::Good)]
    {
        let heading = format!("{} {}", found.count(verdict), verdict.name());
        output::line(&format!("\n{}", paint.paint(style, &heading)))?;
        for vm in found.of(verdict) {
            let why: Vec<String> = vm.reasons.iter().map(|reason| reason.sentence(cache)).collect();
            let name = paint.paint(Style::Strong, &plain(&name_of(cache, vm)));
            output::line(&format!("  {name}: {}", plain(&why.join("; "))))?;
        }
    }
    output::line(&format!("\n{} untouched: they have nothing to do with it", found.untouched))
}

fn as_json(cache: &Cache, failing: &[Component], found: &Impact) -> Value {
    let part = |part: &Component| json!({ "class": part.class(), "ref": part.reference().as_str(), "uuid": uuid_of(cache, part), "name": part.label(cache) });
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

fn show_points(cache: &Cache, points: &[SinglePoint], is_json: bool, paint: Paint) -> Result<(), Exit> {
    if is_json {
        let all = points.iter().map(|point| {
            let uuid = uuid_of(cache, &point.component);
            json!({
                "class": point.component.class(), "ref": point.component.reference().as_str(), "uuid": uuid,
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
        let what = paint.paint(Style::Strong, &labels(cache, core::slice::from_ref(&point.component)));
        output::line(&format!("{what}: {}", consequences(point)))?;
    }
    Ok(())
}

/// What a single point of failure takes away, without what it leaves alone.
fn consequences(point: &SinglePoint) -> String {
    let parts = [
        (point.stranded, "stopped, and no other host could run them"),
        (point.stopped - point.stranded.min(point.stopped), "stopped, and another host could run them"),
        (point.cut_off, "cut off: they run on, and nobody reaches them"),
        (point.degraded - point.cut_off.min(point.degraded), "degraded otherwise"),
    ];
    let said = parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    said.collect::<Vec<_>>().join("; ")
}

fn uuid_of(cache: &Cache, component: &Component) -> Option<String> {
    let uuid = match component {
        Component::Host(it) => cache.get(it).map(|record| record.uuid.as_str().to_owned()),
        Component::Pif(it) => cache.get(it).map(|record| record.uuid.as_str().to_owned()),
        Component::Network(it) => cache.get(it).map(|record| record.uuid.as_str().to_owned()),
        Component::Sr(it) => cache.get(it).map(|record| record.uuid.as_str().to_owned()),
        Component::Pbd(it) => cache.get(it).map(|record| record.uuid.as_str().to_owned()),
    };
    uuid.filter(|uuid| !uuid.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_class_is_said_once_for_several_objects() {
        let read = |text| {
            named(&words(text)).map(|all| all.iter().map(|(class, name)| format!("{class}={name}")).collect::<Vec<_>>())
        };
        assert_eq!(read("host a b SR c").unwrap(), ["host=a", "host=b", "SR=c"]);
        assert_eq!(read("host a host b").unwrap(), ["host=a", "host=b"]);
        assert_eq!(read("").unwrap(), Vec::<String>::new());
    }
}
