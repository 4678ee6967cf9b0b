//! `event.from` and its elders.

use super::*;
use crate::PendingId;

fn classes(names: &[&str]) -> Value {
    Value::Array(names.iter().map(|name| Value::from(*name)).collect())
}

struct Batch {
    events: Vec<Value>,
    token: String,
    whole: Value,
}

impl Batch {
    fn brief(&self) -> Vec<(String, String, String)> {
        let text =
            |event: &Value, name: &str| String::from(event.as_struct().unwrap().get(name).unwrap().as_text().unwrap());
        let brief = |event| (text(event, "operation"), text(event, "class"), text(event, "ref"));
        self.events.iter().map(brief).collect()
    }
}

impl Pool {
    fn listen(&mut self, names: &[&str], token: &str, seconds: f64) -> PendingId {
        let params = [self.session.as_str().into(), classes(names), token.into(), seconds.into()];
        match self.handle("event.from", &params) {
            Handled::Pending(pending) => pending,
            Handled::Done(_) => panic!("answered at once"),
        }
    }

    fn hear(&mut self, pending: PendingId) -> Batch {
        let whole = self.wait(pending).unwrap();
        let members = whole.as_struct().unwrap();
        let events = members.get("events").unwrap().as_array().unwrap().to_vec();
        let token = members.get("token").unwrap().as_text().unwrap().into();
        Batch { events, token, whole }
    }

    fn from(&mut self, names: &[&str], token: &str, seconds: f64) -> Batch {
        let pending = self.listen(names, token, seconds);
        self.hear(pending)
    }

    fn token(&mut self) -> String {
        self.from(&["user"], "", 0.0).token
    }
}

#[test]
fn check_42_an_empty_token_gets_everything() {
    let mut pool = Pool::new();
    let all = pool.refs("VM.get_all", &[]);
    let batch = pool.from(&["vm"], "", 0.1);
    assert_eq!(batch.events.len(), all.len());
    let members = batch.whole.as_struct().unwrap();
    let names: Vec<&str> = members.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["events", "valid_ref_counts", "token"]);
    let event = batch.events[0].as_struct().unwrap();
    let names: Vec<&str> = event.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["id", "timestamp", "class", "operation", "ref", "snapshot"]);
    assert!(matches!(event.get("id"), Some(Value::Text(_))));
    assert_eq!(event.get("timestamp"), Some(&"0.0".into()));
    assert_eq!((event.get("class"), event.get("operation")), (Some(&"vm".into()), Some(&"add".into())));
    let reference = event.get("ref").unwrap().as_text().unwrap().to_string();
    assert_eq!(event.get("snapshot"), Some(&pool.ask("VM.get_record", &[&reference]).unwrap()));
    let token: Vec<&str> = batch.token.split(',').collect();
    assert!(token.len() == 2 && token.iter().all(|part| part.len() == 20 && part.bytes().all(|b| b.is_ascii_digit())));
    let counts = members.get("valid_ref_counts").unwrap().as_struct().unwrap();
    assert_eq!(counts.get("vm"), Some(&Value::Int32(i32::try_from(all.len()).unwrap())));
    let stored = xenapi_model::CLASSES.iter().filter(|class| class.implicit.get_record).count();
    assert_eq!((counts.len(), stored), (65, 65));
}

#[test]
fn check_43_nothing_new_waits_for_the_timeout() {
    let mut pool = Pool::new();
    let token = pool.token();
    let before = pool.now;
    let batch = pool.from(&["*"], &token, 0.5);
    assert!(batch.events.is_empty());
    assert_eq!(pool.now - before, Millis(500));
}

