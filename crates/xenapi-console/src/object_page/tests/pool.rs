//! Simulated pools as a console has them.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::lean;
use xenapi_client::Cache;
use xenapi_core::{Class, Method, Millis, RawCall, RawRef, Ref, Value, ValueReader};
use xenapi_model::{VM, VmKind, vm};
use xenapi_sim::{Config, Handled, Origin, Outcome, Scenario, Sim};

/// A simulated pool and a session.
pub(super) struct Pool {
    sim: Sim,
    session: Value,
    now: u64,
}

impl Pool {
    pub(super) fn new(hosts: usize, vms: usize) -> Pool {
        Pool::of(&Config { hosts, vms, ..Config::default() })
    }

    /// A pool with which nothing is wrong.
    pub(super) fn sound() -> Pool {
        Pool::of(&Config::of(Scenario::BranchOffice))
    }

    fn of(config: &Config) -> Pool {
        let mut sim = Sim::new(config);
        let params = Vec::from(["root".into(), xenapi_sim::PASSWORD.into()]);
        let login = RawCall { method: "session.login_with_password".into(), params };
        let Handled::Done(Outcome::Value(session)) = sim.handle(login, Origin::Tcp, Millis(0)) else { panic!("no session") };
        Pool { sim, session, now: 1 }
    }

    /// Calls, and waits for the answer in simulated time.
    pub(super) fn call(&mut self, method: &str, params: impl IntoIterator<Item = Value>) -> Value {
        let params = core::iter::once(self.session.clone()).chain(params).collect();
        let call = RawCall { method: method.to_string(), params };
        self.now += 1;
        let outcome = match self.sim.handle(call, Origin::Tcp, Millis(self.now)) {
            Handled::Done(outcome) => outcome,
            Handled::Pending(id) => loop {
                self.now = self.sim.next_deadline().map_or(self.now + 1, |at| at.0.max(self.now + 1));
                if let Some((_, outcome)) = self.sim.poll(Millis(self.now)).into_iter().find(|(it, _)| *it == id) {
                    break outcome;
                }
            },
        };
        match outcome {
            Outcome::Value(value) => value,
            Outcome::Shared(shared) => shared.to_value(),
            other => panic!("{method}: {other:?}"),
        }
    }

    /// Everything that a console keeps, loaded anew.
    pub(super) fn cache(&mut self) -> Cache {
        let mut cache = Cache::new();
        cache.track_console();
        let classes: Vec<&'static str> = cache.classes().map(|class| class.name).collect();
        for class in classes {
            let all = self.call(&[class, ".get_all_records"].concat(), []);
            cache.load_records(class, &mut ValueReader::new(&all)).unwrap();
        }
        cache
    }

    /// The same as a console gets it from the proxy: without the fields that no list looks at, and without what is at its default.
    pub(super) fn lean_cache(&mut self) -> Cache {
        let mut cache = Cache::new();
        cache.track_console();
        for lean in lean::CLASSES.iter().filter(|lean| cache.tracks(lean.class)).collect::<Vec<_>>() {
            let desc = xenapi_model::class(lean.class).unwrap();
            let all = self.call(&[lean.class, ".get_all_records"].concat(), []);
            let thin = |record: &Value| -> Value {
                let is_worth = |name: &str, value: &Value| {
                    lean.keeps(name) && desc.field(name).is_some_and(|field| field.default_value() != *value)
                };
                let members = record.as_struct().unwrap().iter().filter(|(name, value)| is_worth(name, value));
                Value::Struct(members.map(|(name, value)| (name.to_string(), value.clone())).collect())
            };
            let records = all.as_struct().unwrap().iter().map(|(reference, record)| (reference.to_string(), thin(record)));
            let all = Value::Struct(records.collect());
            cache.load_records(lean.class, &mut ValueReader::new(&all)).unwrap();
        }
        cache
    }

    pub(super) fn record(&mut self, class: &'static str, reference: &RawRef) -> Value {
        let method = Method::find(xenapi_model::class(class).unwrap(), "get_record").unwrap();
        self.call(&method.name(), [Value::from(reference)])
    }
}

/// The VMs that people run, with their records.
pub(super) fn vms(cache: &Cache) -> Vec<(Ref<VM>, vm::Record)> {
    cache.iter::<VM>().filter(|(_, vm)| vm.kind() == VmKind::Vm).map(|(it, vm)| (it, (**vm).clone())).collect()
}

/// Changes the record of an object, as an event would.
pub(super) fn change<C: Class>(cache: &mut Cache, reference: &Ref<C>, how: impl FnOnce(&mut C::Record)) {
    let mut record = (**cache.get(reference).unwrap()).clone();
    how(&mut record);
    cache.insert(reference.clone(), record);
}

/// A VM that runs, has an interface and a disk on a shared SR, and whose network is made of that stage.
pub(super) fn find_vm(cache: &Cache, wanted: impl Fn(&Ref<VM>, &vm::Record) -> bool) -> Ref<VM> {
    let found = vms(cache).into_iter().find(|(reference, vm)| wanted(reference, vm));
    found.map_or_else(|| panic!("no such VM: {}", names(cache)), |(reference, _)| reference)
}

fn names(cache: &Cache) -> String {
    vms(cache).iter().map(|(_, vm)| vm.name_label.clone()).collect::<Vec<_>>().join(", ")
}
