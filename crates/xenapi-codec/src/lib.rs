//! XML-RPC and JSON-RPC as xapi speaks them, both directions: bytes to calls and values, calls and values to bytes.
//!
//! XML-RPC is in [`xmlrpc`], JSON-RPC in [`jsonrpc`]. Reading streams: [`xmlrpc::XmlReader`] hands out one value after the other as the type that is
//! expected asks for it, and no tree is built. Writing gives the bytes that xapi gives. [`Limits`] bound what untrusted bytes
//! can cost.
//!
//! # Where this differs from xapi's own codec
//!
//! Writing: equal byte for byte, except that xapi does not escape the *names* of struct members, so that a map key with `<`,
//! `&` or `]]>` makes a document that nobody can read. Here such names are escaped, and control characters are dropped from them as from
//! text. Every NaN is written `nan`.
//!
//! Reading is **stricter** here in these points:
//! - A document type declaration with an internal subset (where entities are defined) or with an external identifier is refused;
//!   a bare `<!DOCTYPE name>` is passed over. Only the five entities of XML and character references are known.
//! - Encodings other than UTF-8 (or its subset US-ASCII) are refused by name, and bytes that are not UTF-8 with the place where they are.
//! - Documents over the [`Limits`] are refused.
//! - In a reply, a date that is no date is an error of its value (the values around it can be read); in a call it is text, and
//!   refused by whoever wants a date.
//! - Doubles in hexadecimal are not read.
//!
//! Reading is **more lenient** here in these points:
//! - A reply may hold members with an empty name: xapi writes them, for a map with an empty key, but cannot read them.
//! - U+FFFE and U+FFFF, which XML forbids, are read: xapi writes them.
//! - Base64 may stand in lines, as Python writes it.
//! - Text that holds `]]>`, comments that hold `--`, and prefixes that no declaration binds are let through.
//!
//! # Without the standard library
//!
//! The feature `std` (on by default) holds the reader. Without it the crate is `no_std` with `alloc`, and writes only.
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod jsonrpc;
mod limits;
mod scalar;
pub mod xmlrpc;

pub use limits::Limits;
