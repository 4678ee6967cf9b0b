//! From a method's name to its body, with xapi's checks in xapi's order: name, number of parameters, their types, the session,
//! the task, the role, the body.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{Failure, Member, MessageDesc, Method, Param, RawCall, RawRef, Role, Stage, Value};

use crate::arguments::{self, Args};
use crate::operations::{self, Handler};
use crate::{Handled, Origin, Outcome, PendingId, Sim};

/// Who calls.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Null for the calls that log in.
    pub(crate) session: RawRef,
    pub(crate) role: Role,
    pub(crate) origin: Origin,
}

/// A method's name taken apart.
struct Name<'a> {
    /// `VM.start`, whatever the spelling was.
    method: Option<Method>,
    is_async: bool,
    /// Without `Async.`.
    plain: &'a str,
}

fn parse(name: &str) -> Name<'_> {
    let prefixes = ["Async.", "InternalAsync."];
    let stripped = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix));
    let plain = stripped.unwrap_or(name);
    let method = xenapi_model::method(plain).or_else(|| if stripped.is_none() { underscored(plain) } else { None });
    Name { method, is_async: stripped.is_some(), plain }
}

/// `VM_get_all` for `VM.get_all`. Classes have underscores too, so every place is tried.
fn underscored(name: &str) -> Option<Method> {
    let places = name.rmatch_indices('_').map(|(at, _)| at);
    let mut methods = places.filter_map(|at| Method::find(xenapi_model::class(&name[..at])?, &name[at + 1..]));
    methods.next()
}

fn finished(result: Result<Value, Failure>) -> Outcome {
    result.map_or_else(Outcome::Failure, Outcome::Value)
}

impl Sim {
    pub(crate) fn dispatch(&mut self, call: RawCall, origin: Origin) -> Handled {
        self.try_dispatch(call, origin).unwrap_or_else(|failure| Handled::Done(Outcome::Failure(failure)))
    }

    fn try_dispatch(&mut self, call: RawCall, origin: Origin) -> Result<Handled, Failure> {
        if call.method == "system.listMethods" {
            return Ok(Handled::Done(Outcome::Bare(method_names())));
        }
        if call.method.starts_with("system.isAlive") {
            return Ok(Handled::Done(Outcome::Value(call.params.into_iter().next().unwrap_or_default())));
        }
        let name = parse(&call.method);
        let Some(method) = name.method else { return Err(self.unknown(&call)) };
        let params = method.params();
        let (session, values) = check_count(&method, name.plain, &params, call.params)?;
        let args = arguments::convert_all(values, &params)?;
        let session = session.map(|value| arguments::convert(value, &xenapi_core::Type::Ref("session"))).transpose()?;
        if name.is_async && !method.has_async() {
            return Err(Failure::new("Fault", [format!("No async mode for this operation (rpc: {})", name.plain)]));
        }
        let caller = match session {
            Some(session) => self.authenticate(session.as_text().unwrap_or(""), origin)?,
            None => Caller { session: RawRef::null(), role: Role::ReadOnly, origin },
        };
        Ok(self.run(&method, name.is_async, &caller, args))
    }

    fn run(&mut self, method: &Method, is_async: bool, caller: &Caller, mut args: Args) -> Handled {
        let allowed = check_role(method, caller);
        let handler = match method.member {
            Member::Explicit(message) => operations::find(method.class, message),
            _ => None,
        };
        match handler {
            Some(Handler::Job(make)) => {
                let operation = allowed.and_then(|()| make(self, caller, &mut args));
                return self.start_job(method, is_async, caller, operation);
            }
            Some(Handler::Wait(wait)) => {
                let handled = allowed.and_then(|()| wait(self, caller, &mut args));
                return handled.unwrap_or_else(|failure| Handled::Done(Outcome::Failure(failure)));
            }
            _ => {}
        }
        // What takes no time needs a task only where the caller asked for one.
        let task = is_async.then(|| self.new_task(&format!("Async.{}", method.name()), &caller.session));
        let result = allowed.and_then(|()| match (handler, method.member) {
            (Some(Handler::Now(now)), _) => now(self, caller, &mut args),
            (_, Member::Explicit(message)) => self.explicit(method, message, &mut args),
            _ => self.implicit(method, &mut args),
        });
        Handled::Done(match task {
            Some(task) => {
                self.settle_task(&task, &result);
                Outcome::Value(task.into())
            }
            None => finished(result),
        })
    }

    /// An explicit message without a body of its own: one that only writes a field, or one that is not simulated.
    fn explicit(&mut self, method: &Method, message: &MessageDesc, args: &mut Args) -> Result<Value, Failure> {
        match operations::plain_setter(method.class, message.name) {
            Some(member) => self.implicit(&Method { class: method.class, member }, args),
            // This one was removed from the documentation, but its body still answers for itself.
            None if method.name() == "VM.set_protection_policy" => Err(Failure::new("NOT_IMPLEMENTED", [method.name()])),
            None if method.name() == "SR.make" => Err(Failure::new("MESSAGE_DEPRECATED", [""; 0])),
            None if message.lifecycle.last().is_some_and(|(stage, _)| *stage == Stage::Removed) => {
                Err(Failure::new("MESSAGE_REMOVED", [""; 0]))
            }
            None => Err(Failure::new("NOT_IMPLEMENTED", [method.name()])),
        }
    }

    /// An unknown method might be an extension: those that give a session learn first whether it is one.
    fn unknown(&mut self, call: &RawCall) -> Failure {
        if let Some(first) = call.params.first() {
            let session = first.as_text().unwrap_or("");
            if let Err(failure) = self.authenticate(session, Origin::Tcp) {
                return failure;
            }
        }
        Failure::new("MESSAGE_METHOD_UNKNOWN", [call.method.as_str()])
    }

    /// A call that will be answered later.
    pub(crate) fn new_pending(&mut self) -> PendingId {
        PendingId(self.new_id())
    }
}

/// The session, where the method takes one, and the other parameters.
fn check_count(
    method: &Method,
    name: &str,
    params: &[Param],
    mut values: Vec<Value>,
) -> Result<(Option<Value>, Vec<Value>), Failure> {
    let own = usize::from(method.takes_session());
    let required = params.iter().filter(|param| param.required).count();
    let fits = if required == params.len() { values.len() == required + own } else { values.len() >= required + own };
    if !fits {
        let received = values.len().cast_signed() - own.cast_signed();
        let params = [String::from(name), required.to_string(), received.to_string()];
        return Err(Failure::new("MESSAGE_PARAMETER_COUNT_MISMATCH", params));
    }
    let session = (own == 1).then(|| values.remove(0));
    Ok((session, values))
}

/// Whether the caller's role suffices.
fn check_role(method: &Method, caller: &Caller) -> Result<(), Failure> {
    let least = method.least_role();
    if !method.takes_session() || caller.role >= least {
        return Ok(());
    }
    let permission = method.name().to_lowercase();
    let with: Vec<&str> = Role::ASSIGNABLE.iter().filter(|role| **role >= least).map(|role| role.name()).collect();
    let text = format!("No permission in user session. (Roles with this permission: {})", with.join(", "));
    Err(Failure::new("RBAC_PERMISSION_DENIED", [permission, text]))
}

/// Every message of the model.
pub(crate) fn method_names() -> Value {
    let methods = xenapi_model::CLASSES.iter().flat_map(|class| Method::all(class));
    Value::Array(methods.map(|method| method.name().into()).collect())
}
