//! Calls as tasks, against the simulated pool.
#![allow(clippy::unwrap_used)]

use xenapi_client::{Cache, Error, Ticket};
use xenapi_codec::{Limits, xmlrpc};
use xenapi_core::{Millis, ReadError, Ref, Wire};
use xenapi_model::vm::VmPowerState;
use xenapi_model::{Task, VM, VmKind, vm};
use xenapi_sim::{Config, Sim};
use xenapi_testkit::Pair;

fn read<R: Wire>(text: &str) -> Result<R, ReadError> {
    xmlrpc::read_value_as(text, &Limits::reply(), R::read)
}

fn vm_that(pair: &Pair, state: &VmPowerState) -> Ref<VM> {
    let mut vms = pair.client.cache().iter::<VM>();
    vms.find(|(_, vm)| vm.kind() == VmKind::Vm && vm.power_state == *state).map(|(reference, _)| reference).unwrap()
}

fn submit<R: Wire + Send + 'static>(pair: &mut Pair, call: xenapi_core::Call<R>) -> Ticket<R> {
    pair.client.submit_task(call, read::<R>, pair.now())
}

#[test]
fn a_vm_starts_as_a_task_that_events_follow_and_nothing_of_it_remains() {
    let mut pair = Pair::live();
    let this = vm_that(&pair, &VmPowerState::Halted);
    let ticket = submit(&mut pair, vm::start(&this, false, false));
    assert_eq!(pair.result(&ticket), Ok(()));
    pair.pass(Millis::from_secs(1));
    assert_eq!(pair.client.cache().get(&this).unwrap().power_state, VmPowerState::Running);
    assert_eq!(pair.client.cache().count::<Task>(), 0, "the task was destroyed");
    assert!(pair.log.progress.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", pair.log.progress);
}

#[test]
fn the_result_of_a_task_is_typed() {
    let mut pair = Pair::live();
    let this = vm_that(&pair, &VmPowerState::Halted);
    let ticket = submit(&mut pair, vm::clone(&this, "the copy"));
    let copy = pair.result(&ticket).unwrap();
    pair.pass(Millis::from_secs(1));
    assert_eq!(pair.client.cache().get(&copy).unwrap().name_label, "the copy");
}

#[test]
fn a_task_that_fails_brings_the_servers_refusal() {
    let mut pair = Pair::live();
    let this = vm_that(&pair, &VmPowerState::Running);
    let ticket = submit(&mut pair, vm::start(&this, false, false));
    let Err(Error::Failure(failure)) = pair.result(&ticket) else { panic!("a running VM was started") };
    assert_eq!((failure.code.as_str(), failure.param(0)), ("VM_BAD_POWER_STATE", this.as_str()));
    pair.pass(Millis::from_secs(1));
    assert_eq!(pair.client.cache().count::<Task>(), 0);
}

#[test]
fn without_events_a_task_is_asked_after() {
    let mut pair = Pair::new(Pair::config(), Cache::new(), Sim::new(&Config::default()));
    pair.client.login(pair.now());
    let all = pair.call(xenapi_core::get_all_records::<VM>()).unwrap();
    let halted = |vm: &vm::Record| vm.kind() == VmKind::Vm && vm.power_state == VmPowerState::Halted;
    let this = all.records.into_iter().find(|(_, vm)| halted(vm)).unwrap().0;
    let ticket = submit(&mut pair, vm::start(&this, false, false));
    assert_eq!(pair.result(&ticket), Ok(()));
    assert!(pair.log.sent.iter().any(|method| method == "task.get_record"));
    pair.pass(Millis::from_secs(1));
    assert_eq!(pair.call(xenapi_core::get_all::<Task>()), Ok(Vec::new()));
}

#[test]
fn a_task_outlives_an_outage() {
    let mut pair = Pair::live();
    let this = vm_that(&pair, &VmPowerState::Halted);
    let ticket = submit(&mut pair, vm::start(&this, false, false));
    pair.pass(Millis(60));
    pair.network.is_silent = true;
    pair.pass(Millis::from_secs(20));
    assert!(pair.client.take(&ticket).is_none());
    pair.network.heal();
    assert_eq!(pair.result(&ticket), Ok(()));
}
