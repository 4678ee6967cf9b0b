//! Starting and stopping what the tests drive.

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

/// How long a process may take until it is ready. Generous: the machines that run tests are busy.
const READY: Duration = Duration::from_secs(60);

/// A path that `cargo xtask test` puts into the environment.
pub fn tool(variable: &str) -> PathBuf {
    let path = env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set: run the tests by `cargo xtask test`"));
    PathBuf::from(path)
}

/// The top of the workspace.
pub fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace")
}

/// A program that runs until it is dropped.
pub struct Running {
    child: Child,
    /// Its first line on standard output that satisfies the test's condition.
    pub ready: String,
}

impl Running {
    /// Starts a program and waits for the line that says that it is ready.
    pub fn start(command: &mut Command, is_ready: fn(&str) -> bool) -> Running {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let output = child.stdout.take().expect("standard output is piped");
        let (send, receive) = mpsc::channel();
        std::thread::spawn(move || {
            // Goes on reading after the line, so that the program never blocks on a full pipe.
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if is_ready(&line) {
                    let _ = send.send(line);
                }
            }
        });
        match receive.recv_timeout(READY) {
            Ok(ready) => Running { child, ready },
            Err(error) => {
                let _ = child.kill();
                panic!("{command:?} did not become ready: {error}");
            }
        }
    }

    /// Stops the program at once, as a crash would.
    pub fn kill(mut self) {
        self.stop();
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A `xenoxide` that serves something.
pub struct Server {
    process: Running,
    ready: Value,
}

impl Server {
    /// Starts `xenoxide ARGUMENTS --json` and waits for its line.
    pub fn start(arguments: &[&str]) -> Server {
        let process = Running::start(xenoxide(arguments).arg("--json"), |line| line.starts_with('{'));
        let ready: Value = serde_json::from_str(&process.ready).expect("the ready line is JSON");
        assert_eq!(ready["ready"], true, "{ready}");
        Server { process, ready }
    }

    /// A simulated pool with HTTP on a free port.
    pub fn sim(more: &[&str]) -> Server {
        Server::start(&[&["sim", "--listen", "127.0.0.1:0"], more].concat())
    }

    /// The console and the proxy in front of a pool named `test`.
    pub fn serve(pool: &str, more: &[&str]) -> Server {
        let (console, pool) = (tool("XENOXIDE_CONSOLE"), format!("test={pool}"));
        let console = console.to_str().expect("the path is UTF-8");
        Server::start(&[&["serve", "--listen", "127.0.0.1:0", "--console", console, "--pool", &pool], more].concat())
    }

    /// A text of the ready line.
    pub fn get(&self, key: &str) -> &str {
        self.ready[key].as_str().unwrap_or_else(|| panic!("no `{key}` in {}", self.ready))
    }

    /// Stops it at once, as a crash would.
    pub fn kill(self) {
        self.process.kill();
    }
}

/// A `xenoxide` command, not yet started.
pub fn xenoxide(arguments: &[&str]) -> Command {
    let mut command = Command::new(tool("XENOXIDE_BIN"));
    command.args(arguments).env("XENOXIDE_PASSWORD", "xenoxide");
    command
}

/// Runs `xenoxide ARGUMENTS` to its end and answers its standard output as text; fails with its messages.
pub fn run(arguments: &[&str]) -> String {
    let output = xenoxide(arguments).stdin(Stdio::null()).output().expect("xenoxide runs");
    assert!(output.status.success(), "xenoxide {arguments:?}: {}\n{}", output.status, text(&output.stderr));
    text(&output.stdout)
}

/// Runs a command that must fail, and answers its exit code and what it said.
pub fn fails(command: &mut Command) -> (i32, String) {
    let Output { status, stdout, stderr } = command.stdin(Stdio::null()).output().expect("it runs");
    assert!(!status.success(), "{command:?} succeeded: {}", text(&stdout));
    (status.code().expect("it ended by itself"), text(&stderr))
}

/// Bytes as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Reads everything that a reader holds.
pub fn read_all(mut from: impl Read) -> String {
    let mut all = Vec::new();
    from.read_to_end(&mut all).expect("it reads");
    text(&all)
}
