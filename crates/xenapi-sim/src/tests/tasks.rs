//! `Async.` forms and tasks.

use super::*;

fn async_start(pool: &mut Pool, vm: &str) -> String {
    let task = pool.call("Async.VM.start", &[vm.into(), false.into(), false.into()]).unwrap();
    task.as_text().unwrap().into()
}

#[test]
fn check_8_progress_is_a_double() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let task = async_start(&mut pool, &vm);
    assert_eq!(pool.ask("task.get_progress", &[&task]), Ok(Value::Double(0.0)));
    pool.pass(700);
    let Value::Double(half) = pool.ask("task.get_progress", &[&task]).unwrap() else { panic!("not a double") };
    assert!(half > 0.0 && half < 1.0, "{half}");
    pool.pass(800);
    assert_eq!(pool.ask("task.get_progress", &[&task]), Ok(Value::Double(1.0)));
}

#[test]
fn check_35_an_async_start() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let task = async_start(&mut pool, &vm);
    assert_eq!(pool.text("task.get_name_label", &[&task]), "Async.VM.start");
    assert_eq!(pool.text("task.get_status", &[&task]), "pending");
    assert_eq!(pool.refs("task.get_allowed_operations", &[&task]), ["cancel"]);
    let current = pool.ask("VM.get_current_operations", &[&vm]).unwrap();
    assert_eq!(current.as_struct().unwrap().get(&task), Some(&"start".into()));
    assert!(!pool.refs("VM.get_allowed_operations", &[&vm]).contains(&"start".into()));
    let session = pool.session.clone();
    assert_eq!(pool.refs("session.get_tasks", &[&session]), core::slice::from_ref(&task));
    pool.pass(1500);
    assert_eq!(pool.text("task.get_status", &[&task]), "success");
    assert_eq!(pool.text("task.get_result", &[&task]), "<value></value>");
    assert_eq!(pool.text("task.get_type", &[&task]), "<none/>");
    assert!(pool.refs("task.get_allowed_operations", &[&task]).is_empty());
    assert_eq!(pool.ask("VM.get_current_operations", &[&vm]), Ok(Value::empty_struct()));
    assert_eq!(pool.text("VM.get_power_state", &[&vm]), "Running");
    pool.ask("task.destroy", &[&task]).unwrap();
    assert_eq!(pool.ask("task.get_status", &[&task]).unwrap_err(), failure("HANDLE_INVALID", &["task", &task]));
    assert!(pool.refs("session.get_tasks", &[&session]).is_empty());
}

#[test]
fn check_36_the_result_of_a_clone_is_the_new_vm() {
    let mut pool = Pool::new();
    let template = pool.template();
    let task = pool.text("Async.VM.clone", &[&template, "new"]);
    pool.pass(1000);
    let result = pool.text("task.get_result", &[&task]);
    let new = result.strip_prefix("<value>").unwrap().strip_suffix("</value>").unwrap();
    assert_eq!(pool.text("VM.get_name_label", &[new]), "new");
    assert!(pool.flag("VM.get_is_a_template", &[new]));
    assert!(!pool.flag("VM.get_is_default_template", &[new]));
    let config = pool.ask("VM.get_other_config", &[new]).unwrap();
    let config = config.as_struct().unwrap();
    assert_eq!(config.get("base_template_name"), Some(&pool.text("VM.get_name_label", &[&template]).into()));
    assert!(config.get("default_template").is_none() && config.get("mac_seed").is_some());
}

#[test]
fn check_37_no_async_form() {
    let mut pool = Pool::new();
    let refused = pool.ask("Async.VM.get_all", &[]).unwrap_err();
    assert_eq!(refused, failure("Fault", &["No async mode for this operation (rpc: VM.get_all)"]));
}

