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
//! # What the types refuse
//!
//! A reference to a VM is none to a VDI, a uuid is no reference, and a call answers what its message answers:
//!
//! ```compile_fail,E0308
//! # use xenapi_core::Ref;
//! # use xenapi_model::{VM, vdi};
//! vdi::forget(&Ref::<VM>::new("OpaqueRef:1")); // a `Ref<VDI>` is due
//! ```
//!
//! ```compile_fail,E0308
//! # use xenapi_core::Uuid;
//! # use xenapi_model::vdi;
//! vdi::forget(&Uuid::new("8a5cbb5e-7f3b-4d2a-9a79-8d3f0f1ec5a1")); // a uuid is asked for by `get_by_uuid`
//! ```
//!
//! ```compile_fail,E0308
//! # use xenapi_core::{Call, Ref};
//! # use xenapi_model::{VM, vm};
//! let call: Call<i64> = vm::fields::NAME_LABEL.get(&Ref::<VM>::new("OpaqueRef:1")); // a `Call<String>`
//! ```
//!
//! ```compile_fail,E0599
//! # use xenapi_core::Ref;
//! # use xenapi_model::{VM, vm};
//! vm::fields::DOMID.set(&Ref::<VM>::new("OpaqueRef:1"), &7); // only the server writes it
//! ```
//!
//! The [`guide`] shows how the classes join, and how values travel. It knows no codec and no client. `no_std` with `alloc`.
#![no_std]

extern crate alloc;

#[macro_use]
mod support;
mod ext;
#[allow(clippy::too_many_arguments, clippy::derivable_impls, reason = "the messages and defaults are what the schema says")]
#[allow(clippy::self_named_constructors, reason = "`vif::New::new` reads well behind its module")]
mod generated;
pub mod guide;

#[cfg(feature = "docs")]
pub use ext::in_rust;
pub use ext::{EventBatch, vm_kind, vm_kind::VmKind};
pub use generated::*;

use alloc::vec::Vec;

use xenapi_core::{ClassDesc, ErrorDesc, Member, Method, Value, redacted};

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

/// The name of a class, if there is such a class: the text of the model itself. Unlike [`class`] it does not bring along everything
/// that is known of every class, which matters to programs that are downloaded.
pub fn class_name(name: &str) -> Option<&'static str> {
    macro_rules! names {
        ($($class:ident)*) => {
            &[$(<$class as xenapi_core::Class>::RECORD.name),*]
        };
    }
    static NAMES: &[&str] = for_each_class!(names);
    NAMES.iter().find(|it| **it == name).copied()
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

/// An error by its code.
pub fn error(code: &str) -> Option<&'static ErrorDesc> {
    errors::ERRORS.iter().find(|error| error.code == code)
}

/// What an error code means, in a sentence; empty where nobody has written one, and without the feature `docs`.
pub fn error_doc(code: &str) -> &'static str {
    // Not by the sentence being empty: a program without sentences need not carry the codes either.
    if cfg!(feature = "docs") { error(code).map_or("", |error| error.doc) } else { "" }
}

/// The parameters of a call as they may be shown and logged: without passwords, session references, the values of secrets, and
/// what [looks](xenapi_core::is_secret_key) like a secret in maps and records.
///
/// ```
/// use xenapi_model::{redacted_params, session};
///
/// let login = session::login_with_password("root", "hunter2", None, Some("my tool"));
/// let shown = format!("{:?}", redacted_params(login.method(), login.params()));
/// assert!(shown.contains("root") && !shown.contains("hunter2"));
/// ```
pub fn redacted_params(method: &Method, params: &[Value]) -> Vec<Value> {
    let known = method.params();
    let hidden = |at: usize| match method.member {
        // Of `add_to_…(self, key, value)` the key tells.
        Member::AddTo(_) if at == 2 => params.get(1).and_then(Value::as_text).is_some_and(xenapi_core::is_secret_key),
        _ => false,
    };
    let one = |(at, value): (usize, &Value)| match known.get(at) {
        Some(param) => redacted(value, &param.ty, param.secret || hidden(at), class),
        // More than the schema knows of: who can say what they are.
        None => Value::from(xenapi_core::REDACTED),
    };
    params.iter().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests;
