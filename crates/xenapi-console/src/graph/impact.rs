//! What if this fails? What fails stands in the address; what follows comes from `xenapi_topology::impact`, which the command line asks, too.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::{Class, RawRef, Ref};
use xenapi_model::{Host, Network, PBD, PIF, SR, VBD, VIF, VM};
use xenapi_topology::Lens;
use xenapi_topology::impact::{Affected, Component, Impact, Reason, SinglePoint, Verdict};

use crate::object::{Icon, Object};
use crate::route::{Named, Query};
use crate::select;
use crate::text::{Plural, Text};

/// The word of the address under which stands what fails: `host/UUID,PIF/UUID`.
pub const FAIL: &str = "fail";

/// The classes that the answers are made of.
pub const OF_IMPACT: &[&str] =
    &["pool", "host", "host_metrics", "VM", "VBD", "VDI", "SR", "PBD", "VIF", "network", "PIF", "PIF_metrics", "Bond"];

/// A part of the pool that can fail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// What it is for the topology.
    pub component: Component,
    /// Its lasting identity, as addresses name it.
    pub named: Named,
    /// What it is called.
    pub label: String,
    /// What it is, in a word.
    pub kind: Text,
    /// The picture of its kind.
    pub icon: Icon,
}

impl Part {
    /// A part that is in the data.
    pub fn of(cache: &Cache, component: Component) -> Option<Part> {
        let object = object(&component);
        let uuid = select::uuid_of(cache, &object)?;
        let (kind, icon) = kind(cache, &component);
        let label = label(cache, &component);
        Some(Part { named: Named { class: object.class.into(), uuid }, label, kind, icon, component })
    }

    /// The object.
    pub fn object(&self) -> Object {
        object(&self.component)
    }
}

fn object(component: &Component) -> Object {
    Object { class: component.class(), reference: component.reference().clone() }
}

fn kind(cache: &Cache, component: &Component) -> (Text, Icon) {
    match component {
        Component::Host(_) => (Text::NodeHost, Icon::Host),
        Component::Network(_) => (Text::NodeNetwork, Icon::Network),
        Component::Sr(_) => (Text::NodeSr, Icon::Sr),
        Component::Pbd(_) => (Text::NodePbd, Icon::Plug),
        Component::Pif(it) => match cache.get(it) {
            Some(pif) if !pif.bond_master_of.is_empty() => (Text::NodeBond, Icon::Bond),
            Some(pif) if pif.vlan >= 0 => (Text::NodeVlan, Icon::Vlan),
            Some(pif) if !pif.tunnel_access_pif_of.is_empty() => (Text::NodeTunnel, Icon::Vlan),
            _ => (Text::NodePif, Icon::Nic),
        },
    }
}

/// What an address says fails.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Failing {
    /// The parts that are there.
    pub parts: Vec<Part>,
    /// What is not in the pool, or nothing that can fail.
    pub gone: Vec<String>,
}

/// What an address says fails.
pub fn failing(cache: &Cache, query: &Query) -> Failing {
    let mut failing = Failing::default();
    for word in words(query) {
        let found = word.split_once('/').and_then(|(class, uuid)| Component::find(cache, class, uuid));
        match found.and_then(|component| Part::of(cache, component)) {
            Some(part) if failing.parts.iter().any(|known| known.component == part.component) => {}
            Some(part) => failing.parts.push(part),
            None => failing.gone.push(word.into()),
        }
    }
    failing
}

fn words(query: &Query) -> impl Iterator<Item = &str> {
    query.get(FAIL).map_or("", String::as_str).split(',').filter(|word| !word.is_empty())
}

/// What stands in the address when one more part fails.
pub fn with(query: &Query, part: &Named) -> String {
    let mut all: Vec<String> = words(query).map(ToString::to_string).collect();
    let word = format!("{}/{}", part.class, part.uuid);
    if !all.contains(&word) {
        all.push(word);
    }
    all.join(",")
}

/// What stands in the address when a part fails no longer; none if nothing is left. `word` is the part as it stands there.
pub fn without(query: &Query, word: &str) -> Option<String> {
    let left: Vec<&str> = words(query).filter(|known| *known != word).collect();
    (!left.is_empty()).then(|| left.join(","))
}

/// Which lens shows best where a part is.
pub fn lens_of(class: &str) -> Lens {
    match class {
        "PIF" | "network" | "Bond" => Lens::Network,
        "SR" | "PBD" => Lens::Storage,
        _ => Lens::Compute,
    }
}

