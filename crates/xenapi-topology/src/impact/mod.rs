//! What stops if this fails?
//!
//! [`impact`] takes a pool and what fails in it, and answers for every VM that depends on it whether it stops, is degraded or is safe, and
//! why. [`single_points`] tries every part of the pool alone. Both are pure functions: they compare what works now with what
//! would work then, so a part that is broken already costs nothing more by failing.
//!
//! # The rules
//!
//! - A **host** works while it is live. What runs on it stops with it; with high availability on and the VM protected, it starts again elsewhere.
//! - A **PIF** works while its host does and what carries it: a bond while any of its slaves has a link, a VLAN or a tunnel while
//!   the PIF below does, a NIC while it has carrier. A **network** works on a host through any attached PIF there that works; a network without
//!   PIFs lives inside of hosts and works on all of them.
//! - A **PBD** works while it is attached, its host is live, and the PIF works through which the host reaches the storage: the one whose
//!   subnet holds the address in `device_config`, or else the management interface; local storage needs none. With several addresses
//!   and multipathing, one of the ways is enough. An **SR** works on a host through the PBD there.
//! - A running VM that loses a disk stops. One that loses a network is degraded, and cut off if it was the last. An empty or
//!   full CD drive stops nobody.
//! - A VM that does not run is degraded if it could start somewhere before and nowhere after. A suspended one needs its memory image, too.
//! - High availability is only asked whom it starts again: that hosts without its heartbeat fence themselves is not foreseen here.
//! - Whether another host can run a VM is a matter of its disks, its networks, devices passed through to it, and memory that is free
//!   now: for each VM by itself, not for all together.

mod judge;
mod plan;
mod planner;
mod survey;
mod text;
mod world;

use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::{Class, RawRef, Ref};
use xenapi_model::{Bond, Host, Network, PBD, PIF, SR, VBD, VDI, VIF, VM};

pub use survey::{Inquiry, Preparation, Prepared, SinglePoint, Survey, impact, single_points};

/// A part of a pool that can fail.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Component {
    /// A host.
    Host(Ref<Host>),
    /// A NIC, bond, VLAN or tunnel of a host.
    Pif(Ref<PIF>),
    /// A network, on all hosts.
    Network(Ref<Network>),
    /// A storage repository, on all hosts.
    Sr(Ref<SR>),
    /// The connection of a host to a storage repository.
    Pbd(Ref<PBD>),
}

impl Component {
    /// The component of a class of the API, if objects of the class can fail.
    pub fn new(class: &str, reference: &RawRef) -> Option<Self> {
        Some(match class {
            "host" => Component::Host(reference.clone().typed()),
            "PIF" => Component::Pif(reference.clone().typed()),
            "network" => Component::Network(reference.clone().typed()),
            "SR" => Component::Sr(reference.clone().typed()),
            "PBD" => Component::Pbd(reference.clone().typed()),
            _ => return None,
        })
    }

    /// The classes whose objects can fail. A bond fails as the PIF that is its master.
    pub const CLASSES: [&'static str; 6] = ["host", "PIF", "Bond", "network", "SR", "PBD"];

    /// The component of a class that has this uuid or reference, if it is in the data.
    pub fn find(cache: &Cache, class: &str, name: &str) -> Option<Self> {
        fn known<C: Class>(cache: &Cache, name: &str) -> Option<Ref<C>> {
            let by_uuid = cache.by_uuid::<C>(name).map(|(reference, _)| reference);
            by_uuid.or_else(|| Some(Ref::new(name)).filter(|reference| cache.get(reference).is_some()))
        }
        match class {
            "host" => known(cache, name).map(Component::Host),
            "PIF" => known(cache, name).map(Component::Pif),
            "Bond" => cache.get(&known::<Bond>(cache, name)?).map(|bond| Component::Pif(bond.master.clone())),
            "network" => known(cache, name).map(Component::Network),
            "SR" => known(cache, name).map(Component::Sr),
            "PBD" => known(cache, name).map(Component::Pbd),
            _ => None,
        }
    }

    /// The class, as the API spells it.
    pub fn class(&self) -> &'static str {
        match self {
            Component::Host(_) => "host",
            Component::Pif(_) => "PIF",
            Component::Network(_) => "network",
            Component::Sr(_) => "SR",
            Component::Pbd(_) => "PBD",
        }
    }

    /// The object.
    pub fn reference(&self) -> &RawRef {
        match self {
            Component::Host(it) => it.raw(),
            Component::Pif(it) => it.raw(),
            Component::Network(it) => it.raw(),
            Component::Sr(it) => it.raw(),
            Component::Pbd(it) => it.raw(),
        }
    }
}

