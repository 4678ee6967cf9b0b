//! The hosts of a pool: where they are, and which certificates they show.

use xenapi_core::{Ref, get_all_records};
use xenapi_model::certificate::CertificateType;
use xenapi_model::{Certificate, Host, Pool, host};

use crate::call_error::{Error, ErrorKind};
use crate::certificate::Fingerprint;
use crate::client::Client;
use crate::error::TransportError;
use crate::transport::Transport;

/// A host of the pool.
#[derive(Clone, PartialEq, Debug)]
pub struct PoolHost {
    /// The host.
    pub host: Ref<Host>,
    /// Its name.
    pub name: String,
    /// Where it is managed.
    pub address: String,
    /// The certificate that it shows to clients. Servers before Citrix Hypervisor 8.2 do not tell.
    pub certificate: Option<Fingerprint>,
}

impl Client {
    /// The hosts of the pool with their certificates.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn pool_hosts(&self) -> Result<Vec<PoolHost>, Error> {
        let hosts = self.call(get_all_records::<Host>()).await?.records;
        let certificates = match self.call(get_all_records::<Certificate>()).await {
            Ok(certificates) => certificates.records,
            Err(error) if error.is_unknown_method() => Default::default(),
            Err(error) => return Err(error),
        };
        let shown = |of: &Ref<Host>| {
            let of_host = certificates.iter().map(|(_, it)| it);
            let of_host = of_host.filter(|it| it.r#type == CertificateType::Host && it.host.as_ref() == Some(of));
            // While a host gets a new one, both may be there.
            let newest = of_host.max_by_key(|it| it.not_after)?;
            let sha256 = if newest.fingerprint_sha256.is_empty() { &newest.fingerprint } else { &newest.fingerprint_sha256 };
            sha256.parse().ok()
        };
        Ok(hosts
            .into_iter()
            .map(|(host, record)| {
                let certificate = shown(&host);
                PoolHost { host, name: record.name_label, address: record.address, certificate }
            })
            .collect())
    }

    /// Trusts all hosts of the pool by the word of this one: the certificates that it tells are expected from the others, and are recorded
    /// where hosts are known by a store. A record that there is stays. Over plain HTTP nothing is learnt.
    ///
    /// # Errors
    /// When the server refuses or does not answer, or the store cannot be written.
    pub async fn trust_pool(&self) -> Result<Vec<PoolHost>, Error> {
        let hosts = self.pool_hosts().await?;
        if self.transport().is_known_by_certificate() {
            for host in &hosts {
                let Some(certificate) = host.certificate else { continue };
                self.transport().vouch(&host.address, certificate);
                self.other(&host.address, None).map_err(|error| self.failed("Certificate.get_all_records", error))?;
            }
        }
        Ok(hosts)
    }

    /// Connections to another host of the pool, at that address and port. Where hosts are known by their certificates, this one is asked for
    /// the other's.
    pub(crate) async fn host_at(&self, address: &str, port: Option<u16>) -> Result<Transport, Error> {
        if self.transport().is_known_by_certificate() && self.transport().vouched_for(address).is_none() {
            self.trust_pool().await?;
        }
        self.other(address, port).map_err(|error| self.failed("host.get_address", error))
    }

    /// Connections to a host of the pool.
    pub(crate) async fn host(&self, host: &Ref<Host>) -> Result<Transport, Error> {
        let pools = self.call(get_all_records::<Pool>()).await?.records;
        if pools.iter().any(|(_, pool)| pool.master == *host) {
            return Ok(self.transport().clone());
        }
        let address = self.call(host::fields::ADDRESS.get(host)).await?;
        if address.is_empty() {
            return Err(self.error("host.get_address", ErrorKind::Unusable("the host has no address".into())));
        }
        self.host_at(&address, None).await
    }

    pub(crate) fn failed(&self, what: &str, error: TransportError) -> Error {
        Error::new(what, error.target(), ErrorKind::Transport(error.clone()))
    }
}

/// An address of the form `https://HOST[:PORT]/PATH?QUERY`, as consoles and redirects have it.
pub(crate) struct Location<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: Option<u16>,
    pub(crate) path: &'a str,
}

impl<'a> Location<'a> {
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        let at = rest.find('/')?;
        let (authority, path) = rest.split_at(at);
        let (host, port) = match authority.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let port = port.map(str::parse).transpose().ok()?;
        (!host.is_empty()).then_some(Location { host, port, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_taken_apart() {
        let parts = |text| Location::parse(text).map(|it| (it.host, it.port, it.path));
        assert_eq!(parts("https://10.0.0.1/console?uuid=x"), Some(("10.0.0.1", None, "/console?uuid=x")));
        assert_eq!(parts("https://[fe80::1]:8443/x"), Some(("fe80::1", Some(8443), "/x")));
        assert_eq!(parts("https://xs1:444/"), Some(("xs1", Some(444), "/")));
        for wrong in ["", "/console", "https:///x", "https://xs1", "https://xs1:http/", "rdp://xs1/"] {
            assert_eq!(parts(wrong), None, "{wrong}");
        }
    }
}
