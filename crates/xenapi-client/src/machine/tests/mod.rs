#![allow(clippy::unwrap_used)]

//! The machine against a server that is played by the test, in virtual time.

mod calls;
mod route;
mod session;
mod tasks;
mod watch;

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use xenapi_core::{Failure, Millis, Struct, Uuid, Value, ValueReader, to_value};
use xenapi_model::vm;

use super::*;

/// A client with what it has said so far.
struct Bench {
    client: Client,
    now: Millis,
    sent: Vec<Request>,
    statuses: Vec<Status>,
    changes: Vec<Change>,
    done: Vec<TicketId>,
    progress: Vec<f64>,
    redirects: Vec<String>,
    wait: Option<Millis>,
}

impl Bench {
    fn new(config: Config) -> Self {
        let mut client = Client::new(config);
        client.track_console();
        Bench {
            client,
            now: Millis(1000),
            sent: vec![],
            statuses: vec![],
            changes: vec![],
            done: vec![],
            progress: vec![],
            redirects: vec![],
            wait: None,
        }
    }

    /// Logged in, at one second.
    fn logged_in() -> Self {
        let mut bench = Bench::new(config());
        bench.client.login(bench.now);
        bench.answer("session.login_with_password", "OpaqueRef:s1");
        bench.statuses.clear();
        bench
    }

    /// Logged in and live, with one VM and the token `t1`.
    fn live() -> Self {
        let mut bench = Bench::logged_in();
        bench.client.watch(bench.now);
        let load = bench.take("event.from");
        assert_eq!(token_of(&load), "");
        bench.succeed(&load, &batch(vec![added("1", "one")], &[("vm", 1)], "t1"));
        assert_eq!(bench.client.status(), &Status::Live);
        bench.statuses.clear();
        bench.changes.clear();
        bench
    }

    fn drain(&mut self) {
        for _ in 0..10_000 {
            match self.client.poll(self.now) {
                Output::Transmit(request) => self.sent.push(request),
                Output::Changed(changes) => self.changes.extend(changes),
                Output::Done(id) => self.done.push(id),
                Output::Progress(_, progress) => self.progress.push(progress),
                Output::Status(status) => self.statuses.push(status),
                Output::Redirect(address) => self.redirects.push(address),
                Output::Wait(until) => {
                    assert!(until.is_none_or(|until| until > self.now), "a wait for the past never ends");
                    self.wait = until;
                    return;
                }
            }
        }
        panic!("the client never comes to rest");
    }

    /// Lets so many milliseconds pass, with everything that falls due on the way.
    fn pass(&mut self, millis: u64) {
        let end = self.now + Millis(millis);
        self.drain();
        while let Some(next) = self.wait.filter(|next| *next <= end) {
            self.now = next;
            self.drain();
        }
        self.now = end;
        self.drain();
    }

    /// The request of that method, which must have been sent.
    fn take(&mut self, method: &str) -> Request {
        self.drain();
        let at = self.sent.iter().position(|request| request.call.method == method);
        let at = at.unwrap_or_else(|| panic!("{method} was not sent; what was: {:?}", self.sent));
        self.sent.remove(at)
    }

    fn has_sent(&mut self, method: &str) -> bool {
        self.drain();
        self.sent.iter().any(|request| request.call.method == method)
    }

    fn handle(&mut self, request: &Request, reply: Reply<'_>) {
        self.client.handle(request.id, reply, self.now);
        self.drain();
    }

    fn succeed(&mut self, request: &Request, value: &Value) {
        self.handle(request, Reply::Success(&mut ValueReader::new(value)));
    }

    fn refuse(&mut self, request: &Request, code: &str, params: &[&str]) {
        self.handle(request, Reply::Failure(Failure::new(code, params.iter().copied())));
    }

    fn lose(&mut self, request: &Request) {
        self.handle(request, Reply::Unreachable("connection refused".to_owned()));
    }

    fn answer(&mut self, method: &str, value: impl Into<Value>) {
        let request = self.take(method);
        self.succeed(&request, &value.into());
    }

    fn vms(&self) -> Vec<String> {
        self.client.cache().iter::<xenapi_model::VM>().map(|(_, vm)| vm.name_label.clone()).collect()
    }
}

fn config() -> Config {
    Config { originator: "test".to_owned(), ..Config::new("root", "secret") }
}

/// The token of an `event.from`.
fn token_of(request: &Request) -> &str {
    request.call.params[2].as_text().unwrap()
}

fn members<const N: usize>(members: [(&'static str, Value); N]) -> Value {
    Value::Struct(members.into_iter().collect())
}

fn event(class: &str, operation: &str, reference: &str, snapshot: Option<Value>) -> Value {
    let mut event = Struct::new();
    event.push("id", "1");
    event.push("timestamp", "0.0");
    event.push("class", class);
    event.push("operation", operation);
    event.push("ref", reference);
    if let Some(snapshot) = snapshot {
        event.push("snapshot", snapshot);
    }
    Value::Struct(event)
}

fn vm(operation: &str, reference: &str, name: &str) -> Value {
    let record = vm::Record { name_label: name.into(), uuid: Uuid::new(reference), ..Default::default() };
    event("vm", operation, &["OpaqueRef:", reference].concat(), Some(to_value(&record)))
}

fn added(reference: &str, name: &str) -> Value {
    vm("add", reference, name)
}

fn batch(events: Vec<Value>, counts: &[(&'static str, i32)], token: &str) -> Value {
    let counts = counts.iter().map(|(class, count)| (*class, Value::Int32(*count)));
    members([
        ("events", Value::Array(events)),
        ("valid_ref_counts", Value::Struct(counts.collect())),
        ("token", token.into()),
    ])
}

fn text(status: &Status) -> String {
    match status {
        Status::Waiting { why, .. } => ["waiting: ", &why.to_string()].concat(),
        Status::Refused(failure) => ["refused: ", &failure.code].concat(),
        other => alloc::format!("{other:?}"),
    }
}
