//! What a VM is made of: disks, interfaces, snapshots.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::ToString;
use alloc::vec::Vec;

use xenapi_core::Ref;
use xenapi_model::vbd::{VbdMode, VbdType};
use xenapi_model::{VBD, VIF, VM, VmKind, vbd, vm};
use xenapi_topology::State;

use super::{Look, Row, Table};
use crate::format::{bytes, date_time, natural_cmp};
use crate::object::Icon;
use crate::object_page::Part;
use crate::object_page::paths::device_name;
use crate::select::lookup::either;
use crate::select::{is_known, named_ref, states};
use crate::text::Text;

impl Look<'_> {
    pub(super) fn vm(&self, reference: &Ref<VM>, vm: &vm::Record) -> Vec<Table> {
        let runs = vm.resident_on.is_some();
        let mut tables = Vec::from([self.disks(vm, runs), self.interfaces(vm, runs)]);
        if vm.kind() != VmKind::Snapshot {
            tables.push(self.snapshots(reference, vm));
        }
        tables
    }

    fn disks(&self, vm: &vm::Record, runs: bool) -> Table {
        let mut table = Table::new(
            "disks",
            Text::Disks,
            Icon::Vdi,
            &[
                (Text::Device, false),
                (Text::ClassVdi, false),
                (Text::Size, true),
                (Text::ClassSr, false),
                (Text::Mode, false),
                (Text::Bootable, false),
                (Text::Attached, false),
            ],
        );
        self.unknown::<VBD>(&mut table, vm.vbds.len());
        let slot = |vbd: &vbd::Record| either(&vbd.userdevice, &vbd.device);
        let order = |a: &super::Found<'_, VBD>, b: &super::Found<'_, VBD>| {
            natural_cmp(&slot(a.1), &slot(b.1)).then_with(|| a.0.cmp(b.0))
        };
        for (reference, vbd) in self.first(&mut table, self.all(&vm.vbds), order) {
            let vdi = vbd.vdi.as_ref().and_then(|vdi| self.cache.get(vdi));
            let disk = match (vbd.empty, vdi) {
                (true, _) => Part { look: super::super::Look::Quiet, ..Part::text(Text::Empty.get()) },
                (false, Some(vdi)) => Part::object(self.cache, &vbd.vdi).in_state(states::vdi(self.cache, vdi)),
                (false, None) => Part::object(self.cache, &vbd.vdi),
            };
            let device = Part { link: named_ref(self.cache, reference), ..Part::mono(device_name(vbd)) };
            let kind = if vbd.r#type == VbdType::CD { Text::DeviceCd } else { Text::DeviceDisk };
            let mode = if vbd.mode == VbdMode::RO { Text::ModeRo } else { Text::ModeRw };
            table.row(
                reference.raw(),
                [
                    device,
                    disk,
                    vdi.map_or_else(Part::nothing, |vdi| Part::number(bytes(vdi.virtual_size))),
                    vdi.map_or_else(Part::nothing, |vdi| Part::object(self.cache, &vdi.sr)),
                    Part::text([kind.get(), mode.get()].join(" · ")),
                    Part::truth(vbd.bootable),
                    attached(vbd.currently_attached, runs),
                ],
            );
        }
        table
    }

    fn interfaces(&self, vm: &vm::Record, runs: bool) -> Table {
        let mut table = Table::new(
            "interfaces",
            Text::Nics,
            Icon::Nic,
            &[
                (Text::Device, false),
                (Text::ClassNetwork, false),
                (Text::Mac, false),
                (Text::Addresses, false),
                (Text::Mtu, true),
                (Text::Attached, false),
            ],
        );
        self.unknown::<VIF>(&mut table, vm.vifs.len());
        let addresses = self.addresses(vm);
        let order = super::by_name::<VIF>(|vif| &vif.device);
        for (reference, vif) in self.first(&mut table, self.all(&vm.vifs), order) {
            let told = addresses.get(&vif.device).map(|all| all.join(", ")).unwrap_or_default();
            let network = self.cache.get(&vif.network);
            let on = Part::object(self.cache, &vif.network);
            table.row(
                reference.raw(),
                [
                    Part { link: named_ref(self.cache, reference), ..Part::mono(&*["VIF ", &vif.device].concat()) },
                    match network {
                        Some(network) => on.in_state(states::network(self.cache, network)),
                        None => on,
                    },
                    Part::mono_of(&vif.mac),
                    Part::mono_of(&told),
                    Part::number(vif.mtu.to_string()),
                    attached(vif.currently_attached, runs),
                ],
            );
        }
        table
    }

    /// Snapshots as the tree that they are: each hangs on the one before it.
    fn snapshots(&self, itself: &Ref<VM>, vm: &vm::Record) -> Table {
        let mut table = Table::new(
            "snapshots",
            Text::Snapshots,
            Icon::Vm,
            &[(Text::Name, false), (Text::Taken, false), (Text::State, false), (Text::Description, false)],
        );
        let all: BTreeMap<&Ref<VM>, &vm::Record> = self.all(&vm.snapshots).into_iter().collect();
        table.count = vm.snapshots.len();
        table.known = is_known::<VM>(self.cache);
        let mut below: BTreeMap<Option<&Ref<VM>>, Vec<&Ref<VM>>> = BTreeMap::new();
        for (reference, record) in &all {
            let parent = record.parent.as_ref().filter(|parent| all.contains_key(parent));
            below.entry(parent).or_default().push(reference);
        }
        for siblings in below.values_mut() {
            let taken = |it: &Ref<VM>| all.get(it).map(|record| record.snapshot_time);
            siblings.sort_by(|a, b| taken(a).cmp(&taken(b)).then_with(|| a.cmp(b)));
        }
        let mut seen = BTreeSet::new();
        let mut todo: Vec<(&Ref<VM>, usize)> = below.get(&None).into_iter().flatten().rev().map(|it| (*it, 0)).collect();
        while let Some((reference, depth)) = todo.pop() {
            let Some(record) = all.get(reference).filter(|_| seen.insert(reference) && table.rows.len() < self.limit) else {
                continue;
            };
            table.rows.push(self.snapshot(reference, record, depth));
            if vm.parent.as_ref() == Some(reference) {
                let here = Part { link: named_ref(self.cache, itself), ..Part::text(Text::YouAreHere.get()) };
                let cells = [here.in_state(State::of_vm(vm)), Part::default(), Part::default(), Part::default()];
                table.rows.push(Row { key: itself.raw().clone(), depth: depth + 1, cells: cells.into() });
            }
            todo.extend(below.get(&Some(reference)).into_iter().flatten().rev().map(|it| (*it, depth + 1)));
        }
        table
    }

    fn snapshot(&self, reference: &Ref<VM>, record: &vm::Record, depth: usize) -> Row {
        let state = State::of_vm(record);
        let cells = Vec::from([
            Part::object(self.cache, reference),
            Part::of(&date_time(&record.snapshot_time).unwrap_or_default()),
            Part::text(crate::text::state(state).get()).in_state(state),
            Part::of(&record.name_description),
        ]);
        Row { key: reference.raw().clone(), depth, cells }
    }
}

/// Whether a device is plugged. A VM that runs and has one unplugged is worth a look.
fn attached(attached: bool, runs: bool) -> Part {
    let state = match (attached, runs) {
        (true, _) => State::Running,
        (false, true) => State::Attention,
        (false, false) => State::Halted,
    };
    Part::truth(attached).in_state(state)
}
