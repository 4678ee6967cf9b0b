//! What the examples share: where the pool is, and who logs in.
#![allow(dead_code, unreachable_pub, reason = "each example uses its part")]

use std::io::Write;

use xenapi::{Client, Target, Transport, TransportConfig, Trust};

/// An error for people.
pub type Fault = Box<dyn core::error::Error + Send + Sync>;

/// Who does what where.
pub struct Task<'a> {
    /// The connections to the pool.
    pub transport: Transport,
    /// Who logs in.
    pub user: String,
    /// And with what.
    pub password: String,
    /// What else the example wants to know.
    pub rest: Vec<String>,
    /// Where it writes to.
    pub out: &'a mut (dyn Write + Send),
}

impl Task<'_> {
    /// Logs in, at the master of the pool.
    pub async fn connect(&self) -> Result<Client, Fault> {
        Ok(Client::connect(self.transport.clone(), &self.user, &self.password, "xenapi-example").await?)
    }
}

/// Reads `TARGET USER PASSWORD [MORE…]`. A certificate that no root of the system vouches for is named by the variable `XENAPI_SHA256`, as
/// `openssl x509 -fingerprint -sha256` and the host's own console print it.
pub fn task(out: &mut (dyn Write + Send)) -> Result<Task<'_>, Fault> {
    let mut words = std::env::args().skip(1);
    let (Some(target), Some(user), Some(password)) = (words.next(), words.next(), words.next()) else {
        return Err("usage: TARGET USER PASSWORD [MORE…], for example https://xs1.lab root secret".into());
    };
    let target: Target = target.parse()?;
    let trust = match std::env::var("XENAPI_SHA256") {
        Ok(fingerprint) => Trust::Pinned(fingerprint.parse()?),
        Err(_) => Trust::System,
    };
    let transport = Transport::new(target, &trust, TransportConfig::default())?;
    Ok(Task { transport, user, password, rest: words.collect(), out })
}
