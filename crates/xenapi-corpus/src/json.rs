//! The same content as JSON, for a comparison with JSON parsers.

use xenapi_codec::jsonrpc::{self, Id, Version};
use xenapi_core::Value;

/// The reply to a call that succeeded, as JSON-RPC 2.0.
pub fn json_reply(result: &Value) -> Vec<u8> {
    jsonrpc::write_success(result, Version::V2, &Id::Int(1))
}
