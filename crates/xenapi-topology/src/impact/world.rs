//! What works, if some parts fail.

use alloc::vec;
use alloc::vec::Vec;

use super::Component;
use super::plan::{Carrier, Plan};

/// A set of hosts for each of some networks or SRs, as bits: a question about all hosts is one about a word or two.
pub(super) struct Rows {
    words: usize,
    bits: Vec<u64>,
}

impl Rows {
    fn new(rows: usize, hosts: usize) -> Self {
        let words = hosts.div_ceil(64).max(1);
        Rows { words, bits: vec![0; rows * words] }
    }

    pub(super) fn row(&self, row: usize) -> &[u64] {
        &self.bits[row * self.words..(row + 1) * self.words]
    }

    fn set(&mut self, row: usize, host: usize) {
        self.bits[row * self.words + host / 64] |= 1 << (host % 64);
    }

    pub(super) fn has(&self, row: usize, host: usize) -> bool {
        self.bits[row * self.words + host / 64] >> (host % 64) & 1 == 1
    }

    fn is_empty(&self, row: usize) -> bool {
        self.row(row).iter().all(|word| *word == 0)
    }
}

pub(super) struct World {
    pub(super) host_up: Vec<bool>,
    pub(super) pif_up: Vec<bool>,
    pub(super) pbd_up: Vec<bool>,
    network_up: Vec<bool>,
    sr_up: Vec<bool>,
    /// On which hosts each network works.
    pub(super) networks: Rows,
    /// On which hosts each SR works.
    pub(super) srs: Rows,
    /// The hosts that work and take VMs, as a single row.
    pub(super) takers: Rows,
}

impl World {
    pub(super) fn new(plan: &Plan, failing: &[Component]) -> Self {
        let hosts = plan.hosts.len();
        let mut world = World {
            host_up: plan.hosts.iter().map(|host| host.live).collect(),
            pif_up: vec![false; plan.pifs.len()],
            pbd_up: vec![true; plan.pbds.len()],
            network_up: vec![true; plan.networks.len()],
            sr_up: vec![true; plan.srs.len()],
            networks: Rows::new(plan.networks.len(), hosts),
            srs: Rows::new(plan.srs.len(), hosts),
            takers: Rows::new(1, hosts),
        };
        let mut pif_failed = vec![false; plan.pifs.len()];
        for component in failing {
            world.fail(plan, component, &mut pif_failed);
        }
        world.spread_to_pifs(plan, &pif_failed);
        world.spread_to_pbds(plan);
        world.spread_to_hosts(plan);
        world
    }

    /// Marks what fails itself.
    fn fail(&mut self, plan: &Plan, component: &Component, pif_failed: &mut [bool]) {
        fn mark<T, R: Ord>(up: &mut [bool], parts: &[T], reference: &R, of: impl Fn(&T) -> &R, to: bool) {
            if let Some(at) = parts.iter().position(|part| of(part) == reference) {
                up[at] = to;
            }
        }
        match component {
            Component::Host(it) => mark(&mut self.host_up, &plan.hosts, it, |part| &part.reference, false),
            Component::Pif(it) => mark(pif_failed, &plan.pifs, it, |part| &part.reference, true),
            Component::Network(it) => mark(&mut self.network_up, &plan.networks, it, |part| &part.reference, false),
            Component::Sr(it) => mark(&mut self.sr_up, &plan.srs, it, |part| &part.reference, false),
            Component::Pbd(it) => mark(&mut self.pbd_up, &plan.pbds, it, |part| &part.reference, false),
        }
    }

    /// From the wires upwards until nothing more comes up; what carries itself never does.
    fn spread_to_pifs(&mut self, plan: &Plan, failed: &[bool]) {
        loop {
            let mut more = false;
            for (at, pif) in plan.pifs.iter().enumerate() {
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

    fn spread_to_pbds(&mut self, plan: &Plan) {
        for (up, pbd) in self.pbd_up.iter_mut().zip(&plan.pbds) {
            let host_up = pbd.host.is_none_or(|host| self.host_up[host]);
            *up &= pbd.attached && host_up && pbd.path.is_none_or(|path| self.pif_up[path]);
        }
    }

    fn spread_to_hosts(&mut self, plan: &Plan) {
        for (host, part) in plan.hosts.iter().enumerate().filter(|(host, _)| self.host_up[*host]) {
            if part.enabled {
                self.takers.set(0, host);
            }
        }
        for (at, network) in plan.networks.iter().enumerate().filter(|(at, _)| self.network_up[*at]) {
            if network.is_internal {
                (0..plan.hosts.len()).filter(|host| self.host_up[*host]).for_each(|host| self.networks.set(at, host));
                continue;
            }
            for pif in network.pifs.iter().filter(|pif| self.pif_up[**pif]) {
                let part = &plan.pifs[*pif];
                if let Some(host) = part.host.filter(|_| part.attached && !part.is_slave) {
                    self.networks.set(at, host);
                }
            }
        }
        for (at, sr) in plan.srs.iter().enumerate().filter(|(at, _)| self.sr_up[*at]) {
            for pbd in sr.pbds.iter().filter(|pbd| self.pbd_up[**pbd]) {
                if let Some(host) = plan.pbds[*pbd].host {
                    self.srs.set(at, host);
                }
            }
        }
    }

    /// Whether a network works on a host.
    pub(super) fn network_on(&self, network: usize, host: usize) -> bool {
        self.networks.has(network, host)
    }

    /// Whether an SR works on a host.
    pub(super) fn sr_on(&self, sr: usize, host: usize) -> bool {
        self.srs.has(sr, host)
    }

    /// Whether the pool reaches a host.
    pub(super) fn reaches(&self, plan: &Plan, host: usize) -> bool {
        self.host_up[host] && plan.hosts[host].management.is_none_or(|management| self.pif_up[management])
    }

    /// What works here and not there, and what was said to fail.
    pub(super) fn losses(&self, plan: &Plan, after: &World, failing: &[Component]) -> Vec<Component> {
        let lost = |before: &[bool], after: &[bool]| {
            let pairs = before.iter().zip(after).enumerate();
            pairs.filter(|(_, (before, after))| **before && !**after).map(|(at, _)| at).collect::<Vec<usize>>()
        };
        let mut all: Vec<Component> = failing.to_vec();
        all.extend(lost(&self.host_up, &after.host_up).iter().map(|at| Component::Host(plan.hosts[*at].reference.clone())));
        all.extend(lost(&self.pif_up, &after.pif_up).iter().map(|at| Component::Pif(plan.pifs[*at].reference.clone())));
        all.extend(lost(&self.pbd_up, &after.pbd_up).iter().map(|at| Component::Pbd(plan.pbds[*at].reference.clone())));
        // A network or an SR is down where no host reaches it any more.
        for (at, network) in plan.networks.iter().enumerate() {
            if !self.networks.is_empty(at) && after.networks.is_empty(at) {
                all.push(Component::Network(network.reference.clone()));
            }
        }
        for (at, sr) in plan.srs.iter().enumerate() {
            if !self.srs.is_empty(at) && after.srs.is_empty(at) {
                all.push(Component::Sr(sr.reference.clone()));
            }
        }
        all.sort();
        all.dedup();
        all
    }
}