#[test]
fn check_44_changes_are_told_once() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let token = pool.token();
    for name in ["a", "b", "c"] {
        pool.ask("VM.set_name_label", &[&vm, name]).unwrap();
    }
    let batch = pool.from(&["*"], &token, 1.0);
    assert_eq!(batch.brief(), [("mod".into(), "vm".into(), vm.clone())]);
    let snapshot = batch.events[0].as_struct().unwrap().get("snapshot").unwrap().as_struct().unwrap().get("name_label");
    assert_eq!(snapshot, Some(&"c".into()));

    pool.ask("VM.set_name_label", &[&vm, "c"]).unwrap();
    let batch = pool.from(&["*"], &batch.token, 0.2);
    assert!(batch.events.is_empty(), "the same value is no change");

    let record = [("name_label", Value::from("n")), ("other_config", Value::empty_struct())];
    let record = Value::Struct(record.into_iter().collect());
    let network = pool.call("network.create", core::slice::from_ref(&record)).unwrap();
    pool.call("network.destroy", core::slice::from_ref(&network)).unwrap();
    let batch = pool.from(&["network"], &batch.token, 0.2);
    assert!(batch.events.is_empty(), "what came and went was never there");

    let network = pool.call("network.create", &[record]).unwrap();
    let batch = pool.from(&["network"], &batch.token, 1.0);
    let reference: String = network.as_text().unwrap().into();
    assert_eq!(batch.brief(), [("add".into(), "network".into(), reference.clone())]);
    pool.call("network.destroy", &[network]).unwrap();
    let batch = pool.from(&["network"], &batch.token, 1.0);
    assert_eq!(batch.brief(), [("del".into(), "network".into(), reference)]);
    assert!(batch.events[0].as_struct().unwrap().get("snapshot").is_none());
}

#[test]
fn check_45_one_object_and_bad_tokens() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let other = pool.vm("Running");
    let batch = pool.from(&[&alloc::format!("VM/{vm}")], "", 1.0);
    assert_eq!(batch.brief(), [("add".into(), "vm".into(), vm.clone())]);
    let pending = pool.listen(&[&alloc::format!("vm/{vm}")], &batch.token, 1.0);
    pool.ask("VM.set_name_label", &[&other, "another"]).unwrap();
    assert!(pool.hear(pending).events.is_empty(), "somebody else changed");
    for bad in ["abc", "1", "1,2,3", ",", "-1,0"] {
        let params = [classes(&["*"]), bad.into(), 1.0.into()];
        assert_eq!(pool.call("event.from", &params).unwrap_err(), failure("EVENT_FROM_TOKEN_PARSE_FAILURE", &[bad]));
    }
}

#[test]
fn check_46_injected_events_come() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let token = pool.text("event.inject", &["VM", &vm]);
    let batch = pool.from(&["vm"], &token, 1.0);
    assert_eq!(batch.brief(), [("mod".into(), "vm".into(), vm.clone())]);
    assert_eq!(pool.ask("event.inject", &["vm", &vm]).unwrap_err(), failure("HANDLE_INVALID", &["vm", &vm]));
}

#[test]
fn check_47_next_needs_registration() {
    let mut pool = Pool::new();
    let session = pool.session.clone();
    assert_eq!(pool.ask("event.next", &[]).unwrap_err(), failure("SESSION_NOT_REGISTERED", &[&session]));
    pool.call("event.register", &[classes(&["vm"])]).unwrap();
    let vm = pool.vm("Halted");
    pool.ask("VM.set_name_label", &[&vm, "new"]).unwrap();
    let events = pool.ask("event.next", &[]).unwrap();
    assert_eq!(events.as_array().unwrap().len(), 1);
    assert!(pool.ask("event.get_current_id", &[]).unwrap().as_int().unwrap() > 0);
    let Handled::Pending(_) = pool.handle("event.next", &[session.as_str().into()]) else { panic!("nothing is new") };
    pool.call("event.unregister", &[classes(&["vm"])]).unwrap();
    assert_eq!(pool.ask("event.next", &[]).unwrap_err().code, "SESSION_NOT_REGISTERED");
}

#[test]
fn a_waiting_caller_hears_fifty_milliseconds_after_the_change() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let token = pool.token();
    let pending = pool.listen(&["*"], &token, 30.0);
    pool.pass(1000);
    pool.ask("VM.set_name_label", &[&vm, "one"]).unwrap();
    assert_eq!(pool.sim.next_deadline(), Some(pool.now + Millis(50)));
    pool.ask("VM.set_name_description", &[&vm, "two"]).unwrap();
    let before = pool.now;
    assert_eq!(pool.hear(pending).brief(), [("mod".into(), "vm".into(), vm)]);
    assert_eq!(pool.now - before, Millis(50));
}

