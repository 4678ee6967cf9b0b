//! Which certificates are accepted.

use core::fmt;
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

use crate::certificate::{Fingerprint, SeenCertificate};
use crate::target::bracketed;

/// Which certificate a server may show. Signatures of the handshake are verified in every case.
///
/// Servers have self-signed certificates from their installation, which no system root vouches for: pin them or keep them in a store.
#[derive(Clone, Debug)]
pub enum Trust {
    /// What the system's root certificates vouch for, with the host's name and a date that holds.
    System,
    /// What these root certificates vouch for, with the host's name and a date that holds; the system's do not count.
    Authority(Roots),
    /// This certificate and no other, whatever it says.
    Pinned(Fingerprint),
    /// The certificate recorded for the host, and no other; a host without a record needs the system's roots.
    Known(KnownHosts),
    /// As [`Trust::Known`], but the first certificate that an unknown host shows is recorded and accepted from then on. Somebody
    /// in between at that moment is not noticed.
    FirstUse(KnownHosts),
}

/// Root certificates of one's own, such as those of a company's authority. Clones share them.
#[derive(Clone)]
pub struct Roots {
    store: Arc<RootCertStore>,
    source: Arc<str>,
}

impl Roots {
    /// Reads root certificates from a file in PEM. A server's own certificate, signed by itself, may be one.
    ///
    /// # Errors
    /// When the file cannot be read, holds no certificate, or one that cannot be a root.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let pem = std::fs::read(path).map_err(|error| StoreError(format!("cannot read {}: {error}", path.display())))?;
        Roots::from_pem(&pem, &path.display().to_string())
    }

    /// Reads root certificates from text in PEM; errors call it `source`.
    ///
    /// # Errors
    /// When it holds no certificate, or one that cannot be a root.
    pub fn from_pem(pem: &[u8], source: &str) -> Result<Self, StoreError> {
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| StoreError(format!("{source} is no PEM: {error}")))?;
            let seen = SeenCertificate::of(&certificate);
            store.add(certificate).map_err(|error| {
                StoreError(format!("{source}: the certificate of {:?} cannot be a root: {error}", seen.subject))
            })?;
        }
        if store.is_empty() {
            return Err(StoreError(format!("{source} holds no certificate: it should have BEGIN CERTIFICATE lines (PEM)")));
        }
        Ok(Roots { store: Arc::new(store), source: source.into() })
    }

    pub(crate) fn store(&self) -> Arc<RootCertStore> {
        self.store.clone()
    }

    /// What they came from.
    pub fn source(&self) -> &str {
        &self.source
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Roots({}, {} certificates)", self.source, self.store.len())
    }
}

impl Trust {
    /// What holds for another host of the same pool whose certificate a trusted host has vouched for. A record that there is stays:
    /// if it says otherwise, the connection is refused and both fingerprints are shown.
    pub(crate) fn vouched(&self, host: &str, port: u16, fingerprint: Fingerprint) -> Result<Trust, StoreError> {
        match self {
            // Who vouches is one of these hosts, but what was asked for is the word of an authority.
            Trust::System | Trust::Authority(_) => Ok(self.clone()),
            Trust::Pinned(_) => Ok(Trust::Pinned(fingerprint)),
            Trust::Known(store) | Trust::FirstUse(store) => {
                if store.get(host, port).is_none() {
                    store.remember(host, port, fingerprint)?;
                }
                Ok(self.clone())
            }
        }
    }

    /// Whether hosts are known by their certificates alone, so that each needs its own decision or another host's word.
    pub(crate) fn is_by_certificate(&self) -> bool {
        matches!(self, Trust::Pinned(_) | Trust::Known(_) | Trust::FirstUse(_))
    }
}

/// Certificates by host, kept in a file: a line `HOST:PORT SHA256` each; `#` begins a comment. Clones share one store. The file is
/// read whenever a certificate is looked up, so that what others record or strike out counts at once.
#[derive(Clone)]
pub struct KnownHosts(Arc<Inner>);

struct Inner {
    path: PathBuf,
    known: Mutex<BTreeMap<String, Fingerprint>>,
}

/// The store of certificates cannot be read or written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoreError(String);

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for StoreError {}

impl KnownHosts {
    /// Reads the store at `path`. A file that does not exist is an empty store.
    ///
    /// # Errors
    /// When the file cannot be read, or a line is not `HOST:PORT SHA256`.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        let known = parse(&path, &read(&path)?)?;
        Ok(KnownHosts(Arc::new(Inner { path, known: Mutex::new(known) })))
    }

    /// Where the store is.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The certificate recorded for a host. While the file cannot be read, what it said before holds.
    pub fn get(&self, host: &str, port: u16) -> Option<Fingerprint> {
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(now) = read(&self.0.path).and_then(|text| parse(&self.0.path, &text)) {
            *known = now;
        }
        known.get(&key(host, port)).copied()
    }

    /// Records a certificate for a host, in place of an earlier one, and writes the file. What others added to the file
    /// meanwhile stays.
    ///
    /// # Errors
    /// When the file cannot be read or written; then nothing is recorded.
    pub fn remember(&self, host: &str, port: u16, fingerprint: Fingerprint) -> Result<(), StoreError> {
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        let path = &self.0.path;
        let (text, key) = (read(path)?, key(host, port));
        parse(path, &text)?;
        let of_host = |line: &&str| line.split_whitespace().next().is_some_and(|first| first.eq_ignore_ascii_case(&key));
        let mut lines: Vec<&str> = text.lines().filter(|line| !of_host(line)).collect();
        let line = format!("{key} {}", fingerprint.to_hex());
        lines.push(&line);
        let text = lines.join("\n") + "\n";
        write(path, &text).map_err(|error| StoreError(format!("cannot write {}: {error}", path.display())))?;
        *known = parse(path, &text)?;
        Ok(())
    }
}

