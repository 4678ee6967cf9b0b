//! What a document may cost.

/// Bounds for reading bytes that cannot be trusted. An error names the limit that was exceeded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of the whole document.
    pub bytes: usize,
    /// Arrays and structs inside each other. The envelope of a reply counts as one.
    pub depth: usize,
    /// Items of arrays and members of structs, in the whole document.
    pub members: usize,
    /// Items or members of any one array or struct, such as the records of a reply.
    pub records: usize,
    /// Bytes of one text or name, after references are resolved.
    pub text: usize,
}

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

impl Limits {
    /// For requests: the 300 KiB that xapi takes.
    pub const fn request() -> Self {
        Limits { bytes: 300 * KIB, depth: 64, members: 64 * KIB, records: 64 * KIB, text: 300 * KIB }
    }

    /// For the reply of a server that is asked for whole classes: up to 1 GiB.
    pub const fn reply() -> Self {
        Limits { bytes: 1024 * MIB, depth: 64, members: 64 * MIB, records: 4 * MIB, text: 64 * MIB }
    }
}

impl Default for Limits {
    /// For documents of unknown origin: 64 MiB.
    fn default() -> Self {
        Limits { bytes: 64 * MIB, depth: 64, members: 4 * MIB, records: MIB, text: 16 * MIB }
    }
}
