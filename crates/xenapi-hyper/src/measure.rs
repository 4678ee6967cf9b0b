//! What hosts measure: `/rrd_updates`, once or over time.

use core::fmt;

use xenapi_client::metrics::{self, Follower, Merged, Query, Updates};
use xenapi_core::Ref;
use xenapi_model::Host;

use crate::call_error::{Error, ErrorKind};
use crate::client::Client;
use crate::transport::Transport;

const WHAT: &str = "GET /rrd_updates";

impl Client {
    /// What a host measured of itself and of the VMs on it. Each host knows only its own.
    ///
    /// # Errors
    /// When the server or that host refuses or does not answer, or what it answers cannot be read.
    pub async fn metrics(&self, host: &Ref<Host>, query: &Query) -> Result<Updates, Error> {
        let transport = self.host(host).await?;
        self.metrics_at(&transport, query).await
    }

    /// Follows what a host measures: the last `span` seconds, in steps of at least `interval` seconds; 0 is the finest that reaches so far.
    /// Nothing is asked before [`HostMetrics::refresh`].
    ///
    /// # Errors
    /// When the host is not known, or its certificate is not.
    pub async fn follow_metrics(&self, host: &Ref<Host>, span: u32, interval: u32) -> Result<HostMetrics, Error> {
        let transport = self.host(host).await?;
        Ok(HostMetrics { client: self.clone(), transport, follower: Follower::new(span, interval) })
    }

    async fn metrics_at(&self, transport: &Transport, query: &Query) -> Result<Updates, Error> {
        let document = self.get(transport, &query.path()).await.map_err(|error| self.failed(WHAT, error))?;
        metrics::read(&document).map_err(|error| Error::new(WHAT, transport.target(), ErrorKind::Unreadable(error)))
    }
}

/// What a host measures, as it comes.
pub struct HostMetrics {
    client: Client,
    transport: Transport,
    follower: Follower,
}

impl fmt::Debug for HostMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostMetrics({})", self.transport.target())
    }
}

impl HostMetrics {
    /// Asks for what is new. Hosts measure every 5 s, so more often brings nothing.
    ///
    /// # Errors
    /// When the host refuses or does not answer, or what it answers cannot be read. What was known stays, and this may be called again.
    pub async fn refresh(&mut self) -> Result<Merged, Error> {
        let updates = self.client.metrics_at(&self.transport, &self.follower.query()).await?;
        Ok(self.follower.merge(&updates))
    }

    /// What is known.
    pub fn window(&self) -> &Follower {
        &self.follower
    }
}
