//! A backend that does what the test says, and the pieces that several tests need.
#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]

use std::collections::HashSet;

use xenapi_core::{Failure, Millis, RawCall, Value};
use xenapi_hyper::server::{Answer, Backend, Handled, Origin, Server, ServerConfig, serve};

/// Answers `echo`, `fail`, `bare`, `origin`, `big` at once, `later` after so many milliseconds, `wait` when released.
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
}

impl Scripted {
    /// How many calls of `wait` are pending.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

impl Backend for Scripted {
    type Pending = u64;

    fn handle(&mut self, call: RawCall, origin: Origin, now: Millis) -> Handled<u64> {
        self.calls += 1;
        let first = call.params.first().and_then(Value::as_int).unwrap_or_default();
        Handled::Done(match call.method.as_str() {
            "echo" => Answer::Value(Value::Array(call.params)),
            "origin" => Answer::Value(format!("{origin:?}").into()),
            "big" => Answer::Value("x".repeat(usize::try_from(first).unwrap_or_default()).into()),
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
        self.due.iter().map(|(_, at)| *at).min()
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
    serve(Scripted::default(), &ServerConfig { http: any, https: any, unix: None }).await.expect("loopback can be bound")
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
