//! Ten thousand schedules of operations and faults: whatever happened, when it is over the cache is what the server has, no task and no
//! session is left, and every call has an answer or a reason.
//!
//! `XENAPI_SEED=42 cargo test -p xenapi-testkit --test schedules` replays one; `XENAPI_SCHEDULES=10000` runs so many, instead of the few that
//! a build without optimisation has time for. `cargo xtask test --only faults` runs them all (`cargo test --profile faults`).
#![allow(clippy::unwrap_used)]

use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::OnceLock;

use xenapi_client::{Cache, CallOptions, Config, Error, Status, Ticket};
use xenapi_codec::{Limits, xmlrpc};
use xenapi_core::{Failure, Millis, RawCall, ReadError, Record, Ref, Value, Wire};
use xenapi_model::{VM, VmKind, vm};
use xenapi_sim::{Handled, Incident, Origin, Outcome, Sim};
use xenapi_testkit::{Pair, Random, Weather};

/// How many run unless somebody says otherwise.
const SCHEDULES: u64 = 50;

type Files = Vec<(String, Vec<u8>)>;

/// A small pool as recorded files: two hosts, a few VMs, no templates, so that loading it takes no time.
fn recording() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| {
        let mut sim = Sim::new(&xenapi_sim::Config { hosts: 2, vms: 3, seed: 7, ..xenapi_sim::Config::default() });
        let mut ask = |method: &str, params: Vec<Value>| {
            let call = RawCall { method: method.into(), params };
            match sim.handle(call, Origin::UnixSocket, Millis(0)) {
                Handled::Done(Outcome::Value(value)) => value,
                Handled::Done(Outcome::Shared(shared)) => shared.to_value(),
                other => panic!("{method}: {other:?}"),
            }
        };
        let session = ask("session.login_with_password", vec!["root".into(), "".into()]);
        let mut all = |class: &str| match ask(&format!("{class}.get_all_records"), vec![session.clone()]) {
            Value::Struct(records) => records,
            other => panic!("{class}: {other:?}"),
        };
        let field = |record: &Value, field: &str| match record {
            Value::Struct(members) => members.get(field).cloned(),
            _ => None,
        };
        let is = |record: &Value, name: &str| field(record, name) == Some(Value::Bool(true));
        let vms = all("VM");
        let left_out: Vec<String> = vms
            .iter()
            .filter(|(_, record)| is(record, "is_a_template") || is(record, "is_a_snapshot"))
            .map(|(reference, _)| reference.to_string())
            .collect();
        let names = |record: &Value| {
            let of = field(record, "VM");
            of.is_some_and(|of| left_out.iter().any(|it| of.as_text() == Some(it)))
        };
        let mut files = Files::new();
        for class in xenapi_model::CLASSES {
            let is_object = xenapi_core::Method::find(class, "get_all_records").is_some();
            if !is_object || matches!(class.name, "message" | "task" | "role" | "secret" | "user") {
                continue;
            }
            let records = all(class.name);
            let kept = records.iter().filter(|(it, record)| !left_out.iter().any(|out| *out == **it) && !names(record));
            let kept = Value::Struct(kept.map(|(it, record)| (it.to_string(), record.clone())).collect());
            files.push((format!("{}.get_all_records.xml", class.name), xmlrpc::write_success(&kept)));
        }
        files
    })
}

fn read<R: Wire>(text: &str) -> Result<R, ReadError> {
    xmlrpc::read_value_as(text, &Limits::reply(), R::read)
}

/// What the schedules have to meet. One in which nothing goes wrong proves nothing.
#[derive(Clone, Copy, Debug)]
enum Met {
    Answers,
    Refusals,
    LostAnswers,
    Timeouts,
    CancelledCalls,
    CancelledTasks,
    SearchesForTasks,
    NewSessions,
    Redirects,
    OtherAddresses,
    FullLoads,
    ChangesByEvents,
}

static COUNTS: [AtomicU64; 12] = [const { AtomicU64::new(0) }; 12];

impl Met {
    const ALL: [Met; COUNTS.len()] = [
        Met::Answers,
        Met::Refusals,
        Met::LostAnswers,
        Met::Timeouts,
        Met::CancelledCalls,
        Met::CancelledTasks,
        Met::SearchesForTasks,
        Met::NewSessions,
        Met::Redirects,
        Met::OtherAddresses,
        Met::FullLoads,
        Met::ChangesByEvents,
    ];

    fn note(self, count: usize) {
        COUNTS[self as usize].fetch_add(count as u64, Ordering::Relaxed);
    }

    fn count(self) -> u64 {
        COUNTS[self as usize].load(Ordering::Relaxed)
    }

