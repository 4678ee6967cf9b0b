//! Questions that are answered a little at a time.

use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_model::{Host, PBD, PIF, SR, VM, vm::VmPowerState};

use super::sample;
use crate::impact::{Component, Inquiry, Prepared, SinglePoint, Survey, impact, single_points};

/// The points, found in steps of these budgets over and over.
fn in_steps(mut survey: Survey, budgets: &[usize]) -> Vec<SinglePoint> {
    let mut budgets = budgets.iter().cycle();
    while budgets.next().is_some_and(|budget| survey.step(*budget)) {}
    survey.points()
}

fn rename(cache: &mut Cache, at: usize, name: &str, power_state: Option<VmPowerState>) {
    let mut record = (**cache.get::<VM>(&sample::reference(at)).unwrap()).clone();
    record.name_label = name.into();
    record.power_state = power_state.unwrap_or(record.power_state);
    cache.insert::<VM>(sample::reference(at), record);
}

fn a_running_vm(cache: &Cache) -> usize {
    let vms = cache.count::<VM>();
    let is_running =
        |at: &usize| cache.get::<VM>(&sample::reference(*at)).is_some_and(|vm| vm.power_state == VmPowerState::Running);
    (0..vms * 20).find(is_running).unwrap()
}

#[test]
fn any_steps_find_the_same_points() {
    for (hosts, vms, seed) in [(1, 0, 1), (1, 7, 2), (4, 30, 2), (9, 120, 3)] {
        let cache = sample::pool(hosts, vms, seed);
        let at_once = single_points(&cache);
        for budgets in [&[1][..], &[2, 3, 5, 7], &[63], &[64, 65], &[1000, 1], &[usize::MAX]] {
            assert_eq!(in_steps(Survey::new(&cache), budgets), at_once, "{hosts} hosts, {budgets:?}");
            assert_eq!(in_steps(Survey::of(Prepared::new(&cache)), budgets), at_once, "{hosts} hosts, {budgets:?}");
        }
    }
    assert!(in_steps(Survey::new(&Cache::new()), &[1]).is_empty());
}

#[test]
fn a_survey_is_about_the_moment_of_its_beginning() {
    let mut cache = sample::pool(4, 30, 2);
    let then = single_points(&cache);
    assert!(!then.is_empty());
    let mut survey = Survey::new(&cache);
    survey.step(5);
    for host in cache.iter::<Host>().map(|(it, _)| it).collect::<Vec<_>>() {
        cache.remove(&host);
    }
    for sr in cache.iter::<SR>().map(|(it, _)| it).collect::<Vec<_>>() {
        cache.remove(&sr);
    }
    assert_eq!(in_steps(survey, &[11]), then);
    assert_ne!(single_points(&cache), then);
}

#[test]
fn a_survey_says_how_far_it_is() {
    let cache = sample::pool(4, 30, 2);
    let mut survey = Survey::new(&cache);
    assert!(survey.step(1) && survey.prepared().is_none());
    assert_eq!(survey.progress(), (0, 0));
    let (mut last, mut all) = (0, 0);
    while survey.step(50) {
        let (tried, of) = survey.progress();
        assert!(tried >= last && (all == 0 || of == all), "{tried} of {of} after {last} of {all}");
        (last, all) = (tried, of);
        assert_eq!(survey.prepared().is_some(), of > 0);
    }
    assert_eq!(survey.progress(), (all, all));
    assert!(survey.prepared().unwrap().is_same(&Prepared::new(&cache)));
}

#[test]
fn an_answer_in_steps_is_the_same() {
    let cache = sample::pool(6, 80, 5);
    let pool = Prepared::new(&cache);
    let hosts = cache.iter::<Host>().take(2).map(|(it, _)| Component::Host(it));
    let pifs = cache.iter::<PIF>().map(|(it, _)| Component::Pif(it));
    let pbds = cache.iter::<PBD>().map(|(it, _)| Component::Pbd(it));
    for part in hosts.chain(pifs).chain(pbds) {
        let failing = Vec::from([part, Component::Sr(cache.iter::<SR>().next().unwrap().0)]);
        let mut inquiry = Inquiry::new(pool.clone(), failing.clone());
        while inquiry.step(7) {}
        assert_eq!(inquiry.finish(&cache), impact(&cache, &failing), "{failing:?}");
    }
}

#[test]
fn what_changes_no_answer_makes_no_other_pool() {
    let mut cache = sample::pool(4, 30, 2);
    let before = Prepared::new(&cache);
    let vm = a_running_vm(&cache);
    rename(&mut cache, vm, "another name", None);
    assert!(Prepared::new(&cache).is_same(&before));
    rename(&mut cache, vm, "another name", Some(VmPowerState::Halted));
    assert!(!Prepared::new(&cache).is_same(&before));
}
