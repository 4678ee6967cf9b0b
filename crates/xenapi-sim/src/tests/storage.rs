//! Repositories, virtual disks and connections.

use xenapi_core::{NULL, Struct};

use super::*;
use crate::tests::generated::{check_consistent, check_types};

impl Pool {
    /// Objects of a class for which a filter holds.
    fn some(&mut self, class: &str, expr: &str) -> Vec<String> {
        self.refs(&alloc::format!("{class}.get_all_where"), &[expr])
    }

    fn int(&mut self, method: &str, of: &str) -> i64 {
        self.ask(method, &[of]).unwrap().as_int().unwrap()
    }

    fn sr_of_type(&mut self, kind: &str) -> String {
        self.some("SR", &alloc::format!("field \"type\" = \"{kind}\" and field \"content_type\" = \"user\""))[0].clone()
    }

    fn new_vdi(&mut self, sr: &str, bytes: i64) -> Result<String, Failure> {
        let members = [
            ("name_label", "disk".into()),
            ("SR", sr.into()),
            ("virtual_size", Value::Int(bytes)),
            ("type", "user".into()),
            ("sharable", false.into()),
            ("read_only", false.into()),
            ("other_config", Value::empty_struct()),
        ];
        let record: Struct = members.into_iter().collect();
        self.call("VDI.create", &[Value::Struct(record)]).map(|vdi| vdi.as_text().unwrap().into())
    }

    fn new_sr(&mut self, kind: &str, shared: bool) -> Result<String, Failure> {
        let host = self.refs("host.get_all", &[])[0].clone();
        let keys = [("server", "192.0.2.9"), ("serverpath", "/export/new"), ("device", "/dev/sdz"), ("password", "hidden")];
        let config: Struct = keys.into_iter().map(|(key, value)| (key, Value::from(value))).collect();
        let params = [
            host.as_str().into(),
            Value::Struct(config),
            Value::Int(1 << 40),
            "new".into(),
            "".into(),
            kind.into(),
            "user".into(),
            shared.into(),
            Value::empty_struct(),
        ];
        self.call("SR.create", &params).map(|sr| sr.as_text().unwrap().into())
    }

    /// A repository without connections in use.
    fn unplug_all(&mut self, sr: &str) {
        for pbd in self.refs("SR.get_PBDs", &[sr]) {
            self.ask("PBD.unplug", &[&pbd]).unwrap();
        }
    }
}

#[test]
fn disks_take_room_and_give_it_back() {
    let mut pool = Pool::new();
    for kind in ["nfs", "lvm"] {
        let sr = pool.sr_of_type(kind);
        let fields = ["SR.get_physical_utilisation", "SR.get_virtual_allocation"];
        let before = fields.map(|field| pool.int(field, &sr));
        let vdi = pool.new_vdi(&sr, (5 << 30) + 1).unwrap();
        let (size, used) = (pool.int("VDI.get_virtual_size", &vdi), pool.int("VDI.get_physical_utilisation", &vdi));
        assert_eq!(size, (5 << 30) + (2 << 20), "sizes are whole blocks");
        assert_eq!(used == size, kind == "lvm", "only thick disks take all of it at once");
        assert_eq!(fields.map(|field| pool.int(field, &sr)), [before[0] + used, before[1] + size]);
        pool.ask("VDI.destroy", &[&vdi]).unwrap();
        assert_eq!(fields.map(|field| pool.int(field, &sr)), before);
    }
}

#[test]
fn repositories_run_full() {
    let mut pool = Pool::new();
    let sr = pool.sr_of_type("lvm");
    let free = pool.int("SR.get_physical_size", &sr) - pool.int("SR.get_physical_utilisation", &sr);
    let half = free / 2 / (4 << 20) * (4 << 20);
    let first = pool.new_vdi(&sr, half).unwrap();
    pool.new_vdi(&sr, half).unwrap();
    let left = free - 2 * half;
    let expected = failure("SR_FULL", &[&half.to_string(), &left.to_string()]);
    assert_eq!(pool.new_vdi(&sr, half).unwrap_err(), expected);
    assert_eq!(pool.ask("VDI.snapshot", &[&first]).unwrap_err(), expected);
    assert_eq!(pool.ask("VDI.copy", &[&first, &sr]).unwrap_err().code, "SR_FULL");
    let resize = pool.call("VDI.resize", &[first.as_str().into(), Value::Int(2 * half)]);
    assert_eq!(resize.unwrap_err().code, "SR_FULL");
    assert_eq!(pool.new_vdi(&sr, 4 << 40).unwrap_err().code, "SR_BACKEND_FAILURE_79");
}

