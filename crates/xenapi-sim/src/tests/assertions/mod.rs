//! The closing checks of the protocol reference, one test each, by number. Those about HTTP, JSON and metrics are made where these are
//! served.

mod dispatch;
mod events;
mod operations;
mod tasks;
mod wire;

use super::*;
use xenapi_codec::{Limits, xmlrpc};

/// The bytes of an answer.
pub(super) fn bytes(outcome: &Outcome) -> String {
    let bytes = match outcome {
        Outcome::Value(value) => xmlrpc::write_success(value),
        Outcome::Shared(shared) => xmlrpc::write_success_with(|writer| shared.write(writer)),
        Outcome::Failure(failure) => xmlrpc::write_failure(failure),
        Outcome::Bare(value) => xmlrpc::write_bare(value),
    };
    String::from_utf8(bytes).unwrap()
}

/// The `<value>…</value>` of an answer that is a success.
fn value_of(reply: &str) -> &str {
    let start = "<?xml version=\"1.0\"?><methodResponse><params><param><value><struct><member><name>Status</name>\
                 <value>Success</value></member><member><name>Value</name>";
    let end = "</member></struct></value></param></params></methodResponse>";
    reply.strip_prefix(start).and_then(|rest| rest.strip_suffix(end)).unwrap_or_else(|| panic!("no success: {reply}"))
}

impl Pool {
    /// A call from bytes to bytes; the values are written as they are sent, the session comes before them.
    fn wire(&mut self, method: &str, values: &[&str]) -> String {
        let session = format!("<value>{}</value>", self.session);
        let values = core::iter::once(session.as_str()).chain(values.iter().copied());
        let params: String = values.map(|value| format!("<param>{value}</param>")).collect();
        let body = format!(
            "<?xml version=\"1.0\"?><methodCall><methodName>{method}</methodName><params>{params}</params></methodCall>"
        );
        let call = xmlrpc::read_call(body.as_bytes(), &Limits::request()).unwrap();
        match self.sim.handle(call, Origin::Tcp, self.now) {
            Handled::Done(outcome) => bytes(&outcome),
            Handled::Pending(pending) => match self.wait(pending) {
                Ok(value) => bytes(&Outcome::Value(value)),
                Err(failure) => bytes(&Outcome::Failure(failure)),
            },
        }
    }

    /// A record with which an object can be made: the type's empty value where something is required and not given.
    fn make(&mut self, class: &str, given: &[(&'static str, Value)]) -> Result<Value, Failure> {
        let desc = xenapi_model::class(class).unwrap();
        let mut record = xenapi_core::Struct::new();
        for field in desc.fields {
            let given = given.iter().find(|(name, _)| *name == field.name).map(|(_, value)| value.clone());
            match given {
                Some(value) => record.push(field.name, value),
                None if field.qualifier != xenapi_core::Qualifier::Dynamic && field.default.is_none() => {
                    record.push(field.name, field.ty.empty_value());
                }
                None => {}
            }
        }
        self.call(&format!("{class}.create"), &[record.into()])
    }

    /// The records of a class for which an expression holds, as references.
    fn find(&mut self, class: &str, expr: &str) -> Vec<String> {
        self.refs(&format!("{class}.get_all_where"), &[expr])
    }

    /// A user VM that runs and has a disk.
    fn running(&mut self) -> String {
        self.vm("Running")
    }
}

use alloc::format;
