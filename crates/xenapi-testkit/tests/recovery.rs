//! What the client does about a network and a server that fail, against the simulated pool.
#![allow(clippy::unwrap_used)]

use xenapi_client::{Error, Freshness, Status};
use xenapi_core::{Failure, Millis, Ref, Value};
use xenapi_model::{Host, VM, vm};
use xenapi_sim::{Config, Sim};
use xenapi_testkit::Pair;

fn seconds(seconds: u64) -> Millis {
    Millis::from_secs(seconds)
}

fn a_vm(pair: &Pair) -> Ref<VM> {
    let mut vms = pair.client.cache().iter::<VM>();
    vms.find(|(_, vm)| vm.kind() == xenapi_model::VmKind::Vm).map(|(reference, _)| reference).unwrap()
}

fn rename(pair: &mut Pair, this: &Ref<VM>, name: &str) {
    pair.outside("VM.set_name_label", [this.into(), name.into()]).unwrap();
}

fn name(pair: &Pair, this: &Ref<VM>) -> String {
    pair.client.cache().get(this).unwrap().name_label.clone()
}

fn is_stale(pair: &Pair) -> bool {
    matches!(pair.freshness(), Freshness::Stale { .. })
}

fn sent(pair: &Pair, method: &str) -> usize {
    pair.log.sent.iter().filter(|it| *it == method).count()
}

#[test]
fn the_cache_is_what_the_server_has() {
    let mut pair = Pair::live();
    assert_eq!(pair.client.cache().wrong().count(), 0);
    assert!(pair.client.cache().strays().is_empty());
    assert_eq!(pair.client.cache().count::<Host>(), 3);
    let fresh = pair.reloaded();
    assert_eq!(pair.client.cache().differences_to(&fresh), []);
}

#[test]
fn a_change_from_outside_is_there_at_once() {
    let mut pair = Pair::live();
    let this = a_vm(&pair);
    let before = pair.client.cache().revision::<VM>();
    rename(&mut pair, &this, "renamed <&> \u{e9}");
    pair.pass(Millis(100));
    assert_eq!(name(&pair, &this), "renamed <&> \u{e9}");
    assert!(pair.client.cache().revision::<VM>() > before);
}

#[test]
fn an_idle_pool_stays_live_for_ten_minutes_with_few_requests() {
    let mut pair = Pair::live();
    let requests = pair.log.sent.len();
    for _ in 0..600 {
        pair.pass(seconds(1));
        assert!(!is_stale(&pair), "stale at {}", pair.now());
    }
    assert!(pair.log.sent.len() - requests <= 600 / 5 + 1, "{} requests", pair.log.sent.len() - requests);
    assert_eq!(sent(&pair, "session.login_with_password"), 1);
    assert_eq!(pair.log.statuses, [Status::LoggingIn, Status::Loading, Status::Live]);
}

#[test]
fn data_is_stale_8_seconds_after_a_cable_was_pulled_and_live_soon_after_it_is_back() {
    let mut pair = Pair::live();
    let this = a_vm(&pair);
    pair.pass(seconds(12));
    pair.network.is_silent = true;
    let pulled = pair.now();
    pair.wait_for("stale", |pair| is_stale(pair));
    assert!(pair.now() - pulled <= seconds(8), "{}", pair.now() - pulled);
    rename(&mut pair, &this, "meanwhile");
    pair.pass(seconds(30));
    assert_ne!(name(&pair, &this), "meanwhile");

    pair.network.heal();
    let back = pair.now();
    pair.wait_for("live", |pair| !is_stale(pair));
    // A request that was sent into the void is still waited for, up to its timeout.
    assert!(pair.now() - back <= seconds(7 + 3 + 1), "{}", pair.now() - back);
    assert_eq!(name(&pair, &this), "meanwhile");
    assert_eq!(sent(&pair, "session.login_with_password"), 1, "the session has survived");
}

#[test]
fn a_refused_connection_is_told_at_once_and_retried_every_3_seconds() {
    let mut pair = Pair::live();
    pair.pass(seconds(6));
    pair.network.refuses = true;
    pair.wait_for("told", |pair| matches!(pair.client.status(), Status::Waiting { .. }));
    let Status::Waiting { why, .. } = pair.client.status() else { panic!() };
    assert!(why.to_string().contains("connection re"), "{why}");
    let before = sent(&pair, "event.from");
    pair.pass(seconds(60));
    assert!((20..=45).contains(&(sent(&pair, "event.from") - before)));
    assert!(is_stale(&pair));
    pair.network.heal();
    pair.pass(Millis(3200));
    assert_eq!(pair.client.status(), &Status::Live);
}

#[test]
fn a_session_that_was_ended_is_replaced_and_everything_loaded() {
    let mut pair = Pair::live();
    let this = a_vm(&pair);
    pair.end_session();
    rename(&mut pair, &this, "after");
    pair.pass(seconds(1));
    assert_eq!(pair.client.status(), &Status::Live);
    assert_eq!(name(&pair, &this), "after");
    assert_eq!(sent(&pair, "session.login_with_password"), 2);
}

#[test]
fn a_restarted_server_with_other_objects_leaves_no_ghosts() {
    let mut pair = Pair::live();
    let this = a_vm(&pair);
    pair.restart(Sim::new(&Config { hosts: 2, vms: 5, seed: 99, ..Config::default() }));
    pair.pass(seconds(4));
    assert_eq!(pair.client.status(), &Status::Live);
    assert!(pair.client.cache().get(&this).is_none());
    assert_eq!(pair.client.cache().count::<Host>(), 2);
    let fresh = pair.reloaded();
    assert_eq!(pair.client.cache().differences_to(&fresh), []);
}

