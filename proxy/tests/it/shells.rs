//! Completions and the manual.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::harness::run;

#[test]
fn every_shell_gets_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(&["completions", shell]);
        assert_eq!(script.code, Some(0), "{}", script.err);
        for word in ["impact", "spof", "completions", "trust-on-first-use"] {
            assert!(script.out.contains(word), "{shell} does not know {word}");
        }
        assert!(
            !script.out.contains("password\"") && !script.out.contains("--password "),
            "{shell} would complete --password"
        );
    }
    let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
    bash.stdin.take().unwrap().write_all(run(&["completions", "bash"]).out.as_bytes()).unwrap();
    assert!(bash.wait().unwrap().success(), "bash cannot read its completions");
    assert_eq!(run(&["completions", "cmd"]).code, Some(2));
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("man/man1");
    let written = run(&["man", "--out", out.to_str().unwrap()]);
    assert_eq!(written.code, Some(0), "{}", written.err);
    for command in
        ["", "-demo", "-serve", "-sim", "-call", "-events", "-record", "-topology", "-impact", "-trust", "-schema"]
    {
        let page = fs::read_to_string(out.join(format!("xenoxide{command}.1"))).unwrap();
        assert!(page.contains(".TH xenoxide") && page.contains("EXIT STATUS"), "xenoxide{command}.1");
    }
    let page = fs::read_to_string(out.join("xenoxide-impact.1")).unwrap();
    assert!(page.contains("xenoxide impact") && page.contains("spof"), "{page}");
    let printed = run(&["man"]);
    assert_eq!(printed.out.trim_end(), fs::read_to_string(out.join("xenoxide.1")).unwrap().trim_end());
    let wrong = run(&["man", "--out", "/dev/null/x"]);
    assert!(wrong.code == Some(1) && wrong.err.contains("/dev/null/x"), "{}", wrong.err);
}

/// Runs a command on a terminal of its own, and gives what is shown there.
#[cfg(target_os = "linux")]
fn on_a_terminal(args: &[&str], no_color: &str) -> Option<String> {
    let line = [&[env!("CARGO_BIN_EXE_xenoxide")], args].concat().join(" ");
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]).env("SHELL", "/bin/sh").env("TERM", "xterm");
    script.env("NO_COLOR", no_color).env("XENOXIDE_PASSWORD", "xenoxide").env_remove("XENOXIDE_USER").stdin(Stdio::null());
    // Where there is no `script`, there is no terminal to try it on.
    let output = script.output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_gets_colours_and_bars_and_nothing_else_does() {
    let sim = crate::harness::Server::sim(&["--hosts", "2", "--vms", "4"]);
    let url = sim.get("http");
    let hosts = crate::harness::json(&["call", url, "host.get_all"]);
    let args = ["impact", url, "host", hosts[0].as_str().unwrap()];
    let (Some(shown), Some(plain)) = (on_a_terminal(&args, ""), on_a_terminal(&args, "1")) else { return };
    assert!(shown.contains("load VM [") && shown.contains("\u{1b}[31m"), "{shown:?}");
    assert!(!plain.contains("\u{1b}[31m") && plain.contains("stopped"), "{plain:?}");
    let piped = run(&args);
    assert!(!piped.out.contains('\u{1b}') && piped.err.is_empty(), "{} {}", piped.out, piped.err);
    let events = on_a_terminal(&["events", url, "--all", "--count", "1"], "").unwrap();
    assert!(events.contains("add\u{1b}[0m"), "{events:?}");
}
