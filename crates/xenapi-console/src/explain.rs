//! What went wrong, in words that say what happened, where, and what to do.

use alloc::string::{String, ToString};

use xenapi_client::Error;
use xenapi_core::{Failure, Millis};

use crate::format;
use crate::text::Text;

/// Something that went wrong, as a person reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    /// What happened, without a full stop.
    pub title: String,
    /// Where, and what to do.
    pub hint: String,
    /// The word by which others know it, for example `SESSION_AUTHENTICATION_FAILED`; empty where there is none.
    pub code: String,
}

impl Explanation {
    fn new(title: Text, hint: impl Into<String>, code: impl Into<String>) -> Self {
        Explanation { title: title.get().into(), hint: hint.into(), code: code.into() }
    }

    /// All in one line: what happened, the code, what to do.
    pub fn line(&self) -> String {
        let Explanation { title, hint, code } = self;
        let code = if code.is_empty() { String::new() } else { alloc::format!(" ({code})") };
        if hint.is_empty() { alloc::format!("{title}{code}.") } else { alloc::format!("{title}{code}. {hint}") }
    }
}

/// A refusal by the pool.
pub fn failure(failure: &Failure) -> Explanation {
    let (title, hint) = match failure.code.as_str() {
        "SESSION_AUTHENTICATION_FAILED" => (Text::WrongPassword, Text::WrongPasswordHint.get().into()),
        "SESSION_INVALID" => (Text::SessionEnded, Text::SessionEndedHint.get().into()),
        "HOST_IS_SLAVE" => (Text::NotCoordinator, Text::NotCoordinatorHint.with(&[failure.param(0)])),
        "HOST_STILL_BOOTING" => (Text::StillBooting, Text::StillBootingHint.get().into()),
        "RBAC_PERMISSION_DENIED" => (Text::NoPermission, Text::NoPermissionHint.with(&[failure.param(0)])),
        _ => (Text::Refused, Text::RefusedHint.with(&[&failure.to_string()])),
    };
    Explanation::new(title, hint, failure.code.clone())
}

/// Whatever a client met with.
pub fn error(error: &Error) -> Explanation {
    match error {
        Error::Failure(refused) => failure(refused),
        Error::Protocol(broken) => Explanation::new(Text::Unreadable, Text::UnreadableHint.with(&[&broken.to_string()]), ""),
        Error::Unreachable(what) => Explanation::new(Text::Unreachable, Text::UnreachableHint.with(&[&sentence(what)]), ""),
        Error::LoggedOut => Explanation::new(Text::SessionEnded, Text::SessionEndedHint.get(), ""),
        other => Explanation::new(Text::Misused, Text::MisusedHint.with(&[&other.to_string()]), ""),
    }
}

/// What the server before the pool says when it could not pass a request on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProxyError {
    /// For example `upstream-unreachable`.
    pub code: String,
    /// What happened, in its own words.
    pub message: String,
}

/// What an HTTP answer that is not a reply means.
#[derive(Clone, PartialEq, Debug)]
pub enum HttpTrouble {
    /// The session is not known any more: the same as the pool saying so.
    NoSession(Failure),
    /// The request did not get through. A sentence that says why.
    NotAnswered(String),
}

/// Judges an HTTP answer with a status other than 200, and the proxy's own words where it sent any.
pub fn http(status: u16, proxy: Option<ProxyError>) -> HttpTrouble {
    let Some(ProxyError { code, message }) = proxy else {
        return HttpTrouble::NotAnswered(alloc::format!(
            "{}: {}.",
            Text::ServerError.get(),
            Text::ServerAnswered.with(&[&status.to_string()])
        ));
    };
    let title = match code.as_str() {
        "no-session" => return HttpTrouble::NoSession(Failure::new("SESSION_INVALID", [message])),
        "upstream-unreachable" => Text::UpstreamUnreachable,
        "upstream-timeout" => Text::UpstreamTimeout,
        "upstream-untrusted" => {
            let hint = Text::UpstreamUntrustedHint.with(&[&sentence(&message)]);
            return HttpTrouble::NotAnswered(alloc::format!("{}. {hint}", Text::UpstreamUntrusted.get()));
        }
        "body-too-large" => Text::BodyTooLarge,
        "too-many-attempts" | "throttled" => {
            return HttpTrouble::NotAnswered(alloc::format!(
                "{}. {}",
                Text::TooManyAttempts.get(),
                Text::TooManyAttemptsHint.get()
            ));
        }
        _ => Text::ServerError,
    };
    HttpTrouble::NotAnswered(alloc::format!("{} ({code}): {}", title.get(), sentence(&message)))
}

/// That nothing came back, and from where.
pub fn no_answer(address: &str) -> String {
    sentence(&Text::NoAnswer.with(&[address]))
}

/// That nothing came back in time, and from where.
pub fn no_answer_in_time(address: &str, waited: Millis) -> String {
    sentence(&Text::NoAnswerInTime.with(&[address, &format::age(waited)]))
}

/// That something came back that is not what was asked for.
pub fn bad_reply(address: &str, status: u16) -> String {
    sentence(&Text::BadReply.with(&[address, &status.to_string()]))
}

/// Text as a sentence: with a full stop, if it ends without a mark.
pub fn sentence(text: &str) -> String {
    let text = text.trim();
    let ended = text.is_empty() || text.ends_with(['.', '!', '?', '…', ':']);
    if ended { text.into() } else { alloc::format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_password_says_what_to_do() {
        let told = failure(&Failure::new("SESSION_AUTHENTICATION_FAILED", ["root", "no"]));
        assert_eq!(
            told.line(),
            "The pool refused the user name or password (SESSION_AUTHENTICATION_FAILED). \
             Check both, and that the account exists on this pool."
        );
    }

    #[test]
    fn a_refusal_that_nobody_foresaw_is_shown_as_it_came() {
        let told = failure(&Failure::new("SR_BACKEND_FAILURE_47", ["", "disk is on fire"]));
        assert_eq!(told.code, "SR_BACKEND_FAILURE_47");
        assert!(told.line().contains("disk is on fire"), "{}", told.line());
    }

    #[test]
    fn a_member_names_its_coordinator() {
        assert!(failure(&Failure::new("HOST_IS_SLAVE", ["10.0.0.1"])).hint.contains("10.0.0.1"));
    }

    #[test]
    fn a_lost_session_at_the_proxy_is_a_lost_session() {
        let proxy = ProxyError { code: "no-session".into(), message: "no cookie".into() };
        assert_eq!(http(401, Some(proxy)), HttpTrouble::NoSession(Failure::new("SESSION_INVALID", ["no cookie"])));
    }

    #[test]
    fn other_trouble_at_the_proxy_ends_no_session() {
        for code in ["upstream-unreachable", "upstream-timeout", "upstream-untrusted", "bad-request", "new-word"] {
            let proxy = ProxyError { code: code.into(), message: "10.0.0.1:443 refused the connection".into() };
            let HttpTrouble::NotAnswered(told) = http(502, Some(proxy)) else { panic!("{code}") };
            assert!(told.contains("10.0.0.1:443 refused the connection."), "{told}");
        }
        assert_eq!(http(500, None), HttpTrouble::NotAnswered("The server answered with an error: HTTP 500.".into()));
    }

    #[test]
    fn what_did_not_arrive_is_named() {
        let told = error(&Error::Unreachable(no_answer_in_time("/pools/demo/rpc", Millis(10_000)).into())).line();
        assert_eq!(told, "The pool does not answer. /pools/demo/rpc did not answer within 10 s. The console keeps trying.");
    }
}
