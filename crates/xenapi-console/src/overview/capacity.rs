//! What there is, and how much of it is given away.

use alloc::string::String;
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_model::{Host, HostMetrics, SR, VM, VmKind};
use xenapi_topology::State;

use crate::format;
use crate::object::Object;
use crate::select;
use crate::tables::Link;
use crate::text::Text;

/// The classes that [`capacity`] reads.
pub const OF_CAPACITY: &[&str] = &["host", "host_metrics", "VM", "SR", "pool"];

/// How full something is, in words and as a share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gauge {
    /// In thousandths; more than 1000 is given away more than there is.
    pub share: Option<u32>,
    /// What it says.
    pub text: String,
    /// A second line: how much is promised.
    pub note: String,
}

/// A storage repository and how full it is.
#[derive(Clone, PartialEq, Debug)]
pub struct Storage {
    /// The SR.
    pub link: Link,
    /// How full it is.
    pub gauge: Gauge,
}

/// What there is, and how much of it is given away. None where what would say so was not loaded.
#[derive(Clone, PartialEq, Debug)]
pub struct Capacity {
    /// Virtual CPUs of running VMs to CPUs of live hosts.
    pub cpu: Option<Gauge>,
    /// Memory in use on live hosts.
    pub memory: Option<Gauge>,
    /// All storage together.
    pub storage: Option<Gauge>,
    /// The fullest repositories.
    pub srs: Vec<Storage>,
    /// How many repositories are not listed.
    pub more_srs: usize,
}

/// How many repositories are listed.
const LISTED: usize = 8;

/// What there is, and how much of it is given away.
pub fn capacity(cache: &Cache) -> Capacity {
    let live = || {
        cache
            .iter::<Host>()
            .filter(|(_, host)| State::of_host(host, cache.get(&host.metrics).map(|it| &**it)) != State::Failed)
    };
    let mut promised = Promised::default();
    for (_, vm) in cache.iter::<VM>().filter(|(_, vm)| vm.kind() == VmKind::Vm) {
        let memory = select::memory(vm);
        promised.all_memory = promised.all_memory.saturating_add(memory);
        if matches!(State::of_vm(vm), State::Running | State::Paused) {
            promised.vcpus += select::vcpus(vm);
            promised.memory = promised.memory.saturating_add(memory);
        }
    }
    let cpus: i64 = live().filter_map(|(_, host)| host.cpu_info.get("cpu_count")?.parse::<i64>().ok()).sum();
    let metrics = || live().filter_map(|(_, host)| cache.get(&host.metrics));
    let total = metrics().fold(0_i64, |sum, it| sum.saturating_add(it.memory_total));
    let free = metrics().fold(0_i64, |sum, it| sum.saturating_add(it.memory_free));
    let knows_hosts = select::is_known::<Host>(cache) && cpus > 0;
    let knows_memory = select::is_known::<HostMetrics>(cache) && total > 0;
    let (srs, more_srs, storage) = storage(cache);
    Capacity {
        cpu: knows_hosts.then(|| cpu(promised.vcpus, cpus)),
        memory: knows_memory.then(|| memory(total, free, &promised)),
        storage,
        srs,
        more_srs,
    }
}

#[derive(Default)]
struct Promised {
    vcpus: i64,
    /// Of running VMs.
    memory: i64,
    /// Of all VMs.
    all_memory: i64,
}

fn number(number: i64) -> String {
    format::count(usize::try_from(number).unwrap_or(0))
}

/// How many times what there is, was promised: `1.6`.
fn ratio(promised: i64, whole: i64) -> String {
    let tenths = i128::from(promised.max(0)) * 10 / i128::from(whole.max(1));
    format::tenths(u64::try_from(tenths).unwrap_or(u64::MAX))
}

/// The share, which may be more than the whole.
fn share(part: i64, whole: i64) -> Option<u32> {
    (whole > 0 && part >= 0).then(|| u32::try_from(i128::from(part) * 1000 / i128::from(whole)).unwrap_or(u32::MAX))
}

fn cpu(vcpus: i64, cpus: i64) -> Gauge {
    Gauge {
        share: share(vcpus, cpus),
        text: Text::CapacityCpu.with(&[&number(vcpus), &number(cpus)]),
        note: Text::CapacityRatio.with(&[&ratio(vcpus, cpus)]),
    }
}

fn memory(total: i64, free: i64, promised: &Promised) -> Gauge {
    let used = total.saturating_sub(free);
    Gauge {
        share: share(used, total),
        text: Text::CapacityUsed.with(&[&format::bytes(used), &format::bytes(total)]),
        note: Text::CapacityMemoryNote.with(&[
            &format::bytes(promised.memory),
            &format::bytes(promised.all_memory),
            &ratio(promised.all_memory, total),
        ]),
    }
}

fn storage(cache: &Cache) -> (Vec<Storage>, usize, Option<Gauge>) {
    let (mut size, mut used, mut promised) = (0_i64, 0_i64, 0_i64);
    let mut srs = Vec::new();
    for (reference, sr) in cache.iter::<SR>().filter(|(_, sr)| sr.physical_size > 0) {
        // What one cannot write to has no room.
        if !select::fills(sr) {
            continue;
        }
        size = size.saturating_add(sr.physical_size);
        used = used.saturating_add(sr.physical_utilisation);
        promised = promised.saturating_add(sr.virtual_allocation);
        let link = Link { name: select::sr_name(cache, sr), object: Object::of(&reference), uuid: sr.uuid.as_str().into() };
        srs.push(Storage { link, gauge: room(sr.physical_utilisation, sr.physical_size, sr.virtual_allocation) });
    }
    srs.sort_by(|a, b| {
        b.gauge
            .share
            .cmp(&a.gauge.share)
            .then_with(|| format::natural_cmp(&a.link.name, &b.link.name))
            .then_with(|| a.link.object.cmp(&b.link.object))
    });
    let more = srs.len().saturating_sub(LISTED);
    srs.truncate(LISTED);
    let all = (size > 0).then(|| room(used, size, promised));
    (srs, more, all)
}

fn room(used: i64, size: i64, promised: i64) -> Gauge {
    Gauge {
        share: share(used, size),
        text: Text::CapacityUsed.with(&[&format::bytes(used), &format::bytes(size)]),
        note: Text::CapacityStorageNote.with(&[&format::bytes(promised), &ratio(promised, size)]),
    }
}
