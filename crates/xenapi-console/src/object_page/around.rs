//! The object in the middle of what needs it and what it needs: its part of the topology in small.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::{Class, RawRef, Ref};
use xenapi_model::{Bond, Host, Network, PBD, PIF, Pool, SR, VBD, VDI, VIF, VLAN, VM, VmKind, host, network, pif, sr};
use xenapi_topology::{EdgeState, Lens, State};

use super::paths::join;
use crate::format::{bytes, count, natural_cmp, speed};
use crate::object::{Icon, Object, icon};
use crate::route::Named;
use crate::select::{is_known, lookup, name_of, named, states};
use crate::text::Text;

/// How many objects of a kind are drawn; the others are one card.
const DRAWN: usize = 5;

/// A neighbour, or several of them.
#[derive(Clone, PartialEq, Debug)]
pub struct Card {
    /// The picture of its kind.
    pub icon: Icon,
    /// Its name; of several, how many they are.
    pub label: String,
    /// A few words more.
    pub detail: String,
    /// Its state; of several, the worst.
    pub state: State,
    /// The object; none for several.
    pub link: Option<Named>,
    /// What the line to it does.
    pub edge: EdgeState,
    /// How many it stands for.
    pub weight: usize,
}

/// Neighbours of one kind.
#[derive(Clone, PartialEq, Debug)]
pub struct Kin {
    /// What they are.
    pub title: Text,
    /// The first of them, and then one card for the others.
    pub cards: Vec<Card>,
    /// How many there are.
    pub count: usize,
    /// Whether it is known which there are.
    pub known: bool,
}

/// What is around an object.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Around {
    /// What would miss it: who uses it.
    pub users: Vec<Kin>,
    /// What it would miss: what it needs.
    pub needs: Vec<Kin>,
}

impl Around {
    /// Whether there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.needs.is_empty()
    }
}

/// The lens in which an object is at home.
pub fn lens_of(class: &str) -> Lens {
    match class {
        "SR" | "VDI" | "VBD" | "PBD" => Lens::Storage,
        "network" | "PIF" | "VIF" | "Bond" | "VLAN" => Lens::Network,
        _ => Lens::Compute,
    }
}

/// What is around an object.
pub fn around(cache: &Cache, object: &Object) -> Around {
    let mut it = Look { cache, class: object.class, around: Around::default() };
    it.look(object);
    it.around
}

/// A neighbour in the making: its reference and what the line to it does.
type Neighbour<C> = (Ref<C>, EdgeState);

struct Look<'a> {
    cache: &'a Cache,
    /// What is in the middle.
    class: &'static str,
    around: Around,
}

fn edge(attached: bool) -> EdgeState {
    if attached { EdgeState::Active } else { EdgeState::Inactive }
}

