//! What is there around the pool though its database does not show it: what was forgotten and can be found again, and storage that
//! does not answer.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{RawRef, Value};

use crate::Sim;
use crate::operations::storage;

/// A disk that is on the storage, but in no record.
pub(crate) struct Disk {
    pub(crate) location: String,
    /// The fields of its last record.
    fields: Vec<Value>,
}

/// A repository that is on the storage, but in no record.
pub(crate) struct Repository {
    pub(crate) kind: String,
    pub(crate) size: i64,
    pub(crate) used: i64,
}

/// A NIC that is in a host, but in no record.
pub(crate) struct Nic {
    pub(crate) host: RawRef,
    pub(crate) device: String,
    pub(crate) mac: String,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Around {
    /// By the uuid of the repository.
    disks: BTreeMap<String, Vec<Disk>>,
    pub(crate) repositories: BTreeMap<String, Repository>,
    pub(crate) nics: Vec<Nic>,
    /// Repositories whose storage does not answer, with the connections that were lost.
    pub(crate) dead: BTreeMap<RawRef, Vec<RawRef>>,
    /// A pool is being made: what its devices allow is worked out in the end, all at once.
    pub(crate) is_under_construction: bool,
    /// Data sources that are not recorded, by object and name.
    pub(crate) forgotten_sources: BTreeSet<(RawRef, String)>,
}

impl Sim {
    /// Keeps a disk in mind whose record goes, though its data stay where they are.
    pub(crate) fn remember_disk(&mut self, vdi: &RawRef) {
        let sr = self.store.reference("VDI", vdi.as_str(), "SR");
        let uuid = String::from(self.store.text("SR", sr.as_str(), "uuid"));
        let Some(row) = self.store.row("VDI", vdi.as_str()) else { return };
        let disk = Disk { location: self.store.text("VDI", vdi.as_str(), "location").into(), fields: row.fields.to_vec() };
        self.around.disks.entry(uuid).or_default().push(disk);
    }

    /// Keeps a repository in mind whose record goes, though its data stay where they are.
    pub(crate) fn remember_repository(&mut self, sr: &RawRef) {
        let of = sr.as_str();
        let repository = Repository {
            kind: self.store.text("SR", of, "type").into(),
            size: self.store.int("SR", of, "physical_size"),
            used: self.store.int("SR", of, "physical_utilisation"),
        };
        let uuid = String::from(self.store.text("SR", of, "uuid"));
        self.around.repositories.insert(uuid, repository);
    }

    /// Nothing is left of a repository and its disks.
    pub(crate) fn wipe_repository(&mut self, uuid: &str) {
        self.around.repositories.remove(uuid);
        self.around.disks.remove(uuid);
    }

    /// Takes a forgotten disk out, to be recorded again.
    pub(crate) fn forgotten_disk(&mut self, sr: &RawRef, location: &str) -> Option<Disk> {
        let uuid = self.store.text("SR", sr.as_str(), "uuid");
        let disks = self.around.disks.get_mut(uuid)?;
        let at = disks.iter().position(|disk| disk.location == location)?;
        Some(disks.remove(at))
    }

    /// Records the forgotten disks of a repository again. Answers how many.
    pub(crate) fn find_disks(&mut self, sr: &RawRef) -> usize {
        let uuid = String::from(self.store.text("SR", sr.as_str(), "uuid"));
        let disks = self.around.disks.remove(&uuid).unwrap_or_default();
        let count = disks.len();
        for disk in disks {
            self.record_disk(sr, disk);
        }
        count
    }

    /// Records a forgotten disk again, with a new reference. Its data were counted all the while.
    pub(crate) fn record_disk(&mut self, sr: &RawRef, disk: Disk) -> RawRef {
        let mut draft = self.store.draft("VDI");
        draft.fields = disk.fields;
        draft.set("SR", sr);
        for field in ["VBDs", "snapshots", "crash_dumps"] {
            draft.set(field, Vec::new());
        }
        let snapshot_of = RawRef::from(draft.text("snapshot_of"));
        if !self.store.contains("VDI", snapshot_of.as_str()) {
            draft.set("snapshot_of", RawRef::null());
        }
        draft.set("current_operations", Value::empty_struct());
        let size = draft.get("virtual_size").as_int().unwrap_or(0);
        let reference = self.random.reference();
        self.store.insert(&reference, draft);
        storage::grow(self, sr, size, 0);
        self.refresh_allowed("VDI", &reference);
        reference
    }

    /// Reads the sizes of a repository that was recorded without them, once a host is connected.
    pub(crate) fn measure_repository(&mut self, sr: &RawRef) {
        let of = sr.as_str();
        if self.store.int("SR", of, "physical_size") >= 0 {
            return;
        }
        let known = self.around.repositories.remove(self.store.text("SR", of, "uuid"));
        let size = storage::default_size(self.store.text("SR", of, "type"));
        let (size, used) = known.map_or((size, 0), |known| (known.size, known.used));
        let vdis = self.store.refs("SR", of, "VDIs");
        let sum = |field| -> i64 { vdis.iter().map(|vdi| self.store.int("VDI", vdi.as_str(), field)).sum() };
        let (allocated, used) = (sum("virtual_size"), used.max(sum("physical_utilisation")));
        self.store.put("SR", of, "physical_size", size.max(0));
        self.store.put("SR", of, "physical_utilisation", used);
        self.store.put("SR", of, "virtual_allocation", allocated);
    }
}
