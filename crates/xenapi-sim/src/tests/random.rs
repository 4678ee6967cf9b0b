//! Random calls: a cache that follows the events is always the same as the pool.

use alloc::collections::BTreeMap;

use super::*;
use crate::random::Random;
use crate::tests::generated::{check_relations, check_types};

/// What a client knows, by class and reference.
#[derive(Default)]
struct Cache {
    objects: BTreeMap<(String, String), Value>,
    token: String,
}

impl Cache {
    /// Takes one batch in.
    fn follow(&mut self, pool: &mut Pool) {
        let params = [Value::Array(vec!["*".into()]), self.token.as_str().into(), 0.1.into()];
        let batch = pool.call("event.from", &params).unwrap();
        let batch = batch.as_struct().unwrap();
        for event in batch.get("events").unwrap().as_array().unwrap() {
            let event = event.as_struct().unwrap();
            let text = |name: &str| String::from(event.get(name).unwrap().as_text().unwrap());
            let key = (text("class"), text("ref"));
            match text("operation").as_str() {
                "add" => {
                    let old = self.objects.insert(key.clone(), event.get("snapshot").unwrap().clone());
                    assert!(old.is_none(), "{key:?} was added twice");
                }
                "mod" => {
                    let old = self.objects.insert(key.clone(), event.get("snapshot").unwrap().clone());
                    assert!(old.is_some(), "{key:?} changed before it was added");
                }
                _ => assert!(self.objects.remove(&key).is_some(), "{key:?} was deleted before it was added"),
            }
        }
        for (class, count) in batch.get("valid_ref_counts").unwrap().as_struct().unwrap().iter() {
            let own = self.objects.keys().filter(|(of, _)| of == class).count();
            let has_events = xenapi_model::class_of_event(class).unwrap().has_events;
            assert!(!has_events || count.as_int() == Some(i64::try_from(own).unwrap()), "{class}: {own}, not {count:?}");
        }
        self.token = batch.get("token").unwrap().as_text().unwrap().into();
    }

    /// Compares with what the pool says.
    fn check(&self, pool: &mut Pool) {
        for class in
            ["VM", "VBD", "VIF", "VDI", "SR", "host", "host_metrics", "console", "task", "network", "VM_metrics", "message"]
        {
            let records = pool.ask(&alloc::format!("{class}.get_all_records"), &[]).unwrap();
            let records = records.as_struct().unwrap();
            let of_class = class.to_lowercase();
            assert_eq!(self.objects.keys().filter(|(of, _)| *of == of_class).count(), records.len(), "{class}");
            for (reference, record) in records.iter() {
                let known = self.objects.get(&(of_class.clone(), reference.into()));
                assert_eq!(known, Some(record), "{class} {reference}");
            }
        }
    }
}

fn any_call(pool: &mut Pool, random: &mut Random) {
    let vms = pool.refs("VM.get_all", &[]);
    let vm = random.pick(&vms).clone();
    let methods = [
        "VM.clean_shutdown",
        "VM.hard_shutdown",
        "VM.shutdown",
        "VM.pause",
        "VM.unpause",
        "VM.suspend",
        "VM.clean_reboot",
        "VM.hard_reboot",
        "VM.destroy",
        "VM.clone",
        "VM.snapshot",
        "VM.start",
        "VM.resume",
        "VM.set_name_label",
        "VM.revert",
        "VM.provision",
        "VM.add_tags",
        "VM.remove_tags",
        "task.cancel",
        "task.destroy",
    ];
    let method = *random.pick(&methods);
    let is_async = random.below(2) == 0 && xenapi_model::method(method).is_some_and(|method| method.has_async());
    let name = if is_async { alloc::format!("Async.{method}") } else { method.into() };
    let mut params = vec![Value::from(pool.session.as_str()), vm.into()];
    match method {
        "VM.start" | "VM.resume" => params.extend([Value::Bool(random.below(3) == 0), false.into()]),
        "VM.clone" | "VM.snapshot" | "VM.set_name_label" | "VM.add_tags" | "VM.remove_tags" => {
            params.push(alloc::format!("name {}", random.below(4)).into());
        }
        "task.cancel" | "task.destroy" => {
            let tasks = pool.refs("task.get_all", &[]);
            if tasks.is_empty() {
                return;
            }
            params[1] = random.pick(&tasks).as_str().into();
        }
        _ => {}
    }
    match pool.handle(&name, &params) {
        Handled::Pending(pending) if random.below(4) == 0 => pool.sim.abandon(pending),
        _ => {}
    }
    pool.pass(random.below(1500) as u64);
}

