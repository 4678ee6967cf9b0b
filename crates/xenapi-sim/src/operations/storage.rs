//! What disks, repositories and their connections have in common: drivers, room, and who is connected.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{Failure, RawRef, Value};

use crate::Sim;

/// Disks grow by steps of this many bytes.
const BLOCK: i64 = 2 << 20;
/// The largest disk in the image format of the drivers.
const LARGEST: i64 = 2040 << 30;
/// What a disk takes that nobody has written to, where the driver allocates as data come.
const EMPTY_DISK: i64 = 4 << 20;

/// What a storage driver is like.
pub(crate) struct Driver {
    pub(crate) kind: &'static str,
    pub(crate) label: &'static str,
    pub(crate) features: &'static [&'static str],
    /// Whether disks take room only for what was written to them.
    pub(crate) is_thin: bool,
}

const BLOCKS: &[&str] = &[
    "SR_PROBE",
    "SR_UPDATE",
    "SR_SUPPORTS_LOCAL_CACHING",
    "SR_METADATA",
    "VDI_CREATE",
    "VDI_DELETE",
    "VDI_ATTACH",
    "VDI_DETACH",
    "VDI_INTRODUCE",
    "VDI_UPDATE",
    "VDI_CLONE",
    "VDI_SNAPSHOT",
    "VDI_RESIZE",
    "VDI_MIRROR",
    "VDI_GENERATE_CONFIG",
    "VDI_CONFIG_CBT",
];

const FILES: &[&str] = &[
    "SR_PROBE",
    "SR_UPDATE",
    "SR_SUPPORTS_LOCAL_CACHING",
    "SR_METADATA",
    "VDI_CREATE",
    "VDI_DELETE",
    "VDI_ATTACH",
    "VDI_DETACH",
    "VDI_INTRODUCE",
    "VDI_UPDATE",
    "VDI_CLONE",
    "VDI_SNAPSHOT",
    "VDI_RESIZE",
    "VDI_RESIZE_ONLINE",
    "VDI_MIRROR",
    "VDI_GENERATE_CONFIG",
    "VDI_CONFIG_CBT",
    "VDI_RESET_ON_BOOT",
    "THIN_PROVISIONING",
];

const IMAGES: &[&str] = &["VDI_CREATE", "VDI_DELETE", "VDI_ATTACH", "VDI_DETACH", "VDI_UPDATE", "SR_UPDATE"];
const DRIVES: &[&str] = &["VDI_INTRODUCE", "VDI_ATTACH", "VDI_DETACH", "VDI_UPDATE", "SR_UPDATE"];

/// The drivers that a made pool has.
pub(crate) const DRIVERS: &[Driver] = &[
    Driver { kind: "lvm", label: "Local VHD on LVM", features: BLOCKS, is_thin: false },
    Driver { kind: "ext", label: "Local EXT4 VHD", features: FILES, is_thin: true },
    Driver { kind: "nfs", label: "NFS VHD", features: FILES, is_thin: true },
    Driver { kind: "lvmoiscsi", label: "LVHD over iSCSI", features: BLOCKS, is_thin: false },
    Driver { kind: "iso", label: "ISO", features: IMAGES, is_thin: false },
    Driver { kind: "udev", label: "udev", features: DRIVES, is_thin: false },
    Driver { kind: "smb", label: "SMB VHD", features: FILES, is_thin: true },
    Driver { kind: "file", label: "File-based", features: FILES, is_thin: true },
];

/// The driver of a type in the pool.
pub(crate) fn driver_of(sim: &Sim, kind: &str) -> Option<RawRef> {
    let table = sim.store.table("SM");
    let at = table.class.field_index("type")?;
    let row = table.rows.values().find(|row| row.fields.get(at).and_then(Value::as_text) == Some(kind))?;
    Some(row.reference.clone())
}

/// Whether the driver of a repository can do something. One about which nothing was recorded can do everything.
pub(crate) fn has_feature(sim: &Sim, sr: &RawRef, feature: &str) -> bool {
    let Some(driver) = driver_of(sim, sim.store.text("SR", sr.as_str(), "type")) else { return true };
    let features = sim.store.value("SM", driver.as_str(), "features").and_then(Value::as_struct);
    features.is_none_or(|features| features.is_empty() || features.get(feature).is_some())
}

fn is_thin(sim: &Sim, sr: &RawRef) -> bool {
    let kind = sim.store.text("SR", sr.as_str(), "type");
    DRIVERS.iter().any(|driver| driver.kind == kind && driver.is_thin)
}

