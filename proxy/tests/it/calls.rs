//! Commands against a simulated pool.

use std::fs;

use serde_json::Value as Json;

use crate::harness::{Server, ended, http, json, run, xenoxide};

#[test]
fn results_have_the_types_of_the_schema() {
    let sim = Server::sim(&["--hosts", "2", "--vms", "4"]);
    let url = sim.get("http");
    let vms = json(&["call", url, "VM.get_all_records"]);
    let (reference, vm) = vms.as_object().unwrap().iter().find(|(_, vm)| vm["is_a_template"] == false).unwrap();
    assert!(vm["VCPUs_max"].is_number() && vm["name_label"].is_string() && vm["VBDs"].is_array(), "{vm}");
    let (uuid, name) = (vm["uuid"].as_str().unwrap(), vm["name_label"].as_str().unwrap());
    assert_eq!(json(&["call", url, "VM.get_name_label", uuid]), *name);
    assert_eq!(json(&["call", url, "VM.get_uuid", reference]), *uuid);
    assert_eq!(json(&["call", url, "VM.add_to_other_config", uuid, "key", "value"]), Json::Null);
    assert_eq!(json(&["call", url, "VM.get_other_config", uuid])["key"], "value");
    assert_eq!(json(&["call", url, "VM.set_other_config", uuid, r#"{"a": "b"}"#]), Json::Null);
    assert_eq!(json(&["call", url, "VM.get_other_config", uuid]), serde_json::json!({"a": "b"}));
}

#[test]
fn a_task_is_waited_for() {
    let sim = Server::sim(&["--hosts", "2", "--vms", "6"]);
    let url = sim.get("http");
    let vms = json(&["call", url, "VM.get_all_records"]);
    let halted = |vm: &&Json| vm["power_state"] == "Halted" && vm["is_a_template"] == false && vm["is_a_snapshot"] == false;
    let uuid = vms.as_object().unwrap().values().find(halted).unwrap()["uuid"].as_str().unwrap();
    let started = run(&["call", "--async", "--progress", "always", url, "VM.start", uuid, "false", "false"]);
    assert_eq!((started.code, started.out.trim()), (Some(0), "null"), "{}", started.err);
    assert!(started.err.contains("100 %"), "{}", started.err);
    assert_eq!(json(&["call", url, "VM.get_power_state", uuid]), "Running");
    let again = run(&["call", "--async", url, "VM.start", uuid, "false", "false"]);
    assert_eq!(again.code, Some(3));
    assert!(again.err.contains("VM_BAD_POWER_STATE (vm: OpaqueRef:"), "{}", again.err);
    assert_eq!(again.err.lines().count(), 1, "progress is for terminals: {}", again.err);
    assert_eq!(run(&["call", "--async", url, "VM.get_all"]).code, Some(2));
}

#[cfg(unix)]
#[test]
fn an_interrupted_wait_says_that_the_task_goes_on() {
    use std::io::{BufRead as _, BufReader, Read as _};
    use std::process::{Command, Stdio};

    let sim = Server::sim(&["--hosts", "2", "--vms", "6"]);
    let url = sim.get("http");
    let vms = json(&["call", url, "VM.get_all_records"]);
    let running = |vm: &&Json| vm["power_state"] == "Running" && vm["is_control_domain"] == false;
    let uuid = vms.as_object().unwrap().values().find(running).unwrap()["uuid"].as_str().unwrap();
    let mut call = xenoxide(&["call", "--async", "--progress", "always", url, "VM.clean_reboot", uuid])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(call.stderr.take().unwrap());
    let mut progress = String::new();
    said.read_line(&mut progress).unwrap();
    assert!(progress.contains("0 %"), "{progress}");
    assert!(Command::new("kill").args(["-INT", &call.id().to_string()]).status().unwrap().success());
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!(call.wait().unwrap().code(), Some(130), "{rest}");
    assert!(rest.contains("VM.clean_reboot: interrupted; its task goes on at") && rest.contains(url), "{rest}");
    let task = rest.split("task.get_record ").nth(1).unwrap().split('`').next().unwrap();
    assert_eq!(json(&["call", url, "task.get_record", task])["name_label"], "Async.VM.clean_reboot");
}

#[test]
fn what_was_recorded_answers_again() {
    let sim = Server::sim(&["--hosts", "2", "--vms", "5"]);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("deep/records");
    let out = out.to_str().unwrap();
    let recorded = run(&["record", sim.get("http"), "--out", out]);
    assert_eq!(recorded.code, Some(0), "{}", recorded.err);
    let bytes = fs::read(format!("{out}/VM.get_all_records.xml")).unwrap();
    assert!(bytes.starts_with(b"<?xml version=\"1.0\"?><methodResponse>"));
    let again = run(&["record", sim.get("http"), "--out", out]);
    assert!(again.code == Some(1) && again.err.contains("--force"), "{}", again.err);
    let some = json(&["record", sim.get("http"), "--out", out, "--force", "--classes", "VM,host", "--json"]);
    assert_eq!(
        (&some["files"], &some["classes"]["host"], &some["folder"]),
        (&Json::from(2), &Json::from(2), &Json::from(out))
    );

    let records = format!("records:{out}");
    let names = |target: &str| {
        let vms = json(&["call", target, "VM.get_all_records"]);
        let mut names: Vec<String> = vms.as_object().unwrap().values().map(|vm| vm["name_label"].to_string()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&records), names(sim.get("http")));
    let demo = Server::start(&["demo", "--listen", "127.0.0.1:0", "--records", out]);
    assert_eq!(names(demo.get("sim")), names(sim.get("http")));
}

#[test]
fn a_database_answers_as_its_server_did() {
    let sim = Server::sim(&["--hosts", "2", "--vms", "5"]);
    // `root:xenoxide` in base 64.
    let dump = http(sim.get("http"), "GET", "/pool/xmldbdump", &[("Authorization", "Basic cm9vdDp4ZW5veGlkZQ==")], b"");
    assert_eq!(dump.status, 200);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("xapi-db.xml");
    fs::write(&file, &dump.body).unwrap();
    let target = format!("database:{}", file.display());
    let of = |target: &str, args: &[&str]| json(&[&[args[0], target], &args[1..]].concat());
    let host = of(&target, &["call", "host.get_all"])[0].as_str().unwrap().to_owned();
    for args in [
        &["call", "network.get_all_records"][..],
        &["impact", "host", &host, "--json"],
        &["impact", "--spof", "--json"],
        &["topology", "--lens", "network", "--json"],
    ] {
        assert_eq!(of(&target, args), of(sim.get("http"), args), "{args:?}");
    }
    let listed = run(&["events", &target, "--all", "--classes", "host"]);
    assert_eq!((listed.code, listed.out.lines().count()), (Some(0), 2), "{}", listed.err);
    let out = folder.path().join("records");
    assert_eq!(run(&["record", &target, "--out", out.to_str().unwrap()]).code, Some(0));
}

#[test]
fn a_pool_is_drawn_in_every_form() {
    let sim = Server::sim(&["--hosts", "2", "--vms", "5"]);
    for lens in ["compute", "storage", "network"] {
        for (format, start) in [("svg", "<svg"), ("dot", "digraph"), ("mermaid", "flowchart"), ("json", "{")] {
            let drawn = run(&["topology", sim.get("http"), "--lens", lens, "--format", format]);
            assert_eq!(drawn.code, Some(0), "{}", drawn.err);
            assert!(drawn.out.starts_with(start), "{lens} {format}: {:.80}", drawn.out);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pool.svg");
    let drawn = run(&["topology", sim.get("http"), "--out", file.to_str().unwrap()]);
    assert_eq!((drawn.code, drawn.out.as_str()), (Some(0), ""), "{}", drawn.err);
    assert!(fs::read_to_string(file).unwrap().starts_with("<svg"));
    assert!(json(&["topology", sim.get("http"), "--json"]).is_object());
}

#[cfg(unix)]
#[test]
fn the_unix_socket_needs_no_password() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("xapi");
    let sim = Server::sim(&["--vms", "0", "--unix", socket.to_str().unwrap()]);
    let target = format!("unix:{}", sim.get("unix"));
    let called = ended(xenoxide(&["call", &target, "pool.get_all"]).env_remove("XENOXIDE_PASSWORD"));
    assert_eq!(called.code, Some(0), "{}", called.err);
    let called = ended(xenoxide(&["call", sim.get("http"), "pool.get_all"]).env_remove("XENOXIDE_PASSWORD"));
    assert!(called.code == Some(2) && called.err.contains("--password-file"), "{}", called.err);
}

#[test]
fn what_stops_is_told() {
    let sim = Server::sim(&["--hosts", "2", "--vms", "8"]);
    let url = sim.get("http");
    let hosts = json(&["call", url, "host.get_all_records"]);
    let (reference, host) = hosts.as_object().unwrap().iter().next().unwrap();
    let (uuid, name) = (host["uuid"].as_str().unwrap(), host["name_label"].as_str().unwrap());
    let running = json(&["call", url, "VM.get_all_records"]);
    let guests = running.as_object().unwrap().values().filter(|vm| {
        vm["resident_on"] == reference.as_str() && vm["is_control_domain"] == false && vm["power_state"] != "Suspended"
    });
    let lost = json(&["impact", url, "host", uuid, "--json"]);
    assert_eq!(lost["stopped"], guests.count(), "{lost}");
    assert!(lost["vms"].as_array().unwrap().iter().all(|vm| !vm["reasons"].as_array().unwrap().is_empty()));
    let told = run(&["impact", url, "host", reference]);
    assert_eq!(told.code, Some(0), "{}", told.err);
    assert!(told.out.contains(&format!("it runs on {name}")), "{}", told.out);
    let all: Vec<&str> = hosts.as_object().unwrap().values().map(|host| host["uuid"].as_str().unwrap()).collect();
    let both = json(&[&["impact", url, "--json", "host"][..], &all].concat());
    assert_eq!((both["failing"].as_array().unwrap().len(), &both["coordinator_fails"]), (2, &Json::Bool(true)));
    let points = json(&["impact", url, "--spof", "--json"]);
    assert!(points.as_array().unwrap().iter().any(|point| point["class"] == "SR"), "{points}");
    for (args, code, says) in [
        (&["host"][..], 2, "say which host fails"),
        (&["VM", uuid], 2, "nothing that can fail"),
        (&["SR", uuid], 3, "there is no SR"),
        (&[], 2, "say what fails"),
    ] {
        let refused = run(&[&["impact", url], args].concat());
        assert_eq!(refused.code, Some(code), "{args:?}");
        assert!(refused.err.contains(says), "{args:?}: {}", refused.err);
    }
}
