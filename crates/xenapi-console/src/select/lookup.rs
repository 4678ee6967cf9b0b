//! Finding objects, whatever their class.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::any::Any;

use xenapi_client::Cache;
use xenapi_core::{Class, RawRef, Ref};
use xenapi_model::{
    Bond, Console, Host, HostMetrics, Message, Network, PBD, PIF, PIFMetrics, Pool, SR, Task, VBD, VDI, VIF, VLAN, VM,
    VMGuestMetrics, VMMetrics,
};

use crate::object::Object;
use crate::route::Named;
use crate::text::Text;

/// Where a pool that was made from recordings says which classes were recorded, separated by commas.
const RECORDED: &str = "xenoxide:recorded-classes";

/// Says something of a class by its name on the wire, for every class that the console keeps.
macro_rules! with_class {
    ($class:expr, $C:ident => $said:expr, _ => $other:expr) => {
        with_class!(@ $class, $C, $said, $other, VM, Host, SR, VDI, Network, Pool, PIF, VIF, VBD, PBD, Bond, VLAN, Task, Message,
            Console, HostMetrics, VMMetrics, VMGuestMetrics, PIFMetrics)
    };
    (@ $class:expr, $C:ident, $said:expr, $other:expr, $($known:ident),*) => {
        match $class {
            $(class if class == $known::DESC.name => { type $C = $known; $said })*
            _ => $other,
        }
    };
}

/// Whether the objects of a class are known at all. Those of a recorded pool may have been left out, which is something else
/// than there being none.
pub fn is_known<C: Class>(cache: &Cache) -> bool {
    let listed = |classes: &str| classes.split(',').any(|class| class.trim() == C::RECORD.name);
    let recorded = cache.iter::<Pool>().find_map(|(_, pool)| pool.other_config.get(RECORDED).map(listed));
    recorded.unwrap_or_else(|| cache.is_known::<C>())
}

/// Whether some of these classes are not there yet, and will be.
pub fn is_loading(cache: &Cache, classes: &[&str]) -> bool {
    const TOLD: [&str; 11] = ["VM", "host", "SR", "VDI", "VBD", "PBD", "VIF", "network", "PIF", "task", "message"];
    let recorded = cache.iter::<Pool>().any(|(_, pool)| pool.other_config.contains_key(RECORDED));
    !recorded && classes.iter().any(|class| TOLD.contains(class) && !is_known_class(cache, class))
}

/// The same by the name of the class, for the classes that tables have.
pub fn is_known_class(cache: &Cache, class: &str) -> bool {
    let listed = |classes: &str| classes.split(',').any(|it| it.trim() == class);
    let recorded = cache.iter::<Pool>().find_map(|(_, pool)| pool.other_config.get(RECORDED).map(listed));
    recorded.unwrap_or_else(|| match class {
        "VM" => cache.is_known::<VM>(),
        "host" => cache.is_known::<Host>(),
        "SR" => cache.is_known::<SR>(),
        "VDI" => cache.is_known::<VDI>(),
        "VBD" => cache.is_known::<VBD>(),
        "PBD" => cache.is_known::<PBD>(),
        "VIF" => cache.is_known::<VIF>(),
        "network" => cache.is_known::<Network>(),
        "PIF" => cache.is_known::<PIF>(),
        "task" => cache.is_known::<xenapi_model::Task>(),
        "message" => cache.is_known::<xenapi_model::Message>(),
        _ => false,
    })
}

/// The name of an object for people: its name, or what stands for one in its class; none if it is not in the cache.
pub fn name_of(cache: &Cache, class: &str, reference: &RawRef) -> Option<String> {
    fn of<C: Class>(cache: &Cache, reference: &RawRef, name: impl Fn(&C::Record) -> String) -> Option<String> {
        cache.get(&reference.clone().typed::<C>()).map(|record| name(record))
    }
    match class {
        "VM" => of::<VM>(cache, reference, |it| it.name_label.clone()),
        "host" => of::<Host>(cache, reference, |it| it.name_label.clone()),
        "SR" => of::<SR>(cache, reference, |it| sr_name(cache, it)),
        "VDI" => of::<VDI>(cache, reference, |it| either(&it.name_label, it.uuid.as_str())),
        "network" => of::<Network>(cache, reference, |it| either(&it.name_label, &it.bridge)),
        "pool" => of::<Pool>(cache, reference, |it| pool_name(cache, it)),
        "PIF" => of::<PIF>(cache, reference, pif_name),
        "VIF" => of::<VIF>(cache, reference, |it| format!("VIF {}", it.device)),
        "VBD" => of::<VBD>(cache, reference, |it| either(&it.device, &it.userdevice)),
        "PBD" => of::<PBD>(cache, reference, |it| pbd_name(cache, it)),
        "Bond" => of::<Bond>(cache, reference, |it| bond_name(cache, it)),
        "VLAN" => of::<VLAN>(cache, reference, |it| format!("VLAN {}", it.tag)),
        "task" => of::<Task>(cache, reference, |it| either(&it.name_label, it.uuid.as_str())),
        "message" => of::<Message>(cache, reference, |it| either(&it.name, it.uuid.as_str())),
        "console" => of::<Console>(cache, reference, |it| either(it.protocol.as_str(), it.uuid.as_str())),
        _ => None,
    }
}

