//! Finding anything by name, address or number, and doing something with it, while one types.

mod acts;
mod index;
mod rank;
mod recent;
#[cfg(test)]
mod tests;

pub use acts::{Act, acts};
pub use index::{Index, OF_INDEX};
pub use recent::Recent;

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::RawRef;
use xenapi_model::{Host, Network, PIF, SR, VBD, VDI, VIF, VM, VmKind};
use xenapi_topology::State;

use crate::object::{Icon, Object, class_name, icon};
use crate::route::Named;
use crate::select;
use crate::text::Text;

/// What a choice is.
#[derive(Clone, PartialEq, Debug)]
pub enum What {
    /// To go to an object.
    Object(Object, Named),
    /// To do something.
    Act(Act),
}

/// Something to choose.
#[derive(Clone, PartialEq, Debug)]
pub struct Choice {
    /// What it is.
    pub what: What,
    /// The heading under which it stands.
    pub group: Text,
    /// What it is called.
    pub title: String,
    /// Where it is, or which part of it was found.
    pub note: String,
    /// The picture of its kind.
    pub icon: Icon,
    /// Its state, where its class has one.
    pub state: Option<State>,
}

/// How many choices stand under one heading, and in all.
const PER_GROUP: usize = 8;
const IN_ALL: usize = 40;

/// What fits the words that were typed: what can be done, then the objects by class, the class of the best one first.
pub fn search(cache: &Cache, index: &Index, typed: &str, selected: Option<&Object>) -> Vec<Choice> {
    let words = rank::Words::new(typed);
    if words.is_empty() {
        return Vec::new();
    }
    let mut found = index.find(&words);
    found.extend(exactly(cache, typed.trim()).into_iter().filter(|(_, object, _)| {
        // What the index knows is there already.
        !index.has(object)
    }));
    // By class, each class at the place of its best.
    let mut groups: Vec<(Text, Vec<Choice>)> = Vec::new();
    let mut seen: BTreeMap<(&str, RawRef), ()> = BTreeMap::new();
    for (_, object, why) in found {
        if groups.iter().map(|(_, choices)| choices.len()).sum::<usize>() >= IN_ALL {
            break;
        }
        if seen.insert((object.class, object.reference.clone()), ()).is_some() {
            continue;
        }
        let Some(choice) = of_object(cache, &object, why) else { continue };
        match groups.iter_mut().find(|(group, _)| *group == choice.group) {
            Some((_, choices)) if choices.len() < PER_GROUP => choices.push(choice),
            Some(_) => {}
            None => groups.push((choice.group, Vec::from([choice]))),
        }
    }
    // What could be done with the best of them, or with what is selected.
    let best = groups.first().and_then(|(_, choices)| choices.first());
    let subject = selected.cloned().or_else(|| match best.map(|choice| &choice.what) {
        Some(What::Object(object, _)) => Some(object.clone()),
        _ => None,
    });
    let acts = acts(cache, subject.as_ref());
    let mut fitting: Vec<(u32, Choice)> = acts
        .into_iter()
        .filter_map(|(act, title, icon)| {
            let rank = words.rank_of_title(&title)?;
            let group = if act.is_going() { Text::PaletteGo } else { Text::PaletteDo };
            Some((rank, Choice { what: What::Act(act), group, title, note: String::new(), icon, state: None }))
        })
        .collect();
    fitting.sort_by_key(|(rank, _)| *rank);
    fitting.truncate(PER_GROUP);
    fitting.sort_by_key(|(_, choice)| choice.group != Text::PaletteGo);
    let is_telling = fitting.iter().any(|(rank, _)| *rank <= rank::PREFIX) && best.is_none_or(|_| typed.trim().len() > 2);
    let acts: Vec<Choice> = fitting.into_iter().map(|(_, choice)| choice).collect();
    let objects = groups.into_iter().flat_map(|(_, choices)| choices);
    if is_telling { acts.into_iter().chain(objects).collect() } else { objects.chain(acts).collect() }
}

/// What is offered before anything is typed: what was chosen last, then where one can go.
pub fn idle(cache: &Cache, recent: &Recent, selected: Option<&Object>) -> Vec<Choice> {
    let all = acts(cache, selected);
    let last = recent.iter().filter_map(|word| match word.split_once('/') {
        Some(("act", id)) => {
            let (act, title, icon) = all.iter().find(|(act, _, _)| act.id() == id)?;
            Some(Choice {
                what: What::Act(act.clone()),
                group: Text::PaletteRecent,
                title: title.clone(),
                note: String::new(),
                icon: *icon,
                state: None,
            })
        }
        Some((class, uuid)) => {
            let object = select::find(cache, class, uuid)?;
            Some(Choice { group: Text::PaletteRecent, ..of_object(cache, &object, None)? })
        }
        None => None,
    });
    let mut choices: Vec<Choice> = last.collect();
    let doing = all.iter().filter(|(act, _, _)| !act.is_going());
    let going = all.iter().filter(|(act, _, _)| act.is_going());
    choices.extend(going.chain(doing).map(|(act, title, icon)| Choice {
        what: What::Act(act.clone()),
        group: if act.is_going() { Text::PaletteGo } else { Text::PaletteDo },
        title: title.clone(),
        note: String::new(),
        icon: *icon,
        state: None,
    }));
    choices
}

