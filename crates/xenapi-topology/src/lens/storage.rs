//! VM, VDI, SR, host. VBDs and PBDs are the edges.

use alloc::borrow::Cow;
use alloc::vec;
use alloc::vec::Vec;

use xenapi_core::{Class, Ref};
use xenapi_model::vbd::VbdType;
use xenapi_model::{Host, PBD, SR, VBD, VDI, VM, sr, vdi};

use super::absent;
use crate::draft::{Draft, Fold, Hash};
use crate::graph::{ColumnKind, NodeKind, Options};
use crate::state::{EdgeState, State};

struct Columns {
    vms: usize,
    vdis: usize,
    srs: usize,
    hosts: usize,
}

pub(super) fn fill(draft: &mut Draft<'_>, options: &Options) {
    let columns = Columns {
        vms: draft.column::<VM>(ColumnKind::Vms),
        vdis: draft.column::<VDI>(ColumnKind::Vdis),
        srs: draft.column::<SR>(ColumnKind::Srs),
        hosts: draft.column::<Host>(ColumnKind::Hosts),
    };
    draft.columns[columns.vms].comfortable = 40;
    draft.columns[columns.vdis].comfortable = 32;
    draft.folding.extend([columns.hosts, columns.srs, columns.vms, columns.vdis]);
    super::hosts(draft, columns.hosts);
    srs(draft, &columns);
    pbds(draft, &columns);
    vdis(draft, &columns, options);
    disks(draft, &columns, options);
    siblings(draft, &columns);
}

fn srs(draft: &mut Draft<'_>, columns: &Columns) {
    let cache = draft.cache;
    for (reference, sr) in cache.iter::<SR>() {
        let at = draft.add::<SR>(reference.raw(), NodeKind::Sr, columns.srs, Cow::Borrowed(&sr.name_label), State::Unknown);
        if is_removable(sr) {
            draft.quiet.push(at);
            draft.items[at].fold = Fold::Always;
            draft.items[at].tag = Hash::new().bytes(sr.content_type.as_bytes()).finish();
        } else {
            draft.items[at].fold = Fold::Above(2);
            draft.items[at].tag = u64::from(sr.shared);
        }
    }
}

/// The drives of the hosts themselves: DVD, USB.
fn is_removable(sr: &sr::Record) -> bool {
    sr.r#type == "udev"
}

/// The connectors between SRs and hosts, and from them the states of the SRs.
fn pbds(draft: &mut Draft<'_>, columns: &Columns) {
    let cache = draft.cache;
    let mut links = Vec::with_capacity(cache.count::<PBD>());
    for (_, pbd) in cache.iter::<PBD>() {
        if pbd.sr.is_null() || pbd.host.is_null() {
            continue;
        }
        let sr = draft.referred::<SR>(pbd.sr.raw(), NodeKind::Sr, columns.srs);
        let host = draft.referred::<Host>(pbd.host.raw(), NodeKind::Host, columns.hosts);
        links.push((sr, host, pbd.currently_attached));
    }
    // How many PBDs of hosts that live, and how many of these are attached.
    let mut counts = vec![(0, 0); draft.items.len()];
    for (sr, host, attached) in &links {
        if draft.items[*host].state != State::Failed {
            counts[*sr].0 += usize::from(*attached);
            counts[*sr].1 += 1;
        }
    }
    for (reference, record) in cache.iter::<SR>() {
        let Some(sr) = draft.find::<SR>(reference.raw()) else { continue };
        let (attached, all) = counts[sr];
        if cache.is_known::<PBD>() {
            draft.items[sr].state = State::of_sr(attached, all);
        }
        let missing = absent(cache, &record.pbds, if cache.is_known::<PBD>() { all } else { 0 });
        for pbd in missing {
            let at = draft.referred::<PBD>(pbd, NodeKind::Pbd, columns.hosts);
            links.push((sr, at, false));
        }
    }
    for (sr, host, attached) in links {
        let broken = attached && draft.items[host].state == State::Failed;
        let state = if broken { EdgeState::Broken } else { EdgeState::attached(attached) };
        let known = !draft.items[sr].class.is_empty() && draft.items[host].class == Host::RECORD.name;
        draft.link(sr, host, if known { state } else { EdgeState::Unknown });
    }
}

/// VDIs that people know: no snapshots, and nothing that only the storage manager sees.
fn vdis(draft: &mut Draft<'_>, columns: &Columns, options: &Options) {
    let cache = draft.cache;
    for (reference, vdi) in cache.iter::<VDI>() {
        if vdi.managed && (!vdi.is_a_snapshot || options.show_templates) {
            add_vdi(draft, columns, &reference, vdi);
        }
    }
    for (reference, sr) in cache.iter::<SR>() {
        // Every VDI of a class that was not loaded is absent; of one that was, the cache holds what there is.
        let missing = if cache.is_known::<VDI>() { Vec::new() } else { absent(cache, &sr.vdis, 0) };
        let Some(place) = draft.find::<SR>(reference.raw()) else { continue };
        for vdi in missing {
            let at = draft.referred::<VDI>(vdi, NodeKind::Vdi, columns.vdis);
            draft.items[at].with.push(place);
            draft.link(at, place, EdgeState::Unknown);
        }
    }
}