/// Fails unless a host is connected to the repository.
pub(crate) fn need_attached(sim: &Sim, sr: &RawRef) -> Result<(), Failure> {
    let pbds = sim.store.refs("SR", sr.as_str(), "PBDs");
    if pbds.iter().any(|pbd| sim.store.flag("PBD", pbd.as_str(), "currently_attached")) {
        return Ok(());
    }
    Err(Failure::new("SR_HAS_NO_PBDS", [sr.as_str()]))
}

/// Whether every host is connected to the repository.
pub(crate) fn is_everywhere(sim: &Sim, sr: &RawRef) -> bool {
    let attached = |pbd: &RawRef| sim.store.flag("PBD", pbd.as_str(), "currently_attached");
    let hosts: Vec<RawRef> = sim.store.refs("SR", sr.as_str(), "PBDs").into_iter().filter(attached).collect();
    let hosts: Vec<RawRef> = hosts.iter().map(|pbd| sim.store.reference("PBD", pbd.as_str(), "host")).collect();
    sim.store.all("host").iter().all(|host| hosts.contains(host))
}

/// The size that a disk gets whose caller wants `bytes`: whole blocks, as the drivers' image format has it.
///
/// # Errors
/// When it is smaller or larger than the format allows.
pub(crate) fn round_size(bytes: i64) -> Result<i64, Failure> {
    if !(1 << 20..=LARGEST).contains(&bytes) {
        let text = "VDI Invalid size [opterr=VDI size must be between 1 MB and 2088960 MB]";
        return Err(Failure::new("SR_BACKEND_FAILURE_79", ["", text, ""]));
    }
    Ok((bytes + BLOCK - 1) / BLOCK * BLOCK)
}

/// What a new disk of that size takes in a repository.
pub(crate) fn initial_use(sim: &Sim, sr: &RawRef, bytes: i64) -> i64 {
    if is_thin(sim, sr) { EMPTY_DISK.min(bytes) } else { bytes }
}

/// What a snapshot or clone of a disk takes where that disk is.
pub(crate) fn delta_use(sim: &Sim, vdi: &RawRef) -> i64 {
    let used = sim.store.int("VDI", vdi.as_str(), "physical_utilisation");
    if is_thin(sim, &sim.store.reference("VDI", vdi.as_str(), "SR")) { EMPTY_DISK.min(used) } else { used }
}

/// Fails with `SR_FULL` unless a repository has room for so many bytes more. One of unknown size has.
pub(crate) fn check_room(sim: &Sim, sr: &RawRef, bytes: i64) -> Result<(), Failure> {
    let size = sim.store.int("SR", sr.as_str(), "physical_size");
    let free = size.saturating_sub(sim.store.int("SR", sr.as_str(), "physical_utilisation")).max(0);
    if size > 0 && bytes > free {
        return Err(Failure::new("SR_FULL", [bytes.to_string(), free.to_string()]));
    }
    Ok(())
}

/// Counts a disk into its SR (`sign` 1) or out of it (-1).
pub(crate) fn account(sim: &mut Sim, vdi: &RawRef, sign: i64) {
    let of = vdi.as_str();
    let (virtual_size, used) = (sim.store.int("VDI", of, "virtual_size"), sim.store.int("VDI", of, "physical_utilisation"));
    let sr = sim.store.reference("VDI", of, "SR");
    grow(sim, &sr, sign.saturating_mul(virtual_size), sign.saturating_mul(used));
}

/// Changes what a repository has allocated and used. Sizes that are not known stay so.
pub(crate) fn grow(sim: &mut Sim, sr: &RawRef, allocated: i64, used: i64) {
    for (field, change) in [("virtual_allocation", allocated), ("physical_utilisation", used)] {
        let old = sim.store.int("SR", sr.as_str(), field);
        if old >= 0 {
            sim.store.put("SR", sr.as_str(), field, old.saturating_add(change).max(0));
        }
    }
}

/// Fails as the driver does when the storage behind a repository does not answer.
pub(crate) fn check_alive(sim: &Sim, sr: &RawRef) -> Result<(), Failure> {
    if !sim.around.dead.contains_key(sr) {
        return Ok(());
    }
    let (number, text) = match sim.store.text("SR", sr.as_str(), "type") {
        "nfs" => ("73", "NFS mount error [opterr=mount failed with return code 32]"),
        "lvmoiscsi" => ("141", "Unable to connect to iSCSI service on target"),
        _ => ("47", "The SR is not available [opterr=the storage does not answer]"),
    };
    Err(Failure::new(alloc::format!("SR_BACKEND_FAILURE_{number}"), [String::new(), text.into(), String::new()]))
}

/// The size of storage of that type of which nothing else is known.
pub(crate) fn default_size(kind: &str) -> i64 {
    match kind {
        "iso" | "udev" => 0,
        "nfs" | "smb" => 2 << 40,
        _ => 512 << 30,
    }
}
