//! Starting the program, and speaking HTTP to it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::Value as Json;
use xenapi_codec::{Limits, xmlrpc};
use xenapi_core::{Failure, RawCall, Value, Wire as _};

/// The program with arguments, not yet started. It trusts nothing that the machine's user trusts.
pub(crate) fn xenoxide(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xenoxide"));
    command.args(args).stdin(Stdio::null()).env("XENOXIDE_PASSWORD", "xenoxide").env("XENOXIDE_KNOWN_HOSTS", "/dev/null");
    command.env_remove("XENOXIDE_USER").env_remove("NO_COLOR");
    command
}

/// How a command ended, and what it said.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn run(args: &[&str]) -> Ended {
    ended(&mut xenoxide(args))
}

pub(crate) fn ended(command: &mut Command) -> Ended {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// Runs a command that must succeed, and reads what it prints as JSON.
pub(crate) fn json(args: &[&str]) -> Json {
    let Ended { code, out, err } = run(args);
    assert_eq!(code, Some(0), "{args:?}: {err}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{args:?}: {error}: {out}"))
}

/// Something that serves until it is dropped.
pub(crate) struct Server {
    child: Child,
    ready: Json,
}

impl Server {
    pub(crate) fn start(args: &[&str]) -> Server {
        Server::start_as(&mut xenoxide(args))
    }

    pub(crate) fn start_as(command: &mut Command) -> Server {
        let mut child = command.arg("--json").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{command:?}: {error}: {line:?}"));
        Server { child, ready }
    }

    pub(crate) fn sim(more: &[&str]) -> Server {
        Server::start(&[&["sim", "--listen", "127.0.0.1:0"], more].concat())
    }

    pub(crate) fn serve(pool: &str, more: &[&str]) -> Server {
        Server::start(&[&["serve", "--listen", "127.0.0.1:0", "--pool", &format!("lab={pool}")], more].concat())
    }

    pub(crate) fn get(&self, key: &str) -> &str {
        self.ready[key].as_str().unwrap_or_else(|| panic!("no {key} in {}", self.ready))
    }

    /// What the server said of itself when it was ready.
    pub(crate) fn ready(&self) -> &Json {
        &self.ready
    }

    /// The names of users that the server lists, one for each role.
    pub(crate) fn users(&self) -> Vec<&str> {
        self.ready["users"].as_array().into_iter().flatten().filter_map(Json::as_str).collect()
    }

    /// Asks it to end, as Ctrl-C does, and gives its exit code.
    #[cfg(unix)]
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An HTTP reply.
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn value(&self) -> Result<Value, Failure> {
        xmlrpc::read_result(&self.body, &Limits::default(), Value::read).unwrap()
    }

    pub(crate) fn code(&self) -> String {
        let json: Json = serde_json::from_slice(&self.body).unwrap();
        json["error"]["code"].as_str().unwrap().into()
    }
}

/// Sends one request to a server at a link, on a connection of its own.
pub(crate) fn http(url: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).unwrap();
    let mut head = format!("{method} {path} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all(&[head.as_bytes(), b"\r\n", body].concat()).unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).unwrap();
    let end = reply.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(reply[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Reply { status, head, body: reply[end + 4..].to_vec() }
}

/// Makes a call through the proxy.
pub(crate) fn rpc(url: &str, pool: &str, headers: &[(&str, &str)], method: &str, params: &[&str]) -> Reply {
    let params = params.iter().map(|param| Value::from(*param)).collect();
    let call = xmlrpc::write_call(&RawCall { method: method.into(), params });
    http(url, "POST", &format!("/pools/{pool}/rpc"), headers, &call)
}

/// A link to a port on which nobody listens.
pub(crate) fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
