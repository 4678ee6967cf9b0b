//! What a method name means to the proxy: which calls change something, and which make or end a session.

use xenapi_core::{Failure, Method, Type};

/// A method as the proxy sees it.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// The message, without `Async.`.
    pub method: Method,
    /// Whether the call asks for a task.
    pub is_async: bool,
}

/// Looks a name up as xapi does: `VM.start`, `VM_start`, `Async.VM.start`.
pub fn look_up(name: &str) -> Option<Known> {
    if let Some(rest) = name.strip_prefix("Async.") {
        return xenapi_model::method(rest).map(|method| Known { method, is_async: true });
    }
    let method = xenapi_model::method(name).or_else(|| with_underscore(name))?;
    Some(Known { method, is_async: false })
}

/// `PIF_metrics_get_all` is a message of `PIF_metrics`, not of `PIF`; where both have one, the longer class counts.
fn with_underscore(name: &str) -> Option<Method> {
    let classes = xenapi_model::CLASSES.iter().filter_map(|class| {
        let message = name.strip_prefix(class.name)?.strip_prefix('_')?;
        Method::find(class, message)
    });
    classes.max_by_key(|method| method.class.name.len())
}

/// Whether the call answers a session.
pub fn makes_session(known: &Known) -> bool {
    matches!(known.method.result(), Type::Ref("session"))
}

/// Whether the call makes a session from a name and a password.
pub fn is_login(known: &Known) -> bool {
    !known.method.takes_session() && makes_session(known)
}

/// Whether the call ends the session with which it is made.
pub fn is_logout(known: &Known) -> bool {
    known.method.class.name == "session" && matches!(known.method.short_name().as_str(), "logout" | "local_logout")
}

/// Refuses what changes something, in the words that XenAPI has for it, so that every client understands.
///
/// A method that the schema does not know is refused as well: it may be an extension that changes something.
pub fn read_only_refusal(pool: &str, name: &str, known: Option<&Known>) -> Option<Failure> {
    let allowed = match known {
        Some(known) => {
            let method = &known.method;
            // Asking for events makes a queue or a subscription, and nothing else.
            let asks_for_events = method.class.name == "event" && method.short_name() != "inject";
            is_login(known) || is_logout(known) || asks_for_events || (method.is_read_only() && !known.is_async)
        }
        None => name.starts_with("system."),
    };
    (!allowed).then(|| {
        let why = format!("The proxy serves the pool {pool} read-only, and {name} may change something.");
        Failure::new(xenapi_model::errors::RBAC_PERMISSION_DENIED, [name.into(), why])
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;

    fn refused(name: &str) -> bool {
        read_only_refusal("lab", name, look_up(name).as_ref()).is_some()
    }

    #[test]
    fn read_only_lets_looking_through_and_nothing_else() {
        for name in [
            "VM.get_all_records",
            "VM.get_name_label",
            "VM_get_all",
            "PIF_metrics_get_all_records",
            "event.from",
            "event.register",
            "session.login_with_password",
            "session.logout",
            "system.listMethods",
        ] {
            assert!(!refused(name), "{name}");
        }
        for name in [
            "VM.start",
            "VM_start",
            "Async.VM.start",
            "Async.VM.get_all",
            "VM.set_name_label",
            "VM.add_to_other_config",
            "VM.destroy",
            "vm.get_all",
            "anything.get_all",
            "",
            "session.change_password",
            "event.inject",
            "event_inject",
        ] {
            assert!(refused(name), "{name}");
        }
    }

    #[test]
    fn the_longest_class_takes_an_underscored_name() {
        assert_eq!(look_up("VM_metrics_get_all").unwrap().method.name(), "VM_metrics.get_all");
        assert_eq!(look_up("VM_get_metrics").unwrap().method.name(), "VM.get_metrics");
        assert!(look_up("Async.VM_start").is_none());
    }

    #[test]
    fn logins_and_logouts_are_known() {
        assert!(is_login(&look_up("session.login_with_password").unwrap()));
        assert!(is_login(&look_up("session.slave_local_login_with_password").unwrap()));
        assert!(!is_login(&look_up("session.logout").unwrap()));
        let from_file = look_up("session.create_from_db_file").unwrap();
        assert!(makes_session(&from_file) && !is_login(&from_file));
        assert!(is_logout(&look_up("session.logout").unwrap()));
        assert!(!is_logout(&look_up("VM.start").unwrap()));
    }

    #[test]
    fn the_refusal_has_the_parameters_that_the_schema_declares() {
        let failure = read_only_refusal("lab", "VM.start", look_up("VM.start").as_ref()).unwrap();
        let known = xenapi_model::errors::ERRORS.iter().find(|error| error.code == failure.code).unwrap();
        assert_eq!(known.params.len(), failure.params.len());
    }
}
