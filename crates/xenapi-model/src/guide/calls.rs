//! Calls, and where they come from.
//!
//! A message that the schema declares is a function of its class's module; one that follows from a field comes from the field's
//! constant; one that every class has is a function of `xenapi_core`; and what `create` takes is the module's `New`.
//!
//! ```
//! use xenapi_core::{Changes, Ref, Role, get_all_records};
//! use xenapi_model::{Network, VM, host, vif, vm};
//!
//! let this = Ref::<VM>::new("OpaqueRef:8a5cbb5e-7f3b-4d2a-9a79-8d3f0f1ec5a1");
//! let start = vm::start(&this, false, false);
//! assert_eq!((start.least_role(), start.is_retryable()), (Role::VmOperator, false));
//!
//! let rename = vm::fields::NAME_LABEL.set(&this, &"web".into());
//! assert_eq!((rename.name().as_str(), rename.changes()), ("VM.set_name_label", Changes::Field("name_label")));
//! assert!(rename.is_retryable()); // twice is as once
//!
//! let all = get_all_records::<VM>();
//! assert!(all.is_read_only());
//!
//! // Parameters that need not be given are options. One that is left out before one that is given, is sent as what the
//! // server takes for it; those at the end are left out.
//! let home = Ref::new("OpaqueRef:1");
//! assert_eq!(host::evacuate(&home, None, Some(5)).params().len(), 3);
//! assert_eq!(host::disable(&home, None).params().len(), 1);
//!
//! // What has to be said are arguments, the rest are fields.
//! let new = vif::New { mac: "02:00:00:00:00:01".into(), ..vif::New::new("0", Ref::<Network>::new("OpaqueRef:2"), this) };
//! assert_eq!(new.into_call().name(), "VIF.create");
//! ```
//!
//! Everything that is known about a message stands in descriptors, at run time:
//!
//! ```
//! use xenapi_core::Unit;
//! use xenapi_model::{class, method};
//!
//! let field = class("VM").and_then(|vm| vm.field("memory_static_max")).expect("it exists");
//! assert_eq!((field.unit, field.since(), field.nullable), (Some(Unit::Bytes), Some("rio"), false));
//! let method = method("VM.get_resident_on").expect("it exists");
//! assert!(method.is_nullable() && method.is_read_only() && !method.has_async());
//! ```
