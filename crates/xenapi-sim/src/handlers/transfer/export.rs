//! `GET /export` and `/export_metadata`: VMs with all that belongs to them, and the content of their disks.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use sha1::{Digest as _, Sha1};
use xenapi_codec::xmlrpc::write_value_text;
use xenapi_core::{NULL, RawRef, Struct, Value};

use super::{archive, gzip, refuse};
use crate::Sim;
use crate::handlers::{Download, Head, Piece, Reply, Request, Served, Visit};
use crate::operations::rules;

/// The objects of an export, whose places are their names in it.
#[derive(Default)]
struct Objects(Vec<(&'static str, RawRef)>);

impl Objects {
    fn add(&mut self, sim: &Sim, class: &'static str, reference: &RawRef) {
        if sim.store.contains(class, reference.as_str()) && !self.0.iter().any(|(_, other)| other == reference) {
            self.0.push((class, reference.clone()));
        }
    }

    fn id(&self, reference: &str) -> Option<String> {
        self.0.iter().position(|(_, other)| other.as_str() == reference).map(|at| format!("Ref:{at}"))
    }

    fn vm(&mut self, sim: &Sim, vm: &RawRef) {
        let of = vm.as_str();
        self.add(sim, "VM", vm);
        self.add(sim, "VM_guest_metrics", &sim.store.reference("VM", of, "guest_metrics"));
        self.add(sim, "VM_metrics", &sim.store.reference("VM", of, "metrics"));
        for vbd in sim.store.refs("VM", of, "VBDs") {
            self.add(sim, "VBD", &vbd);
            let vdi = sim.store.reference("VBD", vbd.as_str(), "VDI");
            self.add(sim, "VDI", &vdi);
            self.add(sim, "SR", &sim.store.reference("VDI", vdi.as_str(), "SR"));
        }
        for vif in sim.store.refs("VM", of, "VIFs") {
            self.add(sim, "VIF", &vif);
            self.add(sim, "network", &sim.store.reference("VIF", vif.as_str(), "network"));
        }
        self.add(sim, "host", &sim.store.reference("VM", of, "affinity"));
    }

    /// A value with the names of the export in the place of references; what is not part of it becomes null.
    fn translate(&self, value: &Value) -> Value {
        match value {
            Value::Text(text) if text.starts_with("OpaqueRef:") => {
                self.id(text).map_or_else(|| Value::from(NULL), Value::from)
            }
            Value::Array(items) => {
                let kept = items.iter().filter(|item| match item.as_text() {
                    Some(text) if text.starts_with("OpaqueRef:") => self.id(text).is_some(),
                    _ => true,
                });
                Value::Array(kept.map(|item| self.translate(item)).collect())
            }
            Value::Struct(members) => {
                let kept = members.iter().filter(|(name, _)| !name.starts_with("OpaqueRef:"));
                Value::Struct(kept.map(|(name, value)| (name.to_string(), self.translate(value))).collect())
            }
            other => other.clone(),
        }
    }

    /// The text of `ova.xml`.
    fn describe(&self, sim: &Sim) -> String {
        let objects = self.0.iter().enumerate().filter_map(|(at, (class, reference))| {
            let table = sim.store.table(class);
            let record = table.record(table.get(reference.as_str())?);
            let mut object = Struct::new();
            object.push("class", *class);
            object.push("id", format!("Ref:{at}"));
            object.push("snapshot", self.translate(&record));
            Some(Value::Struct(object))
        });
        let mut all = Struct::new();
        all.push("version", Value::Struct(version(sim)));
        all.push("objects", Value::Array(objects.collect()));
        write_value_text(&Value::Struct(all))
    }
}

/// Where it was made.
fn version(sim: &Sim) -> Struct {
    let master = sim.master();
    let host = master.as_str();
    let said = |key: &str| sim.store.key("host", host, "software_version", key).unwrap_or_default().to_string();
    let mut version = Struct::new();
    version.push("hostname", sim.store.text("host", host, "hostname"));
    version.push("date", said("date"));
    version.push("product_version", said("product_version"));
    version.push("product_brand", said("product_brand"));
    version.push("build_number", said("build_number"));
    version.push("xapi_major", 1_i64);
    version.push("xapi_minor", 20_i64);
    version.push("export_vsn", 2_i64);
    version
}

/// The VM that a query names.
fn named(sim: &Sim, request: &Request, visit: &mut Visit) -> Result<RawRef, Reply> {
    let name = request.query("ref").or_else(|| request.query("uuid")).filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Reply::error(400, "The query names no VM: it needs uuid or ref."))?;
    let table = sim.store.table("VM");
    match table.get(name).or_else(|| table.by_uuid(name)) {
        Some(row) => Ok(row.reference.clone()),
        None => Err(refuse(visit, xenapi_core::Failure::new("HANDLE_INVALID", ["VM", name]))),
    }
}

/// The disks that go with a VM.
fn disks(sim: &Sim, vm: &RawRef) -> Vec<RawRef> {
    let vbds = sim.store.refs("VM", vm.as_str(), "VBDs").into_iter();
    let disks = vbds.filter(|vbd| sim.store.text("VBD", vbd.as_str(), "type") == "Disk");
    let vdis = disks.map(|vbd| sim.store.reference("VBD", vbd.as_str(), "VDI"));
    vdis.filter(|vdi| sim.store.contains("VDI", vdi.as_str())).collect()
}

/// Sends the client to a host that sees these repositories, where the one that was asked does not.
pub(super) fn redirect(sim: &Sim, srs: &[RawRef], request: &Request, visit: &Visit) -> Option<Reply> {
    let sees = |host: &RawRef| {
        !sim.host_states.down.contains_key(host)
            && srs.iter().all(|sr| {
                sim.store.refs("SR", sr.as_str(), "PBDs").iter().any(|pbd| {
                    sim.store.reference("PBD", pbd.as_str(), "host") == *host
                        && sim.store.flag("PBD", pbd.as_str(), "currently_attached")
                })
            })
    };
    if !visit.asks_only() || sees(&visit.host) {
        return None;
    }
    let other = sim.store.all("host").into_iter().find(sees)?;
    Some(sim.redirect(&other, request))
}

/// `GET /export`
pub(in super::super) fn export(sim: &mut Sim, request: &Request, visit: &mut Visit) -> Result<Served, Reply> {
    let vm = named(sim, request, visit)?;
    let compresses = match request.query("use_compression") {
        Some("true" | "gzip") => true,
        Some("zstd") => {
            return Err(Reply::error(501, "NOT_IMPLEMENTED: zstd is not simulated: use gzip, or no compression."));
        }
        _ => false,
    };
    rules::check(sim, &vm, "export").map_err(|failure| refuse(visit, failure))?;
    let disks = disks(sim, &vm);
    let srs: Vec<RawRef> = disks.iter().map(|vdi| sim.store.reference("VDI", vdi.as_str(), "SR")).collect();
    if let Some(elsewhere) = redirect(sim, &srs, request, visit) {
        return Err(elsewhere);
    }
    let mut objects = Objects::default();
    objects.vm(sim, &vm);
    let mut parts = VecDeque::new();
    for vdi in disks {
        let Some(id) = objects.id(vdi.as_str()) else { continue };
        let chunks = sim.chunks_of(&vdi).into_iter();
        parts.extend(chunks.map(|number| Part { id: id.clone(), vdi: vdi.clone(), number }));
    }
    let hold = visit.task.clone().map(|task| (vm.clone(), task));
    stream(sim, &objects, parts, hold, compresses)
}

/// `GET /export_metadata`
pub(in super::super) fn metadata(sim: &mut Sim, request: &Request, visit: &mut Visit) -> Result<Served, Reply> {
    let mut objects = Objects::default();
    if request.query("all").is_some_and(|value| value != "false") {
        let with_dom0 = request.query("include_dom0").is_some_and(|value| value != "false");
        for vm in sim.store.all("VM") {
            let is = |field: &str| sim.store.flag("VM", vm.as_str(), field);
            if (with_dom0 || !is("is_control_domain")) && !is("is_default_template") && !is("is_a_snapshot") {
                objects.vm(sim, &vm);
            }
        }
    } else {
        let vm = named(sim, request, visit)?;
        rules::check(sim, &vm, "metadata_export").map_err(|failure| refuse(visit, failure))?;
        objects.vm(sim, &vm);
    }
    stream(sim, &objects, VecDeque::new(), None, false)
}

fn stream(
    sim: &mut Sim,
    objects: &Objects,
    parts: VecDeque<Part>,
    hold: Option<(RawRef, RawRef)>,
    compresses: bool,
) -> Result<Served, Reply> {
    let mut start = Vec::new();
    archive::file(&mut start, "ova.xml", objects.describe(sim).as_bytes());
    let head = Head::ok("application/octet-stream").with("content-disposition", "attachment; filename=\"export.xva\"");
    let total = parts.len();
    let mut machine: Box<dyn Download> =
        Box::new(Export { start: Some(start), parts, total, hold: hold.clone(), over: false });
    if compresses {
        let unable = || Reply::error(501, "NOT_IMPLEMENTED: this build compresses nothing: leave use_compression out.");
        machine = gzip::compressed(machine).ok_or_else(unable)?;
    }
    if let Some((vm, task)) = &hold {
        sim.store.put_key("VM", vm.as_str(), "current_operations", task.as_str(), "export");
        sim.refresh_vm(vm);
    }
    Ok(Served::Download(head, machine))
}

/// A chunk of a disk.
struct Part {
    id: String,
    vdi: RawRef,
    number: u64,
}

struct Export {
    start: Option<Vec<u8>>,
    parts: VecDeque<Part>,
    total: usize,
    /// The VM that is exported, and the task under which its `current_operations` say so.
    hold: Option<(RawRef, RawRef)>,
    over: bool,
}

impl Export {
    fn let_go(&mut self, sim: &mut Sim) {
        if let Some((vm, task)) = self.hold.take() {
            sim.store.drop_key("VM", vm.as_str(), "current_operations", task.as_str());
            sim.refresh_vm(&vm);
        }
    }
}

impl Download for Export {
    #[allow(clippy::cast_precision_loss, reason = "progress is rough")]
    fn next(&mut self, sim: &mut Sim, visit: &mut Visit) -> Piece {
        if let Some(start) = self.start.take() {
            return Piece::Bytes(start);
        }
        if self.over {
            self.let_go(sim);
            return Piece::End;
        }
        let mut out = Vec::new();
        let Some(part) = self.parts.pop_front() else {
            archive::end(&mut out);
            self.over = true;
            return Piece::Bytes(out);
        };
        if !sim.store.contains("VDI", part.vdi.as_str()) {
            visit.failure = Some(xenapi_core::Failure::new("HANDLE_INVALID", ["VDI", part.vdi.as_str()]));
            self.let_go(sim);
            return Piece::Broken;
        }
        let bytes = sim.read_chunk(&part.vdi, part.number);
        let name = format!("{}/{:08}", part.id, part.number);
        archive::file(&mut out, &name, &bytes);
        archive::file(&mut out, &format!("{name}.checksum"), checksum(&bytes).as_bytes());
        sim.set_progress(visit, 1.0 - self.parts.len() as f64 / self.total.max(1) as f64);
        Piece::Bytes(out)
    }

    fn abandon(&mut self, sim: &mut Sim) {
        self.let_go(sim);
    }
}

/// SHA-1 in hexadecimal.
pub(super) fn checksum(bytes: &[u8]) -> String {
    Sha1::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