#[test]
fn a_restarted_server_answers_only_its_own_callers() {
    let mut pair = Pair::live();
    pair.pass(seconds(1));
    pair.network.delay = seconds(3);
    // The same seed, so that both servers number their callers in the same way.
    pair.restart(Sim::new(&Config::default()));
    // The old server's callers have not heard yet that it is gone.
    for _ in 0..10 {
        let nothing = [Value::Array(vec!["task".into()]), "".into(), Value::Double(0.1)];
        assert!(pair.outside("event.from", nothing).is_ok());
    }
    assert!(pair.now() < seconds(4), "{}", pair.now());
    pair.network.delay = Millis(2);
    pair.pass(seconds(70));
    assert_eq!(pair.client.status(), &Status::Live);
}

#[test]
fn lost_events_and_cut_answers_are_made_good_by_a_full_load() {
    for fault in 0..3 {
        let mut pair = Pair::live();
        let this = a_vm(&pair);
        match fault {
            0 => pair.network.refuse_next("event.from", Failure::new("EVENTS_LOST", [""; 0])),
            1 => pair.network.refuse_next("event.from", Failure::new("EVENT_FROM_TOKEN_PARSE_FAILURE", ["x"])),
            _ => pair.network.cut_answers = 1,
        }
        rename(&mut pair, &this, "one");
        pair.pass(seconds(6));
        rename(&mut pair, &this, "two");
        pair.pass(seconds(6));
        assert_eq!(name(&pair, &this), "two", "fault {fault}");
        assert_eq!(pair.client.status(), &Status::Live);
        assert_eq!(sent(&pair, "session.login_with_password"), 1);
    }
}

#[test]
fn a_call_that_changes_something_is_sent_once_even_if_its_answer_is_lost() {
    let mut pair = Pair::live();
    let this = a_vm(&pair);
    pair.pass(seconds(6));
    let ticket = pair.client.submit(vm::fields::NAME_LABEL.set(&this, &"set".to_owned()), pair.now());
    pair.network.lose_answers = 1;
    pair.pass(seconds(1));
    assert_eq!(name(&pair, &this), "set", "it was carried out, and events tell");
    pair.pass(seconds(15 * 60));
    assert!(matches!(pair.client.take(&ticket), Some(Err(Error::Unreachable(_)))));
    assert_eq!(sent(&pair, "VM.set_name_label"), 1);
}

#[test]
fn a_wrong_password_is_told_and_not_repeated() {
    let mut config = Pair::config();
    config.password = "wrong".into();
    let mut pair = Pair::new(config, xenapi_client::Cache::new(), Sim::new(&Config::default()));
    pair.client.login(pair.now());
    pair.pass(seconds(60));
    let Status::Refused(failure) = pair.client.status() else { panic!("{:?}", pair.client.status()) };
    assert_eq!((failure.code.as_str(), failure.param(0)), ("SESSION_AUTHENTICATION_FAILED", "root"));
    assert_eq!(pair.log.sent.len(), 1);
}

#[test]
fn calls_come_back_typed_and_refusals_with_their_parameters() {
    let mut pair = Pair::live();
    let this = a_vm(&pair);
    let record = pair.call(xenapi_core::get_record(&this)).unwrap();
    assert_eq!(&record, &**pair.client.cache().get(&this).unwrap());
    let all = pair.call(xenapi_core::get_all_records::<VM>()).unwrap();
    assert_eq!((all.records.len(), all.wrong.len()), (pair.client.cache().count::<VM>(), 0));
    let error = pair.call(vm::fields::NAME_LABEL.get(&Ref::new("OpaqueRef:none"))).unwrap_err();
    assert_eq!(error.failure(), Some(&Failure::new("HANDLE_INVALID", ["VM", "OpaqueRef:none"])));
}

#[test]
fn logging_out_ends_the_session_at_the_server() {
    let mut pair = Pair::live();
    let session = pair.client.session().cloned().unwrap();
    pair.client.logout(pair.now());
    pair.pass(seconds(1));
    assert_eq!(pair.client.status(), &Status::LoggedOut);
    assert_eq!(pair.client.cache().count::<VM>(), 0);
    let error = pair.outside("session.get_uuid", [Value::from(&session)]).unwrap_err();
    assert_eq!(error.code, "HANDLE_INVALID");
}

#[test]
fn what_a_recording_lacks_is_unknown_and_not_none() {
    let record = vm::Record { name_label: "recorded".into(), uuid: "u1".into(), ..Default::default() };
    let records = Value::Struct([("OpaqueRef:1", xenapi_core::to_value(&record))].into_iter().collect());
    let file = ("VM.get_all_records.xml".to_owned(), xenapi_codec::xmlrpc::write_success(&records));
    let (sim, _) = Sim::from_records(&[file], 0).unwrap();
    let mut pair = Pair::live_with(sim);
    pair.pass(seconds(11));
    let cache = pair.client.cache();
    assert_eq!(cache.by_uuid::<VM>("u1").unwrap().1.name_label, "recorded");
    assert!(cache.is_known::<VM>() && !cache.is_known::<xenapi_model::VDI>());
    assert_eq!(sent(&pair, "event.from"), 4, "nothing drifts: one full load, then a batch every 5 s");
}