impl fmt::Debug for KnownHosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KnownHosts({})", self.0.path.display())
    }
}

fn key(host: &str, port: u16) -> String {
    format!("{}:{port}", bracketed(host)).to_ascii_lowercase()
}

fn read(path: &Path) -> Result<String, StoreError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(StoreError(format!("cannot read {}: {error}", path.display()))),
    }
}

fn parse(path: &Path, text: &str) -> Result<BTreeMap<String, Fingerprint>, StoreError> {
    let mut known = BTreeMap::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let wrong = |what: &str| StoreError(format!("{}, line {}: {what}", path.display(), at + 1));
        let (host, fingerprint) = line.split_once(char::is_whitespace).ok_or_else(|| wrong("expected HOST:PORT SHA256"))?;
        let fingerprint = fingerprint.trim().parse::<Fingerprint>().map_err(|error| wrong(&error.to_string()))?;
        known.insert(host.to_ascii_lowercase(), fingerprint);
    }
    Ok(known)
}

/// Writes beside the file and renames, so that nobody reads half of it. Nobody else may write the new file.
fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let path = match std::fs::metadata(path) {
        // A device such as /dev/null is not to be replaced.
        Ok(there) if !there.is_file() => return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file")),
        // A link stays one, and what it leads to is replaced.
        Ok(_) => std::fs::canonicalize(path)?,
        Err(_) => path.to_owned(),
    };
    let mut beside = path.clone().into_os_string();
    beside.push(format!(".{}", std::process::id()));
    // Left behind by an earlier process of the same number.
    let _ = std::fs::remove_file(&beside);
    // Never through a link that somebody has put there.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    let written =
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        // The first error is the one that matters.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("xenapi-hyper-trust-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Folder(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_store_keeps_what_it_is_told() {
        let folder = Folder::new("keeps");
        let path = folder.0.join("deep/known_hosts");
        let store = KnownHosts::open(&path).unwrap();
        let (one, two) = (Fingerprint::of(b"one"), Fingerprint::of(b"two"));
        assert_eq!(store.get("xs1", 443), None);
        store.remember("xs1", 443, one).unwrap();
        store.remember("fe80::1", 443, one).unwrap();
        store.remember("XS1", 443, two).unwrap();
        let again = KnownHosts::open(&path).unwrap();
        assert_eq!(again.get("xs1", 443), Some(two));
        assert_eq!(again.get("fe80::1", 443), Some(one));
        assert_eq!(again.get("xs1", 444), None);
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2);
    }

    #[test]
    fn comments_and_the_lines_of_others_stay() {
        let folder = Folder::new("comments");
        let path = folder.0.join("known_hosts");
        let store = KnownHosts::open(&path).unwrap();
        let one = Fingerprint::of(b"one");
        std::fs::write(&path, format!("# the lab\nxs2:443 {one} # second\n")).unwrap();
        store.remember("xs1", 443, one).unwrap();
        assert_eq!(store.get("xs2", 443), Some(one));
        assert!(std::fs::read_to_string(&path).unwrap().starts_with("# the lab\nxs2:443"));
    }

    #[test]
    fn what_others_record_or_strike_out_counts_at_once() {
        let folder = Folder::new("others");
        let path = folder.0.join("known_hosts");
        let (store, other) = (KnownHosts::open(&path).unwrap(), KnownHosts::open(&path).unwrap());
        let (one, two) = (Fingerprint::of(b"one"), Fingerprint::of(b"two"));
        for fingerprint in [one, two] {
            other.remember("xs1", 443, fingerprint).unwrap();
            assert_eq!(store.get("xs1", 443), Some(fingerprint));
        }
        std::fs::write(&path, "half a line").unwrap();
        assert_eq!(store.get("xs1", 443), Some(two));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(store.get("xs1", 443), None);
    }

    #[test]
    fn only_its_user_may_write_the_file_and_links_and_devices_stay() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = Folder::new("careful");
        let (file, link, elsewhere) = (folder.0.join("real"), folder.0.join("known_hosts"), folder.0.join("elsewhere"));
        std::fs::write(&file, "# mine\n").unwrap();
        std::fs::write(&elsewhere, "precious").unwrap();
        symlink(&file, &link).unwrap();
        symlink(&elsewhere, folder.0.join(format!("real.{}", std::process::id()))).unwrap();
        KnownHosts::open(&link).unwrap().remember("xs1", 443, Fingerprint::of(b"one")).unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(std::fs::read_to_string(&file).unwrap().starts_with("# mine\nxs1:443 "));
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), "precious");
        // A socket instead of /dev/null, which a mistake would replace for the whole machine.
        let socket = folder.0.join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert_eq!(write(&socket, "x").unwrap_err().to_string(), "it is no regular file");
    }

    #[test]
    fn a_broken_line_is_named() {
        let folder = Folder::new("broken");
        let path = folder.0.join("known_hosts");
        for (text, wrong) in [("\nxs1:443\n", "line 2: expected"), ("xs1:443 abc", "line 1: \"abc\" is no SHA-256")] {
            std::fs::write(&path, text).unwrap();
            let error = KnownHosts::open(&path).unwrap_err().to_string();
            assert!(error.contains(wrong), "{error}");
        }
    }
}
