//! Calls in their two codecs.

use xenapi_codec::jsonrpc::{Id, Version};
use xenapi_codec::{Limits, jsonrpc, xmlrpc};
use xenapi_core::{Failure, RawCall};

use super::Answer;

/// The form in which an answer has to come.
#[derive(Clone, Debug)]
pub(super) enum Form {
    Xml,
    Json(Version, Id),
}

/// What a body is, if it is no call that can be looked at.
pub(super) enum NoCall {
    /// Unreadable: a page.
    Page(String),
    /// Refused at once, with the body and its form.
    Refused(Vec<u8>, Form),
}

/// `/jsonrpc` and what is below; everything else is XML-RPC, `/json` too.
pub(super) fn is_json(path: &str) -> bool {
    path.starts_with("/jsonrpc")
}

/// Reads the call in a body.
pub(super) fn read(json: bool, body: &[u8]) -> Result<(RawCall, Form), NoCall> {
    let limits = Limits::request();
    if json {
        let call = jsonrpc::read_call(body, &limits)
            .map_err(|error| NoCall::Page(format!("The JSON-RPC call cannot be read: {error}")))?;
        let form = Form::Json(call.version, call.id);
        return match call.invalid {
            None => Ok((call.call, form)),
            Some(text) => Err(NoCall::Refused(jsonrpc::write_early_failure(&invalid_utf8(&text)), form)),
        };
    }
    let unreadable = |error| NoCall::Page(format!("The XML-RPC call cannot be read: {error}"));
    let request = xmlrpc::read_request(body, &limits).map_err(unreadable)?;
    match request.invalid {
        None => Ok((request.call, Form::Xml)),
        // Readable but for its text: xapi names the parameter in question.
        Some(text) => Err(NoCall::Refused(xmlrpc::write_failure(&invalid_utf8(&text)), Form::Xml)),
    }
}

fn invalid_utf8(text: &str) -> Failure {
    Failure::new("INVALID_VALUE", ["Invalid UTF-8 string in parameter", text])
}

/// What a host says that does not look at calls yet, or cannot reach its master.
fn is_early(failure: &Failure) -> bool {
    const EMERGENCY: [&str; 5] = [
        "HOST_STILL_BOOTING",
        "HOST_HAS_NO_MANAGEMENT_IP",
        "HOST_ITS_OWN_SLAVE",
        "HOST_MASTER_CANNOT_TALK_BACK",
        "HOST_UNKNOWN_TO_MASTER",
    ];
    EMERGENCY.contains(&failure.code.as_str())
}

impl Form {
    pub(super) fn content_type(&self) -> &'static str {
        match self {
            Form::Xml => "text/xml",
            Form::Json(..) => "application/json",
        }
    }

    /// The body of an answer.
    pub(super) fn write(&self, answer: &Answer) -> Vec<u8> {
        match (self, answer) {
            (Form::Xml, Answer::Value(value)) => xmlrpc::write_success(value),
            (Form::Xml, Answer::Failure(failure)) => xmlrpc::write_failure(failure),
            (Form::Xml, Answer::Bare(value)) => xmlrpc::write_bare(value),
            (Form::Xml, Answer::Shared(shared)) => xmlrpc::write_success_with(|writer| shared.write(writer)),
            (Form::Json(version, id), Answer::Value(value) | Answer::Bare(value)) => {
                jsonrpc::write_success(value, *version, id)
            }
            (Form::Json(version, id), Answer::Shared(shared)) => {
                jsonrpc::write_success_with(|writer| shared.write(writer), *version, id)
            }
            (Form::Json(..), Answer::Failure(failure)) if is_early(failure) => jsonrpc::write_early_failure(failure),
            (Form::Json(version, id), Answer::Failure(failure)) => jsonrpc::write_failure(failure, *version, id),
        }
    }
}
