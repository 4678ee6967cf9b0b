//! Moving VMs and disks out of a pool and into one: `/export`, `/import`, their forms without disks, and single disks.
//!
//! An export is a tar archive: `ova.xml`, in which objects name each other `Ref:N`, and then the disks in chunks of one MiB with a checksum each.
//! Chunks that are empty are left out, but for the first and the last of a disk.

mod archive;
mod content;
mod export;
mod gzip;
mod import;
mod objects;
mod raw;
#[cfg(test)]
mod tests;

use xenapi_core::Failure;

use super::{Reply, Visit};

pub(crate) use content::Contents;
pub(super) use export::{export, metadata as export_metadata};
pub(super) use import::{import, metadata as import_metadata};
pub(super) use raw::{export as export_raw, import as import_raw};

/// The transfer fails as a call would: the task says how, and the page, too.
fn refuse(visit: &mut Visit, failure: Failure) -> Reply {
    let page = Reply::error(500, &alloc::format!("{failure}"));
    visit.failure = Some(failure);
    page
}
