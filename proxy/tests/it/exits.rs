//! How commands end: every exit code, and what is said with it.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use serde_json::Value as Json;

use crate::harness::{Ended, Server, ended, nobody, run, xenoxide};

/// Asserts how a command ended, and that it said all those things in a few lines.
#[track_caller]
fn is(ended: &Ended, code: i32, says: &[&str]) {
    assert_eq!(ended.code, Some(code), "{}", ended.err);
    for part in says {
        assert!(ended.err.contains(part), "it does not say {part:?}: {}", ended.err);
    }
    assert!(!ended.err.contains("panicked") && ended.err.lines().count() <= 4, "{}", ended.err);
}

#[test]
fn what_the_server_refuses_ends_with_3() {
    let sim = Server::sim(&["--vms", "2"]);
    let url = sim.get("http");
    let wrong = ended(xenoxide(&["call", url, "VM.get_all"]).env("XENOXIDE_PASSWORD", "wrong"));
    is(&wrong, 3, &["SESSION_AUTHENTICATION_FAILED", "root: ", "check user and password"]);
    is(&run(&["call", url, "VM.get_record", "OpaqueRef:none"]), 3, &[url, "HANDLE_INVALID", "OpaqueRef:none"]);
    is(&run(&["call", url, "VM.get_record", "no such VM"]), 3, &["no VM", "no such VM"]);
    is(&run(&["call", url, "VM.get_record", "8a5cbb5e-7f3b-4d2a-9a79-8d3f0f1ec5a1"]), 3, &["UUID_INVALID"]);
    is(&run(&["impact", url, "host", "no such host"]), 3, &["there is no host", "nor one with that name"]);
    let reader = sim.users().into_iter().find(|user| user.contains("read-only")).expect("a user who only reads");
    let denied = run(&["call", url, "--user", reader, "VM.create", r#"{"name_label": "x"}"#]);
    is(&denied, 3, &["RBAC_PERMISSION_DENIED", "higher role"]);
}

#[test]
fn a_server_that_is_not_reached_ends_with_4() {
    let dead = nobody();
    for command in [
        &["call", &dead, "VM.get_all"][..],
        &["events", &dead],
        &["record", &dead, "--out", env!("CARGO_TARGET_TMPDIR")],
        &["topology", &dead],
        &["impact", &dead, "--spof"],
        &["trust", &dead.replace("http", "https")],
    ] {
        is(&run(command), 4, &[dead.trim_start_matches("http://"), "refused", "check that a server listens"]);
    }
    is(&run(&["call", "unix:/no/such/socket", "VM.get_all"]), 4, &["/no/such/socket"]);
    is(&run(&["call", "http://no-such-host.invalid", "VM.get_all"]), 4, &["no-such-host.invalid", "check its name"]);
    let sim = Server::sim(&["--vms", "0"]);
    is(&run(&["call", &sim.get("http").replace("http", "https"), "VM.get_all"]), 4, &["TLS"]);
}

#[test]
fn a_certificate_is_trusted_once_it_was_looked_at_and_otherwise_ends_with_5() {
    let sim = Server::sim(&["--vms", "0", "--tls-listen", "127.0.0.1:0"]);
    let other = Server::sim(&["--vms", "0", "--tls-listen", "127.0.0.1:0"]);
    let (https, fingerprint, wrong) = (sim.get("https"), sim.get("fingerprint"), other.get("fingerprint"));
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("known_hosts");
    let with_store = |args: &[&str]| ended(xenoxide(args).env("XENOXIDE_KNOWN_HOSTS", &store));

    is(&with_store(&["call", https, "pool.get_all"]), 5, &[fingerprint, "xenoxide trust"]);
    is(&with_store(&["trust", https, "--fingerprint", wrong]), 5, &[fingerprint, wrong, "nothing is trusted"]);
    assert!(!store.exists());
    let trusted = with_store(&["trust", https, "--fingerprint", fingerprint, "--json"]);
    is(&trusted, 0, &[]);
    let told: Json = serde_json::from_str(&trusted.out).unwrap();
    assert_eq!((&told["was"], &told["fingerprint"]), (&Json::from("new"), &Json::from(fingerprint)));
    is(&with_store(&["call", https, "pool.get_all"]), 0, &[]);
    assert!(with_store(&["trust", https]).out.contains("trusted already"));
    is(&with_store(&["call", "--fingerprint", wrong, https, "pool.get_all"]), 5, &[fingerprint, wrong]);
    is(&with_store(&["call", "--fingerprint", fingerprint, https, "pool.get_all"]), 0, &[]);

    // Another certificate in the place of the one that is known: both are shown, and nothing goes on by itself.
    let place = https.trim_start_matches("https://");
    std::fs::write(&store, format!("{place} {wrong}\n")).unwrap();
    is(&with_store(&["call", https, "pool.get_all"]), 5, &[fingerprint, wrong]);
    is(&with_store(&["call", "--trust-on-first-use", https, "pool.get_all"]), 5, &[fingerprint, wrong]);
    is(&with_store(&["trust", https]), 5, &[fingerprint, wrong, "--replace"]);
    let replaced = with_store(&["trust", https, "--replace", "--json"]);
    assert_eq!(serde_json::from_str::<Json>(&replaced.out).unwrap()["was"], "replaced", "{}", replaced.err);
    is(&with_store(&["call", https, "pool.get_all"]), 0, &[]);
}

#[test]
fn a_stranger_is_trusted_at_first_use_only_when_asked_and_never_silently() {
    let sim = Server::sim(&["--vms", "0", "--tls-listen", "127.0.0.1:0"]);
    let (https, fingerprint) = (sim.get("https"), sim.get("fingerprint"));
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("known_hosts");
    let call = |more: &[&str]| {
        ended(xenoxide(&[&["call", https, "pool.get_all"], more].concat()).env("XENOXIDE_KNOWN_HOSTS", &store))
    };
    let first = call(&["--trust-on-first-use"]);
    is(&first, 0, &["was not known", fingerprint, store.to_str().unwrap()]);
    let second = call(&["--trust-on-first-use"]);
    assert_eq!((second.code, second.err.as_str()), (Some(0), ""));
    assert_eq!(call(&[]).code, Some(0));
}

/// A pool whose hosts have addresses and certificates of their own: the places of the master and of a member, each with the SHA-256.
fn spread() -> (Server, [[String; 2]; 2]) {
    let sim = Server::sim(&["--vms", "0", "--hosts", "2", "--tls-listen", "127.0.0.1:0", "--spread"]);
    let hosts = sim.ready()["hosts"].as_array().unwrap().clone();
    let of = |master: bool| {
        let host = hosts.iter().find(|host| host["master"] == master).unwrap();
        ["https", "fingerprint"].map(|key| host[key].as_str().unwrap().to_owned())
    };
    (sim, [of(true), of(false)])
}

#[test]
fn a_member_sends_to_its_master() {
    let (_sim, [[master, _], [member, fingerprint]]) = spread();
    let called = run(&["call", &member, "pool.get_all", "--fingerprint", &fingerprint]);
    is(&called, 0, &[&member, "is a member of its pool", &master]);
    is(&run(&["impact", &member, "--spof", "--fingerprint", &fingerprint]), 0, &["is a member"]);
}

#[test]
fn a_whole_pool_is_trusted_by_the_word_of_one_host() {
    let (_sim, [[master, fingerprint], [member, other]]) = spread();
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("known_hosts");
    let with_store = |args: &[&str]| ended(xenoxide(args).env("XENOXIDE_KNOWN_HOSTS", &store));
    is(&with_store(&["call", &member, "pool.get_all"]), 5, &[&other]);
    let trusted = with_store(&["trust", &master, "--fingerprint", &fingerprint, "--pool", "--json"]);
    is(&trusted, 0, &[]);
    let told: Json = serde_json::from_str(&trusted.out).unwrap();
    let known = |at: &str| told["hosts"].as_array().unwrap().iter().any(|host| host["trusted"] == at);
    assert!(known(&fingerprint) && known(&other), "{told}");
    is(&with_store(&["call", &member, "pool.get_all"]), 0, &[&master]);
    let again = with_store(&["trust", &master, "--pool"]);
    assert!(again.out.contains("trusted already") && again.out.contains(&other), "{}", again.out);
    let wrong =
        ended(xenoxide(&["trust", &master, "--pool"]).env("XENOXIDE_KNOWN_HOSTS", &store).env("XENOXIDE_PASSWORD", "x"));
    is(&wrong, 3, &["SESSION_AUTHENTICATION_FAILED"]);
}

#[test]
fn the_roots_of_a_file_vouch_and_nobody_elses_do() {
    let sim = Server::sim(&["--vms", "0", "--tls-listen", "127.0.0.1:0"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let call = |target: &str| run(&["call", target, "pool.get_all", "--ca-file", file.to_str().unwrap()]);
    is(&call(sim.get("https")), 1, &["--ca-file", "ca.pem"]);
    std::fs::write(&file, "no certificate").unwrap();
    is(&call(sim.get("https")), 1, &["ca.pem", "no certificate"]);
    // Some authority that has nothing to do with the server.
    std::fs::write(&file, include_str!("../golden/ca.pem")).unwrap();
    is(&call(sim.get("https")), 5, &["ca.pem", sim.get("fingerprint")]);
    is(&call(sim.get("http")), 2, &["shows no certificate"]);
    is(&run(&["call", sim.get("http"), "pool.get_all", "--trust-on-first-use"]), 2, &["https:// targets"]);
    let both = run(&["call", sim.get("https"), "pool.get_all", "--trust-on-first-use", "--ca-file", "x"]);
    assert!(both.code == Some(2) && both.err.contains("cannot be used with"), "{}", both.err);
}

#[test]
fn a_server_that_speaks_something_else_ends_with_6() {
    let page = |text: &'static str| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(text.as_bytes());
            }
        });
        url
    };
    let not_found = page("HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<b>x</b>");
    is(&run(&["call", &not_found, "VM.get_all"]), 6, &["404", "check that this is a XenAPI server"]);
    let html = page("HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\n<html/>");
    is(&run(&["call", &html, "VM.get_all"]), 6, &["cannot be read", "XenAPI server"]);
    is(&run(&["topology", &html]), 6, &["cannot be read"]);
    let sim = Server::sim(&["--vms", "2", "--faults", "truncate:method=VM.get_all_records"]);
    is(&run(&["call", sim.get("http"), "VM.get_all_records"]), 6, &["VM.get_all_records"]);
}

