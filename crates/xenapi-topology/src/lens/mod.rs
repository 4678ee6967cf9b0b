//! What each lens takes out of a cache.

mod compute;
mod network;
mod storage;

use alloc::borrow::Cow;
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::{RawRef, Ref};
use xenapi_model::{Host, VM, VmKind, vm};

use crate::draft::Draft;
use crate::graph::{Lens, NodeKind, Options};
use crate::state::State;

/// Everything that a lens sees of a cache.
pub(crate) fn draft<'a>(cache: &'a Cache, lens: Lens, options: &Options) -> Draft<'a> {
    let mut draft = Draft::new(cache);
    match lens {
        Lens::Compute => compute::fill(&mut draft, options),
        Lens::Storage => storage::fill(&mut draft, options),
        Lens::Network => network::fill(&mut draft, options),
    }
    if let Some((class, reference)) = &options.focus {
        draft.focus(class, reference);
    }
    options.filter.apply(&mut draft);
    draft
}

/// Adds all hosts.
fn hosts(draft: &mut Draft<'_>, column: usize) {
    let cache = draft.cache;
    for (reference, host) in cache.iter::<Host>() {
        let state = State::of_host(host, cache.get(&host.metrics).map(|metrics| &**metrics));
        draft.add::<Host>(reference.raw(), NodeKind::Host, column, Cow::Borrowed(&host.name_label), state);
    }
}

/// What a VM is drawn as, if it is drawn.
fn vm_kind(record: &vm::Record, options: &Options) -> Option<NodeKind> {
    match record.kind() {
        VmKind::Vm => Some(NodeKind::Vm),
        VmKind::Template => options.show_templates.then_some(NodeKind::Template),
        VmKind::Snapshot => options.show_templates.then_some(NodeKind::Snapshot),
        VmKind::ControlDomain => options.show_control_domains.then_some(NodeKind::ControlDomain),
    }
}

/// Adds all VMs that are to be drawn. Answers their places, beside their records.
fn vms<'a>(draft: &mut Draft<'a>, column: usize, options: &Options) -> Vec<(usize, &'a vm::Record)> {
    let cache = draft.cache;
    let mut places = Vec::with_capacity(cache.count::<VM>());
    for (reference, vm) in cache.iter::<VM>() {
        if let Some(kind) = vm_kind(vm, options) {
            let at = draft.add::<VM>(reference.raw(), kind, column, Cow::Borrowed(&vm.name_label), State::of_vm(vm));
            places.push((at, &**vm));
        }
    }
    places
}

/// Above so many hosts it matters more what VMs use than where they run.
const MANY_HOSTS: usize = 16;

/// Siblings of a VM, beside what a lens adds: those on the same host, or on none.
fn with_host(draft: &mut Draft<'_>, at: usize, vm: &vm::Record) {
    if draft.cache.count::<Host>() > MANY_HOSTS {
        return;
    }
    match vm.resident_on.as_ref().and_then(|host: &Ref<Host>| draft.find::<Host>(host.raw())) {
        Some(host) => draft.items[at].with.push(host),
        None => draft.items[at].tag = 1,
    }
}

/// Those references that are not in the data. `found` tells how many of them were seen, so that nothing is looked up when it
/// was all of them.
fn absent<'r, C: xenapi_core::Class>(cache: &Cache, references: &'r [Ref<C>], found: usize) -> Vec<&'r RawRef> {
    if references.len() == found {
        return Vec::new();
    }
    references.iter().filter(|reference| !reference.is_null() && cache.get(*reference).is_none()).map(Ref::raw).collect()
}
