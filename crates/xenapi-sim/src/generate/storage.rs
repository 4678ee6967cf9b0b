//! Storage: shared and local repositories, the ISO library, the guest tools, and how hosts are connected to them.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{RawRef, Struct, Value};

use super::hosts::Host;
use super::names::IMAGES;
use super::scenario::Style;
use super::{GIB, map, set};
use crate::Sim;
use crate::operations::{DISK_OPERATIONS, DRIVERS};

pub(crate) struct Storage {
    /// For disks, on all hosts.
    pub(crate) shared: Vec<RawRef>,
    /// For disks, one for each host.
    pub(crate) local: Vec<RawRef>,
    /// Images to put into drives.
    pub(crate) images: Vec<RawRef>,
    /// The repository that the last host has lost.
    pub(crate) detached: RawRef,
}

impl Storage {
    /// The pool's default repository.
    pub(crate) fn default(&self) -> &RawRef {
        self.shared.first().unwrap_or(&self.local[0])
    }
}

struct Sr {
    label: String,
    kind: &'static str,
    content: &'static str,
    shared: bool,
    config: Struct,
}

pub(crate) fn make(sim: &mut Sim, hosts: &[Host], vms: usize, style: &Style) -> Storage {
    make_drivers(sim);
    let all: Vec<&Host> = hosts.iter().collect();
    let last = hosts.len() - 1;
    let (nfs, iscsi) = (style.nfs, style.iscsi);
    let count = if nfs || iscsi { (2 + hosts.len() / 8).max(2 + vms / 600) } else { 0 };
    // One to fill and one to lose.
    let count = if style.is_degraded { count + 2 } else { count };
    let mut shared: Vec<RawRef> = Vec::new();
    let mut detached = RawRef::null();
    for at in 0..count {
        let is_nfs = nfs && (!iscsi || at % 2 == 0);
        let number = if nfs && iscsi { at / 2 + 1 } else { at + 1 };
        let sr = Sr {
            label: if is_nfs { format!("NFS volume {number}") } else { format!("iSCSI LUN {number}") },
            kind: if is_nfs { "nfs" } else { "lvmoiscsi" },
            content: "user",
            shared: true,
            config: if is_nfs {
                map([("server", "198.51.100.5".into()), ("serverpath", format!("/export/vm{number}"))])
            } else {
                lun(number, style.is_multipathed)
            },
        };
        // In a pool of one host every VM would lose its disks, so there it stays whole.
        let is_broken = style.has_worries && at == 1 && last > 0;
        let reference = make_sr(sim, sr, &all, is_broken.then_some(last));
        if is_broken {
            detached = reference.clone();
        }
        shared.push(reference);
    }
    let local = hosts.iter().map(|host| {
        let sr = Sr {
            label: "Local storage".into(),
            kind: "lvm",
            content: "user",
            shared: false,
            config: map([("device", "/dev/sda3")]),
        };
        make_sr(sim, sr, &[host], None)
    });
    let local: Vec<RawRef> = local.collect();
    for host in hosts {
        let sr = Sr {
            label: "DVD drives".into(),
            kind: "udev",
            content: "iso",
            shared: false,
            config: map([("location", "/dev/xapi/cd")]),
        };
        make_sr(sim, sr, &[host], None);
    }
    let mut storage = Storage { shared, local, images: Vec::new(), detached };
    make_images(sim, &all, &mut storage);
    storage
}

/// How to reach a volume of the disk array. The password is one that nobody should see in a log.
fn lun(number: usize, is_multipathed: bool) -> Struct {
    let mut config = map([
        ("target", String::from(if is_multipathed { "198.51.100.6,198.51.100.7" } else { "198.51.100.6" })),
        ("targetIQN", format!("iqn.2026-01.example.array:lun{number}")),
        ("SCSIid", format!("3600140500000000000000000000000{number:02}")),
        ("chapuser", "pool".into()),
        ("chappassword", "not-a-real-password".into()),
    ]);
    if is_multipathed {
        config.push("multihomelist", "198.51.100.6:3260,198.51.100.7:3260");
    }
    config
}

fn make_drivers(sim: &mut Sim) {
    for driver in DRIVERS {
        let (reference, uuid) = (sim.random.reference(), sim.random.uuid());
        let features = map(driver.features.iter().map(|feature| (*feature, 1_i64)));
        let draft = sim.store.draft("SM").with("uuid", uuid).with("type", driver.kind).with("name_label", driver.label);
        let draft = draft.with("vendor", "Simulated").with("version", "1.0").with("required_api_version", "1.0");
        sim.store.insert(&reference, draft.with("features", features));
    }
}

