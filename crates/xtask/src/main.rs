//! `cargo xtask`: everything one does in this workspace that plain cargo does not know how to do.
//!
//! Each command installs what it lacks, says so first, and does nothing twice: stamps live in `target/xtask`.

#![allow(
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    reason = "a host tool that always has std: two crate roots for one import say nothing here"
)]

mod bench;
mod bench_console;
mod command;
mod console;
mod demo;
mod environments;
mod fuzz;
mod metadata;
mod needs;
mod no_std;
mod progress;
mod stamps;
mod suite;
mod tidy;
mod toolchain;
mod tools;
mod workspace;

use std::ffi::OsStr;
use std::process::ExitCode;

use command::Stop;
use progress::Progress;
use workspace::Workspace;

const HELP: &str = "\
Automation of the Xenoxide workspace.

usage: cargo xtask [--no-install] COMMAND [ARGS]

commands:
  demo [ARGS]      build everything and serve the console on a simulated pool at http://127.0.0.1:8080;
                   ARGS go to `xenoxide demo` (see `xenoxide demo --help`)
  test             run every test, the browser's included; `cargo xtask test --help` has the options
  lint             formatting, clippy and the house rules
  tidy             the house rules alone
  gen [--check]    write the generated code of xenapi-model, or check that it is up to date
  web [--dev]      build the console into target/web/dist; --dev compiles faster, into larger files
  no-std           prove that the crates below the drivers build without an operating system
  size             build the console and print what it costs to download
  bench [SUITE]    run the benchmarks; `codec` prints one table of the codec and its peers, `codec-web` the part of it
                   that a browser measures; `console` measures the console on a pool of 5,000 VMs
  fuzz TARGET [SECS], fuzz TARGET --replay FILE, fuzz --list
                   search for inputs that break the codec, for as long as asked (60 s); the target `all`
                   divides the time among all of them

options:
  --no-install     never install anything: name what is missing and the command that installs it
  -h, --help       this text

environment:
  XTASK_CROSS      which compiler builds for other targets: `rustup` or `debian`
                   (default: rustup's if it has or can get the target, else Debian's rustc-web)
  XENOXIDE_CHROMIUM, XENOXIDE_CHROMEDRIVER, XENOXIDE_PYTHON, XENOXIDE_NODE
                   programs for the tests to use instead of those found on PATH";

fn main() -> ExitCode {
    let mut args = Vec::new();
    for arg in std::env::args_os().skip(1) {
        match arg.into_string() {
            Ok(arg) => args.push(arg),
            Err(arg) => {
                return report(&Stop::usage(format!("argument {} is not UTF-8", arg.display())));
            }
        }
    }
    match dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => report(&stop),
    }
}

fn report(stop: &Stop) -> ExitCode {
    eprintln!("\nerror: {}", stop.message);
    ExitCode::from(stop.code)
}

fn dispatch(args: &[String]) -> Result<(), Stop> {
    let mut install = true;
    let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
    while let Some(&"--no-install") = args.first() {
        install = false;
        args.remove(0);
    }
    let Some((&command, rest)) = args.split_first() else {
        return Err(Stop::usage("no command given; see `cargo xtask --help`"));
    };
    let help = |arg: &&str| matches!(*arg, "-h" | "--help");
    let own = rest.iter().take_while(|arg| **arg != "--");
    if command == "help" || help(&command) || (command != "test" && own.into_iter().any(help)) {
        command::print(HELP);
        return Ok(());
    }
    let workspace = Workspace::open(install)?;
    match (command, rest) {
        ("demo", rest) => demo::run(&workspace, rest),
        ("test", rest) => suite::test(&workspace, rest),
        ("lint", []) => suite::lint(&workspace),
        ("tidy", []) => tidy::run(&workspace),
        ("gen", []) => generate(&workspace, false),
        ("gen", ["--check"]) => generate(&workspace, true),
        ("web", []) => web(&workspace, console::Mode::Small),
        ("web", ["--dev"]) => web(&workspace, console::Mode::Dev),
        ("no-std", []) => no_std::run(&workspace),
        ("size", []) => size(&workspace),
        ("bench", []) => bench::run(&workspace, None),
        ("bench", [suite]) if !suite.starts_with('-') => bench::run(&workspace, Some(suite)),
        ("fuzz", rest) => fuzz::run(&workspace, rest),
        ("lint" | "tidy" | "gen" | "web" | "no-std" | "size" | "bench", rest) => {
            Err(Stop::usage(format!("`{command}` does not take `{}`; see `cargo xtask --help`", rest.join(" "))))
        }
        _ => Err(Stop::usage(format!("there is no command `{command}`; see `cargo xtask --help`"))),
    }
}

pub(crate) fn generate(workspace: &Workspace, check: bool) -> Result<(), Stop> {
    let mut cargo = workspace.cargo();
    cargo.args(["run", "--quiet", "--package", "xenapi-codegen", "--"]);
    if check {
        cargo.arg("--check");
    }
    command::run(&mut cargo)
}

fn web(workspace: &Workspace, mode: console::Mode) -> Result<(), Stop> {
    let mut progress = Progress::new(1);
    progress.step("build the console");
    let dist = console::build(workspace, mode)?;
    progress.note(&format!("the console is in {}", dist.display()));
    Ok(())
}

fn size(workspace: &Workspace) -> Result<(), Stop> {
    let dist = console::build(workspace, console::Mode::Small)?;
    command::run(workspace.xtask_web().args([OsStr::new("size"), dist.as_os_str()]))
}
