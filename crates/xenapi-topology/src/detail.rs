//! The few words beside a name: numbers where they help.

use alloc::string::String;
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::{Class, Ref};
use xenapi_model::{Host, Network, PIF, SR, VBD, VDI, VM, pif, sr, vdi::VdiType};

use crate::draft::{Degrees, Draft, Item};
use crate::graph::{Lens, NodeKind};
use crate::state::State;
use crate::text::{natural, short};
use crate::words::{Counted, Word};

/// What is said of one item, or of a group.
pub(crate) fn detail(draft: &Draft<'_>, lens: Lens, items: &[usize], degrees: &[Degrees]) -> Vec<Word> {
    match items {
        [at] => single(draft, lens, *at, degrees[*at]),
        _ => several(draft, items, degrees),
    }
}

fn single(draft: &Draft<'_>, lens: Lens, at: usize, degrees: Degrees) -> Vec<Word> {
    let item = &draft.items[at];
    let cache = draft.cache;
    if item.state == State::Unknown && !item.kind.is_place() {
        return unknown(draft, item);
    }
    match item.kind {
        NodeKind::Pool => [Word::Count(Counted::Hosts, degrees.right)].into(),
        NodeKind::NotRunning | NodeKind::Nowhere => [Word::Count(Counted::Vms, degrees.right)].into(),
        NodeKind::Host => host(cache, lens, item, degrees.right),
        NodeKind::Vm | NodeKind::Template | NodeKind::Snapshot | NodeKind::ControlDomain => {
            vm(cache, lens, item, degrees.right)
        }
        NodeKind::Vdi | NodeKind::Iso => vdi(cache, item, degrees),
        NodeKind::Sr => sr(cache, item, degrees),
        NodeKind::Network => network(cache, item, degrees.left),
        NodeKind::Pif | NodeKind::Bond | NodeKind::Vlan | NodeKind::Tunnel | NodeKind::Sriov => {
            record::<PIF>(cache, item).map_or_else(Vec::new, |record| pif(cache, item.kind, record))
        }
        NodeKind::Shelf | NodeKind::Vbd | NodeKind::Pbd | NodeKind::Vif => Vec::new(),
    }
}

fn record<'a, C: Class>(cache: &'a Cache, item: &Item<'_>) -> Option<&'a C::Record> {
    let reference: Ref<C> = item.reference.clone().typed();
    cache.get(&reference).map(|record| &**record)
}

/// Text of the pool, unless it is empty.
fn text(text: &str) -> Option<Word> {
    (!text.is_empty()).then(|| Word::Text(text.into()))
}

/// Those that there are.
fn words<const N: usize>(words: [Option<Word>; N]) -> Vec<Word> {
    words.into_iter().flatten().collect()
}

/// What is known of an unknown thing: its reference, if its name does not say it already.
fn unknown(draft: &Draft<'_>, item: &Item<'_>) -> Vec<Word> {
    let known = match item.kind {
        NodeKind::Vm => record::<VM>(draft.cache, item).is_some(),
        NodeKind::Sr => record::<SR>(draft.cache, item).is_some(),
        _ => false,
    };
    if known && item.kind == NodeKind::Sr {
        return sr(draft.cache, item, Degrees::default());
    }
    let said = known || item.is_unnamed;
    words([Some(Word::Unknown), (!said).then(|| Word::Text(short(item.reference.as_str())))])
}

fn host(cache: &Cache, lens: Lens, item: &Item<'_>, vms: usize) -> Vec<Word> {
    let Some(host) = record::<Host>(cache, item) else { return Vec::new() };
    let metrics = cache.get(&host.metrics);
    let memory = metrics.filter(|metrics| metrics.live && metrics.memory_total > 0);
    let word = match item.state {
        State::Failed => Some(Word::NotLive),
        State::Attention => Some(Word::Disabled),
        _ => None,
    };
    match lens {
        Lens::Compute => {
            let free = memory.map(|metrics| Word::Free(metrics.memory_free));
            words([word, Some(Word::Count(Counted::Vms, vms)), free])
        }
        _ => words([word, text(&host.address)]),
    }
}

fn vm(cache: &Cache, lens: Lens, item: &Item<'_>, connectors: usize) -> Vec<Word> {
    let Some(vm) = record::<VM>(cache, item) else { return Vec::new() };
    match lens {
        Lens::Compute => {
            let cpus = (vm.vcpus_max > 0).then_some(Word::Vcpus(vm.vcpus_max));
            let memory = [vm.memory_dynamic_max, vm.memory_static_max].into_iter().find(|size| *size > 0);
            words([cpus, memory.map(Word::Size)])
        }
        // What kind of drive an unknown VBD is, is not known either.
        Lens::Storage if !cache.is_known::<VBD>() => [Word::Count(Counted::Vbds, connectors)].into(),
        Lens::Storage => [Word::Count(Counted::Disks, connectors)].into(),
        Lens::Network => {
            let guest = cache.get(&vm.guest_metrics);
            let address = guest.and_then(|guest| guest.networks.iter().find(|(key, _)| key.ends_with("/ip")));
            [address.map_or(Word::Count(Counted::Vifs, connectors), |(_, address)| Word::Text(address.into()))].into()
        }
    }
}

