use xenapi_core::{ReadError, Ref};
use xenapi_model::{VM, vm};

use super::*;
use crate::cache::Operation;

#[test]
fn loads_everything_and_then_follows_events() {
    let mut bench = Bench::logged_in();
    bench.client.watch(bench.now);
    let load = bench.take("event.from");
    let classes: Vec<_> = load.call.params[1].as_array().unwrap().iter().map(|it| it.as_text().unwrap()).collect();
    assert!(
        classes.contains(&"vm") && classes.contains(&"vm_guest_metrics") && !classes.contains(&"session"),
        "{classes:?}"
    );
    assert_eq!((token_of(&load), load.timeout), ("", Millis::from_secs(60)));
    assert_eq!(bench.client.freshness(bench.now), Freshness::Never);
    bench.now = Millis(1300);
    bench.succeed(&load, &batch(vec![added("1", "one"), added("2", "two")], &[("vm", 2)], "t1"));
    assert_eq!(bench.statuses, [Status::Loading, Status::Live]);
    assert_eq!(bench.vms(), ["one", "two"]);

    let events = bench.take("event.from");
    assert_eq!((token_of(&events), events.timeout), ("t1", Millis::from_secs(7)));
    assert_eq!(events.call.params[3], Value::Double(5.0));
    bench.changes.clear();
    bench.succeed(&events, &batch(vec![vm("mod", "1", "uno"), event("vm", "del", "OpaqueRef:2", None)], &[("vm", 1)], "t2"));
    assert_eq!(bench.vms(), ["uno"]);
    assert_eq!(bench.changes.iter().map(|it| it.operation).collect::<Vec<_>>(), [Operation::Modified, Operation::Deleted]);
    assert_eq!(token_of(&bench.take("event.from")), "t2");
}

#[test]
fn watching_may_begin_before_the_login() {
    let mut bench = Bench::new(config());
    bench.client.watch(bench.now);
    bench.drain();
    assert!(bench.sent.is_empty());
    bench.client.login(bench.now);
    bench.answer("session.login_with_password", "OpaqueRef:s1");
    assert!(bench.has_sent("event.from"));
    assert_eq!(bench.statuses, [Status::LoggingIn, Status::Loading]);
}

#[test]
fn an_idle_pool_stays_live() {
    let mut bench = Bench::live();
    for round in 0..20 {
        let events = bench.take("event.from");
        bench.pass(5000);
        assert!(
            matches!(bench.client.freshness(bench.now), Freshness::Live { age } if age <= Millis(5000)),
            "round {round}"
        );
        bench.succeed(&events, &batch(vec![], &[("vm", 1)], "t1"));
        assert_eq!(bench.client.freshness(bench.now), Freshness::Live { age: Millis(0) });
    }
    assert!(bench.statuses.is_empty() && bench.changes.is_empty());
}

#[test]
fn a_silent_server_makes_the_data_stale_within_8_seconds() {
    let mut bench = Bench::live();
    let events = bench.take("event.from");
    let lost_at = bench.now;
    bench.pass(7000);
    assert_eq!(bench.client.freshness(bench.now), Freshness::Live { age: Millis(7000) });
    bench.handle(&events, Reply::Unreachable("no answer within 7 s".to_owned()));
    assert!(text(bench.client.status()).starts_with("waiting"));
    // The client asks to be polled when the data turns stale, at the latest.
    let mut turned = None;
    while turned.is_none() {
        if bench.has_sent("event.from") {
            let events = bench.take("event.from");
            bench.lose(&events);
        }
        bench.now = bench.wait.unwrap();
        bench.drain();
        if let Freshness::Stale { age } = bench.client.freshness(bench.now) {
            turned = Some(age);
        }
    }
    assert_eq!(turned, Some(Millis(8000)));
    assert_eq!(bench.now - lost_at, Millis(8000));
    assert_eq!(bench.vms(), ["one"], "what was known stays");
}

