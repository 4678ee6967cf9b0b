//! The few words beside a name: numbers where they help.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::{Class, Ref};
use xenapi_model::{Host, Network, PIF, SR, VBD, VDI, VM, pif, sr, vdi::VdiType};

use crate::draft::{Degrees, Draft, Item};
use crate::graph::{Lens, NodeKind};
use crate::state::State;
use crate::text::{bytes, count, join, natural, short, speed};

/// The detail of one item, or of a group.
pub(crate) fn detail(draft: &Draft<'_>, lens: Lens, items: &[usize], degrees: &[Degrees]) -> String {
    match items {
        [at] => single(draft, lens, *at, degrees[*at]),
        _ => several(draft, items, degrees),
    }
}

fn single(draft: &Draft<'_>, lens: Lens, at: usize, degrees: Degrees) -> String {
    let item = &draft.items[at];
    let cache = draft.cache;
    if item.state == State::Unknown && !item.kind.is_place() {
        return unknown(draft, item);
    }
    match item.kind {
        NodeKind::Pool => count(degrees.right, "host", "hosts"),
        NodeKind::NotRunning | NodeKind::Nowhere => count(degrees.right, "VM", "VMs"),
        NodeKind::Host => host(cache, lens, item, degrees.right),
        NodeKind::Vm | NodeKind::Template | NodeKind::Snapshot | NodeKind::ControlDomain => {
            vm(cache, lens, item, degrees.right)
        }
        NodeKind::Vdi | NodeKind::Iso => vdi(cache, item, degrees),
        NodeKind::Sr => sr(cache, item, degrees),
        NodeKind::Network => network(cache, item, degrees.left),
        NodeKind::Pif | NodeKind::Bond | NodeKind::Vlan | NodeKind::Tunnel | NodeKind::Sriov => {
            record::<PIF>(cache, item).map_or_else(String::new, |record| pif(cache, item.kind, record))
        }
        NodeKind::Shelf | NodeKind::Vbd | NodeKind::Pbd | NodeKind::Vif => String::new(),
    }
}

fn record<'a, C: Class>(cache: &'a Cache, item: &Item<'_>) -> Option<&'a C::Record> {
    let reference: Ref<C> = item.reference.clone().typed();
    cache.get(&reference).map(|record| &**record)
}

/// What is known of an unknown thing: its reference, if its name does not say it already.
fn unknown(draft: &Draft<'_>, item: &Item<'_>) -> String {
    let known = match item.kind {
        NodeKind::Vm => record::<VM>(draft.cache, item).is_some(),
        NodeKind::Sr => record::<SR>(draft.cache, item).is_some(),
        _ => false,
    };
    if known && item.kind == NodeKind::Sr {
        return sr(draft.cache, item, Degrees::default());
    }
    let reference = short(item.reference.as_str());
    if known || item.label.ends_with(&reference) { "unknown".to_string() } else { join(&["unknown", &reference]) }
}

fn host(cache: &Cache, lens: Lens, item: &Item<'_>, vms: usize) -> String {
    let Some(host) = record::<Host>(cache, item) else { return String::new() };
    let metrics = cache.get(&host.metrics);
    let memory = metrics.filter(|metrics| metrics.live && metrics.memory_total > 0);
    let free = memory.map(|metrics| bytes(metrics.memory_free) + " free").unwrap_or_default();
    let word = match item.state {
        State::Failed => "not live",
        State::Attention => "disabled",
        _ => "",
    };
    match lens {
        Lens::Compute => join(&[word, &count(vms, "VM", "VMs"), &free]),
        _ => join(&[word, &host.address]),
    }
}

fn vm(cache: &Cache, lens: Lens, item: &Item<'_>, connectors: usize) -> String {
    let Some(vm) = record::<VM>(cache, item) else { return String::new() };
    match lens {
        Lens::Compute => {
            let cpus = if vm.vcpus_max > 0 { vm.vcpus_max.to_string() + " vCPU" } else { String::new() };
            let memory = [vm.memory_dynamic_max, vm.memory_static_max].into_iter().find(|size| *size > 0);
            join(&[&cpus, &memory.map(bytes).unwrap_or_default()])
        }
        // What kind of drive an unknown VBD is, is not known either.
        Lens::Storage if !cache.is_known::<VBD>() => count(connectors, "VBD", "VBDs"),
        Lens::Storage => count(connectors, "disk", "disks"),
        Lens::Network => {
            let guest = cache.get(&vm.guest_metrics);
            let address = guest.and_then(|guest| guest.networks.iter().find(|(key, _)| key.ends_with("/ip")));
            address.map(|(_, address)| address.clone()).unwrap_or_else(|| count(connectors, "VIF", "VIFs"))
        }
    }
}

fn vdi(cache: &Cache, item: &Item<'_>, degrees: Degrees) -> String {
    let Some(vdi) = record::<VDI>(cache, item) else { return String::new() };
    let word = match &vdi.r#type {
        _ if vdi.missing => "missing",
        _ if item.kind == NodeKind::Iso || degrees.left > 0 => "",
        VdiType::System | VdiType::User | VdiType::Unrecognised(_) => "unused",
        // Suspend images, state files and the like are used by the pool itself.
        other => other.as_str(),
    };
    join(&[word, &bytes(vdi.virtual_size)])
}