#[test]
fn events_come_in_kinds_messages_first() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let token = pool.token();
    pool.start(&vm).unwrap();
    let batch = pool.from(&["*"], &token, 1.0);
    let kinds: Vec<String> =
        batch.brief().into_iter().map(|(what, class, _)| if class == "message" { class } else { what }).collect();
    let mut sorted = kinds.clone();
    let order = ["message", "add", "mod", "del"];
    sorted.sort_by_key(|kind| order.iter().position(|it| it == kind));
    assert_eq!(kinds, sorted);
    assert!(kinds.contains(&"message".into()) && kinds.contains(&"add".into()) && kinds.contains(&"mod".into()));
    assert_eq!(batch.events[0].as_struct().unwrap().get("id"), Some(&"0".into()));
}

#[test]
fn old_tokens_may_miss_deletions_but_not_recent_ones() {
    let mut pool = Pool::new();
    let made: Vec<String> = (0..600).map(|number| pool.text("task.create", &[&alloc::format!("t{number}"), ""])).collect();
    for task in &made {
        pool.ask("task.set_status", &[task, "success"]).unwrap();
    }
    let token = pool.token();
    for task in &made {
        pool.ask("task.destroy", &[task]).unwrap();
    }
    let batch = pool.from(&["task", "user"], &token, 1.0);
    assert!((256..=512).contains(&batch.events.len()), "{}", batch.events.len());
    assert_eq!(batch.brief().last().unwrap().2, *made.last().unwrap());
}

#[test]
fn sessions_and_secrets_have_no_events() {
    let mut pool = Pool::new();
    let token = pool.token();
    pool.login("root");
    assert!(pool.from(&["*"], &token, 0.2).events.is_empty());
}

#[test]
fn absurd_timeouts_count_as_a_day() {
    let mut pool = Pool::new();
    for timeout in [-1.0, 1e300, f64::NAN, f64::INFINITY] {
        let token = pool.token();
        pool.listen(&["*"], &token, timeout);
        assert_eq!(pool.sim.next_deadline(), Some(pool.now + Millis::from_secs(86_400)), "{timeout}");
        let pending = pool.listen(&["*"], &token, 0.0);
        pool.sim.abandon(pending);
        pool = Pool::new();
    }
}

#[test]
fn abandoned_callers_are_forgotten() {
    let mut pool = Pool::new();
    let token = pool.token();
    let pending = pool.listen(&["*"], &token, 30.0);
    pool.sim.abandon(pending);
    assert_eq!(pool.sim.next_deadline(), None);
}

fn events(value: &Value) -> Vec<(String, String, Option<Value>)> {
    let text = |event: &xenapi_core::Struct, name: &str| String::from(event.get(name).unwrap().as_text().unwrap());
    let brief = |event: &Value| {
        let event = event.as_struct().unwrap();
        let name = event.get("snapshot").and_then(|record| record.as_struct()?.get("name_label").cloned());
        (text(event, "operation"), text(event, "ref"), name)
    };
    value.as_array().unwrap().iter().map(brief).collect()
}

#[test]
fn the_older_events_tell_every_change_with_its_record() {
    let mut pool = Pool::new();
    pool.call("event.register", &[classes(&["network", "NETWORK", "user"])]).unwrap();
    let record = [("name_label", Value::from("n")), ("other_config", Value::empty_struct())];
    let network = pool.call("network.create", &[Value::Struct(record.into_iter().collect())]).unwrap();
    let network: String = network.as_text().unwrap().into();
    for name in ["a", "b"] {
        pool.ask("network.set_name_label", &[&network, name]).unwrap();
    }
    pool.ask("network.destroy", &[&network]).unwrap();
    let all = pool.ask("event.next", &[]).unwrap();
    let own: Vec<_> = events(&all).into_iter().map(|(what, of, name)| (what, of == network, name)).collect();
    let event = |what: &str, name: &str| (String::from(what), true, Some(Value::from(name)));
    assert_eq!(own, [event("add", "n"), event("mod", "a"), event("mod", "b"), event("del", "b")]);
    let ids: Vec<i64> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event.as_struct().unwrap().get("id").unwrap().as_int().unwrap())
        .collect();
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
    assert!(pool.ask("event.get_current_id", &[]).unwrap().as_int().unwrap() >= *ids.last().unwrap());
    let time = all.as_array().unwrap()[0].as_struct().unwrap().get("timestamp").unwrap().as_text().unwrap();
    assert_eq!(time, "1782864000.0");
}

