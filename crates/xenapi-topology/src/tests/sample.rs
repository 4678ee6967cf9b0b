//! A made-up pool, as large as need be and the same for the same numbers.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::{Class, Ref, TextMap};
use xenapi_model::{
    Bond, Host, HostMetrics, Network, PBD, PIF, PIFMetrics, Pool, SR, VBD, VDI, VIF, VLAN, VM, bond, host, host_metrics,
    network, pbd, pif, pif_metrics, pool, sr, vbd, vdi, vif, vlan, vm,
};

const GIB: i64 = 1 << 30;

/// A sequence of numbers that look random (xorshift).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides.max(1)
    }

    /// Whether one of `sides` came.
    pub(crate) fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }
}

/// A reference that sorts by number.
pub(crate) fn reference<C: Class>(number: usize) -> Ref<C> {
    Ref::new(format!("OpaqueRef:{number:08x}-{}", C::RECORD.name.to_ascii_lowercase()))
}

/// A pool of so many hosts and VMs.
pub(crate) fn pool(hosts: usize, vms: usize, seed: u64) -> Cache {
    let mut cache = Cache::new();
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    track(&mut cache);
    cache.insert::<Pool>(
        reference(0),
        pool::Record {
            name_label: "lab-pool".into(),
            master: reference(1),
            default_sr: Some(reference(1)),
            ..Default::default()
        },
    );
    for at in 1..=hosts {
        add_host(&mut cache, at, vms / hosts.max(1));
    }
    storage(&mut cache, hosts);
    networks(&mut cache, hosts);
    for at in 1..=vms {
        add_vm(&mut cache, &mut dice, at, hosts);
    }
    cache
}

/// Tracks and marks as loaded what the lenses look at, by putting in and taking out where nothing else comes.
fn track(cache: &mut Cache) {
    cache.track_console();
    fn touch<C: Class>(cache: &mut Cache) {
        let passing = reference(usize::MAX);
        cache.insert::<C>(passing.clone(), C::Record::default());
        cache.remove(&passing);
    }
    touch::<VM>(cache);
    touch::<VBD>(cache);
    touch::<VIF>(cache);
    touch::<VDI>(cache);
}

fn add_host(cache: &mut Cache, at: usize, load: usize) {
    let total = 256 * GIB;
    let memory_free = total - (load as i64 * 6 * GIB + 10 * GIB).min(total - GIB);
    cache.insert::<HostMetrics>(
        reference(at),
        host_metrics::Record { live: at != 41, memory_total: total, memory_free, ..Default::default() },
    );
    cache.insert::<Host>(
        reference(at),
        host::Record {
            name_label: format!("host-{at:02}"),
            address: format!("10.20.0.{}", at + 10),
            enabled: at != 7,
            metrics: reference::<HostMetrics>(at),
            ..Default::default()
        },
    );
}

fn add_sr(cache: &mut Cache, at: usize, name: &str, kind: &str, shared: bool, sizes: (i64, i64)) {
    cache.insert::<SR>(
        reference(at),
        sr::Record {
            name_label: name.into(),
            r#type: kind.into(),
            content_type: if kind == "iso" || kind == "udev" { "iso".into() } else { "user".into() },
            shared,
            pbds: if shared { Vec::new() } else { vec![reference(at * 100 + at % 100)] },
            physical_size: sizes.0 * GIB,
            physical_utilisation: sizes.1 * GIB,
            ..Default::default()
        },
    );
}

fn plug(cache: &mut Cache, sr: usize, host: usize) {
    let number = sr * 100 + host;
    let attached = !(sr == 2 && host == 3);
    cache.insert::<PBD>(
        reference(number),
        pbd::Record { sr: reference(sr), host: reference(host), currently_attached: attached, ..Default::default() },
    );
}

fn storage(cache: &mut Cache, hosts: usize) {
    add_sr(cache, 1, "iSCSI production", "lvmoiscsi", true, (8192, 5200));
    add_sr(cache, 2, "NFS archive", "nfs", true, (20480, 7300));
    add_sr(cache, 3, "ISO library", "iso", true, (200, 180));
    for host in 1..=hosts {
        (1..=3).for_each(|sr| plug(cache, sr, host));
        add_sr(cache, 10 + host, &format!("Local storage {host:02}"), "ext", false, (900, 220));
        add_sr(cache, 200 + host, "DVD drives", "udev", false, (0, 0));
        plug(cache, 10 + host, host);
        plug(cache, 200 + host, host);
    }
    for iso in 0..6 {
        add_vdi(cache, 900_000 + iso, &format!("installer-{iso}.iso"), 3, 4);
    }
}

fn add_vdi(cache: &mut Cache, at: usize, name: &str, sr: usize, size: i64) {
    cache.insert::<VDI>(
        reference(at),
        vdi::Record {
            name_label: name.into(),
            sr: reference(sr),
            virtual_size: size * GIB,
            managed: true,
            ..Default::default()
        },
    );
}

