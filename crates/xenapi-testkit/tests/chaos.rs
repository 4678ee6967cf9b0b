//! Whatever goes wrong and whatever happens meanwhile: when it is over, the client is live by itself and has what the server has.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use xenapi_client::{Freshness, Status};
use xenapi_core::{Failure, Millis, Value};
use xenapi_sim::{Config, Sim};
use xenapi_testkit::Pair;

#[derive(Clone, Debug)]
enum Happening {
    Pass(u64),
    Silence,
    Refusal,
    Healing,
    LostAnswers(usize),
    CutAnswers(usize),
    Delay(u64),
    EndOfSession,
    Restart(u64),
    EventsLost,
    DeadToken,
    NewMaster,
    /// A call from outside, on one of the VMs.
    Call(&'static str, usize),
}

fn happening() -> impl Strategy<Value = Happening> {
    let calls = prop::sample::select(vec![
        "VM.start",
        "VM.hard_shutdown",
        "VM.clone",
        "VM.snapshot",
        "VM.destroy",
        "VM.set_name_label",
        "VM.pause",
        "message.create",
    ]);
    prop_oneof![
        6 => (0..12_000u64).prop_map(Happening::Pass),
        1 => Just(Happening::Silence),
        1 => Just(Happening::Refusal),
        3 => Just(Happening::Healing),
        1 => (1..4usize).prop_map(Happening::LostAnswers),
        1 => (1..4usize).prop_map(Happening::CutAnswers),
        1 => (0..3000u64).prop_map(Happening::Delay),
        1 => Just(Happening::EndOfSession),
        1 => (1..4u64).prop_map(Happening::Restart),
        1 => Just(Happening::EventsLost),
        1 => Just(Happening::DeadToken),
        1 => Just(Happening::NewMaster),
        8 => (calls, 0..100usize).prop_map(|(method, which)| Happening::Call(method, which)),
    ]
}

fn sim(seed: u64) -> Sim {
    Sim::new(&Config { hosts: 2, vms: 4, seed, ..Config::default() })
}

fn happen(pair: &mut Pair, happening: &Happening) {
    let refuse =
        |pair: &mut Pair, code: &str, param: &str| pair.network.refuse_next("event.from", Failure::new(code, [param]));
    match happening {
        Happening::Pass(time) => pair.pass(Millis(*time)),
        Happening::Silence => pair.network.is_silent = true,
        Happening::Refusal => pair.network.refuses = true,
        Happening::Healing => pair.network.heal(),
        Happening::LostAnswers(count) => pair.network.lose_answers += count,
        Happening::CutAnswers(count) => pair.network.cut_answers += count,
        Happening::Delay(delay) => pair.network.delay = Millis(*delay),
        Happening::EndOfSession => pair.end_session(),
        // Never the seed of a former server: it would give out that one's sessions again.
        Happening::Restart(seed) => pair.restart(sim(pair.now().0 * 4 + seed)),
        Happening::EventsLost => refuse(pair, "EVENTS_LOST", ""),
        Happening::DeadToken => refuse(pair, "EVENT_FROM_TOKEN_PARSE_FAILURE", "x"),
        Happening::NewMaster => refuse(pair, "HOST_IS_SLAVE", "10.0.0.2"),
        Happening::Call(method, which) => call(pair, method, *which),
    }
}

/// A call from outside. Whether the server refuses it is the server's business.
fn call(pair: &mut Pair, method: &str, which: usize) {
    let all = pair.outside("VM.get_all", []).unwrap();
    let Some(vms) = all.as_array().filter(|vms| !vms.is_empty()) else { return };
    let this = vms[which % vms.len()].clone();
    let flag = || Value::Bool(false);
    let params = match method {
        "VM.start" => vec![this, flag(), flag()],
        "VM.clone" | "VM.snapshot" | "VM.set_name_label" => vec![this, format!("name {which}").into()],
        "message.create" => {
            let uuid = pair.outside("VM.get_uuid", [this]).unwrap();
            vec!["SAID".into(), Value::Int(3), "VM".into(), uuid, "something".into()]
        }
        _ => vec![this],
    };
    let _ = pair.outside(method, params);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_client_recovers_from_anything(happenings in prop::collection::vec(happening(), 1..40)) {
        let mut pair = Pair::live_with(sim(1));
        for it in &happenings {
            happen(&mut pair, it);
            prop_assert!(!matches!(pair.client.status(), Status::Refused(_) | Status::LoggedOut), "{:?}", pair.client.status());
        }
        pair.network.heal();
        pair.network.delay = Millis(2);
        // The longest wait is for the answer to a full load that will never come.
        pair.pass(Millis::from_secs(61 + 3));
        pair.until_live();
        let fresh = pair.reloaded();
        // What happened while it was loaded reaches the client, too.
        pair.pass(Millis(200));
        prop_assert_eq!(pair.client.cache().differences_to(&fresh), []);
        prop_assert_eq!(pair.client.cache().wrong().count(), 0);
        prop_assert!(matches!(pair.freshness(), Freshness::Live { .. }), "{:?}", pair.freshness());
    }
}
