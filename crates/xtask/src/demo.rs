//! `cargo xtask demo`: from a fresh clone to a console in the browser.

use std::ffi::OsStr;
use std::process::Command;

use crate::command::{self, Stop};
use crate::console;
use crate::progress::Progress;
use crate::toolchain::{Toolchain, WASM};
use crate::workspace::Workspace;

const LISTEN: &str = "127.0.0.1:8080";

/// Builds the console and the server, then becomes the server.
pub(crate) fn run(workspace: &Workspace, args: &[&str]) -> Result<(), Stop> {
    let args = args.strip_prefix(&["--"]).unwrap_or(args);
    let mut progress = Progress::new(4);
    progress.step("see what is needed to compile for the browser");
    Toolchain::ensure(workspace, &WASM)?;
    progress.step("build the console (the first time takes some minutes)");
    let dist = console::build(workspace, console::Mode::Small)?;
    progress.step("build the server (the first time takes some minutes)");
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--release", "--package", "xenoxide", "--bin", "xenoxide"]);
    command::run(&mut cargo)?;
    progress.step("serve the console on a simulated pool; Ctrl-C ends it");
    let mut server = Command::new(workspace.target.join("release/xenoxide"));
    server.arg("demo");
    if !has_option(args, "--listen") {
        server.args(["--listen", LISTEN]);
    }
    if !has_option(args, "--console") {
        server.args([OsStr::new("--console"), dist.as_os_str()]);
    }
    server.args(args);
    become_program(server)
}

fn has_option(args: &[&str], name: &str) -> bool {
    args.iter().any(|arg| arg.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('=')))
}

/// On Unix the server takes this process's place, so that signals reach it and nobody stands in between.
#[cfg(unix)]
fn become_program(mut program: Command) -> Result<(), Stop> {
    use std::os::unix::process::CommandExt as _;
    let error = program.exec();
    Err(Stop::failed(format!("cannot run `{}`: {error}", command::describe(&program))))
}

#[cfg(not(unix))]
fn become_program(mut program: Command) -> Result<(), Stop> {
    command::run(&mut program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_seen_in_both_spellings_and_not_inside_another() {
        assert!(has_option(&["--json", "--listen", "[::]:80"], "--listen"));
        assert!(has_option(&["--listen=[::]:80"], "--listen"));
        assert!(!has_option(&["--listening", "--hosts", "4"], "--listen"));
    }
}
