#![allow(clippy::unwrap_used)]

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use proptest::prelude::*;
use xenapi_core::{Failure, Millis, RawRef};

use super::*;
use crate::Config;

fn sim() -> Sim {
    Sim::new(&Config { vms: 2, ..Config::default() })
}

fn add(sim: &mut Sim, text: &str, now: Millis) {
    sim.add_faults(&parse(text).unwrap(), now);
}

fn call<'a>(method: &'a str) -> Meeting<'a> {
    Meeting { path: "/", method: Some(method), session: None, via: None }
}

#[test]
fn what_is_not_in_the_pool_is_said() {
    let sim = sim();
    for (text, says) in [
        ("master:host=99", "no host \"99\"; the pool's hosts have the numbers 1 to"),
        ("delay=1s;drop:host=nobody", "the fault \"drop:host=nobody\": there is no host"),
        ("carrier-loss=eth77:host=1", "no NIC \"eth77\""),
        ("sr-death=Nowhere", "no SR with the uuid or name \"Nowhere\""),
    ] {
        let error = sim.check_faults(&parse(text).unwrap()).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
    sim.check_faults(&parse("master:host=1;carrier-loss=eth0:host=1;sr-death=Local storage;refuse").unwrap()).unwrap();
}

#[test]
fn what_is_wrong_is_said() {
    for (text, says) in [
        ("fly", "no fault \"fly\"; there are refuse"),
        ("delay", "delay needs a value"),
        ("delay=5", "\"5\" is no time"),
        ("delay=3s..1s", "longer than the second"),
        ("delay=9999999h", "no time"),
        ("drop=me", "drop=me"),
        ("refuse=1", "takes no value"),
        ("refuse:path=/", "neither path nor method"),
        ("slow=0", "never end"),
        ("slow=1G", "no size"),
        ("status=200", "400 to 599"),
        ("drop:p=2", "from 0 to 1"),
        ("drop:p=NaN", "from 0 to 1"),
        ("drop:seed=-1", "no whole number"),
        ("drop:method=start", "no method"),
        ("drop:path=x", "slash"),
        ("drop:colour=red", "no key \"colour\""),
        ("drop:p", "KEY=VALUE"),
        ("drop:p=1:p=1", "given twice"),
        ("host-death", "which host"),
        ("drop:every=1s", "happen by themselves"),
        ("events-lost:every=0s", "longer than nothing"),
        ("drop; slow", "the fault \"slow\""),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
    assert_eq!(parse(" ; \n"), Ok(Vec::new()));
}

#[test]
fn every_fault_of_the_grammar_is_read() {
    for name in [
        "refuse",
        "drop",
        "drop=answer",
        "delay=1s..2s",
        "truncate",
        "truncate=10",
        "slow=64k",
        "status=503",
        "host-is-slave",
        "failure=A,b",
        "session-loss",
        "events-lost",
        "restart=2s",
        "master:host=2",
        "host-death:host=2",
        "host-back:host=2",
        "carrier-loss=eth0:host=1",
        "carrier-back=eth0:host=1",
        "sr-death=NFS",
        "sr-back=NFS",
    ] {
        let spec: FaultSpec = name.parse().unwrap();
        assert_eq!(spec.to_string().parse::<FaultSpec>().unwrap(), spec);
        assert!(GRAMMAR.contains(name.split(['=', ':', '[']).next().unwrap()), "{name}");
    }
}

#[test]
fn requests_are_chosen_by_path_and_method() {
    let mut sim = sim();
    add(
        &mut sim,
        "drop:method=VM.start; status=503:path=/rrd; failure=TOO_BUSY:method=SR.*; host-is-slave:method=pool.get_all",
        Millis(0),
    );
    let mut end = |meeting: &Meeting<'_>| sim.meet(meeting, Millis(0)).end;
    assert_eq!(end(&call("VM.start")), Some(Ending::Drop));
    assert_eq!(end(&call("Async.VM.start")), Some(Ending::Drop));
    assert_eq!(end(&call("VM.start_on")), None);
    assert_eq!(end(&call("SR.scan")), Some(Ending::Failure(Failure::new("TOO_BUSY", [""; 0]))));
    let page = Meeting { path: "/rrd_updates", method: None, session: None, via: None };
    assert_eq!(end(&page), Some(Ending::Status(503)));
    assert_eq!(end(&call("pool.get_all")), Some(Ending::Failure(Failure::new("HOST_IS_SLAVE", ["192.0.2.10"]))));
    let out = Meeting { path: "/xenoxide/faults", ..call("VM.start") };
    assert_eq!(end(&out), None);
}

#[test]
fn the_same_seed_throws_the_same_dice() {
    let thrown = |seed: u64| {
        let mut sim = sim();
        add(&mut sim, &alloc::format!("drop:p=0.5:seed={seed}"), Millis(0));
        (0..64).map(|_| sim.meet(&call("VM.get_all"), Millis(0)).end.is_some()).collect::<Vec<_>>()
    };
    assert_eq!(thrown(7), thrown(7));
    assert_ne!(thrown(7), thrown(8));
    let drops = thrown(7).iter().filter(|drop| **drop).count();
    assert!((16..48).contains(&drops), "{drops}");
}

#[test]
fn times_and_counts_limit_a_fault() {
    let mut sim = sim();
    add(&mut sim, "drop:after=10s:for=5s:times=2", Millis(1000));
    let mut drops = |at| sim.meet(&call("VM.get_all"), Millis(at)).end.is_some();
    assert_eq!([10_999, 11_000, 12_000, 13_000, 17_000].map(&mut drops), [false, true, true, false, false]);
    assert_eq!(sim.faults().map(|(_, happened, _)| happened).collect::<Vec<_>>(), [2]);
    let id = sim.faults().next().unwrap().0;
    assert!(sim.remove_fault(id) && !sim.remove_fault(id));
}

#[test]
fn delays_add_up_and_stay_in_their_range() {
    let mut sim = sim();
    add(&mut sim, "delay=1s; delay=100ms..200ms", Millis(0));
    for _ in 0..20 {
        let delay = sim.meet(&call("VM.get_all"), Millis(0)).delay;
        assert!((1100..=1200).contains(&delay.0), "{delay:?}");
    }
}

#[test]
fn a_host_has_its_own_faults() {
    let mut sim = sim();
    let hosts = sim.store.all("host");
    add(&mut sim, "status=503:host=2", Millis(0));
    let mut end = |via: Option<&RawRef>| sim.meet(&Meeting { via, ..call("VM.get_all") }, Millis(0)).end;
    assert_eq!(end(Some(&hosts[1])), Some(Ending::Status(503)));
    assert_eq!(end(Some(&hosts[0])), None);
    assert_eq!(end(None), None);
}

#[test]
fn refused_connections_are_a_thing_of_connections() {
    let mut sim = sim();
    add(&mut sim, "refuse:times=1", Millis(0));
    assert_eq!(sim.meet(&call("VM.get_all"), Millis(0)), Effects::default());
    assert!(sim.refuses(None, Millis(0)));
    assert!(!sim.refuses(None, Millis(0)));
}

/// Words without what the language needs for itself, and with it.
fn word() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9:;,%=/._-]{1,12}"
}