/// What becomes of a VM, in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AffectedRow {
    /// Its reference.
    pub vm: Ref<VM>,
    /// Its uuid.
    pub uuid: String,
    /// Its name.
    pub name: String,
    /// What becomes of it.
    pub verdict: Verdict,
    /// Why, each a clause without a full stop.
    pub reasons: Vec<String>,
}

/// What follows, in words. The VMs are in the answer itself: they may be thousands, of which a page shows some.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// How many stop, are degraded, are safe, and have nothing to do with it: in words.
    pub sums: [(Option<Verdict>, usize, String); 4],
    /// What else does not work any more.
    pub brought_down: Vec<Part>,
    /// What else is to be said: that the coordinator fails, what is not in the data.
    pub notes: Vec<String>,
}

/// What becomes of a VM, in words.
pub fn affected(cache: &Cache, vm: &Affected) -> AffectedRow {
    let record = cache.get(&vm.vm);
    AffectedRow {
        vm: vm.vm.clone(),
        uuid: record.map(|record| record.uuid.to_string()).unwrap_or_default(),
        name: record.map_or_else(|| vm.vm.as_str().into(), |record| record.name_label.clone()),
        verdict: vm.verdict,
        reasons: reasons(cache, &vm.reasons),
    }
}

/// What follows if these fail together, in words.
pub fn outcome(cache: &Cache, failing: &[Component], found: &Impact) -> Outcome {
    let [stopped, degraded, safe] = [Verdict::Stopped, Verdict::Degraded, Verdict::Safe].map(|it| found.count(it));
    let mut notes = Vec::new();
    if found.coordinator_fails {
        notes.push(Text::ImpactCoordinator.get().into());
    }
    notes.extend(found.unknown.iter().map(|class| Text::ImpactUnknown.with(&[class])));
    let others = found.brought_down.iter().filter(|part| !failing.contains(part));
    Outcome {
        sums: [
            (Some(Verdict::Stopped), stopped, Plural::ImpactStopped.of(stopped)),
            (Some(Verdict::Degraded), degraded, Plural::ImpactDegraded.of(degraded)),
            (Some(Verdict::Safe), safe, Plural::ImpactSafe.of(safe)),
            (None, found.untouched, Plural::ImpactUntouched.of(found.untouched)),
        ],
        brought_down: others.filter_map(|part| Part::of(cache, part.clone())).collect(),
        notes,
    }
}

/// The word for what becomes of a VM.
pub fn verdict(verdict: Verdict) -> Text {
    match verdict {
        Verdict::Stopped => Text::VerdictStopped,
        Verdict::Degraded => Text::VerdictDegraded,
        Verdict::Safe => Text::VerdictSafe,
    }
}

/// A single point of failure, with what it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PointRow {
    /// The part.
    pub part: Part,
    /// What it takes away.
    pub point: SinglePoint,
}

/// The single points of failure that are still in the data, in their order.
pub fn points(cache: &Cache, points: &[SinglePoint]) -> Vec<PointRow> {
    let row = |point: &SinglePoint| Some(PointRow { part: Part::of(cache, point.component.clone())?, point: point.clone() });
    points.iter().filter_map(row).collect()
}

/// The parts whose name, kind or uuid has all words of a text, hosts first; at most so many.
pub fn candidates(cache: &Cache, text: &str, most: usize) -> Vec<Part> {
    let text = text.to_lowercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    let hosts = cache.iter::<Host>().map(|(it, _)| Component::Host(it));
    let networks = cache.iter::<Network>().map(|(it, _)| Component::Network(it));
    let srs = cache.iter::<SR>().map(|(it, _)| Component::Sr(it));
    let pifs = cache.iter::<PIF>().map(|(it, _)| Component::Pif(it));
    let pbds = cache.iter::<PBD>().map(|(it, _)| Component::Pbd(it));
    let mut found = Vec::new();
    for component in hosts.chain(networks).chain(srs).chain(pifs).chain(pbds) {
        let said = format!("{} {}", kind(cache, &component).0.get(), label(cache, &component)).to_lowercase();
        let all = words.iter().all(|word| said.contains(word))
            || select::uuid_of(cache, &object(&component)).as_deref() == Some(&text);
        if all && let Some(part) = Part::of(cache, component) {
            found.push(part);
            // Enough to choose from; those that begin with the text come first among them.
            if found.len() >= most * 8 {
                break;
            }
        }
    }
    let begins = |part: &Part| !part.label.to_lowercase().starts_with(&text);
    found.sort_by(|a, b| {
        begins(a).cmp(&begins(b)).then_with(|| rank(a).cmp(&rank(b))).then_with(|| natural(&a.label, &b.label))
    });
    found.truncate(most);
    found
}

