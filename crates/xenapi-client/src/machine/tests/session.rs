use xenapi_model::{VM, vm};

use super::*;

#[test]
fn logs_in_with_version_and_originator() {
    let mut bench = Bench::new(config());
    bench.client.login(bench.now);
    let login = bench.take("session.login_with_password");
    let params: Vec<_> = login.call.params.iter().map(|it| it.as_text().unwrap()).collect();
    assert_eq!(params, ["root", "secret", "1.0", "test"]);
    bench.succeed(&login, &"OpaqueRef:s1".into());
    assert_eq!(bench.statuses, [Status::LoggingIn, Status::LoggedIn]);
    assert_eq!(bench.client.session().unwrap().as_str(), "OpaqueRef:s1");
}

#[test]
fn an_originator_is_always_sent() {
    let mut bench = Bench::new(Config { originator: String::new(), ..config() });
    bench.client.login(bench.now);
    assert_eq!(bench.take("session.login_with_password").call.params[3].as_text(), Some("xenapi-client"));
}

#[test]
fn a_server_that_takes_two_parameters_only_gets_two() {
    let mut bench = Bench::new(config());
    bench.client.login(bench.now);
    let login = bench.take("session.login_with_password");
    bench.refuse(&login, "MESSAGE_PARAMETER_COUNT_MISMATCH", &["session.login_with_password", "2", "4"]);
    let login = bench.take("session.login_with_password");
    assert_eq!(login.call.params.len(), 2);
    bench.refuse(&login, "MESSAGE_PARAMETER_COUNT_MISMATCH", &["session.login_with_password", "3", "2"]);
    assert_eq!(text(bench.client.status()), "refused: MESSAGE_PARAMETER_COUNT_MISMATCH");
}

#[test]
fn a_wrong_password_is_refused_once_and_for_all() {
    let mut bench = Bench::new(config());
    bench.client.login(bench.now);
    let waiting = bench.client.submit(vm::start(&xenapi_core::Ref::new("OpaqueRef:1"), false, false), bench.now);
    let login = bench.take("session.login_with_password");
    bench.refuse(&login, "SESSION_AUTHENTICATION_FAILED", &["root", "Authentication failure"]);
    assert_eq!(text(bench.client.status()), "refused: SESSION_AUTHENTICATION_FAILED");
    let result = bench.client.take(&waiting).unwrap();
    assert_eq!(result.unwrap_err().failure().unwrap().code, "SESSION_AUTHENTICATION_FAILED");
    bench.pass(600_000);
    assert!(bench.sent.is_empty(), "a wrong password must not be tried again: accounts get locked");

    bench.client.set_credentials("root", "better");
    bench.client.login(bench.now);
    let login = bench.take("session.login_with_password");
    assert_eq!(login.call.params[1].as_text(), Some("better"));
    bench.succeed(&login, &"OpaqueRef:s1".into());
    assert_eq!(bench.client.status(), &Status::LoggedIn);
}

#[test]
fn an_unknown_refusal_of_the_first_login_is_final_too() {
    let mut bench = Bench::new(config());
    bench.client.login(bench.now);
    let login = bench.take("session.login_with_password");
    bench.refuse(&login, "LICENCE_RESTRICTION", &["login"]);
    assert_eq!(text(bench.client.status()), "refused: LICENCE_RESTRICTION");
}

#[test]
fn waits_for_a_server_that_is_away_or_booting() {
    let mut bench = Bench::new(config());
    bench.client.login(bench.now);
    for attempt in 0..12 {
        let login = bench.take("session.login_with_password");
        if attempt % 2 == 0 {
            bench.lose(&login)
        } else {
            bench.refuse(&login, "HOST_STILL_BOOTING", &[])
        }
        let Status::Waiting { until, .. } = bench.client.status() else { panic!("{:?}", bench.client.status()) };
        let wait = *until - bench.now;
        assert!(wait <= Millis(3000), "the wait is capped: {wait}");
        assert!(bench.sent.is_empty());
        bench.pass(3000);
    }
    bench.answer("session.login_with_password", "OpaqueRef:s1");
    assert_eq!(bench.client.status(), &Status::LoggedIn);
}

