//! Finding objects, whatever their class.

use alloc::string::{String, ToString};

use xenapi_client::Cache;
use xenapi_core::{Class, RawRef};
use xenapi_model::{Bond, Host, Network, PBD, PIF, Pool, SR, VBD, VDI, VIF, VLAN, VM};

use crate::object::Object;

/// Where a pool that was made from recordings says which classes were recorded, separated by commas.
const RECORDED: &str = "xenoxide:recorded-classes";

/// Whether the objects of a class are known at all. Those of a recorded pool may have been left out, which is something else
/// than there being none.
pub fn is_known<C: Class>(cache: &Cache) -> bool {
    let listed = |classes: &String| classes.split(',').any(|class| class.trim() == C::DESC.name);
    let recorded = cache.iter::<Pool>().find_map(|(_, pool)| pool.other_config.get(RECORDED).map(listed));
    recorded.unwrap_or_else(|| cache.is_known::<C>())
}

/// The name of an object for people: its name, or what stands for one in its class; none if it is not in the cache.
pub fn name_of(cache: &Cache, class: &str, reference: &RawRef) -> Option<String> {
    fn of<C: Class>(cache: &Cache, reference: &RawRef, name: impl Fn(&C::Record) -> String) -> Option<String> {
        cache.get(&reference.clone().typed::<C>()).map(|record| name(record))
    }
    match class {
        "VM" => of::<VM>(cache, reference, |it| it.name_label.clone()),
        "host" => of::<Host>(cache, reference, |it| it.name_label.clone()),
        "SR" => of::<SR>(cache, reference, |it| it.name_label.clone()),
        "VDI" => of::<VDI>(cache, reference, |it| either(&it.name_label, it.uuid.as_str())),
        "network" => of::<Network>(cache, reference, |it| either(&it.name_label, &it.bridge)),
        "pool" => of::<Pool>(cache, reference, |it| pool_name(cache, it)),
        "PIF" => of::<PIF>(cache, reference, pif_name),
        "VIF" => of::<VIF>(cache, reference, |it| alloc::format!("VIF {}", it.device)),
        "VBD" => of::<VBD>(cache, reference, |it| either(&it.device, &it.userdevice)),
        "PBD" => of::<PBD>(cache, reference, |it| it.uuid.to_string()),
        "Bond" => of::<Bond>(cache, reference, |it| bond_name(cache, it)),
        "VLAN" => of::<VLAN>(cache, reference, |it| alloc::format!("VLAN {}", it.tag)),
        _ => None,
    }
}

/// The first of the two that is not empty.
pub(crate) fn either(first: &str, second: &str) -> String {
    if first.trim().is_empty() { second } else { first }.to_string()
}

/// A pool of one host often has no name; then it goes by its coordinator's.
pub(crate) fn pool_name(cache: &Cache, pool: &xenapi_model::pool::Record) -> String {
    let master = cache.get(&pool.master).map_or("", |host| host.name_label.as_str());
    either(&pool.name_label, &either(master, "Pool"))
}

pub(crate) fn pif_name(pif: &xenapi_model::pif::Record) -> String {
    if pif.vlan >= 0 { alloc::format!("{}.{}", pif.device, pif.vlan) } else { pif.device.clone() }
}

fn bond_name(cache: &Cache, bond: &xenapi_model::bond::Record) -> String {
    cache.get(&bond.master).map_or_else(|| "bond".into(), |pif| pif.device.clone())
}

/// The uuid of an object in the cache.
pub fn uuid_of(cache: &Cache, object: &Object) -> Option<String> {
    fn of<C: Class>(cache: &Cache, object: &Object, uuid: impl Fn(&C::Record) -> &xenapi_core::Uuid) -> Option<String> {
        cache.get(&object.reference.clone().typed::<C>()).map(|record| uuid(record).to_string())
    }
    match object.class {
        "VM" => of::<VM>(cache, object, |it| &it.uuid),
        "host" => of::<Host>(cache, object, |it| &it.uuid),
        "SR" => of::<SR>(cache, object, |it| &it.uuid),
        "VDI" => of::<VDI>(cache, object, |it| &it.uuid),
        "network" => of::<Network>(cache, object, |it| &it.uuid),
        "pool" => of::<Pool>(cache, object, |it| &it.uuid),
        "PIF" => of::<PIF>(cache, object, |it| &it.uuid),
        "VIF" => of::<VIF>(cache, object, |it| &it.uuid),
        "VBD" => of::<VBD>(cache, object, |it| &it.uuid),
        "PBD" => of::<PBD>(cache, object, |it| &it.uuid),
        "Bond" => of::<Bond>(cache, object, |it| &it.uuid),
        "VLAN" => of::<VLAN>(cache, object, |it| &it.uuid),
        _ => None,
    }
}

/// The object of a class that has this uuid.
pub fn find(cache: &Cache, class: &str, uuid: &str) -> Option<Object> {
    fn of<C: Class>(cache: &Cache, uuid: &str) -> Option<Object> {
        cache.by_uuid::<C>(uuid).map(|(reference, _)| Object::of(&reference))
    }
    match class {
        "VM" => of::<VM>(cache, uuid),
        "host" => of::<Host>(cache, uuid),
        "SR" => of::<SR>(cache, uuid),
        "VDI" => of::<VDI>(cache, uuid),
        "network" => of::<Network>(cache, uuid),
        "pool" => of::<Pool>(cache, uuid),
        "PIF" => of::<PIF>(cache, uuid),
        "VIF" => of::<VIF>(cache, uuid),
        "VBD" => of::<VBD>(cache, uuid),
        "PBD" => of::<PBD>(cache, uuid),
        "Bond" => of::<Bond>(cache, uuid),
        "VLAN" => of::<VLAN>(cache, uuid),
        _ => None,
    }
}
