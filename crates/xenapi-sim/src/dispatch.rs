//! From a method's name to its body, with xapi's checks in xapi's order: name, number of parameters, their types, the session,
//! the task, the role, the body.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{Failure, Member, MessageDesc, Method, Param, RawCall, RawRef, Role, Value};

use crate::arguments::{self, Args};
use crate::members::is_emergency_safe;
use crate::operations::{self, Handler};
use crate::tasks::{BUSY, Operation, Start};
use crate::{Handled, Origin, Outcome, PendingId, Sim, coverage, rbac};

/// Who calls. Without `Debug`, because a session must not reach a log.
#[derive(Clone)]
pub(crate) struct Caller {
    /// Null for the calls that log in.
    pub(crate) session: RawRef,
    pub(crate) role: Role,
    pub(crate) origin: Origin,
    /// The task of the call, which is there while it runs; null for calls that have none.
    pub(crate) task: RawRef,
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

impl Sim {
    pub(crate) fn dispatch(&mut self, call: RawCall, origin: Origin) -> Handled {
        self.dispatch_tagged(call, origin, &[])
    }

    pub(crate) fn dispatch_tagged(&mut self, call: RawCall, origin: Origin, tags: &[(String, String)]) -> Handled {
        self.try_dispatch(call, origin, tags).unwrap_or_else(|failure| Handled::Done(Outcome::Failure(failure)))
    }

    fn try_dispatch(&mut self, call: RawCall, origin: Origin, tags: &[(String, String)]) -> Result<Handled, Failure> {
        let name = parse(&call.method);
        if let Some(failure) = self.emergency(origin)
            && !name.method.is_some_and(|method| is_emergency_safe(&method.name()))
        {
            return Err(failure);
        }
        if call.method == "system.listMethods" {
            return Ok(Handled::Done(Outcome::Bare(method_names())));
        }
        if call.method.starts_with("system.isAlive") {
            return Ok(Handled::Done(Outcome::Value(call.params.into_iter().next().unwrap_or_default())));
        }
        let Some(method) = name.method else { return Err(self.unknown(&call, origin)) };
        let params = method.params();
        let (session, values) = check_count(&method, name.plain, &params, call.params)?;
        let args = arguments::convert_all(values, &params)?;
        let session = session.map(|value| arguments::convert(value, &xenapi_core::Type::Ref("session"))).transpose()?;
        if name.is_async && !method.has_async() {
            return Err(Failure::new("Fault", [format!("No async mode for this operation (rpc: {})", name.plain)]));
        }
        let mut caller = match session {
            Some(session) => self.authenticate_for(session.as_text().unwrap_or(""), origin, &method)?,
            None => Caller { session: RawRef::null(), role: Role::ReadOnly, origin, task: RawRef::null() },
        };
        if method.has_async() {
            let prefix = if name.is_async { "Async." } else { "" };
            caller.task = self.new_task(&format!("{prefix}{}", method.name()), &caller.session);
            self.tag_task(&caller.task, tags);
        }
        Ok(self.run(&method, name.is_async, caller, args))
    }

    fn run(&mut self, method: &Method, is_async: bool, caller: Caller, mut args: Args) -> Handled {
        let handler = match method.member {
            Member::Explicit(message) => operations::find(method.class, message),
            _ => None,
        };
        if let Err(failure) = rbac::check(method, caller.role, &args) {
            return self.conclude(is_async, &caller, Err(failure));
        }
        match (handler, method.member) {
            (Some(Handler::Job(make)), _) => {
                let operation = make(self, &caller, &mut args);
                self.start_job(is_async, &caller, operation)
            }
            (Some(Handler::Wait(wait)), _) => {
                let handled = wait(self, &caller, &mut args);
                handled.unwrap_or_else(|failure| Handled::Done(Outcome::Failure(failure)))
            }
            (Some(Handler::Now(now)), _) => self.try_now(is_async, caller, args, *method, Some(now)),
            (None, Member::Create | Member::Destroy) => self.try_now(is_async, caller, args, *method, None),
            (None, Member::GetAllRecords | Member::GetAllRecordsWhere | Member::GetRecord) => {
                Handled::Done(self.look(method, &args).map_or_else(Outcome::Failure, Outcome::Shared))
            }
            (None, Member::Explicit(message)) => {
                let result = self.explicit(method, message, &mut args);
                self.conclude(is_async, &caller, result)
            }
            (None, _) => {
                let result = self.implicit(method, &mut args);
                self.conclude(is_async, &caller, result)
            }
        }
    }

