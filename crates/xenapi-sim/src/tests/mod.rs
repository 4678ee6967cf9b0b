//! Named after the checks of the protocol reference that they make, where there is one.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod assertions;
mod background;
mod big;
mod calls;
mod coverage;
mod database;
mod devices;
mod events;
mod every;
mod generated;
mod hosts;
mod incidents;
mod life;
mod members;
mod networks;
mod operations;
mod random;
mod records;
mod resources;
mod sessions;
mod settings;
mod soak;
mod storage;
mod tasks;

use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{Failure, Millis, RawCall, Value};

use crate::{Config, Handled, Origin, Outcome, PASSWORD, Sim};

/// A pool with a session and a clock.
struct Pool {
    sim: Sim,
    session: String,
    now: Millis,
}

fn failure(code: &str, params: &[&str]) -> Failure {
    Failure::new(code, params.iter().copied())
}

impl Pool {
    fn new() -> Pool {
        Pool::with(&Config::default())
    }

    fn with(config: &Config) -> Pool {
        let mut pool = Pool { sim: Sim::new(config), session: String::new(), now: Millis(0) };
        pool.session = pool.login("root");
        pool
    }

    fn login(&mut self, user: &str) -> String {
        let value = self.raw("session.login_with_password", &[user.into(), PASSWORD.into()]).unwrap();
        value.as_text().unwrap().into()
    }

    fn handle(&mut self, method: &str, params: &[Value]) -> Handled {
        let call = RawCall { method: method.into(), params: params.to_vec() };
        self.sim.handle(call, Origin::Tcp, self.now)
    }

    /// A call as it is; waits for the answer.
    fn raw(&mut self, method: &str, params: &[Value]) -> Result<Value, Failure> {
        let pending = match self.handle(method, params) {
            Handled::Done(outcome) => return unwrap(outcome),
            Handled::Pending(pending) => pending,
        };
        self.wait(pending)
    }

    /// Lets time pass until a call is answered.
    fn wait(&mut self, pending: crate::PendingId) -> Result<Value, Failure> {
        loop {
            let due = self.sim.next_deadline().expect("something is under way");
            self.now = self.now.max(due);
            for (id, outcome) in self.sim.poll(self.now) {
                if id == pending {
                    return unwrap(outcome);
                }
            }
        }
    }

    /// A call within the session.
    fn call(&mut self, method: &str, params: &[Value]) -> Result<Value, Failure> {
        let mut all = Vec::from([Value::from(self.session.as_str())]);
        all.extend_from_slice(params);
        self.raw(method, &all)
    }

    /// A call within the session whose parameters are texts.
    fn ask(&mut self, method: &str, params: &[&str]) -> Result<Value, Failure> {
        let params: Vec<Value> = params.iter().map(|text| Value::from(*text)).collect();
        self.call(method, &params)
    }

    fn text(&mut self, method: &str, params: &[&str]) -> String {
        self.ask(method, params).unwrap().as_text().unwrap().into()
    }

    fn flag(&mut self, method: &str, params: &[&str]) -> bool {
        self.ask(method, params).unwrap().as_bool().unwrap()
    }

    fn refs(&mut self, method: &str, params: &[&str]) -> Vec<String> {
        let value = self.ask(method, params).unwrap();
        value.as_array().unwrap().iter().map(|item| item.as_text().unwrap().into()).collect()
    }

    fn pass(&mut self, milliseconds: u64) {
        self.now = self.now + Millis(milliseconds);
        self.sim.poll(self.now);
    }

    /// A VM that is none of the other things, in that power state.
    fn vm(&mut self, power: &str) -> String {
        let expr = alloc::format!(
            "field \"power_state\" = \"{power}\" and field \"is_a_template\" = \"false\" and field \"is_control_domain\" = \"false\""
        );
        self.refs("VM.get_all_where", &[&expr])[0].clone()
    }

    fn template(&mut self) -> String {
        self.refs("VM.get_all_where", &["field \"is_default_template\" = \"true\""])[0].clone()
    }

    fn start(&mut self, vm: &str) -> Result<Value, Failure> {
        self.call("VM.start", &[vm.into(), false.into(), false.into()])
    }
}

fn unwrap(outcome: Outcome) -> Result<Value, Failure> {
    match outcome {
        Outcome::Value(value) | Outcome::Bare(value) => Ok(value),
        Outcome::Failure(failure) => Err(failure),
        Outcome::Shared(shared) => Ok(shared.to_value()),
    }
}
