//! From records to what is shown.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod graph;
mod selectors;

use alloc::string::ToString;

use xenapi_client::Cache;
use xenapi_core::{Ref, TextMap, Uuid};
use xenapi_model::vm::VmPowerState;
use xenapi_model::{
    Host, HostMetrics, PBD, Pool, SR, VBD, VDI, VM, host, host_metrics, pbd, pool, sr, vbd, vdi, vm, vm_guest_metrics,
};

/// A cache with a pool, two hosts, three VMs, a template, storage: everything known.
pub(crate) fn cache() -> Cache {
    let mut cache = Cache::new();
    cache.track_console();
    let record = pool::Record { uuid: Uuid::new("pool-1"), master: Ref::new("h1"), ..Default::default() };
    let mut record = pool::Record { name_label: "West".into(), ..record };
    record.other_config = recorded("pool,host,host_metrics,VM,VM_guest_metrics,VM_metrics,VBD,VDI,SR,PBD,VIF,network,PIF");
    cache.insert(Ref::<Pool>::new("p"), record);
    for (at, live) in [("1", true), ("2", false)] {
        let metrics = host_metrics::Record { live, memory_total: 64 << 30, memory_free: 16 << 30, ..Default::default() };
        cache.insert(Ref::<HostMetrics>::new(["hm", at].concat()), metrics);
        let host = host::Record {
            uuid: Uuid::new(["host-", at].concat()),
            name_label: ["host ", at].concat(),
            address: ["10.0.0.", at].concat(),
            enabled: true,
            metrics: Ref::new(["hm", at].concat()),
            ..Default::default()
        };
        cache.insert(Ref::<Host>::new(["h", at].concat()), host);
    }
    cache.insert(Ref::<VM>::new("v1"), vm("web 10", VmPowerState::Running, "h1"));
    cache.insert(Ref::<VM>::new("v2"), vm("Web 2", VmPowerState::Halted, "OpaqueRef:NULL"));
    cache.insert(Ref::<VM>::new("v3"), vm("db", VmPowerState::Paused, "h1"));
    cache.insert(
        Ref::<VM>::new("t1"),
        vm::Record { is_a_template: true, ..vm("Debian", VmPowerState::Halted, "OpaqueRef:NULL") },
    );
    storage(&mut cache);
    cache
}

fn storage(cache: &mut Cache) {
    let sr = sr::Record {
        uuid: Uuid::new("sr-1"),
        name_label: "NFS".into(),
        shared: true,
        physical_size: 1 << 40,
        physical_utilisation: 1 << 39,
        pbds: [Ref::new("pbd1")].into(),
        vdis: [Ref::new("d1")].into(),
        ..Default::default()
    };
    cache.insert(Ref::<SR>::new("s1"), sr);
    let pbd = pbd::Record { host: Ref::new("h1"), sr: Ref::new("s1"), currently_attached: true, ..Default::default() };
    let secret = [("server".to_string(), "10.0.0.9".to_string()), ("chappassword".to_string(), "hunter2".to_string())];
    cache.insert(Ref::<PBD>::new("pbd1"), pbd::Record { device_config: secret.into_iter().collect(), ..pbd });
    let vdi = vdi::Record { name_label: "disk".into(), sr: Ref::new("s1"), virtual_size: 8 << 30, ..Default::default() };
    cache.insert(Ref::<VDI>::new("d1"), vdi::Record { vbds: [Ref::new("b1")].into(), ..vdi });
    let vbd = vbd::Record { vm: Ref::new("v1"), vdi: Some(Ref::new("d1")), currently_attached: true, ..Default::default() };
    cache.insert(Ref::<VBD>::new("b1"), vbd);
}

pub(crate) fn vm(name: &str, power_state: VmPowerState, host: &str) -> vm::Record {
    let suffix = name.to_lowercase().replace(' ', "-");
    vm::Record {
        uuid: Uuid::new(["uuid-", &suffix].concat()),
        name_label: name.into(),
        power_state,
        resident_on: Ref::new(host).into_option(),
        vcpus_max: 4,
        vcpus_at_startup: 2,
        memory_dynamic_max: 2 << 30,
        memory_static_max: 4 << 30,
        guest_metrics: Some(Ref::new(["g-", &suffix].concat())),
        vbds: if name == "web 10" { [Ref::new("b1")].into() } else { [].into() },
        ..Default::default()
    }
}

pub(crate) fn guest(addresses: &[(&str, &str)]) -> vm_guest_metrics::Record {
    let networks = addresses.iter().copied().collect();
    vm_guest_metrics::Record { networks, ..Default::default() }
}

fn recorded(classes: &str) -> TextMap {
    TextMap::from([("xenoxide:recorded-classes", classes)])
}

/// As if only these classes had been recorded.
pub(crate) fn forget_all_but(cache: &mut Cache, classes: &str) {
    let (reference, record) = cache.iter::<Pool>().next().unwrap();
    let record = pool::Record { other_config: recorded(classes), ..(**record).clone() };
    cache.insert(reference, record);
}
