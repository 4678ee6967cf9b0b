//! Where a server is.

use core::fmt;
use core::str::FromStr;
use std::path::PathBuf;

/// Where a server is.
///
/// As text `https://host[:port]`, `http://host[:port]` or `unix:PATH`; `unix:` alone is the socket of xapi on a host. An IPv6 address stands in brackets.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Target {
    /// TLS over TCP. Port 443 unless said.
    Https {
        /// A name or an address, without brackets.
        host: String,
        /// The TCP port.
        port: u16,
    },
    /// Plain TCP. Port 80 unless said.
    Http {
        /// A name or an address, without brackets.
        host: String,
        /// The TCP port.
        port: u16,
    },
    /// A Unix socket, whose callers the server takes for root.
    Unix(PathBuf),
}

/// Text that is not a [`Target`]: what is wrong with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvalidTarget {
    text: String,
    wrong: String,
}

impl fmt::Display for InvalidTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no target: {}; write https://HOST[:PORT], http://HOST[:PORT] or unix:PATH", self.text, self.wrong)
    }
}

impl core::error::Error for InvalidTarget {}

impl Target {
    /// Host and port, where there are such.
    pub fn host_port(&self) -> Option<(&str, u16)> {
        match self {
            Target::Https { host, port } | Target::Http { host, port } => Some((host, *port)),
            Target::Unix(_) => None,
        }
    }

    /// What stands in the `Host` header: the port only where it is not the usual one.
    pub(crate) fn host_header(&self) -> String {
        match self {
            Target::Https { host, port: 443 } | Target::Http { host, port: 80 } => bracketed(host),
            Target::Https { host, port } | Target::Http { host, port } => format!("{}:{port}", bracketed(host)),
            Target::Unix(_) => "localhost".into(),
        }
    }
}

/// An IPv6 address in brackets, other hosts as they are.
pub(crate) fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.into() }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Https { .. } => write!(f, "https://{}", self.host_header()),
            Target::Http { .. } => write!(f, "http://{}", self.host_header()),
            Target::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl FromStr for Target {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        parse(text).map_err(|wrong| InvalidTarget { text: text.into(), wrong })
    }
}

fn parse(text: &str) -> Result<Target, String> {
    let Some((scheme, rest)) = text.split_once(':') else {
        return Err("it has no scheme".into());
    };
    match scheme.to_ascii_lowercase().as_str() {
        "https" => authority(rest, 443).map(|(host, port)| Target::Https { host, port }),
        "http" => authority(rest, 80).map(|(host, port)| Target::Http { host, port }),
        "unix" => unix(rest),
        // `localhost:8080` splits the same way as a scheme does.
        _ if !rest.starts_with("//") => Err("it has no scheme that is known".into()),
        other => Err(format!("the scheme {other:?} is unknown")),
    }
}

/// Where xapi listens on a host.
const XAPI_SOCKET: &str = "/var/lib/xcp/xapi";

fn unix(rest: &str) -> Result<Target, String> {
    // Both `unix:PATH` and `unix:///PATH` are in use.
    let path = rest.strip_prefix("//").unwrap_or(rest);
    Ok(Target::Unix(if path.is_empty() { XAPI_SOCKET } else { path }.into()))
}

fn authority(rest: &str, default_port: u16) -> Result<(String, u16), String> {
    let rest = rest.strip_prefix("//").ok_or("`//` is missing after the scheme")?;
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if let Some(at) = authority.find(['/', '?', '#']) {
        return Err(format!("a target has no path, but {:?} follows the host", &authority[at..]));
    }
    if authority.contains('@') {
        return Err("user and password do not belong into it".into());
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(inner) => bracketed_host(inner)?,
        None => plain_host(authority)?,
    };
    let port = match port {
        None => default_port,
        Some(port) => port_number(port)?,
    };
    Ok((host, port))
}

fn bracketed_host(inner: &str) -> Result<(String, Option<&str>), String> {
    let (address, after) = inner.split_once(']').ok_or("the bracket of the IPv6 address is not closed")?;
    address.parse::<core::net::Ipv6Addr>().map_err(|_| format!("{address:?} is no IPv6 address"))?;
    match after.strip_prefix(':') {
        Some(port) => Ok((address.into(), Some(port))),
        None if after.is_empty() => Ok((address.into(), None)),
        None => Err(format!("{after:?} follows the address")),
    }
}

fn plain_host(authority: &str) -> Result<(String, Option<&str>), String> {
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    if port.is_some_and(|port| port.contains(':')) {
        return Err("an IPv6 address stands in brackets".into());
    }
    if host.is_empty() {
        return Err("the host is missing".into());
    }
    if let Some(odd) = host.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'))) {
        return Err(format!("the host {host:?} contains {odd:?}"));
    }
    Ok((host.to_ascii_lowercase(), port))
}

fn port_number(port: &str) -> Result<u16, String> {
    let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    match port.parse() {
        Ok(number) if digits && number != 0 => Ok(number),
        _ => Err(format!("{port:?} is no port (1 to 65535)")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_a_target_is() {
        let https = |host: &str, port| Target::Https { host: host.into(), port };
        assert_eq!("https://xs1".parse(), Ok(https("xs1", 443)));
        assert_eq!("https://XS1.lab:8443/".parse(), Ok(https("xs1.lab", 8443)));
        assert_eq!("https://[fe80::1]:1".parse(), Ok(https("fe80::1", 1)));
        assert_eq!("http://10.0.0.1".parse(), Ok(Target::Http { host: "10.0.0.1".into(), port: 80 }));
        assert_eq!("unix:".parse(), Ok(Target::Unix("/var/lib/xcp/xapi".into())));
        assert_eq!("unix:/var/lib/xcp/xapi".parse(), Ok(Target::Unix("/var/lib/xcp/xapi".into())));
        assert_eq!("unix:///var/lib/xcp/xapi".parse(), Ok(Target::Unix("/var/lib/xcp/xapi".into())));
    }

    #[test]
    fn written_and_read_again() {
        for text in ["https://xs1", "https://xs1:8443", "http://[::1]", "http://[::1]:8080", "unix:/run/xapi"] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, wrong) in [
            ("", "no scheme"),
            ("xs1", "no scheme"),
            ("localhost:8080", "no scheme"),
            ("ftp://xs1", "\"ftp\" is unknown"),
            ("https:xs1", "`//`"),
            ("https://", "host is missing"),
            ("https://:443", "host is missing"),
            ("https://xs1:", "no port"),
            ("https://xs1:0", "no port"),
            ("https://xs1:+80", "no port"),
            ("https://xs1:70000", "no port"),
            ("https://xs1:http", "no port"),
            ("https://xs1/RPC2", "no path"),
            ("https://root:secret@xs1", "user and password"),
            ("https://xs 1", "contains ' '"),
            ("https://::1", "brackets"),
            ("https://[::1", "not closed"),
            ("https://[xs1]", "no IPv6"),
            ("https://[::1]x", "follows"),
        ] {
            let error = text.parse::<Target>().unwrap_err().to_string();
            assert!(error.contains(wrong), "{text}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_read_is_written_so_that_it_is_read_again(text in "(https?://|unix:|HTTP:)?[a-z0-9.:/@\\[\\]-]{0,20}") {
            if let Ok(target) = text.parse::<Target>() {
                assert_eq!(target.to_string().parse(), Ok(target));
            }
        }
    }
}
