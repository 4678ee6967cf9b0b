//! VM, network, PIF, host. VIFs are the edges; PIFs stand above the PIFs that carry them: tunnel, VLAN, SR-IOV, bond, NIC.
//!
//! Bonds, VLANs, tunnels and SR-IOV networks are joined by the back references that PIFs hold, so their own records need not
//! be in the data.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use xenapi_core::RawRef;
use xenapi_model::{Host, Network, PIF, VIF, VM, network, pif};

use super::absent;
use crate::draft::{Draft, Fold, Hash};
use crate::graph::{ColumnKind, NodeKind, Options};
use crate::state::{EdgeState, State};

struct Columns {
    vms: usize,
    networks: usize,
    nics: usize,
    hosts: usize,
}

/// The columns of PIFs from the left, and what stands in them. A PIF is carried by one further right.
const LAYERS: [(ColumnKind, NodeKind); 5] = [
    (ColumnKind::Tunnels, NodeKind::Tunnel),
    (ColumnKind::Vlans, NodeKind::Vlan),
    (ColumnKind::Sriovs, NodeKind::Sriov),
    (ColumnKind::Bonds, NodeKind::Bond),
    (ColumnKind::Nics, NodeKind::Pif),
];

pub(super) fn fill(draft: &mut Draft<'_>, options: &Options) {
    let vms = draft.column::<VM>(ColumnKind::Vms);
    let networks = draft.column::<Network>(ColumnKind::Networks);
    let layers: Vec<usize> = LAYERS.iter().map(|(kind, _)| draft.column::<PIF>(*kind)).collect();
    let hosts = draft.column::<Host>(ColumnKind::Hosts);
    let nics = hosts - 1;
    draft.columns[vms].comfortable = 40;
    for layer in &layers {
        draft.columns[*layer].comfortable = 32;
        draft.columns[*layer].needed = *layer == nics;
    }
    draft.folding.push(hosts);
    draft.folding.push(networks);
    draft.folding.extend(layers);
    draft.folding.push(vms);
    let columns = Columns { vms, networks, nics, hosts };
    super::hosts(draft, hosts);
    let pifs = pifs(draft, &columns);
    self::networks(draft, &columns, &pifs);
    carriers(draft, &columns, &pifs);
    interfaces(draft, &columns, options);
}

/// A PIF's place beside its record.
type Pif<'a> = (usize, &'a pif::Record);

fn pifs<'a>(draft: &mut Draft<'a>, columns: &Columns) -> Vec<Pif<'a>> {
    let cache = draft.cache;
    let mut places = Vec::with_capacity(cache.count::<PIF>());
    for (reference, pif) in cache.iter::<PIF>() {
        let kind = pif_kind(pif);
        let label = match kind {
            NodeKind::Vlan if pif.vlan >= 0 => Cow::Owned(format!("VLAN {}", pif.vlan)),
            _ => Cow::Borrowed(pif.device.as_str()),
        };
        let layer = LAYERS.iter().position(|(_, of_layer)| *of_layer == kind).unwrap_or(LAYERS.len() - 1);
        let mut state = State::of_pif(pif, cache.get(&pif.metrics).map(|metrics| &**metrics));
        if state == State::Running && bond_is_degraded(draft, pif) {
            state = State::Attention;
        }
        let at = draft.add::<PIF>(reference.raw(), kind, columns.nics + 1 - LAYERS.len() + layer, label, state);
        places.push((at, &**pif));
    }
    places
}

fn pif_kind(pif: &pif::Record) -> NodeKind {
    if !pif.tunnel_access_pif_of.is_empty() {
        NodeKind::Tunnel
    } else if pif.vlan_master_of.is_some() || pif.vlan >= 0 {
        NodeKind::Vlan
    } else if !pif.sriov_logical_pif_of.is_empty() {
        NodeKind::Sriov
    } else if !pif.bond_master_of.is_empty() {
        NodeKind::Bond
    } else {
        NodeKind::Pif
    }
}

/// Whether a bond runs on fewer links than it has.
fn bond_is_degraded(draft: &Draft<'_>, pif: &pif::Record) -> bool {
    let bonds = pif.bond_master_of.iter().filter_map(|bond| draft.cache.get(bond));
    bonds.flat_map(|bond| &bond.slaves).any(|slave| {
        let metrics = draft.cache.get(slave).and_then(|slave| draft.cache.get(&slave.metrics));
        metrics.is_some_and(|metrics| !metrics.carrier)
    })
}

/// The network through which installers and xapi talk to guests. Every pool has it, nobody looks for it.
fn is_internal(reference: &RawRef, network: &network::Record) -> bool {
    let set = |key: &str| network.other_config.get(key).is_some_and(|value| value == "true");
    !reference.is_null() && (network.bridge == "xenapi" || set("is_host_internal_management_network"))
}

