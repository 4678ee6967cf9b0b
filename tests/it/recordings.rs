//! Recording a pool, and showing recordings as a pool.

use std::fs;

use serde_json::Value;

use crate::harness::{Server, run, top, xenoxide};

#[test]
fn what_is_recorded_loads_as_the_same_pool() {
    let sim = Server::sim(&["--hosts", "2", "--vms", "7"]);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("records");
    let out = out.to_str().unwrap();
    run(&["record", sim.get("http"), "--out", out]);
    let recorded = fs::read_to_string(format!("{out}/VM.get_all_records.xml")).unwrap();
    assert!(
        recorded.starts_with("<?xml version=\"1.0\"?><methodResponse><params><param><value><struct><member><name>Status")
    );

    let live: Value = serde_json::from_str(&run(&["call", sim.get("http"), "VM.get_all_records"])).unwrap();
    let again: Value = serde_json::from_str(&run(&["call", &format!("records:{out}"), "VM.get_all_records"])).unwrap();
    let names = |all: &Value| {
        let mut names: Vec<String> = all.as_object().unwrap().values().map(|vm| vm["name_label"].to_string()).collect();
        names.sort();
        names
    };
    assert!(!names(&live).is_empty());
    assert_eq!(names(&live), names(&again));

    // Nobody's recording is overwritten by accident.
    let status = xenoxide(&["record", sim.get("http"), "--out", out]).output().unwrap().status;
    assert_eq!(status.code(), Some(1));
}

#[test]
fn a_real_pool_of_2009_loads() {
    let real = top().join("../shared/real");
    if !real.is_dir() {
        println!("skipped: no recordings of a real XenServer at {}", real.display());
        return;
    }
    let target = format!("records:{}", real.display());
    let vms: Value = serde_json::from_str(&run(&["call", &target, "VM.get_all_records"])).unwrap();
    let vms = vms.as_object().unwrap();
    assert_eq!(vms.len(), 10);
    let pools: Value = serde_json::from_str(&run(&["call", &target, "pool.get_all_records"])).unwrap();
    let pool = pools.as_object().unwrap().values().next().unwrap();
    assert_eq!(pool["name_label"], "Pool1");
    // A class that nobody recorded is empty, not an error.
    let hosts: Value = serde_json::from_str(&run(&["call", &target, "VIF.get_all_records"])).unwrap();
    assert_eq!(hosts.as_object().unwrap().len(), 0);
}
