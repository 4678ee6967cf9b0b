//! Starting and stopping what the tests drive.

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

/// How long a process may take until it is ready. Generous: the machines that run tests are busy.
const READY: Duration = Duration::from_secs(60);

/// A path that `cargo xtask test` puts into the environment.
pub(crate) fn tool(variable: &str) -> PathBuf {
    let path = env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set: run the tests by `cargo xtask test`"));
    PathBuf::from(path)
}

/// The top of the workspace.
pub(crate) fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace")
}

/// A program that runs until it is dropped.
pub(crate) struct Running {
    child: Child,
    /// Its first line on standard output that satisfies the test's condition.
    pub(crate) ready: String,
}

impl Running {
    /// Starts a program and waits for the line that says that it is ready.
    pub(crate) fn start(command: &mut Command, is_ready: fn(&str) -> bool) -> Running {
        Running::try_start(command, is_ready).unwrap_or_else(|why| panic!("{command:?} did not become ready: {why}"))
    }

    /// Starts a program that chooses a port for two addresses at once, and ends when somebody else has just taken it for one of them.
    pub(crate) fn start_on_a_port(command: &mut Command, is_ready: fn(&str) -> bool) -> Running {
        let again = (0..4).find_map(|_| Running::try_start(command, is_ready).ok());
        again.unwrap_or_else(|| Running::start(command, is_ready))
    }

    fn try_start(command: &mut Command, is_ready: fn(&str) -> bool) -> Result<Running, mpsc::RecvTimeoutError> {
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
            Ok(ready) => Ok(Running { child, ready }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// Stops the program at once, as a crash would.
    pub(crate) fn kill(mut self) {
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
pub(crate) struct Server {
    process: Running,
    ready: Value,
}

impl Server {
    /// Starts `xenoxide ARGUMENTS --json` and waits for its line.
    pub(crate) fn start(arguments: &[&str]) -> Server {
        let process = Running::start(xenoxide(arguments).arg("--json"), |line| line.starts_with('{'));
        let ready: Value = serde_json::from_str(&process.ready).expect("the ready line is JSON");
        assert_eq!(ready["ready"], true, "{ready}");
        Server { process, ready }
    }

    /// A simulated pool with HTTP on a free port.
    pub(crate) fn sim(more: &[&str]) -> Server {
        Server::start(&[&["sim", "--listen", "127.0.0.1:0"], more].concat())
    }

    /// The console and the proxy in front of a pool named `test`.
    pub(crate) fn serve(pool: &str, more: &[&str]) -> Server {
        let (console, pool) = (tool("XENOXIDE_CONSOLE"), format!("test={pool}"));
        let console = console.to_str().expect("the path is UTF-8");
        Server::start(&[&["serve", "--listen", "127.0.0.1:0", "--console", console, "--pool", &pool], more].concat())
    }

    /// A text about one of several hosts of the ready line.
    pub(crate) fn host(&self, at: usize, key: &str) -> String {
        self.ready["hosts"][at][key].as_str().unwrap_or_else(|| panic!("no `{key}` of host {at} in {}", self.ready)).into()
    }

    /// A text of the ready line.
    pub(crate) fn get(&self, key: &str) -> &str {
        self.ready[key].as_str().unwrap_or_else(|| panic!("no `{key}` in {}", self.ready))
    }

    /// Stops it at once, as a crash would.
    pub(crate) fn kill(self) {
        self.process.kill();
    }
}

/// A `xenoxide` command, not yet started.
pub(crate) fn xenoxide(arguments: &[&str]) -> Command {
    let mut command = Command::new(tool("XENOXIDE_BIN"));
    command.args(arguments).env("XENOXIDE_PASSWORD", "xenoxide");
    command
}

/// Runs `xenoxide ARGUMENTS` to its end and answers its standard output as text; fails with its messages.
pub(crate) fn run(arguments: &[&str]) -> String {
    let output = xenoxide(arguments).stdin(Stdio::null()).output().expect("xenoxide runs");
    assert!(output.status.success(), "xenoxide {arguments:?}: {}\n{}", output.status, text(&output.stderr));
    text(&output.stdout)
}

/// Runs a command that must fail, and answers its exit code and what it said.
pub(crate) fn fails(command: &mut Command) -> (i32, String) {
    let Output { status, stdout, stderr } = command.stdin(Stdio::null()).output().expect("it runs");
    assert!(!status.success(), "{command:?} succeeded: {}", text(&stdout));
    (status.code().expect("it ended by itself"), text(&stderr))
}

/// Bytes as text.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Reads everything that a reader holds.
pub(crate) fn read_all(mut from: impl Read) -> String {
    let mut all = Vec::new();
    from.read_to_end(&mut all).expect("it reads");
    text(&all)
}

/// Carries TCP connections to a server, until it is cut.
pub(crate) struct Relay {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    to: SocketAddr,
    cut: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// Begins to carry connections to the server at that URL.
    pub(crate) fn to(url: &str) -> Relay {
        let to = url.trim_start_matches("http://").trim_end_matches('/').parse().expect("an address and a port");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it has an address");
        let mut relay = Relay { address, to, cut: Arc::default(), open: Arc::default(), thread: None };
        relay.carry(listener);
        relay
    }

    fn carry(&mut self, listener: TcpListener) {
        let (to, cut, open) = (self.to, Arc::clone(&self.cut), Arc::clone(&self.open));
        self.thread = Some(std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if cut.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(server) = TcpStream::connect(to) else { continue };
                for (mut from, mut into) in [(&client, &server), (&server, &client)].map(|(a, b)| (clone(a), clone(b))) {
                    open.lock().expect("no thread panicked").push(clone(&from));
                    std::thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut into);
                        let _ = into.shutdown(Shutdown::Write);
                    });
                }
            }
        }));
    }

    /// Ends all connections and refuses new ones.
    pub(crate) fn cut(&mut self) {
        self.cut.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts, so that it sees that it is to end.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the relay did not panic");
        }
        for stream in self.open.lock().expect("no thread panicked").drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Carries connections again, at the same address.
    pub(crate) fn mend(&mut self) {
        self.cut.store(false, Ordering::SeqCst);
        self.carry(TcpListener::bind(self.address).expect("nobody took the port"));
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.cut();
        }
    }
}

fn clone(stream: &TcpStream) -> TcpStream {
    stream.try_clone().expect("a socket can be shared")
}
