//! The targets for JSON-RPC.

pub(crate) fn bytes(_bytes: &[u8]) {}