/// The name of an SR; one of a single host is named with it, since each host has a “Local storage”.
pub(crate) fn sr_name(cache: &Cache, sr: &xenapi_model::sr::Record) -> String {
    match own_host(cache, sr) {
        Some(host) => Text::PbdName.with(&[&sr.name_label, host]),
        None => sr.name_label.clone(),
    }
}

/// The host of an SR that belongs to one alone, unless its name says so already.
fn own_host<'c>(cache: &'c Cache, sr: &xenapi_model::sr::Record) -> Option<&'c str> {
    let [pbd] = sr.pbds.as_slice() else { return None };
    if sr.shared {
        return None;
    }
    let host = cache.get(&cache.get(pbd)?.host)?.name_label.as_str();
    (!host.is_empty() && !sr.name_label.contains(host)).then_some(host)
}

/// Whether an SR fills up: images that one only reads are as large as they are.
pub(crate) fn fills(sr: &xenapi_model::sr::Record) -> bool {
    !(matches!(sr.r#type.as_str(), "iso" | "udev") || sr.content_type == "iso")
}

/// The name of an object where nothing else says what it belongs to: `eth0 of host-01`, `xvda of web-01`.
pub fn full_name_of(cache: &Cache, class: &str, reference: &RawRef) -> Option<String> {
    let name = name_of(cache, class, reference)?;
    let owner = match class {
        "PIF" => cache.get(&reference.clone().typed::<PIF>()).map(|it| ("host", it.host.raw())),
        "VIF" => cache.get(&reference.clone().typed::<VIF>()).map(|it| ("VM", it.vm.raw())),
        "VBD" => cache.get(&reference.clone().typed::<VBD>()).map(|it| ("VM", it.vm.raw())),
        _ => None,
    };
    let owner = owner.and_then(|(class, owner)| name_of(cache, class, owner)).filter(|owner| !owner.trim().is_empty());
    Some(owner.map_or(name.clone(), |owner| Text::PartOfHost.with(&[&name, &owner])))
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
    if pif.vlan >= 0 { format!("{}.{}", pif.device, pif.vlan) } else { pif.device.clone() }
}

fn bond_name(cache: &Cache, bond: &xenapi_model::bond::Record) -> String {
    cache.get(&bond.master).map_or_else(|| "bond".into(), |pif| pif.device.clone())
}

/// A connection has no name of its own: it goes by its two ends.
fn pbd_name(cache: &Cache, pbd: &xenapi_model::pbd::Record) -> String {
    match (cache.get(&pbd.sr), cache.get(&pbd.host)) {
        (Some(sr), Some(host)) => Text::PbdName.with(&[&sr.name_label, &host.name_label]),
        _ => pbd.uuid.to_string(),
    }
}

/// The uuid of an object in the cache.
pub fn uuid_of(cache: &Cache, object: &Object) -> Option<String> {
    with_class!(object.class, C => cache.get(&object.reference.clone().typed::<C>()).map(|it| it.uuid.to_string()), _ => None)
}

/// The object of a class that has this uuid.
pub fn find(cache: &Cache, class: &str, uuid: &str) -> Option<Object> {
    with_class!(class, C => cache.by_uuid::<C>(uuid).map(|(reference, _)| Object::of(&reference)), _ => None)
}

/// The record of an object, to tell whether it is another one than before: the same record keeps its address as long as somebody
/// holds it.
pub fn record_of(cache: &Cache, object: &Object) -> Option<Arc<dyn Any + Send + Sync>> {
    with_class!(object.class, C => {
        let record = cache.get(&object.reference.clone().typed::<C>())?;
        Some(record.clone())
    }, _ => None)
}

/// How addresses name an object: by its uuid, or by its reference where the console does not keep its class.
pub fn named(cache: &Cache, class: &str, reference: &RawRef) -> Option<Named> {
    if reference.is_null() {
        return None;
    }
    let class = xenapi_model::class_name(class)?;
    let object = Object { class, reference: reference.clone() };
    let uuid = uuid_of(cache, &object).unwrap_or_else(|| reference.to_string());
    Some(Named { class: class.into(), uuid })
}

/// How addresses name an object by a typed reference.
pub fn named_ref<'r, C: Class>(cache: &Cache, reference: impl Into<Option<&'r Ref<C>>>) -> Option<Named> {
    named(cache, C::RECORD.name, reference.into()?.raw())
}
