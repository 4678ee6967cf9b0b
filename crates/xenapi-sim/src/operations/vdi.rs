//! Virtual disks: what creating and destroying them entails, copies of them, their sizes.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{DateTime, Failure, Millis, NULL, RawRef, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::operations::replicate::Copy;
use crate::operations::steps::{Work, slow, steps};
use crate::operations::{Handler, allowed, cbt, devices, storage};
use crate::store::Draft;
use crate::tasks::{Hold, Operation, Start};

/// Data move at this many bytes a second.
const BYTES_PER_SECOND: i64 = 200 << 20;
/// No copy takes longer than this, however large the disk: nobody waits hours for a simulation.
const LONGEST_COPY: u64 = 120_000;

pub(crate) fn find(message: &str) -> Option<Handler> {
    Some(match message {
        "snapshot" => Handler::Job(|_, _, args| duplicate_call(args, Copy::Snapshot, "snapshot")),
        "clone" => Handler::Job(|_, _, args| duplicate_call(args, Copy::Clone, "clone")),
        "copy" => Handler::Job(copy),
        "pool_migrate" => Handler::Job(pool_migrate),
        "resize" => Handler::Job(|_, _, args| resize(args, "resize")),
        "resize_online" => Handler::Job(|_, _, args| resize(args, "resize_online")),
        "revert" => Handler::Job(revert),
        "introduce" => Handler::Now(introduce),
        "forget" => Handler::Job(|_, _, args| {
            let check = |sim: &Sim, vdi: &RawRef| allowed::check_vdi(sim, vdi.as_str(), "forget");
            slow(Work::new("VDI", args.text(0), "forget", 200), check, |sim, vdi| {
                forget(sim, vdi);
                Ok(Value::VOID)
            })
        }),
        "update" => Handler::Job(|_, _, args| {
            let check = |sim: &Sim, vdi: &RawRef| allowed::check_vdi(sim, vdi.as_str(), "update");
            slow(Work::new("VDI", args.text(0), "update", 300), check, |_, _| Ok(Value::VOID))
        }),
        "set_on_boot" => Handler::Now(|sim, _, args| {
            let vdi = sim.need("VDI", args.text(0))?;
            allowed::check_vdi(sim, vdi.as_str(), "set_on_boot")?;
            let value = args.take(1);
            sim.store.put("VDI", vdi.as_str(), "on_boot", value);
            sim.refresh_allowed("VDI", &vdi);
            Ok(Value::VOID)
        }),
        "read_database_pool_uuid" => Handler::Now(|sim, _, args| {
            let vdi = sim.need("VDI", args.text(0))?;
            let pool = sim.store.reference("VDI", vdi.as_str(), "metadata_of_pool");
            Ok(sim.store.text("pool", pool.as_str(), "uuid").into())
        }),
        _ => return cbt::find(message),
    })
}

/// How long data of that size take to move.
fn time_of(bytes: i64) -> Millis {
    let milliseconds = bytes.max(0) / (BYTES_PER_SECOND / 1000);
    Millis(u64::try_from(milliseconds).unwrap_or(0).clamp(1000, LONGEST_COPY))
}

pub(crate) fn before_create(sim: &mut Sim, draft: &mut Draft) -> Result<(), Failure> {
    let sr = sim.need("SR", draft.text("SR"))?;
    allowed::check_sr(sim, sr.as_str(), "vdi_create")?;
    storage::need_attached(sim, &sr)?;
    storage::check_alive(sim, &sr)?;
    if draft.text("type") == "cbt_metadata" {
        return Err(Failure::new("VDI_INCOMPATIBLE_TYPE", [NULL, "cbt_metadata"]));
    }
    let size = storage::round_size(draft.get("virtual_size").as_int().unwrap_or(0))?;
    storage::check_room(sim, &sr, size)?;
    let used = storage::initial_use(sim, &sr, size);
    let location = sim.random.uuid();
    draft.set("location", location);
    draft.set("managed", true);
    draft.set("virtual_size", size);
    draft.set("physical_utilisation", used);
    Ok(())
}

