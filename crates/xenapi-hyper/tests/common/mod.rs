//! A backend that does what the test says, and the pieces that several tests need.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::std_instead_of_alloc, reason = "each test uses its part")]

use core::sync::atomic::{AtomicUsize, Ordering};
use std::collections::HashSet;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use xenapi_core::{Failure, Millis, RawCall, Struct, Value};
use xenapi_hyper::Target;
use xenapi_hyper::server::{Answer, Backend, Handled, Place, Server, ServerConfig, serve};
use xenapi_sim::handlers::{self, Head, Method, Piece, Reply, Request, Turn};

/// Answers `echo`, `bare`, `origin`, `big` at once, `later` after so many milliseconds, `wait` when released. Logs in like the first
/// servers, by two parameters, and has tasks that end when they were looked at three times, and no events.
#[derive(Default)]
pub struct Scripted {
    next: u64,
    waiting: HashSet<u64>,
    due: Vec<(u64, Millis)>,
    /// `wait` is answered from now on.
    pub released: bool,
    /// How many calls were given up.
    pub abandoned: usize,
    /// How many calls came.
    pub calls: usize,
    /// How often a task was looked at.
    pub looks: usize,
    /// How many tasks were destroyed.
    pub destroyed: usize,
    /// How many pieces of downloads were made.
    pub pieces: usize,
    /// What uploads had, and whether they were whole.
    pub sums: Vec<(usize, bool)>,
    /// How many transfers were broken off.
    pub broken: usize,
}

/// A transfer of [`Scripted`].
#[derive(Debug)]
pub enum Transfer {
    Pieces(usize),
    Sum(usize),
    Echo,
    Over,
}

impl Scripted {
    /// How many calls of `wait` are pending.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    fn task(&self) -> Value {
        let done = self.looks >= 3;
        let mut task = Struct::new();
        task.push("status", if done { "success" } else { "pending" });
        task.push("progress", if done { 1.0 } else { 0.5 });
        task.push("result", if done { "<value>OpaqueRef:new</value>" } else { "" });
        Value::Struct(task)
    }
}

impl Backend for Scripted {
    type Pending = u64;
    type Exchange = Transfer;

    fn handle(&mut self, call: RawCall, place: &Place, _request: &Request, now: Millis) -> Handled<u64> {
        let origin = place.origin;
        self.calls += 1;
        let first = call.params.first().and_then(Value::as_int).unwrap_or_default();
        Handled::Done(match call.method.as_str() {
            "echo" => Answer::Value(Value::Array(call.params)),
            "origin" => Answer::Value(format!("{origin:?}").into()),
            "big" => Answer::Value("x".repeat(usize::try_from(first).unwrap_or_default()).into()),
            "session.login_with_password" if call.params.len() == 2 => Answer::Value("OpaqueRef:session".into()),
            "session.login_with_password" => {
                let count = call.params.len().to_string();
                Answer::Failure(Failure::new("MESSAGE_PARAMETER_COUNT_MISMATCH", [&call.method, "2", &count]))
            }
            "session.logout" => Answer::Value(Value::VOID),
            "Async.VM.clone" | "Async.VM.maximise_memory" => Answer::Value("OpaqueRef:task".into()),
            "task.get_record" => {
                self.looks += 1;
                Answer::Value(self.task())
            }
            "task.destroy" => {
                self.destroyed += 1;
                Answer::Value(Value::VOID)
            }
            "bare" => Answer::Bare(Value::Array(Vec::from(["bare".into()]))),
            "wait" => {
                self.next += 1;
                self.waiting.insert(self.next);
                return Handled::Pending(self.next);
            }
            "later" => {
                self.next += 1;
                self.due.push((self.next, now + Millis(u64::try_from(first).unwrap_or_default())));
                return Handled::Pending(self.next);
            }
            other => Answer::Failure(Failure::new("MESSAGE_METHOD_UNKNOWN", [other])),
        })
    }

    fn poll(&mut self, now: Millis) -> Vec<(u64, Answer)> {
        let done = Answer::Value("done".into());
        let mut ready = Vec::new();
        if self.released {
            ready.extend(self.waiting.drain().map(|id| (id, done.clone())));
        }
        self.due.retain(|(id, at)| {
            let early = *at > now;
            if !early {
                ready.push((*id, done.clone()));
            }
            early
        });
        ready
    }

    fn next_deadline(&self) -> Option<Millis> {
        if self.released && !self.waiting.is_empty() {
            return Some(Millis(0));
        }
        self.due.iter().map(|(_, at)| *at).min()
    }

    fn serves(&self, _method: Method, path: &str) -> bool {
        ["/pieces", "/sum", "/early", "/echo"].contains(&path)
    }

