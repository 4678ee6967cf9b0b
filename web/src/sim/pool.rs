//! A pool in memory that answers XML-RPC: bytes in, bytes out, at once or later. It knows no browser.

use std::collections::BTreeMap;

use xenapi_codec::{Limits, xmlrpc};
use xenapi_core::{Failure, Method, Millis, Type, Value};
use xenapi_sim::{Config, Handled, Origin, Outcome, PendingId, Sim};

/// The demonstration: enough to see everything, and small enough to be understood.
const HOSTS: usize = 3;
const VMS: usize = 24;
const SEED: u64 = 7;
/// Changes a minute in the demonstration.
const LIFE: u32 = 30;

/// A pool, and the calls that it has not answered yet.
pub(crate) struct Pool {
    sim: Sim,
    /// Why nothing may be changed, if nothing may.
    read_only: bool,
    waiting: BTreeMap<PendingId, u32>,
    /// The session of the page.
    session: Option<Value>,
}

/// What stands for the session in documents that people write: here there is one for all.
const SESSION: &str = "OpaqueRef:session";

/// A file, by its name.
pub(crate) type File = (String, Vec<u8>);

impl Pool {
    /// A simulated pool that lives by itself; `wall_clock` in milliseconds since 1970.
    pub(crate) fn demo(wall_clock: u64) -> Pool {
        let mut sim = Sim::new(&Config { hosts: HOSTS, vms: VMS, seed: SEED, wall_clock, ..Config::default() });
        sim.live(LIFE, Millis(0));
        Pool { sim, read_only: false, waiting: BTreeMap::new(), session: None }
    }

    /// A pool out of what somebody has of it: recorded replies, xapi's database, or a support bundle with that within; and notes on what is
    /// missing or odd.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the files.
    pub(crate) fn open(files: &[File], wall_clock: u64) -> Result<(Pool, Vec<String>), String> {
        let recordings: Vec<File> = files
            .iter()
            .filter(|(name, _)| is_recording(name))
            .map(|(name, bytes)| (base(name).to_owned(), bytes.clone()))
            .collect();
        let (sim, notes) = if recordings.is_empty() {
            let (name, bytes) = database(files).ok_or_else(|| nothing_to_open(files))?;
            Sim::from_database(bytes, wall_clock).map_err(|error| format!("{name}: {error}"))?
        } else {
            Sim::from_records(&recordings, wall_clock).map_err(|error| error.to_string())?
        };
        Ok((Pool { sim, read_only: true, waiting: BTreeMap::new(), session: None }, notes))
    }

    /// Takes a call, named by whoever made it; the answer, if there is one at once.
    pub(crate) fn call(&mut self, id: u32, bytes: &[u8], now: Millis) -> Option<Vec<u8>> {
        let mut call = match xmlrpc::read_call(bytes, &Limits::request()) {
            Ok(call) => call,
            Err(error) => return Some(xmlrpc::write_failure(&Failure::new("Fault", [error.to_string()]))),
        };
        if self.read_only && !is_harmless(&call.method) {
            return Some(xmlrpc::write_failure(&refusal(&call.method)));
        }
        if let (Some(first), Some(session)) = (call.params.first_mut(), &self.session)
            && first.as_text() == Some(SESSION)
        {
            *first = session.clone();
        }
        let logs_in = call.method == "session.login_with_password";
        match self.sim.handle(call, Origin::Tcp, now) {
            Handled::Done(outcome) => {
                if let (true, Outcome::Value(session)) = (logs_in, &outcome) {
                    self.session = Some(session.clone());
                }
                Some(write(&outcome))
            }
            Handled::Pending(pending) => {
                self.waiting.insert(pending, id);
                None
            }
        }
    }

    /// The answers that have become ready, with the names of their calls.
    pub(crate) fn ready(&mut self, now: Millis) -> Vec<(u32, Vec<u8>)> {
        let ready = self.sim.poll(now);
        for pending in self.sim.take_hung_up() {
            self.waiting.remove(&pending);
        }
        ready.iter().filter_map(|(pending, outcome)| Some((self.waiting.remove(pending)?, write(outcome)))).collect()
    }

    /// When to ask again.
    pub(crate) fn next_deadline(&self) -> Option<Millis> {
        self.sim.next_deadline()
    }
}

fn write(outcome: &Outcome) -> Vec<u8> {
    match outcome {
        Outcome::Value(value) => xmlrpc::write_success(value),
        Outcome::Failure(failure) => xmlrpc::write_failure(failure),
        Outcome::Bare(value) => xmlrpc::write_bare(value),
        Outcome::Shared(shared) => xmlrpc::write_success_with(|writer| shared.write(writer)),
    }
}

/// Looking and logging in and out change nothing in a copy.
fn is_harmless(name: &str) -> bool {
    let Some(method) = xenapi_model::method(name) else { return name.starts_with("system.") };
    let asks_for_events = method.class.name == "event" && method.short_name() != "inject";
    let session = method.class.name == "session"
        && (matches!(method.result(), Type::Ref("session")) || method.short_name() == "logout");
    asks_for_events || session || Method::is_read_only(&method)
}

