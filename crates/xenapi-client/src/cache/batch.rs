//! What `event.from` answers, read straight into typed records.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{RawRef, ReadError, Reader, Value, ValueReader, Wire};

use super::Cache;
use super::table::Row;

/// A batch of events, read but not yet applied. Made by [`Cache::read_batch`].
///
/// Reading and applying are two steps so that a document that breaks off in the middle changes nothing.
#[derive(Default)]
pub struct Batch {
    pub(super) events: Vec<Event>,
    /// How many objects the server has, by class, as far as it said.
    pub(super) counts: Vec<(String, i64)>,
    pub(super) strays: Vec<ReadError>,
    token: String,
}

impl Batch {
    /// Where the next batch begins.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// How many events of tracked classes it holds.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// How many objects the server has after this batch, by class. Taken out of a batch that will be applied; a full load keeps
    /// its own.
    pub(crate) fn take_counts(&mut self, full: bool) -> Vec<(String, i64)> {
        if full { Vec::new() } else { core::mem::take(&mut self.counts) }
    }

    /// Whether it holds no event of a tracked class.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

impl core::fmt::Debug for Batch {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Batch({} events, token {:?})", self.events.len(), self.token)
    }
}

/// Reads a batch while it arrives, event by event, without the client: made by [`crate::Client::batch_reader`]. What comes out is what
/// [`Cache::read_batch`] reads from the whole document.
pub struct BatchReader {
    /// As it was when the batch was asked for: it knows how to read its classes.
    cache: Cache,
    batch: Batch,
    at: usize,
}

impl core::fmt::Debug for BatchReader {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "BatchReader({} events)", self.at)
    }
}

/// What stands around the events of a batch.
#[derive(Default, Debug)]
pub struct BatchRest {
    counts: Vec<(String, i64)>,
    token: String,
}

impl BatchRest {
    /// Reads it from the document, whose events may have been taken out.
    ///
    /// # Errors
    /// When the document is broken or is no batch.
    pub fn read(reader: &mut dyn Reader) -> Result<Self, ReadError> {
        let mut rest = Batch::default();
        let mut has_token = false;
        reader.begin_struct()?;
        while let Some(member) = reader.next_member()?.map(Cow::into_owned) {
            has_token |= read_around(&member, reader, &mut rest)?;
        }
        if !has_token {
            return Err(no_token());
        }
        Ok(BatchRest { counts: rest.counts, token: rest.token })
    }
}

impl BatchReader {
    pub(crate) fn new(cache: Cache) -> Self {
        BatchReader { cache, batch: Batch::default(), at: 0 }
    }

    /// Reads the next event.
    ///
    /// # Errors
    /// When it cannot be read. Unless the error [is fatal](ReadError::is_fatal), the others can, and it is kept for
    /// [`crate::Snapshot::strays`].
    pub fn event(&mut self, reader: &mut dyn Reader) -> Result<(), ReadError> {
        let at = self.at;
        self.at += 1;
        match self.cache.read_event(reader) {
            Ok(event) => {
                self.batch.events.extend(event);
                Ok(())
            }
            Err(error) => {
                let error = error.within(format!("events[{at}]"));
                if !error.is_fatal() {
                    self.batch.strays.push(error.clone());
                }
                Err(error)
            }
        }
    }

    /// The whole batch.
    pub fn finish(self, rest: BatchRest) -> Batch {
        Batch { counts: rest.counts, token: rest.token, ..self.batch }
    }
}

/// Reads a member of a batch that is not its events. Whether it was the token.
fn read_around(member: &str, reader: &mut dyn Reader, batch: &mut Batch) -> Result<bool, ReadError> {
    match member {
        "valid_ref_counts" => read_counts(reader, batch).map(|()| false),
        "token" => {
            batch.token = String::read(reader).map_err(|error| error.within("token"))?;
            Ok(true)
        }
        _ => reader.skip().map(|()| false),
    }
}

fn no_token() -> ReadError {
    ReadError::mismatch("a token behind the events", "none")
}

/// One event of a tracked class.
pub(super) struct Event {
    /// The place of its table.
    pub(super) table: usize,
    pub(super) reference: RawRef,
    pub(super) what: What,
}

pub(super) enum What {
    /// Added or changed: now it is this.
    Is(Row),
    /// Added or changed, but what it is now cannot be read.
    Wrong(ReadError),
    Gone,
}

/// A snapshot in the order in which it came.
enum Snapshot {
    Absent,
    Read(Result<Row, ReadError>),
    /// It came before its class was known, or the class is not the one that was known then.
    Later(Value),
}

