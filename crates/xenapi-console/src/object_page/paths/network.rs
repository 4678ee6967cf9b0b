//! From a VIF to the wires.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{RawRef, Ref};
use xenapi_model::vif::VifLockingMode;
use xenapi_model::{PIF, VIF, network, pif, vif};
use xenapi_topology::State;

use super::{DataPath, Hop, Problem, Stage, Step, Way};
use crate::format::{natural_cmp, speed};
use crate::object::Icon;
use crate::select::{is_known, lookup, named_ref, states};
use crate::text::Text;

/// How many PIFs may stand one upon the other. Three is what hosts do: a tunnel over a VLAN over a bond.
const DEEPEST: usize = 5;

type FoundPif<'a> = (Ref<PIF>, &'a pif::Record);

impl Way<'_> {
    pub(super) fn network(&self) -> Vec<DataPath> {
        let mut vifs: Vec<(&Ref<VIF>, Option<&vif::Record>)> =
            self.vm.vifs.iter().map(|vif| (vif, self.cache.get(vif).map(|it| &**it))).collect();
        vifs.sort_by(|(a, one), (b, other)| natural_cmp(device(*one), device(*other)).then_with(|| a.cmp(b)));
        vifs.into_iter().map(|(reference, vif)| self.of_vif(reference, vif)).collect()
    }

    fn of_vif(&self, reference: &Ref<VIF>, vif: Option<&vif::Record>) -> DataPath {
        let Some(vif) = vif else {
            let hop = Hop::new(Icon::Nic, "VIF", "", State::Unknown).wrong(Problem::NotInData);
            return DataPath::new(reference.raw(), Vec::from([Step::one(Stage::Device, hop)]));
        };
        let mut steps = Vec::from([Step::one(Stage::Device, self.vif_hop(reference, vif))]);
        match self.cache.get(&vif.network) {
            Some(network) => self.through(vif, network, &mut steps),
            None => {
                steps.push(self.vif_backend(vif, Text::BackendNet));
                let unknown = Hop::new(Icon::Network, Text::Unknown.get(), "", State::Unknown).wrong(Problem::NotInData);
                steps.push(Step::one(Stage::Bridge, unknown));
            }
        }
        steps.push(self.host_step());
        DataPath::new(reference.raw(), steps)
    }

    fn vif_hop(&self, reference: &Ref<VIF>, vif: &vif::Record) -> Hop {
        let state = if vif.currently_attached { State::Running } else { State::Halted };
        Hop::new(Icon::Nic, format!("VIF {}", vif.device), vif.mac.as_str(), state)
            .linked(named_ref(self.cache, reference))
            .wrong_if(vif.locking_mode == VifLockingMode::Disabled, Problem::Locked)
            .wrong_if(!self.would_be && !vif.currently_attached, Problem::Unplugged)
    }

    /// What serves the interface in the control domain.
    fn vif_backend(&self, vif: &vif::Record, how: Text) -> Step {
        let state = if vif.currently_attached { State::Running } else { State::Halted };
        let hop = Hop::new(Icon::Plug, format!("vif{}.{}", self.domain(), vif.device), how.get(), state);
        Step::one(Stage::Backend, hop.linked(self.dom0()))
    }

    fn through(&self, vif: &vif::Record, network: &network::Record, steps: &mut Vec<Step>) {
        let found = self.pif_on_host(network);
        let virtual_function = matches!(found, Found::Pif((_, pif)) if !pif.sriov_logical_pif_of.is_empty());
        if virtual_function {
            // The guest drives a part of the NIC itself: there is no bridge on the way.
            let hop = Hop::new(Icon::Network, network.name_label.as_str(), Text::BackendVf.get(), self.works());
            steps.push(Step::one(Stage::Bridge, hop.linked(named_ref(self.cache, &vif.network))));
        } else {
            steps.push(self.vif_backend(vif, Text::BackendNet));
            let state = states::network(self.cache, network);
            let hop = Hop::new(Icon::Network, network.bridge.as_str(), network.name_label.as_str(), state);
            let hop = hop.linked(named_ref(self.cache, &vif.network));
            let hop = match found {
                Found::NoInterface => hop.wrong(Problem::NoInterface),
                Found::Unknown => hop.wrong(Problem::NotInData),
                Found::Pif(_) | Found::Internal => hop,
            };
            steps.push(Step::one(Stage::Bridge, hop));
        }
        if let Found::Pif(found) = found {
            let on_host = self.pifs_of_host();
            self.down(found, &on_host, DEEPEST, steps);
        }
    }

    /// The interface that realises a network on the host.
    fn pif_on_host<'n>(&'n self, network: &'n network::Record) -> Found<'n> {
        if network.pifs.is_empty() {
            return Found::Internal;
        }
        if !is_known::<PIF>(self.cache) || self.host.is_none() {
            return Found::Unknown;
        }
        let known = network.pifs.iter().filter_map(|pif| Some((pif.clone(), &**self.cache.get(pif)?)));
        let mut here = known.filter(|(_, pif)| Some(&pif.host) == self.host.as_ref() && pif.bond_slave_of.is_none());
        here.next().map_or(Found::NoInterface, Found::Pif)
    }

    fn pifs_of_host(&self) -> Vec<FoundPif<'_>> {
        let Some(host) = self.cache.get(&self.host) else { return Vec::new() };
        host.pifs.iter().filter_map(|pif| Some((pif.clone(), &**self.cache.get(pif)?))).collect()
    }

    /// The PIF, and what it stands upon, down to the wires.
    fn down(&self, (reference, pif): FoundPif<'_>, on_host: &[FoundPif<'_>], deepest: usize, steps: &mut Vec<Step>) {
        let stage = stage_of(pif);
        let below: Vec<FoundPif<'_>> = carriers(pif, on_host, &reference);
        // What a bond says of its links is what its members say, and they are told for themselves.
        let members = (stage == Stage::Bond).then(|| links(self, &below));
        let mut hop = self.pif_hop(stage, &reference, pif);
        match members {
            Some((0, all)) if all > 0 => hop = hop.wrong(Problem::NoCarrier),
            Some((up, all)) if up < all => hop = hop.wrong(Problem::LinksDown(up, all)),
            _ => {}
        }
        let hop = hop.wrong_if(!pif.currently_attached, Problem::Detached);
        steps.push(Step::one(stage, hop));
        match (below.as_slice(), stage) {
            _ if deepest == 0 => {}
            ([], _) => {}
            (below, Stage::Bond) => {
                let mut hops: Vec<Hop> = below.iter().map(|(it, pif)| self.pif_hop(Stage::Nic, it, pif)).collect();
                hops.sort_by(|a, b| natural_cmp(&a.name, &b.name));
                steps.push(Step { stage: Stage::Nic, hops });
            }
            (below, _) => self.down(below[0].clone(), on_host, deepest - 1, steps),
        }
    }

    fn pif_hop(&self, stage: Stage, reference: &Ref<PIF>, pif: &pif::Record) -> Hop {
        let metrics = self.cache.get(&pif.metrics);
        let icon = match stage {
            Stage::Bond => Icon::Bond,
            Stage::Vlan | Stage::Tunnel => Icon::Vlan,
            _ => Icon::Nic,
        };
        let bond = pif.bond_master_of.first().and_then(|bond| self.cache.get(bond));
        let detail = match (stage, bond) {
            (Stage::Vlan, _) => Text::VlanOn.with(&[&pif.device]),
            (Stage::Bond, Some(bond)) => bond.mode.as_str().to_string(),
            _ => metrics
                .map_or_else(String::new, |metrics| if metrics.carrier { speed(metrics.speed) } else { String::new() }),
        };
        let name = if stage == Stage::Vlan { format!("VLAN {}", pif.vlan) } else { lookup::pif_name(pif) };
        let dead = pif.physical && metrics.is_some_and(|metrics| !metrics.carrier);
        let hop = Hop::new(icon, name, detail, states::pif(self.cache, pif)).linked(named_ref(self.cache, reference));
        hop.wrong_if(dead, Problem::NoCarrier)
    }
}