#[test]
fn check_38_refusals_end_in_the_task() {
    let mut pool = Pool::new();
    let vm = pool.vm("Running");
    let task = async_start(&mut pool, &vm);
    assert_eq!(pool.text("task.get_status", &[&task]), "failure");
    let info = pool.refs("task.get_error_info", &[&task]);
    assert_eq!(info, ["VM_BAD_POWER_STATE", &vm, "halted", "running"]);
    let task = async_start(&mut pool, "OpaqueRef:none");
    assert_eq!(pool.refs("task.get_error_info", &[&task]), ["HANDLE_INVALID", "VM", "OpaqueRef:none"]);
}

#[test]
fn check_39_what_fails_before_makes_no_task() {
    let mut pool = Pool::new();
    let vm = pool.vm("Running");
    assert_eq!(pool.ask("Async.VM.start", &[&vm]).unwrap_err().code, "MESSAGE_PARAMETER_COUNT_MISMATCH");
    assert_eq!(pool.ask("Async.VM.start", &[&vm, "no", "no"]).unwrap_err().code, "INTERNAL_ERROR");
    assert!(pool.refs("task.get_all", &[]).is_empty());
}

#[test]
fn check_40_synchronous_calls_have_a_task_while_they_run() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let params = [pool.session.as_str().into(), vm.as_str().into(), false.into(), false.into()];
    let Handled::Pending(pending) = pool.handle("VM.start", &params) else { panic!("it takes time") };
    let tasks = pool.refs("task.get_all", &[]);
    assert_eq!(tasks.len(), 1);
    assert_eq!(pool.text("task.get_name_label", &[&tasks[0]]), "VM.start");
    assert_eq!(pool.wait(pending), Ok(Value::VOID));
    assert!(pool.refs("task.get_all", &[]).is_empty());
}

#[test]
fn check_41_cancelling() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let task = async_start(&mut pool, &vm);
    pool.pass(600);
    assert_eq!(pool.ask("task.cancel", &[&task]), Ok(Value::VOID));
    assert_eq!(pool.text("task.get_status", &[&task]), "cancelled");
    assert_eq!(pool.refs("task.get_error_info", &[&task]), ["TASK_CANCELLED", &task]);
    pool.pass(5000);
    assert_eq!(pool.text("VM.get_power_state", &[&vm]), "Halted");
    assert_eq!(pool.text("VM.get_scheduled_to_be_resident_on", &[&vm]), "OpaqueRef:NULL");
    assert!(pool.refs("VM.get_allowed_operations", &[&vm]).contains(&"start".into()));
    let task = async_start(&mut pool, &vm);
    pool.pass(1500);
    assert_eq!(pool.ask("task.cancel", &[&task]), Ok(Value::VOID));
    assert_eq!(pool.text("task.get_status", &[&task]), "success");
}

#[test]
fn a_task_destroyed_early_goes_when_it_is_over() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let task = async_start(&mut pool, &vm);
    pool.ask("task.destroy", &[&task]).unwrap();
    assert_eq!(pool.text("task.get_status", &[&task]), "pending");
    pool.pass(1500);
    assert!(pool.ask("task.get_status", &[&task]).is_err());
    assert_eq!(pool.text("VM.get_power_state", &[&vm]), "Running");
}

#[test]
fn a_caller_that_hangs_up_loses_only_the_answer() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let params = [pool.session.as_str().into(), vm.as_str().into(), false.into(), false.into()];
    let Handled::Pending(pending) = pool.handle("VM.start", &params) else { panic!("it takes time") };
    pool.sim.abandon(pending);
    pool.now = pool.now + Millis(1500);
    assert!(pool.sim.poll(pool.now).is_empty());
    assert_eq!(pool.text("VM.get_power_state", &[&vm]), "Running");
}

#[test]
fn an_operation_waits_for_another_one() {
    let mut pool = Pool::new();
    let vm = pool.vm("Running");
    let suspend = pool.text("Async.VM.suspend", &[&vm]);
    let snapshot = pool.text("Async.VM.snapshot", &[&vm, "later"]);
    pool.pass(2900);
    assert_eq!(pool.text("task.get_status", &[&snapshot]), "pending");
    pool.pass(100);
    assert_eq!(pool.text("task.get_status", &[&suspend]), "success");
    pool.pass(10_000);
    assert_eq!(pool.text("task.get_status", &[&snapshot]), "success");
}

