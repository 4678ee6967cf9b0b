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
