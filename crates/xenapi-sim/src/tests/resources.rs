//! Random lives: whatever happens, the memory of the hosts adds up, and nothing is left hanging.

use super::*;
use crate::random::Random;
use crate::tests::generated::{check_consistent, check_types};

/// Whether what hosts have left is what their VMs do not use.
fn check_memory(sim: &Sim) {
    let store = &sim.store;
    for host in store.all("host") {
        let of = host.as_str();
        let metrics = store.text("host", of, "metrics");
        let used = |vm: &xenapi_core::RawRef| {
            let actual = store.int("VM_metrics", store.text("VM", vm.as_str(), "metrics"), "memory_actual");
            actual + store.int("VM", vm.as_str(), "memory_overhead")
        };
        let vms: i64 = store.refs("host", of, "resident_VMs").iter().map(used).sum();
        let (total, free) =
            (store.int("host_metrics", metrics, "memory_total"), store.int("host_metrics", metrics, "memory_free"));
        assert_eq!(total - free, store.int("host", of, "memory_overhead") + vms, "{}", store.text("host", of, "name_label"));
    }
}

/// Whether power states, places, domains, consoles and devices of VMs go together.
fn check_vms(sim: &Sim) {
    let store = &sim.store;
    for vm in store.all("VM") {
        let of = vm.as_str();
        let power = store.text("VM", of, "power_state");
        let is_up = matches!(power, "Running" | "Paused");
        let name = store.text("VM", of, "name_label");
        assert_eq!(!store.reference("VM", of, "resident_on").is_null(), is_up, "{name} is {power}");
        assert_eq!(store.int("VM", of, "domid") >= 0, is_up, "{name} is {power}");
        assert!(store.reference("VM", of, "scheduled_to_be_resident_on").is_null(), "{name} is {power}");
        assert_eq!(store.contains("VDI", store.text("VM", of, "suspend_VDI")), power == "Suspended", "{name} is {power}");
        if store.flag("VM", of, "is_control_domain") {
            continue;
        }
        assert_eq!(store.refs("VM", of, "consoles").len(), usize::from(is_up), "{name} is {power}");
        for (class, field) in [("VBD", "VBDs"), ("VIF", "VIFs")] {
            for device in store.refs("VM", of, field) {
                let attached = store.flag(class, device.as_str(), "currently_attached");
                assert!(attached || power != "Running", "a {class} of {name} is not attached");
                assert!(!attached || power != "Halted", "a {class} of {name} is attached");
            }
        }
    }
    for class in ["VM", "host", "VBD", "VIF", "VDI", "pool"] {
        for object in store.all(class) {
            let current = store.value(class, object.as_str(), "current_operations").and_then(Value::as_struct);
            assert!(current.is_none_or(|current| current.is_empty()), "{class}: {current:?}");
        }
    }
}

/// Lets everything end that is under way.
fn settle(pool: &mut Pool) {
    for _ in 0..10 {
        pool.pass(1_800_000);
    }
    check_memory(&pool.sim);
    check_vms(&pool.sim);
    check_consistent(&pool.sim);
    check_types(&pool.sim);
}

/// A random call about a VM; whether it succeeds does not matter.
fn disturb(pool: &mut Pool, random: &mut Random, vms: &[String], hosts: &[String]) {
    const PLAIN: [&str; 10] = [
        "clean_shutdown",
        "hard_shutdown",
        "suspend",
        "pause",
        "unpause",
        "hard_reboot",
        "clean_reboot",
        "shutdown",
        "restart_device_models",
        "provision",
    ];
    let (vm, host) = (random.pick(vms).clone(), random.pick(hosts).clone());
    let (vm, host) = (Value::from(vm), Value::from(host));
    let none = || Value::from(false);
    let (method, params) = match random.below(26) {
        0..=9 => {
            let operation = *random.pick(&PLAIN);
            (alloc::format!("Async.VM.{operation}"), Vec::from([vm]))
        }
        10..=14 => ("Async.VM.start".into(), Vec::from([vm, (random.below(4) == 0).into(), none()])),
        15 | 16 => ("Async.VM.resume".into(), Vec::from([vm, none(), none()])),
        17 => ("Async.VM.start_on".into(), Vec::from([vm, host, none(), none()])),
        18 | 19 => ("Async.VM.pool_migrate".into(), Vec::from([vm, host, Value::empty_struct()])),
        20 => ("Async.VM.checkpoint".into(), Vec::from([vm, "point".into()])),
        21 => ("Async.host.evacuate".into(), Vec::from([host])),
        22 => {
            let method = *random.pick(&["host.disable", "host.enable", "host.enable"]);
            (String::from(method), Vec::from([host]))
        }
        23 => {
            let max = pool.sim.store.int("VM", vm.as_text().unwrap(), "memory_static_max");
            let half = Value::Int(max / 2);
            ("VM.set_memory_dynamic_range".into(), Vec::from([vm, half, Value::Int(max)]))
        }
        _ => {
            let tasks = pool.refs("task.get_all", &[]);
            let Some(task) = tasks.last() else { return };
            ("task.cancel".into(), Vec::from([task.as_str().into()]))
        }
    };
    let _ = pool.call(&method, &params);
}

#[test]
fn memory_adds_up_whatever_happens_to_vms() {
    for seed in 1..=3 {
        let mut pool = Pool::with(&Config { vms: 30, seed, ..Config::default() });
        let mut random = Random::new(seed);
        let expr = "field \"is_a_template\" = \"false\" and field \"is_control_domain\" = \"false\"";
        let (vms, hosts) = (pool.refs("VM.get_all_where", &[expr]), pool.refs("host.get_all", &[]));
        check_memory(&pool.sim);
        for _ in 0..6 {
            for _ in 0..60 {
                disturb(&mut pool, &mut random, &vms, &hosts);
                let time = random.below(2500) as u64;
                pool.pass(time);
            }
            settle(&mut pool);
        }
    }
}

#[test]
fn memory_adds_up_whatever_happens_to_hosts() {
    for seed in 4..=6 {
        let mut pool = Pool::with(&Config { vms: 30, seed, ..Config::default() });
        let mut random = Random::new(seed);
        let expr = "field \"is_a_template\" = \"false\" and field \"is_control_domain\" = \"false\"";
        let (vms, hosts) = (pool.refs("VM.get_all_where", &[expr]), pool.refs("host.get_all", &[]));
        if seed == 5 {
            pool.call("pool.enable_ha", &[Value::Array(Vec::new()), Value::empty_struct()]).unwrap();
            for vm in &vms {
                let _ = pool.ask("VM.set_ha_restart_priority", &[vm, "restart"]);
            }
        }
        let uuids: Vec<String> = hosts.iter().map(|host| pool.text("host.get_uuid", &[host])).collect();
        for round in 0..8 {
            for _ in 0..20 {
                disturb(&mut pool, &mut random, &vms, &hosts);
                let time = random.below(2500) as u64;
                pool.pass(time);
            }
            // The master stays, so that the session does.
            let (victim, now) = (&uuids[1 + round % 2], pool.now);
            pool.sim.host_fails(victim, now);
            for _ in 0..10 {
                disturb(&mut pool, &mut random, &vms, &hosts);
                let time = random.below(120_000) as u64;
                pool.pass(time);
            }
            let now = pool.now;
            pool.sim.host_returns(victim, now);
            settle(&mut pool);
        }
    }
}
