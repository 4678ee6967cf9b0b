//! The objects of a pool, for whoever fills in a form.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use xenapi_client::{Cache, Snapshot};
use xenapi_core::{Class, RawRef};
use xenapi_model::{Bond, Host, Network, PBD, PIF, Pool, SR, Task, VBD, VDI, VIF, VLAN, VM};

use super::code::UuidOf;
use super::form::is_uuid;
use crate::select;

/// The references of all objects of a class that the console follows.
fn all(pool: &Cache, class: &str) -> Vec<RawRef> {
    fn of<C: Class>(pool: &Cache) -> Vec<RawRef> {
        pool.iter::<C>().map(|(reference, _)| reference.into_raw()).collect()
    }
    match class {
        "VM" => of::<VM>(pool),
        "host" => of::<Host>(pool),
        "SR" => of::<SR>(pool),
        "VDI" => of::<VDI>(pool),
        "network" => of::<Network>(pool),
        "pool" => of::<Pool>(pool),
        "PIF" => of::<PIF>(pool),
        "VIF" => of::<VIF>(pool),
        "VBD" => of::<VBD>(pool),
        "PBD" => of::<PBD>(pool),
        "Bond" => of::<Bond>(pool),
        "VLAN" => of::<VLAN>(pool),
        "task" => of::<Task>(pool),
        _ => Vec::new(),
    }
}

/// The objects of a class that a word names: one by its uuid, or all that have it as their name.
pub fn named(pool: &Cache, class: &str, word: &str) -> Vec<RawRef> {
    if is_uuid(word) {
        return pool.reference_of(class, word).into_iter().collect();
    }
    let own = |it: &RawRef| pool.get(&it.clone().typed::<SR>()).is_some_and(|sr| sr.name_label == word);
    let has_name =
        |it: &RawRef| select::name_of(pool, class, it).is_some_and(|name| name == word) || class == "SR" && own(it);
    all(pool, class).into_iter().filter(has_name).collect()
}

/// Objects of a class to choose from: uuids with names, in the order of names; at most `most`.
pub fn candidates(pool: &Cache, class: &str, most: usize) -> Vec<(String, String)> {
    let with_name = |it: RawRef| {
        let uuid = pool.uuid_of(class, &it)?.to_string();
        Some((uuid, select::name_of(pool, class, &it).unwrap_or_default()))
    };
    let mut found: Vec<(String, String)> = all(pool, class).into_iter().filter_map(with_name).collect();
    found.sort_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)));
    found.truncate(most);
    found
}

/// The uuids of a pool's objects.
pub struct Uuids(pub Snapshot);

impl UuidOf for Uuids {
    fn uuid_of(&self, class: &str, reference: &str) -> Option<String> {
        self.0.uuid_of(class, &RawRef::new(reference)).map(|it| it.to_string())
    }
}

impl fmt::Debug for Uuids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Uuids")
    }
}
