#![allow(clippy::unwrap_used)]

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use xenapi_core::{RawRef, Value};

use crate::handlers::{Answer, Method, Piece, Reply, Request};
use crate::{Config, Origin, Sim};

fn request(method: Method, target: &str) -> Request {
    let mut request = Request::new(method, target);
    request.origin = Origin::UnixSocket;
    request
}

fn get(sim: &mut Sim, target: &str) -> Result<Vec<u8>, Reply> {
    let now = sim.now;
    match sim.http(&request(Method::Get, target), now) {
        Answer::Download(head, mut exchange) => {
            assert!(head.headers.iter().any(|(name, _)| name == "task-id"), "{head:?}");
            let mut all = Vec::new();
            while let Piece::Bytes(bytes) = exchange.next(sim, now) {
                all.extend(bytes);
            }
            Ok(all)
        }
        Answer::Reply(reply) => Err(reply),
        other => panic!("{other:?}"),
    }
}

/// Uploads; what became of the task.
fn put(sim: &mut Sim, target: &str, body: &[u8]) -> (RawRef, u16) {
    let now = sim.now;
    let (head, mut exchange) = match sim.http(&request(Method::Put, target), now) {
        Answer::Upload(head, exchange) => (head, exchange),
        Answer::Reply(reply) => return (RawRef::null(), reply.status()),
        other => panic!("{other:?}"),
    };
    let task = head.and_then(|head| head.headers.into_iter().find(|(name, _)| name == "task-id"));
    let task = task.map_or_else(|| sim.store.all("task").pop().unwrap(), |(_, task)| RawRef::from(task.as_str()));
    for piece in body.chunks(100_000) {
        if let Err(reply) = exchange.take(sim, piece, now) {
            return (task, reply.status());
        }
    }
    let reply = exchange.finish(sim, true, now);
    (task, reply.status())
}

fn vm_in(sim: &Sim, power: &str) -> RawRef {
    let fits = |vm: &RawRef| {
        let is = |field: &str| sim.store.flag("VM", vm.as_str(), field);
        sim.store.text("VM", vm.as_str(), "power_state") == power && !is("is_a_template") && !is("is_control_domain")
    };
    sim.store.all("VM").into_iter().find(fits).unwrap()
}

fn error_of(sim: &Sim, task: &RawRef) -> String {
    let info = sim.store.value("task", task.as_str(), "error_info").and_then(Value::as_array).unwrap();
    info.first().and_then(Value::as_text).unwrap_or_default().to_string()
}

fn disks(sim: &Sim, vm: &RawRef) -> BTreeMap<String, RawRef> {
    let vbds = sim.store.refs("VM", vm.as_str(), "VBDs").into_iter();
    let disks = vbds.filter(|vbd| sim.store.text("VBD", vbd.as_str(), "type") == "Disk");
    disks
        .map(|vbd| {
            (sim.store.text("VBD", vbd.as_str(), "userdevice").into(), sim.store.reference("VBD", vbd.as_str(), "VDI"))
        })
        .collect()
}

#[test]
fn what_was_exported_is_imported_as_a_new_vm() {
    let mut sim = Sim::new(&Config::default());
    let vm = vm_in(&sim, "Halted");
    let uuid = sim.store.text("VM", vm.as_str(), "uuid").to_string();
    let archive = get(&mut sim, &format!("/export?uuid={uuid}")).unwrap();
    assert_eq!(get(&mut sim, &format!("/export?uuid={uuid}")).unwrap(), archive);
    let (task, status) = put(&mut sim, "/import", &archive);
    assert_eq!((status, sim.store.text("task", task.as_str(), "status")), (200, "success"));
    let result = sim.store.text("task", task.as_str(), "result").to_string();
    let new = sim.store.all("VM").pop().unwrap();
    assert!(new != vm && result.contains(new.as_str()), "{result}");
    for field in ["name_label", "name_description", "VCPUs_max", "memory_static_max", "tags", "platform", "HVM_boot_params"]
    {
        assert_eq!(sim.store.value("VM", vm.as_str(), field), sim.store.value("VM", new.as_str(), field), "{field}");
    }
    assert_ne!(sim.store.text("VM", new.as_str(), "uuid"), uuid);
    let (old_disks, new_disks) = (disks(&sim, &vm), disks(&sim, &new));
    assert!(!old_disks.is_empty() && old_disks.keys().eq(new_disks.keys()));
    for (slot, old) in &old_disks {
        let new = &new_disks[slot];
        assert!(old != new && sim.size_of(old) == sim.size_of(new));
        assert_eq!(sim.chunks_of(old), sim.chunks_of(new));
        assert!(sim.chunks_of(old).into_iter().all(|at| sim.read_chunk(old, at) == sim.read_chunk(new, at)));
    }
    let nics = |vm: &RawRef| sim.store.refs("VM", vm.as_str(), "VIFs");
    let networks = |vm: &RawRef| -> Vec<RawRef> {
        nics(vm).iter().map(|vif| sim.store.reference("VIF", vif.as_str(), "network")).collect()
    };
    assert_eq!(networks(&vm), networks(&new));
    let mac = |vm: &RawRef| sim.store.text("VIF", nics(vm)[0].as_str(), "MAC").to_string();
    assert_ne!(mac(&vm), mac(&new));
    // With all that it was, it is there already.
    let (task, _) = put(&mut sim, "/import?restore=true", &archive);
    assert_eq!(error_of(&sim, &task), "DUPLICATE_VM");
}