#[test]
fn the_pool_shows_that_it_lives() {
    let mut pool = Pool::new();
    pool.call("event.register", &[classes(&["*"])]).unwrap();
    let params = [pool.session.as_str().into()];
    let Handled::Pending(waiting) = pool.handle("event.next", &params) else { panic!("nothing is new") };
    let before = pool.now;
    let beat = pool.wait(waiting).unwrap();
    assert_eq!(pool.now - before, Millis(30_000));
    let one = pool.refs("pool.get_all", &[])[0].clone();
    assert_eq!(events(&beat).into_iter().map(|(what, of, _)| (what, of)).collect::<Vec<_>>(), [("mod".into(), one)]);
    // It is no change: who asks for changes hears nothing.
    let token = pool.token();
    pool.pass(40_000);
    assert!(pool.from(&["pool"], &token, 0.1).events.is_empty());
    pool.ask("session.logout", &[]).unwrap();
    pool.pass(40_000);
    assert_eq!(pool.sim.next_deadline(), None);
}

#[test]
fn a_queue_that_nobody_empties_runs_over() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    pool.call("event.register", &[classes(&["vm"])]).unwrap();
    let long = "x".repeat(100_000);
    for round in 0..120 {
        pool.ask("VM.set_name_description", &[&vm, &alloc::format!("{round} {long}")]).unwrap();
    }
    assert_eq!(pool.ask("event.next", &[]).unwrap_err(), failure("EVENTS_LOST", &[]));
    pool.ask("VM.set_name_label", &[&vm, "after"]).unwrap();
    let all = pool.ask("event.next", &[]).unwrap();
    assert_eq!(events(&all), [("mod".into(), vm, Some("after".into()))]);
}

#[test]
fn who_waits_for_one_object_sleeps_through_the_others() {
    let mut pool = Pool::new();
    let (vm, other) = (pool.vm("Halted"), pool.vm("Running"));
    let token = pool.token();
    let pending = pool.listen(&[&alloc::format!("vm/{vm}"), "host"], &token, 30.0);
    let deadline = pool.sim.next_deadline();
    pool.ask("VM.set_name_label", &[&other, "another"]).unwrap();
    assert_eq!(pool.sim.next_deadline(), deadline, "nobody is woken");
    pool.ask("VM.set_name_label", &[&vm, "this"]).unwrap();
    assert_eq!(pool.hear(pending).brief(), [("mod".into(), "vm".into(), vm)]);
}

#[test]
fn who_waits_for_tasks_hears_of_them_at_once() {
    let mut pool = Pool::new();
    let token = pool.token();
    let pending = pool.listen(&["TASK"], &token, 30.0);
    pool.pass(1000);
    let before = pool.now;
    let task = pool.text("task.create", &["t", ""]);
    assert_eq!(pool.hear(pending).brief(), [("add".into(), "task".into(), task)]);
    assert_eq!(pool.now, before);
}

#[test]
fn those_who_wait_for_the_same_get_the_same() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let token = pool.token();
    let waiting: Vec<PendingId> = (0..3).map(|_| pool.listen(&["vm"], &token, 30.0)).collect();
    let differently = pool.listen(&["vm", "host"], &token, 30.0);
    pool.ask("VM.set_name_label", &[&vm, "new"]).unwrap();
    pool.now = pool.now + Millis(50);
    let answers = pool.sim.poll(pool.now);
    assert_eq!(answers.len(), 4);
    assert!(waiting.iter().chain([&differently]).all(|id| answers.iter().any(|(it, _)| it == id)));
    assert!(answers.iter().all(|(_, answer)| *answer == answers[0].1));
}

#[test]
fn an_unknown_class_matches_nothing() {
    let mut pool = Pool::new();
    let batch = pool.from(&["nothing", "nothing/OpaqueRef:x"], "", 0.5);
    assert!(batch.events.is_empty());
    assert_eq!(pool.now, Millis(500), "an empty token on nothing waits");
}
