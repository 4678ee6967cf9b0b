//! Storage repositories.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{Failure, Millis, RawRef, Struct, Uuid, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::operations::steps::{Work, slow, steps};
use crate::operations::{Handler, allowed, devices, pbd, probes, secrets, storage, vdi};
use crate::tasks::{Operation, Start};

/// The size of a disk that holds a copy of the pool's database.
const DATABASE: i64 = 256 << 20;

pub(crate) fn find(message: &str) -> Option<Handler> {
    Some(match message {
        "get_supported_types" => Handler::Now(|sim, _, _| {
            let drivers = sim.store.table("SM").rows.values();
            let at = sim.store.table("SM").class.field_index("type");
            Ok(Value::Array(drivers.filter_map(|row| at.map(|at| row.fields[at].clone())).collect()))
        }),
        "create" => Handler::Job(create),
        "introduce" => Handler::Now(introduce),
        "scan" => Handler::Job(|_, _, args| {
            slow(Work::new("SR", args.text(0), "scan", 1000), check_scan, |sim, sr| {
                sim.measure_repository(sr);
                sim.find_disks(sr);
                Ok(Value::VOID)
            })
        }),
        "update" => Handler::Job(|_, _, args| {
            let check = |sim: &Sim, sr: &RawRef| {
                allowed::check_sr(sim, sr.as_str(), "update")?;
                storage::need_attached(sim, sr)?;
                storage::check_alive(sim, sr)
            };
            slow(Work::new("SR", args.text(0), "update", 300), check, |sim, sr| {
                sim.measure_repository(sr);
                Ok(Value::VOID)
            })
        }),
        "forget" => Handler::Job(|_, _, args| {
            let check = |sim: &Sim, sr: &RawRef| allowed::check_sr(sim, sr.as_str(), "forget");
            slow(Work::new("SR", args.text(0), "forget", 300), check, |sim, sr| {
                forget(sim, sr);
                Ok(Value::VOID)
            })
        }),
        "destroy" => Handler::Job(|_, _, args| {
            slow(Work::new("SR", args.text(0), "destroy", 1000), check_destroy, |sim, sr| {
                destroy(sim, sr);
                Ok(Value::VOID)
            })
        }),
        "set_shared" => Handler::Now(set_shared),
        "probe" => Handler::Job(|_, _, args| probes::probe(args)),
        "probe_ext" => Handler::Job(|_, _, args| probes::probe_ext(args)),
        "assert_can_host_ha_statefile" => Handler::Now(|sim, _, args| {
            let sr = sim.need("SR", args.text(0))?;
            need_shared(sim, &sr)?;
            need_feature(sim, &sr, "VDI_GENERATE_CONFIG")?;
            storage::check_room(sim, &sr, 4 << 20).map(|()| Value::VOID)
        }),
        "assert_supports_database_replication" => Handler::Now(|sim, _, args| {
            let sr = sim.need("SR", args.text(0))?;
            check_replication(sim, &sr).map(|()| Value::VOID)
        }),
        "enable_database_replication" => Handler::Job(|_, _, args| {
            slow(Work::quiet("SR", args.text(0), 2000), check_replication, |sim, sr| {
                replicate_database(sim, sr);
                Ok(Value::VOID)
            })
        }),
        "disable_database_replication" => Handler::Job(|_, _, args| {
            slow(
                Work::quiet("SR", args.text(0), 1000),
                |_, _| Ok(()),
                |sim, sr| {
                    for vdi in databases(sim, sr) {
                        devices::remove_vdi(sim, &vdi);
                    }
                    Ok(Value::VOID)
                },
            )
        }),
        _ => return None,
    })
}

fn need_feature(sim: &Sim, sr: &RawRef, feature: &str) -> Result<(), Failure> {
    if storage::has_feature(sim, sr, feature) {
        return Ok(());
    }
    Err(Failure::new("SR_OPERATION_NOT_SUPPORTED", [sr.as_str()]))
}

fn need_shared(sim: &Sim, sr: &RawRef) -> Result<(), Failure> {
    if sim.store.flag("SR", sr.as_str(), "shared") && storage::is_everywhere(sim, sr) {
        return Ok(());
    }
    Err(Failure::new("HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED", [sr.as_str()]))
}