#[test]
fn user_tasks() {
    let mut pool = Pool::new();
    let task = pool.text("task.create", &["mine", "a description"]);
    assert_eq!(pool.text("task.get_name_description", &[&task]), "a description");
    pool.call("task.set_progress", &[task.as_str().into(), 0.25.into()]).unwrap();
    assert_eq!(pool.ask("task.get_progress", &[&task]), Ok(Value::Double(0.25)));
    pool.ask("task.set_status", &[&task, "success"]).unwrap();
    assert_eq!(pool.text("task.get_status", &[&task]), "success");
    let other = pool.text("task.create", &["root's", ""]);
    pool.session = pool.login("vm-operator");
    assert_eq!(pool.ask("task.cancel", &[&other]).unwrap_err().code, "RBAC_PERMISSION_DENIED");
}

#[test]
fn finished_tasks_are_swept() {
    let mut pool = Pool::new();
    let vm = pool.vm("Running");
    let task = async_start(&mut pool, &vm);
    pool.pass(64 * 60 * 1000);
    assert!(pool.ask("task.get_status", &[&task]).is_ok());
    pool.pass(3 * 60 * 1000);
    assert!(pool.ask("task.get_status", &[&task]).is_err());
}

#[test]
fn what_takes_no_time_waits_for_its_turn_as_well() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let snapshot = pool.text("Async.VM.snapshot", &[&vm, "first"]);
    let params = [pool.session.as_str().into(), vm.as_str().into()];
    let Handled::Pending(destroying) = pool.handle("VM.destroy", &params) else { panic!("the VM is busy") };
    let during = pool.refs("task.get_by_name_label", &["VM.destroy"]);
    assert_eq!(during.len(), 1);
    assert_eq!(pool.text("task.get_status", &[&during[0]]), "pending");
    assert_eq!(pool.wait(destroying), Ok(Value::VOID));
    assert_eq!(pool.text("task.get_status", &[&snapshot]), "success");
    assert_eq!(pool.ask("VM.get_record", &[&vm]).unwrap_err().code, "HANDLE_INVALID");
    assert!(pool.refs("task.get_by_name_label", &["VM.destroy"]).is_empty());
}

#[test]
fn a_call_that_waits_can_be_cancelled() {
    let mut pool = Pool::new();
    let vm = pool.vm("Running");
    pool.text("Async.VM.suspend", &[&vm]);
    let waiting = pool.text("Async.VM.snapshot", &[&vm, "never"]);
    pool.ask("task.cancel", &[&waiting]).unwrap();
    assert_eq!(pool.refs("task.get_error_info", &[&waiting]), ["TASK_CANCELLED", &waiting]);
    pool.pass(60_000);
    assert!(pool.refs("VM.get_by_name_label", &["never"]).is_empty());
}

#[test]
fn too_many_that_wait_are_too_many() {
    let mut pool = Pool::new();
    let vm = pool.vm("Running");
    pool.text("Async.VM.suspend", &[&vm]);
    for number in 0..100 {
        let task = pool.text("Async.VM.snapshot", &[&vm, &alloc::format!("s{number}")]);
        assert_eq!(pool.text("task.get_status", &[&task]), "pending");
    }
    assert_eq!(pool.ask("VM.snapshot", &[&vm, "one more"]).unwrap_err(), failure("TOO_MANY_PENDING_TASKS", &[]));
}

