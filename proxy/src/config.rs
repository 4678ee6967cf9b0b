//! The proxy's configuration file.
//!
//! ```toml
//! listen = "0.0.0.0:8080"
//! console = "dist"                     # the built console
//! read_only = false
//! behind_tls = true                    # browsers come through TLS: cookies are kept to it
//! cookie_key_file = "cookie.key"       # 32 bytes, or 64 hexadecimal digits; proxies with one key share their sessions
//!
//! [limits]
//! request_bytes = 307200
//! answer_seconds = 3600
//! connections = 1024
//!
//! [[pools]]
//! name = "lab"
//! label = "Lab, second floor"
//! url = "https://xs1.example"
//! fingerprint = "…"                    # SHA-256 of the certificate, where `xenoxide trust` does not know it
//! read_only = true
//!
//! [[pools]]
//! name = "here"
//! url = "unix:/var/lib/xcp/xapi"       # there everyone is root, so the proxy asks for a password
//! password_file = "here.password"
//! ```
//!
//! Paths are relative to the folder of the file. Keys that are not known are errors, so that none is misspelt unnoticed.

use core::net::SocketAddr;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, de};
use xenapi_hyper::{Fingerprint, Target};

use crate::cli::Exit;
use crate::serve::router::is_pool_name;
use crate::serve::seal::KEY_BYTES;

/// The configuration file.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where browsers connect.
    #[serde(deserialize_with = "address")]
    pub listen: Option<SocketAddr>,
    /// The folder of the built console.
    pub console: Option<PathBuf>,
    /// Whether calls that may change something are refused, for every pool.
    pub read_only: bool,
    /// Whether browsers come through TLS that ends in front of the proxy.
    pub behind_tls: bool,
    /// The file of the key that seals sessions. Without it the key is made at the start.
    pub cookie_key_file: Option<PathBuf>,
    /// What is taken at most.
    pub limits: Limits,
    /// The pools.
    pub pools: Vec<Pool>,
}

/// What is taken at most.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Bytes of a call. xapi itself takes 300 KiB.
    pub request_bytes: usize,
    /// Seconds until a pool must have begun to answer. Some calls take very long.
    pub answer_seconds: u64,
    /// Open connections of browsers and programs.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { request_bytes: 300 << 10, answer_seconds: 3600, connections: 1024 }
    }
}

/// A pool to serve.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// The name in addresses.
    #[serde(deserialize_with = "pool_name")]
    pub name: String,
    /// The name for people. Without one, the name in addresses.
    #[serde(default)]
    pub label: Option<String>,
    /// Where it is.
    #[serde(deserialize_with = "parsed")]
    pub url: Target,
    /// The certificate that it shows.
    #[serde(default, deserialize_with = "fingerprint")]
    pub fingerprint: Option<Fingerprint>,
    /// The file with the password that the proxy asks root for, needed where the pool asks for none: on its Unix socket.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// Whether calls that may change something are refused.
    #[serde(default)]
    pub read_only: bool,
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, is not TOML, or says something that cannot be: which line, and what.
    pub fn load(path: &Path) -> Result<Self, Exit> {
        let failed = |what: String| Exit::failure(format!("the configuration {}: {what}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let mut config: Config = toml::from_str(&text).map_err(|error| failed(explain(&text, &error)))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let passwords = config.pools.iter_mut().map(|pool| &mut pool.password_file);
        for path in [&mut config.console, &mut config.cookie_key_file].into_iter().chain(passwords).flatten() {
            *path = folder.join(&*path);
        }
        Ok(config)
    }
}

/// Reads the key that seals sessions.
///
/// # Errors
/// When the file cannot be read or holds no key.
pub fn read_key(path: &Path) -> Result<[u8; KEY_BYTES], Exit> {
    let failed = |what: &str| Exit::failure(format!("the cookie key {}: {what}", path.display()));
    let bytes = fs::read(path).map_err(|error| failed(&error.to_string()))?;
    if let Ok(key) = <[u8; KEY_BYTES]>::try_from(bytes.as_slice()) {
        return Ok(key);
    }
    // A key in hexadecimal has the length of a fingerprint.
    let digits = core::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse::<Fingerprint>().ok());
    digits
        .map(|key| key.0)
        .ok_or_else(|| failed("it must hold 32 bytes or 64 hexadecimal digits; `head -c 32 /dev/urandom > FILE` makes one"))
}

