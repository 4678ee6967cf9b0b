//! Learning the API: its classes, and what a call is on the wire and in other words.

pub mod catalogue;
pub mod code;
pub mod find;
pub mod flow;
pub mod form;
pub mod objects;
pub mod relations;
pub mod ty;
pub mod wire;
mod xe;
