//! A day in the life of a pool that fifty clients call at random, rightly and wrongly, made from the descriptors of the model.
//!
//! The test runs a part of a day; `XENOXIDE_SOAK_HOURS=24 cargo test -p xenapi-sim soak` runs a whole one, and
//! `XENOXIDE_SOAK_SEED` another one.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::format;

use xenapi_core::{Method, Qualifier, Role, Struct, Type};

use super::*;
use crate::random::Random;
use crate::tests::generated::{check_relations, check_types};
use crate::{Incident, PendingId};

const CLIENTS: usize = 50;
/// Objects that clients made are made room for beyond so many of a class.
const PLENTY: usize = 120;

/// The clients, and what they wait for.
struct Crowd {
    pool: Pool,
    random: Random,
    sessions: Vec<(String, &'static str)>,
    methods: Vec<Method>,
    waiting: Vec<PendingId>,
    answers: usize,
    refusals: usize,
    /// How often each code was the reason.
    codes: BTreeMap<String, usize>,
    /// Everything that was answered, if somebody wants to know.
    log: Option<Vec<String>>,
}

impl Crowd {
    fn new(seed: u64) -> Crowd {
        let pool = Pool::with(&Config { hosts: 4, vms: 24, seed, ..Config::default() });
        // The users have to be able to come back.
        let is_kept = |method: &Method| !matches!(method.name().as_str(), "subject.destroy" | "subject.remove_from_roles");
        let methods = xenapi_model::CLASSES.iter().flat_map(|class| Method::all(class)).filter(is_kept).collect();
        let random = Random::new(seed);
        let mut crowd = Crowd {
            pool,
            random,
            sessions: vec![],
            methods,
            waiting: vec![],
            answers: 0,
            refusals: 0,
            codes: BTreeMap::new(),
            log: None,
        };
        for client in 0..CLIENTS {
            let roles = Role::ASSIGNABLE;
            let user = if client % 3 == 0 { "root" } else { roles[client % roles.len()].name() };
            let session = crowd.pool.login(user);
            crowd.sessions.push((session, user));
        }
        crowd
    }

    /// Any object of a class; at times one that is not there.
    fn any(&mut self, class: &str) -> String {
        match self.random.below(20) {
            0 => "OpaqueRef:NULL".into(),
            1 => "OpaqueRef:nobody".into(),
            _ => {
                let all = self.pool.sim.store.all(class);
                if all.is_empty() { "OpaqueRef:none".into() } else { self.random.pick(&all).as_str().into() }
            }
        }
    }

    fn text(&mut self) -> String {
        match self.random.below(12) {
            0 => String::new(),
            1 => "a<b&\"c'\u{1}d".into(),
            2 => self.random.uuid().as_str().into(),
            3 => self.random.mac(),
            4..=6 => format!("{}", self.random.below(16)),
            7 => {
                let class = *self.random.pick(&["VM", "host", "SR", "VDI", "network"]);
                let of = self.any(class);
                self.pool.sim.store.text(class, &of, "uuid").into()
            }
            8 => (*self.random.pick(&["folder", "true", "false", "ext", "nfs", "user", "10.0.0.9", "255.255.255.0"])).into(),
            _ => format!("name {}", self.random.below(20)),
        }
    }

    fn value(&mut self, ty: &Type) -> Value {
        if self.random.below(60) == 0 {
            return (*self.random.pick(&[Value::Nil, Value::Bool(true), Value::Double(f64::NAN), Value::Array(vec![])]))
                .clone();
        }
        match ty {
            Type::Ref(class) => self.any(class).into(),
            Type::String => self.text().into(),
            Type::Enum(desc) => Value::from(*self.random.pick(desc.values)),
            Type::Int => {
                (*self.random.pick(&[0, 1, 2, 4, 5, 4096, 1 << 30, 4 << 30, 1 << 40, -1, i64::MIN, i64::MAX])).into()
            }
            Type::Float => (*self.random.pick(&[0.0, 0.5, 1.0, -1.0, 1e300])).into(),
            Type::Bool => (self.random.below(2) == 0).into(),
            Type::DateTime => self.pool.sim.date().into(),
            Type::Set(item) => {
                let count = self.random.below(4);
                Value::Array((0..count).map(|_| self.value(item)).collect())
            }
            Type::Map(key, of) => {
                let count = self.random.below(3);
                let mut members = Struct::new();
                for _ in 0..count {
                    let key = match self.value(key) {
                        Value::Text(text) => text,
                        Value::Int(number) => format!("{number}"),
                        _ => "k".into(),
                    };
                    let value = self.value(of);
                    members.push(Cow::Owned(key), value);
                }
                members.into()
            }
            Type::Record(class) => self.record(class),
            other => other.empty_value(),
        }
    }