#[test]
fn disks_grow_and_never_shrink() {
    let mut pool = Pool::new();
    let sr = pool.sr_of_type("nfs");
    let vdi = pool.new_vdi(&sr, 1 << 30).unwrap();
    let before = pool.int("SR.get_virtual_allocation", &sr);
    pool.call("VDI.resize", &[vdi.as_str().into(), Value::Int(3 << 30)]).unwrap();
    assert_eq!(pool.int("VDI.get_virtual_size", &vdi), 3 << 30);
    assert_eq!(pool.int("SR.get_virtual_allocation", &sr), before + (2 << 30));
    let smaller = pool.call("VDI.resize", &[vdi.as_str().into(), Value::Int(1 << 30)]).unwrap_err();
    assert_eq!(smaller.code, "SR_BACKEND_FAILURE_79");
    let attached = pool.some("VBD", "field \"currently_attached\" = \"true\" and field \"type\" = \"Disk\"")[0].clone();
    let used = pool.text("VBD.get_VDI", &[&attached]);
    let refused = pool.call("VDI.resize", &[used.as_str().into(), Value::Int(900 << 30)]).unwrap_err();
    assert_eq!(refused, failure("VDI_IN_USE", &[&used, "resize"]));
}

#[test]
fn check_57_what_is_in_use_stays() {
    let mut pool = Pool::new();
    let attached = pool.some("VBD", "field \"currently_attached\" = \"true\" and field \"type\" = \"Disk\"")[0].clone();
    let vdi = pool.text("VBD.get_VDI", &[&attached]);
    assert_eq!(pool.ask("VDI.destroy", &[&vdi]).unwrap_err(), failure("VDI_IN_USE", &[&vdi, "destroy"]));
    assert_eq!(pool.ask("VDI.forget", &[&vdi]).unwrap_err(), failure("VDI_IN_USE", &[&vdi, "forget"]));
    let sr = pool.new_sr("nfs", true).unwrap();
    assert_eq!(pool.ask("SR.destroy", &[&sr]).unwrap_err(), failure("SR_HAS_PBD", &[&sr]));
    assert_eq!(pool.ask("SR.forget", &[&sr]).unwrap_err(), failure("SR_HAS_PBD", &[&sr]));
    pool.new_vdi(&sr, 1 << 30).unwrap();
    pool.unplug_all(&sr);
    assert_eq!(pool.ask("SR.destroy", &[&sr]).unwrap_err(), failure("SR_NOT_EMPTY", &[]));
    let pbds = pool.refs("SR.get_PBDs", &[&sr]);
    for pbd in &pbds {
        pool.ask("PBD.destroy", &[pbd]).unwrap();
    }
    assert_eq!(pool.ask("SR.destroy", &[&sr]).unwrap_err(), failure("SR_HAS_NO_PBDS", &[&sr]));
    let tools = pool.some("SR", "field \"is_tools_sr\" = \"true\"")[0].clone();
    let image = pool.refs("SR.get_VDIs", &[&tools])[0].clone();
    assert_eq!(pool.ask("VDI.destroy", &[&image]).unwrap_err(), failure("SR_OPERATION_NOT_SUPPORTED", &[&tools]));
}

