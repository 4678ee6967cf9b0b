//! Who has an SR, what is on it, and who uses a disk.

use alloc::string::ToString;
use alloc::vec::Vec;

use xenapi_core::Ref;
use xenapi_model::vbd::VbdMode;
use xenapi_model::{PBD, SR, VBD, VDI, pbd, sr, vbd, vdi};
use xenapi_topology::State;

use super::{Found, Look, Table, by_name, found, named_word};
use crate::format::{bytes, date_time, natural_cmp};
use crate::object::Icon;
use crate::object_page::paths::{device_name, join};
use crate::object_page::{Look as How, Part};
use crate::route::Kind;
use crate::select::{named_ref, states};
use crate::text::Text;
use xenapi_core::is_secret_key;

impl Look<'_> {
    pub(super) fn sr(&self, reference: &Ref<SR>, sr: &sr::Record) -> Vec<Table> {
        Vec::from([self.pbds_of_sr(sr), self.vdis(reference, sr)])
    }

    fn pbds_of_sr(&self, sr: &sr::Record) -> Table {
        let mut table = Table::new(
            "pbds",
            Text::Hosts,
            Icon::Host,
            &[(Text::Host, false), (Text::Attached, false), (Text::DeviceConfig, false)],
        );
        self.unknown::<PBD>(&mut table, sr.pbds.len());
        table.elsewhere = Some((Kind::Pbds, named_word("sr", &sr.name_label)));
        let name = |pbd: &pbd::Record| self.cache.get(&pbd.host).map_or("", |host| host.name_label.as_str());
        let order = |a: &Found<'_, PBD>, b: &Found<'_, PBD>| natural_cmp(name(a.1), name(b.1)).then_with(|| a.0.cmp(b.0));
        for (reference, pbd) in self.first(&mut table, self.all(&sr.pbds), order) {
            let host = Part::object(self.cache, &pbd.host);
            // Everything that tells where and how, and no password.
            let told = pbd.device_config.iter().filter(|(key, _)| !is_secret_key(key));
            let told: Vec<_> = told.map(|(key, value)| alloc::format!("{key}={value}")).collect();
            table.row(
                reference.raw(),
                [
                    match self.cache.get(&pbd.host) {
                        Some(record) => host.in_state(states::host(self.cache, record)),
                        None => host,
                    },
                    self.plugged(reference, pbd),
                    Part::mono_of(&told.join(" ")),
                ],
            );
        }
        table
    }

    fn vdis(&self, of: &Ref<SR>, sr: &sr::Record) -> Table {
        let mut table = Table::new(
            "vdis",
            Text::Disks,
            Icon::Vdi,
            &[
                (Text::Name, false),
                (Text::Size, true),
                (Text::PhysicalSize, true),
                (Text::Kind, false),
                (Text::UsedBy, false),
            ],
        );
        self.unknown::<VDI>(&mut table, 0);
        table.elsewhere = Some((Kind::Vdis, named_word("sr", &crate::select::sr_name(self.cache, sr))));
        let all = self.related(sr::fields::VDIS, of);
        for (reference, vdi) in self.first(&mut table, found(&all), by_name::<VDI>(|vdi| &vdi.name_label)) {
            table.row(
                reference.raw(),
                [
                    Part::object(self.cache, reference).in_state(states::vdi(self.cache, vdi)),
                    Part::number(bytes(vdi.virtual_size)),
                    Part::number(bytes(vdi.physical_utilisation)),
                    Part::text(vdi_kind(vdi)),
                    self.user_of(vdi),
                ],
            );
        }
        table
    }

    /// The VM that has a disk, and how many more have.
    fn user_of(&self, vdi: &vdi::Record) -> Part {
        let mut users = vdi.vbds.iter().filter_map(|vbd| self.cache.get(vbd));
        let Some(first) = users.next() else {
            return if vdi.vbds.is_empty() { Part::nothing() } else { Part::unknown() };
        };
        let part = Part::object(self.cache, &first.vm);
        let part = match self.cache.get(&first.vm) {
            Some(vm) => part.in_state(State::of_vm(vm)),
            None => part,
        };
        match users.count() {
            0 => part,
            more => Part { text: join(&[&part.text, &Text::More.with(&[&more.to_string()])]), ..part },
        }
    }

    pub(super) fn vdi(&self, reference: &Ref<VDI>, vdi: &vdi::Record) -> Vec<Table> {
        Vec::from([self.users(vdi), self.chain(reference, vdi)])
    }

    fn users(&self, vdi: &vdi::Record) -> Table {
        let mut table = Table::new(
            "vbds",
            Text::UsedBy,
            Icon::Vm,
            &[
                (Text::ClassVm, false),
                (Text::Device, false),
                (Text::Mode, false),
                (Text::Bootable, false),
                (Text::Attached, false),
            ],
        );
        self.unknown::<VBD>(&mut table, vdi.vbds.len());
        let name = |vbd: &vbd::Record| self.cache.get(&vbd.vm).map_or("", |vm| vm.name_label.as_str());
        let order = |a: &Found<'_, VBD>, b: &Found<'_, VBD>| natural_cmp(name(a.1), name(b.1)).then_with(|| a.0.cmp(b.0));
        for (reference, vbd) in self.first(&mut table, self.all(&vdi.vbds), order) {
            let mode = if vbd.mode == VbdMode::RO { Text::ModeRo } else { Text::ModeRw };
            let vm = Part::object(self.cache, &vbd.vm);
            table.row(
                reference.raw(),
                [
                    match self.cache.get(&vbd.vm) {
                        Some(record) => vm.in_state(State::of_vm(record)),
                        None => vm,
                    },
                    Part { link: named_ref(self.cache, reference), ..Part::mono(device_name(vbd)) },
                    Part::text(mode.get()),
                    Part::truth(vbd.bootable),
                    Part::truth(vbd.currently_attached).in_state(if vbd.currently_attached {
                        State::Running
                    } else {
                        State::Halted
                    }),
                ],
            );
        }
        table
    }

    /// What a disk was made from, and what was made from it.
    fn chain(&self, itself: &Ref<VDI>, vdi: &vdi::Record) -> Table {
        let mut table = Table::new(
            "snapshots",
            Text::SnapshotsOfDisk,
            Icon::Vdi,
            &[
                (Text::Name, false),
                (Text::Relation, false),
                (Text::Taken, false),
                (Text::Size, true),
                (Text::PhysicalSize, true),
            ],
        );
        let mut chain: Vec<(&Ref<VDI>, Text)> = Vec::new();
        chain.extend(vdi.parent.iter().map(|it| (it, Text::RelationParent)));
        chain.extend(vdi.snapshot_of.iter().map(|it| (it, Text::RelationOrigin)));
        let mut snapshots = self.all(&vdi.snapshots);
        snapshots.sort_by(|a, b| a.1.snapshot_time.cmp(&b.1.snapshot_time).then_with(|| a.0.cmp(b.0)));
        chain.extend(snapshots.into_iter().map(|(it, _)| (it, Text::ClassSnapshot)));
        // Two fields may name the same disk, and one may name itself.
        chain.retain(|(it, _)| *it != itself && !it.is_null());
        table.count = chain.len();
        for (reference, relation) in chain.into_iter().take(self.limit) {
            let record = self.cache.get(reference);
            let number = |size: Option<i64>| size.map_or_else(Part::nothing, |size| Part::number(bytes(size)));
            let taken = record.and_then(|record| date_time(&record.snapshot_time)).unwrap_or_default();
            table.row(
                reference.raw(),
                [
                    Part::object(self.cache, reference),
                    Part { look: How::Quiet, ..Part::text(relation.get()) },
                    Part::of(&taken),
                    number(record.map(|record| record.virtual_size)),
                    number(record.map(|record| record.physical_utilisation)),
                ],
            );
        }
        table
    }
}

/// What kind of disk it is, in words.
fn vdi_kind(vdi: &vdi::Record) -> alloc::string::String {
    let snapshot = if vdi.is_a_snapshot { Text::ClassSnapshot.get() } else { "" };
    let missing = if vdi.missing { Text::ProblemDiskMissing.get() } else { "" };
    join(&[&vdi.r#type.as_str().replace('_', " "), snapshot, missing])
}