/// Networks, except the internal one and those whose NICs all went into bonds.
fn networks(draft: &mut Draft<'_>, columns: &Columns, pifs: &[Pif<'_>]) {
    let cache = draft.cache;
    // For each network whether it has a PIF of its own, only slaves, an attached one; and the device that carries it.
    let mut uses: BTreeMap<&RawRef, Use<'_>> = BTreeMap::new();
    for (_, pif) in pifs {
        let of = uses.entry(pif.network.raw()).or_insert(Use { own: false, attached: false, device: &pif.device });
        of.own |= pif.bond_slave_of.is_none();
        of.attached |= pif.currently_attached;
    }
    for (reference, network) in cache.iter::<Network>() {
        let of = uses.get(reference.raw());
        let only_slaves = of.is_some_and(|of| !of.own) && network.vifs.is_empty();
        if is_internal(reference.raw(), network) || only_slaves {
            continue;
        }
        let state = State::of_network(network, of.is_some_and(|of| of.attached));
        let state = if cache.is_known::<PIF>() { state } else { State::Running };
        let label = Cow::Borrowed(network.name_label.as_str());
        let at = draft.add::<Network>(reference.raw(), NodeKind::Network, columns.networks, label, state);
        draft.items[at].fold = Fold::Above(2);
        draft.items[at].tag = of.map_or(0, |of| Hash::new().bytes(of.device.as_bytes()).finish());
        for pif in if cache.is_known::<PIF>() { Vec::new() } else { absent(cache, &network.pifs, 0) } {
            let unknown = draft.referred::<PIF>(pif, NodeKind::Pif, columns.nics);
            draft.items[unknown].with.push(at);
            draft.link(at, unknown, EdgeState::Unknown);
        }
    }
}

struct Use<'a> {
    own: bool,
    attached: bool,
    device: &'a String,
}

/// What PIFs hang on: their network, the PIFs that carry them, their host.
fn carriers(draft: &mut Draft<'_>, columns: &Columns, pifs: &[Pif<'_>]) {
    // By Bond, VLAN, tunnel or SR-IOV network: the PIFs that carry it.
    let mut below: BTreeMap<&RawRef, Vec<usize>> = BTreeMap::new();
    for (at, pif) in pifs {
        lower_of(pif, &mut |join| below.entry(join).or_default().push(*at));
    }
    for (at, pif) in pifs {
        let mut carried = false;
        let mut slaves = Vec::new();
        upper_of(pif, &mut |join| {
            let carriers = below.get(join).map_or(&[][..], Vec::as_slice);
            slaves.extend(carriers.iter().copied().filter(|lower| lower != at));
        });
        for lower in slaves {
            carried = true;
            let failed = draft.items[lower].state.is_down();
            let state = if failed { EdgeState::Broken } else { EdgeState::attached(pif.currently_attached) };
            draft.items[lower].with.extend((!pif.bond_master_of.is_empty()).then_some(*at));
            draft.link(*at, lower, state);
        }
        let slave = pif.bond_slave_of.is_some();
        if !slave && !pif.network.is_null() {
            to_network(draft, columns, *at, pif);
        }
        if !carried && !pif.host.is_null() {
            let host = draft.referred::<Host>(pif.host.raw(), NodeKind::Host, columns.hosts);
            let failed = draft.items[*at].state.is_down() || draft.items[host].state.is_down();
            let state = if failed { EdgeState::Broken } else { EdgeState::attached(pif.currently_attached || slave) };
            draft.link(*at, host, state);
        }
    }
}

/// What a PIF lies under: bond, VLANs, tunnels, SR-IOV networks.
fn lower_of<'a>(pif: &'a pif::Record, tell: &mut dyn FnMut(&'a RawRef)) {
    pif.bond_slave_of.iter().for_each(|bond| tell(bond.raw()));
    pif.vlan_slave_of.iter().for_each(|vlan| tell(vlan.raw()));
    pif.tunnel_transport_pif_of.iter().for_each(|tunnel| tell(tunnel.raw()));
    pif.sriov_physical_pif_of.iter().for_each(|sriov| tell(sriov.raw()));
}

/// What a PIF is the upper end of.
fn upper_of<'a>(pif: &'a pif::Record, tell: &mut dyn FnMut(&'a RawRef)) {
    pif.bond_master_of.iter().for_each(|bond| tell(bond.raw()));
    pif.vlan_master_of.iter().for_each(|vlan| tell(vlan.raw()));
    pif.tunnel_access_pif_of.iter().for_each(|tunnel| tell(tunnel.raw()));
    pif.sriov_logical_pif_of.iter().for_each(|sriov| tell(sriov.raw()));
}

fn to_network(draft: &mut Draft<'_>, columns: &Columns, at: usize, pif: &pif::Record) {
    let reference = pif.network.raw();
    let network = match draft.find::<Network>(reference) {
        Some(network) => network,
        // It is in the data and not drawn: then it is one of those that nobody looks for.
        None if draft.cache.get(&pif.network).is_some() => return,
        None => draft.referred::<Network>(reference, NodeKind::Network, columns.networks),
    };
    draft.items[at].with.push(network);
    let failed = draft.items[at].state.is_down();
    draft.link(network, at, if failed { EdgeState::Broken } else { EdgeState::attached(pif.currently_attached) });
}

/// VMs and their VIFs.
fn interfaces(draft: &mut Draft<'_>, columns: &Columns, options: &Options) {
    let cache = draft.cache;
    let vms = super::vms(draft, columns.vms, options);
    let mut found = vec![0; draft.items.len()];
    for (_, vif) in cache.iter::<VIF>() {
        let Some(vm) = draft.find::<VM>(vif.vm.raw()) else { continue };
        found[vm] += 1;
        let network = match draft.find::<Network>(vif.network.raw()) {
            Some(network) => network,
            None if vif.network.is_null() || cache.get(&vif.network).is_some() => continue,
            None => draft.referred::<Network>(vif.network.raw(), NodeKind::Network, columns.networks),
        };
        draft.items[vm].with.push(network);
        draft.link(vm, network, EdgeState::attached(vif.currently_attached));
    }
    for (at, vm) in vms {
        super::with_host(draft, at, vm);
        for vif in absent(cache, &vm.vifs, found[at]) {
            let unknown = draft.referred::<VIF>(vif, NodeKind::Vif, columns.networks);
            draft.items[unknown].fold = Fold::Always;
            draft.link(at, unknown, EdgeState::Unknown);
        }
    }
}
