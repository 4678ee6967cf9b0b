//! What a host has, and what a pool has.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::Ref;
use xenapi_model::{Host, PBD, PIF, Pool, VM, VmKind, host, pbd, pif, pool};
use xenapi_topology::State;

use super::{Found, Look, Table, by_name, found, named_word};
use crate::format::{bytes, natural_cmp, permille, speed};
use crate::object::Icon;
use crate::object_page::Part;
use crate::object_page::paths::{join, place};
use crate::route::Kind;
use crate::select::{guest, lookup, named_ref, states};
use crate::text::Text;

impl Look<'_> {
    pub(super) fn host(&self, reference: &Ref<Host>, host: &host::Record) -> Vec<Table> {
        let vms = self.vms_on(reference, host);
        Vec::from([vms, self.pifs(host.pifs.iter(), &host.name_label), self.pbds_of_host(host)])
    }

    fn vms_on(&self, host_reference: &Ref<Host>, host: &host::Record) -> Table {
        let mut table = Table::new(
            "vms",
            Text::Vms,
            Icon::Vm,
            &[
                (Text::Name, false),
                (Text::State, false),
                (Text::Vcpus, true),
                (Text::Memory, true),
                (Text::Addresses, false),
            ],
        );
        self.unknown::<VM>(&mut table, 0);
        table.elsewhere = Some((Kind::Vms, named_word("host", &host.name_label)));
        let all = self.related(host::fields::RESIDENT_VMS, host_reference);
        let vms = found(&all).into_iter().filter(|(_, vm)| vm.kind() == VmKind::Vm).collect();
        for (reference, vm) in self.first(&mut table, vms, by_name::<VM>(|vm| &vm.name_label)) {
            let state = State::of_vm(vm);
            let guest = self.cache.get(&vm.guest_metrics);
            let addresses = guest.map(|guest| guest::addresses(guest).join(", ")).unwrap_or_default();
            table.row(
                reference.raw(),
                [
                    Part::object(self.cache, reference),
                    Part::text(crate::text::state(state).get()).in_state(state),
                    Part::number(guest::vcpus(vm).to_string()),
                    Part::number(bytes(guest::memory(vm))),
                    Part::mono_of(&addresses),
                ],
            );
        }
        table
    }

    /// PIFs: those of one host, or those of one network, which need to say their hosts.
    pub(super) fn pifs<'r>(&self, pifs: impl IntoIterator<Item = &'r Ref<PIF>>, host: &str) -> Table {
        let of_network = host.is_empty();
        let mut headings = Vec::from([
            (Text::Device, false),
            (Text::Carrier, false),
            (Text::Speed, true),
            (Text::Kind, false),
            (Text::Address, false),
            (Text::Mac, false),
            (Text::Attached, false),
        ]);
        headings.insert(1, if of_network { (Text::Host, false) } else { (Text::ClassNetwork, false) });
        let mut table = Table::new("pifs", Text::Nics, Icon::Nic, &headings);
        let pifs: Vec<&'r Ref<PIF>> = pifs.into_iter().collect();
        self.unknown::<PIF>(&mut table, pifs.len());
        if !of_network {
            table.elsewhere = Some((Kind::Pifs, named_word("host", host)));
        }
        let host_of = |pif: &pif::Record| self.cache.get(&pif.host).map_or("", |host| host.name_label.as_str());
        // Within a host by device, within a network by host.
        let order = |a: &Found<'_, PIF>, b: &Found<'_, PIF>| {
            let by_host = natural_cmp(host_of(a.1), host_of(b.1));
            by_host.then_with(|| natural_cmp(&lookup::pif_name(a.1), &lookup::pif_name(b.1))).then_with(|| a.0.cmp(b.0))
        };
        for (reference, pif) in self.first(&mut table, self.all(pifs), order) {
            let mut cells = self.pif_cells(reference, pif);
            let other =
                if of_network { Part::object(self.cache, &pif.host) } else { Part::object(self.cache, &pif.network) };
            cells.insert(1, other);
            table.row(reference.raw(), cells);
        }
        table
    }

    fn pif_cells(&self, reference: &Ref<PIF>, pif: &pif::Record) -> Vec<Part> {
        let state = states::pif(self.cache, pif);
        let metrics = self.cache.get(&pif.metrics);
        let carrier = match metrics {
            Some(metrics) if metrics.carrier => Part::text(Text::CarrierUp.get()).in_state(State::Running),
            Some(_) => {
                Part::text(Text::CarrierDown.get()).in_state(if state == State::Halted { state } else { State::Failed })
            }
            None => Part::unknown(),
        };
        Vec::from([
            Part { link: named_ref(self.cache, reference), ..Part::mono(lookup::pif_name(pif)).in_state(state) },
            carrier,
            metrics.map_or_else(Part::nothing, |metrics| Part::number(speed(metrics.speed))),
            Part::text(pif_role(pif)),
            Part::mono_of(&pif.ip),
            Part::mono_of(&pif.mac),
            Part::truth(pif.currently_attached),
        ])
    }

    fn pbds_of_host(&self, host: &host::Record) -> Table {
        let mut table = Table::new(
            "pbds",
            Text::Srs,
            Icon::Sr,
            &[
                (Text::ClassSr, false),
                (Text::Kind, false),
                (Text::Shared, false),
                (Text::Used, false),
                (Text::DeviceConfig, false),
                (Text::Attached, false),
            ],
        );
        self.unknown::<PBD>(&mut table, host.pbds.len());
        table.elsewhere = Some((Kind::Pbds, named_word("host", &host.name_label)));
        let name = |pbd: &pbd::Record| self.cache.get(&pbd.sr).map_or("", |sr| sr.name_label.as_str());
        let order = |a: &Found<'_, PBD>, b: &Found<'_, PBD>| natural_cmp(name(a.1), name(b.1)).then_with(|| a.0.cmp(b.0));
        for (reference, pbd) in self.first(&mut table, self.all(&host.pbds), order) {
            let sr = self.cache.get(&pbd.sr);
            let used = sr.filter(|sr| sr.physical_size > 0).map_or_else(Part::nothing, |sr| {
                let text = Text::UsedOf.with(&[&bytes(sr.physical_utilisation), &bytes(sr.physical_size)]);
                Part {
                    permille: permille(sr.physical_utilisation, sr.physical_size).filter(|_| lookup::fills(sr)),
                    ..Part::text(text)
                }
            });
            let on = Part::object(self.cache, &pbd.sr);
            table.row(
                reference.raw(),
                [
                    match sr {
                        Some(sr) => on.in_state(states::sr(self.cache, sr)),
                        None => on,
                    },
                    sr.map_or_else(Part::nothing, |sr| Part::of(&sr.r#type)),
                    sr.map_or_else(Part::nothing, |sr| Part::truth(sr.shared)),
                    used,
                    Part::mono_of(&place(&pbd.device_config)),
                    self.plugged(reference, pbd),
                ],
            );
        }
        table
    }

    /// Whether a connection is plugged, as a link to it.
    pub(super) fn plugged(&self, reference: &Ref<PBD>, pbd: &pbd::Record) -> Part {
        let state = if pbd.currently_attached { State::Running } else { State::Failed };
        Part { link: named_ref(self.cache, reference), ..Part::truth(pbd.currently_attached).in_state(state) }
    }

    pub(super) fn pool(&self, _: &Ref<Pool>, pool: &pool::Record) -> Vec<Table> {
        let mut table = Table::new(
            "hosts",
            Text::Hosts,
            Icon::Host,
            &[
                (Text::Name, false),
                (Text::State, false),
                (Text::Address, false),
                (Text::Vms, true),
                (Text::Cpus, true),
                (Text::Memory, false),
                (Text::Version, false),
            ],
        );
        self.unknown::<Host>(&mut table, 0);
        table.elsewhere = Some((Kind::Hosts, String::new()));
        let hosts: Vec<(Ref<Host>, &host::Record)> = self.cache.iter::<Host>().map(|(it, host)| (it, &**host)).collect();
        let all: Vec<Found<'_, Host>> = hosts.iter().map(|(it, host)| (it, *host)).collect();
        for (reference, host) in self.first(&mut table, all, by_name::<Host>(|host| &host.name_label)) {
            let state = states::host(self.cache, host);
            let role = if pool.master == *reference { Text::Master.get() } else { "" };
            let vms = self.cache.related(host::fields::RESIDENT_VMS, reference).filter(|(_, vm)| vm.kind() == VmKind::Vm);
            let memory = self.cache.get(&host.metrics).map_or_else(Part::unknown, |metrics| {
                let used = metrics.memory_total.saturating_sub(metrics.memory_free);
                let text = Text::UsedOf.with(&[&bytes(used), &bytes(metrics.memory_total)]);
                Part { permille: permille(used, metrics.memory_total), ..Part::text(text) }
            });
            table.row(
                reference.raw(),
                [
                    Part::object(self.cache, reference),
                    Part::text(join(&[crate::text::state_of("host", state).get(), role])).in_state(state),
                    Part::mono_of(&host.address),
                    Part::number(vms.count().to_string()),
                    Part::number(host.cpu_info.get("cpu_count").unwrap_or_default()),
                    memory,
                    Part::of(host.software_version.get("product_version").unwrap_or_default()),
                ],
            );
        }
        Vec::from([table])
    }
}

/// What a PIF is, in words.
fn pif_role(pif: &pif::Record) -> String {
    let vlan;
    let kind = if !pif.bond_master_of.is_empty() {
        Text::ClassBond.get()
    } else if pif.bond_slave_of.is_some() {
        Text::BondMember.get()
    } else if pif.vlan >= 0 {
        vlan = ["VLAN ", &pif.vlan.to_string()].concat();
        &vlan
    } else if !pif.tunnel_access_pif_of.is_empty() {
        Text::StageTunnel.get()
    } else if !pif.sriov_logical_pif_of.is_empty() {
        Text::StageSriov.get()
    } else {
        Text::RolePhysical.get()
    };
    join(&[kind, if pif.management { Text::Management.get() } else { "" }])
}