/// What becomes of a VM.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Verdict {
    /// It stops, or its disks do, which is the same to whoever uses it.
    Stopped,
    /// It goes on with less, or starts again by itself, or could not start any more.
    Degraded,
    /// It depends on what fails, and yet nothing happens to it.
    Safe,
}

impl Verdict {
    /// The English word, lower case.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Stopped => "stopped",
            Verdict::Degraded => "degraded",
            Verdict::Safe => "safe",
        }
    }
}

/// Why.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Reason {
    /// It runs on a host that fails.
    HostFails {
        /// The host.
        host: Ref<Host>,
    },
    /// A disk cannot be reached from its host any more.
    DiskLost {
        /// The device.
        vbd: Ref<VBD>,
        /// The disk.
        vdi: Ref<VDI>,
        /// Where it is stored.
        sr: Ref<SR>,
        /// The connection that does not work any more, if it is in the data.
        pbd: Option<Ref<PBD>>,
    },
    /// A network cannot be reached from its host any more.
    NetworkLost {
        /// The interface.
        vif: Ref<VIF>,
        /// The network.
        network: Ref<Network>,
        /// Whether no other network of the VM works: it runs, and nobody reaches it.
        last: bool,
    },
    /// Its host can be reached no more by the pool: what runs there cannot be managed.
    HostUnmanaged {
        /// The host.
        host: Ref<Host>,
    },
    /// High availability starts it again on another host.
    RestartsByHa {
        /// How many hosts could run it.
        hosts: usize,
    },
    /// It stops, and other hosts could run it, if somebody started it there.
    OtherHosts {
        /// How many.
        hosts: usize,
    },
    /// It stops, and no other host could run it.
    NoOtherHost,
    /// It does not run, and could not start on any host any more.
    CannotStart,
    /// It does not run, and could still start.
    StartsElsewhere {
        /// On how many hosts.
        hosts: usize,
    },
    /// A bond that carries one of its networks goes on with the links that are left.
    BondMemberLeft {
        /// The bond.
        bond: Ref<PIF>,
        /// The links left.
        left: usize,
        /// The links that worked before.
        of: usize,
    },
    /// A CD or DVD cannot be read any more.
    DriveLost {
        /// The drive.
        vbd: Ref<VBD>,
        /// Where the image is stored.
        sr: Ref<SR>,
    },
    /// Another of its host's PIFs carries the network.
    OtherPif {
        /// The network.
        network: Ref<Network>,
    },
}

/// A VM that depends on what fails.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Affected {
    /// The VM.
    pub vm: Ref<VM>,
    /// Whether it runs now (or is paused).
    pub is_running: bool,
    /// What becomes of it.
    pub verdict: Verdict,
    /// Why, the weightiest first.
    pub reasons: Vec<Reason>,
}

impl Affected {
    /// Whether the VM is interrupted, be it that it starts again by itself.
    pub fn is_interrupted(&self) -> bool {
        self.reasons.iter().any(|reason| matches!(reason, Reason::HostFails { .. } | Reason::DiskLost { .. }))
    }

    /// Whether the VM goes on, and nobody reaches it.
    pub fn is_cut_off(&self) -> bool {
        !self.is_interrupted() && self.reasons.iter().any(|reason| matches!(reason, Reason::NetworkLost { last: true, .. }))
    }

    /// Whether the VM stops, and no other host could run it.
    pub fn is_stranded(&self) -> bool {
        self.is_interrupted() && self.reasons.contains(&Reason::NoOtherHost)
    }
}

/// What follows from a failure.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Impact {
    /// The VMs that depend on what fails: those that stop first, each kind by name.
    pub vms: Vec<Affected>,
    /// VMs that have nothing to do with it.
    pub untouched: usize,
    /// What does not work any more as a consequence, what fails itself included.
    pub brought_down: Vec<Component>,
    /// Whether the pool's coordinator fails, or cannot be reached any more; without high availability nobody takes its place by itself.
    pub coordinator_fails: bool,
    /// Classes that are not in the data, so that the answer may be too good.
    pub unknown: Vec<&'static str>,
}

impl Impact {
    /// The VMs of one verdict.
    pub fn of(&self, verdict: Verdict) -> impl Iterator<Item = &Affected> {
        self.vms.iter().filter(move |vm| vm.verdict == verdict)
    }

    /// How many VMs have a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.of(verdict).count()
    }
}
