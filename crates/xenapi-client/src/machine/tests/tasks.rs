use xenapi_core::{ReadError, Ref};
use xenapi_model::task::{self, TaskStatusType};
use xenapi_model::{VM, vm};

use super::*;

fn reference() -> Ref<VM> {
    Ref::new("OpaqueRef:1")
}

fn task(status: TaskStatusType, progress: f64, result: &str, error_info: &[&str]) -> Value {
    to_value(&task::Record {
        uuid: Uuid::new("t"),
        status,
        progress,
        result: result.into(),
        error_info: error_info.iter().map(|it| (*it).to_owned()).collect(),
        ..Default::default()
    })
}

/// What a codec would do with the text.
fn read(text: &str) -> Result<Ref<VM>, ReadError> {
    let inner = text.strip_prefix("<value>").and_then(|it| it.strip_suffix("</value>"));
    inner.map(Ref::new).ok_or_else(|| ReadError::syntax("a value", text.to_owned()))
}

fn started(bench: &mut Bench) -> Ticket<Ref<VM>> {
    let ticket = bench.client.submit_task(vm::clone(&reference(), "copy"), read, bench.now);
    bench.answer("Async.VM.clone", "OpaqueRef:task");
    ticket
}

#[test]
fn follows_a_task_by_asking_and_destroys_it_at_the_end() {
    let mut bench = Bench::logged_in();
    let ticket = started(&mut bench);
    assert_eq!(bench.client.progress(ticket.id()), Some(0.0));
    for (status, progress) in [(TaskStatusType::Pending, 0.0), (TaskStatusType::Pending, 0.5)] {
        bench.pass(2000);
        bench.answer("task.get_record", task(status, progress, "", &[]));
    }
    assert_eq!(bench.progress, [0.5]);
    bench.pass(2000);
    bench.answer("task.get_record", task(TaskStatusType::Success, 1.0, "<value>OpaqueRef:2</value>", &[]));
    assert_eq!(bench.done, [ticket.id()]);
    assert_eq!(bench.client.take(&ticket), Some(Ok(Ref::new("OpaqueRef:2"))));
    let destroy = bench.take("task.destroy");
    assert_eq!(destroy.call.params[1].as_text(), Some("OpaqueRef:task"));
    bench.refuse(&destroy, "HANDLE_INVALID", &["task", "OpaqueRef:task"]);
    bench.pass(60_000);
    assert!(bench.sent.is_empty(), "{:?}", bench.sent);
}

#[test]
fn the_end_of_a_task_is_its_result_or_its_failure() {
    let failed = ["VM_BAD_POWER_STATE", "OpaqueRef:1", "halted", "running"];
    for (record, expected) in [
        (
            task(TaskStatusType::Failure, 1.0, "", &failed),
            "the server refused: VM_BAD_POWER_STATE: OpaqueRef:1, halted, running",
        ),
        (
            task(TaskStatusType::Cancelled, 1.0, "", &["TASK_CANCELLED", "OpaqueRef:task"]),
            "the server refused: TASK_CANCELLED: OpaqueRef:task",
        ),
        (task(TaskStatusType::Cancelled, 1.0, "", &[]), "the server refused: TASK_CANCELLED: OpaqueRef:task"),
        (
            task(TaskStatusType::Success, 1.0, "what", &[]),
            "the server's answer cannot be read: expected a value, found what",
        ),
    ] {
        let mut bench = Bench::logged_in();
        let ticket = started(&mut bench);
        bench.pass(100);
        bench.answer("task.get_record", record);
        assert_eq!(bench.client.take(&ticket).unwrap().unwrap_err().to_string(), expected);
        assert!(bench.has_sent("task.destroy"));
    }
}

#[test]
fn events_tell_of_tasks_without_asking() {
    let mut bench = Bench::live();
    let ticket = started(&mut bench);
    let pending = event("task", "add", "OpaqueRef:task", Some(task(TaskStatusType::Pending, 0.25, "", &[])));
    bench.answer("event.from", batch(vec![pending], &[("task", 1)], "t2"));
    assert_eq!(bench.progress, [0.25]);
    let ended = task(TaskStatusType::Success, 1.0, "<value>OpaqueRef:2</value>", &[]);
    bench.answer("event.from", batch(vec![event("task", "mod", "OpaqueRef:task", Some(ended))], &[("task", 1)], "t3"));
    assert_eq!(bench.client.take(&ticket), Some(Ok(Ref::new("OpaqueRef:2"))));
    assert!(!bench.has_sent("task.get_record"));
    assert!(bench.has_sent("task.destroy"));
}

#[test]
fn events_may_be_faster_than_the_answer_that_names_the_task() {
    let mut bench = Bench::live();
    let ticket = bench.client.submit_task(vm::clone(&reference(), "copy"), read, bench.now);
    let call = bench.take("Async.VM.clone");
    let ended = task(TaskStatusType::Success, 1.0, "<value>OpaqueRef:2</value>", &[]);
    bench.answer("event.from", batch(vec![event("task", "add", "OpaqueRef:task", Some(ended))], &[("task", 1)], "t2"));
    bench.succeed(&call, &"OpaqueRef:task".into());
    assert_eq!(bench.client.take(&ticket), Some(Ok(Ref::new("OpaqueRef:2"))));
}