#[test]
fn a_repository_is_created_with_its_connections_and_destroyed_with_them() {
    let mut pool = Pool::new();
    let hosts = pool.refs("host.get_all", &[]).len();
    let sr = pool.new_sr("nfs", true).unwrap();
    let pbds = pool.refs("SR.get_PBDs", &[&sr]);
    assert_eq!(pbds.len(), hosts);
    for pbd in &pbds {
        assert!(pool.flag("PBD.get_currently_attached", &[pbd]));
        let config = pool.ask("PBD.get_device_config", &[pbd]).unwrap();
        let config = config.as_struct().unwrap();
        assert!(config.get("password").is_none());
        let secret = config.get("password_secret").unwrap().as_text().unwrap();
        let secret = pool.text("secret.get_by_uuid", &[secret]);
        assert_eq!(pool.text("secret.get_value", &[&secret]), "hidden");
    }
    let secrets = pool.refs("secret.get_all", &[]).len();
    pool.unplug_all(&sr);
    pool.ask("SR.destroy", &[&sr]).unwrap();
    assert!(pool.ask("SR.get_uuid", &[&sr]).is_err());
    assert!(pbds.iter().all(|pbd| pool.ask("PBD.get_uuid", &[pbd]).is_err()));
    assert_eq!(pool.refs("secret.get_all", &[]).len(), secrets - hosts);
    assert_eq!(pool.new_sr("nowhere", true).unwrap_err(), failure("SR_UNKNOWN_DRIVER", &["nowhere"]));
    let local = pool.new_sr("lvm", false).unwrap();
    assert_eq!(pool.refs("SR.get_PBDs", &[&local]).len(), 1);
    check_consistent(&pool.sim);
    check_types(&pool.sim);
}

#[test]
fn what_an_iscsi_target_lacks_is_told_step_by_step() {
    let mut pool = Pool::new();
    let host = pool.refs("host.get_all", &[])[0].clone();
    let mut config = Struct::new();
    let steps = [("target", "95", ""), ("targetIQN", "96", "<iscsi-target-iqns>"), ("SCSIid", "107", "<SCSIid>")];
    for (key, number, list) in steps {
        let params = [host.as_str().into(), Value::Struct(config.clone()), "lvmoiscsi".into(), Value::empty_struct()];
        let refused = pool.call("SR.probe", &params).unwrap_err();
        assert_eq!(refused.code, alloc::format!("SR_BACKEND_FAILURE_{number}"));
        assert!(refused.param(2).contains(list), "{refused:?}");
        config.push(key, "x");
    }
    let params = [host.as_str().into(), Value::Struct(config), "lvmoiscsi".into(), Value::empty_struct()];
    let found = pool.call("SR.probe", &params).unwrap();
    assert!(found.as_text().unwrap().contains("<SRlist></SRlist>"));
}

#[test]
fn a_forgotten_repository_comes_back_with_its_disks() {
    let mut pool = Pool::new();
    let sr = pool.new_sr("nfs", true).unwrap();
    let vdi = pool.new_vdi(&sr, 7 << 30).unwrap();
    let (uuid, disk) = (pool.text("SR.get_uuid", &[&sr]), pool.text("VDI.get_uuid", &[&vdi]));
    let used = pool.int("SR.get_physical_utilisation", &sr);
    pool.unplug_all(&sr);
    pool.ask("SR.forget", &[&sr]).unwrap();
    assert!(pool.ask("VDI.get_uuid", &[&vdi]).is_err());
    let introduce = |pool: &mut Pool, uuid: &str| {
        let texts = [uuid, "again", "", "NFS", "user"].map(Value::from);
        let params: Vec<Value> = texts.into_iter().chain([true.into(), Value::empty_struct()]).collect();
        pool.call("SR.introduce", &params)
    };
    let again: String = introduce(&mut pool, &uuid).unwrap().as_text().unwrap().into();
    assert_eq!(introduce(&mut pool, &uuid).unwrap_err(), failure("SR_UUID_EXISTS", &[&uuid]));
    assert_eq!((pool.text("SR.get_type", &[&again]), pool.int("SR.get_physical_size", &again)), ("nfs".into(), -1));
    assert!(pool.refs("SR.get_PBDs", &[&again]).is_empty());
    assert_eq!(pool.ask("SR.scan", &[&again]).unwrap_err(), failure("SR_HAS_NO_PBDS", &[&again]));
    let host = pool.refs("host.get_all", &[])[0].clone();
    let record: Struct =
        [("host", host.as_str().into()), ("SR", again.as_str().into()), ("device_config", Value::empty_struct())]
            .into_iter()
            .collect();
    let pbd: String = pool.call("PBD.create", &[Value::Struct(record)]).unwrap().as_text().unwrap().into();
    pool.ask("PBD.plug", &[&pbd]).unwrap();
    assert_eq!(pool.int("SR.get_physical_size", &again), 1 << 40);
    assert_eq!(pool.int("SR.get_physical_utilisation", &again), used);
    assert_eq!(pool.int("SR.get_virtual_allocation", &again), 7 << 30);
    let found = pool.text("VDI.get_by_uuid", &[&disk]);
    assert_eq!(pool.text("VDI.get_SR", &[&found]), again);
    check_consistent(&pool.sim);
}

