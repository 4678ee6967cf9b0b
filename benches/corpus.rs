//! A pool's VMs as a server would send them, the same at every run.

use xenapi_core::{DateTime, Map, Records, Ref, Uuid, to_value};
use xenapi_model::vm;

/// Numbers that look random and are not (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }

    fn number(&mut self, bound: u32) -> i64 {
        i64::try_from(self.below(u64::from(bound))).unwrap_or(0)
    }

    fn uuid(&mut self) -> String {
        let (high, low) = (self.roll(), self.roll());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xfff,
            0x8000 | low >> 48 & 0x3fff,
            low & 0xffff_ffff_ffff
        )
    }

    fn reference<C: xenapi_core::Class>(&mut self) -> Ref<C> {
        Ref::new(format!("OpaqueRef:{}", self.uuid()))
    }

    fn references<C: xenapi_core::Class>(&mut self, count: usize) -> Vec<Ref<C>> {
        (0..count).map(|_| self.reference()).collect()
    }
}

fn map(pairs: &[(&str, &str)]) -> Map<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// That many VMs with the fields of ordinary ones filled.
pub fn vms(count: usize) -> Records<vm::Record> {
    let mut dice = Dice(0x5eed);
    let records = (0..count).map(|number| (dice.reference(), record(&mut dice, number))).collect();
    Records { records, wrong: Vec::new() }
}

/// The reply to `VM.get_all_records` in a pool of that many VMs.
pub fn reply_with_vms(count: usize) -> Vec<u8> {
    xenapi_codec::xmlrpc::write_success(&to_value(&vms(count)))
}

fn record(dice: &mut Dice, number: usize) -> vm::Record {
    let mut record = vm::Record::default();
    identity(&mut record, dice, number);
    resources(&mut record, dice);
    devices(&mut record, dice);
    settings(&mut record, dice);
    record
}

fn identity(record: &mut vm::Record, dice: &mut Dice, number: usize) {
    record.uuid = Uuid::new(dice.uuid());
    record.name_label = format!("web-{number:04} <front & back>");
    record.name_description = "Answers the shop's customers; rebuilt every night from the template".into();
    record.power_state = if dice.below(4) == 0 { vm::VmPowerState::Halted } else { vm::VmPowerState::Running };
    record.resident_on = Some(dice.reference());
    record.affinity = Some(dice.reference());
    record.metrics = Some(dice.reference());
    record.guest_metrics = Some(dice.reference());
    record.reference_label = "debian-12".into();
    record.generation_id = format!("{}:{}", dice.roll(), dice.roll());
    record.snapshot_time = DateTime::NEVER;
    record.tags = vec!["production".into(), format!("rack-{}", dice.below(40))];
}

fn resources(record: &mut vm::Record, dice: &mut Dice) {
    let memory = (1 + dice.number(64)) << 30;
    record.memory_overhead = 11_534_336;
    record.memory_target = memory;
    record.memory_static_max = memory;
    record.memory_dynamic_max = memory;
    record.memory_dynamic_min = memory;
    record.memory_static_min = 1 << 30;
    record.vcpus_max = 1 + dice.number(16);
    record.vcpus_at_startup = record.vcpus_max;
    record.vcpus_params = map(&[("weight", "256"), ("cap", "0")]);
    record.hvm_shadow_multiplier = 1.0;
    record.domid = dice.number(65_535);
}

fn devices(record: &mut vm::Record, dice: &mut Dice) {
    record.consoles = dice.references(1);
    record.vifs = dice.references(2);
    record.vbds = dice.references(3);
    let snapshots = usize::try_from(dice.below(3)).unwrap_or(0);
    record.snapshots = dice.references(snapshots);
    let operations = [
        "changing_dynamic_range",
        "migrate_send",
        "pool_migrate",
        "changing_VCPUs_live",
        "suspend",
        "hard_reboot",
        "hard_shutdown",
        "clean_reboot",
        "clean_shutdown",
        "pause",
        "checkpoint",
        "snapshot",
    ];
    record.allowed_operations = operations.iter().map(|word| vm::VmOperations::from(*word)).collect();
}

fn settings(record: &mut vm::Record, dice: &mut Dice) {
    record.hvm_boot_policy = "BIOS order".into();
    record.hvm_boot_params = map(&[("firmware", "uefi"), ("order", "cdn")]);
    record.platform = map(&[
        ("timeoffset", "0"),
        ("videoram", "8"),
        ("hpet", "true"),
        ("secureboot", "false"),
        ("device-model", "qemu-upstream-uefi"),
        ("apic", "true"),
        ("acpi", "1"),
        ("pae", "true"),
        ("nx", "true"),
        ("viridian", "false"),
        ("cores-per-socket", "2"),
        ("vga", "std"),
    ]);
    let mac_seed = dice.uuid();
    record.other_config = map(&[
        ("base_template_name", "Debian Bookworm 12"),
        ("import_task", "OpaqueRef:NULL"),
        ("mac_seed", mac_seed.as_str()),
        ("install-methods", "cdrom,nfs,http,ftp"),
        ("linux_template", "true"),
        ("folder", "/shop/web"),
    ]);
    record.xenstore_data = map(&[("vm-data", ""), ("vm-data/mmio-hole-size", "268435456")]);
    record.recommendations = "<restrictions><restriction field=\"memory-static-max\" max=\"1649267441664\"/>\
         <restriction field=\"vcpus-max\" max=\"32\"/><restriction property=\"number-of-vbds\" max=\"255\"/>\
         <restriction property=\"number-of-vifs\" max=\"7\"/><restriction field=\"allow-gpu-passthrough\" value=\"1\"/></restrictions>"
        .into();
    record.bios_strings = map(&[
        ("bios-vendor", "Xen"),
        ("bios-version", ""),
        ("system-manufacturer", "Xen"),
        ("system-product-name", "HVM domU"),
        ("system-version", ""),
        ("system-serial-number", ""),
        ("baseboard-manufacturer", ""),
        ("baseboard-product-name", ""),
        ("enclosure-asset-tag", ""),
        ("hp-rombios", ""),
        ("oem-1", "Xen"),
        ("oem-2", "MS_VM_CERT/SHA1/bdbeb6e0a816d43fa6d3fe8aaef04c2bad9d3e3d"),
    ]);
    let boot_flags = [
        ("vendor", "GenuineIntel"),
        ("features", "1fcbfbff-f7fa3223-2d93fbff-00000423-00000001-000007ab-00000000-00000000"),
    ];
    record.last_boot_cpu_flags = map(&boot_flags);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use xenapi_core::Wire;

    #[test]
    fn the_reply_holds_the_records() {
        let bytes = reply_with_vms(3);
        let limits = xenapi_codec::Limits::reply();
        let read = xenapi_codec::xmlrpc::read_result(&bytes, &limits, Records::<vm::Record>::read).unwrap().unwrap();
        assert_eq!(read.records, vms(3).records);
        assert!(bytes.len() > 3 * 8_000, "{} bytes", bytes.len());
    }
}