#[test]
fn a_task_that_vanishes_is_told() {
    let mut bench = Bench::live();
    let ticket = started(&mut bench);
    let pending = event("task", "add", "OpaqueRef:task", Some(task(TaskStatusType::Pending, 0.0, "", &[])));
    bench.answer("event.from", batch(vec![pending], &[("task", 1)], "t2"));
    bench.answer("event.from", batch(vec![event("task", "del", "OpaqueRef:task", None)], &[("task", 0)], "t3"));
    let look = bench.take("task.get_record");
    bench.refuse(&look, "HANDLE_INVALID", &["task", "OpaqueRef:task"]);
    assert_eq!(bench.client.take(&ticket).unwrap().unwrap_err().failure().unwrap().code, "HANDLE_INVALID");
}

#[test]
fn a_task_is_followed_through_an_outage_and_a_new_session() {
    let mut bench = Bench::logged_in();
    let ticket = started(&mut bench);
    bench.pass(100);
    let look = bench.take("task.get_record");
    bench.lose(&look);
    bench.pass(2000);
    let look = bench.take("task.get_record");
    bench.refuse(&look, "SESSION_INVALID", &["OpaqueRef:s1"]);
    bench.answer("session.login_with_password", "OpaqueRef:s2");
    bench.pass(2000);
    bench.answer("task.get_record", task(TaskStatusType::Success, 1.0, "<value>OpaqueRef:2</value>", &[]));
    assert_eq!(bench.client.take(&ticket), Some(Ok(Ref::new("OpaqueRef:2"))));
}

#[test]
fn a_task_is_cancelled_as_soon_as_there_is_one() {
    let mut bench = Bench::logged_in();
    let ticket = bench.client.submit_task(vm::clone(&reference(), "copy"), read, bench.now);
    let call = bench.take("Async.VM.clone");
    bench.client.cancel(ticket.id(), bench.now);
    assert!(!bench.has_sent("task.cancel"));
    bench.succeed(&call, &"OpaqueRef:task".into());
    let cancel = bench.take("task.cancel");
    assert_eq!(cancel.call.params[1].as_text(), Some("OpaqueRef:task"));
    assert_eq!(bench.client.take(&ticket), None, "only the task's end is the end");
    bench.client.cancel(ticket.id(), bench.now);
    assert!(!bench.has_sent("task.cancel"), "it is on its way");
    bench.lose(&cancel);
    bench.pass(250);
    let cancel = bench.take("task.cancel");
    bench.succeed(&cancel, &"".into());
    bench.client.cancel(ticket.id(), bench.now);
    assert!(bench.has_sent("task.cancel"));
}

#[test]
fn a_message_without_an_async_form_is_misuse() {
    let mut bench = Bench::logged_in();
    let call = vm::fields::NAME_LABEL.get(&reference());
    let ticket = bench.client.submit_task(call, |text| Ok(text.to_owned()), bench.now);
    assert!(matches!(bench.client.take(&ticket), Some(Err(Error::Misuse(_)))));
    assert!(bench.sent.is_empty());
}

#[test]
fn a_start_that_is_refused_or_lost_is_not_repeated() {
    let mut bench = Bench::logged_in();
    let refused = bench.client.submit_task(vm::clone(&reference(), "copy"), read, bench.now);
    let call = bench.take("Async.VM.clone");
    bench.refuse(&call, "MESSAGE_PARAMETER_COUNT_MISMATCH", &["VM.clone", "2", "1"]);
    assert!(bench.client.take(&refused).unwrap().is_err());
}

/// All tasks: one of somebody else, and one with that tag, if there is one.
fn tasks(tag: Option<&str>) -> Value {
    let other = to_value(&task::Record::default());
    let own = tag.map(|tag| {
        let other_config = [("http:xenapi-client".to_owned(), tag.to_owned())].into_iter().collect();
        to_value(&task::Record { other_config, ..Default::default() })
    });
    let own = own.map(|own| ("OpaqueRef:own", own));
    Value::Struct([("OpaqueRef:other", other)].into_iter().chain(own).collect())
}

#[test]
fn a_start_whose_answer_was_lost_is_found_by_its_tag() {
    for broken in [false, true] {
        let mut bench = Bench::logged_in();
        let ticket = bench.client.submit_task(vm::clone(&reference(), "copy"), read, bench.now);
        let call = bench.take("Async.VM.clone");
        let tag = call.tag.clone().unwrap();
        if broken {
            bench.handle(&call, Reply::Broken(ReadError::truncated("</methodResponse>")));
        } else {
            bench.lose(&call);
        }
        bench.answer("task.get_all_records", tasks(Some(&tag)));
        assert_eq!(bench.client.task_of(ticket.id()).unwrap().as_str(), "OpaqueRef:own");
        bench.pass(100);
        bench.answer("task.get_record", task(TaskStatusType::Success, 1.0, "<value>OpaqueRef:2</value>", &[]));
        assert_eq!(bench.client.take(&ticket), Some(Ok(Ref::new("OpaqueRef:2"))));
        assert!(bench.has_sent("task.destroy"));
    }
}

