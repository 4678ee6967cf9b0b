use xenapi_core::Ref;
use xenapi_model::{Host, Pool, host, pool};

use super::*;

fn following() -> Config {
    Config { follow: true, addresses: vec!["10.0.0.1".into(), "10.0.0.2".into()], ..config() }
}

fn address(request: &Request) -> &str {
    request.address.as_deref().unwrap_or("own")
}

#[test]
fn without_leave_every_request_is_for_the_drivers_own_target() {
    let mut bench = Bench::new(Config { follow: false, ..following() });
    bench.client.login(bench.now);
    let login = bench.take("session.login_with_password");
    bench.refuse(&login, "HOST_IS_SLAVE", &["10.0.0.2"]);
    assert_eq!(address(&bench.take("session.login_with_password")), "own");
    assert_eq!(bench.client.address(), None);
}

#[test]
fn a_member_is_left_for_its_coordinator() {
    let mut bench = Bench::new(following());
    bench.client.login(bench.now);
    let login = bench.take("session.login_with_password");
    assert_eq!(address(&login), "own");
    bench.refuse(&login, "HOST_IS_SLAVE", &["10.0.0.9"]);
    let login = bench.take("session.login_with_password");
    assert_eq!(address(&login), "10.0.0.9");
    bench.succeed(&login, &"OpaqueRef:s1".into());
    bench.client.watch(bench.now);
    assert_eq!(address(&bench.take("event.from")), "10.0.0.9");
    assert_eq!((bench.client.address(), bench.redirects.as_slice()), (Some("10.0.0.9"), ["10.0.0.9".to_owned()].as_slice()));
}

#[test]
fn a_login_goes_round_all_known_addresses() {
    let mut bench = Bench::new(following());
    bench.client.login(bench.now);
    let mut seen = vec![];
    for _ in 0..5 {
        let login = bench.take("session.login_with_password");
        seen.push(address(&login).to_owned());
        bench.lose(&login);
        bench.pass(3000);
    }
    assert_eq!(seen[0], "own");
    for each in ["own", "10.0.0.1", "10.0.0.2"] {
        assert!(seen.iter().skip(1).any(|it| it == each), "{seen:?}");
    }
}

/// Live, with two hosts in the cache beside what is configured.
fn live() -> Bench {
    let mut bench = Bench::new(following());
    bench.client.login(bench.now);
    bench.answer("session.login_with_password", "OpaqueRef:s1");
    bench.client.watch(bench.now);
    let host = |address: &str| to_value(&host::Record { address: address.into(), ..Default::default() });
    let pool = to_value(&pool::Record { master: Ref::<Host>::new("OpaqueRef:h1"), ..Default::default() });
    let events = vec![
        event("host", "add", "OpaqueRef:h1", Some(host("10.0.0.1"))),
        event("host", "add", "OpaqueRef:h3", Some(host("10.0.0.3"))),
        event("pool", "add", "OpaqueRef:p", Some(pool)),
    ];
    bench.answer("event.from", batch(events, &[], "t1"));
    assert_eq!(bench.client.cache().count::<Pool>(), 1);
    bench
}

/// Loses whatever is for the driver's own target, until another host is asked.
fn until_probed(bench: &mut Bench) -> Request {
    for _ in 0..100 {
        bench.drain();
        if let Some(at) = bench.sent.iter().position(|it| it.call.method == "session.login_with_password") {
            return bench.sent.remove(at);
        }
        while let Some(request) = bench.sent.pop() {
            bench.lose(&request);
        }
        bench.pass(500);
    }
    panic!("nobody else was asked");
}

#[test]
fn a_silent_coordinator_is_left_only_for_a_new_one() {
    let mut bench = live();
    let mut asked = vec![];
    for _ in 0..6 {
        let probe = until_probed(&mut bench);
        asked.push(address(&probe).to_owned());
        // The member says what it knows of its coordinator, or nothing.
        bench.lose(&probe);
        assert_eq!(bench.client.session().unwrap().as_str(), "OpaqueRef:s1", "the session may have survived");
    }
    for each in ["10.0.0.1", "10.0.0.2", "10.0.0.3"] {
        assert!(asked.iter().any(|it| it == each), "{asked:?}");
    }

    let probe = until_probed(&mut bench);
    bench.refuse(&probe, "HOST_IS_SLAVE", &["10.0.0.3"]);
    let login = bench.take("session.login_with_password");
    assert_eq!(address(&login), "10.0.0.3");
    bench.succeed(&login, &"OpaqueRef:s2".into());
    let load = bench.sent.iter().rfind(|it| it.call.method == "event.from").cloned().unwrap();
    assert_eq!((address(&load), token_of(&load)), ("10.0.0.3", ""));
    let old = bench.take("session.logout");
    assert_eq!(old.call.params[0].as_text(), Some("OpaqueRef:s1"), "should it be alive after all");
}

#[test]
fn a_host_that_logs_us_in_is_the_new_coordinator() {
    let mut bench = live();
    let probe = until_probed(&mut bench);
    bench.succeed(&probe, &"OpaqueRef:s2".into());
    assert_eq!(bench.client.session().unwrap().as_str(), "OpaqueRef:s2");
    assert_eq!(bench.client.address(), Some(address(&probe)));
}

#[test]
fn a_coordinator_that_is_back_is_not_left() {
    let mut bench = live();
    let probe = until_probed(&mut bench);
    bench.pass(3000);
    bench.answer("event.from", batch(vec![], &[], "t2"));
    bench.succeed(&probe, &"OpaqueRef:s2".into());
    assert_eq!(bench.client.session().unwrap().as_str(), "OpaqueRef:s1");
    let logout = bench.take("session.logout");
    assert_eq!(logout.call.params[0].as_text(), Some("OpaqueRef:s2"));
}
