//! Where in the console one is, as the part of the address behind `#`.
//!
//! Hash addresses work from any static host. `#/pools/demo/topology/storage?select=VM/<uuid>`: a pool, a view, and what
//! is selected by its lasting identity.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write as _;

use xenapi_topology::Lens;

/// What the main part of the page shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum View {
    /// The table of VMs.
    Vms,
    /// The topology through one of its lenses.
    Topology(Lens),
}

/// An object as addresses name it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    /// The class as on the wire, for example `VM`.
    pub class: String,
    /// The uuid.
    pub uuid: String,
}

/// An address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    /// The pool's name at the proxy; none for the first one.
    pub pool: Option<String>,
    /// What is shown.
    pub view: View,
    /// What is selected.
    pub selected: Option<Named>,
}

impl Default for Route {
    /// The topology is the face of the product, but a list is where one finds things: the table comes first.
    fn default() -> Self {
        Route { pool: None, view: View::Vms, selected: None }
    }
}

impl Route {
    /// Reads the part of an address behind `#`, with or without it. What cannot be understood is left out: an address is
    /// never an error.
    pub fn parse(hash: &str) -> Route {
        let hash = hash.strip_prefix('#').unwrap_or(hash);
        let (path, query) = hash.split_once('?').unwrap_or((hash, ""));
        let parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(decode).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let (pool, rest) = match parts.as_slice() {
            ["pools", pool, rest @ ..] => (Some((*pool).to_string()), rest),
            _ => return Route::default(),
        };
        let view = match rest {
            ["topology", lens, ..] => View::Topology(lens.parse().unwrap_or(Lens::Compute)),
            ["topology"] => View::Topology(Lens::Compute),
            _ => View::Vms,
        };
        let selected = query.split('&').find_map(|pair| pair.strip_prefix("select=")).and_then(named);
        Route { pool, view, selected }
    }

    /// The address, with its `#`.
    pub fn path(&self) -> String {
        let mut path = String::from("#/");
        if let Some(pool) = &self.pool {
            let _ = write!(path, "pools/{}/", encode(pool));
            match self.view {
                View::Vms => path.push_str("vms"),
                View::Topology(lens) => drop(write!(path, "topology/{lens}")),
            }
            if let Some(Named { class, uuid }) = &self.selected {
                let _ = write!(path, "?select={}/{}", encode(class), encode(uuid));
            }
        }
        path
    }
}

fn named(text: &str) -> Option<Named> {
    let (class, uuid) = text.split_once('/')?;
    let (class, uuid) = (decode(class), decode(uuid));
    (!class.is_empty() && !uuid.is_empty()).then_some(Named { class, uuid })
}

/// Percent-encodes whatever could end a part of an address.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Undoes [`encode`]. Broken escapes stay as they are; bytes that are not UTF-8 become replacement characters.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escape = (byte == b'%').then(|| after.first_chunk::<2>()).flatten().and_then(|[high, low]| {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
        });
        bytes.push(escape.unwrap_or(byte));
        rest = if escape.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(pool: &str, view: View, selected: Option<(&str, &str)>) -> Route {
        let selected = selected.map(|(class, uuid)| Named { class: class.into(), uuid: uuid.into() });
        Route { pool: Some(pool.into()), view, selected }
    }

    #[test]
    fn addresses_are_read_back() {
        let routes = [
            route("demo", View::Vms, None),
            route("demo", View::Topology(Lens::Storage), Some(("VM", "7c1b-2"))),
            route("züri/west 1%", View::Topology(Lens::Network), Some(("SR", "a&b?c"))),
            Route::default(),
        ];
        for route in routes {
            assert_eq!(Route::parse(&route.path()), route, "{}", route.path());
        }
    }

    #[test]
    fn the_written_form_is_fixed() {
        let path = route("demo", View::Topology(Lens::Compute), Some(("VM", "1-2"))).path();
        assert_eq!(path, "#/pools/demo/topology/compute?select=VM/1-2");
    }

    #[test]
    fn nothing_is_an_error() {
        assert_eq!(Route::parse(""), Route::default());
        assert_eq!(Route::parse("#/nowhere/at/all"), Route::default());
        assert_eq!(Route::parse("#/pools/a/topology/sideways"), route("a", View::Topology(Lens::Compute), None));
        assert_eq!(Route::parse("#/pools/a/vms?select=VM"), route("a", View::Vms, None));
        assert_eq!(Route::parse("#/pools/%zz%F/vms?x=1&select=VM/u"), route("%zz%F", View::Vms, Some(("VM", "u"))));
    }
}
