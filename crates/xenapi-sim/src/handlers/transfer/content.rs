//! What is on simulated disks: a little in a few places, made out of the disk's identity, and what was written there by an import.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;

use xenapi_core::{Failure, RawRef};

use crate::Sim;
use crate::handlers::metrics_seed;
use crate::store::Map;

/// Disks are moved in chunks of so many bytes.
pub(super) const CHUNK: u64 = 1 << 20;
/// What imports may write to all disks together, beside what can be made again.
const MOST_STORED: usize = 64 << 20;
const MARK: &str = "Simulated disk ";

/// What is on a disk.
#[derive(Clone, Default)]
struct Content {
    /// Out of what it is made; nothing is there where this is empty.
    origin: String,
    /// What was written, by number of the chunk; an empty one is full of zeros.
    written: BTreeMap<u64, Arc<[u8]>>,
}

/// The disks whose content is not simply their own.
#[derive(Default)]
pub(crate) struct Contents {
    disks: Map<RawRef, Content>,
    stored: usize,
}

/// How many chunks a disk of that size has.
pub(super) fn count(size: u64) -> u64 {
    size.div_ceil(CHUNK)
}

/// Where a disk made out of `origin` is not empty.
fn places(origin: &str, count: u64) -> BTreeSet<u64> {
    if origin.is_empty() || count == 0 {
        return BTreeSet::new();
    }
    let seed = metrics_seed(&[origin, "places"]);
    // The same places when the disk grows.
    [0, seed % 64, (seed >> 20) % 1024].into_iter().filter(|number| *number < count).collect()
}

/// A chunk of a disk made out of `origin`.
fn made(origin: &str, number: u64, length: usize) -> Vec<u8> {
    let mut bytes = format!("{MARK}{origin} part {number}\n").into_bytes();
    let mut state = metrics_seed(&[origin, &number.to_string()]);
    while bytes.len() < 4096 {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        bytes.extend_from_slice(&state.to_be_bytes()[..4]);
    }
    if number == 0 {
        // Bootable, it says.
        bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
    }
    bytes.resize(length, 0);
    bytes
}

impl Sim {
    pub(super) fn size_of(&self, vdi: &RawRef) -> u64 {
        u64::try_from(self.store.int("VDI", vdi.as_str(), "virtual_size")).unwrap_or(0)
    }

    fn made_of(&self, vdi: &RawRef) -> &str {
        match self.contents.disks.get(vdi) {
            Some(content) => &content.origin,
            None => self.store.text("VDI", vdi.as_str(), "uuid"),
        }
    }

    /// The chunks that are not empty, and the first and the last one.
    pub(super) fn chunks_of(&self, vdi: &RawRef) -> Vec<u64> {
        let count = count(self.size_of(vdi));
        let mut all = places(self.made_of(vdi), count);
        if let Some(content) = self.contents.disks.get(vdi) {
            all.extend(content.written.iter().filter(|(_, bytes)| !bytes.is_empty()).map(|(number, _)| *number));
            all.retain(|number| content.written.get(number).is_none_or(|bytes| !bytes.is_empty()));
        }
        all.extend([0, count.saturating_sub(1)]);
        all.retain(|number| *number < count);
        all.into_iter().collect()
    }

    /// A chunk; the last one of a disk may be shorter.
    pub(super) fn read_chunk(&self, vdi: &RawRef, number: u64) -> Vec<u8> {
        let size = self.size_of(vdi);
        let length = usize::try_from(size.saturating_sub(number * CHUNK).min(CHUNK)).unwrap_or(0);
        let written = self.contents.disks.get(vdi).and_then(|content| content.written.get(&number));
        let origin = self.made_of(vdi);
        let mut bytes = match written {
            Some(bytes) => bytes.to_vec(),
            None if places(origin, count(size)).contains(&number) => made(origin, number, length),
            None => Vec::new(),
        };
        bytes.resize(length, 0);
        bytes
    }

    /// Forgets what was on disks that are gone.
    fn sweep_contents(&mut self) {
        if self.contents.disks.len() > self.store.count("VDI") {
            let store = &self.store;
            self.contents.disks.retain(|vdi, _| store.contains("VDI", vdi.as_str()));
            let kept = self.contents.disks.values().flat_map(|content| content.written.values());
            self.contents.stored = kept.map(|bytes| bytes.len()).sum();
        }
    }

    /// Nothing is on a disk from now on.
    pub(super) fn blank(&mut self, vdi: &RawRef) {
        self.sweep_contents();
        let old = self.contents.disks.insert(vdi.clone(), Content::default());
        let freed: usize = old.iter().flat_map(|content| content.written.values()).map(|bytes| bytes.len()).sum();
        self.contents.stored = self.contents.stored.saturating_sub(freed);
    }

    /// Writes a chunk to a disk that was made blank.
    pub(super) fn write_chunk(&mut self, vdi: &RawRef, number: u64, bytes: &[u8]) -> Result<(), Failure> {
        let size = self.size_of(vdi);
        let end = number.checked_mul(CHUNK).and_then(|start| start.checked_add(bytes.len() as u64));
        if end.is_none_or(|end| end > size) {
            return Err(Failure::new("IMPORT_ERROR", [format!("chunk {number} lies behind the end of its disk")]));
        }
        let Some(content) = self.contents.disks.get_mut(vdi) else { return Ok(()) };
        // What can be made again is not kept.
        let origin = bytes.strip_prefix(MARK.as_bytes()).and_then(|rest| {
            let head = String::from_utf8_lossy(rest.get(..100.min(rest.len()))?).into_owned();
            Some(head.split_once(" part ")?.0.to_string())
        });
        let origin = origin.unwrap_or_default();
        let is_made = !origin.is_empty()
            && (content.origin.is_empty() || content.origin == origin)
            && places(&origin, count(size)).contains(&number)
            && made(&origin, number, bytes.len()) == bytes;
        if is_made {
            content.origin = origin;
            content.written.remove(&number);
            return Ok(());
        }
        let kept: Arc<[u8]> = if bytes.iter().all(|byte| *byte == 0) { Arc::from([]) } else { Arc::from(bytes) };
        if self.contents.stored + kept.len() > MOST_STORED {
            let why = "There is insufficient space: the simulator keeps 64 MiB of what is written to disks";
            return Err(Failure::new("SR_BACKEND_FAILURE_44", ["", why, ""]));
        }
        self.contents.stored += kept.len();
        if let Some(old) = content.written.insert(number, kept) {
            self.contents.stored = self.contents.stored.saturating_sub(old.len());
        }
        Ok(())
    }

    /// A copy has on it what the other disk has.
    pub(crate) fn copy_content(&mut self, from: &RawRef, to: &RawRef) {
        self.sweep_contents();
        let content = match self.contents.disks.get(from) {
            Some(content) => content.clone(),
            None => Content { origin: self.store.text("VDI", from.as_str(), "uuid").into(), written: BTreeMap::new() },
        };
        self.contents.disks.insert(to.clone(), content);
    }
}