#[test]
fn recovers_by_itself_with_the_old_token_if_the_session_survives() {
    let mut bench = Bench::live();
    for _ in 0..20 {
        let events = bench.take("event.from");
        assert_eq!(token_of(&events), "t1");
        bench.lose(&events);
        let Status::Waiting { until, .. } = *bench.client.status() else { panic!() };
        assert!(until - bench.now <= Millis(3000));
        bench.pass(3000);
    }
    assert!(matches!(bench.client.freshness(bench.now), Freshness::Stale { .. }));
    let events = bench.take("event.from");
    assert_eq!(events.call.params[3], Value::Double(0.1), "the first answer must not take 5 s to tell that all is well");
    bench.succeed(&events, &batch(vec![vm("mod", "1", "uno")], &[("vm", 1)], "t2"));
    assert_eq!(bench.client.status(), &Status::Live);
    assert_eq!(bench.client.freshness(bench.now), Freshness::Live { age: Millis(0) });
    assert_eq!(bench.vms(), ["uno"]);
    assert_eq!(bench.take("event.from").call.params[3], Value::Double(5.0));
}

#[test]
fn a_restarted_server_is_loaded_anew_without_ghosts() {
    let mut bench = Bench::live();
    let events = bench.take("event.from");
    bench.lose(&events);
    bench.pass(3000);
    let events = bench.take("event.from");
    bench.refuse(&events, "SESSION_INVALID", &["OpaqueRef:s1"]);
    assert_eq!(bench.vms(), ["one"], "the old data stays until there is new");
    bench.answer("session.login_with_password", "OpaqueRef:s2");
    let load = bench.take("event.from");
    assert_eq!((token_of(&load), load.call.params[0].as_text()), ("", Some("OpaqueRef:s2")));
    bench.succeed(&load, &batch(vec![added("2", "two")], &[("vm", 1)], "u1"));
    assert_eq!(bench.vms(), ["two"]);
    assert_eq!(bench.changes.len(), 2);
    assert_eq!(bench.client.status(), &Status::Live);
}

#[test]
fn a_new_master_is_loaded_anew() {
    let mut bench = Bench::live();
    let events = bench.take("event.from");
    bench.refuse(&events, "HOST_IS_SLAVE", &["10.0.0.2"]);
    assert_eq!(bench.redirects, ["10.0.0.2"]);
    bench.answer("session.login_with_password", "OpaqueRef:s2");
    assert_eq!(token_of(&bench.take("event.from")), "");
}

#[test]
fn lost_events_and_dead_tokens_load_everything() {
    for code in ["EVENTS_LOST", "EVENT_FROM_TOKEN_PARSE_FAILURE"] {
        let mut bench = Bench::live();
        let events = bench.take("event.from");
        bench.refuse(&events, code, &["t1"]);
        let load = bench.take("event.from");
        assert_eq!(token_of(&load), "", "{code}");
        assert!(!bench.has_sent("session.login_with_password"));
        bench.succeed(&load, &batch(vec![added("2", "two")], &[("vm", 1)], "t9"));
        assert_eq!(bench.vms(), ["two"]);
        assert_eq!(bench.statuses, [Status::Loading, Status::Live]);
    }
}

/// Of a server that tells in pages what exists: tokens with a slash are not the last.
fn paged() -> Config {
    Config { goes_on: |token| token.contains('/'), ..config() }
}

/// Live by two pages, with three VMs and the token `t1`.
fn live_by_pages() -> Bench {
    let mut bench = Bench::new(paged());
    bench.client.login(bench.now);
    bench.answer("session.login_with_password", "OpaqueRef:s1");
    bench.client.watch(bench.now);
    bench.answer("event.from", batch(vec![added("1", "one")], &[("sr", 0)], "t1/1"));
    assert_eq!(bench.vms(), ["one"], "who has nothing yet sees the first page at once");
    let second = bench.take("event.from");
    assert_eq!(token_of(&second), "t1/1");
    bench.succeed(&second, &batch(vec![added("2", "two"), added("3", "three")], &[], "t1"));
    bench.statuses.clear();
    bench.changes.clear();
    bench
}