pub(crate) fn after_create(sim: &mut Sim, vdi: &RawRef) {
    storage::account(sim, vdi, 1);
    sim.refresh_allowed("VDI", vdi);
}

pub(crate) fn before_destroy(sim: &mut Sim, vdi: &RawRef) -> Result<(), Failure> {
    allowed::check_vdi(sim, vdi.as_str(), "destroy")?;
    let sr = sim.store.reference("VDI", vdi.as_str(), "SR");
    storage::need_attached(sim, &sr)?;
    storage::check_alive(sim, &sr)?;
    storage::account(sim, vdi, -1);
    for vbd in sim.store.refs("VDI", vdi.as_str(), "VBDs") {
        devices::remove_device(sim, "VBD", &vbd);
    }
    Ok(())
}

/// Drives that hold a disk are empty from then on; other VBDs go.
pub(crate) fn release(sim: &mut Sim, vdi: &RawRef) {
    for vbd in sim.store.refs("VDI", vdi.as_str(), "VBDs") {
        if sim.store.text("VBD", vbd.as_str(), "type") == "CD" {
            sim.store.put("VBD", vbd.as_str(), "VDI", NULL);
            sim.store.put("VBD", vbd.as_str(), "empty", true);
            sim.refresh_allowed("VBD", &vbd);
        } else {
            devices::remove_device(sim, "VBD", &vbd);
        }
    }
}

/// Takes the record of a disk out. The data stay, and so does the room that they take. Drives that hold it are empty from then on;
/// other VBDs go.
pub(crate) fn forget(sim: &mut Sim, vdi: &RawRef) {
    sim.remember_disk(vdi);
    let sr = sim.store.reference("VDI", vdi.as_str(), "SR");
    let size = sim.store.int("VDI", vdi.as_str(), "virtual_size");
    release(sim, vdi);
    storage::grow(sim, &sr, -size, 0);
    sim.store.remove("VDI", vdi.as_str());
}

/// Where a copy of a disk goes, and what it takes there.
pub(crate) fn demand(sim: &Sim, vdi: &RawRef, kind: &Copy) -> (RawRef, i64) {
    let own = sim.store.reference("VDI", vdi.as_str(), "SR");
    match kind {
        Copy::Clone | Copy::Snapshot => (own, storage::delta_use(sim, vdi)),
        Copy::Full(sr) => {
            let sr = if sr.is_null() { own } else { sr.clone() };
            let used = sim.store.int("VDI", vdi.as_str(), "physical_utilisation");
            let size = sim.store.int("VDI", vdi.as_str(), "virtual_size");
            let needed = if storage::initial_use(sim, &sr, size) < size { used.min(size) } else { size };
            (sr, needed)
        }
    }
}

/// A disk made out of another one. The caller has checked that there is room.
pub(crate) fn duplicate(sim: &mut Sim, vdi: &RawRef, kind: &Copy) -> RawRef {
    let (sr, used) = demand(sim, vdi, kind);
    let mut draft = sim.store.draft("VDI");
    if let Some(row) = sim.store.row("VDI", vdi.as_str()) {
        draft.fields.clone_from(&row.fields);
    }
    let uuid = sim.random.uuid();
    draft.set("location", &uuid);
    draft.set("uuid", uuid);
    for field in ["VBDs", "snapshots", "crash_dumps"] {
        draft.set(field, Vec::new());
    }
    let is_snapshot = *kind == Copy::Snapshot;
    draft.set("is_a_snapshot", is_snapshot);
    draft.set("snapshot_of", if is_snapshot { vdi.as_str() } else { NULL });
    draft.set("snapshot_time", if is_snapshot { sim.date() } else { DateTime::NEVER });
    if !is_snapshot {
        draft.set("cbt_enabled", false);
    }
    draft.set("current_operations", Value::empty_struct());
    draft.set("metadata_of_pool", NULL);
    draft.set("managed", true);
    draft.set("SR", &sr);
    draft.set("physical_utilisation", used);
    let reference = sim.random.reference();
    sim.store.insert(&reference, draft);
    sim.copy_content(vdi, &reference);
    storage::account(sim, &reference, 1);
    sim.refresh_allowed("VDI", &reference);
    reference
}

