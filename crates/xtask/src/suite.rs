//! `cargo xtask test` and `cargo xtask lint`: the steps, their order, and what to say when one fails.

use std::time::{Duration, Instant};

use crate::command::{self, Stop};
use crate::console;
use crate::environments::Environments;
use crate::needs;
use crate::no_std;
use crate::progress::{Progress, clock};
use crate::tidy;
use crate::toolchain::{self, BARE, Toolchain, WASM};
use crate::workspace::Workspace;

const HELP: &str = "\
Run every test, the browser's included, after installing what they need.

usage: cargo xtask test [--only STEP]... [--approve] [-- ARGS]

  --approve    take the pictures of the console's pages as they are now for right, after you have looked at them
  --only STEP  run this step alone, after what it needs; may be given again for more steps
  --list       name the steps and exit
  ARGS         go to every `cargo test` that runs, as in `cargo xtask test --only e2e -- python`";

const APPROVE: &str = "--approve";
/// The tests that compare pictures.
const SCREENSHOTS: &[&str] = &["--", "screenshots"];

/// What a step has to work with.
struct Run<'a> {
    workspace: &'a Workspace,
    /// What the user wants `cargo test` to be given beside.
    extra: &'a [&'a str],
    /// Whether the pages look right as they are.
    approve: bool,
}

struct Step {
    name: &'static str,
    title: &'static str,
    /// Steps that have to run before this one, if only this one is asked for.
    after: &'static [&'static str],
    run: fn(&Run<'_>) -> Result<(), Stop>,
}

const STEPS: [Step; 11] = [
    Step { name: "fmt", title: "formatting", after: &[], run: fmt },
    Step { name: "clippy", title: "clippy", after: &[], run: clippy },
    Step { name: "tidy", title: "house rules", after: &[], run: |run| tidy::run(run.workspace) },
    Step { name: "gen", title: "generated code is up to date", after: &[], run: |run| crate::generate(run.workspace, true) },
    Step { name: "unit", title: "unit and property tests", after: &[], run: unit },
    Step { name: "faults", title: "ten thousand schedules of faults", after: &[], run: faults },
    Step { name: "web-unit", title: "tests of the console that need no browser", after: &[], run: web_unit },
    Step { name: "no-std", title: "crates without an operating system", after: &[], run: |run| no_std::run(run.workspace) },
    Step { name: "web", title: "build the console", after: &[], run: |run| web(run) },
    Step { name: "bin", title: "build the server", after: &[], run: bin },
    Step { name: "e2e", title: "real processes, real clients, a real browser", after: &["web", "bin"], run: e2e },
];

/// The steps of `cargo xtask lint`.
const LINT: [&str; 3] = ["fmt", "clippy", "tidy"];

/// `cargo xtask test ARGS`.
pub(crate) fn test(workspace: &Workspace, args: &[&str]) -> Result<(), Stop> {
    let (options, extra) = match args.iter().position(|arg| *arg == "--") {
        Some(at) => (&args[..at], &args[at + 1..]),
        None => (args, &args[args.len()..]),
    };
    let wanted = match parse(options)? {
        Asked::Help => {
            command::print(&format!("{HELP}\n\nsteps:\n{}", listing()));
            return Ok(());
        }
        Asked::List => {
            command::print(&listing());
            return Ok(());
        }
        Asked::Steps(wanted) => wanted,
    };
    let approve = options.contains(&APPROVE);
    let (wanted, extra) = if approve { (vec!["e2e".to_owned()], SCREENSHOTS) } else { (wanted, extra) };
    let steps = select(&wanted);
    let run = Run { workspace, extra, approve };
    let mut progress = Progress::new(steps.len() + 1);
    progress.step("see what the tests need");
    install(workspace, &steps)?;
    execute(&run, &steps, &mut progress)
}

/// `cargo xtask lint`.
pub(crate) fn lint(workspace: &Workspace) -> Result<(), Stop> {
    let steps = select(&LINT.map(str::to_owned));
    install(workspace, &steps)?;
    execute(&Run { workspace, extra: &[], approve: false }, &steps, &mut Progress::new(steps.len()))
}

enum Asked {
    Help,
    List,
    /// The names given with `--only`; empty for all.
    Steps(Vec<String>),
}