#[test]
fn an_answer_that_is_no_session_is_told() {
    for answer in [Value::from(""), Value::from("OpaqueRef:NULL"), Value::Bool(true)] {
        let mut bench = Bench::new(config());
        bench.client.login(bench.now);
        bench.answer("session.login_with_password", answer);
        assert!(text(bench.client.status()).starts_with("waiting: the server's answer cannot be read"));
    }
}

#[test]
fn a_member_names_its_master_and_the_login_goes_on_there() {
    let mut bench = Bench::new(config());
    bench.client.login(bench.now);
    let login = bench.take("session.login_with_password");
    bench.refuse(&login, "HOST_IS_SLAVE", &["10.0.0.2"]);
    assert_eq!(bench.redirects, ["10.0.0.2"]);
    let login = bench.take("session.login_with_password");
    // Two members that name each other must not be asked in a tight loop.
    bench.refuse(&login, "HOST_IS_SLAVE", &["10.0.0.1"]);
    assert!(!bench.has_sent("session.login_with_password"));
    bench.pass(3000);
    bench.answer("session.login_with_password", "OpaqueRef:s1");
    assert_eq!(bench.client.status(), &Status::LoggedIn);
}

#[test]
fn a_dead_session_is_replaced_and_the_call_sent_again() {
    let mut bench = Bench::logged_in();
    let reference = xenapi_core::Ref::<VM>::new("OpaqueRef:1");
    let ticket = bench.client.submit(vm::start(&reference, false, false), bench.now);
    let start = bench.take("VM.start");
    assert_eq!(start.call.params[0].as_text(), Some("OpaqueRef:s1"));
    bench.refuse(&start, "SESSION_INVALID", &["OpaqueRef:s1"]);
    bench.answer("session.login_with_password", "OpaqueRef:s2");
    let start = bench.take("VM.start");
    assert_eq!(start.call.params[0].as_text(), Some("OpaqueRef:s2"));
    bench.succeed(&start, &"".into());
    assert_eq!(bench.client.take(&ticket), Some(Ok(())));
}

#[test]
fn sessions_that_die_at_once_are_not_replaced_in_a_tight_loop() {
    let mut bench = Bench::logged_in();
    let reference = xenapi_core::Ref::<VM>::new("OpaqueRef:1");
    let ticket = bench.client.submit(vm::start(&reference, false, false), bench.now);
    let mut logins = 0;
    for _ in 0..10 {
        bench.pass(0);
        if bench.has_sent("VM.start") {
            let start = bench.take("VM.start");
            bench.refuse(&start, "SESSION_INVALID", &["x"]);
        }
        if bench.has_sent("session.login_with_password") {
            logins += 1;
            bench.answer("session.login_with_password", "OpaqueRef:again");
        }
    }
    assert_eq!(logins, 1, "the second replacement must wait");
    bench.pass(30_000);
    for _ in 0..10 {
        if bench.has_sent("session.login_with_password") {
            bench.answer("session.login_with_password", "OpaqueRef:again");
        }
        if bench.has_sent("VM.start") {
            let start = bench.take("VM.start");
            bench.refuse(&start, "SESSION_INVALID", &["x"]);
        }
        bench.pass(3000);
    }
    assert!(bench.client.take(&ticket).unwrap().unwrap_err().is_session_invalid(), "in the end the caller learns it");
}

