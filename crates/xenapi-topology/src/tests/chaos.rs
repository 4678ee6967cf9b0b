//! Caches that no server would send: everything refers to anything, or to nothing.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::{Class, Ref};
use xenapi_model::{
    Host, HostMetrics, Network, PBD, PIF, PIFMetrics, Pool, SR, VBD, VDI, VIF, VM, host, host_metrics, network, pbd, pif,
    pif_metrics, pool, sr, vbd, vdi, vif, vm,
};

use super::sample::{Dice, reference};

type Insert = Box<dyn FnOnce(&mut Cache)>;

/// A cache from a seed. `shuffle` changes the order in which the same content comes.
pub(super) fn cache(seed: u64, shuffle: u64) -> Cache {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut inserts = inserts(&mut dice);
    let mut order = Dice(shuffle.wrapping_mul(0x2545_f491_4f6c_dd1d) | 1);
    for at in (1..inserts.len()).rev() {
        inserts.swap(at, order.roll(at as u64 + 1) as usize);
    }
    let mut cache = Cache::new();
    inserts.into_iter().for_each(|insert| insert(&mut cache));
    cache
}

/// A reference to one of `count` objects, or past them, or to nothing.
fn any<C: Class>(dice: &mut Dice, count: u64) -> Ref<C> {
    match dice.roll(12) {
        0 => Ref::null(),
        1 => Ref::new(""),
        _ => reference(dice.roll(count + 1) as usize),
    }
}

fn some<C: Class>(dice: &mut Dice, count: u64) -> Vec<Ref<C>> {
    (0..dice.roll(4)).map(|_| any(dice, count)).collect()
}

fn name(dice: &mut Dice) -> String {
    match dice.roll(8) {
        0 => String::new(),
        1 => "<&\"'>\u{1}\n".into(),
        2 => "生产环境数据库服务器主节点".repeat(1 + dice.roll(3) as usize),
        3 => "W".repeat(dice.roll(80) as usize),
        _ => format!("name-{}", dice.roll(30)),
    }
}

fn insert<C: Class>(inserts: &mut Vec<Insert>, at: u64, record: C::Record) {
    inserts.push(Box::new(move |cache| cache.insert::<C>(reference(at as usize), record)));
}

fn inserts(dice: &mut Dice) -> Vec<Insert> {
    let mut all = Vec::new();
    let counts: [u64; 4] = [dice.roll(14), dice.roll(70), dice.roll(12), dice.roll(40)];
    let [hosts, vms, few, pifs] = counts;
    if !dice.one_in(5) {
        insert::<Pool>(&mut all, 0, pool::Record { name_label: name(dice), master: any(dice, hosts), ..Default::default() });
    }
    for at in 0..hosts {
        let resident_vms = some(dice, vms);
        let record = host::Record {
            name_label: name(dice),
            enabled: !dice.one_in(5),
            metrics: any(dice, hosts),
            resident_vms,
            ..Default::default()
        };
        insert::<Host>(&mut all, at, record);
        insert::<HostMetrics>(
            &mut all,
            at,
            host_metrics::Record { live: !dice.one_in(5), memory_total: i64::MAX, ..Default::default() },
        );
    }
    for at in 0..vms {
        insert::<VM>(&mut all, at, a_vm(dice, &counts));
    }
    if !dice.one_in(4) {
        storage(&mut all, dice, &counts);
    }
    for at in 0..few {
        let record =
            network::Record { name_label: name(dice), bridge: name(dice), pifs: some(dice, pifs), ..Default::default() };
        insert::<Network>(&mut all, at, record);
    }
    for at in 0..if dice.one_in(4) { 0 } else { pifs } {
        insert::<PIF>(&mut all, at, a_pif(dice, &counts));
        insert::<PIFMetrics>(
            &mut all,
            at,
            pif_metrics::Record { carrier: !dice.one_in(4), speed: dice.roll(20_000) as i64, ..Default::default() },
        );
    }
    for at in 0..vms {
        let record = vif::Record {
            vm: any(dice, vms),
            network: any(dice, few),
            currently_attached: dice.one_in(2),
            ..Default::default()
        };
        insert::<VIF>(&mut all, at, record);
    }
    all
}

fn a_vm(dice: &mut Dice, [hosts, vms, ..]: &[u64; 4]) -> vm::Record {
    let states = ["Running", "Halted", "Paused", "Suspended", "Odd"];
    vm::Record {
        name_label: name(dice),
        power_state: states[dice.roll(5) as usize].into(),
        resident_on: any(dice, *hosts).into_option(),
        is_a_template: dice.one_in(9),
        is_control_domain: dice.one_in(15),
        vbds: some(dice, *vms),
        vifs: some(dice, *vms),
        memory_dynamic_max: i64::MAX - dice.roll(3) as i64,
        ..Default::default()
    }
}

fn storage(all: &mut Vec<Insert>, dice: &mut Dice, [hosts, vms, few, _]: &[u64; 4]) {
    for at in 0..*few {
        let kind = ["lvm", "nfs", "iso", "udev"][dice.roll(4) as usize];
        let sizes = (i64::MAX, i64::MIN);
        let record = sr::Record {
            name_label: name(dice),
            r#type: kind.into(),
            content_type: kind.into(),
            pbds: some(dice, *few),
            ..Default::default()
        };
        insert::<SR>(
            all,
            at,
            sr::Record { vdis: some(dice, *vms), physical_size: sizes.0, physical_utilisation: sizes.1, ..record },
        );
        let record = pbd::Record {
            sr: any(dice, *few),
            host: any(dice, *hosts),
            currently_attached: dice.one_in(2),
            ..Default::default()
        };
        insert::<PBD>(all, at, record);
    }
    for at in 0..*vms {
        let record = vdi::Record {
            name_label: name(dice),
            sr: any(dice, *few),
            managed: !dice.one_in(6),
            virtual_size: i64::MAX,
            ..Default::default()
        };
        insert::<VDI>(all, at, vdi::Record { missing: dice.one_in(9), is_a_snapshot: dice.one_in(9), ..record });
        let kind = if dice.one_in(4) { vbd::VbdType::CD } else { vbd::VbdType::Disk };
        let record = vbd::Record {
            vm: any(dice, *vms),
            vdi: any(dice, *vms).into_option(),
            r#type: kind,
            empty: dice.one_in(5),
            ..Default::default()
        };
        insert::<VBD>(all, at, vbd::Record { currently_attached: dice.one_in(2), ..record });
    }
}

fn a_pif(dice: &mut Dice, [hosts, _, few, pifs]: &[u64; 4]) -> pif::Record {
    let mut record = pif::Record {
        device: name(dice),
        physical: dice.one_in(2),
        vlan: dice.roll(5) as i64 - 4,
        host: any(dice, *hosts),
        network: any(dice, *few),
        metrics: any(dice, *pifs).into_option(),
        currently_attached: dice.one_in(2),
        ..Default::default()
    };
    // Joins in every direction, circles among them.
    match dice.roll(8) {
        0 => record.bond_slave_of = any(dice, 5).into_option(),
        1 => record.bond_master_of = vec![any(dice, 5)],
        2 => record.vlan_master_of = any(dice, 5).into_option(),
        3 => record.vlan_slave_of = some(dice, 5),
        4 => record.tunnel_access_pif_of = some(dice, 5),
        5 => record.tunnel_transport_pif_of = some(dice, 5),
        6 => record.sriov_logical_pif_of = some(dice, 5),
        _ => record.sriov_physical_pif_of = some(dice, 5),
    }
    record
}
