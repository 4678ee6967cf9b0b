//! What a driver needs of a network.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;

use xenapi_core::Millis;

/// Gets the bytes of an answer as they come.
pub type Tap = Box<dyn FnMut(&[u8]) + Send>;

/// A document on its way to a server.
pub struct Parcel {
    /// The call as XML-RPC.
    pub document: Vec<u8>,
    /// How long the whole answer may take.
    pub timeout: Millis,
    /// Whether it may be sent again when a connection breaks before the answer: only what changes nothing.
    pub repeatable: bool,
    /// What goes into the HTTP header `x-http-other-config-xenapi-client`, if anything: see [`crate::Request::tag`].
    pub tag: Option<String>,
    /// Who wants the answer as it comes, if anybody. A carrier that cannot do that leaves it alone and hands the answer over whole.
    pub tap: Option<Tap>,
}

impl fmt::Debug for Parcel {
    /// Without the document, which holds the session.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parcel").field("bytes", &self.document.len()).field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Delivered<D> {
    /// The answer as XML-RPC: a result or a refusal.
    pub document: D,
    /// The SHA-256 of the certificate of the pool's master, where a member that refused the call told it over a connection whose own
    /// certificate is trusted.
    pub vouched: Option<String>,
    /// Whether all of the answer went to [`Parcel::tap`]; then `document` is empty.
    pub tapped: bool,
}

/// Carries documents to one server: all that a driver needs of a network. Sockets, a browser's `fetch` and a simulator in memory
/// each are one. Clones share their connections.
///
/// A future that is dropped gives its request up.
pub trait Carrier: Clone {
    /// What holds the bytes of an answer.
    type Document: AsRef<[u8]>;
    /// Why there is no answer: what happened, where, and what to do about it.
    type Error: fmt::Display;
    /// The answer to come. Where drivers run on several threads it is `Send`; a browser's is not.
    type Delivery: Future<Output = Result<Delivered<Self::Document>, Self::Error>>;

    /// Sends a document.
    fn carry(&self, parcel: Parcel) -> Self::Delivery;

    /// The same for another host of the pool, at that address. `vouched` is the certificate to expect there, as a trusted member told it.
    ///
    /// # Errors
    /// When that host cannot be reached like this one, or must not be trusted.
    fn beside(&self, address: &str, vouched: Option<&str>) -> Result<Self, Self::Error>;

    /// Whether hosts are known by their certificates alone, so that a driver should [tell](Carrier::vouch) those of the pool's hosts as soon
    /// as a trusted one has told them.
    fn needs_vouching(&self) -> bool {
        false
    }

    /// Notes the SHA-256 of the certificate of the host at that address.
    fn vouch(&self, _address: &str, _sha256: &str) {}
}
