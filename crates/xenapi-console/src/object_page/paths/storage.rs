//! From a VBD to storage.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{Ref, TextMap};
use xenapi_model::vbd::{VbdMode, VbdType};
use xenapi_model::{PBD, VBD, VDI, sr, vbd};
use xenapi_topology::State;

use super::{DataPath, Health, Hop, Problem, Stage, Step, Way};
use crate::format::{bytes, natural_cmp};
use crate::object::Icon;
use crate::select::{is_known, lookup, named_ref, states};
use crate::text::Text;

impl Way<'_> {
    pub(super) fn storage(&self) -> Vec<DataPath> {
        let mut vbds: Vec<(&Ref<VBD>, Option<&vbd::Record>)> =
            self.vm.vbds.iter().map(|vbd| (vbd, self.cache.get(vbd).map(|it| &**it))).collect();
        vbds.sort_by(|(a, one), (b, other)| {
            let place = |vbd: &Option<&vbd::Record>| vbd.map_or_else(String::new, position);
            natural_cmp(&place(one), &place(other)).then_with(|| a.cmp(b))
        });
        vbds.into_iter().map(|(reference, vbd)| self.of_vbd(reference, vbd)).collect()
    }

    fn of_vbd(&self, reference: &Ref<VBD>, vbd: Option<&vbd::Record>) -> DataPath {
        let Some(vbd) = vbd else {
            let hop = Hop::new(Icon::Plug, "VBD", "", State::Unknown).wrong(Problem::NotInData);
            return DataPath::new(reference.raw(), Vec::from([Step::one(Stage::Device, hop)]));
        };
        let mut steps = Vec::from([Step::one(Stage::Device, self.vbd_hop(reference, vbd)), self.vbd_backend(vbd)]);
        if vbd.empty {
            steps.push(Step::one(Stage::Disk, Hop::new(Icon::Vdi, Text::Empty.get(), Text::NoMedium.get(), State::Halted)));
            let path = DataPath::new(reference.raw(), steps);
            return DataPath { health: path.health.max(Health::Empty), ..path };
        }
        self.disk(vbd, &mut steps);
        steps.push(self.host_step());
        DataPath::new(reference.raw(), steps)
    }

    fn vbd_hop(&self, reference: &Ref<VBD>, vbd: &vbd::Record) -> Hop {
        let kind = match vbd.r#type {
            VbdType::CD => Text::DeviceCd,
            VbdType::Floppy => Text::DeviceFloppy,
            _ => Text::DeviceDisk,
        };
        // What is usual needs no words: cards are small, and the table has them all.
        let mode = if vbd.mode == VbdMode::RO { Text::ModeRo.get() } else { "" };
        let boot = if vbd.bootable { Text::Boots.get() } else { "" };
        let detail = join(&[kind.get(), boot, mode]);
        let state = if vbd.currently_attached { State::Running } else { State::Halted };
        Hop::new(Icon::Vdi, device_name(vbd), detail, state)
            .linked(named_ref(self.cache, reference))
            .wrong_if(!self.would_be && !vbd.currently_attached, Problem::Unplugged)
    }

    /// What serves the device in the control domain: tapdisk behind a paravirtual device, the emulator behind an emulated drive.
    fn vbd_backend(&self, vbd: &vbd::Record) -> Step {
        let emulated = vbd.r#type != VbdType::Disk && !self.vm.hvm_boot_policy.is_empty();
        let state = if vbd.currently_attached { State::Running } else { State::Halted };
        let hop = match (emulated, device_number(vbd)) {
            (true, _) => Hop::new(Icon::Plug, format!("qemu-dm-{}", self.domain()), Text::BackendEmulated.get(), state),
            (false, Some(number)) => {
                Hop::new(Icon::Plug, format!("vbd/{}/{number}", self.domain()), Text::BackendBlock.get(), state)
            }
            (false, None) => Hop::new(Icon::Plug, format!("vbd/{}", self.domain()), Text::BackendBlock.get(), state),
        };
        Step::one(Stage::Backend, hop.linked(self.dom0()))
    }

    fn disk(&self, vbd: &vbd::Record, steps: &mut Vec<Step>) {
        let reference = vbd.vdi.as_ref().and_then(Ref::non_null);
        let Some((reference, vdi)) = reference.and_then(|it| Some((it, self.cache.get(it)?))) else {
            let gone = reference.is_none() || is_known::<VDI>(self.cache);
            let hop = Hop::new(Icon::Vdi, Text::Unknown.get(), "", State::Unknown);
            let hop = hop.wrong(if gone { Problem::DiskMissing } else { Problem::NotInData });
            steps.push(Step::one(Stage::Disk, hop));
            return;
        };
        let name = lookup::either(&vdi.name_label, vdi.uuid.as_str());
        let hop = Hop::new(Icon::Vdi, name, bytes(vdi.virtual_size), states::vdi(self.cache, vdi));
        let hop = hop.linked(named_ref(self.cache, reference)).wrong_if(vdi.missing, Problem::DiskMissing);
        steps.push(Step::one(Stage::Disk, hop));
        let Some(sr) = self.cache.get(&vdi.sr) else {
            let hop = Hop::new(Icon::Sr, Text::Unknown.get(), "", State::Unknown).wrong(Problem::NotInData);
            steps.push(Step::one(Stage::Storage, hop));
            return;
        };
        let free = sr.physical_size.saturating_sub(sr.physical_utilisation);
        let room = if sr.physical_size > 0 && free > 0 { Text::FreeSpace.with(&[&bytes(free)]) } else { String::new() };
        let hop = Hop::new(Icon::Sr, sr.name_label.as_str(), join(&[&sr.r#type, &room]), states::sr(self.cache, sr));
        steps.push(Step::one(Stage::Storage, hop.linked(named_ref(self.cache, &vdi.sr))));
        steps.push(Step::one(Stage::Connection, self.connection(sr)));
    }

    /// The host's connection to an SR.
    fn connection(&self, sr: &sr::Record) -> Hop {
        let plain = |state| Hop::new(Icon::Plug, "PBD", "", state);
        if !is_known::<PBD>(self.cache) {
            return plain(State::Unknown).wrong(Problem::NotInData);
        }
        let known = sr.pbds.iter().filter_map(|pbd| Some((pbd, self.cache.get(pbd)?)));
        let Some((reference, pbd)) = known.into_iter().find(|(_, pbd)| Some(&pbd.host) == self.host.as_ref()) else {
            return plain(State::Failed).wrong(Problem::NoConnection);
        };
        let state = if pbd.currently_attached { State::Running } else { State::Failed };
        Hop::new(Icon::Plug, "PBD", place(&pbd.device_config), state)
            .linked(named_ref(self.cache, reference))
            .wrong_if(!pbd.currently_attached, Problem::ConnectionUnplugged)
    }
}

/// What orders devices: the slot, or what the device is called.
fn position(vbd: &vbd::Record) -> String {
    lookup::either(&vbd.userdevice, &vbd.device)
}

/// The device as the guest sees it: `xvda`; a device that is not plugged has only its slot, which says the same.
pub(in crate::object_page) fn device_name(vbd: &vbd::Record) -> String {
    if !vbd.device.is_empty() {
        return vbd.device.clone();
    }
    match slot(vbd) {
        Some(slot @ 0..26) => format!("xvd{}", char::from(b'a' + u8::try_from(slot).unwrap_or(0))),
        _ => vbd.userdevice.clone(),
    }
}

fn slot(vbd: &vbd::Record) -> Option<u32> {
    vbd.userdevice.parse().ok()
}

/// The number by which the backend knows a device: major 202, sixteen minors a disk; from the seventeenth on in the extended form.
fn device_number(vbd: &vbd::Record) -> Option<u32> {
    let slot = slot(vbd).filter(|slot| *slot < 1 << 20)?;
    Some(if slot < 16 { (202 << 8) | (slot << 4) } else { (1 << 28) | (slot << 8) })
}

/// What of a connection's configuration tells where the storage is. Drivers keep passwords beside it, which are nobody's business.
pub(in crate::object_page) fn place(config: &TextMap) -> String {
    let get = |key: &str| config.get(key).filter(|text| !text.is_empty());
    let server = get("server").or_else(|| get("target"));
    let path = get("serverpath").or_else(|| get("targetIQN")).or_else(|| get("SCSIid"));
    match (server, path) {
        (Some(server), Some(path)) => format!("{server}:{path}"),
        (Some(one), None) | (None, Some(one)) => one.to_string(),
        (None, None) => get("location").or_else(|| get("device")).unwrap_or_default().to_string(),
    }
}

/// Joins what is not empty.
pub(in crate::object_page) fn join(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    parts.join(" · ")
}