#[test]
fn a_forgotten_disk_is_found_by_a_scan_or_introduced() {
    let mut pool = Pool::new();
    let sr = pool.sr_of_type("nfs");
    let vdi = pool.new_vdi(&sr, 1 << 30).unwrap();
    let (uuid, location) = (pool.text("VDI.get_uuid", &[&vdi]), pool.text("VDI.get_location", &[&vdi]));
    let used = pool.int("SR.get_physical_utilisation", &sr);
    pool.ask("VDI.forget", &[&vdi]).unwrap();
    assert_eq!(pool.int("SR.get_physical_utilisation", &sr), used, "its data are still there");
    let introduce = |pool: &mut Pool, uuid: &str, location: &str| {
        let params = [
            uuid.into(),
            "back".into(),
            "".into(),
            sr.as_str().into(),
            "user".into(),
            false.into(),
            false.into(),
            Value::empty_struct(),
            location.into(),
        ];
        pool.call("VDI.introduce", &params)
    };
    assert_eq!(introduce(&mut pool, "x", &location).unwrap_err(), failure("UUID_INVALID", &["VDI", "x"]));
    let nowhere = introduce(&mut pool, &uuid, "nowhere").unwrap_err();
    assert_eq!(nowhere, failure("VDI_LOCATION_MISSING", &[&sr, "nowhere"]));
    let back: String = introduce(&mut pool, &uuid, &location).unwrap().as_text().unwrap().into();
    assert_eq!(pool.text("VDI.get_name_label", &[&back]), "back");
    let twice = introduce(&mut pool, &uuid, &location).unwrap_err();
    assert_eq!(twice, failure("LOCATION_NOT_UNIQUE", &[&sr, &location]));
    pool.ask("VDI.forget", &[&back]).unwrap();
    pool.ask("SR.scan", &[&sr]).unwrap();
    assert_eq!(pool.int("VDI.get_virtual_size", &pool_by_uuid(&pool, &uuid)), 1 << 30);
    assert_eq!(pool.int("SR.get_physical_utilisation", &sr), used);
    check_consistent(&pool.sim);
}

fn pool_by_uuid(pool: &Pool, uuid: &str) -> String {
    pool.sim.by_uuid(pool.sim.store.table("VDI").class, uuid).unwrap().as_str().into()
}

#[test]
fn snapshots_clones_and_copies_of_disks() {
    let mut pool = Pool::new();
    let (nfs, lvm) = (pool.sr_of_type("nfs"), pool.sr_of_type("lvm"));
    let vdi = pool.new_vdi(&nfs, 2 << 30).unwrap();
    let snapshot = pool.text("VDI.snapshot", &[&vdi]);
    assert!(pool.flag("VDI.get_is_a_snapshot", &[&snapshot]));
    assert_eq!(pool.text("VDI.get_snapshot_of", &[&snapshot]), vdi);
    assert_eq!(pool.refs("VDI.get_snapshots", &[&vdi]), [snapshot.as_str()]);
    let clone = pool.text("VDI.clone", &[&snapshot]);
    assert!(!pool.flag("VDI.get_is_a_snapshot", &[&clone]));
    assert_eq!(pool.text("VDI.get_snapshot_of", &[&clone]), NULL);
    let before = pool.int("SR.get_physical_utilisation", &lvm);
    let copy = pool.text("VDI.copy", &[&vdi, &lvm]);
    assert_eq!(pool.text("VDI.get_SR", &[&copy]), lvm);
    assert_eq!(pool.int("SR.get_physical_utilisation", &lvm), before + (2 << 30), "thick where the driver is");
    let small = pool.new_vdi(&nfs, 1 << 30).unwrap();
    let refused = pool.ask("VDI.copy", &[&vdi, NULL, NULL, &small]).unwrap_err();
    assert_eq!(refused, failure("VDI_TOO_SMALL", &[&small, &(2_i64 << 30).to_string()]));
    assert_eq!(pool.text("VDI.copy", &[&vdi, NULL, NULL, &copy]), copy);
    let revert = pool.ask("VDI.revert", &[&vdi]).unwrap_err();
    assert_eq!(revert.code, "OPERATION_NOT_ALLOWED");
    pool.call("VDI.resize", &[vdi.as_str().into(), Value::Int(4 << 30)]).unwrap();
    pool.ask("VDI.revert", &[&snapshot]).unwrap();
    assert_eq!(pool.int("VDI.get_virtual_size", &vdi), 2 << 30);
    check_consistent(&pool.sim);
}

