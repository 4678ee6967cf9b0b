//! Hosts, their metrics and their control domains.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{DateTime, RawRef};

use super::{GIB, Plan, map, set};
use crate::Sim;
use crate::operations::set_enabled;

/// Memory of a control domain.
const DOM0: i64 = 4 * GIB;
/// Memory that the hypervisor keeps.
const OVERHEAD: i64 = GIB;

pub(crate) struct Host {
    pub(crate) reference: RawRef,
    pub(crate) uuid: String,
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) cpus: i64,
    pub(crate) free: i64,
    metrics: RawRef,
}

/// Makes hosts that have room for the VMs.
pub(crate) fn make(sim: &mut Sim, count: usize, vms: usize) -> Vec<Host> {
    let per_host = i64::try_from(vms.div_ceil(count)).unwrap_or(0);
    // About 8 GiB a VM; memory comes in steps of 128 GiB.
    let total = ((per_host * 8 + 64) / 128 + 1) * 128 * GIB;
    let hosts: Vec<Host> = (0..count).map(|at| make_host(sim, at, total)).collect();
    for host in &hosts {
        make_control_domain(sim, host);
    }
    hosts
}

fn make_host(sim: &mut Sim, at: usize, total: i64) -> Host {
    let (reference, metrics, uuid) = (sim.random.reference(), sim.random.reference(), sim.random.uuid());
    let number = at + 1;
    let (name, address) = (format!("host-{number:02}"), format!("192.0.2.{}", 10 + at));
    let cpus = *sim.random.pick(&[32, 48, 64]);
    let (uuid_of_metrics, date) = (sim.random.uuid(), sim.date());
    let draft = sim.store.draft("host_metrics").with("uuid", uuid_of_metrics);
    let draft = draft.with("memory_total", total).with("memory_free", total - DOM0 - OVERHEAD);
    sim.store.insert(&metrics, draft.with("live", true).with("last_updated", date));
    let boot = date.unix() - i64::try_from(sim.random.below(90 * 86_400)).unwrap_or(0);
    let draft = sim.store.draft("host");
    let draft = draft
        .with("uuid", &uuid)
        .with("name_label", name.as_str())
        .with("name_description", format!("Rack {}, unit {}", 1 + at / 16, 2 + 2 * (at % 16)))
        .with("memory_overhead", OVERHEAD)
        .with("API_version_major", 2)
        .with("API_version_minor", 21)
        .with("API_version_vendor", "XenSource")
        .with("software_version", software())
        .with("other_config", map([("agent_start_time", format!("{}.", boot + 180)), ("boot_time", format!("{boot}."))]))
        .with("capabilities", set(["xen-3.0-x86_64", "hvm-3.0-x86_32", "hvm-3.0-x86_32p", "hvm-3.0-x86_64"]))
        .with("sched_policy", "credit")
        .with("supported_bootloaders", set(["pygrub", "eliloader"]))
        .with("cpu_info", processors(cpus))
        .with("hostname", name.as_str())
        .with("address", address.as_str())
        .with("metrics", &metrics)
        .with("license_params", map([("sku_type", "free"), ("expiry", "20370101T00:00:00Z")]))
        .with("edition", "standard")
        .with(
            "bios_strings",
            map([("bios-vendor", "Simulated"), ("system-manufacturer", "Simulated"), ("system-product-name", "S-2")]),
        )
        .with("power_on_mode", "")
        .with("virtual_hardware_platform_versions", set([0_i64, 1, 2]))
        .with("tls_verification_enabled", true)
        .with("multipathing", true)
        .with("iscsi_iqn", format!("iqn.2026-01.example.pool:{name}"));
    sim.store.insert(&reference, draft);
    set_enabled(sim, &reference, true);
    Host { reference, uuid: uuid.as_str().into(), name, address, cpus, free: total - DOM0 - OVERHEAD, metrics }
}