fn refusal(name: &str) -> Failure {
    let why = "This pool is a copy that was opened from files: nothing in it can be changed.";
    Failure::new("RBAC_PERMISSION_DENIED", [name.to_owned(), why.to_owned()])
}

/// A name without its folders.
fn base(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

/// `VM.get_all_records.xml`, `VM.get_all_records.templates.xml`, `VM.get_record.xml`.
fn is_recording(name: &str) -> bool {
    let message = base(name).strip_suffix(".xml").and_then(|name| name.split('.').nth(1));
    matches!(message, Some("get_all_records" | "get_record"))
}

/// The file that is the database, or a bundle with it: the one that is called so, else the only one.
fn database(files: &[File]) -> Option<(&str, &[u8])> {
    let called_so = files.iter().find(|(name, _)| base(name).contains("xapi-db") || base(name).contains("state.db"));
    let only = files.first().filter(|_| files.len() == 1);
    called_so.or(only).map(|(name, bytes)| (base(name), bytes.as_slice()))
}

fn nothing_to_open(files: &[File]) -> String {
    let names: Vec<&str> = files.iter().take(3).map(|(name, _)| base(name)).collect();
    format!(
        "there is neither an xapi-db.xml nor a <class>.get_all_records.xml among {} files ({})",
        files.len(),
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;
    use xenapi_core::RawCall;

    const CLOCK: u64 = 1_782_864_000_000;

    fn ask(pool: &mut Pool, method: &str, params: &[Value]) -> String {
        let call = RawCall { method: method.to_owned(), params: params.to_vec() };
        let reply = pool.call(1, &xmlrpc::write_call(&call), Millis(1)).unwrap();
        String::from_utf8(reply).unwrap()
    }

    fn log_in(pool: &mut Pool) -> Value {
        let reply = ask(pool, "session.login_with_password", &["root".into(), xenapi_sim::PASSWORD.into()]);
        let session = reply.split("<value>").find(|part| part.starts_with("OpaqueRef:")).unwrap();
        session.split('<').next().unwrap().into()
    }

    #[test]
    fn the_demonstration_answers_and_lives() {
        let mut pool = Pool::demo(CLOCK);
        let session = log_in(&mut pool);
        assert!(ask(&mut pool, "VM.get_all_records", core::slice::from_ref(&session)).contains("power_state"));
        assert!(ask(&mut pool, "VM.get_all", &[SESSION.into()]).contains("Success"), "the word stands for the session");
        let mut now = Millis(2);
        // The answers come when the pool has them; nothing but time passes.
        let mut events = |token: &str, id: u32| {
            let params = vec![session.clone(), Value::Array(vec!["vm".into()]), token.into(), 30.0.into()];
            let call = xmlrpc::write_call(&RawCall { method: "event.from".into(), params });
            let mut reply = pool.call(id, &call, now);
            for _ in 0..1000 {
                if let Some(reply) = reply {
                    return String::from_utf8(reply).unwrap();
                }
                now = pool.next_deadline().unwrap().max(now);
                reply = pool.ready(now).pop().map(|(told, reply)| {
                    assert_eq!(told, id);
                    reply
                });
            }
            panic!("nothing happened until {now:?}");
        };
        let first = events("", 8);
        let token = first.split("<name>token</name><value>").nth(1).unwrap().split('<').next().unwrap().to_owned();
        assert!(events(&token, 9).contains("<name>snapshot</name>"), "something happens by itself");
    }

    #[test]
    fn a_folder_of_recordings_opens_and_does_not_change() {
        let mut live = Pool::demo(CLOCK);
        let session = log_in(&mut live);
        let mut files = vec![("bundle/README.txt".to_owned(), b"x".to_vec())];
        for class in ["pool", "host", "VM"] {
            let name = format!("{class}.get_all_records");
            let records = ask(&mut live, &name, core::slice::from_ref(&session));
            files.push((format!("bundle/{name}.xml"), records.into_bytes()));
        }
        let (mut copy, _notes) = Pool::open(&files, CLOCK).unwrap();
        let session = log_in(&mut copy);
        assert!(ask(&mut copy, "VM.get_all_records", core::slice::from_ref(&session)).contains("name_label"));
        let refused = ask(&mut copy, "VM.start", &[session, "OpaqueRef:x".into(), false.into(), false.into()]);
        assert!(refused.contains("RBAC_PERMISSION_DENIED") && refused.contains("opened from files"), "{refused}");
    }

    #[test]
    fn what_cannot_be_opened_says_why() {
        let error = |files: &[(&str, &str)]| {
            let files: Vec<File> = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
            Pool::open(&files, CLOCK).err().unwrap()
        };
        assert!(error(&[("a.html", "<html/>")]).starts_with("a.html: "));
        assert!(error(&[("a", ""), ("b", "")]).contains("neither an xapi-db.xml"));
        assert!(error(&[("VM.get_all_records.xml", "<html/>")]).contains("VM.get_all_records.xml"));
        assert!(error(&[]).contains("0 files"));
    }
}