#[test]
fn a_start_that_never_reached_the_server_is_not_repeated() {
    let mut bench = Bench::logged_in();
    let lost = bench.client.submit_task(vm::clone(&reference(), "copy"), read, bench.now);
    let call = bench.take("Async.VM.clone");
    bench.lose(&call);
    let search = bench.take("task.get_all_records");
    bench.lose(&search);
    bench.pass(1000);
    bench.answer("task.get_all_records", tasks(None));
    assert!(bench.client.take(&lost).is_none(), "the call may still be on its way");
    bench.pass(1000);
    bench.answer("task.get_all_records", tasks(Some("0-1")));
    assert!(matches!(bench.client.take(&lost), Some(Err(Error::Unreachable(_)))));
    bench.pass(60_000);
    assert!(bench.sent.is_empty());
}

#[test]
fn what_a_call_that_was_given_up_has_started_is_taken_away() {
    let mut bench = Bench::live();
    let ticket = bench.client.submit_task(vm::clone(&reference(), "copy"), read, bench.now);
    let call = bench.take("Async.VM.clone");
    bench.client.forget(ticket.id());
    bench.succeed(&call, &"OpaqueRef:task".into());
    assert_eq!(bench.take("task.destroy").call.params[1].as_text(), Some("OpaqueRef:task"));
    assert!(bench.done.is_empty());

    // Or it comes to light by an event.
    let other_config = [("http:xenapi-client".to_owned(), call.tag.clone().unwrap())].into_iter().collect();
    let record = to_value(&task::Record { other_config, ..Default::default() });
    bench.answer("event.from", batch(vec![event("task", "add", "OpaqueRef:late", Some(record))], &[("task", 1)], "t2"));
    assert_eq!(bench.take("task.destroy").call.params[1].as_text(), Some("OpaqueRef:late"));
}

#[test]
fn a_task_that_takes_too_long_is_cancelled_and_given_up() {
    let options = CallOptions { timeout: Some(Millis(5000)), ..CallOptions::default() };
    for honours in [true, false] {
        let mut bench = Bench::logged_in();
        let ticket = bench.client.submit_task_with(vm::clone(&reference(), "copy"), read, options, bench.now);
        bench.answer("Async.VM.clone", "OpaqueRef:task");
        bench.pass(4999);
        let look = bench.take("task.get_record");
        assert!(!bench.has_sent("task.cancel"));
        bench.pass(1);
        bench.answer("task.cancel", "");
        if honours {
            bench.succeed(&look, &task(TaskStatusType::Cancelled, 1.0, "", &["TASK_CANCELLED", "OpaqueRef:task"]));
        } else {
            bench.pass(9999);
            assert!(bench.client.take(&ticket).is_none());
            bench.pass(1);
        }
        assert_eq!(bench.client.take(&ticket), Some(Err(Error::TimedOut(Millis(5000)))));
        assert!(bench.has_sent("task.destroy"));
    }
}

#[test]
fn logging_out_clears_tasks_away_first() {
    let mut bench = Bench::logged_in();
    let followed = started(&mut bench);
    bench.client.submit_task(vm::clone(&reference(), "copy"), read, bench.now);
    let call = bench.take("Async.VM.clone");
    bench.client.logout(bench.now);
    assert_eq!(bench.client.take(&followed), Some(Err(Error::LoggedOut)));
    let destroy = bench.take("task.destroy");
    bench.lose(&destroy);
    assert!(!bench.has_sent("session.logout"));
    bench.succeed(&call, &"OpaqueRef:task2".into());
    bench.pass(1000);
    bench.answer("task.destroy", "");
    bench.answer("task.destroy", "");
    let logout = bench.take("session.logout");
    assert_ne!(bench.client.status(), &Status::LoggedOut);
    bench.lose(&logout);
    bench.pass(1000);
    bench.answer("session.logout", "");
    assert_eq!(bench.client.status(), &Status::LoggedOut);
    bench.pass(600_000);
    assert!(bench.sent.is_empty());
}

#[test]
fn a_server_that_is_gone_does_not_keep_anybody_from_logging_out() {
    let mut bench = Bench::logged_in();
    started(&mut bench);
    bench.client.logout(bench.now);
    for _ in 0..20 {
        bench.pass(1000);
        while let Some(request) = bench.sent.pop() {
            bench.lose(&request);
        }
    }
    assert_eq!(bench.client.status(), &Status::LoggedOut);
}

#[test]
fn logging_out_ends_the_wait_for_a_task() {
    let mut bench = Bench::logged_in();
    let ticket = started(&mut bench);
    bench.client.logout(bench.now);
    assert_eq!(bench.client.take(&ticket), Some(Err(Error::LoggedOut)));
}
