//! `xen-api`, the client of Xen Orchestra, against the simulator.

use std::process::Command;

use crate::harness::{Server, text, tool, top};

#[test]
fn over_http() {
    let sim = Server::sim(&[]);
    let mut command = Command::new(tool("XENOXIDE_NODE"));
    command.arg(top().join("tests/node/journey.mjs"));
    let output = command.args([sim.get("http"), sim.get("user"), sim.get("password")]).output().expect("node runs");
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(text(&output.stdout).trim(), "ok");
}