fn parse(options: &[&str]) -> Result<Asked, Stop> {
    let mut wanted = Vec::new();
    let mut options = options.iter();
    while let Some(&option) = options.next() {
        let name = match option {
            "-h" | "--help" => return Ok(Asked::Help),
            "--list" => return Ok(Asked::List),
            APPROVE => continue,
            "--only" => options.next().copied(),
            other => match other.strip_prefix("--only=") {
                Some(name) => Some(name),
                None => {
                    return Err(Stop::usage(format!("`test` does not take `{other}`\n\n{HELP}")));
                }
            },
        };
        let name = name.ok_or_else(|| Stop::usage(format!("--only needs a step:\n{}", listing())))?;
        if !STEPS.iter().any(|step| step.name == name) {
            return Err(Stop::usage(format!("there is no step `{name}`; the steps are:\n{}", listing())));
        }
        wanted.push(name.to_owned());
    }
    Ok(Asked::Steps(wanted))
}

fn listing() -> String {
    let lines: Vec<String> = STEPS.iter().map(|step| format!("  {:<9} {}", step.name, step.title)).collect();
    lines.join("\n")
}

/// The steps to run: those named, and before them those that they build on, in the usual order.
fn select(wanted: &[String]) -> Vec<&'static Step> {
    let named = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    let before = |name: &str| STEPS.iter().any(|step| named(step.name) && step.after.contains(&name));
    STEPS.iter().filter(|step| named(step.name) || before(step.name)).collect()
}

/// Installs everything first: a test that fails for want of a program after twenty minutes helps nobody.
fn install(workspace: &Workspace, steps: &[&Step]) -> Result<(), Stop> {
    let has = |name: &str| steps.iter().any(|step| step.name == name);
    if has("fmt") || has("clippy") {
        toolchain::ensure_components(workspace)?;
    }
    let mut targets = Vec::new();
    if has("web") {
        targets.push(&WASM);
    }
    if has("no-std") {
        targets.push(&BARE);
    }
    let compilers = targets.into_iter().try_for_each(|target| Toolchain::ensure(workspace, target).map(|_| ()));
    if !has("e2e") || (compilers.is_err() && needs::can_install(workspace)) {
        return compilers;
    }
    // Whoever has to install by hand is told everything at once.
    let clients = Environments::ensure(workspace).map(|_| ());
    match (compilers, clients) {
        (Err(one), Err(other)) => Err(Stop { message: format!("{}\n\n{}", one.message, other.message), code: one.code }),
        (compilers, clients) => compilers.and(clients),
    }
}

fn execute(run: &Run<'_>, steps: &[&Step], progress: &mut Progress) -> Result<(), Stop> {
    let mut times = Vec::new();
    for step in steps {
        progress.step(&format!("{}: {}", step.name, step.title));
        let started = Instant::now();
        (step.run)(run).map_err(|stop| failure(step, &stop))?;
        times.push((step.name, started.elapsed()));
    }
    eprint!("\n{}", summary(&times, progress.elapsed()));
    // A line that says it all by itself, for people and for programs that read logs from the end.
    command::print(&format!("steps: {} passed, 0 failed", steps.len()));
    Ok(())
}

fn failure(step: &Step, stop: &Stop) -> Stop {
    let again = if LINT.contains(&step.name) {
        format!("cargo xtask lint, or cargo xtask test --only {}", step.name)
    } else {
        format!("cargo xtask test --only {}", step.name)
    };
    Stop { message: format!("step `{}` failed: {}\nrun it again: {again}", step.name, stop.message), code: stop.code }
}

fn summary(times: &[(&str, Duration)], total: Duration) -> String {
    let mut text = String::new();
    for (name, time) in times {
        text.push_str(&format!("  {name:<9} {:>6}\n", clock(*time)));
    }
    text.push_str(&format!("  {:<9} {:>6}\n", "all", clock(total)));
    text
}

fn fmt(run: &Run<'_>) -> Result<(), Stop> {
    command::run(run.workspace.cargo().args(["fmt", "--check"]))
        .map_err(|stop| Stop::failed(format!("{}\nmend it with: cargo fmt", stop.message)))
}

fn clippy(run: &Run<'_>) -> Result<(), Stop> {
    // The console apart: together, the features that it asks for would be switched on for the others as well.
    for packages in [["--workspace", "--exclude=xenoxide-web"].as_slice(), &["--package=xenoxide-web"]] {
        let mut cargo = run.workspace.cargo();
        cargo.arg("clippy").args(packages).args(["--all-targets", "--", "-D", "warnings"]);
        command::run(&mut cargo)?;
    }
    Ok(())
}

