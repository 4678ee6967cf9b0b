//! The few words beside a name: numbers where they help.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::{Class, Ref};
use xenapi_model::{Host, Network, PIF, SR, VDI, VM, pif};

use crate::draft::{Draft, Item};
use crate::graph::{Lens, NodeKind};
use crate::state::State;
use crate::text::{bytes, count, join, short, speed};

/// The detail of one item, or of a group.
pub(crate) fn detail(draft: &Draft<'_>, lens: Lens, items: &[usize], degrees: (&[usize], &[usize])) -> String {
    match items {
        [at] => single(draft, lens, *at, degrees),
        _ => several(draft, items),
    }
}

fn single(draft: &Draft<'_>, lens: Lens, at: usize, (left, right): (&[usize], &[usize])) -> String {
    let item = &draft.items[at];
    let cache = draft.cache;
    if item.state == State::Unknown && !item.kind.is_place() {
        return unknown(draft, item);
    }
    match item.kind {
        NodeKind::Pool => count(right[at], "host", "hosts"),
        NodeKind::NotRunning | NodeKind::Nowhere => count(right[at], "VM", "VMs"),
        NodeKind::Host => host(cache, lens, item, right[at]),
        NodeKind::Vm | NodeKind::Template | NodeKind::Snapshot | NodeKind::ControlDomain => vm(cache, lens, item, right[at]),
        NodeKind::Vdi => record::<VDI>(cache, item).map_or_else(String::new, |vdi| bytes(vdi.virtual_size)),
        NodeKind::Sr => sr(cache, item),
        NodeKind::Network => network(cache, item, left[at]),
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
        return sr(draft.cache, item);
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
        Lens::Storage => count(connectors, "disk", "disks"),
        Lens::Network => {
            let guest = cache.get(&vm.guest_metrics);
            let address = guest.and_then(|guest| guest.networks.iter().find(|(key, _)| key.ends_with("/ip")));
            address.map(|(_, address)| address.clone()).unwrap_or_else(|| count(connectors, "VIF", "VIFs"))
        }
    }
}

fn sr(cache: &Cache, item: &Item<'_>) -> String {
    let Some(sr) = record::<SR>(cache, item) else { return String::new() };
    let free = if sr.physical_size > 0 { free_of(sr.physical_size, sr.physical_utilisation) } else { String::new() };
    let word = match item.state {
        State::Failed => "unplugged",
        State::Attention => "not on every host",
        _ => "",
    };
    join(&[word, &sr.r#type, if word.is_empty() { &free } else { "" }])
}

fn free_of(size: i64, used: i64) -> String {
    bytes(size.saturating_sub(used)) + " free of " + &bytes(size)
}

fn network(cache: &Cache, item: &Item<'_>, vifs: usize) -> String {
    let Some(network) = record::<Network>(cache, item) else { return String::new() };
    let internal = if network.pifs.is_empty() && cache.is_known::<PIF>() { "internal" } else { "" };
    let mtu = if network.mtu > 1500 { "MTU ".to_string() + &network.mtu.to_string() } else { String::new() };
    join(&[internal, &network.bridge, &count(vifs, "VIF", "VIFs"), &mtu])
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
fn several(draft: &Draft<'_>, items: &[usize]) -> String {
    let cache = draft.cache;
    let items: Vec<&Item<'_>> = items.iter().map(|at| &draft.items[*at]).collect();
    let sum = |sizes: &dyn Fn(&Item<'_>) -> Option<i64>| -> i64 {
        items.iter().filter_map(|item| sizes(item)).fold(0, i64::saturating_add)
    };
    match items.first().map(|item| item.kind) {
        Some(NodeKind::Vdi) => match sum(&|item| record::<VDI>(cache, item).map(|vdi| vdi.virtual_size)) {
            0 => String::new(),
            total => bytes(total),
        },
        Some(NodeKind::Sr) => {
            match sum(&|item| record::<SR>(cache, item).map(|sr| sr.physical_size.saturating_sub(sr.physical_utilisation))) {
                ..=0 => String::new(),
                free => bytes(free) + " free",
            }
        }
        Some(NodeKind::Pif) => {
            let link = |item: &Item<'_>| cache.get(&record::<PIF>(cache, item)?.metrics).map(|metrics| metrics.speed);
            let first = items.first().and_then(|item| link(item));
            if items.iter().all(|item| link(item) == first) { speed(first.unwrap_or(0)) } else { String::new() }
        }
        _ => String::new(),
    }
}
