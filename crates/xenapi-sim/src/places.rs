//! Where hosts answer, as far as the pool's own records say it: addresses, locations of consoles, certificates.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use xenapi_core::{DateTime, RawRef, Value};

use crate::{HostId, Origin, Sim};

/// The certificate that a host shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostCertificate {
    /// SHA-256 of it, in hexadecimal with colons.
    pub sha256: String,
    /// SHA-1 of it.
    pub sha1: String,
    /// From when on it is valid, in seconds since 1970.
    pub not_before: i64,
    /// Until when.
    pub not_after: i64,
}

impl Sim {
    /// Writes down at which address a host answers: in its record, on its management interface, and in the locations of consoles. `port` is
    /// that of TLS where it is not the usual one; redirects and consoles carry it.
    pub fn set_address(&mut self, host: &RawRef, address: &str, port: Option<u16>) {
        if !self.store.contains("host", host.as_str()) {
            return;
        }
        let authority = match port {
            // An IPv6 address has colons of its own.
            Some(port) if address.contains(':') => format!("[{address}]:{port}"),
            Some(port) => format!("{address}:{port}"),
            None => address.to_string(),
        };
        self.authorities.insert(host.clone(), authority.clone());
        let old = self.store.text("host", host.as_str(), "address").to_string();
        self.store.put("host", host.as_str(), "address", address);
        for pif in self.store.refs("host", host.as_str(), "PIFs") {
            if self.store.flag("PIF", pif.as_str(), "management") {
                self.store.put("PIF", pif.as_str(), "IP", address);
            }
        }
        for console in self.store.all("console") {
            let location = self.store.text("console", console.as_str(), "location");
            if let Some(rest) = location.strip_prefix(&format!("https://{old}/")) {
                let location = format!("https://{authority}/{rest}");
                self.store.put("console", console.as_str(), "location", location);
            }
        }
        self.notice_changes();
    }

    /// Where clients reach a host over TLS: `ADDRESS`, or `ADDRESS:PORT` where the server said so by [`Sim::set_address`].
    pub fn authority(&self, host: &RawRef) -> String {
        match self.authorities.get(host) {
            Some(authority) => authority.clone(),
            None => self.store.text("host", host.as_str(), "address").into(),
        }
    }

    /// The origin of calls to a host's own address. A host that is not in the pool any more counts as its master.
    pub fn origin_of(&self, host: &RawRef) -> Origin {
        self.store.table("host").serial(host.as_str()).map_or(Origin::Tcp, |serial| Origin::Host(HostId::of(serial)))
    }

    /// Writes down the certificate that a host shows; without a host, it is the master's. An older one of the host goes.
    pub fn set_certificate(&mut self, host: Option<&RawRef>, certificate: &HostCertificate) {
        let host = host.cloned().unwrap_or_else(|| self.master());
        if !self.store.contains("host", host.as_str()) {
            return;
        }
        for old in self.certificates_of(&host) {
            self.store.remove("Certificate", old.as_str());
        }
        let (reference, uuid) = (self.random.reference(), self.random.uuid());
        let draft = self.store.draft("Certificate");
        let draft = draft
            .with("uuid", uuid)
            .with("type", "host")
            .with("host", &host)
            .with("not_before", DateTime::from_unix(certificate.not_before))
            .with("not_after", DateTime::from_unix(certificate.not_after))
            .with("fingerprint", certificate.sha256.as_str())
            .with("fingerprint_sha256", certificate.sha256.as_str())
            .with("fingerprint_sha1", certificate.sha1.as_str());
        self.store.insert(&reference, draft);
        self.notice_changes();
    }

    fn certificates_of(&self, host: &RawRef) -> Vec<RawRef> {
        let mut all = self.store.all("Certificate");
        all.retain(|certificate| {
            let of = certificate.as_str();
            self.store.reference("Certificate", of, "host") == *host && self.store.text("Certificate", of, "type") == "host"
        });
        all
    }

    /// The fingerprint of the master's certificate, of SHA-1 or SHA-256.
    pub fn master_thumbprint(&self, sha1: bool) -> Option<String> {
        let certificate = self.certificates_of(&self.master()).pop()?;
        let field = if sha1 { "fingerprint_sha1" } else { "fingerprint_sha256" };
        Some(self.store.text("Certificate", certificate.as_str(), field).to_string()).filter(|text| !text.is_empty())
    }

    /// Whether a host, or the master, answers over TLS only.
    pub fn is_https_only(&self, host: Option<&RawRef>) -> bool {
        let host = host.cloned().unwrap_or_else(|| self.master());
        self.store.value("host", host.as_str(), "https_only").and_then(Value::as_bool).unwrap_or(false)
    }
}
