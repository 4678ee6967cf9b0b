//! Where in the console one is, as the part of the address behind `#`.
//!
//! Hash addresses work from any static host. `#/pools/demo/topology/storage?select=VM/<uuid>`: a pool, a view, and what
//! is selected by its lasting identity.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write as _;

use xenapi_topology::Lens;

use crate::text::Text;

/// What the main part of the page shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum View {
    /// How the pool is, at a glance.
    Overview,
    /// A table of objects.
    Table(Kind),
    /// The topology through one of its lenses.
    Topology(Lens),
    /// Everything about one object.
    Object(Named),
    /// What stops if something fails; what fails stands in the query.
    Impact,
    /// The classes of the API, and calls; the rest of the address says which.
    Explorer(Vec<String>),
}

/// What a table is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// VMs, without templates, snapshots and control domains.
    Vms,
    /// Templates.
    Templates,
    /// Snapshots of VMs.
    Snapshots,
    /// Hosts.
    Hosts,
    /// Storage repositories.
    Srs,
    /// Virtual disks.
    Vdis,
    /// Networks.
    Networks,
    /// Network interfaces of hosts.
    Pifs,
    /// Network interfaces of VMs.
    Vifs,
    /// Disks of VMs.
    Vbds,
    /// Connections of hosts to storage.
    Pbds,
    /// Tasks.
    Tasks,
    /// Messages and alarms.
    Messages,
}

impl Kind {
    /// Every kind, in the order in which they are offered.
    pub const ALL: [Kind; 13] = [
        Kind::Vms,
        Kind::Templates,
        Kind::Snapshots,
        Kind::Hosts,
        Kind::Srs,
        Kind::Vdis,
        Kind::Networks,
        Kind::Pifs,
        Kind::Vifs,
        Kind::Vbds,
        Kind::Pbds,
        Kind::Tasks,
        Kind::Messages,
    ];

    /// Its word in addresses.
    pub const fn path(self) -> &'static str {
        match self {
            Kind::Vms => "vms",
            Kind::Templates => "templates",
            Kind::Snapshots => "snapshots",
            Kind::Hosts => "hosts",
            Kind::Srs => "srs",
            Kind::Vdis => "vdis",
            Kind::Networks => "networks",
            Kind::Pifs => "pifs",
            Kind::Vifs => "vifs",
            Kind::Vbds => "vbds",
            Kind::Pbds => "pbds",
            Kind::Tasks => "tasks",
            Kind::Messages => "messages",
        }
    }

    /// What it is called.
    pub const fn label(self) -> Text {
        match self {
            Kind::Vms => Text::Vms,
            Kind::Templates => Text::Templates,
            Kind::Snapshots => Text::KindSnapshots,
            Kind::Hosts => Text::Hosts,
            Kind::Srs => Text::Srs,
            Kind::Vdis => Text::Disks,
            Kind::Networks => Text::Networks,
            Kind::Pifs => Text::KindPifs,
            Kind::Vifs => Text::KindVifs,
            Kind::Vbds => Text::KindVbds,
            Kind::Pbds => Text::KindPbds,
            Kind::Tasks => Text::KindTasks,
            Kind::Messages => Text::KindMessages,
        }
    }

    /// The class of its objects, as on the wire.
    pub const fn class(self) -> &'static str {
        match self {
            Kind::Vms | Kind::Templates | Kind::Snapshots => "VM",
            Kind::Hosts => "host",
            Kind::Srs => "SR",
            Kind::Vdis => "VDI",
            Kind::Networks => "network",
            Kind::Pifs => "PIF",
            Kind::Vifs => "VIF",
            Kind::Vbds => "VBD",
            Kind::Pbds => "PBD",
            Kind::Tasks => "task",
            Kind::Messages => "message",
        }
    }

    fn from_path(path: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.path() == path)
    }
}

/// What a page keeps in its address besides where it is: filters, columns, orders, by the names that the page gives them.
pub type Query = BTreeMap<String, String>;

/// The word that no page may use in its query: it names the selected object.
const SELECT: &str = "select";

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
    /// What the page keeps in its address.
    pub query: Query,
}

impl Default for Route {
    /// How the pool is comes before everything else.
    fn default() -> Self {
        Route { pool: None, view: View::Overview, selected: None, query: Query::new() }
    }
}