#[test]
fn without_relogin_a_dead_session_ends_everything() {
    let mut bench = Bench::new(Config { relogin: false, session: Some("OpaqueRef:old".into()), ..config() });
    bench.client.login(bench.now);
    bench.client.watch(bench.now);
    let events = bench.take("event.from");
    assert_eq!(events.call.params[0].as_text(), Some("OpaqueRef:old"));
    assert!(!bench.has_sent("session.login_with_password"));
    bench.refuse(&events, "SESSION_INVALID", &["OpaqueRef:old"]);
    assert_eq!(text(bench.client.status()), "refused: SESSION_INVALID");
    let ticket = bench.client.submit(vm::start(&xenapi_core::Ref::new("OpaqueRef:1"), false, false), bench.now);
    assert!(bench.client.take(&ticket).unwrap().unwrap_err().is_session_invalid());
    bench.pass(60_000);
    assert!(bench.sent.is_empty());
}

#[test]
fn without_relogin_the_password_is_not_kept() {
    let mut bench = Bench::new(Config { relogin: false, ..config() });
    bench.client.login(bench.now);
    let login = bench.take("session.login_with_password");
    assert_eq!(bench.client.config().password, "secret");
    bench.succeed(&login, &"OpaqueRef:s1".into());
    assert_eq!(bench.client.config().password, "");
}

#[test]
fn a_late_answer_to_an_old_session_does_not_end_the_new_one() {
    let mut bench = Bench::logged_in();
    let reference = xenapi_core::Ref::<VM>::new("OpaqueRef:1");
    bench.client.submit(vm::start(&reference, false, false), bench.now);
    bench.client.submit(vm::pause(&reference), bench.now);
    let (start, pause) = (bench.take("VM.start"), bench.take("VM.pause"));
    bench.refuse(&start, "SESSION_INVALID", &["OpaqueRef:s1"]);
    bench.answer("session.login_with_password", "OpaqueRef:s2");
    bench.refuse(&pause, "SESSION_INVALID", &["OpaqueRef:s1"]);
    assert_eq!(bench.client.session().unwrap().as_str(), "OpaqueRef:s2");
    assert!(!bench.has_sent("session.login_with_password"));
    assert_eq!(bench.take("VM.pause").call.params[0].as_text(), Some("OpaqueRef:s2"));
}

#[test]
fn logout_ends_the_session_and_forgets_everything() {
    let mut bench = Bench::live();
    bench.client.logout(bench.now);
    let logout = bench.take("session.logout");
    assert_eq!(logout.call.params[0].as_text(), Some("OpaqueRef:s1"));
    let events = bench.take("event.from");
    bench.refuse(&events, "SESSION_INVALID", &["OpaqueRef:s1"]);
    bench.succeed(&logout, &"".into());
    assert_eq!(bench.client.status(), &Status::LoggedOut);
    assert_eq!(bench.client.freshness(bench.now), Freshness::Never);
    assert!(bench.vms().is_empty() && !bench.client.cache().is_known::<VM>());
    assert_eq!(bench.changes.len(), 1);
    let ticket = bench.client.submit(vm::start(&xenapi_core::Ref::new("OpaqueRef:1"), false, false), bench.now);
    assert_eq!(bench.client.take(&ticket), Some(Err(Error::LoggedOut)));
    bench.pass(60_000);
    assert!(bench.sent.is_empty());
}

#[test]
fn a_login_answered_after_logout_is_ended() {
    let mut bench = Bench::new(config());
    bench.client.login(bench.now);
    let login = bench.take("session.login_with_password");
    bench.client.logout(bench.now);
    assert_eq!(bench.client.status(), &Status::LoggedOut);
    bench.succeed(&login, &"OpaqueRef:s9".into());
    assert_eq!(bench.take("session.logout").call.params[0].as_text(), Some("OpaqueRef:s9"));
    assert!(bench.client.session().is_none());
}

#[test]
fn a_driver_that_forgets_a_request_does_not_stop_the_client() {
    let mut bench = Bench::new(config());
    bench.client.login(bench.now);
    let lost = bench.take("session.login_with_password");
    bench.pass(40_000);
    assert!(bench.has_sent("session.login_with_password"));
    // The answer comes after all: nobody waits for it.
    bench.succeed(&lost, &"OpaqueRef:late".into());
    assert!(bench.client.session().is_none());
}
