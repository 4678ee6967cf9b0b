//! One target under libFuzzer. Which one, the variable `XENAPI_FUZZ_TARGET` says.
#![no_main]
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "a program that always has std")]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use xenapi_fuzz::{TARGETS, target};

static RUN: OnceLock<fn(&[u8])> = OnceLock::new();

fn choose() {
    let name = std::env::var("XENAPI_FUZZ_TARGET").unwrap_or_default();
    match target(&name) {
        Some(target) => _ = RUN.set(target.run),
        None => {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            eprintln!("XENAPI_FUZZ_TARGET={name}: there is no such target; there are {}", names.join(", "));
            std::process::exit(2);
        }
    }
}

fuzz_target!(init: choose(), |bytes: &[u8]| {
    if let Some(run) = RUN.get() {
        run(bytes);
    }
});
