//! Who is on a network, and what an interface of a host is made of.

use alloc::string::ToString;
use alloc::vec::Vec;

use xenapi_core::Ref;
use xenapi_model::{Bond, Network, PIF, VIF, VLAN, bond, network, pif, vif};
use xenapi_topology::State;

use super::{Found, Look, Table, found, named_word};
use crate::format::natural_cmp;
use crate::object::Icon;
use crate::object_page::Part;
use crate::route::Kind;
use crate::select::{lookup, named_ref};
use crate::text::Text;

impl Look<'_> {
    pub(super) fn network(&self, reference: &Ref<Network>, network: &network::Record) -> Vec<Table> {
        let pifs = self.pifs(network.pifs.iter(), "");
        Vec::from([pifs, self.vifs(reference, network)])
    }

    fn vifs(&self, of: &Ref<Network>, network: &network::Record) -> Table {
        let mut table = Table::new(
            "vifs",
            Text::Vms,
            Icon::Vm,
            &[
                (Text::ClassVm, false),
                (Text::Device, false),
                (Text::Mac, false),
                (Text::Addresses, false),
                (Text::Attached, false),
            ],
        );
        self.unknown::<VIF>(&mut table, 0);
        let name = lookup::either(&network.name_label, &network.bridge);
        table.elsewhere = Some((Kind::Vifs, named_word("network", &name)));
        let name = |vif: &vif::Record| self.cache.get(&vif.vm).map_or("", |vm| vm.name_label.as_str());
        let order = |a: &Found<'_, VIF>, b: &Found<'_, VIF>| {
            natural_cmp(name(a.1), name(b.1)).then_with(|| natural_cmp(&a.1.device, &b.1.device)).then_with(|| a.0.cmp(b.0))
        };
        let all = self.related(network::fields::VIFS, of);
        for (reference, vif) in self.first(&mut table, found(&all), order) {
            let vm = self.cache.get(&vif.vm);
            let of = Part::object(self.cache, &vif.vm);
            let addresses = vm.map(|vm| self.addresses(vm)).unwrap_or_default();
            let told = addresses.get(&vif.device).map(|all| all.join(", ")).unwrap_or_default();
            table.row(
                reference.raw(),
                [
                    match vm {
                        Some(vm) => of.in_state(State::of_vm(vm)),
                        None => of,
                    },
                    Part { link: named_ref(self.cache, reference), ..Part::mono(&*["VIF ", &vif.device].concat()) },
                    Part::mono_of(&vif.mac),
                    Part::mono_of(&told),
                    Part::truth(vif.currently_attached).in_state(if vif.currently_attached {
                        State::Running
                    } else {
                        State::Halted
                    }),
                ],
            );
        }
        table
    }

    pub(super) fn pif(&self, _: &Ref<PIF>, pif: &pif::Record) -> Vec<Table> {
        let mut tables = Vec::new();
        for bond in pif.bond_master_of.iter().chain(&pif.bond_slave_of) {
            if let Some(record) = self.cache.get(bond) {
                tables.extend(self.bond(bond, record));
            }
        }
        tables.push(self.vlans(pif));
        tables
    }

    /// The VLANs that a PIF carries, and the one that it is.
    fn vlans(&self, pif: &pif::Record) -> Table {
        let mut table = Table::new(
            "vlans",
            Text::Vlans,
            Icon::Vlan,
            &[(Text::VlanTag, true), (Text::ClassPif, false), (Text::ClassNetwork, false), (Text::CarriedBy, false)],
        );
        let order = |a: &Found<'_, VLAN>, b: &Found<'_, VLAN>| a.1.tag.cmp(&b.1.tag).then_with(|| a.0.cmp(b.0));
        let vlans = self.all(pif.vlan_slave_of.iter().chain(&pif.vlan_master_of));
        for (reference, vlan) in self.first(&mut table, vlans, order) {
            let untagged = self.cache.get(&vlan.untagged_pif);
            table.row(
                reference.raw(),
                [
                    Part { link: named_ref(self.cache, reference), ..Part::number(vlan.tag.to_string()) },
                    Part::object(self.cache, &vlan.untagged_pif),
                    untagged.map_or_else(Part::nothing, |pif| Part::object(self.cache, &pif.network)),
                    Part::object(self.cache, &vlan.tagged_pif),
                ],
            );
        }
        table
    }

    pub(super) fn bond(&self, _: &Ref<Bond>, bond: &bond::Record) -> Vec<Table> {
        let host = self.cache.get(&bond.master).and_then(|pif| self.cache.get(&pif.host));
        let mut table = self.pifs(bond.slaves.iter(), host.map_or("-", |host| host.name_label.as_str()));
        (table.id, table.title, table.icon, table.elsewhere) = ("members", Text::BondMembers, Icon::Bond, None);
        Vec::from([table])
    }
}
