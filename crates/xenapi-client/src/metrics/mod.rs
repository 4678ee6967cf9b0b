//! What hosts measure of themselves, their VMs and their storage: the answers of `/rrd_updates`.
//!
//! [`read`] takes the document, XML or JSON, of any release. [`Follower`] asks for what is new and puts it together.
//!
//! ```
//! use xenapi_client::metrics::{Follower, Owner, read};
//!
//! let document = b"<xport><meta><start>10</start><step>5</step><end>15</end><rows>2</rows><columns>1</columns>\
//!     <legend><entry>AVERAGE:vm:8a2b:cpu0</entry></legend></meta>\
//!     <data><row><t>15</t><v>0.25</v></row><row><t>10</t><v>NaN</v></row></data></xport>";
//! let mut follower = Follower::new(600, 0);
//! assert_eq!(follower.query().start, -590);
//! follower.merge(&read(document)?);
//! assert_eq!(follower.query().start, 15);
//!
//! let (source, series) = follower.of(Owner::VM, "8a2b").next().expect("it was measured");
//! assert_eq!((source.source.as_str(), series.last()), ("cpu0", Some((15, 0.25))));
//! # Ok::<(), xenapi_core::ReadError>(())
//! ```

mod follow;
mod json;
#[cfg(test)]
mod tests;
mod xml;

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use xenapi_core::ReadError;

pub use follow::{Follower, Merged, Series};

/// How many values a document may hold. A host with 1,000 VMs of 30 measurements has 3.6 million in two hours of minutes.
const MOST_VALUES: usize = 16 << 20;
/// How many columns, and how many bytes the name of one may have.
const MOST_COLUMNS: usize = 1 << 18;
const LONGEST_NAME: usize = 1024;

/// How the measurements of a step become one value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Consolidation {
    /// Their mean: what every host keeps.
    Average,
    /// The smallest, where the pool is told to keep it.
    Min,
    /// The largest, where the pool is told to keep it.
    Max,
    /// The last one.
    Last,
    /// Another word.
    Other(String),
}

impl Consolidation {
    /// As it stands in a query.
    pub fn as_str(&self) -> &str {
        match self {
            Consolidation::Average => "AVERAGE",
            Consolidation::Min => "MIN",
            Consolidation::Max => "MAX",
            Consolidation::Last => "LAST",
            Consolidation::Other(word) => word,
        }
    }

    fn read(word: &str) -> Self {
        match word {
            "AVERAGE" => Consolidation::Average,
            "MIN" => Consolidation::Min,
            "MAX" => Consolidation::Max,
            "LAST" => Consolidation::Last,
            other => Consolidation::Other(other.into()),
        }
    }
}

/// What a measurement is of: the word in the legend.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Owner(pub Cow<'static, str>);

impl Owner {
    /// A VM.
    pub const VM: Owner = Owner(Cow::Borrowed("vm"));
    /// The host that was asked.
    pub const HOST: Owner = Owner(Cow::Borrowed("host"));
    /// A storage repository, as that host sees it.
    pub const SR: Owner = Owner(Cow::Borrowed("sr"));

    fn read(word: &str) -> Self {
        match word {
            "vm" => Owner::VM,
            "host" => Owner::HOST,
            "sr" => Owner::SR,
            other => Owner(Cow::Owned(other.into())),
        }
    }
}

/// What a column holds: `AVERAGE:vm:<uuid>:cpu0`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Column {
    /// What of.
    pub owner: Owner,
    /// The uuid of that object.
    pub uuid: String,
    /// The data source: `cpu0`, `memory`, `vif_0_rx`.
    pub source: String,
    /// How steps were put together.
    pub consolidation: Consolidation,
}

impl Column {
    /// Reads an entry of a legend. The name of a data source may itself hold colons.
    ///
    /// # Errors
    /// When it has fewer than four parts.
    pub fn read(entry: &str) -> Result<Self, ReadError> {
        let mut parts = entry.splitn(4, ':');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(consolidation), Some(owner), Some(uuid), Some(source)) => Ok(Column {
                owner: Owner::read(owner),
                uuid: uuid.into(),
                source: source.into(),
                consolidation: Consolidation::read(consolidation),
            }),
            _ => Err(ReadError::mismatch("a column as AVERAGE:vm:UUID:NAME", format!("{entry:?}"))),
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}:{}", self.consolidation.as_str(), self.owner.0, self.uuid, self.source)
    }
}

/// The values of a step.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// When the step ended, in seconds since 1970 by the host's clock.
    pub time: i64,
    /// A value for each column; NaN where nothing is known.
    pub values: Vec<f64>,
}

/// A table of measurements.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Updates {
    /// Seconds between two rows. 0 where the document does not say.
    pub step: i64,
    /// The last time for which there could be a row.
    pub end: i64,
    /// What the columns hold.
    pub columns: Vec<Column>,
    /// Oldest first, whatever the order in the document.
    pub rows: Vec<Row>,
}