fn add_vdi<'a>(draft: &mut Draft<'a>, columns: &Columns, reference: &Ref<VDI>, vdi: &'a vdi::Record) -> usize {
    let label = Cow::Borrowed(vdi.name_label.as_str());
    let at = draft.add::<VDI>(reference.raw(), NodeKind::Vdi, columns.vdis, label, State::of_vdi(vdi, false));
    if !vdi.sr.is_null() {
        let sr = draft.referred::<SR>(vdi.sr.raw(), NodeKind::Sr, columns.srs);
        draft.items[at].with.push(sr);
        let broken = vdi.missing || draft.items[sr].state == State::Failed;
        draft.link(at, sr, if broken { EdgeState::Broken } else { EdgeState::Active });
    }
    at
}

/// VMs and their VBDs.
fn disks(draft: &mut Draft<'_>, columns: &Columns, options: &Options) {
    let cache = draft.cache;
    let vms = super::vms(draft, columns.vms, options);
    let mut found = vec![0; draft.items.len()];
    for (_, vbd) in cache.iter::<VBD>() {
        let Some(vm) = draft.find::<VM>(vbd.vm.raw()) else { continue };
        found[vm] += 1;
        let Some(disk) = vbd.vdi.as_ref().filter(|_| !vbd.empty) else { continue };
        let vdi = match draft.find::<VDI>(disk.raw()) {
            Some(at) => at,
            None => match cache.get(disk) {
                Some(record) => add_vdi(draft, columns, disk, record),
                None => draft.referred::<VDI>(disk.raw(), NodeKind::Vdi, columns.vdis),
            },
        };
        if vbd.currently_attached && draft.items[vdi].state == State::Halted {
            draft.items[vdi].state = State::Running;
        }
        let broken = vbd.currently_attached && draft.items[vdi].state == State::Failed;
        draft.link(vm, vdi, if broken { EdgeState::Broken } else { EdgeState::attached(vbd.currently_attached) });
        if let Some(link) = draft.links.last_mut() {
            link.quiet = vbd.r#type == VbdType::CD;
        }
    }
    for (at, vm) in vms {
        super::with_host(draft, at, vm);
        for vbd in absent(cache, &vm.vbds, found[at]) {
            let unknown = draft.referred::<VBD>(vbd, NodeKind::Vbd, columns.vdis);
            draft.items[unknown].with.push(at);
            draft.items[unknown].fold = Fold::Always;
            draft.link(at, unknown, EdgeState::Unknown);
        }
    }
}

/// What makes siblings: VMs on the same SRs, VDIs of the same VM, VDIs of the same SR that no VM has.
fn siblings(draft: &mut Draft<'_>, columns: &Columns) {
    const ISO: u64 = 2;
    const UNUSED: u64 = 3;
    let mut sr_of = vec![None; draft.items.len()];
    for link in &draft.links {
        if draft.items[link.from].column == columns.vdis && draft.items[link.to].column == columns.srs {
            sr_of[link.from] = Some(link.to);
        }
    }
    let mut used = vec![false; draft.items.len()];
    for at in 0..draft.links.len() {
        let link = draft.links[at];
        if draft.items[link.from].column != columns.vms || link.quiet {
            continue;
        }
        used[link.to] = true;
        if draft.items[link.to].kind == NodeKind::Vdi {
            draft.items[link.to].with.push(link.from);
        }
        if let Some(sr) = sr_of[link.to] {
            draft.items[link.from].with.push(sr);
        }
    }
    let mut holds_isos = vec![false; draft.items.len()];
    for (reference, sr) in draft.cache.iter::<SR>() {
        if let Some(at) = draft.find::<SR>(reference.raw()) {
            holds_isos[at] = sr.content_type == "iso";
        }
    }
    for at in 0..draft.items.len() {
        if draft.items[at].kind != NodeKind::Vdi {
            continue;
        }
        if sr_of[at].is_some_and(|sr| holds_isos[sr]) {
            (draft.items[at].kind, draft.items[at].tag, draft.items[at].fold) = (NodeKind::Iso, ISO, Fold::Always);
            draft.items[at].with.retain(|with| Some(*with) == sr_of[at]);
        } else if !used[at] && draft.items[at].state != State::Unknown {
            (draft.items[at].tag, draft.items[at].fold) = (UNUSED, Fold::Always);
        } else if used[at] {
            draft.items[at].with.retain(|with| Some(*with) != sr_of[at]);
        }
    }
}
