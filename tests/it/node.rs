//! `xen-api`, the client of Xen Orchestra, against the simulator.

use std::process::Command;

use crate::harness::{Server, text, tool, top};

/// Runs a script of `tests/node`.
fn runs(script: &str, urls: &[&str], server: &Server) {
    let mut command = Command::new(tool("XENOXIDE_NODE"));
    command.arg(top().join("tests/node").join(script)).args(urls);
    let output = command.args([server.get("user"), server.get("password")]).output().expect("node runs");
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(text(&output.stdout).trim(), "ok");
}

#[test]
fn over_http() {
    let sim = Server::sim(&[]);
    runs("journey.mjs", &[sim.get("http")], &sim);
}

#[test]
fn over_tls_from_host_to_host() {
    let sim = Server::sim(&["--spread", "--tls-listen", "127.0.0.1:0"]);
    let [master, member] = [0, 1].map(|at| sim.host(at, "https"));
    runs("hosts.mjs", &[&master, &member], &sim);
}
