//! `cargo xtask no-std`: the crates below the drivers need neither an operating system nor 64-bit atomics.

use crate::command::{self, Stop};
use crate::toolchain::{BARE, Toolchain};
use crate::workspace::Workspace;

/// The crates that promise it, in the order of their dependencies.
const CRATES: [&str; 5] = ["xenapi-core", "xenapi-model", "xenapi-codec", "xenapi-client", "xenapi-topology"];

/// Checks the crates for a microcontroller, where nothing of std exists to lean on by accident.
pub(crate) fn run(workspace: &Workspace) -> Result<(), Stop> {
    let toolchain = Toolchain::ensure(workspace, &BARE)?;
    for name in CRATES {
        // One at a time: together, a feature that one crate asks for would be switched on for the others as well.
        let mut cargo = toolchain.cargo(workspace, &BARE, "check", "no-std");
        cargo.args(["--package", name, "--lib", "--no-default-features"]);
        command::run(&mut cargo)?;
    }
    Ok(())
}
