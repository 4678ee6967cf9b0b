//! Which object a page is about, and where else it can be seen.

use alloc::format;
use alloc::string::{String, ToString};

use xenapi_client::Cache;
use xenapi_core::{NULL, RawRef, Value};
use xenapi_model::{Bond, VM, VmKind};

use super::around::lens_of;
use crate::object::Object;
use crate::route::{Kind, Named, Query, Route, View};
use crate::select::{find, named_ref, uuid_of};

/// What an address names. Classes are named as on the wire.
#[derive(Clone, PartialEq, Debug)]
pub enum Located {
    /// An object in the cache.
    Here(Object),
    /// Perhaps an object of a class that the console does not keep: only the server knows.
    AtServer(&'static str),
    /// There is no such object in the pool.
    Missing(&'static str),
    /// There is no such class.
    NoClass,
}

/// How references begin, which may stand in an address in the place of a uuid.
const REFERENCE: &str = "OpaqueRef:";

/// Whether the identity in an address is a reference, for objects whose uuid nobody has asked for yet.
pub fn is_reference(identity: &str) -> bool {
    identity.starts_with(REFERENCE) && identity != NULL
}

/// Finds what an address names.
pub fn locate(cache: &Cache, wanted: &Named) -> Located {
    let class = xenapi_model::class(&wanted.class).or_else(|| xenapi_model::class_of_event(&wanted.class));
    let Some(class) = class else { return Located::NoClass };
    if !cache.tracks(class.name) {
        return Located::AtServer(class.name);
    }
    let reference = RawRef::from(wanted.uuid.as_str());
    if is_reference(&wanted.uuid) && cache.contains(class.name, &reference) {
        return Located::Here(Object { class: class.name, reference });
    }
    find(cache, class.name, &wanted.uuid.to_lowercase()).map_or(Located::Missing(class.name), Located::Here)
}

/// What an object that is known by its record alone is called.
pub fn title(record: &Value, identity: &str) -> String {
    let text = |name: &str| record.as_struct()?.get(name)?.as_text().filter(|text| !text.trim().is_empty());
    let found = ["name_label", "name", "device", "uuid"].into_iter().find_map(text);
    found.unwrap_or(identity).to_string()
}

/// The page "what if this fails?" for an object that may fail.
pub fn impact(cache: &Cache, object: &Object, pool: Option<String>) -> Option<Route> {
    let failing = match object.class {
        "host" | "PIF" | "network" | "SR" | "PBD" => Named { class: object.class.into(), uuid: uuid_of(cache, object)? },
        // A bond fails as the interface that it makes.
        "Bond" => {
            let bond = cache.get(&object.reference.clone().typed::<Bond>())?;
            named_ref(cache, &bond.master)?
        }
        _ => return None,
    };
    let query = Query::from([("fail".to_string(), format!("{}/{}", failing.class, failing.uuid))]);
    Some(Route { query, ..Route::to(pool, View::Impact) })
}

/// The table in which objects like this one are listed.
pub fn table_of(cache: &Cache, object: &Object) -> Option<Kind> {
    Some(match object.class {
        "VM" => {
            let kind = cache.get(&object.reference.clone().typed::<VM>()).map(|vm| vm.kind());
            match kind? {
                VmKind::Vm => Kind::Vms,
                VmKind::Template => Kind::Templates,
                VmKind::Snapshot => Kind::Snapshots,
                VmKind::ControlDomain => return None,
            }
        }
        class => Kind::ALL.into_iter().find(|kind| kind.class() == class)?,
    })
}

/// The topology with the object selected; none for what no lens draws.
pub fn topology(cache: &Cache, object: &Object, pool: Option<String>) -> Option<Route> {
    let drawn = match object.class {
        "VM" => table_of(cache, object) == Some(Kind::Vms),
        class => matches!(class, "pool" | "host" | "SR" | "VDI" | "network" | "PIF"),
    };
    let uuid = uuid_of(cache, object).filter(|_| drawn)?;
    let selected = Some(Named { class: object.class.into(), uuid });
    Some(Route { selected, ..Route::to(pool, View::Topology(lens_of(object.class))) })
}
