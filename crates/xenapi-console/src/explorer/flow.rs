//! The way of a call, step by step: from the connection to the end of the session.

use alloc::string::String;
use alloc::vec::Vec;

use xenapi_codec::{jsonrpc, xmlrpc};
use xenapi_core::{RawCall, Value};

use super::code::{Language, Said};
use super::ty::Ty;
use super::wire;
use crate::text::Text;

/// A step.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// What is done.
    pub title: Text,
    /// Why, in a sentence.
    pub note: Text,
    /// What goes over the wire, if anything.
    pub sent: Option<String>,
}

/// The steps of a call; `json` says in which protocol.
pub fn steps(said: &Said<'_>, json: bool) -> Vec<Step> {
    let write = |method: &str, params: Vec<Value>| write(json, method, params);
    let session = || Value::from(wire::SESSION);
    let mut steps =
        alloc::vec![Step { title: Text::StepTransport, note: Text::StepTransportNote, sent: Some(head(json).into()) }];
    if said.message.session {
        let credentials = ["root", "…", "1.0", "my-tool"].map(Value::from).to_vec();
        let sent = Some(write("session.login_with_password", credentials));
        steps.push(Step { title: Text::StepLogin, note: Text::StepLoginNote, sent });
    }
    for (param, value) in said.message.params.iter().zip(said.arguments) {
        let (Ty::Ref(class), Value::Text(text)) = (&param.ty, value) else { continue };
        let Some(uuid) = said.uuids.uuid_of(class, text) else { continue };
        let sent = write(&alloc::format!("{class}.get_by_uuid"), alloc::vec![session(), Value::from(uuid)]);
        steps.push(Step { title: Text::StepFind, note: Text::StepFindNote, sent: Some(sent) });
    }
    let sent = said.text(if json { Language::Json } else { Language::Xml });
    if said.is_async {
        steps.push(Step { title: Text::StepCallTask, note: Text::StepCallTaskNote, sent });
        let task = || Value::from("OpaqueRef:task");
        let follow = write(
            "event.from",
            alloc::vec![
                session(),
                Value::Array(alloc::vec![Value::from("task/OpaqueRef:task")]),
                Value::from(""),
                Value::Double(30.0)
            ],
        );
        steps.push(Step { title: Text::StepFollow, note: Text::StepFollowNote, sent: Some(follow) });
        let sent = Some(write("task.destroy", alloc::vec![session(), task()]));
        steps.push(Step { title: Text::StepTaskEnd, note: Text::StepTaskEndNote, sent });
    } else {
        let note = if said.message.looks { Text::StepCallLooksNote } else { Text::StepCallNote };
        steps.push(Step { title: Text::StepCall, note, sent });
    }
    if said.message.session {
        let sent = Some(write("session.logout", alloc::vec![session()]));
        steps.push(Step { title: Text::StepLogout, note: Text::StepLogoutNote, sent });
    }
    steps
}

const fn head(json: bool) -> &'static str {
    if json {
        "POST /jsonrpc HTTP/1.1\nHost: HOST\nContent-Type: application/json\nContent-Length: …"
    } else {
        "POST / HTTP/1.1\nHost: HOST\nContent-Type: text/xml\nContent-Length: …"
    }
}

fn write(json: bool, method: &str, params: Vec<Value>) -> String {
    const MOST: usize = 16 * 1024;
    let call = RawCall { method: method.into(), params };
    if json {
        let bytes = jsonrpc::write_call(&call, jsonrpc::Version::V2, &jsonrpc::Id::Int(1));
        wire::pretty_json(&String::from_utf8_lossy(&bytes), MOST)
    } else {
        wire::pretty_xml(&String::from_utf8_lossy(&xmlrpc::write_call(&call)), MOST)
    }
}