    /// Runs a body that takes no time, now or, if another operation is in the way, after that.
    fn try_now(&mut self, is_async: bool, caller: Caller, mut args: Args, method: Method, body: Option<Now>) -> Handled {
        let again = args.clone();
        let result = match body {
            Some(body) => body(self, &caller, &mut args),
            None => self.implicit(&method, &mut args),
        };
        match result {
            Err(failure) if failure.code == BUSY && waits(&method) => {
                let (own, result) = (caller.clone(), Some(Err(failure)));
                let patient = Patient { caller: own, args: again, method, body, result };
                self.start_job(is_async, &caller, Ok(Box::new(patient)))
            }
            result => self.conclude(is_async, &caller, result),
        }
    }

    /// Answers a call that is over: to the caller, or in the task that he got.
    pub(crate) fn conclude(&mut self, is_async: bool, caller: &Caller, result: Result<Value, Failure>) -> Handled {
        Handled::Done(if is_async {
            self.settle_task(&caller.task, &result);
            Outcome::Value((&caller.task).into())
        } else {
            if !caller.task.is_null() {
                self.drop_task(&caller.task);
            }
            result.map_or_else(Outcome::Failure, Outcome::Value)
        })
    }

    /// An explicit message without a body of its own: one that only writes a field, or one that is not simulated.
    fn explicit(&mut self, method: &Method, message: &MessageDesc, args: &mut Args) -> Result<Value, Failure> {
        match operations::plain_setter(method.class, message.name) {
            Some(member) => self.implicit(&Method { class: method.class, member }, args),
            None => Err(coverage::refusal(method.class, message)),
        }
    }

    /// An unknown method might be an extension: those that give a session learn first whether they may call one.
    fn unknown(&mut self, call: &RawCall, origin: Origin) -> Failure {
        let extension = xenapi_model::method("host.call_extension");
        if let (Some(first), Some(extension)) = (call.params.first(), extension) {
            let caller = match self.authenticate_for(first.as_text().unwrap_or(""), origin, &extension) {
                Ok(caller) => caller,
                Err(failure) => return failure,
            };
            if let Err(failure) = rbac::check(&extension, caller.role, &Args::default()) {
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

/// Whether a call waits for its turn when another operation is in the way. Two say so at once.
fn waits(method: &Method) -> bool {
    let Member::Explicit(message) = method.member else { return true };
    !(message.name.starts_with("assert_") || matches!(method.name().as_str(), "VM.call_plugin" | "VM.sysprep"))
}

type Now = fn(&mut Sim, &Caller, &mut Args) -> Result<Value, Failure>;

/// A body that takes no time but has to wait for its turn.
struct Patient {
    caller: Caller,
    args: Args,
    method: Method,
    body: Option<Now>,
    /// What came of it last.
    result: Option<Result<Value, Failure>>,
}

impl Operation for Patient {
    fn begin(&mut self, sim: &mut Sim) -> Result<Start, Failure> {
        // The first refusal is the one that made it wait.
        let result = self.result.take().unwrap_or_else(|| {
            let mut args = self.args.clone();
            match self.body {
                Some(body) => body(sim, &self.caller, &mut args),
                None => sim.implicit(&self.method, &mut args),
            }
        });
        self.result = Some(Ok(result?));
        Ok(Start { duration: xenapi_core::Millis(0), holds: Vec::new() })
    }

    fn finish(&mut self, _: &mut Sim) -> Result<Value, Failure> {
        self.result.take().unwrap_or(Ok(Value::VOID))
    }
}

/// Every message of the model.
pub(crate) fn method_names() -> Value {
    let methods = xenapi_model::CLASSES.iter().flat_map(|class| Method::all(class));
    Value::Array(methods.map(|method| method.name().into()).collect())
}
