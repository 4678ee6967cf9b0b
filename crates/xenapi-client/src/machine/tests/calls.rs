use xenapi_core::{ReadError, Ref};
use xenapi_model::{VM, vm};

use super::*;

fn reference() -> Ref<VM> {
    Ref::new("OpaqueRef:1")
}

#[test]
fn calls_wait_for_the_session_and_keep_their_order() {
    let mut bench = Bench::new(config());
    bench.client.login(bench.now);
    let one = bench.client.submit(vm::fields::NAME_LABEL.get(&reference()), bench.now);
    let two = bench.client.submit(vm::fields::VCPUS_MAX.get(&reference()), bench.now);
    assert!(!bench.has_sent("VM.get_name_label"));
    bench.answer("session.login_with_password", "OpaqueRef:s1");
    let order: Vec<_> = bench.sent.iter().map(|request| request.call.method.as_str()).collect();
    assert_eq!(order, ["VM.get_name_label", "VM.get_VCPUs_max"]);
    bench.answer("VM.get_VCPUs_max", "4");
    bench.answer("VM.get_name_label", "one");
    assert_eq!(bench.done, [two.id(), one.id()]);
    assert_eq!(bench.client.take(&one), Some(Ok("one".to_owned())));
    assert_eq!(bench.client.take(&two), Some(Ok(4)));
    assert_eq!(bench.client.take(&two), None, "a result is taken once");
}

#[test]
fn without_a_login_a_call_fails_at_once() {
    let mut bench = Bench::new(config());
    let ticket = bench.client.submit(vm::fields::NAME_LABEL.get(&reference()), bench.now);
    assert_eq!(bench.client.take(&ticket), Some(Err(Error::LoggedOut)));
}

#[test]
fn looking_is_tried_again_and_changing_never() {
    let mut bench = Bench::logged_in();
    let look = bench.client.submit(vm::fields::NAME_LABEL.get(&reference()), bench.now);
    let change = bench.client.submit(vm::start(&reference(), false, false), bench.now);
    let (first, start) = (bench.take("VM.get_name_label"), bench.take("VM.start"));
    assert_eq!((first.timeout, start.timeout), (Millis::from_secs(30), Millis::from_secs(900)));
    bench.lose(&start);
    assert_eq!(bench.client.take(&change), Some(Err(Error::Unreachable("connection refused".into()))));
    bench.lose(&first);
    assert!(!bench.has_sent("VM.get_name_label"), "not without a wait");
    bench.pass(250);
    let second = bench.take("VM.get_name_label");
    bench.lose(&second);
    bench.pass(500);
    let third = bench.take("VM.get_name_label");
    bench.lose(&third);
    assert!(matches!(bench.client.take(&look), Some(Err(Error::Unreachable(_)))), "two retries, then the caller learns it");
    bench.pass(60_000);
    assert!(bench.sent.is_empty());
}

#[test]
fn refusals_and_unreadable_answers_go_to_the_caller() {
    let mut bench = Bench::logged_in();
    let one = bench.client.submit(vm::fields::VCPUS_MAX.get(&reference()), bench.now);
    let two = bench.client.submit(vm::fields::VCPUS_MAX.get(&reference()), bench.now);
    let three = bench.client.submit(vm::fields::VCPUS_MAX.get(&reference()), bench.now);
    let request = bench.take("VM.get_VCPUs_max");
    bench.refuse(&request, "HANDLE_INVALID", &["VM", "OpaqueRef:1"]);
    bench.answer("VM.get_VCPUs_max", "many");
    let request = bench.take("VM.get_VCPUs_max");
    bench.handle(&request, Reply::Broken(ReadError::truncated("</methodResponse>")));
    let failure = bench.client.take(&one).unwrap().unwrap_err();
    assert_eq!(failure.to_string(), "the server refused: HANDLE_INVALID: VM, OpaqueRef:1");
    for ticket in [two, three] {
        assert!(matches!(bench.client.take(&ticket), Some(Err(Error::Protocol(_)))));
    }
    assert_eq!(bench.client.status(), &Status::LoggedIn, "somebody's bad call does not cost the session");
}

#[test]
fn a_call_does_not_wait_for_a_session_for_ever() {
    let mut bench = Bench::new(config());
    bench.client.login(bench.now);
    let ticket = bench.client.submit(vm::start(&reference(), false, false), bench.now);
    for _ in 0..40 {
        if bench.has_sent("session.login_with_password") {
            let login = bench.take("session.login_with_password");
            bench.lose(&login);
        }
        bench.pass(1000);
    }
    assert_eq!(bench.client.take(&ticket), Some(Err(Error::Unreachable("connection refused".into()))));
}

#[test]
fn a_call_can_be_cancelled_before_it_is_sent_and_forgotten_after() {
    let mut bench = Bench::new(config());
    bench.client.login(bench.now);
    let one = bench.client.submit(vm::start(&reference(), false, false), bench.now);
    bench.client.cancel(one.id(), bench.now);
    bench.answer("session.login_with_password", "OpaqueRef:s1");
    assert!(!bench.has_sent("VM.start"));
    assert_eq!(bench.client.take(&one), Some(Err(Error::Cancelled)));

    let two = bench.client.submit(vm::start(&reference(), false, false), bench.now);
    let start = bench.take("VM.start");
    bench.client.forget(two.id());
    bench.done.clear();
    bench.succeed(&start, &"".into());
    assert!(bench.done.is_empty() && bench.client.take(&two).is_none());
}