    /// Takes note of what a whole schedule has met.
    fn note_all(pair: &Pair) {
        let sent = |method: &str| pair.log.sent.iter().filter(|it| *it == method).count();
        let modified = |change: &&xenapi_client::Change| change.operation == xenapi_client::Operation::Modified;
        let loads = pair.log.statuses.iter().filter(|status| **status == Status::Loading).count();
        Met::CancelledTasks.note(sent("task.cancel"));
        Met::SearchesForTasks.note(sent("task.get_all_records"));
        Met::NewSessions.note(pair.sessions().len().saturating_sub(1));
        Met::Redirects.note(pair.log.redirects.len());
        Met::OtherAddresses.note(usize::from(pair.client.address().is_some()));
        Met::FullLoads.note(loads.saturating_sub(1));
        Met::ChangesByEvents.note(pair.log.changes.iter().filter(modified).count());
    }
}

/// A schedule under way.
struct Run {
    pair: Pair,
    random: Random,
    nothing: Vec<Ticket<()>>,
    names: Vec<Ticket<String>>,
    vms: Vec<Ticket<Ref<VM>>>,
    dead: Option<usize>,
}

/// What a call may end with: an answer, or a reason.
fn judge<R: core::fmt::Debug>(result: Option<Result<R, Error>>) -> Result<(), String> {
    let met = match &result {
        None => return Err("a call has neither an answer nor a reason".into()),
        Some(Err(Error::Misuse(why))) => return Err(format!("a call was misunderstood: {why}")),
        Some(Ok(_)) => Met::Answers,
        Some(Err(Error::Failure(_))) => Met::Refusals,
        Some(Err(Error::TimedOut(_))) => Met::Timeouts,
        Some(Err(Error::Cancelled)) => Met::CancelledCalls,
        Some(Err(_)) => Met::LostAnswers,
    };
    met.note(1);
    Ok(())
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let (sim, _) = Sim::from_records(recording(), 1_782_864_000_000).unwrap();
        let mut cache = Cache::new();
        cache.track_console();
        let config = Config {
            seed: random.number(),
            follow: random.happens(700),
            concurrency: 1 + random.place(4),
            tasks: 1 + random.place(3),
            ..Pair::config()
        };
        let is_spread = config.follow;
        let mut pair = Pair::new(config, cache, sim);
        if is_spread {
            pair.spread();
        }
        pair.client.login(pair.now());
        pair.client.watch(pair.now());
        Run { pair, random, nothing: vec![], names: vec![], vms: vec![], dead: None }
    }

    fn a_vm(&mut self) -> Ref<VM> {
        let vms = self.pair.client.cache().iter::<VM>().filter(|(_, vm)| vm.kind() == VmKind::Vm);
        let vms: Vec<_> = vms.map(|(reference, _)| reference).collect();
        let at = self.random.place(vms.len());
        vms.into_iter().nth(at).unwrap_or_else(|| Ref::new("OpaqueRef:none"))
    }

    fn step(&mut self) {
        match self.random.below(20) {
            0..7 => self.submit(),
            7..9 => self.happen_outside(),
            9..12 => self.disturb(),
            12..15 => self.change_network(),
            15 => self.pair.network.heal(),
            _ => {
                let time = self.random.below(12_000);
                self.pair.pass(Millis(time));
            }
        }
        let little = self.random.below(300);
        self.pair.pass(Millis(little));
    }

    fn submit(&mut self) {
        let this = self.a_vm();
        let now = self.pair.now();
        let timeout = self.random.happens(250).then(|| Millis(self.random.below(8000)));
        let options = CallOptions { timeout, repeat: self.random.happens(500) };
        let client = &mut self.pair.client;
        let id = match self.random.below(9) {
            0 => {
                self.names.push(client.submit_with(vm::fields::NAME_LABEL.get(&this), options, now));
                return;
            }
            1 => {
                let name = format!("name {}", self.random.below(9));
                self.nothing.push(client.submit_with(vm::fields::NAME_LABEL.set(&this, &name), options, now));
                return;
            }
            2 => {
                self.nothing.push(client.submit_with(vm::start(&this, false, false), options, now));
                return;
            }
            3 => {
                self.nothing.push(client.barrier(now));
                return;
            }
            4 => {
                self.nothing.push(client.submit_task_with(vm::start(&this, false, false), read, options, now));
                self.nothing.last().unwrap().id()
            }
            5 => {
                self.nothing.push(client.submit_task_with(vm::hard_shutdown(&this), read, options, now));
                self.nothing.last().unwrap().id()
            }
            6 => {
                self.vms.push(client.submit_task_with(vm::clone(&this, "copy"), read, options, now));
                self.vms.last().unwrap().id()
            }
            7 => {
                self.vms.push(client.submit_task_with(vm::snapshot(&this, "shot", None), read, options, now));
                self.vms.last().unwrap().id()
            }
            _ => {
                self.nothing.push(client.submit_task_with(xenapi_core::destroy(&this), read, options, now));
                self.nothing.last().unwrap().id()
            }
        };
        if self.random.happens(150) {
            let time = self.random.below(2000);
            self.pair.pass(Millis(time));
            let now = self.pair.now();
            self.pair.client.cancel(id, now);
        } else if self.random.happens(100) {
            self.pair.client.forget(id);
            self.nothing.retain(|ticket| ticket.id() != id);
            self.vms.retain(|ticket| ticket.id() != id);
        }
    }

    fn happen_outside(&mut self) {
        let this = Value::from(&self.a_vm());
        let flag = || Value::Bool(false);
        let name = format!("outside {}", self.random.below(9));
        let (method, params) = match self.random.below(7) {
            0 => ("VM.start", vec![this, flag(), flag()]),
            1 => ("VM.hard_shutdown", vec![this]),
            2 => ("VM.clone", vec![this, name.into()]),
            3 => ("VM.destroy", vec![this]),
            4 => ("VM.pause", vec![this]),
            5 => ("Async.VM.clone", vec![this, name.into()]),
            _ => ("VM.set_name_label", vec![this, name.into()]),
        };
        // Whether the server refuses it is the server's business.
        if let (Ok(task), "Async.VM.clone") = (self.pair.outside(method, params), method) {
            let _ = self.pair.outside("task.destroy", [task]);
        }
    }

    fn host(&self, at: usize) -> Option<xenapi_sim::HostInfo> {
        self.pair.sim().hosts().into_iter().nth(at)
    }

    fn disturb(&mut self) {
        let at = self.random.place(2);
        let refuse = |code: &str, params: &[&str]| Failure::new(code, params.iter().copied());
        match self.random.below(10) {
            0 => self.pair.befall(Incident::LoseSessions),
            1 => self.pair.befall(Incident::ForgetEvents),
            2 => {
                let boots_for = Millis(self.random.below(15_000));
                self.pair.befall(Incident::Restart { boots_for });
            }
            3 => {
                if let Some(host) = self.host(at) {
                    self.pair.befall(Incident::ChangeMaster(host.reference));
                }
            }
            4 if self.dead.is_none() => self.kill(at),
            5 => self.pair.end_session(),
            6 => self.pair.network.refuse_next("event.from", refuse("EVENTS_LOST", &[])),
            7 => {
                self.pair.network.refuse_next("event.from", refuse("EVENT_FROM_TOKEN_PARSE_FAILURE", &["x"]));
            }
            8 => {
                let methods = ["event.from", "VM.start", "Async.VM.start", "session.login_with_password"];
                let address = self.host(at).map(|host| host.address).unwrap_or_default();
                self.pair.network.refuse_next(methods[self.random.place(4)], refuse("HOST_IS_SLAVE", &[&address]));
            }
            _ => {
                let methods = ["event.from", "Async.VM.clone", "VM.start", "task.destroy"];
                let codes = ["HOST_STILL_BOOTING", "TOO_MANY_PENDING_TASKS"];
                let failure = refuse(codes[self.random.place(2)], &[]);
                self.pair.network.refuse_next(methods[self.random.place(4)], failure);
            }
        }
    }

    /// A host dies. If it was the master, another one takes over after some time.
    fn kill(&mut self, at: usize) {
        let Some(host) = self.host(at) else { return };
        self.dead = Some(at);
        self.pair.befall(Incident::KillHost(host.reference));
        if host.is_master {
            let time = self.random.below(20_000);
            self.pair.pass(Millis(time));
            if let Some(other) = self.host(1 - at) {
                self.pair.befall(Incident::ChangeMaster(other.reference));
            }
        }
    }

    fn change_network(&mut self) {
        let random = &mut self.random;
        let network = &mut self.pair.network;
        match random.below(6) {
            0 => network.is_silent = true,
            1 => network.refuses = true,
            2 => network.lose_answers += 1 + random.place(3),
            3 => network.cut_answers += 1 + random.place(3),
            _ => {
                network.weather = Some(Weather {
                    lost: random.below(80),
                    reset: random.below(150),
                    cut: random.below(100),
                    twice: random.below(150),
                    slowest: Millis(random.below(4000)),
                    random: Random::new(random.number()),
                });
            }
        }
    }

    /// Everything works again. How long it takes until the client has noticed is limited by its timeouts alone.
    fn heal(&mut self) {
        self.pair.network.heal();
        if self.dead.is_some() {
            self.pair.fault("host-back:host=1;host-back:host=2");
        }
        // A full load that will never be answered, a call that nobody has carried out, a task in search of its call.
        self.pair.pass(Millis::from_secs(70));
        let end = self.pair.now() + Millis::from_secs(1200);
        while (self.pair.client.unanswered_calls() > 0 || self.pair.client.status() != &Status::Live)
            && self.pair.now() < end
        {
            self.pair.pass(Millis::from_secs(5));
        }
    }

    fn check(&mut self) -> Result<(), String> {
        for ticket in core::mem::take(&mut self.nothing) {
            judge(self.pair.client.take(&ticket))?;
        }
        for ticket in core::mem::take(&mut self.names) {
            judge(self.pair.client.take(&ticket))?;
        }
        for ticket in core::mem::take(&mut self.vms) {
            judge(self.pair.client.take(&ticket))?;
        }
        if self.pair.client.status() != &Status::Live {
            return Err(format!("the client is {:?}", self.pair.client.status()));
        }
        self.pair.pass(Millis::from_secs(60));
        let now = self.pair.now();
        let barrier = self.pair.client.barrier(now);
        self.pair.result(&barrier).map_err(|error| format!("the barrier: {error}"))?;
        let fresh = self.pair.reloaded();
        let differences = self.pair.client.cache().differences_to(&fresh);
        if !differences.is_empty() {
            return Err(format!("the cache is not what the server has: {differences:?}"));
        }
        let shown = |task: &xenapi_model::task::Record| {
            format!("{} {:?} {:?} {:?}", task.name_label, task.status, task.other_config, task.current_operations)
        };
        let tasks: Vec<_> = fresh.iter::<xenapi_model::Task>().map(|(_, task)| shown(task)).collect();
        if !tasks.is_empty() {
            return Err(format!("tasks are left: {tasks:?}"));
        }
        Ok(())
    }

    fn leave(&mut self) -> Result<(), String> {
        let now = self.pair.now();
        self.pair.client.logout(now);
        self.pair.pass(Millis::from_secs(5));
        if self.pair.client.status() != &Status::LoggedOut {
            return Err(format!("logged out, and yet {:?}", self.pair.client.status()));
        }
        let sessions = self.pair.sessions().to_vec();
        for session in sessions {
            if self.pair.outside("session.get_uuid", [session.clone().into()]).is_ok() {
                return Err(format!("the session {session} was left behind"));
            }
        }
        Ok(())
    }
}

