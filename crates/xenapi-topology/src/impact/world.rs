//! What works, if some parts fail.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use super::Component;
use super::plan::{Carrier, Plan};

pub(super) struct World {
    plan: Arc<Plan>,
    pub(super) host_up: Vec<bool>,
    pub(super) pif_up: Vec<bool>,
    pub(super) pbd_up: Vec<bool>,
    network_up: Vec<bool>,
    sr_up: Vec<bool>,
    /// By network, then by host.
    networks: Vec<bool>,
    /// By SR, then by host.
    srs: Vec<bool>,
}

impl World {
    pub(super) fn new(plan: &Arc<Plan>, failing: &[Component]) -> Self {
        let mut world = World {
            plan: plan.clone(),
            host_up: plan.hosts.iter().map(|host| host.live).collect(),
            pif_up: vec![false; plan.pifs.len()],
            pbd_up: vec![true; plan.pbds.len()],
            network_up: vec![true; plan.networks.len()],
            sr_up: vec![true; plan.srs.len()],
            networks: vec![false; plan.networks.len() * plan.hosts.len()],
            srs: vec![false; plan.srs.len() * plan.hosts.len()],
        };
        let mut pif_failed = vec![false; plan.pifs.len()];
        for component in failing {
            world.fail(component, &mut pif_failed);
        }
        world.spread_to_pifs(&pif_failed);
        world.spread_to_pbds();
        world.spread_to_hosts();
        world
    }

    /// Marks what fails itself.
    fn fail(&mut self, component: &Component, pif_failed: &mut [bool]) {
        fn mark<T, R: Ord>(up: &mut [bool], parts: &[T], reference: &R, of: impl Fn(&T) -> &R, to: bool) {
            if let Some(at) = parts.iter().position(|part| of(part) == reference) {
                up[at] = to;
            }
        }
        match component {
            Component::Host(it) => mark(&mut self.host_up, &self.plan.hosts, it, |part| &part.reference, false),
            Component::Pif(it) => mark(pif_failed, &self.plan.pifs, it, |part| &part.reference, true),
            Component::Network(it) => mark(&mut self.network_up, &self.plan.networks, it, |part| &part.reference, false),
            Component::Sr(it) => mark(&mut self.sr_up, &self.plan.srs, it, |part| &part.reference, false),
            Component::Pbd(it) => mark(&mut self.pbd_up, &self.plan.pbds, it, |part| &part.reference, false),
        }
    }

    /// From the wires upwards until nothing more comes up; what carries itself never does.
    fn spread_to_pifs(&mut self, failed: &[bool]) {
        loop {
            let mut more = false;
            for (at, pif) in self.plan.pifs.iter().enumerate() {
                let host_up = pif.host.is_none_or(|host| self.host_up[host]);
                if self.pif_up[at] || failed[at] || !host_up {
                    continue;
                }
                let carried = match &pif.carrier {
                    Carrier::Wire(link) => *link,
                    // Slaves that are not in the data are no reason to call the bond dead.
                    Carrier::Any(slaves) => slaves.is_empty() || slaves.iter().any(|slave| self.pif_up[*slave]),
                    Carrier::One(below) => below.is_none_or(|below| self.pif_up[below]),
                };
                self.pif_up[at] = carried;
                more |= carried;
            }
            if !more {
                break;
            }
        }
    }

    fn spread_to_pbds(&mut self) {
        for (up, pbd) in self.pbd_up.iter_mut().zip(&self.plan.pbds) {
            let host_up = pbd.host.is_none_or(|host| self.host_up[host]);
            *up &= pbd.attached && host_up && (pbd.paths.is_empty() || pbd.paths.iter().any(|path| self.pif_up[*path]));
        }
    }