#[cfg(unix)]
#[test]
fn an_interrupted_command_ends_with_130() {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    let sim = Server::sim(&["--vms", "2", "--faults", "delay=1h:method=VM.get_all_records"]);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let args = &["record", sim.get("http"), "--out", out, "--classes", "VM", "--progress", "always"];
    for signal in ["-INT", "-TERM"] {
        let mut record = xenoxide(args).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(record.stderr.take().unwrap());
        let mut progress = String::new();
        said.read_line(&mut progress).unwrap();
        assert_eq!(progress, "record: 0 %\n");
        assert!(Command::new("kill").args([signal, &record.id().to_string()]).status().unwrap().success());
        let mut rest = String::new();
        said.read_to_string(&mut rest).unwrap();
        assert_eq!(record.wait().unwrap().code(), Some(130), "{rest}");
        assert!(rest.contains("interrupted") && rest.contains(sim.get("http")), "{rest}");
    }
}

#[test]
fn programs_get_errors_as_json() {
    let sim = Server::sim(&["--vms", "2"]);
    let dead = nobody();
    let error = |args: &[&str]| -> Json {
        let ended = run(args);
        let json: Json = serde_json::from_str(&ended.err).unwrap_or_else(|error| panic!("{error}: {}", ended.err));
        assert_eq!(json["error"]["exit"].as_i64(), ended.code.map(i64::from));
        assert_eq!(ended.out, "");
        json["error"].clone()
    };
    let refused = error(&["call", "--json", sim.get("http"), "VM.get_record", "OpaqueRef:none"]);
    assert_eq!((&refused["kind"], &refused["code"]), (&Json::from("refused"), &Json::from("HANDLE_INVALID")));
    assert_eq!(refused["params"], serde_json::json!(["VM", "OpaqueRef:none"]));
    for command in ["events", "topology"] {
        assert_eq!(error(&[command, "--json", &dead])["kind"], "unreachable", "{command}");
    }
    assert_eq!(error(&["impact", "--json", "--spof", &dead])["kind"], "unreachable");
    assert_eq!(error(&["record", "--json", "--out", "/dev/null/x", &dead])["kind"], "failed");
    assert_eq!(error(&["trust", "--json", "http://x"])["kind"], "usage");
    assert_eq!(error(&["schema", "--json", "VM.strat"])["kind"], "usage");
    assert_eq!(error(&["topology", "--json", "ftp://x"])["kind"], "usage");
    assert_eq!(error(&["call", "--json", "--password", "x"])["kind"], "usage");
}

#[test]
fn the_help_has_every_code() {
    let help = run(&["--help"]);
    assert_eq!(help.code, Some(0));
    for code in ["  0  ", "  1  ", "  2  ", "  3  ", "  4  ", "  5  ", "  6  ", "130  "] {
        assert!(help.out.lines().any(|line| line.trim_start().starts_with(code.trim_start())), "{code:?}: {}", help.out);
    }
    assert!(help.out.contains("XENOXIDE_PASSWORD"));
}

#[test]
fn a_reader_who_has_enough_is_no_failure() {
    let mut schema = xenoxide(&["schema", "--json"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(schema.stdout.take());
    assert_eq!(schema.wait().unwrap().code(), Some(0));
}
