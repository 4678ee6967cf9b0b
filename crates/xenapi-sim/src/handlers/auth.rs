//! Who a request is from.

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use xenapi_core::{RawCall, RawRef, Role, Value};

use super::{Reply, Request, Visit};
use crate::{Handled, Origin, Outcome, Sim};

/// What the password prompt names.
const REALM: &str = "XAPI";

/// Looks for credentials in xapi's order: a session by cookie or query, the Unix socket, a password.
///
/// # Errors
/// 401 without any, or with wrong ones.
pub(super) fn visit(sim: &mut Sim, request: &Request) -> Result<Visit, Reply> {
    let unauthorised = || Reply::unauthorised(REALM);
    if let Some(session) = request.given("session_id") {
        let caller = sim.authenticate(&session, request.origin).map_err(|_| unauthorised())?;
        return Ok(new_visit(sim, request, RawRef::from(session.as_str()), caller.role));
    }
    if request.origin == Origin::UnixSocket {
        return Ok(new_visit(sim, request, RawRef::null(), Role::LocalSuperuser));
    }
    let (user, password) = request.header("authorization").and_then(basic).ok_or_else(unauthorised)?;
    let session = log_in(sim, &user, &password).ok_or_else(unauthorised)?;
    let caller = sim.authenticate(session.as_str(), request.origin).map_err(|_| unauthorised())?;
    let mut visit = new_visit(sim, request, session, caller.role);
    visit.temporary = true;
    Ok(visit)
}

/// A visit without a login.
pub(super) fn anyone(sim: &Sim, request: &Request) -> Visit {
    new_visit(sim, request, RawRef::null(), Role::ReadOnly)
}

fn new_visit(sim: &Sim, request: &Request, session: RawRef, role: Role) -> Visit {
    Visit {
        session,
        role,
        host: request.via.clone().unwrap_or_else(|| sim.master()),
        task: None,
        result: Value::VOID,
        failure: None,
        only: request.via.is_some(),
        temporary: false,
    }
}

/// User and password. As in xapi, the word is `Basic` in exactly this spelling.
fn basic(header: &str) -> Option<(String, String)> {
    let encoded = header.strip_prefix("Basic ")?.trim();
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some((user.into(), password.into()))
}

/// A session for the time of the request, by the same way as any other.
fn log_in(sim: &mut Sim, user: &str, password: &str) -> Option<RawRef> {
    let params: Vec<Value> = [user, password, "1.1", "http"].map(Value::from).into();
    let call = RawCall { method: "session.login_with_password".into(), params };
    match sim.dispatch(call, Origin::Tcp) {
        Handled::Done(Outcome::Value(session)) => session.as_text().map(RawRef::from),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_read_as_xapi_reads_it() {
        assert_eq!(basic("Basic cm9vdDphOmI="), Some(("root".into(), "a:b".into())));
        for wrong in ["basic cm9vdDphOmI=", "Basic", "Basic cm9vdA==", "Basic !!!", "Bearer cm9vdDphOmI="] {
            assert_eq!(basic(wrong), None, "{wrong}");
        }
    }
}