impl Look<'_> {
    fn look(&mut self, object: &Object) {
        let reference = &object.reference;
        match object.class {
            "VM" => self.vm(&reference.clone().typed()),
            "host" => self.host(&reference.clone().typed()),
            "pool" => self.pool(&reference.clone().typed()),
            "SR" => self.sr(&reference.clone().typed()),
            "VDI" => self.vdi(&reference.clone().typed()),
            "network" => self.network(&reference.clone().typed()),
            "PIF" => self.pif(&reference.clone().typed()),
            "VBD" => self.vbd(&reference.clone().typed()),
            "VIF" => self.vif(&reference.clone().typed()),
            "PBD" => self.pbd(&reference.clone().typed()),
            "Bond" => self.bond(&reference.clone().typed()),
            "VLAN" => self.vlan(&reference.clone().typed()),
            _ => {}
        }
    }

    fn vm(&mut self, reference: &Ref<VM>) {
        let cache = self.cache;
        let Some(vm) = cache.get(reference) else { return };
        let mut srs: Vec<Neighbour<SR>> = Vec::new();
        for vbd in vm.vbds.iter().filter_map(|vbd| cache.get(vbd)) {
            if let Some(vdi) = vbd.vdi.as_ref().filter(|_| !vbd.empty).and_then(|vdi| cache.get(vdi)) {
                srs.push((vdi.sr.clone(), edge(vbd.currently_attached)));
            }
        }
        let vifs = vm.vifs.iter().filter_map(|vif| cache.get(vif));
        let networks = vifs.map(|vif| (vif.network.clone(), edge(vif.currently_attached))).collect();
        let host = vm.resident_on.iter().map(|host| (host.clone(), EdgeState::Active)).collect();
        self.need(Text::ClassHost, host);
        self.need_of::<SR, VBD>(Text::Srs, srs, vm.vbds.len());
        self.need_of::<Network, VIF>(Text::Networks, networks, vm.vifs.len());
    }

    fn host(&mut self, reference: &Ref<Host>) {
        let cache = self.cache;
        let Some(host) = cache.get(reference) else { return };
        let vms = cache.related(host::fields::RESIDENT_VMS, reference).filter(|(_, vm)| vm.kind() == VmKind::Vm);
        let vms = vms.map(|(vm, _)| (vm, EdgeState::Active)).collect();
        self.used(Text::Vms, vms);
        let pifs = host.pifs.iter().filter(|pif| cache.get(*pif).is_none_or(|pif| pif.physical));
        let nics = pifs.map(|pif| (pif.clone(), EdgeState::Active)).collect();
        let pbds = host.pbds.iter().filter_map(|pbd| cache.get(pbd));
        let srs = pbds.map(|pbd| (pbd.sr.clone(), edge(pbd.currently_attached))).collect();
        self.need(Text::Nics, nics);
        self.need_of::<SR, PBD>(Text::Srs, srs, host.pbds.len());
    }

    fn pool(&mut self, _: &Ref<Pool>) {
        let hosts = self.cache.iter::<Host>().map(|(host, _)| (host, EdgeState::Active)).collect();
        self.need(Text::Hosts, hosts);
        let shared = self.cache.iter::<SR>().filter(|(_, sr)| sr.shared).map(|(sr, _)| (sr, EdgeState::Active)).collect();
        self.need(Text::SharedStorage, shared);
    }

    fn sr(&mut self, reference: &Ref<SR>) {
        let cache = self.cache;
        let Some(sr) = cache.get(reference) else { return };
        let mut vms: Vec<Neighbour<VM>> = Vec::new();
        for (_, vdi) in cache.related(sr::fields::VDIS, reference) {
            let vbds = vdi.vbds.iter().filter_map(|vbd| cache.get(vbd));
            vms.extend(vbds.map(|vbd| (vbd.vm.clone(), edge(vbd.currently_attached))));
        }
        vms.retain(|(vm, _)| cache.get(vm).is_none_or(|vm| vm.kind() == VmKind::Vm));
        self.used_of::<VM, VBD>(Text::Vms, vms, 0);
        let pbds = sr.pbds.iter().filter_map(|pbd| cache.get(pbd));
        let hosts = pbds.map(|pbd| (pbd.host.clone(), edge(pbd.currently_attached))).collect();
        self.need_of::<Host, PBD>(Text::Hosts, hosts, sr.pbds.len());
    }

    fn vdi(&mut self, reference: &Ref<VDI>) {
        let cache = self.cache;
        let Some(vdi) = cache.get(reference) else { return };
        let vbds = vdi.vbds.iter().filter_map(|vbd| cache.get(vbd));
        let vms = vbds.map(|vbd| (vbd.vm.clone(), edge(vbd.currently_attached))).collect();
        self.used_of::<VM, VBD>(Text::Vms, vms, vdi.vbds.len());
        self.need(Text::ClassSr, Vec::from([(vdi.sr.clone(), EdgeState::Active)]));
    }

    fn network(&mut self, reference: &Ref<Network>) {
        let cache = self.cache;
        let Some(network) = cache.get(reference) else { return };
        let vifs = cache.related(network::fields::VIFS, reference);
        let vms = vifs.map(|(_, vif)| (vif.vm.clone(), edge(vif.currently_attached))).collect();
        self.used_of::<VM, VIF>(Text::Vms, vms, 0);
        let state = |pif: &Ref<PIF>| cache.get(pif).map_or(EdgeState::Unknown, |pif| edge(pif.currently_attached));
        let pifs = network.pifs.iter().map(|pif| (pif.clone(), state(pif))).collect();
        self.need(Text::Nics, pifs);
    }

    fn pif(&mut self, reference: &Ref<PIF>) {
        let cache = self.cache;
        let Some(pif) = cache.get(reference) else { return };
        let active = |pif: &Ref<PIF>| (pif.clone(), EdgeState::Active);
        let master = pif.bond_slave_of.iter().filter_map(|bond| cache.get(bond)).map(|bond| active(&bond.master));
        let tagged = pif.vlan_slave_of.iter().filter_map(|vlan| cache.get(vlan)).map(|vlan| active(&vlan.untagged_pif));
        let above: Vec<Neighbour<PIF>> = master.chain(tagged).collect();
        self.used(Text::Above, above);
        if pif.bond_slave_of.is_none() {
            self.used(Text::ClassNetwork, Vec::from([(pif.network.clone(), edge(pif.currently_attached))]));
        }
        let members = pif.bond_master_of.iter().filter_map(|bond| cache.get(bond)).flat_map(|bond| bond.slaves.iter());
        let members = members.map(active);
        let carrier = pif.vlan_master_of.iter().filter_map(|vlan| cache.get(vlan)).map(|vlan| active(&vlan.tagged_pif));
        let below: Vec<Neighbour<PIF>> = members.chain(carrier).collect();
        self.need(Text::Below, below);
        self.need(Text::ClassHost, Vec::from([(pif.host.clone(), EdgeState::Active)]));
    }

    fn vbd(&mut self, reference: &Ref<VBD>) {
        let Some(vbd) = self.cache.get(reference) else { return };
        self.used(Text::ClassVm, Vec::from([(vbd.vm.clone(), edge(vbd.currently_attached))]));
        self.need(Text::ClassVdi, vbd.vdi.iter().map(|vdi| (vdi.clone(), edge(vbd.currently_attached))).collect());
    }

    fn vif(&mut self, reference: &Ref<VIF>) {
        let Some(vif) = self.cache.get(reference) else { return };
        self.used(Text::ClassVm, Vec::from([(vif.vm.clone(), edge(vif.currently_attached))]));
        self.need(Text::ClassNetwork, Vec::from([(vif.network.clone(), edge(vif.currently_attached))]));
    }

    fn pbd(&mut self, reference: &Ref<PBD>) {
        let Some(pbd) = self.cache.get(reference) else { return };
        self.used(Text::ClassSr, Vec::from([(pbd.sr.clone(), edge(pbd.currently_attached))]));
        self.need(Text::ClassHost, Vec::from([(pbd.host.clone(), edge(pbd.currently_attached))]));
    }

    fn bond(&mut self, reference: &Ref<Bond>) {
        let Some(bond) = self.cache.get(reference) else { return };
        self.used(Text::ClassPif, Vec::from([(bond.master.clone(), EdgeState::Active)]));
        self.need(Text::BondMembers, bond.slaves.iter().map(|pif| (pif.clone(), EdgeState::Active)).collect());
    }

    fn vlan(&mut self, reference: &Ref<VLAN>) {
        let Some(vlan) = self.cache.get(reference) else { return };
        self.used(Text::ClassPif, Vec::from([(vlan.untagged_pif.clone(), EdgeState::Active)]));
        self.need(Text::CarriedBy, Vec::from([(vlan.tagged_pif.clone(), EdgeState::Active)]));
    }

    fn used<C: Class>(&mut self, title: Text, all: Vec<Neighbour<C>>) {
        let kin = self.kin(title, all);
        self.around.users.extend(kin);
    }

    fn need<C: Class>(&mut self, title: Text, all: Vec<Neighbour<C>>) {
        let kin = self.kin(title, all);
        self.around.needs.extend(kin);
    }

    /// Neighbours behind connectors of class `V`, which may not be in the data though there are some.
    fn used_of<C: Class, V: Class>(&mut self, title: Text, all: Vec<Neighbour<C>>, expected: usize) {
        let kin = self.kin_of::<C, V>(title, all, expected);
        self.around.users.extend(kin);
    }

    fn need_of<C: Class, V: Class>(&mut self, title: Text, all: Vec<Neighbour<C>>, expected: usize) {
        let kin = self.kin_of::<C, V>(title, all, expected);
        self.around.needs.extend(kin);
    }

    fn kin_of<C: Class, V: Class>(&self, title: Text, all: Vec<Neighbour<C>>, expected: usize) -> Option<Kin> {
        if all.is_empty() && expected > 0 && !is_known::<V>(self.cache) {
            return Some(Kin { title, cards: Vec::new(), count: expected, known: false });
        }
        self.kin(title, all)
    }

    fn kin<C: Class>(&self, title: Text, mut all: Vec<Neighbour<C>>) -> Option<Kin> {
        all.retain(|(reference, _)| !reference.is_null());
        all.sort();
        // What is connected several times is one neighbour, as well connected as the best of its connectors.
        all.dedup_by(|later, first| {
            let same = later.0 == first.0;
            if same && later.1 == EdgeState::Active {
                first.1 = EdgeState::Active;
            }
            same
        });
        if all.is_empty() {
            return None;
        }
        let class = C::RECORD.name;
        let count_all = all.len();
        let shown = if count_all > DRAWN + 1 { DRAWN } else { count_all };
        let mut cards: Vec<Card> = Vec::with_capacity(shown + 1);
        if count_all > shown {
            // Trouble first, then by name: what is folded away should be well.
            let rank = |it: &Neighbour<C>| {
                let state = self.state(class, it.0.raw());
                (
                    !state.is_trouble() && it.1 != EdgeState::Inactive,
                    name_of(self.cache, class, it.0.raw()).unwrap_or_default(),
                )
            };
            let mut ranked: Vec<((bool, String), Neighbour<C>)> = all.into_iter().map(|it| (rank(&it), it)).collect();
            let order = |a: &((bool, String), Neighbour<C>), b: &((bool, String), Neighbour<C>)| {
                a.0.0.cmp(&b.0.0).then_with(|| natural_cmp(&a.0.1, &b.0.1)).then_with(|| a.1.0.cmp(&b.1.0))
            };
            ranked.select_nth_unstable_by(shown, order);
            let rest: Vec<Neighbour<C>> = ranked.split_off(shown).into_iter().map(|it| it.1).collect();
            ranked.sort_by(order);
            cards.extend(ranked.iter().map(|(_, it)| self.card(class, it.0.raw(), it.1)));
            cards.push(self.rest(class, &rest));
        } else {
            cards.extend(all.iter().map(|it| self.card(class, it.0.raw(), it.1)));
            cards.sort_by(|a, b| {
                natural_cmp(&a.label, &b.label)
                    .then_with(|| a.link.as_ref().map(|it| &it.uuid).cmp(&b.link.as_ref().map(|it| &it.uuid)))
            });
        }
        Some(Kin { title, cards, count: count_all, known: true })
    }

    fn card(&self, class: &'static str, reference: &RawRef, edge: EdgeState) -> Card {
        let name = name_of(self.cache, class, reference);
        let known = name.is_some();
        Card {
            icon: icon(class),
            label: name.unwrap_or_else(|| Text::Unknown.get().into()),
            detail: self.detail(class, reference),
            state: self.state(class, reference),
            link: named(self.cache, class, reference),
            edge: if known { edge } else { EdgeState::Unknown },
            weight: 1,
        }
    }

    fn rest<C: Class>(&self, class: &'static str, rest: &[Neighbour<C>]) -> Card {
        let states: BTreeSet<State> = rest.iter().map(|(it, _)| self.state(class, it.raw())).collect();
        let trouble = [State::Failed, State::Attention].into_iter().find(|state| states.contains(state));
        let state = trouble.or_else(|| states.first().copied()).unwrap_or(State::Unknown);
        Card {
            icon: icon(class),
            label: Text::More.with(&[&count(rest.len())]),
            detail: String::new(),
            state,
            link: None,
            edge: EdgeState::Active,
            weight: rest.len(),
        }
    }

    fn state(&self, class: &str, reference: &RawRef) -> State {
        let cache = self.cache;
        let known = |state: Option<State>| state.unwrap_or(State::Unknown);
        match class {
            "VM" => known(cache.get(&reference.clone().typed::<VM>()).map(|it| State::of_vm(it))),
            "host" => known(cache.get(&reference.clone().typed::<Host>()).map(|it| states::host(cache, it))),
            "SR" => known(cache.get(&reference.clone().typed::<SR>()).map(|it| states::sr(cache, it))),
            "VDI" => known(cache.get(&reference.clone().typed::<VDI>()).map(|it| states::vdi(cache, it))),
            "network" => known(cache.get(&reference.clone().typed::<Network>()).map(|it| states::network(cache, it))),
            "PIF" => known(cache.get(&reference.clone().typed::<PIF>()).map(|it| states::pif(cache, it))),
            _ => State::Unknown,
        }
    }

    /// Where it is, unless that is clear; and how fast.
    fn detail_of_pif(&self, pif: &pif::Record) -> String {
        let host = self.cache.get(&pif.host).filter(|_| self.class == "network");
        let host = host.map(|host| lookup::either(&host.name_label, &host.address)).unwrap_or_default();
        let metrics = self.cache.get(&pif.metrics).filter(|metrics| metrics.speed > 0);
        join(&[&host, &metrics.map(|metrics| speed(metrics.speed)).unwrap_or_default()])
    }

    fn detail(&self, class: &str, reference: &RawRef) -> String {
        let cache = self.cache;
        match class {
            "host" => cache.get(&reference.clone().typed::<Host>()).map(|it| it.address.clone()),
            "SR" => cache.get(&reference.clone().typed::<SR>()).map(|it| it.r#type.clone()),
            "VDI" => cache.get(&reference.clone().typed::<VDI>()).map(|it| bytes(it.virtual_size)),
            "network" => cache.get(&reference.clone().typed::<Network>()).map(|it| it.bridge.clone()),
            "PIF" => cache.get(&reference.clone().typed::<PIF>()).map(|it| self.detail_of_pif(it)),
            _ => None,
        }
        .unwrap_or_default()
    }
}
