//! Random calls of every message: whatever they answer, the pool stays whole.

use xenapi_core::{Member, Method, RawRef, Type};

use super::coverage::{plausible, small};
use super::*;
use crate::random::Random;
use crate::tests::generated::{check_relations, check_types};

/// A value of a type that may be odd: any object, any word.
fn random_value(sim: &Sim, random: &mut Random, name: &str, ty: &Type) -> Value {
    match ty {
        Type::Ref(class) => match random.below(12) {
            0 => RawRef::null().into(),
            1 => "OpaqueRef:nowhere".into(),
            _ => {
                let all = sim.store.all(class);
                if all.is_empty() { RawRef::null().into() } else { random.pick(&all).into() }
            }
        },
        Type::Enum(desc) => Value::from(*random.pick(desc.values)),
        Type::Set(item) => {
            let count = random.below(3);
            Value::Array((0..count).map(|_| random_value(sim, random, name, item)).collect())
        }
        Type::Bool => Value::Bool(random.below(2) == 0),
        Type::Int if random.below(3) > 0 => Value::Int(*random.pick(&[0, -1, i64::MAX, i64::MIN, 1 << 40])),
        Type::Option(inner) => random_value(sim, random, name, inner),
        _ => plausible(sim, name, ty),
    }
}

/// What is counted of repositories is what their disks say.
fn check_sums(sim: &Sim) {
    for sr in sim.store.all("SR") {
        let of = sr.as_str();
        let sum = |field| -> i64 {
            sim.store.refs("SR", of, "VDIs").iter().map(|vdi| sim.store.int("VDI", vdi.as_str(), field)).sum()
        };
        let allocated = sim.store.int("SR", of, "virtual_allocation");
        assert!(allocated < 0 || allocated == sum("virtual_size"), "{of}: {allocated}, not {}", sum("virtual_size"));
        // What was forgotten still takes room.
        let used = sim.store.int("SR", of, "physical_utilisation");
        assert!(used < 0 || used >= sum("physical_utilisation"), "{of}: {used}");
    }
}

/// Messages that would end the test, or the session in which it is done.
const FINAL: &[&str] = &["session.logout", "session.logout_subject_identifier", "host.restart_agent", "pool.eject"];

#[test]
fn random_calls_of_every_message_leave_the_pool_whole() {
    for seed in 1..=4 {
        let mut random = Random::new(seed);
        let mut pool = small();
        let all = xenapi_model::CLASSES.iter().flat_map(|class| Method::all(class));
        let all: Vec<Method> = all
            .filter(|method| match method.member {
                Member::Explicit(_) => !FINAL.contains(&method.name().as_str()),
                Member::Destroy => true,
                _ => false,
            })
            .collect();
        for step in 0..1500 {
            let method = *random.pick(&all);
            let mut params = Vec::new();
            if method.takes_session() {
                params.push(Value::from(pool.session.as_str()));
            }
            params.extend(method.params().iter().map(|param| random_value(&pool.sim, &mut random, param.name, &param.ty)));
            let name = method.name();
            let name = if method.has_async() && random.below(2) == 0 { alloc::format!("Async.{name}") } else { name };
            pool.handle(&name, &params);
            pool.pass(random.next() % 4000);
            if pool.ask("session.get_all", &[]).is_err() {
                pool.sim.befall(crate::Incident::Emergency(None), pool.now).unwrap();
                pool.pass(600_000);
                pool.session = pool.login("root");
            }
            if step % 100 == 0 {
                check_relations(&pool.sim);
                check_types(&pool.sim);
                check_sums(&pool.sim);
            }
        }
        pool.pass(3_600_000);
        check_relations(&pool.sim);
        check_types(&pool.sim);
        check_sums(&pool.sim);
    }
}