#[test]
fn what_is_known_stays_while_everything_comes_again_in_pages() {
    let mut bench = live_by_pages();
    let events = bench.take("event.from");
    bench.refuse(&events, "EVENTS_LOST", &[]);
    bench.pass(500);
    let first = bench.take("event.from");
    assert_eq!(token_of(&first), "");
    bench.succeed(&first, &batch(vec![added("1", "one")], &[("sr", 0)], "u1/1"));
    assert_eq!(bench.vms(), ["one", "two", "three"], "nothing vanishes before everything was told");
    assert_eq!(bench.statuses, [Status::Loading]);
    assert_eq!(bench.client.freshness(bench.now), Freshness::Live { age: Millis(500) }, "it is as old as it was");
    // A page may get lost without harm.
    let second = bench.take("event.from");
    bench.lose(&second);
    bench.pass(3000);
    bench.answer("event.from", batch(vec![added("2", "zwei")], &[], "u1/2"));
    bench.answer("event.from", batch(vec![added("4", "four")], &[], "u1"));
    assert_eq!(bench.vms(), ["one", "zwei", "four"]);
    let told: Vec<_> = bench.changes.iter().map(|it| (it.operation, it.reference.as_str())).collect();
    let expected =
        [(Operation::Modified, "OpaqueRef:2"), (Operation::Added, "OpaqueRef:4"), (Operation::Deleted, "OpaqueRef:3")];
    assert_eq!(told, expected, "and what is as it was is not told");
    assert_eq!(bench.client.status(), &Status::Live);
    assert_eq!(bench.client.freshness(bench.now), Freshness::Live { age: Millis(0) });
    // The numbers that come with the next batch are right.
    bench.answer("event.from", batch(vec![], &[("vm", 3)], "u1"));
    assert_eq!(token_of(&bench.take("event.from")), "u1");
}

#[test]
fn a_load_in_pages_that_breaks_off_begins_anew() {
    let mut bench = live_by_pages();
    let events = bench.take("event.from");
    bench.refuse(&events, "EVENTS_LOST", &[]);
    bench.answer("event.from", batch(vec![added("1", "one")], &[], "u1/1"));
    // The stream is another one once more, and the object of its first page is gone by now.
    let second = bench.take("event.from");
    bench.refuse(&second, "EVENTS_LOST", &[]);
    bench.pass(5000);
    bench.answer("event.from", batch(vec![added("3", "three")], &[], "v1/1"));
    bench.answer("event.from", batch(vec![], &[], "v1"));
    assert_eq!(bench.vms(), ["three"]);
}

#[test]
fn a_record_that_cannot_be_read_goes_with_its_object() {
    let mut bench = live_by_pages();
    let broken = |reference: &str| event("vm", "add", reference, Some(Value::from("no record")));
    bench.answer("event.from", batch(vec![broken("OpaqueRef:8"), broken("OpaqueRef:9")], &[], "t2"));
    let wrong = |bench: &Bench| bench.client.cache().wrong().map(|(_, it, _)| it.as_str().to_owned()).collect::<Vec<_>>();
    assert_eq!(wrong(&bench), ["OpaqueRef:8", "OpaqueRef:9"]);
    let events = bench.take("event.from");
    bench.refuse(&events, "EVENTS_LOST", &[]);
    bench.answer("event.from", batch(vec![broken("OpaqueRef:9")], &[], "u1/1"));
    bench.answer("event.from", batch(vec![added("1", "one")], &[], "u1"));
    assert_eq!((bench.vms(), wrong(&bench)), (vec!["one".to_owned()], vec!["OpaqueRef:9".to_owned()]));
}

#[test]
fn a_server_that_always_loses_events_is_not_asked_in_a_tight_loop() {
    let mut bench = Bench::live();
    let mut loads = 0;
    let end = bench.now + Millis::from_secs(60);
    while bench.now < end {
        bench.pass(10);
        if !bench.has_sent("event.from") {
            continue;
        }
        let events = bench.take("event.from");
        if token_of(&events).is_empty() {
            loads += 1;
            bench.succeed(&events, &batch(vec![], &[], "t"));
        } else {
            bench.refuse(&events, "EVENTS_LOST", &[]);
        }
    }
    assert!((10..=300).contains(&loads), "{loads} loads in a minute");
}

#[test]
fn drift_is_cured_by_a_full_load_and_not_over_and_over() {
    let mut bench = Bench::live();
    bench.answer("event.from", batch(vec![], &[("vm", 0)], "t2"));
    let load = bench.take("event.from");
    assert_eq!(token_of(&load), "", "the server has no VM, we have one");
    assert!(bench.statuses.is_empty(), "nothing is known to be wrong");
    bench.succeed(&load, &batch(vec![], &[("vm", 0)], "t3"));
    assert!(bench.vms().is_empty());

    // A server that counts otherwise, and differently each time.
    let mut loads = 0;
    for count in 0..600 {
        let events = bench.take("event.from");
        loads += u32::from(token_of(&events).is_empty());
        bench.pass(1000);
        bench.succeed(&events, &batch(vec![], &[("vm", count)], "t4"));
    }
    assert!(loads < 20, "{loads} full loads in ten minutes");
    assert_eq!(bench.client.status(), &Status::Live);
}