/// Reads a password: the first line of a file.
///
/// # Errors
/// When the file cannot be read or holds none.
pub fn read_password(path: &Path) -> Result<String, Exit> {
    let failed = |what: &str| Exit::failure(format!("the password file {}: {what}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| failed(&error.to_string()))?;
    let password = text.lines().next().unwrap_or_default();
    if password.is_empty() { Err(failed("its first line must be the password, and is empty")) } else { Ok(password.into()) }
}

fn explain(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    let line = line.map_or_else(String::new, |line| format!("line {line}: "));
    format!("{line}{}", error.message().trim().replace('\n', ", "))
}

fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    String::deserialize(from)
}

fn parsed<'de, D: Deserializer<'de>, T: core::str::FromStr<Err: core::fmt::Display>>(from: D) -> Result<T, D::Error> {
    text(from)?.parse().map_err(de::Error::custom)
}

fn address<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SocketAddr>, D::Error> {
    crate::cli::address(&text(from)?).map(Some).map_err(de::Error::custom)
}

fn fingerprint<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Fingerprint>, D::Error> {
    parsed(from).map(Some)
}

fn pool_name<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let name = text(from)?;
    if is_pool_name(&name) {
        return Ok(name);
    }
    let what = format!("{name:?} cannot name a pool: take letters, digits, `-`, `_` and `.`, at most 64");
    Err(de::Error::custom(what))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;

    fn load(text: &str) -> Result<Config, Exit> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("xenoxide.toml");
        fs::write(&path, text).unwrap();
        Config::load(&path)
    }

    #[test]
    fn the_documented_file_is_read() {
        let documented: String = include_str!("config.rs")
            .lines()
            .skip_while(|line| *line != "//! ```toml")
            .skip(1)
            .take_while(|line| *line != "//! ```")
            .map(|line| line.trim_start_matches("//!").trim_start().to_owned() + "\n")
            .collect();
        let config = load(&documented.replace('…', &"ab".repeat(32))).unwrap();
        assert_eq!(config.pools[0].url.to_string(), "https://xs1.example");
        assert!(config.console.unwrap().is_absolute());
        assert!(config.behind_tls && config.pools[0].read_only && config.pools[0].fingerprint.is_some());
    }

    #[test]
    fn mistakes_are_told_with_their_lines() {
        for (text, says) in [
            ("listen = \"nowhere\"", "line 1: \"nowhere\" is no address"),
            ("\nlisten_on = \"[::]:80\"", "line 2: unknown field `listen_on`"),
            ("[[pools]]\nname = \"a b\"\nurl = \"https://x\"", "line 2: \"a b\" cannot name a pool"),
            ("[[pools]]\nname = \"a\"\nurl = \"x\"", "line 3: \"x\" is no target"),
            ("[[pools]]\nname = \"a\"", "missing field `url`"),
            ("[[pools]\n", "line 1: "),
        ] {
            let error = load(text).unwrap_err();
            assert!(error.message.contains(says) && error.code == 1, "{text:?}: {}", error.message);
        }
        assert!(Config::load(Path::new("/no/such/file")).unwrap_err().message.contains("/no/such/file"));
    }

    #[test]
    fn keys_come_as_bytes_or_digits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, [9; 32]).unwrap();
        assert_eq!(read_key(&path).unwrap(), [9; 32]);
        fs::write(&path, "09".repeat(32) + "\n").unwrap();
        assert_eq!(read_key(&path).unwrap(), [9; 32]);
        fs::write(&path, "short").unwrap();
        assert!(read_key(&path).unwrap_err().message.contains("32 bytes"));
    }
}
