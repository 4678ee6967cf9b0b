//! What is typed wrongly, and what cannot be done: the exit code, and what is said.

use crate::harness::{Server, ended, nobody, run, xenoxide};

/// Asserts that a command fails with a code, says all those things, and does so in at most so many lines.
#[track_caller]
fn fails(code: i32, args: &[&str], says: &[&str]) {
    let ended = run(args);
    assert_eq!(ended.code, Some(code), "{args:?}: {}", ended.err);
    for part in says {
        assert!(ended.err.contains(part), "{args:?} does not say {part:?}: {}", ended.err);
    }
    assert!(!ended.err.contains("panicked") && ended.err.lines().count() <= 8, "{args:?}: {}", ended.err);
}

#[test]
fn what_is_typed_wrongly_ends_with_2_before_anybody_is_asked() {
    let dead = nobody();
    fails(2, &["frobnicate"], &["frobnicate"]);
    fails(2, &["call", &dead, "VM.strat", "x"], &["VM.strat", "VM.start"]);
    fails(2, &["call", &dead, "vm.get_all"], &["VM.get_all"]);
    fails(2, &["call", &dead, "VM.start"], &["VM.start(", "start_paused: bool"]);
    fails(2, &["call", &dead, "VM.start", "a", "maybe", "false"], &["start_paused", "maybe"]);
    fails(2, &["call", &dead, "VM.set_other_config", "a", "{x"], &["JSON"]);
    fails(2, &["call", &dead, "VBD.get_record", "disk"], &["neither a reference nor a uuid"]);
    fails(2, &["call", "pool", "VM.get_all"], &["https://", "records:DIR"]);
    fails(2, &["events", &dead, "--classes", "vn"], &["vn"]);
    fails(2, &["record", &dead, "--out", "x", "--classes", "vn"], &["vn"]);
    fails(2, &["serve"], &["--pool NAME=URL"]);
    fails(2, &["serve", "--pool", "a=http://x", "--pool", "a=http://y"], &["two pools", "\"a\""]);
    fails(
        2,
        &["serve", "--pool", "a=unix:/x"],
        &["pool a", "unix:/x", "root without a password", "--pool-password-file a="],
    );
    fails(2, &["serve", "--pool", "a=http://x", "--pool-password-file", "a=/f"], &["pool a", "checks passwords itself"]);
    fails(2, &["serve", "--pool", "a=unix:/x", "--pool-password-file", "b=/f"], &["no pool of that name"]);
    fails(1, &["serve", "--pool", "a=unix:/x", "--pool-password-file", "a=/no/such/file"], &["/no/such/file"]);
    fails(2, &["serve", "--fingerprint", &format!("b={}", "00".repeat(32))], &["no pool of that name"]);
    fails(2, &["demo", "--pool", "demo=http://x"], &["demo"]);
    fails(2, &["schema", "VM.strat"], &["start"]);
    fails(2, &["trust", "http://x"], &["https://"]);
    fails(2, &["events", "records:x", "--json", "--text"], &["--text"]);
    fails(2, &["impact", &dead, "bridge", "x"], &["bridge", "host, PIF, network, SR, PBD"]);
    assert_eq!(run(&["--help"]).code, Some(0));
    assert_eq!(run(&["--version"]).code, Some(0));
}

#[test]
fn what_cannot_be_done_here_ends_with_1() {
    let sim = Server::sim(&["--vms", "2"]);
    let url = sim.get("http");
    fails(1, &["call", "records:/no/such/folder", "VM.get_all"], &["/no/such/folder"]);
    fails(1, &["demo", "--records", "/no/such/folder"], &["/no/such/folder"]);
    fails(1, &["demo", "--console", "/no/such/folder"], &["/no/such/folder", "cargo xtask web"]);
    fails(1, &["serve", "--config", "/no/such/file"], &["/no/such/file"]);
    let taken = url.trim_start_matches("http://");
    fails(1, &["sim", "--listen", taken], &[taken, "in use"]);
    fails(1, &["demo", "--listen", taken], &[taken, "in use"]);
    let spread = &["sim", "--spread", "--listen", "0.0.0.0:9"];
    fails(2, spread, &["0.0.0.0 stands for every address", "127.0.0.1:9"]);
    fails(1, &["sim", "--listen", "127.0.0.1:0", "--faults", "host-death:host=9"], &["--faults", "no host \"9\""]);
    fails(1, &["sim", "--listen", "127.0.0.1:0", "--unix", &format!("/tmp/{}", "x".repeat(200))], &["xxx", "shorter"]);
    fails(1, &["record", url, "--out", "/dev/null/x"], &["/dev/null/x"]);
}

#[test]
fn a_broken_store_of_certificates_hinders_only_those_who_need_it() {
    let sim = Server::sim(&["--vms", "0", "--tls-listen", "127.0.0.1:0"]);
    let folder = tempfile::tempdir().unwrap();
    let known = folder.path().join("known_hosts");
    std::fs::write(&known, "half a line").unwrap();
    let call = |target: &str, more: &[&str]| {
        let args = [&["call", target, "pool.get_all"], more].concat();
        ended(xenoxide(&args).env("XENOXIDE_KNOWN_HOSTS", &known))
    };
    assert_eq!(call(sim.get("http"), &[]).code, Some(0));
    assert_eq!(call(sim.get("https"), &["--fingerprint", sim.get("fingerprint")]).code, Some(0));
    let broken = call(sim.get("https"), &[]);
    assert!(broken.code == Some(1) && broken.err.contains("known_hosts, line 1"), "{}", broken.err);
}

#[test]
fn the_schema_is_shown() {
    let shown = run(&["schema", "VM.start"]);
    assert!(shown.out.contains("start_paused: bool") && shown.out.contains("vm-operator"), "{}", shown.out);
    for (name, key) in
        [("VM", "/fields/0/name"), ("VM.power_state", "/type"), ("VM.start", "/params/0/1"), ("VM_BAD_POWER_STATE", "/0")]
    {
        let declared: serde_json::Value = serde_json::from_str(&run(&["schema", name, "--json"]).out).unwrap();
        assert!(declared.pointer(key).is_some_and(serde_json::Value::is_string), "{name}: {declared}");
    }
    fails(2, &["schema", "VM.strat", "--json"], &["start"]);
    assert!(run(&["schema"]).out.lines().count() > 60);
}