    /// A record to make an object of, mostly complete.
    fn record(&mut self, class: &str) -> Value {
        let mut members = Struct::new();
        let fields = xenapi_model::class(class).map_or(&[][..], |class| class.fields);
        for field in fields.iter().filter(|field| field.qualifier != Qualifier::Dynamic) {
            let is_needed = field.default.is_none() && self.random.below(100) > 0;
            if is_needed || self.random.below(4) == 0 {
                members.push(field.name, self.value(&field.ty));
            }
        }
        members.into()
    }

    /// One call of one client.
    fn act(&mut self) {
        let client = self.random.below(self.sessions.len());
        let session = self.sessions[client].0.clone();
        if self.random.below(400) == 0 {
            self.come_back(client);
        }
        // VMs, their devices and tasks are what clients mostly work on.
        let method = loop {
            let method = *self.random.pick(&self.methods);
            let is_often = matches!(method.class.name, "VM" | "VBD" | "VIF" | "VDI" | "task" | "event" | "host" | "SR");
            if is_often || self.random.below(4) == 0 {
                break method;
            }
        };
        let mut params: Vec<Value> = method.params().iter().map(|param| self.value(&param.ty)).collect();
        if matches!(method.name().as_str(), "event.from" | "event.register") {
            params[0] = Value::Array(vec![(*self.random.pick(&["*", "vm", "task", "host", "nothing"])).into()]);
            if let Some(token) = params.get_mut(1) {
                *token = "".into();
            }
        }
        if method.takes_session() {
            params.insert(0, session.into());
        }
        if self.random.below(100) == 0 {
            params.pop();
        }
        let is_async = method.has_async() && self.random.below(3) == 0;
        let name = if is_async { format!("Async.{}", method.name()) } else { method.name() };
        match self.pool.handle(&name, &params) {
            Handled::Pending(pending) => self.waiting.push(pending),
            Handled::Done(outcome) => {
                // Somebody restarted the toolstack, or logged this user out.
                if matches!(&outcome, Outcome::Failure(failure) if failure.code == "SESSION_INVALID") {
                    self.come_back(client);
                }
                self.count(&outcome);
            }
        }
        while self.waiting.len() > 200 {
            let at = self.random.below(self.waiting.len());
            let pending = self.waiting.swap_remove(at);
            self.pool.sim.abandon(pending);
        }
    }

    /// Logs a client in again, if the pool lets it.
    fn come_back(&mut self, client: usize) {
        let params = [self.sessions[client].1, PASSWORD].map(Value::from);
        if let Ok(Value::Text(session)) = self.pool.raw("session.login_with_password", &params) {
            self.sessions[client].0 = session;
        }
    }

    fn pass(&mut self, milliseconds: u64) {
        self.pool.now = self.pool.now + Millis(milliseconds);
        for (id, outcome) in self.pool.sim.poll(self.pool.now) {
            self.waiting.retain(|waiting| *waiting != id);
            self.count(&outcome);
        }
    }

    fn count(&mut self, outcome: &Outcome) {
        let is_refusal = matches!(outcome, Outcome::Failure(_));
        if let Outcome::Failure(failure) = outcome {
            *self.codes.entry(failure.code.clone()).or_default() += 1;
        }
        self.refusals += usize::from(is_refusal);
        self.answers += usize::from(!is_refusal);
        if let Some(log) = &mut self.log {
            log.push(super::assertions::bytes(outcome));
        }
    }

    /// What people tidy up: objects that random calls made many of, hosts that were left switched off.
    fn tidy(&mut self) {
        // A master that was told to reboot takes its time.
        for _ in 0..60 {
            if self.pool.sim.emergency(Origin::Tcp).is_none() {
                break;
            }
            self.pass(60_000);
        }
        let root = self.pool.login("root");
        self.pool.session = root;
        for class in ["VM", "VDI", "network", "VBD", "VIF", "task", "secret", "VM_appliance", "VMSS", "VMPP"] {
            let all = self.pool.sim.store.all(class);
            for surplus in all.iter().rev().take(all.len().saturating_sub(PLENTY)) {
                if class == "VM" {
                    let _ = self.pool.ask("VM.hard_shutdown", &[surplus.as_str()]);
                }
                let _ = self.pool.ask(&format!("{class}.destroy"), &[surplus.as_str()]);
            }
        }
        for host in self.pool.sim.store.all("host") {
            let uuid = String::from(self.pool.sim.store.text("host", host.as_str(), "uuid"));
            self.pool.sim.host_returns(&uuid, self.pool.now);
            let _ = self.pool.ask("host.enable", &[host.as_str()]);
        }
        let _ = self.pool.ask("session.logout", &[]);
        // Answers that came while others were waited for are lost; nobody waits for them any more.
        let waiting = core::mem::take(&mut self.waiting);
        waiting.into_iter().for_each(|pending| self.pool.sim.abandon(pending));
    }

