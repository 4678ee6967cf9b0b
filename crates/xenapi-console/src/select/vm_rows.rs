//! The table of VMs.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;

use xenapi_client::Cache;
use xenapi_core::Ref;
use xenapi_model::{Host, VM, VMGuestMetrics, VmKind, vm, vm_guest_metrics};
use xenapi_topology::State;

use super::{Cell, is_known};
use crate::format;
use crate::object::Object;

/// One VM in the table.
#[derive(Clone, PartialEq, Debug)]
pub struct VmRow {
    /// The VM.
    pub object: Object,
    /// Its lasting identity.
    pub uuid: String,
    /// Its name.
    pub name: String,
    /// What somebody wrote about it.
    pub description: String,
    /// Its state in the console's vocabulary.
    pub state: State,
    /// The name of the host on which it runs.
    pub host: Cell,
    /// Virtual CPUs that it has or will start with.
    pub vcpus: i64,
    /// Memory that it has or will get, in bytes.
    pub memory: i64,
    /// Its addresses, as its guest agent says.
    pub addresses: Cell,
    /// What the filter looks at, in lower case.
    haystack: String,
}

/// A column of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Column {
    /// Name.
    #[default]
    Name,
    /// State.
    State,
    /// Host.
    Host,
    /// Virtual CPUs.
    Vcpus,
    /// Memory.
    Memory,
    /// IP addresses.
    Addresses,
    /// Description.
    Description,
}

impl Column {
    /// All, from left to right.
    pub const ALL: [Column; 7] =
        [Column::Name, Column::State, Column::Host, Column::Vcpus, Column::Memory, Column::Addresses, Column::Description];
}

/// By which column, and which way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sort {
    /// By which column.
    pub column: Column,
    /// The greatest first.
    pub descending: bool,
}

impl Sort {
    /// What a click on a heading means: that column, or the other way if it is that one already.
    #[must_use]
    pub fn by(self, column: Column) -> Self {
        Sort { column, descending: self.column == column && !self.descending }
    }
}

/// What a row was made of. The same records give the same row, so comparing pointers is enough.
struct Source {
    vm: Arc<vm::Record>,
    guest: Option<Arc<vm_guest_metrics::Record>>,
    host: Cell,
    guests_known: bool,
    row: Rc<VmRow>,
}

/// Makes rows, and makes anew only those whose records have changed.
#[derive(Default)]
pub struct VmRows {
    sources: BTreeMap<Ref<VM>, Source>,
}

impl VmRows {
    /// The rows of all VMs: no templates, snapshots and control domains. A row that has not changed is the same `Rc` as before.
    pub fn update(&mut self, cache: &Cache) -> Rc<Vec<Rc<VmRow>>> {
        let known = Known { hosts: is_known::<Host>(cache), guests: is_known::<VMGuestMetrics>(cache) };
        let mut old = core::mem::take(&mut self.sources);
        for (reference, vm) in cache.iter::<VM>().filter(|(_, vm)| vm.kind() == VmKind::Vm) {
            let guest = cache.get(&vm.guest_metrics);
            let host = host_of(cache, vm, &known);
            let same = old.remove(&reference).filter(|source| {
                Arc::ptr_eq(&source.vm, vm)
                    && source.guest.as_ref().map(Arc::as_ptr) == guest.map(Arc::as_ptr)
                    && source.host == host
                    && source.guests_known == known.guests
            });
            let source = same.unwrap_or_else(|| {
                let row = Rc::new(row(&reference, vm, guest.map(|it| &**it), host.clone(), &known));
                Source { vm: vm.clone(), guest: guest.cloned(), host, guests_known: known.guests, row }
            });
            self.sources.insert(reference, source);
        }
        Rc::new(self.sources.values().map(|source| source.row.clone()).collect())
    }
}

struct Known {
    hosts: bool,
    guests: bool,
}

fn host_of(cache: &Cache, vm: &vm::Record, known: &Known) -> Cell {
    if vm.resident_on.is_none() {
        return Cell::Nothing;
    }
    match cache.get(&vm.resident_on) {
        Some(host) if known.hosts => Cell::of(host.name_label.as_str()),
        _ => Cell::Unknown,
    }
}

