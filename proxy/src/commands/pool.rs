//! Making a simulated pool, and answering for it over the network.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use xenapi_core::Millis;
use xenapi_hyper::server::{self, ServerConfig, SimServer};
use xenapi_sim::{Config, Sim};

use crate::cli::{Exit, Simulated};
use crate::output;

/// The user of a simulated pool.
pub(super) const USER: &str = "root";

/// The password of a simulated pool.
pub(super) const PASSWORD: &str = xenapi_sim::PASSWORD;

/// A recording of a pool of thousands of VMs has about 60 MiB.
const LONGEST_RECORDING: u64 = 1 << 30;

/// Support bundles have logs, and are read whole.
const LONGEST_BUNDLE: u64 = 2 << 30;

/// Makes the pool that the options ask for, with its faults.
pub(super) fn make(args: &Simulated) -> Result<Sim, Exit> {
    let mut sim = without_faults(args)?;
    for list in &args.faults {
        sim.check_faults(&list.0).map_err(|error| Exit::failure(format!("--faults: {error}")))?;
        sim.add_faults(&list.0, Millis(0));
    }
    if let Some(rate) = args.life {
        let vms = sim.live(rate, Millis(0));
        output::say(&format!("note: {vms} VMs live by themselves; those with the tag {:?}", xenapi_sim::life::TAG));
    }
    Ok(sim)
}

fn without_faults(args: &Simulated) -> Result<Sim, Exit> {
    match (&args.records, &args.database) {
        (Some(folder), _) => from_records(folder),
        (None, Some(file)) => from_database(file),
        (None, None) => Ok(Sim::new(&Config {
            hosts: args.hosts.map_or(args.scenario.hosts(), usize::from),
            vms: args.vms.map_or(args.scenario.vms(), usize::from),
            seed: args.seed,
            wall_clock: wall_clock(),
            scenario: args.scenario,
        })),
    }
}

/// Makes a pool out of recordings, and tells what is missing or odd about them.
pub(super) fn from_records(folder: &Path) -> Result<Sim, Exit> {
    let failed = |what: String| Exit::failure(format!("the recordings in {}: {what}", folder.display()));
    let files = read(folder).map_err(failed)?;
    if files.is_empty() {
        return Err(failed(
            "there is no <class>.get_all_records.xml; `xenoxide record TARGET --out DIR` makes such files".into(),
        ));
    }
    let (sim, notes) = Sim::from_records(&files, wall_clock()).map_err(|error| failed(error.to_string()))?;
    for note in notes {
        output::say(&format!("note: {note}"));
    }
    Ok(sim)
}

/// Makes a pool out of xapi's database, or of a support bundle that holds it, and tells what is missing or odd about it.
pub(super) fn from_database(file: &Path) -> Result<Sim, Exit> {
    let failed = |what: String| Exit::failure(format!("{}: {what}", file.display()));
    let size = fs::metadata(file).map_err(|error| failed(error.to_string()))?.len();
    if size > LONGEST_BUNDLE {
        return Err(failed(format!("it has {size} bytes; at most {LONGEST_BUNDLE} are read: unpack xapi-db.xml first")));
    }
    let bytes = fs::read(file).map_err(|error| failed(error.to_string()))?;
    let (sim, notes) = Sim::from_database(&bytes, wall_clock()).map_err(|error| failed(error.to_string()))?;
    for note in notes {
        output::say(&format!("note: {note}"));
    }
    Ok(sim)
}

/// Begins to answer for a pool.
pub(super) async fn answer(sim: Sim, config: &ServerConfig) -> Result<SimServer, Exit> {
    server::serve(sim, config).await.map_err(Exit::failure)
}

fn read(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, String> {
    let mut files = Vec::new();
    let mut left = LONGEST_RECORDING;
    for entry in fs::read_dir(folder).map_err(|error| error.to_string())? {
        let entry = entry.map_err(|error| error.to_string())?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if !is_recording(&name) {
            continue;
        }
        let failed = |error: std::io::Error| format!("{name}: {error}");
        let size = fs::metadata(entry.path()).map_err(failed)?.len();
        left = left.checked_sub(size).ok_or_else(|| format!("they hold more than {LONGEST_RECORDING} bytes"))?;
        let bytes = fs::read(entry.path()).map_err(failed)?;
        files.push((name, bytes));
    }
    // The order of a folder is nobody's; the pool should be the same each time.
    files.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    Ok(files)
}

/// `VM.get_all_records.xml`, `VM.get_all_records.templates.xml`, `VM.get_record.xml`.
fn is_recording(name: &str) -> bool {
    let message = name.strip_suffix(".xml").and_then(|name| name.split('.').nth(1));
    matches!(message, Some("get_all_records" | "get_record"))
}

/// Milliseconds since 1970. A clock before that counts as 1970.
fn wall_clock() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;

    #[test]
    fn recordings_are_known_by_their_names() {
        for name in ["VM.get_all_records.xml", "VM.get_all_records.templates.xml", "VBD.get_record.xml"] {
            assert!(is_recording(name), "{name}");
        }
        for name in ["README.md", "VM.xml", "get_all_records.xml", "VM.get_all_records.json", ".xml"] {
            assert!(!is_recording(name), "{name}");
        }
    }

    #[test]
    fn a_file_that_is_no_database_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "<html/>").unwrap();
        let error = from_database(file.path()).err().unwrap();
        assert!(error.message.contains(file.path().to_str().unwrap()), "{}", error.message);
        assert!(error.message.contains("<database> is expected"), "{}", error.message);
        assert!(from_database(Path::new("/no/such/file")).err().unwrap().message.contains("/no/such/file"));
    }

    #[test]
    fn a_folder_without_recordings_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("README.md"), "x").unwrap();
        let error = from_records(folder.path()).err().unwrap();
        assert!(error.code == 1 && error.message.contains(folder.path().to_str().unwrap()), "{}", error.message);
        assert!(error.message.contains("xenoxide record"));
        assert!(from_records(Path::new("/no/such/folder")).err().unwrap().message.contains("/no/such/folder"));
    }
}
