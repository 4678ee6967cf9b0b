//! The official Python SDK against the simulator, and through the proxy.

use std::process::Command;

use crate::harness::{Server, text, tool, top};

/// Runs the journey of `tests/python/sdk.py` against a URL.
fn journey(url: &str, server: &Server) {
    let script = top().join("tests/python/sdk.py");
    let mut command = Command::new(tool("XENOXIDE_PYTHON"));
    let output = command.arg(script).args([url, server.get("user"), server.get("password")]).output().expect("python runs");
    assert!(output.status.success(), "{url}: {}\n{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(text(&output.stdout).trim(), "ok");
}

#[test]
fn over_http() {
    let sim = Server::sim(&[]);
    journey(sim.get("http"), &sim);
}

#[test]
fn over_https() {
    let sim = Server::sim(&["--tls-listen", "127.0.0.1:0"]);
    journey(sim.get("https"), &sim);
}

#[test]
fn over_the_unix_socket() {
    let folder = tempfile::Builder::new().prefix("xenoxide").rand_bytes(8).tempdir().unwrap();
    // The SDK turns underscores into slashes, so the path must hold none.
    let path = folder.path().join("xapi");
    assert!(!path.to_str().unwrap().contains('_'), "{}", path.display());
    let sim = Server::sim(&["--unix", path.to_str().unwrap()]);
    journey(&format!("unix:{}", path.display()), &sim);
}

#[test]
fn every_helper_over_tls() {
    let folder = tempfile::Builder::new().prefix("xenoxide").rand_bytes(8).tempdir().unwrap();
    // As above.
    let path = folder.path().join("xapi");
    let path = path.to_str().unwrap();
    let sim = Server::sim(&["--spread", "--tls-listen", "127.0.0.1:0", "--unix", path]);
    let [master, member] = [0, 1].map(|at| sim.host(at, "https"));
    let mut command = Command::new(tool("XENOXIDE_PYTHON"));
    command.arg(top().join("tests/python/helpers.py")).args([&master, &member, path]);
    let output = command.args([sim.get("user"), sim.get("password")]).output().expect("python runs");
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(text(&output.stdout).trim(), "ok");
}

#[test]
fn through_the_proxy() {
    let sim = Server::sim(&[]);
    let serve = Server::serve(sim.get("http"), &[]);
    journey(&format!("{}/pools/test/rpc", serve.get("url").trim_end_matches('/')), &sim);
}

#[test]
fn through_the_proxy_over_https() {
    let sim = Server::sim(&["--tls-listen", "127.0.0.1:0"]);
    let pin = format!("test={}", sim.get("fingerprint"));
    let serve = Server::serve(sim.get("https"), &["--fingerprint", &pin]);
    journey(&format!("{}/pools/test/rpc", serve.get("url").trim_end_matches('/')), &sim);
}