fn make_sr(sim: &mut Sim, sr: Sr, hosts: &[&Host], broken: Option<usize>) -> RawRef {
    let (reference, uuid) = (sim.random.reference(), sim.random.uuid());
    let operations: &[&str] = match sr.content {
        "iso" => &["scan", "update", "unplug", "plug", "forget"],
        _ => &["scan", "update", "unplug", "plug", "vdi_create", "vdi_destroy", "vdi_clone", "vdi_snapshot", "vdi_resize"],
    };
    let draft = sim.store.draft("SR");
    let draft = draft
        .with("uuid", uuid)
        .with("name_label", sr.label)
        .with("type", sr.kind)
        .with("content_type", sr.content)
        .with("shared", sr.shared)
        .with("allowed_operations", set(operations.iter().copied()))
        .with("other_config", if sr.content == "user" { map([("auto-scan", "true")]) } else { Struct::new() });
    sim.store.insert(&reference, draft);
    for (at, host) in hosts.iter().enumerate() {
        let (pbd, uuid) = (sim.random.reference(), sim.random.uuid());
        let draft = sim.store.draft("PBD").with("uuid", uuid).with("host", &host.reference).with("SR", &reference);
        let draft = draft.with("device_config", sr.config.clone()).with("currently_attached", broken != Some(at));
        sim.store.insert(&pbd, draft);
    }
    reference
}

fn make_images(sim: &mut Sim, hosts: &[&Host], storage: &mut Storage) {
    let library = Sr {
        label: "ISO library".into(),
        kind: "iso",
        content: "iso",
        shared: true,
        config: map([("location", "198.51.100.5:/export/iso")]),
    };
    let library = make_sr(sim, library, hosts, None);
    for (name, mib) in IMAGES {
        let image = make_vdi(sim, &library, name, mib << 20, mib << 20);
        sim.store.put("VDI", image.as_str(), "read_only", true);
        sim.store.put("VDI", image.as_str(), "sharable", true);
        storage.images.push(image);
    }
    let tools = Sr {
        label: "XenServer Tools".into(),
        kind: "iso",
        content: "iso",
        shared: true,
        config: map([("location", "/opt/xensource/packages/iso"), ("legacy_mode", "true")]),
    };
    let tools = make_sr(sim, tools, hosts, None);
    sim.store.put("SR", tools.as_str(), "is_tools_sr", true);
    let image = make_vdi(sim, &tools, "guest-tools.iso", 140 << 20, 140 << 20);
    for field in ["read_only", "sharable", "is_tools_iso"] {
        sim.store.put("VDI", image.as_str(), field, true);
    }
}

/// A disk.
pub(crate) fn make_vdi(sim: &mut Sim, sr: &RawRef, label: &str, size: i64, used: i64) -> RawRef {
    let (reference, uuid) = (sim.random.reference(), sim.random.uuid());
    let draft = sim.store.draft("VDI");
    let draft = draft
        .with("location", &uuid)
        .with("uuid", uuid)
        .with("name_label", label)
        .with("SR", sr)
        .with("virtual_size", size)
        .with("physical_utilisation", used)
        .with("type", if label.ends_with(".iso") { "user" } else { "system" })
        .with("managed", true)
        .with("allowed_operations", set(DISK_OPERATIONS));
    sim.store.insert(&reference, draft);
    reference
}

/// Writes how full the repositories are.
pub(crate) fn finish(sim: &mut Sim) {
    // Bytes allocated and used, by repository.
    let mut sums: BTreeMap<RawRef, (i64, i64)> = BTreeMap::new();
    for vdi in sim.store.all("VDI") {
        let (sr, of) = (sim.store.reference("VDI", vdi.as_str(), "SR"), vdi.as_str());
        let sum = sums.entry(sr).or_default();
        sum.0 += sim.store.int("VDI", of, "virtual_size");
        sum.1 += sim.store.int("VDI", of, "physical_utilisation");
    }
    for sr in sim.store.all("SR") {
        let (allocated, used) = sums.get(&sr).copied().unwrap_or_default();
        let of = sr.as_str();
        let is_library = sim.store.text("SR", of, "content_type") == "iso";
        let size = if is_library { used } else { ((used + used / 2) / (512 * GIB) + 1) * 512 * GIB };
        sim.store.put("SR", of, "physical_size", size);
        sim.store.put("SR", of, "physical_utilisation", used);
        sim.store.put("SR", of, "virtual_allocation", Value::Int(allocated));
    }
}