impl Cache {
    /// Reads what `event.from` answers. Nothing changes until the batch is applied.
    ///
    /// Snapshots are read into the record type of their class as they come. Events of classes that are not tracked are passed
    /// over.
    ///
    /// # Errors
    /// When the document is broken or is no batch. A single event that cannot be read is no error: it is listed in
    /// [`crate::Snapshot::wrong`] once the batch is applied.
    pub fn read_batch(&self, reader: &mut dyn Reader) -> Result<Batch, ReadError> {
        let mut batch = Batch::default();
        let mut has_token = false;
        reader.begin_struct()?;
        while let Some(member) = reader.next_member()?.map(Cow::into_owned) {
            match member.as_str() {
                "events" => self.read_events(reader, &mut batch).map_err(|error| error.within("events"))?,
                other => has_token |= read_around(other, reader, &mut batch)?,
            }
        }
        if has_token { Ok(batch) } else { Err(no_token()) }
    }

    fn read_events(&self, reader: &mut dyn Reader, batch: &mut Batch) -> Result<(), ReadError> {
        reader.begin_array()?;
        let mut at = 0usize;
        while reader.next_item()? {
            match self.read_event(reader) {
                Ok(Some(event)) => batch.events.push(event),
                Ok(None) => {}
                Err(error) if error.is_fatal() => return Err(error.within(format!("[{at}]"))),
                Err(error) => batch.strays.push(error.within(format!("events[{at}]"))),
            }
            at += 1;
        }
        Ok(())
    }

    /// Reads one event; `None` when its class is not tracked. `class` and `ref` stand before `snapshot` in what xapi sends, so
    /// that the snapshot is read without a detour; in any other order it is kept as a tree until they are known.
    fn read_event(&self, reader: &mut dyn Reader) -> Result<Option<Event>, ReadError> {
        reader.begin_struct()?;
        let (mut class, mut reference, mut operation) = (None::<String>, None::<RawRef>, None::<String>);
        let mut snapshot = Snapshot::Absent;
        let mut stray = None;
        while let Some(member) = reader.next_member()?.map(Cow::into_owned) {
            let result = match member.as_str() {
                "class" => String::read(reader).map(|it| class = Some(it)),
                "ref" => RawRef::read(reader).map(|it| reference = Some(it)),
                "operation" => String::read(reader).map(|it| operation = Some(it)),
                "snapshot" => self.read_snapshot(reader, class.as_deref()).map(|it| snapshot = it),
                _ => reader.skip(),
            };
            match result {
                Ok(()) => {}
                Err(error) if error.is_fatal() => return Err(error.within(member)),
                Err(error) => drop(stray.get_or_insert(error.within(member))),
            }
        }
        if let Some(error) = stray {
            return Err(error);
        }
        let class = class.ok_or_else(|| ReadError::mismatch("an event with a class", "none"))?;
        let Some(table) = self.place(&class) else { return Ok(None) };
        let reference = reference.ok_or_else(|| ReadError::mismatch("an event with a ref", "none"))?;
        let what = match operation.as_deref() {
            Some("del") => What::Gone,
            Some("add" | "mod") => self.what(table, &reference, snapshot),
            other => {
                let found = other.map_or("none".into(), |word| format!("{word:?}"));
                return Err(ReadError::mismatch("the operation add, mod or del", found));
            }
        };
        Ok(Some(Event { table, reference, what }))
    }

    fn read_snapshot(&self, reader: &mut dyn Reader, class: Option<&str>) -> Result<Snapshot, ReadError> {
        let Some(class) = class else { return Value::read(reader).map(Snapshot::Later) };
        let Some(at) = self.place(class) else { return reader.skip().map(|()| Snapshot::Absent) };
        let Some(table) = self.inner.tables.get(at) else { return reader.skip().map(|()| Snapshot::Absent) };
        match table.read(reader) {
            Err(error) if error.is_fatal() => Err(error),
            result => Ok(Snapshot::Read(result)),
        }
    }

    fn what(&self, table: usize, reference: &RawRef, snapshot: Snapshot) -> What {
        let Some(table) = self.inner.tables.get(table) else { return What::Gone };
        let row = match snapshot {
            Snapshot::Read(row) => row,
            Snapshot::Later(value) => table.read(&mut ValueReader::new(&value)),
            Snapshot::Absent => Err(ReadError::mismatch("a snapshot", "none").within(table.class.name)),
        };
        match row {
            Ok(row) => What::Is(row),
            Err(error) => What::Wrong(error.of_object(reference.as_str())),
        }
    }
}

/// Reads the counts. They only tell drift, so ones that cannot be read do no harm.
fn read_counts(reader: &mut dyn Reader, batch: &mut Batch) -> Result<(), ReadError> {
    if let Err(error) = reader.begin_struct() {
        return if error.is_fatal() { Err(error.within("valid_ref_counts")) } else { Ok(()) };
    }
    while let Some(class) = reader.next_member()?.map(Cow::into_owned) {
        match i64::read(reader) {
            Ok(count) => batch.counts.push((class, count)),
            Err(error) if error.is_fatal() => return Err(error.within("valid_ref_counts")),
            Err(_) => {}
        }
    }
    Ok(())
}
