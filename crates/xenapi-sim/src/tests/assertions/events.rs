//! `event.from` and its elders.

use super::*;

fn classes(names: &[&str]) -> Value {
    Value::Array(names.iter().map(|name| Value::from(*name)).collect())
}

/// What a batch says: operation, class and reference of each event, and the token.
type Brief = (Vec<(String, String, String)>, String);

impl Pool {
    fn batch(&mut self, names: &[&str], token: &str, seconds: f64) -> Value {
        self.call("event.from", &[classes(names), token.into(), seconds.into()]).unwrap()
    }

    fn brief(&mut self, names: &[&str], token: &str, seconds: f64) -> Brief {
        let batch = self.batch(names, token, seconds);
        let batch = batch.as_struct().unwrap();
        let text =
            |event: &Value, name: &str| String::from(event.as_struct().unwrap().get(name).unwrap().as_text().unwrap());
        let events = batch.get("events").unwrap().as_array().unwrap();
        let events = events.iter().map(|event| (text(event, "operation"), text(event, "class"), text(event, "ref")));
        (events.collect(), batch.get("token").unwrap().as_text().unwrap().into())
    }

    fn newest(&mut self) -> String {
        self.brief(&["user"], "", 0.0).1
    }
}

#[test]
fn a42_an_empty_token_adds_every_vm() {
    let mut pool = Pool::new();
    let vms = pool.refs("VM.get_all", &[]);
    let reply = pool.wire(
        "event.from",
        &[
            "<value><array><data><value>vm</value></data></array></value>",
            "<value></value>",
            "<value><double>0.1</double></value>",
        ],
    );
    let reply = value_of(&reply);
    assert_eq!(reply.matches("<name>operation</name><value>add</value>").count(), vms.len());
    assert_eq!(reply.matches("<name>class</name><value>vm</value>").count(), vms.len());
    assert_eq!(reply.matches("<name>timestamp</name><value>0.0</value>").count(), vms.len());
    assert!(reply.contains(&format!("<name>vm</name><value><i4>{}</i4></value>", vms.len())));
    let batch = pool.batch(&["vm"], "", 0.1);
    let batch = batch.as_struct().unwrap();
    for event in batch.get("events").unwrap().as_array().unwrap() {
        let event = event.as_struct().unwrap();
        assert!(event.get("id").unwrap().as_text().unwrap().parse::<u64>().is_ok());
        let reference = event.get("ref").unwrap().as_text().unwrap().to_string();
        assert_eq!(event.get("snapshot"), Some(&pool.ask("VM.get_record", &[&reference]).unwrap()));
    }
    let token = batch.get("token").unwrap().as_text().unwrap();
    let shape: String = token.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    assert_eq!(shape, format!("{0},{0}", "9".repeat(20)));
    let counts = batch.get("valid_ref_counts").unwrap().as_struct().unwrap();
    assert!(counts.len() > 60 && counts.iter().all(|(_, count)| matches!(count, Value::Int32(_))));
}

#[test]
fn a43_nothing_new_waits_for_the_timeout() {
    let mut pool = Pool::new();
    let token = pool.newest();
    let before = pool.now;
    let (events, _) = pool.brief(&["*"], &token, 0.5);
    assert!(events.is_empty());
    assert_eq!(pool.now - before, Millis(500));
}

#[test]
fn a44_changes_are_told_once() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let token = pool.newest();
    for name in ["a", "b", "c"] {
        pool.ask("VM.set_name_label", &[&vm, name]).unwrap();
    }
    let (events, token) = pool.brief(&["*"], &token, 1.0);
    assert_eq!(events, [("mod".into(), "vm".into(), vm.clone())]);
    pool.ask("VM.set_name_label", &[&vm, "c"]).unwrap();
    let (events, token) = pool.brief(&["*"], &token, 0.2);
    assert!(events.is_empty(), "the same value is no change");
    let network = pool.make("network", &[]).unwrap();
    pool.call("network.destroy", &[network]).unwrap();
    let (events, _) = pool.brief(&["network"], &token, 0.2);
    assert!(events.is_empty(), "what came and went was never there");
    let network = pool.make("network", &[]).unwrap();
    let token = pool.newest();
    pool.call("network.destroy", core::slice::from_ref(&network)).unwrap();
    let batch = pool.batch(&["network"], &token, 1.0);
    let events = batch.as_struct().unwrap().get("events").unwrap().as_array().unwrap();
    let event = events[0].as_struct().unwrap();
    assert_eq!((events.len(), event.get("operation"), event.get("ref")), (1, Some(&"del".into()), Some(&network)));
    assert_eq!(event.get("snapshot"), None);
}

#[test]
fn a45_one_object_alone_and_a_token_that_is_none() {
    let mut pool = Pool::new();
    let (vm, other) = (pool.vm("Halted"), pool.running());
    let topic = format!("VM/{vm}");
    let (events, token) = pool.brief(&[&topic], "", 1.0);
    assert_eq!(events, [("add".into(), "vm".into(), vm.clone())]);
    pool.ask("VM.set_name_label", &[&other, "another"]).unwrap();
    assert!(pool.brief(&[&topic], &token, 0.2).0.is_empty());
    pool.ask("VM.set_name_label", &[&vm, "this"]).unwrap();
    assert_eq!(pool.brief(&[&topic], &token, 0.2).0, [("mod".into(), "vm".into(), vm)]);
    let refused = pool.call("event.from", &[classes(&["*"]), "abc".into(), 1.0.into()]).unwrap_err();
    assert_eq!(refused, failure("EVENT_FROM_TOKEN_PARSE_FAILURE", &["abc"]));
}

#[test]
fn a46_an_injected_event_comes_behind_its_token() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let token = pool.text("event.inject", &["VM", &vm]);
    assert_eq!(pool.brief(&["vm"], &token, 1.0).0, [("mod".into(), "vm".into(), vm.clone())]);
    assert_eq!(pool.ask("event.inject", &["vm", &vm]).unwrap_err(), failure("HANDLE_INVALID", &["vm", &vm]));
}

#[test]
fn a47_next_needs_registration() {
    let mut pool = Pool::new();
    let session = pool.session.clone();
    assert_eq!(pool.ask("event.next", &[]).unwrap_err(), failure("SESSION_NOT_REGISTERED", &[&session]));
}