fn millis() -> impl Strategy<Value = Millis> {
    (0_u64..10_000_000).prop_map(Millis)
}

fn any_fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        Just(Fault::Drop { answered: true }),
        (millis(), millis()).prop_map(|(one, other)| Fault::Delay(one.min(other), one.max(other))),
        proptest::option::of(any::<u64>()).prop_map(Fault::Truncate),
        (1..u64::MAX).prop_map(Fault::Slow),
        (400_u16..600).prop_map(Fault::Status),
        proptest::collection::vec(word(), 1..4).prop_map(Fault::Failure),
        millis().prop_map(Fault::Restart),
        Just(Fault::SessionLoss),
    ]
}

proptest! {
    #[test]
    fn a_fault_is_read_as_it_is_written(
        fault in any_fault(), probability in proptest::option::of(0.0_f64..=1.0), seed in any::<Option<u64>>(),
        after in proptest::option::of(millis()), duration in proptest::option::of(millis()), times in any::<Option<u64>>(),
    ) {
        let mut spec = FaultSpec::of(fault);
        (spec.probability, spec.seed, spec.after, spec.duration, spec.times) = (probability, seed, after, duration, times);
        spec.path = Some("/jsonrpc".into());
        spec.method = Some("VM.*".into());
        prop_assert_eq!(spec.to_string().parse::<FaultSpec>(), Ok(spec));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[a-z=:;.%0-9A-Z/ \n-]{0,60}", any: String) {
        for text in [text, any] {
            if let Ok(specs) = parse(&text) {
                for spec in specs {
                    prop_assert_eq!(spec.to_string().parse::<FaultSpec>(), Ok(spec));
                }
            }
        }
    }
}
