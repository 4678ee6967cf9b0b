//! JSON-RPC: the calls, replies and values of xapi as JSON, in the versions 1.0 and 2.0.
//!
//! xapi answers `POST /jsonrpc`, with the same methods and the same sessions as over XML-RPC. A call without the member `jsonrpc` is
//! of version 1.0, one with `"jsonrpc":"2.0"` of version 2.0; the reply has the version of its call.
//!
//! As a server: [`read_call`], then [`write_success`] or [`write_failure`]. As a client: [`write_call`], then [`read_result`], or
//! [`read_reply`] for a result that is streamed. The result of a *task* is XML text even when the call came as JSON: read it with
//! [`crate::xmlrpc::read_value_as`].
//!
//! # How values travel
//!
//! | value | JSON |
//! | --- | --- |
//! | string, enum, reference, uuid, date | string |
//! | int | number without point, all 64 bits of it |
//! | float | number with a point or an exponent (`0.0`, `1e+16`); `NaN`, `Infinity` and `-Infinity` as bare words, which is not JSON but what xapi sends |
//! | bool | `true`, `false` |
//! | void | `""` |
//! | record, map | object |
//! | set | array |
//! | base64 | string of base64 |
//!
//! So a [`Value`](xenapi_core::Value) does not come back as it went: dates and bytes come back as text, 32-bit integers as integers. Typed values do.
//!
//! # What is read beyond JSON, and what is not
//!
//! The three bare words above are read. An integer of more than 64 bits comes as the text of its digits, so that nothing of it is lost
//! where text is wanted, and it is an error where an integer is. Comments, which xapi's own reader passes over, are refused; so are
//! trailing commas, control characters inside of strings, halves of surrogate pairs, and numbers such as `01` or `1.`.
//!
//! ```
//! use xenapi_codec::{Limits, jsonrpc};
//! use xenapi_core::{RawCall, Value, Wire};
//!
//! let call = RawCall { method: "VM.get_VCPUs_max".into(), params: vec!["OpaqueRef:s".into(), "OpaqueRef:v".into()] };
//! let request = jsonrpc::write_call(&call, jsonrpc::Version::V2, &jsonrpc::Id::Int(1));
//! let read = jsonrpc::read_call(&request, &Limits::request())?;
//! assert_eq!(read.call, call);
//!
//! let reply = jsonrpc::write_success(&Value::Int(4), read.version, &read.id);
//! assert_eq!(reply, br#"{"jsonrpc":"2.0","result":4,"id":1}"#);
//! assert_eq!(jsonrpc::read_result(&reply, &Limits::reply(), i64::read)?, Ok(4));
//! # Ok::<(), xenapi_core::ReadError>(())
//! ```

mod document;
mod reader;
mod text;
mod write;

pub use document::{Id, JsonCall, Outcome, Version, read_call, read_reply, read_result, read_value};
pub use reader::JsonReader;
pub use write::{
    JsonWriter, write_call, write_early_failure, write_failure, write_success, write_success_with, write_value,
};
