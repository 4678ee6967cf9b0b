//! What commands print of a small pool that never changes. With XENOXIDE_WRITE_GOLDEN=1 the files are written anew; look at the difference.

use std::path::PathBuf;
use std::{env, fs};

use crate::harness::run;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// The pool as a target.
pub(crate) fn pool() -> String {
    format!("records:{}", folder().join("pool").display())
}

#[track_caller]
fn prints(file: &str, args: &[&str]) {
    let ended = run(args);
    assert_eq!(ended.code, Some(0), "{args:?}: {}", ended.err);
    let path = folder().join(file);
    if env::var_os("XENOXIDE_WRITE_GOLDEN").is_some() {
        fs::write(&path, &ended.out).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(ended.out == expected, "{args:?} prints something else than {}:\n{}", path.display(), ended.out);
}

#[test]
fn what_stops_is_printed_as_ever() {
    let pool = pool();
    prints("impact-host.txt", &["impact", &pool, "host", "xs1"]);
    prints(
        "impact-several.txt",
        &["impact", &pool, "PIF", "OpaqueRef:xs1-eth0", "OpaqueRef:xs2-eth2", "SR", "Local of xs1"],
    );
    prints("impact-colours.txt", &["--color", "always", "impact", &pool, "network", "LAN"]);
    prints("impact-nic.json", &["impact", &pool, "PIF", "OpaqueRef:xs1-eth2", "--json"]);
    prints("spof.txt", &["impact", &pool, "--spof"]);
    prints("spof.json", &["impact", &pool, "--spof", "--json"]);
}

#[test]
fn objects_and_methods_are_printed_as_ever() {
    let pool = pool();
    prints("vbd.json", &["call", &pool, "VBD.get_record", "OpaqueRef:web-a"]);
    prints("names.json", &["call", &pool, "VM.get_by_name_label", "web", "--json"]);
}