#[test]
fn a_copy_takes_its_time_and_blocks_what_would_change_the_disk() {
    let mut pool = Pool::new();
    let sr = pool.sr_of_type("lvm");
    let vdi = pool.new_vdi(&sr, 2 << 30).unwrap();
    let task = pool.text("Async.VDI.copy", &[&vdi, &sr]);
    pool.pass(3000);
    let progress = pool.ask("task.get_progress", &[&task]).unwrap();
    assert!(matches!(progress, Value::Double(part) if part > 0.1 && part < 0.9), "{progress:?}");
    let current = pool.ask("VDI.get_current_operations", &[&vdi]).unwrap();
    assert_eq!(current.as_struct().unwrap().get(&task), Some(&"copy".into()));
    let allowed = pool.ask("VDI.get_allowed_operations", &[&vdi]).unwrap();
    assert!(!allowed.as_array().unwrap().contains(&"destroy".into()));
    assert!(allowed.as_array().unwrap().contains(&"copy".into()));
    // An operation that may wait does.
    let other = pool.text("Async.VDI.snapshot", &[&vdi]);
    assert_eq!(pool.text("task.get_status", &[&other]), "pending");
    pool.pass(60_000);
    assert_eq!(pool.text("task.get_status", &[&task]), "success");
    assert_eq!(pool.text("task.get_status", &[&other]), "success");
    let allowed = pool.ask("VDI.get_allowed_operations", &[&vdi]).unwrap();
    assert!(allowed.as_array().unwrap().contains(&"destroy".into()));
}

#[test]
fn a_disk_of_a_vm_moves_to_another_repository() {
    let mut pool = Pool::new();
    let target = pool.new_sr("nfs", true).unwrap();
    let vbd = pool.some("VBD", "field \"currently_attached\" = \"true\" and field \"type\" = \"Disk\"")[0].clone();
    let vdi = pool.text("VBD.get_VDI", &[&vbd]);
    let (source, used) = (pool.text("VDI.get_SR", &[&vdi]), pool.int("VDI.get_physical_utilisation", &vdi));
    let before = pool.int("SR.get_physical_utilisation", &source);
    let params = [vdi.as_str().into(), target.as_str().into(), Value::empty_struct()];
    let new: String = pool.call("VDI.pool_migrate", &params).unwrap().as_text().unwrap().into();
    assert_eq!(pool.text("VBD.get_VDI", &[&vbd]), new);
    assert_eq!(pool.text("VDI.get_SR", &[&new]), target);
    assert!(pool.ask("VDI.get_uuid", &[&vdi]).is_err());
    assert_eq!(pool.int("SR.get_physical_utilisation", &source), before - used);
    let alone = pool.new_vdi(&target, 1 << 30).unwrap();
    let refused = pool.call("VDI.pool_migrate", &[alone.as_str().into(), source.as_str().into(), Value::empty_struct()]);
    assert_eq!(refused.unwrap_err(), failure("VDI_NEEDS_VM_FOR_MIGRATE", &[&alone]));
    check_consistent(&pool.sim);
}

