//! The six value types, and how each travels.
//!
//! XenAPI has six simple types; sets, maps and records are made of them.
//!
//! | type | in Rust | XML-RPC, as the server writes it | JSON-RPC | reads also |
//! | --- | --- | --- | --- | --- |
//! | `string` | [`String`](alloc::string::String), and [`Uuid`](xenapi_core::Uuid) for uuids | `<value>text</value>` | `"text"` | `<string>` |
//! | `int`, 64 bits | [`i64`] | `<value>42</value>`: text without a type | `42` | `<int>`, `<i4>`, `<i8>`, `"42"` |
//! | `float` | [`f64`] | `<value><double>0.5</double></value>` | `0.5`, always with a point | an integer, text |
//! | `bool` | [`bool`] | `<value><boolean>1</boolean></value>` | `true` | |
//! | `datetime` | [`DateTime`](xenapi_core::DateTime) | `<value><dateTime.iso8601>20260101T12:00:00Z</dateTime.iso8601></value>` | `"20260101T12:00:00Z"` | the same as text |
//! | `enum` | an enumeration that keeps words it does not know | `<value>Running</value>` | `"Running"` | |
//!
//! | made of them | in Rust | XML-RPC | JSON-RPC |
//! | --- | --- | --- | --- |
//! | `VM ref` | [`Ref<VM>`](xenapi_core::Ref) | `<value>OpaqueRef:…</value>` | `"OpaqueRef:…"` |
//! | `VM ref` that may be null | `Option<Ref<VM>>` | `OpaqueRef:NULL`, of some old hosts empty text | the same as text |
//! | `T set` | `Vec<T>`, ordered as stored | `<array><data>…</data></array>` | `[…]` |
//! | `(K -> V) map` | [`Map<K, V>`](xenapi_core::Map), ordered as stored | `<struct>…</struct>`, every key as text | `{…}` |
//! | `VM record` | `vm::Record` | `<struct>…</struct>`, the fields in the order of the schema | `{…}` |
//! | nothing | `()` | `<value></value>` | `""` |
//!
//! Since an integer is text without a type, nothing can be read by looking at it: the type that is expected decides
//! ([`Wire`](xenapi_core::Wire)). Where there is no type, [`Value`](xenapi_core::Value) keeps the text.
//!
//! ```
//! use xenapi_core::{Value, from_value, to_value};
//! use xenapi_model::vm::VmPowerState;
//!
//! let text = Value::from("42"); // as it stands in XML-RPC
//! assert_eq!(from_value::<i64>(&text), Ok(42));
//! assert_eq!(from_value::<String>(&text), Ok("42".into()));
//! assert_eq!(to_value(&42_i64), Value::Int(42)); // a codec writes it as its format wants it
//!
//! let word: VmPowerState = from_value(&Value::from("Levitating")).expect("every word reads");
//! assert_eq!((word.as_str(), to_value(&word)), ("Levitating", Value::from("Levitating")));
//! ```
//!
//! A null reference goes back as it came, be it `OpaqueRef:NULL` or empty text:
//!
//! ```
//! use xenapi_core::{Record, Struct, Value, from_value, to_value};
//! use xenapi_model::vbd;
//!
//! let drive = Value::Struct([("VDI", Value::from(""))].into_iter().collect::<Struct>());
//! let drive: vbd::Record = from_value(&drive).expect("it reads");
//! assert!(drive.vdi.is_none() && !drive.has("empty"));
//! assert_eq!(to_value(&drive).as_struct().and_then(|it| it.get("VDI")), Some(&Value::from("")));
//! ```
