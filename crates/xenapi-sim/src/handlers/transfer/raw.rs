//! `GET /export_raw_vdi` and `PUT /import_raw_vdi`: one disk, byte by byte.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use xenapi_core::{Failure, RawRef};

use super::content::{self, CHUNK};
use super::export::redirect;
use super::refuse;
use crate::Sim;
use crate::handlers::{Download, Head, Piece, Reply, Request, Served, Upload, Visit};

fn disk(sim: &Sim, request: &Request) -> Result<RawRef, Reply> {
    let missing = || Reply::error(400, "The query has no vdi.");
    let name = request.query("vdi").filter(|name| !name.is_empty()).ok_or_else(missing)?;
    let table = sim.store.table("VDI");
    let found = table.get(name).or_else(|| table.by_uuid(name)).map(|row| row.reference.clone());
    let found = found.ok_or_else(|| Reply::error(404, &format!("There is no VDI {name}.")))?;
    match request.query("format").unwrap_or("raw") {
        "" | "raw" => Ok(found),
        "vhd" | "tar" | "qcow2" => Err(Reply::error(501, "NOT_IMPLEMENTED: disks are moved as raw bytes: use format=raw.")),
        other => Err(Reply::error(400, &format!("There is no format {other}: use raw."))),
    }
}

/// A disk that is written to is not the same from one chunk to the next.
fn check_free(sim: &Sim, vdi: &RawRef, visit: &mut Visit, reading: bool) -> Result<(), Reply> {
    let used = sim.store.refs("VDI", vdi.as_str(), "VBDs").into_iter().any(|vbd| {
        sim.store.flag("VBD", vbd.as_str(), "currently_attached")
            && (!reading || sim.store.text("VBD", vbd.as_str(), "mode") == "RW")
    });
    if used { Err(refuse(visit, Failure::new("VDI_IN_USE", [vdi.as_str()]))) } else { Ok(()) }
}

fn elsewhere(sim: &Sim, vdi: &RawRef, request: &Request, visit: &Visit) -> Result<(), Reply> {
    let sr = sim.store.reference("VDI", vdi.as_str(), "SR");
    redirect(sim, &[sr], request, visit).map_or(Ok(()), Err)
}

/// `GET /export_raw_vdi`
pub(in super::super) fn export(sim: &mut Sim, request: &Request, visit: &mut Visit) -> Result<Served, Reply> {
    let vdi = disk(sim, request)?;
    elsewhere(sim, &vdi, request, visit)?;
    check_free(sim, &vdi, visit, true)?;
    Ok(Served::Download(Head::ok("application/octet-stream"), Box::new(Reading { vdi, next: 0 })))
}

struct Reading {
    vdi: RawRef,
    next: u64,
}

impl Download for Reading {
    #[allow(clippy::cast_precision_loss, reason = "progress is rough")]
    fn next(&mut self, sim: &mut Sim, visit: &mut Visit) -> Piece {
        if !sim.store.contains("VDI", self.vdi.as_str()) {
            visit.failure = Some(Failure::new("HANDLE_INVALID", ["VDI", self.vdi.as_str()]));
            return Piece::Broken;
        }
        let count = content::count(sim.size_of(&self.vdi));
        if self.next >= count {
            return Piece::End;
        }
        let bytes = sim.read_chunk(&self.vdi, self.next);
        self.next += 1;
        sim.set_progress(visit, self.next as f64 / count.max(1) as f64);
        Piece::Bytes(bytes)
    }
}

/// `PUT /import_raw_vdi`
pub(in super::super) fn import(sim: &mut Sim, request: &Request, visit: &mut Visit) -> Result<Served, Reply> {
    let vdi = disk(sim, request)?;
    elsewhere(sim, &vdi, request, visit)?;
    check_free(sim, &vdi, visit, false)?;
    if request.query("chunked").is_some() {
        return Err(Reply::error(501, "NOT_IMPLEMENTED: disks are taken as plain bytes: leave chunked out."));
    }
    sim.blank(&vdi);
    Ok(Served::Upload(None, Box::new(Writing { vdi, next: 0, pending: Vec::new() })))
}

struct Writing {
    vdi: RawRef,
    next: u64,
    pending: Vec<u8>,
}

impl Writing {
    fn write(&mut self, sim: &mut Sim, visit: &mut Visit, length: usize) -> Result<(), Reply> {
        let rest = self.pending.split_off(length);
        let bytes = core::mem::replace(&mut self.pending, rest);
        sim.write_chunk(&self.vdi, self.next, &bytes).map_err(|failure| refuse(visit, failure))?;
        self.next += 1;
        Ok(())
    }
}

impl Upload for Writing {
    fn take(&mut self, sim: &mut Sim, visit: &mut Visit, bytes: &[u8]) -> Result<(), Reply> {
        self.pending.extend_from_slice(bytes);
        let chunk = usize::try_from(CHUNK).unwrap_or(usize::MAX);
        while self.pending.len() >= chunk {
            self.write(sim, visit, chunk)?;
        }
        Ok(())
    }

    fn finish(&mut self, sim: &mut Sim, visit: &mut Visit, whole: bool) -> Result<Reply, Reply> {
        if !whole {
            return Err(refuse(visit, Failure::new("IMPORT_ERROR_PREMATURE_EOF", [""; 0])));
        }
        if !self.pending.is_empty() {
            self.write(sim, visit, self.pending.len())?;
        }
        Ok(Reply::new(200, Vec::new()))
    }
}