#[test]
fn every_call_with_an_async_form_has_a_task_that_events_do_not_show_when_it_is_short() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let token = pool.text("event.inject", &["VM", &vm]);
    pool.ask("VM.get_possible_hosts", &[&vm]).unwrap();
    let params = [Value::Array(vec!["task".into()]), token.as_str().into(), 0.2.into()];
    let batch = pool.call("event.from", &params).unwrap();
    assert_eq!(batch.as_struct().unwrap().get("events"), Some(&Value::Array(vec![])));
    // It took its place in the history all the same.
    let later = pool.text("event.inject", &["VM", &vm]);
    let rows = |token: &str| token.split_once(',').unwrap().0.parse::<u64>().unwrap();
    assert!(rows(&later) > rows(&token) + 2, "{token} {later}");
}

#[test]
fn tasks_belong_to_sessions_and_users() {
    let mut pool = Pool::new();
    let (one, two, other) = (pool.login("vm-operator"), pool.login("vm-operator"), pool.login("vm-admin"));
    pool.session = one;
    let task = pool.text("task.create", &["mine", ""]);
    pool.session = two;
    assert_eq!(pool.call("task.set_progress", &[task.as_str().into(), 0.5.into()]), Ok(Value::VOID));
    assert_eq!(pool.ask("task.add_to_other_config", &[&task, "k", "v"]), Ok(Value::VOID));
    pool.session = other;
    let denied = |refused: Failure| (refused.code == "RBAC_PERMISSION_DENIED").then(|| refused.params[0].clone());
    for refused in [
        pool.ask("task.cancel", &[&task]),
        pool.ask("task.destroy", &[&task]),
        pool.ask("task.set_status", &[&task, "success"]),
        pool.call("task.set_progress", &[task.as_str().into(), 0.7.into()]),
        pool.ask("task.set_result", &[&task, "x"]),
        pool.ask("task.add_to_other_config", &[&task, "l", "v"]),
    ] {
        assert_eq!(denied(refused.unwrap_err()).as_deref(), Some("task.destroy/any"));
    }
    // Everybody may look.
    assert_eq!(pool.ask("task.get_progress", &[&task]), Ok(Value::Double(0.5)));
    pool.session = pool.login("pool-operator");
    assert_eq!(pool.ask("task.set_status", &[&task, "success"]), Ok(Value::VOID));
    assert_eq!(pool.ask("task.destroy", &[&task]), Ok(Value::VOID));
}

#[test]
fn a_user_task_that_is_destroyed_early_goes_after_its_end() {
    let mut pool = Pool::new();
    let task = pool.text("task.create", &["mine", ""]);
    pool.ask("task.destroy", &[&task]).unwrap();
    let operations = pool.ask("task.get_current_operations", &[&task]).unwrap();
    assert_eq!(operations.as_struct().unwrap().iter().next().map(|(_, it)| it.clone()), Some("destroy".into()));
    pool.ask("task.set_status", &[&task, "success"]).unwrap();
    pool.pass(31_000);
    assert_eq!(pool.ask("task.get_status", &[&task]).unwrap_err().code, "HANDLE_INVALID");
}

#[test]
fn headers_of_the_request_are_kept_in_the_task() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let params = vec![pool.session.as_str().into(), vm.into(), "new".into()];
    let call = RawCall { method: "Async.VM.clone".into(), params };
    let tags = [(String::from("who"), String::from("me"))];
    let Handled::Done(Outcome::Value(task)) = pool.sim.handle_tagged(call, Origin::Tcp, &tags, pool.now) else {
        panic!("no task")
    };
    let config = pool.call("task.get_other_config", &[task]).unwrap();
    assert_eq!(config.as_struct().unwrap().get("http:who"), Some(&"me".into()));
}

#[test]
fn finished_tasks_beyond_two_hundred_go_the_oldest_first() {
    let mut pool = Pool::new();
    let vm = pool.vm("Running");
    let tasks: Vec<String> = (0..230)
        .map(|_| {
            pool.now = pool.now + Millis(1000);
            async_start(&mut pool, &vm)
        })
        .collect();
    pool.pass(31_000);
    assert_eq!(pool.refs("task.get_all", &[]).len(), 200);
    assert!(pool.ask("task.get_status", &[&tasks[0]]).is_err() && pool.ask("task.get_status", &[&tasks[229]]).is_ok());
}
