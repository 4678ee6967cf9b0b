//! TLS with the trust that the caller chose.

use core::fmt;
use core::time::Duration;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    self, CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
};

use crate::certificate::{Fingerprint, SeenCertificate};
use crate::connect;
use crate::error::{TransportError, TransportErrorKind, Untrusted};
use crate::target::Target;
use crate::trust::{KnownHosts, Trust};

/// How TLS is begun with one host.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(crate) connector: TlsConnector,
    pub(crate) name: ServerName<'static>,
}

impl Tls {
    /// # Errors
    /// When the host cannot be a server's name.
    pub(crate) fn new(host: &str, port: u16, trust: &Trust) -> Result<Self, String> {
        let provider = Arc::new(ring::default_provider());
        let roots = match trust {
            Trust::System | Trust::Known(_) | Trust::FirstUse(_) => system_roots(&provider),
            Trust::Authority(roots) => verifier(roots.store(), &provider),
            Trust::Pinned(_) => None,
        };
        let judge = Judge::Trust { trust: trust.clone(), roots };
        Tls::with(host, port, judge, provider)
    }

    fn with(host: &str, port: u16, judge: Judge, provider: Arc<CryptoProvider>) -> Result<Self, String> {
        let name = ServerName::try_from(host.to_owned()).map_err(|error| format!("{host:?} is no host name: {error}"))?;
        let verifier = Verifier { host: host.into(), port, judge, provider: provider.clone() };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Tls { connector: TlsConnector::from(Arc::new(config)), name })
    }
}

/// A verifier by the roots of the system, or `None` when it has none: then nothing is vouched for.
fn system_roots(provider: &Arc<CryptoProvider>) -> Option<Arc<WebPkiServerVerifier>> {
    let mut roots = RootCertStore::empty();
    // Systems carry a few roots that cannot be read; the others count.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    verifier(Arc::new(roots), provider)
}

fn verifier(roots: Arc<RootCertStore>, provider: &Arc<CryptoProvider>) -> Option<Arc<WebPkiServerVerifier>> {
    WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build().ok()
}

/// The certificate that a server shows, trusted or not. The server proves that it has the key; nothing is sent to it.
///
/// # Errors
/// When the target has no TLS, or there is no connection.
pub async fn inspect(target: &Target, timeout: Duration) -> Result<SeenCertificate, TransportError> {
    let failed = |kind| TransportError::new(target, kind);
    let Target::Https { host, port } = target else {
        return Err(failed(TransportErrorKind::Request("it shows no certificate; only https:// has one".into())));
    };
    let seen = Arc::new(Mutex::new(None));
    let tls = Tls::with(host, *port, Judge::Look(seen.clone()), Arc::new(ring::default_provider()));
    let tls = tls.map_err(|why| failed(TransportErrorKind::Request(why)))?;
    connect::connect(target, Some(&tls), timeout).await?;
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    seen.ok_or_else(|| failed(TransportErrorKind::Tls("the server showed no certificate".into())))
}

enum Judge {
    Trust {
        trust: Trust,
        roots: Option<Arc<WebPkiServerVerifier>>,
    },
    /// Accepts and notes: for looking at a certificate, over a connection that carries nothing.
    Look(Arc<Mutex<Option<SeenCertificate>>>),
}

struct Verifier {
    host: String,
    port: u16,
    judge: Judge,
    provider: Arc<CryptoProvider>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({}:{})", self.host, self.port)
    }
}

/// A certificate with the chain that came with it.
struct Shown<'a> {
    end: &'a CertificateDer<'a>,
    chain: &'a [CertificateDer<'a>],
    name: &'a ServerName<'a>,
    ocsp: &'a [u8],
    now: UnixTime,
}

/// Why a certificate is not trusted, and which one was expected.
struct Doubt(String, Option<Fingerprint>);

impl From<String> for Doubt {
    fn from(why: String) -> Self {
        Doubt(why, None)
    }
}