#[test]
fn an_unreadable_batch_changes_nothing_and_is_loaded_anew() {
    let mut bench = Bench::live();
    bench.answer("event.from", "no batch");
    assert!(text(bench.client.status()).contains("cannot be read"));
    assert_eq!(bench.vms(), ["one"]);
    bench.pass(3000);
    let load = bench.take("event.from");
    assert_eq!(token_of(&load), "");
    bench.handle(&load, Reply::Broken(ReadError::truncated("</struct>")));
    bench.pass(3000);
    bench.answer("event.from", batch(vec![added("1", "one")], &[("vm", 1)], "t2"));
    assert_eq!(bench.client.status(), &Status::Live);
}

#[test]
fn one_bad_record_does_not_stop_the_events() {
    let mut bench = Bench::live();
    let bad = event("vm", "add", "OpaqueRef:9", Some(members([("VCPUs_max", "many".into())])));
    bench.answer("event.from", batch(vec![bad, added("2", "two")], &[("vm", 3)], "t2"));
    assert_eq!(bench.vms(), ["one", "two"]);
    assert_eq!(bench.client.cache().wrong().count(), 1);
    assert_eq!(token_of(&bench.take("event.from")), "t2");
    assert_eq!(bench.client.status(), &Status::Live);
}

#[test]
fn a_busy_server_is_asked_later_with_the_same_token() {
    let mut bench = Bench::live();
    let events = bench.take("event.from");
    bench.refuse(&events, "TOO_BUSY", &[]);
    assert!(!bench.has_sent("event.from"));
    bench.pass(3000);
    assert_eq!(token_of(&bench.take("event.from")), "t1");
}

#[test]
fn answers_to_calls_keep_the_data_fresh_only_while_events_are_waited_for() {
    let mut bench = Bench::live();
    let name = vm::fields::NAME_LABEL.get(&Ref::<VM>::new("OpaqueRef:1"));
    bench.drain();
    bench.now = Millis(4000);
    bench.client.submit(name.clone(), bench.now);
    bench.answer("VM.get_name_label", "one");
    assert_eq!(bench.client.freshness(bench.now), Freshness::Live { age: Millis(0) });
    let events = bench.take("event.from");
    bench.lose(&events);
    bench.client.submit(name, bench.now);
    bench.drain();
    bench.now = Millis(4100);
    bench.answer("VM.get_name_label", "one");
    assert_eq!(
        bench.client.freshness(bench.now),
        Freshness::Live { age: Millis(100) },
        "nobody was told of events meanwhile"
    );
}

#[test]
fn a_class_tracked_later_is_loaded_behind_the_answer_under_way() {
    let mut bench = Bench::live();
    let events = bench.take("event.from");
    bench.client.track::<xenapi_model::Certificate>();
    bench.succeed(&events, &batch(vec![], &[("vm", 1)], "t2"));
    let load = bench.take("event.from");
    assert_eq!(token_of(&load), "");
    assert!(load.call.params[1].as_array().unwrap().contains(&"certificate".into()));
}

#[test]
fn only_the_classes_named_are_watched() {
    let mut bench = Bench::new(Config { classes: vec!["VM".to_owned()], ..config() });
    bench.client.login(bench.now);
    bench.client.watch(bench.now);
    bench.answer("session.login_with_password", "OpaqueRef:s1");
    let load = bench.take("event.from");
    assert_eq!(load.call.params[1], Value::Array(vec!["vm".into()]));
    bench.succeed(&load, &batch(vec![added("1", "one")], &[("vm", 1), ("host", 3)], "t1"));
    let cache = bench.client.cache();
    assert!(cache.is_known::<VM>() && !cache.is_known::<xenapi_model::Host>());
    bench.answer("event.from", batch(vec![], &[("vm", 1), ("host", 3)], "t2"));
    assert_eq!(token_of(&bench.take("event.from")), "t2", "what is not watched does not drift");
}