    fn http(&mut self, request: &Request, _now: Millis) -> handlers::Answer<Transfer> {
        let number = request.query("n").and_then(|number| number.parse().ok()).unwrap_or(0);
        match request.path.as_str() {
            "/pieces" => handlers::Answer::Download(Head::ok("text/plain"), Transfer::Pieces(number)),
            "/sum" => handlers::Answer::Upload(None, Transfer::Sum(0)),
            "/early" => handlers::Answer::Upload(Some(Head::ok("text/plain")), Transfer::Sum(0)),
            "/echo" => handlers::Answer::Duplex(Head { status: 200, headers: Vec::new() }, Transfer::Echo),
            "/whole" => handlers::Answer::Reply(Reply::ok("text/plain", "x".repeat(number))),
            path => handlers::Answer::Reply(Reply::error(404, path)),
        }
    }

    fn next_piece(&mut self, transfer: &mut Transfer, _now: Millis) -> Piece {
        let Transfer::Pieces(left) = transfer else { return Piece::Broken };
        match left {
            0 => {
                *transfer = Transfer::Over;
                Piece::End
            }
            _ => {
                *left -= 1;
                self.pieces += 1;
                Piece::Bytes(vec![b'x'; 65_536])
            }
        }
    }

    fn take_bytes(&mut self, transfer: &mut Transfer, bytes: &[u8], _now: Millis) -> Result<(), Reply> {
        let Transfer::Sum(sum) = transfer else { return Err(Reply::error(500, "no sum")) };
        *sum += bytes.len();
        if bytes.contains(&b'!') { Err(Reply::error(400, "no exclamations")) } else { Ok(()) }
    }

    fn finish(&mut self, transfer: &mut Transfer, whole: bool, _now: Millis) -> Reply {
        let Transfer::Sum(sum) = core::mem::replace(transfer, Transfer::Over) else { return Reply::error(500, "no sum") };
        self.sums.push((sum, whole));
        Reply::ok("text/plain", format!("{sum} {whole}"))
    }

    fn open(&mut self, _transfer: &mut Transfer, now: Millis) -> Turn {
        Turn { bytes: b"hello\n".to_vec(), wake: Some(now + Millis(20)), close: false }
    }

    fn receive(&mut self, transfer: &mut Transfer, bytes: &[u8], _now: Millis) -> Turn {
        let close = bytes.ends_with(b"bye");
        if close {
            *transfer = Transfer::Over;
        }
        Turn { bytes: bytes.to_ascii_uppercase(), wake: None, close }
    }

    fn wake(&mut self, _transfer: &mut Transfer, _now: Millis) -> Turn {
        Turn { bytes: b"awake\n".to_vec(), wake: None, close: false }
    }

    fn abandon_exchange(&mut self, transfer: &mut Transfer, _now: Millis) {
        if !matches!(transfer, Transfer::Over) {
            self.broken += 1;
        }
    }

    fn abandon(&mut self, pending: u64) {
        self.abandoned += 1;
        self.waiting.remove(&pending);
        self.due.retain(|(id, _)| *id != pending);
    }
}

/// A server on any free ports, HTTP and TLS.
pub async fn server() -> Server<Scripted> {
    let any = Some(([127, 0, 0, 1], 0).into());
    serve(Scripted::default(), &ServerConfig { http: any, https: any, ..ServerConfig::default() })
        .await
        .expect("loopback can be bound")
}

/// The document of a call with integers as parameters.
pub fn call(method: &str, params: &[i64]) -> Vec<u8> {
    let params = params.iter().map(|number| Value::Int(*number)).collect();
    xenapi_codec::xmlrpc::write_call(&RawCall { method: method.into(), params })
}

/// A path for a socket that no other test uses.
pub fn socket_path(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("xenapi-hyper-{name}-{}", std::process::id()))
}

/// Lets other tasks go on until `holds`. The test's own time limit is the harness's.
pub async fn until(mut holds: impl FnMut() -> bool) {
    while !holds() {
        tokio::time::sleep(core::time::Duration::from_millis(1)).await;
    }
}

/// Plain HTTP on loopback.
pub fn http(port: u16) -> Target {
    Target::Http { host: "127.0.0.1".into(), port }
}

/// TLS on loopback.
pub fn https(port: u16) -> Target {
    Target::Https { host: "127.0.0.1".into(), port }
}

/// Answers with `reply` to each request of up to `requests` on a connection, reads one more, and closes; counts connections.
pub async fn canned(reply: &'static str, requests: usize) -> (Target, Arc<AtomicUsize>) {
    serving(reply, requests, true).await
}

/// As [`canned`]; reads one more request only where it is said.
pub async fn serving(reply: &'static str, requests: usize, one_more: bool) -> (Target, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = http(listener.local_addr().unwrap().port());
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(answer_some(stream, reply, requests, one_more));
        }
    });
    (target, connections)
}

async fn answer_some(mut stream: TcpStream, reply: &'static str, requests: usize, one_more: bool) {
    let mut buffer = [0; 4096];
    for _ in 0..requests {
        // The requests of these tests come in one piece.
        match stream.read(&mut buffer).await {
            Ok(1..) => stream.write_all(reply.as_bytes()).await.unwrap(),
            _ => return,
        }
    }
    if one_more {
        let _ = stream.read(&mut buffer).await;
    }
}
