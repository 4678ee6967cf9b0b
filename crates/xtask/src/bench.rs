//! `cargo xtask bench`: the suites of `benches/`, and the codec in a browser.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use std::{fs, io};

use serde_json::Value;

use crate::command::{self, Stop};
use crate::environments::Environments;
use crate::needs::{self, CHROMIUM, NODE};
use crate::toolchain::{Toolchain, WASM};
use crate::workspace::Workspace;

/// How long the page may take. It measures for some seconds; machines may be busy.
const PATIENCE: Duration = Duration::from_secs(240);

/// `cargo xtask bench [SUITE]`. `codec` and `client` print their tables; `codec-web` is the part of the first that a browser measures;
/// `console` is the console in a browser.
pub(crate) fn run(workspace: &Workspace, suite: Option<&str>) -> Result<(), Stop> {
    match suite {
        Some("codec") => {
            command::run(&mut codec(workspace, &["--table"]))?;
            match in_browser(workspace) {
                Err(stop) => {
                    command::print(&format!("- The browser was not measured: {}", stop.message));
                    Ok(())
                }
                done => done,
            }
        }
        Some("codec-web") => in_browser(workspace),
        Some("layout") => layout(workspace),
        Some("client") => client(workspace),
        Some("console") => crate::bench_console::run(workspace),
        Some(suite) => command::run(workspace.cargo().args(["bench", "--package", "xenoxide-benches", "--bench", suite])),
        None => command::run(workspace.cargo().args(["bench", "--package", "xenoxide-benches"])),
    }
}

/// The client beside curl, Python and Node.js, on a simulated pool.
fn client(workspace: &Workspace) -> Result<(), Stop> {
    let clients = Environments::ensure(workspace)?;
    command::run(workspace.cargo().args(["build", "--release", "--package", "xenoxide-bench-client"]))?;
    let mut program = workspace.command(workspace.target.join("release/bench-client"));
    for (name, path) in [("XENOXIDE_PYTHON", clients.python), ("XENOXIDE_NODE", clients.node)] {
        if let Some(path) = path {
            program.env(name, path);
        }
    }
    command::run(&mut program)
}

fn codec(workspace: &Workspace, args: &[&str]) -> Command {
    let mut cargo = workspace.cargo();
    cargo.args(["bench", "--package", "xenoxide-benches", "--bench", "codec", "--"]).args(args);
    if let Some(node) = needs::node() {
        cargo.env("XENOXIDE_NODE", node);
    }
    cargo
}

fn in_browser(workspace: &Workspace) -> Result<(), Stop> {
    needs::ensure(workspace, &[&CHROMIUM])?;
    let folder = build(workspace)?;
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| Stop::failed(format!("listen: {error}")))?;
    let address = listener.local_addr().map_err(|error| Stop::failed(format!("listen: {error}")))?;
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if let Ok(Some(result)) = answer(stream, &folder) {
                // The receiver is gone if it lost its patience.
                _ = send.send(result);
            }
        }
    });
    let browser = Browser::open(workspace, &format!("http://{address}/"))?;
    let result = receive.recv_timeout(PATIENCE);
    drop(browser);
    let result = result.map_err(|_| Stop::failed(format!("the page sent no result within {} s", PATIENCE.as_secs())))?;
    let result: Value =
        serde_json::from_slice(&result).map_err(|error| Stop::failed(format!("the page's result is no JSON: {error}")))?;
    match result["error"].as_str() {
        Some(error) => Err(Stop::failed(format!("the page failed: {error}"))),
        None => {
            command::print(&table(&result));
            Ok(())
        }
    }
}

/// The topology's layout beside dagre's, both in Node.js.
fn layout(workspace: &Workspace) -> Result<(), Stop> {
    needs::ensure(workspace, &[&NODE])?;
    let folder = module(workspace)?;
    let node = needs::node().ok_or_else(|| Stop::failed("Node.js vanished while xtask ran"))?;
    let benches = workspace.root.join("benches/layout");
    let mut npm = workspace.command(Path::new("npm"));
    command::run(npm.args(["ci", "--no-audit", "--no-fund", "--silent"]).current_dir(&benches))?;
    let mut table = workspace.command(&node);
    command::run(table.arg("layout.mjs").arg(&folder).current_dir(&benches))
}

/// Builds the module and writes the documents; answers the folder that the page is served from.
fn build(workspace: &Workspace) -> Result<PathBuf, Stop> {
    let folder = module(workspace)?;
    fs::copy(workspace.root.join("benches/web/index.html"), folder.join("index.html"))
        .map_err(|error| Stop::failed(format!("copy benches/web/index.html: {error}")))?;
    let place = folder.to_str().ok_or_else(|| Stop::failed("the path of target/ is not UTF-8"))?;
    command::run(&mut codec(workspace, &["--documents", place, "VM", "1000"]))?;
    Ok(folder)
}