fn check_duplicate(sim: &Sim, vdi: &RawRef, kind: &Copy, operation: &str) -> Result<(), Failure> {
    allowed::check_vdi(sim, vdi.as_str(), operation)?;
    storage::check_alive(sim, &sim.store.reference("VDI", vdi.as_str(), "SR"))?;
    if let Copy::Full(sr) = kind
        && !sr.is_null()
    {
        sim.need("SR", sr.as_str())?;
        storage::need_attached(sim, sr)?;
        allowed::check_sr(sim, sr.as_str(), "vdi_create")?;
        storage::check_alive(sim, sr)?;
    }
    let (sr, bytes) = demand(sim, vdi, kind);
    storage::check_room(sim, &sr, bytes)
}

fn duplicate_call(args: &Args, kind: Copy, operation: &'static str) -> Result<Box<dyn Operation>, Failure> {
    let (vdi, again) = (RawRef::from(args.text(0)), RawRef::from(args.text(0)));
    let of_check = kind.clone();
    let begin = move |sim: &mut Sim| {
        let reference = sim.need("VDI", vdi.as_str())?;
        check_duplicate(sim, &reference, &of_check, operation)?;
        let bytes = sim.store.int("VDI", vdi.as_str(), "physical_utilisation");
        let duration = if matches!(of_check, Copy::Full(_)) { time_of(bytes) } else { Millis(800) };
        Ok(Start { duration, holds: Vec::from([Hold { class: "VDI", reference, operation }]) })
    };
    steps(begin, move |sim| {
        let vdi = sim.need("VDI", again.as_str())?;
        check_duplicate(sim, &vdi, &kind, operation)?;
        Ok(duplicate(sim, &vdi, &kind).into())
    })
}

/// `VDI.copy`: into a new disk, or over one that is there.
fn copy(_: &mut Sim, _: &Caller, args: &mut Args) -> Result<Box<dyn Operation>, Failure> {
    let into = RawRef::from(args.text(3));
    if into.is_null() || into.as_str().is_empty() {
        return duplicate_call(args, Copy::Full(RawRef::from(args.text(1))), "copy");
    }
    let source = RawRef::from(args.text(0));
    let check = move |sim: &Sim, source: &RawRef| allowed::check_vdi(sim, source.as_str(), "copy");
    let begin = {
        let (source, into) = (source.clone(), into.clone());
        move |sim: &mut Sim| {
            let source = sim.need("VDI", source.as_str())?;
            check_into(sim, &source, &into)?;
            check(sim, &source)?;
            let duration = time_of(sim.store.int("VDI", source.as_str(), "physical_utilisation"));
            let hold = |reference: &RawRef| Hold { class: "VDI", reference: reference.clone(), operation: "copy" };
            Ok(Start { duration, holds: Vec::from([hold(&source), hold(&into)]) })
        }
    };
    steps(begin, move |sim| {
        let source = sim.need("VDI", source.as_str())?;
        check_into(sim, &source, &into)?;
        check(sim, &source)?;
        let sr = sim.store.reference("VDI", into.as_str(), "SR");
        let used = sim.store.int("VDI", source.as_str(), "physical_utilisation");
        let old = sim.store.int("VDI", into.as_str(), "physical_utilisation");
        let new = used.max(old).min(sim.store.int("VDI", into.as_str(), "virtual_size").max(old));
        sim.store.put("VDI", into.as_str(), "physical_utilisation", new);
        storage::grow(sim, &sr, 0, new - old);
        Ok((&into).into())
    })
}

fn check_into(sim: &Sim, source: &RawRef, into: &RawRef) -> Result<(), Failure> {
    let into = sim.need("VDI", into.as_str())?;
    if sim.store.flag("VDI", into.as_str(), "read_only") {
        return Err(Failure::new("VDI_READONLY", [into.as_str()]));
    }
    let needed = sim.store.int("VDI", source.as_str(), "virtual_size");
    if sim.store.int("VDI", into.as_str(), "virtual_size") < needed {
        return Err(Failure::new("VDI_TOO_SMALL", [into.as_str().to_string(), needed.to_string()]));
    }
    allowed::check_vdi(sim, into.as_str(), "destroy").or_else(|failure| match failure.code.as_str() {
        // Only whether somebody works with it matters here.
        "VDI_IN_USE" | "OTHER_OPERATION_IN_PROGRESS" => Err(failure),
        _ => Ok(()),
    })
}