fn check_scan(sim: &Sim, sr: &RawRef) -> Result<(), Failure> {
    allowed::check_sr(sim, sr.as_str(), "scan")?;
    storage::need_attached(sim, sr)?;
    storage::check_alive(sim, sr)
}

fn check_destroy(sim: &Sim, sr: &RawRef) -> Result<(), Failure> {
    allowed::check_sr(sim, sr.as_str(), "destroy")?;
    if sim.store.key("SR", sr.as_str(), "other_config", "indestructible") == Some("true") {
        return Err(Failure::new("SR_INDESTRUCTIBLE", [sr.as_str()]));
    }
    storage::check_alive(sim, sr)
}

fn destroy(sim: &mut Sim, sr: &RawRef) {
    let uuid = String::from(sim.store.text("SR", sr.as_str(), "uuid"));
    remove_records(sim, sr);
    sim.wipe_repository(&uuid);
}

/// Takes the records of a repository out. What is on it stays there.
fn forget(sim: &mut Sim, sr: &RawRef) {
    for vdi in sim.store.refs("SR", sr.as_str(), "VDIs") {
        sim.remember_disk(&vdi);
    }
    sim.remember_repository(sr);
    remove_records(sim, sr);
}

fn remove_records(sim: &mut Sim, sr: &RawRef) {
    for pbd in sim.store.refs("SR", sr.as_str(), "PBDs") {
        secrets::forget(sim, &pbd);
        sim.store.remove("PBD", pbd.as_str());
    }
    for vdi in sim.store.refs("SR", sr.as_str(), "VDIs") {
        vdi::release(sim, &vdi);
        devices::remove_vdi(sim, &vdi);
    }
    for blob in blobs(sim, sr) {
        sim.store.remove("blob", blob.as_str());
    }
    sim.around.dead.remove(sr);
    sim.store.remove("SR", sr.as_str());
    unset(sim, sr);
}

fn blobs(sim: &Sim, sr: &RawRef) -> Vec<RawRef> {
    let blobs = sim.store.value("SR", sr.as_str(), "blobs").and_then(Value::as_struct);
    blobs.into_iter().flat_map(Struct::iter).filter_map(|(_, blob)| blob.as_text().map(RawRef::from)).collect()
}

/// Nothing keeps a repository as its default that is gone.
fn unset(sim: &mut Sim, sr: &RawRef) {
    let Some(pool) = sim.store.first("pool") else { return };
    for field in ["default_SR", "suspend_image_SR", "crash_dump_SR"] {
        if sim.store.reference("pool", pool.as_str(), field) == *sr {
            sim.store.put("pool", pool.as_str(), field, RawRef::null());
        }
    }
    for host in sim.store.all("host") {
        for field in ["suspend_image_sr", "crash_dump_sr", "local_cache_sr"] {
            if sim.store.reference("host", host.as_str(), field) == *sr {
                sim.store.put("host", host.as_str(), field, RawRef::null());
            }
        }
    }
}

fn set_shared(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let sr = sim.need("SR", args.text(0))?;
    let pbds = sim.store.refs("SR", sr.as_str(), "PBDs");
    if !args.flag(1) && pbds.len() > 1 {
        return Err(Failure::new("SR_HAS_MULTIPLE_PBDS", pbds.iter().map(|pbd| String::from(pbd.as_str()))));
    }
    sim.store.put("SR", sr.as_str(), "shared", args.flag(1));
    Ok(Value::VOID)
}

fn check_replication(sim: &Sim, sr: &RawRef) -> Result<(), Failure> {
    storage::need_attached(sim, sr)?;
    need_feature(sim, sr, "SR_METADATA")?;
    need_shared(sim, sr)?;
    if databases(sim, sr).is_empty() { storage::check_room(sim, sr, DATABASE) } else { Ok(()) }
}

fn databases(sim: &Sim, sr: &RawRef) -> Vec<RawRef> {
    let pool = sim.store.first("pool").unwrap_or_default();
    let is_ours = |vdi: &RawRef| sim.store.reference("VDI", vdi.as_str(), "metadata_of_pool") == pool;
    sim.store.refs("SR", sr.as_str(), "VDIs").into_iter().filter(is_ours).collect()
}

fn replicate_database(sim: &mut Sim, sr: &RawRef) {
    if !databases(sim, sr).is_empty() {
        return;
    }
    let vdi = devices::new_vdi(sim, sr, "Metadata for DR", DATABASE, "metadata");
    let pool = sim.store.first("pool").unwrap_or_default();
    sim.store.put("VDI", vdi.as_str(), "metadata_of_pool", &pool);
    sim.store.put("VDI", vdi.as_str(), "metadata_latest", true);
}

