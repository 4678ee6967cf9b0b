//! XML-RPC and JSON-RPC as xapi speaks them, both directions: bytes to calls and values, calls and values to bytes.
//!
//! XML-RPC is in [`xmlrpc`], JSON-RPC in [`jsonrpc`]. What follows is about XML-RPC, where not said otherwise.
//!
//! # Reading
//!
//! XenAPI sends its integers as untyped text, so whoever reads says what is expected: a type ([`xenapi_core::Wire`]), or
//! [`xenapi_core::Value`] where nobody knows.
//!
//! | you have | and want | use |
//! | --- | --- | --- |
//! | a whole reply | its result as a type | [`xmlrpc::read_result`] |
//! | a whole reply | a few fields of many records, not copied | [`xmlrpc::read_views`] |
//! | a reply that still arrives | its records or events one by one | [`xmlrpc::ReplyStream`] |
//! | a whole reply | to go through it yourself | [`xmlrpc::read_reply`] |
//! | a call, as a server | the call, or the text in it that is not UTF-8 | [`xmlrpc::read_request`], [`xmlrpc::read_call`] |
//! | the result of a task | the value in it | [`xmlrpc::read_value_as`] |
//!
//! ## Two readers, one meaning
//!
//! The **scanner** knows what xapi writes: tags without attributes, untyped or typed values, blanks between the tags, the five
//! entities, character references. It compares whole runs of tags at once, looks for the next `<` many bytes at a time, hands out
//! text that is borrowed from the document, and checks the document in windows of 32 KiB just before it reads them. Everything
//! else is the business of the **general reader** on quick-xml: comments, CDATA sections, processing instructions, document types,
//! attributes, prefixes, empty elements other than `<nil/>`, other declarations, and every error in a document, which it finds and words.
//!
//! The scanner begins. Where it finds something that it does not know, the general reader reads the document from the start up
//! to the same place without handing anything out, and goes on from there. So nothing is handed out twice or taken back, and a
//! document is read twice at the worst. [`xmlrpc::XmlReader::engine`] says which one is at work, and the functions whose names end in
//! `_with` let tests choose. Property tests hold both to the same values, errors and offsets, on right documents and on broken ones.
//!
//! # Writing
//!
//! As a server [`xmlrpc::write_success`], [`xmlrpc::write_failure`], [`xmlrpc::write_bare`]; as a client [`xmlrpc::write_call`].
//! [`xmlrpc::XmlWriter`] writes typed values without a tree between, into a buffer that can be used again
//! ([`xmlrpc::XmlWriter::reusing`]) or taken piece by piece ([`xmlrpc::XmlWriter::drain`]), so that a document is never held whole;
//! [`xmlrpc::success_in_chunks`] does that for records.
//!
//! # Limits and memory
//!
//! [`Limits`] bound the bytes of a document, how deep it is, how many members it has in all and in one place, and how long a text
//! is. Whatever the bytes are, reading ends after time in proportion to their number, does not panic, uses no stack that they
//! determine beyond [`Limits::depth`], and takes **at most 16 times their size and 64 KiB** of memory, with the result. Documents
//! by xapi take less than their size as typed records, and a tenth of it as views.
//! [`xmlrpc::ReplyStream`] takes the size of the largest record and a few KiB; its documentation has the rule.
//!
//! # Errors
//!
//! Three things are different: the server's refusal (`Status: Failure`, a [`xenapi_core::Failure`]), an XML-RPC fault, which xapi
//! never sends ([`xmlrpc::Outcome::Fault`]), and a document that cannot be read, a [`xenapi_core::ReadError`]. That says what was
//! expected and what was found; where in the value (`VM[OpaqueRef:1].VCPUs_max`); where in the document, in bytes and, where it
//! has lines, by line and column; and what stands around the place. References are left out there, and in calls all text, since
//! both may be secrets. A value of a wrong type does not end the reading: the other records come all the same.
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
//! The feature `std` (on by default) brings the general reader. Without it the crate is `no_std` with `alloc`, writes everything,
//! reads what the scanner knows, and says of anything else that it takes the general reader.
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod jsonrpc;
mod limits;
mod scalar;
pub mod xmlrpc;

pub use limits::Limits;
