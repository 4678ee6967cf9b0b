//! What tells the tasks of this client from all others.

use alloc::format;
use alloc::string::String;

use xenapi_core::RawRef;

use super::{Client, Purpose, TicketId};

/// The key under which a task carries the tag of its call: servers put the HTTP header `x-http-other-config-xenapi-client` into the
/// task's `other_config` as `http:xenapi-client`.
pub const TASK_TAG: &str = "xenapi-client";

/// The key in `other_config`.
pub(super) const STORED: &str = "http:xenapi-client";

/// Makes tags: a number for the client, and one for the call.
#[derive(Default)]
pub(super) struct Tags {
    client: Option<u64>,
}

impl Tags {
    /// The first session gives the client its number. It is as random as the session, which cannot be found from it.
    pub(super) fn begin(&mut self, session: &RawRef, originator: &str, seed: u64) {
        // FNV-1a.
        let bytes = session.as_str().bytes().chain(originator.bytes());
        let number = bytes
            .fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        self.client.get_or_insert(number);
    }

    pub(super) fn tag(&self, ticket: TicketId) -> Option<String> {
        self.client.map(|client| format!("{client:016x}-{}", ticket.0))
    }

    /// The call of this client that a tag names.
    pub(super) fn ticket(&self, tag: &str) -> Option<TicketId> {
        let (client, ticket) = tag.split_once('-')?;
        let is_own = u64::from_str_radix(client, 16).ok() == self.client && self.client.is_some();
        is_own.then(|| ticket.parse().ok().map(TicketId)).flatten()
    }
}

impl Client {
    /// What the task of a request shall carry.
    pub(super) fn tag_of(&self, purpose: &Purpose) -> Option<String> {
        let Purpose::Call(ticket, _) = purpose else { return None };
        self.jobs.get(ticket)?.tag.clone()
    }
}