fn sr(cache: &Cache, item: &Item<'_>, degrees: Degrees) -> String {
    let Some(sr) = record::<SR>(cache, item) else { return String::new() };
    let free = free_of(sr.physical_size, sr.physical_utilisation);
    match item.state {
        State::Failed => join(&[&sr.r#type, "on no host"]),
        State::Attention => join(&[&sr.r#type, &format!("on {} of {} hosts", degrees.active, degrees.right)]),
        _ => match local_host(cache, sr) {
            // Every host has a "Local storage".
            Some(host) => join(&[host, &sr.r#type, free.split(" of").next().unwrap_or_default()]),
            None => join(&[&sr.r#type, &free]),
        },
    }
}

/// The name of the only host that has the SR.
fn local_host<'a>(cache: &'a Cache, sr: &sr::Record) -> Option<&'a str> {
    let [pbd] = sr.pbds.as_slice() else { return None };
    let host = cache.get(&cache.get(pbd)?.host)?;
    (!sr.shared).then_some(host.name_label.as_str())
}

/// Free space; of what is full, as ISO libraries are, the size alone.
fn free_of(size: i64, used: i64) -> String {
    match size.saturating_sub(used) {
        _ if size <= 0 => String::new(),
        ..=0 => bytes(size),
        free => bytes(free) + " free of " + &bytes(size),
    }
}

fn network(cache: &Cache, item: &Item<'_>, vifs: usize) -> String {
    let Some(network) = record::<Network>(cache, item) else { return String::new() };
    let internal = if network.pifs.is_empty() && cache.is_known::<PIF>() { "internal" } else { "" };
    let mtu = if network.mtu > 1500 { "MTU ".to_string() + &network.mtu.to_string() } else { String::new() };
    let vifs = if vifs > 0 { count(vifs, "VIF", "VIFs") } else { String::new() };
    join(&[internal, &network.bridge, &vifs, &mtu])
}

fn pif(cache: &Cache, kind: NodeKind, record: &pif::Record) -> String {
    let metrics = cache.get(&record.metrics);
    let link = match metrics {
        Some(metrics) if !metrics.carrier && record.physical => "no link".to_string(),
        Some(metrics) if kind == NodeKind::Pif || kind == NodeKind::Bond => speed(metrics.speed),
        _ => String::new(),
    };
    let host = cache.get(&record.host).map_or("", |host| host.name_label.as_str());
    let on = if matches!(kind, NodeKind::Vlan | NodeKind::Tunnel) { record.device.as_str() } else { "" };
    let role = if record.management { "mgmt" } else { "" };
    join(&[on, &link, role, host])
}

/// What a group has in sum.
fn several(draft: &Draft<'_>, items: &[usize], degrees: &[Degrees]) -> String {
    let cache = draft.cache;
    let is_unused = |at: &usize| {
        let vdi = record::<VDI>(cache, &draft.items[*at]);
        degrees[*at].left == 0 && vdi.is_some_and(|vdi| matches!(vdi.r#type, VdiType::System | VdiType::User))
    };
    let unused = items.iter().all(is_unused);
    let items: Vec<&Item<'_>> = items.iter().map(|at| &draft.items[*at]).collect();
    let sum = |sizes: &dyn Fn(&Item<'_>) -> Option<i64>| -> i64 {
        items.iter().filter_map(|item| sizes(item)).fold(0, i64::saturating_add)
    };
    match items.first().map(|item| item.kind) {
        Some(kind @ (NodeKind::Vdi | NodeKind::Iso)) => {
            let total = sum(&|item| record::<VDI>(cache, item).map(|vdi| vdi.virtual_size));
            let word = if unused && kind == NodeKind::Vdi { "unused" } else { "" };
            join(&[word, &if total > 0 { bytes(total) } else { String::new() }])
        }
        Some(NodeKind::Sr) => {
            let free =
                sum(&|item| record::<SR>(cache, item).map(|sr| sr.physical_size.saturating_sub(sr.physical_utilisation)));
            let kind = |item: &Item<'_>| record::<SR>(cache, item).map(|sr| sr.r#type.as_str());
            let first = items.first().and_then(|item| kind(item));
            let kind = if items.iter().all(|item| kind(item) == first) { first.unwrap_or("") } else { "" };
            join(&[kind, &if free > 0 { bytes(free) + " free" } else { String::new() }])
        }
        Some(NodeKind::Pif) => {
            let link = |item: &Item<'_>| cache.get(&record::<PIF>(cache, item)?.metrics).map(|metrics| metrics.speed);
            let first = items.first().and_then(|item| link(item));
            if items.iter().all(|item| link(item) == first) { speed(first.unwrap_or(0)) } else { String::new() }
        }
        Some(NodeKind::Host | NodeKind::Network) => names(&items),
        _ => String::new(),
    }
}

/// The first and the last name, as people order them.
fn names(items: &[&Item<'_>]) -> String {
    let order = |a: &&&Item<'_>, b: &&&Item<'_>| natural(&a.label, &b.label);
    match (items.iter().min_by(order), items.iter().max_by(order)) {
        (Some(first), Some(last)) if first.label != last.label => format!("{} … {}", first.label, last.label),
        _ => String::new(),
    }
}
