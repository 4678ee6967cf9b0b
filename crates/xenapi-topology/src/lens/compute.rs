//! Pool, host, VM.

use alloc::borrow::Cow;

use xenapi_model::{Host, Pool, VM, VmKind, vm, vm::VmPowerState};

use crate::draft::{Draft, Fold};
use crate::graph::{ColumnKind, NodeKind, Options};
use crate::state::{EdgeState, State};

/// The columns, and the places that are made when somebody needs them.
struct Places {
    hosts: usize,
    vms: usize,
    not_running: Option<usize>,
    nowhere: Option<usize>,
    shelf: Option<usize>,
}

pub(super) fn fill(draft: &mut Draft<'_>, options: &Options) {
    let pools = draft.column::<Pool>(ColumnKind::Pool);
    let hosts = draft.column::<Host>(ColumnKind::Hosts);
    let vms = draft.column::<VM>(ColumnKind::Vms);
    draft.folding.extend([pools, hosts, vms]);
    super::hosts(draft, hosts);
    let pool = pool(draft, pools, hosts);
    let mut places = Places { hosts, vms, not_running: None, nowhere: None, shelf: None };
    for (at, vm) in super::vms(draft, vms, options) {
        let place = places.of(draft, vm);
        let state = match (draft.items[place].state, &vm.power_state) {
            (State::Failed, _) => EdgeState::Broken,
            (_, VmPowerState::Running | VmPowerState::Paused) => EdgeState::Active,
            (_, VmPowerState::Unrecognised(_)) => EdgeState::Unknown,
            _ => EdgeState::Inactive,
        };
        draft.items[at].with.push(place);
        draft.link(place, at, state);
    }
    residents(draft, vms);
    for item in draft.items.iter_mut().filter(|item| item.column != places.vms) {
        item.fold = Fold::Never;
    }
    if let Some(pool) = pool {
        link_hosts(draft, pool, places.hosts);
    }
}

fn pool(draft: &mut Draft<'_>, column: usize, hosts: usize) -> Option<usize> {
    let cache = draft.cache;
    let mut first = None;
    for (reference, pool) in cache.iter::<Pool>() {
        if !pool.master.is_null() {
            draft.referred::<Host>(pool.master.raw(), NodeKind::Host, hosts);
        }
        let failed = draft.items.iter().any(|item| item.kind == NodeKind::Host && item.state == State::Failed);
        let trouble = failed || (pool.ha_enabled && pool.ha_overcommitted);
        let state = if trouble { State::Attention } else { State::Running };
        let label = Cow::Owned(crate::draft::pool_name(cache));
        let at = draft.add::<Pool>(reference.raw(), NodeKind::Pool, column, label, state);
        first.get_or_insert(at);
    }
    first
}

/// Everything in the hosts' column hangs on the pool.
fn link_hosts(draft: &mut Draft<'_>, pool: usize, column: usize) {
    // So many lines say little and look much.
    if draft.cache.count::<Host>() > super::MANY_HOSTS {
        draft.quiet.push(pool);
    }
    for at in 0..draft.items.len() {
        let item = &draft.items[at];
        if item.column == column {
            let state = match item.state {
                State::Failed => EdgeState::Broken,
                State::Halted => EdgeState::Inactive,
                State::Unknown => EdgeState::Unknown,
                _ => EdgeState::Active,
            };
            draft.link(pool, at, state);
        }
    }
}

/// VMs that only their hosts know of.
fn residents(draft: &mut Draft<'_>, column: usize) {
    let cache = draft.cache;
    for (reference, host) in cache.iter::<Host>() {
        let Some(place) = draft.find::<Host>(reference.raw()) else { continue };
        for resident in host.resident_vms.iter().filter(|vm| !vm.is_null() && Some(*vm) != host.control_domain.as_ref()) {
            if cache.get(resident).is_none() {
                let at = draft.referred::<VM>(resident.raw(), NodeKind::Vm, column);
                draft.items[at].with.push(place);
                draft.link(place, at, EdgeState::Unknown);
            }
        }
    }
}

impl Places {
    /// Where a VM stands: its host, or what takes a host's place.
    fn of(&mut self, draft: &mut Draft<'_>, vm: &vm::Record) -> usize {
        if matches!(vm.kind(), VmKind::Template | VmKind::Snapshot) {
            let new = || (NodeKind::Shelf, "Templates and snapshots", State::Halted);
            return Self::make(&mut self.shelf, draft, self.hosts, new());
        }
        if let Some(host) = &vm.resident_on {
            return draft.referred::<Host>(host.raw(), NodeKind::Host, self.hosts);
        }
        match vm.power_state {
            VmPowerState::Halted | VmPowerState::Suspended => {
                Self::make(&mut self.not_running, draft, self.hosts, (NodeKind::NotRunning, "Not running", State::Halted))
            }
            _ => Self::make(&mut self.nowhere, draft, self.hosts, (NodeKind::Nowhere, "Host unknown", State::Unknown)),
        }
    }

    fn make(slot: &mut Option<usize>, draft: &mut Draft<'_>, column: usize, new: (NodeKind, &'static str, State)) -> usize {
        *slot.get_or_insert_with(|| draft.place(new.0, column, new.1, new.2))
    }
}