/// Which measurements to ask a host for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Query {
    /// Since when, in seconds since 1970 by the host's clock; a negative one counts back from the host's last measurement.
    pub start: i64,
    /// The shortest step that is wanted, in seconds; 0 is the finest that reaches back to `start`: 5 s for ten minutes, a minute for
    /// two hours, an hour for a week, a day for a year.
    pub interval: u32,
    /// How steps are put together; none is all that the host keeps.
    pub consolidation: Option<Consolidation>,
    /// Whether the host's own measurements are wanted.
    pub host: bool,
    /// One VM only; else all that run there.
    pub vm: Option<String>,
    /// A storage repository beside.
    pub sr: Option<String>,
}

impl Query {
    /// The last `seconds`, of the host and the VMs on it.
    pub fn last(seconds: u32) -> Self {
        Query {
            // Hosts keep ten minutes in the finest steps; whoever asks for exactly that much would get coarser ones.
            start: -i64::from(seconds.saturating_sub(10).max(1)),
            interval: 0,
            consolidation: Some(Consolidation::Average),
            host: true,
            vm: None,
            sr: None,
        }
    }

    /// Path and query of the request, without a session. What is not plain is written with `%`.
    pub fn path(&self) -> String {
        let mut path = format!("/rrd_updates?start={}&interval={}&host={}&json=true", self.start, self.interval, self.host);
        let rest = [
            ("cf", self.consolidation.as_ref().map(Consolidation::as_str)),
            ("vm_uuid", self.vm.as_deref()),
            ("sr_uuid", self.sr.as_deref()),
        ];
        for (name, value) in rest.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            path.push('&');
            path.push_str(name);
            path.push('=');
            for byte in value.bytes() {
                match byte {
                    b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' | b'.' => path.push(char::from(byte)),
                    _ => path.push_str(&format!("%{byte:02X}")),
                }
            }
        }
        path
    }
}

/// Reads the answer of `/rrd_updates`, XML or JSON: every release's, with numbers or texts, and with `NaN` and `Infinity` bare or quoted.
///
/// # Errors
/// When it is neither, breaks off, has rows that do not fit its columns, or more values than anybody measures.
pub fn read(document: &[u8]) -> Result<Updates, ReadError> {
    let text = core::str::from_utf8(document)
        .map_err(|error| ReadError::syntax("UTF-8", "other bytes").at(u64::try_from(error.valid_up_to()).ok()))?;
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let mut updates = match text.bytes().next() {
        Some(b'<') => xml::read(text)?,
        Some(b'{') => json::read(text)?,
        None => return Err(ReadError::truncated("metrics")),
        Some(_) => return Err(ReadError::syntax("metrics as XML or JSON", "something else").at(Some(0))),
    };
    let width = updates.columns.len();
    for row in &updates.rows {
        if row.values.len() != width {
            let found = format!("{} at {}", row.values.len(), row.time);
            return Err(ReadError::mismatch(format!("{width} values in each row"), found));
        }
    }
    updates.rows.sort_by_key(|row| row.time);
    Ok(updates)
}

/// What both forms fill, with their limits.
#[derive(Default)]
struct Draft {
    updates: Updates,
    values: usize,
}

impl Draft {
    fn column(&mut self, entry: &str) -> Result<(), ReadError> {
        if self.updates.columns.len() >= MOST_COLUMNS || entry.len() > LONGEST_NAME {
            return Err(ReadError::limit("columns with plain names", "more"));
        }
        self.updates.columns.push(Column::read(entry)?);
        Ok(())
    }

    fn value(&mut self, row: &mut Row, value: f64) -> Result<(), ReadError> {
        self.values += 1;
        if self.values > MOST_VALUES {
            return Err(ReadError::limit("16 million values", "more"));
        }
        row.values.push(value);
        Ok(())
    }

    fn fact(&mut self, name: &str, text: &str) -> Result<(), ReadError> {
        match name {
            "step" => self.updates.step = whole(text)?,
            "end" => self.updates.end = whole(text)?,
            _ => {}
        }
        Ok(())
    }
}

/// A whole number. Old releases write some as `1700000000.`.
fn whole(text: &str) -> Result<i64, ReadError> {
    let trimmed = text.trim();
    let whole = trimmed.split('.').next().unwrap_or_default();
    whole.parse().map_err(|_| ReadError::mismatch("a whole number", format!("{trimmed:?}")))
}

/// A measurement. What is no number is an error, not a gap.
fn number(text: &str) -> Result<f64, ReadError> {
    let trimmed = text.trim();
    // What is written for it by OCaml, JavaScript, C and Python; the standard library reads all of them in any case.
    trimmed.parse().map_err(|_| ReadError::mismatch("a number", format!("{trimmed:?}")))
}
