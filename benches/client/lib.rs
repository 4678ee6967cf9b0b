//! What the two programs share: the pool, the connection, the classes.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "programs that always have std")]

use xenapi_client::{Cache, Client as Machine, Config};
use xenapi_core::RawRef;
use xenapi_hyper::{Fingerprint, Target, Transport, TransportConfig, Trust};

/// An error for people.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Where the simulated pool answers.
#[derive(Clone, Debug)]
pub struct Server {
    /// The port of TLS on loopback.
    pub port: u16,
    /// Its certificate.
    pub fingerprint: Fingerprint,
    /// A session.
    pub session: RawRef,
}

impl Server {
    /// From the words `PORT SHA256 SESSION`.
    ///
    /// # Errors
    /// When they are something else.
    pub fn parse(words: &[String]) -> Result<Self, Fault> {
        let [port, fingerprint, session] = words else { return Err("usage: PORT SHA256 SESSION".into()) };
        Ok(Server { port: port.parse()?, fingerprint: fingerprint.parse()?, session: session.as_str().into() })
    }

    /// A new connection pool to it.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn transport(&self) -> Result<Transport, Fault> {
        let target = Target::Https { host: "127.0.0.1".into(), port: self.port };
        Ok(Transport::new(target, &Trust::Pinned(self.fingerprint), TransportConfig::default())?)
    }

    /// A client that goes on with the session, and keeps all that a console shows.
    pub fn machine(&self) -> Machine {
        let mut cache = Cache::new();
        cache.track_console();
        let config = Config { session: Some(self.session.clone()), relogin: false, ..Config::new("root", "") };
        Machine::with_cache(config, cache)
    }
}