impl Verifier {
    fn by_roots(&self, shown: &Shown<'_>, roots: Option<&WebPkiServerVerifier>) -> Result<(), Doubt> {
        let roots = roots.ok_or_else(|| "this system has no root certificates".to_owned())?;
        let verdict = roots.verify_server_cert(shown.end, shown.chain, shown.name, shown.ocsp, shown.now);
        let whose = match &self.judge {
            Judge::Trust { trust: Trust::Authority(roots), .. } => format!("certificate in {}", roots.source()),
            _ => "root certificate of this system".into(),
        };
        verdict.map(drop).map_err(|error| in_words(&error, &whose).into())
    }

    fn by_store(&self, shown: &Shown<'_>, store: &KnownHosts, roots: Option<&WebPkiServerVerifier>) -> Result<(), Doubt> {
        match store.get(&self.host, self.port) {
            Some(known) => same(known, shown, &format!("recorded in {}", store.path().display())),
            None => self.by_roots(shown, roots),
        }
    }

    fn judge(&self, shown: &Shown<'_>) -> Result<(), Doubt> {
        match &self.judge {
            Judge::Look(seen) => {
                *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(SeenCertificate::of(shown.end));
                Ok(())
            }
            Judge::Trust { trust: Trust::Pinned(pin), .. } => same(*pin, shown, "pinned"),
            Judge::Trust { trust: Trust::System | Trust::Authority(_), roots } => self.by_roots(shown, roots.as_deref()),
            Judge::Trust { trust: Trust::Known(store), roots } => self.by_store(shown, store, roots.as_deref()),
            Judge::Trust { trust: Trust::FirstUse(store), roots } => {
                let first = store.get(&self.host, self.port).is_none();
                match self.by_store(shown, store, roots.as_deref()) {
                    Err(_) if first => {
                        let recorded = store.remember(&self.host, self.port, Fingerprint::of(shown.end));
                        recorded.map_err(|error| format!("it is new and cannot be recorded: {error}").into())
                    }
                    verdict => verdict,
                }
            }
        }
    }
}

/// Why the roots do not vouch for a certificate. For most reasons the library has no words but the names of its own types.
fn in_words(error: &rustls::Error, whose: &str) -> String {
    let rustls::Error::InvalidCertificate(why) = error else { return error.to_string() };
    match why {
        CertificateError::Expired => "it has expired".into(),
        CertificateError::NotValidYet => "it is not valid yet".into(),
        CertificateError::NotValidForName => "it is for another host".into(),
        CertificateError::Revoked => "it was revoked".into(),
        CertificateError::BadEncoding => "it is broken".into(),
        CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYetContext { .. }
        | CertificateError::NotValidForNameContext { .. } => why.to_string(),
        _ => format!("no {whose} vouches for it"),
    }
}

fn same(wanted: Fingerprint, shown: &Shown<'_>, source: &str) -> Result<(), Doubt> {
    if Fingerprint::of(shown.end) == wanted {
        return Ok(());
    }
    let why =
        format!("it is another than the one {source}, {wanted}; the server has a new one, or somebody stands in between");
    Err(Doubt(why, Some(wanted)))
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verdict = self.judge(&Shown { end, chain, name, ocsp, now });
        verdict.map(|()| ServerCertVerified::assertion()).map_err(|Doubt(why, expected)| {
            let seen = SeenCertificate::of(end);
            let untrusted = Untrusted { host: self.host.clone(), port: self.port, seen, expected, why };
            rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(untrusted))))
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What an error of the handshake means.
pub(crate) fn handshake_error(error: &std::io::Error) -> TransportErrorKind {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    if let Some(rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(why)))) = tls
        && let Some(untrusted) = why.downcast_ref::<Untrusted>()
    {
        return TransportErrorKind::Untrusted(Box::new(untrusted.clone()));
    }
    TransportErrorKind::Tls(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_certificate_is_not_trusted_is_said_in_words() {
        let unlike = CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id: vec![6, 8, 42],
            public_key_algorithm_id: vec![6, 9, 42],
        };
        for (why, says) in [
            (CertificateError::UnknownIssuer, "no root certificate of this system vouches for it"),
            (unlike, "no root certificate of this system vouches for it"),
            (CertificateError::NotValidForName, "it is for another host"),
        ] {
            assert_eq!(in_words(&rustls::Error::InvalidCertificate(why), "root certificate of this system"), says);
        }
    }
}