#[test]
fn not_watching_any_more_passes_over_late_events() {
    let mut bench = Bench::live();
    let events = bench.take("event.from");
    bench.client.unwatch();
    bench.succeed(&events, &batch(vec![vm("mod", "1", "uno")], &[("vm", 1)], "t2"));
    assert_eq!(bench.vms(), ["one"]);
    assert_eq!(bench.client.status(), &Status::LoggedIn);
    bench.client.watch(bench.now);
    assert_eq!(token_of(&bench.take("event.from")), "");
}

#[test]
fn a_server_without_event_from_is_asked_class_by_class() {
    let mut bench = Bench::logged_in();
    bench.client.watch(bench.now);
    let load = bench.take("event.from");
    bench.refuse(&load, "MESSAGE_METHOD_UNKNOWN", &["event.from"]);
    let one = |name: &str| {
        let record = vm::Record { name_label: name.into(), uuid: Uuid::new("u"), ..Default::default() };
        Value::Struct([("OpaqueRef:1", to_value(&record))].into_iter().collect())
    };
    let round = |bench: &mut Bench, name: &str| {
        let mut asked = 0;
        while let Some(request) = bench.sent.pop() {
            asked += 1;
            match request.call.method.as_str() {
                "VM.get_all_records" => bench.succeed(&request, &one(name)),
                "Bond.get_all_records" => bench.refuse(&request, "MESSAGE_METHOD_UNKNOWN", &["Bond.get_all_records"]),
                method if method.ends_with(".get_all_records") => bench.succeed(&request, &Value::empty_struct()),
                method => panic!("{method}"),
            }
        }
        asked
    };
    assert_eq!(round(&mut bench, "one"), bench.client.cache().classes().count());
    assert_eq!(bench.client.status(), &Status::Live);
    assert_eq!(bench.vms(), ["one"]);
    assert!(bench.client.cache().is_known::<xenapi_model::VLAN>() && !bench.client.cache().is_known::<xenapi_model::Bond>());
    bench.pass(4999);
    assert!(bench.sent.is_empty());
    bench.pass(1);
    bench.changes.clear();
    round(&mut bench, "uno");
    assert_eq!((bench.vms(), bench.changes.len()), (vec!["uno".to_owned()], 1));
    assert_eq!(bench.client.freshness(bench.now), Freshness::Live { age: Millis(0) });
}

#[test]
fn chosen_objects_are_watched_alone() {
    let classes = vec!["VM/OpaqueRef:1".to_owned(), "Task".to_owned()];
    let mut bench = Bench::new(Config { classes, ..config() });
    bench.client.login(bench.now);
    bench.answer("session.login_with_password", "OpaqueRef:s1");
    bench.client.watch(bench.now);
    let load = bench.take("event.from");
    assert_eq!(load.call.params[1], Value::Array(vec!["vm/OpaqueRef:1".into(), "task".into()]));
    bench.succeed(&load, &batch(vec![added("1", "one")], &[("vm", 7), ("task", 0)], "t1"));
    assert_eq!(bench.vms(), ["one"]);
    // How many VMs there are says nothing about the one.
    bench.answer("event.from", batch(vec![vm("mod", "1", "uno")], &[("vm", 9), ("task", 0)], "t2"));
    let next = bench.take("event.from");
    assert_eq!((token_of(&next), bench.vms()), ("t2", vec!["uno".to_owned()]));

    bench.client.watch_only(vec!["task".to_owned()]);
    assert!(bench.vms().is_empty(), "what is not watched is not known");
    bench.succeed(&next, &batch(vec![], &[("task", 0)], "t3"));
    let next = bench.take("event.from");
    assert_eq!((token_of(&next), &next.call.params[1]), ("", &Value::Array(vec!["task".into()])));
}

#[test]
fn whoever_does_not_want_to_wait_need_not() {
    let mut bench = Bench::live();
    let events = bench.take("event.from");
    bench.lose(&events);
    assert!(matches!(bench.client.status(), Status::Waiting { .. }) && bench.sent.is_empty());
    bench.client.hurry(bench.now);
    bench.drain();
    let events = bench.take("event.from");
    // While the answer is awaited there is nothing to hurry.
    bench.client.hurry(bench.now);
    bench.drain();
    assert!(bench.sent.is_empty());
    bench.succeed(&events, &batch(vec![], &[("vm", 1)], "t1"));
    assert_eq!(bench.client.status(), &Status::Live);
}
