//! The object model of XenAPI: 72 classes with their records, enumerations, calls and descriptors.
//!
//! Generated from `schema/`, checked in; nobody needs the generator to build. A class is a module (`vm`, `host`) with a `Record`,
//! field constants for the messages that follow from fields, functions for the others, and its descriptor `CLASS`; its marker
//! (`VM`, `Host`) is what a `Ref<VM>` refers to.
//!
//! ```
//! use xenapi_model::{VM, vm};
//! use xenapi_core::Ref;
//!
//! let this = Ref::<VM>::new("OpaqueRef:8a5cbb5e-7f3b-4d2a-9a79-8d3f0f1ec5a1");
//! let start = vm::start(&this, false, false); // a value: nothing is sent
//! assert_eq!(start.name(), "VM.start");
//! let name = vm::fields::NAME_LABEL.get(&this);
//! assert_eq!(name.name(), "VM.get_name_label");
//! assert!(name.is_read_only() && !start.is_read_only());
//! ```
//!
//! It knows no codec and no client. `no_std` with `alloc`.
#![no_std]

extern crate alloc;

#[macro_use]
mod support;
mod ext;
#[allow(clippy::too_many_arguments, clippy::derivable_impls, reason = "the messages and defaults are what the schema says")]
mod generated;

pub use ext::{EventBatch, vm_kind, vm_kind::VmKind};
pub use generated::*;

use xenapi_core::{ClassDesc, Method};

/// A release of the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Release {
    /// The code name that lifecycles use, for example `rio`.
    pub name: &'static str,
    /// The API version, major and minor. Several releases may share one.
    pub api: (u32, u32),
    /// The product.
    pub product: &'static str,
    /// Month and year, or empty.
    pub date: &'static str,
}

/// A class by its name on the wire, case-sensitive.
pub fn class(name: &str) -> Option<&'static ClassDesc> {
    CLASSES.iter().find(|class| class.name == name).copied()
}

/// A class by its name in events, which are lower case.
pub fn class_of_event(name: &str) -> Option<&'static ClassDesc> {
    CLASSES.iter().find(|class| class.name.eq_ignore_ascii_case(name)).copied()
}

/// A message by its whole name, `VM.start`, case-sensitive and without `Async.`.
pub fn method(name: &str) -> Option<Method> {
    let (class_name, message) = name.split_once('.')?;
    Method::find(class(class_name)?, message)
}

#[cfg(test)]
mod tests;