#[test]
fn changed_blocks_are_tracked_where_the_driver_can() {
    let mut pool = Pool::new();
    let sr = pool.sr_of_type("nfs");
    let vdi = pool.new_vdi(&sr, 1 << 30).unwrap();
    pool.ask("VDI.enable_cbt", &[&vdi]).unwrap();
    let snapshot = pool.text("VDI.snapshot", &[&vdi]);
    assert!(pool.flag("VDI.get_cbt_enabled", &[&snapshot]));
    assert_eq!(pool.ask("VDI.enable_cbt", &[&snapshot]).unwrap_err().code, "OPERATION_NOT_ALLOWED");
    assert_eq!(pool.ask("VDI.data_destroy", &[&vdi]).unwrap_err().code, "OPERATION_NOT_ALLOWED");
    pool.ask("VDI.data_destroy", &[&snapshot]).unwrap();
    assert_eq!(pool.text("VDI.get_type", &[&snapshot]), "cbt_metadata");
    assert_eq!(pool.int("VDI.get_physical_utilisation", &snapshot), 0);
    pool.ask("VDI.disable_cbt", &[&vdi]).unwrap();
    let plain = pool.text("VDI.snapshot", &[&vdi]);
    assert_eq!(pool.ask("VDI.data_destroy", &[&plain]).unwrap_err(), failure("VDI_NO_CBT_METADATA", &[&plain]));
    let unknown = pool.ask("VDI.list_changed_blocks", &[&vdi, &vdi]).unwrap_err();
    assert_eq!(unknown, failure("NOT_IMPLEMENTED", &["VDI.list_changed_blocks"]));
}

#[test]
fn check_58_connections() {
    let mut pool = Pool::new();
    let sr = pool.sr_of_type("nfs");
    let pbd = pool.refs("SR.get_PBDs", &[&sr])[0].clone();
    let host = pool.text("PBD.get_host", &[&pbd]);
    let record = |config: Struct| -> Value {
        let members = [("host", host.as_str().into()), ("SR", sr.as_str().into()), ("device_config", Value::Struct(config))];
        Value::Struct(members.into_iter().collect())
    };
    let twice = pool.call("PBD.create", &[record(Struct::new())]).unwrap_err();
    assert_eq!(twice, failure("PBD_EXISTS", &[&sr, &host, &pbd]));
    assert_eq!(pool.ask("PBD.plug", &[&pbd]), Ok(Value::VOID));
    assert_eq!(pool.ask("PBD.plug", &[&pbd]), Ok(Value::VOID));
    let attached = failure("OPERATION_NOT_ALLOWED", &["PBD is currently attached"]);
    assert_eq!(pool.ask("PBD.destroy", &[&pbd]).unwrap_err(), attached);
    let busy = pool.ask("PBD.unplug", &[&pbd]).unwrap_err();
    assert_eq!(busy.code, "VDI_IN_USE");
    let disks = pool.refs("SR.get_VDIs", &[&sr]);
    assert!(!busy.params.is_empty() && busy.params.iter().all(|vdi| disks.contains(vdi)));
    let master: Struct = [("SRmaster", Value::from("true"))].into_iter().collect();
    let config = pool.call("PBD.set_device_config", &[pbd.as_str().into(), Value::Struct(master)]).unwrap_err();
    assert_eq!(config.code, "VALUE_NOT_SUPPORTED");
    // Local storage has room for one host.
    let local = pool.sr_of_type("lvm");
    let own = pool.refs("SR.get_PBDs", &[&local])[0].clone();
    let own = pool.text("PBD.get_host", &[&own]);
    let other = pool.refs("host.get_all", &[]).into_iter().find(|host| *host != own).unwrap();
    let members = [("host", other.as_str().into()), ("SR", local.as_str().into()), ("device_config", Value::empty_struct())];
    let record: Struct = members.into_iter().collect();
    let second: String = pool.call("PBD.create", &[Value::Struct(record)]).unwrap().as_text().unwrap().into();
    assert_eq!(pool.ask("PBD.plug", &[&second]).unwrap_err(), failure("SR_NOT_SHARABLE", &[&local, &other]));
    let shared = pool.call("SR.set_shared", &[local.as_str().into(), false.into()]).unwrap_err();
    assert_eq!(shared.code, "SR_HAS_MULTIPLE_PBDS");
}

