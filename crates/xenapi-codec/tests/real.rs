//! Replies of a real XenServer 5.5, from `../shared/real` beside the workspace, where that is.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::{Path, PathBuf};

use xenapi_codec::Limits;
use xenapi_codec::xmlrpc::read_result;
use xenapi_core::{Class, Record, Records, Wire};
use xenapi_model as model;

fn recordings() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/real");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skipped: {} is not there", folder.display());
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "xml"));
    files.sort();
    files
}

/// Reads the recording as records of a class; answers how many there are and what was wrong with others.
fn decode<C: Class>(file: &str, bytes: &[u8]) -> (usize, Vec<String>) {
    let limits = Limits::reply();
    if file.contains(".get_all_records.") {
        let records = read_result(bytes, &limits, Records::<C::Record>::read).unwrap().unwrap();
        for (reference, record) in &records.records {
            assert!(reference.as_str().starts_with("OpaqueRef:"), "{reference:?}");
            check_missing(record);
        }
        (records.records.len(), records.wrong.iter().map(ToString::to_string).collect())
    } else {
        match read_result(bytes, &limits, C::Record::read) {
            Ok(record) => {
                check_missing(&record.unwrap());
                (1, Vec::new())
            }
            Err(error) => (0, vec![error.to_string()]),
        }
    }
}

/// A record so old lacks fields of today, and has at least its uuid or some other.
fn check_missing<R: Record>(record: &R) {
    let missing = record.missing().count();
    assert!(missing > 0 && missing < R::DESC.fields.len(), "{missing} fields missing");
}

#[test]
fn every_recording_becomes_typed_records() {
    let mut read = 0;
    for path in recordings() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let (count, wrong) = match name.split('.').next().unwrap() {
            "VM" => decode::<model::VM>(name, &bytes),
            "SR" => decode::<model::SR>(name, &bytes),
            "PIF" => decode::<model::PIF>(name, &bytes),
            "VBD" => decode::<model::VBD>(name, &bytes),
            "pool" => decode::<model::Pool>(name, &bytes),
            other => panic!("{name}: the class {other} is not tested here; add it"),
        };
        println!("{name}: {count} records");
        assert_eq!(wrong, Vec::<String>::new(), "{name}");
        assert!(count > 0, "{name}");
        read += 1;
    }
    println!("{read} recordings read");
}