fn row(reference: &Ref<VM>, vm: &vm::Record, guest: Option<&vm_guest_metrics::Record>, host: Cell, known: &Known) -> VmRow {
    let addresses = match guest {
        Some(guest) => Cell::of(addresses(guest).join(", ")),
        None if vm.guest_metrics.is_none() => Cell::Nothing,
        // The reference may dangle for a moment, which says nothing; but a class that was left out says "unknown".
        None if known.guests => Cell::Nothing,
        None => Cell::Unknown,
    };
    let state = State::of_vm(vm);
    let mut haystack = String::new();
    for part in [
        vm.name_label.as_str(),
        vm.name_description.as_str(),
        crate::text::state(state).get(),
        host.show(),
        addresses.show(),
    ] {
        haystack.push_str(&part.to_lowercase());
        haystack.push('\n');
    }
    VmRow {
        object: Object::of(reference),
        uuid: vm.uuid.to_string(),
        name: vm.name_label.clone(),
        description: vm.name_description.clone(),
        state,
        host,
        vcpus: vcpus(vm),
        memory: memory(vm),
        addresses,
        haystack,
    }
}

pub(crate) fn vcpus(vm: &vm::Record) -> i64 {
    if vm.vcpus_at_startup > 0 { vm.vcpus_at_startup } else { vm.vcpus_max }
}

pub(crate) fn memory(vm: &vm::Record) -> i64 {
    if vm.memory_dynamic_max > 0 { vm.memory_dynamic_max } else { vm.memory_static_max }
}

/// The addresses that a guest agent tells, IPv4 first, each once. Link-local ones tell nobody anything.
pub(crate) fn addresses(guest: &vm_guest_metrics::Record) -> Vec<String> {
    let mut found: Vec<&String> = Vec::new();
    for (key, address) in guest.networks.iter() {
        let is_address = key.ends_with("/ip") || key.contains("/ipv4") || key.contains("/ipv6");
        let is_link_local = address.to_ascii_lowercase().starts_with("fe80");
        if is_address && !is_link_local && !address.is_empty() && !found.contains(&address) {
            found.push(address);
        }
    }
    found.sort_by(|a, b| a.contains(':').cmp(&b.contains(':')).then_with(|| format::natural_cmp(a, b)));
    found.into_iter().map(ToString::to_string).collect()
}

/// The rows that a filter lets through, in order. Every word of the filter has to be somewhere in a row.
pub fn arrange(rows: &[Rc<VmRow>], filter: &str, sort: Sort) -> Vec<Rc<VmRow>> {
    let filter = filter.to_lowercase();
    let words: Vec<&str> = filter.split_whitespace().collect();
    let seen = rows.iter().filter(|row| words.iter().all(|word| row.haystack.contains(word)));
    let mut seen: Vec<Rc<VmRow>> = seen.cloned().collect();
    seen.sort_by(|a, b| {
        let order = compare(a, b, sort.column);
        let order = if sort.descending { order.reverse() } else { order };
        // The reference makes the order total, so that rows do not dance.
        order.then_with(|| format::natural_cmp(&a.name, &b.name)).then_with(|| a.object.cmp(&b.object))
    });
    seen
}

fn compare(a: &VmRow, b: &VmRow, column: Column) -> Ordering {
    match column {
        Column::Name => format::natural_cmp(&a.name, &b.name),
        Column::State => a.state.cmp(&b.state),
        Column::Host => cells(&a.host, &b.host),
        Column::Vcpus => a.vcpus.cmp(&b.vcpus),
        Column::Memory => a.memory.cmp(&b.memory),
        Column::Addresses => cells(&a.addresses, &b.addresses),
        Column::Description => format::natural_cmp(&a.description, &b.description),
    }
}

/// Text first; what is absent or unknown stands at the end.
fn cells(a: &Cell, b: &Cell) -> Ordering {
    match (a, b) {
        (Cell::Text(a), Cell::Text(b)) => format::natural_cmp(a, b),
        _ => a.cmp(b),
    }
}
