//! XML-RPC: the calls, replies and values of xapi as bytes.
//!
//! As a server: [`read_call`], then [`write_success`] or [`write_failure`]. As a client: [`write_call`], then [`read_result`], or
//! [`read_reply`] for a result that is streamed. The result of a task is a lone value: [`read_value_as`].
//!
//! Integers travel as untyped text, so a result is read as the type that the schema says:
//!
//! ```
//! use xenapi_codec::{Limits, xmlrpc};
//! use xenapi_core::{RawCall, Value, Wire};
//!
//! let call = RawCall { method: "VM.get_VCPUs_max".into(), params: vec!["OpaqueRef:s".into(), "OpaqueRef:v".into()] };
//! let request = xmlrpc::write_call(&call);
//! assert_eq!(xmlrpc::read_call(&request, &Limits::request()), Ok(call));
//!
//! let reply = xmlrpc::write_success(&Value::Int(4));
//! assert_eq!(xmlrpc::read_result(&reply, &Limits::reply(), i64::read), Ok(Ok(4)));
//! assert_eq!(xmlrpc::read_result(&reply, &Limits::reply(), String::read), Ok(Ok("4".into())));
//! ```

#[cfg(not(feature = "std"))]
mod absent;
mod block;
mod document;
mod lexer;
mod locate;
mod names;
mod pieces;
mod reader;
mod scan;
#[cfg(feature = "std")]
mod source;
mod stream;
#[cfg_attr(not(feature = "std"), expect(dead_code, reason = "the general reader knows more of the vocabulary"))]
mod tag;
mod view;
mod write;

pub use document::{
    Outcome, Request, read_call, read_call_with, read_reply, read_reply_with, read_request, read_result, read_result_with,
    read_value_as, read_value_text, read_value_with,
};
pub use pieces::write_success_in_pieces;
pub use reader::{Engine, XmlReader};
pub use stream::ReplyStream;
pub use view::{RecordView, Views, read_views, read_views_with};
pub use write::{
    XmlWriter, success_in_chunks, write_bare, write_call, write_failure, write_success, write_success_with, write_value_text,
};
