//! The answers in English.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use xenapi_client::Cache;
use xenapi_core::{Class, Ref};
use xenapi_model::{Host, Network, PBD, PIF, SR, VBD, VIF};

use super::{Component, Reason};

/// The name of an object, or its reference where it is not in the data.
fn name<C: Class>(cache: &Cache, reference: &Ref<C>, of: impl FnOnce(&C::Record) -> String) -> String {
    cache
        .get(reference)
        .map(|record| of(record))
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| reference.as_str().to_owned())
}

fn host(cache: &Cache, it: &Ref<Host>) -> String {
    name(cache, it, |record| record.name_label.clone())
}

fn network(cache: &Cache, it: &Ref<Network>) -> String {
    name(cache, it, |record| record.name_label.clone())
}

fn sr(cache: &Cache, it: &Ref<SR>) -> String {
    name(cache, it, |record| record.name_label.clone())
}

fn vbd(cache: &Cache, it: &Ref<VBD>) -> String {
    name(cache, it, |record| if record.device.is_empty() { record.userdevice.clone() } else { record.device.clone() })
}

fn vif(cache: &Cache, it: &Ref<VIF>) -> String {
    name(cache, it, |record| record.device.clone())
}

fn pif(cache: &Cache, it: &Ref<PIF>) -> String {
    name(
        cache,
        it,
        |record| {
            if record.vlan >= 0 { format!("{} VLAN {}", record.device, record.vlan) } else { record.device.clone() }
        },
    )
}

impl Component {
    /// What it is called: its name, and for what belongs to a host the host's.
    pub fn label(&self, cache: &Cache) -> String {
        match self {
            Component::Host(it) => host(cache, it),
            Component::Network(it) => network(cache, it),
            Component::Sr(it) => sr(cache, it),
            Component::Pif(it) => match cache.get(it) {
                Some(record) => format!("{} of {}", pif(cache, it), host(cache, &record.host)),
                None => it.as_str().to_owned(),
            },
            Component::Pbd(it) => pbd(cache, it),
        }
    }
}

fn pbd(cache: &Cache, it: &Ref<PBD>) -> String {
    match cache.get(it) {
        Some(record) => format!("{} on {}", sr(cache, &record.sr), host(cache, &record.host)),
        None => it.as_str().to_owned(),
    }
}

fn hosts(count: usize) -> String {
    if count == 1 { "1 other host".into() } else { format!("{count} other hosts") }
}

impl Reason {
    /// The reason in an English clause without a full stop.
    pub fn sentence(&self, cache: &Cache) -> String {
        match self {
            Reason::HostFails { host: it } => format!("it runs on {}", host(cache, it)),
            Reason::DiskLost { vbd: device, sr: it, .. } => {
                format!("its disk {} on {} cannot be reached", vbd(cache, device), sr(cache, it))
            }
            Reason::NetworkLost { vif: device, network: it, last } => {
                let end = if *last { ", and it has no other that works" } else { "" };
                format!("its interface {} loses the network {}{end}", vif(cache, device), network(cache, it))
            }
            Reason::HostUnmanaged { host: it } => {
                format!("{} cannot be reached by the pool, so it cannot be managed", host(cache, it))
            }
            Reason::RestartsByHa { hosts: count } => {
                format!("high availability starts it again; {} could run it", hosts(*count))
            }
            Reason::OtherHosts { hosts: count } => format!("{} could run it, if somebody starts it there", hosts(*count)),
            Reason::NoOtherHost => "no other host could run it".into(),
            Reason::CannotStart => "it does not run, and no host could start it any more".into(),
            Reason::StartsElsewhere { hosts: 1 } => "it does not run, and 1 host could still start it".into(),
            Reason::StartsElsewhere { hosts } => format!("it does not run, and {hosts} hosts could still start it"),
            Reason::BondMemberLeft { bond, left, of } => {
                format!("{} goes on with {left} of {of} links", pif(cache, bond))
            }
            Reason::DriveLost { vbd: device, sr: it } => {
                format!("its drive {} on {} cannot be read, which stops nothing", vbd(cache, device), sr(cache, it))
            }
            Reason::OtherPif { network: it } => format!("another PIF of its host carries {}", network(cache, it)),
        }
    }
}