fn device(vif: Option<&vif::Record>) -> &str {
    vif.map_or("", |vif| vif.device.as_str())
}

/// What realises a network on a host.
enum Found<'a> {
    Pif(FoundPif<'a>),
    /// Nothing needs to: the network ends at the host's bridge.
    Internal,
    NoInterface,
    Unknown,
}

fn stage_of(pif: &pif::Record) -> Stage {
    if !pif.tunnel_access_pif_of.is_empty() {
        Stage::Tunnel
    } else if !pif.sriov_logical_pif_of.is_empty() {
        Stage::Sriov
    } else if pif.vlan >= 0 {
        Stage::Vlan
    } else if !pif.bond_master_of.is_empty() {
        Stage::Bond
    } else {
        Stage::Nic
    }
}

/// The PIFs of a host that carry one: they meet at the same Bond, VLAN, tunnel or SR-IOV network.
fn carriers<'a>(pif: &pif::Record, on_host: &[FoundPif<'a>], itself: &Ref<PIF>) -> Vec<FoundPif<'a>> {
    let mut above: Vec<&RawRef> = Vec::new();
    above.extend(pif.bond_master_of.iter().map(Ref::raw));
    above.extend(pif.vlan_master_of.iter().map(Ref::raw));
    above.extend(pif.tunnel_access_pif_of.iter().map(Ref::raw));
    above.extend(pif.sriov_logical_pif_of.iter().map(Ref::raw));
    let carries = |lower: &pif::Record| {
        lower.bond_slave_of.iter().any(|it| above.contains(&it.raw()))
            || lower.vlan_slave_of.iter().any(|it| above.contains(&it.raw()))
            || lower.tunnel_transport_pif_of.iter().any(|it| above.contains(&it.raw()))
            || lower.sriov_physical_pif_of.iter().any(|it| above.contains(&it.raw()))
    };
    on_host.iter().filter(|(reference, lower)| reference != itself && carries(lower)).cloned().collect()
}

/// How many of a bond's members have a link, and of how many.
fn links(way: &Way<'_>, members: &[FoundPif<'_>]) -> (usize, usize) {
    let up = |(_, pif): &&FoundPif<'_>| way.cache.get(&pif.metrics).is_none_or(|metrics| metrics.carrier);
    (members.iter().filter(up).count(), members.len())
}
