//! Certificates made for one server, and the TLS that xapi speaks.

use core::net::IpAddr;
use std::io;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use ::ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::version::TLS12;
use tokio_rustls::rustls::{ServerConfig, crypto::CryptoProvider};

use super::ServeError;
use crate::certificate::Fingerprint;

/// What a certificate that a server shows says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShownCertificate {
    /// SHA-256 of it.
    pub fingerprint: Fingerprint,
    /// SHA-1 of it, in hexadecimal with colons.
    pub sha1: String,
    /// From when on it is valid, in seconds since 1970.
    pub not_before: i64,
    /// Until when.
    pub not_after: i64,
}

/// A certificate made for one server, ready to be shown.
pub(super) struct Made {
    pub(super) acceptor: TlsAcceptor,
    pub(super) shown: ShownCertificate,
}

/// Ten years, as the certificate that a host makes at its installation.
const LIFE: i64 = 10 * 365 * 86_400;

/// A self-signed certificate for localhost and the address, and the TLS that xapi speaks with one: 1.2 only, with AES-GCM on secp384r1.
/// (xapi's key is RSA. This one is ECDSA: nothing here can make RSA keys in reasonable time.)
pub(super) fn make(address: IpAddr) -> Result<Made, ServeError> {
    let failed = |error: &dyn core::fmt::Display| ServeError::new("make a certificate", io::Error::other(error.to_string()));
    let mut names = Vec::from(["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()]);
    let own = address.to_string();
    if !address.is_unspecified() && !names.contains(&own) {
        names.push(own);
    }
    let name = names.last().filter(|_| names.len() > 3).cloned().unwrap_or_else(|| "localhost".into());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let not_before = i64::try_from(now).unwrap_or(0) - 86_400;
    let made = rcgen::KeyPair::generate().and_then(|key| {
        let mut params = rcgen::CertificateParams::new(names)?;
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.not_before = rcgen::date_time_ymd(1970, 1, 1) + core::time::Duration::from_secs(not_before.unsigned_abs());
        params.not_after = params.not_before + core::time::Duration::from_secs(LIFE.unsigned_abs());
        Ok((params.self_signed(&key)?, key))
    });
    let (certificate, key) = made.map_err(|error| failed(&error))?;
    let sha1 = digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate.der());
    let shown = ShownCertificate {
        fingerprint: Fingerprint::of(certificate.der()),
        sha1: sha1.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":"),
        not_before,
        not_after: not_before + LIFE,
    };
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(|error| failed(&error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[&TLS12])
        .and_then(|config| config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key))
        .map_err(|error| failed(&error))?;
    Ok(Made { acceptor: TlsAcceptor::from(Arc::new(config)), shown })
}

fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![
            ring::cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            ring::cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        ],
        kx_groups: vec![ring::kx_group::SECP384R1],
        ..ring::default_provider()
    }
}
