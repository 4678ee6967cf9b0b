//! `events`: what happens, while it happens.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};

use serde_json::Value as Json;

use crate::golden::pool;
use crate::harness::{Server, json, run, xenoxide};

/// `events`, running.
struct Events {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Events {
    /// Follows the pool objects of a server, and has heard of the one that is there.
    fn of_the_pool(url: &str, more: &[&str]) -> Self {
        let args = [&["events", url, "--classes", "pool", "--all"], more].concat();
        let mut child = xenoxide(&args).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Events { child, lines }
    }

    fn next(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn programs_get_a_line_of_json_for_each_event() {
    let sim = Server::sim(&["--vms", "2"]);
    let url = sim.get("http");
    let mut events = Events::of_the_pool(url, &[]);
    let first: Json = serde_json::from_str(&events.next()).unwrap();
    assert_eq!((&first["operation"], &first["class"]), (&Json::from("add"), &Json::from("pool")));
    let pool = first["ref"].as_str().unwrap();
    json(&["call", url, "pool.set_name_label", pool, "renamed"]);
    let second: Json = serde_json::from_str(&events.next()).unwrap();
    assert_eq!((&second["operation"], &second["snapshot"]["name_label"]), (&Json::from("mod"), &Json::from("renamed")));
}

#[test]
fn people_hear_what_changed() {
    let sim = Server::sim(&["--vms", "2"]);
    let url = sim.get("http");
    let mut events = Events::of_the_pool(url, &["--text", "--color", "always"]);
    assert!(events.next().contains("\u{1b}[32madd\u{1b}[0m pool"));
    let pool = json(&["call", url, "pool.get_all"])[0].as_str().unwrap().to_owned();
    json(&["call", url, "pool.set_name_label", &pool, "renamed"]);
    let line = events.next();
    assert!(line.ends_with("\u{1b}[33mmod\u{1b}[0m pool \u{1b}[1mrenamed\u{1b}[0m: name_label = renamed"), "{line:?}");
}

#[cfg(unix)]
#[test]
fn who_has_heard_enough_leaves_in_peace() {
    let sim = Server::sim(&["--vms", "2"]);
    let url = sim.get("http");
    let some = run(&["events", url, "--all", "--count", "3"]);
    assert_eq!((some.code, some.out.lines().count()), (Some(0), 3), "{}", some.err);
    let mut events = Events::of_the_pool(url, &[]);
    events.next();
    let id = events.child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(events.child.wait().unwrap().code(), Some(0), "following ends so, and no other way");
}

#[test]
fn recordings_are_listed_and_do_not_change() {
    let listed = run(&["events", &pool(), "--all", "--classes", "vm", "--text"]);
    assert_eq!(listed.code, Some(0), "{}", listed.err);
    let names: Vec<&str> = listed.out.lines().filter_map(|line| line.split("add VM ").nth(1)).collect();
    assert_eq!(names.len(), 5, "{}", listed.out);
    assert!(names.contains(&"web"));
    let nothing = run(&["events", &pool()]);
    assert!(nothing.code == Some(2) && nothing.err.contains("--all"), "{}", nothing.err);
}
