//! A few thousand executions of each target: what `cargo xtask fuzz` does for hours, in seconds and always the same.
#![allow(missing_docs, clippy::unwrap_used)]

use xenapi_fuzz::{mutate, target};

/// Mutated inputs for each target. Without optimisation that is a second or so.
const COUNT: usize = 3000;

#[track_caller]
fn short(name: &str) {
    // Some read each input dozens of times.
    let count = if matches!(name, "chunks" | "readers") { COUNT / 5 } else { COUNT };
    mutate::run(target(name).unwrap(), count, 1);
}

#[test]
fn bytes() {
    short("bytes");
}

#[test]
fn typed() {
    short("typed");
}

#[test]
fn rewritten() {
    short("rewritten");
}

#[test]
fn values() {
    short("values");
}

#[test]
fn wander() {
    short("wander");
}

#[test]
fn limits() {
    short("limits");
}

#[test]
fn json() {
    short("json");
}

#[test]
fn chunks() {
    short("chunks");
}

#[test]
fn views() {
    short("views");
}

#[test]
fn json_values() {
    short("json-values");
}

#[test]
fn readers() {
    short("readers");
}

#[test]
fn every_target_has_a_short_run() {
    let source = include_str!("short.rs");
    for target in xenapi_fuzz::TARGETS {
        assert!(source.contains(&format!("short(\"{}\")", target.name)), "{}", target.name);
    }
}