#[test]
fn a_cache_that_follows_is_right() {
    for seed in 0..6 {
        let mut pool = Pool::with(&Config { hosts: 2, vms: 10, seed, ..Config::default() });
        let (mut random, mut cache) = (Random::new(seed), Cache::default());
        for round in 0..150 {
            any_call(&mut pool, &mut random);
            if round % 5 == 0 {
                cache.follow(&mut pool);
            }
        }
        pool.pass(3_600_000);
        cache.follow(&mut pool);
        cache.check(&mut pool);
        check_life(&pool.sim);
    }
}

/// What holds of every VM however it got there.
fn check_life(sim: &Sim) {
    check_relations(sim);
    check_types(sim);
    for vm in sim.store.all("VM") {
        let of = vm.as_str();
        let runs = matches!(sim.store.text("VM", of, "power_state"), "Running" | "Paused");
        assert_eq!(!sim.store.reference("VM", of, "resident_on").is_null(), runs, "{vm}");
        assert_eq!(sim.store.int("VM", of, "domid") >= 0, runs, "{vm}");
        assert!(sim.store.value("VM", of, "current_operations").unwrap().as_struct().unwrap().is_empty(), "{vm}");
        assert!(sim.store.reference("VM", of, "scheduled_to_be_resident_on").is_null(), "{vm}");
        let is_suspended = sim.store.text("VM", of, "power_state") == "Suspended";
        assert_eq!(sim.store.contains("VDI", sim.store.text("VM", of, "suspend_VDI")), is_suspended, "{vm}");
    }
}

#[test]
fn no_call_with_random_parameters_panics() {
    let mut pool = Pool::new();
    let mut random = Random::new(42);
    let vm = pool.vm("Running");
    let methods: Vec<String> = xenapi_model::CLASSES
        .iter()
        .flat_map(|class| xenapi_core::Method::all(class))
        .map(|method| method.name())
        .filter(|name| !matches!(name.as_str(), "session.logout"))
        .collect();
    let session = pool.session.clone();
    let any = |random: &mut Random| -> Value {
        match random.below(10) {
            0 => Value::Int(i64::MIN),
            1 => Value::Int(i64::MAX),
            2 => true.into(),
            3 => f64::NAN.into(),
            4 => Value::Array(vec!["x".into(), "y".into()]),
            5 => Value::empty_struct(),
            6 => Value::Nil,
            7 => "OpaqueRef:NULL".into(),
            8 => "ä\u{0}".into(),
            _ => vm.as_str().into(),
        }
    };
    for method in &methods {
        let params = xenapi_model::method(method).unwrap().params();
        for round in 0..3 {
            let mut values = vec![Value::from(session.as_str())];
            // Of the right types at first, then of any.
            values.extend(params.iter().map(|param| match param.ty {
                xenapi_core::Type::Ref(class) if round < 2 => pool.sim.store.first(class).unwrap_or_default().into(),
                _ if round < 1 => param.ty.empty_value(),
                _ => any(&mut random),
            }));
            if let Handled::Pending(pending) = pool.handle(method, &values) {
                pool.sim.abandon(pending);
            }
            pool.pass(10);
        }
    }
    pool.pass(10_000_000);
    check_types(&pool.sim);
}