#[test]
fn storage_that_dies_takes_its_connections_with_it() {
    let mut pool = Pool::new();
    let sr = pool.sr_of_type("nfs");
    let disks = pool.refs("SR.get_VDIs", &[&sr]);
    let (messages, hosts) = (pool.refs("message.get_all", &[]).len(), pool.refs("host.get_all", &[]).len());
    assert_eq!(pool.sim.storage_fails("nowhere").unwrap_err(), failure("HANDLE_INVALID", &["SR", "nowhere"]));
    pool.sim.storage_fails(&sr).unwrap();
    pool.sim.storage_fails(&sr).unwrap();
    assert_eq!(pool.refs("message.get_all", &[]).len(), messages + hosts, "one for each host, once");
    let pbds = pool.refs("SR.get_PBDs", &[&sr]);
    assert!(pbds.iter().all(|pbd| !pool.flag("PBD.get_currently_attached", &[pbd])));
    let vbds: Vec<String> = disks.iter().flat_map(|vdi| pool.refs("VDI.get_VBDs", &[vdi])).collect();
    let attached: Vec<&String> = vbds.iter().filter(|vbd| pool.flag("VBD.get_currently_attached", &[vbd])).collect();
    assert!(!attached.is_empty());
    for vbd in &attached {
        assert_eq!(pool.int("VBD.get_status_code", vbd), 5);
        assert!(!pool.text("VBD.get_status_detail", &[vbd]).is_empty());
    }
    assert_eq!(pool.ask("PBD.plug", &[&pbds[0]]).unwrap_err().code, "SR_BACKEND_FAILURE_73");
    assert_eq!(pool.new_vdi(&sr, 1 << 30).unwrap_err(), failure("SR_HAS_NO_PBDS", &[&sr]));
    pool.sim.storage_recovers(&sr).unwrap();
    assert!(pbds.iter().all(|pbd| pool.flag("PBD.get_currently_attached", &[pbd])));
    pool.new_vdi(&sr, 1 << 30).unwrap();
    assert_eq!(pool.int("VBD.get_status_code", attached[0]), 0);
    check_consistent(&pool.sim);
}

#[test]
fn the_database_is_copied_to_shared_storage() {
    let mut pool = Pool::new();
    let (shared, local) = (pool.new_sr("nfs", true).unwrap(), pool.sr_of_type("lvm"));
    let single = failure("HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED", &[&local]);
    assert_eq!(pool.ask("SR.assert_supports_database_replication", &[&local]).unwrap_err(), single);
    assert_eq!(pool.ask("SR.assert_can_host_ha_statefile", &[&local]).unwrap_err(), single);
    pool.ask("SR.assert_supports_database_replication", &[&shared]).unwrap();
    pool.ask("SR.assert_can_host_ha_statefile", &[&shared]).unwrap();
    pool.ask("SR.enable_database_replication", &[&shared]).unwrap();
    pool.ask("SR.enable_database_replication", &[&shared]).unwrap();
    let copies = pool.refs("VDI.get_all_where", &["field \"type\" = \"metadata\""]);
    assert_eq!(copies.len(), 1);
    let of_pool = pool.refs("pool.get_all", &[])[0].clone();
    let uuid = pool.text("pool.get_uuid", &[&of_pool]);
    assert_eq!(pool.text("VDI.read_database_pool_uuid", &[&copies[0]]), uuid);
    assert_eq!(pool.refs("pool.get_metadata_VDIs", &[&of_pool]), [copies[0].as_str()]);
    pool.ask("SR.disable_database_replication", &[&shared]).unwrap();
    assert!(pool.ask("VDI.get_uuid", &[&copies[0]]).is_err());
    let plain = pool.new_vdi(&shared, 1 << 30).unwrap();
    assert_eq!(pool.text("VDI.read_database_pool_uuid", &[&plain]), "");
    check_consistent(&pool.sim);
}