fn run(seed: u64) -> Result<(), String> {
    let mut run = Run::new(seed);
    if run.random.happens(800) {
        run.pair.pass(Millis(200));
    }
    for _ in 0..4 + run.random.below(16) {
        run.step();
    }
    run.heal();
    run.check()?;
    Met::note_all(&run.pair);
    run.leave()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

#[test]
fn whatever_happens_nothing_is_wrong_lost_or_left_in_the_end() {
    if let Some(seed) = number("XENAPI_SEED") {
        return run(seed).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
    }
    let count = number("XENAPI_SCHEDULES").unwrap_or(SCHEDULES);
    let next = AtomicU64::new(0);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= count {
                return;
            }
            let result = std::panic::catch_unwind(|| run(seed)).unwrap_or_else(|_| Err("it panicked".into()));
            if let Err(why) = result {
                next.store(count, Ordering::Relaxed);
                panic!(
                    "seed {seed}: {why}\nreplay it with: \
                     XENAPI_SEED={seed} cargo test -p xenapi-testkit --test schedules"
                );
            }
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    for what in Met::ALL {
        println!("{} {what:?}", what.count());
        assert!(what.count() > 0 || count < SCHEDULES, "no schedule met {what:?}");
    }
}

#[test]
fn the_recorded_pool_is_small_and_whole() {
    let (sim, notes) = Sim::from_records(recording(), 0).unwrap();
    assert_eq!(sim.hosts().len(), 2, "{notes:?}");
    let pair = Pair::live_with(sim);
    let cache = pair.client.cache();
    let vms: Vec<_> = cache.iter::<VM>().filter(|(_, vm)| vm.kind() == VmKind::Vm).collect();
    assert_eq!(vms.len(), 3);
    assert!(vms.iter().all(|(_, vm)| vm.missing().next().is_none()));
    assert!(cache.count::<VM>() < 10 && cache.is_known::<xenapi_model::VBD>());
}