/// `VDI.pool_migrate`: the disk of a running VM moves to another repository, with a new record.
fn pool_migrate(_: &mut Sim, _: &Caller, args: &mut Args) -> Result<Box<dyn Operation>, Failure> {
    let (vdi, sr) = (RawRef::from(args.text(0)), RawRef::from(args.text(1)));
    let begin = {
        let (vdi, sr) = (vdi.clone(), sr.clone());
        move |sim: &mut Sim| {
            check_migrate(sim, &vdi, &sr)?;
            let duration = time_of(sim.store.int("VDI", vdi.as_str(), "physical_utilisation"));
            Ok(Start { duration, holds: Vec::from([Hold { class: "VDI", reference: vdi.clone(), operation: "mirror" }]) })
        }
    };
    steps(begin, move |sim| {
        check_migrate(sim, &vdi, &sr)?;
        let new = duplicate(sim, &vdi, &Copy::Full(sr.clone()));
        let vbds = sim.store.refs("VDI", vdi.as_str(), "VBDs");
        for vbd in &vbds {
            sim.store.put("VBD", vbd.as_str(), "VDI", &new);
        }
        for snapshot in sim.store.refs("VDI", vdi.as_str(), "snapshots") {
            sim.store.put("VDI", snapshot.as_str(), "snapshot_of", &new);
        }
        storage::account(sim, &vdi, -1);
        sim.store.remove("VDI", vdi.as_str());
        sim.refresh_allowed("VDI", &new);
        Ok(new.into())
    })
}

fn check_migrate(sim: &Sim, vdi: &RawRef, sr: &RawRef) -> Result<(), Failure> {
    let of = sim.need("VDI", vdi.as_str())?;
    let of = of.as_str();
    sim.need("SR", sr.as_str())?;
    if sim.store.refs("VDI", of, "VBDs").is_empty() {
        return Err(Failure::new("VDI_NEEDS_VM_FOR_MIGRATE", [of]));
    }
    if sim.store.text("VDI", of, "on_boot") == "reset" {
        return Err(Failure::new("VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION", [""; 0]));
    }
    allowed::check_vdi(sim, of, "mirror")?;
    allowed::check_sr(sim, sr.as_str(), "vdi_create")?;
    storage::need_attached(sim, sr)?;
    storage::check_alive(sim, sr)?;
    let (sr, bytes) = demand(sim, vdi, &Copy::Full(sr.clone()));
    storage::check_room(sim, &sr, bytes)
}

/// What a disk of that size would take, beyond what it takes.
fn growth(sim: &Sim, vdi: &RawRef, size: i64) -> (RawRef, i64, i64) {
    let of = vdi.as_str();
    let sr = sim.store.reference("VDI", of, "SR");
    let more = size.saturating_sub(sim.store.int("VDI", of, "virtual_size"));
    let used = storage::initial_use(sim, &sr, size);
    let used = used.saturating_sub(sim.store.int("VDI", of, "physical_utilisation")).clamp(0, more.max(0));
    (sr, more, used)
}