#[test]
fn a_ticket_of_another_type_is_misuse() {
    let mut one = Bench::logged_in();
    let mut other = Bench::logged_in();
    let ticket = one.client.submit(vm::fields::NAME_LABEL.get(&reference()), one.now);
    other.client.submit(vm::fields::VCPUS_MAX.get(&reference()), other.now);
    other.answer("VM.get_VCPUs_max", "4");
    assert!(matches!(other.client.take(&ticket), Some(Err(Error::Misuse(_)))));
}

#[test]
fn no_more_calls_than_allowed_are_on_their_way_and_changes_leave_room_for_looks() {
    let mut bench = Bench::new(Config { concurrency: 4, tasks: 2, ..config() });
    bench.client.login(bench.now);
    bench.answer("session.login_with_password", "OpaqueRef:s1");
    for _ in 0..10 {
        bench.client.submit(vm::start(&reference(), false, false), bench.now);
    }
    bench.drain();
    assert_eq!(bench.sent.len(), 3);
    let looks: Vec<_> = (0..10).map(|_| bench.client.submit(vm::fields::VCPUS_MAX.get(&reference()), bench.now)).collect();
    for look in looks {
        bench.answer("VM.get_VCPUs_max", "4");
        assert_eq!(bench.client.take(&look), Some(Ok(4)));
        assert!(bench.sent.len() <= 4);
    }
    for _ in 0..10 {
        bench.answer("VM.start", "");
    }
    assert_eq!(bench.client.unanswered_calls(), 0);

    let read = |text: &str| Ok(Ref::<VM>::new(text));
    for _ in 0..5 {
        bench.client.submit_task(vm::clone(&reference(), "copy"), read, bench.now);
    }
    bench.answer("Async.VM.clone", "OpaqueRef:t1");
    bench.answer("Async.VM.clone", "OpaqueRef:t2");
    assert!(!bench.has_sent("Async.VM.clone"), "two tasks are at work");
    bench.pass(100);
    let look = bench.take("task.get_record");
    bench.refuse(&look, "HANDLE_INVALID", &["task", "OpaqueRef:t1"]);
    assert!(bench.has_sent("Async.VM.clone"));
}

#[test]
fn a_change_is_repeated_if_the_caller_and_the_schema_allow_it() {
    let mut bench = Bench::logged_in();
    let options = CallOptions { repeat: true, ..CallOptions::default() };
    let set = vm::fields::NAME_LABEL.set(&reference(), &"new".to_owned());
    let ticket = bench.client.submit_with(set, options, bench.now);
    let start = bench.client.submit_with(vm::start(&reference(), false, false), options, bench.now);
    let (first, lost) = (bench.take("VM.set_name_label"), bench.take("VM.start"));
    bench.lose(&first);
    bench.lose(&lost);
    assert!(matches!(bench.client.take(&start), Some(Err(Error::Unreachable(_)))));
    bench.pass(250);
    bench.answer("VM.set_name_label", "");
    assert_eq!(bench.client.take(&ticket), Some(Ok(())));
}

#[test]
fn a_server_that_is_not_ready_is_asked_again_for_a_minute() {
    let mut bench = Bench::logged_in();
    let ticket = bench.client.submit(vm::start(&reference(), false, false), bench.now);
    for _ in 0..3 {
        let start = bench.take("VM.start");
        bench.refuse(&start, "TOO_MANY_PENDING_TASKS", &[]);
        assert!(bench.sent.is_empty());
        bench.pass(3000);
    }
    bench.answer("VM.start", "");
    assert_eq!(bench.client.take(&ticket), Some(Ok(())));

    let ticket = bench.client.submit(vm::start(&reference(), false, false), bench.now);
    for _ in 0..30 {
        if bench.has_sent("VM.start") {
            let start = bench.take("VM.start");
            bench.refuse(&start, "HOST_STILL_BOOTING", &[]);
        }
        bench.pass(3000);
    }
    assert!(bench.client.take(&ticket).unwrap().unwrap_err().is_booting());
}

#[test]
fn a_barrier_is_passed_when_the_cache_has_caught_up() {
    let mut bench = Bench::logged_in();
    let nothing_watched = bench.client.barrier(bench.now);
    assert!(matches!(bench.client.take(&nothing_watched), Some(Err(Error::Misuse(_)))));

    let mut bench = Bench::live();
    let ticket = bench.client.barrier(bench.now);
    bench.answer("event.inject", "t1");
    // An answer to a request from before may have been on its way when the touch happened: it does not count.
    bench.answer("event.from", batch(vec![], &[("vm", 1)], "t1"));
    assert!(bench.client.take(&ticket).is_none());
    let events = bench.take("event.from");
    assert_eq!(events.call.params[3], Value::Double(0.1), "nobody waits for what may not come");
    bench.succeed(&events, &batch(vec![vm("mod", "1", "written")], &[("vm", 1)], "t2"));
    assert_eq!(bench.client.take(&ticket), Some(Ok(())));
    assert_eq!(bench.vms(), ["written"]);
    assert_eq!(bench.take("event.from").call.params[3], Value::Double(5.0));
}

#[test]
fn a_barrier_does_not_outlive_the_watch() {
    let mut bench = Bench::live();
    let ticket = bench.client.barrier(bench.now);
    bench.answer("event.inject", "t1");
    bench.client.unwatch();
    assert_eq!(bench.client.take(&ticket), Some(Err(Error::Cancelled)));
}