use xenapi_topology::text::natural;

fn rank(part: &Part) -> usize {
    Component::CLASSES.iter().position(|class| *class == part.named.class).unwrap_or(usize::MAX)
}

/// The name of an object, or its reference where it is not in the data.
fn name<C: Class>(cache: &Cache, reference: &Ref<C>) -> String {
    name_of(cache, C::RECORD.name, reference.raw())
}

fn name_of(cache: &Cache, class: &str, reference: &RawRef) -> String {
    select::name_of(cache, class, reference).filter(|name| !name.is_empty()).unwrap_or_else(|| reference.as_str().into())
}

fn vif(cache: &Cache, it: &Ref<VIF>) -> String {
    cache.get(it).map_or_else(|| it.as_str().into(), |record| record.device.clone())
}

fn vbd(cache: &Cache, it: &Ref<VBD>) -> String {
    name(cache, it)
}

/// What a part is called: its name, and for what belongs to a host the host's.
pub fn label(cache: &Cache, component: &Component) -> String {
    match component {
        Component::Host(it) => name(cache, it),
        Component::Network(it) => name(cache, it),
        Component::Sr(it) => name(cache, it),
        Component::Pif(it) => match cache.get(it) {
            Some(record) => Text::PartOfHost.with(&[&name(cache, it), &name(cache, &record.host)]),
            None => it.as_str().into(),
        },
        Component::Pbd(it) => match cache.get(it) {
            Some(record) => {
                // An SR of one host alone has the host in its name already.
                let sr = cache.get(&record.sr).map_or_else(|| record.sr.as_str().into(), |sr| sr.name_label.clone());
                Text::PartOnHost.with(&[&sr, &name(cache, &record.host)])
            }
            None => it.as_str().into(),
        },
    }
}

/// Why, each a clause without a full stop; the disks on one SR are lost together.
pub fn reasons(cache: &Cache, reasons: &[Reason]) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    let mut told: Vec<&Ref<SR>> = Vec::new();
    for reason in reasons {
        let Reason::DiskLost { sr, .. } = reason else {
            said.push(sentence(cache, reason));
            continue;
        };
        if told.contains(&sr) {
            continue;
        }
        told.push(sr);
        let disks = reasons.iter().filter_map(|it| match it {
            Reason::DiskLost { vbd: device, sr: on, .. } if on == sr => Some(vbd(cache, device)),
            _ => None,
        });
        let disks: Vec<String> = disks.collect();
        said.push(match disks.as_slice() {
            [_] => sentence(cache, reason),
            disks => Text::ReasonDisksLost.with(&[&disks.join(", "), &name(cache, sr)]),
        });
    }
    said
}

/// Why, in a clause without a full stop.
pub fn sentence(cache: &Cache, reason: &Reason) -> String {
    match reason {
        Reason::HostFails { host } => Text::ReasonHostFails.with(&[&name(cache, host)]),
        Reason::DiskLost { vbd: device, sr, .. } => Text::ReasonDiskLost.with(&[&vbd(cache, device), &name(cache, sr)]),
        Reason::NetworkLost { vif: device, network, last } => {
            let text = if *last { Text::ReasonLastNetworkLost } else { Text::ReasonNetworkLost };
            text.with(&[&vif(cache, device), &name(cache, network)])
        }
        Reason::HostUnmanaged { host } => Text::ReasonHostUnmanaged.with(&[&name(cache, host)]),
        Reason::RestartsByHa { hosts } => Plural::ReasonRestartsByHa.of(*hosts),
        Reason::OtherHosts { hosts } => Plural::ReasonOtherHosts.of(*hosts),
        Reason::NoOtherHost => Text::ReasonNoOtherHost.get().into(),
        Reason::CannotStart => Text::ReasonCannotStart.get().into(),
        Reason::StartsElsewhere { hosts } => Plural::ReasonStartsElsewhere.of(*hosts),
        Reason::BondMemberLeft { bond, left, of } => {
            Text::ReasonBondMemberLeft.with(&[&name(cache, bond), &left.to_string(), &of.to_string()])
        }
        Reason::DriveLost { vbd: device, sr } => Text::ReasonDriveLost.with(&[&vbd(cache, device), &name(cache, sr)]),
        Reason::OtherPif { network } => Text::ReasonOtherPif.with(&[&name(cache, network)]),
        _ => Text::ReasonOther.get().into(),
    }
}