fn resize(args: &Args, operation: &'static str) -> Result<Box<dyn Operation>, Failure> {
    let (wanted, of) = (args.int(1), RawRef::from(args.text(0)));
    let check = move |sim: &Sim, vdi: &RawRef| {
        allowed::check_vdi(sim, vdi.as_str(), operation)?;
        let (sr, old) = (sim.store.reference("VDI", vdi.as_str(), "SR"), sim.store.int("VDI", vdi.as_str(), "virtual_size"));
        storage::check_alive(sim, &sr)?;
        if wanted < old {
            let text = alloc::format!("VDI Invalid size [opterr=shrinking from {old} to {wanted} is not possible]");
            return Err(Failure::new("SR_BACKEND_FAILURE_79", ["", text.as_str(), ""]));
        }
        let (sr, more, _) = growth(sim, vdi, storage::round_size(wanted)?);
        storage::check_room(sim, &sr, more)
    };
    slow(Work::new("VDI", of.as_str(), operation, 500), check, move |sim, vdi| {
        let size = storage::round_size(wanted)?;
        let (sr, more, used) = growth(sim, vdi, size);
        let old = sim.store.int("VDI", vdi.as_str(), "physical_utilisation");
        sim.store.put("VDI", vdi.as_str(), "virtual_size", size);
        sim.store.put("VDI", vdi.as_str(), "physical_utilisation", old + used);
        storage::grow(sim, &sr, more, used);
        Ok(Value::VOID)
    })
}

/// `VDI.revert`: the disk of which this is a snapshot is as it was.
fn revert(_: &mut Sim, _: &Caller, args: &mut Args) -> Result<Box<dyn Operation>, Failure> {
    let check = |sim: &Sim, snapshot: &RawRef| {
        let disk = sim.store.reference("VDI", snapshot.as_str(), "snapshot_of");
        if !sim.store.flag("VDI", snapshot.as_str(), "is_a_snapshot") {
            return Err(Failure::new("OPERATION_NOT_ALLOWED", [alloc::format!("VDI is not a snapshot: {snapshot}")]));
        }
        sim.need("VDI", disk.as_str())?;
        allowed::check_vdi(sim, snapshot.as_str(), "clone")?;
        allowed::check_vdi(sim, disk.as_str(), "destroy")
    };
    slow(Work::new("VDI", args.text(0), "revert_from", 800), check, |sim, snapshot| {
        let disk = sim.store.reference("VDI", snapshot.as_str(), "snapshot_of");
        storage::account(sim, &disk, -1);
        for field in ["virtual_size", "physical_utilisation"] {
            let value = sim.store.int("VDI", snapshot.as_str(), field);
            sim.store.put("VDI", disk.as_str(), field, value);
        }
        storage::account(sim, &disk, 1);
        Ok(Value::VOID)
    })
}

/// `VDI.introduce`: a record for a disk that is on the storage.
fn introduce(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let (uuid, location) = (String::from(args.text(0)), String::from(args.text(8)));
    let sr = sim.need("SR", args.text(3))?;
    if xenapi_core::Uuid::parse(&uuid).is_err() {
        return Err(Failure::new("UUID_INVALID", ["VDI", &uuid]));
    }
    allowed::check_sr(sim, sr.as_str(), "vdi_introduce")?;
    storage::need_attached(sim, &sr)?;
    let class = sim.store.table("VDI").class;
    let same = |vdi: &RawRef| sim.store.text("VDI", vdi.as_str(), "location") == location;
    if sim.store.refs("SR", sr.as_str(), "VDIs").iter().any(same) {
        return Err(Failure::new("LOCATION_NOT_UNIQUE", [sr.as_str(), &location]));
    }
    if sim.by_uuid(class, &uuid).is_ok() {
        return Err(Failure::new("DB_UNIQUENESS_CONSTRAINT_VIOLATION", ["VDI", "uuid", &uuid]));
    }
    let Some(disk) = sim.forgotten_disk(&sr, &location) else {
        return Err(Failure::new("VDI_LOCATION_MISSING", [sr.as_str(), &location]));
    };
    let vdi = sim.record_disk(&sr, disk);
    sim.store.put("VDI", vdi.as_str(), "uuid", uuid);
    for (at, field) in
        [(1, "name_label"), (2, "name_description"), (4, "type"), (5, "sharable"), (6, "read_only"), (7, "other_config")]
    {
        let value = args.take(at);
        sim.store.put("VDI", vdi.as_str(), field, value);
    }
    for (at, field) in [(9, "xenstore_data"), (10, "sm_config"), (11, "managed")] {
        if args.value(at).is_some() {
            let value = args.take(at);
            sim.store.put("VDI", vdi.as_str(), field, value);
        }
    }
    sim.refresh_allowed("VDI", &vdi);
    Ok(vdi.into())
}