/// Builds the module with its JavaScript; answers the folder where they are.
fn module(workspace: &Workspace) -> Result<PathBuf, Stop> {
    const FOLDER: &str = "wasm";
    let toolchain = Toolchain::ensure(workspace, &WASM)?;
    let mut cargo = toolchain.cargo(workspace, &WASM, "build", FOLDER);
    // As the console is built, since its users are those who wait.
    command::run(cargo.args(["--package", "xenoxide-bench-web", "--profile", "web"]))?;
    let module = workspace.target.join(FOLDER).join(WASM.triple).join("web/xenoxide-bench-web.wasm");
    let folder = workspace.target.join("bench-web");
    let mut bindgen = workspace.xtask_web();
    bindgen.args([
        OsStr::new("bindgen"),
        OsStr::new("--input"),
        module.as_os_str(),
        OsStr::new("--out"),
        folder.as_os_str(),
    ]);
    command::run(&mut bindgen)?;
    Ok(folder)
}

/// A Chromium without a window, with a profile of its own, until it is dropped.
struct Browser {
    process: Child,
    profile: PathBuf,
}

impl Browser {
    fn open(workspace: &Workspace, url: &str) -> Result<Self, Stop> {
        let program = needs::chromium().ok_or_else(|| Stop::failed("Chromium vanished while xtask ran"))?;
        let profile = std::env::temp_dir().join(format!("xenoxide-bench-profile-{}", std::process::id()));
        let mut chromium = workspace.command(&program);
        // The sandbox refuses to run as root, which is how containers run things; the page is our own.
        chromium.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"]);
        chromium.arg(format!("--user-data-dir={}", profile.display())).arg(url);
        let process = chromium.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let process = process.map_err(|error| Stop::failed(format!("cannot run {}: {error}", program.display())))?;
        Ok(Browser { process, profile })
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended by itself; and a profile that stays behind in the temporary folder is no reason to fail.
        _ = self.process.kill();
        _ = self.process.wait();
        _ = fs::remove_dir_all(&self.profile);
    }
}

/// Answers one request: a file of the folder, or the result, which it hands out.
fn answer(stream: TcpStream, folder: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or("/").to_owned();
    let is_result = line.starts_with("POST /result ");
    let mut length = 0;
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body)?;
    let name = if path == "/" { "index.html" } else { path.trim_start_matches('/') };
    // Names of one part only: nothing outside of the folder is anybody's business.
    let found =
        if is_result { Some(Vec::new()) } else { fs::read(folder.join(name)).ok().filter(|_| !name.contains(['/', '\\'])) };
    let status = if found.is_some() { "200 OK" } else { "404 Not Found" };
    let content = found.unwrap_or_default();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        media_type(name),
        content.len()
    );
    let mut stream = stream;
    stream.write_all(head.as_bytes())?;
    stream.write_all(&content)?;
    Ok(is_result.then_some(body))
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript",
        Some("wasm") => "application/wasm",
        Some("xml") => "text/xml",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

fn table(result: &Value) -> String {
    let rows = result["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    let time = |row: &Value| row["milliseconds"].as_f64().unwrap_or(f64::NAN);
    let base = rows.first().map_or(f64::NAN, time);
    let mut text = format!("| in the browser, {} VMs | ms | × `JSON.parse` |\n| --- | ---: | ---: |", result["count"]);
    for row in rows {
        let name = row["name"].as_str().unwrap_or_default();
        text.push_str(&format!("\n| {name} | {:.1} | {:.2} |", time(row), time(row) / base));
    }
    text.push_str(&format!("\n\n- {}", result["browser"].as_str().unwrap_or("unknown browser")));
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;
    use crate::workspace::scratch;

    /// Sends a request to a server for the folder, and gives what it answers and what it hands out.
    fn exchange(folder: &Path, request: &str) -> (String, Option<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::scope(|scope| {
            let server = scope.spawn(|| answer(listener.accept().unwrap().0, folder).unwrap());
            let mut client = TcpStream::connect(address).unwrap();
            client.write_all(request.as_bytes()).unwrap();
            let mut text = String::new();
            client.read_to_string(&mut text).unwrap();
            (text, server.join().unwrap())
        })
    }

    #[test]
    fn the_page_gets_its_files_and_nothing_else() {
        let dir = scratch("bench-web");
        fs::create_dir_all(dir.join("served")).unwrap();
        fs::write(dir.join("secret"), "s").unwrap();
        fs::write(dir.join("served/index.html"), "<p>").unwrap();
        let served = dir.join("served");
        let (text, result) = exchange(&served, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(text.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/html"), "{text}");
        assert!(text.ends_with("<p>") && result.is_none(), "{text}");
        assert!(exchange(&served, "GET /../secret HTTP/1.1\r\n\r\n").0.starts_with("HTTP/1.1 404"));
    }

    #[test]
    fn what_the_page_posts_is_handed_out() {
        let dir = scratch("bench-web-result");
        let (text, result) = exchange(&dir, "POST /result HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}");
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        assert_eq!(result.as_deref(), Some(b"{}".as_slice()));
    }

    #[test]
    fn times_are_compared_to_the_first() {
        let result = serde_json::json!({
            "count": 2, "browser": "b",
            "rows": [{ "name": "JSON.parse", "milliseconds": 4.0 }, { "name": "ours", "milliseconds": 8.0 }],
        });
        assert!(table(&result).contains("| ours | 8.0 | 2.00 |"), "{}", table(&result));
    }
}