/// `SR.introduce`: a record only; connections come next.
fn introduce(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let (mut uuid, kind) = (String::from(args.text(0)), args.text(3).to_lowercase());
    if uuid.is_empty() {
        uuid = sim.random.uuid().to_string();
    } else if Uuid::parse(&uuid).is_err() {
        return Err(Failure::new("UUID_INVALID", ["SR", &uuid]));
    }
    if sim.by_uuid(sim.store.table("SR").class, &uuid).is_ok() {
        return Err(Failure::new("SR_UUID_EXISTS", [uuid]));
    }
    if sim.store.count("SM") > 0 && storage::driver_of(sim, &kind).is_none() {
        return Err(Failure::new("SR_UNKNOWN_DRIVER", [kind]));
    }
    let reference = sim.random.reference();
    let draft = sim.store.draft("SR").with("uuid", uuid).with("type", kind);
    let mut draft = draft.with("physical_size", -1).with("physical_utilisation", -1).with("virtual_allocation", -1);
    for (at, field) in [(1, "name_label"), (2, "name_description"), (4, "content_type"), (5, "shared"), (6, "sm_config")] {
        if args.value(at).is_some() {
            draft.set(field, args.take(at));
        }
    }
    sim.store.insert(&reference, draft);
    sim.refresh_allowed("SR", &reference);
    Ok(reference.into())
}

/// What `SR.create` was asked for.
struct Wish {
    host: RawRef,
    config: Struct,
    size: i64,
    name: String,
    description: String,
    kind: String,
    content: String,
    shared: bool,
    sm_config: Struct,
}

impl Wish {
    fn check(&self, sim: &Sim) -> Result<(), Failure> {
        sim.need("host", self.host.as_str())?;
        if storage::driver_of(sim, &self.kind).is_none() {
            return Err(Failure::new("SR_UNKNOWN_DRIVER", [self.kind.as_str()]));
        }
        if let Some(value) = self.config.get("SRmaster").and_then(Value::as_text) {
            let reason = "SRmaster is set by the server";
            return Err(Failure::new("VALUE_NOT_SUPPORTED", ["device_config:SRmaster", value, reason]));
        }
        probes::check_config(sim, &self.kind, &self.config)
    }

    /// Makes the repository and connects every host that is to be connected.
    fn make(&self, sim: &mut Sim) -> RawRef {
        let (reference, uuid) = (sim.random.reference(), sim.random.uuid());
        let size = if self.size > 0 { self.size } else { storage::default_size(&self.kind) };
        let draft = sim.store.draft("SR").with("uuid", uuid).with("name_label", self.name.as_str());
        let draft = draft.with("name_description", self.description.as_str()).with("type", self.kind.as_str());
        let draft = draft.with("content_type", self.content.as_str()).with("shared", self.shared);
        let draft = draft.with("physical_size", size).with("sm_config", self.sm_config.clone());
        sim.store.insert(&reference, draft);
        let hosts = if self.shared { sim.store.all("host") } else { Vec::from([self.host.clone()]) };
        for host in hosts {
            let pbd = pbd::new_pbd(sim, &host, &reference, &self.config);
            pbd::plug(sim, &pbd);
        }
        sim.refresh_allowed("SR", &reference);
        reference
    }
}

fn create(_: &mut Sim, _: &Caller, args: &mut Args) -> Result<Box<dyn Operation>, Failure> {
    let map = |at| args.value(at).and_then(Value::as_struct).cloned().unwrap_or_default();
    let wish = Wish {
        host: RawRef::from(args.text(0)),
        config: map(1),
        size: args.int(2),
        name: args.text(3).into(),
        description: args.text(4).into(),
        kind: args.text(5).to_lowercase(),
        content: args.text(6).into(),
        shared: args.flag(7),
        sm_config: map(8),
    };
    let wish = alloc::sync::Arc::new(wish);
    let begin = {
        let wish = wish.clone();
        move |sim: &mut Sim| wish.check(sim).map(|()| Start { duration: Millis(3000), holds: Vec::new() })
    };
    steps(begin, move |sim| {
        wish.check(sim)?;
        Ok(wish.make(sim).into())
    })
}