/// A bond of two NICs with VLANs on it and a third NIC for storage, on every host.
fn networks(cache: &mut Cache, hosts: usize) {
    let names = ["Bond 0+1", "Storage", "VLAN 101 web", "VLAN 102 database", "VLAN 103 backup", "Internal lab"];
    for (at, name) in names.into_iter().enumerate() {
        let pifs = if at == 5 { Vec::new() } else { vec![reference::<PIF>(at)] };
        let record =
            network::Record { name_label: name.into(), bridge: format!("xapi{at}"), pifs, mtu: 1500, ..Default::default() };
        cache.insert::<Network>(reference(at), record);
    }
    let internal = TextMap::from([("is_host_internal_management_network", "true")]);
    let record = network::Record {
        name_label: "Host internal".into(),
        bridge: "xenapi".into(),
        other_config: internal,
        ..Default::default()
    };
    cache.insert::<Network>(reference(90), record);
    for host in 1..=hosts {
        nics(cache, host);
    }
}

fn nics(cache: &mut Cache, host: usize) {
    let number = |nic: usize| host * 100 + nic;
    let put = |cache: &mut Cache, nic: usize, network: usize, change: &dyn Fn(&mut pif::Record)| {
        let mut record = pif::Record {
            device: format!("eth{nic}"),
            physical: true,
            vlan: -1,
            host: reference(host),
            network: reference(network),
            metrics: Some(reference::<PIFMetrics>(number(nic))),
            currently_attached: true,
            ..Default::default()
        };
        change(&mut record);
        cache.insert::<PIF>(reference(number(nic)), record);
        let carrier = !(nic == 1 && host == 2);
        let metrics = pif_metrics::Record { carrier, speed: if carrier { 10_000 } else { 0 }, ..Default::default() };
        cache.insert::<PIFMetrics>(reference(number(nic)), metrics);
    };
    let the_bond = reference::<Bond>(host);
    for nic in 0..2 {
        put(cache, nic, 80 + nic, &|pif| (pif.bond_slave_of, pif.currently_attached) = (Some(the_bond.clone()), false));
    }
    put(cache, 2, 1, &|_| {});
    let vlans: Vec<Ref<VLAN>> = (0..3).map(|at| reference(host * 10 + at)).collect();
    put(cache, 9, 0, &|pif| {
        (pif.device, pif.physical, pif.management) = ("bond0".into(), false, true);
        pif.bond_master_of = vec![the_bond.clone()];
        pif.vlan_slave_of = vlans.clone();
    });
    let slaves = vec![reference(number(0)), reference(number(1))];
    cache.insert::<Bond>(the_bond, bond::Record { master: reference(number(9)), slaves, ..Default::default() });
    for (at, vlan) in vlans.iter().enumerate() {
        put(cache, 20 + at, 2 + at, &|pif| {
            (pif.device, pif.physical, pif.vlan) = ("bond0".into(), false, 101 + at as i64);
            pif.vlan_master_of = Some(vlan.clone());
        });
        let record = vlan::Record {
            tagged_pif: reference(number(9)),
            untagged_pif: reference(number(20 + at)),
            ..Default::default()
        };
        cache.insert::<VLAN>(vlan.clone(), record);
    }
}

fn add_vm(cache: &mut Cache, dice: &mut Dice, at: usize, hosts: usize) {
    const ROLES: [&str; 8] =
        ["web", "db", "cache", "build-runner", "mail", "monitoring", "数据库主节点", "windows-terminal-server"];
    let power_state = match dice.roll(16) {
        0 | 1 => vm::VmPowerState::Halted,
        2 => vm::VmPowerState::Suspended,
        3 => vm::VmPowerState::Paused,
        _ => vm::VmPowerState::Running,
    };
    let runs = matches!(power_state, vm::VmPowerState::Running | vm::VmPowerState::Paused);
    let role = dice.roll(8) as usize;
    let disks = 1 + dice.roll(3) as usize;
    let home = 1 + dice.roll(hosts as u64) as usize;
    let size = 1 << dice.roll(4);
    let vbds: Vec<usize> = (0..disks).map(|disk| at * 10 + disk).collect();
    for (disk, number) in vbds.iter().enumerate() {
        let sr = if dice.one_in(6) { 10 + home } else { 1 + disk % 2 };
        add_vdi(cache, *number, &format!("{} disk {disk}", ROLES[role]), sr, 20 << disk);
        let record = vbd::Record {
            vm: reference(at),
            vdi: Some(reference(*number)),
            r#type: vbd::VbdType::Disk,
            currently_attached: runs,
            ..Default::default()
        };
        cache.insert::<VBD>(reference(*number), record);
    }
    let vifs: Vec<usize> = (0..1 + usize::from(dice.one_in(3))).map(|vif| at * 10 + vif).collect();
    for (vif, number) in vifs.iter().enumerate() {
        let network = if vif == 0 { 2 + role % 3 } else { [1, 5][role % 2] };
        let record =
            vif::Record { vm: reference(at), network: reference(network), currently_attached: runs, ..Default::default() };
        cache.insert::<VIF>(reference(*number), record);
    }
    cache.insert::<VM>(
        reference(at),
        vm::Record {
            name_label: name(ROLES[role], at),
            power_state,
            resident_on: runs.then(|| reference(home)),
            vcpus_max: 2 + 2 * (size % 3),
            memory_dynamic_max: size * 2 * GIB,
            vbds: vbds.iter().map(|at| reference(*at)).collect(),
            vifs: vifs.iter().map(|at| reference(*at)).collect(),
            ..Default::default()
        },
    );
}

fn name(role: &str, at: usize) -> String {
    format!("{role}-{at:02}")
}