#[test]
fn disks_that_forget_at_every_start() {
    let mut pool = Pool::new();
    let (nfs, lvm) = (pool.sr_of_type("nfs"), pool.sr_of_type("lvm"));
    let (vdi, thick) = (pool.new_vdi(&nfs, 1 << 30).unwrap(), pool.new_vdi(&lvm, 1 << 30).unwrap());
    let refused = pool.ask("VDI.set_on_boot", &[&thick, "reset"]).unwrap_err();
    assert_eq!(refused, failure("SR_OPERATION_NOT_SUPPORTED", &[&lvm]));
    pool.ask("VDI.set_on_boot", &[&vdi, "reset"]).unwrap();
    let mode = failure("VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION", &[]);
    assert_eq!(pool.ask("VDI.snapshot", &[&vdi]).unwrap_err(), mode);
    assert_eq!(pool.ask("VDI.enable_cbt", &[&vdi]).unwrap_err(), mode);
    let allowed = pool.ask("VDI.get_allowed_operations", &[&vdi]).unwrap();
    assert!(!allowed.as_array().unwrap().contains(&"snapshot".into()));
    pool.ask("VDI.update", &[&vdi]).unwrap();
    pool.ask("SR.update", &[&nfs]).unwrap();
    let online = pool.call("VDI.resize_online", &[thick.as_str().into(), Value::Int(2 << 30)]).unwrap_err();
    assert_eq!(online, failure("SR_OPERATION_NOT_SUPPORTED", &[&lvm]));
    pool.call("VDI.resize_online", &[vdi.as_str().into(), Value::Int(2 << 30)]).unwrap();
    assert_eq!(pool.int("VDI.get_virtual_size", &vdi), 2 << 30);
}

#[test]
fn a_default_repository_that_goes_is_no_default_any_more() {
    let mut pool = Pool::new();
    let sr = pool.new_sr("nfs", true).unwrap();
    let of_pool = pool.refs("pool.get_all", &[])[0].clone();
    pool.ask("pool.set_default_SR", &[&of_pool, &sr]).unwrap();
    pool.sim.store.put_key("SR", &sr, "other_config", "indestructible", "true");
    pool.unplug_all(&sr);
    assert_eq!(pool.ask("SR.destroy", &[&sr]).unwrap_err(), failure("SR_INDESTRUCTIBLE", &[&sr]));
    pool.ask("SR.forget", &[&sr]).unwrap();
    assert_eq!(pool.text("pool.get_default_SR", &[&of_pool]), NULL);
    check_consistent(&pool.sim);
}

#[test]
fn a_probe_finds_what_is_there() {
    let mut pool = Pool::new();
    let sr = pool.new_sr("nfs", true).unwrap();
    let (uuid, host) = (pool.text("SR.get_uuid", &[&sr]), pool.refs("host.get_all", &[])[0].clone());
    let probe = |pool: &mut Pool, method: &str, keys: &[(&'static str, &'static str)]| {
        let config: Struct = keys.iter().map(|(key, value)| (*key, Value::from(*value))).collect();
        pool.call(method, &[host.as_str().into(), Value::Struct(config), "nfs".into(), Value::empty_struct()])
    };
    let unknown = probe(&mut pool, "SR.probe", &[("server", "198.51.100.5")]).unwrap_err();
    assert_eq!(unknown.code, "SR_BACKEND_FAILURE_101");
    assert!(unknown.param(2).contains("<Path>/export/vm1</Path>"), "{unknown:?}");
    let keys = [("server", "192.0.2.9"), ("serverpath", "/export/new"), ("device", "/dev/sdz")];
    let text = probe(&mut pool, "SR.probe", &keys).unwrap();
    assert!(text.as_text().unwrap().contains(&uuid));
    let records = probe(&mut pool, "SR.probe_ext", &keys).unwrap();
    let first = records.as_array().unwrap()[0].as_struct().unwrap();
    assert_eq!(first.get("complete"), Some(&true.into()));
    let stat = first.get("sr").unwrap().as_struct().unwrap();
    assert_eq!(stat.get("uuid"), Some(&uuid.as_str().into()));
    assert_eq!(stat.get("total_space"), Some(&Value::Int(1 << 40)));
}