impl Route {
    /// A view of a pool, with nothing selected.
    pub fn to(pool: Option<String>, view: View) -> Route {
        Route { pool, view, ..Route::default() }
    }

    /// Reads the part of an address behind `#`, with or without it. What cannot be understood is left out: an address is
    /// never an error.
    pub fn parse(hash: &str) -> Route {
        let hash = hash.strip_prefix('#').unwrap_or(hash);
        let (path, query) = hash.split_once('?').unwrap_or((hash, ""));
        let parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(decode).collect();
        let (pool, rest) = match parts.as_slice() {
            [pools, pool, rest @ ..] if pools == "pools" => (Some(pool.clone()), rest),
            _ => return Route::default(),
        };
        let mut selected = None;
        let mut kept = Query::new();
        for pair in query.split('&') {
            match pair.split_once('=') {
                Some((SELECT, object)) => selected = selected.or_else(|| named(object)),
                Some((key, value)) if !key.is_empty() => drop(kept.insert(decode(key), decode(value))),
                _ => {}
            }
        }
        Route { pool, view: view(rest), selected, query: kept }
    }

    /// The address, with its `#`.
    pub fn path(&self) -> String {
        let mut path = String::from("#/");
        let Some(pool) = &self.pool else { return path };
        let _ = write!(path, "pools/{}/", encode(pool));
        match &self.view {
            View::Overview => path.push_str("overview"),
            View::Table(kind) => path.push_str(kind.path()),
            View::Topology(lens) => drop(write!(path, "topology/{lens}")),
            View::Object(Named { class, uuid }) => drop(write!(path, "{}/{}", encode(class), encode(uuid))),
            View::Impact => path.push_str("impact"),
            View::Explorer(parts) => {
                path.push_str("api");
                for part in parts {
                    let _ = write!(path, "/{}", encode(part));
                }
            }
        }
        let selected = self.selected.iter().map(|it| (SELECT.into(), format!("{}/{}", encode(&it.class), encode(&it.uuid))));
        let kept = self.query.iter().map(|(key, value)| (encode(key), encode(value)));
        for (at, (key, value)) in selected.chain(kept).enumerate() {
            let _ = write!(path, "{}{key}={value}", if at == 0 { '?' } else { '&' });
        }
        path
    }
}

fn view(parts: &[String]) -> View {
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["overview", ..] => View::Overview,
        ["topology", lens, ..] => View::Topology(lens.parse().unwrap_or(Lens::Compute)),
        ["topology"] => View::Topology(Lens::Compute),
        ["impact", ..] => View::Impact,
        ["api", parts @ ..] => View::Explorer(parts.iter().map(ToString::to_string).collect()),
        [table] => Kind::from_path(table).map_or_else(|| Route::default().view, View::Table),
        [class, uuid, ..] => View::Object(Named { class: (*class).into(), uuid: (*uuid).into() }),
        [] => Route::default().view,
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
        Route { selected, ..Route::to(Some(pool.into()), view) }
    }

    #[test]
    fn addresses_are_read_back() {
        let routes = [
            route("demo", View::Table(Kind::Vms), None),
            route("demo", View::Topology(Lens::Storage), Some(("VM", "7c1b-2"))),
            route("züri/west 1%", View::Topology(Lens::Network), Some(("SR", "a&b?c"))),
            route("demo", View::Overview, None),
            route("demo", View::Table(Kind::Messages), None),
            route("demo", View::Object(Named { class: "host".into(), uuid: "1-2".into() }), None),
            route("demo", View::Impact, None),
            route("demo", View::Explorer(alloc::vec!["VM".into(), "start_on/all?".into()]), None),
            Route {
                query: Query::from([("sort".into(), "-memory,name".into()), ("q".into(), "a&b=c d%".into())]),
                ..route("p", View::Impact, Some(("VM", "u")))
            },
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
        assert_eq!(Route::parse("#/pools/a/vms?select=VM"), route("a", View::Table(Kind::Vms), None));
        let odd = Route {
            query: Query::from([("x".into(), "1".into())]),
            ..route("%zz%F", View::Table(Kind::Vms), Some(("VM", "u")))
        };
        assert_eq!(Route::parse("#/pools/%zz%F/vms?x=1&&=2&y&select=VM/u"), odd);
    }
}
