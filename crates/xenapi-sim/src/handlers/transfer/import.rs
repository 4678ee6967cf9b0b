//! `PUT /import` and `/import_metadata`.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{Failure, RawRef, Value};

use super::archive::Files;
use super::export::{checksum, redirect};
use super::gzip::Unpacker;
use super::objects::{self, Made, Options};
use super::refuse;
use crate::Sim;
use crate::handlers::{Head, Reply, Request, Served, Upload, Visit};

fn says(request: &Request, key: &str) -> bool {
    request.query(key).is_some_and(|value| value == "true" || value == "1")
}

/// Where the disks go: where the query says, or the pool's default.
pub(super) fn repository(sim: &Sim, request: &Request, visit: &mut Visit) -> Result<RawRef, Reply> {
    let wanted = request.query("sr_id").or_else(|| request.query("sr_uuid")).filter(|name| !name.is_empty());
    let table = sim.store.table("SR");
    if let Some(name) = wanted {
        let found = table.get(name).or_else(|| table.by_uuid(name)).map(|row| row.reference.clone());
        return found.ok_or_else(|| refuse(visit, Failure::new("HANDLE_INVALID", ["SR", name])));
    }
    let pool = sim.store.first("pool").unwrap_or_default();
    let default = sim.store.reference("pool", pool.as_str(), "default_SR");
    if table.get(default.as_str()).is_none() {
        return Err(refuse(visit, Failure::new("DEFAULT_SR_NOT_FOUND", [default.as_str()])));
    }
    Ok(default)
}

/// `PUT /import`
pub(in super::super) fn import(sim: &mut Sim, request: &Request, visit: &mut Visit) -> Result<Served, Reply> {
    let sr = repository(sim, request, visit)?;
    if let Some(elsewhere) = redirect(sim, core::slice::from_ref(&sr), request, visit) {
        return Err(elsewhere);
    }
    Ok(begin(Options { sr, restore: says(request, "restore"), force: says(request, "force"), metadata: false }, false))
}

/// `PUT /import_metadata`
pub(in super::super) fn metadata(_: &mut Sim, request: &Request, _: &mut Visit) -> Result<Served, Reply> {
    let options =
        Options { sr: RawRef::null(), restore: says(request, "restore"), force: says(request, "force"), metadata: true };
    Ok(begin(options, says(request, "dry_run")))
}

fn begin(options: Options, dry: bool) -> Served {
    let head = Head { status: 200, headers: Vec::new() };
    let packed = Unpacker::Unknown(Vec::new());
    let import =
        Import { packed, options, dry, files: Files::default(), described: false, made: Made::default(), awaited: None };
    Served::Upload(Some(head), Box::new(import))
}

/// Why an import ends.
struct Wrong(Failure);

impl From<&'static str> for Wrong {
    fn from(what: &'static str) -> Self {
        Wrong(Failure::new("IMPORT_ERROR", [what]))
    }
}

struct Import {
    packed: Unpacker,
    options: Options,
    /// Everything is taken back at the end.
    dry: bool,
    files: Files,
    described: bool,
    made: Made,
    /// The chunk whose checksum comes next, and that checksum.
    awaited: Option<(String, String)>,
}

impl Import {
    fn file(&mut self, sim: &mut Sim, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let unexpected = |expected: &str| Failure::new("IMPORT_ERROR_UNEXPECTED_FILE", [expected, name]);
        if !self.described {
            if name != "ova.xml" {
                return Err(unexpected("ova.xml"));
            }
            self.described = true;
            return objects::make(sim, bytes, &self.options, &mut self.made);
        }
        if let Some((chunk, expected)) = self.awaited.take() {
            let Some(kind) = name.strip_prefix(chunk.as_str()) else { return Err(unexpected(&format!("{chunk}.checksum"))) };
            let found = bytes.trim_ascii();
            return match kind {
                ".checksum" if found.eq_ignore_ascii_case(expected.as_bytes()) || self.options.force => Ok(()),
                ".checksum" => Err(Failure::new("IMPORT_ERROR_SOME_CHECKSUMS_FAILED", [""; 0])),
                // Newer servers write another sum, which is not computed here.
                ".xxhash" => Ok(()),
                _ => Err(unexpected(&format!("{chunk}.checksum"))),
            };
        }
        let (id, number) = name.split_once('/').ok_or_else(|| unexpected("a chunk of a disk"))?;
        let number = number.parse().map_err(|_| unexpected("a chunk of a disk"))?;
        let missing = || Failure::new("IMPORT_ERROR_FAILED_TO_FIND_OBJECT", [id]);
        let vdi = self.made.disks.get(id).ok_or_else(missing)?;
        sim.write_chunk(vdi, number, bytes)?;
        self.awaited = Some((name.into(), checksum(bytes)));
        Ok(())
    }

    /// Takes the next bytes of the archive itself.
    fn unpacked(&mut self, sim: &mut Sim, bytes: &[u8]) -> Result<(), Wrong> {
        self.files.push(bytes);
        while let Some((name, bytes)) = self.files.next().map_err(Wrong::from)? {
            self.file(sim, &name, &bytes).map_err(Wrong)?;
        }
        Ok(())
    }

    fn fail(&mut self, sim: &mut Sim, visit: &mut Visit, failure: Failure) -> Reply {
        objects::undo(sim, &mut self.made);
        refuse(visit, failure)
    }
}

impl Upload for Import {
    fn take(&mut self, sim: &mut Sim, visit: &mut Visit, bytes: &[u8]) -> Result<(), Reply> {
        let mut packed = core::mem::replace(&mut self.packed, Unpacker::Plain);
        let taken = packed.push(bytes, |bytes| self.unpacked(sim, bytes));
        self.packed = packed;
        taken.map_err(|wrong| self.fail(sim, visit, wrong.0))
    }

    fn finish(&mut self, sim: &mut Sim, visit: &mut Visit, _: bool) -> Result<Reply, Reply> {
        // The archive knows its own end.
        if !self.files.ended || !self.described || self.awaited.is_some() {
            return Err(self.fail(sim, visit, Failure::new("IMPORT_ERROR_PREMATURE_EOF", [""; 0])));
        }
        if self.dry {
            objects::undo(sim, &mut self.made);
        }
        visit.result = Value::Array(self.made.vms.iter().map(Value::from).collect());
        Ok(Reply::new(200, Vec::new()))
    }

    fn abandon(&mut self, sim: &mut Sim) {
        objects::undo(sim, &mut self.made);
    }
}
