//! Where passwords come from, and where they never come from.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::harness::{Ended, Server, ended, run, xenoxide};

/// Runs a command without a password in the environment, with a text on its standard input.
fn typed(args: &[&str], text: &str) -> Ended {
    let mut command = xenoxide(args);
    command.env_remove("XENOXIDE_PASSWORD").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Who refuses to read is not wrong.
    let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn a_password_among_the_arguments_is_refused_and_not_repeated() {
    for args in [
        &["call", "--password", "hunter2", "http://x", "VM.get_all"][..],
        &["call", "http://x", "VM.get_all", "--password=hunter2"],
    ] {
        let refused = run(args);
        assert_eq!(refused.code, Some(2));
        assert!(refused.err.contains("--password-file") && refused.err.contains("XENOXIDE_PASSWORD"), "{}", refused.err);
        assert!(!refused.err.contains("hunter2"), "{}", refused.err);
    }
    // What comes after `--` are the parameters of a call.
    let target = crate::golden::pool();
    let named = run(&["call", &target, "VM.set_name_label", "--", "OpaqueRef:web", "--password"]);
    assert_eq!(named.code, Some(0), "{}", named.err);
}

#[test]
fn a_file_and_standard_input_hold_passwords() {
    let sim = Server::sim(&["--vms", "0"]);
    let url = sim.get("http");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    fs::write(&file, "xenoxide\r\nand something else\n").unwrap();
    let call = ["call", url, "pool.get_all", "--password-file"];
    assert_eq!(typed(&[&call[..], &[file.to_str().unwrap()]].concat(), "").code, Some(0));
    assert_eq!(typed(&[&call[..], &["-"]].concat(), "xenoxide\n").code, Some(0));
    assert_eq!(typed(&[&call[..], &["-"]].concat(), "wrong\n").code, Some(3));
    let empty = typed(&[&call[..], &["-"]].concat(), "");
    assert!(empty.code == Some(1) && empty.err.contains("first line"), "{}", empty.err);
    let endless = typed(&[&call[..], &["-"]].concat(), &"x".repeat(10_000));
    assert!(endless.code == Some(1) && endless.err.contains("longer than"), "{}", endless.err);
    let none = typed(&["call", url, "pool.get_all"], "xenoxide\n");
    assert!(none.code == Some(2) && none.err.contains("--password-file"), "{}", none.err);
    let offline = ended(xenoxide(&["call", &crate::golden::pool(), "pool.get_all"]).env_remove("XENOXIDE_PASSWORD"));
    assert_eq!(offline.code, Some(0), "recordings ask for none: {}", offline.err);
}

/// Runs a command on a terminal of its own, waits until it asks for the password, and types something then.
#[cfg(target_os = "linux")]
fn on_a_terminal(args: &[&str], keys: &[u8]) -> (String, Option<i32>) {
    use std::io::Read as _;

    let line = [&[env!("CARGO_BIN_EXE_xenoxide")], args].concat().join(" ");
    let mut script = Command::new("script");
    script
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .env_remove("XENOXIDE_PASSWORD")
        .env_remove("XENOXIDE_USER");
    script.env("TERM", "xterm").env("SHELL", "/bin/sh").env("XENOXIDE_KNOWN_HOSTS", "/dev/null");
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut shown = Vec::new();
    let mut byte = [0];
    while !shown.ends_with(b": ") {
        assert_eq!(out.read(&mut byte).unwrap(), 1, "it ended without a question: {}", String::from_utf8_lossy(&shown));
        shown.push(byte[0]);
    }
    let mut input = child.stdin.take().unwrap();
    input.write_all(keys).unwrap();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    drop(input);
    let question = String::from_utf8(shown).unwrap();
    assert!(question.starts_with("Password of root at http://127.0.0.1:"), "{question}");
    (rest, child.wait().unwrap().code())
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_the_password_is_asked_for_and_not_shown() {
    if Command::new("script").arg("--version").output().is_err() {
        eprintln!("skipped: there is no `script`");
        return;
    }
    let sim = Server::sim(&["--vms", "0"]);
    let call = ["call", sim.get("http"), "pool.get_all", "--json"];
    let (shown, code) = on_a_terminal(&call, b"xenoxide\n");
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.trim_start().starts_with("[\"OpaqueRef:"), "{shown}");
    assert!(!shown.contains("xenoxide"), "{shown}");
    let (shown, code) = on_a_terminal(&call, b"\n");
    assert!(code == Some(2) && shown.contains("no password was typed"), "{shown}");
    let (shown, code) = on_a_terminal(&call, b"half a pass\x03");
    assert!(code == Some(130) && shown.contains("interrupted") && !shown.contains("half"), "{shown}");
}