#[cfg(feature = "bundles")]
#[test]
fn archives_may_be_compressed() {
    let mut sim = Sim::new(&Config::default());
    let vm = vm_in(&sim, "Halted");
    let plain = get(&mut sim, &format!("/export?ref={}", vm.as_str())).unwrap();
    let packed = get(&mut sim, &format!("/export?ref={}&use_compression=true", vm.as_str())).unwrap();
    assert!(packed.starts_with(&[0x1f, 0x8b]) && packed.len() * 10 < plain.len());
    let before = sim.store.count("VM");
    let (task, _) = put(&mut sim, "/import", &packed);
    assert_eq!((sim.store.text("task", task.as_str(), "status"), sim.store.count("VM")), ("success", before + 1));
    for body in [&packed[..packed.len() / 2], &packed[..1], b"\x1f\x8bgarbage, and more of it", b"\x28\xb5\x2f\xfd"] {
        let (task, _) = put(&mut sim, "/import", body);
        assert!(error_of(&sim, &task).starts_with("IMPORT_ERROR"));
    }
    assert_eq!(sim.store.count("VM"), before + 1);
}

#[test]
fn a_vm_is_held_while_it_goes_out() {
    let mut sim = Sim::new(&Config::default());
    let (vm, now) = (vm_in(&sim, "Halted"), sim.now);
    let operations =
        |sim: &Sim| sim.store.value("VM", vm.as_str(), "current_operations").and_then(Value::as_struct).unwrap().len();
    let start = |sim: &mut Sim| match sim.http(&request(Method::Get, &format!("/export?ref={}", vm.as_str())), now) {
        Answer::Download(_, exchange) => exchange,
        other => panic!("{other:?}"),
    };
    let (mut first, mut second) = (start(&mut sim), start(&mut sim));
    assert_eq!(operations(&sim), 2, "exports may overlap");
    assert_eq!(crate::operations::rules::check(&sim, &vm, "start").unwrap_err().code, "OTHER_OPERATION_IN_PROGRESS");
    while let Piece::Bytes(_) = first.next(&mut sim, now) {}
    assert_eq!(operations(&sim), 1);
    second.next(&mut sim, now);
    second.abandon(&mut sim, now);
    assert_eq!(operations(&sim), 0);
    crate::operations::rules::check(&sim, &vm, "start").unwrap();
}

#[test]
fn an_import_that_fails_leaves_nothing() {
    let mut sim = Sim::new(&Config::default());
    let vm = vm_in(&sim, "Halted");
    let archive = get(&mut sim, &format!("/export?ref={}", vm.as_str())).unwrap();
    let counts = |sim: &Sim| ["VM", "VDI", "VBD", "VIF", "VM_metrics", "VBD_metrics"].map(|class| sim.store.count(class));
    let before = counts(&sim);
    let mut damaged = archive.clone();
    let last = damaged.len() - 600_000;
    damaged[last] ^= 1;
    let mut renamed = archive.clone();
    renamed[..7].copy_from_slice(b"ova.xmm");
    for (body, code) in [
        (&archive[..archive.len() - 2000], "IMPORT_ERROR_PREMATURE_EOF"),
        (&archive[..100], "IMPORT_ERROR_PREMATURE_EOF"),
        (&damaged, "IMPORT_ERROR_SOME_CHECKSUMS_FAILED"),
        (&renamed, "IMPORT_ERROR"),
        (b"garbage".repeat(100).as_slice(), "IMPORT_ERROR"),
    ] {
        let (task, _) = put(&mut sim, "/import", body);
        assert_eq!(error_of(&sim, &task), code);
        assert_eq!(counts(&sim), before, "{code}");
    }
    let running = vm_in(&sim, "Running");
    assert_eq!(get(&mut sim, &format!("/export?ref={}", running.as_str())).unwrap_err().status(), 500);
    assert_eq!(get(&mut sim, "/export").unwrap_err().status(), 400);
    assert_eq!(put(&mut sim, "/import?sr_uuid=x", b"").1, 500);
}

#[test]
fn metadata_find_their_disks() {
    let mut sim = Sim::new(&Config::default());
    let vm = vm_in(&sim, "Halted");
    let archive = get(&mut sim, &format!("/export_metadata?ref={}", vm.as_str())).unwrap();
    let before = sim.store.count("VM");
    let (task, _) = put(&mut sim, "/import_metadata?dry_run=true", &archive);
    assert_eq!(sim.store.text("task", task.as_str(), "status"), "success");
    assert_eq!(sim.store.count("VM"), before);
    put(&mut sim, "/import_metadata", &archive);
    let new = sim.store.all("VM").pop().unwrap();
    assert_eq!(disks(&sim, &new), disks(&sim, &vm));
    assert!(get(&mut sim, "/export_metadata?all=true").unwrap().len() > archive.len() * 3);
}

#[test]
fn a_disk_has_the_bytes_that_were_written() {
    let mut sim = Sim::new(&Config::default());
    let vm = vm_in(&sim, "Halted");
    let vdi = disks(&sim, &vm).into_values().next().unwrap();
    sim.store.put("VDI", vdi.as_str(), "virtual_size", 3_000_000);
    let target = format!("/export_raw_vdi?vdi={}", vdi.as_str());
    assert_eq!(get(&mut sim, &target).unwrap().len(), 3_000_000);
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|at| u8::try_from(at / 7 % 251).unwrap()).collect();
    let into = format!("/import_raw_vdi?vdi={}", vdi.as_str());
    assert_eq!(put(&mut sim, &into, &bytes).1, 200);
    assert!(get(&mut sim, &target).unwrap() == bytes);
    assert_eq!(put(&mut sim, &into, &[0; 3_000_001]).1, 500);
    for (target, status) in
        [("/export_raw_vdi", 400), ("/export_raw_vdi?vdi=x", 404), ("/export_raw_vdi?format=vhd&vdi=", 400)]
    {
        assert_eq!(get(&mut sim, target).unwrap_err().status(), status, "{target}");
    }
}