fn vdi(cache: &Cache, item: &Item<'_>, degrees: Degrees) -> Vec<Word> {
    let Some(vdi) = record::<VDI>(cache, item) else { return Vec::new() };
    let word = match &vdi.r#type {
        _ if vdi.missing => Some(Word::Missing),
        _ if item.kind == NodeKind::Iso || degrees.left > 0 => None,
        VdiType::System | VdiType::User | VdiType::Unrecognised(_) => Some(Word::Unused),
        // Suspend images, state files and the like are used by the pool itself.
        other => text(other.as_str()),
    };
    words([word, Some(Word::Size(vdi.virtual_size))])
}

fn sr(cache: &Cache, item: &Item<'_>, degrees: Degrees) -> Vec<Word> {
    let Some(sr) = record::<SR>(cache, item) else { return Vec::new() };
    match item.state {
        State::Failed => words([text(&sr.r#type), Some(Word::OnNoHost)]),
        State::Attention => words([text(&sr.r#type), Some(Word::OnHosts(degrees.active, degrees.right))]),
        _ => match local_host(cache, sr) {
            // Every host has a "Local storage".
            Some(host) => words([text(host), text(&sr.r#type), free_of(sr, false)]),
            None => words([text(&sr.r#type), free_of(sr, true)]),
        },
    }
}

/// The name of the only host that has the SR.
fn local_host<'a>(cache: &'a Cache, sr: &sr::Record) -> Option<&'a str> {
    let [pbd] = sr.pbds.as_slice() else { return None };
    let host = cache.get(&cache.get(pbd)?.host)?;
    (!sr.shared).then_some(host.name_label.as_str())
}

/// Free space, with the size or without; of what is full, as ISO libraries are, the size alone.
fn free_of(sr: &sr::Record, with_size: bool) -> Option<Word> {
    let size = sr.physical_size;
    match size.saturating_sub(sr.physical_utilisation) {
        _ if size <= 0 => None,
        ..=0 => Some(Word::Size(size)),
        free if with_size => Some(Word::FreeOf(free, size)),
        free => Some(Word::Free(free)),
    }
}

fn network(cache: &Cache, item: &Item<'_>, vifs: usize) -> Vec<Word> {
    let Some(network) = record::<Network>(cache, item) else { return Vec::new() };
    let internal = network.pifs.is_empty() && cache.is_known::<PIF>();
    words([
        internal.then_some(Word::Internal),
        text(&network.bridge),
        (vifs > 0).then_some(Word::Count(Counted::Vifs, vifs)),
        (network.mtu > 1500).then_some(Word::Mtu(network.mtu)),
    ])
}

/// A speed that the server knows.
fn speed(megabits: i64) -> Option<Word> {
    (megabits > 0).then_some(Word::Speed(megabits))
}

fn pif(cache: &Cache, kind: NodeKind, record: &pif::Record) -> Vec<Word> {
    let metrics = cache.get(&record.metrics);
    let link = match metrics {
        Some(metrics) if !metrics.carrier && record.physical => Some(Word::NoLink),
        Some(metrics) if kind == NodeKind::Pif || kind == NodeKind::Bond => speed(metrics.speed),
        _ => None,
    };
    let host = cache.get(&record.host).map_or("", |host| host.name_label.as_str());
    let on = if matches!(kind, NodeKind::Vlan | NodeKind::Tunnel) { record.device.as_str() } else { "" };
    words([text(on), link, record.management.then_some(Word::Management), text(host)])
}

/// What a group has in sum.
fn several(draft: &Draft<'_>, items: &[usize], degrees: &[Degrees]) -> Vec<Word> {
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
            let word = (unused && kind == NodeKind::Vdi).then_some(Word::Unused);
            words([word, (total > 0).then_some(Word::Size(total))])
        }
        Some(NodeKind::Sr) => {
            let free =
                sum(&|item| record::<SR>(cache, item).map(|sr| sr.physical_size.saturating_sub(sr.physical_utilisation)));
            let kind = |item: &Item<'_>| record::<SR>(cache, item).map(|sr| sr.r#type.as_str());
            let first = items.first().and_then(|item| kind(item));
            let kind = if items.iter().all(|item| kind(item) == first) { first.unwrap_or("") } else { "" };
            words([text(kind), (free > 0).then_some(Word::Free(free))])
        }
        Some(NodeKind::Pif) => {
            let link = |item: &Item<'_>| cache.get(&record::<PIF>(cache, item)?.metrics).map(|metrics| metrics.speed);
            let first = items.first().and_then(|item| link(item));
            if items.iter().all(|item| link(item) == first) { words([speed(first.unwrap_or(0))]) } else { Vec::new() }
        }
        Some(NodeKind::Host | NodeKind::Network) => words([names(&items)]),
        _ => Vec::new(),
    }
}

/// The first and the last name, as people order them.
fn names(items: &[&Item<'_>]) -> Option<Word> {
    let order = |a: &&&Item<'_>, b: &&&Item<'_>| natural(&a.label, &b.label);
    let (first, last) = (items.iter().min_by(order)?, items.iter().max_by(order)?);
    let owned = |item: &Item<'_>| String::from(&*item.label);
    (first.label != last.label).then(|| Word::Range(owned(first), owned(last)))
}
