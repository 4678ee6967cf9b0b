//! Pools that look as if somebody used them.

use super::generated::{check_consistent, check_types};
use super::*;
use crate::life::TAG;

/// How often each event came within a while, by class.
fn watch(pool: &mut Pool, seconds: u64) -> alloc::collections::BTreeMap<String, usize> {
    let from = |pool: &mut Pool, token: &str| {
        let params = [Value::Array(vec!["*".into()]), token.into(), 0.0.into()];
        pool.call("event.from", &params).unwrap()
    };
    let mut batch = from(pool, "");
    let mut counts = alloc::collections::BTreeMap::new();
    for _ in 0..seconds {
        pool.pass(1000);
        let token = batch.as_struct().unwrap().get("token").unwrap().as_text().unwrap().to_owned();
        batch = from(pool, &token);
        for event in batch.as_struct().unwrap().get("events").unwrap().as_array().unwrap() {
            let class = event.as_struct().unwrap().get("class").unwrap().as_text().unwrap();
            *counts.entry(class.into()).or_insert(0) += 1;
        }
    }
    counts
}

#[test]
fn a_pool_lives_and_stays_consistent() {
    let mut pool = Pool::new();
    assert_eq!(pool.sim.live(600, pool.now), 8, "a third of 24 VMs");
    let before = pool.ask("VM.get_all_records", &[]).unwrap();
    let counts = watch(&mut pool, 300);
    for class in ["vm", "vdi", "sr", "vm_metrics", "task", "message"] {
        assert!(counts.get(class).is_some_and(|count| *count > 5), "{class} in {counts:?}");
    }
    check_consistent(&pool.sim);
    check_types(&pool.sim);
    // Who has not the tag was not touched.
    let after = pool.ask("VM.get_all_records", &[]).unwrap();
    for (reference, record) in before.as_struct().unwrap().iter() {
        let field = |record: &Value, name: &str| record.as_struct().unwrap().get(name).cloned();
        let is_lively = field(record, "tags").unwrap().as_array().unwrap().iter().any(|tag| tag.as_text() == Some(TAG));
        let Some(now) = after.as_struct().unwrap().get(reference) else { panic!("{reference} is gone") };
        if !is_lively {
            assert_eq!(field(record, "power_state"), field(now, "power_state"), "{reference}");
            assert_eq!(field(record, "resident_on"), field(now, "resident_on"), "{reference}");
            assert_eq!(field(record, "snapshots"), field(now, "snapshots"), "{reference}");
        }
    }
}

#[test]
fn the_same_seed_lives_the_same_life() {
    let run = || {
        let mut pool = Pool::new();
        pool.sim.live(1200, pool.now);
        pool.pass(120_000);
        let mut all = Vec::new();
        for class in ["VM", "VDI", "message", "task"] {
            all.push(pool.ask(&alloc::format!("{class}.get_all_records"), &[]).unwrap());
        }
        all
    };
    assert_eq!(run(), run());
}

#[test]
fn life_ends_and_spares_who_loses_the_tag() {
    let mut pool = Pool::new();
    pool.sim.live(6000, pool.now);
    let expr = alloc::format!("contains(field \"tags\", \"{TAG}\")");
    let lively = pool
        .refs("VM.get_all_where", &["true"])
        .into_iter()
        .filter(|vm| pool.refs("VM.get_tags", &[vm]).contains(&TAG.into()));
    let lively: Vec<String> = lively.collect();
    assert!(!lively.is_empty(), "{expr}");
    for vm in &lively {
        pool.ask("VM.remove_tags", &[vm, TAG]).unwrap();
    }
    // What was under way ends.
    pool.pass(600_000);
    assert_eq!(watch(&mut pool, 20).get("vm"), None);
    assert_eq!(pool.sim.live(0, pool.now), 0);
    assert_eq!(watch(&mut pool, 20).len(), 0);
}

#[test]
fn a_hundred_changes_a_second_are_a_load() {
    let mut pool = Pool::new();
    pool.sim.live(6000, pool.now);
    let counts = watch(&mut pool, 20);
    assert!(counts.values().sum::<usize>() > 600, "{counts:?}");
}
