//! The errors: codes, descriptors, typed views.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::HEADER;
use crate::names::{snake, type_name};
use crate::schema::{Error, Type};

fn constant(error: &Error) -> String {
    error.code.replace(|c: char| !c.is_ascii_alphanumeric(), "_").to_ascii_uppercase()
}

/// `VM_BAD_POWER_STATE` as a type: `VmBadPowerState`.
fn view(error: &Error) -> String {
    type_name(&error.code.to_ascii_lowercase())
}

/// A parameter as a field: `Master IP address` becomes `master_ip_address`.
fn field(name: &str) -> String {
    let words = name.trim().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    snake(&words)
}

pub(super) fn codes(errors: &[Error]) -> String {
    let mut out = format!(
        "//! The errors that the documentation declares: their codes, and views of their parameters.\n//!\n\
         //! ```\n//! use xenapi_core::Failure;\n//! use xenapi_model::errors::VmBadPowerState;\n//!\n\
         //! let failure = Failure::new(\"VM_BAD_POWER_STATE\", [\"OpaqueRef:1\", \"halted\", \"running\"]);\n\
         //! let view: VmBadPowerState = failure.view().expect(\"the code is that\");\n\
         //! assert_eq!((view.vm.as_str(), view.expected, view.actual), (\"OpaqueRef:1\", \"halted\", \"running\"));\n//! ```\n\
         //!\n//! Servers send fewer or more parameters at times: a missing one is empty text, a null reference, or no number; those\n\
         //! beyond are in `more`.\n{HEADER}pub use super::desc::errors::ERRORS;\npub use super::error_views::*;\n\n"
    );
    for error in errors {
        let about = super::words::sentence(&error.doc);
        let seen = match error.params.is_empty() {
            true => "Without parameters.".into(),
            false => format!("See [`{}`].", view(error)),
        };
        let _ = writeln!(out, "/// {about}{seen}\npub const {}: &str = {:?};", constant(error), error.code);
    }
    out
}

pub(super) fn descriptors(errors: &[Error]) -> String {
    let mut out = format!(
        "//! The descriptors of the errors.\n{HEADER}use crate::support::desc::*;\n\n\
         /// All errors that the documentation declares.\n#[rustfmt::skip] // a line each\npub static ERRORS: &[ErrorDesc] = &[\n"
    );
    for error in errors {
        let params: Vec<String> = error.params.iter().map(|(name, ty)| param(name.trim(), ty)).collect();
        let _ = writeln!(
            out,
            "    ErrorDesc {{ code: {:?}, declared: &{:?}, params: &[{}], doc: doc!({:?}) }},",
            error.code,
            error.declared,
            params.join(", "),
            error.doc
        );
    }
    out.push_str("];\n");
    out
}

fn param(name: &str, ty: &Type) -> String {
    match ty {
        Type::Ref(class) => format!("reference({name:?}, {class:?})"),
        Type::Int => format!("number({name:?})"),
        _ => format!("text({name:?})"),
    }
}

/// # Errors
/// When two errors or two parameters of one become the same name.
pub(super) fn views(errors: &[Error]) -> Result<String, String> {
    let mut out = format!("//! Typed views of failures.\n{HEADER}use crate::support::views::*;\n\nerror_views! {{\n");
    let mut names = BTreeSet::new();
    for error in errors.iter().filter(|error| !error.params.is_empty()) {
        if !names.insert(view(error)) {
            return Err(format!("two errors become `{}`", view(error)));
        }
        let mut fields = BTreeSet::from(["more".to_string()]);
        let mut listed = Vec::new();
        for (at, (name, ty)) in error.params.iter().enumerate() {
            if !fields.insert(field(name)) {
                return Err(format!("{}: two parameters become `{}`", error.code, field(name)));
            }
            let ty = match ty {
                Type::Ref(class) => format!("Ref<crate::{}>", type_name(class)),
                Type::Int => "Option<i64>".into(),
                _ => "&'f str".into(),
            };
            listed.push(format!("{at} {}: {ty}", field(name)));
        }
        let count = error.params.len();
        let _ = writeln!(out, "    {} {:?} {count} {{ {} }}", view(error), error.code, listed.join(", "));
    }
    out.push_str("}\n");
    Ok(out)
}