    /// What holds at any time.
    fn check(&self) {
        let sim = &self.pool.sim;
        check_relations(sim);
        check_backwards(sim);
        check_types(sim);
        check_books(sim);
    }
}

/// What the computed side of a relation lists exists and points back.
fn check_backwards(sim: &Sim) {
    for table in &sim.store.tables {
        for (field, link) in table.links.iter().enumerate().filter_map(|(field, link)| Some((field, (*link)?))) {
            let mirror = &sim.store.tables[link.table];
            for owner in mirror.rows.values() {
                for item in owner.fields[link.field].as_array().unwrap().iter().filter_map(Value::as_text) {
                    let place = format!("{}.{}", mirror.class.name, mirror.class.fields[link.field].name);
                    let Some(row) = table.get(item) else { panic!("{place} of {} lists {item}", owner.reference) };
                    let points_back = match &row.fields[field] {
                        Value::Array(items) => items.iter().any(|it| it.as_text() == Some(owner.reference.as_str())),
                        value => value.as_text() == Some(owner.reference.as_str()),
                    };
                    assert!(points_back, "{place} of {} lists {item}, which points elsewhere", owner.reference);
                }
            }
        }
    }
}

/// The server's own books: nothing is kept for what is gone.
fn check_books(sim: &Sim) {
    let tasks = sim.store.count("task");
    assert!(sim.owners.len() == tasks && sim.owners.keys().all(|task| sim.store.contains("task", task.as_str())));
    assert_eq!(sim.sessions.len(), sim.store.count("session"));
    assert!(sim.job_of_task.values().all(|job| sim.jobs.contains_key(job)));
    assert!(sim.timers.len() <= sim.jobs.len() + sim.waits.len() + 100, "{} timers", sim.timers.len());
    assert!(sim.store.count("message") <= 10_000);
    assert!(sim.store.journal.as_ref().is_none_or(Vec::is_empty), "what the queues are due is handed out");
    for table in &sim.store.tables {
        assert!(table.deletions.len() <= 512, "{}", table.class.name);
    }
    for (class, owner, field) in [("VBD", "VM", "VM"), ("VIF", "VM", "VM"), ("console", "VM", "VM"), ("VDI", "SR", "SR")] {
        for object in sim.store.all(class) {
            let of = sim.store.text(class, object.as_str(), field);
            assert!(sim.store.contains(owner, of), "{class} {object} belongs to the {owner} {of}, which is gone");
        }
    }
}

fn hours() -> u64 {
    std::env::var("XENOXIDE_SOAK_HOURS").ok().and_then(|hours| hours.parse().ok()).unwrap_or(1)
}

#[test]
fn soak() {
    let seed = std::env::var("XENOXIDE_SOAK_SEED").ok().and_then(|seed| seed.parse().ok());
    let mut crowd = Crowd::new(seed.unwrap_or(20_260_701));
    let end = Millis::from_secs(hours() * 3600);
    let mut round: u64 = 0;
    while crowd.pool.now < end {
        crowd.act();
        let time = crowd.random.below(1800) as u64;
        crowd.pass(time);
        round += 1;
        if round.is_multiple_of(500) {
            crowd.check();
            crowd.tidy();
        }
        if round.is_multiple_of(5000) {
            let incident = match round / 5000 % 3 {
                0 => Incident::Restart { boots_for: Millis(0) },
                1 => Incident::LoseSessions,
                _ => Incident::ForgetEvents,
            };
            crowd.pool.sim.befall(incident, crowd.pool.now).unwrap();
            crowd.pool.sim.take_hung_up();
            (0..CLIENTS).for_each(|client| crowd.come_back(client));
        }
    }
    crowd.check();
    std::eprintln!("{round} calls: {} answers, {} refusals: {:?}", crowd.answers, crowd.refusals, crowd.codes);
    assert!(crowd.answers > 100 && crowd.refusals > 100);
    // Everybody goes, and after three days nothing is left of them.
    for _ in 0..3 * 24 * 60 {
        crowd.pass(60_000);
    }
    crowd.check();
    let sim = &crowd.pool.sim;
    assert_eq!((sim.sessions.len(), sim.store.count("task"), sim.jobs.len(), sim.waits.len()), (0, 0, 0, 0));
    assert!(sim.store.journal.is_none() && sim.timers.len() <= 100, "{} timers", sim.timers.len());
}

#[test]
fn the_same_calls_get_the_same_bytes() {
    let run = || {
        let mut crowd = Crowd::new(7);
        crowd.log = Some(vec![]);
        for _ in 0..600 {
            crowd.act();
            let time = crowd.random.below(1000) as u64;
            crowd.pass(time);
        }
        let session = crowd.pool.login("root");
        crowd.pool.session = session;
        let everything = [Value::Array(vec!["*".into()]), "".into(), 0.0.into()];
        let everything = crowd.pool.call("event.from", &everything).unwrap();
        (crowd.log.unwrap(), super::assertions::bytes(&Outcome::Value(everything)))
    };
    let (one, two) = (run(), run());
    assert!(one.0.len() > 500, "{} answers", one.0.len());
    assert!(one == two, "the same seed and the same calls gave other answers");
}