    fn spread_to_hosts(&mut self) {
        let hosts = self.plan.hosts.len();
        for (at, network) in self.plan.networks.iter().enumerate().filter(|(at, _)| self.network_up[*at]) {
            let row = &mut self.networks[at * hosts..(at + 1) * hosts];
            if network.is_internal {
                row.copy_from_slice(&self.host_up);
                continue;
            }
            for pif in network.pifs.iter().filter(|pif| self.pif_up[**pif]) {
                let part = &self.plan.pifs[*pif];
                if let Some(host) = part.host.filter(|_| part.attached && !part.is_slave) {
                    row[host] = true;
                }
            }
        }
        for (at, sr) in self.plan.srs.iter().enumerate().filter(|(at, _)| self.sr_up[*at]) {
            for pbd in sr.pbds.iter().filter(|pbd| self.pbd_up[**pbd]) {
                if let Some(host) = self.plan.pbds[*pbd].host {
                    self.srs[at * hosts + host] = true;
                }
            }
        }
    }

    /// Whether a network works on a host.
    pub(super) fn network_on(&self, network: usize, host: usize) -> bool {
        self.networks[network * self.plan.hosts.len() + host]
    }

    /// Whether an SR works on a host.
    pub(super) fn sr_on(&self, sr: usize, host: usize) -> bool {
        self.srs[sr * self.plan.hosts.len() + host]
    }

    /// Whether a host works and the pool reaches it.
    pub(super) fn reaches(&self, host: usize) -> bool {
        self.host_up[host] && self.plan.hosts[host].management.is_none_or(|management| self.pif_up[management])
    }

    /// The hosts on which anything is different there: they themselves, their PIFs, what they reach.
    pub(super) fn changed_hosts(&self, after: &World) -> Vec<usize> {
        let hosts = self.plan.hosts.len();
        let mut changed: Vec<bool> = self.host_up.iter().zip(&after.host_up).map(|(one, other)| one != other).collect();
        let mut mark = |host: Option<usize>, one: bool, other: bool| {
            if let Some(host) = host.filter(|_| one != other) {
                changed[host] = true;
            }
        };
        for (at, pif) in self.plan.pifs.iter().enumerate() {
            mark(pif.host, self.pif_up[at], after.pif_up[at]);
        }
        for (one, other) in [(&self.networks, &after.networks), (&self.srs, &after.srs)] {
            for (at, (one, other)) in one.iter().zip(other).enumerate() {
                mark(Some(at % hosts), *one, *other);
            }
        }
        (0..hosts).filter(|host| changed[*host]).collect()
    }

    /// What works here and not there, and what was said to fail.
    pub(super) fn losses(&self, after: &World, failing: &[Component]) -> Vec<Component> {
        let plan = &self.plan;
        let lost = |before: &[bool], after: &[bool]| {
            let pairs = before.iter().zip(after).enumerate();
            pairs.filter(|(_, (before, after))| **before && !**after).map(|(at, _)| at).collect::<Vec<usize>>()
        };
        let mut all: Vec<Component> = failing.to_vec();
        all.extend(lost(&self.host_up, &after.host_up).iter().map(|at| Component::Host(plan.hosts[*at].reference.clone())));
        all.extend(lost(&self.pif_up, &after.pif_up).iter().map(|at| Component::Pif(plan.pifs[*at].reference.clone())));
        all.extend(lost(&self.pbd_up, &after.pbd_up).iter().map(|at| Component::Pbd(plan.pbds[*at].reference.clone())));
        // A network or an SR is down where no host reaches it any more.
        let hosts = plan.hosts.len();
        let anywhere = |table: &[bool], at: usize| table[at * hosts..(at + 1) * hosts].contains(&true);
        for (at, network) in plan.networks.iter().enumerate() {
            if anywhere(&self.networks, at) && !anywhere(&after.networks, at) {
                all.push(Component::Network(network.reference.clone()));
            }
        }
        for (at, sr) in plan.srs.iter().enumerate() {
            if anywhere(&self.srs, at) && !anywhere(&after.srs, at) {
                all.push(Component::Sr(sr.reference.clone()));
            }
        }
        all.sort();
        all.dedup();
        all
    }
}