/// A whole uuid or reference names any object, be it of a class that is not searched by name.
fn exactly(cache: &Cache, typed: &str) -> Vec<(u32, Object, Option<rank::Why>)> {
    let lower = typed.to_ascii_lowercase();
    let is_reference = typed.starts_with("OpaqueRef:");
    if !is_reference && lower.len() != 36 {
        return Vec::new();
    }
    let objects = cache.classes().filter_map(|class| {
        let reference = if is_reference {
            let reference = RawRef::from(typed);
            cache.contains(class.name, &reference).then_some(reference)?
        } else {
            cache.reference_of(class.name, &lower)?
        };
        Some((0, Object { class: class.name, reference }, None))
    });
    objects.collect()
}

fn of_object(cache: &Cache, object: &Object, why: Option<rank::Why>) -> Option<Choice> {
    let uuid = cache.uuid_of(object.class, &object.reference)?.to_string();
    let (state, place, group) = about(cache, object);
    let name = select::name_of(cache, object.class, &object.reference).filter(|name| !name.trim().is_empty());
    let note = match why {
        Some(rank::Why { field: Some(field), text }) => {
            let found = Text::PaletteOf.with(&[field.get(), &text]);
            if place.is_empty() { found } else { [place.as_str(), " · ", &found].concat() }
        }
        _ => place,
    };
    Some(Choice {
        title: name.unwrap_or_else(|| uuid.clone()),
        what: What::Object(object.clone(), Named { class: object.class.into(), uuid }),
        group,
        note,
        icon: icon(object.class),
        state,
    })
}

/// The state of an object, where it is, and what it is called with others of its kind.
fn about(cache: &Cache, object: &Object) -> (Option<State>, String, Text) {
    let reference = object.reference.clone();
    let name = |class: &str, reference: &RawRef| select::name_of(cache, class, reference).unwrap_or_default();
    match object.class {
        "VM" => match cache.get(&reference.typed::<VM>()) {
            Some(vm) => {
                let place = vm.resident_on.as_ref().map(|host| name("host", host.raw())).unwrap_or_default();
                match vm.kind() {
                    VmKind::Template => (None, place, Text::Templates),
                    VmKind::Snapshot => {
                        let of = vm.snapshot_of.as_ref().map(|vm| name("VM", vm.raw())).unwrap_or_default();
                        (None, of, Text::ColSnapshots)
                    }
                    _ => (Some(State::of_vm(vm)), place, Text::Vms),
                }
            }
            None => (None, String::new(), Text::Vms),
        },
        "host" => {
            let host = cache.get(&reference.typed::<Host>());
            let state = host.map(|host| State::of_host(host, cache.get(&host.metrics).map(|it| &**it)));
            (state, host.map(|host| host.address.clone()).unwrap_or_default(), Text::Hosts)
        }
        "SR" => (None, cache.get(&reference.typed::<SR>()).map(|sr| sr.r#type.clone()).unwrap_or_default(), Text::Srs),
        "VDI" => {
            let vdi = cache.get(&reference.typed::<VDI>());
            (None, vdi.map(|vdi| name("SR", vdi.sr.raw())).unwrap_or_default(), Text::Disks)
        }
        "network" => {
            let network = cache.get(&reference.typed::<Network>());
            (None, network.map(|network| network.bridge.clone()).unwrap_or_default(), Text::Networks)
        }
        "PIF" => {
            let pif = cache.get(&reference.typed::<PIF>());
            let state = pif.map(|pif| State::of_pif(pif, cache.get(&pif.metrics).map(|it| &**it)));
            (state, pif.map(|pif| name("host", pif.host.raw())).unwrap_or_default(), Text::Nics)
        }
        "VIF" => {
            let vif = cache.get(&reference.typed::<VIF>());
            (None, vif.map(|vif| name("VM", vif.vm.raw())).unwrap_or_default(), Text::ColVifs)
        }
        "VBD" => {
            let vbd = cache.get(&reference.typed::<VBD>());
            (None, vbd.map(|vbd| name("VM", vbd.vm.raw())).unwrap_or_default(), Text::ColVbds)
        }
        "pool" => (None, String::new(), Text::Pool),
        class => (None, class_name(class).get().to_string(), Text::PaletteResults),
    }
}
