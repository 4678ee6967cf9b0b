//! Measures the simulator where its size matters: the biggest pool, big answers, many small calls, many who wait for events.
//!
//! `cargo run --release -p xenapi-sim --example measure`, on Linux within `/usr/bin/time -v` for the memory of the whole.

use std::time::Instant;

use xenapi_codec::xmlrpc;
use xenapi_core::{Millis, RawCall, Value};
use xenapi_sim::{Config, Handled, Origin, Outcome, PASSWORD, PendingId, Sim};

/// A pool and its clock.
struct Pool {
    sim: Sim,
    session: String,
    now: Millis,
}

impl Pool {
    fn call(&mut self, method: &str, params: &[Value]) -> Handled {
        let params = core::iter::once(Value::from(self.session.as_str())).chain(params.iter().cloned()).collect();
        self.sim.handle(RawCall { method: method.into(), params }, Origin::Tcp, self.now)
    }

    fn ask(&mut self, method: &str, params: &[Value]) -> Outcome {
        let id = match self.call(method, params) {
            Handled::Done(outcome) => return outcome,
            Handled::Pending(id) => id,
        };
        loop {
            self.now = self.sim.next_deadline().expect("a pending call has a deadline");
            if let Some((_, outcome)) = self.sim.poll(self.now).into_iter().find(|(it, _)| *it == id) {
                return outcome;
            }
        }
    }

    fn listen(&mut self, class: &str, token: &str) -> PendingId {
        let params = [Value::Array(vec![class.into()]), token.into(), 3600.0.into()];
        match self.call("event.from", &params) {
            Handled::Pending(id) => id,
            Handled::Done(outcome) => panic!("answered at once: {outcome:?}"),
        }
    }
}

fn encode(outcome: &Outcome) -> Vec<u8> {
    match outcome {
        Outcome::Value(value) => xmlrpc::write_success(value),
        Outcome::Shared(shared) => xmlrpc::write_success_with(|writer| shared.write(writer)),
        Outcome::Failure(failure) => xmlrpc::write_failure(failure),
        Outcome::Bare(value) => xmlrpc::write_bare(value),
    }
}

/// The resident memory now and at its highest, in MiB; nothing where the system does not say.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kib / 1024)
    };
    match (of("VmRSS"), of("VmHWM")) {
        (Some(now), Some(most)) => format!("{now} MiB now, {most} MiB at most"),
        _ => "memory unknown".into(),
    }
}

fn main() {
    let start = Instant::now();
    let sim = Sim::new(&Config { hosts: 64, vms: 5000, ..Config::default() });
    println!("ready: {} ms, {}", start.elapsed().as_millis(), memory());
    let mut pool = Pool { sim, session: String::new(), now: Millis(0) };
    let login = RawCall { method: "session.login_with_password".into(), params: vec!["root".into(), PASSWORD.into()] };
    if let Handled::Done(Outcome::Value(Value::Text(session))) = pool.sim.handle(login, Origin::Tcp, Millis(0)) {
        pool.session = session;
    }
    big_answers(&mut pool);
    getters(&mut pool);
    waiters(&mut pool);
    println!("in the end: {}", memory());
}

fn big_answers(pool: &mut Pool) {
    let everything = [Value::Array(vec!["*".into()]), "".into(), 0.0.into()];
    for (method, params) in [("VM.get_all_records", &[][..]), ("VBD.get_all_records", &[]), ("event.from", &everything)] {
        let start = Instant::now();
        let Outcome::Shared(shared) = pool.ask(method, params) else { panic!("{method} answers no records") };
        let asked = start.elapsed();
        // As the server sends what is big: in pieces.
        let mut bytes = 0;
        xmlrpc::write_success_in_pieces(|writer| shared.write(writer), 256 << 10, &mut |piece| bytes += piece.len());
        let written = start.elapsed() - asked;
        let mib = bytes as f64 / f64::from(1 << 20);
        let rate = mib / written.as_secs_f64();
        println!("{method}: {mib:.1} MiB, asked {asked:?}, written {written:?} ({rate:.0} MiB/s), {}", memory());
    }
}

fn getters(pool: &mut Pool) {
    let Outcome::Value(Value::Array(vms)) = pool.ask("VM.get_all", &[]) else { panic!("no VMs") };
    let count = 200_000;
    for method in ["VM.get_power_state", "VM.get_name_label", "VM.get_other_config", "VM.get_record"] {
        let start = Instant::now();
        let mut bytes = 0;
        for vm in vms.iter().cycle().take(count) {
            let body = xmlrpc::write_call(&RawCall {
                method: method.into(),
                params: vec![pool.session.as_str().into(), vm.clone()],
            });
            let call = xmlrpc::read_call(&body, &xenapi_codec::Limits::request()).expect("a call of our own");
            let Handled::Done(outcome) = pool.sim.handle(call, Origin::Tcp, pool.now) else { panic!("a getter waits") };
            bytes += encode(&outcome).len();
        }
        let rate = count as f64 / start.elapsed().as_secs_f64();
        println!("{method}: {rate:.0} a second, read, answered and written ({} bytes each)", bytes / count);
    }
}

/// 200 callers wait for changes of VMs, one of which comes every 10 ms, for 60 simulated seconds.
fn waiters(pool: &mut Pool) {
    let Outcome::Value(Value::Array(vms)) = pool.ask("VM.get_all", &[]) else { panic!("no VMs") };
    for class in ["vm", "*", "host"] {
        let none = pool.ask("event.from", &[Value::Array(vec!["user".into()]), "".into(), 0.0.into()]);
        let mut token = token_of(&encode(&none)).unwrap_or_default();
        let start = Instant::now();
        let mut waiting: Vec<PendingId> = (0..200).map(|_| pool.listen(class, &token)).collect();
        let (mut answers, mut bytes) = (0, 0);
        for round in 0..6000_usize {
            pool.now = pool.now + Millis(10);
            let vm = vms[round % vms.len()].clone();
            pool.ask("VM.set_name_description", &[vm, format!("round {round} of {class}").into()]);
            for (id, outcome) in pool.sim.poll(pool.now) {
                let text = encode(&outcome);
                bytes += text.len();
                answers += 1;
                if let Some(at) = waiting.iter().position(|it| *it == id) {
                    token = token_of(&text).unwrap_or(token);
                    waiting[at] = pool.listen(class, &token);
                }
            }
        }
        waiting.into_iter().for_each(|id| pool.sim.abandon(id));
        let share = start.elapsed().as_secs_f64() / 60.0 * 100.0;
        println!("200 waiters for {class}: {share:.1} % of a core, {answers} answers of {} bytes", bytes / answers.max(1));
    }
}

/// The token stands last.
fn token_of(reply: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(&reply[reply.len().checked_sub(200)?..]).into_owned();
    let at = text.find("<name>token</name><value>")? + "<name>token</name><value>".len();
    text.get(at..at + 41).map(String::from)
}