fn software() -> xenapi_core::Struct {
    map([
        ("product_version", "8.4.0"),
        ("product_version_text", "8"),
        ("product_brand", "XenServer"),
        ("platform_name", "XCP"),
        ("platform_version", "3.4.0"),
        ("build_number", "simulated"),
        ("xapi", "24.11"),
        ("xen", "4.17.4"),
        ("linux", "4.19.0+1"),
        ("network_backend", "openvswitch"),
        ("db_schema", "5.780"),
        ("date", "2026-05-01"),
    ])
}

fn processors(cpus: i64) -> xenapi_core::Struct {
    map([
        ("cpu_count", format!("{cpus}")),
        ("socket_count", "2".into()),
        ("threads_per_core", "2".into()),
        ("vendor", "GenuineIntel".into()),
        ("speed", "2600.000".into()),
        ("modelname", "Simulated CPU @ 2.60GHz".into()),
        ("family", "6".into()),
        ("model", "106".into()),
        ("stepping", "6".into()),
        ("flags", "fpu de tsc msr pae mce cx8 apic sse sse2 ht syscall nx lm".into()),
    ])
}

fn make_control_domain(sim: &mut Sim, host: &Host) {
    let (reference, metrics) = (sim.random.reference(), sim.random.reference());
    let (uuid, uuid_of_metrics, date) = (sim.random.uuid(), sim.random.uuid(), sim.date());
    let draft = sim.store.draft("VM_metrics").with("uuid", uuid_of_metrics).with("memory_actual", DOM0);
    let draft = draft.with("VCPUs_number", 8).with("state", set(["running"])).with("last_updated", date);
    sim.store.insert(&metrics, draft.with("start_time", DateTime::from_unix(date.unix() - 86_400)));
    let draft = sim.store.draft("VM");
    let draft = draft
        .with("uuid", uuid)
        .with("name_label", format!("Control domain on host: {}", host.name))
        .with("name_description", "The domain which manages physical devices and manages other domains")
        .with("power_state", "Running")
        .with("is_control_domain", true)
        .with("resident_on", &host.reference)
        .with("affinity", &host.reference)
        .with("domid", 0)
        .with("domain_type", "pv")
        .with("VCPUs_max", 8)
        .with("VCPUs_at_startup", 8)
        .with("memory_target", DOM0)
        .with("memory_static_min", DOM0)
        .with("memory_static_max", DOM0)
        .with("memory_dynamic_min", DOM0)
        .with("memory_dynamic_max", DOM0)
        .with("actions_after_shutdown", "destroy")
        .with("actions_after_reboot", "destroy")
        .with("actions_after_crash", "destroy")
        .with("metrics", &metrics)
        .with("has_vendor_device", false)
        .with("other_config", map([("storage_driver_domain", "OpaqueRef:NULL"), ("is_system_domain", "true")]));
    sim.store.insert(&reference, draft);
    sim.store.put("host", host.reference.as_str(), "control_domain", &reference);
    make_consoles(sim, host, &reference);
    sim.refresh_vm(&reference);
}

/// A screen and a terminal, whose locations name references, other than those of guests.
fn make_consoles(sim: &mut Sim, host: &Host, dom0: &RawRef) {
    for protocol in ["rfb", "vt100"] {
        let (reference, uuid) = (sim.random.reference(), sim.random.uuid());
        let location = format!("https://{}/console?ref={}", host.address, reference.as_str());
        let draft = sim.store.draft("console").with("uuid", uuid).with("protocol", protocol);
        sim.store.insert(&reference, draft.with("location", location).with("VM", dom0));
    }
}

/// Writes what the VMs left of the memory, and disables a host in pools that can do without it.
pub(crate) fn finish(sim: &mut Sim, plan: &Plan) {
    for host in &plan.hosts {
        sim.store.put("host_metrics", host.metrics.as_str(), "memory_free", host.free);
        let of = host.reference.as_str();
        sim.store.put("host", of, "suspend_image_sr", plan.storage.default());
        sim.store.put("host", of, "crash_dump_sr", plan.storage.default());
    }
    if plan.hosts.len() >= 4 {
        let resting = &plan.hosts[plan.hosts.len() - 2].reference;
        set_enabled(sim, resting, false);
        sim.store.put_key("host", resting.as_str(), "other_config", "MAINTENANCE_MODE", "true");
    }
}
