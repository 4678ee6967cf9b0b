//! Tasks and `Async.` forms.

use super::*;

fn start(pool: &mut Pool, vm: &str) -> String {
    pool.text_of("Async.VM.start", &[vm.into(), false.into(), false.into()])
}

#[test]
fn a35_an_async_start_is_pending_and_then_a_success() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let task = start(&mut pool, &vm);
    assert_eq!(pool.text("task.get_name_label", &[&task]), "Async.VM.start");
    assert_eq!(pool.text("task.get_status", &[&task]), "pending");
    pool.pass(60_000);
    assert_eq!(pool.text("task.get_status", &[&task]), "success");
    assert_eq!(pool.text("task.get_result", &[&task]), "<value></value>");
    assert_eq!(pool.ask("task.get_progress", &[&task]), Ok(Value::Double(1.0)));
    assert_eq!(pool.text("task.get_type", &[&task]), "<none/>");
}

#[test]
fn a36_the_result_of_an_async_clone_is_the_new_vm() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let task = pool.text("Async.VM.clone", &[&vm, "a clone"]);
    pool.pass(600_000);
    let result = pool.text("task.get_result", &[&task]);
    let new = result.strip_prefix("<value>").and_then(|rest| rest.strip_suffix("</value>")).unwrap();
    assert!(new.starts_with("OpaqueRef:"), "{new}");
    assert_eq!(pool.text("VM.get_name_label", &[new]), "a clone");
}

#[test]
fn a37_getters_have_no_async_form() {
    let mut pool = Pool::new();
    let refused = pool.ask("Async.VM.get_all", &[]).unwrap_err();
    assert_eq!((refused.code.as_str(), refused.params.len()), ("Fault", 1));
    assert!(refused.params[0].contains("No async mode"), "{refused}");
}

#[test]
fn a38_a_wrong_power_state_ends_in_the_task() {
    let mut pool = Pool::new();
    let vm = pool.running();
    let task = start(&mut pool, &vm);
    pool.pass(1000);
    assert_eq!(pool.text("task.get_status", &[&task]), "failure");
    assert_eq!(pool.refs("task.get_error_info", &[&task]), ["VM_BAD_POWER_STATE", &vm, "halted", "running"]);
}

#[test]
fn a39_a_wrong_count_makes_no_task() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let before = pool.refs("task.get_all", &[]);
    let refused = pool.call("Async.VM.start", &[vm.as_str().into(), false.into()]).unwrap_err();
    assert_eq!(refused, failure("MESSAGE_PARAMETER_COUNT_MISMATCH", &["VM.start", "3", "2"]));
    assert_eq!(pool.refs("task.get_all", &[]), before);
}

#[test]
fn a40_a_synchronous_call_has_a_task_while_it_runs() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let params = [pool.session.as_str().into(), vm.as_str().into(), false.into(), false.into()];
    let Handled::Pending(pending) = pool.handle("VM.start", &params) else { panic!("it takes time") };
    let tasks = pool.ask("task.get_all_records", &[]).unwrap();
    let during: Vec<(&str, &str)> = tasks
        .as_struct()
        .unwrap()
        .iter()
        .map(|(_, task)| task.as_struct().unwrap())
        .map(|task| (task.get("name_label").unwrap().as_text().unwrap(), task.get("status").unwrap().as_text().unwrap()))
        .collect();
    assert!(during.contains(&("VM.start", "pending")), "{during:?}");
    assert_eq!(pool.wait(pending), Ok(Value::VOID));
    assert!(pool.refs("task.get_by_name_label", &["VM.start"]).is_empty());
}

#[test]
fn a41_cancelling_ends_what_is_pending_and_nothing_else() {
    let mut pool = Pool::new();
    let vm = pool.vm("Halted");
    let task = start(&mut pool, &vm);
    pool.pass(100);
    assert_eq!(pool.refs("task.get_allowed_operations", &[&task]), ["cancel"]);
    assert_eq!(pool.ask("task.cancel", &[&task]), Ok(Value::VOID));
    pool.pass(1000);
    assert_eq!(pool.text("task.get_status", &[&task]), "cancelled");
    assert_eq!(pool.refs("task.get_error_info", &[&task]), ["TASK_CANCELLED", &task]);
    assert_eq!(pool.text("VM.get_power_state", &[&vm]), "Halted");
    let finished = start(&mut pool, &vm);
    pool.pass(60_000);
    assert_eq!(pool.ask("task.cancel", &[&finished]), Ok(Value::VOID));
    assert_eq!(pool.text("task.get_status", &[&finished]), "success");
}