fn unit(run: &Run<'_>) -> Result<(), Stop> {
    let mut cargo = run.workspace.cargo();
    cargo.args(["test", "--workspace"]);
    for apart in ["xenoxide-tests", "xenoxide-web"] {
        cargo.args(["--exclude", apart]);
    }
    command::run(cargo.args(run.extra))
}

/// The same tests as in `unit`, all ten thousand schedules of them, by a build that has time for that.
fn faults(run: &Run<'_>) -> Result<(), Stop> {
    let mut cargo = run.workspace.cargo();
    cargo.args(["test", "--profile", "faults", "--package", "xenapi-testkit", "--test", "schedules"]);
    command::run(cargo.env("XENAPI_SCHEDULES", "10000").args(run.extra))
}

fn web_unit(run: &Run<'_>) -> Result<(), Stop> {
    command::run(run.workspace.cargo().args(["test", "--package", "xenoxide-web"]).args(run.extra))
}

fn web(run: &Run<'_>) -> Result<(), Stop> {
    console::build(run.workspace, console::Mode::Small).map(|_| ())
}

fn bin(run: &Run<'_>) -> Result<(), Stop> {
    command::run(run.workspace.cargo().args(["build", "--package", "xenoxide", "--bin", "xenoxide"]))
}

fn e2e(run: &Run<'_>) -> Result<(), Stop> {
    let Run { workspace, extra, approve } = *run;
    let clients = Environments::ensure(workspace)?;
    let mut cargo = workspace.cargo();
    cargo.args(["test", "--package", "xenoxide-tests"]).args(extra);
    cargo.env("XENOXIDE_BIN", workspace.target.join("debug/xenoxide"));
    cargo.env("XENOXIDE_CONSOLE", workspace.target.join("web/dist"));
    cargo.env("XENOXIDE_APPROVE", if approve { "1" } else { "0" });
    let programs = [
        ("XENOXIDE_PYTHON", clients.python),
        ("XENOXIDE_NODE", clients.node),
        ("XENOXIDE_CHROMIUM", needs::chromium()),
        ("XENOXIDE_CHROMEDRIVER", needs::chromedriver()),
    ];
    for (name, program) in programs {
        if let Some(program) = program {
            cargo.env(name, program);
        }
    }
    command::run(&mut cargo)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;

    fn names(wanted: &[&str]) -> Vec<&'static str> {
        let wanted: Vec<String> = wanted.iter().map(|&name| name.to_owned()).collect();
        select(&wanted).iter().map(|step| step.name).collect()
    }

    #[test]
    fn all_steps_run_unless_some_are_named() {
        assert_eq!(names(&[]).len(), STEPS.len());
        assert_eq!(names(&["unit", "fmt"]), ["fmt", "unit"]);
    }

    #[test]
    fn a_step_brings_what_it_builds_on() {
        assert_eq!(names(&["e2e"]), ["web", "bin", "e2e"]);
    }

    #[test]
    fn every_step_that_another_builds_on_comes_before_it() {
        for (at, step) in STEPS.iter().enumerate() {
            for before in step.after {
                assert!(STEPS[..at].iter().any(|step| step.name == *before), "{before} before {}", step.name);
            }
        }
        for name in LINT {
            assert!(STEPS.iter().any(|step| step.name == name), "{name}");
        }
    }

    #[test]
    fn a_wrong_step_or_option_is_wrong_usage() {
        let code = |options: &[&str]| parse(options).map(|_| ()).unwrap_err().code;
        assert_eq!(code(&["--only", "e3e"]), 2);
        assert_eq!(code(&["--only"]), 2);
        assert_eq!(code(&["--fast"]), 2);
        assert!(matches!(parse(&["--only=e2e", "--only", "fmt"]), Ok(Asked::Steps(steps)) if steps == ["e2e", "fmt"]));
    }

    #[test]
    fn a_failure_says_which_step_what_and_how_to_repeat_it() {
        let stop = failure(&STEPS[STEPS.len() - 1], &Stop::failed("`cargo test` failed"));
        assert!(stop.message.contains("step `e2e` failed: `cargo test` failed"), "{}", stop.message);
        assert!(stop.message.contains("cargo xtask test --only e2e"), "{}", stop.message);
    }
}
